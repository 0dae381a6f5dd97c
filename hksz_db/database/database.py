"""The database: transactions for writers, prepared statements and bytes for readers."""

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

import psycopg
from psycopg import RawCursor
from sqlalchemy.orm import Session

from hksz_db.database.connecting import (
    Connector,
    absence_as_unavailable,
    check_version,
    is_absence,
)
from hksz_db.database.connections import Connections, PooledConnections
from hksz_db.database.statements import Prepared
from hksz_db.domain.errors import Unavailable

# Enough rows of a stream to make round trips cheap, and few enough to hold the longest documents.
_ROWS_AT_ONCE = 50


class Database:
    """The database at the URL that ``locate`` returns when it is first needed.

    ``connections`` replaces the pools. Raises ``DatabaseUnusable`` when the URL is invalid, and
    ``Unavailable`` when no server answers.
    """

    def __init__(
        self,
        locate: Callable[[], str],
        *,
        statement_timeout_ms: int = 5000,
        connections: Connections | None = None,
    ) -> None:
        self.connector = Connector(locate, statement_timeout_ms)
        self.connections = connections or PooledConnections(self.connector)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Begin a transaction: committed when the block ends, rolled back when it raises."""
        with absence_as_unavailable(), self.connections.transaction() as session:
            yield session

    def read(
        self, statement: Prepared, values: Mapping[str, Any], as_of: datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one reading statement, prepared, outside a transaction.

        With ``as_of``, it is answered as of that moment; raises ``OutsideHistory`` when the history
        does not reach it. ``json`` and ``text`` columns are the bytes that PostgreSQL sent. If an
        idle connection has become unusable (the server was restarted, or a migration outdated a
        plan), the idle connections are closed and the statement is run again, once.
        """
        try:
            return self._read(statement, values, as_of)
        except psycopg.errors.FeatureNotSupported:
            pass
        except psycopg.OperationalError as error:
            if not is_absence(error):
                raise
        self.connections.close()
        with absence_as_unavailable():
            return self._read(statement, values, as_of)

    def _read(
        self, statement: Prepared, values: Mapping[str, Any], as_of: datetime | None
    ) -> list[tuple[Any, ...]]:
        lent = self.connections.reader(as_of, generic_plans=statement.generic_plan)
        with lent as connection:
            cursor = RawCursor(connection)
            cursor.execute(statement.sql.encode(), statement.arguments(values), prepare=True)
            return cursor.fetchall()

    def stream(
        self,
        statement: Prepared,
        values: Mapping[str, Any],
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
            raise Unavailable(f"It took longer than {at_most_s} seconds.") from error

    def explain(
        self, statement: Prepared, values: Mapping[str, Any], as_of: datetime | None = None
    ) -> int:
        """Return the number of rows that the planner expects the statement to return."""
        plan_of = replace(statement, sql=f"EXPLAIN (FORMAT JSON) {statement.sql}")
        ((plan,),) = self.read(plan_of, values, as_of)
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])

    def check_version(self) -> None:
        """Raise ``DatabaseUnusable`` unless the server is PostgreSQL 18 or newer."""
        with self.connections.reader() as connection:
            check_version(connection.info.server_version)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.connections.close()
