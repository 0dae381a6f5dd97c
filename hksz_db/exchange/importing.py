"""Import the entries of a file in batches, with a report for each entry.

An import can be repeated, also after a crash, with the same result: each external id follows from
the content of the entry. Rows that exist under another external id are left alone.
"""

import pickle
import re
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from os import SEEK_END
from tempfile import TemporaryFile
from typing import IO, Any
from uuid import UUID

from hksz_db.database import Database, Session, run
from hksz_db.domain.errors import Fault, Invalid
from hksz_db.domain.vocabulary import EXTERNAL_ID_PATTERN, BulkMode, BulkOutcome
from hksz_db.exchange.ahead import ahead
from hksz_db.exchange.bodies import objects
from hksz_db.exchange.readers.entries import Entries, ImportEntry, Item
from hksz_db.services import bulk
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import ReviewRules
from hksz_db.services.writing import writing
from schemas.fields import DOI_PATTERN
from schemas.sources import SourceCreateSchema

MAX_BATCH = 1000
_MAX_BATCH_CHARS = 8 * 2**20
_SOURCE = SourceCreateSchema()

Transaction = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Report:
    """The outcome of an entry.

    ``faults`` say why it failed; ``warnings`` say what is not kept or needs attention. ``matched``
    names the existing row if that has another external id. ``entities`` counts new entities.
    """

    entry: ImportEntry
    outcome: BulkOutcome
    faults: tuple[Fault, ...] = ()
    warnings: tuple[str, ...] = ()
    matched: str | None = None
    entities: int = 0


class _RolledBack(Exception):
    """Rolls the transaction back."""


def import_entries(  # noqa: PLR0913 - the options of an import
    database: Database,
    entries: Entries,
    mode: BulkMode,
    actor: str,
    *,
    four_eyes: bool = False,
    dry_run: bool = False,
    atomic: bool = False,
) -> Generator[Report]:
    """Write the entries, and yield reports as they are written.

    Each batch of at most 1,000 entries commits on its own. ``atomic`` and ``dry_run`` use a single
    transaction, which is rolled back after a dry run or if an entry failed. Entries that refer to
    later ones are written, and reported, at the end. An import may review, but with ``four_eyes``
    it may not accept what it writes. Raises what the reader or the database raises; committed
    batches stay.
    """
    rules = ReviewRules(actor, may_review=True, four_eyes=four_eyes)
    if not (dry_run or atomic):
        yield from _Import(lambda: _transaction(database, actor), mode, rules).run(entries)
        return
    # Only an exception rolls back.
    with suppress(_RolledBack), _transaction(database, actor) as session:
        failed = False
        for report in _Import(lambda: nullcontext(session), mode, rules).run(entries):
            failed = failed or report.outcome is BulkOutcome.FAILED
            yield report
        # A dry run checks what a commit would.
        run(session, "SET CONSTRAINTS ALL IMMEDIATE")
        if dry_run or failed:
            raise _RolledBack


@contextmanager
def _transaction(database: Database, actor: str) -> Iterator[Session]:
    with writing(database) as session:
        run(session, "SELECT set_config('hksz.actor', $1, true)", actor)
        yield session


