"""How the calls are described in the OpenAPI document, from the schemas that check them."""

from collections.abc import Collection
from typing import Any

from marshmallow import Schema, fields

from hksz_db.api.bodies import MERGE_PATCH, PLAIN_TEXT
from hksz_db.api.repeats import HEADER, KEY_PATTERN, REPLAYED
from hksz_db.api.resource import Listed, Resource
from hksz_db.exchange.exporting import export_parameters
from hksz_db.exchange.format import Format
from hksz_db.exchange.formats import formats_for
from hksz_db.queries.questions import (
    AGGREGATE,
    AS_OF,
    DOCUMENT,
    LIST,
    PAGING,
    VERSION,
    parameters,
    query_parameters,
)
from schemas.base import DocumentSchema
from schemas.bulk import BULK, MAX_ITEMS, BulkAnswerSchema
from schemas.changes import CHANGES, ChangePageSchema
from schemas.fields import BoundedList
from schemas.history import VersionDifferencesSchema, VersionEntrySchema, version_schema
from schemas.pages import groups_schema, page_schema
from schemas.parameters import Parameters
from schemas.verification import VerificationSchema

Operation = dict[str, Any]

BEARER = {"type": "http", "scheme": "bearer", "description": "A key: hksz_…"}
_WITH_KEY: list[dict[str, list[str]]] = [{"bearer": []}]
_DESCRIPTIONS = {
    304: "What the client holds is still what would be answered.",
    308: "The row was merged into another, which is there; the ETag is what an undoing needs.",
    400: "The request cannot be read, or asks for what does not exist.",
    401: "A key is missing, unknown, expired or revoked.",
    403: "The key lacks the scope.",
    404: "There never was such a row, or no such version of it.",
    408: "The body took too long to arrive.",
    409: "The request clashes with what is stored.",
    410: "The row was deleted; it can be restored.",
    412: "The row has another version than If-Match names.",
    413: "The body is too long.",
    415: "The body is of another media type.",
    422: "A value breaks a rule; the errors say which and where.",
    428: "If-Match is missing.",
    503: "The database does not answer, or too many requests of the kind are under way.",
}
_READING = (400, 401, 503)
_WRITING = (400, 401, 403, 409, 413, 415, 422, 503)
CONDITIONS: dict[str, Operation] = {
    "If-Match": {
        "required": True,
        "description": (
            "The ETag of the version that was read. A weak one is taken, too: only the version in"
            " it is compared."
        ),
        "schema": {"type": "string", "pattern": r'^(W/)?"[0-9]{1,9}(-[0-9a-f]{16})?"$'},
    },
    "If-None-Match": {
        "description": "The ETag of an answer that the client holds.",
        "schema": {"type": "string", "pattern": r'^(W/)?"[0-9a-f-]{1,26}"$'},
    },
    HEADER: {
        "description": (
            "A name for this very request, such as a UUID. Whoever heard no answer sends the same"
            " again and gets the first answer, marked `Idempotency-Replayed: true`; it is kept for"
            " 24 hours. While the first is being carried out the answer is 409 with Retry-After,"
            " and 422 to another request of the same name. What was answered with an error is"
            " carried out anew."
        ),
        "schema": {"type": "string", "pattern": KEY_PATTERN},
    },
}
"""The headers that say when a call is to be carried out, as components that the calls refer to."""

# The same for all resources.
_COMMON_PARAMETERS = {"per_page", "cursor", "count", "q", "as_of"}
_ETAG = {"ETag": {"description": "Names this very answer.", "schema": {"type": "string"}}}
_REPLAYED = {
    REPLAYED: {
        "description": "true where the answer is that to an earlier request of the same name.",
        "schema": {"type": "string", "const": "true"},
    }
}
_NO_STORE = {"Cache-Control": {"description": "no-store", "schema": {"type": "string"}}}
_LINK = {"Link": {"description": "The next page (rel=next).", "schema": {"type": "string"}}}
_DISPOSITION = {
    "Content-Disposition": {"description": "A name for the file.", "schema": {"type": "string"}}
}
_LOCATION = {"Location": {"description": "Where the row is.", "schema": {"type": "string"}}}


