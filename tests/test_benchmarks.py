"""The variants that the benchmark compares give the same documents; the budget of growth."""

from fnmatch import fnmatchcase
from typing import Any

import psycopg
import pytest
from flask import Flask
from sqlalchemy import make_url

from app import create_app
from benchmarks import dataset, equivalence, orm_service
from benchmarks.budget import budget
from benchmarks.questions import Ask, questions
from hksz_db.database import Database
from hksz_db.embedded import Server
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase


class InProcess:
    """A server of the benchmark, without its process."""

    def __init__(self, name: str, app: Flask, key: str) -> None:
        self.name = name
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {key}"}

    def answer(self, ask: Ask) -> Any:
        response = self._client.open(
            ask.path, method=ask.method, json=ask.body, headers=self._headers
        )
        assert response.status_code in {200, 201}, response.text
        return response.json


@pytest.mark.slow
def test_the_orm_gives_the_documents_of_the_service(
    make_database: MakeDatabase, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with make_database() as url:
        superuser_url = server.url(make_url(url).database or "", superuser=True)
        prepared = dataset.prepare(url, superuser_url, claims=300)
        key = dataset.new_key(url)
        monkeypatch.setenv(orm_service.DATABASE_URL, url)
        database, orm = Database(lambda: url), orm_service.create_app()
        ours = InProcess("this service", create_app(Settings(log_level="error"), database), key)
        theirs = InProcess("the ORM", orm, key)
        with psycopg.connect(url) as connection:
            lines = [
                question.lines(connection)[:5]
                for question in questions(prepared)
                if question.orm_aim
            ]
        for asked in lines:
            equivalence.check(ours, theirs, asked)
        database.close()
        orm.extensions["engine"].dispose()


def test_the_first_exception_that_fits_a_kind_holds() -> None:
    known = budget()
    assert known("claims sort=time") == known.usual_ms
    for number, exception in enumerate(known.exceptions):
        earlier = [pattern for each in known.exceptions[:number] for pattern in each.kinds]
        for kind in (pattern.replace("*", "x") for pattern in exception.kinds):
            if not any(fnmatchcase(kind, pattern) for pattern in earlier):
                assert known(kind) == exception.ms > known.usual_ms
