"""The main use cases, with the seeds."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest

from tests.api.conftest import Client
from tests.conftest import MakeDatabase

TALENT = "hksz:ttps-approved-2023"
ARTICLE = "hksz:shenzhen-daily-article"
REPORT, TRANSLATION = "hksz:xinhua-qianhai-plan-2021", "hksz:xinhua-german-qianhai-plan-2021"


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with every seed, for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def find_row(reader: Client) -> Callable[..., dict[str, Any]]:
    """``find_row(resource, external_id)`` returns the document of a row."""

    def find(resource, external_id, **query):
        (row,) = reader.get(f"/v1/{resource}", external_id=external_id, **query).json["data"]
        return row

    return find


@pytest.fixture
def post_claim(editor: Client) -> Callable[..., dict[str, Any]]:
    """``post_claim(as_stated, …)`` adds a claim with a figure on the talent pass."""

    def post(as_stated, comparator, amount, **fields):
        figure = {
            "metric_external_id": "hksz:metric-ttps-approved",
            "subject_external_id": "hksz:ttps",
            "as_stated": as_stated,
            "comparator": comparator,
            "amount": amount,
            "unit_code": "1",
            "period_edtf": "2023",
        }
        body = {"statement": "So many were approved.", "claimant_external_id": "hksz:hkpc"}
        answer = editor.post("/v1/claims", {**body, "figures": [figure], **fields})
        assert answer.status_code == 201, answer.text
        return answer.json

    return post


def test_the_talent_pass_figure_shows_its_support_and_the_difference_in_period(
    find_row: Callable[..., dict[str, Any]],
) -> None:
    claim = find_row("claims", TALENT, include="evidence,corroboration,comparisons")
    assert claim["corroboration"]["verdict"] == "confirmed_by_party"
    counts = claim["corroboration"]["for"]
    assert (counts["own"], counts["parties"], counts["independent"]) == (1, 1, 0)
    stances = {part["source"]["external_id"]: part["stance"] for part in claim["evidence"]}
    assert sorted(stances.values()) == ["asserts", *["mentions"] * 3, *["supports"] * 2]
    assert stances[ARTICLE] == "asserts"
    (compared,) = [
        pair for pair in claim["comparisons"]["data"] if pair["other"]["as_stated"] == "47 681"
    ]
    assert compared["verdict"] == "compatible"
    assert compared["figure"]["period"]["edtf"] == "2023"
    assert compared["other"]["period"]["edtf"] == "2022-12-28/2023-11-30"
    assert "period" in compared["explanation"]


def test_exactly_45_120_for_2023_contradicts_it(post_claim: Callable[..., dict[str, Any]]) -> None:
    compared = post_claim("exactly 45,120", "eq", "45120")["comparisons"]["data"]
    (pair,) = [pair for pair in compared if pair["verdict"] == "contradicts"]
    assert {pair[side]["claim"]["external_id"] for side in ("figure", "other")} == {None, TALENT}
    assert "over 47,000" in pair["explanation"]


def test_a_target_of_60_000_does_not_contradict_it(
    post_claim: Callable[..., dict[str, Any]],
) -> None:
    for modality in ("planned", "forecast"):
        compared = post_claim("60,000", "eq", "60000", modality=modality)["comparisons"]["data"]
        assert {pair["verdict"] for pair in compared} == {"compatible"}


def test_87_hectares_and_0_87_square_kilometres_agree(
    find_row: Callable[..., dict[str, Any]], editor: Client
) -> None:
    area = find_row("figures", "hksz:loop-area-figure")
    assert (area["amount"], area["unit_code"]) == ("87", "har")
    body = {
        "claim_id": area["claim"]["id"],
        "metric_id": area["metric"]["id"],
        "subject_id": area["subject"]["id"],
        "as_stated": "0.87 square kilometres",
        "comparator": "eq",
        "amount": "0.87",
        "unit_code": "km2",
        "period_edtf": area["period"]["edtf"],
    }
    answer = editor.post("/v1/figures", body)
    assert answer.status_code == 201, answer.text
    assert answer.json["amount"] == "0.87"
    for end in ("lower", "upper"):
        assert Decimal(answer.json["value_range"][end]) == Decimal(area["value_range"][end])
    verdicts = {pair["other"]["id"]: pair["verdict"] for pair in answer.json["comparisons"]["data"]}
    assert verdicts[area["id"]] == "agrees"


def test_a_report_its_copies_and_a_mirror_are_one_origin(
    find_row: Callable[..., dict[str, Any]], editor: Client, reader: Client
) -> None:
    claim = find_row("claims", "hksz:qianhai-hong-kong-companies-2021")
    path = f"/v1/claims/{claim['id']}/corroboration"
    before = reader.get(path).json
    assert (before["for"]["sources"], before["for"]["origins"]) == (3, 1)
    (origin,) = before["origins"]
    assert origin["external_id"] == REPORT
    assert TRANSLATION in {via["external_id"] for via in origin["via"]}
    mirror = {
        "csl_type": "webpage",
        "title": "A mirror",
        "relations": [{"to_external_id": TRANSLATION, "kind": "copy_of"}],
    }
    source = editor.post("/v1/sources", mirror).json["id"]
    passage = {"source_id": source, "stance": "supports", "status": "accepted"}
    assert editor.post(f"/v1/claims/{claim['id']}/evidence", passage).status_code == 201
    after = reader.get(path).json
    assert (after["for"]["sources"], after["for"]["origins"]) == (4, 1)
    assert after["verdict"] == before["verdict"] == "single_origin"


def test_the_planning_of_hetao_is_disputed(
    find_row: Callable[..., dict[str, Any]],
) -> None:
    claim = find_row("claims", "hksz:hetao-planning-began", include="corroboration")
    assert claim["corroboration"]["verdict"] == "disputed"


def test_about_13_years_ago_is_possibly_2010(reader: Client) -> None:
    def found(**query):
        rows = reader.get("/v1/claims", external_id="hksz:qianhai-zone-established", **query)
        return len(rows.json["data"])

    assert found(time__within="2010") == 1
    assert found(time__certainly_within="2010") == 0
