"""What can be listed, sorted and searched."""

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
    """A key to sort a list by; rows without a value come last in both directions.

    If the column is in another table, which has exactly one row for each row of the resource,
    ``foreign_id`` is the column of that table with the id of the resource.
    """

    column: ColumnElement[Any]
    nullable: bool = False
    foreign_id: ColumnElement[Any] | None = None


@dataclass(frozen=True)
class Search:
    """The full-text search of a resource (``q``).

    ``vector`` is the column that is searched. If it is in another table, ``on`` joins the rows of
    that table to a row of the resource.
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
        """Every field that can be requested, by name."""
        return {**self.fields, **self.embeds}


def table_of(model: type[Base]) -> Table:
    """The model's table."""
    table = model.__table__
    assert isinstance(table, Table)
    return table
