"""The account that runs the server: the caller's own or, since PostgreSQL refuses root, another."""

import os
import stat
import sys
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypedDict

if sys.platform != "win32":  # importing succeeds there too: with DATABASE_URL, nothing runs
    import pwd


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
