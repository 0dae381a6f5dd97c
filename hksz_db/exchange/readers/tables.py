"""Read CSV: one row for each figure, piece of evidence or claim."""

import csv
import re
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN
from hksz_db.exchange.readers import edtf_dates, text
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
from hksz_db.exchange.readers.markup import plain
from hksz_db.exchange.tables import FORMULA_STARTS, columns
from hksz_db.services.registry import WRITERS
from schemas.fields import BoundedList, DecimalString, Edtf, StrictBoolean, StrictInteger

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
# Excel takes the delimiter from such a line.
_SEPARATOR = re.compile(r"\"?sep=(\\t|.)\"?[;,\s]*", re.IGNORECASE)
# What R and spreadsheets write for a missing value or an error.
_MISSING = re.compile(r"N/?A|#N/A|NULL|NaN|#(?:REF|VALUE|NAME|DIV/0|NUM|NULL)[!?]")
_BREAKS = re.compile(r"[ ]*[\r\n\t\v\f\x85\u2028\u2029]\s*")
_GROUPED = {
    ",": re.compile(r"-?\d{1,3}(?:[. \u00a0\u202f']\d{3})+(?:,\d+)?"),
    ".": re.compile(r"-?\d{1,3}(?:[, \u00a0\u202f']\d{3})+(?:\.\d+)?"),
}
_SPACING = {",": re.compile(r"[. \u00a0\u202f']"), ".": re.compile(r"[, \u00a0\u202f']")}
_SWAPPED = str.maketrans(".,", ",.")
_ORDINARY_DATE = re.compile(r"\d{4}(?:-[01]\d(?:-\d\d)?)?")


def read(request: ImportRequest) -> Entries:
    """Read the rows of a table whose first line names its columns, a few in memory at a time.

    Empty cells, and columns without a name, are ignored. Raises ``Unreadable``.
    """
    resource = request.resource
    assert resource is not None
    rows = _Rows(request)
    header = _header(rows)
    targets = _targets(header, resource, request.columns)
    for row in rows:
        if fault := row.fault or _swallowing(row, targets, rows.delimiter):
            rows.read_again(row.lines[1:])
            yield unreadable(row.number, resource, fault)
        elif any(row.cells[len(header) :]):
            lines = f"The row of {len(row.lines)} lines" if len(row.lines) > 1 else "The row"
            detail = f"{lines} has {len(row.cells)} cells, but the header only {len(header)}."
            yield unreadable(row.number, resource, detail)
        elif any(row.cells):
            yield _entry(row, targets, resource, request)


def _entry(
    row: "_Row", targets: Sequence[str | None], resource: str, request: ImportRequest
) -> ImportEntry:
    cells = list(zip(row.cells, targets, strict=False))
    filled = {
        target: _value(cell, _fields_of(resource).get(target), request.columns.decimal)
        for cell, target in cells
        if target and cell
    }
    dates = tuple(_date_warnings(filled, resource))
    given = {**request.columns.constants, **filled}
    row_id = given.get("id")
    item = with_external_id(_body(resource, given), row_id, request.namespace)
    not_kept = tuple(
        f"not kept: the cell in column {place}, which has no name"
        for place, (cell, target) in enumerate(cells, start=1)
        if cell and target == ""
    )
    missing = tuple(
        f"kept as text, may stand for a missing value: {cell} in {target}"
        for cell, target in cells
        if target and _MISSING.fullmatch(cell)
    )
    warnings = (*not_kept, *missing, *dates)
    return ImportEntry(row.number, resource, item, row_id=row_id, warnings=warnings)


def _date_warnings(filled: dict[str, str], resource: str) -> Iterator[str]:
    """Read dates that are not EDTF, in place; warns of each, and of seasons that may be years."""
    for target, written in filled.items():
        place = _fields_of(resource).get(target)
        if not place or not isinstance(place.field, Edtf) or _ORDINARY_DATE.fullmatch(written):
            continue
        read = edtf_dates.valid(written) or edtf_dates.from_text(written)
        if read and read != written:
            filled[target] = read
            yield f"read as {read}: {written} in {target}"
        elif edtf_dates.may_be_years(written):
            yield f"read as a season, may be a range of years: {written} in {target}"


@dataclass(frozen=True)
class _Row:
    """The cells of a row and its lines, or the reason why they cannot be read."""

    lines: list[text.Line]
    cells: Sequence[str] = ()
    fault: str | None = None

    @property
    def number(self) -> int:
        return self.lines[0].number


class _Lines(Iterator[str]):
    """The lines of a file for the csv module; fails as that module does.

    ``taken`` are the lines of the present row, and ``waiting`` those that come before the rest.
    """

    def __init__(self, request: ImportRequest) -> None:
        self.taken: list[text.Line] = []
        self.waiting: deque[text.Line] = deque()
        self._rest = text.lines(request.path, request.encoding, newline="")

    def __next__(self) -> str:
        line = self.waiting.popleft() if self.waiting else next(self._rest)
        self.taken.append(line)
        if line.fault:
            raise csv.Error(line.fault)
        return line.text


