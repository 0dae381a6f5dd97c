"""Statements that answer a request for comparisons: a page of them, counts.

A page of all comparisons walks the figures in the order of their ids and looks up by index what
each can be compared with, until the page is full; each pair comes once. So that a verdict which is
rare or never found takes no longer than others, a page ends after so many figures in any case.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    null,
    or_,
    select,
)

from hksz_db.database import Prepared, prepare
from hksz_db.models import Figure
from hksz_db.queries.compared import COMPARISONS, PAIR
from hksz_db.queries.comparisons import together
from hksz_db.queries.documents import Json, columns, number, term
from hksz_db.queries.filters import Condition, condition
from hksz_db.queries.pages import PageShape, gathered, row_count
from hksz_db.queries.resources import table_of

WALKED = 2_000
"""How many figures are walked at most for one page, where nothing but a walk finds the pairs."""

_a, _b, _metric = PAIR.figure, PAIR.other, PAIR.metric
# By each of these an index leads to few figures.
_LEADING = {"metric", "metric_id", "subject_id", "claim_id"}
_HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@lru_cache(maxsize=256)
def comparisons_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """The prepared form of ``page``."""
    return prepare(page(shape, of_figure))


@lru_cache(maxsize=64)
def pairs_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """The prepared form of ``pairs``, for the planner's estimate."""
    return prepare(pairs(shape, of_figure))


def pairs(shape: PageShape, of_figure: bool) -> Select[Any]:
    """The ids of all pairs that meet the filters.

    ``of_figure`` selects those of the figure ``:figure``, which stands first; otherwise the first
    of a pair is the one with the lower id.
    """
    chosen = (
        and_(_a.c.id == bindparam("figure", type_=Uuid()), _b.c.id != _a.c.id)
        if of_figure
        else _b.c.id > _a.c.id
    )
    return (
        select(_a.c.id.label("figure_id"), _b.c.id.label("other_id"))
        .select_from(together(PAIR))
        .where(chosen, condition(shape.filters, COMPARISONS.targets))
    )


def page(shape: PageShape, of_figure: bool) -> Select[Any]:
    """One row that holds a page, as ``pages.page`` gives it, in the order of the two ids.

    Where the walk ended before the page was full, the cursor goes on after the last figure walked.
    Binds ``:figure`` where it is of one, ``:rows`` (one more than a page holds), the filters and
    the cursor's keys ``:c0`` and ``:c1``.
    """
    rows = pairs(shape, of_figure)
    if shape.after is not None:
        rows = rows.where(_after())
    end = None if of_figure or _is_led(shape) else _end_of_walk(shape)
    if end is not None:
        rows = rows.where(_a.c.id <= func.coalesce(end, _uuid(_HIGHEST)))
    ordered = rows.order_by(_a.c.id, _b.c.id).limit(bindparam("rows", type_=Integer()))
    numbered = _numbered(shape, ordered.subquery("page"))
    counted = row_count(pairs(shape, of_figure).subquery("every"))
    total = counted if shape.counted else null()
    return gathered(numbered, null(), total, None if end is None else _cursor_at(end))


def _is_led(shape: PageShape) -> bool:
    return any(
        part[0] == "criterion" and part[1] in _LEADING and part[2] in {"eq", "in"}
        for part in shape.filters[1:]
    )


def _end_of_walk(shape: PageShape) -> ColumnElement[Any]:
    """The id of the figure at which the walk of this page ends; null where it reaches the last."""
    figures = table_of(Figure).alias()
    walked = select(figures.c.id).where(figures.c.deleted_at.is_(None))
    if shape.after is not None:
        walked = walked.where(figures.c.id >= cast(bindparam("c0", type_=Text()), Uuid()))
    return walked.order_by(figures.c.id).offset(number(WALKED)).limit(number(1)).scalar_subquery()


def _cursor_at(end: ColumnElement[Any]) -> ColumnElement[Any]:
    keys = func.json_build_array(cast(end, Text), term(_HIGHEST))
    return case((end.is_not(None), cast(keys, Text)))


def _uuid(text: str) -> ColumnElement[Any]:
    return literal_column(f"'{text}'::uuid", Uuid())


def _after() -> Condition:
    figure, other = (cast(bindparam(name, type_=Text()), Uuid()) for name in ("c0", "c1"))
    # In two parts: the first bounds the walk through the index of the figures.
    return and_(_a.c.id >= figure, or_(_a.c.id > figure, _b.c.id > other))


def _numbered(shape: PageShape, rows: Subquery) -> Subquery:
    fields = {name: COMPARISONS.document[name] for name in shape.fields}
    row = select(*columns(fields)).correlate(_a, _b, _metric).subquery("d")
    body = select(func.row_to_json(row.table_valued(), type_=Json())).scalar_subquery()
    keys = func.json_build_array(cast(rows.c.figure_id, Text), cast(rows.c.other_id, Text))
    return (
        select(
            cast(body, Text).label("body"),
            cast(keys, Text).label("cursor"),
            func.row_number().over(order_by=(rows.c.figure_id, rows.c.other_id)).label("n"),
        )
        .select_from(
            rows.join(_a, _a.c.id == rows.c.figure_id)
            .join(_b, _b.c.id == rows.c.other_id)
            .join(_metric, _metric.c.id == _a.c.metric_id)
        )
        .subquery("numbered")
    )
