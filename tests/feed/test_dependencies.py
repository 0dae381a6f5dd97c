"""A field that shows other rows is followed by the feed because a document defines it."""

import json
import re
from collections.abc import Callable
from copy import copy
from uuid import UUID

import pytest
from sqlalchemy import FromClause

from hksz_db.database import Database, run
from hksz_db.feed.changes import changes_statement
from hksz_db.feed.dependencies import (
    ROWS_READ,
    Change,
    Edge,
    Start,
    Step,
    affected_documents,
    dependencies,
)
from hksz_db.feed.pages import Feed, horizon
from hksz_db.models import Claim, ClaimTopic, Figure, SourceCapture, Unit, table_of
from hksz_db.queries.documents import Many, Node, One, Values
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.writing import writing
from tests.feed.world import documents, populate, statements


def test_a_page_reads_a_limited_number_of_rows_that_lead_to_documents() -> None:
    """Origins and weights depend on the same rows, so these are looked for once."""
    query = affected_documents(tuple(RESOURCES), expand=True)
    assert query is not None
    for_counts, for_hints = 1, 1
    assert query.count(f"LIMIT {ROWS_READ})") == for_counts + for_hints
    assert query.count("claims_resting_on(") == 2 * (for_counts + for_hints)
    without_limit = r"SELECT DISTINCT (?!.*LIMIT greatest\(least\()"
    assert not [each for each in re.findall(rf"{without_limit}.*", query) if "> beyond.id" in each]


def test_the_steps_from_a_changed_row_to_a_document() -> None:
    entity = Start(Change.UPDATED, "entities", ("external_id", "kind", "name"), "id")
    steps = (
        Step("source_contributors", "entity_id", "source_id"),
        Step("evidence", "source_id", "claim_id", live=True),
    )
    assert Edge(entity, steps, "claims") in dependencies(RESOURCES.values())


def test_a_claim_follows_its_evidence() -> None:
    found = [
        (edge.start.change, edge.start.column, edge.steps)
        for edge in dependencies([RESOURCES["claims"]])
        if isinstance(edge.start, Start) and edge.start.table == "evidence"
    ]
    # Evidence that was deleted has changed the claim, so the step is not limited to live rows.
    assert found == [
        (Change.WRITTEN, "id", (Step("evidence", "id", "claim_id"),)),
        (Change.LEFT, "claim_id", ()),
    ]


def unit(figures: FromClause) -> Node:
    units = table_of(Unit).alias()
    return One(units, units.c.code == figures.c.unit_code, {"label": units.c.label})


def capture(evidence: FromClause) -> Node:
    captures = table_of(SourceCapture).alias()
    on = captures.c.id == evidence.c.capture_id
    return One(captures, on, {"media_type": captures.c.media_type})


def figures(metrics: FromClause) -> Node:
    rows = table_of(Figure).alias()
    on = (rows.c.metric_id == metrics.c.id) & rows.c.deleted_at.is_(None)
    return Many(rows, on, {"as_stated": rows.c.as_stated}, order_by=(rows.c.id,))


def topics_of_claims(entities: FromClause) -> Node:
    rows, topics = table_of(Claim).alias(), table_of(ClaimTopic).alias()
    fields = {"topics": Values(topics.c.topic, topics.c.claim_id == rows.c.id)}
    return Many(rows, rows.c.claimant_id == entities.c.id, fields, order_by=(rows.c.id,))


FIRST_FIGURE = "WHERE id = (SELECT id FROM figures ORDER BY id LIMIT 1)"
LAST_METRIC = "(SELECT id FROM metrics ORDER BY id DESC LIMIT 1)"
FIRST_TOPIC = "WHERE id = (SELECT id FROM claim_topics ORDER BY id LIMIT 1)"
FIRST_CLAIM = "WHERE id = (SELECT id FROM claims ORDER BY id LIMIT 1)"


