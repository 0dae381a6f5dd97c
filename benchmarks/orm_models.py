"""ORM classes for the tables of the service."""

from datetime import timedelta
from typing import Any, ClassVar

from sqlalchemy import and_
from sqlalchemy.dialects.postgresql import Range
from sqlalchemy.orm import DeclarativeBase, Mapped, deferred, relationship

from hksz_db import models

_claims = models.Claim.__table__
_claim_relations = models.ClaimRelation.__table__
_contributors = models.SourceContributor.__table__
_evidence = models.Evidence.__table__
_figures = models.Figure.__table__
_source_relations = models.SourceRelation.__table__


class Base(DeclarativeBase):
    """Another mapping of the same tables."""

    metadata = models.Base.metadata


class ApiKey(Base):
    """A key."""

    __table__ = models.ApiKey.__table__


class Entity(Base):
    """An entity."""

    __table__ = models.Entity.__table__
    # The service shows it only to clients that ask for a language.
    __mapper_args__: ClassVar = {"exclude_properties": ["name_language"]}


class Metric(Base):
    """A metric."""

    __table__ = models.Metric.__table__


class Unit(Base):
    """A unit."""

    __table__ = models.Unit.__table__


class SourceContributor(Base):
    """An entity that made a source."""

    __table__ = _contributors
    entity: Mapped[Entity] = relationship()


class SourceCapture(Base):
    """A copy of the text of a source."""

    __table__ = models.SourceCapture.__table__


class SourceRelation(Base):
    """How a source relates to another source."""

    __table__ = _source_relations
    to: Mapped["Source"] = relationship(foreign_keys=_source_relations.c.to_id)


class Source(Base):
    """A source."""

    __table__ = models.Source.__table__
    search = deferred(__table__.c.search)
    issued_days = __table__.c.issued
    contributors: Mapped[list[SourceContributor]] = relationship(
        order_by=(_contributors.c.ordinal, _contributors.c.id)
    )
    captures: Mapped[list[SourceCapture]] = relationship(order_by=SourceCapture.id)
    relations: Mapped[list[SourceRelation]] = relationship(
        foreign_keys=_source_relations.c.from_id, order_by=SourceRelation.id
    )

    @property
    def issued(self) -> dict[str, Any]:
        """The date of publication."""
        return _period(self.issued_edtf, self.issued_days)


class ClaimEntity(Base):
    """An entity and its role in a claim."""

    __table__ = models.ClaimEntity.__table__
    entity: Mapped[Entity] = relationship()


class ClaimTopic(Base):
    """A keyword of a claim."""

    __table__ = models.ClaimTopic.__table__


class ClaimRelation(Base):
    """How a claim relates to another claim."""

    __table__ = _claim_relations
    to: Mapped["Claim"] = relationship(foreign_keys=_claim_relations.c.to_id)


class Figure(Base):
    """A number that a claim states."""

    __table__ = _figures
    value_numbers = _figures.c.value_range
    plausible_numbers = _figures.c.plausible_range
    period_days = _figures.c.period
    known_at_days = _figures.c.known_at
    metric: Mapped[Metric] = relationship(
        primaryjoin=_figures.c.metric_id == Metric.id, foreign_keys=_figures.c.metric_id
    )
    subject: Mapped[Entity] = relationship()
    period_anchor: Mapped[Source | None] = relationship()

    @property
    def value_range(self) -> dict[str, Any]:
        """The range that the statement logically allows."""
        return _numbers(self.value_numbers)

    @property
    def plausible_range(self) -> dict[str, Any]:
        """The range that a reader would understand."""
        return _numbers(self.plausible_numbers)

    @property
    def known_at(self) -> dict[str, Any]:
        """When the figure was known."""
        return _period(self.known_at_edtf, self.known_at_days)

    @property
    def period(self) -> dict[str, Any]:
        """The period of the figure."""
        relative = _relative(self.period_anchor, self.period_duration, self.period_modifier)
        period = _period(self.period_edtf, self.period_days)
        return {"as_stated": self.period_as_stated, **period, "relative": relative}


