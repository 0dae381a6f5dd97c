"""The statements that answer requests for comparisons: a page of them, and counts.

A page of all comparisons scans the figures in the order of their ids and looks up by index which
figures each can be compared with, until the page is full. Each pair comes once. A page ends after
``SCANNED`` figures or ``PAIRED`` pairs even if it is not full, so that a rare verdict takes no
longer than others.
"""

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from functools import lru_cache
from typing import Any
from uuid import UUID

from sqlalchemy import (
    CTE,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Label,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal_column,
    select,
    true,
    union_all,
)
from sqlalchemy.sql.util import ClauseAdapter

from hksz_db.database import Prepared, prepare
from hksz_db.queries.comparisons import (
    CLAIM_OF_PAIR,
    COMPARISONS,
    PAIR,
    comparable,
    not_compared,
    related,
    together,
)
from hksz_db.queries.documents import Json, SqlValue, array, number, term
from hksz_db.queries.filters import (
    Condition,
    Plain,
    Shape,
    Target,
    condition,
    conjunction,
    required,
)
from hksz_db.queries.keysets import Key, Keyset, first_of, gathered, numbered, page_of
from hksz_db.queries.pages import PageShape, as_json, row_count
from hksz_db.queries.verdicts import Pair

SCANNED = 2_000
"""The limit on the figures that are scanned for one page."""
PAIRED = 5_000
"""The limit on the pairs with equal metric and subject that are compared for one page or count."""
COUNTED = 2_000
"""The limit on the pairs of a metric or subject that are counted: they grow with its square."""

_a, _b, _metric = PAIR.figure, PAIR.other, PAIR.metric
_IDS = (_a.c.id.label("figure_id"), _b.c.id.label("other_id"))
_COMMON = {"metric", "metric_id", "subject_id"}
# An index finds the few figures that have one of these.
_SELECTIVE = {*_COMMON, "claim_id"}
# Without the way from a claim to what its figures can be compared with.
_TARGETS_OF_PAIR = {**COMPARISONS.targets, "claim_id": CLAIM_OF_PAIR}
KEYSET = Keyset((Key(_a.c.id), Key(_b.c.id)), in_one_index=False)

_NULL = literal_column("'null'::json", Json())
_HIGHEST = "ffffffff-ffff-ffff-ffff-ffffffffffff"


@lru_cache(maxsize=64)
def pairs_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """The ids of all pairs, for the planner's estimate."""
    return prepare(_pairs(shape, of_figure))


def _pairs(shape: PageShape, of_figure: bool) -> Select[UUID, UUID]:
    return (
        select(*_IDS)
        .select_from(together(PAIR))
        .where(_is_chosen(of_figure), condition(shape.filters, COMPARISONS.targets))
    )


def _of_one(
    shape: PageShape, of_figure: bool, columns: Sequence[ColumnElement[Any]], on: Condition
) -> FromClause:
    """Columns of the pairs that meet a condition and the filters, where ``_is_of_one``."""
    met = condition(shape.filters, _TARGETS_OF_PAIR)
    pairs = select(*columns).select_from(together(PAIR, on)).where(_is_chosen(of_figure), met)
    return (pairs if of_figure else _of_claims(shape, pairs)).subquery("of_one")


def _of_claims(shape: PageShape, pairs: Select[Any]) -> CompoundSelect[Any]:
    """The pairs of which the first figure is of the claims, or only the other.

    Each part begins with the figures of the claims. With OR, all figures that one of them can be
    compared with would be paired.
    """
    leaf = next(leaf for leaf in required(shape.filters) if _leads_to_few(*leaf[:2], {"claim_id"}))
    first, other = (
        and_(*conjunction([(Plain(figure.c.claim_id), *leaf[1:])])) for figure in (_a, _b)
    )
    return union_all(pairs.where(first), pairs.where(other, ~first))


def _is_chosen(of_figure: bool) -> Condition:
    """The first of a pair is the figure ``:figure``, or that with the lower id."""
    if of_figure:
        return and_(_a.c.id == bindparam("figure", type_=Uuid()), _b.c.id != _a.c.id)
    return _b.c.id > _a.c.id


def _is_of_the_same() -> Condition:
    return and_(_b.c.metric_id == _a.c.metric_id, _b.c.subject_id == _a.c.subject_id)


def _labelled(first: FromClause = _a, other: FromClause = _b) -> list[Label[Any]]:
    """The columns of the first of a pair, named ``a_…``, and of the other, named ``b_…``."""
    parts = {"a": first, "b": other}
    return [each.label(f"{name}_{each.name}") for name, part in parts.items() for each in part.c]


def _are_compared(shape: PageShape, pairs: Subquery) -> Condition:
    """Whether a pair with ``_labelled`` columns is compared and meets the filters."""
    met = and_(comparable(PAIR), condition(shape.filters, COMPARISONS.targets))
    # A CASE hides the condition from the planner, which would expect that one pair meets it,
    # and would compare all pairs before it returns the first.
    return ClauseAdapter(pairs).traverse(case((met, true()), else_=false()))


