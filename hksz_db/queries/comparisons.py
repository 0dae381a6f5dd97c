"""Which figures can be compared with each other, and how comparisons are read.

Comparisons are computed when they are read and never stored, so they are always up to date.
"""

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FromClause,
    and_,
    case,
    exists,
    false,
    func,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import INTERVAL, distinct_on

from hksz_db.domain.vocabulary import (
    REPLACING,
    Accumulation,
    ClaimStatus,
    ComparisonVerdict,
    Dimension,
    Modality,
    NotCompared,
)
from hksz_db.models import (
    Claim,
    Entity,
    Figure,
    Metric,
    table_of,
)
from hksz_db.models.claims import ClaimRelation
from hksz_db.queries.derivation import document, summary
from hksz_db.queries.documents import First, Group, Node, SqlValue, number, period, term
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
from hksz_db.queries.verdicts import Pair, decided, exceeds_whole, explanation, severity, verdict
from schemas.comparisons import COMPARISON_FILTERS, ComparedFigureSchema, ComparisonSchema
from schemas.summaries import (
    ClaimSummarySchema,
    EntitySummarySchema,
    FigureSummarySchema,
    MetricSummarySchema,
)

MAX_EMBEDDED = 100
"""How many comparisons are embedded at most, the most severe."""

MAX_CONTESTING = 10
"""How many claims that contradict a claim are embedded at most."""

# Rejected and retracted claims have been withdrawn: they are not even counted as not compared.
_WITHDRAWN = (ClaimStatus.REJECTED, ClaimStatus.RETRACTED)
# Overlapping periods suffice for these; the others can change from one day to the next.
_SPREAD = (Accumulation.FLOW, Accumulation.EVENT)
_PLANS = (Modality.PLANNED, Modality.FORECAST)
_ABOUT_TIME = (NotCompared.NO_PERIOD, NotCompared.OTHER_TIME)
# These take longest, the last one most.
_LOOKED_UP = (NotCompared.NOT_REVIEWED, NotCompared.SUPERSEDED, NotCompared.NO_EVIDENCE)


def pair_with(figure: FromClause | None = None) -> Pair:
    """A pair of the given figure, or of a new alias, and another."""
    figures = table_of(Figure)
    return Pair(
        figures.alias() if figure is None else figure, figures.alias(), table_of(Metric).alias()
    )


def others(pair: Pair) -> FromClause:
    """The other figures with their metric, before ``comparable`` selects among them."""
    return pair.other.join(pair.metric, pair.metric.c.id == pair.other.c.metric_id)


def together(pair: Pair, on: Condition | None = None) -> FromClause:
    """All figures, each with every figure that it can be compared with, itself included.

    ``on`` selects pairs by another condition.
    """
    measured = pair.figure.join(pair.metric, pair.metric.c.id == pair.figure.c.metric_id)
    return measured.join(pair.other, comparable(pair) if on is None else on)


def comparable(pair: Pair) -> Condition:
    """Whether the two figures are about the same thing, and nothing keeps them from comparison."""
    return and_(_has_no_obstacle(pair), related(pair))


def _has_no_obstacle(pair: Pair) -> Condition:
    free = {reason: ~func.coalesce(obstacle, false()) for obstacle, reason in _obstacles(pair)}
    # Few pairs have periods that meet: a CASE keeps PostgreSQL from looking up claims before.
    meet, looked_up = free.pop(NotCompared.OTHER_TIME), [free.pop(reason) for reason in _LOOKED_UP]
    return and_(*free.values(), case((meet, and_(*looked_up)), else_=false()))


def related(pair: Pair) -> Condition:
    """Whether the two figures have the same metric and subject, and modalities that compare.

    A plan or a forecast is also compared with what happened. Neither the figures nor their claims
    are deleted, and the claims are neither rejected nor retracted.
    """
    return and_(_of_the_same(pair), _is_standing(pair.figure), _is_standing(pair.other))


def given_related(pair: Pair) -> Condition:
    """As ``related``, for a figure of no claim, and another whose claim has not been replaced."""
    relations = table_of(ClaimRelation).alias()
    claims = table_of(Claim).alias()
    replaced = exists().where(
        relations.c.to_id == pair.other.c.claim_id,
        relations.c.kind.in_([term(kind) for kind in REPLACING]),
        claims.c.id == relations.c.from_id,
        claims.c.deleted_at.is_(None),
        claims.c.status.not_in([term(status) for status in _WITHDRAWN]),
    )
    unreplaced = not_(replaced.correlate_except(relations, claims))
    return and_(_of_the_same(pair), _is_standing(pair.other), unreplaced)


def given_comparable(pair: Pair) -> Condition:
    """As ``comparable``, for a figure of no claim."""
    return and_(given_related(pair), _has_no_obstacle(pair))


