"""Tables: a document as one row with fixed columns, for CSV and Parquet.

The columns follow from the document; docs/reference/formats.md describes them. ``Readable.tabled``
declares which paths through lists become columns; the figures, evidence and sources of a claim have
tables of their own.

A truncated file of CSV ends within a quoted cell. The metadata of Parquet is at the end of the
file, so readers reject a truncated one.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import Enum
from functools import cache
from itertools import islice
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Integer
from sqlalchemy.types import TypeEngine

from hksz_db.exchange.format import Document, Format
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
from hksz_db.queries.pages import PageShape
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from schemas.base import LAST_FIELDS

# Spreadsheets evaluate cells that begin with these as formulas.
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - full-width on purpose
ROWS_IN_GROUP = 5000
# Documents are far longer than their columns, so only this many are in memory at a time.
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
_NUMBERS = {ColumnType.INTEGER, ColumnType.DECIMAL}


@dataclass(frozen=True)
class Column:
    """A column: the path to its value, and its type."""

    path: tuple[str, ...]
    type: ColumnType

    @property
    def name(self) -> str:
        """The name in the header."""
        first, *others = self.path
        steps = [step for step in others if step != "entity"]
        return "_".join([first, *(steps[:-1] if steps[-1:] == ["name"] else steps)])

    def value(self, document: Document) -> object:
        """The value in a document: a scalar, a list or None; an object as ``name:value,…``."""
        found = _follow(document, self.path)
        if isinstance(found, dict):
            return ",".join(f"{name}:{value}" for name, value in sorted(found.items()))
        return found


def _follow(part: Any, path: tuple[str, ...]) -> Any:
    for number, step in enumerate(path):
        if isinstance(part, list):
            found = (_follow(item, path[number:]) for item in part)
            return [value for value in found if value is not None]
        if part is None:
            return None
        part = part[step]
    return part


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


def fields(readable: Readable) -> tuple[str, ...]:
    """The fields of the document that the columns read."""
    read = {column.path[0] for column in columns(readable.name)}
    return tuple(name for name in readable.document if name in read)


def _derived(node: Node, path: tuple[str, ...]) -> Iterator[Column]:
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


def _write_csv(shape: PageShape, documents: Iterator[bytes]) -> Iterator[bytes]:
    columns = columns_of(shape)
    yield _csv_line([column.name for column in columns])
    for document in documents:
        row = json.loads(document)
        yield _csv_line([_cell(column, column.value(row)) for column in columns])


def _csv_line(cells: list[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _cell(column: Column, value: object) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return _escaped("; ".join(value))
    text = str(value)
    return text if column.type in _NUMBERS and _DECIMAL.fullmatch(text) else _escaped(text)


def _escaped(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


def _write_parquet(shape: PageShape, documents: Iterator[bytes]) -> Iterator[bytes]:
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
        while rows := [json.loads(document) for document in islice(documents, ROWS_IN_BATCH)]:
            cells = [
                {column.name: _typed(column.type, column.value(row)) for column in columns}
                for row in rows
            ]
            yield pa.RecordBatch.from_pylist(cells, schema=schema)

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


def _typed(column_type: ColumnType, value: Any) -> Any:
    if value is None:
        return None
    if column_type is ColumnType.DATE:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if column_type is ColumnType.TIMESTAMP else value


CSV = Format(
    "csv",
    "text/csv; charset=utf-8; header=present",
    "csv",
    fields,
    _write_csv,
    choices=fields,
    broken=b'"The export broke off here',
)
PARQUET = Format(
    "parquet", "application/vnd.apache.parquet", "parquet", fields, _write_parquet, choices=fields
)
