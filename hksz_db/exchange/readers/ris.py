"""RIS, as Zotero, Mendeley, EndNote and publishers write it.

The tags mean what Zotero takes them for, which for some depends on the type:
https://github.com/zotero/translators/blob/master/RIS.js.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import rispy

from hksz_db.domain.errors import Fault
from hksz_db.domain.vocabulary import ContributorRole
from hksz_db.exchange.readers import edtf_dates, text
from hksz_db.exchange.readers.entries import Entries, Entry, Firsts, Unreadable
from hksz_db.exchange.readers.names import Credit, inverted, organisation
from hksz_db.exchange.readers.works import Work, entry

Record = Mapping[str, Sequence[str]]

_LINE = re.compile(r"([A-Z][A-Z0-9]) {1,2}-(?: (.*)|)")
_REPEATED = ["A1", "A2", "A3", "A4", "AU", "ED", "KW", "N1", "UR"]
_TYPES = {
    "article": "UNPB PREPRINT",
    "article-journal": "JOUR ABST EJOUR JFULL",
    "article-magazine": "MGZN",
    "article-newspaper": "NEWS",
    "bill": "BILL UNBILL",
    "book": "BOOK EBOOK EDBOOK SER",
    "broadcast": "ADVS",
    "chapter": "CHAP ECHAP",
    "classic": "CLSWK ANCIENT",
    "dataset": "DATA DBASE AGGR",
    "document": "GEN CTLG EQUA GRANT GRNT",
    "entry-dictionary": "DICT",
    "entry-encyclopedia": "ENCYC",
    "figure": "FIGURE",
    "graphic": "ART CHART",
    "hearing": "HEAR",
    "legal_case": "CASE",
    "legislation": "STAT LEGAL",
    "manuscript": "MANSCPT UNPD INPR",
    "map": "MAP",
    "motion_picture": "VIDEO MPCT MULTI",
    "musical_score": "MUSIC",
    "pamphlet": "PAMP",
    "paper-conference": "CONF CPAPER",
    "patent": "PAT",
    "personal_communication": "PCOMM ICOMM",
    "post-weblog": "BLOG",
    "report": "RPRT GOVDOC",
    "software": "COMP",
    "song": "SOUND",
    "speech": "SLIDE",
    "standard": "STAND",
    "thesis": "THES",
    "webpage": "ELEC WEB",
}
_CSL = {name: term for term, names in _TYPES.items() for name in names.split()}
_AUTHOR, _EDITOR = ContributorRole.AUTHOR, ContributorRole.EDITOR
_TRANSLATOR = ContributorRole.TRANSLATOR
# Where the second, third and fourth author mean somebody for whom there is no role.
_OTHERS = {"A2", "A3", "A4"}
_NO_ROLE = {
    **dict.fromkeys(("bill", "legal_case", "patent", "personal_communication"), _OTHERS),
    **dict.fromkeys(("song", "speech", "motion_picture", "broadcast"), _OTHERS),
    "paper-conference": {"A4"},
}
_SERIES = {"book", "report", "map", "software"}
_NAMED = {"TY", "ID", "ER", "TI", "T1", "CT", "DA", "PY", "Y1", "DO", "LA", "PB", "AU", "A1", "ED"}
# An abbreviation or a short form of what stands elsewhere.
_NAMED |= {"ST", "J1", "J2", "JA", "JO"}


@dataclass
class _Chunk:
    """The lines of a record, in the one form that the library reads."""

    line: int
    lines: list[str]

    @property
    def ended(self) -> bool:
        return any(line.startswith("ER  -") for line in self.lines)


def read(path: Path, namespace: str, encoding: str = "utf-8") -> Entries:
    """The works of a file. It is read as a whole. Raises ``Unreadable``."""
    written = text.whole(path, encoding)
    chunks = _chunks(written)
    if not chunks and written.strip():
        raise Unreadable("The file has no records of RIS.")
    firsts = Firsts()
    for chunk in chunks:
        yield firsts.check(_entry(chunk, namespace))


def _chunks(written: str) -> list[_Chunk]:
    found: list[_Chunk] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", written), start=1):
        tag = _LINE.fullmatch(line.strip())
        if tag and tag[1] == "TY":
            found.append(_Chunk(number, []))
        if found:
            found[-1].lines.append(f"{tag[1]}  - {tag[2] or ''}" if tag else line)
    return found


def _entry(chunk: _Chunk, namespace: str) -> Entry:
    if not chunk.ended:
        detail = "The record has no end (ER): the file may have been cut off."
        fault = Fault("invalid", detail, "#")
        return Entry(chunk.line, "sources", faults=(fault,), unit="line")
    made = entry(_work(_record(chunk)), chunk.line, namespace)
    return replace(made, unit="line")


def _record(chunk: _Chunk) -> Record:
    tags = {line[:2] for line in chunk.lines if _LINE.fullmatch(line)} | {"TY", "ER", "UK"}
    (read,) = rispy.loads(
        "\n".join(chunk.lines),
        mapping={tag: tag for tag in tags},
        list_tags=_REPEATED,
        delimiter_tags_mapping={},
    )[:1]
    return {
        tag: [v for v in (value if isinstance(value, list) else [value]) if v.strip()]
        for tag, value in read.items()
        if isinstance(value, list | str)
    }


def _work(record: Record) -> Work:
    written = _first(record, "TY").upper()
    work = Work(id=_first(record, "ID"), csl_type=_CSL.get(written, "document"))
    if written not in _CSL:
        work.warnings.append(f"not a type of RIS, taken for a document: {written or 'none'}")
    work.title = _first(record, "TI", "T1", "CT")
    used = {*_NAMED, *_container(record, work), *_links(record, work)}
    if not work.title and "BT" not in used:
        work.title = _first(record, "BT")
        used.add("BT")
    work.language = _first(record, "LA")
    place = next((tag for tag in ("CY", "PP") if record.get(tag)), "CY")
    work.publisher_place = _first(record, place)
    used.add(place)
    _date(record, work)
    used |= set(_credits(record, work))
    if publisher := _first(record, "PB"):
        work.credits.append(Credit(ContributorRole.PUBLISHER, organisation(publisher)))
    work.unkept += [tag for tag, values in record.items() if values and tag not in used]
    return work


def _first(record: Record, *tags: str) -> str:
    return next((record[tag][0] for tag in tags if record.get(tag)), "")


def _container(record: Record, work: Work) -> Iterator[str]:
    """The title of what the work is in; yields the tags that were taken for it."""
    tags = ["JF", "T2", "BT", "JO", "JA", "J2"]
    if work.csl_type == "paper-conference":
        tags.insert(0, "C3")
    if work.csl_type in _SERIES:
        tags = []
    tag = next((tag for tag in tags if record.get(tag)), None)
    if tag:
        work.container_title = _first(record, tag)
        yield tag


def _links(record: Record, work: Work) -> Iterator[str]:
    addresses = list(record.get("UR", []))
    work.url = addresses[0] if addresses else _first(record, "LK")
    work.unkept += ["further UR"] if len(addresses) > 1 else []
    yield from ("UR", "LK")
    work.doi = _first(record, "DO")
    # Where EndNote and older versions of others write it.
    if not work.doi and (in_type := re.search(r"10\.[0-9]{4,9}/\S+", _first(record, "M3"))):
        work.doi = in_type[0]
        yield "M3"


def _date(record: Record, work: Work) -> None:
    exact, year = _first(record, "DA"), _first(record, "PY", "Y1")
    for written in (exact, f"{exact} {year}" if exact and year else "", year):
        if written and (found := _read_date(written)):
            work.issued = found
            return
    work.date(exact or year)


def _read_date(written: str) -> str | None:
    """``2023/09/07/``, where what is not known is empty or nought and a season comes last."""
    form = re.fullmatch(r"(\d{4})/(\d{0,2})(?:/(\d{0,2})(?:/(.*))?)?", written.strip())
    if form is None:
        return edtf_dates.from_text(written)
    year, month, day = (int(part or 0) for part in form.groups()[:3])
    season = form[4] and not month and edtf_dates.from_text(f"{form[4]} {year}")
    return season or edtf_dates.from_parts([year, month, day if month else 0])


def _credits(record: Record, work: Work) -> Iterator[str]:
    """Who made the work; yields the tags that were taken for it."""
    book = work.csl_type == "book"
    series = "series editor"
    plan = {
        "AU": (_AUTHOR, None),
        "A1": (_AUTHOR, None),
        "ED": (_EDITOR, None),
        "A2": (_EDITOR, series if book else None),
        "A3": (_EDITOR, None if book else series),
        "A4": (_TRANSLATOR, None),
    }
    for tag, (role, credited_as) in plan.items():
        if tag in _NO_ROLE.get(work.csl_type, ()):
            continue
        yield tag
        for value in record.get(tag, ()):
            # Some write all names on one line.
            names = (inverted(part) for part in value.split(";") if part.strip())
            work.credits += [Credit(role, name, credited_as) for name in names]
