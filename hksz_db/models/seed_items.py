"""Seed items: the entries of the data files that have been loaded, with their hashes."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base, HistoryMixin, is_sha256


class SeedItem(HistoryMixin, Base):
    """An entry of a seed file as it was last loaded.

    An entry is loaded again only if its hash in the file has changed, so that later changes through
    the API are not overwritten at the next start.
    """

    __tablename__ = "seed_items"
    __table_args__ = (is_sha256("content_sha256"),)

    file: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    content_sha256: Mapped[str]
    loaded_at: Mapped[datetime] = mapped_column(server_default=func.now())
