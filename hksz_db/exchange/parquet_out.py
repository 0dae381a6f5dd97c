"""Parquet: the columns of ``tables`` with their types, in row groups.

Decimals are strings, with the digits that are stored: they share no scale, and a float or a decimal
of fixed scale would round them. Dates are ``date32``, timestamps ``timestamp[us, UTC]``, lists are
lists. The metadata is at the end of the file, so readers reject a truncated one.
"""

import io
import json
from collections.abc import Iterator
from datetime import date, datetime
from itertools import islice
from typing import Any

from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.exchange.tables import ColumnType, columns_of, fields

ROWS_IN_GROUP = 5000
# Documents are far longer than their columns, so only this many are in memory at a time.
ROWS_IN_BATCH = 250


def _write(request: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    # pyarrow takes 30 MB in each worker, and most workers never need it.
    import pyarrow as pa  # noqa: PLC0415
    from pyarrow import parquet  # noqa: PLC0415

    types = {
        ColumnType.TEXT: pa.string(),
        ColumnType.LIST: pa.list_(pa.string()),
        ColumnType.INTEGER: pa.int64(),
        ColumnType.DECIMAL: pa.string(),
        ColumnType.BOOLEAN: pa.bool_(),
        ColumnType.DATE: pa.date32(),
        ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
    }
    columns = columns_of(request)
    schema = pa.schema([(column.name, types[column.type]) for column in columns])

    def batches() -> Iterator[pa.RecordBatch]:
        while rows := [json.loads(document) for document in islice(documents, ROWS_IN_BATCH)]:
            yield pa.RecordBatch.from_arrays(
                [
                    pa.array(
                        [_typed(column.type, column.value(row)) for row in rows], types[column.type]
                    )
                    for column in columns
                ],
                schema=schema,
            )

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


PARQUET = Format(
    "parquet", "application/vnd.apache.parquet", "parquet", fields, _write, choices=fields
)
