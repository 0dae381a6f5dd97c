"""Sources: works, with their contributors, captured copies and relations."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import ContributorRole, CslType, Normalization, SourceRelationKind
from hksz_db.models.base import (
    Base,
    IdMixin,
    ResourceMixin,
    SearchMixin,
    dated,
    is_sha256,
    live_key,
    merged_rows,
    not_blank,
    one_of,
    trigram_index,
)


class Source(SearchMixin, ResourceMixin, Base):
    """A work: an article, a press release, a report.

    ``canonical_url`` follows from ``url`` (``hksz_db/domain/urls.py``). It is null in a source that
    is older than the rule, if another source has it. A source that was merged into another is
    deleted and has that other in ``redirect_to``.
    """

    __tablename__ = "sources"
    __table_args__ = (
        one_of("csl_type", CslType),
        not_blank("title"),
        *dated("issued"),
        Index("sources_search_idx", "search", postgresql_using="gin"),
        Index("sources_issued_asc_idx", text("lower(issued)"), "id"),
        Index("sources_title_id_idx", "title", "id"),
        Index("sources_title_hash_idx", text("title_hash(title)"), "id"),
        live_key("sources", "canonical_url", or_merged=True),
        trigram_index("sources", "title"),
        Index("sources_issued_idx", "issued", postgresql_using="gist"),
        *merged_rows(),
    )

    csl_type: Mapped[str]
    title: Mapped[str]
    title_supplied: Mapped[bool] = mapped_column(server_default=text("false"))
    container_title: Mapped[str | None]
    publisher_place: Mapped[str | None]
    url: Mapped[str | None]
    canonical_url: Mapped[str | None]
    doi: Mapped[str | None] = mapped_column(unique=True)
    language: Mapped[str | None]
    issued_edtf: Mapped[str | None]
    issued: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    issued_note: Mapped[str | None]
    rights: Mapped[str | None]
    retracted_at: Mapped[datetime | None]
    redirect_to: Mapped[UUID | None] = mapped_column(ForeignKey("sources.id"), sort_order=1)


class UnfilledUrl(Base):
    """A source that is older than the rules for its canonical URL, which is computed later.

    ``taken_by`` is the source that has its canonical URL, because they may be the same.
    """

    __tablename__ = "unfilled_urls"

    source_id: Mapped[UUID] = mapped_column(primary_key=True)
    taken_by: Mapped[UUID | None] = mapped_column(index=True)


class SourceContributor(IdMixin, Base):
    """A contributor to a source: the entity, and the credit as printed (``credited_*``)."""

    __tablename__ = "source_contributors"
    __table_args__ = (
        one_of("role", ContributorRole),
        UniqueConstraint("source_id", "entity_id", "role"),
        Index("source_contributors_entity_id_source_id_idx", "entity_id", "source_id"),
    )

    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    entity_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id"))
    role: Mapped[str]
    credited_name: Mapped[str | None]
    credited_as: Mapped[str | None]
    ordinal: Mapped[int]


class SourceCapture(IdMixin, Base):
    """A copy of a source that was captured: its length and its hash, never its text."""

    __tablename__ = "source_captures"
    __table_args__ = (
        one_of("normalization", Normalization),
        is_sha256("text_sha256"),
        CheckConstraint("char_length > 0", name="char_length"),
        UniqueConstraint("source_id", "text_sha256"),
        Index(None, "text_sha256"),
        UniqueConstraint("id", "source_id"),
    )

    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    retrieved_at: Mapped[datetime | None]
    archive_url: Mapped[str | None]
    media_type: Mapped[str | None]
    normalization: Mapped[str]
    char_length: Mapped[int]
    text_sha256: Mapped[str]


class SourceRelation(IdMixin, Base):
    """A relation of a source to one that it rests on; the relations have no cycle."""

    __tablename__ = "source_relations"
    __table_args__ = (
        one_of("kind", SourceRelationKind),
        UniqueConstraint("from_id", "to_id", "kind"),
        CheckConstraint("from_id <> to_id", name="not_itself"),
        Index(None, "to_id"),
    )

    from_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id"))
    kind: Mapped[str]
