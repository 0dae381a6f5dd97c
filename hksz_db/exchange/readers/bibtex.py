"""Read BibTeX and biblatex, as written by Zotero, Better BibTeX, Mendeley and JabRef.

See Patashnik, "BibTeXing" (1988), and the manual of biblatex.
"""

import logging
import re
from collections.abc import Iterator, Mapping

from bibtexparser.entrypoint import parse_string
from bibtexparser.middlewares.names import parse_single_name_into_parts
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    ParsingFailedBlock,
    String,
)
from bibtexparser.model import Entry as EntryBlock

from hksz_db.domain.vocabulary import ContributorRole
from hksz_db.exchange.readers import edtf_dates
from hksz_db.exchange.readers.entries import Entries, ImportEntry, Unreadable, unreadable
from hksz_db.exchange.readers.language_tags import language_tag
from hksz_db.exchange.readers.latex import Mode, bare, decode, depths
from hksz_db.exchange.readers.names import (
    Name,
    acronym,
    as_it_stands,
    begins_office,
    han_list,
    have_initials,
    is_acronym,
    is_office,
    organisation,
    person,
    unescaped,
    without_et_al,
)
from hksz_db.exchange.readers.works import Credit, Record, Work, entry

# Its errors are reported with the entries.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_MAX_VALUE = 100_000
# An entry that begins with a field instead of a key.
_KEYLESS = re.compile(
    r"@(?!(?:string|preamble|comment)\b)(\w+\s*[{(])(?=\s*[A-Za-z-]+\s*=\s*[{\"\d])", re.IGNORECASE
)
_SIGN_IN_MATH = re.compile(r"\$(\\sim|\\?[<>_])\$")
# BibTeX knows no comments, but Biber does.
_COMMENTED = re.compile(r"^[ \t]*%.*@\w+[ \t]*[{(]", re.MULTILINE)
_AND = re.compile(r"[{}]|\s+and(?=\s|$)", re.IGNORECASE)
_MARKS = re.compile(r'(?<!\\)[{}"#]')
# The macros that every style of BibTeX defines.
_MACROS = {month[:3].lower(): month for month in edtf_dates.MONTHS}
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
# What marks an affiliation or a footnote, with the name that it follows.
_NOTE = re.compile(
    r"\s*(?:\$\s*\^\s*(?:\{[^{}$]*\}|[^{}$])\s*\$"
    # M\textsuperscript{c}Donald is one word.
    r"|\\(?:textsuperscript|thanks|footnote)\s*\{[^{}]*\}(?![^\W\d_]))"
)
_ADDRESS = re.compile(r"https?://\S+")
_NOTED_ADDRESS = re.compile(
    r"(?:(?:available|accessed|retrieved)(?: online)? (?:at|from)|url|online)?:?\s*<?(https?://[^\s>]+)>?",
    re.IGNORECASE,
)
_MACRO = re.compile(r"[^\W\d][^\s{}\"#,=]*")
_MOST_ANCESTORS = 10
_MOST_XDATA = 20
# Fields that need no warning, because they are read or only concern programs.
_SILENT = {
    *_ROLES,
    *("title", "subtitle", "booksubtitle", "date", "year", "month", "doi", "url", "note"),
    *("language", "langid", "entrysubtype", "crossref", "xdata", "ids"),
    *("options", "timestamp", "shorttitle", "shortjournal"),
}


def read(content: str, namespace: str) -> Entries:
    """Read the works of a file. Raises ``Unreadable``."""
    # The parser would take the brace for an escaped one.
    content = content.replace("\\\\}", "\\\\ }")
    content = _COMMENTED.sub(lambda line: line[0].replace("@", ""), content)
    library = parse_string(_KEYLESS.sub(r"@\1,", content), parse_stack=[])
    macros = dict(_MACROS)
    for block in map(_not_duplicate, library.blocks):
        if isinstance(block, String):
            macros[block.key.lower()] = _value(block.value, macros)
    records = {block.key: _fields(block, macros) for block in library.entries if block.key}
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
    block = _not_duplicate(block)
    if isinstance(block, DuplicateBlockKeyBlock):
        detail = f"The file already has an entry {block.key}."
        return unreadable(line, "sources", detail, "unique", label=block.key)
    if isinstance(block, ParsingFailedBlock):
        reason = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
        return unreadable(line, "sources", f"The entry cannot be read: {reason}")
    if not isinstance(block, EntryBlock) or block.entry_type.lower() == "xdata":
        return None
    if block.entry_type.lower() == "set":
        return unreadable(line, "sources", "A set of entries is not a work.", label=block.key)
    if after := next(filter(None, (_swallowed(field.value) for field in block.fields)), None):
        detail = f"The entry cannot be read: a comma is missing before {after}."
        return unreadable(line, "sources", detail, label=block.key)
    try:
        fields = _fields(block, macros)
        work = _work(block, _inherited(block.key, fields, records))
    except Unreadable as error:
        return unreadable(line, "sources", str(error), label=block.key)
    work.warnings += [f"given twice, only the first is kept: {name}" for name in duplicates]
    absent = [name for name in _referred(fields, records) if name not in records]
    work.warnings += [f"refers to an entry that the file lacks: {name[:80]}" for name in absent]
    undefined = dict.fromkeys(_undefined(block, macros))
    work.warnings += [f"macro without a definition, kept as text: {name}" for name in undefined]
    return entry(work, line, namespace)


