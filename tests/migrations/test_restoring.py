"""A database that was restored from a backup behaves like the original."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import make_url

from app import create_app
from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.embedded import Server
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase
from tests.migrations.administration import alembic, dump, program, rows

pytestmark = pytest.mark.slow

CLAIM = "hksz:science-park-partner-shenzhen"


class Service:
    """The service on a database; with a label, requests have a new key of that label."""

    def __init__(self, database: Database, label: str | None) -> None:
        self._client = create_app(Settings(log_level="error"), database).test_client()
        self._headers = {"If-Match": "*"}
        if label:
            with writing(database) as session:
                key = api_keys.create(session, label, [Scope.ADMIN])
            self._headers["Authorization"] = f"Bearer {key}"

    def get(self, path: str, **query: Any) -> Any:
        answer = self._client.get(path, query_string=query)
        assert answer.status_code == 200, answer.text
        return json.loads(answer.data)

    def send(self, method: str, path: str, body: Any) -> None:
        answer = self._client.open(path, method=method, json=body, headers=self._headers)
        assert answer.status_code in {200, 201}, answer.text


@contextmanager
def serving(url: str, label: str | None = None) -> Iterator[Service]:
    with closing(Database(lambda: url)) as database:
        yield Service(database, label)


@pytest.fixture(scope="module")
def original(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with a history: a claim was reworded twice."""
    with make_database(all_seeds) as url:
        with serving(url, "editor") as service:
            claim = path_of(service, "claims", CLAIM)
            service.send("PATCH", claim, {"statement": "Another wording.", "topics": ["parks"]})
            service.send("PATCH", claim, {"statement": "A third wording."})
        yield url


@pytest.fixture(scope="module")
def backup(original: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of pg_dump."""
    file = tmp_path_factory.mktemp("backup") / "hksz.dump"
    subprocess.run([program("pg_dump"), "--format=custom", f"--file={file}", original], check=True)
    return file


@pytest.fixture(params=["whole", "schema first"])
def restored(request: pytest.FixtureRequest, empty: str, server: Server, backup: Path) -> str:
    """A database into which the backup was restored without an error.

    If the schema is restored first, the triggers exist when the rows are copied, and must not
    treat them as new.
    """

    def restore(url: str, *options: str) -> None:
        command = [str(program("pg_restore")), "--exit-on-error", f"--dbname={url}"]
        subprocess.run([*command, *options, str(backup)], check=True)

    if request.param == "whole":
        restore(empty)
    else:
        superuser = server.url(str(make_url(empty).database), superuser=True)
        restore(empty, "--schema-only")
        restore(superuser, "--data-only", "--disable-triggers")
    return empty


def path_of(service: Service, resource: str, external_id: str) -> str:
    (found,) = service.get(f"/v1/{resource}", external_id=external_id, select="id")["data"]
    return f"/v1/{resource}/{found['id']}"


def moments(url: str, number: int) -> list[str]:
    """The moments of the latest commits, as parameters of a query."""
    with closing(psycopg.connect(url)) as connection:
        found = connection.execute(
            "SELECT to_char(committed_at AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')"
            " FROM transactions WHERE committed_at IS NOT NULL ORDER BY 1 DESC LIMIT %s",
            [number],
        ).fetchall()
        return [moment for (moment,) in found]


def changes(service: Service, cursor: str | None = None) -> tuple[list[Any], str]:
    """All entries of the feed from a position on, and the position after them."""
    found: list[Any] = []
    caught_up = False
    while not caught_up:
        page = service.get("/v1/changes", per_page=100, **({"cursor": cursor} if cursor else {}))
        found += page["data"]
        cursor, caught_up = page["meta"]["next_cursor"], page["meta"]["caught_up"]
    assert cursor
    return found, cursor


def test_nothing_is_lost(original: str, restored: str) -> None:
    assert dump(restored) == dump(original)
    assert rows(restored) == rows(original)


def test_it_is_ready(restored: str) -> None:
    assert "No new upgrade operations detected." in alembic(restored, "check")
    with serving(restored) as service:
        assert service.get("/readyz")["schema"] == "current"


def test_the_past_and_the_feed_are_the_same(original: str, restored: str) -> None:
    with serving(original) as before, serving(restored) as after:
        for moment in moments(original, 4):
            for resource in RESOURCES:
                asked = {"per_page": 100, "as_of": moment}
                path = f"/v1/{resource}"
                assert after.get(path, **asked)["data"] == before.get(path, **asked)["data"]
        assert changes(after)[0] == changes(before)[0]


def test_a_change_keeps_the_old_version_under_its_author(restored: str) -> None:
    with serving(restored, "after the restore") as service:
        _, end = changes(service)
        (moment,) = moments(restored, 1)
        claim = path_of(service, "claims", CLAIM)
        service.send("PATCH", claim, {"statement": "A fourth wording."})
        assert service.get(claim, as_of=moment)["statement"] == "A third wording."
        versions = service.get(f"{claim}/history")["data"]
        assert [version["actor"] for version in versions[:2]] == ["after the restore", "editor"]
        entries, _ = changes(service, end)
        assert claim.rpartition("/")[2] in {entry["id"] for entry in entries}


def test_origins_are_counted_again(restored: str) -> None:
    with serving(restored, "another") as service:
        claim = path_of(service, "claims", CLAIM)
        assert service.get(f"{claim}/corroboration")["verdict"] == "confirmed_by_party"
        source = {"external_id": "test:other", "csl_type": "report", "title": "Another report"}
        service.send("POST", "/v1/sources", source)
        passage = {"source_external_id": "test:other", "stance": "supports"}
        service.send("POST", f"{claim}/evidence", {**passage, "status": "accepted"})
        assert service.get(f"{claim}/corroboration")["verdict"] == "corroborated"
        service.send(
            "PATCH",
            path_of(service, "sources", "test:other"),
            {"retracted_at": "2026-01-01T00:00:00Z"},
        )
        assert service.get(f"{claim}/corroboration")["verdict"] == "confirmed_by_party"
