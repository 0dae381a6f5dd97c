"""The counts that the database keeps equal a recount after any history."""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy.orm import Session

from hksz_db.database import Database, run
from hksz_db.domain.errors import DomainError, Invalid
from hksz_db.services import merging
from hksz_db.services.writing import writing
from tests.conftest import MakeDatabase, WaitForLock

pytestmark = pytest.mark.slow

KEEPING = {"copy_of", "syndicated_from", "translation_of", "rewrite_of"}
Counts = tuple[int, int, int, int]


@dataclass(frozen=True)
class Passage:
    """A row of evidence."""

    id: UUID
    claim: UUID
    source: UUID
    stance: str
    counts: bool
    derived_from: UUID | None


@dataclass(frozen=True)
class World:
    """The rows that determine the counts."""

    passages: Mapping[UUID, Passage]
    rests_on: Mapping[UUID, frozenset[UUID]]
    retracted: frozenset[UUID]
    claims: frozenset[UUID]

    def origins(self, source: UUID) -> frozenset[UUID]:
        """The origins of a source."""
        further = self.rests_on.get(source, frozenset())
        return _union(map(self.origins, further)) if further else frozenset({source})

    def origins_of(self, passage: Passage) -> frozenset[UUID]:
        """The origins of a passage."""
        if passage.derived_from is None:
            return self.origins(passage.source)
        derived = self.origins_of(self.passages[passage.derived_from])
        own = self.origins(passage.source) if self.rests_on.get(passage.source) else frozenset()
        return derived | own

    def counts(self, claim: UUID) -> Counts:
        """Sources and origins for the claim, and against it."""
        return (
            *self._side(claim, lambda stance: stance in {"asserts", "supports"}),
            *self._side(claim, lambda stance: stance == "disputes"),
        )

    def _side(self, claim: UUID, belongs: Callable[[str], bool]) -> tuple[int, int]:
        found: dict[UUID, frozenset[UUID]] = defaultdict(frozenset)
        for passage in self.passages.values():
            if passage.claim == claim and passage.counts and belongs(passage.stance):
                standing = self.origins_of(passage) - self.retracted
                if standing and passage.source not in self.retracted:
                    found[passage.source] |= standing
        origins, taken = 0, frozenset[UUID]()
        for source in sorted(found, key=lambda source: (len(found[source]), source)):
            if not found[source] & taken:
                origins, taken = origins + 1, taken | found[source]
        return len(found), origins


def read_world(session: Session) -> World:
    """The world as the tables hold it."""
    passages = {
        row[0]: Passage(*row)
        for row in run(
            session,
            "SELECT id, claim_id, source_id, stance,"
            " deleted_at IS NULL AND status <> 'rejected', derived_from_id FROM evidence",
        )
    }
    rests_on: dict[UUID, set[UUID]] = defaultdict(set)
    for source, target, kind in run(session, "SELECT from_id, to_id, kind FROM source_relations"):
        if kind in KEEPING:
            rests_on[source].add(target)
    return World(
        passages=passages,
        rests_on={source: frozenset(targets) for source, targets in rests_on.items()},
        retracted=_ids(session, "SELECT id FROM sources WHERE retracted_at IS NOT NULL"),
        claims=_ids(session, "SELECT id FROM claims"),
    )


def kept_counts(session: Session) -> dict[UUID, Counts]:
    """The counts that the database keeps, by claim."""
    kept = run(
        session,
        "SELECT claim_id, sources_for, origins_for, sources_against, origins_against"
        " FROM corroborations",
    )
    return {claim: tuple(counts) for claim, *counts in kept}


def recount(session: Session) -> dict[UUID, Counts]:
    """The counts that it should keep."""
    world = read_world(session)
    return {claim: world.counts(claim) for claim in world.claims}


def _ids(session: Session, query: str) -> frozenset[UUID]:
    return frozenset(id for (id,) in run(session, query))


def _union(sets: Iterable[frozenset[UUID]]) -> frozenset[UUID]:
    return frozenset().union(*sets)


SOURCES, CLAIMS, PASSAGES = 6, 3, 8


def number(kind: int, n: int) -> UUID:
    """The id of the n-th row of a kind."""
    return UUID(int=(0x01A0 << 112) | (7 << 76) | (8 << 60) | (kind << 32) | n)


