"""Pools of connections for reading."""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import psycopg

from hksz_db.database.connecting import Connection, is_closed


class ReaderPool:
    """Idle connections in autocommit mode, each lent for one statement.

    There is no upper bound: a process has no more readers than threads. With psycopg_pool in its
    place, a read by id took 20 % longer.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        configure: Callable[[Connection], None] | None = None,
    ) -> None:
        self._connect = connect
        self._configure = configure
        self._idle: deque[Connection] = deque()

    @contextmanager
    def reader(self) -> Iterator[Connection]:
        """Lend a connection, which ``configure`` has prepared."""
        connection = self._take()
        try:
            yield connection
        except psycopg.errors.FeatureNotSupported:
            # "cached plan must not change result type": its prepared statements are outdated.
            connection.close()
            raise
        finally:
            if not connection.closed:
                self._idle.append(connection)

    def _take(self) -> Connection:
        # Appending to a deque and popping are safe between threads.
        while self._idle:
            with suppress(IndexError):
                connection = self._idle.pop()
                if not is_closed(connection):
                    return connection
                connection.close()
        connection = self._connect()
        if self._configure is not None:
            self._configure(connection)
        return connection

    def close(self) -> None:
        """Close the idle connections."""
        while self._idle:
            with suppress(IndexError):
                self._idle.pop().close()


def use_generic_plans(connection: Connection) -> None:
    """Plan each prepared statement once, for all values.

    The plan is kept while the tables grow. One that reads a whole table while that is short would
    be slow later.
    """
    connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
