"""Cursors, as a request has them: one that cannot be used is refused with its place."""

from collections.abc import Sequence
from typing import Any

from flask import request

from hksz_db.domain.errors import Fault, Malformed
from hksz_db.queries import cursors

encode = cursors.encode


def decode(cursor: str, question: Any, nullable: Sequence[bool]) -> Sequence[str | None]:
    """The sort keys in a cursor; ``Malformed`` unless it is one for this very question.

    ``nullable`` says of each key whether a row may be without it.
    """
    keys = cursors.decode(cursor, question, nullable)
    if keys is None:
        raise refusal()
    return keys


def refusal() -> Malformed:
    """What is answered to a cursor that no page gave."""
    detail = "This cursor is not one that was given for the same filters and sort order."
    place = {"pointer": "#/cursor"} if request.method == "POST" else {"parameter": "cursor"}
    return Malformed("The cursor cannot be used.", [Fault("cursor", detail, **place)])
