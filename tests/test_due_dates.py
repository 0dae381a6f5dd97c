"""Overdue claims are recorded by the server process; reading the feed writes nothing."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import structlog
from flask.testing import FlaskCliRunner
from sqlalchemy import make_url
from structlog.testing import capture_logs

from app import create_app
from hksz_db.database import Connection, Database
from hksz_db.embedded import Server
from hksz_db.serving import recording_due_claims
from hksz_db.settings import Settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
OFTEN_S = 0.02


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the module, in which writes are committed."""
    database = Database(lambda: database_url)
    yield database
    database.close()


@pytest.fixture
def psql(database_url: str) -> Iterator[Connection]:
    """A connection to a database without claims; each statement is committed."""
    with closing(psycopg.connect(database_url, autocommit=True)) as connection:
        connection.execute("DELETE FROM claims")
        yield connection


def overdue_claim(psql: Connection) -> str:
    """Insert a planned claim whose last day has passed; return its id."""
    with psql.transaction():
        psql.execute(
            "INSERT INTO entities (id, kind, name, name_language)"
            " VALUES (uuidv7(), 'person', 'Somebody', 'en')"
        )
        psql.execute(
            "INSERT INTO entity_names (entity_id, name, language, kind)"
            " SELECT id, name, 'en', 'preferred' FROM entities ORDER BY id DESC LIMIT 1"
        )
        rows = psql.execute(
            "INSERT INTO claims (statement, language, claimant_id, modality, due_edtf, due)"
            " SELECT 'It will open.', 'en', id, 'planned', '2020', '[2020-01-01,2021-01-01)'"
            " FROM entities ORDER BY id DESC LIMIT 1 RETURNING id"
        ).fetchall()
    return str(rows[0][0])


def recorded(psql: Connection) -> list[str]:
    """The claims that are recorded as due, in that order."""
    rows = psql.execute(
        "SELECT changes.resource_id FROM changes JOIN claims ON claims.id = resource_id"
        " WHERE operation = 'due' ORDER BY changes.id"
    )
    return [str(id) for (id,) in rows]


@pytest.fixture
def logs() -> Iterator[list[Any]]:
    """All log entries, whatever level the app of another test has set."""
    structlog.reset_defaults()
    with capture_logs() as logs:
        yield logs


def wait_until(reached: Callable[[], bool]) -> None:
    for _ in range(3000):
        if reached():
            return
        threading.Event().wait(0.01)
    raise AssertionError("the time is over")


def test_overdue_claims_are_recorded_at_once_and_regularly(
    database: Database, psql: Connection
) -> None:
    first = overdue_claim(psql)
    with recording_due_claims(database, OFTEN_S):
        wait_until(lambda: recorded(psql) == [first])
        second = overdue_claim(psql)
        wait_until(lambda: recorded(psql) == [first, second])
    overdue_claim(psql)
    threading.Event().wait(10 * OFTEN_S)
    assert recorded(psql) == [first, second]


def test_two_servers_record_each_claim_once(
    database: Database, database_url: str, psql: Connection
) -> None:
    with (
        recording_due_claims(database, OFTEN_S),
        recording_due_claims(Database(lambda: database_url), OFTEN_S),
    ):
        claims = [overdue_claim(psql) for _ in range(20)]
        wait_until(lambda: set(recorded(psql)) == set(claims))
    assert len(recorded(psql)) == len(claims)


def test_an_unreachable_database_is_retried(
    database: Database, psql: Connection, server: Server, logs: list[Any]
) -> None:
    name = make_url(database.connector.location).database
    url = server.url("postgres", superuser=True)
    with closing(psycopg.connect(url, autocommit=True)) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
        try:
            with recording_due_claims(database, OFTEN_S):
                wait_until(lambda: bool(logs))
                # The reason is the same each time, and logged once.
                threading.Event().wait(10 * OFTEN_S)
                claim = overdue_claim(psql)
                other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
                wait_until(lambda: recorded(psql) == [claim])
        finally:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())
    assert [(log["event"], log["log_level"]) for log in logs] == [("due_not_recorded", "warning")]


