"""What replicas and followers of the feed need to know about the history of commits."""

from datetime import datetime

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base


class FeedHorizon(Base):
    """Up to which moment the feed was settled on a timeline of the server, as last recorded.

    A server that is promoted or restored begins a new timeline. The row of the earlier one stays as
    it was replicated: up to its moment, both have the same history.
    """

    __tablename__ = "feed_horizons"
    __table_args__ = (Index(None, "settled", "timeline"),)

    timeline: Mapped[str] = mapped_column(primary_key=True)
    settled: Mapped[datetime]
