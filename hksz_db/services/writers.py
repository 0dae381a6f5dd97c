"""How a resource is written: its declaration, and everything that follows from it.

The columns that the fields of a schema write are derived by name and type on import. Every accepted
field is stored. A field without a column raises ``SchemaMismatch`` when the writer is declared, and
when it is written.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from marshmallow import Schema, missing
from sqlalchemy import Table

from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Base, table_of
from hksz_db.models.base import HistoryMixin, IdMixin, ResourceMixin, SearchMixin
from hksz_db.services.dates import ANCHORED, ORIGIN, date_columns
from hksz_db.services.dependants import LIST_OWNERS, parents_of
from hksz_db.services.references import Reference, Resolved, Shape
from hksz_db.services.rows import Children, Row, pick
from schemas.base import InputSchema, nested_schema, patch_schema
from schemas.fields import Edtf

# The columns that every table has; clients do not write them.
_HOUSEKEEPING = {
    name
    for mixin in (HistoryMixin, IdMixin, ResourceMixin, SearchMixin)
    for name in mixin.__annotations__
} - {"external_id"}
_ABSENT = object()
_ORIGIN = frozenset(ORIGIN)


class SchemaMismatch(TypeError):
    """A schema does not fit its table, which is an error of the program, not of a client."""


@dataclass(frozen=True)
class Columns:
    """The columns of ``table`` that the fields of ``schema`` write.

    ``plain`` fields are written to the column of the same name. Of the ``dates``, ``date_edtf`` is
    written to that column and the days that it covers to ``date``; those that are true may be given
    as ``date_relative``. ``accepted`` are all fields that can be given to ``written``, where
    references, which ``shape`` describes, are ids.
    """

    schema: type[InputSchema]
    table: Table
    plain: tuple[str, ...]
    dates: Mapping[str, bool]
    accepted: frozenset[str]
    shape: Shape

    def written(self, given: Row, known: Resolved, pointer: str) -> Row:
        """The columns of the fields that are given.

        Raises ``Invalid`` for a relative date that cannot be computed, and ``SchemaMismatch`` for
        fields that would be lost.
        """
        self._check(given, self.accepted)
        row = pick(given, *self.plain)
        for date, absolute, relative, may_be_relative in self._dates:
            if absolute in given or relative in given:
                self._check(given.get(relative) or {}, _ORIGIN)
                row |= date_columns(given, date, known, pointer, may_be_relative=may_be_relative)
        return row

    @cached_property
    def _dates(self) -> Sequence[tuple[str, str, str, bool]]:
        """Each date with the fields that give it, and whether it may be relative."""
        return [(date, f"{date}_edtf", f"{date}_relative", may) for date, may in self.dates.items()]

    def _check(self, given: Row, accepted: frozenset[str]) -> None:
        if not given.keys() <= accepted:
            names = ", ".join(sorted(given.keys() - accepted))
            raise SchemaMismatch(
                f"Nothing writes {names} of {self.schema.__name__} to {self.table}."
            )

    def blank(self, defaults: Mapping[str, object], added: Collection[str] = ()) -> Row:
        """The columns of a new row of which no field is given: defaults and nulls.

        ``added`` fields are added later. Raises ``SchemaMismatch`` for another optional field whose
        column takes no null, or has a default of its own, which would not apply to all rows that
        are inserted together.
        """
        needed = {*added, *(f"{stem}_id" for stem in self.schema.required)}
        row: Row = dict.fromkeys((*self.plain, *_columns_of(self.dates)))
        for name in self.plain:
            field, column = self.schema._declared_fields[name], self.table.c[name]
            if name in defaults or field.load_default is not missing:
                row[name] = defaults.get(name, field.load_default)
            elif field.required or name in needed:
                continue
            elif column.server_default is not None or not column.nullable:
                raise _mismatch(self.schema, name, f"may be absent: declare a default of {column}")
        return row


def columns_of(
    schema: type[InputSchema],
    table: Table,
    *,
    elsewhere: Collection[str] = (),
    replaced: Collection[str] = (),
    computed: Collection[str] = (),
) -> Columns:
    """The columns of the table that the fields of the schema write.

    ``elsewhere`` are fields that are written to other tables, and ``replaced`` are fields that are
    replaced by others before. ``computed`` columns cannot be fields. Raises ``SchemaMismatch``,
    naming schema, field and table, for any other field that is not a column, reference or date.
    """
    declared = schema._declared_fields
    stems = {stem: target for stem in schema.references if (target := _target(table, stem))}
    dates = {date: _may_be_relative(date, declared, table) for date in _dates(declared, table)}
    relative = {f"{date}_relative" for date, may_be_relative in dates.items() if may_be_relative}
    others = {*computed, *_columns_of(dates)} | _HOUSEKEEPING
    writable = {column.name for column in table.c if column.computed is None} - others
    plain = tuple(name for name in declared if name in writable)
    accepted = {*plain, *(f"{date}_edtf" for date in dates), *relative, *elsewhere}
    gone = {*replaced, *(f"{stem}_external_id" for stem in stems)}
    for name, given in declared.items():
        if name not in accepted | gone:
            why = f"would be lost: {table} has no such column to write, and it is not a reference,"
            raise _mismatch(schema, name, f"{why} date or declared list")
        if name in plain and given.allow_none and not table.c[name].nullable:
            raise _mismatch(schema, name, f"may be null, and {table.c[name]} may not")
    for name in {*elsewhere, *replaced} - declared.keys():
        raise _mismatch(schema, name, f"is declared for {table}, but is not a field")
    nested = dict.fromkeys(relative, ANCHORED)
    shape = Shape(stems, unit_code="unit_code" in plain, nested=nested)
    return Columns(schema, table, plain, dates, frozenset(accepted), shape)


def _mismatch(schema: type[Schema], name: str, why: str) -> SchemaMismatch:
    return SchemaMismatch(f"{schema.__name__}.{name} {why}.")


def _target(table: Table, stem: str) -> str | None:
    """The table to whose rows ``stem_id`` refers."""
    column = table.c.get(f"{stem}_id")
    keys = () if column is None else column.foreign_keys
    return next((key.column.table.name for key in keys if key.column.primary_key), None)


def _dates(declared: Mapping[str, object], table: Table) -> Iterator[str]:
    for name, given in declared.items():
        date = name.removesuffix("_edtf")
        if isinstance(given, Edtf) and {name, date} <= {*table.c.keys()}:
            yield date


def _may_be_relative(date: str, declared: Mapping[str, Any], table: Table) -> bool:
    field = declared.get(f"{date}_relative")
    if field is None or not {f"{date}_{part}" for part in ORIGIN} <= {*table.c.keys()}:
        return False
    schema = nested_schema(field)
    for name in schema._declared_fields.keys() - {*ORIGIN, "anchor_external_id"}:
        raise _mismatch(schema, name, f"would be lost: {table} has no column for it")
    return True


def _columns_of(dates: Mapping[str, bool]) -> Iterator[str]:
    for date, may_be_relative in dates.items():
        yield from (f"{date}_edtf", date)
        yield from (f"{date}_{part}" for part in ORIGIN if may_be_relative)


@dataclass(kw_only=True, eq=False)
class ListField:
    """A list in a body, whose items are rows of ``model``.

    ``ordinal`` is the column that numbers the items. With a ``key``, an item changes the stored row
    with equal key columns. Items that are not objects go to the column ``value``, without
    duplicates.
    """

    model: type[Base]
    ordinal: str = ""
    key: tuple[str, ...] = ()
    value: str = ""

    def derive(self, field: Any) -> None:
        """Derive the columns that the items of the field write; raises as ``columns_of``."""
        self.table = table_of(self.model)
        _, self.parent = LIST_OWNERS[self.table.name]
        self.shape = Shape()
        if not self.value:
            schema, own = nested_schema(field), {self.parent, self.ordinal}
            assert issubclass(schema, InputSchema)
            self.columns = columns_of(schema, self.table, computed=own)
            self.blank = self.columns.blank({})
            self.shape = self.columns.shape

    def children(self, items: Sequence[Any], known: Resolved, pointer: str) -> Children:
        """The rows of the items; a column that an item does not give is null."""
        if self.value:
            rows = [{self.value: item} for item in dict.fromkeys(items)]
        else:
            rows = [
                {**self.blank, **self.columns.written(item, known, f"{pointer}/{number}")}
                for number, item in enumerate(items)
            ]
        if self.ordinal:
            rows = [{**row, self.ordinal: n} for n, row in enumerate(rows, start=1)]
        return Children(self.table.name, self.parent, rows, self.key)


@dataclass(kw_only=True, eq=False)
class Writer:
    """Derives the rows of a resource from fields; ``table`` is its name.

    Each field of the schemas is written to the column of its name, as ``columns`` derives; only
    exceptions are declared here. ``lists`` are rows of other tables, and ``parts`` rows of other
    resources that can be given with a new row. A key needs the ``scope`` to write the resource. A
    field that a new row does not give has its value in ``defaults``, or is ``inherited`` from the
    row that it is a part of. ``replaced`` fields are replaced by others before rows are derived.
    ``completed`` are fields that ``complete`` adds to a new row if they are not given. ``computed``
    are the columns that ``compute`` returns; it reads the fields, the stored columns
    ``computed_from``, and the rows that the references ``held`` lead to, which cannot change
    before a new row is visible.

    Raises ``SchemaMismatch`` if a field of the schemas, nested ones too, would not be stored.
    """

    model: type[Base]
    create_schema: type[InputSchema]
    patch_schema: type[InputSchema]
    lists: Mapping[str, ListField] = field(default_factory=dict)
    parts: Mapping[str, "Writer"] = field(default_factory=dict)
    defaults: Mapping[str, object] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    scope: Scope = Scope.CLAIMS_WRITE
    replaced: tuple[str, ...] = ()
    completed: tuple[str, ...] = ()
    computed: tuple[str, ...] = ()
    computed_from: tuple[str, ...] = ()
    held: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        table, declared = table_of(self.model), self.create_schema._declared_fields
        self.table = table.name
        but = {"replaced": self.replaced, "computed": self.computed}
        new = columns_of(self.create_schema, table, elsewhere={*self.lists, *self.parts}, **but)
        self._blank = new.blank(self.defaults, {*self.inherited, *self.completed})
        # Clients cannot give an id.
        self._new = replace(new, plain=("id", *new.plain), accepted=new.accepted | {"id"})
        self._changed = columns_of(self.patch_schema, table, elsewhere=self.lists, **but)
        for name, listed in self.lists.items():
            listed.derive(declared[name])
        for name, part in self.parts.items():
            schema = nested_schema(declared[name])
            for unknown in schema._declared_fields.keys() - part.create_schema._declared_fields:
                raise _mismatch(schema, unknown, f"would be lost: {part.table} is written without")
        read = {*self.fixed, *self.computed_from, "status"}
        self.stored = tuple(column.name for column in table.c if column.name in read)
        nested = {name: listed.shape for name, listed in self.lists.items()}
        nested |= {name: part.shape for name, part in self.parts.items()}
        nested |= new.shape.nested
        nested = {name: shape for name, shape in nested.items() if shape != Shape()}
        self.shape: Shape = replace(new.shape, nested=nested, held=self.held)

    def check_document(self, document: type[Schema]) -> None:
        """Raise ``SchemaMismatch`` for a field of the document whose column nothing writes."""
        table = table_of(self.model)
        written = self._new.accepted.union(self._new.dates, self.computed)
        for name in document._declared_fields.keys() & {*table.c.keys()} - written:
            if name not in _HOUSEKEEPING and table.c[name].server_default is None:
                raise _mismatch(document, name, f"is shown, and nothing writes {table}.{name}")

    @cached_property
    def _declared(self) -> frozenset[str]:
        return frozenset(self.computed)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The fields that cannot be changed after creation, parts included."""
        declared = self.create_schema._declared_fields.keys()
        return frozenset(declared - self.patch_schema._declared_fields.keys())

    @cached_property
    def creation(self) -> InputSchema:
        """The schema of a new row."""
        return self.create_schema()

    @cached_property
    def upsert(self) -> InputSchema:
        """The schema of a stored row: nothing is required, and fixed fields may be repeated."""
        return patch_schema(self.create_schema)()

    def complete(self, _fields: Row, _known: Resolved, _pointer: str) -> list[Reference]:
        """Add the ``completed`` fields that are missing; the references among them."""
        return []

    def compute(self, _given: Row, _before: Row, _known: Resolved, _pointer: str) -> Row:
        """The columns that follow from the fields, the stored columns and the references."""
        return {}

    def rows(self, fields: Row, known: Resolved) -> Mapping[str, Sequence[Row]]:
        """The rows of a new row with its lists and parts, by table.

        ``fields`` have an ``id``, and their references and captures are ids.
        """
        if self.inherited:
            (link,) = parents_of(self.table)
            parent = known.rows[link.target][fields[link.column]]
            fields = {**self.inherit(parent), **fields}
        row = self.row(fields, known, "#")
        rows = {self.table: [row]}
        for family in self._children(fields, known):
            rows[family.table] = [{family.parent: row["id"], **item} for item in family.rows]
        for name, part in self.parts.items():
            inherited = part.inherit(row)
            rows[part.table] = [
                part.row({**inherited, **item}, known, f"#/{name}/{number}")
                for number, item in enumerate(fields.get(name, ()))
            ]
        return rows

    def changes(self, fields: Row, before: Row, known: Resolved) -> tuple[Row, list[Children]]:
        """The columns and lists of a stored row that the fields change.

        ``before`` are its ``stored`` columns, of which fixed fields may be repeated.
        """
        given = {
            name: value
            for name, value in fields.items()
            if name not in self.fixed or before.get(name, _ABSENT) != value
        }
        columns = self._changed.written(given, known, "#")
        columns |= self._computed(given, before, known, "#")
        return columns, list(self._children(given, known))

    def inherit(self, parent: Row) -> Row:
        """The fields of a new part that follow from its parent."""
        (link,) = parents_of(self.table)
        return {link.column: parent["id"], **pick(parent, *self.inherited)}

    def row(self, fields: Row, known: Resolved, pointer: str) -> Row:
        """The columns of a new row."""
        return {
            **self._blank,
            **self._new.written(fields, known, pointer),
            **self._computed(fields, {}, known, pointer),
        }

    def _computed(self, given: Row, before: Row, known: Resolved, pointer: str) -> Row:
        columns = self.compute(given, before, known, pointer)
        if undeclared := columns.keys() - self._declared:
            names = ", ".join(sorted(undeclared))
            raise SchemaMismatch(f"Not declared as computed columns of {self.table}: {names}.")
        return columns

    def _children(self, fields: Row, known: Resolved) -> Iterator[Children]:
        for name, listed in self.lists.items():
            if name in fields:
                yield listed.children(fields[name], known, f"#/{name}")


class ReviewedWriter(Writer):
    """Writes rows with a status, whose last review a trigger records.

    The trigger recognises a verdict by the status. For a note with another status, the time of the
    review tells it that the row was sent back.
    """

    def compute(self, given: Row, _before: Row, _known: Resolved, _pointer: str) -> Row:
        """When the row was reviewed, if a note is given."""
        return {"reviewed_at": datetime.now(UTC)} if given.get("review_note") else {}
