"""Exports: all rows that a query selects, in the formats of the resource."""

import csv
import io
import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
import structlog
from flask import Flask
from flask.testing import FlaskClient
from structlog.contextvars import clear_contextvars
from structlog.testing import capture_logs

from app import create_app
from hksz_db.api.answers import MAX_EXPORTS
from hksz_db.database import Database, run
from hksz_db.exchange.exporting import FORMATS, formats_for
from hksz_db.exchange.format import Format
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.api.conftest import Answer, Client
from tests.conftest import MakeDatabase, QueryCounter

PAIRS = [
    (resource, form) for resource in RESOURCES.values() for form in formats_for(resource).values()
]


def _lines(answer: Answer) -> list[Any]:
    assert answer.status_code == 200, answer.text
    return [json.loads(line) for line in answer.data.splitlines()]


def _faults(answer: Answer) -> dict[str, str]:
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"
    found: dict[str, str] = {}
    for fault in answer.json["errors"]:
        found[fault["parameter"]] = found.get(fault["parameter"], "") + fault["detail"]
    return found


@pytest.mark.parametrize(
    ("resource", "form"), PAIRS, ids=[f"{resource.name}-{form.name}" for resource, form in PAIRS]
)
def test_each_format_has_its_media_type_and_file_name(
    reader: Client, resource: Readable, form: Format
) -> None:
    answer = reader.get(f"/v1/{resource.name}/export", format=form.name)
    assert answer.status_code == 200
    assert answer.content_type == form.media_type
    name = rf'attachment; filename="{resource.name}-\d{{4}}-\d\d-\d\d\.{re.escape(form.suffix)}"'
    assert re.fullmatch(name, answer.headers["Content-Disposition"])
    assert answer.headers["Cache-Control"] == "no-store"
    assert not {"ETag", "Content-Length"} & set(answer.headers.keys())
    assert answer.data


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_exported_rows_equal_reads_by_id(reader: Client, resource: Readable) -> None:
    rows = _lines(reader.get(f"/v1/{resource.name}/export"))
    count = reader.get(f"/v1/{resource.name}", count="exact").json["meta"]["count"]["value"]
    assert len(rows) == count > 0
    assert rows == [reader.get(f"/v1/{resource.name}/{row['id']}").json for row in rows]
    assert rows == sorted(rows, key=lambda row: row["id"])


def test_an_export_is_one_statement(reader: Client, query_counter: QueryCounter) -> None:
    with query_counter() as counted:
        assert reader.get("/v1/claims/export").data
    assert len(counted.statements) == 1


def test_head_reads_nothing(reader: Client, query_counter: QueryCounter) -> None:
    with query_counter() as counted:
        answer = reader.send("HEAD", "/v1/claims/export?format=csv")
    assert counted.statements == []
    assert (answer.status_code, answer.data) == (200, b"")
    assert answer.content_type == FORMATS["csv"].media_type
    assert reader.send("HEAD", "/v1/claims/export?format=pdf").status_code == 400


def test_an_export_takes_the_parameters_of_a_list(reader: Client) -> None:
    asked = {"modality": "opinion", "entities__isnull": "false", "q": "hong OR shenzhen"}
    for sort in ("-time", "id", "-corroboration__origins"):
        page = reader.get("/v1/claims", **asked, sort=sort, per_page="100").json["data"]
        rows = _lines(reader.get("/v1/claims/export", **asked, sort=sort))
        assert [row["id"] for row in rows] == [row["id"] for row in page]
        assert len(rows) > 1


def test_an_exported_search_is_ordered_by_id(reader: Client) -> None:
    ids = [row["id"] for row in _lines(reader.get("/v1/claims/export", q="shenzhen"))]
    assert ids == sorted(ids)
    assert len(ids) > 1
    found = reader.get("/v1/claims", q="shenzhen", per_page="100").json["data"]
    assert set(ids) == {row["id"] for row in found}


def test_an_export_takes_select(reader: Client) -> None:
    for asked in (
        {"select": "statement,id"},
        {"include": ""},
        {"include": "similar,figures"},
        {"select": "time", "include": "entities"},
    ):
        page = reader.get("/v1/claims", **asked, sort="id", per_page="100").json["data"]
        assert _lines(reader.get("/v1/claims/export", **asked)) == page


def test_select_chooses_columns(reader: Client) -> None:
    def header(**asked):
        answer = reader.get("/v1/claims/export", format="csv", **asked)
        assert answer.status_code == 200, answer.text
        return next(csv.reader(io.StringIO(answer.text, newline="")))

    assert header(select="statement,id") == ["id", "statement"]
    claimant = ["claimant_id", "claimant_external_id", "claimant", "claimant_kind"]
    assert header(select="claimant") == claimant
    bare = header(include="")
    assert "corroboration_verdict" not in bare
    assert {"statement", "due_edtf", "version"} <= set(bare)
    assert "corroboration_verdict" in header()
    assert header(include="corroboration") == [
        *(name for name in bare if name not in {"version", "created_at", "updated_at"}),
        *(name for name in header() if name.startswith("corroboration")),
        *("version", "created_at", "updated_at"),
    ]


