"""Imports: the entries of a file into the database, in batches, each with a report.

An import can be run again, after a crash too, and leaves the same rows: every entry has a name
that follows from what it says. What is there already under another name is left alone.
"""

import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from hksz_db.database import Database, run
from hksz_db.errors import Fault, Invalid
from hksz_db.exchange.already import Already
from hksz_db.exchange.postponed import Postponed, postponed, without_links
from hksz_db.exchange.readers.entries import Entries, Entry
from hksz_db.services import bulk
from hksz_db.services.kinds import KINDS
from hksz_db.services.loading import load
from hksz_db.services.writing import writing
from hksz_db.vocabulary import BulkMode, BulkOutcome
from schemas.fields import EXTERNAL_ID_PATTERN

MAX_BATCH = 1000
_MAX_BATCH_CHARS = 8 * 2**20

Transaction = Callable[[], AbstractContextManager[Session]]
Reports = Iterator["Report"]
Stubs = Mapping[str | None, BulkOutcome]


@dataclass(frozen=True)
class Report:
    """What became of an entry, or with a dry run would become of it.

    ``faults`` say why it failed, ``warnings`` what of it is not kept and what is to be seen to.
    ``matched`` says as what it is there already, when it is so under another name. ``entities``
    counts those that were made for it.
    """

    entry: Entry
    outcome: BulkOutcome
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    matched: str | None = None
    entities: int = 0


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
) -> Iterator[Report]:
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
                reports = _Batch(session, self.mode, batch).reports()
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
                for report in _Batch(session, self.mode, batch).reports():
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


@dataclass
class _Batch:
    session: Session
    mode: BulkMode
    entries: Sequence[Entry]

    def reports(self) -> list[Report]:
        """A report for each of the entries, in their order."""
        checked = [_checked(entry) for entry in self.entries]
        found = Already(self.session, checked)
        reports = [self._settled(entry, found) for entry in checked]
        wanted = [entry for entry, report in zip(checked, reports, strict=True) if not report]
        made = self._make_entities(wanted)
        written = iter(self._write(wanted))
        return [report or _with_entities(next(written), made) for report in reports]

    def _settled(self, entry: Entry, found: Already) -> Report | None:
        """The report of an entry that is not to be written."""
        if entry.item is None:
            return Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
        matched = found.under_another_name(entry)
        if matched is None:
            return None
        return Report(entry, BulkOutcome.IGNORED, warnings=entry.warnings, matched=matched)

    def _make_entities(self, entries: Sequence[Entry]) -> dict[str, list[str]]:
        """Make the entities that are not there; by name, the others that are called the same."""
        wanted = {entity["external_id"]: entity for entry in entries for entity in entry.entities}
        sql = "SELECT external_id FROM entities WHERE external_id = ANY ($1)"
        there = {name for (name,) in run(self.session, sql, list(wanted))} if wanted else set()
        new = [entity for name, entity in wanted.items() if name not in there]
        if not new:
            return {}
        # Others may make them at the same moment.
        mode = BulkMode.IGNORE
        results = bulk.write(self.session, KINDS["entities"], new, mode, atomic=False)
        made: dict[str, list[str]] = {
            str(result.external_id): []
            for result in results
            if result.outcome is BulkOutcome.CREATED
        }
        alike = run(
            self.session,
            "SELECT made.external_id, coalesce(other.external_id, other.id::text)"
            " FROM entities AS made JOIN entities AS other"
            " ON other.name = made.name AND other.id <> made.id AND other.deleted_at IS NULL"
            " WHERE made.external_id = ANY ($1) ORDER BY 1, 2",
            list(made),
        )
        for name, other in alike:
            made[name].append(other)
        return made

    def _write(self, entries: Sequence[Entry]) -> list[Report]:
        if not entries:
            return []
        kind = KINDS[entries[0].resource]
        items = [entry.item for entry in entries]
        results = bulk.write(self.session, kind, items, self.mode, atomic=False)
        return [
            Report(entry, result.outcome, result.faults, entry.warnings)
            for entry, result in zip(entries, results, strict=True)
        ]


def _checked(entry: Entry) -> Entry:
    """The entry, failing where its name or, if entities are made for it, anything is wrong."""
    if entry.item is None:
        return entry
    name = entry.item.get("external_id")
    if not isinstance(name, str) or not re.fullmatch(EXTERNAL_ID_PATTERN, name):
        detail = "Must be a namespace, a colon and a name, such as hksz:ttps-approved-2023."
        return entry.failing(Fault("invalid", detail, "#/external_id"))
    if entry.entities:
        try:
            load(KINDS[entry.resource].create_schema(), entry.item)
        except Invalid as error:
            return entry.failing(*error.faults)
    return entry


def _with_entities(report: Report, made: dict[str, list[str]]) -> Report:
    """The report with the entities that were made for its entry, each told of once."""
    warnings = list(report.warnings)
    count = 0
    for entity in report.entry.entities:
        others = made.pop(entity["external_id"], None)
        if others is None:
            continue
        count += 1
        if others:
            name = entity["names"][0]["name"]
            warnings.append(
                f"new: {entity['external_id']} ({name}), called as {', '.join(others)}:"
                " merge them if they are one"
            )
    return replace(report, warnings=tuple(warnings), entities=count)
