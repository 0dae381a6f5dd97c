"""Texts in other languages than the page, marked with their language for fonts and voices."""

import re

from markupsafe import Markup, escape

from hksz_db.domain.han import HAN, script
from hksz_db.web.interface import interface

METRICS_LANGUAGE = "en"
"""The language of the labels and descriptions of metrics, and of notes, which have one only."""

_HAN = re.compile(f"[{HAN}](?:[^A-Za-z]*[{HAN}])?")
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_CHINESE = "zh"


def spoken(text: str | None, language: str | None = None) -> Markup:
    """The text, in an element with its language if that is another one than that of the page.

    Without a ``language``, a text of Han characters only is Chinese. Those in a text of another
    language are marked by themselves.
    """
    if not text:
        return Markup()
    if language is None and _HAN.search(text) and not _LATIN_WORD.search(text):
        language = f"{_CHINESE}-{script(text)}"
    inner = within(text, language)
    if language is None or language == interface().tag:
        return inner
    return Markup('<span lang="{}">{}</span>').format(language, inner)


def within(text: str, language: str | None) -> Markup:
    """The text inside an element of its language, with Han characters of other ones marked."""
    if (language or interface().tag).startswith(_CHINESE):
        return escape(text)
    pieces, end = Markup(), 0
    for found in _HAN.finditer(text):
        pieces += escape(text[end : found.start()])
        pieces += Markup('<span lang="zh-{}">{}</span>').format(script(found[0]), found[0])
        end = found.end()
    return pieces + escape(text[end:])
