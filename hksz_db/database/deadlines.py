"""Time limits for the answers of a server.

A server that is frozen, or a network that loses packets, sends neither an answer nor an error, and
libpq waits without a limit. So a thread shuts down the sockets of connections that have waited for
too long, and those who wait get the error of a broken connection.
"""

import math
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Lock, Thread
from weakref import WeakKeyDictionary, WeakSet

import psycopg
import structlog

from hksz_db.domain.errors import Cause, Unavailable

_CHECKED_EVERY_S = 0.25
_lock = Lock()
_limits: WeakKeyDictionary[psycopg.Connection, float] = WeakKeyDictionary()
_waiting: dict[psycopg.Connection, float] = {}
_ended: WeakSet[psycopg.Connection] = WeakSet()
_unlimited: WeakSet[psycopg.Connection] = WeakSet()
_started = Event()
_slow_s = math.inf
# Enough to recognise a statement; lists with all embeds are several times as long.
_LONGEST_SHOWN = 2000
_log = structlog.get_logger(__name__)


def limit_waiting(connection: psycopg.Connection, seconds: float) -> None:
    """Let each wait in ``waiting`` for this connection take so many seconds at most."""
    _limits[connection] = seconds
    with _lock:
        if not _started.is_set():
            Thread(target=_end_late_ones, name="database deadlines", daemon=True).start()
            _started.set()


def log_slow_statements(seconds: float) -> None:
    """From now on, log statements for which somebody has waited longer."""
    global _slow_s  # noqa: PLW0603  # what is logged concerns the whole process
    _slow_s = seconds


def lift_limit(connection: psycopg.Connection) -> None:
    """Let each wait for this connection take any time, until ``restore_limit``."""
    _unlimited.add(connection)


def restore_limit(connection: psycopg.Connection) -> None:
    """Limit waits for this connection again, if they were limited."""
    _unlimited.discard(connection)


@contextmanager
def waiting(connection: psycopg.Connection, statement: bytes = b"") -> Iterator[None]:
    """Wait for one answer in the block, to a ``statement`` with ``$n`` in place of its values.

    Raises ``Unavailable`` if it does not come in time; then the connection is broken.
    """
    limit = _limits.get(connection)
    if limit is None or connection in _unlimited:
        yield
        return
    begun = time.monotonic()
    with _lock:
        _waiting[connection] = begun + limit
    try:
        yield
    except psycopg.OperationalError as error:
        if connection in _ended:
            raise Unavailable("The database did not answer in time.", cause=Cause.LATE) from error
        raise
    finally:
        # With the lock, because the descriptor may belong to something else afterwards.
        with _lock:
            del _waiting[connection]
        if (seconds := time.monotonic() - begun) > _slow_s:
            shape = " ".join(statement.decode().split())
            _log.warning(
                "slow_statement", seconds=round(seconds, 3), statement=shape[:_LONGEST_SHOWN]
            )


def _end_late_ones() -> None:
    while True:
        time.sleep(_CHECKED_EVERY_S)
        with _lock:
            now = time.monotonic()
            late = [connection for connection, end in _waiting.items() if end < now]
            for connection in late:
                if connection not in _ended:
                    _ended.add(connection)
                    _shut_down(connection)


def _shut_down(connection: psycopg.Connection) -> None:
    # It may have broken already.
    with (
        suppress(psycopg.OperationalError, OSError),
        socket.socket(fileno=os.dup(connection.fileno())) as shared,
    ):
        shared.shutdown(socket.SHUT_RDWR)
