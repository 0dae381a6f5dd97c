"""The report on a text in Chromium: accessible, and carried over to the page for adding."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import NARROW, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

UNKNOWN = "The Lok Ma Chau Loop will have 52,000 jobs."
TEXT = f"""HKU hired 191 academics in 2023.

{UNKNOWN} Futian lies in Shenzhen.

截至2023年11月底，高才通共批准47,681宗申請。"""  # noqa: RUF001


def _report(page: Page, source: str = "") -> None:
    page.fill("#text", TEXT)
    if source:
        page.fill("#source", source)
    page.focus("#check button.main")
    page.keyboard.press("Enter")
    page.wait_for_selector("#findings")


def test_axe_finds_nothing_in_a_report(visit: Visitor) -> None:
    page = visit("/check").page
    _report(page)
    found = Axe().run(page).response["violations"]
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": NARROW, "height": 844})
    found += Axe().run(page).response["violations"]
    assert not found
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_sentence_goes_over_to_adding_with_its_text(visit: Visitor) -> None:
    visited = visit("/my-work")  # as somebody who has signed in
    page = visited.page
    page.goto("/check")
    _report(page, "http://www.szdaily.com/content/2024-01/29/content_30724458.htm")
    page.click("form.adding button")
    page.wait_for_selector("#sentences [aria-selected=true]")
    assert page.input_value("#text") == TEXT
    assert UNKNOWN in page.inner_text("#sentences [aria-selected=true]")
    assert page.input_value("#as_stated") == "have 52,000"
    assert not visited.messages
    assert not [address for address in visited.requests if "52" in address.partition("/check")[2]]


def test_without_javascript_the_report_is_the_same(visit: Visitor) -> None:
    page = visit("/check", java_script_enabled=False).page
    _report(page)
    assert page.locator("#finding-1 mark").inner_text() == "191"
