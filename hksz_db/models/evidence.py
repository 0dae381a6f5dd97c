"""Evidence: which passage of which source bears on which claim, and how."""

from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Directness, EvidenceStatus, Interest, Stance
from hksz_db.models.base import Base, Resource, install, is_sha256, one_of, resource_rules

LOCATOR = ("start_char", "end_char", "exact_sha256", "prefix_sha256", "suffix_sha256")


class Evidence(Resource, Base):
    """A passage and its stance; the locator is all there or not at all, and holds no text."""

    __tablename__ = "evidence"
    __table_args__ = (
        *resource_rules("evidence"),
        one_of("stance", Stance),
        one_of("directness", Directness),
        one_of("interest", Interest),
        one_of("status", EvidenceStatus),
        *(is_sha256(column) for column in LOCATOR[2:]),
        CheckConstraint(f"num_nulls({', '.join(LOCATOR)}) IN (0, 5)", name="locator_whole"),
        CheckConstraint("0 <= start_char AND start_char < end_char", name="span"),
        CheckConstraint("derived_from_id <> id", name="not_itself"),
        ForeignKeyConstraint(
            ["capture_id", "source_id"], ["source_captures.id", "source_captures.source_id"]
        ),
        Index("evidence_claim_id_id_idx", "claim_id", "id"),
        Index("evidence_source_id_claim_id_idx", "source_id", "claim_id"),
        Index(None, "capture_id"),
        Index(None, "derived_from_id"),
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
    # The label of the key that wrote it, or the database role where no key did.
    added_by: Mapped[str] = mapped_column(
        server_default=text(
            "COALESCE(NULLIF(current_setting('hksz.actor', true), ''), CURRENT_USER::text)"
        )
    )


# As for the relations of sources: two writers could close a circle together.
REFUSE_CYCLE = """
CREATE FUNCTION evidence_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('evidence'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.derived_from_id
            UNION
            SELECT evidence.derived_from_id
            FROM evidence JOIN reached ON evidence.id = reached.id
        )
        SELECT 1 FROM reached WHERE reached.id = NEW.id
    ) THEN
        RAISE EXCEPTION 'evidence may not derive from itself'
            USING ERRCODE = 'check_violation',
                  TABLE = 'evidence',
                  CONSTRAINT = 'evidence_acyclic_check';
    END IF;
    RETURN NULL;
END $$
"""
REFUSE_CYCLE_TRIGGER = """
CREATE TRIGGER evidence_refuse_cycle
AFTER INSERT OR UPDATE OF derived_from_id ON evidence
FOR EACH ROW WHEN (NEW.derived_from_id IS NOT NULL) EXECUTE FUNCTION evidence_refuse_cycle()
"""
STAY_WITHIN_CAPTURE = """
CREATE FUNCTION evidence_stay_within_capture() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1
        FROM evidence JOIN source_captures ON source_captures.id = evidence.capture_id
        WHERE (evidence.id = NEW.id OR source_captures.id = NEW.id)
            AND evidence.end_char > source_captures.char_length
    ) THEN
        RAISE EXCEPTION 'a locator may not end beyond its capture'
            USING ERRCODE = 'check_violation',
                  TABLE = 'evidence',
                  CONSTRAINT = 'evidence_within_capture_check';
    END IF;
    RETURN NULL;
END $$
"""
STAY_WITHIN_CAPTURE_TRIGGER = """
CREATE TRIGGER evidence_stay_within_capture
AFTER INSERT OR UPDATE OF capture_id, end_char ON evidence
FOR EACH ROW WHEN (NEW.capture_id IS NOT NULL) EXECUTE FUNCTION evidence_stay_within_capture()
"""
KEEP_CAPTURE_TRIGGER = """
CREATE TRIGGER evidence_stay_within_capture
AFTER UPDATE OF char_length ON source_captures
FOR EACH ROW WHEN (NEW.char_length < OLD.char_length)
EXECUTE FUNCTION evidence_stay_within_capture()
"""
install(
    REFUSE_CYCLE,
    REFUSE_CYCLE_TRIGGER,
    STAY_WITHIN_CAPTURE,
    STAY_WITHIN_CAPTURE_TRIGGER,
    KEEP_CAPTURE_TRIGGER,
)
