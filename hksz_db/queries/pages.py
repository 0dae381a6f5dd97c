"""Statements that answer a request: one document, a page of them, counts.

Paging is keyset only (Winand, "no offset"): a page begins after the sort keys of the last row
of the page before, so that page 10,000 costs what page 1 costs.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    func,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import REAL

from hksz_db.database import Prepared, prepare
from hksz_db.queries.claims import CLAIMS
from hksz_db.queries.documents import Json, columns, expression, number
from hksz_db.queries.entities import ENTITIES
from hksz_db.queries.evidence import EVIDENCE
from hksz_db.queries.figures import FIGURES
from hksz_db.queries.filters import Condition, condition
from hksz_db.queries.metrics import METRICS
from hksz_db.queries.readable import Readable
from hksz_db.queries.resources import Search, SortKey
from hksz_db.queries.sources import SOURCES
from hksz_db.queries.units import UNITS

RESOURCES: Mapping[str, Readable] = {
    readable.name: readable
    for readable in (SOURCES, CLAIMS, ENTITIES, FIGURES, EVIDENCE, METRICS, UNITS)
}

RANKED = 1000
"""How many matches of a text search, the newest, are ranked."""

MAX_GROUPS = 1000
"""How many groups an aggregate returns, the largest."""


_COMMA: ColumnElement[Any] = literal_column("','")


@dataclass(frozen=True)
class PageShape:
    """All that decides the text of a page's statement, without the values.

    ``sort`` is pairs of a sort key's name and whether it descends, the id last; it is empty for
    the order by relevance. ``after`` says for each key of the cursor whether it has a value.
    """

    resource: str
    fields: tuple[str, ...]
    filters: tuple[Any, ...]
    searched: bool
    sort: tuple[tuple[str, bool], ...]
    after: tuple[bool, ...] | None
    counted: bool


@lru_cache(maxsize=512)
def document_statement(resource: str, fields: tuple[str, ...]) -> Prepared:
    """The prepared form of ``document``."""
    return prepare(document(RESOURCES[resource], fields))


@lru_cache(maxsize=64)
def part_statement(resource: str, name: str) -> Prepared:
    """The prepared form of ``part``."""
    return prepare(part(RESOURCES[resource], name))


@lru_cache(maxsize=1024)
def page_statement(shape: PageShape) -> Prepared:
    """The prepared form of ``page``."""
    return prepare(page(shape))


@lru_cache(maxsize=256)
def matches_statement(shape: PageShape) -> Prepared:
    """The prepared form of ``matches``, for the planner's estimate."""
    return prepare(matches(shape))


@lru_cache(maxsize=256)
def everything_statement(shape: PageShape) -> Prepared:
    """The prepared form of ``everything``."""
    return prepare(everything(shape))


@lru_cache(maxsize=512)
def groups_statement(shape: PageShape, group_by: tuple[str, ...]) -> Prepared:
    """The prepared form of ``groups``."""
    return prepare(groups(shape, group_by))


def document(readable: Readable, fields: tuple[str, ...]) -> Select[Any]:
    """One row by ``:id``: its version, whether it is deleted, what it was merged into, its JSON.

    The JSON holds the named fields.
    """
    return one(readable, as_json(readable, fields))


def part(readable: Readable, name: str) -> Select[Any]:
    """The same of one field alone, which is an object or an array."""
    return one(readable, expression(readable.document[name]))


def one(readable: Readable, content: ColumnElement[Any]) -> Select[Any]:
    """One row by ``:id``: version, whether it is deleted, what it was merged into, the content."""
    table = readable.table
    deleted = table.c.deleted_at.is_not(None)
    body = case((deleted, None), else_=content)
    redirect = readable.redirect.label("redirect_to")
    return select(table.c.version, deleted.label("deleted"), redirect, body.label("body")).where(
        table.c.id == bindparam("id", type_=Uuid())
    )


def as_json(readable: Readable, fields: tuple[str, ...]) -> ColumnElement[Any]:
    """The named fields of a row of the resource's table, as one JSON object."""
    chosen = {name: readable.document[name] for name in fields}
    row = select(*columns(chosen)).correlate(readable.table).subquery("d")
    return select(func.row_to_json(row.table_valued(), type_=Json())).scalar_subquery()


def matches(shape: PageShape) -> Select[Any]:
    """The ids of all live rows that meet the filters and the search (``:q``)."""
    readable = RESOURCES[shape.resource]
    return select(readable.table.c.id).where(*_conditions(readable, shape))


def _conditions(readable: Readable, shape: PageShape) -> list[ColumnElement[bool]]:
    table = readable.table
    conditions = [table.c.deleted_at.is_(None), condition(shape.filters, readable.targets)]
    if shape.searched:
        conditions.append(_found(readable))
    return conditions


