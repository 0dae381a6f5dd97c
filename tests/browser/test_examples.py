"""Every page is opened by the tests with a real browser."""

from app import create_app
from hksz_db.database import Database
from hksz_db.settings import Settings
from tests.browser.examples import EXAMPLES


def test_every_page_has_an_example() -> None:
    app = create_app(Settings(log_level="error"), Database(lambda: ""))
    shown = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and "GET" in (rule.methods or ())
    }
    assert shown - {*EXAMPLES} == set(), "Add an address of the page to tests/browser/examples.py."
    assert {*EXAMPLES} - shown == set(), "There is no such page."
