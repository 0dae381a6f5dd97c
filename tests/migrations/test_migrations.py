"""The migrations: upgrades and downgrades with data, and equality with the models."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from decimal import Decimal
from enum import StrEnum
from pathlib import Path

import psycopg
import pytest
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import create_engine, make_url

from hksz_db import preparing
from hksz_db.database import Database, DatabaseUnusable, driver_url, run
from hksz_db.domain import ranges, vocabulary
from hksz_db.embedded import Server, running
from hksz_db.feed.pages import BEGINNING, Feed
from hksz_db.models import Base
from hksz_db.queries.registry import RESOURCES
from tests.migrations.administration import ROOT, alembic, dump, fill, run_script

pytestmark = pytest.mark.slow

SCRIPTS = ScriptDirectory(str(ROOT / "migrations"))
REVISIONS = [script.revision for script in SCRIPTS.walk_revisions()][::-1]  # the oldest first
NOWHERE = "postgresql://nobody@/nothing?host=/nonexistent"
UPGRADE = """
import sys
from hksz_db.database import driver_url
from hksz_db.preparing import upgrade
upgrade(driver_url(sys.argv[1]))
"""
# A column that holds one of the terms, or a list of them.
CHECKED_TERMS = re.compile(r"CHECK \(\(\w+ (?:= ANY \(|<@ )'\{(\S+)\}'::text\[\]\)?\)\)")
# The vocabularies of terms that are not stored.
COMPUTED_TERMS = {
    vocabulary.ComparisonVerdict,
    vocabulary.HintKind,
    vocabulary.NotCompared,
    vocabulary.ReviewReason,
    vocabulary.SourceLikeness,
    vocabulary.WarningCode,
    vocabulary.WordsFound,
    vocabulary.AmountsFound,
    vocabulary.PeriodFound,
    vocabulary.BulkMode,
    vocabulary.BulkOutcome,
    vocabulary.HistoryOp,
    vocabulary.ChangeKind,
    vocabulary.Standing,
    vocabulary.Uncounted,
    vocabulary.Finding,
    vocabulary.NothingFound,
}


def _pending(url: str) -> bool:
    with closing(Database(lambda: url)) as database, database.transaction() as session:
        return preparing.schema_of(session) is preparing.Schema.PENDING


def tables_with_rows(url: str) -> set[str]:
    """The tables that hold rows."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace"
            " AND relkind = 'r' AND relname <> 'alembic_version'"
        ).fetchall()
        return {
            name
            for (name,) in names
            if connection.execute(f"SELECT FROM {name} LIMIT 1".encode()).fetchone() is not None
        }


def test_every_migration_upgrades_and_downgrades_with_rows_in_every_table(empty: str) -> None:
    with psycopg.connect(empty) as connection:
        # A downgrade keeps the extension because others may use it.
        connection.execute("CREATE EXTENSION pg_trgm")
    schemas = {"base": dump(empty)}
    for revision in REVISIONS:
        alembic(empty, "upgrade", revision)
        schemas[revision] = dump(empty)
    fill(empty)
    assert tables_with_rows(empty) == set(Base.metadata.tables)
    for revision in reversed(["base", *REVISIONS[:-1]]):
        alembic(empty, "-x", "drop-data=yes", "downgrade", revision)
        assert dump(empty) == schemas[revision]
    alembic(empty, "upgrade", "head")
    assert dump(empty) == schemas[REVISIONS[-1]]
    fill(empty)


def go_back(url: str, revision: str) -> None:
    """Downgrade to the revision."""
    alembic(url, "-x", "drop-data=yes", "downgrade", revision)


def test_a_downgrade_refuses_to_drop_rows_and_names_them(migrated: str) -> None:
    fill(migrated)
    go_back(migrated, "keys_and_seeds")
    before = tables_with_rows(migrated)
    lost = r"would drop (rows of \w+ \(\d+\)(, )?)+; -x drop-data=yes allows it"
    with pytest.raises(CommandError, match=lost):
        alembic(migrated, "downgrade", "-1")
    assert tables_with_rows(migrated) == before
    assert "keys_and_seeds" in alembic(migrated, "current")


