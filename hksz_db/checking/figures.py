"""Finds the figures that a sentence states, and reads them."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from itertools import islice

from hksz_db.checking.folding import comparable
from hksz_db.checking.sentences import Span
from hksz_db.domain import figure_words as words
from hksz_db.domain.chinese_numbers import HAN_NUMBER
from hksz_db.domain.figure_printing import printed
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.quantities import InvalidUnit, Measure, measure
from hksz_db.domain.ranges import InvalidFigure, Reading, Statement, read
from hksz_db.domain.stated_figures import StatedFigure, is_exactly, read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure

MOST = 20
"""How many figures of a sentence are read at most."""
_MOST_NUMBERS = 3 * MOST

_SMALL = "|".join(sorted((*words.SMALL_NUMBERS, "half", "hundred"), key=len, reverse=True))
# A number in Han characters is a figure if a measure word or a unit may follow.
_NUMBER = re.compile(
    rf"(?P<digits>(?<![\d.,a-z_])(?:hk\$|us\$|rmb|[$€£¥])? ?\d[\d,]*(?:\.\d+)?)"
    rf"|\b(?P<word>(?:{_SMALL})(?:[ -](?:and |point )?(?:{_SMALL}))*)\b"
    rf"|(?P<han>(?:百分之)?(?:{HAN_NUMBER})(?:分之[一二三四五六七八九十])?成?)"
)
_HAN = re.compile("[\u3400-\u9fff]")
_BEFORE_WORDS = 5
_AFTER_WORDS = 4
_BEFORE_HAN = 6
_AFTER_HAN = 8
_REACH = 60
_TOKEN = re.compile(r"\S+")
_BREAK = re.compile(r"[,;:()\"!?。，；：！？、（）]|\.(?:\s|$)|\s-\s")
_ORDINAL = re.compile(
    r"(?:\b(?:rank(?:s|ed|ing)?|placed?|came|position|number|no\.) (?:as |in |the |at |of )*)"
    r"(?P<ordinal>first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|\d+(?:st|nd|rd|th)?)\b"
)
_ORDINALS = [
    "first",
    "second",
    "third",
    "fourth",
    "fifth",
    "sixth",
    "seventh",
    "eighth",
    "ninth",
    "tenth",
]


@dataclass(frozen=True)
class FoundFigure:
    """A figure at a place of the text.

    ``words`` are those at the place; they are never part of an answer.
    """

    span: Span
    words: str
    stated: StatedFigure
    is_rank: bool = False
    is_exact: bool = False

    @property
    def printed(self) -> str:
        """What was read, in plain English."""
        return printed(self.stated)


@dataclass(frozen=True)
class Ranged:
    """A figure as one of a metric: what it states there, and its ranges in base units."""

    stated: StatedFigure
    unit_code: str
    unit: Measure
    reading: Reading


def numbers_in(said: str) -> int:
    """How many numbers of a sentence are tried, whether they are figures or not."""
    return sum(1 for _ in islice(_NUMBER.finditer(comparable(said)), _MOST_NUMBERS))


def figures_of(text: str, sentence: Span, taken: Iterable[Span]) -> list[FoundFigure]:
    """The figures of a sentence; numbers in ``taken``, such as names and times, are none."""
    said = text[sentence.start : sentence.end]
    form = comparable(said)
    hidden = bytearray(len(form))
    for start, end in taken:
        first, last = max(start - sentence.start, 0), max(end - sentence.start, 0)
        hidden[first:last] = b"\1" * (min(last, len(form)) - min(first, len(form)))
    found: list[FoundFigure] = []
    end = 0
    for rank in _ranks(form, sentence.start):
        found.append(rank)
        first, last = rank.span.start - sentence.start, rank.span.end - sentence.start
        hidden[first:last] = b"\1" * (last - first)
    for number in islice(_NUMBER.finditer(form), _MOST_NUMBERS):
        if len(found) == MOST:
            break
        if number.start() < end or any(hidden[number.start() : number.end()]):
            continue
        place = _placed(said, form, number, _Limits(form, number.span(), end, hidden))
        if place is not None:
            span, stated = place
            end = span.end
            where = Span(sentence.start + span.start, sentence.start + span.end)
            words_found = said[slice(*span)]
            exact = is_exactly(words_found, said[max(0, span.start - 24) : span.end])
            found.append(FoundFigure(where, words_found, stated, is_exact=exact))
    return sorted(found, key=lambda each: each.span)


def as_one_of(
    found: FoundFigure, dimension: Dimension, measured: MetricMeasure, *, nonnegative: bool
) -> Ranged | None:
    """The figure as one of a metric; ``None`` if it cannot be one."""
    if found.is_rank != (measured is MetricMeasure.RANK):
        return None
    stated = found.stated
    if not found.is_rank:
        try:
            stated = read_stated(
                found.words, dimension if dimension is Dimension.RATIO else None, measured
            )
        except UnreadableFigure:
            return None
    unit_code = stated.unit_code or (
        "1" if dimension is Dimension.COUNT and not stated.note else None
    )
    if unit_code is None or (stated.is_share and dimension is not Dimension.RATIO):
        return None
    try:
        unit = _measured(unit_code)
        if unit.dimension is not dimension:
            return None
        statement = Statement(
            stated.comparator,
            stated.amount,
            stated.lower_bound,
            stated.upper_bound,
            "" if found.is_rank else found.words,
            found.is_rank or found.is_exact,
            measured,
        )
        reading = read(statement, dimension, unit.factor, nonnegative=nonnegative)
    except (InvalidFigure, InvalidUnit):
        return None
    return Ranged(stated, unit_code, unit, reading)


@lru_cache(maxsize=512)
def _measured(unit_code: str) -> Measure:
    return measure(unit_code)


def _ranks(form: str, start: int) -> Iterator[FoundFigure]:
    for match in _ORDINAL.finditer(form):
        ordinal = match["ordinal"]
        if ordinal.isdigit() and not match[0].startswith(("rank", "number", "no", "position")):
            continue
        digits = re.sub(r"\D", "", ordinal)
        place = int(digits) if digits else _ORDINALS.index(ordinal) + 1
        span = Span(start + match.start("ordinal"), start + match.end("ordinal"))
        stated = StatedFigure(comparator=Comparator.EQ, amount=Decimal(place))
        yield FoundFigure(span, ordinal, stated, is_rank=True)


class _Limits:
    """How far the words of a figure may reach: over no comma, no time and no other figure."""

    def __init__(
        self, form: str, number: tuple[int, int], after: int, hidden: Sequence[int]
    ) -> None:
        first, last = number
        near = max(0, first - _REACH)
        breaks = (each.end() for each in _BREAK.finditer(form, near, first))
        times = (at + 1 for at in range(near, first) if hidden[at])
        self.left = max([near, after, *breaks, *times])
        stop = _BREAK.search(form, last)
        right = min(stop.start() if stop else len(form), last + _REACH)
        self.right = next((at for at in range(last, right) if hidden[at]), right)


def _placed(
    said: str, form: str, number: re.Match[str], limits: _Limits
) -> tuple[Span, StatedFigure] | None:
    """The longest words around a number that state a figure."""
    first, last = number.span()
    if number["han"] or _is_han_beside(form, first, last):
        starts = [*range(max(limits.left, first - _BEFORE_HAN), first + 1)]
        ends = [*range(last, min(limits.right, last + _AFTER_HAN) + 1)]
    else:
        before, after = form[limits.left : first], form[last : limits.right]
        starts = [limits.left + each.start() for each in _TOKEN.finditer(before)][-_BEFORE_WORDS:]
        ends = [last + each.end() for each in _TOKEN.finditer(after)][:_AFTER_WORDS]
        starts, ends = [*starts, first], [last, *ends]
    for start in starts:
        for end in reversed(ends):
            stated = _read(said[start:end])
            if stated is not None:
                # Without the name of what is counted, which makes no difference.
                last = next(edge for edge in ends if _read(said[start:edge]) == stated)
                first = end - len(said[start:end].lstrip())
                return Span(first, last), stated
    return None


def _read(words_found: str) -> StatedFigure | None:
    try:
        return read_stated(words_found)
    except UnreadableFigure:
        return None


def _is_han_beside(form: str, first: int, last: int) -> bool:
    after, before = form[last : last + 2].lstrip(), form[max(0, first - 2) : first].rstrip()
    return bool(_HAN.match(after) or _HAN.search(before))
