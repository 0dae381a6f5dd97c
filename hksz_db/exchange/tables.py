"""Tables: a document as one row of fixed columns, for CSV and Parquet.

The columns follow from the document. Each is a path into it, and its name is the steps of the
path joined by underscores, without a final ``name`` and without the ``entity`` of a link:
``claimant`` is the name of the claimant. Where the path leads through a list, the column holds a
list, with a value for each item that has one. Of the lists, a resource chooses the paths that
tables show (``Readable.tabled``); the figures, evidence and sources of a claim have tables of
their own.
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
from schemas.base import VersionedSchema


class Kind(Enum):
    """The type of a column; a decimal is text of digits, a date and a moment text of ISO 8601."""

    TEXT = auto()
    LIST = auto()
    INTEGER = auto()
    DECIMAL = auto()
    BOOLEAN = auto()
    DATE = auto()
    MOMENT = auto()


_KINDS: tuple[tuple[type[TypeEngine[Any]], Kind], ...] = (
    (DecimalText, Kind.DECIMAL),
    (TimestampText, Kind.MOMENT),
    (Boolean, Kind.BOOLEAN),
    (Integer, Kind.INTEGER),
    (Date, Kind.DATE),
)


@dataclass(frozen=True)
class Column:
    """A column: the path to its value, and the type of the value."""

    path: tuple[str, ...]
    kind: Kind

    @property
    def name(self) -> str:
        """The name in the header."""
        first, *others = self.path
        steps = [step for step in others if step != "entity"]
        return "_".join([first, *(steps[:-1] if steps[-1:] == ["name"] else steps)])

    def value(self, document: Document) -> Any:
        """The value for a document: None where there is none, else a list or a scalar."""
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

    Raises ``TypeError`` for a field that no column shows.
    """
    readable = RESOURCES[resource]
    found: list[Column] = []
    names = sorted(readable.document, key=lambda name: name in VersionedSchema._declared_fields)
    for name in names:
        node = readable.document[name]
        derived = _derived(node, (name,)) if name in readable.fields else ()
        of_field = [*derived, *_chosen(readable, name, node)]
        if not of_field and name in readable.fields:
            raise TypeError(f"No column shows {resource}.{name}: choose its paths in `tabled`.")
        found += of_field
    return tuple(found)


def columns_of(asked: ExportRequest) -> tuple[Column, ...]:
    """The columns of the fields that are asked for."""
    return tuple(column for column in columns(asked.resource) if column.path[0] in asked.fields)


def fields(readable: Readable) -> tuple[str, ...]:
    """The fields of the document that the columns of a resource read."""
    read = {column.path[0] for column in columns(readable.name)}
    return tuple(name for name in readable.document if name in read)


def _derived(node: Node, path: tuple[str, ...]) -> Iterator[Column]:
    """The columns of a field that holds no list."""
    match node:
        case Group() | One():
            for name, inner in node.fields.items():
                yield from _derived(inner, (*path, name))
        case Values():
            yield Column(path, Kind.LIST)
        case Many() | First() | Opaque():
            return
        case _:
            yield Column(path, _kind(node))


def _chosen(readable: Readable, name: str, node: Node) -> Iterator[Column]:
    """The columns of the paths that the resource chose."""
    for chosen in readable.tabled:
        first, *steps = chosen.split(".")
        if first == name:
            yield Column((first, *steps), _kind_at(node, steps))


def _kind_at(node: Node, steps: list[str]) -> Kind:
    match node:
        case Many():
            _kind_at(Group(node.fields), steps)
            return Kind.LIST
        case Group() | One():
            return _kind_at(node.fields[steps[0]], steps[1:])
    assert isinstance(node, ColumnElement)
    return _kind(node)


def _kind(column: ColumnElement[Any]) -> Kind:
    return next((kind for of, kind in _KINDS if isinstance(column.type, of)), Kind.TEXT)
