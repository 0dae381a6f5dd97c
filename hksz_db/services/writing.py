"""Transactions of the services."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from hksz_db.database import Database
from hksz_db.services.violations import translate


@contextmanager
def writing(database: Database) -> Iterator[Session]:
    """One transaction; errors of the database are raised as domain errors."""
    try:
        with database.transaction() as session:
            yield session
    except (psycopg.Error, DBAPIError) as error:
        known = translate(error)
        if known is None:
            raise
        raise known from error
