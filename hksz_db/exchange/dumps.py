"""Dump a whole database to one file, and load it into an empty one, which becomes equal.

docs/reference/formats.md describes the file. It does not say when or where it was made, so that
equal databases have equal dumps.

The file is read twice. The first pass only checks it, so that a truncated or changed file never
reaches the database. The second pass inserts the rows into an empty database of the same revision,
in one transaction. Meanwhile our triggers are disabled, so that nothing is counted or recorded
again. Foreign keys are dropped before and checked when they are added again, and indexes are built
when the rows are there: both take a fraction of the time that they would take for each row.
"""

import gzip
import hashlib
import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg import RawCursor
from psycopg.sql import SQL, Composable, Identifier

from hksz_db.database import Connection, Database
from hksz_db.domain.strict_json import compact
from hksz_db.exchange.ahead import ahead
from hksz_db.exchange.readers.entries import Unreadable

Step = Callable[[int], None]

_VERSION = 1
_HEAD, _END = "hksz_dump", "end"
_KEYS = "api_keys"
LEDGER = ("changes", "transactions")
_LEFT_OUT = [
    *("alembic_version", "feed_horizons", "idempotency_keys", "known_revisions"),
    *("replaced_keys", "sessions"),
]
_FETCHED_ROWS = 500
_GZIP_MAGIC = b"\x1f\x8b"
_BATCH_ROWS = 1000
_BATCH_BYTES = 2**20
_DAMAGED = "The file is damaged, or was changed after it was dumped."
_SNAPSHOT = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"
_EXPECTED = b"SELECT coalesce(sum(greatest(reltuples, 0)), 0) FROM pg_class WHERE oid = ANY ($1)"
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
_REFERENCES = "SELECT conrelid, confrelid FROM pg_constraint WHERE contype = 'f'"
# The statements that drop the foreign keys and indexes of tables, and those that make them again.
_FOREIGN_KEYS = b"""
    SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname),
        format(
            'ALTER TABLE %s ADD CONSTRAINT %I %s',
            conrelid::regclass, conname, pg_get_constraintdef(oid)
        )
    FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ($1) ORDER BY oid
"""
# The indexes of primary keys stay: rows come in their order, and other tables may refer to them.
_INDEXES = b"""
    SELECT format('DROP INDEX %s', indexrelid::regclass), pg_get_indexdef(indexrelid)
    FROM pg_index
    WHERE indrelid = ANY ($1) AND NOT indisreplident AND NOT EXISTS (
        SELECT FROM pg_constraint WHERE conindid = indexrelid AND contype <> 'f'
    )
    ORDER BY indexrelid
"""


@dataclass(frozen=True)
class Table:
    """A table with its non-generated columns. ``name`` is its name in a dump.

    ``order`` is that of the primary key, in SQL; text is ordered by its bytes. ``references`` are
    the oids of the tables to which it has foreign keys.
    """

    oid: int
    name: str
    sql: Composable
    columns: list[str]
    order: bytes
    references: frozenset[int]

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
        ((expected,),) = RawCursor(connection).execute(_EXPECTED, [oids]).fetchall()
        step = begun(int(expected))
        # The header of a gzip file would have its name and the time.
        packed = gzip.GzipFile("", "wb", 6, file, mtime=0) if compressed else nullcontext(file)
        with packed as target:
            return _write(connection, catalog, target, step)


def read_catalog(connection: Connection, *, with_keys: bool) -> Catalog:
    """Read the catalog; ``with_keys`` includes the API keys and their history."""
    references = defaultdict(set)
    for oid, to in connection.execute(_REFERENCES):
        references[oid].add(to)
    tables = {
        oid: Table(
            oid, ".".join(path), Identifier(*path), columns, order, frozenset(references[oid])
        )
        for oid, path, columns, order in _relations(connection, "r")
        if with_keys or path[-1] != _KEYS
    }
    sequences = {".".join(path): Identifier(*path) for _, path, *_ in _relations(connection, "S")}
    return Catalog(tuple(_in_order(tables)), sequences)


def _relations(connection: Connection, kind: str) -> list[tuple[int, list[str], list[str], bytes]]:
    return RawCursor(connection).execute(_RELATIONS.encode(), [kind, _LEFT_OUT]).fetchall()


def _in_order(remaining: dict[int, Table]) -> Iterator[Table]:
    """Each table after those that it references; a cycle begins with its first table by name."""
    while remaining:
        free = (
            table
            for table in remaining.values()
            if not remaining.keys() & (table.references - {table.oid})
        )
        yield remaining.pop(next(free, next(iter(remaining.values()))).oid)


def _revision(connection: Connection) -> str | None:
    """The revision of the schema, or None if the database was never migrated."""
    ((exists,),) = connection.execute("SELECT to_regclass('alembic_version') IS NOT NULL")
    names = connection.execute("SELECT * FROM alembic_version") if exists else ()
    return next((str(name) for (name,) in names), None)


