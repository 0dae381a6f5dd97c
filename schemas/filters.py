"""Filters on the wire: which operators each kind of field has, and what values they take.

A filter is a query parameter ``name`` or ``name__operator``. The same names are keys in the tree of
``POST /v1/R/query``, where values may also be JSON booleans, numbers and arrays.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from marshmallow import RAISE, Schema, ValidationError, fields

from hksz_db.domain.languages import cased_tag
from schemas.fields import (
    MAX_INTEGER,
    BreakdownText,
    DecimalString,
    Edtf,
    ExternalId,
    Moment,
    Term,
    Text,
    Uuid,
)

Field = fields.Field[Any]

MAX_VALUES = 20_000
"""The limit on the values of a list; URLs are shorter than that."""


class QueryBoolean(fields.Boolean):
    """``true`` or ``false``, as JSON or as text."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, bool):
            return value
        if not isinstance(value, str) or value not in {"true", "false"}:
            raise self.make_error("invalid")
        return bool(value == "true")


class QueryInteger(fields.Integer):
    """A whole number within bounds, as JSON or as ASCII digits."""

    def __init__(self, minimum: int = 0, maximum: int = MAX_INTEGER, **metadata: Any) -> None:
        super().__init__(metadata={"minimum": minimum, "maximum": maximum, **metadata})
        self.minimum = minimum
        self.maximum = maximum

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) <= 10:
            value = int(value)
        is_number = isinstance(value, int) and not isinstance(value, bool)
        if not is_number or not self.minimum <= value <= self.maximum:
            raise ValidationError(f"Must be a whole number from {self.minimum} to {self.maximum}.")
        return int(value)


class QueryLanguage(Text):
    """A language tag in any case, with hyphens or underscores."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        return cased_tag(text.replace("_", "-"))


class ValueList(fields.List[Any]):
    """Values separated by commas, or a JSON array of them."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> list[Any]:
        values = value.split(",") if isinstance(value, str) else value
        if isinstance(values, list) and len(values) > MAX_VALUES:
            raise ValidationError(f"May have at most {MAX_VALUES} values.")
        return super()._deserialize(values, attr, data, **kwargs)


class EdtfBound(Edtf):
    """A date whose earliest or latest day, with which the operator compares, must be known."""

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
    """A kind of filter: the field that reads its value, and its operators."""

    field: Callable[[], Field]
    operators: tuple[str, ...]


@dataclass(frozen=True)
class Operator:
    """The meaning of an operator, and the field that reads its value for a kind of filter."""

    meaning: str
    field: Callable[[Kind], Field] = lambda kind: kind.field()


def _compared(end: str) -> Callable[[Kind], Field]:
    return lambda kind: EdtfBound(end) if kind.field is Edtf else kind.field()


OPERATORS: Mapping[str, Operator] = {
    "eq": Operator("equals"),
    "ne": Operator("differs from (a missing value differs from every value)"),
    "gt": Operator("is above", _compared("latest")),
    "gte": Operator("is at least", _compared("earliest")),
    "lt": Operator("is below", _compared("earliest")),
    "lte": Operator("is at most", _compared("latest")),
    "in": Operator("is one of", lambda kind: ValueList(kind.field())),
    "contains": Operator("contains, ignoring case and the script of Chinese"),
    "startswith": Operator("begins with, ignoring case and the script of Chinese"),
    "isnull": Operator("has no value", lambda _: QueryBoolean()),
    "within": Operator("may lie within"),
    "certainly_within": Operator("lies wholly within"),
    "under": Operator(
        "is, or lies in (located_in, part_of, any number of steps), the entity with this id"
    ),
    "under_external_id": Operator(
        "is, or lies in (as above), the entity with this external id", lambda _: ExternalId()
    ),
}
"""The operators by name; ``hksz_db/queries/filters.py`` has their SQL."""


def _kind(field: Callable[[], Field], operators: tuple[str, ...], null: bool) -> Kind:
    return Kind(field, (*operators, "isnull") if null else operators)


def terms(vocabulary: type[StrEnum], *, nullable: bool = False) -> Kind:
    """A filter on a term of a closed vocabulary."""
    return _kind(lambda: Term(vocabulary), ("eq", "ne", "in"), nullable)


