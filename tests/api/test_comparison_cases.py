"""Pairs of figures as sources state them, and the verdicts that a fact-checker would give."""

from collections.abc import Iterator
from typing import Any

import pytest

from hksz_db.queries import comparison_pages
from tests.conftest import MakeDatabase
from tests.samples import write_rows

COUNT = {"dimension": "count"}
RATIO = {"dimension": "ratio", "accumulation": "ratio"}
# The measure of both is not given.
SHARES = {"dimension": "ratio", "accumulation": "stock"}
GROWTH = {"dimension": "ratio", "accumulation": "flow"}
AREA = {"dimension": "area", "accumulation": "stock", "holds_for": "P20Y"}
MONEY = {"dimension": "money", "accumulation": "flow"}
FLOW = {**COUNT, "accumulation": "flow"}
STOCK = {**COUNT, "accumulation": "stock"}
MAINLAND = {"residence": "mainland"}


def of(words: str, **others: Any) -> dict[str, Any]:
    return {"as_stated": words, "period_edtf": "2023", **others}


def case(
    metric: dict[str, Any],
    one: dict[str, Any],
    other: dict[str, Any],
    verdict: str | None,
    reason: str | None = None,
) -> Any:
    name = f"{one['as_stated']} - {other['as_stated']} - {verdict or reason}"
    return pytest.param(metric, one, other, verdict, reason, id=name)


