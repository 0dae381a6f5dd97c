"""How the calls are described in the OpenAPI document, from the schemas that check them."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema, fields

from hksz_db.api.bodies import MERGE_PATCH, PLAIN_TEXT
from hksz_db.api.options import MAX_PER_PAGE
from hksz_db.api.resource import Listed, Resource
from schemas.changes import CHANGES_OPTIONS, ChangePageSchema
from schemas.pages import as_of_option, groups_schema, options, page_schema, tree_schema
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
    404: "There never was such a row.",
    409: "The request clashes with what is stored.",
    410: "The row was deleted; it can be restored.",
    412: "The row has another version than If-Match names.",
    413: "The body is too long.",
    415: "The body is of another media type.",
    422: "A value breaks a rule; the errors say which and where.",
    428: "If-Match is missing.",
    503: "The database does not answer, or too many wait already.",
}
_FIELD_OPTIONS = {"select", "include", "as_of"}
_READING = (400, 401, 503)
_WRITING = (400, 401, 403, 409, 413, 415, 422, 503)
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": True,
    "description": "The ETag of the version that was read.",
    "schema": {"type": "string", "pattern": r'^"[0-9]{1,9}(-[0-9a-f]{16})?"$'},
}
_IF_NONE_MATCH = {
    "name": "If-None-Match",
    "in": "header",
    "description": "The ETag of an answer that the client holds.",
    "schema": {"type": "string", "pattern": r'^"[0-9a-f-]{1,26}"$'},
}
_ETAG = {"ETag": {"description": "Names this very answer.", "schema": {"type": "string"}}}
_NO_STORE = {"Cache-Control": {"description": "no-store", "schema": {"type": "string"}}}
_LINK = {"Link": {"description": "The next page (rel=next).", "schema": {"type": "string"}}}
_LOCATION = {"Location": {"description": "Where the row is.", "schema": {"type": "string"}}}


def listing(resource: Listed) -> Operation:
    """``GET /v1/R``."""
    return _operation(
        resource,
        "list",
        f"List {resource.name}: {_ways(resource)}, a page a time.",
        parameters=[
            _query(resource, "List", _options(resource)),
            *_filter_references(resource),
            _IF_NONE_MATCH,
        ],
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
    known = _options(resource)
    fields_only = {name: field for name, field in known.items() if name in _FIELD_OPTIONS}
    return _operation(
        resource,
        "read",
        f"Read one {resource.singular}, with what is embedded unless asked for less or more.",
        parameters=[_query(resource, "Read", fields_only), _IF_NONE_MATCH],
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
        model = f"{_model(resource)}{name.capitalize()}Schema"
        schema = Schema.from_dict({"data": field}, name=model)
    else:
        assert isinstance(field, fields.Nested)
        schema = type(field.schema)
    return _operation(
        resource,
        f"read_{name}",
        f"Read the {name} of one {resource.singular}, and nothing else of it.",
        parameters=[
            _query(resource, name.capitalize(), {"as_of": as_of_option()}),
            _IF_NONE_MATCH,
        ],
        responses={200: _content(schema, headers=_ETAG), 304: {}, **_redirect(resource)},
        errors=(*_READING, 404, 410),
    )


def creating(resource: Resource) -> Operation:
    """``POST /v1/R``."""
    return _operation(
        resource,
        "create",
        f"Add one {resource.singular}, with all that is given with it, or nothing.",
        requestBody=_body(resource.create_schema, "application/json"),
        responses={201: _content(resource.document, headers={**_ETAG, **_LOCATION})},
        errors=_WRITING,
        security=_WITH_KEY,
    )


def changing(resource: Resource) -> Operation:
    """``PATCH /v1/R/{id}``."""
    return _operation(
        resource,
        "change",
        f"Change one {resource.singular} by a merge patch (RFC 7396).",
        parameters=[_IF_MATCH],
        requestBody=_body(resource.patch_schema, MERGE_PATCH, "application/json"),
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
        parameters=[_IF_MATCH],
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
        parameters=[_IF_MATCH],
        responses={200: _content(resource.document, headers=_ETAG)},
        errors=(400, 401, 403, 404, 409, 412, 428, 503),
        security=_WITH_KEY,
    )


def merging(resource: Resource, schema: type[Schema]) -> Operation:
    """``POST /v1/R/{id}/merge``."""
    return _operation(
        resource,
        "merge",
        f"Merge one {resource.singular} into another, to which all that refers to it is moved;"
        " its id answers with 308 from then on. Also needs the scope review.",
        parameters=[_IF_MATCH],
        requestBody=_body(schema, "application/json"),
        responses={200: _content(resource.document, headers=_ETAG)},
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
        parameters=[_IF_MATCH],
        responses={200: _content(resource.document, headers=_ETAG)},
        errors=(400, 401, 403, 404, 409, 412, 428, 503),
        security=_WITH_KEY,
    )


def _redirect(resource: Resource) -> dict[int, Operation]:
    """The answer to a read of a row that was merged, where rows can be."""
    return {308: {"headers": {**_ETAG, **_LOCATION}}} if resource.readable.can_be_merged else {}


def querying(resource: Resource) -> Operation:
    """``POST /v1/R/query``."""
    name = _model(resource)
    body = Schema.from_dict(
        {"filter": fields.Nested(tree_schema(name, resource.filters)), **_options(resource)},
        name=f"{name}QuerySchema",
    )
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
    groups = tuple(resource.readable.groups)
    known = _options(resource)
    shared = {name: field for name, field in known.items() if name in {"q", "as_of"}}
    own = {"group_by": _group_by(groups), **shared}
    return _operation(
        resource,
        "aggregate",
        f"Count {resource.name} by a field, the most frequent first.",
        parameters=[
            _query(resource, "Aggregate", own),
            *_filter_references(resource),
            _IF_NONE_MATCH,
        ],
        responses={200: _content(groups_schema(_model(resource), groups), headers=_ETAG), 304: {}},
        errors=_READING,
    )


def _group_by(groups: Iterable[str]) -> fields.Field[Any]:
    field = options((), groups, (), searchable=False, max_per_page=1)["select"]
    field.required = True
    field.metadata = {**field.metadata, "description": "The fields to group by."}
    return field


def _model(resource: Listed) -> str:
    return resource.document.__name__.removesuffix("Schema")


def _options(resource: Listed) -> dict[str, fields.Field[Any]]:
    readable = resource.readable
    return options(
        readable.sorts,
        readable.document,
        readable.embeds,
        searchable=readable.search is not None,
        max_per_page=MAX_PER_PAGE,
    )


def filter_schema(resource: Listed) -> type[Schema]:
    """The filters of a resource as one schema, a field each."""
    filters = {name: known.field for name, known in resource.filters.items()}
    return Schema.from_dict(filters, name=f"{_model(resource)}FiltersSchema")


def filter_component(resource: Listed, name: str) -> str:
    """The name of the component that describes a filter."""
    return f"{resource.name}.{name}"


def _filter_references(resource: Listed) -> list[str]:
    return [filter_component(resource, name) for name in resource.filters]


def _query(resource: Listed, call: str, known: dict[str, fields.Field[Any]]) -> Operation:
    schema = Schema.from_dict(dict(known), name=f"{_model(resource)}{call}Schema")
    return {"in": "query", "schema": schema}


def _page(resource: Listed) -> Operation:
    schema = page_schema(_model(resource), resource.document)
    return _content(schema, headers={**_ETAG, **_LINK})


def _content(schema: type[Schema], headers: Operation) -> Operation:
    return {"content": {"application/json": {"schema": schema}}, "headers": headers}


def _body(schema: type[Schema], *media_types: str) -> Operation:
    content = {media_type: {"schema": schema} for media_type in media_types}
    return {"required": True, "content": content}


def _operation(
    resource: Listed,
    call: str,
    summary: str,
    *,
    responses: dict[int, Operation],
    errors: Iterable[int],
    **described: Any,
) -> Operation:
    """An operation; what is ``described`` besides stands in it as OpenAPI names it."""
    successes = {200: "Done.", 201: "Added.", 204: "Deleted.", **_DESCRIPTIONS}
    return {
        "operationId": f"{resource.name}.{call}",
        "summary": summary,
        "responses": {
            **{str(s): {"description": successes[s], **found} for s, found in responses.items()},
            **{str(status): problem_response(status) for status in errors},
        },
        **described,
    }


def following() -> Operation:
    """``GET /v1/changes``."""
    query = Schema.from_dict(dict(CHANGES_OPTIONS), name="ChangesQuerySchema")
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
        "parameters": [{"in": "query", "schema": query}],
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
