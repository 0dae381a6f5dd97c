"""Whether a page far down a list costs more than the first, and how long a page takes."""

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
    far = f"{first}&{urlencode({'cursor': cursor(server, _SORT, (page - 1) * _PER_PAGE)})}"
    with closing(http.client.HTTPConnection(HOST, server.port)) as connection:
        # In turns, so that both see the same machine.
        pairs = [(seconds(connection, far), seconds(connection, first)) for _ in range(_SAMPLES)]
    far_times, first_times = zip(*pairs, strict=True)
    return Depth(page, median(far_times) / median(first_times))


def cursor(server: Server, sort: str, rows: int) -> str:
    """The cursor behind so many rows in this order, fewer if there are fewer."""
    found, walked = "", 0
    while walked < rows:
        size = min(_WALKED, rows - walked)
        query = {"sort": sort, "select": "id", "per_page": size}
        query |= {"cursor": found} if found else {}
        meta = server.answer(Ask("GET", f"{PATH}?{urlencode(query)}"))["meta"]
        if meta["next_cursor"] is None:
            break
        found, walked = meta["next_cursor"], walked + size
    return found


def seconds(connection: http.client.HTTPConnection, path: str) -> float:
    """How long an answer takes."""
    start = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    assert response.status == http.client.OK, path
    return time.perf_counter() - start
