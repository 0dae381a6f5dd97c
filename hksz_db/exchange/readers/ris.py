"""Read RIS, as written by Zotero, Mendeley, EndNote and publishers.

Tags have the meaning that Zotero gives them, which for some depends on the type:
https://github.com/zotero/translators/blob/master/RIS.js.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain

import rispy

from hksz_db.domain.vocabulary import ContributorRole
from hksz_db.exchange.readers import edtf_dates
from hksz_db.exchange.readers.entries import Entries, ImportEntry, Unreadable, unreadable
from hksz_db.exchange.readers.names import han_list, inverted, organisation, unescaped
from hksz_db.exchange.readers.works import Credit, Record, Work, entry

# Some programs write tabs, a dash, or no space after the hyphen.
_LINE = re.compile(r"([A-Z][A-Z0-9])(?:(?: {1,2}|\t)[-–](?:[ \t](.*)|)|  -(\S.*))")  # noqa: RUF001
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
_ROLES = {
    **dict.fromkeys(("AU", "A1"), ContributorRole.AUTHOR),
    **dict.fromkeys(("ED", "A2", "A3"), ContributorRole.EDITOR),
    "A4": ContributorRole.TRANSLATOR,
}
# Types for which the second, third and fourth author have a role that the database lacks.
_OTHERS = {"A2", "A3", "A4"}
_NO_ROLE = {
    **dict.fromkeys(("bill", "legal_case", "patent", "personal_communication"), _OTHERS),
    **dict.fromkeys(("song", "speech", "motion_picture", "broadcast"), _OTHERS),
    "paper-conference": {"A4"},
}
_SERIES = {"book", "report", "map", "software"}
_NAMED = {"TY", "ID", "ER", "TI", "T1", "CT", "DA", "PY", "DO", "LA", "PB", "AU", "A1", "ED"}
# Abbreviations and short forms of other tags.
_NAMED |= {"UR", "LK", "ST", "J1", "J2", "JA", "JO"}


def read(content: str, namespace: str) -> Entries:
    """Read the works of a file. Raises ``Unreadable``."""
    records = _records(content)
    if content.strip() and not any(record.has_type for record in records):
        raise Unreadable("The file has no records of RIS.")
    if records and not content.endswith(("\r", "\n")):
        records[-1].is_cut_off = not records[-1].has_end
    return (_entry(record, namespace, is_last=record is records[-1]) for record in records)


@dataclass
class _Lines:
    """The lines of a record, with tags in the only form that rispy reads, and its first number.

    ``is_cut_off`` says that its last line has no end.
    """

    number: int
    lines: list[str] = field(default_factory=list)
    has_type: bool = False
    has_end: bool = False
    is_cut_off: bool = False


def _records(content: str) -> list[_Lines]:
    """Split the file into records; tags before a type belong to the record that it begins."""
    records: list[_Lines] = []
    for number, line in enumerate(re.split(r"\r\n|\r|\n", content), start=1):
        tag = _LINE.fullmatch(line.strip())
        name = tag[1] if tag else ""
        is_open = bool(records) and not records[-1].has_end
        if name and name != "ER" and (not is_open or (name == "TY" and records[-1].has_type)):
            records.append(_Lines(number))
            is_open = True
        if not is_open:
            continue
        record = records[-1]
        text = f"{name}  - {tag[2] or tag[3] or ''}" if tag else line
        if name == "TY":
            record.has_type = True
            record.lines.insert(0, text)
        else:
            record.lines.append(text)
        record.has_end = name == "ER"
    return records


def _entry(record: _Lines, namespace: str, *, is_last: bool) -> ImportEntry:
    if not record.has_type:
        detail = "The record has no type (TY)."
        return unreadable(record.number, "sources", detail, "required")
    end = [] if record.has_end else ["ER  - "]
    work = _work(_record([*record.lines, *end]))
    given = Counter(line[:2] for line in record.lines if _LINE.fullmatch(line))
    further = [tag for tag, number in given.items() if number > 1 and tag not in _REPEATED]
    work.unkept += [f"further {tag}" for tag in further]
    if not record.has_end:
        if record.is_cut_off or (is_last and not work.title):
            detail = "The record has no end (ER): the file may have been cut off."
            return unreadable(record.number, "sources", detail)
        work.warnings.append("no end of the record (ER)")
    return entry(work, record.number, namespace)


def _record(lines: Sequence[str]) -> Record:
    tags = {line[:2]: line[:2] for line in lines if _LINE.fullmatch(line)}
    record, *_ = rispy.loads(
        "\n".join(lines),
        mapping=tags,
        list_tags=_REPEATED,
        delimiter_tags_mapping={},
        skip_unknown_tags=True,
    )
    values = {
        tag: [each for each in (value if isinstance(value, list) else [value]) if each.strip()]
        for tag, value in record.items()
    }
    return Record(values, _NAMED)


def _work(record: Record) -> Work:
    written = record.take("TY").upper()
    work = Work(id=record.take("ID"), csl_type=_CSL.get(written, "document"))
    if written not in _CSL:
        work.warnings.append(f"not an RIS type, imported as document: {written or 'none'}")
    work.title = record.take("TI", "T1", "CT")
    is_conference = work.csl_type == "paper-conference"
    if work.csl_type not in _SERIES:
        proceedings = ["C3"] if is_conference else []
        work.container_title = record.take(*proceedings, "JF", "T2", "BT", "JO", "JA", "J2")
    if not work.title and "BT" not in record.used:
        work.title = record.take("BT")
    work.language = record.take("LA")
    # CY of a conference is where it was held.
    work.publisher_place = record.take("PP", "C1" if is_conference else "CY")
    work.url = record.take("UR", "LK")
    work.unkept += ["further UR"] if len(record.values.get("UR", ())) > 1 else []
    work.doi = record.take("DO")
    # EndNote and older versions of other programs write the DOI in M3.
    in_type = re.search(r"10\.[0-9]{4,9}/\S+", "".join(record.values.get("M3", ())))
    if in_type and not work.doi:
        work.doi = in_type[0]
        record.used.add("M3")
    _date(record, work)
    _credits(record, work)
    if publisher := record.take("PB"):
        work.credits.append(Credit(ContributorRole.PUBLISHER, organisation(publisher)))
    work.unkept += record.unused()
    return work


def _date(record: Record, work: Work) -> None:
    exact, year = record.take("DA"), record.take("PY", "Y1")
    given = {edtf_dates.certain_year(text) for text in (exact, year) if exact and year}
    if len(given) == 2 and None not in given:
        work.warnings.append(f"another year, not kept: {year[:40]}")
    for written in (exact, f"{exact} {year}" if exact and year else "", year):
        if written and (found := _read_date(written)):
            work.issued = found
            work.issued_note = exact if written == year else ""
            return
    work.date("; ".join(filter(None, (exact, year))))


def _read_date(written: str) -> str | None:
    """Read ``2023/09/07/``, whose unknown parts are empty or 0; a season may come last."""
    form = re.fullmatch(r"(\d{4})/(\d{0,2})(?:/(\d{0,2})(?:/(.*))?)?", written.strip())
    year, month, day = (int(part or 0) for part in form.groups()[:3]) if form else (0, 0, 0)
    if form is None or month > 12:
        # 2023/24 are two years.
        return edtf_dates.from_text(written.rstrip("/"))
    season = form[4] and not month and edtf_dates.from_text(f"{form[4]} {year}")
    return season or edtf_dates.from_parts([year, month, day if month else 0])


def _credits(record: Record, work: Work) -> None:
    series_editor = "A2" if work.csl_type == "book" else "A3"
    for tag, role in _ROLES.items():
        if tag in _NO_ROLE.get(work.csl_type, ()):
            continue
        record.used.add(tag)
        for value in record.values.get(tag, ()):
            # Some programs write all names on one line.
            parts = filter(str.strip, re.split("[;；]", unescaped(value)))  # noqa: RUF001
            names = chain.from_iterable(han_list(part) or [inverted(part)] for part in parts)
            credited_as = "series editor" if tag == series_editor else None
            work.credits += [Credit(role, name, credited_as) for name in names]
