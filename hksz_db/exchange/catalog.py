"""The tables and sequences that a dump contains, as the system catalog describes them.

They are those of the current schema and of ``past``. Tables of extensions are left out, and so are
those that only concern one database: the revision of its schema, and answers to repeated requests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import RawCursor
from psycopg.sql import SQL, Composable, Identifier

Connection = psycopg.Connection[tuple[Any, ...]]
KEYS = "api_keys"
LEDGER = ("changes", "transactions")
_LEFT_OUT = ["alembic_version", "idempotency_keys"]
_RELATIONS = """
    SELECT pg_class.oid, nspname = current_schema(), nspname, relname
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
_COLUMNS = """
    SELECT attrelid, attname, attcollation <> 0, array_position(conkey, attnum)
    FROM pg_attribute LEFT JOIN pg_constraint ON conrelid = attrelid AND contype = 'p'
    WHERE attrelid = ANY ($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
    ORDER BY attrelid, attnum
"""
_FOREIGN_KEYS = """
    SELECT conrelid, confrelid, conname, condeferrable
    FROM pg_constraint WHERE contype = 'f' AND conrelid = ANY ($1)
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
    """A table with its non-generated columns and the columns of its primary key.

    ``name`` is its name in a dump. ``key`` has the columns, and whether each has a collation.
    """

    oid: int
    name: str
    sql: Composable
    columns: tuple[str, ...]
    key: tuple[tuple[str, bool], ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def columns_sql(self) -> Composable:
        """The list of columns."""
        return SQL(", ").join(map(Identifier, self.columns))

    @property
    def order_sql(self) -> Composable:
        """The order of the primary key; text is ordered by its bytes, as in every database."""
        if not self.key:
            return SQL("stored::text COLLATE {}").format(Identifier("C"))
        return SQL(", ").join(
            SQL("{} COLLATE {}").format(Identifier(column), Identifier("C"))
            if collated
            else Identifier(column)
            for column, collated in self.key
        )


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
        return {table.name: list(table.columns) for table in self.tables}

    def circular(self) -> list[tuple[Table, ForeignKey]]:
        """The foreign keys that reference the same or a later table, and are not deferrable."""
        seen: set[int] = set()
        found = []
        for table in self.tables:
            keys = (key for key in table.foreign_keys if not key.deferrable)
            found += [(table, key) for key in keys if key.to not in seen]
            seen.add(table.oid)
        return found


def read_catalog(connection: Connection, *, with_keys: bool) -> Catalog:
    """Read the catalog; ``with_keys`` includes the API keys and their history."""
    paths = {
        oid: path
        for oid, path in _relations(connection, "r").items()
        if with_keys or path[-1] != KEYS
    }
    columns: dict[int, list[str]] = {oid: [] for oid in paths}
    keys: dict[int, dict[int, tuple[str, bool]]] = {oid: {} for oid in paths}
    for oid, name, is_collated, place in _rows(connection, _COLUMNS, list(paths)):
        columns[oid].append(name)
        if place:
            keys[oid][place] = name, is_collated
    foreign_keys: dict[int, list[ForeignKey]] = {oid: [] for oid in paths}
    for oid, to, name, deferrable in _rows(connection, _FOREIGN_KEYS, list(paths)):
        foreign_keys[oid].append(ForeignKey(name, to, deferrable))
    tables = {
        oid: Table(
            oid,
            ".".join(path),
            Identifier(*path),
            tuple(columns[oid]),
            tuple(keys[oid][place] for place in sorted(keys[oid])),
            tuple(foreign_keys[oid]),
        )
        for oid, path in paths.items()
    }
    sequences = {".".join(path): Identifier(*path) for path in _relations(connection, "S").values()}
    return Catalog(tuple(_in_order(tables)), sequences)


def _relations(connection: Connection, kind: str) -> dict[int, tuple[str, ...]]:
    """The names of relations by oid, with the schema unless it is the current one."""
    return {
        oid: (name,) if is_current else (schema, name)
        for oid, is_current, schema, name in _rows(connection, _RELATIONS, kind, _LEFT_OUT)
    }


def _rows(connection: Connection, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    return RawCursor(connection).execute(query.encode(), arguments).fetchall()


def _in_order(remaining: dict[int, Table]) -> Iterator[Table]:
    """Each table after those that it references; a cycle begins with its first table by name."""
    while remaining:
        free = (
            table
            for table in remaining.values()
            if not any(key.to in remaining and key.to != table.oid for key in table.foreign_keys)
        )
        yield remaining.pop(next(free, next(iter(remaining.values()))).oid)
