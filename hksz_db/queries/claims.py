"""Claims as their readers see them."""

from sqlalchemy import Date, func, select

from hksz_db.models import (
    Claim,
    ClaimEntity,
    ClaimRelation,
    ClaimTopic,
    Entity,
    EntityName,
    Evidence,
    Figure,
    Source,
)
from hksz_db.queries.compared import claim_comparisons
from hksz_db.queries.corroboration import (
    corroboration,
    corroboration_filters,
    corroboration_sorts,
    corroboration_verdict,
)
from hksz_db.queries.dates import relative_period
from hksz_db.queries.documents import Many, Values
from hksz_db.queries.evidence import evidence_fields, evidence_filters
from hksz_db.queries.figures import figure_fields, figure_filters
from hksz_db.queries.filters import Days, Exists, InSubquery, Plain, Related, Relation
from hksz_db.queries.places import claims_under
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
from hksz_db.queries.similar_claims import similar_claims
from hksz_db.queries.sources import source_fields
from schemas.claims import CLAIM_FILTERS, ClaimSchema

_claims = table_of(Claim)
_topics = table_of(ClaimTopic).alias()
_relations = table_of(ClaimRelation).alias()
_links = table_of(ClaimEntity).alias()
_linked = table_of(Entity).alias()
_linked_names = table_of(EntityName).alias()
_claimants = table_of(Entity).alias()
_figures = table_of(Figure).alias()
_evidence = table_of(Evidence).alias()
_sources = table_of(Source).alias()

_TOPICS = Relation(_topics, _topics.c.claim_id == _claims.c.id)
_RELATIONS = Relation(_relations, _relations.c.from_id == _claims.c.id)
_ENTITIES = Relation(_links, _links.c.claim_id == _claims.c.id)
_ENTITY = Relation(_linked, _linked.c.id == _links.c.entity_id)
_ENTITY_NAMES = Relation(_linked_names, _linked_names.c.entity_id == _links.c.entity_id)
_CLAIMANT = Relation(_claimants, _claimants.c.id == _claims.c.claimant_id)
_FIGURES = Relation(
    _figures, (_figures.c.claim_id == _claims.c.id) & _figures.c.deleted_at.is_(None)
)
_EVIDENCE = Relation(
    _evidence, (_evidence.c.claim_id == _claims.c.id) & _evidence.c.deleted_at.is_(None)
)
_SOURCES_OF_CLAIM = _sources.c.id.in_(
    select(_evidence.c.source_id).where(_EVIDENCE.on).correlate(_claims)
)

CLAIMS = Readable(
    name="claims",
    singular="claim",
    table=_claims,
    fields={
        "id": _claims.c.id,
        "external_id": _claims.c.external_id,
        "statement": _claims.c.statement,
        "language": _claims.c.language,
        "claimant": summary(Entity, _claims.c.claimant_id, "name", "kind"),
        "reported_by": summary(Entity, _claims.c.reported_by_id, "name", "kind"),
        "modality": _claims.c.modality,
        "status": _claims.c.status,
        "time": relative_period(_claims, "time", _claims.c.time_as_stated),
        "due": relative_period(_claims, "due"),
        "topics": Values(_topics.c.topic, _TOPICS.on),
        "relations": Many(
            _relations,
            _RELATIONS.on,
            {
                "kind": _relations.c.kind,
                "to": summary(Claim, _relations.c.to_id, "statement"),
            },
            order_by=(_relations.c.id,),
        ),
        **common_fields(_claims),
    },
    embeds={
        "entities": Many(
            _links,
            _ENTITIES.on,
            {
                "role": _links.c.role,
                "entity": summary(Entity, _links.c.entity_id, "name", "kind"),
            },
            order_by=(_links.c.id,),
        ),
        "figures": Many(_figures, _FIGURES.on, figure_fields(_figures), order_by=(_figures.c.id,)),
        "evidence": Many(
            _evidence, _EVIDENCE.on, evidence_fields(_evidence), order_by=(_evidence.c.id,)
        ),
        "sources": Many(
            _sources, _SOURCES_OF_CLAIM, source_fields(_sources), order_by=(_sources.c.id,)
        ),
        "corroboration": corroboration(_claims),
        "comparisons": claim_comparisons(_claims),
        "similar": similar_claims(_claims),
    },
    default_embeds=("entities", "figures", "evidence"),
    asked_embeds=("comparisons", "similar"),
    schema=ClaimSchema,
    filters=CLAIM_FILTERS,
    targets={
        **common_targets(_claims),
        "statement": Plain(_claims.c.statement),
        "language": Plain(_claims.c.language),
        "modality": Plain(_claims.c.modality),
        "status": Plain(_claims.c.status),
        "claimant_id": Plain(_claims.c.claimant_id),
        "claimant__name": Related(_CLAIMANT, Plain(_claimants.c.name)),
        "reported_by_id": Plain(_claims.c.reported_by_id),
        "time": Days(_claims.c.time),
        "due": Days(_claims.c.due),
        "topics": Related(_TOPICS, Plain(_topics.c.topic)),
        "relations__kind": Related(_RELATIONS, Plain(_relations.c.kind)),
        "relations__to_id": Related(_RELATIONS, Plain(_relations.c.to_id)),
        "entities": Exists(_ENTITIES),
        "entities__id": Related(_ENTITIES, Plain(_links.c.entity_id)),
        "entities__role": Related(_ENTITIES, Plain(_links.c.role)),
        "entities__external_id": Related(_ENTITIES, Related(_ENTITY, Plain(_linked.c.external_id))),
        "entities__kind": Related(_ENTITIES, Related(_ENTITY, Plain(_linked.c.kind))),
        "entities__name": Related(_ENTITIES, Related(_ENTITY_NAMES, Plain(_linked_names.c.name))),
        "place": InSubquery(_claims.c.id, claims_under),
        "figures": Exists(_FIGURES),
        **{
            f"figures__{name}": Related(_FIGURES, target)
            for name, target in figure_filters(_figures).items()
        },
        "evidence": Exists(_EVIDENCE),
        **{
            f"evidence__{name}": Related(_EVIDENCE, target)
            for name, target in evidence_filters(_evidence).items()
        },
        **{
            f"corroboration__{name}": target
            for name, target in corroboration_filters(_claims).items()
        },
    },
    sorts={
        **common_sorts(_claims),
        "time": SortKey(func.lower(_claims.c.time, type_=Date()), nullable=True),
        "due": SortKey(func.lower(_claims.c.due, type_=Date()), nullable=True),
        **{f"corroboration__{name}": key for name, key in corroboration_sorts().items()},
    },
    groups={
        "status": _claims.c.status,
        "modality": _claims.c.modality,
        "language": _claims.c.language,
        "claimant_id": _claims.c.claimant_id,
        "reported_by_id": _claims.c.reported_by_id,
        "corroboration__verdict": corroboration_verdict(_claims),
    },
    search=Search(_claims.c.search, "english"),
)
