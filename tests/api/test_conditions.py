"""Conditional requests: If-Match protects writes, If-None-Match saves reads."""

from typing import Any

import pytest

from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Answer, Client
from tests.samples import Sample


@pytest.fixture
def row(editor: Client, sample: Sample) -> Answer:
    """The answer that created a row, for each resource."""
    made = editor.post(sample.path, sample.body)
    assert made.status_code == 201
    return made


def _send(
    client: Client, row: Answer, sample: Sample, call: str, headers: dict[str, Any]
) -> Answer:
    path = row.headers["Location"]
    if call == "restore":
        client.delete(path)
        return client.send("POST", f"{path}/restore", headers=headers)
    body = sample.change if call == "PATCH" else None
    return client.send(call, path, json=body, headers=headers)


CALLS = {"PATCH": 200, "DELETE": 204, "restore": 200}
REFUSED: dict[str | None, int] = {
    **dict.fromkeys(
        ['"7"', '"7-0123456789abcdef"', 'W/"7"', '""', '"x"', 'W/"x"', '"01x-1"', '"99999999999"'],
        412,
    ),
    **dict.fromkeys(["", " ", "1", '"1', '"1" "2"', "W/1"], 400),
    None: 428,
}


@pytest.mark.parametrize("call", CALLS)
def test_a_write_needs_the_current_version(
    editor: Client, row: Answer, sample: Sample, call: str
) -> None:
    version = 2 if call == "restore" else 1
    for etag, status in REFUSED.items():
        headers = {} if etag is None else {"If-Match": etag}
        refused = _send(editor, row, sample, call, headers)
        assert refused.status_code == status, etag
        if status == 412:
            detail = refused.json["detail"]
            assert f"is at version {version}, not the one given" in detail, etag


@pytest.mark.parametrize(
    "etag",
    [
        'W/"{0}"',
        'W/"{0}-0123456789abcdef"',
        '"7", W/"{0}"',
        "*",
        '"7", "{0}", "8"',
        '"{0}","8-0123456789abcdef"',
        ' "{0}" , "8" ',
    ],
)
def test_a_wildcard_a_weak_tag_and_a_list_of_tags_are_accepted(
    editor: Client, row: Answer, sample: Sample, etag: str
) -> None:
    for version, (call, status) in enumerate(CALLS.items(), 1):
        answer = _send(editor, row, sample, call, {"If-Match": etag.format(version)})
        assert answer.status_code == status, call


def test_a_refused_write_changes_nothing(editor: Client, row: Answer, sample: Sample) -> None:
    path = row.headers["Location"]
    before = editor.get(path).data
    for call in ("PATCH", "DELETE"):
        assert _send(editor, row, sample, call, {"If-Match": '"7"'}).status_code == 412
    assert editor.get(path).data == before


def test_each_version_can_be_changed_once(editor: Client, row: Answer, sample: Sample) -> None:
    path, etag = row.headers["Location"], row.headers["ETag"]
    assert editor.patch(path, sample.change, etag).status_code == 200
    assert editor.patch(path, sample.body, etag).status_code in {412, 422}
    assert editor.delete(path, etag).status_code == 412


@pytest.mark.parametrize("form", ["{0}", "W/{0}", '"x", {0}', "*"])
def test_an_unchanged_answer_is_304(reader: Client, row: Answer, sample: Sample, form: str) -> None:
    paths = (
        row.headers["Location"],
        sample.path,
        f"{sample.path}/aggregate?group_by={next(iter(RESOURCES[sample.resource].groups))}",
    )
    for path in paths:
        answer = reader.get(path)
        for method in ("GET", "HEAD"):
            headers = {"If-None-Match": form.format(answer.headers["ETag"])}
            again = reader.send(method, path, headers=headers)
            assert again.status_code == 304
            assert again.data == b""
            assert again.headers["ETag"] == answer.headers["ETag"]
            assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]


def test_a_changed_answer_is_sent(reader: Client, row: Answer) -> None:
    for etag in ('"1"', '"1-0123456789abcdef"', row.headers["ETag"][:-2] + 'x"'):
        answer = reader.send("GET", row.headers["Location"], headers={"If-None-Match": etag})
        assert answer.status_code == 200


