"""Insert and update rows, with one statement for any number of them.

Rows travel as JSON, which PostgreSQL reads by the types of the table's columns, so ranges and
decimals are written in one place only.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from itertools import chain
from typing import Any, NamedTuple
from uuid import UUID

import orjson

from hksz_db.database import Session, run
from hksz_db.domain.errors import DomainError, Gone, Merged, NotFound, Stale
from hksz_db.domain.ranges import Interval
from hksz_db.queries.registry import RESOURCES

Row = dict[str, Any]

BUMP = "version = version + 1, updated_at = now()"
"""The assignments that count a change of a row."""


TRIGGER_LOCKS = ("claim_relations", "evidence", "source_relations")
"""The advisory locks of triggers, in the order in which they are taken."""


def lock_for_triggers(session: Session, locks: Collection[str]) -> None:
    """Take some of ``TRIGGER_LOCKS``, in their order, before rows are written."""
    for lock in (known for known in TRIGGER_LOCKS if known in locks):
        run(session, "SELECT pg_advisory_xact_lock(hashtext($1))", lock)


def insert_rows(session: Session, rows: Mapping[str, Sequence[Mapping[str, object]]]) -> None:
    """Insert rows into several tables in one statement; a column that a row lacks is NULL in it.

    Foreign keys are checked at the end of the statement, so rows can refer to each other.
    """
    given = {table: new for table, new in rows.items() if new}
    columns = tuple(
        (table, tuple(dict.fromkeys(chain.from_iterable(new)))) for table, new in given.items()
    )
    run(session, _insert_statement(columns), *map(_dump, given.values()))


@lru_cache(maxsize=256)
def _insert_statement(columns: tuple[tuple[str, tuple[str, ...]], ...]) -> str:
    """The statement that inserts the rows $1 into the first table, $2 into the second etc."""
    # PostgreSQL runs the parts of a WITH that nothing refers to from the last to the first, so that
    # the links of a claim are there when its trigger computes the words by which it is found.
    parts = []
    for number, (table, names) in enumerate(columns, 1):
        listed = ", ".join(names)
        parts.append(
            f"new_{table} AS (INSERT INTO {table} ({listed}) SELECT {listed}"
            f" FROM json_populate_recordset(NULL::{table}, ${number}::json))"
        )
    return f"WITH {', '.join(parts)} SELECT"


def update_row(
    session: Session, resource: str, row: Row, versions: Sequence[int] | None = None
) -> bool:
    """Update the live row with the ``id`` at one of the versions (``None``: at any).

    Returns whether it differed; only then it gets a new version. The row stays locked. Raises
    ``NotFound``, ``Gone``, ``Merged`` or ``Stale``.
    """
    columns = [column for column in row if column != "id"]
    differs = _differs(columns)
    assignments = f"{_assignments(columns)}, " if columns else ""
    found = run(
        session,
        f"UPDATE {resource} AS stored SET {assignments}"
        f"version = stored.version + ({differs})::int,"
        f" updated_at = CASE WHEN {differs} THEN now() ELSE stored.updated_at END"
        f" FROM json_populate_record(NULL::{resource}, $1::json) AS given"
        " WHERE stored.id = $2 AND stored.deleted_at IS NULL"
        " AND ($3::int[] IS NULL OR stored.version = ANY ($3))"
        " RETURNING new.version > old.version",
        _dump(row),
        row["id"],
        versions,
    )
    if not found:
        raise missing_row_error(session, resource, row["id"])
    return bool(found[0][0])


def update_rows(session: Session, resource: str, rows: Sequence[Mapping[str, object]]) -> set[UUID]:
    """Update rows, which are live and locked, each found by its ``id``; the ids that differed.

    Columns that a row does not give stay.
    """
    columns = [column for column in dict.fromkeys(chain.from_iterable(rows)) if column != "id"]
    if not columns:
        return set()
    found = run(
        session,
        f"UPDATE {resource} AS changed SET {_assignments(columns)},"
        " version = changed.version + 1, updated_at = now()"
        " FROM json_array_elements($1::json) AS document"
        f" JOIN {resource} AS stored ON stored.id = (document->>'id')::uuid"
        " CROSS JOIN json_populate_record(stored, document) AS given"
        f" WHERE changed.id = stored.id AND {_differs(columns)} RETURNING changed.id",
        _dump(rows),
    )
    return {row[0] for row in found}


def bump_version(session: Session, resource: str, ids: Collection[UUID]) -> None:
    """Count a change to what belongs to the rows."""
    run(session, f"UPDATE {resource} SET {BUMP} WHERE id = ANY ($1)", list(ids))


def lock_rows(
    session: Session,
    resource: str,
    columns: Iterable[str],
    ids: Collection[UUID],
    strength: str = "NO KEY UPDATE",
) -> dict[UUID, Row]:
    """Lock rows, deleted ones too, in the order of their ids; their columns by id."""
    names = ("id", "deleted_at", *columns)
    found = run(
        session,
        f"SELECT {', '.join(names)} FROM {resource} WHERE id = ANY ($1) ORDER BY id FOR {strength}",
        list(ids),
    )
    return {row[0]: dict(zip(names, row, strict=True)) for row in found}


def require_live(session: Session, resource: str, id: UUID) -> None:
    """Raise ``NotFound``, ``Gone`` or ``Merged`` unless the row is live."""
    sql = f"SELECT 1 FROM {resource} WHERE id = $1 AND deleted_at IS NULL"
    if not run(session, sql, id):
        raise missing_row_error(session, resource, id)


def live_id(session: Session, resource: str, id: UUID) -> UUID:
    """The id of a live row, or of the live row that it was merged into.

    Raises ``NotFound`` or ``Gone``.
    """
    try:
        require_live(session, resource, id)
    except Merged as error:
        return live_id(session, resource, error.into_id)
    return id


def missing_row_error(session: Session, resource: str, id: UUID) -> DomainError:
    """The reason why no live row at a given version was found."""
    state = f"version, deleted_at IS NULL, {merged_into(resource)}"
    found = run(session, f"SELECT {state} FROM {resource} WHERE id = $1", id)
    singular = RESOURCES[resource].singular
    if not found:
        return NotFound(singular, id)
    version, live, into_id = found[0]
    if into_id is not None:
        return Merged(singular, id, version, into_id)
    return Stale(singular, id, version) if live else Gone(singular, id, version)


def merged_into(resource: str) -> str:
    """The SQL expression for the id of the row into which a row was merged."""
    return "redirect_to" if RESOURCES[resource].can_be_merged else "NULL::uuid"


class Children(NamedTuple):
    """All rows of ``table`` that belong to one row, whose id is in their column ``parent``.

    A child replaces the stored child with equal columns ``key``; without a key, all columns must
    be equal.
    """

    table: str
    parent: str
    rows: Sequence[Row]
    key: tuple[str, ...] = ()


def replace_children(session: Session, families: Mapping[UUID, Children]) -> set[UUID]:
    """Replace the children of parents, all of one table; the ids of the parents that differed."""
    family = next(iter(families.values()))
    table, parent = family.table, family.parent
    new = [{parent: id, **row} for id, given in families.items() for row in given.rows]
    parents = list(families)
    if not new:
        sql = f"DELETE FROM {table} WHERE {parent} = ANY ($1) RETURNING {parent}"
        return {row[0] for row in run(session, sql, parents)}
    columns = tuple(new[0])
    compared = family.key or tuple(column for column in columns if column != parent)
    same = " AND ".join(f"stored.{c} IS NOT DISTINCT FROM given.{c}" for c in compared)
    # The parent is never null, and only "=" allows a hash join.
    same = f"stored.{parent} = given.{parent} AND {same}"
    source = f"json_populate_recordset(NULL::{table}, $2::json) AS given"
    delete = (
        f"DELETE FROM {table} AS stored WHERE stored.{parent} = ANY ($1)"
        f" AND NOT EXISTS (SELECT FROM {source} WHERE {same}) RETURNING {parent}"
    )
    change = (
        f"UPDATE {table} AS stored SET {_assignments(columns)} FROM {source}"
        f" WHERE stored.{parent} = ANY ($1) AND {same} AND {_differs(columns)}"
        f" RETURNING stored.{parent}"
    )
    add = (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)}"
        f" FROM {source} WHERE NOT EXISTS"
        f" (SELECT FROM {table} AS stored WHERE stored.{parent} = ANY ($1) AND {same})"
        f" RETURNING {parent}"
    )
    # Without a key, rows that are the same in all columns need no change.
    statements = (delete, change, add) if family.key else (delete, add)
    document = _dump(new)
    return {row[0] for sql in statements for row in run(session, sql, parents, document)}


def _assignments(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = given.{column}" for column in columns)


def _differs(columns: Iterable[str]) -> str:
    before, after = (", ".join(f"{side}.{c}" for c in columns) for side in ("stored", "given"))
    # As text, because 0.5 and 0.50 are equal as numbers and different as statements.
    return f"ROW({before})::text <> ROW({after})::text" if before else "false"


def pick(fields: Row, *names: str) -> Row:
    """The fields with these names, as far as they are given."""
    return {name: fields[name] for name in names if name in fields}


def range_literal(interval: Interval) -> str:
    """The interval as a PostgreSQL ``numrange`` literal."""
    lower = "" if interval.lower is None else format(interval.lower, "f")
    upper = "" if interval.upper is None else format(interval.upper, "f")
    opening = "[" if interval.lower_inclusive else "("
    return f"{opening}{lower},{upper}{']' if interval.upper_inclusive else ')'}"


def _encode(value: object) -> str:
    return format(value, "f") if isinstance(value, Decimal) else str(value)


def _dump(rows: object) -> str:
    return orjson.dumps(rows, _encode).decode()
