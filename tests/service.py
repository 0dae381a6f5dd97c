"""A service that runs as in production, for tests that need an address."""

import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]


@contextmanager
def running_service(database_url: str, log: Path) -> Iterator[str]:
    """Serve a database while the block runs, and give the URL of the service."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "app:worker_app", "--factory", "--no-ws"]
    options = ["--interface", "asgi", "--port", str(port)]
    settings = {"HKSZ_LOG_LEVEL": "error", "HKSZ_FOUR_EYES": "false", "HKSZ_LIMIT_KEY": "0"}
    environment = {**os.environ, "DATABASE_URL": database_url, **settings}
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
        except OSError:
            assert server.poll() is None, "the server has ended"
            pause.wait(0.05)
    raise AssertionError("the service does not get ready")
