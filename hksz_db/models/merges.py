"""Merges of rows that are the same, and what each merge changed, so that it can be undone."""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.schema import SchemaItem

from hksz_db.domain.vocabulary import MergeChange
from hksz_db.models.base import ACTOR, Base, IdMixin, one_of


class MergeMixin(IdMixin):
    """A merge of a row into another; it is active until it is undone.

    The column with the id of the merged row is named after its resource.
    """

    __tablename__: str
    __table_args__: tuple[SchemaItem, ...]
    merged_at: Mapped[datetime] = mapped_column(server_default=func.now(), sort_order=1)
    merged_by: Mapped[str] = mapped_column(server_default=ACTOR, sort_order=1)
    undone_at: Mapped[datetime | None] = mapped_column(sort_order=1)

    def __init_subclass__(cls, **options: Any) -> None:
        """Add the constraints and indexes of every table of merges."""
        merged = f"{cls.__tablename__.removesuffix('_merges')}_id"
        cls.__table_args__ = (
            CheckConstraint(f"{merged} <> into_id", name="not_itself"),
            Index(
                f"{cls.__tablename__}_standing_idx",
                merged,
                unique=True,
                postgresql_where="undone_at IS NULL",
            ),
            Index(None, "into_id"),
        )
        super().__init_subclass__(**options)


class MergeMoveMixin(IdMixin):
    """A change that a merge made to a row.

    ``moved``: ``column_name`` of the row referred to the merged row, and now refers to the other
    one, or to the duplicate that was kept. ``copied``: the row was created. ``dropped``: the row,
    whose columns are in ``content``, was removed because it would have duplicated the row
    ``kept_id`` or referred to itself. ``deleted``: the row was marked as deleted because it would
    have duplicated the row ``kept_id``.
    """

    __table_args__: tuple[SchemaItem, ...]
    change: Mapped[str] = mapped_column(sort_order=1)
    table_name: Mapped[str] = mapped_column(sort_order=1)
    column_name: Mapped[str] = mapped_column(sort_order=1)
    row_id: Mapped[UUID] = mapped_column(sort_order=1)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True), sort_order=1)
    kept_id: Mapped[UUID | None] = mapped_column(sort_order=1)

    def __init_subclass__(cls, **options: Any) -> None:
        """Add the constraints and indexes of every table of changes by merges."""
        cls.__table_args__ = (
            one_of("change", MergeChange),
            CheckConstraint("(change = 'dropped') = (content IS NOT NULL)", name="content"),
            CheckConstraint("kept_id IS NULL OR change IN ('dropped', 'deleted')", name="kept"),
            Index(None, "merge_id"),
            Index(None, "row_id"),
            Index(None, "kept_id"),
        )
        super().__init_subclass__(**options)


class EntityMerge(MergeMixin, Base):
    """A merge of an entity into another; it is active until it is undone."""

    __tablename__ = "entity_merges"
    entity_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    into_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))


class EntityMergeMove(MergeMoveMixin, Base):
    """A change that a merge of entities made to a row; names are copied."""

    __tablename__ = "entity_merge_moves"
    merge_id: Mapped[UUID] = mapped_column(ForeignKey("entity_merges.id", ondelete="CASCADE"))


class SourceMerge(MergeMixin, Base):
    """A merge of a source into another; it is active until it is undone."""

    __tablename__ = "source_merges"
    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    into_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))


class SourceMergeMove(MergeMoveMixin, Base):
    """A change that a merge of sources made to a row."""

    __tablename__ = "source_merge_moves"
    merge_id: Mapped[UUID] = mapped_column(ForeignKey("source_merges.id", ondelete="CASCADE"))


class ClaimMerge(MergeMixin, Base):
    """A merge of a claim into another; it is active until it is undone."""

    __tablename__ = "claim_merges"
    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))
    into_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))


class ClaimMergeMove(MergeMoveMixin, Base):
    """A change that a merge of claims made to a row."""

    __tablename__ = "claim_merge_moves"
    merge_id: Mapped[UUID] = mapped_column(ForeignKey("claim_merges.id", ondelete="CASCADE"))
