"""The bell: wakes those who wait until the feed goes on.

Whoever commits after a moment of quiet notifies; as long as commits follow each other closely, or
somebody is about to commit, the bell looks by itself, twenty times a second at most. A look a
second besides makes up for a notification that got lost.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
import structlog

from hksz_db.database import Database, DatabaseUnusable
from hksz_db.domain.errors import Unavailable
from hksz_db.feed.pages import Position, horizon_on

CHANNEL = "hksz_changes"
_LIVELY_S = 0.05
_QUIET_S = 1.0
# For so long it stays when the last has gone: they come again.
_LINGER_S = 60.0
_log = structlog.get_logger(__name__)


class Bell:
    """One connection that listens, opened when the first comes to wait, for all who wait."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._changed = threading.Condition()
        self._settled = ""
        self._waiting = 0
        self._left = 0.0
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def wait(self, beyond: Position, seconds: float) -> bool:
        """Wait until more is settled than ``beyond``, at most so long; whether it is."""
        with self._changed, self._among_the_waiting():
            self._changed.wait_for(
                lambda: self._settled > beyond.at or self._closed.is_set(), seconds
            )
            return self._settled > beyond.at and not self._closed.is_set()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return self._waiting

    @property
    def heard(self) -> bool:
        """Whether it has looked how far the feed is settled."""
        return bool(self._settled)

    @property
    def closed(self) -> bool:
        """Whether nobody is to wait any more."""
        return self._closed.is_set()

    def close(self) -> None:
        """Send home all who wait, and whoever comes, and listen no more."""
        self._closed.set()
        with self._changed:
            self._changed.notify_all()
            thread = self._thread
        if thread is not None:
            thread.join()

    @contextmanager
    def _among_the_waiting(self) -> Iterator[None]:
        self._waiting += 1
        if self._thread is None and not self.closed:
            self._thread = threading.Thread(target=self._run, name="bell", daemon=True)
            self._thread.start()
        try:
            yield
        finally:
            self._waiting -= 1
            self._left = time.monotonic()

    def _run(self) -> None:
        while not self._listened():
            self._settled = ""
            self._closed.wait(_QUIET_S)

    def _listened(self) -> bool:
        """Listen until nobody needs it; false when the database went away."""
        try:
            self._listen()
        except (psycopg.Error, Unavailable, DatabaseUnusable) as error:
            _log.warning("bell_interrupted", reason=str(error))
            return not self._is_needed()
        return True

    def _is_needed(self) -> bool:
        with self._changed:
            gone = not self._waiting and time.monotonic() - self._left > _LINGER_S
            if gone or self.closed:
                self._thread = None
            return self._thread is not None

    def _listen(self) -> None:
        with closing(self._database.connector.connect()) as connection:
            connection.execute(f"LISTEN {CHANNEL}".encode())
            while self._is_needed():
                found = horizon_on(connection)
                with self._changed:
                    self._settled = found.position.at
                    self._changed.notify_all()
                pause = _LIVELY_S if found.lively else _QUIET_S
                for _ in connection.notifies(timeout=pause, stop_after=1):
                    pass
