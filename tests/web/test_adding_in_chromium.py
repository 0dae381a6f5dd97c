"""Adding and reviewing in a real browser: by keys, by mouse, and whatever comes in between."""

# ruff: noqa: RUF001 - a text is in Chinese

import json
import re
import shutil
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import make_url
from werkzeug.serving import make_server

from app import create_app
from hksz_db.database import Database
from hksz_db.domain.locators import locate, normalise
from hksz_db.domain.vocabulary import Scope
from hksz_db.embedded import Server
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings

axe = pytest.importorskip("axe_playwright_python.sync_playwright")
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


CHINESE = """人才計劃兩年記

計劃於2022年推出。單在2023年，恰好有45,120宗申請獲批。被拒的甚少。"""
CHINESE_SENTENCE = "單在2023年，恰好有45,120宗申請獲批。"
RIS = "TY  - RPRT\nTI  - 灣區渡輪報告\nPY  - 2023/05/02\nER  -\n"
STATUSES = re.compile("status of (401|409|412|422|503) ")


def _key(database_url: str, label: str, *scopes: Scope) -> str:
    database = Database(lambda: database_url)
    with writing(database) as session:
        made = api_keys.create(session, label, scopes)
    database.close()
    return made


@pytest.fixture(scope="module")
def key(database_url: str) -> str:
    """The key of a researcher, which the other transactions see."""
    scopes = [Scope.SOURCES_WRITE, Scope.CLAIMS_WRITE, Scope.ENTITIES_WRITE]
    return _key(database_url, "in Chromium", *scopes)


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
        yield from _watched(context.new_page())


@pytest.fixture
def chinese_page(chromium: Any) -> Iterator[Any]:
    """An empty tab of somebody who reads traditional Chinese."""
    with chromium.new_context(locale="zh-HK") as context:
        yield from _watched(context.new_page())


def _watched(tab: Any) -> Iterator[Any]:
    faults: list[str] = []
    tab.on("pageerror", lambda error: faults.append(str(error)))
    tab.on("console", lambda each: faults.append(each.text) if each.type == "error" else None)
    yield tab
    assert [each for each in faults if not STATUSES.search(each)] == []


def _go_to(page: Any, selector: str) -> None:
    """Press the Tab key until an element is in focus."""
    for _ in range(80):
        if page.evaluate("selector => document.activeElement?.matches(selector)", selector):
            return
        page.keyboard.press("Tab")
    pytest.fail(f"The keys do not lead to {selector}.")


def _type(page: Any, selector: str, text: str) -> None:
    _go_to(page, selector)
    page.keyboard.type(text)


