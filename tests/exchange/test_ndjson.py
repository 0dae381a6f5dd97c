"""NDJSON: one document per line, equal to a read by id."""

import json

import pytest
from flask.testing import FlaskClient

from app import create_app
from hksz_db.database import Database
from hksz_db.queries.registry import RESOURCES
from hksz_db.settings import Settings
from tests.exchange.conftest import Exported, Write


@pytest.fixture(scope="module")
def client(seeded: Database) -> FlaskClient:
    return create_app(Settings(log_level="error"), seeded).test_client()


@pytest.mark.parametrize("resource", RESOURCES)
def test_line_equals_the_read_by_id(resource: str, exported: Exported, client: FlaskClient) -> None:
    lines = exported(resource, "ndjson").splitlines(keepends=True)
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == sorted(ids)
    for id, line in list(zip(ids, lines, strict=True))[::7]:
        read = client.get(f"/v1/{resource}/{id}").data
        assert line == read.replace(b"\n", b"") + b"\n"


def test_line_breaks_in_text_are_escaped(written: Write) -> None:
    made = written("claims", "ndjson", [{"statement": "one\ntwo\r\n\u2028three"}, {}])
    assert [json.loads(line) for line in made.split(b"\n")[:-1]] == [
        {"statement": "one\ntwo\r\n\u2028three"},
        {},
    ]
