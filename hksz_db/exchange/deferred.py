"""Entries that refer to rows that do not exist yet, kept on disk until the others are written."""

import pickle
from collections.abc import Hashable, Iterator
from dataclasses import replace
from tempfile import TemporaryFile
from typing import Any

from hksz_db.domain.errors import Fault
from hksz_db.exchange.readers.entries import ImportEntry, Item

_PARTS = ("figures", "evidence")


class Deferred:
    """Entries in their order, each with the faults that deferred it."""

    def __init__(self) -> None:
        self.count = 0
        self._file = TemporaryFile()  # noqa: SIM115 - closed by close()

    def add(self, entry: ImportEntry, faults: tuple[Fault, ...]) -> None:
        """Keep an entry."""
        pickle.dump(replace(entry, faults=faults), self._file)
        self.count += 1

    def entries(self) -> Iterator[ImportEntry]:
        """Read the entries."""
        self._file.seek(0)
        for _ in range(self.count):
            yield pickle.load(self._file)  # noqa: S301 - a private file

    def close(self) -> None:
        """Delete the file."""
        self._file.close()


def without_links(deferred: Deferred) -> Iterator[ImportEntry]:
    """The entries that only wait for each other, without the links that can be written later.

    Entries without such links are left out.
    """
    missing: dict[int, set[Hashable]] = {}
    names: dict[int, set[Hashable]] = {}
    for entry in deferred.entries():
        assert entry.item is not None
        missing[entry.number] = {_value_at(entry.item, fault.pointer) for fault in entry.faults}
        names[entry.number] = _names(entry.item)
    while True:
        known = set().union(*names.values())
        hopeless = [number for number, wanted in missing.items() if not wanted <= known]
        if not hopeless:
            break
        for number in hopeless:
            del missing[number], names[number]
    for entry in deferred.entries():
        assert entry.item is not None
        stub = _stub(entry.item)
        if entry.number in names and stub != entry.item:
            yield replace(entry, item=stub)


def _names(item: Item) -> set[Hashable]:
    """The names of a row and its parts; units are referred to by code."""
    parts = [part for name in _PARTS for part in item.get(name, [])]
    return {item.get("code"), *(each.get("external_id") for each in (item, *parts))}


def _stub(item: Item) -> Item:
    stub = {name: value for name, value in item.items() if name != "relations"}
    if "evidence" in stub:
        stub["evidence"] = [each for each in stub["evidence"] if not _is_derived(each)]
    return stub


def _is_derived(passage: Item) -> bool:
    return any(passage.get(f"derived_from_{key}") is not None for key in ("id", "external_id"))


def _value_at(item: Any, pointer: str | None) -> Hashable:
    for step in (pointer or "#/").removeprefix("#/").split("/"):
        item = item[int(step)] if isinstance(item, list) else item.get(step)
    found: Hashable = item
    return found
