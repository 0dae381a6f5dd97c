"""``python -m tests.operating.attacks``: what one anonymous client does to an ordinary reader.

Prints how long the reader waits for a claim and for a list, without and beside each attack.
"""

import math
import multiprocessing
import socket
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from benchmarks import dataset
from tests.operating.places import ROOT, Place
from tests.operating.postgres import NAME, create_empty, new_key, running
from tests.operating.report import when
from tests.operating.services import Service, serving

PAGE = ROOT / "docs/reference/attacks.md"
_CLAIMS = 20_000
_SECONDS = 12.0
_BEFORE_S = 2.0
_PAUSE_S = 0.02
_TIMEOUT_S = 30.0


@dataclass(frozen=True)
class Waits:
    """The times of a reader in seconds, in order; ``failed`` requests have none."""

    times: list[float]
    failed: int

    def at(self, share: float) -> float:
        """The time within which that share of the requests was answered."""
        return self.times[min(int(len(self.times) * share), len(self.times) - 1)]


def read(port: int, path: str, seconds: float) -> Waits:
    """Read one path again and again, each time on a new connection."""
    times, failed = [], 0
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        began = time.perf_counter()
        try:
            address = f"http://127.0.0.1:{port}{path}"
            with urllib.request.urlopen(address, timeout=_TIMEOUT_S) as answer:
                answer.read()
            times.append(time.perf_counter() - began)
        except OSError:
            failed += 1
        time.sleep(_PAUSE_S)
    return Waits(sorted(times) or [math.inf], failed)


@contextmanager
def _connected(port: int, number: int, sent: bytes, buffer: int = 2**16) -> Iterator[None]:
    """Hold connections that have sent this and read nothing."""
    with ExitStack() as stack:
        for _ in range(number):
            client = stack.enter_context(socket.socket())
            client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
            client.connect(("127.0.0.1", port))
            client.sendall(sent)
        yield


@contextmanager
def _asked_again_and_again(port: int, number: int, path: str) -> Iterator[None]:
    """Ask for the path with several clients, each as soon as it has its answer."""
    ended = threading.Event()

    def ask() -> None:
        while not ended.is_set():
            read(port, path, seconds=0)

    clients = [threading.Thread(target=ask) for _ in range(number)]
    for client in clients:
        client.start()
    try:
        yield
    finally:
        ended.set()
        for client in clients:
            client.join()


_SLOW_BODY = (
    b"POST /v1/claims/query HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    b"Content-Length: 999\r\n\r\n{"
)
_EXPORT = b"GET /v1/claims/export?format=ndjson HTTP/1.1\r\nHost: x\r\n\r\n"
_WAIT = b"GET /v1/changes?cursor=now&wait=30 HTTP/1.1\r\nHost: x\r\n\r\n"
_HOG = "/v1/comparisons?count=exact"
ATTACKS: dict[str, Callable[[int], AbstractContextManager[None]]] = {
    "none": lambda _: nullcontext(),
    "300 bodies of one byte": lambda port: _connected(port, 300, _SLOW_BODY),
    "20 clients that count comparisons": lambda port: _asked_again_and_again(port, 20, _HOG),
    "30 exports that nobody reads": lambda port: _connected(port, 30, _EXPORT, buffer=4096),
    "300 clients that wait for changes": lambda port: _connected(port, 300, _WAIT),
}


_PAGE = """\
# Attacks

`python -m tests.operating.attacks` attacks a service with {claims:,} claims as one anonymous
client could, and writes this page: how long an ordinary reader waits for a claim and for a list
meanwhile, and the probe `/healthz`. *Failed* are requests of the reader and of the probe without
an answer, or with an error.

{when}.

{table}
`python -m tests.operating.hostile` sends 50,000 hostile requests: all methods, paths, parameters,
bodies, headers and raw bytes. None may be answered with a 5xx, but 503 where a limit says so, and
`/healthz` and `/readyz` have to answer within 100 ms throughout. Clients, prober, service and
PostgreSQL share the processors; so the clients run at the lowest priority, and the prober, as
root, at the highest.

## See also

- [Limits](../explanation/limits.md)
- [Drills](drills.md)
"""
_HEAD = ("attack", "claim, p50", "p99", "list, p50", "p99", "/healthz, slowest", "failed")


def main() -> int:
    """Hold all attacks, and print a table of them; 1 if a request of the reader has failed."""
    rows = [_line(_HEAD), "|---" * len(_HEAD) + "|"]
    failed = 0
    with (
        _attacked() as (service, claim),
        ProcessPoolExecutor(3, multiprocessing.get_context("spawn")) as readers,
    ):
        paths = (f"/v1/claims/{claim}", "/v1/claims?per_page=5", "/healthz")
        for name, attack in ATTACKS.items():
            with attack(service.port):
                time.sleep(_BEFORE_S)
                begun = [readers.submit(read, service.port, path, _SECONDS) for path in paths]
                found = [each.result() for each in begun]
            failed += sum(each.failed for each in found)
            rows.append(_row(name, *found))
    table = "\n".join(rows) + "\n"
    sys.stdout.write(table)
    PAGE.write_text(_PAGE.format(claims=_CLAIMS, when=when(), table=table), encoding="utf-8")
    return int(failed > 0)


def _row(name: str, claim: Waits, several: Waits, probe: Waits) -> str:
    times = (claim.at(0.5), claim.at(0.99), several.at(0.5), several.at(0.99), probe.times[-1])
    failed = claim.failed + several.failed + probe.failed
    return _line((name, *(f"{each * 1000:.0f} ms" for each in times), str(failed)))


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


@contextmanager
def _attacked() -> Iterator[tuple[Service, str]]:
    """A service with the dataset of the benchmark, and the id of a claim."""
    with tempfile.TemporaryDirectory(prefix="hksz-attack-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        with running(Place.at(Path(name), Path(name)), "attacked") as server:
            create_empty(server.url("postgres"))
            owner = server.url(user=NAME)
            dataset.prepare(owner, server.url(), _CLAIMS)
            ((claim,),) = server.query("SELECT id FROM claims ORDER BY id LIMIT 1")
            with serving(owner, new_key(owner), Path(name)) as service:
                yield service, str(claim)


if __name__ == "__main__":
    raise SystemExit(main())
