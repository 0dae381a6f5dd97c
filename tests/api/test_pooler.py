"""The service behind a pooler that gives each transaction another session."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from sqlalchemy import make_url

from app import create_app
from hksz_db.database import Database, DatabaseUnusable, run
from hksz_db.domain.errors import Unavailable
from hksz_db.domain.vocabulary import Scope
from hksz_db.embedded import Server
from hksz_db.embedded.folders import account_for
from hksz_db.preparing import prepare
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import _public_folder

pytestmark = pytest.mark.slow

# Debian's is not on the path of every user.
PGBOUNCER = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
CONFIGURATION = """
[databases]
* = host={sockets} port={server_port} user=hksz
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 1
ignore_startup_parameters = options
"""


@pytest.fixture(scope="module")
def pooled_url(server: Server, database_url: str) -> Iterator[str]:
    """The URL of the database through PgBouncer, which has a single session for it."""
    if PGBOUNCER is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("pgbouncer is not installed")
    place = make_url(database_url)
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with _public_folder() as folder:
        configuration = folder / "pgbouncer.ini"
        configuration.write_text(
            CONFIGURATION.format(
                sockets=place.query["host"], server_port=place.query["port"], port=port
            )
        )
        url = f"postgresql://hksz@127.0.0.1:{port}/{place.database}"
        account = account_for(server.home)
        command = [PGBOUNCER, "-q", str(configuration)]
        with subprocess.Popen(command, cwd="/", **account.credentials) as pgbouncer:
            try:
                _wait_until_it_answers(url, pgbouncer)
                yield url
            finally:
                pgbouncer.terminate()


def _wait_until_it_answers(url: str, pgbouncer: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert pgbouncer.poll() is None, "pgbouncer has ended"
        try:
            psycopg.connect(url).close()
        except psycopg.OperationalError:
            time.sleep(0.02)
        else:
            return
    raise AssertionError("pgbouncer does not answer")


@pytest.fixture
def direct(database_url: str) -> Iterator[Database]:
    with closing(Database(lambda: database_url)) as database:
        yield database


@pytest.fixture
def pooled(pooled_url: str) -> Iterator[Database]:
    with closing(Database(lambda: pooled_url, via_pooler=True)) as database:
        yield database


def client_on(database: Database) -> Any:
    return create_app(Settings(log_level="error", four_eyes=False), database).test_client()


def now() -> str:
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def questions(id: str, moment: str) -> list[str]:
    return [
        f"/v1/claims/{id}",
        f"/v1/claims/{id}?as_of={moment}",
        f"/v1/claims/{id}/history",
        "/v1/claims?q=talent&per_page=3",
        f"/v1/claims?per_page=3&count=estimated&as_of={moment}",
        "/v1/entities/export?format=ndjson",
        f"/v1/entities/export?format=ndjson&as_of={moment}",
        "/v1/changes?per_page=5&document=false",
        "/claims",
    ]


def test_answers_are_those_without_a_pooler(pooled: Database, direct: Database) -> None:
    expected, client = client_on(direct), client_on(pooled)
    id = expected.get("/v1/claims?per_page=1").json["data"][0]["id"]
    for path in questions(id, now()):
        answers = [each.get(path) for each in (expected, client)]
        assert [answer.status_code for answer in answers] == [200, 200], path
        assert answers[0].data == answers[1].data, path
    assert client.get("/v1/changes?cursor=now&wait=1").status_code == 200
    assert client.get("/readyz").json["writable"]


def test_nobody_is_answered_from_the_past_of_somebody_else(
    pooled: Database, direct: Database
) -> None:
    """They share one session, which reads, writes and reads of the past take in turns."""
    with writing(direct) as session:
        key = api_keys.create(session, str(uuid4()), [Scope.ADMIN])
    client = client_on(pooled)
    app = client.application
    headers = {"Authorization": f"Bearer {key}", "If-Match": "*"}
    body = {"csl_type": "report", "title": "0"}
    path = f"/v1/sources/{client.post('/v1/sources', json=body, headers=headers).json['id']}"
    before = now()
    assert client.patch(path, json={"title": "1"}, headers=headers).status_code == 200

    def titles(_: int) -> tuple[str, str]:
        asked = app.test_client()
        past, present = (asked.get(path, query_string=q).json for q in ({"as_of": before}, {}))
        return past["title"], present["title"]

    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(titles, range(40))) == {("0", "1")}


def test_limits_hold_in_each_transaction(pooled_url: str) -> None:
    impatient = Database(lambda: pooled_url, via_pooler=True, statement_timeout_ms=100)
    with closing(impatient):
        with pytest.raises(psycopg.errors.QueryCanceled):
            impatient.connections.read(b"SELECT pg_sleep(5)", [])
        with pytest.raises(Unavailable), writing(impatient) as session:
            run(session, "SELECT pg_sleep(5)")
        (row,) = impatient.connections.read(b"SELECT current_setting('TimeZone')", [])
        assert row == (b"UTC",)


def test_what_needs_a_session_of_its_own_is_refused(pooled: Database) -> None:
    with pytest.raises(DatabaseUnusable, match="cannot be prepared through a pooler"):
        prepare(pooled)


def test_a_pooler_that_was_not_announced_is_refused(pooled_url: str) -> None:
    with closing(Database(lambda: pooled_url)) as database:
        for ask in (database.check_version, lambda: database.transaction().__enter__()):
            with pytest.raises(DatabaseUnusable, match="HKSZ_POOLER=transaction"):
                ask()


def test_a_server_that_goes_away_is_not_taken_for_a_pooler(database_url: str) -> None:
    connector = Database(lambda: database_url).connector
    with closing(connector.connect()) as ended, closing(connector.connect()) as other:
        other.execute("SELECT pg_terminate_backend(%s, 5000)", [ended.info.backend_pid])
        with pytest.raises(psycopg.OperationalError):
            connector.refuse_unknown_pooler(ended)
