"""Fixtures: Chromium, and the service with every seed on an address of this machine."""

import json
import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, sync_playwright

from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.web import interface
from tests.browser.examples import ALL, FOR_MEMBERS, filled
from tests.conftest import MakeDatabase
from tests.service import running_service

CHROMIUM = shutil.which("chromium")
WIDE, NARROW = 1280, 390
HEIGHT = 900


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The browser. It ends with the module, because its event loop would disturb other tests."""
    if CHROMIUM is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("chromium is not installed")
    with sync_playwright() as playwright:
        # Chromium refuses to run as root in its sandbox.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield browser
        browser.close()


@dataclass(frozen=True)
class Site:
    """The service: its URL, and the ids of its rows."""

    url: str
    key: str

    def id_of(self, resource: str, external_id: str) -> str:
        """The id of the row with an external id."""
        query = f"external_id={quote(external_id)}&select=id"
        with urllib.request.urlopen(f"{self.url}/v1/{resource}?{query}") as answer:
            (row,) = json.load(answer)["data"]
        return str(row["id"])


@pytest.fixture(scope="session")
def site(
    make_database: MakeDatabase, all_seeds: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    """The service, as it runs in production."""
    log = tmp_path_factory.mktemp("service") / "log"
    with make_database(all_seeds) as url, running_service(url, log) as address:
        database = Database(lambda: url)
        with writing(database) as session:
            key = api_keys.create(session, "reader", [Scope.ADMIN])
        database.close()
        yield Site(address, key)


@pytest.fixture(scope="module")
def session_cookies(chromium: Browser, site: Site) -> Any:
    """The cookies of somebody who has signed in."""
    context = chromium.new_context(base_url=site.url)
    page = context.new_page()
    page.goto("/sign-in")
    page.fill("main input:not([type=hidden])", site.key)
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("claims"))
    cookies = context.cookies()
    context.close()
    return cookies


@dataclass
class Visit:
    """A page in the browser, and what went on while it was open."""

    path: str
    page: Page
    requests: list[str] = field(default_factory=list)
    messages: list[str] = field(default_factory=list)

    def watch(self) -> None:
        """Note every request from now on, and what the browser complains about."""
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("console", self._note)

    def _note(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.messages.append(message.text)


Visitor = Callable[..., Visit]


def _new_context(chromium: Browser, site: Site, options: dict[str, Any]) -> BrowserContext:
    usual = {"viewport": {"width": WIDE, "height": HEIGHT}, "locale": "en-GB"}
    return chromium.new_context(base_url=site.url, **{**usual, **options})


def _open(context: BrowserContext, site: Site, session_cookies: Any, path: str) -> Visit:
    if path.startswith(FOR_MEMBERS):
        context.add_cookies(session_cookies)
    visit = Visit(path, context.new_page())
    visit.watch()
    visit.page.goto(filled(path, site.id_of))
    return visit


@pytest.fixture
def visit(chromium: Browser, site: Site, session_cookies: Any) -> Iterator[Visitor]:
    """``visit(path, java_script_enabled=False, …)`` opens a page as a new visitor."""
    contexts: list[BrowserContext] = []

    def open_page(path: str, **options: Any) -> Visit:
        contexts.append(_new_context(chromium, site, options))
        return _open(contexts[-1], site, session_cookies, path)

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def look(chromium: Browser, site: Site, session_cookies: Any) -> Iterator[Visitor]:
    """``look(path, is_mobile=True, …)`` opens a page as the visitor with these options.

    A new visitor takes Chromium three times as long. Cookies are forgotten, and pages opened with
    the same options are closed.
    """
    contexts: dict[str, BrowserContext] = {}

    def open_page(path: str, **options: Any) -> Visit:
        key = json.dumps(options, sort_keys=True)
        if key not in contexts:
            contexts[key] = _new_context(chromium, site, options)
        for page in contexts[key].pages:
            page.close()
        contexts[key].clear_cookies()
        return _open(contexts[key], site, session_cookies, path)

    yield open_page
    for context in contexts.values():
        context.close()


@pytest.fixture(scope="module", params=ALL)
def opened(request: pytest.FixtureRequest, look: Visitor) -> Visit:
    """Each page, opened once for the tests of a module."""
    return look(request.param, reduced_motion="reduce")


def read_again(page: Page, *, width: int = WIDE, language: str = "en") -> None:
    """Load the page anew, in a window of this width and in one of the languages of the pages."""
    page.set_viewport_size({"width": width, "height": HEIGHT})
    page.context.add_cookies([{"name": interface.PARAMETER, "value": language, "url": page.url}])
    page.goto(page.url)


Screenshot = Callable[[Page, str], None]


@pytest.fixture
def screenshot(request: pytest.FixtureRequest) -> Screenshot:
    """``screenshot(page, name)`` writes a picture if the option ``--screenshots`` asks for it."""
    folder: Path | None = request.config.getoption("--screenshots")

    def write(page: Page, name: str) -> None:
        if folder is not None:
            page.screenshot(path=folder / f"{name}.png", full_page=True)

    return write
