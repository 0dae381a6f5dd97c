"""Reads request bodies, with limits for length, time and memory."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, NotRequired, TypedDict

from hksz_db.domain.errors import Cause, Overloaded
from hksz_db.http.statuses import ApiError

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment


class Message(TypedDict):
    """A message of ASGI; those with a piece of a body have the other fields."""

    type: str
    body: NotRequired[bytes]
    more_body: NotRequired[bool]


Receive = Callable[[], Awaitable[Message]]

TIME_S = 10.0
"""A body may take this long, plus one second for every ``BYTES_PER_S`` received.

It is also the longest pause allowed between two pieces.
"""

BYTES_PER_S = 64 * 1024

_LARGEST_BODIES_HELD = 8
_BULK = re.compile("/v1/[a-z]+/bulk")


def is_bulk(path: str) -> bool:
    """Whether the path takes many items at once, so that longer bodies are allowed."""
    return _BULK.fullmatch(path) is not None


class Intake:
    """Reads bodies of at most ``max_bytes``, or ``max_bulk_bytes`` for many items.

    All bodies in memory, complete or not, may have eight times ``max_bulk_bytes`` together.
    """

    def __init__(self, max_bytes: int, max_bulk_bytes: int, time_s: float = TIME_S) -> None:
        self._max_bytes = max_bytes
        self._max_bulk_bytes = max_bulk_bytes
        self._time_s = time_s
        self._held = 0

    async def read(self, environ: "WSGIEnvironment", receive: Receive) -> bytes:
        """The body of a request. Pass it to ``discard`` once the request is answered.

        A body that is too long is not read if it declares its length; otherwise one byte more than
        allowed is read. The body is shorter than declared if the client disconnects. Raises
        ``ApiError`` 408 if it takes too long, and ``Overloaded`` if too many bytes are in memory.
        """
        wanted = self._wanted(environ)
        if not wanted:
            return b""
        body = bytearray()
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self._time_s) as deadline:
                more = True
                while more and len(body) < wanted:
                    message = await receive()
                    piece = message.get("body", b"")
                    # The message of a client that disconnected has no ``more_body``.
                    more = message.get("more_body", False)
                    body += piece
                    self._hold(len(piece))
                    now = asyncio.get_running_loop().time()
                    allowed = began + self._time_s + len(body) / BYTES_PER_S
                    deadline.reschedule(min(allowed, now + self._time_s))
        except TimeoutError:
            self._held -= len(body)
            raise ApiError(
                408, f"The body took too long to arrive: {len(body)} bytes were received."
            ) from None
        except BaseException:
            self._held -= len(body)
            raise
        return bytes(body)

    def discard(self, body: bytes) -> None:
        """Count a body as no longer in memory."""
        self._held -= len(body)

    def _hold(self, length: int) -> None:
        self._held += length
        if self._held > _LARGEST_BODIES_HELD * self._max_bulk_bytes:
            raise Overloaded("Too many request bodies at once; try again later.", Cause.BODIES)

    def _wanted(self, environ: "WSGIEnvironment") -> int:
        """How many bytes to read; 0 if the declared length is too long."""
        many = is_bulk(environ.get("PATH_INFO", ""))
        limit = self._max_bulk_bytes if many else self._max_bytes
        declared = environ.get("CONTENT_LENGTH", "")
        if declared.isascii() and declared.isdigit():
            length = int(declared) if len(declared) < 20 else limit + 1
            return length if length <= limit else 0
        chunked = "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower()
        return limit + 1 if chunked else 0
