"""Serving: granian and its workers, their sockets, and work in the background."""

import errno
import gc
import math
import multiprocessing
import os
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import structlog
from granian.constants import Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]
from granian.server.mp import MPServer, WorkerProcess

from hksz_db.database import Database
from hksz_db.feed.due import note_due
from hksz_db.feed.horizons import record_horizon
from hksz_db.feed.listener import ChangeListener
from hksz_db.logs import standard_logging
from hksz_db.services.work import JOBS, work_once
from hksz_db.settings import Settings, variable

_DRAIN_S = 20
# The maximum number of clients connected to a worker; others wait until it accepts them.
_CONNECTIONS = 2048
# For what a worker opens otherwise: connections to the database, files, pipes.
_OTHER_DESCRIPTORS = 512
_BIND_TIMEOUT_S = 3
_BACKLOG = 1024
# How long a new worker has to start before the one that it replaces ends, after SIGHUP. On a busy
# machine, the 3.5 seconds of granian are too short: for a while, no worker would answer.
_HANDOVER_S = 15
# How long a client may leave an answer unread before the kernel drops its connection.
_UNREAD_S = 30
# How long a thread computes before others that wait for the interpreter get their turn. By default
# it is five milliseconds for each of those that compete.
_SWITCH_S = 0.001
_NEW_OBJECTS = 2_000
_OLDEST = 2
_MOST_OLD_OBJECTS = 15_000
_MOST_EXEMPTIONS = 20
# A worker that fails by itself sooner after a replacement cannot start.
_YOUNG_S = 10
_log = structlog.get_logger(__name__)


class PortInUse(RuntimeError):
    """The server cannot listen on the address; the message is one sentence for an operator."""


@contextmanager
def listening(
    settings: Settings, *, unread_s: float = _UNREAD_S
) -> Iterator[Sequence[socket.socket]]:
    """Listen on the address of the settings with a socket for each worker.

    Clients that connect before the workers serve them wait. A second server cannot listen until the
    block ends. The workers of a killed server may take a moment to end, so an address in use is
    tried again for three seconds. Raises ``PortInUse`` when it stays in use or is not an address of
    this machine.

    A connection is dropped when its client leaves an answer unread for ``unread_s`` seconds
    (Linux only; tcp(7), TCP_USER_TIMEOUT). The kernel notices reading only when the receive window
    reopens: within 30 seconds a client must read about 100 kB.
    """
    with ExitStack() as stack:
        first = stack.enter_context(_exclusive_listener(settings, unread_s))
        if sys.platform != "linux":
            yield [first] * settings.workers
            return
        # If the workers accepted from one socket, one of them could get all connections of a proxy.
        # The kernel spreads them over sockets with SO_REUSEPORT. A second server cannot join these,
        # because it begins with a socket without that option, which cannot be bound while others
        # listen.
        listeners = [first]
        if settings.workers > 1:
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        for _ in range(settings.workers - 1):
            other = stack.enter_context(_socket(first.family, unread_s))
            other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            other.bind(first.getsockname())
            other.listen(_BACKLOG)
            listeners.append(other)
        yield listeners


def _exclusive_listener(settings: Settings, unread_s: float) -> socket.socket:
    deadline = time.monotonic() + _BIND_TIMEOUT_S
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
    """Return a socket whose connections inherit its options."""
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if sys.platform == "linux":
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(unread_s * 1000))
    return listener


