"""The gateway in front of the app: worker slots, streams and their readers, the environment."""

import asyncio
import threading
from collections.abc import Coroutine, Iterator
from typing import Any

import pytest
from flask import Flask, Response, request

from hksz_db.api import gateway
from hksz_db.api.gateway import RELEASE_WORKER_SLOT, Gateway, Scope, environ_of
from hksz_db.api.operating import register_operating
from hksz_db.api.problems import register_errors
from hksz_db.database import Database
from hksz_db.http.costs import Cost, costs
from hksz_db.settings import Settings

SETTINGS = Settings(threads=1, costly_threads=1, max_waiters=2)


class Pieces:
    """A streamed body that records whether it was closed."""

    def __init__(self, number: int) -> None:
        self.left = number
        self.closed = threading.Event()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if not self.left:
            raise StopIteration
        self.left -= 1
        return b"x"

    def close(self) -> None:
        self.closed.set()


class Service:
    """An app whose views wait for events, so that a test decides which requests hold a slot."""

    def __init__(self) -> None:
        self.app = Flask(__name__, static_folder=None)
        self.app.extensions["hksz_database"] = Database(lambda: "")
        register_operating(self.app)
        register_errors(self.app)
        self.begun, self.go_on = threading.Event(), threading.Event()
        self.pieces = Pieces(3)
        for name, cost in (("list", Cost.COSTLY), ("read", Cost.BOUNDED)):
            self.app.add_url_rule(f"/{name}", name, costs(cost)(lambda: "done"))
        self.app.add_url_rule("/slow", "slow", self._slow)
        self.app.add_url_rule("/wait", "wait", self._wait)
        self.app.add_url_rule("/fail", "fail", self._fail)
        self.app.add_url_rule("/export", "export", self._export)

    @costs(Cost.COSTLY)
    def _slow(self) -> str:
        self.begun.set()
        assert self.go_on.wait(20)
        return "done"

    @costs(Cost.COSTLY)
    def _wait(self) -> str:
        with request.environ[RELEASE_WORKER_SLOT]():
            return self._slow()

    @costs(Cost.COSTLY)
    def _fail(self) -> str:
        with request.environ[RELEASE_WORKER_SLOT]():
            raise RuntimeError

    @costs(Cost.COSTLY)
    def _export(self) -> Response:
        return Response(self.pieces)


class Client:
    """Calls a gateway like a server that received a request without a body."""

    def __init__(self, gateway: Gateway) -> None:
        self.gateway = gateway
        self.left = asyncio.Event()
        self.takes = asyncio.Event()
        self.takes.set()
        self.sent: list[Any] = []

    async def get(self, path: str, *headers: tuple[bytes, bytes]) -> tuple[int, bytes]:
        await self.gateway(scope(path, b"", *headers), self._receive, self._send)
        body = b"".join(message["body"] for message in self.sent[1:])
        return self.sent[0]["status"], body

    async def _receive(self):
        await self.left.wait()
        return {"type": "http.disconnect"}

    async def _send(self, message):
        if message.get("more_body"):
            await self.takes.wait()
        self.sent.append(message)


def scope(path: str, query: bytes = b"", *headers: tuple[bytes, bytes]) -> Scope:
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query,
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1234),
        "headers": list(headers),
    }


def run(test: Coroutine[Any, Any, None]) -> None:
    """Run a test with a time limit."""
    asyncio.run(asyncio.wait_for(test, 30))


async def until(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, 20)


@pytest.fixture
def service() -> Service:
    return Service()


def test_a_costly_request_leaves_slots_for_others(service: Service) -> None:
    async def ask() -> None:
        served = Gateway(service.app, SETTINGS)
        slow = asyncio.create_task(Client(served).get("/slow"))
        await until(service.begun)
        for path in ("/read", "/healthz", "/metrics", "/nothing"):
            assert (await Client(served).get(path))[0] in {200, 404}
        service.go_on.set()
        assert await slow == (200, b"done")

    run(ask())


