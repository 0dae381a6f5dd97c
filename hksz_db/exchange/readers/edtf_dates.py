"""Convert dates as programs and people write them to EDTF."""

import re
from collections.abc import Sequence

from hksz_db.domain.chronology import InvalidDate, parse

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
# Months, and seasons as EDTF numbers them.
_NUMBERS = {
    **{month.lower(): number for number, month in enumerate(MONTHS, start=1)},
    **{month[:3].lower(): number for number, month in enumerate(MONTHS, start=1)},
    "sept": 9,
    "spring": 21,
    "summer": 22,
    "autumn": 23,
    "fall": 23,
    "winter": 24,
}
_CIRCA = re.compile(
    r"(?:c\.|ca\.?|circa|about|approx\.?|approximately)(?:\s+|(?=\d))", re.IGNORECASE
)
_TIME = re.compile(r"[T ][0-9]{2}:[0-9]{2}.*")
_FORMS = (
    (re.compile(r"(\d{4})"), "y"),
    # 2010/11 may be a winter and 2010-13 a range of years, so neither is read as a month.
    (re.compile(r"(\d{4})[.-](0?[1-9]|1[0-2]|2[1-4])"), "ym"),
    (re.compile(r"(\d{4})[/.-](\d{1,2})[/.-](\d{1,2})"), "ymd"),
    (re.compile(r"(\d{4})\s*年(?:\s*(\d{1,2})\s*月(?:\s*(\d{1,2})\s*日)?)?"), "ymd"),
    (re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[ .-]+([A-Za-z]+)\.?[ ,-]+(\d{4})"), "dmy"),
    (re.compile(r"([A-Za-z]+)\.?\s+(\d{1,2})(?:st|nd|rd|th)?,?\s+(\d{4})"), "mdy"),
    (re.compile(r"([A-Za-z]+)\.?,?[ -]+(\d{4})"), "my"),
    (re.compile(r"(\d{4})[ ,]+([A-Za-z]+)\.?"), "ym"),
    (re.compile(r"(\d{4})[ ,]+([A-Za-z]+)\.?[ ,]+(\d{1,2})"), "ymd"),
)
_RANGE = re.compile(r"\s*(?:/|--+|[–—]|\s-\s|\s+to\s+)\s*")  # noqa: RUF001 - as it is printed
_YEARS = re.compile(r"(\d{4})\s*[-/]\s*(\d{4})")
_DECADE = re.compile(r"(\d{3})0'?s")


def valid(expression: str) -> str | None:
    """The expression, if it is EDTF and within the years 1 to 9999."""
    try:
        return parse(expression).edtf
    except InvalidDate:
        return None


def from_parts(parts: Sequence[int], circa: bool = False) -> str | None:
    """Convert a year, perhaps with month and day; months from 13 or 21 are seasons (CSL)."""
    year, month, day = (*parts, 0, 0)[:3]
    if not 1 <= year <= 9999 or month < 0 or day < 0:
        return None
    text = f"{year:04d}"
    if month:
        season = next((month - start for start in (13, 21) if 0 <= month - start < 4), None)
        text += f"-{month:02d}" if season is None else f"-{21 + season}"
        # EDTF has no season with a day, so valid() refuses it.
        text += f"-{day:02d}" if day else ""
    return valid(text + ("~" if circa else ""))


def from_text(text: str) -> str | None:
    """Convert a printed date; ``None`` if it is ambiguous or not a date.

    Known are EDTF, ISO 8601, numbers with the year first, English months and seasons,
    2024年1月24日, ranges of these, ``c. 1999`` and ``1990s``. A time of day is ignored.
    """
    text = " ".join(text.split()).strip("() ,;")
    # Brackets around one date mean that it was inferred; around several, they are an EDTF set.
    text = text.strip("[]") if not re.search(r",|\.\.", text) else text
    if years := _YEARS.fullmatch(text):
        return valid(f"{years[1]}/{years[2]}")
    if decade := _DECADE.fullmatch(text):
        return valid(f"{decade[1]}X")
    if found := _one(text):
        return found
    ends = _RANGE.split(text)
    if len(ends) != 2 or not any(ends):
        return None
    read = [end if end in {"", ".."} else _one(end) for end in ends]
    return None if None in read else valid("/".join(map(str, read)))


def _one(text: str) -> str | None:
    text = _TIME.sub("", text)
    circa = _CIRCA.match(text)
    if circa:
        text = text[circa.end() :]
    for form, order in _FORMS:
        if match := form.fullmatch(text):
            found = _ordered(match.groups(), order)
            return None if found is None else from_parts(found, circa is not None)
    if circa:
        return None
    # The rest of EDTF: qualifiers, seasons, unspecified digits, sets.
    plain = re.fullmatch(r"\d{4}[/.-]\d{1,2}", text)
    return valid(text) if re.match(r"[\[{0-9]", text) and "/" not in text and not plain else None


def _ordered(values: Sequence[str | None], order: str) -> list[int] | None:
    given = dict(zip(order, values, strict=False))
    found = []
    for name in "ymd":
        value = given.get(name)
        if value is None:
            break
        number = int(value) if value.isdecimal() else _NUMBERS.get(value.casefold())
        if number is None:
            return None
        found.append(number)
    return found
