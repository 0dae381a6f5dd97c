"""What the commands share: the database they work on, and how they say what is wrong."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import click
import psycopg
from flask import current_app
from sqlalchemy.orm import Session

from hksz_db.database import Database, DatabaseUnusable, explained
from hksz_db.domain.errors import DomainError
from hksz_db.embedded import EmbeddedError
from hksz_db.services.seeding import InvalidSeed
from hksz_db.services.writing import writing
from schemas.fields import EXTERNAL_ID_PATTERN

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""The type of an argument that names a file which is there."""


class Trouble(click.ClickException):
    """What ends a command whose exit status tells more than success and failure."""

    exit_code = 2


@contextmanager
def reaching() -> Iterator[Database]:
    """The database; what goes wrong with it is one sentence on the terminal."""
    database: Database = current_app.extensions["hksz_database"]
    try:
        yield database
    except (DomainError, DatabaseUnusable, EmbeddedError, InvalidSeed) as error:
        raise click.ClickException(explained(str(error), error.__cause__)) from None
    except psycopg.errors.InsufficientPrivilege as error:
        reason = error.diag.message_primary
        raise click.ClickException(f"The role in DATABASE_URL lacks a right: {reason}.") from None


@contextmanager
def writing_here() -> Iterator[Session]:
    """A transaction; what goes wrong in it is one sentence on the terminal."""
    with reaching() as database, writing(database) as session:
        yield session


def id_or_name(given: str) -> UUID | str:
    """An id, or an external id; anything else is refused."""
    if re.fullmatch(EXTERNAL_ID_PATTERN, given):
        return given
    try:
        return UUID(given)
    except ValueError:
        raise click.ClickException(f"{given!r} is neither an id nor an external id.") from None