class Evidence(Base):
    """A passage of a source and its stance."""

    __table__ = _evidence
    said_days = _evidence.c.said
    source: Mapped[Source] = relationship(foreign_keys=_evidence.c.source_id)
    said_anchor: Mapped[Source | None] = relationship(foreign_keys=_evidence.c.said_anchor_id)
    attributed_to: Mapped[Entity | None] = relationship()

    @property
    def said(self) -> dict[str, Any]:
        """When it was said."""
        relative = _relative(self.said_anchor, self.said_duration, self.said_modifier)
        return {**_period(self.said_edtf, self.said_days), "relative": relative}


class Claim(Base):
    """A claim."""

    __table__ = _claims
    search = deferred(_claims.c.search)
    time_days = _claims.c.time
    due_days = _claims.c.due
    claimant: Mapped[Entity] = relationship(foreign_keys=_claims.c.claimant_id)
    reported_by: Mapped[Entity | None] = relationship(foreign_keys=_claims.c.reported_by_id)
    time_anchor: Mapped[Source | None] = relationship(foreign_keys=_claims.c.time_anchor_id)
    due_anchor: Mapped[Source | None] = relationship(foreign_keys=_claims.c.due_anchor_id)
    topic_rows: Mapped[list[ClaimTopic]] = relationship(order_by=ClaimTopic.topic)
    relations: Mapped[list[ClaimRelation]] = relationship(
        foreign_keys=_claim_relations.c.from_id, order_by=ClaimRelation.id
    )
    entities: Mapped[list[ClaimEntity]] = relationship(order_by=ClaimEntity.id)
    figures: Mapped[list[Figure]] = relationship(
        primaryjoin=and_(_figures.c.claim_id == _claims.c.id, _figures.c.deleted_at.is_(None)),
        order_by=Figure.id,
    )
    evidence: Mapped[list[Evidence]] = relationship(
        primaryjoin=and_(_evidence.c.claim_id == _claims.c.id, _evidence.c.deleted_at.is_(None)),
        order_by=Evidence.id,
    )

    @property
    def time(self) -> dict[str, Any]:
        """The time of the claim."""
        relative = _relative(self.time_anchor, self.time_duration, self.time_modifier)
        period = _period(self.time_edtf, self.time_days)
        return {"as_stated": self.time_as_stated, **period, "relative": relative}

    @property
    def due(self) -> dict[str, Any]:
        """The due date."""
        relative = _relative(self.due_anchor, self.due_duration, self.due_modifier)
        return {**_period(self.due_edtf, self.due_days), "relative": relative}

    @property
    def topics(self) -> list[str]:
        """The keywords, sorted."""
        return [row.topic for row in self.topic_rows]

    @property
    def sources(self) -> list[Source]:
        """The sources of the evidence, each once."""
        found = {row.source_id: row.source for row in self.evidence}
        return [found[id] for id in sorted(found)]


def _period(edtf: str | None, days: Range[Any] | None) -> dict[str, Any]:
    earliest = days.lower if days else None
    # PostgreSQL stores ranges of days with the upper end excluded.
    latest = days.upper - timedelta(days=1) if days and days.upper else None
    return {"edtf": edtf, "earliest": earliest, "latest": latest}


def _relative(
    anchor: Source | None, duration: str | None, modifier: str | None
) -> dict[str, Any] | None:
    return {"anchor": anchor, "duration": duration, "modifier": modifier} if anchor else None


def _numbers(numbers: Range[Any]) -> dict[str, Any]:
    return {
        "lower": numbers.lower,
        "upper": numbers.upper,
        "lower_inclusive": numbers.bounds[0] == "[",
        "upper_inclusive": numbers.bounds[1] == "]",
    }
