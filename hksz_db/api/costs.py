"""The cost of a call, which decides which kind of worker slot a request needs."""

from collections.abc import Callable
from enum import Enum, auto
from typing import Any, TypeVar

_ATTRIBUTE = "hksz_cost"
_View = TypeVar("_View", bound=Callable[..., Any])


class Cost(Enum):
    """How much work a request of a call can cause."""

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
        setattr(view, _ATTRIBUTE, cost)
        return view

    return declare


def cost_of(view: Callable[..., Any]) -> Cost:
    """The declared cost of a view. A view that declares none is costly."""
    cost: Cost = getattr(view, _ATTRIBUTE, Cost.COSTLY)
    return cost


def is_declared(view: Callable[..., Any]) -> bool:
    """Whether the view declares its cost."""
    return hasattr(view, _ATTRIBUTE)
