"""The statements that answer requests: a document, a page of documents, groups and counts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    CTE,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    Subquery,
    Table,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    exists,
    false,
    func,
    literal_column,
    not_,
    null,
    or_,
    select,
    text,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import REGCLASS
from sqlalchemy.dialects.postgresql import array as array_of
from sqlalchemy.sql.util import ClauseAdapter
from sqlalchemy.types import REAL

from hksz_db.database import Prepared, prepare
from hksz_db.domain.search_terms import EXCLUDED
from hksz_db.queries.cells import Path, cells
from hksz_db.queries.derivation import table_behind
from hksz_db.queries.documents import Json, SqlValue, array, columns, expression, number, term
from hksz_db.queries.filters import (
    EVERYTHING,
    Condition,
    Exists,
    InSubquery,
    Leaf,
    Relation,
    Shape,
    Target,
    condition,
    has_few_values,
    is_flat,
    is_hard_to_estimate,
    is_in_one_index,
    latest_beginning,
    of_few_rows,
    on_parts,
    required,
    tells_live_parts,
)
from hksz_db.queries.keysets import Key, Keyset, first_of, gathered, numbered, page_of
from hksz_db.queries.readable import Joined, Queryable, Readable, Search
from hksz_db.queries.registry import RESOURCES

RANKED = 1000
"""The number of matches of a search that are ranked: the newest."""

MAX_GROUPS = 1000
"""The limit on the groups that an aggregate returns: the largest."""

LARGE = 200_000
"""The number of rows from which on the index is not always the fastest way to search a table."""

PROBED = 300
"""The number of rows, the newest, that tell whether a search may find many."""

SAMPLED = 1_000
"""The number of rows, the newest, that tell how many it finds, if it may find many."""

SEARCHED = 20_000
"""The number of rows, the newest, in which a search that finds many is done first."""

WALKED = 2_000
"""The number of rows, the next in the order of a list, among which its page is looked for first."""

WALKED_IN_PAST = 500
"""The same number for a list as of an earlier moment: each of them may have earlier versions."""

WALKED_IN_SEARCH = 5_000
"""The same number for a search that finds many: to read all of them takes longer."""

LOOKED_UP = 12_000
"""The number of rows that are looked up, the next in the order, if another table has their ids."""

SORTED = 100_000
"""The number of ids from which on it takes too long to sort them."""


_RELEVANCE = Keyset(
    (
        Key(literal_column("ranked.rank", REAL()), descending=True),
        Key(literal_column("ranked.id", Uuid()), descending=True),
    )
)


@dataclass(frozen=True)
class PageShape:
    """Everything that decides the text of a page's statement, without the values.

    ``sort`` is pairs of a sort key's name and whether it descends, the id last; it is empty for
    the order by relevance. ``after`` says for each key of the cursor whether it has a value.
    ``past`` is whether the page is asked for as of a moment.
    """

    resource: str
    fields: tuple[str, ...]
    filters: Shape
    searched: bool
    sort: tuple[tuple[str, bool], ...]
    after: tuple[bool, ...] | None
    counted: bool
    past: bool = False

    @property
    def matching(self) -> "PageShape":
        """The shape of all matches, which is the same for every page of a list."""
        return replace(self, fields=(), sort=(), after=None, counted=False, past=False)


@lru_cache(maxsize=512)
def document_statement(resource: str, fields: tuple[str, ...]) -> Prepared:
    """The named fields of a row as JSON, as ``one`` returns them."""
    readable = RESOURCES[resource]
    return prepare(one(readable, as_json(readable, fields)))


@lru_cache(maxsize=64)
def part_statement(resource: str, name: str) -> Prepared:
    """One field of a row, an object or an array, as ``one`` returns it."""
    readable = RESOURCES[resource]
    return prepare(one(readable, expression(readable.document[name])))


@lru_cache(maxsize=64)
def written_statement(resource: str) -> Prepared:
    """The answer to a write without its rare embeds, as ``one`` returns it, and which it may have.

    PostgreSQL prepares to read each embed, which takes long even if there are no rows.
    """
    readable = RESOURCES[resource]
    fields = tuple(name for name in readable.written if name not in readable.rare_embeds)
    return prepare(
        one(readable, as_json(readable, fields)).add_columns(*readable.rare_embeds.values())
    )


def one(readable: Readable, content: SqlValue) -> Select[int, bool, UUID | None, object]:
    """The row ``:id``: its version, whether it is deleted, the id of its redirect, the content."""
    table = readable.table
    deleted = table.c.deleted_at.is_not(None)
    body = case((deleted, None), else_=content)
    redirect = readable.redirect.label("redirect_to")
    return select(table.c.version, deleted.label("deleted"), redirect, body.label("body")).where(
        table.c.id == bindparam("id", type_=Uuid())
    )


def as_json(queryable: Queryable, fields: tuple[str, ...]) -> SqlValue:
    """The named fields of a row as a JSON object."""
    document = queryable.document
    row = select(*columns({name: document[name] for name in fields})).correlate_except(None)
    rows = row.subquery("d")
    return select(func.row_to_json(rows.table_valued(), type_=Json())).scalar_subquery()


@lru_cache(maxsize=256)
def matches_statement(shape: PageShape) -> Prepared:
    """The ids of all matches, for the planner's estimate."""
    return prepare(_matching(shape, estimated=True))


