"""The type of an export format, and what several formats need."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from hksz_db.database import Prepared
from hksz_db.domain.strict_json import compact
from hksz_db.queries.pages import PageShape, everything_statement
from hksz_db.queries.readable import Readable

Document = dict[str, object]
Rows = Iterator[tuple[Any, ...]]
Write = Callable[[PageShape, Rows], Iterator[bytes]]
Fields = Callable[[Readable], tuple[str, ...]]


@dataclass(frozen=True)
class Format:
    """A way to write documents.

    ``fields`` gives the fields of a document that the format reads by default; it gives none if
    the format cannot represent the resource. ``choices`` gives the fields that ``select`` and
    ``include`` can choose from, and is None if the fields are fixed. ``write`` takes the rows of
    ``statement`` for a shape: documents as PostgreSQL built them, unless the format has a statement
    of its own. ``broken`` ends a truncated file, unless truncated files of the format are invalid
    anyway.
    """

    name: str
    media_type: str
    suffix: str
    fields: Fields
    write: Write
    statement: Callable[[PageShape], Prepared] = everything_statement
    choices: Fields | None = None
    broken: bytes = b""


def of_resources(fields: Mapping[str, tuple[str, ...]]) -> Fields:
    """Look up the fields by the name of the resource."""
    return lambda readable: fields.get(readable.name, ())


def parsed(rows: Rows) -> Iterator[Any]:
    """Parse the documents of rows."""
    return (json.loads(document) for (document,) in rows)


def array(items: Iterable[object], head: bytes = b"[\n", tail: bytes = b"\n]\n") -> Iterator[bytes]:
    """Write a JSON array with one item a line."""
    yield head
    separator = b""
    for item in items:
        yield separator + compact(item)
        separator = b",\n"
    yield tail


def drop_empty(document: Mapping[str, object]) -> Document:
    """Leave out nulls, empty lists and empty objects."""
    return {name: value for name, value in document.items() if value not in (None, [], {})}
