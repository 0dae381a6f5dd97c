"""Reads the times that a sentence states, in English and Chinese."""

import calendar
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from itertools import zip_longest

from hksz_db.checking.folding import comparable
from hksz_db.checking.sentences import Span
from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.figure_words import SMALL_NUMBERS
from hksz_db.domain.relative_dates import WEEKDAYS, Relative, Unresolvable, resolve

_MONTHS = {
    name: number
    for number in range(1, 13)
    for name in (calendar.month_name[number].lower(), calendar.month_abbr[number].lower())
} | {"sept": 9}
_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_HAN_DIGITS = "〇零一二三四五六七八九"
_HAN_DIGIT = {digit: max(place - 1, 0) for place, digit in enumerate(_HAN_DIGITS)}
_COUNTED = {word: number for word, number in SMALL_NUMBERS.items() if 0 < number < 20} | {
    "a": 1, "an": 1, "两": 2, "十": 10, "十一": 11, "十二": 12,
} | {digit: number for digit, number in _HAN_DIGIT.items() if number}  # fmt: skip
_COUNT = "[0-9]{1,2}|" + "|".join(sorted(_COUNTED, key=len, reverse=True))
_YEAR = r"(?<![\d.,$€£¥])(?P<{0}>(?:19|20)\d\d)(?![\d%]|[.,]\d)"

_HAN_DATE = (
    r"(?P<{0}_month>\d{{1,2}}|" + _COUNT.replace("[0-9]{1,2}|", "") + r")\ ?月"
    r"(?:\ ?(?P<{0}_day>\d{{1,2}})\ ?[日号])?份?"
)

_DATE = re.compile(
    rf"""
      (?P<ending>\bend(?:\ of\ |-|\ )(?:the\ year\ )?)?(?:
        (?P<day>\d{{1,2}})(?:st|nd|rd|th)?\ (?:of\ )?(?P<month>{_MONTH})\.?
          (?:,?\ {_YEAR.format("year")})?
      | (?P<month2>{_MONTH})\.?\ (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?,?\ {_YEAR.format("year2")}
      | \b(?P<month3>{_MONTH})\.?,?\ (?:of\ )?{_YEAR.format("year3")}
      | (?:(?P<han_year>(?:19|20)\d\d|[{_HAN_DIGITS}]{{4}})\ ?年
          |(?P<their_year>去年|今年|本年|前年|明年))
        \ ?(?:{_HAN_DATE.format("han")})?(?P<han_ending>[底末])?
      | {_HAN_DATE.format("only")}(?P<only_ending>[底末])?
      | \b(?P<word_month>{"|".join(name for name in _MONTHS if len(name) > 3)})\b
      | {_YEAR.format("year4")}(?!-odd)\b
      | \b(?P<relative_year>last|this|next)\ year\b
      | \b(?P<relative_month>last|this)\ month\b
      | \b(?P<ago>{_COUNT})\ (?P<unit>years?|months?)\ ago\b
      | (?P<han_ago>{_COUNT})(?P<han_unit>年|个月)前
      | \b(?:on|last)\ (?P<weekday>{"|".join(WEEKDAYS)})\b
      )
    """,
    re.VERBOSE,
)
_PART = re.compile(
    rf"\bfirst (?P<months>{_COUNT}) months of (?:the year )?$|\b(?P<half>first|second) half of $"
    rf"|\b(?P<quarter>first|second|third|fourth) quarter of $|\bq(?P<q>[1-4])(?: of|,)? $"
)
_PART_AFTER = re.compile(
    rf"^ ?[首前头](?P<months>{_COUNT})个月|^(?P<half>[上下])半年|^第(?P<quarter>[一二三四])季"
)
_JOINED = re.compile(r" ?(?:to|-|until|through|till|至|到|和) ?(?:the )?$| and (?:the )?$")
_OPENED = re.compile(r"(?:\bbetween|\bfrom|自|由|从|介乎) ?(?:the )?$")
_UNTIL = re.compile(
    r"(?:\b(?:by|as at|as of|up to|through|to)|截至|截止|直至|至|到)"
    r"(?: the| late| early)? ?$"
)
_BOUND_BEFORE = re.compile(r"\b(?:before|after|since|prior to|until|till)(?: the)? ?$|[自从] ?$")
_BOUND_AFTER = re.compile(" ?(?:之?[前后]|以[前后來来]|起)")
# The words beside a time that belong to it are not longer.
_REACH = 40
_ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4}
_YEARS_FROM_NOW = {
    "last": -1,
    "this": 0,
    "next": 1,
    "去年": -1,
    "今年": 0,
    "本年": 0,
    "前年": -2,
    "明年": 1,
}


