"""Every page in Chromium: what it loads, and how it reads without scripts and by keyboard."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import HEIGHT, NARROW, WIDE, Site, Visit, Visitor, read_again
from tests.browser.examples import ALL, NO_PAGE, READING

pytestmark = [pytest.mark.slow, pytest.mark.browser]

MIN_TARGET = 44
# What a finger may miss. Links that are words of a sentence are as high as its lines.
SMALL_TARGETS = """least => {
    const isInText = each => getComputedStyle(each).display === 'inline'
        && [...each.parentElement.childNodes].some(node => node.nodeType === Node.TEXT_NODE
            && node.textContent.trim().length > 1)
    return [...document.querySelectorAll(
        'a[href], button, input:not([type=hidden]), select, textarea, summary'
    )].filter(each => each.checkVisibility() && !each.matches('.skip') && !isInText(each))
    .filter(each => {
        // What stands in the label of a button or a box belongs to it.
        const label = /radio|checkbox/.test(each.type) && each.labels[0]
        const {width, height} = (label || each).getBoundingClientRect()
        return width < least || height < least
    }).map(each => each.outerHTML.slice(0, 120))
}"""
# What can be focused, in the order of the document.
TABBABLE = """() => {
    // Radio buttons of one name are one stop.
    const chosen = group => [...group].find(each => each.checked) ?? group[0]
    window.tabbable = [...document.querySelectorAll(
        'a[href], button, input, select, textarea, summary, [tabindex]'
    )].filter(each => each.tabIndex >= 0 && !each.disabled && each.checkVisibility())
    .filter(each => each.type !== 'radio' || each === chosen(each.form.querySelectorAll(
        `[type=radio][name="${each.name}"]`
    )))
    return window.tabbable.map(each => each.outerHTML.slice(0, 120))
}"""
FOCUSED = """() => {
    const focused = document.activeElement, box = focused.getClientRects()[0]
    const {top, bottom, left, right} = box ?? focused.getBoundingClientRect()
    return {
        number: window.tabbable.indexOf(focused), left, right,
        top: top + scrollY, bottom: bottom + scrollY,
        is_marked: getComputedStyle(focused).outlineStyle !== 'none',
    }
}"""


def test_no_request_leaves_the_site_and_nothing_fails(opened: Visit, site: Site) -> None:
    opened.page.wait_for_load_state("networkidle")
    assert [url for url in opened.requests if not url.startswith(f"{site.url}/")] == []
    # Chromium reports the status of a page that does not exist.
    expected = 1 if opened.path == NO_PAGE else 0
    assert len(opened.messages) == expected, opened.messages


def test_the_tab_key_follows_the_order_of_reading(opened: Visit) -> None:
    page = opened.page
    for width in (WIDE, NARROW):
        read_again(page, width=width)
        elements = page.evaluate(TABBABLE)
        assert elements
        stops = [*_stops(page)]
        assert [elements[stop["number"]] for stop in stops] == elements, width
        assert [elements[stop["number"]] for stop in stops if not stop["is_marked"]] == [], width
        # The first is the skip link, which lies above the page until it is focused.
        for one, other in pairwise(stops[1:]):
            pair = elements[one["number"]], elements[other["number"]]
            assert _is_read_after(other, one), (width, *pair)


def _stops(page: Page) -> Iterator[Any]:
    """Where the focus goes until it leaves the page; a date has several stops."""
    last = None
    while True:
        page.keyboard.press("Tab")
        stop = page.evaluate(FOCUSED)
        if stop["number"] < 0 or (last is not None and stop["number"] < last):
            return
        if stop["number"] != last:
            yield stop
        last = stop["number"]


def _is_read_after(other: Any, one: Any) -> bool:
    is_below = other["top"] >= one["bottom"] - 2
    is_beside = other["left"] >= one["left"] and other["bottom"] > one["top"]
    is_in_the_next_column = other["left"] >= one["right"]
    return bool(is_below or is_beside or is_in_the_next_column)


@pytest.mark.parametrize("path", ALL)
def test_a_page_suits_a_telephone(look: Visitor, path: str) -> None:
    viewport = {"width": NARROW, "height": HEIGHT}
    page = look(path, viewport=viewport, has_touch=True, is_mobile=True).page
    for language in ("en", "zh-Hant"):
        read_again(page, width=NARROW, language=language)
        assert page.get_attribute("html", "lang") == language
        assert page.evaluate("document.documentElement.scrollWidth") <= NARROW, language
        assert page.evaluate(SMALL_TARGETS, MIN_TARGET) == [], language


@pytest.mark.parametrize("path", READING)
def test_scripts_add_nothing_to_read(look: Visitor, path: str) -> None:
    page = look(path).page
    with_scripts = _text_to_read(page)
    emulation = page.context.new_cdp_session(page)
    emulation.send("Emulation.setScriptExecutionDisabled", {"value": True})
    page.goto(page.url)
    assert _text_to_read(page) == with_scripts


def _text_to_read(page: Page) -> str:
    # What scripts do is in forms; what is said in their place is not for those who have them.
    page.evaluate("document.querySelectorAll('form, noscript').forEach(each => each.remove())")
    return page.inner_text("body")


def test_the_viewer_of_the_api_runs_under_its_policy(visit: Visitor, site: Site) -> None:
    opened = visit("/docs/")
    opened.page.wait_for_selector(".opblock")
    opened.page.wait_for_load_state("networkidle")
    assert [url for url in opened.requests if not url.startswith(f"{site.url}/")] == []
    assert opened.messages == []
    with opened.page.expect_console_message(lambda each: "Content Security Policy" in each.text):
        opened.page.evaluate("document.body.insertAdjacentHTML('beforeend', '<p onclick=x>')")


def test_what_leaves_the_site_would_be_noticed(visit: Visitor) -> None:
    opened = visit("/claims")
    with opened.page.expect_console_message(lambda each: "Content Security Policy" in each.text):
        opened.page.evaluate(
            "document.body.insertAdjacentHTML('beforeend', '<img src=http://127.0.0.1:9/a.png>')"
        )
    assert opened.messages


def test_copies_look_like_other_passages(visit: Visitor) -> None:
    page = visit("/claims/{claims hksz:qianhai-hong-kong-companies-2021}").page
    looks = page.locator(".evidence > li").evaluate_all(
        "all => all.map(getComputedStyle).map(each => each.backgroundColor + each.font)"
    )
    assert len(looks) == 3
    assert len({*looks}) == 1
