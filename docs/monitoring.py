"""Makes the dashboard and the rules of the alerts from the list of the metrics.

``python -m docs.generate`` writes them to ``deploy/grafana/`` and ``deploy/prometheus/``, and what
the alerts mean to the reference.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hksz_db.http.metrics import METRICS, Metric

_DEPLOY = Path(__file__).parents[1] / "deploy"
DASHBOARD = _DEPLOY / "grafana" / "hksz.json"
RULES = _DEPLOY / "prometheus" / "hksz.rules.yml"
JOB = "hksz"
"""The job of the service in the configuration of Prometheus."""

_COLUMNS, _WIDTH, _HEIGHT = 2, 12, 8
_READ_BY_ID = 'method="GET",route=~"/v1/[a-z]+/<uuid:id>"'


@dataclass(frozen=True)
class Alert:
    """A rule: if ``condition`` holds for so many minutes, somebody is told.

    ``severity`` is ``critical`` if people must act at once, otherwise ``warning``.
    """

    name: str
    condition: str
    minutes: int
    severity: str
    summary: str
    action: str


ALERTS = (
    Alert(
        "HkszDown",
        f'up{{job="{JOB}"}} == 0',
        1,
        "critical",
        "The service does not answer.",
        "Look at the log of the service and whether its process runs. A second start on the same"
        " port, an unknown setting and an old PostgreSQL each end it with one sentence.",
    ),
    Alert(
        "HkszDatabaseDown",
        "hksz_database_up == 0",
        1,
        "critical",
        "The database does not answer, and most requests are answered with 503.",
        "`/readyz` says why. Look whether the database runs, whether its address is right, and"
        " whether it has connections left (`max_connections`). During a failover of Patroni this"
        " takes up to half a minute.",
    ),
    Alert(
        "HkszFails",
        'sum(rate(hksz_requests_total{status="500"}[5m])) > 0',
        5,
        "critical",
        "Requests are answered with 500.",
        "That is a fault of the software. The log has `request_failed` with the request and the"
        " reason; report it.",
    ),
    Alert(
        "HkszSchemaNotCurrent",
        "hksz_schema_revision == 0",
        10,
        "warning",
        "The schema of the database is not that of this release.",
        "Run `python app.py prepare`, or start the release that the schema belongs to.",
    ),
    Alert(
        "HkszRefuses",
        "sum by (cause) (rate(hksz_refusals_total[5m])) > 0.1",
        5,
        "warning",
        "More than one request in ten seconds is answered with 503: {{ $labels.cause }}.",
        "`costly_places`: see HkszCostlyPlacesFull. `export_places`: others export; mirrors should"
        " follow the feed. `waiting_places`: more followers wait than `HKSZ_MAX_WAITERS` allows."
        " `bodies`: large imports at the same time. `statement_timeout`: the log has"
        " `slow_statement`. `contended`: writers change the same rows. `database_away`,"
        " `database_late`: see HkszDatabaseDown. `database_read_only`: the service is connected to"
        " a standby. `disk_full`: make room at once. `schema`: see HkszSchemaNotCurrent.",
    ),
    Alert(
        "HkszCostlyPlacesFull",
        'min_over_time(hksz_places_waiting{lane="costly"}[10m]) > 0',
        5,
        "warning",
        "Lists and searches have waited for a place for ten minutes.",
        "Find out who asks for what (log of the proxy), and lower `HKSZ_LIMIT_ADDRESS`, or raise"
        " `HKSZ_COSTLY_THREADS` if the database has idle processors.",
    ),
    Alert(
        "HkszSlow",
        "histogram_quantile(0.99, sum by (le)"
        f" (rate(hksz_request_seconds_bucket{{{_READ_BY_ID}}}[10m]))) > 0.25",
        10,
        "warning",
        "One read by id in a hundred takes longer than a quarter of a second.",
        "It usually takes a millisecond. Look at the load of the service and of the database, and"
        " for `slow_statement` in the log.",
    ),
    Alert(
        "HkszFeedHeldBack",
        "hksz_feed_horizon_age_seconds > 60",
        5,
        "warning",
        "A transaction has been committing for more than a minute, and the feed waits for it.",
        "Look for a `COMMIT` that hangs (`pg_stat_activity`), for example because a synchronous"
        " standby is away.",
    ),
    Alert(
        "HkszReplicaBehind",
        "hksz_replica_age_seconds > 30",
        5,
        "warning",
        "The replica shows what was half a minute ago or earlier, and answers most reads with it.",
        "Look at `pg_stat_wal_receiver` on the replica: whether it receives, and whether a long"
        " statement there holds up what it applies. Without `HKSZ_READ_DATABASE_URL` the database"
        " itself answers.",
    ),
    Alert(
        "HkszQueueNotEmpty",
        "min_over_time(hksz_queue_entries[1h]) > 0",
        60,
        "warning",
        "The queue {{ $labels.queue }} has not been empty for two hours.",
        "Recounts after a change of a source with 100,000 claims take a minute. If the log has"
        " `queue_entry_failed` or `work_failed`, it says why; otherwise look whether a server runs,"
        " or run `flask work`.",
    ),
    Alert(
        "HkszExportsFail",
        'sum(increase(hksz_answers_broken_off_total{cause="failed"}[1h])) > 0',
        0,
        "warning",
        "An export failed halfway.",
        "The log has `broken_off` with the request and the reason. The client has a file that ends"
        " visibly too early.",
    ),
    Alert(
        "HkszWaitersFull",
        "hksz_waiters / hksz_waiters_limit > 0.9",
        10,
        "warning",
        "Nearly as many clients wait for changes as may.",
        "Raise `HKSZ_MAX_WAITERS` (each takes a thread), or start more workers.",
    ),
    Alert(
        "HkszKeyUsedUp",
        'sum(rate(hksz_quotas_exceeded_total{quota="key"}[15m])) > 0.1',
        15,
        "warning",
        "Somebody with a key asks for more than the quota of the key.",
        "The log has `quota_exceeded` with the label of the key. Give it a quota of its own"
        " (`flask keys quota`), or talk to its holder.",
    ),
    Alert(
        "HkszDescriptorsRunOut",
        "process_open_fds / process_max_fds > 0.8",
        5,
        "warning",
        "A process has used four fifths of its file descriptors.",
        "Many clients are connected. Limit connections in the proxy, or raise `LimitNOFILE` in the"
        " unit of systemd.",
    ),
)
"""The alerts, the most urgent first."""


def files() -> Mapping[Path, str]:
    """The dashboard and the rules, as they should be."""
    return {
        DASHBOARD: json.dumps(_dashboard(), indent=2, ensure_ascii=False) + "\n",
        RULES: "\n".join(_rules()) + "\n",
    }


def _rules() -> Iterator[str]:
    yield "# Written by `python -m docs.generate` from docs/monitoring.py."
    yield "groups:"
    yield f"  - name: {JOB}"
    yield "    rules:"
    for alert in ALERTS:
        yield f"      - alert: {alert.name}"
        yield f"        expr: {json.dumps(alert.condition)}"
        yield f"        for: {alert.minutes}m"
        yield f"        labels: {{severity: {alert.severity}}}"
        yield "        annotations:"
        yield f"          summary: {json.dumps(alert.summary)}"
        yield f"          description: {json.dumps(alert.action)}"


def _dashboard() -> dict[str, object]:
    return {
        "title": "HKSZ claims",
        "uid": "hksz",
        "schemaVersion": 39,
        "refresh": "30s",
        "time": {"from": "now-6h", "to": "now"},
        "templating": {
            "list": [{"name": "source", "type": "datasource", "query": "prometheus"}],
        },
        "panels": [_panel(number, metric) for number, metric in enumerate(METRICS)],
    }


def _panel(number: int, metric: Metric) -> dict[str, object]:
    row, column = divmod(number, _COLUMNS)
    return {
        "id": number + 1,
        "type": "timeseries",
        "title": metric.name,
        "description": metric.about,
        "datasource": {"type": "prometheus", "uid": "${source}"},
        "gridPos": {"x": column * _WIDTH, "y": row * _HEIGHT, "w": _WIDTH, "h": _HEIGHT},
        "fieldConfig": {"defaults": {"unit": metric.unit, "min": 0}, "overrides": []},
        "targets": [{"refId": "A", "expr": metric.query.format(metric.name)}],
    }
