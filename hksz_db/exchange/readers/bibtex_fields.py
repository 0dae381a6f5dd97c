"""Convert the fields of BibTeX and biblatex to a work.

See Patashnik, "BibTeXing" (1988), and the manual of biblatex.
"""

import re
from collections.abc import Iterator, Mapping

from bibtexparser.middlewares.names import (
    parse_single_name_into_parts,
    split_multiple_persons_names,
)

from hksz_db.domain.vocabulary import ContributorRole
from hksz_db.exchange.readers.edtf_dates import MONTHS
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.exchange.readers.latex import decode, decode_address, is_braced
from hksz_db.exchange.readers.names import Credit, Name, organisation, person
from hksz_db.exchange.readers.works import Work

MACROS = {month[:3].lower(): month for month in MONTHS}
"""The macros that every style of BibTeX defines."""

_TYPES = {
    "article-journal": "article",
    "book": "book mvbook booklet manual proceedings mvproceedings",
    "chapter": "inbook incollection bookinbook suppbook suppcollection",
    "collection": "collection mvcollection",
    "dataset": "dataset",
    "document": "misc",
    "entry-encyclopedia": "inreference reference mvreference",
    "graphic": "artwork image",
    "legal_case": "jurisdiction",
    "legislation": "legislation legal statute",
    "manuscript": "unpublished",
    "motion_picture": "movie video",
    "paper-conference": "inproceedings conference",
    "patent": "patent",
    "performance": "performance",
    "periodical": "periodical suppperiodical",
    "personal_communication": "letter",
    "report": "techreport report",
    "review": "review",
    "software": "software",
    "song": "audio music",
    "standard": "standard",
    "thesis": "phdthesis mastersthesis thesis",
    "webpage": "online electronic www",
}
_CSL = {name: term for term, names in _TYPES.items() for name in names.split()}
_SUBTYPES = {"newspaper": "article-newspaper", "magazine": "article-magazine"}
_ROLES = {role: ContributorRole(role) for role in ("author", "editor", "translator")}
# Roles that biblatex gives as a type of editor.
_EDITORS = {
    "director": (ContributorRole.AUTHOR, "director"),
    "compiler": (ContributorRole.EDITOR, "compiler"),
    "organizer": (ContributorRole.EDITOR, "organizer"),
    "redactor": (ContributorRole.EDITOR, "redactor"),
    "reviser": (ContributorRole.EDITOR, "reviser"),
}
_CONTAINERS = ("journaltitle", "journal", "booktitle", "maintitle", "eventtitle")
_PUBLISHERS = ("publisher", "school", "institution", "organization")
_PLACES = ("location", "address")
_ADDRESS = re.compile(r"https?://[^\s}]+")
_RIGHTS = ("rights", "copyright", "license")
_SILENT = {"options", "timestamp", "shorttitle", "shortjournal", "entrysubtype", "crossref", "ids"}
_READ = {
    *_ROLES,
    *("title", "subtitle", "booksubtitle", "date", "year", "month", "doi", "url", "howpublished"),
    *("language", "langid", "note"),
}


def work_of(key: str, entry_type: str, fields: Mapping[str, str]) -> Work:
    """Convert an entry with LaTeX fields to a work. Raises ``TooDeep``."""
    work = Work(id=key, csl_type=_type(entry_type.lower(), fields))
    work.title = decode(": ".join(_given(fields, "title", "subtitle")))
    address = _ADDRESS.search(fields.get("howpublished", ""))
    work.container_title = decode(
        _first(fields, *_CONTAINERS, *(() if address else ("howpublished",)))
    )
    work.publisher_place = decode(_first(fields, *_PLACES))
    work.url = decode_address(fields.get("url") or (address[0] if address else ""))
    work.doi = decode_address(fields.get("doi", ""))
    languages = _given(fields, "language", "langid")
    work.language = next((name for name in languages if language_tag(name)), "".join(languages[:1]))
    work.rights = decode(_first(fields, *_RIGHTS))
    work.note = decode(fields.get("note", ""))
    _date(fields, work)
    for field, usual in _ROLES.items():
        role, credited_as = _EDITORS.get(fields.get(f"{field}type", ""), (usual, None))
        names = _names(fields.get(field, ""), work)
        work.credits += [Credit(role, name, credited_as) for name in names]
    for name in _split_names(_first(fields, *_PUBLISHERS)):
        work.credits.append(Credit(ContributorRole.PUBLISHER, organisation(decode(name))))
    work.unkept += [name for name, value in fields.items() if value and _is_unkept(name, fields)]
    return work


def _given(fields: Mapping[str, str], *names: str) -> list[str]:
    return [fields[name] for name in names if fields.get(name)]


def _first(fields: Mapping[str, str], *names: str) -> str:
    return next(iter(_given(fields, *names)), "")


def _split_names(value: str) -> list[str]:
    return split_multiple_persons_names(value) if value else []


def _is_unkept(name: str, fields: Mapping[str, str]) -> bool:
    if name in _SILENT or (name == "editortype" and fields[name] in _EDITORS):
        return False
    for alternatives in (_CONTAINERS, _PUBLISHERS, _PLACES, _RIGHTS):
        if name in alternatives:
            return name != next(each for each in alternatives if fields.get(each))
    if name == "howpublished":
        return not _ADDRESS.search(fields[name]) and bool(_given(fields, *_CONTAINERS))
    return name not in _READ


def _type(name: str, fields: Mapping[str, str]) -> str:
    found = _CSL.get(name, "document")
    if found == "article-journal":
        return _SUBTYPES.get(fields.get("entrysubtype", "").lower(), found)
    # Zotero exports web pages, among others, as @misc.
    is_page = name == "misc" and fields.get("url") and not fields.get("doi")
    return "webpage" if is_page else found


def _date(fields: Mapping[str, str], work: Work) -> None:
    if date := fields.get("date"):
        work.date(decode(date) if "\\" in date else date)
        return
    year = decode(fields.get("year", ""))
    month = decode(fields.get("month", "").replace("~", " "))
    if re.fullmatch("[0-9]{1,2}", month):
        work.date(f"{year}-{int(month):02d}")
    else:
        named = MACROS.get(month.lower().rstrip("."), month)
        work.date(f"{named} {year}" if named else year)


def _names(value: str, work: Work) -> Iterator[Name]:
    for written in _split_names(value):
        if written == "others":
            work.warnings.append("more authors than listed")
        elif is_braced(written):
            yield organisation(decode(written))
        elif "family=" in written.replace(" ", ""):
            yield _extended(written)
        else:
            parts = parse_single_name_into_parts(written, strict=False)
            last, first, von, jr = (
                decode(" ".join(part)) for part in (parts.last, parts.first, parts.von, parts.jr)
            )
            yield person(last, first, von, jr)


def _extended(written: str) -> Name:
    """Parse the extended name format of biblatex: ``family=Fontaine, given=Jean, prefix=de la``."""
    pairs = (part.partition("=") for part in written.split(","))
    given = {key.strip(): decode(value.strip()) for key, _, value in pairs}
    particle = given.get("prefix", "")
    return person(
        given.get("family", ""), given.get("given", ""), particle, given.get("suffix", "")
    )
