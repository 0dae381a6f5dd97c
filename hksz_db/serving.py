"""Serving: granian with its workers, and what surrounds it."""

import errno
import logging
import multiprocessing
import os
import resource
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.mp import MPServer, WorkerProcess

from hksz_db.database import Database
from hksz_db.feed.due import note_due
from hksz_db.settings import Settings

_DRAIN_S = 20
# So many clients may be connected to a worker; the others wait until it accepts them.
_CONNECTIONS = 2048
# What else a worker opens: connections to the database, files, pipes.
_OTHER_DESCRIPTORS = 512
_LINGER_S = 3
_BACKLOG = 1024
# How long a client may leave an answer unread before the kernel drops its connection.
_UNREAD_S = 30
_log = structlog.get_logger(__name__)


class PortInUse(RuntimeError):
    """The address cannot be listened on; the message is one sentence for an operator."""


def configure_logging(settings: Settings) -> None:
    """Log to standard error, for people or for machines."""
    renderer: structlog.typing.Processor
    if settings.log_format == "json":
        renderer = structlog.processors.JSONRenderer()
    else:
        renderer = structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[settings.log_level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


@contextmanager
def listening(
    settings: Settings, *, unread_s: float = _UNREAD_S
) -> Iterator[Sequence[socket.socket]]:
    """A socket for each worker, all listening on the address of the settings.

    Clients that connect before they are served wait. A second server is refused until the block
    ends. What is left of a killed server may take a moment to end, so an address in use is tried
    again for three seconds. Raises ``PortInUse`` when it stays in use or is not an address of this
    machine.

    A connection is dropped when its client leaves an answer unread for ``unread_s`` seconds
    (Linux only; tcp(7), TCP_USER_TIMEOUT). The kernel notices reading only when the receive window
    reopens: within 30 seconds a client must read about 100 kB.
    """
    with ExitStack() as stack:
        yield _listeners(settings, unread_s, stack)


def _listeners(settings: Settings, unread_s: float, stack: ExitStack) -> Sequence[socket.socket]:
    first = stack.enter_context(_only_listener(settings, unread_s))
    if sys.platform != "linux":
        return [first] * settings.workers
    # If the workers accepted from one socket, one of them could get all connections of a proxy. The
    # kernel spreads them over sockets with SO_REUSEPORT. A second server cannot join these, since
    # it begins with a socket without that option, which cannot be bound while others listen.
    others = []
    if settings.workers > 1:
        first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    for _ in range(settings.workers - 1):
        other = stack.enter_context(_socket(first.family, unread_s))
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        other.bind(first.getsockname())
        other.listen(_BACKLOG)
        others.append(other)
    return [first, *others]


def _only_listener(settings: Settings, unread_s: float) -> socket.socket:
    deadline = time.monotonic() + _LINGER_S
    while True:
        try:
            return _listen(settings, unread_s)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise PortInUse(
                    f"Cannot listen on {settings.host}:{settings.port}: {error.strerror or error}."
                ) from None
        except UnicodeError:
            raise PortInUse(f"{settings.host[:50]!r} is not the name of a host.") from None
        time.sleep(0.1)


def _listen(settings: Settings, unread_s: float) -> socket.socket:
    family, *_, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with ExitStack() as stack:
        listener = stack.enter_context(_socket(family, unread_s))
        listener.bind(address)
        # With SO_REUSEADDR two sockets can be bound to one address, but only one can listen.
        listener.listen(_BACKLOG)
        stack.pop_all()
    return listener


def _socket(family: int, unread_s: float) -> socket.socket:
    """A socket whose connections inherit its options."""
    made = socket.socket(family, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unread_s * 1000))
    return made


class _Server(MPServer):
    """Granian on sockets that listen already.

    Granian can only be given an address. On Linux each of its workers then binds a socket of its
    own with SO_REUSEPORT, before which nothing holds the address, and which ends with the worker.
    Elsewhere its workers inherit one socket: ``_shd`` tells a worker the descriptor, and pickling
    ``_sso`` makes the worker inherit it. This class uses the second way everywhere, with a socket
    for each worker, which the worker in place of a failed one inherits again.
    """

    def __init__(self, listeners: Sequence[socket.socket], target: str, **options: Any) -> None:
        super().__init__(target, backlog=_BACKLOG, **options)
        self._listeners = listeners

    def _init_shared_socket(self) -> None:
        """Bind nothing."""

    def _spawn_worker(  # type: ignore[override]  # Granian's own classes differ here
        self, idx: int, target: Any, callback_loader: Any
    ) -> WorkerProcess:
        backlog = (_BACKLOG,) if sys.platform == "linux" else ()
        self._sso = self._listeners[idx]
        self._shd: Any = SocketHolder(self._sso.fileno(), False, *backlog)  # type: ignore[call-arg]
        return super()._spawn_worker(idx, target, callback_loader)

    def _drop_shared_socket(self) -> None:
        for listener in self._listeners:
            listener.close()


def serve(
    target: str, settings: Settings, database_url: str, listeners: Sequence[socket.socket]
) -> None:
    """Serve the factory ``target`` until told to stop; requests in flight are finished.

    Returns on SIGINT and SIGTERM, and closes the listeners, which come from ``listening``. The
    workers are processes of their own and reach the database at ``database_url``.
    """
    # Fresh processes: a forked one would hold on to the locks and sockets of this one.
    multiprocessing.set_start_method("spawn", force=True)
    connections = _allow_connections()
    with tempfile.TemporaryDirectory(prefix="hksz-metrics-") as folder:
        os.environ["DATABASE_URL"] = database_url
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        server = _Server(
            listeners,
            target,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.ASGI,
            factory=True,
            workers=settings.workers,
            backpressure=connections,
            workers_kill_timeout=_DRAIN_S,
            respawn_failed_workers=True,
            log_access=settings.access_log,
            websockets=False,
        )
        database = Database(
            lambda: database_url, statement_timeout_ms=settings.statement_timeout_ms
        )
        with noting_what_is_due(database):
            server.serve()


@contextmanager
def noting_what_is_due(database: Database, every_s: float = 60) -> Iterator[None]:
    """Note which planned claims have fallen due, at once and then regularly, during the block.

    A thread of its own does it, which outlives neither the block nor the process. When the database
    does not answer or cannot be written, it logs a warning, once for each reason, and goes on.
    Several processes may do it on one database.
    """
    ended = threading.Event()
    thread = threading.Thread(
        target=_note_due_until, args=(ended, database, every_s), name="due-dates", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # A database that does not answer is not waited for: the thread is a daemon.
        thread.join(timeout=1)


def _note_due_until(ended: threading.Event, database: Database, every_s: float) -> None:
    logged = ""
    while not ended.is_set():
        reason = ""
        try:
            note_due(database)
        except Exception as error:  # noqa: BLE001  # the thread must outlive any failure
            reason = str(error).partition("\n")[0]
            if reason != logged:
                _log.warning("due_not_noted", reason=reason)
        logged = reason
        # No connection stays open from one time to the next.
        database.close()
        ended.wait(every_s)


def _allow_connections() -> int:
    """How many connections a worker can accept; the limit of descriptors is raised for them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _OTHER_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _CONNECTIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    # At least one: granian takes no other number.
    return max(1, allowed - _OTHER_DESCRIPTORS)


def stop_with_parent() -> None:
    """End this worker at once when the server that started it is gone, even killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
