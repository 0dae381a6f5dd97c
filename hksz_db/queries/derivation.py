"""Documents, filters and sort keys that follow by name from a schema and a table.

A field of a schema is the column of its name. It is a period or a range where the column is one,
and a row of another table where the row has ``NAME_id``. Everything else is declared.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from dataclasses import field as attribute
from typing import Any

from marshmallow import Schema, fields
from sqlalchemy import (
    Column,
    Date,
    DateTime,
    FromClause,
    Numeric,
    Table,
    Text,
    func,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, NUMRANGE
from sqlalchemy.types import TypeEngine

from hksz_db.models import Base, Source, table_of
from hksz_db.queries.documents import (
    Group,
    Many,
    Node,
    One,
    SqlValue,
    decimal,
    numeric_range,
    period,
    timestamp,
)
from hksz_db.queries.filters import Bounds, Days, Equal, Exists, Plain, Related, Relation, Target
from hksz_db.queries.keysets import Key
from schemas.base import LAST_FIELDS, nested_schema
from schemas.fields import NameLanguage

_TARGETS: Mapping[type[TypeEngine[Any]], type[Days | Bounds | Equal]] = {
    DATERANGE: Days,
    NUMRANGE: Bounds,
    JSONB: Equal,
}


class Underivable(TypeError):
    """A field, filter or column that follows from no name and was not declared."""


@dataclass(frozen=True)
class Rows:
    """A list in a document: the rows of ``model`` that are deleted with the document's row."""

    model: type[Base]
    order_by: tuple[str, ...] = ("id",)

    def of(self, row: FromClause) -> Relation:
        """The rows that belong to a row."""
        rows, owner = table_of(self.model), table_behind(row)
        parents = [
            key.parent.name
            for key in rows.foreign_keys
            if key.ondelete == "CASCADE" and key.column.table is owner
        ]
        if len(parents) != 1:
            raise Underivable(f"{rows} must have one key that cascades from {owner}.")
        (parent,) = parents
        alias = rows.alias()
        return Relation(alias, alias.c[parent] == row.c.id, part_of=alias.c[parent])

    def node(self, row: FromClause, schema: type[Schema]) -> Many:
        """The list in the document of a row; ``schema`` describes an item."""
        return listed(self.of(row), schema, order_by=self.order_by)


Declared = Mapping[str, Node | Rows]


def document(
    row: FromClause, schema: type[Schema], declared: Declared | None = None
) -> dict[str, Node]:
    """The document of a row, field by field as ``schema`` has them.

    Version and timestamps come last. Raises ``Underivable``.
    """
    described = {
        # The language of a name is added to the document of a client that asks for it.
        name: field
        for name, field in schema._declared_fields.items()
        if not isinstance(field, NameLanguage)
    }
    names = sorted(described, key=lambda name: name in LAST_FIELDS)
    known = declared or {}
    return {name: _node(row, name, described[name], known.get(name)) for name in names}


def listed(
    relation: Relation,
    schema: type[Schema],
    declared: Declared | None = None,
    order_by: tuple[str, ...] = ("id",),
) -> Many:
    """The rows of a relation, each as ``schema`` describes it."""
    rows = relation.table
    order = tuple(rows.c[name] for name in order_by)
    return Many(rows, relation.on, document(rows, schema, declared), order)


def summary(model: type[Base], key: SqlValue, schema: type[Schema]) -> One:
    """The row with the id ``key``, as ``schema`` describes it."""
    table = table_of(model).alias()
    return One(table, table.c.id == key, document(table, schema))


def _node(
    row: FromClause, name: str, field: fields.Field[Any], declared: Node | Rows | None
) -> Node:
    if isinstance(declared, Rows):
        return declared.node(row, nested_schema(field))
    if declared is not None:
        return declared
    if name in row.c:
        return _value(row, name)
    if f"{name}_id" in row.c and isinstance(field, fields.Nested):
        alias = _referred(row, name)
        return One(alias, alias.c.id == row.c[f"{name}_id"], document(alias, nested_schema(field)))
    raise Underivable(f"{table_behind(row)} has no column for the undeclared field {name}.")


