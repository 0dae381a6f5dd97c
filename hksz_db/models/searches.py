"""The queue of searches: rows whose words are to be renewed."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Text, Uuid, func, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base


class StaleSearch(Base):
    """Rows whose search words must be computed again.

    These are the claims whose claimant is an entity or that are linked to it, the claims
    ``claim_ids``, or all rows of the table ``resource``. They are renewed in the order of their
    ids; ``done_to`` is the last that was. If ``waits_for`` is null, they are renewed once more when
    every transaction before that number has ended. A renewal that failed is tried again at
    ``retry_at``.
    """

    __tablename__ = "stale_searches"
    __table_args__ = (CheckConstraint("num_nonnulls(entity_id, claim_ids) <= 1", name="what"),)

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True, server_default=func.uuidv7())
    resource: Mapped[str] = mapped_column(Text)
    entity_id: Mapped[UUID | None]
    claim_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    waits_for: Mapped[int | None] = mapped_column(BigInteger)
    done_to: Mapped[UUID] = mapped_column(server_default=text(f"'{UUID(int=0)}'"))
    retry_at: Mapped[datetime | None]
