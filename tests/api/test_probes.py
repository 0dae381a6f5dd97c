"""Probes are answered whatever other requests and the database do."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from threading import Event
from typing import Any

import psycopg
import pytest
from flask import Flask

from app import create_app
from hksz_db.api.gateway import Gateway
from hksz_db.api.readiness import KNOWN_S, Readiness, State
from hksz_db.database import Database
from hksz_db.domain.errors import Unavailable
from hksz_db.http.costs import Cost, costs
from hksz_db.settings import Settings
from tests.api.test_gateway import Client, run
from tests.api.test_quotas import Clock

PROMPT_S = 0.5


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    with closing(Database(lambda: database_url)) as database:
        app = create_app(Settings(log_level="error"), database)
        with closing(readiness_of(app)):
            yield app


def readiness_of(app: Flask) -> Readiness:
    readiness: Readiness = app.extensions["hksz_readiness"]
    return readiness


def watch(readiness: Readiness) -> None:
    """Watch a database whose whole schema has been checked, which takes longer than the rest."""
    readiness.state()
    readiness.watch()
    readiness.state()


@contextmanager
def locked_schema(database_url: str) -> Iterator[None]:
    """Who asks for the revision of the schema waits."""
    with psycopg.connect(database_url) as blocker:
        blocker.execute("LOCK TABLE alembic_version IN ACCESS EXCLUSIVE MODE")
        yield
        blocker.rollback()


def test_probes_wait_for_no_other_request(app: Flask, database_url: str) -> None:
    go_on = Event()
    for cost in (Cost.MEMORY, Cost.METRICS, Cost.BOUNDED):
        view: Any = costs(cost)(lambda: "done" if go_on.wait(20) else "late")
        app.add_url_rule(f"/{cost.name}", cost.name, view)
    gateway = Gateway(app, Settings())

    async def ask() -> None:
        others = [
            asyncio.ensure_future(Client(gateway).get(f"/{cost}"))
            for cost in ("MEMORY", "METRICS", "BOUNDED")
            for _ in range(4)
        ]
        await asyncio.sleep(0.1)
        watch(readiness_of(app))
        with locked_schema(database_url):
            begun = time.monotonic()
            assert await Client(gateway).get("/healthz") == (200, b'{"status":"ok"}\n')
            status, body = await Client(gateway).get("/readyz")
            assert (status, json.loads(body)["status"]) == (200, "ready")
            assert time.monotonic() - begun < PROMPT_S
            assert not any(each.done() for each in others)
        go_on.set()
        await asyncio.gather(*others)

    run(ask())


def test_a_probe_is_answered_as_by_flask(app: Flask) -> None:
    gateway = Gateway(app, Settings())

    async def ask() -> None:
        watch(readiness_of(app))
        for path in ("/healthz", "/readyz"):
            quick, by_flask = Client(gateway), Client(gateway)
            assert await quick.get(path) == await by_flask.get(path, (b"x-request-id", b"mine"))
            headers = [dict(client.sent[0]["headers"]) for client in (quick, by_flask)]
            assert headers[0].keys() == headers[1].keys()
            assert headers[1].pop(b"x-request-id") == b"mine" != headers[0].pop(b"x-request-id")
            assert headers[0] == headers[1]

    run(ask())


def test_a_service_is_not_ready_if_the_database_has_said_nothing_for_long(
    database_url: str,
) -> None:
    clock = Clock()
    with (
        closing(Database(lambda: database_url)) as database,
        closing(Readiness(lambda: database, None, clock)) as readiness,
    ):
        watch(readiness)
        assert readiness.state() == readiness.known()
        with locked_schema(database_url):
            time.sleep(1.1)
            clock.now += KNOWN_S + 0.1
            assert readiness.known() is None
            with pytest.raises(Unavailable, match="did not answer in time"):
                readiness.state()


def wait_for(readiness: Readiness, state: State) -> None:
    deadline = time.monotonic() + 5
    while readiness.known() != state:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_replica_is_ready_all_the_time_while_the_database_hangs(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hksz_db.api.readiness.CHECKED_EVERY_S", 0.01)
    clock, hangs, go_on = Clock(), Event(), Event()

    def primary() -> Database:
        if hangs.is_set():
            go_on.wait(20)
        return database

    with (
        closing(Database(lambda: database_url)) as database,
        closing(Readiness(primary, database, clock)) as readiness,
    ):
        watch(readiness)
        wait_for(readiness, State("answers", "current", writable=True))
        hangs.set()
        for _ in range(2):
            clock.now += KNOWN_S + 0.1
            wait_for(readiness, State("away", "current", writable=False))
        go_on.set()


def test_any_failure_of_the_database_is_survived(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hksz_db.api.readiness.CHECKED_EVERY_S", 0.01)
    failures = [RuntimeError("The disk is broken.")]

    def primary() -> Database:
        if failures:
            raise failures[0]
        return database

    with (
        closing(Database(lambda: database_url)) as database,
        closing(Readiness(primary, None)) as readiness,
    ):
        readiness.watch()
        with pytest.raises(RuntimeError, match="The disk is broken"):
            readiness.state()
        failures.clear()
        wait_for(readiness, State("answers", "current", writable=True))
