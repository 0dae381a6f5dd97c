"""Schemas and filters of metrics."""

from marshmallow import fields

from hksz_db.domain.vocabulary import Accumulation, Dimension
from schemas.base import InputSchema, VersionedSchema, patch_schema
from schemas.fields import ExternalId, Slug, StrictBoolean, Term, Text
from schemas.filters import common_filters, filter_fields, flag, names, terms, words


class MetricCreateSchema(InputSchema):
    """A metric is what figures count or measure."""

    external_id = ExternalId(allow_none=True)
    key = Slug(required=True)
    label = Text(300, required=True)
    dimension = Term(Dimension, required=True)
    accumulation = Term(Accumulation, required=True)
    nonnegative = StrictBoolean(load_default=True)


MetricPatchSchema = patch_schema(MetricCreateSchema)


class MetricSchema(VersionedSchema):
    """A metric."""

    selectable = True
    key = fields.String()
    label = fields.String()
    dimension = Term(Dimension)
    accumulation = Term(Accumulation)
    nonnegative = fields.Boolean()


METRIC_FILTERS = filter_fields(
    {
        **common_filters(),
        "key": names(),
        "label": words(),
        "dimension": terms(Dimension),
        "accumulation": terms(Accumulation),
        "nonnegative": flag(),
    }
)
