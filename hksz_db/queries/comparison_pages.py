"""Statements that answer a request for comparisons: a page of them, counts.

A page of all comparisons walks the figures in the order of their ids and looks up by index what
each can be compared with, until the page is full; each pair comes once.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import Select, Subquery, Text, Uuid, and_, bindparam, cast, func, null, or_, select
from sqlalchemy.types import Integer

from hksz_db.database import Prepared, prepare
from hksz_db.queries.compared import COMPARISONS, PAIR
from hksz_db.queries.comparisons import together
from hksz_db.queries.documents import Json, columns
from hksz_db.queries.filters import Condition, condition
from hksz_db.queries.pages import PageShape, gathered, row_count

_a, _b, _metric = PAIR.figure, PAIR.other, PAIR.metric


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
        .where(chosen, condition(shape.filters, COMPARISONS.filters))
    )


def page(shape: PageShape, of_figure: bool) -> Select[Any]:
    """One row that holds a page, as ``pages.page`` gives it, in the order of the two ids.

    Binds ``:figure`` where it is of one, ``:rows`` (one more than a page holds), the filters and
    the cursor's keys ``:c0`` and ``:c1``.
    """
    rows = pairs(shape, of_figure)
    if shape.after is not None:
        rows = rows.where(_after())
    ordered = rows.order_by(_a.c.id, _b.c.id).limit(bindparam("rows", type_=Integer()))
    numbered = _numbered(shape, ordered.subquery("page"))
    counted = row_count(pairs(shape, of_figure).subquery("every"))
    return gathered(numbered, null(), counted if shape.counted else null())


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
