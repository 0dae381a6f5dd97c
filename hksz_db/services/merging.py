"""Merging two entities that are the same, and undoing the merge.

The merged entity is marked as deleted and redirects to the other, and all references to it are
moved to the other. Each row that is moved is recorded, so that the merge can be undone.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import (
    Conflict,
    DomainError,
    Fault,
    Gone,
    Invalid,
    Merged,
    NotFound,
    Stale,
)
from hksz_db.services import merge_moves
from hksz_db.services.dependants import parents_of, require_live_references
from hksz_db.services.merge_moves import MOVED, Merge
from hksz_db.services.references import Shape, look_up, references_in, settle
from hksz_db.services.registry import WRITERS
from hksz_db.services.rows import Row, bump_version

_SHAPE = Shape({"into": "entities"})

Touched = dict[str, set[UUID]]


def merge(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> UUID:
    """Merge the entity into the one that ``into_id`` or ``into_external_id`` names.

    Returns the id of the latter. Raises ``NotFound``, ``Gone``, ``Merged`` or ``Stale`` for the
    former, and ``Invalid`` with a pointer if the latter is missing, deleted, of another kind or the
    same.
    """
    _lock_merges(session)
    (given,) = fields
    references = references_in(fields, _SHAPE)
    settle(references, look_up(session, references))
    into_id: UUID = fields["into_id"]
    rows = _locked(session, id, into_id)
    _check(rows, id, versions)
    _check_pair(rows[id], rows[into_id], f"#/{given}")
    sql = "INSERT INTO entity_merges (entity_id, into_id) VALUES ($1, $2) RETURNING id"
    this = Merge(run(session, sql, id, into_id)[0][0], id, into_id)
    _lock_parents(session, id)
    merge_moves.copy_names(session, this)
    touched: Touched = defaultdict(set, entities={id, into_id})
    for link in MOVED:
        touched[link.owner] |= merge_moves.drop_duplicates(session, this, link)
        touched[link.owner] |= merge_moves.move(session, this, link)
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
    _check_versions(rows, id, versions)
    if not found:
        raise Conflict(f"The entity {id} is not merged.")
    this = Merge(found[0][0], id, into_id)
    _check_undoing(session, this, rows[into_id])
    _lock_parents(session, into_id)
    run(session, "UPDATE entity_merges SET undone_at = now() WHERE id = $1", this.id)
    run(session, "UPDATE entities SET deleted_at = NULL, redirect_to = NULL WHERE id = $1", id)
    touched: Touched = defaultdict(set, entities={id, into_id})
    for link in MOVED:
        touched[link.owner] |= merge_moves.move_back(session, this, link)
    restored: Touched = defaultdict(set, entities={id})
    for link in MOVED:
        restored[link.owner] |= merge_moves.insert_dropped(session, this, link)
    _check_restored(session, restored["entities"])
    for owner, ids in restored.items():
        touched[owner] |= ids
    merge_moves.remove_copied_names(session, this)
    _bump(session, touched)


def _lock_merges(session: Session) -> None:
    # Two concurrent merges could move the same rows, or redirect to each other.
    run(session, "SELECT pg_advisory_xact_lock(hashtext('entity_merges'))")


def _locked(session: Session, *ids: UUID) -> Mapping[UUID, Row]:
    # The strongest row lock, because no new reference to one of them may be written.
    found = run(
        session,
        "SELECT id, version, kind, deleted_at IS NULL, redirect_to FROM entities"
        " WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
        list(ids),
    )
    names = ("id", "version", "kind", "live", "redirect_to")
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}


def _lock_parents(session: Session, id: UUID) -> None:
    """Lock the parents of the rows to be moved; all writers lock them before their parts."""
    for link in MOVED:
        for parent in parents_of(link.table):
            run(
                session,
                f"SELECT FROM {parent.target} WHERE id IN (SELECT {parent.column} FROM {link.table}"
                f" WHERE {link.column} = $1) ORDER BY id FOR NO KEY UPDATE",
                id,
            )


def _check(rows: Mapping[UUID, Row], id: UUID, versions: Sequence[int] | None) -> None:
    """Raise unless the entity is live and at one of the versions."""
    row = rows.get(id)
    if row and row["redirect_to"] is not None:
        raise Merged("entity", id, row["version"], row["redirect_to"])
    if row and not row["live"]:
        raise Gone("entity", id, row["version"])
    _check_versions(rows, id, versions)


def _check_versions(rows: Mapping[UUID, Row], id: UUID, versions: Sequence[int] | None) -> None:
    if id not in rows:
        raise NotFound("entity", id)
    if versions is not None and rows[id]["version"] not in versions:
        raise Stale("entity", id, rows[id]["version"])


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
    if not other["live"]:
        raise _not_undone("deleted", f"{this.into_id} was deleted: restore it first.")
    for later in merge_moves.merges_depending_on(session, this):
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


def _not_undone(code: str, detail: str) -> DomainError:
    return Conflict("The merge cannot be undone.", [Fault(code, f"The entity {detail}")])


def _bump(session: Session, touched: Touched) -> None:
    """Count the changes, once for each row."""
    for owner in list(touched):
        for parent in parents_of(owner):
            sql = f"SELECT DISTINCT {parent.column} FROM {owner} WHERE id = ANY ($1)"
            found = run(session, sql, list(touched[owner]))
            touched.setdefault(parent.target, set()).update(row[0] for row in found)
    # All writers lock rows in this order.
    for resource in (name for name in WRITERS if name in touched):
        bump_version(session, resource, touched[resource])
