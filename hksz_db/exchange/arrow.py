"""Documents as Arrow's columns, and those as a Parquet file, a row group a time."""

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import islice
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from hksz_db.exchange.format import ExportRequest
from hksz_db.exchange.tables import Column, Kind, columns_of

ROWS_IN_GROUP = 5000
# Documents are far longer than their columns: only so many are held at once.
_ROWS_IN_BATCH = 250
_TYPES = {
    Kind.TEXT: pa.string(),
    Kind.LIST: pa.list_(pa.string()),
    Kind.INTEGER: pa.int64(),
    Kind.DECIMAL: pa.string(),
    Kind.BOOLEAN: pa.bool_(),
    Kind.DATE: pa.date32(),
    Kind.MOMENT: pa.timestamp("us", tz="UTC"),
}


class _Sink:
    """A file that hands over what was written to it since it was last asked."""

    closed = False

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: Any) -> int:
        self._written.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Nothing waits."""

    def taken(self) -> bytes:
        data = b"".join(self._written)
        self._written.clear()
        return data


def write(asked: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    """The documents as a Parquet file."""
    columns = columns_of(asked)
    schema = pa.schema([(column.name, _TYPES[column.kind]) for column in columns])
    sink = _Sink()
    writer = parquet.ParquetWriter(pa.PythonFile(sink, mode="w"), schema, compression="zstd")
    batches = _batches(columns, schema, documents)
    while group := list(islice(batches, ROWS_IN_GROUP // _ROWS_IN_BATCH)):
        writer.write_table(pa.Table.from_batches(group), row_group_size=ROWS_IN_GROUP)
        yield sink.taken()
    writer.close()
    yield sink.taken()


def _batches(
    columns: Sequence[Column], schema: pa.Schema, documents: Iterator[bytes]
) -> Iterator[pa.RecordBatch]:
    while rows := [json.loads(document) for document in islice(documents, _ROWS_IN_BATCH)]:
        yield _batch(columns, schema, rows)


def _batch(
    columns: Sequence[Column], schema: pa.Schema, documents: Sequence[Any]
) -> pa.RecordBatch:
    arrays = [
        pa.array(
            [_typed(column.kind, column.value(document)) for document in documents], field.type
        )
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _typed(kind: Kind, value: Any) -> Any:
    if value is None:
        return None
    if kind is Kind.DATE:
        return date.fromisoformat(value)
    return datetime.fromisoformat(value) if kind is Kind.MOMENT else value
