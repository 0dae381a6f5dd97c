"""Filters in SQL: each is a name, an operator and a value, and becomes a condition.

A filter expression is a tree of ``AllOf``, ``AnyOf``, ``Not`` and ``Criterion``. Its *shape*, the
tree without the values, decides the SQL text, so that a shape is compiled once. The values are
bound as ``p0, p1, …`` in the order of the criteria.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, replace
from itertools import count
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Boolean,
    ColumnElement,
    FromClause,
    Index,
    Numeric,
    Select,
    Text,
    UniqueConstraint,
    and_,
    any_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB

from hksz_db.domain.chronology import Period
from hksz_db.domain.han import spellings
from hksz_db.models.base import FEW_VALUES
from schemas.filters import OPERATORS, Filter


@dataclass(frozen=True)
class Relation:
    """Rows of another table that belong to a row of this one.

    If a column of this row is a key of theirs, and few of them meet a filter, both columns are
    ``by_key``: the rows are then looked for first, once. The planner knows too little of such keys,
    and would compare all rows of both tables.

    ``part_of`` is their column with the id of this row, if it is one. If they can be deleted, they
    are deleted with this row.
    """

    table: FromClause
    on: ColumnElement[bool]
    by_key: tuple[ColumnElement[Any], ColumnElement[Any]] | None = None
    part_of: ColumnElement[UUID] | None = None


@dataclass(frozen=True)
class OnColumn:
    """A filter on a column or an expression."""

    column: ColumnElement[Any]


class Plain(OnColumn):
    """A filter on a column of one value."""


class Computed(OnColumn):
    """A filter on an expression, computed for each row, for which there are no statistics."""


class Days(OnColumn):
    """A filter on a range of days."""


class Bounds(OnColumn):
    """A filter on a range of numbers: every number in the range must meet it."""


@dataclass(frozen=True)
class Equal:
    """A filter on a column of JSON objects."""

    column: ColumnElement[Any]


@dataclass(frozen=True)
class Related:
    """A filter on the rows of a relation: one of them must meet it."""

    relation: Relation
    target: "Target"


@dataclass(frozen=True)
class Exists:
    """A filter on whether a relation has rows."""

    relation: Relation


@dataclass(frozen=True)
class InSubquery:
    """A filter on whether a subquery finds the key of a row.

    ``found`` makes the subquery for an operator and the name of the parameter that it binds.
    ``holds`` makes a condition that takes less time if rows ``are_few`` and much more is found.
    """

    key: ColumnElement[Any]
    found: Callable[[str, str], Select[UUID]]
    holds: Callable[[str, str], "Condition"] | None = None
    are_few: bool = False

    def condition(self, operator: str, parameter: str) -> "Condition":
        """Whether the subquery finds a row."""
        if self.are_few and self.holds is not None:
            return self.holds(operator, parameter)
        return self.key.in_(self.found(operator, parameter))


@dataclass(frozen=True)
class Every:
    """A filter that each of the targets must meet."""

    targets: tuple["Target", ...]


@dataclass(frozen=True)
class Either:
    """A filter that one of the targets must meet."""

    targets: tuple["Target", ...]


Target = Plain | Computed | Days | Bounds | Equal | Related | Exists | InSubquery | Every | Either


@dataclass(frozen=True)
class Criterion:
    """One comparison with a value that the filter's schema field has loaded."""

    name: str
    operator: str
    value: Any


