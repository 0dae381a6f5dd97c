"""Works, as all formats of citation managers describe them, and the sources they become."""

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from marshmallow import ValidationError

from hksz_db.exchange.readers import edtf_dates
from hksz_db.exchange.readers.entries import Entry, Item
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.exchange.readers.names import Credit, entity, tidy
from schemas.fields import DOI_PATTERN, EXTERNAL_ID_PATTERN, WebAddress

_MAX_CONTRIBUTORS = 100
_MAX_NAME = 300
_MAX_NOTE = 500
_DOI_PREFIX = re.compile(r"(?:https?://)?(?:(?:dx\.)?doi\.org/|doi:)\s*", re.IGNORECASE)
_DOI_LINE = re.compile(r"^\s*DOI:\s*(\S+)\s*$", re.IGNORECASE | re.MULTILINE)
_MARKUP = re.compile(r"</?(?:i|b|em|strong|sub|sup|sc|span)(?:\s[^<>]*)?>", re.IGNORECASE)
_ITEM = re.compile(r"(?:https?://zotero\.org/.+/items/|[0-9]+[/_])([A-Z0-9]{8})")
# What is allowed in a URL, and the escapes that it has.
_IN_URLS = "!#$%&'()*+,/:;=?@[]~"
_KEPT = re.compile("[A-Za-z0-9._/-]")


