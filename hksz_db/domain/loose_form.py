"""The form ``loose1``, in which texts that differ only in typography are equal.

It is made from the form ``nfc-ws1`` (``locators``) in these steps:

1. Characters of the category Cf are left out: soft hyphens, zero-width and direction marks, byte
   order marks. A soft hyphen between a letter and a space, where a line ended, becomes
   a hyphen.
2. Unicode NFKC, which takes ligatures apart and makes full-width characters ordinary ones. A space
   keeps a number that is not written in digits (10², 2½, ①) apart from the digits beside it.
3. Quotation marks become ``'`` or ``"``, dashes become hyphens, and ellipses three full stops.
4. Several spaces, hyphens or ellipses in a row become one. A hyphen keeps a space only on one side,
   and not where a line may have ended. Between two letters there is no hyphen, because it is
   unclear whether one at the end of a line belongs to the word.
5. There is no space between two Han characters, or between one and a digit or punctuation.

Upper and lower case, accents, and the marks between digits stay as they are.
"""

import re
import string
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import NamedTuple
from unicodedata import category, normalize

from hksz_db.domain.han import HAN
from hksz_db.domain.locators import Locator, locator
from hksz_db.domain.unicode_form import nfc

_SOFT_HYPHEN = "\u00ad"
_FOLDED = str.maketrans({
    **dict.fromkeys("‘’‚‛‹›′‵`´ʼʻ『』", "'"),  # noqa: RUF001
    **dict.fromkeys("“”„‟«»〝〞〟「」", '"'),
    **dict.fromkeys("‐‑‒–—―−⁃─⸺⸻", "-"),  # noqa: RUF001
    "⋯": "…",
})  # fmt: skip
_HAN = f"\u2e80-\u2fdf\u3001-\u303f{HAN}"
_BY_HAN = rf"\d{re.escape(string.punctuation)}"
_SPACES = re.compile(r"\A +| +\Z| {2,}")
_TWO_QUOTES = re.compile("''")
_ELLIPSES = re.compile(r"\.(?: ?\.){2,}")
_HYPHENS = re.compile(" ?-[ -]*")
_SPACE_BY_HAN = re.compile(
    f" (?:(?<=[{_HAN}] )(?=[{_HAN}{_BY_HAN}])|(?<=[{_BY_HAN}] )(?=[{_HAN}]))"
)


class LooseForm:
    """The form ``loose1`` of an ``original`` that is in the form ``nfc-ws1``."""

    def __init__(self, text: str) -> None:
        self.text = self.original = text
        self._steps: list[_Edits] = []
        if not text.isascii():
            self._fold_characters()
        self.text = self.text.translate(_FOLDED)
        self._rewrite(_SPACES, _one_space)
        self._rewrite(_TWO_QUOTES, lambda _: '"')
        self._rewrite(_ELLIPSES, lambda _: "...")
        self._rewrite(_HYPHENS, _one_hyphen)
        self._rewrite(_SPACE_BY_HAN, lambda _: "")

    def locator(self, exact: Locator) -> Locator | None:
        """The locator in this form of a passage whose locator in the text is known.

        ``None`` if the words would have another form beside other words, or none that is visible.
        """
        start, end = exact.start_char, exact.end_char
        words = loose(self.original[start:end])
        for edits in self._steps:
            start, end = edits.redo(start, end)
        if not words or self.text[start:end] != words:
            return None
        return locator(self.text, start, end)

    def span_in_text(self, start: int, end: int) -> tuple[int, int]:
        """The span of the text that became a span of this form."""
        for edits in reversed(self._steps):
            start, end = edits.undo(start, end)
        return start, end

    def _fold_characters(self) -> None:
        if invisible := [each for each in set(self.text) if category(each) == "Cf"]:
            self._rewrite(re.compile(f"[{_class_of(invisible)}]+"), _visible)
        # Before NFKC, which takes an acute accent apart into a space and a mark.
        self.text = self.text.translate(_FOLDED)
        letters = {each: normalize("NFKD", each) for each in set(self.text)}
        changing = [each for each, folded in letters.items() if normalize("NFC", folded) != each]
        marks = [each for each, folded in letters.items() if _joins(folded[0])]
        # What was left out may have kept marks apart from their letters.
        if marks and (changing or invisible):
            clusters = f"[^{_class_of(marks)}]?[{_class_of(marks)}]+"
            if changing:
                clusters += f"|[{_class_of(changing)}]"
            self._rewrite(re.compile(clusters), _compatible)
        elif changing:
            self._rewrite(re.compile(f"[{_class_of(changing)}]"), _compatible)

    def _rewrite(self, pattern: re.Pattern[str], written: Callable[[re.Match[str]], str]) -> None:
        edits = _Edits()
        parts: list[str] = []
        copied = length = 0
        for match in pattern.finditer(self.text):
            start, end = match.span()
            new = written(match)
            if new != match[0]:
                parts += (self.text[copied:start], new)
                length += start - copied
                edits.add(start, end, length, length + len(new))
                copied, length = end, length + len(new)
        if parts:
            self.text = "".join([*parts, self.text[copied:]])
            self._steps.append(edits)


