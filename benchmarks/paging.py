"""Whether a page far down a list costs more than the first."""

import http.client
import time
from contextlib import closing
from dataclasses import dataclass
from statistics import median
from urllib.parse import urlencode

from benchmarks.questions import PATH, Ask
from benchmarks.servers import HOST, Server

_SORT = "-updated_at"
_PER_PAGE = 25
_WALKED = 100
_SAMPLES = 200


@dataclass(frozen=True)
class Depth:
    """A page far down a list, and how many times as long as the first it takes."""

    page: int
    ratio: float


def measure(server: Server, claims: int) -> Depth:
    """Ask for the first page and for one that so many claims are enough for, in turns."""
    page = max(claims // 100, 2)
    first = f"{PATH}?{urlencode({'sort': _SORT, 'per_page': _PER_PAGE})}"
    far = f"{first}&{urlencode({'cursor': _cursor(server, (page - 1) * _PER_PAGE)})}"
    with closing(http.client.HTTPConnection(HOST, server.port)) as connection:
        # In turns, so that both see the same machine.
        pairs = [(_seconds(connection, far), _seconds(connection, first)) for _ in range(_SAMPLES)]
    far_times, first_times = zip(*pairs, strict=True)
    return Depth(page, median(far_times) / median(first_times))


def _cursor(server: Server, rows: int) -> str:
    """The cursor behind so many rows, fewer if there are fewer."""
    cursor, walked = "", 0
    while walked < rows:
        size = min(_WALKED, rows - walked)
        query = {"sort": _SORT, "select": "id", "per_page": size}
        query |= {"cursor": cursor} if cursor else {}
        meta = server.answer(Ask("GET", f"{PATH}?{urlencode(query)}"))["meta"]
        if meta["next_cursor"] is None:
            break
        cursor, walked = meta["next_cursor"], walked + size
    return cursor


def _seconds(connection: http.client.HTTPConnection, path: str) -> float:
    start = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    assert response.status == http.client.OK, path
    return time.perf_counter() - start
