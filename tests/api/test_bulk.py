"""Bulk calls: many items, each with its own result."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from hksz_db.domain.vocabulary import BulkMode, Scope
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.registry import WRITERS
from schemas.bulk import MAX_ITEMS
from tests.api.conftest import Client, MakeClient
from tests.samples import Sample

COUNTS = dict.fromkeys(("created", "updated", "unchanged", "ignored", "failed"), 0)


def source(number: int, **fields: Any) -> dict[str, Any]:
    title = f"Report {number}"
    return {"external_id": f"t:{number}", "csl_type": "report", "title": title, **fields}


def items(*found: Any) -> dict[str, Any]:
    return {"items": list(found)}


@pytest.fixture
def send(editor: Client) -> Callable[..., tuple[list[dict[str, Any]], dict[str, int]]]:
    """``send(path, *items)`` returns the results and the counts that are not zero."""

    def send(path, *found):
        answer = editor.post(path, items(*found))
        assert answer.status_code == 207, answer.text
        meta = answer.json["meta"]
        assert meta.keys() == COUNTS.keys()
        assert sum(meta.values()) == len(answer.json["data"]) == len(found)
        assert [result["index"] for result in answer.json["data"]] == list(range(len(found)))
        return answer.json["data"], {name: count for name, count in meta.items() if count}

    return send


def test_every_resource_has_a_bulk_call(
    sample: Sample, editor: Client, send: Callable[..., tuple[list[dict[str, Any]], dict[str, int]]]
) -> None:
    path = f"{sample.path}/bulk"
    ((result,), counts) = send(path, sample.body)
    assert counts == {"created": 1}
    row = editor.get(f"{sample.path}/{result['id']}").json
    assert result == {
        "index": 0,
        "status": 201,
        "outcome": "created",
        "id": row["id"],
        "external_id": row["external_id"],
        "version": row["version"],
        "errors": [],
        "warnings": [],
    }
    for field in sample.plain:
        assert row[field] == sample.body[field]
    for mode, status, counts in (
        ("create", 409, {"failed": 1}),
        ("ignore", 200, {"ignored": 1}),
    ):
        ((again,), found) = send(f"{path}?mode={mode}", sample.body)
        assert (again["status"], found) == (status, counts)
    changed = {"external_id": sample.body["external_id"], **sample.change}
    for outcome in ("updated", "unchanged"):
        ((again,), found) = send(f"{path}?mode=upsert", changed)
        assert (again["status"], found) == (200, {outcome: 1})
        assert (again["id"], again["version"]) == (row["id"], row["version"] + 1)
    assert editor.get(f"{sample.path}/{row['id']}").json["version"] == row["version"] + 1


def test_each_item_has_the_status_of_a_single_write(
    editor: Client, send: Callable[..., tuple[list[dict[str, Any]], dict[str, int]]]
) -> None:
    editor.delete(editor.post("/v1/sources", source(0)).headers["Location"])
    bad = {"title": "", "doi": "10", "unknown": 1}
    results, counts = send(
        "/v1/sources/bulk?mode=upsert&atomic=false",
        source(1),
        bad,
        source(1),
        source(0),
        source(2, relations=[{"to_external_id": "t:none", "kind": "quotes"}]),
        None,
        source(3, relations=[{"to_external_id": "t:1", "kind": "quotes"}]),
    )
    assert counts == {"created": 3, "failed": 4}
    assert [result["status"] for result in results] == [201, 422, 409, 201, 422, 422, 201]
    found = [[(e["pointer"], e["code"]) for e in r["errors"]] for r in results]
    assert sorted(found[1]) == [
        ("#/items/1/csl_type", "required"),
        ("#/items/1/doi", "invalid"),
        ("#/items/1/title", "invalid"),
        ("#/items/1/unknown", "unknown_field"),
    ]
    assert [found[n] for n in (0, 2, 3, 4, 5, 6)] == [
        [],
        [("#/items/2/external_id", "unique")],
        [],
        [("#/items/4/relations/0/to_external_id", "not_found")],
        [("#/items/5", "invalid")],
        [],
    ]
    assert [results[n]["external_id"] for n in (1, 2, 5)] == [None, "t:1", None]


def test_all_or_nothing(editor: Client) -> None:
    path = "/v1/sources/bulk?atomic=true"
    refused = editor.post(path, items(source(1), source(2, csl_type="no"), source(3)))
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/items/1/csl_type"]
    assert "1 of 3" in refused.json["detail"]
    assert editor.get("/v1/sources", external_id__startswith="t:").json["data"] == []
    assert editor.post(path, items(source(1), source(2))).json["meta"]["created"] == 2
    taken = editor.post(path, items(source(3), source(2), source(1)))
    assert taken.status_code == 409
    assert [error["pointer"] for error in taken.json["errors"]] == [
        "#/items/1/external_id",
        "#/items/2/external_id",
    ]
    both = editor.post(path, items({**source(3), "title": 1}, source(2)))
    assert both.status_code == 422
    assert {error["pointer"] for error in both.json["errors"]} == {
        "#/items/0/title",
        "#/items/1/external_id",
    }


def test_the_number_of_faults_of_an_item_is_limited(
    send: Callable[..., tuple[list[dict[str, Any]], dict[str, int]]],
) -> None:
    ((result,), _) = send("/v1/sources/bulk", source(1, contributors=[{}] * 100))
    assert len(result["errors"]) == 20


def test_an_empty_list_of_items_has_no_results(
    send: Callable[..., tuple[list[dict[str, Any]], dict[str, int]]],
) -> None:
    assert send("/v1/sources/bulk") == ([], {})


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "#/items"),
        ({"items": None}, "#/items"),
        ({"items": {}}, "#/items"),
        ({"items": [], "mode": "create"}, "#/mode"),
        ({"items": [1] * (MAX_ITEMS + 1)}, "#/items"),
    ],
)
def test_a_body_without_items_is_refused(
    editor: Client, body: dict[str, Any], pointer: str
) -> None:
    refused = editor.post("/v1/sources/bulk", body)
    assert refused.status_code == 422
    (fault,) = refused.json["errors"]
    assert fault["pointer"] == pointer
    if len(body.get("items") or ()) > MAX_ITEMS:
        assert str(MAX_ITEMS) in fault["detail"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [("mode=replace", "mode"), ("atomic=yes", "atomic"), ("atomic=", "atomic"), ("dry=1", "dry")],
)
def test_invalid_options_are_refused(editor: Client, query: str, parameter: str) -> None:
    refused = editor.post(f"/v1/sources/bulk?{query}", items())
    assert refused.status_code == 400
    assert [error["parameter"] for error in refused.json["errors"]] == [parameter]


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_a_bulk_call_needs_the_scope_of_a_single_write(
    reader: Client, make_client: MakeClient, resource: Readable
) -> None:
    path = f"/v1/{resource.name}/bulk"
    assert reader.post(path, items()).status_code == 401
    own = WRITERS[resource.name].scope
    others = [s for s in Scope if s not in {own, Scope.ADMIN}]
    assert make_client(*others, label="others").post(path, items()).status_code == 403
    assert make_client(own, label="own").post(path, items()).status_code == 207


def test_reviewed_rows_are_changed_only_with_the_scope_review(
    samples: dict[str, Sample], writer: Client, editor: Client
) -> None:
    body = {**samples["claims"].body, "status": "accepted"}
    path = "/v1/claims/bulk?mode=upsert"
    (refused,) = writer.post(path, items(body)).json["data"]
    assert (refused["status"], refused["outcome"]) == (403, "failed")
    assert refused["errors"][0]["pointer"] == "#/items/0"
    assert writer.post(f"{path}&atomic=true", items(body)).status_code == 403
    assert editor.post(path, items(body)).json["meta"]["created"] == 1
    name = {"external_id": body["external_id"]}
    same = {**name, "topics": body["topics"]}
    assert writer.post(path, items(same)).json["meta"]["unchanged"] == 1
    other = {**name, "topics": []}
    assert writer.post(path, items(other)).json["data"][0]["status"] == 403
    figure = {**samples["figures"].body, "claim_external_id": body["external_id"]}
    assert writer.post("/v1/figures/bulk", items(figure)).json["data"][0]["status"] == 403
    assert editor.post("/v1/figures/bulk", items(figure)).json["data"][0]["status"] == 201


def test_rows_are_attributed_to_the_key(samples: dict[str, Sample], writer: Client) -> None:
    answer = writer.post("/v1/evidence/bulk", items(samples["evidence"].body))
    path = f"/v1/evidence/{answer.json['data'][0]['id']}"
    assert writer.get(path).json["added_by"] == "writer"


def test_a_bulk_body_may_be_longer_than_a_single_one(app: Flask, editor: Client) -> None:
    title = "x" * 1000
    many = items(*(source(number, title=title) for number in range(1000)))
    assert len(json.dumps(many)) > app.config["MAX_BODY_BYTES"]
    assert editor.post("/v1/sources/bulk", many).json["meta"]["created"] == 1000
    assert editor.post("/v1/sources", many).status_code == 413
    longest = app.config["MAX_BULK_BYTES"]
    headers = {"Content-Type": "application/json"}
    for length, status in ((longest, 400), (longest + 1, 413)):
        answer = editor.send("POST", "/v1/sources/bulk", data=b" " * length, headers=headers)
        assert answer.status_code == status


def test_all_modes_are_documented(reader: Client) -> None:
    described = reader.get("/openapi.json").json
    operation = described["paths"]["/v1/claims/bulk"]["post"]
    models = described["components"]["schemas"]
    assert {"$ref": "#/components/parameters/mode"} in operation["parameters"]
    mode = described["components"]["parameters"]["mode"]
    assert mode["schema"] == {"$ref": "#/components/schemas/BulkMode", "default": "create"}
    assert models["BulkMode"]["enum"] == [str(mode) for mode in BulkMode]
    body = operation["requestBody"]["content"]["application/json"]["schema"]
    model = models[body["$ref"].split("/")[-1]]
    assert model["properties"]["items"]["maxItems"] == MAX_ITEMS
