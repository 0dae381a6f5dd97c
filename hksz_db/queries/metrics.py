"""Metrics as their readers see them."""

from hksz_db.models import Metric
from hksz_db.queries.filters import Plain
from hksz_db.queries.resources import (
    Readable,
    SortKey,
    common_fields,
    common_sorts,
    common_targets,
    table_of,
)
from schemas.metrics import METRIC_FILTERS, MetricSchema

_metrics = table_of(Metric)

METRICS = Readable(
    name="metrics",
    singular="metric",
    table=_metrics,
    fields={
        "id": _metrics.c.id,
        "external_id": _metrics.c.external_id,
        "key": _metrics.c.key,
        "label": _metrics.c.label,
        "dimension": _metrics.c.dimension,
        "accumulation": _metrics.c.accumulation,
        "nonnegative": _metrics.c.nonnegative,
        **common_fields(_metrics),
    },
    embeds={},
    schema=MetricSchema,
    filters=METRIC_FILTERS,
    targets={
        **common_targets(_metrics),
        "key": Plain(_metrics.c.key),
        "label": Plain(_metrics.c.label),
        "dimension": Plain(_metrics.c.dimension),
        "accumulation": Plain(_metrics.c.accumulation),
        "nonnegative": Plain(_metrics.c.nonnegative),
    },
    sorts={
        **common_sorts(_metrics),
        "key": SortKey(_metrics.c.key),
        "label": SortKey(_metrics.c.label),
    },
    groups={"dimension": _metrics.c.dimension, "accumulation": _metrics.c.accumulation},
)
