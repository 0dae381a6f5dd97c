"""The ranges of numbers that a stated figure allows.

The value range is what the words logically allow, the plausible range what a reader would
understand. Both follow from the comparator and from the precision of the words, whose unit is the
*step*: the place value of the last significant digit.

===============  ==============================  ==============================
comparator       plausible range                 value range
===============  ==============================  ==============================
eq               [a - step/2, a + step/2)        (a - step, a + step)
eq, exact        {a}                             {a}
approx           [a - step, a + step]            [a - 2 step, a + 2 step]
gt, ge           a to a + step                   a and more
lt, le           a - step to a                   up to a
20多, 3萬多      (a, a + rest)                   (a, a + step)
===============  ==============================  ==============================

The rest of 20多 is the whole step of the number before it, and that of 20萬多 less than 1萬.
A number in words that is a fraction or a multiple ("one in three", "doubled") is given a tenth of
itself on either side, and two tenths at most. Counts are whole numbers, so that their ranges are
rounded inwards; a count of more than 12 is plausibly 13. What rose has not fallen, so that the
value range of "rose less than 5 %" begins at 0.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import (
    ROUND_CEILING,
    ROUND_FLOOR,
    ROUND_HALF_EVEN,
    Context,
    Decimal,
    Inexact,
    InvalidOperation,
    Overflow,
)
from enum import StrEnum
from functools import lru_cache

from hksz_db.domain.chinese_numbers import RANK, REST, WIDE_REST
from hksz_db.domain.figure_tokens import UnreadableFigure, tokens
from hksz_db.domain.figure_words import SCALES
from hksz_db.domain.stated_figures import MEASURES_OF_CHANGE, StatedFigure, read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure

# Wide enough that an amount of the API times a factor is never rounded.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
# The registry of units has factors of fifteen digits, products with which are exact to twelve.
_FACTOR_DIGITS = 15
_PRODUCT_DIGITS = Context(prec=12, rounding=ROUND_HALF_EVEN)
_ZERO, _ONE, _HALF, _TENTH = Decimal(0), Decimal(1), Decimal("0.5"), Decimal("0.1")

RangeRule = StrEnum("RangeRule", "EXACT HALF_STEP WHOLE_STEP NEXT_STEP FRACTION EXPLICIT_BOUNDS")
RangeRule.__doc__ = """The rule that gives a figure its plausible range.

``half_step`` and ``whole_step``: that much on either side. ``next_step``: one step beyond the
amount. ``fraction``: a tenth of a fraction or a multiple in words on either side.
"""


class InvalidFigure(ValueError):
    """The amount or a bound does not fit the comparator; ``field`` says which one."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


@dataclass(frozen=True)
class Interval:
    """A range of numbers; ``None`` means an open end, which is never included."""

    lower: Decimal | None
    upper: Decimal | None
    lower_inclusive: bool
    upper_inclusive: bool

    def scaled(self, factor: Decimal) -> "Interval":
        """The same range in another unit, not rounded."""
        return self._with_ends(lambda end: _EXACT.multiply(end, factor))

    def rounded(self) -> "Interval":
        """The same range with ends rounded to twelve significant digits."""
        return self._with_ends(lambda end: _tidy(_PRODUCT_DIGITS.plus(end)))

    def _with_ends(self, change: Callable[[Decimal], Decimal]) -> "Interval":
        lower, upper = (None if end is None else change(end) for end in (self.lower, self.upper))
        return Interval(lower, upper, self.lower_inclusive, self.upper_inclusive)

    def is_empty(self) -> bool:
        """Whether the range contains no number."""
        if self.lower is None or self.upper is None or self.lower < self.upper:
            return False
        return not (self.lower == self.upper and self.lower_inclusive and self.upper_inclusive)

    def at_least_zero(self) -> "Interval":
        """The part of the range that is not negative."""
        if self.lower is not None and self.lower >= 0:
            return self
        return Interval(_ZERO, self.upper, True, self.upper_inclusive)

    def on_one_side(self) -> "Interval":
        """The part of an open range that is on the same side of zero as its end."""
        if self.lower is None and self.upper is not None and self.upper > 0:
            return replace(self, lower=_ZERO, lower_inclusive=True)
        if self.upper is None and self.lower is not None and self.lower < 0:
            return replace(self, upper=_ZERO, upper_inclusive=True)
        return self

    def whole(self) -> "Interval":
        """From the first to the last whole number of the range, which is empty if it has none."""
        lower = _next_whole(self.lower, ROUND_CEILING, None if self.lower_inclusive else _ONE)
        upper = _next_whole(self.upper, ROUND_FLOOR, None if self.upper_inclusive else -_ONE)
        return Interval(lower, upper, lower is not None, upper is not None)


