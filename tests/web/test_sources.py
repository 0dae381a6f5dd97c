"""The page of a source, and the check of a reader's own copy in a real browser."""

import shutil
from collections.abc import Callable, Iterator
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask import Flask

from hksz_db.domain.locators import Passage, digest, locate, normalise
from hksz_db.domain.loose_form import LooseForm
from hksz_db.web.reading import Asked
from tests.web.conftest import Api, Browser

IdOf = Callable[[str, str], str]
_DASH = "\N{EN DASH}"
ARTICLE, REWRITE = (f"hksz:{name}" for name in ("shenzhen-daily-article", "news-gov-ttps-2024"))
TEXT = normalise(
    "The harbour tunnel was opened in spring. It carries about 5,000 cars a day, the office says,"
    " and nobody expected so many of them in its first year. 隧道長兩公里,在海底下。 The toll is"
    " paid at the northern end, where a new road begins. A second tunnel is planned, but nobody"
    " knows when it will be dug."
)
WORDS = ("opened in spring", "5,000", "隧道長兩", "paid at the northern end", "be dug.")


@pytest.fixture
def source_id(api: Api) -> str:
    """A source with a capture of ``TEXT``, and a passage for each of the ``WORDS``."""
    capture = {"char_length": len(TEXT), "text_sha256": digest(TEXT)}
    body = {"csl_type": "report", "title": "On the tunnel", "captures": [capture]}
    id = str(api("/v1/sources", json=body)["id"])
    # Not in the order of the text.
    for words in reversed(WORDS):
        evidence = {"source_id": id, "stance": "asserts", "status": "accepted"}
        claim = {"statement": f"Claim {WORDS.index(words)}.", "claimant_as_stated": "a tester"}
        exact = locate(TEXT, words)
        # One has no locator in the loose form.
        loose = None if words == WORDS[0] else LooseForm(TEXT).locator(exact)
        located = {**evidence, **Passage(exact, loose).fields}
        api("/v1/claims", json={**claim, "status": "accepted", "evidence": [located]})
    return id


