"""Measures a server with wrk."""

import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from benchmarks.servers import Server

_CONNECTIONS = 16
_THREADS = 2
_SCRIPT = Path(__file__).with_name("load.lua")
_GRACE_S = 60


@dataclass(frozen=True)
class Rate:
    """The requests per second, and the number of failed requests."""

    per_second: float
    failed: int = 0


def is_installed() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def measure(server: Server, lines: Path, seconds: float) -> Rate:
    """Send the requests of a file in random order; a status from 400 on counts as failed."""
    command = [
        *(shutil.which("wrk") or "wrk", "--threads", str(_THREADS)),
        *("--connections", str(_CONNECTIONS), "--duration", f"{seconds:.0f}s"),
        *("--timeout", "10s", "--script", str(_SCRIPT), server.url),
        *(str(lines), uuid4().hex, server.key),
    ]
    finished = subprocess.run(
        command, capture_output=True, text=True, check=True, timeout=seconds + _GRACE_S
    )
    found = json.loads(finished.stdout.splitlines()[-1])
    return Rate(found["requests"] / found["seconds"], found["failed"])