class _Server(MPServer):
    """Granian on sockets that already listen.

    Granian accepts only an address. On Linux, each of its workers then binds its own socket with
    SO_REUSEPORT: nothing holds the address before, and the socket ends with the worker. On other
    systems, its workers inherit one socket: ``_shd`` tells a worker the descriptor, and pickling
    ``_sso`` makes the worker inherit it. This class lets workers inherit sockets everywhere, one
    for each worker, and again for the worker that replaces a failed one.

    It also replaces workers however often they are killed.
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

    def _serve_loop(self, spawn_target: Any, target_loader: Any) -> None:
        """Replace workers that have ended, until the server is told to end or one cannot start.

        Granian's own loop gives up when a worker ends soon after it has replaced another, and so
        does a worker that is killed.
        """
        while not self.interrupt_signal:
            self.main_loop_interrupt.wait()
            self.main_loop_interrupt.clear()
            if self.reload_signal:
                self._reload(spawn_target, target_loader)  # type: ignore[no-untyped-call]
            while self.interrupt_children and not self.interrupt_signal:
                ended = self.interrupt_children[0]
                if self._cannot_start(ended):
                    _log.error("worker_cannot_start", worker=ended + 1)
                    return
                # Only now: granian's exit code is 1 if any is left.
                self.interrupt_children.pop(0)
                self._respawn_workers([ended], spawn_target, target_loader)

    def _cannot_start(self, idx: int) -> bool:
        """Whether the worker has failed by itself soon after it has replaced another.

        A worker ends with 0 after SIGTERM, and with a negative code after any other signal.
        """
        replaced_at = self.respawned_wrks.get(idx, -math.inf)
        is_young = time.monotonic() - replaced_at < _YOUNG_S
        return is_young and (self.wrks[idx].inner.exitcode or 0) > 0


def serve(
    target: str, settings: Settings, database_url: str, listeners: Sequence[socket.socket]
) -> None:
    """Serve the factory ``target`` until SIGINT or SIGTERM; requests in flight are finished.

    Closes the listeners, which come from ``listening``. The workers are separate processes and
    connect to the database at ``database_url``.
    """
    # Spawned, because a forked process would keep the locks and sockets of this one.
    multiprocessing.set_start_method("spawn", force=True)
    connections = _allow_connections()
    with tempfile.TemporaryDirectory(prefix="hksz-metrics-") as folder:
        os.environ["DATABASE_URL"] = database_url
        # Their defaults depend on the URL, which the workers always have.
        os.environ[variable("four_eyes")] = str(settings.needs_four_eyes).lower()
        os.environ[variable("cors_origins")] = " ".join(settings.shared_origins) or "none"
        os.environ[variable("limit_address")] = str(settings.units_of_address)
        os.environ[variable("limit_key")] = str(settings.units_of_key)
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
            respawn_interval=_HANDOVER_S,
            log_dictconfig=standard_logging(settings),
            websockets=False,
        )
        open_database = partial(
            Database, lambda: database_url, via_pooler=settings.pooler == "transaction"
        )
        patient = open_database(statement_timeout_ms=settings.statement_timeout_ms)
        with (
            recording_due_claims(patient),
            working(open_database()),
            recording_horizon(open_database()),
        ):
            server.serve()


@contextmanager
def recording_due_claims(database: Database, every_s: float = 60) -> Iterator[None]:
    """Record which planned claims have fallen due, at once and then regularly, during the block.

    A thread does this, which outlives neither the block nor the process. When the database does not
    answer or cannot be written, it logs a warning, once for each reason, and tries again. Several
    processes may do this on one database.
    """
    with _in_background("due-dates", lambda ended: _record_due_until(ended, database, every_s)):
        yield


@contextmanager
def working(database: Database, every_s: float = 1) -> Iterator[None]:
    """Do the jobs of ``hksz_db/services/work.py`` during the block, as they come up.

    As for due claims, failures are logged and retried, and several processes may do this.
    """
    with _in_background("work", lambda ended: _work_until(ended, database, every_s)):
        yield


@contextmanager
def recording_horizon(database: Database, every_s: float = 1) -> Iterator[None]:
    """Record the horizon of the feed while it advances, for replicas, during the block.

    Several processes may do this on one database, and a replica records nothing.
    """
    with _in_background("horizon", lambda ended: _record_horizon_until(ended, database, every_s)):
        yield


@contextmanager
def _in_background(name: str, target: Callable[[threading.Event], None]) -> Iterator[None]:
    ended = threading.Event()
    thread = threading.Thread(target=target, args=(ended,), name=name, daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        # The thread is a daemon: it may still wait for a database that does not answer.
        thread.join(timeout=1)


def _work_until(ended: threading.Event, database: Database, every_s: float) -> None:
    logged = dict.fromkeys(JOBS, "")
    while not ended.is_set():
        is_behind = False
        for job, full in JOBS.items():
            reason = ""
            try:
                is_behind |= work_once(database, job) >= full
            except Exception as error:  # noqa: BLE001  # the thread must outlive any failure
                reason = str(error).partition("\n")[0]
                if reason != logged[job]:
                    _log.warning("work_failed", reason=reason)
            logged[job] = reason
        if not is_behind:
            ended.wait(every_s)
    database.close()


def _record_horizon_until(ended: threading.Event, database: Database, every_s: float) -> None:
    logged = ""
    while not ended.is_set():
        logged = _failure_of(partial(record_horizon, database), "horizon_not_recorded", logged)
        ended.wait(every_s)
    database.close()


def _record_due_until(ended: threading.Event, database: Database, every_s: float) -> None:
    logged = ""
    while not ended.is_set():
        logged = _failure_of(partial(note_due, database), "due_not_recorded", logged)
        # No connection stays open in between.
        database.close()
        ended.wait(every_s)


def _failure_of(work: Callable[[], object], event: str, logged: str) -> str:
    """Why the work failed, which is logged unless it was logged last; empty if it did not fail."""
    try:
        work()
    except Exception as error:  # noqa: BLE001  # the thread must outlive any failure
        reason = str(error).partition("\n")[0]
        if reason != logged:
            _log.warning(event, reason=reason)
        return reason
    return ""


def _allow_connections() -> int:
    """Raise the limit of descriptors, and return how many connections a worker can accept."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _CONNECTIONS + _OTHER_DESCRIPTORS
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return _CONNECTIONS
    allowed = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    # Granian accepts no number below one.
    return max(1, allowed - _OTHER_DESCRIPTORS)


