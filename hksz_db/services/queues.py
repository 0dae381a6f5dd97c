"""Queues whose entries are worked off in the background: their lengths, and failed entries."""

from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import NamedTuple
from uuid import UUID

import structlog
from psycopg import Error
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from hksz_db.database import Database, Prepared, Session, is_absence, lift_time_limit, prepare, run

_RETRY_S = 60
# Each queue, and which rows of it wait.
_QUEUES = {
    "recounts": "true",
    "stale_searches": "true",
    "stale_ranges": "true",
    "stale_metrics": "true",
    "unfilled_urls": "taken_by IS NULL",
    "submissions": "likely_same IS NULL",
}
_MOST_COUNTED = 10_000
_log = structlog.get_logger(__name__)


class Lengths(NamedTuple):
    """How many ``entries`` each queue has, up to 10,000, and the revisions of the schema."""

    now: datetime
    revisions: tuple[str, ...]
    entries: Mapping[str, int]


def lengths(database: Database) -> Lengths:
    """The lengths of the queues. Raises ``Unavailable`` when the database does not answer."""
    ((now, revisions, *counts),) = database.read(_lengths_statement(), {})
    entries = dict(zip(_QUEUES, counts, strict=True))
    return Lengths(now, tuple(revisions.decode().split(",")), entries)


@cache
def _lengths_statement() -> Prepared:
    counts = (
        f"(SELECT count(*) FROM (SELECT FROM {table} WHERE {waits} LIMIT {_MOST_COUNTED}) AS rows)"
        for table, waits in _QUEUES.items()
    )
    revisions = "(SELECT string_agg(version_num, ',') FROM alembic_version)"
    return prepare(text(f"SELECT clock_timestamp(), {revisions}, {', '.join(counts)}"))


def limit_waits(session: Session) -> None:
    """Let the statements of a transaction take any time, but wait only seconds for a lock.

    Others wait for the rows that the transaction has locked before.
    """
    lift_time_limit(session)
    run(session, "SELECT set_config('lock_timeout', '5s', true)")


def try_again_later(session: Session, queue: str, id: UUID, error: Error | DBAPIError) -> None:
    """Log why an entry of the queue failed, and put it off for a minute.

    Raises the error if the database is absent.
    """
    if is_absence(error):
        raise error
    _log.warning(
        "queue_entry_failed", queue=queue, entry=str(id), reason=str(error).partition("\n")[0]
    )
    run(
        session,
        f"UPDATE {queue} SET retry_at = now() + interval '{_RETRY_S} s' WHERE id = $1",
        id,
    )
