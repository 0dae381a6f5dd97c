"""A search as an Atom feed."""

from datetime import datetime
from http import HTTPStatus
from typing import Any

import pytest
from lxml import etree

from tests.web.conftest import Api, Browser

ATOM = {"a": "http://www.w3.org/2005/Atom"}
# The elements that RFC 4287 requires once, in the feed and in each entry.
REQUIRED = ("a:title", "a:id", "a:updated", "a:author/a:name")


def feed_of(browser: Browser, path: str = "/claims.atom", **query: Any) -> Any:
    """The root of a feed."""
    answer = browser.client.get(path, query_string=query or None)
    assert answer.status_code == HTTPStatus.OK, answer.text
    assert answer.mimetype == "application/atom+xml"
    return etree.fromstring(answer.data)


def texts(element: Any, path: str) -> list[str]:
    """The texts at a path."""
    return [each.text for each in element.xpath(path, namespaces=ATOM)]


@pytest.mark.parametrize("query", [{}, {"q": "Hetao"}, {"modality": "planned", "sort": "time"}])
def test_a_feed_is_valid(browser: Browser, query: dict[str, str]) -> None:
    feed = feed_of(browser, **query)
    assert feed.tag == "{http://www.w3.org/2005/Atom}feed"
    entries = feed.xpath("a:entry", namespaces=ATOM)
    assert entries
    for element in (feed, *entries):
        for path in REQUIRED:
            (text,) = texts(element, path)
            assert text
        (updated,) = texts(element, "a:updated")
        assert datetime.fromisoformat(updated).tzinfo is not None
    ids = texts(feed, "a:entry/a:id")
    assert len({*ids}) == len(ids)
    for link in feed.xpath("//a:link/@href", namespaces=ATOM):
        assert link.startswith("http://localhost/")


def test_it_has_the_claims_of_the_search(browser: Browser) -> None:
    query = {"q": "Hetao", "sort": "time,id", "modality": "actual"}
    page = browser.get("/claims", **query)
    (link,) = page.tree.xpath("//link[@type='application/atom+xml']/@href")
    found = [f"urn:uuid:{each.split('/')[-1]}" for each in page.tree.xpath(
        "//ol[@class='hits']//a[@class='statement']/@href"
    )]  # fmt: skip
    assert texts(feed_of(browser, link), "a:entry/a:id") == found


def test_the_newest_claims_come_first(browser: Browser, api: Api) -> None:
    body = {"statement": "A claim of <today> & now.", "claimant_as_stated": "a tester"}
    made = api("/v1/claims", json={**body, "status": "accepted", "topics": ["tests"]})
    for query in ({}, {"q": "claim"}):
        (first, *_) = feed_of(browser, **query).xpath("a:entry", namespaces=ATOM)
        assert texts(first, "a:id") == [f"urn:uuid:{made['id']}"]
        assert texts(first, "a:title") == ["A claim of <today> & now."]
        assert first.xpath("a:category/@term", namespaces=ATOM) == ["tests"]
        assert first.xpath("a:link/@href", namespaces=ATOM) == [
            f"http://localhost/claims/{made['id']}"
        ]


def test_a_feed_has_pages(browser: Browser) -> None:
    feed = feed_of(browser, per_page=5)
    (link,) = feed.xpath("a:link[@rel='next']/@href", namespaces=ATOM)
    further = feed_of(browser, link.removeprefix("http://localhost"))
    assert not {*texts(feed, "a:entry/a:id")} & {*texts(further, "a:entry/a:id")}
    assert texts(feed, "a:id") == texts(further, "a:id")


def test_characters_that_xml_lacks_are_left_out(browser: Browser) -> None:
    assert texts(feed_of(browser, q="Hetao\uffff"), "a:title") == ["Claims: Hetao"]


def test_a_feed_can_be_empty(browser: Browser) -> None:
    feed = feed_of(browser, q="nothinglikethis")
    assert not feed.xpath("a:entry", namespaces=ATOM)
    assert texts(feed, "a:updated")


def test_an_unchanged_feed_is_not_sent_again(browser: Browser) -> None:
    tag = browser.client.get("/claims.atom").headers["ETag"]
    answer = browser.client.get("/claims.atom", headers={"If-None-Match": tag})
    assert answer.status_code == HTTPStatus.NOT_MODIFIED


def test_unknown_parameters_are_refused(browser: Browser) -> None:
    answer = browser.client.get("/claims.atom?colour=red")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
