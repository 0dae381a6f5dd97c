"""CORS: pages of other sites may read from the API, as far as the settings allow, and not write."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from app import create_app
from hksz_db.api.gateway import Gateway
from hksz_db.database import Database
from hksz_db.http.costs import Cost
from hksz_db.settings import Settings

ORIGIN = "https://example.org"
ROW = "0199c3a0-0000-7000-8000-000000000000"


def _client(database: Database, **settings: Any) -> FlaskClient:
    settings = {"cors_origins": ("*",), **settings}
    return create_app(Settings(log_level="error", **settings), database).test_client()


def _preflight(client: FlaskClient, path: str, method: str) -> bool:
    answer = client.options(
        path,
        headers={
            "Origin": ORIGIN,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization, content-type",
        },
    )
    headers = answer.headers
    allowed = headers.get("Access-Control-Allow-Methods", "").split(", ")
    return "Access-Control-Allow-Origin" in headers and method in allowed


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        ("/v1/claims", "GET", True),
        (f"/v1/claims/{ROW}", "GET", True),
        ("/v1/claims/query", "POST", True),
        (f"/v1/sources/{ROW}/verify", "POST", True),
        ("/openapi.json", "GET", True),
        ("/v1/claims", "POST", False),
        (f"/v1/claims/{ROW}", "PATCH", False),
        ("/v1/claims/bulk", "POST", False),
        ("/sign-in", "GET", False),
    ],
)
def test_pages_of_other_sites_may_read_and_not_write(
    path: str, method: str, allowed: bool, database: Database
) -> None:
    assert _preflight(_client(database), path, method) == allowed


def test_answers_show_their_headers_to_pages_of_other_sites(database: Database) -> None:
    answer = _client(database).get("/v1/claims", headers={"Origin": ORIGIN})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "ETag" in answer.headers["Access-Control-Expose-Headers"]


def test_errors_can_be_read_by_pages_of_other_sites(database: Database) -> None:
    answer = _client(database).get(f"/v1/claims/{ROW}", headers={"Origin": ORIGIN})
    assert answer.status_code == 404
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


@pytest.mark.parametrize(
    ("origins", "seen"),
    [
        ((ORIGIN,), ORIGIN),
        (("https://other.org", ORIGIN), ORIGIN),
        (("https://other.org",), None),
        ((), None),
    ],
)
def test_the_settings_name_the_sites(
    origins: tuple[str, ...], seen: str | None, database: Database
) -> None:
    client = _client(database, cors_origins=origins)
    answer = client.get("/v1/claims", headers={"Origin": ORIGIN})
    shared = answer.headers.get("Access-Control-Allow-Origin")
    assert (shared if shared == ORIGIN else None) == seen
    assert _preflight(client, "/v1/claims", "GET") == (seen is not None)


@pytest.mark.parametrize(
    ("value", "origins"),
    [
        ("*", ("*",)),
        ("none", ()),
        ("https://a.org http://b.org:81", ("https://a.org", "http://b.org:81")),
    ],
)
def test_origins_are_read(value: str, origins: tuple[str, ...]) -> None:
    assert Settings.from_environ({"HKSZ_CORS_ORIGINS": value}).cors_origins == origins


@pytest.mark.parametrize(
    ("environment", "origins"),
    [
        ({}, ()),
        ({"DATABASE_URL": "postgresql://host/name"}, ("*",)),
        ({"HKSZ_CORS_ORIGINS": "*"}, ("*",)),
        ({"DATABASE_URL": "postgresql://host/name", "HKSZ_CORS_ORIGINS": "none"}, ()),
    ],
)
def test_other_sites_may_not_read_a_personal_database_unless_set_otherwise(
    environment: dict[str, str], origins: tuple[str, ...]
) -> None:
    assert Settings.from_environ(environment).shared_origins == origins


def test_preflights_need_no_worker_slot_for_costly_requests(database: Database) -> None:
    settings = Settings(log_level="error")
    served = Gateway(create_app(settings, database), settings)
    assert served.cost("/v1/claims", "OPTIONS") is Cost.MEMORY
