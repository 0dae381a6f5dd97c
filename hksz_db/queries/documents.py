"""Documents as SQL expressions that PostgreSQL turns into JSON.

A document is a mapping from field name to node, which ``queries/derivation.py`` derives from the
marshmallow schema that describes it to clients.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnClause,
    ColumnElement,
    Date,
    FromClause,
    Integer,
    Select,
    SQLColumnExpression,
    Subquery,
    Text,
    and_,
    case,
    cast,
    func,
    literal_column,
    select,
    true,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import UserDefinedType

SqlValue = SQLColumnExpression[object]
"""An expression in SQL of any type."""

TIMESTAMP_FORMAT = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'"""
"""The format of timestamps in UTC, as ``to_char`` takes it."""


class DecimalText(Text):
    """A decimal as a JSON string, with exactly the digits that are stored."""


class TimestampText(Text):
    """A timestamp in UTC with microseconds: ``2024-01-24T08:00:00.000000Z``."""


class Json(UserDefinedType[bytes]):
    """PostgreSQL's ``json``: text that keeps the order of its fields."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The type's name in SQL."""
        return "json"


@dataclass(frozen=True)
class Group:
    """Fields of the same row as an object.

    They are all null where the columns that they ``follow`` from are, if there are any. Most times
    are missing, and an object of nulls takes longer to make than a constant.
    """

    fields: Mapping[str, "Node"]
    follow: tuple[SqlValue, ...] = ()


@dataclass(frozen=True)
class One:
    """The row that ``on`` selects, as an object, or null.

    ``beside`` is a subquery about the row, which several of its opaque fields use.
    """

    table: FromClause
    on: ColumnElement[bool]
    fields: Mapping[str, "Node"]
    beside: FromClause | None = None


@dataclass(frozen=True)
class Many:
    """The rows that ``on`` selects, as an array of objects."""

    table: FromClause
    on: ColumnElement[bool]
    fields: Mapping[str, "Node"]
    order_by: tuple[ColumnElement[Any], ...]


@dataclass(frozen=True)
class Values:
    """One column of the rows that ``on`` selects, as a sorted array."""

    column: ColumnClause[Any]
    on: ColumnElement[bool]


@dataclass(frozen=True)
class First:
    """The first ``limit`` of the rows that ``on`` selects.

    It is an object of the array ``data`` and of ``all``, which is true if there are no more rows.
    """

    table: FromClause
    on: ColumnElement[bool]
    fields: Mapping[str, "Node"]
    order_by: tuple[ColumnElement[Any], ...]
    limit: int


@dataclass(frozen=True, eq=False)
class Opaque:
    """A value whose SQL does not say which rows of other tables it reads.

    ``reads`` says so: for each named array of ids, the columns by table. ``affected`` is the query
    that leads from the rows with these ids, with ``{name}`` for each array, to the values that
    ``joined`` has where the value may have changed. If there are many, ``{between}`` is a comma and
    two values: it then leads to those after the first and up to the second.
    """

    value: SqlValue
    joined: Column[Any]
    reads: Mapping[str, Mapping[str, tuple[str, ...]]]
    affected: str


Node = SqlValue | Group | One | Many | Values | First | Opaque


def number(value: int) -> ColumnElement[int]:
    """An integer as a literal, which the planner can see."""
    return literal_column(str(value), Integer())


NO_ROWS = b'{"data" : [], "all" : true}'
"""What ``First`` becomes if there are no rows."""


def term(text: str) -> ColumnElement[str]:
    """A text as a literal, which the planner can see."""
    escaped = text.replace("'", "''")
    return literal_column(f"'{escaped}'", Text())


def decimal(column: SqlValue) -> ColumnElement[str]:
    """A number as a JSON string, with the trailing zeros that are stored."""
    return type_coerce(cast(column, Text), DecimalText)


def timestamp(column: SqlValue) -> ColumnElement[str]:
    """A timestamp in the format of the API."""
    in_utc = func.timezone(literal_column("'UTC'"), column)
    return type_coerce(func.to_char(in_utc, literal_column(TIMESTAMP_FORMAT)), TimestampText)


