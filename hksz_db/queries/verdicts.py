"""The verdict on two comparable figures, and a sentence that explains it."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import TypeVar

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Text,
    and_,
    case,
    func,
    literal_column,
    not_,
    or_,
    select,
    true,
)
from sqlalchemy.dialects.postgresql import JSONB, array

from hksz_db.domain.chronology import UNCERTAIN
from hksz_db.domain.quantities import BASE_UNITS
from hksz_db.domain.vocabulary import (
    Accumulation,
    Comparator,
    ComparisonVerdict,
    Dimension,
    MetricMeasure,
    Modality,
)
from hksz_db.queries.documents import SqlValue, number, term
from hksz_db.queries.filters import Condition

# 1$ and 4$ are the figures as stated, 2$ and 5$ their ranges, 3$ and 6$ their periods, 7$ the unit,
# 8$ and 9$ how a reader would understand them.
_A, _B = '"%1$s" (%2$s%7$s; %3$s)', '"%4$s" (%5$s%7$s; %6$s)'
_READ_OTHERWISE = (
    "a reader would understand the first as %8$s%7$s and the second as %9$s%7$s,"
    " which have no number in common"
)
_EXCEEDS_LONGER = (
    "{0} exceeds {1}, of which it must be a part:"
    " its period lies within the other's, and its range lies wholly above the other's."
)
_EXCEEDS_WHOLE = (
    "{0} exceeds {1}, of which it must be a part:"
    " its breakdown is part of the other's, and its range lies wholly above the other's."
)
# Shares, ranks, rates and speeds of the parts do not add up to that of the whole.
_ADDING_UP = (MetricMeasure.LEVEL, MetricMeasure.CHANGE)
_NOT_ADDING_UP = (Dimension.RATIO, Dimension.SPEED)
_T = TypeVar("_T")
_BOUNDS = (Comparator.GT, Comparator.GE, Comparator.LT, Comparator.LE, Comparator.BETWEEN)


@dataclass(frozen=True)
class Pair:
    """Two figures, and the metric of the first.

    ``decided`` is a subquery of the rows with the place of the reason that decides, if it is known;
    the reasons are the same with it.
    """

    figure: FromClause
    other: FromClause
    metric: FromClause
    decided: FromClause | None = field(default=None, compare=False)


@dataclass(frozen=True)
class Reason:
    """A condition on two figures, and the verdict and the sentence if it holds."""

    holds: Condition
    verdict: ComparisonVerdict
    sentence: str


# Several values of a comparison follow from them, and to make them takes milliseconds.
@lru_cache(maxsize=8)
def reasons(pair: Pair) -> tuple[Reason, ...]:
    """The reasons for a verdict on two comparable figures; the first that holds decides.

    Figures without a period, with an uncertain one, or with different definitions may be about
    different things, and one figure may revise the other: they cannot contradict each other and are
    at most in tension.
    """
    return (
        *_outcomes(pair, pair.figure, pair.other),
        *_outcomes(pair, pair.other, pair.figure),
        Reason(
            exceeds_whole(pair, pair.figure, pair.other),
            ComparisonVerdict.PART_EXCEEDS_WHOLE,
            _EXCEEDS_WHOLE.format(_A, _B),
        ),
        Reason(
            exceeds_whole(pair, pair.other, pair.figure),
            ComparisonVerdict.PART_EXCEEDS_WHOLE,
            _EXCEEDS_WHOLE.format(_B, _A),
        ),
        *_undated(pair),
        *_simultaneous(pair),
        Reason(
            _exceeds_longer_period(pair, pair.figure, pair.other),
            ComparisonVerdict.PART_EXCEEDS_WHOLE,
            _EXCEEDS_LONGER.format(_A, _B),
        ),
        Reason(
            _exceeds_longer_period(pair, pair.other, pair.figure),
            ComparisonVerdict.PART_EXCEEDS_WHOLE,
            _EXCEEDS_LONGER.format(_B, _A),
        ),
        *_at_other_times(pair),
    )


def _undated(pair: Pair) -> tuple[Reason, ...]:
    a, b = pair.figure.c, pair.other.c
    undated = and_(a.period.is_(None), b.period.is_(None))
    return (
        Reason(
            and_(undated, _disjoint(pair)),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension:"
            " the ranges have no number in common, but neither states a time.",
        ),
        Reason(
            and_(undated, _understood_apart(pair)),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension: both can be true, but {_READ_OTHERWISE},"
            " and neither states a time.",
        ),
        Reason(
            undated,
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges overlap, and neither states a time.",
        ),
    )


def _simultaneous(pair: Pair) -> tuple[Reason, ...]:
    simultaneous = pair.figure.c.period == pair.other.c.period
    return (
        Reason(
            and_(simultaneous, _disjoint(pair), not_(_both_certain(pair))),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension:"
            " the ranges have no number in common, but the times may not be the same.",
        ),
        Reason(
            and_(simultaneous, _disjoint(pair), _redefined(pair)),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension:"
            " the ranges have no number in common, but the definitions differ.",
        ),
        Reason(
            and_(simultaneous, _disjoint(pair), _revised(pair)),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension:"
            " the ranges have no number in common, but one of them may be a revision.",
        ),
        Reason(
            and_(simultaneous, _disjoint(pair)),
            ComparisonVerdict.CONTRADICTS,
            f"{_A} and {_B} cannot both be true:"
            " the ranges have no number in common for the same time.",
        ),
        Reason(
            and_(simultaneous, _understood_apart(pair)),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension: both can be true, but {_READ_OTHERWISE}"
            " for the same time.",
        ),
        Reason(
            simultaneous,
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges overlap for the same time.",
        ),
    )


def _at_other_times(pair: Pair) -> tuple[Reason, ...]:
    # What a stock or a ratio is at one time says something about the other time.
    lasting = pair.metric.c.accumulation.in_([term(Accumulation.STOCK), term(Accumulation.RATIO)])
    return (
        Reason(
            and_(lasting, _understood_apart(pair)),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension: {_READ_OTHERWISE},"
            " but the value may have changed in between.",
        ),
        Reason(
            lasting,
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges overlap, and the times are close enough.",
        ),
        Reason(
            true(),
            ComparisonVerdict.COMPATIBLE,
            f"{_A} is compatible with {_B}: the periods differ, so that both can be true.",
        ),
    )


def _outcomes(pair: Pair, plan: FromClause, actual: FromClause) -> tuple[Reason, ...]:
    """The reasons for a verdict on a plan or a forecast, and on what happened in its time.

    A plan is met if the outcome lies within its range for certain, and missed if it lies outside;
    more than a plan that names no bound is neither.
    """
    stated, outcome = (_A, _B) if plan is pair.figure else (_B, _A)
    planned, forecast = (
        and_(plan.c.modality == term(modality), actual.c.modality == term(Modality.ACTUAL))
        for modality in (Modality.PLANNED, Modality.FORECAST)
    )
    comparable = and_(_both_certain(pair), not_(_redefined(pair)))
    same_time = and_(comparable, plan.c.period == actual.c.period)
    in_time = or_(same_time, and_(comparable, _settles_early(pair, plan)))
    within = _lies_within(plan, actual)
    return (
        Reason(
            and_(planned, in_time, within),
            ComparisonVerdict.MET,
            f"{stated} was met: {outcome} lies within its range.",
        ),
        Reason(
            and_(planned, same_time, _lies_outside(pair, plan, actual)),
            ComparisonVerdict.MISSED,
            f"{stated} was missed: {outcome} lies outside its range.",
        ),
        Reason(
            and_(forecast, in_time, or_(within, not_(_understood_apart(pair)))),
            ComparisonVerdict.CAME_TRUE,
            f"{stated} came true: {outcome} lies within its range.",
        ),
        Reason(
            and_(forecast, same_time, _disjoint(pair)),
            ComparisonVerdict.DID_NOT_COME_TRUE,
            f"{stated} did not come true: {outcome} lies outside its range.",
        ),
        Reason(
            or_(planned, forecast),
            ComparisonVerdict.COMPATIBLE,
            f"{stated} is compatible with {outcome}: both can be true, but it cannot be told from"
            " them whether it came about.",
        ),
    )


def _settles_early(pair: Pair, plan: FromClause) -> Condition:
    """Whether an outcome in a part of the time of a plan can settle that the plan was met.

    A flow that is never negative only grows, so that a lower bound stays reached, but the rest of
    the time can still make up for what is missing. A stock can rise above an upper bound later.
    """
    is_stock = pair.metric.c.accumulation == term(Accumulation.STOCK)
    grows = and_(pair.metric.c.accumulation == term(Accumulation.FLOW), pair.metric.c.nonnegative)
    return or_(
        and_(grows, plan.c.comparator.in_([term(Comparator.GT), term(Comparator.GE)])),
        and_(is_stock, plan.c.comparator.not_in([term(Comparator.LT), term(Comparator.LE)])),
    )


def _lies_within(plan: FromClause, actual: FromClause) -> Condition:
    return or_(
        actual.c.plausible_range.contained_by(plan.c.value_range),
        and_(
            actual.c.comparator == term(Comparator.EQ),
            plan.c.value_range.contains(actual.c.amount * actual.c.unit_factor),
        ),
    )


def _lies_outside(pair: Pair, plan: FromClause, actual: FromClause) -> Condition:
    return and_(
        _disjoint(pair),
        or_(
            plan.c.comparator.in_([term(comparator) for comparator in _BOUNDS]),
            actual.c.value_range.strictly_left_of(plan.c.value_range),
        ),
    )


def exceeds_whole(pair: Pair, part: FromClause, whole: FromClause) -> Condition:
    """Whether a figure about a part, by its breakdown, is larger than that of the whole."""
    flow, stock = (
        pair.metric.c.accumulation == term(kind) for kind in (Accumulation.FLOW, Accumulation.STOCK)
    )
    nothing: SqlValue = literal_column("'{}'::jsonb", JSONB())
    return and_(
        part.c.breakdown.is_distinct_from(whole.c.breakdown),
        part.c.breakdown.contains(func.coalesce(whole.c.breakdown, nothing)),
        or_(
            and_(flow, part.c.period.contained_by(whole.c.period)),
            and_(stock, part.c.period == whole.c.period),
        ),
        _is_above(pair, part, whole),
    )


def _exceeds_longer_period(pair: Pair, part: FromClause, whole: FromClause) -> Condition:
    return and_(
        pair.metric.c.accumulation == term(Accumulation.FLOW),
        part.c.period.contained_by(whole.c.period),
        _is_above(pair, part, whole),
    )


def _is_above(pair: Pair, part: FromClause, whole: FromClause) -> Condition:
    # A part of what is never negative cannot be more than the whole.
    return and_(
        pair.metric.c.nonnegative,
        pair.metric.c.measure.in_([term(measure) for measure in _ADDING_UP]),
        pair.metric.c.dimension.not_in([term(dimension) for dimension in _NOT_ADDING_UP]),
        part.c.modality == whole.c.modality,
        part.c.value_range.strictly_right_of(whole.c.value_range),
        _both_certain(pair),
        not_(_redefined(pair)),
        not_(_revised(pair)),
    )


def _disjoint(pair: Pair) -> Condition:
    overlap: Condition = pair.figure.c.value_range.overlaps(pair.other.c.value_range)
    return not_(overlap)


def _understood_apart(pair: Pair) -> Condition:
    overlap: Condition = pair.figure.c.plausible_range.overlaps(pair.other.c.plausible_range)
    return not_(overlap)


def _redefined(pair: Pair) -> Condition:
    a, b = func.lower(pair.figure.c.definition), func.lower(pair.other.c.definition)
    return a.is_distinct_from(b)


def _revised(pair: Pair) -> Condition:
    """Whether the figures were published as different estimates, or known at different times."""
    a, b = pair.figure.c, pair.other.c
    overlap = func.coalesce(a.known_at.overlaps(b.known_at), true())
    return or_(a.estimate.is_distinct_from(b.estimate), not_(overlap))


def _both_certain(pair: Pair) -> Condition:
    return and_(_certain(pair.figure), _certain(pair.other))


def _certain(figure: FromClause) -> Condition:
    """Whether the period is exactly its days, with nothing left open."""
    return figure.c.period_edtf.op("!~", is_comparison=True)(term(UNCERTAIN))


def verdict(pair: Pair) -> ColumnElement[str]:
    """The ``ComparisonVerdict`` on two comparable figures."""
    return _first_reason(pair, [term(reason.verdict) for reason in reasons(pair)])


def severity(pair: Pair) -> ColumnElement[int]:
    """The rank of the verdict among all verdicts, the most severe first."""
    places = list(ComparisonVerdict)
    return _first_reason(pair, [number(places.index(r.verdict)) for r in reasons(pair)])


def explanation(pair: Pair) -> ColumnElement[str]:
    """One sentence: both figures as stated, their ranges in base units, their periods, and why.

    ``"over 47,000" (at least 47001; 2023) is compatible with "47,681" (47681;
    2022-12-28/2023-11-30): the periods differ, so that both can be true.``
    """
    sides = (pair.figure, pair.other)
    said = [
        part
        for side in sides
        for part in (
            side.c.as_stated,
            _worded(side.c.value_range),
            _time_and_part(side),
        )
    ]
    understood = (_worded(side.c.plausible_range) for side in sides)
    template = _first_reason(pair, [term(reason.sentence) for reason in reasons(pair)])
    return func.format(template, *said, _base_unit(pair.figure), *understood, type_=Text())


def _time_and_part(figure: FromClause) -> ColumnElement[str]:
    """``2023``, or ``2023, residence: mainland``."""
    pairs = func.jsonb_each_text(figure.c.breakdown).table_valued("key", "value")
    category = func.concat(pairs.c.key, term(": "), pairs.c.value)
    part = select(func.string_agg(category, term(", "))).select_from(pairs).scalar_subquery()
    time = func.coalesce(figure.c.period_edtf, term("no time stated"))
    return func.concat_ws(term(", "), time, part, type_=Text())


def decided(pair: Pair, on: Condition) -> Pair:
    """The pair with the reason that decides as a lateral subquery, to be joined to the rows.

    It has no row unless ``on`` holds. PostgreSQL prepares and evaluates the conditions of reasons
    once, however many values follow from them, and only after ``on``.
    """
    places = [number(place) for place, _ in enumerate(reasons(pair), start=1)]
    # The fence keeps it from being repeated.
    rows = select(_first_reason(pair, places).label("place")).where(on).offset(number(0))
    return replace(pair, decided=rows.correlate_except(None).lateral("decided"))


def _first_reason(pair: Pair, values: Sequence[ColumnElement[_T]]) -> ColumnElement[_T]:
    """The value of the reason that decides; ``values`` are in the order of the reasons."""
    if pair.decided is not None:
        return array(values)[pair.decided.c.place]
    conditions = [reason.holds for reason in reasons(pair)[:-1]]
    return case(*zip(conditions, values, strict=False), else_=values[-1])


def _worded(values: SqlValue) -> ColumnElement[str]:
    lower, upper = func.trim_scale(func.lower(values)), func.trim_scale(func.upper(values))
    floor = case((func.lower_inc(values), term("at least ")), else_=term("more than "))
    ceiling = case((func.upper_inc(values), term("at most ")), else_=term("less than "))
    return case(
        (lower == upper, func.concat(lower)),
        (
            and_(func.lower_inc(values), func.upper_inc(values)),
            func.concat(lower, term(" to "), upper),
        ),
        (func.upper_inf(values), func.concat(floor, lower)),
        (func.lower_inf(values), func.concat(ceiling, upper)),
        else_=func.concat(floor, lower, term(" and "), ceiling, upper),
    )


def _base_unit(figure: FromClause) -> ColumnElement[str]:
    # Counts have no unit; money has its currency.
    dimension = figure.c.dimension
    named = {**BASE_UNITS, Dimension.RATIO: "of 1"}
    return case(
        (dimension == term(Dimension.COUNT), term("")),
        (dimension == term(Dimension.MONEY), func.concat(term(" "), figure.c.unit_code)),
        *(
            (dimension == term(name), term(f" {unit}"))
            for name, unit in named.items()
            if name is not Dimension.COUNT
        ),
    )
