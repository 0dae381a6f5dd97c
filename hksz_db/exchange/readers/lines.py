"""Read NDJSON: one document a line as the export writes it, or one body as the API takes it."""

import sqlite3
from contextlib import closing

from hksz_db.domain import strict_json
from hksz_db.domain.errors import Fault, FaultsError, Malformed
from hksz_db.exchange.bodies import Body, capture_names, create_body, objects
from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.entries import (
    Entries,
    ImportEntry,
    ImportRequest,
    Item,
    unreadable,
    with_external_id,
)
from hksz_db.services.registry import WRITERS


def read(request: ImportRequest) -> Entries:
    """Read the lines of a file, one in memory at a time; empty lines are ignored.

    A line may name its ``resource``; otherwise that of the request is used. Raises ``Unreadable``.
    """
    with closing(_Names(request)) as names:
        for line in text.lines(request.path, request.encoding):
            if line.fault:
                yield unreadable(line.number, request.resource or "rows", line.fault)
            elif line.text.strip():
                yield _entry(line, request, names)


def _entry(line: text.Line, request: ImportRequest, names: "_Names") -> ImportEntry:
    resource = request.resource
    try:
        document = _document(line)
        resource = _resource(document, resource)
        item = _item(resource, document, request, names)
    except FaultsError as error:
        faults = error.faults or (Fault("invalid", error.detail, "#"),)
        return ImportEntry(line.number, resource or "rows", faults=faults)
    label, row_id = item.get("external_id"), document.get("id")
    return ImportEntry(
        line.number,
        resource,
        item,
        label=label if isinstance(label, str) else None,
        row_id=row_id if isinstance(row_id, str) else None,
        size=len(line.text),
    )


def _document(line: text.Line) -> Body:
    document: object = strict_json.parse(line.text, "The line")
    if not isinstance(document, dict):
        raise Malformed("The line is not an object.")
    return document


def _resource(document: Body, default: str | None) -> str:
    name = document.pop("resource", default)
    if name is None:
        raise Malformed("The line names no resource; give the resource with --resource.")
    if not isinstance(name, str) or name not in WRITERS:
        raise Malformed(f"Unknown resource; known: {', '.join(WRITERS)}.")
    return name


def _item(resource: str, document: Body, request: ImportRequest, names: "_Names") -> Item:
    skipped, namespace = request.columns.skipped, request.namespace
    kept = {name: value for name, value in document.items() if name not in skipped}
    body = create_body(resource, kept, names=names.find)
    item = with_external_id(body, document.get("id"), namespace)
    for name in WRITERS[resource].parts:
        parts, read = objects(item.get(name)), objects(document.get(name))
        for part, original in zip(parts, read, strict=False):
            # Equal parts of different claims need different names.
            unique = {**part, "of": item["external_id"]}
            named = with_external_id(unique, original.get("id"), namespace)
            part["external_id"] = named["external_id"]
    return item


class _Names:
    """The external ids of evidence and the hashes of captures in the file, by id.

    Documents refer to these by id only. The first look-up reads the whole file; the names are kept
    on disk, because a large file has more than fit in memory.
    """

    def __init__(self, request: ImportRequest) -> None:
        self._request = request
        self._index = sqlite3.connect("")
        self._is_read = False

    def find(self, id: str) -> str | None:
        """The name of an id, or None if the file has none."""
        if not self._is_read:
            self._read()
        query = "SELECT name FROM names WHERE id = ?"
        row = self._index.execute(query, [id]).fetchone() if _is_storable(id) else None
        return row and str(row[0])

    def _read(self) -> None:
        self._index.execute("CREATE TABLE names (id PRIMARY KEY, name) WITHOUT ROWID")
        for line in text.lines(self._request.path, self._request.encoding):
            pairs = _names_in(line, self._request.resource)
            self._index.executemany("INSERT OR REPLACE INTO names VALUES (?, ?)", pairs)
        self._is_read = True

    def close(self) -> None:
        """Delete the index."""
        self._index.close()


def _names_in(line: text.Line, resource: str | None) -> list[tuple[object, object]]:
    """Pairs of id and name in a line; none if the line cannot be read."""
    try:
        document = _document(line)
    except Malformed:
        return []
    named = document.get("resource", resource)
    sources = [document] if named == "sources" else document.get("sources")
    evidence = [document] if named == "evidence" else objects(document.get("evidence"))
    pairs = [(passage.get("id"), passage.get("external_id")) for passage in evidence]
    pairs += capture_names(sources).items()
    return [pair for pair in pairs if all(map(_is_storable, pair))]


def _is_storable(value: object) -> bool:
    """SQLite stores no surrogates."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)
