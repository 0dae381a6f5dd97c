"""Adding a passage in a real browser, with the keys only, and without sending any of the text."""

import re
import shutil
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.serving import make_server

from app import create_app
from hksz_db.database import Database
from hksz_db.domain.locators import locate, normalise
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings

playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed"),
]
TEXT = """Two years on

The scheme began in 2022. In 2023 alone, “exactly” 45,120 applications
were approved. Few were refused."""
SENTENCE = "In 2023 alone, “exactly” 45,120 applications were approved."


@pytest.fixture(scope="module")
def key(database_url: str) -> str:
    """The key of a researcher, which the other transactions see."""
    database = Database(lambda: database_url)
    with writing(database) as session:
        made = api_keys.create(session, "in Chromium", [Scope.SOURCES_WRITE, Scope.CLAIMS_WRITE])
    database.close()
    return made


@pytest.fixture(scope="module")
def address(database_url: str) -> Iterator[str]:
    """The address of the service, on a port of its own."""
    database = Database(lambda: database_url)
    app = create_app(Settings(log_level="error"), database)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()
    database.close()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """A browser with JavaScript."""
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium: Any) -> Iterator[Any]:
    """An empty tab, which fails the test if a script fails."""
    with chromium.new_context(locale="en-GB") as context:
        tab = context.new_page()
        faults: list[str] = []
        tab.on("pageerror", lambda error: faults.append(str(error)))
        tab.on("console", lambda each: faults.append(each.text) if each.type == "error" else None)
        yield tab
        assert [each for each in faults if "409" not in each] == []


def _go_to(page: Any, selector: str) -> None:
    """Press the Tab key until an element is in focus."""
    for _ in range(80):
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The keys do not lead to {selector}.")


def _type(page: Any, selector: str, text: str) -> None:
    _go_to(page, selector)
    page.keyboard.type(text)


# The edges of the characters of the text from one to another, and the heights of their lines.
EDGES = """([from, to]) => {
    const edge = (at, side) => {
        for (const sentence of document.getElementById('sentences').children) {
            const node = sentence.firstChild
            if (at < node.length) {
                const range = new Range()
                range.setStart(node, at)
                range.setEnd(node, at + 1)
                const box = range.getBoundingClientRect()
                return {x: box[side], y: box.top + box.height / 2}
            }
            at -= node.length
        }
    }
    return [edge(from, 'left'), edge(to - 1, 'right')]
}"""


def _drag(page: Any, words: str, *, beyond: float = 0) -> None:
    """Drag the mouse from the first letter of the words to ``beyond`` pixels below the last."""
    start = page.evaluate(
        "words => document.getElementById('sentences').textContent.indexOf(words)", words
    )
    assert start >= 0, words
    begin, end = page.evaluate(EDGES, [start, start + len(words)])
    page.mouse.move(begin["x"] + 0.5, begin["y"])
    page.mouse.down()
    page.mouse.move((begin["x"] + end["x"]) / 2, (begin["y"] + end["y"]) / 2, steps=3)
    page.mouse.move(end["x"] - 0.5, end["y"] + beyond, steps=3)
    page.mouse.up()


def _marked(page: Any) -> list[str]:
    return [page.input_value(f"[name={edge}_char]") for edge in ("start", "end")]


def test_a_passage_is_added_with_the_keys_only(page: Any, address: str, key: str) -> None:
    sent: list[str] = []
    page.on("request", lambda each: sent.append(f"{each.url} {each.post_data}"))
    page.goto(f"{address}/add")
    _type(page, "#key", key)
    page.keyboard.press("Enter")
    page.wait_for_selector("#find")
    _type(page, "#find", "Two years on, an invented report")
    page.keyboard.press("Enter")
    page.wait_for_selector("#title")
    _go_to(page, "#title")
    page.keyboard.press("Enter")
    page.wait_for_selector("#text:visible")
    _go_to(page, "#text")
    page.keyboard.insert_text(TEXT)
    _go_to(page, "#use")
    page.keyboard.press("Enter")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expected = locate(normalise(TEXT), SENTENCE)
    marked = page.evaluate("() => Object.fromEntries(new FormData(document.getElementById('add')))")
    for name, value in vars(expected).items():
        assert marked[name] == str(value)
    assert marked["loose_start_char"]
    assert page.inner_text("#where").startswith("Characters ")
    _type(page, "#statement", "Precisely 45,120 Top Talent Pass Scheme applications got approval.")
    _type(page, "#claimant", "a spokesperson")
    _type(page, "#time_edtf", "2023")
    page.wait_for_selector("section.will")
    assert "single origin" in page.inner_text("section.will")
    _go_to(page, "[name=go][value=next]")
    page.keyboard.press("Enter")
    page.wait_for_selector("a[href^='/claims/']:visible")
    page.wait_for_selector("#sentences:visible")
    assert not [each for each in sent if "Few were" in each or "The scheme began" in each]
    assert "exactly" not in "".join(sent)


