"""Calls that are not below ``/v1``: health, readiness and metrics, and the documentation."""

import hashlib
import re
import time
from base64 import b64encode
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple, cast
from uuid import uuid4

import structlog
from flask import Blueprint, Flask, Response, current_app, g, request, url_for
from flask_swagger_ui import get_swaggerui_blueprint
from prometheus_client import CONTENT_TYPE_LATEST
from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

from hksz_db.api import answers
from hksz_db.api.calls import NO_PARAMETERS, Section
from hksz_db.api.monitoring import Samplers, exposition
from hksz_db.api.openapi import DESCRIPTION, TITLE, VERSION, openapi_document
from hksz_db.api.readiness import Readiness, State
from hksz_db.database.replicas import ReplicatedDatabase
from hksz_db.domain.strict_json import compact
from hksz_db.http.costs import Cost, costs
from hksz_db.http.metrics import BROKEN_OFF, REQUESTS, SECONDS
from hksz_db.http.requests import arguments, primary

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The header of W3C Trace Context, by which a request is followed through several services.
_TRACEPARENT = re.compile("[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_METHODS = {"GET", "HEAD", "POST", "PATCH", "DELETE", "OPTIONS", "PUT"}
_LINKS = {
    "docs": "swagger_ui.show",
    "openapi": "openapi",
    "changes": "changes.follow",
    "health": "operating.healthz",
    "ready": "operating.readyz",
    "metrics": "operating.metrics",
}

HEALTHY = b'{"status":"ok"}\n'
"""The answer of ``/healthz``."""

blueprint = Blueprint("operating", __name__)
_log = structlog.get_logger(__name__)


BEGUN = "hksz.begun"
"""The key of a WSGI environment that holds what a request ``Begun`` before Flask has."""


class Begun(NamedTuple):
    """The id of a request, and when its answer was begun (``time.perf_counter``)."""

    request_id: str
    at: float


class Answered(NamedTuple):
    """An answer, as it is counted and logged; ``seconds`` is the time that it took."""

    method: str
    route: str
    status: int
    seconds: float


def register_operating(app: Flask) -> None:
    """Give requests an id, measure them, and add the calls for operators."""
    replicated: ReplicatedDatabase | None = app.extensions.get("hksz_replicated_database")
    app.extensions["hksz_readiness"] = Readiness(
        lambda: primary(app), replicated and replicated.replica
    )
    app.extensions["hksz_samplers"] = Samplers.of(app)
    app.config.setdefault("ACCESS_LOG", False)
    app.before_request(_begin)
    app.after_request(_end)
    app.register_blueprint(blueprint)


def new_request_id() -> str:
    """The id of a request that has none."""
    return str(uuid4())


def observe(answer: Answered, *, is_logged: bool) -> None:
    """Count an answer and how long it took, and log it if each is to be logged."""
    REQUESTS.labels(answer.method, answer.route, str(answer.status)).inc()
    SECONDS.labels(answer.method, answer.route).observe(answer.seconds)
    if is_logged:
        _log.info(
            "answered", route=answer.route, status=answer.status, seconds=round(answer.seconds, 4)
        )


class _Stream:
    """The pieces of an answer that is streamed; when it ends, it is logged how.

    A stream that is closed before its end has been broken off: it has failed, or the client has
    gone or has stopped reading.
    """

    def __init__(self, pieces: Iterable[bytes], answered: Answered, *, is_logged: bool) -> None:
        self._pieces = iter(pieces)
        self._close = getattr(pieces, "close", None)
        self._answered = answered
        self._is_logged = is_logged
        # The thread that sends the last piece has answered other requests meanwhile.
        self._context = get_contextvars()
        self._begun = time.perf_counter() - answered.seconds
        self._sent = 0
        self._cause: str | None = "client"
        self._reason = "The client has gone, or has stopped reading."
        self._has_ended = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        try:
            piece = next(self._pieces)
        except StopIteration:
            self._cause = None
            raise
        except Exception as error:
            self._cause = "failed"
            self._reason = str(error.__cause__ or error).partition("\n")[0]
            raise
        self._sent += len(piece)
        return piece

    def close(self) -> None:
        """End the stream and log it, once."""
        if self._close is not None:
            self._close()
        if not self._has_ended:
            self._has_ended = True
            self._log()

    def _log(self) -> None:
        _, route, status, _ = self._answered
        seconds = round(time.perf_counter() - self._begun, 4)
        line = {"route": route, "status": status, "seconds": seconds, "bytes": self._sent}
        log = _log.bind(**self._context, **line)
        if self._cause is None:
            if self._is_logged:
                log.info("answered")
            return
        BROKEN_OFF.labels(self._cause).inc()
        log.warning("broken_off", cause=self._cause, reason=self._reason)


def bind_request_to_log(environ: "WSGIEnvironment", request_id: str) -> None:
    """Add the request to what this thread logs until the next one."""
    traceparent = environ.get("HTTP_TRACEPARENT", "")
    clear_contextvars()
    bind_contextvars(
        request_id=request_id,
        method=environ["REQUEST_METHOD"],
        path=environ["PATH_INFO"].encode("latin-1").decode(errors="backslashreplace"),
        **({"traceparent": traceparent} if _TRACEPARENT.fullmatch(traceparent) else {}),
    )


def _begin() -> None:
    given = request.headers.get("X-Request-ID", "")
    request_id = given if _REQUEST_ID.fullmatch(given) else new_request_id()
    g.request_id, g.started = request.environ.get(BEGUN) or (request_id, time.perf_counter())
    bind_request_to_log(request.environ, g.request_id)


def _end(response: Response) -> Response:
    # Paths are unlimited in number, since clients can make them up; rules are not.
    route = request.url_rule.rule if request.url_rule else "none"
    method = request.method if request.method in _METHODS else "other"
    answered = Answered(method, route, response.status_code, time.perf_counter() - g.started)
    is_logged = current_app.config["ACCESS_LOG"]
    is_streamed = response.is_streamed and not response.direct_passthrough
    observe(answered, is_logged=is_logged and not is_streamed)
    if is_streamed:
        pieces = cast("Iterable[bytes]", response.response)
        response.response = _Stream(pieces, answered, is_logged=is_logged)
    response.headers["X-Request-ID"] = g.request_id
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response


@blueprint.get("/healthz")
@costs(Cost.PROBE)
def healthz() -> Response:
    """Answer 200 while the process runs."""
    return Response(HEALTHY, content_type="application/json")


@blueprint.get("/readyz")
@costs(Cost.PROBE)
def readyz() -> Response:
    """Answer 200 if this service can answer reads, and say whether it can write."""
    readiness: Readiness = current_app.extensions["hksz_readiness"]
    return Response(ready_body(readiness.state()), content_type="application/json")


def ready_body(state: State) -> bytes:
    """The answer of ``/readyz`` in this state."""
    return compact({"status": "ready", **asdict(state)}) + b"\n"


@blueprint.get("/metrics")
@costs(Cost.METRICS)
def metrics() -> Response:
    """The metrics of all workers, for Prometheus."""
    return Response(exposition(current_app), content_type=CONTENT_TYPE_LATEST)


def register_documentation(app: Flask, sections: Sequence[Section]) -> None:
    """Serve an index, the OpenAPI document, and a page to read it that needs no internet."""

    @cache
    def document() -> bytes:
        # Making it takes about a sixth of the start of a process, so it is made when asked for.
        return compact(openapi_document(sections))

    @app.get("/openapi.json")
    @costs(Cost.MEMORY)
    def openapi() -> Response:
        return Response(document(), content_type="application/json")

    @app.get("/")
    @costs(Cost.MEMORY)
    def index() -> Response:
        NO_PARAMETERS.read(arguments())
        lists = [each.name for each in sections if any(call.name == "list" for call in each.calls)]
        about = {
            "name": TITLE,
            "version": VERSION,
            "description": DESCRIPTION,
            "links": {name: url_for(endpoint) for name, endpoint in _LINKS.items()},
            "collections": {name: url_for(f"{name}.list") for name in lists},
        }
        return answers.tagged(compact(about))

    # By default the viewer would ask a service on the internet to validate the document.
    config = {"app_name": TITLE, "validatorUrl": None}
    viewer = get_swaggerui_blueprint("/docs", "/openapi.json", config=config)
    viewer.after_request(_restrict_viewer)
    app.register_blueprint(viewer)
    costs(Cost.MEMORY)(app.view_functions["swagger_ui.show"])


def _restrict_viewer(response: Response) -> Response:
    """Let the page of the viewer run its own scripts only; one of them is in its text."""
    if response.mimetype == "text/html" and not response.direct_passthrough:
        scripts = re.findall(b"<script>(.*?)</script>", response.get_data(), re.DOTALL)
        hashes = (b64encode(hashlib.sha256(script).digest()).decode() for script in scripts)
        allowed = " ".join(f"'sha256-{each}'" for each in hashes)
        response.headers["Content-Security-Policy"] = (
            f"default-src 'none'; script-src 'self' {allowed}; style-src 'self' 'unsafe-inline';"
            " img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none';"
            " frame-ancestors 'none'"
        )
    return response
