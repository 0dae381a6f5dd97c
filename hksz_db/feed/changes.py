"""The feed: which documents each transaction changed, in the order of the commits.

The first entries of a transaction are the documents whose own rows it wrote, as ``changes`` lists
them. Then come the documents that only show such a row, as a claim shows the names of entities
(``dependencies.py``). Each entry has the document as it is now, so a client that applies all
entries in order has the current documents in the end.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    ARRAY,
    CTE,
    BigInteger,
    Boolean,
    ColumnElement,
    DateTime,
    Integer,
    Text,
    Uuid,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    null,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.types import TypeEngine

from hksz_db.database import Prepared, prepare
from hksz_db.feed.dependencies import NIL_ID, affected_documents
from hksz_db.queries.documents import Group, Json, Node, expression, term, timestamp
from hksz_db.queries.pages import as_json
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES

STEPS = 200
"""How many transactions one page searches."""

SPAN = 2000
"""How many changes of a transaction are searched at a time for the documents that show them."""


@lru_cache(maxsize=1)
def horizon_statement() -> Prepared:
    """The horizon of the feed, and whether it may advance without a notification.

    One row: a moment, as text, such that no later statement sees new commits up to it; and whether
    a transaction is committing, or committed a moment ago.

    A committing transaction takes a lock that says since when, reads the latest commit, and stamps
    its own with a later moment than either (``models/history.py``). This statement takes its
    snapshot before it looks at the locks. Consider the commits that the snapshot lacks. Those that
    take their lock after the look read the snapshot's latest commit, or a later one, and get a
    later stamp. Those that hold their lock get no earlier stamp than it says. Those that have
    released it are visible to the next statement. Long transactions do not delay the feed. Clocks
    are not trusted, except for writers above READ COMMITTED: these do not see the latest commit, so
    only the clock stamps them.
    """
    settled = timestamp(literal_column("settled", DateTime(timezone=True)))
    horizon = text("""(
    SELECT LEAST(latest, since - interval '1 microsecond') AS settled,
        since IS NOT NULL
            OR COALESCE(latest > clock_timestamp() - interval '50 milliseconds', false) AS busy
    FROM (SELECT max(committed_at) AS latest FROM transactions) AS stamped,
        (SELECT min(since) AS since FROM committing('2020-01-01') AS since) AS held
) AS horizon""")
    return prepare(select(settled, literal_column("busy")).select_from(horizon))


@lru_cache(maxsize=64)
def changes_statement(resources: tuple[str, ...], documents: bool) -> Prepared:
    """A page of the feed with the entries of the named resources.

    One row: the entries as text, joined by ``:separator``; if more follow, the position of the last
    row that was searched, as a JSON array of texts; how many of ``STEPS`` transactions were
    searched, and the moment and the number of the last of them, as texts.

    Rows without an entry, such as rows that have been deleted since, count towards the page, so
    that its cost is bounded. It can therefore have fewer entries than were asked for, or none, and
    still say that more follow.

    A position consists of the moment and the number of a transaction, a stage in it (1: the rows
    that it wrote, 2: the documents that show them), a resource and an id, and the last changed row
    that was searched. The page begins after ``:at``, ``:transaction``, ``:stage``, ``:resource``,
    ``:id``, ``:changed_resource``, ``:changed_id``, and ends at ``:horizon``. ``:rows`` is one more
    than it holds.
    """
    entries = _entries(resources)
    rows = bindparam("rows", type_=Integer())
    on_page = entries.c.n < rows
    entry = cast(expression(_entry(entries, resources, documents)), Text)
    found = select(
        entries.c.n,
        entries.c.cut,
        case((and_(on_page, entries.c.op.is_not(None)), entry)).label("body"),
        case((on_page, cast(_position(entries), Text))).label("position"),
    ).subquery("found")
    separator = bindparam("separator", type_=Text())
    items = func.string_agg(found.c.body, aggregate_order_by(separator, found.c.n))
    positions = func.array_agg(aggregate_order_by(found.c.position, found.c.n))
    more = or_(func.count() == rows, func.bool_or(found.c.cut))
    last = func.least(func.count(), rows - literal_column("1"))
    steps = text(f"({_STEPS}) AS steps")
    newest = "(array_agg({} ORDER BY committed_at DESC, id DESC))[1]"
    at: ColumnElement[Any] = literal_column(newest.format("committed_at"))
    number: ColumnElement[Any] = literal_column(newest.format("id"))
    return prepare(
        select(
            type_coerce(items, Json()),
            case((more, type_coerce(positions, ARRAY(Text()))[last])),
            select(func.count()).select_from(steps).scalar_subquery(),
            select(timestamp(at)).select_from(steps).scalar_subquery(),
            select(cast(number, Text)).select_from(steps).scalar_subquery(),
        ).select_from(found),
        generic_plan=True,
    )


def _position(entries: CTE) -> ColumnElement[Any]:
    stage = func.least(entries.c.stage, literal_column("2"))
    found = entries.c
    keys = (found.transaction, stage, found.resource, found.id)
    changed = (found.changed_resource, found.changed_id)
    texts = (timestamp(found.at), *(cast(key, Text) for key in (*keys, *changed)))
    return func.json_build_array(*texts)


def _entry(entries: CTE, resources: tuple[str, ...], documents: bool) -> Group:
    mergeable = [name for name in resources if RESOURCES[name].can_be_merged]
    found: dict[str, Node] = {
        "resource": entries.c.resource,
        "id": entries.c.id,
        "version": _of_row(entries, resources, lambda readable: readable.table.c.version),
        "op": entries.c.op,
        "at": timestamp(entries.c.at),
        "transaction": cast(entries.c.transaction, Text),
        "actor": entries.c.actor,
        "merged_into": _of_row(entries, mergeable, lambda readable: readable.redirect),
    }
    if documents:
        found["document"] = _of_row(entries, resources, _document)
    return Group(found)


def _of_row(
    entries: CTE, resources: Iterable[str], value: Callable[[Readable], ColumnElement[Any]]
) -> ColumnElement[Any]:
    """A value of the entry's row, by a subquery for each resource: a join might read all rows."""
    cases = []
    for name in resources:
        readable = RESOURCES[name]
        of_row = select(value(readable)).where(readable.table.c.id == entries.c.id)
        found = of_row.correlate(entries).scalar_subquery()
        cases.append((entries.c.resource == term(name), found))
    return case(*cases) if cases else null()


