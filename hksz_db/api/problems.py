"""Error responses: problem documents (RFC 9457) for every status."""

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
import structlog
from flask import Flask, Response, g, request, url_for
from werkzeug.exceptions import HTTPException, default_exceptions

from hksz_db.domain import errors
from hksz_db.domain.errors import DomainError, Fault, FaultsError, Gone, Merged
from hksz_db.http.metrics import count_refusal
from hksz_db.http.statuses import retry_after, status_of
from hksz_db.services.writing import translate

MEDIA_TYPE = "application/problem+json"
MEANINGS: Mapping[int, str] = {
    400: "The request cannot be read, or uses a parameter or value that does not exist.",
    401: "The key is missing, unknown, expired or revoked.",
    403: "The key lacks the required scope, or may not accept what it wrote.",
    404: "No such row has ever existed, or no such version of it.",
    408: "The body took too long to arrive.",
    409: "The request conflicts with what is stored.",
    410: "The row has been deleted and can be restored; or a cursor is of a history that was lost.",
    412: "The row has changed since the version in If-Match.",
    413: "The body is too long.",
    415: "The media type of the body is not supported.",
    422: "A value breaks a rule; `errors` says which and where.",
    428: "If-Match is missing.",
    429: "A quota is used up, or too many keys were not valid; `Retry-After` says for how long.",
    503: "The database does not answer, or there are too many requests of this kind.",
}
"""What the statuses of problem documents mean."""

# What a query string may hold (RFC 3986, section 3.4), escapes included.
_URL_CHARACTERS = "%!$&'()*+,;=:@/?-._~"
_DETAILS = {404: "No such resource. Ids in paths must be UUIDs."}
# Enough to correct a request. Without a limit the answer could be much longer than the request.
_MAX_FAULTS = 100
_log = structlog.get_logger(__name__)


def problem(status: int, detail: str, faults: Sequence[Fault] = ()) -> Response:
    """The problem document for a status; ``faults`` become its ``errors``."""
    title = default_exceptions[status]().name if status in default_exceptions else "Error"
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": g.request_id,
    }
    if faults:
        document["errors"] = [fault_document(fault) for fault in faults[:_MAX_FAULTS]]
    text = json.dumps(document, ensure_ascii=False) + "\n"
    # A lone surrogate from the request cannot be encoded; its escape is valid JSON.
    body = text.encode(errors="backslashreplace")
    response = Response(body, status, content_type=MEDIA_TYPE)
    response.headers["Cache-Control"] = "no-store"
    if status == 408:
        # The rest of the body may still arrive and must not be read as another request.
        response.headers["Connection"] = "close"
    if status == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="hksz"'
    return response


def fault_document(fault: Fault) -> dict[str, str]:
    """A fault as an item of ``errors``."""
    where = {"pointer": fault.pointer, "parameter": fault.parameter}
    document = {
        **{name: value for name, value in where.items() if value is not None},
        "code": fault.code,
        "detail": fault.detail,
    }
    if fault.row is not None:
        href = f"/v1/{fault.row.resource}/{fault.row.id}"
        document |= {"id": str(fault.row.id), "state": fault.row.state, "href": href}
    return document


def register_errors(app: Flask) -> None:
    """Answer every error of the app with a problem document."""
    app.register_error_handler(DomainError, _domain_error)
    app.register_error_handler(psycopg.Error, _database_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_relative_redirect)


def _domain_error(error: DomainError) -> Response:
    count_refusal(error)
    status = status_of(error)
    faults = error.faults if isinstance(error, FaultsError) else ()
    if isinstance(error, errors.Unavailable):
        _log.warning("database_unavailable", reason=str(error.__cause__ or error))
    if isinstance(error, Merged) and request.method in {"GET", "HEAD"}:
        response = _moved(error)
    else:
        response = problem(status, str(error), faults)
    if (wait_s := retry_after(error)) is not None:
        response.headers["Retry-After"] = str(wait_s)
    if isinstance(error, Gone | Merged):
        # A restore, or undoing the merge, needs it.
        response.headers["ETag"] = f'"{error.version}"'
    return response


def _moved(error: Merged) -> Response:
    """A redirect to the same URL with the id of the other row."""
    assert request.endpoint is not None
    # The row that was asked for is the first variable of the path.
    variables = dict(request.view_args or {})
    variables[next(iter(variables))] = error.into_id
    path = url_for(request.endpoint, **variables)
    question = quote(request.query_string, safe=_URL_CHARACTERS)
    response = Response(status=308)
    del response.headers["Content-Type"]
    response.headers["Location"] = f"{path}?{question}" if question else path
    # no-store, because a merge can be undone.
    response.headers["Cache-Control"] = "no-store"
    return response


def _relative_redirect(response: Response) -> Response:
    """Remove scheme and host from a redirect (RFC 9110, section 10.2.2).

    Flask takes them from the request; behind a proxy they can differ from those of the client.
    """
    location = response.headers.get("Location")
    if location is not None and 300 <= response.status_code < 400:
        _, _, path, query, fragment = urlsplit(location)
        # Two slashes at the beginning would mean a host.
        response.headers["Location"] = urlunsplit(("", "", f"/{path.lstrip('/')}", query, fragment))
    return response


def _database_error(error: psycopg.Error) -> Response:
    known = translate(error)
    return _unexpected(error) if known is None else _domain_error(known)


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    detail = _DETAILS.get(status, error.description or error.name)
    response = problem(status, detail)
    for name, value in error.get_headers():
        if name not in {"Content-Type", "Content-Length"}:
            response.headers[name] = value
    return response


def _unexpected(error: Exception) -> Response:
    _log.error("request_failed", exc_info=error)
    return problem(500, "The request failed; see the log for the reason.")