def _next_whole(end: Decimal | None, rounding: str, beyond: Decimal | None) -> Decimal | None:
    if end is None:
        return None
    whole = end.to_integral_value(rounding, _EXACT)
    return _EXACT.add(whole, beyond) if beyond is not None and whole == end else whole


@dataclass(frozen=True)
class Reading:
    """The range that a statement logically allows, and the one that a reader would understand.

    ``rule`` gives the second.
    """

    value: Interval
    plausible: Interval
    rule: RangeRule

    def each(self, change: Callable[[Interval], Interval]) -> "Reading":
        """The reading with both ranges changed."""
        return Reading(change(self.value), change(self.plausible), self.rule)

    def scaled(self, factor: Decimal) -> "Reading":
        """The same in another unit, rounded to twelve digits if the factor is not exact.

        A factor of fifteen significant digits has been rounded, such as that of km/h: 36 times it
        is not ten. Ranges with ends that rounding would make equal are not rounded.
        """
        if factor.compare_total(_ONE) == 0:
            return self
        exact = self.each(lambda interval: interval.scaled(factor))
        if len(factor.normalize().as_tuple().digits) < _FACTOR_DIGITS:
            return exact
        rounded = exact.each(Interval.rounded)
        return rounded if len(rounded.ends) == len(exact.ends) else exact

    @property
    def ends(self) -> set[Decimal | None]:
        """The distinct ends of both ranges."""
        a, b = self.value, self.plausible
        return {a.lower, b.lower, a.upper, b.upper}

    def whole(self) -> "Reading":
        """The whole numbers of both ranges, unless a reader would understand none of them.

        After "more than 12" a reader understands 13, although it is a whole step beyond.
        """
        plausible = self.plausible.whole()
        if self.rule is RangeRule.NEXT_STEP and plausible.is_empty():
            plausible = self._with_the_far_end().whole()
        return self if plausible.is_empty() else Reading(self.value.whole(), plausible, self.rule)

    def _with_the_far_end(self) -> Interval:
        """The plausible range with the end that is one step beyond the amount."""
        if self.value.upper is None:
            return replace(self.plausible, upper_inclusive=True)
        return replace(self.plausible, lower_inclusive=True)


@dataclass(frozen=True)
class Statement:
    """What a figure states, in its own unit; ``as_stated`` are its words.

    ``measure`` is that of the metric, which says what "doubled" means.
    """

    comparator: Comparator
    amount: Decimal | None = None
    lower_bound: Decimal | None = None
    upper_bound: Decimal | None = None
    as_stated: str = ""
    exact: bool = False
    measure: MetricMeasure | None = None


def read(
    statement: Statement,
    dimension: Dimension | None = None,
    factor: Decimal = _ONE,
    *,
    nonnegative: bool = False,
) -> Reading:
    """The ranges of a statement in base units, of which its unit has ``factor``.

    "Over 47,000" allows any larger number; a reader understands less than one step more. Explicit
    bounds replace derived ones. Raises ``InvalidFigure``.
    """
    lower, upper = statement.lower_bound, statement.upper_bound
    if lower is not None and upper is not None and lower > upper:
        raise InvalidFigure("upper_bound", "The upper bound is below the lower bound.")
    reading = _READERS[statement.comparator](statement, dimension)
    if reading.rule is RangeRule.NEXT_STEP and _states_change(statement, dimension):
        reading = reading.each(Interval.on_one_side)
    if nonnegative:
        _refuse_negative(statement, reading)
        reading = reading.each(Interval.at_least_zero)
    reading = reading.scaled(factor)
    return reading.whole() if dimension is Dimension.COUNT else reading


