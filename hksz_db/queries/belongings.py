"""What belongs to the fields of a document: which columns of its row, which rows of other tables.

It is read off the documents themselves, so that a field that is added there is known here.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import Alias, Column, ColumnElement, FromClause, Table
from sqlalchemy.sql import visitors
from sqlalchemy.sql.elements import BinaryExpression

from hksz_db.queries.documents import First, Group, Many, Node, One, Values
from hksz_db.queries.pages import RESOURCES

# Kept by the database with every change: they say that something changed, and not what.
_KEPT = frozenset({"version", "updated_at"})


@dataclass(frozen=True)
class Part:
    """Rows of another table, and the column that holds the id of the row they belong to.

    ``counted`` are those whose change is a change of the row's version.
    """

    table: str
    owner: str
    counted: bool


@dataclass(frozen=True)
class Belongings:
    """By field, in the document's order: the columns of its row, and the rows of its part."""

    fields: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, Part]


@lru_cache(maxsize=64)
def belongings(resource: str) -> Belongings:
    """What belongs to the fields of which a read by id consists.

    Fields that follow from other rows alone have nothing of their own.
    """
    readable = RESOURCES[resource]
    names = (*readable.fields, *readable.read_embeds)
    nodes = {name: readable.document[name] for name in names if name not in _KEPT}
    parts = {
        name: part
        for name, node in nodes.items()
        if (part := _part(node, readable.table)) is not None
    }
    columns = {
        name: tuple(dict.fromkeys(_columns(node, readable.table)))
        for name, node in nodes.items()
        if name not in parts
    }
    known = {name: found for name, found in columns.items() if found}
    fields = tuple(name for name in nodes if name in parts or name in known)
    return Belongings(fields, known, parts)


def _columns(node: Node, table: Table) -> Iterator[str]:
    """The columns of the table on which a node rests."""
    match node:
        case Group():
            for field in node.fields.values():
                yield from _columns(field, table)
        case One():
            yield from _named(node.on, table)
            for field in node.fields.values():
                yield from _columns(field, table)
        case Many() | Values() | First():
            return
        case _:
            yield from _named(node, table)


def _named(expression: ColumnElement[Any], table: Table) -> Iterator[str]:
    for element in visitors.iterate(expression):
        if isinstance(element, Column) and element.table is table:
            yield element.name


def _part(node: Node, table: Table) -> Part | None:
    """The rows that a node is made of, where they refer to the id of the table."""
    if not isinstance(node, One | Many | Values):
        return None
    rows = node.column.table if isinstance(node, Values) else node.table
    assert rows is not None
    for element in visitors.iterate(node.on):
        if isinstance(element, BinaryExpression):
            sides = [side for side in (element.left, element.right) if isinstance(side, Column)]
            owners = [side.name for side in sides if side.table is rows]
            if owners and any(side is table.c.id for side in sides):
                return Part(_name(rows), owners[0], counted=not isinstance(node, One))
    return None


def _name(rows: FromClause) -> str:
    table = rows.element if isinstance(rows, Alias) else rows
    assert isinstance(table, Table)
    return table.name
