"""Limits on how many requests are processed at once, and on how many wait for changes."""

import asyncio
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext

from flask import Flask, request

from hksz_db.domain.errors import Overloaded
from hksz_db.feed.listener import ChangeListener

RELEASE_WORKER_SLOT = "hksz.release_worker_slot"
"""The key of a WSGI environment that holds ``HeldSlot.released``."""


class HeldSlot:
    """The worker slot of one request, which can release it and take it again.

    The ``free`` slots are given out in the order of the requests.
    """

    def __init__(self, free: asyncio.Semaphore, longest_wait_s: float) -> None:
        self._free = free
        self._longest_wait_s = longest_wait_s
        self._loop = asyncio.get_running_loop()
        self._held = False

    async def acquire(self) -> None:
        """Take the slot. Raises ``Overloaded`` if none becomes free within the longest wait."""
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self.reacquire()
        except TimeoutError:
            raise Overloaded("Too many costly requests at once; try again later.") from None

    async def reacquire(self) -> None:
        """Take the slot for a request that has already started, however long that takes."""
        await self._free.acquire()
        self._held = True

    def release(self) -> None:
        """Give the slot back if it is held."""
        if self._held:
            self._held = False
            self._free.release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the slot during the block. Called in the thread that processes the request."""
        self._loop.call_soon_threadsafe(self.release)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self.reacquire(), self._loop).result()


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