def test_the_citation(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/sources/{id_of('sources', ARTICLE)}")
    assert page.only("//p[@class='cite']").startswith("Tan Yifan, “Opinion piece on Hong Kong's")
    assert "Shenzhen Daily, 29 January 2024, http" in page.only("//p[@class='cite']")


def test_every_format_can_be_fetched(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/sources/{id_of('sources', ARTICLE)}")
    links = page.tree.xpath("//p[@class='formats']/a[@type]")
    assert {each.text for each in links} == {"JSON", "BibTeX", "CSL-JSON", "JSON-LD"}
    for each in links:
        answer = browser.client.get(each.get("href"), headers={"Accept": "*/*"})
        assert answer.status_code == HTTPStatus.OK
        assert answer.mimetype == each.get("type")


def test_copies_are_shown_on_both_sides(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("sources", REWRITE)
    (relation, *_) = api(f"/v1/sources/{id}")["relations"]
    path = "//section[@aria-labelledby='relations']//li"
    page = browser.get(f"/sources/{id}")
    assert f"rewrite of {relation['to']['title']}" in page.texts(path)
    there = browser.get(f"/sources/{relation['to']['id']}")
    (line,) = [each for each in there.texts(path) if "news.gov.hk" in each]
    assert line.endswith("rewrite of this source")


def test_passages_are_in_the_order_of_the_text(browser: Browser, source_id: str) -> None:
    page = browser.get(f"/sources/{source_id}")
    path = "//section[@aria-labelledby='passages']//li"
    assert page.texts(f"{path}//a") == [f"Claim {number}." for number in range(len(WORDS))]
    first = TEXT.index(WORDS[0])
    assert page.texts(f"{path}/p")[0] == f"Characters {first}{_DASH}{first + len(WORDS[0])}"


def test_all_passages_are_on_some_page(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("sources", ARTICLE)
    known = api("/v1/evidence", source_id=id, per_page=100, select="claim,start_char")["data"]
    places, path = list[str](), f"/sources/{id}"
    while path:
        page = browser.get(path)
        places += page.texts("//section[@aria-labelledby='passages']//li/p")
        path = next(iter(page.tree.xpath("//a[@rel='next']/@href")), "")
    starts = [int(each.split()[1].split(_DASH)[0].replace(",", "")) for each in places]
    assert starts == sorted(each["start_char"] for each in known)


def test_a_state_is_said_once(browser: Browser, api: Api, source_id: str) -> None:
    evidence = {"source_id": source_id, "stance": "asserts", "status": "submitted"}
    claim = {"statement": "It is long.", "claimant_as_stated": "a tester", "status": "submitted"}
    api("/v1/claims", json={**claim, "evidence": [evidence]})
    (item,) = [
        each for each in browser.get(f"/sources/{source_id}").texts("//li") if "It is long." in each
    ]
    assert item.count("submitted") == 1


def test_a_retraction_is_said_at_the_top(browser: Browser, api: Api, source_id: str) -> None:
    assert not browser.get(f"/sources/{source_id}").texts("//div[@class='verdict v-refuted']")
    moment = {"retracted_at": "2024-03-01T00:00:00Z"}
    api(f"/v1/sources/{source_id}", json=moment, method="PATCH")
    banner = browser.get(f"/sources/{source_id}").only("//div[@class='verdict v-refuted']")
    assert banner.startswith("Retracted on 1 March 2024")


def test_a_page_is_small_and_shows_no_words(browser: Browser, id_of: IdOf) -> None:
    assert len(browser.get(f"/sources/{id_of('sources', ARTICLE)}").text.encode()) <= 30_000


def test_without_a_script_the_page_says_so(browser: Browser, source_id: str) -> None:
    page = browser.get(f"/sources/{source_id}")
    assert page.only("//noscript").startswith("This needs JavaScript")
    assert page.tree.xpath("//section[@id='check']/form[@hidden]")


def test_the_script_gets_positions_and_hashes(browser: Browser, source_id: str) -> None:
    answer = browser.client.get(f"/sources/{source_id}/locators.json").json
    assert answer is not None
    assert [each["start_char"] for each in answer["passages"]] == sorted(map(TEXT.index, WORDS))
    assert not answer["has_more"]


def test_the_languages_of_more_claims_than_a_page_lists_are_known(app: Flask, api: Api) -> None:
    claims: dict[str, str] = {}
    cursor: dict[str, str] | None = {}
    while cursor is not None:
        page = api("/v1/claims", select="id,language", per_page="100", **cursor)
        claims |= {each["id"]: each["language"] for each in page["data"]}
        following = page["meta"]["next_cursor"]
        cursor = {"cursor": following} if following else None
    with app.test_request_context():
        assert Asked(None, None, None).languages("claims", claims) == claims
    assert len(claims) > 100


# ruff: noqa: RUF001 - characters that look alike are the subject
COPIES = {
    "the same": TEXT,
    "other white space": "\n " + TEXT.replace(" ", "\r\n\u3000") + " ",
    "moved": f"A note of the editor stands before. {TEXT}",
    "one word is missing": TEXT.replace("northern", "southern"),
    "a number that begins earlier": TEXT.replace("carries about 5,000", "may carry 15,000"),
    "a number that ends later": TEXT.replace("5,000 cars a day", "5,000 million euros"),
    "a Chinese number that ends later": TEXT.replace("隧道長兩公里", "隧道長兩千里"),
    "a digit is another": TEXT.replace("5,000", "5,100"),
    "a separator is another": TEXT.replace("5,000", "5.000"),
    "a separator is missing": TEXT.replace("5,000", "5000"),
    "a number becomes negative": TEXT.replace("about 5,000", "about −5,000"),
    "other typography": TEXT.replace("paid at the", "pa\u00adid at the").replace("長兩", "長 兩"),
    "a number that is the same": TEXT.replace("carries about 5,000", "has 5,000"),
    "other words around": "They were opened in spring, too. Where is it? It may be dug.",
    "the end is cut off": TEXT[:210],
    "the beginning is cut off": TEXT[30:],
    "beside emoji": f"😀😀 {TEXT}",
    "nothing of it": "Nothing of this is in the source.",
}


@pytest.fixture
def page_of_source(app: Flask, source_id: str) -> Iterator[tuple[Any, list[str]]]:
    """The page in Chromium, which gets its answers from the app, and what it asked for."""
    playwright = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    client, asked = app.test_client(), list[str]()

    def answer(route: Any) -> None:
        request = route.request
        parts = urlsplit(request.url)
        asked.append(f"{request.method} {request.post_data or ''}{parts.path}?{parts.query}")
        got = client.get(parts.path, query_string=parts.query, headers={"Accept": "text/html"})
        route.fulfill(status=got.status_code, headers=dict(got.headers), body=got.data)

    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.route("**/*", answer)
        # Not a secure context, in which browsers have no hashes of their own.
        page.goto(f"http://claims.example/sources/{source_id}")
        assert not page.evaluate("isSecureContext")
        yield page, asked
        browser.close()


@pytest.mark.slow
class TestMyCopy:
    def test_the_browser_finds_what_the_service_finds(
        self, api: Api, source_id: str, page_of_source: tuple[Any, list[str]]
    ) -> None:
        page, _ = page_of_source
        for name, text in COPIES.items():
            expected = [
                (each["result"], each["start_char"])
                for each in api(f"/v1/sources/{source_id}/verify", json={"text": text})["locators"]
            ]
            assert (name, compared(page, text)) == (name, expected)

    def test_nothing_of_the_text_is_sent(
        self, source_id: str, page_of_source: tuple[Any, list[str]]
    ) -> None:
        page, asked = page_of_source
        asked.clear()
        compared(page, TEXT)
        about_text = [each for each in asked if "/static/" not in each]
        assert about_text == [f"GET /sources/{source_id}/locators.json?"]

    def test_the_passages_are_marked_in_the_text(
        self, page_of_source: tuple[Any, list[str]]
    ) -> None:
        page, _ = page_of_source
        compared(page, f"<b>A note.</b> {TEXT}")
        assert page.locator(".own-copy mark").all_inner_texts() == [*WORDS]
        assert page.locator(".own-copy b").count() == 0
        assert {
            *page.locator(".own-copy mark").evaluate_all("all => all.map(e => e.className)")
        } == {"r-moved"}
        assert page.locator("[role=status]").inner_text() == (
            "Your copy differs from the recorded ones. 5: moved."
        )
        compared(page, TEXT.replace("5,000", "5,100").replace("opened in", "opened on"))
        assert page.locator("#check ol b").all_inner_texts() == [
            *("changed or missing", "changed or missing"),
            *["at its place", "at its place", "at its place"],
        ]
        said = page.locator("[role=status]").inner_text()
        assert "Some passages have no hash that ignores typography" in said


def compared(page: Any, text: str) -> list[tuple[str, int | None]]:
    """The result and the place of each passage, as the page shows them."""
    page.locator("#check ol").evaluate("list => list.replaceChildren()")
    page.fill("#copy", text)
    page.click("#check button")
    page.locator("#check ol li").first.wait_for()
    results = page.locator("#check ol b").evaluate_all("all => all.map(e => e.className.slice(2))")
    places = page.locator("#check ol .where").all_inner_texts()
    return [
        (result, None if result == "missing" else int(place.split()[1].split(_DASH)[0]))
        for result, place in zip(results, places, strict=True)
    ]
