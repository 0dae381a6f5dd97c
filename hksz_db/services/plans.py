"""Plans: which rows an item of many makes and changes, given what is there already."""

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
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.dependants import wholes_of
from hksz_db.services.entries import Entry
from hksz_db.services.loading import load
from hksz_db.services.rows import merged_into
from hksz_db.services.writers import Writer
from schemas.base import InputSchema
from schemas.fields import ExternalId

Fields = dict[str, Any]

_NAME = ExternalId()


@dataclass(frozen=True)
class Task:
    """An item of a call, by its number; ``name`` is its external id if that can be one."""

    number: int
    item: Any
    name: str | None
    _loaded: dict[InputSchema, Fields | Invalid] = field(default_factory=dict)

    @classmethod
    def of(cls, number: int, item: Any) -> "Task":
        """The task of an item."""
        return cls(number, item, _name(item))

    @property
    def rows(self) -> int:
        """About how many rows it consists of: its own, and one for each entry of its lists."""
        fields = self.item.values() if isinstance(self.item, Mapping) else ()
        return 1 + sum(len(field) for field in fields if isinstance(field, list))

    def load(self, schema: InputSchema) -> Fields:
        """The item as the schema reads it, a fresh copy each time; raises ``Invalid``."""
        if schema not in self._loaded:
            try:
                self._loaded[schema] = load(schema, self.item)
            except Invalid as error:
                self._loaded[schema] = error
        loaded = self._loaded[schema]
        if isinstance(loaded, Invalid):
            raise loaded
        copied: Fields = _copied(loaded)
        return copied


class Row(NamedTuple):
    """A row that has the external id of an item; ``whole_id`` is the claim it is a part of."""

    id: UUID
    live: bool
    version: int
    into_id: UUID | None
    whole_id: UUID | None


@dataclass(frozen=True)
class Found:
    """What is there already, by table and external id, and which item has come for it."""

    rows: Mapping[tuple[str, str], Row]
    taken: dict[UUID, int] = field(default_factory=dict)
    table: str = ""

    def row_of(self, task: Task) -> Row:
        """The row of an item that is there."""
        return self.rows[self.table, task.name or ""]


class Plans:
    """Makes plans for items of a kind."""

    def __init__(self, session: Session, kind: Writer, mode: BulkMode) -> None:
        self.session = session
        self.kind = kind
        self.mode = mode

    def find(self, tasks: Sequence[Task]) -> Found:
        """What is there of the items and, where they are to be changed, of their parts."""
        names: dict[str, list[str]] = defaultdict(list)
        for task in tasks:
            if task.name:
                names[self.kind.table].append(task.name)
                if self.mode is BulkMode.UPSERT:
                    for field_name, part in self.kind.parts.items():
                        names[part.table] += _names(task.item.get(field_name))
        queries = []
        for number, table in enumerate(names, start=1):
            whole = next((link.column for link in wholes_of(table)), "NULL::uuid")
            queries.append(
                f"SELECT '{table}', external_id, id, deleted_at IS NULL, version,"
                f" {merged_into(table)}, {whole} FROM {table} WHERE external_id = ANY (${number})"
            )
        found = run(self.session, " UNION ALL ".join(queries), *names.values()) if queries else []
        rows = {(table, name): Row(*row) for table, name, *row in found}
        return Found(rows, table=self.kind.table)

    def entries(self, task: Task, found: Found) -> list[Entry]:
        """The rows that an item makes and changes, its own first; none for what is left alone.

        Raises ``Invalid``, or ``Conflict`` where its external id is not free.
        """
        row = found.rows.get((self.kind.table, task.name or ""))
        if row is None:
            return [Entry(self.kind, task.load(self.kind.creating))]
        if self.mode is BulkMode.CREATE:
            detail = (
                f"This external_id is taken in {self.kind.table}, perhaps by a deleted or merged"
                " row."
            )
            fault = Fault("unique", detail, "#/external_id")
            raise Conflict("A row with this key already exists.", [fault])
        _check_live(self.kind, row, task.name, "#")
        if self.mode is BulkMode.IGNORE:
            return []
        fields = task.load(self.kind.upserting)
        parts = {name: fields.pop(name) for name in self.kind.parts if name in fields}
        entries = [Entry(self.kind, fields, id=row.id)]
        for name, given in parts.items():
            # A new figure takes the modality of its claim, as it is to be.
            whole = self.kind.parts[name].within({**fields, "id": row.id})
            for number, nested in enumerate(given):
                pointer = f"#/{name}/{number}"
                entries.append(_part(self.kind.parts[name], nested, pointer, whole, found))
        for entry in entries:
            if entry.id and entry.id in found.taken:
                raise doubled("external_id", found.taken[entry.id], entry.pointer)
            if entry.id:
                found.taken[entry.id] = task.number
        return entries


def _part(kind: Writer, fields: Fields, pointer: str, whole: Fields, found: Found) -> Entry:
    name = fields.get("external_id")
    if name is None:
        detail = "It needs an external_id where the claim is there already."
        fault = Fault("required", detail, f"{pointer}/external_id")
        raise Invalid("What is added to a claim could be there already.", [fault])
    row = found.rows.get((kind.table, name))
    if row is None:
        return Entry(kind, {**whole, **fields}, pointer)
    _check_live(kind, row, name, pointer)
    if row.whole_id != whole["claim_id"]:
        detail = f"The {RESOURCES[kind.table].singular} {name} belongs to another claim."
        fault = Fault("unique", detail, f"{pointer}/external_id")
        raise Conflict("A row with this key already exists.", [fault])
    return Entry(kind, fields, pointer, row.id)


def doubled(name: str, first: int, pointer: str = "#") -> Conflict:
    """That an item has what another of the call, the ``first``, has."""
    fault = Fault("unique", f"Item {first} has this {name} already.", f"{pointer}/{name}")
    return Conflict("The item would be there twice.", [fault])


def _check_live(kind: Writer, row: Row, name: str | None, pointer: str) -> None:
    singular = RESOURCES[kind.table].singular
    if row.into_id is not None:
        code, detail = "merged", f"The {singular} {name} was merged into {row.into_id}."
    elif not row.live:
        code, detail = "deleted", f"The {singular} {name} was deleted; it can be restored."
    else:
        return
    raise Conflict(
        "The row is not there any more.", [Fault(code, detail, f"{pointer}/external_id")]
    )


def _names(parts: Any) -> Iterator[str]:
    for part in parts if isinstance(parts, list) else ():
        if name := _name(part):
            yield name


def _name(item: Any) -> str | None:
    given = item.get("external_id") if isinstance(item, Mapping) else None
    try:
        return None if given is None else str(_NAME.deserialize(given))
    except ValidationError:
        return None


def _copied(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _copied(inner) for name, inner in value.items()}
    return [_copied(inner) for inner in value] if isinstance(value, list) else value
