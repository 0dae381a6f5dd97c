"""Works, as citation managers describe them, and the sources and entities that they become.

Each distinct name of a contributor becomes an entity in the namespace of the import. Its external
id follows from the name alone, so that the next import finds it again. It does not match entities
of other namespaces; if two entities turn out to be the same, they can be merged.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from html import unescape
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from marshmallow import ValidationError

from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN, MAX_EXTERNAL_ID_LENGTH, ContributorRole
from hksz_db.exchange.readers import edtf_dates
from hksz_db.exchange.readers.entries import ImportEntry, NewEntity, digest
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.exchange.readers.markup import plain
from hksz_db.exchange.readers.names import EMAIL, IN_HAN, Name, is_nobody, tidy, without_others
from schemas.fields import DOI_PATTERN, WebAddress

_MAX_CONTRIBUTORS = 100
_MAX_NAME = 300
_MAX_NOTE = 500
_DOI_PREFIX = re.compile(r"(?:https?://)?(?:(?:dx\.)?doi\.org/|doi[:\s])\s*", re.IGNORECASE)
# Several URLs or DOIs in one field.
_NEXT_URL = re.compile(r"(?: ?[;,|]? |[;|])(?=https?://)")
_NEXT_DOI = re.compile(r" ?[;,|]? (?=\S*10\.)")
_DOI_LINE = re.compile(r"^\s*DOI:\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_ZOTERO_ITEM = re.compile(r"(?:https?://zotero\.org/.+/items/|[0-9]+[/_])([A-Z0-9]{8})")
# Characters that URLs may contain, and those of their escapes.
_URL_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
_NOT_IN_NAMES = re.compile("[^A-Za-z0-9._/-]")
_SLUG_LENGTH = 40
_DIGEST_LENGTH = 12


@dataclass(frozen=True)
class Credit:
    """A contribution to a work; ``credited_as`` is the term in the file if it is more specific."""

    role: ContributorRole
    name: Name
    credited_as: str | None = None


def entity(name: Name, namespace: str) -> NewEntity:
    """The body that creates the entity.

    The language of the name is ``und``, because files do not give it.
    """
    text = name.text
    language = "und-Hani" if IN_HAN.fullmatch(text) else "und"
    key = unicodedata.normalize("NFKC", text).casefold()
    plain = unicodedata.normalize("NFKD", key).encode("ascii", "ignore").decode()
    slug = "-".join(re.findall("[a-z0-9]+", plain))[:_SLUG_LENGTH].strip("-")
    suffix = "-".join(filter(None, (slug, digest(key)[:_DIGEST_LENGTH])))
    return {
        "external_id": f"{namespace}:{name.kind}/{suffix}",
        "kind": str(name.kind),
        "names": [{"name": text, "language": language, "kind": "preferred"}],
    }


@dataclass
class Work:
    """A work as a file describes it; unknown fields are empty.

    ``issued`` is EDTF; ``issued_note`` is the text of a date that could not be read, or of which
    only a part could. ``note`` is free text, in which some programs put a DOI. ``unkept`` names
    fields that the database lacks.
    """

    id: str = ""
    csl_type: str = "document"
    title: str = ""
    container_title: str = ""
    publisher_place: str = ""
    url: str = ""
    doi: str = ""
    language: str = ""
    issued: str | None = None
    issued_note: str = ""
    rights: str = ""
    note: str = ""
    credits: list[Credit] = field(default_factory=list)
    unkept: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    def date(self, text: str) -> None:
        """Set the date from text, or only the year if no more is certain."""
        self.issued = edtf_dates.from_text(text)
        if self.issued is None and tidy(text):
            self.issued = edtf_dates.certain_year(text)
            self.issued_note = text


class Record:
    """The fields of an entry as text, and the names of those that were used or need no warning."""

    def __init__(self, values: Mapping[str, Sequence[str]], silent: Iterable[str]) -> None:
        self.values = values
        self.used = set(silent)

    def take(self, *names: str) -> str:
        """Use the first of the fields that has a value."""
        name = next((name for name in names if self.values.get(name)), None)
        if name is None:
            return ""
        self.used.add(name)
        return self.values[name][0]

    def unused(self) -> list[str]:
        """The fields with a value that was not used."""
        return [name for name, values in self.values.items() if values and name not in self.used]


def entry(work: Work, number: int, namespace: str, unit: str = "line") -> ImportEntry:
    """The entry that creates the source; adds to the warnings of the work."""
    if _DOI_LINE.sub("", work.note).strip():
        work.unkept.append("note")
    if work.unkept:
        work.warnings.append(f"not kept: {', '.join(dict.fromkeys(work.unkept))}")
    doi, url = _doi(work), _url(work)
    contributors, entities = _contributors(work, namespace)
    title = plain(work.title)
    item = {
        "external_id": _external_id(work, doi, namespace),
        "csl_type": work.csl_type,
        "title": title or _supplied_title(work, url),
        "title_supplied": not title,
        "container_title": plain(work.container_title) or None,
        "publisher_place": plain(work.publisher_place) or None,
        "url": url,
        "doi": doi,
        "language": _language(work),
        "issued_edtf": work.issued,
        "issued_note": _date_note(work),
        "rights": plain(work.rights) or None,
        "contributors": contributors,
    }
    # A source that exports its external id as the key of an entry is recognised by it.
    known_as = work.id.strip().replace("+", "~")
    return ImportEntry(
        number,
        "sources",
        # Fields that the file lacks are left out, so that an update does not erase them.
        {name: value for name, value in item.items() if value not in (None, [])},
        warnings=tuple(work.warnings),
        entities=tuple(entities.values()),
        label=tidy(work.id) or None,
        known_as=known_as if re.fullmatch(EXTERNAL_ID_PATTERN, known_as) else None,
        unit=unit,
    )


def _external_id(work: Work, doi: str | None, namespace: str) -> str:
    """The id of the work in the namespace, by which the next import finds the source.

    The id of a Zotero item is its key, whichever library it is in. A work without an id is named by
    a hash of its DOI, otherwise of its title, container, URL, date and authors, because many annual
    reports share a title.
    """
    own = work.id.strip()
    if own and (item := _ZOTERO_ITEM.fullmatch(own)):
        own = item[1]
    if own:
        found = f"{namespace}:{_NOT_IN_NAMES.sub(_escape, own)}"
        if len(found) <= MAX_EXTERNAL_ID_LENGTH and re.fullmatch(EXTERNAL_ID_PATTERN, found):
            return found
        return f"{namespace}:id-{digest(own)}"
    if doi:
        return f"{namespace}:doi-{digest(doi)}"
    authors = sorted(credit.name.text for credit in work.credits if credit.role == "author")
    known = [work.title, work.container_title, work.url, work.issued or work.issued_note, *authors]
    return f"{namespace}:work-{digest(chr(0).join(tidy(value).casefold() for value in known))}"


def _escape(character: re.Match[str]) -> str:
    return "".join(f"~{byte:02X}" for byte in character[0].encode("utf-8", "surrogatepass"))


def _supplied_title(work: Work, url: str | None) -> str:
    work.warnings.append("no title: one was made up")
    container = plain(work.container_title) or urlsplit(url or "").hostname
    authors = [credit.name.text for credit in work.credits][:1]
    return f"[Untitled {', '.join(filter(None, [work.csl_type, *authors, container]))}]"


def _doi(work: Work) -> str | None:
    in_note = _DOI_LINE.findall(work.note)
    in_url = [unquote(work.url)] if _DOI_PREFIX.match(work.url.strip()) else []
    first, *others = _NEXT_DOI.split(tidy(unquote(unescape(_DOI_PREFIX.sub("", work.doi)))))
    work.warnings += ["only the first DOI is kept"] if others else []
    for text in (first, *in_note, *in_url):
        doi = _DOI_PREFIX.sub("", unescape(text).strip(), count=1).lower().rstrip(".,;")
        doi = doi if "(" in doi else doi.rstrip(")")
        if re.fullmatch(DOI_PATTERN[1:-1], doi) and len(doi) <= 200:
            return doi
    if work.doi.strip():
        work.warnings.append(f"not a DOI: {work.doi.strip()[:80]}")
    return None


def _url(work: Work) -> str | None:
    text, *others = _NEXT_URL.split(tidy(work.url).strip("<>").replace("&amp;", "&"))
    work.warnings += ["only the first URL is kept"] if others else []
    try:
        url: str = WebAddress().deserialize(_ascii_url(text))
    except ValidationError:
        if text:
            work.warnings.append(f"not a web address: {text[:80]}")
        return None
    return url


def _ascii_url(text: str) -> str:
    """Map the URL to ASCII as RFC 3987 does; invalid URLs stay as they are."""
    try:
        parts = urlsplit(text)
        host = (parts.hostname or "").encode("idna").decode()
        netloc = parts.netloc.replace(parts.hostname or "", host) if host else parts.netloc
        rest = [quote(part, safe=_URL_CHARACTERS) for part in parts[2:]]
    except ValueError:
        return text
    return urlunsplit((parts.scheme, parts.netloc if parts.netloc.isascii() else netloc, *rest))


def _language(work: Work) -> str | None:
    text = work.language.strip()
    tag = language_tag(text) if text else None
    if text and tag is None:
        work.warnings.append(f"not a language: {text[:40]}")
    return tag


def _date_note(work: Work) -> str | None:
    note = tidy(work.issued_note)
    if note:
        how = f"read as {work.issued} only" if work.issued else "not a date"
        work.warnings.append(f"{how}, kept as a note: {note[:80]}")
    return f"{note[: _MAX_NOTE - 1]}…" if len(note) > _MAX_NOTE else note or None


def _contributors(
    work: Work, namespace: str
) -> tuple[list[dict[str, str | None]], dict[str, NewEntity]]:
    """The contributors of the source, and their entities by external id."""
    contributors: list[dict[str, str | None]] = []
    entities: dict[str, NewEntity] = {}
    seen = set()
    for credit in work.credits:
        person = without_others(credit.name)
        more = f"more {credit.role}s than listed"
        if person != credit.name and more not in work.warnings:
            work.warnings.append(more)
        text = person.text if person else ""
        if not person or not text:
            continue
        if EMAIL.search(text) or text.startswith(("http://", "https://")):
            work.warnings.append(f"not a name: {credit.role}")
            continue
        if is_nobody(text):
            work.warnings.append(f"names nobody: {text[:80]} ({credit.role})")
            continue
        if person.doubt:
            work.warnings.append(f"{person.doubt}: {text[:80]}")
        if len(text) > _MAX_NAME - 2:
            work.warnings.append(f"too long for a name: {text[:40]}…")
            continue
        made = entity(person, namespace)
        name = made["external_id"]
        if (name, credit.role) in seen:
            work.warnings.append(f"credited twice: {text} ({credit.role})")
        elif len(contributors) == _MAX_CONTRIBUTORS:
            work.warnings.append(f"only the first {_MAX_CONTRIBUTORS} contributors are kept")
            break
        else:
            seen.add((name, credit.role))
            entities[name] = made
            contributors.append(
                {
                    "entity_external_id": name,
                    "role": str(credit.role),
                    "credited_name": person.credited,
                    "credited_as": credit.credited_as,
                }
            )
    return contributors, entities
