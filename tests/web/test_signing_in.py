"""Signing in with a key, sessions, and signing out."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask

from app import create_app
from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.http.requests import SESSION_COOKIE
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.web.conftest import Browser, MakeKey, Page

SIGN_IN, SIGN_OUT = "/sign-in", "/sign-out"


def _query(database: Database, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with writing(database) as session:
        return run(session, sql, *values)


def _label(page: Page) -> list[str]:
    return page.texts("//form[@class='session']/span")


@pytest.fixture
def key(make_key: MakeKey) -> str:
    """A key that may write claims."""
    return make_key("researcher", Scope.CLAIMS_WRITE)


def test_a_key_is_taken_once_and_begins_a_session(
    browser: Browser, key: str, database: Database
) -> None:
    page = browser.get(SIGN_IN, next="/claims?q=Hetao")
    (field,) = page.tree.xpath("//input[@name='key']")
    assert (field.get("type"), field.get("autocomplete")) == ("password", "current-password")
    answer = browser.send(page, SIGN_IN, key=f" {key}\n")
    assert answer.status == HTTPStatus.SEE_OTHER
    assert answer.headers["Location"] == "/claims?q=Hetao"
    assert _label(browser.get("/claims")) == ["researcher"]
    ((token, stored, lifetime),) = _query(
        database,
        "SELECT token_sha256, api_keys.label, sessions.expires_at - sessions.created_at"
        " FROM sessions JOIN api_keys ON api_keys.id = api_key_id",
    )
    assert stored == "researcher"
    assert lifetime == timedelta(hours=Settings().session_hours)
    cookie = browser.client.get_cookie(SESSION_COOKIE)
    assert cookie is not None
    assert cookie.value.encode() != token
    assert key not in cookie.value


@pytest.mark.parametrize("host", ["localhost:8000", "claims.example"])
@pytest.mark.parametrize(
    ("trusts_proxy", "protocol", "secure"),
    [
        (True, "https", True),
        (True, "http", False),
        # The proxy appends what it knows to what a client has sent.
        (True, "https,http", False),
        (True, None, False),
        (False, "https", False),
    ],
)
def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(
    database: Database, key: str, host: str, trusts_proxy: bool, protocol: str | None, secure: bool
) -> None:
    settings = replace(Settings(log_level="error"), trust_proxy=trusts_proxy)
    sent = {"Host": host} | ({"X-Forwarded-Proto": protocol} if protocol else {})
    browser = Browser(create_app(settings, database))
    (cookie,) = browser.post(SIGN_IN, {"key": key}, **sent).headers.getlist("Set-Cookie")
    parts = cookie.split("; ")
    assert {"HttpOnly", "SameSite=Strict", "Path=/", "Max-Age=43200"} <= {*parts}
    assert ("Secure" in parts) is secure


@pytest.mark.parametrize(
    "path",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "/claims\n",
        "claims",
        "",
        "/a b",
    ],
)
def test_the_way_back_leads_to_own_pages_only(browser: Browser, key: str, path: str) -> None:
    assert browser.get(SIGN_IN, next=path).tree.xpath("//input[@name='next']/@value") == ["/claims"]
    answer = browser.post(SIGN_IN, {"key": key, "next": path})
    assert answer.headers["Location"] == "/claims"


@pytest.mark.parametrize(
    ("path", "led"),
    [
        ("/claims?q=talent&as_of=2024-01-01", "/claims?q=talent&as_of=2024-01-01"),
        ("/sources", "/sources"),
        ("/my-work", "/claims"),
        ("/review?tab=due", "/claims"),
        ("/add", "/claims"),
        ("/sign-in?next=/sources", "/claims"),
    ],
)
def test_who_signs_out_stays_on_a_page_for_reading(
    browser: Browser, make_key: MakeKey, path: str, led: str
) -> None:
    browser.sign_in(make_key("all", Scope.CLAIMS_WRITE, Scope.REVIEW))
    answer = browser.send(browser.get(path), SIGN_OUT)
    assert answer.headers["Location"] == led
    assert browser.get(led).tree.xpath("//a[@class='sign-in']")


@pytest.mark.parametrize("sent", ["hksz_unknown", "", "密鑰"])
def test_an_unknown_key_is_refused(browser: Browser, sent: str) -> None:
    page = browser.post(SIGN_IN, {"key": sent, "next": "/claims?q=a"})
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert page.only("//*[@role='alert']/p") == "The key is not known."
    assert page.tree.xpath("//input[@name='next']/@value") == ["/claims?q=a"]
    assert "Set-Cookie" not in page.headers
    assert not page.tree.xpath("//a[@class='sign-in']")
    languages = page.tree.xpath("//nav[@class='langs']//a/@href")
    assert languages[0] == "/sign-in?next=/claims?q%3Da&ui=en"


def test_an_expired_key_is_refused_with_the_reason(browser: Browser, database: Database) -> None:
    past = datetime.now(UTC) - timedelta(days=1)
    with writing(database) as session:
        key = api_keys.create(session, "old", [Scope.REVIEW], past)
    page = browser.post(SIGN_IN, {"key": key})
    assert page.only("//*[@role='alert']/p") == "The key has expired."


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE api_keys SET revoked_at = now() WHERE label = 'researcher'",
        "UPDATE api_keys SET expires_at = now() WHERE label = 'researcher'",
        "UPDATE sessions SET expires_at = now()",
        "DELETE FROM sessions",
    ],
)
def test_a_session_ends_at_once(
    browser: Browser, key: str, database: Database, ending: str
) -> None:
    browser.sign_in(key)
    assert _label(browser.get("/claims")) == ["researcher"]
    _query(database, ending)
    assert _label(browser.get("/claims")) == []


def test_signing_out_ends_the_session_everywhere(
    browser: Browser, key: str, database: Database
) -> None:
    browser.sign_in(key)
    copied = browser.client.get_cookie(SESSION_COOKIE)
    assert copied is not None
    assert browser.send(browser.get("/claims"), SIGN_OUT).headers["Location"] == "/claims"
    assert browser.client.get_cookie(SESSION_COOKIE) is None
    assert _query(database, "SELECT 1 FROM sessions") == []
    browser.client.set_cookie(SESSION_COOKIE, copied.value)
    assert _label(browser.get("/claims")) == []


@pytest.mark.parametrize(
    "foreign",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site", "Origin": "http://claims.example"},
        {"Origin": "http://evil.example"},
        {"Origin": "http://claims.example:81"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ],
)
@pytest.mark.parametrize("host", ["claims.example", "our_claims:8000"])
def test_another_site_can_neither_sign_in_nor_out(
    browser: Browser, key: str, database: Database, foreign: dict[str, str], host: str
) -> None:
    here = {"Host": host}
    refused = browser.post(SIGN_IN, {"key": key}, **here, **foreign)
    assert refused.status == HTTPStatus.FORBIDDEN
    assert "Set-Cookie" not in refused.headers
    own = browser.post(SIGN_IN, {"key": key}, **here, Origin=f"http://{host}")
    assert own.status == HTTPStatus.SEE_OTHER
    browser.sign_in(key)
    assert browser.post(SIGN_OUT, {"csrf": ""}).status == HTTPStatus.FORBIDDEN
    assert _query(database, "SELECT 1 FROM sessions")


def test_signing_in_again_replaces_the_session_and_removes_old_ones(
    browser: Browser, key: str, make_key: MakeKey, database: Database
) -> None:
    browser.sign_in(key)
    _query(
        database,
        "INSERT INTO sessions (token_sha256, api_key_id, expires_at)"
        " SELECT sha256('old'), id, now() FROM api_keys WHERE label = 'researcher'",
    )
    browser.sign_in(make_key("other", Scope.REVIEW))
    labels = "SELECT label FROM sessions JOIN api_keys ON api_keys.id = api_key_id"
    assert _query(database, labels) == [("other",)]


def test_pages_of_a_key_are_not_kept_by_others(browser: Browser, key: str) -> None:
    assert browser.get("/claims").headers["Cache-Control"] == "no-cache"
    browser.sign_in(key)
    assert browser.get("/claims").headers["Cache-Control"] == "private, no-cache"


class TestClosedReads:
    @pytest.fixture
    def closed(self, database: Database) -> Flask:
        """The service with reads that need a key."""
        return create_app(replace(Settings(log_level="error"), open_reads=False), database)

    def test_a_reader_signs_in_and_returns(self, closed: Flask, key: str) -> None:
        browser = Browser(closed)
        asked = browser.get("/claims", q="Hetao", ui="zh-Hant")
        assert asked.status == HTTPStatus.SEE_OTHER
        page = browser.get(asked.headers["Location"])
        answer = browser.send(page, SIGN_IN, key=key)
        assert answer.headers["Location"] == "/claims?q=Hetao&ui=zh-Hant"
        assert browser.get(answer.headers["Location"]).status == HTTPStatus.OK

    def test_a_form_shows_nothing_to_those_who_cannot_read(
        self, closed: Flask, key: str, claim_id: Callable[[str], str]
    ) -> None:
        browser, path = Browser(closed), f"/review/claims/{claim_id('hksz:ttps-approved-2023')}"
        fields = {
            "idempotency": "x" * 16,
            "version": "1",
            "decision": "accept",
            "review_note": "\nTyped\nwords.",
        }
        page = browser.post(path, fields)
        assert page.status == HTTPStatus.UNAUTHORIZED
        assert "Top Talent" not in page.text
        kept = dict(page.tree.forms[1].form_values())
        assert kept["review_note"].strip() == "Typed\nwords."
        # The key signs in; that it lacks the scope is found then.
        assert browser.send(page, path, key=key).status == HTTPStatus.FORBIDDEN

    def test_a_session_is_no_key_of_the_api(self, closed: Flask, key: str) -> None:
        browser = Browser(closed)
        browser.sign_in(key)
        answer = browser.client.get("/v1/claims")
        assert answer.status_code == HTTPStatus.UNAUTHORIZED


def test_sessions_are_in_no_feed_or_history(browser: Browser, key: str, database: Database) -> None:
    changes = _query(database, "SELECT count(*) FROM changes")
    browser.sign_in(key)
    assert _query(database, "SELECT count(*) FROM changes") == changes
    assert _query(database, "SELECT to_regclass('past.sessions')") == [(None,)]
    assert "sessions" not in {
        name for (name,) in _query(database, "SELECT name FROM history.tables")
    }
