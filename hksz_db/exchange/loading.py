"""Loading: from the file of a dump, the very same database.

The file is read twice. At first it is only checked: one that is cut off or was changed never
reaches the database. Then its rows go into an empty database of the same revision, all in one
transaction: while it lasts no trigger of ours runs, so that nothing is counted or recorded anew,
and the foreign keys that lead in circles wait for its end.
"""

import gzip
import hashlib
import json
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.sql import SQL, Composable, Identifier

from hksz_db.database import Database
from hksz_db.exchange.catalog import KEYS, LEDGER, Connection, Stored, Table, stored
from hksz_db.exchange.dumping import END, HEAD, VERSION, line, revision

_GZIP_MAGIC = b"\x1f\x8b"
_BATCH_ROWS = 1000
_BATCH_BYTES = 2**20
_LOCK_TIMEOUT = "SET LOCAL lock_timeout = '10s'"
_DAMAGED = "The file is damaged, or was changed after it was dumped."

Step = Callable[[int], None]


class Unloadable(ValueError):
    """The file or the database is not as it must be; the message is one sentence."""


@dataclass(frozen=True)
class Checked:
    """What a whole file says of itself."""

    revision: str | None
    tables: dict[str, list[str]]
    sequences: dict[str, list[Any]]
    counts: dict[str, int]
    sha256: str

    @property
    def rows(self) -> int:
        """How many rows there are in all."""
        return sum(self.counts.values())


def check(path: Path, step: Step) -> Checked:
    """Read the file to its end and see whether all of it is there.

    ``step`` is called with the number of bytes that were read. Raises ``Unloadable``.
    """
    digest = hashlib.sha256()
    counts: dict[str, int] = {}
    with _lines(path, step) as lines:
        first = next(lines, b"")
        head = _head(first)
        digest.update(first)
        for text in lines:
            name = _table(text)
            if name == END:
                return _ended(head, counts, digest.hexdigest(), text, next(lines, b""))
            counts[name] = counts.get(name, 0) + 1
            digest.update(text)
    raise Unloadable("The file is cut off: its end is missing.")


def _head(text: bytes) -> dict[str, Any]:
    try:
        head: dict[str, Any] = json.loads(text)[HEAD]
    except (ValueError, KeyError, TypeError):
        raise Unloadable("The file is no dump of this software.") from None
    if head.get("version") != VERSION:
        raise Unloadable(f"The dump has the form {head.get('version')}; known: {VERSION}.")
    return head


def _table(text: bytes) -> str:
    name, colon, _ = text.removeprefix(b'{"').partition(b'":')
    if not colon or not text.endswith(b"}\n"):
        raise Unloadable(_DAMAGED if text.endswith(b"\n") else "The file is cut off within a line.")
    return name.decode(errors="replace")


def _ended(
    head: dict[str, Any], counts: dict[str, int], sha256: str, text: bytes, after: bytes
) -> Checked:
    known = {**dict.fromkeys(head["tables"], 0), **counts}
    if after or text != line(END, {"rows": known, "sha256": sha256}):
        raise Unloadable(_DAMAGED)
    return Checked(head["revision"], head["tables"], head["sequences"], known, sha256)


@contextmanager
def _lines(path: Path, step: Step) -> Iterator[Iterator[bytes]]:
    try:
        with path.open("rb") as file:
            packed = file.read(2) == _GZIP_MAGIC
            file.seek(0)
            yield _told(gzip.GzipFile(fileobj=file) if packed else file, file.tell, step)
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise Unloadable("The file is cut off or damaged: it cannot be unpacked.") from None


def _told(lines: Any, place: Callable[[], int], step: Step) -> Iterator[bytes]:
    told = 0
    for text in lines:
        yield text
        if place() > told:
            step(place() - told)
            told = place()


def load(database: Database, path: Path, checked: Checked, step: Step) -> None:
    """Load the file that was checked, all of it or nothing.

    ``step`` is called with the number of rows that were loaded. Raises ``Unloadable`` where the
    database is not empty or of another revision, or where the file is not the one that was checked.
    """
    try:
        with database.unhurried() as connection:
            with connection.transaction():
                tables = _load(connection, path, checked, step)
            # A planner that takes the tables for empty would answer slowly until told otherwise.
            connection.execute(SQL("ANALYZE {}").format(SQL(", ").join(tables)))
    except psycopg.Error as error:
        reason = error.diag.message_primary or str(error)
        raise Unloadable(f"Nothing was loaded: {reason}.") from error


