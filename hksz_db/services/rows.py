"""Rows in and out of tables, a statement a time however many rows there are.

Rows travel as JSON and PostgreSQL reads them by the types of the table's own columns, so that
there is no second place that knows how a range or a decimal is written.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from itertools import chain
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.chronology import Period
from hksz_db.domain.errors import DomainError, Gone, Merged, NotFound, Stale
from hksz_db.domain.quantities import Interval
from hksz_db.queries.filters import days_literal
from hksz_db.queries.pages import RESOURCES

Row = dict[str, Any]


def insert(session: Session, rows: Mapping[str, Sequence[Row]]) -> None:
    """Insert rows into several tables in one statement; a key that a row lacks is NULL in it.

    Within it foreign keys are checked last, so that parents and children go together.
    """
    parts, arguments = [], []
    for table, new in rows.items():
        if new:
            arguments.append(_dump(new))
            columns = ", ".join(dict.fromkeys(chain.from_iterable(new)))
            parts.append(
                f"new_{table} AS (INSERT INTO {table} ({columns}) SELECT {columns}"
                f" FROM json_populate_recordset(NULL::{table}, ${len(arguments)}::json))"
            )
    run(session, f"WITH {', '.join(parts)} SELECT", *arguments)


def change(
    session: Session, resource: str, id: UUID, versions: Sequence[int] | None, values: Row
) -> bool:
    """Give a live row new values if it is at one of the versions (``None``: at any).

    Returns whether anything differed, which is when the version goes up. The row stays locked.
    Raises ``NotFound``, ``Gone`` or ``Stale``.
    """
    differs = _differs(values)
    assignments = f"{_assignments(values)}, " if values else ""
    found = run(
        session,
        f"UPDATE {resource} AS stored SET {assignments}"
        f"version = stored.version + ({differs})::int,"
        f" updated_at = CASE WHEN {differs} THEN now() ELSE stored.updated_at END"
        f" FROM json_populate_record(NULL::{resource}, $1::json) AS given"
        " WHERE stored.id = $2 AND stored.deleted_at IS NULL"
        " AND ($3::int[] IS NULL OR stored.version = ANY ($3))"
        " RETURNING new.version > old.version",
        _dump(values),
        id,
        versions,
    )
    if not found:
        raise absence(session, resource, id)
    return bool(found[0][0])


def touch(session: Session, resource: str, id: UUID) -> None:
    """Count a change to what belongs to the row."""
    run(
        session,
        f"UPDATE {resource} SET version = version + 1, updated_at = now() WHERE id = $1",
        id,
    )


def change_all(session: Session, resource: str, rows: Sequence[Row]) -> set[UUID]:
    """Give rows new values, each under its ``id``; which of them have differed.

    What a row does not give stays as it is. The rows are live and locked.
    """
    columns = tuple(column for column in dict.fromkeys(chain.from_iterable(rows)) if column != "id")
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


def touch_all(session: Session, resource: str, ids: Iterable[UUID]) -> None:
    """Count a change to what belongs to each of the rows, which are locked."""
    run(
        session,
        f"UPDATE {resource} SET version = version + 1, updated_at = now() WHERE id = ANY ($1)",
        list(ids),
    )


def demand(session: Session, resource: str, id: UUID) -> None:
    """Raise ``NotFound`` or ``Gone`` unless there is such a live row."""
    sql = f"SELECT 1 FROM {resource} WHERE id = $1 AND deleted_at IS NULL"
    if not run(session, sql, id):
        raise absence(session, resource, id)


def stored(
    session: Session, resource: str, id: UUID, columns: Sequence[str], lock: str = ""
) -> Row:
    """The columns of a live row. Raises ``NotFound`` or ``Gone``."""
    sql = f"SELECT {', '.join(columns)} FROM {resource} WHERE id = $1 AND deleted_at IS NULL {lock}"
    found = run(session, sql, id)
    if not found:
        raise absence(session, resource, id)
    return dict(zip(columns, found[0], strict=True))


def absence(session: Session, resource: str, id: UUID) -> DomainError:
    """Why a live row at a given version was not found."""
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


@dataclass(frozen=True)
class Children:
    """All the rows of ``table`` that belong to one row, which ``parent`` names.

    With a ``key`` a child with equal key columns is changed, where it would be replaced.
    """

    table: str
    parent: str
    rows: Sequence[Row]
    key: tuple[str, ...] = ()


def owned(id: UUID, children: Iterable[Children]) -> dict[str, list[Row]]:
    """The rows of the children of a row by table."""
    return {
        family.table: [{family.parent: id, **row} for row in family.rows] for family in children
    }


def change_whole(
    session: Session,
    resource: str,
    id: UUID,
    versions: Sequence[int] | None,
    values: Row,
    children: Sequence[Children],
) -> bool:
    """Change a row and make the given children its children; returns whether anything differed."""
    changed = change(session, resource, id, versions, values)
    # Each family in turn, whatever the one before came to.
    replaced = [replace_children(session, {id: family}) for family in children]
    if any(replaced) and not changed:
        touch(session, resource, id)
    return changed or any(replaced)


def replace_children(session: Session, families: Mapping[UUID, Children]) -> set[UUID]:
    """Make the families, all of one table, the children of their parents; whose have differed."""
    family = next(iter(families.values()))
    table, parent = family.table, family.parent
    new = [{parent: id, **row} for id, given in families.items() for row in given.rows]
    parents = list(families)
    if not new:
        sql = f"DELETE FROM {table} WHERE {parent} = ANY ($1) RETURNING {parent}"
        return {row[0] for row in run(session, sql, parents)}
    columns = tuple(new[0])
    kept = family.key or tuple(column for column in columns if column != parent)
    same = " AND ".join(f"stored.{column} IS NOT DISTINCT FROM given.{column}" for column in kept)
    # Never null, and compared so that rows can be hashed by it.
    same = f"stored.{parent} = given.{parent} AND {same}"
    source = f"json_populate_recordset(NULL::{table}, $2::json) AS given"
    differs = _differs(columns)
    delete = (
        f"DELETE FROM {table} AS stored WHERE stored.{parent} = ANY ($1)"
        f" AND NOT EXISTS (SELECT FROM {source} WHERE {same}) RETURNING {parent}"
    )
    update = (
        f"UPDATE {table} AS stored SET {_assignments(columns)} FROM {source}"
        f" WHERE stored.{parent} = ANY ($1) AND {same} AND {differs} RETURNING stored.{parent}"
    )
    add = (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)}"
        f" FROM {source} WHERE NOT EXISTS"
        f" (SELECT FROM {table} AS stored WHERE stored.{parent} = ANY ($1) AND {same})"
        f" RETURNING {parent}"
    )
    # Without a key rows are equal as a whole or not at all: there is none to change.
    statements = (delete, update, add) if family.key else (delete, add)
    document = _dump(new)
    return {row[0] for sql in statements for row in run(session, sql, parents, document)}


def _assignments(columns: Iterable[str]) -> str:
    return ", ".join(f"{column} = given.{column}" for column in columns)


def _differs(columns: Iterable[str]) -> str:
    before, after = (", ".join(f"{side}.{c}" for c in columns) for side in ("stored", "given"))
    # As text, because 0.5 and 0.50 are equal as numbers and different as statements.
    return f"ROW({before})::text <> ROW({after})::text" if before else "false"


def chosen(fields: Row, *names: str) -> Row:
    """The columns of these names that the fields give."""
    return {name: fields[name] for name in names if name in fields}


def dated(fields: Row, name: str) -> Row:
    """The two columns of a date, ``name_edtf`` and ``name``, where the fields give it."""
    if f"{name}_edtf" not in fields:
        return {}
    period: Period | None = fields[f"{name}_edtf"]
    if period is None:
        return {f"{name}_edtf": None, name: None}
    return {f"{name}_edtf": period.edtf, name: days_literal(period)}


def range_literal(interval: Interval) -> str:
    """The interval as a PostgreSQL ``numrange`` literal."""
    lower = "" if interval.lower is None else format(interval.lower, "f")
    upper = "" if interval.upper is None else format(interval.upper, "f")
    opening = "[" if interval.lower_inclusive else "("
    return f"{opening}{lower},{upper}{']' if interval.upper_inclusive else ')'}"


def _dump(value: Any) -> str:
    return json.dumps(value, default=_encode, ensure_ascii=False)


def _encode(value: Any) -> str:
    match value:
        case Decimal():
            return format(value, "f")
        case date() | datetime():
            return value.isoformat()
        case _:
            return str(value)
