"""Schemas and filters of comparisons."""

from marshmallow import fields

from hksz_db.domain.vocabulary import ComparisonVerdict, Modality
from schemas.base import DocumentSchema, RowSchema
from schemas.dates import PeriodSchema
from schemas.fields import Breakdown, Term
from schemas.filters import days, filter_fields, ids, names, of_related, terms
from schemas.summaries import (
    ClaimSummarySchema,
    EntitySummarySchema,
    FigureSummarySchema,
    MetricSummarySchema,
    NumericRangeSchema,
    ReviewedClaimSummarySchema,
)


class ComparedPeriodSchema(PeriodSchema):
    """The period of a figure, with the words that state it."""

    as_stated = fields.String(allow_none=True)


class ComparedFigureSchema(RowSchema):
    """A figure in a comparison; the ranges are in base units."""

    as_stated = fields.String()
    unit_code = fields.String()
    value_range = fields.Nested(NumericRangeSchema)
    plausible_range = fields.Nested(NumericRangeSchema)
    period = fields.Nested(ComparedPeriodSchema)
    modality = Term(Modality)
    breakdown = Breakdown(allow_none=True)
    definition = fields.String(allow_none=True)
    claim = fields.Nested(ReviewedClaimSummarySchema)


class ComparisonSchema(DocumentSchema):
    """How two figures of one metric and subject compare.

    It is computed when it is read. ``contradicts``: the value ranges have no number in common, for
    the same time. ``tension``: both can be true, but the plausible ranges have no number in common;
    or the value ranges have none, but the times or the definitions may differ.
    ``part_exceeds_whole``: a part, by its period or its breakdown, is larger than the whole.
    ``agrees``: the plausible ranges meet. ``compatible``: both can be true because their periods
    differ, or it cannot be told whether a plan was met. ``met`` and ``missed`` compare a plan with
    what happened, ``came_true`` and ``did_not_come_true`` a forecast.
    """

    verdict = Term(ComparisonVerdict)
    explanation = fields.String()
    metric = fields.Nested(MetricSummarySchema)
    subject = fields.Nested(EntitySummarySchema)
    figure = fields.Nested(ComparedFigureSchema)
    other = fields.Nested(ComparedFigureSchema)


class ComparisonsSchema(DocumentSchema):
    """At most 100 comparisons, the most serious first; ``all`` is false if there are more."""

    data = fields.List(fields.Nested(ComparisonSchema))
    all = fields.Boolean()


class ContestingClaimSchema(DocumentSchema):
    """An accepted claim that contradicts this one.

    ``figure`` is one of this claim's, ``other`` one of the accepted claim's that contradicts it.
    ``explanation`` is that of their comparison.
    """

    claim = fields.Nested(ClaimSummarySchema)
    figure = fields.Nested(FigureSummarySchema)
    other = fields.Nested(FigureSummarySchema)
    explanation = fields.String()


class ContestingClaimsSchema(DocumentSchema):
    """At most 10 claims, the oldest first; ``all`` is false if there are more."""

    data = fields.List(fields.Nested(ContestingClaimSchema))
    all = fields.Boolean()


COMPARISON_FILTERS = filter_fields(
    {
        "verdict": terms(ComparisonVerdict),
        "metric": names(),
        "metric_id": ids(),
        "subject_id": ids(),
        # One of the two figures must match; the other filters concern both.
        "claim_id": of_related(ids()),
        "modality": of_related(terms(Modality)),
        "period": days(nullable=True),
    }
)
