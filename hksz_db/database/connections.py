"""Where a ``Database`` gets its connections: from pools in production, otherwise in tests."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from functools import cached_property, partial
from typing import Any, Protocol

import psycopg
import sqlalchemy
from sqlalchemy import Engine, QueuePool, event

from hksz_db.database.connecting import Connection, Connector, is_closed
from hksz_db.database.deadlines import restore_limit, waiting
from hksz_db.database.statements import PreparingConnection
from hksz_db.domain.errors import NotReplicated, OutsideHistory

# A statement is planned once, for all values, and the plan is kept while the tables grow: one that
# reads a whole table while that is short would be slow later. Writers use such plans too: otherwise
# PostgreSQL plans a statement with lists of ids anew each time, which takes longer than to run it.
GENERIC_PLANS = {"plan_cache_mode": "force_generic_plan", "enable_seqscan": "off"}

# If a query matches few rows, they are to be looked up by index: unlike what PostgreSQL assumes,
# the tables are in memory or on an SSD.
PREFER_INDEXES = {"random_page_cost": "1.1"}

_SET_AS_OF = (
    b"SELECT within, began, set_config('hksz.as_of', last::text, true),"
    b" set_config('hksz.as_of_missing', missing::text, true),"
    b" set_config('search_path', 'as_of, ' || current_setting('search_path'), true)"
    b" FROM as_of_moment($1)"
)

POOL_SIZE = 8
"""How many connections of each kind a pool keeps open, unless told otherwise."""

# A plan with the views of the history takes several megabytes.
_PREPARED_AS_OF = 20

Session = sqlalchemy.Connection
"""What a transaction runs in; ``run`` executes a statement in it."""


def driver_connection(session: Session) -> PreparingConnection:
    """The connection of the driver in which the transaction runs."""
    connection = session.connection.driver_connection
    assert isinstance(connection, PreparingConnection)
    return connection


class Connections(Protocol):
    """A source of connections."""

    def transaction(self) -> AbstractContextManager[Session]:
        """Begin a transaction, which is committed when the block ends."""

    def read(
        self,
        sql: bytes,
        arguments: Sequence[object],
        as_of: datetime | None = None,
        *,
        generic_plans: bool = False,
    ) -> list[tuple[Any, ...]]:
        """Run one statement outside a transaction, as of a moment, and return all rows."""

    def untimed_reader(
        self, as_of: datetime | None, at_most_s: int
    ) -> AbstractContextManager[Connection]:
        """Lend a connection for one statement that may take ``at_most_s`` (0: any time)."""

    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """The number of connections in use, and of idle ones, by the name of a pool."""

    def close(self) -> None:
        """Close every connection that is not in use; others are opened when needed."""


class PooledConnections:
    """Connections to one database, of which ``size`` of each kind stay open for the next user.

    The kinds are those for transactions, for reads, for reads of the past, and for reads with plans
    for all values.
    """

    def __init__(self, connector: Connector, size: int = POOL_SIZE) -> None:
        self._connector = connector
        self._size = size
        plain, generic = (
            partial(connector.connect, settings) for settings in (PREFER_INDEXES, GENERIC_PLANS)
        )
        self._plain = _ReaderPool(plain, size)
        # Of its own, because other settings of the path make PostgreSQL plan statements anew.
        self._as_of = _ReaderPool(self._connect_to_history, size)
        self._generic_plans = _ReaderPool(generic, size)

    @cached_property
    def engine(self) -> Engine:
        """The pool of connections for transactions."""
        engine = sqlalchemy.create_engine(
            "postgresql+psycopg://",
            pool_size=self._size,
            # No limit: the threads of the worker are limited, and each needs one at most.
            max_overflow=-1,
            # The server has the plans of the connection that was used last in its caches.
            pool_use_lifo=True,
            creator=partial(self._connector.open, GENERIC_PLANS),
        )
        event.listen(engine, "checkout", _replace_closed)
        event.listen(engine, "begin", lambda session: driver_connection(session).begin())
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Begin a transaction: committed when the block ends, rolled back when it raises."""
        with self.engine.connect() as connection:
            transaction = connection.begin()
            driver = driver_connection(connection)
            try:
                yield connection
            except BaseException:
                with waiting(driver, b"ROLLBACK"):
                    transaction.rollback()
                raise
            else:
                # The caller may have committed.
                if transaction.is_active:
                    with waiting(driver, b"COMMIT"):
                        transaction.commit()
            finally:
                restore_limit(driver)

    def read(
        self,
        sql: bytes,
        arguments: Sequence[object],
        as_of: datetime | None = None,
        *,
        generic_plans: bool = False,
    ) -> list[tuple[Any, ...]]:
        """Run one statement on a connection from the pool that suits it, and return all rows."""
        if as_of is not None:
            with self._as_of.reader() as reader, as_of_snapshot(reader, as_of):
                return reader.fetch(sql, arguments)
        with (self._generic_plans if generic_plans else self._plain).reader() as reader:
            return reader.fetch(sql, arguments)

    @contextmanager
    def untimed_reader(self, as_of: datetime | None, at_most_s: int) -> Iterator[Connection]:
        """Open a connection and close it afterwards."""
        with self._connector.untimed_connection(at_most_s) as connection:
            if as_of is not None:
                with as_of_snapshot(connection, as_of):
                    yield connection
                return
            connection.begin(b"READ ONLY")
            try:
                yield connection
            finally:
                connection.commit_reads()

    def sizes(self) -> Mapping[str, tuple[int, int]]:
        """The number of connections in use, and of idle ones, by the name of a pool."""
        sizes = {
            "reads": self._plain.size,
            "reads_as_of": self._as_of.size,
            "reads_by_generic_plan": self._generic_plans.size,
        }
        if "engine" in self.__dict__:
            pool = self.engine.pool
            assert isinstance(pool, QueuePool)
            sizes["writes"] = pool.checkedout(), pool.checkedin()
        return sizes

    def close(self) -> None:
        """Close every connection that is not in use."""
        for pool in (self._plain, self._as_of, self._generic_plans):
            pool.close()
        if "engine" in self.__dict__:
            self.engine.dispose()

    def _connect_to_history(self) -> PreparingConnection:
        connection = self._connector.connect(PREFER_INDEXES)
        connection.most_prepared = _PREPARED_AS_OF
        return connection


