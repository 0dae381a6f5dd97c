"""Dates relative to the date of a source are stored as such and follow its corrections."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Answer, Client
from tests.conftest import QueryCounter

ARTICLE = "hksz:shenzhen-daily-article"
CLAIM: dict[str, Any] = {"statement": "The zone was made.", "claimant_external_id": "hksz:hkpc"}
FIGURE: dict[str, Any] = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "forty",
    "comparator": "eq",
    "amount": "40",
    "unit_code": "1",
}
THEN = {"anchor_external_id": "test:paper", "duration": "-P13Y", "modifier": "about"}
LAST_YEAR = {"anchor_external_id": "test:paper", "duration": "-P1Y"}

Make = Callable[..., Answer]


@pytest.fixture
def paper(editor: Client) -> Answer:
    """A source of an uncertain year."""
    body = {"external_id": "test:paper", "csl_type": "report", "title": "A paper"}
    made = editor.post("/v1/sources", {**body, "issued_edtf": "2024?"})
    assert made.status_code == 201
    return made


@pytest.fixture
def make(editor: Client, paper: Answer) -> Make:
    """``make(**fields)`` adds a claim and returns the answer."""
    assert paper.json["issued"]["edtf"] == "2024?"

    def make(**fields):
        made = editor.post("/v1/claims", {**CLAIM, **fields})
        assert made.status_code == 201, made.json
        return made

    return make


def _correct(client: Client, paper: Answer, issued: str | None) -> Answer:
    return client.patch(paper.headers["Location"], {"issued_edtf": issued})


def _ids(client: Client, **query: str) -> set[str]:
    return {row["id"] for row in client.get("/v1/claims", per_page="100", **query).json["data"]}


def _read(client: Client, made: Answer) -> Answer:
    return client.get(made.headers["Location"])


def test_the_seed_dates_the_qianhai_zone_relative_to_its_source(reader: Client) -> None:
    name = "hksz:qianhai-zone-established"
    found = {
        within: reader.get("/v1/claims", external_id=name, **{f"time__{within}": "2010"}).json
        for within in ("within", "certainly_within")
    }
    assert [claim["external_id"] for claim in found["within"]["data"]] == [name]
    assert found["certainly_within"]["data"] == []
    (claim,) = found["within"]["data"]
    assert claim["time"]["as_stated"] == "about 13 years ago"
    relative = claim["time"]["relative"]
    assert relative["anchor"]["external_id"] == ARTICLE
    assert (relative["duration"], relative["modifier"]) == ("-P13Y", "about")


def test_a_corrected_source_updates_the_dates_relative_to_it(
    editor: Client, paper: Answer, make: Make
) -> None:
    made = make(time_as_stated="about 13 years ago", time_relative=THEN)
    id, before = made.json["id"], made.json["time"]
    assert before == {
        "as_stated": "about 13 years ago",
        "edtf": "[2009..2013]",
        "earliest": "2009-01-01",
        "latest": "2013-12-31",
        "relative": {
            "anchor": {"id": paper.json["id"], "external_id": "test:paper", "title": "A paper"},
            "duration": "-P13Y",
            "modifier": "about",
        },
    }
    assert id in _ids(editor, time__within="2010")
    assert id not in _ids(editor, time__certainly_within="2010")
    assert _correct(editor, paper, "2023-09-20").status_code == 200
    after = _read(editor, made)
    assert after.json["time"] == {
        **before,
        "edtf": "2010~",
        "earliest": "2009-01-01",
        "latest": "2011-12-31",
    }
    assert after.json["version"] == made.json["version"] + 1
    assert after.json["updated_at"] >= made.json["updated_at"]
    assert after.headers["ETag"] != made.headers["ETag"]
    assert (
        editor.patch(
            after.headers.get("Location", made.headers["Location"]),
            {"language": "de"},
            made.headers["ETag"],
        ).status_code
        == 412
    )


def test_a_correction_updates_every_date_in_one_version(
    editor: Client, paper: Answer, make: Make
) -> None:
    figure = {**FIGURE, "period_as_stated": "last year", "period_relative": LAST_YEAR}
    whole = make(
        time_relative={**LAST_YEAR, "modifier": "about"},
        due_relative={**LAST_YEAR, "duration": "P3Y", "modifier": "within"},
        figures=[figure, FIGURE],
    )
    of_figure = make(figures=[figure])
    other = make(time_edtf="2023", figures=[FIGURE])
    assert whole.json["figures"][0]["period"]["edtf"] == "[2022..2024]"
    _correct(editor, paper, "2024-01-24")
    claim, *others = (_read(editor, made).json for made in (whole, of_figure, other))
    assert (claim["time"]["edtf"], claim["due"]["edtf"]) == ("2023~", "2024-01-24/2027-01-24")
    assert [figure["period"]["edtf"] for figure in claim["figures"]] == ["2023", None]
    assert [figure["version"] for figure in claim["figures"]] == [2, 1]
    assert claim["figures"][0]["period"]["relative"]["duration"] == "-P1Y"
    assert [claim["version"], *(document["version"] for document in others)] == [2, 2, 1]
    assert others[0]["figures"][0]["period"]["edtf"] == "2023"


def test_a_correction_with_the_same_result_changes_nothing(
    editor: Client, paper: Answer, make: Make
) -> None:
    _correct(editor, paper, "2024-01-24")
    made = make(time_relative=LAST_YEAR)
    before = _read(editor, made).headers["ETag"]
    _correct(editor, paper, "2024-02-01")
    assert _read(editor, made).headers["ETag"] == before
    assert editor.patch(paper.headers["Location"], {"title": "Renamed"}).status_code == 200
    assert _read(editor, made).json["version"] == made.json["version"]
    assert _read(editor, made).json["time"]["relative"]["anchor"]["title"] == "Renamed"


@pytest.mark.parametrize(
    ("issued", "reason"),
    [(None, "it has none"), ("2024/..", "open at one end"), ("0005", "the years 1 to 9999")],
)
def test_a_correction_that_leaves_a_claim_without_a_date_is_refused(
    editor: Client, paper: Answer, make: Make, issued: str | None, reason: str
) -> None:
    named = make(external_id="test:named", time_relative=THEN)
    nameless = make(figures=[{**FIGURE, "period_relative": {**THEN, "modifier": None}}])
    fine = make(time_edtf="2023")
    refused = _correct(editor, paper, issued)
    assert refused.status_code == 409
    details = [error["detail"] for error in refused.json["errors"]]
    assert len(details) == 2
    assert details[0].startswith(f"The claim test:named ({named.json['id']})")
    assert details[1].startswith(f"The claim {nameless.json['id']}")
    assert all(reason in detail for detail in details)
    assert _read(editor, paper).json["issued"]["edtf"] == "2024?"
    for made in (named, nameless, fine):
        assert _read(editor, made).json["version"] == 1


def test_a_restored_claim_has_the_corrected_date(editor: Client, paper: Answer, make: Make) -> None:
    made = make(time_relative=LAST_YEAR)
    editor.delete(made.headers["Location"])
    _correct(editor, paper, "2021")
    restored = editor.restore(made.headers["Location"])
    assert restored.json["time"]["edtf"] == "2020"


def test_an_anchor_is_not_deleted(editor: Client, paper: Answer, make: Make) -> None:
    made = [
        make(external_id="test:time", time_relative=THEN),
        make(external_id="test:due", due_relative=THEN),
        make(figures=[{**FIGURE, "external_id": "test:f", "period_relative": THEN}]),
    ]
    refused = editor.delete(paper.headers["Location"])
    assert refused.status_code == 409
    details = " ".join(error["detail"] for error in refused.json["errors"])
    for keeper in ("test:time", "test:due", "test:f"):
        assert keeper in details
    for claim in made:
        assert editor.delete(claim.headers["Location"]).status_code == 204
    assert editor.delete(paper.headers["Location"]).status_code == 204
    assert editor.restore(made[0].headers["Location"]).status_code == 409


def test_a_date_becomes_relative_and_absolute_again(editor: Client, make: Make) -> None:
    path = make(time_edtf="2020", time_as_stated="then").headers["Location"]

    def patched(**fields):
        changed = editor.patch(path, fields)
        assert changed.status_code == 200, changed.json
        time = changed.json["time"]
        return time["edtf"], time["relative"] and time["relative"]["duration"]

    assert patched(time_relative=LAST_YEAR) == ("[2022..2024]", "-P1Y")
    assert patched(language="de") == ("[2022..2024]", "-P1Y")
    assert patched(time_relative=THEN, time_edtf=None) == ("[2009..2013]", "-P13Y")
    assert patched(time_edtf="2021") == ("2021", None)
    assert patched(time_relative=LAST_YEAR)[1] == "-P1Y"
    assert patched(time_relative=None) == (None, None)
    assert patched(time_relative=LAST_YEAR)[1] == "-P1Y"
    assert patched(time_edtf=None) == (None, None)
    assert patched(time_relative=None, time_edtf="2019") == ("2019", None)
    assert editor.get(path).json["time"]["as_stated"] == "then"


def test_an_absolute_date_is_not_corrected(editor: Client, paper: Answer, make: Make) -> None:
    path = make(time_relative=LAST_YEAR).headers["Location"]
    editor.patch(path, {"time_edtf": "2021"})
    _correct(editor, paper, "1999")
    assert editor.get(path).json["time"]["edtf"] == "2021"


def test_a_repeated_patch_changes_nothing(editor: Client, make: Make) -> None:
    path = make(time_relative=THEN).headers["Location"]
    patch = {"time_relative": {**THEN, "duration": "-P12Y"}}
    assert [editor.patch(path, patch).json["version"] for _ in range(2)] == [2, 2]


def test_a_figure_can_have_a_relative_period(editor: Client, paper: Answer, make: Make) -> None:
    claim = make()
    body = {**FIGURE, "claim_id": claim.json["id"], "period_relative": LAST_YEAR}
    figure = editor.post("/v1/figures", body)
    assert figure.status_code == 201
    assert figure.json["period"]["edtf"] == "[2022..2024]"
    by_id = {"anchor_id": paper.json["id"], "duration": "P0W", "modifier": "thursday"}
    changed = editor.patch(figure.headers["Location"], {"period_relative": by_id})
    assert changed.json["period"]["edtf"] == "[2022-12-29..2025-12-25]"
    assert changed.json["period"]["relative"]["anchor"]["external_id"] == "test:paper"
    assert _read(editor, claim).json["version"] == 3
    absolute = editor.patch(figure.headers["Location"], {"period_edtf": "2020"})
    assert (absolute.json["period"]["edtf"], absolute.json["period"]["relative"]) == ("2020", None)


@pytest.mark.parametrize(
    ("fault", "pointer"),
    [
        ({"anchor_external_id": "test:nobody"}, "/anchor_external_id"),
        ({"anchor_external_id": None}, "/anchor_external_id"),
        ({"anchor_id": str(uuid4())}, "/anchor_external_id"),
        ({"duration": "13 years"}, "/duration"),
        ({"duration": "-P1Y2M"}, "/duration"),
        ({"duration": "-P10000Y"}, "/duration"),
        ({"duration": None}, "/duration"),
        ({"modifier": "thursday"}, "/duration"),
        ({"modifier": "roughly"}, "/modifier"),
        ({"anchor": "test:paper"}, "/anchor"),
        ({"duration": "-P9999Y"}, ""),
    ],
)
@pytest.mark.usefixtures("paper")
def test_an_invalid_relative_date_is_refused_with_its_pointer(
    editor: Client, fault: dict[str, Any], pointer: str
) -> None:
    relative = {**THEN, **fault}
    places: list[tuple[dict[str, Any], str]] = [
        ({"time_relative": relative}, "#/time_relative"),
        ({"due_relative": relative}, "#/due_relative"),
        (
            {"figures": [FIGURE, {**FIGURE, "period_relative": relative}]},
            "#/figures/1/period_relative",
        ),
    ]
    for fields, place in places:
        refused = editor.post("/v1/claims", {**CLAIM, **fields})
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json["errors"]] == [place + pointer]


def test_the_anchor_is_named(editor: Client) -> None:
    nameless: list[Any] = [{"duration": "P0Y"}, {}, "P0Y", []]
    for relative in nameless:
        refused = editor.post("/v1/claims", {**CLAIM, "time_relative": relative})
        assert refused.status_code == 422
        assert all("#/time_relative" in error["pointer"] for error in refused.json["errors"])


def test_a_date_that_is_relative_and_absolute_is_refused(editor: Client, make: Make) -> None:
    claim = make(figures=[FIGURE])
    both = {"time_edtf": "2010~", "time_relative": THEN}
    for refused in (
        editor.post("/v1/claims", {**CLAIM, **both}),
        editor.patch(claim.headers["Location"], both),
    ):
        assert refused.status_code == 422
        assert [error["pointer"] for error in refused.json["errors"]] == ["#/time_relative"]
    figure = f"/v1/figures/{claim.json['figures'][0]['id']}"
    refused = editor.patch(figure, {"period_edtf": "2020", "period_relative": THEN})
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/period_relative"]


def test_a_source_without_a_date_is_refused_as_anchor(editor: Client, paper: Answer) -> None:
    _correct(editor, paper, None)
    refused = editor.post("/v1/claims", {**CLAIM, "time_relative": THEN})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["pointer"], error["code"]) == ("#/time_relative", "unresolvable")


def test_a_deleted_source_is_refused_as_anchor(editor: Client, paper: Answer) -> None:
    editor.delete(paper.headers["Location"])
    refused = editor.post("/v1/claims", {**CLAIM, "time_relative": THEN})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/time_relative/anchor_external_id"


def test_the_statements_of_a_correction_do_not_depend_on_the_claims(
    editor: Client, paper: Answer, make: Make, query_counter: QueryCounter
) -> None:
    counts = []
    for issued in ("2020", "2021"):
        for years in range(1, 6):
            make(
                time_relative={**THEN, "duration": f"-P{years}Y"},
                figures=[{**FIGURE, "period_relative": {**THEN, "duration": f"-P{years}Y"}}],
            )
        with query_counter() as counted:
            assert _correct(editor, paper, issued).status_code == 200
        counts.append(len(counted.statements))
    assert counts[0] == counts[1]
