"""Errors: a problem document (RFC 9457) for every status, without details of the database."""

import re
from typing import Any
from uuid import UUID

import pytest

from app import create_app
from hksz_db.database import Database, Session, run
from hksz_db.settings import Settings
from tests.api.conftest import Answer, Client, MakeClient
from tests.samples import Sample

ROW = "0199c3a0-0000-7000-8000-000000000000"
METRIC = {"key": "ttps-approved", "label": "x", "dimension": "count", "accumulation": "flow"}

TIMES = [
    "as_of",
    *(
        f"{name}__{comparison}"
        for name in ("created_at", "updated_at", "retracted_at")
        for comparison in ("gt", "gte", "lt", "lte")
    ),
]

# status, method, path, and the rest of the request
REFUSALS = [
    (400, "GET", "/v1/claims?unknown=1", {}),
    (400, "POST", "/v1/sources", {"data": "{", "content_type": "application/json"}),
    (401, "POST", "/v1/sources", {"headers": {"Authorization": ""}}),
    (400, "GET", "/?unknown=1", {}),
    (405, "POST", "/", {}),
    (404, "GET", "/v1", {}),
    (404, "GET", "/v1/claims/", {}),
    (404, "GET", "/v1/unknown", {}),
    (404, "GET", "/v1/claims/1", {}),
    (404, "GET", "/v1/claims/%00", {}),
    (404, "GET", "/v1/claims/%FF", {}),
    (404, "GET", "/v1/claims/%ED%A0%80", {}),
    (404, "GET", f"/v1/claims/{ROW}", {}),
    (404, "GET", f"/v1/claims/{ROW}/evidence", {}),
    (404, "PUT", "/v1/unknown", {}),
    (405, "PUT", "/v1/claims", {}),
    (405, "DELETE", "/v1/claims", {}),
    (405, "POST", f"/v1/claims/{ROW}", {"json": {}}),
    (405, "GET", "/v1/claims/query", {}),
    (405, "POST", "/healthz", {}),
    (405, "BREW", "/v1/claims", {}),
    (409, "POST", "/v1/metrics", {"json": METRIC}),
    (413, "POST", "/v1/sources", {"data": b" " * 2**21, "content_type": "application/json"}),
    (415, "POST", "/v1/sources", {"data": "{}", "content_type": "text/plain"}),
    (422, "POST", "/v1/sources", {"json": {}}),
    (428, "DELETE", f"/v1/claims/{ROW}", {}),
]
DATABASE_WORDS = re.compile(
    r"psycopg|sqlalchemy|Traceback|constraint|relation \\\"|duplicate key|violates|SELECT |_key\b"
    r"|_fkey|_idx|_check\b|ERROR|DETAIL"
)


def _check(response: Answer, status: int) -> None:
    assert response.status_code == status
    assert response.content_type == "application/problem+json"
    problem = response.json
    assert set(problem) - {"errors"} == {
        "type",
        "title",
        "status",
        "detail",
        "instance",
        "request_id",
    }
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]
    assert problem["instance"].startswith("/")
    assert problem["request_id"] == response.headers["X-Request-ID"]
    for error in problem.get("errors", []):
        known = {"code", "detail", "pointer", "parameter"}
        if error["code"] == "unique":
            known |= {"id", "href", "state"}
        assert {"code", "detail"} <= set(error) <= known
    assert not DATABASE_WORDS.search(response.text)


@pytest.mark.parametrize(("status", "method", "path", "options"), REFUSALS)
def test_every_error_is_a_problem_document(
    editor: Client, status: int, method: str, path: str, options: dict[str, Any]
) -> None:
    _check(editor.send(method, path, **options), status)


def test_conflicts_and_failed_conditions_are_problem_documents(
    editor: Client, make_client: MakeClient, sample: Sample
) -> None:
    _check(make_client().post(sample.path, sample.body), 403)
    made = editor.post(sample.path, sample.body)
    path = made.headers["Location"]
    _check(editor.post(sample.path, sample.body), 409)
    _check(editor.patch(path, {}, '"7"'), 412)
    editor.delete(path)
    _check(editor.get(path), 410)
    _check(editor.restore(path, '"7"'), 412)