def _refuse_negative(statement: Statement, reading: Reading) -> None:
    for field in ("amount", "lower_bound", "upper_bound"):
        number = getattr(statement, field)
        if number is not None and number < 0:
            raise InvalidFigure(field, "This metric cannot be negative.")
    if reading.value.upper == 0 and not reading.value.upper_inclusive:
        raise InvalidFigure("amount", "This metric cannot be negative.")


def _states_change(statement: Statement, dimension: Dimension | None) -> bool:
    """Whether the words say by how much something rose or fell."""
    if statement.measure not in MEASURES_OF_CHANGE or not statement.as_stated:
        return False
    try:
        return read_stated(statement.as_stated, dimension, statement.measure).is_change
    except UnreadableFigure:
        return False


def stated_step(
    amount: Decimal, as_stated: str = "", dimension: Dimension | None = None
) -> Decimal:
    """The place value of the last significant digit of an amount, as the words state it.

    Trailing zeros of a whole number are not significant (47,000 has the step 1,000), except those
    of 100 per cent; zeros after the point are. A number that is one digit and zeros (10,000, or 2
    million) has half of that step, unless the words leave its rest open (多).
    """
    number, is_scaled, shift = amount, False, 0
    for found, scaled in _numbers_in(as_stated):
        if _significand(found) == _significand(amount):
            number, is_scaled = found, scaled
            shift = amount.adjusted() - found.adjusted() if amount else 0
            break
    _, digits, exponent = number.as_tuple()
    assert isinstance(exponent, int)
    zeros = 0
    is_all = dimension is Dimension.RATIO and number == 100
    if exponent >= 0 and number and not is_all:
        text = "".join(map(str, digits))
        zeros = exponent + len(text) - len(text.rstrip("0"))
    place = Decimal((0, (1,), min(exponent, 0) + zeros + shift))
    leaves_rest = _has_token(as_stated, REST, WIDE_REST)
    one_digit = len(_significand(number)) == 1 and exponent >= 0 and not leaves_rest
    return _EXACT.multiply(place, _HALF) if one_digit and (zeros or is_scaled) else place


@lru_cache(maxsize=256)
def _numbers_in(text: str) -> tuple[tuple[Decimal, bool], ...]:
    """The numbers in digits, and whether a word such as "million" follows each."""
    try:
        found = tokens(text) if text else []
    except UnreadableFigure:
        return ()
    following = [token.text for token in found[1:]]
    return tuple(
        (token.digits, following[place : place + 1] != [] and following[place] in SCALES)
        for place, token in enumerate(found)
        if token.kind == "number"
    )


def _has_token(text: str, *any_of: str) -> bool:
    try:
        return bool(text) and any(token.text in any_of for token in tokens(text))
    except UnreadableFigure:
        return False


def _rest(statement: Statement, dimension: Dimension | None) -> tuple[Decimal, Decimal] | None:
    """What a reader understands to be less than the rest of 20多, and what the words allow at most.

    ``None`` if the words leave no rest open, or state another amount.
    """
    amount, text = _amount(statement), statement.as_stated
    if not _has_token(text, REST, WIDE_REST):
        return None
    try:
        stated = read_stated(text, dimension, statement.measure)
    except UnreadableFigure:
        return None
    if not stated.rest or not stated.amount or not amount:
        return None
    if _significand(stated.amount) != _significand(amount):
        return None
    rest = stated.rest.scaleb(amount.adjusted() - stated.amount.adjusted())
    return rest, max(rest, stated_step(amount, text, dimension))


def _significand(number: Decimal) -> str:
    return "".join(map(str, number.as_tuple().digits)).strip("0")


