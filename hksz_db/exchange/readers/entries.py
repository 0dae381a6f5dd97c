"""What to import, the entries of a file, and what all readers need to make them."""

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypedDict

from hksz_db.domain.errors import Fault
from hksz_db.domain.urls import canonical_url

Item = Mapping[str, object]


class EntityName(TypedDict):
    """The name of a new entity."""

    name: str
    language: str
    kind: str


class NewEntity(TypedDict):
    """The body that creates an entity to which an item refers."""

    external_id: str
    kind: str
    names: list[EntityName]


class Unreadable(ValueError):
    """The file, or the rest of it, cannot be read; the message says why and where."""


@dataclass(frozen=True)
class Columns:
    """What the columns of a table mean.

    ``mapped`` gives the field of a column; other columns have the name of their field. ``skipped``
    columns are not read. ``constants`` are values of fields for every row. ``decimal`` separates
    the fraction of a number, and others its thousands; if it is empty, numbers have no separators
    of thousands. Without ``has_quotes``, quotes are text.
    """

    mapped: Mapping[str, str] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None
    decimal: str = ""
    has_quotes: bool = True


@dataclass(frozen=True)
class ImportRequest:
    """A file to import.

    ``namespace`` is the namespace of new external ids; if it is empty, the default of the format is
    used. ``columns`` describe tables; ``columns.skipped`` also applies to the fields of documents.
    """

    path: Path
    format: str
    resource: str | None = None
    namespace: str = ""
    encoding: str = "utf-8"
    columns: Columns = field(default_factory=Columns)


@dataclass(frozen=True)
class ImportEntry:
    """An entry of a file.

    ``number`` counts lines or entries (``unit``) from 1; ``label`` is the name in the file.
    ``item`` is the body of ``POST /v1/{resource}``; it is None if ``faults`` say why the entry
    cannot be written. ``warnings`` name what the database does not keep. ``entities`` are the
    bodies of entities that the item refers to. ``known_as`` is an external id that the row may
    already have, ``row_id`` its id in the database that exported it. ``claims`` are external
    ids, or ids, of claims; if there are any, one claim must exist, or the row is not written.
    ``size`` counts characters, for formats that are not read as a whole.
    """

    number: int
    resource: str
    item: Item | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    entities: tuple[NewEntity, ...] = ()
    label: str | None = None
    known_as: str | None = None
    row_id: str | None = None
    claims: frozenset[str] = frozenset()
    unit: str = "line"
    size: int = 0

    @property
    def external_id(self) -> str | None:
        """The external id of the item, if it has one that is a string."""
        return self._text("external_id")

    @property
    def doi(self) -> str | None:
        """The DOI of a source, in lower case because DOIs ignore case."""
        return (self._text("doi") or "").lower() or None if self.resource == "sources" else None

    @property
    def canonical_url(self) -> str | None:
        """The canonical URL of a source whose URL can be one."""
        url = (self._text("url") or "") if self.resource == "sources" else ""
        return canonical_url(url) if url and url.isascii() and url.isprintable() else None

    @property
    def place(self) -> str:
        """Where the entry is in the file: ``line 3``, ``entry 3 (smith2020)``."""
        where = f"{self.unit} {self.number}"
        return f"{where} ({self.label})" if self.label else where

    def failed(self, *faults: Fault) -> "ImportEntry":
        """The entry as one that cannot be written."""
        return replace(self, item=None, faults=(*self.faults, *faults))

    def _text(self, name: str) -> str | None:
        value = self.item.get(name) if self.item else None
        return value if isinstance(value, str) else None


Entries = Iterator[ImportEntry]


def unreadable(
    number: int,
    resource: str,
    detail: str,
    code: str = "invalid",
    *,
    unit: str = "line",
    label: str | None = None,
) -> ImportEntry:
    """An entry that cannot be read."""
    fault = Fault(code, detail, "#")
    return ImportEntry(number, resource, faults=(fault,), unit=unit, label=label)


def refuse_duplicates(entries: Iterable[ImportEntry]) -> Entries:
    """Fail the entries whose external id an earlier entry of the resource has.

    The names are kept on disk, because a large file has more than fit in memory.
    """
    with closing(sqlite3.connect("")) as index:
        index.execute("CREATE TABLE names (name BLOB PRIMARY KEY, place TEXT) WITHOUT ROWID")
        for entry in entries:
            name = entry.external_id
            earlier = _earlier(index, entry) if name else None
            if earlier:
                detail = f"The file has {name} twice, first at {earlier}."
                yield entry.failed(Fault("unique", detail, "#/external_id"))
            else:
                yield entry


def _earlier(index: sqlite3.Connection, entry: ImportEntry) -> str | None:
    """The place of the first entry with the external id; remembers that of a new one."""
    name = f"{entry.resource} {entry.external_id}".encode("utf-8", "surrogatepass")
    place = f"{entry.unit} {entry.number}"
    if index.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", [name, place]).rowcount:
        return None
    (found,) = index.execute("SELECT place FROM names WHERE name = ?", [name]).fetchone()
    return str(found)


def with_external_id(item: Item, row_id: object, namespace: str) -> Item:
    """The item with an external id, so that the next import finds the row again.

    An item without one is named by the id of its row in the database that exported it, otherwise by
    a hash of its content.
    """
    if item.get("external_id") is not None:
        return item
    if isinstance(row_id, str):
        return {**item, "external_id": f"{namespace}:{row_id}"}
    content = {name: value for name, value in item.items() if name != "external_id"}
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str)
    return {**item, "external_id": f"{namespace}:row-{digest(text)}"}


def digest(text: str) -> str:
    """A hash for external ids."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:24]
