"""Pages of the feed, from a position up to the horizon."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import psycopg
from sqlalchemy import column

from hksz_db.database import Connection, Database
from hksz_db.database.deadlines import waiting
from hksz_db.domain.errors import LostHistory, NotReplicated, Unavailable
from hksz_db.domain.strict_json import compact
from hksz_db.feed.changes import (
    KEYSET,
    changes_statement,
    has_statement,
    horizon_statement,
    mark_statement,
    moment_statement,
)
from hksz_db.feed.dependencies import NIL_ID
from hksz_db.queries.keysets import Key, Keyset, encode_cursor
from hksz_db.queries.registry import RESOURCES

_ROUNDS = 10
# Greater than every other stage, and than the number of every transaction.
_LAST_STAGE = "3"
_LAST_TRANSACTION = str(2**63 - 1)
# Moments are compared as texts.
_MARK = (
    Key(column("timeline"), nullable=True),
    Key(column("base"), nullable=True),
    Key(column("digest"), nullable=True),
)
_MARKED = Keyset((*KEYSET.keys, *_MARK))
# Cursors of earlier versions say nothing of the timeline. The first of them have no changed row:
# they start at the first.
_KEYSETS = (_MARKED, KEYSET, Keyset(KEYSET.keys[:5]))
_LOST = (
    "The database was restored, or another server took over without all commits, after this cursor"
    " was given. You may have read what no longer exists: discard your copy, and begin again"
    " without a cursor."
)
_MOMENT = re.compile(r"-infinity|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z")


@dataclass(frozen=True)
class Position:
    """A place in the feed: after this moment, transaction, stage, resource and id.

    A large transaction is searched in spans of changed rows. The rows up to ``changed_resource``
    and ``changed_id`` have been searched. The place is one in the history of the ``timeline`` on
    which the server was when it was asked; the beginning is the same in all.
    """

    at: str
    transaction: str = _LAST_TRANSACTION
    stage: str = _LAST_STAGE
    resource: str = ""
    id: str = NIL_ID
    changed_resource: str = ""
    changed_id: str = NIL_ID
    timeline: str | None = field(default=None, compare=False)

    @property
    def keys(self) -> list[str]:
        """The values of ``KEYSET``."""
        values = list(vars(self).values())
        return values[: len(KEYSET.keys)]

    def is_beyond(self, settled: "Position") -> bool:
        """Whether nothing settled can follow."""
        if self.at == settled.at:
            return self.transaction == _LAST_TRANSACTION
        return self.at > settled.at


BEGINNING = Position("-infinity", "-1")


class ForeignCursor(ValueError):
    """A cursor that no page of the same feed returned."""


class UnknownTransaction(ValueError):
    """No transaction with this number has changed anything."""


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
    """The entries of the named resources, in the order of ``RESOURCES``, with their documents.

    With ``expand``, documents that only show a changed row have entries of their own. If there is a
    ``transaction``, only its changes have entries.
    """

    database: Database
    resources: tuple[str, ...] = tuple(RESOURCES)
    documents: bool = True
    expand: bool = True
    transaction: int | None = None

    def beginning(self) -> Position:
        """The position before all entries. Raises ``UnknownTransaction``."""
        if self.transaction is None:
            return BEGINNING
        return Position(self._committed_at(), str(self.transaction - 1))

    def end(self) -> Position:
        """The position after all entries that there are. Raises ``UnknownTransaction``."""
        settled = horizon(self.database).position
        if self.transaction is None:
            return settled
        # What is visible of a transaction is settled: nothing is added to it.
        return Position(self._committed_at(), str(self.transaction), timeline=settled.timeline)

    def _committed_at(self) -> str:
        rows = self.database.read(moment_statement(), {"transaction": self.transaction})
        if not rows:
            raise UnknownTransaction
        ((at,),) = rows
        return str(at.decode())

    def after(self, position: Position, per_page: int, separator: str = ",") -> Page:
        """The next entries, joined by the separator.

        Raises ``ForeignCursor``, and ``Unavailable`` if another server has taken over since the
        position was given.
        """
        settled = self.end()
        _common_timeline(position.timeline, settled.timeline)
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
        statement = changes_statement(self.resources, self.documents, self.expand)
        end = {"horizon": settled.at, "last": settled.transaction}
        values = {**end, "rows": per_page + 1, "separator": separator}
        try:
            found = self.database.read(statement, {**vars(position), **values})
        except psycopg.DataError as error:
            # Only a forged cursor can hold such keys.
            raise ForeignCursor from error
        ((entries, last, reaches, _),) = found
        if not reaches:
            position = replace(position, timeline=settled.timeline)
            return Page(b"", position, caught_up=self.transaction is None)
        if last is None:
            return Page(entries or b"", settled, caught_up=True)
        following = replace(Position(*json.loads(last)), timeline=settled.timeline)
        return Page(entries or b"", following, caught_up=False)

    def cursor(self, position: Position) -> str:
        """The cursor for a position, with what tells later whether its history was lost.

        Raises ``Unavailable`` if another server has taken over since the position was given.
        """
        ((timeline, base, digest),) = self.database.read(mark_statement(), {"at": position.at})
        here, *rest = (None if text is None else text.decode() for text in (timeline, base, digest))
        mark = [_common_timeline(position.timeline, here), *rest]
        return encode_cursor(compact([*position.keys, *mark]), self._question)

    def position(self, cursor: str) -> Position:
        """The position in a cursor.

        Raises ``ForeignCursor`` if it is not one of this feed, ``LostHistory`` if the database no
        longer has what was read up to it, and ``NotReplicated`` if a replica cannot tell yet.
        """
        for keyset in _KEYSETS:
            keys = keyset.decode(cursor, self._question)
            if keys and _MOMENT.fullmatch(str(keys[0])):
                break
        else:
            raise ForeignCursor
        places, mark = keys[: len(KEYSET.keys)], keys[len(KEYSET.keys) :]
        return replace(Position(*map(str, places)), timeline=self._timeline_with(keys[0], mark))

    def _timeline_with(self, at: str | None, mark: Sequence[str | None]) -> str | None:
        """The timeline that the server is on, if its history up to a moment is that of a cursor."""
        timeline, base, digest = mark or (None, None, None)
        values = {"at": at, "timeline": timeline, "base": base, "digest": digest}
        try:
            ((here, has_it),) = self.database.read(has_statement(), values)
        except psycopg.DataError as error:
            raise ForeignCursor from error
        if has_it is None:
            raise NotReplicated("This server cannot tell yet what follows the cursor; ask again.")
        if not has_it:
            raise LostHistory(_LOST)
        return None if here is None else here.decode()

    @property
    def _question(self) -> list[str | tuple[str, ...]]:
        # One of the whole feed is the same whether it expands or not.
        one = () if self.transaction is None else (str(self.transaction),)
        return ["changes", self.resources, *one]


def _common_timeline(given: str | None, here: str | None) -> str | None:
    """The timeline of a position and of a server; a replica may not know its own yet.

    Raises ``Unavailable`` if they differ.
    """
    if given and here and given != here:
        raise Unavailable("Another server has taken over meanwhile; ask again.")
    return here or given


def horizon(database: Database) -> Horizon:
    """The horizon at this moment."""
    return _horizon(*database.read(horizon_statement(), {}))


def horizon_on(connection: Connection) -> Horizon:
    """The horizon, asked on a connection from ``Connector.connect`` that may listen."""
    statement = horizon_statement().encoded
    # Psycopg only keeps notifications that arrive meanwhile if it asks itself.
    with waiting(connection, statement):
        (row,) = psycopg.RawCursor(connection).execute(statement).fetchall()
    return _horizon(row)


def _horizon(row: tuple[bytes | None, bool, bytes | None]) -> Horizon:
    at, busy, timeline = row
    position = BEGINNING if at is None else Position(at.decode())
    return Horizon(
        replace(position, timeline=None if timeline is None else timeline.decode()), busy
    )
