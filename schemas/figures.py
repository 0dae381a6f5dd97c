"""Schemas and filters of figures."""

from typing import ClassVar

from marshmallow import fields

from hksz_db.domain.quantities import RangeRule
from hksz_db.domain.vocabulary import ClaimStatus, Comparator, Dimension, Modality
from schemas.base import InputSchema, VersionedSchema, patch_schema
from schemas.comparisons import ComparisonsSchema
from schemas.dates import RelativeDateCreateSchema, StatedPeriodSchema
from schemas.fields import (
    DecimalDocument,
    DecimalString,
    Edtf,
    ExternalId,
    Term,
    Text,
    UnitCode,
    Uuid,
)
from schemas.filters import (
    bounds,
    common_filters,
    days,
    filter_fields,
    ids,
    names,
    numbers,
    of_related,
    related,
    terms,
    words,
)
from schemas.summaries import (
    EntitySummarySchema,
    MetricSummarySchema,
    NumericRangeSchema,
    ReviewedClaimSummarySchema,
)

_READING = (
    "The words of the source. If a new figure is given without `comparator` or without `unit_code`,"
    " both, the amount and the bounds are read from these words, in English. What is given must"
    " agree with the words. A change of a figure reads nothing."
)


class ClaimFigureCreateSchema(InputSchema):
    """A figure that is sent with its claim; its modality defaults to that of the claim."""

    references: ClassVar[tuple[str, ...]] = ("metric", "subject")
    required: ClassVar[tuple[str, ...]] = ("metric", "subject")
    dates = ("period",)
    metric_id = Uuid()
    metric_external_id = ExternalId()
    subject_id = Uuid()
    subject_external_id = ExternalId()
    external_id = ExternalId(allow_none=True)
    as_stated = Text(100, required=True, metadata={"description": _READING})
    comparator = Term(Comparator)
    amount = DecimalString(allow_none=True)
    lower_bound = DecimalString(allow_none=True)
    upper_bound = DecimalString(allow_none=True)
    unit_code = UnitCode()
    modality = Term(Modality)
    period_as_stated = Text(100, allow_none=True)
    period_edtf = Edtf(allow_none=True)
    period_relative = fields.Nested(RelativeDateCreateSchema, allow_none=True)


class FigureCreateSchema(ClaimFigureCreateSchema):
    """A number that a claim states."""

    references = required = ("claim", "metric", "subject")
    claim_id = Uuid()
    claim_external_id = ExternalId()


FigurePatchSchema = patch_schema(FigureCreateSchema, "claim_id", "claim_external_id")


class ClaimFigureSchema(VersionedSchema):
    """A figure within its claim; the ranges are in base units."""

    metric = fields.Nested(MetricSummarySchema)
    subject = fields.Nested(EntitySummarySchema)
    as_stated = fields.String()
    comparator = Term(Comparator)
    amount = DecimalDocument(allow_none=True)
    lower_bound = DecimalDocument(allow_none=True)
    upper_bound = DecimalDocument(allow_none=True)
    unit_code = fields.String()
    dimension = Term(Dimension)
    value_range = fields.Nested(NumericRangeSchema)
    plausible_range = fields.Nested(NumericRangeSchema)
    range_rule = Term(RangeRule)
    modality = Term(Modality)
    period = fields.Nested(StatedPeriodSchema)


class FigureSchema(ClaimFigureSchema):
    """A figure with a summary of its claim."""

    selectable = True
    claim = fields.Nested(ReviewedClaimSummarySchema)
    comparisons = fields.Nested(ComparisonsSchema)


FIGURE_KINDS = {
    "metric": of_related(names()),
    "metric_id": ids(),
    "subject_id": ids(),
    "subject__name": of_related(words()),
    "amount": numbers(nullable=True),
    "value": bounds(),
    "comparator": terms(Comparator),
    "unit_code": names(),
    "dimension": terms(Dimension),
    "modality": terms(Modality),
    "period": days(nullable=True),
}

FIGURE_FILTERS = filter_fields(
    {
        **common_filters(),
        **FIGURE_KINDS,
        "claim_id": ids(),
        **related("claim", {"status": terms(ClaimStatus)}),
    }
)
