"""CSV (RFC 4180): a header and a row for each document, with the columns of ``tables``.

UTF-8 without a byte order mark, lines that end with CR LF, ``"`` doubled within quotes; what is
missing is an empty cell, and the values of a list are joined by ``"; "``.

A spreadsheet takes a cell for a formula that begins with ``=``, ``+``, ``-``, ``@``, a tab or a
line break (OWASP, "CSV injection"), and some do with the full-width signs: such a cell gets an
apostrophe before it. Whoever reads the file otherwise takes one apostrophe off where one of these
follows it. Cells of columns that hold numbers are left alone where they are plain decimals, signs
included: ``-5`` is no formula that says anything but -5.

Where the database failed halfway, the file ends within a quoted cell.
"""

import csv
import json
import re
from collections.abc import Iterator
from typing import Any

from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.exchange.tables import Column, Kind, columns_of, fields

FORMULA_STARTS = "=+-@\t\r\n＝＋－＠"  # noqa: RUF001 - full-width on purpose
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_NUMBERS = {Kind.INTEGER, Kind.DECIMAL}


class _Line:
    """Takes what the writer of the standard library writes: one line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def _write(asked: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    columns = columns_of(asked)
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(column.name for column in columns)
    yield line.text.encode()
    for document in documents:
        row = json.loads(document)
        writer.writerow([_cell(column, column.value(row)) for column in columns])
        yield line.text.encode()


def _cell(column: Column, value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case list():
            return _harmless("; ".join(value))
    text = str(value)
    if column.kind in _NUMBERS and _DECIMAL.fullmatch(text):
        return text
    return _harmless(text)


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(tuple(FORMULA_STARTS)) else text


CSV = Format(
    "csv",
    "text/csv; charset=utf-8; header=present",
    "csv",
    fields,
    _write,
    choices=fields,
    broken=b'"The export broke off here',
)
