"""Schemas and filters of metrics."""

from marshmallow import fields

from hksz_db.domain.relative_dates import PERIOD_LENGTH_PATTERN
from hksz_db.domain.vocabulary import Accumulation, Dimension, MetricMeasure
from schemas.base import InputSchema, VersionedSchema, patch_schema
from schemas.fields import ExternalId, Slug, StrictBoolean, Term, Text
from schemas.filters import common_filters, filter_fields, flag, names, terms, words

_HOLDS_FOR = (
    "How long a value holds, for a stock that changes slowly, such as the area of a zone: values"
    " within this time of each other are compared as if they were of the same time."
)


class MetricCreateSchema(InputSchema):
    """A metric is what figures count or measure."""

    external_id = ExternalId(allow_none=True)
    key = Slug(required=True)
    label = Text(300, required=True)
    dimension = Term(Dimension, required=True)
    accumulation = Term(Accumulation, required=True)
    nonnegative = StrictBoolean(load_default=True)
    description = Text(2000, allow_none=True)
    measure = Term(MetricMeasure, load_default=MetricMeasure.LEVEL)
    holds_for = Text(
        6,
        PERIOD_LENGTH_PATTERN,
        "Must be an ISO 8601 duration in one unit, such as P20Y.",
        allow_none=True,
        metadata={"description": _HOLDS_FOR},
    )


MetricPatchSchema = patch_schema(MetricCreateSchema)


class MetricSchema(VersionedSchema):
    """A metric."""

    key = fields.String()
    label = fields.String()
    dimension = Term(Dimension)
    accumulation = Term(Accumulation)
    nonnegative = fields.Boolean()
    description = fields.String(allow_none=True)
    measure = Term(MetricMeasure)
    holds_for = fields.String(allow_none=True)


METRIC_FILTERS = filter_fields(
    {
        **common_filters(),
        "key": names(),
        "label": words(),
        "dimension": terms(Dimension),
        "accumulation": terms(Accumulation),
        "nonnegative": flag(),
        "description": words(nullable=True),
        "measure": terms(MetricMeasure),
        "holds_for": names(nullable=True),
    }
)
