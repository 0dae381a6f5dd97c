"""Many items in one call: each is made, changed or left alone, and each has a result."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.errors import Conflict, DomainError, Fault, FaultsError
from hksz_db.services.kinds import Item, Kind
from hksz_db.services.loading import load
from hksz_db.services.violations import translate
from hksz_db.vocabulary import BulkMode, BulkOutcome

Allowed = Callable[[Collection[str]], None]


@dataclass(frozen=True)
class Result:
    """What became of an item.

    ``id`` and ``version`` are of the row that the item made, changed or found. Where it failed,
    ``error`` says why and ``faults`` where, each with a JSON pointer into the item
    (``#/figures/0/amount``, or ``#`` for the whole).
    """

    outcome: BulkOutcome
    id: UUID | None
    external_id: str | None
    version: int | None
    faults: tuple[Fault, ...] = ()
    error: DomainError | None = None


def everything(_: Collection[str]) -> None:
    """Allow it."""


def write(
    session: Session,
    kind: Kind,
    items: Sequence[Any],
    mode: BulkMode,
    *,
    atomic: bool,
    allowed: Allowed = everything,
) -> list[Result]:
    """Write the items; a result for each, in their order.

    ``items`` are JSON values as they were parsed. ``allowed`` is called with the statuses that an
    item gives or that stand on what it changes, and raises ``Forbidden``. With ``atomic`` nothing
    is written unless everything is; what was not written for the sake of another has the fault
    ``not_written``.
    """
    results: list[Result] = []
    firsts: dict[str, int] = {}
    outer = session.begin_nested()
    for number, item in enumerate(items):
        name = item.get("external_id") if isinstance(item, Mapping) else None
        name = name if isinstance(name, str) else None
        try:
            if name is not None and firsts.setdefault(name, number) != number:
                detail = f"Item {firsts[name]} has this external_id already."
                raise Conflict("Twice.", [Fault("unique", detail, "#/external_id")])
            with session.begin_nested():
                results.append(_write_one(session, kind, item, name, mode, allowed))
        except (DomainError, psycopg.Error) as error:
            known = translate(error) or error
            if not isinstance(known, DomainError):
                raise
            faults = known.faults if isinstance(known, FaultsError) else ()
            faults = faults or (Fault("refused", str(known), "#"),)
            results.append(Result(BulkOutcome.FAILED, None, name, None, faults, known))
    if atomic and any(result.outcome is BulkOutcome.FAILED for result in results):
        outer.rollback()
        return [result if result.error else _not_written(result) for result in results]
    outer.commit()
    return results


def _not_written(result: Result) -> Result:
    fault = Fault("not_written", "Another item was refused, and it was to be all or nothing.", "#")
    error = Conflict("Another item was refused.", [fault])
    return Result(BulkOutcome.FAILED, None, result.external_id, None, (fault,), error)


def _write_one(
    session: Session, kind: Kind, item: Any, name: str | None, mode: BulkMode, allowed: Allowed
) -> Result:
    found = _find(session, kind, name)
    if found is None:
        fields = load(kind.create_schema(), item)
        allowed(_statuses(kind, fields))
        return Result(BulkOutcome.CREATED, kind.create(session, fields), name, 1)
    id, live, version = found
    if mode is BulkMode.CREATE:
        detail = f"This external_id is taken in {kind.table}, perhaps by a deleted or merged row."
        raise Conflict("Taken.", [Fault("unique", detail, "#/external_id")])
    if not live:
        raise Conflict("Deleted.", [Fault("deleted", "The row was deleted.", "#/external_id")])
    if mode is BulkMode.IGNORE:
        return Result(BulkOutcome.IGNORED, id, name, version)
    changed = _update(session, kind, id, item)
    outcome = BulkOutcome.UPDATED if changed else BulkOutcome.UNCHANGED
    ((version,),) = run(session, f"SELECT version FROM {kind.table} WHERE id = $1", id)
    return Result(outcome, id, name, version)


def _update(session: Session, kind: Kind, id: UUID, item: Item) -> bool:
    patch = {field: value for field, value in item.items() if field not in kind.fixed}
    changed = kind.update(session, id, None, load(kind.patch_schema(), patch))
    for field, part in kind.parts.items():
        for nested in item.get(field, []):
            found = _find(session, part, nested.get("external_id"))
            if found:
                changed |= _update(session, part, found[0], nested)
            else:
                part.create(session, load(part.create_schema(), {**nested, "claim_id": str(id)}))
                changed = True
    return changed


def _find(session: Session, kind: Kind, name: str | None) -> tuple[UUID, bool, int] | None:
    sql = f"SELECT id, deleted_at IS NULL, version FROM {kind.table} WHERE external_id = $1"
    found = run(session, sql, name) if name is not None else []
    return (found[0][0], found[0][1], found[0][2]) if found else None


def _statuses(kind: Kind, fields: Item) -> frozenset[str]:
    parts = [part for name in kind.parts for part in fields.get(name, [])]
    return frozenset(row["status"] for row in (fields, *parts) if "status" in row)
