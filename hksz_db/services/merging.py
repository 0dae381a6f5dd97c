"""Merging entities: what was entered as two and is one, and taking that back.

The one that goes is marked as deleted and leads to the other; whatever referred to it refers to
the other from then on. Each row that is touched is noted, so that an undoing touches the same.
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
from hksz_db.services.dependants import refuse_if_unfounded, wholes_of
from hksz_db.services.merge_moves import MOVED, Merge
from hksz_db.services.references import Shape, resolve
from hksz_db.services.rows import Row

_SHAPE = Shape({"into": "entities"})
_MARK = "updated_at = now(), version = version + 1"

Touched = dict[str, set[UUID]]


def merge(session: Session, id: UUID, versions: Sequence[int] | None, fields: Row) -> UUID:
    """Merge the entity into the one that ``into_id`` or ``into_external_id`` names.

    Returns the id of the latter. Raises ``NotFound``, ``Gone``, ``Merged`` or ``Stale`` as it is
    with the one that goes; ``Invalid`` with a pointer when the other is absent, deleted, of
    another kind or the same.
    """
    _take_turn(session)
    (given,) = fields
    resolve(session, fields, _SHAPE)
    into_id: UUID = fields["into_id"]
    rows = _locked(session, id, into_id)
    _check(rows, id, versions)
    _check_pair(rows[id], rows[into_id], f"#/{given}")
    sql = "INSERT INTO entity_merges (entity_id, into_id) VALUES ($1, $2) RETURNING id"
    this = Merge(run(session, sql, id, into_id)[0][0], id, into_id)
    _lock_wholes(session, id)
    merge_moves.copy_names(session, this)
    touched: Touched = defaultdict(set, entities={id, into_id})
    for link in MOVED:
        touched[link.owner] |= merge_moves.drop_doubles(session, this, link)
        touched[link.owner] |= merge_moves.move(session, this, link)
    sql = "UPDATE entities SET deleted_at = clock_timestamp(), redirect_to = $2 WHERE id = $1"
    run(session, sql, id, into_id)
    _touch(session, touched)
    return into_id


def undo(session: Session, id: UUID, versions: Sequence[int] | None) -> None:
    """Take the merge of an entity back: what it moved, and is still there, returns.

    Raises ``NotFound`` or ``Stale``; ``Conflict`` when the entity is not merged, when the other
    was deleted or merged since, or when a later merge rests on what this one has moved.
    """
    _take_turn(session)
    sql = "SELECT id, into_id FROM entity_merges WHERE entity_id = $1 AND undone_at IS NULL"
    found = run(session, sql, id)
    into_id: UUID = found[0][1] if found else id
    rows = _locked(session, id, into_id)
    _check_versions(rows, id, versions)
    if not found:
        raise Conflict(f"The entity {id} is not merged.")
    this = Merge(found[0][0], id, into_id)
    _check_undoing(session, this, rows[into_id])
    _lock_wholes(session, into_id)
    run(session, "UPDATE entity_merges SET undone_at = now() WHERE id = $1", this.id)
    run(session, "UPDATE entities SET deleted_at = NULL, redirect_to = NULL WHERE id = $1", id)
    touched: Touched = defaultdict(set, entities={id, into_id})
    for link in MOVED:
        touched[link.owner] |= merge_moves.move_back(session, this, link)
    back: Touched = defaultdict(set, entities={id})
    for link in MOVED:
        back[link.owner] |= merge_moves.bring_back(session, this, link)
    _check_brought_back(session, back["entities"])
    for owner, ids in back.items():
        touched[owner] |= ids
    merge_moves.take_names_back(session, this)
    _touch(session, touched)


def _take_turn(session: Session) -> None:
    # Two merges at once could move the same rows, or lead into each other.
    run(session, "SELECT pg_advisory_xact_lock(hashtext('entity_merges'))")


def _locked(session: Session, *ids: UUID) -> Mapping[UUID, Row]:
    # The strongest row lock: it keeps out whoever is about to refer to one of them.
    found = run(
        session,
        "SELECT id, version, kind, deleted_at IS NULL, redirect_to FROM entities"
        " WHERE id = ANY ($1) ORDER BY id FOR UPDATE",
        list(ids),
    )
    names = ("id", "version", "kind", "live", "redirect_to")
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}


def _lock_wholes(session: Session, id: UUID) -> None:
    """Lock what the rows to be moved are parts of, before them: everybody locks in this order."""
    for link in MOVED:
        for whole in wholes_of(link.table):
            run(
                session,
                f"SELECT FROM {whole.target} WHERE id IN (SELECT {whole.column} FROM {link.table}"
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
    for later in merge_moves.built_upon(session, this):
        raise _not_undone("later", f"{later} was merged later and shares rows: undo that first.")


def _check_brought_back(session: Session, owners: set[UUID]) -> None:
    """Raise ``Conflict`` when what came back leads from or to what is there no more."""
    sql = "SELECT id, deleted_at IS NULL, redirect_to FROM entities WHERE id = ANY ($1) ORDER BY id"
    found = run(session, sql, list(owners))
    for id, _, into_id in found:
        if into_id is not None:
            raise _not_undone(
                "merged", f"{id}, which is related to it, was merged: undo that first."
            )
    refuse_if_unfounded(session, "entities", [id for id, live, _ in found if live])


def _not_undone(code: str, detail: str) -> DomainError:
    return Conflict("The merge cannot be undone.", [Fault(code, f"The entity {detail}")])


def _touch(session: Session, touched: Touched) -> None:
    """Count the changes, once for each row."""
    for owner in list(touched):
        for whole in wholes_of(owner):
            sql = f"SELECT DISTINCT {whole.column} FROM {owner} WHERE id = ANY ($1)"
            found = run(session, sql, list(touched[owner]))
            touched.setdefault(whole.target, set()).update(row[0] for row in found)
    for resource, ids in touched.items():
        run(session, f"UPDATE {resource} SET {_MARK} WHERE id = ANY ($1)", list(ids))
