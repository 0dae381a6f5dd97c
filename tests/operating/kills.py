"""Workers of the service and backends of PostgreSQL are killed while clients write."""

import time
from itertools import count

from tests.operating.load import Load, Outcome, under_load
from tests.operating.places import Failed, Place, kill, wait_until
from tests.operating.postgres import NAME, Postgres, prepared
from tests.operating.services import Service, serving

KILLS = 200
# In each turn, a worker and then those that replace it, after these pauses.
_PAUSES_S = (0.0, 0.3, 0.3, 0.3)
_WRITES_BETWEEN = 10
_WITHIN_S = 60.0
_AFTER_S = 3.0
# If one ended by SIGKILL, PostgreSQL would end all others, too: that is a drill of failover.
_END_BACKEND = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    f" WHERE backend_type = 'client backend' AND usename = '{NAME}' ORDER BY random() LIMIT 1"
)


def workers_and_backends(place: Place) -> Outcome:
    """Workers are killed by turns, each together with those that have just replaced it."""
    with (
        prepared(place, "kills") as (server, key),
        serving(server.url(user=NAME), key, place.folder) as service,
    ):
        with under_load(service) as load:
            workers, backends = _kill_often(server, service, load)
            time.sleep(_AFTER_S)
        if service.process.poll() is not None:
            raise Failed("the service has ended")
        return load.outcome(server.url(), f"{workers} workers, {backends} backends")


def _kill_often(server: Postgres, service: Service, load: Load) -> tuple[int, int]:
    """Kill until both numbers together are enough; a kill that finds nothing does not count."""
    workers = backends = 0
    for turn in count():
        _wait_for_writes(load)
        for pause in _PAUSES_S:
            if workers + backends >= KILLS:
                return workers, backends
            time.sleep(pause)
            # A worker that replaces another is the youngest.
            living = sorted(service.workers())
            chosen = living[-1:] if pause or turn % 2 else living[:1]
            kill(*chosen)
            workers += len(chosen)
            backends += len(server.query(_END_BACKEND))
    raise AssertionError("count() does not end")


def _wait_for_writes(load: Load) -> None:
    enough = len(load.acknowledged) + _WRITES_BETWEEN
    wait_until(lambda: len(load.acknowledged) >= enough, _WITHIN_S, "writes between the kills")
