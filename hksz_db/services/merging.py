"""Merging two rows of a resource that are the same, and undoing the merge.

The merged row is marked as deleted and redirects to the other, and what refers to it is moved to
the other. Each row that is changed is recorded, so that the merge can be undone.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple
from uuid import UUID

from psycopg import errors
from sqlalchemy import CheckConstraint, Column, UniqueConstraint

from hksz_db.database import Session, run
from hksz_db.domain.chronology import parse
from hksz_db.domain.errors import Conflict, Fault, Invalid, NotFound, Stale
from hksz_db.domain.vocabulary import ClaimStatus, EvidenceStatus
from hksz_db.models import Base
from hksz_db.models.base import UNLIKE_OWNER
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.dates import lock_dependent_claims, recompute_relative_dates
from hksz_db.services.dependants import (
    LINKS,
    LIST_OWNERS,
    Link,
    parents_of,
    require_live_references,
)
from hksz_db.services.references import Shape, look_up, references_in, settle
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import (
    TRIGGER_LOCKS,
    Row,
    bump_version,
    lock_for_triggers,
    lock_rows,
    missing_row_error,
)
from hksz_db.services.writing import translate

# An entity stays shown under one of its names, so that they are copied. The credits of a source
# are part of its description, like its title. Triggers count the corroborations.
_KEPT = {"entity_names", "source_contributors", "corroborations"}
# What both rows must have in common.
_COMMON = {"entities": ("kind",), "claims": ("modality",), "sources": ()}
_EQUAL_FIGURES = (
    "metric_id",
    "subject_id",
    "modality",
    "value_range",
    "plausible_range",
    "period_edtf",
    "breakdown",
    "definition",
    "estimate",
    "known_at_edtf",
)
"""Two figures of one claim that have these columns in common are the same."""

_ORDER_OF_REVIEW = (
    EvidenceStatus.ACCEPTED,
    EvidenceStatus.SUBMITTED,
    EvidenceStatus.DRAFT,
    EvidenceStatus.REJECTED,
)
"""Of two pieces of evidence that are the same, the one whose status comes first is kept."""

_CAPTURE = "evidence_capture_id_source_id_fkey"

Touched = dict[str, set[UUID]]


class _Reference(NamedTuple):
    table: str
    column: str
    target: str


@dataclass(frozen=True)
class Mergeable:
    """A resource whose rows can be merged."""

    resource: str

    @cached_property
    def singular(self) -> str:
        """What one of its rows is called."""
        return RESOURCES[self.resource].singular

    @property
    def is_reviewed(self) -> bool:
        """Whether its rows have a status in review."""
        return "status" in Base.metadata.tables[self.resource].c

    @property
    def merges(self) -> str:
        """The table of the merges."""
        return f"{self.singular}_merges"

    @property
    def merged(self) -> str:
        """The column of that table with the id of the merged row."""
        return f"{self.singular}_id"

    @property
    def moves(self) -> str:
        """The table of what the merges changed."""
        return f"{self.singular}_merge_moves"

    @cached_property
    def moved(self) -> tuple[Link, ...]:
        """Every column that is moved: those of the lists of a row, and those that refer to it."""
        owned = (
            Link(table, column, owner, owner, column)
            for table, (owner, column) in LIST_OWNERS.items()
            if owner == self.resource and table not in _KEPT
        )
        referring = (
            link for link in LINKS if link.target == self.resource and link.column != "redirect_to"
        )
        return (*owned, *referring)

    @cached_property
    def references_to_parts(self) -> list[_Reference]:
        """The references to rows of which duplicates are removed."""
        removed = {link.table for link in self.moved if _same(link)}
        return [
            _Reference(table.name, key.parent.name, key.column.table.name)
            for table in Base.metadata.sorted_tables
            for constraint in table.foreign_key_constraints
            for key in constraint.elements[:1]
            if key.column.table.name in removed
        ]


MERGEABLE: Mapping[str, Mergeable] = {
    name: Mergeable(name) for name, readable in RESOURCES.items() if readable.can_be_merged
}
"""The resources whose rows can be merged, by name."""


class Merge(NamedTuple):
    """A merge that is not undone: ``merged_id`` was merged into ``into_id``."""

    kind: Mergeable
    id: UUID
    merged_id: UUID
    into_id: UUID

    @property
    def ids(self) -> tuple[UUID, UUID, UUID]:
        """The arguments of the statements: the ids of the merge and of both rows."""
        return self[1:]

    @property
    def moves(self) -> str:
        """The table of what it changed."""
        return self.kind.moves


def merge(
    session: Session, resource: str, id: UUID, versions: Sequence[int] | None, fields: Row
) -> UUID:
    """Merge a row into the one that ``into_id`` or ``into_external_id`` names.

    Returns the id of the latter. Raises ``NotFound``, ``Gone``, ``Merged`` or ``Stale`` for the
    former, ``Invalid`` with a pointer if the latter is missing, deleted, of another kind, the same
    or accepted while the former is not, and ``Conflict`` if what refers to them does not allow it.
    """
    kind = MERGEABLE[resource]
    _lock_merges(session)
    (given,) = fields
    references = list(references_in(fields, Shape({"into": resource})))
    settle(references, look_up(session, references))
    into_id: UUID = fields["into_id"]
    rows = _locked(session, kind, id, into_id)
    row = rows.get(id)
    if not row or row["deleted_at"] or (versions is not None and row["version"] not in versions):
        raise missing_row_error(session, resource, id)
    _check_pair(kind, row, rows[into_id], f"#/{given}")
    sql = f"INSERT INTO {kind.merges} ({kind.merged}, into_id) VALUES ($1, $2) RETURNING id"
    this = Merge(kind, run(session, sql, id, into_id)[0][0], id, into_id)
    touched: Touched = defaultdict(set, {resource: {id, into_id}})
    with _refusing(f"The {resource} cannot be merged."):
        _change(session, this, touched)
        sql = (
            f"UPDATE {resource} SET deleted_at = clock_timestamp(), redirect_to = $2 WHERE id = $1"
        )
        run(session, sql, id, into_id)
        _bump(session, touched)
        _recompute_dates(session, kind, id, into_id)
    return into_id


def _change(session: Session, this: Merge, touched: Touched) -> None:
    _lock_owners(session, this.kind, this.merged_id)
    if this.kind.resource == "entities":
        _copy_names(session, this)
    run(session, f"SET CONSTRAINTS {_CAPTURE} DEFERRED")
    for link in this.kind.moved:
        touched[link.owner] |= _remove_duplicates(session, this, link)
        touched[link.owner] |= _move(session, this, link)
    for reference in this.kind.references_to_parts:
        touched[reference.table] |= _refer_to_kept(session, this, reference)
    run(session, f"SET CONSTRAINTS {_CAPTURE} IMMEDIATE")


def undo(session: Session, resource: str, id: UUID, versions: Sequence[int] | None) -> None:
    """Undo the merge of a row: the references that it moved are moved back, if still there.

    Raises ``NotFound`` or ``Stale``; ``Conflict`` if the row is not merged, if the other was
    deleted or merged since or awaits review, or if a later merge depends on rows that this one
    changed.
    """
    kind = MERGEABLE[resource]
    _lock_merges(session)
    sql = f"SELECT id, into_id FROM {kind.merges} WHERE {kind.merged} = $1 AND undone_at IS NULL"
    found = run(session, sql, id)
    into_id: UUID = found[0][1] if found else id
    rows = _locked(session, kind, id, into_id)
    if id not in rows:
        raise NotFound(kind.singular, id)
    if versions is not None and rows[id]["version"] not in versions:
        raise Stale(kind.singular, id, rows[id]["version"])
    if not found:
        raise Conflict(f"The {kind.singular} {id} is not merged.")
    this = Merge(kind, found[0][0], id, into_id)
    _check_undoing(session, this, rows[id], rows[into_id])
    touched: Touched = defaultdict(set, {resource: {id, into_id}})
    with _refusing(_NOT_UNDONE):
        _lock_owners(session, kind, into_id)
        run(session, f"UPDATE {kind.merges} SET undone_at = now() WHERE id = $1", this.id)
        run(
            session,
            f"UPDATE {resource} SET deleted_at = NULL, redirect_to = NULL WHERE id = $1",
            id,
        )
        _change_back(session, this, touched)
        _bump(session, touched)
        _recompute_dates(session, kind, into_id, id)


def _change_back(session: Session, this: Merge, touched: Touched) -> None:
    restored: Touched = defaultdict(set, {this.kind.resource: {this.merged_id}})
    run(session, f"SET CONSTRAINTS {_CAPTURE} DEFERRED")
    for link in this.kind.moved:
        touched[link.owner] |= _move_back(session, this, link)
    for link in this.kind.moved:
        restored[link.owner] |= _restore_duplicates(session, this, link)
    for reference in this.kind.references_to_parts:
        touched[reference.table] |= _refer_to_duplicate(session, this, reference)
    run(session, f"SET CONSTRAINTS {_CAPTURE} IMMEDIATE")
    for owner, ids in restored.items():
        touched[owner] |= ids
        _check_restored(session, owner, ids)
    if this.kind.resource == "entities":
        _remove_copied_names(session, this)


def _lock_merges(session: Session) -> None:
    # Two concurrent merges could move the same rows, or redirect to each other.
    run(session, "SELECT pg_advisory_xact_lock(hashtext('merges'))")


def _locked(session: Session, kind: Mergeable, *ids: UUID) -> dict[UUID, Row]:
    # The strongest row lock, because no new reference to one of them may be written.
    columns = ["version", "redirect_to", *_COMMON[kind.resource]]
    if kind.is_reviewed:
        columns.append("status")
    return lock_rows(session, kind.resource, columns, ids, "UPDATE")


def _lock_owners(session: Session, kind: Mergeable, id: UUID) -> None:
    """Lock the rows that change because they refer to one, in the order of all writers."""
    owners: Touched = defaultdict(set)
    for link in kind.moved:
        sql = f"SELECT DISTINCT {link.owner_column} FROM {link.table} WHERE {link.column} = $1"
        owners[link.owner] |= _ids(session, sql, id)
    _add_parents(session, owners)
    for resource in (name for name in WRITERS if owners.get(name)):
        lock_rows(session, resource, (), owners[resource])
    # Triggers take these locks.
    lock_for_triggers(session, TRIGGER_LOCKS)


def _add_parents(session: Session, owners: Touched) -> None:
    for owner in list(owners):
        for parent in parents_of(owner):
            sql = f"SELECT DISTINCT {parent.column} FROM {owner} WHERE id = ANY ($1)"
            owners[parent.target] |= _ids(session, sql, list(owners[owner]))


@contextmanager
def _refusing(detail: str) -> Iterator[None]:
    """Raise ``Conflict`` with the reason if the rules of the model do not allow a change."""
    try:
        yield
    except (errors.IntegrityError, Conflict) as error:
        known = translate(error) if isinstance(error, errors.IntegrityError) else error
        if not isinstance(known, Conflict | Invalid):
            raise
        # There is no body that a pointer could lead into.
        faults = [Fault(fault.code, fault.detail) for fault in known.faults]
        raise Conflict(detail, faults) from error


def _check_pair(kind: Mergeable, row: Row, other: Row, pointer: str) -> None:
    faults = [
        Fault(
            column,
            f"The {column} of both must be the same, but is {row[column]} and {other[column]}.",
            pointer,
        )
        for column in _COMMON[kind.resource]
        if row[column] != other[column]
    ]
    if kind.is_reviewed and not _may_give(row, other):
        detail = f"The other is accepted, and this one is {row['status']}: review it first."
        faults.append(Fault("status", detail, pointer))
    if row["id"] == other["id"]:
        faults = [Fault("itself", "A row cannot be merged into itself.", pointer)]
    if faults:
        raise Invalid(f"The {kind.resource} cannot be merged.", faults)


def _may_give(giver: Row, receiver: Row) -> bool:
    """Whether figures may move to the receiver; they are reviewed with their claim."""
    gives, takes = (row["status"] == ClaimStatus.ACCEPTED for row in (giver, receiver))
    return gives or not takes


_NOT_UNDONE = "The merge cannot be undone."


def _check_undoing(session: Session, this: Merge, row: Row, other: Row) -> None:
    if other["redirect_to"] is not None:
        raise _not_undone(
            this.kind, "merged", f"{this.into_id} was itself merged: undo that first."
        )
    if other["deleted_at"]:
        raise _not_undone(this.kind, "deleted", f"{this.into_id} was deleted: restore it first.")
    # Figures may have been changed since.
    if this.kind.is_reviewed and not _may_give(other, row):
        detail = f"{this.into_id} is {other['status']}, and {this.merged_id} was accepted:"
        raise _not_undone(this.kind, "status", f"{detail} review the former first.")
    for resource, later in _merges_depending_on(session, this):
        detail = f"{later} was merged later and shares rows: undo that first."
        raise _not_undone(MERGEABLE[resource], "later", detail)


def _check_restored(session: Session, owner: str, ids: set[UUID]) -> None:
    """Raise ``Conflict`` if a restored row belongs or refers to a missing row."""
    redirect = "redirect_to" if owner in MERGEABLE else "NULL::uuid"
    sql = f"SELECT id, deleted_at IS NULL, {redirect} FROM {owner} WHERE id = ANY ($1) ORDER BY id"
    found = run(session, sql, list(ids))
    for id, _, into_id in found:
        if into_id is not None:
            detail = f"{id}, which is related to it, was merged: undo that first."
            raise _not_undone(MERGEABLE[owner], "merged", detail)
    require_live_references(session, owner, [id for id, live, _ in found if live])


def _not_undone(kind: Mergeable, code: str, detail: str) -> Conflict:
    return Conflict(_NOT_UNDONE, [Fault(code, f"The {kind.singular} {detail}")])


def _bump(session: Session, touched: Touched) -> None:
    _add_parents(session, touched)
    # All writers lock rows in this order.
    for resource in (name for name in WRITERS if touched.get(name)):
        bump_version(session, resource, touched[resource])


def _recompute_dates(session: Session, kind: Mergeable, before: UUID, after: UUID) -> None:
    """Compute the dates anew that were relative to one source and are now relative to another."""
    if kind.resource != "sources":
        return
    sql = "SELECT issued_edtf FROM sources WHERE id = ANY ($1) ORDER BY id = $2"
    (old,), (new,) = run(session, sql, [before, after], after)
    if old != new:
        claims = lock_dependent_claims(session, [after]).get(after, [])
        recompute_relative_dates(session, after, new and parse(new), claims)


def _copy_names(session: Session, merge: Merge) -> None:
    """Copy the names that the other entity lacks; only its own preferred names stay preferred."""
    run(
        session,
        "WITH copied AS (INSERT INTO entity_names (entity_id, name, language, kind)"
        " SELECT $3, name, language, CASE kind WHEN 'preferred' THEN 'alias' ELSE kind END"
        " FROM entity_names WHERE entity_id = $2 ORDER BY id ON CONFLICT DO NOTHING RETURNING id)"
        " INSERT INTO entity_merge_moves (merge_id, change, table_name, column_name, row_id)"
        " SELECT $1, 'copied', 'entity_names', 'entity_id', id FROM copied",
        *merge.ids,
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


def _remove_duplicates(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Remove and record the rows that would be duplicates or would say nothing once moved.

    Rows of resources are only marked as deleted. They are moved like the others. Of two that are
    the same, the one that is not moved is kept, unless ``_is_better`` says otherwise.
    """
    same, idle, better = _same(link), _would_say_nothing(link), _is_better(link)
    if not same:
        return set()
    if link.table in RESOURCES:
        change, content = "deleted", "NULL::jsonb"
        removal = (
            f"UPDATE {link.table} AS gone SET deleted_at = clock_timestamp() FROM duplicates"
            " WHERE gone.id = duplicates.id"
        )
    else:
        change, content = "dropped", "to_jsonb(gone)"
        removal = f"DELETE FROM {link.table} AS gone USING duplicates WHERE gone.id = duplicates.id"
    return _ids(
        session,
        "WITH duplicates AS (SELECT DISTINCT ON (gone.id)"
        f" CASE WHEN {better} THEN kept.id ELSE gone.id END AS id,"
        f" CASE WHEN {better} THEN gone.id ELSE kept.id END AS kept_id"
        f" FROM {link.table} AS gone LEFT JOIN {link.table} AS kept"
        f" ON kept.{link.column} = $3 AND ({same})"
        f" WHERE gone.{link.column} = $2 AND (kept.id IS NOT NULL OR {idle})"
        " ORDER BY gone.id, kept.id),"
        f" removed AS ({removal} RETURNING gone.id, gone.{link.owner_column} AS owner,"
        f" {content} AS content, duplicates.kept_id),"
        f" recorded AS (INSERT INTO {merge.moves}"
        " (merge_id, change, table_name, column_name, row_id, content, kept_id)"
        f" SELECT $1, '{change}', '{link.table}', '{link.column}', id, content, kept_id"
        " FROM removed)"
        " SELECT owner FROM removed",
        *merge.ids,
    )


