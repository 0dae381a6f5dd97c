"""``python -m benchmarks.growth``: asks every kind of read of a small and a large database.

Requests alternate between the two. The output has the medians of both, their ratio, and what the
budget allows the kind in the large one. The exit status is 1 if one takes longer or fails.
"""

import argparse
import http.client
import json
import math
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from statistics import median

import psycopg

from benchmarks import dataset, feed, history, paging
from benchmarks.budget import budget
from benchmarks.examples import Examples
from benchmarks.kinds import Subjects, kinds
from benchmarks.questions import Ask
from benchmarks.servers import HOST, Server, this_service
from hksz_db import embedded
from hksz_db.database import Database
from hksz_db.services.work import work_off

_SORTS = {"-corroboration__origins": 5_000, "time": 2_000, "-updated_at": 5_000}
# Most kinds are far below their budget, and a statement that takes seconds varies little.
_SAMPLES = ((50, 1), (1_000, 5), (4_000, 2), (math.inf, 0))
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Measured:
    """What a kind of read took in both databases, and what it may take in the large one, in ms."""

    kind: str
    small: float
    large: float
    statuses: tuple[int, int]
    allowed: float

    @property
    def passes(self) -> bool:
        """Whether it was answered within its budget."""
        return self.statuses == (200, 200) and self.large <= self.allowed

    def __str__(self) -> str:
        ratio = self.large / self.small
        failed = "" if self.statuses == (200, 200) else f"  {self.statuses}"
        numbers = f"{self.small:9.1f}  {self.large:9.1f}  {ratio:7.2f}  {self.allowed:6.0f}"
        return f"{self.kind:88}  {numbers}{failed}"


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a line for each kind of read that is over its budget, or for all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--claims", type=int, nargs=2, default=(10_000, 1_000_000))
    parser.add_argument("--home", type=Path, help="a folder in which the datasets are kept")
    parser.add_argument("--only", default="*", help="a pattern of the kinds to ask")
    parser.add_argument("--all", action="store_true", help="print the kinds within the budget, too")
    parser.add_argument("--json", type=Path, help="a file for all numbers")
    options = parser.parse_args(arguments)
    allowed = budget()
    found = []
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        (small, asked), (large, also_asked) = (
            stack.enter_context(_serving(options.home or folder, claims, folder))
            for claims in options.claims
        )
        connections = [
            stack.enter_context(
                closing(http.client.HTTPConnection(HOST, server.port, timeout=_TIMEOUT_S))
            )
            for server in (small, large)
        ]
        print(f"{'kind':88}   small ms   large ms    ratio  budget")
        for kind in [kind for kind in asked if fnmatchcase(kind, options.only)]:
            asks = (asked[kind], also_asked[kind]) if kind in also_asked else None
            if asks is None:
                continue
            measured = _measure(kind, connections, asks, allowed(kind))
            found.append(measured)
            if options.all or not measured.passes:
                print(measured, flush=True)
    if options.json:
        options.json.write_text(json.dumps([asdict(each) for each in found], indent=1))
    return _summary(found)


def _summary(found: Sequence[Measured]) -> int:
    """Print how many kinds pass; the exit status."""
    over = [each for each in found if not each.passes]
    ratio = median(each.large / each.small for each in found)
    print(f"{len(found)} kinds, median ratio {ratio:.2f}, {len(over)} over their budget")
    return 1 if over else 0


@contextmanager
def _serving(home: Path, claims: int, folder: Path) -> Iterator[tuple[Server, Mapping[str, Ask]]]:
    """The service with a dataset of ``claims`` claims, and the requests of each kind."""
    with embedded.running(home / str(claims)) as database:
        superuser_url = database.url(superuser=True)
        generated = dataset.prepare(database.url(), superuser_url, claims)
        feed.prepare(superuser_url)
        with psycopg.connect(superuser_url, autocommit=True) as connection:
            transactions = history.prepare(connection)
            if _work_off(database.url()):
                # Autovacuum would do this in the course of time.
                connection.execute("VACUUM (ANALYZE)")
            subjects = Subjects(generated, transactions[len(transactions) // 10][0])
            asked = dict(kinds(subjects, Examples(connection, subjects.places)))
        key = dataset.new_key(database.url())
        with this_service(database.url(), key, folder) as server:
            for sort, rows in _SORTS.items():
                query = f"sort={sort}&cursor={paging.cursor(server, sort, rows)}"
                asked[f"claims sort={sort} after {rows:,} rows"] = Ask("GET", f"/v1/claims?{query}")
            pages = feed.pages(database.url(), server, transactions[-1])
            asked |= {f"changes, {title}": Ask("GET", path) for title, path in pages.items()}
            yield server, asked


def _work_off(url: str) -> int:
    """Do what waits after the history, and return how much: it would run beside the requests."""
    database = Database(lambda: url)
    try:
        return work_off(database)
    finally:
        database.close()


def _measure(
    kind: str,
    connections: Sequence[http.client.HTTPConnection],
    asks: Sequence[Ask],
    allowed: float,
) -> Measured:
    """Ask in turns, so that other load affects both alike; more often if it is slow."""
    answers = [_answer(*each) for each in zip(connections, asks, strict=True)]
    statuses = tuple(status for _, status in answers)
    slowest = max(taken for taken, _ in answers)
    times: list[list[float]] = [[taken] for taken, _ in answers]
    for _ in range(_samples(slowest)):
        for taken, connection, ask in zip(times, connections, asks, strict=True):
            taken.append(_answer(connection, ask)[0])
    small, large = (median(taken[1:] or taken) for taken in times)
    return Measured(kind, small, large, (statuses[0], statuses[1]), allowed)


def _samples(first_ms: float) -> int:
    """How many further requests are measured, if the slower of the first two took this long."""
    return next(samples for limit, samples in _SAMPLES if first_ms < limit)


def _answer(connection: http.client.HTTPConnection, ask: Ask) -> tuple[float, int]:
    """The time of a request in milliseconds, and the status of the answer."""
    body = None if ask.body is None else json.dumps(ask.body)
    start = time.perf_counter()
    connection.request(
        ask.method, ask.path, body, {"Content-Type": "application/json"} if body else {}
    )
    response = connection.getresponse()
    response.read()
    return (time.perf_counter() - start) * 1000, response.status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