@dataclass
class _Import:
    """``stubs`` are the outcomes, by external id, of entries that were written without links.

    ``others`` are the rows, by the resource and the external id of their entries, that exist under
    another name.
    """

    transaction: Transaction
    mode: BulkMode
    rules: ReviewRules
    stubs: dict[str | None, BulkOutcome] = field(default_factory=dict)
    others: dict[tuple[str, object], str] = field(default_factory=dict)

    def run(self, entries: Entries) -> Iterator[Report]:
        with TemporaryFile() as file:
            deferred = _Deferred(file)
            # The file is read while the database writes what was read before.
            with closing(ahead(_batches(entries))) as batches:
                yield from self._write(batches, deferred)
            yield from self._retry(deferred)
            # The rest refers to rows that the file lacks, or in circles.
            for report in self._reports(_batches(_without_links(deferred))):
                if report.outcome is not BulkOutcome.FAILED:
                    self.stubs[report.entry.external_id] = report.outcome
            if self.stubs:
                yield from self._retry(deferred)
            for entry in deferred.take():
                report = Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
                yield self._with_stub(report)

    def _write(
        self, batches: Iterable[list[ImportEntry]], deferred: "_Deferred"
    ) -> Iterator[Report]:
        """Write the entries; defer those that refer to missing rows."""
        for report in self._reports(batches):
            if any(fault.code == "not_found" for fault in report.faults):
                deferred.add(replace(report.entry, faults=report.faults))
            else:
                yield self._with_stub(report)

    def _retry(self, deferred: "_Deferred") -> Iterator[Report]:
        """Write the deferred entries until that stops helping, because some wait for others."""
        before = None
        while deferred.count != before:
            before = deferred.count
            yield from self._write(_batches(deferred.take()), deferred)

    def _reports(self, batches: Iterable[list[ImportEntry]]) -> Iterator[Report]:
        for batch in batches:
            linked = [self._with_others(entry) for entry in batch]
            with self.transaction() as session:
                reports = _import_batch(session, self.mode, self.rules, linked)
            for report in reports:
                if report.matched:
                    entry = report.entry
                    self.others[entry.resource, entry.external_id] = report.matched
                yield report

    def _with_others(self, entry: ImportEntry) -> ImportEntry:
        """The entry with references to the rows that exist in place of entries of the file."""
        item = dict(entry.item or {})
        for stem, table in WRITERS[entry.resource].shape.stems.items() if self.others else ():
            found = self.others.get((table, item.get(f"{stem}_external_id")))
            if found:
                del item[f"{stem}_external_id"]
                item[f"{stem}_external_id" if ":" in found else f"{stem}_id"] = found
        return replace(entry, item=item) if entry.item else entry

    def _with_stub(self, report: Report) -> Report:
        """Combine the report with the outcome of the stub of its entry."""
        stub = self.stubs.get(report.entry.external_id)
        if stub is None or stub is BulkOutcome.UNCHANGED:
            return report
        if report.outcome is BulkOutcome.FAILED:
            note = "it was written without the rows that it refers to"
            return replace(report, warnings=(*report.warnings, note))
        return replace(report, outcome=stub)


@dataclass
class _Deferred:
    """A queue on disk of entries that refer to rows that do not exist yet, with their faults."""

    file: IO[bytes]
    start: int = 0
    count: int = 0

    def add(self, entry: ImportEntry) -> None:
        self.file.seek(0, SEEK_END)
        pickle.dump(entry, self.file)
        self.count += 1

    def take(self) -> Iterator[ImportEntry]:
        """Take out the entries that are in the queue now; others can be added meanwhile."""
        for entry in self:
            self.start = self.file.tell()
            self.count -= 1
            yield entry

    def __iter__(self) -> Iterator[ImportEntry]:
        position = self.start
        for _ in range(self.count):
            self.file.seek(position)
            entry = pickle.load(self.file)  # noqa: S301 - a private file
            position = self.file.tell()
            yield entry


def _without_links(deferred: _Deferred) -> Iterator[ImportEntry]:
    """The entries that only wait for each other, without the links that can be written later.

    Entries without such links are left out.
    """
    names: dict[int, set[Hashable]] = {}
    missing: dict[int, set[Hashable]] = {}
    for entry in deferred:
        names[entry.number] = _names(entry)
        missing[entry.number] = {_value_at(entry.item, fault.pointer) for fault in entry.faults}
    hopeless: list[int] | None = None
    while hopeless != []:
        known = set().union(*names.values())
        hopeless = [number for number in names if not missing[number] <= known]
        for number in hopeless:
            del names[number]
    for entry in deferred:
        stub = _stub(entry.item or {})
        if entry.number in names and stub != entry.item:
            yield replace(entry, item=stub)


def _names(entry: ImportEntry) -> set[Hashable]:
    """The names of a row and its parts; units are referred to by code."""
    item = entry.item or {}
    parts = [part for name in WRITERS[entry.resource].parts for part in objects(item.get(name))]
    return {item.get("code"), *(each.get("external_id") for each in (item, *parts))}


