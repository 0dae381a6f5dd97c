"""Fixtures: a browser without JavaScript, on a database with every seed."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import pytest
from flask import Flask
from lxml import html
from sqlalchemy import make_url
from werkzeug.datastructures import Headers
from werkzeug.test import TestResponse

from app import create_app
from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from hksz_db.web.assets import asset_url
from tests.conftest import MakeDatabase

ACCEPT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with every seed, for the module."""
    with make_database(all_seeds) as url:
        assert make_url(url).database
        yield url


def _without_database() -> Flask:
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@cache
def served_scripts(*names: str) -> str:
    """Scripts in ``static/`` as browsers get them, one after the other."""
    app = _without_database()
    with app.test_request_context():
        urls = [asset_url(name) for name in names]
    return "\n".join(app.test_client().get(url).text for url in urls)


@pytest.fixture(scope="session")
def _bare_app() -> Flask:
    return _without_database()


@pytest.fixture
def app(_bare_app: Flask, database: Database) -> Flask:
    """The service in the transaction of the test."""
    _bare_app.extensions["hksz_database"] = database
    return _bare_app


@dataclass
class Page:
    """What a browser got: the answer, and the tree of its HTML."""

    status: int
    headers: Headers
    text: str
    tree: Any = field(repr=False)

    def texts(self, xpath: str) -> list[str]:
        """The texts of the elements at a path, with single spaces."""
        return [" ".join(each.text_content().split()) for each in self.tree.xpath(xpath)]

    def only(self, xpath: str) -> str:
        """The text of the one element at a path."""
        (found,) = self.texts(xpath)
        return found

    @property
    def links(self) -> list[str]:
        """Where the links of the page lead."""
        return [str(each) for each in self.tree.xpath("//a/@href")]


class Browser:
    """A client that accepts what browsers accept, and keeps cookies."""

    def __init__(self, app: Flask, **headers: str) -> None:
        self.client = app.test_client()
        self._headers = {"Accept": ACCEPT, **headers}

    def get(self, path: str, **query: Any) -> Page:
        """The page at a path; redirects are not followed."""
        return _page(self.client.get(path, query_string=query or None, headers=self._headers))

    def post(self, path: str, fields: Mapping[str, str], **headers: str) -> Page:
        """The answer to a form; redirects are not followed."""
        return _page(self.client.post(path, data=fields, headers={**self._headers, **headers}))

    def send(self, page: Page, form: str, /, **typed: str) -> Page:
        """Fill in the form of a page that has this action, and send it."""
        (found,) = page.tree.xpath("//form[@action=$action]", action=form)
        return self.post(form, {**dict(found.form_values()), **typed})

    def sign_in(self, key: str) -> None:
        """Sign in with a key."""
        assert self.post("/sign-in", {"key": key}).status == HTTPStatus.SEE_OTHER


def _page(answer: TestResponse) -> Page:
    text = answer.get_data(as_text=True)
    is_page = answer.mimetype == "text/html" and text
    return Page(
        answer.status_code, answer.headers, text, html.fromstring(text) if is_page else None
    )


@pytest.fixture
def browser(app: Flask) -> Browser:
    """A browser without JavaScript."""
    return Browser(app)


MakeKey = Callable[..., str]


@pytest.fixture
def make_key(database: Database) -> MakeKey:
    """``make_key("label", Scope.REVIEW)`` makes a key."""

    def make(label: str, *scopes: Scope) -> str:
        with writing(database) as session:
            return api_keys.create(session, label, scopes)

    return make


Api = Callable[..., Any]


@pytest.fixture
def api(app: Flask, database: Database) -> Api:
    """``api("/v1/claims", q=…)`` reads JSON; ``api("/v1/claims", json=…)`` writes as an admin."""
    with writing(database) as session:
        key = api_keys.create(session, "tester", [Scope.ADMIN])
    client = app.test_client()

    def call(path: str, json: Any = None, method: str | None = None, **query: Any) -> Any:
        headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
        method = method or ("GET" if json is None else "POST")
        answer = client.open(path, method=method, json=json, query_string=query, headers=headers)
        assert answer.status_code < 300, answer.text
        return answer.json

    return call


@pytest.fixture
def claim_id(api: Api) -> Callable[[str], str]:
    """``claim_id("hksz:…")``: the id of the claim with an external id."""
    return lambda external_id: str(
        api("/v1/claims", external_id=external_id, select="id")["data"][0]["id"]
    )


@pytest.fixture
def id_of(api: Api) -> Callable[[str, str], str]:
    """``id_of("entities", "hksz:…")``: the id of the row with an external id."""
    return lambda resource, external_id: str(
        api(f"/v1/{resource}", external_id=external_id, select="id")["data"][0]["id"]
    )