DAY = {"period_edtf": "2023-12-31"}
CASES = [
    case(STOCK, of("7.5 million", **DAY), of("7,503,100", **DAY), "agrees"),
    case(RATIO, of("5 %"), of("5.2 %"), "agrees"),
    case(FLOW, of("47,681"), of("47,700"), "agrees"),
    case(AREA, of("15 km2"), of("14.92 km2"), "agrees"),
    case(AREA, of("87 ha"), of("87.7 ha"), "tension"),
    case(AREA, of("87 ha"), of("about 88 ha"), "agrees"),
    case(STOCK, of("7 bases"), of("8 bases"), "contradicts"),
    case(FLOW, of("45,120"), of("over 47,000"), "contradicts"),
    case(AREA, of("87 ha"), of("3.02 km2"), "contradicts"),
    case(FLOW, of("60,000"), of("47,681", breakdown=MAINLAND), None, "other_breakdown"),
    case(FLOW, of("60,000"), of("70,000", breakdown=MAINLAND), "part_exceeds_whole"),
    case(
        FLOW,
        of("9,000", breakdown={"category": "a"}),
        of("12,000", breakdown={"category": "b"}),
        None,
        "other_breakdown",
    ),
    case(STOCK, of("60,100"), of("70,200", breakdown=MAINLAND), "part_exceeds_whole"),
    case(
        STOCK,
        of("60,100"),
        of("70,200", breakdown=MAINLAND, period_edtf="2023-06"),
        None,
        "other_breakdown",
    ),
    case(RATIO, of("60 %"), of("71 %", breakdown=MAINLAND), None, "other_breakdown"),
    case(SHARES, of("60.1 %"), of("71.2 %", breakdown=MAINLAND), None, "other_breakdown"),
    case(GROWTH, of("3.1 %"), of("5.2 %", period_edtf="2023-03"), "compatible"),
    case(
        {**FLOW, "measure": "share"},
        of("60,100"),
        of("70,200", breakdown=MAINLAND),
        None,
        "other_breakdown",
    ),
    case(FLOW, of("60,100", breakdown=MAINLAND), of("60,200", breakdown=MAINLAND), "tension"),
    case(FLOW, of("60,100", breakdown=MAINLAND), of("61,200", breakdown=MAINLAND), "contradicts"),
    case(RATIO, of("5.2 %"), of("5.3 %"), "tension"),
    case(RATIO, of("5.2 %"), of("0.052", comparator="eq", amount="0.052", unit_code="1"), "agrees"),
    case(RATIO, of("most"), of("74 %"), "agrees"),
    case(FLOW, of("over 47,000"), of("47,681"), "agrees"),
    *(
        case(FLOW, of(words), of(number), verdict)
        for words, number, verdict in (
            ("more than 12", "13", "agrees"),
            ("more than 7 bases", "8 bases", "agrees"),
            ("fewer than 12", "11", "agrees"),
            ("more than 12", "12", "contradicts"),
            ("more than 12", "14", "tension"),
            ("fewer than 12", "12", "contradicts"),
            ("at least 12", "12", "agrees"),
            ("more than 12.5 million", "12,550,000", "agrees"),
            ("more than 12.5 million", "13,100,000", "tension"),
        )
    ),
    # Areas need not be whole.
    case(AREA, of("more than 12 ha"), of("12.5 ha"), "agrees"),
    case(AREA, of("302 ha"), of("167 ha", definition="Built-up land only."), "tension"),
    case(FLOW, of("47,681", estimate="provisional"), of("51,200", estimate="final"), "tension"),
    case(
        FLOW,
        of("47,681", known_at_edtf="2024-01"),
        of("51,200", known_at_edtf="2024-02"),
        "tension",
    ),
    case(
        FLOW,
        of("47,681", estimate="final", known_at_edtf="2024-01"),
        of("51,200", estimate="final"),
        "contradicts",
    ),
    case(
        FLOW,
        of("47,681", estimate="final"),
        of("51,200", period_edtf="2023-05", estimate="provisional"),
        "compatible",
    ),
    case(
        FLOW,
        of("8,797", period_edtf="2022-12-28/2023-02-28"),
        of("over 47,000"),
        "compatible",
    ),
    case(
        MONEY,
        of("HKD 1,000", period_edtf="2023-04/2024-03"),
        of("HKD 2,000,000"),
        "compatible",
    ),
    case(MONEY, of("HKD 1,000"), of("USD 1,000"), None, "other_currency"),
    case(
        AREA,
        of("87 ha", period_edtf="2017-01-03"),
        of("87 ha", period_edtf="2023-09-07"),
        "agrees",
    ),
    case(
        AREA,
        of("87 ha", period_edtf="2017-01-03"),
        of("302 ha", period_edtf="2023-09-07"),
        "tension",
    ),
    case(
        AREA,
        of("87 ha", period_edtf="1997-01-03"),
        of("87 ha", period_edtf="2023-09-07"),
        None,
        "other_time",
    ),
    case(
        AREA,
        of("87 ha", period_edtf="2003-09-07"),
        of("87 ha", period_edtf="2023-09-07"),
        "agrees",
    ),
    case(
        AREA,
        of("87 ha", period_edtf="2003-09-06"),
        of("87 ha", period_edtf="2023-09-07"),
        None,
        "other_time",
    ),
    case(
        AREA,
        of("87 ha", period_edtf="2010/.."),
        of("87 ha", period_edtf="2005-01-01"),
        "agrees",
    ),
    case(
        STOCK,
        of("87", period_edtf="2017-01-03"),
        of("87", period_edtf="2023-09-07"),
        None,
        "other_time",
    ),
    case(FLOW, of("47,681"), of("47,681", period_edtf=None), None, "no_period"),
    case(FLOW, of("47,681", period_edtf=None), of("51,200", period_edtf=None), "tension"),
    case(
        FLOW,
        of("47,681", period_edtf="2023~"),
        of("51,200", period_edtf="2023~"),
        "tension",
    ),
    # A day within the year: the stock can have changed meanwhile.
    case(STOCK, of("47,681"), of("47,681", **DAY), "agrees"),
    case(STOCK, of("47,681"), of("51,200", **DAY), "tension"),
    case(FLOW, of("47,681"), of("51,200", **DAY), "part_exceeds_whole"),
    case(FLOW, of("47,681"), of("47,681", **DAY), "compatible"),
    case(FLOW, of("47,681"), of("12", **DAY), "compatible"),
    # Plans, forecasts and what happened.
    case(FLOW, of("at least 35,000", modality="planned"), of("around 90,000"), "met"),
    case(FLOW, of("at least 35,000", modality="planned"), of("35,000"), "met"),
    case(FLOW, of("at least 35,000", modality="planned"), of("around 35,000"), "compatible"),
    case(FLOW, of("at least 35,000", modality="planned"), of("31,200"), "missed"),
    case(FLOW, of("at least 35,000", modality="planned"), of("36,100", **DAY), "met"),
    case(FLOW, of("at least 35,000", modality="planned"), of("1,200", **DAY), "compatible"),
    case(FLOW, of("35,000", modality="planned"), of("90,000"), "compatible"),
    case(FLOW, of("35,000", modality="planned"), of("35,000"), "met"),
    case(FLOW, of("35,000", modality="planned"), of("12,100"), "missed"),
    case(FLOW, of("at most 35,000", modality="planned"), of("90,000"), "missed"),
    case(STOCK, of("at least 35,000", modality="planned"), of("36,100", **DAY), "met"),
    # The rest of the year may still exceed it.
    case(STOCK, of("at most 35,000", modality="planned"), of("31,200", **DAY), "compatible"),
    case(STOCK, of("at most 35,000", modality="planned"), of("31,200"), "met"),
    case(STOCK, of("at most 35,000", modality="forecast"), of("31,200", **DAY), "compatible"),
    case(
        FLOW,
        of("at least 35,000", modality="planned"),
        of("around 90,000", period_edtf="2024"),
        None,
        "other_time",
    ),
    case(
        FLOW,
        of("at least 35,000", modality="planned", period_edtf=None),
        of("around 90,000", period_edtf=None),
        None,
        "no_period",
    ),
    case(
        FLOW,
        of("at least 35,000", modality="planned", period_edtf="2023~"),
        of("around 90,000", period_edtf="2023~"),
        "compatible",
    ),
    case(RATIO, of("5 %", modality="forecast"), of("5.2 %"), "came_true"),
    case(RATIO, of("5.0 %", modality="forecast"), of("3.2 %"), "did_not_come_true"),
    case(FLOW, of("at least 35,000", modality="forecast"), of("90,100"), "came_true"),
    case(FLOW, of("35,100", modality="planned"), of("35,900", modality="planned"), "contradicts"),
    case(FLOW, of("35,100", modality="planned"), of("35,900", modality="forecast"), None),
    case(FLOW, of("35,100", modality="opinion"), of("35,900"), None),
]


