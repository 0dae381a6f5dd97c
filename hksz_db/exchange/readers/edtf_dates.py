"""Convert dates as programs and people write them to EDTF."""

import re
from collections.abc import Sequence

from hksz_db.domain import chinese_numbers
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
    r"(?:c\.|ca\.?|circa|about|approx\.?|approximately|大?[约約])(?:\s+|(?=\d))", re.IGNORECASE
)
_TIME = re.compile(r"[T ][0-9]{2}:[0-9]{2}.*")
_FORMS = (
    re.compile(r"(\d{4})[.-](0?[1-9]|1[0-2])"),
    # Years of two halves, such as 2010/11, are not months.
    re.compile(r"(\d{4})/(0?[1-9]|1[0-2])"),
    # 2020-02/03 are two months.
    re.compile(r"(\d{4})(?:/(\d{1,2})/|\.(\d{1,2})\.|-(\d{1,2})-)(\d{1,2})"),
    re.compile(r"(\d{4})(0[1-9]|1[0-2])(\d{2})?"),
)
_WORD = re.compile(r"(\d+)(?:st|nd|rd|th)?(?![^\W_])|([^\W\d_]+)|[^\s.,-]")
# A hyphen separates the ends of a range only if nothing else does.
_STRONG = re.compile(r"\s*(?:/|--+|[–—]|\s-\s|\bto\b|\band\b|&)\s*")  # noqa: RUF001
_TWO_YEARS = re.compile(r"(\d{4})\s*(-+|/|[–—至])\s*(\d{4}|\d{2})(?:年度?)?")  # noqa: RUF001
_HAN_DIGITS = "\u3007○零一二三四五六七八九十廿卅"
_IN_HAN_DIGITS = str.maketrans("\u3007○零一二三四五六七八九", "000123456789")
_CHINESE = re.compile(
    rf"\s*(?:(?P<year>\d{{4}}|[{_HAN_DIGITS}]{{4}})\s*年(?:(?P<season>[春夏秋冬])[季天]?$)?"
    rf"|(?P<month>\d{{1,2}}|[{_HAN_DIGITS}]{{1,3}})\s*月"
    rf"|(?P<day>\d{{1,2}}|[{_HAN_DIGITS}]{{1,3}})\s*[日号號])"
)
_SEASONS = {"春": "spring", "夏": "summer", "秋": "autumn", "冬": "winter"}
_WEEKDAY = re.compile(
    r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b[.,]?\s*"
    r"|\s*[(（]?(?:星期|禮拜|礼拜|[週周])[一二三四五六日天][)）]?",  # noqa: RUF001
    re.IGNORECASE,
)
_WINTER = re.compile(r"winter(?: of)?[ ,]+(?P<after>.+)|(?P<before>.+?)[ ,]+winter", re.IGNORECASE)
_SEASON = re.compile(r"(\d{4})-(2[1-4])")
_DECADE = re.compile(r"(\d{3})0'?s")
_YEAR = re.compile(r"(?<!\d)(?:1\d{3}|20\d{2})(?!\d)")
# What makes the year doubtful that a text names.
_DOUBT = re.compile(
    r"[?~%]|\.\.|\d{4}[-/–](?:1[3-9]|[2-9]\d)(?![\d/-])|\b(?:c|ca|circa|about|accessed|retrieved"  # noqa: RUF001
    r"|viewed|before|after|since|until|till|or|not|forthcoming|expected|planned|present|ongoing"
    r"|current|now|orig\w*|repr\w*|bce?)\b|[前後后起约約或預预]|以[來来]|至今|未",
    re.IGNORECASE,
)


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

    Known are EDTF except for seasons, ISO 8601, numbers with the year first, English and Chinese
    months and seasons, ranges of these, ``c. 1999`` and ``1990s``. Two years, such as 2023-24, are
    a range, and so is 2010/11, which could also be a month. Times of day and weekdays are ignored.
    """
    text = _WEEKDAY.sub("", " ".join(text.split())).strip("() ,;")
    # Brackets around one date mean that it was inferred; around several, they are an EDTF set.
    text = text.strip("[]") if not re.search(r",|\.\.", text) else text
    if years := _two_years(text):
        return valid("/".join(years))
    text = _without_chinese(text)
    if decade := _DECADE.fullmatch(text):
        return valid(f"{decade[1]}X")
    return _one(text) or _winter(text) or _range(text)


def certain_year(text: str) -> str | None:
    """The only year in a text that is no date otherwise, unless its words make it doubtful."""
    years = set(_YEAR.findall(_without_chinese(text)))
    return years.pop() if len(years) == 1 and not _DOUBT.search(text) else None


def _without_chinese(text: str) -> str:
    """The text with the parts of a Chinese date in English: ``2023 October to December``."""
    if not re.search("[年月日号號]", text):
        return text
    text = _CHINESE.sub(_in_english, " ".join(text.split()))
    text = " ".join(text.split())
    return re.sub(r"(?<=[\d\w]) ?[至到] ?(?=\w)", " to ", text)


def _in_english(part: re.Match[str]) -> str:
    if part["year"]:
        season = _SEASONS.get(part["season"] or "", "")
        return f" {part['year'].translate(_IN_HAN_DIGITS)} {season} "
    written = part["month"] or part["day"]
    number = int(written) if written.isdecimal() else chinese_numbers.value(written) or 0
    if part["day"]:
        return f" {number} "
    return f" {MONTHS[number - 1]} " if 1 <= number <= 12 else part[0]


def month_number(name: str) -> int | None:
    """The number of a month or season that is named in English; seasons are 21 to 24."""
    return _NUMBERS.get(name.strip(" .").casefold())


def one_winter(first: int, last: int) -> str | None:
    """The winter that two years in sequence share; EDTF names it by the first."""
    return from_parts([first, 24]) if last == first + 1 else None


def may_be_years(season: str) -> bool:
    """Whether the EDTF of a season, such as ``2023-24``, may be meant for a range of years."""
    form = _SEASON.fullmatch(season)
    return form is not None and int(form[2]) > int(form[1][2:])


def _two_years(text: str) -> tuple[str, str] | None:
    """``2023-24``, ``2019/2020``; ``2010-11`` is a month, and so is ``2010/05``."""
    form = _TWO_YEARS.fullmatch(text)
    if form is None:
        return None
    first, separator, last = form.groups()
    if len(last) == 4:
        return first, last
    if 1 <= int(last) <= 12 and (separator == "-" or int(last) <= int(first[2:])):
        return None
    century = int(first[:2]) + (last == "00" and first[2:] == "99")
    return (first, f"{century:02d}{last}") if f"{century:02d}{last}" > first else None


def _winter(text: str) -> str | None:
    form = _WINTER.fullmatch(text)
    years = _two_years(form["after"] or form["before"]) if form else None
    return one_winter(*map(int, years)) if years else None


def _range(text: str) -> str | None:
    ends = _STRONG.split(text)
    if len(ends) != 2:
        ends = [end for end in re.split(r"\s*-\s*", text) if end]
    if len(ends) != 2 or not any(ends):
        return None
    read = [end if end in {"", ".."} else _one(end) or _season(end, ends) for end in ends]
    if None in read:
        read = _completed(*ends)
    return None if None in read else valid("/".join(map(str, read)))


def _season(end: str, ends: Sequence[str]) -> str | None:
    """A season of EDTF, which also ends ranges; 2020-21 may rather be two years."""
    form = _SEASON.fullmatch(end)
    if form is None:
        return None
    is_one_year = ends[0][:4] == ends[1][:4]
    return end if is_one_year or int(form[2]) != (int(form[1]) + 1) % 100 else None


def _completed(first: str, last: str) -> list[str | None]:
    """The ends of a range, each with what only the other has: ``1-3 May 2019``."""
    one, other = _parts(first), _parts(last)
    if not one or not other:
        return [None]
    for part in "ym":
        if part not in one and part in other and (part == "y" or "d" in one):
            one[part] = other[part]
        elif part not in other and part in one and (part == "y" or "d" in other):
            other[part] = one[part]
    return [_from_words(one), _from_words(other)]


def _one(text: str) -> str | None:
    text = _TIME.sub("", text)
    circa = _CIRCA.match(text)
    if circa:
        text = text[circa.end() :]
    for form in _FORMS:
        if match := form.fullmatch(text):
            numbers = [int(part) for part in match.groups() if part]
            return from_parts(numbers, circa is not None)
    if not re.match("-|.*-$", text) and (parts := _parts(text)):
        return _from_words(parts, circa is not None)
    if circa:
        return None
    # The rest of EDTF: qualifiers, unspecified digits, sets.
    plain = re.fullmatch(r"\d{4}[/.-]\d{1,2}", text)
    return valid(text) if re.match(r"[\[{0-9]", text) and "/" not in text and not plain else None


def _parts(text: str) -> dict[str, int] | None:
    """The year, month and day that words name, each at most once."""
    found: dict[str, int] = {}
    for number, name in _WORD.findall(text):
        if name == "of":
            continue
        part = "m" if name else {1: "d", 2: "d", 4: "y"}.get(len(number), "")
        if not part or part in found or (name and name.casefold() not in _NUMBERS):
            return None
        found[part] = _NUMBERS[name.casefold()] if name else int(number)
    return found


def _from_words(parts: dict[str, int], circa: bool = False) -> str | None:
    if "y" not in parts or ("d" in parts and "m" not in parts):
        return None
    return from_parts([parts[part] for part in "ymd" if part in parts], circa)
