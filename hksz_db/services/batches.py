"""Batches: rows that are made and changed together, a statement for each table.

Locks are taken in one order by everybody: what is referred to, then claims, then what belongs to
them, each by id, and the locks of the database's own triggers last.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import chain
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.errors import DomainError
from hksz_db.services.entries import Entry, within
from hksz_db.services.evidence import captures_for, fill_captures
from hksz_db.services.kinds import KINDS
from hksz_db.services.references import look_up, settle
from hksz_db.services.rows import Children, Row

Allowed = Callable[[Collection[str]], None]
Changes = tuple[Row, list[Children]]


class Batch:
    """Tasks by number, each a list of entries that are written together or not at all.

    What they refer to is looked up and locked, and so is what they change. ``refused`` are those
    that turned out to be impossible. ``inserts`` and ``changes`` are rows by table; ``families``
    are lists that replace those that are there, by the table of their owners and their own.
    """

    def __init__(
        self, session: Session, tasks: Mapping[int, list[Entry]], allowed: Allowed
    ) -> None:
        self.session = session
        self.tasks = dict(tasks)
        self.allowed = allowed
        self.refused: dict[int, DomainError] = {}
        self.inserts: dict[str, list[Row]] = {}
        self.changes: dict[str, list[Row]] = {}
        self.families: dict[tuple[str, str], dict[UUID, Children]] = {}
        self._resolve()
        self._lock()
        self._build()
        self._take_turn()

    def entries(self) -> Iterator[Entry]:
        """The entries of all tasks that are left."""
        return chain.from_iterable(self.tasks.values())

    def _each(self, step: Callable[[Entry], None]) -> None:
        """Take a step with each entry; a task with one for which that is impossible goes."""
        for number, entries in list(self.tasks.items()):
            for entry in entries:
                try:
                    step(entry)
                except DomainError as error:
                    self.refused[number] = within(error, entry.pointer)
                    del self.tasks[number]
                    break

    def _resolve(self) -> None:
        references = chain.from_iterable(entry.references for entry in self.entries())
        new = [entry for entry in self.entries() if entry.is_new]
        rows = list(chain.from_iterable((entry.fields, *entry.nested()) for entry in new))
        self._known = look_up(self.session, references, len(rows))
        for fields, id in zip(rows, self._known.new_ids, strict=True):
            fields["id"] = id
        for entry in new:
            entry.id = entry.fields.pop("id")

        def step(entry: Entry) -> None:
            settle(entry.references, self._known)
            if entry.is_new:
                entry.announce(self._known)

        self._each(step)

    def _lock(self) -> None:
        ids: dict[str, set[UUID]] = defaultdict(set)
        for entry in self.entries():
            if not entry.is_new:
                ids[entry.kind.table].add(entry.key)
            elif entry.whole:
                ids["claims"].add(entry.whole)
        for table in ids.keys() & {"figures", "evidence"}:
            sql = f"SELECT DISTINCT claim_id FROM {table} WHERE id = ANY ($1)"
            ids["claims"] |= {row[0] for row in run(self.session, sql, list(ids[table]))}
        rows = {table: self._locked(table, ids[table]) for table in sorted(ids)}

        def step(entry: Entry) -> None:
            if not entry.is_new:
                entry.take(rows[entry.kind.table].get(entry.key))
            # A figure has no status of its own: it stands under its claim's.
            of_claim = rows["claims"].get(entry.whole, {}) if entry.whole else {}
            own = of_claim if entry.kind.table == "figures" else entry.before
            entry.status = own.get("status")

        self._each(step)

    def _locked(self, table: str, ids: Collection[UUID]) -> dict[UUID, Row]:
        columns = ("id", *KINDS[table].stored)
        found = run(
            self.session,
            f"SELECT {', '.join(columns)} FROM {table}"
            " WHERE id = ANY ($1) AND deleted_at IS NULL ORDER BY id FOR NO KEY UPDATE",
            list(ids),
        )
        return {row[0]: dict(zip(columns, row, strict=True)) for row in found}

    def _build(self) -> None:
        measured = list(chain.from_iterable(entry.measured() for entry in self.entries()))
        if measured:
            self._known = self._known.joined(look_up(self.session, measured, 0))
        passages = [p for e in self.entries() for p in e.kind.passages(e.fields).values()]
        captures = captures_for(self.session, passages)
        new: dict[UUID, Mapping[str, Sequence[Row]]] = {}
        changed: dict[UUID, Changes] = {}

        def step(entry: Entry) -> None:
            self.allowed(entry.statuses())
            fill_captures(entry.kind.passages(entry.fields), captures)
            if entry.is_new:
                new[entry.key] = entry.kind.rows(entry.fields, entry.key, self._known)
            else:
                changed[entry.key] = entry.kind.changes(entry.fields, entry.before, self._known)

        self._each(step)
        self._gather(new, changed)

    def _gather(
        self, new: Mapping[UUID, Mapping[str, Sequence[Row]]], changed: Mapping[UUID, Changes]
    ) -> None:
        for entry in self.entries():
            for table, rows in new.get(entry.key, {}).items():
                self.inserts.setdefault(table, []).extend(rows)
            if entry.key in changed:
                columns, families = changed[entry.key]
                row = {**columns, "id": entry.key}
                self.changes.setdefault(entry.kind.table, []).append(row)
                for family in families:
                    there = self.families.setdefault((entry.kind.table, family.table), {})
                    there[entry.key] = family
        for table in self.inserts.keys() & KINDS.keys():
            # In one order by everybody: who adds the same has to wait, and never in a circle.
            self.inserts[table].sort(key=lambda row: row.get("external_id") or "")

    def _take_turn(self) -> None:
        """Take the locks that the triggers would ask for later, when half of it is written."""
        passages = [*self.inserts.get("evidence", ()), *self.changes.get("evidence", ())]
        derived = any("derived_from_id" in row for row in self.changes.get("evidence", ()))
        if any(row.get("derived_from_id") for row in passages):
            derived = True
            run(self.session, "SELECT pg_advisory_xact_lock(hashtext('evidence'))")
        if (
            derived
            or self.inserts.get("source_relations")
            or ("sources", "source_relations") in self.families
            or any("retracted_at" in row for row in self.changes.get("sources", ()))
        ):
            run(self.session, "SELECT pg_advisory_xact_lock(hashtext('source_relations'))")
