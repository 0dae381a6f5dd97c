"""Worker slots limit how many requests of one cost are processed at once."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from hksz_db.domain.errors import Overloaded

RELEASE_WORKER_SLOT = "hksz.release_worker_slot"
"""The key of a WSGI environment that holds ``HeldSlot.released``."""


class WorkerSlots:
    """A number of slots, which are given out in the order of the requests."""

    def __init__(self, number: int, longest_wait_s: float) -> None:
        self.free = asyncio.Semaphore(number)
        self.longest_wait_s = longest_wait_s


class HeldSlot:
    """The slot of one request, which can release it and take it again."""

    def __init__(self, slots: WorkerSlots) -> None:
        self._slots = slots
        self._loop = asyncio.get_running_loop()
        self._held = False

    async def acquire(self) -> None:
        """Take the slot. Raises ``Overloaded`` if none becomes free within the longest wait."""
        try:
            async with asyncio.timeout(self._slots.longest_wait_s):
                await self.reacquire()
        except TimeoutError:
            raise Overloaded("Too many costly requests at once; try again later.") from None

    async def reacquire(self) -> None:
        """Take the slot for a request that has already started, however long that takes."""
        await self._slots.free.acquire()
        self._held = True

    def release(self) -> None:
        """Give the slot back if it is held."""
        if self._held:
            self._held = False
            self._slots.free.release()

    @contextmanager
    def released(self) -> Iterator[None]:
        """Release the slot during the block. Called in the thread that processes the request."""
        self._loop.call_soon_threadsafe(self.release)
        try:
            yield
        finally:
            asyncio.run_coroutine_threadsafe(self.reacquire(), self._loop).result()
