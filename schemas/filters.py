"""Filters on the wire: which operators each kind of field has, and what values they take.

A filter is a query parameter ``name`` or ``name__operator``; the same names are keys in the
JSON tree of ``POST /v1/R/query``, where values may also be JSON booleans, numbers and arrays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from marshmallow import ValidationError, fields

from schemas.fields import (
    DecimalString,
    Edtf,
    ExternalId,
    Moment,
    StrictInteger,
    Term,
    Text,
    Uuid,
)

# Which end of a date the operator compares with.
_ENDS = {"gt": "latest", "gte": "earliest", "lt": "earliest", "lte": "latest"}

MAX_VALUES = 20_000
"""How many values a list may hold; a URL is full long before."""

_MEANINGS = {
    "eq": "equals",
    "ne": "differs from (a missing value differs from every value)",
    "gt": "is above",
    "gte": "is at least",
    "lt": "is below",
    "lte": "is at most",
    "in": "is one of",
    "contains": "contains, whatever the case",
    "startswith": "begins with, whatever the case",
    "isnull": "has no value",
    "within": "may lie within",
    "certainly_within": "lies wholly within",
    "under": "is, or lies in (located_in, part_of, any number of steps), the entity with this id",
    "under_external_id": "is, or lies in (as above), the entity with this external id",
}


class QueryBoolean(fields.Boolean):
    """``true`` or ``false``, as JSON or as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value not in {"true", "false"}:
            raise ValidationError("Must be true or false.")
        return bool(value == "true")


class QueryInteger(StrictInteger):
    """A whole number, as JSON or as ASCII digits."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
            value = int(value)
        return super()._deserialize(value, attr, data, **kwargs)


class ValueList(fields.List[Any]):
    """Values separated by commas, or a JSON array of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        values = value.split(",") if isinstance(value, str) else value
        if isinstance(values, list) and len(values) > MAX_VALUES:
            raise ValidationError(f"May have at most {MAX_VALUES} values.")
        return super()._deserialize(values, attr, data, **kwargs)


class EdtfBound(Edtf):
    """A date whose first or last day, the one that is compared with, must be known."""

    def __init__(self, end: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.end = end

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        period = super()._deserialize(value, attr, data, **kwargs)
        if getattr(period, self.end) is None:
            raise ValidationError(f"{period.edtf!r} has no {self.end} day to compare with.")
        return period


@dataclass(frozen=True)
class Kind:
    """A kind of filter: how a value is read, and which operators there are."""

    field: Callable[[], fields.Field[Any]]
    operators: tuple[str, ...]


def _kind(field: Callable[[], fields.Field[Any]], operators: tuple[str, ...], null: bool) -> Kind:
    return Kind(field, (*operators, "isnull") if null else operators)


def terms(vocabulary: type[StrEnum], *, nullable: bool = False) -> Kind:
    """A filter on a term of a closed vocabulary."""
    return _kind(lambda: Term(vocabulary), ("eq", "ne", "in"), nullable)


def ids(*, nullable: bool = False) -> Kind:
    """A filter on the id of a row."""
    return _kind(Uuid, ("eq", "ne", "in"), nullable)


def names(*, nullable: bool = False) -> Kind:
    """A filter on a name that is written in one way only."""
    return _kind(Text, ("eq", "ne", "in", "startswith"), nullable)


def words(*, nullable: bool = False) -> Kind:
    """A filter on free text."""
    return _kind(Text, ("eq", "ne", "contains", "startswith"), nullable)


def flag() -> Kind:
    """A filter on something that is so or not."""
    return Kind(QueryBoolean, ("eq",))


def numbers(*, nullable: bool = False) -> Kind:
    """A filter on a number."""
    return _kind(DecimalString, ("eq", "ne", "gt", "gte", "lt", "lte"), nullable)


def integers(*, nullable: bool = False) -> Kind:
    """A filter on a whole number."""
    return _kind(QueryInteger, ("eq", "ne", "gt", "gte", "lt", "lte"), nullable)


def bounds() -> Kind:
    """A filter on a range of numbers in base units: all that the range allows must meet it."""
    return Kind(DecimalString, ("eq", "gt", "gte", "lt", "lte"))


def moments(*, nullable: bool = False) -> Kind:
    """A filter on a moment."""
    return _kind(Moment, ("gt", "gte", "lt", "lte"), nullable)


def days(*, nullable: bool = False) -> Kind:
    """A filter on a time of which only the days are known that it may cover."""
    operators = ("within", "certainly_within", "gt", "gte", "lt", "lte")
    return _kind(Edtf, operators, nullable)


def presence() -> Kind:
    """A filter on whether there is any."""
    return Kind(QueryBoolean, ("isnull",))


def places() -> Kind:
    """A filter on the place under which a row lies."""
    return Kind(Uuid, ("under", "under_external_id"))


def of_related(kind: Kind) -> Kind:
    """The kind for a field of related rows: one of the rows must meet it.

    Only what a row can meet is offered: that a row differs, or lacks a value, says little of
    those beside it.
    """
    return replace(kind, operators=tuple(o for o in kind.operators if o not in {"ne", "isnull"}))


def related(name: str, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """Filters on the rows of a relation; one and the same row must meet all that are given."""
    return {f"{name}__{field}": of_related(kind) for field, kind in kinds.items()}


@dataclass(frozen=True)
class Filter:
    """One filter: the name and operator behind a parameter, and the field that reads its value."""

    name: str
    operator: str
    field: fields.Field[Any]


def filter_fields(kinds: Mapping[str, Kind]) -> dict[str, Filter]:
    """The filters of a resource by parameter name (``time__within``)."""
    return {
        name if operator == "eq" else f"{name}__{operator}": Filter(
            name, operator, _field(kind, name, operator)
        )
        for name, kind in kinds.items()
        for operator in kind.operators
    }


def _field(kind: Kind, name: str, operator: str) -> fields.Field[Any]:
    if operator == "isnull":
        field: fields.Field[Any] = QueryBoolean()
    elif operator == "in":
        field = ValueList(kind.field())
    elif kind.field is Edtf and operator in _ENDS:
        field = EdtfBound(_ENDS[operator])
    elif operator == "under_external_id":
        field = ExternalId()
    else:
        field = kind.field()
    field.metadata = {**field.metadata, "description": f"{name} {_MEANINGS[operator]}"}
    return field


def common_filters() -> dict[str, Kind]:
    """The filters that every resource has."""
    return {
        "id": ids(),
        "external_id": names(nullable=True),
        "created_at": moments(),
        "updated_at": moments(),
    }