PEOPLE = [number(0, n) for n in range(2)]


def prepare_world(session: Session) -> None:
    """Insert sources and claims without evidence."""
    for person in PEOPLE:
        run(
            session,
            "INSERT INTO entities (id, kind, name, name_language)"
            " VALUES ($1, 'person', 'Somebody', 'en')",
            person,
        )
        run(
            session,
            "INSERT INTO entity_names (entity_id, name, language, kind)"
            " VALUES ($1, 'Somebody', 'en', 'preferred')",
            person,
        )
    for n in range(SOURCES):
        sql = "INSERT INTO sources (id, csl_type, title) VALUES ($1, 'report', 'A source')"
        run(session, sql, number(1, n))
    for n in range(CLAIMS):
        sql = (
            "INSERT INTO claims (id, statement, language, claimant_id, modality)"
            " VALUES ($1, 'A claim.', 'en', $2, 'actual')"
        )
        run(session, sql, number(2, n), PEOPLE[0])


A_SOURCE = [number(1, n) for n in range(SOURCES)]
A_CLAIM = [number(2, n) for n in range(CLAIMS)]
A_PASSAGE = [number(3, n) for n in range(PASSAGES)]
PERHAPS_A_PASSAGE = [None, None, None, *A_PASSAGE]
YES_OR_NO = [True, False]
STANCES = ["asserts", "supports", "disputes", "mentions"]
WRITERS = [*sorted(KEEPING), "quotes", "cites"]
ADD_EVIDENCE = (
    "INSERT INTO evidence (id, claim_id, source_id, stance, page, derived_from_id)"
    " VALUES ($1, $2, $3, $4, $1, (SELECT id FROM evidence WHERE id = $5))"
    " ON CONFLICT DO NOTHING"
)
JUDGE = "UPDATE evidence SET stance = $2 WHERE id = $1"
DERIVE = (
    "UPDATE evidence SET derived_from_id = (SELECT id FROM evidence WHERE id = $2) WHERE id = $1"
)
RELATE = (
    "INSERT INTO source_relations (from_id, to_id, kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
)
RETRACT = "UPDATE sources SET retracted_at = CASE WHEN $2 THEN now() END WHERE id = $1"
# The changes, written as an operator would write them, and the rows that they apply to.
HAPPENINGS = {
    ADD_EVIDENCE: (
        A_PASSAGE,
        A_CLAIM,
        A_SOURCE,
        STANCES,
        PERHAPS_A_PASSAGE,
    ),
    JUDGE: (A_PASSAGE, STANCES),
    "UPDATE evidence SET status = $2 WHERE id = $1": (
        A_PASSAGE,
        ["accepted", "rejected"],
    ),
    DERIVE: (
        A_PASSAGE,
        PERHAPS_A_PASSAGE,
    ),
    "UPDATE evidence SET claim_id = $2 WHERE id = $1": (A_PASSAGE, A_CLAIM),
    "UPDATE evidence SET deleted_at = CASE WHEN $2 THEN now() END WHERE id = $1": (
        A_PASSAGE,
        YES_OR_NO,
    ),
    "DELETE FROM evidence WHERE id = $1": (A_PASSAGE,),
    RELATE: (A_SOURCE, A_SOURCE, WRITERS),
    "UPDATE source_relations SET kind = $3 WHERE id = (SELECT id FROM source_relations"
    " WHERE from_id = $1 AND to_id = $2 LIMIT 1)": (A_SOURCE, A_SOURCE, WRITERS),
    "DELETE FROM source_relations WHERE from_id = $1 AND to_id = $2": (A_SOURCE, A_SOURCE),
    RETRACT: (
        A_SOURCE,
        YES_OR_NO,
    ),
}
STEPS = st.one_of(
    *(st.tuples(st.just(sql), *map(st.sampled_from, values)) for sql, values in HAPPENINGS.items())
)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=st.lists(STEPS, min_size=5, max_size=40))
def test_counts_equal_a_recount_after_any_history(session: Session, steps: list[tuple]) -> None:
    with session.begin_nested() as all_of_it:
        prepare_world(session)
        for step in steps:
            # A change that closes a cycle, or deletes a row in use, is refused and leaves nothing.
            with session.begin_nested() as one:
                try:
                    run(session, *step)
                except (psycopg.errors.CheckViolation, psycopg.errors.IntegrityError):
                    one.rollback()
            assert kept_counts(session) == recount(session), step
        # A claimant is not a source, so merging two and undoing it changes nothing.
        merging.merge(session, PEOPLE[0], None, {"into_id": PEOPLE[1]})
        assert kept_counts(session) == recount(session)
        merging.undo(session, PEOPLE[0], None)
        assert kept_counts(session) == recount(session)
        all_of_it.rollback()