def _restore_duplicates(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Restore the duplicates; those that were dropped unless equal rows were added meanwhile."""
    if not _same(link):
        return set()
    if link.table in RESOURCES:
        return _ids(
            session,
            f"UPDATE {link.table} AS gone SET deleted_at = NULL FROM {merge.moves} AS recorded"
            f" WHERE {_recorded_for(link)} AND recorded.change = 'deleted'"
            " AND gone.id = recorded.row_id AND gone.deleted_at IS NOT NULL RETURNING gone.id",
            merge.id,
        )
    columns = [column.name for column in Base.metadata.tables[link.table].columns]
    return _ids(
        session,
        f"INSERT INTO {link.table} ({', '.join(columns)})"
        f" SELECT {', '.join(f'dropped.{column}' for column in columns)}"
        f" FROM {merge.moves} AS recorded,"
        f" jsonb_populate_record(NULL::{link.table}, recorded.content) AS dropped"
        f" WHERE {_recorded_for(link)} AND recorded.change = 'dropped'"
        f" ON CONFLICT DO NOTHING RETURNING {link.owner_column}",
        merge.id,
    )


def _move(session: Session, merge: Merge, link: Link) -> set[UUID]:
    update = f"UPDATE {link.table} SET {link.column} = $3 WHERE {link.column} = $2"
    sql = _recorded(merge, link, f"{update} RETURNING id, {link.owner_column} AS owner")
    return _ids(session, sql, *merge.ids)


def _recorded(merge: Merge, moved: Link | _Reference, update: str) -> str:
    """The statement that moves and records rows, and returns their owners."""
    return (
        f"WITH moved AS ({update}),"
        f" recorded AS (INSERT INTO {merge.moves}"
        " (merge_id, change, table_name, column_name, row_id)"
        f" SELECT $1, 'moved', '{moved.table}', '{moved.column}', id FROM moved)"
        " SELECT owner FROM moved"
    )


def _move_back(session: Session, merge: Merge, link: Link) -> set[UUID]:
    """Move references back that still refer to the other row."""
    return _ids(
        session,
        f"UPDATE {link.table} AS moved SET {link.column} = $2 FROM {merge.moves} AS recorded"
        f" WHERE {_recorded_for(link)} AND recorded.change = 'moved'"
        f" AND moved.id = recorded.row_id AND moved.{link.column} = $3"
        f" RETURNING moved.{link.owner_column}",
        *merge.ids,
    )


def _refer_to_kept(session: Session, merge: Merge, reference: _Reference) -> set[UUID]:
    """Make what refers to a duplicate refer to the row that is kept, unless it is that row."""
    table, column, _ = reference
    update = (
        f"UPDATE {table} AS moved SET {column} = NULLIF(removed.kept_id, moved.id)"
        f" FROM {merge.moves} AS removed WHERE {_removed_for(reference)}"
        f" AND moved.{column} = removed.row_id RETURNING moved.id, moved.id AS owner"
    )
    return _ids(session, _recorded(merge, reference, update), merge.id)


def _refer_to_duplicate(session: Session, merge: Merge, reference: _Reference) -> set[UUID]:
    """Undo ``_refer_to_kept`` for the rows that have not been changed since."""
    table, column, _ = reference
    return _ids(
        session,
        f"UPDATE {table} AS moved SET {column} = removed.row_id"
        f" FROM {merge.moves} AS recorded, {merge.moves} AS removed"
        f" WHERE {_recorded_for(reference)} AND recorded.change = 'moved'"
        f" AND {_removed_for(reference)} AND moved.id = recorded.row_id"
        f" AND moved.{column} IS NOT DISTINCT FROM NULLIF(removed.kept_id, moved.id)"
        " RETURNING moved.id",
        merge.id,
    )


def _removed_for(reference: _Reference) -> str:
    return (
        f"removed.merge_id = $1 AND removed.table_name = '{reference.target}'"
        " AND removed.kept_id IS NOT NULL"
    )


def _merges_depending_on(session: Session, merge: Merge) -> Sequence[tuple[str, UUID]]:
    """The resources and merged rows of later merges that removed what this merge changed.

    If these rows were moved back, the removed rows would be missing. It is the same if the later
    merge changed a row that this merge removed, or moved the same reference.
    """
    later = " UNION ".join(
        f"SELECT '{other.resource}', merges.{other.merged} AS merged_id"
        f" FROM {merge.moves} AS mine JOIN {other.moves} AS moves ON moves.row_id = mine.row_id"
        " OR moves.kept_id = mine.row_id OR moves.row_id = mine.kept_id"
        f" JOIN {other.merges} AS merges ON merges.id = moves.merge_id"
        " WHERE mine.merge_id = $1 AND 'copied' NOT IN (mine.change, moves.change)"
        " AND merges.id > $1 AND merges.undone_at IS NULL"
        " AND (mine.change <> 'moved' OR moves.change <> 'moved'"
        " OR mine.column_name = moves.column_name)"
        for other in MERGEABLE.values()
    )
    found = run(session, f"{later} ORDER BY merged_id", merge.id)
    return [(resource, id) for resource, id in found]


def _ids(session: Session, sql: str, *arguments: object) -> set[UUID]:
    return {row[0] for row in run(session, sql, *arguments)}


def _recorded_for(link: Link | _Reference) -> str:
    return (
        f"recorded.merge_id = $1 AND recorded.table_name = '{link.table}'"
        f" AND recorded.column_name = '{link.column}'"
    )


def _same(link: Link) -> str:
    """The condition that ``gone`` would be a duplicate of ``kept`` once moved."""
    table = Base.metadata.tables[link.table]
    uniques = [c for c in table.constraints if isinstance(c, UniqueConstraint)]
    keys = [list(u.columns) for u in uniques] + [
        list(index.columns) for index in table.indexes if index.unique
    ]
    if link.part and link.table == "figures":
        keys = [[table.c[name] for name in (link.column, *_EQUAL_FIGURES)]]
    live = (
        " AND gone.deleted_at IS NULL AND kept.deleted_at IS NULL"
        if "deleted_at" in table.c
        else ""
    )
    conditions = [
        " AND ".join(_equal(column) for column in key if column.name != link.column) + live
        for key in keys
        if link.column in {column.name for column in key} and "id" not in {c.name for c in key}
    ]
    return " OR ".join(conditions)


def _is_better(link: Link) -> str:
    """The condition that ``gone`` is to be kept in place of the row of which it is a duplicate."""
    if link.table != "evidence":
        return "false"
    terms = ", ".join(f"'{each}'" for each in _ORDER_OF_REVIEW)
    places = (f"array_position(ARRAY[{terms}], {row}.status)" for row in ("gone", "kept"))
    return " < ".join(places)


def _equal(column: Column[object]) -> str:
    # Only where it is needed, because "=" can use an index.
    operator = "IS NOT DISTINCT FROM" if column.nullable else "="
    return f"kept.{column.name} {operator} gone.{column.name}"


def _would_say_nothing(link: Link) -> str:
    """The condition that ``gone`` would relate a row to itself once moved, or repeat its owner."""
    table = Base.metadata.tables[link.table]
    if column := table.info.get(UNLIKE_OWNER):
        return f"lower(gone.{column}) = (SELECT lower({column}) FROM {link.owner} WHERE id = $3)"
    ends = next(
        (
            str(constraint.sqltext).split(" <> ")
            for constraint in table.constraints
            if isinstance(constraint, CheckConstraint)
            and str(constraint.name).endswith("not_itself_check")
        ),
        [],
    )
    others = [end for end in ends if end != link.column]
    return f"gone.{others[0]} = $3" if link.column in ends else "false"
