"""Units: UCUM codes and currencies, with their factor to the base unit."""

from decimal import Decimal

from sqlalchemy import CheckConstraint, Numeric, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from hksz_db.domain.vocabulary import Dimension
from hksz_db.models.base import Base, Resource, not_blank, one_of, resource_rules


class Unit(Resource, Base):
    """A unit; ``factor`` is how many base units of the dimension it is (currencies: 1)."""

    __tablename__ = "units"
    __table_args__ = (
        *resource_rules("units"),
        one_of("dimension", Dimension),
        not_blank("label"),
        CheckConstraint("factor > 0 AND factor < 'infinity'", name="factor"),
        # Lets a figure carry both and have them held equal.
        UniqueConstraint("code", "dimension", "factor"),
    )

    code: Mapped[str] = mapped_column(unique=True)
    label: Mapped[str]
    dimension: Mapped[str]
    factor: Mapped[Decimal] = mapped_column(Numeric)