def ids(*, nullable: bool = False) -> Kind:
    """A filter on the id of a row."""
    return _kind(Uuid, ("eq", "ne", "in"), nullable)


def names(*, nullable: bool = False) -> Kind:
    """A filter on a name that has one spelling."""
    return _kind(Text, ("eq", "ne", "in", "startswith"), nullable)


def languages(*, nullable: bool = False) -> Kind:
    """A filter on a language tag."""
    return _kind(QueryLanguage, ("eq", "ne", "in", "startswith"), nullable)


def words(*, nullable: bool = False) -> Kind:
    """A filter on free text."""
    return _kind(Text, ("eq", "ne", "contains", "startswith"), nullable)


def flag() -> Kind:
    """A filter on a boolean."""
    return Kind(QueryBoolean, ("eq",))


def numbers(*, nullable: bool = False) -> Kind:
    """A filter on a number."""
    return _kind(DecimalString, ("eq", "ne", "gt", "gte", "lt", "lte"), nullable)


def integers(*, nullable: bool = False) -> Kind:
    """A filter on a whole number."""
    return _kind(QueryInteger, ("eq", "ne", "gt", "gte", "lt", "lte"), nullable)


def bounds() -> Kind:
    """A filter on a range of numbers in base units: every number in the range must meet it."""
    return Kind(DecimalString, ("eq", "gt", "gte", "lt", "lte"))


def moments(*, nullable: bool = False) -> Kind:
    """A filter on a moment."""
    return _kind(Moment, ("gt", "gte", "lt", "lte"), nullable)


def days(*, nullable: bool = False) -> Kind:
    """A filter on a date, of which the days are known that it may cover."""
    operators = ("within", "certainly_within", "gt", "gte", "lt", "lte")
    return _kind(Edtf, operators, nullable)


def breakdowns() -> Kind:
    """A filter on the part of a whole that a row is about."""
    return Kind(BreakdownText, ("eq", "isnull"))


def presence() -> Kind:
    """A filter on whether related rows exist."""
    return Kind(QueryBoolean, ("isnull",))


def places() -> Kind:
    """A filter on the place in which a row lies."""
    return Kind(Uuid, ("under", "under_external_id"))


def of_related(kind: Kind) -> Kind:
    """The kind for a field of related rows: one of the rows must meet it.

    ``ne`` and ``isnull`` are left out: that one row differs or lacks a value says little about the
    other rows.
    """
    return replace(kind, operators=tuple(o for o in kind.operators if o not in {"ne", "isnull"}))


def related(name: str, kinds: Mapping[str, Kind]) -> dict[str, Kind]:
    """Filters on the rows of a relation; the same row must meet all of them."""
    return {f"{name}__{field}": of_related(kind) for field, kind in kinds.items()}


@dataclass(frozen=True)
class Filter:
    """One filter: the name and operator behind a parameter, and the field that reads its value."""

    name: str
    operator: str
    field: Field


def filter_fields(kinds: Mapping[str, Kind]) -> dict[str, Filter]:
    """The filters of a resource by parameter name (``time__within``)."""
    return {
        name if operator == "eq" else f"{name}__{operator}": Filter(
            name, operator, _field(kind, name, OPERATORS[operator])
        )
        for name, kind in kinds.items()
        for operator in kind.operators
    }


def _field(kind: Kind, name: str, operator: Operator) -> Field:
    field = operator.field(kind)
    field.metadata = {**field.metadata, "description": f"{name} {operator.meaning}"}
    return field


def common_filters() -> dict[str, Kind]:
    """The filters that every resource has."""
    return {
        "id": ids(),
        "external_id": names(nullable=True),
        "created_at": moments(),
        "updated_at": moments(),
    }


def tree_schema(name: str, filters: Mapping[str, Filter]) -> type[Schema]:
    """A tree of filters: all members of one object must hold."""

    class Meta:
        unknown = RAISE

    def again() -> Schema:
        return tree()

    tree: type[Schema] = type(
        f"{name}FilterSchema",
        (Schema,),
        {
            "__doc__": "A tree of filters: all members of one object must hold.",
            "Meta": Meta,
            **{parameter: known.field for parameter, known in filters.items()},
            "and": fields.List(fields.Nested(again)),
            "or": fields.List(fields.Nested(again)),
            "not": fields.Nested(again),
        },
    )
    return tree
