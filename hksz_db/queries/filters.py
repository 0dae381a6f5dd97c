"""Filters: from a name, an operator and a value to a condition.

A filter expression is a tree of ``AllOf``, ``AnyOf``, ``Not`` and ``Criterion``. Its *shape*, the
tree without the values, decides the SQL text, so that a shape is compiled once; the values are
bound as ``p0, p1, …`` in the order of the criteria.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    FromClause,
    Numeric,
    Select,
    Text,
    and_,
    any_,
    bindparam,
    case,
    exists,
    false,
    func,
    not_,
    or_,
    true,
)
from sqlalchemy.dialects.postgresql import DATERANGE

from hksz_db.domain.chronology import Period


@dataclass(frozen=True)
class Relation:
    """Rows of another table that belong to a row of this one."""

    table: FromClause
    on: ColumnElement[bool]


@dataclass(frozen=True)
class Plain:
    """A filter on a column of one value."""

    column: ColumnElement[Any]


@dataclass(frozen=True)
class Computed:
    """A filter on what is worked out for each row, of which the planner knows nothing."""

    column: ColumnElement[Any]


@dataclass(frozen=True)
class Days:
    """A filter on a range of days."""

    column: ColumnElement[Any]


@dataclass(frozen=True)
class Bounds:
    """A filter on a range of numbers: it holds when it holds for every number in the range."""

    column: ColumnElement[Any]


@dataclass(frozen=True)
class Related:
    """A filter on the rows of a relation: one of them must meet it."""

    relation: Relation
    target: "Target"


@dataclass(frozen=True)
class Presence:
    """A filter on whether a relation has rows at all."""

    relation: Relation


@dataclass(frozen=True)
class Among:
    """A filter that is met by the rows whose key a subquery finds.

    ``found`` makes the subquery of the operator and the name of the parameter that it binds.
    """

    key: ColumnElement[Any]
    found: Callable[[str, str], Select[Any]]


@dataclass(frozen=True)
class Every:
    """A filter that each of the targets must meet."""

    targets: tuple["Target", ...]


@dataclass(frozen=True)
class Either:
    """A filter that one of the targets must meet."""

    targets: tuple["Target", ...]


Target = Plain | Computed | Days | Bounds | Related | Presence | Among | Every | Either


@dataclass(frozen=True)
class Criterion:
    """One comparison; ``value`` is what the filter's schema field made of it."""

    name: str
    operator: str
    value: Any


