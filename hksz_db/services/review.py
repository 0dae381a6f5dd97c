"""Review: accepted and rejected rows can be changed only with the scope ``review``."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from sqlalchemy.orm import Session

from hksz_db.database import run
from hksz_db.domain.vocabulary import ClaimStatus, Scope
from hksz_db.services.api_keys import Actor

REVIEWED = frozenset({ClaimStatus.ACCEPTED, ClaimStatus.REJECTED})
# A figure has no status of its own: that of its claim counts.
_STATUSES = {
    "claims": "SELECT status FROM claims WHERE id = $1",
    "evidence": "SELECT status FROM evidence WHERE id = $1",
    "figures": "SELECT status FROM claims WHERE id = (SELECT claim_id FROM figures WHERE id = $1)",
}


def demand_review(session: Session, actor: Actor, resource: str, id: UUID) -> None:
    """Raise ``Forbidden`` if the row was reviewed and the key may not review."""
    sql = _STATUSES.get(resource)
    if sql and {row[0] for row in run(session, sql, id)} & REVIEWED:
        actor.demand(Scope.REVIEW)


@contextmanager
def reviewing(session: Session, actor: Actor, resource: str, id: UUID) -> Iterator[None]:
    """Raise ``Forbidden`` if the row that the block writes is reviewed and the key may not review.

    It is checked before, and again when the write has locked the row, because it may have been
    accepted or rejected meanwhile.
    """
    demand_review(session, actor, resource, id)
    yield
    if not actor.has(Scope.REVIEW):
        demand_review(session, actor, resource, id)


def demand_review_of_new(session: Session, actor: Actor, resource: str, id: UUID) -> None:
    """Raise ``Forbidden`` if the new row is part of a reviewed row and the key may not review.

    Evidence has a review of its own, so it can be added to reviewed claims.
    """
    if resource == "figures":
        demand_review(session, actor, resource, id)
