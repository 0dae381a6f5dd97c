"""The index of the service, the OpenAPI document, and a page to read it that needs no internet."""

import json
from collections.abc import Sequence
from functools import partial

from flask import Flask, Response, url_for
from flask_swagger_ui import get_swaggerui_blueprint

from hksz_db.api import answers
from hksz_db.api.calls import Section
from hksz_db.api.catalogue import LISTS
from hksz_db.api.costs import Cost, costs
from hksz_db.api.openapi import DESCRIPTION, TITLE, VERSION, openapi_document
from hksz_db.api.parameters import no_parameters

_LINKS = {
    "docs": "swagger_ui.show",
    "openapi": "openapi",
    "changes": "changes.follow",
    "health": "operating.healthz",
    "ready": "operating.readyz",
    "metrics": "operating.metrics",
}


def register_documentation(app: Flask, sections: Sequence[Section]) -> None:
    """Serve the documentation of the sections."""
    document = json.dumps(openapi_document(sections), separators=(",", ":")).encode()
    app.add_url_rule("/openapi.json", "openapi", costs(Cost.PROBE)(partial(_openapi, document)))
    app.add_url_rule("/", "index", _index)
    # By default the viewer would ask a service on the internet to validate the document.
    config = {"app_name": TITLE, "validatorUrl": None}
    app.register_blueprint(get_swaggerui_blueprint("/docs", "/openapi.json", config=config))
    costs(Cost.PROBE)(app.view_functions["swagger_ui.show"])


def _openapi(document: bytes) -> Response:
    return Response(document, content_type="application/json")


@costs(Cost.PROBE)
def _index() -> Response:
    no_parameters()
    document = {
        "name": TITLE,
        "version": VERSION,
        "description": DESCRIPTION,
        "links": {name: url_for(endpoint) for name, endpoint in _LINKS.items()},
        "collections": {each.name: url_for(f"{each.name}.list") for each in LISTS},
    }
    return answers.tagged(json.dumps(document, separators=(",", ":")).encode())
