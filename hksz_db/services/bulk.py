"""Many items in one call: each is created, updated or ignored, and has a result of its own.

All items are written with one statement for each table, as if they were written one by one, except
that a row that several items touch gets one new version. If the database refuses the statement,
the refused items are found by halving, so that the other items are written all the same.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, DomainError, Fault, FaultsError
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.services.batches import Batch, Entry, Refused
from hksz_db.services.items import Item, Plan, duplicate_error
from hksz_db.services.review import ReviewRules
from hksz_db.services.violations import translate
from hksz_db.services.writers import Writer

# These rows take a second or two; a statement has to end before its timeout.
_ROWS_AT_ONCE = 10_000


@dataclass(frozen=True)
class Result:
    """The result of an item.

    ``id`` and ``version`` are those of the row that the item created, updated or found. If it
    failed, ``error`` says why and ``faults`` where, each with a JSON pointer into the item
    (``#/figures/0/amount``, or ``#`` for the whole).
    """

    outcome: BulkOutcome
    id: UUID | None
    external_id: str | None
    version: int | None
    faults: tuple[Fault, ...] = ()
    error: DomainError | None = None


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
    or updates the row (``upsert``), where fields that it does not give stay; an item of a deleted
    or merged row is refused. It may refer by name to earlier items of the call. With ``upsert``,
    the figures and evidence of a stored claim are created or updated too: they are given whole, and
    need an ``external_id`` each, because without one every repetition would add them again. Fields
    that cannot be changed after creation may be repeated.

    An item that the ``rules`` of review do not allow is refused (``None``: all are allowed). With
    ``atomic``, nothing is written unless everything is; the items that were refused only because of
    others have the fault ``not_written``.
    """
    call = _Call(session, writer, mode, rules)
    if not atomic:
        return call.write(items)
    savepoint = session.begin_nested()
    results = call.write(items)
    if any(result.error for result in results):
        savepoint.rollback()
        return [result if result.error else _not_written(result) for result in results]
    savepoint.commit()
    return results


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

    def write(self, documents: Sequence[Any]) -> list[Result]:
        items = [Item.of(number, document) for number, document in enumerate(documents)]
        firsts: dict[str, int] = {}
        for item in items:
            if item.name and firsts.setdefault(item.name, item.number) != item.number:
                self._refuse(item, duplicate_error(firsts[item.name]))
        for chunk in _chunks([item for item in items if item.number not in self.results]):
            self._write(chunk)
        return [self.results[item.number] for item in items]

    def _write(self, items: Sequence[Item], again: bool = True) -> None:
        """Write items together; ``again`` if the rows may be looked up once more."""
        plan = Plan.of(self.session, self.writer, self.mode, items)
        tasks: dict[int, list[Entry]] = {}
        for item in items:
            try:
                entries = plan.entries(item)
            except DomainError as error:
                self._refuse(item, error)
                continue
            row = plan.stored_row(item)
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
        except Refused as refused:
            self._refuse_all(ready, refused.errors)
            self._write([item for item in ready if item.number not in refused.errors])
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            self._halve(ready, error, again)
        else:
            self._record_written(ready, batch, differing)

    def _halve(self, items: Sequence[Item], error: psycopg.Error, again: bool) -> None:
        known = translate(error)
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
            self._refuse(items[0], known)

    def _record_written(
        self, items: Sequence[Item], batch: Batch, differing: Mapping[int, bool]
    ) -> None:
        entries = {item.number: batch.tasks[item.number][0] for item in items}
        stored = [entry.id for entry in entries.values() if not entry.is_new]
        sql = f"SELECT id, version FROM {self.writer.table} WHERE id = ANY ($1)"
        versions = dict(run(self.session, sql, stored)) if stored else {}
        for item in items:
            entry = entries[item.number]
            outcome = BulkOutcome.UPDATED if differing[item.number] else BulkOutcome.UNCHANGED
            outcome = BulkOutcome.CREATED if entry.is_new else outcome
            self._record(item, outcome, entry.key.id, versions.get(entry.id, 1))

    def _record(self, item: Item, outcome: BulkOutcome, id: UUID, version: int) -> None:
        self.results[item.number] = Result(outcome, id, item.name, version)

    def _refuse(self, item: Item, error: DomainError) -> None:
        self.results[item.number] = _failed(item.name, error)

    def _refuse_all(self, items: Sequence[Item], errors: Mapping[int, DomainError]) -> None:
        for item in items:
            if item.number in errors:
                self._refuse(item, errors[item.number])
