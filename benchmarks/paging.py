"""Compares a distant page of a list with the first one."""

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
_WALKED_PER_PAGE = 100
_SAMPLES = 200


@dataclass(frozen=True)
class Depth:
    """A distant page of a list, and the ratio of its time to that of the first page."""

    page: int
    ratio: float


def measure(server: Server, claims: int) -> Depth:
    """Request the first page and a distant page in turns."""
    page = max(claims // 100, 2)
    first = f"{PATH}?{urlencode({'sort': _SORT, 'per_page': _PER_PAGE})}"
    far = f"{first}&{urlencode({'cursor': cursor(server, _SORT, (page - 1) * _PER_PAGE)})}"
    with closing(http.client.HTTPConnection(HOST, server.port)) as connection:
        # In turns, so that other load affects both alike.
        pairs = [(seconds(connection, far), seconds(connection, first)) for _ in range(_SAMPLES)]
    far_times, first_times = zip(*pairs, strict=True)
    return Depth(page, median(far_times) / median(first_times))


def cursor(server: Server, sort: str, rows: int) -> str:
    """The cursor after a number of rows in this order, or after all if there are fewer."""
    found, walked = "", 0
    while walked < rows:
        size = min(_WALKED_PER_PAGE, rows - walked)
        query = {"sort": sort, "select": "id", "per_page": size}
        query |= {"cursor": found} if found else {}
        meta = server.answer(Ask("GET", f"{PATH}?{urlencode(query)}"))["meta"]
        if meta["next_cursor"] is None:
            break
        found, walked = meta["next_cursor"], walked + size
    return found


def seconds(connection: http.client.HTTPConnection, path: str) -> float:
    """The time of a request."""
    start = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    response.read()
    assert response.status == http.client.OK, path
    return time.perf_counter() - start
