"""Exporting from a running database: one snapshot, streamed, ended when its reader stops."""

import threading
from collections.abc import Iterator

import psycopg
import pytest
from sqlalchemy import text

from hksz_db.database import Database, prepare
from hksz_db.domain.errors import Malformed, Unavailable
from hksz_db.exchange.exporting import export, read_export
from tests.exchange.conftest import Documents, Exported

pytestmark = pytest.mark.slow

NUMBERS = prepare(text("SELECT generate_series(1, CAST(:most AS int))::text"))
# Wide rows, because the server sends full buffers.
SLOW = prepare(
    text("SELECT n::text, repeat('x', 2000), pg_sleep(0.01) FROM generate_series(1, 1000) AS n")
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A database without other connections, where a statement may take 100 ms."""
    _wait_until_alone(database_url)
    database = Database(lambda: database_url, statement_timeout_ms=100)
    yield database
    database.close()


def _others(url):
    """The other connections to the database and their statements."""
    # Earlier observers may still be connected.
    with psycopg.connect(url, autocommit=True, application_name="observer") as connection:
        return connection.execute(
            "SELECT pid, state, query FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name <> 'observer'"
            " AND backend_type = 'client backend'"
        ).fetchall()


def _wait_until_alone(url):
    """Wait for the backends of closed connections to end."""
    pause = threading.Event()
    for _ in range(500):
        if not _others(url):
            return
        pause.wait(0.01)
    raise AssertionError(f"still there: {_others(url)}")


def test_rows_are_streamed_in_order_as_bytes(database: Database) -> None:
    assert list(database.stream(NUMBERS, {"most": 1234})) == [
        (str(n).encode(),) for n in range(1, 1235)
    ]


def test_a_stream_has_no_time_limit(database: Database) -> None:
    with pytest.raises(psycopg.errors.QueryCanceled):
        database.read(SLOW, {})
    rows = database.stream(SLOW, {})
    assert [next(rows)[0] for _ in range(60)][-1] == b"60"
    rows.close()


def test_a_stream_ends_when_its_time_is_up(database: Database) -> None:
    with pytest.raises(Unavailable, match="longer than 1 seconds"):
        list(database.stream(SLOW, {}, at_most_s=1))


def test_closing_a_stream_cancels_it_and_closes_its_connection(
    database: Database, database_url: str
) -> None:
    rows = database.stream(NUMBERS, {"most": 100_000_000})
    next(rows)
    ((_, state, query),) = _others(database_url)
    assert (state, query) == ("active", NUMBERS.sql)
    rows.close()
    _wait_until_alone(database_url)


def test_unread_stream_opens_no_connection(database: Database, database_url: str) -> None:
    database.stream(NUMBERS, {"most": 1}).close()
    assert _others(database_url) == []


def test_server_that_stops_during_a_stream_is_an_error(
    database: Database, database_url: str
) -> None:
    rows = database.stream(NUMBERS, {"most": 10_000_000})
    next(rows)
    ((pid, *_),) = _others(database_url)
    with psycopg.connect(database_url) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(Unavailable):
        for _ in rows:
            pass


def test_unreachable_server_is_an_error() -> None:
    with pytest.raises(Unavailable):
        next(Database(lambda: "postgresql://127.0.0.1:1/none").stream(NUMBERS, {"most": 1}))


def test_export_is_one_snapshot(database_url: str, database: Database) -> None:
    insert = (
        "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
        " SELECT 'k' || n, repeat('x', 4000), 'count', 'flow', true"
        " FROM generate_series({}, {}) AS n"
    )
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(insert.format(1, 5000))
        seen = []
        pieces = export(database, _metrics(), seen=lambda: seen.append(1))
        first = next(pieces)
        assert len(seen) < 1000
        connection.execute(insert.format(5001, 5002))
        connection.execute("UPDATE metrics SET label = 'changed'")
        whole_file = first + b"".join(pieces)
        connection.execute("DELETE FROM metrics")
    assert whole_file.count(b"\n") == len(seen) == 5000
    assert b"changed" not in whole_file


def test_closing_an_export_ends_its_statement(database_url: str, database: Database) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
            " SELECT 'k' || n, repeat('x', 4000), 'count', 'flow', true"
            " FROM generate_series(1, 5000) AS n"
        )
    _wait_until_alone(database_url)
    for form in ("ndjson", "csv", "parquet"):
        pieces = export(database, _metrics(form))
        next(pieces)
        assert len(_others(database_url)) == 1
        pieces.close()
        _wait_until_alone(database_url)


def _metrics(form="ndjson"):
    return read_export("metrics", [("format", form)])


def test_filters_select_the_rows(exported: Exported, documents: Documents) -> None:
    external_id = documents("claims")[3]["external_id"]
    assert exported("claims", "ndjson", ("external_id", external_id)).count(b"\n") == 1
    both = [("modality", "opinion"), ("figures__isnull", "true")]
    opinions = [claim for claim in documents("claims") if claim["modality"] == "opinion"]
    without = [claim for claim in opinions if not claim["figures"]]
    assert exported("claims", "ndjson", *both).count(b"\n") == len(without) > 0


@pytest.mark.parametrize("name", ["nothing", "", "statement__gt"])
def test_unknown_filters_are_refused(name: str) -> None:
    with pytest.raises(Malformed) as refused:
        read_export("claims", [(name, "x"), ("time__within", "soon")])
    assert [fault.parameter for fault in refused.value.faults] == [name, "time__within"]
