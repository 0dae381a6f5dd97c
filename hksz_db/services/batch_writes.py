"""Writing a batch that was made ready, a statement for each table."""

from collections.abc import Callable, Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.domain.errors import DomainError
from hksz_db.services import dates
from hksz_db.services.batches import Batch
from hksz_db.services.entries import Entry
from hksz_db.services.rows import change_all, insert, replace_children, touch_all

Ids = Mapping[str, set[UUID]]


class Refused(Exception):
    """What the database would take and the rules do not, by the number of the task."""

    def __init__(self, errors: Mapping[int, DomainError]) -> None:
        super().__init__(errors)
        self.errors = errors


def write_batch(session: Session, batch: Batch) -> Mapping[int, bool]:
    """Write everything; for each task whether anything differed.

    Raises ``Refused``, or what the database refuses; nothing may be kept then.
    """
    if batch.inserts:
        insert(session, batch.inserts)
    changed = {table: change_all(session, table, rows) for table, rows in batch.changes.items()}
    differing = {table: set(ids) for table, ids in changed.items()}
    for (owner, _), families in batch.families.items():
        differing[owner] |= replace_children(session, families)
    for entry in batch.entries():
        if entry.is_new:
            differing.setdefault(entry.kind.table, set()).add(entry.key)
    _reckon_again(session, batch, changed.get("sources", set()))
    _check_review(batch, differing)
    _touch(session, batch, changed, differing)
    return {
        number: any(_differs(entry, differing) for entry in entries)
        for number, entries in batch.tasks.items()
    }


def _differs(entry: Entry, differing: Ids) -> bool:
    return entry.key in differing.get(entry.kind.table, ())


def _reckon_again(session: Session, batch: Batch, changed: set[UUID]) -> None:
    issued = {
        entry.key: entry.fields["issued_edtf"]
        for entry in batch.entries()
        if entry.key in changed and "issued_edtf" in entry.fields
    }
    anchors = dates.anchors_among(session, issued) if issued else []
    errors: dict[UUID, DomainError] = {}
    for source_id in anchors:
        try:
            dates.reckon_again(session, source_id, issued[source_id])
        except DomainError as error:
            errors[source_id] = error

    def check(entry: Entry) -> None:
        if entry.key in errors:
            raise errors[entry.key]

    _check(batch, check)


def _check_review(batch: Batch, differing: Ids) -> None:
    def check(entry: Entry) -> None:
        if entry.status and _differs(entry, differing):
            batch.allowed({entry.status})

    _check(batch, check)


def _check(batch: Batch, check: Callable[[Entry], None]) -> None:
    errors: dict[int, DomainError] = {}
    for number, entries in batch.tasks.items():
        try:
            for entry in entries:
                check(entry)
        except DomainError as error:
            errors[number] = error
    if errors:
        raise Refused(errors)


def _touch(session: Session, batch: Batch, changed: Ids, differing: Ids) -> None:
    """Count the changes of lists and parts as changes of what they belong to, once for each."""
    touched = {owner: set(differing[owner]) for owner, _ in batch.families}
    for entry in batch.entries():
        if entry.whole and _differs(entry, differing):
            touched.setdefault("claims", set()).add(entry.whole)
    new = {entry.key for entry in batch.entries() if entry.is_new}
    for table, ids in touched.items():
        if ids := ids - changed.get(table, set()) - new:
            touch_all(session, table, ids)
