"""The feed: which documents each transaction changed, in the order of the commits.

The first entries of a transaction are the documents whose own rows it wrote, as ``changes`` lists
them. Then come the documents that only show such a row, as a claim shows the names of entities
(``dependencies.py``). Each entry has the document as it is now, so a client that applies all
entries in order has the current documents in the end.
"""

from functools import lru_cache
from typing import Any

from sqlalchemy import (
    CTE,
    TIMESTAMP,
    BigInteger,
    ColumnElement,
    Integer,
    Text,
    and_,
    bindparam,
    case,
    cast,
    column,
    func,
    literal_column,
    select,
    text,
)

from hksz_db.database import Prepared, prepare
from hksz_db.feed.dependencies import NIL_ID, affected_documents, shown_in
from hksz_db.models import table_of
from hksz_db.models.history import Transaction
from hksz_db.queries.documents import Group, Json, Node, SqlValue, expression, term, timestamp
from hksz_db.queries.keysets import Key, Keyset, gathered
from hksz_db.queries.pages import as_json
from hksz_db.queries.registry import RESOURCES

STEPS = 200
"""How many transactions one page searches."""

SPAN = 2000
"""How many changes of a transaction are searched at a time for the documents that show them."""


_POSITION = ("at", "transaction", "stage", "resource", "id", "changed_resource", "changed_id")
_COLUMNS = (*_POSITION, "actor", "op", "cut", "n")

KEYSET = Keyset(
    (
        Key(timestamp(column("at"))),
        Key(column("transaction")),
        # The row after a span has stage 3, and the next page goes on with stage 2.
        Key(func.least(column("stage"), literal_column("2"))),
        *(Key(column(name)) for name in _POSITION[3:]),
    )
)
"""The fields of a ``Position`` in the feed."""

_TIMELINE: ColumnElement[str] = literal_column("timeline")
_NIL_ID = f"'{NIL_ID}'::uuid"
_TRANSACTIONS = """
    SELECT id, committed_at, actor FROM transactions
    WHERE (committed_at, id) >= (CAST(:at AS timestamptz), CAST(:transaction AS bigint))
        AND (committed_at, id) <= (CAST(:horizon AS timestamptz), CAST(:last AS bigint))
    ORDER BY committed_at, id
"""

# Requests may be spread over replicas that have got differently far.
_REACHES = """
    NOT pg_is_in_recovery() OR COALESCE(
        CAST(:horizon AS timestamptz)
            <= (SELECT settled FROM feed_horizons ORDER BY settled DESC LIMIT 1),
        false
    )
"""


@lru_cache(maxsize=1)
def horizon_statement() -> Prepared:
    """The horizon of the feed, whether it may advance without a notification, and the timeline.

    One row: a moment, as text, such that no later statement sees new commits up to it; whether a
    transaction is committing, or committed a moment ago; and the number of the timeline of commits
    that the server is on. ``docs/explanation/replicas.md`` says why this is so.
    """
    found = text("feed_horizon() AS found (settled, busy, timeline)")
    moment: ColumnElement[Any] = literal_column("settled")
    return prepare(
        select(timestamp(moment).label("settled"), literal_column("busy"), _TIMELINE).select_from(
            found
        )
    )


@lru_cache(maxsize=1)
def mark_statement() -> Prepared:
    """What a cursor says about the history up to ``:at``: timeline, horizon, digest; as texts."""
    base: ColumnElement[Any] = literal_column("base")
    found = text("feed_mark(CAST(:at AS timestamptz)) AS found (timeline, base, digest)")
    return prepare(select(_TIMELINE, timestamp(base), literal_column("digest")).select_from(found))


