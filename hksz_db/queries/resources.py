"""What there is to know of a resource in order to read it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema
from sqlalchemy import ColumnElement, Table

from hksz_db.models import Base
from hksz_db.queries.documents import Node
from hksz_db.queries.filters import Target
from schemas.filters import Filter


@dataclass(frozen=True)
class SortKey:
    """What a list can be sorted by; rows without a value come last, in both directions.

    Where the column is another table's, which has one row for each of the resource's,
    ``id_beside`` is the column of that table that holds the resource's id.
    """

    column: ColumnElement[Any]
    nullable: bool = False
    id_beside: ColumnElement[Any] | None = None


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


def table_of(model: type[Base]) -> Table:
    """The model's table."""
    table = model.__table__
    assert isinstance(table, Table)
    return table
