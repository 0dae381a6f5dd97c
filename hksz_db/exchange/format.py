"""What a format is, and what the formats have in common."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from hksz_db.queries.readable import Readable

Document = dict[str, Any]
Write = Callable[["ExportRequest", Iterator[bytes]], Iterator[bytes]]
Fields = Callable[[Readable], tuple[str, ...]]


@dataclass(frozen=True)
class ExportRequest:
    """What goes out: documents of a resource, each with the named fields."""

    resource: str
    fields: tuple[str, ...]


@dataclass(frozen=True)
class Format:
    """One way to write documents.

    ``fields`` are those of a document that it reads when nobody chooses, none where a resource
    cannot be written so; ``choices`` are those among which ``select`` and ``include`` choose, and
    is None where what is written is settled. ``write`` makes bytes of the documents, as
    PostgreSQL built them. ``broken`` is what it leaves at the end of what is no whole, where
    breaking off is not seen by itself.
    """

    name: str
    media_type: str
    suffix: str
    fields: Fields
    write: Write
    choices: Fields | None = None
    broken: bytes = b""


def of_resources(fields: dict[str, tuple[str, ...]]) -> Fields:
    """The fields by the name of the resource."""
    return lambda readable: fields.get(readable.name, ())


def array(items: Iterator[Any], head: bytes = b"[\n", tail: bytes = b"\n]\n") -> Iterator[bytes]:
    """The items as a JSON array, one a line, as they come."""
    yield head
    separator = b""
    for item in items:
        yield separator + compact(item)
        separator = b",\n"
    yield tail


def compact(document: Any) -> bytes:
    """The document as JSON in UTF-8, without what says nothing."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def without_nothing(document: Document) -> Document:
    """The fields that say something: no nulls, no empty lists and objects."""
    return {name: value for name, value in document.items() if value not in (None, [], {})}
