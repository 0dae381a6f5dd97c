"""Read numbers as an English text writes them: digits, words, fractions, scale words."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from fractions import Fraction

from hksz_db.domain import figure_words as words
from hksz_db.domain.chinese_numbers import REST, SCALES, WIDE_REST
from hksz_db.domain.figure_tokens import MAX_PLACES, Cursor, Phrases, Token, UnreadableFigure

# "15/31" is a date, "16/17" a year.
_PARTS_OF_SLASH = frozenset(words.FRACTION_WORDS.values())
_LARGEST_SCALES = ("thousand", "million", "billion", "trillion")

UNITS = Phrases(words.MONEY_NAMES | words.UNITS)
TRAILING = Phrases(words.TRAILING)


@dataclass(frozen=True)
class Number:
    """A number as it is stated: ``value`` times ``scale``.

    ``places`` are the decimal places of the value, as far as it is stated in digits. With ``rest``,
    it is the known part of a number (20多, 3萬多): its rest is below ``rest`` times ``scale``.
    """

    value: Fraction
    places: int = 0
    has_fraction: bool = False
    scale: int = 1
    rest: Fraction = Fraction(0)

    @property
    def amount(self) -> Fraction:
        """The number itself."""
        return self.value * self.scale

    @property
    def last_place(self) -> Fraction:
        """The place value of the last significant digit of ``value``."""
        if self.places or not self.value:
            return Fraction(1, 10**self.places)
        digits = str(self.value.numerator)
        return Fraction(10 ** (len(digits) - len(digits.rstrip("0"))))

    @property
    def is_share(self) -> bool:
        """Whether it is a fraction of one."""
        return self.has_fraction and 0 < self.value <= 1 and self.scale == 1


def share(part: Fraction, whole: Fraction) -> Number:
    """The share of some parts in all of them. Raises ``UnreadableFigure``."""
    if part.denominator > 1 or whole.denominator > 1 or not 0 < part <= whole:
        raise UnreadableFigure(f"{part} of {whole} is not a share.")
    return Number(part / whole, has_fraction=True)


def plain(digits: Decimal) -> Number:
    """A number without fraction and scale."""
    exponent = digits.as_tuple().exponent
    assert isinstance(exponent, int)
    return Number(Fraction(digits), places=-exponent)


def read_number(cursor: Cursor, *, and_joins: bool = True) -> Number:
    """A number without scale words, unless it is one such as "one million two hundred".

    ``and_joins`` is false in "between one hundred and two hundred". Raises ``UnreadableFigure``.
    """
    token = cursor.peek()
    if token is None:
        raise UnreadableFigure("The text states no number.")
    if token.kind == "number":
        return _in_digits(cursor, token, and_joins)
    fraction = _fraction(cursor)
    if fraction is not None:
        return fraction
    cardinal = _cardinal(cursor, and_joins)
    if cardinal is not None:
        return read_fraction_after(cursor, plain(cardinal), and_joins)
    if _is_one(cursor):
        cursor.at += 1
        return plain(Decimal(1))
    raise UnreadableFigure(f"A number was expected at {token.text!r}.")


def read_scales(
    cursor: Cursor, number: Number, is_scale: Callable[[str], bool], *, and_joins: bool = True
) -> Number:
    """The number times the scale words that follow it.

    ``is_scale`` decides on abbreviations. Raises ``UnreadableFigure``.
    """
    has_rest = bool(cursor.take(REST))
    if has_rest:
        number = replace(number, rest=number.last_place)
    first = _scale_word(cursor, is_scale)
    if not first:
        if has_rest and number.rest <= 1:
            raise UnreadableFigure(f"{REST!r} after a number that is complete is not understood.")
        return number
    scale = words.SCALES[first]
    if first in words.MULTIPLIED_SCALES:
        larger = _scale_word(cursor, lambda word: words.SCALES[word] > scale and is_scale(word))
        scale *= words.SCALES.get(larger, 1)
    return read_fraction_after(cursor, with_rest(cursor, replace(number, scale=scale)), and_joins)


def with_rest(cursor: Cursor, number: Number) -> Number:
    """The number with the rest that the words after its scale or its unit leave open."""
    if cursor.take(REST):
        return replace(number, rest=min(number.last_place, Fraction(1)))
    return replace(number, rest=number.last_place) if cursor.take(WIDE_REST) else number


def read_fraction_after(cursor: Cursor, number: Number, and_joins: bool) -> Number:
    """The number with a fraction that follows: "two and a half", "a million and a half"."""
    fraction = cursor.attempt(lambda: _and_fraction(cursor)) if and_joins else None
    return _with_fraction(number, fraction) if fraction else number


def _scale_word(cursor: Cursor, is_scale: Callable[[str], bool]) -> str:
    word = cursor.word()
    # "m2" and "m/s" are units.
    if word in words.SCALES and cursor.length_of(UNITS) <= 1 and is_scale(word):
        return cursor.take(word)
    return ""


def _is_one(cursor: Cursor) -> bool:
    """Whether the next word is the article of "a million" or "an hour"."""
    if cursor.word() not in {"a", "an"} or cursor.word(1) == "second":
        return False
    return cursor.word(1) in words.SCALES or cursor.length_of(UNITS, 1) > 0


def _in_digits(cursor: Cursor, token: Token, and_joins: bool) -> Number:
    fraction = cursor.attempt(lambda: _slashed(cursor))
    if fraction is not None:
        return fraction
    cursor.at += 1
    suffix = cursor.peek()
    if suffix and suffix.glued and suffix.text in words.ORDINAL_SUFFIXES:
        raise UnreadableFigure(f"{token.text + suffix.text!r} is an ordinal.")
    is_chinese = cursor.word() in SCALES
    if re.fullmatch(r"[1-9][0-9]{0,2}\.[0-9]{3}", token.text) and not is_chinese:
        raise UnreadableFigure(f"The point of {token.text!r} may separate thousands or decimals.")
    number = plain(token.digits)
    fraction = cursor.attempt(lambda: _slashed(cursor))
    if fraction is not None:
        return _with_fraction(number, fraction)
    return read_fraction_after(cursor, number, and_joins)


def _slashed(cursor: Cursor) -> Number | None:
    part, whole = cursor.peek(), cursor.peek(2)
    if not part or not whole or cursor.word(1) != "/" or {part.kind, whole.kind} != {"number"}:
        return None
    if whole.digits not in _PARTS_OF_SLASH or part.digits >= whole.digits:
        return None
    cursor.at += 3
    return share(Fraction(part.digits), Fraction(whole.digits))


def _and_fraction(cursor: Cursor) -> Number | None:
    if not cursor.take("and") or cursor.word() == "half":
        return None
    return _fraction(cursor)


def _with_fraction(number: Number, fraction: Number) -> Number:
    if number.value.denominator > 1:
        raise UnreadableFigure("A fraction follows a number that is not whole.")
    return replace(number, value=number.value + fraction.value, has_fraction=True)


def _fraction(cursor: Cursor) -> Number | None:
    """The fraction of "half", "a third", "two-thirds" or "half a million"."""
    word = cursor.word()
    is_half = word == "half"
    part = 1 if is_half or word in {"a", "an"} else words.SMALL_NUMBERS.get(word, 0)
    name = word if is_half else cursor.word(1)
    wholes = words.FRACTION_WORDS if part == 1 else words.FRACTION_PLURALS
    if not part or name not in wholes:
        return None
    cursor.at += 1 if is_half else 2
    if part >= wholes[name]:
        raise UnreadableFigure("A fraction in words is less than one.")
    if part == 1 and name != "half" and not _may_follow_fraction(cursor):
        raise UnreadableFigure(f"{name!r} before {cursor.word()!r} may be an ordinal.")
    cursor.attempt(lambda: _article_of_unit(cursor))
    return share(Fraction(part), Fraction(wholes[name]))


def _may_follow_fraction(cursor: Cursor) -> bool:
    token = cursor.peek()
    if token is None or token.kind == "sign":
        return True
    is_joining = token.text in words.AFTER_FRACTION or token.text in words.SCALES
    return is_joining or cursor.length_of(TRAILING) > 0


def _article_of_unit(cursor: Cursor) -> bool | None:
    """Read the words before the unit of "half an hour" and "a quarter of a million"."""
    cursor.take("of")
    if not cursor.take("a", "an", "one"):
        return None
    return cursor.word() in words.SCALES or cursor.length_of(UNITS) > 0 or None


def _cardinal(cursor: Cursor, and_joins: bool) -> Decimal | None:
    """A number in words, without the scale words after its last part: "two" of "two million"."""
    number = _below_thousand(cursor, and_joins)
    if number is None:
        return None
    total, last_scale = 0, 10**15
    while (group := cursor.attempt(lambda: _next_group(cursor, and_joins))) is not None:
        scale, following = group
        if scale >= last_scale:
            raise UnreadableFigure("The number words are in an unusual order.")
        total, last_scale, number = total + number * scale, scale, following
    if not total:
        return _with_decimals(cursor, number)
    scale = words.SCALES.get(cursor.take(*_LARGEST_SCALES), 1)
    if scale >= last_scale:
        raise UnreadableFigure("The number words are in an unusual order.")
    return Decimal(total + number * scale)


def _next_group(cursor: Cursor, and_joins: bool) -> tuple[int, int] | None:
    """The scale of the number before, and the number after: "million two hundred"."""
    scale = cursor.take(*_LARGEST_SCALES)
    if not scale:
        return None
    _take_and(cursor, and_joins)
    number = _below_thousand(cursor, and_joins)
    return None if number is None else (words.SCALES[scale], number)


def _below_thousand(cursor: Cursor, and_joins: bool) -> int | None:
    if cursor.word() == "a" and cursor.word(1) == "hundred":
        cursor.at += 1
        number: int | None = 1
    else:
        number = _below_hundred(cursor)
    if number is None or not cursor.take("hundred"):
        return number
    rest = cursor.attempt(lambda: _rest_of_hundred(cursor, and_joins))
    return number * 100 + (rest or 0)


def _rest_of_hundred(cursor: Cursor, and_joins: bool) -> int | None:
    _take_and(cursor, and_joins)
    return _below_hundred(cursor)


def _take_and(cursor: Cursor, and_joins: bool) -> None:
    if and_joins:
        cursor.take("and")


def _below_hundred(cursor: Cursor) -> int | None:
    if cursor.word(1) in words.FRACTION_PLURALS:
        return None
    number = words.SMALL_NUMBERS.get(cursor.take(*words.SMALL_NUMBERS))
    ones = words.SMALL_NUMBERS.get(cursor.word(), 0)
    if number is None or number < 20 or not 1 <= ones <= 9:
        return number
    cursor.at += 1
    return number + ones


def _with_decimals(cursor: Cursor, number: int) -> Decimal:
    """The number with the digits of "seven point five"."""
    if cursor.word() != "point" or _digit(cursor, 1) is None:
        return Decimal(number)
    cursor.at += 1
    decimals = ""
    while (digit := _digit(cursor)) is not None:
        decimals += str(digit)
        cursor.at += 1
    if len(decimals) > MAX_PLACES:
        raise UnreadableFigure(f"A number has more than {MAX_PLACES} digits after the point.")
    return Decimal(f"{number}.{decimals}")


def _digit(cursor: Cursor, ahead: int = 0) -> int | None:
    number = words.SMALL_NUMBERS.get(cursor.word(ahead), 10)
    return number if number <= 9 else None
