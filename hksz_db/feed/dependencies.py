"""What shows what: documents that change because a row changed that is shown in them.

Worked out from the tables as they are now, for a transaction that may be long past. Where they held
something else then, what shows the row now, or did then, is not lost: of the rows by which a
document leads to the one that was changed, take the first that was written since. The transaction
that wrote it comes later in the feed, its row leads to the document by rows that are as they were,
and so the document has an entry there.

A row that was moved leads from where it was as well: its past says from where. A row that was
inserted is shown by nobody who does not refer to it, and who refers to it was written since.
"""

from collections.abc import Iterable, Mapping

SHOWN: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "named": ("entities", ("external_id", "name", "kind")),
    "titled": ("sources", ("external_id", "title")),
    "cited": ("sources", ("external_id", "title", "issued_edtf")),
    "traced": ("sources", ("external_id", "title", "retracted_at")),
    "stated": ("claims", ("external_id", "statement")),
    "judged": ("claims", ("external_id", "statement", "status")),
    "measured": ("metrics", ("external_id", "key", "label")),
}
"""Which rows others show: their resource, and the columns of which one was changed."""

PARTS: Mapping[str, Mapping[str, str]] = {
    "sources": {
        "source_contributors": "source_id",
        "source_captures": "source_id",
        "source_relations": "from_id",
    },
    "entities": {
        "entity_names": "entity_id",
        "entity_identifiers": "entity_id",
        "entity_relations": "subject_id",
    },
    "claims": {
        "claim_entities": "claim_id",
        "claim_topics": "claim_id",
        "claim_relations": "from_id",
    },
    "figures": {"figures": "claim_id"},
    "evidence": {"evidence": "claim_id"},
}
"""The rows that are parts of others, by resource, and the columns that say of which."""


LOOKED_AT = 200
"""How many documents of a resource one page looks at."""


def showing(resources: Iterable[str]) -> str | None:
    """The query of ``(resource, id, op, cut)`` in their order, after ``after``, at most ``:rows``.

    It stands where ``step`` is a transaction, ``after`` a resource and an id, and ``span`` the
    first and the last of the changed rows that are considered. Left out are the documents that the
    transaction wrote itself, and those written since, which have an entry to come. When there may
    be more than are looked at, the last of these is a ``cut``: what comes after it is not complete.
    It is named in any case, without an operation where it is left out.

    ``None`` when documents of these resources show nothing of others.
    """
    blocks = " UNION ALL ".join(
        f"({_block(name, _SHOW[name])})" for name in resources if name in _SHOW
    )
    if not blocks:
        return None
    # The fences keep the arrays from being worked out again wherever they are used, and have the
    # rows looked up that these lead to: of most transactions there are few, whatever the planner
    # expects of the tables.
    changed = ", ".join(f"{_changed(*SHOWN[name])} AS {name}" for name in SHOWN)
    moved = _array(_written("evidence", "changed && '{source_id,derived_from_id}'"))
    related = _written("sources", "table_name = 'source_relations'")
    resting = _array(related, _left("source_relations"))
    left = _left("source_captures"), _left("source_relations")
    return f"""
    SELECT block.resource, block.id, block.op, block.cut FROM (
        SELECT {changed}, {moved} AS moved OFFSET 0
    ) AS rows_of, LATERAL (
        SELECT {_array(_CREDITED)} AS credited, {resting} || rows_of.traced AS resting OFFSET 0
    ) AS sources_of, LATERAL (
        SELECT {_array("SELECT unnest(sources_of.credited)", *left, _RELATED)} AS sources OFFSET 0
    ) AS shown_of, LATERAL ({blocks}) AS block
    """


