"""Ordinary reads by id, answered without Flask, whose machinery takes longer than everything else.

An ordinary read asks for a document by ``GET`` and sends no header that changes the answer. Its
first answer comes from Flask. Later ones for the same resource and query string have the headers of
that answer, except those of the row and of the request.
"""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import parse_qsl
from uuid import UUID

from flask import Flask

from hksz_db.api.operating import Answered, bind_request_to_log, new_request_id, observe
from hksz_db.database import Prepared
from hksz_db.http.conditions import document_tag
from hksz_db.http.documents import content
from hksz_db.http.requests import database_for
from hksz_db.queries.pages import document_statement
from hksz_db.queries.questions import read_document
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Headers = list[tuple[bytes, bytes]]

_PATH = re.compile("(/v1/([a-z]+)/)([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
DECISIVE = {
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_ORIGIN",
    "HTTP_X_REQUEST_ID",
}
"""Headers, as in a WSGI environment, whose meaning Flask decides."""
_DECISIVE_PARAMETERS = {"as_of", "lang"}
_OWN = {b"content-length", b"etag", b"x-request-id"}
_MOST_KNOWN = 500
_LONGEST_KNOWN = 500


class Found(NamedTuple):
    """The headers and the body of an answer with status 200."""

    headers: Headers
    body: bytes


@dataclass(frozen=True)
class _Known:
    """What the answers for a resource and a query string have in common."""

    resource: Readable
    statement: Prepared
    route: str
    headers: Headers


class OrdinaryReads:
    """Answers ordinary reads of the documents of an app."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._routes = {
            resource: next(rule.rule for rule in app.url_map.iter_rules(f"{resource}.read"))
            for resource in RESOURCES
        }
        self._lock = Lock()
        self._known: dict[tuple[str, str], _Known] = {}

    def answer(self, environ: "WSGIEnvironment") -> Found | None:
        """The answer to a request, or ``None`` if Flask has to give it.

        Raises what reading the document raises, for Flask to answer.
        """
        begun = time.perf_counter()
        matched = self._ordinary(environ)
        known = matched and self._known.get((matched[1], environ["QUERY_STRING"]))
        if not matched or not known:
            return None
        id = UUID(matched[3])
        request_id = new_request_id()
        bind_request_to_log(environ, request_id)
        rows = database_for(self._app, environ).read(known.statement, {"id": id})
        version, body = content(known.resource, id, rows)
        headers = [
            *known.headers,
            (b"content-length", b"%d" % len(body)),
            (b"etag", f'"{document_tag(version, body)}"'.encode()),
            (b"x-request-id", request_id.encode()),
        ]
        answered = Answered("GET", known.route, 200, time.perf_counter() - begun)
        observe(answered, is_logged=self._app.config["ACCESS_LOG"])
        return Found(headers, body)

    def learn(self, environ: "WSGIEnvironment", status: int, headers: Headers) -> None:
        """Keep what Flask's answer to a request has in common with others."""
        matched = self._ordinary(environ)
        query = environ["QUERY_STRING"]
        if status != 200 or not matched or (matched[1], query) in self._known:
            return
        if len(query) > _LONGEST_KNOWN:
            return
        given = parse_qsl(query, keep_blank_values=True)
        if not _DECISIVE_PARAMETERS.isdisjoint(name for name, _ in given):
            return
        resource = RESOURCES[matched[2]]
        known = _Known(
            resource,
            document_statement(resource.name, read_document(resource.name, given).fields),
            self._routes[resource.name],
            [(name, value) for name, value in headers if name not in _OWN],
        )
        with self._lock:
            if len(self._known) >= _MOST_KNOWN:
                # The oldest.
                del self._known[next(iter(self._known))]
            self._known[matched[1], query] = known

    def _ordinary(self, environ: Mapping[str, object]) -> re.Match[str] | None:
        if not self._app.config["OPEN_READS"] or environ["REQUEST_METHOD"] != "GET":
            return None
        if not DECISIVE.isdisjoint(environ) or "text/html" in str(environ.get("HTTP_ACCEPT")):
            return None
        if not _HOST.fullmatch(str(environ.get("HTTP_HOST", ""))):
            return None
        matched = _PATH.fullmatch(str(environ["PATH_INFO"]))
        return matched if matched and matched[2] in RESOURCES else None
