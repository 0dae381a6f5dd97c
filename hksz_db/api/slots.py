"""Worker slots: how many requests of a cost are worked on at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hksz_db.domain.errors import Busy

RELEASE_WORKER_SLOT = "hksz.release_worker_slot"
"""The key of a WSGI environment that holds ``HeldSlot.released``."""


class WorkerSlots:
    """A number of slots, handed out in the order in which they were asked for."""

    def __init__(self, number: int, longest_wait_s: float | None = None) -> None:
        self._free = asyncio.Semaphore(number)
        self._longest_wait_s = longest_wait_s

    async def acquire(self) -> None:
        """Take a slot. Raises ``Busy`` when none becomes free within the longest wait."""
        try:
            async with asyncio.timeout(self._longest_wait_s):
                await self._free.acquire()
        except TimeoutError:
            raise Busy("Too many costly requests at once; try again later.") from None

    async def reacquire(self) -> None:
        """Take a slot for a request that has begun: it waits for as long as it takes."""
        await self._free.acquire()

    def release(self) -> None:
        """Give a slot back."""
        self._free.release()


class HeldSlot:
    """The slot of one request, which it can release and take again; or none, without ``slots``."""

    def __init__(self, slots: WorkerSlots | None) -> None:
        self._slots = slots
        self._loop = asyncio.get_running_loop()
        self._held = False

    async def acquire(self) -> None:
        """Take the slot for the first time. Raises ``Busy``."""
        if self._slots is not None:
            await self._slots.acquire()
            self._held = True

    async def reacquire(self) -> None:
        """Take the slot again."""
        if self._slots is not None:
            await self._slots.reacquire()
            self._held = True

    def release(self) -> None:
        """Give the slot back, if it is held."""
        if self._slots is not None and self._held:
            self._held = False
            self._slots.release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Do without the slot during the block; called in the thread that works on the request."""
        self._loop.call_soon_threadsafe(self.release)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self.reacquire(), self._loop).result()
