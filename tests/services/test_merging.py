"""Merges that are undone in any order leave the database as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, text

from hksz_db.database import Session, run
from hksz_db.database.connecting import Connector
from hksz_db.database.connections import PooledConnections
from hksz_db.domain.chronology import parse
from hksz_db.domain.errors import Conflict, DomainError
from hksz_db.models import Base
from hksz_db.services import merging
from hksz_db.services.batches import create, update
from hksz_db.services.merging import MERGEABLE

ENTITIES, SOURCES, CLAIMS = 4, 3, 2
NAMES = ("Alpha", "Beta", "Gamma")
OWN = {
    "api_keys",
    "seed_items",
    "transactions",
    "changes",
    "stale_searches",  # an undone merge leaves names to be looked at once more
    *(table for kind in MERGEABLE.values() for table in (kind.merges, kind.moves)),
}

number = st.integers(0, ENTITIES - 1)
work = st.integers(0, SOURCES - 1)
said = st.integers(0, CLAIMS - 1)
relation = st.tuples(number, st.sampled_from(["part_of", "partner_of"]), number)
link = st.tuples(said, number, st.sampled_from(["subject", "object"]))
contributor = st.tuples(work, number, st.sampled_from(["author", "publisher"]))
name = st.tuples(number, st.sampled_from(NAMES))
citation = st.tuples(work, st.sampled_from(["copy_of", "cites"]), work)
# A passage has the first capture of its source, or none.
passage = st.tuples(said, work, st.sampled_from(["accepted", "submitted"]), st.booleans())
worlds = st.fixed_dictionaries(
    {
        "relations": st.sets(relation, max_size=6),
        "links": st.sets(link, max_size=6),
        "contributors": st.sets(contributor, max_size=4),
        "names": st.sets(name, max_size=4),
        "claimants": st.lists(number, min_size=CLAIMS, max_size=CLAIMS),
        "captures": st.sets(st.tuples(work, st.sampled_from("ab")), min_size=2, max_size=4),
        "citations": st.sets(citation, max_size=3),
        "passages": st.lists(passage, min_size=3, max_size=6, unique_by=lambda row: row[:2]),
        "derived": st.sets(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=5),
        "figures": st.lists(st.tuples(said, number, st.integers(1, 2)), max_size=4),
        "years": st.lists(st.sampled_from([2020, 2021]), min_size=SOURCES, max_size=SOURCES),
        "dated": st.sets(st.tuples(said, work), max_size=3),
        "answers": st.sets(st.tuples(said, said), max_size=2),
    }
)
# A pair is a merge of one into the other; a single number undoes a merge.
step = st.one_of(
    *(
        st.tuples(st.just(resource), st.one_of(st.tuples(each, each), st.tuples(each, each), each))
        for resource, each in (("entities", number), ("sources", work), ("claims", said))
    )
)
histories = st.lists(step, min_size=4, max_size=12)
Step = tuple[str, tuple[int, int] | int]
Ids = dict[str, list[UUID]]


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    connections = PooledConnections(Connector(lambda: database_url, statement_timeout_ms=60_000))
    yield connections.engine
    connections.close()


@contextmanager
def _rolled_back(engine: Engine) -> Iterator[Session]:
    with engine.connect() as session, session.begin() as transaction:
        yield session
        transaction.rollback()


def _make(session: Session, world: dict[str, Any]) -> Ids:
    people = _make_entities(session, world)
    works = _make_sources(session, world, people)
    return {
        "entities": people,
        "sources": works,
        "claims": _make_claims(session, world, people, works),
    }


def _make_entities(session: Session, world: dict[str, Any]) -> list[UUID]:
    def named(number: int) -> list[dict[str, str]]:
        own = [{"name": f"Number {number}", "language": "en", "kind": "preferred"}]
        others = sorted(other for holder, other in world["names"] if holder == number)
        return own + [{"name": other, "language": "en", "kind": "alias"} for other in others]

    ids = [
        create(session, "entities", {"kind": "organisation", "names": named(number)})
        for number in range(ENTITIES)
    ]
    for number, id in enumerate(ids):
        relations = [
            {"kind": kind, "object_id": ids[other]}
            for subject, kind, other in sorted(world["relations"])
            if subject == number != other
        ]
        update(session, "entities", id, None, {"relations": relations})
    return ids


def _make_sources(session: Session, world: dict[str, Any], people: list[UUID]) -> list[UUID]:
    ids: list[UUID] = []
    for number in range(SOURCES):
        fields = {
            "csl_type": "report",
            "title": f"Work {number}",
            "issued_edtf": parse(str(world["years"][number])),
            "contributors": [
                {"entity_id": people[person], "role": role}
                for holder, person, role in sorted(world["contributors"])
                if holder == number
            ],
            "captures": [
                {"normalization": "nfc-ws1", "char_length": 9, "text_sha256": letter * 64}
                for holder, letter in sorted(world["captures"])
                if holder == number
            ],
            # Only to earlier sources, so that they form no cycle.
            "relations": [
                {"kind": kind, "to_id": ids[other]}
                for holder, kind, other in sorted(world["citations"])
                if holder == number > other
            ],
        }
        ids.append(create(session, "sources", fields))
    return ids


def _make_claims(
    session: Session, world: dict[str, Any], people: list[UUID], works: list[UUID]
) -> list[UUID]:
    create(session, "units", {"code": "1", "label": "one"})
    metric = {"key": "m", "label": "m", "dimension": "count", "accumulation": "flow"}
    metric_id = create(session, "metrics", {**metric, "nonnegative": True})
    sql = "SELECT DISTINCT ON (source_id) source_id, id FROM source_captures ORDER BY source_id, id"
    captures = dict(run(session, sql))
    ids: list[UUID] = []
    for number, claimant in enumerate(world["claimants"]):
        anchors = sorted(work for holder, work in world["dated"] if holder == number)
        fields = {
            "statement": "x",
            "language": "en",
            "modality": "actual",
            "claimant_id": people[claimant],
            "topics": [f"topic-{number % 2}"],
            "entities": [
                {"entity_id": people[person], "role": role}
                for holder, person, role in sorted(world["links"])
                if holder == number
            ],
            "relations": [
                {"kind": "refines", "to_id": ids[other]}
                for holder, other in sorted(world["answers"])
                if holder == number > other
            ],
            "figures": [
                {
                    "metric_id": metric_id,
                    "subject_id": people[person],
                    "as_stated": str(amount),
                    "comparator": "eq",
                    "amount": Decimal(amount),
                    "unit_code": "1",
                }
                for holder, person, amount in world["figures"]
                if holder == number
            ],
        }
        for work in anchors[:1]:
            fields["time_relative"] = {"anchor_id": works[work], "duration": "-P1Y"}
        ids.append(create(session, "claims", fields))
    passages: list[UUID] = []
    for number, (holder, work, status, captured) in enumerate(world["passages"]):
        fields = {"claim_id": ids[holder], "source_id": works[work], "stance": "asserts"}
        if captured and works[work] in captures:
            fields["capture_id"] = captures[works[work]]
        # Only from earlier passages, so that they form no cycle.
        for other in [other for one, other in sorted(world["derived"]) if one == number > other]:
            fields["derived_from_id"] = passages[other]
        passages.append(create(session, "evidence", {**fields, "status": status}))
    return ids


def _dump(session: Session) -> dict[str, list[Any]]:
    found = {}
    for table in sorted(Base.metadata.tables.keys() - OWN):
        changing = "'{version, updated_at, written_in, recount_id}'::text[]"
        sql = f"SELECT to_jsonb(t) - {changing} FROM {table} AS t ORDER BY 1"
        found[table] = [row for (row,) in run(session, sql)]
    return found


def _check(session: Session) -> None:
    """Nothing that is moved refers to a merged row."""
    # Raises if a deferred constraint is violated.
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    for resource, kind in MERGEABLE.items():
        for link in kind.moved:
            sql = (
                f"SELECT 1 FROM {link.table} AS t JOIN {resource} ON {resource}.id ="
                f" t.{link.column} WHERE {resource}.deleted_at IS NOT NULL"
            )
            assert run(session, sql) == [], link
    session.execute(text("SET CONSTRAINTS entities_id_name_name_language_fkey DEFERRED"))


def _attempt(session: Session, ids: Ids, step: Step) -> bool:
    """Try one step and return whether it was allowed; a refused step changes nothing."""
    resource, rows = step
    refusals = DomainError if isinstance(rows, tuple) else Conflict
    savepoint = session.begin_nested()
    try:
        if isinstance(rows, tuple):
            one, other = (ids[resource][number] for number in rows)
            merging.merge(session, resource, one, None, {"into_id": other})
        else:
            merging.undo(session, resource, ids[resource][rows], None)
    except refusals:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


@pytest.mark.slow
@given(worlds, histories)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merges_can_be_undone_in_any_order(
    engine: Engine, world: dict[str, Any], history: list[Step]
) -> None:
    with _rolled_back(engine) as session:
        ids = _make(session, world)
        before = _dump(session)
        for step in history:
            _attempt(session, ids, step)
            _check(session)
        # While a merge exists, one can be undone.
        while any(
            run(session, f"SELECT 1 FROM {resource} WHERE redirect_to IS NOT NULL")
            for resource in MERGEABLE
        ):
            undone = [
                _attempt(session, ids, (resource, number))
                for resource, rows in ids.items()
                for number in range(len(rows))
            ]
            assert any(undone)
            _check(session)
        assert _dump(session) == before
