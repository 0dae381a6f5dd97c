"""The registry of export formats."""

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
    """The formats of a resource by name; the first is the default."""
    return {name: form for name, form in FORMATS.items() if form.fields(readable)}


def written(form: Format, request: ExportRequest, documents: Iterator[bytes]) -> Iterator[bytes]:
    """Write the documents in chunks of about 64 KiB.

    If an error interrupts the documents after the first chunk, the file ends with ``broken`` of
    the format, which makes it invalid, and the error is raised again.
    """
    pieces: list[bytes] = []
    size, begun = 0, False
    try:
        for piece in form.write(request, documents):
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
