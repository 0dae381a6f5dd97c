"""Runs the migrations: on DATABASE_URL, on the embedded server without it, or into a script.

A new one begins with ``alembic revision --rev-id places -m places``. It imports nothing of the
project and is never changed again: what it did must stay the same when all else has changed.

``-x drop-data=yes`` lets a downgrade drop tables and columns that hold data. ``-x wait=600`` is
for how many seconds to wait while another process migrates the same database.
"""

import logging
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psycopg
from alembic import context
from alembic.operations import MigrateOperation, Operations
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, func, select
from sqlalchemy.exc import DBAPIError

from hksz_db.database import MINIMUM_VERSION, DatabaseUnusable, driver_url, explained, is_absence
from hksz_db.embedded import EmbeddedError, default_home, running
from hksz_db.models import Base
from hksz_db.settings import InvalidSettings, Settings

_LOCK = 0x686B737A  # the advisory lock of whoever migrates: "hksz" in ASCII
_PATIENCE_S = "60"
_POLL_S = 0.05
# A migration that waits for a lock makes everybody behind it wait too: better to give up early.
_LIMITS = ("SET lock_timeout = '5s'", "SET statement_timeout = 0")


@Operations.register_operation("drop_tables")
class DropTables(MigrateOperation):
    """``op.drop_tables("a", "b")``: drops tables together, with rows in them only when told to."""

    def __init__(self, tables: tuple[str, ...]) -> None:
        self.tables = tables

    @classmethod
    def drop_tables(cls, operations: Operations, *tables: str) -> None:
        """Drop the tables, which may refer to each other."""
        operations.invoke(cls(tables))


@Operations.implementation_for(DropTables)
def _drop_tables(operations: Operations, drop: DropTables) -> None:
    counts = {name: f"SELECT count(*) FROM {name}" for name in drop.tables}
    _refuse_loss(operations, drop.tables, "tables with rows", counts)
    operations.execute(f"DROP TABLE {', '.join(drop.tables)}")


@Operations.register_operation("drop_columns")
class DropColumns(MigrateOperation):
    """``op.drop_columns("a", "x", "y")``: drops columns, with values in them only when told to."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self.table = table
        self.columns = columns

    @classmethod
    def drop_columns(cls, operations: Operations, table: str, *columns: str) -> None:
        """Drop the columns of the table."""
        operations.invoke(cls(table, columns))


@Operations.implementation_for(DropColumns)
def _drop_columns(operations: Operations, drop: DropColumns) -> None:
    table = drop.table
    counts = {f"{table}.{name}": f"SELECT count({name}) FROM {table}" for name in drop.columns}
    _refuse_loss(operations, (table,), "columns with values", counts)
    drops = ", ".join(f"DROP COLUMN {name}" for name in drop.columns)
    operations.execute(f"ALTER TABLE {table} {drops}")


def _refuse_loss(
    operations: Operations, tables: tuple[str, ...], what: str, counts: Mapping[str, str]
) -> None:
    if _option("drop-data", "no") == "yes":
        return
    numbers = " UNION ALL ".join(f"SELECT '{name}', ({count})" for name, count in counts.items())
    # In SQL, so that a script refuses too; locked, so that nothing comes after the count.
    operations.execute(f"""
DO $$
DECLARE losses text;
BEGIN
    LOCK TABLE {", ".join(tables)};
    SELECT string_agg(format('%s (%s)', name, number), ', ' ORDER BY name) INTO losses
    FROM ({numbers}) AS held (name, number) WHERE number > 0;
    IF losses IS NOT NULL THEN
        RAISE EXCEPTION 'The downgrade would drop {what}, %; -x drop-data=yes allows it.',
            losses;
    END IF;
END $$
""")


def _option(name: str, default: str) -> str:
    return context.get_x_argument(as_dictionary=True).get(name, default)


def _write_script() -> None:
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # the others double every percent sign
        literal_binds=True,
        transaction_per_migration=True,
    )
    for limit in _LIMITS:
        context.execute(limit)
    with context.begin_transaction():
        context.run_migrations()


def _migrate() -> None:
    with _location() as url, create_engine(url, poolclass=NullPool).connect() as connection:
        _refuse_old_server(connection)
        for limit in _LIMITS:
            connection.exec_driver_sql(limit)
        connection.commit()
        # Now, outside a transaction: only then is each migration one of its own.
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
        )
        _take_turn(connection)
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def _location() -> Iterator[URL]:
    if given := context.config.attributes.get("url"):
        yield given
        return
    settings = Settings.from_environ(os.environ)
    if settings.database_url:
        yield driver_url(settings.database_url)
    else:
        with running(settings.home or default_home()) as server:
            yield driver_url(server.url())


def _refuse_old_server(connection: Connection) -> None:
    version = int(connection.exec_driver_sql("SHOW server_version_num").scalar_one())
    if version < MINIMUM_VERSION:
        raise CommandError(
            f"The server is PostgreSQL {version // 10000}; version 18 or newer is needed."
        )


def _take_turn(connection: Connection) -> None:
    """Wait until nobody else migrates; the turn ends with the connection.

    Polling leaves no transaction open, for which CREATE INDEX CONCURRENTLY would wait.
    """
    patience = float(_option("wait", _PATIENCE_S))
    deadline = time.monotonic() + patience
    while not connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        connection.commit()
        if time.monotonic() > deadline:
            raise CommandError(
                f"Another process has been migrating the database for more than {patience:.0f} s."
            )
        time.sleep(_POLL_S)
    connection.commit()


@contextmanager
def _in_one_sentence() -> Iterator[None]:
    """Alembic prints a CommandError as a sentence, and all others as a traceback."""
    try:
        yield
    except (DatabaseUnusable, EmbeddedError, InvalidSettings) as error:
        raise CommandError(str(error)) from error
    except DBAPIError as error:
        sentence = _sentence(error.orig)
        if sentence is None:
            raise
        raise CommandError(sentence) from error


def _sentence(error: BaseException | None) -> str | None:
    match error:
        case psycopg.errors.RaiseException():
            return error.diag.message_primary
        case psycopg.errors.LockNotAvailable():
            return "A table stayed locked for 5 s; what was begun is undone and can be tried again."
        case _ if is_absence(error):
            return explained("The database does not answer.", error)
    return None


def _run() -> None:
    if context.config.cmd_opts is not None:  # the command line, which sets up no logging
        logging.basicConfig(format="%(message)s")
        logging.getLogger("alembic.runtime.migration").setLevel(logging.INFO)
    with _in_one_sentence():
        if context.is_offline_mode():
            _write_script()
        else:
            _migrate()


_run()