def stop_with_parent() -> None:
    """End this worker at once when the server that started it has ended, even if killed."""
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()


def answer_promptly() -> None:
    """Keep the threads and the garbage of this process from holding up its event loop for long.

    Call it once most of what stays until the end exists: the garbage collector passes over that,
    and later over much else that stays. It holds the interpreter while it runs, a millisecond for
    each thousand objects, so it looks at few at a time.
    """
    sys.setswitchinterval(_SWITCH_S)
    gc.collect()
    gc.freeze()
    # From now on it compares what is new with what is left, which is nothing.
    gc.collect()
    gc.set_threshold(_NEW_OBJECTS, 10, 5)
    gc.callbacks.append(_Exemptions())


class _Exemptions:
    """Exempts what a whole collection has left, if it is much: caches that have been filled.

    What is in use at that moment is exempted, too, and if it has cycles, it stays until the end. So
    this is not done after each collection, and only until the caches must be full.
    """

    def __init__(self) -> None:
        self._left = _MOST_EXEMPTIONS

    def __call__(self, phase: str, found: dict[str, int]) -> None:
        """Called by the collector before and after each collection."""
        if phase != "stop" or found["generation"] != _OLDEST:
            return
        if len(gc.get_objects(_OLDEST)) > _MOST_OLD_OBJECTS:
            gc.freeze()
            self._left -= 1
        if not self._left:
            gc.callbacks.remove(self)


def close_on_shutdown(listener: ChangeListener) -> None:
    """Close the listener on SIGINT and SIGTERM, so that waiting requests do not delay the end.

    Call it in the main thread once the event loop handles these signals: it passes every signal on
    to the loop.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    event_loop = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)

    def watch() -> None:
        while True:
            signals = os.read(read_end, 64)
            if event_loop != -1:
                os.write(event_loop, signals)
            if {signal.SIGINT, signal.SIGTERM} & set(signals):
                listener.close()

    threading.Thread(target=watch, name="signal-watch", daemon=True).start()