def test_deleted_rows_are_not_exported(reader: Client, editor: Client) -> None:
    claim = editor.get("/v1/claims", external_id="hksz:ttps-approved-2023").json["data"][0]
    for passage in claim["evidence"]:
        editor.delete(f"/v1/evidence/{passage['id']}")
    for figure in claim["figures"]:
        editor.delete(f"/v1/figures/{figure['id']}")
    assert editor.delete(f"/v1/claims/{claim['id']}").status_code == 204
    assert claim["id"] not in {row["id"] for row in _lines(reader.get("/v1/claims/export"))}


@pytest.mark.parametrize("name", ["per_page", "cursor", "count"])
def test_parameters_of_pages_are_refused(reader: Client, name: str) -> None:
    faults = _faults(reader.get("/v1/claims/export", **{name: "1"}))
    assert faults == {name: "An export has no pages: it is all that the filters select."}


@pytest.mark.parametrize(
    ("path", "asked", "parameter", "told"),
    [
        ("claims", {"format": "pdf"}, "format", "known: ndjson, csv, parquet, jsonld, "),
        ("claims", {"format": ""}, "format", "known: ndjson, csv, parquet, jsonld, "),
        ("entities", {"format": "bibtex"}, "format", "known: ndjson, csv, parquet, jsonld."),
        ("claims", {"format": "bibtex", "select": "id"}, "select", "has fixed fields"),
        ("figures", {"format": "jsonld"}, "format", "known: ndjson, csv, parquet."),
        ("sources", {"format": "jsonld", "select": "id"}, "select", "has fixed fields"),
        ("sources", {"format": "bibtex", "include": "x"}, "include", "has fixed fields"),
        (
            "claims",
            {"format": "csv", "include": "sources"},
            "include",
            "csv has no field 'sources'",
        ),
        ("claims", {"format": "csv", "select": "similar"}, "select", "csv has no field 'similar'"),
        ("claims", {"select": "nothing"}, "select", "'nothing'"),
        ("units", {"include": "claims"}, "include", "Nothing can be embedded"),
        ("claims", {"sort": "colour"}, "sort", "Cannot sort by 'colour'"),
        ("claims", {"colour": "red"}, "colour", "Unknown parameter 'colour'"),
        ("claims", {"time__within": "soon"}, "time__within", "is not an EDTF date"),
        ("units", {"q": "x"}, "q", "cannot be searched"),
    ],
)
def test_an_invalid_parameter_of_an_export_is_named(
    reader: Client, path: str, asked: dict[str, str], parameter: str, told: str
) -> None:
    faults = _faults(reader.get(f"/v1/{path}/export", **asked))
    assert list(faults) == [parameter]
    assert told in faults[parameter]


def test_every_fault_is_named(reader: Client) -> None:
    asked = {"format": "pdf", "per_page": "1", "cursor": "x", "colour": "red", "sort": "colour"}
    assert set(_faults(reader.get("/v1/claims/export", **asked))) == set(asked)


def test_a_closed_service_exports_only_with_a_key(
    app: Flask, reader: Client, writer: Client
) -> None:
    app.config["OPEN_READS"] = False
    try:
        for method in ("GET", "HEAD"):
            assert reader.send(method, "/v1/claims/export").status_code == 401
        assert len(_lines(writer.get("/v1/claims/export"))) > 1
    finally:
        app.config["OPEN_READS"] = True


def _places(app):
    return app.extensions["hksz_export_places"]


def _check_places_are_free(app):
    assert _places(app).taken == 0


def test_too_many_exports_at_once_are_refused(app: Flask, reader: Client) -> None:
    _places(app).taken = MAX_EXPORTS
    refused = reader.get("/v1/claims/export")
    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert reader.get("/v1/claims").status_code == 200
    assert reader.send("HEAD", "/v1/claims/export").status_code == 200
    _places(app).taken -= 1
    assert reader.get("/v1/claims/export").data
    assert _places(app).taken == MAX_EXPORTS - 1
    _places(app).taken = 0
    _check_places_are_free(app)


def test_a_place_is_free_again_at_the_end(app, reader):
    for _ in range(5):
        assert reader.get("/v1/units/export").data
    assert reader.get("/v1/units/export", format="pdf").status_code == 400
    _check_places_are_free(app)


# More rows than fit into any buffer.
MANY = 2000


@pytest.fixture(scope="module")
def large_url(make_database: MakeDatabase) -> Iterator[str]:
    """A database with many metrics."""
    with make_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute(
                "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
                " SELECT 'k' || n, repeat('x', 4000), 'count', 'flow', true"
                " FROM generate_series(1, %s) AS n",
                [MANY],
            )
        yield url


