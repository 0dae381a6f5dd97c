"""The catalogues: each has every text of the pages, in its own script."""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po

from hksz_db.domain.han import HAN
from hksz_db.web import site
from hksz_db.web.interface import INTERFACES
from hksz_db.web.translating import catalogue_path
from tests.web.conftest import Browser

WEB = Path(site.__file__).parent
COMMAND = "Run `make translations`, and translate what is empty."
TRANSLATED = [each.locale for each in INTERFACES if not each.locale.startswith("en")]
in_each_language = pytest.mark.parametrize("locale", TRANSLATED)


@cache
def _extracted() -> set[object]:
    with (WEB / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(WEB, methods, options)
    return {message for _, _, message, _, _ in found}


@cache
def _catalogue(locale: str) -> Catalog:
    with catalogue_path(locale).open("rb") as file:
        return read_po(file, locale=locale)


def _messages(locale: str) -> Iterator[Message]:
    return (message for message in _catalogue(locale) if message.id)


def _translations(message: Message) -> tuple[str, ...]:
    return (message.string,) if isinstance(message.string, str) else tuple(message.string or ())


@in_each_language
def test_the_catalogue_has_every_text_and_no_other(locale: str) -> None:
    known = {message.id for message in _messages(locale)}
    assert _extracted() - known == set(), COMMAND
    assert known - _extracted() == set(), COMMAND
    assert not _catalogue(locale).obsolete, COMMAND


@in_each_language
def test_every_text_is_translated(locale: str) -> None:
    empty = [each.id for each in _messages(locale) if not all(_translations(each))]
    assert empty == [], COMMAND
    assert [each.id for each in _messages(locale) if each.fuzzy] == []


@in_each_language
def test_placeholders_and_plurals_are_those_of_the_language(locale: str) -> None:
    catalogue = _catalogue(locale)
    assert [(each.id, errors) for each, errors in catalogue.check()] == []
    for message in _messages(locale):
        if message.pluralizable:
            assert len(_translations(message)) == catalogue.num_plurals
            assert all("%(num)s" in text for text in _translations(message)) == (
                "%(num)s" in message.id[0]
            )


@pytest.mark.parametrize(("locale", "charset"), [("zh_Hant", "big5hkscs"), ("zh_Hans", "gb2312")])
def test_the_catalogue_is_in_one_script(locale: str, charset: str) -> None:
    texts = [text for each in _messages(locale) for text in _translations(each)]
    characters = {*re.findall(f"[{HAN}]", "".join(texts))}
    assert {each for each in characters if not each.encode(charset, "ignore")} == set()


@in_each_language
def test_templates_can_put_every_text_into_an_attribute(locale: str) -> None:
    texts = [text for each in _messages(locale) for text in _translations(each)]
    assert [text for text in texts if {*text} & {*'<>&"'}] == []


def test_what_separates_values_is_translated() -> None:
    separator = re.compile(r"[%}]\}[:,;] (?:<|“|\{\{)")
    templates = (WEB / "templates").glob("*.html")
    assert [each.name for each in templates if separator.search(each.read_text("utf-8"))] == []


@in_each_language
def test_full_width_punctuation_is_followed_by_no_space(locale: str) -> None:
    said = {each.id: _translations(each)[0] for each in _messages(locale) if each.string}
    said |= {each[0]: text for each, text in said.items() if isinstance(each, tuple)}
    spaced = re.compile(r'_?\("([^"]*)"[^{}]*\) \}\}(?:</\w+>)? ')
    found = [
        (path.name, text[1])
        for path in (WEB / "templates").glob("*.html")
        for text in spaced.finditer(path.read_text("utf-8"))
        if said.get(text[1], "").endswith((*"。，：；！？、",))  # noqa: RUF001
    ]
    assert found == []


def test_values_are_quoted_as_in_the_language() -> None:
    quoted = re.compile("“{{")
    templates = (WEB / "templates").glob("*.html")
    assert [each.name for each in templates if quoted.search(each.read_text("utf-8"))] == []


@pytest.mark.parametrize(("tag", "quotes"), [("zh-Hant", "「」"), ("zh-Hans", "“”")])
def test_a_phrase_is_quoted_as_in_the_script(browser: Browser, tag: str, quotes: str) -> None:
    (hint,) = browser.get("/claims", ui=tag).tree.xpath("//input[@id='q']/@placeholder")
    assert re.findall("[「」“”]", hint) == [*quotes]


def test_a_catalogue_is_used(browser: Browser) -> None:
    assert browser.get("/claims", ui="zh-Hant").only("//header//button") == "搜尋"
    assert browser.get("/claims", ui="zh-Hans").only("//header//button") == "搜索"
    assert browser.get("/claims", ui="en").only("//header//button") == "Search"


@pytest.mark.parametrize(
    ("language", "day"),
    [("en", "24 January 2024"), ("zh-Hant", "2024年1月24日"), ("zh-Hans", "2024年1月24日")],
)
def test_days_are_written_as_in_the_language(
    browser: Browser, claim_id: Callable[[str], str], language: str, day: str
) -> None:
    page = browser.get(f"/claims/{claim_id('hksz:ttps-approved-2023')}", ui=language)
    of_press = [text for text in page.texts("//li/p") if text.startswith("HKSAR Government press")]
    assert any(day in text for text in of_press)


@in_each_language
def test_chinese_has_full_width_punctuation(locale: str) -> None:
    half_width = re.compile(rf"[{HAN}] ?[,.;:?!()]|[,;:?!()] ?[{HAN}]")
    texts = [text for each in _messages(locale) for text in _translations(each)]
    assert [text for text in texts if half_width.search(text)] == []


def test_templates_leave_colons_to_the_catalogues() -> None:
    templates = [*(WEB / "templates").glob("*.html")]
    assert templates
    for template in templates:
        assert not re.search(r"(}}|</\w+>): ", template.read_text("utf-8")), template.name
