"""API keys: shown once when created, stored as a hash, and revoked permanently."""

import hashlib
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import text

from hksz_db.database import Database, Prepared, Session, prepare, run
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


class Holder(NamedTuple):
    """Whose quota counts: a key, and its own quota for a minute, if it has one."""

    id: UUID
    label: str
    quota: int | None


def create(
    session: Session,
    label: str,
    scopes: Sequence[Scope],
    expires_at: datetime | None = None,
    quota: int | None = None,
) -> str:
    """Create a key; it cannot be shown again. Raises ``Conflict`` if the label is used.

    ``quota`` is the number of units that its holder may use in a minute (``None``: the usual one).
    """
    key = _new_key()
    made = run(
        session,
        "INSERT INTO api_keys (label, key_sha256, scopes, expires_at, quota)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (label) DO NOTHING RETURNING 1",
        label,
        _digest(key),
        [str(scope) for scope in scopes],
        expires_at,
        quota,
    )
    if not made:
        raise Conflict(f"There is a key labelled {label!r} already.")
    return key


def rotate(session: Session, label: str, overlap: timedelta) -> str | None:
    """Replace the key of this label by a new one, which cannot be shown again.

    The key that it replaces stays valid during the ``overlap``. Without one, the sessions and all
    earlier keys of the holder end, too. ``None`` if no active key has the label.
    """
    key = _new_key()
    replaced = run(
        session,
        "UPDATE api_keys SET key_sha256 = $2 WHERE label = $1 AND revoked_at IS NULL"
        " AND (expires_at IS NULL OR expires_at > now()) RETURNING id, old.key_sha256",
        label,
        _digest(key),
    )
    if not replaced:
        return None
    if not overlap:
        id = replaced[0][0]
        run(session, "DELETE FROM sessions WHERE api_key_id = $1", id)
        run(session, "UPDATE replaced_keys SET valid_until = now() WHERE api_key_id = $1", id)
    run(
        session,
        "INSERT INTO replaced_keys (api_key_id, key_sha256, valid_until)"
        " VALUES ($1, $2, now() + $3)",
        *replaced[0],
        overlap,
    )
    return key


def listing(session: Session) -> list[dict[str, Any]]:
    """The properties of each key, the oldest first, and those that it replaced.

    ``id`` is the beginning of the SHA-256 of the key in hexadecimal digits, and ``state`` is
    ``active``, ``expired``, ``revoked`` or, until it expires, ``replaced``.
    """
    names = ("label", "id", "state", "scopes", "expires_at", "last_used_at", "quota")
    found = run(
        session,
        "SELECT label, encode(substring(key_sha256 FOR 6), 'hex'),"
        " CASE WHEN revoked_at IS NOT NULL THEN 'revoked' WHEN ends_at <= now() THEN 'expired'"
        " ELSE state END, scopes, ends_at, last_used_at, quota"
        " FROM ("
        " SELECT id, label, key_sha256, 'active' AS state, revoked_at, scopes,"
        " expires_at AS ends_at, last_used_at, quota FROM api_keys"
        " UNION ALL"
        " SELECT id, label, replaced_keys.key_sha256, 'replaced', revoked_at, scopes,"
        " least(expires_at, valid_until), replaced_keys.last_used_at, quota"
        " FROM replaced_keys JOIN api_keys ON id = api_key_id"
        ") AS keys ORDER BY id, state, ends_at",
    )
    return [dict(zip(names, row, strict=True)) for row in found]


def set_quota(session: Session, label: str, quota: int | None) -> bool:
    """Give the key with this label another quota, or the usual one; whether it is active."""
    sql = "UPDATE api_keys SET quota = $2 WHERE label = $1 AND revoked_at IS NULL RETURNING 1"
    return bool(run(session, sql, label, quota))


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
    table = "api_keys"
    found = run(session, _holder(table, table, "true"), _digest(key), request_id)
    if not found:
        table = "replaced_keys"
        joined = "replaced_keys JOIN api_keys ON id = api_key_id"
        statement = _holder(table, joined, "valid_until > now()")
        found = run(session, statement, _digest(key), request_id)
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
            f"UPDATE {table} SET last_used_at = now() WHERE key_sha256 IN"
            f" (SELECT key_sha256 FROM {table} WHERE key_sha256 = $1 FOR UPDATE SKIP LOCKED)",
            _digest(key),
        )
    return Actor(id, label, frozenset(scopes))


def holder_of(database: Database, secret: str) -> Holder | None:
    """The holder of a key or of the token of a session; ``None`` if it is not valid."""
    found = database.read(_holder_statement(), {"digest": _digest(secret)})
    if not found:
        return None
    id, label, quota = found[0]
    return Holder(id, label.decode(), quota)


@cache
def _holder_statement() -> Prepared:
    held = (
        "SELECT api_keys.id, label, quota FROM {} WHERE {} AND revoked_at IS NULL"
        " AND (api_keys.expires_at IS NULL OR api_keys.expires_at > now())"
    )
    replaced = "replaced_keys JOIN api_keys ON id = api_key_id"
    begun = "sessions JOIN api_keys ON api_keys.id = api_key_id"
    return prepare(
        text(
            " UNION ALL ".join(
                (
                    held.format("api_keys", "key_sha256 = :digest"),
                    held.format(
                        replaced, "replaced_keys.key_sha256 = :digest AND valid_until > now()"
                    ),
                    held.format(begun, "token_sha256 = :digest AND sessions.expires_at > now()"),
                )
            )
        )
    )


def _holder(table: str, joined: str, condition: str) -> str:
    """The statement that reads the holder of the key with the hash $1 in the table."""
    used = f"{table}.last_used_at"
    return (
        "SELECT id, label, scopes, revoked_at IS NOT NULL, expires_at <= now(),"
        f" ({used} IS NULL OR {used} < now() - interval '1 minute')"
        " AND NOT current_setting('transaction_read_only')::boolean,"
        " set_config('hksz.actor', label, true), set_config('hksz.request_id', $2, true)"
        f" FROM {joined} WHERE {table}.key_sha256 = $1 AND {condition}"
    )


def _new_key() -> str:
    return PREFIX + secrets.token_urlsafe(32)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()