def _document(readable: Readable) -> ColumnElement[Any]:
    live = readable.table.c.deleted_at.is_(None)
    fields = (*readable.fields, *readable.read_embeds)
    return case((live, as_json(readable, fields)), else_=null())


def _entries(resources: tuple[str, ...]) -> CTE:
    """The rows of a page and the one after it, numbered from 1.

    A row without an operation has no entry. The rows after a ``cut`` are not complete, so it is the
    last.
    """
    bound = ("stage", "resource", "id", "changed_resource", "changed_id")
    return (
        text(_NUMBERED.format(rows=_rows(resources)))
        .bindparams(*(bindparam(name, type_=_COLUMNS[name]) for name in bound))
        .bindparams(bindparam("rows", type_=Integer()))
        .columns(*(column(name, kind) for name, kind in _COLUMNS.items()))
        .cte("entries")
    )


_COLUMNS: Mapping[str, TypeEngine[Any]] = {
    "at": DateTime(timezone=True),
    "transaction": BigInteger(),
    "actor": Text(),
    "stage": Integer(),
    "resource": Text(),
    "id": Uuid(),
    "op": Text(),
    "changed_resource": Text(),
    "changed_id": Uuid(),
    "cut": Boolean(),
    "n": BigInteger(),
}
_NIL_ID = f"'{NIL_ID}'::uuid"
_STEPS = f"""
    SELECT id, committed_at, actor FROM transactions
    WHERE (committed_at, id) >= (CAST(:at AS timestamptz), CAST(:transaction AS bigint))
        AND committed_at <= CAST(:horizon AS timestamptz)
    ORDER BY committed_at, id LIMIT {STEPS}
"""
_NUMBERED = f"""
SELECT {", ".join(_COLUMNS)} FROM (
    SELECT *, row_number() OVER feed AS n,
        count(*) FILTER (WHERE cut) OVER (
            feed ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS cuts
    FROM ({{rows}}) AS found WINDOW feed AS (ORDER BY at, transaction, stage, resource, id)
) AS numbered
WHERE cuts = 0
"""


def _rows(resources: tuple[str, ...]) -> str:
    written = " UNION ALL ".join(
        f"({of_it(name)})" for name in resources for of_it in (_written, _from_beginning)
    )
    return f"""
SELECT step.committed_at AS at, step.id AS transaction, step.actor,
    entry.stage, entry.resource, entry.id, entry.op, entry.changed_resource, entry.changed_id,
    entry.cut
FROM ({_STEPS}) AS step, LATERAL (
    SELECT
        CASE WHEN step.id = :transaction THEN :stage ELSE 0 END AS stage,
        CASE WHEN step.id = :transaction THEN :resource ELSE '' END AS resource,
        CASE WHEN step.id = :transaction THEN :id ELSE {_NIL_ID} END AS id,
        CASE WHEN step.id = :transaction THEN :changed_resource ELSE '' END AS changed_resource,
        CASE WHEN step.id = :transaction THEN :changed_id ELSE {_NIL_ID} END AS changed_id
    OFFSET 0
) AS after, LATERAL (
    WITH written AS (
        SELECT 1 AS stage, resource, id, op, after.changed_resource, after.changed_id, false AS cut
        FROM ({written}) AS found
        WHERE after.stage <= 1
        ORDER BY resource, id LIMIT :rows
    )
    SELECT * FROM written
    {_affected(resources)}
    ORDER BY stage, resource, id LIMIT :rows
) AS entry
ORDER BY at, transaction, stage, resource, id LIMIT :rows
"""


