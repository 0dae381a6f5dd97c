"""Moving the rows that refer to a merged entity, and moving them back.

Functions that take a ``link`` return the ids of the ``link.owner`` rows that they changed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.models import Base
from hksz_db.services.dependants import LINKS, LIST_OWNERS, Link

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


@dataclass(frozen=True)
class Merge:
    """A merge that is not undone: ``entity_id`` was merged into ``into_id``."""

    id: UUID
    entity_id: UUID
    into_id: UUID


def copy_names(session: Session, merge: Merge) -> None:
    """Copy the names that the other entity lacks; only its own preferred names stay preferred."""
    run(
        session,
        "WITH copied AS (INSERT INTO entity_names (entity_id, name, language, kind)"
        " SELECT $3, name, language, CASE kind WHEN 'preferred' THEN 'alias' ELSE kind END"
        " FROM entity_names WHERE entity_id = $2 ORDER BY id ON CONFLICT DO NOTHING RETURNING id)"
        " INSERT INTO entity_merge_moves (merge_id, change, table_name, column_name, row_id)"
        " SELECT $1, 'copied', 'entity_names', 'entity_id', id FROM copied",
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def remove_copied_names(session: Session, merge: Merge) -> None:
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


def drop_duplicates(session: Session, merge: Merge, link: Link) -> set[UUID]:
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
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def insert_dropped(session: Session, merge: Merge, link: Link) -> set[UUID]:
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


def move(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Move the references from the merged entity to the other."""
    return _owners(
        session,
        f"WITH moved AS (UPDATE {link.table} SET {link.column} = $3 WHERE {link.column} = $2"
        f" RETURNING id, {link.owner_column} AS owner),"
        " recorded AS (INSERT INTO entity_merge_moves"
        " (merge_id, change, table_name, column_name, row_id)"
        f" SELECT $1, 'moved', '{link.table}', '{link.column}', id FROM moved)"
        " SELECT owner FROM moved",
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def move_back(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Move references back that still refer to the other entity."""
    return _owners(
        session,
        f"UPDATE {link.table} AS moved SET {link.column} = $2 FROM entity_merge_moves AS recorded"
        f" WHERE recorded.merge_id = $1 AND recorded.change = 'moved' AND {_recorded_for(link)}"
        f" AND moved.id = recorded.row_id AND moved.{link.column} = $3"
        f" RETURNING moved.{link.owner_column}",
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def merges_depending_on(session: Session, merge: Merge) -> Sequence[UUID]:
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
