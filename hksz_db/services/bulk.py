"""Many items in one call: each is created, updated or ignored, and has a result of its own.

All items are written with one statement for each table, as if they were written one by one, except
that a row that several items touch gets one new version. If the database refuses the statement,
the refused items are found by halving, so that the other items are written all the same.
"""

import gc
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from threading import Lock
from typing import Any, NamedTuple
from uuid import UUID

import psycopg
from marshmallow import ValidationError

from hksz_db.database import Session, run
from hksz_db.domain.errors import (
    Conflict,
    DomainError,
    Fault,
    FaultsError,
    Invalid,
    RowState,
    TakenKey,
)
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.batches import Batch, Entry, Refused, refusal
from hksz_db.services.dependants import parents_of
from hksz_db.services.loading import load
from hksz_db.services.review import ReviewRules
from hksz_db.services.rows import Row, merged_into
from hksz_db.services.writers import Writer
from hksz_db.services.writing import name_rows, taken_by
from schemas.fields import ExternalId

# These rows take a second or two; a statement has to end before its timeout.
_ROWS_AT_ONCE = 10_000
_EXTERNAL_ID = ExternalId()


@dataclass(frozen=True)
class Result:
    """The result of an item.

    ``id`` and ``version`` are those of the row that the item created, updated or found. If it
    failed, ``error`` says why and ``faults`` where, each with a JSON pointer into the item
    (``#/figures/0/amount``, or ``#`` for the whole). ``warnings`` have such pointers, too.
    """

    outcome: BulkOutcome
    id: UUID | None
    external_id: str | None
    version: int | None
    faults: tuple[Fault, ...] = ()
    error: DomainError | None = None
    warnings: tuple[Fault, ...] = ()