def listing(resource: Listed) -> Operation:
    """``GET /v1/R``."""
    return _operation(
        resource,
        "list",
        f"List {resource.name}: {_ways(resource)}, a page a time.",
        parameters=_parameters(resource, parameters(resource.name, LIST)),
        responses={200: _page(resource), 304: {}},
        errors=_READING,
    )


def _ways(resource: Listed) -> str:
    ways = {"searched": resource.readable.search, "sorted": resource.readable.sorts}
    return ", ".join(["filtered", *(way for way, known in ways.items() if known)])


def listing_within(resource: Listed, whole: Resource) -> Operation:
    """``GET /v1/W/{id}/R``."""
    operation = listing(resource)
    operation["operationId"] = f"{whole.name}.list_{resource.name}"
    operation["summary"] = f"List the {resource.name} of one {whole.singular}."
    operation["responses"] |= {str(status): problem_response(status) for status in (404, 410)}
    return operation


def creating_within(resource: Resource, whole: Resource, schema: type[Schema]) -> Operation:
    """``POST /v1/W/{id}/R``."""
    operation = creating(resource)
    operation["operationId"] = f"{whole.name}.create_{resource.name}"
    operation["summary"] = f"Add {resource.name} to one {whole.singular}."
    operation["requestBody"] = _body(schema, "application/json")
    operation["responses"] |= {str(status): problem_response(status) for status in (404, 410)}
    return operation


def reading(resource: Resource) -> Operation:
    """``GET /v1/R/{id}``."""
    return _operation(
        resource,
        "read",
        f"Read one {resource.singular}, with what is embedded unless asked for less or more.",
        parameters=_parameters(resource, parameters(resource.name, DOCUMENT, filtered=False)),
        responses={
            200: _content(resource.document, headers=_ETAG),
            304: {},
            **_redirect(resource),
        },
        errors=(*_READING, 404, 410),
    )


def reading_part(resource: Resource, name: str) -> Operation:
    """``GET /v1/R/{id}/PART``."""
    field = resource.document().fields[name]
    if isinstance(field, fields.List):
        assert isinstance(field.inner, fields.Nested)
        part = f"{name} {resource.name}"
        model = f"{model_of(type(field.inner.schema))}ListSchema"
        schema = DocumentSchema.from_dict({"data": field}, name=model)
    else:
        assert isinstance(field, fields.Nested)
        part = name
        schema = type(field.schema)
    return _operation(
        resource,
        f"read_{name}",
        f"Read the {part} of one {resource.singular}, and nothing else of it.",
        parameters=_parameters(resource, AS_OF),
        responses={200: _content(schema, headers=_ETAG), 304: {}, **_redirect(resource)},
        errors=(*_READING, 404, 410),
    )


def creating(resource: Resource) -> Operation:
    """``POST /v1/R``."""
    return _operation(
        resource,
        "create",
        f"Add one {resource.singular}, with all that is given with it, or nothing.",
        parameters=[HEADER],
        requestBody=_body(resource.create_schema, "application/json"),
        responses={201: _content(resource.document, headers={**_ETAG, **_LOCATION, **_REPLAYED})},
        errors=_WRITING,
        security=_WITH_KEY,
    )


def writing_many(resource: Resource) -> Operation:
    """``POST /v1/R/bulk``."""
    name = f"{_model(resource)}BulkSchema"
    items = BoundedList(fields.Nested(resource.create_schema), MAX_ITEMS, required=True)
    return {
        **_operation(
            resource,
            "bulk",
            f"Add or change up to {MAX_ITEMS} {resource.name} in one call.",
            parameters=[{"in": "query", "schema": BULK.schema()}, HEADER],
            requestBody=_body(Schema.from_dict({"items": items}, name=name), "application/json"),
            responses={207: _content(BulkAnswerSchema, headers=_REPLAYED)},
            errors=_WRITING,
            security=_WITH_KEY,
        ),
        "description": (
            "Each item is read and answered on its own, with the status of a single write. An item"
            " without an `external_id` is new. With `mode=create` one whose `external_id` is there"
            " already is refused, with `ignore` it is left alone, and with `upsert` it is changed"
            " by what it gives, as a merge patch would change it: what is required of a new one"
            " need not be given then, and what only creation settles may be repeated. One that was"
            " deleted or merged is refused. The figures and evidence of a claim that is there are"
            " added or changed in their turn; they are given whole, each with an `external_id`."
            " An item may refer by name to those before it. With `atomic=true` either all of it is"
            " written or nothing, and what is wrong is answered as a problem document."
        ),
    }


