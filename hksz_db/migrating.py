"""Bringing a database to the schema that the code expects."""

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
    """Run every migration that the database has not seen, each in a transaction of its own.

    Several processes may do so at once: one migrates, the others wait. Raises
    ``DatabaseUnusable`` when the server is away or too old, when the database has a revision
    that this code does not know, and when a table stays locked by somebody else.
    """
    config = _config()
    config.attributes["url"] = url
    try:
        command.upgrade(config, "head")
    except CommandError as error:
        raise DatabaseUnusable(str(error)) from error


def pending(database: Connection | URL) -> bool:
    """Whether the database is at another revision than the code's newest; cheap to ask."""
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
    # The configuration's own interpolation takes a single percent sign for a variable.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    return config