@dataclass(frozen=True)
class AllOf:
    """Every one of the parts holds; criteria of one relation are met by the same row."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one of the parts holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Expression"


Expression = Criterion | AllOf | AnyOf | Not
Condition = ColumnElement[bool]
_Comparison = Callable[[ColumnElement[Any], str], Condition]


def shape(expression: Expression) -> tuple[Any, ...]:
    """The expression without its values: hashable, equal for equal SQL texts."""
    match expression:
        case Criterion(name, operator):
            return ("criterion", name, operator)
        case Not(part):
            return ("not", shape(part))
        case AllOf(parts):
            return ("all", *map(shape, parts))
        case AnyOf(parts):
            return ("any", *map(shape, parts))


def bound_values(expression: Expression) -> dict[str, Any]:
    """The values to bind, by parameter name."""
    return {f"p{n}": _encode(criterion) for n, criterion in enumerate(criteria(expression))}


def criteria(expression: Expression) -> Iterator[Criterion]:
    """The criteria of an expression, in order."""
    match expression:
        case Criterion():
            yield expression
        case Not(part):
            yield from criteria(part)
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from criteria(part)


def condition(shape: tuple[Any, ...], targets: Mapping[str, Target]) -> Condition:
    """The WHERE clause for a shape."""
    return _build(shape, targets, count())


def _build(
    shape: tuple[Any, ...], targets: Mapping[str, Target], numbers: Iterator[int]
) -> Condition:
    kind, *parts = shape
    if kind == "not":
        # A comparison with NULL is unknown; its negation must not be.
        return not_(func.coalesce(_build(parts[0], targets, numbers), false()))
    if kind == "any":
        return or_(false(), *(_build(part, targets, numbers) for part in parts))
    if kind == "criterion":
        parts = [shape]
    own = []
    leaves = []
    for part in parts:
        if part[0] == "criterion":
            leaves.append((targets[part[1]], part[2], f"p{next(numbers)}"))
        else:
            own.append(_build(part, targets, numbers))
    return and_(true(), *_conjunction(leaves), *own)


_Leaf = tuple[Target, str, str]


def _conjunction(leaves: Sequence[_Leaf]) -> list[Condition]:
    conditions = []
    related: dict[int, tuple[Relation, list[_Leaf]]] = {}
    for target, operator, name in leaves:
        if isinstance(target, Related):
            _, inner = related.setdefault(id(target.relation), (target.relation, []))
            inner.append((target.target, operator, name))
        else:
            conditions.append(_compare(target, operator, name))
    for relation, inner in related.values():
        conditions.append(_some(relation, *_conjunction(inner)))
    return conditions


def _some(relation: Relation, *conditions: Condition) -> Condition:
    return exists().where(relation.on, *conditions).correlate_except(relation.table)


def _compare(target: Target, operator: str, name: str) -> Condition:
    match target:
        case Plain(column):
            return _PLAIN[operator](column, name)
        case Computed(column):
            # Without CASE the planner would expect one row in two hundred to meet it.
            return case((_PLAIN[operator](column, name), true()), else_=false())
        case Days(column):
            return _DAYS[operator](column, name)
        case Bounds(column):
            return _BOUNDS[operator](column, bindparam(name, type_=Numeric()))
        case Presence(relation):
            return _some(relation) != bindparam(name, type_=Boolean())
        case Among(key, found):
            return key.in_(found(operator, name))
        case Every(targets):
            return and_(*_conjunction([(part, operator, name) for part in targets]))
        case Either(targets):
            return or_(*(and_(*_conjunction([(part, operator, name)])) for part in targets))
        case Related():
            raise AssertionError("relations are gathered before they are compared")


def _bound(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=column.type)


def _like(column: ColumnElement[Any], name: str) -> Condition:
    return column.ilike(bindparam(name, type_=Text()))


def _is_null(column: ColumnElement[Any], name: str) -> Condition:
    return column.is_(None) == bindparam(name, type_=Boolean())


_PLAIN: dict[str, _Comparison] = {
    "eq": lambda column, name: column == _bound(column, name),
    "ne": lambda column, name: column.is_distinct_from(_bound(column, name)),
    "gt": lambda column, name: column > _bound(column, name),
    "gte": lambda column, name: column >= _bound(column, name),
    "lt": lambda column, name: column < _bound(column, name),
    "lte": lambda column, name: column <= _bound(column, name),
    # One array whatever its length: the statement's text stays the same.
    "in": lambda column, name: column == any_(bindparam(name, type_=ARRAY(column.type))),
    "contains": _like,
    "startswith": _like,
    "isnull": _is_null,
}


def _days(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=DATERANGE())


# Whatever compares two stretches of days must hold for every day of both, but for "within".
_DAYS: dict[str, _Comparison] = {
    "within": lambda column, name: column.overlaps(_days(name)),
    "certainly_within": lambda column, name: column.contained_by(_days(name)),
    "gt": lambda column, name: column.op(">>", is_comparison=True)(_days(name)),
    "gte": lambda column, name: func.lower(column) >= func.lower(_days(name)),
    "lt": lambda column, name: column.op("<<", is_comparison=True)(_days(name)),
    "lte": lambda column, name: func.upper(column) <= func.upper(_days(name)),
    "isnull": _is_null,
}


def _at_least(column: ColumnElement[Any], value: ColumnElement[Any]) -> Condition:
    return func.lower(column) >= value


def _at_most(column: ColumnElement[Any], value: ColumnElement[Any]) -> Condition:
    return func.upper(column) <= value


_BOUNDS: dict[str, Callable[[ColumnElement[Any], ColumnElement[Any]], Condition]] = {
    "eq": lambda column, value: column == func.numrange(value, value, "[]"),
    "gt": lambda column, value: or_(
        func.lower(column) > value,
        and_(func.lower(column) == value, not_(func.lower_inc(column))),
    ),
    "gte": _at_least,
    "lt": lambda column, value: or_(
        func.upper(column) < value,
        and_(func.upper(column) == value, not_(func.upper_inc(column))),
    ),
    "lte": _at_most,
}


def _encode(criterion: Criterion) -> Any:
    value = criterion.value
    if isinstance(value, Period):
        return days_literal(value)
    if criterion.operator == "contains":
        return f"%{_escaped(value)}%"
    if criterion.operator == "startswith":
        return f"{_escaped(value)}%"
    return value


def days_literal(period: Period) -> str:
    """The period as a PostgreSQL ``daterange`` literal."""
    return f"[{period.earliest or ''},{period.latest or ''}]"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
