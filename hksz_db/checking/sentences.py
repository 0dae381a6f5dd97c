"""The sentences of a text, in English and Chinese."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import sentencex

_HAN = re.compile("[\u3400-\u9fff]")
_LETTER = re.compile(r"[^\W\d_]")


class Span(NamedTuple):
    """A part of a text in code points; the end is excluded."""

    start: int
    end: int


def sentences_of(text: str, language: str | None = None) -> Iterator[Span]:
    """The sentences in their order, without the white space around them.

    A line break ends a sentence if a blank line, or a line in Chinese, follows. What has neither
    letters nor digits is no sentence.
    """
    start = 0
    for paragraph in re.split(
        r"(\n\s*\n|\n(?=[\u3400-\u9fff])|(?<=[\u3400-\u9fff。！？])\n)", text
    ):
        for span in _split(paragraph, language):
            yield Span(start + span.start, start + span.end)
        start += len(paragraph)


def _split(paragraph: str, language: str | None) -> Iterator[Span]:
    start = 0
    for sentence in sentencex.segment(_language_of(paragraph, language), paragraph):
        stripped = sentence.strip()
        if any(map(str.isalnum, stripped)):
            first = start + sentence.index(stripped)
            yield Span(first, first + len(stripped))
        start += len(sentence)


def _language_of(paragraph: str, language: str | None) -> str:
    """The language whose abbreviations end no sentence."""
    if 3 * len(_HAN.findall(paragraph)) > len(_LETTER.findall(paragraph)):
        return "zh"
    return "zh" if language and language.startswith("zh") and _HAN.search(paragraph) else "en"
