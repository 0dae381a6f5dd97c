"""How a resource is written: what each declares of it, and all that follows from that."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Base, table_of
from hksz_db.services.columns import SchemaMismatch, columns_of, mismatch, nested_schema
from hksz_db.services.dependants import wholes_of
from hksz_db.services.references import NOTHING, Resolved, Shape, resolve
from hksz_db.services.rows import Children, Row, change_whole, chosen, insert, owned
from schemas.base import InputSchema, patch_schema

_ABSENT = object()


@dataclass(kw_only=True, eq=False)
class Listed:
    """A list in a body whose items are rows of ``model``.

    ``ordinal`` is the column that numbers the items. With a ``key`` an item changes the stored row
    that equals it there. Items that are no objects go to the column ``value``, equal ones once.
    """

    model: type[Base]
    ordinal: str = ""
    key: tuple[str, ...] = ()
    value: str = ""

    def derive(self, owner: str, field: Any) -> None:
        """Derive what is written of a field of the ``owner``, a table; raises as ``columns_of``."""
        self.table = table_of(self.model)
        self.parent = next(
            key.parent.name
            for key in self.table.foreign_keys
            if key.ondelete == "CASCADE" and key.column.table.name == owner
        )
        self.shape = Shape()
        if not self.value:
            own = {self.parent, self.ordinal}
            self.columns = columns_of(nested_schema(field), self.table, worked_out=own)
            self.blank = self.columns.blank({})
            self.shape = self.columns.shape

    def children(self, items: Sequence[Any], known: Resolved, pointer: str) -> Children:
        """The rows of the items, which are given whole: what an item lacks is null."""
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
    """Reads and writes the rows of a resource; ``table`` is its name.

    The fields of both schemas are written to the columns of their names, as ``columns`` derives;
    what differs is declared here. ``lists`` are rows of other tables, and ``parts`` rows of other
    resources that can be given with a new row. A key needs the ``scope`` to write the resource. A
    field that a new row does not give has its value in ``defaults``, or is ``inherited`` from what
    the row is a part of. Fields that are ``replaced`` by others are gone before anything is
    written. ``worked_out`` are the columns that ``work_out`` gives. A change rests on the stored
    columns ``rests_on``, and on those that only creation settles.

    Raises ``SchemaMismatch`` when a field of the schemas, nested ones too, would not be stored.
    """

    model: type[Base]
    create_schema: type[InputSchema]
    patch_schema: type[InputSchema]
    lists: Mapping[str, Listed] = field(default_factory=dict)
    parts: Mapping[str, "Writer"] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    inherited: tuple[str, ...] = ()
    scope: Scope = Scope.CLAIMS_WRITE
    replaced: tuple[str, ...] = ()
    worked_out: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        table, declared = table_of(self.model), self.create_schema._declared_fields
        self.table = table.name
        but = {"replaced": self.replaced, "worked_out": self.worked_out}
        beside = {*self.lists, *self.parts}
        new = columns_of(self.create_schema, table, elsewhere=beside, **but)
        self._blank = new.blank(self.defaults, self.inherited)
        # No client gives an id.
        self._new = replace(new, plain=("id", *new.plain), taken=new.taken | {"id"})
        self._changed = columns_of(self.patch_schema, table, elsewhere=self.lists, **but)
        for name, listed in self.lists.items():
            listed.derive(self.table, declared[name])
        for name, part in self.parts.items():
            schema = nested_schema(declared[name])
            for unknown in schema._declared_fields.keys() - part.create_schema._declared_fields:
                raise mismatch(schema, unknown, f"would be lost: {part.table} is written without")
        self.stored = (*sorted(self.fixed & {*table.c.keys()}), *self.rests_on)
        nested = {name: listed.shape for name, listed in self.lists.items()}
        nested |= {name: part.shape for name, part in self.parts.items()}
        nested |= new.shape.nested
        nested = {name: shape for name, shape in nested.items() if shape != Shape()}
        self.shape: Shape = replace(new.shape, nested=nested)

    @cached_property
    def fixed(self) -> frozenset[str]:
        """The fields that only creation settles, parts included."""
        declared = self.create_schema._declared_fields.keys()
        return frozenset(declared - self.patch_schema._declared_fields.keys())

    @cached_property
    def creating(self) -> InputSchema:
        """Reads a new row."""
        return self.create_schema()

    @cached_property
    def upserting(self) -> InputSchema:
        """Reads a row that is there: nothing is required, and what is fixed may be repeated."""
        return patch_schema(self.create_schema)()

    def create(self, session: Session, fields: Row) -> UUID:
        """Add a row with its lists and parts, all of it or nothing."""
        known = resolve(session, fields, self.shape)
        self.prepare(session, fields)
        insert(session, self.rows(fields, known.new_id, known))
        return known.new_id

    def prepare(self, session: Session, fields: Row) -> None:
        """What is left to do before a new row is inserted."""

    def update(
        self, session: Session, id: UUID, versions: Sequence[int] | None, fields: Row
    ) -> bool:
        """Change a row at one of the versions; a list that is given replaces the one there is.

        Returns whether anything differed.
        """
        known = NOTHING if self.shape == Shape() else resolve(session, fields, self.shape)
        return change_whole(session, self.table, id, versions, *self.changes(fields, {}, known))

    def passages(self, _: Row) -> Mapping[str, Row]:
        """The evidence among the fields, by pointer."""
        return {}

    def work_out(self, _given: Row, _before: Row, _known: Resolved, _pointer: str) -> Row:
        """The columns that follow from the fields, the stored columns and what is referred to."""
        return {}

    def rows(self, fields: Row, id: UUID, known: Resolved) -> Mapping[str, Sequence[Row]]:
        """The rows of a new row by table; its references and captures are settled."""
        row = self.row({**fields, "id": id}, known, "#")
        rows = {self.table: [row], **owned(id, self._children(fields, known))}
        for name, part in self.parts.items():
            within = part.within(row)
            rows[part.table] = [
                part.row({**within, **item}, known, f"#/{name}/{number}")
                for number, item in enumerate(fields.get(name, ()))
            ]
        return rows

    def row(self, fields: Row, known: Resolved, pointer: str) -> Row:
        """The columns of a new row; what is not given has its default or is null."""
        return {
            **self._blank,
            **self._new.written(fields, known, pointer),
            **self._worked_out(fields, {}, known, pointer),
        }

    def changes(self, fields: Row, before: Row, known: Resolved) -> tuple[Row, list[Children]]:
        """What a change gives a row: its columns and its lists.

        ``before`` are its ``stored`` columns. What only creation settles may be repeated.
        """
        given = {
            name: value
            for name, value in fields.items()
            if name not in self.fixed or before.get(name, _ABSENT) != value
        }
        columns = self._changed.written(given, known, "#")
        columns |= self._worked_out(given, before, known, "#")
        return columns, list(self._children(given, known))

    def within(self, whole: Row) -> Row:
        """The fields of a new row that follow from what it is a part of."""
        (link,) = wholes_of(self.table)
        return {link.column: whole["id"], **chosen(whole, *self.inherited)}

    def _worked_out(self, given: Row, before: Row, known: Resolved, pointer: str) -> Row:
        columns = self.work_out(given, before, known, pointer)
        if undeclared := columns.keys() - set(self.worked_out):
            names = ", ".join(sorted(undeclared))
            raise SchemaMismatch(f"Not declared as worked out of {self.table}: {names}.")
        return columns

    def _children(self, fields: Row, known: Resolved) -> Iterator[Children]:
        for name, listed in self.lists.items():
            if name in fields:
                yield listed.children(fields[name], known, f"#/{name}")