def test_head_has_the_headers_of_the_problem(reader: Client) -> None:
    refused = reader.send("HEAD", f"/v1/claims/{ROW}")
    assert refused.status_code == 404
    assert refused.data == b""
    assert refused.content_type == "application/problem+json"


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/claims", {"GET", "HEAD", "OPTIONS", "POST"}),
        (f"/v1/claims/{ROW}", {"GET", "HEAD", "OPTIONS", "PATCH", "DELETE"}),
        (f"/v1/claims/{ROW}/restore", {"OPTIONS", "POST"}),
        (f"/v1/claims/{ROW}/evidence", {"GET", "HEAD", "OPTIONS", "POST"}),
        ("/healthz", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_405_lists_the_allowed_methods(reader: Client, path: str, allowed: set[str]) -> None:
    refused = reader.send("PUT", path)
    assert refused.status_code == 405
    assert {method.strip() for method in refused.headers["Allow"].split(",")} == allowed
    options = reader.send("OPTIONS", path)
    assert options.status_code == 200
    assert {method.strip() for method in options.headers["Allow"].split(",")} == allowed


@pytest.mark.parametrize("time", ["2026-11-26T20:15:54+08:00", "2026-11-26T20:15+0800"])
@pytest.mark.parametrize("name", TIMES)
def test_a_plus_sign_that_is_not_encoded_is_named(reader: Client, name: str, time: str) -> None:
    answer = reader.get(f"/v1/sources?{name}={time}")
    assert answer.status_code == 400
    (error,) = answer.json["errors"]
    assert error["parameter"] == name
    assert "write %2B" in error["detail"]


def test_every_parameter_with_a_time_is_known(reader: Client) -> None:
    known = reader.get("/openapi.json").json["components"]["parameters"].values()
    times = {one["name"] for one in known if one["schema"].get("format") == "date-time"}
    assert times == set(TIMES)


@pytest.mark.parametrize("given", ["abc", "A-1_b.c", "0" * 64])
def test_the_request_id_of_the_client_is_kept(reader: Client, given: str) -> None:
    for path in ("/v1/claims", "/v1/unknown", "/healthz"):
        answer = reader.send("GET", path, headers={"X-Request-ID": given})
        assert answer.headers["X-Request-ID"] == given


@pytest.mark.parametrize("given", ["", "a b", "a\tb", "é", "<script>", "0" * 65, "a;b"])
def test_an_invalid_request_id_is_replaced(reader: Client, given: str) -> None:
    answer = reader.send("GET", "/v1/unknown", headers={"X-Request-ID": given})
    assert str(UUID(answer.headers["X-Request-ID"])) == answer.headers["X-Request-ID"]
    assert answer.json["request_id"] == answer.headers["X-Request-ID"]


def test_every_answer_forbids_content_sniffing(reader: Client) -> None:
    for path in ("/v1/claims", "/v1/unknown", "/healthz", "/openapi.json"):
        assert reader.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_an_unexpected_error_reveals_nothing(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_, **__):
        raise RuntimeError("the secret of the house")

    monkeypatch.setattr(Database, "read", fail)
    refused = reader.get("/v1/claims")
    _check(refused, 500)
    assert "secret" not in refused.text


def test_a_database_that_only_takes_reads_is_503(
    writer: Client, session: Session, samples: dict[str, Sample]
) -> None:
    run(session, "SET TRANSACTION READ ONLY")
    refused = writer.send("POST", "/v1/entities", json=samples["entities"].body)
    _check(refused, 503)
    assert int(refused.headers["Retry-After"]) > 0
    assert writer.get("/v1/entities").status_code == 200


def test_a_full_disk_is_503_and_no_repetition_is_suggested(
    writer: Client, session: Session, samples: dict[str, Sample]
) -> None:
    run(
        session,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'could not extend file' USING ERRCODE = '53100'; END $$",
    )
    run(
        session,
        "CREATE TRIGGER refuse BEFORE INSERT ON entities FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    refused = writer.send("POST", "/v1/entities", json=samples["entities"].body)
    _check(refused, 503)
    assert "Retry-After" not in refused.headers


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://hksz@127.0.0.1:1/hksz",
        "postgresql://hksz@/hksz?host=/nonexistent",
        "postgresql://hksz@host.invalid/hksz",
    ],
)
def test_an_unreachable_database_is_503(url: str, samples: dict[str, Sample]) -> None:
    sample = samples["claims"]
    database = Database(lambda: url)
    client = Client(create_app(Settings(log_level="error"), database))
    headers = {"Authorization": "Bearer hksz_x"}
    calls: list[tuple[str, str, dict[str, Any]]] = [
        ("GET", sample.path, {}),
        ("GET", f"{sample.path}/{ROW}", {}),
        ("GET", f"{sample.path}?count=estimated", {}),
        ("POST", f"{sample.path}/query", {"json": {}}),
        ("POST", sample.path, {"json": sample.body, "headers": headers}),
        ("DELETE", f"{sample.path}/{ROW}", {"headers": headers}),
        ("GET", "/readyz", {}),
    ]
    for method, path, options in calls:
        answer = client.send(method, path, **options)
        _check(answer, 503)
        assert int(answer.headers["Retry-After"]) > 0
    assert client.get("/healthz").status_code == 200
    assert client.get("/metrics").status_code == 200
    assert client.get("/openapi.json").status_code == 200
    database.close()
