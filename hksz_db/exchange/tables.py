"""Tables: a document as one row with fixed columns, for CSV and Parquet.

The columns follow from the document. A column is a path into the document; its name is the steps of
the path joined by underscores, without a final ``name`` and without the ``entity`` of a link:
``claimant`` is the name of the claimant. If the path leads through a list, the column holds a list
of the values that are not null. ``Readable.tabled`` declares which paths through lists become
columns; the figures, evidence and sources of a claim have tables of their own.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import Any

from sqlalchemy import Boolean, ColumnElement, Date, Integer
from sqlalchemy.types import TypeEngine

from hksz_db.exchange.format import Document, ExportRequest
from hksz_db.queries.documents import (
    DecimalText,
    First,
    Group,
    Many,
    Node,
    One,
    Opaque,
    TimestampText,
    Values,
)
from hksz_db.queries.pages import RESOURCES
from hksz_db.queries.readable import Readable
from schemas.base import LAST_FIELDS


class ColumnType(Enum):
    """The type of a column; decimals, dates and timestamps are text (digits, ISO 8601)."""

    TEXT = auto()
    LIST = auto()
    INTEGER = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    DATE = auto()
    TIMESTAMP = auto()


_TYPES: tuple[tuple[type[TypeEngine[Any]], ColumnType], ...] = (
    (DecimalText, ColumnType.DECIMAL),
    (TimestampText, ColumnType.TIMESTAMP),
    (Boolean, ColumnType.BOOLEAN),
    (Integer, ColumnType.INTEGER),
    (Date, ColumnType.DATE),
)


@dataclass(frozen=True)
class Column:
    """A column: the path to its value, and its type."""

    path: tuple[str, ...]
    type: ColumnType

    @property
    def name(self) -> str:
        """The name in the header."""
        first, *others = self.path
        steps = [step for step in others if step != "entity"]
        return "_".join([first, *(steps[:-1] if steps[-1:] == ["name"] else steps)])

    def value(self, document: Document) -> Any:
        """The value in a document: a scalar, a list or None."""
        return _follow(document, self.path)


def _follow(part: Any, path: tuple[str, ...]) -> Any:
    for number, step in enumerate(path):
        if isinstance(part, list):
            found = (_follow(item, path[number:]) for item in part)
            return [value for value in found if value is not None]
        if part is None:
            return None
        part = part[step]
    return part


@cache
def columns(resource: str) -> tuple[Column, ...]:
    """All columns of a resource, in the order of its document; those of the version come last.

    Raises ``TypeError`` for a field without a column.
    """
    readable = RESOURCES[resource]
    found: list[Column] = []
    names = sorted(readable.document, key=lambda name: name in LAST_FIELDS)
    for name in names:
        node = readable.document[name]
        derived = _derived(node, (name,)) if name in readable.fields else ()
        of_field = [*derived, *_declared(readable, name, node)]
        if not of_field and name in readable.fields:
            raise TypeError(f"No column shows {resource}.{name}: declare its paths in `tabled`.")
        found += of_field
    return tuple(found)


def columns_of(request: ExportRequest) -> tuple[Column, ...]:
    """The columns of the requested fields."""
    return tuple(column for column in columns(request.resource) if column.path[0] in request.fields)


def fields(readable: Readable) -> tuple[str, ...]:
    """The fields of the document that the columns read."""
    read = {column.path[0] for column in columns(readable.name)}
    return tuple(name for name in readable.document if name in read)


def _derived(node: Node, path: tuple[str, ...]) -> Iterator[Column]:
    """The columns of a field outside of lists of objects."""
    match node:
        case Group() | One():
            for name, inner in node.fields.items():
                yield from _derived(inner, (*path, name))
        case Values():
            yield Column(path, ColumnType.LIST)
        case Many() | First() | Opaque():
            return
        case _:
            yield Column(path, _type(node))


def _declared(readable: Readable, name: str, node: Node) -> Iterator[Column]:
    """The columns that ``tabled`` declares for a field."""
    for chosen in readable.tabled:
        first, *steps = chosen.split(".")
        if first == name:
            yield Column((first, *steps), _type_at(node, steps))


def _type_at(node: Node, steps: list[str]) -> ColumnType:
    match node:
        case Many():
            _type_at(Group(node.fields), steps)
            return ColumnType.LIST
        case Group() | One():
            return _type_at(node.fields[steps[0]], steps[1:])
    assert isinstance(node, ColumnElement)
    return _type(node)


def _type(column: ColumnElement[Any]) -> ColumnType:
    return next((found for sql, found in _TYPES if isinstance(column.type, sql)), ColumnType.TEXT)
