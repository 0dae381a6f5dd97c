"""Runs the migrations, on DATABASE_URL or the embedded server, or writes them as a script.

``-x drop-data=yes`` lets a downgrade drop tables and columns that hold data; without it, such a
downgrade is refused before the first of its steps. ``-x wait=600`` sets how many seconds to wait
while another process migrates the same database, or uses tables that are to be changed.
CONTRIBUTING.md describes how to write a migration.
"""

import logging
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import psycopg
from alembic import command, context
from alembic.operations import Operations
from alembic.runtime.migration import MigrationContext, MigrationInfo
from alembic.script import Script
from alembic.util import CommandError
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, func, select
from sqlalchemy.exc import DBAPIError

from hksz_db.database import DatabaseUnusable, check_version, driver_url, explained, is_absence
from hksz_db.embedded import EmbeddedError, default_home, running
from hksz_db.models import Base
from hksz_db.schema_check import incompleteness
from hksz_db.settings import InvalidSettings, Settings

_LOCK = 0x686B737A  # the advisory lock of the process that migrates: "hksz" in ASCII
_WAIT_S = "60"
_POLL_S = 0.05
_SQL = Path(__file__).with_name("sql")
# Transaction 0 does not count as data: migrations insert and delete it.
_COUNTED = {"transactions": "nullif(id, 0)"}
# Older revisions have another history, or none.
_DROP_HISTORY = """
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
# A migration that waits for a lock blocks everything that queues behind it: it gives up early, lets
# the others pass, and tries again.
_LIMITS = ("SET lock_timeout = '500ms'", "SET statement_timeout = 0")
_LOCK_RETRY_S = 1.0
# Code of a known revision works with the schema: that of the newest migration, and of those before
# it, back to one that says that it breaks_older_code.
_KNOW_REVISIONS = """
DO $$
BEGIN
    IF to_regclass('known_revisions') IS NOT NULL THEN
        DELETE FROM known_revisions;
        INSERT INTO known_revisions SELECT unnest('{{{revisions}}}'::text[]);
    END IF;
END $$
"""


@Operations.register_operation("add_columns")
@Operations.register_operation("drop_columns")
@Operations.register_operation("drop_tables")
@Operations.register_operation("execute_file")
class ProjectOperations:
    """Operations that Alembic does not have, for example ``op.drop_tables("a", "b")``."""

    @classmethod
    def add_columns(cls, operations: Operations, table: str, *definitions: str) -> None:
        """Add columns to a table and its history, each given as its name and its definition in SQL.

        Earlier versions of a row get the constant default of a column, or null.
        """
        for definition in definitions:
            # One at a time, because a rewrite of the table loses the constant default of a column.
            _execute(operations, f"ALTER TABLE {table} ADD COLUMN {definition}")
            operations.execute(f"SELECT refresh_history('{table}')")

    @classmethod
    def drop_columns(cls, operations: Operations, table: str, *columns: str) -> None:
        """Drop columns of a table and its history; they may hold values with ``drop-data=yes``."""
        losses = [
            _Loss(f"values of {place}.{column}", place, column)
            for place in (table, f"past.{table}")
            for column in columns
        ]
        _refuse_loss(operations, losses)
        drops = ", ".join(f"DROP COLUMN {name}" for name in columns)
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

    @classmethod
    def drop_tables(cls, operations: Operations, *tables: str) -> None:
        """Drop tables, which may refer to each other; they may hold rows with ``drop-data=yes``."""
        with_history = [table for table in tables if "." not in table]
        places = (*tables, *(f"past.{table}" for table in with_history))
        losses = [_Loss(f"rows of {place}", place, _COUNTED.get(place, "*")) for place in places]
        _refuse_loss(operations, losses)
        for table in with_history:
            operations.execute(_DROP_HISTORY.format(table=table))
        operations.execute(f"DROP TABLE {', '.join(tables)}")

    @classmethod
    def execute_file(cls, operations: Operations, path: str) -> None:
        """Execute the statements of a file in ``migrations/sql``."""
        _execute(operations, (_SQL / path).read_text(encoding="utf-8"))


def _execute(operations: Operations, sql: str) -> None:
    operations.execute(sql.replace(":", r"\:"))  # a colon would begin a parameter


class _Loss(NamedTuple):
    """Data that a downgrade may lose: ``count(counted)`` of a table, ``name`` in the message."""

    name: str
    table: str
    counted: str


def _refuse_loss(operations: Operations, losses: Sequence[_Loss]) -> None:
    """Refuse the downgrade if it would lose data, unless ``drop-data=yes`` is given."""
    if _option("drop-data", "no") == "yes":
        return
    collected: list[_Loss] | None = operations.migration_context.opts.get("losses")
    if collected is None:
        operations.execute(_refusal(losses))
    else:
        collected.extend(losses)


def _refusal(losses: Sequence[_Loss]) -> str:
    """The statement that refuses, in SQL, so that a script refuses too.

    It locks the tables, so that no rows are written after the count. A table that a later step
    would drop may not exist yet, or no longer exist.
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


def _know_revisions(
    ctx: MigrationContext, step: MigrationInfo, heads: object, run_args: object
) -> None:
    """Record with each migration which code works with the schema that it leaves."""
    del heads, run_args
    known = []
    for revision in step.revision_map.iterate_revisions(step.destination_revision_ids, "base"):
        assert isinstance(revision, Script)
        known.append(revision.revision)
        if getattr(revision.module, "breaks_older_code", False):
            break
    ctx.execute(_KNOW_REVISIONS.format(revisions=",".join(known)))


