"""The resources of the API."""

from hksz_db.api.resource import Listed, Resource
from hksz_db.queries.compared import COMPARISONS as COMPARISON_QUERIES
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.kinds import KINDS

CATALOGUE = tuple(Resource(RESOURCES[name], KINDS[name]) for name in RESOURCES)
COMPARISONS = Listed(COMPARISON_QUERIES)
LISTS: tuple[Listed, ...] = (*CATALOGUE, COMPARISONS)
_BY_NAME = {resource.name: resource for resource in CATALOGUE}
SOURCES = _BY_NAME["sources"]
CLAIMS = _BY_NAME["claims"]
ENTITIES = _BY_NAME["entities"]
EVIDENCE = _BY_NAME["evidence"]
FIGURES = _BY_NAME["figures"]