def test_a_costly_request_waits_briefly_and_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway, "LONGEST_WAIT_S", 0.1)

    async def ask() -> None:
        served = Gateway(service.app, SETTINGS)
        slow = asyncio.create_task(Client(served).get("/slow"))
        await until(service.begun)
        client = Client(served)
        status, body = await client.get("/list")
        assert status == 503
        assert b"Too many costly requests at once; try again later." in body
        assert int(dict(client.sent[0]["headers"])[b"retry-after"]) > 0
        service.go_on.set()
        await slow
        assert await Client(served).get("/list") == (200, b"done")

    run(ask())


def test_a_waiting_costly_request_gets_the_next_free_slot(service: Service) -> None:
    async def ask() -> None:
        served = Gateway(service.app, SETTINGS)
        slow = asyncio.create_task(Client(served).get("/slow"))
        await until(service.begun)
        waiting = asyncio.create_task(Client(served).get("/list"))
        await asyncio.sleep(0.1)
        assert not waiting.done()
        service.go_on.set()
        assert await waiting == (200, b"done")
        await slow

    run(ask())


def test_a_request_that_waits_for_changes_holds_no_slot(service: Service) -> None:
    async def ask() -> None:
        served = Gateway(service.app, SETTINGS)
        waiting = asyncio.create_task(Client(served).get("/wait"))
        await until(service.begun)
        assert await Client(served).get("/list") == (200, b"done")
        service.go_on.set()
        assert await waiting == (200, b"done")
        assert await Client(served).get("/list") == (200, b"done")

    run(ask())


def test_a_slot_is_released_after_an_error(service: Service) -> None:
    async def ask() -> None:
        served = Gateway(service.app, SETTINGS)
        for _ in range(3):
            assert (await Client(served).get("/fail"))[0] == 500

    run(ask())


def test_a_stalled_stream_holds_no_slot(service: Service) -> None:
    async def ask() -> None:
        served = Gateway(service.app, SETTINGS)
        client = Client(served)
        client.takes.clear()
        export = asyncio.create_task(client.get("/export"))
        while service.pieces.left == 3:
            await asyncio.sleep(0.01)
        assert await Client(served).get("/list") == (200, b"done")
        client.takes.set()
        assert await export == (200, b"xxx")
        assert service.pieces.closed.is_set()

    run(ask())


def test_a_stalled_stream_times_out(service: Service) -> None:
    async def ask() -> None:
        served = Gateway(service.app, SETTINGS, reader_s=0.1)
        client = Client(served)
        client.takes.clear()
        await client.get("/export")
        assert service.pieces.closed.is_set()
        assert service.pieces.left == 2
        # The response that was sent is visibly incomplete.
        assert [message["type"] for message in client.sent] == ["http.response.start"]

    run(ask())


def test_a_client_that_disconnects_ends_the_stream(service: Service) -> None:
    service.pieces = Pieces(10**9)

    async def ask() -> None:
        client = Client(Gateway(service.app, SETTINGS))
        export = asyncio.create_task(client.get("/export"))
        while len(client.sent) < 3:
            await asyncio.sleep(0.01)
        client.left.set()
        await export
        assert service.pieces.closed.is_set()

    run(ask())


def test_the_environment_has_the_path_and_headers_of_the_request() -> None:
    headers = [
        (b"content-type", b"text/plain"),
        (b"x-request-id", b"a"),
        (b"x_request_id", b"forged"),
        (b"accept", b"a"),
        (b"accept", b"\xe4"),
    ]
    environ = environ_of(scope("/v1/a%2Fb%C3%A9%FF", b"q=%20", *headers))
    # The bytes of the path, one character each (PEP 3333).
    assert environ["PATH_INFO"] == "/v1/a/b\xc3\xa9\xff"
    assert environ["QUERY_STRING"] == "q=%20"
    assert environ["CONTENT_TYPE"] == "text/plain"
    assert "HTTP_CONTENT_TYPE" not in environ
    assert environ["HTTP_X_REQUEST_ID"] == "a"
    assert environ["HTTP_ACCEPT"] == "a,\xe4"
    assert (environ["SERVER_NAME"], environ["SERVER_PORT"]) == ("127.0.0.1", "80")
