"""The service as it is run: Schemathesis tries to find it at odds with its OpenAPI document."""

import http.client
import itertools
import os
import socket
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from hksz_db.database import Database
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.vocabulary import Scope

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the server writes."""
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def address(database_url: str, log: Path) -> Iterator[str]:
    """Where the service is, run as it is in production; everything is committed."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "app:worker_app", "--factory", "--no-ws"]
    options = ["--interface", "wsgi", "--port", str(port), "--blocking-threads", "2"]
    environment = {**os.environ, "DATABASE_URL": database_url, "HKSZ_LOG_LEVEL": "error"}
    with log.open("w") as output:
        server = subprocess.Popen(
            [*command, *options], cwd=ROOT, env=environment, stdout=output, stderr=output
        )
        try:
            _wait_until_ready(f"http://127.0.0.1:{port}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def _wait_until_ready(address: str, server: "subprocess.Popen[bytes]") -> None:
    pause = threading.Event()
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{address}/readyz"):
                return
        except urllib.error.URLError:
            assert server.poll() is None, "the server has ended"
            pause.wait(0.05)
    raise AssertionError("the service does not get ready")


@pytest.fixture(scope="module")
def key(database_url: str) -> str:
    """A key that may do everything."""
    database = Database(lambda: database_url)
    with writing(database) as session:
        key = api_keys.create(session, "schemathesis", [Scope.ADMIN])
    database.close()
    return key


def test_the_service_does_what_it_says(address: str, key: str, log: Path, tmp_path: Path) -> None:
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    config = ["--config-file", str(ROOT / "schemathesis.toml")]
    run = ["run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    examined = subprocess.run(
        [*schemathesis, *config, *run], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert examined.returncode == 0, f"{examined.stdout}\n{examined.stderr}\n{log.read_text()}"


def test_a_body_has_an_end_however_it_is_framed(address: str, key: str) -> None:
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    document = b'{"csl_type": "report", "title": "A report"}'

    def chunks(number: int) -> Iterator[bytes]:
        yield document
        yield from itertools.repeat(b" " * 2**16, number)

    host = address.removeprefix("http://")
    for number, status in ((0, 201), (3, 201), (17, 413)):
        connection = http.client.HTTPConnection(host)
        # Without a length, in chunks: the end is not known when the first is read.
        connection.request("POST", "/v1/sources", chunks(number), head, encode_chunked=True)
        assert connection.getresponse().status == status
        connection.close()