SUBJECT = {
    "external_id": "case:subject",
    "kind": "organisation",
    "names": [{"name": "The subject", "language": "en", "kind": "preferred"}],
}
UNITS = [{"code": code, "label": code} for code in ("har", "km2", "%", "HKD", "USD")]


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, seeded_template: str) -> Iterator[str]:
    """A database with the first seed, the subject and the units of the cases."""
    with make_database(seeded_template) as url:
        write_rows(url, {"entities": [SUBJECT], "units": UNITS})
        yield url


@pytest.fixture
def stated(editor):
    """Posts a claim with a figure of a metric; the claim."""

    def post(figure: dict[str, Any], **claim: Any) -> Any:
        common = {"metric_external_id": "case:metric", "subject_external_id": "case:subject"}
        body = {"statement": "It was counted.", "claimant_external_id": "case:subject", **claim}
        made = editor.post("/v1/claims", {**body, "figures": [{**common, **figure}]})
        assert made.status_code == 201, made.json
        return made.json

    return post


@pytest.fixture
def metric(editor):
    """Posts the metric of the cases."""

    def post(**fields: Any) -> None:
        body = {"external_id": "case:metric", "key": "case", "label": "A case", **fields}
        answer = editor.post("/v1/metrics", body)
        assert answer.status_code == 201, answer.json

    return post


