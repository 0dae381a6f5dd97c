"""Units of UCUM in base units. Importing this takes a tenth of a start: only what needs it does."""

import threading
from decimal import Decimal
from functools import cache
from typing import NamedTuple

import pint
from lark.exceptions import LarkError
from ucumvert import PintUcumRegistry
from ucumvert.parser import InvalidUcumError

# Two threads that build a registry at once break both.
_one_at_a_time = threading.Lock()


class NotUcum(ValueError):
    """A code that is not a UCUM code, or that cannot be converted."""


class InBaseUnits(NamedTuple):
    """A unit in base units; ``dimensionality`` is empty if it has none.

    ``factor`` is None if the unit has an offset.
    """

    dimensionality: str
    factor: Decimal | None


def in_base_units(code: str) -> InBaseUnits | None:
    """The unit with a code; None for annotations alone. Raises ``NotUcum`` or ``ValueError``."""
    try:
        with _one_at_a_time:
            quantity = _registry().from_ucum(code)
        if not isinstance(quantity, pint.Quantity):
            # The registry turns annotations alone, such as {people}, into a name or a number.
            return None
        dimensionality = "" if quantity.dimensionless else str(quantity.dimensionality)
        if not quantity._is_multiplicative:
            return InBaseUnits(dimensionality, None)
        return InBaseUnits(dimensionality, Decimal(quantity.to_base_units().magnitude))
    except (InvalidUcumError, LarkError, pint.PintError) as error:
        raise NotUcum(str(error)) from error


@cache
def _registry() -> PintUcumRegistry:
    # Building it takes most of a second, so it is only built when the first unit is written.
    return PintUcumRegistry(non_int_type=Decimal)
