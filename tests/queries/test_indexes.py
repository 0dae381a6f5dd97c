"""Filters by possible and by certain dates use an index, and walks are not sorted again."""

import re
from contextlib import closing
from dataclasses import replace
from uuid import UUID

import pytest
from psycopg import RawCursor

from hksz_db.database import Database, Session, run
from hksz_db.database.connections import GENERIC_PLANS
from hksz_db.domain.chronology import parse
from hksz_db.feed.changes import changes_statement
from hksz_db.feed.pages import BEGINNING
from hksz_db.queries.filters import AllOf, Criterion, bound_values, shape
from hksz_db.queries.pages import PageShape, matches_statement, page_statement
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.dates import DEPENDENT_CLAIMS

DATES = [
    ("sources", "issued", "sources_issued_idx"),
    ("claims", "time", "claims_time_idx"),
    ("claims", "due", "claims_due_idx"),
    ("claims", "figures__period", "figures_period_idx"),
    ("claims", "evidence__source__issued", "sources_issued_idx"),
    ("figures", "period", "figures_period_idx"),
    ("evidence", "source__issued", "sources_issued_idx"),
    ("entities", "relations__during", "entity_relations_during_idx"),
]


def test_every_date_is_listed() -> None:
    ending = re.compile(r"(?:^|__)(issued|time|due|period|during)$")
    every = {
        (r, name) for r, known in RESOURCES.items() for name in known.targets if ending.search(name)
    }
    assert {(resource, name) for resource, name, _ in DATES} == every


@pytest.mark.parametrize("operator", ["within", "certainly_within"])
@pytest.mark.parametrize(("resource", "name", "index"), DATES)
def test_a_date_is_looked_up_in_its_index(
    session: Session, resource: str, name: str, index: str, operator: str
) -> None:
    expression = AllOf((Criterion(name, operator, parse("2010")),))
    page = PageShape(resource, ("id",), shape(expression), False, (("id", False),), None, False)
    statement = matches_statement(page)
    # The tables are empty, so the planner would scan them, or join the rows that the dates
    # belong to one by one, or scan the index of the live figures.
    run(session, "DROP INDEX figures_comparison_idx")
    for way in ("seqscan", "indexscan"):
        run(session, f"SET LOCAL enable_{way} = off")
    plan = run(session, f"EXPLAIN {statement.sql}", *statement.arguments(bound_values(expression)))
    lines = [line for (line,) in plan]
    assert any(f"Bitmap Index Scan on {index}" in line for line in lines), lines


@pytest.mark.parametrize("sort", [("time", True), ("updated_at", True), ("created_at", False)])
@pytest.mark.parametrize("name", ["evidence__status", "figures__modality"])
def test_a_walk_ends_when_the_page_is_full(
    session: Session, name: str, sort: tuple[str, bool]
) -> None:
    """The rows are in the order of the page already: sorting would read all of them first."""
    expression = AllOf((Criterion(name, "eq", "x"),))
    order = (sort, ("id", sort[1]))
    statement = page_statement(
        PageShape("claims", ("id",), shape(expression), False, order, None, False)
    )
    # The tables are empty, so the planner would rather scan and sort them.
    for way in ("seqscan", "bitmapscan", "hashjoin", "mergejoin"):
        run(session, f"SET LOCAL enable_{way} = off")
    values = statement.arguments({**bound_values(expression), "rows": 26})
    plan = "\n".join(line for (line,) in run(session, f"EXPLAIN {statement.sql}", *values))
    _, _, walk = plan.partition("CTE walked\n")
    _, above_the_rows, _ = walk.split("->  Limit", 2)
    assert "Sort" not in above_the_rows, plan


def test_dates_relative_to_a_source_are_looked_up_in_their_indexes(session: Session) -> None:
    """They are looked for whenever the date of a source is written."""
    run(session, "SET LOCAL enable_seqscan = off")
    plan = "\n".join(
        line for (line,) in run(session, f"EXPLAIN {DEPENDENT_CLAIMS}", [UUID(int=1)], ["x"])
    )
    for date in ("claims_time", "claims_due", "figures_period", "evidence_said"):
        assert f"{date}_anchor_id_idx" in plan, plan


def test_the_feed_looks_every_row_up_in_an_index(database: Database) -> None:
    """The statements are planned on empty tables, because the plans are kept while they grow."""
    statement = changes_statement(tuple(RESOURCES), documents=True, expand=True)
    values = {**vars(BEGINNING), "horizon": "infinity", "last": "9", "rows": 26, "separator": ","}
    with closing(database.connector.connect(GENERIC_PLANS)) as connection:
        explained = RawCursor(connection).execute(
            f"EXPLAIN (VERBOSE) {statement.sql}".encode(), statement.arguments(values)
        )
        plan = "\n".join(line.decode() for (line,) in explained)
    assert "Seq Scan" not in plan
    for resource in RESOURCES:
        for schema in ("public", "past"):
            index = rf"{resource}_feed_beginning_idx on {schema}\.{resource} "
            assert re.search(f"Index (Only )?Scan using {index}", plan), (schema, resource)


def test_the_past_has_no_statistics() -> None:
    """A list that the planner can estimate now may be of any length as of a moment."""
    expression = AllOf((Criterion("entities__id", "eq", str(UUID(int=1))),))
    page = PageShape("claims", ("id",), shape(expression), False, (("id", False),), None, False)
    assert "walked" not in page_statement(page).sql
    assert "walked" in page_statement(replace(page, past=True)).sql


@pytest.mark.parametrize("parameter", ["reviewed_by", "claimant_as_stated", "external_id"])
def test_what_no_index_finds_is_read_once_for_page_and_count(parameter: str) -> None:
    expression = AllOf((Criterion(parameter, "isnull", True),))
    page = PageShape("claims", ("id",), shape(expression), False, (("id", False),), None, True)
    statement = page_statement(page).sql
    assert len(re.findall(rf"FROM claims \nWHERE [^)]*claims\.{parameter} IS NULL", statement)) == 1


@pytest.mark.parametrize(
    ("resource", "name", "operator", "is_known"),
    [
        ("claims", "language", "startswith", True),
        ("claims", "language", "ne", True),
        ("evidence", "stance", "ne", True),
        ("evidence", "added_by", "startswith", False),
    ],
)
def test_values_whose_frequency_is_known_are_left_to_the_planner(
    resource: str, name: str, operator: str, is_known: bool
) -> None:
    """It walks as far as it takes to the values that come late in an order, if there are any."""
    expression = AllOf((Criterion(name, operator, "x"),))
    page = PageShape(resource, ("id",), shape(expression), False, (("id", True),), None, False)
    statement = page_statement(page).sql
    assert ("walked" not in statement) == is_known
    assert ("EXISTS" in statement) == is_known
