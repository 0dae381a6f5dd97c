"""What the commands share: access to the database, and errors as one sentence."""

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
from hksz_db.queries import versions
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.seeding import InvalidSeed
from hksz_db.services.writing import writing
from schemas.fields import EXTERNAL_ID_PATTERN

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""The type of an argument that names an existing file."""


class Failure(click.ClickException):
    """An error of a command for which the exit status 1 has another meaning."""

    exit_code = 2


@contextmanager
def reaching() -> Iterator[Database]:
    """The database; its errors become one sentence on the terminal."""
    database: Database = current_app.extensions["hksz_database"]
    try:
        yield database
    except (DomainError, DatabaseUnusable, EmbeddedError, InvalidSeed) as error:
        raise click.ClickException(explained(str(error), error.__cause__)) from None
    except psycopg.errors.InsufficientPrivilege as error:
        reason = error.diag.message_primary
        raise click.ClickException(f"The role in DATABASE_URL lacks a right: {reason}.") from None


@contextmanager
def file_errors() -> Iterator[None]:
    """Turn errors of files into one sentence on the terminal."""
    try:
        yield
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{place}{error.strerror}.") from None


@contextmanager
def writing_here() -> Iterator[Session]:
    """A transaction; its errors become one sentence on the terminal."""
    with reaching() as database, writing(database) as session:
        yield session


def row_id(database: Database, resource: str, name: str) -> UUID:
    """The id of a row that is given by its id or external id."""
    if not re.fullmatch(EXTERNAL_ID_PATTERN, name):
        try:
            return UUID(name)
        except ValueError:
            raise click.ClickException(f"{name!r} is neither an id nor an external id.") from None
    id = versions.named(database, resource, name)
    if id is None:
        raise click.ClickException(f"There is no {RESOURCES[resource].singular} {name}.")
    return id
