"""The page of an entity."""

from collections.abc import Callable
from http import HTTPStatus

import pytest

from tests.web.conftest import Api, Browser

IdOf = Callable[[str, str], str]
SCHEME = "hksz:ttps"


def test_the_names_are_listed_with_their_languages(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/entities/{id_of('entities', SCHEME)}")
    assert page.only("//h1") == "Top Talent Pass Scheme"
    names = page.tree.xpath("//aside/div[1]//dd/span[@lang]")
    assert ("zh-Hant", "高端人才通行證計劃") in {(each.get("lang"), each.text) for each in names}
    assert "TTPS (abbreviation)" in page.texts("//aside/div[1]//dd")


def test_the_timeline_says_in_words_what_it_draws(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/entities/{id_of('entities', SCHEME)}")
    rows = page.tree.xpath("//ol[@class='timeline']/li[not(@class)]")
    times = page.texts("//ol[@class='timeline']/li/p[@class='when']")
    bars = [bool(row.xpath(".//rect")) for row in rows]
    assert len(rows) == len(times) > 0
    assert bars == [time != "undated" for time in times]
    assert {True, False} == {*bars}


@pytest.mark.parametrize(
    ("time", "drawn"),
    [
        ("2023", "certain"),
        ("2023~", "possible"),
        ("2023/..", "possible"),
        ("[2021..2023]", "possible"),
    ],
)
def test_only_a_time_without_doubt_is_solid(
    browser: Browser, api: Api, id_of: IdOf, time: str, drawn: str
) -> None:
    made = api("/v1/entities", json={"kind": "event", "names": [
        {"name": "A fair of doubtful date", "language": "en", "kind": "preferred"}
    ]})  # fmt: skip
    source = id_of("sources", "hksz:shenzhen-daily-article")
    api(
        "/v1/claims",
        json={
            "statement": "The fair took place.",
            "language": "en",
            "modality": "actual",
            "claimant_as_stated": "a visitor",
            "status": "accepted",
            "time_edtf": time,
            "entities": [{"entity_id": made["id"], "role": "subject"}],
            "evidence": [{"source_id": source, "stance": "asserts", "status": "accepted"}],
        },
    )
    page = browser.get(f"/entities/{made['id']}")
    assert page.tree.xpath("//ol[@class='timeline']//rect/@class") == [drawn]
    assert ("not certain" in page.only("//p[@class='what']")) == (drawn == "possible")


def test_the_timeline_has_pages(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/entities/{id_of('entities', SCHEME)}")
    (later,) = page.tree.xpath("//a[@rel='next']/@href")
    path = "//ol[@class='timeline']//p[@class='what']/a/@href"
    second = browser.get(later)
    assert not {*page.tree.xpath(path)} & {*second.tree.xpath(path)}
    assert "Earliest claims" in second.texts("//nav[@class='paging']/a")


def test_the_claim_behind_a_relation_is_shown(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("entities", "hksz:tan-yifan")
    relation = api(f"/v1/entities/{id}")["relations"][0]
    page = browser.get(f"/entities/{id}")
    (line, *_) = page.texts("//section[@aria-labelledby='relations']//li")
    assert relation["object"]["name"] in line
    assert f"according to {relation['claim']['statement']}" in line
    assert f"/claims/{relation['claim']['id']}" in page.links
    there = browser.get(f"/entities/{relation['object']['id']}")
    assert any(
        line.startswith("Tan Yifan holds a post at this one")
        for line in there.texts("//section[@aria-labelledby='relations']//li")
    )


def test_every_figure_is_in_a_plot_and_in_the_table(
    browser: Browser, api: Api, id_of: IdOf
) -> None:
    id = id_of("entities", SCHEME)
    figures = api(
        "/v1/figures", subject_id=id, claim__status="accepted", per_page=24, sort="-period,-id"
    )["data"]
    page = browser.get(f"/entities/{id}")
    stated = page.texts("//details//tbody/tr/td[2]")
    assert sorted(stated) == sorted(f"“{each['as_stated']}”" for each in figures)
    dated = [each for each in figures if each["period"]["earliest"]]
    assert len(page.tree.xpath("//svg[@class='over-time']/rect")) == len(dated)
    for drawing in page.tree.xpath("//svg[@class='over-time']"):
        assert drawing.xpath("title")
        assert drawing.xpath("desc")


def test_likely_duplicates_are_named(browser: Browser, api: Api) -> None:
    name = {"name": "Top Talent Pass Schemes", "language": "en", "kind": "preferred"}
    made = api("/v1/entities", json={"kind": "law", "names": [name]})
    page = browser.get(f"/entities/{made['id']}")
    (line, *_) = page.texts("//section[@aria-labelledby='similar']//li")
    assert "Top Talent Pass Scheme" in line
    assert "of another kind" in line


def test_an_entity_as_of_a_version(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("entities", SCHEME)
    api(f"/v1/entities/{id}", json={"description": "Changed."}, method="PATCH")
    page = browser.get(f"/entities/{id}")
    assert "Changed." in page.text
    links = [link for link in page.links if "as_of=" in link]
    earlier = browser.get(links[1])
    assert earlier.status == HTTPStatus.OK
    assert "Changed." not in earlier.text
    assert earlier.tree.xpath("//p[@class='notice']")
    (difference,) = [link for link in page.links if "/history/" in link and "v1" not in link][:1]
    assert browser.get(difference).texts("//ins") == ["Changed."]


def test_identifiers_link_to_their_registers(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("entities", SCHEME)
    api(
        f"/v1/entities/{id}",
        json={"identifiers": [{"scheme": "wikidata", "value": "Q42"}]},
        method="PATCH",
    )
    assert "https://www.wikidata.org/wiki/Q42" in browser.get(f"/entities/{id}").links


def test_a_page_is_small(browser: Browser, id_of: IdOf) -> None:
    assert len(browser.get(f"/entities/{id_of('entities', SCHEME)}").text.encode()) <= 30_000
