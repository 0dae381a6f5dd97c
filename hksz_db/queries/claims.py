"""How claims are read."""

from sqlalchemy import select

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
    table_of,
)
from hksz_db.models.claims import COUNTS
from hksz_db.queries.comparisons import claim_comparisons
from hksz_db.queries.corroboration import (
    corroboration,
    corroboration_sorts,
    corroboration_targets,
    corroboration_verdict,
)
from hksz_db.queries.derivation import Rows, document
from hksz_db.queries.documents import Many, Values
from hksz_db.queries.evidence import evidence_fields, evidence_targets
from hksz_db.queries.figures import figure_targets
from hksz_db.queries.filters import InSubquery, Plain, Related, Relation, Target
from hksz_db.queries.places import claims_under
from hksz_db.queries.readable import Readable, Search
from hksz_db.queries.similar_claims import SIMILAR_CLAIMS
from hksz_db.queries.sources import SOURCE_LISTS
from schemas.claims import CLAIM_FILTERS, ClaimSchema
from schemas.evidence import ClaimEvidenceSchema
from schemas.figures import ClaimFigureSchema
from schemas.sources import SourceSchema

_claims = table_of(Claim)
_topics = table_of(ClaimTopic).alias()
_linked = table_of(Entity).alias()
_linked_names = table_of(EntityName).alias()
_figures = table_of(Figure).alias()
_evidence = table_of(Evidence).alias()
_sources = table_of(Source).alias()

_TOPICS = Relation(_topics, _topics.c.claim_id == _claims.c.id)
_LINKS = Rows(ClaimEntity)
_ENTITIES = _LINKS.of(_claims)
_ENTITY = Relation(_linked, _linked.c.id == _ENTITIES.table.c.entity_id)
_ENTITY_NAMES = Relation(_linked_names, _linked_names.c.entity_id == _ENTITIES.table.c.entity_id)
_FIGURES = Relation(
    _figures, (_figures.c.claim_id == _claims.c.id) & _figures.c.deleted_at.is_(None)
)
_EVIDENCE = Relation(
    _evidence, (_evidence.c.claim_id == _claims.c.id) & _evidence.c.deleted_at.is_(None)
)
_SOURCES_OF_CLAIM = _sources.c.id.in_(
    select(_evidence.c.source_id).where(_EVIDENCE.on).correlate(_claims)
)


def _on(name: str, relation: Relation, targets: dict[str, Target]) -> dict[str, Target]:
    return {f"{name}__{rest}": Related(relation, target) for rest, target in targets.items()}


CLAIMS = Readable(
    model=Claim,
    singular="claim",
    schema=ClaimSchema,
    filters=CLAIM_FILTERS,
    declared={
        "topics": Values(_topics.c.topic, _TOPICS.on),
        "relations": Rows(ClaimRelation),
        "entities": _LINKS,
        "figures": Many(
            _figures,
            _FIGURES.on,
            document(_figures, ClaimFigureSchema),
            order_by=(_figures.c.id,),
        ),
        "evidence": Many(
            _evidence,
            _EVIDENCE.on,
            document(_evidence, ClaimEvidenceSchema, evidence_fields(_evidence)),
            order_by=(_evidence.c.id,),
        ),
        "sources": Many(
            _sources,
            _SOURCES_OF_CLAIM,
            document(_sources, SourceSchema, SOURCE_LISTS),
            order_by=(_sources.c.id,),
        ),
        "corroboration": corroboration(_claims),
        "comparisons": claim_comparisons(_claims),
        "similar": SIMILAR_CLAIMS,
    },
    embedded=(
        "entities",
        "figures",
        "evidence",
        "sources",
        "corroboration",
        "comparisons",
        "similar",
    ),
    default_embeds=("entities", "figures", "evidence"),
    asked_embeds=("comparisons", "similar"),
    parts=("corroboration", "similar"),
    relations={"entities": _ENTITIES, "figures": _FIGURES, "evidence": _EVIDENCE},
    declared_targets={
        "topics": Related(_TOPICS, Plain(_topics.c.topic)),
        "entities__id": Related(_ENTITIES, Plain(_ENTITIES.table.c.entity_id)),
        "entities__external_id": Related(_ENTITIES, Related(_ENTITY, Plain(_linked.c.external_id))),
        "entities__kind": Related(_ENTITIES, Related(_ENTITY, Plain(_linked.c.kind))),
        "entities__name": Related(_ENTITIES, Related(_ENTITY_NAMES, Plain(_linked_names.c.name))),
        "place": InSubquery(_claims.c.id, claims_under),
        **_on("figures", _FIGURES, figure_targets(_figures)),
        **_on("evidence", _EVIDENCE, evidence_targets(_evidence)),
        **corroboration_targets(_claims),
    },
    tabled=(
        "relations.kind",
        "relations.to.id",
        "entities.entity.name",
        "entities.role",
        "entities.entity.id",
        "figures.as_stated",
        "evidence.stance",
        "evidence.source.id",
        "evidence.source.title",
        "corroboration.verdict",
        *(f"corroboration.{side}.{count}" for side in ("for", "against") for count in COUNTS),
    ),
    sorted_by=("time", "due"),
    declared_sorts=corroboration_sorts(),
    grouped_by=("status", "modality", "language", "claimant_id", "reported_by_id"),
    declared_groups={"corroboration__verdict": corroboration_verdict(_claims)},
    search=Search(_claims.c.search, "english"),
)