def _matching(shape: PageShape, *, estimated: bool = False) -> Select[UUID]:
    readable = RESOURCES[shape.resource]
    conditions = _conditions(readable, shape, estimated=estimated)
    return select(readable.table.c.id).where(*conditions)


def _conditions(
    readable: Readable,
    shape: PageShape,
    *,
    estimated: bool = False,
    targets: Mapping[str, Target] | None = None,
) -> list[ColumnElement[bool]]:
    table = readable.table
    # The planner estimates alternatives that it sees side by side.
    some_of = or_ if estimated else partial(_found_by_one, table)
    filters = condition(shape.filters, targets or readable.targets, some_of)
    conditions = [table.c.deleted_at.is_(None), filters]
    if shape.searched:
        conditions.append(is_found(readable, estimated=estimated))
    return conditions


def _found_by_one(table: FromClause, *alternatives: Condition) -> Condition:
    """Whether a row is among those that meet one of the conditions: each is looked up by itself.

    With OR in its place the planner would test every row.
    """
    found = []
    for each in alternatives:
        rows = table.alias()
        found.append(select(rows.c.id).where(ClauseAdapter(rows).traverse(each)))
    return table.c.id.in_(union(*found))


def _query(search: Search) -> SqlValue:
    terms = bindparam("q", type_=ARRAY(Text()))
    return func.search_query(terms, true() if search.stemmed else false())


def _query_once(search: Search) -> SqlValue:
    """The query in a subquery: a generic plan would make it anew for every row."""
    return select(_query(search)).scalar_subquery()


def is_found(readable: Readable, *, estimated: bool = False) -> ColumnElement[bool]:
    """Whether a row is found by the terms ``:q``."""
    search = readable.search
    assert search is not None
    # The planner estimates a query that it knows.
    query = _query(search) if estimated else _query_once(search)
    if search.on is None:
        return _matches(search, query)
    return exists().where(search.on, _matches(search, query)).correlate(readable.table)


def _matches(search: Search, query: SqlValue) -> Condition:
    return search.vector.bool_op("@@")(query)


@lru_cache(maxsize=1024)
def page_statement(shape: PageShape) -> Prepared:
    """One row that holds a page, as ``keysets.gathered`` describes it.

    ``ranked`` is how many matches were ranked, or null if the order is not by relevance; ``total``
    is the exact count, or null if it was not asked for. Binds the values of the filters, ``:q``,
    ``:rows`` (one more than a page holds) and the cursor's keys ``:c0, :c1, …``.
    """
    readable = RESOURCES[shape.resource]
    ranked = _ranked(readable, shape) if shape.searched and not shape.sort else None
    total = _total(readable, shape) if shape.counted else None
    if ranked is None and _is_walked_first(readable, shape):
        keyset = keyset_of(shape.resource, shape.sort)
        every = None
        if total is not None and _is_read_once(readable, shape):
            fenced = _fenced(readable, shape, keyset.labelled("k"), _joined(readable, shape))
            every = select(fenced).cte("every")
            total = row_count(every)
        found = _walked_first(readable, shape, keyset, every)
    else:
        keyset, rows = _keyed(readable, shape, ranked)
        found = (_in_parts if keyset.has_parts else page_of)(rows, keyset, shape.after)
    id = keyset.within(found).keys[-1].column
    joined = found.join(readable.table, readable.table.c.id == id)
    page = gathered(
        numbered(found, keyset, joined, as_json(readable, shape.fields)),
        ranked=None if ranked is None else row_count(ranked),
        total=total,
    )
    return prepare(page)


