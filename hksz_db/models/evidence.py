"""Evidence: passages of sources and their stance on a claim."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, ForeignKeyConstraint, Index, text
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.domain.vocabulary import Directness, EvidenceStatus, Interest, Stance
from hksz_db.models.base import ACTOR, Base, ResourceMixin, is_sha256, one_of, relative


class Evidence(ResourceMixin, Base):
    """A passage and its stance; its locator is complete or absent, and holds no text.

    A second locator, in the loose form of the text, is complete or absent, too.
    ``attributed_to_id`` is set if the passage only reports what that entity said. ``said`` is when
    it was said, and may be relative to the date of a source. ``rating_as_stated`` is the rating
    that a fact check gives to the claim.
    """

    __tablename__ = "evidence"
    __table_args__ = (
        one_of("stance", Stance),
        one_of("directness", Directness),
        one_of("interest", Interest),
        one_of("status", EvidenceStatus),
        *(is_sha256(column) for column in (*LOCATOR[2:], *LOOSE_LOCATOR[2:])),
        CheckConstraint(f"num_nulls({', '.join(LOCATOR)}) = ANY ('{{0,5}}')", name="locator_whole"),
        CheckConstraint("0 <= start_char AND start_char < end_char", name="span"),
        CheckConstraint(
            f"num_nulls({', '.join(LOOSE_LOCATOR)}) = ANY ('{{0,5}}')", name="loose_locator_whole"
        ),
        CheckConstraint(
            "0 <= loose_start_char AND loose_start_char < loose_end_char", name="loose_span"
        ),
        CheckConstraint(
            "loose_start_char IS NULL OR start_char IS NOT NULL", name="loose_locator_with_exact"
        ),
        CheckConstraint("derived_from_id <> id", name="not_itself"),
        *relative("said"),
        # A merge of sources moves captures and evidence one after the other.
        ForeignKeyConstraint(
            ["capture_id", "source_id"],
            ["source_captures.id", "source_captures.source_id"],
            deferrable=True,
        ),
        # With the status, for counts of claims, which then read no evidence.
        Index(
            "evidence_of_claim_idx",
            "claim_id",
            "id",
            postgresql_include=["status", "deleted_at"],
        ),
        Index("evidence_source_id_claim_id_idx", "source_id", "claim_id"),
        Index(None, "capture_id"),
        # For counts and aggregates, too, which then read no evidence.
        Index(
            "evidence_terms_idx",
            "status",
            "stance",
            "directness",
            "interest",
            "added_by",
            "deleted_at",
        ),
        Index(None, "derived_from_id"),
        Index(
            "evidence_start_char_id_idx",
            "start_char",
            "id",
            postgresql_where=text("start_char IS NOT NULL"),
        ),
        Index("evidence_attributed_to_id_claim_id_idx", "attributed_to_id", "claim_id"),
        Index(
            "evidence_once_idx",
            "claim_id",
            "source_id",
            "stance",
            "start_char",
            "end_char",
            "page",
            unique=True,
            postgresql_nulls_not_distinct=True,
            postgresql_where="deleted_at IS NULL",
        ),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"))
    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id"))
    capture_id: Mapped[UUID | None]
    stance: Mapped[str]
    directness: Mapped[str | None]
    interest: Mapped[str | None]
    derived_from_id: Mapped[UUID | None] = mapped_column(ForeignKey("evidence.id"))
    start_char: Mapped[int | None]
    end_char: Mapped[int | None]
    exact_sha256: Mapped[str | None]
    prefix_sha256: Mapped[str | None]
    suffix_sha256: Mapped[str | None]
    page: Mapped[str | None]
    note: Mapped[str | None]
    status: Mapped[str] = mapped_column(server_default=text("'submitted'"))
    review_note: Mapped[str | None] = mapped_column(sort_order=1)
    reviewed_by: Mapped[str | None] = mapped_column(sort_order=1)
    reviewed_at: Mapped[datetime | None] = mapped_column(sort_order=1)
    added_by: Mapped[str] = mapped_column(server_default=ACTOR)
    attributed_to_id: Mapped[UUID | None] = mapped_column(ForeignKey("entities.id"), sort_order=1)
    said_edtf: Mapped[str | None] = mapped_column(sort_order=1)
    said: Mapped[Range[date] | None] = mapped_column(DATERANGE, sort_order=1)
    said_anchor_id: Mapped[UUID | None] = mapped_column(ForeignKey("sources.id"), sort_order=1)
    said_duration: Mapped[str | None] = mapped_column(sort_order=1)
    said_modifier: Mapped[str | None] = mapped_column(sort_order=1)
    loose_start_char: Mapped[int | None] = mapped_column(sort_order=1)
    loose_end_char: Mapped[int | None] = mapped_column(sort_order=1)
    loose_exact_sha256: Mapped[str | None] = mapped_column(sort_order=1)
    loose_prefix_sha256: Mapped[str | None] = mapped_column(sort_order=1)
    loose_suffix_sha256: Mapped[str | None] = mapped_column(sort_order=1)
    rating_as_stated: Mapped[str | None] = mapped_column(sort_order=1)
