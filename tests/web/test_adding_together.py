"""Two people who save the same passage at the same time, each with a connection of their own."""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from http import HTTPStatus
from uuid import UUID

import pytest
from flask import Flask

from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.services.rows import lock_rows
from hksz_db.services.writing import writing
from tests.web.conftest import Api, Browser, MakeKey, Page

STATEMENT = "Ferries cross the bay every hour."


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the module, in which writes are committed."""
    database = Database(lambda: database_url, statement_timeout_ms=60_000)
    yield database
    database.close()


def _wait_for_locks(database: Database, answers: Sequence[Future[Page]]) -> None:
    """Return as soon as each of the requests waits for a lock."""
    waiting = (
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    pause = threading.Event()
    while not any(each.done() for each in answers):
        with database.transaction() as session:
            if run(session, waiting) == [(len(answers),)]:
                return
        pause.wait(0.005)
    pytest.fail("a request has not waited")


def test_of_two_who_save_the_same_passage_at_once_the_second_is_told(
    app: Flask, database: Database, api: Api, make_key: MakeKey
) -> None:
    source = api("/v1/sources", json={"title": "A timetable", "csl_type": "report"})["id"]
    people = [Browser(app), Browser(app)]
    for person, label in zip(people, ("one", "other"), strict=True):
        person.sign_in(make_key(label, Scope.CLAIMS_WRITE))

    def save(person: Browser) -> Page:
        typed = {"statement": STATEMENT, "claimant": "an operator", "page": "4", "go": "save"}
        return person.send(person.get("/add", source=source), "/add", **typed)

    with ThreadPoolExecutor(2) as pool:
        with writing(database) as session:
            lock_rows(session, "sources", (), [UUID(source)])
            answers = [pool.submit(save, person) for person in people]
            _wait_for_locks(database, answers)
        pages = [each.result() for each in answers]
    assert {each.status for each in pages} == {HTTPStatus.SEE_OTHER, HTTPStatus.CONFLICT}
    (refused,) = [each for each in pages if each.status == HTTPStatus.CONFLICT]
    assert refused.only("//*[@id='problems']/p") == "It has already been saved."
    assert len(api("/v1/evidence", source_id=source)["data"]) == 1
