"""Read BibTeX and biblatex, as written by Zotero, Better BibTeX, Mendeley and JabRef."""

import logging
import re
from collections.abc import Iterator, Mapping

from bibtexparser.entrypoint import parse_string
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    ParsingFailedBlock,
)
from bibtexparser.model import Entry as Record

from hksz_db.domain.errors import Fault
from hksz_db.exchange.readers.bibtex_fields import MACROS, work_of
from hksz_db.exchange.readers.entries import Entries, ImportEntry, Unreadable, unreadable
from hksz_db.exchange.readers.latex import TooDeep, is_braced
from hksz_db.exchange.readers.works import entry

# Its errors are reported with the entries.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_MAX_VALUE = 100_000
_MARKS = re.compile(r'(?<!\\)[{}"#]')


def read(content: str, namespace: str) -> Entries:
    """Read the works of a file. Raises ``Unreadable``."""
    library = parse_string(content, parse_stack=[])
    macros = dict(MACROS)
    for string in library.strings:
        macros[string.key.lower()] = _value(string.value, macros)
    records = {record.key: _fields(record, macros) for record in library.entries}
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
        fault = Fault("unique", f"The file already has an entry {block.key}.", "#")
        return ImportEntry(line, "sources", faults=(fault,), label=block.key)
    if isinstance(block, ParsingFailedBlock):
        reason = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
        return unreadable(line, "sources", f"The entry cannot be read: {reason}")
    if not isinstance(block, Record):
        return None
    try:
        fields = _inherited(_fields(block, macros), records)
        work = work_of(block.key, block.entry_type, fields)
    except TooDeep as error:
        return unreadable(line, "sources", str(error), label=block.key)
    work.warnings += [f"given twice, only the first is kept: {name}" for name in duplicates]
    return entry(work, line, namespace)


def _fields(record: Record, macros: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for field in record.fields:
        fields.setdefault(field.key.lower(), _value(field.value, macros))
    return fields


def _value(raw: str, macros: Mapping[str, str]) -> str:
    """The value without delimiters, with macros expanded and parts concatenated."""
    value = ""
    for part in _split_concatenation(raw):
        if is_braced(part) or (len(part) > 1 and part[0] == part[-1] == '"'):
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
