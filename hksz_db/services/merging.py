"""Merging two entities that are the same, and undoing the merge.

The merged entity is marked as deleted and redirects to the other, and all references to it are
moved to the other. Each row that is moved is recorded, so that the merge can be undone.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, Fault, Invalid, NotFound, Stale
from hksz_db.models import Base
from hksz_db.services.dependants import (
    LINKS,
    LIST_OWNERS,
    Link,
    lock_parents,
    parents_of,
    require_live_references,
)
from hksz_db.services.references import Shape, look_up, references_in, settle
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import Row, bump_version, lock_rows, missing_row_error

_SHAPE = Shape({"into": "entities"})
# Rows that belong to an entity move with it. Its names are copied instead, because it stays shown
# under one of them.
_OWNED = tuple(
    Link(table, column, owner, owner, column)
    for table, (owner, column) in LIST_OWNERS.items()
    if owner == "entities" and table not in {"entity_names", "entity_merges"}
)
_REFERRING = tuple(x for x in LINKS if x.target == "entities" and x.table != "entities")
MOVED = (*_OWNED, *_REFERRING)
"""Every column that is moved."""

# Two columns of a row that may not refer to the same entity.
_APART = {
    ("entity_relations", "subject_id"): "object_id",
    ("entity_relations", "object_id"): "subject_id",
}

Touched = dict[str, set[UUID]]


class Merge(NamedTuple):
    """A merge that is not undone: ``entity_id`` was merged into ``into_id``."""

    id: UUID
    entity_id: UUID
    into_id: UUID


def merge(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> UUID:
    """Merge the entity into the one that ``into_id`` or ``into_external_id`` names.

    Returns the id of the latter. Raises ``NotFound``, ``Gone``, ``Merged`` or ``Stale`` for the
    former, and ``Invalid`` with a pointer if the latter is missing, deleted, of another kind or the
    same.
    """
    _lock_merges(session)
    (given,) = fields
    references = list(references_in(fields, _SHAPE))
    settle(references, look_up(session, references))
    into_id: UUID = fields["into_id"]
    rows = _locked(session, id, into_id)
    row = rows.get(id)
    if not row or row["deleted_at"] or (versions is not None and row["version"] not in versions):
        raise missing_row_error(session, "entities", id)
    _check_pair(row, rows[into_id], f"#/{given}")
    sql = "INSERT INTO entity_merges (entity_id, into_id) VALUES ($1, $2) RETURNING id"
    this = Merge(run(session, sql, id, into_id)[0][0], id, into_id)
    for link in MOVED:
        lock_parents(session, link.table, [id], link.column)
    _copy_names(session, this)
    touched: Touched = defaultdict(set, entities={id, into_id})
    for link in MOVED:
        touched[link.owner] |= _drop_duplicates(session, this, link)
        touched[link.owner] |= _move(session, this, link)
    sql = "UPDATE entities SET deleted_at = clock_timestamp(), redirect_to = $2 WHERE id = $1"
    run(session, sql, id, into_id)
    _bump(session, touched)
    return into_id


def undo(session: Session, id: UUID, versions: Sequence[int] | None) -> None:
    """Undo the merge of an entity: the references that it moved are moved back, if still there.

    Raises ``NotFound`` or ``Stale``; ``Conflict`` if the entity is not merged, if the other was
    deleted or merged since, or if a later merge depends on rows that this one moved.
    """
    _lock_merges(session)
    sql = "SELECT id, into_id FROM entity_merges WHERE entity_id = $1 AND undone_at IS NULL"
    found = run(session, sql, id)
    into_id: UUID = found[0][1] if found else id
    rows = _locked(session, id, into_id)
    if id not in rows:
        raise NotFound("entity", id)
    if versions is not None and rows[id]["version"] not in versions:
        raise Stale("entity", id, rows[id]["version"])
    if not found:
        raise Conflict(f"The entity {id} is not merged.")
    this = Merge(found[0][0], id, into_id)
    _check_undoing(session, this, rows[into_id])
    for link in MOVED:
        lock_parents(session, link.table, [into_id], link.column)
    run(session, "UPDATE entity_merges SET undone_at = now() WHERE id = $1", this.id)
    run(session, "UPDATE entities SET deleted_at = NULL, redirect_to = NULL WHERE id = $1", id)
    touched: Touched = defaultdict(set, entities={id, into_id})
    for link in MOVED:
        touched[link.owner] |= _move_back(session, this, link)
    restored = {id}
    for link in MOVED:
        owners = _insert_dropped(session, this, link)
        touched[link.owner] |= owners
        restored |= owners if link.owner == "entities" else set()
    _check_restored(session, restored)
    _remove_copied_names(session, this)
    _bump(session, touched)


def _lock_merges(session: Session) -> None:
    # Two concurrent merges could move the same rows, or redirect to each other.
    run(session, "SELECT pg_advisory_xact_lock(hashtext('entity_merges'))")


def _locked(session: Session, *ids: UUID) -> dict[UUID, Row]:
    # The strongest row lock, because no new reference to one of them may be written.
    return lock_rows(session, "entities", ("version", "kind", "redirect_to"), ids, "UPDATE")


def _check_pair(row: Row, other: Row, pointer: str) -> None:
    if row["id"] == other["id"]:
        fault = Fault("itself", "An entity cannot be merged into itself.", pointer)
    elif row["kind"] != other["kind"]:
        detail = f"An entity of the kind {row['kind']} cannot be one of the kind {other['kind']}."
        fault = Fault("kind", detail, pointer)
    else:
        return
    raise Invalid("The entities cannot be merged.", [fault])


def _check_undoing(session: Session, this: Merge, other: Row) -> None:
    if other["redirect_to"] is not None:
        raise _not_undone("merged", f"{this.into_id} was itself merged: undo that first.")
    if other["deleted_at"]:
        raise _not_undone("deleted", f"{this.into_id} was deleted: restore it first.")
    for later in _merges_depending_on(session, this):
        raise _not_undone("later", f"{later} was merged later and shares rows: undo that first.")


def _check_restored(session: Session, owners: set[UUID]) -> None:
    """Raise ``Conflict`` if a restored relation belongs or refers to a missing row."""
    sql = "SELECT id, deleted_at IS NULL, redirect_to FROM entities WHERE id = ANY ($1) ORDER BY id"
    found = run(session, sql, list(owners))
    for id, _, into_id in found:
        if into_id is not None:
            raise _not_undone(
                "merged", f"{id}, which is related to it, was merged: undo that first."
            )
    require_live_references(session, "entities", [id for id, live, _ in found if live])


def _not_undone(code: str, detail: str) -> Conflict:
    return Conflict("The merge cannot be undone.", [Fault(code, f"The entity {detail}")])


def _bump(session: Session, touched: Touched) -> None:
    for owner in list(touched):
        for parent in parents_of(owner):
            sql = f"SELECT DISTINCT {parent.column} FROM {owner} WHERE id = ANY ($1)"
            found = run(session, sql, list(touched[owner]))
            touched.setdefault(parent.target, set()).update(row[0] for row in found)
    # All writers lock rows in this order.
    for resource in (name for name in WRITERS if name in touched):
        bump_version(session, resource, touched[resource])


def _copy_names(session: Session, merge: Merge) -> None:
    """Copy the names that the other entity lacks; only its own preferred names stay preferred."""
    run(
        session,
        "WITH copied AS (INSERT INTO entity_names (entity_id, name, language, kind)"
        " SELECT $3, name, language, CASE kind WHEN 'preferred' THEN 'alias' ELSE kind END"
        " FROM entity_names WHERE entity_id = $2 ORDER BY id ON CONFLICT DO NOTHING RETURNING id)"
        " INSERT INTO entity_merge_moves (merge_id, change, table_name, column_name, row_id)"
        " SELECT $1, 'copied', 'entity_names', 'entity_id', id FROM copied",
        *merge,
    )


def _remove_copied_names(session: Session, merge: Merge) -> None:
    """Delete the copied names, except those that another merged entity has too."""
    run(
        session,
        "WITH others AS (SELECT DISTINCT ON (recorded.id) recorded.id, other.id AS merge_id"
        " FROM entity_merge_moves AS recorded"
        " JOIN entity_names AS copy ON copy.id = recorded.row_id"
        " JOIN entity_merges AS other ON other.into_id = $2 AND other.undone_at IS NULL"
        " AND other.id <> $1"
        " JOIN entity_names AS own ON own.entity_id = other.entity_id"
        " AND own.name = copy.name AND own.language = copy.language"
        " WHERE recorded.merge_id = $1 AND recorded.change = 'copied'"
        " ORDER BY recorded.id, other.id)"
        " UPDATE entity_merge_moves AS recorded SET merge_id = others.merge_id"
        " FROM others WHERE recorded.id = others.id",
        merge.id,
        merge.into_id,
    )
    run(
        session,
        "DELETE FROM entity_names AS copy USING entity_merge_moves AS recorded"
        " WHERE recorded.merge_id = $1 AND recorded.change = 'copied'"
        " AND copy.id = recorded.row_id",
        merge.id,
    )


def _drop_duplicates(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Delete and record the rows that would be duplicates or would refer to their own entity."""
    same, apart = _same(link), _APART.get((link.table, link.column))
    if not same:
        return set()
    itself = f"gone.{apart} = $3" if apart else "false"
    return _owners(
        session,
        "WITH duplicates AS (SELECT gone.id, kept.id AS kept_id"
        f" FROM {link.table} AS gone LEFT JOIN {link.table} AS kept"
        f" ON kept.{link.column} = $3 AND ({same})"
        f" WHERE gone.{link.column} = $2 AND (kept.id IS NOT NULL OR {itself})),"
        f" dropped AS (DELETE FROM {link.table} AS gone USING duplicates"
        " WHERE gone.id = duplicates.id"
        f" RETURNING gone.id, gone.{link.owner_column} AS owner, to_jsonb(gone) AS content,"
        " duplicates.kept_id),"
        " recorded AS (INSERT INTO entity_merge_moves"
        " (merge_id, change, table_name, column_name, row_id, content, kept_id)"
        f" SELECT $1, 'dropped', '{link.table}', '{link.column}', id, content, kept_id"
        " FROM dropped)"
        " SELECT owner FROM dropped",
        *merge,
    )


