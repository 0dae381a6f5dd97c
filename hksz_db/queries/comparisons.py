"""Which figures can be compared with each other, and how comparisons are read.

Comparisons are computed when they are read and never stored, so they are always up to date.
"""

from sqlalchemy import FromClause, and_, case, exists, or_

from hksz_db.domain.vocabulary import Accumulation, ClaimStatus, Dimension
from hksz_db.models import Claim, Entity, Figure, Metric, table_of
from hksz_db.queries.derivation import document, summary
from hksz_db.queries.documents import First, Group, Node, period, term
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
from hksz_db.queries.verdicts import Pair, explanation, severity, verdict
from schemas.comparisons import COMPARISON_FILTERS, ComparedFigureSchema, ComparisonSchema
from schemas.summaries import EntitySummarySchema, MetricSummarySchema

MAX_EMBEDDED = 100
"""How many comparisons are embedded at most, the most severe."""

# Rejected and retracted claims are not compared.
_WITHDRAWN = (ClaimStatus.REJECTED, ClaimStatus.RETRACTED)
# Overlapping periods suffice for these; the others can change from one day to the next.
_SPREAD = (Accumulation.FLOW, Accumulation.EVENT)


def pair_with(figure: FromClause | None = None) -> Pair:
    """A pair of the given figure, or of a new alias, and another."""
    figures = table_of(Figure)
    return Pair(
        figures.alias() if figure is None else figure, figures.alias(), table_of(Metric).alias()
    )


def others(pair: Pair) -> FromClause:
    """The other figures with their metric, before ``comparable`` selects among them."""
    return pair.other.join(pair.metric, pair.metric.c.id == pair.other.c.metric_id)


def together(pair: Pair) -> FromClause:
    """All figures, each with every figure that it can be compared with, itself included."""
    measured = pair.figure.join(pair.metric, pair.metric.c.id == pair.figure.c.metric_id)
    return measured.join(pair.other, comparable(pair))


def comparable(pair: Pair) -> Condition:
    """Whether the two figures are about the same thing.

    They have the same metric, subject and modality (a target does not contradict an outcome), and
    the same currency if they are money, which is never converted. Neither the figures nor their
    claims are deleted, and the claims are neither rejected nor retracted. Either neither has a
    period or both have one: periods of a flow or an event overlap; those of a stock or a ratio,
    which can change from one day to the next, are equal or one contains the other.
    """
    a, b = pair.figure, pair.other
    return and_(
        a.c.metric_id == b.c.metric_id,
        a.c.subject_id == b.c.subject_id,
        a.c.modality == b.c.modality,
        or_(a.c.dimension != term(Dimension.MONEY), a.c.unit_code == b.c.unit_code),
        _periods_meet(pair),
        _is_active(a),
        _is_active(b),
    )


def _periods_meet(pair: Pair) -> Condition:
    a, b = pair.figure.c.period, pair.other.c.period
    spread = pair.metric.c.accumulation.in_([term(kind) for kind in _SPREAD])
    overlap = and_(a.overlaps(b), or_(spread, a.contains(b), a.contained_by(b)))
    # A CASE hides the condition from the planner. It assumes that one period in a hundred overlaps
    # another, so it expects few pairs and would form them all before it returns the first.
    return case((a.is_(None), b.is_(None)), else_=overlap)


def _is_active(figure: FromClause) -> Condition:
    claims = table_of(Claim).alias()
    claim_is_active = exists().where(
        claims.c.id == figure.c.claim_id,
        claims.c.deleted_at.is_(None),
        claims.c.status.not_in([term(status) for status in _WITHDRAWN]),
    )
    return and_(figure.c.deleted_at.is_(None), claim_is_active.correlate_except(claims))


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
