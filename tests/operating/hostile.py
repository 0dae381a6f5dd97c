"""``python -m tests.operating.hostile``: sends hostile requests, and watches the probes meanwhile.

None may be answered with a 5xx, except 503 where a limit says so, and probes must keep answering.

What is measured is the service. In production the clients, the prober and other programs do not
take the processors of its machine. So the clients run at the lowest priority, and the prober, in a
process of its own, runs at once when it is to (as root; otherwise its own delays count as well). On
a Linux machine that is busy otherwise, root can put the session of the service first::

    setsid --wait sh -c 'echo -10 > /proc/self/autogroup; exec python -m tests.operating.hostile'
"""

import argparse
import json
import math
import multiprocessing
import os
import re
import socket
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from app import create_app
from hksz_db.database import Database
from hksz_db.preparing import seed_folders
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import seeding
from hksz_db.services.writing import writing
from tests.operating.hostile_requests import Attacker, Hostile, Target
from tests.operating.places import Place
from tests.operating.postgres import NAME, prepared, query
from tests.operating.report import when
from tests.operating.services import Service, serving
from tests.samples import SAMPLES

_CLIENTS = 6
_LOWEST = 19
_ANSWER_S = 20.0
_UNCLEAR_S = 0.3
_LARGEST = 2**22
_PROBE_S = 0.1
_EVERY_S = 0.05
_PROBES = ("/healthz", "/readyz")
_SHOWN = 20
_LOG_SHOWN = 6_000
_PLACEHOLDER = re.compile(r"<(?:[^<>]*:)?(\w+)>")


@dataclass
class Count:
    """Answers by status (``closed``: none, ``silent``: none in time) and what was wrong."""

    statuses: Counter[str] = field(default_factory=Counter)
    limits: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    def add(self, request: Hostile, answer: bytes | None) -> None:
        """Count an answer."""
        status = _status(answer)
        self.statuses[status] += 1
        if status == "silent" and not request.cut:
            self.wrong.append(f"silent: {request.label}")
        if not status.startswith("5") or answer is None:
            return
        head, _, body = answer.partition(b"\r\n\r\n")
        if status == "503" and b"\nretry-after:" in head.lower():
            self.limits[_detail(body)] += 1
        else:
            self.wrong.append(f"{status}: {request.label}\n    {body[:300]!r}")


def _detail(body: bytes) -> str:
    """What an error says; a page and the answer to HEAD have no such field."""
    found = re.search(rb'"detail": ?"([^"]*)"', body)
    return found[1].decode() if found else "(no problem document)"


def _status(answer: bytes | None) -> str:
    if answer is None:
        return "silent"
    # The worst, if a connection has several answers.
    return max(re.findall(rb"HTTP/1\.[01] (\d{3}) ", answer), default=b"closed").decode()


def _ask(port: int, request: Hostile) -> bytes | None:
    """Send the bytes on a connection of their own; what comes back, or None if nothing does."""
    received = b""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=_ANSWER_S)) as connection:
        try:
            connection.sendall(request.sent)
            if request.cut:
                return b""
            connection.settimeout(_ANSWER_S if request.whole else _UNCLEAR_S)
            while len(received) < _LARGEST and (piece := connection.recv(2**16)):
                received += piece
        except TimeoutError:
            # A server may wait for more after what is not whole.
            return received if received or not request.whole else None
        except OSError:
            return received
    return received


def _attack(port: int, target: Target, seed: int, number: int) -> Count:
    """Send that many requests, one after the other."""
    os.nice(_LOWEST)
    attacker, found = Attacker(target, seed), Count()
    for _ in range(number):
        request = attacker.request()
        found.add(request, _ask(port, request))
    return found


