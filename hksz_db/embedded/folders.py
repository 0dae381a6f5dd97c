"""The account that runs the server, and its folders: the home and that of the socket."""

import hashlib
import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

if sys.platform != "win32":  # importing succeeds there too: with DATABASE_URL, nothing runs
    import pwd

NAME = "hksz"
"""The name of the role, of the database, and of folders outside the home."""
PORT = "5432"
"""Only part of the socket's name."""
_SOCKET_PATH_LIMIT = 103  # bytes; macOS allows 103, Linux 107


class EmbeddedError(RuntimeError):
    """No embedded PostgreSQL is available: one sentence, and the end of its log if it failed."""


class Credentials(TypedDict, total=False):
    """The arguments of ``subprocess`` that choose an account."""

    user: int
    group: int
    extra_groups: list[int]


@dataclass(frozen=True)
class Account:
    """An account by name and numbers; by default the caller's own."""

    name: str = ""
    uid: int | None = None
    gid: int | None = None

    @property
    def credentials(self) -> Credentials:
        """The arguments of ``subprocess`` that run a program as this account."""
        if self.uid is None or self.gid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def barrier(self, path: Path) -> Path | None:
        """Return the first folder on the way to ``path``, or it, that the account cannot enter."""
        if self.uid is None:
            return None
        path = path.resolve()
        for step in filter(Path.exists, (*reversed(path.parents), path)):
            status = step.stat()
            if status.st_uid == self.uid:
                allowed = stat.S_IXUSR
            else:
                allowed = stat.S_IXGRP if status.st_gid == self.gid else stat.S_IXOTH
            if not status.st_mode & allowed:
                return step
        return None


def is_root() -> bool:
    """Whether the caller is root."""
    return sys.platform != "win32" and os.geteuid() == 0


def account_for(home: Path) -> Account:
    """Return, for root, the owner of the data, or before there is any, a service account."""
    if not is_root():
        return Account()
    data = home / "data"
    if data.exists():
        owner = data.stat()
        return Account(str(owner.st_uid), owner.st_uid, owner.st_gid)
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            entry = pwd.getpwnam(name)
            return Account(name, entry.pw_uid, entry.pw_gid)
    raise EmbeddedError(
        "PostgreSQL refuses to run as root, and there is neither an account postgres nor nobody: "
        "start as an ordinary user, or set DATABASE_URL"
    )


def default_home() -> Path:
    """Return the usual folder for data: for root that of the machine, otherwise the user's."""
    if is_root():
        return Path("/var/lib", NAME)
    if sys.platform == "darwin":
        return Path.home() / "Library/Application Support" / NAME
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local/share") / NAME


def make_home(home: Path, account: Account) -> None:
    """Make the folder if it is missing; an existing one keeps its mode."""
    _require_access(home, account)  # before any folder is made
    try:
        if not home.is_dir():
            home.mkdir(parents=True, exist_ok=True)
            home.chmod(0o755 if is_root() else 0o700)
    except OSError as error:
        raise EmbeddedError(f"cannot make the data folder {home}: {error.strerror}") from error
    if not os.access(home, os.W_OK | os.X_OK):
        raise EmbeddedError(f"this user cannot write to the data folder {home}: choose another")
    _require_access(home, account)  # new folders above it have the mode of the umask


def _require_access(home: Path, account: Account) -> None:
    if barrier := account.barrier(home):
        raise EmbeddedError(
            f"the account {account.name}, which runs PostgreSQL for root, cannot enter {barrier}: "
            f"instead of {home} choose a data folder within its reach, such as {default_home()}"
        )


def socket_folder(home: Path) -> Path:
    """Return the folder of the socket: below the home if its path suits every client."""
    folder = home / "run"
    too_long = len(os.fsencode(folder / f".s.PGSQL.{PORT}")) > _SOCKET_PATH_LIMIT
    # libpq separates hosts with commas, SQLAlchemy host and port with a colon, even when quoted.
    if too_long or "," in str(home) or ":" in str(home):
        # Not below TMPDIR: every client must find the same folder.
        folder = Path("/tmp", f"{NAME}-{hashlib.sha256(os.fsencode(home)).hexdigest()[:16]}")
    return folder


def claim(folder: Path, account: Account) -> None:
    """Make a folder for the account alone; an existing one must belong to it or to the caller."""
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid not in (os.geteuid(), account.uid):
        raise EmbeddedError(f"{folder} belongs to another user: remove it, or choose another home")
    if account.uid is not None and account.gid is not None:
        os.chown(folder, account.uid, account.gid)
    folder.chmod(0o700)


def remove_stale_pid_file(pid_file: Path, data: Path) -> None:
    """Remove a pid file that a crash left empty, or whose number another program has now.

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