@lru_cache(maxsize=64)
def not_compared_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """How many pairs are not compared for each reason, as a JSON array.

    The list must be one that ``counts_not_compared``. For more than ``COUNTED`` pairs of a metric
    or a subject, the result is the JSON null.
    """
    if _is_of_one(shape, of_figure):
        reason = not_compared(PAIR).label("reason")
        counted = _counted(_of_one(shape, of_figure, [reason], related(PAIR)))
        return prepare(select(_listed(counted)), generic_plan=True)
    near = _near(shape)
    rows = near.join(_a, _a.c.id == near.c.figure_id).join(_b, _b.c.id == near.c.other_id)
    pairs = (
        select(not_compared(PAIR).label("reason"))
        .select_from(rows.join(_metric, _metric.c.id == _a.c.metric_id))
        .where(related(PAIR), condition(shape.filters, COMPARISONS.targets))
    )
    reasons = select(_listed(_counted(pairs.subquery("found")))).scalar_subquery()
    return prepare(select(case((row_count(near) > number(COUNTED), _NULL), else_=reasons)))


def _near(shape: PageShape) -> CTE:
    """Up to one more than ``COUNTED`` pairs of figures with the metric or the subject."""
    figures = _figures(replace(shape, after=None)).order_by(None)
    first = figures.offset(number(0)).subquery("first")
    other = _others(first).offset(number(0)).lateral("next")
    columns = (first.c.id.label("figure_id"), other.c.id.label("other_id"))
    return select(*columns).join(other, true()).limit(number(COUNTED + 1)).cte("near")


def counted_reasons(pairs: Select[UUID, UUID], pair: Pair, at_most: int) -> Prepared:
    """How many of the pairs are not compared for each reason, as a JSON array.

    For more than ``at_most`` pairs, the result is the JSON null.
    """
    few = pairs.limit(number(at_most + 1))
    counted = _counted(few.add_columns(not_compared(pair).label("reason")).subquery("found"))
    is_too_many = func.sum(counted.c.count) > number(at_most)
    return prepare(select(case((is_too_many, _NULL), else_=_listed(counted))))


def _counted(found: FromClause) -> Subquery:
    """How many of the pairs are not compared for each ``reason``, most first."""
    return (
        select(found.c.reason, func.count().label("count"))
        .group_by(found.c.reason)
        .order_by(func.count().desc(), found.c.reason)
        .subquery("counted")
    )


def _listed(counted: Subquery) -> SqlValue:
    row = func.json_build_object(term("reason"), counted.c.reason, term("count"), counted.c.count)
    return array(func.json_agg(row, type_=Json()).filter(counted.c.reason.is_not(None)))


def counts_not_compared(shape: PageShape, of_figure: bool) -> bool:
    """Whether a list says what was not compared.

    That takes all pairs: those of a figure, a claim, a metric or a subject.
    """
    narrowed = of_figure or _is_selective(shape, _SELECTIVE)
    return narrowed and "verdict" not in set(_names(shape.filters))


def _is_of_one(shape: PageShape, of_figure: bool) -> bool:
    """Whether the pairs are those of the figures of few claims, whose number grows linearly."""
    return of_figure or _is_selective(shape, {"claim_id"})


def _names(filters: Shape) -> Iterator[str]:
    if isinstance(filters, tuple) and filters[0] == "criterion":
        yield str(filters[1])
    elif isinstance(filters, tuple):
        for part in filters[1:]:
            yield from _names(part)


@lru_cache(maxsize=256)
def comparisons_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """One row that holds a page, as ``pages.page_statement`` gives it, in the order of the ids.

    If the scan ended before the page was full, the cursor continues after the last figure scanned.
    Binds the values of the filters, ``:figure`` if ``of_figure``, ``:rows`` (one more than a page
    holds) and the cursor's keys ``:c0`` and ``:c1``.
    """
    elsewhere = None
    if _is_of_one(shape, of_figure):
        pairs = _of_one(shape, of_figure, _IDS, comparable(PAIR))
        keyset = KEYSET.on([pairs.c.figure_id, pairs.c.other_id])
        found = page_of(select(pairs), keyset, shape.after)
    else:
        end = _end_of_scan(shape)
        scanned = _scanned(shape, end)
        rows = select(scanned).join(_metric, _metric.c.id == scanned.c.a_metric_id)
        rows = rows.where(_are_compared(shape, scanned))
        found = first_of(rows, KEYSET.on([scanned.c.a_id, scanned.c.b_id]), None).subquery("page")
        elsewhere = _next_scan(scanned, end)
    figure, other = (key.column for key in KEYSET.within(found).keys)
    joined = (
        found.join(_a, _a.c.id == figure)
        .join(_b, _b.c.id == other)
        .join(_metric, _metric.c.id == _a.c.metric_id)
    )
    body = as_json(COMPARISONS, shape.fields)
    return prepare(gathered(numbered(found, KEYSET, joined, body), elsewhere=elsewhere))


