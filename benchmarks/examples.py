"""Values for every filter, taken from what is in a database: frequent, rare and absent ones."""

from collections.abc import Mapping
from functools import cache
from typing import Any
from uuid import UUID

import psycopg
from psycopg import sql
from sqlalchemy import Column, DateTime
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, NUMRANGE
from sqlalchemy.types import TypeEngine

from hksz_db.queries.derivation import table_behind
from hksz_db.queries.filters import (
    Computed,
    Either,
    Equal,
    Every,
    InSubquery,
    OnColumn,
    Related,
    Target,
)
from schemas.fields import BreakdownText, Choice, DecimalString, Edtf, Text, Uuid
from schemas.filters import Field, Filter, QueryBoolean, QueryInteger, ValueList

Values = Mapping[str, str]
"""Values by what they are: ``frequent``, ``rare``, ``absent`` …"""

_ABSENT: Mapping[type[Field], str] = {
    Uuid: str(UUID(int=1)),
    DecimalString: "123456789",
    QueryInteger: "123456789",
    Edtf: "1801",
    BreakdownText: "sex:absent",
    Text: "xqxqxq",
}
_ORDERED = {"gt", "gte", "lt", "lte"}
_PARTS = {"contains", "startswith"}
# How clients send a value of a column that is not sent as PostgreSQL writes it.
_SENT: Mapping[type[TypeEngine[Any]], sql.SQL] = {
    DATERANGE: sql.SQL("extract(year FROM lower(value))::text"),
    NUMRANGE: sql.SQL("lower(value)::text"),
    JSONB: sql.SQL(
        "(SELECT string_agg(key || ':' || part, ',') FROM jsonb_each_text(value)"
        " AS each (key, part))"
    ),
    DateTime: sql.SQL("""to_char(value AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""),
}
_AS_IT_IS = sql.SQL("value::text")
_IN_COLUMN = sql.SQL("""
    WITH counted AS (
        SELECT {column} AS value, count(*) AS rows FROM {table}
        WHERE {column} IS NOT NULL GROUP BY 1
    ), chosen (name, value) AS (
        (SELECT 'frequent', value FROM counted ORDER BY rows DESC, value LIMIT 1)
        UNION ALL (SELECT 'rare', value FROM counted ORDER BY rows, value DESC LIMIT 1)
        UNION ALL (SELECT 'least', value FROM counted ORDER BY value LIMIT 1)
        UNION ALL (SELECT 'greatest', value FROM counted ORDER BY value DESC LIMIT 1)
    )
    SELECT name, {sent} FROM chosen
""")
_TERMS = sql.SQL("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL")


class Examples:
    """The values in the database of a connection; ``places`` are ids of places by their size."""

    def __init__(self, connection: psycopg.Connection, places: Values) -> None:
        self._connection = connection
        self._places = places
        self._in_column = cache(self._found_in_column)

    def of(self, known: Filter, target: Target) -> Values:
        """Values of a filter."""
        own = _innermost(target)
        field = known.field.inner if isinstance(known.field, ValueList) else known.field
        if isinstance(field, QueryBoolean):
            return {"true": "true", "false": "false"}
        if isinstance(own, InSubquery):
            return self._places if known.operator == "under" else {}
        if isinstance(own, Computed):
            assert isinstance(field, Choice)
            return {term: term for term in field.terms}
        assert isinstance(own, OnColumn | Equal)
        assert isinstance(own.column, Column)
        found = self._in_column(table_behind(own.column.table).name, own.column)
        if known.operator in _ORDERED:
            return found
        values = {name: found[name] for name in ("frequent", "rare") if name in found}
        if known.operator in _PARTS:
            values = {name: text.split()[0] for name, text in values.items()}
        return {**values, **self._absent(field, own.column)}

    def _found_in_column(self, table: str, column: Column[Any]) -> Values:
        sent = next((text for kind, text in _SENT.items() if isinstance(column.type, kind)), None)
        query = _IN_COLUMN.format(
            column=sql.Identifier(column.name),
            table=sql.Identifier(table),
            sent=sent or _AS_IT_IS,
        )
        return {name: value for name, value in self._connection.execute(query) if value}

    def _absent(self, field: Field, column: Column[Any]) -> Values:
        if not isinstance(field, Choice):
            return {"absent": next(v for kind, v in _ABSENT.items() if isinstance(field, kind))}
        query = _TERMS.format(
            column=sql.Identifier(column.name),
            table=sql.Identifier(table_behind(column.table).name),
        )
        present = {value for (value,) in self._connection.execute(query)}
        absent = [term for term in field.terms if term not in present]
        return {"absent": absent[0]} if absent else {}


def _innermost(target: Target) -> Target:
    match target:
        case Related(_, inner):
            return _innermost(inner)
        case Every(targets) | Either(targets):
            return _innermost(targets[-1])
        case _:
            return target
