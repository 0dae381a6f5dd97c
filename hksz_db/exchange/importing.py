"""Import the entries of a file in batches, with a report for each entry.

An import can be repeated, also after a crash, with the same result: each external id follows from
the content of the entry. Rows that exist under another external id are left alone.
"""

from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager, nullcontext
from dataclasses import dataclass, field, replace

from sqlalchemy.orm import Session

from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.exchange.batch import Report, import_batch
from hksz_db.exchange.deferred import Deferred, without_links
from hksz_db.exchange.readers.entries import Entries, ImportEntry
from hksz_db.services.writing import writing

MAX_BATCH = 1000
_MAX_BATCH_CHARS = 8 * 2**20

Transaction = Callable[[], AbstractContextManager[Session]]


class _RolledBack(Exception):
    """Rolls the transaction back."""


def import_entries(
    database: Database,
    entries: Entries,
    mode: BulkMode,
    actor: str,
    *,
    dry_run: bool = False,
    atomic: bool = False,
) -> Generator[Report]:
    """Write the entries, and yield reports as they are written.

    Each batch of at most 1,000 entries commits on its own. ``atomic`` and ``dry_run`` use a single
    transaction, which is rolled back after a dry run or if an entry failed. Entries that refer to
    later ones are written, and reported, at the end. Raises what the reader or the database
    raises; committed batches stay.
    """
    if not (dry_run or atomic):
        yield from _Import(lambda: _transaction(database, actor), mode).run(entries)
        return
    try:
        with _transaction(database, actor) as session:
            failed = False
            for report in _Import(lambda: nullcontext(session), mode).run(entries):
                failed = failed or report.outcome is BulkOutcome.FAILED
                yield report
            # A dry run checks what a commit would.
            run(session, "SET CONSTRAINTS ALL IMMEDIATE")
            if dry_run or failed:
                raise _RolledBack  # noqa: TRY301 - only an exception rolls back
    except _RolledBack:
        return


@contextmanager
def _transaction(database: Database, actor: str) -> Iterator[Session]:
    with writing(database) as session:
        run(session, "SELECT set_config('hksz.actor', $1, true)", actor)
        yield session


@dataclass
class _Import:
    """``stubs`` are the outcomes, by external id, of entries that were written without links."""

    transaction: Transaction
    mode: BulkMode
    stubs: dict[str | None, BulkOutcome] = field(default_factory=dict)

    def run(self, entries: Entries) -> Iterator[Report]:
        with ExitStack() as files:
            deferred = yield from self._write(entries, files)
            deferred = yield from self._retry_deferred(deferred, files)
            # The rest refers to rows that the file lacks, or in circles.
            self._write_stubs(deferred)
            if self.stubs:
                deferred = yield from self._retry_deferred(deferred, files)
            for entry in deferred.entries():
                report = Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
                yield self._with_stub(report)

    def _write(
        self, entries: Iterable[ImportEntry], files: ExitStack
    ) -> Generator[Report, None, Deferred]:
        """Write the entries; return those that refer to missing rows."""
        deferred = files.enter_context(closing(Deferred()))
        for report in self._reports(entries):
            if any(fault.code == "not_found" for fault in report.faults):
                deferred.add(report.entry, report.faults)
            else:
                yield self._with_stub(report)
        return deferred

    def _reports(self, entries: Iterable[ImportEntry]) -> Iterator[Report]:
        for batch in _batches(entries):
            with self.transaction() as session:
                reports = import_batch(session, self.mode, batch)
            yield from reports

    def _retry_deferred(
        self, deferred: Deferred, files: ExitStack
    ) -> Generator[Report, None, Deferred]:
        """Write the deferred entries until that stops helping, because some wait for others."""
        before = None
        while deferred.count and deferred.count != before:
            before = deferred.count
            deferred = yield from self._write(deferred.entries(), files)
        return deferred

    def _write_stubs(self, deferred: Deferred) -> None:
        for report in self._reports(without_links(deferred)):
            if report.outcome is not BulkOutcome.FAILED:
                self.stubs[report.entry.external_id] = report.outcome

    def _with_stub(self, report: Report) -> Report:
        """Combine the report with the outcome of the stub of its entry."""
        stub = self.stubs.get(report.entry.external_id)
        if stub is None or stub is BulkOutcome.UNCHANGED:
            return report
        if report.outcome is BulkOutcome.FAILED:
            note = "it was written without the rows that it refers to"
            return replace(report, warnings=(*report.warnings, note))
        return replace(report, outcome=stub)


def _batches(entries: Iterable[ImportEntry]) -> Iterator[list[ImportEntry]]:
    """Group entries of one resource with distinct external ids and DOIs."""
    batch: list[ImportEntry] = []
    names: set[str] = set()
    size = 0
    for entry in entries:
        own = {name for name in (entry.external_id, entry.doi) if name}
        full = len(batch) == MAX_BATCH or size + entry.size > _MAX_BATCH_CHARS
        if batch and (full or own & names or entry.resource != batch[0].resource):
            yield batch
            batch, names, size = [], set(), 0
        batch.append(entry)
        names |= own
        size += entry.size
    if batch:
        yield batch
