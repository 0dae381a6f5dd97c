"""Write a figure in plain English words: "over 47,000", "HK$12,300,000,000".

``stated_figures`` reads what is written here as the same figure.
"""

import re
from dataclasses import replace
from decimal import Decimal

from hksz_db.domain import figure_words as words
from hksz_db.domain.figure_words import BoundsInWords
from hksz_db.domain.stated_figures import StatedFigure
from hksz_db.domain.vocabulary import Comparator

_COMPARATORS = {
    Comparator.EQ: "",
    Comparator.APPROX: "about ",
    Comparator.GT: "over ",
    Comparator.GE: "at least ",
    Comparator.LT: "under ",
    Comparator.LE: "up to ",
}


def printed(figure: StatedFigure) -> str:
    """The figure in plain English; fractions and multiples in words are written in digits."""
    if figure.is_change:
        verb, by = ("fell", figure.mirrored()) if figure.is_fall else ("rose", figure)
        return f"{verb} by {printed(replace(by, is_change=False))}"
    if figure.comparator is Comparator.BETWEEN:
        lower, upper = figure.lower_bound, figure.upper_bound
        assert lower is not None
        assert upper is not None
        return f"between {_with_unit(lower, '')} and {_with_unit(upper, _unit(figure))}"
    assert figure.amount is not None
    if figure.lower_bound is not None or figure.upper_bound is not None:
        bounds = BoundsInWords(
            figure.comparator, figure.amount, figure.lower_bound, figure.upper_bound
        )
        return next(name for name, share in words.SHARES.items() if share == bounds)
    return f"{_COMPARATORS[figure.comparator]}{_with_unit(figure.amount, _unit(figure))}"


def quantity(amount: Decimal, unit_code: str | None) -> str:
    """An amount with its unit."""
    return _with_unit(amount, unit_code or "")


def _unit(figure: StatedFigure) -> str:
    if figure.multiple is not None and figure.unit_code == "1":
        return "times"
    return figure.unit_code or ""


def _with_unit(amount: Decimal, unit: str) -> str:
    number = f"{abs(amount):,f}"
    if re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", number):
        # The point could be taken for a separator of thousands.
        number += "0"
    sign = "-" if amount < 0 else ""
    currency = words.CURRENCY_SIGNS.get(unit)
    if currency is not None:
        return f"{sign}{currency}{' ' if currency[-1].isalpha() else ''}{number}"
    name = words.UNIT_NAMES.get(unit, "" if unit == "1" else unit)
    return f"{sign}{number} {name}".rstrip()
