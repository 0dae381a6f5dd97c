"""Comparisons in sentences of the page's language: they say why, as the API does in English."""

# ruff: noqa: RUF001 - Chinese punctuation

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from hksz_db.web.comparing import explained, part_in_words
from tests.web.conftest import Api, Browser

REASONS = (
    *("the periods differ", "cannot be told", "overlap for the same time"),
    *("overlap, and neither states a time", "the times are close enough"),
    *("in common for the same time", "in common, but neither states a time"),
    *("the times may not be the same", "the definitions differ", "may be a revision"),
    *("in common, and neither states a time", "may have changed in between"),
    *("breakdown is part", "period lies within", "lies within the range", "lies outside"),
)
YEAR = {"period_edtf": "2023"}
# Each pair is compared for another reason.
PAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("flow", {"n": 100, "period_edtf": "2022-07/2023-06"}, {"n": 120, **YEAR}),
    ("flow", {"n": 100, **YEAR, "modality": "planned"}, {"n": 90, "period_edtf": "2023-05"}),
    ("flow", {"n": 100, **YEAR, "modality": "planned"}, {"n": 100, **YEAR}),
    ("flow", {"n": 50, **YEAR}, {"n": 100, **YEAR, "modality": "planned"}),
    ("flow", {"n": 100, **YEAR}, {"n": 100, **YEAR}),
    ("flow", {"n": 100, **YEAR}, {"n": 120, **YEAR}),
    ("flow", {"n": 100, **YEAR}, {"n": 120, "period_edtf": "2023-XX"}),
    ("flow", {"n": 100, **YEAR}, {"n": 120, **YEAR, "definition": "with children"}),
    ("flow", {"n": 100, **YEAR}, {"n": 120, **YEAR, "estimate": "revised"}),
    ("flow", {"n": 100, "comparator": "gt", **YEAR}, {"n": 500, **YEAR}),
    ("flow", {"n": 100}, {"n": 100}),
    ("flow", {"n": 100}, {"n": 120}),
    ("flow", {"n": 100, "comparator": "gt"}, {"n": 500}),
    ("flow", {"n": 100, **YEAR}, {"n": 120, "period_edtf": "2023-05"}),
    ("flow", {"n": 100, **YEAR}, {"n": 120, **YEAR, "breakdown": {"origin": "mainland"}}),
    ("stock", {"n": 100, **YEAR}, {"n": 100, "period_edtf": "2023-05"}),
    ("stock", {"n": 100, "period_edtf": "2023-05"}, {"n": 120, **YEAR}),
]


@pytest.fixture
def comparisons(api: Api) -> list[Any]:
    """The comparison of each pair."""
    metrics = {}
    for kind in ("flow", "stock"):
        body = {"key": f"guests-{kind}", "label": "Guests", "dimension": "count"}
        metrics[kind] = api("/v1/metrics", json={**body, "accumulation": kind})["id"]
    found = []
    for number, (kind, *pair) in enumerate(PAIRS):
        name = {"name": f"Inn {number}", "language": "en", "kind": "preferred"}
        inn = api("/v1/entities", json={"kind": "facility", "names": [name]})["id"]
        for given in pair:
            figure = {"comparator": "eq", "unit_code": "1", "modality": "actual", "exact": True}
            figure |= given
            amount = figure.pop("n")
            figure |= {"as_stated": f"{amount} guests", "amount": str(amount)}
            figure |= {"metric_id": metrics[kind], "subject_id": inn}
            claim = {"statement": f"{given} at {name}", "claimant_as_stated": "a guest"}
            api("/v1/claims", json={**claim, "status": "accepted", "figures": [figure]})
        (one,) = api("/v1/comparisons", subject_id=inn)["data"]
        found.append(one)
    return found


def reasons_in(sentence: str) -> set[str]:
    plain = sentence.replace("within its range", "within the range")
    return {each for each in REASONS if each in plain.replace("outside its range", "outside")}


def test_the_page_gives_the_reason_that_the_api_gives(app: Flask, comparisons: list[Any]) -> None:
    given = set[str]()
    with app.test_request_context():
        for each in comparisons:
            reasons = reasons_in(explained(each))
            assert reasons == reasons_in(each["explanation"]), each["explanation"]
            assert len(reasons) == 1, each["explanation"]
            given |= reasons
    assert given == {*REASONS}


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            (
                "“about 15 square kilometres” (13 to 17 square kilometres; 2010) and “15 square"
                " kilometers” (more than 14 and less than 16 square kilometres; 2010): the ranges"
                " overlap for the same time."
            ),
        ),
        (
            "zh-Hant",
            (
                "「about 15 square kilometres」（13 至 17 平方公里；2010年）與"
                "「15 square kilometers」（多於 14 且少於 16 平方公里；2010年）："
                "兩者的範圍在同一時間有重疊。"
            ),
        ),
    ],
)
def test_units_and_numbers_are_those_of_the_source_in_the_language_of_the_page(
    app: Flask, api: Api, language: str, sentence: str
) -> None:
    listed = api("/v1/comparisons", verdict="agrees", per_page=100)["data"]
    (found,) = (
        each
        for each in listed
        if each["explanation"].startswith('"about 15 square kilometres" (13000000 to 17000000 m2;')
        and '"15 square kilometers"' in each["explanation"]
    )
    with app.test_request_context(query_string={"ui": language}):
        assert explained(found).striptags() == sentence


def test_comparisons_with_the_same_reason_share_a_sentence(
    browser: Browser, claim_id: Callable[[str], str]
) -> None:
    page = browser.get(f"/claims/{claim_id('hksz:ttps-approved-2023')}")
    assert page.only("//figcaption/ul/li") == (
        "compatible “47 681”, “about 26 000”, “more than 43,000”, “1,400”: the periods differ, so"
        " that both can be true."
    )


def test_figures_of_different_parts_are_told_apart(app: Flask, browser: Browser, api: Api) -> None:
    figures = api("/v1/figures", breakdown="scheme:ttps", claim__status="accepted")["data"]
    breakdown = {"origin": "hong-kong", "age": "15-24"}
    part = {"breakdown": breakdown, "definition": "who came", "estimate": "revised"}
    with app.test_request_context():
        assert part_in_words(figures[0] | part) == (
            "of these, origin: hong kong, age: 15-24, defined as “who came”, revised"
        )
    for each in figures:
        page = browser.get(f"/claims/{each['claim']['id']}")
        rows = page.texts("//ul[@class='plot']/li[1]/p[@class='what']")
        assert any("of these, scheme: ttps" in row for row in rows)
        headings = browser.get(f"/metrics/{each['metric']['id']}").texts("//h3")
        assert any("of these, scheme: ttps" in heading for heading in headings)
    assert figures


def test_an_axis_has_the_name_of_its_unit(browser: Browser, api: Api) -> None:
    (figure, *_) = api("/v1/figures", unit_code="har", claim__status="accepted")["data"]
    path = f"/claims/{figure['claim']['id']}"
    unit = "//li[@class='axis']/p[@class='note']"
    assert "hectares" in browser.get(path).texts(unit)
    assert "公頃" in browser.get(path, ui="zh-Hant").texts(unit)
