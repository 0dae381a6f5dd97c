"""``python -m benchmarks.crowd``: measures reads by id while other clients request a slow list.

One client reads claims by id, first alone, and then while several clients request the slowest of a
few lists without a pause.
"""

import argparse
import http.client
import random
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from benchmarks import dataset
from benchmarks.questions import PATH
from benchmarks.servers import HOST, Server, this_service
from hksz_db import embedded

_PATIENCE_S = 60
_WARM_UP = 100
_PAUSE_S = 0.02
_TRIES = 3


@dataclass
class Tally:
    """The response times in seconds, and the number of answers by status."""

    times: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)

    def ask(self, server: Server, path: str) -> float:
        """Send a request over a new connection, which can reach any worker; return the time."""
        began = time.perf_counter()
        connection = http.client.HTTPConnection(HOST, server.port, timeout=_PATIENCE_S)
        with closing(connection):
            connection.request("GET", path, headers={"Connection": "close"})
            response = connection.getresponse()
            response.read()
        taken = time.perf_counter() - began
        self.statuses[response.status] += 1
        self.times.append(taken)
        return taken

    def ms(self, percent: int) -> float:
        """A percentile of the times, in milliseconds."""
        return statistics.quantiles(self.times, n=100, method="inclusive")[percent - 1] * 1000


def main(arguments: Sequence[str]) -> int:
    """Measure, and print the results."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.crowd", description=__doc__)
    add = parser.add_argument
    add("--claims", type=int, default=100_000, help="how many claims to measure with (100000)")
    add("--home", type=Path, help="a folder in which the dataset is kept for later runs")
    add("--clients", type=int, default=8, help="how many clients request the list (8)")
    add("--seconds", type=int, default=20, help="how many seconds each measurement takes (20)")
    add("--list", help="the list to request; the default is the slowest of several lists")
    options = parser.parse_args(arguments)
    with _serving(options.home, options.claims) as (server, lists, ids):
        path = options.list or _slowest(server, lists)
        print(f"list: {path}")
        read = _reader(server, ids)
        for _ in range(_WARM_UP):
            read(Tally())
        alone = _read_for(options.seconds, read)
        with _crowd(server, path, options.clients) as crowd:
            beside = _read_for(options.seconds, read)
    _print(alone, beside, crowd, options.seconds)
    return 0


@contextmanager
def _serving(home: Path | None, claims: int) -> Iterator[tuple[Server, dict[str, str], list[str]]]:
    """The service, the lists to try, and the ids of the claims to read."""
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        with embedded.running(home or folder / "home") as database:
            dataset.prepare(database.url(), database.url(superuser=True), claims)
            with psycopg.connect(database.url()) as connection:
                place, word = connection.execute(
                    "SELECT benchmark.entity_id(1), benchmark.searched_word(0)"
                ).fetchone() or ("", "")
                ids = [
                    str(id)
                    for (id,) in connection.execute(
                        "SELECT benchmark.claim_id(n * %s / 1000) FROM generate_series(1, 1000) n",
                        (claims,),
                    )
                ]
            lists = {
                "claims about a place, counted": f"{PATH}?place__under={place}&count=exact",
                "claims about a place, by time": f"{PATH}?place__under={place}&sort=-time",
                "claims without a word, counted": f"{PATH}?q=-{word}&count=exact",
                "claims with a text, counted": f"{PATH}?statement__contains=zzzz&count=exact",
                "all comparisons, counted": "/v1/comparisons?count=exact",
                "claims by verdict": f"{PATH}/aggregate?group_by=corroboration__verdict",
            }
            key = dataset.new_key(database.url())
            with this_service(database.url(), key, folder) as server:
                yield server, lists, ids


def _slowest(server: Server, lists: Mapping[str, str]) -> str:
    times = {}
    for title, path in lists.items():
        tally = Tally()
        for _ in range(_TRIES):
            tally.ask(server, path)
        times[title] = statistics.median(tally.times)
        print(f"{title:32} {times[title] * 1000:8.0f} ms  {dict(tally.statuses)}")
    return lists[max(times, key=lambda title: times[title])]


def _reader(server: Server, ids: Sequence[str]) -> Callable[[Tally], float]:
    chosen = random.Random(1)
    return lambda tally: tally.ask(server, f"{PATH}/{chosen.choice(ids)}")


def _read_for(seconds: float, read: Callable[[Tally], float]) -> Tally:
    tally = Tally()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        read(tally)
        time.sleep(_PAUSE_S)
    return tally


@contextmanager
def _crowd(server: Server, path: str, clients: int) -> Iterator[list[Tally]]:
    """Clients that request the list during the block, and their tallies."""
    ended = threading.Event()
    tallies = [Tally() for _ in range(clients)]

    def ask(tally: Tally) -> None:
        while not ended.is_set():
            tally.ask(server, path)

    threads = [threading.Thread(target=ask, args=(tally,)) for tally in tallies]
    for thread in threads:
        thread.start()
    # Until all of them have sent a request.
    time.sleep(1)
    try:
        yield tallies
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _print(alone: Tally, beside: Tally, crowd: Sequence[Tally], seconds: int) -> None:
    print(f"{'reads by id':12} {'answers':>8} {'p50 ms':>8} {'p99 ms':>8} {'longest ms':>11}")
    for title, tally in (("alone", alone), ("beside", beside)):
        times = f"{tally.ms(50):8.1f} {tally.ms(99):8.1f} {max(tally.times) * 1000:11.1f}"
        print(f"{title:12} {len(tally.times):8} {times}  {dict(tally.statuses)}")
    ratios = [beside.ms(percent) / alone.ms(percent) for percent in (50, 99)]
    print(f"{'ratio':12} {'':8} {ratios[0]:8.1f} {ratios[1]:8.1f}")
    statuses = sum((tally.statuses for tally in crowd), Counter[int]())
    print(f"lists answered: {statuses[200] / (seconds + 1):.1f} per second; {dict(statuses)}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
