"""Read JSON-LD as web pages write it: the same data in many shapes.

A value and a list of one value are the same, and properties and types are compared by their local
names: ``url``, ``schema:url`` and ``http://schema.org/url``. No context is loaded.
"""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from hksz_db.domain import strict_json
from hksz_db.domain.errors import Malformed
from hksz_db.domain.strict_json import Json
from hksz_db.exchange.readers.entries import Unreadable
from hksz_db.exchange.readers.names import tidy

_LOCAL = re.compile(r"[^/#:]*$")
_WRAPPERS = ("@value", "@list", "@set")


class Literal(NamedTuple):
    """A text or a number, as it is written; ``pointer`` is its place in the file.

    In a list of records, an empty text stands for a value that is neither, such as ``null``.
    """

    raw: str
    pointer: str

    @property
    def text(self) -> str:
        """The text on one line."""
        return tidy(self.raw)


@dataclass(frozen=True)
class Node:
    """An object; ``values`` are those of each property, by its local name."""

    pointer: str
    id: str
    types: frozenset[str]
    values: Mapping[str, tuple["Node | Literal", ...]]

    @property
    def is_empty(self) -> bool:
        """Whether it says nothing."""
        return not (self.values or self.types or self.id)

    def get(self, *names: str) -> tuple["Node | Literal", ...]:
        """The values of the first of the properties that has any."""
        return next((self.values[name] for name in names if self.values.get(name)), ())

    def text(self, *names: str) -> str:
        """The first text of the properties; that of an object is its id."""
        found = (text_of(value) for name in names for value in self.values.get(name, ()))
        return next(filter(None, found), "")

    def raw(self, name: str) -> str:
        """The first text of the property with its white space."""
        return next((v.raw for v in self.get(name) if isinstance(v, Literal)), "")


Value = Node | Literal


def text_of(value: Value) -> str:
    """The text of a literal, or the id of an object."""
    return value.text if isinstance(value, Literal) else value.id


@dataclass(frozen=True)
class Graph:
    """The values at the top of a file, and the described objects by their ids."""

    roots: tuple[Value, ...]
    described: Mapping[str, Node]

    def nodes(self, values: tuple[Value, ...]) -> Iterator[Node]:
        """The objects among the values; one that is only an id is looked up."""
        for value in values:
            if isinstance(value, Node):
                yield value if value.values else self.described.get(value.id, value)


def read(content: str, record_lists: Collection[str]) -> Graph:
    """The graph of a JSON text.

    In the list at the top, and in those of the properties ``record_lists``, every item has a value.
    Raises ``Unreadable``.
    """
    try:
        document = strict_json.parse(content, "The file")
    except Malformed as error:
        raise Unreadable(str(error)) from None
    reader = _Reader(record_lists)
    roots = tuple(reader.values(document, "#", are_records=True)) if document != {} else ()
    described: dict[str, Node] = {}
    for node in _all_nodes(roots):
        if node.id and node.values:
            described.setdefault(node.id, node)
    return Graph(roots, described)


def _all_nodes(values: tuple[Value, ...]) -> Iterator[Node]:
    for value in values:
        if isinstance(value, Node):
            yield value
            for inner in value.values.values():
                yield from _all_nodes(inner)


@dataclass(frozen=True)
class _Reader:
    record_lists: Collection[str]

    def values(self, value: Json, pointer: str, *, are_records: bool = False) -> Iterator[Value]:
        if isinstance(value, list):
            for number, item in enumerate(value):
                at = f"{pointer}/{number}"
                found = tuple(self.values(item, at, are_records=are_records))
                yield from found or (Literal("", at),) * are_records
        elif isinstance(value, dict):
            wrapper = next((name for name in _WRAPPERS if name in value), None)
            if wrapper:
                at = f"{pointer}/{wrapper}"
                yield from self.values(value[wrapper], at, are_records=are_records)
            else:
                yield self._node(value, pointer)
        elif isinstance(value, str | int | Decimal) and not isinstance(value, bool):
            yield from [Literal(str(value), pointer)] if value != "" else []

    def _node(self, value: dict[str, Json], pointer: str) -> Node:
        values: dict[str, tuple[Value, ...]] = {}
        for name, given in value.items():
            if name != "@context":
                step = name.replace("~", "~0").replace("/", "~1")
                local = _local(name).removeprefix("@")
                are_records = local in self.record_lists
                found = self.values(given, f"{pointer}/{step}", are_records=are_records)
                values[local] = (*values.get(local, ()), *found)
        ids, types = values.pop("id", ()), values.pop("type", ())
        return Node(
            pointer,
            next((text_of(value) for value in ids), ""),
            frozenset(_local(text_of(value)) for value in types),
            values,
        )


def _local(name: str) -> str:
    found = _LOCAL.search(name)
    return found[0] if found else name
