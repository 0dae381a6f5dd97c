"""The feed as its followers read it: pages from a position on, never beyond what is settled."""

import json
import re
from dataclasses import dataclass
from typing import Any

import psycopg

from hksz_db.database import Database
from hksz_db.feed.changes import STEPS, changes_statement, horizon_statement
from hksz_db.queries import cursors
from hksz_db.queries.pages import RESOURCES

Connection = psycopg.Connection[tuple[Any, ...]]

_NO_ID = "00000000-0000-0000-0000-000000000000"
_ROUNDS = 10
# What the parts of a position look like.
_FORMS = (
    r"-infinity|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z",
    r"-1|[0-9]{1,19}",
    r"[1-3]",
    *(r"[a-z]*", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") * 2,
)
# Cursors of the old form have no changed row: they start at the first.
_OLD_FORMS = _FORMS[:5]
# Beyond the last stage, and beyond every transaction.
_END = "3"
_ALL = str(2**63 - 1)


@dataclass(frozen=True)
class Position:
    """Where in the feed one is: after this moment, transaction, stage, resource and id.

    A large transaction is searched in spans of changed rows; those up to ``changed_resource`` and
    ``changed_id`` are done.
    """

    at: str
    transaction: str
    stage: str = _END
    resource: str = ""
    id: str = _NO_ID
    changed_resource: str = ""
    changed_id: str = _NO_ID

    @property
    def settled(self) -> bool:
        """Whether it is after all that was committed by its moment."""
        return self.transaction == _ALL


BEGINNING = Position("-infinity", "-1")


@dataclass(frozen=True)
class Horizon:
    """Up to where the feed is settled; ``lively`` when it may go on without a notification."""

    position: Position
    lively: bool


@dataclass(frozen=True)
class Page:
    """Some entries as text, none perhaps, and where they end.

    It has ``caught_up`` when nothing follows that is settled. Without entries it may still not
    have: then much was passed over that is not asked for.
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
        """The next entries, separated so. Raises ``ForeignCursor`` on a position that is none."""
        settled = horizon(self.database).position
        if _is_beyond(position, settled):
            return Page(b"", position, caught_up=True)
        # Skip what has no entry, for a limited number of rounds.
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
            end = Position(at.decode(), transaction.decode())
            return Page(found, end, caught_up=False)
        return Page(found, settled, caught_up=True)

    def cursor(self, position: Position) -> str:
        """The position as its followers keep it."""
        keys = json.dumps(list(vars(position).values()), separators=(",", ":"))
        return cursors.encode(keys.encode(), self._question)

    def position(self, cursor: str) -> Position:
        """The position in a cursor. Raises ``ForeignCursor`` unless it is one of this feed."""
        for forms in (_FORMS, _OLD_FORMS):
            found = cursors.decode(cursor, self._question, [False] * len(forms)) or ()
            keys = [str(key) for key in found]
            if keys and all(map(re.fullmatch, forms, keys)):
                return Position(*keys)
        raise ForeignCursor

    @property
    def _question(self) -> Any:
        return ["changes", self.resources]


class ForeignCursor(ValueError):
    """A cursor that no page of the same feed gave."""


def horizon(database: Database) -> Horizon:
    """How far the feed is settled at this moment."""
    return _horizon(database.read(horizon_statement(), {}))


def horizon_on(connection: Connection) -> Horizon:
    """The same, asked on a connection that ``Database.connect`` gave."""
    cursor = psycopg.RawCursor(connection)
    cursor.execute(horizon_statement().sql.encode(), prepare=True)
    return _horizon(cursor.fetchall())


def _horizon(rows: list[Any]) -> Horizon:
    ((at, lively),) = rows
    return Horizon(BEGINNING if at is None else Position(at.decode(), _ALL), lively)


def _is_beyond(position: Position, settled: Position) -> bool:
    """Whether nothing settled can follow; moments are compared as the texts that they are."""
    if position.at == settled.at:
        return position.settled
    return position.at > settled.at