def _query(search: Search) -> ColumnElement[Any]:
    configuration: ColumnElement[Any] = literal_column(f"'{search.configuration}'::regconfig")
    return func.websearch_to_tsquery(configuration, bindparam("q", type_=Text()))


def _found(readable: Readable) -> ColumnElement[bool]:
    search = readable.search
    assert search is not None
    if search.on is None:
        return _matches(search)
    return exists().where(search.on, _matches(search)).correlate(readable.table)


def _matches(search: Search) -> Condition:
    return search.vector.bool_op("@@")(_query(search))


def page(shape: PageShape) -> Select[Any]:
    """One row that holds a page: ``(items, cursor, ranked, total)``.

    ``items`` is the documents, separated by commas; ``cursor`` the sort keys of the last of them
    as a JSON array of texts, null on the last page; ``ranked`` how many matches were ranked
    (null when the order is not by relevance); ``total`` the exact count when it was asked for.
    Binds ``:rows`` (one more than a page holds) besides the filters, ``:q`` and the cursor's
    keys ``:c0, :c1, …``.
    """
    readable = RESOURCES[shape.resource]
    ranked = _ranked(readable, shape) if shape.searched and not shape.sort else None
    keys, rows = _keyed(readable, shape, ranked)
    numbered = _numbered(readable, shape, _page_rows(rows, keys, shape.after), keys)
    total = row_count(matches(shape).subquery()) if shape.counted else null()
    return gathered(numbered, null() if ranked is None else row_count(ranked), total)