@pytest.mark.parametrize(
    ("resource", "field", "writes"),
    [
        ("figures", unit, ["UPDATE units SET label = 'unit'"]),
        ("evidence", capture, ["UPDATE source_captures SET media_type = 'text/plain'"]),
        (
            "metrics",
            figures,
            [
                "UPDATE figures SET as_stated = 'many'",
                f"UPDATE figures SET metric_id = {LAST_METRIC} {FIRST_FIGURE}",
                f"UPDATE figures SET deleted_at = now() {FIRST_FIGURE}",
                "DELETE FROM figures WHERE deleted_at IS NULL",
            ],
        ),
        (
            "entities",
            topics_of_claims,
            [
                "UPDATE claim_topics SET topic = topic || 's'",
                f"DELETE FROM claim_topics {FIRST_TOPIC}",
                "INSERT INTO claim_topics (claim_id, topic) SELECT id, 'new' FROM claims",
                f"UPDATE claims SET claimant_id = reported_by_id {FIRST_CLAIM}",
            ],
        ),
    ],
)
def test_a_new_field_is_followed(
    database: Database,
    monkeypatch: pytest.MonkeyPatch,
    resource: str,
    field: Callable[[FromClause], Node],
    writes: list[str],
) -> None:
    with writing(database) as session:
        populate(session)
        run(
            session,
            "UPDATE evidence SET capture_id = source_captures.id FROM source_captures"
            " WHERE source_captures.source_id = evidence.source_id",
        )
    readable = RESOURCES[resource]
    changed_readable = copy(readable)
    fields = {**readable.fields, "new": field(readable.table)}
    object.__setattr__(changed_readable, "fields", fields)
    monkeypatch.setitem(RESOURCES, resource, changed_readable)
    monkeypatch.setattr("hksz_db.feed.pages.changes_statement", changes_statement.__wrapped__)
    before = documents(database, statements())
    for write in writes:
        position = horizon(database).position
        with writing(database) as session:
            run(session, write)
        after = documents(database, statements())
        changed = {
            id for name, id in after if name == resource and after[name, id] != before[name, id]
        }
        page = Feed(database, (resource,)).after(position, 100, "\n")
        entries = [json.loads(line) for line in page.entries.splitlines()]
        assert changed
        assert changed <= {UUID(entry["id"]) for entry in entries}, write
        before = after


def hints(database: Database) -> dict[UUID, list[dict[str, object]]]:
    return {
        id: json.loads(document)["corroboration"]["hints"]
        for (name, id), document in documents(database).items()
        if name == "claims"
    }


RELATION = "INSERT INTO source_relations (from_id, to_id, kind) VALUES"
WORK = "(SELECT id FROM sources WHERE title = 'Work {}')"
BETWEEN = "(SELECT id FROM sources WHERE title = 'Between')"


@pytest.mark.parametrize(
    "writes",
    [
        [f"UPDATE source_relations SET from_id = {WORK.format(0)} WHERE kind = 'replies_to'"],
        [
            "INSERT INTO sources (csl_type, title) VALUES ('report', 'Between')",
            f"{RELATION} ({WORK.format(2)}, {BETWEEN}, 'corrects')",
            f"{RELATION} ({BETWEEN}, {WORK.format(1)}, 'replies_to')",
        ],
    ],
    ids=["moved", "end of a chain"],
)
def test_a_hint_follows_relations_that_bear_on_no_count(
    database: Database, writes: list[str]
) -> None:
    *earlier, last = writes
    with writing(database) as session:
        populate(session)
        for write in earlier:
            run(session, write)
    before, position = hints(database), horizon(database).position
    with writing(database) as session:
        run(session, last)
    after = hints(database)
    changed = {str(id) for id in after if after[id] != before[id]}
    page = Feed(database, ("claims",)).after(position, 100, "\n")
    found = {json.loads(entry)["id"] for entry in page.entries.splitlines()}
    assert changed
    assert changed <= found
