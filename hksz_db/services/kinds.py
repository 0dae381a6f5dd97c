"""The kinds of rows that can be written."""

from collections.abc import Mapping

from hksz_db.services.claims import CLAIMS
from hksz_db.services.entities import ENTITIES
from hksz_db.services.evidence import EVIDENCE
from hksz_db.services.figures import FIGURES
from hksz_db.services.metrics import METRICS
from hksz_db.services.sources import SOURCES
from hksz_db.services.units import UNITS
from hksz_db.services.writers import Writer

_KINDS = (UNITS, METRICS, ENTITIES, SOURCES, CLAIMS, FIGURES, EVIDENCE)
KINDS: Mapping[str, Writer] = {kind.table: kind for kind in _KINDS}
"""Every kind by the name of its resource, in the order in which they rest on each other."""
