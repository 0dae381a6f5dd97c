"""The schema is taken back and migrated again, and the workers are replaced, under load."""

import signal
import subprocess
import sys
import time

from tests.operating.load import Outcome, under_load
from tests.operating.places import ROOT, Failed, Place, wait_until
from tests.operating.postgres import NAME, prepared
from tests.operating.services import Service, serving

_ROUNDS = 2
_PHASE_S = 2.0
_WITHIN_S = 120.0


def migrations(place: Place) -> Outcome:
    """The newest migration is undone and run again while clients work."""
    with prepared(place, "migrated") as (server, key):
        owner = server.url(user=NAME)
        with serving(owner, key, place.folder) as service:
            with under_load(service) as load:
                for _ in range(_ROUNDS):
                    time.sleep(_PHASE_S)
                    _alembic(owner, "downgrade", "-1")
                    time.sleep(_PHASE_S)
                    _alembic(owner, "upgrade", "head")
            return load.outcome(server.url(), f"the newest migration, {_ROUNDS} times")


def workers(place: Place) -> Outcome:
    """The workers are replaced by new ones, as after an update of the code."""
    with (
        prepared(place, "updated") as (server, key),
        serving(server.url(user=NAME), key, place.folder) as service,
    ):
        with under_load(service) as load:
            time.sleep(_PHASE_S)
            _replace_workers(service)
            time.sleep(_PHASE_S)
        return load.outcome(server.url(), "SIGHUP")


def _alembic(url: str, *arguments: str) -> None:
    command = [sys.executable, "-m", "alembic", *arguments]
    environment = {"DATABASE_URL": url, "PATH": "/usr/bin:/bin"}
    finished = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    if finished.returncode:
        raise Failed(f"alembic {' '.join(arguments)} failed: {finished.stderr[-300:]}")


def _replace_workers(service: Service) -> None:
    old = set(service.workers())
    service.process.send_signal(signal.SIGHUP)
    wait_until(
        lambda: len(service.workers()) == len(old) and not old & set(service.workers()),
        _WITHIN_S,
        "new workers",
    )
