"""Batches: rows that are inserted and updated together, with one statement for each table.

A single write is a batch of one row. All writers take their locks in the same order: on the rows
referred to, on claims, and on the rows that belong to claims, each in the order of their ids; and
last the locks that triggers take. They can still deadlock with a merge, because PostgreSQL locks
the claimant again if a claim is updated twice; the API tries such a write again.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from uuid import UUID

import psycopg

from hksz_db.database import Session, run
from hksz_db.domain.errors import DomainError, Fault, FaultsError, Invalid
from hksz_db.domain.vocabulary import REPLACING
from hksz_db.services import warnings
from hksz_db.services.claims import WRITER as CLAIMS
from hksz_db.services.claims import check_new_language, keeps_translations, translations_of
from hksz_db.services.dates import lock_dependent_claims, recompute_relative_dates
from hksz_db.services.dependants import lock_parents, parents_of
from hksz_db.services.evidence import WRITER as EVIDENCE
from hksz_db.services.evidence import captures_for, fill_captures
from hksz_db.services.references import Reference, Resolved, look_up, references_in, settle
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import Move, ReviewRules
from hksz_db.services.rows import (
    Children,
    Row,
    bump_version,
    insert_rows,
    lock_for_triggers,
    lock_rows,
    missing_row_error,
    pick,
    replace_children,
    update_row,
    update_rows,
)
from hksz_db.services.writers import Writer
from hksz_db.services.writing import translate, violated_key


class Key(NamedTuple):
    """A row of a table."""

    table: str
    id: UUID


class Given(NamedTuple):
    """The fields of one row, and where they stand in the item."""

    pointer: str
    writer: Writer
    fields: Row


@dataclass
class Entry:
    """A row to insert, or to update if it has an ``id``; with its lists, and parts if it is new.

    ``fields`` are as a schema loaded them, and are changed in place; ``pointer`` is where they
    stand in the item. They are ``whole`` if they could create a row, too; the references ``added``
    complete such fields. ``before`` are stored columns of the row, and ``status`` is its status
    before the write.
    """

    writer: Writer
    fields: Row
    pointer: str = "#"
    id: UUID | None = None
    whole: bool = False
    added: list[Reference] = field(init=False, default_factory=list)
    status: str | None = field(init=False, default=None)
    before: Row = field(init=False, default_factory=dict)
    inserts: Mapping[str, Sequence[Row]] = field(init=False, default_factory=dict)
    columns: Row = field(init=False, default_factory=dict)
    children: list[Children] = field(init=False, default_factory=list)

    def __post_init__(self) -> None:
        self.is_new = self.id is None
        self.references = list(references_in(self.fields, self.writer.shape))
        self.given = [Given("#", self.writer, self.fields)]
        for name, part in self.writer.parts.items():
            for number, fields in enumerate(self.fields.get(name, ())):
                self.given.append(Given(f"#/{name}/{number}", part, fields))
        self.passages = {g.pointer: g.fields for g in self.given if g.writer is EVIDENCE}

    @cached_property
    def key(self) -> Key:
        """The table and the id, which a new row has once its references are resolved."""
        return Key(self.writer.table, self.id or self.fields["id"])

    @property
    def has_status(self) -> bool:
        """Whether rows of the table have a status of their own."""
        return "status" in self.writer.stored

    @property
    def parent(self) -> Key | None:
        """The row that it is a part of."""
        fields = self.fields if self.is_new else self.before
        return next((Key(p.target, fields[p.column]) for p in parents_of(self.writer.table)), None)

    def metric_and_unit(self) -> list[Reference]:
        """The metric and unit of a stored figure, whether they are given anew or not.

        They are not held, because the claim is locked already: a change of the metric that comes
        later finds the figure.
        """
        if self.is_new or not self.writer.shape.unit_code:
            return []
        fields = pick({**self.before, **self.fields}, "metric_id", "unit_code")
        return list(references_in(fields, replace(self.writer.shape, held=())))

    def resolve(self, known: Resolved) -> None:
        """Replace references by ids, and complete what could create rows.

        New rows become known by name to later entries.
        """
        settle(self.references, known)
        errors = []
        for pointer, writer, fields in self.given if self.is_new or self.whole else ():
            try:
                self.added += writer.complete(fields, known, pointer)
            except Invalid as error:
                errors.append(error)
        if errors:
            faults = chain.from_iterable(error.faults for error in errors)
            raise Invalid(errors[0].detail, list(faults))
        for _, writer, fields in self.given if self.is_new else ():
            if name := fields.get("external_id"):
                known.announce(writer.table, name, fields["id"])

    def take(self, before: Row) -> None:
        """Take the stored columns. Raises ``Invalid`` if the entry would change a fixed field."""
        self.before = before
        fixed = pick(before, *self.writer.fixed)
        pointers = {reference.target: reference.pointer for reference in self.references}
        faults = [
            Fault(
                "fixed",
                f"This field cannot be changed after creation (current value: {value}).",
                pointers.get(name, f"#/{name}"),
            )
            for name, value in fixed.items()
            if self.fields.get(name, value) != value
        ]
        if faults:
            raise Invalid("Some fields cannot be changed after creation.", faults)
        self.fields |= fixed


class Refused(Exception):
    """The rules refuse what the database has accepted; ``Batch.refused`` says why."""


def create(
    session: Session,
    resource: str,
    fields: Row,
    rules: ReviewRules | None = None,
    doubts: list[Fault] | None = None,
) -> UUID:
    """Insert a row with its lists and parts; its id.

    Adds the warnings about the row to ``doubts``, and so does ``update``. Raises ``Invalid`` or
    ``Conflict``, and ``Forbidden`` if the ``rules`` do not allow it.
    """
    entry = Entry(WRITERS[resource], fields)
    _write_one(session, entry, rules, doubts=doubts)
    return entry.key.id


def update(  # noqa: PLR0913, PLR0917 - a row, and the terms on which it is written
    session: Session,
    resource: str,
    id: UUID,
    versions: Sequence[int] | None,
    fields: Row,
    rules: ReviewRules | None = None,
    doubts: list[Fault] | None = None,
) -> bool:
    """Update a live row at one of the versions (``None``: at any); whether it differed.

    A list that is given replaces the stored list. Raises ``NotFound``, ``Gone``, ``Merged``,
    ``Stale``, ``Invalid`` or ``Conflict``, and ``Forbidden`` if the ``rules`` do not allow it.
    """
    return _write_one(session, Entry(WRITERS[resource], fields, id=id), rules, versions, doubts)


def _write_one(
    session: Session,
    entry: Entry,
    rules: ReviewRules | None,
    versions: Sequence[int] | None = None,
    doubts: list[Fault] | None = None,
) -> bool:
    batch = Batch(session, {0: [entry]}, rules, versions, is_single=True)
    if batch.refused:
        raise batch.refused[0]
    try:
        differed = batch.write()[0]
    except Refused:
        raise batch.refused[0] from None
    except (psycopg.IntegrityError, psycopg.DataError) as error:
        raise refusal(error, [entry]) or error from None
    if doubts is not None:
        doubts += batch.warnings()[0]
    return differed


def refusal(error: psycopg.Error, entries: Iterable[Entry]) -> DomainError | None:
    """The error of the database in terms of the API, with a pointer to the part that it is about.

    Of several parts of one table, only that with an external id that is taken can be found.
    """
    known = translate(error)
    columns, taken = violated_key(error)
    parts = [
        (entry.pointer + given.pointer.removeprefix("#"), given.fields.get("external_id"))
        for entry in entries
        for given in entry.given
        if given.writer.table == error.diag.table_name
    ]
    if columns == ("external_id",):
        parts = [(pointer, name) for pointer, name in parts if name == taken][-1:]
    return _within(known, parts[0][0]) if known and len(parts) == 1 else known


class Batch:
    """Tasks by number, each a list of entries of which all are written or none.

    Resolves and locks the rows that they refer to and those that they update. ``refused`` are the
    errors of tasks that turned out to be impossible, or that the ``rules`` do not allow (``None``:
    all are allowed). Rows are updated at one of the ``versions`` only (``None``: at any). A batch
    that ``is_single`` has one task of one entry.
    """

    def __init__(
        self,
        session: Session,
        tasks: Mapping[int, list[Entry]],
        rules: ReviewRules | None = None,
        versions: Sequence[int] | None = None,
        *,
        is_single: bool = False,
    ) -> None:
        self.session = session
        self.tasks = dict(tasks)
        self.rules = rules
        self.versions = versions
        # A single row takes its locks in the right order by itself.
        self.is_single = is_single
        self.refused: dict[int, DomainError] = {}
        self._known = Resolved()
        self._resolve()
        self._locks_early = not self.is_single or any(
            not entry.is_new and _must_be_locked_early(entry) for entry in self._entries()
        )
        self._lock()
        self._build()
        self._dependent_claims: Mapping[UUID, Sequence[UUID]] = {}
        if self._locks_early:
            self._lock_dependent_claims()
        self._lock_for_triggers()

    def _entries(self) -> Iterator[Entry]:
        return chain.from_iterable(self.tasks.values())

    def _each(self, step: Callable[[Entry], None]) -> None:
        """Call ``step`` with each entry, and remove a task if one of its entries is refused."""
        for number, entries in list(self.tasks.items()):
            for entry in entries:
                try:
                    step(entry)
                except DomainError as error:
                    self.refused[number] = _within(error, entry.pointer)
                    del self.tasks[number]
                    break

    def _resolve(self) -> None:
        references = list(chain.from_iterable(entry.references for entry in self._entries()))
        new = [given for entry in self._entries() if entry.is_new for given in entry.given]
        self._known = look_up(self.session, references, len(new))
        for (_, _, fields), id in zip(new, self._known.new_ids, strict=True):
            fields["id"] = id
        self._each(lambda entry: entry.resolve(self._known))
        added = list(chain.from_iterable(entry.added for entry in self._entries()))
        self._known.include(look_up(self.session, added))
        self._each(lambda entry: settle(entry.added, self._known))

    def _ids_to_lock(self) -> dict[str, set[UUID]]:
        """The ids of the rows to lock by table.

        The write of a single row locks its parent and itself, unless their status is read before.
        """
        ids: dict[str, set[UUID]] = defaultdict(set)
        for entry in self._entries():
            if not entry.is_new:
                ids[entry.key.table].add(entry.key.id)
            elif entry.parent and not (self.is_single and entry.has_status):
                ids[entry.parent.table].add(entry.parent.id)
        parts = [table for table in ids if parents_of(table)]
        if self.is_single:
            own = [table for table in parts if not self.rules or "status" in WRITERS[table].stored]
            for table in own:
                lock_parents(self.session, table, ids[table])
            parts = [table for table in parts if table not in own]
            reviewed = {"claims"} if self.rules else set()
            locked = {*own, *parts, *reviewed}
            ids = defaultdict(set, {t: ids[t] for t in ids if t in locked or self._locks_early})
        for link in chain.from_iterable(map(parents_of, parts)):
            sql = f"SELECT DISTINCT {link.column} FROM {link.table} WHERE id = ANY ($1)"
            ids[link.target] |= {row[0] for row in run(self.session, sql, list(ids[link.table]))}
        return ids

    def _lock(self) -> None:
        rows = {
            table: lock_rows(self.session, table, WRITERS[table].stored, ids)
            for table, ids in sorted(self._ids_to_lock().items())
        }

        def step(entry: Entry) -> None:
            if not entry.is_new and entry.key.table in rows:
                before = rows[entry.key.table].get(entry.key.id)
                if before is None or before["deleted_at"]:
                    raise missing_row_error(self.session, *entry.key)
                entry.take(before)
            stored = entry.before
            # A figure has no status of its own: that of its claim counts.
            if entry.parent and not entry.has_status:
                stored = rows.get(entry.parent.table, {}).get(entry.parent.id, {})
            entry.status = stored.get("status")

        self._each(step)

    def _build(self) -> None:
        kept = list(chain.from_iterable(entry.metric_and_unit() for entry in self._entries()))
        self._known.include(look_up(self.session, kept))
        passages = chain.from_iterable(entry.passages.values() for entry in self._entries())
        captures = captures_for(self.session, passages)
        stored = (entry for entry in self._entries() if not entry.is_new)
        translated = translations_of(
            self.session,
            [
                entry.key.id
                for entry in stored
                if entry.writer is CLAIMS and keeps_translations(entry.fields, entry.before)
            ],
        )

        def step(entry: Entry) -> None:
            if self.rules:
                for given in entry.given:
                    self.rules.check_given(given.fields, given.pointer, is_new=entry.is_new)
            fill_captures(entry.passages, captures)
            if entry.is_new:
                entry.inserts = entry.writer.rows(entry.fields, self._known)
            else:
                check_new_language(entry.fields, translated.get(entry.key.id, ()))
                changes = entry.writer.changes(entry.fields, entry.before, self._known)
                entry.columns, entry.children = changes

        self._each(step)
        self._inserts: dict[str, list[Row]] = {}
        self._updates: dict[str, list[Row]] = {}
        self._families: dict[tuple[str, str], dict[UUID, Children]] = {}
        for entry in self._entries():
            for table, rows in entry.inserts.items():
                self._inserts.setdefault(table, []).extend(rows)
            if not entry.is_new:
                table, id = entry.key
                self._updates.setdefault(table, []).append({**entry.columns, "id": id})
                for family in entry.children:
                    self._families.setdefault((table, family.table), {})[id] = family
        for table in self._inserts.keys() & WRITERS.keys():
            # Writers of the same names wait for each other, and all insert them in one order.
            self._inserts[table].sort(key=lambda row: row.get("external_id") or "")

    def _lock_dependent_claims(self) -> None:
        ids = [row["id"] for row in self._updates.get("sources", ()) if "issued_edtf" in row]
        self._dependent_claims = lock_dependent_claims(self.session, ids) if ids else {}

    def _lock_for_triggers(self) -> None:
        """Take the locks that triggers would take later, after some of the rows are written."""
        if not self.is_single:
            lock_for_triggers(self.session, [*self._locks_of_claims(), *self._locks_of_evidence()])
        elif self._updates:
            # The update of the claim itself may take a later lock.
            lock_for_triggers(self.session, list(self._locks_of_claims()))

    def _locks_of_claims(self) -> Iterator[str]:
        families = self._families.get(("claims", "claim_relations"), {}).values()
        relations = chain(
            self._inserts.get("claim_relations", ()),
            chain.from_iterable(family.rows for family in families),
        )
        if any(row["kind"] in REPLACING for row in relations):
            yield "claim_relations"

    def _locks_of_evidence(self) -> Iterator[str]:
        changed, new = (rows.get("evidence", []) for rows in (self._updates, self._inserts))
        if any(row.get("derived_from_id") for row in [*changed, *new]):
            yield "evidence"
        if (
            any({"derived_from_id", "attributed_to_id"} & row.keys() for row in changed)
            or any(row["derived_from_id"] for row in new)
            or self._inserts.get("source_relations")
            or ("sources", "source_relations") in self._families
            or any("retracted_at" in row for row in self._updates.get("sources", ()))
        ):
            yield "source_relations"

    def write(self) -> Mapping[int, bool]:
        """Write everything; for each task, whether anything differed.

        Raises ``Refused``, or what the database raises; the caller must roll back then.
        """
        new = {entry.key for entry in self._entries() if entry.is_new}
        bumped = set() if self._updates else self._parents_of(new)
        # This also locks the parent of a single row.
        self._bump(bumped)
        if self._inserts:
            insert_rows(self.session, self._inserts)
        updated = self._update()
        differing = new | updated

        def recompute_dates(entry: Entry) -> None:
            claims = self._dependent_claims.get(entry.key.id)
            if claims and entry.key in updated:
                issued = entry.fields["issued_edtf"]
                recompute_relative_dates(self.session, entry.key.id, issued, claims)

        count = len(self.tasks)
        self._each(recompute_dates)
        for (owner, _), families in self._families.items():
            differing |= {Key(owner, id) for id in replace_children(self.session, families)}
        self._check_rules(differing)
        if len(self.tasks) < count:
            raise Refused
        self._bump((differing | self._parents_of(differing)) - new - updated - bumped)
        return {
            number: any(entry.key in differing for entry in entries)
            for number, entries in self.tasks.items()
        }

    def warnings(self) -> dict[int, list[Fault]]:
        """The warnings about the rows of each task, which have been written."""
        stored: dict[str, list[UUID]] = defaultdict(list)
        redated = []
        for entry in self._entries():
            table, id = entry.key
            if not (entry.is_new and table != "evidence"):
                stored[table].append(id)
            if not entry.is_new and table == "sources" and "issued_edtf" in entry.fields:
                redated.append(id)
        known = {
            table: warnings.of_stored(self.session, table, ids) for table, ids in stored.items()
        }
        known["redated"] = warnings.of_redated(self.session, redated) if redated else {}

        def of(entry: Entry) -> Iterator[Fault]:
            table, id = entry.key
            if entry.is_new and table != "evidence":
                faults = warnings.of_new(entry.inserts, self._known)
            else:
                faults = known[table].get(id, []) + known["redated"].get(id, [])
            return (fault.within(entry.pointer) for fault in faults)

        return {
            number: list(chain.from_iterable(map(of, entries)))
            for number, entries in self.tasks.items()
        }

    def _update(self) -> set[Key]:
        updated: set[Key] = set()
        for table, rows in self._updates.items():
            if not self.is_single:
                updated |= {Key(table, id) for id in update_rows(self.session, table, rows)}
            elif update_row(self.session, table, rows[0], self.versions):
                updated.add(Key(table, rows[0]["id"]))
        return updated

    def _parents_of(self, keys: Collection[Key]) -> set[Key]:
        return {entry.parent for entry in self._entries() if entry.parent and entry.key in keys}

    def _bump(self, keys: Iterable[Key]) -> None:
        ids: dict[str, list[UUID]] = defaultdict(list)
        for table, id in keys:
            ids[table].append(id)
        for table, changed in ids.items():
            bump_version(self.session, table, changed)

    def _check_rules(self, differing: Collection[Key]) -> None:
        """Remove the tasks whose changes of rows the rules do not allow."""
        if not self.rules:
            return
        moves = {
            number: list(_moves([entry for entry in entries if entry.key in differing]))
            for number, entries in self.tasks.items()
        }
        for number, error in self.rules.refusals(self.session, moves).items():
            self.refused[number] = error
            del self.tasks[number]


def _moves(entries: Sequence[Entry]) -> Iterator[Move]:
    """How the entries of a task, which differed, move the status that counts for them."""
    given = {entry.key: entry.fields["status"] for entry in entries if "status" in entry.fields}
    for entry in entries:
        if entry.status is not None:
            holder = entry.key if entry.has_status else entry.parent
            after = given.get(holder or entry.key, entry.status)
            noted = "review_note" in entry.fields
            yield Move(*entry.key, entry.pointer, entry.status, after, noted)


def _must_be_locked_early(entry: Entry) -> bool:
    # An update of the date takes a lock of triggers, and all writers lock claims before. What is
    # computed from stored columns is computed before the update that would lock the row.
    return bool(entry.fields.keys() & {"issued_edtf", *entry.writer.computed_from})


def _within(error: DomainError, pointer: str) -> DomainError:
    """The error with pointers into the item, in which the row stands at ``pointer``."""
    if pointer == "#" or not isinstance(error, FaultsError):
        return error
    return type(error)(error.detail, [fault.within(pointer) for fault in error.faults])
