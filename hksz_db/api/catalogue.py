"""The resources of the API, each with what it is made of."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from marshmallow import Schema

from hksz_db.api.calls import Call
from hksz_db.api.claim_evidence import create_evidence, list_evidence
from hksz_db.api.comparisons import list_comparisons_of
from hksz_db.api.costs import Cost
from hksz_db.api.entity_merges import merge, unmerge
from hksz_db.api.resource import Listed, Resource
from hksz_db.api.verification import verify
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
    extra_calls: Sequence[Callable[[Resource], Call]] = (),
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
        extra_calls=extra_calls,
    )


SOURCES = _resource(
    "sources", SOURCE_FILTERS, SourceSchema, Scope.SOURCES_WRITE, extra_calls=(verify,)
)
EVIDENCE = _resource("evidence", EVIDENCE_FILTERS, EvidenceSchema, Scope.CLAIMS_WRITE)
CLAIMS = _resource(
    "claims",
    CLAIM_FILTERS,
    ClaimSchema,
    Scope.CLAIMS_WRITE,
    {"corroboration": Cost.BOUNDED, "similar": Cost.COSTLY},
    extra_calls=(partial(list_evidence, EVIDENCE), partial(create_evidence, EVIDENCE)),
)
ENTITIES = _resource(
    "entities",
    ENTITY_FILTERS,
    EntitySchema,
    Scope.ENTITIES_WRITE,
    {"similar": Cost.COSTLY},
    extra_calls=(merge, unmerge),
)
COMPARISONS = Listed(
    readable=COMPARISON_QUERIES, filters=COMPARISON_FILTERS, document=ComparisonSchema
)
FIGURES = _resource(
    "figures",
    FIGURE_FILTERS,
    FigureSchema,
    Scope.CLAIMS_WRITE,
    extra_calls=(partial(list_comparisons_of, COMPARISONS),),
)
METRICS = _resource("metrics", METRIC_FILTERS, MetricSchema, Scope.CLAIMS_WRITE)
UNITS = _resource("units", UNIT_FILTERS, UnitSchema, Scope.CLAIMS_WRITE)
CATALOGUE = (SOURCES, CLAIMS, ENTITIES, FIGURES, EVIDENCE, METRICS, UNITS)
LISTS: tuple[Listed, ...] = (*CATALOGUE, COMPARISONS)
