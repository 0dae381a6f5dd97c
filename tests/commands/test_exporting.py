"""The commands that export, dump and load; their errors are one line."""

import gzip
import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest
from click.testing import Result

from app import create_app
from hksz_db.database import Database
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def seeded_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    with make_database(all_seeds) as url:
        yield url


def _flask(url, *arguments):
    database = Database(lambda: url)
    runner = create_app(Settings(log_level="error"), database).test_cli_runner()
    answer = runner.invoke(args=[str(argument) for argument in arguments])
    database.close()
    return answer


@pytest.fixture
def flask(seeded_url: str) -> Run:
    """``flask(*arguments)`` runs a command on a database with every seed."""
    return lambda *arguments: _flask(seeded_url, *arguments)


def _refused(answer, told):
    assert answer.exit_code == 1
    assert answer.stdout == ""
    assert answer.stderr.startswith("Error: ")
    assert told in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_export_writes_to_standard_output(flask: Run) -> None:
    answer = flask("export", "units")
    assert answer.exit_code == 0
    assert {json.loads(line)["code"] for line in answer.stdout.splitlines()} >= {"1", "km2"}
    assert answer.stderr == ""


def test_the_export_is_the_same_as_over_http(flask: Run, seeded_url: str, tmp_path: Path) -> None:
    database = Database(lambda: seeded_url)
    client = create_app(Settings(log_level="error"), database).test_client()
    for query in (
        {"format": "ndjson"},
        {"format": "csv"},
        {"format": "jsonld"},
        {"q": "hong kong", "sort": "-time,id", "select": "id,time", "include": "figures"},
    ):
        file = tmp_path / query.get("format", "chosen")
        options = (part for name, value in query.items() for part in (f"--{name}", value))
        assert flask("export", "claims", *options, "--output", file).stdout == ""
        answer = client.get("/v1/claims/export", query_string=query)
        assert file.read_bytes() == answer.data != b""
    database.close()


def test_export_takes_the_filters_of_the_list(flask: Run) -> None:
    arguments = ["--filter", "modality=opinion", "--filter", "statement__contains=hong kong"]
    rows = [json.loads(line) for line in flask("export", "claims", *arguments).stdout.splitlines()]
    assert rows
    assert all(row["modality"] == "opinion" for row in rows)
    assert all("hong kong" in row["statement"].lower() for row in rows)


def test_repeated_names_add_up(flask):
    arguments = ["--select", "id", "--select", "code,label", "--sort", "code", "--sort", "-id"]
    rows = [json.loads(line) for line in flask("export", "units", *arguments).stdout.splitlines()]
    assert {tuple(row) for row in rows} == {("id", "code", "label")}
    assert [row["code"] for row in rows] == sorted(row["code"] for row in rows)


def test_export_as_of_a_moment(flask: Run, seeded_url: str) -> None:
    was = flask("export", "units").stdout
    with psycopg.connect(seeded_url, autocommit=True) as connection:
        ((moment,),) = connection.execute("SELECT clock_timestamp()").fetchall()
        connection.execute("UPDATE units SET label = label || '!'")
        assert flask("export", "units").stdout != was
        assert flask("export", "units", "--as-of", moment.isoformat()).stdout == was
        connection.execute("UPDATE units SET label = rtrim(label, '!')")
    _refused(flask("export", "units", "--as-of", "yesterday"), "as_of: ")
    _refused(flask("export", "units", "--as-of", "2001-01-01T00:00:00Z"), "until now")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["units", "--format", "jsonld"], "format: Unknown name 'jsonld'; known: "),
        (["units", "--filter", "colour=red"], "colour: Unknown parameter 'colour' for units"),
        (["units", "--filter", "colour"], "colour: Unknown parameter 'colour' for units"),
        (["claims", "--sort", "colour"], "sort: Cannot sort by 'colour'; known: "),
        (["claims", "--filter", "language=en", "--filter", "language=zh"], "language: Given more"),
        (["claims", "--q", "one", "--q", "two"], "q: Given more than once"),
        (["claims", "--format", "csv", "--format", "ndjson"], "format: Given more than once"),
        (["claims", "--filter", "time__within=soon"], "time__within: 'soon' is not an EDTF date"),
    ],
)
def test_invalid_exports_are_refused(flask: Run, tmp_path: Path, arguments, told: str) -> None:
    file = tmp_path / "file"
    _refused(flask("export", *arguments, "--output", file), told)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["claims", "--format", "pdf"], ["claims", "--output", "/"], []]
)
def test_misuse_is_explained(flask: Run, arguments) -> None:
    assert flask("export", *arguments).exit_code == 2


def test_missing_folder_is_one_line(flask: Run, tmp_path: Path) -> None:
    _refused(flask("export", "units", "--output", tmp_path / "no" / "file"), "No such file")


def test_a_device_is_not_replaced(flask: Run) -> None:
    _refused(flask("export", "units", "--output", os.devnull), "is not a regular file")
    assert not Path(os.devnull).is_file()


