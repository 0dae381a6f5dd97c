"""``python -m tests.operating``: holds the drills on loopback and prints a table of them."""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from tests.operating import disk, failover, kills, recovery, upgrades
from tests.operating.load import WRITERS, Outcome
from tests.operating.places import ROOT, Failed, Place, Skipped
from tests.operating.report import Row, table, write

_PAGE = ROOT / "docs/reference/drills.md"
_TOOLS = Path("/tmp/hksz-drill-tools")


def main(arguments: Sequence[str]) -> int:
    """Hold the drills; 1 if one has failed."""
    options = _parser().parse_args(arguments)
    # SIGTERM too stops the servers that have been started.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="hksz-drill-", dir="/tmp") as name:
        # For root, servers run under another account, which needs access.
        Path(name).chmod(0o755)
        place = Place.at(Path(name), options.tools)
        rows = [
            _held(drill, partial(hold, place))
            for drill, hold in _OTHERS.items()
            if options.only in drill
        ]
        if wanted := [drill for drill in _FAILOVERS if options.only in drill]:
            rows += _failovers(place, wanted)
    sys.stdout.write(table(rows))
    if not options.only:
        write(_PAGE, table(rows), WRITERS)
    return int(any(row.is_bad for row in rows))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.operating", description=__doc__)
    add = parser.add_argument
    add("--only", default="", help="hold the drills with this in their name, and write no page")
    add("--tools", type=Path, default=_TOOLS, help=f"where tools are kept ({_TOOLS})")
    return parser


_FAILOVERS = {
    "PostgreSQL killed": failover.server_killed,
    "node death": failover.node_dead,
    "switchover": failover.switchover,
    "etcd away": failover.etcd_away,
}
_OTHERS = {
    "migration undone and run again": upgrades.migrations,
    "workers replaced": upgrades.workers,
    "workers and backends killed": kills.workers_and_backends,
    "point-in-time recovery": recovery.point_in_time,
    "pg_dump and pg_restore": recovery.dump,
    "disk of the data full": disk.of_data,
    "disk of the WAL full": disk.of_wal,
}


def _failovers(place: Place, wanted: Sequence[str]) -> Iterator[Row]:
    """Hold these drills of one cluster, or say why none is possible."""
    try:
        with failover.cluster(place) as made:
            for drill in wanted:
                yield _held(drill, partial(_FAILOVERS[drill], *made))
    except Skipped as reason:
        for drill in wanted:
            yield Row(drill, None, str(reason))


def _held(drill: str, hold: Callable[[], Outcome]) -> Row:
    """Hold a drill, and say on stderr that it begins and how it has ended."""
    _say(f"{drill} …")
    began = time.monotonic()
    try:
        row = Row(drill, hold())
    except Skipped as reason:
        row = Row(drill, None, str(reason))
    except Failed as reason:
        row = Row(drill, None, str(reason), failed=True)
    _say(f"  {time.monotonic() - began:.0f} s: {row.outcome or row.reason}")
    return row


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
