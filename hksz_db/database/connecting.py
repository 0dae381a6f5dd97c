"""Connecting to the database: what its URL means, and how an absent server is recognised."""

import re
import select
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from functools import cached_property
from typing import Any

import psycopg
import sqlalchemy
from psycopg.conninfo import conninfo_to_dict, timeout_from_conninfo
from psycopg.pq import ExecStatus

from hksz_db.database.deadlines import lift_limit, limit_waiting, waiting
from hksz_db.database.statements import PoolerConnection, PreparingConnection, load_as_bytes
from hksz_db.domain.errors import Cause, Unavailable
from hksz_db.settings import DATABASE_URL, READ_DATABASE_URL

MINIMUM_VERSION = 180000
# A server that is frozen, or behind a broken network, is noticed by these, and by deadlines.py.
_CONNECTION_DEFAULTS = {
    "tcp_user_timeout": "10000",
    "keepalives_idle": "15",
    "keepalives_interval": "5",
    "keepalives_count": "3",
    "application_name": "hksz",
}
# A server that works ends a statement at its own limit first.
_MARGIN_S = 0.5
NO_SETTINGS: Mapping[str, str] = {}
_SCHEMES = {"postgres", "postgresql", "postgresql+psycopg"}
Connection = psycopg.Connection


TRIGRAM_THRESHOLD = "0.44"
"""The similarity from which the operator ``%`` holds: the lower it is, the more an index finds."""


class DatabaseUnusable(RuntimeError):
    """The database cannot be used at all; the message is one sentence for an operator."""


