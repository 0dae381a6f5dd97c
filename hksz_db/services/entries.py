"""Entries: one row each that is to be made or changed, together with many others."""

from dataclasses import dataclass, field
from itertools import chain
from uuid import UUID

from hksz_db.domain.errors import Conflict, DomainError, Fault, FaultsError, Invalid
from hksz_db.queries.pages import RESOURCES
from hksz_db.services.dependants import wholes_of
from hksz_db.services.references import Reference, Resolved, references_in
from hksz_db.services.rows import Row, chosen
from hksz_db.services.writers import Writer


@dataclass
class Entry:
    """A row to be made, or to be changed where its ``id`` is given.

    ``fields`` are as a schema loaded them, and are used up; ``pointer`` is where they stand in
    the item. A row that is there has its ``before``, and ``status`` is under which it stands.
    """

    kind: Writer
    fields: Row
    pointer: str = "#"
    id: UUID | None = None
    is_new: bool = field(init=False)
    status: str | None = field(init=False, default=None)
    before: Row = field(init=False, default_factory=dict)
    references: list[Reference] = field(init=False)

    def __post_init__(self) -> None:
        self.is_new = self.id is None
        self.references = references_in(self.fields, self.kind.shape)

    @property
    def key(self) -> UUID:
        """The id, which a new row has as soon as it was given one."""
        assert self.id is not None
        return self.id

    @property
    def place(self) -> tuple[str, UUID]:
        """The table and the id."""
        return self.kind.table, self.key

    @property
    def whole(self) -> UUID | None:
        """The claim that the row is a part of."""
        if not wholes_of(self.kind.table):
            return None
        claim_id: UUID = (self.fields if self.is_new else self.before)["claim_id"]
        return claim_id

    def nested(self) -> list[Row]:
        """The fields of the rows that are given with it."""
        return list(chain.from_iterable(self.fields.get(name, ()) for name in self.kind.parts))

    def statuses(self) -> frozenset[str]:
        """The statuses that it gives."""
        given = (self.fields, *self.nested())
        return frozenset(fields["status"] for fields in given if "status" in fields)

    def measured(self) -> list[Reference]:
        """What the meaning of a figure that is there comes to rest on, given anew or not."""
        if self.is_new or not self.kind.shape.unit_code:
            return []
        measured = chosen({**self.before, **self.fields}, "metric_id", "unit_code")
        return references_in(measured, self.kind.shape)

    def announce(self, known: Resolved) -> None:
        """Let those that follow refer to the new row by name, and to what is given with it."""
        if name := self.fields.get("external_id"):
            known.announce(self.kind.table, name, self.key)
        for field_name, part in self.kind.parts.items():
            for fields in self.fields.get(field_name, ()):
                if name := fields.get("external_id"):
                    known.announce(part.table, name, fields["id"])

    def take(self, before: Row | None) -> None:
        """Take what is stored. Raises ``Conflict`` when nothing is; ``Invalid`` as it must stay."""
        if before is None:
            singular = RESOURCES[self.kind.table].singular
            raise Conflict(f"The {singular} {self.id} was deleted meanwhile.")
        self.before = before
        settled = chosen(before, *self.kind.fixed)
        faults = [
            Fault(
                "fixed",
                f"This field cannot be changed after creation (current value: {value}).",
                self._pointer_to(name),
            )
            for name, value in settled.items()
            if self.fields.get(name, value) != value
        ]
        if faults:
            raise Invalid("Some fields cannot be changed after creation.", faults)
        self.fields |= settled

    def _pointer_to(self, target: str) -> str:
        given = {reference.target: reference.pointer for reference in self.references}
        return given.get(target, f"#/{target}")


def within(error: DomainError, pointer: str) -> DomainError:
    """The error with pointers into the item, in which the row stands at ``pointer``."""
    if pointer == "#" or not isinstance(error, FaultsError):
        return error
    return type(error)(error.detail, [fault.within(pointer) for fault in error.faults])
