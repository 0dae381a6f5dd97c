"""Claims: who says what, about whom, and about which time.

Triggers keep the corroborations and the bands of claims, in the transaction of each write.
"""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, Range
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import (
    ClaimEntityRole,
    ClaimRelationKind,
    ClaimStatus,
    CorroborationVerdict,
    Modality,
    Translator,
)
from hksz_db.models.base import (
    FEW_VALUES,
    UNLIKE_OWNER,
    Base,
    HistoryMixin,
    IdMixin,
    ResourceMixin,
    SearchMixin,
    merged_rows,
    not_blank,
    one_of,
    relative,
    trigram_index,
)

TOPIC_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"


class Claim(SearchMixin, ResourceMixin, Base):
    """A statement in the words of the editors that can be true or false on its own.

    ``claimant_id`` asserts it, or somebody who is only known as ``claimant_as_stated`` ("an unnamed
    official"); ``reported_by_id`` is set if another entity reports that.
    ``reviewed_by`` and ``reviewed_at`` are those of the last review; a trigger sets them.
    ``time`` and ``due`` may be relative to the date of a source, their anchor.
    ``version`` also counts the changes to its figures, evidence and links. A claim that was merged
    into another is deleted and has that other in ``redirect_to``.
    """

    __tablename__ = "claims"
    __table_args__ = (
        not_blank("statement"),
        not_blank("claimant_as_stated"),
        CheckConstraint("num_nonnulls(claimant_id, claimant_as_stated) > 0", name="claimant"),
        one_of("modality", Modality),
        one_of("status", ClaimStatus),
        *relative("time"),
        *relative("due"),
        Index("claims_search_idx", "search", postgresql_using="gin"),
        Index("claims_time_idx", "time", postgresql_using="gist"),
        Index("claims_due_idx", "due", postgresql_using="gist"),
        Index(
            "claims_falling_due_idx",
            text("upper(due)"),
            postgresql_where=text("modality = 'planned' AND deleted_at IS NULL"),
        ),
        # For counts and aggregates, too, which then read no claim.
        Index("claims_terms_idx", "status", "modality", "language", "deleted_at"),
        Index("claims_time_asc_idx", text("lower(time)"), "id"),
        Index(
            "claims_due_asc_idx",
            text("lower(due)"),
            "id",
            postgresql_where=text("lower(due) IS NOT NULL"),
        ),
        trigram_index("claims", "statement"),
        Index("claims_claimant_id_id_idx", "claimant_id", "id"),
        Index(None, "reported_by_id"),
        *merged_rows(),
    )

    statement: Mapped[str]
    language: Mapped[str] = mapped_column(info={FEW_VALUES: True})
    claimant_id: Mapped[UUID | None] = mapped_column(ForeignKey("entities.id"))
    claimant_as_stated: Mapped[str | None]
    reported_by_id: Mapped[UUID | None] = mapped_column(ForeignKey("entities.id"))
    modality: Mapped[str]
    status: Mapped[str] = mapped_column(server_default=text("'submitted'"))
    review_note: Mapped[str | None] = mapped_column(sort_order=1)
    reviewed_by: Mapped[str | None] = mapped_column(sort_order=1)
    reviewed_at: Mapped[datetime | None] = mapped_column(sort_order=1)
    time_as_stated: Mapped[str | None]
    time_edtf: Mapped[str | None]
    time: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    due_edtf: Mapped[str | None]
    due: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    time_anchor_id: Mapped[UUID | None] = mapped_column(ForeignKey("sources.id"), sort_order=1)
    time_duration: Mapped[str | None] = mapped_column(sort_order=1)
    time_modifier: Mapped[str | None] = mapped_column(sort_order=1)
    due_anchor_id: Mapped[UUID | None] = mapped_column(ForeignKey("sources.id"), sort_order=1)
    due_duration: Mapped[str | None] = mapped_column(sort_order=1)
    due_modifier: Mapped[str | None] = mapped_column(sort_order=1)
    redirect_to: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"), sort_order=1)


class ClaimTranslation(IdMixin, Base):
    """The statement of a claim in another language than that of the original."""

    __tablename__ = "claim_translations"
    __table_args__ = (
        not_blank("text"),
        one_of("translated_by", Translator),
        UniqueConstraint("claim_id", "language"),
        {"info": {UNLIKE_OWNER: "language"}},
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))
    language: Mapped[str]
    text: Mapped[str]
    translated_by: Mapped[str]


class ClaimEntity(IdMixin, Base):
    """The role of an entity in a claim."""

    __tablename__ = "claim_entities"
    __table_args__ = (
        one_of("role", ClaimEntityRole),
        UniqueConstraint("claim_id", "entity_id", "role"),
        Index("claim_entities_entity_id_claim_id_idx", "entity_id", "claim_id"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))
    entity_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id"))
    role: Mapped[str]


