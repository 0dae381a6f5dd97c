"""Fixtures: the app on a seeded database, and clients with keys."""

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from flask import Flask
from sqlalchemy import make_url
from werkzeug.test import TestResponse

from app import create_app
from hksz_db.api.ordinary_reads import Found, OrdinaryReads
from hksz_db.database import Database
from hksz_db.domain.errors import DomainError
from hksz_db.domain.vocabulary import Scope
from hksz_db.preparing import seed_folders
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import api_keys, seeding
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase
from tests.samples import SAMPLES, Sample, write_unseeded_rows
from tests.service import running_service

WRITING = (Scope.SOURCES_WRITE, Scope.CLAIMS_WRITE, Scope.ENTITIES_WRITE)


@pytest.fixture(scope="session")
def seeded_template(make_database: MakeDatabase) -> Iterator[str]:
    """The name of a database with the first seed, to be cloned.

    Only the first, so that the counts in tests do not change with every added source.
    """
    (article, *_) = seed_folders()
    with make_database() as url:
        database = Database(lambda: url)
        with writing(database) as session:
            seeding.load(session, article)
        database.close()
        write_unseeded_rows(url)
        name = make_url(url).database
        assert name
        yield name


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, seeded_template: str) -> Iterator[str]:
    """A database with the first seed, for the module."""
    with make_database(seeded_template) as url:
        yield url


@pytest.fixture(scope="session")
def _bare_app() -> Flask:
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@pytest.fixture
def app(_bare_app: Flask, database: Database) -> Flask:
    """The service in the transaction of the test."""
    _bare_app.extensions["hksz_database"] = database
    return _bare_app


class Answer(TestResponse):
    """A response, of which each test knows which document it expects."""

    json: Any


def without_warnings(written: Answer) -> bytes:
    """The document in the answer to a write, as a read returns it."""
    return written.data.replace(b',"warnings":[]}', b"}")


def answered_without_flask(app: Flask, read: Answer, first: Answer | None = None) -> Found | None:
    """What answers a read without Flask if anything does; it must equal Flask's answer.

    It has learnt from the answer to the ``first`` read or else to this one.
    """
    reads = OrdinaryReads(app)
    known = first or read
    headers = [(k.lower().encode(), v.encode()) for k, v in known.headers]
    reads.learn(known.request.environ, known.status_code, headers)
    try:
        found = reads.answer(read.request.environ)
    except DomainError:
        assert read.status_code >= 300
        return None
    if found is not None:
        expected = {k.lower().encode(): v.encode() for k, v in read.headers}
        own = {b"x-request-id": b""}
        assert dict(found.headers) | own == expected | own
        assert (200, found.body) == (read.status_code, read.data)
    return found


class Client:
    """Flask's test client with a key: keyword arguments are the query string."""

    def __init__(self, app: Flask, key: str | None = None) -> None:
        self._client = app.test_client()
        self._headers = {"Authorization": f"Bearer {key}"} if key else {}

    def send(
        self, method: str, path: str, *, headers: dict[str, str] | None = None, **options: Any
    ) -> Answer:
        """The response to a request, as Werkzeug's client takes it."""
        given = {**self._headers, **(headers or {})}
        return cast("Answer", self._client.open(path, method=method, headers=given, **options))

    def get(self, path: str, **query: Any) -> Answer:
        read = self.send("GET", path, query_string=query or None)
        answered_without_flask(self._client.application, read)
        return read

    def get_with_embeds(self, path: str) -> Answer:
        """A row with everything that the answer to a write embeds."""
        (resource,) = (r for r in RESOURCES.values() if path.startswith(f"/v1/{r.name}/"))
        embeds = ",".join(name for name in resource.embeds if name in resource.written)
        return self.get(path, include=embeds) if embeds else self.get(path)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.send("POST", path, json=body, headers=headers)

    def patch(self, path: str, body: Any, etag: str = "*") -> Answer:
        return self.send("PATCH", path, json=body, headers={"If-Match": etag})

    def delete(self, path: str, etag: str = "*") -> Answer:
        return self.send("DELETE", path, headers={"If-Match": etag})

    def restore(self, path: str, etag: str = "*") -> Answer:
        return self.send("POST", f"{path}/restore", headers={"If-Match": etag})


MakeClient = Callable[..., Client]


@pytest.fixture
def make_client(app: Flask, database: Database) -> MakeClient:
    """``make_client(Scope.REVIEW)``: a client whose new key has the scopes."""

    def make(*scopes: Scope, label: str = "tester") -> Client:
        with writing(database) as session:
            return Client(app, api_keys.create(session, label, scopes))

    return make


@pytest.fixture
def reader(app: Flask) -> Client:
    """A client without a key."""
    return Client(app)


@pytest.fixture
def editor(make_client: MakeClient) -> Client:
    """A client that may write everything, also reviewed rows, but is not an admin."""
    return make_client(*WRITING, Scope.REVIEW, label="editor")


@pytest.fixture
def writer(make_client: MakeClient) -> Client:
    """A client that may write everything except reviewed rows."""
    return make_client(*WRITING, label="writer")


@pytest.fixture
def admin(make_client: MakeClient) -> Client:
    """A client that may do everything."""
    return make_client(Scope.ADMIN, label="admin")


@pytest.fixture(scope="module")
def server_log(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The log of the server."""
    return tmp_path_factory.mktemp("server") / "log"


@pytest.fixture(scope="module")
def address(database_url: str, server_log: Path) -> Iterator[str]:
    """The URL of a service that runs as in production; everything is committed."""
    with running_service(database_url, server_log) as url:
        yield url


@pytest.fixture(scope="module")
def key(database_url: str) -> str:
    """A key that may do everything."""
    database = Database(lambda: database_url)
    with writing(database) as session:
        key = api_keys.create(session, "served", [Scope.ADMIN])
    database.close()
    return key


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.resource)
def sample(request: pytest.FixtureRequest) -> Sample:
    """A sample of each resource."""
    return copy.deepcopy(request.param)


@pytest.fixture
def samples() -> dict[str, Sample]:
    """The samples by resource."""
    return {sample.resource: copy.deepcopy(sample) for sample in SAMPLES}
