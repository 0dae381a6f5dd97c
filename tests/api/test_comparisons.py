"""Comparisons: which figures agree or contradict each other, and the explanations."""

from collections.abc import Callable
from itertools import chain
from typing import Any

import pytest

from hksz_db.queries import comparison_pages
from hksz_db.queries.comparison_pages import comparisons_statement
from tests.api.conftest import Client
from tests.conftest import QueryCounter

SEEDED = "hksz:ttps-approved-2023-figure"
NOBODY = "0199c3a0-0000-7000-8000-000000000000"
EXACTLY = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "exactly 45,120",
    "comparator": "eq",
    "amount": "45120",
    "unit_code": "1",
    "exact": True,
    "period_edtf": "2023",
}

PostClaim = Callable[..., dict[str, Any]]
Compare = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def post_claim(editor: Client) -> PostClaim:
    """``post_claim(*figures)`` returns the document of a new claim with the figures."""

    def post(*figures: dict[str, Any], **claim: Any) -> Any:
        body = {"statement": "Somebody counted.", "claimant_external_id": "hksz:hkpc", **claim}
        made = editor.post("/v1/claims", {**body, "figures": list(figures)})
        assert made.status_code == 201, made.json
        return made.json

    return post


@pytest.fixture
def seeded(reader: Client) -> dict[str, Any]:
    """The seed's figure of 2023."""
    (figure,) = reader.get("/v1/figures", external_id=SEEDED).json["data"]
    return figure


@pytest.fixture
def compare_two(editor: Client, post_claim: PostClaim) -> Compare:
    """``compare_two(*figures)`` returns the comparisons of new figures of a new metric."""

    def post(*figures: dict[str, Any], **metric: Any) -> Any:
        body = {"key": "test", "label": "A test", "accumulation": "flow", **metric}
        made = editor.post("/v1/metrics", {**body, "external_id": "test:metric"})
        assert made.status_code == 201, made.json
        common = {"metric_external_id": "test:metric", "subject_external_id": "hksz:hkpc"}
        stated = {"as_stated": "some", "comparator": "eq", "exact": True, "period_edtf": "2023"}
        defaults = {**common, **stated}
        return post_claim(*({**defaults, **figure} for figure in figures))["comparisons"]["data"]

    return post


def _verdicts(comparisons: list[Any]) -> list[str]:
    return [comparison["verdict"] for comparison in comparisons]


def test_another_number_for_the_same_time_contradicts(
    post_claim: PostClaim, reader: Client, seeded: dict[str, Any]
) -> None:
    made = post_claim(EXACTLY)
    (comparison,) = made["comparisons"]["data"]
    assert made["comparisons"]["all"] is True
    assert comparison["verdict"] == "contradicts"
    assert comparison["explanation"] == (
        '"exactly 45,120" (45120; 2023) and "over 47,000" (at least 47001; 2023) cannot both be'
        " true: the ranges have no number in common for the same time."
    )
    assert comparison["figure"]["id"] == made["figures"][0]["id"]
    assert comparison["figure"]["claim"]["id"] == made["id"]
    del seeded["period"]["relative"]
    assert comparison["other"] == {
        name: seeded[name]
        for name in (
            "id",
            "external_id",
            "as_stated",
            "unit_code",
            "value_range",
            "plausible_range",
            "modality",
            "breakdown",
            "definition",
            "period",
            "claim",
        )
    }
    assert comparison["metric"] == seeded["metric"]
    assert comparison["subject"] == seeded["subject"]
    (seen,) = reader.get(f"/v1/figures/{seeded['id']}/comparisons").json["data"]
    assert seen["verdict"] == "contradicts"
    assert (seen["figure"], seen["other"]) == (comparison["other"], comparison["figure"])


def test_a_new_figure_is_answered_with_its_comparisons(
    editor: Client, seeded: dict[str, Any]
) -> None:
    made = editor.post("/v1/figures", {**EXACTLY, "claim_external_id": "hksz:hkpc-seven-bases"})
    assert made.status_code == 201
    assert made.json["modality"] == "planned"
    # What is planned is compared with what happened.
    assert _verdicts(made.json["comparisons"]["data"]) == ["compatible"]
    path = made.headers["Location"]
    changed = editor.patch(path, {"modality": "actual"}).json
    assert _verdicts(changed["comparisons"]["data"]) == ["contradicts"]
    agreeing = editor.patch(path, {"comparator": "gt"}).json["comparisons"]["data"]
    assert _verdicts(agreeing) == ["tension"]
    assert agreeing[0]["other"]["id"] == seeded["id"]


