"""The search page."""

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest

from tests.web.conftest import Api, Browser

ClaimId = Callable[[str], str]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"q": "Hetao"},
        {"q": '"Lok Ma Chau" -memorandum'},
        {"q": "河套"},
        {"modality": "planned", "time__within": "2008"},
        {"q": "Hong Kong", "sort": "-time,-id"},
        {"corroboration__origins__gte": "2", "per_page": "3"},
    ],
)
def test_the_page_shows_what_the_api_answers(
    browser: Browser, api: Api, query: dict[str, str]
) -> None:
    sort = {} if "q" in query or "sort" in query else {"sort": "-corroboration__origins,-id"}
    listed = api("/v1/claims", count="exact", **{**sort, **query})
    page = browser.get("/claims", **query)
    assert page.texts("//ol[@class='hits']//a[@class='statement']") == [
        " ".join(each["statement"].split()) for each in listed["data"]
    ]
    count = listed["meta"]["count"]["value"]
    assert page.only("//h1") == f"{count} claim{'' if count == 1 else 's'}"


def test_a_row_says_who_when_how_well_founded_and_how_much(browser: Browser) -> None:
    (row, *_) = browser.get("/claims", q='"over 150 companies"').texts("//ol[@class='hits']/li")
    assert "Hong Kong Science Park, as reported by South China Morning Post" in row
    assert "undated · single origin" in row
    assert "over 150 Companies that have joined a site" in row


def test_a_claim_without_a_time_has_that_of_its_figure(browser: Browser) -> None:
    (row, *_) = browser.get("/claims", q='"about 300 hectares"').texts("//ol[@class='hits']/li")
    assert "August 2023" in row
    assert "undated" not in row


def test_the_words_that_are_searched_are_marked(browser: Browser) -> None:
    page = browser.get("/claims", q='hetao or "Science Park" -memorandum')
    assert {each.lower() for each in page.texts("//mark")} == {"hetao", "science park"}


@pytest.mark.parametrize(
    ("searched", "wider"),
    [
        ("talents came", "talents OR came"),
        ('talent AND "came to" -applicants', 'talent -applicants OR "came to" -applicants'),
        ("人才 抵港", "人才 OR 抵港"),
        ("talents came and from/abroad", "talents OR came OR from OR abroad"),
        ('talent NOT applicants "came to', 'talent -applicants OR "came to" -applicants'),
        ("talents OR nothing", None),
        ("talents or nothing", None),
        ("talents|nothing came", None),
        ("talents & -came", None),
        ("arrived", None),
        ("Hong Kong", None),
    ],
)
def test_few_claims_offer_a_wider_search(
    browser: Browser, searched: str, wider: str | None
) -> None:
    links = browser.get("/claims", q=searched).tree.xpath(
        "//a[text()='List claims with any of the words']/@href"
    )
    assert [parse_qs(urlsplit(each).query)["q"][0] for each in links] == ([wider] if wider else [])
    for link in links:
        assert browser.get(link).status == 200


def test_the_wider_search_finds_what_either_word_finds(browser: Browser) -> None:
    path = "//ol[@class='hits']//a[@class='statement']"
    either = browser.get("/claims", q="came OR arrived", per_page="100").texts(path)
    for words in ("talents came", "talent arrived"):
        assert {*browser.get("/claims", q=words).texts(path)} <= {*either}


def test_the_end_of_a_long_list_offers_no_wider_search(browser: Browser) -> None:
    wider = "//a[text()='List claims with any of the words']"
    first = browser.get("/claims", q="Hong Kong", per_page="10")
    last = first
    while following := last.tree.xpath("//a[@rel='next']/@href"):
        last = browser.get(following[0])
    assert len(last.texts("//ol[@class='hits']/li")) < 10
    assert first.texts(wider) == last.texts(wider) == []


