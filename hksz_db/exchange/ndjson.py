r"""NDJSON: one document a line, as a read by id returns it.

The bytes are those that PostgreSQL built, without the line breaks that it puts between the elements
of an array. JSON strings contain no line breaks, only ``\\n`` (RFC 8259, section 7).

A complete file ends with a line break; the last line of a truncated file is not valid JSON.
"""

from collections.abc import Iterator

from hksz_db.exchange.format import Format
from hksz_db.queries.pages import PageShape


def _write(_: PageShape, documents: Iterator[bytes]) -> Iterator[bytes]:
    for document in documents:
        yield document.replace(b"\n", b"") + b"\n"


NDJSON = Format(
    "ndjson",
    "application/x-ndjson",
    "ndjson",
    lambda readable: (*readable.fields, *readable.read_embeds),
    _write,
    choices=lambda readable: tuple(readable.document),
    broken=b'{"error":"The export broke off here',
)
