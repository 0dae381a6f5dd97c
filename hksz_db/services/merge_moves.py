"""What a merge of entities does to the rows that refer to them, and the way back.

Each function returns whose rows it touched: the ids of the resource that ``link.owner`` names.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Column, UniqueConstraint
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.models import Base
from hksz_db.services.dependants import LINKS, Link

# What belongs to an entity goes with it; but for its names, under one of which it is shown: they
# are copied.
_OWNED = (
    Link("entity_identifiers", "entity_id", "entities", "entities", "entity_id"),
    Link("entity_relations", "subject_id", "entities", "entities", "subject_id"),
)
_REFERRING = tuple(x for x in LINKS if x.target == "entities" and x.table != "entities")
MOVED = (*_OWNED, *_REFERRING)
"""Every column that is moved; a test compares them with the foreign keys to entities."""

# Two columns of a row that may not lead to the same entity.
_APART = {
    ("entity_relations", "subject_id"): "object_id",
    ("entity_relations", "object_id"): "subject_id",
}


@dataclass(frozen=True)
class Merge:
    """A merge that stands: ``entity_id`` went into ``into_id``."""

    id: UUID
    entity_id: UUID
    into_id: UUID


def copy_names(session: Session, merge: Merge) -> None:
    """Give the other the names that it lacks; its own preferred names stay the preferred ones."""
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


def take_names_back(session: Session, merge: Merge) -> None:
    """Delete the copied names, but for those of another entity that was merged into the same."""
    run(
        session,
        "WITH heirs AS (SELECT DISTINCT ON (noted.id) noted.id, other.id AS merge_id"
        " FROM entity_merge_moves AS noted"
        " JOIN entity_names AS copy ON copy.id = noted.row_id"
        " JOIN entity_merges AS other ON other.into_id = $2 AND other.undone_at IS NULL"
        " AND other.id <> $1"
        " JOIN entity_names AS own ON own.entity_id = other.entity_id"
        " AND own.name = copy.name AND own.language = copy.language"
        " WHERE noted.merge_id = $1 AND noted.change = 'copied' ORDER BY noted.id, other.id)"
        " UPDATE entity_merge_moves AS noted SET merge_id = heirs.merge_id"
        " FROM heirs WHERE noted.id = heirs.id",
        merge.id,
        merge.into_id,
    )
    run(
        session,
        "DELETE FROM entity_names AS copy USING entity_merge_moves AS noted"
        " WHERE noted.merge_id = $1 AND noted.change = 'copied' AND copy.id = noted.row_id",
        merge.id,
    )


def drop_doubles(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Delete, and keep aside, the rows that would be there twice or lead to themselves."""
    same, apart = _same(link), _APART.get((link.table, link.column))
    if not same:
        return set()
    itself = f"gone.{apart} = $3" if apart else "false"
    return _owners(
        session,
        "WITH doubled AS (SELECT gone.id, kept.id AS kept_id"
        f" FROM {link.table} AS gone LEFT JOIN {link.table} AS kept"
        f" ON kept.{link.column} = $3 AND ({same})"
        f" WHERE gone.{link.column} = $2 AND (kept.id IS NOT NULL OR {itself})),"
        f" dropped AS (DELETE FROM {link.table} AS gone USING doubled WHERE gone.id = doubled.id"
        f" RETURNING gone.id, gone.{link.owner_column} AS owner, to_jsonb(gone) AS content,"
        " doubled.kept_id),"
        " noted AS (INSERT INTO entity_merge_moves"
        " (merge_id, change, table_name, column_name, row_id, content, kept_id)"
        f" SELECT $1, 'dropped', '{link.table}', '{link.column}', id, content, kept_id"
        " FROM dropped)"
        " SELECT owner FROM dropped",
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def bring_back(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Insert again what was dropped, unless it was entered again meanwhile."""
    if not _same(link):
        return set()
    columns = [column.name for column in Base.metadata.tables[link.table].columns]
    return _owners(
        session,
        f"INSERT INTO {link.table} ({', '.join(columns)})"
        f" SELECT {', '.join(f'back.{column}' for column in columns)}"
        " FROM entity_merge_moves AS noted,"
        f" jsonb_populate_record(NULL::{link.table}, noted.content) AS back"
        f" WHERE noted.merge_id = $1 AND noted.change = 'dropped' AND {_noted_for(link)}"
        f" ON CONFLICT DO NOTHING RETURNING {link.owner_column}",
        merge.id,
    )


def move(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Let what referred to the one refer to the other."""
    return _owners(
        session,
        f"WITH moved AS (UPDATE {link.table} SET {link.column} = $3 WHERE {link.column} = $2"
        f" RETURNING id, {link.owner_column} AS owner),"
        " noted AS (INSERT INTO entity_merge_moves"
        " (merge_id, change, table_name, column_name, row_id)"
        f" SELECT $1, 'moved', '{link.table}', '{link.column}', id FROM moved)"
        " SELECT owner FROM moved",
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def move_back(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Undo the moves of what still refers to the other."""
    return _owners(
        session,
        f"UPDATE {link.table} AS moved SET {link.column} = $2 FROM entity_merge_moves AS noted"
        f" WHERE noted.merge_id = $1 AND noted.change = 'moved' AND {_noted_for(link)}"
        f" AND moved.id = noted.row_id AND moved.{link.column} = $3"
        f" RETURNING moved.{link.owner_column}",
        merge.id,
        merge.entity_id,
        merge.into_id,
    )


def built_upon(session: Session, merge: Merge) -> Sequence[UUID]:
    """Which entities went later, in merges that dropped rows for what this one has moved.

    Were it moved back, the dropped rows would be missing where it stood in for them.
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


def _noted_for(link: Link) -> str:
    return f"noted.table_name = '{link.table}' AND noted.column_name = '{link.column}'"


def _same(link: Link) -> str:
    """The condition under which ``kept`` stands where ``gone`` would come to stand."""
    table = Base.metadata.tables[link.table]
    uniques = (c for c in table.constraints if isinstance(c, UniqueConstraint))
    conditions = [
        " AND ".join(_equal(column) for column in unique.columns if column.name != link.column)
        for unique in uniques
        if link.column in unique.columns
    ]
    return " OR ".join(conditions)


def _equal(column: Column[Any]) -> str:
    # Only where it is needed: a plain comparison can be looked up.
    operator = "IS NOT DISTINCT FROM" if column.nullable else "="
    return f"kept.{column.name} {operator} gone.{column.name}"
