"""``python -m benchmarks.growth``: asks every kind of read of a small and a large database.

Requests alternate between the two. The output has the medians of both, their ratio, the time of the
processor in the large one, and what the budget allows the kind there. The exit status is 1 if one
takes longer or fails. A run that was broken off continues with the same ``--json``.
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
from benchmarks.budget import Budget, budget
from benchmarks.examples import Examples
from benchmarks.kinds import Kinds, Subjects, kinds
from benchmarks.processor import Processes
from benchmarks.questions import Ask
from benchmarks.servers import HOST, Server, this_service
from hksz_db import embedded
from hksz_db.database import Database
from hksz_db.services.work import work_off

_SORTS = {"-corroboration__origins": 5_000, "time": 2_000, "-updated_at": 5_000}
# By how often the budget the first request took. Most kinds are far below theirs.
_SAMPLES = ((0.5, 1), (4, 5), (8, 2), (math.inf, 0))
_TIMEOUT_S = 30


@dataclass(frozen=True)
class Measured:
    """What a kind of read took in both databases, and what it may take in the large one, in ms.

    ``processor`` is what the service and the database of the large one took of the processor.
    """

    kind: str
    small: float
    large: float
    processor: float
    statuses: tuple[int, int]
    allowed: float

    @property
    def passes(self) -> bool:
        """Whether it was answered within its budget, without waiting for other processes."""
        return self.statuses == (200, 200) and min(self.large, self.processor) <= self.allowed

    @property
    def ratio(self) -> float:
        """How many times as long it took in the large database."""
        return self.large / self.small

    def __str__(self) -> str:
        times = f"{self.small:9.1f}  {self.large:9.1f}  {self.ratio:7.2f}  {self.processor:9.1f}"
        failed = "" if self.statuses == (200, 200) else f"  {self.statuses}"
        return f"{self.kind:88}  {times}  {self.allowed:6.0f}{failed}"


@dataclass(frozen=True)
class Served:
    """A database behind the service: a connection, its processes, and the request of each kind."""

    connection: http.client.HTTPConnection
    processes: Processes
    asked: Mapping[str, Ask]


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a line for each kind of read that is over its budget, or for all."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.growth", description=__doc__)
    parser.add_argument("--claims", type=int, nargs=2, default=(10_000, 1_000_000))
    parser.add_argument("--home", type=Path, help="a folder in which the datasets are kept")
    parser.add_argument("--only", default="*", help="a pattern of the kinds to ask")
    parser.add_argument("--every", action="store_true", help="ask with every value in every way")
    parser.add_argument("--all", action="store_true", help="print the kinds within the budget, too")
    parser.add_argument(
        "--json",
        type=Path,
        help="a file for all numbers, one kind a line; kinds that passed in it are not asked again",
    )
    options = parser.parse_args(arguments)
    allowed = budget()
    found = _known(options.json, allowed)
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name, ExitStack() as stack:
        folder = Path(name)
        folder.chmod(0o755)
        small, large = (
            stack.enter_context(
                _serving(options.home or folder, claims, folder, every=options.every)
            )
            for claims in options.claims
        )
        numbers = stack.enter_context(options.json.open("a")) if options.json else None
        chosen = [k for k in small.asked if k in large.asked and fnmatchcase(k, options.only)]
        print(f"{'kind':88}   small ms   large ms    ratio  processor  budget")
        for kind in [kind for kind in chosen if kind not in found or not found[kind].passes]:
            measured = found[kind] = _measure(kind, small, large, allowed(kind))
            if numbers is not None:
                print(json.dumps(asdict(measured)), file=numbers, flush=True)
            if options.all or not measured.passes:
                print(measured, flush=True)
    return _summary([found[kind] for kind in chosen])


def _known(numbers: Path | None, allowed: Budget) -> dict[str, Measured]:
    """What an earlier run wrote, by kind; of several lines the last holds."""
    if numbers is None or not numbers.exists():
        return {}
    found = {}
    for line in numbers.read_text(encoding="utf-8").splitlines():
        known = json.loads(line)
        kind, statuses = known["kind"], tuple(known["statuses"])
        found[kind] = Measured(**{**known, "statuses": statuses, "allowed": allowed(kind)})
    return found


def _summary(found: Sequence[Measured]) -> int:
    """Print how many kinds pass; the exit status."""
    over = [each for each in found if not each.passes]
    ratio = median(each.ratio for each in found)
    print(f"{len(found)} kinds, median ratio {ratio:.2f}, {len(over)} over their budget")
    return 1 if over else 0


@contextmanager
def _serving(home: Path, claims: int, folder: Path, *, every: bool) -> Iterator[Served]:
    """The service with a dataset of ``claims`` claims."""
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
            examples = Examples(connection, subjects.places)
            asked = dict(kinds(subjects, examples, every=every))
            postmaster = _postmaster(connection)
        key = dataset.new_key(database.url())
        with this_service(database.url(), key, folder) as server:
            connected = http.client.HTTPConnection(HOST, server.port, timeout=_TIMEOUT_S)
            further = dict(_further(database.url(), server, transactions[-1]))
            assert server.process is not None
            with closing(connected):
                processes = Processes((server.process.pid, postmaster))
                yield Served(connected, processes, further | asked)


def _postmaster(connection: psycopg.Connection) -> int:
    """The id of the process whose children are those of the database."""
    shown = connection.execute("SHOW data_directory").fetchone()
    assert shown is not None
    return int((Path(shown[0]) / "postmaster.pid").read_text(encoding="ascii").split()[0])


def _further(url: str, server: Server, rename: tuple[str, str]) -> Kinds:
    """Distant pages of lists and of the feed, whose cursors are those of the running service."""
    for sort, rows in _SORTS.items():
        query = f"sort={sort}&cursor={paging.cursor(server, sort, rows)}"
        yield f"claims sort={sort} after {rows:,} rows", Ask("GET", f"/v1/claims?{query}")
    for title, path in feed.pages(url, server, rename).items():
        yield f"changes, {title}", Ask("GET", path)


def _work_off(url: str) -> int:
    """Do what waits after the history, and return how much: it would run beside the requests."""
    database = Database(lambda: url)
    try:
        return work_off(database)
    finally:
        database.close()


def _measure(kind: str, small: Served, large: Served, allowed: float) -> Measured:
    """Ask in turns, so that other load affects both alike; more often if it is slow."""
    statuses: list[tuple[int, int]] = []
    times: list[tuple[float, float]] = []
    processor: list[float] = []
    further = 0
    while len(times) <= further:
        of_small, small_status = _answer(small.connection, small.asked[kind])
        before = large.processes.seconds()
        of_large, large_status = _answer(large.connection, large.asked[kind])
        processor.append(large.processes.since(before) * 1000)
        times.append((of_small, of_large))
        statuses.append((small_status, large_status))
        if len(times) == 1:
            further = _samples(max(of_small, of_large) / allowed)
    # The first request plans the statement.
    counted = slice(1 if further else 0, None)
    in_small, in_large = (median(taken) for taken in zip(*times[counted], strict=True))
    return Measured(kind, in_small, in_large, min(processor[counted]), statuses[0], allowed)


def _samples(budgets: float) -> int:
    """How many further requests are measured, if the slower first one took so many budgets."""
    return next(samples for limit, samples in _SAMPLES if budgets < limit)


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
