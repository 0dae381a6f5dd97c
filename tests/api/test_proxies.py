"""Behind a proxy: the service has another address than clients see, and tags become weak."""

import gzip
import json
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from email.message import Message
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Client

pytestmark = pytest.mark.slow

# Debian's is not on the path of every user.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")
CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/pid;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/client;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    gzip on;
    gzip_types application/json;
    server {{
        listen 127.0.0.1:{port};
        location / {{
            proxy_pass {address};
            proxy_redirect off;
        }}
    }}
}}
"""


@pytest.mark.parametrize(
    ("path", "query", "location"),
    [
        ("/docs", "", "/docs/"),
        ("/docs", "a=1&b=%2F", "/docs/?a=1&b=%2F"),
        ("//docs//", "", "/docs/"),
        ("//v1//claims", "q=a//b", "/v1/claims?q=a//b"),
    ],
)
@pytest.mark.parametrize("host", ["localhost", "claims.example.org:8443", "127.0.0.1"])
def test_a_redirect_is_relative(
    reader: Client, path: str, query: str, location: str, host: str
) -> None:
    headers = {"Host": host, "X-Forwarded-Proto": "https", "X-Forwarded-Host": "example.com"}
    # Werkzeug's client would read two leading slashes as the beginning of a host.
    asked = {"PATH_INFO": path, "QUERY_STRING": query}
    answer = reader.send("GET", "/", headers=headers, environ_overrides=asked)
    assert answer.status_code == 308
    assert answer.headers["Location"] == location


@pytest.fixture
def proxied(address: str, tmp_path: Path) -> Iterator[str]:
    """The URL of an nginx that compresses the answers of the service."""
    if NGINX is None:
        (pytest.fail if "CI" in os.environ else pytest.skip)("nginx is not installed")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    configuration = tmp_path / "nginx.conf"
    configuration.write_text(CONFIGURATION.format(folder=tmp_path, port=port, address=address))
    command = [NGINX, "-p", str(tmp_path), "-c", str(configuration), "-e", "stderr"]
    with subprocess.Popen(command) as nginx:
        try:
            _wait_until_it_listens(port, nginx)
            yield f"http://127.0.0.1:{port}"
        finally:
            nginx.terminate()


def _wait_until_it_listens(port: int, nginx: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        assert nginx.poll() is None, "nginx has ended"
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError("nginx does not listen")


def _ask(method: str, url: str, body: Any = None, **headers: str) -> tuple[int, Message, bytes]:
    """Return status, headers and body of an answer, which may be an error."""
    data = None if body is None else json.dumps(body).encode()
    asked = urllib.request.Request(url, data, headers, method=method)
    try:
        with urllib.request.urlopen(asked) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read()


def test_a_row_that_was_read_compressed_can_be_changed(proxied: str, key: str) -> None:
    authorization = f"Bearer {key}"
    accepted = {"Accept-Encoding": "gzip"}
    status, _, found = _ask("GET", f"{proxied}/v1/sources?per_page=1&select=id")
    assert status == 200
    url = f"{proxied}/v1/sources/{json.loads(found)['data'][0]['id']}"

    status, headers, body = _ask("GET", url, **accepted)
    assert (status, headers["Content-Encoding"]) == (200, "gzip")
    source, tag = json.loads(gzip.decompress(body)), headers["ETag"]
    assert tag.startswith(f'W/"{source["version"]}-')

    condition = {"If-None-Match": tag}
    assert _ask("GET", url, **accepted, **condition)[0] == 304

    change = {
        "Authorization": authorization,
        "Content-Type": "application/merge-patch+json",
        "If-Match": tag,
    }
    status, _, body = _ask("PATCH", url, {"rights": "a"}, **change)
    assert (status, json.loads(body)["version"]) == (200, source["version"] + 1)

    # The tag is now that of an earlier version.
    status, _, body = _ask("PATCH", url, {"rights": "b"}, **change)
    assert status == 412
    assert f"is at version {source['version'] + 1}," in json.loads(body)["detail"]
