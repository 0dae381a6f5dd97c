"""The history of a row: its versions, who made them, and its document as it was in each.

A version is what one transaction left. The row and what belongs to it say which transaction
wrote them and which ended them; what they were before lies in the schema ``past``.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from uuid import UUID

from hksz_db.database import Database, Prepared
from hksz_db.domain.errors import NotFound, NoVersion
from hksz_db.domain.vocabulary import HistoryOp
from hksz_db.queries.field_sources import field_sources
from hksz_db.queries.pages import RESOURCES, document_statement

_MAX_VERSION = 2**31 - 1
_BATCH = 100
_MOMENT = """to_char(timezone('UTC', {}), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')"""


@dataclass(frozen=True)
class Version:
    """One version of a row: ``entry`` is its JSON object, ``at`` when it was committed."""

    entry: bytes
    at: datetime


def version(database: Database, resource: str, id: UUID, number: int) -> Version:
    """The version with this number; of several, the last.

    Raises ``NotFound`` when there never was such a row, ``NoVersion`` when it never was at it.
    """
    asked = {"id": id, "version": min(number, _MAX_VERSION)}
    found = database.read(_version_statement(resource), asked)
    if not found:
        raise NotFound(RESOURCES[resource].singular, id)
    ((entry, at, *near),) = found
    if entry is None:
        beside = [known for known in near if known is not None]
        raise NoVersion(RESOURCES[resource].singular, id, number, beside)
    return Version(entry, at)


def document(
    database: Database, resource: str, id: UUID, fields: tuple[str, ...], at: datetime
) -> bytes | None:
    """The named fields of a row's document as it was at the moment; ``None`` if it was deleted."""
    rows = database.read(document_statement(resource, fields), {"id": id}, at)
    return rows[0][-1] if rows else None


def document_in(database: Database, resource: str, id: UUID, number: int) -> Any:
    """What a read by id gave of a row in a version; ``None`` if it was deleted.

    Raises ``NotFound`` or ``NoVersion``.
    """
    found = version(database, resource, id, number)
    readable = RESOURCES[resource]
    fields = (*readable.fields, *readable.read_embeds)
    return json.loads(document(database, resource, id, fields, found.at) or b"null")


def named(database: Database, resource: str, external_id: str) -> UUID | None:
    """The id of the row, live or deleted, with an external id."""
    sql = f"SELECT id FROM {resource} WHERE external_id = $1::text"
    found = database.read(Prepared(sql, ("name",), {}), {"name": external_id})
    return found[0][0] if found else None


def versions(database: Database, resource: str, id: UUID) -> Iterator[dict[str, Any]]:
    """All versions of a row, the newest first. Raises ``NotFound``."""
    values: dict[str, Any] = {"id": id, "c0": None, "rows": _BATCH + 1}
    while True:
        ((items, cursor, *_),) = database.read(page_statement(resource), values)
        if items is None:
            raise NotFound(RESOURCES[resource].singular, id)
        yield from json.loads(b"[%b]" % items)
        if cursor is None:
            return
        values["c0"] = json.loads(cursor)[0]


@lru_cache(maxsize=16)
def page_statement(resource: str) -> Prepared:
    """A page of a row's versions, the newest first, as ``pages.page`` gives a page of rows.

    Binds ``id``, ``rows`` and the cursor's key ``c0``, which is a moment or null.
    """
    sql = f"""
        WITH {_moments(resource)}, chosen AS (
            SELECT * FROM moments WHERE $2::timestamptz IS NULL OR at < $2::timestamptz
            ORDER BY at DESC LIMIT $3::int
        ), numbered AS (
            SELECT row_to_json(entry)::text AS body,
                json_build_array(chosen.at::text)::text AS cursor,
                row_number() OVER (ORDER BY chosen.at DESC) AS n
            FROM chosen, LATERAL ({_entry(resource)}) AS entry
        )
        SELECT string_agg(body, ',' ORDER BY n) FILTER (WHERE n < $3),
            CASE WHEN count(*) >= $3 THEN max(cursor) FILTER (WHERE n = $3 - 1) END, NULL, NULL
        FROM numbered
    """
    return Prepared(sql, ("id", "c0", "rows"), {})


@lru_cache(maxsize=16)
def _version_statement(resource: str) -> Prepared:
    sql = f"""
        WITH {_moments(resource)}, chosen AS (
            SELECT moments.* FROM (
                SELECT *, lead(at) OVER (ORDER BY at) AS until FROM moments
            ) AS moments JOIN images ON {_stands_after("images")}
            WHERE version = $2::int ORDER BY at DESC LIMIT 1
        )
        SELECT (
            SELECT row_to_json(entry)::text
            FROM chosen, LATERAL ({_entry(resource, until=True)}) AS entry
        ), (SELECT at FROM chosen), max(version) FILTER (WHERE version < $2),
            min(version) FILTER (WHERE version > $2)
        FROM images HAVING count(*) > 0
    """
    return Prepared(sql, ("id", "version"), {})


def _moments(resource: str) -> str:
    """The queries ``images``, all that the row ever was, and ``moments``, when it changed."""
    known = field_sources(resource)
    own = (column for columns in known.columns.values() for column in columns)
    redirect = ["redirect_to"] if RESOURCES[resource].can_be_merged else []
    columns = ", ".join(dict.fromkeys([*own, "version", "deleted_at", *redirect, "written_in"]))
    touches = [
        "SELECT begun_in AS number, NULL AS field, true AS counted FROM images",
        "SELECT ended_in, NULL, true FROM images WHERE ended_in IS NOT NULL",
    ]
    for name, part in known.parts.items():
        field = f"'{name}', {str(part.counted).lower()}"
        where = f"WHERE {part.owner} = $1"
        touches += [
            f"SELECT written_in, {field} FROM {part.table} {where}",
            f"SELECT written_in, {field} FROM past.{part.table} {where}",
            f"SELECT ended_in, {field} FROM past.{part.table} {where}",
        ]
    # What was written before all tables had a history is of its beginning.
    return f"""images AS MATERIALIZED (
            SELECT image.*, beginning, ended.committed_at AS ended_at,
                greatest(began.committed_at, beginning) AS began_at,
                CASE WHEN began.committed_at > beginning THEN written_in ELSE 0 END AS begun_in
            FROM (
                SELECT {columns}, NULL::bigint AS ended_in FROM {resource} WHERE id = $1::uuid
                UNION ALL SELECT {columns}, ended_in FROM past.{resource} WHERE id = $1
            ) AS image
                JOIN transactions AS began ON began.id = written_in
                LEFT JOIN transactions AS ended ON ended.id = ended_in
                JOIN (SELECT committed_at AS beginning FROM transactions WHERE id = 0) AS all_that
                    ON (ended.committed_at > beginning) IS NOT FALSE
        ), moments AS MATERIALIZED (
            SELECT number, fields, committed_at AS at, actor, request_id FROM (
                SELECT number, array_agg(field) FILTER (WHERE field IS NOT NULL) AS fields
                FROM ({" UNION ".join(touches)}) AS touches
                GROUP BY number HAVING bool_or(counted)
            ) AS touched JOIN transactions ON transactions.id = number
            WHERE committed_at >= (SELECT beginning FROM images LIMIT 1)
        )"""


def _stands_after(images: str) -> str:
    """The condition under which an image is what a moment left."""
    return f"{images}.began_at <= at AND ({images}.ended_at > at) IS NOT FALSE"


def _stood_before(images: str) -> str:
    """The condition under which an image is what a moment found."""
    return f"{images}.began_at < at AND ({images}.ended_at >= at) IS NOT FALSE"


def _entry(resource: str, *, until: bool = False) -> str:
    """What is said of one of the ``chosen`` moments."""
    ending = f", {_MOMENT.format('until')} AS until" if until else ""
    return f"""
        SELECT after.version, {_MOMENT.format("at")} AS at, actor, request_id,
            {_op(resource)} AS op, array_to_json({_changed(resource)}) AS changed{ending}
        FROM (SELECT) AS once LEFT JOIN images AS after ON {_stands_after("after")}
            LEFT JOIN images AS before ON {_stood_before("before")}
    """


def _op(resource: str) -> str:
    merges = RESOURCES[resource].can_be_merged
    gone = _either(merges and "after", HistoryOp.MERGE, HistoryOp.DELETE)
    back = _either(merges and "before", HistoryOp.UNMERGE, HistoryOp.RESTORE)
    return f"""CASE
                WHEN after.version IS NULL THEN '{HistoryOp.REMOVE}'
                WHEN before.version IS NULL AND number = 0 THEN '{HistoryOp.BEGIN}'
                WHEN before.version IS NULL THEN '{HistoryOp.CREATE}'
                WHEN before.deleted_at IS NULL AND after.deleted_at IS NOT NULL THEN {gone}
                WHEN before.deleted_at IS NOT NULL AND after.deleted_at IS NULL THEN {back}
                ELSE '{HistoryOp.UPDATE}'
            END"""


def _either(image: str | bool, merged: HistoryOp, otherwise: HistoryOp) -> str:
    if not image:
        return f"'{otherwise}'"
    return f"CASE WHEN {image}.redirect_to IS NULL THEN '{otherwise}' ELSE '{merged}' END"


def _changed(resource: str) -> str:
    """The fields that differ between the two images, or whose parts the transaction wrote."""
    known = field_sources(resource)
    tests = []
    for name in known.fields:
        if name in known.parts:
            differs = f"'{name}' = ANY (fields)"
        else:
            after, before = (_row(image, known.columns[name]) for image in ("after", "before"))
            differs = f"{after} <> {before}"
        tests.append(f"CASE WHEN {differs} THEN '{name}' END")
    both = "after.version IS NOT NULL AND before.version IS NOT NULL"
    return f"CASE WHEN {both} THEN array_remove(ARRAY[{', '.join(tests)}], NULL) ELSE '{{}}' END"


def _row(image: str, columns: Sequence[str]) -> str:
    # As text, because 0.5 and 0.50 are equal as numbers and different as statements.
    return f"ROW({', '.join(f'{image}.{column}' for column in columns)})::text"