@lru_cache(maxsize=1)
def has_statement() -> Prepared:
    """The timeline of the server, and whether its history is that of a cursor up to ``:at``.

    ``:timeline``, ``:base`` and ``:digest`` are the mark of the cursor. The second value is null if
    it cannot be told yet.
    """
    at, timeline, base, digest = (
        bindparam(name, type_=Text()) for name in ("at", "timeline", "base", "digest")
    )
    moments = TIMESTAMP(timezone=True)
    has_it = func.feed_has(cast(at, moments), timeline, cast(base, moments), digest)
    here = text("feed_horizon() AS here (settled, busy, timeline)")
    return prepare(select(_TIMELINE, has_it).select_from(here))


@lru_cache(maxsize=1)
def moment_statement() -> Prepared:
    """One row, the moment at which ``:transaction`` was committed, as text; or none."""
    rows = table_of(Transaction)
    return prepare(
        select(timestamp(rows.c.committed_at)).where(
            rows.c.id == bindparam("transaction", type_=BigInteger()),
            rows.c.committed_at.is_not(None),
        )
    )


@lru_cache(maxsize=64)
def changes_statement(resources: tuple[str, ...], documents: bool, expand: bool) -> Prepared:
    """A page of the feed with the entries of the named resources.

    With ``expand``, the documents that show a changed row have entries of their own, and otherwise
    the entry of that row says in which resources they are.

    One row, as ``keysets.gathered`` describes it, with the entries joined by ``:separator``, and
    in place of a rank whether the server knows all commits up to the horizon. If more entries
    follow, the cursor is that of the last row that was searched, or only the moment and the number
    of the last of ``STEPS`` transactions.

    Rows without an entry, such as rows that have been deleted since, count towards the page, so
    that its cost is bounded. It can therefore have fewer entries than were asked for, or none, and
    still say that more follow.

    A position consists of the moment and the number of a transaction, a stage in it (1: the rows
    that it wrote, 2: the documents that show them), a resource and an id, and the last changed row
    that was searched. The page begins after ``:at``, ``:transaction``, ``:stage``, ``:resource``,
    ``:id``, ``:changed_resource``, ``:changed_id``, and ends with the transaction ``:last`` at
    ``:horizon``. ``:rows`` is one more than it holds.
    """
    searched = text(_entries(resources, expand=expand))
    entries = searched.columns(*map(column, _COLUMNS)).cte("entries")
    on_page = and_(entries.c.n < bindparam("rows", type_=Integer()), entries.c.op.is_not(None))
    of_resource = (
        (
            entries.c.resource == term(name),
            _entry(entries, name, documents, () if expand else resources),
        )
        for name in resources
    )
    found = select(
        entries.c.n,
        entries.c.cut,
        case((on_page, case(*of_resource))).label("body"),
        KEYSET.cursor().label("cursor"),
    ).subquery("found")
    last_step = text(f"({_TRANSACTIONS} OFFSET {STEPS - 1} LIMIT 1) AS step (transaction, at)")
    after_steps = select(Keyset(KEYSET.keys[:2]).cursor()).select_from(last_step).scalar_subquery()
    page = gathered(
        found,
        ranked=select(text(_REACHES)).scalar_subquery(),
        elsewhere=func.coalesce(func.max(found.c.cursor).filter(found.c.cut), after_steps),
        separator=bindparam("separator", type_=Text()),
    )
    return prepare(page, generic_plan=True)


def _entry(entries: CTE, resource: str, documents: bool, showing: tuple[str, ...]) -> SqlValue:
    """The entry of a row, which may be gone, by a subquery: a join might read all rows.

    It says which of the resources ``showing`` have documents that may show what was changed.
    """
    readable = RESOURCES[resource]
    table = readable.table
    fields: dict[str, Node] = {
        "resource": entries.c.resource,
        "id": entries.c.id,
        "version": table.c.version,
        "op": entries.c.op,
        "at": timestamp(entries.c.at),
        "transaction": cast(entries.c.transaction, Text),
        "actor": entries.c.actor,
        "merged_into": readable.redirect,
    }
    if showing:
        fields["shown_in"] = literal_column(_shown_in(resource, showing), Json())
    if documents:
        live = and_(table.c.id.is_not(None), table.c.deleted_at.is_(None))
        document = as_json(readable, (*readable.fields, *readable.read_embeds))
        fields["document"] = case((live, document))
    once = select().subquery("once")
    row = once.outerjoin(table, table.c.id == entries.c.id)
    entry = select(cast(expression(Group(fields)), Text)).select_from(row)
    return entry.correlate(entries).scalar_subquery()