def _not_duplicate(block: Block) -> Block:
    """The block itself, if it may repeat the key of another: a macro, or an entry without a key."""
    if isinstance(block, DuplicateBlockKeyBlock):
        repeated = block.ignore_error_block
        if repeated is not None and (isinstance(repeated, String) or not block.key):
            return repeated
    return block


def _swallowed(raw: str) -> str | None:
    """The name of a field that a value contains, because there is no comma between them."""
    outside, depth = "", 0
    for part in re.split(r"(?<!\\)([{}])", raw):
        depth += {"{": 1, "}": -1}.get(part, 0)
        outside += part if depth == 0 else ""
    found = re.search(r"(?:^|[\s}\"])([A-Za-z][\w-]*)\s*=", re.sub('"[^"]*"', "", outside))
    return found[1] if found else None


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


def _undefined(block: EntryBlock, macros: Mapping[str, str]) -> Iterator[str]:
    for field in block.fields:
        for part in _split_concatenation(field.value):
            if _MACRO.fullmatch(part) and part.lower() not in macros:
                yield part


def _split_concatenation(raw: str) -> Iterator[str]:
    if "#" not in raw:
        yield raw.strip()
        return
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


def _inherited(
    key: str, fields: dict[str, str], records: Mapping[str, dict[str, str]]
) -> dict[str, str]:
    """Add the fields that are inherited from the entries that ``crossref`` and ``xdata`` name."""
    line, seen = [_with_xdata(fields, records)], {key}
    while (parent := line[-1].get("crossref", "")) in records and parent not in seen:
        if len(line) > _MOST_ANCESTORS:
            break
        seen.add(parent)
        line.append(_with_xdata(records[parent], records))
    found = line.pop()
    while line:
        found = {**_bequeathed(found), **line.pop()}
    return found


def _bequeathed(parent: Mapping[str, str]) -> dict[str, str]:
    own = {"title", "subtitle", "doi", "url", "ids"}
    inherited = {name: value for name, value in parent.items() if name not in own}
    if "title" in parent:
        inherited["booktitle"] = parent["title"]
    return inherited


def _with_xdata(fields: dict[str, str], records: Mapping[str, dict[str, str]]) -> dict[str, str]:
    for name in _xdata(fields, records):
        fields = {**records.get(name, {}), **fields}
    return fields


def _xdata(fields: Mapping[str, str], records: Mapping[str, dict[str, str]]) -> list[str]:
    """The keys in ``xdata``, each before those in the ``xdata`` of its own entry."""
    found: list[str] = []
    waiting = _listed_xdata(fields)
    while waiting and len(found) < _MOST_XDATA:
        name = waiting.pop(0)
        if name not in found:
            found.append(name)
            waiting = _listed_xdata(records.get(name, {})) + waiting
    return found


def _listed_xdata(fields: Mapping[str, str]) -> list[str]:
    names = re.split(r"\s*,\s*", fields.get("xdata", ""), maxsplit=_MOST_XDATA)
    return [*filter(None, names[:_MOST_XDATA])]


def _referred(fields: Mapping[str, str], records: Mapping[str, dict[str, str]]) -> list[str]:
    """The keys of the entries that the fields are inherited from."""
    return [*filter(None, [fields.get("crossref")]), *_xdata(fields, records)]


