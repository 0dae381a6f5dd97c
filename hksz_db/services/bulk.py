"""Many items in one call: each is made, changed or left alone, and each has a result.

All of them are written by one statement for each table and leave what they would leave one by
one, but that a row that is touched several times counts one version. Where the database refuses
that, the items that it will not have are found by halving, so that they do not cost the others.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import Conflict, DomainError, Fault, FaultsError
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.services.batch_writes import Refused, write_batch
from hksz_db.services.batches import Allowed, Batch
from hksz_db.services.entries import Entry
from hksz_db.services.plans import Plans, Task, doubled
from hksz_db.services.violations import translate
from hksz_db.services.writers import Writer


@dataclass(frozen=True)
class Result:
    """What became of an item.

    ``id`` and ``version`` are of the row that the item made, changed or found. Where it failed,
    ``error`` says why and ``faults`` where, each with a JSON pointer into the item
    (``#/figures/0/amount``, or ``#`` for the whole).
    """

    outcome: BulkOutcome
    id: UUID | None
    external_id: str | None
    version: int | None
    faults: tuple[Fault, ...] = ()
    error: DomainError | None = None


def everything(_: Collection[str]) -> None:
    """Allow it."""


def write(
    session: Session,
    kind: Writer,
    items: Sequence[Any],
    mode: BulkMode,
    *,
    atomic: bool,
    allowed: Allowed = everything,
) -> list[Result]:
    """Write the items; a result for each, in their order.

    ``items`` are JSON values as they were parsed. An item without an ``external_id`` is new in
    every mode. One whose ``external_id`` is there already is refused (``create``), left alone
    (``ignore``) or changed by what it gives (``upsert``), where what it does not give stays; one
    that is there and was deleted or merged is refused. It may refer by name to what comes before
    it in the call. With ``upsert`` the figures and evidence of a claim that is there are made or
    changed in their turn: they are given whole, and need an ``external_id`` each, because without
    one they would be added again with each repetition. What only creation settles may be repeated
    and not be changed.

    ``allowed`` is called with the statuses that an item gives or that stand on what it changes,
    and raises ``Forbidden``; an item that changes nothing needs no leave. With ``atomic``
    nothing is written unless everything is; what was not written for the sake of another has
    the fault ``not_written``.
    """
    call = _Call(session, kind, mode, allowed)
    if not atomic:
        return call.write(items)
    whole = session.begin_nested()
    results = call.write(items)
    if any(result.error for result in results):
        whole.rollback()
        return [result if result.error else _not_written(result) for result in results]
    whole.commit()
    return results


def _not_written(result: Result) -> Result:
    fault = Fault("not_written", "Another item was refused, and it was to be all or nothing.", "#")
    return _failed(result.external_id, Conflict("Another item was refused.", [fault]))


def _failed(name: str | None, error: DomainError) -> Result:
    faults = error.faults if isinstance(error, FaultsError) else ()
    faults = faults or (Fault("refused", str(error), "#"),)
    return Result(BulkOutcome.FAILED, None, name, None, faults, error)


# So many rows take a second or two; a statement has to end in time.
_ROWS_AT_ONCE = 10_000


def _shares(tasks: Iterable[Task]) -> Iterator[list[Task]]:
    """The tasks in shares of so many rows; most calls are one."""
    share: list[Task] = []
    rows = 0
    for task in tasks:
        if share and rows + task.rows > _ROWS_AT_ONCE:
            yield share
            share, rows = [], 0
        share.append(task)
        rows += task.rows
    if share:
        yield share


class _Call:
    def __init__(self, session: Session, kind: Writer, mode: BulkMode, allowed: Allowed) -> None:
        self.session = session
        self.plans = Plans(session, kind, mode)
        self.allowed = allowed
        self.results: dict[int, Result] = {}

    def write(self, items: Sequence[Any]) -> list[Result]:
        tasks = [Task.of(number, item) for number, item in enumerate(items)]
        firsts: dict[str, int] = {}
        for task in tasks:
            if task.name and firsts.setdefault(task.name, task.number) != task.number:
                self._refuse(task, doubled("external_id", firsts[task.name]))
        for together in _shares([task for task in tasks if task.number not in self.results]):
            self._write(together)
        return [self.results[task.number] for task in tasks]

    def _write(self, tasks: Sequence[Task], again: bool = True) -> None:
        """Write tasks together; ``again``: with a second try where somebody else was faster."""
        found = self.plans.find(tasks)
        plans: dict[int, list[Entry]] = {}
        for task in tasks:
            try:
                entries = self.plans.entries(task, found)
            except DomainError as error:
                self._refuse(task, error)
            else:
                if entries:
                    plans[task.number] = entries
                else:
                    row = found.row_of(task)
                    self._note(task, BulkOutcome.IGNORED, row.id, row.version)
        batch = Batch(self.session, plans, self.allowed)
        self._refuse_all(tasks, batch.refused)
        ready = [task for task in tasks if task.number in batch.tasks]
        if not ready:
            return
        try:
            with self.session.begin_nested():
                differing = write_batch(self.session, batch)
        except Refused as refused:
            self._refuse_all(ready, refused.errors)
            self._write([task for task in ready if task.number not in refused.errors])
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            self._halve(ready, error, again)
        else:
            self._note_written(ready, batch, differing)

    def _halve(self, tasks: Sequence[Task], error: psycopg.Error, again: bool) -> None:
        known = translate(error)
        if known is None:
            raise error
        taken = isinstance(error, psycopg.errors.UniqueViolation)
        if taken and again and self.plans.mode is not BulkMode.CREATE:
            # Somebody may have added the very same meanwhile, which is there to be found now.
            self._write(tasks, again=False)
        elif len(tasks) > 1:
            middle = len(tasks) // 2
            self._write(tasks[:middle], again=False)
            self._write(tasks[middle:], again=False)
        else:
            self._refuse(tasks[0], known)

    def _note_written(
        self, tasks: Sequence[Task], batch: Batch, differing: Mapping[int, bool]
    ) -> None:
        mains = {task.number: batch.tasks[task.number][0] for task in tasks}
        there = [entry.key for entry in mains.values() if not entry.is_new]
        table = self.plans.kind.table
        sql = f"SELECT id, version FROM {table} WHERE id = ANY ($1)"
        versions = dict(run(self.session, sql, there)) if there else {}
        for task in tasks:
            entry = mains[task.number]
            outcome = BulkOutcome.UPDATED if differing[task.number] else BulkOutcome.UNCHANGED
            outcome = BulkOutcome.CREATED if entry.is_new else outcome
            self._note(task, outcome, entry.key, versions.get(entry.key, 1))

    def _note(self, task: Task, outcome: BulkOutcome, id: UUID, version: int) -> None:
        self.results[task.number] = Result(outcome, id, task.name, version)

    def _refuse(self, task: Task, error: DomainError) -> None:
        self.results[task.number] = _failed(task.name, error)

    def _refuse_all(self, tasks: Sequence[Task], errors: Mapping[int, DomainError]) -> None:
        for task in tasks:
            if task.number in errors:
                self._refuse(task, errors[task.number])
