"""Entries that refer to what is not there yet: kept on the disk until the rest is written."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from tempfile import TemporaryFile
from typing import IO, Any

from hksz_db.domain.errors import Fault
from hksz_db.exchange.readers.entries import Entry, Item

_PARTS = ("figures", "evidence")


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


def without_links(waiting: Postponed) -> Iterator[Entry]:
    """The entries that wait only for each other, without what can be written later.

    Those that have nothing of that kind are left out.
    """
    wanted: dict[int, set[Any]] = {}
    given: dict[int, set[Any]] = {}
    for entry in waiting.failed():
        assert entry.item is not None
        wanted[entry.number] = {_at(entry.item, fault.pointer) for fault in entry.faults}
        given[entry.number] = _names(entry.item)
    while True:
        there = set().union(*given.values())
        lost = [number for number, names in wanted.items() if not names <= there]
        if not lost:
            break
        for number in lost:
            del wanted[number], given[number]
    for entry in waiting.entries():
        assert entry.item is not None
        stub = _stub(entry.item)
        if entry.number in given and stub != entry.item:
            yield replace(entry, item=stub)


def _names(item: Item) -> set[Any]:
    """The names that a row and its parts have; units are called by their codes."""
    parts = [part for name in _PARTS for part in item.get(name, [])]
    return {item.get("code"), *(each.get("external_id") for each in (item, *parts))}


def _stub(item: Item) -> Item:
    stub = {name: value for name, value in item.items() if name != "relations"}
    if "evidence" in stub:
        stub["evidence"] = [p for p in stub["evidence"] if not _is_derived(p)]
    return stub


def _is_derived(passage: Item) -> bool:
    return any(passage.get(f"derived_from_{how}") is not None for how in ("id", "external_id"))


def _at(item: Any, pointer: str | None) -> Any:
    for step in (pointer or "#/").removeprefix("#/").split("/"):
        item = item[int(step)] if isinstance(item, list) else item.get(step)
    return item
