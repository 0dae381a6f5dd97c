"""What ``/metrics`` answers: what workers have counted, and what is read when it is asked for."""

import os
import platform
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress
from datetime import datetime
from functools import cache
from multiprocessing import parent_process
from pathlib import Path
from threading import Lock
from typing import Generic, NamedTuple, TypeVar

import prometheus_client as prometheus
import psycopg
from flask import Flask
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from hksz_db.api.requests import Places
from hksz_db.database import Database, DatabaseUnusable
from hksz_db.database.replicas import age_s
from hksz_db.domain.errors import Unavailable
from hksz_db.feed.pages import horizon
from hksz_db.http import metrics
from hksz_db.preparing import newest_revisions
from hksz_db.services.queues import lengths

PUBLISHED_EVERY_S = 1.0
"""How often a worker sets the metrics that it does not count."""

_Sampled = TypeVar("_Sampled")
_DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
# Prometheus waits for seconds, and a database that is well answers in milliseconds.
_DATABASE_S = 0.5
_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


class Occupancy(NamedTuple):
    """The places for requests of one kind."""

    places: int
    in_use: int
    waiting: int


def publish(app: Flask, lanes: Mapping[str, Occupancy]) -> None:
    """Set the metrics of this process that follow from the state of its parts."""
    for lane, found in lanes.items():
        metrics.PLACES.labels(lane).set(found.places)
        metrics.PLACES_IN_USE.labels(lane).set(found.in_use)
        metrics.PLACES_WAITING.labels(lane).set(found.waiting)
    waiting: Places = app.extensions["hksz_waiting_places"]
    metrics.WAITERS.set(waiting.taken)
    metrics.MOST_WAITERS.set(waiting.number)
    exports: Places = app.extensions["hksz_export_places"]
    metrics.EXPORTS.set(exports.taken)
    metrics.MOST_EXPORTS.set(exports.number)
    database: Database = app.extensions["hksz_database"]
    for pool, (in_use, idle) in database.connections.sizes().items():
        metrics.CONNECTIONS.labels(pool, "in_use").set(in_use)
        metrics.CONNECTIONS.labels(pool, "idle").set(idle)


class Sample(NamedTuple):
    """What the database says of itself."""

    horizon_age_s: float
    revisions: tuple[str, ...]
    queues: Mapping[str, int]


class Sampler(Generic[_Sampled]):
    """Asks a server for something, in a thread that may hang as long as the server does."""

    def __init__(self, ask: Callable[[], _Sampled]) -> None:
        self._ask = ask
        self._thread = ThreadPoolExecutor(1, "sample")
        self._lock = Lock()
        self._asked: Future[_Sampled] | None = None

    def sample(self) -> _Sampled | None:
        """What it answers, or ``None`` if it does not answer in time or cannot be used."""
        with self._lock:
            if self._asked is None or self._asked.done():
                self._asked = self._thread.submit(self._ask)
            asked = self._asked
        with suppress(NotInTime, Unavailable, DatabaseUnusable, psycopg.Error):
            return asked.result(_DATABASE_S)
        return None


class Samplers(NamedTuple):
    """What the database and the replica, if there is one, are asked for the metrics."""

    database: Sampler[Sample]
    replica: Sampler[float]

    @classmethod
    def of(cls, app: Flask) -> "Samplers":
        """The samplers of an app."""
        extensions = app.extensions
        return cls(
            Sampler(lambda: _sample(extensions["hksz_database"])),
            Sampler(lambda: age_s(extensions["hksz_replicated_database"].replica)),
        )


def _sample(database: Database) -> Sample:
    found = lengths(database)
    settled = horizon(database)
    age_s = 0.0
    if settled.busy:
        age_s = (found.now - datetime.fromisoformat(settled.position.at)).total_seconds()
    return Sample(max(age_s, 0.0), found.revisions, found.entries)


def exposition(app: Flask) -> bytes:
    """All metrics of the service, in the format of Prometheus."""
    asked = prometheus.CollectorRegistry()
    asked.register(_AskedFor(app.extensions["hksz_samplers"].database))
    has_replica = "hksz_replicated_database" in app.extensions
    asked.register(_OfReplica(app.extensions["hksz_samplers"].replica if has_replica else None))
    directory = os.environ.get(_DIRECTORY)
    if not directory:
        return prometheus.generate_latest(prometheus.REGISTRY) + prometheus.generate_latest(asked)
    counted = prometheus.CollectorRegistry()
    workers = _live_workers(Path(directory))
    MultiProcessCollector(counted)  # type: ignore[no-untyped-call]
    asked.register(_Processes(workers))
    return prometheus.generate_latest(counted) + prometheus.generate_latest(asked)


class _AskedFor(Collector):
    """The metrics that are read when they are asked for."""

    def __init__(self, sampler: Sampler[Sample]) -> None:
        self._sampler = sampler

    def collect(self) -> Iterator[Family]:
        yield _family(metrics.BUILD, [((_version(), platform.python_version()), 1)])
        sample = self._sampler.sample()
        yield _family(metrics.DATABASE_UP, [((), sample is not None)])
        if sample is None:
            return
        yield _family(metrics.HORIZON_AGE, [((), sample.horizon_age_s)])
        yield _family(metrics.QUEUES, [((name,), n) for name, n in sample.queues.items()])
        is_newest = {*sample.revisions} == newest_revisions()
        yield _family(metrics.SCHEMA, [((each,), is_newest) for each in sample.revisions])


class _OfReplica(Collector):
    """How old the answers of the replica are, if there is one and it answers."""

    def __init__(self, sampler: Sampler[float] | None) -> None:
        self._sampler = sampler

    def collect(self) -> Iterator[Family]:
        age_s = self._sampler.sample() if self._sampler else None
        yield _family(metrics.REPLICA_AGE, [] if age_s is None else [((), age_s)])


class _Processes(Collector):
    """The metrics of the processes of the service."""

    def __init__(self, workers: Iterable[int]) -> None:
        self._roles = dict.fromkeys(workers, "worker")
        server = parent_process()
        if server is not None and server.pid is not None:
            self._roles[server.pid] = "server"

    def collect(self) -> Iterator[Family]:
        values: dict[str, list[tuple[tuple[str, ...], float]]] = {}
        for pid, role in self._roles.items():
            for family in _of_process(pid):
                for sample in family.samples:
                    values.setdefault(sample.name, []).append(((str(pid), role), sample.value))
        for name, found in values.items():
            yield _family(metrics.PROCESSES[name], found)


def _of_process(pid: int) -> Iterable[Family]:
    return ProcessCollector(pid=lambda: pid, registry=None).collect()


def _family(
    metric: metrics.Metric, values: Iterable[tuple[tuple[str, ...], float]]
) -> CounterMetricFamily | GaugeMetricFamily:
    family = metric.family()
    for labels, value in values:
        family.add_metric(labels, value)
    return family


def _live_workers(directory: Path) -> list[int]:
    """The workers that have counted something and have not ended; those that have are removed."""
    pids = {int(path.stem.rpartition("_")[2]) for path in directory.glob("*.db")}
    live = {pid for pid in pids if Path(f"/proc/{pid}").exists()}
    for pid in pids - live:
        mark_process_dead(pid, str(directory))  # type: ignore[no-untyped-call]
    return sorted(live)


@cache
def _version() -> str:
    version: str = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["version"]
    return version