def _block(resource: str, ways: Iterable[str]) -> str:
    reached = " UNION ALL ".join(ways)
    return f"""
        SELECT '{resource}' AS resource, root.id, root.op, reached.n = {LOOKED_AT} AS cut
        FROM (
            SELECT CASE WHEN after.stage = 2 AND after.resource = '{resource}' THEN after.id
                ELSE '{_FIRST_ID}' END AS id
            WHERE '{resource}' >= after.resource OR after.stage < 2 OFFSET 0
        ) AS beyond, LATERAL (
            SELECT id, row_number() OVER (ORDER BY id) AS n FROM (
                SELECT DISTINCT id FROM ({reached}) AS way (id)
                WHERE id > beyond.id ORDER BY id LIMIT {LOOKED_AT}
            ) AS first
        ) AS reached, LATERAL (
            SELECT reached.id, (
                SELECT 'update' FROM {resource} AS root
                WHERE root.id = reached.id AND root.deleted_at IS NULL
                    AND NOT EXISTS (
                        SELECT FROM transactions AS later
                        WHERE later.id = root.written_in
                            AND (later.committed_at, later.id) > (step.committed_at, step.id)
                        OFFSET 0
                    )
                    AND NOT EXISTS (
                        SELECT FROM changes
                        WHERE transaction_id = step.id AND resource = '{resource}'
                            AND resource_id = root.id
                        OFFSET 0
                    )
            ) AS op OFFSET 0
        ) AS root
        WHERE root.op IS NOT NULL OR reached.n = {LOOKED_AT}
        ORDER BY reached.id LIMIT :rows
    """


def _array(*queries: str) -> str:
    return f"ARRAY({' UNION ALL '.join(queries)})"


def _in_span(resource: str) -> str:
    """Whether a change is one of those considered, as bounds that an index is read between."""
    first = (
        f"CASE WHEN after.changed_resource < '{resource}' THEN '{_FIRST_ID}'"
        f" WHEN after.changed_resource = '{resource}' THEN after.changed_id ELSE '{_LAST_ID}' END"
    )
    last = (
        f"CASE WHEN span.resource > '{resource}' THEN '{_LAST_ID}'"
        f" WHEN span.resource = '{resource}' THEN span.id ELSE '{_FIRST_ID}' END"
    )
    return f"changes.resource_id > {first} AND changes.resource_id <= {last}"


_FIRST_ID = "00000000-0000-0000-0000-000000000000"
_LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"


def _written(resource: str, condition: str = "true") -> str:
    """The rows of a resource on which the transaction left a change that meets the condition."""
    return (
        f"SELECT resource_id FROM changes WHERE transaction_id = step.id"
        f" AND resource = '{resource}' AND {_in_span(resource)} AND {condition}"
    )


def _changed(resource: str, columns: Iterable[str]) -> str:
    listed = ",".join(columns)
    return _array(
        _written(resource, f"table_name = '{resource}' AND changed && '{{{listed}}}'::text[]")
    )


def _left(part: str) -> str:
    """Whose part a row was that was moved, or removed, from there."""
    ((resource, column),) = ((name, of[part]) for name, of in PARTS.items() if part in of)
    return (
        f"SELECT old.{column} FROM changes JOIN past.{part} AS old"
        f" ON old.id = changes.row_key::uuid AND old.ended_in = step.id"
        f" WHERE changes.transaction_id = step.id AND changes.resource = '{resource}'"
        f" AND {_in_span(resource)} AND changes.table_name = '{part}'"
        f" AND (changes.operation = 'delete' OR '{column}' = ANY (changes.changed))"
    )


def _from(ids: str, table: str, column: str, found: str = "id", live: str = "") -> str:
    """What ``found`` is in the rows of the table whose column is one of the ids."""
    return (
        f"SELECT led.id FROM unnest({ids}) AS changed (id), LATERAL ("
        f"SELECT {found} AS id FROM {table} WHERE {column} = changed.id {live} OFFSET 0) AS led"
    )