def _stub(item: Item) -> Item:
    stub = {name: value for name, value in item.items() if name != "relations"}
    if "evidence" in stub:
        links = ("derived_from_id", "derived_from_external_id")
        stub["evidence"] = [
            passage
            for passage in objects(stub["evidence"])
            if all(passage.get(link) is None for link in links)
        ]
    return stub


def _value_at(item: Any, pointer: str | None) -> Hashable:
    for step in (pointer or "#/").removeprefix("#/").split("/"):
        item = item[int(step)] if isinstance(item, list) else item.get(step)
    found: Hashable = item
    return found


def _batches(entries: Iterable[ImportEntry]) -> Generator[list[ImportEntry]]:
    """Group entries of one resource with distinct external ids, DOIs and canonical URLs."""
    batch: list[ImportEntry] = []
    names: set[str] = set()
    size = 0
    for entry in entries:
        own = {name for name in (entry.external_id, entry.doi, entry.canonical_url) if name}
        full = len(batch) == MAX_BATCH or size + entry.size > _MAX_BATCH_CHARS
        if batch and (full or own & names or entry.resource != batch[0].resource):
            yield batch
            batch, names, size = [], set(), 0
        batch.append(entry)
        names |= own
        size += entry.size
    if batch:
        yield batch


def _import_batch(
    session: Session, mode: BulkMode, rules: ReviewRules, entries: Sequence[ImportEntry]
) -> list[Report]:
    """Write entries of one resource with distinct names and DOIs; a report for each."""
    entries = _with_claims(session, [_checked(entry) for entry in entries])
    pairs = list(zip(entries, _existing(session, entries), strict=True))
    wanted = [entry for entry, match in pairs if entry.item is not None and not match]
    namesakes = _create_entities(session, wanted)
    results: Iterator[bulk.Result] = iter(())
    if wanted:
        items = [entry.item for entry in wanted]
        writer = WRITERS[wanted[0].resource]
        results = iter(bulk.write(session, writer, items, mode, atomic=False, rules=rules))
    reports = []
    for entry, match in pairs:
        if entry.item is None:
            report = Report(entry, BulkOutcome.FAILED, entry.faults, entry.warnings)
        elif match:
            report = Report(entry, BulkOutcome.IGNORED, warnings=entry.warnings, matched=match)
        else:
            report = _written(entry, next(results), namesakes)
        reports.append(report)
    return reports


def _checked(entry: ImportEntry) -> ImportEntry:
    """Fail an entry with a wrong name, or with entities but an invalid source."""
    if entry.item is None:
        return entry
    name = entry.item.get("external_id")
    if not isinstance(name, str) or not re.fullmatch(EXTERNAL_ID_PATTERN, name):
        detail = "Must be a namespace, a colon and a name, such as hksz:ttps-approved-2023."
        return entry.failed(Fault("invalid", detail, "#/external_id"))
    if entry.entities:
        try:
            load(_SOURCE, entry.item)
        except Invalid as error:
            return entry.failed(*error.faults)
    return entry


def _with_claims(session: Session, entries: Sequence[ImportEntry]) -> Sequence[ImportEntry]:
    """Fail the entries that need a claim, if none of theirs exists."""
    claims = {claim for entry in entries for claim in entry.claims}
    if not claims:
        return entries
    found = run(
        session,
        "SELECT external_id, id::text FROM claims"
        " WHERE (external_id = ANY ($1) OR id = ANY ($2::uuid[]))"
        " AND (deleted_at IS NULL OR redirect_to IS NOT NULL)",
        list(claims),
        list(filter(None, map(_uuid, claims))),
    )
    known = {key for keys in found for key in keys}
    return [
        entry.failed(_no_claim(entry))
        if entry.item and entry.claims and known.isdisjoint(entry.claims)
        else entry
        for entry in entries
    ]


def _no_claim(entry: ImportEntry) -> Fault:
    listed = ", ".join(sorted(entry.claims))
    return Fault("not_written", f"The evidence from it is on no claim that exists: {listed}.", "#")