def _read_between(statement: Statement, _: Dimension | None) -> Reading:
    lower, upper = statement.lower_bound, statement.upper_bound
    if statement.amount is not None:
        raise InvalidFigure("amount", "The comparator between takes two bounds and no amount.")
    if lower is None or upper is None:
        missing = "lower_bound" if lower is None else "upper_bound"
        raise InvalidFigure(missing, "The comparator between needs both bounds.")
    interval = Interval(lower, upper, True, True)
    return Reading(interval, interval, RangeRule.EXPLICIT_BOUNDS)


def _amount(statement: Statement) -> Decimal:
    if statement.amount is None:
        raise InvalidFigure("amount", f"The comparator {statement.comparator} needs an amount.")
    return statement.amount


def _read_eq(statement: Statement, dimension: Dimension | None) -> Reading:
    amount = _amount(statement)
    if statement.lower_bound is not None or statement.upper_bound is not None:
        field = "lower_bound" if statement.lower_bound is not None else "upper_bound"
        raise InvalidFigure(field, "The comparator eq takes an amount and no bounds.")
    if statement.exact or _is_rank(statement):
        interval = Interval(amount, amount, True, True)
        return Reading(interval, interval, RangeRule.EXACT)
    in_words = _in_words(statement, dimension)
    if in_words is not None:
        return _around(amount, _tenth(amount, in_words), RangeRule.FRACTION)
    step = stated_step(amount, statement.as_stated, dimension)
    half = _EXACT.multiply(step, _HALF)
    return Reading(
        Interval(_EXACT.subtract(amount, step), _EXACT.add(amount, step), False, False),
        Interval(_EXACT.subtract(amount, half), _EXACT.add(amount, half), True, False),
        RangeRule.HALF_STEP,
    )


def _is_rank(statement: Statement) -> bool:
    """Whether the words state a place of a ranking (第20位), which nobody rounds."""
    return statement.measure is MetricMeasure.RANK and _has_token(statement.as_stated, RANK)


def _around(amount: Decimal, step: Decimal, rule: RangeRule) -> Reading:
    def wide(number: int) -> Interval:
        distance = _EXACT.multiply(step, number)
        return Interval(_EXACT.subtract(amount, distance), _EXACT.add(amount, distance), True, True)

    return Reading(wide(2), wide(1), rule)


def _in_words(statement: Statement, dimension: Dimension | None) -> StatedFigure | None:
    """What the words state, if that is a fraction or a multiple and the amount is the same."""
    amount, text = _amount(statement), statement.as_stated
    if not text or any(_significand(n) == _significand(amount) for n, _ in _numbers_in(text)):
        return None
    try:
        stated = read_stated(text, dimension, statement.measure)
    except UnreadableFigure:
        return None
    if stated.amount is None or not (stated.is_fraction or stated.multiple):
        return None
    # The unit may be 1 for a share that was read in per cent.
    same = f"{amount:.2E}".split("E")[0] == f"{stated.amount:.2E}".split("E")[0]
    return stated if same else None


def _tenth(amount: Decimal, stated: StatedFigure) -> Decimal:
    """A tenth of a fraction or multiple in words, in the unit of the amount."""
    multiple, one = _multiple(amount, stated)
    return _EXACT.multiply(_EXACT.multiply(multiple, one), _TENTH)


def _multiple(amount: Decimal, stated: StatedFigure) -> tuple[Decimal, Decimal]:
    """The multiple in words, and what one of it is in the unit of the amount.

    That of "doubled" is 2 and, for a rate of growth in per cent, 100. A fraction is its own.
    """
    if stated.multiple is None or stated.multiple == 1:
        return abs(amount), _ONE
    multiple = _PRODUCT_DIGITS.divide(
        Decimal(stated.multiple.numerator), Decimal(stated.multiple.denominator)
    )
    ones = multiple if stated.unit_code == "1" else abs(multiple - 1)
    return multiple, _PRODUCT_DIGITS.divide(abs(amount), ones)


def _step_beyond(statement: Statement, dimension: Dimension | None) -> Decimal:
    """How far beyond a bound a reader expects the value."""
    amount = _amount(statement)
    in_words = _in_words(statement, dimension)
    if in_words is None:
        return stated_step(amount, statement.as_stated, dimension)
    if in_words.multiple is None:
        return _tenth(amount, in_words)
    multiple, one = _multiple(amount, in_words)
    return _EXACT.multiply(stated_step(multiple), one)


