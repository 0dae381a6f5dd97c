"""Dates relative to the date of a text: "last year", "about 13 years ago", "on Thursday".

As in the TIMEX3 of TimeML 1.2.1, a relative date is an anchor, a signed duration and a modifier.
All three are stored, so that the date can be recomputed when the date of the anchor is corrected.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta

from hksz_db.domain.chronology import Period, parse, shift_months
from hksz_db.domain.vocabulary import TimeModifier

DURATION_PATTERN = "^-?P[0-9]{1,4}[YMWD]$"
PERIOD_LENGTH_PATTERN = "^P[1-9][0-9]{0,3}[YMWD]$"
# In the order of ``date.weekday()``.
WEEKDAYS = tuple(
    term for term in TimeModifier if term not in {TimeModifier.ABOUT, TimeModifier.WITHIN}
)


class Unresolvable(ValueError):
    """A relative date has no days; the message says why."""


@dataclass(frozen=True)
class Relative:
    """A distance from an anchor: ``Relative("-P13Y", "about")``.

    ``duration`` is an ISO 8601 duration in a single unit, which is also the precision of the
    resulting date. ``modifier`` is a ``TimeModifier``; a weekday needs a duration in weeks.
    """

    duration: str
    modifier: str | None = None


def resolve(relative: Relative, anchor: Period | None) -> Period:
    """The date at a distance from the anchor.

    Without a modifier, this is a whole year, month, week (ISO 8601, from Monday) or day. ``about``
    makes it approximate in that unit. ``within`` is the time between the anchor and that date. A
    weekday is the last such day up to the anchor, moved by the number of weeks.

    If the anchor covers several days, the result is the set of all possible dates
    (``[2010..2012]``; ``about`` adds a unit at both ends). Sets cannot contain weeks or intervals,
    so they contain the days of these instead. Raises ``Unresolvable``.
    """
    number, unit = _read(relative)
    if anchor is None or anchor.earliest is None or anchor.latest is None:
        known = f"{anchor.edtf!r} is open at one end" if anchor else "it has none"
        raise Unresolvable(f"The anchor needs a date: {known}.")
    try:
        days = anchor.earliest, anchor.latest
        return parse(_expression(number, unit, relative.modifier, *days))
    except (ValueError, OverflowError):
        raise Unresolvable(
            f"{relative.duration} from {anchor.edtf} leads beyond the years 1 to 9999."
        ) from None


def _read(relative: Relative) -> tuple[int, str]:
    duration = relative.duration
    if not re.fullmatch(DURATION_PATTERN[1:-1], duration):
        raise Unresolvable(f"{duration!r} is not a duration in one unit, such as -P13Y.")
    if relative.modifier in WEEKDAYS and not duration.endswith("W"):
        raise Unresolvable("A weekday needs a duration in weeks, such as P0W.")
    sign, digits = duration.split("P")
    return int(sign + digits[:-1]), digits[-1]


def _expression(number: int, unit: str, modifier: str | None, first: date, last: date) -> str:
    if modifier in WEEKDAYS:
        ends = [_last_weekday(day, modifier) + timedelta(weeks=number) for day in (first, last)]
        return _one_of(*map(str, ends))
    if modifier == TimeModifier.WITHIN:
        lowest = min(first, _moved(first, number, unit))
        highest = max(last, _moved(last, number, unit))
        if first == last and lowest < highest:
            return f"{lowest}/{highest}"
        return _one_of(str(lowest), str(highest))
    about = modifier == TimeModifier.ABOUT
    lower, upper = (_index(day, unit) + number for day in (first, last))
    if unit == "W":
        if lower < upper:
            weeks = (lower - about, upper + about)
            return _one_of(*(str(_day_of(n, day)) for n, day in zip(weeks, (1, 7), strict=True)))
        days = _day_of(lower, 1), _day_of(upper, 7)
        return "/".join(_approximate(str(day)) if about else str(day) for day in days)
    if lower == upper:
        return _approximate(_text(lower, unit)) if about else _text(lower, unit)
    return _one_of(_text(lower - about, unit), _text(upper + about, unit))


def _day_of(week: int, day: int) -> date:
    return date.fromordinal(7 * week + day)


def _one_of(first: str, last: str) -> str:
    return first if first == last else f"[{first}..{last}]"


def _approximate(text: str) -> str:
    # After the last part, the qualifier would apply to the larger units too.
    whole, hyphen, part = text.rpartition("-")
    return f"{whole}-~{part}" if hyphen else f"{part}~"


def _last_weekday(day: date, modifier: str) -> date:
    return day - timedelta(days=(day.weekday() - WEEKDAYS.index(TimeModifier(modifier))) % 7)


def _moved(day: date, number: int, unit: str) -> date:
    if unit in {"Y", "M"}:
        return shift_months(day, number * (12 if unit == "Y" else 1))
    return day + timedelta(days=number * (7 if unit == "W" else 1))


def _index(day: date, unit: str) -> int:
    """The number of the year, month, week or day, counted from the first one of the calendar."""
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