def write(
    session: Session,
    writer: Writer,
    items: Sequence[Any],
    mode: BulkMode,
    *,
    atomic: bool,
    rules: ReviewRules | None = None,
) -> list[Result]:
    """Write the items; a result for each, in their order.

    ``items`` are parsed JSON values. An item without an ``external_id`` is new in every mode. If
    the ``external_id`` of an item is stored, the item is refused (``create``), ignored (``ignore``)
    or updates the row (``upsert``) and, if that is a claim, its figures and evidence. Each of those
    needs an ``external_id``, because without one every repetition would add them again. An item of
    a merged row is refused, and that of a deleted row is new. An item may refer by name to earlier
    items, and may repeat fields that cannot be changed after creation.

    An item that the ``rules`` of review do not allow is refused (``None``: all are allowed). With
    ``atomic``, nothing is written unless everything is; the items that were refused only because of
    others have the fault ``not_written``.
    """
    with uncollected():
        if not atomic:
            return _Call(session, writer, mode, rules).write(items)
        with session.begin_nested() as savepoint:
            results = _Call(session, writer, mode, rules).write(items)
            if any(result.error for result in results):
                savepoint.rollback()
                return [result if result.error else _not_written(result) for result in results]
        return results


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the garbage collector for the block.

    The objects of a call have no cycles. The collector would visit all of them again and again, and
    takes a fifth of the time. It runs again when the last of several threads that have paused it
    ends its block.
    """
    _pause.begin()
    try:
        yield
    finally:
        _pause.end()


class _Pause:
    def __init__(self) -> None:
        self._lock = Lock()
        self._blocks = 0
        self._was_enabled = False

    def begin(self) -> None:
        with self._lock:
            if not self._blocks:
                self._was_enabled = gc.isenabled()
                gc.disable()
            self._blocks += 1

    def end(self) -> None:
        with self._lock:
            self._blocks -= 1
            if not self._blocks and self._was_enabled:
                gc.enable()


_pause = _Pause()


def _not_written(result: Result) -> Result:
    fault = Fault(
        "not_written", "Another item was refused, and nothing is written unless everything is.", "#"
    )
    return _failed(result.external_id, Conflict("Another item was refused.", [fault]))


def _failed(name: str | None, error: DomainError) -> Result:
    if not isinstance(error, FaultsError):
        # The row was deleted or merged after it had been found.
        error = Conflict(str(error))
    faults = error.faults or (Fault("refused", str(error), "#"),)
    return Result(BulkOutcome.FAILED, None, name, None, faults, error)


@dataclass(frozen=True)
class Item:
    """An item of a call, by its number: a JSON value."""

    number: int
    document: Any

    @cached_property
    def name(self) -> str | None:
        """Its external id, if that is valid."""
        return _name(self.document)

    @property
    def row_count(self) -> int:
        """About how many rows it has: its own, and one for each item of its lists."""
        fields = self.document.values() if isinstance(self.document, Mapping) else ()
        return 1 + sum(len(field) for field in fields if isinstance(field, list))


class StoredRow(NamedTuple):
    """A live or merged row with an external id of an item; ``parent_id`` is the claim of a part."""

    id: UUID
    version: int
    into_id: UUID | None
    parent_id: UUID | None


def _duplicate_error(first: int, pointer: str = "#") -> Conflict:
    fault = Fault("unique", f"Item {first} has the same external_id.", f"{pointer}/external_id")
    return Conflict("Two items have the same external_id.", [fault])


def _key_exists(writer: Writer, row: StoredRow, name: str, pointer: str) -> Conflict:
    state = RowState.of(writer.table, row.id, row.into_id is None, row.into_id)
    key = TakenKey(writer.table, "external_id", name)
    fault = taken_by(state, key, f"{pointer}/external_id")
    return Conflict("A row with this key already exists.", [fault])


def _refuse_merged(writer: Writer, row: StoredRow, name: str, pointer: str) -> None:
    if row.into_id is None:
        return
    detail = f"The {RESOURCES[writer.table].singular} {name} was merged into {row.into_id}."
    state = RowState.of(writer.table, row.id, is_live=False, into_id=row.into_id)
    fault = Fault("merged", detail, f"{pointer}/external_id", row=state)
    raise Conflict("The row was merged.", [fault])


def _name(document: object) -> str | None:
    given = document.get("external_id") if isinstance(document, Mapping) else None
    try:
        return None if given is None else str(_EXTERNAL_ID.deserialize(given))
    except ValidationError:
        return None


def _chunks(items: Iterable[Item]) -> Iterator[list[Item]]:
    """The items in chunks of a limited number of rows; most calls are one chunk."""
    chunk: list[Item] = []
    rows = 0
    for item in items:
        if chunk and rows + item.row_count > _ROWS_AT_ONCE:
            yield chunk
            chunk, rows = [], 0
        chunk.append(item)
        rows += item.row_count
    if chunk:
        yield chunk


class _Call:
    def __init__(
        self, session: Session, writer: Writer, mode: BulkMode, rules: ReviewRules | None
    ) -> None:
        self.session = session
        self.writer = writer
        self.mode = mode
        self.rules = rules
        self.results: dict[int, Result] = {}
        # The rows with external ids of items, and the numbers of the items that update a row.
        self.stored: dict[tuple[str, str], StoredRow] = {}
        self.claimed_by: dict[UUID, int] = {}

    def write(self, documents: Sequence[Any]) -> list[Result]:
        items = [Item(number, document) for number, document in enumerate(documents)]
        firsts: dict[str, int] = {}
        for item in items:
            if item.name and firsts.setdefault(item.name, item.number) != item.number:
                self._refuse(item, _duplicate_error(firsts[item.name]))
        for chunk in _chunks([item for item in items if item.number not in self.results]):
            self._write(chunk)
        return [self.results[item.number] for item in items]

    def _write(self, items: Sequence[Item], again: bool = True) -> None:
        """Write items together; ``again`` if the rows may be looked up once more."""
        self._find_stored(items)
        self.claimed_by.clear()
        tasks: dict[int, list[Entry]] = {}
        for item in items:
            try:
                entries = self._entries(item)
            except DomainError as error:
                self._refuse(item, error)
                continue
            row = self._stored_row(item)
            if entries:
                tasks[item.number] = entries
            elif row:
                self._record(item, BulkOutcome.IGNORED, row.id, row.version)
        batch = Batch(self.session, tasks, self.rules)
        self._refuse_all(items, batch.refused)
        ready = [item for item in items if item.number in batch.tasks]
        if not ready:
            return
        try:
            with self.session.begin_nested():
                differing = batch.write()
        except Refused:
            self._refuse_all(ready, batch.refused)
            self._write([item for item in ready if item.number in batch.tasks])
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            self._halve(ready, error, again, batch)
        else:
            self._record_written(ready, batch, differing)

    def _find_stored(self, items: Sequence[Item]) -> None:
        """Find the stored rows of the items and, if these are updated, of their parts."""
        names: dict[str, list[str]] = defaultdict(list)
        for item in items:
            if item.name:
                names[self.writer.table].append(item.name)
                if self.mode is BulkMode.UPSERT:
                    for field_name, part in self.writer.parts.items():
                        given = item.document.get(field_name)
                        nested = map(_name, given if isinstance(given, list) else ())
                        names[part.table] += filter(None, nested)
        queries = []
        for number, table in enumerate(names, start=1):
            parent = next((link.column for link in parents_of(table)), "NULL::uuid")
            queries.append(
                f"SELECT '{table}', external_id, id, version, {merged_into(table)}, {parent}"
                f" FROM {table} WHERE external_id = ANY (${number})"
                f" AND (deleted_at IS NULL OR {merged_into(table)} IS NOT NULL)"
            )
        found = run(self.session, " UNION ALL ".join(queries), *names.values()) if queries else []
        self.stored = {(table, name): StoredRow(*row) for table, name, *row in found}

    def _stored_row(self, item: Item) -> StoredRow | None:
        return self.stored.get((self.writer.table, item.name or ""))

    def _entries(self, item: Item) -> list[Entry]:
        """The rows that the item inserts and updates, its own first; none if it is ignored.

        Raises ``Invalid``, or ``Conflict`` if its external id is not free.
        """
        row, name = self._stored_row(item), item.name or ""
        if row is None:
            return [Entry(self.writer, load(self.writer.creation, item.document))]
        if self.mode is BulkMode.CREATE:
            raise _key_exists(self.writer, row, name, "#")
        _refuse_merged(self.writer, row, name, "#")
        if self.mode is BulkMode.IGNORE:
            return []
        fields = load(self.writer.upsert, item.document)
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
                raise _duplicate_error(self.claimed_by[entry.id], entry.pointer)
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
        if row.parent_id != inherited["claim_id"]:
            raise _key_exists(writer, row, name, pointer)
        return Entry(writer, fields, pointer, row.id, whole=True)

    def _halve(
        self, items: Sequence[Item], error: psycopg.Error, again: bool, batch: Batch
    ) -> None:
        known = refusal(error, chain.from_iterable(batch.tasks.values()))
        if known is None:
            raise error
        exists = isinstance(error, psycopg.errors.UniqueViolation)
        if exists and again and self.mode is not BulkMode.CREATE:
            # Another writer may have added the same rows meanwhile, which are found now.
            self._write(items, again=False)
        elif len(items) > 1:
            middle = len(items) // 2
            self._write(items[:middle], again=False)
            self._write(items[middle:], again=False)
        else:
            if isinstance(known, Conflict):
                known = name_rows(self.session, known)
            self._refuse(items[0], known)

    def _record_written(
        self, items: Sequence[Item], batch: Batch, differing: Mapping[int, bool]
    ) -> None:
        entries = {item.number: batch.tasks[item.number][0] for item in items}
        stored = [entry.id for entry in entries.values() if not entry.is_new]
        sql = f"SELECT id, version FROM {self.writer.table} WHERE id = ANY ($1)"
        versions = dict(run(self.session, sql, stored)) if stored else {}
        warnings = batch.warnings()
        for item in items:
            entry = entries[item.number]
            outcome = BulkOutcome.UPDATED if differing[item.number] else BulkOutcome.UNCHANGED
            outcome = BulkOutcome.CREATED if entry.is_new else outcome
            found = tuple(warnings[item.number])
            self._record(item, outcome, entry.key.id, versions.get(entry.id, 1), found)

    def _record(
        self,
        item: Item,
        outcome: BulkOutcome,
        id: UUID,
        version: int,
        warnings: tuple[Fault, ...] = (),
    ) -> None:
        self.results[item.number] = Result(outcome, id, item.name, version, warnings=warnings)

    def _refuse(self, item: Item, error: DomainError) -> None:
        self.results[item.number] = _failed(item.name, error)

    def _refuse_all(self, items: Sequence[Item], errors: Mapping[int, DomainError]) -> None:
        for item in items:
            if item.number in errors:
                self._refuse(item, errors[item.number])