# The edges of the characters of the text from one to another, and the heights of their lines.
EDGES = """([from, to]) => {
    const edge = (at, side) => {
        for (const sentence of document.querySelectorAll('#sentences span')) {
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


def _sign_in(page: Any, address: str, key: str) -> None:
    page.goto(f"{address}/sign-in")
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_url("**/claims")


def _read(address: str, path: str) -> Any:
    with urllib.request.urlopen(f"{address}/v1{path}") as answer:
        return json.load(answer)


def _number_of(address: str, statement: str) -> int:
    return len(_read(address, f"/claims?statement__startswith={quote(statement)}")["data"])


def _begin(page: Any, address: str, key: str) -> None:
    """Sign in, choose a source, and paste its text."""
    _sign_in(page, address, key)
    page.goto(f"{address}/add?q=Opinion piece")
    page.click("ul.list a")
    page.fill("#text", TEXT)
    page.click("#use")


def _fields(page: Any) -> dict[str, str]:
    """What would be sent, but for what belongs to the answer."""
    page.wait_for_load_state()
    sent = page.evaluate("() => [...new FormData(document.getElementById('add'))]")
    return {name: value for name, value in sent if name not in {"csrf", "key", "listed"}}


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
    page.wait_for_selector("[name=without_figure]", state="attached")
    before = _fields(page)
    assert before.items() >= typed.items()
    assert before["claim"] != "new"
    for language in ("zh-Hans", "en"):
        page.goto(f"{page.url.partition('&')[0]}&ui={language}")
        page.wait_for_selector("[name=claim]")
        page.reload()
        page.wait_for_selector("[name=claim]")
        assert _fields(page) == before
        assert page.is_visible("#amount")
        assert not page.locator("details.new[open]").count()
        assert page.evaluate("() => CSS.highlights.get('passage').size") == 1
    # The form as it was checked can be changed, and is not sent again.
    page.click("[value=check]")
    page.click(".langs button[lang=zh-Hans]")
    page.wait_for_selector("html[lang=zh-Hans]")
    assert _fields(page) == before
    page.click(".langs button[lang=en]")
    page.wait_for_selector("html[lang=en]")
    page.fill("#note", "a minister says so")
    page.reload()
    page.wait_for_selector("[name=claim]")
    assert _fields(page) == {**before, "note": "a minister says so"}
    assert "minister" in _kept(page)
    page.click("[value=save]")
    page.wait_for_url(re.compile(r"/claims/[0-9a-f-]+$"))
    page.wait_for_selector("#saved:visible")
    assert "minister" not in _kept(page)
    assert "Few were refused" not in _kept(page)
    page.go_back()
    page.wait_for_selector("#text:visible")
    assert page.input_value("#note") == ""


def test_a_late_answer_does_not_undo_a_choice(page: Any, address: str, key: str) -> None:
    page.clock.install()
    _begin(page, address, key)
    _drag(page, SENTENCE)
    page.fill("#statement", "45,120 Top Talent Pass Scheme applications were approved in 2023.")
    page.wait_for_selector("[name=claim] >> nth=1")
    held: list[Any] = []

    def hold(route: Any) -> None:
        held.append(route)

    page.route("**/add/hints", hold)
    with page.expect_request("**/add/hints"):
        page.fill("#note", "The second paragraph.")
    # The script does not ask again before the answer to the first question is there.
    page.clock.pause_at(datetime.now(UTC) + timedelta(hours=1))
    chosen = page.locator("[name=claim] >> nth=1")
    chosen.check()
    claim = chosen.get_attribute("value")
    with page.expect_response("**/add/hints") as answer:
        held.pop(0).continue_()
    answer.value.finished()
    page.clock.run_for(1000)
    while not held:
        page.wait_for_timeout(50)
    assert f'name="claim"\r\n\r\n{claim}' in held[0].request.post_data
    page.unroute_all()


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
    # The other tab learns of it a moment later.
    other.wait_for_function("() => !JSON.stringify({...sessionStorage}).includes('Another')")


def test_words_mark_the_passage_and_the_figure(page: Any, address: str, key: str) -> None:
    _begin(page, address, key)
    page.fill("#words", "not in the text")
    page.press("#words", "Enter")
    assert page.inner_text("#fault") == "The text does not contain these words."
    page.fill("#words", "45,120 applications\nwere approved")
    page.press("#words", "Enter")
    assert page.inner_text("#fault") == ""
    expected = locate(normalise(TEXT), "45,120 applications were approved")
    assert page.input_value("[name=end_char]") == str(expected.end_char)
    outlined = "() => document.querySelector('#sentences .here').getClientRects().length"
    assert page.evaluate(outlined) == 1
    across = ("The scheme began in 2022. In 2023", "years on The scheme")
    for words in (SENTENCE, "Few were", "Two years", *across):
        _drag(page, words)
        at = normalise(TEXT).index(words)
        assert _marked(page) == [str(at), str(at + len(words))]
    page.evaluate("""() => {
        const sentence = document.querySelectorAll('#sentences span')[2]
        for (const [name, kind] of [['mousedown', MouseEvent], ['click', PointerEvent]]) {
            sentence.dispatchEvent(new kind(name, {bubbles: true, pointerType: 'touch'}))
        }
    }""")
    at = normalise(TEXT).index(SENTENCE)
    assert _marked(page) == [str(at), str(at + len(SENTENCE))]
    _drag(page, "Few were refused.", beyond=200)
    assert _marked(page)[1] == str(len(normalise(TEXT)))
    page.fill("#words", "45,120")
    page.click("#figure")
    assert page.input_value("#as_stated") == "45,120"
    assert not page.is_checked("[name=exact]")
    page.fill(
        "#statement", "applications were approved. Few were refused. The scheme began in 2022"
    )
    assert "words shared with the source: 6." in page.inner_text("#run")
    # A full storage keeps the form rather than texts, and stops nothing.
    fill = """name => {
        const size = JSON.stringify({...sessionStorage}).length
        sessionStorage[name] = 'x'.repeat(5.2e6 - size)
    }"""
    page.evaluate(fill, "text of another source")
    longer = TEXT + " More words follow." * 10_000
    page.click("#again")
    page.fill("#text", longer)
    page.click("#use")
    page.wait_for_selector("#sentences:visible")
    assert "another source" not in _kept(page)
    assert "More words" in _kept(page)
    page.evaluate(fill, "of something else")
    page.click("#again")
    page.fill("#text", longer * 2)
    page.click("#use")
    page.wait_for_selector("#sentences:visible")
    assert "More words" not in _kept(page)
    page.fill("#claimant", "a spokesperson")
    page.fill("#as_stated", "")
    page.click("[value=save]")
    page.wait_for_url("**/claims/*")


def _read_file(page: Any) -> None:
    """Fill in the form of a new source from a file."""
    file = {"name": "library.ris", "mimeType": "text/plain", "buffer": RIS.encode()}
    page.set_input_files("#file", file)
    page.click("text=讀取檔案")
    page.wait_for_selector("#title")
    page.reload()
    assert page.input_value("#title") == "灣區渡輪報告"
    assert page.input_value("#issued_edtf") == "2023-05-02"


def test_a_chinese_article_is_added_with_the_mouse(
    chinese_page: Any, address: str, key: str
) -> None:
    page, sent = chinese_page, list[str]()
    page.on("request", lambda each: sent.append(f"{each.url} {each.post_data}"))
    _sign_in(page, address, key)
    page.click("nav a[href='/add']")
    _read_file(page)
    page.fill("#find", "人才計劃兩年記")
    page.click("main form button")
    page.wait_for_url("**/add?q=*")
    page.fill("#language", "zh-Hant")
    page.fill("#issued_edtf", "2024-03-14")
    page.fill("#publisher", "一份虛構的報章")
    page.check("[name=new_publisher]")
    page.reload()
    assert page.input_value("#publisher") == "一份虛構的報章"
    assert page.is_visible("[name=new_publisher]")
    assert page.is_checked("[name=new_publisher]")
    page.click("form[action='/add/source'] button.main")
    page.fill("#text", CHINESE)
    page.click("#use")
    _drag(page, CHINESE_SENTENCE)
    expected = locate(normalise(CHINESE), CHINESE_SENTENCE)
    assert _marked(page) == [str(expected.start_char), str(expected.end_char)]
    _drag(page, "45,120宗")
    page.click("#figure")
    assert page.input_value("#as_stated") == "45,120宗"
    # The words before it in the passage say that it is exact.
    page.wait_for_selector("[name=exact]:checked", state="attached")
    page.wait_for_selector(".steps [aria-current]:text-matches('^3')")
    page.fill("#statement", "高端人才通行證計劃在2023年批准了45,120宗申請。")
    page.fill("#claimant", "一份虛構的報章")
    page.fill("#subject", "高端人才通行證計劃")
    page.fill("#note", "正文第二段")
    for name in ("time_edtf", "period_edtf"):
        page.fill(f"#{name}", "2023")
    page.fill("#metric", "Applications approved under the Top Talent Pass Scheme")
    page.check("[name=against]")
    page.wait_for_selector(".outcome.bad:has-text('有爭議')")
    assert page.inner_text(".steps [aria-current]").startswith("4")
    assert not axe.Axe().run(page).response["violations"]
    page.click("[name=go][value=save]")
    page.wait_for_url("**/claims/*")
    assert page.get_attribute("html", "lang") == "zh-Hant"
    claim = _read(address, f"/claims/{page.url.rpartition('/')[2]}")
    assert (claim["language"], claim["claimant"]["name"]) == ("zh-Hant", "一份虛構的報章")
    assert [each["entity"]["name"] for each in claim["entities"]] == ["Top Talent Pass Scheme"]
    assert [each["as_stated"] for each in claim["figures"]] == ["45,120宗"]
    assert [each["exact"] for each in claim["figures"]] == [True]
    (passage,) = claim["evidence"]
    assert passage["note"] == "正文第二段"
    assert {name: passage[name] for name in vars(expected)} == vars(expected)
    assert not [each for each in sent if "被拒" in each or "2022" in each]


def _fill(page: Any, statement: str) -> None:
    page.fill("#statement", statement)
    page.fill("#claimant", "a spokesperson")
    page.wait_for_selector("section.will")


def test_the_fields_of_a_new_claim_are_shown_if_it_is_new(
    page: Any, address: str, key: str
) -> None:
    _begin(page, address, key)
    _drag(page, SENTENCE)
    _fill(page, "A statement that is not needed at first.")
    page.fill("#existing", "hksz:ttps-approved-2023")
    page.click("[value=check]")
    page.wait_for_selector("section.will:focus")
    for field in ("#statement", "#as_stated", "#figure"):
        page.wait_for_selector(field, state="hidden")
    page.check("#claim-new")
    page.wait_for_selector("#as_stated", state="visible")
    assert page.input_value("#statement") == "A statement that is not needed at first."


def test_a_passage_is_saved_once_however_often_it_is_sent(
    page: Any, address: str, key: str
) -> None:
    statement = "A statement that is sent more than once."
    _begin(page, address, key)
    _drag(page, SENTENCE)
    _fill(page, statement)
    page.click("[value=check]")
    page.wait_for_selector("section.will:focus")
    page.evaluate("""() => {
        const button = document.querySelector('[value=save]')
        button.click()
        button.click()
    }""")
    page.wait_for_url("**/claims/*")
    saved = page.url
    assert _number_of(address, statement) == 1
    # The form as it was is carried out only once, too; and nothing of it is kept.
    page.go_back()
    page.wait_for_selector("#text:visible")
    assert page.input_value("#statement") == ""
    page.go_forward()
    page.wait_for_url(saved)
    assert _number_of(address, statement) == 1


def test_two_tabs_save_a_passage_once_and_a_new_measure_is_made_with_the_keys(
    page: Any, address: str, key: str
) -> None:
    statement = "Exactly 45,120 invented permits were granted in 2023."
    _begin(page, address, key)
    other = page.context.new_page()
    other.goto(page.url)
    other.fill("#text", TEXT)
    other.click("#use")
    for tab in (page, other):
        _drag(tab, SENTENCE)
        _fill(tab, statement)
    page.bring_to_front()
    page.fill("#as_stated", "45,120")
    page.fill("#subject", "Top Talent Pass Scheme")
    page.focus("#metric")
    page.keyboard.type("Invented permits")
    page.wait_for_selector("#metric_dimension:visible")
    _go_to(page, "[name=new_metric]")
    page.keyboard.press("Space")
    _go_to(page, "#metric_accumulation")
    page.keyboard.press("ArrowDown")
    page.wait_for_selector(".steps [aria-current]:text-matches('^4')")
    _go_to(page, "[name=go][value=save]")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/claims/[0-9a-f-]+$"))
    (metric,) = _read(address, "/metrics?label=Invented+permits")["data"]
    assert (metric["dimension"], metric["accumulation"]) == ("count", "stock")
    # The other tab was filled in before; it says so now, and what is like it stays.
    other.bring_to_front()
    other.click("[value=save]")
    other.wait_for_selector("#problems:focus")
    told = other.wait_for_selector(".notice:has(#is_another)").inner_text()
    assert "You have already marked this passage." in told
    assert other.is_visible("[name=claim] >> nth=1")
    assert _number_of(address, statement) == 1
    other.fill("#statement", "Few were refused in 2023, an invented report says.")
    other.wait_for_selector(".notice:has-text('Save it again only')")
    other.wait_for_selector("section.will:has-text('What saving will change')")
    other.click("[value=save]")
    other.wait_for_url(re.compile(r"/claims/[0-9a-f-]+$"))


def test_a_way_back_loses_nothing_before_the_passage_is_saved(
    page: Any, address: str, key: str
) -> None:
    _begin(page, address, key)
    _drag(page, SENTENCE)
    _fill(page, "A statement that is left for a moment.")
    page.clock.install()
    page.click("[value=check]")
    page.wait_for_selector("section.will:focus")
    # The text is marked again, and nothing is asked again, which would take the focus away.
    page.wait_for_selector("#where:has-text('Characters')")
    page.clock.run_for(1000)
    page.wait_for_load_state("networkidle")
    assert page.locator("section.will:focus").count() == 1
    before = _fields(page)
    page.click("nav a[href='/my-work']")
    page.wait_for_url("**/my-work")
    for _ in range(2):
        page.go_back()
        page.wait_for_selector("section.will")
        assert _fields(page) == before


def test_nothing_is_lost_when_the_session_has_ended(
    page: Any, address: str, key: str, database_url: str
) -> None:
    statement = "A statement of somebody who took a long time."
    _begin(page, address, key)
    _drag(page, SENTENCE)
    _fill(page, statement)
    before = _fields(page)
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM sessions")
    page.click("[value=save]")
    page.wait_for_selector("#key")
    page.wait_for_selector("#problems:focus")
    field = page.locator("#key").bounding_box()
    assert field["y"] + field["height"] < page.viewport_size["height"]
    assert SENTENCE in page.inner_text("#sentences")
    assert page.is_hidden("#paste")
    after = _fields(page)
    assert {name: after[name] for name in before if name != "idempotency"} == {
        name: value for name, value in before.items() if name != "idempotency"
    }
    # The page asks for the key, and shows the form again after that.
    page.reload()
    page.fill("#key", key)
    page.press("#key", "Enter")
    page.wait_for_selector("section.will")
    assert _fields(page) == after
    page.click("[value=save]")
    page.wait_for_url("**/claims/*")
    assert _number_of(address, statement) == 1


@contextmanager
def _away(server: Server, database_url: str) -> Iterator[None]:
    """Refuse connections to the database while the block runs."""
    name = make_url(database_url).database
    administer = psycopg.connect(server.url("postgres", superuser=True), autocommit=True)
    with administer as connection:
        connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        connection.execute(
            "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s",
            [name],
        )
        try:
            yield
        finally:
            connection.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def test_nothing_is_lost_when_the_database_is_away(
    page: Any, address: str, key: str, database_url: str, server: Server
) -> None:
    statement = "A statement that could not be saved at first."
    _begin(page, address, key)
    _drag(page, SENTENCE)
    _fill(page, statement)
    before = _fields(page)
    with _away(server, database_url):
        page.click("[value=save]")
        page.wait_for_selector("#problems")
        assert _fields(page).items() >= {
            each for each in before.items() if each[0] not in {"claim", "idempotency"}
        }
        page.reload()
        assert page.inner_text("h1") == "Not available at the moment"
    page.reload()
    page.wait_for_selector("section.will")
    assert _fields(page) == before
    assert page.evaluate("() => CSS.highlights.get('passage').size") == 1
    page.click("[value=save]")
    page.wait_for_url("**/claims/*")
    assert _number_of(address, statement) == 1


def test_both_versions_are_shown_when_somebody_else_came_first(
    page: Any, address: str, database_url: str
) -> None:
    reviewer = _key(database_url, "reviewer in Chromium", Scope.ADMIN)

    def write(path: str, method: str, **fields: Any) -> Any:
        headers = {"Authorization": f"Bearer {reviewer}", "If-Match": "*"}
        body = json.dumps(fields).encode()
        headers["Content-Type"] = "application/json"
        url = f"{address}/v1{path}"
        request = urllib.request.Request(url, body, headers, method=method)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    claim = write("/claims", "POST", statement="As it was.", claimant_as_stated="an institute")
    path = f"/claims/{claim['id']}"
    write(path, "PATCH", status="submitted")
    _sign_in(page, address, reviewer)
    page.goto(f"{address}/review?item={claim['id']}")
    page.check("[value=change]")
    page.click("summary:has-text('The new wording')")
    page.fill("#statement", "As the reviewer has it.")
    page.fill("#review_note", "A note to the author.")
    write(path, "PATCH", statement="As somebody else has it.")
    page.click("text=Save the decision and go on")
    page.wait_for_selector("#both")
    page.wait_for_selector("#problems:focus")
    changed = page.inner_text(".changes")
    assert "As it was." in changed
    assert "As somebody else has it." in changed
    assert page.is_checked("[value=change]")
    assert page.input_value("#statement") == "As the reviewer has it."
    assert page.input_value("#review_note") == "A note to the author."
    page.click("text=Save the decision and go on")
    page.wait_for_url("**/review?*done=change*")
    assert _read(address, path)["statement"] == "As the reviewer has it."