@dataclass(frozen=True)
class StatedTime:
    """A time that is stated at a place of the text.

    ``until``: it only says until when ("by the end of June"), so that the time has no beginning.
    ``is_relative``: it depends on the date of the text. ``is_bound``: it only says before or after
    when ("since 2017").
    """

    span: Span
    period: Period
    until: bool = False
    is_relative: bool = False
    is_bound: bool = False

    @property
    def cumulative(self) -> Period:
        """All the time until its end."""
        return parse(f"../{self.period.latest}")


@dataclass(frozen=True)
class _Found:
    """A time by its parts; a month without a year takes that of a neighbour."""

    start: int
    end: int
    year: int | None = None
    month: int | None = None
    day: int | None = None
    is_end: bool = False
    edtf: str | None = None
    is_relative: bool = False

    @property
    def written(self) -> str | None:
        if self.edtf is not None or self.year is None:
            return self.edtf
        if self.is_end:
            month = self.month or 12
            return f"{self.year}-{month:02}-{calendar.monthrange(self.year, month)[1]}"
        parts = [f"{self.year:04}"]
        parts += [f"{part:02}" for part in (self.month, self.day) if part is not None]
        return "-".join(parts)


def times_of(text: str, start: int, published: Period | None) -> list[StatedTime]:
    """The times of a sentence that begins at ``start`` of the text, in their order.

    Times relative to the date of the text are left out if that is not known.
    """
    form = comparable(text)
    found = _with_years([*_found(form, published)])
    times: list[StatedTime] = []
    at = 0
    while at < len(found):
        taken, time = _read(form, found[at : at + 2], start)
        if time is not None:
            times.append(time)
        at += taken
    return times


def _found(form: str, published: Period | None) -> Iterator[_Found]:
    for match in _DATE.finditer(form):
        place = _Found(*match.span(), is_end=bool(match["ending"]))
        with suppress(InvalidDate, Unresolvable, ValueError):
            found = _absolute(match, place) or _relative(match, place, published)
            if found is not None:
                yield _narrowed(form, found)


def _absolute(match: re.Match[str], place: _Found) -> _Found | None:
    for year, month, day in (
        ("year", "month", "day"), ("year2", "month2", "day2"), ("year3", "month3", None),
        ("year4", None, None), (None, "word_month", None),
    ):  # fmt: skip
        if (year and match[year]) or (month and match[month]):
            return replace(
                place,
                year=int(match[year]) if year and match[year] else None,
                month=_MONTHS[match[month]] if month else None,
                day=int(match[day]) if day else None,
            )
    if match["han_year"]:
        digits = "".join(str(_HAN_DIGIT.get(digit, digit)) for digit in match["han_year"])
        return _han(match, replace(place, year=int(digits)), "han")
    if match["only_month"]:
        return _han(match, place, "only")
    return None


def _han(match: re.Match[str], place: _Found, name: str) -> _Found:
    month, day = match[f"{name}_month"], match[f"{name}_day"]
    number = _count(month) if month else None
    if number is not None and not 1 <= number <= 12:
        raise ValueError(f"There is no month {number}.")
    return replace(
        place,
        month=number,
        day=int(day) if day else None,
        is_end=bool(match[f"{name}_ending"]),
    )


