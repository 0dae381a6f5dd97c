"""``/metrics``: what it shows of the workers, the database and the processes."""

import asyncio
import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import prometheus_client
import psycopg
import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from app import create_app
from hksz_db.api.gateway import Gateway
from hksz_db.api.monitoring import _live_workers
from hksz_db.database import Database, prepare
from hksz_db.domain.errors import Cause, Contended, Overloaded, QuotaExceeded, Unavailable
from hksz_db.http import metrics
from hksz_db.http.costs import Cost
from hksz_db.preparing import newest_revisions
from hksz_db.settings import Settings
from tests.api.conftest import Client
from tests.api.test_crowds import ask, slow_lists
from tests.api.test_gateway import SETTINGS, Service, run, until
from tests.api.test_gateway import Client as GatewayClient
from tests.service import running_service

PROMTOOL = shutil.which("promtool")
_BACKEND = prepare(text("SELECT pg_backend_pid()"))


@pytest.fixture(autouse=True)
def _patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine may take long to prepare the first statements."""
    monkeypatch.setattr("hksz_db.api.monitoring._DATABASE_S", 10)


def values(shown: str, name: str) -> dict[str, float]:
    """The values of a metric by its labels."""
    found = re.findall(rf"^{name}(?:{{(.*)}})? (\S+)$", shown, re.MULTILINE)
    return {labels: float(value) for labels, value in found}


def test_the_database_is_described(reader: Client) -> None:
    shown = reader.get("/metrics").text
    assert values(shown, "hksz_database_up") == {"": 1}
    (revision,) = newest_revisions()
    assert values(shown, "hksz_schema_revision") == {f'revision="{revision}"': 1}
    assert values(shown, "hksz_feed_horizon_age_seconds")[""] < 60
    queues = values(shown, "hksz_queue_entries")
    assert {'queue="recounts"', 'queue="stale_searches"'} < {*queues}
    (build,) = values(shown, "hksz_build_info")
    assert re.fullmatch(r'python="3\.\d+\.\d+",version="\d+\.\d+\.\d+"', build)


def test_an_old_schema_is_not_the_newest(reader: Client, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE alembic_version SET version_num = 'older'"))
    shown = reader.get("/metrics").text
    assert values(shown, "hksz_schema_revision") == {'revision="older"': 0}


@pytest.fixture
def impatient(database_url: str) -> Iterator[Database]:
    with closing(Database(lambda: database_url, statement_timeout_ms=1000)) as it:
        yield it


@pytest.fixture
def client(impatient: Database) -> FlaskClient:
    return create_app(Settings(log_level="critical"), impatient).test_client()


def test_a_frozen_database_is_down_within_a_second(
    impatient: Database, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert values(client.get("/metrics").text, "hksz_database_up") == {"": 1}
    monkeypatch.setattr("hksz_db.api.monitoring._DATABASE_S", 0.3)
    ((backend,),) = impatient.read(_BACKEND, {})
    os.kill(backend, signal.SIGSTOP)
    try:
        for _ in range(2):
            began = time.monotonic()
            shown = client.get("/metrics").text
            assert time.monotonic() - began < 1
            assert values(shown, "hksz_database_up") == {"": 0}
            assert values(shown, "hksz_queue_entries") == {}
    finally:
        os.kill(backend, signal.SIGCONT)
    deadline = time.monotonic() + 10
    while values(client.get("/metrics").text, "hksz_database_up") != {"": 1}:
        assert time.monotonic() < deadline


def _refused(cause: str) -> float:
    found = prometheus_client.REGISTRY.get_sample_value
    return found("hksz_refusals_total", {"cause": cause}) or 0


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (Unavailable("The database does not answer."), "database_away"),
        (Unavailable("It is late.", cause=Cause.LATE), "database_late"),
        (Contended("Others were faster."), "contended"),
        (Overloaded("Too many.", Cause.COSTLY_PLACES), "costly_places"),
    ],
)
@pytest.mark.parametrize("path", ["/v1/units", "/claims"])
def test_503_is_counted_by_cause(
    reader: Client, database: Database, monkeypatch: pytest.MonkeyPatch, error, cause, path
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(database, "read", fail)
    before = _refused(cause)
    assert reader.send("GET", path).status_code == 503
    assert _refused(cause) == before + 1


def test_a_statement_that_takes_too_long_is_a_cause(
    reader: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise psycopg.errors.QueryCanceled

    monkeypatch.setattr(database, "read", fail)
    before = _refused("statement_timeout")
    assert reader.send("GET", "/v1/units").status_code == 503
    assert _refused("statement_timeout") == before + 1


def test_429_is_counted_by_quota() -> None:
    def exceeded() -> float:
        found = prometheus_client.REGISTRY.get_sample_value
        return found("hksz_quotas_exceeded_total", {"quota": "key"}) or 0

    before = exceeded()
    metrics.count_refusal(QuotaExceeded("It is used up.", "key", 3))
    assert exceeded() == before + 1


def test_places_are_in_use_and_wanted() -> None:
    service = Service()

    async def asked() -> None:
        served = Gateway(service.app, SETTINGS)
        assert served.occupancy(Cost.COSTLY) == (1, 0, 0)
        slow = asyncio.create_task(GatewayClient(served).get("/slow"))
        await until(service.begun)
        waiting = asyncio.create_task(GatewayClient(served).get("/list"))
        await asyncio.sleep(0.05)
        assert served.occupancy(Cost.COSTLY) == (1, 1, 1)
        assert served.occupancy(Cost.BOUNDED) == (1, 0, 0)
        service.go_on.set()
        await asyncio.gather(slow, waiting)
        assert served.occupancy(Cost.COSTLY) == (1, 0, 0)

    run(asked())


def test_a_worker_that_has_ended_is_no_longer_counted(tmp_path: Path) -> None:
    ended = 2**22 + 1  # above the largest number of a process
    for pid in (os.getpid(), ended):
        for kind in ("counter", "gauge_livesum"):
            (tmp_path / f"{kind}_{pid}.db").touch()
    assert _live_workers(tmp_path) == [os.getpid()]
    left = {path.name for path in tmp_path.iterdir()}
    # What it has counted stays.
    assert f"counter_{ended}.db" in left
    assert f"gauge_livesum_{ended}.db" not in left


@pytest.fixture
def metered(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The URL of a service whose worker counts in files, as with several workers."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    with running_service(database_url, tmp_path / "log") as url:
        yield url


@pytest.mark.slow
def test_a_running_service_shows_its_places_pools_and_processes(
    metered: str, database_url: str
) -> None:
    in_use = 'pool="reads",state="in_use"'
    assert ask(metered, "/v1/units")[0] == 200
    with slow_lists(metered, database_url):
        for _ in range(30):
            shown = ask(metered, "/metrics")[2].decode()
            if values(shown, "hksz_pool_connections").get(in_use, 0) >= 2:
                break
            time.sleep(0.1)
    assert values(shown, "hksz_places_in_use")['lane="costly"'] == 2
    assert values(shown, "hksz_places")['lane="bounded"'] == 2
    assert values(shown, "hksz_pool_connections")[in_use] >= 2
    assert values(shown, "hksz_waiters_limit") == {"": 100}
    memory = values(shown, "process_resident_memory_bytes")
    assert sum('role="worker"' in labels for labels in memory) == 1
    assert min(memory.values()) > 10**6
    declared = {metric.name for metric in metrics.METRICS}
    for name in re.findall("^# TYPE (\\w+) ", shown, re.MULTILINE):
        assert name in declared, name
    if PROMTOOL is not None:
        done = subprocess.run(
            [PROMTOOL, "check", "metrics"], input=shown, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_every_declared_metric_is_shown_by_one_process(reader: Client) -> None:
    shown = reader.get("/metrics").text
    for metric in metrics.METRICS:
        assert f"# HELP {metric.name.removesuffix('_total')}" in shown, metric.name