def _insert_dropped(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Insert the dropped rows again, unless equal rows were added meanwhile."""
    if not _same(link):
        return set()
    columns = [column.name for column in Base.metadata.tables[link.table].columns]
    return _owners(
        session,
        f"INSERT INTO {link.table} ({', '.join(columns)})"
        f" SELECT {', '.join(f'dropped.{column}' for column in columns)}"
        " FROM entity_merge_moves AS recorded,"
        f" jsonb_populate_record(NULL::{link.table}, recorded.content) AS dropped"
        f" WHERE recorded.merge_id = $1 AND recorded.change = 'dropped' AND {_recorded_for(link)}"
        f" ON CONFLICT DO NOTHING RETURNING {link.owner_column}",
        merge.id,
    )


def _move(session: Session, merge: Merge, link: Link) -> set[UUID]:
    return _owners(
        session,
        f"WITH moved AS (UPDATE {link.table} SET {link.column} = $3 WHERE {link.column} = $2"
        f" RETURNING id, {link.owner_column} AS owner),"
        " recorded AS (INSERT INTO entity_merge_moves"
        " (merge_id, change, table_name, column_name, row_id)"
        f" SELECT $1, 'moved', '{link.table}', '{link.column}', id FROM moved)"
        " SELECT owner FROM moved",
        *merge,
    )


def _move_back(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Move references back that still refer to the other entity."""
    return _owners(
        session,
        f"UPDATE {link.table} AS moved SET {link.column} = $2 FROM entity_merge_moves AS recorded"
        f" WHERE recorded.merge_id = $1 AND recorded.change = 'moved' AND {_recorded_for(link)}"
        f" AND moved.id = recorded.row_id AND moved.{link.column} = $3"
        f" RETURNING moved.{link.owner_column}",
        *merge,
    )


def _merges_depending_on(session: Session, merge: Merge) -> Sequence[UUID]:
    """The entities of later merges that dropped duplicates of rows that this merge moved.

    If these rows were moved back, the dropped rows would be missing.
    """
    found = run(
        session,
        "SELECT DISTINCT later.entity_id FROM entity_merge_moves AS mine"
        " JOIN entity_merge_moves AS theirs"
        " ON theirs.row_id = mine.row_id OR theirs.kept_id = mine.row_id"
        " JOIN entity_merges AS later ON later.id = theirs.merge_id"
        " WHERE mine.merge_id = $1 AND mine.change = 'moved' AND theirs.change = 'dropped'"
        " AND later.id > $1 AND later.undone_at IS NULL ORDER BY 1",
        merge.id,
    )
    return [row[0] for row in found]


def _owners(session: Session, sql: str, *arguments: UUID) -> set[UUID]:
    return {row[0] for row in run(session, sql, *arguments)}


def _recorded_for(link: Link) -> str:
    return f"recorded.table_name = '{link.table}' AND recorded.column_name = '{link.column}'"


def _same(link: Link) -> str:
    """The condition that ``gone`` would be a duplicate of ``kept`` once moved."""
    table = Base.metadata.tables[link.table]
    uniques = (c for c in table.constraints if isinstance(c, UniqueConstraint))
    conditions = [
        " AND ".join(_equal(column) for column in unique.columns if column.name != link.column)
        for unique in uniques
        if link.column in unique.columns
    ]
    return " OR ".join(conditions)


def _equal(column: Column[Any]) -> str:
    # Only where it is needed, because "=" can use an index.
    operator = "IS NOT DISTINCT FROM" if column.nullable else "="
    return f"kept.{column.name} {operator} gone.{column.name}"
