"""``/v1/claims/{id}/evidence``: the evidence of one claim."""

from typing import Any
from uuid import uuid4

import pytest

from tests.api.conftest import Answer, Client, without_warnings
from tests.samples import Sample

BODY = {"source_external_id": "hksz:shenzhen-daily-article", "stance": "supports"}


@pytest.fixture
def claim(editor: Client) -> dict[str, Any]:
    return editor.get("/v1/claims", q='"talent pass" 47,000').json["data"][0]


@pytest.fixture
def path(claim: dict[str, Any]) -> str:
    return f"/v1/claims/{claim['id']}/evidence"


def test_evidence_is_added_to_the_claim_of_the_path(
    editor: Client, reader: Client, claim: dict[str, Any], path: str
) -> None:
    made = editor.post(path, {**BODY, "external_id": "test:passage", "note": "Seen."})
    assert made.status_code == 201
    assert made.json["claim"]["id"] == claim["id"]
    assert made.headers["Location"] == f"/v1/evidence/{made.json['id']}"
    read = reader.get(made.headers["Location"])
    assert (read.data, read.headers["ETag"]) == (without_warnings(made), made.headers["ETag"])
    after = reader.get(f"/v1/claims/{claim['id']}").json
    assert [passage["id"] for passage in after["evidence"]] == [
        claim["evidence"][0]["id"],
        made.json["id"],
    ]


def test_only_the_evidence_of_the_claim_is_listed(
    reader: Client, editor: Client, claim: dict[str, Any], path: str
) -> None:
    editor.post(path, BODY)
    listed = reader.get(path).json["data"]
    assert len(listed) == 2
    assert {passage["claim"]["id"] for passage in listed} == {claim["id"]}
    assert listed == reader.get("/v1/evidence", claim_id=claim["id"]).json["data"]
    assert [row["stance"] for row in reader.get(path, stance="supports").json["data"]] == [
        "supports"
    ]
    assert reader.get(path, stance="disputes").json["data"] == []
    assert reader.get(path, select="id", sort="-id", per_page="1").json["data"] == [
        {"id": listed[-1]["id"]}
    ]


def test_a_filter_cannot_select_another_claim(
    reader: Client, claim: dict[str, Any], path: str
) -> None:
    other = reader.get("/v1/claims", per_page="1").json["data"][0]["id"]
    assert other != claim["id"]
    assert reader.get(path, claim_id=other).json["data"] == []


@pytest.mark.parametrize("field", ["claim_id", "claim_external_id", "unknown"])
def test_only_the_path_names_the_claim(editor: Client, path: str, field: str) -> None:
    refused = editor.post(path, {**BODY, field: "hksz:author-post"})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == f"#/{field}"


def test_the_evidence_of_an_unknown_claim_is_404(editor: Client) -> None:
    path = f"/v1/claims/{uuid4()}/evidence"
    assert editor.get(path).status_code == 404
    assert editor.post(path, BODY).status_code == 404


def test_a_claim_without_evidence_has_an_empty_list(
    editor: Client, samples: dict[str, Sample]
) -> None:
    body = {name: v for name, v in samples["claims"].body.items() if name != "evidence"}
    path = editor.post("/v1/claims", body).headers["Location"]
    answer = editor.get(f"{path}/evidence")
    assert answer.status_code == 200
    assert answer.json["data"] == []
    assert answer.json["meta"]["next_cursor"] is None


def test_a_cursor_belongs_to_its_claim(reader: Client, editor: Client, path: str) -> None:
    editor.post(path, BODY)
    cursor = reader.get(path, per_page="1").json["meta"]["next_cursor"]
    other = reader.get("/v1/claims", per_page="1").json["data"][0]["id"]
    assert reader.get(path, per_page="1", cursor=cursor).status_code == 200
    assert reader.get(f"/v1/claims/{other}/evidence", cursor=cursor).status_code == 400


def _passage(editor: Client, **fields: Any) -> Answer:
    body = {
        "claim_external_id": "hksz:ttps-approved-2023",
        "source_external_id": "hksz:shenzhen-daily-article",
        "stance": "mentions",
    }
    return editor.post("/v1/evidence", {**body, **fields})


def test_evidence_cannot_derive_from_itself_indirectly(editor: Client) -> None:
    first = _passage(editor, page="1").json["id"]
    second = _passage(editor, page="2", derived_from_id=first).json["id"]
    refused = editor.patch(f"/v1/evidence/{first}", {"derived_from_id": second})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/derived_from_id"


def test_a_locator_ends_within_its_capture(editor: Client) -> None:
    source = editor.get("/v1/sources").json["data"][0]
    (capture,) = source["captures"]
    length = capture["char_length"]
    hashes = dict.fromkeys(("exact_sha256", "prefix_sha256", "suffix_sha256"), "0" * 64)
    locator = {"capture_id": capture["id"], "start_char": length - 1, **hashes}
    beyond = _passage(editor, **locator, end_char=length + 1)
    assert beyond.status_code == 422
    assert beyond.json["errors"][0]["pointer"] == "#/end_char"
    assert _passage(editor, **locator, end_char=length).status_code == 201
    shorter = {**capture, "char_length": 5}
    del shorter["id"]
    refused = editor.patch(f"/v1/sources/{source['id']}", {"captures": [shorter]})
    assert refused.status_code == 422