def changing(resource: Resource) -> Operation:
    """``PATCH /v1/R/{id}``."""
    # One media type of the two that are taken: some generators of clients cannot choose.
    return _operation(
        resource,
        "change",
        f"Change one {resource.singular} by a merge patch (RFC 7396).",
        description="The media type may be `application/json` as well.",
        parameters=["If-Match"],
        requestBody=_body(resource.patch_schema, MERGE_PATCH),
        responses={200: _content(resource.document, headers=_ETAG)},
        errors=(*_WRITING, 404, 410, 412, 428),
        security=_WITH_KEY,
    )


def deleting(resource: Resource) -> Operation:
    """``DELETE /v1/R/{id}``."""
    return _operation(
        resource,
        "delete",
        f"Delete one {resource.singular} on which nothing rests; it can be restored.",
        parameters=["If-Match"],
        responses={204: {"headers": _ETAG}},
        errors=(400, 401, 403, 404, 409, 410, 412, 428, 503),
        security=_WITH_KEY,
    )


def restoring(resource: Resource) -> Operation:
    """``POST /v1/R/{id}/restore``."""
    return _operation(
        resource,
        "restore",
        f"Restore one deleted {resource.singular}.",
        parameters=["If-Match", HEADER],
        responses={200: _content(resource.document, headers={**_ETAG, **_REPLAYED})},
        errors=(400, 401, 403, 404, 409, 412, 413, 422, 428, 503),
        security=_WITH_KEY,
    )


def listing_versions(resource: Resource) -> Operation:
    """``GET /v1/R/{id}/history``."""
    return {
        **_operation(
            resource,
            "list_versions",
            f"List the versions of one {resource.singular}, deleted or not: who changed what.",
            parameters=_parameters(resource, PAGING),
            responses={
                200: _content(
                    page_schema("VersionEntry", VersionEntrySchema), headers={**_ETAG, **_LINK}
                ),
                304: {},
            },
            errors=(*_READING, 404),
        ),
        "description": (
            "The newest first, a page a time; also for a row that was deleted or merged. A version"
            " is what one transaction left, so numbers may be skipped. What was there when the"
            " history began has the op `begin`, with the time of that and whoever began it; when"
            " it was made is not known. Whoever changes a row at the database itself is in the"
            " history too, by the name of his role; he need not count, so that a number may stand"
            " twice, of which the last is the one to be read."
        ),
    }


def reading_version(resource: Resource) -> Operation:
    """``GET /v1/R/{id}/history/{version}``."""
    schema = version_schema(_model(resource), resource.document)
    return {
        **_operation(
            resource,
            "read_version",
            f"Read one {resource.singular} as it was in a version, and who made that.",
            parameters=_parameters(resource, parameters(resource.name, VERSION, filtered=False)),
            responses={200: _content(schema, headers=_ETAG), 304: {}},
            errors=(*_READING, 404),
        ),
        "description": (
            "The document is what a read by id answered when the version was made, with what is"
            " embedded as it was then. It is null when the row was deleted or merged."
        ),
    }


def comparing_versions(resource: Resource) -> Operation:
    """``GET /v1/R/{id}/history/{version}/diff/{other}``."""
    return {
        **_operation(
            resource,
            "compare_versions",
            f"Compare two versions of one {resource.singular}, field by field.",
            parameters=["If-None-Match"],
            responses={200: _content(VersionDifferencesSchema, headers=_ETAG), 304: {}},
            errors=(*_READING, 404),
        ),
        "description": (
            "From the first to the second, which may be the earlier. Compared are the documents as"
            " they were, with what is embedded, so that there can be more than one row's own"
            " changes; `version` and `updated_at` are left out."
        ),
    }


