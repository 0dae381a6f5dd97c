"""The query string of the request."""

from urllib.parse import parse_qsl

from flask import request

from hksz_db.domain.errors import Malformed
from schemas.parameters import Parameters

MAX_PARAMETERS = 100

_NONE = Parameters({})


def arguments() -> list[tuple[str, str]]:
    """The parameters in the query string, as pairs of name and value.

    Raises ``Malformed`` if they are not percent-encoded UTF-8, or too many.
    """
    if not request.query_string:
        return []
    try:
        return parse_qsl(
            request.query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeError:
        raise Malformed("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        raise Malformed(f"The query string has more than {MAX_PARAMETERS} parameters.") from None


def no_parameters() -> None:
    """Raise ``Malformed`` if the request has a query string."""
    _NONE.read(arguments())
