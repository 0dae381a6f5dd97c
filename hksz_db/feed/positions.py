"""Positions in the feed, and the cursors that clients keep of them."""

import json
import re
from dataclasses import astuple, dataclass
from typing import Any
from uuid import UUID

from hksz_db.queries import cursors

NIL_ID = str(UUID(int=0))
"""It sorts before every other id."""

# The patterns of the fields of a position.
_PATTERNS = (
    r"-infinity|[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{6}Z",
    r"-1|[0-9]{1,19}",
    r"[1-3]",
    *(r"[a-z]*", r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}") * 2,
)
# Cursors of earlier versions have no changed row: they start at the first.
_EARLIER_PATTERNS = _PATTERNS[:5]
# Greater than every other stage, and than the number of every transaction.
_LAST_STAGE = "3"
_LAST_TRANSACTION = str(2**63 - 1)


@dataclass(frozen=True)
class Position:
    """A place in the feed: after this moment, transaction, stage, resource and id.

    A large transaction is searched in spans of changed rows. The rows up to ``changed_resource``
    and ``changed_id`` have been searched.
    """

    at: str
    transaction: str = _LAST_TRANSACTION
    stage: str = _LAST_STAGE
    resource: str = ""
    id: str = NIL_ID
    changed_resource: str = ""
    changed_id: str = NIL_ID

    def is_beyond(self, settled: "Position") -> bool:
        """Whether nothing settled can follow; moments are compared as texts."""
        if self.at == settled.at:
            return self.transaction == _LAST_TRANSACTION
        return self.at > settled.at


BEGINNING = Position("-infinity", "-1")


class ForeignCursor(ValueError):
    """A cursor that no page of the same feed returned."""


def encode(position: Position, question: Any) -> str:
    """The cursor for a position among the answers to a question."""
    keys = json.dumps(astuple(position), separators=(",", ":"))
    return cursors.encode(keys.encode(), question)


def decode(cursor: str, question: Any) -> Position:
    """The position in a cursor. Raises ``ForeignCursor`` if it is for another question."""
    for patterns in (_PATTERNS, _EARLIER_PATTERNS):
        found = cursors.decode(cursor, question, [False] * len(patterns)) or ()
        keys = [str(key) for key in found]
        if keys and all(map(re.fullmatch, patterns, keys)):
            return Position(*keys)
    raise ForeignCursor