@pytest.fixture
def client(large_url: str) -> Iterator[FlaskClient]:
    """The service on the database with many metrics."""
    database = Database(lambda: large_url)
    yield create_app(Settings(log_level="critical"), database).test_client()
    database.close()


def _export_pids(url: str) -> list[int]:
    with psycopg.connect(url, autocommit=True) as connection:
        rows = connection.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend'"
            " AND query LIKE '%%AS ordered%%' AND state = 'active' AND pid <> pg_backend_pid()"
        ).fetchall()
        return [pid for (pid,) in rows]


def test_all_rows_of_a_large_export_are_sent(client: FlaskClient) -> None:
    with client.get("/v1/metrics/export?key__startswith=k", buffered=False) as answer:
        assert answer.is_streamed
        pieces = [len(piece) for piece in answer.iter_encoded()]
        assert max(pieces) < 2**17
    with client.get("/v1/metrics/export?key__startswith=k&label__contains=xxx") as answer:
        assert answer.data.count(b"\n") == MANY
    _check_places_are_free(client.application)


def test_a_client_that_disconnects_ends_the_export(client: FlaskClient, large_url: str) -> None:
    answer = client.get("/v1/metrics/export", buffered=False)
    next(answer.iter_encoded())
    assert len(_export_pids(large_url)) == 1
    answer.close()
    assert _export_pids(large_url) == []
    _check_places_are_free(client.application)


@pytest.mark.parametrize("form", ["ndjson", "csv"])
def test_a_lost_connection_leaves_an_incomplete_file(
    client: FlaskClient, large_url: str, form: str
) -> None:
    answer = client.get(f"/v1/metrics/export?format={form}", buffered=False)
    assert answer.status_code == 200
    pieces = answer.iter_encoded()
    arrived = [next(pieces)]
    (pid,) = _export_pids(large_url)
    with psycopg.connect(large_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(Exception, match="does not answer"):
        arrived.extend(pieces)
    assert b"".join(arrived).endswith(FORMATS[form].broken)
    answer.close()
    _check_places_are_free(client.application)


@pytest.fixture
def logs(client: FlaskClient) -> Iterator[list]:
    """All log entries, of a service that logs each request."""
    client.application.config["ACCESS_LOG"] = True
    structlog.reset_defaults()
    with capture_logs() as logs:
        yield logs


def test_a_complete_export_is_logged_at_its_end(client: FlaskClient, logs: list) -> None:
    with client.get("/v1/metrics/export?key=k1") as answer:
        assert answer.data
        assert logs == []
    (line,) = logs
    assert line["event"] == "answered"
    assert (line["status"], line["bytes"]) == (200, len(answer.data))
    assert line["request_id"] == answer.headers["X-Request-ID"]


def test_an_export_that_its_reader_leaves_is_logged_as_broken_off(
    client: FlaskClient, logs: list
) -> None:
    answer = client.get("/v1/metrics/export", buffered=False)
    first = next(answer.iter_encoded())
    clear_contextvars()
    answer.close()
    (line,) = logs
    assert (line["event"], line["cause"]) == ("broken_off", "client")
    assert len(first) <= line["bytes"] < 2**17
    assert line["path"] == "/v1/metrics/export"
    assert line["request_id"] == answer.headers["X-Request-ID"]


def test_an_export_that_fails_is_logged_as_broken_off(
    client: FlaskClient, logs: list, large_url: str
) -> None:
    answer = client.get("/v1/metrics/export", buffered=False)
    pieces = answer.iter_encoded()
    next(pieces)
    (pid,) = _export_pids(large_url)
    with psycopg.connect(large_url, autocommit=True) as connection:
        connection.execute("SELECT pg_terminate_backend(%s)", (pid,))
    with pytest.raises(Exception, match="does not answer"):
        list(pieces)
    answer.close()
    (line,) = logs
    assert (line["event"], line["cause"]) == ("broken_off", "failed")
    assert line["log_level"] == "warning"
    assert "connection" in line["reason"]


def test_an_export_without_a_database_is_503() -> None:
    away = Database(lambda: "postgresql://127.0.0.1:1/none")
    client = create_app(Settings(log_level="critical"), away).test_client()
    for _ in range(3):
        answer = client.get("/v1/metrics/export")
        assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    _check_places_are_free(client.application)


def test_an_export_can_be_of_the_past(editor: Client, reader: Client, database: Database) -> None:
    was = reader.get("/v1/units/export").data
    with writing(database) as session:
        ((moment,),) = run(session, "SELECT clock_timestamp()")
    editor.post("/v1/units", {"code": "MOP", "label": "pataca"})
    assert reader.get("/v1/units/export").data != was
    assert reader.get("/v1/units/export", as_of=moment.isoformat()).data == was
    for wrong in ("yesterday", "2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z"):
        assert reader.get("/v1/units/export", as_of=wrong).status_code == 400
