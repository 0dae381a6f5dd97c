"""The server: one to an address, on a socket that its workers share."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any
from urllib.parse import quote

import psycopg
import pytest

from hksz_db.serving import PortInUse, listen
from hksz_db.settings import Settings

ROOT = Path(__file__).parents[1]
NAME = "a b+c&d=%41"
PATIENCE = 30.0  # seconds until a test gives up; none waits that long if all is well


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
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=PATIENCE) as answer:
        return json.load(answer)


def _wait_until_it_answers(port: int) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            _get(port)
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the server does not answer")


def test_an_address_in_use_is_one_sentence_before_anything_is_begun(tmp_path):
    home = tmp_path / "home"
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        finished = subprocess.run(
            [sys.executable, "app.py"],
            cwd=ROOT,
            env={**os.environ, "HKSZ_HOME": str(home), "HKSZ_PORT": str(port)},
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
    sentence = f"hksz: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    assert (finished.returncode, finished.stdout, finished.stderr) == (1, "", sentence)
    assert not home.exists()


def test_the_second_of_two_servers_started_at_once_ends(tmp_path, database_url):
    port = _free_port()
    settings = {"DATABASE_URL": database_url, "HKSZ_PORT": str(port)}
    logs = [tmp_path / "first", tmp_path / "second"]
    with (
        logs[0].open("w") as one,
        logs[1].open("w") as two,
        _started(one, "app.py", "serve", **settings) as first,
        _started(two, "app.py", "serve", **settings) as second,
    ):
        deadline = time.monotonic() + PATIENCE
        while first.poll() is second.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        ended = [process.poll() for process in (first, second)]
        assert sorted(map(str, ended)) == ["1", "None"]
        _wait_until_it_answers(port)
    sentence = f"hksz: Cannot listen on 127.0.0.1:{port}: Address already in use.\n"
    assert logs[ended.index(1)].read_text() == sentence


def test_no_other_socket_can_bind_the_address_while_it_is_held():
    with listen(Settings(port=_free_port())) as listener, socket.socket() as other:
        for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
            other.setsockopt(socket.SOL_SOCKET, option, 1)
        with pytest.raises(OSError, match="in use"):
            other.bind(listener.getsockname())


def test_what_is_left_of_a_killed_server_is_waited_for():
    with socket.create_server(("127.0.0.1", 0)) as old:
        port = old.getsockname()[1]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("hksz_db.serving.time.sleep", lambda _: old.close())
            listen(Settings(port=port)).close()


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid", "x" * 70])
def test_an_address_of_no_interface_is_one_sentence(host):
    with pytest.raises(PortInUse, match=r"^[^\n]+\.$"):
        listen(Settings(host=host))


@pytest.fixture(scope="module")
def served(tmp_path_factory, database_url) -> Iterator[tuple[int, int]]:
    """The port and the process of a server with one worker, as ``app.py`` starts it."""
    port = _free_port()
    # The first of two hosts is absent, and there are characters that mean something in a URL.
    url = database_url.replace("host=", f"application_name={quote(NAME)}&host=%2Fabsent,")
    settings = {"DATABASE_URL": url, "HKSZ_PORT": str(port)}
    with (tmp_path_factory.mktemp("served") / "log").open("w") as log:
        with _started(log, "app.py", "serve", **settings) as server:
            _wait_until_it_answers(port)
            yield port, server.pid
        assert server.returncode == 0


def _worker(server: int) -> int:
    """The process that has the connections; beside it multiprocessing keeps one of its own."""
    children = Path(f"/proc/{server}/task/{server}/children").read_text().split()
    (worker,) = [
        int(child)
        for child in children
        if b"resource_tracker" not in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    return worker


def test_a_worker_in_place_of_a_killed_one_answers_on_the_same_socket(served):
    port, server = served
    killed = _worker(server)
    os.kill(killed, signal.SIGKILL)
    while Path(f"/proc/{killed}").exists():
        time.sleep(0.005)
    # Not refused, even while no worker is there.
    assert _get(port) == {"status": "ok"}
    assert _worker(server) != killed


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc/net/tcp")
def test_all_workers_listen_on_one_socket(served):
    port, _ = served
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    listening = [row for row in rows if row[1].endswith(f":{port:04X}") and row[3] == "0A"]
    assert len(listening) == 1


def test_workers_get_the_url_as_it_was_given(served, database_url):
    port, _ = served
    assert _get(port, "/v1/units")["data"] == []
    with psycopg.connect(database_url) as connection:
        names = connection.execute(
            "SELECT DISTINCT application_name FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchall()
    assert names == [(NAME,)]
