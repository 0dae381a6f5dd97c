"""Tables: a document as one row with fixed columns, for CSV and Parquet.

The columns follow from the document; docs/reference/formats.md describes them. ``Readable.tabled``
declares which paths through lists become columns; the figures, evidence and sources of a claim have
tables of their own. PostgreSQL selects the cells without building the documents.

A truncated file of CSV ends within a quoted cell. The metadata of Parquet is at the end of the
file, so readers reject a truncated one.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Integer
from sqlalchemy.types import TypeEngine

from hksz_db.database import Prepared
from hksz_db.exchange.format import Format, Rows
from hksz_db.queries.cells import Path
from hksz_db.queries.documents import (
    DecimalText,
    First,
    Group,
    Many,
    Node,
    One,
    Opaque,
    TimestampText,
    Values,
)
from hksz_db.queries.pages import PageShape, cells_statement
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from schemas.base import LAST_FIELDS

# Spreadsheets evaluate cells that begin with these as formulas.
FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - full-width on purpose
ROWS_IN_GROUP = 5000
# Strings of Python take far more memory than those of a group, so it is put together in parts.
ROWS_IN_BATCH = 250
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
# Decimals, dates and timestamps are text (digits, ISO 8601).
ColumnType = Enum("ColumnType", "TEXT LIST INTEGER DECIMAL BOOLEAN DATE TIMESTAMP")
_TYPES: tuple[tuple[type[TypeEngine[Any]], ColumnType], ...] = (
    (DecimalText, ColumnType.DECIMAL),
    (TimestampText, ColumnType.TIMESTAMP),
    (Boolean, ColumnType.BOOLEAN),
    (Integer, ColumnType.INTEGER),
    (Date, ColumnType.DATE),
)


@dataclass(frozen=True)
class Column:
    """A column: the path to its value, and its type."""

    path: Path
    type: ColumnType

    @property
    def name(self) -> str:
        """The name in the header."""
        first, *others = self.path
        steps = [step for step in others if step != "entity"]
        return "_".join([first, *(steps[:-1] if steps[-1:] == ["name"] else steps)])


@cache
def columns(resource: str) -> tuple[Column, ...]:
    """All columns of a resource, in the order of its document; those of the version come last.

    Raises ``TypeError`` for a field without a column.
    """
    readable = RESOURCES[resource]
    found: list[Column] = []
    names = sorted(readable.document, key=lambda name: name in LAST_FIELDS)
    for name in names:
        node = readable.document[name]
        derived = _derived(node, (name,)) if name in readable.fields else ()
        of_field = [*derived, *_declared(readable, name, node)]
        if not of_field and name in readable.fields:
            raise TypeError(f"No column shows {resource}.{name}: declare its paths in `tabled`.")
        found += of_field
    return tuple(found)


def columns_of(shape: PageShape) -> tuple[Column, ...]:
    """The columns of the chosen fields."""
    return tuple(column for column in columns(shape.resource) if column.path[0] in shape.fields)


def statement(shape: PageShape) -> Prepared:
    """The statement that selects the cells of the columns of a shape."""
    return cells_statement(shape, tuple(column.path for column in columns_of(shape)))


def fields(readable: Readable) -> tuple[str, ...]:
    """The fields of the document that the columns read."""
    read = {column.path[0] for column in columns(readable.name)}
    return tuple(name for name in readable.document if name in read)


def _derived(node: Node, path: Path) -> Iterator[Column]:
    """The columns of a field outside of lists of objects."""
    match node:
        case Group() | One():
            for name, inner in node.fields.items():
                yield from _derived(inner, (*path, name))
        case Values():
            yield Column(path, ColumnType.LIST)
        case Many() | First() | Opaque():
            return
        case ColumnElement():
            yield Column(path, _type(node))


def _declared(readable: Readable, name: str, node: Node) -> Iterator[Column]:
    """The columns that ``tabled`` declares for a field."""
    for chosen in readable.tabled:
        first, *steps = chosen.split(".")
        if first == name:
            yield Column((first, *steps), _type_at(node, steps))


def _type_at(node: Node, steps: list[str]) -> ColumnType:
    match node:
        case Many():
            _type_at(Group(node.fields), steps)
            return ColumnType.LIST
        case Group() | One():
            return _type_at(node.fields[steps[0]], steps[1:])
    assert isinstance(node, ColumnElement)
    return _type(node)


def _type(column: ColumnElement[Any]) -> ColumnType:
    return next((found for sql, found in _TYPES if isinstance(column.type, sql)), ColumnType.TEXT)


def _write_csv(shape: PageShape, rows: Rows) -> Iterator[bytes]:
    columns = columns_of(shape)
    written = [_AS_CELL.get(column.type, _escaped) for column in columns]
    yield _csv_line([column.name for column in columns])
    for row in rows:
        yield _csv_line([write(value) for write, value in zip(written, row, strict=True)])


def _csv_line(cells: list[str | None]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _escaped(text: str | None) -> str | None:
    return f"'{text}" if text and text[0] in FORMULA_STARTS else text


def _number(text: str | None) -> str | None:
    return text if text and _DECIMAL.fullmatch(text) else _escaped(text)


def _list(texts: list[str]) -> str | None:
    return _escaped("; ".join(texts))


_AS_CELL: Mapping[ColumnType, Callable[[Any], str | None]] = {
    ColumnType.LIST: _list,
    ColumnType.INTEGER: _number,
    ColumnType.DECIMAL: _number,
}


def _write_parquet(shape: PageShape, rows: Rows) -> Iterator[bytes]:
    # pyarrow takes 30 MB in each worker, and most workers never need it.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    # Decimals are strings: they share no scale, and another type would round them.
    types = {
        ColumnType.LIST: pa.list_(pa.string()),
        ColumnType.INTEGER: pa.int64(),
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.DATE: pa.date32(),
        ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    }
    columns = columns_of(shape)
    schema = pa.schema([(column.name, types.get(column.type, pa.string())) for column in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        while batch := list(islice(rows, ROWS_IN_BATCH)):
            cells = [
                pa.array(values)
                if pa.types.is_list(field.type)
                else pa.array(values, pa.string()).cast(field.type)
                for field, values in zip(schema, zip(*batch, strict=True), strict=True)
            ]
            yield pa.RecordBatch.from_arrays(cells, schema=schema)

    buffer = io.BytesIO()
    writer = parquet.ParquetWriter(pa.PythonFile(buffer, mode="w"), schema, compression="zstd")
    remaining = batches()
    while group := list(islice(remaining, ROWS_IN_GROUP // ROWS_IN_BATCH)):
        writer.write_table(pa.Table.from_batches(group), row_group_size=ROWS_IN_GROUP)
        yield _drain(buffer)
    writer.close()
    yield _drain(buffer)


def _drain(buffer: io.BytesIO) -> bytes:
    data = buffer.getvalue()
    buffer.seek(0)
    buffer.truncate()
    return data


CSV = Format(
    "csv",
    "text/csv; charset=utf-8; header=present",
    "csv",
    fields,
    _write_csv,
    statement,
    choices=fields,
    broken=b'"The export broke off here',
)
PARQUET = Format(
    "parquet",
    "application/vnd.apache.parquet",
    "parquet",
    fields,
    _write_parquet,
    statement,
    choices=fields,
)
