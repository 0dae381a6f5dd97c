"""Connections: transactions for those who write, bytes for those who read.

Reading goes past the ORM: a statement is compiled once to ``$n`` placeholders, prepared on each
connection, run in autocommit, and what PostgreSQL built is passed on as bytes.
"""

import json
import select
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property
from typing import Any

import psycopg
import sqlalchemy
from psycopg import RawCursor
from psycopg.adapt import AdaptersMap, Loader
from psycopg.conninfo import conninfo_to_dict, timeout_from_conninfo
from sqlalchemy import Engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

from hksz_db.domain.errors import OutsideHistory, Unavailable

MINIMUM_VERSION = 180000
_CONNECT_TIMEOUT_S = 5
_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg"}
# Of a stream: enough to make the round trips cheap, and little to hold of the longest documents.
_ROWS_AT_ONCE = 50
_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]
_Connection = psycopg.Connection[tuple[Any, ...]]


class DatabaseUnusable(RuntimeError):
    """The database cannot be used at all; the message is one sentence for an operator."""


@dataclass(frozen=True)
class Prepared:
    """A statement with ``$n`` placeholders and the names of what goes into them, in order.

    One that is ``planned_once`` is planned for all values alike, where to plan it takes longer than
    to run it.
    """

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    planned_once: bool = False

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """The arguments in the order of the placeholders."""
        return [values[name] if name in values else self.constants[name] for name in self.names]


def prepare(statement: ClauseElement, *, planned_once: bool = False) -> Prepared:
    """Compile a statement for ``read``; takes milliseconds, so callers keep the result."""
    compiled = statement.compile(dialect=_NUMBERED)
    names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared(str(compiled), names, constants, planned_once)


class _Bytes(Loader):
    def load(self, data: Any) -> bytes:
        return bytes(data)


def _leave_bytes(adapters: AdaptersMap) -> None:
    for name in ("json", "text"):
        adapters.register_loader(name, _Bytes)


