"""Dump a whole database to one file, which ``loading`` loads into an equal database.

The file is NDJSON in UTF-8. The first line describes it::

    {"hksz_dump":{"version":1,"revision":…,"tables":{table: [column, …]},
                  "sequences":{sequence: [last_value, is_called]}}}

Then each line is a row, ``{table: {column: value}}``, with values as ``row_to_json`` of PostgreSQL
writes them. Tables are in the order of their foreign keys, and rows in that of their primary keys.
The last line has the numbers of rows and the SHA-256 of all lines before it::

    {"end":{"rows":{table: number},"sha256":…}}

The file does not say when or where it was made, so that equal databases have equal dumps.

The tables and sequences are those of the current schema and of ``past``. Tables of extensions are
left out, and so are those that only concern one database: the revision of its schema, and answers
to repeated requests.
"""

import gzip
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from contextlib import nullcontext
from dataclasses import dataclass
from typing import IO, Any

from psycopg import RawCursor
from psycopg.sql import SQL, Composable, Identifier

from hksz_db.database import Connection, Database
from hksz_db.domain.strict_json import compact

Step = Callable[[int], None]

VERSION = 1
HEAD, END = "hksz_dump", "end"
KEYS = "api_keys"
LEDGER = ("changes", "transactions")
_LEFT_OUT = ["alembic_version", "idempotency_keys"]
_FETCHED_ROWS = 500
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_EXPECTED = """
    SELECT COALESCE(sum(greatest(reltuples, 0)), 0)::bigint FROM pg_class WHERE oid = ANY ($1)
"""
_RELATIONS = """
    SELECT
        pg_class.oid,
        CASE nspname WHEN current_schema() THEN ARRAY[relname] ELSE ARRAY[nspname, relname] END,
        ARRAY(
            SELECT attname FROM pg_attribute
            WHERE attrelid = pg_class.oid AND attnum > 0
                AND NOT attisdropped AND attgenerated = ''
            ORDER BY attnum
        ),
        (
            SELECT COALESCE(string_agg(
                quote_ident(attname) || CASE attcollation WHEN 0 THEN '' ELSE ' COLLATE "C"' END,
                ', ' ORDER BY array_position(conkey, attnum)
            ), 'stored::text COLLATE "C"')
            FROM pg_constraint JOIN pg_attribute ON attrelid = conrelid AND attnum = ANY (conkey)
            WHERE conrelid = pg_class.oid AND contype = 'p'
        )
    FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname IN (current_schema(), 'past') AND relkind = $1
        AND NOT EXISTS (
            SELECT FROM pg_depend
            WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid AND deptype = 'e'
        )
        AND NOT EXISTS (
            SELECT FROM pg_depend JOIN pg_class AS owner ON owner.oid = refobjid
            WHERE classid = 'pg_class'::regclass AND objid = pg_class.oid
                AND deptype IN ('a', 'i') AND owner.relname = ANY ($2)
        )
        AND relname <> ALL ($2)
    ORDER BY nspname COLLATE "C", relname COLLATE "C"
"""
_FOREIGN_KEYS = """
    SELECT conrelid, conname, confrelid, condeferrable FROM pg_constraint WHERE contype = 'f'
    ORDER BY conname COLLATE "C"
"""


@dataclass(frozen=True)
class ForeignKey:
    """A foreign key, with the oid of the table that it references."""

    name: str
    to: int
    deferrable: bool


@dataclass(frozen=True)
class Table:
    """A table with its non-generated columns. ``name`` is its name in a dump.

    ``order`` is that of the primary key, in SQL; text is ordered by its bytes.
    """

    oid: int
    name: str
    sql: Composable
    columns: list[str]
    order: bytes
    foreign_keys: list[ForeignKey]

    @property
    def columns_sql(self) -> Composable:
        """The list of columns."""
        return SQL(", ").join(map(Identifier, self.columns))


@dataclass(frozen=True)
class Catalog:
    """Tables, each after those that it references unless there is a cycle, and sequences.

    ``sequences`` maps names in a dump to names in SQL.
    """

    tables: tuple[Table, ...]
    sequences: Mapping[str, Composable]

    @property
    def columns(self) -> dict[str, list[str]]:
        """The columns of each table."""
        return {table.name: table.columns for table in self.tables}

    def circular(self) -> list[tuple[Table, ForeignKey]]:
        """The foreign keys that reference the same or a later table, and are not deferrable."""
        seen: set[int] = set()
        found = []
        for table in self.tables:
            keys = (key for key in table.foreign_keys if not key.deferrable)
            found += [(table, key) for key in keys if key.to not in seen]
            seen.add(table.oid)
        return found


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
        # The header of a gzip file would have its name and the time.
        packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if compressed else nullcontext(file)
        with packed as target:
            return _write(connection, catalog, target, step)


def read_catalog(connection: Connection, *, with_keys: bool) -> Catalog:
    """Read the catalog; ``with_keys`` includes the API keys and their history."""
    foreign_keys = defaultdict(list)
    for oid, *key in connection.execute(_FOREIGN_KEYS):
        foreign_keys[oid].append(ForeignKey(*key))
    tables = {
        oid: Table(oid, ".".join(path), Identifier(*path), columns, order, foreign_keys[oid])
        for oid, path, columns, order in _relations(connection, "r")
        if with_keys or path[-1] != KEYS
    }
    sequences = {".".join(path): Identifier(*path) for _, path, *_ in _relations(connection, "S")}
    return Catalog(tuple(_in_order(tables)), sequences)


def _relations(connection: Connection, kind: str) -> list[tuple[Any, ...]]:
    return RawCursor(connection).execute(_RELATIONS.encode(), [kind, _LEFT_OUT]).fetchall()


def _in_order(remaining: dict[int, Table]) -> Iterator[Table]:
    """Each table after those that it references; a cycle begins with its first table by name."""
    while remaining:
        free = (
            table
            for table in remaining.values()
            if not any(key.to in remaining and key.to != table.oid for key in table.foreign_keys)
        )
        yield remaining.pop(next(free, next(iter(remaining.values()))).oid)


def revision(connection: Connection) -> str | None:
    """The revision of the schema, or None if the database was never migrated."""
    ((exists,),) = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    names = connection.execute("SELECT * FROM alembic_version") if exists else ()
    return next((str(name) for (name,) in names), None)


def line(name: str, content: Any) -> bytes:
    """A line of the file."""
    return compact({name: content}) + b"\n"


def _write(
    connection: Connection, catalog: Catalog, file: IO[bytes] | gzip.GzipFile, step: Step
) -> int:
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
    query = SQL("SELECT row_to_json(stored) FROM (SELECT {} FROM {}) AS stored ORDER BY ").format(
        table.columns_sql, table.sql
    )
    rows = RawCursor(connection).stream(
        query.as_bytes(connection) + table.order, size=_FETCHED_ROWS
    )
    for (row,) in rows:
        yield row
