"""Authorization: keys, their scopes, and which key made a change."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from hksz_db.database import Database, Session, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.api.conftest import Client, MakeClient
from tests.samples import Sample

ROW = "0199c3a0-0000-7000-8000-000000000000"


def _used(session: Session, label: str) -> datetime | None:
    sql = "SELECT last_used_at FROM api_keys WHERE label = $1"
    return run(session, sql, label)[0][0]


def test_a_write_needs_a_known_key(reader: Client, sample: Sample) -> None:
    for authorization in (
        None,
        "",
        "Bearer",
        "Bearer ",
        "Bearer hksz_unknown",
        "Basic dXNlcjpwYXNz",
        "hksz_unknown",
        "Bearer \u00e9",
        "Bearer " + "x" * 5000,
    ):
        headers = {} if authorization is None else {"Authorization": authorization}
        for method, path in (
            ("POST", sample.path),
            ("PATCH", f"{sample.path}/{ROW}"),
            ("DELETE", f"{sample.path}/{ROW}"),
            ("POST", f"{sample.path}/{ROW}/restore"),
            ("POST", f"{sample.path}/{ROW}/history/1/restore"),
        ):
            refused = reader.send(method, path, json={}, headers=headers)
            assert refused.status_code == 401, (authorization, method, path)
            assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_key_in_the_url_is_ignored(database: Database, reader: Client, sample: Sample) -> None:
    with writing(database) as session:
        key = api_keys.create(session, "leaked", [Scope.ADMIN])
    refused = reader.send("POST", f"{sample.path}?key={key}", json=sample.body)
    assert refused.status_code == 401
    assert key not in refused.text


def test_an_expired_key_is_refused(database: Database, reader: Client, sample: Sample) -> None:
    now = datetime.now(UTC)
    statuses = []
    for label, until in (("old", now - timedelta(hours=1)), ("new", now + timedelta(hours=1))):
        with writing(database) as session:
            key = api_keys.create(session, label, [Scope.ADMIN], until)
        headers = {"Authorization": f"Bearer {key}"}
        statuses.append(reader.send("POST", sample.path, json=sample.body, headers=headers))
    assert [response.status_code for response in statuses] == [401, 201]
    assert "WWW-Authenticate" in statuses[0].headers


def test_a_revoked_key_is_refused(database: Database, editor: Client, sample: Sample) -> None:
    assert editor.post(sample.path, sample.body).status_code == 201
    with writing(database) as session:
        assert api_keys.revoke(session, "editor")
    refused = editor.post(sample.path, sample.body)
    assert refused.status_code == 401
    assert "WWW-Authenticate" in refused.headers


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(
    database: Database, reader: Client, sample: Sample, scheme: str
) -> None:
    with writing(database) as session:
        key = api_keys.create(session, "tester", [Scope.ADMIN])
    headers = {"Authorization": f"{scheme} {key}"}
    assert reader.send("POST", sample.path, json=sample.body, headers=headers).status_code == 201


@pytest.mark.parametrize("scope", Scope)
def test_a_key_can_write_only_within_its_scope(
    make_client: MakeClient, sample: Sample, scope: Scope
) -> None:
    client = make_client(scope, Scope.REVIEW)
    allowed = scope in {sample.scope, Scope.ADMIN}
    made = client.post(sample.path, sample.body)
    assert made.status_code == (201 if allowed else 403)
    path = made.headers["Location"] if allowed else f"{sample.path}/{ROW}"
    assert client.patch(path, sample.change).status_code == (200 if allowed else 403)
    assert client.delete(path).status_code == (204 if allowed else 403)
    assert client.restore(path).status_code == (200 if allowed else 403)


def test_a_refusal_names_the_missing_scope(make_client: MakeClient, sample: Sample) -> None:
    refused = make_client(Scope.REVIEW).post(sample.path, sample.body)
    assert sample.scope in refused.json["detail"]


@pytest.fixture
def reviewer(make_client: MakeClient) -> Client:
    return make_client(Scope.CLAIMS_WRITE, Scope.REVIEW, label="reviewer")


@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
@pytest.mark.parametrize("resource", ["claims", "evidence"])
def test_a_review_status_needs_the_scope_review(
    writer: Client, reviewer: Client, samples: dict[str, Sample], resource: str, verdict: str
) -> None:
    sample = samples[resource]
    body = {**sample.body, "status": verdict}
    assert writer.post(sample.path, body).status_code == 403
    path = writer.post(sample.path, sample.body).headers["Location"]
    assert writer.get(path).json["status"] == "submitted"
    assert writer.patch(path, {"status": verdict}).status_code == 403
    assert writer.get(path).json["status"] == "submitted"
    assert reviewer.patch(path, {"status": verdict}).json["status"] == verdict


def test_a_review_status_of_evidence_in_a_new_claim_needs_the_scope_review(
    writer: Client, reviewer: Client, samples: dict[str, Sample]
) -> None:
    sample = samples["claims"]
    sample.body["evidence"][0]["status"] = "accepted"
    assert writer.post(sample.path, sample.body).status_code == 403
    made = reviewer.post(sample.path, sample.body)
    assert made.json["evidence"][0]["status"] == "accepted"


def test_a_review_status_of_evidence_added_to_a_claim_needs_the_scope_review(
    writer: Client, reviewer: Client
) -> None:
    claim = writer.get("/v1/claims", q='"talent pass"').json["data"][0]["id"]
    path = f"/v1/claims/{claim}/evidence"
    body = {"source_external_id": "hksz:shenzhen-daily-article", "stance": "supports"}
    assert writer.post(path, {**body, "status": "rejected"}).status_code == 403
    assert reviewer.post(path, {**body, "status": "rejected"}).status_code == 201


@pytest.mark.parametrize("status", ["draft", "submitted", "retracted"])
def test_other_statuses_do_not_need_the_scope_review(
    editor: Client, samples: dict[str, Sample], status: str
) -> None:
    sample = samples["claims"]
    made = editor.post(sample.path, {**sample.body, "status": status})
    assert made.json["status"] == status


def test_evidence_names_the_key_that_added_it(
    editor: Client, reviewer: Client, samples: dict[str, Sample]
) -> None:
    sample = samples["evidence"]
    made = editor.post(sample.path, sample.body)
    assert made.json["added_by"] == "editor"
    changed = reviewer.patch(made.headers["Location"], {"note": "Checked."})
    assert changed.json["added_by"] == "editor"
    claim = samples["claims"]
    nested = reviewer.post(claim.path, claim.body)
    assert nested.json["evidence"][0]["added_by"] == "reviewer"
    assert "added_by" not in sample.body
    refused = editor.post(sample.path, {**sample.body, "added_by": "somebody else"})
    assert refused.status_code == 422


def test_a_key_shows_when_it_was_last_used(
    editor: Client, session: Session, sample: Sample
) -> None:
    assert _used(session, "editor") is None
    editor.post(sample.path, sample.body)
    assert _used(session, "editor") is not None


def test_a_key_is_stored_as_a_hash(database: Database, session: Session) -> None:
    with writing(database) as writer:
        key = api_keys.create(writer, "tester", [Scope.REVIEW])
    assert key.startswith("hksz_")
    assert len(key) > 40
    (row,) = run(session, "SELECT to_jsonb(api_keys) FROM api_keys WHERE label = 'tester'")
    assert key not in str(row)
    assert key.removeprefix("hksz_") not in str(row)


@pytest.fixture(scope="module")
def closed_app() -> Flask:
    return create_app(Settings(open_reads=False, log_level="error"), Database(lambda: ""))


@pytest.fixture
def closed(closed_app: Flask, database: Database) -> FlaskClient:
    """A client of a service whose reads require a key."""
    closed_app.extensions["hksz_database"] = database
    return closed_app.test_client()


def test_reads_can_require_a_key(closed: FlaskClient, database: Database, sample: Sample) -> None:
    with writing(database) as session:
        key = api_keys.create(session, "reader", [])
    allowed = {"Authorization": f"Bearer {key}"}
    group = "group_by=unknown"
    calls = [
        ("GET", sample.path, 200),
        ("HEAD", sample.path, 200),
        ("GET", f"{sample.path}/{ROW}", 404),
        ("GET", f"{sample.path}/aggregate?{group}", 400),
        ("POST", f"{sample.path}/query", 200),
        ("GET", f"{sample.path}/{ROW}/history", 404),
        ("GET", f"{sample.path}/{ROW}/history/1", 404),
        ("GET", f"{sample.path}/{ROW}/history/1/diff/2", 404),
    ]
    for method, path, status in calls:
        body: dict[str, Any] | None = {} if method == "POST" else None
        refused = closed.open(path, method=method, json=body)
        assert refused.status_code == 401
        assert "WWW-Authenticate" in refused.headers
        assert closed.open(path, method=method, json=body, headers=allowed).status_code == status


def test_closed_reads_include_the_evidence_of_a_claim(closed: FlaskClient) -> None:
    assert closed.get(f"/v1/claims/{ROW}/evidence").status_code == 401


def test_probes_of_a_closed_service_need_no_key(closed: FlaskClient) -> None:
    for path in ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs/"):
        assert closed.get(path).status_code == 200


def test_a_client_without_a_right_learns_nothing_about_rows(
    reader: Client, make_client: MakeClient, sample: Sample
) -> None:
    row = reader.get(sample.path, per_page="1").json["data"][0]["id"]
    other = make_client(Scope.REVIEW)
    answers = {other.delete(f"{sample.path}/{id}").status_code for id in (row, ROW)}
    assert answers == {403}


def test_only_reviewers_change_accepted_rows(writer: Client, reviewer: Client) -> None:
    claim = reviewer.get("/v1/claims", external_id="hksz:ttps-approved-2023").json["data"][0]
    for path, change in (
        (f"/v1/claims/{claim['id']}", {"statement": "Another."}),
        (f"/v1/figures/{claim['figures'][0]['id']}", {"amount": "1"}),
        (f"/v1/evidence/{claim['evidence'][0]['id']}", {"stance": "disputes"}),
    ):
        assert writer.patch(path, change).status_code == 403
        assert writer.delete(path).status_code == 403
        assert reviewer.patch(path, change).status_code == 200


def test_only_reviewers_add_a_figure_to_an_accepted_claim(
    writer: Client, reviewer: Client, samples: dict[str, Sample]
) -> None:
    sample = samples["figures"]
    assert sample.body["claim_external_id"] == "hksz:ttps-approved-2023"
    refused = writer.post(sample.path, sample.body)
    assert refused.status_code == 403
    assert "review" in refused.json["detail"]
    assert writer.get(sample.path, external_id=sample.body["external_id"]).json["data"] == []
    assert reviewer.post(sample.path, sample.body).status_code == 201


def test_any_writer_adds_a_figure_to_an_unreviewed_claim(
    writer: Client, samples: dict[str, Sample]
) -> None:
    claim = writer.post(samples["claims"].path, samples["claims"].body).json
    body = {**samples["figures"].body, "claim_id": claim["id"]}
    del body["claim_external_id"]
    assert writer.post("/v1/figures", body).status_code == 201
