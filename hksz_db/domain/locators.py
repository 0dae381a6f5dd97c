"""Locators: readers can check evidence against their own copy of a text.

A locator is a span of a text that has been normalised as ``nfc-ws1``, in code points with the end
excluded. It has the SHA-256 of the span and of up to 32 code points on either side. (These are the
TextPositionSelector and TextQuoteSelector of the W3C Web Annotation model, with hashes in place of
quotes.) A passage can have a second locator, in the form ``loose1`` of the text (``loose_form``).
"""

import codecs
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import fields as fields_of
from typing import Any, Self

from hksz_db.domain.unicode_form import nfc

CONTEXT = 32


# GB18030 includes GBK and GB 2312. Big5 has the characters of Hong Kong, as in browsers.
_CODECS = {
    "utf-8": "utf-8",
    "utf-16": "utf-16",
    "utf-16le": "utf-16-le",
    "utf-16be": "utf-16-be",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "big5": "big5hkscs",
    "big5-hkscs": "big5hkscs",
}
CHARSETS = tuple(_CODECS)
"""The names of the character sets in which a text can be read."""

_BOM = "\ufeff"
_NEEDS_BOM = "utf-16"
_REFUSED = re.compile("[\0\ud800-\udfff]")


class NotText(ValueError):
    """The input is not a text; the message says why and where, without quoting it."""


class SpanNotFound(LookupError):
    """The text does not contain the words, or not that many times."""


@dataclass(frozen=True)
class Locator:
    """The place of a passage in one form of a text.

    Hashes are lower-case hexadecimal SHA-256 of UTF-8 bytes.
    """

    start_char: int
    end_char: int
    exact_sha256: str
    prefix_sha256: str
    suffix_sha256: str


LOCATOR = tuple(field.name for field in fields_of(Locator))
"""The names of the fields of a locator, in evidence too."""

LOOSE_LOCATOR = tuple(f"loose_{name}" for name in LOCATOR)
"""The names of the fields of evidence for a locator in the loose form."""


@dataclass(frozen=True)
class Passage:
    """The locator of a passage in the form ``nfc-ws1``, and in the loose form if it is known."""

    exact: Locator
    loose: Locator | None = None

    @classmethod
    def of(cls, evidence: Mapping[str, Any]) -> Self:
        """The passage with the locators in the fields of a piece of evidence."""
        exact, loose = ([evidence[name] for name in names] for names in (LOCATOR, LOOSE_LOCATOR))
        return cls(Locator(*exact), None if loose[0] is None else Locator(*loose))

    @property
    def fields(self) -> dict[str, int | str | None]:
        """The fields of evidence for the locators."""
        loose = vars(self.loose) if self.loose else dict.fromkeys(LOCATOR)
        return {**vars(self.exact), **{f"loose_{name}": value for name, value in loose.items()}}


def read(data: bytes, charset: str = "utf-8") -> str:
    """The ``nfc-ws1`` form of a text in one of the ``CHARSETS``, without the byte order mark.

    Raises ``NotText`` if it is not in that character set, and as ``read_decoded``.
    """
    if charset == _NEEDS_BOM and not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise NotText("A text in UTF-16 without a byte order mark is utf-16le or utf-16be.")
    try:
        return read_decoded(data.decode(_CODECS[charset]))
    except UnicodeDecodeError as error:
        raise NotText(f"The text is not {charset.upper()} (byte {error.start}).") from None


def read_decoded(text: str) -> str:
    """The ``nfc-ws1`` form of a text, without the byte order mark.

    Raises ``NotText`` if the text contains a NUL or half of a surrogate pair, or is only white
    space.
    """
    if refused := _REFUSED.search(text):
        raise NotText(
            f"Character U+{ord(refused[0]):04X} at position {refused.start()} is not allowed."
        )
    text = normalise(text.removeprefix(_BOM))
    if not text:
        raise NotText("The text is empty.")
    return text


def normalise(text: str) -> str:
    """The ``nfc-ws1`` form: Unicode NFC, trimmed, each run of white space replaced by one space."""
    return " ".join(nfc(text).split())


def digest(text: str) -> str:
    """The SHA-256 of the UTF-8 bytes, in hexadecimal."""
    return hashlib.sha256(text.encode()).hexdigest()


def locator(text: str, start: int, end: int) -> Locator:
    """The locator of ``text[start:end]`` in a normalised text."""
    return Locator(
        start_char=start,
        end_char=end,
        exact_sha256=digest(text[start:end]),
        prefix_sha256=digest(text[max(0, start - CONTEXT) : start]),
        suffix_sha256=digest(text[end : end + CONTEXT]),
    )


@dataclass(frozen=True)
class Quote:
    """Words of a text as they are printed, with some of what stands before and after them."""

    exact: str
    prefix: str = ""
    suffix: str = ""

    def locator(self, start: int) -> Locator | None:
        """The locator of the words, of which the first has the position ``start``.

        None if there are no words, or if the surroundings are too short on both sides. The hash of
        a side that is too short alone is that of what there is.
        """
        words = normalise(self.exact)
        before = _edge(self.prefix, ends_here=self.exact[:1].isspace())
        after = _edge(self.suffix[::-1], ends_here=self.exact[-1:].isspace())[::-1]
        if start <= len(self.prefix):  # the text begins here
            before = before.lstrip()
        is_known = len(before) >= CONTEXT or start <= len(self.prefix) or len(after) >= CONTEXT
        if not words or not is_known:
            return None
        start += len(self.exact) - len(self.exact.lstrip())
        return Locator(
            start_char=start,
            end_char=start + len(words),
            exact_sha256=digest(words),
            prefix_sha256=digest(before[-CONTEXT:]),
            suffix_sha256=digest(after[:CONTEXT]),
        )


def _edge(text: str, *, ends_here: bool) -> str:
    """The text in the normal form, but with one space at each end where it has white space."""
    found = re.sub(r"\s+", " ", nfc(text))
    return f"{found.rstrip()} " if ends_here and found.strip() else found


def locate(text: str, words: str, occurrence: int = 1) -> Locator:
    """The locator of the n-th occurrence of the words, counted from 1, in a normalised text.

    Raises ``SpanNotFound``.
    """
    words = normalise(words)
    start = -1
    if occurrence < 1 or not words:
        raise SpanNotFound("there must be at least one word, and the occurrence must be at least 1")
    for _ in range(occurrence):
        start = text.find(words, start + 1)
        if start < 0:
            raise SpanNotFound("the text does not contain the words that many times")
    return locator(text, start, start + len(words))
