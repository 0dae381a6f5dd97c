"""Writes that can be repeated: ``Idempotency-Key`` on whatever is posted to be written."""

import hashlib
import re
from collections.abc import Callable

from flask import Response, request
from sqlalchemy.orm import Session

from hksz_db.api.answers import DirectResponse
from hksz_db.api.bodies import read_body
from hksz_db.domain.errors import Malformed
from hksz_db.services.api_keys import Actor
from hksz_db.services.idempotency import Answer, Repeatable, begin, keep

HEADER = "Idempotency-Key"
KEY_PATTERN = "^[!-~]{1,255}$"
REPLAYED = "Idempotency-Replayed"
_KEY = re.compile(KEY_PATTERN[1:-1])


def once(session: Session, actor: Actor, work: Callable[[], Response]) -> Response:
    """What ``work`` answers, or what it answered to the same request before.

    Without the header nothing is kept. An error is never kept: what was done is undone by then.
    Raises ``Malformed`` for a key that is none, ``InFlight`` and ``Invalid`` as ``begin`` does.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return work()
    if not _KEY.fullmatch(key):
        raise Malformed(f"{HEADER} takes 1 to 255 visible ASCII characters, and no spaces.")
    this = Repeatable(actor.id, key, _digest())
    before = begin(session, this)
    if before is not None:
        return _replay(before)
    response = work()
    headers = response.headers
    answer = Answer(
        response.status_code, headers.get("ETag"), headers.get("Location"), response.get_data()
    )
    keep(session, this, answer)
    return response


def _digest() -> bytes:
    """The SHA-256 of what is asked: method, path, query, condition and body."""
    asked = (request.path, request.query_string.decode("latin-1"), request.headers.get("If-Match"))
    digest = hashlib.sha256(repr((request.method, *asked)).encode("utf-8", "surrogatepass"))
    digest.update(read_body())
    return digest.digest()


def _replay(answer: Answer) -> Response:
    response = DirectResponse(answer.body, answer.status, content_type="application/json")
    for name, value in (("ETag", answer.etag), ("Location", answer.location)):
        if value is not None:
            response.headers[name] = value
    response.headers[REPLAYED] = "true"
    return response
