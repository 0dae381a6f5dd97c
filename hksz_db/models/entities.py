"""Entities: what claims are about, with their names, identifiers and relations."""

from datetime import date
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    UniqueConstraint,
    literal_column,
)
from sqlalchemy.dialects.postgresql import DATERANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import (
    EntityKind,
    EntityNameKind,
    EntityRelationKind,
    IdentifierScheme,
)
from hksz_db.models.base import (
    Base,
    IdMixin,
    ResourceMixin,
    SearchMixin,
    dated,
    merged_rows,
    not_blank,
    one_of,
    trigram_index,
)


class Entity(ResourceMixin, Base):
    """A person, an organisation, a place or anything else that claims are about.

    ``name`` and ``name_language`` are its display name, one of its names. An entity that was merged
    into another is deleted and has that other in ``redirect_to``.
    """

    __tablename__ = "entities"
    __table_args__ = (
        one_of("kind", EntityKind),
        # The two tables refer to each other: the name may follow within the transaction.
        ForeignKeyConstraint(
            ["id", "name", "name_language"],
            ["entity_names.entity_id", "entity_names.name", "entity_names.language"],
            deferrable=True,
            initially="DEFERRED",
            use_alter=True,
        ),
        Index("entities_name_id_idx", "name", "id"),
        *merged_rows(),
    )

    kind: Mapped[str]
    name: Mapped[str]
    name_language: Mapped[str]
    description: Mapped[str | None]
    redirect_to: Mapped[UUID | None] = mapped_column(ForeignKey("entities.id"), sort_order=1)


class EntityName(SearchMixin, IdMixin, Base):
    """A name of an entity in a language."""

    __tablename__ = "entity_names"
    __table_args__ = (
        one_of("kind", EntityNameKind),
        not_blank("name"),
        UniqueConstraint("entity_id", "name", "language"),
        Index(
            "entity_names_one_preferred_idx",
            "entity_id",
            "language",
            unique=True,
            postgresql_where="kind = 'preferred'",
        ),
        trigram_index("entity_names", "name"),
        Index("entity_names_search_idx", "search", postgresql_using="gin"),
        # For the names that begin with a text, in the order of their bytes.
        Index(
            "entity_names_beginning_idx",
            literal_column("lower(name)").label("beginning"),
            postgresql_ops={"beginning": "text_pattern_ops"},
        ),
    )

    entity_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    name: Mapped[str]
    language: Mapped[str]
    kind: Mapped[str]


class EntityIdentifier(IdMixin, Base):
    """An identifier of an entity in an external register."""

    __tablename__ = "entity_identifiers"
    __table_args__ = (
        one_of("scheme", IdentifierScheme),
        not_blank("value"),
        UniqueConstraint("scheme", "value"),
        Index(None, "entity_id"),
    )

    entity_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    scheme: Mapped[str]
    value: Mapped[str]


class EntityRelation(IdMixin, Base):
    """A relation of an entity to another, and the claim that it is known from."""

    __tablename__ = "entity_relations"
    __table_args__ = (
        one_of("kind", EntityRelationKind),
        CheckConstraint("subject_id <> object_id", name="not_itself"),
        *dated("during"),
        UniqueConstraint(
            "subject_id",
            "kind",
            "object_id",
            "qualifier",
            "during_edtf",
            "claim_id",
            name="entity_relations_statement_key",
            postgresql_nulls_not_distinct=True,
        ),
        Index(None, "object_id"),
        Index("entity_relations_during_idx", "during", postgresql_using="gist"),
        Index(None, "claim_id"),
    )

    subject_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id", ondelete="CASCADE"))
    kind: Mapped[str]
    object_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id"))
    qualifier: Mapped[str | None]
    during_edtf: Mapped[str | None]
    during: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    claim_id: Mapped[UUID | None] = mapped_column(ForeignKey("claims.id"))
