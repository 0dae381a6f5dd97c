"""Requests that wait for changes without holding a worker slot."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from flask import Flask, current_app, request

from hksz_db.api.slots import RELEASE_WORKER_SLOT
from hksz_db.domain.errors import Overloaded
from hksz_db.feed.listener import ChangeListener


class WaitingRoom:
    """Places for ``most`` requests, and the listener that wakes them."""

    def __init__(self, listener: ChangeListener, most: int) -> None:
        self.listener = listener
        self._places = threading.BoundedSemaphore(most) if most else None

    @contextmanager
    def place(self) -> Iterator[None]:
        """Take a place and release the worker slot meanwhile. Raises ``Overloaded``."""
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

    Call it in the main thread once the event loop handles these signals: it passes every signal on
    to the loop.
    """
    read_end, write_end = os.pipe()
    os.set_blocking(write_end, False)
    event_loop = signal.set_wakeup_fd(write_end, warn_on_full_buffer=False)
    listener: ChangeListener = app.extensions["hksz_waiting_room"].listener

    def watch() -> None:
        while True:
            signals = os.read(read_end, 64)
            if event_loop != -1:
                os.write(event_loop, signals)
            if {signal.SIGINT, signal.SIGTERM} & set(signals):
                listener.close()

    threading.Thread(target=watch, name="signal-watch", daemon=True).start()
