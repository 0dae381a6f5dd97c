"""What rests on what, so that nothing is deleted from under something else."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, Fault
from hksz_db.queries.pages import RESOURCES

_SHOWN = 10
_JOIN = (
    "FROM {link.table} AS link"
    " JOIN {link.owner} AS owner ON owner.id = link.{link.owner_column}"
    " JOIN {link.target} AS target ON target.{link.target_column} = link.{link.column}"
)


@dataclass(frozen=True)
class Link:
    """``table.column`` refers to ``target``; the row belongs to the ``owner`` in ``owner_column``.

    A ``part`` is deleted and restored with its target, so it does not keep it.
    """

    table: str
    column: str
    target: str
    owner: str
    owner_column: str = "id"
    target_column: str = "id"
    part: bool = False


LINKS = (
    Link("source_contributors", "entity_id", "entities", "sources", "source_id"),
    Link("source_relations", "to_id", "sources", "sources", "from_id"),
    Link("entities", "redirect_to", "entities", "entities"),
    Link("entity_relations", "object_id", "entities", "entities", "subject_id"),
    Link("entity_relations", "claim_id", "claims", "entities", "subject_id"),
    Link("claims", "claimant_id", "entities", "claims"),
    Link("claims", "reported_by_id", "entities", "claims"),
    Link("claims", "time_anchor_id", "sources", "claims"),
    Link("claims", "due_anchor_id", "sources", "claims"),
    Link("claim_entities", "entity_id", "entities", "claims", "claim_id"),
    Link("claim_relations", "to_id", "claims", "claims", "from_id"),
    Link("figures", "claim_id", "claims", "figures", part=True),
    Link("figures", "metric_id", "metrics", "figures"),
    Link("figures", "subject_id", "entities", "figures"),
    Link("figures", "period_anchor_id", "sources", "figures"),
    Link("figures", "unit_code", "units", "figures", target_column="code"),
    Link("evidence", "claim_id", "claims", "evidence", part=True),
    Link("evidence", "source_id", "sources", "evidence"),
    Link("evidence", "derived_from_id", "evidence", "evidence"),
)
"""Every foreign key between resources; a test compares them with the database's own."""


def parts_of(resource: str) -> tuple[Link, ...]:
    """The links by which parts hang on the resource."""
    return tuple(link for link in LINKS if link.part and link.target == resource)


@cache
def wholes_of(resource: str) -> tuple[Link, ...]:
    """The links by which the resource is a part of others."""
    return tuple(link for link in LINKS if link.part and link.owner == resource)


def lock_wholes(session: Session, resource: str, id: UUID) -> None:
    """Lock what the row is a part of, before the row itself: everybody locks in this order."""
    for whole in wholes_of(resource):
        run(
            session,
            f"SELECT 1 FROM {whole.target} WHERE id ="
            f" (SELECT {whole.column} FROM {resource} WHERE id = $1) FOR NO KEY UPDATE",
            id,
        )


def refuse_if_needed(session: Session, resource: str, ids: Sequence[UUID]) -> None:
    """Raise ``Conflict``, naming what rests on the rows, if anything live does."""
    found = _find(
        session,
        "SELECT '{link.owner}' AS resource, owner.id, owner.external_id "
        + _JOIN
        + " WHERE target.id = ANY ($1) AND owner.deleted_at IS NULL AND owner.id <> ALL ($1)",
        [link for link in LINKS if link.target == resource and not link.part],
        ids,
    )
    if found:
        raise Conflict(
            f"The {RESOURCES[resource].singular} cannot be deleted: others rest on it.",
            [Fault("in_use", f"The {row} rests on it.") for row in found],
        )


def refuse_if_unfounded(session: Session, resource: str, ids: Sequence[UUID]) -> None:
    """Raise ``Conflict``, naming what the rows rest on, if any of that is deleted.

    What they rest on is locked against deletion, as a new reference would lock it.
    """
    links = [link for link in LINKS if link.owner == resource]
    for link in links:
        sql = "SELECT 1 " + _JOIN + " WHERE owner.id = ANY ($1) FOR KEY SHARE OF target"
        run(session, sql.format(link=link), list(ids))
    found = _find(
        session,
        "SELECT '{link.target}' AS resource, target.id, target.external_id "
        + _JOIN
        + " WHERE owner.id = ANY ($1) AND target.deleted_at IS NOT NULL",
        links,
        ids,
    )
    if found:
        raise Conflict(
            f"The {RESOURCES[resource].singular} cannot be restored: what it rests on is deleted.",
            [Fault("deleted", f"The {row} was deleted.") for row in found],
        )


def _find(session: Session, query: str, links: Sequence[Link], ids: Sequence[UUID]) -> list[str]:
    if not links or not ids:
        return []
    union = " UNION ".join(query.format(link=link) for link in links)
    found = run(session, f"{union} ORDER BY 1, 2 LIMIT {_SHOWN}", list(ids))
    return [
        f"{RESOURCES[resource].singular} {f'{name} ({id})' if name else id}"
        for resource, id, name in found
    ]
