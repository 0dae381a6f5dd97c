"""How sources are read."""

from sqlalchemy import Text, Uuid, column, func, text, true

from hksz_db.models import (
    Entity,
    Source,
    SourceCapture,
    SourceContributor,
    SourceRelation,
    table_of,
)
from hksz_db.queries.derivation import Rows
from hksz_db.queries.documents import Group, Json, Many, sql_file
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

_found = (
    text(sql_file("similar_sources.sql"))
    .columns(
        column("id", Uuid()),
        *(column(name, Text()) for name in ("external_id", "title")),
        column("reasons", Json()),
    )
    .subquery("found")
)
_SIMILAR = Many(
    _found,
    true(),
    {
        "source": Group({name: _found.c[name] for name in ("id", "external_id", "title")}),
        "reasons": _found.c.reasons,
    },
    order_by=(func.json_array_length(_found.c.reasons).desc(), _found.c.id.desc()),
)

SOURCES = Readable(
    model=Source,
    schema=SourceSchema,
    filters=SOURCE_FILTERS,
    declared={**SOURCE_LISTS, "similar": _SIMILAR},
    asked_embeds=("similar",),
    parts=("similar",),
    relations={"contributors": _contributors},
    declared_targets={
        "contributors__name": Related(
            _contributors, Related(_CONTRIBUTOR, Plain(_entities.c.name))
        ),
    },
    internal=("redirect_to",),
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
    search=Search(_sources.c.search),
)
