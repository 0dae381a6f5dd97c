"""The lists of entities, sources and metrics."""

from http import HTTPStatus
from typing import Any

import pytest

from tests.web.conftest import ACCEPT, Api, Browser

NAMES = {"entities": "name", "sources": "title", "metrics": "label"}
PATHS = {"entities": "/entities", "sources": "/sources", "metrics": "/metrics/"}
LINES = "//ul[@class='lines']/li/a"


@pytest.mark.parametrize(
    ("resource", "query"),
    [
        ("entities", {}),
        ("entities", {"name__contains": "talent", "kind": "programme"}),
        ("entities", {"name__contains": "前海"}),
        ("entities", {"q": "HKPC"}),
        ("sources", {"csl_type": "article-newspaper"}),
        ("sources", {"language": "zh-Hant", "sort": "-issued,id"}),
        ("metrics", {"label__contains": "Talent"}),
        ("metrics", {"dimension": "area", "accumulation": "stock"}),
    ],
)
def test_the_page_lists_what_the_api_lists(
    browser: Browser, api: Api, resource: str, query: dict[str, str]
) -> None:
    name = NAMES[resource]
    order = {} if {"q", "sort"} & {*query} else {"sort": f"{name},id"}
    listed = api(f"/v1/{resource}", per_page=50, **order, **query)["data"]
    page = browser.get(PATHS[resource], **query)
    assert page.texts(LINES) == [" ".join(each[name].split()) for each in listed]
    assert page.tree.xpath(f"{LINES}/@href") == [f"/{resource}/{each['id']}" for each in listed]
    assert listed


@pytest.mark.parametrize("resource", PATHS)
def test_pages_follow_each_other(browser: Browser, api: Api, resource: str) -> None:
    seen, path = list[str](), f"{PATHS[resource]}?per_page=9"
    while path:
        page = browser.get(path)
        seen += page.tree.xpath(f"{LINES}/@href")
        path = next(iter(page.tree.xpath("//a[@rel='next']/@href")), "")
    total = api(f"/v1/{resource}", count="exact", per_page=1)["meta"]["count"]["value"]
    assert len(seen) == len({*seen}) == total


def test_the_form_keeps_the_rest_of_the_question(browser: Browser) -> None:
    page = browser.get("/entities", kind="place", lang="zh-Hant", name__contains="hong")
    (form,) = page.tree.xpath("//main//form")
    assert dict(form.form_values()) == {
        "lang": "zh-Hant",
        "name__contains": "hong",
        "kind": "place",
    }
    assert browser.get("/entities", kind="", name__contains="").status == HTTPStatus.OK
    assert browser.get("/entities", kind="colour").status == HTTPStatus.BAD_REQUEST


@pytest.mark.parametrize("path", PATHS.values())
def test_every_format_can_be_fetched(browser: Browser, path: str) -> None:
    page = browser.get(path)
    for link in page.tree.xpath("//span[@class='formats']/a/@href"):
        assert browser.client.get(link, headers={"Accept": "*/*"}).status_code == HTTPStatus.OK
    assert page.tree.xpath("//nav[1]//a[@aria-current]/@href") == [path]


def test_the_measurements_of_the_service_stay_where_they_are(browser: Browser) -> None:
    assert browser.get("/metrics", dimension="area").headers["Location"] == (
        "/metrics/?dimension=area"
    )
    answer: Any = browser.client.get("/metrics", headers={"Accept": "text/plain;version=0.0.4"})
    assert answer.status_code == HTTPStatus.OK
    assert answer.mimetype == "text/plain"
    assert browser.client.get("/entities", headers={"Accept": ACCEPT}).mimetype == "text/html"