def row_count(rows: FromClause) -> ColumnElement[int]:
    """How many rows there are."""
    return select(func.count()).select_from(rows).scalar_subquery()


def _is_read_once(readable: Readable, shape: PageShape) -> bool:
    """Whether the rows that are counted can also be those in which the page is looked for."""
    if shape.searched or shape.after is not None or _in_subqueries(readable, shape):
        return False
    if _is_known(readable, shape):
        return False
    return _total_of_parts(readable, shape) is None


def _is_known(readable: Readable, shape: PageShape) -> bool:
    """Whether an index tells which rows match, and the planner knows how many do."""
    further = readable.table.c.deleted_at.key
    return is_in_one_index(shape.filters, readable.targets, further) and has_few_values(
        shape.filters, readable.targets
    )


def _total(readable: Readable, shape: PageShape) -> ColumnElement[int]:
    """How many rows match."""
    of_parts = _total_of_parts(readable, shape)
    if of_parts is not None:
        return of_parts
    found = row_count(_matching(shape).subquery())
    search = readable.search
    if not shape.searched or search is None or search.on is not None:
        return found
    # No index finds rows without a word, but one finds those with it.
    every = _matching(replace(shape.matching, searched=False))
    excluded = every.where(_matches(search, select(_query_of_excluded(search)).scalar_subquery()))
    is_rest = select(_only_excludes(search)).scalar_subquery()
    rest = row_count(every.subquery()) - row_count(excluded.subquery())
    return case((is_rest, rest), else_=found)


def _only_excludes(search: Search) -> Condition:
    """Whether rows are found only by the terms that they lack, and by any at all."""
    asked = func.unnest(bindparam("q", type_=ARRAY(Text()))).column_valued("asked")
    is_excluded = func.coalesce(func.starts_with(asked, term(EXCLUDED)), false())
    all_are = select(func.bool_and(is_excluded)).scalar_subquery()
    return and_(all_are, func.numnode(_query(search)) > number(0))


def _query_of_excluded(search: Search) -> SqlValue:
    """The query for rows with any of the terms that are excluded."""
    asked = func.unnest(bindparam("q", type_=ARRAY(Text()))).column_valued("asked")
    stemmed = true() if search.stemmed else false()
    own = func.search_query(array_of([asked]), stemmed)
    alternatives = func.unnest(array_of([func.ltrim(asked, term(EXCLUDED)), null()]))
    # Words that are in no index exclude nothing.
    terms = select(alternatives).where(func.numnode(own) > number(0))
    return func.search_query(func.array(terms.scalar_subquery()), stemmed)


def _total_of_parts(readable: Readable, shape: PageShape) -> ColumnElement[int] | None:
    """How many rows match, if rows of one other table tell it."""
    if shape.searched or not is_flat(shape.filters):
        return None
    leaves = [
        (readable.targets[name], operator, parameter)
        for name, operator, parameter in required(shape.filters)
    ]
    match leaves:
        case [(Exists(relation), "null", _)] if (
            lacking := _lacking(readable, relation)
        ) is not None:
            (id,) = lacking.selected_columns
            rows = readable.table.alias()
            is_deleted = exists().where(rows.c.id == id, rows.c.deleted_at.is_not(None))
            of_deleted = lacking.where(is_deleted.correlate_except(rows))
            return row_count(lacking.subquery()) - row_count(of_deleted.subquery())
        case [(Exists() as target, "null", name)]:
            # Those that have parts take less time to count than those that have none.
            having = owners_of_parts(readable, [(target, "present", name)])
            everything = replace(shape.matching, filters=EVERYTHING)
            if having is not None:
                every = row_count(_matching(everything).subquery())
                return every - row_count(having.subquery())
        case [(InSubquery(found=found, holds=holds), operator, name)] if holds is not None:
            # It takes less time to test the deleted rows than to look all others up.
            table = readable.table
            deleted = select(table.c.id).where(table.c.deleted_at.is_not(None))
            found_deleted = deleted.where(holds(operator, name)).subquery()
            every = row_count(found(operator, name).distinct().subquery())
            return every - row_count(found_deleted)
    owners = owners_of_parts(readable, leaves)
    return None if owners is None else row_count(owners.subquery())


