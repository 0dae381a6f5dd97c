"""What is stored: the tables and sequences of a database, as its catalogue has them.

All ordinary tables of the current schema, and of that which holds what their rows were; not the
tables of extensions, nor those whose content is of this very database: which revision its
schema has, and the answers to requests that may be repeated.
"""

from collections.abc import Iterable, Mapping, Sequence
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
    """A foreign key of a table: its name, the table it leads to, whether it can wait."""

    name: str
    to: int
    deferrable: bool


@dataclass(frozen=True)
class Table:
    """A table: the columns that are not generated, and those of its primary key.

    ``name`` is what it is called in a dump; ``key`` says of each column whether it has a collation.
    """

    oid: int
    name: str
    sql: Composable
    columns: tuple[str, ...]
    key: tuple[tuple[str, bool], ...]
    foreign_keys: tuple[ForeignKey, ...]

    @property
    def columns_sql(self) -> Composable:
        """The columns, separated by commas."""
        return SQL(", ").join(map(Identifier, self.columns))

    @property
    def order_sql(self) -> Composable:
        """The order of the primary key, in which a text is what its bytes are everywhere."""
        if not self.key:
            return SQL("stored::text COLLATE {}").format(Identifier("C"))
        return SQL(", ").join(
            SQL("{} COLLATE {}").format(Identifier(column), Identifier("C"))
            if collated
            else Identifier(column)
            for column, collated in self.key
        )


@dataclass(frozen=True)
class Stored:
    """The tables, each after those it leads to (as far as there is no circle), and sequences.

    ``sequences`` are their names in SQL by their names in a dump.
    """

    tables: tuple[Table, ...]
    sequences: Mapping[str, Composable]

    @property
    def described(self) -> dict[str, list[str]]:
        """The columns of each table."""
        return {table.name: list(table.columns) for table in self.tables}

    def circular(self) -> list[tuple[Table, ForeignKey]]:
        """The foreign keys that lead to the table itself or to a later one, and cannot wait."""
        seen: set[int] = set()
        found = []
        for table in self.tables:
            keys = (key for key in table.foreign_keys if not key.deferrable)
            found += [(table, key) for key in keys if key.to not in seen]
            seen.add(table.oid)
        return found


def stored(connection: Connection, *, with_keys: bool) -> Stored:
    """What is stored; ``with_keys``: the API keys too, and what they were."""
    found = {
        oid: path for oid, path in _relations(connection, "r") if with_keys or path[-1] != KEYS
    }
    columns: dict[int, list[tuple[str, bool, int | None]]] = {oid: [] for oid in found}
    for oid, name, collated, place in _rows(connection, _COLUMNS, list(found)):
        columns[oid].append((name, collated, place))
    foreign_keys: dict[int, list[ForeignKey]] = {oid: [] for oid in found}
    for oid, to, name, deferrable in _rows(connection, _FOREIGN_KEYS, list(found)):
        foreign_keys[oid].append(ForeignKey(name, to, deferrable))
    tables = [
        Table(
            oid,
            ".".join(path),
            Identifier(*path),
            tuple(name for name, *_ in columns[oid]),
            _key(columns[oid]),
            tuple(foreign_keys[oid]),
        )
        for oid, path in found.items()
    ]
    sequences = {".".join(path): Identifier(*path) for _, path in _relations(connection, "S")}
    return Stored(tuple(_in_order(tables)), sequences)


def _relations(connection: Connection, kind: str) -> list[tuple[int, tuple[str, ...]]]:
    """The oids and names of relations, with the schema where it is not the current one."""
    return [
        (oid, (name,) if is_current else (schema, name))
        for oid, is_current, schema, name in _rows(connection, _RELATIONS, kind, _LEFT_OUT)
    ]


def _rows(connection: Connection, query: str, *arguments: Any) -> list[tuple[Any, ...]]:
    return RawCursor(connection).execute(query.encode(), arguments).fetchall()


def _key(columns: Sequence[tuple[str, bool, int | None]]) -> tuple[tuple[str, bool], ...]:
    placed = sorted((place, name, collated) for name, collated, place in columns if place)
    return tuple((name, collated) for _, name, collated in placed)


def _in_order(tables: Iterable[Table]) -> list[Table]:
    """Each table after those that it leads to; of a circle the first by name comes first."""
    left = {table.oid: table for table in tables}
    ordered = []
    while left:
        free = (
            table
            for table in left.values()
            if not any(key.to in left and key.to != table.oid for key in table.foreign_keys)
        )
        chosen = next(free, None) or next(iter(left.values()))
        ordered.append(left.pop(chosen.oid))
    return ordered
