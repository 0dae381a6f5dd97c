"""Schemathesis looks for differences between a running service and its OpenAPI document."""

import http.client
import itertools
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]


def test_the_service_conforms_to_its_openapi_document(
    address: str, key: str, server_log: Path, tmp_path: Path
) -> None:
    schemathesis = [sys.executable, "-m", "schemathesis.cli", "--no-color"]
    config = ["--config-file", str(ROOT / "schemathesis.toml")]
    run = ["run", f"{address}/openapi.json", "--header", f"Authorization: Bearer {key}"]
    examined = subprocess.run(
        [*schemathesis, *config, *run], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert examined.returncode == 0, (
        f"{examined.stdout}\n{examined.stderr}\n{server_log.read_text()}"
    )


def test_a_body_has_a_maximum_size_with_any_framing(address: str, key: str) -> None:
    head = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    document = b'{"csl_type": "report", "title": "A report"}'

    def chunks(number: int) -> Iterator[bytes]:
        yield document
        yield from itertools.repeat(b" " * 2**16, number)

    host = address.removeprefix("http://")
    for number, status in ((0, 201), (3, 201), (17, 413)):
        connection = http.client.HTTPConnection(host)
        # In chunks, without a length: the size is unknown when the first one is read.
        connection.request("POST", "/v1/sources", chunks(number), head, encode_chunked=True)
        assert connection.getresponse().status == status
        connection.close()


@pytest.fixture
def _many_rows(database_url: str) -> Iterator[None]:
    """More rows than fit into any buffer."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute(
            "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
            " SELECT 'k' || n, repeat('x', 4000), 'count', 'flow', true"
            " FROM generate_series(1, 8000) AS n"
        )
        yield
        connection.execute("DELETE FROM metrics WHERE length(label) = 4000")


@pytest.mark.usefixtures("_many_rows")
def test_abandoned_exports_release_their_connections(address: str, database_url: str) -> None:
    exporting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND backend_type = 'client backend' AND state = 'active' AND query ~ 'ordered'"
        " AND pid <> pg_backend_pid()"
    )
    pause = threading.Event()

    def ask() -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=30)
        connection.request("GET", "/v1/metrics/export")
        return connection, connection.getresponse()

    def begin() -> tuple[http.client.HTTPConnection, http.client.HTTPResponse]:
        for _ in range(500):
            connection, answer = ask()
            if answer.status == 200:
                return connection, answer
            # The server has yet to notice the closed connections.
            assert answer.status == 503
            connection.close()
            pause.wait(0.02)
        raise AssertionError("no place gets free")

    with psycopg.connect(database_url, autocommit=True) as watching:
        for _ in range(2):
            # As many as may run at once; the client reads only the beginning of each.
            left = [begin() for _ in range(2)]
            assert watching.execute(exporting).fetchall() == [(2,)]
            connection, refused = ask()
            assert refused.status == 503
            connection.close()
            with urllib.request.urlopen(f"{address}/v1/metrics?per_page=1") as other:
                assert other.status == 200
            for connection, answer in left:
                answer.close()
                connection.close()
            for _ in range(1000):
                if watching.execute(exporting).fetchall() == [(0,)]:
                    break
                pause.wait(0.01)
            else:
                raise AssertionError("the statements go on")
        connection, answer = begin()
        assert answer.read().count(b"\n") > 8000
        connection.close()
