"""Routing: what is checked before the view of a call runs, as the call declares it."""

from functools import partial
from typing import Any

from flask import Blueprint, Flask, Response

from hksz_db.api.access import Write, check_reader, writing_as
from hksz_db.api.calls import Call, Section
from hksz_db.api.conditions import matched_versions
from hksz_db.api.costs import costs
from hksz_db.api.parameters import no_parameters
from hksz_db.api.repeats import once
from hksz_db.domain.vocabulary import Scope


def register_calls(app: Flask, section: Section) -> None:
    """Route requests to the calls of a section."""
    blueprint = Blueprint(section.name, __name__, url_prefix=f"/v1/{section.name}")
    for call in section.calls:
        view = costs(call.cost)(partial(_answer, call))
        blueprint.add_url_rule(call.rule, call.name, view, methods=[call.method])
    app.register_blueprint(blueprint)


def _answer(call: Call, **variables: Any) -> Response:
    if call.scope is None:
        check_reader()
        _check_parameters(call)
        return call.view(**variables)
    with writing_as(call.scope) as (session, actor):
        if call.reviews:
            actor.demand(Scope.REVIEW)
        _check_parameters(call)
        versions = matched_versions() if call.if_match else None
        write = partial(call.view, Write(session, actor, versions), **variables)
        return once(session, actor, write) if call.is_repeatable else write()


def _check_parameters(call: Call) -> None:
    if call.parameters is None:
        no_parameters()
