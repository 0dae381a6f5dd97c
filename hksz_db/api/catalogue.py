"""The resources of the API, each with what it is made of."""

from collections.abc import Mapping

from marshmallow import Schema

from hksz_db.api.costs import Cost
from hksz_db.api.resource import Listed, Resource
from hksz_db.domain.vocabulary import Scope
from hksz_db.queries.compared import COMPARISONS as COMPARISON_QUERIES
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.kinds import KINDS
from schemas.claims import CLAIM_FILTERS, ClaimSchema
from schemas.comparisons import COMPARISON_FILTERS, ComparisonSchema
from schemas.entities import ENTITY_FILTERS, EntitySchema
from schemas.evidence import EVIDENCE_FILTERS, EvidenceSchema
from schemas.figures import FIGURE_FILTERS, FigureSchema
from schemas.filters import Filter
from schemas.metrics import METRIC_FILTERS, MetricSchema
from schemas.sources import SOURCE_FILTERS, SourceSchema
from schemas.units import UNIT_FILTERS, UnitSchema


def _resource(
    name: str,
    filters: Mapping[str, Filter],
    document: type[Schema],
    scope: Scope,
    parts: Mapping[str, Cost] | None = None,
) -> Resource:
    kind = KINDS[name]
    return Resource(
        readable=RESOURCES[name],
        filters=filters,
        document=document,
        create_schema=kind.create_schema,
        patch_schema=kind.patch_schema,
        create=kind.create,
        update=kind.update,
        scope=scope,
        parts=parts or {},
    )


SOURCES = _resource("sources", SOURCE_FILTERS, SourceSchema, Scope.SOURCES_WRITE)
CLAIMS = _resource(
    "claims",
    CLAIM_FILTERS,
    ClaimSchema,
    Scope.CLAIMS_WRITE,
    {"corroboration": Cost.BOUNDED, "similar": Cost.COSTLY},
)
ENTITIES = _resource(
    "entities", ENTITY_FILTERS, EntitySchema, Scope.ENTITIES_WRITE, {"similar": Cost.COSTLY}
)
FIGURES = _resource("figures", FIGURE_FILTERS, FigureSchema, Scope.CLAIMS_WRITE)
EVIDENCE = _resource("evidence", EVIDENCE_FILTERS, EvidenceSchema, Scope.CLAIMS_WRITE)
METRICS = _resource("metrics", METRIC_FILTERS, MetricSchema, Scope.CLAIMS_WRITE)
UNITS = _resource("units", UNIT_FILTERS, UnitSchema, Scope.CLAIMS_WRITE)
COMPARISONS = Listed(
    readable=COMPARISON_QUERIES, filters=COMPARISON_FILTERS, document=ComparisonSchema
)
CATALOGUE = (SOURCES, CLAIMS, ENTITIES, FIGURES, EVIDENCE, METRICS, UNITS)
LISTS: tuple[Listed, ...] = (*CATALOGUE, COMPARISONS)
