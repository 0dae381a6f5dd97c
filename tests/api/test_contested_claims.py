"""The accepted claims whose figures contradict those of a claim, over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest

from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Client

METRIC = {
    "external_id": "test:arrivals",
    "key": "arrivals",
    "label": "Arrivals",
    "dimension": "count",
    "accumulation": "flow",
}

Add = Callable[..., dict[str, Any]]
Contesting = Callable[[dict[str, Any]], list[str]]


@pytest.fixture
def add(editor: Client) -> Add:
    """``add(*amounts, **fields)`` returns a new claim that so many arrived in 2023."""
    made = editor.post("/v1/metrics", METRIC)
    assert made.status_code == 201, made.json

    def post(*amounts: str, **fields: Any) -> Any:
        stated = {"metric_external_id": "test:arrivals", "subject_external_id": "hksz:hkpc"}
        figures = [{**stated, "period_edtf": "2023", "as_stated": each} for each in amounts]
        body = {
            "statement": f"{amounts} arrived.",
            "claimant_external_id": "hksz:hkpc",
            "status": "accepted",
            "figures": figures,
        }
        made = editor.post("/v1/claims", {**body, **fields})
        assert made.status_code == 201, made.json
        return made.json

    return post


@pytest.fixture
def contesting(reader: Client) -> Contesting:
    """The ids of the claims that contest a claim."""

    def ask(claim: dict[str, Any]) -> list[str]:
        answer = reader.get(f"/v1/claims/{claim['id']}/contested_by").json
        return [each["claim"]["id"] for each in answer["data"]]

    return ask


def test_an_accepted_claim_with_another_figure_contests_a_claim(add: Add, reader: Client) -> None:
    (other, claim) = add("7,503"), add("4,681")
    expected = {
        "data": [
            {
                "claim": {name: other[name] for name in ("id", "external_id", "statement")},
                **{
                    side: {name: figure[name] for name in ("id", "external_id", "as_stated")}
                    for side, (figure,) in (
                        ("figure", claim["figures"]),
                        ("other", other["figures"]),
                    )
                },
                "explanation": '"4,681" (4681; 2023) and "7,503" (7503; 2023) cannot both be true:'
                " the ranges have no number in common for the same time.",
            }
        ],
        "all": True,
    }
    path = f"/v1/claims/{claim['id']}"
    assert reader.get(path, include="contested_by").json["contested_by"] == expected
    assert reader.get(f"{path}/contested_by").json == expected


@pytest.mark.parametrize("amount", ["over 4,000", "4,681"])
def test_a_figure_that_can_be_true_as_well_contests_nothing(
    add: Add, contesting: Contesting, amount: str
) -> None:
    add(amount)
    assert contesting(add("4,681")) == []


@pytest.mark.parametrize("status", ["draft", "submitted", "rejected"])
def test_only_accepted_claims_contest(add: Add, contesting: Contesting, status: str) -> None:
    other, claim = add("7,503", status=status), add("4,681")
    assert contesting(claim) == []
    # What is not accepted itself can be contested, unless it is a draft or withdrawn.
    assert contesting(other) == ([claim["id"]] if status == "submitted" else [])


def test_a_superseded_claim_does_not_contest(add: Add, contesting: Contesting) -> None:
    first = add("7,503")
    superseding = {"relations": [{"kind": "supersedes", "to_id": first["id"]}]}
    second = add("5,900", **superseding)
    superseding = {"relations": [{"kind": "supersedes", "to_id": second["id"]}]}
    third = add("4,681", **superseding)
    assert contesting(third) == contesting(first) == []


def test_a_deleted_claim_does_not_contest(add: Add, contesting: Contesting, editor: Client) -> None:
    other, claim = add("7,503"), add("4,681")
    assert editor.delete(f"/v1/claims/{other['id']}").status_code == 204
    assert contesting(claim) == []
    assert editor.restore(f"/v1/claims/{other['id']}").status_code == 200
    assert contesting(claim) == [other["id"]]


def test_a_claim_does_not_contest_itself(add: Add, contesting: Contesting) -> None:
    assert contesting(add("7,503", "4,681")) == []


def test_a_claim_contests_once_whatever_its_figures(add: Add, contesting: Contesting) -> None:
    other, claim = add("7,503", "7,504"), add("4,681", "4,682")
    assert contesting(claim) == [other["id"]]


def test_the_ten_oldest_are_listed(add: Add, reader: Client) -> None:
    others = [add(str(7_501 + n))["id"] for n in range(11)]
    path = f"/v1/claims/{add('4,681')['id']}/contested_by"
    answer = reader.get(path).json
    assert [each["claim"]["id"] for each in answer["data"]] == others[:10]
    assert answer["all"] is False


def test_it_is_embedded_on_request_only(add: Add, reader: Client) -> None:
    path = f"/v1/claims/{add('4,681')['id']}"
    assert "contested_by" not in reader.get(path).json
    # The feed would have to list every claim on a subject when one of its figures changes.
    assert "contested_by" in RESOURCES["claims"].asked_embeds
