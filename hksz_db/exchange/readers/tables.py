"""Read CSV: one row for each figure, piece of evidence or claim."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.entries import (
    Columns,
    Entries,
    ImportEntry,
    ImportRequest,
    Item,
    Unreadable,
    unreadable,
    with_external_id,
)
from hksz_db.exchange.tables import FORMULA_STARTS, columns
from hksz_db.services.registry import WRITERS
from schemas.fields import BoundedList, StrictBoolean, StrictInteger

TABLED = tuple(
    name
    for name, writer in WRITERS.items()
    if not any(
        isinstance(field, BoundedList) and field.required
        for field in writer.create_schema._declared_fields.values()
    )
)
"""The resources that a table can hold: those without a required list."""

_BOOLEANS = {"true": True, "false": False}
_MAX_DIGITS = 20
_DELIMITERS = ",;\t|"


def read(request: ImportRequest) -> Entries:
    """Read the rows of a table whose first line names its columns, one in memory at a time.

    Empty cells are ignored. Raises ``Unreadable``.
    """
    resource = request.resource
    assert resource is not None
    lines = _Lines(request)
    rows = csv.reader(lines, delimiter=_delimiter(request), strict=True)
    header = _header(rows, lines)
    targets = _targets(header, resource, request.columns)
    while True:
        number = lines.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            detail = str(error).rstrip(".")
            yield unreadable(number, resource, f"{detail[:1].upper()}{detail[1:]}.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            detail = f"The row has {len(cells)} cells, but the header only {len(header)}."
            yield unreadable(number, resource, detail)
        else:
            filled = {
                target: _unescaped(cell.strip())
                for cell, target in zip(cells, targets, strict=False)
                if target is not None and cell.strip()
            }
            given = {**request.columns.constants, **filled}
            row_id = given.get("id")
            item = with_external_id(_body(resource, given), row_id, request.namespace)
            yield ImportEntry(number, resource, item, row_id=row_id)


class _Lines(Iterator[str]):
    """The lines of a file for the csv module; counts them, and fails as that module does."""

    def __init__(self, request: ImportRequest) -> None:
        self.number = 0
        self._lines = text.lines(request.path, request.encoding, newline="")

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        if line.fault:
            raise csv.Error(line.fault)
        return line.text


def _delimiter(request: ImportRequest) -> str:
    if request.columns.delimiter is not None:
        return request.columns.delimiter
    first = next(text.lines(request.path, request.encoding, newline=""), None)
    header = first.text if first else ""
    # The most frequent delimiter outside of quotes.
    return max(_DELIMITERS, key="".join(header.split('"')[::2]).count)


def _header(rows: Iterator[list[str]], lines: _Lines) -> list[str]:
    try:
        header = [cell.strip() for cell in next(rows, [])]
    except csv.Error as error:
        raise Unreadable(f"Line {lines.number}: {error}") from None
    if not any(header):
        raise Unreadable("The file has no header that names its columns.")
    if duplicates := _duplicates(header):
        raise Unreadable(f"The header has columns twice: {duplicates}.")
    return header


def _targets(header: Sequence[str], resource: str, columns: Columns) -> list[str | None]:
    """The field of each column, or None for skipped columns."""
    if absent := {*columns.mapped, *columns.skipped} - set(header):
        raise Unreadable(f"The header has no such columns: {_listed(sorted(absent))}.")
    targets = [
        None if name in columns.skipped else columns.mapped.get(name, name) for name in header
    ]
    known = _fields_of(resource)
    unknown = [
        f"{name} (mapped to {target})" if target != name else name
        for name, target in zip(header, targets, strict=True)
        if target not in {None, *known, *_read_only_columns(resource)}
    ]
    if unknown:
        raise Unreadable(
            f"These columns are not fields of {resource}: {_listed(unknown)}. Use --map"
            f" COLUMN=FIELD or --skip COLUMN; the fields are {', '.join(known)}."
        )
    if wrong := columns.constants.keys() - known.keys():
        raise Unreadable(f"Not fields of {resource}: {_listed(sorted(wrong))}.")
    given = [target for target in targets if target is not None]
    if duplicates := _duplicates([*given, *columns.constants]):
        raise Unreadable(f"Given by more than one column: {duplicates}.")
    return targets


def _duplicates(names: Sequence[str]) -> str:
    return _listed(sorted({name for name in names if names.count(name) > 1}))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:60] or "(a column without a name)" for name in names)


def _unescaped(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from evaluating it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell


@dataclass(frozen=True)
class _Cell:
    """The place of a value in a body, and its field."""

    path: tuple[str, ...]
    field: fields.Field[Any]

    def typed(self, text: str) -> Any:
        """The value as JSON; the schema refuses text that is not of the type."""
        match self.field:
            case StrictInteger():
                is_number = text.isascii() and text.isdecimal() and len(text) < _MAX_DIGITS
                return int(text) if is_number else text
            case StrictBoolean():
                return _BOOLEANS.get(text.lower(), text)
            case BoundedList():
                return [part.strip() for part in text.split(";") if part.strip()]
        return text


@cache
def _fields_of(resource: str) -> Mapping[str, _Cell]:
    """The scalar fields of a body, ``topics``, and the fields of objects as ``object_field``."""
    found: dict[str, _Cell] = {}
    for name, known in WRITERS[resource].create_schema().fields.items():
        if isinstance(known, fields.Nested):
            assert isinstance(known.schema, Schema)
            parts = known.schema.fields.items()
            found |= {f"{name}_{part}": _Cell((name, part), each) for part, each in parts}
        elif name == "topics" or not isinstance(known, BoundedList):
            found[name] = _Cell((name,), known)
    return found


@cache
def _read_only_columns(resource: str) -> frozenset[str]:
    """The names of columns of an export that a body does not have."""
    return frozenset(column.name for column in columns(resource)) - _fields_of(resource).keys()


def _body(resource: str, given: Mapping[str, str]) -> Item:
    """The body of non-empty cells, by field; read-only columns are left out.

    An exported table gives references both by id and by external id, and some times both in EDTF
    and relative to a source: the external id and the relative time are used.
    """
    known = _fields_of(resource)
    item: Item = {}
    for name, cell in given.items():
        if name in known and not _is_superseded(name, given):
            *holders, part = known[name].path
            holder = item.setdefault(holders[0], {}) if holders else item
            holder[part] = known[name].typed(cell)
    return item


def _is_superseded(name: str, given: Mapping[str, str]) -> bool:
    if name.endswith("_id") and not name.endswith("_external_id"):
        return f"{name.removesuffix('_id')}_external_id" in given
    return name.endswith("_edtf") and f"{name.removesuffix('edtf')}relative_duration" in given
