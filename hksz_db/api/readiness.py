"""What a service is ready for, found out every second, so that no probe waits for the database."""

import math
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import NamedTuple

from hksz_db.database import Database, run
from hksz_db.domain.errors import Cause, Unavailable
from hksz_db.preparing import Schema, schema_of
from hksz_db.schema_check import incompleteness
from hksz_db.services.writing import writing

CHECKED_EVERY_S = 1.0
"""How often the database is asked while a thread does that."""

KNOWN_S = 5.0
"""How long it holds what the database has said; then a database that says nothing is not ready."""

# A process that has just begun to serve has not asked yet.
_FIRST_S = 0.5
_CLOSE_S = 1.0


@dataclass(frozen=True)
class State:
    """What a service is ready for.

    ``database`` is ``away`` if only the replica answers, and otherwise ``answers``.
    """

    database: str
    schema: str
    writable: bool


class SchemaCheck:
    """Checks whether a database has the schema that the code expects.

    The revision is read each time. The rest of the schema is checked once, and again after every
    failure, because a database that was unavailable may have been restored. It is not checked if
    newer code has changed the schema, because only that code knows how it should be.
    """

    def __init__(self) -> None:
        self._is_complete = False

    def state(self, database: Database) -> State:
        """The state of the database. Raises ``Unavailable`` with the reason if it is not ready."""
        was_complete, self._is_complete = self._is_complete, False
        with writing(database) as session:
            ((writable,),) = run(
                session, "SELECT NOT current_setting('transaction_read_only')::boolean"
            )
            schema = schema_of(session)
            if schema is Schema.PENDING:
                raise Unavailable(
                    "Database schema is out of date; run `alembic upgrade head`.",
                    cause=Cause.SCHEMA,
                )
            is_checked = schema is Schema.CURRENT and not was_complete
            if is_checked and (reason := incompleteness(session)):
                raise Unavailable(reason, cause=Cause.SCHEMA)
        self._is_complete = schema is Schema.CURRENT
        return State("answers", str(schema), writable)


class _Found(NamedTuple):
    result: State | Exception
    until: float


class _Server:
    """One database and its state: asked each time or, once it is watched, every second."""

    def __init__(self, database: Callable[[], Database], clock: Callable[[], float]) -> None:
        self._database = database
        self._clock = clock
        self._check = SchemaCheck()
        self._thread: Thread | None = None
        self._ended = Event()
        self._found = _Found(_late(), -math.inf)
        self.has_answered = Event()

    def watch(self) -> None:
        """Ask regularly in a thread, until ``end``."""
        self._thread = Thread(target=self._watch, name="readiness", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Tell the thread to end."""
        self._ended.set()

    def join(self) -> None:
        """Wait for the end of the thread, but not for long: it may wait for a frozen database."""
        if self._thread:
            self._thread.join(_CLOSE_S)

    def wait(self) -> None:
        """Wait a moment for the first answer if the database is watched."""
        if self._thread:
            self.has_answered.wait(_FIRST_S)

    def result(self) -> State | Exception:
        """The state, or the reason why the database is not ready."""
        if self._thread is None:
            return self._ask()
        result, until = self._found
        return result if until >= self._clock() else _late()

    def _watch(self) -> None:
        while not self._ended.is_set():
            self._found = _Found(self._ask(), self._clock() + KNOWN_S)
            self.has_answered.set()
            self._ended.wait(CHECKED_EVERY_S)

    def _ask(self) -> State | Exception:
        try:
            return self._check.state(self._database())
        except Exception as error:  # noqa: BLE001  # the thread must outlive any failure
            return error


class Readiness:
    """What a service is ready for, with the database and perhaps a replica of it.

    It can answer reads while one of them can be reached and has a schema that this code works with.
    They are watched apart, so that a database that is late does not keep the replica from being
    asked.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        replica: Database | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._primary = _Server(database, clock)
        self._replica = None if replica is None else _Server(lambda: replica, clock)

    def watch(self) -> None:
        """Until ``close``, ask regularly in threads, and answer with what they were told last."""
        for server in self._servers():
            server.watch()

    def close(self) -> None:
        """Stop asking."""
        for server in self._servers():
            server.end()
        for server in self._servers():
            server.join()

    def state(self) -> State:
        """What the service is ready for. Raises the reason if it is not ready for reads.

        Without ``watch``, the database is asked each time.
        """
        self._primary.wait()
        result = self._result()
        if isinstance(result, Exception):
            # Each reader would add to the traceback of the last.
            raise result.with_traceback(None)
        return result

    def known(self) -> State | None:
        """The state without waiting; ``None`` if the service is not ready, or not known to be."""
        if not self._primary.has_answered.is_set():
            return None
        result = self._result()
        return result if isinstance(result, State) else None

    def _servers(self) -> Iterable[_Server]:
        return [self._primary] if self._replica is None else [self._primary, self._replica]

    def _result(self) -> State | Exception:
        result = self._primary.result()
        if self._replica is None or not isinstance(result, Unavailable):
            return result
        other = self._replica.result()
        if isinstance(other, State):
            return replace(other, database="away", writable=False)
        return result


def _late() -> Unavailable:
    return Unavailable("The database did not answer in time.", cause=Cause.LATE)
