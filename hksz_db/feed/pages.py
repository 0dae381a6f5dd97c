"""Pages of the feed, from a position up to the horizon."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from hksz_db.database import Database
from hksz_db.feed import positions
from hksz_db.feed.changes import STEPS, changes_statement, horizon_statement
from hksz_db.feed.positions import BEGINNING, ForeignCursor, Position
from hksz_db.queries.pages import RESOURCES

Connection = psycopg.Connection[tuple[Any, ...]]

_ROUNDS = 10


@dataclass(frozen=True)
class Horizon:
    """Up to where the feed is settled: nothing will be committed before this position.

    While the database is ``busy``, the feed may advance without a notification.
    """

    position: Position
    busy: bool


@dataclass(frozen=True)
class Page:
    """Entries as text, and the position after them.

    It is ``caught_up`` when nothing settled follows. It can lack entries without being caught up,
    when all that was searched belongs to other resources.
    """

    entries: bytes
    position: Position
    caught_up: bool


@dataclass(frozen=True)
class Feed:
    """The entries of the named resources, in the order of ``RESOURCES``, with their documents."""

    database: Database
    resources: tuple[str, ...] = tuple(RESOURCES)
    documents: bool = True

    def after(self, position: Position, per_page: int, separator: str = ",") -> Page:
        """The next entries, joined by the separator. Raises ``ForeignCursor``."""
        settled = horizon(self.database).position
        if position.is_beyond(settled):
            return Page(b"", position, caught_up=True)
        # Skip transactions without entries, for a limited number of rounds.
        for _ in range(_ROUNDS):
            page = self._page(position, settled, per_page, separator)
            if page.entries or page.caught_up:
                break
            position = page.position
        return page

    def _page(self, position: Position, settled: Position, per_page: int, separator: str) -> Page:
        values = {
            **vars(position),
            "horizon": settled.at,
            "rows": per_page + 1,
            "separator": separator,
        }
        statement = changes_statement(self.resources, self.documents)
        try:
            ((entries, last, steps, at, transaction),) = self.database.read(statement, values)
        except psycopg.DataError as error:
            raise ForeignCursor from error
        found = entries or b""
        if last is not None:
            return Page(found, Position(*json.loads(last)), caught_up=False)
        if steps == STEPS:
            return Page(found, Position(at.decode(), transaction.decode()), caught_up=False)
        return Page(found, settled, caught_up=True)

    def cursor(self, position: Position) -> str:
        """The cursor for a position."""
        return positions.encode(position, self._question)

    def position(self, cursor: str) -> Position:
        """The position in a cursor. Raises ``ForeignCursor`` if it is not one of this feed."""
        return positions.decode(cursor, self._question)

    @property
    def _question(self) -> list[str | tuple[str, ...]]:
        return ["changes", self.resources]


def horizon(database: Database) -> Horizon:
    """The horizon at this moment."""
    return _horizon(database.read(horizon_statement(), {}))


def horizon_on(connection: Connection) -> Horizon:
    """The horizon, asked on a connection from ``Database.connect``."""
    cursor = psycopg.RawCursor(connection)
    cursor.execute(horizon_statement().sql.encode(), prepare=True)
    return _horizon(cursor.fetchall())


def _horizon(rows: Sequence[tuple[Any, ...]]) -> Horizon:
    ((at, busy),) = rows
    return Horizon(BEGINNING if at is None else Position(at.decode()), busy)