def test_a_target_does_not_contradict_an_outcome(
    post_claim: PostClaim, reader: Client, seeded: dict[str, Any]
) -> None:
    target = {**EXACTLY, "as_stated": "60,000", "amount": "60000", "modality": "planned"}
    assert _verdicts(post_claim(target)["comparisons"]["data"]) == ["compatible"]
    for path in (f"/v1/figures/{seeded['id']}/comparisons", "/v1/comparisons"):
        assert _verdicts(reader.get(path).json["data"]) == ["compatible"]


def test_a_different_period_is_explained(post_claim: PostClaim) -> None:
    longer = {"as_stated": "47,681", "amount": "47681", "period_edtf": "2022-12-28/2023-11-30"}
    (comparison,) = post_claim({**EXACTLY, **longer})["comparisons"]["data"]
    assert comparison["verdict"] == "compatible"
    assert comparison["explanation"] == (
        '"47,681" (47681; 2022-12-28/2023-11-30) is compatible with "over 47,000"'
        " (at least 47001; 2023): the periods differ, so that both can be true."
    )


def test_units_of_a_dimension_are_compared_in_the_base_unit(
    editor: Client, compare_two: Compare
) -> None:
    for code in ("har", "km2"):
        assert editor.post("/v1/units", {"code": code, "label": code}).status_code == 201
    (comparison,) = compare_two(
        {"as_stated": "87 ha", "amount": "87", "unit_code": "har"},
        {"as_stated": "0.87 km²", "amount": "0.87", "unit_code": "km2"},
        dimension="area",
        accumulation="stock",
    )
    assert comparison["verdict"] == "agrees"
    assert comparison["explanation"] == (
        '"87 ha" (870000 m2; 2023) agrees with "0.87 km²" (870000 m2; 2023):'
        " the ranges overlap for the same time."
    )


@pytest.mark.parametrize(
    ("figure", "verdict"),
    [
        ({"amount": "10"}, "agrees"),
        ({"amount": "10.0000000001"}, "contradicts"),
        ({"amount": "10", "comparator": "gt"}, "contradicts"),
        ({"amount": "10", "comparator": "ge"}, "agrees"),
    ],
)
def test_a_repeating_factor_causes_no_contradiction(
    editor: Client, compare_two: Compare, figure: dict[str, str], verdict: str
) -> None:
    for code in ("km/h", "m/s"):
        assert editor.post("/v1/units", {"code": code, "label": code}).status_code == 201
    (comparison,) = compare_two(
        {"amount": "36", "unit_code": "km/h"}, {"unit_code": "m/s", **figure}, dimension="speed"
    )
    assert comparison["verdict"] == verdict
    assert "(10 m/s; 2023)" in comparison["explanation"]


def test_a_ratio_is_not_compared_with_a_count(editor: Client, post_claim: PostClaim) -> None:
    assert editor.post("/v1/units", {"code": "%", "label": "percent"}).status_code == 201
    for dimension in ("ratio", "count"):
        metric = {"external_id": f"test:{dimension}", "key": dimension, "label": dimension}
        metric |= {"dimension": dimension, "accumulation": "ratio"}
        assert editor.post("/v1/metrics", metric).status_code == 201
    made = post_claim(
        {**EXACTLY, "metric_external_id": "test:ratio", "amount": "37", "unit_code": "%"},
        {**EXACTLY, "metric_external_id": "test:count", "amount": "37", "unit_code": "1"},
        {**EXACTLY, "metric_external_id": "test:ratio", "amount": "38.0", "unit_code": "%"},
    )
    (comparison,) = made["comparisons"]["data"]
    assert comparison["verdict"] == "contradicts"
    assert "(0.37 of 1; 2023)" in comparison["explanation"]
    assert "(0.38 of 1; 2023)" in comparison["explanation"]


def test_currencies_are_not_converted(editor: Client, compare_two: Compare) -> None:
    for code in ("HKD", "USD"):
        assert editor.post("/v1/units", {"code": code, "label": code}).status_code == 201
    (comparison,) = compare_two(
        {"amount": "7", "unit_code": "HKD"},
        {"amount": "7", "unit_code": "USD"},
        {"amount": "8", "unit_code": "HKD"},
        dimension="money",
    )
    assert comparison["verdict"] == "contradicts"
    assert "(7 HKD; 2023)" in comparison["explanation"]


