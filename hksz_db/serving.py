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
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.mp import MPServer

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


def listen(settings: Settings, *, unread_s: float = _UNREAD_S) -> socket.socket:
    """A socket that listens on the address of the settings; clients wait until it is served.

    No other server can listen on the address until it is closed. What is left of a killed server
    may take a moment to end, so an address in use is tried again for three seconds. Raises
    ``PortInUse`` when it stays in use or is not an address of this machine.

    A connection is dropped when its client leaves an answer unread for ``unread_s`` seconds
    (Linux only).
    """
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
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    listener = socket.socket(family, kind, protocol)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # Accepted connections inherit these two.
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if sys.platform == "linux":
            unread_ms = int(unread_s * 1000)
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, unread_ms)
        listener.bind(address)
        # With SO_REUSEADDR two sockets can be bound to one address, but only one can listen.
        listener.listen(_BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


class _Server(MPServer):
    """Granian on a socket that listens already.

    Granian can only be given an address. On Linux each of its workers then binds a socket of its
    own with SO_REUSEPORT, so that a second server can bind the same address and share the clients.
    Elsewhere its workers inherit one socket: ``_shd`` tells a worker the descriptor, and pickling
    ``_sso`` makes the worker inherit it. This class uses the second way everywhere.
    """

    def __init__(self, listener: socket.socket, target: str, **options: Any) -> None:
        super().__init__(target, backlog=_BACKLOG, **options)
        self._listener = listener

    def _init_shared_socket(self) -> None:
        backlog = (_BACKLOG,) if sys.platform == "linux" else ()
        descriptor = self._listener.fileno()
        self._shd: Any = SocketHolder(descriptor, False, *backlog)  # type: ignore[call-arg]
        self._sso = self._listener


def serve(target: str, settings: Settings, database_url: str, listener: socket.socket) -> None:
    """Serve the factory ``target`` until told to stop; requests in flight are finished.

    Returns on SIGINT and SIGTERM, and closes ``listener``, which comes from ``listen``. The workers
    are processes of their own and reach the database at ``database_url``.
    """
    # Fresh processes: a forked one would hold on to the locks and sockets of this one.
    multiprocessing.set_start_method("spawn", force=True)
    connections = _allow_connections()
    with tempfile.TemporaryDirectory(prefix="hksz-metrics-") as folder:
        os.environ["DATABASE_URL"] = database_url
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        _Server(
            listener,
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
        ).serve()


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
