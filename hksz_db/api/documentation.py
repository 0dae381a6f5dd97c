"""The OpenAPI document, a page to read it with that needs no internet, and links to all calls."""

import json
from inspect import cleandoc
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Blueprint, Flask, Response, url_for
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint
from marshmallow import Schema, fields

from hksz_db.api import answers, operations
from hksz_db.api.catalogue import LISTS
from hksz_db.api.costs import Cost, costs
from hksz_db.api.parameters import no_parameters
from schemas.fields import Choice
from schemas.filters import ValueList
from schemas.pages import ProblemSchema

TITLE = "HKSZ claims"
VERSION = "1.0.0"
DESCRIPTION = (
    "Who says what about how Hong Kong and Shenzhen work together in technology, with which"
    " figures, on what evidence. Reading is open; writing needs a key. A list in a query string is"
    " separated by commas, or given a value at a time."
)

_LINKS = {
    "docs": "swagger_ui.show",
    "openapi": "api-docs.openapi_json",
    "changes": "changes.follow",
    "health": "operating.healthz",
    "ready": "operating.readyz",
    "metrics": "operating.metrics",
}


class _Api(Api):  # type: ignore[misc]
    # Each call lists its own errors; a catch-all beside them would tell a client nothing.
    DEFAULT_ERROR_RESPONSE_NAME = None

    @costs(Cost.PROBE)
    def _openapi_json(self) -> Response:
        # Without the indentation, which is two fifths of it.
        document = json.dumps(self.spec.to_dict(), separators=(",", ":"))
        return Response(document, content_type="application/json")


def create_api(app: Flask) -> Api:
    """The API of the app; blueprints registered with it are described in ``/openapi.json``."""
    app.config.update(
        API_TITLE=TITLE,
        API_VERSION=VERSION,
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/",
        OPENAPI_JSON_PATH="openapi.json",
        API_SPEC_OPTIONS={
            "info": {"description": DESCRIPTION, "license": {"name": "Apache-2.0"}},
            "components": {"securitySchemes": {"bearer": operations.BEARER}},
        },
    )
    plugin = _Plugin(schema_name_resolver=_model_name)
    api = _Api(app, spec_kwargs={"marshmallow_plugin": plugin})
    converter = plugin.converter
    assert converter is not None
    converter.add_attribute_function(_choice)  # type: ignore[no-untyped-call]
    converter.add_parameter_attribute_function(_separated_by_commas)
    _add_components(api, converter)
    app.register_blueprint(_viewer())
    costs(Cost.PROBE)(app.view_functions["swagger_ui.show"])
    app.add_url_rule("/", "index", index)
    return api


@costs(Cost.PROBE)
def index() -> Response:
    """What the service is, and where its calls are."""
    no_parameters()
    document = {
        "name": TITLE,
        "version": VERSION,
        "description": DESCRIPTION,
        "links": {name: url_for(endpoint) for name, endpoint in _LINKS.items()},
        "collections": {each.name: url_for(f"{each.name}.list") for each in LISTS},
    }
    return answers.tagged(json.dumps(document, separators=(",", ":")).encode())


def _viewer() -> Blueprint:
    # The viewer would ask a service of its makers whether the document is valid.
    config = {"app_name": TITLE, "validatorUrl": None}
    viewer: Blueprint = get_swaggerui_blueprint("/docs", "/openapi.json", config=config)
    return viewer


def _add_components(api: Api, converter: OpenAPIConverter) -> None:
    for stock in ("Error", "PaginationMetadata"):
        api.spec.components.schemas.pop(stock, None)
    api.spec.components.schema("Problem", schema=ProblemSchema)
    for name, response in operations.problem_components().items():
        api.spec.components.response(name, response)
    for name, condition in operations.CONDITIONS.items():
        api.spec.components.parameter(name, "header", condition)
    for resource in LISTS:
        schema = operations.parameter_schema(resource)
        for parameter in converter.schema2parameters(schema, location="query"):
            name = operations.parameter_component(resource, parameter["name"])
            if name not in api.spec.components.parameters:
                api.spec.components.parameter(name, "query", parameter)


def _class(schema: type[Schema] | Schema) -> type[Schema]:
    return schema if isinstance(schema, type) else type(schema)


def _model_name(schema: type[Schema] | Schema | str) -> str:
    return operations.model_of(_class(schema)) if not isinstance(schema, str) else schema


class _Plugin(MarshmallowPlugin):
    def schema_helper(self, name: str, _: Any, schema: Any = None, **kwargs: Any) -> Any:  # type: ignore[override]
        described = super().schema_helper(name, _, schema, **kwargs)  # type: ignore[no-untyped-call]
        text = _class(schema).__doc__ if schema else None
        return {"description": cleandoc(text), **described} if text else described


def _choice(
    converter: OpenAPIConverter, field: fields.Field[Any], ret: dict[str, Any]
) -> dict[str, Any]:
    """A reference to the terms: as components they have names, and are written once."""
    if not isinstance(field, Choice):
        return {}
    del ret["type"]
    terms = _terms(field)
    assert converter.spec.components.schemas.setdefault(field.model, terms) == terms, field.model
    reference = {"$ref": f"#/components/schemas/{field.model}"}
    return {"anyOf": [reference, {"type": "null"}]} if field.allow_none else reference


def _terms(field: Choice) -> dict[str, Any]:
    described: dict[str, Any] = {"type": "string", "enum": list(field.terms)}
    if field.about:
        described["description"] = field.about
    if any(term.startswith("-") for term in field.terms):
        # A generator of clients cannot make a name of a hyphen.
        described["x-enum-varnames"] = [_constant(term) for term in field.terms]
    return described


def _constant(key: str) -> str:
    name = key.removeprefix("-").upper()
    return name if name == key.upper() else f"{name}_DESCENDING"


def _separated_by_commas(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    return {"explode": False, "style": "form"} if isinstance(field, ValueList) else {}
