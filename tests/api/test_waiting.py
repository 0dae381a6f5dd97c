"""Long polling over HTTP: it holds no worker slot, and ends on time and on shutdown."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path

import pytest
from flask import Flask

from app import create_app
from hksz_db.database import Database, run
from hksz_db.feed.due import note_due
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.api.conftest import Client

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
PATH = "/v1/changes"
ADD = "INSERT INTO units (code, label, dimension, factor) VALUES ($1, 'x', 'count', 1)"


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the module, in which writes are committed."""
    database = Database(lambda: database_url)
    with writing(database) as session:
        run(session, "DELETE FROM units WHERE label = 'x'")
    yield database
    database.close()


@pytest.fixture
def app(database: Database) -> Iterator[Flask]:
    """The service with two places for waiting requests."""
    app = create_app(Settings(log_level="error", max_waiters=2), database)
    yield app
    app.extensions["hksz_change_listener"].close()


@pytest.fixture
def now(reader: Client) -> str:
    return reader.get(PATH, cursor="now").json["meta"]["next_cursor"]


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def add(database: Database, code: str) -> None:
    with writing(database) as session:
        run(session, ADD, code)


def wait_until(app: Flask, waiting: int) -> None:
    """Return when so many requests wait."""
    listener = app.extensions["hksz_change_listener"]
    for _ in range(6000):
        if listener.waiting == waiting:
            return
        threading.Event().wait(0.005)
    raise AssertionError("too few requests wait")


def codes(answer) -> list[str]:
    assert answer.status_code == 200, answer.json
    return [entry["document"]["code"] for entry in answer.json["data"]]


def test_a_commit_ends_the_waiting(
    app: Flask, database: Database, reader: Client, now: str, pool: ThreadPoolExecutor
) -> None:
    answer = pool.submit(reader.get, PATH, cursor=now, wait="30")
    wait_until(app, 1)
    add(database, "one")
    found = answer.result(20)
    assert codes(found) == ["one"]
    assert found.json["meta"]["caught_up"]


def test_an_overdue_claim_ends_the_waiting(
    app: Flask, database: Database, reader: Client, pool: ThreadPoolExecutor
) -> None:
    with writing(database) as session:
        run(
            session,
            "INSERT INTO claims (statement, language, claimant_id, modality, due_edtf, due)"
            " SELECT 'It will open.', 'en', id, 'planned', '2020', '[2020-01-01,2021-01-01)'"
            " FROM entities LIMIT 1",
        )
    cursor = reader.get(PATH, cursor="now").json["meta"]["next_cursor"]
    answer = pool.submit(reader.get, PATH, cursor=cursor, wait="30")
    wait_until(app, 1)
    assert note_due(database) == 1
    assert [entry["op"] for entry in answer.result(20).json["data"]] == ["due"]


def test_an_existing_entry_is_answered_at_once(
    database: Database, reader: Client, now: str
) -> None:
    add(database, "one")
    assert codes(reader.get(PATH, cursor=now, wait="30")) == ["one"]


def test_after_the_time_the_answer_is_an_empty_page(reader: Client, now: str) -> None:
    answer = reader.get(PATH, cursor=now, wait="1")
    assert codes(answer) == []
    assert answer.json["meta"] == {"next_cursor": now, "caught_up": True, "per_page": 25}


def test_an_entry_of_another_resource_does_not_end_the_waiting(
    app: Flask, database: Database, reader: Client, pool: ThreadPoolExecutor
) -> None:
    cursor = reader.get(PATH, resource="metrics", cursor="now").json["meta"]["next_cursor"]
    waiter = pool.submit(reader.get, PATH, resource="metrics", cursor=cursor, wait="2")
    wait_until(app, 1)
    add(database, "one")
    answer = waiter.result(20)
    assert answer.json["data"] == []
    # The cursor has advanced, so that the same changes are not searched again.
    assert answer.json["meta"]["next_cursor"] != cursor


def test_waiting_can_begin_at_now(
    app: Flask, database: Database, reader: Client, pool: ThreadPoolExecutor
) -> None:
    answer = pool.submit(reader.get, PATH, cursor="now", wait="30")
    wait_until(app, 1)
    add(database, "one")
    assert codes(answer.result(20)) == ["one"]


