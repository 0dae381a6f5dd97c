"""Databases for the tests: one server per run, one clone per module, one transaction per test."""

import tempfile
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
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
from sqlalchemy.orm import Session

from hksz_db.database import Database, Prepared, _leave_bytes, driver_url, look_at, run, turn_back
from hksz_db.embedded import Server, running
from hksz_db.migrating import upgrade
from hksz_db.preparing import seed_folders
from hksz_db.services import seeding
from hksz_db.services.writing import writing

# The same examples in every run, on slow machines too.
settings.register_profile("steady", deadline=None, derandomize=True)
settings.load_profile("steady")

TEMPLATES = ("empty", "migrated")


@contextmanager
def _public_folder() -> Iterator[Path]:
    # For root, the server runs under another account, which cannot read pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="hksz-test-", dir="/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def public_folder() -> Iterator[Path]:
    """A new folder that the account of an embedded server can read."""
    with _public_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """A PostgreSQL server for the test run."""
    with _public_folder() as folder, running(folder / "db", durable=False) as server:
        yield server


MakeDatabase = Callable[..., AbstractContextManager[str]]


@pytest.fixture(scope="session")
def make_database(server: Server) -> MakeDatabase:
    """``with make_database() as url``: a new clone of ``"migrated"`` or ``"empty"``."""

    def administer(sql: str) -> None:
        with psycopg.connect(server.url("postgres", superuser=True), autocommit=True) as connection:
            connection.execute(sql.encode())

    for template in TEMPLATES:
        administer(f"CREATE DATABASE {template} OWNER hksz")
    upgrade(driver_url(server.url("migrated")))
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
    """The name of a template database with all shipped seeds."""
    with make_database() as url:
        database = Database(lambda: url)
        for folder in seed_folders():
            with writing(database) as session:
                seeding.load(session, folder)
        database.close()
        name = sqlalchemy.make_url(url).database
        assert name
        yield name


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase) -> Iterator[str]:
    """A migrated database for the module; commits are visible to later tests of the module."""
    with make_database() as url:
        yield url


class TransientDatabase(Database):
    """A database in one transaction that is rolled back after the test.

    Transactions and reads are savepoints. The deferred triggers of a commit run at the end of the
    savepoint. One thing differs: ``now()`` does not advance.
    """

    def __init__(self, url: str, connection: sqlalchemy.Connection) -> None:
        super().__init__(lambda: url)
        # The connection replaces the pool. Each session makes a savepoint within this one.
        self.__dict__["engine"] = connection
        connection.begin()
        connection.begin_nested()

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A savepoint, which is released at the end of the block or rolled back on an error."""
        with super().transaction() as session:
            yield session
            session.execute(
                text(
                    "SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED;"
                    " SET LOCAL hksz.actor = ''; SET LOCAL hksz.request_id = '';"
                    " SET LOCAL hksz.transaction = ''"
                )
            )

    @contextmanager
    def reader(self) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """The connection, in a savepoint that undoes a failed statement."""
        connection = self.engine.connection.driver_connection  # type: ignore[attr-defined]
        with connection.transaction(), _bytes_left(connection.adapters):
            yield connection

    @contextmanager
    def reader_planning_once(self) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """The connection with its usual planning."""
        with self.reader() as connection:
            yield connection

    @contextmanager
    def reader_as_of(self, moment: datetime) -> Iterator["psycopg.Connection[tuple[Any, ...]]"]:
        """The connection, which shows the past during the block."""
        with self.reader() as connection:
            turn_back(connection)
            look_at(connection, moment)
            yield connection
            connection.execute("RESET search_path")

    def stream(
        self,
        statement: Prepared,
        values: Mapping[str, Any],
        as_of: datetime | None = None,
        *,
        at_most_s: int = 0,
    ) -> Generator[tuple[Any, ...]]:
        """All rows at once, because another connection would not see the writes of the test."""
        del at_most_s
        yield from self.read(statement, values, as_of)

    def close(self) -> None:
        """Do nothing: the fixture closes the connection."""


@contextmanager
def _bytes_left(adapters: AdaptersMap) -> Iterator[None]:
    """Use the loaders of reading connections during the block."""
    oids = {name: adapters.types[name].oid for name in ("json", "text")}
    usual = {name: adapters.get_loader(oid, Format.TEXT) for name, oid in oids.items()}
    _leave_bytes(adapters)
    try:
        yield
    finally:
        for name, loader in usual.items():
            assert loader
            adapters.register_loader(name, loader)


@pytest.fixture(scope="module")
def _pool(database_url: str) -> Iterator[Database]:
    # Some tests create thousands of rows, and the machine may be busy.
    pool = Database(lambda: database_url, statement_timeout_ms=60_000)
    yield pool
    pool.close()


@pytest.fixture
def database(_pool: Database, database_url: str) -> Iterator[Database]:
    """The database of the module; the writes of the test are rolled back."""
    with _pool.engine.connect() as connection:
        yield TransientDatabase(database_url, connection)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    """A session in the transaction of the test."""
    with Session(database.engine, autoflush=False) as session:
        yield session


@pytest.fixture(scope="session")
def wait_for_a_lock() -> Callable[[Database], None]:
    """``wait_for_a_lock(database)`` returns as soon as a transaction waits for a lock."""
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
        raise AssertionError("no transaction waits for a lock")

    return wait


@dataclass
class Counted:
    """The executed statements in order."""

    statements: list[str] = field(default_factory=list)


QueryCounter = Callable[[], AbstractContextManager[Counted]]

# Statements of the test double, which production does not send.
_IGNORED = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT", "SET CONSTRAINTS")


@pytest.fixture
def query_counter(monkeypatch: pytest.MonkeyPatch) -> QueryCounter:
    """``with query_counter() as counted``: counts the statements of this thread in the block.

    Threads of earlier tests may still listen for changes.
    """

    @contextmanager
    def counting() -> Iterator[Counted]:
        counted, mine = Counted(), threading.get_ident()
        execute = psycopg.Cursor.execute

        def counted_execute(cursor: Any, query: Any, *args: Any, **options: Any) -> Any:
            sql = query.decode() if isinstance(query, bytes) else str(query)
            if threading.get_ident() == mine and not sql.startswith(_IGNORED):
                counted.statements.append(sql)
            return execute(cursor, query, *args, **options)

        with monkeypatch.context() as patch:
            patch.setattr(psycopg.Cursor, "execute", counted_execute)
            yield counted

    return counting