def owners_of_parts(readable: Readable, leaves: Sequence[Leaf]) -> Select[UUID] | None:
    """The ids of the rows that meet all criteria, each once, if those of one table decide alone.

    It takes less time to leave out those of deleted rows than to look all rows up.
    """
    table = readable.table.alias()
    match leaves:
        case [(InSubquery(key, found), operator, parameter)] if key is readable.table.c.id:
            ids = found(operator, parameter)
            (id,) = ids.selected_columns
            # The planner expects few ids, and would look each of them up.
            rows = select(table.c.id).where(table.c.deleted_at.is_not(None))
            deleted = rows.cte("deleted").prefix_with("MATERIALIZED")
            of_deleted = exists().where(deleted.c.id == id).correlate_except(deleted)
            return ids.where(~of_deleted).distinct().add_cte(deleted, nest_here=True)
    parts = on_parts(leaves)
    if parts is None:
        return None
    relation, conditions = parts
    owner = relation.part_of
    assert owner is not None
    ids = select(owner).where(*conditions)
    if "deleted_at" in relation.table.c:
        ids = ids.where(relation.table.c.deleted_at.is_(None))
    else:
        of_deleted = exists().where(table.c.id == owner, table.c.deleted_at.is_not(None))
        ids = ids.where(~of_deleted.correlate(relation.table))
    is_unique = [column.key for column in relation.table.primary_key] == [owner.key]
    return ids if is_unique else ids.distinct()


def _in_parts(rows: Select[Any], keyset: Keyset, after: Sequence[bool] | None) -> Subquery:
    """The page as ``page_of`` finds it: of rows that have the first key, then of the others."""

    def first(absent: bool, *conditions: Condition) -> Select[Any]:
        part, belongs = keyset.part(absent=absent)
        follows = after if after is None or after[0] is not absent else None
        return first_of(rows.where(belongs, *conditions), part, follows)

    if after is not None and not after[0]:
        return first(True).subquery("page")
    beginning = first(False).cte("beginning")
    is_full = row_count(beginning) == bindparam("rows", type_=Integer())
    both = union_all(select(beginning), first(True, ~is_full)).subquery("both")
    ordered = select(both).order_by(*keyset.within(both).order_by())
    return ordered.limit(bindparam("rows", type_=Integer())).subquery("page")


def _ranked(readable: Readable, shape: PageShape) -> CTE:
    search = readable.search
    assert search is not None
    vector = search.vector
    if search.on is not None:
        best = func.max(_rank(vector, search), type_=REAL())
        vector = (
            select(best).where(search.on, _matches(search, _query_once(search))).scalar_subquery()
        )
    fenced = _fenced(readable, shape, [vector.label("vector")])
    if search.on is None and shape.filters == EVERYTHING:
        newest = newest_found(readable.table, search, fenced, RANKED, SEARCHED)
    else:
        newest = newest_of(fenced, RANKED).subquery("newest")
    rank = _rank(newest.c.vector, search) if search.on is None else newest.c.vector
    return select(newest.c.id, rank.label("rank")).cte("ranked")


def newest_of(found: FromClause, most: int) -> Select[Any]:
    """At most ``most`` of the rows, the newest."""
    return select(found).order_by(found.c.id.desc()).limit(number(most))


def newest_found(
    table: FromClause, search: Search, found: Subquery, most: int, searched: int
) -> Subquery:
    """At most ``most`` of the rows of a table that are found, the newest.

    The index gives all rows that hold a word. If many do, the newest are found sooner by going
    through ``searched`` rows, the newest first. The columns are those of ``found``.
    """
    is_frequent = _is_frequent(table, search, number(most), searched)
    names = found.c.keys()
    walked = newest_of(_among(table, search, searched, names, is_frequent), most).cte("near")
    is_full = row_count(walked) == number(most)
    far = newest_of(found, most).where(~is_full)
    return union_all(select(walked).where(is_full), far).subquery("newest")


def _is_frequent(table: FromClause, search: Search, wanted: SqlValue, among: int) -> Condition:
    """Whether so many of the newest rows are found that ``wanted`` are among the next ``among``.

    It is not asked of a table that is not ``LARGE``.
    """
    probed, sampled = (row_count(_among(table, search, rows, ["id"])) for rows in (PROBED, SAMPLED))
    # Searches for rare words, which are most, read few rows. Half of what is expected of frequent
    # words is what hardly any of them falls short of by chance.
    return case(
        (not_(_is_large(table)), false()),
        (probed * number(2 * among) < wanted * number(PROBED), false()),
        else_=sampled * number(among) >= wanted * number(SAMPLED),
    )


