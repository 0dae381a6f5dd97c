"""Replicas: they answer as the primary does or not at all, and reads outlive either of them."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

import psycopg
import pytest
from flask import Flask
from sqlalchemy import text

from app import create_app
from hksz_db.database import Connection, Database, driver_url, prepare
from hksz_db.database.replicas import ReplicatedDatabase
from hksz_db.domain.errors import LostHistory, NotReplicated, Unavailable
from hksz_db.domain.vocabulary import Scope
from hksz_db.embedded import Server, running
from hksz_db.feed.horizons import record_horizon
from hksz_db.feed.pages import BEGINNING, Feed, Position, horizon
from hksz_db.preparing import seed_folders, upgrade
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys, seeding
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import _public_folder
from tests.replication import catch_up, copy_server, kill, promote, replica_of
from tests.samples import write_unseeded_rows

pytestmark = pytest.mark.slow

ADD = b"INSERT INTO units (code, label, dimension, factor) VALUES ($1, 'x', 'count', 1)"


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    with _public_folder() as folder:
        yield folder


@pytest.fixture(scope="module")
def primary(folder: Path) -> Iterator[Server]:
    """A server with the first seed and a few versions."""
    with running(folder / "primary", durable=False) as server:
        upgrade(driver_url(server.url()))
        with closing(Database(server.url)) as database, writing(database) as session:
            seeding.load(session, seed_folders()[0])
        write_unseeded_rows(server.url())
        yield server


@pytest.fixture(scope="module")
def replica(primary: Server, folder: Path) -> Iterator[Server]:
    with replica_of(primary, folder / "replica") as server:
        yield server


@contextmanager
def opened(server: Server) -> Iterator[Database]:
    with closing(Database(server.url)) as database:
        yield database


@pytest.fixture
def database(primary: Server) -> Iterator[Database]:
    with opened(primary) as database:
        yield database


@pytest.fixture
def behind(replica: Server) -> Iterator[Database]:
    """The replica."""
    with opened(replica) as database:
        yield database


@pytest.fixture
def writer(primary: Server) -> Iterator[Connection]:
    """A connection on which each statement is a transaction unless it begins one."""
    with closing(psycopg.connect(primary.url(), autocommit=True)) as connection:
        yield connection


def add(connection: Connection, code: str) -> None:
    psycopg.RawCursor(connection).execute(ADD, [code])


def client_on(database: Database, **settings: Any) -> Any:
    return create_app(Settings(log_level="error", **settings), database).test_client()


@contextmanager
def app_on_both(database: Database, replica: Server) -> Iterator[Flask]:
    app = create_app(Settings(log_level="error", read_database_url=replica.url()), database)
    with closing(app.extensions["hksz_replicated_database"]):
        yield app


class Follower:
    """Reads the codes of the units in the entries since it last read."""

    def __init__(self, database: Database, start: Position) -> None:
        self.feed = Feed(database, ("units",), documents=False)
        self.position = start

    def read(self) -> list[tuple[str, str]]:
        found, caught_up = [], False
        while not caught_up:
            page = self.feed.after(self.position, 100, ",")
            self.position, caught_up = page.position, page.caught_up
            entries = json.loads(b"[%b]" % page.entries)
            found += [(entry["id"], entry["transaction"]) for entry in entries]
        return found


def questions(client: Any) -> Iterator[str]:
    """Reads of every kind."""
    moment = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    for name in RESOURCES:
        yield f"/v1/{name}?count=exact"
        yield f"/v1/{name}?per_page=2&sort=-created_at&as_of={moment}"
        yield f"/v1/{name}/export?format=ndjson"
        for row in client.get(f"/v1/{name}?per_page=2").json["data"]:
            yield f"/v1/{name}/{row['id']}"
            yield f"/v1/{name}/{row['id']}?as_of={moment}"
            yield f"/v1/{name}/{row['id']}/history"
    yield "/v1/claims?q=talent&include=entities,figures,evidence,sources,corroboration,similar"
    yield "/v1/claims/facets"
    yield "/v1/claims/aggregate?group_by=modality"
    yield "/v1/comparisons"
    yield "/v1/suggest?q=h"
    yield "/v1/changes?per_page=100&document=false"
    yield "/claims"
    yield "/entities"


def test_a_replica_answers_as_the_primary_does(
    database: Database, behind: Database, primary: Server, replica: Server, writer: Connection
) -> None:
    asked = list(questions(client_on(database)))
    # The horizon is the latest commit.
    add(writer, "seal")
    record_horizon(database)
    catch_up(replica, primary)
    clients = [client_on(each) for each in (database, behind)]
    for path in asked:
        answers = [client.get(path) for client in clients]
        bodies = [without_cursor(answer.get_data()) for answer in answers]
        assert [answer.status_code for answer in answers] == [200, 200], path
        assert bodies[0] == bodies[1], path


def without_cursor(body: bytes) -> bytes:
    """A body without the position in the feed, which is that of the server."""
    return body.partition(b'"meta":{"next_cursor"')[0]


def test_a_replica_shows_no_commit_before_an_earlier_one(
    database: Database, behind: Database, primary: Server, replica: Server, writer: Connection
) -> None:
    """The later one is replicated while the earlier one has its time and has not committed."""
    record_horizon(database)
    catch_up(replica, primary)
    follower = Follower(behind, horizon(behind).position)
    with closing(psycopg.connect(primary.url(), autocommit=True)) as stopped:
        stopped.execute("BEGIN")
        add(stopped, "first")
        stopped.execute("SET CONSTRAINTS ALL IMMEDIATE")
        add(writer, "second")
        record_horizon(database)
        catch_up(replica, primary)
        assert follower.read() == []
        stopped.execute("COMMIT")
    catch_up(replica, primary)
    assert follower.read() == []
    assert record_horizon(database)
    assert not record_horizon(database)
    catch_up(replica, primary)
    assert len(follower.read()) == 2


def test_a_replica_misses_nothing_while_many_write(
    database: Database, behind: Database, primary: Server, replica: Server
) -> None:
    record_horizon(database)
    catch_up(replica, primary)
    start = horizon(behind).position
    follower, found = Follower(behind, start), []
    ended = threading.Event()

    def write(number: int) -> None:
        with closing(psycopg.connect(primary.url(), autocommit=True)) as connection:
            for n in range(60):
                add(connection, f"many-{number}-{n}")

    def record() -> None:
        while not ended.wait(0.02):
            record_horizon(database)

    with ThreadPoolExecutor(5) as pool:
        recording = pool.submit(record)
        writing_ = [pool.submit(write, number) for number in range(4)]
        while not all(each.done() for each in writing_):
            found += follower.read()
        for each in writing_:
            each.result()
        ended.set()
        recording.result()
    record_horizon(database)
    catch_up(replica, primary)
    found += follower.read()
    assert found == Follower(database, start).read()
    assert len(found) == 240


def test_the_past_has_one_answer(
    database: Database, behind: Database, primary: Server, replica: Server, writer: Connection
) -> None:
    """A replica that does not know whether a transaction had committed does not answer."""
    count = f"/v1/units?count=exact&as_of={datetime.now(UTC).isoformat().replace('+00:00', 'Z')}"
    add(writer, "after")
    catch_up(replica, primary)
    alone = client_on(behind)
    refused = alone.get(count)
    assert (refused.status_code, refused.json["status"]) == (503, 503)
    assert "replica" in refused.json["detail"]
    with app_on_both(database, replica) as app:
        with_both = app.test_client()
        answers = [client_on(database).get(count).data, with_both.get(count).data]
        record_horizon(database)
        catch_up(replica, primary)
        assert {*answers, alone.get(count).data, with_both.get(count).data} == {answers[0]}


def test_a_service_on_a_replica_alone_reads_and_does_not_write(
    database: Database, behind: Database, primary: Server, replica: Server
) -> None:
    with writing(database) as session:
        key = api_keys.create(session, "reader", [Scope.ADMIN])
    catch_up(replica, primary)
    client = client_on(behind)
    headers = {"Authorization": f"Bearer {key}"}
    closed = client_on(behind, open_reads=False)
    assert closed.get("/v1/claims", headers=headers).status_code == 200
    assert closed.get("/v1/claims").status_code == 401
    assert client.get("/v1/changes?cursor=now&wait=1").status_code == 200
    body = {"csl_type": "report", "title": "A report"}
    refused = client.post("/v1/sources", json=body, headers=headers)
    assert refused.status_code == 503
    assert client.get("/readyz").json == {
        "status": "ready",
        "database": "answers",
        "schema": "current",
        "writable": False,
    }


def test_reads_with_a_key_are_answered_by_the_primary(
    database: Database, primary: Server, replica: Server, writer: Connection
) -> None:
    """They find what was written just now, while the replica is a moment behind."""
    with (
        app_on_both(database, replica) as app,
        closing(psycopg.connect(replica.url(superuser=True), autocommit=True)) as administrator,
    ):
        client: Any = app.test_client()
        catch_up(replica, primary)
        administrator.execute("SELECT pg_wal_replay_pause()")
        try:
            add(writer, "own")
            path = "/v1/units?code=own"
            with_key = client.get(path, headers={"Authorization": "Bearer x"}).json
            without = client.get(path).json
            client.set_cookie("hksz_session", "x")
            signed_in = client.get(path).json
        finally:
            administrator.execute("SELECT pg_wal_replay_resume()")
    assert [len(found["data"]) for found in (with_key, signed_in, without)] == [1, 1, 0]


class Reading:
    """Reads without a key, again and again, while the block runs; counts what fails."""

    def __init__(self, app: Flask, paths: list[str]) -> None:
        self.answered, self.failed = 0, [""][:0]
        self._app, self._paths = app, paths
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def wait_for(self, further: int) -> None:
        """Wait for so many answers."""
        wanted = self.answered + further
        pause = threading.Event()
        while self.answered < wanted and self._thread.is_alive():
            pause.wait(0.01)

    def _run(self) -> None:
        client = self._app.test_client()
        while not self._ended.wait(0.01):
            for path in self._paths:
                answer = client.get(path)
                if answer.status_code == 200:
                    self.answered += 1
                else:
                    self.failed.append(f"{path}: {answer.text}")


def test_reads_outlive_either_server(primary: Server, folder: Path) -> None:
    with ExitStack() as stack:
        second = folder / "second"
        copy_server(primary, second)
        with opened(primary) as database:
            row = client_on(database).get("/v1/claims").json["data"][0]["id"]
        copy_server(primary, folder / "third")
        first = stack.enter_context(running(second, durable=False))
        promote(first)
        # The third follows the first server still; that it exists is enough.
        other = stack.enter_context(running(folder / "third", durable=False))
        database = stack.enter_context(opened(first))
        app = stack.enter_context(app_on_both(database, other))
        asking: Any = app.test_client()
        paths = [f"/v1/claims/{row}", "/v1/claims?per_page=2", "/claims"]
        with Reading(app, paths) as reading:
            reading.wait_for(6)
            kill(first)
            reading.wait_for(12)
            ready = asking.get("/readyz").json
            stack.enter_context(running(second, durable=False))
            reading.wait_for(6)
            kill(other)
            reading.wait_for(12)
        assert reading.failed == []
        assert (ready["database"], ready["writable"]) == ("away", False)
        assert asking.get("/readyz").json["writable"]


def test_the_age_of_a_replica_is_a_metric(
    database: Database, primary: Server, replica: Server, writer: Connection
) -> None:
    def age_s(app: Flask) -> float:
        text = app.test_client().get("/metrics").text
        (line,) = [each for each in text.splitlines() if each.startswith("hksz_replica_age_s")]
        return float(line.split()[-1])

    with (
        app_on_both(database, replica) as app,
        closing(psycopg.connect(replica.url(superuser=True), autocommit=True)) as administrator,
    ):
        catch_up(replica, primary)
        assert age_s(app) == 0
        administrator.execute("SELECT pg_wal_replay_pause()")
        try:
            add(writer, "late")
            time.sleep(0.5)
            assert age_s(app) >= 0.5
        finally:
            administrator.execute("SELECT pg_wal_replay_resume()")


def test_a_stream_that_takes_too_long_is_not_begun_again(
    database: Database, behind: Database
) -> None:
    slow = prepare(text("SELECT pg_is_in_recovery() FROM pg_sleep(5)"))
    replicated = ReplicatedDatabase(database, behind)
    with pytest.raises(Unavailable, match="longer than 1 seconds"):
        list(replicated.stream(slow, {}, at_most_s=1))
    assert replicated.read(prepare(text("SELECT pg_is_in_recovery()")), {}) == [(True,)]


def test_a_replica_that_does_not_answer_delays_one_read_and_is_tried_again(
    database: Database, replica: Server
) -> None:
    one = prepare(text("SELECT pg_is_in_recovery()"))
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"postgresql://hksz@127.0.0.1:{silent.getsockname()[1]}/hksz"
        frozen = ReplicatedDatabase(database, Database(lambda: url, is_replica=True), 0.5)
        begun = time.monotonic()
        assert frozen.read(one, {}) == [(False,)]
        late = time.monotonic()
        assert frozen.read(one, {}) == [(False,)]
        assert late - begun < 4 > 8 * (time.monotonic() - late)
    with opened(replica) as answering:
        frozen.replica = answering
        deadline = time.monotonic() + 5
        while frozen.read(one, {}) != [(True,)]:
            assert time.monotonic() < deadline
            time.sleep(0.05)
        frozen.close()


def test_a_cursor_is_accepted_after_a_failover_that_lost_nothing(
    primary: Server, folder: Path, writer: Connection
) -> None:
    with ExitStack() as stack:
        other = stack.enter_context(replica_of(primary, folder / "promoted"))
        before = stack.enter_context(opened(primary))
        after = stack.enter_context(opened(other))
        old, new = Feed(before), Feed(after)
        record_horizon(before)
        old_position = horizon(before).position
        old_cursor = old.cursor(old_position)
        add(writer, "common")  # later than the recorded horizon
        latest = old.cursor(horizon(before).position)
        catch_up(other, primary)
        promote(other)
        add(writer, "lost")
        lost = old.cursor(horizon(before).position)
        for cursor in (old_cursor, latest):
            assert str(new.position(cursor).timeline).endswith("-00000002")
        with pytest.raises(LostHistory, match="begin again without a cursor"):
            new.position(lost)
        # Also when the new history has gone further.
        with closing(psycopg.connect(other.url(), autocommit=True)) as connection:
            add(connection, "other")
        with pytest.raises(LostHistory):
            new.position(lost)
        refused = client_on(after).get("/v1/changes", query_string={"cursor": lost})
        assert refused.status_code == 410
        entries = Follower(after, new.position(latest)).read()
        assert len(entries) == 1
        # A cursor of the new history is none of the old one.
        record_horizon(after)
        with pytest.raises(LostHistory):
            old.position(new.cursor(horizon(after).position))


def test_a_position_belongs_to_the_server_that_gave_it(database: Database) -> None:
    feed = Feed(database)
    given = horizon(database).position
    assert str(given.timeline).endswith("-00000001")
    for start in (given, BEGINNING):
        assert feed.after(start, 1).position.timeline == given.timeline


def test_a_replica_says_that_it_cannot_tell_yet(behind: Database, database: Database) -> None:
    cursor = Feed(behind).cursor(horizon(behind).position)
    assert Feed(behind).position(cursor) == Feed(database).position(cursor)
    here = horizon(behind).position
    later = f"{str(here.timeline)[:-8]}00000009"
    with pytest.raises(NotReplicated):
        Feed(behind)._timeline_with(here.at, [later, None, None])
