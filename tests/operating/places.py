"""Where a drill works: a folder, the account that runs servers there, and the tools it needs."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from signal import SIGKILL, SIGTERM

from hksz_db.embedded.cluster import find_package, programs_for
from hksz_db.embedded.folders import Account, account_for, is_root

ROOT = Path(__file__).parents[2]
PATRONI = "patroni[etcd3,psycopg3]==4.1.5"
_STOP_S = 30.0
# One that also the account of root's servers can run, and with which pip's choices agree.
_PYTHONS = (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}")


class Skipped(RuntimeError):
    """A drill cannot be held here; the message is the reason."""


class Failed(RuntimeError):
    """A drill has not come to its end; the message is the reason."""


@dataclass(frozen=True)
class Place:
    """A folder that servers can enter, the account that runs them, and PostgreSQL's programs.

    ``tools`` is a folder that is kept, with what has been installed for drills.
    """

    folder: Path
    tools: Path
    account: Account
    programs: Path

    @classmethod
    def at(cls, folder: Path, tools: Path) -> "Place":
        """The place in a folder, which exists."""
        account = account_for(folder)
        return cls(folder, tools, account, programs_for(account, find_package(), tools))

    def new_folder(self, name: str) -> Path:
        """Return a new empty folder that belongs to the account."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        self.hand_over(folder)
        return folder

    def hand_over(self, path: Path) -> None:
        """Give a file or a folder to the account."""
        if self.account.uid is not None and self.account.gid is not None:
            os.chown(path, self.account.uid, self.account.gid)

    def run(self, program: str, *arguments: object, **environment: str) -> str:
        """Run one of PostgreSQL's programs, or any by its path, as the account; its output.

        Raises ``Failed`` with what it wrote.
        """
        finished = subprocess.run(
            [str(self.programs / program), *map(str, arguments)],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.folder,
            env=self._environment(environment),
            check=False,
            **self.account.credentials,
        )
        if finished.returncode:
            raise Failed(f"{program} failed: {finished.stdout.strip()[-500:]}")
        return finished.stdout

    def start(self, name: str, *command: object, **environment: str) -> "subprocess.Popen[bytes]":
        """Start a program as the account; it writes to the log of that name."""
        with (self.folder / f"{name}.log").open("ab") as log:
            return subprocess.Popen(
                [*map(str, command)],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                env=self._environment(environment),
                **self.account.credentials,
            )

    def _environment(self, more: Mapping[str, str]) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return {**kept, "LC_ALL": "C", "HOME": str(self.folder), **more}

    def python(self, name: str, *packages: str) -> tuple[Path, dict[str, str]]:
        """Install packages from PyPI, once; the Python to run them with, and its environment.

        Raises ``Skipped``.
        """
        python = next(
            (Path(each) for each in _PYTHONS if not self.account.barrier(Path(each))), None
        )
        if python is None or not python.exists():
            raise Skipped(f"{name}: the account {self.account.name} can run no suitable Python")
        target = self.tools / name
        if not target.exists():
            self._install(target, packages)
        return python, {"PYTHONPATH": str(target)}

    def _install(self, target: Path, packages: tuple[str, ...]) -> None:
        new = target.with_name(f"{target.name}.new")
        shutil.rmtree(new, ignore_errors=True)
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--target", new, *packages]
        _attempt(target.name, command, self.tools)
        new.rename(target)

    def debian(self, package: str, program: str) -> Path:
        """Return a program of a Debian package, which is unpacked once if it is not installed.

        Raises ``Skipped``.
        """
        if found := shutil.which(program):
            return Path(found)
        target = self.tools / package
        if not target.exists():
            new = self.tools / f"{package}.new"
            shutil.rmtree(new, ignore_errors=True)
            new.mkdir(parents=True)
            _attempt(package, ["apt-get", "-qq", "download", package], new)
            _attempt(package, ["dpkg-deb", "-x", next(new.glob("*.deb")), new], new)
            new.rename(target)
        return next(target.glob(f"usr/*bin/{program}"))


def _attempt(what: str, command: list[object], folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    try:
        subprocess.run([*map(str, command)], cwd=folder, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode(errors="replace").strip()
        raise Skipped(f"{what} cannot be installed: {said[-200:] or error}") from error


def free_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_until(holds: Callable[[], bool], at_most_s: float, what: str) -> None:
    """Wait until the condition holds. Raises ``Failed`` after that time."""
    deadline = time.monotonic() + at_most_s
    while not holds():
        if time.monotonic() > deadline:
            raise Failed(f"after {at_most_s:.0f} s, not yet: {what}")
        time.sleep(0.05)


def children(pid: int) -> list[int]:
    """The processes that a process has started."""
    with suppress(OSError):
        return [*map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]
    return []


def kill(*pids: int) -> None:
    """End processes at once; some may have ended before."""
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, SIGKILL)


@contextmanager
def ending(process: "subprocess.Popen[bytes]") -> Iterator["subprocess.Popen[bytes]"]:
    """Let the process run during the block."""
    try:
        yield process
    finally:
        process.send_signal(SIGTERM)
        try:
            process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            kill(*children(process.pid), process.pid)
            process.wait()


def can_mount() -> bool:
    """Whether this process may mount a file system."""
    return sys.platform == "linux" and is_root()
