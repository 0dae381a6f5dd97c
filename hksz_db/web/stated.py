"""Figures as they were read, in the words of the page's language."""

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.figure_words import SHARES, BoundsInWords
from hksz_db.domain.stated_figures import StatedFigure, read_stated
from hksz_db.domain.vocabulary import Comparator
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import number_in_words

_COMPARED: Mapping[Comparator, str] = {
    Comparator.EQ: "%(number)s",
    Comparator.APPROX: _("about %(number)s"),
    Comparator.GT: _("over %(number)s"),
    Comparator.GE: _("at least %(number)s"),
    Comparator.LT: _("under %(number)s"),
    Comparator.LE: _("up to %(number)s"),
}
_SHARES: Mapping[BoundsInWords, str] = {
    SHARES["most"]: _("most"),
    SHARES["a large majority"]: _("a large majority"),
    SHARES["nearly all"]: _("nearly all"),
    SHARES["a minority"]: _("a minority"),
}


def figure_in_words(figure: StatedFigure) -> str:
    """The figure; fractions and multiples in words are written in digits."""
    if figure.is_change:
        by = replace(figure.mirrored() if figure.is_fall else figure, is_change=False)
        said = gettext("fell by %(figure)s") if figure.is_fall else gettext("rose by %(figure)s")
        return said % {"figure": figure_in_words(by)}
    lower, upper = figure.lower_bound, figure.upper_bound
    if figure.comparator is Comparator.BETWEEN:
        assert lower is not None
        assert upper is not None
        numbers = {"lower": number_in_words(lower), "upper": _with_unit(upper, figure)}
        return gettext("between %(lower)s and %(upper)s", **numbers)
    assert figure.amount is not None
    if lower is not None or upper is not None:
        share = BoundsInWords(figure.comparator, figure.amount, lower, upper)
        return gettext(_SHARES[share])
    return gettext(_COMPARED[figure.comparator], number=_with_unit(figure.amount, figure))


def _with_unit(amount: Decimal, figure: StatedFigure) -> str:
    number = number_in_words(amount)
    if figure.multiple is not None and figure.unit_code == "1":
        return gettext("%(number)s times", number=number)
    unit = unit_in_words(figure.unit_code or "1")
    return f"{number} {unit}" if unit else number


def restated(words: str) -> str:
    """A figure in English words in those of the page's language; others stay as they are."""
    try:
        return figure_in_words(read_stated(words))
    except UnreadableFigure:
        return words
