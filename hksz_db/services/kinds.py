"""The writers of all resources."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter

from hksz_db.services.claims import CLAIMS
from hksz_db.services.dependants import LINKS
from hksz_db.services.entities import ENTITIES
from hksz_db.services.evidence import EVIDENCE
from hksz_db.services.figures import FIGURES
from hksz_db.services.metrics import METRICS
from hksz_db.services.sources import SOURCES
from hksz_db.services.units import UNITS
from hksz_db.services.writers import Writer


def _in_order(writers: Iterable[Writer]) -> Iterable[str]:
    """The resources in an order in which references lead to earlier ones.

    Relations may form cycles, so they are written last.
    """
    links = [link for link in LINKS if not link.table.endswith("_relations")]
    return TopologicalSorter(
        {
            writer.table: {link.target for link in links if link.owner == writer.table}
            - {writer.table}
            for writer in writers
        }
    ).static_order()


_WRITERS = {w.table: w for w in (UNITS, METRICS, ENTITIES, SOURCES, CLAIMS, FIGURES, EVIDENCE)}
KINDS: Mapping[str, Writer] = {name: _WRITERS[name] for name in _in_order(_WRITERS.values())}
"""The writers by resource, in an order in which references lead to earlier resources."""