class ClaimTopic(IdMixin, Base):
    """A keyword of a claim."""

    __tablename__ = "claim_topics"
    __table_args__ = (
        CheckConstraint(f"topic ~ '{TOPIC_PATTERN}'", name="topic"),
        UniqueConstraint("claim_id", "topic"),
        Index("claim_topics_topic_claim_id_idx", "topic", "claim_id"),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))
    topic: Mapped[str]


class ClaimRelation(IdMixin, Base):
    """A relation of a claim to another claim."""

    __tablename__ = "claim_relations"
    __table_args__ = (
        one_of("kind", ClaimRelationKind),
        CheckConstraint("from_id <> to_id", name="not_itself"),
        UniqueConstraint("from_id", "to_id", "kind"),
        Index(None, "to_id"),
    )

    from_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id", ondelete="CASCADE"))
    to_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"))
    kind: Mapped[str]


COUNTS = ("sources", "origins", "own", "independent", "parties", "pending")
"""The counts of each side of a claim; the columns end in ``_for`` and ``_against``."""

_ZERO = text("0")


class Corroboration(HistoryMixin, Base):
    """What speaks for and against a claim, in numbers, and the verdict.

    ``origins`` is the sum of ``own``, ``independent`` and ``parties``. ``pending`` is the evidence
    that waits for review. ``recount_id`` is that of the last recount after a change elsewhere.
    ``weighed`` has the rows of ``weigh_evidence`` that the counts are from. It is null if no
    evidence is accepted, if there are more than 20 passages, or if the claim was counted by an
    earlier version: then they are weighed when the claim is read. A migration that changes how
    evidence is weighed has to make it null.
    """

    __tablename__ = "corroborations"
    __table_args__ = (
        one_of("verdict", CorroborationVerdict),
        CheckConstraint("0 <= origins_for AND origins_for <= sources_for", name="origins_for"),
        CheckConstraint(
            "0 <= origins_against AND origins_against <= sources_against", name="origins_against"
        ),
        Index("corroborations_verdict_claim_id_idx", "verdict", "claim_id"),
        *(
            Index(f"corroborations_{count}_{side}_claim_id_idx", f"{count}_{side}", "claim_id")
            for count in COUNTS
            for side in ("for", "against")
        ),
    )

    claim_id: Mapped[UUID] = mapped_column(
        ForeignKey("claims.id", ondelete="CASCADE"), primary_key=True
    )
    sources_for: Mapped[int] = mapped_column(server_default=_ZERO)
    origins_for: Mapped[int] = mapped_column(server_default=_ZERO)
    sources_against: Mapped[int] = mapped_column(server_default=_ZERO)
    origins_against: Mapped[int] = mapped_column(server_default=_ZERO)
    verdict: Mapped[str] = mapped_column(server_default=text("'unsupported'"))
    own_for: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    independent_for: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    parties_for: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    pending_for: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    own_against: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    independent_against: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    parties_against: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    pending_against: Mapped[int] = mapped_column(server_default=_ZERO, sort_order=1)
    recount_id: Mapped[UUID | None] = mapped_column(sort_order=1)
    weighed: Mapped[list[dict[str, Any]] | None] = mapped_column(JSONB, sort_order=1)


class Recount(IdMixin, Base):
    """An entry of the queue of recounts, for changes that affect many claims.

    It asks for the claims that rest on a source or an entity, for ``claim_ids``, or for all
    claims. They are counted in the order of their ids; ``done_to`` is the last that was. An entry
    that failed is tried again at ``retry_at``.
    """

    __tablename__ = "recounts"
    __table_args__ = (
        CheckConstraint("num_nonnulls(source_id, entity_id, claim_ids) <= 1", name="what"),
    )
    logged = False

    source_id: Mapped[UUID | None]
    entity_id: Mapped[UUID | None]
    claim_ids: Mapped[list[UUID] | None] = mapped_column(ARRAY(Uuid))
    done_to: Mapped[UUID] = mapped_column(server_default=text(f"'{UUID(int=0)}'"))
    retry_at: Mapped[datetime | None]


# MinHash (Broder, "On the resemblance and containment of documents", 1997) with locality-
# sensitive hashing. A band is a hash of two words of the statement: the least and the greatest
# under one of ten permutations of all words. If two statements share s of m words, a band is
# equal with a probability of s(s-1) / m(m-1). If they share half of their words, at least one of
# the ten bands is equal in 92 of 100 cases. In Chinese, each two characters that follow each other
# are a word, whatever the script. Numbers are not words. A statement with numbers has
# two more bands, each a hash of all its numbers and a pair of words, so that a claim is found
# among thousands that differ only in their numbers.
#
# This is a table rather than an array with a GIN index: words that most claims share make some
# bands frequent, and only a B-tree gives the newest claims of a band without reading all of it.
class ClaimBand(HistoryMixin, Base):
    """A band of the statement of a claim that is not deleted; maintained by a trigger on claims.

    A foreign key would lock and look up the claim once for each of its bands.
    """

    __tablename__ = "claim_bands"
    logged = False

    band: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    claim_id: Mapped[UUID] = mapped_column(primary_key=True)
