"""The numbers of Chinese texts in digits: 三万五千, 3万5千, 一万二, 廿五, 壹佰万, 三四百, 百余.

The texts are in simplified characters. The scales of the numbers stay, for those of a range may
share them.
"""

import math
import re
from decimal import Decimal

DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"两": 2}
SCALES = {
    "百": 100,
    "千": 1000,
    "万": 10**4,
    "百万": 10**6,
    "千万": 10**7,
    "亿": 10**8,
    "百亿": 10**10,
    "千亿": 10**11,
    "万亿": 10**12,
}
"""The scales that may stand after a number in digits."""
REST = "多"
WIDE_REST = "余"
"""What stands after the digits of a number with an unknown rest.

A wide one may be as large as that of 30多, a rest after a unit or a scale is less than one of it.
"""
RANK = "ranked"
"""What stands before the place of a ranking."""
UNDER = "不到"
"""What stands after a number and its unit that are not reached."""

_MAX_LENGTH = 40
_MAX_MULTIPLIED = 12
_PLACES = {"亿": 10**8, "万": 10**4, "千": 1000, "百": 100, "十": 10}
_MYRIADS = ("万亿", "亿", "万")
_TENS = {"廿": "二十", "卅": "三十", "卌": "四十"}
_FORMAL = str.maketrans("壹贰貳叁參叄参肆伍陆陸柒捌玖拾佰仟", "一二二三三三三四五六六七八九十百千")
# 參, 伍, 陸 and a single character are parts of other words.
_FORMAL_NUMBER = re.compile(
    "(?=[伍陆陸參参零]*[壹贰貳叁叄肆柒捌玖拾佰仟])[壹贰貳叁參叄参肆伍陆陸柒捌玖拾佰仟万亿零]{2,}"
)

_SCALE = "(?:万亿|[百千]?[万亿]|千(?![米瓦克])|百(?![分货]))"
_FIRST = "一二三四五六七八九两十零廿卅卌"
_HAN_DIGIT = "[零一二三四五六七八九两]"
# Characters for numbers begin with a digit, or with tens.
HAN_NUMBER = rf"[{_FIRST}](?:{_HAN_DIGIT}|[十百千万亿廿卅卌])*(?:点{_HAN_DIGIT}+)?"
_GROUPED = "[0-9]+(?:,[0-9]{3})*"
_MIXED_PART = re.compile(rf"(零?)({_GROUPED})({_SCALE})?")
NUMBER = re.compile(
    rf"(?:(?P<mixed>{_GROUPED}{_SCALE}(?:(?:零?{_GROUPED}{_SCALE})+(?:零?{_GROUPED})?|零?{_GROUPED})"
    r"(?![0-9]|[.,][0-9]))"
    r"|(?P<arabic>[0-9]+(?:[, ][0-9]{3}(?![0-9]))*(?:\.[0-9]+)?|\.[0-9]+)"
    rf"|(?P<han>{HAN_NUMBER})"
    rf"|(?P<reach>上)?(?P<bare>{_SCALE}))"
    rf"(?P<scale>{_SCALE})?(?P<over>(?:[多余]|几(?![十百千]))(?P<after>{_SCALE})?)?"
)
PARTS_OF = re.compile(rf"(?P<whole>[百千万]|十万|百万|[0-9]+|{HAN_NUMBER})分之(?=[0-9{_FIRST}])")
BEFORE_NUMBER = re.compile(rf"\s*(?:[0-9a-z$¥€£-]|[{_FIRST}]|百分之)")
_COLLOQUIAL = re.compile("(.*([百千万亿]))([一二三四五六七八九])")
_PAIR = re.compile("[一二两三四五六七八][二两三四五六七八九]")


def without_formal_numerals(text: str) -> str:
    """The text with the ordinary characters for numbers: 一百万 for 壹佰万."""
    return text.translate(_FORMAL) if _FORMAL_NUMBER.search(text) else text


def value(text: str) -> int | None:
    """The whole number that characters state in full: 三万五千, but not 三万五 and 三四."""
    if len(text) > _MAX_LENGTH:
        return None
    for sign, tens in _TENS.items():
        text = text.replace(sign, tens)
    return _value(text)


def _value(text: str) -> int | None:
    place = next((place for place in _PLACES if place in text), "")
    if not place:
        return DIGITS.get(text)
    scale = _PLACES[place]
    before, _, after = text.partition(place)
    times = 1 if scale == 10 and not before else _value(before)
    most = 10**8 if place == "亿" else 10**4 if place == "万" else 10
    rest = _value_after(after, scale)
    if times is None or rest is None or not 0 < times < most or rest >= scale:
        return None
    return times * scale + rest


def _value_after(text: str, scale: int) -> int | None:
    if not text:
        return 0
    if text.startswith("零"):
        return _value(text[1:]) or None
    if text in DIGITS and scale > 10:
        return None
    rest = _value(text)
    # 一亿五千 may be short for 一亿五千万.
    return None if rest is None or (scale > 10**4 and rest < 10**4) else rest