def _relative(match: re.Match[str], place: _Found, published: Period | None) -> _Found | None:
    if published is None or published.earliest is None or published.latest is None:
        return None
    place = replace(place, is_relative=True)
    if word := match["relative_year"] or match["their_year"]:
        resolved = resolve(Relative(f"{_signed(_YEARS_FROM_NOW[word])}Y"), published)
        if not resolved.edtf.isdigit():
            return replace(place, edtf=resolved.edtf)
        place = replace(place, year=int(resolved.edtf))
        return _han(match, place, "han") if match["their_year"] else place
    if word := match["relative_month"]:
        duration = f"{_signed(_YEARS_FROM_NOW[word])}M"
    elif count := match["ago"] or match["han_ago"]:
        is_year = (match["unit"] or match["han_unit"]).startswith(("year", "年"))
        duration = f"-P{_count(count)}{'Y' if is_year else 'M'}"
    else:
        return replace(place, edtf=resolve(Relative("P0W", match["weekday"]), published).edtf)
    return replace(place, edtf=resolve(Relative(duration), published).edtf)


def _signed(number: int) -> str:
    return f"-P{-number}" if number < 0 else f"P{number}"


def _count(written: str) -> int:
    return int(written) if written.isdigit() else _COUNTED[written]


def _narrowed(form: str, found: _Found) -> _Found:
    """The part of a year that is stated beside it: "the first ten months of 2023"."""
    if found.year is None or found.month is not None or found.edtf is not None:
        return found
    before, after = (
        _PART.search(_before(form, found)),
        _PART_AFTER.match(form[found.end : found.end + _REACH]),
    )
    part = before or after
    if part is None:
        return found
    if part["months"]:
        first, last = 1, _count(part["months"])
    elif part["half"]:
        first, last = (1, 6) if part["half"] in {"first", "上"} else (7, 12)
    else:
        quarter = part["quarter"] or part.groupdict().get("q") or ""
        number = _ORDINALS.get(quarter) or _count(quarter)
        first, last = 3 * number - 2, 3 * number
    if not 1 <= last <= 12:
        return found
    start, end = (
        (found.start - len(part[0]), found.end) if before else (found.start, found.end + part.end())
    )
    return replace(
        found, start=start, end=end, edtf=f"{found.year}-{first:02}/{found.year}-{last:02}"
    )


def _with_years(found: list[_Found]) -> list[_Found]:
    """Each month without a year with that of the time beside it."""
    known: list[_Found] = []
    before: int | None = None
    for each, following in zip_longest(found, found[1:]):
        year = each.year
        if year is None and each.edtf is None:
            after = None if following is None else following.year
            year = before if after is None else after
        before = before if year is None else year
        known.append(replace(each, year=year))
    return [each for each in known if each.written is not None]


def _read(form: str, found: Sequence[_Found], start: int) -> tuple[int, StatedTime | None]:
    """How many of the first two times are one time, and that time."""
    first = found[0]
    if len(found) == 2:
        second = found[1]
        joined = _JOINED.fullmatch(form[first.end : second.start])
        is_and = joined is not None and " and " in joined[0]
        if joined and (not is_and or _OPENED.search(_before(form, first))):
            edtf = f"{_bound(first)}/{_bound(second)}"
            with suppress(InvalidDate):
                span = Span(start + first.start, start + second.end)
                return 2, StatedTime(span, parse(edtf), is_relative=first.is_relative)
    assert first.written is not None
    try:
        period = parse(first.written)
    except InvalidDate:
        return 1, None
    until = first.is_end or _UNTIL.search(_before(form, first)) is not None
    span = Span(start + first.start, start + first.end)
    before, after = _before(form, first), form[first.end : first.end + _REACH]
    is_bound = bool(_BOUND_BEFORE.search(before) or _BOUND_AFTER.match(after))
    return 1, StatedTime(span, period, until, first.is_relative, is_bound)


def _before(form: str, found: _Found) -> str:
    return form[max(0, found.start - _REACH) : found.start]


def _bound(found: _Found) -> str:
    return (found.written or "").replace("/", "")


def days_between(one: Period, other: Period) -> int:
    """How many days lie between two periods; 0 if they meet."""
    begins = max(one.earliest or date.min, other.earliest or date.min)
    ends = min(one.latest or date.max, other.latest or date.max)
    return max((begins - ends).days, 0)
