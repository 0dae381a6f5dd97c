"""Routing: what is checked before the view of a call runs, as the call declares it."""

import hashlib
import re
from collections.abc import Callable, Mapping
from functools import partial

from flask import Blueprint, Flask, Response, current_app, g, request
from structlog.contextvars import bind_contextvars

from hksz_db.api.answers import json_response
from hksz_db.api.calls import Call, Section
from hksz_db.api.requests import Write, bearer_key, read_body
from hksz_db.database import Session, undone
from hksz_db.domain.errors import Malformed
from hksz_db.domain.vocabulary import Scope
from hksz_db.http.conditions import matched_versions
from hksz_db.http.costs import costs
from hksz_db.http.requests import arguments, database
from hksz_db.services.api_keys import Actor, authenticate
from hksz_db.services.idempotency import Answer, Repeatable, begin, keep
from hksz_db.services.writing import retried, writing

IDEMPOTENCY_KEY = "Idempotency-Key"
KEY_PATTERN = "^[!-~]{1,255}$"
REPLAYED = "Idempotency-Replayed"
_ATTEMPTS = 3


def register_calls(app: Flask, section: Section) -> None:
    """Route requests to the calls of a section."""
    blueprint = Blueprint(section.name, __name__, url_prefix=f"/v1/{section.name}")
    for call in section.calls:
        view = costs(call.cost, call.counted)(partial(_answer, call))
        blueprint.add_url_rule(call.rule, call.name, view, methods=[call.method])
    app.register_blueprint(blueprint)


def _answer(call: Call, **variables: object) -> Response:
    if call.scope is None:
        if not current_app.config["OPEN_READS"]:
            key = bearer_key()
            with writing(database()) as session:
                bind_contextvars(key=authenticate(session, key).label)
        _refuse_unknown_parameters(call)
        return call.view(**variables)
    return retried(partial(_write, call, call.scope, variables), _ATTEMPTS)


def _write(call: Call, scope: Scope, variables: Mapping[str, object]) -> Response:
    key = bearer_key()
    with writing(database()) as session:
        actor = authenticate(session, key, g.request_id)
        bind_contextvars(key=actor.label)
        actor.demand(scope)
        if call.reviews:
            actor.demand(Scope.REVIEW)
        _refuse_unknown_parameters(call)
        versions = matched_versions() if call.if_match else None
        dry_run = call.has_dry_run and call.parameters.read(arguments())["dry_run"]
        write = partial(call.view, Write(session, actor, versions, dry_run), **variables)
        if dry_run:
            return _rolled_back(session, write)
        return _once(session, actor, write) if call.is_repeatable else write()


def _refuse_unknown_parameters(call: Call) -> None:
    # The view of a call that has parameters reads them.
    if not call.parameters.fields:
        call.parameters.read(arguments())


def _rolled_back(session: Session, work: Callable[[], Response]) -> Response:
    """The response of ``work``, whose writes are rolled back."""
    # The use of the key is still recorded. What is checked at the commit only guards against
    # concurrent changes.
    with undone(session):
        return work()


def _once(session: Session, actor: Actor, work: Callable[[], Response]) -> Response:
    """The response of ``work``, or the one that it gave to the same request before.

    Nothing is stored without an ``Idempotency-Key``, nor for an error, whose transaction is rolled
    back. Raises ``Malformed`` for an invalid key, and ``InFlight`` and ``Invalid`` like ``begin``.
    """
    key = request.headers.get(IDEMPOTENCY_KEY)
    if key is None:
        return work()
    if not re.fullmatch(KEY_PATTERN, key):
        raise Malformed(
            f"{IDEMPOTENCY_KEY} must have 1 to 255 visible ASCII characters, without spaces."
        )
    this = Repeatable(actor.id, key, _digest())
    before = begin(session, this)
    if before is not None:
        return _replay(before)
    response = work()
    tag, location = (response.headers.get(name) for name in ("ETag", "Location"))
    keep(session, this, Answer(response.status_code, tag, location, response.get_data()))
    return response


def _digest() -> bytes:
    """The SHA-256 of the request: method, path, query string, ``If-Match`` and body."""
    asked = (request.path, request.query_string.decode("latin-1"), request.headers.get("If-Match"))
    digest = hashlib.sha256(repr((request.method, *asked)).encode("utf-8", "surrogatepass"))
    digest.update(read_body())
    return digest.digest()


def _replay(answer: Answer) -> Response:
    response = json_response(answer.body, answer.status)
    for name, value in (("ETag", answer.etag), ("Location", answer.location)):
        if value is not None:
            response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response
