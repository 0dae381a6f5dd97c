"""Follows the feed on a replica and on its primary while many write, and counts what is missed.

``python -m benchmarks.replica_feed --writers 16 --transactions 100000`` starts both servers.
"""

import argparse
import json
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg

from hksz_db.database import Database, driver_url
from hksz_db.embedded import Server, running
from hksz_db.feed.horizons import record_horizon
from hksz_db.feed.pages import Feed, Position, horizon
from hksz_db.preparing import upgrade
from tests.replication import catch_up, replica_of

Entry = tuple[str, str]

_WRITE = """
DO $$ BEGIN FOR n IN 1..{number} LOOP
    INSERT INTO units (code, label, dimension, factor)
    VALUES ('u{writer}-' || n, 'x', 'count', 1);
    COMMIT;
END LOOP; END $$
"""


def follow(database: Database, start: Position, ended: threading.Event) -> tuple[list[Entry], int]:
    """The entries from a position until the writers have ended and all is read, and the pages."""
    feed, position = Feed(database, ("units",), documents=False), start
    found: list[Entry] = []
    pages = 0
    while True:
        was_ended = ended.is_set()
        page = feed.after(position, 100)
        pages += 1
        position = page.position
        found += [(e["id"], e["transaction"]) for e in json.loads(b"[%b]" % page.entries)]
        if page.caught_up and was_ended:
            return found, pages
        if page.caught_up:
            time.sleep(0.002)


def write(server: Server, writer: int, number: int) -> None:
    """Commit so many transactions."""
    with closing(psycopg.connect(server.url(), autocommit=True)) as connection:
        connection.execute(_WRITE.format(writer=writer, number=number).encode())


def main() -> int:
    """Print what each follower has read; the exit code is 1 if one has missed something."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--writers", type=int, default=16)
    parser.add_argument("--transactions", type=int, default=100_000)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hksz-replica-")))
        folder.chmod(0o755)
        primary = stack.enter_context(running(folder / "primary", durable=False))
        upgrade(driver_url(primary.url()))
        replica = stack.enter_context(replica_of(primary, folder / "replica"))
        servers = {"primary": primary, "replica": replica}
        databases = {
            name: stack.enter_context(closing(Database(server.url)))
            for name, server in servers.items()
        }
        missed = _measure(servers, databases, options.writers, options.transactions)
    return 1 if missed else 0


def _measure(
    servers: dict[str, Server], databases: dict[str, Database], writers: int, transactions: int
) -> int:
    recorded, ended = threading.Event(), threading.Event()

    def record() -> None:
        while not recorded.wait(1):
            record_horizon(databases["primary"])

    start = horizon(databases["primary"]).position
    begun = time.monotonic()
    with ThreadPoolExecutor(writers + 3) as pool:
        recording = pool.submit(record)
        following = {
            name: pool.submit(follow, each, start, ended) for name, each in databases.items()
        }
        working = [
            pool.submit(write, servers["primary"], n, transactions // writers)
            for n in range(writers)
        ]
        for each in working:
            each.result()
        seconds = time.monotonic() - begun
        recorded.set()
        recording.result()
        record_horizon(databases["primary"])
        catch_up(servers["replica"], servers["primary"])
        ended.set()
        read = {name: each.result() for name, each in following.items()}
    expected, _ = follow(databases["primary"], start, ended)
    print(f"{len(expected)} transactions by {writers} writers in {seconds:.0f} s")
    missed = 0
    for name, (found, pages) in read.items():
        lost, doubled = len(set(expected) - set(found)), len(found) - len(set(found))
        order = "the same" if found == expected else "another"
        print(
            f"{name}: {pages} pages, {len(found)} entries, {lost} missed, {doubled} twice,"
            f" in {order} order"
        )
        missed += lost + doubled + (found != expected)
    return missed


if __name__ == "__main__":
    sys.exit(main())
