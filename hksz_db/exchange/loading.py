"""Load a dump into an empty database, which becomes equal to the one that was dumped.

The file is read twice. The first pass only checks it, so that a truncated or changed file never
reaches the database. The second pass inserts the rows into an empty database of the same revision,
in one transaction. Meanwhile our triggers are disabled, so that nothing is counted or recorded
again, and circular foreign keys are deferred.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.sql import SQL, Composable, Identifier

from hksz_db.database import Connection, Database
from hksz_db.exchange.dumping import (
    END,
    HEAD,
    KEYS,
    LEDGER,
    VERSION,
    Catalog,
    Step,
    Table,
    line,
    read_catalog,
    revision,
)

_GZIP_MAGIC = b"\x1f\x8b"
_BATCH_ROWS = 1000
_BATCH_BYTES = 2**20
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
_DAMAGED = "The file is damaged, or was changed after it was dumped."


class Unloadable(ValueError):
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
        for text in lines:
            name = _table(text)
            if name == END:
                sha256 = digest.hexdigest()
                if next(lines, b"") or text != line(END, {"rows": counts, "sha256": sha256}):
                    raise Unloadable(_DAMAGED)
                return Checked(head["revision"], head["tables"], head["sequences"], counts, sha256)
            counts[name] = counts.get(name, 0) + 1
            digest.update(text)
    raise Unloadable("The file is cut off: its end is missing.")


def _head(text: bytes) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads(text)[HEAD]
    except (ValueError, KeyError, TypeError):
        raise Unloadable("The file is not a dump of this software.") from None
    if head.get("version") != VERSION:
        raise Unloadable(f"The dump has version {head.get('version')}; known: {VERSION}.")
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
    for text in lines:
        yield text
        if position() > counted:
            step(position() - counted)
            counted = position()


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
    connection.execute(_LOCK_TIMEOUT)
    _check_revision(connection, checked)
    catalog = read_catalog(connection, with_keys=KEYS in checked.tables)
    if (catalog.columns, catalog.sequences.keys()) != (checked.tables, checked.sequences.keys()):
        raise Unloadable("The dump has other tables or columns than the database.")
    with _constraints_deferred(connection, catalog):
        _refuse_rows(connection, catalog)
        for table in LEDGER:
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
        if KEYS not in checked.tables:
            _keep_the_keys(connection)
        _copy(connection, path, checked, catalog, step)
    for name, sequence in catalog.sequences.items():
        values = [sequence.as_string(connection), *checked.sequences[name]]
        RawCursor(connection).execute(b"SELECT setval($1, $2, $3)", values)
    return [table.sql for table in catalog.tables]


def _check_revision(connection: Connection, checked: Checked) -> None:
    current = revision(connection)
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
    with _triggers_disabled(connection, [Identifier(KEYS), Identifier("past", KEYS)]):
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
def _constraints_deferred(connection: Connection, catalog: Catalog) -> Iterator[None]:
    """Disable triggers, and check foreign keys at the end of the block."""
    with _triggers_disabled(connection, [table.sql for table in catalog.tables]):
        _alter_circular(connection, catalog, SQL("DEFERRABLE INITIALLY DEFERRED"))
        connection.execute("SET CONSTRAINTS ALL DEFERRED")
        yield
        # Tables with pending checks cannot be altered.
        connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
        _alter_circular(connection, catalog, SQL("NOT DEFERRABLE"))


def _alter_circular(connection: Connection, catalog: Catalog, state: SQL) -> None:
    alter = SQL("ALTER TABLE {} ALTER CONSTRAINT {} {}")
    for table, key in catalog.circular():
        connection.execute(alter.format(table.sql, Identifier(key.name), state))


def _copy(
    connection: Connection, path: Path, checked: Checked, catalog: Catalog, step: Step
) -> None:
    tables = {table.name: table for table in catalog.tables}
    digest = hashlib.sha256()
    with _lines(path, lambda _: None) as lines:
        digest.update(next(lines, b""))
        for name, rows in _batches(lines, digest.update):
            _insert(connection, tables[name], rows)
            step(len(rows))
    if digest.hexdigest() != checked.sha256:
        raise Unloadable("The file was changed while it was read.")


def _batches(
    lines: Iterator[bytes], update: Callable[[bytes], None]
) -> Iterator[tuple[str, list[bytes]]]:
    """Batches of rows of one table, without the name of the table."""
    name, rows, size = "", list[bytes](), 0
    for text in lines:
        table = _table(text)
        if rows and (table != name or len(rows) >= _BATCH_ROWS or size >= _BATCH_BYTES):
            yield name, rows
            rows, size = [], 0
        name = table
        if name == END:
            return
        update(text)
        rows.append(text[len(name.encode()) + 4 : -2])
        size += len(text)


def _insert(connection: Connection, table: Table, rows: list[bytes]) -> None:
    query = SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1)"
    ).format(table=table.sql, columns=table.columns_sql)
    array = (b"[" + b",".join(rows) + b"]").decode()
    RawCursor(connection).execute(query.as_bytes(connection), [array])
