"""Connections answer and fail as cursors of psycopg do."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, date, datetime
from uuid import UUID

import psycopg
import pytest
from psycopg import RawCursor

from hksz_db.database import Database, run
from hksz_db.database.connecting import Connector, is_absence
from hksz_db.database.statements import PreparingConnection

ID = UUID(int=1)


@pytest.fixture
def reader(database_url: str) -> Iterator[PreparingConnection]:
    with closing(Connector(lambda: database_url, 5000).connect()) as connection:
        yield connection


@pytest.mark.parametrize(
    ("sql", "arguments"),
    [
        (b"SELECT $1::uuid, $2::text[], $3::daterange", [ID, ["a'", "b"], "[2024-01-01,)"]),
        (b"SELECT $1::int, $1::text, $2::numeric, $3", [7, None, "x"]),
        (b"SELECT $1::date, $2::timestamptz", [date(2024, 1, 2), datetime(2024, 1, 2, tzinfo=UTC)]),
        (b"SELECT row_to_json(r), true FROM (SELECT 1 AS a UNION SELECT 2 ORDER BY a) AS r", []),
        (b"SELECT FROM claims WHERE id = $1", [ID]),
    ],
)
def test_a_reader_returns_what_a_cursor_returns(
    reader: PreparingConnection, sql: bytes, arguments: list[object]
) -> None:
    expected = RawCursor(reader).execute(sql, arguments, prepare=True).fetchall()
    for _ in range(2):
        assert reader.fetch(sql, arguments) == expected


def test_arguments_of_other_types_are_prepared_for(reader: PreparingConnection) -> None:
    numbers = [1, 2**20, 2**40, None]
    assert [reader.fetch(b"SELECT $1::bigint", [n]) for n in numbers] == [[(n,)] for n in numbers]


def test_the_least_recently_used_statements_are_forgotten(reader: PreparingConnection) -> None:
    reader.most_prepared = 2
    for number in (1, 2, 1, 3):
        reader.fetch(b"SELECT %d" % number, [])
    kept = reader.execute("SELECT statement FROM pg_prepared_statements ORDER BY 1").fetchall()
    assert kept == [(b"SELECT 1",), (b"SELECT 3",)]
    assert reader.fetch(b"SELECT 2", []) == [(2,)]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        (b"SELECT FROM absent", psycopg.errors.UndefinedTable),
        (b"SELECT 1 / $1::int", psycopg.errors.DivisionByZero),
        (b"SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(1)", psycopg.errors.QueryCanceled),
    ],
)
def test_a_refusal_is_raised_as_its_error(
    reader: PreparingConnection, sql: bytes, error: type[psycopg.Error]
) -> None:
    arguments = [0] if b"$1" in sql else []
    with pytest.raises(error):
        reader.fetch(sql, arguments)


def test_a_lost_connection_is_an_absence(reader: PreparingConnection) -> None:
    reader.fetch(b"SELECT 1", [])
    with pytest.raises(psycopg.OperationalError):
        reader.fetch(b"SELECT pg_terminate_backend(pg_backend_pid())", [])
    with pytest.raises(psycopg.OperationalError) as lost:
        reader.fetch(b"SELECT 1", [])
    assert is_absence(lost.value)
    assert reader.closed


def test_statements_of_writers_stay_prepared_after_a_rollback(database_url: str) -> None:
    with closing(Database(lambda: database_url, pool_size=1)) as database:
        for _ in range(2):
            with pytest.raises(psycopg.errors.DivisionByZero), database.transaction() as session:
                run(session, "SELECT 1 / $1::int", 0)
        with database.transaction() as session:
            prepared = run(session, "SELECT statement FROM pg_prepared_statements")
    assert prepared == [("SELECT 1 / $1::int",), ("SELECT statement FROM pg_prepared_statements",)]


def test_a_writer_prepares_anew_what_is_outdated(database_url: str) -> None:
    def read(database: Database) -> list[tuple[object, ...]]:
        with database.transaction() as session:
            return run(session, "SELECT * FROM changing")

    with (
        psycopg.connect(database_url, autocommit=True) as other,
        closing(Database(lambda: database_url, pool_size=1)) as database,
    ):
        other.execute("CREATE TABLE changing (a integer)")
        assert read(database) == []
        other.execute("ALTER TABLE changing ADD b integer; INSERT INTO changing VALUES (1, 2)")
        with pytest.raises(psycopg.errors.FeatureNotSupported):
            read(database)
        assert read(database) == [(1, 2)]
        other.execute("DROP TABLE changing")
