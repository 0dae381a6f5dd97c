"""API keys: shown once when created, stored as a hash, and revoked permanently."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.errors import Conflict, Forbidden, Unauthenticated
from hksz_db.domain.vocabulary import Scope

PREFIX = "hksz_"


@dataclass(frozen=True)
class Actor:
    """The key of a request: its id, its label and its scopes."""

    id: UUID
    label: str
    scopes: frozenset[str]

    def has(self, scope: Scope) -> bool:
        """Whether the key has the scope; ``admin`` includes every scope."""
        return bool(self.scopes & {scope, Scope.ADMIN})

    def demand(self, scope: Scope) -> None:
        """Raise ``Forbidden`` unless the key has the scope."""
        if not self.has(scope):
            raise Forbidden(f"The key {self.label!r} lacks the scope {scope}.")


def create(
    session: Session, label: str, scopes: Sequence[Scope], expires_at: datetime | None = None
) -> str:
    """Create a key; it cannot be shown again. Raises ``Conflict`` if the label is used."""
    key = PREFIX + secrets.token_urlsafe(32)
    made = run(
        session,
        "INSERT INTO api_keys (label, key_sha256, scopes, expires_at) VALUES ($1, $2, $3, $4)"
        " ON CONFLICT (label) DO NOTHING RETURNING 1",
        label,
        _digest(key),
        [str(scope) for scope in scopes],
        expires_at,
    )
    if not made:
        raise Conflict(f"There is a key labelled {label!r} already.")
    return key


def listing(session: Session) -> list[dict[str, Any]]:
    """The properties of each key, the oldest first."""
    names = ("label", "scopes", "created_at", "expires_at", "revoked_at", "last_used_at")
    found = run(session, f"SELECT {', '.join(names)} FROM api_keys ORDER BY id")
    return [dict(zip(names, row, strict=True)) for row in found]


def revoke(session: Session, label: str) -> bool:
    """Revoke the key with this label; whether it existed and was not revoked yet."""
    sql = (
        "UPDATE api_keys SET revoked_at = now() WHERE label = $1 AND revoked_at IS NULL RETURNING 1"
    )
    return bool(run(session, sql, label))


def authenticate(session: Session, key: str, request_id: str = "") -> Actor:
    """The actor of the key; the history records its label and the ``request_id``.

    Raises ``Unauthenticated`` if the key is unknown, expired or revoked.
    """
    found = run(
        session,
        "SELECT id, label, scopes, revoked_at IS NOT NULL, expires_at <= now(),"
        " last_used_at IS NULL OR last_used_at < now() - interval '1 minute',"
        " set_config('hksz.actor', label, true), set_config('hksz.request_id', $2, true)"
        " FROM api_keys WHERE key_sha256 = $1",
        _digest(key),
        request_id,
    )
    if not found:
        raise Unauthenticated("The key is not known.")
    id, label, scopes, revoked, expired, stale, *_ = found[0]
    if revoked:
        raise Unauthenticated("The key was revoked.")
    if expired:
        raise Unauthenticated("The key has expired.")
    if stale:
        # A resolution of a minute is enough to find unused keys. One concurrent request records
        # the use, and the others do not wait for the row.
        run(
            session,
            "UPDATE api_keys SET last_used_at = now() WHERE id IN"
            " (SELECT id FROM api_keys WHERE id = $1 FOR UPDATE SKIP LOCKED)",
            id,
        )
    return Actor(id, label, frozenset(scopes))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode()).digest()
