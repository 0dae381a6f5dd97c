"""``Idempotency-Key``: writes that can be repeated safely."""

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
    """The response of ``work``, or the one that it gave to the same request before.

    Nothing is stored without the header, nor for an error, whose transaction is rolled back.
    Raises ``Malformed`` for an invalid key, and ``InFlight`` and ``Invalid`` like ``begin``.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return work()
    if not _KEY.fullmatch(key):
        raise Malformed(f"{HEADER} must have 1 to 255 visible ASCII characters, without spaces.")
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
    """The SHA-256 of the request: method, path, query string, ``If-Match`` and body."""
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
