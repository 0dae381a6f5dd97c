"""Batches: rows that are inserted and updated together, with one statement for each table.

A single write is a batch of one row. All writers take their locks in the same order, so that they
do not deadlock: on the rows referred to, on claims, and on the rows that belong to claims, each in
the order of their ids; and last the locks that triggers take.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from typing import NamedTuple
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import DomainError, Fault, FaultsError, Invalid
from hksz_db.services.dates import recompute_relative_dates, sources_used_as_anchor
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
    matching,
    missing_row_error,
    pick,
    replace_children,
    update_row,
    update_rows,
)
from hksz_db.services.writers import Writer


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
        self.references = references_in(self.fields, self.writer.shape)
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
        """The metric and unit of a stored figure, whether they are given anew or not."""
        if self.is_new or not self.writer.shape.unit_code:
            return []
        fields = pick({**self.before, **self.fields}, "metric_id", "unit_code")
        return references_in(fields, self.writer.shape)

    def resolve(self, known: Resolved) -> None:
        """Replace references by ids, and complete what could create rows.

        New rows become known by name to later entries.
        """
        settle(self.references, known)
        for pointer, writer, fields in self.given if self.is_new or self.whole else ():
            self.added += writer.complete(fields, known, pointer)
        for _, writer, fields in self.given if self.is_new else ():
            if name := fields.get("external_id"):
                known.announce(writer.table, name, fields["id"])

    def take(self, before: Row) -> None:
        """Take the stored columns. Raises ``Invalid`` if the entry would change a fixed field."""
        self.before = before
        fixed = pick(before, *self.writer.fixed)
        faults = [
            Fault(
                "fixed",
                f"This field cannot be changed after creation (current value: {value}).",
                self._pointer_to(name),
            )
            for name, value in fixed.items()
            if self.fields.get(name, value) != value
        ]
        if faults:
            raise Invalid("Some fields cannot be changed after creation.", faults)
        self.fields |= fixed

    def build(self, known: Resolved) -> None:
        """Derive the rows to write."""
        if self.is_new:
            self.inserts = self.writer.rows(self.fields, known)
        else:
            self.columns, self.children = self.writer.changes(self.fields, self.before, known)

    def _pointer_to(self, target: str) -> str:
        given = {reference.target: reference.pointer for reference in self.references}
        return given.get(target, f"#/{target}")


class Refused(Exception):
    """Rows that the database accepts and the rules do not: the errors by the number of the task."""

    def __init__(self, errors: Mapping[int, DomainError]) -> None:
        super().__init__(errors)
        self.errors = errors


def create(session: Session, resource: str, fields: Row, rules: ReviewRules | None = None) -> UUID:
    """Insert a row with its lists and parts; its id.

    Raises ``Invalid`` or ``Conflict``, and ``Forbidden`` if the ``rules`` do not allow it.
    """
    entry = Entry(WRITERS[resource], fields)
    _write_one(session, entry, rules)
    return entry.key.id


def update(
    session: Session,
    resource: str,
    id: UUID,
    versions: Sequence[int] | None,
    fields: Row,
    rules: ReviewRules | None = None,
) -> bool:
    """Update a live row at one of the versions (``None``: at any); whether it differed.

    A list that is given replaces the stored list. Raises ``NotFound``, ``Gone``, ``Merged``,
    ``Stale``, ``Invalid`` or ``Conflict``, and ``Forbidden`` if the ``rules`` do not allow it.
    """
    return _write_one(session, Entry(WRITERS[resource], fields, id=id), rules, versions)


def _write_one(
    session: Session,
    entry: Entry,
    rules: ReviewRules | None,
    versions: Sequence[int] | None = None,
) -> bool:
    batch = Batch(session, {0: [entry]}, rules, versions, is_single=True)
    if batch.refused:
        raise batch.refused[0]
    try:
        return batch.write()[0]
    except Refused as refused:
        raise refused.errors[0] from None


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
        self._lock()
        self._build()
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
                lock_parents(self.session, table, *ids[table])
            parts = [table for table in parts if table not in own]
            reviewed = {"claims"} if self.rules else set()
            ids = defaultdict(set, {t: ids[t] for t in ids if t in {*own, *parts, *reviewed}})
        for link in chain.from_iterable(map(parents_of, parts)):
            sql = f"SELECT DISTINCT {link.column} FROM {link.table} WHERE id = ANY ($1)"
            ids[link.target] |= {row[0] for row in run(self.session, sql, list(ids[link.table]))}
        return ids

    def _lock(self) -> None:
        ids = self._ids_to_lock()
        rows = {table: self._locked(table, ids[table]) for table in sorted(ids)}

        def step(entry: Entry) -> None:
            if not entry.is_new and entry.key.table in rows:
                before = rows[entry.key.table].get(entry.key.id)
                if before is None:
                    raise missing_row_error(self.session, *entry.key)
                entry.take(before)
            stored = entry.before
            # A figure has no status of its own: that of its claim counts.
            if entry.parent and not entry.has_status:
                stored = rows.get(entry.parent.table, {}).get(entry.parent.id, {})
            entry.status = stored.get("status")

        self._each(step)

    def _locked(self, table: str, ids: Collection[UUID]) -> dict[UUID, Row]:
        """Lock live rows; their stored columns by id."""
        columns = ("id", *WRITERS[table].stored)
        condition, argument = matching(ids)
        found = run(
            self.session,
            f"SELECT {', '.join(columns)} FROM {table}"
            f" WHERE id {condition} AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE",
            argument,
        )
        return {row[0]: dict(zip(columns, row, strict=True)) for row in found}

    def _build(self) -> None:
        kept = list(chain.from_iterable(entry.metric_and_unit() for entry in self._entries()))
        self._known.include(look_up(self.session, kept))
        passages = chain.from_iterable(entry.passages.values() for entry in self._entries())
        captures = captures_for(self.session, passages)

        def step(entry: Entry) -> None:
            if self.rules:
                for given in entry.given:
                    self.rules.check_given(given.fields, given.pointer, is_new=entry.is_new)
            fill_captures(entry.passages, captures)
            entry.build(self._known)

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

    def _lock_for_triggers(self) -> None:
        """Take the locks that triggers would take later, after some of the rows are written."""
        if self.is_single:
            return
        changed, new = (rows.get("evidence", []) for rows in (self._updates, self._inserts))
        if any(row.get("derived_from_id") for row in [*changed, *new]):
            run(self.session, "SELECT pg_advisory_xact_lock(hashtext('evidence'))")
        if (
            any("derived_from_id" in row for row in changed)
            or any(row["derived_from_id"] for row in new)
            or self._inserts.get("source_relations")
            or ("sources", "source_relations") in self._families
            or any("retracted_at" in row for row in self._updates.get("sources", ()))
        ):
            run(self.session, "SELECT pg_advisory_xact_lock(hashtext('source_relations'))")

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
        updated = {Key(table, id) for table in self._updates for id in self._update(table)}
        differing = new | updated
        for (owner, _), families in self._families.items():
            differing |= {Key(owner, id) for id in replace_children(self.session, families)}
        self._check(self._recompute_relative_dates(updated), differing)
        self._bump((differing | self._parents_of(differing)) - new - updated - bumped)
        return {
            number: any(entry.key in differing for entry in entries)
            for number, entries in self.tasks.items()
        }

    def _update(self, table: str) -> set[UUID]:
        """Update the rows of a table; the ids of those that differed."""
        rows = self._updates[table]
        if not self.is_single:
            return update_rows(self.session, table, rows)
        (row,) = rows
        return {row["id"]} if update_row(self.session, table, row, self.versions) else set()

    def _parents_of(self, keys: Collection[Key]) -> set[Key]:
        return {entry.parent for entry in self._entries() if entry.parent and entry.key in keys}

    def _bump(self, keys: Iterable[Key]) -> None:
        ids: dict[str, list[UUID]] = defaultdict(list)
        for table, id in keys:
            ids[table].append(id)
        for table, changed in ids.items():
            bump_version(self.session, table, changed)

    def _recompute_relative_dates(self, updated: Collection[Key]) -> dict[Key, DomainError]:
        """Recompute dates that are relative to updated sources; the errors by source."""
        issued = {
            entry.key: entry.fields["issued_edtf"]
            for entry in self._entries()
            if "issued_edtf" in entry.fields and entry.key in updated
        }
        anchors = [key.id for key in issued]
        if len(anchors) > 1:
            anchors = sources_used_as_anchor(self.session, anchors)
        errors: dict[Key, DomainError] = {}
        for source in (Key("sources", id) for id in anchors):
            try:
                recompute_relative_dates(self.session, source.id, issued[source])
            except DomainError as error:
                errors[source] = error
        return errors

    def _check(self, errors: Mapping[Key, DomainError], differing: Collection[Key]) -> None:
        """Raise ``Refused`` for the errors, and for changes of rows that are not allowed."""
        refused: dict[int, DomainError] = {}
        if self.rules:
            moves = {
                number: list(_moves([entry for entry in entries if entry.key in differing]))
                for number, entries in self.tasks.items()
            }
            refused = self.rules.refusals(self.session, moves)
        for number, entries in self.tasks.items():
            found = (errors[entry.key] for entry in entries if entry.key in errors)
            if error := next(found, None):
                refused[number] = error
        if refused:
            raise Refused(refused)


def _moves(entries: Sequence[Entry]) -> Iterator[Move]:
    """How the entries of a task, which differed, move the status that counts for them."""
    given = {entry.key: entry.fields["status"] for entry in entries if "status" in entry.fields}
    for entry in entries:
        if entry.status is not None:
            holder = entry.key if entry.has_status else entry.parent
            after = given.get(holder or entry.key, entry.status)
            noted = "review_note" in entry.fields
            yield Move(*entry.key, entry.pointer, entry.status, after, noted)


def _within(error: DomainError, pointer: str) -> DomainError:
    """The error with pointers into the item, in which the row stands at ``pointer``."""
    if pointer == "#" or not isinstance(error, FaultsError):
        return error
    return type(error)(error.detail, [fault.within(pointer) for fault in error.faults])
