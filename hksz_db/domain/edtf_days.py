"""The days that one EDTF date may cover: unspecified digits, seasons, qualifiers."""

import re
from collections.abc import Iterable, Iterator
from datetime import MAXYEAR, MINYEAR, date, timedelta
from itertools import product

_QUALIFIER = "[?~%]?"
_DATE = re.compile(
    f"(?P<own_y>{_QUALIFIER})(?P<y>[0-9X]{{4}})(?:S(?P<digits>[1-4]))?(?P<upto_y>{_QUALIFIER})"
    f"(?:-(?P<own_m>{_QUALIFIER})(?P<m>[0-9X]{{2}})(?P<upto_m>{_QUALIFIER})"
    f"(?:-(?P<own_d>{_QUALIFIER})(?P<d>[0-9X]{{2}})(?P<upto_d>{_QUALIFIER})(?:T.*)?)?)?"
)
_PARTS = ("y", "m", "d")
_LEAP_YEAR = "2000"
# The first month and the number of months of each division of a year (ISO 8601-2, 4.8). A winter
# begins in its year, because EDTF sorts it after the autumn. 29 to 32 are the seasons of the
# southern hemisphere. The library is not used here because it cuts winters off at the end of the
# year.
_SEASONS = {
    **dict.fromkeys((21, 25, 31), (3, 3)),
    **dict.fromkeys((22, 26, 32), (6, 3)),
    **dict.fromkeys((23, 27, 29), (9, 3)),
    **dict.fromkeys((24, 28, 30), (12, 3)),
    **{33 + n: (1 + 3 * n, 3) for n in range(4)},
    **{37 + n: (1 + 4 * n, 4) for n in range(3)},
    **{40 + n: (1 + 6 * n, 6) for n in range(2)},
}


class InvalidDays(ValueError):
    """A date has no days between the years 1 and 9999; ``position`` is the offset of the error."""

    def __init__(self, reason: str, position: int) -> None:
        super().__init__(reason)
        self.position = position


def days(text: str) -> tuple[date, date]:
    """The first and the last day that an EDTF date may cover.

    A qualifier extends the date at both ends as the EDTF library does: by one unit (``%``: two) of
    each part that it qualifies, and by ten or a hundred years if the year has unspecified digits
    (``201X~``: ten). Raises ``InvalidDays``.
    """
    match = _DATE.fullmatch(text)
    if not match:
        raise InvalidDays("has no days between the years 1 and 9999", 0)
    year, month, day = (match[part] for part in _PARTS)
    if match["digits"]:
        year = year[: int(match["digits"])].ljust(4, "X")
    if month and not day and month.isdigit() and int(month) > 12:
        first, last = _season(year, int(month), match.start("m"))
    else:
        _check(match, year, month, day)
        first = next(_candidates(year, month, day))
        last = next(_candidates(year, month, day, descending=True))
    months, days_ = _padding(match, len(year) - len(year.rstrip("X")))
    return _shifted(first, -months, -days_), _shifted(last, months, days_, to_end=not day)


def month_end(year: int, month: int) -> date:
    """The last day of a month; months above 12 are in the years after ``year``."""
    year, month = year + month // 12, month % 12 + 1
    return date.max if year > MAXYEAR and month == 1 else date(year, month, 1) - timedelta(days=1)


def shift_months(day: date, months: int) -> date:
    """The day ``months`` months later, or the last day of that month if it is shorter."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError
    return date(year, month + 1, min(day.day, month_end(year, month + 1).day))


def _season(year: str, season: int, position: int) -> tuple[date, date]:
    if season not in _SEASONS or "X" in year:
        raise InvalidDays("is not a date: month or season out of range", position)
    month, length = _SEASONS[season]
    try:
        return date(int(year), month, 1), month_end(int(year), month + length - 1)
    except ValueError:
        raise InvalidDays("extends beyond the years 1 to 9999", 0) from None


def _check(match: re.Match[str], year: str, month: str | None, day: str | None) -> None:
    """Refuse an impossible date.

    Month and day are checked in a leap year first, because XXXX stands for ten thousand years.
    """
    for part, reason, found in (
        ("y", "year", _numbers(year, MAXYEAR)),
        ("m", "month", _candidates(_LEAP_YEAR, month, None)),
        ("d", "day", _candidates(_LEAP_YEAR, month, day)),
        ("d", "day", _candidates(year, month, day)),
    ):
        if next(iter(found), None) is None:
            raise InvalidDays(f"is not a date: {reason} out of range", match.start(part))


def _candidates(
    year: str, month: str | None, day: str | None, *, descending: bool = False
) -> Iterator[date]:
    """The days that match the digits, in order; X matches any digit."""
    months = tuple(_numbers(month or "XX", 12, descending=descending))
    for y in _numbers(year, MAXYEAR, descending=descending):
        for m in months:
            length = month_end(y, m).day
            for d in _numbers(day or "XX", length, descending=descending):
                yield date(y, m, d)


def _numbers(pattern: str, highest: int, *, descending: bool = False) -> Iterable[int]:
    digits = "9876543210" if descending else "0123456789"
    every = product(*(digits if character == "X" else character for character in pattern))
    return (number for number in map(int, map("".join, every)) if 1 <= number <= highest)


def _padding(match: re.Match[str], unspecified: int) -> tuple[int, int]:
    """The months and the days by which the qualifiers extend the date."""
    counts = []
    for n, part in enumerate(_PARTS):
        # A qualifier before a part applies to that part, one after it to all parts up to it.
        marks = [match[f"own_{part}"], *(match[f"upto_{later}"] for later in _PARTS[n:])]
        counts.append(sum(2 if mark == "%" else 1 for mark in marks if mark) if match[part] else 0)
    years, months, days_ = counts
    return 12 * years * 10**unspecified + months, days_


def _shifted(day: date, months: int, days_: int, *, to_end: bool = False) -> date:
    try:
        moved = shift_months(day, months)
        if to_end:
            moved = month_end(moved.year, moved.month)
        return moved + timedelta(days=days_)
    except OverflowError:
        raise InvalidDays("extends beyond the years 1 to 9999", 0) from None
