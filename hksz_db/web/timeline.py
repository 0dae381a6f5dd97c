"""Timelines: a bar for each time, dashed where the time is not certain."""

from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from hksz_db.queries.document_types import Period

_MOST_TICKS = 5
_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
# A day on an axis of decades must stay visible.
_LEAST_WIDTH = 0.8
_DOUBTFUL = frozenset("?~%X[{")


class Tick(NamedTuple):
    """A year on the axis, and its place in per cent of the width."""

    year: int
    place: float


class Bar(NamedTuple):
    """A time as a bar: where it begins and how wide it is, in per cent of the width.

    It ``is_certain`` if its dates are stated without doubt and both ends are known.
    """

    begin: float
    width: float
    is_certain: bool


class Axis(NamedTuple):
    """The axis of a timeline, from its first day to its last."""

    first: date
    last: date

    @property
    def days(self) -> int:
        """How many days the axis has."""
        return (self.last - self.first).days + 1

    def place(self, day: date) -> float:
        """Where a day begins, in per cent of the width."""
        return round((day - self.first).days / self.days * 100, 2)

    @property
    def ticks(self) -> list[Tick]:
        """A few years, evenly spaced, whose first day is on the axis; at least one year."""
        years = self.last.year - self.first.year
        step = next(each for each in _STEPS if years <= each * _MOST_TICKS or each == _STEPS[-1])
        begun = range(self.first.year, self.last.year + 1)
        days = [date(year, 1, 1) for year in begun if year % step == 0]
        placed = [Tick(day.year, self.place(day)) for day in days if day >= self.first]
        return placed or [Tick(self.first.year, 0.0)]

    def bar(self, period: Period) -> Bar | None:
        """The bar of a time; ``None`` if it has no day."""
        if not _days(period):
            return None
        first, last = _day(period["earliest"]), _day(period["latest"])
        begin = 0.0 if first is None else self.place(first)
        end = 100.0 if last is None else self.place(last) + 100 / self.days
        is_plain = not _DOUBTFUL & set(period["edtf"] or "")
        is_certain = is_plain and first is not None and last is not None
        width = max(end - begin, _LEAST_WIDTH)
        return Bar(round(min(begin, 100 - width), 2), round(width, 2), is_certain)


def axis_of(periods: Sequence[Period]) -> Axis | None:
    """An axis with room for all times; ``None`` if none of them has a day."""
    days = [day for period in periods for day in _days(period)]
    if not days:
        return None
    return Axis(min(days).replace(day=1), max(days))


def _days(period: Period) -> list[date]:
    ends = (_day(period[name]) for name in ("earliest", "latest"))
    return [day for day in ends if day is not None]


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)
