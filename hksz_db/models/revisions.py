"""The revisions of the code that work with the schema."""

from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.models.base import Base


class KnownRevision(Base):
    """A revision whose code works with this schema: the schema's own, or an earlier one.

    The migrations write it (``migrations/env.py``), so that code that is older than the schema can
    tell whether it still works.
    """

    __tablename__ = "known_revisions"

    revision: Mapped[str] = mapped_column(primary_key=True)
