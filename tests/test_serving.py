"""The server: only one listens on an address, with a socket for each worker."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psycopg
import pytest

from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.preparing import KEY_FILE
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.serving import PortInUse, listening
from hksz_db.settings import Settings

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[1]
NAME = "a b+c&d=%41"
SERVE = """
import os
from hksz_db.serving import listening, serve
from hksz_db.settings import Settings
settings = Settings.from_environ(os.environ)
with listening(settings, unread_s=3) as listeners:
    serve("app:worker_app", settings, settings.database_url, listeners)
"""
TIMEOUT_S = 60.0  # a test that passes never waits that long


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def _started(log: IO[str], *command: str, **settings: str) -> Iterator["subprocess.Popen[bytes]"]:
    environment = {**os.environ, "HKSZ_WORKERS": "1", **settings}
    with subprocess.Popen(
        [sys.executable, *command], cwd=ROOT, env=environment, stdout=log, stderr=log
    ) as process:
        try:
            yield process
        finally:
            process.terminate()


def _get(port: int, path: str = "/healthz") -> Any:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=TIMEOUT_S) as answer:
        return json.load(answer)


def _wait_until_it_answers(port: int, timeout_s: float = TIMEOUT_S) -> None:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            _get(port)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")


def test_an_address_in_use_is_reported_in_a_sentence_before_the_database_is_made(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finished = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, "HKSZ_HOME": str(home), "HKSZ_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    sentence = f"hksz: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", sentence)
    assert not home.exists()


def test_only_one_of_two_servers_started_at_once_survives(
    tmp_path: Path, database_url: str
) -> None:
    port = _free_port()
    settings = {"DATABASE_URL": database_url, "HKSZ_PORT": str(port)}
    logs = [tmp_path / "first", tmp_path / "second"]
    with (
        logs[0].open("w") as one,
        logs[1].open("w") as two,
        _started(one, "app.py", "serve", **settings) as first,
        _started(two, "app.py", "serve", **settings) as second,
    ):
        deadline = time.monotonic() + TIMEOUT_S
        while first.poll() is second.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        ended = [process.poll() for process in (first, second)]
        assert sorted(map(str, ended)) == ["1", "None"]
        _wait_until_it_answers(port)
    sentence = f"hksz: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    assert logs[ended.index(1)].read_text() == sentence


@pytest.mark.parametrize("workers", [1, 3])
def test_a_second_server_cannot_listen_on_the_address(
    monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    monkeypatch.setattr("hksz_db.serving._BIND_TIMEOUT_S", 0)
    settings = Settings(port=_free_port(), workers=workers)
    for _ in range(2):
        with listening(settings):
            for others in (1, 3):
                with (
                    pytest.raises(
                        PortInUse, match=r"^Cannot listen on .*: Address already in use\.$"
                    ),
                    listening(replace(settings, workers=others)),
                ):
                    pass


def test_connections_are_spread_evenly_over_the_workers() -> None:
    with listening(Settings(port=_free_port(), workers=3)) as listeners, ExitStack() as stack:
        address = listeners[0].getsockname()
        for _ in range(300):
            stack.enter_context(socket.create_connection(address))
        assert all(50 < accepted < 150 for accepted in map(_accepted, listeners))


def _accepted(listener: socket.socket) -> int:
    listener.setblocking(False)
    number = 0
    with suppress(BlockingIOError):
        while True:
            listener.accept()[0].close()
            number += 1
    return number


def test_listening_waits_until_the_address_is_free(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as old:
        port = old.getsockname()[1]
        monkeypatch.setattr("hksz_db.serving.time.sleep", lambda _: old.close())
        with listening(Settings(port=port)):
            pass


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "x" * 70])
def test_an_address_of_another_machine_is_reported_in_a_sentence(host) -> None:
    with (
        pytest.raises(PortInUse, match=r"^[^\n]+\.$"),
        listening(Settings(host=host)),
    ):
        pass


@dataclass(frozen=True)
class Served:
    """A server with one worker, as ``app.py`` starts it; ``pid`` is its first process."""

    port: int
    pid: int
    log: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, database_url: str) -> Iterator[Served]:
    """A server for the module."""
    path = tmp_path_factory.mktemp("served") / "log"
    port = _free_port()
    # The first of two hosts is absent, and the name contains characters that are special in a URL.
    url = database_url.replace("host=", f"application_name={quote(NAME)}&host=%2Fabsent,")
    settings = {"DATABASE_URL": url, "HKSZ_PORT": str(port)}
    logged = {"HKSZ_LOG_FORMAT": "json", "HKSZ_ACCESS_LOG": "true"}
    with path.open("w") as log:
        with _started(log, "app.py", "serve", **settings, **logged) as server:
            _wait_until_it_answers(port)
            yield Served(port, server.pid, path)
        assert server.returncode == 0


def _worker(served: Served) -> int:
    """The process that has the connections; multiprocessing starts another child."""
    children = Path(f"/proc/{served.pid}/task/{served.pid}/children").read_text().split()
    (worker,) = [
        int(child)
        for child in children
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return worker


def test_the_replacement_of_a_killed_worker_answers_on_the_same_socket(served: Served) -> None:
    killed = _worker(served)
    os.kill(killed, signal.SIGKILL)
    while Path(f"/proc/{killed}").exists():
        time.sleep(0.005)
    # The connection is accepted even before the new worker starts.
    assert _get(served.port) == {"status": "ok"}
    assert _worker(served) != killed


def test_workers_killed_soon_after_their_start_are_replaced(served: Served) -> None:
    for number in (signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM, signal.SIGKILL):
        killed = _worker(served)
        os.kill(killed, number)
        _wait_for_another_worker(served, killed)
    assert _get(served.port) == {"status": "ok"}


def _wait_for_another_worker(served: Served, killed: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while time.monotonic() < deadline:
        # There is none for a moment.
        with suppress(ValueError):
            if _worker(served) != killed:
                return
        time.sleep(0.005)
    raise AssertionError("the worker is not replaced")


def test_a_server_whose_workers_cannot_start_ends(tmp_path: Path) -> None:
    settings = {"DATABASE_URL": "postgresql://hksz@/hksz", "HKSZ_PORT": str(_free_port())}
    script = SERVE.replace("app:worker_app", "json:no_such_app")
    with (tmp_path / "log").open("w") as log, _started(log, "-c", script, **settings) as server:
        assert server.wait(TIMEOUT_S) == 1


def test_workers_use_the_url_as_it_was_given(served: Served, database_url: str) -> None:
    assert _get(served.port, "/v1/units")["data"] == []
    deadline = time.monotonic() + TIMEOUT_S
    with psycopg.connect(database_url, autocommit=True) as connection:
        # The backends of clients that have left end a moment later.
        while (names := _clients(connection)) != [(NAME,)] and time.monotonic() < deadline:
            time.sleep(0.05)
    assert names == [(NAME,)]


def test_each_request_is_one_line_of_json(served: Served) -> None:
    trace = f"00-{'1' * 32}-{'2' * 16}-01"
    asked = urllib.request.Request(
        f"http://127.0.0.1:{served.port}/v1/units/%0A%7B%22event%22:%22forged%22%7D",
        headers={"X-Request-ID": "mine", "traceparent": trace},
    )
    with pytest.raises(urllib.error.HTTPError):
        urllib.request.urlopen(asked, timeout=TIMEOUT_S)
    events = [json.loads(line) for line in served.log.read_text().splitlines()]
    assert "forged" not in {event["event"] for event in events}
    (event,) = [event for event in events if event.get("request_id") == "mine"]
    seconds = event.pop("seconds")
    assert 0 <= seconds < TIMEOUT_S
    del event["timestamp"]
    assert event == {
        "event": "answered",
        "level": "info",
        "request_id": "mine",
        "traceparent": trace,
        "method": "GET",
        "path": '/v1/units/\n{"event":"forged"}',
        "route": "none",
        "status": 404,
    }


def _clients(connection: psycopg.Connection) -> list[tuple[str]]:
    """The names of the other clients of the database."""
    return connection.execute(
        "SELECT DISTINCT application_name FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    ).fetchall()


def test_more_bodies_than_threads_can_be_received(served: Served) -> None:
    unfinished = b"POST /v1/sources HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{"
    with ExitStack() as stack:
        for _ in range(5 * (os.cpu_count() or 1)):
            sender = socket.create_connection(("127.0.0.1", served.port))
            stack.enter_context(sender).sendall(unfinished)
        for _ in range(3):  # the first may be answered before the bodies are awaited
            assert _get(served.port) == {"status": "ok"}
    log = served.log.read_text()
    assert "Started worker" in log
    assert "WARNING" not in log


def _create_accepted_claim(port: int, key: str) -> int:
    """The status of the answer to a claim that is to be accepted at once."""
    claim = {"statement": "It rained.", "claimant_as_stated": "a passer-by", "status": "accepted"}
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/v1/claims",
        json.dumps(claim).encode(),
        {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_workers_need_a_second_reviewer_with_a_database_url(
    served: Served, database_url: str
) -> None:
    database = Database(lambda: database_url)
    with writing(database) as session:
        key = api_keys.create(session, "reviewer", list(Scope))
    database.close()
    assert _create_accepted_claim(served.port, key) == 403


def test_workers_need_no_second_reviewer_with_the_embedded_database(tmp_path: Path) -> None:
    port = _free_port()
    # The account of root's server cannot enter the folders of pytest.
    with tempfile.TemporaryDirectory(prefix="hksz-test-", dir="/tmp") as folder:
        Path(folder).chmod(0o755)
        home = Path(folder, "db")
        settings = {"DATABASE_URL": "", "HKSZ_HOME": str(home), "HKSZ_PORT": str(port)}
        with (tmp_path / "log").open("w") as log, _started(log, "app.py", **settings):
            _wait_until_it_answers(port, 4 * TIMEOUT_S)
            assert _create_accepted_claim(port, (home / KEY_FILE).read_text().strip()) == 201


@pytest.fixture
def short_timeout_port(tmp_path: Path, database_url: str) -> Iterator[int]:
    """The port of a server that drops connections after a second, with a long export."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
            " SELECT 'k' || n, repeat('x', 4000), 'count', 'flow', true"
            " FROM generate_series(1, 3000) AS n"
        )
    port = _free_port()
    settings = {"DATABASE_URL": database_url, "HKSZ_PORT": str(port)}
    with (tmp_path / "log").open("w") as log, _started(log, "-c", SERVE, **settings):
        _wait_until_it_answers(port)
        yield port


