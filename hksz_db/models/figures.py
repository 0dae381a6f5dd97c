"""Figures: the numbers that a claim states, and their ranges."""

from datetime import date
from decimal import Decimal
from uuid import UUID

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Numeric,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, JSONB, NUMRANGE, Range
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.ranges import RangeRule
from hksz_db.domain.vocabulary import Comparator, Estimate, Modality
from hksz_db.models.base import (
    Base,
    ResourceMixin,
    array_literal,
    dated,
    not_blank,
    one_of,
    relative,
)

_NOT_FINITE = array_literal(("NaN", "Infinity", "-Infinity"))


def finite_range(column: str) -> CheckConstraint:
    """The range is not empty, has at least one bound, and its bounds are finite."""
    return CheckConstraint(f"is_finite({column})", name=f"{column}_finite")


class StaleRange(Base):
    """A figure whose ranges are to be recomputed, because the rules for them have changed."""

    __tablename__ = "stale_ranges"

    figure_id: Mapped[UUID] = mapped_column(primary_key=True)


class StaleMetric(Base):
    """A change of the measure of a metric, after which the ranges of its figures are recomputed.

    The figures are recomputed in the order of their ids; ``done_to`` is the last that was.
    """

    __tablename__ = "stale_metrics"

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=func.uuidv7())
    metric_id: Mapped[UUID]
    done_to: Mapped[UUID] = mapped_column(server_default=text(f"'{UUID(int=0)}'"))


class Figure(ResourceMixin, Base):
    """An observation: the amount as stated, and its ranges in base units.

    ``value_range`` is the range that the words logically allow, ``plausible_range`` the range that
    a reader would understand, and ``range_rule`` the rule that gave it. ``dimension`` and
    ``nonnegative`` repeat those of the metric, ``unit_factor`` that of the unit; foreign keys keep
    them equal. ``breakdown`` says which part of the whole the figure is about, as a category for
    each dimension (SDMX). ``known_at`` is when the figure was known, if it may be revised.
    """

    __tablename__ = "figures"
    __table_args__ = (
        one_of("comparator", Comparator),
        one_of("modality", Modality),
        one_of("range_rule", RangeRule),
        one_of("estimate", Estimate),
        not_blank("as_stated"),
        not_blank("definition"),
        CheckConstraint(
            "jsonb_typeof(breakdown) = 'object' AND breakdown <> '{}'", name="breakdown"
        ),
        *(
            CheckConstraint(f"{column} <> ALL ({_NOT_FINITE})", name=f"{column}_finite")
            for column in ("amount", "lower_bound", "upper_bound")
        ),
        *(finite_range(column) for column in ("value_range", "plausible_range")),
        CheckConstraint("(amount IS NULL) = (comparator = 'between')", name="amount"),
        CheckConstraint(
            "comparator <> 'between' OR (lower_bound IS NOT NULL AND upper_bound IS NOT NULL)",
            name="between",
        ),
        CheckConstraint("lower_bound <= upper_bound", name="bounds"),
        CheckConstraint(
            "NOT exact OR comparator <> 'eq' OR lower(value_range) = upper(value_range)",
            name="exact",
        ),
        CheckConstraint("plausible_range <@ value_range", name="plausible"),
        CheckConstraint(
            "NOT nonnegative OR COALESCE(lower(value_range) >= 0, false)", name="nonnegative"
        ),
        *dated("known_at"),
        *relative("period"),
        ForeignKeyConstraint(
            ["metric_id", "dimension", "nonnegative"],
            ["metrics.id", "metrics.dimension", "metrics.nonnegative"],
        ),
        ForeignKeyConstraint(
            ["unit_code", "unit_factor"],
            ["units.code", "units.factor"],
        ),
        Index("figures_claim_id_id_idx", "claim_id", "id"),
        Index("figures_metric_id_value_idx", "metric_id", text("lower(value_range)")),
        Index("figures_value_idx", text("COALESCE(lower(value_range), upper(value_range))"), "id"),
        Index("figures_subject_id_id_idx", "subject_id", "id"),
        Index(None, "unit_code"),
        Index("figures_period_idx", "period", postgresql_using="gist"),
        Index("figures_period_asc_idx", text("lower(period)"), "id"),
        # For the figures that a figure is compared with.
        Index(
            "figures_comparison_idx",
            "metric_id",
            "subject_id",
            "modality",
            "id",
            postgresql_where=text("deleted_at IS NULL"),
        ),
    )

    claim_id: Mapped[UUID] = mapped_column(ForeignKey("claims.id"))
    metric_id: Mapped[UUID]
    subject_id: Mapped[UUID] = mapped_column(ForeignKey("entities.id"))
    as_stated: Mapped[str]
    amount: Mapped[Decimal | None] = mapped_column(Numeric)
    comparator: Mapped[str]
    lower_bound: Mapped[Decimal | None] = mapped_column(Numeric)
    upper_bound: Mapped[Decimal | None] = mapped_column(Numeric)
    unit_code: Mapped[str]
    dimension: Mapped[str]
    nonnegative: Mapped[bool]
    unit_factor: Mapped[Decimal] = mapped_column(Numeric)
    value_range: Mapped[Range[Decimal]] = mapped_column(NUMRANGE)
    plausible_range: Mapped[Range[Decimal]] = mapped_column(NUMRANGE)
    range_rule: Mapped[str]
    exact: Mapped[bool] = mapped_column(server_default=text("false"))
    breakdown: Mapped[dict[str, str] | None] = mapped_column(JSONB(none_as_null=True))
    definition: Mapped[str | None]
    estimate: Mapped[str | None]
    known_at_edtf: Mapped[str | None]
    known_at: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    modality: Mapped[str]
    period_as_stated: Mapped[str | None]
    period_edtf: Mapped[str | None]
    period: Mapped[Range[date] | None] = mapped_column(DATERANGE)
    period_anchor_id: Mapped[UUID | None] = mapped_column(ForeignKey("sources.id"), sort_order=1)
    period_duration: Mapped[str | None] = mapped_column(sort_order=1)
    period_modifier: Mapped[str | None] = mapped_column(sort_order=1)
