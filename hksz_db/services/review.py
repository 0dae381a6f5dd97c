"""Review: who may move a claim or a piece of evidence from which status to which.

Authors submit rows and take them back. Only keys with the scope ``review`` can accept, reject or
send back rows, and change accepted ones. With four eyes, no key can accept what it has written.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from hksz_db.database import Session, run
from hksz_db.domain.errors import Conflict, DomainError, Fault, Forbidden, Invalid
from hksz_db.domain.vocabulary import ClaimStatus, EvidenceStatus, Scope
from hksz_db.services.api_keys import Actor
from hksz_db.services.rows import Row

_DRAFT, _SUBMITTED, _ACCEPTED, _REJECTED, _RETRACTED = ClaimStatus
REVIEWED = frozenset({_ACCEPTED, _REJECTED})
_STEPS: Mapping[str, tuple[str, ...]] = {
    _DRAFT: (_SUBMITTED, _RETRACTED),
    _SUBMITTED: (_DRAFT, _ACCEPTED, _REJECTED, _RETRACTED),
    _ACCEPTED: (_DRAFT, _SUBMITTED, _REJECTED, _RETRACTED),
    _REJECTED: (_DRAFT, _SUBMITTED),
    _RETRACTED: (_DRAFT, _SUBMITTED),
}
_TERMS = {"claims": frozenset(ClaimStatus), "evidence": frozenset(EvidenceStatus)}
# A figure has no status of its own: that of its claim counts.
_STATUSES = {
    **{table: f"SELECT status FROM {table} WHERE id = $1" for table in _TERMS},
    "figures": "SELECT status FROM claims WHERE id = (SELECT claim_id FROM figures WHERE id = $1)",
}
_SINGULAR = {"claims": "claim", "evidence": "piece of evidence", "figures": "claim of the figure"}
# These columns change in a review, and are not content.
_REVIEW_COLUMNS = ["status", "review_note", "reviewed_by", "reviewed_at"]
# Every change of a part also makes a new version of its claim, in the same transaction.
_PARTS = {
    "claims": "".join(
        f" UNION SELECT '{part}', id FROM {schema}{part} WHERE claim_id = images.id"
        for part in ("figures", "evidence")
        for schema in ("", "past.")
    ),
    "evidence": "",
}
_WRITERS = """
    WITH images AS (
        SELECT id, version, status, written_in FROM {table} WHERE id = ANY ($1)
        UNION ALL
        SELECT id, version, status, written_in FROM past.{table} WHERE id = ANY ($1)
    ), reviewed AS (
        SELECT id, max(version) FILTER (
            WHERE status = $2 AND written_in <> current_transaction()
        ) AS version
        FROM images GROUP BY id
    )
    SELECT reviewed.id, reviewed.version IS NOT NULL, ARRAY(
        SELECT DISTINCT actor
        FROM images
            CROSS JOIN LATERAL (SELECT '{table}', images.id{parts}) AS part (resource, id)
            JOIN changes ON transaction_id = written_in
                AND changes.resource = part.resource AND resource_id = part.id
                -- The counts follow from the evidence.
                AND table_name <> 'corroborations'
            JOIN transactions ON transactions.id = written_in
        WHERE images.id = reviewed.id
            AND (reviewed.version IS NULL OR images.version > reviewed.version)
            AND (operation <> 'update' OR NOT changed <@ $3)
    )
    FROM reviewed
