"""Dates that know their doubt: EDTF (ISO 8601-2) to the days that they may cover."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import edtf

from hksz_db.domain.edtf_days import NoSuchDays, days

MAX_LENGTH = 100
_DIGITS = re.compile(r"[0-9X]{4}(-[0-9X]{2}(-[0-9X]{2})?)?")
_BOUND = re.compile(r"[0-9]{4}(-[01][0-9](-[0-9]{2})?)?")
_UNSPECIFIED = re.compile(r"[0-9X]{4}(?:-[0-9X]{2})?-(?:[0-9]X|X[0-9])")
_CLOSING = {"[": "]", "{": "}"}


class InvalidDate(ValueError):
    """Not an EDTF expression that names days between the years 1 and 9999.

    ``position`` is the offset of the character at which it breaks.
    """

    def __init__(self, text: str, reason: str, position: int) -> None:
        super().__init__(f"{text!r} {reason} (position {position}).")
        self.position = position


@dataclass(frozen=True)
class Period:
    """A normalised EDTF expression and the days it may cover, both ends included.

    ``None`` stands for an end that is open or unknown.
    """

    edtf: str
    earliest: date | None
    latest: date | None


@dataclass(frozen=True)
class _Part:
    """A stretch of an expression, without the blanks around it, and where it begins."""

    text: str
    start: int

    def split(self, separator: str) -> list["_Part"]:
        parts, start = [], self.start
        for piece in self.text.split(separator):
            parts.append(_stripped(piece, start))
            start += len(piece) + len(separator)
        return parts

    def fault(self, reason: str, offset: int = 0) -> InvalidDate:
        return InvalidDate(self.text, reason, self.start + offset)


def _stripped(text: str, start: int) -> _Part:
    return _Part(text.strip(" "), start + len(text) - len(text.lstrip(" ")))


@lru_cache(maxsize=4096)
def parse(text: str) -> Period:
    """Read an EDTF expression of level 0, 1 or 2.

    An approximate or uncertain date covers what the EDTF library pads it with (``2010~`` covers
    2009 to 2011), a season its three months, a set all from its first day to its last.
    Raises ``InvalidDate``, which says where an expression breaks.
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
        raise part.fault("has more than one slash", more[0].start - part.start - 1)
    ends = [None if end.text in {"", ".."} else _without_time(end) for end in (first, last)]
    if ends == [None, None]:
        raise part.fault("is open at both ends")
    lower, upper = ends
    found = Period(
        "/".join(
            end.text if known is None else known.edtf
            for end, known in zip((first, last), ends, strict=True)
        ),
        lower.earliest if lower else None,
        upper.latest if upper else None,
    )
    return _in_order(found, part, last)


def _set(part: _Part) -> Period:
    opening, closing = part.text[0], _CLOSING[part.text[0]]
    if not part.text.endswith(closing):
        raise part.fault(f"lacks its {closing}", len(part.text))
    inner = _Part(part.text[1:-1], part.start + 1)
    members = inner.split(",")
    if len(members) == 1 and ".." not in inner.text:
        raise part.fault("is a set of less than two dates", 1)
    read = [_member(member, n, members) for n, member in enumerate(members)]
    firsts, lasts = [p.earliest for p in read], [p.latest for p in read]
    if None in firsts and None in lasts:
        raise part.fault("is open at both ends")
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
            raise bound.fault("does not bound a range: only a year, a month or a day does")
    if more or not (first.text or last.text):
        raise part.fault("is not a range")
    if not first.text and number > 0:
        raise part.fault("is open at its beginning and does not stand first")
    if not last.text and number < len(members) - 1:
        raise part.fault("is open at its end and does not stand last")
    lower = _single(first) if first.text else None
    upper = _single(last) if last.text else None
    found = Period(
        f"{first.text}..{last.text}",
        lower.earliest if lower else None,
        upper.latest if upper else None,
    )
    return _in_order(found, part, last)


def _in_order(period: Period, part: _Part, last: _Part) -> Period:
    if period.earliest and period.latest and period.earliest > period.latest:
        raise part.fault("ends before it begins", last.start - part.start)
    return period


def _without_time(part: _Part) -> Period:
    if "T" in part.text:
        raise part.fault("has a time of day, within an interval or a set", part.text.index("T"))
    return _single(part)


def _single(part: _Part) -> Period:
    # Nearly all dates are plain, and the library takes about five milliseconds for each.
    normal = part.text if _DIGITS.fullmatch(part.text) else _normal(part)
    try:
        return Period(normal, *days(normal))
    except NoSuchDays as error:
        raise part.fault(str(error), error.position) from None


def _normal(part: _Part) -> str:
    """What the library makes of a date that is more than digits."""
    if unspecified := _UNSPECIFIED.match(part.text):
        # EDTF does not qualify these digits, and the library breaks on them.
        raise part.fault("is not an EDTF date", unspecified.end())
    # The library reads over blanks, which EDTF does not have.
    blank = part.text.find(" ")
    try:
        normal = str(edtf.parse_edtf(part.text))
    except edtf.parser.edtf_exceptions.EDTFParseException as error:
        position = error.loc if blank < 0 else min(blank, error.loc)
        raise part.fault("is not an EDTF date", position) from None
    except (ValueError, TypeError, OverflowError, AttributeError, IndexError) as error:
        raise part.fault("names no days of the calendar") from error
    if blank >= 0:
        raise part.fault("is not an EDTF date", blank)
    return normal
