"""Convert the cells of a table to bodies."""

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
"""The resources that a table can hold: those without a required list."""

_BOOLEANS = {"true": True, "false": False}
_MAX_DIGITS = 20


@dataclass(frozen=True)
class Cell:
    """The place of a value in a body, and its field."""

    path: tuple[str, ...]
    field: fields.Field[Any]

    def typed(self, text: str) -> Any:
        """The value as JSON; the schema refuses text that is not of the type."""
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
    """The scalar fields of a body, ``topics``, and the fields of objects as ``object_field``."""
    found: dict[str, Cell] = {}
    for name, known in KINDS[resource].create_schema().fields.items():
        if isinstance(known, fields.Nested):
            assert isinstance(known.schema, Schema)
            parts = known.schema.fields.items()
            found |= {f"{name}_{part}": Cell((name, part), each) for part, each in parts}
        elif name == "topics" or not isinstance(known, BoundedList):
            found[name] = Cell((name,), known)
    return found


@cache
def read_only_columns(resource: str) -> frozenset[str]:
    """The names of columns of an export that a body does not have."""
    return frozenset(_columns(RESOURCES[resource].schema(), "")) - fields_of(resource).keys()


def _columns(schema: Schema, prefix: str) -> Iterator[str]:
    for name, known in schema.fields.items():
        yield f"{prefix}{name}"
        inner = known.inner if isinstance(known, fields.List) else known
        if isinstance(inner, fields.Nested) and isinstance(inner.schema, Schema):
            yield from _columns(inner.schema, f"{prefix}{name}_")


def body(resource: str, given: Mapping[str, str]) -> Item:
    """The body of non-empty cells, by field; read-only columns are left out.

    An exported table gives references both by id and by external id, and some times both in EDTF
    and relative to a source: the external id and the relative time are used.
    """
    known = fields_of(resource)
    item: Item = {}
    for name, text in given.items():
        if name in known and not _is_superseded(name, given):
            *holders, part = known[name].path
            holder = item.setdefault(holders[0], {}) if holders else item
            holder[part] = known[name].typed(text)
    return item


def _is_superseded(name: str, given: Mapping[str, str]) -> bool:
    if name.endswith("_id") and not name.endswith("_external_id"):
        return f"{name.removesuffix('_id')}_external_id" in given
    return name.endswith("_edtf") and f"{name.removesuffix('edtf')}relative_duration" in given
