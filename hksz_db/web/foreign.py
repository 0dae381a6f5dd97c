"""Texts in languages other than the page's, marked with their language for fonts and voices."""

import re
from functools import lru_cache

from markupsafe import Markup, escape

from hksz_db.domain.han import HAN, certain_script, script
from hksz_db.web.interface import interface

ENGLISH = "en"
"""The language of labels and descriptions of metrics, which have one only."""

_HAN = re.compile(f"[{HAN}](?:[^A-Za-z]*[{HAN}])?")
_EACH_HAN, _LATIN = re.compile(f"[{HAN}]"), re.compile("[A-Za-z]")
_LETTERS_OF_HAN = 3
"""For about how many letters a Han character stands."""
_LATIN_WORD = re.compile(r"[A-Za-z]{2,}")
_CHINESE = "zh"
# Controls of the direction of text. They also move what follows, unless the text is isolated.
_DIRECTED = re.compile("[\u202a-\u202e\u2066-\u2069]")


def lang(text: str | None, language: str | None = None) -> Markup:
    """The attribute for an element that has the text only; empty in the language of the page."""
    return _attribute(_language(text or "", _told(text or "", language)), interface().tag)


def language_of_words(text: str, *known: str | None) -> str:
    """The language of a text, as far as its characters tell it.

    That of a Chinese text follows from its script or, if that may be either, from the languages
    that are ``known``, the most likely one first, and from the page's. A text in letters is in the
    first of these that is not Chinese, or else in English.
    """
    others = [each for each in (*known, interface().tag) if each]
    if len(_EACH_HAN.findall(text)) * _LETTERS_OF_HAN > len(_LATIN.findall(text)):
        told = certain_script(text)
        chinese = (each for each in others if each.startswith(_CHINESE))
        return f"{_CHINESE}-{told}" if told else next(chinese, f"{_CHINESE}-{script(text)}")
    return next((each for each in others if not each.startswith(_CHINESE)), ENGLISH)


def spoken(text: str | None, language: str | None = None) -> Markup:
    """The text, in an element with its language if it differs from that of the page; or nothing.

    Without a ``language``, the characters tell it. Han characters in a text of another language
    are marked by themselves.
    """
    return _spoken(text, _told(text, language), interface().tag) if text else Markup()


def guessed(text: str | None) -> Markup:
    """The text as ``spoken`` in the language that its characters tell: a summary has no other."""
    return spoken(text, language_of_words(text)) if text else Markup()


def noted(text: str | None) -> Markup:
    """A note, a description or a figure as stated: in English if it has words in Latin letters."""
    return spoken(text, ENGLISH if _LATIN_WORD.search(text or "") else None)


def within(text: str | None, language: str | None = None) -> Markup:
    """The text inside an element of its language, with Han characters of other ones marked."""
    return _within(text or "", language or interface().tag)


def _told(text: str, language: str | None) -> str | None:
    """The language or, if it is not known and the text has words, what its characters tell."""
    is_told = language is None and _LATIN_WORD.search(text)
    return language_of_words(text) if is_told else language


@lru_cache(maxsize=4096)
def _spoken(text: str, language: str | None, tag: str) -> Markup:
    # A page has hundreds of pieces, and most of them are on other pages, too.
    found = _language(text, language)
    attribute, inner = _attribute(found, tag), _within(text, found or tag)
    if _DIRECTED.search(text):
        return Markup("<bdi{}>{}</bdi>").format(attribute, inner)
    return Markup("<span{}>{}</span>").format(attribute, inner) if attribute else inner


def _attribute(language: str | None, tag: str) -> Markup:
    if language is None or language == tag:
        return Markup()
    return Markup(' lang="{}"').format(language)


def _within(text: str, language: str) -> Markup:
    if language.startswith(_CHINESE):
        return escape(text)
    pieces, end = Markup(), 0
    for found in _HAN.finditer(text):
        pieces += escape(text[end : found.start()])
        pieces += Markup('<span lang="zh-{}">{}</span>').format(script(found[0]), found[0])
        end = found.end()
    return pieces + escape(text[end:])


def _language(text: str, language: str | None) -> str | None:
    has_words = _LATIN_WORD.search(text) is not None
    if language is None and not has_words and _HAN.search(text):
        return f"{_CHINESE}-{script(text)}"
    if language is not None and language.startswith(_CHINESE) and has_words:
        # A source in Chinese may have a title that was supplied in English.
        return language if _HAN.search(text) else ENGLISH
    return language