EXPLAINED = [
    pytest.param(
        {"comparator": "approx", "amount": "13"},
        {"amount": "13.4"},
        "agrees",
        '"some" (11 to 15; 2023) agrees with "some" (13.4; 2023):'
        " the ranges overlap for the same time.",
        id="approx-eq",
    ),
    pytest.param(
        {"comparator": "approx", "amount": "13"},
        {"amount": "15.5"},
        "contradicts",
        '"some" (11 to 15; 2023) and "some" (15.5; 2023) cannot both be'
        " true: the ranges have no number in common for the same time.",
        id="approx-edge",
    ),
    pytest.param(
        {"comparator": "between", "lower_bound": "10", "upper_bound": "20"},
        {"comparator": "ge", "amount": "20"},
        "agrees",
        '"some" (10 to 20; 2023) agrees with "some" (at least 20; 2023):'
        " the ranges overlap for the same time.",
        id="between",
    ),
    pytest.param(
        {"comparator": "gt", "amount": "1000.50"},
        {"amount": "70000.0"},
        "tension",
        '"some" (more than 1000.5; 2023) and "some" (70000; 2023) are in tension: both can be'
        " true, but a reader would understand the first as more than 1000.5 and less than 1000.51"
        " and the second as 70000, which have no number in common for the same time.",
        id="tension",
    ),
    pytest.param(
        {"amount": "5", "period_edtf": None},
        {"amount": "6", "period_edtf": None},
        "tension",
        '"some" (5; no time stated) and "some" (6; no time stated) are in tension: the ranges'
        " have no number in common, but neither states a time.",
        id="undated-disjoint",
    ),
    pytest.param(
        {"comparator": "lt", "amount": "50", "period_edtf": None},
        {"amount": "3", "period_edtf": None},
        "tension",
        '"some" (0 to 49; no time stated) and "some" (3; no time stated) are in tension: both can'
        " be true, but a reader would understand the first as 46 to 49 and the second as 3, which"
        " have no number in common, and neither states a time.",
        id="undated-tension",
    ),
    pytest.param(
        {"amount": "5", "period_edtf": None},
        {"amount": "5.0", "period_edtf": None},
        "agrees",
        '"some" (5; no time stated) agrees with "some" (5; no time stated):'
        " the ranges overlap, and neither states a time.",
        id="undated-agreement",
    ),
    pytest.param(
        {"amount": "60", "period_edtf": "2023-03"},
        {"amount": "45"},
        "part_exceeds_whole",
        '"some" (60; 2023-03) exceeds "some" (45; 2023), of which it must be a part: its period'
        " lies within the other's, and its range lies wholly above the other's.",
        id="part",
    ),
    pytest.param(
        {"amount": "45"},
        {"amount": "60", "period_edtf": "2023-03"},
        "part_exceeds_whole",
        '"some" (60; 2023-03) exceeds "some" (45; 2023), of which it must be a part: its period'
        " lies within the other's, and its range lies wholly above the other's.",
        id="whole",
    ),
    pytest.param(
        {"amount": "30", "period_edtf": "2023-03"},
        {"amount": "45"},
        "compatible",
        '"some" (30; 2023-03) is compatible with "some" (45; 2023): the periods differ, so that'
        " both can be true.",
        id="smaller-part",
    ),
]


@pytest.mark.parametrize(("figure", "other", "verdict", "explanation"), EXPLAINED)
def test_every_verdict_is_explained(
    compare_two: Compare,
    figure: dict[str, Any],
    other: dict[str, Any],
    verdict: str,
    explanation: str,
) -> None:
    (comparison,) = compare_two(
        {"unit_code": "1", **figure}, {"unit_code": "1", **other}, dimension="count"
    )
    assert comparison["verdict"] == verdict
    assert comparison["explanation"] == explanation


