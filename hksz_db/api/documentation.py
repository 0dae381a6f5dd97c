"""The OpenAPI document, and a page to read it with that needs no internet."""

from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from flask import Blueprint, Flask
from flask_smorest import Api
from flask_swagger_ui import get_swaggerui_blueprint
from marshmallow import Schema, fields

from hksz_db.api import operations
from hksz_db.api.catalogue import LISTS
from schemas.filters import ValueList
from schemas.pages import ProblemSchema

TITLE = "HKSZ claims"
VERSION = "1.0.0"
DESCRIPTION = (
    "Who says what about how Hong Kong and Shenzhen work together in technology, with which"
    " figures, on what evidence. Reading is open; writing needs a key."
)


class _Api(Api):  # type: ignore[misc]
    # Each call lists its own errors; a catch-all beside them would tell a client nothing.
    DEFAULT_ERROR_RESPONSE_NAME = None


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
    plugin = MarshmallowPlugin(schema_name_resolver=_model_name)
    api = _Api(app, spec_kwargs={"marshmallow_plugin": plugin})
    converter = plugin.converter
    assert converter is not None
    converter.add_parameter_attribute_function(_separated_by_commas)
    _add_components(api, converter)
    app.register_blueprint(_viewer())
    return api


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
    for resource in LISTS:
        # Components, because a list and its aggregate have them in common.
        schema = operations.filter_schema(resource)
        for parameter in converter.schema2parameters(schema, location="query"):
            name = operations.filter_component(resource, parameter["name"])
            api.spec.components.parameter(name, "query", parameter)


def _model_name(schema: type[Schema] | Schema | str) -> str:
    cls = schema if isinstance(schema, type) else type(schema)
    name = schema if isinstance(schema, str) else cls.__name__
    return name.removesuffix("Schema")


def _separated_by_commas(_: Any, field: fields.Field[Any], **__: Any) -> dict[str, Any]:
    return {"explode": False, "style": "form"} if isinstance(field, ValueList) else {}