@pytest.fixture
def compared(editor):
    """The verdicts on a figure of a claim, and the reasons for no verdict."""

    def read(claim: Any) -> tuple[list[str], dict[str, int]]:
        answer = editor.get(f"/v1/figures/{claim['figures'][0]['id']}/comparisons").json
        reasons = {one["reason"]: one["count"] for one in answer["meta"]["not_compared"]}
        return [one["verdict"] for one in answer["data"]], reasons

    return read


@pytest.mark.parametrize(("definition", "one", "other", "verdict", "reason"), CASES)
def test_a_pair_has_its_verdict(metric, stated, compared, definition, one, other, verdict, reason):
    metric(**definition)
    first, second = stated(one), stated(other)
    expected = ([verdict] if verdict else [], {reason: 1} if reason else {})
    assert compared(first) == expected
    assert compared(second) == expected


def test_two_parts_in_one_claim_are_not_compared(editor, metric):
    metric(**FLOW)
    parts = [of("9,000", breakdown={"category": "a"}), of("12,000", breakdown={"category": "b"})]
    common = {"metric_external_id": "case:metric", "subject_external_id": "case:subject"}
    body = {
        "statement": "Both counted.",
        "claimant_external_id": "case:subject",
        "figures": [{**common, **part} for part in parts],
    }
    made = editor.post("/v1/claims", body)
    assert made.json["comparisons"] == {"data": [], "all": True}
    answer = editor.get("/v1/comparisons", claim_id=made.json["id"]).json
    assert answer["meta"]["not_compared"] == [{"reason": "other_breakdown", "count": 1}]


def test_the_explanation_names_the_part(metric, stated, editor):
    metric(**FLOW)
    claim = stated(of("60,100"))
    stated(of("70,200", breakdown=MAINLAND))
    answer = editor.get(f"/v1/figures/{claim['figures'][0]['id']}/comparisons").json
    assert answer["data"][0]["explanation"] == (
        '"70,200" (70101 to 70299; 2023, residence: mainland) exceeds "60,100"'
        " (60001 to 60199; 2023), of which it must be a part: its breakdown is part of the other's,"
        " and its range lies wholly above the other's."
    )


@pytest.mark.parametrize("kind", ["supersedes", "corrects"])
def test_claims_that_replace_each_other_are_not_compared(editor, metric, stated, compared, kind):
    metric(**RATIO)
    old, corrected, newest = (stated(of(words)) for words in ("3.2 %", "4.3 %", "5.4 %"))
    for newer, older in ((corrected, old), (newest, corrected)):
        relation = {"kind": kind, "to_id": older["id"]}
        answer = editor.patch(f"/v1/claims/{newer['id']}", {"relations": [relation]})
        assert answer.status_code == 200, answer.json
    # By a chain, too.
    assert compared(old) == ([], {"superseded": 2})
    assert compared(newest) == ([], {"superseded": 2})


def test_drafts_are_not_compared(metric, stated, compared):
    metric(**RATIO)
    accepted = stated(of("3.2 %"), status="accepted")
    stated(of("5.4 %"), status="draft")
    assert compared(accepted) == ([], {"not_reviewed": 1})


def test_rejected_claims_do_not_count(metric, stated, compared):
    metric(**RATIO)
    accepted = stated(of("3.2 %"), status="accepted")
    stated(of("5.4 %"), status="rejected")
    assert compared(accepted) == ([], {})


@pytest.fixture
def source(editor):
    """Posts a source, with the source that it copies, and returns its path."""

    def post(copied=None) -> str:
        relations = [{"kind": "copy_of", "to_id": _id(copied)}] if copied else []
        body = {"csl_type": "report", "title": "A report", "relations": relations}
        return editor.post("/v1/sources", body).headers["Location"]

    return post


def _id(path: str) -> str:
    return path.rpartition("/")[2]


