"""Canonical URLs of sources that are older than the rules for them."""

import psycopg

from hksz_db.database import Session, run
from hksz_db.domain.urls import canonical_url
from hksz_db.services.rows import update_rows

_BATCH = 200


def fill_canonical_urls(session: Session) -> int:
    """Compute the canonical URLs of the next sources; how many were looked at.

    Of live sources with the same canonical URL, the oldest gets it, unless a newer one has it
    already. The others have none, and ``unfilled_urls`` says which source has it.
    """
    found = run(
        session,
        "SELECT source_id FROM unfilled_urls WHERE taken_by IS NULL"
        f" ORDER BY source_id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED",
    )
    ids = [row[0] for row in found]
    if not ids:
        return 0
    sources = run(
        session,
        "SELECT id, url, deleted_at IS NULL FROM sources WHERE id = ANY ($1)"
        " AND url IS NOT NULL ORDER BY id FOR NO KEY UPDATE",
        ids,
    )
    canonical = {id: canonical_url(url) for id, url, _ in sources}
    sql = "SELECT canonical_url, id FROM sources WHERE canonical_url = ANY ($1)"
    stored = run(session, f"{sql} AND deleted_at IS NULL", list(set(canonical.values())))
    holders = dict(stored)
    for id, _, is_live in sources:
        if is_live:
            holders.setdefault(canonical[id], id)
    taken = {
        id: holders[canonical[id]]
        for id, _, is_live in sources
        if is_live and holders[canonical[id]] != id
    }
    filled = [
        {"id": id, "canonical_url": None if id in taken else canonical[id]} for id in canonical
    ]
    try:
        with session.begin_nested():
            update_rows(session, "sources", filled)
    except psycopg.errors.UniqueViolation:
        return len(ids)  # a writer has taken one of them, which the next call will see
    run(
        session,
        "DELETE FROM unfilled_urls WHERE source_id = ANY ($1) AND source_id <> ALL ($2)",
        ids,
        list(taken),
    )
    run(
        session,
        "UPDATE unfilled_urls SET taken_by = known.taken_by"
        " FROM unnest($1::uuid[], $2::uuid[]) AS known (source_id, taken_by)"
        " WHERE unfilled_urls.source_id = known.source_id",
        list(taken),
        list(taken.values()),
    )
    return len(ids)
