"""Serving: granian with its workers, and what surrounds it."""

import errno
import logging
import multiprocessing
import os
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import structlog
from granian import Granian
from granian.constants import Interfaces
from sqlalchemy.exc import DBAPIError

from hksz_db.database import Database, DatabaseUnusable
from hksz_db.errors import DomainError
from hksz_db.feed import note_due
from hksz_db.settings import Settings

_DRAIN_S = 20
# So many requests may be under way to a worker; HKSZ_THREADS of them are worked on at once.
_WAITING_THREADS = 256
_LINGER_S = 3
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


def check_port(settings: Settings) -> None:
    """Raise ``PortInUse`` when somebody else listens on the address, or nobody can.

    What is left of a killed server takes a moment to notice, and is waited for.
    """
    deadline = time.monotonic() + _LINGER_S
    while True:
        try:
            return _bind(settings)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise PortInUse(
                    f"Cannot listen on {settings.host}:{settings.port}: {error.strerror or error}."
                ) from None
        except UnicodeError:
            raise PortInUse(f"{settings.host[:50]!r} is not the name of a host.") from None
        time.sleep(0.1)


def _bind(settings: Settings) -> None:
    family, kind, protocol, _, address = socket.getaddrinfo(
        settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    with socket.socket(family, kind, protocol) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(address)


def serve(target: str, settings: Settings, database_url: str) -> None:
    """Serve the factory ``target`` until told to stop; requests in flight are finished.

    Returns on SIGINT and SIGTERM. The workers are processes of their own and reach the database
    at ``database_url``.
    """
    # Fresh processes: a forked one would hold on to the locks and sockets of this one.
    multiprocessing.set_start_method("spawn", force=True)
    with tempfile.TemporaryDirectory(prefix="hksz-metrics-") as folder:
        os.environ["DATABASE_URL"] = database_url
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = folder
        granian = Granian(
            target,
            address=settings.host,
            port=settings.port,
            interface=Interfaces.WSGI,
            factory=True,
            workers=settings.workers,
            blocking_threads=_WAITING_THREADS,
            workers_kill_timeout=_DRAIN_S,
            respawn_failed_workers=True,
            log_access=settings.access_log,
            websockets=False,
        )
        database = Database(
            lambda: database_url, statement_timeout_ms=settings.statement_timeout_ms
        )
        with noting_what_is_due(database):
            granian.serve()


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
        except (DatabaseUnusable, DomainError, psycopg.Error, DBAPIError) as error:
            reason = str(error).partition("\n")[0]
            if reason != logged:
                _log.warning("due_not_noted", reason=reason)
        logged = reason
        # No connection stays open from one time to the next.
        database.close()
        ended.wait(every_s)


def stop_with_parent() -> None:
    """End this worker at once when the server that started it is gone, even killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()
