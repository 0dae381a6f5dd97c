"""Deleting and restoring: a deletion is a mark that can be taken back."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, DomainError, Merged, NotFound, Stale
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.dependants import (
    lock_wholes,
    parts_of,
    refuse_if_needed,
    refuse_if_unfounded,
    wholes_of,
)
from hksz_db.services.rows import absence, merged_into, touch

_MARK = "updated_at = now(), version = version + 1"


def delete(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Mark a live row as deleted, and its parts with it.

    Raises ``NotFound``, ``Gone``, ``Stale``, or ``Conflict`` when others rest on it.
    """
    lock_wholes(session, resource, id)
    # The strongest row lock: it keeps out whoever is about to refer to the row.
    run(session, f"SELECT FROM {resource} WHERE id = $1 FOR UPDATE", id)
    deleted = run(
        session,
        f"UPDATE {resource} SET deleted_at = clock_timestamp(), {_MARK}"
        " WHERE id = $1 AND deleted_at IS NULL AND ($2::int[] IS NULL OR version = ANY ($2))"
        " RETURNING deleted_at",
        id,
        versions,
    )
    if not deleted:
        raise absence(session, resource, id)
    refuse_if_needed(session, resource, [id])
    for part in parts_of(resource):
        gone = run(
            session,
            f"UPDATE {part.table} SET deleted_at = $2, {_MARK}"
            f" WHERE {part.column} = $1 AND deleted_at IS NULL RETURNING id",
            id,
            deleted[0][0],
        )
        refuse_if_needed(session, part.table, [row[0] for row in gone])
    touch_wholes(session, resource, id)


def restore(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Take back a deletion, of the row and of the parts that went with it.

    Raises ``NotFound``, ``Stale``, ``Merged``, or ``Conflict`` when the row is not deleted or what
    it rests on is.
    """
    lock_wholes(session, resource, id)
    restored = run(
        session,
        f"UPDATE {resource} SET deleted_at = NULL, {_MARK}"
        f" WHERE id = $1 AND deleted_at IS NOT NULL AND {merged_into(resource)} IS NULL"
        " AND ($2::int[] IS NULL OR version = ANY ($2)) RETURNING old.deleted_at",
        id,
        versions,
    )
    if not restored:
        raise _not_restorable(session, resource, id, versions)
    refuse_if_unfounded(session, resource, [id])
    for part in parts_of(resource):
        back = run(
            session,
            f"UPDATE {part.table} SET deleted_at = NULL, {_MARK}"
            f" WHERE {part.column} = $1 AND deleted_at = $2 RETURNING id",
            id,
            restored[0][0],
        )
        refuse_if_unfounded(session, part.table, [row[0] for row in back])
    touch_wholes(session, resource, id)


def _not_restorable(
    session: Session, resource: str, id: UUID, versions: Sequence[int] | None
) -> DomainError:
    singular = RESOURCES[resource].singular
    state = f"version, deleted_at IS NULL, {merged_into(resource)}"
    found = run(session, f"SELECT {state} FROM {resource} WHERE id = $1", id)
    if not found:
        return NotFound(singular, id)
    version, live, into_id = found[0]
    if into_id is not None:
        return Merged(singular, id, version, into_id)
    if live and (versions is None or version in versions):
        return Conflict(f"The {singular} {id} is not deleted.")
    return Stale(singular, id, version)


def touch_wholes(session: Session, resource: str, id: UUID) -> None:
    """Count the change of a part as a change of what it is a part of."""
    for whole in wholes_of(resource):
        ((key,),) = run(session, f"SELECT {whole.column} FROM {resource} WHERE id = $1", id)
        touch(session, whole.target, key)
