"""All resources that can be read."""

from collections.abc import Mapping

from hksz_db.queries.claims import CLAIMS
from hksz_db.queries.entities import ENTITIES
from hksz_db.queries.evidence import EVIDENCE
from hksz_db.queries.figures import FIGURES
from hksz_db.queries.metrics import METRICS
from hksz_db.queries.readable import Readable
from hksz_db.queries.sources import SOURCES
from hksz_db.queries.units import UNITS

RESOURCES: Mapping[str, Readable] = {
    readable.name: readable
    for readable in (SOURCES, CLAIMS, ENTITIES, FIGURES, EVIDENCE, METRICS, UNITS)
}
"""The resources by name, in the order of the documentation."""
