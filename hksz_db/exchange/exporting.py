"""Exporting: all rows that a question selects, from the database to a format, as they come."""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from hksz_db.database import Database
from hksz_db.exchange.format import ExportRequest, Format
from hksz_db.exchange.formats import written
from hksz_db.queries.pages import PageShape, everything_statement


@dataclass(frozen=True)
class Export:
    """What is wanted: a question, of which moment, and a format.

    ``values`` are bound to the question's filters.
    """

    form: Format
    shape: PageShape
    values: Mapping[str, Any]
    as_of: datetime | None = None

    @property
    def asked(self) -> ExportRequest:
        """What goes out."""
        return ExportRequest(self.shape.resource, self.shape.fields)


def export(
    database: Database,
    wanted: Export,
    *,
    at_most_s: int = 0,
    seen: Callable[[], None] | None = None,
) -> Generator[bytes]:
    """The rows in the format, in pieces; what one snapshot of the database holds.

    Nothing happens until the first piece is asked for. Closing the iterator ends the statement and
    gives its connection up; so does the server after ``at_most_s`` (0: never). ``seen`` is called
    for each row.
    """
    statement = everything_statement(wanted.shape)
    streamed = database.stream(statement, wanted.values, wanted.as_of, at_most_s=at_most_s)
    with closing(streamed) as rows:
        yield from written(wanted.form, wanted.asked, _documents(rows, seen))


def _documents(rows: Iterator[tuple[Any, ...]], seen: Callable[[], None] | None) -> Iterator[bytes]:
    for (document,) in rows:
        if seen:
            seen()
        yield document
