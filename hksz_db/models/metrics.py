"""Metrics: the quantities that figures count or measure."""

from sqlalchemy import CheckConstraint, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.relative_dates import PERIOD_LENGTH_PATTERN
from hksz_db.domain.vocabulary import Accumulation, Dimension, MetricMeasure
from hksz_db.models.base import Base, ResourceMixin, not_blank, one_of


class Metric(ResourceMixin, Base):
    """A quantity, such as the approved applications of a programme.

    ``holds_for`` is how long a value holds, if it changes slowly: an ISO 8601 duration.
    """

    __tablename__ = "metrics"
    __table_args__ = (
        one_of("dimension", Dimension),
        one_of("accumulation", Accumulation),
        one_of("measure", MetricMeasure),
        not_blank("label"),
        not_blank("description"),
        CheckConstraint(f"holds_for ~ '{PERIOD_LENGTH_PATTERN}'", name="holds_for"),
        # Target of the foreign key that keeps the columns of a figure equal.
        UniqueConstraint("id", "dimension", "nonnegative"),
        Index(
            "metrics_words_idx",
            text("name_words((label || ' '::text) || key)"),
            postgresql_using="gin",
        ),
    )

    key: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    dimension: Mapped[str]
    accumulation: Mapped[str]
    nonnegative: Mapped[bool]
    description: Mapped[str | None]
    measure: Mapped[str] = mapped_column(server_default=text("'level'"))
    holds_for: Mapped[str | None]
