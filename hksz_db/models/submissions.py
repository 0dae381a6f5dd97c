"""Submissions: what waits for a review."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import Index, Text, Uuid, func
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base


class Submission(Base):
    """A submitted claim or piece of evidence that is not deleted; triggers maintain it.

    ``id`` is that of the row, and ``resource`` the name of its table. A foreign key could only
    lead to one of the two. ``likely_same`` is whether another claim is likely the same; null means
    that it has not been searched since the claim was changed.
    """

    __tablename__ = "submissions"
    __table_args__ = (
        Index("submissions_submitted_at_id_idx", "submitted_at", "id"),
        Index(
            "submissions_claims_idx",
            "submitted_at",
            "id",
            postgresql_where="resource = 'claims'",
        ),
        Index(
            "submissions_likely_same_idx",
            "submitted_at",
            "id",
            postgresql_where="likely_same IS NOT FALSE",
        ),
        # For the search in the background, to which the others would show everything that waits.
        Index(
            "submissions_unsearched_idx",
            "submitted_at",
            "id",
            postgresql_where="likely_same IS NULL",
        ),
    )

    id: Mapped[UUID] = mapped_column(Uuid, primary_key=True)
    resource: Mapped[str] = mapped_column(Text)
    submitted_at: Mapped[datetime] = mapped_column(server_default=func.now())
    likely_same: Mapped[bool | None]
