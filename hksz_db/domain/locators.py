"""Locators: readers can check evidence against their own copy of a text.

A locator is a span of a text that has been normalised as ``nfc-ws1``, in code points with the end
excluded. It has the SHA-256 of the span and of up to 32 code points on either side. (These are the
TextPositionSelector and TextQuoteSelector of the W3C Web Annotation model, with hashes in place of
quotes.)
"""

import codecs
import hashlib
from dataclasses import dataclass

from hksz_db.domain.unicode_form import nfc

CONTEXT = 32


class NotText(ValueError):
    """The input is not a text; the message says why and where, without quoting it."""


class NotUtf8(NotText):
    """The input is not UTF-8."""


class SpanNotFound(LookupError):
    """The text does not contain the words, or not that many times."""


@dataclass(frozen=True)
class Locator:
    """The place of a passage; hashes are lower-case hexadecimal SHA-256 of UTF-8 bytes."""

    start_char: int
    end_char: int
    exact_sha256: str
    prefix_sha256: str
    suffix_sha256: str


def read(data: bytes) -> str:
    """The ``nfc-ws1`` form of a text in UTF-8, without the byte order mark.

    Raises ``NotUtf8``, or ``NotText`` if the text contains a NUL or only white space.
    """
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise NotUtf8(f"The text is not UTF-8 (byte {error.start}).") from None
    if "\0" in text:
        raise NotText(f"Character U+0000 at position {text.index(chr(0))} is not allowed.")
    text = normalise(text.removeprefix(codecs.BOM_UTF8.decode()))
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
