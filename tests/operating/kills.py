"""Workers of the service and backends of PostgreSQL are killed while clients write."""

import time
from itertools import cycle

from tests.operating.load import Outcome, under_load
from tests.operating.places import Failed, Place, kill
from tests.operating.postgres import NAME, Postgres, prepared
from tests.operating.services import Service, serving

KILLS = 200
_EVERY_S = 0.4
_AFTER_S = 3.0
# If one ended by SIGKILL, PostgreSQL would end all others, too: that is a drill of failover.
_END_BACKEND = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    f" WHERE backend_type = 'client backend' AND usename = '{NAME}' ORDER BY random() LIMIT 1"
)


def workers_and_backends(place: Place) -> Outcome:
    """Every other kill ends a worker, however young it is, and the others end a backend."""
    with (
        prepared(place, "kills") as (server, key),
        serving(server.url(user=NAME), key, place.folder) as service,
    ):
        with under_load(service) as load:
            workers, backends = _kill_often(server, service)
            time.sleep(_AFTER_S)
        if service.process.poll() is not None:
            raise Failed("the service has ended")
        return load.outcome(server.url(), f"{workers} workers, {backends} backends")


def _kill_often(server: Postgres, service: Service) -> tuple[int, int]:
    """Kill until both numbers together are enough; a kill that finds nothing does not count."""
    workers = backends = 0
    for turn in cycle(range(4)):
        if workers + backends >= KILLS:
            return workers, backends
        time.sleep(_EVERY_S)
        if turn % 2:
            backends += len(server.query(_END_BACKEND))
        else:
            # The first and the last in turn: each lives for less than two seconds.
            living = service.workers()
            chosen = living[:1] if turn else living[-1:]
            kill(*chosen)
            workers += len(chosen)
    raise AssertionError("unreachable")
