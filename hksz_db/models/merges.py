"""Merges: which entity was found to be another, and what was changed by that, to be undone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import MergeChange
from hksz_db.models.base import Base, Identified, one_of


class EntityMerge(Identified, Base):
    """One entity went into another; it stands until it is undone."""

    __tablename__ = "entity_merges"
    __table_args__ = (
        CheckConstraint("entity_id <> into_id", name="not_itself"),
        Index(
            "entity_merges_standing_idx",
            "entity_id",
            unique=True,
            postgresql_where="undone_at IS NULL",
        ),
        Index(None, "into_id"),
    )

    entity_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    into_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    merged_at: Mapped[datetime] = mapped_column(server_default=func.now())
    # The label of the key that merged them, or the database role where no key did.
    merged_by: Mapped[str] = mapped_column(
        server_default=text(
            "COALESCE(NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text)"
        )
    )
    undone_at: Mapped[datetime | None]


class EntityMergeMove(Identified, Base):
    """What a merge did to one row.

    ``moved``: ``column_name`` of the row led to the one entity, and now to the other. ``copied``:
    the row was made. ``dropped``: the row, which was ``content``, would have been there twice,
    beside ``kept_id``, or have led to itself.
    """

    __tablename__ = "entity_merge_moves"
    __table_args__ = (
        one_of("change", MergeChange),
        CheckConstraint("(change = 'dropped') = (content IS NOT NULL)", name="content"),
        CheckConstraint("kept_id IS NULL OR change = 'dropped'", name="kept"),
        Index(None, "merge_id"),
        Index(None, "row_id"),
        Index(None, "kept_id"),
    )

    merge_id: Mapped[UUID] = mapped_column(ForeignKey("entity_merges.id", ondelete="CASCADE"))
    change: Mapped[str]
    table_name: Mapped[str]
    column_name: Mapped[str]
    row_id: Mapped[UUID]
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    kept_id: Mapped[UUID | None]
