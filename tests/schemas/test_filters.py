"""Every filter that a client may use is one that the queries know."""

from typing import Any

import pytest
from marshmallow import fields
from sqlalchemy.orm import Session

from hksz_db.database import fetch_in
from hksz_db.queries.filters import (
    AllOf,
    AnyOf,
    Criterion,
    Expression,
    Not,
    bound_values,
    shape,
)
from hksz_db.queries.pages import RESOURCES, PageShape, matches_statement
from schemas.claims import CLAIM_FILTERS
from schemas.entities import ENTITY_FILTERS
from schemas.evidence import EVIDENCE_FILTERS
from schemas.fields import DecimalString, Edtf, ExternalId, Moment, Term, Text, Uuid
from schemas.figures import FIGURE_FILTERS
from schemas.filters import Filter, QueryBoolean, QueryInteger, ValueList
from schemas.metrics import METRIC_FILTERS
from schemas.sources import SOURCE_FILTERS
from schemas.units import UNIT_FILTERS

FILTERS = {
    "sources": SOURCE_FILTERS,
    "claims": CLAIM_FILTERS,
    "entities": ENTITY_FILTERS,
    "figures": FIGURE_FILTERS,
    "evidence": EVIDENCE_FILTERS,
    "metrics": METRIC_FILTERS,
    "units": UNIT_FILTERS,
}
PARAMETERS = [(resource, name) for resource, known in FILTERS.items() for name in known]
EXAMPLES: list[tuple[type[fields.Field[Any]], str]] = [
    (Uuid, "01890a5d-ac96-774b-bcce-b302099a8057"),
    (Edtf, "2010~"),
    (DecimalString, "0.5"),
    (Moment, "2024-01-24T08:00:00+08:00"),
    (QueryBoolean, "true"),
    (QueryInteger, "12"),
    (ExternalId, "ex:place"),
    (Text, "50% of_it\\"),
]


def example(field: fields.Field[Any]) -> str:
    """A value as it stands in a query string."""
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


def test_every_resource_has_filters() -> None:
    assert set(FILTERS) == set(RESOURCES)


@pytest.mark.parametrize("resource", RESOURCES)
def test_schemas_and_queries_know_the_same_filters(resource: str) -> None:
    assert {known.name for known in FILTERS[resource].values()} == set(RESOURCES[resource].targets)


@pytest.mark.parametrize(("resource", "name"), PARAMETERS)
def test_postgresql_takes_what_a_filter_becomes(session: Session, resource: str, name: str) -> None:
    criterion = plausible(FILTERS[resource][name])
    assert answer(session, resource, criterion) == []
    assert answer(session, resource, AnyOf((Not(criterion), AllOf((criterion, criterion))))) == []
