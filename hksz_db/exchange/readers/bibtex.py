"""Read BibTeX and biblatex, as written by Zotero, Better BibTeX, Mendeley and JabRef.

See Patashnik, "BibTeXing" (1988), and the manual of biblatex.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from itertools import accumulate

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import (
    parse_single_name_into_parts,
    split_multiple_persons_names,
)
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    ParsingFailedBlock,
)
from bibtexparser.model import Entry as EntryBlock
from pylatexenc.latex2text import LatexNodes2Text, MacroTextSpec, get_default_latex_context_db
from pylatexenc.latexwalker import LatexWalkerError

from hksz_db.domain.vocabulary import ContributorRole
from hksz_db.exchange.readers.edtf_dates import MONTHS
from hksz_db.exchange.readers.entries import Entries, ImportEntry, Unreadable, unreadable
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.exchange.readers.works import Credit, Name, Record, Work, entry, organisation, person

# Its errors are reported with the entries.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_MAX_VALUE = 100_000
_MAX_DEPTH = 50
_PLAIN = re.compile(r"[^\\$%{}~`'\-]*")
_ESCAPED = re.compile(r"\\([#$%&_{}~])(?:\{\})?")
_TILDE = re.compile(r"\{?\\(?:textasciitilde|string~|~)\}?(?:\{\})?")
_PERCENT = re.compile(r"(?<!\\)%")
_MARKS = re.compile(r'(?<!\\)[{}"#]')
# The macros that every style of BibTeX defines.
_MACROS = {month[:3].lower(): month for month in MONTHS}
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
    "director": ContributorRole.AUTHOR,
    **dict.fromkeys(("compiler", "organizer", "redactor", "reviser"), ContributorRole.EDITOR),
}
_ADDRESS = re.compile(r"https?://[^\s}]+")
# Fields that need no warning, because they are read or only concern programs.
_SILENT = {
    *_ROLES,
    *("title", "subtitle", "booksubtitle", "date", "year", "month", "doi", "url", "note"),
    *("language", "langid", "entrysubtype", "crossref", "ids"),
    *("options", "timestamp", "shorttitle", "shortjournal"),
}


def read(content: str, namespace: str) -> Entries:
    """Read the works of a file. Raises ``Unreadable``."""
    library = parse_string(content, parse_stack=[])
    macros = dict(_MACROS)
    for string in library.strings:
        macros[string.key.lower()] = _value(string.value, macros)
    records = {block.key: _fields(block, macros) for block in library.entries}
    found = False
    for block in library.blocks:
        if made := _entry(block, records, macros, namespace):
            found = True
            yield made
    if not found and content.strip():
        raise Unreadable("The file has no entries of BibTeX.")


def _entry(
    block: Block, records: Mapping[str, dict[str, str]], macros: Mapping[str, str], namespace: str
) -> ImportEntry | None:
    line = (block.start_line or 0) + 1
    duplicates: list[str] = []
    if isinstance(block, DuplicateFieldKeyBlock):
        duplicates = sorted(block.duplicate_keys)
        assert block.ignore_error_block is not None
        block = block.ignore_error_block
    if isinstance(block, DuplicateBlockKeyBlock):
        detail = f"The file already has an entry {block.key}."
        return unreadable(line, "sources", detail, "unique", label=block.key)
    if isinstance(block, ParsingFailedBlock):
        reason = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
        return unreadable(line, "sources", f"The entry cannot be read: {reason}")
    if not isinstance(block, EntryBlock):
        return None
    try:
        work = _work(block, _inherited(_fields(block, macros), records))
    except Unreadable as error:
        return unreadable(line, "sources", str(error), label=block.key)
    work.warnings += [f"given twice, only the first is kept: {name}" for name in duplicates]
    return entry(work, line, namespace)


def _fields(block: EntryBlock, macros: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field in block.fields:
        fields.setdefault(field.key.lower(), _value(field.value, macros))
    return fields


def _value(raw: str, macros: Mapping[str, str]) -> str:
    """The value without delimiters, with macros expanded and parts concatenated."""
    value = ""
    for part in _split_concatenation(raw):
        if _is_braced(part) or (len(part) > 1 and part[0] == part[-1] == '"'):
            value += part[1:-1]
        else:
            value += macros.get(part.lower(), part)
        # Macros of macros could grow exponentially.
        if len(value) > _MAX_VALUE:
            return value[:_MAX_VALUE]
    return value.strip()


def _split_concatenation(raw: str) -> Iterator[str]:
    depth, quoted, start = 0, False, 0
    for mark in _MARKS.finditer(raw):
        match mark[0]:
            case "{":
                depth += 1
            case "}":
                depth -= 1
            case '"' if depth == 0:
                quoted = not quoted
            case "#" if depth == 0 and not quoted:
                yield raw[start : mark.start()].strip()
                start = mark.end()
    yield raw[start:].strip()


def _inherited(fields: dict[str, str], records: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """Add the fields that BibTeX inherits from the entry that ``crossref`` names."""
    parent = records.get(fields.get("crossref", ""), {})
    if not parent:
        return fields
    own = {"title", "subtitle", "doi", "url", "ids"}
    inherited = {name: value for name, value in parent.items() if name not in own}
    if "title" in parent:
        inherited["booktitle"] = parent["title"]
    return {**inherited, **fields}


def _work(block: EntryBlock, fields: Mapping[str, str]) -> Work:
    """Convert an entry with LaTeX fields to a work. Raises ``Unreadable``."""
    record = Record({name: [value] for name, value in fields.items() if value}, _SILENT)
    work = Work(id=block.key, csl_type=_type(block.entry_type.lower(), fields))
    titles = (record.take("title"), record.take("subtitle"))
    work.title = _decode(": ".join(filter(None, titles)))
    containers = ["journaltitle", "journal", "booktitle", "maintitle", "eventtitle"]
    if address := _ADDRESS.search(fields.get("howpublished", "")):
        record.used.add("howpublished")
    else:
        containers.append("howpublished")
    work.container_title = _decode(record.take(*containers))
    work.publisher_place = _decode(record.take("location", "address"))
    work.url = _decode_address(record.take("url") or (address[0] if address else ""))
    work.doi = _decode_address(record.take("doi"))
    languages = [fields[name] for name in ("language", "langid") if fields.get(name)]
    work.language = next((name for name in languages if language_tag(name)), "".join(languages[:1]))
    work.rights = _decode(record.take("rights", "copyright", "license"))
    work.note = _decode(record.take("note"))
    _date(fields, work)
    for field, usual in _ROLES.items():
        kind = fields.get(f"{field}type", "")
        role, credited_as = _EDITORS.get(kind, usual), kind if kind in _EDITORS else None
        names = _names(record.take(field), work)
        work.credits += [Credit(role, name, credited_as) for name in names]
    if fields.get("editortype") in _EDITORS:
        record.used.add("editortype")
    publishers = record.take("publisher", "school", "institution", "organization")
    for name in _split_names(publishers):
        work.credits.append(Credit(ContributorRole.PUBLISHER, organisation(_decode(name))))
    work.unkept += record.unused()
    return work


def _split_names(value: str) -> list[str]:
    return split_multiple_persons_names(value) if value else []


def _type(name: str, fields: Mapping[str, str]) -> str:
    found = _CSL.get(name, "document")
    if found == "article-journal":
        return _SUBTYPES.get(fields.get("entrysubtype", "").lower(), found)
    # Zotero exports web pages, among others, as @misc.
    is_page = name == "misc" and fields.get("url") and not fields.get("doi")
    return "webpage" if is_page else found


def _date(fields: Mapping[str, str], work: Work) -> None:
    if date := fields.get("date"):
        work.date(_decode(date) if "\\" in date else date)
        return
    year = _decode(fields.get("year", ""))
    month = _decode(fields.get("month", "").replace("~", " "))
    if re.fullmatch("[0-9]{1,2}", month):
        work.date(f"{year}-{int(month):02d}")
    else:
        named = _MACROS.get(month.lower().rstrip("."), month)
        work.date(f"{named} {year}" if named else year)


def _names(value: str, work: Work) -> Iterator[Name]:
    for written in _split_names(value):
        if written == "others":
            work.warnings.append("more authors than listed")
        elif _is_braced(written):
            yield organisation(_decode(written))
        elif "family=" in written.replace(" ", ""):
            yield _extended(written)
        else:
            parts = parse_single_name_into_parts(written, strict=False)
            last, first, von, jr = (
                _decode(" ".join(part)) for part in (parts.last, parts.first, parts.von, parts.jr)
            )
            yield person(last, first, von, jr)


def _extended(written: str) -> Name:
    """Parse the extended name format of biblatex: ``family=Fontaine, given=Jean, prefix=de la``."""
    pairs = (part.partition("=") for part in written.split(","))
    given = {key.strip(): _decode(value.strip()) for key, _, value in pairs}
    particle = given.get("prefix", "")
    return person(
        given.get("family", ""), given.get("given", ""), particle, given.get("suffix", "")
    )


@lru_cache(maxsize=4096)
def _decode(text: str) -> str:
    """The text that LaTeX would typeset, without formatting. Raises ``Unreadable``."""
    if _PLAIN.fullmatch(text):
        return text
    if max(_depths(text), default=0) > _MAX_DEPTH:
        raise Unreadable(f"Braces are nested more than {_MAX_DEPTH} deep.")
    try:
        # A percent sign does not begin a comment in BibTeX.
        found: str = _decoder().latex_to_text(_PERCENT.sub(r"\\%", text))
    except (LatexWalkerError, RecursionError, ValueError):
        return text
    return found


def _decode_address(text: str) -> str:
    """A URL or DOI without the escapes of LaTeX."""
    text = re.sub(r"^\\url\{(.*)\}$", r"\1", text.strip())
    return _ESCAPED.sub(r"\1", _TILDE.sub("~", text)).strip("{}<> ")


def _is_braced(raw: str) -> bool:
    """Whether one pair of braces encloses the whole value."""
    depths = _depths(raw) if re.fullmatch(r"\{.*(?<!\\)\}", raw, re.DOTALL) else []
    return depths.count(0) == 1 and depths[-1] == 0


def _depths(text: str) -> list[int]:
    """How many braces are open after each brace."""
    braces = re.findall(r"(?<!\\)[{}]", text)
    return list(accumulate(1 if brace == "{" else -1 for brace in braces))


@cache
def _decoder() -> LatexNodes2Text:
    context = get_default_latex_context_db()
    addresses = [MacroTextSpec("url", simplify_repl="%s")]
    context.add_context_category("addresses", prepend=True, macros=addresses)
    return LatexNodes2Text(latex_context=context, math_mode="text")