def _affected(resources: tuple[str, ...]) -> str:
    """The documents that show rows that the transaction wrote, if the page goes so far.

    ``SPAN`` changes are searched at a time. Then the page ends, and the next one goes on with the
    changes that follow.
    """
    affected = affected_documents(resources)
    if affected is None:
        return ""
    following = """
        SELECT resource, resource_id AS id, {} AS goes_on FROM changes
        WHERE transaction_id = step.id
            AND (resource, resource_id) > (after.changed_resource, after.changed_id)
        ORDER BY resource {}, resource_id {} {} LIMIT 1
    """
    return f"""
    UNION ALL
    SELECT entry.* FROM (
        SELECT * FROM (
            ({following.format("true", "", "", f"OFFSET {SPAN - 1}")})
            UNION ALL
            ({following.format("false", "DESC", "DESC", "")})
        ) AS ends
        WHERE after.stage <= 2 AND (SELECT count(*) FROM written) < :rows
        ORDER BY goes_on DESC LIMIT 1
    ) AS span, LATERAL (
        SELECT 2 AS stage, affected.resource, affected.id, affected.op,
            after.changed_resource, after.changed_id, affected.cut
        FROM ({affected}) AS affected
        UNION ALL
        SELECT 3, '', {_NIL_ID}, NULL, span.resource, span.id, true WHERE span.goes_on
    ) AS entry
    """


def _written(resource: str) -> str:
    """The rows that the transaction wrote, or recorded as due.

    It goes from one row to the next in the order of their ids, and no further than a page: a
    transaction can have written millions.
    """
    following = f"""
                SELECT resource_id AS id FROM changes
                WHERE transaction_id = step.id AND resource = '{resource}' AND resource_id > {{}}
                ORDER BY resource_id LIMIT 1
    """
    return f"""
        SELECT '{resource}' AS resource, id, op FROM (
            WITH RECURSIVE row_of AS (
                ({following.format(_id_after(resource))})
                UNION ALL
                SELECT next.id FROM row_of, LATERAL ({following.format("row_of.id")}) AS next
            )
            SELECT row_of.id, {_operation(resource)} AS op
            FROM row_of, LATERAL (
                SELECT bool_or(operation = 'due') AS due,
                    bool_or(table_name = '{resource}' AND operation <> 'due') AS itself
                FROM changes
                WHERE transaction_id = step.id AND resource = '{resource}'
                    AND resource_id = row_of.id
                OFFSET 0
            ) AS of_row
            OFFSET 0
        ) AS found
        WHERE '{resource}' >= after.resource LIMIT :rows
    """


def _id_after(resource: str) -> str:
    """The id after which the page begins, where it may begin within the resource."""
    return f"(CASE after.resource WHEN '{resource}' THEN after.id ELSE {_NIL_ID} END)"


def _operation(resource: str) -> str:
    """The operation of an entry: whether the row was live before, and is afterwards.

    It is null for a row that was dead before and after, and for one that has been deleted since, if
    only its parts were written: the deletion has an entry of its own. The fences have the rows
    looked up one by one.
    """
    live = "id = row_of.id AND deleted_at IS NULL"
    present = f"SELECT FROM {resource} WHERE {live} AND written_in = step.id OFFSET 0"
    later = f"SELECT FROM past.{resource} WHERE {live} AND written_in = step.id OFFSET 0"
    before = f"EXISTS (SELECT FROM past.{resource} WHERE {live} AND ended_in = step.id OFFSET 0)"
    return f"""CASE
            WHEN NOT of_row.itself THEN (
                SELECT CASE WHEN of_row.due THEN 'due' ELSE 'update' END
                FROM {resource} WHERE {live}
            )
            WHEN EXISTS ({present}) OR EXISTS ({later}) THEN CASE
                WHEN of_row.due THEN 'due' WHEN {before} THEN 'update' ELSE 'create'
            END
            WHEN {before} THEN 'delete'
        END"""


def _from_beginning(resource: str) -> str:
    """The entries of transaction 0: the rows that existed when the history began, and are live.

    A row that has not been changed since is in the table itself, any other in its twin. Both have a
    partial index for this (``models/base.py`` and ``models/history.py``).
    """
    after = f"step.id = 0 AND '{resource}' >= after.resource AND id > {_id_after(resource)}"
    live = f"SELECT FROM {resource} WHERE id = was.id AND deleted_at IS NULL OFFSET 0"
    return f"""
        SELECT '{resource}', id, op FROM (
            (
                SELECT id, 'create' AS op FROM {resource}
                WHERE {after} AND written_in = 0 AND deleted_at IS NULL
                ORDER BY id LIMIT :rows
            )
            UNION ALL
            (
                SELECT id, CASE WHEN EXISTS ({live}) THEN 'create' END FROM past.{resource} AS was
                WHERE {after} AND written_in = 0
                ORDER BY id LIMIT :rows
            )
        ) AS found
    """