def period(edtf: SqlValue, days: SqlValue, as_stated: SqlValue | None = None) -> Group:
    """A time: the EDTF expression and the first and last day that it may cover."""
    stated = {} if as_stated is None else {"as_stated": as_stated}
    first = func.lower(days, type_=Date())
    # PostgreSQL excludes the upper end of a range of days.
    last = type_coerce(func.upper(days) - literal_column("1"), Date())
    days_by_name = {"edtf": edtf, "earliest": first, "latest": last}
    return Group({**stated, **days_by_name}, (edtf, *stated.values()))


def numeric_range(column: SqlValue) -> Group:
    """A range of numbers; an unbounded end is null and not inclusive."""
    return Group(
        {
            "lower": decimal(func.lower(column)),
            "lower_inclusive": func.lower_inc(column, type_=Boolean()),
            "upper": decimal(func.upper(column)),
            "upper_inclusive": func.upper_inc(column, type_=Boolean()),
        }
    )


def columns(fields: Mapping[str, Node]) -> list[SqlValue]:
    """The fields as labelled columns of a query over the resource's table."""
    return [expression(node).label(name) for name, node in fields.items()]


def expression(node: Node) -> SqlValue:
    """The node as one value of a query over the resource's table."""
    match node:
        case Group():
            return _object(node)
        case One():
            chosen = _selected(node)
            if node.beside is not None:
                chosen = chosen.select_from(node.table.join(node.beside, true()))
                chosen = chosen.correlate_except(node.table, node.beside)
            rows = chosen.subquery("r")
            return select(_as_json(rows)).correlate_except(rows).scalar_subquery()
        case Many():
            rows = _selected(node).order_by(*node.order_by).subquery("r")
            value = array(func.json_agg(_as_json(rows)))
            return select(value).correlate_except(rows).scalar_subquery()
        case First():
            return _first(node)
        case Values():
            value = array(func.json_agg(aggregate_order_by(node.column, node.column)))
            rows_of = select(value).where(node.on).correlate_except(node.column.table)
            return rows_of.scalar_subquery()
        case Opaque():
            return node.value
        case _:
            return node


def _object(node: Group) -> SqlValue:
    pairs: list[tuple[SqlValue, SqlValue]] = [
        (literal_column(f"'{n}'"), expression(f)) for n, f in node.fields.items()
    ]
    made = func.json_build_object(*(part for pair in pairs for part in pair), type_=Json())
    if not node.follow:
        return made
    nulls = ", ".join(f'"{name}" : null' for name in node.fields)
    is_missing = and_(*(column.is_(None) for column in node.follow))
    return case((is_missing, literal_column(f"'{{{nulls}}}'::json", Json())), else_=made)


def _selected(node: One | Many | First) -> Select[*tuple[object, ...]]:
    return select(*columns(node.fields)).where(node.on).correlate_except(node.table)


def _as_json(rows: Subquery) -> SqlValue:
    return func.row_to_json(rows.table_valued(), type_=Json())


def array(aggregate: SqlValue) -> SqlValue:
    """The JSON array, which is empty if there are no rows."""
    return func.coalesce(aggregate, literal_column("'[]'::json"), type_=Json())


def _first(node: First) -> SqlValue:
    limit: ColumnElement[int] = number(node.limit)
    one_more = limit + literal_column("1")
    chosen = _selected(node).select_from(node.table).order_by(*node.order_by).limit(one_more)
    rows = chosen.subquery("r")
    documents = select(
        _as_json(rows).label("document"), func.row_number().over().label("n")
    ).subquery("n")
    shown = func.json_agg(documents.c.document).filter(documents.c.n <= limit)
    value = func.json_build_object(
        literal_column("'data'"),
        array(shown),
        literal_column("'all'"),
        func.count() <= limit,
        type_=Json(),
    )
    return select(value).select_from(documents).correlate_except(documents).scalar_subquery()


def sql_file(name: str) -> str:
    """The text of a file in the folder ``sql``."""
    return (Path(__file__).parent / "sql" / name).read_text(encoding="utf-8")
