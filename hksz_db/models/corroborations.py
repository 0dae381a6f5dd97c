"""Corroborations: the number of independent origins of each claim.

Triggers recount the claims that a write affects, in the same transaction.
"""

from uuid import UUID

from sqlalchemy import CheckConstraint, Computed, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import CorroborationVerdict
from hksz_db.models.base import Base, HistoryMixin, one_of

_VERDICT = """CASE
    WHEN origins_for > 0 AND origins_against > 0 THEN 'disputed'
    WHEN origins_against > 0 THEN 'refuted'
    WHEN origins_for > 1 THEN 'corroborated'
    WHEN origins_for = 1 THEN 'single_origin'
    ELSE 'unsupported'
END"""
_ZERO = text("0")


class Corroboration(HistoryMixin, Base):
    """The numbers of sources and origins for and against a claim, and the verdict."""

    __tablename__ = "corroborations"
    __table_args__ = (
        one_of("verdict", CorroborationVerdict),
        CheckConstraint("0 <= origins_for AND origins_for <= sources_for", name="origins_for"),
        CheckConstraint(
            "0 <= origins_against AND origins_against <= sources_against", name="origins_against"
        ),
        Index("corroborations_verdict_claim_id_idx", "verdict", "claim_id"),
        Index("corroborations_origins_for_claim_id_idx", "origins_for", "claim_id"),
        Index("corroborations_origins_against_claim_id_idx", "origins_against", "claim_id"),
    )

    claim_id: Mapped[UUID] = mapped_column(
        ForeignKey("claims.id", ondelete="CASCADE"), primary_key=True
    )
    sources_for: Mapped[int] = mapped_column(server_default=_ZERO)
    origins_for: Mapped[int] = mapped_column(server_default=_ZERO)
    sources_against: Mapped[int] = mapped_column(server_default=_ZERO)
    origins_against: Mapped[int] = mapped_column(server_default=_ZERO)
    verdict: Mapped[str] = mapped_column(Computed(_VERDICT, persisted=True))