@pytest.mark.parametrize("etag", ["", "1", '"1', "W/1"])
def test_a_malformed_etag_is_400_for_reads(reader: Client, etag: str) -> None:
    refused = reader.send("GET", "/v1/claims", headers={"If-None-Match": etag})
    assert refused.status_code == 400


def test_selected_fields_change_the_etag(reader: Client, row: Answer) -> None:
    path = row.headers["Location"]
    assert reader.get(path, select="id").headers["ETag"] != reader.get(path).headers["ETag"]


def _claim(client: Client) -> tuple[str, Answer]:
    (claim,) = client.get("/v1/claims", q='"talent pass" 47,000').json["data"]
    path = f"/v1/claims/{claim['id']}"
    return path, client.get(path)


def _first(client: Client, resource: str, external_id: str) -> str:
    (row,) = client.get(f"/v1/{resource}", external_id=external_id).json["data"]
    return f"/v1/{resource}/{row['id']}"


@pytest.mark.parametrize(
    ("resource", "external_id", "patch"),
    [
        ("sources", "hksz:shenzhen-daily-article", {"title": "Another title"}),
        (
            "entities",
            "hksz:ttps",
            {"names": [{"name": "The scheme", "language": "en", "kind": "preferred"}]},
        ),
        ("metrics", "hksz:metric-ttps-approved", {"label": "Approved"}),
    ],
)
def test_a_change_of_an_embedded_row_changes_the_etag_and_not_the_version(
    editor: Client, resource: str, external_id: str, patch: dict[str, Any]
) -> None:
    path, before = _claim(editor)
    listed = editor.get("/v1/claims", q="approved")
    assert editor.patch(_first(editor, resource, external_id), patch).status_code == 200
    after = editor.send("GET", path, headers={"If-None-Match": before.headers["ETag"]})
    assert after.status_code == 200
    assert after.json["version"] == before.json["version"]
    headers = {"If-None-Match": listed.headers["ETag"]}
    again = editor.send("GET", "/v1/claims?q=approved", headers=headers)
    assert again.status_code == 200
    # A client that has read the version may still write: the claim itself has not changed.
    assert editor.patch(path, {"language": "en-GB"}, before.headers["ETag"]).status_code == 200


def test_a_claim_counts_the_changes_to_its_parts(
    editor: Client, samples: dict[str, Sample]
) -> None:
    path, before = _claim(editor)
    versions = [before.json["version"]]
    for resource in ("figures", "evidence"):
        sample = samples[resource]
        part = editor.post(sample.path, sample.body).headers["Location"]
        versions.append(editor.get(path).json["version"])
        editor.patch(part, sample.change)
        versions.append(editor.get(path).json["version"])
        editor.patch(part, sample.change)  # nothing differs: not counted
        editor.delete(part)
        versions.append(editor.get(path).json["version"])
        editor.restore(part)
        versions.append(editor.get(path).json["version"])
    assert versions == list(range(1, 10))
    assert editor.patch(path, {"language": "de"}, before.headers["ETag"]).status_code == 412


def test_evidence_added_through_its_claim_changes_its_version(editor: Client) -> None:
    path, before = _claim(editor)
    body = {"source_external_id": "hksz:shenzhen-daily-article", "stance": "supports"}
    assert editor.post(f"{path}/evidence", body).status_code == 201
    assert editor.get(path).json["version"] == before.json["version"] + 1


def test_a_deleted_claim_has_the_etag_that_a_restore_needs(
    editor: Client, samples: dict[str, Sample]
) -> None:
    sample = samples["claims"]
    path = editor.post(sample.path, sample.body).headers["Location"]
    editor.delete(path)
    etag = editor.get(path).headers["ETag"]
    assert editor.restore(path, '"1"').status_code == 412
    assert editor.restore(path, etag).status_code == 200


def test_a_posted_query_ignores_if_none_match(reader: Client) -> None:
    # RFC 9110, 13.1.2: 304 is for GET and HEAD.
    answer = reader.post("/v1/claims/query", {})
    headers = {"If-None-Match": answer.headers["ETag"]}
    again = reader.send("POST", "/v1/claims/query", json={}, headers=headers)
    assert again.status_code == 200
    assert again.data == answer.data
