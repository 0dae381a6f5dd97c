"""The servers that are measured, as separate processes."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from benchmarks.orm_service import DATABASE_URL, THREADS
from benchmarks.questions import Ask

_WORKERS = os.cpu_count() or 1  # as many as the service has
_PEER_CONNECTIONS = 2  # of each worker, which has as many threads in the service
HOST = "127.0.0.1"
_ROOT = Path(__file__).resolve().parents[1]
_PEERS = Path(__file__).with_name("peers")
_PATIENCE_S = 60
_STOP_S = 30


class NotServing(RuntimeError):
    """A server did not start or answered with an error; the message has the details."""


@dataclass(frozen=True)
class Server:
    """A running server; ``key`` is sent with every request."""

    name: str
    port: int
    key: str
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The URL of the server."""
        return f"http://{HOST}:{self.port}"

    def processes(self) -> list[int]:
        """The ids of its processes: the main process and its children."""
        assert self.process is not None
        first = self.process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text(encoding="ascii")
        return [first, *map(int, children.split())]

    def answer(self, ask: Ask) -> Any:
        """The JSON document of an answer. Raises ``NotServing`` for any status but 2xx."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=_PATIENCE_S)
        try:
            headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
            body = None if ask.body is None else json.dumps(ask.body)
            connection.request(ask.method, ask.path, body, headers)
            response = connection.getresponse()
            text = response.read().decode()
        finally:
            connection.close()
        if not 200 <= response.status < 300:
            raise NotServing(f"{self.name} answers {ask.path} with {response.status}: {text}")
        return json.loads(text)


@contextmanager
def this_service(url: str, key: str, folder: Path) -> Iterator[Server]:
    """The service, started by ``python app.py``."""
    port = _free_port()
    settings = {
        "DATABASE_URL": url,
        "HKSZ_HOST": HOST,
        "HKSZ_PORT": str(port),
        "HKSZ_LIMIT_KEY": "0",
    }
    command = [sys.executable, "app.py"]
    with _started(Server("this service", port, key), command, settings, folder) as server:
        yield server


@contextmanager
def orm_service(url: str, key: str, folder: Path) -> Iterator[Server]:
    """The same answers from ORM objects and marshmallow, served by gunicorn with threads."""
    port = _free_port()
    command = [
        *(sys.executable, "-m", "gunicorn", "--bind", f"{HOST}:{port}"),
        *("--worker-class", "gthread", "--workers", str(_WORKERS)),
        *("--threads", str(THREADS), "benchmarks.orm_service:create_app()"),
    ]
    settings = {DATABASE_URL: url}
    with _started(Server("the ORM", port, key), command, settings, folder) as server:
        yield server


@contextmanager
def fastapi_peer(url: str, statements: Path, folder: Path) -> Iterator[Server]:
    """The same reads by FastAPI and asyncpg, served by uvicorn."""
    port = _free_port()
    command = [
        *(sys.executable, "-m", "uvicorn", "--host", HOST, "--port", str(port)),
        *("--workers", str(_WORKERS), "--no-access-log", "benchmarks.peers.fastapi_peer:app"),
    ]
    settings = _peer_settings(url, statements)
    with _started(Server("FastAPI", port, ""), command, settings, folder) as server:
        yield server


@contextmanager
def fastify_peer(url: str, statements: Path, folder: Path) -> Iterator[Server]:
    """The same reads by Fastify and node-postgres, served by a cluster of processes."""
    port = _free_port()
    program = folder / "fastify"
    shutil.copytree(_PEERS, program)
    # At the versions of package-lock.json.
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(install, cwd=program, check=True, capture_output=True, text=True)
    command = ["node", str(program / "fastify_peer.js")]
    settings = {**_peer_settings(url, statements), "HOST": HOST, "PORT": str(port)}
    with _started(Server("Fastify", port, ""), command, settings, folder) as server:
        yield server


def _peer_settings(url: str, statements: Path) -> Mapping[str, str]:
    connections = str(_PEER_CONNECTIONS)
    return {"DATABASE_URL": url, "STATEMENTS": str(statements), "CONNECTIONS": connections}


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as listener:
        return int(listener.getsockname()[1])


@contextmanager
def _started(
    server: Server, command: Sequence[str], settings: Mapping[str, str], folder: Path
) -> Iterator[Server]:
    # The settings of a service on this machine must not affect this one.
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HKSZ_", "DATABASE_URL"))}
    log = folder / f"{server.port}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=_ROOT, env={**kept, **settings}, stdout=output, stderr=output
        )
    try:
        _wait_until_it_answers(server, process, log)
        yield replace(server, process=process)
    finally:
        process.terminate()
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_it_answers(server: Server, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while process.poll() is None and time.monotonic() < deadline:
        connection = http.client.HTTPConnection(HOST, server.port, timeout=_PATIENCE_S)
        try:
            # Any status is fine. A connection is not enough, because a server may listen early.
            connection.request("HEAD", "/")
            connection.getresponse()
        except (OSError, http.client.HTTPException):
            time.sleep(0.05)
        else:
            return
        finally:
            connection.close()
    end = "\n".join(log.read_text(errors="replace").splitlines()[-10:])
    raise NotServing(f"{server.name} did not start:\n{end}")
