"""What all pages have in common: headers, languages, errors, files, and the way to them."""

import re
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from flask import Flask

from app import create_app
from hksz_db.database import Database
from hksz_db.settings import Settings
from hksz_db.web import site
from hksz_db.web.terms import WORDS
from tests.web.conftest import ACCEPT, Api, Browser

WEB = Path(site.__file__).parent
CLAIM = "hksz:ttps-approved-2023"
PLACE = "hksz:hong-kong"
UNKNOWN = "0199c3a0-0000-7000-8000-000000000000"
ClaimId = Callable[[str], str]
PAGES = ("/claims", "/claims?q=Hetao", "/claims?q=")


@pytest.mark.parametrize("path", [*PAGES, f"/claims/{UNKNOWN}", "/claims?colour=red", "/nothing"])
def test_every_page_is_secured(browser: Browser, path: str) -> None:
    page = browser.get(path)
    policy = page.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["Content-Type"].startswith("text/html")


def test_the_address_of_each_form_leads_to_a_page(app: Flask, browser: Browser) -> None:
    values = {"id": UNKNOWN, "resource": "claims"}
    paths = {
        re.sub(r"<(?:.*?:)?(\w+)>", lambda found: values[found[1]], rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("pages.") and "POST" in (rule.methods or ())
    }
    assert f"/review/merge/{UNKNOWN}" in paths
    for path in paths - {"/add/hints"}:  # only a script sends that one
        assert browser.get(path).status in {HTTPStatus.OK, HTTPStatus.SEE_OTHER}, path


@pytest.mark.parametrize("path", PAGES)
def test_a_page_has_no_inline_styles_or_scripts(browser: Browser, path: str) -> None:
    tree = browser.get(path).tree
    assert tree.xpath("//@style | //style | //script | //@*[starts-with(name(), 'on')]") == []


@pytest.mark.parametrize("language", ["en", "zh-Hant", "zh-Hans"])
@pytest.mark.parametrize(
    ("path", "place"), [("/claims", "ol"), ("/claims?q=nosuchword", "main"), ("/entities", "main")]
)
def test_a_page_begins_with_a_link_to_what_was_asked_for(
    browser: Browser, path: str, place: str, language: str
) -> None:
    browser.client.set_cookie("ui", language)
    tree = browser.get(path).tree
    (first, *_) = tree.xpath("//body//a")
    (target,) = tree.xpath("//*[@id=$id]", id=first.get("href").lstrip("#"))
    assert (target.tag, target.get("tabindex")) == (place, "-1")


def test_a_page_has_one_heading_and_labels_its_fields(browser: Browser) -> None:
    tree = browser.get("/claims").tree
    assert len(tree.xpath("//h1")) == 1
    labelled = tree.xpath("//label/@for")
    assert [each.get("id") for each in tree.xpath("//input[not(@type='hidden')] | //select")] == [
        each for each in labelled if each
    ]


class TestNegotiation:
    @pytest.mark.parametrize("accept", [None, "*/*", "application/json", "text/html;q=0.5, */*"])
    def test_clients_of_the_api_get_documents(
        self, app: Flask, claim_id: ClaimId, accept: str | None
    ) -> None:
        headers = {} if accept is None else {"Accept": accept}
        for path in ("/", f"/v1/claims/{claim_id(CLAIM)}"):
            answer = app.test_client().get(path, headers=headers)
            assert answer.status_code == HTTPStatus.OK
            assert answer.mimetype == "application/json"
            assert "Accept" in answer.headers["Vary"].split(", ")

    def test_a_browser_is_sent_to_the_page_of_a_document(
        self, browser: Browser, claim_id: ClaimId
    ) -> None:
        id = claim_id(CLAIM)
        answer = browser.get(f"/v1/claims/{id}", lang="zh-Hant")
        assert answer.status == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"] == f"/claims/{id}?lang=zh-Hant"
        assert answer.headers["Vary"] == "Accept"

    def test_the_page_ignores_the_fields_of_the_document(
        self, browser: Browser, claim_id: ClaimId, id_of: Callable[[str, str], str]
    ) -> None:
        for path in (f"/v1/claims/{claim_id(CLAIM)}", f"/v1/entities/{id_of('entities', PLACE)}"):
            answer = browser.get(path, select="id", include="figures")
            assert browser.get(answer.headers["Location"]).status == HTTPStatus.OK

    def test_a_browser_is_sent_from_the_root_to_the_search(self, browser: Browser) -> None:
        assert browser.get("/", q="Hetao").headers["Location"] == "/claims?q=Hetao"

    def test_a_document_without_a_page_stays_a_document(self, browser: Browser) -> None:
        assert browser.get(f"/v1/units/{UNKNOWN}").status == HTTPStatus.NOT_FOUND

    def test_only_reads_are_redirected(self, app: Flask, claim_id: ClaimId) -> None:
        answer = app.test_client().patch(
            f"/v1/claims/{claim_id(CLAIM)}", json={}, headers={"Accept": ACCEPT}
        )
        assert answer.status_code == HTTPStatus.UNAUTHORIZED


class TestErrors:
    def test_a_row_that_never_existed(self, browser: Browser) -> None:
        page = browser.get(f"/claims/{UNKNOWN}")
        assert page.status == HTTPStatus.NOT_FOUND
        assert page.only("//h1") == "Not found"
        assert UNKNOWN in page.only("//article")

    def test_an_unknown_path(self, browser: Browser, app: Flask) -> None:
        assert browser.get("/nothing").only("//h1") == "Not found"
        assert app.test_client().get("/nothing").mimetype == "application/problem+json"
        assert browser.client.get("/v1/nothing", headers={"Accept": ACCEPT}).mimetype == (
            "application/problem+json"
        )

    def test_a_page_that_takes_no_form(self, browser: Browser) -> None:
        page = browser.post("/claims", {"q": "Hetao"})
        assert page.status == HTTPStatus.METHOD_NOT_ALLOWED
        told = page.only("//article/p[not(@class) and not(a)]")
        assert told == "This page does not accept POST requests."
        assert "GET" in page.headers["Allow"]
        assert "default-src 'none'" in page.headers["Content-Security-Policy"]
        assert browser.client.post("/claims").mimetype == "application/problem+json"

    def test_a_query_that_cannot_be_read_names_each_fault(self, browser: Browser) -> None:
        page = browser.get("/claims", colour="red", modality="loud")
        assert page.status == HTTPStatus.BAD_REQUEST
        assert page.texts("//ul[@class='faults']/li/code") == ["colour", "modality"]

    @pytest.mark.parametrize(
        "query",
        ["q=%FF", "q=%00", f"q={'x' * 501}", "cursor=abc", "as_of=2001-01-01T00:00:00Z", "sort=x"],
    )
    def test_a_hostile_query(self, browser: Browser, query: str) -> None:
        assert browser.get(f"/claims?{query}").status == HTTPStatus.BAD_REQUEST

    def test_a_merged_claim_redirects_to_the_other(
        self, browser: Browser, api: Api, claim_id: ClaimId
    ) -> None:
        one, other = claim_id(CLAIM), claim_id("hksz:ttps-approved-to-november-2023")
        api(f"/v1/claims/{one}/merge", json={"into_id": other})
        answer = browser.get(f"/claims/{one}", ui="en")
        assert answer.status == HTTPStatus.PERMANENT_REDIRECT
        assert answer.headers["Location"] == f"/claims/{other}?ui=en"
        assert answer.headers["Cache-Control"] == "no-store"

    def test_a_deleted_claim_is_gone(self, browser: Browser, api: Api, claim_id: ClaimId) -> None:
        id = claim_id(CLAIM)
        api(f"/v1/claims/{id}", method="DELETE")
        page = browser.get(f"/claims/{id}")
        assert page.status == HTTPStatus.GONE
        assert page.only("//h1") == "Deleted"

    def test_without_a_database_the_page_says_so(self, app: Flask) -> None:
        app.extensions["hksz_database"] = Database(lambda: "postgresql://127.0.0.1:1/none")
        page = Browser(app).get("/claims")
        assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
        assert page.headers["Retry-After"]
        assert page.only("//h1") == "Not available at the moment"


class TestLanguages:
    @pytest.mark.parametrize(
        ("accepted", "tag"),
        [("fr", "en"), ("zh-HK", "zh-Hant"), ("zh-CN, en;q=0.5", "zh-Hans"), ("en-GB", "en")],
    )
    def test_the_browser_chooses(self, app: Flask, accepted: str, tag: str) -> None:
        page = Browser(app, **{"Accept-Language": accepted}).get("/claims")
        assert page.tree.xpath("/html/@lang") == [tag]
        assert page.headers["Content-Language"] == tag
        assert {"Accept-Language", "Cookie"} <= {*page.headers["Vary"].split(", ")}

    def test_a_reader_chooses_and_the_choice_is_kept(self, app: Flask) -> None:
        browser = Browser(app, **{"Accept-Language": "en"})
        assert browser.get("/claims", ui="zh-Hant").tree.xpath("/html/@lang") == ["zh-Hant"]
        assert browser.get("/claims").tree.xpath("/html/@lang") == ["zh-Hant"]
        assert browser.get("/claims", ui="en").tree.xpath("/html/@lang") == ["en"]

    def test_the_names_follow(self, browser: Browser, claim_id: ClaimId) -> None:
        page = browser.get(f"/claims/{claim_id(CLAIM)}", ui="zh-Hant")
        links = page.tree.xpath("//aside//dl//a[@lang]")
        assert [(each.text, each.get("lang")) for each in links] == [
            ("高端人才通行證計劃", "zh-Hant"),
            ("Hong Kong", "en"),
        ]
        # The name that stands in for another language is marked for those who see it, too.
        assert links[1].getnext().text == "en"

    def test_another_language_is_refused(self, browser: Browser) -> None:
        assert browser.get("/claims", ui="tlh").status == HTTPStatus.BAD_REQUEST

    def test_the_links_of_the_choice_keep_the_rest_of_the_query(self, browser: Browser) -> None:
        assert "/claims?q=Hetao&ui=zh-Hans" in browser.get("/claims", q="Hetao").links

    def test_every_text_can_be_extracted(self) -> None:
        methods = [("templates/**.html", "jinja2"), ("**.py", "python")]
        found = {message for _, _, message, *_ in extract_from_dir(WEB, methods)}
        assert {"Search the claims", "A single origin", "asserts"} <= found

    def test_every_term_has_words(self) -> None:
        assert [
            (vocabulary.__name__, value)
            for vocabulary, words in WORDS.items()
            for value in {*vocabulary}.symmetric_difference(words)
        ] == []


class TestFiles:
    def test_a_file_is_kept_for_ever_under_its_hash(self, browser: Browser) -> None:
        (path,) = browser.get("/claims").tree.xpath("//link[@rel='stylesheet']/@href")
        answer = browser.client.get(path)
        assert answer.status_code == HTTPStatus.OK
        assert answer.mimetype == "text/css"
        assert "immutable" in answer.headers["Cache-Control"]
        assert len(answer.data) <= 30_000
        outdated = re.sub("/[0-9a-f]{12}/", "/000000000000/", path)
        assert browser.client.get(outdated).status_code == HTTPStatus.NOT_FOUND

    def test_crawlers_leave_the_lists_alone(self, browser: Browser) -> None:
        assert "Disallow: /claims?" in browser.client.get("/robots.txt").text

    def test_there_is_an_icon(self, browser: Browser) -> None:
        assert browser.client.get("/favicon.ico").mimetype == "image/svg+xml"

    def test_a_page_is_not_sent_twice(self, browser: Browser) -> None:
        tag = browser.get("/claims").headers["ETag"]
        answer = browser.client.get("/claims", headers={"Accept": ACCEPT, "If-None-Match": tag})
        assert (answer.status_code, answer.data) == (HTTPStatus.NOT_MODIFIED, b"")


class TestSettings:
    def test_without_pages_the_root_is_the_index(self, database: Database) -> None:
        app = create_app(replace(Settings(log_level="error"), pages=False), database)
        assert Browser(app).client.get("/", headers={"Accept": ACCEPT}).is_json
        assert app.test_client().get("/claims").status_code == HTTPStatus.NOT_FOUND

    def test_without_open_reads_pages_need_a_key(self, database: Database) -> None:
        app = create_app(replace(Settings(log_level="error"), open_reads=False), database)
        page = Browser(app).get("/claims", q="Hetao")
        assert page.status == HTTPStatus.SEE_OTHER
        assert page.headers["Location"] == "/sign-in?next=%2Fclaims%3Fq%3DHetao"
        assert app.test_client().get("/robots.txt").text.endswith("Disallow: /\n")
