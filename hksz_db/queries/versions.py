"""The history of a row: its versions, who made them, and its document in each.

A version is the state that a transaction left. The row and its parts record which transaction wrote
and which ended them; the schema ``past`` holds their earlier states.
"""

import json
from collections.abc import Iterator
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import TIMESTAMP, column, func, literal_column, select, table, text, true

from hksz_db.database import Database, Prepared, prepare
from hksz_db.domain.errors import NotFound, VersionNotFound
from hksz_db.domain.vocabulary import HistoryOp
from hksz_db.queries.documents import TIMESTAMP_FORMAT
from hksz_db.queries.field_sources import field_sources
from hksz_db.queries.keysets import Key, Keyset, gathered, numbered, page_of
from hksz_db.queries.pages import document_statement
from hksz_db.queries.registry import RESOURCES

_MAX_VERSION = 2**31 - 1
_BATCH = 100
_MOMENTS = table(
    "moments",
    column("at", TIMESTAMP(timezone=True)),
    *map(column, ("number", "fields", "actor", "request_id")),
)
_UTC = f"to_char(timezone('UTC', {{}}), {TIMESTAMP_FORMAT})"
_OP = f"""CASE
    WHEN after.version IS NULL THEN '{HistoryOp.REMOVE}'
    WHEN before.version IS NULL AND number = 0 THEN '{HistoryOp.BEGIN}'
    WHEN before.version IS NULL THEN '{HistoryOp.CREATE}'
    WHEN before.deleted_at IS NULL AND after.redirect_to IS NOT NULL THEN '{HistoryOp.MERGE}'
    WHEN before.deleted_at IS NULL AND after.deleted_at IS NOT NULL THEN '{HistoryOp.DELETE}'
    WHEN before.redirect_to IS NOT NULL AND after.deleted_at IS NULL THEN '{HistoryOp.UNMERGE}'
    WHEN before.deleted_at IS NOT NULL AND after.deleted_at IS NULL THEN '{HistoryOp.RESTORE}'
    ELSE '{HistoryOp.UPDATE}'
END"""

KEYSET = Keyset((Key(_MOMENTS.c.at, descending=True),))


class Version(NamedTuple):
    """A version of a row: ``entry`` is its JSON object, ``at`` when it was committed."""

    entry: bytes
    at: datetime


class Entry(NamedTuple):
    """The JSON object of a version: who made it, and which fields differ from the one before."""

    version: int
    at: str
    actor: str
    request_id: str | None
    op: str
    changed: list[str]


def version(database: Database, resource: str, id: UUID, number: int) -> Version:
    """The version with this number; if there are several, the last.

    Raises ``NotFound`` if the row never existed, ``VersionNotFound`` if it never had this version.
    """
    values = {"id": id, "version": min(number, _MAX_VERSION)}
    found = database.read(_version_statement(resource), values)
    if not found:
        raise NotFound(RESOURCES[resource].singular, id)
    ((entry, at, *near),) = found
    if entry is None:
        neighbours = [known for known in near if known is not None]
        raise VersionNotFound(RESOURCES[resource].singular, id, number, neighbours)
    return Version(entry, at)


def document(
    database: Database, resource: str, id: UUID, fields: tuple[str, ...], at: datetime
) -> bytes | None:
    """The named fields of a row's document as of a moment; ``None`` if it was deleted."""
    rows = database.read(document_statement(resource, fields), {"id": id}, at)
    return rows[0][-1] if rows else None


def document_in(
    database: Database, resource: str, id: UUID, number: int
) -> dict[str, object] | None:
    """The document that a read by id gave in a version; ``None`` if the row was deleted.

    Raises ``NotFound`` or ``VersionNotFound``.
    """
    found = version(database, resource, id, number)
    readable = RESOURCES[resource]
    fields = (*readable.fields, *readable.read_embeds)
    read: dict[str, object] | None = json.loads(
        document(database, resource, id, fields, found.at) or b"null"
    )
    return read


def named(database: Database, resource: str, external_id: str) -> UUID | None:
    """The id of the row with an external id: the live one, or the one that was deleted last."""
    sql = (
        f"SELECT id FROM {resource} WHERE external_id = $1::text"
        " ORDER BY deleted_at DESC NULLS FIRST LIMIT 1"
    )
    found = database.read(Prepared(sql, ("name",), {}), {"name": external_id})
    return found[0][0] if found else None


def versions(database: Database, resource: str, id: UUID) -> Iterator[Entry]:
    """All versions of a row, the newest first. Raises ``NotFound``."""
    values: dict[str, object] = {"id": id, "rows": _BATCH + 1}
    statement = page_statement(resource, None)
    while True:
        ((items, cursor, *_),) = database.read(statement, values)
        if items is None:
            raise NotFound(RESOURCES[resource].singular, id)
        yield from (Entry(**entry) for entry in json.loads(b"[%b]" % items))
        if cursor is None:
            return
        (values["c0"],) = json.loads(cursor)
        statement = page_statement(resource, (True,))