@dataclass(frozen=True)
class AllOf:
    """All parts hold; the same row must meet all criteria of a relation."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class AnyOf:
    """At least one part holds."""

    parts: tuple["Expression", ...]


@dataclass(frozen=True)
class Not:
    """The part does not hold."""

    part: "Expression"


Expression = Criterion | AllOf | AnyOf | Not
Shape = str | tuple["Shape", ...]
EVERYTHING: Shape = ("all",)
"""The shape without a criterion."""

Condition = ColumnElement[bool]
SomeOf = Callable[..., Condition]
"""Makes one condition of several, of which at least one must hold."""
_Comparison = Callable[[ColumnElement[Any], str], Condition]


def shape(expression: Expression) -> Shape:
    """The expression without its values: hashable, equal for equal SQL texts."""
    match expression:
        case Criterion(name, "isnull", value):
            # The planner then knows which rows are wanted.
            return ("criterion", name, "null" if value else "present")
        case Criterion(name, operator):
            return ("criterion", name, operator)
        case Not(part):
            return ("not", shape(part))
        case AllOf(parts):
            return ("all", *map(shape, parts))
        case AnyOf(parts):
            return ("any", *map(shape, parts))


def bound_values(expression: Expression) -> dict[str, object]:
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


def condition(shape: Shape, targets: Mapping[str, Target], some_of: SomeOf = or_) -> Condition:
    """The WHERE clause for a shape; ``some_of`` joins alternatives, one of which all rows meet."""
    return _build(shape, targets, count(), some_of)


def of_few_rows(targets: Mapping[str, Target]) -> Mapping[str, Target]:
    """The targets for a condition on a few rows, which are tested one by one."""
    return {
        name: replace(target, are_few=True) if isinstance(target, InSubquery) else target
        for name, target in targets.items()
    }


def _build(
    shape: Shape, targets: Mapping[str, Target], numbers: Iterator[int], some_of: SomeOf = or_
) -> Condition:
    match shape:
        case ("not", part):
            # A comparison with NULL is unknown, but its negation must be true.
            return not_(func.coalesce(_build(part, targets, numbers), false()))
        case ("any", *parts):
            return some_of(*[_build(part, targets, numbers) for part in parts])
        case ("all", *parts):
            pass
        case _:
            parts = [shape]
    own = []
    leaves = []
    for part in parts:
        match part:
            case ("criterion", str(name), str(operator)):
                leaves.append((targets[name], operator, f"p{next(numbers)}"))
            case _:
                own.append(_build(part, targets, numbers, some_of))
    return and_(true(), *conjunction(leaves), *own)


def required(shape: Shape) -> list[tuple[str, str, str]]:
    """The name, the operator and the parameter of each criterion that all rows must meet."""
    numbers, found = count(), []

    def collect(part: Shape, *, is_required: bool) -> None:
        match part:
            case ("criterion", str(name), str(operator)):
                parameter = f"p{next(numbers)}"
                if is_required:
                    found.append((name, operator, parameter))
            case (str(kind), *parts):
                for each in parts:
                    collect(each, is_required=is_required and kind == "all")

    collect(shape, is_required=True)
    return found


def on_parts(leaves: Sequence["Leaf"]) -> tuple[Relation, list[Condition]] | None:
    """The relation whose rows alone decide which rows match, and what they must meet."""
    relations = {id(each): each for each in (_relation(*leaf[:2]) for leaf in leaves)}
    if len(relations) != 1:
        return None
    (relation,) = relations.values()
    if relation is None or relation.part_of is None:
        return None
    inner = [(t.target, operator, name) for t, operator, name in leaves if isinstance(t, Related)]
    return relation, conjunction(inner)


def _relation(target: Target, operator: str) -> Relation | None:
    """The relation on whose rows alone a criterion is, if there must be any."""
    match target:
        case Related(relation):
            return relation
        case Exists(relation) if operator == "present":
            return relation
        case _:
            return None


_EQUALITIES = {"eq", "in"}
_PRESENCE = {"null": True, "present": False}


def is_hard_to_estimate(shape: Shape, targets: Mapping[str, Target], *, by_id: bool) -> bool:
    """Whether the planner knows too little of how many rows match, and where in the order they are.

    It has statistics of what equals a value, for which it uses an index, and in the order of the
    ids an index leads from rows that equal something to those they belong to. Other criteria often
    correlate with the order, or would have it walk to the end.
    """
    kinds = {_kind(targets[name], operator) for name, operator, _ in required(shape)}
    if "related equality" in kinds:
        return not by_id
    return "other" in kinds or has_alternatives(shape)


def is_in_one_index(shape: Shape, targets: Mapping[str, Target], further: str) -> bool:
    """Whether an index alone tells which rows match, and what is in the column ``further``."""
    columns = []
    for name, _, _ in required(shape):
        target = targets[name]
        if not isinstance(target, OnColumn):
            return False
        columns.append(target.column)
    wanted = {further, *(column.key for column in columns)}
    return not has_alternatives(shape) and any(
        wanted <= set(keys) for column in columns[:1] for keys in _index_keys(column)
    )


def has_few_values(shape: Shape, targets: Mapping[str, Target]) -> bool:
    """Whether the planner knows how frequent each value is that a criterion compares."""
    return all(
        operator == "ne" or (isinstance(target, OnColumn) and target.column.info.get(FEW_VALUES))
        for target, operator in ((targets[name], op) for name, op, _ in required(shape))
    )


def is_flat(shape: Shape) -> bool:
    """Whether a shape is one criterion, or several of which all must be met.

    In a nested shape, each part may be met by another row of a relation.
    """
    parts = (shape,) if shape[0] == "criterion" else shape[1:]
    return shape[0] in {"criterion", "all"} and all(part[0] == "criterion" for part in parts)


def has_alternatives(shape: Shape) -> bool:
    """Whether not all criteria of a shape must be met."""
    return isinstance(shape, tuple) and (
        shape[0] in {"any", "not"} or any(map(has_alternatives, shape[1:]))
    )


def _kind(target: Target, operator: str) -> str:
    if operator not in _EQUALITIES and (operator not in _PRESENCE or isinstance(target, Exists)):
        return "other"
    match target:
        case Plain(column) | Days(column) | Bounds(column) | Equal(column):
            keys = _index_keys(column, partial=operator != "null")
            return "equality" if any(column.key in each for each in keys) else "other"
        case Related(_, Plain(column)) if any(column.key == key for key, *_ in _index_keys(column)):
            return "related equality"
        case _:
            return "other"


def _index_keys(column: ColumnElement[Any], *, partial: bool = True) -> list[list[str | None]]:
    """The names of the columns of each index on the table of a column, also of partial ones."""
    table = column.table
    described = getattr(table, "element", table)
    keys = [[column.key for column in described.primary_key]]
    indexes = [i for i in described.indexes if partial or _is_of_all_rows(i)]
    return [*keys, *([getattr(e, "key", None) for e in i.expressions] for i in indexes)]


def tells_live_parts(relation: Relation) -> bool:
    """Whether an index alone tells which rows have live parts."""
    owner: ColumnElement[Any] | None = relation.part_of
    assert owner is not None
    described = getattr(owner.table, "element", owner.table)
    return "deleted_at" not in described.c or any(
        owner.key == next(iter(index.columns.keys()), None)
        and "deleted_at" in (index.dialect_options["postgresql"]["include"] or ())
        for index in described.indexes
    )


def _is_of_all_rows(index: Index) -> bool:
    return index.dialect_options["postgresql"]["where"] is None


def latest_beginning(
    shape: Shape, targets: Mapping[str, Target], column: ColumnElement[Any]
) -> Condition:
    """A bound on the first day of a date that follows from the criteria on it, if it has one."""
    bounds = []
    for name, operator, parameter in required(shape):
        target = targets[name]
        if isinstance(target, Days) and target.column is column and operator in _BEGUN_BEFORE:
            bounds.append(func.lower(column) < _BEGUN_BEFORE[operator](_bound(column, parameter)))
    return and_(true(), *bounds)


_BEGUN_BEFORE: Mapping[str, Callable[[ColumnElement[Any]], ColumnElement[Any]]] = {
    "within": lambda bound: func.coalesce(func.upper(bound), _NEVER),
    "certainly_within": lambda bound: func.coalesce(func.upper(bound), _NEVER),
    "lt": func.lower,
    "lte": func.upper,
}
_NEVER: ColumnElement[Any] = literal_column("'infinity'::date")


Leaf = tuple[Target, str, str]
"""A target, the operator, and the parameter with the value."""


def conjunction(leaves: Sequence[Leaf]) -> list[Condition]:
    """The conditions of criteria that all hold; one row of a relation meets all that are on it."""
    conditions = []
    related: dict[int, tuple[Relation, list[Leaf]]] = {}
    for target, operator, name in leaves:
        if isinstance(target, Related):
            _, inner = related.setdefault(id(target.relation), (target.relation, []))
            inner.append((target.target, operator, name))
        else:
            conditions.append(_compare(target, operator, name))
    for relation, inner in related.values():
        is_one = any(_is_of_one(target, operator) for target, operator, _ in inner)
        conditions.append(_some(relation, *conjunction(inner), is_one=is_one))
    return conditions


def _is_of_one(target: Target, operator: str) -> bool:
    """Whether one row of a table meets a criterion at most."""
    if not isinstance(target, Plain) or operator != "eq":
        return False
    table = getattr(target.column.table, "element", target.column.table)
    unique = (each for each in table.constraints if isinstance(each, UniqueConstraint))
    return any([column.key for column in each.columns] == [target.column.key] for each in unique)


def _some(relation: Relation, *conditions: Condition, is_one: bool = False) -> Condition:
    if relation.by_key is not None and conditions:
        own, theirs = relation.by_key
        keys = select(theirs).where(*conditions).correlate_except(relation.table).scalar_subquery()
        # Of an array, the planner expects ten elements.
        return own == (keys if is_one else any_(func.array(keys)))
    return exists().where(relation.on, *conditions).correlate_except(relation.table)


def _compare(target: Target, operator: str, name: str) -> Condition:
    match target:
        case Exists(relation) if operator in _PRESENCE:
            found = _some(relation)
            return ~found if _PRESENCE[operator] else found
        case Plain(column) | Days(column) | Bounds(column) | Equal(column) if operator in _PRESENCE:
            return column.is_(None) if _PRESENCE[operator] else column.is_not(None)
        case Plain(column) | Days(column) | Bounds(column) | Equal(column):
            return _SQL[type(target)][operator](column, name)
        case Computed(column):
            # Without CASE the planner would expect one row in two hundred to meet it.
            return case((_SQL[Plain][operator](column, name), true()), else_=false())
        case Exists(relation):
            return _some(relation) != bindparam(name, type_=Boolean())
        case InSubquery():
            return target.condition(operator, name)
        case Every(targets):
            return and_(*conjunction([(part, operator, name) for part in targets]))
        case Either(targets):
            return or_(*(and_(*conjunction([(part, operator, name)])) for part in targets))
        case Related():
            raise AssertionError("relations are gathered before they are compared")


def _bound(column: ColumnElement[Any], name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=column.type)


def _like(column: ColumnElement[Any], name: str) -> Condition:
    return column.ilike(any_(bindparam(name, type_=ARRAY(Text()))))


def _differs(column: ColumnElement[Any], name: str) -> Condition:
    value = _bound(column, name)
    if getattr(column, "nullable", True):
        return column.is_distinct_from(value)
    # Two ranges, which an index finds if few rows differ.
    return or_(column < value, column > value)


def _is_null(column: ColumnElement[Any], name: str) -> Condition:
    return column.is_(None) == bindparam(name, type_=Boolean())


def _number(name: str) -> ColumnElement[Any]:
    return bindparam(name, type_=Numeric())


_SQL: Mapping[type[Target], Mapping[str, _Comparison]] = {
    Plain: {
        "eq": lambda column, name: column == _bound(column, name),
        "ne": _differs,
        "gt": lambda column, name: column > _bound(column, name),
        "gte": lambda column, name: column >= _bound(column, name),
        "lt": lambda column, name: column < _bound(column, name),
        "lte": lambda column, name: column <= _bound(column, name),
        # One array of any length: the statement's text stays the same.
        "in": lambda column, name: column == any_(bindparam(name, type_=ARRAY(column.type))),
        "contains": _like,
        "startswith": _like,
        "isnull": _is_null,
    },
    # Except for "within", a comparison must hold for every day of both ranges.
    Days: {
        "within": lambda column, name: column.overlaps(_bound(column, name)),
        "certainly_within": lambda column, name: column.contained_by(_bound(column, name)),
        "gt": lambda column, name: column.op(">>", is_comparison=True)(_bound(column, name)),
        "gte": lambda column, name: func.lower(column) >= func.lower(_bound(column, name)),
        "lt": lambda column, name: column.op("<<", is_comparison=True)(_bound(column, name)),
        # The same as comparing the upper ends, but in the index of the ranges.
        "lte": lambda column, name: column.op("&<", is_comparison=True)(_bound(column, name)),
        "isnull": _is_null,
    },
    Equal: {
        "eq": lambda column, name: column == cast(bindparam(name, type_=Text()), JSONB),
        "isnull": _is_null,
    },
    Bounds: {
        "eq": lambda column, name: column == func.numrange(_number(name), _number(name), "[]"),
        "gt": lambda column, name: or_(
            func.lower(column) > _number(name),
            and_(func.lower(column) == _number(name), not_(func.lower_inc(column))),
        ),
        "gte": lambda column, name: func.lower(column) >= _number(name),
        "lt": lambda column, name: or_(
            func.upper(column) < _number(name),
            and_(func.upper(column) == _number(name), not_(func.upper_inc(column))),
        ),
        "lte": lambda column, name: func.upper(column) <= _number(name),
    },
}

_OPERATORS: Mapping[type[Target], AbstractSet[str]] = {
    **{kind: known.keys() for kind, known in _SQL.items()},
    Computed: _SQL[Plain].keys(),
    Exists: {"isnull"},
    InSubquery: {"under", "under_external_id"},
}

if differing := OPERATORS.keys() ^ set().union(*_OPERATORS.values()):
    raise LookupError(f"The operator {min(differing)!r} lacks a meaning or SQL.")


def check_filters(filters: Mapping[str, Filter], targets: Mapping[str, Target]) -> None:
    """Raise ``LookupError`` unless each filter has a target with its operator, and vice versa."""
    if differing := targets.keys() ^ {known.name for known in filters.values()}:
        raise LookupError(f"The filter {min(differing)!r} lacks a schema or a target.")
    for parameter, known in filters.items():
        if known.operator not in _operators(targets[known.name]):
            raise LookupError(f"The target of the filter {parameter!r} lacks its operator.")


def _operators(target: Target) -> AbstractSet[str]:
    match target:
        case Related():
            return _operators(target.target)
        case Every(targets) | Either(targets):
            return set.intersection(*(set(_operators(part)) for part in targets))
        case _:
            return _OPERATORS[type(target)]


def _encode(criterion: Criterion) -> object:
    value = criterion.value
    if isinstance(value, Period):
        return days_literal(value)
    if isinstance(value, dict):
        return json.dumps(value)
    if criterion.operator == "contains":
        return [f"%{_escaped(spelling)}%" for spelling in spellings(value)]
    if criterion.operator == "startswith":
        return [f"{_escaped(spelling)}%" for spelling in spellings(value)]
    return value


def days_literal(period: Period) -> str:
    """The period as a PostgreSQL ``daterange`` literal."""
    return f"[{period.earliest or ''},{period.latest or ''}]"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_")
