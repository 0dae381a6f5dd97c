"""Deleting and restoring: a deleted row is marked, and can be restored."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, DomainError, Merged, NotFound, Stale
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.dependants import (
    lock_parents,
    parents_of,
    parts_of,
    require_live_references,
    require_unused,
)
from hksz_db.services.rows import BUMP, bump_version, merged_into, missing_row_error


def delete(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Mark a live row as deleted, and its parts with it.

    Raises ``NotFound``, ``Gone``, ``Stale``, or ``Conflict`` if live rows refer to it.
    """
    lock_parents(session, resource, id)
    # The strongest row lock, because no new reference to the row may be written.
    run(session, f"SELECT FROM {resource} WHERE id = $1 FOR UPDATE", id)
    deleted = run(
        session,
        f"UPDATE {resource} SET deleted_at = clock_timestamp(), {BUMP}"
        " WHERE id = $1 AND deleted_at IS NULL AND ($2::int[] IS NULL OR version = ANY ($2))"
        " RETURNING deleted_at",
        id,
        versions,
    )
    if not deleted:
        raise missing_row_error(session, resource, id)
    require_unused(session, resource, [id])
    for part in parts_of(resource):
        deleted_parts = run(
            session,
            f"UPDATE {part.table} SET deleted_at = $2, {BUMP}"
            f" WHERE {part.column} = $1 AND deleted_at IS NULL RETURNING id",
            id,
            deleted[0][0],
        )
        require_unused(session, part.table, [row[0] for row in deleted_parts])
    bump_parents(session, resource, id)


def restore(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Restore a deleted row, and the parts that were deleted with it.

    Raises ``NotFound``, ``Stale``, ``Merged``, or ``Conflict`` if the row is not deleted or refers
    to a deleted row.
    """
    lock_parents(session, resource, id)
    restored = run(
        session,
        f"UPDATE {resource} SET deleted_at = NULL, {BUMP}"
        f" WHERE id = $1 AND deleted_at IS NOT NULL AND {merged_into(resource)} IS NULL"
        " AND ($2::int[] IS NULL OR version = ANY ($2)) RETURNING old.deleted_at",
        id,
        versions,
    )
    if not restored:
        raise _not_restorable(session, resource, id, versions)
    require_live_references(session, resource, [id])
    for part in parts_of(resource):
        restored_parts = run(
            session,
            f"UPDATE {part.table} SET deleted_at = NULL, {BUMP}"
            f" WHERE {part.column} = $1 AND deleted_at = $2 RETURNING id",
            id,
            restored[0][0],
        )
        require_live_references(session, part.table, [row[0] for row in restored_parts])
    bump_parents(session, resource, id)


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


def bump_parents(session: Session, resource: str, id: UUID) -> None:
    """Count the change of a part as a change of the row that it is a part of."""
    for parent in parents_of(resource):
        ((key,),) = run(session, f"SELECT {parent.column} FROM {resource} WHERE id = $1", id)
        bump_version(session, parent.target, [key])
