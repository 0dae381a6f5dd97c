"""Runs the migrations: on DATABASE_URL, on the embedded server without it, or into a script.

A new one begins with ``alembic revision --rev-id places -m places``. It imports nothing of the
project and is never changed again: what it did must stay the same when all else has changed.

``-x drop-data=yes`` lets a downgrade drop tables and columns that hold data; without it, a
downgrade is refused as a whole, before the first of its steps. ``-x wait=600`` is for how many
seconds to wait while another process migrates the same database.
"""

import logging
import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from typing import NamedTuple

import psycopg
from alembic import command, context
from alembic.operations import MigrateOperation, Operations
from alembic.runtime.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine, func, select
from sqlalchemy.exc import DBAPIError

from hksz_db.database import DatabaseUnusable, check_version, driver_url, explained, is_absence
from hksz_db.embedded import EmbeddedError, default_home, running
from hksz_db.models import Base
from hksz_db.schema_check import incompleteness
from hksz_db.settings import InvalidSettings, Settings

_LOCK = 0x686B737A  # the advisory lock of whoever migrates: "hksz" in ASCII
_PATIENCE_S = "60"
_POLL_S = 0.05
# Transaction 0 is no data: migrations insert and delete it.
_COUNTED = {"transactions": "nullif(id, 0)"}
# Older revisions have another history, or none.
_FORGET = """
DO $$
BEGIN
    IF to_regclass('past.{table}') IS NOT NULL
        AND to_regprocedure('detach_history(regclass)') IS NOT NULL
    THEN
        PERFORM detach_history('{table}');
        DROP TABLE past.{table};
        DROP FUNCTION past.keep_{table} CASCADE;
        DELETE FROM history.tables WHERE name = '{table}';
    END IF;
END $$
"""
_LOG = logging.getLogger("alembic.runtime.migration")
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
    with_history = [table for table in drop.tables if "." not in table]
    places = (*drop.tables, *(f"past.{table}" for table in with_history))
    losses = [_Loss(f"rows of {place}", place, _COUNTED.get(place, "*")) for place in places]
    _refuse_loss(operations, losses)
    for table in with_history:
        operations.execute(_FORGET.format(table=table))
    operations.execute(f"DROP TABLE {', '.join(drop.tables)}")


@Operations.register_operation("add_columns")
class AddColumns(MigrateOperation):
    """``op.add_columns("a", "x text", "y int DEFAULT 0 NOT NULL")``: to the history as well."""

    def __init__(self, table: str, definitions: tuple[str, ...]) -> None:
        self.table = table
        self.definitions = definitions

    @classmethod
    def add_columns(cls, operations: Operations, table: str, *definitions: str) -> None:
        """Add the columns, each given as its name and what follows it in SQL.

        Where the table has a history, its earlier rows get the columns too, with their constant
        default or with null.
        """
        operations.invoke(cls(table, definitions))


@Operations.implementation_for(AddColumns)
def _add_columns(operations: Operations, add: AddColumns) -> None:
    for definition in add.definitions:
        # One at a time: the constant default of a column is forgotten when the table is rewritten.
        addition = f"ALTER TABLE {add.table} ADD COLUMN {definition}"
        operations.execute(addition.replace(":", r"\:"))  # a colon would begin a parameter
        operations.execute(f"SELECT refresh_history('{add.table}')")


@Operations.register_operation("drop_columns")
class DropColumns(MigrateOperation):
    """``op.drop_columns("a", "x", "y")``: drops columns, with values in them only when told to."""

    def __init__(self, table: str, columns: tuple[str, ...]) -> None:
        self.table = table
        self.columns = columns

    @classmethod
    def drop_columns(cls, operations: Operations, table: str, *columns: str) -> None:
        """Drop the columns of the table, and of its history where it has one."""
        operations.invoke(cls(table, columns))


@Operations.implementation_for(DropColumns)
def _drop_columns(operations: Operations, drop: DropColumns) -> None:
    table = drop.table
    _refuse_loss(
        operations,
        [
            _Loss(f"values of {place}.{column}", place, column)
            for place in (table, f"past.{table}")
            for column in drop.columns
        ],
    )
    drops = ", ".join(f"DROP COLUMN {name}" for name in drop.columns)
    # In SQL, so that a script works too; older revisions have no history.
    operations.execute(f"""
DO $$
BEGIN
    IF to_regclass('past.{table}') IS NULL THEN
        ALTER TABLE {table} {drops};
    ELSE
        PERFORM detach_history('{table}');
        ALTER TABLE {table} {drops};
        ALTER TABLE past.{table} {drops};
        PERFORM refresh_history('{table}');
    END IF;
END $$
""")