def _is_large(table: FromClause) -> Condition:
    """Whether a table had ``LARGE`` rows when PostgreSQL last counted them; -1 are none."""
    assert isinstance(table, Table)
    counted: ColumnElement[float] = literal_column("reltuples", REAL())
    relation = cast(term(f"public.{table.name}"), REGCLASS)
    row = select(counted).select_from(text("pg_class")).where(literal_column("oid") == relation)
    return row.scalar_subquery() >= number(LARGE)


def _among(
    table: FromClause, search: Search, rows: int, names: Sequence[str], *conditions: Condition
) -> Subquery:
    """The live ones of the newest rows that are found: their columns, which can be ``vector``."""
    read = {**table.c, "vector": search.vector.label("vector")}
    needed = dict.fromkeys([*names, "deleted_at", "vector"])
    last = select(*(read[name] for name in needed)).where(*conditions)
    newest = last.order_by(table.c.id.desc()).limit(number(rows)).subquery()
    is_match = newest.c.vector.bool_op("@@")(_query_once(search))
    found = select(*(newest.c[name] for name in names))
    return found.where(newest.c.deleted_at.is_(None), is_match).subquery()


def _is_walked_first(readable: Readable, shape: PageShape) -> bool:
    if shape.searched:
        return True
    if _is_known(readable, shape):
        return False
    # Counts correlate less with other columns than dates do. Of the past, there are no statistics.
    is_known = shape.sort[0][0] == "id" or bool(_foreign_ids(readable, shape.sort))
    by_id = is_known and not shape.past
    return is_hard_to_estimate(shape.filters, readable.targets, by_id=by_id)


def _walked_first(
    readable: Readable, shape: PageShape, keyset: Keyset, every: FromClause | None
) -> Subquery:
    """The page as ``page_of`` finds it: among the next rows in the order, else anyhow.

    If many rows match, they are among the next ones. If few do, they are found by the indexes of
    the filters, and sorted. The planner cannot tell which it is where the columns of the filters go
    with the order, and would walk through all rows. ``every`` holds all of them, if they are
    counted, too.
    """
    joined = _joined(readable, shape)
    absent = shape.after is not None and not shape.after[0]
    part, belongs = keyset.part(absent=absent) if keyset.has_parts else (keyset, true())
    bounds = [*joined, belongs, _bound_of_walk(readable, shape)]
    if shape.after is not None:
        bounds.append(part.after(shape.after))
        joined.append(keyset.after(shape.after))
    matching = [condition(shape.filters, of_few_rows(readable.targets))]
    walked_rows = WALKED_IN_PAST if shape.past else WALKED
    if shape.searched:
        matching.append(is_found(readable))
    if shape.searched and readable.search is not None and readable.search.on is None:
        walked_rows = WALKED_IN_SEARCH
        wanted = bindparam("rows", type_=Integer())
        bounds.append(_is_frequent(readable.table, readable.search, wanted, walked_rows))
    # If a subquery finds little, it takes less time to begin there.
    bounds += [~_finds_fewer(WALKED, *leaf) for leaf in _in_subqueries(readable, shape)]
    following, order = _following(readable, part, walked_rows, *bounds)
    rows = select(following).where(*map(ClauseAdapter(following).traverse, matching))
    walked = first_of(rows, order, None).cte("walked")
    stages = [(walked, _is_full(walked))]
    if (ids := _ids_to_look_up(readable, shape, keyset)) is not None:
        stages.append(_looked_up(readable, shape, ids, joined, ~_is_full(walked)))
    if every is None:
        every = _fenced(readable, shape, keyset.labelled("k"), joined)
    others = first_of(
        select(every).where(*(~holds_page for _, holds_page in stages)),
        keyset.within(every, "k"),
        None,
    )
    found_before = [select(stage).where(holds_page) for stage, holds_page in stages]
    return union_all(*found_before, others).subquery("page")


def _is_full(page: FromClause) -> Condition:
    """Whether as many rows were found as a page needs."""
    return row_count(page) == bindparam("rows", type_=Integer())