"""


class Move(NamedTuple):
    """A row that was written, with its status before and after.

    For a figure it is the status of its claim. ``before`` is ``None`` for a new row, which was
    checked before it was written; ``noted`` is whether a review note was given.
    """

    table: str
    id: UUID
    pointer: str
    before: str | None
    after: str
    noted: bool = False


class Writers(NamedTuple):
    """The keys that have written content of a row since it last had a status, if it ever had."""

    had_status: bool
    keys: Sequence[str]


@dataclass(frozen=True)
class ReviewRules:
    """What a key may do: its label, whether it may review, and whether four eyes are needed."""

    key: str
    may_review: bool
    four_eyes: bool

    @classmethod
    def of(cls, actor: Actor, *, four_eyes: bool) -> "ReviewRules":
        """The rules for the key of a request."""
        return cls(actor.label, actor.has(Scope.REVIEW), four_eyes)

    def is_barred(self, authors: Collection[str]) -> bool:
        """Whether four eyes forbid the key to accept what these keys have written."""
        return self.four_eyes and self.key in authors

    def check_given(self, fields: Row, pointer: str, *, is_new: bool) -> None:
        """Check what a row is given before it is written. Raises ``Forbidden`` or ``Invalid``."""
        status, noted = fields.get("status"), "review_note" in fields
        if status in REVIEWED or noted:
            self._demand_scope()
        if is_new and noted and status not in REVIEWED:
            raise _misplaced_note(pointer)
        if is_new and self.four_eyes and status == _ACCEPTED:
            raise _one_pair_of_eyes(
                "A key cannot accept what it has written: create the row as submitted, and let"
                " another key with the scope review accept it.",
                pointer,
            )

    def refusals(
        self, session: Session, tasks: Mapping[int, Sequence[Move]]
    ) -> dict[int, DomainError]:
        """The errors of the tasks, by number, whose moves are not allowed.

        Called when the rows are locked and written, so that no one else changes them meanwhile.
        """
        moves = [move for written in tasks.values() for move in written]
        unseen = _writers(session, filter(self._needs_other_eyes, moves), _ACCEPTED)
        revised = _writers(session, filter(self._needs_change, moves), _REJECTED)
        errors: dict[int, DomainError] = {}
        for number, written in tasks.items():
            try:
                for move in written:
                    self._check(move, unseen.get(move.id), revised.get(move.id))
            except DomainError as error:
                errors[number] = error
        return errors

    def _needs_other_eyes(self, move: Move) -> bool:
        return self.four_eyes and move.before not in {None, _ACCEPTED} and move.after == _ACCEPTED

    def _needs_change(self, move: Move) -> bool:
        resubmitted = move.before in {_DRAFT, _REJECTED} and move.after == _SUBMITTED
        return resubmitted and not self.may_review and move.table in _TERMS

    def _check(self, move: Move, unseen: Writers | None, revised: Writers | None) -> None:
        before, after = move.before, move.after
        if before is None:
            return
        if before == after:
            self.check_unmoved(move.table, before)
        elif move.table in _TERMS:
            _check_step(move)
        if move.noted and not _is_review(before, after):
            raise _misplaced_note(move.pointer)
        if before != after and _ACCEPTED in {before, after}:
            self._demand_scope()
        if unseen and self.is_barred(unseen.keys):
            raise _one_pair_of_eyes(
                f"A key cannot accept what it has written, and {self.key!r} has written some of"
                " this since it was last accepted: another key with the scope review has to accept"
                " it.",
                move.pointer,
            )
        if revised and revised.had_status and not revised.keys:
            raise Conflict(
                "A rejected row can be submitted again once it has been changed.",
                [Fault("unchanged", "Change the row first.", f"{move.pointer}/status")],
            )

    def check_unmoved(self, table: str, status: str) -> None:
        """Check a change of a row that keeps its status. Raises ``Forbidden``."""
        if status == _REJECTED and not self.may_review:
            raise Forbidden(
                f"The {_SINGULAR[table]} is rejected: set its status to draft or submitted to"
                f" change it. The key {self.key!r} lacks the scope {Scope.REVIEW}."
            )
        if status == _ACCEPTED:
            self._demand_scope()
            if self.four_eyes:
                raise _one_pair_of_eyes(
                    f"The {_SINGULAR[table]} is accepted: set its status to submitted to change"
                    " it, and let another key with the scope review accept it again.",
                    "#",
                )

    def _demand_scope(self) -> None:
        if not self.may_review:
            raise Forbidden(f"The key {self.key!r} lacks the scope {Scope.REVIEW}.")


def _check_step(move: Move) -> None:
    """Raise ``Conflict`` if the status cannot become the other, naming those that it can become."""
    terms = [term for term in _STEPS[str(move.before)] if term in _TERMS[move.table]]
    if move.after not in terms:
        known = " or ".join(filter(None, (", ".join(terms[:-1]), terms[-1])))
        detail = (
            f"A {_SINGULAR[move.table]} that is {move.before} can become {known}, not {move.after}."
        )
        fault = Fault("transition", detail, f"{move.pointer}/status")
        raise Conflict("The status cannot be changed in this way.", [fault])


def _is_review(before: str, after: str) -> bool:
    return before != after and (after in REVIEWED or before in {_SUBMITTED, _ACCEPTED})


def _misplaced_note(pointer: str) -> DomainError:
    detail = (
        "A note goes with a review: with the status accepted or rejected, or with the status draft"
        " when a submitted row is sent back."
    )
    fault = Fault("misplaced", detail, f"{pointer}/review_note")
    return Invalid("The note belongs to no review.", [fault])


def _one_pair_of_eyes(detail: str, pointer: str) -> DomainError:
    return Forbidden(detail, [Fault("four_eyes", detail, f"{pointer}/status")])


def _writers(session: Session, moves: Iterator[Move], status: str) -> dict[UUID, Writers]:
    """Who has written content of the rows, or of their parts, since they last had the status."""
    ids: dict[str, list[UUID]] = defaultdict(list)
    for move in moves:
        ids[move.table].append(move.id)
    return {
        id: Writers(had_status, keys)
        for table, wanted in ids.items()
        for id, had_status, keys in run(
            session,
            _WRITERS.format(table=table, parts=_PARTS[table]),
            wanted,
            status,
            _REVIEW_COLUMNS,
        )
    }


def writers_since_accepted(
    session: Session, resource: str, ids: Iterable[UUID]
) -> dict[UUID, Sequence[str]]:
    """The labels of the keys that have written content of rows since each was last accepted."""
    moves = (Move(resource, id, "#", None, _ACCEPTED) for id in ids)
    return {id: writers.keys for id, writers in _writers(session, moves, _ACCEPTED).items()}


@contextmanager
def reviewing(session: Session, rules: ReviewRules, resource: str, id: UUID) -> Iterator[None]:
    """Raise ``Forbidden`` if the row that the block deletes or restores may not be changed.

    It is checked before, and again when the write has locked the row, because it may have been
    accepted or rejected meanwhile. With four eyes, accepted rows can be deleted, but figures of
    accepted claims cannot.
    """
    _check_stored(session, rules, resource, id)
    yield
    _check_stored(session, rules, resource, id)


def _check_stored(session: Session, rules: ReviewRules, resource: str, id: UUID) -> None:
    statuses: Collection[str] = ()
    if resource in _STATUSES:
        statuses = [row[0] for row in run(session, _STATUSES[resource], id)]
    for status in statuses:
        if resource == "figures":
            rules.check_unmoved(resource, status)
        elif status in REVIEWED and not rules.may_review:
            raise Forbidden(f"The key {rules.key!r} lacks the scope {Scope.REVIEW}.")