def passage(source: str, **fields: Any) -> dict[str, Any]:
    return {"source_id": _id(source), "stance": "asserts", **fields}


@pytest.fixture
def retract(editor):
    """Retracts a source."""

    def patch(path: str) -> None:
        assert editor.patch(path, {"retracted_at": "2024-01-01T00:00:00Z"}).status_code == 200

    return patch


def test_claims_whose_sources_were_retracted_are_not_compared(
    metric, stated, compared, source, retract
):
    metric(**RATIO)
    accepted, sources = stated(of("3.2 %"), status="accepted"), [source(), source()]
    stated(of("5.4 %"), evidence=[passage(each) for each in sources])
    assert compared(accepted) == (["contradicts"], {})
    retract(sources[0])
    assert compared(accepted) == (["contradicts"], {})
    retract(sources[1])
    assert compared(accepted) == ([], {"no_evidence": 1})


def test_rejected_evidence_does_not_replace_what_was_retracted(
    metric, stated, compared, source, retract
):
    metric(**RATIO)
    accepted, retracted = stated(of("3.2 %"), status="accepted"), source()
    evidence = [passage(retracted), passage(source(), status="rejected")]
    stated(of("5.4 %"), evidence=evidence)
    assert compared(accepted) == (["contradicts"], {})
    retract(retracted)
    assert compared(accepted) == ([], {"no_evidence": 1})


def test_copies_of_a_retracted_source_are_no_evidence(
    editor, metric, stated, compared, source, retract
):
    metric(**RATIO)
    accepted, original = stated(of("3.2 %"), status="accepted"), source()
    copied = source(source(original))
    claim = stated(of("5.4 %"), evidence=[passage(copied)])
    assert compared(accepted) == (["contradicts"], {})
    retract(original)
    assert compared(accepted) == ([], {"no_evidence": 1})
    derived = passage(source(), derived_from_id=claim["evidence"][0]["id"])
    assert editor.post(f"/v1/claims/{claim['id']}/evidence", derived).status_code == 201
    assert compared(accepted) == ([], {"no_evidence": 1})
    assert editor.post(f"/v1/claims/{claim['id']}/evidence", passage(source())).status_code == 201
    assert compared(accepted) == (["contradicts"], {})


def test_a_list_of_all_comparisons_does_not_count_what_it_leaves_out(editor, metric, stated):
    metric(**FLOW)
    claim = stated(of("47,681"))
    stated(of("47,681", period_edtf=None))
    assert "not_compared" not in editor.get("/v1/comparisons").json["meta"]
    counted = editor.get("/v1/comparisons", claim_id=claim["id"]).json["meta"]["not_compared"]
    assert counted == [{"reason": "no_period", "count": 1}]
    only = editor.get("/v1/comparisons", claim_id=claim["id"], verdict="contradicts").json
    assert "not_compared" not in only["meta"]


@pytest.mark.parametrize("name", ["metric", "metric_id", "subject_id"])
def test_lists_of_a_metric_or_a_subject_count_what_they_leave_out(
    editor, metric, stated, monkeypatch, name
):
    metric(**FLOW)
    claim = stated(of("47,681"))
    stated(of("47,681"))
    stated(of("47,681", period_edtf=None))
    figure = claim["figures"][0]
    metric_id, subject_id = figure["metric"]["id"], figure["subject"]["id"]
    narrowed = {name: {"metric": "case", "metric_id": metric_id, "subject_id": subject_id}[name]}
    answer = editor.get("/v1/comparisons", **narrowed).json
    assert len(answer["data"]) == 1
    assert answer["meta"]["not_compared"] == [{"reason": "no_period", "count": 2}]
    monkeypatch.setattr(comparison_pages, "COUNTED", 2)
    comparison_pages.not_compared_statement.cache_clear()
    meta = editor.get("/v1/comparisons", **narrowed).json["meta"]
    comparison_pages.not_compared_statement.cache_clear()
    assert meta["not_compared"] is None
