"""``python -m benchmarks.exchange``: measures the speed and memory of imports and exports.

Claims with a figure, a piece of evidence and two entities each are written by single requests, by
requests with a thousand items (``bulk``) and from a file (``flask import``). They are exported in
every format and as a dump, with the programs that users run. Memory is the peak resident size of
the process; for requests, of the largest worker.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks import dataset
from benchmarks.questions import Ask
from benchmarks.servers import Server, this_service
from hksz_db import embedded
from hksz_db.exchange.exporting import FORMATS, formats_for
from hksz_db.queries.registry import RESOURCES

_ROOT = Path(__file__).resolve().parents[1]
_BATCH = 1_000
_SINGLE = 500
_MB = 1_000_000


@dataclass(frozen=True)
class Measured:
    """The run time of a program in seconds, and its peak memory in bytes."""

    seconds: float
    memory: int


def main(arguments: Sequence[str]) -> int:
    """Measure, and print a line for each case."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.exchange", description=__doc__)
    parser.add_argument("--claims", type=int, default=100_000)
    claims: int = parser.parse_args(arguments).claims
    with tempfile.TemporaryDirectory(prefix="hksz-benchmark-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        print(f"{'case':24}  claims / second      MB/s  memory MB")
        with embedded.running(folder / "requests") as database:
            _run(database, "app.py", "prepare")
            _measure_requests(database, folder, claims)
        with embedded.running(folder / "files") as database:
            _run(database, "app.py", "prepare")
            _measure_import(database, folder, claims)
            _measure_exports(database, folder, claims)
        with embedded.running(folder / "loaded") as database:
            _run(database, "-m", "alembic", "upgrade", "head")
            _measure_file(database, "load", folder / "dump", claims)
    return 0


def _measure_requests(database: embedded.Server, folder: Path, claims: int) -> None:
    key = dataset.new_key(database.url())
    with this_service(database.url(), key, folder) as server:
        begun = time.monotonic()
        for body in bodies(claims, _SINGLE):
            server.answer(Ask("POST", "/v1/claims", body))
        _print("one claim per request", _SINGLE, time.monotonic() - begun)
        sent = 0
        begun = time.monotonic()
        for start in range(0, claims, _BATCH):
            ask = Ask("POST", "/v1/claims/bulk?mode=create", {"items": list(bodies(start, _BATCH))})
            sent += len(json.dumps(ask.body))
            meta = server.answer(ask)["meta"]
            assert meta["created"] == _BATCH, meta
        seconds = time.monotonic() - begun
        _print("1,000 claims per request", claims, seconds, sent, _memory_of_workers(server))


def _measure_import(database: embedded.Server, folder: Path, claims: int) -> None:
    file = folder / "claims.ndjson"
    with file.open("w", encoding="utf-8") as output:
        output.writelines(f"{json.dumps(body)}\n" for body in bodies(0, claims))
    _measure_file(database, "import", file, claims, "--resource", "claims")


def _measure_exports(database: embedded.Server, folder: Path, claims: int) -> None:
    for name in FORMATS:
        if name in formats_for(RESOURCES["claims"]):
            file, options = folder / name, ("claims", "--format", name, "--output")
            run = _run(database, "-m", "flask", "export", *options, str(file))
            _print(f"export {name}", claims, run.seconds, file.stat().st_size, run.memory)
    _measure_file(database, "dump", folder / "dump", claims)


def _measure_file(
    database: embedded.Server, command: str, file: Path, claims: int, *options: str
) -> None:
    run = _run(database, "-m", "flask", command, str(file), *options)
    _print(command, claims, run.seconds, file.stat().st_size, run.memory)


def _run(database: embedded.Server, *arguments: str) -> Measured:
    """Run a program. Raises ``CalledProcessError`` if it fails."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HKSZ_", "DATABASE_URL"))}
    environment = {**kept, "DATABASE_URL": database.url()}
    command = [sys.executable, *arguments]
    begun = time.monotonic()
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(
            command, cwd=_ROOT, env=environment, stdout=output, stderr=output
        )
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - begun
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            output.seek(0)
            sys.stderr.write(output.read().decode(errors="replace")[-2000:])
            raise subprocess.CalledProcessError(process.returncode, command)
    return Measured(seconds, usage.ru_maxrss * 1024)


def _memory_of_workers(server: Server) -> int:
    """The peak memory of the largest process of the server, in bytes."""
    return max(
        int(line.split()[1]) * 1024
        for process in server.processes()
        for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines()
        if line.startswith("VmHWM")
    )


def _print(
    case: str, claims: int, seconds: float, size: int | None = None, memory: int | None = None
) -> None:
    rate = "" if size is None else f"{size / seconds / _MB:.1f}"
    peak = "" if memory is None else f"{memory / _MB:.0f}"
    print(f"{case:24}  {claims / seconds:15,.0f}  {rate:>8}  {peak:>9}", flush=True)


def bodies(start: int, number: int) -> Iterator[dict[str, Any]]:
    """Bodies of claims, numbered from ``start``."""
    for n in range(start, start + number):
        yield {
            "external_id": f"bench:claim-{n}",
            "statement": f"In its ward {n % 977} the city counted {n} new laboratories.",
            "claimant_external_id": "hksz:hksar-government",
            "time_edtf": str(2000 + n % 24),
            "topics": ["laboratories"],
            "entities": [
                {"entity_external_id": "hksz:hong-kong", "role": "location"},
                {"entity_external_id": "hksz:shenzhen", "role": "subject"},
            ],
            "figures": [
                {
                    "metric_external_id": "hksz:metric-ttps-approved",
                    "subject_external_id": "hksz:ttps",
                    "as_stated": str(n),
                    "comparator": "eq",
                    "amount": str(n),
                    "unit_code": "1",
                    "period_edtf": str(2000 + n % 24),
                }
            ],
            "evidence": [
                {
                    "source_external_id": "hksz:shenzhen-daily-article",
                    "stance": "mentions",
                    "page": str(n),
                }
            ],
        }


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
