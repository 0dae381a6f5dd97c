"""What requests of a view cost: the kind of worker slot that they need, and what they count."""

from collections.abc import Callable, Mapping
from enum import Enum, IntEnum, auto
from typing import Any, TypeVar

_View = TypeVar("_View", bound=Callable[..., Any])


class Cost(Enum):
    """How much work a request can cause, which decides what kind of worker slot it needs."""

    PROBE = auto()
    """Answered at once from memory, mostly without a thread: needs no worker slot."""
    MEMORY = auto()
    """Answered from memory, without the database, such as files and errors."""
    METRICS = auto()
    """Gathers the metrics of all workers."""
    BOUNDED = auto()
    """Limited by one row, or by a body that needs a key."""
    COSTLY = auto()
    """Limited only by the size of the database: lists, counts, searches, exports."""


class Weight(IntEnum):
    """How many units of its quota a request takes."""

    READ = 1
    LIST = 2
    SEARCH = 5
    SCAN = 50


WEIGHED: Mapping[Weight, str] = {
    Weight.READ: "one row, one version of it, or a part of it; a file; a path that does not exist",
    Weight.LIST: "a page of rows, of the feed or of suggestions; similar rows; a page for people;"
    " the metrics of the service",
    Weight.SEARCH: "a search (`q`), a query by a tree of filters, facets, the page of the search,"
    " the verification of a text, a write of one row",
    Weight.SCAN: "`count=exact`, an aggregate, comparisons, an export, a bulk write, the check of"
    " a text",
}
"""What requests have each weight."""

_WEIGHTS = {
    Cost.MEMORY: Weight.READ,
    Cost.METRICS: Weight.LIST,
    Cost.BOUNDED: Weight.READ,
    Cost.COSTLY: Weight.LIST,
}


def costs(cost: Cost, weight: Weight | None = None) -> Callable[[_View], _View]:
    """Declare the cost of the decorated view, and its weight if that does not follow."""

    def declare(view: _View) -> _View:
        view.hksz_cost = cost  # type: ignore[attr-defined]
        if weight is not None:
            view.hksz_weight = weight  # type: ignore[attr-defined]
        return view

    return declare


def cost_of(view: Callable[..., object]) -> Cost:
    """The declared cost of a view. A view that declares none is costly."""
    cost: Cost = getattr(view, "hksz_cost", Cost.COSTLY)
    return cost


def weight_of(view: Callable[..., object]) -> Weight:
    """The weight of a view: the declared one, or that of other views of its cost."""
    weight: Weight = getattr(view, "hksz_weight", None) or _WEIGHTS[cost_of(view)]
    return weight
