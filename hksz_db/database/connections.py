"""Where a ``Database`` gets its connections: from pools in production, otherwise in tests."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property
from typing import Any, Protocol

import sqlalchemy
from sqlalchemy import Engine, event
from sqlalchemy.orm import Session

from hksz_db.database.connecting import Connection, Connector, is_closed
from hksz_db.database.moments import as_of_snapshot, use_history_schema
from hksz_db.database.readers import ReaderPool, use_generic_plans


class Connections(Protocol):
    """A source of connections."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Begin a transaction, which is committed when the block ends."""

    def reader(
        self, as_of: datetime | None = None, *, generic_plans: bool = False
    ) -> AbstractContextManager[Connection]:
        """Lend a connection in autocommit mode for one statement, as of a moment."""

    def untimed_reader(
        self, as_of: datetime | None, at_most_s: int
    ) -> AbstractContextManager[Connection]:
        """Lend a connection for one long statement."""

    def close(self) -> None:
        """Close every connection that is not in use; others are opened when needed."""


class PooledConnections:
    """Connections to one database, which stay open for the next user."""

    def __init__(self, connector: Connector) -> None:
        self._connector = connector
        self._plain = ReaderPool(connector.connect)
        self._as_of = ReaderPool(connector.connect, use_history_schema)
        self._generic_plans = ReaderPool(connector.connect, use_generic_plans)

    @cached_property
    def engine(self) -> Engine:
        """The pool of connections for transactions."""
        engine = sqlalchemy.create_engine(
            self._connector.url,
            pool_size=2,
            max_overflow=8,
            connect_args=self._connector.parameters(),
        )
        event.listen(engine, "checkout", _replace_closed)
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Begin a transaction: committed when the block ends, rolled back when it raises."""
        with Session(self.engine, autoflush=False) as session, session.begin():
            yield session

    def reader(
        self, as_of: datetime | None = None, *, generic_plans: bool = False
    ) -> AbstractContextManager[Connection]:
        """Lend a connection from the pool that suits the statement."""
        if as_of is not None:
            return self._reader_as_of(as_of)
        return (self._generic_plans if generic_plans else self._plain).reader()

    @contextmanager
    def _reader_as_of(self, moment: datetime) -> Iterator[Connection]:
        with self._as_of.reader() as connection, as_of_snapshot(connection, moment):
            yield connection

    @contextmanager
    def untimed_reader(self, as_of: datetime | None, at_most_s: int) -> Iterator[Connection]:
        """Open a connection, whose statements may take ``at_most_s`` (0: any time)."""
        with self._connector.untimed_connection(at_most_s) as connection:
            if as_of is None:
                yield connection
                return
            use_history_schema(connection)
            with as_of_snapshot(connection, as_of):
                yield connection

    def close(self) -> None:
        """Close every connection that is not in use."""
        for pool in (self._plain, self._as_of, self._generic_plans):
            pool.close()
        if "engine" in self.__dict__:
            self.engine.dispose()


def _replace_closed(connection: Connection, *_: Any) -> None:
    if is_closed(connection):
        raise sqlalchemy.exc.DisconnectionError