def in_digits(
    found: re.Match[str], *, after_digit: bool = False, is_last: bool = False
) -> str | None:
    """The number that ``NUMBER`` has found, and ``None`` if it is not certain.

    ``after_digit``: it is the second one of a range such as 三至五百万. ``is_last``: no unit
    follows, as after 一万二.
    """
    scale = found["scale"] or ""
    if found["arabic"] or "点" in (found["han"] or ""):
        digits = found["arabic"] or _decimals(found["han"])
        if not found["over"]:
            return f" {digits} {scale} " if digits and scale else digits
        known = _decimal(digits)
    elif found["bare"]:
        if scale:
            return None
        if not found["over"]:
            return f" {'at least' if found['reach'] else ''} 1 {found['bare']} "
        known = None if found["reach"] else Decimal(SCALES[found["bare"]])
    else:
        whole = _whole(found, is_last)
        if whole is not None and not found["over"]:
            scaled = _scaled(whole * SCALES.get(scale, 1), after_digit)
            return scaled and f" {scaled} "
        known = None if whole is None else Decimal(whole)
    return None if known is None else _with_rest(found, known * SCALES.get(scale, 1))


def _whole(found: re.Match[str], is_last: bool) -> int | None:
    if found["mixed"]:
        return _mixed(found["mixed"])
    whole = value(found["han"])
    if whole is None and is_last and not (found["scale"] or found["over"]):
        return _colloquial(found["han"])
    return whole


def pair(text: str, *, is_counted: bool) -> str | None:
    """The range of 三四百 and 十五六, which needs a place or a unit after it."""
    found = _PAIR.search(text)
    if not found or not (is_counted or found.end() < len(text)):
        return None
    before, after = text[: found.start()], text[found.end() :]
    lower, upper = (value(f"{before}{sign}{after}") for sign in found[0])
    is_next = DIGITS[found[0][1]] - DIGITS[found[0][0]] == 1
    return f" {lower} ~ {upper} " if is_next and lower and upper else None


def fraction(whole: str, found: re.Match[str]) -> str | None:
    """The fraction of ``whole`` parts, of which ``found`` is the number."""
    part = in_digits(found)
    if part is None:
        return None
    if whole == "万":
        parts = _decimal(part) if re.fullmatch("[0-9.]+", part.strip()) else None
        return None if parts is None else f" {parts / 100:f} % "
    sign = {"百": "%", "千": "‰", "十万": "per 100000", "百万": "ppm"}.get(whole)
    if sign:
        return f" {part} {sign} "
    parts_of = int(whole) if whole.isdecimal() else value(whole)
    return f" {part.strip()}/{parts_of} " if parts_of else None


def _with_rest(found: re.Match[str], number: Decimal) -> str:
    """The number and the sign of its rest, which is below the scale that stands before the sign.

    30多万 leaves more open than 30万多. 百余 is a hundred and a rest that is less than a hundred.
    """
    if found["after"]:
        return f" {_plain(number)} {REST} {found['after']} "
    before = found[0][: -len(found["over"])]
    name = next((name for name in _MYRIADS if before.endswith(name)), "")
    if not name or before[0] in _PLACES:
        return f" {_plain(number)} {REST} "
    return f" {number / SCALES[name]:f} {name} {REST} "


def _decimal(digits: str | None) -> Decimal | None:
    """The number, if it is short enough to be multiplied exactly."""
    if not digits or len(digits) > _MAX_MULTIPLIED:
        return None
    return Decimal(re.sub("[, ]", "", digits))


def _plain(number: Decimal) -> str:
    return f"{number.normalize():f}"


def _decimals(text: str) -> str | None:
    before, _, decimals = text.partition("点")
    whole = value(before)
    return None if whole is None else f"{whole}." + "".join(str(DIGITS[sign]) for sign in decimals)


def _colloquial(text: str) -> int | None:
    """The number of 一万二 (12,000), whose last digit has the place after the one before it."""
    found = _COLLOQUIAL.fullmatch(text)
    whole = value(found[1]) if found else None
    if not found or whole is None or whole >= 100 * _PLACES[found[2]]:
        return None
    return whole + DIGITS[found[3]] * _PLACES[found[2]] // 10


def _mixed(text: str) -> int | None:
    """The number that 3万5千, 1亿2000万 and 4万7681 state."""
    number, last_scale = 0, 0
    for zero, digits, name in _MIXED_PART.findall(text):
        part = int(digits.replace(",", "")) * SCALES.get(name, 1)
        if len(digits) > _MAX_MULTIPLIED or (
            last_scale and not _may_follow(part, last_scale, digits, SCALES.get(name, 1), zero)
        ):
            return None
        number, last_scale = number + part, SCALES.get(name, 1)
    return number


def _may_follow(part: int, last_scale: int, digits: str, scale: int, zero: str) -> bool:
    """Whether a part of a number fills the places after the one before, or says that it does not.

    1亿5千 may be short for 1亿5千万, and 3万5 for 3万5千.
    """
    if part >= last_scale:
        return False
    if zero:
        return part < last_scale // 10
    if scale > 1:
        return scale >= 10**4 or last_scale <= 10**4
    places, length = int(math.log10(last_scale)), len(digits.replace(",", ""))
    return length == places or 3 <= length == places - 1


def _scaled(number: int, after_digit: bool) -> str | None:
    """The number, in myriads if it is as large.

    After the 三 of 三至五百万, the number has its whole scale (5 百万), which the 三 shares.
    """
    if after_digit:
        for name, scale in SCALES.items():
            if number % scale == 0 and 0 < number // scale < 10:
                return f"{number // scale} {name}"
    name = next((name for name in _MYRIADS if number >= SCALES[name]), "")
    scaled = Decimal(number) / SCALES.get(name, 1)
    return None if after_digit and scaled >= 20 else f"{scaled:f} {name}"