def _ids_to_look_up(readable: Readable, shape: PageShape, keyset: Keyset) -> CTE | None:
    """The first ids, in the order of the list, among which those of all rows that match are.

    Tables other than that of the rows tell them. There are none if the order is not that of ids.
    """
    found = None if shape.searched else _found_elsewhere(readable, shape)
    if found is None or len(keyset.keys) > 1:
        return None
    (id,) = found.subquery().c
    of_id = keyset.on([id])
    ids = select(id.label("id")).order_by(*of_id.order_by())
    if shape.after is not None:
        ids = ids.where(of_id.after(shape.after))
    return ids.limit(number(LOOKED_UP)).cte("ids")


def _found_elsewhere(readable: Readable, shape: PageShape) -> Select[UUID] | None:
    for target, operator, parameter in _in_subqueries(readable, shape):
        found = target.found(operator, parameter)
        return found.where(_finds_fewer(SORTED, target, operator, parameter)).distinct()
    leaves = [(readable.targets[name], operator) for name, operator, _ in required(shape.filters)]
    match leaves:
        case [(Exists(relation), "null")] if is_flat(shape.filters):
            lacking = _lacking(readable, relation)
            return (
                _once_lacking(readable, relation) if lacking is not None and shape.past else lacking
            )
    return None


def _lacking(readable: Readable, relation: Relation) -> Select[UUID] | None:
    """The ids of all rows without a part, also of deleted ones, if indexes alone tell them."""
    owner = relation.part_of
    if owner is None or not tells_live_parts(relation):
        return None
    rows = readable.table.alias()
    belongs = ClauseAdapter(rows).traverse(relation.on)
    return select(rows.c.id).where(~exists().where(belongs).correlate_except(relation.table))


def _once_lacking(readable: Readable, relation: Relation) -> Select[UUID]:
    """The ids of all rows that may have lacked a part as of the moment.

    They lack it now, or have one that was written since, or are no longer there. To look up the
    versions of all rows and parts takes many times as long.
    """
    owner, part = relation.part_of, table_behind(relation.table)
    assert owner is not None
    changed = "id" if part.name in RESOURCES else owner.name
    is_live = "part.deleted_at IS NULL" if "deleted_at" in part.c else "true"
    ids = f"""
        SELECT id FROM public.{readable.name} AS own WHERE NOT EXISTS (
            SELECT FROM public.{part.name} AS part WHERE {owner.name} = own.id AND {is_live}
        )
        UNION SELECT {owner.name} FROM public.changes
            JOIN public.{part.name} AS part ON part.{changed} = resource_id
        WHERE table_name = '{part.name}' AND (
            transaction_id > current_setting('hksz.as_of')::bigint
            OR transaction_id = ANY (current_setting('hksz.as_of_missing')::bigint[])
        )
        UNION SELECT id FROM past.{readable.name} AS earlier
        WHERE NOT EXISTS (SELECT FROM public.{readable.name} AS own WHERE own.id = earlier.id)
    """
    found = text(ids).columns(id=Uuid()).subquery("once_lacking")
    return select(found.c.id)


def _looked_up(
    readable: Readable,
    shape: PageShape,
    ids: CTE,
    joined: Sequence[Condition],
    is_needed: Condition,
) -> tuple[CTE, Condition]:
    """The page as ``first_of`` finds it among the rows with the ids, and whether it is the page.

    They are looked up one by one until there are enough, whatever the planner expects.
    """
    conditions = _conditions(readable, shape, targets=of_few_rows(readable.targets))
    each = select(readable.table.c.id).where(readable.table.c.id == ids.c.id, *conditions, *joined)
    rows = select(ids.c.id).join_from(ids, each.offset(number(0)).lateral(), true())
    order = keyset_of(shape.resource, shape.sort).on([ids.c.id])
    page = first_of(rows.where(is_needed), order, None).cte("looked_up")
    can_be_sorted = (_finds_fewer(SORTED, *leaf) for leaf in _in_subqueries(readable, shape))
    are_all = and_(row_count(ids) < number(LOOKED_UP), *can_be_sorted)
    return page, is_needed & (_is_full(page) | are_all)


def _in_subqueries(readable: Readable, shape: PageShape) -> list[tuple[InSubquery, str, str]]:
    """The criteria that all rows must meet and that single rows can be tested for."""
    required_leaves = [
        (readable.targets[name], operator, parameter)
        for name, operator, parameter in required(shape.filters)
    ]
    return [
        (target, operator, parameter)
        for target, operator, parameter in required_leaves
        if isinstance(target, InSubquery) and target.holds is not None
    ]


