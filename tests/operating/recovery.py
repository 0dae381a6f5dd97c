"""Restoring: to a moment from base backups and archived WAL, and from a dump."""

import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import psycopg

from tests.operating.load import Load, Outcome, under_load
from tests.operating.places import Failed, Place, wait_until
from tests.operating.postgres import NAME, Postgres, create_empty, prepared, query, running
from tests.operating.services import Service, serving

_PHASE_S = 4.0
_WITHIN_S = 30.0
_COMPARED = ("claims", "past.claims", "changes", "transactions", "idempotency_keys")


def point_in_time(place: Place) -> Outcome:
    """Restore to a moment amid the writes, from a full and an incremental backup."""
    archive = place.new_folder("archive")
    settings = {
        "archive_mode": "on",
        "archive_command": f"test ! -f {archive}/%f && cp %p {archive}/%f",
        "summarize_wal": "on",
    }
    with _served(place, "backed-up", settings) as (server, service):
        with under_load(service) as load:
            time.sleep(_PHASE_S)
            full = _back_up(server, "full")
            time.sleep(_PHASE_S)
            later = _back_up(server, "incremental", f"--incremental={full}/backup_manifest")
            time.sleep(_PHASE_S)
            moment = time.time()
            time.sleep(_PHASE_S)
        outcome = load.outcome(server.url())
        _archive_everything(server)
        began = time.monotonic()
        restored = _combined(place, (full, later), archive, moment)
        with restored.running():
            wait_until(lambda: _takes_writes(restored), _WITHIN_S, "the end of recovery")
            took = f"restored in {time.monotonic() - began:.0f} s"
            if newest := restored.query(
                f"SELECT FROM claims WHERE created_at > to_timestamp({moment})"
            ):
                raise Failed(f"{len(newest)} claims are younger than the moment of recovery")
            return _compared(load, outcome, server, restored.url(), moment, took)


def dump(place: Place) -> Outcome:
    """Dump during the writes, and restore into an empty database of another server."""
    with _served(place, "dumped") as (server, service):
        with under_load(service) as load:
            time.sleep(_PHASE_S)
            moment = time.time()
            file = place.new_folder("dump") / "hksz.dump"
            place.run("pg_dump", "--format=custom", f"--file={file}", server.url())
            time.sleep(_PHASE_S)
        outcome = load.outcome(server.url())
        began = time.monotonic()
        with running(place, "restored") as target:
            create_empty(target.url("postgres"))
            place.run("pg_restore", "--exit-on-error", f"--dbname={target.url()}", file)
            took = f"restored in {time.monotonic() - began:.0f} s"
            return _compared(load, outcome, server, target.url(), moment, took)


@contextmanager
def _served(
    place: Place, name: str, settings: dict[str, str] | None = None
) -> Iterator[tuple[Postgres, Service]]:
    with (
        prepared(place, name, settings) as (server, key),
        serving(server.url(user=NAME), key, place.folder) as service,
    ):
        yield server, service


def _back_up(server: Postgres, name: str, *options: str) -> Path:
    target = server.place.new_folder(name)
    where = (f"--dbname={server.url('postgres')}", f"--pgdata={target}", "--checkpoint=fast")
    server.place.run("pg_basebackup", *where, "--no-sync", *options)
    return target


def _archive_everything(server: Postgres) -> None:
    ((name,),) = server.query("SELECT pg_walfile_name(pg_switch_wal())", "postgres")
    asked = f"SELECT last_archived_wal >= '{name}' FROM pg_stat_archiver"
    wait_until(lambda: server.query(asked) == [(True,)], _WITHIN_S, "the archive of all WAL")


def _combined(place: Place, backups: tuple[Path, ...], archive: Path, moment: float) -> Postgres:
    """A server on the combined backups, which will recover up to the moment."""
    data = place.new_folder("combined") / "data"
    place.run("pg_combinebackup", "--no-sync", f"--output={data}", *backups)
    signal = data / "recovery.signal"
    signal.touch()
    place.hand_over(signal)
    settings = {
        "restore_command": f"cp {archive}/%f %p",
        "recovery_target_time": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(moment))
        + f"{moment % 1:.6f}".removeprefix("0"),
        "recovery_target_action": "promote",
    }
    return Postgres(place, data, settings)


def _takes_writes(server: Postgres) -> bool:
    with suppress(psycopg.OperationalError):
        return server.query("SELECT pg_is_in_recovery()") == [(False,)]
    return False


def _compared(
    load: Load, outcome: Outcome, server: Postgres, restored: str, moment: float, note: str
) -> Outcome:
    """The outcome of restoring: what was acknowledged before the moment and is not there is lost.

    What is restored must be among the rows of the server. Raises ``Failed`` if a service cannot
    serve it.
    """
    lost = load.lost(load.stored(restored), before=moment)
    differing = sum(len(_rows(restored, table) - _rows(server.url(), table)) for table in _COMPARED)
    user = restored.replace("postgres@", f"{NAME}@")
    with serving(user, load.service.key, server.place.folder, workers=1) as service:
        with under_load(service, writers=1) as again:
            time.sleep(1)
        after = again.outcome(restored)
    if not after.holds:
        raise Failed(f"what was restored cannot be used: {after}")
    return replace(
        outcome, lost=outcome.lost + lost, differing=outcome.differing + differing, note=note
    )


def _rows(url: str, table: str) -> set[str]:
    found = query(url, f"SELECT to_jsonb(stored)::text FROM {table} AS stored")
    return {str(row) for (row,) in found}
