"""The page of a metric."""

from collections.abc import Callable
from http import HTTPStatus

import pytest

from tests.web.conftest import Api, Browser

IdOf = Callable[[str, str], str]
APPROVED = "hksz:metric-ttps-approved"


def test_it_says_what_is_counted(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/metrics/{id_of('metrics', APPROVED)}")
    assert page.only("//h1") == "Applications approved under the Top Talent Pass Scheme"
    assert page.only("//p[@class='byline']").startswith("Applications, not people")
    about = page.texts("//aside/div[1]//dd")
    assert {"the amount itself", "counted over a period", "a number of things"} <= {*about}


def test_every_figure_is_under_its_subject(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("metrics", APPROVED)
    figures = api("/v1/figures", metric_id=id, claim__status="accepted", per_page=40)["data"]
    page = browser.get(f"/metrics/{id}")
    assert {*page.texts("//div[@class='multiples']//h3/a")} == {
        each["subject"]["name"] for each in figures
    }
    assert sorted(page.texts("//details//tbody/tr/td[2]")) == sorted(
        f"“{each['as_stated']}”" for each in figures
    )
    assert {f"/claims/{each['claim']['id']}" for each in figures} <= {*page.links}


def test_both_ranges_are_drawn_and_written(browser: Browser, api: Api, id_of: IdOf) -> None:
    id = id_of("metrics", APPROVED)
    page = browser.get(f"/metrics/{id}")
    row = "//details//tbody/tr[td[2][contains(., 'over 47,000')]]"
    assert page.only(f"{row}/td[5]") == "47,001 or more"
    assert page.only(f"{row}/td[6]") == "47,001 to 47,999"
    figures = api("/v1/figures", metric_id=id, claim__status="accepted", per_page=40)["data"]
    bounds = [each["value_range"] for each in figures if each["period"]["earliest"]]
    ranges = [each for each in bounds if each["lower"] != each["upper"]]
    assert len(page.tree.xpath("//svg[@class='over-time']/line[@class='reach own']")) == len(ranges)
    is_open = [each for each in ranges if each["upper"] is None]
    arrows = page.tree.xpath("//svg[@class='over-time']//path[starts-with(@class, 'arrow')]")
    assert len(arrows) == len(is_open) > 0


def test_currencies_are_not_on_one_axis(browser: Browser, api: Api, id_of: IdOf) -> None:
    made = api(
        "/v1/metrics",
        json={"key": "tolls-paid", "label": "Tolls", "dimension": "money", "accumulation": "flow"},
    )
    subject = id_of("entities", "hksz:ttps")
    for unit, text in (("HKD", "HK$5 million"), ("CNY", "5 million yuan")):
        figure = {
            "metric_id": made["id"],
            "subject_id": subject,
            "as_stated": text,
            "comparator": "eq",
            "amount": "5000000",
            "unit_code": unit,
            "modality": "actual",
            "period_edtf": "2023",
        }
        claim = {"statement": f"Tolls are {text}.", "claimant_as_stated": "a tester"}
        api("/v1/claims", json={**claim, "status": "accepted", "figures": [figure]})
    page = browser.get(f"/metrics/{made['id']}")
    assert len(page.tree.xpath("//svg[@class='over-time']")) == len(("HKD", "CNY"))


def test_the_links_lead_somewhere(browser: Browser, id_of: IdOf) -> None:
    page = browser.get(f"/metrics/{id_of('metrics', APPROVED)}")
    for link in (*page.tree.xpath("//main//p[@class='formats']/a/@href"),):
        answer = browser.client.get(link, headers={"Accept": "*/*"})
        assert answer.status_code == HTTPStatus.OK, link


@pytest.mark.parametrize(("duration", "words"), [("P20Y", "20 years"), ("P1M", "1 month")])
def test_how_long_a_value_holds(browser: Browser, api: Api, duration: str, words: str) -> None:
    body = {"key": "roof-area", "label": "Roof area", "dimension": "area", "accumulation": "stock"}
    made = api("/v1/metrics", json={**body, "holds_for": duration})
    page = browser.get(f"/metrics/{made['id']}")
    assert words in page.texts("//aside//dd")
    assert page.texts("//section[@aria-labelledby='figures']//p[@class='soft']")
