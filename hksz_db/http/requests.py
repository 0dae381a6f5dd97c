"""The query string of a request, and the database that answers it."""

from collections.abc import Mapping
from urllib.parse import parse_qsl

from flask import Flask, current_app, has_request_context, request

from hksz_db.database import Database
from hksz_db.domain.errors import Fault, Malformed

MAX_PARAMETERS = 100

SESSION_COOKIE = "hksz_session"
"""The name of the cookie with the token of a session of the pages."""


def database() -> Database:
    """The database that answers the request; a command reads as a client without a key."""
    return database_for(current_app, request.environ if has_request_context() else {})


def database_for(app: Flask, environ: Mapping[str, object]) -> Database:
    """The database that answers a request: its replica reads for clients without a key.

    Others read what they have just written.
    """
    with_replica: Database | None = app.extensions.get("hksz_replicated_database")
    has_key = "HTTP_AUTHORIZATION" in environ or SESSION_COOKIE in str(environ.get("HTTP_COOKIE"))
    return primary(app) if with_replica is None or has_key else with_replica


def primary(app: Flask) -> Database:
    """The database that takes the writes of an app."""
    found: Database = app.extensions["hksz_database"]
    return found


def arguments() -> list[tuple[str, str]]:
    """The parameters of the request, as ``parameters_in`` its query string."""
    return parameters_in(request.query_string)


def parameters_in(query_string: bytes) -> list[tuple[str, str]]:
    """The parameters in a query string, as pairs of name and value.

    Raises ``Malformed`` if they are not percent-encoded UTF-8, or too many.
    """
    if not query_string:
        return []
    try:
        return parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeError:
        raise Malformed("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        raise Malformed(f"The query string has more than {MAX_PARAMETERS} parameters.") from None


def refused_cursor() -> Malformed:
    """The error for a cursor that no page returned."""
    detail = "This cursor was not returned for the same filters and sort order."
    in_body = has_request_context() and request.method == "POST"
    pointer, parameter = ("#/cursor", None) if in_body else (None, "cursor")
    fault = Fault("cursor", detail, pointer, parameter)
    return Malformed("The cursor cannot be used.", [fault])
