"""The service as ``app.py serve`` starts it, for a drill."""

import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.operating.places import ROOT, Failed, children, ending, free_port, wait_until

_START_S = 60.0


@dataclass(frozen=True)
class Service:
    """A running service, and a key with all scopes."""

    port: int
    key: str
    process: "subprocess.Popen[bytes]"
    log: Path

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """Its worker processes; multiprocessing starts another child."""
        return [child for child in children(self.process.pid) if not _is_tracker(child)]

    def is_ready(self) -> bool:
        """Whether it can serve. Raises ``Failed`` if it has ended."""
        if self.process.poll() is not None:
            raise Failed(f"the service has ended; see {self.log}")
        try:
            with urllib.request.urlopen(f"{self.url}/readyz", timeout=10):
                return True
        except OSError:
            return False


def _is_tracker(pid: int) -> bool:
    try:
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return True  # it has ended


@contextmanager
def serving(
    database_url: str, key: str, folder: Path, *, workers: int = 2, **settings: str
) -> Iterator[Service]:
    """Serve a database during the block, from when the service is ready."""
    port = free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "HKSZ_PORT": str(port),
        "HKSZ_WORKERS": str(workers),
        "HKSZ_FOUR_EYES": "false",
        "HKSZ_LIMIT_KEY": "0",
        **settings,
    }
    path = folder / f"service-{port}.log"
    with path.open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "app.py", "serve"],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
        )
    with ending(process):
        service = Service(port, key, process, path)
        wait_until(service.is_ready, _START_S, "a service that is ready")
        yield service
