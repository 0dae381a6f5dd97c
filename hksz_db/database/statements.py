"""Prepared statements, and running statements within a transaction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.adapt import AdaptersMap, Loader
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session
from sqlalchemy.sql import ClauseElement

_NUMBERED = PGDialect_psycopg(paramstyle="numeric_dollar")  # type: ignore[no-untyped-call]


@dataclass(frozen=True)
class Prepared:
    """A statement with ``$n`` placeholders, and the names of their values in order.

    With ``generic_plan``, PostgreSQL plans it once for all values. That pays where planning takes
    longer than running.
    """

    sql: str
    names: tuple[str, ...]
    constants: Mapping[str, Any]
    generic_plan: bool = False

    def arguments(self, values: Mapping[str, Any]) -> list[Any]:
        """Return the arguments in the order of the placeholders."""
        return [values[name] if name in values else self.constants[name] for name in self.names]


def prepare(statement: ClauseElement, *, generic_plan: bool = False) -> Prepared:
    """Compile a statement for ``Database.read``. It takes milliseconds: keep the result."""
    compiled = statement.compile(dialect=_NUMBERED)
    names = tuple(compiled.positiontup or ())  # type: ignore[attr-defined]
    constants = {name: value for name, value in compiled.params.items() if value is not None}
    return Prepared(str(compiled), names, constants, generic_plan)


class _BytesLoader(Loader):
    def load(self, data: Any) -> bytes:
        return bytes(data)


def load_as_bytes(adapters: AdaptersMap) -> None:
    """Load ``json`` and ``text`` as the bytes that PostgreSQL sends."""
    for name in ("json", "text"):
        adapters.register_loader(name, _BytesLoader)


def fetch_in(
    session: Session, statement: Prepared, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """Run a statement within a session's transaction; rows as ``Database.read`` returns them."""
    cursor = _cursor(session)
    load_as_bytes(cursor.adapters)
    cursor.execute(statement.sql.encode(), statement.arguments(values), prepare=True)
    return cursor.fetchall()


def run(session: Session, sql: str, *arguments: Any) -> list[tuple[Any, ...]]:
    """Run one statement with ``$n`` placeholders within a session's transaction."""
    cursor = _cursor(session)
    cursor.execute(sql.encode(), arguments, prepare=True)
    return cursor.fetchall() if cursor.description else []


def _cursor(session: Session) -> RawCursor[tuple[Any, ...]]:
    connection = session.connection().connection.driver_connection
    assert isinstance(connection, psycopg.Connection)
    return RawCursor(connection)
