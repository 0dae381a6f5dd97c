"""The disk of the data, or of the WAL, is full for a while."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.operating.load import Load, Outcome, under_load
from tests.operating.places import Place, Skipped, can_mount, wait_until
from tests.operating.postgres import NAME, Postgres, create_database
from tests.operating.services import serving

_SIZE_MB = 192
_PHASE_S = 4.0
_FULL_S = 8.0
_WITHIN_S = 60.0
_BLOCK = bytes(2**16)
# As with an archive or a standby that has stopped, no file of the WAL is used again.
_KEPT_WAL = {"wal_keep_size": "1GB", "min_wal_size": "2MB"}


def of_data(place: Place) -> Outcome:
    """No file of the database can grow; the WAL is elsewhere."""
    with _disk(place, "data-disk") as disk:
        wal = place.new_folder("wal") / "wal"
        server = Postgres(place, disk / "data")
        server.initialise(f"--waldir={wal}")
        return _filled(server, disk, f"of the data, for {_FULL_S:.0f} s")


def of_wal(place: Place) -> Outcome:
    """PostgreSQL can write no WAL, so it stops; it is started again when there is room."""
    with _disk(place, "wal-disk") as disk:
        server = Postgres(place, place.new_folder("full-wal") / "data", _KEPT_WAL)
        server.initialise(f"--waldir={disk / 'wal'}", "--wal-segsize=1")
        return _filled(server, disk, f"of the WAL, for {_FULL_S:.0f} s")


@contextmanager
def _disk(place: Place, name: str) -> Iterator[Path]:
    """A small file system in memory. Raises ``Skipped`` if it cannot be mounted."""
    if not can_mount():
        raise Skipped("disk full: only root can mount a small file system")
    folder = place.new_folder(name)
    options = f"size={_SIZE_MB}m,uid={place.account.uid},gid={place.account.gid},mode=700"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "hksz-drill", folder],
        capture_output=True,
        text=True,
        check=False,
    )
    if mounted.returncode:
        raise Skipped(f"disk full: {mounted.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)


def _filled(server: Postgres, disk: Path, note: str) -> Outcome:
    """Fill the disk while clients work, and make room again."""
    with server.running():
        key = create_database(server.url("postgres"), server.url(user=NAME))
        with serving(server.url(user=NAME), key, server.place.folder) as service:
            with under_load(service) as load:
                time.sleep(_PHASE_S)
                ballast = disk / "ballast"
                _keep_full(ballast)
                ballast.unlink()
                if server.process and server.process.poll() is not None:
                    server.start()
                wait_until(lambda: _grows(load), _WITHIN_S, "a write after there is room")
                time.sleep(_PHASE_S)
            return load.outcome(server.url(), note)


def _grow(ballast: Path) -> None:
    """Take all room that there is."""
    with ballast.open("ab", buffering=0) as file:
        try:
            while file.write(_BLOCK):
                pass
        except OSError:
            return


def _keep_full(ballast: Path) -> None:
    """Take what becomes free until the time is over."""
    ends = time.monotonic() + _FULL_S
    while time.monotonic() < ends:
        _grow(ballast)
        time.sleep(0.2)


def _grows(load: Load) -> bool:
    before = len(load.acknowledged)
    time.sleep(1)
    return len(load.acknowledged) > before
