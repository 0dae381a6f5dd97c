"""What the cells of a table say, by the names of the fields that they stand for."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from marshmallow import Schema, fields

from hksz_db.exchange.readers.entries import Item
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.kinds import KINDS
from schemas.fields import BoundedList, StrictBoolean, StrictInteger

TABLED = tuple(
    name
    for name, writer in KINDS.items()
    if not any(
        isinstance(field, BoundedList) and field.required
        for field in writer.create_schema._declared_fields.values()
    )
)
"""The resources of which a row can be a row of a table: those that need no list."""

_BOOLEANS = {"true": True, "false": False}
_MAX_DIGITS = 20


@dataclass(frozen=True)
class Cell:
    """Where a value goes in a body, and what it must be."""

    path: tuple[str, ...]
    field: fields.Field[Any]

    def typed(self, text: str) -> Any:
        """The value as JSON has it; what is none of the type is left to the schema."""
        match self.field:
            case StrictInteger():
                is_number = text.isascii() and text.isdecimal() and len(text) < _MAX_DIGITS
                return int(text) if is_number else text
            case StrictBoolean():
                return _BOOLEANS.get(text.lower(), text)
            case BoundedList():
                return [part.strip() for part in text.split(";") if part.strip()]
        return text


@cache
def fields_of(resource: str) -> Mapping[str, Cell]:
    """The plain fields of a body, those of an object in it as ``object_field``, and ``topics``."""
    found: dict[str, Cell] = {}
    for name, known in KINDS[resource].create_schema().fields.items():
        if isinstance(known, fields.Nested):
            inner = known.schema
            assert isinstance(inner, Schema)
            parts = inner.fields.items()
            found |= {f"{name}_{part}": Cell((name, part), each) for part, each in parts}
        elif name == "topics" or not isinstance(known, BoundedList):
            found[name] = Cell((name,), known)
    return found


@cache
def shown_of(resource: str) -> frozenset[str]:
    """The names of what a document shows: columns of an export, of which a body has some only."""
    return frozenset(_shown(RESOURCES[resource].schema(), "")) - fields_of(resource).keys()


def _shown(schema: Schema, prefix: str) -> Iterator[str]:
    for name, known in schema.fields.items():
        yield f"{prefix}{name}"
        inner = known.inner if isinstance(known, fields.List) else known
        if isinstance(inner, fields.Nested) and isinstance(inner.schema, Schema):
            yield from _shown(inner.schema, f"{prefix}{name}_")


def body(resource: str, given: Mapping[str, str]) -> Item:
    """The body of cells that are not empty, by field; what is only shown has no place in it.

    A table that is an export says some things twice: of a reference by its id and by its external
    id the latter counts, and of a time in EDTF and relative to a source the latter.
    """
    known = fields_of(resource)
    item: Item = {}
    for name, text in given.items():
        if name in known and not _is_said_better(name, given):
            *holders, part = known[name].path
            holder = item.setdefault(holders[0], {}) if holders else item
            holder[part] = known[name].typed(text)
    return item


def _is_said_better(name: str, given: Mapping[str, str]) -> bool:
    if name.endswith("_id") and not name.endswith("_external_id"):
        return f"{name.removesuffix('_id')}_external_id" in given
    return name.endswith("_edtf") and f"{name.removesuffix('edtf')}relative_duration" in given
