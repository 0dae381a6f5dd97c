"""Waiting: requests that stay until something happens, and take nothing from the others."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from flask import Flask, current_app, request

from hksz_db.api.intake import STEP_ASIDE
from hksz_db.bell import Bell
from hksz_db.errors import Busy


class WaitingRoom:
    """Places for ``most`` requests, and the bell that they wait for."""

    def __init__(self, bell: Bell, most: int) -> None:
        self.bell = bell
        self._places = threading.BoundedSemaphore(most) if most else None

    @contextmanager
    def place(self) -> Iterator[None]:
        """A place in it, and none among those that are worked on. Raises ``Busy``."""
        if self._places is None or not self._places.acquire(blocking=False):
            raise Busy("As many as may wait for changes do so: ask again, or without wait.")
        try:
            with request.environ.get(STEP_ASIDE, nullcontext)():
                yield
        finally:
            self._places.release()


def waiting_room() -> WaitingRoom:
    """The waiting room of the app."""
    room: WaitingRoom = current_app.extensions["hksz_waiting_room"]
    return room


def close_when_told_to_end(app: Flask) -> None:
    """Send home who waits when this process is told to end, so that it does not wait for them.

    Whoever handles the signal besides does so.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    bell: Bell = app.extensions["hksz_waiting_room"].bell

    def watch() -> None:
        while not {signal.SIGINT, signal.SIGTERM} & set(os.read(told, 64)):
            pass
        bell.close()

    threading.Thread(target=watch, name="end-watch", daemon=True).start()