@lru_cache(maxsize=32)
def page_statement(resource: str, after: tuple[bool, ...] | None) -> Prepared:
    """A page of a row's versions, the newest first, as ``pages.page_statement`` gives rows.

    Binds ``:id``, ``:rows`` and, after a cursor, its key ``:c0``, which is a moment.
    """
    found = page_of(select(_MOMENTS), KEYSET, after)
    chosen = found.join(_MOMENTS, _MOMENTS.c.at == found.c.s0)
    entry = text(_entry(resource)).columns().lateral("entry")
    body = func.row_to_json(literal_column("entry"))
    page = gathered(numbered(found, KEYSET, chosen.join(entry, true()), body))
    for name, query in (("images", _images(resource)), ("moments", _moments(resource))):
        page = page.add_cte(text(query).columns().cte(name).prefix_with("MATERIALIZED"))
    return prepare(page)


@lru_cache(maxsize=16)
def _version_statement(resource: str) -> Prepared:
    sql = f"""
        WITH images AS MATERIALIZED ({_images(resource)}),
        moments AS MATERIALIZED ({_moments(resource)}),
        chosen AS (
            SELECT moments.* FROM (
                SELECT *, lead(at) OVER (ORDER BY at) AS until FROM moments
            ) AS moments JOIN images ON {_valid_after("images")}
            WHERE version = CAST(:version AS int) ORDER BY at DESC LIMIT 1
        )
        SELECT (
            SELECT row_to_json(entry)::text
            FROM chosen, LATERAL ({_entry(resource, until=True)}) AS entry
        ), (SELECT at FROM chosen), max(version) FILTER (WHERE version < :version),
            min(version) FILTER (WHERE version > :version)
        FROM images HAVING count(*) > 0
    """
    return prepare(text(sql))


def _images(resource: str) -> str:
    """A query of all states of the row, and when each began and ended."""
    own = (column for columns in field_sources(resource).columns.values() for column in columns)
    redirect = "redirect_to" if RESOURCES[resource].can_be_merged else "NULL AS redirect_to"
    columns = ", ".join(dict.fromkeys([*own, "version", "deleted_at", redirect, "written_in"]))
    # What was written before all tables had a history belongs to the beginning of the history.
    return f"""
        SELECT image.*, beginning, ended.committed_at AS ended_at,
            greatest(began.committed_at, beginning) AS began_at,
            CASE WHEN began.committed_at > beginning THEN written_in ELSE 0 END AS begun_in
        FROM (
            SELECT {columns}, NULL::bigint AS ended_in FROM {resource} WHERE id = :id
            UNION ALL SELECT {columns}, ended_in FROM past.{resource} WHERE id = :id
        ) AS image
            JOIN transactions AS began ON began.id = written_in
            LEFT JOIN transactions AS ended ON ended.id = ended_in
            JOIN (SELECT committed_at AS beginning FROM transactions WHERE id = 0) AS history
                ON (ended.committed_at > beginning) IS NOT FALSE
    """


def _moments(resource: str) -> str:
    """A query of the moments at which the row or its parts changed, given its ``images``."""
    touches = [
        "SELECT begun_in AS number, NULL AS field, true AS counted FROM images",
        "SELECT ended_in, NULL, true FROM images WHERE ended_in IS NOT NULL",
    ]
    for name, part in field_sources(resource).parts.items():
        field = f"'{name}', {str(part.counted).lower()}"
        where = f"WHERE {part.owner} = :id"
        touches += [
            f"SELECT written_in, {field} FROM {part.table} {where}",
            f"SELECT written_in, {field} FROM past.{part.table} {where}",
            f"SELECT ended_in, {field} FROM past.{part.table} {where}",
        ]
    return f"""
        SELECT number, fields, committed_at AS at, actor, request_id FROM (
            SELECT number, array_agg(field) FILTER (WHERE field IS NOT NULL) AS fields
            FROM ({" UNION ".join(touches)}) AS touches
            GROUP BY number HAVING bool_or(counted)
        ) AS touched JOIN transactions ON transactions.id = number
        WHERE committed_at >= (SELECT beginning FROM images LIMIT 1)
    """


def _valid_after(images: str) -> str:
    """The condition under which an image is the state after a moment."""
    return f"{images}.began_at <= at AND ({images}.ended_at > at) IS NOT FALSE"


def _entry(resource: str, *, until: bool = False) -> str:
    """The entry of a moment of the ``chosen`` ones."""
    ending = f", {_UTC.format('until')} AS until" if until else ""
    return f"""
        SELECT after.version, {_UTC.format("at")} AS at, actor, request_id,
            {_OP} AS op, array_to_json({_changed(resource)}) AS changed{ending}
        FROM (SELECT) AS once LEFT JOIN images AS after ON {_valid_after("after")}
            LEFT JOIN images AS before
                ON before.began_at < at AND (before.ended_at >= at) IS NOT FALSE
    """


def _changed(resource: str) -> str:
    """The fields that differ between two images, or whose parts the transaction wrote."""
    known = field_sources(resource)
    tests = []
    for name in known.fields:
        if name in known.parts:
            differs = f"'{name}' = ANY (fields)"
        else:
            # As text, because 0.5 and 0.50 are equal as numbers and different as statements.
            after, before = (
                f"ROW({', '.join(f'{image}.{column}' for column in known.columns[name])})::text"
                for image in ("after", "before")
            )
            differs = f"{after} <> {before}"
        tests.append(f"CASE WHEN {differs} THEN '{name}' END")
    both = "after.version IS NOT NULL AND before.version IS NOT NULL"
    return f"CASE WHEN {both} THEN array_remove(ARRAY[{', '.join(tests)}], NULL) ELSE '{{}}' END"