class Database:
    """The database at the URL that ``locate`` gives when it is first needed.

    ``locate`` is called once. Raises ``DatabaseUnusable`` when the server is too old or the URL
    means nothing, ``Unavailable`` when nobody answers.
    """

    def __init__(self, locate: Callable[[], str], *, statement_timeout_ms: int = 5000) -> None:
        self._locate = locate
        self._options = (
            f"-c statement_timeout={statement_timeout_ms} -c TimeZone=UTC -c jit=off"
            " -c idle_in_transaction_session_timeout=60000"
            # One request keeps one core busy, not all of them: others wait for an answer, too.
            " -c max_parallel_workers_per_gather=0"
        )
        self._idle: deque[_Connection] = deque()
        self._idle_as_of: deque[_Connection] = deque()
        self._idle_planning_once: deque[_Connection] = deque()

    @cached_property
    def location(self) -> str:
        """Where the database is, as it was given."""
        return self._locate()

    @property
    def url(self) -> sqlalchemy.URL:
        """The same for SQLAlchemy, with the driver that is used."""
        return driver_url(self.location)

    @cached_property
    def engine(self) -> Engine:
        """The pool that transactions draw from."""
        engine = sqlalchemy.create_engine(
            self.url,
            pool_size=2,
            max_overflow=8,
            connect_args=self._parameters(self._options),
        )
        event.listen(engine, "checkout", _refuse_stale)
        return engine

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """One transaction: committed when the block ends, rolled back when it raises."""
        try:
            with Session(self.engine, autoflush=False) as session, session.begin():
                yield session
        except sqlalchemy.exc.DBAPIError as error:
            if error.connection_invalidated or is_absence(error.orig):
                raise Unavailable("The database does not answer.") from error
            raise

    def read(
        self, statement: Prepared, values: Mapping[str, Any], as_of: datetime | None = None
    ) -> list[tuple[Any, ...]]:
        """Run one reading statement on its own, prepared, outside a transaction.

        ``as_of`` is the moment of which it is answered; raises ``OutsideHistory`` when the history
        does not reach it. ``json`` and ``text`` columns come back as the bytes that PostgreSQL
        wrote. A connection that went stale while it lay idle (a restarted server, a plan that a
        migration outdated) is replaced, and the statement run again, once.
        """
        try:
            return self._read(statement, values, as_of)
        except (psycopg.OperationalError, psycopg.errors.FeatureNotSupported) as error:
            if isinstance(error, psycopg.OperationalError) and not is_absence(error):
                raise
        self.close_readers()
        try:
            return self._read(statement, values, as_of)
        except psycopg.OperationalError as error:
            if is_absence(error):
                raise Unavailable("The database does not answer.") from error
            raise

    def _read(
        self, statement: Prepared, values: Mapping[str, Any], as_of: datetime | None
    ) -> list[tuple[Any, ...]]:
        with self._reader_for(statement, as_of) as connection:
            cursor = RawCursor(connection)
            cursor.execute(statement.sql.encode(), statement.arguments(values), prepare=True)
            return cursor.fetchall()

    def stream(
        self,
        statement: Prepared,
        values: Mapping[str, Any],
        as_of: datetime | None = None,
        *,
        at_most_s: int = 0,
    ) -> Generator[tuple[Any, ...]]:
        """Run one reading statement and hand its rows out as they come, as ``read`` has them.

        They are what one snapshot holds, and only some of them are in memory at a time. The
        connection is one of its own and knows no time limit but ``at_most_s`` (0: none), after
        which the server ends it, even while it waits for a reader. Closing the iterator cancels
        the statement. Raises ``Unavailable`` when nobody answers, also halfway,
        and ``OutsideHistory`` as ``read`` does.
        """
        try:
            with self.unhurried(at_most_s) as connection, ExitStack() as stack:
                if as_of is not None:
                    turn_back(connection)
                    stack.enter_context(looking_at(connection, as_of))
                cursor = RawCursor(connection)
                yield from cursor.stream(
                    statement.sql.encode(), statement.arguments(values), size=_ROWS_AT_ONCE
                )
        except psycopg.errors.TransactionTimeout as error:
            raise Unavailable(f"It took longer than {at_most_s} seconds.") from error
        except psycopg.OperationalError as error:
            if is_absence(error):
                raise Unavailable("The database does not answer.") from error
            raise

    @contextmanager
    def unhurried(self, at_most_s: int = 0) -> Iterator[_Connection]:
        """A connection in autocommit for what takes long, closed afterwards.

        It loads what ``read`` loads. Statements may take any time; a transaction, or a statement
        outside of one, ``at_most_s`` (0: any).
        """
        connection = self.connect(
            f"{self._options} -c statement_timeout=0 -c transaction_timeout={at_most_s * 1000}"
            " -c idle_in_transaction_session_timeout=0"
        )
        with closing(connection):
            yield connection

    def _reader_for(
        self, statement: Prepared, as_of: datetime | None
    ) -> AbstractContextManager[_Connection]:
        if as_of is not None:
            return self.reader_as_of(as_of)
        return self.reader_planning_once() if statement.planned_once else self.reader()

    def explain(
        self, statement: Prepared, values: Mapping[str, Any], as_of: datetime | None = None
    ) -> int:
        """How many rows the planner expects the statement to return."""
        asked = replace(statement, sql=f"EXPLAIN (FORMAT JSON) {statement.sql}")
        ((plan,),) = self.read(asked, values, as_of)
        return int(json.loads(plan)[0]["Plan"]["Plan Rows"])

    @contextmanager
    def reader(self) -> Iterator[_Connection]:
        """A connection in autocommit, lent for one statement."""
        with self._lent(self._idle) as connection:
            yield connection

    @contextmanager
    def reader_as_of(self, moment: datetime) -> Iterator[_Connection]:
        """The same, with every table as at the moment. Raises ``OutsideHistory``."""
        lent = self._lent(self._idle_as_of, turn_back)
        with lent as connection, looking_at(connection, moment):
            yield connection

    @contextmanager
    def reader_planning_once(self) -> Iterator[_Connection]:
        """The same, on which a prepared statement is planned once for all values."""
        with self._lent(self._idle_planning_once, plan_once) as connection:
            yield connection

    @contextmanager
    def _lent(
        self, idle: deque[_Connection], ready: Callable[[_Connection], None] | None = None
    ) -> Iterator[_Connection]:
        connection = self._take(idle, ready)
        try:
            yield connection
        except psycopg.errors.FeatureNotSupported:
            # "cached plan must not change result type": its prepared statements are outdated.
            connection.close()
            raise
        finally:
            if not connection.closed:
                idle.append(connection)

    def _take(
        self, idle: deque[_Connection], ready: Callable[[_Connection], None] | None
    ) -> _Connection:
        # A deque's ends are safe between threads; there are no more connections than threads.
        while idle:
            with suppress(IndexError):
                connection = idle.pop()
                if not _is_stale(connection):
                    return connection
                connection.close()
        connection = self.connect()
        if ready is not None:
            ready(connection)
        return connection

    def connect(self, options: str | None = None) -> _Connection:
        """A new connection in autocommit, for whoever keeps it. Raises ``Unavailable``."""
        parameters = self._parameters(options or self._options)
        try:
            connection = psycopg.connect(autocommit=True, **parameters)
        except psycopg.OperationalError as error:
            raise Unavailable("The database does not answer.") from error
        _leave_bytes(connection.adapters)
        return connection

    def _parameters(self, options: str) -> dict[str, Any]:
        """What libpq needs for a connection; the options prevail over those of the URL."""
        given = connection_parameters(self.location)
        options = f"{given.get('options', '')} {options}".lstrip()
        return {"connect_timeout": _CONNECT_TIMEOUT_S, **given, "options": options}

    def check_version(self) -> None:
        """Raise ``DatabaseUnusable`` unless the server is PostgreSQL 18 or newer."""
        with self.reader() as connection:
            version = connection.info.server_version
        if version < MINIMUM_VERSION:
            raise DatabaseUnusable(
                f"The server is PostgreSQL {version // 10000}; version 18 or newer is needed."
            )

    def close_readers(self) -> None:
        """Close the idle reading connections."""
        for idle in (self._idle, self._idle_as_of, self._idle_planning_once):
            while idle:
                with suppress(IndexError):
                    idle.pop().close()

    def close(self) -> None:
        """Close every connection that is not in use."""
        self.close_readers()
        if "engine" in self.__dict__:
            self.engine.dispose()