def test_the_generated_histories_reach_the_hard_cases(session: Session) -> None:
    """Reprints, a round-up with and without what it rounds up, a derivation, a retraction."""
    prepare_world(session)

    def counts() -> Counts:
        assert kept_counts(session) == recount(session)
        return kept_counts(session)[number(2, 0)]

    # Source 2 rounds up the releases 0 and 1; 3 is a copy of 0, 4 a translation of that copy.
    for n, m, kind in (
        (2, 0, "rewrite_of"),
        (2, 1, "rewrite_of"),
        (3, 0, "copy_of"),
        (4, 3, "translation_of"),
    ):
        run(session, RELATE, number(1, n), number(1, m), kind)
    run(session, ADD_EVIDENCE, number(3, 0), number(2, 0), number(1, 2), "supports", None)
    assert counts() == (1, 1, 0, 0)
    run(session, ADD_EVIDENCE, number(3, 1), number(2, 0), number(1, 3), "supports", None)
    run(session, ADD_EVIDENCE, number(3, 2), number(2, 0), number(1, 4), "asserts", None)
    assert counts() == (3, 1, 0, 0)
    run(session, ADD_EVIDENCE, number(3, 3), number(2, 0), number(1, 1), "supports", None)
    assert counts() == (4, 2, 0, 0)
    # An origin of its own until its passage derives from another.
    run(session, ADD_EVIDENCE, number(3, 4), number(2, 0), number(1, 5), "disputes", None)
    assert counts() == (4, 2, 1, 1)
    run(session, JUDGE, number(3, 4), "supports")
    assert counts() == (5, 3, 0, 0)
    run(session, DERIVE, number(3, 4), number(3, 2))
    assert counts() == (5, 2, 0, 0)
    run(session, RETRACT, number(1, 0), True)
    assert counts() == (2, 1, 0, 0)


def test_diamond_paths_are_cheap(session: Session) -> None:
    """Thirty diamonds in a row have a thousand million paths."""
    prepare_world(session)
    run(
        session,
        "INSERT INTO sources (id, csl_type, title)"
        " SELECT ('01b00000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid, 'report', 'A fork'"
        " FROM generate_series(0, 90) AS n",
    )
    run(
        session,
        "INSERT INTO source_relations (from_id, to_id, kind)"
        " SELECT ('01b00000-0000-7000-8000-' || lpad(a::text, 12, '0'))::uuid,"
        " ('01b00000-0000-7000-8000-' || lpad(b::text, 12, '0'))::uuid, 'copy_of'"
        " FROM generate_series(0, 87, 3) AS k,"
        " LATERAL (VALUES (k, k + 1), (k, k + 2), (k + 1, k + 3), (k + 2, k + 3)) AS e (a, b)",
    )
    first = UUID("01b00000-0000-7000-8000-000000000000")
    last = UUID("01b00000-0000-7000-8000-000000000090")
    passage = number(3, 0)
    run(
        session,
        "INSERT INTO evidence (id, claim_id, source_id, stance) VALUES ($1, $2, $3, 'supports')",
        *(passage, number(2, 0), first),
    )
    assert kept_counts(session)[number(2, 0)] == (1, 1, 0, 0)
    way = run(session, "SELECT source_id FROM origin_steps($1, $2)", passage, last)
    assert len(way) == 60
    assert way[-1] == (last,)


