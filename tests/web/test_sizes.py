"""What a browser gets stays small, uncompressed."""

from pathlib import Path

import pytest

from hksz_db.web import site
from tests.browser.examples import READING, filled
from tests.web.conftest import Api, Browser

STATIC = Path(site.__file__).parent / "static"
MOST_HTML, MOST_STYLES, MOST_SCRIPTS = 30_000, 30_000, 15_000


@pytest.mark.parametrize("language", ["en", "zh-Hant"])
@pytest.mark.parametrize("path", READING)
def test_a_page_is_small(browser: Browser, api: Api, path: str, language: str) -> None:
    def id_of(resource: str, external_id: str) -> str:
        (row,) = api(f"/v1/{resource}", external_id=external_id, select="id")["data"]
        return str(row["id"])

    browser.client.set_cookie("ui", language)
    page = browser.get(filled(path, id_of))
    assert page.tree.get("lang") == language
    assert len(page.text.encode()) <= MOST_HTML


@pytest.mark.parametrize(("pattern", "most"), [("*.css", MOST_STYLES), ("*.js", MOST_SCRIPTS)])
def test_styles_and_scripts_are_small(pattern: str, most: int) -> None:
    assert sum(path.stat().st_size for path in STATIC.glob(pattern)) <= most