def _to(ids: str, table: str, column: str, found: str = "id", live: str = "") -> str:
    """The same in a block, where it leads to the documents: only as many as are looked at."""
    first = (
        f"SELECT DISTINCT {found} AS id FROM {table}"
        f" WHERE {column} = changed.id AND {found} > beyond.id {live}"
        f" ORDER BY 1 LIMIT {LOOKED_AT}"
    )
    return f"SELECT led.id FROM unnest({ids}) AS changed (id), LATERAL ({first}) AS led"


def _under(part: str) -> tuple[str, str]:
    """The claims of which figures or evidence were written, and those that these have left."""
    return _from(_array(_written(part)), part, "id", "claim_id"), _left(part)


_LIVE = "AND deleted_at IS NULL"
# Sources whose contributors read otherwise, and those that lead to one with another title.
_CREDITED = " UNION ALL ".join(
    (
        _written("sources", "table_name = 'source_contributors'"),
        _left("source_contributors"),
        _from("rows_of.named", "source_contributors", "entity_id", "source_id"),
    )
)
_RELATED = _from("rows_of.titled", "source_relations", "to_id", "from_id")
# All sources that are another document now.
_SOURCES = f"shown_of.sources || {_array(_written('sources'))}"
# As for the counts (models/corroborations.py): what rests on these sources, or on what does.
_RESTING = """
    WITH RECURSIVE resting AS (
        SELECT unnest(sources_of.resting) AS id
        UNION
        SELECT further.from_id FROM resting, LATERAL (
            SELECT from_id FROM source_relations
            WHERE to_id = resting.id AND keeps_origin(kind) OFFSET 0
        ) AS further
    ), passages AS (
        SELECT further.id, further.claim_id FROM resting, LATERAL (
            SELECT id, claim_id FROM evidence WHERE source_id = resting.id OFFSET 0
        ) AS further
        UNION
        SELECT moved.id, NULL FROM unnest(rows_of.moved) AS moved (id)
        UNION
        SELECT further.id, further.claim_id FROM passages, LATERAL (
            SELECT id, claim_id FROM evidence WHERE derived_from_id = passages.id OFFSET 0
        ) AS further
    )
    SELECT claim_id FROM passages WHERE claim_id IS NOT NULL
"""
_SHOW: Mapping[str, tuple[str, ...]] = {
    "claims": (
        _to("rows_of.named", "claims", "claimant_id"),
        _to("rows_of.named", "claims", "reported_by_id"),
        _to("rows_of.named", "claim_entities", "entity_id", "claim_id"),
        _to("rows_of.titled", "claims", "time_anchor_id"),
        _to("rows_of.titled", "claims", "due_anchor_id"),
        _to("rows_of.stated", "claim_relations", "to_id", "from_id"),
        *map(_left, PARTS["claims"]),
        *_under("figures"),
        _to("rows_of.measured", "figures", "metric_id", "claim_id", _LIVE),
        _to("rows_of.named", "figures", "subject_id", "claim_id", _LIVE),
        _to("rows_of.titled", "figures", "period_anchor_id", "claim_id", _LIVE),
        *_under("evidence"),
        _to(_SOURCES, "evidence", "source_id", "claim_id", _LIVE),
        f"SELECT claim_id FROM ({_RESTING}) AS corroborated",
    ),
    "entities": (
        _to("rows_of.named", "entity_relations", "object_id", "subject_id"),
        _to("rows_of.stated", "entity_relations", "claim_id", "subject_id"),
        *map(_left, PARTS["entities"]),
    ),
    "evidence": (
        _to("rows_of.cited || sources_of.credited", "evidence", "source_id"),
        _to("rows_of.judged", "evidence", "claim_id"),
    ),
    "figures": (
        _to("rows_of.measured", "figures", "metric_id"),
        _to("rows_of.named", "figures", "subject_id"),
        _to("rows_of.titled", "figures", "period_anchor_id"),
        _to("rows_of.judged", "figures", "claim_id"),
    ),
    "sources": ("SELECT unnest(shown_of.sources)",),
}
"""By resource, the ways from what was changed to the documents that show it."""
