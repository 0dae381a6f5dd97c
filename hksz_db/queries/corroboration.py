"""Corroboration of a claim: counts that the database maintains, and the path to each origin."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import ColumnElement, FromClause, literal_column

from hksz_db.models import Corroboration, table_of
from hksz_db.queries.documents import Group, Json, One, Opaque, sql_file

# As text, because it calls functions of the database whose rows no table describes.
_ORIGINS: ColumnElement[Any] = literal_column(f"({sql_file('origins.sql')})", Json())

_ORIGINS_READ: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sources": {
        "sources": ("external_id", "title", "retracted_at"),
        "source_relations": ("from_id", "to_id", "kind"),
    },
    "evidence": {"evidence": ("source_id", "derived_from_id")},
}
# As for the counts (models/sql/after_create/corroborations.sql): the claims with evidence from
# these sources, or from sources that rest on them, or with evidence derived from such evidence.
_AFFECTED = """
    WITH RECURSIVE resting AS (
        SELECT unnest({sources}) AS id
        UNION
        SELECT further.from_id FROM resting, LATERAL (
            SELECT from_id FROM source_relations
            WHERE to_id = resting.id AND keeps_origin(kind) OFFSET 0
        ) AS further
    ), passages AS (
        SELECT further.id, further.claim_id FROM resting, LATERAL (
            SELECT id, claim_id FROM evidence WHERE source_id = resting.id OFFSET 0
        ) AS further
        UNION
        SELECT moved.id, NULL FROM unnest({evidence}) AS moved (id)
        UNION
        SELECT further.id, further.claim_id FROM passages, LATERAL (
            SELECT id, claim_id FROM evidence WHERE derived_from_id = passages.id OFFSET 0
        ) AS further
    )
    SELECT claim_id FROM passages WHERE claim_id IS NOT NULL
"""


def corroboration(claims: FromClause) -> One:
    """How many sources and origins speak for a claim and against it, and which."""
    table = table_of(Corroboration).alias("corroborated")
    return One(
        table,
        table.c.claim_id == claims.c.id,
        {
            "verdict": table.c.verdict,
            "for": Group({"sources": table.c.sources_for, "origins": table.c.origins_for}),
            "against": Group(
                {"sources": table.c.sources_against, "origins": table.c.origins_against}
            ),
            "origins": Opaque(_ORIGINS, table.c.claim_id, _ORIGINS_READ, _AFFECTED),
        },
    )
