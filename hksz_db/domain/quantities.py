"""Figures: the ranges that comparators such as "over" allow, and units of measure."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import ROUND_HALF_EVEN, Context, Decimal, Inexact, InvalidOperation, Overflow
from enum import StrEnum
from functools import cache, partial

import pint
from iso4217 import Currency
from lark.exceptions import LarkError
from ucumvert import PintUcumRegistry
from ucumvert.parser import InvalidUcumError

from hksz_db.domain.vocabulary import Comparator, Dimension

# Wide enough that an amount of the API times a factor is never rounded.
_EXACT = Context(prec=200, traps=[Inexact, InvalidOperation, Overflow])
# The registry defines units as binary floats, which are exact to fifteen digits.
_FLOAT_DIGITS = Context(prec=15, rounding=ROUND_HALF_EVEN)
# For products with a factor that was rounded to fifteen digits.
_PRODUCT_DIGITS = Context(prec=12, rounding=ROUND_HALF_EVEN)
_LARGEST_FACTOR = Decimal("1E30")
_MAX_CODE_LENGTH = 40
# UCUM, section 3: annotations do not change what a unit means.
_ANNOTATION = re.compile(r"\{[^{}]*\}")
# Minutes and seconds of arc and the bel, which the registry reads as times and as the byte.
_MISREAD = re.compile(r"(?<![^./(])(?:'{1,2}|[A-Za-z]{0,2}B)(?![^./()0-9+-])")
_COUNT_CODE = re.compile(r"1?|10[*^]\+?[1-9][0-9]*")
_RATIO_CODE = re.compile(r"%|\[(?:ppth|ppm|ppb|pptr)\]|10[*^]-[1-9][0-9]*|.*/.*")
# ISO 4217 codes for "no currency", for tests and for composite units of bond markets.
_NOT_CURRENCIES = {"XXX", "XTS", "XBA", "XBB", "XBC", "XBD"}
_DIMENSIONS = {
    "[length]": Dimension.LENGTH,
    "[length] ** 2": Dimension.AREA,
    "[length] ** 3": Dimension.VOLUME,
    "[mass]": Dimension.MASS,
    "[time]": Dimension.DURATION,
    "[length] / [time]": Dimension.SPEED,
    "[mass] * [length] ** 2 / [time] ** 2": Dimension.ENERGY,
    "[mass] * [length] ** 2 / [time] ** 3": Dimension.POWER,
}

BASE_UNITS = {
    Dimension.COUNT: "1",
    Dimension.RATIO: "1",
    Dimension.LENGTH: "m",
    Dimension.AREA: "m2",
    Dimension.VOLUME: "m3",
    Dimension.MASS: "kg",
    Dimension.DURATION: "s",
    Dimension.SPEED: "m/s",
    Dimension.ENERGY: "J",
    Dimension.POWER: "W",
}
"""The UCUM code of the unit of ranges; money has none, because currencies are not converted."""


class InvalidFigure(ValueError):
    """The amount or a bound does not fit the comparator; ``field`` says which one."""

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail)
        self.field = field


class InvalidUnit(ValueError):
    """A code is neither a UCUM code of a known dimension nor an ISO 4217 currency."""


RangeRule = StrEnum("RangeRule", "EXACT HALF_STEP NEXT_STEP EXPLICIT_BOUNDS")
RangeRule.__doc__ = "The rule that gives a figure its plausible range."


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
        return self._with_ends(lambda end: _tidy(end, _PRODUCT_DIGITS))

    def _with_ends(self, change: Callable[[Decimal], Decimal]) -> "Interval":
        lower, upper = (None if end is None else change(end) for end in (self.lower, self.upper))
        return replace(self, lower=lower, upper=upper)

    def is_empty(self) -> bool:
        """Whether the range contains no number."""
        if self.lower is None or self.upper is None or self.lower < self.upper:
            return False
        return not (self.lower == self.upper and self.lower_inclusive and self.upper_inclusive)

    def at_least_zero(self) -> "Interval":
        """The part of the range that is not negative."""
        if self.lower is not None and self.lower >= 0:
            return self
        return Interval(Decimal(0), self.upper, True, self.upper_inclusive)


@dataclass(frozen=True)
class Reading:
    """The range that a statement logically allows, and the one that a reader would understand.

    ``rule`` gives the second.
    """

    value: Interval
    plausible: Interval
    rule: RangeRule

    def scaled(self, factor: Decimal) -> "Reading":
        """The same in another unit, rounded to twelve digits if the factor is not exact.

        A factor of fifteen significant digits has been rounded, such as that of km/h: 36 times it
        is not ten. Ranges that would become empty by rounding are not rounded.
        """
        exact = Reading(self.value.scaled(factor), self.plausible.scaled(factor), self.rule)
        if len(factor.normalize().as_tuple().digits) < _FLOAT_DIGITS.prec:
            return exact
        rounded = Reading(exact.value.rounded(), exact.plausible.rounded(), self.rule)
        return exact if rounded.plausible.is_empty() else rounded


@dataclass(frozen=True)
class Measure:
    """The dimension of a unit, and its factor to the base unit (SI, or one)."""

    dimension: Dimension
    factor: Decimal


def stated_step(amount: Decimal) -> Decimal:
    """One step in the last stated digit: 47000 → 1000, 13 → 1, 0.50 → 0.01."""
    _, digits, exponent = amount.as_tuple()
    assert isinstance(exponent, int)
    if exponent >= 0:
        # Trailing zeros of a whole number count as rounding.
        text = "".join(map(str, digits)).rstrip("0")
        exponent += len(digits) - len(text) if text else 0
    return Decimal((0, (1,), exponent))


def read(
    comparator: Comparator,
    amount: Decimal | None,
    lower_bound: Decimal | None = None,
    upper_bound: Decimal | None = None,
    *,
    nonnegative: bool = False,
) -> Reading:
    """The ranges that a stated amount means, in its own unit.

    "Over 47,000" allows any larger number; a reader understands less than one step more in the last
    stated digit, (47000, 48000). "About 13" is [12.5, 13.5). Explicit bounds replace derived ones.
    Raises ``InvalidFigure``.
    """
    if lower_bound is not None and upper_bound is not None and lower_bound > upper_bound:
        raise InvalidFigure("upper_bound", "The upper bound is below the lower bound.")
    if comparator is Comparator.BETWEEN:
        reading = _read_between(amount, lower_bound, upper_bound)
    elif amount is None:
        raise InvalidFigure("amount", f"The comparator {comparator} needs an amount.")
    else:
        reading = _READERS[comparator](amount, lower_bound, upper_bound)
    if not nonnegative:
        return reading
    stated = {"amount": amount, "lower_bound": lower_bound, "upper_bound": upper_bound}
    negative = [name for name, number in stated.items() if number is not None and number < 0]
    if not negative and reading.value.upper == 0 and not reading.value.upper_inclusive:
        negative = ["amount"]
    if negative:
        raise InvalidFigure(negative[0], "This metric cannot be negative.")
    return Reading(reading.value.at_least_zero(), reading.plausible.at_least_zero(), reading.rule)


def _read_between(amount: Decimal | None, lower: Decimal | None, upper: Decimal | None) -> Reading:
    if amount is not None:
        raise InvalidFigure("amount", "The comparator between takes two bounds and no amount.")
    if lower is None or upper is None:
        missing = "lower_bound" if lower is None else "upper_bound"
        raise InvalidFigure(missing, "The comparator between needs both bounds.")
    interval = Interval(lower, upper, True, True)
    return Reading(interval, interval, RangeRule.EXPLICIT_BOUNDS)


def _read_eq(amount: Decimal, lower: Decimal | None, upper: Decimal | None) -> Reading:
    if lower is not None or upper is not None:
        field = "lower_bound" if lower is not None else "upper_bound"
        raise InvalidFigure(field, "The comparator eq takes an amount and no bounds.")
    interval = Interval(amount, amount, True, True)
    return Reading(interval, interval, RangeRule.EXACT)


def _read_approx(amount: Decimal, lower: Decimal | None, upper: Decimal | None) -> Reading:
    half = _EXACT.multiply(stated_step(amount), Decimal("0.5"))
    interval = Interval(
        _EXACT.subtract(amount, half) if lower is None else lower,
        _EXACT.add(amount, half) if upper is None else upper,
        True,
        upper is not None,
    )
    if not (interval.lower <= amount <= interval.upper):  # type: ignore[operator]
        field = "lower_bound" if lower is not None and lower > amount else "upper_bound"
        raise InvalidFigure(field, "The amount is outside its bounds.")
    explicit = lower is not None or upper is not None
    return Reading(
        interval, interval, RangeRule.EXPLICIT_BOUNDS if explicit else RangeRule.HALF_STEP
    )


def _read_one_sided(
    amount: Decimal, lower: Decimal | None, upper: Decimal | None, *, above: bool, inclusive: bool
) -> Reading:
    bounds = {"lower": lower, "upper": upper}
    near, far = ("lower", "upper") if above else ("upper", "lower")
    if bounds[near] is not None:
        raise InvalidFigure(f"{near}_bound", f"The amount is already the {near} bound.")

    def up_to(end: Decimal | None, *, included: bool = False) -> Interval:
        if above:
            return Interval(amount, end, inclusive, included)
        return Interval(end, amount, included, inclusive)

    end = bounds[far]
    if end is None:
        change = _EXACT.add if above else _EXACT.subtract
        plausible = up_to(change(amount, stated_step(amount)))
        return Reading(up_to(None), plausible, RangeRule.NEXT_STEP)
    interval = up_to(end, included=True)
    if interval.is_empty():
        wrong = "low" if above else "high"
        raise InvalidFigure(f"{far}_bound", f"The {far} bound is too {wrong} for the amount.")
    return Reading(interval, interval, RangeRule.EXPLICIT_BOUNDS)


_READERS: dict[Comparator, Callable[[Decimal, Decimal | None, Decimal | None], Reading]] = {
    Comparator.EQ: _read_eq,
    Comparator.APPROX: _read_approx,
    Comparator.GT: partial(_read_one_sided, above=True, inclusive=False),
    Comparator.GE: partial(_read_one_sided, above=True, inclusive=True),
    Comparator.LT: partial(_read_one_sided, above=False, inclusive=False),
    Comparator.LE: partial(_read_one_sided, above=False, inclusive=True),
}


def measure(code: str) -> Measure:
    """The dimension and factor of a unit.

    ``code`` is a UCUM code, or an ISO 4217 currency, fund or metal, which is never converted and
    has the factor 1. Raises ``InvalidUnit``.
    """
    if code in _currency_codes():
        return Measure(Dimension.MONEY, Decimal(1))
    try:
        return _measure_ucum(code)
    except (InvalidUcumError, LarkError, pint.PintError, ArithmeticError, ValueError) as error:
        if isinstance(error, InvalidUnit):
            raise
        raise InvalidUnit(f"{code!r} is neither a UCUM code nor an ISO 4217 currency.") from None


def _measure_ucum(code: str) -> Measure:
    if len(code) > _MAX_CODE_LENGTH or not re.fullmatch(r"[!-~]+", code):
        raise InvalidUnit("A unit code is at most 40 visible ASCII characters.")
    # The registry would compute all digits of 10*99999999.
    if re.search(r"[*^A-Za-z\]}][+-]?[0-9]{3}|[0-9]{10}", _ANNOTATION.sub("{}", code)):
        raise InvalidUnit(f"The unit {code!r} has a number that is too large to compute with.")
    if _MISREAD.search(_ANNOTATION.sub("", code)):
        raise InvalidUnit(f"The unit {code!r} is an angle or a level, which no metric measures.")
    quantity = _registry().from_ucum(code)
    if not isinstance(quantity, pint.Quantity):
        # The registry turns annotations alone, such as {people}, into a name or a number.
        return Measure(_dimension(code), Decimal(1))
    if not quantity._is_multiplicative:
        raise InvalidUnit(f"The unit {code!r} has an offset and therefore no factor.")
    factor = Decimal(quantity.to_base_units().magnitude)
    if not 1 / _LARGEST_FACTOR <= factor <= _LARGEST_FACTOR:
        raise InvalidUnit(f"The unit {code!r} is too large or too small to compute with.")
    return Measure(_dimension(code, quantity), _tidy(factor, _FLOAT_DIGITS))


def _dimension(code: str, quantity: "pint.Quantity[Decimal] | None" = None) -> Dimension:
    bare, dimension = _ANNOTATION.sub("", code), None
    if quantity is not None and not quantity.dimensionless:
        dimension = _DIMENSIONS.get(str(quantity.dimensionality))
    elif _COUNT_CODE.fullmatch(bare):
        dimension = Dimension.COUNT
    elif _RATIO_CODE.fullmatch(bare):
        dimension = Dimension.RATIO
    # Angles and bits are dimensionless too, but neither counts nor ratios.
    if dimension is None:
        raise InvalidUnit(f"The unit {code!r} has a dimension that no metric measures.")
    return dimension


@cache
def _currency_codes() -> frozenset[str]:
    return frozenset(str(currency.code) for currency in Currency) - _NOT_CURRENCIES


@cache
def _registry() -> PintUcumRegistry:
    # Building it takes most of a second, so it is only built when the first unit is written.
    return PintUcumRegistry(non_int_type=Decimal)


def _tidy(number: Decimal, digits: Context) -> Decimal:
    rounded = digits.plus(number)
    whole = rounded.to_integral_value()
    return whole if whole == rounded else rounded.normalize()
