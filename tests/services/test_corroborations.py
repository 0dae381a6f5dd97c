"""The counts that the database keeps equal a recount after any history."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hksz_db.database import Database, Session, run
from hksz_db.domain.errors import DomainError, Invalid
from hksz_db.queries.documents import sql_file
from hksz_db.services import merging
from hksz_db.services.writing import writing
from tests.services.recount import BINDING, CITING, KEEPING, Claim, Passage, Source, World
from tests.services.recount import Counts as SideCounts

pytestmark = pytest.mark.slow

Counts = tuple[int, ...]
SIDED = ", ".join(
    f"{count}_{side}"
    for side in ("for", "against")
    for count in ("sources", "origins", "own", "independent", "parties", "pending")
)


def read_world(session: Session) -> World:
    """The world as the tables hold it."""
    passages = run(
        session,
        "SELECT id, claim_id, source_id, stance, status, directness, interest, attributed_to_id,"
        " upper(said), derived_from_id, deleted_at IS NOT NULL FROM evidence",
    )
    claims = run(
        session,
        "SELECT id, claimant_id, reported_by_id, modality, lower(time),"
        " ARRAY(SELECT entity_id FROM claim_entities WHERE claim_id = claims.id"
        " AND role = 'subject') FROM claims",
    )
    sources = run(session, "SELECT id, retracted_at IS NOT NULL, upper(issued) FROM sources")
    return World(
        sources={row[0]: Source(*row) for row in sources},
        claims={
            row[0]: Claim(row[0], row[1], row[2], row[3], row[4], frozenset(row[5]))
            for row in claims
        },
        passages={row[0]: Passage(*row) for row in passages},
        source_relations=_triples(session, "SELECT from_id, kind, to_id FROM source_relations"),
        entity_relations=_triples(
            session, "SELECT subject_id, kind, object_id FROM entity_relations"
        ),
        contributors=_triples(
            session, "SELECT source_id, role, entity_id FROM source_contributors"
        ),
    )


def kept_counts(session: Session) -> dict[UUID, tuple[str, Counts]]:
    """What the database keeps, by claim: the verdict, and the counts of both sides."""
    kept = run(session, f"SELECT claim_id, verdict, {SIDED} FROM corroborations")
    return {claim: (verdict, tuple(counts)) for claim, verdict, *counts in kept}


def recount(session: Session) -> dict[UUID, tuple[str, Counts]]:
    """What it should keep."""
    world = read_world(session)
    return {
        id: (world.verdict(claim), tuple(n for side in world.counts(claim) for n in _numbers(side)))
        for id, claim in world.claims.items()
    }


def weighed(session: Session) -> dict[UUID, tuple[str | None, str | None]]:
    """Whose voice each passage that counts is, and why each of the others does not.

    If some evidence on a claim is accepted, this is what is kept with its counts.
    """
    found = run(
        session,
        "SELECT passage.evidence_id, CASE WHEN passage.reason IS NULL THEN passage.standing END,"
        " passage.reason"
        f" FROM corroborations AS corroborated, unnest({sql_file('weighed_passages.sql')})"
        " AS passage (evidence_id uuid, source_id uuid, in_favour boolean, origin_ids uuid[],"
        " other_ids uuid[], voice uuid[], standing text, reason text)",
    )
    accepted = "SELECT claim_id FROM evidence WHERE status = 'accepted' AND deleted_at IS NULL"
    kept = "SELECT claim_id FROM corroborations WHERE weighed IS NOT NULL"
    stances = f"{accepted} AND stance <> 'mentions'"
    assert set(run(session, kept)) == set(run(session, stances))
    return {id: (standing, reason) for id, standing, reason in found}


def reweighed(session: Session) -> dict[UUID, tuple[str | None, str | None]]:
    """What ``weighed`` should be."""
    world = read_world(session)
    return {
        each.passage.id: (None if each.reason else each.standing, each.reason)
        for claim in world.claims.values()
        for each in world.weigh(claim)
    }


def brief(session: Session, claim: UUID) -> Counts:
    """The sources and origins for a claim and against it."""
    _, counts = kept_counts(session)[claim]
    return (*counts[:2], *counts[6:8])


def _numbers(side: SideCounts) -> Counts:
    return (
        side.sources,
        side.origins,
        side.own,
        side.independent,
        side.parties,
        side.pending,
    )


def _triples(session: Session, query: str) -> frozenset[tuple[UUID, str, UUID]]:
    return frozenset((a, kind, b) for a, kind, b in run(session, query))


SOURCES, CLAIMS, PASSAGES = 6, 3, 8


def number(kind: int, n: int) -> UUID:
    """The id of the n-th row of a kind."""
    return UUID(int=(0x01A0 << 112) | (7 << 76) | (8 << 60) | (kind << 32) | n)


PEOPLE = [number(0, n) for n in range(5)]


def prepare_world(session: Session) -> None:
    """Sources and claims on which nothing rests yet.

    All sources have publishers of their own but the last one, whose voice is unknown.
    """
    publishers = [number(5, n) for n in range(SOURCES - 1)]
    for person in [*PEOPLE, *publishers]:
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
    for n, publisher in enumerate(publishers):
        sql = (
            "INSERT INTO source_contributors (source_id, entity_id, role, ordinal)"
            " VALUES ($1, $2, 'publisher', 0)"
        )
        run(session, sql, number(1, n), publisher)
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
KINDS = [*sorted(KEEPING), *sorted(CITING)]
SPEAKERS = [None, *PEOPLE]
DAYS = [None, "[1999-01-01,2000-01-01)", "[2022-06-01,2023-02-01)", "[2024-01-01,2025-01-01)"]
SPEAK = (
    "INSERT INTO evidence (id, claim_id, source_id, stance, page, status, derived_from_id)"
    " VALUES ($1, $2, $3, $4, $1, 'accepted', (SELECT id FROM evidence WHERE id = $5))"
    " ON CONFLICT DO NOTHING"
)
JUDGE = "UPDATE evidence SET stance = $2 WHERE id = $1"
DERIVE = (
    "UPDATE evidence SET derived_from_id = (SELECT id FROM evidence WHERE id = $2) WHERE id = $1"
)
RELATE = (
    "INSERT INTO source_relations (from_id, to_id, kind) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
)
ATTRIBUTE = "UPDATE evidence SET attributed_to_id = $2 WHERE id = $1"
PUBLISH = (
    "INSERT INTO source_contributors (source_id, entity_id, role, ordinal) VALUES ($1, $2, $3, 1)"
    " ON CONFLICT DO NOTHING"
)
OWN = (
    "INSERT INTO entity_relations (subject_id, object_id, kind) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"
)
CLAIM_BY = "UPDATE claims SET claimant_id = $2, reported_by_id = $3, modality = $4 WHERE id = $1"
CONCERN = (
    "INSERT INTO claim_entities (claim_id, entity_id, role) VALUES ($1, $2, $3)"
    " ON CONFLICT DO NOTHING"
)
ROLES, BONDS = ["author", "publisher", "editor"], [*sorted(BINDING), "partner_of"]
RETRACT = "UPDATE sources SET retracted_at = CASE WHEN $2 THEN now() END WHERE id = $1"
# The changes, written as an operator would write them, and the rows that they apply to.
HAPPENINGS = {
    SPEAK: (
        A_PASSAGE,
        A_CLAIM,
        A_SOURCE,
        STANCES,
        PERHAPS_A_PASSAGE,
    ),
    JUDGE: (A_PASSAGE, STANCES),
    "UPDATE evidence SET status = $2 WHERE id = $1": (
        A_PASSAGE,
        ["accepted", "accepted", "submitted", "rejected"],
    ),
    "UPDATE evidence SET directness = $2, interest = $3 WHERE id = $1": (
        A_PASSAGE,
        [None, "primary", "secondary"],
        [None, "self", "third_party"],
    ),
    ATTRIBUTE: (A_PASSAGE, SPEAKERS),
    "UPDATE evidence SET said = $2::text::daterange,"
    " said_edtf = CASE WHEN $2::text IS NOT NULL THEN 'XXXX' END WHERE id = $1": (A_PASSAGE, DAYS),
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
    RELATE: (A_SOURCE, A_SOURCE, KINDS),
    "UPDATE source_relations SET kind = $3 WHERE id = (SELECT id FROM source_relations"
    " WHERE from_id = $1 AND to_id = $2 LIMIT 1)": (A_SOURCE, A_SOURCE, KINDS),
    "DELETE FROM source_relations WHERE from_id = $1 AND to_id = $2": (A_SOURCE, A_SOURCE),
    RETRACT: (
        A_SOURCE,
        YES_OR_NO,
    ),
    "UPDATE sources SET issued = $2::text::daterange,"
    " issued_edtf = CASE WHEN $2::text IS NOT NULL THEN 'XXXX' END WHERE id = $1": (A_SOURCE, DAYS),
    PUBLISH: (A_SOURCE, PEOPLE, ROLES),
    "UPDATE source_contributors SET entity_id = $2, role = $3 WHERE source_id = $1": (
        A_SOURCE,
        PEOPLE,
        ROLES,
    ),
    "DELETE FROM source_contributors WHERE source_id = $1": (A_SOURCE,),
    OWN: (PEOPLE, PEOPLE, BONDS),
    "UPDATE entity_relations SET object_id = $2, kind = $3 WHERE subject_id = $1": (
        PEOPLE,
        PEOPLE,
        BONDS,
    ),
    "DELETE FROM entity_relations WHERE subject_id = $1": (PEOPLE,),
    CLAIM_BY: (A_CLAIM, PEOPLE, SPEAKERS, ["actual", "actual", "planned", "opinion"]),
    "UPDATE claims SET time = $2::text::daterange,"
    " time_edtf = CASE WHEN $2::text IS NOT NULL THEN 'XXXX' END WHERE id = $1": (A_CLAIM, DAYS),
    CONCERN: (A_CLAIM, PEOPLE, ["subject", "subject", "object"]),
    "UPDATE claim_entities SET role = $2 WHERE claim_id = $1": (A_CLAIM, ["subject", "object"]),
    "DELETE FROM claim_entities WHERE claim_id = $1": (A_CLAIM,),
}
STEPS = st.one_of(
    *(st.tuples(st.just(sql), *map(st.sampled_from, values)) for sql, values in HAPPENINGS.items())
)


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=st.lists(STEPS, min_size=5, max_size=60))
def test_counts_equal_a_recount_after_any_history(session: Session, steps: list[tuple]) -> None:
    with session.begin_nested() as all_of_it:
        prepare_world(session)
        for step in steps:
            # What closes a circle, or is needed by another, is refused and leaves nothing.
            with session.begin_nested() as one:
                try:
                    run(session, *step)
                except (psycopg.errors.CheckViolation, psycopg.errors.IntegrityError):
                    one.rollback()
            assert kept_counts(session) == recount(session), step
        assert weighed(session) == reweighed(session)
        merging.merge(session, "entities", PEOPLE[0], None, {"into_id": PEOPLE[1]})
        assert kept_counts(session) == recount(session)
        merging.undo(session, "entities", PEOPLE[0], None)
        assert kept_counts(session) == recount(session)
        all_of_it.rollback()


def test_the_generated_histories_reach_the_hard_cases(session: Session) -> None:
    """Reprints, a round-up with and without what it rounds up, a derivation, a retraction."""
    prepare_world(session)

    def counts() -> Counts:
        assert kept_counts(session) == recount(session)
        return brief(session, number(2, 0))

    # Source 2 rounds up the releases 0 and 1; 3 is a copy of 0, 4 a translation of that copy.
    for n, m, kind in (
        (2, 0, "rewrite_of"),
        (2, 1, "rewrite_of"),
        (3, 0, "copy_of"),
        (4, 3, "translation_of"),
    ):
        run(session, RELATE, number(1, n), number(1, m), kind)
    run(session, SPEAK, number(3, 0), number(2, 0), number(1, 2), "supports", None)
    assert counts() == (1, 1, 0, 0)
    run(session, SPEAK, number(3, 1), number(2, 0), number(1, 3), "supports", None)
    run(session, SPEAK, number(3, 2), number(2, 0), number(1, 4), "asserts", None)
    assert counts() == (3, 1, 0, 0)
    run(session, SPEAK, number(3, 3), number(2, 0), number(1, 1), "supports", None)
    assert counts() == (4, 2, 0, 0)
    # A witness of its own, until its passage turns out to repeat another.
    run(session, SPEAK, number(3, 4), number(2, 0), number(1, 5), "disputes", None)
    assert counts() == (4, 2, 1, 1)
    run(session, JUDGE, number(3, 4), "supports")
    assert counts() == (5, 3, 0, 0)
    run(session, DERIVE, number(3, 4), number(3, 2))
    assert counts() == (5, 2, 0, 0)
    run(session, RETRACT, number(1, 0), True)
    assert counts() == (2, 1, 0, 0)


def test_the_histories_reach_voices_in_common(session: Session) -> None:
    """Two publishers of one owner, whom a passage of a third reports, and who is the claimant."""
    prepare_world(session)
    claim, (first, second, third) = number(2, 0), A_SOURCE[:3]
    for n, source in enumerate((first, second, third)):
        run(session, PUBLISH, source, PEOPLE[n + 1], "publisher")
        run(session, SPEAK, number(3, n), claim, source, "supports", None)

    def counts() -> tuple[str, Counts]:
        assert kept_counts(session) == recount(session)
        assert weighed(session) == reweighed(session)
        verdict, counts = kept_counts(session)[claim]
        return verdict, counts[2:5]

    assert counts() == ("corroborated", (0, 3, 0))
    for person in PEOPLE[1:3]:
        run(session, OWN, person, PEOPLE[4], "owned_by")
    assert counts() == ("corroborated", (0, 2, 0))
    run(session, ATTRIBUTE, number(3, 2), PEOPLE[4])
    assert counts() == ("single_origin", (0, 1, 0))
    run(session, CLAIM_BY, claim, PEOPLE[4], None, "actual")
    assert counts() == ("single_origin", (1, 0, 0))
    run(session, ATTRIBUTE, number(3, 2), None)
    assert counts() == ("corroborated", (1, 1, 0))
    run(session, CONCERN, claim, PEOPLE[3], "subject")
    assert counts() == ("confirmed_by_party", (1, 0, 1))


def test_diamond_paths_are_cheap(session: Session) -> None:
    """Thirty forks that meet again have a thousand million ways through them."""
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
        "INSERT INTO evidence (id, claim_id, source_id, stance, status)"
        " VALUES ($1, $2, $3, 'supports', 'accepted')",
        *(passage, number(2, 0), first),
    )
    assert brief(session, number(2, 0)) == (1, 1, 0, 0)
    way = run(session, "SELECT source_id FROM origin_steps($1, $2)", passage, last)
    assert len(way) == 60
    assert way[-1] == (last,)


def test_the_path_to_each_of_several_origins_is_shown(session: Session) -> None:
    prepare_world(session)
    for n, m, kind in ((2, 0, "rewrite_of"), (2, 3, "copy_of"), (3, 1, "syndicated_from")):
        run(session, RELATE, number(1, n), number(1, m), kind)
    run(session, SPEAK, number(3, 0), number(2, 0), number(1, 2), "supports", None)
    run(session, SPEAK, number(3, 1), number(2, 1), number(1, 5), "supports", number(3, 0))
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
def committed(make_database) -> Iterator[Database]:
    """A database in which writes are committed."""
    with make_database() as url:
        database = Database(lambda: url)
        with writing(database) as session:
            prepare_world(session)
        yield database
        database.close()


def happen(database: Database, sql: str, *values: object) -> None:
    """One statement, one transaction."""
    with writing(database) as session:
        run(session, sql, *values)


FIRST, SECOND = A_SOURCE[:2]
WITNESS = (SPEAK, A_PASSAGE[1], A_CLAIM[0], SECOND, "supports", None)
RACES = {
    "another witness": (SPEAK, A_PASSAGE[2], A_CLAIM[0], A_SOURCE[2], "disputes", None),
    "the witness copies": (RELATE, SECOND, FIRST, "copy_of"),
    "the witness is retracted": (RETRACT, SECOND, True),
    "a copy of the witness": (RELATE, A_SOURCE[3], SECOND, "rewrite_of"),
    "the witness cites": (RELATE, SECOND, FIRST, "cites"),
    "the witness has a publisher": (PUBLISH, SECOND, PEOPLE[0], "publisher"),
    "the publisher has an owner": (OWN, PEOPLE[2], PEOPLE[0], "owned_by"),
    "another claimant": (CLAIM_BY, A_CLAIM[0], PEOPLE[1], None, "actual"),
    "a subject": (CONCERN, A_CLAIM[0], PEOPLE[2], "subject"),
}


@pytest.mark.parametrize("turned", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("other", RACES.values(), ids=RACES)
def test_the_later_of_two_concurrent_writers_sees_the_earlier(
    committed: Database, wait_for_a_lock, other: tuple, turned: bool
) -> None:
    happen(committed, SPEAK, A_PASSAGE[0], A_CLAIM[0], FIRST, "asserts", None)
    happen(committed, SPEAK, A_PASSAGE[3], A_CLAIM[0], A_SOURCE[3], "asserts", None)
    happen(committed, PUBLISH, SECOND, PEOPLE[2], "publisher")
    earlier, later = (other, WITNESS) if turned else (WITNESS, other)
    with ThreadPoolExecutor(1) as pool:
        with writing(committed) as session:
            run(session, *earlier)
            waiting = pool.submit(happen, committed, *later)
            wait_for_a_lock(committed)
        waiting.result(10)
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)


def test_concurrent_cycle_is_refused(committed: Database, wait_for_a_lock) -> None:
    for passage, source in zip(A_PASSAGE[:2], (FIRST, SECOND), strict=True):
        happen(committed, SPEAK, passage, A_CLAIM[0], source, "asserts", None)
    with ThreadPoolExecutor(1) as pool:
        with writing(committed) as session:
            run(session, RELATE, FIRST, SECOND, "copy_of")
            waiting = pool.submit(happen, committed, RELATE, SECOND, FIRST, "copy_of")
            wait_for_a_lock(committed)
        with pytest.raises(Invalid) as refused:
            waiting.result(10)
    assert refused.value.faults[0].pointer == "#/relations"
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)
        assert brief(session, A_CLAIM[0]) == (2, 1, 0, 0)


def test_counts_equal_a_recount_after_concurrent_writes(committed: Database) -> None:
    def write(seed: int) -> int:
        chance, done = random.Random(seed), 0
        for _ in range(30):
            sql, values = chance.choice(list(HAPPENINGS.items()))
            try:
                happen(committed, sql, *map(chance.choice, values))
            except DomainError:
                continue  # a circle, or what another needs
            done += 1
        return done

    with ThreadPoolExecutor(6) as pool:
        done = list(pool.map(write, range(6)))
    assert sum(done) > 60
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)
        # The writers may leave nothing that counts: this passage does, whatever they left.
        run(session, "UPDATE sources SET retracted_at = NULL, issued = NULL, issued_edtf = NULL")
        run(session, "UPDATE evidence SET stance = 'mentions'")
        run(session, SPEAK, number(3, PASSAGES), A_CLAIM[0], A_SOURCE[0], "supports", None)
        assert kept_counts(session) == recount(session)
        assert brief(session, A_CLAIM[0]) == (1, 1, 0, 0)
