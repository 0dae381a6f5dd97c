"""The service as it is run: Schemathesis tries to find it at odds with its OpenAPI document."""

import http.client
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_the_service_does_what_it_says(
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
