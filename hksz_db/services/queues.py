"""Queues whose entries are worked off in the background: what they do when an entry fails."""

from uuid import UUID

import structlog
from psycopg import Error
from sqlalchemy.exc import DBAPIError

from hksz_db.database import Session, is_absence, lift_time_limit, run

_RETRY_S = 60
_log = structlog.get_logger(__name__)


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
