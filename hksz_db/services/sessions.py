"""Sessions: a browser signs in with an API key once, and has a random token from then on.

A session never outlives its key: it is looked up together with the key, each time.
"""

import hashlib
import secrets
from datetime import timedelta

from hksz_db.database import Session, run
from hksz_db.services.api_keys import Actor, authenticate

_CLEARED_AT_ONCE = 20


def sign_in(session: Session, key: str, lifetime: timedelta) -> tuple[str, Actor]:
    """Begin a session with a key: its token, which cannot be shown again, and the actor.

    Also removes a few sessions that have expired. Raises ``Unauthenticated`` if the key is unknown,
    expired or revoked.
    """
    actor = authenticate(session, key)
    token = secrets.token_urlsafe(32)
    run(
        session,
        "INSERT INTO sessions (token_sha256, api_key_id, expires_at) VALUES ($1, $2, now() + $3)",
        _digest(token),
        actor.id,
        lifetime,
    )
    run(
        session,
        "DELETE FROM sessions WHERE token_sha256 IN (SELECT token_sha256 FROM sessions"
        f" WHERE expires_at <= now() ORDER BY expires_at LIMIT {_CLEARED_AT_ONCE}"
        " FOR UPDATE SKIP LOCKED)",
    )
    return token, actor


def resume(session: Session, token: str, request_id: str = "") -> Actor | None:
    """The actor of a session; the history records their label and the ``request_id``.

    ``None`` if there is no such session, or it or its key has expired or was revoked.
    """
    found = run(
        session,
        "SELECT api_keys.id, label, scopes,"
        " sessions.last_used_at < now() - interval '1 minute'"
        " AND NOT current_setting('transaction_read_only')::boolean,"
        " set_config('hksz.actor', label, true), set_config('hksz.request_id', $2, true)"
        " FROM sessions JOIN api_keys ON api_keys.id = api_key_id"
        " WHERE token_sha256 = $1 AND sessions.expires_at > now() AND revoked_at IS NULL"
        " AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())",
        _digest(token),
        request_id,
    )
    if not found:
        return None
    id, label, scopes, stale, *_ = found[0]
    if stale:
        # As for keys: one concurrent request records the use, and the others do not wait.
        run(
            session,
            "WITH used AS (UPDATE sessions SET last_used_at = now() WHERE token_sha256 IN (SELECT"
            " token_sha256 FROM sessions WHERE token_sha256 = $1 FOR UPDATE SKIP LOCKED))"
            " UPDATE api_keys SET last_used_at = now() WHERE id IN"
            " (SELECT id FROM api_keys WHERE id = $2 FOR UPDATE SKIP LOCKED)",
            _digest(token),
            id,
        )
    return Actor(id, label, frozenset(scopes))


def sign_out(session: Session, token: str) -> None:
    """End a session, if there is such a one."""
    run(session, "DELETE FROM sessions WHERE token_sha256 = $1", _digest(token))


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
