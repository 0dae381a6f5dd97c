"""What each field of a document is read from, derived from the document's definition.

The history of a row names the fields that a transaction changed, and the feed finds the documents
that show a changed row. A field that is added to a document is known to both.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from sqlalchemy import Column, FromClause, Select, Table
from sqlalchemy.sql import operators, visitors
from sqlalchemy.sql.elements import BinaryExpression, BooleanClauseList, ClauseElement
from sqlalchemy.sql.selectable import ScalarSelect

from hksz_db.domain.differences import ALWAYS_SET
from hksz_db.queries.derivation import table_behind
from hksz_db.queries.documents import First, Group, Many, Node, One, Opaque, SqlValue, Values
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES


class Join(NamedTuple):
    """The rows of ``table`` whose ``column`` equals ``outer``, a column of the row before.

    ``live`` joins leave out deleted rows.
    """

    table: str
    column: str
    outer: str
    live: bool


Path = tuple[Join, ...]
"""The joins from a document's own row to the rows that one of its nodes shows."""


class Read(NamedTuple):
    """A column that a field reads, or rather the values that an opaque field reads."""

    path: Path
    column: str
    opaque: Opaque | None = None


class Part(NamedTuple):
    """Rows of another table that belong to a row whose id is in their ``owner`` column.

    Where they are ``counted``, the row gets a new version when they change.
    """

    table: str
    owner: str
    counted: bool


@dataclass(frozen=True)
class FieldSources:
    """The fields in the order of the document; by field, the columns of its row, or its part."""

    fields: tuple[str, ...]
    columns: Mapping[str, tuple[str, ...]]
    parts: Mapping[str, Part]


def read_fields(readable: Readable) -> Mapping[str, Node]:
    """The fields of the document that a read by id answers, and that the feed contains."""
    return {name: readable.document[name] for name in (*readable.fields, *readable.read_embeds)}


def reads(readable: Readable, node: Node) -> Iterator[Read]:
    """All that a node of the resource's document reads, except ids, which never change.

    Raises ``TypeError`` if the node does not say how its rows are joined.
    """
    for read in _reads(node, {readable.table: ()}):
        if read.opaque or read.column != "id":
            yield read


@lru_cache(maxsize=64)
def field_sources(resource: str) -> FieldSources:
    """The sources of the fields of a read by id; fields that follow from other rows have none."""
    readable = RESOURCES[resource]
    nodes = {n: node for n, node in read_fields(readable).items() if n not in ALWAYS_SET}
    columns: dict[str, tuple[str, ...]] = {}
    parts: dict[str, Part] = {}
    for name, node in nodes.items():
        if part := _part(node, readable.table):
            parts[name] = part
        elif own := [read.column for read in reads(readable, node) if not read.path]:
            columns[name] = tuple(dict.fromkeys(own))
    fields = tuple(name for name in nodes if name in parts or name in columns)
    return FieldSources(fields, columns, parts)


def _part(node: Node, table: Table) -> Part | None:
    if not isinstance(node, One | Many | Values):
        return None
    rows = _rows(node)
    join, *further = _joined(rows, node.on, {table: ()})[rows]
    if further or join.outer != "id":
        return None
    return Part(join.table, join.column, counted=not isinstance(node, One))


def _rows(node: One | Many | First | Values) -> FromClause:
    rows = node.column.table if isinstance(node, Values) else node.table
    assert rows is not None
    return rows


def _reads(node: Node, known: Mapping[FromClause, Path]) -> Iterator[Read]:
    match node:
        case Group():
            for field in node.fields.values():
                yield from _reads(field, known)
        case One() | Many() | First() | Values():
            inner = _joined(_rows(node), node.on, known)
            order_by = () if isinstance(node, One | Values) else node.order_by
            yield from _columns((node.on, *order_by), inner)
            fields = (node.column,) if isinstance(node, Values) else node.fields.values()
            for field in fields:
                yield from _reads(field, inner)
        case Opaque():
            for read in _columns((node.joined,), known):
                yield Read(read.path, read.column, node)
        case ClauseElement():
            yield from _columns((node,), known)


def _columns(
    expressions: Iterable[ClauseElement], known: Mapping[FromClause, Path]
) -> Iterator[Read]:
    for expression in expressions:
        for element in visitors.iterate(expression):
            if isinstance(element, Column):
                if element.table not in known:
                    raise TypeError(f"{element} is read without a join in the document.")
                yield Read(known[element.table], element.name)
            elif getattr(element, "is_literal", False) and "SELECT" in str(element):
                raise TypeError(f"Only an opaque field can contain a query as text: {element}")


def _joined(
    rows: FromClause, on: SqlValue | None, known: Mapping[FromClause, Path]
) -> dict[FromClause, Path]:
    """The known paths, with those to the rows and to the rows between."""
    conditions = list(_conjuncts(on))
    live = any(
        c.operator is operators.is_ and c.left is rows.c.get("deleted_at") for c in conditions
    )
    for condition in conditions:
        sides = condition.left, condition.right
        for column, other in (sides, sides[::-1]):
            if not isinstance(column, Column) or column.table is not rows:
                continue
            outer, paths = other, dict(known)
            if isinstance(other, ScalarSelect) and condition.operator is operators.in_op:
                query = other.element
                assert isinstance(query, Select)
                (outer,) = query.selected_columns
                paths |= _joined(outer.table, query.whereclause, known)
            if isinstance(outer, Column) and outer.table in paths:
                join = Join(table_behind(rows).name, column.name, outer.name, live)
                return {**paths, rows: (*paths[outer.table], join)}
    raise TypeError(f"{on} does not say how the rows are joined.")


def _conjuncts(on: object) -> Iterator[BinaryExpression[bool]]:
    if isinstance(on, BooleanClauseList) and on.operator is operators.and_:
        for condition in on.clauses:
            yield from _conjuncts(condition)
    elif isinstance(on, BinaryExpression):
        yield on