def _load(connection: Connection, path: Path, checked: Checked, step: Step) -> list[Composable]:
    connection.execute(_LOCK_TIMEOUT)
    _check_revision(connection, checked)
    found = stored(connection, with_keys=KEYS in checked.tables)
    if found.described != checked.tables or found.sequences.keys() != checked.sequences.keys():
        raise Unloadable("The dump has other tables or columns than the database.")
    with _undisturbed(connection, found):
        _refuse_rows(connection, found)
        for table in LEDGER:
            connection.execute(SQL("DELETE FROM {}").format(Identifier(table)))
        if KEYS not in checked.tables:
            _keep_the_keys(connection)
        _copy(connection, path, checked, found, step)
    for name, sequence in found.sequences.items():
        values = [sequence.as_string(connection), *checked.sequences[name]]
        RawCursor(connection).execute(b"SELECT setval($1, $2, $3)", values)
    return [table.sql for table in found.tables]


def _check_revision(connection: Connection, checked: Checked) -> None:
    here = revision(connection)
    if here is None:
        raise Unloadable(f"The database has no schema yet: alembic upgrade {checked.revision}.")
    if here != checked.revision:
        raise Unloadable(
            f"The dump is of the revision {checked.revision}, and the database is at {here}:"
            f" migrate it to {checked.revision} first, and further when the dump is loaded."
        )


def _refuse_rows(connection: Connection, found: Stored) -> None:
    full = [
        table.name
        for table in found.tables
        if table.name not in LEDGER
        and connection.execute(SQL("SELECT FROM {} LIMIT 1").format(table.sql)).fetchall()
    ]
    if full:
        raise Unloadable(f"The database is not empty: there are rows in {', '.join(full)}.")


def _keep_the_keys(connection: Connection) -> None:
    """Let the keys that are there count as written before the history that is loaded."""
    switch = SQL("ALTER TABLE {} {} TRIGGER USER")
    for table in (Identifier(KEYS), Identifier("past", KEYS)):
        connection.execute(switch.format(table, SQL("DISABLE")))
    connection.execute("UPDATE api_keys SET written_in = 0")
    connection.execute("DELETE FROM past.api_keys")
    for table in (Identifier(KEYS), Identifier("past", KEYS)):
        connection.execute(switch.format(table, SQL("ENABLE")))


@contextmanager
def _undisturbed(connection: Connection, found: Stored) -> Iterator[None]:
    """No trigger of ours runs, and no foreign key asks for a row that is still to come.

    The tables are locked against all other writers until the end of the transaction.
    """
    switch = SQL("ALTER TABLE {} {} TRIGGER USER")
    alter = SQL("ALTER TABLE {} ALTER CONSTRAINT {} {}")
    for table in found.tables:
        connection.execute(switch.format(table.sql, SQL("DISABLE")))
    for table, key in found.circular():
        wait = SQL("DEFERRABLE INITIALLY DEFERRED")
        connection.execute(alter.format(table.sql, Identifier(key.name), wait))
    connection.execute("SET CONSTRAINTS ALL DEFERRED")
    yield
    # The tables cannot be altered while checks are due.
    connection.execute("SET CONSTRAINTS ALL IMMEDIATE")
    for table, key in found.circular():
        at_once = SQL("NOT DEFERRABLE")
        connection.execute(alter.format(table.sql, Identifier(key.name), at_once))
    for table in found.tables:
        connection.execute(switch.format(table.sql, SQL("ENABLE")))


def _copy(connection: Connection, path: Path, checked: Checked, found: Stored, step: Step) -> None:
    tables = {table.name: table for table in found.tables}
    digest = hashlib.sha256()
    with _lines(path, lambda _: None) as lines:
        digest.update(next(lines, b""))
        for name, rows in _batches(lines, digest.update):
            if name == END:
                break
            _insert(connection, tables[name], rows)
            step(len(rows))
    if digest.hexdigest() != checked.sha256:
        raise Unloadable("The file was changed while it was read.")


def _batches(
    lines: Iterator[bytes], seen: Callable[[bytes], None]
) -> Iterator[tuple[str, list[bytes]]]:
    """The rows, without what names their table, so many at once of one table."""
    name, rows, size = "", list[bytes](), 0
    for text in lines:
        table = _table(text)
        if rows and (table != name or len(rows) >= _BATCH_ROWS or size >= _BATCH_BYTES):
            yield name, rows
            rows, size = [], 0
        name = table
        if name == END:
            return
        seen(text)
        rows.append(text[len(name.encode()) + 4 : -2])
        size += len(text)


def _insert(connection: Connection, table: Table, rows: list[bytes]) -> None:
    query = SQL(
        "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE"
        " SELECT {columns} FROM json_populate_recordset(NULL::{table}, $1)"
    ).format(table=table.sql, columns=table.columns_sql)
    array = (b"[" + b",".join(rows) + b"]").decode()
    RawCursor(connection).execute(query.as_string(connection).encode(), [array])
