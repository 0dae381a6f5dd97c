"""Read fact checks: ClaimReview of schema.org, and the answers of Google's Fact Check Tools API.

A fact check becomes the claim that it reviews, a source, and evidence with the rating as it is
stated. Pages on which the claim appears become sources that assert it. See
https://schema.org/ClaimReview and
https://developers.google.com/fact-check/tools/api/reference/rest/v1alpha1/claims.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from hksz_db.domain.ratings import Rating, is_number, read_rating
from hksz_db.domain.vocabulary import ContributorRole, Stance
from hksz_db.exchange.jsonld import WORK_TYPES
from hksz_db.exchange.readers import edtf_dates, linked_data
from hksz_db.exchange.readers.entries import Entries, Unreadable
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.exchange.readers.linked_data import Graph, Literal, Node, Value, text_of
from hksz_db.exchange.readers.markup import plain
from hksz_db.exchange.readers.names import EMAIL, Name, organisation, person
from hksz_db.exchange.readers.records import UNKNOWN, Known, Record, rows
from hksz_db.exchange.readers.works import Credit, Work

_CONTAINERS = {"graph", "dataFeedElement", "claims"}
_RECORD_LISTS = {*_CONTAINERS, "item", "claimReview"}
_CSL_TYPES = {term: csl_type for csl_type, term in reversed(WORK_TYPES.items())}
_ROLES = {
    "author": ContributorRole.AUTHOR,
    "creator": ContributorRole.AUTHOR,
    "publisher": ContributorRole.PUBLISHER,
}
_USED = {
    "claimReviewed",
    "datePublished",
    "headline",
    "identifier",
    "inLanguage",
    "itemReviewed",
    "languageCode",
    "mainEntityOfPage",
    "name",
    "reviewDate",
    "reviewRating",
    "textualRating",
    "title",
    "url",
    *_ROLES,
}
_USED_OF_CLAIMS = {
    "appearance",
    "author",
    "claimDate",
    "claimReview",
    "claimant",
    "creator",
    "creditText",
    "datePublished",
    "firstAppearance",
    "identifier",
    "inLanguage",
    "name",
    "review",
    "text",
}
_USED_OF_RATINGS = {"alternateName", "name", "ratingValue", "bestRating", "worstRating"}
# About the page and its markup, not about the fact check.
_SILENT = {
    "dateCreated",
    "dateModified",
    "image",
    "isAccessibleForFree",
    "isPartOf",
    "license",
    "potentialAction",
    "sdDatePublished",
    "sdLicense",
    "sdPublisher",
    "thumbnailUrl",
}
UNNAMED = "[not named by the fact check]"
"""The claimant of a claim for which the fact check names none."""

_MAX_DATE = 200
_WEB = ("http://", "https://")


class _Found(NamedTuple):
    """A fact check in the file, or a value in its place, and the claim around it, if any."""

    review: Value
    claim: Node | None = None


def read(content: str, namespace: str) -> Entries:
    """Read the fact checks of a file: the sources, then the claims, then the evidence.

    Raises ``Unreadable``.
    """
    graph = linked_data.read(content, _RECORD_LISTS)
    found = [each for root in graph.roots for each in _at_top(root)]
    if not found and any(not _is_container(root) for root in graph.roots):
        raise Unreadable("The file contains no fact checks: no ClaimReview, and no claims.")
    return rows(
        _record(each, number, namespace, graph) for number, each in enumerate(found, start=1)
    )


def _is_container(value: Value) -> bool:
    return isinstance(value, Node) and not value.values.keys().isdisjoint(_CONTAINERS)


def _at_top(value: Value) -> Iterator[_Found]:
    if isinstance(value, Node) and "claims" in value.values:
        for claim in value.values["claims"]:
            reviews = claim.get("claimReview") if isinstance(claim, Node) else ()
            yield from (_Found(review, claim) for review in reviews if isinstance(claim, Node))
            if not reviews:
                yield _Found(claim)
    elif isinstance(value, Node) and (value.types or _is_container(value)):
        yield from _within(value)
    else:
        yield from _expected(value)


def _expected(value: Value) -> Iterator[_Found]:
    """The fact checks in a value that must have one; the value itself if it has none."""
    found = list(_within(value))
    yield from found or [_Found(value)]


def _within(value: Value, claim: Node | None = None) -> Iterator[_Found]:
    if not isinstance(value, Node):
        return
    if "ClaimReview" in value.types:
        # An object with an id only refers to another.
        if value.values or not value.id:
            yield _Found(value, claim)
        return
    around = value if "Claim" in value.types else claim
    for name, values in value.values.items():
        is_of_feed = name == "dataFeedElement" or (name == "item" and "DataFeedItem" in value.types)
        for inner in values:
            is_nothing = isinstance(inner, Literal) or inner.is_empty
            is_expected = is_of_feed or (name == "graph" and is_nothing)
            yield from _expected(inner) if is_expected else _within(inner, around)


@dataclass
class _Claim:
    """What a fact check says of the claim; ``date`` is that of the appearance ``dated``, if any."""

    statement: str
    language: str
    claimant: str
    date: str
    known: Known
    appearances: tuple[Value, ...]
    dated: Value | None
    warnings: list[str]

    @property
    def note(self) -> str:
        """A date that no appearance can have, as a sentence."""
        edtf = edtf_dates.from_text(self.date)
        if not self.date or (edtf and self.dated):
            return ""
        return f"The fact check dates the claim {edtf or repr(self.date[:_MAX_DATE])}."


def _record(found: _Found, number: int, namespace: str, graph: Graph) -> Record:
    review = found.review
    record = Record(number, review.pointer, namespace)
    if not isinstance(review, Node) or not _is_review(found):
        detail = "Must be a ClaimReview, or a claim with its claimReview."
        record.refuse("claims", detail, code="invalid")
        return record
    claim = _claim(review, found.claim, graph)
    if not claim.statement:
        at = f"{review.pointer}/claimReviewed"
        record.refuse("claims", "A fact check needs the claim.", at)
        return record
    work = _work(review, graph)
    if not (work.url or work.title):
        record.refuse("sources", "A fact check needs a url or a name.", f"{review.pointer}/url")
        return record
    known = Known.of(review)
    source = record.source(work, Known(known.external_id))
    name = _add_claim(record, claim)
    warnings: list[str] = []
    rating = _rating(review, graph, warnings)
    evidence = {
        "external_id": record.name("evidence", source, name, "review"),
        "claim_external_id": name,
        "source_external_id": source,
        "stance": str(rating.stance),
        "rating_as_stated": rating.as_stated,
        "note": claim.note,
    }
    record.add("evidence", evidence, warnings, Known(id=known.id))
    _add_appearances(record, claim, name, graph)
    return record


def _is_review(found: _Found) -> bool:
    is_answer = found.claim is not None and "text" in found.claim.values
    return is_answer or (isinstance(found.review, Node) and "ClaimReview" in found.review.types)


def _claim(review: Node, around: Node | None, graph: Graph) -> _Claim:
    nodes = [node for node in graph.nodes(review.get("itemReviewed")) if node.values]
    reviewed = nodes[0] if nodes else around or Node("", "", frozenset(), {})
    statement = review.text("claimReviewed") or reviewed.text("text", "name")
    if not statement and not nodes:
        statement = review.text("itemReviewed")
    languages = [review.text("inLanguage", "languageCode"), reviewed.text("inLanguage")]
    if reviewed.text("text") == statement:
        languages.reverse()
    authors = _names(reviewed, "author", graph) or _names(reviewed, "creator", graph)
    claim = _Claim(
        plain(statement),
        language_tag(next(filter(None, languages), "")) or "und",
        ", ".join(name.text for name in authors)
        or _without_email(plain(reviewed.text("claimant", "creditText"))),
        _without_email(plain(reviewed.text("datePublished", "claimDate"))),
        Known.of(reviewed),
        (*reviewed.get("firstAppearance"), *reviewed.get("appearance")),
        _only(reviewed.get("firstAppearance", "appearance")),
        [],
    )
    unkept = sorted(reviewed.values.keys() - _USED_OF_CLAIMS - _SILENT)
    unkept += ["itemReviewed, but for the first"] * (len(nodes) > 1)
    claim.warnings += [f"not kept: {', '.join(unkept)}"] * bool(unkept)
    claim.warnings += [f"kept as a note of the evidence: {claim.note}"] * bool(claim.note)
    claim.warnings += [] if claim.claimant else [f"no claimant: {UNNAMED}"]
    return claim


def _only(values: tuple[Value, ...]) -> Value | None:
    return values[0] if len(values) == 1 else None


def _add_claim(record: Record, claim: _Claim) -> str:
    name = record.name("claim", claim.statement.casefold(), claim.claimant.casefold())
    item = {
        "external_id": name,
        "statement": claim.statement,
        "language": claim.language,
        "claimant_as_stated": claim.claimant or UNNAMED,
    }
    record.add("claims", item, claim.warnings, claim.known)
    return name


def _add_appearances(record: Record, claim: _Claim, name: str, graph: Graph) -> None:
    """Add the pages that state the claim, each once."""
    seen = set()
    for value in claim.appearances:
        found = next(graph.nodes((value,)), None)
        work = _work(found, graph) if found else _address(text_of(value))
        if not (work.url or work.title):
            detail = "An appearance needs an address or a name."
            record.refuse("sources", detail, value.pointer)
            continue
        source = record.source(work, Known.of(found) if found else UNKNOWN)
        if source in seen:
            continue
        seen.add(source)
        evidence = {
            "external_id": record.name("evidence", source, name, "appearance"),
            "claim_external_id": name,
            "source_external_id": source,
            "stance": str(Stance.ASSERTS),
            "said_edtf": edtf_dates.from_text(claim.date) if value is claim.dated else None,
        }
        record.add("evidence", evidence)


def _address(text: str) -> Work:
    if text.startswith(_WEB):
        return Work(csl_type="webpage", url=text)
    return Work(csl_type="webpage", title=_without_email(text))


def _work(node: Node, graph: Graph) -> Work:
    own = node.id if node.id.startswith(_WEB) else ""
    types = sorted(_CSL_TYPES[name] for name in node.types if name in _CSL_TYPES)
    work = Work(
        csl_type="review" if "ClaimReview" in node.types else next(iter(types), "webpage"),
        title=node.text("headline", "name", "title"),
        url=node.text("url") or own or node.text("mainEntityOfPage"),
        language=node.text("inLanguage", "languageCode"),
    )
    work.unkept += sorted(node.values.keys() - _USED - _SILENT)
    work.date(node.text("datePublished", "reviewDate"))
    for variable, role in _ROLES.items():
        names = _names(node, variable, graph)
        work.credits += [Credit(role, name) for name in names]
        if node.get(variable) and not names:
            work.warnings.append(f"not a name: {variable}")
    return work


def _names(node: Node, variable: str, graph: Graph) -> list[Name]:
    """The names of persons and organisations; an address, of a page or for mail, is not a name."""
    texts = [value.text for value in node.get(variable) if isinstance(value, Literal)]
    kept = [text for text in map(_without_email, texts) if text and not text.startswith(_WEB)]
    names = list(map(organisation, kept))
    for made in graph.nodes(node.get(variable)):
        text = _without_email(made.text("name", "legalName", "site"))
        if text:
            names.append(person(text) if "Person" in made.types else organisation(text))
    return names


def _without_email(text: str) -> str:
    """The text, or nothing if it has an address for mail."""
    return "" if EMAIL.search(text) else text


def _rating(review: Node, graph: Graph, warnings: list[str]) -> Rating:
    """The rating; warns of what is not kept of it, and if it takes no side."""
    rating = _stated_rating(review, graph, warnings)
    if not rating.as_stated:
        warnings.append("no rating: the source only mentions the claim")
    elif rating.stance is Stance.MENTIONS:
        warnings.append(f"rating without a clear stance, only a mention: {rating.as_stated[:80]}")
    return rating


def _stated_rating(review: Node, graph: Graph, warnings: list[str]) -> Rating:
    if stated := plain(review.text("textualRating")):
        return Rating(stated)
    node = next(graph.nodes(review.get("reviewRating")), None)
    if node is None:
        return read_rating(plain(review.text("reviewRating")))
    name = plain(node.text("alternateName", "name"))
    numbers = {end: node.text(f"{end}Rating") for end in ("worst", "best")}
    numbers["value"] = node.text("ratingValue")
    if not name and numbers["value"] and not is_number(numbers["value"]):
        name, numbers["value"] = plain(numbers["value"]), ""
    unkept = sorted(node.values.keys() - _USED_OF_RATINGS - _SILENT)
    unkept += [
        f"not a number: {text[:40]}" for text in numbers.values() if text and not is_number(text)
    ]
    warnings += [f"not kept of the rating: {', '.join(unkept)}"] * bool(unkept)
    return Rating(name, **{end: text for end, text in numbers.items() if is_number(text)})
