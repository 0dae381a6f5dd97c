"""Dates that know their doubt: EDTF (ISO 8601-2) to the days that they may cover."""

import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from functools import lru_cache
from time import struct_time

import edtf

_PLAIN = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d{2}))?)?", re.ASCII)
_MAX_LENGTH = 100


class InvalidDate(ValueError):
    """Not an EDTF expression that names days between the years 1 and 9999."""


@dataclass(frozen=True)
class Period:
    """A normalised EDTF expression and the days it may cover, both ends included.

    ``None`` stands for an end that is open or unknown.
    """

    edtf: str
    earliest: date | None
    latest: date | None


@lru_cache(maxsize=4096)
def parse(text: str) -> Period:
    """Read an EDTF expression of level 0, 1 or 2.

    An approximate or uncertain date covers what the EDTF library pads it with (``2010~`` covers
    2009 to 2011); ``InvalidDate`` says where an expression breaks. Plain dates, nearly all there
    are, are read here: the library takes about five milliseconds for each.
    """
    plain = _PLAIN.fullmatch(text)
    return _parse_plain(text, plain) if plain else _parse_edtf(text)


def _parse_plain(text: str, match: re.Match[str]) -> Period:
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        earliest = date(year, month or 1, day or 1)
    except ValueError as error:
        raise InvalidDate(f"{text!r} is not a date: {error}.") from None
    if day:
        return Period(text, earliest, earliest)
    return Period(text, earliest, _last_day(year, month or 12))


def _last_day(year: int, month: int) -> date:
    if month == 12:
        return date(year, 12, 31)
    return date(year, month + 1, 1) - timedelta(days=1)


def _parse_edtf(text: str) -> Period:
    if len(text) > _MAX_LENGTH:
        raise InvalidDate(f"A date has at most {_MAX_LENGTH} characters.")
    try:
        parsed = edtf.parse_edtf(text)
        # An open end comes back as an infinite float; an unknown one as a guess of ten years.
        earliest = None if text.startswith("/") else _end(parsed.lower_fuzzy())
        latest = None if text.endswith("/") else _end(parsed.upper_fuzzy())
    except edtf.parser.edtf_exceptions.EDTFParseException as error:
        raise InvalidDate(f"{text!r} is not an EDTF date (position {_position(error)}).") from None
    except (ValueError, TypeError, OverflowError, AttributeError, IndexError) as error:
        raise InvalidDate(f"{text!r} names no days of the calendar.") from error
    if earliest is None and latest is None:
        raise InvalidDate(f"{text!r} is open at both ends.")
    if earliest and latest and earliest > latest:
        raise InvalidDate(f"{text!r} ends before it begins.")
    # The library writes sets with blanks, which EDTF does not have.
    return Period(str(parsed).replace(" ", ""), earliest, latest)


def _position(error: Exception) -> int:
    found = re.search(r"position (\d+)", str(error))
    return int(found.group(1)) if found else 0


def _end(moment: struct_time | float) -> date | None:
    if isinstance(moment, float):
        return None
    if not MINYEAR <= moment[0] <= MAXYEAR:
        raise ValueError("the year is not between 1 and 9999")
    return date(moment[0], moment[1], moment[2])
