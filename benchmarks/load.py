"""Load on a server, by wrk."""

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
    """What was measured: requests a second, and how many of them failed."""

    per_second: float
    failed: int = 0


def is_there() -> bool:
    """Whether wrk is installed."""
    return shutil.which("wrk") is not None


def press(server: Server, lines: Path, seconds: float) -> Rate:
    """How many of the lines, at random, the server answers with a status below 400."""
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
