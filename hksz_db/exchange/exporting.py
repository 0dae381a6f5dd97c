"""Exporting: the rows that a question selects, streamed from the database into a format."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from hksz_db.database import Database
from hksz_db.exchange import annotations, citations, fact_checks, jsonld, tables
from hksz_db.exchange.format import Format, Rows
from hksz_db.queries import questions
from hksz_db.queries.pages import PageShape
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from schemas.parameters import Faults, KnownName, Parameters, Refusal


def _write_ndjson(_: PageShape, rows: Rows) -> Iterator[bytes]:
    r"""Write one document a line, as a read by id returns it.

    The bytes are those that PostgreSQL built, without the line breaks that it puts between the
    elements of an array. JSON strings contain no line breaks, only ``\\n`` (RFC 8259, section 7).
    A complete file ends with a line break; the last line of a truncated file is not valid JSON.
    """
    for (document,) in rows:
        yield document.replace(b"\n", b"") + b"\n"


NDJSON = Format(
    "ndjson",
    "application/x-ndjson",
    "ndjson",
    lambda readable: (*readable.fields, *readable.read_embeds),
    _write_ndjson,
    choices=lambda readable: tuple(readable.document),
    broken=b'{"error":"The export broke off here',
)
FORMATS = {
    form.name: form
    for form in (
        NDJSON,
        tables.CSV,
        tables.PARQUET,
        jsonld.JSON_LD,
        fact_checks.CLAIM_REVIEW,
        annotations.WEB_ANNOTATION,
        citations.CSL_JSON,
        citations.BIBTEX,
    )
}

_CHUNK_BYTES = 2**16
_OPTIONS = ("q", "sort", "as_of", "include", "select")
_PAGED = Refusal("unknown", "An export has no pages: it is all that the filters select.")


@dataclass(frozen=True)
class Export:
    """A question to be answered in a format, as of a moment.

    ``values`` are bound to the statement of ``shape``.
    """

    form: Format
    shape: PageShape
    values: Mapping[str, Any]
    as_of: datetime | None = None


def formats_for(readable: Readable) -> dict[str, Format]:
    """The formats of a resource by name; the first is the default."""
    return {name: form for name, form in FORMATS.items() if form.fields(readable)}


@cache
def export_parameters(resource: str, form: str = "ndjson") -> Parameters:
    """The parameters of an export in a format."""
    formats = formats_for(RESOURCES[resource])
    known = questions.parameters(resource, _OPTIONS)
    refused = dict.fromkeys(("per_page", "cursor", "count"), _PAGED)
    if formats[form].choices is None:
        fixed = Refusal("unknown", f"{form} has fixed fields; none can be chosen.")
        refused |= {"select": fixed, "include": fixed}
    fields = {name: field for name, field in known.fields.items() if name not in refused}
    options = {name: fields[name] for name in _OPTIONS if name in fields}
    model = questions.model_of(RESOURCES[resource])
    about = {"description": "The format. The default is the first."}
    form_field = KnownName(f"{model}Format", formats, metadata=about)
    return replace(
        known,
        fields={**options, "format": form_field, **fields},
        refused={**known.refused, **refused},
    )


def read_export(resource: str, given: questions.Given) -> Export:
    """The export that a client asks for, in the order of the ids unless ``sort`` says another.

    Raises ``Malformed`` with all faults.
    """
    readable, faults, pairs = RESOURCES[resource], Faults(), list(given)
    formats = formats_for(readable)
    form = formats.get(dict(pairs).get("format", ""), next(iter(formats.values())))
    values = export_parameters(resource, form.name).load(pairs, faults)
    fields = _fields(form, readable, values, faults)
    faults.check()
    question = questions.question_of(readable, {"sort": (("id", False),), **values}, fields)
    return Export(form, question.shape(resource, None), question.values(), question.as_of)


def _fields(
    form: Format, readable: Readable, values: questions.Values, faults: Faults
) -> tuple[str, ...]:
    """The fields to be written: those that the client chooses, where the format has choices."""
    own = form.fields(readable)
    chosen = [name for name in ("select", "include") if name in values]
    if form.choices is None or not chosen:
        return own
    embeds = tuple(name for name in own if name in readable.embeds)
    fields = questions.chosen_fields(readable, values, embeds, faults)
    known = form.choices(readable)
    for name in [name for name in fields if name not in known]:
        detail = f"{form.name} has no field {name!r}; known: {', '.join(known)}."
        faults.add(chosen[-1], "invalid", detail)
    return fields


def export(
    database: Database,
    wanted: Export,
    *,
    at_most_s: int = 0,
    seen: Callable[[], None] | None = None,
) -> Generator[bytes]:
    """The rows of one snapshot of the database in the format, in pieces.

    The statement begins with the first piece. Closing the iterator ends it and gives its connection
    up; so does the server after ``at_most_s`` (0: never). ``seen`` is called for each row.
    """
    statement = wanted.form.statement(wanted.shape)
    streamed = database.stream(statement, wanted.values, wanted.as_of, at_most_s=at_most_s)
    with closing(streamed) as rows:
        yield from written(wanted.form, wanted.shape, _counted(rows, seen) if seen else rows)


def written(form: Format, shape: PageShape, rows: Rows) -> Iterator[bytes]:
    """Write the rows in chunks of about 64 KiB.

    If an error interrupts the rows after the first chunk, the file ends with ``broken`` of
    the format, which makes it invalid, and the error is raised again.
    """
    chunk, begun = bytearray(), False
    try:
        for piece in form.write(shape, rows):
            chunk += piece
            if len(chunk) >= _CHUNK_BYTES:
                begun = True
                yield bytes(chunk)
                chunk.clear()
    except Exception:
        if begun:
            yield bytes(chunk) + form.broken
        raise
    if chunk:
        yield bytes(chunk)


def _counted(rows: Rows, seen: Callable[[], None]) -> Rows:
    for row in rows:
        seen()
        yield row
