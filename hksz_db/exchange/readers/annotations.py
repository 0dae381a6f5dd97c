"""Read annotations: the W3C Web Annotation model, and exports of Hypothesis.

An annotation becomes evidence, from the page that it is about to the claims that it names. Of the
words that it quotes, only hashes are kept. Who made the annotation is not kept, because accounts
are personal data; neither are addresses of local files, which can name a person. See
https://www.w3.org/TR/annotation-model/ and https://h.readthedocs.io/en/latest/api-reference/v1/.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR, Locator, Quote
from hksz_db.domain.vocabulary import Stance
from hksz_db.exchange.readers import linked_data
from hksz_db.exchange.readers.entries import Entries, Item, digest
from hksz_db.exchange.readers.linked_data import Graph, Node, Value, text_of
from hksz_db.exchange.readers.records import Known, Record, rows
from hksz_db.exchange.readers.works import Work
from schemas.fields import MAX_INTEGER

CONSTANTS = ("claim_external_id", "stance")
"""The fields of evidence that can be set for annotations that do not say them."""

_LISTS = ("graph", "rows", "annotations", "items", "first")
_CLAIM = re.compile(
    r"(?:urn:uuid:|.*/v1/claims/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})", re.IGNORECASE
)
_PAGE = re.compile(r"(?:.*&)?page=([^&]+).*")
# A text fragment quotes the passage.
_QUOTED = re.compile("#?:~:.*")
_LOCAL_FILE = re.compile("file:", re.IGNORECASE)
_MAX_NOTE = 2000
_UNCLAIMED = (
    "It names no claim: give it the tag claim:EXTERNAL_ID, or a body that is the claim, or import"
    " it with --set claim_external_id=EXTERNAL_ID."
)


def read(content: str, namespace: str, constants: Mapping[str, str]) -> Entries:
    """Read the annotations of a file: the pages, then the evidence.

    ``constants`` are values for those that do not have their own. Raises ``Unreadable``.
    """
    graph = linked_data.read(content, _LISTS)
    found = [each for root in graph.roots for each in _annotations(root)]
    return rows(
        _record(each, Record(number, each.pointer, namespace), graph, constants)
        for number, each in enumerate(found, start=1)
    )


def _annotations(value: Value) -> Iterator[Value]:
    lists = [name for name in _LISTS if isinstance(value, Node) and name in value.values]
    if isinstance(value, Node) and lists and "Annotation" not in value.types:
        for inner in (inner for name in lists for inner in value.values[name]):
            yield from _annotations(inner)
    else:
        yield value


@dataclass
class _Said:
    """What the bodies of an annotation say; ``claims`` are named by tags, ``linked`` ones by id."""

    comments: list[str] = field(default_factory=list)
    claims: list[str] = field(default_factory=list)
    linked: list[str] = field(default_factory=list)
    stances: list[str] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)

    def tag(self, text: str) -> None:
        kind, _, value = text.partition(":")
        match kind.strip().casefold():
            case "claim":
                self.claims.append(value.strip())
            case "stance":
                self.stances.append(value.strip().casefold())
            case _:
                self.unkept.append(text)

    def link(self, address: str) -> None:
        claim = _CLAIM.fullmatch(address)
        if claim:
            self.linked.append(claim[1].lower())
        else:
            self.unkept.append(address)


def _record(found: Value, record: Record, graph: Graph, constants: Mapping[str, str]) -> Record:
    targets = found.get("target", "uri") if isinstance(found, Node) else ()
    if not isinstance(found, Node) or not targets:
        record.refuse("evidence", "Must be an annotation with a target.", code="invalid")
        return record
    if found.get("references"):
        detail = "A reply to another annotation is no evidence."
        record.refuse("evidence", detail, f"{found.pointer}/references", "invalid")
        return record
    said = _said(found, graph)
    claims = _claims(said, constants)
    if not claims:
        record.refuse("evidence", _UNCLAIMED)
        return record
    warnings: list[str] = []
    bodies = {"note": _note(said, warnings), "stance": _stance(said, constants, warnings)}
    own = Known.of(found) if len(claims) == len(targets) == 1 else Known()
    for number, target in enumerate(targets):
        warned = list(warnings)
        item = _target(record, found, target, warned)
        for claim in claims if item else ():
            fields = {**claim, **(item or {}), **bodies}
            identity = found.id or repr(sorted(fields.items()))
            name = record.name("evidence", identity, str(number), *claim.values())
            record.add("evidence", {"external_id": name, **fields}, warned, own)
    return record


def _said(annotation: Node, graph: Graph) -> _Said:
    said = _Said(comments=_texts(annotation, "text", "bodyValue"))
    for tag in _texts(annotation, "tags"):
        said.tag(tag)
    for body in annotation.get("body"):
        node = next(graph.nodes((body,)), None)
        text = node.text("value") if node else ""
        if node and text and "tagging" in _texts(node, "purpose"):
            said.tag(text)
        elif text:
            said.comments.append(text)
        else:
            said.link((node.text("source") if node else "") or text_of(body))
    return said


def _texts(node: Node, *names: str) -> list[str]:
    return [text_of(value) for name in names for value in node.get(name) if text_of(value)]


def _claims(said: _Said, constants: Mapping[str, str]) -> list[dict[str, str]]:
    """References to the claims that the annotation names, each once."""
    if not said.claims and said.linked:
        return [{"claim_id": id} for id in dict.fromkeys(said.linked)]
    names = said.claims or filter(None, [constants.get("claim_external_id")])
    return [{"claim_external_id": name} for name in dict.fromkeys(names)]


def _stance(said: _Said, constants: Mapping[str, str], warnings: list[str]) -> str:
    stances = list(dict.fromkeys(said.stances))
    if len(stances) > 1:
        warnings.append(f"several stances, so only a mention: {', '.join(stances)[:200]}")
        return str(Stance.MENTIONS)
    return next(iter(stances), constants.get("stance", str(Stance.MENTIONS)))


def _target(record: Record, annotation: Node, target: Value, warnings: list[str]) -> Item | None:
    """The fields of evidence that the target gives; adds the page. None if there is no page."""
    work, known = _page(annotation, target)
    if not (work.url or work.id or work.title):
        record.refuse("sources", "A target needs a source.", target.pointer)
        return None
    return {"source_external_id": record.source(work, known), **_passage(target, warnings)}


def _page(annotation: Node, target: Value) -> tuple[Work, Known]:
    (described,) = (target.get("source") if isinstance(target, Node) else ())[:1] or (target,)
    address = text_of(described) or annotation.text("uri")
    documents = (*annotation.get("document"), described)
    titles = [node.text("title", "name") for node in documents if isinstance(node, Node)]
    public = (title for title in titles if title and not _LOCAL_FILE.match(title))
    work = Work(csl_type="webpage", title=next(public, ""))
    if address.startswith(("http://", "https://")):
        work.url = _QUOTED.sub("", address)
    elif not address.startswith("urn:uuid:"):
        # The path of a local file has the name of its user.
        work.id = f"page-{digest(address)}" if address else ""
    return work, Known.of(described) if isinstance(described, Node) else Known()


def _note(said: _Said, warnings: list[str]) -> str:
    text = " ".join(said.comments)
    if len(text) > _MAX_NOTE:
        warnings.append(f"only the first {_MAX_NOTE} characters of the comment are kept")
        text = f"{text[: _MAX_NOTE - 1]}…"
    if said.unkept:
        warnings.append(f"not kept: {', '.join(said.unkept)[:200]}")
    return text


def _passage(target: Value, warnings: list[str]) -> Item:
    """The fields of the passage: its locators, if the selectors are enough, and its page."""
    selectors = list(_selectors(target.get("selector"))) if isinstance(target, Node) else []
    position = next((s for s in selectors if "TextPositionSelector" in s.types), None)
    quote = next((s for s in selectors if "TextQuoteSelector" in s.types), None)
    start = _number(position, "start")
    found = {"page": next(filter(None, map(_printed_page, selectors)), "")}
    if position and position.get("exact_sha256"):
        numbers = {"start_char": start, "end_char": _number(position, "end")}
        loose = {name: _number(position, name) for name in LOOSE_LOCATOR[:2]}
        hashes = {name: position.text(name) for name in (*LOCATOR[2:], *LOOSE_LOCATOR[2:])}
        return {**found, **numbers, **loose, **hashes}
    if start is None or quote is None:
        if selectors:
            lacking = "position" if start is None else "quote"
            warnings.append(f"no locator: the annotation has no {lacking} of the passage")
        return found
    locator = Quote(quote.raw("exact"), quote.raw("prefix"), quote.raw("suffix")).locator(start)
    if locator is None:
        warnings.append("no locator: the quote has no words, or too little around them")
        return found
    return {**found, **vars(_checked(locator, position, warnings))}


def _checked(locator: Locator, position: Node | None, warnings: list[str]) -> Locator:
    if locator.end_char != _number(position, "end"):
        warnings.append("position and quote differ in length: verify the passage against a copy")
    return locator


def _selectors(values: tuple[Value, ...]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
            yield from _selectors(value.get("refinedBy"))


def _number(node: Node | None, name: str) -> int | None:
    digits = node.text(name) if node else ""
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= 10
    return int(digits) if is_number and int(digits) < MAX_INTEGER else None


def _printed_page(selector: Node) -> str:
    if "PageSelector" in selector.types:
        return selector.text("label")[:50]
    if "FragmentSelector" in selector.types:
        found = _PAGE.fullmatch(selector.text("value"))
        return found[1][:50] if found else ""
    return selector.text("page")[:50]
