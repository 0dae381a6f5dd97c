"""Code that is older than the schema, while a newer release is rolled out."""

import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg
import pytest
from alembic import command
from alembic.config import Config

from app import create_app
from hksz_db.database import Database, driver_url
from hksz_db.preparing import prepare
from hksz_db.settings import Settings
from tests.migrations.administration import ROOT
from tests.migrations.test_migrations import REVISIONS

pytestmark = pytest.mark.slow

MIGRATION = """
from alembic import op
revision, down_revision = {revision!r}, {before!r}
breaks_older_code = {breaks}
def upgrade():
    op.execute("LOCK TABLE api_keys")
def downgrade():
    pass
"""
MakeConfig = Callable[[str], Config]


@pytest.fixture
def newer(tmp_path: Path) -> MakeConfig:
    """The configuration of a newer release for a URL, with two more migrations."""
    folder = tmp_path / "migrations"
    shutil.copytree(ROOT / "migrations", folder)
    steps = [("expanded", REVISIONS[-1], False), ("contracted", "expanded", True)]
    for revision, before, breaks in steps:
        text = MIGRATION.format(revision=revision, before=before, breaks=breaks)
        (folder / "versions" / f"{revision}.py").write_text(text, encoding="utf-8")

    def make(url: str) -> Config:
        config = Config()
        config.set_main_option("script_location", str(folder))
        config.attributes["url"] = driver_url(url)
        return config

    return make


@pytest.fixture
def database(migrated: str) -> Iterator[Database]:
    with closing(Database(lambda: migrated)) as database:
        yield database


def known(url: str) -> set[str]:
    with psycopg.connect(url) as connection:
        return {name for (name,) in connection.execute("SELECT revision FROM known_revisions")}


def test_older_code_is_ready_until_a_migration_breaks_it(
    migrated: str, database: Database, newer: MakeConfig
) -> None:
    client: Any = create_app(Settings(log_level="error"), database).test_client()
    assert client.get("/readyz").json["schema"] == "current"
    command.upgrade(newer(migrated), "expanded")
    assert known(migrated) >= {REVISIONS[-1], "expanded"}
    assert client.get("/readyz").json["schema"] == "ahead"
    prepare(database)  # as an older process that starts again
    assert client.get("/v1/claims").json["data"] == []
    command.upgrade(newer(migrated), "contracted")
    assert known(migrated) == {"contracted"}
    assert client.get("/readyz").status_code == 503
    command.downgrade(newer(migrated), "expanded")
    assert client.get("/readyz").json["schema"] == "ahead"
    command.downgrade(newer(migrated), REVISIONS[-1])
    assert client.get("/readyz").json["schema"] == "current"


def test_a_locked_table_is_tried_again(migrated: str, newer: MakeConfig) -> None:
    """Those that queue behind the migration get the table in between."""
    with closing(psycopg.connect(migrated)) as other:
        other.execute("SELECT FROM api_keys")
        timer = threading.Timer(1.2, other.rollback)
        timer.start()
        command.upgrade(newer(migrated), "expanded")
        timer.join()
    assert "expanded" in known(migrated)
