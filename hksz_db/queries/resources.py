"""What there is to know of a resource in order to read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema
from sqlalchemy import ColumnElement, FromClause, Table, null

from hksz_db.models import Base
from hksz_db.queries.documents import Node, One, timestamp
from hksz_db.queries.filters import Plain, Target
from schemas.filters import Filter


@dataclass(frozen=True)
class SortKey:
    """What a list can be sorted by; rows without a value come last, in both directions.

    Where the column is another table's, which has one row for each of the resource's,
    ``foreign_id`` is the column of that table that holds the resource's id.
    """

    column: ColumnElement[Any]
    nullable: bool = False
    foreign_id: ColumnElement[Any] | None = None


@dataclass(frozen=True)
class Search:
    """How ``q`` is looked up: a condition and a rank, both on a ``tsquery``.

    ``vector`` is the column that is searched; where it belongs to another table, ``on`` says
    which of its rows belong to a row of the resource.
    """

    vector: ColumnElement[Any]
    configuration: str
    on: ColumnElement[bool] | None = None


@dataclass(frozen=True, kw_only=True)
class Queryable:
    """Documents that can be listed.

    ``fields`` is the document as SQL and ``schema`` as clients receive it. ``embeds`` can be added
    to it, ``default_embeds`` are added to a list by default. ``filters`` are the parameters that
    clients can send, and ``targets`` the columns that they are compared with, by name.
    """

    name: str
    singular: str
    schema: type[Schema]
    fields: Mapping[str, Node]
    filters: Mapping[str, Filter]
    targets: Mapping[str, Target]
    sorts: Mapping[str, SortKey] = field(default_factory=dict)
    embeds: Mapping[str, Node] = field(default_factory=dict)
    default_embeds: tuple[str, ...] = ()
    search: Search | None = None

    @property
    def document(self) -> dict[str, Node]:
        """Every field a reader can ask for, by name."""
        return {**self.fields, **self.embeds}


@dataclass(frozen=True, kw_only=True)
class Readable(Queryable):
    """A resource as its readers see it.

    One read by id embeds all but ``asked_embeds``, which take a search of their own: they come
    when asked for, and with the answer to a write.
    """

    table: Table
    groups: Mapping[str, ColumnElement[Any]]
    asked_embeds: tuple[str, ...] = ()

    @property
    def can_be_merged(self) -> bool:
        """Whether one row can be merged into another."""
        return "redirect_to" in self.table.c

    @property
    def redirect(self) -> ColumnElement[Any]:
        """The id of the row into which a row was merged; null where there are no merges."""
        return self.table.c.redirect_to if self.can_be_merged else null()

    @property
    def read_embeds(self) -> tuple[str, ...]:
        """What one read by id embeds when nobody says."""
        return tuple(name for name in self.embeds if name not in self.asked_embeds)


def table_of(model: type[Base]) -> Table:
    """The model's table."""
    table = model.__table__
    assert isinstance(table, Table)
    return table


def common_fields(table: FromClause) -> dict[str, Node]:
    """The fields at the end of every resource's document."""
    return {
        "version": table.c.version,
        "created_at": timestamp(table.c.created_at),
        "updated_at": timestamp(table.c.updated_at),
    }


def common_targets(table: Table) -> dict[str, Target]:
    """The targets of the filters that every resource has."""
    return {
        "id": Plain(table.c.id),
        "external_id": Plain(table.c.external_id),
        "created_at": Plain(table.c.created_at),
        "updated_at": Plain(table.c.updated_at),
    }


def common_sorts(table: Table) -> dict[str, SortKey]:
    """The sort keys that every resource has."""
    return {
        "id": SortKey(table.c.id),
        "created_at": SortKey(table.c.created_at),
        "updated_at": SortKey(table.c.updated_at),
    }


def summary(model: type[Base], key: ColumnElement[Any], *fields: str) -> One:
    """The row that ``key`` refers to, in brief: its id, external id and the named columns."""
    table = table_of(model).alias()
    names = ("id", "external_id", *fields)
    return One(table, table.c.id == key, {name: table.c[name] for name in names})