class Connector:
    """Connects to the database at the URL that ``locate`` returns when it is first needed.

    ``locate`` is called once. Every connection has the settings of the service. They are options of
    the session or, ``via_pooler``, settings of each transaction, because a pooler may give each
    transaction another session. Nothing is prepared then. A replica (``is_replica``) that is out of
    reach is given up soon. Raises ``DatabaseUnusable`` when the URL is invalid, and when there is a
    pooler that was not announced.
    """

    def __init__(
        self,
        locate: Callable[[], str],
        statement_timeout_ms: int,
        *,
        via_pooler: bool = False,
        is_replica: bool = False,
    ) -> None:
        self._locate = locate
        self._answer_s = statement_timeout_ms / 1000 + _MARGIN_S
        self._variable = READ_DATABASE_URL if is_replica else DATABASE_URL
        self._connect_timeout_s = "2" if is_replica else "5"
        self.via_pooler = via_pooler
        self._settings = {
            "statement_timeout": str(statement_timeout_ms),
            "jit": "off",
            "TimeZone": "UTC",
            "DateStyle": "ISO",
            "idle_in_transaction_session_timeout": "60000",
            # One request keeps one core busy, not all of them: other requests wait, too.
            "max_parallel_workers_per_gather": "0",
            "pg_trgm.similarity_threshold": TRIGRAM_THRESHOLD,
        }

    @cached_property
    def location(self) -> str:
        """The URL as it was given."""
        return self._locate()

    def parameters(self, further: Mapping[str, str] = NO_SETTINGS) -> dict[str, Any]:
        """The arguments of ``psycopg.connect``; ``further`` settings override those of the URL."""
        given: dict[str, Any] = dict(connection_parameters(self.location, self._variable))
        given.setdefault("connect_timeout", self._connect_timeout_s)
        # See ``PreparingConnection``.
        given["prepare_threshold"] = None
        if self.via_pooler:
            return {**_CONNECTION_DEFAULTS, **given}
        settings = {**self._settings, **further}
        options = " ".join(f"-c {name}={value}" for name, value in settings.items())
        options = f"{given.get('options', '')} {options}".strip()
        return {**_CONNECTION_DEFAULTS, **given, "options": options}

    def _settings_of_transactions(self, further: Mapping[str, str] = NO_SETTINGS) -> bytes:
        """The statements that a transaction begins with: none, unless there is a pooler."""
        if not self.via_pooler:
            return b""
        settings = {**self._settings, **further}
        statements = (f"SET LOCAL {name} = '{value}'" for name, value in settings.items())
        return "; ".join(statements).encode()

    def connect(self, further: Mapping[str, str] = NO_SETTINGS) -> PreparingConnection:
        """Return a new connection in autocommit mode, which the caller closes.

        It loads ``json`` and ``text`` as bytes, and breaks if the server is late. Raises
        ``Unavailable``.
        """
        with absence_as_unavailable():
            connection = self.open(further, autocommit=True)
        load_as_bytes(connection.adapters)
        return connection

    def open(
        self, further: Mapping[str, str] = NO_SETTINGS, *, autocommit: bool = False
    ) -> PreparingConnection:
        """Return a new connection, which breaks if the server is late. Raises what psycopg does."""
        kind = PoolerConnection if self.via_pooler else PreparingConnection
        connection = kind.connect(autocommit=autocommit, **self.parameters(further))
        limit_waiting(connection, self._answer_s)
        self.refuse_unknown_pooler(connection)
        connection.settings = self._settings_of_transactions(further)
        return connection

    def refuse_unknown_pooler(self, connection: Connection) -> None:
        """Close the connection and raise ``DatabaseUnusable`` if it leads to a pooler.

        Settings and prepared statements of a session would be those of somebody else. A pooler
        makes up the number of the server process that it announces. Raises ``OperationalError`` if
        the server is away, and ``Unavailable`` if it is late.
        """
        if self.via_pooler:
            return
        try:
            number = _backend(connection)
        except (psycopg.OperationalError, Unavailable):
            connection.close()
            raise
        if number != b"%d" % connection.info.backend_pid:
            connection.close()
            raise DatabaseUnusable(
                f"{self._variable} leads to a connection pooler; set HKSZ_POOLER=transaction."
            )

    @contextmanager
    def untimed_connection(self, at_most_s: int = 0) -> Iterator[PreparingConnection]:
        """Open a connection for long statements, and close it afterwards.

        A transaction, or a statement outside of one, may take ``at_most_s`` (0: any time).
        """
        further = {
            "statement_timeout": "0",
            "transaction_timeout": str(at_most_s * 1000),
            "idle_in_transaction_session_timeout": "0",
        }
        with closing(self.connect(further)) as connection:
            lift_limit(connection)
            yield connection


def _backend(connection: Connection) -> bytes | None:
    """The number of the server process that answers."""
    with waiting(connection):
        result = connection.pgconn.exec_(b"SELECT pg_backend_pid()")
        if result.status != ExecStatus.TUPLES_OK:
            raise psycopg.OperationalError(result.get_error_message())
    return result.get_value(0, 0)


def check_version(version: int) -> None:
    """Raise ``DatabaseUnusable`` unless a server of that version number is new enough."""
    if version < MINIMUM_VERSION:
        raise DatabaseUnusable(
            f"The server is PostgreSQL {version // 10000}; version 18 or newer is needed."
        )


def is_closed(connection: Connection) -> bool:
    """Whether an idle connection has been closed, by this process or by the server.

    The server sends nothing on an idle connection, so pending input means that it has closed it.
    This asks only the kernel; a ping would cost each request a round trip.
    """
    if connection.closed:
        return True
    # Not select.select, which accepts no descriptor above 1,023.
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))


def is_absence(error: BaseException | None) -> bool:
    """Whether the error means that the server is away, rather than that it refused."""
    if isinstance(error, sqlalchemy.exc.DBAPIError):
        return error.connection_invalidated or is_absence(error.orig)
    if not isinstance(error, psycopg.OperationalError):
        return False
    # Classes 08 (connection), 53 (resources) and 57P (shutdown); no code when the socket broke.
    return (
        error.sqlstate is None
        or error.sqlstate[:2] in {"08", "53"}
        or (error.sqlstate[:3] == "57P")
    )