def _replace_closed(connection: Connection, *_: object) -> None:
    if is_closed(connection):
        raise sqlalchemy.exc.DisconnectionError


class _ReaderPool:
    """Idle connections in autocommit mode, at most ``size``, each lent for one statement.

    More can be in use: a process has no more readers than threads. With psycopg_pool in its place,
    a read by id took 20 % longer.
    """

    def __init__(self, connect: Callable[[], PreparingConnection], size: int) -> None:
        self._connect = connect
        self._size = size
        self._idle: deque[PreparingConnection] = deque()
        # A set, because threads may add and remove without a lock.
        self._lent: set[PreparingConnection] = set()

    @property
    def size(self) -> tuple[int, int]:
        return len(self._lent), len(self._idle)

    @contextmanager
    def reader(self) -> Iterator[PreparingConnection]:
        connection = self._take()
        self._lent.add(connection)
        try:
            yield connection
        except psycopg.errors.FeatureNotSupported:
            # "cached plan must not change result type": its prepared statements are outdated.
            connection.close()
            raise
        finally:
            self._lent.discard(connection)
            if len(self._idle) >= self._size:
                connection.close()
            elif not connection.closed:
                self._idle.append(connection)

    def _take(self) -> PreparingConnection:
        while connection := self._idle_one():
            if not is_closed(connection):
                return connection
            connection.close()
        return self._connect()

    def close(self) -> None:
        while connection := self._idle_one():
            connection.close()

    def _idle_one(self) -> PreparingConnection | None:
        # Popping is safe between threads, while a test for emptiness before it is not.
        try:
            return self._idle.pop()
        except IndexError:
            return None


@contextmanager
def as_of_snapshot(connection: PreparingConnection, moment: datetime) -> Iterator[None]:
    """Answer every statement in the block from one snapshot, as of the moment.

    First this waits for transactions that were about to commit at the moment. It then determines in
    the snapshot that also answers which transactions are missing as of the moment: one that commits
    in between is in neither. All settings end with the transaction, so that no later statement is
    answered from the past, whoever shares the session.
    """
    with _limits_of_history():
        connection.fetch(b"SELECT within FROM as_of_moment($1)", [moment])
        connection.begin(b"ISOLATION LEVEL REPEATABLE READ READ ONLY")
        try:
            set_as_of(connection, moment)
            yield
        finally:
            connection.commit_reads()


@contextmanager
def _limits_of_history() -> Iterator[None]:
    try:
        yield
    except psycopg.errors.ObjectNotInPrerequisiteState as error:
        raise NotReplicated(error.diag.message_primary or "") from error


def set_as_of(connection: PreparingConnection, moment: datetime) -> None:
    """Make every table with a history show the moment, until the transaction ends.

    Raises ``OutsideHistory``.
    """
    ((within, began, *_),) = connection.fetch(_SET_AS_OF, [moment])
    if not within:
        raise OutsideHistory(
            f"as_of must be a moment from {began:%Y-%m-%dT%H:%M:%S.%fZ} until now."
        )
