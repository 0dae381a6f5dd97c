"""Comparisons on the wire."""

from marshmallow import fields

from hksz_db.domain.vocabulary import ComparisonVerdict, Modality
from schemas.base import DocumentSchema
from schemas.dates import PeriodSchema
from schemas.fields import Term
from schemas.filters import days, filter_fields, ids, names, of_related, terms
from schemas.summaries import (
    EntitySummarySchema,
    MetricSummarySchema,
    NumericRangeSchema,
    ReviewedClaimSummarySchema,
    SummarySchema,
)


class ComparedPeriodSchema(PeriodSchema):
    """The time that a figure holds for, with the words that stated it."""

    as_stated = fields.String(allow_none=True)


class ComparedFigureSchema(SummarySchema):
    """A figure as it is compared; the ranges are in base units."""

    as_stated = fields.String()
    unit_code = fields.String()
    value_range = fields.Nested(NumericRangeSchema)
    plausible_range = fields.Nested(NumericRangeSchema)
    period = fields.Nested(ComparedPeriodSchema)
    modality = Term(Modality)
    claim = fields.Nested(ReviewedClaimSummarySchema)


class ComparisonSchema(DocumentSchema):
    """How two figures of one metric and subject stand to each other.

    Worked out when it is read. ``contradicts``: for one and the same time the words leave no
    number that both allow. ``tension``: they do, but not as a reader would understand them.
    ``part_exceeds_whole``: one is of a part of the other's time, and yet above it. ``agrees``:
    both can be true.
    """

    selectable = True
    verdict = Term(ComparisonVerdict)
    explanation = fields.String()
    metric = fields.Nested(MetricSummarySchema)
    subject = fields.Nested(EntitySummarySchema)
    figure = fields.Nested(ComparedFigureSchema)
    other = fields.Nested(ComparedFigureSchema)


class ComparisonsSchema(DocumentSchema):
    """At most 100 comparisons, the gravest first; ``all`` is false when there are more."""

    data = fields.List(fields.Nested(ComparisonSchema))
    all = fields.Boolean()


COMPARISON_FILTERS = filter_fields(
    {
        "verdict": terms(ComparisonVerdict),
        "metric": names(),
        "metric_id": ids(),
        "subject_id": ids(),
        # Of one of the two, where the rest is of both.
        "claim_id": of_related(ids()),
        "modality": terms(Modality),
        "period": days(nullable=True),
    }
)
