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

import psycopg

from benchmarks import dataset, feed, paging
from benchmarks.questions import PATH
from benchmarks.servers import HOST, Server, this_service
from hksz_db import embedded
from hksz_db.domain.vocabulary import CorroborationVerdict
from hksz_db.models.claims import COUNTS

_MOST_FIRST = "-corroboration__origins"
_FAR = 5_000
_SAMPLES = 50
_NAMES = [f"corroboration__{count}{side}" for count in COUNTS for side in ("", "_against")]
# The words of the ranks 50 and 5,000 in Chinese and in English, each alone, together and without
# the other.
_SEARCHES = (
    "\u4e32\u5b50",
    "\u4e41\u5b73",
    "nababa",
    "tapoba",
    "\u4e32\u5b50 nababa",
    "\u4e32\u5b50 -nababa",
)
_LISTS = {
    "claims, two origins or more, most first": {
        "corroboration__origins__gte": 2,
        "sort": _MOST_FIRST,
    },
    **{
        f"claims, {verdict}": {"corroboration__verdict": verdict}
        for verdict in CorroborationVerdict
    },
    **{f"claims, {name} >= 2": {f"{name}__gte": 2} for name in _NAMES},
    **{f"claims, {name} >= 9": {f"{name}__gte": 9} for name in _NAMES},
    **{f"claims, most {name} first": {"sort": f"-{name}"} for name in _NAMES},
    **{f"claims, searched for {words}": {"q": words} for words in _SEARCHES},
    "claims, a Chinese word, latest first": {"q": _SEARCHES[0], "sort": "-time"},
}
# Every tenth claim waits for review, and every fiftieth of those is likely the same as another.
_SUBMIT = """
    SET session_replication_role = replica;
    UPDATE claims SET status = 'submitted' WHERE hashtext(id::text) % 10 = 0;
    INSERT INTO submissions (id, resource, submitted_at, likely_same)
    SELECT id, 'claims', created_at, hashtext(id::text) % 500 = 0
    FROM claims WHERE status = 'submitted'
    ON CONFLICT DO NOTHING
"""


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a line for each list and each page of the feed."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--claims", type=int, nargs=2, default=(10_000, 1_000_000))
    parser.add_argument("--home", type=Path, help="a folder in which the datasets are kept")
    parser.add_argument("--lists", action="store_true", help="measure only lists, not the feed")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (small, small_pages), (large, large_pages) = (
            stack.enter_context(
                _serving(options.home or folder, claims, folder, with_feed=not options.lists)
            )
            for claims in options.claims
        )
        print(f"{'a page of 25':48}  small ms  large ms  large / small")
        for title, path in small_pages.items():
            _print(f"the feed, {title}", small, large, [path, large_pages[title]])
        for title, query in _LISTS.items():
            path = f"{PATH}?{urlencode(query)}"
            _print(title, small, large, [path, path])
        _print("the queue of reviews", small, large, ["/v1/review", "/v1/review"])
        far = [
            f"{PATH}?{urlencode({'sort': _MOST_FIRST, 'cursor': cursor})}"
            for cursor in (paging.cursor(server, _MOST_FIRST, _FAR) for server in (small, large))
        ]
        _print(f"claims, most origins first, after {_FAR:,} rows", small, large, far)
    return 0


@contextmanager
def _serving(
    home: Path, claims: int, folder: Path, *, with_feed: bool
) -> Iterator[tuple[Server, Mapping[str, str]]]:
    """The service with a dataset of ``claims`` claims, and the paths of pages of its feed."""
    with embedded.running(home / str(claims)) as database:
        superuser_url = database.url(superuser=True)
        dataset.prepare(database.url(), superuser_url, claims)
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            connection.execute(_SUBMIT)
            connection.execute("VACUUM (ANALYZE) claims, submissions")
        if with_feed:
            feed.prepare(superuser_url)
        key = dataset.new_key(database.url())
        with this_service(database.url(), key, folder) as server:
            yield server, feed.pages(database.url(), server) if with_feed else {}


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
    print(f"{title:48}  {one:8.2f}  {other:8.2f}  {other / one:13.2f}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