class _Loss(NamedTuple):
    """What a downgrade may lose: ``count(counted)`` of a table; ``name`` is for the message."""

    name: str
    table: str
    counted: str


def _refuse_loss(operations: Operations, losses: Sequence[_Loss]) -> None:
    """Refuse to go on if something would be lost, unless told to."""
    if _option("drop-data", "no") == "yes":
        return
    collected: list[_Loss] | None = operations.migration_context.opts.get("losses")
    if collected is None:
        operations.execute(_refusal(losses))
    else:
        collected.extend(losses)


def _refusal(losses: Sequence[_Loss]) -> str:
    """The statement that refuses. In SQL, so that a script refuses too.

    It locks the tables, so that nothing is written after the count; a table that a later step would
    drop may not exist yet, or any more.
    """
    listed = ", ".join(
        f"({n}, '{loss.name}', '{loss.table}', '{loss.counted}')" for n, loss in enumerate(losses)
    )
    return f"""
DO $$
DECLARE
    part record;
    number bigint;
    lost text[] := '{{}}';
BEGIN
    FOR part IN SELECT * FROM (VALUES {listed}) AS parts (n, name, held_in, counted)
        WHERE EXISTS (
            SELECT FROM pg_attribute WHERE attrelid = to_regclass(held_in) AND NOT attisdropped
                AND (attname = counted OR counted IN ('*', 'nullif(id, 0)'))
        ) ORDER BY n
    LOOP
        EXECUTE format('LOCK TABLE %s', part.held_in);
        EXECUTE format('SELECT count(%s) FROM %s', part.counted, part.held_in) INTO number;
        IF number > 0 THEN
            lost := lost || format('%s (%s)', part.name, number);
        END IF;
    END LOOP;
    IF lost <> '{{}}' THEN
        RAISE EXCEPTION 'The downgrade would drop %; -x drop-data=yes allows it.',
            array_to_string(lost, ', ');
    END IF;
END $$
"""


def _refuse_incomplete(migration: MigrationContext, *_: object) -> None:
    """Fail ``alembic check`` over what Alembic does not compare itself."""
    if getattr(context.config.cmd_opts, "cmd", [None])[0] is not command.check:
        return
    assert migration.connection is not None
    if reason := incompleteness(migration.connection):
        raise CommandError(reason)


def _refuse_losses_of_all_steps(migration: MigrationContext) -> None:
    """Refuse a downgrade before its first step if any of its steps would lose something."""
    plan = migration.opts["fn"]
    if plan.__name__ != "downgrade":  # what alembic.command.downgrade plans with
        return
    losses: list[_Loss] = []
    # The steps are written as a script that is thrown away: only what they would drop is kept.
    options = {"as_sql": True, "output_buffer": StringIO(), "losses": losses}
    with _without_log():
        rehearsal = MigrationContext.configure(dialect_name="postgresql", opts=options)
        with Operations.context(rehearsal):
            for step in plan(migration.get_current_heads(), migration):
                step.migration_fn()
    if losses:
        migration.execute(_refusal(losses))


@contextmanager
def _without_log() -> Iterator[None]:
    _LOG.disabled = True
    try:
        yield
    finally:
        _LOG.disabled = False


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
    _refuse_losses_of_all_steps(context.get_context())
    with context.begin_transaction():
        context.run_migrations()


def _migrate() -> None:
    with _location() as url, create_engine(url, poolclass=NullPool).connect() as connection:
        check_version(int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()))
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
            process_revision_directives=_refuse_incomplete,
        )
        _take_turn(connection)
        _refuse_losses_of_all_steps(context.get_context())
        connection.commit()
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
        case psycopg.errors.InsufficientPrivilege():
            return f"The role in DATABASE_URL lacks a right: {error.diag.message_primary}."
        case psycopg.errors.LockNotAvailable():
            return "Another transaction held a lock for more than 5 s. Run the command again."
        case _ if is_absence(error):
            return explained("The database does not answer.", error)
    return None


def _run() -> None:
    if context.config.cmd_opts is not None:  # the command line, which sets up no logging
        logging.basicConfig(format="%(message)s")
        _LOG.setLevel(logging.INFO)
    with _in_one_sentence():
        if context.is_offline_mode():
            _write_script()
        else:
            _migrate()


_run()
