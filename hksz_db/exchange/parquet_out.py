"""Parquet: the columns of ``tables`` with their types, written a row group a time.

Decimals are strings, digit by digit as they are stored: they have no common scale, and a float or
a fixed one would round them. Dates are ``date32``, moments ``timestamp[us, UTC]``, lists are
lists. The description of a file stands at its end, so that one that broke off cannot be opened.
"""

from collections.abc import Iterator

from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.exchange.tables import fields


def _write(asked: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    # Now and not before: pyarrow would cost every worker 30 MB, and most never need it.
    from hksz_db.exchange import arrow  # noqa: PLC0415

    return arrow.write(asked, documents)


PARQUET = Format(
    "parquet", "application/vnd.apache.parquet", "parquet", fields, _write, choices=fields
)
