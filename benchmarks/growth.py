"""``python -m benchmarks.growth``: measures lists and the feed as the database grows.

Requests alternate between a small and a large database. The output has the times of both, and their
ratio.
"""

import argparse
import http.client
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from urllib.parse import urlencode

from benchmarks import dataset, feed, paging
from benchmarks.questions import PATH
from benchmarks.servers import HOST, Server, this_service
from hksz_db import embedded

_MOST_FIRST = "-corroboration__origins"
_FAR = 5_000
_SAMPLES = 200
_LISTS = {
    "one verdict": {"corroboration__verdict": "corroborated"},
    "two origins or more": {"corroboration__origins__gte": 2},
    "five or more, one claim in a hundred": {"corroboration__origins__gte": 5},
    "nine or more, which no claim has": {"corroboration__origins__gte": 9},
    "most origins first": {"sort": _MOST_FIRST},
    "two or more, most first": {"corroboration__origins__gte": 2, "sort": _MOST_FIRST},
}


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a line for each list and each page of the feed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--claims", type=int, nargs=2, default=(10_000, 1_000_000))
    parser.add_argument("--home", type=Path, help="a folder in which the datasets are kept")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (small, small_pages), (large, large_pages) = (
            stack.enter_context(_serving(options.home or folder, claims, folder))
            for claims in options.claims
        )
        print(f"{'the feed, 25 entries of':40}  small ms  large ms  large / small")
        for title, path in small_pages.items():
            _print(title, small, large, [path, large_pages[title]])
        print(f"{'a page of 25 claims by':40}  small ms  large ms  large / small")
        for title, query in _LISTS.items():
            path = f"{PATH}?{urlencode(query)}"
            _print(title, small, large, [path, path])
        far = [
            f"{PATH}?{urlencode({'sort': _MOST_FIRST, 'cursor': cursor})}"
            for cursor in (paging.cursor(server, _MOST_FIRST, _FAR) for server in (small, large))
        ]
        _print(f"most origins first, after {_FAR:,} rows", small, large, far)
    return 0


@contextmanager
def _serving(home: Path, claims: int, folder: Path) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """The service with a dataset of ``claims`` claims, and the paths of pages of its feed."""
    with embedded.running(home / str(claims)) as database:
        dataset.prepare(database.url(), database.url(superuser=True), claims)
        feed.prepare(database.url(superuser=True))
        key = dataset.new_key(database.url())
        with this_service(database.url(), key, folder) as server:
            yield server, feed.pages(database.url(), server)


def _print(title: str, small: Server, large: Server, paths: Sequence[str]) -> None:
    servers = (small, large)
    with ExitStack() as stack:
        connections = [
            stack.enter_context(closing(http.client.HTTPConnection(HOST, server.port)))
            for server in servers
        ]
        # In turns, so that other load affects both alike.
        pairs = [
            [paging.seconds(*asked) for asked in zip(connections, paths, strict=True)]
            for _ in range(_SAMPLES)
        ]
    one, other = (median(times) * 1000 for times in zip(*pairs, strict=True))
    print(f"{title:40}  {one:8.2f}  {other:8.2f}  {other / one:13.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
