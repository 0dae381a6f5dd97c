"""Entities as their readers see them."""

from hksz_db.models import Claim, Entity, EntityIdentifier, EntityName, EntityRelation
from hksz_db.queries.documents import Many, period
from hksz_db.queries.duplicates import likely_duplicates
from hksz_db.queries.filters import Days, Exists, InSubquery, Plain, Related, Relation
from hksz_db.queries.places import entities_under
from hksz_db.queries.resources import (
    Readable,
    Search,
    SortKey,
    common_fields,
    common_sorts,
    common_targets,
    summary,
    table_of,
)
from schemas.entities import ENTITY_FILTERS, EntitySchema

_entities = table_of(Entity)
_names = table_of(EntityName).alias()
_identifiers = table_of(EntityIdentifier).alias()
_relations = table_of(EntityRelation).alias()

_NAMES = Relation(_names, _names.c.entity_id == _entities.c.id)
_IDENTIFIERS = Relation(_identifiers, _identifiers.c.entity_id == _entities.c.id)
_RELATIONS = Relation(_relations, _relations.c.subject_id == _entities.c.id)

ENTITIES = Readable(
    name="entities",
    singular="entity",
    table=_entities,
    fields={
        "id": _entities.c.id,
        "external_id": _entities.c.external_id,
        "kind": _entities.c.kind,
        "name": _entities.c.name,
        "description": _entities.c.description,
        "names": Many(
            _names,
            _NAMES.on,
            {"name": _names.c.name, "language": _names.c.language, "kind": _names.c.kind},
            order_by=(_names.c.id,),
        ),
        "identifiers": Many(
            _identifiers,
            _IDENTIFIERS.on,
            {"scheme": _identifiers.c.scheme, "value": _identifiers.c.value},
            order_by=(_identifiers.c.scheme, _identifiers.c.value),
        ),
        "relations": Many(
            _relations,
            _RELATIONS.on,
            {
                "kind": _relations.c.kind,
                "object": summary(Entity, _relations.c.object_id, "name", "kind"),
                "qualifier": _relations.c.qualifier,
                "during": period(_relations.c.during_edtf, _relations.c.during),
                "claim": summary(Claim, _relations.c.claim_id, "statement"),
            },
            order_by=(_relations.c.id,),
        ),
        **common_fields(_entities),
    },
    embeds={"similar": likely_duplicates(_entities)},
    asked_embeds=("similar",),
    schema=EntitySchema,
    filters=ENTITY_FILTERS,
    targets={
        **common_targets(_entities),
        "kind": Plain(_entities.c.kind),
        "description": Plain(_entities.c.description),
        "name": Related(_NAMES, Plain(_names.c.name)),
        "names__language": Related(_NAMES, Plain(_names.c.language)),
        "names__kind": Related(_NAMES, Plain(_names.c.kind)),
        "identifiers__scheme": Related(_IDENTIFIERS, Plain(_identifiers.c.scheme)),
        "identifiers__value": Related(_IDENTIFIERS, Plain(_identifiers.c.value)),
        "place": InSubquery(_entities.c.id, entities_under),
        "relations": Exists(_RELATIONS),
        "relations__kind": Related(_RELATIONS, Plain(_relations.c.kind)),
        "relations__object_id": Related(_RELATIONS, Plain(_relations.c.object_id)),
        "relations__during": Related(_RELATIONS, Days(_relations.c.during)),
        "relations__claim_id": Related(_RELATIONS, Plain(_relations.c.claim_id)),
    },
    sorts={**common_sorts(_entities), "name": SortKey(_entities.c.name)},
    groups={"kind": _entities.c.kind},
    search=Search(_names.c.search, "simple", on=_NAMES.on),
)