def test_a_downgrade_refuses_to_drop_values_and_names_them(migrated: str) -> None:
    fill(migrated)
    go_back(migrated, "relative_dates")
    lost = (
        r"would drop values of figures.period_anchor_id \(1\),"
        r" values of figures.period_duration \(1\);"
    )
    with pytest.raises(CommandError, match=lost):
        alembic(migrated, "downgrade", "-1")
    assert "relative_dates" in alembic(migrated, "current")


def test_a_downgrade_restores_rounded_factors(migrated: str) -> None:
    fill(migrated)
    with psycopg.connect(migrated) as connection:
        connection.execute(
            "INSERT INTO units (code, label, dimension, factor)"
            " VALUES ('{third}', 'a third', 'count', 0.333333333333333)"
        )
        connection.execute(
            "UPDATE figures SET comparator = 'eq', amount = 3, unit_code = '{third}',"
            " lower_bound = NULL, upper_bound = NULL, unit_factor = 0.333333333333333,"
            " value_range = '[1,1]', plausible_range = '[1,1]'"
        )
    go_back(migrated, "fill_claim_bands")
    with psycopg.connect(migrated) as connection:
        found = connection.execute(
            "SELECT DISTINCT upper(value_range), upper(plausible_range) FROM figures"
        ).fetchall()
    assert found == [(Decimal("0.999999999999999"),) * 2]


def test_a_refused_downgrade_takes_none_of_its_steps(migrated: str) -> None:
    """The last step would drop rows that the first steps do not touch."""
    before = dump(migrated)
    with psycopg.connect(migrated) as connection:
        connection.execute("INSERT INTO seed_items VALUES ('a.json', 'ex:a', repeat('0', 64))")
    with pytest.raises(CommandError, match=r"would drop .*rows of seed_items \(1\)"):
        alembic(migrated, "downgrade", "base")
    assert dump(migrated) == before
    assert f"{REVISIONS[-1]} (head)" in alembic(migrated, "current")


def test_a_script_checks_all_steps_of_a_downgrade_first(migrated: str) -> None:
    before = dump(migrated)
    with psycopg.connect(migrated) as connection:
        connection.execute("INSERT INTO seed_items VALUES ('a.json', 'ex:a', repeat('0', 64))")
    refused = run_script(migrated, alembic(migrated, "downgrade", "head:base", "--sql"))
    assert "rows of seed_items (1)" in refused.stderr
    assert dump(migrated) == before


def test_a_downgrade_of_empty_tables_needs_no_option(migrated: str) -> None:
    alembic(migrated, "downgrade", "base")
    assert _pending(migrated)


def test_a_downgrade_by_script_refuses_to_drop_rows_too(migrated: str) -> None:
    fill(migrated)
    go_back(migrated, "keys_and_seeds")
    refused = run_script(migrated, alembic(migrated, "downgrade", "keys_and_seeds:base", "--sql"))
    assert refused.returncode
    assert "rows of api_keys (1), rows of seed_items (1)" in refused.stderr
    allowed = alembic(migrated, "-x", "drop-data=yes", "downgrade", "keys_and_seeds:base", "--sql")
    assert run_script(migrated, allowed).returncode == 0
    assert tables_with_rows(migrated) == set()


def test_alembic_finds_no_difference_from_the_models(migrated: str) -> None:
    assert "No new upgrade operations detected." in alembic(migrated, "check")


def test_the_migrated_schema_equals_the_models(migrated: str, empty: str) -> None:
    engine = create_engine(driver_url(empty))
    Base.metadata.create_all(engine)
    engine.dispose()
    assert dump(migrated) == dump(empty)


