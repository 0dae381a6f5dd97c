"""The cost of a view, which decides what kind of worker slot its requests need."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, TypeVar

_View = TypeVar("_View", bound=Callable[..., Any])


class Cost(Enum):
    """How much work a request can cause, which decides what kind of worker slot it needs."""

    PROBE = auto()
    """Answered from memory, without the database: needs no worker slot."""
    READINESS = auto()
    """Asks the database whether it can be used: has a worker slot of its own."""
    BOUNDED = auto()
    """Limited by one row, or by a body that needs a key."""
    COSTLY = auto()
    """Limited only by the size of the database: lists, counts, searches, exports."""


def costs(cost: Cost) -> Callable[[_View], _View]:
    """Declare the cost of the decorated view."""

    def declare(view: _View) -> _View:
        view.hksz_cost = cost  # type: ignore[attr-defined]
        return view

    return declare


def cost_of(view: Callable[..., object]) -> Cost:
    """The declared cost of a view. A view that declares none is costly."""
    cost: Cost = getattr(view, "hksz_cost", Cost.COSTLY)
    return cost
