"""Writing metrics; the dimension and the sign change only while no figure measures one."""

from hksz_db.models import Metric
from hksz_db.services.writers import Writer
from schemas.metrics import MetricCreateSchema, MetricPatchSchema

METRICS = Writer(model=Metric, create_schema=MetricCreateSchema, patch_schema=MetricPatchSchema)
create, update = METRICS.create, METRICS.update
