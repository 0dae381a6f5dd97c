"""The gateway: an ASGI application in front of Flask, which is called by the server.

An event loop does all waiting: for bodies, for worker slots, and for clients that read a streamed
response. So a slow client does not occupy a thread.
"""

import asyncio
import io
import re
import sys
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, TypedDict, TypeVar
from urllib.parse import unquote_to_bytes

from flask import Flask, request
from werkzeug.exceptions import HTTPException

from hksz_db.api.intake import Intake, Receive
from hksz_db.api.monitoring import PUBLISHED_EVERY_S, Occupancy, publish
from hksz_db.api.ordinary_reads import OrdinaryReads
from hksz_db.api.probes import Probes
from hksz_db.api.quotas import FURTHER_HEADERS, Quotas
from hksz_db.domain.errors import Cause, DomainError, Overloaded, QuotaExceeded
from hksz_db.http.costs import Cost, cost_of
from hksz_db.settings import Settings

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Scope(TypedDict):
    """What ASGI says of a request; of the lifespan of the server, it says only the type."""

    type: str
    http_version: str
    method: str
    scheme: str
    path: str
    raw_path: bytes
    query_string: bytes
    headers: Iterable[tuple[bytes, bytes]]
    client: tuple[str, int]
    server: tuple[str, int]


Send = Callable[[Mapping[str, object]], Awaitable[None]]
_Result = TypeVar("_Result")
_Headers = list[tuple[bytes, bytes]]
_View = Callable[..., object]

READER_S = 30.0
"""A client that takes nothing of a streamed response for this long is dropped."""

REFUSED_AFTER_S = 0.25
"""A client that has used up its quota and keeps asking is answered with this delay, which costs
nothing; an answer takes twice as much of a processor as a read by id."""

LONGEST_WAIT_S = 2.0
"""How long a costly request waits for a worker slot before it is refused."""

RELEASE_WORKER_SLOT = "hksz.release_worker_slot"
"""The key of a WSGI environment that holds ``_HeldSlot.released``."""

_REFUSAL = "hksz.refusal"
_ID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ANY_ID = "00000000-0000-0000-0000-000000000000"
_VIEWS_KEPT = 1024
_LONGEST_KEPT = 200
# For closing streams, which needs no slot.
_SPARE_THREADS = 16
# What is answered from memory takes a millisecond, in which it keeps others from the interpreter.
_MEMORY_THREADS = 2
_COMMON: Mapping[str, object] = {
    "GATEWAY_INTERFACE": "CGI/1.1",
    "SCRIPT_NAME": "",
    "wsgi.errors": sys.stderr,
    "wsgi.input_terminated": True,
    "wsgi.multiprocess": True,
    "wsgi.multithread": True,
    "wsgi.run_once": False,
    "wsgi.version": (1, 0),
}


@dataclass(frozen=True)
class _Answer:
    """A response, whose body is complete or streamed."""

    status: int
    headers: _Headers
    body: bytes | Iterator[bytes]
    close: Callable[[], None]


class _Slots:
    """A number of worker slots, which are given out in the order of the requests."""

    def __init__(self, number: int) -> None:
        self._number = number
        self._free = asyncio.Semaphore(number)
        self._in_use = 0
        self._waiting = 0

    async def take(self) -> None:
        self._waiting += 1
        try:
            await self._free.acquire()
        finally:
            self._waiting -= 1
        self._in_use += 1

    def give_back(self) -> None:
        self._in_use -= 1
        self._free.release()

    @property
    def occupancy(self) -> Occupancy:
        return Occupancy(self._number, self._in_use, self._waiting)


