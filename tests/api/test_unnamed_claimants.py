"""Claims of somebody whom the source does not name."""

import csv
import io
import json

import pytest

from tests.api.conftest import Client

UNNAMED = {"statement": "The plan was dropped.", "claimant_as_stated": "an unnamed official"}


def test_a_claim_may_have_a_claimant_only_as_stated(editor: Client) -> None:
    made = editor.post("/v1/claims", {**UNNAMED, "reported_by_external_id": "hksz:hkpc"})
    assert made.status_code == 201
    found = editor.get(made.headers["Location"]).json
    assert (found["claimant"], found["claimant_as_stated"]) == (None, "an unnamed official")
    assert found["reported_by"]["external_id"] == "hksz:hkpc"


def test_both_can_be_given(editor: Client) -> None:
    made = editor.post("/v1/claims", {**UNNAMED, "claimant_external_id": "hksz:hkpc"}).json
    assert made["claimant"]["external_id"] == "hksz:hkpc"
    assert made["claimant_as_stated"] == "an unnamed official"


@pytest.mark.parametrize("given", [{}, {"claimant_id": None, "claimant_as_stated": None}])
def test_a_claim_without_any_claimant_is_refused(editor: Client, given: dict[str, None]) -> None:
    refused = editor.post("/v1/claims", {"statement": "x", **given})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["pointer"] == "#/claimant_id"
    assert "claimant_as_stated" in error["detail"]


def test_the_last_claimant_cannot_be_cleared(editor: Client) -> None:
    made = editor.post("/v1/claims", {**UNNAMED, "claimant_external_id": "hksz:hkpc"})
    path = made.headers["Location"]
    assert editor.patch(path, {"claimant_id": None}).json["claimant"] is None
    refused = editor.patch(path, {"claimant_as_stated": None})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["pointer"] == "#/claimant_id"
    assert "claimant_as_stated" in error["detail"]
    assert editor.get(path).json["claimant_as_stated"] == "an unnamed official"


def test_they_are_found(editor: Client, reader: Client) -> None:
    id = editor.post("/v1/claims", UNNAMED).json["id"]
    for query in ({"claimant_id__isnull": "true"}, {"claimant_as_stated__contains": "UNNAMED"}):
        assert [claim["id"] for claim in reader.get("/v1/claims", **query).json["data"]] == [id]


def test_they_are_exported(editor: Client, reader: Client) -> None:
    id = editor.post("/v1/claims", UNNAMED).json["id"]
    table = reader.get("/v1/claims/export", format="csv", id=id).data.decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(table))
    assert (row["claimant"], row["claimant_as_stated"]) == ("", "an unnamed official")
    (node,) = json.loads(reader.get("/v1/claims/export", format="jsonld", id=id).data)["@graph"]
    assert (node["creditText"], "author" in node) == ("an unnamed official", False)
    assert "prov:wasAttributedTo" not in node


def test_they_are_upserted(editor: Client) -> None:
    item = {**UNNAMED, "external_id": "test:unnamed"}
    for outcome in ("created", "unchanged"):
        answer = editor.post("/v1/claims/bulk?mode=upsert", {"items": [item]}).json
        assert [result["outcome"] for result in answer["data"]] == [outcome], answer
