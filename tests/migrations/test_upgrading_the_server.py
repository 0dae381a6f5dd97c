"""pg_upgrade carries a database with its history over to a new cluster."""

import subprocess
from pathlib import Path

import pytest

from hksz_db.database import driver_url
from hksz_db.embedded import running
from hksz_db.embedded.cluster import INITDB_OPTIONS, find_package, programs_for
from hksz_db.embedded.folders import account_for, claim
from hksz_db.preparing import upgrade
from tests.migrations.administration import alembic, dump, fill, rows

pytestmark = pytest.mark.slow


def test_pg_upgrade_carries_the_history_over(public_folder: Path) -> None:
    """From 18 to 18, which works like an upgrade to another major version."""
    old, new = public_folder / "old", public_folder / "new"
    with running(old, durable=False) as server:
        upgrade(driver_url(server.url()))
        fill(server.url())
        schema, data = dump(server.url()), rows(server.url())
    account = account_for(old)
    programs = programs_for(account, find_package(), old)
    for folder in (new, new / "data"):
        folder.mkdir(mode=0o755)
        claim(folder, account)
    for command in (
        ["initdb", "--no-sync", f"--pgdata={new / 'data'}", *INITDB_OPTIONS],
        [
            "pg_upgrade",
            "--no-sync",
            f"--old-bindir={programs}",
            f"--new-bindir={programs}",
            f"--old-datadir={old / 'data'}",
            f"--new-datadir={new / 'data'}",
            f"--socketdir={new}",
            "--username=postgres",
        ],
    ):
        subprocess.run(
            [programs / command[0], *command[1:]],
            check=True,
            cwd=new,
            **account.credentials,
        )
    with running(new, durable=False) as server:
        assert dump(server.url()) == schema
        assert rows(server.url()) == data
        assert "No new upgrade operations detected." in alembic(server.url(), "check")