def _finds_fewer(most: int, target: InSubquery, operator: str, parameter: str) -> Condition:
    """Whether a subquery finds fewer rows than so many."""
    some = target.found(operator, parameter).limit(number(most)).subquery()
    return row_count(some) < number(most)


def _following(
    readable: Readable, keyset: Keyset, rows: int, *conditions: Condition
) -> tuple[Subquery, Keyset]:
    """The next live rows in an order, and the keys among their columns.

    The planner sees that the rows are in their order if each key is one of their columns, once.
    """
    columns: dict[ColumnElement[Any], str] = {each: each.name for each in readable.table.c}
    for key, label in zip(keyset.keys, keyset.labelled("w"), strict=True):
        columns.setdefault(key.column, label.name)
    following = (
        select(*(column.label(name) for column, name in columns.items()))
        .where(readable.table.c.deleted_at.is_(None), *conditions)
        .order_by(*keyset.order_by())
        .limit(number(rows))
        .subquery("following")
    )
    return following, keyset.on([following.c[columns[key.column]] for key in keyset.keys])


def _bound_of_walk(readable: Readable, shape: PageShape) -> Condition:
    """Whether the walk may begin at a row. Dates without a first day come last in every order."""
    column = readable.table.c.get(shape.sort[0][0])
    if column is None:
        return true()
    return latest_beginning(shape.filters, readable.targets, column)


def _rank(vector: SqlValue, search: Search) -> SqlValue:
    # Divided by the length: among names that hold the words the shortest is meant.
    return func.ts_rank(vector, _query_once(search), number(1), type_=REAL())


def _fenced(
    readable: Readable,
    shape: PageShape,
    extra: Sequence[SqlValue],
    joined: Sequence[Condition] = (),
) -> Subquery:
    # Without the fence the planner walks the sort order's index and tests the text of each row.
    found = select(readable.table.c.id, *extra).where(*_conditions(readable, shape), *joined)
    return found.offset(number(0)).subquery("fenced")


def _keyed(readable: Readable, shape: PageShape, ranked: CTE | None) -> tuple[Keyset, Select[Any]]:
    """The keys of the shape's rows, and a query of the rows."""
    keyset = keyset_of(shape.resource, shape.sort)
    if ranked is not None:
        return keyset, select(ranked)
    joined = _joined(readable, shape)
    if not shape.searched:
        conditions = _conditions(readable, shape)
        if is_hard_to_estimate(shape.filters, readable.targets, by_id=True):
            conditions.append(_is_any(readable.table, conditions))
        return keyset, select(readable.table.c.id).where(*conditions, *joined)
    fenced = _fenced(readable, shape, keyset.labelled("k"), joined)
    return keyset.within(fenced, "k"), select(fenced)


def _is_any(table: FromClause, conditions: Sequence[Condition]) -> Condition:
    """Whether any row meets the conditions: a walk to those that do would not end otherwise."""
    rows = table.alias()
    return exists().where(ClauseAdapter(rows).traverse(and_(*conditions))).correlate_except(rows)


def _joined(readable: Readable, shape: PageShape) -> list[Condition]:
    """The conditions that join the tables of foreign sort keys to the rows."""
    return [column == readable.table.c.id for column in _foreign_ids(readable, shape.sort)]


@lru_cache(maxsize=512)
def keyset_of(resource: str, sort: tuple[tuple[str, bool], ...]) -> Keyset:
    """The keys of a resource's rows in an order, which is by relevance if ``sort`` is empty."""
    if not sort:
        return _RELEVANCE
    readable = RESOURCES[resource]
    keys = [replace(readable.sorts[name], descending=descending) for name, descending in sort]
    for column in _foreign_ids(readable, sort)[:1]:
        # The id of the table that has the other key: one index then serves both.
        keys[-1] = replace(keys[-1], column=column)
    return Keyset(tuple(keys))


def _foreign_ids(
    readable: Readable, sort: tuple[tuple[str, bool], ...]
) -> list[ColumnElement[Any]]:
    """The columns that join the tables of foreign sort keys to the rows."""
    columns = (readable.sorts[name].foreign_id for name, _ in sort)
    return [column for column in columns if column is not None]


@lru_cache(maxsize=256)
def everything_statement(shape: PageShape) -> Prepared:
    """A row ``(document,)`` for each match, its JSON, in the order of ``shape.sort``.

    Binds the filters and ``:q``. The rows are streamed: only their keys are sorted.
    """
    readable = RESOURCES[shape.resource]
    ordered, keys = _ordered(readable, shape)
    of_row = readable.table.c.id == keys.keys[-1].column
    made = select(as_json(readable, shape.fields)).where(of_row)
    document = made.correlate(ordered).scalar_subquery()
    return prepare(select(document).select_from(ordered).order_by(*keys.order_by()))


