"""A database that does not answer: requests end in time, and later ones get other connections."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest
from sqlalchemy import text

from hksz_db.api.readiness import SchemaCheck
from hksz_db.database import Database, lift_time_limit, prepare, run
from hksz_db.domain.errors import Unavailable
from hksz_db.schema_check import incompleteness

_TIMEOUT_S = 0.2
_BACKEND = prepare(text("SELECT pg_backend_pid()"))


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    """A database with a short statement timeout."""
    with closing(Database(lambda: database_url, statement_timeout_ms=int(_TIMEOUT_S * 1000))) as it:
        yield it


@contextmanager
def _frozen(backend: int) -> Iterator[None]:
    os.kill(backend, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(backend, signal.SIGCONT)


def _read(database: Database) -> int:
    return int(database.read(_BACKEND, {})[0][0])


def _read_the_past(database: Database) -> int:
    return int(database.read(_BACKEND, {}, datetime.now(UTC))[0][0])


def _write(database: Database) -> int:
    with database.transaction() as session:
        return int(run(session, "SELECT pg_backend_pid()")[0][0])


def _check_readiness(database: Database) -> int:
    readiness = SchemaCheck()
    # The rest of the schema is checked once, which takes longer than these statements may.
    readiness._is_complete = True
    readiness.state(database)
    return _write(database)


@pytest.mark.parametrize("ask", [_read, _read_the_past, _write, _check_readiness])
def test_a_request_ends_though_the_database_is_frozen(
    ask: Callable[[Database], int], impatient: Database
) -> None:
    backend = ask(impatient)
    with _frozen(backend):
        begun = time.monotonic()
        with pytest.raises(Unavailable):
            ask(impatient)
        assert time.monotonic() - begun < _TIMEOUT_S + 5
        assert ask(impatient) != backend


def _check_schema_without_the_limit_of_the_server(database: Database) -> None:
    with database.transaction() as session:
        run(session, "SELECT set_config('statement_timeout', '0', true)")
        incompleteness(session)


def test_a_schema_check_ends_though_the_database_answers_nothing_any_more(
    database_url: str, impatient: Database
) -> None:
    with psycopg.connect(database_url) as blocker:
        blocker.execute("SET idle_in_transaction_session_timeout = '5s'")
        blocker.execute("LOCK TABLE history.tables IN ACCESS EXCLUSIVE MODE")
        with pytest.raises(Unavailable):
            _check_schema_without_the_limit_of_the_server(impatient)
        blocker.rollback()


def test_a_transaction_ends_though_what_is_behind_a_pooler_is_frozen(database_url: str) -> None:
    """It begins with the settings of the service."""
    limit_ms = int(_TIMEOUT_S * 1000)
    pooled = Database(lambda: database_url, statement_timeout_ms=limit_ms, via_pooler=True)
    with closing(pooled), _frozen(_write(pooled)), pytest.raises(Unavailable):
        _write(pooled)


def test_a_commit_ends_though_the_database_is_frozen(impatient: Database) -> None:
    def commit_while_frozen(backend: int) -> None:
        with impatient.transaction() as session:
            assert run(session, "SELECT pg_backend_pid()") == [(backend,)]
            os.kill(backend, signal.SIGSTOP)

    backend = _write(impatient)
    try:
        with pytest.raises(Unavailable):
            commit_while_frozen(backend)
    finally:
        os.kill(backend, signal.SIGCONT)


def test_a_pause_between_two_statements_is_no_delay_of_the_database(impatient: Database) -> None:
    with impatient.transaction() as session:
        run(session, "SELECT 1")
        time.sleep(_TIMEOUT_S + 1.5)
        assert run(session, "SELECT 1") == [(1,)]


def test_a_job_without_a_limit_may_take_long(impatient: Database) -> None:
    with impatient.transaction() as session:
        lift_time_limit(session)
        run(session, f"SELECT pg_sleep({_TIMEOUT_S + 1.2})")
    with pytest.raises(psycopg.errors.QueryCanceled), impatient.transaction() as session:
        run(session, f"SELECT pg_sleep({_TIMEOUT_S + 1.2})")


def test_a_rollback_ends_though_the_database_is_frozen(impatient: Database) -> None:
    def fail_while_frozen(backend: int) -> None:
        with impatient.transaction() as session:
            assert run(session, "SELECT pg_backend_pid()") == [(backend,)]
            os.kill(backend, signal.SIGSTOP)
            raise ValueError

    backend = _write(impatient)
    try:
        with pytest.raises(Unavailable):
            fail_while_frozen(backend)
    finally:
        os.kill(backend, signal.SIGCONT)


def test_writers_that_share_a_pool_do_not_end_the_waits_of_each_other(impatient: Database) -> None:
    def write_often() -> None:
        for _ in range(200):
            _write(impatient)

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(write_often) for _ in range(4)]:
            done.result()


def _stream(database: Database) -> int:
    return int(next(database.stream(_BACKEND, {}))[0])


@pytest.mark.parametrize("ask", [_read, _write, _stream])
def test_a_server_that_freezes_while_it_is_connected_to(ask: Callable[[Database], int]) -> None:
    """It lets the client in, and answers nothing afterwards."""
    welcome = b"R\0\0\0\x08\0\0\0\0" + b"K\0\0\0\x0c\0\0\0\x01\0\0\0\x01" + b"Z\0\0\0\x05I"
    with socket.create_server(("127.0.0.1", 0)) as server, ThreadPoolExecutor(1) as pool:

        def welcome_one() -> socket.socket:
            connection, _ = server.accept()
            connection.recv(1024)
            connection.sendall(welcome)
            return connection

        welcomed = pool.submit(welcome_one)
        url = f"postgresql://x@127.0.0.1:{server.getsockname()[1]}/x?sslmode=disable&gssencmode=disable"
        database = Database(lambda: url, statement_timeout_ms=int(_TIMEOUT_S * 1000))
        begun = time.monotonic()
        with pytest.raises(Unavailable, match="did not answer in time"):
            ask(database)
        assert time.monotonic() - begun < _TIMEOUT_S + 5
        welcomed.result().close()
