"""Checks that two servers give the same answers."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Protocol
from uuid import uuid4

from benchmarks.questions import Ask

_UNIQUE = {"id", "external_id", "created_at", "updated_at"}
# The ORM does not have these fields in its answer to a write.
_LEFT_OUT = {"corroboration", "comparisons", "contested_by", "similar", "statements", "warnings"}


class Answering(Protocol):
    """A server that answers requests with JSON."""

    name: str

    def answer(self, ask: Ask) -> Any:
        """The JSON document of an answer."""


class AnswersDiffer(RuntimeError):
    """Two servers give different answers; the message says to which request, and where."""


def check(one: Answering, other: Answering, lines: Iterable[str]) -> None:
    """Raise ``AnswersDiffer`` unless both servers give the same answer to every line."""
    for line in lines:
        # Each server needs an external id of its own to create a claim.
        mine, theirs = (
            server.answer(Ask.from_line(line, f"check-{uuid4().hex}")) for server in (one, other)
        )
        added = line.startswith("POST")
        difference = _difference(_comparable(mine, added), _comparable(theirs, added), "#")
        if difference:
            raise AnswersDiffer(
                f"{one.name} and {other.name} answer {line[:200]} differently: {difference}"
            )


def _comparable(document: Any, added: bool) -> Any:
    if added:
        for name in _LEFT_OUT:
            document.pop(name, None)
        parts = [*document["figures"], *document["evidence"]]
        for row in (document, *parts):
            for name in _UNIQUE:
                del row[name]
    if "meta" in document:
        # Their cursors differ, but both must know whether this is the last page.
        document["meta"] = {"is_last": document["meta"]["next_cursor"] is None}
    return document


def _difference(mine: Any, theirs: Any, where: str) -> str:
    """The first difference of the documents; empty if they are equal."""
    match mine, theirs:
        case dict(), dict() if mine.keys() == theirs.keys():
            parts = ((mine[name], theirs[name], f"{where}/{name}") for name in mine)
        case list(), list() if len(mine) == len(theirs):
            pairs = enumerate(zip(mine, theirs, strict=True))
            parts = ((*pair, f"{where}/{number}") for number, pair in pairs)
        case _:
            return "" if _equal(mine, theirs) else f"{mine!r} and {theirs!r} at {where}"
    return next(filter(None, (_difference(*part) for part in parts)), "")


def _equal(mine: Any, theirs: Any) -> bool:
    return bool(mine == theirs) or (
        isinstance(mine, str) and isinstance(theirs, str) and _same_moment(mine, theirs)
    )


def _same_moment(mine: str, theirs: str) -> bool:
    # Z and +00:00 mean the same, and so do trailing zeros.
    try:
        return datetime.fromisoformat(mine) == datetime.fromisoformat(theirs)
    except (TypeError, ValueError):
        return False