def _begin(page: Any, address: str, key: str) -> None:
    """Sign in, choose a source, and paste its text."""
    page.goto(f"{address}/sign-in")
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_url("**/claims")
    page.goto(f"{address}/add?q=Opinion piece")
    page.click("ul.list a")
    page.fill("#text", TEXT)
    page.click("#use")


def _fields(page: Any) -> dict[str, str]:
    """What would be sent, but for what belongs to the answer."""
    sent = page.evaluate("() => [...new FormData(document.getElementById('add'))]")
    return {name: value for name, value in sent if name not in {"csrf", "listed"}}


def _kept(page: Any) -> str:
    return str(page.evaluate("() => JSON.stringify({...sessionStorage})"))


def test_what_was_typed_outlives_a_reload_until_it_is_saved(
    page: Any, address: str, key: str
) -> None:
    _begin(page, address, key)
    _drag(page, SENTENCE)
    typed = {
        "statement": "Exactly 45,120 Top Talent Pass Scheme applications were approved in 2023.",
        "claimant": "a spokesperson",
        "time_edtf": "2023",
        "as_stated": "exactly 45,120",
        "period_edtf": "2023",
        "amount": "45120",
    }
    page.click("summary:has-text('Correct')")
    for name, value in typed.items():
        page.fill(f"[name={name}]", value)
    page.check("[value=supports]")
    page.select_option("#modality", "forecast")
    page.check("[name=exact]")
    page.wait_for_selector("[name=claim]")
    page.check("[name=claim] >> nth=1")
    page.wait_for_timeout(700)
    before = _fields(page)
    assert before.items() >= typed.items()
    assert before["claim"] != "new"
    for _ in range(2):
        page.reload()
        page.wait_for_selector("[name=claim]")
        assert _fields(page) == before
        assert page.is_visible("#amount")
        assert page.evaluate("() => CSS.highlights.get('passage').size") == 1
    # The form as it was checked can be changed, and is not sent again.
    page.click("[value=check]")
    page.fill("#claimant", "a minister")
    page.reload()
    page.wait_for_selector("[name=claim]")
    assert _fields(page) == {**before, "claimant": "a minister"}
    assert "minister" in _kept(page)
    page.click("[value=save]")
    page.wait_for_url(re.compile(r"/claims/[0-9a-f-]+$"))
    assert "minister" not in _kept(page)
    assert "Few were refused" not in _kept(page)
    page.go_back()
    page.wait_for_selector("#text:visible")
    assert page.input_value("#claimant") == ""


def test_nothing_is_kept_when_somebody_signs_out(page: Any, address: str, key: str) -> None:
    _begin(page, address, key)
    page.fill("#statement", "A statement of one person.")
    other = page.context.new_page()
    other.goto(page.url)
    other.fill("#statement", "Another statement.")
    assert "Another" in _kept(other)
    page.click("form.session button")
    page.wait_for_url("**/claims")
    assert "Few were" not in _kept(page)
    assert "A statement" not in _kept(page)
    assert "Another" not in _kept(other)


def test_words_mark_the_passage_and_the_figure(page: Any, address: str, key: str) -> None:
    _begin(page, address, key)
    page.fill("#words", "not in the text")
    page.press("#words", "Enter")
    assert page.inner_text("#fault") == "These words do not stand in the text."
    page.fill("#words", "45,120 applications\nwere approved")
    page.press("#words", "Enter")
    assert page.inner_text("#fault") == ""
    expected = locate(normalise(TEXT), "45,120 applications were approved")
    assert page.input_value("[name=end_char]") == str(expected.end_char)
    for words in (SENTENCE, "Few were", "Two years", "The scheme began in 2022. In 2023"):
        _drag(page, words)
        at = normalise(TEXT).index(words)
        assert _marked(page) == [str(at), str(at + len(words))]
    _drag(page, "Few were refused.", beyond=200)
    assert _marked(page)[1] == str(len(normalise(TEXT)))
    page.fill("#words", "45,120")
    page.click("#figure")
    assert page.input_value("#as_stated") == "45,120"
    page.fill(
        "#statement", "applications were approved. Few were refused. The scheme began in 2022"
    )
    assert "words shared with the source: 6." in page.inner_text("#run")
