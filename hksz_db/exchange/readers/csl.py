"""Read CSL-JSON, as written by Zotero, Better BibTeX, Mendeley, Crossref and pandoc.

See https://docs.citationstyles.org/en/stable/specification.html, appendices III and IV, and
https://citeproc-js.readthedocs.io/en/latest/csl-json/markup.html.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import NamedTuple

from hksz_db.domain import strict_json
from hksz_db.domain.errors import Malformed
from hksz_db.domain.strict_json import Json
from hksz_db.domain.vocabulary import ContributorRole, CslType
from hksz_db.exchange.readers import edtf_dates
from hksz_db.exchange.readers.entries import Entries, ImportEntry, Unreadable, unreadable
from hksz_db.exchange.readers.names import (
    Name,
    acronym,
    han_list,
    inverted,
    is_acronym,
    is_office,
    organisation,
    person,
)
from hksz_db.exchange.readers.works import Credit, Work, entry

_EDITORS = ("editor", "collection-editor", "editorial-director", "editor-translator")
# The roles of the variables that hold names; other such variables have no role in the database.
_ROLES = {
    **dict.fromkeys(("author", "director", "script-writer"), ContributorRole.AUTHOR),
    **dict.fromkeys(_EDITORS, ContributorRole.EDITOR),
    "translator": ContributorRole.TRANSLATOR,
}
_TEXTS = {
    "title": "title",
    "container-title": "container_title",
    "publisher-place": "publisher_place",
    "URL": "url",
    "DOI": "doi",
    "language": "language",
    "license": "rights",
    "note": "note",
}
# Names of the entry, and short forms of other variables.
_SILENT = {"id", "type", "citation-key", "citation-label", "title-short", "shortTitle"}
_SILENT |= {"container-title-short", "journalAbbreviation", "system_id"}
_TERMS = {str(term) for term in CslType}
# Types that Crossref and other programs use in CSL-JSON.
_RENAMED = {
    "journal-article": "article-journal",
    "proceedings-article": "paper-conference",
    "book-chapter": "chapter",
    "posted-content": "article",
    "dissertation": "thesis",
    "monograph": "book",
    "edited-book": "book",
    "computer_program": "software",
}
_WINTER = 24


def read(content: str, namespace: str) -> Entries:
    """Read the works of a list of items, of one item, or of an object with a list of ``items``.

    The ``message`` of an answer of Crossref is one of these.

    Raises ``Unreadable``.
    """
    try:
        document = strict_json.parse(content, "The file")
    except Malformed as error:
        raise Unreadable(str(error)) from None
    if isinstance(document, dict):
        message = document.get("message")
        document = message if isinstance(message, dict) else document
        document = document.get("items", [document])
    if not isinstance(document, list):
        raise Unreadable("The file is not a list of items.")
    return (_entry(item, number, namespace) for number, item in enumerate(document, start=1))


def _entry(item: Json, number: int, namespace: str) -> ImportEntry:
    if not isinstance(item, dict):
        return unreadable(number, "sources", "Must be an object.", unit="entry")
    if not item.get("type") and not item.get("title"):
        detail = "Not CSL-JSON: a work needs a type or a title."
        return unreadable(number, "sources", detail, "required", unit="entry")
    return entry(_work(item), number, namespace, unit="entry")


def _work(item: Mapping[str, Json]) -> Work:
    work = Work(id=_text(item.get("id")) or _text(item.get("citation-key")))
    work.csl_type = _type(item.get("type"), work)
    for name, value in item.items():
        if value in (None, "", [], {}) or name in _SILENT:
            continue
        text = _text(value[:1] if isinstance(value, list) else value)
        if name in _TEXTS and text:
            setattr(work, _TEXTS[name], text)
            work.unkept += [f"further {name}"] * (isinstance(value, list) and len(value) > 1)
        elif name in _ROLES:
            work.credits += _credits(name, value if isinstance(value, list) else [value], work)
        elif name == "issued":
            _date(value, work)
        elif name != "publisher":
            work.unkept.append(name)
    if publisher := _text(item.get("publisher")):
        work.credits.append(Credit(ContributorRole.PUBLISHER, organisation(publisher)))
    return work


def _type(value: Json, work: Work) -> str:
    given = _text(value)
    found = _RENAMED.get(given, given)
    if found in _TERMS:
        return found
    work.warnings.append(f"not a CSL type, imported as document: {given or 'none'}")
    return "document"


def _text(value: Json) -> str:
    if isinstance(value, str):
        return value
    # Ids and titles may be numbers, years also 2006.0; Crossref writes titles as lists of one.
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, Decimal) and abs(value) < 10**5 and value == int(value):
        return str(int(value))
    return _text(value[0]) if isinstance(value, list) and len(value) == 1 else ""


def _credits(variable: str, values: list[Json], work: Work) -> Iterator[Credit]:
    role = _ROLES[variable]
    for value in values:
        names = [name for name in _names(value) if name.text]
        work.warnings += [] if names else [f"not a name: {variable}"]
        yield from (Credit(role, name, None if variable == role else variable) for name in names)


def _names(value: Json) -> list[Name]:
    """The name in an object or in a text, which may also be a list of names in Chinese."""
    if isinstance(value, dict):
        literal = _text(value.get("literal")) or _text(value.get("name"))
        return han_list(literal) or [organisation(literal) if literal else _name(value)]
    return [inverted(value)] if isinstance(value, str) else []


def _name(value: Mapping[str, Json]) -> Name:
    family, given = _text(value.get("family")), _text(value.get("given"))
    particles = (value.get("dropping-particle"), value.get("non-dropping-particle"))
    particle = " ".join(filter(None, map(_text, particles)))
    # Programs without a field for organisations use the family name.
    if not given and (" " in family.strip() or is_office(family)):
        return organisation(f"{particle} {family}")
    if not given and is_acronym(family):
        return acronym(f"{particle} {family}")
    return person(family, given, particle, _text(value.get("suffix")))


@dataclass(frozen=True)
class _Date:
    """A date of CSL: the parts of one date or of both ends of a range, or words."""

    ends: Sequence[Json] = ()
    season: Json = None
    is_circa: bool = False
    words: str = ""


def _date(value: Json, work: Work) -> None:
    date = _read_date(value)
    ends = [end for end in map(_numbers, date.ends) if end is not None]
    if date.ends and not ends and not date.words:
        return
    work.issued = _range([end.numbers for end in ends], _season(date.season, work), date.is_circa)
    is_whole = work.issued is not None and all(end.is_whole for end in ends)
    if work.issued is None and date.words:
        work.date(f"c. {date.words}" if date.is_circa else date.words)
        return
    if work.issued is None:
        # Of a day that does not exist, the year is certain.
        years = {end.numbers[0] for end in ends if end.numbers}
        work.issued = edtf_dates.from_parts([*years]) if len(years) == 1 else None
    if not is_whole:
        work.issued_note = json.dumps(value, default=str, ensure_ascii=False)


def _read_date(value: Json) -> _Date:
    """Read an object, the parts of a date, or text; some programs write a list of these."""
    if isinstance(value, dict):
        parts = value.get("date-parts")
        if parts is None and "year" in value:
            parts = [[value.get(name) for name in ("year", "month", "day")]]
        return _Date(
            _ends(parts),
            value.get("season"),
            value.get("circa") not in (None, False, 0, "", "0", "false"),
            _text(value.get("raw")) or _text(value.get("literal")) or _text(parts),
        )
    dates = (
        [_read_date(each) for each in value if isinstance(each, dict)]
        if isinstance(value, list)
        else []
    )
    if dates:
        return replace(dates[0], ends=[end for date in dates for end in date.ends])
    return _Date(_ends(value), words=_text(value))


def _ends(parts: Json) -> list[Json]:
    """The dates in ``date-parts``, also if one date has no list of its own."""
    if not isinstance(parts, list):
        return []
    is_flat = parts and re.fullmatch("[0-9]{4}", str(parts[0]))
    return [parts] if is_flat or not parts else parts


def _season(value: Json, work: Work) -> int:
    """The season as a month of EDTF, or 0."""
    named = _text(value).strip()
    if named.isdecimal() and 1 <= int(named[:2]) <= 4:
        return 20 + int(named)
    found = edtf_dates.month_number(named)
    if found and found > 20:
        return found
    if value is not None:
        work.warnings.append(f"not a season: {named[:40]}")
    return 0


def _range(ends: Sequence[list[int]], season: int, circa: bool) -> str | None:
    """One date or a range; ``[0]`` is an open end."""
    if not 1 <= len(ends) <= 2:
        return None
    if season == _WINTER and len(ends) == 2 and all(len(end) == 1 for end in ends):
        return edtf_dates.one_winter(*(end[0] for end in ends))
    read = [_end(end, season, circa) for end in ends]
    if None in read or not any(read):
        return None
    return read[0] if len(read) == 1 else edtf_dates.valid("/".join(map(str, read)))


def _end(numbers: list[int], season: int, circa: bool) -> str | None:
    if numbers in ([0], []):
        return ""
    return edtf_dates.from_parts([*numbers, season] if len(numbers) == 1 else numbers, circa)


class _End(NamedTuple):
    """The numbers of a date up to the first that is missing or wrong, and whether those are all."""

    numbers: list[int]
    is_whole: bool


def _numbers(values: Json) -> _End | None:
    """Read numbers, which Zotero and others write partly as strings, and names of months.

    None if all parts are null.
    """
    if not isinstance(values, list):
        return _End([], False)
    present = [value for value in values if value not in (None, "")]
    if not present:
        return None
    found: list[int] = []
    for value in values:
        digits = _text(value).strip()
        month = edtf_dates.month_number(digits) if len(found) == 1 else None
        if month is None and (not digits.lstrip("-").isdecimal() or len(digits) > 5):
            break
        found.append(month or int(digits))
    return _End(found, len(found) == len(present))