@pytest.mark.parametrize(
    ("accumulation", "period", "verdicts"),
    [
        ("flow", "2022-06/2023-06", ["compatible"]),
        ("event", "2022-06/2023-06", ["compatible"]),
        ("stock", "2022-06/2023-06", []),
        ("ratio", "2022-06/2023-06", []),
        ("flow", "2023-03", ["part_exceeds_whole"]),
        ("event", "2023-03", ["compatible"]),
        ("stock", "2023-03", ["tension"]),
        ("ratio", "2022/2024", ["tension"]),
        ("stock", "2023-01/2023-12", ["contradicts"]),
        ("flow", "2022", []),
        ("flow", None, []),
    ],
)
def test_the_accumulation_decides_which_periods_are_compared(
    compare_two: Compare, accumulation: str, period: str | None, verdicts: list[str]
) -> None:
    figures = ({"amount": "60", "period_edtf": period}, {"amount": "45"})
    given = ({"unit_code": "1", **figure} for figure in figures)
    found = compare_two(*given, dimension="count", accumulation=accumulation)
    assert _verdicts(found) == verdicts


def test_a_part_may_exceed_the_whole_if_values_can_be_negative(compare_two: Compare) -> None:
    figures = ({"amount": "60", "period_edtf": "2023-03"}, {"amount": "45"})
    given = ({"unit_code": "1", **figure} for figure in figures)
    assert _verdicts(compare_two(*given, dimension="count", nonnegative=False)) == ["compatible"]


@pytest.mark.parametrize("status", ["rejected", "retracted"])
def test_withdrawn_claims_are_not_compared(
    post_claim: PostClaim, editor: Client, reader: Client, seeded: dict[str, Any], status: str
) -> None:
    made = post_claim(EXACTLY)
    path = f"/v1/figures/{seeded['id']}/comparisons"
    assert len(reader.get(path).json["data"]) == 1
    editor.patch(f"/v1/claims/{made['id']}", {"status": status})
    own = f"/v1/figures/{made['figures'][0]['id']}/comparisons"
    for listed in (path, own, "/v1/comparisons"):
        assert reader.get(listed).json["data"] == []
    assert reader.get(f"/v1/claims/{made['id']}", include="comparisons").json["comparisons"] == {
        "data": [],
        "all": True,
    }


@pytest.mark.parametrize("resource", ["claims", "figures"])
def test_deleted_rows_are_not_compared(
    post_claim: PostClaim, editor: Client, reader: Client, resource: str
) -> None:
    made = post_claim(EXACTLY)
    row = made if resource == "claims" else made["figures"][0]
    assert len(reader.get("/v1/comparisons").json["data"]) == 1
    editor.delete(f"/v1/{resource}/{row['id']}")
    assert reader.get("/v1/comparisons").json["data"] == []
    editor.restore(f"/v1/{resource}/{row['id']}")
    assert len(reader.get("/v1/comparisons").json["data"]) == 1


@pytest.fixture
def three_claims(post_claim: PostClaim) -> list[dict[str, Any]]:
    """Three claims whose figures are compared with each other and with the seed's."""
    figures = [
        {**EXACTLY, "amount": amount, "period_edtf": period}
        for amount, period in (
            ("45120", "2023"),
            ("60000", "2023"),
            ("47500", "2023"),
            ("90000", "2023-03"),
            ("1000", "2023-04"),
        )
    ]
    return [post_claim(*figures[:3]), post_claim(figures[3]), post_claim(figures[4])]


SEVERITY = ["contradicts", "part_exceeds_whole", "tension", "compatible", "agrees"]


def test_the_most_severe_come_first_and_each_pair_once(
    three_claims: list[dict[str, Any]], reader: Client
) -> None:
    claim = reader.get(f"/v1/claims/{three_claims[0]['id']}", include="comparisons").json[
        "comparisons"
    ]
    assert claim["all"] is True
    found = _verdicts(claim["data"])
    assert found == sorted(found, key=SEVERITY.index)
    # Among the three figures: 3; with the seed's, with 90,000 and with 1,000: 3 each.
    pairs = {frozenset((c["figure"]["id"], c["other"]["id"])) for c in claim["data"]}
    assert len(pairs) == len(claim["data"]) == 12
    assert all(c["figure"]["claim"]["id"] == three_claims[0]["id"] for c in claim["data"])
    figure = three_claims[0]["figures"][0]["id"]
    one = reader.get(f"/v1/figures/{figure}", include="comparisons").json["comparisons"]
    assert len(one["data"]) == 5
    assert "comparisons" not in reader.get(f"/v1/figures/{figure}").json
    assert "comparisons" not in reader.get("/v1/claims").json["data"][0]
    assert "comparisons" in reader.get("/v1/claims", include="comparisons").json["data"][0]