def main(arguments: Sequence[str]) -> int:
    """Attack a service of its own; 1 if an answer or a probe was wrong."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.operating.hostile",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--requests", type=int, default=50_000, help="how many (50000)")
    parser.add_argument("--seed", type=int, default=15, help="makes the same requests again (15)")
    options = parser.parse_args(arguments)
    with _attacked() as (service, target), _probed(service) as probes:
        found = _attack_all(service, target, options.requests, options.seed)
        log = service.log.read_text(errors="replace")
    return _report(found, probes, options.seed, log)


@contextmanager
def _attacked() -> Iterator[tuple[Service, Target]]:
    """A service with the rows of the seeds."""
    with tempfile.TemporaryDirectory(prefix="hksz-hostile-", dir="/tmp") as name:
        Path(name).chmod(0o755)
        place = Place.at(Path(name), Path(name))
        with prepared(place, "attacked") as (server, key):
            url = server.url(user=NAME)
            database = Database(lambda: url)
            for folder in seed_folders():
                with writing(database) as session:
                    seeding.load(session, folder)
            database.close()
            with serving(url, key, place.folder) as service:
                yield service, _target(service, server.url())


def _target(service: Service, url: str) -> Target:
    with urllib.request.urlopen(f"{service.url}/openapi.json") as answer:
        document = json.load(answer)
    parameters = {
        path: [
            each["name"]
            for call in calls.values()
            if isinstance(call, dict)
            for each in map(partial(_resolved, document), call.get("parameters", ()))
            if each["in"] == "query"
        ]
        for path, calls in document["paths"].items()
    }
    methods: dict[str, list[str]] = {}
    for rule in create_app().url_map.iter_rules():
        path = _PLACEHOLDER.sub(r"{\1}", rule.rule)
        methods.setdefault(path, []).extend(sorted(rule.methods or ()))
    # The pages take the parameters of the lists.
    pages = dict.fromkeys(methods.keys() - parameters.keys(), parameters["/v1/claims"])
    ids = {
        resource: [
            str(id_)
            for (id_,) in query(url, f"SELECT id FROM {resource} ORDER BY id DESC LIMIT 20")
        ]
        for resource in RESOURCES
    }
    return Target(methods, {**pages, **parameters}, _bodies(), ids, service.key)


def _resolved(document: Mapping[str, Any], part: Mapping[str, Any]) -> Mapping[str, Any]:
    name = part.get("$ref", "").rpartition("/")[2]
    return document["components"]["parameters"][name] if name else part


def _bodies() -> dict[str, Any]:
    found: dict[str, Any] = {}
    for sample in SAMPLES:
        found[sample.path] = sample.body
        found[f"{sample.path}/{{id}}"] = sample.change
        found[f"{sample.path}/bulk"] = {"items": [sample.body, sample.body]}
        found[f"{sample.path}/query"] = {"per_page": 3, "sort": "id"}
    return found


def _attack_all(service: Service, target: Target, number: int, seed: int) -> Count:
    whole = Count()
    share = -(-number // _CLIENTS)
    with ProcessPoolExecutor(_CLIENTS, multiprocessing.get_context("spawn")) as clients:
        parts = [
            clients.submit(_attack, service.port, target, seed + client, share)
            for client in range(_CLIENTS)
        ]
        for part in parts:
            found = part.result()
            whole.statuses += found.statuses
            whole.limits += found.limits
            whole.wrong += found.wrong
    return whole


@contextmanager
def _probed(service: Service) -> Iterator[dict[str, list[float]]]:
    """Ask the probes all the time during the block; their times in seconds, once it has ended."""
    times: dict[str, list[float]] = {path: [] for path in _PROBES}
    processes = multiprocessing.get_context("spawn")
    ours, theirs = processes.Pipe()
    prober = processes.Process(target=_probe, args=(service.url, theirs))
    prober.start()
    try:
        ours.recv()
        yield times
    finally:
        ours.send(None)
        times.update(ours.recv())
        prober.join()


def _probe(url: str, asked: Connection) -> None:
    """Ask the probes until told to end, and send their times; in a process of its own."""
    with suppress(PermissionError):
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
    times: dict[str, list[float]] = {path: [] for path in _PROBES}
    asked.send(None)
    while not asked.poll(_EVERY_S):
        for path, taken in times.items():
            began = time.perf_counter()
            try:
                with urllib.request.urlopen(f"{url}{path}", timeout=_ANSWER_S):
                    taken.append(time.perf_counter() - began)
            except OSError:
                taken.append(math.inf)
    asked.send(times)


def _report(found: Count, probes: Mapping[str, list[float]], seed: int, log: str) -> int:
    say = sys.stdout.write
    statuses = ", ".join(f"{status}: {n:,}" for status, n in sorted(found.statuses.items()))
    say(f"{found.statuses.total():,} requests with seed {seed}: {statuses}\n")
    for limit, number in found.limits.most_common():
        say(f"  503 of a limit, {number}: {limit}\n")
    late = 0
    for path, times in probes.items():
        late += sum(each > _PROBE_S for each in times)
        ordered = sorted(times)
        say(
            f"{path}: {len(times):,} answers, median {ordered[len(ordered) // 2] * 1000:.0f} ms,"
            f" p99 {ordered[int(len(ordered) * 0.99)] * 1000:.0f} ms,"
            f" slowest {ordered[-1] * 1000:.0f} ms\n"
        )
    for each in found.wrong[:_SHOWN]:
        say(f"wrong: {each}\n")
    if found.wrong:
        say(f"The log ends with:\n{log[-_LOG_SHOWN:]}\n")
    say(f"{len(found.wrong)} wrong answers, {late} late probes. {when()}.\n")
    return int(bool(found.wrong or late))


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
