"""Migrating a database to the schema that the code expects."""

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL, Connection, NullPool, create_engine

from hksz_db.database import DatabaseUnusable

_MIGRATIONS = Path(__file__).resolve().parents[1] / "migrations"


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


def pending(database: Connection | URL) -> bool:
    """Whether the revision of the database differs from the newest in the code. It is cheap."""
    if isinstance(database, Connection):
        current = MigrationContext.configure(database).get_current_heads()
        return frozenset(current) != _newest()
    with create_engine(database, poolclass=NullPool).connect() as connection:
        return pending(connection)


@cache
def _newest() -> frozenset[str]:
    return frozenset(ScriptDirectory.from_config(_config()).get_heads())


def _config() -> Config:
    config = Config()
    # The configuration would read a single percent sign as the start of a variable.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
