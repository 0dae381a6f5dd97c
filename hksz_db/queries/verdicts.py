"""The verdict on two comparable figures, and a sentence that explains it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Text, and_, case, func, not_, true

from hksz_db.domain.quantities import BASE_UNITS
from hksz_db.domain.vocabulary import Accumulation, ComparisonVerdict, Dimension
from hksz_db.queries.documents import number, term
from hksz_db.queries.filters import Condition

# 1$ and 4$ are the figures as stated, 2$ and 5$ their ranges, 3$ and 6$ their periods, 7$ the unit,
# 8$ and 9$ how a reader would understand them.
_A, _B = '"%1$s" (%2$s%7$s; %3$s)', '"%4$s" (%5$s%7$s; %6$s)'
_READ_OTHERWISE = (
    "a reader would understand the first as %8$s%7$s and the second as %9$s%7$s,"
    " which have no number in common"
)
_EXCEEDS = (
    "{0} exceeds {1}, of which it must be a part:"
    " its period lies within the other's, and its range lies wholly above the other's."
)


@dataclass(frozen=True)
class Pair:
    """Two figures, and the metric of the first."""

    figure: FromClause
    other: FromClause
    metric: FromClause


@dataclass(frozen=True)
class Reason:
    """A condition on two figures, and the verdict and the sentence if it holds."""

    holds: Condition
    verdict: ComparisonVerdict
    sentence: str


def reasons(pair: Pair) -> tuple[Reason, ...]:
    """The reasons for a verdict on two comparable figures; the first that holds decides.

    Figures without a period, or with an uncertain one, may be about different times: they cannot
    contradict each other and are at most in tension.
    """
    a, b = pair.figure.c, pair.other.c
    undated = a.period.is_(None)
    simultaneous = a.period.is_not_distinct_from(b.period)
    disjoint = not_(a.value_range.overlaps(b.value_range))
    at_odds = and_(simultaneous, not_(a.plausible_range.overlaps(b.plausible_range)))
    vague = not_(and_(_certain(pair.figure), _certain(pair.other)))
    return (
        Reason(
            and_(undated, disjoint),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension:"
            " the ranges have no number in common, but neither states a time.",
        ),
        Reason(
            and_(simultaneous, disjoint, vague),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension:"
            " the ranges have no number in common, but the times may not be the same.",
        ),
        Reason(
            and_(simultaneous, disjoint),
            ComparisonVerdict.CONTRADICTS,
            f"{_A} and {_B} cannot both be true:"
            " the ranges have no number in common for the same time.",
        ),
        Reason(
            and_(undated, at_odds),
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension: both can be true, but {_READ_OTHERWISE},"
            " and neither states a time.",
        ),
        Reason(
            at_odds,
            ComparisonVerdict.TENSION,
            f"{_A} and {_B} are in tension: both can be true, but {_READ_OTHERWISE}"
            " for the same time.",
        ),
        Reason(
            _exceeds(pair, pair.figure, pair.other),
            ComparisonVerdict.PART_EXCEEDS_WHOLE,
            _EXCEEDS.format(_A, _B),
        ),
        Reason(
            _exceeds(pair, pair.other, pair.figure),
            ComparisonVerdict.PART_EXCEEDS_WHOLE,
            _EXCEEDS.format(_B, _A),
        ),
        Reason(
            disjoint,
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges have no number in common, but the periods differ,"
            " so that both can be true.",
        ),
        Reason(
            undated,
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges overlap, and neither states a time.",
        ),
        Reason(
            simultaneous,
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges overlap for the same time.",
        ),
        Reason(
            true(),
            ComparisonVerdict.AGREES,
            f"{_A} agrees with {_B}: the ranges overlap, and the periods differ.",
        ),
    )


def _exceeds(pair: Pair, part: FromClause, whole: FromClause) -> Condition:
    # A part of a flow that is never negative cannot be more than the whole.
    return and_(
        pair.metric.c.accumulation == term(Accumulation.FLOW),
        pair.metric.c.nonnegative,
        part.c.period.contained_by(whole.c.period),
        part.c.value_range.strictly_right_of(whole.c.value_range),
        _certain(part),
        _certain(whole),
    )


def _certain(figure: FromClause) -> Condition:
    """Whether the period is exactly its days, with nothing left open.

    Qualifiers, unspecified digits, sets, significant digits and intervals with an unknown end make
    an EDTF expression uncertain.
    """
    return figure.c.period_edtf.op("!~", is_comparison=True)(term(r"[?~%X{\[S]|^/|/$"))


def verdict(pair: Pair) -> ColumnElement[str]:
    """The ``ComparisonVerdict`` on two comparable figures."""
    return _first_reason(pair, lambda reason: term(reason.verdict))


def severity(pair: Pair) -> ColumnElement[int]:
    """The rank of the verdict among all verdicts, the most severe first."""
    places = list(ComparisonVerdict)
    return _first_reason(pair, lambda reason: number(places.index(reason.verdict)))


def explanation(pair: Pair) -> ColumnElement[str]:
    """One sentence: both figures as stated, their ranges in base units, their periods, and why.

    ``"over 47,000" (more than 47000; 2023) agrees with "47,681" (47681; 2022-12-28/2023-11-30):
    the ranges overlap, and the periods differ.``
    """
    sides = [pair.figure.c, pair.other.c]
    said = [
        part
        for side in sides
        for part in (
            side.as_stated,
            _worded(side.value_range),
            func.coalesce(side.period_edtf, term("no time stated")),
        )
    ]
    understood = (_worded(side.plausible_range) for side in sides)
    template = _first_reason(pair, lambda reason: term(reason.sentence))
    return func.format(template, *said, _base_unit(pair.figure), *understood, type_=Text())


def _first_reason(pair: Pair, value: Callable[[Reason], ColumnElement[Any]]) -> ColumnElement[Any]:
    *others, last = reasons(pair)
    return case(*((reason.holds, value(reason)) for reason in others), else_=value(last))


def _worded(values: ColumnElement[Any]) -> ColumnElement[str]:
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
