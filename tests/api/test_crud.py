"""Every resource: create, read, list, change, delete, restore."""

from uuid import uuid4

import pytest

from tests.api.conftest import Client, without_warnings
from tests.samples import Sample


def test_a_created_row_is_returned_and_read_back(
    editor: Client, reader: Client, sample: Sample
) -> None:
    made = editor.post(sample.path, sample.body)
    assert made.status_code == 201
    assert made.json["version"] == 1
    assert {name: made.json[name] for name in sample.plain} == {
        name: sample.body[name] for name in sample.plain
    }
    assert made.headers["Location"] == f"{sample.path}/{made.json['id']}"
    read = reader.get_with_embeds(made.headers["Location"])
    assert read.status_code == 200
    assert without_warnings(made) == read.data
    assert read.headers["ETag"] == made.headers["ETag"]
    assert read.headers["Content-Type"] == "application/json"


def test_a_list_holds_the_documents(editor: Client, reader: Client, sample: Sample) -> None:
    id = editor.post(sample.path, sample.body).json["id"]
    (listed,) = reader.get(sample.path, id=id).json["data"]
    read = reader.get(f"{sample.path}/{id}").json
    assert listed == {name: read[name] for name in listed}
    assert set(read) - set(listed) <= {"statements", "sources", "corroboration"}


def test_head_answers_like_get_without_a_body(
    editor: Client, reader: Client, sample: Sample
) -> None:
    row = editor.post(sample.path, sample.body).headers["Location"]
    for path in (sample.path, row):
        got, head = reader.get(path), reader.send("HEAD", path)
        assert head.status_code == 200
        assert head.data == b""
        for name in ("ETag", "Content-Type", "Cache-Control", "Content-Length", "Link"):
            assert head.headers.get(name) == got.headers.get(name), name


def test_a_changed_row_is_returned_and_read_back(
    editor: Client, reader: Client, sample: Sample
) -> None:
    made = editor.post(sample.path, sample.body)
    path = made.headers["Location"]
    changed = editor.patch(path, sample.change, made.headers["ETag"])
    assert changed.status_code == 200
    assert changed.json["version"] == 2
    assert {name: changed.json[name] for name in sample.change} == sample.change
    touched = {*sample.change, "version", "updated_at", "value_range", "plausible_range"}
    assert {n: v for n, v in changed.json.items() if n not in touched} == {
        n: v for n, v in made.json.items() if n not in touched
    }
    read = reader.get_with_embeds(path)
    assert (read.data, read.headers["ETag"]) == (without_warnings(changed), changed.headers["ETag"])


def test_a_patch_with_equal_values_changes_nothing(editor: Client, sample: Sample) -> None:
    made = editor.post(sample.path, sample.body)
    path = made.headers["Location"]
    fixed = {"code", "claim_external_id", "source_external_id", "figures", "evidence"}
    if sample.resource == "figures":
        fixed.discard("source_external_id")
    same = {name: value for name, value in sample.body.items() if name not in fixed}
    for patch in ({}, same):
        again = editor.patch(path, patch, made.headers["ETag"])
        assert again.status_code == 200
        assert again.data == made.data
        assert again.headers["ETag"] == made.headers["ETag"]


def test_a_deleted_row_is_410_and_not_listed(
    editor: Client, reader: Client, sample: Sample
) -> None:
    made = editor.post(sample.path, sample.body)
    path = made.headers["Location"]
    deleted = editor.delete(path, made.headers["ETag"])
    assert deleted.status_code == 204
    assert deleted.data == b""
    gone = reader.get(path)
    assert gone.status_code == 410
    assert gone.headers["ETag"] == deleted.headers["ETag"] == '"2"'
    assert reader.send("HEAD", path).status_code == 410
    assert reader.get(sample.path, id=made.json["id"]).json["data"] == []
    assert editor.delete(path).status_code == 410
    assert editor.patch(path, sample.change).status_code == 410


def test_a_restored_row_is_read_and_listed(editor: Client, reader: Client, sample: Sample) -> None:
    made = editor.post(sample.path, sample.body)
    path = made.headers["Location"]
    etag = editor.delete(path).headers["ETag"]
    restored = editor.restore(path, etag)
    assert restored.status_code == 200
    assert restored.json["version"] == 3
    read = reader.get_with_embeds(path)
    assert (read.data, read.headers["ETag"]) == (
        without_warnings(restored),
        restored.headers["ETag"],
    )
    assert {name: read.json[name] for name in sample.plain} == {
        name: made.json[name] for name in sample.plain
    }


def test_a_live_row_cannot_be_restored(editor: Client, sample: Sample) -> None:
    made = editor.post(sample.path, sample.body)
    refused = editor.restore(made.headers["Location"], made.headers["ETag"])
    assert refused.status_code == 409


@pytest.mark.parametrize("method", ["GET", "HEAD", "PATCH", "DELETE", "POST"])
def test_an_unknown_row_is_404(editor: Client, sample: Sample, method: str) -> None:
    path = f"{sample.path}/{uuid4()}{'/restore' if method == 'POST' else ''}"
    body = sample.change if method == "PATCH" else None
    response = editor.send(method, path, json=body, headers={"If-Match": "*"})
    assert response.status_code == 404


