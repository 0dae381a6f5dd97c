"""The formats in which rows go out: the registry.

A format is one module of this package and one line of ``FORMATS``.
"""

from collections.abc import Iterator

from hksz_db.exchange import bibtex, csl_json, csv_out, jsonld, ndjson, parquet_out
from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.queries.readable import Readable

FORMATS = {
    form.name: form
    for form in (
        ndjson.NDJSON,
        csv_out.CSV,
        parquet_out.PARQUET,
        jsonld.JSON_LD,
        csl_json.CSL_JSON,
        bibtex.BIBTEX,
    )
}

_CHUNK_BYTES = 2**16


def formats_for(readable: Readable) -> dict[str, Format]:
    """The formats in which a resource can go out, by name; the first is the usual one."""
    return {name: form for name, form in FORMATS.items() if form.fields(readable)}


def written(form: Format, asked: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    """The documents in a format, in pieces of some 64 KiB.

    When the documents break off after the first piece, so does what is written: after the
    format's ``broken``, which no reader takes for a whole, the error is raised again.
    """
    pieces: list[bytes] = []
    size, begun = 0, False
    try:
        for piece in form.write(asked, documents):
            pieces.append(piece)
            size += len(piece)
            if size >= _CHUNK_BYTES:
                begun = True
                yield b"".join(pieces)
                pieces, size = [], 0
    except Exception:
        if begun:
            yield b"".join(pieces) + form.broken
        raise
    if pieces:
        yield b"".join(pieces)