class _Text:
    """The text of an entry's fields, the commands that are not understood, and links."""

    def __init__(self) -> None:
        self.unread: list[str] = []
        self.links: list[str] = []

    def decode(self, latex: str, mode: Mode = Mode.TEXT) -> str:
        """The text of a field. Raises ``Unreadable``."""
        decoded = decode(latex, mode)
        self.unread += decoded.unread
        self.links += decoded.links
        return decoded.text


def _work(block: EntryBlock, fields: Mapping[str, str]) -> Work:
    """Convert an entry with LaTeX fields to a work. Raises ``Unreadable``."""
    record = Record({name: [value] for name, value in fields.items() if value}, _SILENT)
    written = block.entry_type.lower()
    work = Work(id=block.key, csl_type=_type(written, fields))
    if written not in _CSL:
        work.warnings.append(f"not a type of BibTeX, imported as document: {written[:40]}")
    text = _Text()
    titles = (record.take("title"), record.take("subtitle"))
    work.title = text.decode(": ".join(filter(None, titles)))
    containers = ["journaltitle", "journal", "booktitle", "maintitle", "eventtitle"]
    if address := _ADDRESS.search(_address(fields.get("howpublished", ""))):
        record.used.add("howpublished")
    else:
        containers.append("howpublished")
    work.container_title = text.decode(record.take(*containers))
    work.publisher_place = text.decode(record.take("location", "address"))
    url = _address(record.take("url", "link", "bdsk-url-1"))
    work.url = url or (address[0].rstrip(".,;") if address else "")
    work.doi = _address(record.take("doi"))
    languages = [fields[name] for name in ("language", "langid") if fields.get(name)]
    work.language = next((name for name in languages if language_tag(name)), "".join(languages[:1]))
    work.rights = text.decode(record.take("rights", "copyright", "license"))
    # Only a DOI in it is kept.
    work.note = decode(record.take("note")).text
    if not work.url and "http" in work.note:
        noted = _NOTED_ADDRESS.fullmatch(_address(fields["note"]))
        work.url, work.note = (noted[1].rstrip(".,;"), "") if noted else ("", work.note)
    _date(fields, work, text)
    if re.fullmatch("[0-9]{4}-[0-9]{2}", work.issued or "") and (
        day := re.fullmatch("[0-9]{1,2}", fields.get("day", ""))
    ):
        record.used.add("day")
        work.date(f"{work.issued}-{int(day[0]):02d}")
    for field, usual in _ROLES.items():
        kind = fields.get(f"{field}type", "")
        role, credited_as = _EDITORS.get(kind, usual), kind if kind in _EDITORS else None
        listed, notes = _NOTE.subn("", record.take(field))
        work.unkept += ["notes on names"] * bool(notes)
        names = _names(text.decode(listed, Mode.NAMES))
        work.credits += [Credit(role, name, credited_as) for name in names]
    if fields.get("editortype") in _EDITORS:
        record.used.add("editortype")
    publishers = record.take("publisher", "school", "institution", "organization")
    for name in _publishers(text.decode(publishers, Mode.NAMES)):
        work.credits.append(Credit(ContributorRole.PUBLISHER, organisation(bare(name))))
    if text.unread:
        commands = ", ".join(dict.fromkeys(text.unread))
        work.warnings.append(f"LaTeX that is not understood, kept as text: {commands}")
    work.unkept += [*(f"link to {link}" for link in text.links), *record.unused()]
    return work


def _split_names(decoded: str) -> Iterator[str]:
    """The names of a decoded list; ``and`` in braces separates none."""
    depth, start = 0, 0
    for mark in _AND.finditer(decoded):
        if mark[0] in {"{", "}"}:
            depth += 1 if mark[0] == "{" else -1
        elif depth == 0:
            yield decoded[start : mark.start()].strip()
            start = mark.end()
    yield decoded[start:].strip()


def _publishers(decoded: str) -> list[str]:
    """The names of publishers: several only if each is in braces.

    BibTeX has no lists of publishers, and biblatex, which has, is rarely meant by "and": compare
    "The University of Science and Technology".
    """
    names = list(_split_names(decoded))
    return names if all(map(_is_braced, names)) else [decoded]


def _type(name: str, fields: Mapping[str, str]) -> str:
    found = _CSL.get(name, "document")
    if found == "article-journal":
        return _SUBTYPES.get(fields.get("entrysubtype", "").lower(), found)
    # Zotero exports web pages, among others, as @misc.
    is_page = name == "misc" and fields.get("url") and not fields.get("doi")
    return "webpage" if is_page else found


