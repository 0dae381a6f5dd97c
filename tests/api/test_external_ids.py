"""External ids: who has one that is taken, and which are free."""

from typing import Any

import pytest

from hksz_db.domain.vocabulary import Scope
from tests.api.conftest import Client, MakeClient
from tests.samples import Sample


def _only_error(answer: Any, status: int = 409) -> dict[str, Any]:
    assert answer.status_code == status, answer.json
    (error,) = answer.json["errors"]
    return error


@pytest.fixture
def renamed(sample: Sample) -> dict[str, Any]:
    """The body of another row with the same external id."""
    others: dict[str, dict[str, Any]] = {
        "metrics": {"key": "test-other"},
        "units": {"code": "MOP"},
        "entities": {"identifiers": []},
        "claims": {"figures": [], "evidence": []},
        "evidence": {"page": "8"},
    }
    return {**sample.body, **others.get(sample.resource, {})}


def test_the_row_that_has_an_external_id_is_named(
    editor: Client, sample: Sample, renamed: dict[str, Any]
) -> None:
    first = editor.post(sample.path, sample.body).json
    error = _only_error(editor.post(sample.path, renamed))
    assert (error["pointer"], error["code"]) == ("#/external_id", "unique")
    assert (error["id"], error["state"]) == (first["id"], "live")
    assert error["href"] == f"{sample.path}/{first['id']}"
    assert first["id"] in error["detail"]
    (failed,) = editor.post(f"{sample.path}/bulk", {"items": [renamed]}).json["data"]
    assert failed["errors"] == [{**error, "pointer": "#/items/0/external_id"}]


def test_a_deleted_row_gives_its_external_id_free(
    editor: Client, sample: Sample, renamed: dict[str, Any]
) -> None:
    first = editor.post(sample.path, sample.body).headers["Location"]
    assert editor.delete(first).status_code == 204
    second = editor.post(sample.path, renamed)
    assert second.status_code == 201
    # Neither can be restored while the other is there.
    error = _only_error(editor.restore(first))
    assert (error["id"], error["state"]) == (second.json["id"], "live")
    assert "pointer" not in error
    assert editor.delete(second.headers["Location"]).status_code == 204
    assert editor.restore(first).status_code == 200
    error = _only_error(editor.restore(second.headers["Location"]))
    assert first.endswith(error["id"])


@pytest.mark.parametrize("mode", ["upsert", "ignore", "create"])
def test_bulk_calls_find_the_live_row(
    editor: Client, sample: Sample, renamed: dict[str, Any], mode: str
) -> None:
    first = editor.post(sample.path, sample.body).headers["Location"]
    editor.delete(first)
    path = f"{sample.path}/bulk"
    (made,) = editor.post(f"{path}?mode={mode}", {"items": [renamed]}).json["data"]
    assert made["outcome"] == "created", made
    (again,) = editor.post(f"{path}?mode=upsert", {"items": [renamed]}).json["data"]
    assert again["id"] == made["id"] != first.rpartition("/")[2]


def _entity(editor: Client, **fields: Any) -> Any:
    names = [{"name": "A place", "language": "en", "kind": "preferred"}]
    return editor.post("/v1/entities", {"kind": "place", "names": names, **fields}).json


def test_references_and_filters_find_the_live_row(editor: Client) -> None:
    old = _entity(editor, external_id="test:place")
    editor.delete(f"/v1/entities/{old['id']}")
    refused = editor.post("/v1/claims", {"statement": "x", "claimant_external_id": "test:place"})
    assert _only_error(refused, 422)["code"] == "deleted"
    new = _entity(editor, external_id="test:place")
    relations = [{"kind": "located_in", "object_external_id": "test:place"}]
    inner = _entity(editor, relations=relations)
    assert inner["relations"][0]["object"]["id"] == new["id"]
    found = editor.get("/v1/entities", place__under_external_id="test:place").json["data"]
    assert [entity["id"] for entity in found] == [inner["id"]]
    found = editor.get("/v1/entities", external_id="test:place").json["data"]
    assert [entity["id"] for entity in found] == [new["id"]]


def test_a_merged_row_keeps_its_external_id(make_client: MakeClient) -> None:
    client = make_client(*Scope)
    merged = _entity(client, external_id="test:merged")
    kept = _entity(client)
    path = f"/v1/entities/{merged['id']}"
    options = {"json": {"into_id": kept["id"]}, "headers": {"If-Match": "*"}}
    assert client.send("POST", f"{path}/merge", **options).status_code == 200
    names = [{"name": "Another", "language": "en", "kind": "preferred"}]
    body = {"kind": "place", "names": names, "external_id": "test:merged"}
    error = _only_error(client.post("/v1/entities", body))
    assert (error["id"], error["state"]) == (merged["id"], "merged")
    assert kept["id"] in error["detail"]


def test_the_row_that_has_another_key_is_named(editor: Client) -> None:
    source = {"csl_type": "report", "title": "x", "doi": "10.1000/182"}
    first = editor.post("/v1/sources", source)
    editor.delete(first.headers["Location"])
    error = _only_error(editor.post("/v1/sources", source))
    assert (error["id"], error["state"]) == (first.json["id"], "deleted")
    unit = {"code": "MOP", "label": "pataca"}
    first = editor.post("/v1/units", unit)
    assert _only_error(editor.post("/v1/units", unit))["id"] == first.json["id"]
