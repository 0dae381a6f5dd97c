"""Merges of entities, and the changes that they made, so that a merge can be undone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import MergeChange
from hksz_db.models.base import Base, IdMixin, one_of


class EntityMerge(IdMixin, Base):
    """A merge of an entity into another; it is active until it is undone."""

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
    # The label of the API key that merged them, or the database role without one.
    merged_by: Mapped[str] = mapped_column(
        server_default=text(
            "COALESCE(NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text)"
        )
    )
    undone_at: Mapped[datetime | None]


class EntityMergeMove(IdMixin, Base):
    """A change that a merge made to a row.

    ``moved``: ``column_name`` of the row referred to the merged entity, and now refers to the
    other. ``copied``: the row was created. ``dropped``: the row, whose columns are in ``content``,
    was deleted because it would have duplicated the row ``kept_id`` or referred to itself.
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
