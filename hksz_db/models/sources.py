"""Sources: the works that speak, who made them, what copies were held, what they rest on."""

from datetime import date, datetime
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    Computed,
    ForeignKey,
    Index,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, TSVECTOR, Range
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import ContributorRole, CslType, Normalization, SourceRelationKind
from hksz_db.models.base import (
    Base,
    Identified,
    Resource,
    dated,
    install,
    is_sha256,
    not_blank,
    one_of,
    resource_rules,
)


class Source(Resource, Base):
    """A work: an article, a press release, a report."""

    __tablename__ = "sources"
    __table_args__ = (
        *resource_rules("sources"),
        one_of("csl_type", CslType),
        not_blank("title"),
        *dated("issued_edtf", "issued"),
        Index("sources_search_idx", "search", postgresql_using="gin"),
        Index("sources_issued_asc_idx", text("lower(issued)"), "id"),
        Index("sources_issued_desc_idx", text("lower(issued) DESC NULLS LAST"), text("id DESC")),
        Index("sources_title_id_idx", "title", "id"),
        Index(
            "sources_title_trgm_idx",
            "title",
            postgresql_using="gin",
            postgresql_ops={"title": "gin_trgm_ops"},
        ),
        Index("sources_issued_idx", "issued", postgresql_using="gist"),
    )

    csl_type: Mapped[str]
    title: Mapped[str]
    title_supplied: Mapped[bool] = mapped_column(server_default=text("false"))
    container_title: Mapped[str | None]
    publisher_place: Mapped[str | None]
    url: Mapped[str | None]
    doi: Mapped[str | None] = mapped_column(unique=True)
    language: Mapped[str | None]
    issued_edtf: Mapped[str | None]
    issued: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    issued_note: Mapped[str | None]
    rights: Mapped[str | None]
    retracted_at: Mapped[datetime | None]
    search: Mapped[str] = mapped_column(
        TSVECTOR,
        Computed(
            "to_tsvector('english', title || ' ' || COALESCE(container_title, ''))", persisted=True
        ),
    )


class SourceContributor(Identified, Base):
    """Who made a source, as known (``entity_id``) and as printed (``credited_*``)."""

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


class SourceCapture(Identified, Base):
    """A copy that somebody held: its measure and its hash, never its text."""

    __tablename__ = "source_captures"
    __table_args__ = (
        one_of("normalization", Normalization),
        is_sha256("text_sha256"),
        CheckConstraint("char_length > 0", name="char_length"),
        UniqueConstraint("source_id", "text_sha256"),
        UniqueConstraint("id", "source_id"),
    )

    source_id: Mapped[UUID] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    retrieved_at: Mapped[datetime | None]
    archive_url: Mapped[str | None]
    media_type: Mapped[str | None]
    normalization: Mapped[str]
    char_length: Mapped[int]
    text_sha256: Mapped[str]


class SourceRelation(Identified, Base):
    """What one source rests on; never in a circle."""

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


# Two writers that each see no circle could close one together: the lock lets one in at a time.
REFUSE_CYCLE = """
CREATE FUNCTION source_relations_refuse_cycle() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('source_relations'));
    IF EXISTS (
        WITH RECURSIVE reached(id) AS (
            SELECT NEW.to_id
            UNION
            SELECT source_relations.to_id
            FROM source_relations JOIN reached ON source_relations.from_id = reached.id
        )
        SELECT 1 FROM reached WHERE reached.id = NEW.from_id
    ) THEN
        RAISE EXCEPTION 'source relations may not form a circle'
            USING ERRCODE = 'check_violation',
                  TABLE = 'source_relations',
                  CONSTRAINT = 'source_relations_acyclic_check';
    END IF;
    RETURN NULL;
END $$
"""
REFUSE_CYCLE_TRIGGER = """
CREATE TRIGGER source_relations_refuse_cycle
AFTER INSERT OR UPDATE OF from_id, to_id ON source_relations
FOR EACH ROW EXECUTE FUNCTION source_relations_refuse_cycle()
"""
install(REFUSE_CYCLE, REFUSE_CYCLE_TRIGGER)
