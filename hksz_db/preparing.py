"""Preparing a database to be served: migrations, seed data and a first key."""

from enum import StrEnum, auto
from functools import cache
from pathlib import Path

import psycopg
import structlog
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import URL

from hksz_db.database import Database, DatabaseUnusable, Session, driver_url, run
from hksz_db.database.connections import driver_connection
from hksz_db.domain.errors import Cause, Unavailable
from hksz_db.domain.vocabulary import Scope
from hksz_db.schema_check import incompleteness
from hksz_db.services import api_keys, seeding
from hksz_db.services.writing import writing

KEY_FILE = "admin.key"
_ROOT = Path(__file__).resolve().parents[1]
_REVISIONS = "SELECT version_num FROM alembic_version"
_KNOWN_REVISIONS = "SELECT revision FROM known_revisions"
_log = structlog.get_logger(__name__)


def prepare(database: Database) -> None:
    """Run the migrations and load the seed data, unless newer code has done so.

    Raises ``DatabaseUnusable`` when the schema lacks a part that no migration creates again, and
    through a pooler, because a migration needs a session of its own.
    """
    if database.connector.via_pooler:
        raise DatabaseUnusable(
            "A database cannot be prepared through a pooler: set DATABASE_URL to the address of the"
            " server and HKSZ_POOLER=none for that."
        )
    with writing(database) as session:
        is_ahead = schema_of(session) is Schema.AHEAD
    if is_ahead:
        _log.info("schema_ahead")
        return
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


class Schema(StrEnum):
    """How the schema of a database relates to the code."""

    CURRENT = auto()
    AHEAD = auto()
    """It is newer, and the migrations since say that this code works with it."""
    PENDING = auto()
    """It is older, or newer and not made for this code."""


def schema_of(session: Session) -> Schema:
    """How the schema of a database relates to the code. It is cheap.

    Raises ``Unavailable`` if the role may not read the revisions.
    """
    try:
        if _read(session, "alembic_version", _REVISIONS) == newest_revisions():
            return Schema.CURRENT
        if _read(session, "known_revisions", _KNOWN_REVISIONS) >= newest_revisions():
            return Schema.AHEAD
    except psycopg.errors.InsufficientPrivilege as error:
        role = driver_connection(session).info.user
        raise Unavailable(
            f"The role {role} may not read the revisions of the schema; the owner of the database"
            f" has to run `flask grant {role}`.",
            is_temporary=False,
            cause=Cause.SCHEMA,
        ) from error
    return Schema.PENDING


def _read(session: Session, table: str, statement: str) -> set[str]:
    """The revisions that a statement reads from the table; none if it does not exist."""
    ((exists,),) = run(session, "SELECT to_regclass($1) IS NOT NULL", table)
    return {revision for (revision,) in run(session, statement)} if exists else set()


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