def plan_once(connection: _Connection) -> None:
    """Plan each prepared statement once, without regard to the values.

    The plan is kept while the tables grow: one that reads a whole table, because that is short now,
    would be slow later.
    """
    connection.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")


def turn_back(connection: _Connection) -> None:
    """Let every name of a table mean the view in the schema ``as_of`` that stands in its place."""
    connection.execute(
        "SELECT set_config('search_path', 'as_of, ' || current_setting('search_path'), false)"
    )


@contextmanager
def looking_at(connection: _Connection, moment: datetime) -> Iterator[None]:
    """The same for all that is read in the block, which one snapshot answers.

    First it waits for who was about to commit at the moment. Then what is missing as of it is read
    in the snapshot that also answers: whoever commits in between is in neither.
    """
    look_at(connection, moment)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        look_at(connection, moment)
        yield
    finally:
        # Nothing was written; a connection that broke has nothing to end.
        with suppress(psycopg.OperationalError):
            connection.execute("ROLLBACK")


def look_at(connection: _Connection, moment: datetime) -> None:
    """Make the views of ``as_of`` show the moment. Raises ``OutsideHistory``."""
    ((within, began, *_),) = (
        RawCursor(connection)
        .execute(
            b"SELECT within, began, set_config('hksz.as_of', last::text, false),"
            b" set_config('hksz.as_of_missing', missing::text, false) FROM as_of_moment($1)",
            [moment],
            prepare=True,
        )
        .fetchall()
    )
    if not within:
        raise OutsideHistory(
            f"as_of must be a moment from {began:%Y-%m-%dT%H:%M:%S.%fZ} until now."
        )


def _is_stale(connection: _Connection) -> bool:
    # Nothing is due on an idle connection: what can be read is the server's farewell. This asks
    # the kernel only, where a ping would cost each request a round trip.
    if connection.closed:
        return True
    # Not select.select, which takes no descriptor above 1,023.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _refuse_stale(connection: _Connection, *_: Any) -> None:
    if _is_stale(connection):
        raise sqlalchemy.exc.DisconnectionError