def line(name: str, content: object) -> bytes:
    """A line of the file."""
    return compact({name: content}) + b"\n"


def _write(
    connection: Connection, catalog: Catalog, file: IO[bytes] | gzip.GzipFile, step: Step
) -> int:
    digest = hashlib.sha256()

    def put(text: bytes) -> None:
        digest.update(text)
        file.write(text)

    state = SQL("SELECT last_value, is_called FROM {}")
    head = {
        "version": _VERSION,
        "revision": _revision(connection),
        "tables": catalog.columns,
        "sequences": {
            name: connection.execute(state.format(sequence)).fetchone()
            for name, sequence in catalog.sequences.items()
        },
    }
    put(line(_HEAD, head))
    counts = {}
    for table in catalog.tables:
        counts[table.name] = 0
        for row in _rows(connection, table):
            put(b"%b%b}\n" % (_opening(table.name), row))
            counts[table.name] += 1
            step(1)
    file.write(line(_END, {"rows": counts, "sha256": digest.hexdigest()}))
    return sum(counts.values())


def _rows(connection: Connection, table: Table) -> Iterator[bytes]:
    query = SQL("SELECT row_to_json(stored) FROM (SELECT {} FROM {}) AS stored ORDER BY ").format(
        table.columns_sql, table.sql
    )
    ordered = query.as_bytes(connection) + table.order
    for (row,) in RawCursor(connection).stream(ordered, size=_FETCHED_ROWS):
        yield row


class Unloadable(Unreadable):
    """The file or the database is unsuitable; the message is one sentence."""


@dataclass(frozen=True)
class Checked:
    """The content of a file that is complete."""

    revision: str | None
    tables: dict[str, list[str]]
    sequences: dict[str, list[Any]]
    counts: dict[str, int]
    sha256: str

    @property
    def rows(self) -> int:
        """The number of rows."""
        return sum(self.counts.values())


def check(path: Path, step: Step) -> Checked:
    """Check that the file is complete. Raises ``Unloadable``.

    ``step`` is called with the numbers of bytes as they are read.
    """
    digest = hashlib.sha256()
    with _lines(path, step) as lines:
        first = next(lines, b"")
        head = _head(first)
        digest.update(first)
        counts = dict.fromkeys(head.get("tables", ()), 0)
        for name, texts in _batches(lines):
            if name == _END:
                sha256 = digest.hexdigest()
                if next(lines, b"") or texts != [line(_END, {"rows": counts, "sha256": sha256})]:
                    raise Unloadable(_DAMAGED)
                return Checked(head["revision"], head["tables"], head["sequences"], counts, sha256)
            counts[name] = counts.get(name, 0) + len(texts)
            digest.update(b"".join(texts))
    raise Unloadable("The file is cut off: its end is missing.")


def _head(text: bytes) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads(text)[_HEAD]
    except (ValueError, KeyError, TypeError):
        raise Unloadable("The file is not a dump of this software.") from None
    if head.get("version") != _VERSION:
        raise Unloadable(f"The dump has version {head.get('version')}; known: {_VERSION}.")
    return head


def _table(text: bytes) -> str:
    name, colon, _ = text.removeprefix(b'{"').partition(b'":')
    if not colon or not text.endswith(b"}\n"):
        raise Unloadable(_DAMAGED if text.endswith(b"\n") else "The file is cut off within a line.")
    return name.decode(errors="replace")


@contextmanager
def _lines(path: Path, step: Step) -> Iterator[Iterator[bytes]]:
    try:
        with path.open("rb") as file:
            is_packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            yield _counted(gzip.GzipFile(fileobj=file) if is_packed else file, file.tell, step)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise Unloadable("The file is cut off or damaged: it cannot be unpacked.") from None


def _counted(lines: Iterable[bytes], position: Callable[[], int], step: Step) -> Iterator[bytes]:
    counted = 0
    for number, text in enumerate(lines, 1):
        yield text
        if number % _BATCH_ROWS == 0:
            step(position() - counted)
            counted = position()
    step(position() - counted)


def load(database: Database, path: Path, checked: Checked, step: Step) -> None:
    """Load the file that was checked, all of it or nothing.

    ``step`` is called with the numbers of rows as they are loaded. Raises ``Unloadable`` if the
    database is not empty or has another revision, or if the file has changed.
    """
    try:
        with database.connector.untimed_connection() as connection:
            with connection.transaction():
                tables = _load(connection, path, checked, step)
            # Without statistics, the planner would take the tables for empty.
            connection.execute(SQL("ANALYZE {}").format(SQL(", ").join(tables)))
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise Unloadable(f"Nothing was loaded: {reason}.") from error