def test_a_script_makes_the_same_schema(migrated: str, empty: str) -> None:
    finished = run_script(empty, alembic(NOWHERE, "upgrade", "head", "--sql"))
    assert (finished.returncode, finished.stderr) == (0, "")
    assert dump(empty) == dump(migrated)
    assert not _pending(empty)


def test_a_second_upgrade_changes_nothing(migrated: str) -> None:
    before = dump(migrated)
    preparing.upgrade(driver_url(migrated))
    alembic(migrated, "upgrade", "head")
    assert dump(migrated) == before


def test_concurrent_upgrades_succeed(migrated: str, empty: str) -> None:
    command = [sys.executable, "-c", UPGRADE, empty]
    processes = [
        subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [(p.communicate()[1], p.returncode) for p in processes] == [("", 0)] * 2
    assert dump(empty) == dump(migrated)


@contextmanager
def another_process_that_migrates(url: str) -> Iterator[None]:
    with psycopg.connect(url, autocommit=True) as other:
        other.execute("SELECT pg_advisory_lock(x'686b737a'::int)")
        yield


def test_waiting_too_long_for_another_migration_is_an_error(empty: str) -> None:
    with (
        another_process_that_migrates(empty),
        pytest.raises(CommandError, match="Another process has been migrating the database"),
    ):
        alembic(empty, "-x", "wait=0", "upgrade", "head")
    assert _pending(empty)
    alembic(empty, "-x", "wait=0", "upgrade", "head")


def test_a_table_in_use_is_not_waited_for_long(migrated: str) -> None:
    go_back(migrated, "keys_and_seeds")
    with psycopg.connect(migrated) as other:
        other.execute("SELECT FROM api_keys")
        with pytest.raises(CommandError, match="Other transactions kept locks"):
            alembic(migrated, "downgrade", "-1")
    assert "keys_and_seeds" in alembic(migrated, "current")


def test_missing_triggers_of_a_restored_database_are_created(migrated: str) -> None:
    """Also if the migration was interrupted after its first steps."""
    schema = dump(migrated)
    go_back(migrated, "due_dates")
    with psycopg.connect(migrated) as connection:
        connection.execute("DROP TRIGGER mark_written_updated ON claims")
        connection.execute("DROP TRIGGER mark_written_updated ON sources")
        connection.execute("DROP FUNCTION loosen_history(regclass)")
    alembic(migrated, "upgrade", "head")
    assert dump(migrated) == schema


def test_grants_on_the_history_survive(migrated: str, server: Server) -> None:
    """The migrations create the views again."""
    go_back(migrated, "due_dates")
    administrator = server.url(str(make_url(migrated).database), superuser=True)
    with psycopg.connect(administrator, autocommit=True) as connection:
        connection.execute("CREATE ROLE hksz_reader")
        try:
            connection.execute("GRANT SELECT ON ALL TABLES IN SCHEMA past TO hksz_reader")
            connection.execute("GRANT SELECT ON past.units TO PUBLIC")
            alembic(migrated, "upgrade", "head")
            rights = connection.execute(
                "SELECT bool_and(has_table_privilege('hksz_reader', pg_class.oid, 'SELECT'))"
                " FROM pg_class WHERE relkind = 'v'"
                " AND relnamespace IN ('as_of'::regnamespace, 'history'::regnamespace)"
            ).fetchall()
            assert rights == [(True,)]
        finally:
            connection.execute("DROP OWNED BY hksz_reader; DROP ROLE hksz_reader")


def test_existing_claims_get_their_bands(migrated: str) -> None:
    fill(migrated)
    go_back(migrated, "comparisons")
    alembic(migrated, "upgrade", "head")
    with psycopg.connect(migrated) as connection:
        held = connection.execute("SELECT band, claim_id FROM claim_bands").fetchall()
        # One claim was merged, and a deleted claim has no bands.
        expected = connection.execute(
            "SELECT unnest(statement_bands(statement)), id FROM claims WHERE deleted_at IS NULL"
        )
        assert set(held) == set(expected.fetchall())
        assert len(held) == 10 + 12  # one of the two claims has a number


def test_claims_in_chinese_get_the_bands_of_their_revision(migrated: str) -> None:
    fill(migrated)
    add = (
        "INSERT INTO claims (statement, language, claimant_as_stated, modality) VALUES"
        " ('香港科學園在福田設立分園供四萬七千人使用。', 'zh-Hant', 'an official', 'actual')"
        " RETURNING id"
    )
    bands = (
        "SELECT ARRAY(SELECT band FROM claim_bands WHERE claim_id = id ORDER BY band),"
        " ARRAY(SELECT unnest(statement_bands(statement)) ORDER BY 1) FROM claims WHERE id = %s"
    )
    with psycopg.connect(migrated, autocommit=True) as connection:
        (added,) = connection.execute(add).fetchall()
        seen = []
        for change in ("downgrade", "upgrade"):
            revision = "loose_locators_checked" if change == "downgrade" else "head"
            alembic(migrated, "-x", "drop-data=yes", change, revision)
            ((held, expected),) = connection.execute(bands, added).fetchall()
            assert held == expected
            seen.append(held)
    assert set(seen[0]).isdisjoint(seen[1])


@pytest.mark.parametrize("change", ["upgrade", "downgrade"])
def test_the_bands_of_claims_in_chinese_can_be_broken_off(migrated: str, change: str) -> None:
    add = (
        "INSERT INTO claims (statement, language, claimant_as_stated, modality)"
        " VALUES ('香港科學園在福田設立分園。', 'zh-Hant', 'an official', 'actual')"
    )
    bands = (
        "SELECT ARRAY(SELECT band FROM claim_bands WHERE claim_id = id ORDER BY band),"
        " ARRAY(SELECT unnest(statement_bands(statement)) ORDER BY 1) FROM claims"
    )
    steps = [("downgrade", "counted_relations"), ("upgrade", "han_look_alikes")]
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(add)
        if change == "upgrade":
            alembic(migrated, "-x", "drop-data=yes", *steps.pop(0))
        connection.execute("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql
            AS $$ BEGIN RAISE 'broken off'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON claim_bands EXECUTE FUNCTION refuse()
        """)
        with pytest.raises(CommandError, match="broken off"):
            alembic(migrated, "-x", "drop-data=yes", *steps[0])
        connection.execute("DROP FUNCTION refuse CASCADE")
        alembic(migrated, "-x", "drop-data=yes", *steps[0])
        ((held, expected),) = connection.execute(bands).fetchall()
        assert held == expected


def test_the_feed_begins_with_the_rows_that_predate_the_history(migrated: str) -> None:
    """Nothing is known about their creation, so they are all in the first transaction."""
    fill(migrated)
    go_back(migrated, "idempotency_keys")
    alembic(migrated, "upgrade", "head")
    database = Database(lambda: migrated)
    with database.transaction() as session:
        run(session, "UPDATE units SET label = 'another'")
        run(session, "UPDATE metrics SET deleted_at = now()")
    found: list[tuple[str, str, int]] = []
    position, caught_up = BEGINNING, False
    while not caught_up:
        page = Feed(database).after(position, 2, "\n")
        entries = map(json.loads, page.entries.splitlines())
        found += [(e["resource"], e["op"], int(e["transaction"])) for e in entries]
        position, caught_up = page.position, page.caught_up
    database.close()
    began = [(resource, op) for resource, op, transaction in found if transaction == 0]
    assert began.count(("claims", "create")) == 2
    assert began.count(("entities", "create")) == 2  # a third was merged
    assert {resource for resource, _ in began} == RESOURCES.keys() - {"metrics"}
    assert {op for _, op in began} == {"create"}
    assert {(resource, op) for resource, op, transaction in found if transaction} == {
        ("units", "update"),
        ("metrics", "delete"),
    }


def test_unfinished_indexes_are_rebuilt(migrated: str) -> None:
    """An index that stays invalid, as after an interrupted run, and one that is finished."""
    fill(migrated)
    before = dump(migrated)
    go_back(migrated, "due_dates")
    with psycopg.connect(migrated, autocommit=True) as connection:
        connection.execute(
            "CREATE INDEX claims_feed_beginning_idx ON claims (id)"
            " WHERE written_in = 0 AND deleted_at IS NULL"
        )
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute(
                "CREATE UNIQUE INDEX CONCURRENTLY sources_feed_beginning_idx ON sources (version)"
            )
        finished = "SELECT 'claims_feed_beginning_idx'::regclass::oid"
        oid = connection.execute(finished).fetchall()
        alembic(migrated, "upgrade", "head")
        assert connection.execute(finished).fetchall() == oid
    assert dump(migrated) == before


def test_pending_until_the_newest_revision(empty: str) -> None:
    assert _pending(empty)
    alembic(empty, "upgrade", REVISIONS[-2])
    assert _pending(empty)
    preparing.upgrade(driver_url(empty))
    assert not _pending(empty)


def test_a_database_ahead_of_the_code_is_refused(migrated: str) -> None:
    with psycopg.connect(migrated) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'from_the_future'")
        connection.execute("DELETE FROM known_revisions")
    assert _pending(migrated)
    with pytest.raises(DatabaseUnusable, match="from_the_future"):
        preparing.upgrade(driver_url(migrated))


def test_an_old_server_is_refused(migrated: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hksz_db.database.connecting.MINIMUM_VERSION", 990000)
    with pytest.raises(DatabaseUnusable, match="The server is PostgreSQL 18; version"):
        preparing.upgrade(driver_url(migrated))


def test_an_absent_server_is_reported_in_a_sentence() -> None:
    with pytest.raises(DatabaseUnusable, match=r"The database does not answer\."):
        preparing.upgrade(driver_url(NOWHERE))


def test_a_url_of_another_kind_is_refused_in_a_sentence() -> None:
    with pytest.raises(CommandError, match="must begin with postgresql://"):
        alembic("mysql://localhost/", "current")


def test_the_scheme_postgres_is_understood(migrated: str) -> None:
    url = migrated.replace("postgresql://", "postgres://")
    assert f"{REVISIONS[-1]} (head)" in alembic(url, "current")


def test_the_command_line_uses_the_embedded_server_when_no_url_is_given(
    public_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setenv("HKSZ_HOME", str(public_folder / "db"))
    program = Path(sys.executable).with_name("alembic")
    finished = subprocess.run(
        [program, "upgrade", "head"], cwd=ROOT, capture_output=True, check=False
    )
    assert finished.returncode == 0, finished.stderr
    with running(public_folder / "db", durable=False) as server:
        assert not _pending(server.url())


def test_the_linter_accepts_the_migrations(tmp_path: Path) -> None:
    script = tmp_path / "history.sql"
    script.write_text(alembic(NOWHERE, "upgrade", "head", "--sql"))
    squawk = Path(sys.executable).with_name("squawk")
    linted = subprocess.run([squawk, script], cwd=ROOT, capture_output=True, text=True, check=False)
    assert linted.returncode == 0, linted.stdout


def test_the_vocabularies_equal_the_check_constraints(database: Database) -> None:
    vocabularies = {
        frozenset(member.value for member in term)
        for module in (vocabulary, ranges)
        for term in vars(module).values()
        if isinstance(term, type)
        and issubclass(term, StrEnum)
        and term is not StrEnum
        and term not in COMPUTED_TERMS
    }
    with database.transaction() as session:
        found = session.exec_driver_sql(
            "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE contype = 'c'"
            " AND connamespace = 'public'::regnamespace"
        )
        checks = [rule for (rule,) in found]
    terms = {
        frozenset(checked[1].split(","))
        for rule in checks
        if (checked := CHECKED_TERMS.fullmatch(rule))
    }
    assert terms == vocabularies
