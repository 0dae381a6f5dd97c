"""The sources that a key has added, with the states of their passages."""

import json
from functools import cache
from typing import TypedDict

from hksz_db.database import Database, Prepared
from hksz_db.domain.vocabulary import EvidenceStatus
from hksz_db.queries.documents import TIMESTAMP_FORMAT

MOST = 100
"""The limit on the sources of a key that are found."""
_LOOKED_AT = 10_000


class AddedSource(TypedDict):
    """A source that a key has added; ``into_id`` is the one that it was merged into.

    ``passages`` counts its passages by status; those that were sent back are ``sent_back``.
    """

    id: str
    title: str
    language: str | None
    added_at: str
    is_retracted: bool
    is_deleted: bool
    into_id: str | None
    into_title: str | None
    passages: dict[str, int]


def sources_added_by(database: Database, key: str) -> list[AddedSource]:
    """The ``MOST`` newest sources that a key has added, also those that were merged or deleted.

    Only those are found that have passages of the key, or are among the newest sources of all:
    nothing indexes the key that added a source.
    """
    ((found,),) = database.read(_statement(), {"key": key})
    sources: list[AddedSource] = json.loads(found)
    return sources


@cache
def _statement() -> Prepared:
    # The transaction that wrote the first version of a source has the key that added it.
    sql = f"""
        SELECT coalesce(json_agg(found), '[]')::text FROM (
            SELECT sources.id, title, language,
                to_char(timezone('UTC', committed_at), {TIMESTAMP_FORMAT}) AS added_at,
                retracted_at IS NOT NULL AS is_retracted, deleted_at IS NOT NULL AS is_deleted,
                redirect_to AS into_id, passages,
                (SELECT others.title FROM sources AS others WHERE others.id = sources.redirect_to)
                    AS into_title
            FROM (
                    (SELECT id FROM sources ORDER BY id DESC LIMIT {_LOOKED_AT})
                    UNION
                    (
                        SELECT source_id FROM evidence WHERE added_by = $1
                        ORDER BY id DESC LIMIT {_LOOKED_AT}
                    )
                ) AS candidates
                JOIN sources USING (id)
                CROSS JOIN LATERAL (
                    SELECT coalesce(min(earlier.written_in), sources.written_in) AS written_in
                    FROM past.sources AS earlier WHERE earlier.id = sources.id
                ) AS first
                JOIN transactions ON transactions.id = first.written_in
                CROSS JOIN LATERAL (
                    SELECT coalesce(json_object_agg(state, count), '{{}}') AS passages FROM (
                        SELECT CASE
                            WHEN status = '{EvidenceStatus.DRAFT}' AND review_note <> ''
                            THEN 'sent_back' ELSE status
                        END AS state, count(*)
                        FROM evidence WHERE source_id = sources.id AND deleted_at IS NULL
                        GROUP BY state
                    ) AS states
                ) AS passages
            WHERE actor = $1
            ORDER BY sources.id DESC LIMIT {MOST}
        ) AS found
    """
    return Prepared(sql, ("key",), {})
