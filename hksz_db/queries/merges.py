"""The claims that were merged into others, as long as the merge is not undone."""

import json
from functools import lru_cache
from typing import Literal, TypedDict
from uuid import UUID

from hksz_db.database import Database, Prepared
from hksz_db.queries.documents import TIMESTAMP_FORMAT

_MOST = 100
_AUTHORED = """
    merges.id IN (
        SELECT merge_id FROM evidence JOIN claim_merge_moves AS moves ON row_id = evidence.id
        WHERE added_by = $1 AND table_name = 'evidence' AND column_name = 'claim_id'
    )
"""
_CONDITIONS = {
    "claim": "merges.claim_id = $1",
    "into": "merges.into_id = $1",
    "author": _AUTHORED,
}


class MergedClaim(TypedDict):
    """A claim, the one that it was merged into, and the key that merged it."""

    id: str
    version: int
    statement: str
    language: str
    into_id: str
    into_statement: str
    into_language: str
    at: str
    by: str


def merge_of(database: Database, claim_id: UUID) -> MergedClaim | None:
    """The merge of a claim into another; ``None`` if it is not merged."""
    return next(iter(_read(database, "claim", claim_id)), None)


def merged_into(database: Database, claim_id: UUID) -> list[MergedClaim]:
    """The claims that were merged into one, the latest merge first."""
    return _read(database, "into", claim_id)


def merged_with_passages_of(database: Database, key: str) -> list[MergedClaim]:
    """The claims with passages that a key had added, the latest merge first."""
    return _read(database, "author", key)


def _read(
    database: Database, by: Literal["claim", "into", "author"], value: UUID | str
) -> list[MergedClaim]:
    ((found,),) = database.read(_statement(by), {"value": value})
    merged: list[MergedClaim] = json.loads(found)
    return merged


@lru_cache
def _statement(by: str) -> Prepared:
    sql = f"""
        SELECT coalesce(json_agg(found), '[]')::text FROM (
            SELECT claims.id, claims.version, claims.statement, claims.language, into_id,
                others.statement AS into_statement, others.language AS into_language,
                to_char(timezone('UTC', merged_at), {TIMESTAMP_FORMAT}) AS at, merged_by AS by
            FROM claim_merges AS merges
                JOIN claims ON claims.id = merges.claim_id
                JOIN claims AS others ON others.id = into_id
            WHERE undone_at IS NULL AND {_CONDITIONS[by]}
            ORDER BY merges.id DESC LIMIT {_MOST}
        ) AS found
    """
    return Prepared(sql, ("value",), {})