@lru_cache(maxsize=64)
def count_statement(shape: PageShape, of_figure: bool) -> Prepared:
    """A row ``(count, all)``: how many comparisons there are, and whether all pairs were compared.

    No more than ``PAIRED`` pairs are. Binds the values of the filters, and ``:figure`` if
    ``of_figure``.
    """
    on = and_(_is_of_the_same(), _a.c.deleted_at.is_(None), _b.c.deleted_at.is_(None))
    most = number(PAIRED + 1)
    rows = select(*_labelled()).select_from(together(PAIR, on)).where(_is_chosen(of_figure))
    if _is_of_one(shape, of_figure) and not of_figure:
        of_pair = _led_to(shape, _SELECTIVE, _TARGETS_OF_PAIR)
        pairs = _of_claims(shape, rows.where(*of_pair)).limit(most).subquery("pairs")
    else:
        pairs = rows.where(*_led_to(shape, _SELECTIVE)).limit(most).subquery("pairs")
    met = _are_compared(shape, pairs)
    row = select(func.count().filter(met), func.count() <= number(PAIRED))
    return prepare(row.select_from(pairs.join(_metric, _metric.c.id == pairs.c.a_metric_id)))


def _led_to(
    shape: PageShape,
    names: AbstractSet[str],
    targets: Mapping[str, Target] = COMPARISONS.targets,
) -> list[Condition]:
    """Those filters of a shape that have one of the names, and that all pairs must meet."""
    return conjunction(
        [
            (targets[name], operator, parameter)
            for name, operator, parameter in required(shape.filters)
            if name in names
        ]
    )


def _is_selective(shape: PageShape, names: AbstractSet[str]) -> bool:
    return any(
        part[0] == "criterion" and _leads_to_few(str(part[1]), str(part[2]), names)
        for part in shape.filters[1:]
    )


def _leads_to_few(name: str, operator: str, names: AbstractSet[str]) -> bool:
    return name in names and operator in {"eq", "in"}


def _scanned(shape: PageShape, end: SqlValue) -> Subquery:
    """The next pairs of figures with equal metric and subject, with ``_labelled`` columns.

    Each figure is looked at by itself: the planner cannot tell how many pairs there are, and would
    form and sort all of them.
    """
    highest: ColumnElement[Any] = literal_column(f"'{_HIGHEST}'::uuid", Uuid())
    figures = _figures(shape).where(_a.c.id <= func.coalesce(end, highest))
    first = figures.limit(number(SCANNED + 1)).subquery("first")
    other = _others(first).offset(number(0)).lateral("next")
    keyset = KEYSET.on([first.c.id, other.c.id])
    pairs = select(*_labelled(first, other)).select_from(first.join(other, true()))
    if shape.after is not None:
        pairs = pairs.where(keyset.after(shape.after))
    return pairs.order_by(*keyset.order_by()).limit(number(PAIRED)).subquery("scanned")


def _figures(shape: PageShape) -> Select[Any]:
    """The figures to scan in their order, from that of the cursor."""
    common = _led_to(shape, _COMMON)
    figures = select(_a).where(_a.c.deleted_at.is_(None), *common).order_by(_a.c.id)
    if shape.after is not None:
        figures = figures.where(_a.c.id >= KEYSET.keys[0].bound(0))
    return figures.join(_metric, _metric.c.id == _a.c.metric_id)


def _others(first: FromClause) -> Select[Any]:
    """The later figures with the metric and the subject of a figure."""
    same = ClauseAdapter(first).traverse(_is_of_the_same())
    # Not as a bound on an index: one of all figures of a subject would be scanned.
    follows = (_b.c.id > first.c.id).is_(true())
    return select(_b).where(same, follows, _b.c.deleted_at.is_(None)).correlate(first)


def _next_scan(scanned: Subquery, end: SqlValue) -> SqlValue:
    """The keys after which the next page continues; null if no more figures follow."""
    keys = KEYSET.on([scanned.c.a_id, scanned.c.b_id])
    last = select(keys.cursor()).order_by(*keys.order_by()).offset(number(PAIRED - 1))
    of_end = cast(func.json_build_array(cast(end, Text), term(_HIGHEST)), Text)
    return func.coalesce(last.scalar_subquery(), case((end.is_not(None), of_end)))


def _end_of_scan(shape: PageShape) -> SqlValue:
    """The id of the figure at which the scan of this page ends; null if no more follow."""
    figures = _figures(shape).with_only_columns(_a.c.id, maintain_column_froms=True)
    return figures.offset(number(SCANNED)).limit(number(1)).scalar_subquery()
