"""The resources of the API, with the calls that only some of them have."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from hksz_db.api.calls import Call
from hksz_db.api.claim_evidence import create_evidence, list_evidence
from hksz_db.api.comparisons import list_comparisons_of
from hksz_db.api.entity_merges import merge, unmerge
from hksz_db.api.resource import Listed, Resource
from hksz_db.api.verification import verify
from hksz_db.queries.comparisons import COMPARISONS as COMPARISON_QUERIES
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.kinds import KINDS

COMPARISONS = Listed(COMPARISON_QUERIES)
_EVIDENCE = Resource(RESOURCES["evidence"], KINDS["evidence"])
_EXTRA_CALLS: Mapping[str, Sequence[Callable[[Resource], Call]]] = {
    "sources": (verify,),
    "claims": (partial(list_evidence, _EVIDENCE), partial(create_evidence, _EVIDENCE)),
    "entities": (merge, unmerge),
    "figures": (partial(list_comparisons_of, COMPARISONS),),
}
CATALOGUE = tuple(
    Resource(RESOURCES[name], KINDS[name], _EXTRA_CALLS.get(name, ())) for name in RESOURCES
)
LISTS: tuple[Listed, ...] = (*CATALOGUE, COMPARISONS)