@contextmanager
def serving(url: str, log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A process of ``python app.py serve``, which may still be starting."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"DATABASE_URL": url, "HKSZ_PORT": str(port), "HKSZ_WORKERS": "1"}
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "app.py", "serve"],
            cwd=ROOT,
            env={**os.environ, **own},
            stdout=output,
            stderr=output,
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(60)


def test_servers_record_overdue_claims_without_a_request(
    database_url: str, psql: Connection, tmp_path: Path
) -> None:
    claim = overdue_claim(psql)
    with serving(database_url, tmp_path / "a") as one, serving(database_url, tmp_path / "b") as two:
        wait_until(lambda: recorded(psql) == [claim])
        for process, log in ((one, "a"), (two, "b")):
            wait_until(lambda log=log: "Started worker" in (tmp_path / log).read_text())  # type: ignore[misc]
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
            assert "due_not_recorded" not in (tmp_path / log).read_text()
    assert recorded(psql) == [claim]


@pytest.fixture
def reading_url(server: Server, database_url: str) -> Iterator[str]:
    """The URL of the database for a role whose transactions are read-only."""
    name = str(make_url(database_url).database)
    with closing(psycopg.connect(server.url(name, superuser=True), autocommit=True)) as superuser:
        superuser.execute(
            "CREATE ROLE hksz_reader LOGIN; GRANT USAGE ON SCHEMA past TO hksz_reader;"
            " GRANT SELECT ON ALL TABLES IN SCHEMA public, past TO hksz_reader;"
            " ALTER ROLE hksz_reader SET default_transaction_read_only = on"
        )
        try:
            yield server.url(name).replace("hksz@", "hksz_reader@")
        finally:
            superuser.execute("DROP OWNED BY hksz_reader; DROP ROLE hksz_reader")


def test_a_role_that_may_only_read_reads_the_whole_feed(reading_url: str, psql: Connection) -> None:
    claims = [overdue_claim(psql) for _ in range(30)]
    database = Database(lambda: reading_url)
    app = create_app(Settings(log_level="error"), database)
    client = app.test_client()
    pages: list[Any] = []
    cursor = ""
    while not pages or not pages[-1]["meta"]["caught_up"]:
        answer = client.get(f"/v1/changes?resource=claims&per_page=10{cursor}")
        assert answer.status_code == 200, answer.json
        pages.append(answer.json)
        cursor = f"&cursor={pages[-1]['meta']['next_cursor']}"
    entries = [entry for page in pages for entry in page["data"]]
    live = [(entry["op"], entry["id"]) for entry in entries if entry["document"]]
    assert live == [("create", claim) for claim in claims]
    end: Any = client.get(f"/v1/changes?resource=claims{cursor}").json
    assert end["data"] == []
    # Waiting writes nothing either.
    assert client.get(f"/v1/changes?resource=claims&wait=1{cursor}").status_code == 200
    lines = FlaskCliRunner(app).invoke(
        args=["changes", "follow", "--once", "--resource", "claims", "--from", "beginning"]
    )
    assert [json.loads(line)["id"] for line in lines.output.splitlines()] == [
        entry["id"] for entry in entries
    ]
    app.extensions["hksz_change_listener"].close()
    database.close()


def test_a_read_only_database_is_logged(
    reading_url: str, psql: Connection, logs: list[Any]
) -> None:
    claim = overdue_claim(psql)
    with recording_due_claims(Database(lambda: reading_url), OFTEN_S):
        wait_until(lambda: bool(logs))
        threading.Event().wait(10 * OFTEN_S)
    assert ["only takes reads" in log["reason"] for log in logs] == [True]
    assert claim not in recorded(psql)
