"""Likely duplicates of an entity: others with similar names.

The similarity of two names is that of pg_trgm: the Jaccard index of their sets of trigrams,
ignoring case. Equal names have a similarity of 1.
"""

from sqlalchemy import FromClause, Numeric, and_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.types import REAL

from hksz_db.models import Entity, EntityName, table_of
from hksz_db.queries.derivation import summary
from hksz_db.queries.documents import Many, decimal, number
from schemas.summaries import EntitySummarySchema

LEAST_SIMILARITY = "0.45"
"""The lowest similarity of two names at which their entities are listed, at most 1."""

MOST = 10
"""How many likely duplicates are listed, the most similar first."""


def likely_duplicates(entity: FromClause) -> Many:
    """The live entities most like the given one, each with its most similar pair of names."""
    own = table_of(EntityName).alias("own")
    theirs = table_of(EntityName).alias("theirs")
    other = table_of(Entity).alias("other")
    similarity = func.similarity(theirs.c.name, own.c.name)
    alike = and_(
        own.c.entity_id == entity.c.id,
        theirs.c.entity_id != entity.c.id,
        # The operator can use the index; it holds above 0.3.
        theirs.c.name.bool_op("%")(own.c.name),
        similarity >= cast(literal_column(LEAST_SIMILARITY), REAL),
        other.c.id == theirs.c.entity_id,
        other.c.deleted_at.is_(None),
    )
    pairs = (
        select(
            other.c.id,
            (other.c.kind == entity.c.kind).label("same_kind"),
            own.c.name,
            theirs.c.name.label("other_name"),
            similarity.label("similarity"),
        )
        .where(alike)
        .ext(distinct_on(other.c.id))
        .order_by(other.c.id, similarity.desc(), own.c.id, theirs.c.id)
        .correlate(entity)
        .subquery("pairs")
    )
    best = (
        select(pairs)
        .order_by(pairs.c.similarity.desc(), pairs.c.id)
        .limit(number(MOST))
        .subquery("likely")
    )
    rounded = func.round(cast(best.c.similarity, Numeric), literal_column("2"))
    return Many(
        best,
        literal_column("true"),
        {
            "entity": summary(Entity, best.c.id, EntitySummarySchema),
            "name": best.c.name,
            "other_name": best.c.other_name,
            "similarity": decimal(rounded),
            "same_kind": best.c.same_kind,
        },
        order_by=(best.c.similarity.desc(), best.c.id),
    )
