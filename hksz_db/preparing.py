"""Preparing a database to be served: migrations, seed data and a first key."""

from functools import cache
from pathlib import Path

import structlog
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection

from hksz_db.database import Database, DatabaseUnusable, driver_url
from hksz_db.domain.vocabulary import Scope
from hksz_db.schema_check import incompleteness
from hksz_db.services import api_keys, seeding
from hksz_db.services.writing import writing

KEY_FILE = "admin.key"
_ROOT = Path(__file__).resolve().parents[1]
_log = structlog.get_logger(__name__)


def prepare(database: Database) -> None:
    """Run the migrations and load the seed data.

    Raises ``DatabaseUnusable`` when the schema lacks a part that no migration creates again.
    """
    upgrade(driver_url(database.connector.location))
    with writing(database) as session:
        if reason := incompleteness(session):
            raise DatabaseUnusable(reason)
    for folder in seed_folders():
        with writing(database) as session:
            loaded = seeding.load(session, folder)
        _log.info(
            "seed_loaded", seed=folder.name, changed=loaded.changed, unchanged=loaded.unchanged
        )


def upgrade(url: URL) -> None:
    """Run every pending migration, each in its own transaction.

    Several processes may call this at once: one migrates and the others wait. Raises
    ``DatabaseUnusable`` when the server is away or too old, when this code does not know the
    revision of the database, and when another transaction keeps a table locked.
    """
    config = _config()
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseUnusable(str(error)) from error


def pending(connection: Connection) -> bool:
    """Whether the revision of the database differs from the newest in the code. It is cheap."""
    return {*MigrationContext.configure(connection).get_current_heads()} != newest_revisions()


@cache
def newest_revisions() -> frozenset[str]:
    """The newest revisions that the code knows: one, unless it has branches."""
    return frozenset(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    # The configuration would read a single percent sign as the start of a variable.
    config.set_main_option("script_location", str(_ROOT / "migrations").replace("%", "%%"))
    return config


def seed_folders() -> list[Path]:
    """Return the folders of the seeds that the software ships, in loading order."""
    return sorted(folder for folder in (_ROOT / "seed_data").iterdir() if folder.is_dir())


def write_first_key(database: Database, path: Path) -> Path | None:
    """If the database has no key, make one with all scopes and write it to ``path``.

    Returns the file, which only its owner can read, or ``None`` if a key exists.
    """
    with writing(database) as session:
        if api_keys.listing(session):
            return None
        key = api_keys.create(session, "admin", list(Scope))
        # Within the transaction, so that a key that cannot be written does not exist.
        fresh = path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        fresh.touch(0o600, exist_ok=False)
        fresh.write_text(key + "\n", encoding="ascii")
        fresh.replace(path)
    return path