def test_waiting_requests_share_one_connection(
    app: Flask, database: Database, reader: Client, now: str, pool: ThreadPoolExecutor
) -> None:
    waiters = [pool.submit(reader.get, PATH, cursor=now, wait="30") for _ in range(2)]
    wait_until(app, 2)
    while not app.extensions["hksz_change_listener"]._settled:
        threading.Event().wait(0.005)
    assert reader.get("/v1/units").status_code == 200
    database.close()
    _wait_for_connections(database, 1)  # of the listener
    add(database, "one")
    assert [codes(waiter.result(20)) for waiter in waiters] == [["one"], ["one"]]


def _wait_for_connections(database: Database, number: int) -> None:
    """Return as soon as that many are open beside the one that asks.

    A server process ends some time after its client has closed the connection.
    """
    others = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    )
    for _ in range(1000):
        with database.transaction() as session:
            [(found,)] = run(session, others)
        if found == number:
            return
        threading.Event().wait(0.01)
    raise AssertionError(f"{found} other connections are open")


def test_too_many_waiting_requests_are_refused(
    app: Flask, database: Database, reader: Client, now: str, pool: ThreadPoolExecutor
) -> None:
    waiters = [pool.submit(reader.get, PATH, cursor=now, wait="30") for _ in range(2)]
    wait_until(app, 2)
    refused = reader.get(PATH, cursor=now, wait="1")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert "wait" in refused.json["detail"]
    assert reader.get(PATH, cursor=now).status_code == 200
    add(database, "one")
    assert [codes(waiter.result(20)) for waiter in waiters] == [["one"], ["one"]]
    last = reader.get(PATH, cursor=now).json["meta"]["next_cursor"]
    assert reader.get(PATH, cursor=last, wait="1").status_code == 200


def test_without_places_waiting_is_refused(database: Database) -> None:
    client = create_app(Settings(log_level="error", max_waiters=0), database).test_client()
    assert client.get(f"{PATH}?cursor=now").status_code == 200
    assert client.get(f"{PATH}?cursor=now&wait=1").status_code == 503


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[tuple[str, "subprocess.Popen[bytes]"]]:
    """A running server: its address and its process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"DATABASE_URL": database_url, "HKSZ_PORT": str(port), "HKSZ_WORKERS": "1"}
    with (tmp_path / "log").open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "app.py", "serve"],
            cwd=ROOT,
            env={**os.environ, **own, "HKSZ_THREADS": "1", "HKSZ_COSTLY_THREADS": "1"},
            stdout=output,
            stderr=output,
        )
        try:
            for _ in range(1200):
                with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
                    break
                assert server.poll() is None, (tmp_path / "log").read_text()
                threading.Event().wait(0.05)
            yield f"127.0.0.1:{port}", server
        finally:
            if server.poll() is None:
                server.terminate()
            server.wait(60)


def test_shutdown_answers_the_waiting_requests(
    served: tuple[str, "subprocess.Popen[bytes]"], pool: ThreadPoolExecutor, database: Database
) -> None:
    """Immediately: after twenty seconds they would be disconnected without an answer."""
    host, server = served

    def ask(query: str) -> tuple[int, dict]:
        with closing(http.client.HTTPConnection(host, timeout=60)) as connection:
            connection.request("GET", f"{PATH}?{query}")
            response = connection.getresponse()
            return response.status, json.loads(response.read())

    cursor = ask("cursor=now")[1]["meta"]["next_cursor"]
    waiters = [pool.submit(ask, f"cursor={cursor}&wait=30") for _ in range(5)]
    _wait_for_listener(database)
    # The only worker slot is free.
    assert ask("resource=units")[0] == 200
    server.terminate()
    for waiter in waiters:
        status, page = waiter.result(60)
        assert (status, page["data"], page["meta"]["next_cursor"]) == (200, [], cursor)
    assert server.wait(60) == 0


def _wait_for_listener(database: Database) -> None:
    listening = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND query ~ 'settled' AND pid <> pg_backend_pid()"
    )
    for _ in range(2000):
        with database.transaction() as session:
            if run(session, listening) != [(0,)]:
                return
        threading.Event().wait(0.01)
    raise AssertionError("no listener connects")
