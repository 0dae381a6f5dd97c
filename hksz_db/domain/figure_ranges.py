"""The ranges that a stated figure means, by the precision of its digits."""

from dataclasses import dataclass
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
)

from hksz_db.domain.quantities import Interval, InvalidFigure, RangeRule, Reading, read
from hksz_db.domain.vocabulary import Comparator, Dimension

# Wide enough that an amount of the API and its step are never rounded.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])


@dataclass(frozen=True, kw_only=True)
class Stated:
    """A figure as a text states it, in its own unit.

    ``step`` is the place value of the last significant digit (``number_step``). ``exact`` is set
    for "exactly 47,000".
    """

    comparator: Comparator
    amount: Decimal | None = None
    lower_bound: Decimal | None = None
    upper_bound: Decimal | None = None
    step: Decimal
    exact: bool = False


def number_step(number: Decimal, scale: int = 1) -> Decimal:
    """The place value of the last significant digit of a number times ``scale``.

    47,681 → 1; 47,700 → 100; 2.980 → 0.001; 7.5 times a million → 100,000. Trailing zeros of a
    whole number are not significant. If they leave one digit (10,000; 300; 5 million), the number
    is taken to be precise to half of its place value.
    """
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    digits = "".join(map(str, number.as_tuple().digits)).lstrip("0") or "0"
    if exponent >= 0 and digits != "0":
        exponent += len(digits) - len(digits.rstrip("0"))
        digits = digits.rstrip("0")
    step = Decimal((0, (1,), exponent)) * scale
    return step / 2 if len(digits) == 1 and step >= 10 else step


def ranges(
    stated: Stated,
    dimension: Dimension,
    *,
    factor: Decimal = Decimal(1),
    nonnegative: bool = False,
) -> Reading:
    """The ranges of a figure in base units, ``factor`` of which are in one unit of the figure.

    "7.5 million" is plausibly [7,450,000, 7,550,000) and possibly anything between 7.4 and 7.6
    million. "Over 47,000" is any larger number, and plausibly less than one step more. Ranges of
    counts are rounded inwards to whole numbers. Raises ``InvalidFigure``.
    """
    # It refuses amounts and bounds that do not fit the comparator.
    read(
        stated.comparator,
        stated.amount,
        stated.lower_bound,
        stated.upper_bound,
        nonnegative=nonnegative,
    )
    if stated.exact and stated.comparator is not Comparator.EQ:
        raise InvalidFigure("exact", "Only a figure with the comparator eq can be exact.")
    reading = _unbounded(stated)
    if stated.lower_bound is not None or stated.upper_bound is not None:
        reading = Reading(
            _bounded(reading.value, stated),
            _bounded(reading.plausible, stated),
            RangeRule.EXPLICIT_BOUNDS,
        )
    if nonnegative:
        reading = Reading(
            reading.value.at_least_zero(), reading.plausible.at_least_zero(), reading.rule
        )
    reading = reading.scaled(factor)
    return _count(reading, stated.comparator) if dimension is Dimension.COUNT else reading


def _unbounded(stated: Stated) -> Reading:
    amount, step = stated.amount, stated.step
    if amount is None:
        everything = Interval(None, None, False, False)
        return Reading(everything, everything, RangeRule.EXPLICIT_BOUNDS)
    if stated.exact:
        point = Interval(amount, amount, True, True)
        return Reading(point, point, RangeRule.EXACT)
    below, above = _EXACT.subtract(amount, step), _EXACT.add(amount, step)
    match stated.comparator:
        case Comparator.EQ:
            half = _EXACT.multiply(step, Decimal("0.5"))
            return Reading(
                Interval(below, above, False, False),
                Interval(_EXACT.subtract(amount, half), _EXACT.add(amount, half), True, False),
                RangeRule.HALF_STEP,
            )
        case Comparator.APPROX:
            value = Interval(_EXACT.subtract(below, step), _EXACT.add(above, step), True, True)
            plausible = Interval(below, above, True, True)
        case Comparator.GT | Comparator.GE:
            inclusive = stated.comparator is Comparator.GE
            value = Interval(amount, None, inclusive, False)
            plausible = Interval(amount, above, inclusive, False)
        case _:
            inclusive = stated.comparator is Comparator.LE
            value = Interval(None, amount, False, inclusive)
            plausible = Interval(below, amount, False, inclusive)
    return Reading(value, plausible, RangeRule.NEXT_STEP)


def _bounded(derived: Interval, stated: Stated) -> Interval:
    lower, upper = stated.lower_bound, stated.upper_bound
    return Interval(
        derived.lower if lower is None else lower,
        derived.upper if upper is None else upper,
        derived.lower_inclusive if lower is None else True,
        derived.upper_inclusive if upper is None else True,
    )


def _count(reading: Reading, comparator: Comparator) -> Reading:
    value, plausible = _rounded_inwards(reading.value), _rounded_inwards(reading.plausible)
    if value.is_empty():
        # An average, such as 2.5 people, is not rounded.
        return reading
    if plausible.is_empty():
        # "More than seven", plausibly (7, 8), leaves eight.
        upwards = comparator in {Comparator.GT, Comparator.GE}
        nearest = value.lower if upwards else value.upper
        plausible = Interval(nearest, nearest, True, True)
    single = value == plausible and value.lower == value.upper
    exact = single and comparator is Comparator.EQ
    return Reading(value, plausible, RangeRule.EXACT if exact else reading.rule)


def _rounded_inwards(interval: Interval) -> Interval:
    lower, upper = interval.lower, interval.upper
    if lower is not None:
        whole = lower.to_integral_value(ROUND_CEILING)
        lower = whole if interval.lower_inclusive or whole > lower else _EXACT.add(whole, 1)
    if upper is not None:
        whole = upper.to_integral_value(ROUND_FLOOR)
        upper = whole if interval.upper_inclusive or whole < upper else _EXACT.subtract(whole, 1)
    return Interval(lower, upper, lower is not None, upper is not None)
