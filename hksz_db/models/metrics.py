"""Metrics: the quantities that figures count or measure."""

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Accumulation, Dimension
from hksz_db.models.base import Base, ResourceMixin, not_blank, one_of


class Metric(ResourceMixin, Base):
    """A quantity, such as the approved applications of a programme."""

    __tablename__ = "metrics"
    __table_args__ = (
        one_of("dimension", Dimension),
        one_of("accumulation", Accumulation),
        not_blank("label"),
        # Target of the foreign key that keeps the columns of a figure equal.
        UniqueConstraint("id", "dimension", "nonnegative"),
    )

    key: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    dimension: Mapped[str]
    accumulation: Mapped[str]
    nonnegative: Mapped[bool]
