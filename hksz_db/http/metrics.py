"""The metrics of the service. Everything that shows or explains them is made from this list.

``docs/monitoring.py`` makes the reference, the dashboard and the rules of the alerts.
"""

from dataclasses import dataclass
from enum import StrEnum

import prometheus_client as prometheus
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily

from hksz_db.domain.errors import DomainError, Overloaded, QuotaExceeded, Unavailable

_declared: list["Metric"] = []


class Kind(StrEnum):
    """What a metric is to Prometheus."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True)
class Metric:
    """A metric, and the query by which the dashboard shows it.

    In ``query``, ``{}`` stands for the name. ``unit`` is one of Grafana.
    """

    name: str
    kind: Kind
    about: str
    labels: tuple[str, ...]
    query: str
    unit: str = "short"

    def family(self) -> CounterMetricFamily | GaugeMetricFamily:
        """The metric without values, for one that is read when it is asked for."""
        made = CounterMetricFamily if self.kind is Kind.COUNTER else GaugeMetricFamily
        return made(self.name, self.about, labels=self.labels)


def _declare(metric: Metric) -> Metric:
    _declared.append(metric)
    return metric


def _counter(name: str, about: str, labels: tuple[str, ...], query: str) -> prometheus.Counter:
    _declare(Metric(name, Kind.COUNTER, about, labels, query))
    return prometheus.Counter(name, about, labels)


def _gauge(name: str, about: str, labels: tuple[str, ...], query: str) -> prometheus.Gauge:
    """A gauge that each worker sets; its value is the sum of those that live."""
    _declare(Metric(name, Kind.GAUGE, about, labels, query))
    return prometheus.Gauge(name, about, labels, multiprocess_mode="livesum")


def _histogram(name: str, about: str, labels: tuple[str, ...], query: str) -> prometheus.Histogram:
    _declare(Metric(name, Kind.HISTOGRAM, about, labels, query, "s"))
    return prometheus.Histogram(name, about, labels)


def _read(
    name: str, about: str, labels: tuple[str, ...], query: str, unit: str = "short"
) -> Metric:
    """A metric that is read when it is asked for."""
    kind = Kind.COUNTER if name.endswith("_total") else Kind.GAUGE
    return _declare(Metric(name, kind, about, labels, query, unit))


REQUESTS = _counter(
    "hksz_requests_total",
    "Requests answered.",
    ("method", "route", "status"),
    "sum by (status) (rate({}[5m]))",
)
SECONDS = _histogram(
    "hksz_request_seconds",
    "Time to an answer; of an export, to its beginning.",
    ("method", "route"),
    "histogram_quantile(0.99, sum by (le, route) (rate({}_bucket[5m])))",
)
REFUSALS = _counter(
    "hksz_refusals_total",
    "Requests answered with 503, by cause.",
    ("cause",),
    "sum by (cause) (rate({}[5m]))",
)
QUOTAS_EXCEEDED = _counter(
    "hksz_quotas_exceeded_total",
    "Requests answered with 429, by the quota that was used up.",
    ("quota",),
    "sum by (quota) (rate({}[5m]))",
)
BROKEN_OFF = _counter(
    "hksz_answers_broken_off_total",
    "Exports that ended before they were complete, by cause.",
    ("cause",),
    "sum by (cause) (rate({}[5m]))",
)
PLACES = _gauge(
    "hksz_places",
    "Requests that can be processed at the same time, by lane.",
    ("lane",),
    "{}",
)
PLACES_IN_USE = _gauge(
    "hksz_places_in_use", "Requests that are processed, by lane.", ("lane",), "{}"
)
PLACES_WAITING = _gauge(
    "hksz_places_waiting", "Requests that wait for a place, by lane.", ("lane",), "{}"
)
WAITERS = _gauge(
    "hksz_waiters", "Requests that wait for changes (`GET /v1/changes?wait=…`).", (), "{}"
)
MOST_WAITERS = _gauge(
    "hksz_waiters_limit", "Requests that may wait for changes (`HKSZ_MAX_WAITERS`).", (), "{}"
)
EXPORTS = _gauge("hksz_exports", "Exports that are being sent.", (), "{}")
MOST_EXPORTS = _gauge("hksz_exports_limit", "Exports that can be sent at the same time.", (), "{}")
CONNECTIONS = _gauge(
    "hksz_pool_connections",
    "Connections to the database, by pool, and whether they are `in_use` or `idle`.",
    ("pool", "state"),
    "{}",
)
DATABASE_UP = _read(
    "hksz_database_up",
    "1 if the database has answered half a second after it was asked for this, otherwise 0; the"
    " metrics that it gives are missing then.",
    (),
    "{}",
)
HORIZON_AGE = _read(
    "hksz_feed_horizon_age_seconds",
    "How long a transaction that is committing has held back the feed; 0 if there is none.",
    (),
    "{}",
    "s",
)
REPLICA_AGE = _read(
    "hksz_replica_age_seconds",
    "How long ago what the replica shows was the present; 0 if it has applied all that it has"
    " received. Missing without a replica, and while it does not answer.",
    (),
    "{}",
    "s",
)
QUEUES = _read(
    "hksz_queue_entries",
    "Entries that wait to be worked off in the background, by queue.",
    ("queue",),
    "{}",
)
SCHEMA = _read(
    "hksz_schema_revision",
    "1 if the revision of the schema is the newest that this software knows, otherwise 0.",
    ("revision",),
    "{}",
)
BUILD = _read(
    "hksz_build_info",
    "1; the labels are the versions of the software and of Python.",
    ("version", "python"),
    "{}",
)
_OF_PROCESS = ("pid", "role")
PROCESSES = {
    metric.name: metric
    for metric in (
        _read("process_resident_memory_bytes", "Memory in use.", _OF_PROCESS, "{}", "bytes"),
        _read("process_virtual_memory_bytes", "Memory reserved.", _OF_PROCESS, "{}", "bytes"),
        _read(
            "process_cpu_seconds_total",
            "Processor time used.",
            _OF_PROCESS,
            "rate({}[5m])",
            "percentunit",
        ),
        _read("process_open_fds", "Descriptors in use.", _OF_PROCESS, "{}"),
        _read("process_max_fds", "Descriptors that can be used.", _OF_PROCESS, "{}"),
        _read(
            "process_start_time_seconds",
            "When the process began, in seconds since 1970.",
            _OF_PROCESS,
            "time() - {}",
            "s",
        ),
    )
}
"""The metrics of each process, by name; ``role`` is ``server`` or ``worker``."""

METRICS = tuple(_declared)
"""All metrics, in the order in which they are shown."""


def count_refusal(error: DomainError) -> None:
    """Count a request that was refused for want of places, of the database or of quota."""
    match error:
        case Unavailable() | Overloaded():
            REFUSALS.labels(error.cause).inc()
        case QuotaExceeded():
            QUOTAS_EXCEEDED.labels(error.quota).inc()
