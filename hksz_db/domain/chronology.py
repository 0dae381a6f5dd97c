"""Uncertain dates: EDTF (ISO 8601-2) expressions and the days that they may cover."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import edtf

from hksz_db.domain.edtf_days import InvalidDays, days

MAX_LENGTH = 100
_DIGITS = re.compile(r"[0-9X]{4}(-[0-9X]{2}(-[0-9X]{2})?)?")
_BOUND = re.compile(r"[0-9]{4}(-[01][0-9](-[0-9]{2})?)?")
_UNSPECIFIED = re.compile(r"[0-9X]{4}(?:-[0-9X]{2})?-(?:[0-9]X|X[0-9])")
_CLOSING = {"[": "]", "{": "}"}


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
    # Most dates are only digits, and the library needs about five milliseconds for each date.
    normal = part.text if _DIGITS.fullmatch(part.text) else _normal(part)
    try:
        return Period(normal, *days(normal))
    except InvalidDays as error:
        raise part.error(str(error), error.position) from None


def _normal(part: _Part) -> str:
    """The date as the library normalises it."""
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
