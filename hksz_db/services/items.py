"""Items of a bulk call: which rows each inserts and updates, given the stored rows."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from uuid import UUID

from marshmallow import ValidationError
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, Fault, Invalid
from hksz_db.domain.vocabulary import BulkMode
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.batches import Entry
from hksz_db.services.dependants import parents_of
from hksz_db.services.loading import load
from hksz_db.services.rows import Row, merged_into
from hksz_db.services.writers import Writer
from schemas.base import InputSchema
from schemas.fields import ExternalId

_EXTERNAL_ID = ExternalId()


@dataclass(frozen=True)
class Item:
    """An item of a call, by its number; ``name`` is its external id, if that is valid."""

    number: int
    document: Any
    name: str | None
    _loaded: dict[InputSchema, Row | Invalid] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, document: Any) -> "Item":
        """The item of a JSON value."""
        return cls(number, document, _name(document))

    @property
    def row_count(self) -> int:
        """About how many rows it has: its own, and one for each item of its lists."""
        fields = self.document.values() if isinstance(self.document, Mapping) else ()
        return 1 + sum(len(field) for field in fields if isinstance(field, list))

    def load(self, schema: InputSchema) -> Row:
        """The fields as the schema loads them, a fresh copy each time; raises ``Invalid``."""
        if schema not in self._loaded:
            try:
                self._loaded[schema] = load(schema, self.document)
            except Invalid as error:
                self._loaded[schema] = error
        loaded = self._loaded[schema]
        if isinstance(loaded, Invalid):
            raise loaded
        copied: Row = _copied(loaded)
        return copied


class StoredRow(NamedTuple):
    """A stored row with an external id of an item; ``parent_id`` is the claim of a part."""

    id: UUID
    live: bool
    version: int
    into_id: UUID | None
    parent_id: UUID | None


@dataclass(frozen=True)
class Plan:
    """Plans how to write items, given the stored rows by table and external id.

    ``claimed_by`` are the numbers of the items that update a row.
    """

    writer: Writer
    mode: BulkMode
    stored: Mapping[tuple[str, str], StoredRow]
    claimed_by: dict[UUID, int] = field(default_factory=dict)

    @classmethod
    def of(cls, session: Session, writer: Writer, mode: BulkMode, items: Sequence[Item]) -> "Plan":
        """Find the stored rows of the items and, if these are updated, of their parts."""
        names: dict[str, list[str]] = defaultdict(list)
        for item in items:
            if item.name:
                names[writer.table].append(item.name)
                if mode is BulkMode.UPSERT:
                    for field_name, part in writer.parts.items():
                        names[part.table] += _names(item.document.get(field_name))
        queries = []
        for number, table in enumerate(names, start=1):
            parent = next((link.column for link in parents_of(table)), "NULL::uuid")
            queries.append(
                f"SELECT '{table}', external_id, id, deleted_at IS NULL, version,"
                f" {merged_into(table)}, {parent} FROM {table} WHERE external_id = ANY (${number})"
            )
        found = run(session, " UNION ALL ".join(queries), *names.values()) if queries else []
        stored = {(table, name): StoredRow(*row) for table, name, *row in found}
        return cls(writer, mode, stored)

    def stored_row(self, item: Item) -> StoredRow | None:
        """The stored row of the item."""
        return self.stored.get((self.writer.table, item.name or ""))

    def entries(self, item: Item) -> list[Entry]:
        """The rows that the item inserts and updates, its own first; none if it is ignored.

        Raises ``Invalid``, or ``Conflict`` if its external id is not free.
        """
        row = self.stored_row(item)
        if row is None:
            return [Entry(self.writer, item.load(self.writer.creation))]
        if self.mode is BulkMode.CREATE:
            detail = (
                f"This external_id is taken in {self.writer.table}, perhaps by a deleted or merged"
                " row."
            )
            raise _key_exists(detail, "#")
        _require_live(self.writer, row, item.name, "#")
        if self.mode is BulkMode.IGNORE:
            return []
        fields = item.load(self.writer.upsert)
        parts = {name: fields.pop(name) for name in self.writer.parts if name in fields}
        entries = [Entry(self.writer, fields, id=row.id)]
        for name, given in parts.items():
            # A new figure inherits the modality that its claim has after the write.
            inherited = self.writer.parts[name].inherit({**fields, "id": row.id})
            for number, nested in enumerate(given):
                pointer = f"#/{name}/{number}"
                entries.append(self._part(self.writer.parts[name], nested, pointer, inherited))
        for entry in entries:
            if entry.id and entry.id in self.claimed_by:
                raise duplicate_error(self.claimed_by[entry.id], entry.pointer)
            if entry.id:
                self.claimed_by[entry.id] = item.number
        return entries

    def _part(self, writer: Writer, fields: Row, pointer: str, inherited: Row) -> Entry:
        name = fields.get("external_id")
        if name is None:
            detail = "A part of a stored claim needs an external_id."
            fault = Fault("required", detail, f"{pointer}/external_id")
            raise Invalid("Parts without external_id could be added twice.", [fault])
        row = self.stored.get((writer.table, name))
        if row is None:
            return Entry(writer, {**inherited, **fields}, pointer)
        _require_live(writer, row, name, pointer)
        if row.parent_id != inherited["claim_id"]:
            singular = RESOURCES[writer.table].singular
            raise _key_exists(f"The {singular} {name} belongs to another claim.", pointer)
        return Entry(writer, fields, pointer, row.id, whole=True)


def duplicate_error(first: int, pointer: str = "#") -> Conflict:
    """The error of an item with the external id of an earlier item of the call."""
    detail = f"Item {first} has the same external_id."
    fault = Fault("unique", detail, f"{pointer}/external_id")
    return Conflict("Two items have the same external_id.", [fault])


def _key_exists(detail: str, pointer: str) -> Conflict:
    fault = Fault("unique", detail, f"{pointer}/external_id")
    return Conflict("A row with this key already exists.", [fault])


def _require_live(writer: Writer, row: StoredRow, name: str | None, pointer: str) -> None:
    singular = RESOURCES[writer.table].singular
    if row.into_id is not None:
        code, detail = "merged", f"The {singular} {name} was merged into {row.into_id}."
    elif not row.live:
        code, detail = "deleted", f"The {singular} {name} was deleted; it can be restored."
    else:
        return
    raise Conflict(
        "The row was deleted or merged.", [Fault(code, detail, f"{pointer}/external_id")]
    )


def _names(parts: Any) -> Iterator[str]:
    for part in parts if isinstance(parts, list) else ():
        if name := _name(part):
            yield name


def _name(document: Any) -> str | None:
    given = document.get("external_id") if isinstance(document, Mapping) else None
    try:
        return None if given is None else str(_EXTERNAL_ID.deserialize(given))
    except ValidationError:
        return None


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
