r"""NDJSON: a document on each line, as it is read by its id.

The bytes are those that PostgreSQL built; only the line breaks between the elements of an array
are taken out, for a line break ends the document. (Within a string JSON has none: there it is
``\\n``, RFC 8259, section 7.)

A file that is whole ends with a line break. Where the database failed halfway, the last line is
no JSON.
"""

from collections.abc import Iterator

from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.queries.readable import Readable


def _write(_: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    for document in documents:
        yield document.replace(b"\n", b"") + b"\n"


def _fields(readable: Readable) -> tuple[str, ...]:
    return (*readable.fields, *readable.read_embeds)


NDJSON = Format(
    "ndjson",
    "application/x-ndjson",
    "ndjson",
    _fields,
    _write,
    choices=lambda readable: tuple(readable.document),
    broken=b'{"error":"The export broke off here',
)
