"""Units of measure: their dimensions, and their factors to base units."""

import re
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from functools import cache
from unicodedata import normalize

from hksz_db.domain.chinese_figures import currency_in_english
from hksz_db.domain.figure_words import CURRENCIES, UNITS
from hksz_db.domain.vocabulary import Dimension

# The registry defines units as binary floats, which are exact to fifteen digits.
_FLOAT_DIGITS = Context(prec=15, rounding=ROUND_HALF_EVEN)
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


class InvalidUnit(ValueError):
    """A code is neither a UCUM code of a known dimension nor an ISO 4217 currency."""


@dataclass(frozen=True)
class Measure:
    """The dimension of a unit, and its factor to the base unit (SI, or one)."""

    dimension: Dimension
    factor: Decimal


def measure(code: str) -> Measure:
    """The dimension and factor of a unit.

    ``code`` is a UCUM code, or an ISO 4217 currency, fund or metal, which is never converted and
    has the factor 1. Raises ``InvalidUnit``, which names the code of a currency or unit with
    another name.
    """
    if code in _currency_codes():
        return Measure(Dimension.MONEY, Decimal(1))
    try:
        return _measure_ucum(code)
    except (ArithmeticError, ValueError) as error:
        advice = code_advice(code)
        if advice:
            raise InvalidUnit(advice) from None
        if isinstance(error, InvalidUnit):
            raise
        raise InvalidUnit(f"{code!r} is neither a UCUM code nor an ISO 4217 currency.") from None


def code_advice(name: str) -> str:
    """What the code of a currency or unit with this name or sign is; empty if it names none."""
    currency = _currency_named(name)
    if currency and name != currency:
        return f"The code of the currency {name!r} is {currency}."
    unit = UNITS.get(normalize("NFKC", name).casefold())
    if unit and unit.code and unit.times == 1 and name != unit.code:
        return f"The code of the unit {name!r} is {unit.code}."
    parts = re.split(r"[./]", name)
    combined = filter(None, map(_currency_named, parts)) if len(parts) > 1 else iter(())
    currency = next(combined, None)
    return f"The currency {currency} cannot be combined with other units." if currency else ""


def _currency_named(name: str) -> str | None:
    if name in _currency_codes():
        return name
    return _currencies_by_name().get(currency_in_english(name).casefold())


def _measure_ucum(code: str) -> Measure:
    if len(code) > _MAX_CODE_LENGTH or not re.fullmatch(r"[!-~]+", code):
        raise InvalidUnit("A unit code is at most 40 visible ASCII characters.")
    # The registry would compute all digits of 10*99999999.
    if re.search(r"[*^A-Za-z\]}][+-]?[0-9]{3}|[0-9]{10}", _ANNOTATION.sub("{}", code)):
        raise InvalidUnit(f"The unit {code!r} has a number that is too large to compute with.")
    if _MISREAD.search(_ANNOTATION.sub("", code)):
        raise InvalidUnit(f"The unit {code!r} is an angle or a level, which no metric measures.")
    # Only what writes or shows units needs it.
    from hksz_db.domain import ucum  # noqa: PLC0415

    unit = ucum.in_base_units(code)
    if unit is None:
        return Measure(_dimension(code), Decimal(1))
    if unit.factor is None:
        raise InvalidUnit(f"The unit {code!r} has an offset and therefore no factor.")
    if not 1 / _LARGEST_FACTOR <= unit.factor <= _LARGEST_FACTOR:
        raise InvalidUnit(f"The unit {code!r} is too large or too small to compute with.")
    return Measure(_dimension(code, unit.dimensionality), _tidy(unit.factor))


def _dimension(code: str, dimensionality: str = "") -> Dimension:
    bare, dimension = _ANNOTATION.sub("", code), None
    if dimensionality:
        dimension = _DIMENSIONS.get(dimensionality)
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
    # It reads a large file of XML.
    from iso4217 import Currency  # noqa: PLC0415

    return frozenset(str(currency.code) for currency in Currency) - _NOT_CURRENCIES


@cache
def _currencies_by_name() -> dict[str, str | None]:
    return {name.casefold(): unit.code for name, unit in CURRENCIES.items()}


def _tidy(factor: Decimal) -> Decimal:
    rounded = _FLOAT_DIGITS.plus(factor)
    whole = rounded.to_integral_value()
    return whole if whole == rounded else rounded.normalize()
