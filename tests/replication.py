"""A server that takes writes, and replicas that follow it by streaming replication."""

import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg

from hksz_db.embedded import Server, running
from hksz_db.embedded.cluster import find_package, programs_for
from hksz_db.embedded.folders import account_for, claim


def run_program(home: Path, *command: str) -> None:
    """Run one of PostgreSQL's programs with the account of the server in ``home``."""
    account = account_for(home)
    programs = programs_for(account, find_package(), home)
    subprocess.run(
        [programs / command[0], *command[1:]],
        check=True,
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **account.credentials,
    )


def copy_server(primary: Server, home: Path) -> None:
    """Copy a running server into ``home``, as a replica that will follow it."""
    home.mkdir(mode=0o755)
    claim(home / "data", account_for(primary.home))
    source = f"--dbname={primary.url('postgres', superuser=True)}"
    where = f"--pgdata={home / 'data'}"
    run_program(
        primary.home, "pg_basebackup", source, where, "--checkpoint=fast", "-R", "--no-sync"
    )


@contextmanager
def replica_of(primary: Server, home: Path) -> Iterator[Server]:
    """A new replica of the server, which runs while the block does."""
    copy_server(primary, home)
    with running(home, durable=False) as server:
        yield server


def promote(server: Server) -> None:
    """Let a replica take writes, on a timeline of its own."""
    run_program(server.home, "pg_ctl", "promote", "-w", "-D", str(server.home / "data"))


def kill(server: Server) -> None:
    """End a server as a crash does."""
    data = str(server.home / "data")
    run_program(server.home, "pg_ctl", "stop", "-w", "-m", "immediate", "-D", data)


def catch_up(replica: Server, primary: Server) -> None:
    """Wait until the replica has replayed what the primary has written."""
    with (
        closing(psycopg.connect(primary.url(superuser=True), autocommit=True)) as from_primary,
        closing(psycopg.connect(replica.url(superuser=True), autocommit=True)) as from_replica,
    ):
        # A server that is not durable writes the WAL a moment later, unless a commit waits for it.
        from_primary.execute("SET synchronous_commit = on")
        from_primary.execute("SELECT pg_logical_emit_message(true, 'catch up', '')")
        written = from_primary.execute("SELECT pg_current_wal_lsn()").fetchone()
        replayed = "SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn"
        pause = threading.Event()
        for _ in range(2000):
            if from_replica.execute(replayed, written).fetchone() == (True,):
                return
            pause.wait(0.005)
    raise AssertionError("the replica does not catch up")
