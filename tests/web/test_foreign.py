"""Pieces in other languages than the page are marked with their language."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from hksz_db.domain.han import HAN
from hksz_db.web.citing import published
from hksz_db.web.foreign import noted, spoken, within
from tests.browser.examples import READING, filled
from tests.web.conftest import Browser

IdOf = Callable[[str, str], str]
_HAN = re.compile(f"[{HAN}]")
_ENGLISH = re.compile(r"[A-Za-z]{2,}(?: [A-Za-z]{2,}){2,}")
# The texts of drawings for those who do not see them have no elements.
_WITHOUT_ELEMENTS = {"title", "desc", "script", "option"}


def spoken_texts(element: Any, language: str) -> Iterator[tuple[str, str]]:
    """Each text below an element, with the language of the nearest element that has one."""
    if not isinstance(element.tag, str) or element.tag in _WITHOUT_ELEMENTS:
        return
    own = element.get("lang", language)
    if element.text:
        yield own, element.text
    for child in element:
        yield from spoken_texts(child, own)
        if child.tail:
            yield own, child.tail


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
def test_every_piece_has_its_language(browser: Browser, id_of: IdOf, language: str) -> None:
    browser.client.set_cookie("ui", language)
    wrong, read = list[tuple[str, str, str]](), 0
    more = ("/claims?q=河套", "/sources?language=zh-Hans")
    for path in (*READING, *more):
        page = browser.get(filled(path, id_of))
        (body,) = page.tree.xpath("//body")
        for own, text in spoken_texts(body, language):
            read += 1
            is_chinese = own.startswith("zh")
            if _HAN.search(text) and not is_chinese:
                wrong.append((path, own, text))
            if is_chinese and _ENGLISH.search(text):
                wrong.append((path, own, text))
    assert wrong == []
    assert read > 1000


@pytest.mark.parametrize(
    ("text", "language", "html"),
    [
        ("a tunnel", "en", "a tunnel"),
        ("a tunnel", None, "a tunnel"),
        ("隧道", None, '<span lang="zh-Hant">隧道</span>'),
        ("广东", None, '<span lang="zh-Hans">广东</span>'),
        ("ein Tunnel", "de", '<span lang="de">ein Tunnel</span>'),
        ("the zone 前海 <b>", "en", 'the zone <span lang="zh-Hant">前海</span> &lt;b&gt;'),
        (None, "en", ""),
    ],
)
def test_a_piece_in_an_english_page(
    app: Flask, text: str | None, language: str | None, html: str
) -> None:
    with app.test_request_context():
        assert spoken(text, language) == html


def test_a_note_is_in_english_or_in_chinese(app: Flask) -> None:
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert noted("Seen twice.") == '<span lang="en">Seen twice.</span>'
        assert noted("見兩次。") == "見兩次。"
        assert within("前海 zone", "en") == '<span lang="zh-Hant">前海</span> zone'


def test_an_empty_piece_in_another_language_is_nothing(app: Flask) -> None:
    press = {"entity": {"name": "Pearl River Institute"}, "role": "publisher"}
    source: Any = {
        "container_title": None,
        "contributors": [press],
        "issued": {"edtf": "2024-03-14"},
        "language": "en",
    }
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert spoken("", "en") == ""
        assert published(source) == "Pearl River Institute\uff0c2024年3月14日"


def test_a_text_with_controls_of_direction_is_isolated(app: Flask) -> None:
    with app.test_request_context(query_string={"ui": "en"}):
        assert noted("a \u202enote") == "<bdi>a \u202enote</bdi>"
        assert spoken("\u2067前海", "zh-Hant") == '<bdi lang="zh-Hant">\u2067前海</bdi>'
        assert spoken("plain", "en") == "plain"
