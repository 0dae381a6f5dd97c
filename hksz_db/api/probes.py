"""Ordinary probes, answered by the event loop, so that they wait for no thread and no database.

An ordinary probe is a ``GET`` without a header that changes the answer. Flask answers others.
"""

import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from flask import Flask
from structlog.contextvars import clear_contextvars

from hksz_db.api.operating import (
    HEALTHY,
    Answered,
    bind_request_to_log,
    new_request_id,
    observe,
    ready_body,
)
from hksz_db.api.ordinary_reads import DECISIVE, Found
from hksz_db.api.readiness import Readiness

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

_DECISIVE = DECISIVE | {"CONTENT_LENGTH", "HTTP_TRANSFER_ENCODING"}


class Probes:
    """Answers the ordinary probes of an app."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._readiness: Readiness = app.extensions["hksz_readiness"]
        self._bodies: Mapping[str, Callable[[], bytes | None]] = {
            "/healthz": lambda: HEALTHY,
            "/readyz": self._ready,
        }

    def watch(self) -> None:
        """Begin to ask the database in the background."""
        self._readiness.watch()

    def close(self) -> None:
        """End asking."""
        self._readiness.close()

    def answer(self, environ: "WSGIEnvironment") -> Found | None:
        """The answer to a request with status 200, or ``None`` if Flask has to give it."""
        begun = time.perf_counter()
        path = environ["PATH_INFO"]
        make_body = self._bodies.get(path)
        if make_body is None or environ["REQUEST_METHOD"] != "GET":
            return None
        if not _DECISIVE.isdisjoint(environ) or (body := make_body()) is None:
            return None
        request_id = new_request_id()
        bind_request_to_log(environ, request_id)
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", b"%d" % len(body)),
            (b"x-request-id", request_id.encode()),
            (b"x-content-type-options", b"nosniff"),
        ]
        answered = Answered("GET", path, 200, time.perf_counter() - begun)
        observe(answered, is_logged=self._app.config["ACCESS_LOG"])
        # The event loop goes on with other requests in the same context.
        clear_contextvars()
        return Found(headers, body)

    def _ready(self) -> bytes | None:
        state = self._readiness.known()
        return None if state is None else ready_body(state)
