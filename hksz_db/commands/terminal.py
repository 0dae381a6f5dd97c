"""What the commands share: the database, files, and errors as one sentence."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from uuid import UUID

import click
import psycopg
from flask import current_app

from hksz_db.database import Database, DatabaseUnusable, Session, explained
from hksz_db.domain.errors import DomainError, Fault, FaultsError
from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN
from hksz_db.embedded import EmbeddedError
from hksz_db.exchange.readers.entries import Unreadable
from hksz_db.queries import versions
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.seeding import InvalidSeed
from hksz_db.services.writing import writing

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
"""The type of an argument that names an existing file."""


class Failure(click.ClickException):
    """An error of a command for which the exit status 1 has another meaning."""

    exit_code = 2


@contextmanager
def errors_in_one_line() -> Iterator[Database]:
    """The database; errors of it or of a file become one sentence on the terminal."""
    database: Database = current_app.extensions["hksz_database"]
    try:
        yield database
    except FaultsError as error:
        faults = " ".join(map(_sentence, error.faults))
        raise click.ClickException(faults or error.detail) from None
    except (DomainError, DatabaseUnusable, EmbeddedError, InvalidSeed, Unreadable) as error:
        raise click.ClickException(explained(str(error), error.__cause__)) from None
    except psycopg.Error as error:
        is_right = isinstance(error, psycopg.errors.InsufficientPrivilege)
        subject = "The role in DATABASE_URL lacks a right" if is_right else "The database refused"
        reason = error.diag.message_primary or error
        raise click.ClickException(f"{subject}: {reason}.") from None
    except OSError as error:
        place = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{place}{error.strerror or error}.") from None


def _sentence(fault: Fault) -> str:
    return f"{fault.parameter}: {fault.detail}" if fault.parameter else fault.detail


@contextmanager
def replacing(path: Path, mode: int = 0o666) -> Iterator[IO[bytes]]:
    """A file that gets its name when it is complete, and is removed if something fails.

    If the name is a link, the file that it points to is replaced.
    """
    target = path.resolve()
    if target.exists() and not target.is_file():
        raise click.ClickException(f"{path} is not a regular file.")
    partial = target.with_name(f".{target.name}.{os.getpid()}.part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(descriptor)
        partial.replace(target)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


@contextmanager
def writing_here() -> Iterator[Session]:
    """A transaction, with its ``errors_in_one_line``."""
    with errors_in_one_line() as database, writing(database) as session:
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
