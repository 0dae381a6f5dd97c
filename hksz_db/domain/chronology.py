"""Uncertain dates: EDTF (ISO 8601-2) expressions and the days that they may cover."""

import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from functools import lru_cache
from itertools import product

import edtf

MAX_LENGTH = 100
UNCERTAIN = r"[?~%X{\[S]|^/|/$"
"""The regular expression, here and in PostgreSQL, for EDTF expressions that are uncertain: with
qualifiers, unspecified digits, sets, significant digits, or an end that is unknown."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_DIGITS = re.compile(r"[0-9X]{4}(-[0-9X]{2}(-[0-9X]{2})?)?")
_BOUND = re.compile(r"[0-9]{4}(-[01][0-9](-[0-9]{2})?)?")
_UNSPECIFIED = re.compile(r"[0-9X]{4}(?:-[0-9X]{2})?-(?:[0-9]X|X[0-9])")
_CLOSING = {"[": "]", "{": "}"}
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


class InvalidDate(ValueError):
    """A text is not an EDTF expression for days between the years 1 and 9999.

    ``position`` is the offset of the first character that is wrong.
    """

    def __init__(self, text: str, reason: str, position: int) -> None:
        super().__init__(f"{text!r} {reason} (position {position}).")
        self.position = position


@dataclass(frozen=True)
class Period:
    """A normalised EDTF expression and the days that it may cover, both ends included.

    ``None`` means that an end is open or unknown.
    """

    edtf: str
    earliest: date | None
    latest: date | None


@dataclass(frozen=True)
class _Part:
    """A part of an expression without surrounding blanks, and its offset."""

    text: str
    start: int

    def split(self, separator: str) -> list["_Part"]:
        parts, start = [], self.start
        for piece in self.text.split(separator):
            parts.append(_stripped(piece, start))
            start += len(piece) + len(separator)
        return parts

    def error(self, reason: str, offset: int = 0) -> InvalidDate:
        return InvalidDate(self.text, reason, self.start + offset)


def _stripped(text: str, start: int) -> _Part:
    return _Part(text.strip(" "), start + len(text) - len(text.lstrip(" ")))


@lru_cache(maxsize=4096)
def parse(text: str) -> Period:
    """Parse an EDTF expression of level 0, 1 or 2.

    The EDTF library decides how many days an approximate or uncertain date covers (``2010~``
    covers 2009 to 2011). A season covers three months, and a set every day from its first to its
    last. Raises ``InvalidDate`` with the position of the error.
    """
    if len(text) > MAX_LENGTH:
        raise InvalidDate(f"{text[:20]}…", f"has more than {MAX_LENGTH} characters", MAX_LENGTH)
    part = _stripped(text, 0)
    if part.text[:1] in _CLOSING:
        return _set(part)
    return _interval(part) if "/" in part.text else _single(part)


def _interval(part: _Part) -> Period:
    first, last, *more = part.split("/")
    if more:
        raise part.error("has more than one slash", more[0].start - part.start - 1)
    ends = [None if end.text in {"", ".."} else _without_time(end) for end in (first, last)]
    if ends == [None, None]:
        raise part.error("is open at both ends")
    lower, upper = ends
    text = f"{lower.edtf if lower else first.text}/{upper.edtf if upper else last.text}"
    return _range(text, lower, upper, part, last)


def _set(part: _Part) -> Period:
    opening, closing = part.text[0], _CLOSING[part.text[0]]
    if not part.text.endswith(closing):
        raise part.error(f"has no closing {closing}", len(part.text))
    inner = _Part(part.text[1:-1], part.start + 1)
    members = inner.split(",")
    if len(members) == 1 and ".." not in inner.text:
        raise part.error("is a set of fewer than two dates", 1)
    read = [_member(member, n, members) for n, member in enumerate(members)]
    firsts, lasts = [p.earliest for p in read], [p.latest for p in read]
    if None in firsts and None in lasts:
        raise part.error("is open at both ends")
    return Period(
        f"{opening}{','.join(period.edtf for period in read)}{closing}",
        None if None in firsts else min(day for day in firsts if day),
        None if None in lasts else max(day for day in lasts if day),
    )


def _member(part: _Part, number: int, members: Sequence[_Part]) -> Period:
    if ".." not in part.text:
        return _without_time(part)
    first, last, *more = part.split("..")
    for bound in (first, last):
        if bound.text and not _BOUND.fullmatch(bound.text):
            raise bound.error("cannot end a range: only a year, a month or a day can")
    if more or not (first.text or last.text):
        raise part.error("is not a range")
    if not first.text and number > 0:
        raise part.error("has an open start but is not the first member")
    if not last.text and number < len(members) - 1:
        raise part.error("has an open end but is not the last member")
    lower, upper = (_single(end) if end.text else None for end in (first, last))
    return _range(f"{first.text}..{last.text}", lower, upper, part, last)


def _range(
    text: str, lower: Period | None, upper: Period | None, part: _Part, last: _Part
) -> Period:
    earliest = lower.earliest if lower else None
    latest = upper.latest if upper else None
    if earliest and latest and earliest > latest:
        raise part.error("ends before it begins", last.start - part.start)
    return Period(text, earliest, latest)


def _without_time(part: _Part) -> Period:
    if "T" in part.text:
        raise part.error(
            "has a time of day, which is not allowed in an interval or a set", part.text.index("T")
        )
    return _single(part)


def _single(part: _Part) -> Period:
    # Most dates are days or only digits, and the library needs about five milliseconds for each.
    if _DAY.fullmatch(part.text):
        with suppress(ValueError):
            day = date.fromisoformat(part.text)
            return Period(part.text, day, day)
    normal = part.text if _DIGITS.fullmatch(part.text) else _normal(part)
    return Period(normal, *_days(normal, part))


def _normal(part: _Part) -> str:
    if unspecified := _UNSPECIFIED.match(part.text):
        # EDTF does not allow a qualifier after these digits, and the library fails on it.
        raise part.error("is not an EDTF date", unspecified.end())
    # The library ignores blanks, which EDTF does not allow.
    blank = part.text.find(" ")
    try:
        normal = str(edtf.parse_edtf(part.text))
    except edtf.parser.edtf_exceptions.EDTFParseException as error:
        position = error.loc if blank < 0 else min(blank, error.loc)
        raise part.error("is not an EDTF date", position) from None
    except (ValueError, TypeError, OverflowError, AttributeError, IndexError) as error:
        raise part.error("does not name a day of the calendar") from error
    if blank >= 0:
        raise part.error("is not an EDTF date", blank)
    return normal


def _days(text: str, part: _Part) -> tuple[date, date]:
    """The first and the last day that a normalised date may cover.

    A qualifier extends the date at both ends as the EDTF library does: by one unit (``%``: two) of
    each part that it qualifies, and by ten or a hundred years if the year has unspecified digits
    (``201X~``: ten).
    """
    match = _DATE.fullmatch(text)
    if not match:
        raise part.error("has no days between the years 1 and 9999")
    year, month, day = (match[group] for group in _PARTS)
    if match["digits"]:
        year = year[: int(match["digits"])].ljust(4, "X")
    season = int(month) if month and not day and month.isdigit() and int(month) > 12 else None
    if season is None:
        _check(part, match, year, month, day)
    elif season not in _SEASONS or "X" in year:
        raise part.error("is not a date: month or season out of range", match.start("m"))
    months, days = _padding(match, len(year) - len(year.rstrip("X")))
    try:
        if season is None:
            first = next(_candidates(year, month, day))
            last = next(_candidates(year, month, day, descending=True))
        else:
            start, length = _SEASONS[season]
            first = date(int(year), start, 1)
            last = _month_end(int(year), start + length - 1)
        last = shift_months(last, months)
        if not day:
            last = _month_end(last.year, last.month)
        return shift_months(first, -months) - timedelta(days), last + timedelta(days)
    except (OverflowError, ValueError):
        raise part.error("extends beyond the years 1 to 9999") from None


def _month_end(year: int, month: int) -> date:
    """The last day of a month; months above 12 are in the years after ``year``."""
    year, month = year + month // 12, month % 12 + 1
    return date.max if year > MAXYEAR and month == 1 else date(year, month, 1) - timedelta(days=1)


def shift_months(day: date, months: int) -> date:
    """The day ``months`` months later, or the last day of that month if it is shorter.

    Raises ``OverflowError`` beyond the years 1 to 9999.
    """
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if not MINYEAR <= year <= MAXYEAR:
        raise OverflowError
    return date(year, month + 1, min(day.day, _month_end(year, month + 1).day))


def _check(
    part: _Part, match: re.Match[str], year: str, month: str | None, day: str | None
) -> None:
    # Month and day are checked in a leap year first, because XXXX stands for ten thousand years.
    for group, reason, found in (
        ("y", "year", _numbers(year, MAXYEAR)),
        ("m", "month", _candidates(_LEAP_YEAR, month, None)),
        ("d", "day", _candidates(_LEAP_YEAR, month, day)),
        ("d", "day", _candidates(year, month, day)),
    ):
        if next(iter(found), None) is None:
            raise part.error(f"is not a date: {reason} out of range", match.start(group))


def _candidates(
    year: str, month: str | None, day: str | None, *, descending: bool = False
) -> Iterator[date]:
    """The days that match the digits, in order; X matches any digit."""
    months = tuple(_numbers(month or "XX", 12, descending=descending))
    for y in _numbers(year, MAXYEAR, descending=descending):
        for m in months:
            length = _month_end(y, m).day
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
    years, months, days = counts
    return 12 * years * 10**unspecified + months, days
