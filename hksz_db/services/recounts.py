"""Recounts of claims that wait in the queue, after changes that affect many claims.

A batch is small, because writers of evidence on its claims wait for it. The claims of an entry are
looked up thousands at a time and kept in this process between its batches; ``done_to`` in the entry
says how far it is, so another process can go on.
"""

from collections import deque
from dataclasses import dataclass, field
from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from hksz_db.database import Session, run
from hksz_db.services.queues import limit_waits, try_again_later

BATCH = 50
_LOOKED_UP = 20_000

_NEXT = (
    "SELECT id, source_id, entity_id, claim_ids, done_to FROM recounts"
    " WHERE retry_at IS NULL OR retry_at <= now() ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED"
)
_RESTING = (
    "SELECT DISTINCT claim_id FROM claims_resting_on($1, $2) WHERE claim_id > $3"
    " ORDER BY claim_id LIMIT $4"
)
_LISTED = "SELECT DISTINCT id FROM unnest($1::uuid[]) AS id WHERE id > $2 ORDER BY id LIMIT $3"
_ALL = "SELECT id FROM claims WHERE id > $1 ORDER BY id LIMIT $2"


@dataclass(eq=False)
class RecountQueue:
    """Works off the queue of recounts, one batch in each call."""

    _entry: UUID | None = None
    _reached: UUID | None = None
    _waiting: deque[UUID] = field(default_factory=deque)

    def __call__(self, session: Session) -> int:
        """Recount the next claims; return how many entries or claims were worked off.

        An entry that fails is logged and tried again after a minute.
        """
        found = run(session, _NEXT)
        if not found:
            return 0
        limit_waits(session)
        id, source, entity, listed, done_to = found[0]
        try:
            with session.begin_nested():
                return self._work(session, id, (source, entity, listed), done_to)
        except (psycopg.Error, DBAPIError) as error:
            self._entry = None
            try_again_later(session, "recounts", id, error)
            return 1

    def _work(
        self,
        session: Session,
        id: UUID,
        asked: tuple[UUID | None, UUID | None, list[UUID] | None],
        done_to: UUID,
    ) -> int:
        batch = self._batch(session, id, asked, done_to)
        if not batch:
            run(session, "DELETE FROM recounts WHERE id = $1", id)
            return 1
        # After the look-up, because no writer may wait for that.
        run(session, "SELECT pg_advisory_xact_lock_shared(hashtext('source_relations'))")
        run(session, "SELECT recount_claims($1, $2)", batch, id)
        run(session, "UPDATE recounts SET done_to = $2 WHERE id = $1", id, batch[-1])
        return len(batch)

    def _batch(
        self,
        session: Session,
        id: UUID,
        asked: tuple[UUID | None, UUID | None, list[UUID] | None],
        done_to: UUID,
    ) -> list[UUID]:
        """The next claims of an entry, in the order of their ids."""
        if self._entry != id or self._reached is None or self._reached > done_to:
            # Another entry, or the last batch was not committed.
            self._waiting.clear()
        # Another process may have worked on the entry, too.
        while self._waiting and self._waiting[0] <= done_to:
            self._waiting.popleft()
        if not self._waiting:
            self._waiting.extend(self._look_up(session, asked, done_to))
        batch = [self._waiting.popleft() for _ in range(min(BATCH, len(self._waiting)))]
        self._entry, self._reached = id, batch[-1] if batch else None
        return batch

    @staticmethod
    def _look_up(
        session: Session,
        asked: tuple[UUID | None, UUID | None, list[UUID] | None],
        done_to: UUID,
    ) -> list[UUID]:
        source, entity, listed = asked
        if source or entity:
            sources, entities = [source] if source else [], [entity] if entity else []
            found = run(session, _RESTING, sources, entities, done_to, _LOOKED_UP)
        elif listed is not None:
            found = run(session, _LISTED, listed, done_to, _LOOKED_UP)
        else:
            found = run(session, _ALL, done_to, _LOOKED_UP)
        return [row[0] for row in found]
