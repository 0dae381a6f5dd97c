"""Wakes long-polling requests when the feed advances.

The first commit after a quiet moment sends a notification. While commits follow each other closely,
or one is in progress, the listener polls instead, at most twenty times a second. It also polls once
a second when it is quiet, in case a notification is lost, and where there are none.
"""

import threading
import time
from contextlib import closing

import psycopg
import structlog

from hksz_db.database import Connection, Database, DatabaseUnusable
from hksz_db.domain.errors import Unavailable
from hksz_db.feed.pages import Position, horizon_on

CHANNEL = "hksz_changes"
_BUSY_POLL_S = 0.05
_QUIET_POLL_S = 1.0
# How long the connection stays open when no client waits: clients poll again.
_LINGER_S = 60.0
_log = structlog.get_logger(__name__)


class ChangeListener:
    """One connection for all who wait, opened when the first of them comes."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._settled = ""
        self.waiting = 0  # calls of ``wait`` in progress
        self._last_left = 0.0
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def wait(self, beyond: Position, seconds: float) -> bool:
        """Wait until more is settled than ``beyond``; false after so many seconds."""
        with self._changed:
            self.waiting += 1
            if self._thread is None and not self._closed.is_set():
                self._thread = threading.Thread(target=self._run, name="listener", daemon=True)
                self._thread.start()
            try:
                self._changed.wait_for(
                    lambda: self._settled > beyond.at or self._closed.is_set(), seconds
                )
                return self._settled > beyond.at and not self._closed.is_set()
            finally:
                self.waiting -= 1
                self._last_left = time.monotonic()

    def close(self) -> None:
        """Stop listening, and end all calls of ``wait``, present and future."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        try:
            while self._is_needed():
                try:
                    self._listen()
                except (psycopg.Error, Unavailable, DatabaseUnusable) as error:
                    _log.warning("listener_interrupted", reason=str(error))
                    self._settled = ""
                    self._closed.wait(_QUIET_POLL_S)
                else:
                    return
        except BaseException:
            # The next request that waits starts another thread.
            self._thread = None
            raise

    def _is_needed(self) -> bool:
        with self._changed:
            unused = not self.waiting and time.monotonic() - self._last_left > _LINGER_S
            if unused or self._closed.is_set():
                self._thread = None
            return self._thread is not None

    def _listen(self) -> None:
        with closing(self._database.connector.connect()) as connection:
            if self._can_listen(connection):
                connection.execute(f"LISTEN {CHANNEL}".encode())
            while self._is_needed():
                found = horizon_on(connection)
                with self._changed:
                    self._settled = found.position.at
                    self._changed.notify_all()
                pause = _BUSY_POLL_S if found.busy else _QUIET_POLL_S
                for _ in connection.notifies(timeout=pause, stop_after=1):
                    pass

    def _can_listen(self, connection: Connection) -> bool:
        """Whether notifications arrive: not from a replica, nor through a pooler."""
        ((is_replica,),) = connection.execute("SELECT pg_is_in_recovery()").fetchall()
        return not (is_replica or self._database.connector.via_pooler)
