"""``flask erase`` leaves a text nowhere in the database, and tells who follows the feed."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from app import create_app
from hksz_db.database import Database
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys
from hksz_db.services.work import work_off
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.samples import tables_with

SECRET = 'Qzx "Vrt"'
REASON = "order of a court"

Erase = Callable[..., Result]


@pytest.fixture(scope="module")
def app(database_url: str) -> Iterator[Flask]:
    """The service on the database of the module, in which writes are committed."""
    database = Database(lambda: database_url)
    yield create_app(Settings(log_level="error"), database)
    database.close()


@pytest.fixture(scope="module")
def database(app: Flask) -> Database:
    found: Database = app.extensions["hksz_database"]
    return found


@pytest.fixture(scope="module")
def client(app: Flask, database: Database) -> FlaskClient:
    """A client that may do everything."""
    with writing(database) as session:
        key = api_keys.create(session, "editor", list(Scope))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {key}"
    return client


@pytest.fixture
def erase(app: Flask) -> Erase:
    """``erase(resource, name, text)`` erases a text, by default the secret."""
    runner = app.test_cli_runner()
    return lambda resource, name, text=SECRET: runner.invoke(
        args=["erase", resource, name, "-", "--reason", REASON], input=f"{text}\n"
    )


def _post(client: FlaskClient, resource: str, **fields: object) -> dict[str, Any]:
    answer = client.post(f"/v1/{resource}", json=fields, headers={"Idempotency-Key": uuid4().hex})
    assert answer.status_code == 201, answer.text
    assert answer.json
    return answer.json


def _get(client: FlaskClient, path: str) -> Any:
    answer = client.get(f"/v1/{path}")
    assert answer.status_code == 200, answer.text
    return answer.json


def _patch(client: FlaskClient, resource: str, id: str, **fields: object) -> None:
    answer = client.patch(f"/v1/{resource}/{id}", json=fields, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text


def test_a_text_is_nowhere_afterwards(
    client: FlaskClient, database: Database, database_url: str, erase: Erase
) -> None:
    person = _post(
        client,
        "entities",
        kind="person",
        names=[{"name": f"Dr {SECRET}smith", "language": "en", "kind": "preferred"}],
        description=f"Once {SECRET}.",
    )
    somebody = [{"name": "Somebody", "language": "en", "kind": "preferred"}]
    other = _post(client, "entities", kind="person", names=somebody)
    claim = _post(
        client,
        "claims",
        statement="It was said.",
        language="en",
        modality="actual",
        claimant_id=person["id"],
        entities=[{"entity_id": person["id"], "role": "subject"}],
    )
    _patch(client, "entities", person["id"], description="Nothing.")
    _patch(client, "claims", claim["id"], statement="It was written.")
    work_off(database)
    assert {"public.entities", "past.entities", "past.claims"} <= tables_with(database_url, "vrt")

    result = erase("entities", person["id"])

    assert result.exit_code == 0, result.output
    assert "entities.name\t1 present\t1 earlier\n" in result.output
    assert "entities.description\t0 present\t1 earlier\n" in result.output
    assert "still in" not in result.output
    work_off(database)
    assert tables_with(database_url, "qzx", "vrt") == set()
    name = _get(client, f"entities/{person['id']}")["name"]
    assert name.startswith("Dr [erased on 20")
    assert name.endswith(f": {REASON}]smith")
    assert _get(client, f"entities/{other['id']}")["name"] == "Somebody"
    assert _get(client, "claims?q=erased")["data"][0]["id"] == claim["id"]


def test_the_feed_tells_of_it(client: FlaskClient, database_url: str, erase: Erase) -> None:
    source = _post(client, "sources", csl_type="report", title="A title", rights=SECRET)
    _patch(client, "sources", source["id"], rights=None)
    cursor = _get(client, "changes?cursor=now")["meta"]["next_cursor"]

    assert erase("sources", source["id"]).exit_code == 0

    entries = _get(client, f"changes?cursor={cursor}&wait=5")["data"]
    assert [(entry["op"], entry["id"]) for entry in entries] == [("erase", source["id"])]
    assert entries[0]["document"]["rights"] is None
    assert tables_with(database_url, "qzx") == set()


def test_the_past_of_a_deleted_row_is_erased(
    client: FlaskClient, database_url: str, erase: Erase
) -> None:
    source = _post(client, "sources", csl_type="report", title=SECRET)
    assert (
        client.delete(f"/v1/sources/{source['id']}", headers={"If-Match": "*"}).status_code == 204
    )
    cursor = _get(client, "changes?cursor=now")["meta"]["next_cursor"]

    assert erase("sources", source["id"]).exit_code == 0

    (entry,) = _get(client, f"changes?cursor={cursor}&wait=5")["data"]
    assert (entry["op"], entry["document"]) == ("erase", None)
    assert tables_with(database_url, "vrt") == set()


def test_other_rows_with_the_text_are_named(client: FlaskClient, erase: Erase) -> None:
    first, second = (
        _post(client, "sources", csl_type="report", title=f"{SECRET} {number}") for number in "12"
    )
    assert f"still in sources {second['id']}\n" in erase("sources", first["id"]).output
    assert "still in" not in erase("sources", second["id"]).output


def test_an_address_with_the_text_becomes_null(
    client: FlaskClient, database_url: str, erase: Erase
) -> None:
    url = "https://qzx.example/%C3%A9"
    source = _post(client, "sources", csl_type="report", title="A page", url=url)

    assert erase("sources", source["id"], "qzx.example").exit_code == 0

    assert _get(client, f"sources/{source['id']}")["url"] is None
    assert tables_with(database_url, "qzx") == set()


def test_a_row_without_the_text_does_not_change(client: FlaskClient, erase: Erase) -> None:
    source = _post(client, "sources", csl_type="report", title="Another title")

    result = erase("sources", source["id"])

    assert result.exit_code == 1
    assert result.output == "Error: This source does not hold the text.\n"
    assert _get(client, f"sources/{source['id']}")["version"] == 1


def test_the_history_can_only_be_added_to_afterwards(
    client: FlaskClient, database_url: str, erase: Erase
) -> None:
    source = _post(client, "sources", csl_type="report", title=SECRET)
    assert erase("sources", source["id"]).exit_code == 0
    with (
        psycopg.connect(database_url) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege, match="only be added to"),
    ):
        connection.execute("UPDATE past.sources SET title = 'x'")


def test_what_a_merge_keeps_is_erased(client: FlaskClient, database_url: str, erase: Erase) -> None:
    names = [
        {"name": "Somebody else", "language": "en", "kind": "preferred"},
        {"name": SECRET, "language": "en", "kind": "alias"},
    ]
    kept, merged = (_post(client, "entities", kind="person", names=names) for _ in "12")
    body = {"into_id": kept["id"]}
    answer = client.post(f"/v1/entities/{merged['id']}/merge", json=body, headers={"If-Match": "*"})
    assert answer.status_code == 200, answer.text

    output = erase("entities", kept["id"]).output + erase("entities", merged["id"]).output

    assert f"still in entities {merged['id']}\n" in output
    assert tables_with(database_url, "qzx") == set()


def test_a_claim_and_its_evidence_are_erased(
    client: FlaskClient, database_url: str, erase: Erase
) -> None:
    source = _post(client, "sources", csl_type="report", title="A long title")
    translated = {"language": "fr", "text": f"On dit {SECRET}.", "translated_by": "human"}
    claim = _post(
        client,
        "claims",
        statement="It was thought.",
        language="en",
        modality="actual",
        claimant_as_stated="Somebody",
        statements=[translated],
        evidence=[{"source_id": source["id"], "stance": "asserts", "note": SECRET}],
    )
    _patch(client, "claims", claim["id"], statement="It was known.", statements=[])
    (evidence,) = _get(client, f"claims/{claim['id']}/evidence")["data"]

    assert erase("claims", claim["id"]).output.endswith(
        f"claim_translations.text\t0 present\t1 earlier\nstill in evidence {evidence['id']}\n"
    )
    result = erase("evidence", evidence["id"])

    assert result.exit_code == 0, result.output
    assert result.output == "evidence.note\t1 present\t0 earlier\n"
    assert tables_with(database_url, "qzx", "vrt") == set()


def test_several_topics_of_a_claim_are_erased(
    client: FlaskClient, database_url: str, erase: Erase
) -> None:
    claim = _post(
        client,
        "claims",
        statement="It was felt.",
        language="en",
        modality="actual",
        claimant_as_stated="Somebody",
        topics=["qzx", "qzx-case", "weather"],
    )

    assert erase("claims", claim["id"], "qzx").exit_code == 0

    *erased, other = _get(client, f"claims/{claim['id']}")["topics"]
    assert [each.startswith("erased-") for each in erased] == [True, True]
    assert other == "weather"
    assert tables_with(database_url, "qzx") == set()
