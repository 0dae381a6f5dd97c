"""How metrics are read."""

from hksz_db.models import Metric
from hksz_db.queries.readable import Readable
from schemas.metrics import METRIC_FILTERS, MetricSchema

METRICS = Readable(
    model=Metric,
    schema=MetricSchema,
    filters=METRIC_FILTERS,
    sorted_by=("key", "label"),
    grouped_by=("dimension", "accumulation", "measure"),
)
