"""How entities are read."""

from sqlalchemy import FromClause, Numeric, and_, cast, func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.types import REAL

from hksz_db.models import Entity, EntityIdentifier, EntityName, EntityRelation, table_of
from hksz_db.queries.derivation import Rows, summary
from hksz_db.queries.documents import Many, decimal, number
from hksz_db.queries.filters import InSubquery, Plain, Related
from hksz_db.queries.places import entities_under
from hksz_db.queries.readable import Readable, Search
from schemas.entities import ENTITY_FILTERS, EntitySchema
from schemas.summaries import EntitySummarySchema

LEAST_SIMILARITY = "0.45"
"""The lowest similarity of two names at which their entities are listed, at most 1.

It is above ``TRIGRAM_THRESHOLD``, which PostgreSQL compares with another rounding.
"""

MOST_DUPLICATES = 10
"""How many likely duplicates are listed, the most similar first."""

_entities = table_of(Entity)

_NAMES = Rows(EntityName)
_names = _NAMES.of(_entities)


def likely_duplicates(entity: FromClause) -> Many:
    """The live entities most like the given one, each with its most similar pair of names.

    The similarity of two names is that of pg_trgm: the Jaccard index of their sets of trigrams,
    ignoring case. Equal names have a similarity of 1.
    """
    own = table_of(EntityName).alias("own")
    theirs = table_of(EntityName).alias("theirs")
    other = table_of(Entity).alias("other")
    similarity = func.similarity(theirs.c.name, own.c.name)
    alike = and_(
        own.c.entity_id == entity.c.id,
        theirs.c.entity_id != entity.c.id,
        # The operator can use the index; it holds from ``TRIGRAM_THRESHOLD``.
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
        .limit(number(MOST_DUPLICATES))
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


ENTITIES = Readable(
    model=Entity,
    schema=EntitySchema,
    filters=ENTITY_FILTERS,
    declared={
        "names": _NAMES,
        "identifiers": Rows(EntityIdentifier, ("scheme", "value")),
        "relations": Rows(EntityRelation),
        "similar": likely_duplicates(_entities),
    },
    asked_embeds=("similar",),
    parts=("similar",),
    internal=("name_language", "redirect_to"),
    relations={"names": _names},
    declared_targets={
        # An entity is found by any of its names.
        "name": Related(_names, Plain(_names.table.c.name)),
        "place": InSubquery(_entities.c.id, entities_under),
    },
    tabled=(
        "names.name",
        "names.language",
        "names.kind",
        "identifiers.scheme",
        "identifiers.value",
        "relations.kind",
        "relations.object.name",
        "relations.object.id",
    ),
    sorted_by=("name",),
    grouped_by=("kind",),
    search=Search(_names.table.c.search, stemmed=False, on=_names.on),
)