def _ask_for_the_export(port: int) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port), timeout=TIMEOUT_S)
    client.sendall(b"GET /v1/metrics/export HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return client


def _wait_for_exports(url: str, number: int) -> None:
    """Wait until that many connections of the database run an export."""
    deadline = time.monotonic() + TIMEOUT_S
    with psycopg.connect(url, autocommit=True) as connection:
        while time.monotonic() < deadline:
            ((found,),) = connection.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND state = 'active' AND query LIKE '%row_to_json%' AND pid <> pg_backend_pid()"
            )
            if found == number:
                return
            time.sleep(0.01)
    raise AssertionError(f"{found} exports are running, not {number}")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has TCP_USER_TIMEOUT")
def test_only_a_client_that_reads_nothing_is_disconnected(
    short_timeout_port: int, database_url: str
) -> None:
    with _ask_for_the_export(short_timeout_port) as stalled:
        _wait_for_exports(database_url, 1)
        _wait_for_exports(database_url, 0)
        with pytest.raises(ConnectionResetError), stalled.makefile("rb") as answer:
            answer.read()
    with _ask_for_the_export(short_timeout_port) as slow:
        # Read a little at a time, for longer than the limit.
        received = b""
        for _ in range(45):
            received += slow.recv(2**17)
            time.sleep(0.1)
        with slow.makefile("rb") as answer:
            received += answer.read()
    assert len(received) > 12_000_000
    assert received.startswith(b"HTTP/1.1 200 OK")
    assert received.endswith(b"\r\n0\r\n\r\n")
