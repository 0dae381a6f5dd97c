"""Databases for the tests: a server per run, a clone per module, a transaction per test."""

import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy
from hypothesis import settings
from psycopg.adapt import AdaptersMap
from psycopg.pq import Format
from sqlalchemy import text

from hksz_db.database import Database, Session, driver_url, run
from hksz_db.database.connecting import Connector
from hksz_db.database.connections import PooledConnections, driver_connection, set_as_of
from hksz_db.database.statements import PreparingConnection, load_as_bytes
from hksz_db.embedded import Server, running
from hksz_db.preparing import seed_folders, upgrade
from hksz_db.services import seeding
from hksz_db.services.writing import writing
from tests.samples import write_unseeded_rows

# The same examples in every run, however slow the machine.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

TEMPLATES = ("empty", "migrated")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of the tests with a real browser, and of tests on a newer schema."""
    parser.addoption(
        "--screenshots", type=Path, metavar="FOLDER", help="a folder for pictures of every page"
    )
    parser.addoption(
        "--schema-of", type=Path, metavar="FOLDER", help="a newer release whose schema is used"
    )


WaitForLock = Callable[[Database], None]


@contextmanager
def _public_folder() -> Iterator[Path]:
    # The account of root's server cannot enter pytest's own temporary folders.
    with tempfile.TemporaryDirectory(prefix="hksz-test-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A new folder that the account of an embedded server can enter."""
    with _public_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server, which is removed when the run ends."""
    with _public_folder() as folder, running(folder / "db", durable=False) as server:
        yield server


MakeDatabase = Callable[..., AbstractContextManager[str]]


def _migrate(url: str, release: Path | None) -> None:
    """Give a database the schema of this code, or of a newer release."""
    if release is None:
        upgrade(driver_url(url))
        return
    subprocess.run(
        [release / ".venv/bin/python", "-m", "alembic", "upgrade", "head"],
        cwd=release,
        env={**os.environ, "DATABASE_URL": url},
        check=True,
    )


@pytest.fixture(scope="session")
def make_database(server: Server, pytestconfig: pytest.Config) -> MakeDatabase:
    """``with make_database() as url``: a new database, ``"migrated"`` or ``"empty"``."""

    def administer(sql: str) -> None:
        with psycopg.connect(server.url("postgres", superuser=True), autocommit=True) as connection:
            connection.execute(sql.encode())

    for template in TEMPLATES:
        administer(f"CREATE DATABASE {template} OWNER hksz")
    _migrate(server.url("migrated"), pytestconfig.getoption("--schema-of"))
    numbers = count(1)

    @contextmanager
    def make(template: str = "migrated") -> Iterator[str]:
        name = f"clone_{next(numbers)}"
        administer(f"CREATE DATABASE {name} OWNER hksz TEMPLATE {template} STRATEGY FILE_COPY")
        yield server.url(name)
        administer(f"DROP DATABASE {name} WITH (FORCE)")

    return make


@pytest.fixture(scope="session")
def all_seeds(make_database: MakeDatabase) -> Iterator[str]:
    """The name of a database with every shipped seed, to be cloned."""
    with make_database() as url:
        database = Database(lambda: url)
        for folder in seed_folders():
            with writing(database) as session:
                seeding.load(session, folder)
        database.close()
        write_unseeded_rows(url)
        name = sqlalchemy.make_url(url).database
        assert name
        yield name


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase) -> Iterator[str]:
    """A migrated database for the module; commits to it last until the module ends."""
    with make_database() as url:
        yield url


class TransientConnections:
    """A source of one connection, whose transaction is rolled back after the test.

    Transactions and reads are savepoints in it. Constraints and settings behave as if each
    transaction committed. One thing differs: ``now()`` does not advance.
    """

    def __init__(self, connection: sqlalchemy.Connection) -> None:
        self.engine = connection
        connection.begin()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A savepoint: released when the block ends, rolled back when it raises."""
        with self.engine.begin_nested():
            yield self.engine
            self.engine.execute(
                text(
                    "SET CONSTRAINTS ALL IMMEDIATE;"
                    " SET CONSTRAINTS entities_id_name_name_language_fkey DEFERRED;"
                    " SET LOCAL hksz.actor = ''; SET LOCAL hksz.request_id = '';"
                    " SET LOCAL hksz.transaction = ''"
                )
            )

    def read(
        self,
        sql: bytes,
        arguments: Sequence[object],
        as_of: datetime | None = None,
        *,
        generic_plans: bool = False,
    ) -> list[tuple[Any, ...]]:
        """All rows of a statement."""
        del generic_plans
        with self._reader(as_of) as connection:
            return connection.fetch_as_bytes(sql, arguments)

    @contextmanager
    def _reader(self, as_of: datetime | None) -> Iterator[PreparingConnection]:
        """The one connection, in a savepoint, so that a failed statement leaves it usable."""
        connection = driver_connection(self.engine)
        with connection.transaction():
            if as_of is None:
                yield connection
                return
            set_as_of(connection, as_of)
            yield connection
            connection.command(b"RESET search_path")

    @contextmanager
    def untimed_reader(
        self, as_of: datetime | None, at_most_s: int
    ) -> Iterator[PreparingConnection]:
        """The one connection, because another would not see the rows of the test."""
        del at_most_s
        with self._reader(as_of) as connection, _bytes_loaded(connection.adapters):
            yield connection

    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """No pools."""
        return {}

    def close(self) -> None:
        """Leave the connection to the fixture."""


