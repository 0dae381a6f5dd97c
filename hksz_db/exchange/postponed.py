"""Entries that refer to what is not there yet: kept on the disk until the rest is written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO, Any

from hksz_db.errors import Fault
from hksz_db.exchange.readers.entries import Entry, Item

# What can be written later than its row: lists of links, and evidence that repeats other evidence.
_LINKS = ("relations", "evidence")


@contextmanager
def postponed() -> Iterator["Postponed"]:
    """A place for entries, gone when the block ends."""
    with TemporaryFile("w+", encoding="ascii") as file:
        yield Postponed(file)


class Postponed:
    """Entries, each with its faults, in the order in which they came."""

    def __init__(self, file: IO[str]) -> None:
        self.count = 0
        self._file = file

    def add(self, entry: Entry, faults: tuple[Fault, ...]) -> None:
        """Keep an entry."""
        kept = {**vars(entry), "faults": [vars(fault) for fault in faults]}
        # Decimals are taken as strings too.
        self._file.write(json.dumps(kept, default=str) + "\n")
        self.count += 1

    def entries(self) -> Iterator[Entry]:
        """The entries, without their faults."""
        return (replace(entry, faults=()) for entry in self.failed())

    def failed(self) -> Iterator[Entry]:
        """The entries with their faults."""
        self._file.seek(0)
        for line in self._file:
            kept = json.loads(line)
            faults = tuple(Fault(**fault) for fault in kept.pop("faults"))
            for name in ("warnings", "entities", "known_as"):
                kept[name] = tuple(kept[name])
            yield Entry(faults=faults, **kept)


def without_circles(waiting: Postponed) -> dict[str, Entry]:
    """The entries that wait only for each other, by name, without what they wait for."""
    stubs: dict[str, Entry] = {}
    targets: dict[str, set[Any]] = {}
    for entry in waiting.failed():
        name, item = entry.external_id, entry.item
        links = [fault.pointer or "" for fault in entry.faults]
        if name and item and all(link.startswith(_POINTERS) for link in links):
            stubs[name] = replace(entry, item=_stub(item), faults=())
            targets[name] = {_at(item, link) for link in links}
    while lost := [name for name, wanted in targets.items() if not wanted <= targets.keys()]:
        for name in lost:
            del targets[name], stubs[name]
    return stubs


_POINTERS = tuple(f"#/{name}/" for name in _LINKS)


def _stub(item: Item) -> Item:
    stub = {name: value for name, value in item.items() if name != "relations"}
    if "evidence" in stub:
        stub["evidence"] = [p for p in stub["evidence"] if not _is_derived(p)]
    return stub


def _is_derived(passage: Item) -> bool:
    return any(passage.get(f"derived_from_{how}") is not None for how in ("id", "external_id"))


def _at(item: Any, pointer: str) -> Any:
    for step in pointer.removeprefix("#/").split("/"):
        item = item[int(step)] if isinstance(item, list) else item[step]
    return item
