"""Reads that are answered without Flask: they are answered alike, or left to Flask.

Every read in the tests of this folder is compared, too (``Client.get``).
"""

import json
import re
import time

import pytest
from flask import Flask

from app import create_app
from hksz_db.api import operating
from hksz_db.api.gateway import Gateway
from hksz_db.api.operating import Answered
from hksz_db.api.ordinary_reads import OrdinaryReads
from hksz_db.database import Database
from hksz_db.queries.registry import RESOURCES
from hksz_db.settings import Settings
from tests.api.conftest import Client, answered_without_flask
from tests.api.test_gateway import Client as GatewayClient
from tests.api.test_gateway import run
from tests.samples import Sample

HOST = (b"host", b"localhost")
UNKNOWN = "0199c3a0-0000-7000-8000-000000000000"


def _path(reader: Client, resource: str) -> str:
    (row, *_) = reader.get(f"/v1/{resource}", per_page="1").json["data"]
    return f"/v1/{resource}/{row['id']}"


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize("query", ["", "select=id,version", "select=", "include="])
def test_an_ordinary_read_is_answered_alike(
    app: Flask, reader: Client, resource: str, query: str
) -> None:
    read = reader.send("GET", f"{_path(reader, resource)}?{query}")
    assert (answered_without_flask(app, read) is not None) == (read.status_code == 200)


@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.parametrize(
    "query",
    ["", "per_page=1", "select=id&select=version", "count=exact&per_page=1", "sort=-created_at"],
)
def test_an_ordinary_list_is_answered_alike(
    app: Flask, reader: Client, resource: str, query: str
) -> None:
    first = reader.send("GET", f"/v1/{resource}?per_page=2")
    read = reader.send("GET", f"/v1/{resource}?{query}")
    assert read.status_code == 200
    assert answered_without_flask(app, read, first=first) is not None


def test_the_next_page_of_a_list_is_answered_alike(app: Flask, reader: Client) -> None:
    first = reader.send("GET", "/v1/claims?per_page=2&select=id&select=version&q=Shenzhen")
    (link,) = re.findall("<(.*)>", first.headers["Link"])
    assert answered_without_flask(app, reader.send("GET", link), first=first) is not None


def test_a_refused_list_is_left_to_flask(app: Flask, reader: Client) -> None:
    first = reader.send("GET", "/v1/claims")
    for query in ("unknown=1", "cursor=x", "q=%ff", "lang=en", "l%61ng=en"):
        read = reader.send("GET", f"/v1/claims?{query}")
        assert answered_without_flask(app, read, first=first) is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Accept": "text/html,application/json;q=0.9"},
        {"Accept-Language": "zh-Hant"},
        {"If-None-Match": "*"},
        {"X-Request-ID": "abc"},
        {"Host": "a_b"},
    ],
)
def test_what_a_header_decides_is_left_to_flask(
    app: Flask, reader: Client, headers: dict[str, str]
) -> None:
    path = _path(reader, "claims")
    known = reader.get(path)
    read = reader.send("GET", path, headers=headers)
    assert answered_without_flask(app, read, first=known) is None


@pytest.mark.parametrize("query", ["as_of=2026-01-01T00:00:00Z", "lang=en", "unknown=1"])
def test_other_questions_are_left_to_flask(app: Flask, reader: Client, query: str) -> None:
    read = reader.send("GET", f"{_path(reader, 'claims')}?{query}")
    assert answered_without_flask(app, read) is None


def test_other_rows_and_methods_are_left_to_flask(
    app: Flask, reader: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    known = editor.post("/v1/claims", samples["claims"].body)
    path = known.headers["Location"]
    first = reader.get(path)
    assert editor.delete(path).status_code == 204
    gone = reader.send("GET", path)
    missing = reader.send("GET", f"/v1/claims/{UNKNOWN}")
    head = reader.send("HEAD", _path(reader, "claims"))
    listed = reader.send("GET", "/v1/claims")
    assert (gone.status_code, missing.status_code) == (410, 404)
    for other in (gone, missing, head, listed):
        assert answered_without_flask(app, other, first=first) is None


def test_closed_reads_are_left_to_flask(
    app: Flask, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reader.get(_path(reader, "claims"))
    monkeypatch.setitem(app.config, "OPEN_READS", False)
    assert answered_without_flask(app, read) is None


def test_the_gateway_answers_from_the_second_read_on(
    database: Database, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _path(reader, "claims")
    expected = reader.get(path).data
    app = create_app(Settings(log_level="error"), database)

    async def ask() -> None:
        served = Gateway(app, Settings(), reads=OrdinaryReads(app))
        assert await GatewayClient(served).get(path, HOST) == (200, expected)
        monkeypatch.setattr(app, "wsgi_app", None)
        assert await GatewayClient(served).get(path, HOST) == (200, expected)

    run(ask())


@pytest.mark.parametrize("rows", [[], [(1, True, None, None)]])
def test_flask_answers_an_error_without_reading_again(
    database: Database, reader: Client, monkeypatch: pytest.MonkeyPatch, rows: list[object]
) -> None:
    path = _path(reader, "claims")
    app = create_app(Settings(log_level="error"), database)
    asked = []

    def read(*arguments: object) -> list[object]:
        asked.append(arguments)
        return rows

    async def ask() -> None:
        served = Gateway(app, Settings(), reads=OrdinaryReads(app))
        assert (await GatewayClient(served).get(path, HOST))[0] == 200
        monkeypatch.setattr(database, "read", read)
        status, body = await GatewayClient(served).get(path, HOST)
        assert status == (410 if rows else 404)
        assert b"urn:hksz:problem" in body or b'"status"' in body

    run(ask())
    assert len(asked) == 1


def test_flask_answers_and_measures_what_fails_before(
    database: Database, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _path(reader, "claims")
    app = create_app(Settings(log_level="critical"), database)
    seconds = []

    def observe(answered: Answered, **_: object) -> None:
        seconds.append(answered.seconds)

    def fail(*_: object) -> None:
        time.sleep(0.1)
        raise RuntimeError

    async def ask() -> None:
        served = Gateway(app, Settings(), reads=OrdinaryReads(app))
        assert (await GatewayClient(served).get(path, HOST))[0] == 200
        monkeypatch.setattr(database, "read", fail)
        monkeypatch.setattr(
            operating, "observe", lambda answer, **_: seconds.append(answer.seconds)
        )
        status, body = await GatewayClient(served).get(path, HOST)
        assert status == 500
        assert json.loads(body)["instance"] == path

    run(ask())
    assert len(seconds) == 1
    assert seconds[0] > 0.1


def test_the_oldest_of_many_questions_is_forgotten(
    app: Flask, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hksz_db.api.ordinary_reads._MOST_KNOWN", 1)
    first = reader.send("GET", _path(reader, "claims"))
    second = reader.send("GET", _path(reader, "sources"))
    reads = OrdinaryReads(app)
    for each in (first, second):
        reads.learn(each.request.environ, 200, [])
    assert reads.answer(first.request.environ) is None
    assert reads.answer(second.request.environ) is not None
