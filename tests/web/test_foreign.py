"""Pieces in other languages than the page are marked with their language."""

# ruff: noqa: RUF001 - texts are in Chinese

import re
from collections.abc import Callable, Iterable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask

from hksz_db.domain.han import HAN
from hksz_db.domain.vocabulary import Scope
from hksz_db.web.citing import published
from hksz_db.web.foreign import lang, noted, spoken, within
from tests.browser.examples import NO_PAGE, READING, filled
from tests.web.conftest import Browser, MakeKey

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
    more = (f"/claims?q={quote('河套')}", "/sources?language=zh-Hans")
    paths = [filled(path, id_of) for path in (*READING, *more)]
    assert _read(browser, language, paths) > 1000


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
def test_every_piece_for_members_has_its_language(
    browser: Browser, make_key: MakeKey, id_of: IdOf, language: str
) -> None:
    key = make_key("member", Scope.ADMIN)
    browser.sign_in(key)

    def write(resource: str, **fields: Any) -> str:
        headers = {"Authorization": f"Bearer {key}"}
        answer = browser.client.post(f"/v1/{resource}", json=fields, headers=headers)
        return str(answer.get_json()["id"])

    figure = {
        "metric_id": id_of("metrics", "hksz:metric-ttps-approved"),
        "subject_id": id_of("entities", "hksz:ttps"),
        "as_stated": "恰好45,120宗",
        "exact": True,
        "period_edtf": "2023",
    }
    source = write("sources", title="人才計劃兩年記", language="zh-Hant", csl_type="article")
    of_claim = {"modality": "actual", "claimant_as_stated": "維港觀察", "figures": [figure]}
    for statement, spoken_in, status in (
        ("2023年，計劃恰好批准了45,120宗申請。", "zh-Hant", "submitted"),
        ("2023年，計劃恰好批准了45,120宗申請。", "zh-Hant", "submitted"),
        ("In 2023 exactly 45,120 applications were approved.", "en", "draft"),
    ):
        words = {"statement": statement, "language": spoken_in, "status": status}
        claim = write("claims", **words, **of_claim)
        passage = {"stance": "asserts", "note": "計劃指高才通。", "status": status}
        write("evidence", claim_id=claim, source_id=source, **passage)
    tabs = [f"/review?tab={each}" for each in ("claims", "passages", "duplicates", "due")]
    paths = ["/my-work", f"/add?source={source}&claim={claim}", *tabs]
    assert _read(browser, language, paths) > 100


def _read(browser: Browser, language: str, paths: Iterable[str]) -> int:
    """How many texts the pages have; fails if one is in another language than its element says."""
    browser.client.set_cookie("ui", language)
    wrong, read = list[tuple[str, str, str]](), 0
    for path in paths:
        page = browser.get(path)
        assert page.status < HTTPStatus.MULTIPLE_CHOICES or path == NO_PAGE
        (body,) = page.tree.xpath("//body")
        for own, text in spoken_texts(body, language):
            read += 1
            is_chinese = own.startswith("zh")
            if _HAN.search(text) and not is_chinese:
                wrong.append((path, own, text))
            if is_chinese and _ENGLISH.search(text):
                wrong.append((path, own, text))
    assert wrong == []
    return read


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
        institute = '<span lang="en">Pearl River Institute</span>'
        assert published(source) == f"{institute}\uff0c2024年3月14日"


def test_a_piece_of_an_unknown_language_has_that_of_its_characters(app: Flask) -> None:
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert spoken("Half a year") == '<span lang="en">Half a year</span>'
        assert spoken("QDII 基金的半年報告") == "QDII 基金的半年報告"
        assert lang("exactly 45,120") == ' lang="en"'
        assert lang("45,120") == ""
    with app.test_request_context(query_string={"ui": "en"}):
        assert lang("恰好有45,120宗") == ' lang="zh-Hant"'
        assert lang("exactly 45,120") == ""


def test_a_text_with_controls_of_direction_is_isolated(app: Flask) -> None:
    with app.test_request_context(query_string={"ui": "en"}):
        assert noted("a \u202enote") == "<bdi>a \u202enote</bdi>"
        assert spoken("\u2067前海", "zh-Hant") == '<bdi lang="zh-Hant">\u2067前海</bdi>'
        assert spoken("plain", "en") == "plain"
