"""The locks of a home, and the keeper, which stops a server without clients.

The files in ``home`` are locked with flock(2), because the kernel releases such a lock however its
owner ends:

* ``start.lock``, exclusive: the process that starts or stops the server, or decides to.
* ``clients.lock``, shared: every process inside ``running``.
* ``server.lock``, exclusive: all processes of the server inherit it, so it is free if and only if
  none of them lives. (PostgreSQL's own pid files outlive a crash.)

The keeper is this file, run as a detached process, with the server as its child. It gets
``clients.lock`` when no client is left, even if the last one was killed. It runs without the
packages of the caller, so this file imports only the standard library.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

if sys.platform != "win32":
    import fcntl


@contextmanager
def opened(path: Path) -> Iterator[int]:
    """Open a file for appending, as a descriptor."""
    descriptor = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[int]:
    """Lock a file. The kernel unlocks it when the last copy of the descriptor is closed."""
    with opened(path) as lock:
        fcntl.flock(lock, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield lock


def try_exclusive(lock: int) -> bool:
    """Lock an open file exclusively if no other process has locked it."""
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_last_client(clients: int) -> bool:
    """Whether no other client is left. The caller holds ``start.lock``."""
    # flock(2) releases a lock before it converts it, and the keeper may get it in between; but only
    # once, since its next step needs start.lock.
    for _ in range(2):
        fcntl.flock(clients, fcntl.LOCK_SH)
        if try_exclusive(clients):
            return True
    return False


def _keep(home: Path, server_lock: int, credentials: dict[str, Any], command: list[str]) -> None:
    """Run the server until it ends or no client is left."""
    if os.fork():
        return  # the client waits only for this process, which leaves no zombie
    server = subprocess.Popen(command, pass_fds=[server_lock], **credentials)
    threading.Thread(target=_stop_abandoned, args=(home, server), daemon=True).start()
    server.wait()


def _stop_abandoned(home: Path, server: subprocess.Popen[bytes]) -> None:
    """Stop the server once no client is left, and no new one has come meanwhile."""
    while True:
        with locked(home / "clients.lock"):
            pass
        with locked(home / "start.lock"), opened(home / "clients.lock") as clients:
            if try_exclusive(clients):
                server.send_signal(signal.SIGINT)  # fast shutdown
                server.wait()
                return


if __name__ == "__main__":
    _keep(Path(sys.argv[1]), int(sys.argv[2]), json.loads(sys.argv[3]), sys.argv[4:])
