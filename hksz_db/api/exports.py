"""``GET /v1/R/export``: all that a question selects, streamed."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from threading import Lock

from flask import Response, request

from hksz_db.api.access import database
from hksz_db.api.answers import DirectResponse
from hksz_db.api.problems import ApiError
from hksz_db.api.resource import Resource
from hksz_db.exchange import exporting

AT_ONCE = 2
"""How many exports a worker process sends at once."""

AT_MOST_S = 3600
"""After so long an export is cut off. A reader that stops is given up much sooner (``gateway``)."""


class Places:
    """So many at once, each for so long at most."""

    def __init__(self, number: int, at_most_s: float) -> None:
        self._number = number
        self._at_most_s = at_most_s
        self._lock = Lock()
        self._until: dict[object, float] = {}

    def take(self) -> Callable[[], None]:
        """A place, given back by calling what is returned; 503 when all are taken."""
        now, mine = time.monotonic(), object()
        with self._lock:
            self._until = {held: until for held, until in self._until.items() if until > now}
            if len(self._until) >= self._number:
                raise ApiError(503, "Too many concurrent exports; try again later.")
            self._until[mine] = now + self._at_most_s

        def give_back() -> None:
            with self._lock:
                self._until.pop(mine, None)

        return give_back


places = Places(AT_ONCE, AT_MOST_S)


class _Begun:
    """Pieces of which the first is there already: what cannot begin has raised its error."""

    def __init__(self, pieces: Iterator[bytes], close: Callable[[], None]) -> None:
        self._pieces = pieces
        self.close = close
        self._first: bytes | None = next(pieces, b"")

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        try:
            return next(self._pieces)
        except BaseException:
            # The end, too: the place is free for the next who asks.
            self.close()
            raise


def export(resource: Resource, wanted: exporting.Export) -> Response:
    """The answer; asked by HEAD it is without a body, and nothing is read."""
    response = DirectResponse(content_type=wanted.form.media_type)
    day = datetime.now(UTC).date()
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{resource.name}-{day}.{wanted.form.suffix}"'
    )
    response.headers["Cache-Control"] = "no-store"
    if request.method != "HEAD":
        response.response = _begin(wanted)
    return response


def _begin(wanted: exporting.Export) -> _Begun:
    give_back = places.take()
    pieces = exporting.export(database(), wanted, at_most_s=AT_MOST_S)

    def close() -> None:
        try:
            pieces.close()
        finally:
            give_back()

    try:
        return _Begun(pieces, close)
    except BaseException:
        close()
        raise
