"""The words, numbers and signs of a text that states a figure, and tables of phrases of them."""

import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Generic, Literal, NamedTuple, TypeVar

from hksz_db.domain import figure_words as words
from hksz_db.domain.chinese_figures import in_english

MAX_LENGTH = 200
MAX_DIGITS = 30
MAX_PLACES = 20

_Value = TypeVar("_Value")

# 1,23,456 and 1.234.567 can be read in one way only, unlike 1.234.
_OTHER_GROUPS = (
    r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?![0-9,])(?:\.[0-9]+)?"
    r"|[0-9]{1,3}(?:(?:\.[0-9]{3}){2,}(?:,[0-9]+)?|\.[0-9]{3},[0-9]{1,2})(?![0-9.,])"
    r"|[0-9]{1,3}(?:['\N{RIGHT SINGLE QUOTATION MARK}][0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
)
_TOKEN = re.compile(
    rf"(?P<grouped>{_OTHER_GROUPS})"
    r"|(?P<number>[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
    r"|[0-9]{1,3}(?: [0-9]{3})+(?![0-9])(?:\.[0-9]+)?"
    r"|[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
    r"|(?P<word>[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}][^\W\d_]+)*)"
    r"|(?P<sign>\S)"
)
_DASH = re.compile("[\N{HYPHEN}-\N{HORIZONTAL BAR}\N{MINUS SIGN}]")
# A hyphen within a word ("twenty-five") or after a number ("30-odd") joins as a space does.
# Between two sums of money it is that of a range ("US$3bn-US$5bn").
_CURRENCY = "|".join(re.escape(name.casefold()) for name in words.CURRENCY_PREFIXES)
_JOINING_HYPHEN = re.compile(rf"(?<=[^\W_])-(?=[^\W\d_])(?!(?:{_CURRENCY}) ?[0-9])")
_PARTS = re.compile("(?<=[^\\W_])-(in|out-of)-(?=[^\\W_])")
_ABBREVIATION_POINT = re.compile(r"(?<=[^\W\d_])\.")
_PLUS = re.compile("-plus| plus$")
_WRONG_SEPARATOR = re.compile(r"[0-9],[0-9]")
_IGNORED = set(',"“”«»')


class UnreadableFigure(ValueError):
    """A text does not state one figure that can be understood; the message says why."""


class Token(NamedTuple):
    """A word, number or sign; it is ``glued`` if no space stands before it."""

    text: str
    kind: Literal["number", "word", "sign"]
    glued: bool

    @property
    def digits(self) -> Decimal:
        """The number without its separators."""
        return Decimal(self.text.replace(",", "").replace(" ", ""))


class Phrases(Generic[_Value]):
    """A table of phrases, of which the longest one is found at a place in a text.

    A space in a phrase may be missing in the text, but not the reverse: "A$" is not "a $".
    """

    def __init__(self, values: Mapping[str, _Value]) -> None:
        self._values: dict[tuple[str, ...], tuple[_Value, list[bool]]] = {}
        for name, value in values.items():
            phrase = _split(_folded(name))
            key = tuple(token.text for token in phrase)
            self._values[key] = value, [token.glued for token in phrase]
        self._longest: dict[str, int] = {}
        for first, *rest in self._values:
            self._longest[first] = max(self._longest.get(first, 0), 1 + len(rest))

    def match(self, text: Sequence[Token], start: int) -> tuple[_Value, int] | None:
        """The value of the phrase that starts there, and where the phrase ends."""
        longest = self._longest.get(text[start].text, 0) if start < len(text) else 0
        for end in range(min(start + longest, len(text)), start, -1):
            found = self._values.get(tuple(token.text for token in text[start:end]))
            if found is not None:
                value, glued = found
                if all(map(_fits, text[start + 1 : end], glued[1:])):
                    return value, end
        return None


def _fits(token: Token, glued: bool) -> bool:
    return token.glued or not glued


@lru_cache(maxsize=2048)
def tokens(text: str) -> Sequence[Token]:
    """The tokens of a text, without regard to case, hyphens and compatibility variants (NFKC).

    Those of a Chinese figure are in English.
    Raises ``UnreadableFigure``.
    """
    if len(text) > MAX_LENGTH:
        raise UnreadableFigure(f"The text is longer than {MAX_LENGTH} characters.")
    return [token for token in _split(_normalised(text)) if token.text not in _IGNORED]


