"""Renewing the words by which claims, sources and names are found, in small batches.

Triggers keep them right as rows are written, and queue what concerns many claims: new names of an
entity, or many new links. Until a claim has been renewed, it is found by its earlier words.
"""

from uuid import UUID

import psycopg
from sqlalchemy.exc import DBAPIError

from hksz_db.database import Session, run
from hksz_db.services.queues import limit_waits, try_again_later

_AT_ONCE = 200
_NIL = UUID(int=0)
# A transaction that ended before the snapshot's xmin is seen by every statement of this one.
_NEXT = """
    SELECT id, resource, entity_id, claim_ids, waits_for IS NULL, done_to FROM stale_searches
    WHERE (retry_at IS NULL OR retry_at <= now()) AND (
        waits_for IS NULL OR waits_for <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint
    ) AND NOT (
        -- An upgrade renews all names before all claims, whose words include theirs.
        resource = 'claims' AND num_nonnulls(entity_id, claim_ids) = 0
        AND EXISTS (SELECT FROM stale_searches AS names WHERE names.resource = 'entity_names')
    )
    -- What somebody has changed comes before whole tables.
    ORDER BY num_nonnulls(entity_id, claim_ids) = 0, id LIMIT 1 FOR UPDATE SKIP LOCKED
"""
_LISTED = "SELECT DISTINCT id FROM unnest($1::uuid[]) AS id WHERE id > $2 ORDER BY id LIMIT $3"
_RENEWED = {
    "sources": "source_words(title, container_title, language)",
    "entity_names": "name_words(name)",
}


def renew_searches(session: Session) -> int:
    """Renew the next rows of an entry of the queue; how many rows or entries were worked off.

    An entry that fails is logged and tried again after a minute.
    """
    found = run(session, _NEXT)
    if not found:
        return 0
    limit_waits(session)
    id, resource, entity_id, claim_ids, again, done_to = found[0]
    try:
        with session.begin_nested():
            ids = _next_rows(session, resource, entity_id, claim_ids, done_to)
            if not ids:
                _end(session, id, again=again)
                return 1
            _renew(session, resource, ids)
            run(session, "UPDATE stale_searches SET done_to = $2 WHERE id = $1", id, ids[-1])
            return len(ids)
    except (psycopg.Error, DBAPIError) as error:
        try_again_later(session, "stale_searches", id, error)
        return 1


def _end(session: Session, id: UUID, *, again: bool) -> None:
    if again:
        run(
            session,
            "UPDATE stale_searches SET done_to = $2,"
            " waits_for = pg_snapshot_xmax(pg_current_snapshot())::text::bigint WHERE id = $1",
            id,
            _NIL,
        )
    else:
        run(session, "DELETE FROM stale_searches WHERE id = $1", id)


def _next_rows(
    session: Session,
    resource: str,
    entity_id: UUID | None,
    claim_ids: list[UUID] | None,
    done_to: UUID,
) -> list[UUID]:
    if entity_id:
        sql = "SELECT * FROM claims_named_after($1, $2, $3)"
        found = run(session, sql, [entity_id], done_to, _AT_ONCE)
    elif claim_ids is not None:
        found = run(session, _LISTED, claim_ids, done_to, _AT_ONCE)
    else:
        sql = f"SELECT id FROM {resource} WHERE id > $1 ORDER BY id LIMIT $2"
        found = run(session, sql, done_to, _AT_ONCE)
    return [row[0] for row in found]


def _renew(session: Session, resource: str, ids: list[UUID]) -> None:
    # All writers lock claims in the order of their ids.
    run(session, f"SELECT FROM {resource} WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", ids)
    if resource == "claims":
        run(session, "SELECT renew_claim_words($1)", ids)
    else:
        words = _RENEWED[resource]
        sql = f"UPDATE {resource} SET search = {words} WHERE id = ANY ($1) AND search <> {words}"
        run(session, sql, ids)
