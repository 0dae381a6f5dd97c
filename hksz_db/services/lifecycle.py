"""Deleting and restoring: a deleted row is marked, and can be restored."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from psycopg import errors

from hksz_db.database import Session, run
from hksz_db.domain.errors import Conflict, Gone, Stale
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.dependants import (
    lock_parents,
    parents_of,
    parts_of,
    require_live_references,
    require_unused,
)
from hksz_db.services.rows import BUMP, merged_into, missing_row_error
from hksz_db.services.writing import translate


def delete(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Mark a live row as deleted, and its parts with it.

    Raises ``NotFound``, ``Gone``, ``Stale``, or ``Conflict`` if live rows refer to it.
    """
    lock_parents(session, resource, [id])
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
    _change_parts(session, resource, id, ("$2", "IS NULL"), deleted[0][0], require_unused)


def restore(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Restore a deleted row, and the parts that were deleted with it.

    Raises ``NotFound``, ``Stale``, ``Merged``, or ``Conflict`` if the row is not deleted, refers
    to a deleted row, or has a key that another row has taken meanwhile.
    """
    try:
        _restore(session, resource, id, versions)
    except errors.UniqueViolation as error:
        known = translate(error)
        if not isinstance(known, Conflict):
            raise
        # There is no body that a pointer could lead into.
        faults = [replace(fault, pointer=None) for fault in known.faults]
        raise Conflict(known.detail, faults) from error


def _restore(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    lock_parents(session, resource, [id])
    restored = run(
        session,
        f"UPDATE {resource} SET deleted_at = NULL, {BUMP}"
        f" WHERE id = $1 AND deleted_at IS NOT NULL AND {merged_into(resource)} IS NULL"
        " AND ($2::int[] IS NULL OR version = ANY ($2)) RETURNING old.deleted_at",
        id,
        versions,
    )
    if not restored:
        error = missing_row_error(session, resource, id)
        singular = RESOURCES[resource].singular
        if isinstance(error, Stale) and (versions is None or error.version in versions):
            raise Conflict(f"The {singular} {id} is not deleted.")
        raise Stale(singular, id, error.version) if isinstance(error, Gone) else error
    require_live_references(session, resource, [id])
    _change_parts(session, resource, id, ("NULL", "= $2"), restored[0][0], require_live_references)


def _change_parts(
    session: Session,
    resource: str,
    id: UUID,
    mark: tuple[str, str],
    moment: datetime,
    require: Callable[[Session, str, Sequence[UUID]], None],
) -> None:
    """Delete or restore the parts of a row, and count the change in the row it is a part of.

    ``mark`` is the new ``deleted_at`` of the parts, and the condition on the old one.
    """
    new, old = mark
    for part in parts_of(resource):
        changed = run(
            session,
            f"UPDATE {part.table} SET deleted_at = {new}, {BUMP}"
            f" WHERE {part.column} = $1 AND deleted_at {old} RETURNING id",
            id,
            moment,
        )
        require(session, part.table, [row[0] for row in changed])
    for parent in parents_of(resource):
        key = f"SELECT {parent.column} FROM {resource} WHERE id = $1"
        run(session, f"UPDATE {parent.target} SET {BUMP} WHERE id = ({key})", id)
