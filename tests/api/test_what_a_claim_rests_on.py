"""What the database says of its own seeds: the cases that it was made for."""

from collections.abc import Iterator
from decimal import Decimal

import pytest

TALENT = "hksz:ttps-approved-2023"
ARTICLE = "hksz:shenzhen-daily-article"
RELEASE, RETELLING = "hksz:loop-press-release-2017", "hksz:news-gov-loop-2017"


@pytest.fixture(scope="module")
def database_url(make_database, all_seeds: str) -> Iterator[str]:
    """A database with every seed, for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def named(reader):
    """The one row of a resource with an external id, with what is asked to be embedded."""

    def find(resource, external_id, **query):
        (row,) = reader.get(f"/v1/{resource}", external_id=external_id, **query).json["data"]
        return row

    return find


@pytest.fixture
def state(editor):
    """Posts a claim with one figure on the talent pass, and returns the answer."""

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


def test_the_talent_pass_figure_shows_its_support_and_the_difference_in_period(named):
    claim = named("claims", TALENT, include="evidence,corroboration,comparisons")
    assert claim["corroboration"]["verdict"] == "confirmed_by_party"
    counts = {"sources": 2, "origins": 2, "own": 1, "independent": 0, "parties": 1, "pending": 0}
    assert claim["corroboration"]["for"] == counts
    stances = {part["source"]["external_id"]: part["stance"] for part in claim["evidence"]}
    assert sorted(stances.values()) == ["asserts", "mentions", "supports"]
    assert stances[ARTICLE] == "asserts"
    (compared,) = [
        pair
        for pair in claim["comparisons"]["data"]
        if pair["other"]["value_range"]["lower"] == "47681"
    ]
    assert compared["verdict"] == "agrees"
    assert compared["figure"]["period"]["edtf"] == "2023"
    assert compared["other"]["period"]["edtf"] == "2022-12-28/2023-11-30"
    assert "period" in compared["explanation"]


def test_exactly_45_120_for_2023_contradicts_it(state):
    compared = state("exactly 45,120", "eq", "45120")["comparisons"]["data"]
    (pair,) = [pair for pair in compared if pair["verdict"] == "contradicts"]
    assert {pair[side]["claim"]["external_id"] for side in ("figure", "other")} == {None, TALENT}
    assert "over 47,000" in pair["explanation"]


def test_a_target_of_60_000_does_not(state):
    for modality in ("planned", "forecast"):
        assert state("60,000", "eq", "60000", modality=modality)["comparisons"]["data"] == []


def test_87_hectares_and_0_87_square_kilometres_agree(named, editor):
    area = named("figures", "hksz:loop-area-figure")
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


def test_the_two_press_releases_are_one_origin_and_a_mirror_of_one_adds_none(named, editor, reader):
    claim = named("claims", "hksz:hetao-planning-began")
    path = f"/v1/claims/{claim['id']}/corroboration"
    before = reader.get(path).json
    assert (before["for"]["sources"], before["for"]["origins"]) == (3, 2)
    origins = {
        origin["external_id"]: {via["external_id"] for via in origin["via"]}
        for origin in before["origins"]
    }
    assert origins == {ARTICLE: {ARTICLE}, RELEASE: {RELEASE, RETELLING}}
    mirror = {
        "csl_type": "webpage",
        "title": "A mirror",
        "relations": [{"to_external_id": RETELLING, "kind": "copy_of"}],
    }
    source = editor.post("/v1/sources", mirror).json["id"]
    passage = {"source_id": source, "stance": "supports", "status": "accepted"}
    assert editor.post(f"/v1/claims/{claim['id']}/evidence", passage).status_code == 201
    after = reader.get(path).json
    assert (after["for"]["sources"], after["for"]["origins"]) == (4, 2)
    assert after["verdict"] == before["verdict"] == "confirmed_by_party"


def test_about_13_years_ago_may_be_2010_and_is_not_for_certain(reader):
    def found(**query):
        rows = reader.get("/v1/claims", external_id="hksz:qianhai-zone-established", **query)
        return len(rows.json["data"])

    assert found(time__within="2010") == 1
    assert found(time__certainly_within="2010") == 0
