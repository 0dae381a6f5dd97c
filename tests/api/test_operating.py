"""Operational endpoints: liveness, readiness, metrics and the root."""

import re
from typing import Any

import pytest

from app import create_app
from hksz_db.database import Database
from hksz_db.queries.registry import RESOURCES
from hksz_db.settings import Settings
from tests.api.conftest import Client
from tests.conftest import MakeDatabase


def _count(reader: Client, method: str, route: str, status: int) -> float:
    labels = f'method="{method}",route="{route}",status="{status}"'
    found = re.search(
        rf"^hksz_requests_total{{{re.escape(labels)}}} (\S+)$",
        reader.get("/metrics").text,
        re.MULTILINE,
    )
    return float(found[1]) if found else 0.0


def test_the_root_links_to_every_collection(reader: Client) -> None:
    answer = reader.get("/")
    assert answer.status_code == 200
    assert answer.json["name"] == reader.get("/openapi.json").json["info"]["title"]
    assert answer.json["version"] == reader.get("/openapi.json").json["info"]["version"]
    assert set(answer.json["links"]) == {
        *("docs", "openapi", "changes", "health", "ready", "metrics"),
    }
    assert answer.json["collections"] == {
        name: f"/v1/{name}" for name in (*RESOURCES, "comparisons", "review")
    }
    for path in (*answer.json["links"].values(), *answer.json["collections"].values()):
        assert path.startswith("/")
        assert reader.get(path).status_code == 200, path


def test_the_root_supports_conditional_reads_and_head(reader: Client) -> None:
    answer = reader.get("/")
    head = reader.send("HEAD", "/")
    assert (head.status_code, head.data) == (200, b"")
    assert head.headers["ETag"] == answer.headers["ETag"]
    known = reader.send("GET", "/", headers={"If-None-Match": answer.headers["ETag"]})
    assert known.status_code == 304
    refused = reader.get("/", colour="red")
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == "colour"


def test_healthz_is_ok(reader: Client) -> None:
    answer = reader.get("/healthz")
    assert answer.status_code == 200
    assert answer.json == {"status": "ok"}


def test_readyz_is_ok_on_the_newest_schema(reader: Client, pytestconfig: pytest.Config) -> None:
    schema = "ahead" if pytestconfig.getoption("--schema-of") else "current"
    answer = reader.get("/readyz")
    assert answer.status_code == 200
    expected = {"status": "ready", "database": "answers", "schema": schema, "writable": True}
    assert answer.json == expected


def test_readyz_is_503_on_an_old_schema(make_database: MakeDatabase) -> None:
    with make_database("empty") as url:
        database = Database(lambda: url)
        client: Any = create_app(Settings(log_level="error"), database).test_client()
        answer = client.get("/readyz")
        assert answer.status_code == 503
        assert answer.content_type == "application/problem+json"
        assert "alembic upgrade head" in answer.json["detail"]
        assert "Retry-After" in answer.headers
        assert client.get("/healthz").status_code == 200
        database.close()


def test_requests_are_counted_by_route_and_not_by_path(reader: Client) -> None:
    before = _count(reader, "GET", "/v1/claims/<uuid:id>", 404)
    for last in "012":
        reader.get(f"/v1/claims/0199c3a0-0000-7000-8000-00000000000{last}")
    assert _count(reader, "GET", "/v1/claims/<uuid:id>", 404) == before + 3
    assert "0199c3a0" not in reader.get("/metrics").text


def test_unknown_paths_are_counted_together(reader: Client) -> None:
    before = _count(reader, "GET", "none", 404)
    reader.get("/here")
    reader.get("/there")
    assert _count(reader, "GET", "none", 404) == before + 2
    assert "/there" not in reader.get("/metrics").text


def test_clients_cannot_invent_labels(reader: Client) -> None:
    for method in ("BREW", "WHEN"):
        reader.send(method, "/v1/claims")
    assert not re.search('method="(BREW|WHEN)"', reader.get("/metrics").text)


def test_the_duration_of_requests_is_measured(reader: Client) -> None:
    reader.get("/v1/claims")
    text = reader.get("/metrics").text
    assert 'hksz_request_seconds_count{method="GET",route="/v1/claims"}' in text
    assert reader.get("/metrics").content_type.startswith("text/plain")


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_operational_endpoints_need_no_key(reader: Client, path: str) -> None:
    assert reader.get(path).status_code == 200
    assert reader.send("HEAD", path).status_code == 200
