"""How a resource is read: what each declares, and everything that follows from that."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema
from sqlalchemy import ColumnElement, null

from hksz_db.models import Base, table_of
from hksz_db.queries.derivation import Declared, Rows, Targets, Underivable, document, sort_keys
from hksz_db.queries.documents import Node
from hksz_db.queries.filters import Relation, Target
from hksz_db.queries.keysets import Key
from schemas.filters import Filter

# The columns of every resource that are not in its document.
_ROW_COLUMNS = ("written_in", "deleted_at", "search")
_PERIOD_COLUMNS = ("as_stated", "edtf", "anchor_id", "duration", "modifier")


@dataclass(frozen=True)
class Search:
    """The full-text search of a resource (``q``).

    ``vector`` is the column that is searched; ``stemmed`` is whether words in English are there in
    their stems. If the column is in another table, ``on`` joins the rows of that table to a row of
    the resource.
    """

    vector: ColumnElement[Any]
    stemmed: bool = True
    on: ColumnElement[bool] | None = None


@dataclass(frozen=True)
class Joined:
    """A column of another table, which ``on`` joins to a row: at most one row of that table.

    It ``is_complete`` if every row has one.
    """

    column: ColumnElement[Any]
    on: ColumnElement[bool]
    is_complete: bool = False


@dataclass(kw_only=True, eq=False)
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
    sorts: Mapping[str, Key] = field(default_factory=dict)
    embeds: Mapping[str, Node] = field(default_factory=dict)
    default_embeds: tuple[str, ...] = ()
    search: Search | None = None

    @property
    def document(self) -> dict[str, Node]:
        """Every field that can be requested, by name."""
        return {**self.fields, **self.embeds}


@dataclass(kw_only=True, eq=False)
class Readable(Queryable):
    """How a resource is read; ``model`` is its table.

    Only what differs from "a field is the column of its name" is declared: the nodes of other
    ``declared`` fields; ``declared_targets`` of filters, and ``relations`` to rows other than the
    lists of the document; ``sorted_by`` and ``grouped_by`` columns, and further keys for both.
    ``internal`` columns are in no document.

    Embedded fields are optional. A read by id also embeds ``further_embeds``, and only on request
    ``asked_embeds``, which need a search of their own; the answer to a write embeds all but the
    ``repeating_embeds``, which follow from others. The last of the ``asked_embeds`` may be
    ``rare_embeds``, lists that are empty unless a condition holds, which takes less time. ``parts``
    are fields that can be read on their own, at ``/v1/R/{id}/PART``. ``tabled`` are paths through
    the lists of the document that tables show in columns of their own.

    Raises ``Underivable`` when a field, filter or column follows from no name.
    """

    model: type[Base]
    declared: Declared = field(default_factory=dict)
    further_embeds: tuple[str, ...] = ()
    asked_embeds: tuple[str, ...] = ()
    rare_embeds: Mapping[str, ColumnElement[bool]] = field(default_factory=dict)
    repeating_embeds: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    tabled: tuple[str, ...] = ()
    internal: tuple[str, ...] = ()
    declared_targets: Mapping[str, Target] = field(default_factory=dict)
    relations: Mapping[str, Relation] = field(default_factory=dict)
    sorted_by: tuple[str, ...] = ()
    declared_sorts: Mapping[str, Key] = field(default_factory=dict)
    grouped_by: tuple[str, ...] = ()
    declared_groups: Mapping[str, Joined] = field(default_factory=dict)
    name: str = field(init=False)
    singular: str = field(init=False)
    fields: Mapping[str, Node] = field(init=False)
    embeds: Mapping[str, Node] = field(init=False)
    targets: Mapping[str, Target] = field(init=False)
    sorts: Mapping[str, Key] = field(init=False)
    groups: Mapping[str, ColumnElement[Any] | Joined] = field(init=False)

    def __post_init__(self) -> None:
        self.table = table = table_of(self.model)
        self.name, self.singular = table.name, self.model.__name__.lower()
        self._check_columns()
        nodes = document(table, self.schema, self.declared)
        self.embeds = {name: nodes.pop(name) for name in (*self.read_embeds, *self.asked_embeds)}
        self.fields = nodes
        self.targets = self._targets()
        self.sorts = {**sort_keys(table, *self.sorted_by), **self.declared_sorts}
        self.groups = {**{n: table.c[n] for n in self.grouped_by}, **self.declared_groups}

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
        """What a read by id embeds by default."""
        return (*self.default_embeds, *self.further_embeds)

    @property
    def written(self) -> tuple[str, ...]:
        """The fields of the answer to a write."""
        return tuple(name for name in self.document if name not in self.repeating_embeds)

    def _targets(self) -> dict[str, Target]:
        lists = {
            name: rows.of(self.table)
            for name, rows in self.declared.items()
            if isinstance(rows, Rows)
        }
        targets = Targets(self.table, self.declared_targets, {**lists, **self.relations})
        return targets.of(dict.fromkeys(known.name for known in self.filters.values()))

    def _check_columns(self) -> None:
        shown = {
            column
            for name in self.schema._declared_fields
            for column in (name, f"{name}_id", *(f"{name}_{part}" for part in _PERIOD_COLUMNS))
        }
        known = shown.union(self.internal, _ROW_COLUMNS)
        for column in self.table.c:
            if column.computed is None and column.name not in known:
                raise Underivable(f"{column} is in no field of {self.schema.__name__}.")