def restoring_version(resource: Resource) -> Operation:
    """``POST /v1/R/{id}/history/{version}/restore``."""
    return {
        **_operation(
            resource,
            "restore_version",
            f"Make one {resource.singular} again what it was in a version, as a new version.",
            parameters=["If-Match", HEADER],
            responses={200: _content(resource.document, headers={**_ETAG, **_REPLAYED})},
            errors=(400, 401, 403, 404, 409, 410, 412, 413, 422, 428, 503),
            security=_WITH_KEY,
        ),
        "description": (
            "As a merge patch with all fields of the old document, under the rules of today: what"
            " it refers to must be there, an entity that was merged since stands for what it was"
            " merged into, and a time relative to the date of a source is reckoned from the date"
            " that the source has now. The figures and the evidence of a claim are rows of their"
            " own with histories of their own, and stay as they are. A row that was deleted is"
            " restored first."
        ),
    }


def merging(resource: Resource, schema: type[Schema]) -> Operation:
    """``POST /v1/R/{id}/merge``."""
    return _operation(
        resource,
        "merge",
        f"Merge one {resource.singular} into another, to which all that refers to it is moved;"
        " its id answers with 308 from then on. Also needs the scope review.",
        parameters=["If-Match", HEADER],
        requestBody=_body(schema, "application/json"),
        responses={200: _content(resource.document, headers={**_ETAG, **_REPLAYED})},
        errors=(*_WRITING, 404, 410, 412, 428),
        security=_WITH_KEY,
    )


def unmerging(resource: Resource) -> Operation:
    """``POST /v1/R/{id}/unmerge``."""
    return _operation(
        resource,
        "unmerge",
        f"Undo the merge of one {resource.singular}: what was moved and is still there returns."
        " Also needs the scope review.",
        parameters=["If-Match", HEADER],
        responses={200: _content(resource.document, headers={**_ETAG, **_REPLAYED})},
        errors=(400, 401, 403, 404, 409, 412, 413, 422, 428, 503),
        security=_WITH_KEY,
    )


def _redirect(resource: Resource) -> dict[int, Operation]:
    """The answer to a read of a row that was merged, where rows can be."""
    return {308: {"headers": {**_ETAG, **_LOCATION}}} if resource.readable.can_be_merged else {}


def querying(resource: Resource) -> Operation:
    """``POST /v1/R/query``."""
    body = query_parameters(resource.name).schema(f"{_model(resource)}QuerySchema")
    return _operation(
        resource,
        "query",
        f"List {resource.name} by a tree of filters.",
        requestBody=_body(body, "application/json"),
        responses={200: _page(resource), 304: {}},
        errors=(*_READING, 413, 415),
    )


def verifying(resource: Resource) -> Operation:
    """``POST /v1/sources/{id}/verify``."""
    text = {"type": "string", "minLength": 1}
    return {
        **_operation(
            resource,
            "verify",
            f"Check the locators of one {resource.singular} against a text that the caller holds.",
            requestBody={"required": True, "content": {PLAIN_TEXT: {"schema": text}}},
            responses={200: _content(VerificationSchema, headers=_NO_STORE)},
            errors=(*_READING, 404, 410, 413, 415, 422),
        ),
        "description": (
            "The text is read as UTF-8, a byte order mark dropped, and normalised as `nfc-ws1`:"
            " Unicode NFC, every run of white space one space, none at either end. Offsets count"
            " code points of that form, the end excluded. Nothing of the text is stored or logged,"
            " and it does not reach the database."
        ),
    }


def aggregating(resource: Resource) -> Operation:
    """``GET /v1/R/aggregate``."""
    groups = groups_schema(_model(resource), resource.readable.groups)
    return _operation(
        resource,
        "aggregate",
        f"Count {resource.name} by a field, the most frequent first.",
        parameters=_parameters(resource, parameters(resource.name, AGGREGATE)),
        responses={200: _content(groups, headers=_ETAG), 304: {}},
        errors=_READING,
    )


def exporting(resource: Resource) -> Operation:
    """``GET /v1/R/export``."""
    formats = formats_for(resource.readable)
    content = {
        form.media_type.partition(";")[0]: {"schema": _exported(form)} for form in formats.values()
    }
    return {
        **_operation(
            resource,
            "export",
            f"All {resource.name} that the filters select, as one file.",
            parameters=[
                parameter_component(resource, name)
                for name in export_parameters(resource.name).fields
            ],
            responses={200: {"content": content, "headers": {**_DISPOSITION, **_NO_STORE}}},
            errors=_READING,
        ),
        "description": (
            "What one moment held, in the order of the ids unless `sort` says another, streamed"
            " whatever its length. Where it breaks off halfway, the file says so in a way that no"
            " reader of the format takes for an end: the last line of `ndjson` is no JSON, `csv`"
            " ends within quotes, JSON arrays are not closed, `parquet` has no footer and `bibtex`"
            " ends within an entry. `select` and `include` choose fields in `ndjson`, `csv` and"
            " `parquet`; the others are settled."
        ),
    }


