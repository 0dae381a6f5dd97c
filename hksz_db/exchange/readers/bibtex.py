"""BibTeX and biblatex, as Zotero, Better BibTeX, Mendeley and JabRef write them."""

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from bibtexparser.entrypoint import parse_string
from bibtexparser.model import (
    Block,
    DuplicateBlockKeyBlock,
    DuplicateFieldKeyBlock,
    ParsingFailedBlock,
)
from bibtexparser.model import Entry as Record

from hksz_db.domain.errors import Fault
from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.bibtex_fields import MONTHS, work_of
from hksz_db.exchange.readers.entries import Entries, Entry, Firsts, Unreadable
from hksz_db.exchange.readers.latex import TooDeep, is_braced
from hksz_db.exchange.readers.works import entry

# What it finds is reported with the entries.
logging.getLogger("bibtexparser").setLevel(logging.CRITICAL)

_MAX_VALUE = 100_000
_MARKS = re.compile(r'(?<!\\)[{}"#]')


def read(path: Path, namespace: str, encoding: str = "utf-8") -> Entries:
    """The works of a file. It is read as a whole. Raises ``Unreadable``."""
    written = text.whole(path, encoding)
    library = parse_string(written, parse_stack=[])
    macros: dict[str, str] = dict(MONTHS)
    for string in library.strings:
        macros[string.key.lower()] = _value(string.value, macros)
    records = {record.key: _fields(record, macros) for record in library.entries}
    firsts = Firsts()
    found = False
    for block in library.blocks:
        for made in _entries(block, records, macros, namespace):
            found = True
            yield firsts.check(made)
    if not found and written.strip():
        raise Unreadable("The file has no entries of BibTeX.")


def _entries(
    block: Block, records: Mapping[str, dict[str, str]], macros: Mapping[str, str], namespace: str
) -> Iterator[Entry]:
    line = (block.start_line or 0) + 1
    twice: list[str] = []
    if isinstance(block, DuplicateFieldKeyBlock):
        twice = sorted(block.duplicate_keys)
        inner = block.ignore_error_block
        assert inner is not None
        block = inner
    if isinstance(block, DuplicateBlockKeyBlock):
        detail = f"The file has an entry {block.key} already."
        yield _failing(line, Fault("unique", detail, "#"), block.key)
    elif isinstance(block, ParsingFailedBlock):
        reason = " ".join(str(getattr(block.error, "abort_reason", block.error)).split())
        yield _failing(line, Fault("invalid", f"It cannot be read: {reason}", "#"))
    elif isinstance(block, Record):
        try:
            fields = _inherited(_fields(block, macros), records)
            work = work_of(block.key, block.entry_type, fields)
        except TooDeep as error:
            yield _failing(line, Fault("invalid", str(error), "#"), block.key)
            return
        work.warnings += [f"given twice, the first counts: {name}" for name in twice]
        yield replace(entry(work, line, namespace), unit="line")


def _failing(line: int, fault: Fault, key: str | None = None) -> Entry:
    return Entry(line, "sources", faults=(fault,), label=key, unit="line")


def _fields(record: Record, macros: Mapping[str, str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for given in record.fields:
        fields.setdefault(given.key.lower(), _value(given.value, macros))
    return fields


def _value(raw: str, macros: Mapping[str, str]) -> str:
    """A value without what encloses it, with macros and their concatenations written out."""
    found = ""
    for part in _concatenated(raw):
        if is_braced(part) or (len(part) > 1 and part[0] == part[-1] == '"'):
            found += part[1:-1]
        else:
            found += macros.get(part.lower(), part)
        if len(found) > _MAX_VALUE:
            return found[:_MAX_VALUE]
    return found.strip()


def _concatenated(raw: str) -> Iterator[str]:
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
    """The fields with those of the entry that ``crossref`` names, as BibTeX inherits them."""
    parent = records.get(fields.get("crossref", ""), {})
    if not parent:
        return fields
    own = {k: v for k, v in parent.items() if k not in {"title", "subtitle", "doi", "url", "ids"}}
    if "title" in parent:
        own["booktitle"] = parent["title"]
    return {**own, **fields}
