"""How entities are read."""

from hksz_db.models import Entity, EntityIdentifier, EntityName, EntityRelation, table_of
from hksz_db.queries.derivation import Rows
from hksz_db.queries.duplicates import likely_duplicates
from hksz_db.queries.filters import InSubquery, Plain, Related
from hksz_db.queries.places import entities_under
from hksz_db.queries.readable import Readable, Search
from schemas.entities import ENTITY_FILTERS, EntitySchema

_entities = table_of(Entity)

_NAMES = Rows(EntityName)
_names = _NAMES.of(_entities)

ENTITIES = Readable(
    model=Entity,
    singular="entity",
    schema=EntitySchema,
    filters=ENTITY_FILTERS,
    declared={
        "names": _NAMES,
        "identifiers": Rows(EntityIdentifier, ("scheme", "value")),
        "relations": Rows(EntityRelation),
        "similar": likely_duplicates(_entities),
    },
    embedded=("similar",),
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
    search=Search(_names.table.c.search, "simple", on=_names.on),
)