def test_an_external_id_is_unique(editor: Client, sample: Sample) -> None:
    assert editor.post(sample.path, sample.body).status_code == 201
    again = editor.post(sample.path, sample.body)
    assert again.status_code == 409
    assert [error["code"] for error in again.json["errors"]] == ["unique"]


def test_an_external_id_can_be_set_and_cleared(editor: Client, sample: Sample) -> None:
    path = editor.post(sample.path, sample.body).headers["Location"]
    assert editor.patch(path, {"external_id": None}).json["external_id"] is None
    assert editor.patch(path, {"external_id": "test:other"}).json["external_id"] == "test:other"


def test_only_the_external_id_of_another_row_is_refused(editor: Client, sample: Sample) -> None:
    path = editor.post(sample.path, sample.body).headers["Location"]
    assert editor.patch(path, {"external_id": sample.body["external_id"]}).status_code == 200
    taken = editor.get(sample.path, per_page="1").json["data"][0]["external_id"]
    refused = editor.patch(path, {"external_id": taken})
    assert refused.status_code == 409
    assert [error["pointer"] for error in refused.json["errors"]] == ["#/external_id"]
    assert editor.get(path).json["external_id"] == sample.body["external_id"]


@pytest.mark.parametrize("part", ["figures", "evidence"])
def test_a_taken_external_id_of_a_part_is_named(editor, samples, part):
    claim, taken = samples["claims"], samples[part].body["external_id"]
    assert editor.post(samples[part].path, samples[part].body).status_code == 201
    (item,) = claim.body[part]
    other = {"as_stated": "fifty", "stance": "disputes"}
    other = {name: value for name, value in other.items() if name in item}
    parts = [item, {**item, **other, "external_id": taken}]
    body = {**claim.body, part: parts}
    refused = editor.post(claim.path, body)
    assert refused.status_code == 409
    assert [error["pointer"] for error in refused.json["errors"]] == [f"#/{part}/1/external_id"]
    (result,) = editor.post(f"{claim.path}/bulk", {"items": [body]}).json["data"]
    assert result["status"] == 409
    assert result["errors"][0]["pointer"] == f"#/items/0/{part}/1/external_id"


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("/v1/metrics", {"key": "ttps-approved"}, "#/key"),
        ("/v1/units", {"code": "1"}, "#/code"),
    ],
)
def test_natural_keys_are_unique(
    editor: Client, path: str, body: dict[str, str], fields: str
) -> None:
    rest = {"label": "Again", "dimension": "count", "accumulation": "flow"}
    given = {"label": "Again"} if path == "/v1/units" else rest
    refused = editor.post(path, {**given, **body})
    assert refused.status_code == 409
    assert [error["pointer"] for error in refused.json["errors"]] == [fields]


def test_a_doi_is_unique_regardless_of_case(editor: Client) -> None:
    body = {"csl_type": "report", "title": "A report"}
    assert editor.post("/v1/sources", {**body, "doi": "10.1000/ABC"}).json["doi"] == "10.1000/abc"
    again = editor.post("/v1/sources", {**body, "doi": "10.1000/abc"})
    assert again.status_code == 409
    assert again.json["errors"][0]["pointer"] == "#/doi"


ORCID = {"scheme": "orcid", "value": "0000-0002-1825-0097"}


def test_an_identifier_belongs_to_one_entity(editor: Client) -> None:
    names = [{"name": "A", "language": "en", "kind": "preferred"}]
    body = {"kind": "person", "names": names, "identifiers": [ORCID]}
    assert editor.post("/v1/entities", body).json["identifiers"] == [ORCID]
    address = {**ORCID, "value": f"https://orcid.org/{ORCID['value']}"}
    for again in (ORCID, address):
        refused = editor.post("/v1/entities", {**body, "identifiers": [again]})
        assert refused.status_code == 409


def test_an_identifier_must_match_its_scheme(editor: Client) -> None:
    names = [{"name": "A", "language": "en", "kind": "preferred"}]
    wrong = [ORCID, {"scheme": "lei", "value": "5493001KJTIIGC8Y1R13"}]
    refused = editor.post("/v1/entities", {"kind": "person", "names": names, "identifiers": wrong})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["pointer"] == "#/identifiers/1/value"
    assert "such as 5493001KJTIIGC8Y1R12" in error["detail"]


def test_a_passage_is_evidence_for_a_claim_once(editor: Client) -> None:
    body = {
        "claim_external_id": "hksz:ttps-approved-2023",
        "source_external_id": "hksz:shenzhen-daily-article",
        "stance": "supports",
        "page": "3",
    }
    assert editor.post("/v1/evidence", body).status_code == 201
    assert editor.post("/v1/evidence", body).status_code == 409
    assert editor.post("/v1/evidence", {**body, "page": "4"}).status_code == 201