def test_the_names_that_are_found_are_listed(browser: Browser) -> None:
    assert "Hong Kong Productivity Council" in browser.get("/claims", q="HKPC").only(
        "//p[@class='also'][contains(., 'Names found')]"
    )


class TestAddresses:
    URL = "https://www.info.gov.hk/gia/general/202401/24/P2024012400291.htm"

    @pytest.mark.parametrize("address", [URL, URL.removeprefix("https://www."), f" {URL}#top "])
    def test_an_address_finds_the_source_and_what_rests_on_it(
        self, browser: Browser, api: Api, address: str
    ) -> None:
        page = browser.get("/claims", q=address)
        assert "LCQ5: Top Talent Pass Scheme" in page.only("//p[@class='also']")
        source = api(
            "/v1/sources", canonical_url__startswith="info.gov.hk/gia/general/202401/24/P20"
        )
        (id,) = (
            each["id"] for each in source["data"] if each["title"] == "LCQ5: Top Talent Pass Scheme"
        )
        expected = api("/v1/claims", evidence__source_id=id, count="exact", select="id")
        assert page.only("//h1") == f"{expected['meta']['count']['value']} claims"

    def test_an_unknown_address_is_searched_as_words(self, browser: Browser) -> None:
        page = browser.get("/claims", q="https://example.org/nothing")
        assert page.status == 200
        assert page.texts("//ol[@class='hits']/li") == []
        assert "No claim matches." in page.text

    @pytest.mark.parametrize(
        "address",
        ["https://[", "http://", "https://\u0301.example/x", "a.bc/%zz", "https://example.org:x/"],
    )
    def test_a_malformed_address_is_no_fault(self, browser: Browser, address: str) -> None:
        assert browser.get("/claims", q=address).status == 200

    def test_a_doi_finds_its_source(self, browser: Browser, api: Api) -> None:
        api("/v1/sources", json={"title": "A study", "csl_type": "article", "doi": "10.1234/abc"})
        for text in ("10.1234/abc", "https://doi.org/10.1234/ABC", "doi:10.1234/abc"):
            assert "A study" in browser.get("/claims", q=text).only("//p[@class='also'][1]")