def _of_the_same(pair: Pair) -> Condition:
    a, b = pair.figure, pair.other
    return and_(
        a.c.metric_id == b.c.metric_id,
        a.c.subject_id == b.c.subject_id,
        or_(a.c.modality == b.c.modality, _is_outcome(a, b), _is_outcome(b, a)),
    )


def not_compared(pair: Pair) -> ColumnElement[str]:
    """The ``NotCompared`` reason for two related figures; null if they are compared."""
    return case(*((obstacle, term(reason)) for obstacle, reason in _obstacles(pair)))


def _obstacles(pair: Pair) -> tuple[tuple[Condition, NotCompared], ...]:
    """What keeps related figures from being compared; the first that holds is the reason."""
    a, b = pair.figure, pair.other
    is_dated = and_(a.c.period.is_not(None), b.c.period.is_not(None))
    is_undated = and_(a.c.period.is_(None), b.c.period.is_(None), a.c.modality == b.c.modality)
    return (
        (_is_superseded(a, b), NotCompared.SUPERSEDED),
        (or_(_is_draft(a), _is_draft(b)), NotCompared.NOT_REVIEWED),
        (
            or_(
                func.lost_its_evidence(a.c.claim_id, type_=Boolean()),
                func.lost_its_evidence(b.c.claim_id, type_=Boolean()),
            ),
            NotCompared.NO_EVIDENCE,
        ),
        (
            and_(a.c.dimension == term(Dimension.MONEY), a.c.unit_code != b.c.unit_code),
            NotCompared.OTHER_CURRENCY,
        ),
        (
            and_(
                a.c.breakdown.is_distinct_from(b.c.breakdown),
                ~func.coalesce(or_(exceeds_whole(pair, a, b), exceeds_whole(pair, b, a)), false()),
            ),
            NotCompared.OTHER_BREAKDOWN,
        ),
        (~or_(is_dated, is_undated), NotCompared.NO_PERIOD),
        (and_(is_dated, ~_periods_meet(pair)), NotCompared.OTHER_TIME),
    )


def _is_outcome(plan: FromClause, actual: FromClause) -> Condition:
    return and_(
        plan.c.modality.in_([term(modality) for modality in _PLANS]),
        actual.c.modality == term(Modality.ACTUAL),
    )


def _periods_meet(pair: Pair) -> Condition:
    """Whether two periods are close enough to compare.

    Those of a flow or an event overlap; those of a stock or a ratio, which can change from one day
    to the next, are equal or one contains the other, unless a value holds for long enough. What
    happened is compared with a plan for its time.
    """
    a, b = pair.figure.c, pair.other.c
    spread = pair.metric.c.accumulation.in_([term(kind) for kind in _SPREAD])
    either = or_(a.period.contains(b.period), a.period.contained_by(b.period))
    alike = and_(a.period.overlaps(b.period), or_(spread, either))
    meet = case(
        (_is_outcome(pair.figure, pair.other), b.period.contained_by(a.period)),
        (_is_outcome(pair.other, pair.figure), a.period.contained_by(b.period)),
        else_=or_(alike, _still_holds(pair)),
    )
    # A CASE hides the condition from the planner. It assumes that one period in a hundred overlaps
    # another, so it expects few pairs and would form them all before it returns the first.
    return case((func.coalesce(meet, false()), true()), else_=false())


def _still_holds(pair: Pair) -> Condition:
    """Whether one value of a stock that changes slowly still holds when the other is stated."""
    a, b, metric = pair.figure.c.period, pair.other.c.period, pair.metric.c
    length = metric.holds_for.cast(INTERVAL)

    def follows(later: SqlValue, earlier: SqlValue) -> ColumnElement[bool]:
        # The upper end is the day after the last. No end, or no beginning, leaves no gap.
        last = func.upper(earlier) - number(1)
        return func.coalesce(func.lower(later) <= last + length, true())

    return and_(
        metric.accumulation == term(Accumulation.STOCK),
        metric.holds_for.is_not(None),
        follows(a, b),
        follows(b, a),
    )


def _is_standing(figure: FromClause) -> Condition:
    claims = table_of(Claim).alias()
    of_standing = exists().where(
        claims.c.id == figure.c.claim_id,
        claims.c.deleted_at.is_(None),
        claims.c.status.not_in([term(status) for status in _WITHDRAWN]),
    )
    return and_(figure.c.deleted_at.is_(None), of_standing.correlate_except(claims))


def _is_draft(figure: FromClause) -> Condition:
    claims = table_of(Claim).alias()
    drafts = exists().where(
        claims.c.id == figure.c.claim_id, claims.c.status == term(ClaimStatus.DRAFT)
    )
    return drafts.correlate_except(claims)


