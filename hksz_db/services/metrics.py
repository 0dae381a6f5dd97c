"""Writing metrics; dimension and sign cannot change once a figure uses the metric."""

from hksz_db.models import Metric
from hksz_db.services.writers import Writer
from schemas.metrics import MetricCreateSchema, MetricPatchSchema

WRITER = Writer(model=Metric, create_schema=MetricCreateSchema, patch_schema=MetricPatchSchema)
