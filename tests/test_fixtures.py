"""The fixtures that all other tests use."""

import threading
from contextlib import closing, suppress

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from hksz_db.database import Database, Session, fetch_in, prepare, run
from tests.conftest import QueryCounter

COUNT = prepare(text("SELECT count(*) FROM metrics"))
KEYS = prepare(text("SELECT key FROM metrics ORDER BY key"))
METRIC = (
    "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
    " VALUES ($1, 'Approved', 'count', 'flow', true)"
)


@pytest.mark.parametrize("time", ["first", "second"])
def test_writes_of_a_test_are_rolled_back(database: Database, time: str) -> None:
    assert database.read(COUNT, {}) == [(0,)]
    with database.transaction() as session:
        run(session, METRIC, time)
    assert database.read(KEYS, {}) == [(time.encode(),)]


def test_a_failed_transaction_rolls_back_only_its_own_writes(database: Database) -> None:
    with database.transaction() as session:
        run(session, METRIC, "kept")
    for refused in ("kept", None):
        with suppress(psycopg.IntegrityError), database.transaction() as session:
            run(session, METRIC, "dropped")
            run(session, METRIC, refused)
    assert database.read(KEYS, {}) == [(b"kept",)]


def test_a_failed_read_leaves_the_database_usable(database: Database) -> None:
    with database.transaction() as session:
        run(session, METRIC, "kept")
    with pytest.raises(psycopg.errors.UndefinedTable):
        database.read(prepare(text("SELECT 1 FROM nowhere")), {})
    assert database.read(KEYS, {}) == [(b"kept",)]


def test_text_is_bytes_for_readers_and_text_for_writers(database: Database) -> None:
    with database.transaction() as session:
        run(session, METRIC, "key")
        assert fetch_in(session, KEYS, {}) == [(b"key",)]
        assert run(session, "SELECT key FROM metrics") == [("key",)]
    assert database.read(KEYS, {}) == [(b"key",)]
    with database.transaction() as session:
        assert run(session, "SELECT key FROM metrics") == [("key",)]


def test_deferred_constraints_are_checked(database: Database) -> None:
    nameless = "INSERT INTO entities (kind, name, name_language) VALUES ('place', 'x', 'en')"
    with pytest.raises(IntegrityError), database.transaction() as session:
        run(session, nameless)
    with database.transaction() as session:
        assert run(session, "SELECT count(*) FROM entities") == [(0,)]


def test_transaction_settings_end_with_the_transaction(database: Database) -> None:
    with database.transaction() as session:
        run(session, "SELECT set_config('hksz.actor', 'somebody', true)")
    with database.transaction() as session:
        assert run(session, "SELECT current_setting('hksz.actor', true)") == [("",)]


def test_a_session_survives_an_error_in_a_savepoint(session: Session) -> None:
    run(session, METRIC, "kept")
    with pytest.raises(ProgrammingError), session.begin_nested():
        session.execute(text("SELECT 1 FROM nowhere"))
    assert run(session, "SELECT key FROM metrics") == [("kept",)]


def test_statements_are_counted(database: Database, query_counter: QueryCounter) -> None:
    with query_counter() as counted, database.transaction() as session:
        run(session, METRIC, "key")
        session.execute(text("SELECT 1"))
        database.read(COUNT, {})
    assert counted.statements == [METRIC, "SELECT 1", COUNT.sql]
    database.read(COUNT, {})
    assert len(counted.statements) == 3


def test_statements_of_other_threads_are_not_counted(
    database_url: str, query_counter: QueryCounter
) -> None:
    with closing(Database(lambda: database_url)) as other, query_counter() as counted:
        thread = threading.Thread(target=other.read, args=(COUNT, {}))
        thread.start()
        thread.join()
    assert counted.statements == []


def test_the_planner_estimates_rows(database: Database) -> None:
    assert database.explain(KEYS, {}) > 0