@lru_cache(maxsize=256)
def cells_statement(shape: PageShape, paths: tuple[Path, ...]) -> Prepared:
    """A row for each match with the values at the paths, as ``cells`` returns them.

    Binds what ``everything_statement`` binds, and has its order.
    """
    readable = RESOURCES[shape.resource]
    ordered, keys = _ordered(readable, shape)
    rows = ordered.join(readable.table, readable.table.c.id == keys.keys[-1].column)
    return prepare(cells(readable.document, rows, paths).order_by(*keys.order_by()))


@lru_cache(maxsize=256)
def referred_statement(
    shape: PageShape, relation: str, reference: str, resource: str, fields: tuple[str, ...]
) -> Prepared:
    """A row ``(document,)`` for each row of ``resource`` that parts of the matches refer to.

    The parts are the rows of a relation, and ``reference`` is their column with the other row's id.
    Each row comes once, at the place of the first match that has it. Binds what
    ``everything_statement`` binds.
    """
    readable, other = RESOURCES[shape.resource], RESOURCES[resource]
    _, keys = _ordered(readable, shape)
    parts = readable.relations[relation]
    place = func.row_number().over(order_by=keys.order_by())
    matches = select(keys.keys[-1].column.label("id"), place.label("place")).subquery("matches")
    id = parts.table.c[reference].label("id")
    first = func.min(matches.c.place).label("place")
    referred = (
        select(id, first)
        .select_from(matches)
        .join(readable.table, readable.table.c.id == matches.c.id)
        .join(parts.table, parts.on)
        .group_by(id)
        .order_by(first, id)
        .offset(number(0))
        .subquery("referred")
    )
    of_row = other.table.c.id == referred.c.id
    document = select(as_json(other, fields)).where(of_row).correlate(referred).scalar_subquery()
    order = (referred.c.place, referred.c.id)
    return prepare(select(document).select_from(referred).order_by(*order))


def _ordered(readable: Readable, shape: PageShape) -> tuple[Subquery, Keyset]:
    """The keys of all matches in the order of ``shape.sort``."""
    keyset, rows = _keyed(readable, shape, None)
    # The fence keeps the documents out of the sorting: each is made when it is fetched.
    ordered = (
        rows.with_only_columns(*keyset.labelled(), maintain_column_froms=True)
        .order_by(*keyset.order_by())
        .offset(number(0))
        .subquery("ordered")
    )
    return ordered, keyset.within(ordered)


def _grouped(
    readable: Readable, shape: PageShape, groups: Sequence[ColumnElement[Any] | Joined]
) -> tuple[FromClause, list[Condition]]:
    """The rows that are counted in the groups, and the conditions on them."""
    is_everything = not shape.searched and shape.filters == EVERYTHING
    match groups:
        case [Joined(column, on, is_complete=True)] if is_everything:
            # It takes less time to leave out the deleted rows than to look all others up.
            of_deleted = exists().where(on, readable.table.c.deleted_at.is_not(None))
            return column.table, [~of_deleted.correlate(column.table)]
    rows: FromClause = readable.table
    for group in groups:
        if isinstance(group, Joined):
            rows = rows.outerjoin(group.column.table, group.on)
    return rows, _conditions(readable, shape)


@lru_cache(maxsize=512)
def groups_statement(shape: PageShape, group_by: tuple[str, ...]) -> Prepared:
    """One row: the groups and their sizes as a JSON array, the largest first."""
    readable = RESOURCES[shape.resource]
    groups = [readable.groups[name] for name in group_by]
    rows, conditions = _grouped(readable, shape, groups)
    columns = [group.column if isinstance(group, Joined) else group for group in groups]
    labelled = [column.label(name) for column, name in zip(columns, group_by, strict=True)]
    grouped = (
        select(*labelled, func.count().label("count"))
        .select_from(rows)
        .where(*conditions)
        .group_by(*columns)
        .order_by(literal_column('"count"').desc(), *(column.asc() for column in labelled))
        .limit(number(MAX_GROUPS))
        .subquery("grouped")
    )
    return prepare(select(array(func.json_agg(func.row_to_json(grouped.table_valued())))))
