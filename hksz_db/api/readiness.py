"""What a service is ready for, found out every second, so that no probe waits for the database."""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Event, Thread
from typing import NamedTuple

import psycopg

from hksz_db.database import Database, DatabaseUnusable, run
from hksz_db.database.replicas import ReplicatedDatabase
from hksz_db.domain.errors import Cause, DomainError, Unavailable
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
            # What follows is asked without a time limit, and a frozen database answers nothing.
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


class Readiness:
    """What a service is ready for, with the database and perhaps a replica of it.

    It can answer reads while one of them can be reached and has a schema that this code works with.
    """

    def __init__(
        self,
        database: Callable[[], Database],
        replicated: Callable[[], ReplicatedDatabase | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._replicated = replicated
        self._clock = clock
        self._check = SchemaCheck()
        self._replica_check = SchemaCheck()
        self._thread: Thread | None = None
        self._ended = Event()
        self._is_known = Event()
        self._found = _Found(Unavailable("The database did not answer.", cause=Cause.LATE), 0.0)

    def watch(self) -> None:
        """Until ``close``, ask regularly in a thread, and answer with what it was told last."""
        self._thread = Thread(target=self._watch, name="readiness", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop asking. The thread is a daemon: it may still wait for a frozen database."""
        self._ended.set()
        if self._thread:
            self._thread.join(_CLOSE_S)

    def state(self) -> State:
        """What the service is ready for. Raises ``Unavailable`` with the reason if not for reads.

        Without ``watch``, the database is asked each time.
        """
        if self._thread is None:
            return self._ask()
        self._is_known.wait(_FIRST_S)
        result, until = self._found
        if until < self._clock():
            raise Unavailable("The database did not answer in time.", cause=Cause.LATE)
        if isinstance(result, Exception):
            # Each reader would add to the traceback of the last.
            raise result.with_traceback(None)
        return result

    def known(self) -> State | None:
        """The state without waiting; ``None`` if the service is not ready, or not known to be."""
        result, until = self._found
        return result if isinstance(result, State) and until >= self._clock() else None

    def _watch(self) -> None:
        while not self._ended.is_set():
            result: State | Exception
            try:
                result = self._ask()
            except (DatabaseUnusable, DomainError, psycopg.Error) as error:
                result = error
            self._found = _Found(result, self._clock() + KNOWN_S)
            self._is_known.set()
            self._ended.wait(CHECKED_EVERY_S)

    def _ask(self) -> State:
        try:
            return self._check.state(self._database())
        except Unavailable as error:
            replicated = self._replicated()
            if replicated is None:
                raise
            try:
                state = self._replica_check.state(replicated.replica)
            except Unavailable:
                raise error from None
            return replace(state, database="away", writable=False)