def test_the_path_to_each_of_several_origins_is_shown(session: Session) -> None:
    prepare_world(session)
    for n, m, kind in ((2, 0, "rewrite_of"), (2, 3, "copy_of"), (3, 1, "syndicated_from")):
        run(session, RELATE, number(1, n), number(1, m), kind)
    run(session, ADD_EVIDENCE, number(3, 0), number(2, 0), number(1, 2), "supports", None)
    run(session, ADD_EVIDENCE, number(3, 1), number(2, 1), number(1, 5), "supports", number(3, 0))
    steps = "SELECT kind, source_id FROM origin_steps($1, $2)"
    assert run(session, steps, number(3, 1), number(1, 1)) == [
        ("derived_from", number(1, 2)),
        ("copy_of", number(1, 3)),
        ("syndicated_from", number(1, 1)),
    ]
    assert run(session, steps, number(3, 1), number(1, 0)) == [
        ("derived_from", number(1, 2)),
        ("rewrite_of", number(1, 0)),
    ]
    assert run(session, steps, number(3, 1), number(1, 5)) == []


@pytest.fixture
def committed(make_database: MakeDatabase) -> Iterator[Database]:
    """A database in which writes are committed."""
    with make_database() as url:
        database = Database(lambda: url)
        with writing(database) as session:
            prepare_world(session)
        yield database
        database.close()


def execute(database: Database, sql: str, *values: object) -> None:
    """One statement, one transaction."""
    with writing(database) as session:
        run(session, sql, *values)


FIRST, SECOND = A_SOURCE[:2]
WITNESS = (ADD_EVIDENCE, A_PASSAGE[1], A_CLAIM[0], SECOND, "supports", None)
RACES = {
    "another witness": (ADD_EVIDENCE, A_PASSAGE[2], A_CLAIM[0], A_SOURCE[2], "disputes", None),
    "the witness copies": (RELATE, SECOND, FIRST, "copy_of"),
    "the witness is retracted": (RETRACT, SECOND, True),
    "a copy of the witness": (RELATE, A_SOURCE[3], SECOND, "rewrite_of"),
}


@pytest.mark.parametrize("turned", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("other", RACES.values(), ids=RACES)
def test_the_later_of_two_concurrent_writers_sees_the_earlier(
    committed: Database, wait_for_a_lock: WaitForLock, other: tuple, turned: bool
) -> None:
    execute(committed, ADD_EVIDENCE, A_PASSAGE[0], A_CLAIM[0], FIRST, "asserts", None)
    execute(committed, ADD_EVIDENCE, A_PASSAGE[3], A_CLAIM[0], A_SOURCE[3], "asserts", None)
    earlier, later = (other, WITNESS) if turned else (WITNESS, other)
    with ThreadPoolExecutor(1) as pool:
        with writing(committed) as session:
            run(session, *earlier)
            waiting = pool.submit(execute, committed, *later)
            wait_for_a_lock(committed)
        waiting.result(10)
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)


def test_concurrent_cycle_is_refused(committed: Database, wait_for_a_lock: WaitForLock) -> None:
    for passage, source in zip(A_PASSAGE[:2], (FIRST, SECOND), strict=True):
        execute(committed, ADD_EVIDENCE, passage, A_CLAIM[0], source, "asserts", None)
    with ThreadPoolExecutor(1) as pool:
        with writing(committed) as session:
            run(session, RELATE, FIRST, SECOND, "copy_of")
            waiting = pool.submit(execute, committed, RELATE, SECOND, FIRST, "copy_of")
            wait_for_a_lock(committed)
        with pytest.raises(Invalid) as refused:
            waiting.result(10)
    assert refused.value.faults[0].pointer == "#/relations"
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)
        assert kept_counts(session)[A_CLAIM[0]] == (2, 1, 0, 0)


def test_counts_equal_a_recount_after_concurrent_writes(committed: Database) -> None:
    def write(seed: int) -> int:
        chance, done = random.Random(seed), 0
        for _ in range(30):
            sql, values = chance.choice(list(HAPPENINGS.items()))
            try:
                execute(committed, sql, *map(chance.choice, values))
            except DomainError:
                continue  # a cycle, or a row in use
            done += 1
        return done

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(write, range(6)))
    assert sum(done) > 60
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)
        # The writers may leave no evidence that counts, but this passage always does.
        run(session, "UPDATE sources SET retracted_at = NULL")
        run(session, ADD_EVIDENCE, number(3, PASSAGES), A_CLAIM[0], A_SOURCE[0], "supports", None)
        counts = kept_counts(session)
        assert counts == recount(session)
        assert counts[A_CLAIM[0]][1] >= 1
