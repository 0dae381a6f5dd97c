"""Ordinary reads, answered without Flask, whose machinery takes longer than to read a document.

An ordinary read asks for a document or a list by ``GET`` and sends no header that changes the
answer. Its first answer comes from Flask. Later ones for the same list, or for documents of the
same resource with the same query string, have the headers of that answer, except those that follow
from the body or the request.
"""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

from flask import Flask

from hksz_db.api import answers
from hksz_db.api.operating import (
    BEGUN,
    Answered,
    Begun,
    bind_request_to_log,
    new_request_id,
    observe,
)
from hksz_db.database import Database
from hksz_db.http.conditions import content_tag, document_tag
from hksz_db.http.documents import content, page
from hksz_db.http.requests import database_for, parameters_in
from hksz_db.queries.pages import document_statement
from hksz_db.queries.questions import read_document, read_list
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

Headers = list[tuple[bytes, bytes]]

# The third group is the id, which a list lacks.
_PATH = re.compile("(/v1/([a-z]+))(?:/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}))?")
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]+)?")
DECISIVE = {
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_IF_NONE_MATCH",
    "HTTP_ORIGIN",
    "HTTP_X_REQUEST_ID",
}
"""Headers, as in a WSGI environment, whose meaning Flask decides."""
_DECISIVE_PARAMETERS = {"as_of", "lang"}
_OWN = {b"content-length", b"etag", b"link", b"x-request-id"}
_MOST_KNOWN = 500
_LONGEST_KNOWN = 500


class Found(NamedTuple):
    """The headers and the body of an answer with status 200."""

    headers: Headers
    body: bytes


class _Content(NamedTuple):
    """A body with its entity tag, and the ``Link`` to the next page if there is one."""

    body: bytes
    tag: str
    link: str | None = None


_Kind = tuple[str, str | None]
"""The path without an id, and, for documents, the query string."""


_Read = Callable[[Database, str, str], _Content | None]
"""Takes the database, the id in the path and the query string; ``None`` if Flask has to answer."""


@dataclass(frozen=True)
class _Known:
    """What the answers of a kind have in common."""

    read: _Read
    route: str
    headers: Headers


class OrdinaryReads:
    """Answers ordinary reads of the documents and lists of an app."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._routes = {
            f"{resource}.{call}": next(
                rule.rule for rule in app.url_map.iter_rules(f"{resource}.{call}")
            )
            for resource in RESOURCES
            for call in ("read", "list")
        }
        self._lock = Lock()
        self._known: dict[_Kind, _Known] = {}

    def answer(self, environ: "WSGIEnvironment") -> Found | None:
        """The answer to a request, or ``None`` if Flask has to give it.

        Raises what reading the document or the list raises, for Flask to answer.
        """
        begun = time.perf_counter()
        matched, query = self._ordinary(environ), environ["QUERY_STRING"]
        known = matched and self._known.get(_kind_of(matched, query))
        if not matched or not known:
            return None
        request_id = new_request_id()
        bind_request_to_log(environ, request_id)
        # Flask continues if this fails.
        environ[BEGUN] = Begun(request_id, begun)
        read = known.read(database_for(self._app, environ), matched[3], query)
        if read is None:
            return None
        headers = [
            *known.headers,
            (b"content-length", b"%d" % len(read.body)),
            (b"etag", f'"{read.tag}"'.encode()),
            (b"x-request-id", request_id.encode()),
        ]
        if read.link:
            headers.append((b"link", read.link.encode()))
        answered = Answered("GET", known.route, 200, time.perf_counter() - begun)
        observe(answered, is_logged=self._app.config["ACCESS_LOG"])
        return Found(headers, read.body)

    def learn(self, environ: "WSGIEnvironment", status: int, headers: Headers) -> None:
        """Keep what Flask's answer to a request has in common with others."""
        matched, query = self._ordinary(environ), environ["QUERY_STRING"]
        if status != 200 or not matched or _kind_of(matched, query) in self._known:
            return
        given = _parameters(query)
        if len(query) > _LONGEST_KNOWN or given is None:
            return
        resource = RESOURCES[matched[2]]
        call = "read" if matched[3] else "list"
        read = _document_reader(resource, given) if matched[3] else _list_reader(resource)
        shared = [(name, value) for name, value in headers if name not in _OWN]
        with self._lock:
            if len(self._known) >= _MOST_KNOWN:
                # The oldest.
                del self._known[next(iter(self._known))]
            route = self._routes[f"{resource.name}.{call}"]
            self._known[_kind_of(matched, query)] = _Known(read, route, shared)

    def _ordinary(self, environ: Mapping[str, object]) -> re.Match[str] | None:
        if not self._app.config["OPEN_READS"] or environ["REQUEST_METHOD"] != "GET":
            return None
        if not DECISIVE.isdisjoint(environ) or "text/html" in str(environ.get("HTTP_ACCEPT")):
            return None
        if not _HOST.fullmatch(str(environ.get("HTTP_HOST", ""))):
            return None
        matched = _PATH.fullmatch(str(environ["PATH_INFO"]))
        return matched if matched and matched[2] in RESOURCES else None


def _kind_of(matched: re.Match[str], query: str) -> _Kind:
    return matched[1], query if matched[3] else None


def _parameters(query: str) -> Sequence[tuple[str, str]] | None:
    """The parameters in a query string; ``None`` if they decide on headers.

    Raises ``Malformed``.
    """
    given = parameters_in(query.encode("latin-1"))
    return given if _DECISIVE_PARAMETERS.isdisjoint(name for name, _ in given) else None


def _document_reader(resource: Readable, given: Sequence[tuple[str, str]]) -> _Read:
    statement = document_statement(resource.name, read_document(resource.name, given).fields)

    def read(database: Database, id: str, _: str) -> _Content:
        row_id = UUID(id)
        version, body = content(resource, row_id, database.read(statement, {"id": row_id}))
        return _Content(body, document_tag(version, body))

    return read


def _list_reader(resource: Readable) -> _Read:
    path = f"/v1/{resource.name}"

    def read(database: Database, _: str, query: str) -> _Content | None:
        given = _parameters(query)
        if given is None:
            return None
        listed = page(resource, read_list(resource.name, given), None, source=database)
        body, cursor = answers.page_body(listed), listed.meta["next_cursor"]
        link = cursor and answers.link_to_next(path, given, cursor)
        return _Content(body, content_tag(body), link)

    return read