class TestFacets:
    def test_each_link_leads_to_as_many_claims_as_it_says(self, browser: Browser) -> None:
        page = browser.get("/claims", q="Hong Kong", modality="planned")
        links = page.tree.xpath("//section[contains(@class, 'facet')]//li/a[i]")
        assert len(links) > 20
        for link in links:
            number = int(link.xpath("string(i)"))
            if link.get("aria-current"):
                continue
            found = browser.get(link.get("href")).only("//h1")
            assert found == f"{number} claim{'' if number == 1 else 's'}", link.get("href")

    def test_a_selected_value_can_be_removed(self, browser: Browser) -> None:
        page = browser.get("/claims", modality="planned", q="Hong Kong")
        (selected,) = page.tree.xpath("//section[contains(@class, 'facet')]//a[@aria-current]")
        assert selected.get("href") == "/claims?q=Hong+Kong"
        (chip,) = page.tree.xpath("//a[@class='chip']")
        assert chip.get("href") == "/claims?q=Hong+Kong"
        assert chip.text_content().startswith("Remove Kind of statement: plan ")

    def test_what_is_selected_is_said_in_the_words_of_the_page(
        self, browser: Browser, id_of: Callable[[str, str], str]
    ) -> None:
        browser.client.set_cookie("ui", "zh-Hant")
        about = {"entities__id": id_of("entities", "hksz:ttps"), "entities__role": "subject"}
        page = browser.get("/claims", figures__isnull="true", **about)
        chips = page.tree.xpath("//a[@class='chip']")
        told = [each.text_content().split()[1] for each in chips]
        assert told == ["統計項目\uff1a沒有數字", "關於\uff1a高端人才通行證計劃"]
        # The filter that goes with another one is removed with it.
        assert chips[1].get("href") == "/claims?figures__isnull=true"

    def test_another_role_and_the_presence_of_figures_keep_their_names(
        self, browser: Browser, id_of: Callable[[str, str], str]
    ) -> None:
        programme = id_of("entities", "hksz:ttps")
        asked = {"entities__id": programme, "entities__role": "object", "figures__isnull": "false"}
        chips = browser.get("/claims", **asked).tree.xpath("//a[@class='chip']")
        told = [" ".join(each.text_content().split()[1:-1]) for each in chips[1:]]
        assert told == ["Role of the entity: object", "Figures missing: no"]
        assert chips[0].get("href") == "/claims?entities__role=object&figures__isnull=false"

    @pytest.mark.parametrize(
        ("name", "resource", "external_id", "told"),
        [
            ("claimant_id", "entities", "hksz:ttps", "提出者\uff1a高端人才通行證計劃"),
            ("entities__id", "entities", "hksz:ttps", "實體\uff1a高端人才通行證計劃"),
            ("figures__subject_id", "entities", "hksz:ttps", "數字關於\uff1a高端人才通行證計劃"),
            ("figures__metric_id", "metrics", "hksz:metric-ttps-approved", "Applications"),
            (
                "evidence__source_id",
                "sources",
                "hksz:shenzhen-daily-article",
                "段落來源\uff1aOpinion",
            ),
        ],
    )
    def test_a_row_that_no_facet_counts_is_said_by_its_name(
        self,
        browser: Browser,
        id_of: Callable[[str, str], str],
        name: str,
        resource: str,
        external_id: str,
        told: str,
    ) -> None:
        browser.client.set_cookie("ui", "zh-Hant")
        asked = {name: id_of(resource, external_id), "q": "-words"}
        (chip,) = browser.get("/claims", **asked).texts("//a[@class='chip']")
        assert told in chip
        assert asked[name] not in chip

    def test_a_filter_without_a_title_is_said_by_its_fields_and_operator(
        self, browser: Browser
    ) -> None:
        asked = {"figures__amount__gte": "5", "statement__contains": "people"}
        chips = browser.get("/claims", **asked).texts("//a[@class='chip']")
        told = [" ".join(each.split()[1:-1]) for each in chips]
        assert told == ["Figures: amount ≥: 5", "Statement contains: people"]

    def test_a_measure_without_claims_is_said_by_its_name(self, browser: Browser) -> None:
        asked = {"figures__metric": "ttps-approved", "q": '"no such words anywhere"'}
        page = browser.get("/claims", **asked)
        assert page.texts("//ol[@class='hits']/li") == []
        (chip,) = page.texts("//a[@class='chip']")
        assert "ttps-approved" not in chip

    def test_the_years_are_drawn_and_listed(self, browser: Browser) -> None:
        page = browser.get("/claims")
        (years,) = page.tree.xpath("//section[@aria-labelledby='f-time']")
        assert "2023: " in years.xpath("string(.//svg/desc)")
        assert years.xpath(".//rect[@class='certain']")
        assert years.xpath(".//li/a[starts-with(string(), '2023')]")

    def test_more_values_on_request(self, browser: Browser) -> None:
        few, many = browser.get("/claims"), browser.get("/claims", values="100")
        (more, *_) = few.tree.xpath("//a[@class='more']/@href")
        assert more == "/claims?values=100"
        count = "count(//section[@aria-labelledby='f-claimant']//li)"
        assert many.tree.xpath(count) > few.tree.xpath(count)

    def test_years_that_are_not_listed_are_counted(self, browser: Browser, api: Api) -> None:
        for year in range(1900, 1950):
            claim = {"statement": f"It rained in {year}.", "claimant_as_stated": "a tester"}
            api("/v1/claims", json={**claim, "status": "accepted", "time_edtf": str(year)})
        asked = {"q": '"It rained in"'}
        years = "//section[@aria-labelledby='f-time']//li"
        *listed, more = browser.get("/claims", **asked).texts(years)
        assert (len(listed), more) == (40, "10 more")
        assert len(browser.get("/claims", **asked, values="100").texts(years)) == 50

    def test_the_list_is_shown_even_if_the_facets_take_too_long(
        self, browser: Browser, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def cancel(*_: Any) -> None:
            raise psycopg.errors.QueryCanceled

        monkeypatch.setattr("hksz_db.http.documents.facets", cancel)
        page = browser.get("/claims", q="Hetao")
        assert page.texts("//ol[@class='hits']/li")
        assert page.tree.xpath("//section[contains(@class, 'facet')]") == []


def test_pages_follow_each_other(browser: Browser, api: Api) -> None:
    seen: list[str] = []
    path = "/claims?per_page=50"
    while True:
        page = browser.get(path)
        seen += page.tree.xpath("//ol[@class='hits']//a[@class='statement']/@href")
        following = page.tree.xpath("//nav[@class='paging']/a[@rel='next']/@href")
        if not following:
            break
        (path,) = following
    total = api("/v1/claims", count="exact", per_page=1)["meta"]["count"]["value"]
    assert len(seen) == len(set(seen)) == total
    (first,) = page.tree.xpath("//nav[@class='paging']/a[not(@rel)]/@href")
    assert first == "/claims?per_page=50"


def test_sorting_keeps_the_query(browser: Browser) -> None:
    page = browser.get("/claims", q="Hetao", modality="actual", sort="-id")
    form = page.tree.xpath("//div[@class='tools']/form")[0]
    kept = {each.get("name"): each.get("value") for each in form.xpath("./input")}
    assert kept == {"q": "Hetao", "modality": "actual"}
    assert form.xpath("string(.//option[@selected]/@value)") == "-id"


def test_the_same_query_in_other_formats(browser: Browser) -> None:
    page = browser.get("/claims", q="Hetao", modality="actual")
    links = page.tree.xpath("//span[@class='formats']/a[not(@class)]/@href")
    assert links[0] == "/v1/claims?q=Hetao&modality=actual"
    for link in links:
        assert browser.client.get(link).status_code == 200, link


def test_the_sources_of_what_is_found_as_bibtex(browser: Browser, api: Api) -> None:
    path = "//a[text()='BibTeX of the sources']/@href"
    for asked in ({"q": "Hetao"}, {"q": TestAddresses.URL}):
        page = browser.get("/claims", per_page="100", **asked)
        (link,) = page.tree.xpath(path)
        found = page.tree.xpath("//ol[@class='hits']//a[@class='statement']/@href")
        sources = {
            source["id"]: source["external_id"]
            for each in found
            for source in api(f"/v1{each}", select="sources")["sources"]
        }
        entries = re.findall(r"^@\w+{(.*),$", browser.client.get(link).text, re.MULTILINE)
        assert sorted(entries) == sorted(sources.values()) != []


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("evidence__stance", "asserts"),
        ("evidence__stance", "disputes"),
        ("evidence__source_id", "hksz:innovation-index-2023"),
    ],
)
def test_other_formats_of_an_address_have_the_claims_of_the_page(
    browser: Browser, api: Api, id_of: Callable[[str, str], str], name: str, value: str
) -> None:
    (source,) = api("/v1/sources", external_id="hksz:shenzhen-daily-article")["data"]
    asked = {name: id_of("sources", value) if ":" in value else value}
    page = browser.get("/claims", q=source["url"], per_page="100", **asked)
    found = page.tree.xpath("//ol[@class='hits']//a[@class='statement']/@href")
    (link, *_) = page.tree.xpath("//span[@class='formats']/a[not(@class)]/@href")
    claims = json.loads(browser.client.get(link).text)["data"]
    assert sorted(f"/claims/{each['id']}" for each in claims) == sorted(found)
    assert bool(found) is (value == "asserts")