@dataclass
class Work:
    """A work as a file describes it; whatever is empty is not known.

    ``issued`` is EDTF, or with ``issued_note`` what could not be read as a date. ``note`` is free
    text, in which some programs put a DOI. ``unkept`` names what there is no place for.
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
        """Take a date as it is written."""
        self.issued = edtf_dates.from_text(text)
        if self.issued is None and tidy(text):
            self.issued_note = text


def entry(work: Work, number: int, namespace: str) -> Entry:
    """The entry of a file that describes the work as a source."""
    writer = _Writer(work, namespace)
    item = writer.item()
    return Entry(
        number,
        "sources",
        item,
        warnings=tuple(writer.warnings),
        entities=tuple(writer.entities.values()),
        label=tidy(work.id) or None,
        known_as=tuple(_known_as(work.id.strip())),
    )


def _known_as(own: str) -> Iterator[str]:
    """What a source may be called that this database exported, in CSL-JSON and in BibTeX."""
    if re.fullmatch(EXTERNAL_ID_PATTERN, own.replace("+", "~")):
        yield own.replace("+", "~")


def external_id(work: Work, doi: str | None, namespace: str) -> str:
    """The name by which the work is found again: its own id in the namespace.

    Of a Zotero item that is its key, whatever library it is in. A work without an id is named by
    a hash of its DOI, or else of its title, where it is, date and authors: of annual reports many
    have the same title.
    """
    own = work.id.strip()
    if own and (zotero := _ITEM.fullmatch(own)):
        own = zotero[1]
    if own:
        name = "".join(c if _KEPT.fullmatch(c) else _escaped(c) for c in own)
        found = f"{namespace}:{name}"
        if len(found) <= 200 and re.fullmatch(EXTERNAL_ID_PATTERN, found):
            return found
        return f"{namespace}:id-{_digest(own)}"
    if doi:
        return f"{namespace}:doi-{_digest(doi)}"
    authors = sorted(credit.name.text for credit in work.credits if credit.role == "author")
    known = [work.title, work.container_title, work.url, work.issued or work.issued_note, *authors]
    return f"{namespace}:work-{_digest(*(tidy(value).casefold() for value in known))}"


def _escaped(character: str) -> str:
    return "".join(f"~{byte:02X}" for byte in character.encode("utf-8", "surrogatepass"))


def _digest(*values: str) -> str:
    joined = "\0".join(values).encode("utf-8", "surrogatepass")
    return hashlib.sha256(joined).hexdigest()[:24]


class _Writer:
    def __init__(self, work: Work, namespace: str) -> None:
        self.work = work
        self.namespace = namespace
        self.warnings = list(work.warnings)
        self.entities: dict[str, Item] = {}
        if _DOI_LINE.sub("", work.note).strip():
            work.unkept.append("note")
        if work.unkept:
            self.warnings.append(f"not kept: {', '.join(dict.fromkeys(work.unkept))}")

    def item(self) -> Item:
        work = self.work
        doi, url = self._doi(), self._url()
        if work.url.strip() and url is None:
            self.warnings.append(f"not a web address: {work.url.strip()[:80]}")
        contributors = list(self._contributors())
        title = plain(work.title)
        found: dict[str, Any] = {
            "external_id": external_id(work, doi, self.namespace),
            "csl_type": work.csl_type,
            "title": title or self._supplied(),
            "title_supplied": not title,
            "container_title": plain(work.container_title) or None,
            "publisher_place": tidy(work.publisher_place) or None,
            "url": url,
            "doi": doi,
            "language": self._language(),
            "issued_edtf": work.issued,
            "issued_note": self._date_note(),
            "rights": tidy(work.rights) or None,
            "contributors": contributors,
        }
        # What a file does not say it does not deny: what is known besides stays.
        return {name: value for name, value in found.items() if value not in (None, [])}

    def _supplied(self) -> str:
        self.warnings.append("no title: one was made up")
        host = urlsplit(self._url() or "").hostname
        where = plain(self.work.container_title) or host
        authors = [c.name.text for c in self.work.credits][:1]
        return f"[Untitled {', '.join(filter(None, [self.work.csl_type, *authors, where]))}]"

    def _doi(self) -> str | None:
        lines = _DOI_LINE.findall(self.work.note)
        in_url = [self.work.url] if _DOI_PREFIX.match(self.work.url.strip()) else []
        for text in (self.work.doi, *lines, *map(unquote, in_url)):
            doi = _DOI_PREFIX.sub("", text.strip(), count=1).lower()
            if re.fullmatch(DOI_PATTERN[1:-1], doi) and len(doi) <= 200:
                return doi
        if self.work.doi.strip():
            self.warnings.append(f"not a DOI: {self.work.doi.strip()[:80]}")
        return None

    def _url(self) -> str | None:
        try:
            url: str = WebAddress().deserialize(self._url_text())
        except ValidationError:
            return None
        return url

    def _url_text(self) -> str:
        """The address in ASCII, as RFC 3987 maps it; as it is where that cannot be done."""
        text = self.work.url.strip()
        try:
            parts = urlsplit(text)
            host = (parts.hostname or "").encode("idna").decode()
            netloc = parts.netloc.replace(parts.hostname or "", host) if host else parts.netloc
            rest = [quote(part, safe=_IN_URLS) for part in parts[2:]]
        except ValueError:
            return text
        return urlunsplit((parts.scheme, parts.netloc if parts.netloc.isascii() else netloc, *rest))

    def _language(self) -> str | None:
        text = self.work.language.strip()
        tag = language_tag(text) if text else None
        if text and tag is None:
            self.warnings.append(f"not a language: {text[:40]}")
        return tag

    def _date_note(self) -> str | None:
        note = tidy(self.work.issued_note)
        if note and self.work.issued is None:
            self.warnings.append(f"not a date, kept as a note: {note[:80]}")
        return f"{note[: _MAX_NOTE - 1]}…" if len(note) > _MAX_NOTE else note or None

    def _contributors(self) -> Iterator[Item]:
        seen: set[tuple[str, str]] = set()
        for credit in self.work.credits:
            text = credit.name.text
            if not text:
                continue
            if len(text) > _MAX_NAME - 2:
                self.warnings.append(f"too long for a name: {text[:40]}…")
                continue
            made = entity(credit.name, self.namespace)
            key = (made["external_id"], credit.role)
            if key in seen:
                self.warnings.append(f"credited twice: {text} ({credit.role})")
            elif len(seen) == _MAX_CONTRIBUTORS:
                self.warnings.append(f"only the first {_MAX_CONTRIBUTORS} contributors are kept")
                return
            else:
                seen.add(key)
                self.entities[made["external_id"]] = made
                yield {
                    "entity_external_id": made["external_id"],
                    "role": str(credit.role),
                    "credited_name": credit.name.credited,
                    "credited_as": credit.credited_as,
                }


def plain(text: str) -> str:
    """A title without the markup that citation managers allow in it."""
    return tidy(unescape(_MARKUP.sub("", text)))