def gathered(
    numbered: Subquery,
    ranked: ColumnElement[Any],
    total: ColumnElement[Any],
    elsewhere: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """The one row that ``page`` promises, from the rows of the page and of one more.

    ``numbered`` holds each one's ``body``, its ``cursor`` and its number ``n``, from 1. Where no
    more rows follow, ``elsewhere`` is the cursor to go on with.
    """
    last = bindparam("rows", type_=Integer()) - literal_column("1")
    items = func.string_agg(numbered.c.body, aggregate_order_by(_COMMA, numbered.c.n))
    final = func.max(numbered.c.cursor).filter(numbered.c.n == last)
    return select(
        type_coerce(items.filter(numbered.c.n <= last), Json()),
        case((func.count() > last, final), else_=elsewhere),
        ranked,
        total,
    ).select_from(numbered)


def row_count(rows: FromClause) -> ColumnElement[int]:
    """How many rows there are."""
    return select(func.count()).select_from(rows).scalar_subquery()


@dataclass(frozen=True)
class _Key:
    column: ColumnElement[Any]
    descending: bool
    nullable: bool

    @property
    def ordered(self) -> ColumnElement[Any]:
        ordered = self.column.desc() if self.descending else self.column.asc()
        # Said only where it matters: an index in the plain order must still fit the others.
        return ordered.nulls_last() if self.nullable else ordered

    def beyond(self, value: ColumnElement[Any]) -> Condition:
        further = self.column < value if self.descending else self.column > value
        return or_(further, self.column.is_(None)) if self.nullable else further


def _ranked(readable: Readable, shape: PageShape) -> CTE:
    search = readable.search
    assert search is not None
    rank: ColumnElement[Any] = _rank(search.vector, search)
    if search.on is None:
        fenced = _fenced(readable, shape, [search.vector.label("vector")])
        rank = _rank(literal_column("newest.vector"), search)
    else:
        best = select(func.max(rank, type_=REAL())).where(search.on, _matches(search))
        fenced = _fenced(readable, shape, [best.scalar_subquery().label("vector")])
        rank = literal_column("newest.vector", REAL())
    newest = select(fenced).order_by(fenced.c.id.desc()).limit(number(RANKED)).subquery("newest")
    return select(newest.c.id, rank.label("rank")).cte("ranked")


def _rank(vector: ColumnElement[Any], search: Search) -> ColumnElement[Any]:
    # Divided by the length: among names that hold the words the shortest is meant.
    return func.ts_rank(vector, _query(search), number(1), type_=REAL())


def _fenced(
    readable: Readable,
    shape: PageShape,
    extra: Sequence[ColumnElement[Any]],
    joined: Sequence[Condition] = (),
) -> Subquery:
    # Without the fence the planner walks the sort order's index and tests the text of each row.
    found = select(readable.table.c.id, *extra).where(*_conditions(readable, shape), *joined)
    return found.offset(number(0)).subquery("fenced")


def _page_rows(rows: Select[Any], keys: Sequence[_Key], after: tuple[bool, ...] | None) -> Subquery:
    texts = func.json_build_array(*(cast(key.column, Text) for key in keys))
    chosen = rows.with_only_columns(
        cast(texts, Text).label("cursor"),
        *(key.column.label(f"s{n}") for n, key in enumerate(keys)),
        maintain_column_froms=True,
    )
    if after is not None:
        chosen = chosen.where(_after(keys, after))
    ordered = chosen.order_by(*(key.ordered for key in keys))
    return ordered.limit(bindparam("rows", type_=Integer())).subquery("page")


def _keyed(
    readable: Readable, shape: PageShape, ranked: CTE | None
) -> tuple[list[_Key], Select[Any]]:
    if ranked is not None:
        keys = [_Key(ranked.c.rank, True, False), _Key(ranked.c.id, True, False)]
        return keys, select(ranked)
    sorts, joined = _sorts(readable, shape)
    if not shape.searched:
        keys = [_Key(sort.column, descending, sort.nullable) for sort, descending in sorts]
        return keys, select(readable.table.c.id).where(*_conditions(readable, shape), *joined)
    labels = [sort.column.label(f"k{n}") for n, (sort, _) in enumerate(sorts)]
    fenced = _fenced(readable, shape, labels, joined)
    keys = [
        _Key(fenced.c[f"k{n}"], descending, sort.nullable)
        for n, (sort, descending) in enumerate(sorts)
    ]
    return keys, select(fenced)


def _sorts(
    readable: Readable, shape: PageShape
) -> tuple[list[tuple[SortKey, bool]], list[Condition]]:
    """The sort keys with their directions, and what ties other tables' keys to the rows.

    The id is taken from beside such a key: one index then serves both, and where a page begins.
    """
    sorts = [(readable.sorts[name], descending) for name, descending in shape.sort]
    beside = [sort.id_beside for sort, _ in sorts if sort.id_beside is not None]
    if beside:
        *others, (_, descending) = sorts
        sorts = [*others, (SortKey(beside[0]), descending)]
    return sorts, [column == readable.table.c.id for column in beside]


def _after(keys: Sequence[_Key], present: Sequence[bool]) -> Condition:
    values = [
        cast(bindparam(f"c{n}", type_=Text()), key.column.type) if given else null()
        for n, (key, given) in enumerate(zip(keys, present, strict=True))
    ]
    directions = {key.descending for key in keys}
    if len(directions) == 1 and not any(key.nullable for key in keys):
        row, cursor = tuple_(*(key.column for key in keys)), tuple_(*values)
        return row < cursor if directions == {True} else row > cursor
    branches = []
    for n, key in enumerate(keys):
        if present[n]:
            equal = (
                earlier.column.is_not_distinct_from(value) if not given else earlier.column == value
                for earlier, value, given in zip(keys[:n], values, present, strict=False)
            )
            branches.append(and_(*equal, key.beyond(values[n])))
    return or_(*branches)


def _numbered(
    readable: Readable, shape: PageShape, rows: Subquery, keys: Sequence[_Key]
) -> Subquery:
    table = readable.table
    columns = [rows.c[f"s{n}"] for n in range(len(keys))]
    order = [replace(key, column=column).ordered for key, column in zip(keys, columns, strict=True)]
    return (
        select(
            cast(as_json(readable, shape.fields), Text).label("body"),
            rows.c.cursor,
            func.row_number().over(order_by=order).label("n"),
        )
        .select_from(rows.join(table, table.c.id == columns[-1]))
        .subquery("numbered")
    )


def everything(shape: PageShape) -> Select[Any]:
    """A row ``(document,)`` for each match, its JSON, in the order of ``shape.sort``.

    Binds the filters and ``:q``. The rows come as they are read: only their keys are sorted.
    """
    readable = RESOURCES[shape.resource]
    keys, rows = _keyed(readable, shape, None)
    # The fence keeps the documents out of the sorting: they are made one by one, when asked for.
    ordered = (
        rows.with_only_columns(
            *(key.column.label(f"s{n}") for n, key in enumerate(keys)), maintain_column_froms=True
        )
        .order_by(*(key.ordered for key in keys))
        .offset(number(0))
        .subquery("ordered")
    )
    columns = [ordered.c[f"s{n}"] for n in range(len(keys))]
    order = [replace(key, column=column).ordered for key, column in zip(keys, columns, strict=True)]
    made = select(as_json(readable, shape.fields)).where(readable.table.c.id == columns[-1])
    document = made.correlate(ordered).scalar_subquery()
    return select(document).select_from(ordered).order_by(*order)


def groups(shape: PageShape, group_by: tuple[str, ...]) -> Select[Any]:
    """One row: the groups as a JSON array, the largest first, and how many there are in all."""
    readable = RESOURCES[shape.resource]
    labelled = [readable.groups[name].label(name) for name in group_by]
    grouped = (
        select(*labelled, func.count().label("count"))
        .where(*_conditions(readable, shape))
        .group_by(*(readable.groups[name] for name in group_by))
        .order_by(literal_column('"count"').desc(), *(column.asc() for column in labelled))
        .limit(number(MAX_GROUPS))
        .subquery("grouped")
    )
    items = func.json_agg(func.row_to_json(grouped.table_valued()))
    return select(func.coalesce(items, literal_column("'[]'::json"), type_=Json()))
