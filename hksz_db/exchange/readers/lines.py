"""NDJSON: a document on each line as the export writes it, or a body as the API takes it."""

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hksz_db.domain import strict_json
from hksz_db.domain.errors import Fault, FaultsError, Malformed
from hksz_db.exchange.bodies import Body, create_body
from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.entries import Entries, Entry
from hksz_db.exchange.readers.naming import named_by_content
from hksz_db.services.kinds import KINDS


def read(
    path: Path,
    resource: str | None,
    namespace: str,
    encoding: str = "utf-8",
    skipped: frozenset[str] = frozenset(),
) -> Entries:
    """The lines of a file, one in memory at a time; empty ones say nothing.

    A line may name its ``resource``; otherwise it is of the one that is given. ``skipped`` fields
    are left out. A row without an external id gets one: from the id that it had where it comes
    from, or from what it says. Raises ``Unreadable``.
    """
    with closing(_Names(path, resource, encoding)) as names:
        for line in text.lines(path, encoding):
            if line.fault:
                yield _failing(line.number, resource, line.fault)
            elif line.text.strip():
                yield _entry(line, resource, _Settings(names, namespace, skipped))


@dataclass(frozen=True)
class _Settings:
    names: "_Names"
    namespace: str
    skipped: frozenset[str]


def _entry(line: text.Line, resource: str | None, settings: _Settings) -> Entry:
    try:
        document = strict_json.parse(line.text, "The line")
        if not isinstance(document, dict):
            raise Malformed("The line is not an object.")
        resource = _resource(document, resource)
        item, row_id = _item(resource, document, settings)
    except FaultsError as error:
        faults = error.faults or (Fault("invalid", error.detail, "#"),)
        return Entry(line.number, resource or "rows", faults=faults, unit="line")
    label = item.get("external_id")
    return Entry(
        line.number,
        resource,
        item,
        label=label if isinstance(label, str) else None,
        row_id=row_id,
        unit="line",
        size=len(line.text),
    )


def _resource(document: Body, resource: str | None) -> str:
    named = document.pop("resource", resource)
    if named is None:
        raise Malformed("The line names no resource: say of which its rows are, with --resource.")
    if not isinstance(named, str) or named not in KINDS:
        raise Malformed(f"Unknown resource; known: {', '.join(KINDS)}.")
    return named


def _item(resource: str, document: Body, settings: _Settings) -> tuple[Body, str | None]:
    kept = {name: value for name, value in document.items() if name not in settings.skipped}
    item = _named(create_body(resource, kept, names=settings.names), document, settings.namespace)
    for name in KINDS[resource].parts:
        parts, shown = _objects(item.get(name)), _objects(document.get(name))
        claim = item["external_id"]
        for part, seen in zip(parts, shown, strict=False):
            named = _named({**part, "of": claim}, seen, settings.namespace)
            part["external_id"] = named["external_id"]
    row_id = document.get("id")
    return item, row_id if isinstance(row_id, str) else None


def _named(item: Body, document: Mapping[str, Any], namespace: str) -> Body:
    """The item with a name, made from its id where it comes from if it has none of its own."""
    row_id = document.get("id")
    if item.get("external_id") is None and isinstance(row_id, str):
        return {**item, "external_id": f"{namespace}:{row_id}"}
    return named_by_content(item, namespace)


def _failing(number: int, resource: str | None, detail: str) -> Entry:
    fault = Fault("invalid", detail, "#")
    return Entry(number, resource or "rows", faults=(fault,), unit="line")


class _Names(Mapping[str, str]):
    """What the file says of the names of evidence and captures, by id, on the disk.

    Documents have only the ids of these. The file is read for their names when the first of them
    is asked for; as many as a file may have, they do not fit in memory.
    """

    def __init__(self, path: Path, resource: str | None, encoding: str) -> None:
        self._file = (path, resource, encoding)
        self._index: sqlite3.Connection | None = None

    def _found(self) -> sqlite3.Connection:
        if self._index is None:
            path, resource, encoding = self._file
            self._index = sqlite3.connect("")
            self._index.execute("CREATE TABLE names (id PRIMARY KEY, name) WITHOUT ROWID")
            for line in text.lines(path, encoding):
                pairs = _named_in(line, resource)
                self._index.executemany("INSERT OR REPLACE INTO names VALUES (?, ?)", pairs)
        return self._index

    def __getitem__(self, id: str) -> str:
        found = _is_storable(id) and self._found().execute(
            "SELECT name FROM names WHERE id = ?", [id]
        )
        row = found.fetchone() if found else None
        if row is None:
            raise KeyError(id)
        return str(row[0])

    def __iter__(self) -> Iterator[str]:
        return (row[0] for row in self._found().execute("SELECT id FROM names"))

    def __len__(self) -> int:
        return int(self._found().execute("SELECT count(*) FROM names").fetchone()[0])

    def close(self) -> None:
        """Drop the index."""
        if self._index is not None:
            self._index.close()


def _named_in(line: text.Line, resource: str | None) -> list[tuple[Any, Any]]:
    """Pairs of an id and a name that a line gives; a line that cannot be read gives none."""
    try:
        document = strict_json.parse(line.text, "The line")
    except Malformed:
        return []
    if not isinstance(document, dict):
        return []
    resource = document.get("resource", resource)
    sources = _objects([document] if resource == "sources" else document.get("sources"))
    captures = [held for source in sources for held in _objects(source.get("captures"))]
    passages = _objects(document.get("evidence")) if resource == "claims" else []
    passages += [document] if resource == "evidence" else []
    found = [(capture.get("id"), capture.get("text_sha256")) for capture in captures]
    found += [(passage.get("id"), passage.get("external_id")) for passage in passages]
    return [pair for pair in found if all(map(_is_storable, pair))]


def _is_storable(value: Any) -> bool:
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _objects(value: Any) -> list[dict[str, Any]]:
    found = value if isinstance(value, list) else []
    return [item for item in found if isinstance(item, dict)]
