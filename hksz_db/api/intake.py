"""Intake: bodies are read before the work on a request begins.

A thread waits for each body that is still under way, and such threads are cheap; the few that
work on requests never wait for a sender.
"""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


STEP_ASIDE = "hksz.step_aside"
"""Where a request's environment has the function of that name."""

_BULK = re.compile("/v1/[a-z]+/bulk")


def is_bulk(path: str) -> bool:
    """Whether the path takes many items at once, and longer bodies."""
    return _BULK.fullmatch(path) is not None


class Intake:
    """A WSGI application that works on at most ``at_once`` requests, each with its body at hand.

    Of a body at most ``max_bytes`` (of many items: ``max_bulk_bytes``) and one more are read:
    enough to see that it is too long.
    """

    def __init__(
        self, app: "WSGIApplication", at_once: int, max_bytes: int, max_bulk_bytes: int
    ) -> None:
        self.app = app
        self.places = BoundedSemaphore(at_once)
        self.max_bytes = max_bytes
        self.max_bulk_bytes = max_bulk_bytes

    def __call__(
        self, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> "Iterable[bytes]":
        """Take the body in, then answer."""
        wanted = self._wanted(environ)
        body = environ["wsgi.input"].read(wanted) if wanted else b""
        environ["wsgi.input"] = io.BytesIO(body)
        environ[STEP_ASIDE] = self.step_aside
        with self.places:
            return self.app(environ, start_response)

    @contextmanager
    def step_aside(self) -> Iterator[None]:
        """Let another be worked on for as long as the block takes."""
        self.places.release()
        try:
            yield
        finally:
            self.places.acquire()

    def _wanted(self, environ: "WSGIEnvironment") -> int:
        """How many bytes to read; a body that says it is too long is left where it is."""
        many = is_bulk(environ.get("PATH_INFO", ""))
        limit = self.max_bulk_bytes if many else self.max_bytes
        declared = environ.get("CONTENT_LENGTH", "")
        if declared.isascii() and declared.isdigit():
            length = int(declared) if len(declared) < 20 else limit + 1
            return length if length <= limit else 0
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        return limit + 1 if chunked else 0
