"""Which figures can be compared with each other.

Comparisons are computed when they are read and never stored, so they are always up to date.
"""

from dataclasses import dataclass

from sqlalchemy import (
    FromClause,
    and_,
    case,
    exists,
    or_,
)

from hksz_db.domain.vocabulary import Accumulation, ClaimStatus, Dimension
from hksz_db.models import Claim, Figure, Metric, table_of
from hksz_db.queries.documents import term
from hksz_db.queries.filters import Condition

# Rejected and retracted claims are not compared.
_WITHDRAWN = (ClaimStatus.REJECTED, ClaimStatus.RETRACTED)
# Overlapping periods suffice for these; the others can change from one day to the next.
_SPREAD = (Accumulation.FLOW, Accumulation.EVENT)


@dataclass(frozen=True)
class Pair:
    """Two figures, and the metric of the first."""

    figure: FromClause
    other: FromClause
    metric: FromClause


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
