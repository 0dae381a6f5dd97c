"""Every page in Chromium: axe finds no violation in any scheme, width and language."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.conftest import HEIGHT, NARROW, Screenshot, Visitor, read_again
from tests.browser.examples import ALL

pytestmark = [pytest.mark.slow, pytest.mark.browser]

EVERYTHING = {"rules": {"target-size": {"enabled": True}}}
# Nothing else depends on the scheme.
COLOURS = {"runOnly": ["color-contrast"]}


@pytest.mark.parametrize("path", ALL)
def test_axe_finds_nothing(look: Visitor, screenshot: Screenshot, path: str) -> None:
    page = look(path).page
    found = [*_look(page, screenshot, path, "light", EVERYTHING)]
    page.emulate_media(color_scheme="dark")
    found += _look(page, screenshot, path, "dark", COLOURS)
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": NARROW, "height": HEIGHT})
    found += _look(page, screenshot, path, "narrow", EVERYTHING)
    read_again(page, language="zh-Hant")
    assert page.get_attribute("html", "lang") == "zh-Hant"
    found += _look(page, screenshot, path, "zh-Hant", EVERYTHING)
    assert not found, "\n".join(found)


def _look(page: Page, screenshot: Screenshot, path: str, mode: str, options: Any) -> Iterator[str]:
    screenshot(page, f"{re.sub(r'[^a-z0-9]+', '-', path.lower()).strip('-')}-{mode}")
    for rule in Axe().run(page, options=options).response["violations"]:
        for node in rule["nodes"]:
            yield f"{mode}: {rule['help']} ({rule['id']}): {node['html']}"
