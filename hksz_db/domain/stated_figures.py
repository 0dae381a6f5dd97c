"""Read a figure as an English text states it ("over 47,000", "one in three"), and state it."""

from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from itertools import product

from hksz_db.domain import figure_words as words
from hksz_db.domain.figure_numbers import MOST_PARTS
from hksz_db.domain.figure_ranges import number_step
from hksz_db.domain.figure_reader import Reader, StatedFigure
from hksz_db.domain.figure_tokens import MAX_PLACES, UnreadableFigure, tokens
from hksz_db.domain.figure_words import MeasureHint
from hksz_db.domain.vocabulary import Comparator, Dimension

__all__ = [
    "MeasureHint",
    "StatedFigure",
    "UnreadableFigure",
    "phrase",
    "read_stated",
    "step_of",
]

_COMPARATORS = {
    Comparator.EQ: "",
    Comparator.APPROX: "about ",
    Comparator.GT: "over ",
    Comparator.GE: "at least ",
    Comparator.LT: "under ",
    Comparator.LE: "up to ",
}
_SCALES = {
    "": 1,
    " hundred": 10**2,
    " thousand": 10**3,
    " hundred thousand": 10**5,
    " million": 10**6,
    " crore": 10**7,
    " hundred million": 10**8,
    " billion": 10**9,
    " hundred billion": 10**11,
    " trillion": 10**12,
    " hundred trillion": 10**14,
    " thousand trillion": 10**15,
    " dozen": 12,
}
_LARGE_SCALES = {" million", " billion", " trillion"}


def read_stated(text: str, dimension: Dimension | None = None) -> StatedFigure:
    """The figure that a text states.

    ``dimension``, that of the metric, decides what ambiguous words such as "m" and "pounds" mean,
    and whether "9 out of 10" is a count or a share. Raises ``UnreadableFigure``.
    """
    return Reader(tokens(text), dimension).figure()


def step_of(as_stated: str, amount: Decimal) -> Decimal:
    """The step of an amount: as ``as_stated`` gives it where it has the number, else its own."""
    try:
        text = tokens(as_stated)
    except UnreadableFigure:
        return number_step(amount)
    for start in range(len(text)):
        stated = Reader(text[start:], None).first_figure()
        if stated is not None and _states(stated, amount):
            return stated.step
    return number_step(amount)


def _states(stated: StatedFigure, amount: Decimal) -> bool:
    if stated.amount is None or stated.measure_hint is not MeasureHint.RATIO:
        return stated.amount == amount
    # A third is given as 0.333.
    return round(stated.amount, -int(amount.as_tuple().exponent)) == amount


def phrase(figure: StatedFigure) -> str:
    """The canonical phrase for a figure that ``read_stated`` has read.

    ``read_stated`` reads the same figure from it, apart from notes. Raises ``ValueError`` if a
    figure made by hand has a step that no phrase has.
    """
    total = "" if figure.total is None else f" of the {figure.total:,}"
    for candidate in _candidates(figure):
        try:
            if read_stated(candidate + total) == figure:
                return candidate + total
        except UnreadableFigure:
            continue
    raise ValueError("No phrase states this amount with this step.")


def _candidates(figure: StatedFigure) -> Iterator[str]:
    is_share = figure.measure_hint is MeasureHint.RATIO
    if is_share:
        yield from words.SHARES
    for unit, times in _units(figure):
        step = Fraction(figure.step) / times
        if figure.amount is None:
            assert figure.lower_bound is not None
            assert figure.upper_bound is not None
            lower, upper = Fraction(figure.lower_bound), Fraction(figure.upper_bound)
            for first, second in product(
                _numbers(lower / times, step), _numbers(upper / times, step)
            ):
                yield f"between {_measured(first, unit)} and {_measured(second, unit)}"
            continue
        comparator = "exactly " if figure.exact else _COMPARATORS[figure.comparator]
        for number in (_shares if is_share else _numbers)(Fraction(figure.amount) / times, step):
            yield comparator + _measured(number, unit)


def _units(figure: StatedFigure) -> Iterator[tuple[str, int]]:
    """The names that the unit may have, and how many of it they stand for."""
    if figure.unit_code is None or figure.measure_hint is MeasureHint.RATIO:
        yield "", 1
    elif figure.measure_hint is MeasureHint.MULTIPLE:
        yield "times", 1
    else:
        yield words.CANONICAL_NAMES[figure.unit_code, figure.measure_hint], 1
        yield from words.LARGER_UNITS.get(figure.unit_code, ())


def _measured(number: str, unit: str) -> str:
    if unit in words.CURRENCY_PREFIXES:
        return f"{unit}{' ' if unit.isalpha() else ''}{number}"
    return f"{number} {words.singular(unit) if number == '1' else unit}".rstrip()


def _shares(share: Fraction, step: Fraction) -> Iterator[str]:
    """Such as "9 in 10", with as many parts as the step tells."""
    fewest = share.limit_denominator(MOST_PARTS).denominator
    for parts in (fewest, round(1 / step), round(1 / (5 * step))):
        yield f"{round(share * parts):,} in {parts:,}"


def _numbers(amount: Fraction, step: Fraction) -> Iterator[str]:
    """The number in digits, with and without scale words, then as a fraction."""
    scaled = [(name, amount / scale) for name, scale in _SCALES.items()]
    scaled.sort(key=lambda pair: not _is_short(*pair))
    for name, number in scaled:
        least = _places(number)
        precise = max(least, _places(step / _SCALES[name]))
        for places in sorted({least, precise}):
            yield _in_digits(number, places) + name
    for (name, number), parts in product(scaled, (20, 100, 1000)):
        whole, part = divmod(abs(number).limit_denominator(parts), 1)
        if part:
            yield f"{'-' if number < 0 else ''}{f'{whole} ' if whole else ''}{part}{name}"


def _is_short(name: str, number: Fraction) -> bool:
    """Whether it is one such as "12.3 billion"."""
    return name in _LARGE_SCALES and 1 <= abs(number) < 1000 and _places(number) <= 2


def _places(number: Fraction) -> int:
    """How many decimal places the number has, at most twenty."""
    places = range(MAX_PLACES)
    return next((n for n in places if (number * 10**n).denominator == 1), MAX_PLACES)


def _in_digits(number: Fraction, places: int) -> str:
    whole, decimals = divmod(round(abs(number) * 10**places), 10**places)
    digits = f"{whole:,}.{decimals:0{places}}" if places else f"{whole:,}"
    return f"-{digits}" if number < 0 else digits