class _HeldSlot:
    """The worker slot of one request, which can release it and take it again."""

    def __init__(self, slots: _Slots) -> None:
        self._slots = slots
        self._loop = asyncio.get_running_loop()
        self._held = False

    async def acquire(self) -> None:
        """Take the slot. Raises ``Overloaded`` if none becomes free within the longest wait."""
        try:
            async with asyncio.timeout(LONGEST_WAIT_S):
                await self.reacquire()
        except TimeoutError:
            raise Overloaded(
                "Too many costly requests at once; try again later.", Cause.COSTLY_PLACES
            ) from None

    async def reacquire(self) -> None:
        await self._slots.take()
        self._held = True

    def release(self) -> None:
        if self._held:
            self._held = False
            self._slots.give_back()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the slot during the block. Called in the thread that processes the request."""
        self._loop.call_soon_threadsafe(self.release)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self.reacquire(), self._loop).result()


class Gateway:
    """Serves a Flask app over ASGI 3.0, with the limits of the settings.

    Each request is processed in a thread, in a worker slot of the kind that the cost of its view
    needs; ``reads`` answers those that it can without the app. All but probes count for the
    ``quotas``. ``started`` is called in the main thread once the event loop runs.
    """

    def __init__(
        self,
        app: Flask,
        settings: Settings,
        *,
        started: Callable[[], None] = lambda: None,
        reads: OrdinaryReads | None = None,
        quotas: Quotas | None = None,
        reader_s: float = READER_S,
    ) -> None:
        self._app = app
        self._routes = app.url_map.bind("")
        self._started = started
        self._probes = Probes(app)
        self._reads = reads
        self._quotas = quotas
        self._reader_s = reader_s
        self._intake = Intake(settings.max_body_bytes, settings.max_bulk_bytes)
        self._known_view = lru_cache(_VIEWS_KEPT)(self._find_view)
        self._costly = _Slots(settings.costly_threads)
        # Using threads as slots saves a turn of the event loop before the next request starts.
        self._threads = {
            Cost.MEMORY: ThreadPoolExecutor(_MEMORY_THREADS, "memory"),
            Cost.METRICS: ThreadPoolExecutor(1, "metrics"),
            Cost.BOUNDED: ThreadPoolExecutor(settings.threads, "request"),
            # A request that waits for changes releases its slot but keeps its thread.
            Cost.COSTLY: ThreadPoolExecutor(
                settings.costly_threads + settings.max_waiters + _SPARE_THREADS, "costly"
            ),
        }
        # Of each kind, the calls that are being processed or wait for a thread.
        self._calls = dict.fromkeys(self._threads, 0)
        self._places = {
            Cost.MEMORY: _MEMORY_THREADS,
            Cost.METRICS: 1,
            Cost.BOUNDED: settings.threads,
        }
        app.before_request(_refuse)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or follow the lifespan of the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
            return
        environ = environ_of(scope)
        if found := self._probes.answer(environ):
            await _send(send, _Answer(200, found.headers, found.body, _nothing))
            return
        view = self._view(scope["path"], scope["method"])
        cost = _cost(view)
        body = b""
        try:
            try:
                body = await self._intake.read(environ, receive)
                environ["wsgi.input"] = io.BytesIO(body)
                if self._quotas is not None:
                    await self._quotas.count(view, environ, body)
                if cost is Cost.COSTLY:
                    await self._answer_costly(environ, receive, send)
                    return
            except DomainError as refusal:
                environ[_REFUSAL] = refusal
                cost = Cost.MEMORY
                if isinstance(refusal, QuotaExceeded):
                    await asyncio.sleep(REFUSED_AFTER_S)
            await _send(send, await self._answer(cost, environ))
        finally:
            self._intake.discard(body)

    async def _answer(self, cost: Cost, environ: "WSGIEnvironment") -> _Answer:
        lane = Cost.MEMORY if cost is Cost.PROBE else cost
        answer = await self._in_thread(lane, self._work, environ)
        answer.headers.extend(environ.get(FURTHER_HEADERS, ()))
        return answer

    async def _answer_costly(
        self, environ: "WSGIEnvironment", receive: Receive, send: Send
    ) -> None:
        """Answer in a worker slot. Raises ``Overloaded`` if none becomes free in time."""
        slot = _HeldSlot(self._costly)
        await slot.acquire()
        try:
            environ[RELEASE_WORKER_SLOT] = slot.released
            answer = await self._answer(Cost.COSTLY, environ)
            if isinstance(answer.body, bytes):
                await _send(send, answer)
            else:
                await self._stream(answer, answer.body, slot, receive, send)
        finally:
            slot.release()

    def _publish(self) -> None:
        """Set the metrics of this process, now and regularly."""
        publish(self._app, {cost.name.lower(): self.occupancy(cost) for cost in self._threads})
        asyncio.get_running_loop().call_later(PUBLISHED_EVERY_S, self._publish)

    def occupancy(self, cost: Cost) -> Occupancy:
        """How many worker slots for requests of this cost there are, are in use and are wanted."""
        if cost is Cost.COSTLY:
            return self._costly.occupancy
        places, calls = self._places[cost], self._calls[cost]
        return Occupancy(places, min(calls, places), max(calls - places, 0))

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                self._started()
                self._probes.watch()
                self._publish()
                await send({"type": "lifespan.startup.complete"})
            else:
                self._probes.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def cost(self, path: str, method: str) -> Cost:
        """The cost of a request."""
        return _cost(self._view(path, method))

    def _view(self, path: str, method: str) -> _View | None:
        # Routing takes as long as the rest of the gateway; its result does not depend on the id.
        path = _ID.sub(_ANY_ID, path)
        find = self._known_view if len(path) <= _LONGEST_KEPT else self._find_view
        return find(path, method)

    def _find_view(self, path: str, method: str) -> _View | None:
        """The view of a request; ``None`` if the response is an error, a redirect or about CORS."""
        if method == "OPTIONS":
            return None
        try:
            endpoint, _ = self._routes.match(path, method)
        except HTTPException:
            return None
        return self._app.view_functions[endpoint]

    def _work(self, environ: "WSGIEnvironment") -> _Answer:
        """Answer in a thread. The response is streamed if its length is unknown."""
        reads = None if _REFUSAL in environ else self._reads
        try:
            if reads and (found := reads.answer(environ)):
                return _Answer(200, found.headers, found.body, _nothing)
        except Exception as error:  # noqa: BLE001 # Flask answers and logs it
            environ[_REFUSAL] = error
        begun: list[tuple[int, _Headers]] = []

        def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
            encoded = [(k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers]
            begun.append((int(status[:3]), encoded))

        pieces = self._app.wsgi_app(environ, start_response)  # type: ignore[arg-type]
        close = getattr(pieces, "close", lambda: None)
        status, headers = begun[0]
        if status in {204, 304} or any(name == b"content-length" for name, _ in headers):
            try:
                body = b"".join(pieces)
            finally:
                close()
            if reads:
                reads.learn(environ, status, headers)
            return _Answer(status, headers, body, close)
        return _Answer(status, headers, iter(pieces), close)

    async def _in_thread(
        self, cost: Cost, call: Callable[..., _Result], *arguments: object
    ) -> _Result:
        loop = asyncio.get_running_loop()
        self._calls[cost] += 1
        try:
            return await loop.run_in_executor(self._threads[cost], call, *arguments)
        finally:
            self._calls[cost] -= 1

    async def _stream(
        self,
        answer: _Answer,
        pieces: Iterator[bytes],
        slot: _HeldSlot,
        receive: Receive,
        send: Send,
    ) -> None:
        """Send the pieces until the client leaves or stops reading.

        The slot is held while a piece is made, and released while it is sent.
        """
        gone = asyncio.ensure_future(_until_gone(receive))
        try:
            await send(_start(answer))
            while not gone.done():
                piece = await self._in_thread(Cost.COSTLY, next, pieces, None)
                slot.release()
                if piece is None:
                    await send({"type": "http.response.body", "body": b""})
                    return
                try:
                    async with asyncio.timeout(self._reader_s):
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                except TimeoutError:
                    return
                await slot.reacquire()
        finally:
            slot.release()
            gone.cancel()
            await self._in_thread(Cost.COSTLY, answer.close)


def _cost(view: _View | None) -> Cost:
    """The cost of a view; that of an error if there is none."""
    return Cost.MEMORY if view is None else cost_of(view)


def environ_of(scope: Scope) -> "WSGIEnvironment":
    """The WSGI environment (PEP 3333) of an HTTP request, without its body."""
    path = scope["raw_path"]
    environ: WSGIEnvironment = {
        **_COMMON,
        "REQUEST_METHOD": scope["method"],
        "PATH_INFO": (unquote_to_bytes(path) if b"%" in path else path).decode("latin-1"),
        "QUERY_STRING": scope["query_string"].decode("latin-1"),
        "SERVER_PROTOCOL": f"HTTP/{scope['http_version']}",
        "SERVER_NAME": scope["server"][0],
        "SERVER_PORT": str(scope["server"][1]),
        "REMOTE_ADDR": scope["client"][0],
        "wsgi.url_scheme": scope["scheme"],
    }
    for raw_name, raw_value in scope["headers"]:
        if b"_" in raw_name:
            # It would be taken for the header with hyphens, which a proxy may have checked or set.
            continue
        name = raw_name.decode("latin-1").upper().replace("-", "_")
        if name not in {"CONTENT_TYPE", "CONTENT_LENGTH"}:
            name = f"HTTP_{name}"
        value = raw_value.decode("latin-1")
        environ[name] = f"{environ[name]},{value}" if name in environ else value
    return environ


def _refuse() -> None:
    """Raise the error of a request that the gateway could not answer, so that Flask does."""
    refusal: Exception | None = request.environ.get(_REFUSAL)
    if refusal is not None:
        raise refusal


def _nothing() -> None:
    """Close nothing."""


def _start(answer: _Answer) -> Mapping[str, object]:
    return {
        "type": "http.response.start",
        "status": answer.status,
        "headers": answer.headers,
    }


async def _send(send: Send, answer: _Answer) -> None:
    body = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    await send(_start(answer))
    await send({"type": "http.response.body", "body": body})


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