def _exported(form: Format) -> Operation:
    if form.media_type.endswith("json") and form.name != "ndjson":
        return {"type": ["object", "array"]}
    return {"type": "string"}


def model_of(schema: type[Schema]) -> str:
    """What a schema is called in the document."""
    return schema.__name__.removesuffix("Schema")


def _model(resource: Listed) -> str:
    return model_of(resource.document)


def parameter_schema(resource: Listed) -> type[Schema]:
    """What query strings can ask of a resource as one schema, a field each."""
    known = dict(parameters(resource.name, LIST).fields)
    if isinstance(resource, Resource):
        known |= parameters(resource.name, AGGREGATE).fields
        known |= export_parameters(resource.name).fields
    return Schema.from_dict(known)


def parameter_component(resource: Listed, name: str) -> str:
    """The name of the component that describes a parameter of the query string."""
    return name if name in _COMMON_PARAMETERS else f"{resource.name}.{name}"


def _parameters(resource: Listed, known: Parameters) -> list[str]:
    """References to the parameters of a read: those of the query string, and its condition."""
    return [*(parameter_component(resource, name) for name in known.fields), "If-None-Match"]


def _page(resource: Listed) -> Operation:
    schema = page_schema(_model(resource), resource.document)
    return _content(schema, headers={**_ETAG, **_LINK})


def _content(schema: type[Schema], headers: Operation) -> Operation:
    return {"content": {"application/json": {"schema": schema}}, "headers": headers}


def _body(schema: type[Schema], media_type: str) -> Operation:
    return {"required": True, "content": {media_type: {"schema": schema}}}


def _operation(
    resource: Listed,
    call: str,
    summary: str,
    *,
    responses: dict[int, Operation],
    errors: Collection[int],
    **described: Any,
) -> Operation:
    """An operation; what is ``described`` besides stands in it as OpenAPI names it."""
    successes = {200: "Done.", 201: "Added.", 204: "Deleted.", 207: "Done.", **_DESCRIPTIONS}
    return {
        "operationId": f"{resource.name}.{call}",
        "summary": summary,
        "responses": {
            **{str(s): {"description": successes[s], **found} for s, found in responses.items()},
            **{str(status): problem_response(status) for status in errors},
            **({"408": problem_response(408)} if 413 in errors else {}),
        },
        **described,
    }


def following() -> Operation:
    """``GET /v1/changes``."""
    problems = {str(status): problem_response(status) for status in _READING}
    content = _content(ChangePageSchema, headers={**_NO_STORE, **_LINK})
    return {
        "operationId": "changes.follow",
        "summary": "Follow what is changed, in the order in which it was committed.",
        "description": (
            "Whoever takes up every entry, from the beginning on, holds every document as a read"
            " by id gives it: `document` in place of the one held, and none where it is null."
            " Nothing is passed over, however late a transaction is committed, and nothing is"
            " given twice. A page may hold fewer entries than asked for, or none, before it has"
            " caught up: go on with `next_cursor`. With `wait` an answer comes as soon as there is"
            " an entry, or empty when the time is over."
        ),
        "parameters": [{"in": "query", "schema": CHANGES.schema()}],
        "responses": {"200": {"description": "Done.", **content}, **problems},
    }


def problem_response(status: int) -> Operation:
    """The response of an error, as a reference to its component."""
    return {"$ref": f"#/components/responses/Problem{status}"}


def problem_components() -> dict[str, Operation]:
    """The components that ``problem_response`` refers to, by name."""
    content = {"application/problem+json": {"schema": "ProblemSchema"}}
    return {
        f"Problem{status}": {"description": description, "content": content}
        for status, description in _DESCRIPTIONS.items()
        if status >= 400
    }