def test_more_than_a_hundred_are_not_embedded(post_claim: PostClaim, reader: Client) -> None:
    figures = [{**EXACTLY, "amount": str(number)} for number in range(60000, 60015)]
    comparisons = post_claim(*figures)["comparisons"]
    assert len(comparisons["data"]) == 100
    assert comparisons["all"] is False
    assert set(_verdicts(comparisons["data"])) == {"contradicts"}
    count = reader.get("/v1/comparisons", count="exact", per_page="100").json["meta"]["count"]
    assert count == {"value": 120, "kind": "exact"}


def _pages(client, path, size, *, full=True, **query):
    answer = client.get(path, per_page=str(size), **query)
    while True:
        assert answer.status_code == 200, answer.text
        yield answer.json["data"]
        cursor = answer.json["meta"]["next_cursor"]
        assert (cursor is None) == ("Link" not in answer.headers)
        if cursor is None:
            return
        assert len(answer.json["data"]) == size or not full
        answer = client.get(answer.headers["Link"].partition(";")[0].strip("<>"))


def _ids(comparison: dict[str, Any]) -> tuple[str, str]:
    return comparison["figure"]["id"], comparison["other"]["id"]


def test_a_list_holds_each_pair_once_in_the_order_of_the_ids(
    three_claims: list[dict[str, Any]], reader: Client, seeded: dict[str, Any]
) -> None:
    whole = reader.get("/v1/comparisons", per_page="100").json["data"]
    keys = [_ids(comparison) for comparison in whole]
    assert keys == sorted(keys)
    assert all(figure < other for figure, other in keys)
    figures = [seeded["id"], *(f["id"] for claim in three_claims for f in claim["figures"])]
    # All but the two months, which do not overlap.
    assert len(set(keys)) == len(keys) == len(figures) * (len(figures) - 1) // 2 - 1
    for size in (1, 4):
        assert list(chain(*_pages(reader, "/v1/comparisons", size))) == whole


def test_comparisons_of_a_figure_list_it_first(
    three_claims: list[dict[str, Any]], reader: Client
) -> None:
    figure = three_claims[0]["figures"][1]["id"]
    path = f"/v1/figures/{figure}/comparisons"
    whole = reader.get(path).json["data"]
    assert {_ids(comparison)[0] for comparison in whole} == {figure}
    others = [_ids(comparison)[1] for comparison in whole]
    assert others == sorted(others)
    assert len(others) == 5
    assert others[0] < figure < others[-1]
    assert list(chain(*_pages(reader, path, 2))) == whole
    every = reader.get("/v1/comparisons", per_page="100").json["data"]
    assert {(frozenset(_ids(c)), c["verdict"]) for c in whole} == {
        (frozenset(_ids(c)), c["verdict"]) for c in every if figure in _ids(c)
    }