def _load(connection: Connection, path: Path, checked: Checked, step: Step) -> list[Composable]:
    connection.execute("SET LOCAL lock_timeout = '10s'")
    _check_revision(connection, checked)
    catalog = read_catalog(connection, with_keys=_KEYS in checked.tables)
    if (catalog.columns, catalog.sequences.keys()) != (checked.tables, checked.sequences.keys()):
        raise Unloadable("The dump has other tables or columns than the database.")
    with _triggers_disabled(connection, [table.sql for table in catalog.tables]):
        _refuse_rows(connection, catalog)
        for name in LEDGER:
            connection.execute(SQL("DELETE FROM {}").format(Identifier(name)))
        if _KEYS not in checked.tables:
            _keep_the_keys(connection)
        with _dropped(connection, catalog, _FOREIGN_KEYS), _dropped(connection, catalog, _INDEXES):
            _copy(connection, path, checked, catalog, step)
            connection.execute("SET LOCAL maintenance_work_mem = '256MB'")
    for name, sequence in catalog.sequences.items():
        values = [sequence.as_string(connection), *checked.sequences[name]]
        RawCursor(connection).execute(b"SELECT setval($1, $2, $3)", values)
    return [table.sql for table in catalog.tables]


def _check_revision(connection: Connection, checked: Checked) -> None:
    current = _revision(connection)
    if current is None:
        raise Unloadable(f"The database has no schema yet: alembic upgrade {checked.revision}.")
    if current != checked.revision:
        raise Unloadable(
            f"The dump has the revision {checked.revision}, and the database is at {current}:"
            f" migrate it to {checked.revision}, load the dump, and migrate further."
        )


def _refuse_rows(connection: Connection, catalog: Catalog) -> None:
    full = [
        table.name
        for table in catalog.tables
        if table.name not in LEDGER
        and connection.execute(SQL("SELECT FROM {} LIMIT 1").format(table.sql)).fetchall()
    ]
    if full:
        raise Unloadable(f"The database is not empty: there are rows in {', '.join(full)}.")


def _keep_the_keys(connection: Connection) -> None:
    """Date the existing keys before the history that is loaded."""
    with _triggers_disabled(connection, [Identifier(_KEYS), Identifier("past", _KEYS)]):
        connection.execute("UPDATE api_keys SET written_in = 0")
        connection.execute("DELETE FROM past.api_keys")


@contextmanager
def _triggers_disabled(connection: Connection, tables: Sequence[Composable]) -> Iterator[None]:
    """Also locks the tables against other writers until the end of the transaction."""
    switch = SQL("ALTER TABLE {} {} TRIGGER USER")
    for table in tables:
        connection.execute(switch.format(table, SQL("DISABLE")))
    yield
    for table in tables:
        connection.execute(switch.format(table, SQL("ENABLE")))


@contextmanager
def _dropped(connection: Connection, catalog: Catalog, query: bytes) -> Iterator[None]:
    """Drop what the query finds for the tables, and make it again at the end.

    It locks the tables, against readers too, until the end of the transaction.
    """
    oids = [table.oid for table in catalog.tables]
    found = RawCursor(connection).execute(query, [oids]).fetchall()
    for drop, _ in found:
        connection.execute(drop)
    yield
    for _, make in found:
        connection.execute(make)


def _copy(
    connection: Connection, path: Path, checked: Checked, catalog: Catalog, step: Step
) -> None:
    insert = SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1)"
    )
    tables = {table.name: table for table in catalog.tables}
    digest = hashlib.sha256()
    with _lines(path, lambda _: None) as lines:
        digest.update(next(lines, b""))
        with closing(ahead(_batches(lines))) as batches:
            for name, texts in batches:
                if name == _END:
                    break
                digest.update(b"".join(texts))
                table, start = tables[name], len(_opening(name))
                query = insert.format(table=table.sql, columns=table.columns_sql)
                array = f"[{','.join(text[start:-2].decode() for text in texts)}]"
                RawCursor(connection).execute(query.as_bytes(connection), [array])
                step(len(texts))
    if digest.hexdigest() != checked.sha256:
        raise Unloadable("The file was changed while it was read.")


def _batches(lines: Iterator[bytes]) -> Generator[tuple[str, list[bytes]]]:
    """Batches of lines of one table; the end is a batch of its own, and the last one."""
    name, opening, texts, size = "", b"\n", list[bytes](), 0
    for text in lines:
        is_same = text.startswith(opening) and text.endswith(b"}\n")
        if not is_same or len(texts) >= _BATCH_ROWS or size >= _BATCH_BYTES:
            if texts:
                yield name, texts
            texts, size = [], 0
            name = _table(text)
            opening = _opening(name)
        texts.append(text)
        size += len(text)
        if name == _END:
            break
    if texts:
        yield name, texts


def _opening(name: str) -> bytes:
    """How the lines of a table begin."""
    return b'{"%b":' % name.encode()
