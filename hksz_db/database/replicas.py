"""Reads that a replica answers while it can, and the database that takes the writes otherwise."""

import time
from collections.abc import Generator, Mapping
from datetime import datetime
from threading import Lock
from typing import Any

import psycopg
import structlog

from hksz_db.database import Database, Prepared
from hksz_db.domain.errors import NotReplicated, Unavailable

RETRIED_AFTER_S = 5.0
"""How long a replica that has failed is not asked."""

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
_log = structlog.get_logger(__name__)


class Circuit:
    """Tells whether a server may be asked: not for a while after it has failed.

    Then one request tries it, and others stay away until that has succeeded.
    """

    def __init__(self, retried_after_s: float = RETRIED_AFTER_S) -> None:
        self._retried_after_s = retried_after_s
        self._is_open = False
        self._retry_at = 0.0
        self._lock = Lock()

    def allows(self) -> bool:
        """Whether to ask the server now."""
        if not self._is_open:
            return True
        with self._lock:
            now = time.monotonic()
            if now < self._retry_at:
                return False
            self._retry_at = now + self._retried_after_s
            return True

    def failed(self) -> None:
        """Stay away from the server for a while."""
        if not self._is_open:
            _log.warning("replica_away", retried_after_s=self._retried_after_s)
        self._retry_at = time.monotonic() + self._retried_after_s
        self._is_open = True

    def succeeded(self) -> None:
        """Ask the server again."""
        if self._is_open:
            _log.info("replica_back")
            self._is_open = False


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
        self._circuit = Circuit(retried_after_s)

    def read(
        self, statement: Prepared, values: Mapping[str, object], as_of: datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one reading statement on the replica or else on the writer, as ``Database.read``."""
        if self._circuit.allows():
            try:
                rows = self.replica.read(statement, values, as_of)
            except _BEHIND:
                self._circuit.succeeded()
            except Unavailable:
                self._circuit.failed()
            else:
                self._circuit.succeeded()
                return rows
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

        They all come from one server: once the replica has sent a row, the writer cannot go on.
        """
        if self._circuit.allows():
            rows = self.replica.stream(statement, values, as_of, at_most_s=at_most_s)
            try:
                first = next(rows, None)
            except _BEHIND:
                self._circuit.succeeded()
            except Unavailable:
                self._circuit.failed()
            else:
                self._circuit.succeeded()
                if first is not None:
                    yield first
                yield from rows
                return
        yield from self._writer.stream(statement, values, as_of, at_most_s=at_most_s)

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.replica.close()
        self._writer.close()
