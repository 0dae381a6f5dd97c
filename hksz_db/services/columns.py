"""The columns that the fields of a schema write, derived by name and type on import.

Every accepted field is stored. A field without a column raises ``SchemaMismatch`` when the writer
is declared, and when it is written.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from marshmallow import Schema, missing
from sqlalchemy import Table

from hksz_db.models.base import HistoryMixin, IdMixin, ResourceMixin
from hksz_db.services.dates import ANCHORED, ORIGIN, date_columns
from hksz_db.services.references import Resolved, Shape
from hksz_db.services.rows import Row, period_columns, pick
from schemas.base import InputSchema, nested_schema
from schemas.fields import Edtf

# The columns that every table has; clients do not write them.
HOUSEKEEPING = {
    name for mixin in (HistoryMixin, IdMixin, ResourceMixin) for name in mixin.__annotations__
} - {"external_id"}

_ORIGIN = frozenset(ORIGIN)


class SchemaMismatch(TypeError):
    """A schema does not fit its table, which is an error of the program, not of a client."""


@dataclass(frozen=True)
class Columns:
    """The columns of ``table`` that the fields of ``schema`` write.

    ``plain`` fields are written to the column of the same name. Of the ``dates``, ``date_edtf`` is
    written to that column and the days that it covers to ``date``; ``relative`` dates may be given
    as ``date_relative``. ``accepted`` are all fields that can be given to ``written``, where
    references, which ``shape`` describes, are ids.
    """

    schema: type[InputSchema]
    table: Table
    plain: tuple[str, ...]
    dates: tuple[str, ...]
    relative: tuple[str, ...]
    accepted: frozenset[str]
    shape: Shape

    def written(self, given: Row, known: Resolved, pointer: str) -> Row:
        """The columns of the fields that are given.

        Raises ``Invalid`` for a relative date that cannot be computed, and ``SchemaMismatch`` for
        fields that would be lost.
        """
        self._check(given, self.accepted)
        row = pick(given, *self.plain)
        for date in self.dates:
            if date in self.relative:
                self._check(given.get(f"{date}_relative") or {}, _ORIGIN)
                row |= date_columns(given, date, known, pointer)
            else:
                row |= period_columns(given, date)
        return row

    def _check(self, given: Row, accepted: frozenset[str]) -> None:
        if not given.keys() <= accepted:
            names = ", ".join(sorted(given.keys() - accepted))
            raise SchemaMismatch(
                f"Nothing writes {names} of {self.schema.__name__} to {self.table}."
            )

    def blank(self, defaults: Mapping[str, Any], added: Collection[str] = ()) -> Row:
        """The columns of a new row of which no field is given: defaults and nulls.

        ``added`` fields are added later. Raises ``SchemaMismatch`` for another optional field whose
        column takes no null, or has a default of its own, which would not apply to all rows that
        are inserted together.
        """
        needed = {*added, *(f"{stem}_id" for stem in self.schema.required)}
        row: Row = dict.fromkeys((*self.plain, *_columns_of(self.dates, self.relative)))
        for name in self.plain:
            field, column = self.schema._declared_fields[name], self.table.c[name]
            if name in defaults or field.load_default is not missing:
                row[name] = defaults.get(name, field.load_default)
            elif field.required or name in needed:
                continue
            elif column.server_default is not None or not column.nullable:
                raise mismatch(self.schema, name, f"may be absent: declare a default of {column}")
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
    dates = tuple(_dates(declared, table))
    relative = tuple(date for date in dates if _is_relative(date, declared, table))
    others = {*computed, *_columns_of(dates, relative)} | HOUSEKEEPING
    writable = {column.name for column in table.c if column.computed is None} - others
    plain = tuple(name for name in declared if name in writable)
    given_as = {f"{date}_edtf" for date in dates} | {f"{date}_relative" for date in relative}
    accepted = {*plain, *given_as, *elsewhere}
    gone = {*replaced, *(f"{stem}_external_id" for stem in stems)}
    for name, field in declared.items():
        if name not in accepted | gone:
            why = f"would be lost: {table} has no such column to write, and it is not a reference,"
            raise mismatch(schema, name, f"{why} date or declared list")
        if name in plain and field.allow_none and not table.c[name].nullable:
            raise mismatch(schema, name, f"may be null, and {table.c[name]} may not")
    for name in {*elsewhere, *replaced} - declared.keys():
        raise mismatch(schema, name, f"is declared for {table}, but is not a field")
    nested = {f"{date}_relative": ANCHORED for date in relative}
    shape = Shape(stems, unit_code="unit_code" in plain, nested=nested)
    return Columns(schema, table, plain, dates, relative, frozenset(accepted), shape)


def mismatch(schema: type[Schema], name: str, why: str) -> SchemaMismatch:
    """The error for a field that does not fit the table."""
    return SchemaMismatch(f"{schema.__name__}.{name} {why}.")


def _target(table: Table, stem: str) -> str | None:
    """The table to whose rows ``stem_id`` refers."""
    column = table.c.get(f"{stem}_id")
    keys = () if column is None else column.foreign_keys
    return next((key.column.table.name for key in keys if key.column.primary_key), None)


def _dates(declared: Mapping[str, Any], table: Table) -> Iterator[str]:
    for name, field in declared.items():
        date = name.removesuffix("_edtf")
        if isinstance(field, Edtf) and {name, date} <= {*table.c.keys()}:
            yield date


def _is_relative(date: str, declared: Mapping[str, Any], table: Table) -> bool:
    field = declared.get(f"{date}_relative")
    if field is None or not {f"{date}_{part}" for part in ORIGIN} <= {*table.c.keys()}:
        return False
    schema = nested_schema(field)
    for name in schema._declared_fields.keys() - {*_ORIGIN, "anchor_external_id"}:
        raise mismatch(schema, name, f"would be lost: {table} has no column for it")
    return True


def _columns_of(dates: Collection[str], relative: Collection[str]) -> tuple[str, ...]:
    return (
        *(column for date in dates for column in (f"{date}_edtf", date)),
        *(f"{date}_{part}" for date in relative for part in ORIGIN),
    )
