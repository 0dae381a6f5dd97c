"""Tells whether the text beside a passage continues a number at the edge of the passage.

The 5,000 of 15,000, of 5,000.5 and of 5,000萬 is another figure than 5,000.
"""

import re
from unicodedata import category, normalize

from hksz_db.domain.figure_words import FRACTION_WORDS, SCALES, SMALL_NUMBERS

_REACH = 32
_WORDS = "|".join(
    sorted(
        (word for word in (*SMALL_NUMBERS, *SCALES) if len(word) > 2 and word.isascii()),
        key=len,
        reverse=True,
    )
)
_FRACTIONS = "|".join(FRACTION_WORDS)
_HAN = "〇零一二三四五六七八九十百千萬万億亿兆兩两廿卅壹貳叁肆伍陸柒捌玖拾佰仟半成"
_NUMERAL = rf"[\d{_HAN}]"
_MINUS = "\\-\N{HYPHEN}\N{NON-BREAKING HYPHEN}\N{EN DASH}\N{MINUS SIGN}"
_MARKS = ",.'/:\N{FRACTION SLASH}\N{RIGHT SINGLE QUOTATION MARK}\N{ARABIC DECIMAL SEPARATOR}·点點、"
_SIGNS = f"{_MINUS}+$€£¥"
_PARTS = f"[{_MARKS}{_MINUS}~]"

_STARTS_WITH = re.compile(
    rf"\A(?:[{_SIGNS}{_MARKS}]*{_NUMERAL}|分之|(?:{_WORDS})\b)", re.IGNORECASE
)
_BEFORE = re.compile(rf"(?:{_NUMERAL}{_PARTS}?|[{_MINUS}負负]|分之)\Z")
_BEFORE_WORD = re.compile(rf"(?:[a-z]|(?:\b(?:{_WORDS})|\d)[ -](?:and |point )?)\Z", re.IGNORECASE)
# A text in the form nfc-ws1 has no thin spaces: a space before three digits may separate thousands.
_THOUSANDS = re.compile(r"\A\d{3}(?!\d)")
_BEFORE_THOUSANDS = re.compile(r"(?<!\d)\d{1,3} \Z")
_ENDS_WITH = re.compile(rf"(?:{_NUMERAL}{_PARTS}*|分之|\b(?:{_WORDS}))\Z", re.IGNORECASE)
_AFTER = re.compile(
    rf"\A(?:{_PARTS}?{_NUMERAL}|[a-z多餘余來来幾几倍分]| ?[%‰]| per ?cent\b| \d{{3}}(?!\d)"
    rf"|[ -](?:and |point |and a )?(?:{_WORDS}|{_FRACTIONS}|[kmbt]|mn|mln|bn|tn|trn|odd)\b)",
    re.IGNORECASE,
)

PATTERNS = {
    "starts": _STARTS_WITH,
    "before": _BEFORE,
    "before_word": _BEFORE_WORD,
    "thousands": _THOUSANDS,
    "before_thousands": _BEFORE_THOUSANDS,
    "ends": _ENDS_WITH,
    "after": _AFTER,
}
"""The patterns by name, for ``copies.js``, which asks the same of texts in a browser."""


def continues_before(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` begins with a number that the text before it continues."""
    words = _visible(text[start : min(end, start + _REACH)])
    before = _visible(text[max(0, start - _REACH) : start])
    if not _STARTS_WITH.search(words):
        return False
    return bool(
        _BEFORE.search(before)
        or (words[0].isalpha() and _BEFORE_WORD.search(before))
        or (_THOUSANDS.search(words) and _BEFORE_THOUSANDS.search(before))
    )


def continues_after(text: str, start: int, end: int) -> bool:
    """Whether ``text[start:end]`` ends with a number that the text after it continues."""
    words, after = _visible(text[max(start, end - _REACH) : end]), text[end : end + _REACH]
    return bool(_ENDS_WITH.search(words) and _AFTER.search(_visible(after)))


def _visible(text: str) -> str:
    """The text without invisible characters, with raised and full-width digits as ordinary ones."""
    seen = "".join(character for character in text if category(character) != "Cf")
    return normalize("NFKC", seen)
