"""Cursors in requests: one that cannot be used is refused."""

from flask import request

from hksz_db.domain.errors import Fault, Malformed
from hksz_db.queries.keysets import Keyset, encode_cursor

encode = encode_cursor


def decode(cursor: str, question: object, keyset: Keyset) -> tuple[str | None, ...]:
    """The sort keys in a cursor. Raises ``Malformed`` unless it belongs to the question."""
    keys = keyset.decode(cursor, question)
    if keys is None:
        raise refusal()
    return tuple(keys)


def refusal() -> Malformed:
    """The error for a cursor that no page returned."""
    detail = "This cursor was not returned for the same filters and sort order."
    place = {"pointer": "#/cursor"} if request.method == "POST" else {"parameter": "cursor"}
    return Malformed("The cursor cannot be used.", [Fault("cursor", detail, **place)])
