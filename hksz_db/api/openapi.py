"""The OpenAPI document, from the declarations of the calls and the schemas that they name."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from inspect import cleandoc, getdoc
from typing import Any

from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from hksz_db.api.calls import Call, Content, Section
from hksz_db.api.problems import MEANINGS, MEDIA_TYPE
from hksz_db.api.routing import IDEMPOTENCY_KEY, KEY_PATTERN, REPLAYED
from schemas.fields import Alternatives, Breakdown, BreakdownText, Choice
from schemas.filters import ValueList
from schemas.pages import ProblemSchema
from schemas.parameters import Parameters

TITLE = "HKSZ claims"
VERSION = "1.0.0"
DESCRIPTION = (
    "Who says what about how Hong Kong and Shenzhen work together in technology, with which"
    " figures, on what evidence. Reading is open; writing needs a key. A list in a query string is"
    " separated by commas, or given a value at a time."
)

_KEY = {"type": "http", "scheme": "bearer", "description": "A key: hksz_…"}
_SUCCESSES = {
    200: "Done.",
    201: "Added.",
    204: "Deleted.",
    207: "Done; each item has a status of its own.",
    304: "The response that the client has is still current.",
    308: "The row was merged into the one in Location; undoing the merge needs the ETag.",
}
_REQUEST_HEADERS: Mapping[str, dict[str, object]] = {
    "If-Match": {
        "required": True,
        "description": (
            "The ETag of the version that was read. A weak one is accepted, too, because only the"
            " version in it is compared."
        ),
        "schema": {"type": "string", "pattern": r'^(W/)?"[0-9]{1,9}(-[0-9a-f]{16})?"$'},
    },
    "Accept-Language": {
        "description": (
            "The languages in which names of entities are shown, unless `lang` is given. Names that"
            " exist in none of them are shown as without it."
        ),
        "schema": {"type": "string", "examples": ["zh-Hant-HK, en;q=0.5"]},
    },
    "If-None-Match": {
        "description": "The ETag of a response that the client has.",
        "schema": {"type": "string", "pattern": r'^(W/)?"[0-9a-f-]{1,26}"$'},
    },
    IDEMPOTENCY_KEY: {
        "description": (
            "A unique name for this request, such as a UUID. If you received no answer, send the"
            " same request again: you get the first answer, marked `Idempotency-Replayed: true`."
            " Answers are kept for 24 hours. While the first request is being processed, the answer"
            " is 409 with Retry-After. Another request with the same name is answered with 422."
            " Errors are not kept: the request is processed again."
        ),
        "schema": {"type": "string", "pattern": KEY_PATTERN},
    },
}
_RESPONSE_HEADERS: Mapping[str, dict[str, object]] = {
    "Cache-Control": {"description": "no-store", "schema": {"type": "string"}},
    "Content-Disposition": {"description": "A name for the file.", "schema": {"type": "string"}},
    "Content-Language": {
        "description": "The languages of the names of entities, if the request asks for some.",
        "schema": {"type": "string"},
    },
    "ETag": {"description": "Identifies this response.", "schema": {"type": "string"}},
    "Link": {"description": "The next page (rel=next).", "schema": {"type": "string"}},
    "Location": {"description": "The path of the row.", "schema": {"type": "string"}},
    "Vary": {"description": "Accept-Language, Accept or both.", "schema": {"type": "string"}},
    REPLAYED: {
        "description": "true if this is the answer to an earlier request of the same name.",
        "schema": {"type": "string", "const": "true"},
    },
}
_HEADERS_OF_ERRORS: Mapping[int, Mapping[str, dict[str, object]]] = {
    429: {
        "RateLimit": {
            "description": (
                "The quota, the units of it that are free (`r`), and the seconds until all are free"
                ' (`t`): `"address";r=40;t=60`. All answers that count have this header.'
            ),
            "schema": {"type": "string"},
        },
        "RateLimit-Policy": {
            "description": 'The units (`q`) in so many seconds (`w`): `"address";q=6000;w=60`.',
            "schema": {"type": "string"},
        },
        "Retry-After": {
            "description": "The seconds until the request is allowed.",
            "schema": {"type": "integer"},
        },
    },
}
_SHARED_PARAMETERS = {
    "as_of",
    "atomic",
    "count",
    "cursor",
    "dry_run",
    "lang",
    "mode",
    "per_page",
    "q",
}
_VARIABLE = re.compile("<([a-z]+):([a-z_]+)>")
_VARIABLE_SCHEMAS = {
    "int": {"type": "integer", "minimum": 0},
    "uuid": {"type": "string", "format": "uuid"},
}


def openapi_document(sections: Iterable[Section]) -> dict[str, object]:
    """The document that describes the calls of the sections."""
    plugin = _Plugin(schema_name_resolver=_model_name)
    spec = APISpec(
        TITLE,
        VERSION,
        "3.1.0",
        [plugin],
        info={"description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
        components={"securitySchemes": {"bearer": _KEY}},
    )
    converter = plugin.converter
    assert converter is not None
    converter.add_attribute_function(_choice)  # type: ignore[no-untyped-call]
    converter.add_parameter_attribute_function(_separated_by_commas)
    spec.components.schema("Problem", schema=ProblemSchema)
    for status, meaning in MEANINGS.items():
        content = {MEDIA_TYPE: {"schema": ProblemSchema}}
        described = {"description": meaning, "content": content}
        if status in _HEADERS_OF_ERRORS:
            described["headers"] = _HEADERS_OF_ERRORS[status]
        spec.components.response(f"Problem{status}", described)
    for name, header in _REQUEST_HEADERS.items():
        spec.components.parameter(name, "header", header)
    for section in sections:
        spec.tag({"name": section.name, "description": getdoc(section.schema)})
        for call in section.calls:
            parameters = [*_parameters(converter, call.parameters), *_request_headers(call)]
            spec.path(
                f"/v1/{section.name}" + _VARIABLE.sub(r"{\2}", call.rule),
                operations={call.method.lower(): _operation(section, call, parameters)},
                parameters=[
                    {"in": "path", "name": n, "required": True, "schema": _VARIABLE_SCHEMAS[t]}
                    for t, n in _VARIABLE.findall(call.rule)
                ],
            )
    return spec.to_dict()


def _operation(section: Section, call: Call, parameters: list[str]) -> dict[str, object]:
    summary, description = section.prose(call)
    found: dict[str, object] = {
        "operationId": f"{section.name}.{call.name}",
        "tags": [section.name],
        "summary": summary,
        "parameters": parameters,
        "responses": _responses(call),
    }
    if description:
        found["description"] = description
    if call.body is not None:
        found["requestBody"] = {"required": True, "content": _content(call.body)}
    if call.scope is not None:
        found["security"] = [{"bearer": []}]
    return found


def _parameters(converter: OpenAPIConverter, parameters: Parameters) -> Iterator[str]:
    """The names of the components that describe a query string, which are added if missing."""
    components = converter.spec.components
    for parameter in converter.schema2parameters(parameters.schema(), location="query"):
        name = parameter["name"]
        is_shared = name in _SHARED_PARAMETERS
        if not is_shared or components.parameters.get(name, parameter) != parameter:
            name = f"{parameters.subject}.{name}"
        if name not in components.parameters:
            components.parameter(name, "query", parameter)
        assert components.parameters[name] == parameter, name
        yield name


def _request_headers(call: Call) -> Iterator[str]:
    if call.negotiates:
        yield "Accept-Language"
    if call.is_cacheable:
        yield "If-None-Match"
    if call.if_match:
        yield "If-Match"
    if call.is_repeatable:
        yield IDEMPOTENCY_KEY


def _responses(call: Call) -> dict[str, object]:
    names = {*call.headers}
    names |= {"Location"} if call.status == 201 else set()
    names |= {"Content-Language", "Vary"} if call.negotiates else set()
    names |= {REPLAYED} if call.is_repeatable else set()
    success: dict[str, object] = {"description": _SUCCESSES[call.status]}
    if call.answer is not None:
        success["content"] = _content(call.answer)
    if names:
        success["headers"] = {name: _RESPONSE_HEADERS[name] for name in sorted(names)}
    found: dict[int, Any] = {call.status: success}
    if call.is_cacheable:
        found[304] = {"description": _SUCCESSES[304]}
    if call.redirects:
        headers = {name: _RESPONSE_HEADERS[name] for name in ("ETag", "Location")}
        found[308] = {"description": _SUCCESSES[308], "headers": headers}
    found |= {status: f"Problem{status}" for status in call.expected_errors}
    return {str(status): found[status] for status in sorted(found)}


def _content(content: Content) -> dict[str, object]:
    schemas = content if isinstance(content, Mapping) else {"application/json": content}
    return {media_type: {"schema": schema} for media_type, schema in schemas.items()}


def _model_name(schema: type[Schema] | Schema) -> str:
    named = schema if isinstance(schema, type) else type(schema)
    return named.__name__.removesuffix("Schema")


class _Plugin(MarshmallowPlugin):
    def schema_helper(self, name: str, _: Any, schema: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        described = super().schema_helper(name, _, schema, **kwargs)  # type: ignore[no-untyped-call]
        text = schema.__doc__ if schema else None
        return {"description": cleandoc(text), **described} if text else described


def _choice(
    converter: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, object]
) -> dict[str, object]:
    """A reference to a component, which has a name and is written once."""
    match field:
        case Choice():
            model, described = field.model, _terms(field)
        case Alternatives():
            return _alternatives(converter, field)
        case fields.Constant():
            ret.pop("default")
            return {"type": "string", "const": field.constant}
        case BreakdownText():
            return {}
        case Breakdown():
            model, described = "Breakdown", dict(Breakdown.DESCRIPTION)
        case _:
            return {}
    ret.pop("type", None)
    known = converter.spec.components.schemas.setdefault(model, described)
    assert known == described, model
    reference: dict[str, object] = {"$ref": f"#/components/schemas/{model}"}
    if not field.allow_none:
        return reference
    return {"anyOf": [reference, {"type": "null"}]}


def _alternatives(converter: OpenAPIConverter, field: Alternatives) -> dict[str, object]:
    resolve: Callable[[type[Schema]], dict[str, object]] = converter.resolve_nested_schema
    references = [resolve(schema) for schema in field.schemas]
    if field.discriminator_field is not None:
        mapping = {
            value: reference["$ref"]
            for value, reference in zip(field.values, references, strict=True)
        }
        discriminator = {"propertyName": field.discriminator_field, "mapping": mapping}
        return {"oneOf": references, "discriminator": discriminator}
    return {"anyOf": [*references, *([{"type": "null"}] if field.allow_none else [])]}


def _terms(field: Choice) -> dict[str, object]:
    described: dict[str, object] = {"type": "string", "enum": list(field.terms)}
    if field.about:
        described["description"] = field.about
    if any(term.startswith("-") for term in field.terms):
        # Generators of clients cannot turn a hyphen into a name.
        described["x-enum-varnames"] = [_constant(term) for term in field.terms]
    return described


def _constant(key: str) -> str:
    name = key.removeprefix("-").upper()
    return name if name == key.upper() else f"{name}_DESCENDING"


def _separated_by_commas(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, object]:
    return {"explode": False, "style": "form"} if isinstance(field, ValueList) else {}
