"""How sources are read."""

from hksz_db.models import (
    Entity,
    Source,
    SourceCapture,
    SourceContributor,
    SourceRelation,
    table_of,
)
from hksz_db.queries.derivation import Rows
from hksz_db.queries.filters import Plain, Related, Relation
from hksz_db.queries.readable import Readable, Search
from schemas.sources import SOURCE_FILTERS, SourceSchema

_sources = table_of(Source)

CONTRIBUTORS = Rows(SourceContributor, ("ordinal", "id"))
SOURCE_LISTS = {
    "contributors": CONTRIBUTORS,
    "captures": Rows(SourceCapture),
    "relations": Rows(SourceRelation),
}

_contributors = CONTRIBUTORS.of(_sources)
_entities = table_of(Entity).alias()
_CONTRIBUTOR = Relation(_entities, _entities.c.id == _contributors.table.c.entity_id)

SOURCES = Readable(
    model=Source,
    schema=SourceSchema,
    filters=SOURCE_FILTERS,
    declared=SOURCE_LISTS,
    relations={"contributors": _contributors},
    declared_targets={
        "contributors__name": Related(
            _contributors, Related(_CONTRIBUTOR, Plain(_entities.c.name))
        ),
    },
    tabled=(
        "contributors.entity.name",
        "contributors.role",
        "contributors.entity.id",
        "captures.text_sha256",
        "relations.kind",
        "relations.to.id",
    ),
    sorted_by=("title", "issued"),
    grouped_by=("csl_type", "language", "container_title"),
    search=Search(_sources.c.search, "english"),
)
