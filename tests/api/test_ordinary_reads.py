"""Reads by id that are answered without Flask: they are answered alike, or left to Flask.

Every read in the tests of this folder is compared, too (``Client.get``).
"""

import pytest
from flask import Flask

from app import create_app
from hksz_db.api.gateway import Gateway
from hksz_db.api.ordinary_reads import OrdinaryReads
from hksz_db.database import Database
from hksz_db.queries.registry import RESOURCES
from hksz_db.settings import Settings
from tests.api.conftest import Answer, Client, answered_without_flask
from tests.api.test_gateway import Client as GatewayClient
from tests.api.test_gateway import run
from tests.samples import Sample

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
        assert await GatewayClient(served).get(path, (b"host", b"localhost")) == (200, expected)
        monkeypatch.setattr(app, "wsgi_app", None)
        assert await GatewayClient(served).get(path, (b"host", b"localhost")) == (200, expected)

    run(ask())


def test_a_read_that_others_outnumber_is_left_to_flask(
    app: Flask, reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hksz_db.api.ordinary_reads._MOST_KNOWN", 0)
    read: Answer = reader.send("GET", _path(reader, "claims"))
    assert answered_without_flask(app, read) is None
