"""``GET /v1/R/export``: all rows that the filters select, streamed."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import chain
from threading import Lock

from flask import Response, current_app, request

from hksz_db.api.access import database
from hksz_db.api.answers import DirectResponse
from hksz_db.api.problems import ApiError
from hksz_db.exchange import exporting
from hksz_db.queries.readable import Readable

MAX_EXPORTS = 2
"""How many exports a worker process sends at once."""

MAX_EXPORT_S = 3600
"""An export that takes longer is cut off. ``gateway`` drops readers that stop much sooner."""


class ExportSlots:
    """Limits how many exports run at once. A slot that is not released expires."""

    def __init__(self, number: int, expire_s: float) -> None:
        self._number = number
        self._expire_s = expire_s
        self._lock = Lock()
        self._expiries: dict[object, float] = {}

    def acquire(self) -> Callable[[], None]:
        """Take a slot and return what releases it. Raises ``ApiError`` 503 if none is free."""
        now, slot = time.monotonic(), object()
        with self._lock:
            self._expiries = {held: end for held, end in self._expiries.items() if end > now}
            if len(self._expiries) >= self._number:
                raise ApiError(503, "Too many concurrent exports; try again later.")
            self._expiries[slot] = now + self._expire_s

        def release() -> None:
            with self._lock:
                self._expiries.pop(slot, None)

        return release


def export(resource: Readable, wanted: exporting.Export) -> Response:
    """The file, which is streamed. A ``HEAD`` request reads nothing."""
    response = DirectResponse(content_type=wanted.form.media_type)
    day = datetime.now(UTC).date()
    response.headers["Content-Disposition"] = (
        f'attachment; filename="{resource.name}-{day}.{wanted.form.suffix}"'
    )
    response.headers["Cache-Control"] = "no-store"
    if request.method != "HEAD":
        _stream(response, wanted)
    return response


def _stream(response: Response, wanted: exporting.Export) -> None:
    """Stream the file. Raises an error if not even its first piece can be read."""
    slots: ExportSlots = current_app.extensions["hksz_export_slots"]
    release = slots.acquire()
    pieces = exporting.export(database(), wanted, at_most_s=MAX_EXPORT_S)

    def close() -> None:
        try:
            pieces.close()
        finally:
            release()

    try:
        first = next(pieces, b"")
    except BaseException:
        close()
        raise
    response.call_on_close(close)
    response.response = _closed_at_end(chain([first], pieces), close)


def _closed_at_end(pieces: Iterator[bytes], close: Callable[[], None]) -> Iterator[bytes]:
    try:
        yield from pieces
    finally:
        # The server closes the response later, and the slot is free now.
        close()
