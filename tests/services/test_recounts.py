"""Recounts that concern many claims wait in a queue, and are worked off in batches."""

import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from uuid import UUID

import psycopg
import pytest
import structlog
from sqlalchemy import make_url
from structlog.testing import capture_logs

from hksz_db.database import Database, Session, run
from hksz_db.services import merging
from hksz_db.services.recounts import BATCH, RecountQueue
from hksz_db.services.work import work_off
from hksz_db.services.writing import writing
from hksz_db.serving import working
from tests.conftest import MakeDatabase
from tests.services.test_corroborations import (
    A_SOURCE,
    OWN,
    PEOPLE,
    PUBLISH,
    RELATE,
    RETRACT,
    happen,
    kept_counts,
    number,
    prepare_world,
    recount,
    reweighed,
    weighed,
)

pytestmark = pytest.mark.slow

MANY = 450
OFTEN_S = 0.02
NIL = UUID(int=0)
WAITING = "SELECT count(*) FROM claims WHERE awaits_recount(id)"
QUEUED = "SELECT count(*) FROM recounts"


def populate(session: Session) -> None:
    """Two sources with a publisher each, and many claims that both are evidence for."""
    prepare_world(session)
    for source, person in zip(A_SOURCE[:2], PEOPLE[1:3], strict=True):
        run(session, PUBLISH, source, person, "publisher")
    run(
        session,
        "INSERT INTO claims (statement, language, claimant_id, modality)"
        " SELECT 'Claim ' || n, 'en', $1, 'actual' FROM generate_series(1, $2) AS n",
        *(PEOPLE[0], MANY),
    )
    for source in A_SOURCE[:2]:
        run(
            session,
            "INSERT INTO evidence (claim_id, source_id, stance, status)"
            " SELECT id, $1, 'asserts', 'accepted' FROM claims WHERE statement LIKE 'Claim %'",
            source,
        )


@pytest.fixture(scope="module")
def populated(make_database: MakeDatabase) -> Iterator[str]:
    """The name of a database with many claims, to be cloned."""
    with make_database() as url:
        database = Database(lambda: url)
        with writing(database) as session:
            populate(session)
        database.close()
        name = make_url(url).database
        assert name
        yield name


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, populated: str) -> Iterator[str]:
    """A database with many claims, for the module."""
    with make_database(populated) as url:
        yield url


@pytest.fixture
def world(session: Session) -> Session:
    """A session in which many claims are corroborated."""
    assert verdicts(session) == {"unsupported": 3, "corroborated": MANY}
    return session


@pytest.fixture
def committed(make_database: MakeDatabase, populated: str) -> Iterator[Database]:
    """A database of its own with many claims."""
    with make_database(populated) as url:
        database = Database(lambda: url)
        yield database
        database.close()


@pytest.fixture
def logs() -> Iterator[list]:
    """All log entries."""
    structlog.reset_defaults()
    with capture_logs() as logs:
        yield logs


def events(logs: list) -> list[str]:
    """What was logged, but for statements that were slow because the machine is busy."""
    return [log["event"] for log in logs if log["event"] != "slow_statement"]


def verdicts(session: Session) -> dict[str, int]:
    """How many claims have each verdict."""
    found = run(session, "SELECT verdict, count(*) FROM corroborations GROUP BY verdict")
    return dict(found)


def count(session: Session, query: str) -> int:
    return run(session, query)[0][0]


def wait_until(database: Database, reached: Callable[[Session], bool]) -> None:
    for _ in range(1500):
        with database.transaction() as session:
            if reached(session):
                return
        threading.Event().wait(0.02)
    raise AssertionError("the time is over")


CHANGES = {
    "a source is retracted": ((RETRACT, A_SOURCE[0], True), "single_origin"),
    "a source is made a copy": ((RELATE, A_SOURCE[0], A_SOURCE[1], "copy_of"), "single_origin"),
    "a source is made to cite": ((RELATE, A_SOURCE[0], A_SOURCE[1], "cites"), "single_origin"),
    "a publisher gets an owner": ((OWN, PEOPLE[1], PEOPLE[2], "owned_by"), "single_origin"),
    "a publisher is added": ((PUBLISH, A_SOURCE[0], PEOPLE[2], "author"), "single_origin"),
    "the claimant gets an owner": ((OWN, PEOPLE[0], PEOPLE[1], "works_for"), "corroborated"),
}


@pytest.mark.parametrize(("change", "verdict"), CHANGES.values(), ids=CHANGES)
def test_a_change_that_bears_on_many_claims_is_counted_later(
    world: Session, change: tuple, verdict: str
) -> None:
    run(world, *change)
    assert verdicts(world) == {"unsupported": 3, "corroborated": MANY}
    assert count(world, WAITING) in {MANY, MANY + 3}  # the claimant has three more
    queue = RecountQueue()
    assert queue(world) == BATCH
    assert count(world, WAITING) <= MANY + 3 - BATCH
    while queue(world):
        pass
    assert (count(world, WAITING), count(world, QUEUED)) == (0, 0)
    assert kept_counts(world) == recount(world)
    assert verdicts(world) == {"unsupported": 3, verdict: MANY}


@pytest.mark.parametrize("change", [change for change, _ in CHANGES.values()], ids=CHANGES)
def test_evidence_is_weighed_as_it_is_now_until_the_recount(world: Session, change: tuple) -> None:
    for undo in (None, "DELETE FROM source_relations", "UPDATE sources SET retracted_at = NULL"):
        if undo is None:
            run(world, *change)
        else:
            run(world, undo)
        assert weighed(world) == reweighed(world)
        while RecountQueue()(world):
            pass
        assert weighed(world) == reweighed(world)