def _sides(comparison: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    return comparison["figure"], comparison["other"]


FILTERS = [
    ({"verdict": "contradicts"}, lambda c: c["verdict"] == "contradicts"),
    ({"verdict__ne": "contradicts"}, lambda c: c["verdict"] != "contradicts"),
    (
        {"verdict__in": "part_exceeds_whole,tension"},
        lambda c: c["verdict"] in {"part_exceeds_whole", "tension"},
    ),
    ({"metric": "ttps-approved"}, lambda c: c["metric"]["key"] == "ttps-approved"),
    ({"metric__startswith": "main"}, lambda c: c["metric"]["key"].startswith("main")),
    ({"modality": "actual"}, lambda c: c["figure"]["modality"] == "actual"),
    ({"modality": "planned"}, lambda c: "planned" in {s["modality"] for s in _sides(c)}),
    (
        {"period__certainly_within": "2023-03"},
        lambda c: {side["period"]["edtf"] for side in _sides(c)} == {"2023-03"},
    ),
    (
        {"period__within": "2023-04"},
        lambda c: {side["period"]["edtf"] for side in _sides(c)} <= {"2023", "2023-04"},
    ),
    (
        {"period__isnull": "true"},
        lambda c: all(side["period"]["edtf"] is None for side in _sides(c)),
    ),
]


@pytest.fixture
def four_claims(three_claims: list[dict[str, Any]], post_claim: PostClaim) -> list[dict[str, Any]]:
    """The three claims, and one with another metric and modality and without a period."""
    planned = {
        "metric_external_id": "hksz:metric-mainland-bases-added",
        "subject_external_id": "hksz:hkpc",
        "modality": "planned",
        "period_edtf": None,
    }
    return [*three_claims, post_claim({**EXACTLY, **planned, "amount": "8"})]


@pytest.mark.parametrize(("query", "holds"), FILTERS, ids=[str(query) for query, _ in FILTERS])
@pytest.mark.usefixtures("four_claims")
def test_filters_select_comparisons(
    reader: Client, query: dict[str, str], holds: Callable[..., Any]
) -> None:
    every = reader.get("/v1/comparisons", per_page="100").json["data"]
    expected = [comparison for comparison in every if holds(comparison)]
    assert reader.get("/v1/comparisons", per_page="100", **query).json["data"] == expected
    assert len(expected) < len(every)
    assert expected or query == {"period__certainly_within": "2023-03"}


def test_filters_by_id(four_claims: list[dict[str, Any]], reader: Client) -> None:
    every = reader.get("/v1/comparisons", per_page="100").json["data"]
    for field in ("metric", "subject"):
        for id in {comparison[field]["id"] for comparison in every}:
            found = reader.get("/v1/comparisons", per_page="100", **{f"{field}_id": id})
            assert found.json["data"] == [c for c in every if c[field]["id"] == id]
    for claim in four_claims:
        found = reader.get("/v1/comparisons", per_page="100", claim_id=claim["id"]).json["data"]
        assert found == [
            c for c in every if claim["id"] in {side["claim"]["id"] for side in _sides(c)}
        ]
        assert found
    several = ",".join(claim["id"] for claim in four_claims)
    assert reader.get("/v1/comparisons", per_page="100", claim_id__in=several).json["data"] == every
    none = reader.get("/v1/comparisons", claim_id=four_claims[3]["id"], verdict="contradicts")
    assert none.json["data"] == []


@pytest.mark.usefixtures("three_claims")
def test_select_and_count_apply_to_comparisons(reader: Client) -> None:
    answer = reader.get("/v1/comparisons", select="verdict,metric", count="exact", per_page="2")
    assert [list(row) for row in answer.json["data"]] == [["verdict", "metric"]] * 2
    assert answer.json["meta"]["count"] == {"value": 14, "kind": "exact"}
    estimate = reader.get("/v1/comparisons", count="estimated").json["meta"]["count"]
    assert estimate["kind"] == "estimated"


@pytest.mark.usefixtures("three_claims")
def test_a_count_says_if_not_all_pairs_were_compared(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    pairs = reader.get("/v1/comparisons", count="exact").json["meta"]["count"]["value"]
    monkeypatch.setattr(comparison_pages, "PAIRED", pairs - 1)
    comparison_pages.count_statement.cache_clear()
    some = reader.get("/v1/comparisons", count="exact").json["meta"]["count"]
    figure = reader.get("/v1/comparisons").json["data"][0]["figure"]["id"]
    narrow = reader.get(f"/v1/figures/{figure}/comparisons", count="exact").json["meta"]["count"]
    comparison_pages.count_statement.cache_clear()
    assert some["kind"] == "at_least"
    assert 0 < some["value"] <= pairs
    assert narrow["kind"] == "exact"


@pytest.mark.usefixtures("three_claims")
def test_a_count_of_a_claim_looks_at_its_pairs_only(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    claim = reader.get("/v1/comparisons").json["data"][0]["figure"]["claim"]["id"]
    listed = reader.get("/v1/comparisons", claim_id=claim, per_page="100").json["data"]
    monkeypatch.setattr(comparison_pages, "PAIRED", len(listed))
    comparison_pages.count_statement.cache_clear()
    count = reader.get("/v1/comparisons", claim_id=claim, count="exact").json["meta"]["count"]
    comparison_pages.count_statement.cache_clear()
    assert count == {"value": len(listed), "kind": "exact"}


@pytest.mark.parametrize(
    "parameter", ["sort", "q", "include", "unknown", "figure_id", "group_by", "claim_id__ne"]
)
@pytest.mark.parametrize("path", ["/v1/comparisons", "/v1/figures/{}/comparisons"])
def test_unknown_parameters_are_refused(
    reader: Client, seeded: dict[str, Any], path: str, parameter: str
) -> None:
    refused = reader.get(path.format(seeded["id"]), **{parameter: "id"})
    assert refused.status_code == 400
    assert {error["parameter"] for error in refused.json["errors"]} == {parameter}


@pytest.mark.parametrize("bound", [("SCANNED", 1), ("PAIRED", 2)], ids=str)
@pytest.mark.parametrize(
    "query",
    [
        {},
        {"verdict": "contradicts"},
        {"verdict": "tension"},
        {"metric": "ttps-approved"},
        {"metric": "ttps-approved", "verdict": "contradicts"},
    ],
)
def test_a_bounded_scan_continues_on_the_next_page(
    reader: Client,
    monkeypatch: pytest.MonkeyPatch,
    three_claims: list[dict[str, Any]],
    query: dict[str, Any],
    bound: tuple[str, int],
) -> None:
    whole = reader.get("/v1/comparisons", per_page="100", **query).json["data"]
    name, most = bound
    monkeypatch.setattr(f"hksz_db.queries.comparison_pages.{name}", most)
    comparisons_statement.cache_clear()
    try:
        pages = list(_pages(reader, "/v1/comparisons", 5, full=False, **query))
        of_one = {"claim_id": three_claims[0]["id"], "per_page": "100", **query}
        led = reader.get("/v1/comparisons", **of_one)
    finally:
        comparisons_statement.cache_clear()
    assert [pair for page in pages for pair in page] == whole
    assert any(len(page) < 5 for page in pages[:-1])
    # Those of a claim are not limited.
    assert led.json["meta"]["next_cursor"] is None


def test_a_cursor_belongs_to_its_list(
    reader: Client, seeded: dict[str, Any], three_claims: list[dict[str, Any]]
) -> None:
    paths = [
        "/v1/comparisons",
        f"/v1/figures/{seeded['id']}/comparisons",
        f"/v1/figures/{three_claims[0]['figures'][0]['id']}/comparisons",
    ]
    cursors = [reader.get(path, per_page="1").json["meta"]["next_cursor"] for path in paths]
    for path, own in zip(paths, cursors, strict=True):
        for cursor in cursors:
            status = reader.get(path, cursor=cursor).status_code
            assert status == (200 if cursor == own else 400)
    filtered = reader.get("/v1/comparisons", verdict="agrees", cursor=cursors[0])
    assert filtered.status_code == 400


@pytest.mark.usefixtures("three_claims")
def test_an_unchanged_list_is_304(reader: Client, seeded: dict[str, Any]) -> None:
    for path in ("/v1/comparisons", f"/v1/figures/{seeded['id']}/comparisons"):
        answer = reader.get(path)
        for method in ("GET", "HEAD"):
            headers = {"If-None-Match": answer.headers["ETag"]}
            assert reader.send(method, path, headers=headers).status_code == 304


def test_comparisons_of_a_missing_figure_are_404_or_410(
    editor: Client, reader: Client, post_claim: PostClaim
) -> None:
    assert reader.get(f"/v1/figures/{NOBODY}/comparisons").status_code == 404
    figure = post_claim({**EXACTLY, "period_edtf": "1999"})["figures"][0]["id"]
    empty = reader.get(f"/v1/figures/{figure}/comparisons")
    assert (empty.status_code, empty.json["data"]) == (200, [])
    editor.delete(f"/v1/figures/{figure}")
    assert reader.get(f"/v1/figures/{figure}/comparisons").status_code == 410
    for method in ("POST", "DELETE"):
        assert editor.send(method, "/v1/comparisons", json={}).status_code == 405


def test_every_list_is_one_statement_and_one_for_each_count(
    three_claims: list[dict[str, Any]], reader: Client, query_counter: QueryCounter
) -> None:
    figure, claim = three_claims[0]["figures"][0]["id"], three_claims[0]["id"]
    for path, count in (
        ("/v1/comparisons", 1),
        (f"/v1/comparisons?claim_id={claim}&verdict=contradicts&count=exact", 2),
        (f"/v1/comparisons?claim_id={claim}", 2),
        (f"/v1/figures/{figure}/comparisons", 2),
        (f"/v1/figures/{figure}?include=comparisons", 1),
        (f"/v1/claims/{claim}?include=comparisons", 1),
        ("/v1/claims?include=figures,comparisons", 1),
    ):
        with query_counter() as counted:
            assert reader.send("GET", path).status_code == 200
        assert len(counted.statements) == count, path
