"""Plots of figures: a row for each, on one axis, with both of its ranges."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from functools import lru_cache
from itertools import count, takewhile
from typing import NamedTuple

from markupsafe import Markup

from hksz_db.domain.quantities import InvalidUnit, measure
from hksz_db.queries.document_types import Range
from hksz_db.web.translating import gettext
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import number_in_words

_MOST_TICKS = 4
_STEPS = (Decimal(1), Decimal(2), Decimal("2.5"), Decimal(5), Decimal(10))
_MARGIN = Decimal("0.06")
# From here on a scale that begins at zero would leave too little room for what differs.
_NEAR_ZERO = Decimal("0.4")


class Span(NamedTuple):
    """A range of numbers in the unit of the plot; an end that is ``None`` is open.

    ``has_lower`` and ``has_upper`` say whether the ends belong to it.
    """

    lower: Decimal | None
    upper: Decimal | None
    has_lower: bool = True
    has_upper: bool = True

    @property
    def is_point(self) -> bool:
        """Whether it holds one number only."""
        return self.lower is not None and self.lower == self.upper

    def in_words(self) -> str:
        """The range in words."""
        lower = "" if self.lower is None else number_in_words(self.lower)
        upper = "" if self.upper is None else number_in_words(self.upper)
        if not lower and not upper:
            return gettext("any number")
        if lower == upper:
            return lower
        if lower and upper and self.has_lower and self.has_upper:
            return gettext("%(lower)s to %(upper)s", lower=lower, upper=upper)
        if lower and upper:
            ends = {"lower": self._floor(lower), "upper": self._ceiling(upper)}
            return gettext("%(lower)s and %(upper)s", **ends)
        return self._floor(lower) if lower else self._ceiling(upper)

    def _floor(self, number: str) -> str:
        if self.has_lower:
            return gettext("%(number)s or more", number=number)
        return gettext("more than %(number)s", number=number)

    def _ceiling(self, number: str) -> str:
        if self.has_upper:
            return gettext("%(number)s or less", number=number)
        return gettext("less than %(number)s", number=number)


class Row(NamedTuple):
    """A figure to be drawn.

    ``allowed`` is what its words allow, ``plausible`` what a reader understands. ``kind`` is
    ``own``, ``other`` or ``aside``, which is not comparable. ``note`` stands at the end of the row.
    """

    label: str
    meta: str | Markup
    allowed: Span
    plausible: Span
    kind: str
    note: str | Markup
    url: str | None = None


class Bar(NamedTuple):
    """A row with the places of its ranges, in per cent of the width."""

    row: Row
    allowed: tuple[float, float]
    plausible: tuple[float, float]

    @property
    def in_words(self) -> str:
        """What the bar shows, in words."""
        allowed, plausible = self.row.allowed, self.row.plausible
        if allowed.is_point:
            return allowed.in_words()
        return gettext(
            "The words allow %(allowed)s; readers understand %(plausible)s.",
            allowed=allowed.in_words(),
            plausible=plausible.in_words(),
        )


class Tick(NamedTuple):
    """A number on the axis, and its place in per cent of the width."""

    label: str
    place: float


@dataclass(frozen=True)
class Plot:
    """Bars on one axis; ``unit`` is the name of its unit, empty for pure numbers."""

    bars: list[Bar]
    ticks: list[Tick]
    unit: str
    begins_at_zero: bool


def span(range_: Range, unit: str) -> Span:
    """A range of a figure, which is in base units, in a unit."""
    factor = _factor(unit)
    lower, upper = range_["lower"], range_["upper"]
    return Span(
        None if lower is None else Decimal(lower) / factor,
        None if upper is None else Decimal(upper) / factor,
        range_["lower_inclusive"],
        range_["upper_inclusive"],
    )


def plot(rows: Sequence[Row], unit: str) -> Plot:
    """Place the rows, of which there must be one at least, on one axis."""
    low, high = scale(rows)
    width = high - low

    def place(number: Decimal | None, otherwise: float) -> float:
        return otherwise if number is None else round(float((number - low) / width) * 100, 1)

    def places(part: Span) -> tuple[float, float]:
        return place(part.lower, 0.0), place(part.upper, 100.0)

    return Plot(
        bars=[Bar(row, places(row.allowed), places(row.plausible)) for row in rows],
        ticks=[Tick(number_in_words(number), place(number, 0.0)) for number in ticks(low, high)],
        unit=unit_in_words(unit),
        begins_at_zero=low == 0,
    )


@lru_cache(maxsize=1024)
def _factor(unit: str) -> Decimal:
    # Parsing the code of a unit takes a millisecond.
    try:
        return measure(unit).factor
    except InvalidUnit:
        return Decimal(1)


def scale(rows: Iterable[Row]) -> tuple[Decimal, Decimal]:
    """The ends of an axis on which all rows have room."""
    ends = [
        end
        for row in rows
        for part in (row.allowed, row.plausible)
        for end in (part.lower, part.upper)
        if end is not None
    ] or [Decimal(0)]
    low, high = min(ends), max(ends)
    if 0 <= low <= high * _NEAR_ZERO:
        low = Decimal(0)
    margin = (high - low) * _MARGIN or abs(high) * _MARGIN or Decimal(1)
    return (low if low == 0 else low - margin), high + margin


def ticks(low: Decimal, high: Decimal) -> Iterator[Decimal]:
    """Round numbers on an axis."""
    rough = (high - low) / _MOST_TICKS
    power = Decimal(10) ** rough.adjusted()
    step = next(each * power for each in _STEPS if each * power >= rough)
    first = (low / step).to_integral_value(ROUND_CEILING) * step
    return takewhile(lambda number: number <= high, (first + step * n for n in count()))
