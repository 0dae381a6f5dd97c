"""The calls that every resource has."""

from collections.abc import Callable
from typing import cast
from uuid import UUID

from flask import Response
from marshmallow import fields

from hksz_db.api import answers
from hksz_db.api.bulk import bulk
from hksz_db.api.calls import (
    Call,
    Section,
    list_call,
    read_schemas,
    write_parameters,
    written_schema,
)
from hksz_db.api.extra_calls import EXTRA_CALLS
from hksz_db.api.history import HISTORY_CALLS
from hksz_db.api.requests import MERGE_PATCH, Write, load, load_object
from hksz_db.domain.errors import Fault
from hksz_db.exchange.exporting import export_parameters, formats_for, read_export
from hksz_db.http.costs import Cost, Weight
from hksz_db.http.requests import arguments
from hksz_db.queries.questions import (
    AGGREGATE,
    DOCUMENT,
    PART,
    model_of,
    parameters,
    query_parameters,
    read_aggregate,
    read_document,
    read_list,
    read_tree,
)
from hksz_db.queries.readable import Readable
from hksz_db.services import batches, lifecycle
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import reviewing
from schemas.base import DocumentSchema
from schemas.pages import groups_schema, page_schema


def section_of(resource: Readable) -> Section:
    """All calls of a resource."""
    calls = [make(resource) for make in _CALLS]
    calls += EXTRA_CALLS.get(resource.name, ())
    calls += [_part(resource, part) for part in resource.parts]
    return Section(resource.name, resource.schema, calls, resource.singular)


def _list(resource: Readable) -> Call:
    def list_() -> Response:
        """List {name}, a page at a time."""
        return answers.page(resource, read_list(resource.name, arguments()))

    return list_call("GET ", list_, resource)


def _read(resource: Readable) -> Call:
    def read(id: UUID) -> Response:
        """Read one {singular}, with the fields of `select` and `include`."""
        return answers.one(resource, id, read_document(resource.name, arguments()))

    return Call(
        "GET /<uuid:id>",
        read,
        {"application/json": {"anyOf": list(read_schemas(resource))}},
        read_cost=Cost.BOUNDED,
        parameters=parameters(resource.name, DOCUMENT, filtered=False),
        redirects=resource.can_be_merged,
        errors=(410,),
    )


def _part(resource: Readable, name: str) -> Call:
    def read_part(id: UUID) -> Response:
        """Read only the {part} of one {singular}."""
        return answers.part(resource, id, name, **PART.read(arguments()))

    field = resource.schema().fields[name]
    if isinstance(field, fields.List):
        item = cast("fields.Nested", field.inner).schema
        model = type(item).__name__.removesuffix("Schema")
        answer = DocumentSchema.from_dict({"data": field}, name=f"{model}ListSchema")
        words = f"{name} {resource.name}"
    else:
        answer = type(cast("fields.Nested", field).schema)
        words = f"`{name}`"
    read_part.__name__ = f"read_{name}"
    return Call(
        f"GET /<uuid:id>/{name}",
        read_part,
        answer,
        read_cost=Cost.COSTLY if name in resource.asked_embeds else Cost.BOUNDED,
        parameters=PART,
        redirects=resource.can_be_merged,
        errors=(410,),
        words={"part": words},
    )


def _create(resource: Readable) -> Call:
    writer = WRITERS[resource.name]
    schema = writer.create_schema()

    def create(write: Write) -> Response:
        """Add one {singular} with everything in the body, or nothing at all."""
        doubts: list[Fault] = []
        id = batches.create(write.session, resource.name, load(schema), write.rules, doubts)
        return answers.written(write.session, resource, id, 201, doubts, dry_run=write.dry_run)

    return Call(
        "POST ",
        create,
        written_schema(resource),
        status=201,
        parameters=write_parameters(resource),
        body=writer.create_schema,
        scope=writer.scope,
    )