def _date(fields: Mapping[str, str], work: Work, text: _Text) -> None:
    date = text.decode(fields.get("date", ""), Mode.ADDRESS).strip()
    year = text.decode(fields.get("year", "")).strip()
    month = text.decode(fields.get("month", "")).strip()
    # biblatex writes EDTF, in which 2023-24 is a winter.
    work.issued = edtf_dates.valid(date) or edtf_dates.from_text(date)
    if work.issued:
        if edtf_dates.may_be_years(date):
            work.warnings.append(f"read as a season, may be a range of years: {date}")
        return
    words = _month_of_year(month, year) if month else _year(year)
    work.date(words or date)
    if work.issued is None:
        work.issued = edtf_dates.from_text(_year(year))
    if date and words:
        work.issued_note = f"{date}; {work.issued_note}".rstrip("; ")


def _year(written: str) -> str:
    # A month has a field of its own, so 2010-11 are two years.
    return written.replace("-", "/") if re.fullmatch(r"[0-9]{4}-[0-9]{2}", written) else written


def _month_of_year(month: str, year: str) -> str:
    if year.isdecimal() and re.search(rf"(?<!\d){year}(?!\d)", month):
        return month
    numbers = re.findall(r"[0-9]+", month)
    is_numeric = re.fullmatch(r"[0-9]{1,2}(?:\s*[-–/]+\s*[0-9]{1,2})?", month)  # noqa: RUF001
    if is_numeric and year.isdecimal() and all(1 <= int(number) <= 12 for number in numbers):
        return "/".join(f"{year}-{int(number):02d}" for number in numbers)
    return f"{_MACROS.get(month.lower().rstrip('.'), month)} {year}"


def _listed_names(decoded: str) -> Iterator[str]:
    """The names of a list; words before an office are not a name of their own.

    Braces around "Census and Statistics Department" are often missing.
    """
    names = list(_split_names(re.sub(r"^\s*and\s+", "", decoded, flags=re.IGNORECASE)))
    while names:
        name = names.pop(0)
        is_begun = begins_office(name) and without_et_al(name) == name
        if is_begun and names and "," not in names[0] and is_office(names[0]):
            name = f"{name} and {names.pop(0)}"
        yield name


def _names(decoded: str) -> Iterator[Name]:
    for listed in _listed_names(unescaped(decoded)):
        written = without_et_al(listed)
        if written != listed:
            yield organisation("et al.")
        outside = re.sub(r"\{[^{}]*\}", "", written)
        if _is_braced(written):
            yield organisation(bare(written))
        elif "family=" in written.replace(" ", ""):
            yield _extended(written)
        elif in_chinese := han_list(bare(written)):
            yield from in_chinese
        elif (
            outside.count(",") > 2 or re.search(r"[;&]|\band\b", outside) or have_initials(outside)
        ):
            yield as_it_stands(bare(written))
        elif is_office(outside):
            yield organisation(bare(written))
        elif is_acronym(outside):
            yield acronym(bare(written))
        elif outside.endswith(")") and "," not in outside:
            # The name once more, in another script.
            yield person(bare(written))
        else:
            parts = parse_single_name_into_parts(written, strict=False)
            last, first, von, jr = (
                bare(" ".join(part)) for part in (parts.last, parts.first, parts.von, parts.jr)
            )
            yield person(last, first, von, jr)


def _extended(written: str) -> Name:
    """Parse the extended name format of biblatex: ``family=Fontaine, given=Jean, prefix=de la``."""
    pairs = (part.partition("=") for part in written.split(","))
    given = {key.strip(): bare(value.strip()) for key, _, value in pairs}
    particle = given.get("prefix", "")
    return person(
        given.get("family", ""), given.get("given", ""), particle, given.get("suffix", "")
    )


def _address(latex: str) -> str:
    """A URL or DOI without the escapes of LaTeX. Raises ``Unreadable``."""
    signs = _SIGN_IN_MATH.sub(lambda sign: "~" if "sim" in sign[1] else sign[1], latex.strip())
    return re.sub("^<(.*)>$", r"\1", decode(signs, Mode.ADDRESS).text.strip())


def _is_braced(raw: str) -> bool:
    """Whether one pair of braces encloses the whole value."""
    found = depths(raw) if re.fullmatch(r"\{.*(?<!\\)\}", raw, re.DOTALL) else []
    return found.count(0) == 1 and found[-1] == 0
