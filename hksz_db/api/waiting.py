"""Waiting: requests that stay until something happens, and take nothing from the others."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from flask import Flask, current_app, request

from hksz_db.api.slots import RELEASE_WORKER_SLOT
from hksz_db.domain.errors import Overloaded
from hksz_db.feed.listener import Bell


class WaitingRoom:
    """Places for ``most`` requests, and the bell that they wait for."""

    def __init__(self, bell: Bell, most: int) -> None:
        self.bell = bell
        self._places = threading.BoundedSemaphore(most) if most else None

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place to wait in, without a worker slot. Raises ``Overloaded``."""
        if self._places is None or not self._places.acquire(blocking=False):
            raise Overloaded("Too many clients are waiting for changes; retry later or omit wait.")
        try:
            with request.environ.get(RELEASE_WORKER_SLOT, nullcontext)():
                yield
        finally:
            self._places.release()


def waiting_room() -> WaitingRoom:
    """The waiting room of the app."""
    room: WaitingRoom = current_app.extensions["hksz_waiting_room"]
    return room


def stop_waiters_on_shutdown(app: Flask) -> None:
    """Answer the waiting requests on SIGINT and SIGTERM, so that the process can end.

    Called in the main thread once the event loop handles these signals: the loop is told of every
    signal as before.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    event_loop = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    bell: Bell = app.extensions["hksz_waiting_room"].bell

    def watch() -> None:
        while True:
            signals = os.read(read_end, 64)
            if event_loop != -1:
                os.write(event_loop, signals)
            if {signal.SIGINT, signal.SIGTERM} & set(signals):
                bell.close()

    threading.Thread(target=watch, name="signal-watch", daemon=True).start()
