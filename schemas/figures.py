"""Schemas and filters of figures."""

from typing import ClassVar

from marshmallow import fields

from hksz_db.domain.ranges import RangeRule
from hksz_db.domain.vocabulary import ClaimStatus, Comparator, Dimension, Estimate, Modality
from schemas.base import InputSchema, VersionedSchema, patch_schema
from schemas.comparisons import ComparisonsSchema
from schemas.dates import PeriodSchema, RelativeDateCreateSchema, StatedPeriodSchema
from schemas.fields import (
    Breakdown,
    DecimalDocument,
    DecimalString,
    Edtf,
    ExternalId,
    StrictBoolean,
    Term,
    Text,
    UnitCode,
    Uuid,
)
from schemas.filters import (
    bounds,
    breakdowns,
    common_filters,
    days,
    filter_fields,
    flag,
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
    " both, the amount and the bounds are read from these words, in English or Chinese. What is"
    " given must agree with the words. A change of a figure reads nothing."
)

_EXACT = (
    "Whether the amount is exactly the number that is stated, neither rounded nor cut off."
    " It narrows the ranges of the comparator `eq` only."
)
_BREAKDOWN = "The part of the whole that the figure is about: a category for each dimension."
_DEFINITION = (
    "How the measure is defined here, where the same measure is defined differently elsewhere."
)


MOST_STATED = 100
"""The most characters of the words of a figure."""


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
    as_stated = Text(MOST_STATED, required=True, metadata={"description": _READING})
    comparator = Term(Comparator)
    amount = DecimalString(allow_none=True)
    lower_bound = DecimalString(allow_none=True)
    upper_bound = DecimalString(allow_none=True)
    unit_code = UnitCode()
    modality = Term(Modality)
    exact = StrictBoolean(load_default=False, metadata={"description": _EXACT})
    breakdown = Breakdown(allow_none=True, metadata={"description": _BREAKDOWN})
    definition = Text(300, allow_none=True, metadata={"description": _DEFINITION})
    estimate = Term(Estimate, allow_none=True)
    known_at_edtf = Edtf(allow_none=True)
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
    exact = fields.Boolean()
    breakdown = Breakdown(allow_none=True)
    definition = fields.String(allow_none=True)
    estimate = Term(Estimate, allow_none=True)
    known_at = fields.Nested(PeriodSchema)
    period = fields.Nested(StatedPeriodSchema)


class FigureSchema(ClaimFigureSchema):
    """A figure with a summary of its claim."""

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
    "exact": flag(),
    "breakdown": breakdowns(),
    "definition": words(nullable=True),
    "estimate": terms(Estimate, nullable=True),
    "known_at": days(nullable=True),
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
