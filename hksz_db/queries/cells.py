"""The values at some paths of a document as columns of a query, without the document.

What the document embeds is joined once, for all columns that show it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ARRAY, ColumnElement, FromClause, Select, String, cast, func, select, true
from sqlalchemy import literal_column as literal
from sqlalchemy.dialects.postgresql import JSONB, aggregate_order_by

from hksz_db.queries.documents import Group, Many, Node, One, SqlValue, Values

Path = tuple[str, ...]


def cells(
    fields: Mapping[str, Node], rows: FromClause, paths: Iterable[Path]
) -> Select[*tuple[object, ...]]:
    """The values at the paths below ``fields``, a column each, for rows that have the fields.

    A value is a ``varchar`` that reads as in the document, and null where the path ends early. A
    path through a list leads to an array of all that is found, without nulls. An object of texts is
    ``name:text,…``. No path may lead through two lists.
    """
    joins = _Joins(rows)
    found = _at_paths(fields, joins, paths)
    return select(*found).select_from(joins.rows)


@dataclass
class _Joins:
    """Rows with what is joined to them; ``joined`` are the joined queries."""

    rows: FromClause
    joined: list[FromClause] = field(default_factory=list)

    def add(self, one_row: Select[*tuple[object, ...]]) -> list[SqlValue]:
        """Join a query that returns at most one row for each row; return its columns."""
        lateral = one_row.lateral()
        self.joined.append(lateral)
        self.rows = self.rows.outerjoin(lateral, true())
        return list(lateral.c)


def _at_paths(fields: Mapping[str, Node], joins: _Joins, paths: Iterable[Path]) -> list[SqlValue]:
    rests: dict[str, list[Path]] = {}
    for first, *rest in paths:
        rests.setdefault(first, []).append(tuple(rest))
    found = {name: iter(_values(fields[name], joins, below)) for name, below in rests.items()}
    return [next(found[first]) for first, *_ in paths]


def _values(node: Node, joins: _Joins, paths: list[Path]) -> list[SqlValue]:
    match node:
        case Group():
            return _at_paths(node.fields, joins, paths)
        case One():
            return joins.add(_rows_of(node, paths))
        case Many():
            rows = _rows_of(node, paths).order_by(*node.order_by).subquery()
            lists = [_array(func.array_agg(c).filter(c.is_not(None))) for c in rows.c]
            return joins.add(select(*lists).correlate_except(rows))
        case Values():
            column = aggregate_order_by(cast(node.column, String), node.column)
            values = select(_array(func.array_agg(column))).where(node.on)
            return [values.correlate_except(node.column.table).scalar_subquery()]
        case ColumnElement():
            return [_text(node)]
    raise TypeError(f"{type(node).__name__} has no cells.")


def _rows_of(node: One | Many, paths: list[Path]) -> Select[*tuple[object, ...]]:
    joins = _Joins(node.table)
    found = _at_paths(node.fields, joins, paths)
    chosen = select(*found).select_from(joins.rows).where(node.on)
    return chosen.correlate_except(node.table, *joins.joined)


def _array(aggregate: SqlValue) -> SqlValue:
    return func.coalesce(aggregate, literal("'{}'"), type_=ARRAY(String))


def _text(value: ColumnElement[Any]) -> SqlValue:
    if not isinstance(value.type, JSONB):
        return cast(value, String)
    pairs = func.jsonb_each_text(value).table_valued("key", "value")
    pair = pairs.c.key.concat(":").concat(pairs.c.value)
    # In the order of the code points, whatever the collation of the database.
    joined = func.string_agg(pair, aggregate_order_by(literal("','"), pairs.c.key.collate("C")))
    return select(cast(joined, String)).select_from(pairs).scalar_subquery()
