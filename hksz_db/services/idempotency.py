"""Requests that may be repeated: the answer is stored in the transaction of the request.

Either both are committed or neither, so a client that received no answer can repeat the request.
The header is that of the IETF draft "The Idempotency-Key HTTP Header Field".
"""

from typing import NamedTuple
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.errors import InFlight, Invalid

_KEPT_FOR = "interval '24 hours'"
_CLEARED_AT_ONCE = 20


class Repeatable(NamedTuple):
    """A request: the key that sent it, its Idempotency-Key, and the SHA-256 of its content."""

    api_key_id: UUID
    key: str
    sha256: bytes


class Answer(NamedTuple):
    """A stored answer."""

    status: int
    etag: str | None
    location: str | None
    body: bytes


def begin(session: Session, request: Repeatable) -> Answer | None:
    """The stored answer of the request; ``None`` if this transaction has to carry it out.

    Does not wait: raises ``InFlight`` while another transaction carries the request out, and
    ``Invalid`` if another request had the same Idempotency-Key.
    """
    # The lock is released when the transaction ends.
    name = f"{request.api_key_id} {request.key}"
    sql = "SELECT pg_try_advisory_xact_lock(hashtextextended($1, 0))"
    if run(session, sql, name) != [(True,)]:
        raise InFlight("A request with this Idempotency-Key is being carried out; ask again.")
    found = run(
        session,
        "SELECT request_sha256, status, etag, location, body FROM idempotency_keys"
        f" WHERE api_key_id = $1 AND key = $2 AND created_at > now() - {_KEPT_FOR}",
        request.api_key_id,
        request.key,
    )
    if not found:
        return None
    sha256, *answer = found[0]
    if sha256 != request.sha256:
        raise Invalid("Another request had this Idempotency-Key; a new one needs a key of its own.")
    return Answer(*answer)


def keep(session: Session, request: Repeatable, answer: Answer) -> None:
    """Store the answer for 24 hours, and remove a few answers that are older."""
    run(
        session,
        "INSERT INTO idempotency_keys"
        " (api_key_id, key, request_sha256, status, etag, location, body)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (api_key_id, key) DO UPDATE SET"
        " (request_sha256, status, etag, location, body, created_at) = (excluded.request_sha256,"
        " excluded.status, excluded.etag, excluded.location, excluded.body, now())",
        *request,
        *answer,
    )
    # Last, and skipping locked rows, so that no transaction waits while it holds these locks.
    run(
        session,
        "DELETE FROM idempotency_keys WHERE (api_key_id, key) IN (SELECT api_key_id, key"
        f" FROM idempotency_keys WHERE created_at <= now() - {_KEPT_FOR}"
        f" ORDER BY created_at LIMIT {_CLEARED_AT_ONCE} FOR UPDATE SKIP LOCKED)",
    )