class _Rows(Iterator[_Row]):
    """The rows of a file; lines can be given back, to be read as rows of their own."""

    def __init__(self, request: ImportRequest) -> None:
        columns = request.columns
        self._lines = _Lines(request)
        first = self._first()
        declared = _SEPARATOR.fullmatch(first)
        if not declared:
            self.read_again(self._lines.taken)
        found = declared[1].replace("\\t", "\t") if declared else _delimiter(first)
        self.delimiter = columns.delimiter or found
        self._reader = csv.reader(
            self._lines,
            delimiter=self.delimiter,
            quoting=csv.QUOTE_MINIMAL if columns.has_quotes else csv.QUOTE_NONE,
            strict=True,
        )

    def _first(self) -> str:
        try:
            return next(self._lines, "").rstrip("\r\n")
        except csv.Error:
            return ""

    def __next__(self) -> _Row:
        self._lines.taken = []
        try:
            cells = next(self._reader)
        except csv.Error as error:
            detail = str(error).rstrip(".")
            return _Row(self._lines.taken, fault=f"{detail[:1].upper()}{detail[1:]}.")
        return _Row(self._lines.taken, [_BREAKS.sub(" ", cell).strip() for cell in cells])

    def read_again(self, lines: Sequence[text.Line]) -> None:
        """Give lines back; they come next."""
        self._lines.waiting.extendleft(reversed(lines))


def _swallowing(row: _Row, targets: Sequence[str | None], delimiter: str) -> str | None:
    """Why a quote seems to be wrong that makes a row of several lines."""
    if len(row.lines) == 1:
        return None
    rows = [next(csv.reader([line.text], delimiter=delimiter), []) for line in row.lines[1:]]
    whole = [cells for cells in rows if len(cells) == len(targets)]
    if "external_id" in targets:
        names = [cells[targets.index("external_id")].strip() for cells in whole]
        is_wrong = any(re.fullmatch(EXTERNAL_ID_PATTERN, name) for name in names)
    else:
        # Lines of a cell may have a comma each, but hardly as many as the header.
        is_wrong = len(whole) == len(rows) and (len(targets) > 2 or delimiter == "\t")
    if not is_wrong:
        return None
    return (
        f"A quote seems to be wrong, because the lines up to {row.lines[-1].number} look like rows."
        " Give --no-quotes if quotes are text."
    )


def _delimiter(header: str) -> str:
    # The most frequent delimiter outside of quotes.
    return max(_DELIMITERS, key="".join(header.split('"')[::2]).count)


def _header(rows: _Rows) -> Sequence[str]:
    row = next(rows, _Row([]))
    if row.fault:
        raise Unreadable(f"Line {row.lines[-1].number}: {row.fault}")
    if not any(row.cells):
        raise Unreadable("The file has no header that names its columns.")
    if duplicates := _duplicates([name for name in row.cells if name]):
        raise Unreadable(f"The header has columns twice: {duplicates}.")
    return row.cells


def _targets(header: Sequence[str], resource: str, columns: Columns) -> list[str | None]:
    """The field of each column, None for skipped columns, and "" for those without a name."""
    if absent := {*columns.mapped, *columns.skipped} - set(header):
        raise Unreadable(f"The header has no such columns: {_listed(sorted(absent))}.")
    targets = [
        None if name in columns.skipped else columns.mapped.get(name, name) for name in header
    ]
    known = _fields_of(resource)
    unknown = [
        f"{name} (mapped to {target})" if target != name else name
        for name, target in zip(header, targets, strict=True)
        if target not in {None, "", *known, *_read_only_columns(resource)}
    ]
    if unknown:
        raise Unreadable(
            f"These columns are not fields of {resource}: {_listed(unknown)}. Use --map"
            f" COLUMN=FIELD or --skip COLUMN; the fields are {', '.join(known)}."
        )
    if wrong := columns.constants.keys() - known.keys():
        raise Unreadable(f"Not fields of {resource}: {_listed(sorted(wrong))}.")
    given = [target for target in targets if target]
    if duplicates := _duplicates([*given, *columns.constants]):
        raise Unreadable(f"Given by more than one column: {duplicates}.")
    return targets


def _duplicates(names: Sequence[str]) -> str:
    return _listed(sorted({name for name in names if names.count(name) > 1}))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:60] for name in names)


def _value(cell: str, place: "_Cell | None", decimal: str) -> str:
    """The text of a cell, with a point as the decimal separator of numbers."""
    value = _unescaped(cell)
    if decimal and place and isinstance(place.field, DecimalString):
        is_grouped = _GROUPED[decimal].fullmatch(value)
        ungrouped = _SPACING[decimal].sub("", value) if is_grouped else value
        return ungrouped.translate(_SWAPPED) if decimal == "," else ungrouped
    return value


def _unescaped(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from evaluating it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(tuple(FORMULA_STARTS)) else cell


@dataclass(frozen=True)
class _Cell:
    """The place of a value in a body, and its field."""

    path: tuple[str, ...]
    field: fields.Field[Any]

    def typed(self, text: str) -> str | int | bool | list[str]:
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
    item: dict[str, Any] = {}
    for name, cell in given.items():
        if name in known and not _is_superseded(name, given):
            *holders, part = known[name].path
            holder = item.setdefault(holders[0], {}) if holders else item
            holder[part] = known[name].typed(cell)
    if resource == "sources":
        item |= {name: plain(item[name]) for name in ("title", "container_title") if name in item}
    return item


def _is_superseded(name: str, given: Mapping[str, str]) -> bool:
    if name.endswith("_id") and not name.endswith("_external_id"):
        return f"{name.removesuffix('_id')}_external_id" in given
    return name.endswith("_edtf") and f"{name.removesuffix('edtf')}relative_duration" in given
