"""The page of a claim on paper."""

import re

import pytest

from tests.browser.conftest import Screenshot, Visitor

pytestmark = [pytest.mark.slow, pytest.mark.browser]

CLAIM = "/claims/{claims hksz:ttps-approved-2023}"
A4_POINTS = (595.3, 841.9)
# A4 without the margins of 16 mm that the style sheet asks for.
PAPER_PX = round((210 - 2 * 16) / 25.4 * 96)
NOT_ON_PAPER = ("header", ".skip", ".asof", ".formats", "summary", "footer")
BEYOND = """right => [...document.querySelectorAll('main *')].filter(each =>
    each.checkVisibility() && each.getBoundingClientRect().right > right
    && !each.closest('.hidden')
).map(each => each.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("locale", ["en-GB", "zh-HK"])
def test_a_claim_fits_on_a4_without_navigation(
    visit: Visitor, screenshot: Screenshot, locale: str
) -> None:
    page = visit(CLAIM, viewport={"width": PAPER_PX, "height": 1000}, locale=locale).page
    printed = page.pdf(format="A4", prefer_css_page_size=True)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed)
    # No section is pushed to a page of its own.
    assert 1 <= len(boxes) <= 4
    for box in boxes:
        assert tuple(map(float, box)) == pytest.approx(A4_POINTS, abs=2)
    page.emulate_media(media="print", color_scheme="light")
    screenshot(page, f"print-{locale}")
    assert page.locator("h1").is_visible()
    assert page.locator(".printed").inner_text().endswith(f"· {page.url}")
    assert page.locator("table").first.is_visible()
    for selector in NOT_ON_PAPER:
        assert not any(each.is_visible() for each in page.locator(selector).all()), selector
    assert page.evaluate(BEYOND, PAPER_PX) == []
