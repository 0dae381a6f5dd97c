"""What a reader makes of a file: entries, each with what it would write or why it cannot be."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from hksz_db.domain.errors import Fault

Item = dict[str, Any]


class Unreadable(ValueError):
    """A file of which nothing, or nothing more, can be read; the message says why and where."""


@dataclass(frozen=True)
class Entry:
    """One entry of a file.

    ``number`` counts lines where ``unit`` is ``line`` and entries where it is ``entry``, from 1;
    ``label`` is what the file calls it. ``item`` is the body of ``POST /v1/{resource}``, or
    ``None`` where ``faults`` say why there is none. ``warnings`` name what it says that cannot be
    kept. ``entities`` are bodies of those that the item refers to. ``known_as`` are names under
    which the row may be there already, ``row_id`` is the id that it had where it came from,
    ``size`` how many characters it takes, where a file is not read as a whole.
    """

    number: int
    resource: str
    item: Item | None = None
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    entities: tuple[Item, ...] = ()
    label: str | None = None
    known_as: tuple[str, ...] = ()
    row_id: str | None = None
    unit: str = "entry"
    size: int = 0

    @property
    def external_id(self) -> str | None:
        """The name by which the item is found again; ``None`` where it has none, or a wrong one."""
        return self._text("external_id")

    @property
    def doi(self) -> str | None:
        """The DOI of the source that the item is, in the case in which DOIs compare."""
        return (self._text("doi") or "").lower() or None if self.resource == "sources" else None

    @property
    def place(self) -> str:
        """Where the entry stands: ``line 3``, ``entry 3 (smith2020)``."""
        where = f"{self.unit} {self.number}"
        return f"{where} ({self.label})" if self.label else where

    def failing(self, *faults: Fault) -> "Entry":
        """The entry as one that cannot be written."""
        return replace(self, item=None, faults=(*self.faults, *faults))

    def _text(self, name: str) -> str | None:
        value = self.item.get(name) if self.item else None
        return value if isinstance(value, str) else None


Entries = Iterator[Entry]


@dataclass
class Firsts:
    """Where each name of a file stood first."""

    _entries: dict[str, Entry] = field(default_factory=dict)

    def check(self, entry: Entry) -> Entry:
        """The entry, failing where another of the same name came before it."""
        name = entry.external_id
        if name is None:
            return entry
        first = self._entries.setdefault(name, entry)
        if first is entry:
            return entry
        detail = f"The file has {name} twice, first at {first.unit} {first.number}."
        return entry.failing(Fault("unique", detail, "#/external_id"))
