"""Corroboration of a claim: counts that the database maintains, and the path to each origin."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Boolean, ColumnElement, FromClause, func, literal_column, select

from hksz_db.models import Corroboration, table_of
from hksz_db.models.claims import COUNTS
from hksz_db.queries.documents import Group, Json, One, Opaque, sql_file
from hksz_db.queries.filters import Plain, Related, Relation, Target
from hksz_db.queries.keysets import SortKey

# As text, because they call functions of the database whose rows no table describes.
_ORIGINS: ColumnElement[Any] = literal_column(f"({sql_file('origins.sql')})", Json())
_EVIDENCE: ColumnElement[Any] = literal_column(f"({sql_file('weighed_evidence.sql')})", Json())

# Other changes that bear on the origins and the voices have the claim counted anew, which changes
# its counts or at least their recount_id.
_READ: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "sources": {"sources": ("external_id", "title", "retracted_at")},
    "entities": {"entities": ("external_id", "name", "kind")},
}
_AFFECTED = "SELECT claim_id FROM claims_resting_on({sources}, {entities})"
_SIDES = ("for", "against")


def corroboration(claims: FromClause) -> One:
    """What speaks for a claim and against it, in numbers and one by one."""
    table = table_of(Corroboration).alias("corroborated")
    return One(
        table,
        table.c.claim_id == claims.c.id,
        {
            "verdict": table.c.verdict,
            "recounting": func.awaits_recount(table.c.claim_id, type_=Boolean()),
            **{
                side: Group({count: table.c[f"{count}_{side}"] for count in COUNTS})
                for side in _SIDES
            },
            "origins": Opaque(_ORIGINS, table.c.claim_id, _READ, _AFFECTED),
            "evidence": Opaque(_EVIDENCE, table.c.claim_id, _READ, _AFFECTED),
        },
    )


def corroboration_verdict(claims: FromClause) -> ColumnElement[str]:
    """The verdict alone."""
    table = table_of(Corroboration).alias()
    return select(table.c.verdict).where(table.c.claim_id == claims.c.id).scalar_subquery()


def corroboration_targets(claims: FromClause) -> dict[str, Target]:
    """The filters on the counts."""
    table = table_of(Corroboration).alias()
    counts = Relation(table, table.c.claim_id == claims.c.id)
    columns = {"verdict": table.c.verdict, **_counts(table)}
    return {
        f"corroboration__{name}": Related(counts, Plain(column)) for name, column in columns.items()
    }


def corroboration_sorts() -> dict[str, SortKey]:
    """The sort keys among the counts; each claim has exactly one row of them."""
    table = table_of(Corroboration).alias()
    return {
        f"corroboration__{name}": SortKey(column, foreign_id=table.c.claim_id)
        for name, column in _counts(table).items()
    }


def _counts(table: FromClause) -> dict[str, ColumnElement[int]]:
    """The counts by the name of their filter, which for a claim is the name of the count alone."""
    columns = {count: table.c[f"{count}_for"] for count in COUNTS}
    return columns | {f"{count}_against": table.c[f"{count}_against"] for count in COUNTS}