def test_a_merge_that_bears_on_many_claims_is_counted_later(world: Session) -> None:
    run(world, OWN, PEOPLE[3], PEOPLE[2], "owned_by")
    merging.merge(world, "entities", PEOPLE[1], None, {"into_id": PEOPLE[3]})
    while RecountQueue()(world):
        pass
    assert kept_counts(world) == recount(world)
    assert verdicts(world) == {"unsupported": 3, "single_origin": MANY}
    merging.undo(world, "entities", PEOPLE[1], None)
    while RecountQueue()(world):
        pass
    assert kept_counts(world) == recount(world)


def test_many_claims_that_get_another_claimant_are_counted_later(world: Session) -> None:
    run(world, "UPDATE claims SET claimant_id = $1", PEOPLE[1])
    assert count(world, WAITING) == MANY + 3
    while RecountQueue()(world):
        pass
    assert kept_counts(world) == recount(world)


def test_all_claims_can_be_counted_anew(world: Session) -> None:
    """As after a migration that changes the rules."""
    run(world, "UPDATE corroborations SET own_for = 7, verdict = 'refuted'")
    run(world, "INSERT INTO recounts DEFAULT VALUES")
    assert count(world, WAITING) == MANY + 3
    while RecountQueue()(world):
        pass
    assert kept_counts(world) == recount(world)
    assert count(world, QUEUED) == 0


def test_one_entry_is_enough_for_several_changes(world: Session) -> None:
    for flag in (True, False, True):
        run(world, RETRACT, A_SOURCE[0], flag)
    assert count(world, QUEUED) == 1
    RecountQueue()(world)
    run(world, RETRACT, A_SOURCE[0], False)
    assert count(world, QUEUED) == 2


def test_other_claims_do_not_wait(world: Session) -> None:
    run(world, RETRACT, A_SOURCE[0], True)
    other = run(world, "SELECT awaits_recount($1)", number(2, 0))
    assert other == [(False,)]


def test_a_batch_that_was_not_committed_is_done_again(world: Session) -> None:
    run(world, RETRACT, A_SOURCE[0], True)
    queue = RecountQueue()
    queue(world)
    with world.begin_nested() as lost:
        queue(world)
        lost.rollback()
    while queue(world):
        pass
    assert kept_counts(world) == recount(world)


def test_two_processes_share_the_work(committed: Database) -> None:
    happen(committed, RETRACT, A_SOURCE[0], True)
    other = Database(lambda: committed.connector.location)
    with working(committed, OFTEN_S), working(other, OFTEN_S):
        wait_until(committed, lambda session: count(session, QUEUED) == 0)
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)
        assert verdicts(session) == {"unsupported": 3, "single_origin": MANY}


def test_evidence_that_is_written_meanwhile_is_counted(committed: Database) -> None:
    happen(committed, RETRACT, A_SOURCE[0], True)
    with working(committed, OFTEN_S):
        for n in range(20):
            happen(
                committed,
                "INSERT INTO evidence (claim_id, source_id, stance, status)"
                " SELECT id, $1, 'disputes', 'accepted' FROM claims"
                " WHERE statement = 'Claim ' || $2::int",
                *(A_SOURCE[2], 20 * n + 1),
            )
        wait_until(committed, lambda session: count(session, QUEUED) == 0)
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)
        assert verdicts(session)["disputed"] == 20


def test_an_entry_that_fails_is_logged_and_tried_again(committed: Database, logs: list) -> None:
    happen(
        committed,
        "ALTER TABLE corroborations ADD CONSTRAINT broken CHECK (verdict <> 'single_origin')",
    )
    happen(committed, RETRACT, A_SOURCE[0], True)
    happen(
        committed,
        "INSERT INTO recounts (claim_ids) SELECT array_agg(id) FROM claims WHERE id = $1",
        number(2, 0),
    )
    with working(committed, OFTEN_S):
        wait_until(committed, lambda session: count(session, QUEUED) == 1)
        happen(committed, "ALTER TABLE corroborations DROP CONSTRAINT broken")
        with committed.transaction() as session:
            assert count(session, WAITING) == MANY
        happen(committed, "UPDATE recounts SET retry_at = now()")
        wait_until(committed, lambda session: count(session, QUEUED) == 0)
    assert events(logs) == ["queue_entry_failed"]
    with committed.transaction() as session:
        assert kept_counts(session) == recount(session)


def test_a_lost_connection_is_replaced(committed: Database, server, logs: list) -> None:
    name = make_url(committed.connector.location).database
    admin = server.url("postgres", superuser=True)
    # It waits until they have ended.
    ending = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = %s"
    with working(Database(lambda: committed.connector.location), OFTEN_S):
        with closing(psycopg.connect(admin, autocommit=True)) as other:
            other.execute(ending, [name])
        happen(committed, RETRACT, A_SOURCE[0], True)
        wait_until(committed, lambda session: count(session, QUEUED) == 0)
    with committed.transaction() as session:
        assert verdicts(session) == {"unsupported": 3, "single_origin": MANY}
    assert set(events(logs)) <= {"work_failed"}


def test_nothing_is_counted_after_the_end(committed: Database) -> None:
    with working(committed, OFTEN_S):
        pass
    happen(committed, RETRACT, A_SOURCE[0], True)
    threading.Event().wait(10 * OFTEN_S)
    with committed.transaction() as session:
        assert count(session, QUEUED) == 1
    # The submitted claims are searched for duplicates as well.
    assert work_off(committed) > MANY
    with committed.transaction() as session:
        assert count(session, QUEUED) == 0
