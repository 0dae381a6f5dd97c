"""Figures that were written under earlier rules get the ranges of the new ones."""

import logging
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from hksz_db.database import Database, run
from hksz_db.services import ranges
from hksz_db.services.batches import create
from hksz_db.services.ranges import recompute_ranges
from hksz_db.services.writing import writing
from tests.migrations.administration import alembic, fill

FIGURES = {
    "47,700": ("eq", "47700", None),
    "36,000": ("approx", "36000", None),
    "7": ("eq", "7", None),
    "over 47,000": ("gt", "47000", None),
    "more than 12": ("gt", "12", None),
    "约4.7万": ("approx", "47000", None),
    "nearly 90,000": ("lt", "90000", None),
    "up to 10,000": ("le", "10000", None),
    "3 to 5": ("between", None, ("3", "5")),
}
Ranges = dict[str, tuple[Any, ...]]


@pytest.fixture
def database(migrated: str) -> Iterator[Database]:
    """A database with figures that were written under the new rules."""
    fill(migrated)
    found = Database(lambda: migrated)
    with writing(found) as session:
        run(session, "DELETE FROM stale_ranges")
        ((entity,),) = run(session, "SELECT id FROM entities WHERE external_id = 'ex:scheme'")
        ((metric,),) = run(session, "SELECT id FROM metrics")
        for words, (comparator, amount, bounds) in FIGURES.items():
            figure = {
                "metric_id": metric,
                "subject_id": entity,
                "as_stated": words,
                "comparator": comparator,
                "amount": amount and Decimal(amount),
                "unit_code": "1",
            }
            if bounds:
                figure |= dict(
                    zip(("lower_bound", "upper_bound"), map(Decimal, bounds), strict=True)
                )
            claim = {"statement": words, "claimant_id": entity, "figures": [figure]}
            create(session, "claims", {"language": "en", **claim})
    yield found
    found.close()


def _ranges(database: Database) -> Ranges:
    with database.transaction() as session:
        sql = (
            "SELECT as_stated, value_range::text, plausible_range::text, range_rule FROM figures"
            " WHERE as_stated = ANY ($1)"
        )
        return {words: tuple(rest) for words, *rest in run(session, sql, list(FIGURES))}


def _versions(database: Database) -> dict[str, tuple[int, int]]:
    with database.transaction() as session:
        sql = (
            "SELECT as_stated, figures.version, claims.version FROM figures"
            " JOIN claims ON claims.id = claim_id WHERE as_stated = ANY ($1)"
        )
        return {words: (own, claim) for words, own, claim in run(session, sql, list(FIGURES))}


def _make_old(url: str) -> None:
    """Give figures the ranges of the rules before."""
    alembic(url, "-x", "drop-data=yes", "downgrade", "publisher_place")
    with psycopg.connect(url) as connection:
        connection.execute(
            "UPDATE figures SET value_range = '[35500,36500)', plausible_range = '[35500,36500)',"
            " range_rule = 'half_step' WHERE comparator = 'approx' AND as_stated = '36,000'"
        )
        connection.execute(
            "UPDATE figures SET value_range = '(47000,)', plausible_range = '(47000,48000)'"
            " WHERE as_stated = 'over 47,000'"
        )
    alembic(url, "upgrade", "head")


def _recompute(database: Database) -> int:
    total = 0
    while True:
        with writing(database) as session:
            number = recompute_ranges(session)
        if not number:
            return total
        total += number


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 300])
def test_recomputed_ranges_are_those_of_new_figures(
    database: Database, migrated: str, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(ranges, "_AT_ONCE", at_once)
    new = _ranges(database)
    _make_old(migrated)
    old, before = _ranges(database), _versions(database)
    changed = {words for words in FIGURES if old[words] != new[words]}
    assert {"47,700", "36,000", "over 47,000"} <= changed < set(FIGURES)
    with database.transaction() as session:
        ((listed,),) = run(session, "SELECT count(*) FROM stale_ranges")
    assert _recompute(database) == listed > len(FIGURES)
    assert _ranges(database) == new
    after = _versions(database)
    assert {words for words in FIGURES if after[words] != before[words]} == changed
    assert all(after[words] == tuple(n + 1 for n in before[words]) for words in changed)
    with database.transaction() as session:
        assert run(session, "SELECT 1 FROM stale_ranges") == []
        actors = run(
            session,
            "SELECT DISTINCT actor FROM transactions"
            " JOIN past.figures ON ended_in = transactions.id",
        )
        assert ("ranges",) in actors


def test_only_figures_that_were_read_otherwise_are_listed_again(
    database: Database, migrated: str
) -> None:
    new = _ranges(database)
    alembic(migrated, "-x", "drop-data=yes", "downgrade", "loose_locators_checked")
    with psycopg.connect(migrated) as connection:
        connection.execute(
            "UPDATE figures SET value_range = '(12,)', plausible_range = '(12,13)'"
            " WHERE as_stated = 'more than 12'"
        )
        connection.execute(
            "UPDATE figures SET value_range = '[46998,47002]', plausible_range = '[46999,47001]'"
            " WHERE as_stated = '约4.7万'"
        )
    alembic(migrated, "upgrade", "head")
    assert _recompute(database) == 2
    assert _ranges(database) == new


def test_a_figure_that_cannot_be_read_is_logged_and_stays(
    database: Database, migrated: str, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE figures SET lower_bound = 40000 WHERE as_stated = 'over 47,000'")
        connection.execute("INSERT INTO stale_ranges SELECT id FROM figures")
    before = _ranges(database)
    with caplog.at_level(logging.WARNING):
        assert _recompute(database) > 0
    assert "already the lower bound" in caplog.text
    assert _ranges(database) == before


def test_rows_that_another_worker_has_taken_are_skipped(database: Database, migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("INSERT INTO stale_ranges SELECT id FROM figures")
        connection.commit()
        connection.execute("SELECT FROM stale_ranges FOR UPDATE")
        with writing(database) as session:
            assert recompute_ranges(session) == 0
