"""The database: connections, transactions for writers, and prepared statements for readers.

Services use no ORM objects. A reading statement is compiled once to ``$n`` placeholders, prepared
on each connection and run in autocommit mode, and the bytes that PostgreSQL sends are passed on.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import psycopg
from psycopg import RawCursor
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.sql import ClauseElement

from hksz_db.database.connecting import (
    Connection,
    Connector,
    DatabaseUnusable,
    absence_as_unavailable,
    check_version,
    driver_url,
    explained,
    is_absence,
)
from hksz_db.database.connections import (
    POOL_SIZE,
    Connections,
    PooledConnections,
    Session,
    driver_connection,
)
from hksz_db.database.deadlines import lift_limit
from hksz_db.domain.errors import Cause, Unavailable

__all__ = [
    "Connection",
    "Database",
    "DatabaseUnusable",
    "Prepared",
    "Session",
    "check_version",
    "driver_url",
    "explained",
    "fetch_in",
    "is_absence",
    "lift_time_limit",
    "prepare",
    "run",
    "undone",
]

# Enough rows of a stream to make round trips cheap, and few enough to hold the longest documents.
_ROWS_AT_ONCE = 50
_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Prepared:
    """A statement with ``$n`` placeholders, and the names of their values in order.

    With ``generic_plan``, PostgreSQL plans it once for all values. That pays where planning takes
    longer than running.
    """

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, object]
    generic_plan: bool = False

    def arguments(self, values: Mapping[str, object]) -> list[object]:
        """Return the arguments in the order of the placeholders."""
        return [values[name] if name in values else self.constants[name] for name in self.names]

    @cached_property
    def encoded(self) -> bytes:
        """The text as bytes; prepared statements are found by the hash that these bytes keep."""
        return self.sql.encode()


def prepare(statement: ClauseElement, *, generic_plan: bool = False) -> Prepared:
    """Compile a statement for ``Database.read``. It takes milliseconds: keep the result."""
    compiled = statement.compile(dialect=_NUMBERED)
    names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared(str(compiled), names, constants, generic_plan)


class Database:
    """The database at the URL that ``locate`` returns when it is first needed.

    ``pool_size`` is that of ``PooledConnections``, which ``connections`` replace; the further
    options are those of the ``Connector``. Raises ``DatabaseUnusable`` when the URL is invalid, and
    ``Unavailable`` when no server answers.
    """

    def __init__(
        self,
        locate: Callable[[], str],
        *,
        statement_timeout_ms: int = 5000,
        connections: Connections | None = None,
        pool_size: int = POOL_SIZE,
        via_pooler: bool = False,
        is_replica: bool = False,
    ) -> None:
        self.connector = Connector(
            locate, statement_timeout_ms, via_pooler=via_pooler, is_replica=is_replica
        )
        self.connections = connections or PooledConnections(self.connector, pool_size)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Begin a transaction: committed when the block ends, rolled back when it raises."""
        with absence_as_unavailable(), self.connections.transaction() as session:
            yield session

    def read(
        self, statement: Prepared, values: Mapping[str, object], as_of: datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one reading statement, prepared, outside a transaction.

        With ``as_of``, it is answered as of that moment; raises ``OutsideHistory`` when the history
        does not reach it. ``json`` and ``text`` columns are the bytes that PostgreSQL sent. If an
        idle connection has become unusable (the server was restarted, or a migration outdated a
        plan), the idle connections are closed and the statement is run again, once.
        """
        try:
            return self._read(statement, values, as_of)
        except (psycopg.errors.FeatureNotSupported, psycopg.OperationalError) as error:
            if isinstance(error, psycopg.OperationalError) and not is_absence(error):
                raise
        self.connections.close()
        with absence_as_unavailable():
            return self._read(statement, values, as_of)

    def _read(
        self, statement: Prepared, values: Mapping[str, object], as_of: datetime | None
    ) -> list[tuple[Any, ...]]:
        return self.connections.read(
            statement.encoded,
            statement.arguments(values),
            as_of,
            generic_plans=statement.generic_plan,
        )

    def stream(
        self,
        statement: Prepared,
        values: Mapping[str, object],
        as_of: datetime | None = None,
        *,
        at_most_s: int = 0,
    ) -> Generator[tuple[Any, ...]]:
        """Run one reading statement and yield its rows as they arrive, as ``read`` returns them.

        They come from one snapshot, and only some of them are in memory at a time. The connection
        is not shared and has no time limit but ``at_most_s`` (0: none), after which the server ends
        it, even while it waits for a slow client. Closing the iterator cancels the statement.
        Raises ``Unavailable`` when the server goes away, also halfway, and ``OutsideHistory`` as
        ``read`` does.
        """
        try:
            with (
                absence_as_unavailable(),
                self.connections.untimed_reader(as_of, at_most_s) as connection,
            ):
                yield from RawCursor(connection).stream(
                    statement.sql.encode(), statement.arguments(values), size=_ROWS_AT_ONCE
                )
        except psycopg.errors.TransactionTimeout as error:
            raise Unavailable(
                f"It took longer than {at_most_s} seconds.", cause=Cause.TIMEOUT
            ) from error

    def explain(
        self, statement: Prepared, values: Mapping[str, object], as_of: datetime | None = None
    ) -> int:
        """Return the number of rows that the planner expects the statement to return."""
        plan_of = replace(statement, sql=f"EXPLAIN (FORMAT JSON) {statement.sql}")
        ((plan,),) = self.read(plan_of, values, as_of)
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])

    def check_version(self) -> None:
        """Raise ``DatabaseUnusable`` unless the server is PostgreSQL 18 or newer."""
        ((version,),) = self.connections.read(b"SHOW server_version_num", [])
        check_version(int(version))

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.connections.close()


def fetch_in(
    session: Session, statement: Prepared, values: Mapping[str, object]
) -> list[tuple[Any, ...]]:
    """Run a statement within a session's transaction; rows as ``Database.read`` returns them."""
    connection = driver_connection(session)
    return connection.fetch_as_bytes(statement.encoded, statement.arguments(values))


def run(session: Session, sql: str, *arguments: object) -> list[tuple[Any, ...]]:
    """Run one statement with ``$n`` placeholders within a session's transaction."""
    return driver_connection(session).fetch(sql.encode(), arguments)


@contextmanager
def undone(session: Session) -> Iterator[None]:
    """Roll back what the block writes, and release the locks that it takes."""
    connection = driver_connection(session)
    connection.command(b"SAVEPOINT undone")
    yield
    connection.command(b"ROLLBACK TO SAVEPOINT undone; RELEASE SAVEPOINT undone")


def lift_time_limit(session: Session) -> None:
    """Let the statements of a transaction take any time, here and on the server."""
    lift_limit(driver_connection(session))
    run(session, "SELECT set_config('statement_timeout', '0', true)")
