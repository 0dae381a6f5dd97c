"""The resources of the API, each with what it is made of."""

from hksz_db.api.costs import Cost
from hksz_db.api.resource import Listed, Resource
from hksz_db.queries.compared import COMPARISONS as COMPARISON_QUERIES
from hksz_db.queries.pages import RESOURCES
from hksz_db.services import claims, entities, evidence, figures, metrics, sources, units
from hksz_db.vocabulary import Scope
from schemas.claims import CLAIM_FILTERS, ClaimCreateSchema, ClaimPatchSchema, ClaimSchema
from schemas.comparisons import COMPARISON_FILTERS, ComparisonSchema
from schemas.entities import ENTITY_FILTERS, EntityCreateSchema, EntityPatchSchema, EntitySchema
from schemas.evidence import (
    EVIDENCE_FILTERS,
    EvidenceCreateSchema,
    EvidencePatchSchema,
    EvidenceSchema,
)
from schemas.figures import FIGURE_FILTERS, FigureCreateSchema, FigurePatchSchema, FigureSchema
from schemas.metrics import METRIC_FILTERS, MetricCreateSchema, MetricPatchSchema, MetricSchema
from schemas.sources import SOURCE_FILTERS, SourceCreateSchema, SourcePatchSchema, SourceSchema
from schemas.units import UNIT_FILTERS, UnitCreateSchema, UnitPatchSchema, UnitSchema

SOURCES = Resource(
    readable=RESOURCES["sources"],
    filters=SOURCE_FILTERS,
    document=SourceSchema,
    create_schema=SourceCreateSchema,
    patch_schema=SourcePatchSchema,
    create=sources.create,
    update=sources.update,
    scope=Scope.SOURCES_WRITE,
)
CLAIMS = Resource(
    readable=RESOURCES["claims"],
    filters=CLAIM_FILTERS,
    document=ClaimSchema,
    create_schema=ClaimCreateSchema,
    patch_schema=ClaimPatchSchema,
    create=claims.create,
    update=claims.update,
    scope=Scope.CLAIMS_WRITE,
    parts={"corroboration": Cost.BOUNDED, "similar": Cost.COSTLY},
)
ENTITIES = Resource(
    readable=RESOURCES["entities"],
    filters=ENTITY_FILTERS,
    document=EntitySchema,
    create_schema=EntityCreateSchema,
    patch_schema=EntityPatchSchema,
    create=entities.create,
    update=entities.update,
    scope=Scope.ENTITIES_WRITE,
    parts={"similar": Cost.COSTLY},
)
FIGURES = Resource(
    readable=RESOURCES["figures"],
    filters=FIGURE_FILTERS,
    document=FigureSchema,
    create_schema=FigureCreateSchema,
    patch_schema=FigurePatchSchema,
    create=figures.create,
    update=figures.update,
    scope=Scope.CLAIMS_WRITE,
)
EVIDENCE = Resource(
    readable=RESOURCES["evidence"],
    filters=EVIDENCE_FILTERS,
    document=EvidenceSchema,
    create_schema=EvidenceCreateSchema,
    patch_schema=EvidencePatchSchema,
    create=evidence.create,
    update=evidence.update,
    scope=Scope.CLAIMS_WRITE,
)
METRICS = Resource(
    readable=RESOURCES["metrics"],
    filters=METRIC_FILTERS,
    document=MetricSchema,
    create_schema=MetricCreateSchema,
    patch_schema=MetricPatchSchema,
    create=metrics.create,
    update=metrics.update,
    scope=Scope.CLAIMS_WRITE,
)
UNITS = Resource(
    readable=RESOURCES["units"],
    filters=UNIT_FILTERS,
    document=UnitSchema,
    create_schema=UnitCreateSchema,
    patch_schema=UnitPatchSchema,
    create=units.create,
    update=units.update,
    scope=Scope.CLAIMS_WRITE,
)
COMPARISONS = Listed(
    readable=COMPARISON_QUERIES, filters=COMPARISON_FILTERS, document=ComparisonSchema
)
CATALOGUE = (SOURCES, CLAIMS, ENTITIES, FIGURES, EVIDENCE, METRICS, UNITS)
LISTS: tuple[Listed, ...] = (*CATALOGUE, COMPARISONS)