def loose(text: str) -> str:
    """The form ``loose1`` of a text that is in the form ``nfc-ws1``."""
    return LooseForm(text).text


class _Edits:
    """The spans that one step replaced, from the first to the last."""

    def __init__(self) -> None:
        self._old, self._new = _Spans(array("l"), array("l")), _Spans(array("l"), array("l"))

    def add(self, start: int, end: int, new_start: int, new_end: int) -> None:
        self._old.starts.append(start)
        self._old.ends.append(end)
        self._new.starts.append(new_start)
        self._new.ends.append(new_end)

    def redo(self, start: int, end: int) -> tuple[int, int]:
        return _start(start, self._old, self._new), _end(end, self._old, self._new)

    def undo(self, start: int, end: int) -> tuple[int, int]:
        return _start(start, self._new, self._old), _end(end, self._new, self._old)


class _Spans(NamedTuple):
    starts: "array[int]"
    ends: "array[int]"


def _start(place: int, here: _Spans, there: _Spans) -> int:
    """Where a span starts on the other side of the edits; at the start of one that it cuts."""
    last = bisect_right(here.starts, place) - 1
    if last < 0:
        return place
    beyond = place - here.ends[last]
    return there.starts[last] if beyond < 0 else there.ends[last] + beyond


def _end(place: int, here: _Spans, there: _Spans) -> int:
    """Where a span ends on the other side of the edits; at the end of one that it cuts."""
    first = bisect_left(here.ends, place)
    if first < len(here.ends) and place > here.starts[first]:
        return there.ends[first]
    return place if first == 0 else place - here.ends[first - 1] + there.ends[first - 1]


def _class_of(characters: Iterable[str]) -> str:
    return re.escape("".join(characters))


def _joins(character: str) -> bool:
    """Whether the character may combine with the one before it: marks, and parts of syllables."""
    is_jamo = "\u1160" <= character <= "\u11ff" or "\ud7b0" <= character <= "\ud7ff"
    return is_jamo or category(character)[0] == "M"


def _visible(invisible: re.Match[str]) -> str:
    before, after = _neighbours(invisible)
    is_hyphen = _SOFT_HYPHEN in invisible[0] and before.isalnum() and after == " "
    return "-" if is_hyphen else ""


def _compatible(cluster: re.Match[str]) -> str:
    folded = nfc("".join(normalize("NFKD", each) for each in cluster[0]))
    if category(cluster[0][0]) == "Nd":
        return folded
    before, after = _neighbours(cluster)
    apart_before = " " if before.isdecimal() and folded[0].isdecimal() else ""
    apart_after = " " if after.isdecimal() and folded[-1].isdecimal() else ""
    return f"{apart_before}{folded}{apart_after}"


def _one_space(spaces: re.Match[str]) -> str:
    return " " if all(_neighbours(spaces)) else ""


def _one_hyphen(run: re.Match[str]) -> str:
    before, after = _neighbours(run)
    opens, closes = run[0].startswith(" "), run[0].endswith(" ")
    if opens and not closes:
        return " -"
    if closes and not opens and not (before.isalnum() and after.isalnum()):
        return "- "
    return "" if _has_case(before) and _has_case(after) else "-"


def _has_case(letter: str) -> bool:
    return letter.isalpha() and letter.lower() != letter.upper()


def _neighbours(found: re.Match[str]) -> tuple[str, str]:
    """The characters before and after, empty at the edges of the text."""
    start, end = found.span()
    return found.string[max(0, start - 1) : start], found.string[end : end + 1]