def _is_superseded(a: FromClause, b: FromClause) -> Condition:
    relations = table_of(ClaimRelation).alias()
    supersedes = exists().where(
        relations.c.from_id.in_([a.c.claim_id, b.c.claim_id]),
        relations.c.kind.in_([term(kind) for kind in REPLACING]),
    )
    chain = or_(
        func.claim_supersedes(a.c.claim_id, b.c.claim_id, type_=Boolean()),
        func.claim_supersedes(b.c.claim_id, a.c.claim_id, type_=Boolean()),
    )
    # Few claims replace others: only for them it is worth following the chain.
    return case((supersedes.correlate_except(relations), chain), else_=false())


def comparison_fields(pair: Pair) -> dict[str, Node]:
    """The document of a comparison."""
    return {
        "verdict": verdict(pair),
        "explanation": explanation(pair),
        "metric": summary(Metric, pair.figure.c.metric_id, MetricSummarySchema),
        "subject": summary(Entity, pair.figure.c.subject_id, EntitySummarySchema),
        "figure": Group(compared_figure(pair.figure)),
        "other": Group(compared_figure(pair.other)),
    }


def compared_figure(figure: FromClause) -> dict[str, Node]:
    """The document of one side of a comparison."""
    stated = period(figure.c.period_edtf, figure.c.period, figure.c.period_as_stated)
    return document(figure, ComparedFigureSchema, {"period": stated})


def figure_comparisons(figure: FromClause) -> First:
    """The most severe comparisons of a figure."""
    pair = pair_with(figure)
    different = pair.figure.c.id != pair.other.c.id
    return _most_severe(pair, others(pair), and_(related(pair), different))


def claim_comparisons(claim: FromClause) -> First:
    """The most severe comparisons of the figures of a claim; two figures of its own appear once."""
    pair = pair_with()
    a, b = pair.figure, pair.other
    once = or_(a.c.claim_id != b.c.claim_id, a.c.id < b.c.id)
    rows = together(pair, on=related(pair))
    return _most_severe(pair, rows, and_(a.c.claim_id == claim.c.id, once))


def may_have_comparisons(claim: FromClause) -> ColumnElement[bool]:
    """Whether figures of a claim are about the same thing and time as others."""
    pair = pair_with()
    a, b = pair.figure.c, pair.other.c
    found = exists().select_from(
        together(pair, on=and_(a.metric_id == b.metric_id, a.subject_id == b.subject_id))
    )
    obstacles = [obstacle for obstacle, reason in _obstacles(pair) if reason in _ABOUT_TIME]
    # The index of the figures to compare with has none that are deleted.
    return found.where(
        a.claim_id == claim.c.id,
        a.id != b.id,
        b.deleted_at.is_(None),
        ~func.coalesce(or_(*obstacles), false()),
    ).correlate(claim)


def contradictions() -> tuple[Pair, FromClause, Condition]:
    """Pairs of a figure and one of an accepted claim that contradicts it.

    These are the pair, the rows to select from, and the condition on them.
    """
    pair = pair_with()
    accepted = table_of(Claim).alias()
    rows = together(pair).join(accepted, accepted.c.id == pair.other.c.claim_id)
    contradicts = verdict(pair) == term(ComparisonVerdict.CONTRADICTS)
    return pair, rows, and_(accepted.c.status == term(ClaimStatus.ACCEPTED), contradicts)


def contested_by(claim: FromClause) -> First:
    """The first accepted claims whose figures contradict those of a claim, with a pair of each."""
    pair, rows, contradict = contradictions()
    a, b = pair.figure.c, pair.other.c
    found = (
        select(b.claim_id, a.id, b.id.label("other_id"), explanation(pair).label("explanation"))
        .ext(distinct_on(b.claim_id))
        .select_from(rows)
        .where(a.claim_id == claim.c.id, b.claim_id != claim.c.id, contradict)
        .order_by(b.claim_id, a.id, b.id)
        .correlate(claim)
        .subquery("contesting")
    )
    fields: dict[str, Node] = {
        "claim": summary(Claim, found.c.claim_id, ClaimSummarySchema),
        "figure": summary(Figure, found.c.id, FigureSummarySchema),
        "other": summary(Figure, found.c.other_id, FigureSummarySchema),
        "explanation": found.c.explanation,
    }
    return First(found, true(), fields, order_by=(found.c.claim_id,), limit=MAX_CONTESTING)


def _most_severe(found: Pair, table: FromClause, on: Condition) -> First:
    pair = decided(found, on=_has_no_obstacle(found))
    assert pair.decided is not None
    return First(
        table.join(pair.decided, true()),
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
    ),
)

CLAIM_OF_PAIR = Either((Plain(_a.c.claim_id), Plain(_b.c.claim_id)))
"""The target of a filter that one of the claims of a pair must meet."""

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
        "claim_id": Every((Related(_CANDIDATE, Plain(_candidates.c.claim_id)), CLAIM_OF_PAIR)),
        "modality": Either((Plain(_a.c.modality), Plain(_b.c.modality))),
        "period": Every((Days(_a.c.period), Days(_b.c.period))),
    },
)
