"""Units: UCUM codes and currencies, with their factor to the base unit."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Index, Numeric, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Dimension
from hksz_db.models.base import Base, ResourceMixin, not_blank, one_of


class Unit(ResourceMixin, Base):
    """A unit; ``factor`` is its number of base units of the dimension (1 for currencies)."""

    __tablename__ = "units"
    __table_args__ = (
        one_of("dimension", Dimension),
        not_blank("label"),
        CheckConstraint("factor > 0 AND factor < 'infinity'", name="factor"),
        # Target of the foreign key that keeps the columns of a figure equal.
        UniqueConstraint("code", "factor"),
        Index(
            "units_words_idx",
            text("name_words((label || ' '::text) || code)"),
            postgresql_using="gin",
        ),
    )

    code: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal] = mapped_column(Numeric)
