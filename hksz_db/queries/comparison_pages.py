"""The statements that answer requests for comparisons: a page of them, and counts.

A page of all comparisons scans the figures in the order of their ids and looks up by index which
figures each can be compared with, until the page is full. Each pair comes once. A page ends after
``SCANNED`` figures even if it is not full, so that a rare verdict takes no longer than others.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    func,
    literal_column,
    select,
)

from hksz_db.database import Prepared, prepare
from hksz_db.models import Figure, table_of
from hksz_db.queries.comparisons import COMPARISONS, PAIR, together
from hksz_db.queries.documents import number, term
from hksz_db.queries.filters import condition
from hksz_db.queries.keysets import Key, Keyset, gathered, numbered, page_of
from hksz_db.queries.pages import PageShape, as_json, row_count

SCANNED = 2_000
"""The limit on the figures that are scanned for one page."""

_a, _b, _metric = PAIR.figure, PAIR.other, PAIR.metric
# An index finds the few figures that have one of these.
_SELECTIVE = {"metric", "metric_id", "subject_id", "claim_id"}
KEYSET = Keyset((Key(_a.c.id), Key(_b.c.id)), in_one_index=False)

_HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@lru_cache(maxsize=64)
def pairs_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """The ids of all pairs, for the planner's estimate."""
    return prepare(_pairs(shape, of_figure))


def _pairs(shape: PageShape, of_figure: bool) -> Select[Any]:
    # The first of a pair is the figure ``:figure``, or that with the lower id.
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


@lru_cache(maxsize=256)
def comparisons_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """One row that holds a page, as ``pages.page_statement`` gives it, in the order of the ids.

    If the scan ended before the page was full, the cursor continues after the last figure scanned.
    Binds the values of the filters, ``:figure`` if ``of_figure``, ``:rows`` (one more than a page
    holds) and the cursor's keys ``:c0`` and ``:c1``.
    """
    rows = _pairs(shape, of_figure)
    end = None if of_figure or _is_selective(shape) else _end_of_scan(shape)
    elsewhere = None
    if end is not None:
        keys = func.json_build_array(cast(end, Text), term(_HIGHEST))
        elsewhere = case((end.is_not(None), cast(keys, Text)))
        highest: ColumnElement[Any] = literal_column(f"'{_HIGHEST}'::uuid", Uuid())
        rows = rows.where(_a.c.id <= func.coalesce(end, highest))
    found = page_of(rows, KEYSET, shape.after)
    figure, other = (key.column for key in KEYSET.within(found).keys)
    joined = (
        found.join(_a, _a.c.id == figure)
        .join(_b, _b.c.id == other)
        .join(_metric, _metric.c.id == _a.c.metric_id)
    )
    counted = row_count(_pairs(shape, of_figure).subquery("every"))
    page = gathered(
        numbered(found, KEYSET, joined, as_json(COMPARISONS, shape.fields)),
        total=counted if shape.counted else None,
        elsewhere=elsewhere,
    )
    return prepare(page)


def _is_selective(shape: PageShape) -> bool:
    return any(
        part[0] == "criterion" and part[1] in _SELECTIVE and part[2] in {"eq", "in"}
        for part in shape.filters[1:]
    )


def _end_of_scan(shape: PageShape) -> ColumnElement[Any]:
    """The id of the figure at which the scan of this page ends; null if no more follow."""
    figures = table_of(Figure).alias()
    scanned = select(figures.c.id).where(figures.c.deleted_at.is_(None))
    if shape.after is not None:
        scanned = scanned.where(figures.c.id >= KEYSET.keys[0].bound(0))
    return scanned.order_by(figures.c.id).offset(number(SCANNED)).limit(number(1)).scalar_subquery()
