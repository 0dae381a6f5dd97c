"""PostgreSQL accepts the SQL of every filter."""

from typing import Any

import psycopg
import pytest
from marshmallow import fields
from sqlalchemy import column

from hksz_db.database import Session, fetch_in
from hksz_db.queries.filters import (
    AllOf,
    AnyOf,
    Bounds,
    Criterion,
    Expression,
    Not,
    Plain,
    Target,
    bound_values,
    check_filters,
    shape,
)
from hksz_db.queries.pages import PageShape, matches_statement
from hksz_db.queries.registry import RESOURCES
from schemas.fields import Breakdown, DecimalString, Edtf, ExternalId, Moment, Term, Text, Uuid
from schemas.filters import Filter, QueryBoolean, QueryInteger, ValueList

EXAMPLES: list[tuple[type[fields.Field[Any]], str]] = [
    (Uuid, "01890a5d-ac96-774b-bcce-b302099a8057"),
    (Edtf, "2010~"),
    (Breakdown, "residence:mainland"),
    (DecimalString, "0.5"),
    (Moment, "2024-01-24T08:00:00+08:00"),
    (QueryBoolean, "true"),
    (QueryInteger, "12"),
    (ExternalId, "ex:place"),
    (Text, "50% of_it\\"),
]


def example(field: fields.Field[Any]) -> str:
    """A value of the field in a query string."""
    match field:
        case ValueList(inner=inner):
            return f"{example(inner)},{example(inner)}"
        case Term(terms=terms):
            return terms[0]
    return next(text for kind, text in EXAMPLES if isinstance(field, kind))


def plausible(known: Filter) -> Criterion:
    return Criterion(known.name, known.operator, known.field.deserialize(example(known.field)))


def answer(session: Session, resource: str, expression: Expression) -> list[Any]:
    page = PageShape(resource, ("id",), shape(expression), False, (("id", False),), None, False)
    return fetch_in(session, matches_statement(page), bound_values(expression))


@pytest.mark.parametrize(
    ("filters", "targets"),
    [
        ({"value": Filter("value", "eq", Text())}, {}),
        ({}, {"value": Plain(column("value"))}),
        ({"value__ne": Filter("value", "ne", Text())}, {"value": Bounds(column("value"))}),
    ],
)
def test_filters_and_targets_must_agree(
    filters: dict[str, Filter], targets: dict[str, Target]
) -> None:
    with pytest.raises(LookupError, match="'value"):
        check_filters(filters, targets)


@pytest.mark.parametrize("resource", RESOURCES)
def test_postgresql_accepts_every_filter(session: Session, resource: str) -> None:
    for name, known in RESOURCES[resource].filters.items():
        criterion = plausible(known)
        for expression in (criterion, AnyOf((Not(criterion), AllOf((criterion, criterion))))):
            try:
                assert answer(session, resource, expression) == [], name
            except psycopg.Error as error:
                error.add_note(f"The filter is {name}.")
                raise
