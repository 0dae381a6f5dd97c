"""Whether two servers answer alike: what gives other answers cannot be compared."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from uuid import uuid4

from benchmarks.questions import Ask
from benchmarks.servers import Server

_OF_ITS_OWN = {"id", "external_id", "created_at", "updated_at"}
# What an answer to a write holds besides, and the usual way does not work out.
_WORKED_OUT = {"corroboration", "comparisons", "similar"}


class AnswersDiffer(RuntimeError):
    """Two servers give different answers; the message says to what and where."""


def check(one: Server, other: Server, lines: Iterable[str]) -> None:
    """Raise ``AnswersDiffer`` unless both answer every line alike."""
    for line in lines:
        # A claim can only be added once.
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
        for name in _WORKED_OUT:
            document.pop(name, None)
        parts = [*document["figures"], *document["evidence"]]
        for row in (document, *parts):
            for name in _OF_ITS_OWN:
                del row[name]
    if "meta" in document:
        # Each has cursors of its own; both must know whether there is a next page.
        document["meta"] = {"is_last": document["meta"]["next_cursor"] is None}
    return document


def _difference(mine: Any, theirs: Any, where: str) -> str:
    """Where the documents differ first, and how; empty where they are equal."""
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
    # Z and +00:00, and zeros after the point, are a matter of taste.
    try:
        return datetime.fromisoformat(mine) == datetime.fromisoformat(theirs)
    except (TypeError, ValueError):
        return False