def _existing(session: Session, entries: Sequence[ImportEntry]) -> list[str | None]:
    """For each entry the existing row, if its external id is not that of the entry."""
    table = entries[0].resource
    # Other resources have neither; each condition needs an index, or the whole table is read.
    doi, url = ("doi", "canonical_url") if table == "sources" else ("external_id", "external_id")
    valid = [entry for entry in entries if entry.item is not None]
    if not valid:
        return [None] * len(entries)
    rows = run(
        session,
        f"SELECT external_id, id::text, {doi}, {url}, deleted_at IS NULL FROM {table}"
        f" WHERE external_id = ANY ($1) OR id = ANY ($2::uuid[]) OR {doi} = ANY ($3)"
        # Of deleted rows there may be several.
        f" OR ({url} = ANY ($4) AND deleted_at IS NULL) ORDER BY deleted_at IS NULL",
        [name for entry in valid for name in (entry.external_id, entry.known_as) if name],
        [id for entry in valid if (id := _uuid(entry.row_id))],
        [entry.doi for entry in valid if entry.doi and re.fullmatch(DOI_PATTERN, entry.doi)],
        [entry.canonical_url for entry in valid if entry.canonical_url],
    )
    # They have different forms, so one mapping holds them all.
    found = {
        key: f"{keys[0] or keys[1]}{'' if is_live else ', which was deleted'}"
        for *keys, is_live in rows
        for key in keys
        if key
    }
    others = [() if entry.external_id in found else _other_keys(entry) for entry in entries]
    return [next((found[key] for key in keys if key in found), None) for keys in others]


def _other_keys(entry: ImportEntry) -> tuple[str | None, ...]:
    return _uuid(entry.row_id), entry.known_as, entry.doi, entry.canonical_url


def _uuid(text: str | None) -> str | None:
    try:
        return str(UUID(text)) if text else None
    except ValueError:
        return None


def _create_entities(session: Session, entries: Sequence[ImportEntry]) -> dict[str, list[str]]:
    """Create missing entities; return their external ids, each with other entities of its name."""
    wanted = {entity["external_id"]: entity for entry in entries for entity in entry.entities}
    sql = (
        "SELECT external_id FROM entities WHERE external_id = ANY ($1)"
        " AND (deleted_at IS NULL OR redirect_to IS NOT NULL)"
    )
    existing = {name for (name,) in run(session, sql, list(wanted))} if wanted else set()
    new = [entity for name, entity in wanted.items() if name not in existing]
    if not new:
        return {}
    # IGNORE, because a concurrent import may create the same entities.
    results = bulk.write(session, WRITERS["entities"], new, BulkMode.IGNORE, atomic=False)
    created: dict[str, list[str]] = {
        str(result.external_id): [] for result in results if result.outcome is BulkOutcome.CREATED
    }
    namesakes = run(
        session,
        "SELECT made.external_id, coalesce(other.external_id, other.id::text)"
        " FROM entities AS made JOIN entities AS other"
        " ON other.name = made.name AND other.id <> made.id AND other.deleted_at IS NULL"
        " WHERE made.external_id = ANY ($1) AND made.deleted_at IS NULL ORDER BY 1, 2",
        list(created),
    )
    for name, other in namesakes:
        created[name].append(other)
    return created


def _written(entry: ImportEntry, result: bulk.Result, namesakes: dict[str, list[str]]) -> Report:
    """The report of an entry; new entities count for the first entry that refers to them."""
    created = [each for each in entry.entities if each["external_id"] in namesakes]
    warnings = [
        *entry.warnings,
        *(f"{(each.pointer or '#').removeprefix('#/')}: {each.detail}" for each in result.warnings),
    ]
    for entity in created:
        if others := namesakes.pop(entity["external_id"]):
            name = entity["names"][0]["name"]
            warnings.append(
                f"new: {entity['external_id']} ({name}) has the same name as"
                f" {', '.join(others)}; merge them if they are the same"
            )
    outcome, faults = result.outcome, result.faults
    return Report(entry, outcome, faults, tuple(warnings), entities=len(created))
