"""Reads that a replica answers while it can, and the database that takes the writes otherwise."""

from collections.abc import Generator, Mapping
from datetime import datetime
from threading import Event, Lock, Thread
from typing import Any

import psycopg
import structlog
from sqlalchemy import text

from hksz_db.database import Database, DatabaseUnusable, Prepared, prepare
from hksz_db.domain.errors import Cause, NotReplicated, Unavailable

RETRIED_AFTER_S = 5.0
"""How often a replica that has failed is asked whether it answers again."""

# It does not know what is asked, was asked to repeat it, or has an earlier schema.
_BEHIND = (
    NotReplicated,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.ReadOnlySqlTransaction,
    psycopg.errors.SerializationFailure,
    psycopg.errors.UndefinedColumn,
    psycopg.errors.UndefinedFunction,
    psycopg.errors.UndefinedTable,
)
# Nothing is replayed while nothing is written, so a replica that is connected and has applied all
# that it has received is not old.
_AGE = prepare(
    text("""
        SELECT CASE
            WHEN NOT pg_is_in_recovery()
                OR EXISTS (SELECT FROM pg_stat_wal_receiver)
                AND pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn()
            THEN 0.0
            ELSE coalesce(
                extract(epoch FROM clock_timestamp() - pg_last_xact_replay_timestamp())::float8, 0
            )
        END
    """)
)
_log = structlog.get_logger(__name__)


def age_s(replica: Database) -> float:
    """How many seconds ago what a replica shows was the present; 0 of one that is not behind."""
    ((age_s,),) = replica.read(_AGE, {})
    return max(float(age_s), 0.0)


class ReplicatedDatabase(Database):
    """The database of the ``writer``, whose single reads a ``replica`` answers while it can.

    A replica may be a moment behind. What it cannot answer, the writer does: everything while it is
    away, and what it does not know yet. Transactions are the writer's.
    """

    def __init__(
        self, writer: Database, replica: Database, retried_after_s: float = RETRIED_AFTER_S
    ) -> None:
        self.connector = writer.connector
        self.connections = writer.connections
        self.replica = replica
        self._writer = writer
        self._retried_after_s = retried_after_s
        self._is_away = False
        self._lock = Lock()
        self._closed = Event()

    def read(
        self, statement: Prepared, values: Mapping[str, object], as_of: datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one reading statement on the replica or else on the writer, as ``Database.read``."""
        if not self._is_away:
            try:
                return self.replica.read(statement, values, as_of)
            except _BEHIND:
                pass
            except (DatabaseUnusable, Unavailable):
                self._leave_replica()
        return self._writer.read(statement, values, as_of)

    def stream(
        self,
        statement: Prepared,
        values: Mapping[str, object],
        as_of: datetime | None = None,
        *,
        at_most_s: int = 0,
    ) -> Generator[tuple[Any, ...]]:
        """Stream the rows of a statement, as ``Database.stream``.

        They all come from one server: once the replica has sent a row, the writer cannot go on, and
        what takes too long on the replica is not begun again.
        """
        if not self._is_away:
            rows = self.replica.stream(statement, values, as_of, at_most_s=at_most_s)
            try:
                first = next(rows, None)
            except _BEHIND:
                pass
            except (DatabaseUnusable, Unavailable) as error:
                if isinstance(error, Unavailable) and error.cause is Cause.TIMEOUT:
                    # The replica has done what it was asked for, and the writer takes as long.
                    raise
                self._leave_replica()
            else:
                if first is not None:
                    yield first
                yield from rows
                return
        yield from self._writer.stream(statement, values, as_of, at_most_s=at_most_s)

    def close(self) -> None:
        """Close every connection that is not in use, and stop waiting for the replica."""
        self._closed.set()
        self.replica.close()
        self._writer.close()

    def _leave_replica(self) -> None:
        """Do not ask the replica until it answers again, which no reader has to wait for."""
        with self._lock:
            if self._is_away:
                return
            self._is_away = True
        _log.warning("replica_away")
        Thread(target=self._wait_for_replica, name="replica", daemon=True).start()

    def _wait_for_replica(self) -> None:
        while not self._closed.wait(self._retried_after_s):
            try:
                self.replica.check_version()
            except Exception as error:  # noqa: BLE001 - nothing else would ask again
                _log.debug("replica_still_away", reason=str(error).partition("\n")[0])
                continue
            self._is_away = False
            _log.info("replica_back")
            return