@contextmanager
def _bytes_loaded(adapters: AdaptersMap) -> Iterator[None]:
    """Load JSON and text as bytes, as reading connections do, while the block runs."""
    oids = {name: adapters.types[name].oid for name in ("json", "text")}
    usual = {name: adapters.get_loader(oid, Format.TEXT) for name, oid in oids.items()}
    load_as_bytes(adapters)
    try:
        yield
    finally:
        for name, loader in usual.items():
            assert loader
            adapters.register_loader(name, loader)


@pytest.fixture(scope="module")
def _engine(database_url: str) -> Iterator[sqlalchemy.Engine]:
    # Tests insert thousands of rows at once, on machines that also do other work.
    connections = PooledConnections(Connector(lambda: database_url, statement_timeout_ms=60_000))
    yield connections.engine
    connections.close()


@pytest.fixture
def connections(_engine: sqlalchemy.Engine) -> Iterator[TransientConnections]:
    """The connections of a test."""
    with _engine.connect() as connection:
        yield TransientConnections(connection)


@pytest.fixture
def database(connections: TransientConnections, database_url: str) -> Database:
    """The module's database; what the test writes is rolled back after it."""
    return Database(lambda: database_url, connections=connections)


@pytest.fixture
def session(connections: TransientConnections) -> Session:
    """The session of the test's transaction."""
    return connections.engine


@pytest.fixture(scope="session")
def wait_for_a_lock() -> WaitForLock:
    """``wait_for_a_lock(database)`` returns as soon as a connection waits for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    pause = threading.Event()

    def wait(database: Database) -> None:
        for _ in range(400):
            with database.transaction() as session:
                if run(session, waiting) != [(0,)]:
                    return
            pause.wait(0.005)
        raise AssertionError("no connection waits for a lock")

    return wait


@dataclass
class Counted:
    """The statements that were executed, in order."""

    statements: list[str] = field(default_factory=list)


QueryCounter = Callable[[], AbstractContextManager[Counted]]

# Statements that a transaction needs here and not in production.
_OF_SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "SET CONSTRAINTS")


@pytest.fixture
def query_counter(monkeypatch: pytest.MonkeyPatch) -> QueryCounter:
    """``with query_counter() as counted``: counts what this thread executes in the block.

    Other threads may still listen for changes on behalf of an earlier test.
    """

    @contextmanager
    def count_statements() -> Iterator[Counted]:
        counted, mine = Counted(), threading.get_ident()

        def counting(run: Callable[..., Any]) -> Callable[..., Any]:
            def run_and_count(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
                sql = query.decode() if isinstance(query, bytes) else str(query)
                if threading.get_ident() == mine and not sql.startswith(_OF_SAVEPOINTS):
                    counted.statements.append(sql)
                return run(cursor, query, *args, **options)

            return run_and_count

        with monkeypatch.context() as patch:
            for name in ("execute", "stream"):
                patch.setattr(psycopg.Cursor, name, counting(getattr(psycopg.Cursor, name)))
            for name in ("fetch", "fetch_as_bytes"):
                run = getattr(PreparingConnection, name)
                patch.setattr(PreparingConnection, name, counting(run))
            yield counted

    return count_statements
