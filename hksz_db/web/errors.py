"""Errors as pages. The API answers the same errors with problem documents."""

from collections.abc import Sequence

import psycopg
import structlog
from flask import Flask, Response, g, request, url_for
from werkzeug.exceptions import HTTPException

from hksz_db.domain import errors
from hksz_db.domain.errors import DomainError, Fault, FaultsError, Merged
from hksz_db.http.metrics import count_refusal
from hksz_db.http.statuses import retry_after, status_of
from hksz_db.services.writing import translate
from hksz_db.web.messages import in_words
from hksz_db.web.site import pages, prefers_html, secured, shown
from hksz_db.web.translating import gettext

_API = "/v1/"
_log = structlog.get_logger(__name__)


def register_error_pages(app: Flask) -> None:
    """Show a page to a browser whose request has no page, outside the API."""

    @app.after_request
    def replace_error_of_routing(response: Response) -> Response:
        status = response.status_code
        is_page = request.url_rule is None and not request.path.startswith(_API) and prefers_html()
        if is_page and status == 404:
            return secured(_page(status, gettext("There is no page at this address.")))
        if is_page and status == 405:
            detail = gettext(
                "This page does not accept %(method)s requests.", method=request.method
            )
            page = _page(status, detail)
            page.headers["Allow"] = response.headers["Allow"]
            return secured(page)
        return response


@pages.errorhandler(DomainError)
def _domain_error(error: DomainError) -> Response:
    if isinstance(error, Merged) and request.method in {"GET", "HEAD"}:
        return _moved(error)
    if isinstance(error, errors.Overloaded | errors.QuotaExceeded):
        # A request that was refused asks the database nothing, not even who has signed in.
        g.actor = None
    count_refusal(error)
    status = status_of(error)
    faults = error.faults if isinstance(error, FaultsError) else ()
    if isinstance(error, errors.Unavailable):
        _log.warning("database_unavailable", reason=str(error.__cause__ or error))
    response = _page(status, in_words(str(error)), faults)
    if (wait_s := retry_after(error)) is not None:
        response.headers["Retry-After"] = str(wait_s)
    return response


@pages.errorhandler(psycopg.Error)
def _database_error(error: psycopg.Error) -> Response:
    known = translate(error)
    return _unexpected(error) if known is None else _domain_error(known)


@pages.errorhandler(HTTPException)
def _http_error(error: HTTPException) -> Response:
    return _page(error.code or 500, error.description or error.name)


@pages.errorhandler(Exception)
def _unexpected(error: Exception) -> Response:
    _log.error("request_failed", exc_info=error)
    return _page(500, gettext("The request failed; see the log for the reason."))


def _moved(error: Merged) -> Response:
    """A redirect to the page of the row into which the row was merged; that can be undone."""
    assert request.endpoint is not None
    path = url_for(request.endpoint, **{**(request.view_args or {}), "id": error.into_id})
    question = request.query_string.decode("latin-1")
    response = Response(status=308)
    response.headers["Location"] = f"{path}?{question}" if question else path
    response.headers["Cache-Control"] = "no-store"
    return response


def _page(status: int, detail: str, faults: Sequence[Fault] = ()) -> Response:
    response = shown(
        "error.html", status, title=_title(status), number=status, detail=detail, faults=faults
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _title(status: int) -> str:
    titles = {
        400: gettext("This request cannot be read"),
        403: gettext("Not allowed"),
        404: gettext("Not found"),
        405: gettext("Not possible here"),
        410: gettext("Deleted"),
        429: gettext("Too many requests"),
        503: gettext("Not available at the moment"),
    }
    return titles.get(status, gettext("This did not work"))
