"""CSV (RFC 4180): a header, and a row for each document, with the columns of ``tables``.

The encoding is UTF-8 without a byte order mark, and lines end with CR LF. Null is an empty cell,
and the items of a list are joined by ``"; "``.

Spreadsheets evaluate a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a line break as a
formula (OWASP, "CSV injection"), and some do so for the full-width signs. An apostrophe is put
before such a cell; other programs have to remove an apostrophe that one of these characters
follows. Decimals in columns of numbers are safe, and stay as they are.

A truncated file ends within a quoted cell.
"""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.exchange.tables import Column, ColumnType, columns_of, fields

FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - full-width on purpose
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NUMBERS = {ColumnType.INTEGER, ColumnType.DECIMAL}


def _write(request: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    columns = columns_of(request)
    yield _line([column.name for column in columns])
    for document in documents:
        row = json.loads(document)
        yield _line([_cell(column, column.value(row)) for column in columns])


def _line(cells: list[str]) -> bytes:
    line = io.StringIO(newline="")
    csv.writer(line).writerow(cells)
    return line.getvalue().encode()


def _cell(column: Column, value: Any) -> str:
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


CSV = Format(
    "csv",
    "text/csv; charset=utf-8; header=present",
    "csv",
    fields,
    _write,
    choices=fields,
    broken=b'"The export broke off here',
)