def _refuse_incomplete(migration: MigrationContext, *_: object) -> None:
    """Let ``alembic check`` also fail if a part is missing that Alembic does not compare."""
    if getattr(context.config.cmd_opts, "cmd", [None])[0] is not command.check:
        return
    assert migration.connection is not None
    if reason := incompleteness(migration.connection):
        raise CommandError(reason)


def _refuse_losses_of_all_steps(migration: MigrationContext) -> None:
    """Refuse a downgrade before its first step if any of its steps would lose data."""
    plan = migration.opts["fn"]
    if plan.__name__ != "downgrade":  # the name of the plan in alembic.command.downgrade
        return
    losses: list[_Loss] = []
    # The steps are written as a script that is discarded; they collect their losses.
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


def _migrate_patiently() -> None:
    """Migrate, and begin again from the step that failed for want of a lock."""
    deadline = time.monotonic() + float(_option("wait", _WAIT_S))
    while True:
        try:
            _migrate()
        except DBAPIError as error:
            is_locked = isinstance(error.orig, psycopg.errors.LockNotAvailable)
            if not is_locked or _is_relative() or time.monotonic() > deadline:
                raise
            _LOG.info("A table is locked; trying again.")
            time.sleep(_LOCK_RETRY_S)
        else:
            return


def _is_relative() -> bool:
    """Whether the steps depend on the current revision, which a failed attempt may have changed."""
    destination = getattr(context.config.cmd_opts, "revision", None)
    return bool(re.search(r"[+-]\d+$", str(destination)))


def _without_lock_timeout(_: object, cursor: psycopg.Cursor, sql: str, *_more: object) -> None:
    """Let the building of an index wait, which blocks nobody meanwhile."""
    if "CONCURRENTLY" in sql:
        cursor.execute("SET lock_timeout = 0")


def _with_lock_timeout(_: object, cursor: psycopg.Cursor, sql: str, *_more: object) -> None:
    if "CONCURRENTLY" in sql:
        cursor.execute(_LIMITS[0])


def _write_script() -> None:
    context.configure(
        dialect_name="postgresql",
        dialect_opts={"paramstyle": "named"},  # other styles double percent signs
        literal_binds=True,
        transaction_per_migration=True,
        on_version_apply=_know_revisions,
    )
    for limit in _LIMITS:
        context.execute(limit)
    _refuse_losses_of_all_steps(context.get_context())
    with context.begin_transaction():
        context.run_migrations()


def _migrate() -> None:
    with _database_url() as url, _engine(url).connect() as connection:
        check_version(int(connection.exec_driver_sql("SHOW server_version_num").scalar_one()))
        for limit in _LIMITS:
            connection.exec_driver_sql(limit)
        connection.commit()
        # Outside a transaction, so that each migration is a transaction of its own.
        context.configure(
            connection=connection,
            target_metadata=Base.metadata,
            transaction_per_migration=True,
            compare_type=True,
            compare_server_default=True,
            process_revision_directives=_refuse_incomplete,
            on_version_apply=_know_revisions,
        )
        _wait_for_other_migrations(connection)
        _refuse_losses_of_all_steps(context.get_context())
        connection.commit()
        with context.begin_transaction():
            context.run_migrations()


def _engine(url: URL) -> Engine:
    engine = create_engine(url, poolclass=NullPool)
    event.listen(engine, "before_cursor_execute", _without_lock_timeout)
    event.listen(engine, "after_cursor_execute", _with_lock_timeout)
    return engine


@contextmanager
def _database_url() -> Iterator[URL]:
    if given := context.config.attributes.get("url"):
        yield given
        return
    settings = Settings.from_environ(os.environ)
    if settings.pooler != "none":
        # The lock of the process that migrates is one of its session.
        raise DatabaseUnusable("A database cannot be migrated through a pooler.")
    if settings.database_url:
        yield driver_url(settings.database_url)
    else:
        with running(settings.home or default_home()) as server:
            yield driver_url(server.url())


def _wait_for_other_migrations(connection: Connection) -> None:
    """Take the lock for migrations, which the connection holds until it is closed.

    Polling leaves no transaction open, for which CREATE INDEX CONCURRENTLY would wait.
    """
    wait_s = float(_option("wait", _WAIT_S))
    deadline = time.monotonic() + wait_s
    while not connection.scalar(select(func.pg_try_advisory_lock(_LOCK))):
        connection.commit()
        if time.monotonic() > deadline:
            raise CommandError(
                f"Another process has been migrating the database for more than {wait_s:.0f} s."
            )
        time.sleep(_POLL_S)
    connection.commit()


@contextmanager
def _errors_as_sentences() -> Iterator[None]:
    """Raise known errors as ``CommandError``; Alembic prints a traceback for all others."""
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
            return "Other transactions kept locks that are needed. Run the command again."
        case _ if is_absence(error):
            return explained("The database does not answer.", error)
    return None


def _run() -> None:
    if context.config.cmd_opts is not None:  # the command line does not configure logging
        logging.basicConfig(format="%(message)s")
        _LOG.setLevel(logging.INFO)
    with _errors_as_sentences():
        if context.is_offline_mode():
            _write_script()
        else:
            _migrate_patiently()


_run()
