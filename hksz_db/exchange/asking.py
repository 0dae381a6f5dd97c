"""Asking for an export by filters alone, as the command line does."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from marshmallow import ValidationError

from hksz_db.domain.errors import Fault, Malformed
from hksz_db.exchange.exporting import Export
from hksz_db.exchange.format import Format
from hksz_db.queries.filters import AllOf, Criterion, bound_values, shape
from hksz_db.queries.pages import RESOURCES, PageShape
from schemas.claims import CLAIM_FILTERS
from schemas.entities import ENTITY_FILTERS
from schemas.evidence import EVIDENCE_FILTERS
from schemas.figures import FIGURE_FILTERS
from schemas.filters import Filter
from schemas.metrics import METRIC_FILTERS
from schemas.sources import SOURCE_FILTERS
from schemas.units import UNIT_FILTERS

FILTERS: Mapping[str, Mapping[str, Filter]] = {
    "sources": SOURCE_FILTERS,
    "claims": CLAIM_FILTERS,
    "entities": ENTITY_FILTERS,
    "figures": FIGURE_FILTERS,
    "evidence": EVIDENCE_FILTERS,
    "metrics": METRIC_FILTERS,
    "units": UNIT_FILTERS,
}


def whole(resource: str, form: Format, filters: Iterable[Sequence[str]]) -> Export:
    """All rows that meet the filters, pairs of name and value, in the order of the ids.

    Raises ``Malformed``, which names every filter that is not known or has no such value.
    """
    faults: list[Fault] = []
    expression = AllOf(tuple(_criteria(FILTERS[resource], filters, faults)))
    if faults:
        raise Malformed("The query is invalid.", faults)
    asked = PageShape(
        resource=resource,
        fields=form.fields(RESOURCES[resource]),
        filters=shape(expression),
        searched=False,
        sort=(("id", False),),
        after=None,
        counted=False,
    )
    return Export(form, asked, bound_values(expression))


def _criteria(
    known: Mapping[str, Filter], filters: Iterable[Sequence[str]], faults: list[Fault]
) -> Iterator[Criterion]:
    for name, value in filters:
        if name not in known:
            faults.append(Fault("unknown", "Unknown filter.", parameter=name))
            continue
        found = known[name]
        try:
            yield Criterion(found.name, found.operator, found.field.deserialize(value))
        except ValidationError as error:
            faults.append(Fault("invalid", _told(error.messages), parameter=name))


def _told(messages: Any) -> str:
    while not isinstance(messages, str):
        (messages, *_) = messages.values() if isinstance(messages, Mapping) else messages
    return messages
