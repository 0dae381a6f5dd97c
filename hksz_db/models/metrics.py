"""Metrics: what a figure counts or measures."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Accumulation, Dimension
from hksz_db.models.base import Base, Resource, not_blank, one_of, resource_rules


class Metric(Resource, Base):
    """A measure with a meaning of its own, such as the approved applications of a programme."""

    __tablename__ = "metrics"
    __table_args__ = (
        *resource_rules("metrics"),
        one_of("dimension", Dimension),
        one_of("accumulation", Accumulation),
        not_blank("label"),
        # Lets a figure carry both and have them held equal.
        UniqueConstraint("id", "dimension", "nonnegative"),
    )

    key: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    dimension: Mapped[str]
    accumulation: Mapped[str]
    nonnegative: Mapped[bool]
