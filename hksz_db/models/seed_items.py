"""Seed items: which entries of which data files were loaded, and in which state."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base, Kept, is_sha256


class SeedItem(Kept, Base):
    """One entry of a seed file as it was last loaded.

    An entry is loaded again only when the file's has another hash, so that what was changed
    through the API since is not overwritten at the next start.
    """

    __tablename__ = "seed_items"
    __table_args__ = (is_sha256("content_sha256"),)

    file: Mapped[str] = mapped_column(primary_key=True)
    external_id: Mapped[str] = mapped_column(primary_key=True)
    content_sha256: Mapped[str]
    loaded_at: Mapped[datetime] = mapped_column(server_default=func.now())
