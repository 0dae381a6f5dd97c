"""Dumping: a whole database as one file, from which ``loading`` makes the same again.

The file is NDJSON in UTF-8. The first line says what it is::

    {"hksz_dump":{"version":1,"revision":…,"tables":{table: [column, …]},
                  "sequences":{sequence: [last_value, is_called]}}}

Then there is a line for each row, ``{table: {column: value}}``, the tables in the order of their
foreign keys and the rows in that of their primary keys, values as PostgreSQL's ``row_to_json``
writes them. The last line counts the rows, and has the SHA-256 of all lines before it::

    {"end":{"rows":{table: number},"sha256":…}}

Nothing in it tells when or where it was made: of equal databases the files are equal.
"""

import gzip
import hashlib
import json
from collections.abc import Callable, Iterator
from typing import IO, Any

from psycopg import RawCursor
from psycopg.sql import SQL, Composed

from hksz_db.database import Database
from hksz_db.exchange.catalog import Connection, Stored, Table, stored

VERSION = 1
HEAD, END = "hksz_dump", "end"
_AT_ONCE = 500
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_EXPECTED = """
    SELECT COALESCE(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE oid = ANY ($1)
"""


def dump(
    database: Database,
    file: IO[bytes],
    *,
    compressed: bool,
    with_keys: bool,
    begun: Callable[[int], Callable[[int], None]],
) -> int:
    """Write all that is stored, as one snapshot has it; the number of rows.

    ``begun`` is told about how many rows there will be, and returns what is called as they are
    written, with their number.
    """
    with database.unhurried() as connection, connection.transaction():
        connection.execute(_SNAPSHOT)
        found = stored(connection, with_keys=with_keys)
        seen = begun(_expected(connection, found))
        if not compressed:
            return _write(connection, found, file, seen)
        # Neither name nor time in the file's head.
        with gzip.GzipFile("", "wb", 6, file, mtime=0) as packed:
            return _write(connection, found, packed, seen)


def revision(connection: Connection) -> str | None:
    """The revision of the schema; None where it was never migrated."""
    rows = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL").fetchall()
    if rows != [(True,)]:
        return None
    found = connection.execute("SELECT version_num FROM alembic_version").fetchall()
    return str(found[0][0]) if found else None


def _expected(connection: Connection, found: Stored) -> int:
    cursor = RawCursor(connection)
    cursor.execute(_EXPECTED.encode(), [[table.oid for table in found.tables]])
    ((expected,),) = cursor.fetchall()
    return int(expected)


def _write(connection: Connection, found: Stored, file: Any, seen: Callable[[int], None]) -> int:
    digest = hashlib.sha256()

    def put(line: bytes) -> None:
        digest.update(line)
        file.write(line)

    head = {
        "version": VERSION,
        "revision": revision(connection),
        "tables": found.described,
        "sequences": {
            name: _one(connection, SQL("SELECT last_value, is_called FROM {}").format(sequence))
            for name, sequence in found.sequences.items()
        },
    }
    put(line(HEAD, head))
    counts = {}
    for table in found.tables:
        counts[table.name] = 0
        for row in _rows(connection, table):
            put(b'{"%b":%b}\n' % (table.name.encode(), row))
            counts[table.name] += 1
            seen(1)
    file.write(line(END, {"rows": counts, "sha256": digest.hexdigest()}))
    return sum(counts.values())


def line(name: str, content: Any) -> bytes:
    """A line of the file."""
    return json.dumps({name: content}, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def _one(connection: Connection, query: Composed) -> list[Any]:
    found = connection.execute(query).fetchone()
    assert found is not None
    return list(found)


def _rows(connection: Connection, table: Table) -> Iterator[bytes]:
    query = SQL("SELECT row_to_json(stored) FROM (SELECT {} FROM {}) AS stored ORDER BY {}")
    chosen = query.format(table.columns_sql, table.sql, table.order_sql)
    cursor = RawCursor(connection)
    for (row,) in cursor.stream(chosen.as_string(connection).encode(), size=_AT_ONCE):
        yield row
