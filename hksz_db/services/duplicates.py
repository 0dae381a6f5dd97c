"""Searches the submissions for likely duplicates, so that the queue of reviews need not."""

from hksz_db.database import Session, run
from hksz_db.queries.claims import similar_claims
from hksz_db.queries.review import STANDING

CLAIMS_AT_ONCE = 50
"""How many claims a batch searches for at most."""

# What else is likely the same need not be compared: it is not a duplicate.
_FOUND = similar_claims(
    "likeness.similarity >= 0.60 AND other.modality = claims.modality AND other.status = ANY ($1)"
)
_SEARCH = f"""
    WITH batch AS MATERIALIZED (
        SELECT id FROM submissions WHERE likely_same IS NULL
        ORDER BY submitted_at, id LIMIT {CLAIMS_AT_ONCE} FOR UPDATE SKIP LOCKED
    ), pairs AS MATERIALIZED (
        SELECT batch.id, found.id AS other_id
        FROM batch JOIN claims ON claims.id = batch.id
            CROSS JOIN LATERAL ({_FOUND}) AS found
        WHERE found.likely_same
    ), others AS (
        -- They were searched before this claim was written. A submission that is locked is being
        -- reviewed or changed, and its writer may wait for this batch.
        UPDATE submissions SET likely_same = true WHERE id IN (
            SELECT id FROM submissions
            WHERE id IN (SELECT other_id FROM pairs) AND likely_same IS FALSE
            FOR UPDATE SKIP LOCKED
        )
    ), searched AS (
        UPDATE submissions SET likely_same = EXISTS (SELECT FROM pairs WHERE pairs.id = batch.id)
        FROM batch WHERE submissions.id = batch.id RETURNING 1
    )
    SELECT count(*) FROM searched
"""


def search_duplicates(session: Session) -> int:
    """Search for duplicates of the next submitted claims; how many claims were searched for."""
    return int(run(session, _SEARCH, list(STANDING))[0][0])