def _value(row: FromClause, name: str) -> Node:
    column = row.c[name]
    match column.type:
        case DATERANGE():
            return _period(row, name)
        case NUMRANGE():
            return numeric_range(column)
        case Numeric():
            return decimal(column)
        case DateTime():
            return timestamp(column)
    return column


def _period(row: FromClause, name: str) -> Group:
    absolute = period(row.c[f"{name}_edtf"], row.c[name], row.c.get(f"{name}_as_stated"))
    if f"{name}_anchor_id" not in row.c:
        return absolute
    anchors = table_of(Source).alias()
    anchor = {column: anchors.c[column] for column in ("id", "external_id", "title")}
    # Not null wherever there is an anchor.
    duration = type_coerce(row.c[f"{name}_duration"], Text())
    relative = One(
        anchors,
        anchors.c.id == row.c[f"{name}_anchor_id"],
        {"anchor": Group(anchor), "duration": duration, "modifier": row.c[f"{name}_modifier"]},
    )
    return replace(absolute, fields={**absolute.fields, "relative": relative})


@dataclass(eq=False)
class Targets:
    """What the filters on a row are compared with.

    ``relations`` are the lists of the row by name. A filter ``NAME__REST`` is the filter ``REST``
    on the rows of the list or on the row that ``NAME_id`` refers to; one on ``NAME`` alone is
    about whether the list has rows. Each relation is made once, so that conditions on it are met
    by the same row.
    """

    row: FromClause
    declared: Mapping[str, Target] = attribute(default_factory=dict)
    relations: dict[str, Relation] = attribute(default_factory=dict)
    _related: dict[str, "Targets"] = attribute(default_factory=dict, init=False)

    def __getitem__(self, name: str) -> Target:
        """The target of a filter. Raises ``Underivable``."""
        stem, _, rest = name.partition("__")
        if name in self.declared:
            return self.declared[name]
        if name in self.row.c:
            column = self.row.c[name]
            return _TARGETS.get(type(column.type), Plain)(column)
        if stem not in self.relations and f"{stem}_id" in self.row.c:
            alias = _referred(self.row, stem)
            self.relations[stem] = Relation(alias, alias.c.id == self.row.c[f"{stem}_id"])
        if stem not in self.relations:
            raise Underivable(f"{table_behind(self.row)} has no column for the filter {name}.")
        relation = self.relations[stem]
        if not rest:
            return Exists(relation)
        related = self._related.setdefault(stem, Targets(relation.table))
        return Related(relation, related[rest])

    def of(self, names: Iterable[str]) -> dict[str, Target]:
        """The targets of several filters by name."""
        return {name: self[name] for name in names}


def sort_keys(row: FromClause, *names: str) -> dict[str, Key]:
    """The sort keys that are columns; a period is sorted by its first day."""
    return {name: _sort_key(row.c[name]) for name in ("id", "created_at", "updated_at", *names)}


def _sort_key(column: SqlValue) -> Key:
    assert isinstance(column, Column)
    if isinstance(column.type, DATERANGE):
        return Key(func.lower(column, type_=Date()), nullable=True)
    return Key(column, nullable=bool(column.nullable))


def _referred(row: FromClause, name: str) -> FromClause:
    """The table to whose rows ``NAME_id`` refers, under a name of its own."""
    column = table_behind(row).c[f"{name}_id"]
    tables = [key.column.table for key in column.foreign_keys if key.column.primary_key]
    if not tables:
        raise Underivable(f"{column} refers to no table.")
    return tables[0].alias()


def table_behind(row: FromClause) -> Table:
    """The table that a row is of."""
    table = getattr(row, "element", row)
    assert isinstance(table, Table)
    return table