def _read_approx(statement: Statement, dimension: Dimension | None) -> Reading:
    amount, lower, upper = _amount(statement), statement.lower_bound, statement.upper_bound
    if lower is not None and lower > amount:
        raise InvalidFigure("lower_bound", "The amount is outside its bounds.")
    if upper is not None and upper < amount:
        raise InvalidFigure("upper_bound", "The amount is outside its bounds.")
    in_words = _in_words(statement, dimension)
    if in_words is not None:
        reading = _around(amount, _tenth(amount, in_words), RangeRule.FRACTION)
    else:
        step = stated_step(amount, statement.as_stated, dimension)
        reading = _around(amount, step, RangeRule.WHOLE_STEP)
    if lower is None and upper is None:
        return reading
    bounded = reading.each(
        lambda derived: Interval(
            derived.lower if lower is None else lower,
            derived.upper if upper is None else upper,
            True,
            True,
        )
    )
    return replace(bounded, rule=RangeRule.EXPLICIT_BOUNDS)


def _read_above(statement: Statement, dimension: Dimension | None) -> Reading:
    amount, upper = _amount(statement), statement.upper_bound
    inclusive = statement.comparator is Comparator.GE
    if statement.lower_bound is not None:
        raise InvalidFigure("lower_bound", "The amount is already the lower bound.")
    rest = _rest(statement, dimension) if upper is None else None
    if rest is not None:
        likely, possible = (_EXACT.add(amount, step) for step in rest)
        return Reading(
            Interval(amount, possible, inclusive, False),
            Interval(amount, likely, inclusive, False),
            RangeRule.NEXT_STEP,
        )
    if upper is None:
        step = _step_beyond(statement, dimension)
        return Reading(
            Interval(amount, None, inclusive, False),
            Interval(amount, _EXACT.add(amount, step), inclusive, False),
            RangeRule.NEXT_STEP,
        )
    if upper < amount or (upper == amount and not inclusive):
        raise InvalidFigure("upper_bound", "The upper bound is too low for the amount.")
    interval = Interval(amount, upper, inclusive, True)
    return Reading(interval, interval, RangeRule.EXPLICIT_BOUNDS)


def _read_below(statement: Statement, dimension: Dimension | None) -> Reading:
    amount, lower = _amount(statement), statement.lower_bound
    inclusive = statement.comparator is Comparator.LE
    if statement.upper_bound is not None:
        raise InvalidFigure("upper_bound", "The amount is already the upper bound.")
    rest = _rest(statement, dimension) if lower is None else None
    if rest is not None:
        likely, possible = (_EXACT.subtract(amount, step) for step in rest)
        return Reading(
            Interval(possible, amount, False, inclusive),
            Interval(likely, amount, False, inclusive),
            RangeRule.NEXT_STEP,
        )
    if lower is None:
        step = _step_beyond(statement, dimension)
        return Reading(
            Interval(None, amount, False, inclusive),
            Interval(_EXACT.subtract(amount, step), amount, False, inclusive),
            RangeRule.NEXT_STEP,
        )
    if lower > amount or (lower == amount and not inclusive):
        raise InvalidFigure("lower_bound", "The lower bound is too high for the amount.")
    interval = Interval(lower, amount, True, inclusive)
    return Reading(interval, interval, RangeRule.EXPLICIT_BOUNDS)


_READERS: dict[Comparator, Callable[[Statement, Dimension | None], Reading]] = {
    Comparator.EQ: _read_eq,
    Comparator.APPROX: _read_approx,
    Comparator.GT: _read_above,
    Comparator.GE: _read_above,
    Comparator.LT: _read_below,
    Comparator.LE: _read_below,
    Comparator.BETWEEN: _read_between,
}


def _tidy(number: Decimal) -> Decimal:
    whole = number.to_integral_value()
    return whole if whole == number else number.normalize()