@contextmanager
def absence_as_unavailable() -> Iterator[None]:
    """Raise ``Unavailable`` in place of an error which means that the server is away."""
    try:
        yield
    except (psycopg.OperationalError, sqlalchemy.exc.DBAPIError) as error:
        if not is_absence(error):
            raise
        raise _absence(error) from error


def _absence(error: psycopg.OperationalError | sqlalchemy.exc.DBAPIError) -> Unavailable:
    cause = error.orig if isinstance(error, sqlalchemy.exc.DBAPIError) else error
    if isinstance(cause, psycopg.errors.DiskFull):
        detail = "The database has no space left on its disk."
        return Unavailable(detail, is_temporary=False, cause=Cause.DISK)
    return Unavailable("The database does not answer.")


def explained(message: str, cause: BaseException | None) -> str:
    """Return the message and, if no server answered, what libpq says about each host it tried.

    It names hosts and users: it is for operators, not for clients of the API.
    """
    if isinstance(cause, sqlalchemy.exc.DBAPIError):
        cause = cause.orig
    if not isinstance(cause, psycopg.OperationalError):
        return message
    lines = str(cause).splitlines()
    hosts = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    return f"{message} ({'; '.join(hosts or lines[:1])})"


def driver_url(text: str) -> sqlalchemy.URL:
    """Return the URL for SQLAlchemy, with its driver. Raises ``DatabaseUnusable``."""
    query = connection_parameters(text)
    return sqlalchemy.URL.create(
        "postgresql+psycopg",
        username=query.pop("user", None),
        password=query.pop("password", None),
        database=query.pop("dbname", None),
        # Several hosts and ports have no other place in such a URL.
        query=query,
    )


def connection_parameters(text: str, variable: str = DATABASE_URL) -> dict[str, str]:
    """Return the parameters that libpq finds in the connection URI of a setting, by keyword.

    The form is that of the PostgreSQL manual, section "Connection URIs"; ``postgresql+psycopg://``
    is accepted, too. ``host`` and ``port`` may list several values, separated by commas; the lists
    then have the same length.

    Raises ``DatabaseUnusable``. The message repeats no part of the URL: a misplaced part may belong
    to the password.
    """
    scheme, _, rest = text.partition("://")
    if scheme not in _SCHEMES:
        raise DatabaseUnusable(f"{variable} must begin with postgresql://.")
    try:
        given = conninfo_to_dict(f"postgresql://{rest}")
        timeout_from_conninfo(given)
    except (psycopg.ProgrammingError, UnicodeError):
        raise DatabaseUnusable(
            f"{variable} must have the form postgresql://user:password@host:port/database?name=value,"
            " with parameters that libpq knows and special characters percent-encoded."
        ) from None
    parameters = {keyword: str(value) for keyword, value in given.items()}
    if "hostaddr" in parameters:
        parameters.setdefault("host", parameters["hostaddr"])
    if "@" in parameters.get("host", ""):
        raise DatabaseUnusable(f"{variable} has one @ too many; write it as %40 in a password.")
    hosts = parameters.get("host", "").split(",")
    if "port" in parameters or len(hosts) > 1:
        parameters["port"] = _ports(parameters.get("port", ""), len(hosts), variable)
    return parameters


def _ports(text: str, number: int, variable: str) -> str:
    ports = text.split(",")
    if not all(
        re.fullmatch("[0-9]{,5}", port) and int(port or 1) in range(1, 65536) for port in ports
    ):
        raise DatabaseUnusable(f"{variable} has a port that is not a number from 1 to 65535.")
    if len(ports) == 1:
        # A single port is that of all hosts, which SQLAlchemy does not know.
        ports *= number
    if len(ports) != number:
        raise DatabaseUnusable(f"{variable} has more hosts than ports, or more ports than hosts.")
    return ",".join(ports)