def driver_url(text: str) -> sqlalchemy.URL:
    """The URL for SQLAlchemy, with the driver that is used. Raises ``DatabaseUnusable``."""
    query = connection_parameters(text)
    return sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=query.pop("user", None),
        password=query.pop("password", None),
        database=query.pop("dbname", None),
        # Several hosts and ports have no other place in such a URL.
        query=query,
    )


def connection_parameters(text: str) -> dict[str, str]:
    """The parameters that libpq finds in a connection URI, by its keywords.

    The form is that of the PostgreSQL manual, section "Connection URIs"; ``postgresql+psycopg://``
    is taken, too. ``host`` and ``port`` may list several, separated by commas, and are then
    equally many.

    Raises ``DatabaseUnusable``. The message repeats no part of the URL: one that is in the wrong
    place may be of the password.
    """
    scheme, _, rest = text.partition("://")
    if scheme not in _SCHEMES:
        raise DatabaseUnusable("DATABASE_URL must begin with postgresql://.")
    try:
        given = conninfo_to_dict(f"postgresql://{rest}")
        timeout_from_conninfo(given)
    except (psycopg.ProgrammingError, UnicodeError):
        raise DatabaseUnusable(
            "DATABASE_URL must have the form postgresql://user:password@host:port/database?name=value,"
            " with parameters that libpq knows and special characters percent-encoded."
        ) from None
    parameters = {keyword: str(value) for keyword, value in given.items()}
    if "hostaddr" in parameters:
        parameters.setdefault("host", parameters["hostaddr"])
    if "@" in parameters.get("host", ""):
        raise DatabaseUnusable("DATABASE_URL has one @ too many; write it as %40 in a password.")
    hosts = parameters.get("host", "").split(",")
    if "port" in parameters or len(hosts) > 1:
        parameters["port"] = _ports(parameters.get("port", ""), len(hosts))
    return parameters


def _ports(text: str, number: int) -> str:
    ports = text.split(",")
    if not all(port == "" or _is_port(port) for port in ports):
        raise DatabaseUnusable("DATABASE_URL has a port that is not a number from 1 to 65535.")
    if len(ports) == 1:
        # It is that of all hosts, which SQLAlchemy does not know.
        ports *= number
    if len(ports) != number:
        raise DatabaseUnusable("DATABASE_URL has more hosts than ports, or more ports than hosts.")
    return ",".join(ports)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 6 and 1 <= int(text) <= 65535


def is_absence(error: BaseException | None) -> bool:
    """Whether the error means that the server is away, rather than that it refused."""
    if not isinstance(error, psycopg.OperationalError):
        return False
    # Classes 08 (connection), 53 (resources) and 57P (shutdown); none when the socket broke.
    return (
        error.sqlstate is None
        or error.sqlstate[:2] in {"08", "53"}
        or (error.sqlstate[:3] == "57P")
    )


def explained(message: str, cause: BaseException | None) -> str:
    """The message and, if no server answered, what libpq says of each host that was tried.

    It names hosts and users: it is for operators, and not for clients of the API.
    """
    if isinstance(cause, sqlalchemy.exc.DBAPIError):
        cause = cause.orig
    if not isinstance(cause, psycopg.OperationalError):
        return message
    lines = str(cause).splitlines()
    hosts = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    return f"{message} ({'; '.join(hosts or lines[:1])})"


def fetch_in(
    session: Session, statement: Prepared, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Run a prepared statement within a session's transaction, with what ``read`` returns."""
    cursor = RawCursor(_connection_of(session))
    _leave_bytes(cursor.adapters)
    cursor.execute(statement.sql.encode(), statement.arguments(values), prepare=True)
    return cursor.fetchall()


def run(session: Session, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Run one statement with ``$n`` placeholders within a session's transaction."""
    cursor = RawCursor(_connection_of(session))
    cursor.execute(sql.encode(), arguments, prepare=True)
    return cursor.fetchall() if cursor.description else []


def _connection_of(session: Session) -> _Connection:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return connection
