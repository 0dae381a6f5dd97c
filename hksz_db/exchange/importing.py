"""Imports: the entries of a file into the database, in batches, each with a report.

An import can be run again, after a crash too, and leaves the same rows: every entry has a name
that follows from what it says. What is there already under another name is left alone.
"""

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.exchange.batch import Batch, Report
from hksz_db.exchange.postponed import Postponed, postponed, without_links
from hksz_db.exchange.readers.entries import Entries, Entry
from hksz_db.services.writing import writing

MAX_BATCH = 1000
_MAX_BATCH_CHARS = 8 * 2**20

Transaction = Callable[[], AbstractContextManager[Session]]
Reports = Iterator[Report]
Stubs = Mapping[str | None, BulkOutcome]


class _TakenBack(Exception):
    """Nothing of this transaction is to stay."""


def import_entries(
    database: Database,
    entries: Entries,
    mode: BulkMode,
    actor: str,
    *,
    dry_run: bool = False,
    atomic: bool = False,
) -> Generator[Report]:
    """Write the entries; a report for each, as they are written.

    Batches of at most 1,000 commit on their own, or, with ``atomic`` and with ``dry_run``, all go
    into one transaction, which is taken back after a dry run and when an entry failed. Entries
    that refer to what comes later are written, and reported, at the end. Raises what a reader or
    the database raises; what was committed until then stays.
    """
    if not (dry_run or atomic):
        yield from _Import(lambda: _begun(database, actor), mode).run(entries)
        return
    try:
        with _begun(database, actor) as session:
            failed = False
            for report in _Import(lambda: nullcontext(session), mode).run(entries):
                failed = failed or report.outcome is BulkOutcome.FAILED
                yield report
            _finish(session, stays=not (dry_run or failed))
    except _TakenBack:
        return


def _finish(session: Session, *, stays: bool) -> None:
    # What a commit would check, a dry run checks too.
    run(session, "SET CONSTRAINTS ALL IMMEDIATE")
    if not stays:
        raise _TakenBack


@contextmanager
def _begun(database: Database, actor: str) -> Iterator[Session]:
    with writing(database) as session:
        run(session, "SELECT set_config('hksz.actor', $1, true)", actor)
        yield session


@dataclass
class _Import:
    transaction: Transaction
    mode: BulkMode

    def run(self, entries: Entries) -> Iterator[Report]:
        with ExitStack() as stack:
            waiting = stack.enter_context(postponed())
            yield from self._write(entries, waiting, {})
            waiting = yield from self._insist(waiting, {}, stack)
            # What is left waits for what never comes, or in a circle.
            if stubs := self._write_stubs(waiting):
                waiting = yield from self._insist(waiting, stubs, stack)
            for entry in waiting.failed():
                report = Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
                yield _joined(report, stubs)

    def _write(self, entries: Iterable[Entry], waiting: Postponed, stubs: Stubs) -> Reports:
        for batch in _batches(entries):
            with self.transaction() as session:
                reports = Batch(session, self.mode, batch).reports()
            for report in reports:
                if any(fault.code == "not_found" for fault in report.faults):
                    waiting.add(report.entry, report.faults)
                else:
                    yield _joined(report, stubs)

    def _insist(
        self, waiting: Postponed, stubs: Stubs, stack: ExitStack
    ) -> Generator[Report, None, Postponed]:
        """Write what waited, as long as that helps: what was waited for may itself have waited."""
        before = None
        while waiting.count and waiting.count != before:
            before = waiting.count
            earlier, waiting = waiting, stack.enter_context(postponed())
            yield from self._write(earlier.entries(), waiting, stubs)
        return waiting

    def _write_stubs(self, waiting: Postponed) -> Stubs:
        """Write what waits in a circle without what it waits for; the outcomes by name."""
        written = {}
        for batch in _batches(without_links(waiting)):
            with self.transaction() as session:
                for report in Batch(session, self.mode, batch).reports():
                    if report.outcome is not BulkOutcome.FAILED:
                        written[report.entry.external_id] = report.outcome
        return written


def _joined(report: Report, stubs: Stubs) -> Report:
    """The report of an entry of which a part may have been written before."""
    stub = stubs.get(report.entry.external_id)
    if stub is None or stub is BulkOutcome.UNCHANGED:
        return report
    if report.outcome is BulkOutcome.FAILED:
        note = "it was written without what it refers to"
        return replace(report, warnings=(*report.warnings, note))
    return replace(report, outcome=stub)


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Entries of one resource, in which nothing has a name or a DOI twice."""
    batch: list[Entry] = []
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
