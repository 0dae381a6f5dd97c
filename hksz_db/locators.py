"""Evidence that a reader can check against his own copy of a text.

A locator is a span in code points, end exclusive, over a text normalised as ``nfc-ws1``, with
the SHA-256 of the span and of up to 32 code points on either side (the TextPositionSelector and
TextQuoteSelector of the W3C Web Annotation model, with hashes in place of the quotes).
"""

import hashlib
import unicodedata
from dataclasses import dataclass

CONTEXT = 32


class SpanNotFound(LookupError):
    """The words do not occur, or not so often."""


@dataclass(frozen=True)
class Locator:
    """Where a passage stands; hashes are lower-case hexadecimal SHA-256 of UTF-8 bytes."""

    start_char: int
    end_char: int
    exact_sha256: str
    prefix_sha256: str
    suffix_sha256: str


def normalise(text: str) -> str:
    """The ``nfc-ws1`` form: Unicode NFC, every run of white space one space, none at the ends."""
    return " ".join(unicodedata.normalize("NFC", text).split())


def digest(text: str) -> str:
    """SHA-256 of the text's UTF-8 bytes, in hexadecimal."""
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
    """The locator of the words' n-th occurrence, counted from 1, in a normalised text.

    Raises ``SpanNotFound`` when there is no such occurrence.
    """
    words = normalise(words)
    start = -1
    if occurrence < 1 or not words:
        raise SpanNotFound("there must be words, and their occurrences count from 1")
    for _ in range(occurrence):
        start = text.find(words, start + 1)
        if start < 0:
            raise SpanNotFound("the words do not occur so often in the text")
    return locator(text, start, start + len(words))
