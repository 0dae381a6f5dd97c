"""Which rows depend on which, so that a row that others refer to is not deleted."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import NamedTuple
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.errors import Conflict, Fault
from hksz_db.models import HISTORY_TABLES, Base
from hksz_db.queries.registry import RESOURCES

_MAX_NAMED = 10
JOINED = (
    "FROM {link.table} AS link"
    " JOIN {link.owner} AS owner ON owner.id = link.{link.owner_column}"
    " JOIN {link.target} AS target ON target.{link.target_column} = link.{link.column}"
)
"""The rows of a ``link``, each with its owner and its target, for ``str.format``."""


class Link(NamedTuple):
    """``table.column`` refers to ``target``; the row belongs to the ``owner`` in ``owner_column``.

    A ``part`` is deleted and restored with its target, so it does not prevent the deletion.
    """

    table: str
    column: str
    target: str
    owner: str
    owner_column: str = "id"
    target_column: str = "id"
    part: bool = False


LIST_OWNERS: Mapping[str, tuple[str, str]] = {
    table.name: (table.resource, table.owner)
    for table in HISTORY_TABLES.values()
    if table.resource and table.owner and table.resource != table.name
}
"""For each table whose rows belong to a resource: the resource, and the column with its id."""


def _links() -> Iterator[Link]:
    for table in Base.metadata.sorted_tables:
        name = table.name
        owner, owner_column = LIST_OWNERS.get(name, (name, "id"))
        for constraint in table.foreign_key_constraints:
            # The first column of a composite key refers, and the others are copies.
            key = constraint.elements[0]
            target, cascades = key.column.table.name, constraint.ondelete == "CASCADE"
            if {owner, target} <= RESOURCES.keys() and not cascades:
                is_part = name in RESOURCES[target].embeds
                yield Link(
                    name, key.parent.name, target, owner, owner_column, key.column.name, is_part
                )


LINKS = tuple(sorted(_links(), key=lambda link: (link.table, link.column)))
"""Every foreign key between resources."""


def parts_of(resource: str) -> tuple[Link, ...]:
    """The links from the parts of the resource to it."""
    return tuple(link for link in LINKS if link.part and link.target == resource)


@cache
def parents_of(resource: str) -> tuple[Link, ...]:
    """The links from the resource to those that it is a part of."""
    return tuple(link for link in LINKS if link.part and link.owner == resource)


def lock_parents(session: Session, table: str, ids: Collection[UUID], column: str = "id") -> None:
    """Lock what the rows with one of the ids are part of; all writers do so before they lock them.

    The ids are in another ``column`` if that is given.
    """
    for parent in parents_of(table):
        run(
            session,
            f"SELECT FROM {parent.target} WHERE id IN (SELECT {parent.column} FROM {table}"
            f" WHERE {column} = ANY ($1)) ORDER BY id FOR NO KEY UPDATE",
            list(ids),
        )


def require_unused(session: Session, resource: str, ids: Sequence[UUID]) -> None:
    """Raise ``Conflict``, naming the rows that refer to these, if any of them is live."""
    found = _find(
        session,
        "SELECT '{link.owner}' AS resource, owner.id, owner.external_id "
        + JOINED
        + " WHERE target.id = ANY ($1) AND owner.deleted_at IS NULL AND owner.id <> ALL ($1)",
        [link for link in LINKS if link.target == resource and not link.part],
        ids,
    )
    if found:
        raise Conflict(
            f"The {RESOURCES[resource].singular} cannot be deleted because others refer to it.",
            [Fault("in_use", f"The {row} refers to it.") for row in found],
        )


def require_live_references(session: Session, resource: str, ids: Sequence[UUID]) -> None:
    """Raise ``Conflict``, naming the rows that these refer to, if any of them is deleted.

    The rows referred to are locked against deletion, as a new reference would lock them.
    """
    links = [link for link in LINKS if link.owner == resource]
    for link in links:
        sql = "SELECT 1 " + JOINED + " WHERE owner.id = ANY ($1) FOR KEY SHARE OF target"
        run(session, sql.format(link=link), list(ids))
    found = _find(
        session,
        "SELECT '{link.target}' AS resource, target.id, target.external_id "
        + JOINED
        + " WHERE owner.id = ANY ($1) AND target.deleted_at IS NOT NULL",
        links,
        ids,
    )
    if found:
        raise Conflict(
            f"The {RESOURCES[resource].singular} cannot be restored: it refers to deleted rows.",
            [Fault("deleted", f"The {row} was deleted.") for row in found],
        )


def _find(session: Session, query: str, links: Sequence[Link], ids: Sequence[UUID]) -> list[str]:
    if not links or not ids:
        return []
    union = " UNION ".join(query.format(link=link) for link in links)
    found = run(session, f"{union} ORDER BY 1, 2 LIMIT {_MAX_NAMED}", list(ids))
    return [
        f"{RESOURCES[resource].singular} {f'{name} ({id})' if name else id}"
        for resource, id, name in found
    ]
