"""The writers of all resources."""

from collections.abc import Iterable, Mapping
from graphlib import TopologicalSorter
from importlib import import_module

from hksz_db.queries.registry import RESOURCES
from hksz_db.services.dependants import LINKS
from hksz_db.services.writers import Writer


def _in_order(resources: Iterable[str]) -> Iterable[str]:
    """The resources in an order in which references lead to earlier ones.

    Relations may form cycles, so they are written last.
    """
    links = [link for link in LINKS if not link.table.endswith("_relations")]
    # Lists rather than sets, so that the order is always the same.
    targets = {
        name: sorted({link.target for link in links if link.owner == name} - {name})
        for name in sorted(resources)
    }
    return TopologicalSorter(targets).static_order()


def _writer(resource: str) -> Writer:
    """The ``WRITER`` in the module with the name of the resource.

    Raises ``SchemaMismatch`` for a field of the document that nothing writes.
    """
    writer = import_module(f"{__package__}.{resource}").WRITER
    assert isinstance(writer, Writer)
    writer.check_document(RESOURCES[resource].schema)
    return writer


WRITERS: Mapping[str, Writer] = {name: _writer(name) for name in _in_order(RESOURCES)}
"""The writers by resource, in an order in which references lead to earlier resources."""