def _normalised(text: str) -> str:
    if not text.isascii():
        return _rewritten(text)
    text = " ".join(text.lower().split()).rstrip(" .!?")
    if "plus" in text:
        text = _PLUS.sub("+", text)
    return _joined(text) if "-" in text or "." in text else text


def _rewritten(text: str) -> str:
    """The text in compatible forms of its characters, and a Chinese figure in English."""
    text = _folded("".join(map(_spaced, text, " " + text))).replace("\N{FRACTION SLASH}", "/")
    text = "".join(character for character in text if unicodedata.category(character) != "Cf")
    text = " ".join(_DASH.sub("-", text).split()).rstrip(" .!?\N{IDEOGRAPHIC FULL STOP}")
    text = _PLUS.sub("+", text.replace("\N{WAVE DASH}", "~"))
    try:
        text = in_english(text)
    except ValueError as error:
        raise UnreadableFigure(str(error)) from None
    return _joined(text)


def _joined(text: str) -> str:
    """The text without the hyphens and points within words."""
    text = _PARTS.sub(lambda words: words[0].replace("-", " "), _ABBREVIATION_POINT.sub("", text))
    return _JOINING_HYPHEN.sub(" ", text)


def _spaced(character: str, before: str) -> str:
    decomposition = unicodedata.decomposition(character)
    if decomposition.startswith("<fraction>"):
        # NFKC alone would make 51/2 of 5½.
        return f" {character} "
    if decomposition.startswith(("<super>", "<sub>")) and before.isdigit():
        raise UnreadableFigure("A raised or lowered character after a number is not understood.")
    return character


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _split(text: str) -> list[Token]:
    found = []
    for match in _TOKEN.finditer(text):
        written = match[0]
        if match["grouped"]:
            written = _with_a_point(written)
            kind: Literal["number", "word", "sign"] = "number"
        elif match["number"]:
            _check_number(match, text)
            kind = "number"
        else:
            kind = "word" if match["word"] else "sign"
        glued = match.start() > 0 and text[match.start() - 1] != " "
        found.append(Token(written, kind, glued))
    return found


def _with_a_point(number: str) -> str:
    """The number without its groups, with a point before its decimals."""
    if number.count(".") > 1 or "," in number[number.find(".") :]:
        number = number.replace(".", "").replace(",", ".")
    digits = re.sub("[^0-9.]", "", number)
    if len(digits) > MAX_DIGITS:
        raise UnreadableFigure(f"A number has more than {MAX_DIGITS} digits.")
    return digits


def _check_number(match: re.Match[str], text: str) -> None:
    whole, _, decimals = match[0].partition(".")
    if len(re.sub("[, ]", "", whole)) > MAX_DIGITS or len(decimals) > MAX_PLACES:
        raise UnreadableFigure(
            f"A number has more than {MAX_DIGITS} digits before the point or {MAX_PLACES} after it."
        )
    if _WRONG_SEPARATOR.match(text, match.end() - 1):
        raise UnreadableFigure(f"The commas after {match[0]!r} do not group thousands.")


class Cursor:
    """A place in a text, which moves from left to right."""

    def __init__(self, text: Sequence[Token]) -> None:
        self.at = 0
        self._text = text

    def peek(self, ahead: int = 0) -> Token | None:
        """The next token, or one further ahead."""
        at = self.at + ahead
        return self._text[at] if at < len(self._text) else None

    def word(self, ahead: int = 0) -> str:
        """The text of the next token, or of one further ahead; empty after the last one."""
        token = self.peek(ahead)
        return token.text if token else ""

    def rest(self) -> Sequence[Token]:
        """The tokens that have not been read."""
        return self._text[self.at :]

    def take(self, *any_of: str) -> str:
        """Read the next token if it is one of these."""
        word = self.word()
        if not word or word not in any_of:
            return ""
        self.at += 1
        return word

    def take_phrase(self, phrases: Phrases[_Value]) -> _Value | None:
        """Read the longest phrase that stands here."""
        found = phrases.match(self._text, self.at)
        if found is None:
            return None
        value, self.at = found
        return value

    def length_of(self, phrases: Phrases[_Value], ahead: int = 0) -> int:
        """The number of tokens of the longest phrase that stands here or further ahead."""
        found = phrases.match(self._text, self.at + ahead)
        return found[1] - self.at - ahead if found else 0

    def attempt(self, read: Callable[[], _Value | None]) -> _Value | None:
        """What ``read`` returns. If it returns nothing or fails, nothing has been read."""
        at = self.at
        try:
            result = read()
        except UnreadableFigure:
            result = None
        if result is None:
            self.at = at
        return result
