"""Merges that are undone in any order leave the database as it was before."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, create_engine, text
from sqlalchemy.orm import Session

from hksz_db.database import driver_url, run
from hksz_db.domain.errors import Conflict, DomainError
from hksz_db.models import Base
from hksz_db.services import merging
from hksz_db.services.batches import create, update
from hksz_db.services.merging import MOVED

ENTITIES = 4
CLAIMS = 2
NAMES = ("Alpha", "Beta", "Gamma")
OWN = {"entity_merges", "entity_merge_moves", "api_keys", "seed_items", "transactions", "changes"}

number = st.integers(0, ENTITIES - 1)
pair = st.tuples(number, number)
relation = st.tuples(number, st.sampled_from(["part_of", "partner_of"]), number)
link = st.tuples(st.integers(0, CLAIMS - 1), number, st.sampled_from(["subject", "object"]))
contributor = st.tuples(number, st.sampled_from(["author", "publisher"]))
name = st.tuples(number, st.sampled_from(NAMES))
worlds = st.fixed_dictionaries(
    {
        "relations": st.sets(relation, max_size=8),
        "links": st.sets(link, max_size=8),
        "contributors": st.sets(contributor, max_size=4),
        "names": st.sets(name, max_size=6),
        "claimants": st.lists(number, min_size=CLAIMS, max_size=CLAIMS),
    }
)
# A pair is a merge of one into the other; a single number undoes a merge.
histories = st.lists(st.one_of(pair, pair, number), min_size=1, max_size=8)


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    engine = create_engine(driver_url(database_url))
    yield engine
    engine.dispose()


@contextmanager
def _rolled_back(engine: Engine) -> Iterator[Session]:
    with Session(engine, autoflush=False) as session:
        yield session
        session.rollback()


def _make(session: Session, world: dict[str, Any]) -> list[UUID]:
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
    for claim, claimant in enumerate(world["claimants"]):
        links = [
            {"entity_id": ids[number], "role": role}
            for holder, number, role in sorted(world["links"])
            if holder == claim
        ]
        body = {"statement": "x", "language": "en", "modality": "actual", "entities": links}
        create(session, "claims", {**body, "claimant_id": ids[claimant]})
    contributors = [
        {"entity_id": ids[number], "role": role} for number, role in sorted(world["contributors"])
    ]
    source = {"csl_type": "report", "title": "x", "contributors": contributors}
    create(session, "sources", source)
    return ids


def _dump(session: Session) -> dict[str, list[Any]]:
    found = {}
    for table in sorted(Base.metadata.tables.keys() - OWN):
        changing = "'{version, updated_at, written_in, recount_id}'::text[]"
        sql = f"SELECT to_jsonb(t) - {changing} FROM {table} AS t ORDER BY 1"
        found[table] = [row for (row,) in run(session, sql)]
    return found


def _check(session: Session) -> None:
    """Nothing refers to a merged entity, except the rows of its own names."""
    # Raises if a deferred constraint is violated.
    session.execute(text("SET CONSTRAINTS ALL IMMEDIATE"))
    session.execute(text("SET CONSTRAINTS ALL DEFERRED"))
    for link in MOVED:
        sql = (
            f"SELECT 1 FROM {link.table} AS t JOIN entities ON entities.id = t.{link.column}"
            " WHERE entities.deleted_at IS NOT NULL"
        )
        assert run(session, sql) == [], link


def _attempt(session: Session, ids: list[UUID], step: tuple[int, int] | int) -> bool:
    """Try one step and return whether it was allowed; a refused step changes nothing."""
    refusals = DomainError if isinstance(step, tuple) else Conflict
    savepoint = session.begin_nested()
    try:
        if isinstance(step, tuple):
            merging.merge(session, ids[step[0]], None, {"into_id": ids[step[1]]})
        else:
            merging.undo(session, ids[step], None)
    except refusals:
        savepoint.rollback()
        return False
    savepoint.commit()
    return True


@pytest.mark.slow
@given(worlds, histories)
@settings(max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merges_can_be_undone_in_any_order(
    engine: Engine, world: dict[str, Any], history: list[tuple[int, int] | int]
) -> None:
    with _rolled_back(engine) as session:
        ids = _make(session, world)
        before = _dump(session)
        for step in history:
            _attempt(session, ids, step)
            _check(session)
        # While a merge exists, one can be undone.
        while merged := run(session, "SELECT 1 FROM entities WHERE redirect_to IS NOT NULL"):
            undone = [_attempt(session, ids, number) for number in range(ENTITIES)]
            assert any(undone), merged
            _check(session)
        assert _dump(session) == before