def test_a_file_is_replaced_when_it_is_complete(flask: Run, tmp_path: Path) -> None:
    file = tmp_path / "units.csv"
    file.write_text("before")
    _refused(flask("export", "units", "--filter", "x=y", "--output", file), "x: ")
    assert file.read_text() == "before"
    assert flask("export", "units", "--format", "csv", "--output", file).exit_code == 0
    assert file.read_text().startswith("id,external_id,code")
    assert [path.name for path in tmp_path.iterdir()] == ["units.csv"]


def test_an_export_that_fails_halfway_leaves_no_file(
    make_database: MakeDatabase, tmp_path: Path
) -> None:
    with make_database() as url:
        with psycopg.connect(url) as connection:
            connection.execute(
                "INSERT INTO metrics (key, label, dimension, accumulation, nonnegative)"
                " SELECT 'k' || n, repeat('x', 4000), 'count', 'flow', true"
                " FROM generate_series(1, 500) AS n"
            )
            # Replace the table by a view whose last row cannot be read.
            connection.execute("ALTER TABLE metrics RENAME TO stored")
            connection.execute(
                "CREATE VIEW metrics AS SELECT id, external_id, key, dimension, accumulation,"
                " CASE key WHEN 'k500' THEN (1 / (length(label) - 4000))::text ELSE label END"
                " AS label, nonnegative, description, measure, holds_for,"
                " version, created_at, updated_at, deleted_at FROM stored"
            )
        answer = _flask(url, "export", "metrics", "--output", tmp_path / "file")
    _refused(answer, "The database refused: division by zero.")
    assert list(tmp_path.iterdir()) == []


def test_dump_of_a_loaded_dump_is_the_same(
    flask: Run, make_database: MakeDatabase, tmp_path: Path
) -> None:
    dump, again = tmp_path / "dump.gz", tmp_path / "again"
    answer = flask("dump", dump)
    assert answer.exit_code == 0
    assert answer.stdout.startswith(f"{dump}: ")
    assert answer.stdout.endswith(" rows\n")
    assert dump.stat().st_mode & 0o777 == 0o600
    with make_database() as url:
        loaded = _flask(url, "load", dump)
        assert loaded.exit_code == 0
        assert loaded.stdout == answer.stdout.replace(" rows", " rows loaded")
        assert _flask(url, "dump", again).exit_code == 0
        _refused(_flask(url, "load", dump), "The database is not empty: there are rows in ")
    assert again.read_bytes() == gzip.decompress(dump.read_bytes())


def test_a_dump_without_keys_has_none(flask: Run, tmp_path: Path) -> None:
    flask("keys", "create", "desk", "--scope", "admin")
    assert flask("dump", tmp_path / "without").exit_code == 0
    assert flask("dump", tmp_path / "with", "--with-keys").exit_code == 0
    assert b"desk" not in (tmp_path / "without").read_bytes()
    assert b'"label":"desk"' in (tmp_path / "with").read_bytes()


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "The file is not a dump of this software."),
        (b'{"id":1}\n', "The file is not a dump of this software."),
        (b'{"hksz_dump":{"version":2}}\n', "The dump has version 2; known: 1."),
        (b'{"hksz_dump":{"version":1}}\n', "The file is cut off: its end is missing."),
        (b'{"hksz_dump":{"version":1}}\n{"units":{', "The file is cut off within a line."),
        (b"\x1f\x8b\x08", "The file is cut off or damaged: it cannot be unpacked."),
    ],
)
def test_invalid_dump_is_one_line(flask: Run, tmp_path: Path, content: bytes, told: str) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    _refused(flask("load", file), told)


def test_unreachable_database_is_one_line(tmp_path: Path) -> None:
    for command in (["export", "units"], ["dump", tmp_path / "file"]):
        _refused(_flask("postgresql://127.0.0.1:1/none", *command), "does not answer")
    assert list(tmp_path.iterdir()) == []


def _shown(terminal):
    """Everything that is sent to a terminal until its other end is closed."""
    shown = b""
    with suppress(OSError):
        while part := os.read(terminal, 4096):
            shown += part
    os.close(terminal)
    return shown


def test_a_terminal_shows_progress(seeded_url: str, tmp_path: Path) -> None:
    with psycopg.connect(seeded_url) as connection:
        # The progress bar takes its length from the estimates of the planner.
        connection.execute("ANALYZE")
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flask", "dump", str(tmp_path / "file")]
    environment = {**os.environ, "DATABASE_URL": seeded_url, "TERM": "xterm"}
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, stderr=theirs
    ) as running:
        os.close(theirs)
        shown = _shown(ours)
        told, _ = running.communicate()
    assert running.returncode == 0
    assert told.endswith(b" rows\n")
    assert b"dumping" in shown
    assert b" 50%" in shown
    assert 50 < shown.count(b"\r") < 500
