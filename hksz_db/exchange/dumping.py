"""Dump a whole database to one file, which ``loading`` loads into an equal database.

The file is NDJSON in UTF-8. The first line describes it::

    {"hksz_dump":{"version":1,"revision":…,"tables":{table: [column, …]},
                  "sequences":{sequence: [last_value, is_called]}}}

Then each line is a row, ``{table: {column: value}}``, with values as ``row_to_json`` of PostgreSQL
writes them. Tables are in the order of their foreign keys, and rows in that of their primary keys.
The last line has the numbers of rows and the SHA-256 of all lines before it::

    {"end":{"rows":{table: number},"sha256":…}}

The file does not say when or where it was made, so that equal databases have equal dumps.
"""

import gzip
import hashlib
from collections.abc import Callable, Iterator
from typing import IO, Any, Protocol

from psycopg import RawCursor
from psycopg.sql import SQL

from hksz_db.database import Database
from hksz_db.exchange.catalog import Catalog, Connection, Table, read_catalog
from hksz_db.exchange.format import compact

VERSION = 1
HEAD, END = "hksz_dump", "end"
_FETCHED_ROWS = 500
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_EXPECTED = """
    SELECT COALESCE(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE oid = ANY ($1)
"""

Step = Callable[[int], None]


class _Writable(Protocol):
    def write(self, data: bytes, /) -> Any: ...


def dump(
    database: Database,
    file: IO[bytes],
    *,
    compressed: bool,
    with_keys: bool,
    begun: Callable[[int], Step],
) -> int:
    """Write one snapshot of the database, and return the number of rows.

    ``begun`` gets the expected number of rows, and returns a function that is called with the
    numbers of rows as they are written.
    """
    with database.connector.untimed_connection() as connection, connection.transaction():
        connection.execute(_SNAPSHOT)
        catalog = read_catalog(connection, with_keys=with_keys)
        oids = [table.oid for table in catalog.tables]
        ((expected,),) = RawCursor(connection).execute(_EXPECTED.encode(), [oids]).fetchall()
        step = begun(int(expected))
        if not compressed:
            return _write(connection, catalog, file, step)
        # The header of a gzip file would have its name and the time.
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            return _write(connection, catalog, packed, step)


def revision(connection: Connection) -> str | None:
    """The revision of the schema, or None if the database was never migrated."""
    ((exists,),) = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    if not exists:
        return None
    return next(
        (str(name) for (name,) in connection.execute("SELECT * FROM alembic_version")), None
    )


def line(name: str, content: Any) -> bytes:
    """A line of the file."""
    return compact({name: content}) + b"\n"


def _write(connection: Connection, catalog: Catalog, file: _Writable, step: Step) -> int:
    digest = hashlib.sha256()

    def put(text: bytes) -> None:
        digest.update(text)
        file.write(text)

    sequences = {}
    for name, sequence in catalog.sequences.items():
        query = SQL("SELECT last_value, is_called FROM {}").format(sequence)
        ((last_value, is_called),) = connection.execute(query)
        sequences[name] = [last_value, is_called]
    head = {
        "version": VERSION,
        "revision": revision(connection),
        "tables": catalog.columns,
        "sequences": sequences,
    }
    put(line(HEAD, head))
    counts = {}
    for table in catalog.tables:
        counts[table.name] = 0
        for row in _rows(connection, table):
            put(b'{"%b":%b}\n' % (table.name.encode(), row))
            counts[table.name] += 1
            step(1)
    file.write(line(END, {"rows": counts, "sha256": digest.hexdigest()}))
    return sum(counts.values())


def _rows(connection: Connection, table: Table) -> Iterator[bytes]:
    query = SQL("SELECT row_to_json(stored) FROM (SELECT {} FROM {}) AS stored ORDER BY {}").format(
        table.columns_sql, table.sql, table.order_sql
    )
    cursor = RawCursor(connection)
    for (row,) in cursor.stream(query.as_string(connection).encode(), size=_FETCHED_ROWS):
        yield row
