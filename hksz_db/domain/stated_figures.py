"""Read a figure as an English text states it: "over 47,000", "HK$12.3 billion".

``chinese_figures`` has rewritten what a Chinese text states.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import takewhile

from hksz_db.domain import figure_words as words
from hksz_db.domain.chinese_numbers import RANK
from hksz_db.domain.figure_numbers import (
    TRAILING,
    UNITS,
    Number,
    plain,
    read_fraction_after,
    read_number,
    read_scales,
    share,
    with_rest,
)
from hksz_db.domain.figure_tokens import (
    MAX_DIGITS,
    MAX_PLACES,
    Cursor,
    Phrases,
    Token,
    UnreadableFigure,
    tokens,
)
from hksz_db.domain.figure_words import BoundsInWords, Unit
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure

MEASURES_OF_CHANGE = (MetricMeasure.CHANGE, MetricMeasure.GROWTH_RATE)
"""The measures of metrics of which "rose by 5 %" states an amount."""

_LEADING = Phrases(words.LEADING)
_SHARES = Phrases(words.SHARES)
_CHANGES = Phrases(words.CHANGES)
_PREFIXES = Phrases(words.CURRENCY_PREFIXES)
_MONEY = Phrases(words.MONEY_NAMES)
_MINUS = ("-", "minus", "negative")
_PLACES_OF_FRACTION = 4
_ZERO = plain(Decimal(0))
_MEASURES_OF_MULTIPLES = (MetricMeasure.RATIO_TO_BASE, MetricMeasure.GROWTH_RATE)
_MULTIPLES = words.MULTIPLES.keys() | words.COMPARED_MULTIPLES.keys()
_NO_MULTIPLE = (
    "The text states a multiple, which is an amount only for a metric of the dimension ratio with"
    " the measure ratio_to_base or growth_rate."
)
_OPPOSITE = {
    Comparator.GT: Comparator.LT,
    Comparator.GE: Comparator.LE,
    Comparator.LT: Comparator.GT,
    Comparator.LE: Comparator.GE,
}


@dataclass(frozen=True, kw_only=True)
class StatedFigure:
    """What a text states, in the unit ``unit_code`` (UCUM or ISO 4217), shares in per cent.

    ``is_fraction``: the number is, or ends with, a fraction ("one in three"), and its amount may be
    rounded to four places. ``is_change``: the text says by how much something rose or, with numbers
    below zero, fell. ``multiple`` is that of "doubled" and "twice as many". ``unit_code`` is
    ``None`` if the text names no unit, or an ambiguous one; then ``note`` says why it is ambiguous,
    and ``may_be`` which codes it may have, if they are few. With ``rest``, the amount is the known
    part of a number, whose rest a reader understands to be below ``rest``: 10 for 20多.
    """

    comparator: Comparator
    amount: Decimal | None = None
    lower_bound: Decimal | None = None
    upper_bound: Decimal | None = None
    unit_code: str | None = None
    is_share: bool = False
    is_fraction: bool = False
    is_change: bool = False
    multiple: Fraction | None = None
    rest: Decimal | None = None
    note: str = ""
    may_be: tuple[str, ...] = ()

    @property
    def is_fall(self) -> bool:
        """Whether it is a change by less than nothing."""
        numbers = (self.amount, self.lower_bound, self.upper_bound)
        return self.is_change and any(number is not None and number < 0 for number in numbers)

    def mirrored(self) -> "StatedFigure":
        """The same with every number on the other side of zero."""
        return replace(
            self,
            comparator=_OPPOSITE.get(self.comparator, self.comparator),
            amount=_negated(self.amount),
            lower_bound=_negated(self.upper_bound),
            upper_bound=_negated(self.lower_bound),
        )


def _negated(number: Decimal | None) -> Decimal | None:
    # Nothing is rounded, and zero keeps its sign.
    return number.copy_negate() if number else number


@dataclass(frozen=True)
class _Quantity:
    number: Number
    unit: Unit | None


@lru_cache(maxsize=2048)
def read_stated(
    text: str, dimension: Dimension | None = None, measure: MetricMeasure | None = None
) -> StatedFigure:
    """The figure that a text states.

    ``dimension``, that of the metric, decides what ambiguous words such as "m" and "pounds" mean,
    and whether "9 out of 10" is a count or a share. ``measure`` says what "doubled" means. Raises
    ``UnreadableFigure``.
    """
    return _Reader(tokens(text), dimension, measure).figure()


EXACTLY = r"(?:\b(?:exactly|precisely)|[剛刚正恰]好|恰|整整)\s?(?:[有為为是达達]|at|of)?\s?$"
"""The end of words after which a number is exact: a pattern of Python and of JavaScript."""

_EXACTLY = re.compile(EXACTLY, re.IGNORECASE)


def is_exactly(words: str, sentence: str = "") -> bool:
    """Whether the words, or those before them in the sentence, say that the number is exact."""
    befores = [sentence[: found.start()] for found in re.finditer(re.escape(words), sentence)]
    if number := re.search(r"\d", words):
        befores.append(words[: number.start()])
    return any(_EXACTLY.search(before) for before in befores)


class _Reader:
    def __init__(
        self,
        text: Sequence[Token],
        dimension: Dimension | None,
        measure: MetricMeasure | None,
    ) -> None:
        self._cursor = Cursor(text)
        self._dimension = dimension
        self._measure = measure if dimension is Dimension.RATIO else None
        self._is_rank = measure is MetricMeasure.RANK
        self._comparator: Comparator | None = None
        self._change = 0

    def figure(self) -> StatedFigure:
        """Everything that the text states."""
        if self._cursor.take(RANK):
            return self._rank()
        self._read_leading()
        figure = self._multiple_in_words()
        if figure is not None:
            self._read_rest(figure)
            return replace(figure, comparator=self._comparator or Comparator.EQ)
        figure = self._share_in_words()
        is_in_words = figure is not None
        figure = figure or self._amounts()
        self._read_total(figure)
        self._read_rest(figure)
        if self._comparator is not None:
            if is_in_words or figure.comparator is not Comparator.EQ:
                raise UnreadableFigure("A comparator does not go with a range or a share in words.")
            figure = replace(figure, comparator=self._comparator)
        return self._changed(figure, is_in_words) if self._change else figure

    def _rank(self) -> StatedFigure:
        if not self._is_rank:
            raise UnreadableFigure(
                "The text states a place of a ranking, which is an amount only for a metric with"
                " the measure rank."
            )
        figure = self._single(_Quantity(read_number(self._cursor), None))
        self._read_rest(figure)
        return figure

    # Comparators and changes

    def _read_leading(self) -> None:
        cursor = self._cursor
        while not (cursor.length_of(_SHARES) or cursor.length_of(_PREFIXES)):
            if cursor.length_of(_LEADING):
                self._compare(cursor.take_phrase(_LEADING))
            elif cursor.length_of(_CHANGES):
                self._read_change()
            elif cursor.word() in {"a", "an"} and self._is_number(1):
                cursor.at += 1
            else:
                return

    def _is_number(self, ahead: int) -> bool:
        token = self._cursor.peek(ahead)
        if token is None:
            return False
        is_cardinal = token.kind == "number" or token.text in words.SMALL_NUMBERS
        return is_cardinal or self._cursor.length_of(_PREFIXES, ahead) > 0

    def _compare(self, comparator: Comparator | None) -> None:
        before = self._comparator
        if comparator in {None, before}:
            return
        # The estimate of a bound ("an estimated ... or more") is a bound.
        if before is None or (before is Comparator.APPROX and comparator is not Comparator.EQ):
            self._comparator = comparator
        elif comparator is not Comparator.APPROX or before is Comparator.EQ:
            raise UnreadableFigure("The words around the number compare in two ways.")

    def _read_change(self) -> None:
        cursor = self._cursor
        is_bare = cursor.length_of(_CHANGES) == 1
        self._take_change(cursor.take_phrase(_CHANGES))
        following = takewhile(lambda token: token.kind == "word", cursor.rest()[:3])
        if is_bare and any(token.text in words.LEVELS for token in following):
            raise UnreadableFigure("The text states the level that was reached, or a change.")

    def _take_change(self, sign: int | None) -> None:
        if self._change:
            raise UnreadableFigure("The text states two changes.")
        self._change = sign or 0

    def _is_change_noun(self, figure: StatedFigure) -> bool:
        """Whether the next word makes a change of the number: "a 5 % increase"."""
        following = self._cursor.word(1)
        is_certain = figure.unit_code == words.SHARE.code or not following
        is_noun = self._cursor.word() in words.CHANGE_NOUNS
        return is_noun and (is_certain or following in words.AFTER_CHANGE)

    def _changed(self, figure: StatedFigure, is_in_words: bool) -> StatedFigure:
        figure = replace(figure, is_change=True)
        if is_in_words or figure.is_fall:
            raise UnreadableFigure("The text does not say by how much something rose or fell.")
        return figure if self._change > 0 else figure.mirrored()

    # Multiples

    def _multiple_in_words(self) -> StatedFigure | None:
        is_measured = self._measure in _MEASURES_OF_MULTIPLES
        if not (is_measured or any(token.text in _MULTIPLES for token in self._cursor.rest())):
            return None
        multiple = self._cursor.attempt(self._multiple)
        if multiple is None:
            return None
        if not is_measured:
            raise UnreadableFigure(_NO_MULTIPLE)
        if self._change < 0 or self._cursor.word() in words.CHANGE_NOUNS:
            raise UnreadableFigure(
                "The text may state a multiple, or the difference that it makes."
            )
        is_growth = self._measure is MetricMeasure.GROWTH_RATE
        unit = words.SHARE if is_growth else Unit("1")
        number = Number(multiple - 1 if is_growth else multiple)
        return StatedFigure(
            comparator=Comparator.EQ,
            amount=_decimal(number, unit),
            unit_code=unit.code,
            multiple=multiple,
        )

    def _multiple(self) -> Fraction | None:
        """How many times as much: "doubled", "rose threefold", "twice as many", "2.5 times"."""
        cursor = self._cursor
        while cursor.take(*words.GROWTH):
            pass
        self._read_leading()
        word = cursor.word()
        compared = cursor.word(1) in words.AFTER_MULTIPLE or not cursor.word(1)
        if word in words.MULTIPLES or (word in words.COMPARED_MULTIPLES and compared):
            cursor.at += 1
            multiple = words.MULTIPLES.get(word) or words.COMPARED_MULTIPLES[word]
            if multiple < 1 and self._comparator is not None:
                # What has more than halved is less than half of what it was.
                self._comparator = _OPPOSITE.get(self._comparator, self._comparator)
            return multiple
        if self._measure not in _MEASURES_OF_MULTIPLES:
            # It may also say how often something happens.
            return None
        number = self._scaled()
        if cursor.take("倍"):
            return self._chinese_multiple(number)
        if not (cursor.take("times", "fold", "x") or (number.is_share and cursor.word() == "as")):
            return None
        return number.amount

    def _chinese_multiple(self, number: Number) -> Fraction | None:
        """The multiple of 兩倍 and 增至三倍; what rose by 兩倍 is three times as much, or twice."""
        number = with_rest(self._cursor, read_fraction_after(self._cursor, number, and_joins=True))
        if self._change or number.amount <= 1:
            return None
        if number.rest:
            self._compare(Comparator.GT)
        return number.amount

    # Shares in words

    def _share_in_words(self) -> StatedFigure | None:
        bounds = self._cursor.take_phrase(_SHARES)
        if bounds is None:
            return None
        total = self._cursor.attempt(self._total)
        certain = bounds.comparator is Comparator.EQ
        is_none = not bounds.amount and self._dimension is not Dimension.RATIO
        if certain and (total or is_none or self._dimension is Dimension.COUNT):
            return self._all_or_none(bounds, total)
        return StatedFigure(
            comparator=bounds.comparator,
            amount=bounds.amount,
            lower_bound=bounds.lower_bound,
            upper_bound=bounds.upper_bound,
            unit_code=words.SHARE.code,
            is_share=True,
        )

    def _all_or_none(self, bounds: BoundsInWords, total: Number | None) -> StatedFigure:
        if total is None and bounds.amount:
            raise UnreadableFigure("The text does not say how many 'all' are.")
        return self._single(_Quantity(total if total and bounds.amount else _ZERO, None))

    # Amounts

    def _amounts(self) -> StatedFigure:
        opening = self._cursor.take("between", "from")
        first = self._quantity(and_joins=opening != "between")
        second = self._cursor.attempt(lambda: self._second(opening, first))
        if second is not None:
            return _range(first, second)
        if opening:
            raise UnreadableFigure(f"{opening!r} needs two numbers.")
        return self._share_of_parts(first) or self._single(first)

    def _second(self, opening: str, first: _Quantity) -> _Quantity | None:
        joining = {"between": ("and", "to", "-"), "from": ("to", "-")}
        # "Rose 200 to 12,000" may state the level that was reached.
        usual = ("-", "~", "or") if self._change else ("to", "-", "~", "or")
        joined_by = self._cursor.take(*joining.get(opening, usual))
        if not joined_by:
            return None
        second = self._quantity()
        # "two or three", but not "30 or 50" and "20, or 80 per cent"
        if joined_by == "or":
            lower, upper = _sharing_scale(first.number, second.number), second.number
            step = min(number.last_place * number.scale for number in (lower, upper))
            if upper.amount - lower.amount > step:
                return None
        return second

    def _single(self, quantity: _Quantity) -> StatedFigure:
        unit = _unit_of(quantity.unit, quantity.number)
        number = quantity.number
        if number.rest:
            self._compare(Comparator.GT)
        return StatedFigure(
            comparator=Comparator.EQ,
            amount=_decimal(number, unit),
            unit_code=unit.code,
            is_share=unit == words.SHARE,
            is_fraction=number.has_fraction,
            rest=_decimal(replace(number, value=number.rest), unit) if number.rest else None,
            note=unit.note,
            may_be=unit.may_be,
        )

    def _share_of_parts(self, part: _Quantity) -> StatedFigure | None:
        whole = self._cursor.attempt(self._parts) if part.unit is None else None
        if whole is None:
            return None
        return self._single(_Quantity(share(part.number.amount, whole.amount), None))

    def _parts(self) -> Number | None:
        """The 10 of "9 in 10" and "9 out of 10", which are shares; "9 of the 10" is a count."""
        cursor = self._cursor
        joined_by_in = bool(cursor.take("in"))
        is_count = not joined_by_in and not cursor.take("out")
        if not joined_by_in and not cursor.take("of"):
            return None
        is_count |= bool(cursor.take(*words.DETERMINERS))
        if self._dimension in {Dimension.COUNT, Dimension.RATIO}:
            is_count = self._dimension is Dimension.COUNT
        cursor.take("every", "each")
        is_year = joined_by_in and re.fullmatch("[12][0-9]{3}", cursor.word())
        return None if is_count or is_year else self._scaled()

    def _read_total(self, figure: StatedFigure) -> None:
        joining = {"of", "out", "in"} if self._dimension is Dimension.COUNT else {"of", "out"}
        total = self._cursor.attempt(self._total) if self._cursor.word() in joining else None
        if total is None or figure.unit_code is not None:
            return
        if total.amount < (figure.amount or figure.upper_bound or 0):
            raise UnreadableFigure("The part is above the total.")

    def _total(self) -> Number:
        """The 15 of "of the 15" and "out of all 15"."""
        self._cursor.take("in", "out")
        self._cursor.take("of")
        while self._cursor.take(*words.DETERMINERS):
            pass
        return self._scaled()

    def _quantity(self, *, and_joins: bool = True) -> _Quantity:
        cursor = self._cursor
        negative = cursor.take(*_MINUS)
        currency = cursor.take_phrase(_PREFIXES)
        negative = cursor.take(*_MINUS) or negative
        number = self._scaled(currency, and_joins=and_joins)
        if negative:
            number = replace(number, value=-number.value)
        following = cursor.length_of(TRAILING)
        if following and cursor.length_of(UNITS, following):
            # "300-odd hectares"
            self._compare(cursor.take_phrase(TRAILING))
        unit = self._unit(currency)
        if unit and unit is not currency:
            # "an hour and a half"
            number = read_fraction_after(cursor, number, and_joins)
        number = with_rest(cursor, number)
        if unit and unit.refused:
            raise UnreadableFigure(unit.note)
        return _Quantity(number, unit)

    def _scaled(self, currency: Unit | None = None, *, and_joins: bool = True) -> Number:
        number = read_number(self._cursor, and_joins=and_joins)
        is_money = currency is not None or self._dimension is Dimension.MONEY

        def is_scale(word: str) -> bool:
            return is_money or not (word in {"t", "mm"} or (word == "m" and not self._is_million()))

        return read_scales(self._cursor, number, is_scale, and_joins=and_joins)

    def _is_million(self) -> bool:
        """Whether an "m" that is not about money is a million, and not a metre."""
        if self._dimension is not None:
            return self._dimension is not Dimension.LENGTH
        counted = self._cursor.word(1)
        if counted.endswith("s") or counted == "people" or self._cursor.length_of(UNITS, 1):
            return True
        raise UnreadableFigure("'m' may stand for million or for metres.")

    def _unit(self, currency: Unit | None) -> Unit | None:
        cursor = self._cursor
        start = cursor.at
        by_dimension = words.BY_DIMENSION.get(cursor.word(), {})
        if cursor.length_of(UNITS) <= 1 and self._dimension in by_dimension:
            cursor.at += 1
            return by_dimension[self._dimension]
        unit = cursor.take_phrase(UNITS)
        if unit is None or currency is None:
            return unit or currency
        if unit not in words.MONEY:
            cursor.at = start
            return currency
        if None not in {unit.code, currency.code} and unit.code != currency.code:
            raise UnreadableFigure("The number has two currencies.")
        return currency if unit.code is None else unit

    # What follows

    def _read_rest(self, figure: StatedFigure) -> None:
        cursor = self._cursor
        while (is_noun := self._is_change_noun(figure)) or cursor.length_of(TRAILING):
            if is_noun:
                self._take_change(words.CHANGE_NOUNS[cursor.take(*words.CHANGE_NOUNS)])
            else:
                self._compare(cursor.take_phrase(TRAILING))
        rest = self._without_last_comparator()
        if not rest:
            return
        first, last = rest[0], rest[-1]
        has_unit = figure.unit_code is not None
        _check_first(first)
        if first.text in words.PER:
            states = " ".join(token.text for token in rest)
            raise UnreadableFigure(f"The text states an amount {states!r}.")
        if figure.is_share and first.text == "as":
            raise UnreadableFigure(_NO_MULTIPLE)
        if cursor.length_of(UNITS):
            raise UnreadableFigure("The number has two units.")
        if not has_unit and cursor.length_of(_MONEY, 1):
            raise UnreadableFigure(f"{first.text!r} before a currency is not understood.")
        is_attribute = first.text in words.COMPARATIVES and len(rest) > 1 and not has_unit
        if not is_attribute:
            _check_difference(first, words.DIFFERENCES | words.COMPARATIVES)
        _check_difference(last, words.DIFFERENCES | words.COMPARATIVES)
        for index, token in enumerate(rest):
            _check_difference(token, words.CERTAIN_DIFFERENCES)
            _check_is_no_number(token, rest[max(0, index - 2) : index])

    def _without_last_comparator(self) -> Sequence[Token]:
        """The rest of the text, without the "or more" of "16 companies or more"."""
        rest = self._cursor.rest()
        for ahead in range(1, len(rest)):
            found = TRAILING.match(rest, ahead)
            if found is not None and found[1] == len(rest):
                self._compare(found[0])
                return rest[:ahead]
        return rest


def _range(first: _Quantity, second: _Quantity) -> StatedFigure:
    if first.number.rest or second.number.rest:
        raise UnreadableFigure("A number with an unknown rest does not go with a range.")
    units = {quantity.unit for quantity in (first, second) if quantity.unit is not None}
    units -= {unit for unit in units if any(_may_be(unit, other) for other in units)}
    if len(units) > 1:
        raise UnreadableFigure("The two numbers of the range have different units.")
    upper = second.number
    lower = _sharing_scale(first.number, upper)
    unit = _unit_of(units.pop() if units else None, lower, upper)
    if lower.amount >= upper.amount:
        raise UnreadableFigure("The first number of the range is not below the second.")
    return StatedFigure(
        comparator=Comparator.BETWEEN,
        lower_bound=_decimal(lower, unit),
        upper_bound=_decimal(upper, unit),
        unit_code=unit.code,
        is_share=unit == words.SHARE,
        note=unit.note,
        may_be=unit.may_be,
    )


def _may_be(unit: Unit, other: Unit) -> bool:
    """Whether the word for a unit that is not clear may stand for the other one: HK$5至6元."""
    is_dollar = unit == words.MONEY_NAMES["$"] and "$" in words.CURRENCY_SIGNS.get(
        other.code or "", ""
    )
    return unit.code is None and (other.code in unit.may_be or is_dollar)


def _sharing_scale(lower: Number, upper: Number) -> Number:
    if lower.scale == 1 and lower.value < upper.value:
        # "3 to 5 million", but not "500,000 to 1 million"
        return replace(lower, scale=upper.scale)
    return lower


def _unit_of(unit: Unit | None, *numbers: Number) -> Unit:
    if unit is None and all(number.is_share for number in numbers):
        return words.SHARE
    if unit and unit.note and any(number.is_share for number in numbers):
        # Without its unit, "half a ton" would be a share.
        raise UnreadableFigure(unit.note)
    return unit or words.NO_UNIT


def _decimal(number: Number, unit: Unit) -> Decimal:
    """The amount in the unit, with the decimal places that are stated."""
    amount = number.amount * unit.times
    if abs(amount) >= 10**MAX_DIGITS:
        raise UnreadableFigure(f"The number has more than {MAX_DIGITS} digits before the point.")
    digits, remainder = divmod(amount * 10**MAX_PLACES, 1)
    if remainder:
        return round(Decimal(amount.numerator) / amount.denominator, _PLACES_OF_FRACTION)
    stated = number.places if number.scale * unit.times == 1 else 0
    places = MAX_PLACES
    while places > stated and digits % 10 == 0:
        digits, places = digits // 10, places - 1
    return Decimal(f"{digits}E-{places}")


def _check_first(token: Token) -> None:
    if token.kind == "number":
        raise UnreadableFigure("The text states more than one number.")
    is_part_of_number = token.text in words.JOINING or token.text in words.FRACTION_WORDS
    is_word = token.kind == "word" and not token.glued and not is_part_of_number
    if not is_word or (len(token.text) == 1 and token.text != "a"):
        raise UnreadableFigure(f"{token.text!r} after the number is not understood.")


def _check_difference(token: Token, known: frozenset[str]) -> None:
    if token.text in known:
        raise UnreadableFigure(f"{token.text!r} after the number is not understood.")


def _check_is_no_number(token: Token, before: Sequence[Token]) -> None:
    is_scale = len(token.text) > 3 and token.text in words.SCALES
    if token.text in words.SMALL_NUMBERS or is_scale:
        raise UnreadableFigure("The text states more than one number.")
    if token.kind == "number":
        # CO2 and COVID-19 are names.
        name = before[:-1] if before and before[-1].text == "-" else before
        if not (token.glued and name and name[-1].kind == "word"):
            raise UnreadableFigure("The text states more than one number.")
