"""A private PostgreSQL server for development, tests and small installations; see README.md."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from hksz_db.embedded.cluster import SUPERUSER, Cluster, find_package, programs_for
from hksz_db.embedded.folders import (
    NAME,
    PORT,
    EmbeddedError,
    account_for,
    default_home,
    make_home,
    socket_folder,
)
from hksz_db.embedded.keeper import is_last_client, locked

__all__ = ["EmbeddedError", "Server", "default_home", "running"]


@dataclass(frozen=True)
class Server:
    """A running server; ``home`` is the resolved folder that was given to ``running``."""

    home: Path

    def url(self, database: str = NAME, *, superuser: bool = False) -> str:
        """Return the URL of a database, for libpq and SQLAlchemy, as its owner or as superuser."""
        user = SUPERUSER if superuser else NAME
        host = quote(str(socket_folder(self.home)), safe="")
        return f"postgresql://{user}@/{quote(database, safe='')}?host={host}&port={PORT}"


@contextmanager
def running(home: Path, *, durable: bool = True) -> Iterator[Server]:
    """Start or join the server whose data is below ``home``; the last client stops it.

    Its role and database exist when the server is yielded. Without ``durable``, writes are faster,
    but a crash may lose or destroy data; the client that starts the server decides.

    Programs started inside may use the URL but do not count as clients. A fork without exec shares
    its parent's lock: it must not leave this block, and while it lives the server outlives a
    killed parent.

    Raises ``EmbeddedError`` when the server cannot be started, or does not stop within 60 s.
    """
    package = find_package()
    home = home.expanduser().resolve()
    account = account_for(home)
    make_home(home, account)
    with locked(home / "clients.lock", shared=True) as clients:
        with locked(home / "start.lock") as start_lock:
            cluster = Cluster(home, programs_for(account, package, home), account)
            if not cluster.answers():
                cluster.start(start_lock, durable=durable)
        try:
            yield Server(home)
        finally:
            with locked(home / "start.lock"):
                if is_last_client(clients):
                    cluster.stop()