def _change(resource: Readable) -> Call:
    writer = WRITERS[resource.name]
    schema = writer.patch_schema()

    def change(write: Write, id: UUID) -> Response:
        """Change one {singular} by a merge patch (RFC 7396).

        The media type may be `application/json` as well.
        """
        doubts: list[Fault] = []
        fields = load(schema, MERGE_PATCH)
        batches.update(
            write.session, resource.name, id, write.versions, fields, write.rules, doubts
        )
        return answers.written(write.session, resource, id, 200, doubts, dry_run=write.dry_run)

    return Call(
        "PATCH /<uuid:id>",
        change,
        written_schema(resource),
        parameters=write_parameters(resource),
        # One of the two media types: some generators of clients cannot choose.
        body={MERGE_PATCH: writer.patch_schema},
        scope=writer.scope,
        if_match=True,
        errors=(410,),
    )


def _delete(resource: Readable) -> Call:
    def delete(write: Write, id: UUID) -> Response:
        """Delete one {singular} that nothing else depends on. It can be restored."""
        with reviewing(write.session, write.rules, resource.name, id):
            lifecycle.delete(write.session, resource.name, id, write.versions)
        return answers.deleted(write.session, resource, id)

    return Call(
        "DELETE /<uuid:id>",
        delete,
        None,
        status=204,
        scope=WRITERS[resource.name].scope,
        if_match=True,
        errors=(410,),
    )


def _restore(resource: Readable) -> Call:
    def restore(write: Write, id: UUID) -> Response:
        """Restore one deleted {singular}."""
        with reviewing(write.session, write.rules, resource.name, id):
            lifecycle.restore(write.session, resource.name, id, write.versions)
        return answers.written(write.session, resource, id, 200)

    return Call(
        "POST /<uuid:id>/restore",
        restore,
        written_schema(resource),
        scope=WRITERS[resource.name].scope,
        if_match=True,
    )


def _query(resource: Readable) -> Call:
    def query() -> Response:
        """List {name} by a tree of filters."""
        return answers.page(resource, read_tree(resource.name, load_object()))

    return Call(
        "POST /query",
        query,
        page_schema(model_of(resource), *read_schemas(resource)),
        body=query_parameters(resource.name).schema(f"{model_of(resource)}QuerySchema"),
        weight=Weight.SEARCH,
    )


def _aggregate(resource: Readable) -> Call:
    def aggregate() -> Response:
        """Count {name} by the values of one or more fields, the most frequent first."""
        question, group_by = read_aggregate(resource.name, arguments())
        return answers.groups(resource, question, group_by)

    return Call(
        "GET /aggregate",
        aggregate,
        groups_schema(model_of(resource), resource.groups),
        parameters=parameters(resource.name, AGGREGATE),
        weight=Weight.SCAN,
    )


def _export(resource: Readable) -> Call:
    def export() -> Response:
        """Export all {name} that the filters select as one file.

        The file shows one moment, in the order of the ids unless `sort` gives another, and is
        streamed whatever its length. `select` and `include` choose the fields in `ndjson`, `csv`
        and `parquet`; the other formats have fixed fields. Of claims, `csl-json` and `bibtex`
        have the sources, each once.

        If the export fails halfway, the file is invalid in every format: the last line of
        `ndjson` is not JSON, `csv` ends inside quotes, JSON arrays are not closed, `parquet` has
        no footer and `bibtex` ends inside an entry.
        """
        return answers.export(resource, read_export(resource.name, arguments()))

    return Call(
        "GET /export",
        export,
        {
            form.media_type.partition(";")[0]: {"type": ["object", "array"]}
            if form.media_type.endswith("json") and form.name != "ndjson"
            else {"type": "string"}
            for form in formats_for(resource).values()
        },
        headers=("Content-Disposition", "Cache-Control"),
        parameters=export_parameters(resource.name),
        weight=Weight.SCAN,
    )


_CALLS: tuple[Callable[[Readable], Call], ...] = (
    _list,
    _read,
    _create,
    _change,
    _delete,
    _restore,
    _query,
    _aggregate,
    _export,
    bulk,
    *HISTORY_CALLS,
)
