"""``POST /v1/R/query``: filters as a tree, and lists too long for a URL."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Answer, Client


def _ids(response: Answer) -> set[str]:
    assert response.status_code == 200, response.text
    return {row["id"] for row in response.json["data"]}


@pytest.fixture
def ask(reader: Client) -> Callable[[dict[str, Any]], set[str]]:
    """``ask(tree)`` returns the ids of the claims that the tree selects."""

    def ids(tree):
        return _ids(reader.post("/v1/claims/query", {"filter": tree, "per_page": 100}))

    return ids


OPINION, RESEARCH = {"modality": "opinion"}, {"topics": "research"}


def test_object_requires_all_its_filters(
    ask: Callable[[dict[str, Any]], set[str]], reader: Client
) -> None:
    both = ask({**OPINION, **RESEARCH})
    assert both == _ids(reader.get("/v1/claims", per_page="100", **OPINION, **RESEARCH))
    assert both == ask({"and": [OPINION, RESEARCH]}) == ask({"and": [OPINION], **RESEARCH})


def test_or_requires_one_branch(ask: Callable[[dict[str, Any]], set[str]]) -> None:
    assert ask({"or": [OPINION, RESEARCH]}) == ask(OPINION) | ask(RESEARCH)
    assert ask({"or": [OPINION, RESEARCH], "modality": "actual"}) == ask(
        {"modality": "actual", **RESEARCH}
    )


def test_not_selects_the_rest_with_missing_values(
    ask: Callable[[dict[str, Any]], set[str]],
) -> None:
    every = ask({})
    assert len(every) == 76
    assert ask({"not": OPINION}) == every - ask(OPINION)
    dated = {"time__within": "2023"}
    assert ask({"not": dated}) == every - ask(dated)
    assert ask({"not": {"not": dated}}) == ask(dated)
    assert ask({"not": {"or": [OPINION, RESEARCH]}}) == every - ask(OPINION) - ask(RESEARCH)
    assert ask({"not": {"figures__metric": "ttps-approved"}}) == every - ask(
        {"figures__metric": "ttps-approved"}
    )


def test_empty_filter_selects_all(ask: Callable[[dict[str, Any]], set[str]]) -> None:
    assert ask({}) == ask({"and": [{}]}) == ask({"not": {"not": {}}})
    assert ask({"not": {}}) == set()


def test_values_may_be_json(ask: Callable[[dict[str, Any]], set[str]], reader: Client) -> None:
    assert ask({"figures__isnull": False}) == ask({"figures__isnull": "false"})
    assert ask({"figures__value__gte": 40000}) == ask({"figures__value__gte": "40000"})
    assert ask({"figures__value__gte": 40000.5}) == ask({"figures__value__gte": 40000})
    assert ask({"modality__in": ["opinion", "planned"]}) == ask({"modality__in": "opinion,planned"})
    located = reader.post("/v1/evidence/query", {"filter": {"start_char__gt": 3000}})
    assert _ids(located) == _ids(reader.get("/v1/evidence", start_char__gt="3000"))


def test_filter_by_ten_thousand_ids(ask: Callable[[dict[str, Any]], set[str]]) -> None:
    known = list(ask({"topics": "talent"}))
    ids = [str(uuid4()) for _ in range(10_000 - len(known))] + known
    assert ask({"id__in": ids}) == set(known)


def test_too_long_list_is_refused(reader: Client) -> None:
    tree = {"external_id__in": [f"test:{n}" for n in range(20_001)]}
    refused = reader.post("/v1/claims/query", {"filter": tree})
    assert refused.status_code == 400
    assert refused.json["errors"][0]["pointer"] == "#/filter/external_id__in"


def test_a_query_takes_the_options_of_a_list(reader: Client) -> None:
    question = {
        "filter": OPINION,
        "q": "hong kong",
        "sort": ["-time", "id"],
        "select": ["id", "time"],
        "include": ["figures"],
        "per_page": 3,
        "count": "exact",
    }
    answer = reader.post("/v1/claims/query", question).json
    query = {"q": "hong kong", "sort": "-time,id", "select": "id,time", "include": "figures"}
    listed = reader.get("/v1/claims", **OPINION, **query, per_page="3", count="exact").json
    assert answer["data"] == listed["data"]
    assert answer["meta"]["count"] == listed["meta"]["count"]
    bare = reader.post("/v1/claims/query", {"include": []}).json["data"][0]
    assert "figures" not in bare


@pytest.mark.parametrize(
    ("question", "pointer"),
    [
        ({"unknown": 1}, "#/unknown"),
        ({"modality": "opinion"}, "#/modality"),
        ({"filter": []}, "#/filter"),
        ({"filter": "x"}, "#/filter"),
        ({"filter": None}, "#/filter"),
        ({"filter": {"unknown": 1}}, "#/filter/unknown"),
        ({"filter": {"or": [{"and": [{"unknown": 1}]}]}}, "#/filter/or/0/and/0/unknown"),
        ({"filter": {"not": []}}, "#/filter/not"),
        ({"filter": {"and": {}}}, "#/filter/and"),
        ({"filter": {"or": []}}, "#/filter/or"),
        ({"filter": {"or": [{}, 1]}}, "#/filter/or/1"),
        ({"filter": {"modality": None}}, "#/filter/modality"),
        ({"filter": {"modality": ["opinion"]}}, "#/filter/modality"),
        ({"filter": {"modality": {}}}, "#/filter/modality"),
        ({"filter": {"not": {"modality": True}}}, "#/filter/not/modality"),
        ({"filter": {"modality__in": [["opinion"]]}}, "#/filter/modality__in"),
        ({"filter": {"modality__in": [None]}}, "#/filter/modality__in"),
        ({"filter": {"modality__in": {}}}, "#/filter/modality__in"),
        ({"filter": {"figures__isnull": 0}}, "#/filter/figures__isnull"),
        ({"filter": {"figures__isnull": {}}}, "#/filter/figures__isnull"),
        ({"filter": {"figures__isnull": []}}, "#/filter/figures__isnull"),
        ({"filter": {"figures__value__gt": True}}, "#/filter/figures__value__gt"),
        ({"filter": {"statement__contains": "\x00"}}, "#/filter/statement__contains"),
        ({"filter": {"statement__contains": "\ud800"}}, "#/filter/statement__contains"),
        ({"filter": {"claimant__name": 5}}, "#/filter/claimant__name"),
        ({"filter": {"a/b~c": 5}}, "#/filter/a~1b~0c"),
        ({"sort": [1]}, "#/sort"),
        ({"sort": {}}, "#/sort"),
        ({"sort": ["time", "statement"]}, "#/sort"),
        ({"select": []}, "#/select"),
        ({"include": ["x"]}, "#/include"),
        ({"include": 5}, "#/include"),
        ({"per_page": True}, "#/per_page"),
        ({"per_page": 1.5}, "#/per_page"),
        ({"per_page": 101}, "#/per_page"),
        ({"per_page": 0}, "#/per_page"),
        ({"count": "all"}, "#/count"),
        ({"count": ["exact"]}, "#/count"),
        ({"count": {}}, "#/count"),
        ({"cursor": 5}, "#/cursor"),
        ({"cursor": "x"}, "#/cursor"),
        ({"q": 5}, "#/q"),
        ({"q": "\x00"}, "#/q"),
    ],
)
def test_faults_point_into_the_body(reader: Client, question: dict[str, Any], pointer: str) -> None:
    refused = reader.post("/v1/claims/query", question)
    assert refused.status_code == 400
    assert [error["pointer"] for error in refused.json["errors"]] == [pointer]


def _nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {"modality": "opinion"}
    for _ in range(depth):
        tree = {"not": tree}
    return {"filter": tree}


def test_tree_depth_is_limited_by_the_body(
    reader: Client, ask: Callable[[dict[str, Any]], set[str]]
) -> None:
    assert _ids(reader.post("/v1/claims/query", {**_nested(28), "per_page": 100})) == ask(OPINION)
    assert reader.post("/v1/claims/query", _nested(33)).status_code == 400


def test_too_large_tree_is_refused(reader: Client) -> None:
    tree = {"or": [{"language": "en"}] * 101}
    refused = reader.post("/v1/claims/query", {"filter": tree})
    assert refused.status_code == 400
    assert refused.json["errors"][0]["pointer"] == "#/filter"


@pytest.mark.parametrize("branch", [{}, {"not": {}}, {"and": [{}]}])
def test_too_large_tree_of_empty_branches_is_refused(
    reader: Client, branch: dict[str, Any]
) -> None:
    refused = reader.post("/v1/claims/query", {"filter": {"or": [branch] * 10_000}})
    assert refused.status_code == 400
    assert refused.json["errors"][0]["pointer"] == "#/filter"


def test_answer_to_many_unknown_names_is_short(reader: Client) -> None:
    refused = reader.post("/v1/claims/query", {f"k{n}": 1 for n in range(20_000)})
    assert refused.status_code == 400
    assert len(refused.data) < 1_000_000


def test_query_with_a_query_string_is_refused(reader: Client) -> None:
    refused = reader.send("POST", "/v1/claims/query?per_page=1", json={})
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == "per_page"
