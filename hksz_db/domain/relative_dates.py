"""Dates that a text gives relative to its own: "last year", "about 13 years ago", "on Thursday".

After the TIMEX3 of TimeML 1.2.1: an anchor, a signed duration and a modifier, kept so that the
date can be worked out again when the anchor's is corrected.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.edtf_days import shift_months
from hksz_db.domain.vocabulary import TimeModifier

DURATION_PATTERN = "^-?P[0-9]{1,4}[YMWD]$"
WEEKDAYS = (
    TimeModifier.MONDAY,
    TimeModifier.TUESDAY,
    TimeModifier.WEDNESDAY,
    TimeModifier.THURSDAY,
    TimeModifier.FRIDAY,
    TimeModifier.SATURDAY,
    TimeModifier.SUNDAY,
)


class Unresolvable(ValueError):
    """A relative date that the anchor gives no days for; the message says why."""


@dataclass(frozen=True)
class Relative:
    """How a date lies from its anchor: ``Relative("-P13Y", "about")``.

    ``duration`` is one of ISO 8601 in a single unit, which is the precision of what it leads to;
    ``modifier`` is a ``TimeModifier``. A weekday goes with weeks only.
    """

    duration: str
    modifier: str | None = None


@dataclass(frozen=True)
class _Distance:
    number: int
    unit: str
    backwards: bool


def resolve(relative: Relative, anchor: Period | None) -> Period:
    """The date that lies so from a day of the anchor.

    Without a modifier that is the whole year, month, week (ISO 8601, from Monday) or day;
    ``about`` makes it approximate in that unit; ``within`` is the time between the anchor and it;
    a weekday is the last such day until the anchor, and as many weeks from it as are given.

    Where the anchor is a stretch of days, the answer is one of what any of them gives
    (``[2010..2012]``; a unit more on either side with ``about``). A set has no weeks and no
    intervals: of these it is one of the days that they cover.
    Raises ``Unresolvable``.
    """
    distance = _read(relative)
    if anchor is None or anchor.earliest is None or anchor.latest is None:
        known = f"{anchor.edtf!r} is open at one end" if anchor else "it has none"
        raise Unresolvable(f"The anchor needs a date to reckon from: {known}.")
    try:
        return parse(_expression(distance, relative.modifier, anchor.earliest, anchor.latest))
    except (InvalidDate, ValueError, OverflowError):
        raise Unresolvable(
            f"{relative.duration} from {anchor.edtf} leads beyond the years 1 to 9999."
        ) from None


def _read(relative: Relative) -> _Distance:
    duration = relative.duration
    if not re.fullmatch(DURATION_PATTERN[1:-1], duration):
        raise Unresolvable(f"{duration!r} is not a duration in one unit, such as -P13Y.")
    if relative.modifier in WEEKDAYS and not duration.endswith("W"):
        raise Unresolvable("A weekday lies at a distance in weeks, such as P0W.")
    sign, digits = duration.split("P")
    number = int(digits[:-1])
    return _Distance(-number if sign else number, digits[-1], bool(sign))


def _expression(distance: _Distance, modifier: str | None, first: date, last: date) -> str:
    number, unit = distance.number, distance.unit
    if modifier in WEEKDAYS:
        ends = [_last_weekday(day, modifier) + timedelta(weeks=number) for day in (first, last)]
        return _one_of(*(end.isoformat() for end in ends))
    if modifier == TimeModifier.WITHIN:
        if distance.backwards:
            ends = [_moved(first, distance), last]
        else:
            ends = [first, _moved(last, distance)]
        return _interval(*ends) if first == last else _one_of(*map(str, ends))
    about = modifier == TimeModifier.ABOUT
    lower, upper = (_index(day, unit) + number for day in (first, last))
    if unit == "W":
        if lower < upper:
            weeks = (lower - about, upper + about)
            return _one_of(*(str(_day_of(n, day)) for n, day in zip(weeks, (1, 7), strict=True)))
        days = _day_of(lower, 1), _day_of(upper, 7)
        return "/".join(_approximate(day.isoformat()) if about else str(day) for day in days)
    if lower == upper:
        return _approximate(_text(lower, unit)) if about else _text(lower, unit)
    return _one_of(_text(lower - about, unit), _text(upper + about, unit))


def _day_of(week: int, day: int) -> date:
    return date.fromordinal(7 * week + day)


def _one_of(first: str, last: str) -> str:
    return first if first == last else f"[{first}..{last}]"


def _interval(first: date, last: date) -> str:
    return str(first) if first == last else f"{first}/{last}"


def _approximate(text: str) -> str:
    # On the left of the last part: on the right it would make the greater units approximate too.
    whole, hyphen, part = text.rpartition("-")
    return f"{whole}-~{part}" if hyphen else f"{part}~"


def _last_weekday(day: date, modifier: str) -> date:
    return day - timedelta(days=(day.weekday() - WEEKDAYS.index(TimeModifier(modifier))) % 7)


def _moved(day: date, distance: _Distance) -> date:
    match distance.unit:
        case "Y":
            return shift_months(day, 12 * distance.number)
        case "M":
            return shift_months(day, distance.number)
        case unit:
            return day + timedelta(days=distance.number * (7 if unit == "W" else 1))


def _index(day: date, unit: str) -> int:
    """The number of the unit that the day is in, counted from the first there is."""
    return {
        "Y": day.year,
        "M": 12 * day.year + day.month - 1,
        "W": (day.toordinal() - 1) // 7,  # the first day of the year 1 is a Monday
        "D": day.toordinal(),
    }[unit]


def _text(index: int, unit: str) -> str:
    match unit:
        case "Y":
            return f"{index:04}"
        case "M":
            return f"{index // 12:04}-{index % 12 + 1:02}"
        case _:
            return date.fromordinal(index).isoformat()
