"""Intake: reads request bodies, within limits of length, time and memory."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from hksz_db.api.problems import ApiError
from hksz_db.domain.errors import Busy

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

TIME_S = 10.0
"""A body may take this long, and a second more for every ``BYTES_PER_S`` that have arrived.

No pause between two pieces of it may take longer than this.
"""

BYTES_PER_S = 64 * 1024

_BODIES_HELD = 8
_BULK = re.compile("/v1/[a-z]+/bulk")


def is_bulk(path: str) -> bool:
    """Whether the path takes many items at once, and longer bodies."""
    return _BULK.fullmatch(path) is not None


class Intake:
    """Reads bodies of at most ``max_bytes`` (for many items: ``max_bulk_bytes``).

    The bodies that are held in memory at one time, arrived or arriving, have at most eight times
    ``max_bulk_bytes`` together.
    """

    def __init__(self, max_bytes: int, max_bulk_bytes: int, time_s: float = TIME_S) -> None:
        self._max_bytes = max_bytes
        self._max_bulk_bytes = max_bulk_bytes
        self._time_s = time_s
        self._held = 0

    async def read(self, environ: Mapping[str, Any], receive: Receive) -> bytes:
        """The body of a request, to be given to ``discard`` once the request is answered.

        One that is too long is left unread if it declares its length; otherwise it is read until
        one byte more than allowed has arrived. It is shorter than declared when the client leaves.
        Raises ``ApiError`` 408 when it takes too long, ``Busy`` when too much is held already.
        """
        wanted = self._wanted(environ)
        if not wanted:
            return b""
        pieces: list[bytes] = []
        length = 0
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._time_s) as deadline:
                more = True
                while more and length < wanted:
                    message = await receive()
                    piece = message.get("body", b"")
                    # A client that left sends no more, and the message says nothing about it.
                    more = message.get("more_body", False)
                    length += len(piece)
                    self._hold(len(piece))
                    pieces.append(piece)
                    now = asyncio.get_running_loop().time()
                    allowed = began + self._time_s + length / BYTES_PER_S
                    deadline.reschedule(min(allowed, now + self._time_s))
        except TimeoutError:
            self._held -= length
            raise ApiError(
                408, f"The body took too long to arrive: {length} bytes came in time."
            ) from None
        except BaseException:
            self._held -= length
            raise
        return b"".join(pieces)

    def discard(self, body: bytes) -> None:
        """Note that a body is no longer held."""
        self._held -= len(body)

    def _hold(self, length: int) -> None:
        self._held += length
        if self._held > _BODIES_HELD * self._max_bulk_bytes:
            raise Busy("Too many request bodies at once; try again later.")

    def _wanted(self, environ: Mapping[str, Any]) -> int:
        """How many bytes to read; 0 for a body that declares itself too long."""
        many = is_bulk(environ.get("PATH_INFO", ""))
        limit = self._max_bulk_bytes if many else self._max_bytes
        declared = environ.get("CONTENT_LENGTH", "")
        if declared.isascii() and declared.isdigit():
            length = int(declared) if len(declared) < 20 else limit + 1
            return length if length <= limit else 0
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        return limit + 1 if chunked else 0
