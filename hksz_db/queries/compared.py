"""How comparisons are read."""

from sqlalchemy import FromClause, and_, or_

from hksz_db.models import Entity, Figure, Metric, table_of
from hksz_db.queries.comparisons import Pair, comparable, others, pair_with, together
from hksz_db.queries.derivation import document, summary
from hksz_db.queries.documents import First, Group, Node, period
from hksz_db.queries.filters import (
    Computed,
    Condition,
    Days,
    Either,
    Every,
    Plain,
    Related,
    Relation,
)
from hksz_db.queries.readable import Queryable
from hksz_db.queries.verdicts import explanation, severity, verdict
from schemas.comparisons import COMPARISON_FILTERS, ComparedFigureSchema, ComparisonSchema
from schemas.summaries import EntitySummarySchema, MetricSummarySchema

MAX_EMBEDDED = 100
"""How many comparisons are embedded at most, the most severe."""


def comparison_fields(pair: Pair) -> dict[str, Node]:
    """The document of a comparison."""
    return {
        "verdict": verdict(pair),
        "explanation": explanation(pair),
        "metric": summary(Metric, pair.figure.c.metric_id, MetricSummarySchema),
        "subject": summary(Entity, pair.figure.c.subject_id, EntitySummarySchema),
        "figure": _side(pair.figure),
        "other": _side(pair.other),
    }


def _side(figure: FromClause) -> Group:
    stated = period(figure.c.period_edtf, figure.c.period, figure.c.period_as_stated)
    return Group(document(figure, ComparedFigureSchema, {"period": stated}))


def figure_comparisons(figure: FromClause) -> First:
    """The most severe comparisons of a figure."""
    pair = pair_with(figure)
    different = pair.figure.c.id != pair.other.c.id
    return _most_severe(pair, others(pair), and_(comparable(pair), different))


def claim_comparisons(claim: FromClause) -> First:
    """The most severe comparisons of the figures of a claim; two figures of its own appear once."""
    pair = pair_with()
    a, b = pair.figure, pair.other
    once = or_(a.c.claim_id != b.c.claim_id, a.c.id < b.c.id)
    return _most_severe(pair, together(pair), and_(a.c.claim_id == claim.c.id, once))


def _most_severe(pair: Pair, table: FromClause, on: Condition) -> First:
    return First(
        table,
        on,
        comparison_fields(pair),
        order_by=(severity(pair), pair.figure.c.id, pair.other.c.id),
        limit=MAX_EMBEDDED,
    )


PAIR = pair_with()
_a, _b = PAIR.figure, PAIR.other
_candidates = table_of(Figure).alias()
# Leads from a claim to its figures and those that can be compared with them. Without it, every
# pair would be formed to find out which belong to the claim.
_CANDIDATE = Relation(
    _candidates,
    and_(
        _candidates.c.metric_id == _a.c.metric_id,
        _candidates.c.subject_id == _a.c.subject_id,
        _candidates.c.modality == _a.c.modality,
    ),
)

COMPARISONS = Queryable(
    name="comparisons",
    singular="comparison",
    fields=comparison_fields(PAIR),
    schema=ComparisonSchema,
    filters=COMPARISON_FILTERS,
    targets={
        "verdict": Computed(verdict(PAIR)),
        "metric": Plain(PAIR.metric.c.key),
        "metric_id": Plain(_a.c.metric_id),
        "subject_id": Plain(_a.c.subject_id),
        "claim_id": Every(
            (
                Related(_CANDIDATE, Plain(_candidates.c.claim_id)),
                Either((Plain(_a.c.claim_id), Plain(_b.c.claim_id))),
            )
        ),
        "modality": Plain(_a.c.modality),
        "period": Every((Days(_a.c.period), Days(_b.c.period))),
    },
)