def _shown_in(resource: str, showing: tuple[str, ...]) -> str:
    """A JSON array of those of the resources that may show what an entry says was changed."""
    of_entry = (
        "transaction_id = entries.transaction AND resource = entries.resource"
        " AND resource_id = entries.id"
    )
    found = ", ".join(
        f"CASE WHEN bool_or({condition}) THEN '{name}' END"
        for name, condition in shown_in(resource, showing).items()
    )
    if not found:
        return "'[]'::json"
    return f"(SELECT to_json(array_remove(ARRAY[{found}], NULL)) FROM changes WHERE {of_entry})"


def _entries(resources: tuple[str, ...], *, expand: bool) -> str:
    """The rows of a page and the one after it, numbered from 1.

    A row without an operation has no entry. The rows after a ``cut`` are not complete, so it is the
    last.
    """
    written = " UNION ALL ".join(
        f"({of_it(name)})" for name in resources for of_it in (_written, _from_beginning)
    )
    return f"""
SELECT * FROM (
    SELECT *, row_number() OVER feed AS n,
        count(*) FILTER (WHERE cut) OVER (
            feed ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS cuts
    FROM (
        SELECT step.committed_at AS at, step.id AS transaction, step.actor, entry.*
        FROM ({_TRANSACTIONS} LIMIT {STEPS}) AS step, LATERAL (
            SELECT
                CASE WHEN step.id = :transaction THEN :stage ELSE 0 END AS stage,
                CASE WHEN step.id = :transaction THEN :resource ELSE '' END AS resource,
                CASE WHEN step.id = :transaction THEN :id ELSE {_NIL_ID} END AS id,
                CASE WHEN step.id = :transaction THEN :changed_resource ELSE '' END
                    AS changed_resource,
                CASE WHEN step.id = :transaction THEN :changed_id ELSE {_NIL_ID} END AS changed_id
            OFFSET 0
        ) AS after, LATERAL (
            WITH written AS (
                SELECT 1 AS stage, resource, id, op, after.changed_resource, after.changed_id,
                    false AS cut
                FROM ({written}) AS found
                WHERE after.stage <= 1
                ORDER BY resource, id LIMIT :rows
            )
            SELECT * FROM written
            {_affected(resources, expand=expand)}
            ORDER BY stage, resource, id LIMIT :rows
        ) AS entry
        ORDER BY at, transaction, stage, resource, id LIMIT :rows
    ) AS found WINDOW feed AS (ORDER BY at, transaction, stage, resource, id)
) AS numbered
WHERE cuts = 0
"""


def _affected(resources: tuple[str, ...], *, expand: bool) -> str:
    """The documents that show rows that the transaction wrote, if the page goes so far.

    ``SPAN`` changes are searched at a time. Then the page ends, and the next one goes on with the
    changes that follow.
    """
    affected = affected_documents(resources, expand=expand)
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
                    bool_or(operation = 'erase') AS erased,
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

    An erasure concerns the past of deleted rows, too. Otherwise it is null for a row that was dead
    before and after, and for one that has been deleted since, if only its parts were written: the
    deletion has an entry of its own. The fences have the rows
    looked up one by one.
    """
    live = "id = row_of.id AND deleted_at IS NULL"
    present = f"SELECT FROM {resource} WHERE {live} AND written_in = step.id OFFSET 0"
    later = f"SELECT FROM past.{resource} WHERE {live} AND written_in = step.id OFFSET 0"
    before = f"EXISTS (SELECT FROM past.{resource} WHERE {live} AND ended_in = step.id OFFSET 0)"
    return f"""CASE
            WHEN of_row.erased THEN 'erase'
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
