"""Reading the past: on a connection, tables show their rows as of a moment."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

import psycopg
from psycopg import RawCursor

from hksz_db.database.connecting import Connection
from hksz_db.domain.errors import OutsideHistory


def use_history_schema(connection: Connection) -> None:
    """Make every name of a table with a history mean its view in the schema ``as_of``."""
    connection.execute(
        "SELECT set_config('search_path', 'as_of, ' || current_setting('search_path'), false)"
    )


@contextmanager
def as_of_snapshot(connection: Connection, moment: datetime) -> Iterator[None]:
    """Answer every statement in the block from one snapshot, as of the moment.

    The connection uses the history schema. First this waits for transactions that were about to
    commit at the moment. It then determines again, in the snapshot that also answers, which
    transactions are missing as of the moment: one that commits in between is in neither.
    """
    set_as_of(connection, moment)
    connection.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
    try:
        set_as_of(connection, moment)
        yield
    finally:
        # Nothing was written, and a broken connection has no transaction to end.
        with suppress(psycopg.OperationalError):
            connection.execute("ROLLBACK")


def set_as_of(connection: Connection, moment: datetime) -> None:
    """Make the views of ``as_of`` show the moment. Raises ``OutsideHistory``."""
    cursor = RawCursor(connection)
    cursor.execute(
        b"SELECT within, began, set_config('hksz.as_of', last::text, false),"
        b" set_config('hksz.as_of_missing', missing::text, false) FROM as_of_moment($1)",
        [moment],
        prepare=True,
    )
    ((within, began, *_),) = cursor.fetchall()
    if not within:
        raise OutsideHistory(
            f"as_of must be a moment from {began:%Y-%m-%dT%H:%M:%S.%fZ} until now."
        )
