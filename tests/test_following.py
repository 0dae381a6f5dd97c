"""``flask changes follow`` and ``flask due``."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import psycopg
import pytest
from click.testing import Result
from flask.testing import FlaskCliRunner

from app import create_app
from hksz_db.database import Database, run
from hksz_db.services.writing import writing
from hksz_db.settings import Settings

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
ADD = "INSERT INTO units (code, label, dimension, factor) VALUES ($1, 'x', 'count', 1)"

Run = Callable[..., Result]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the module, in which writes are committed."""
    database = Database(lambda: database_url)
    yield database
    database.close()


@pytest.fixture
def flask(database: Database) -> Run:
    """``flask(*arguments)`` runs a command."""
    runner = FlaskCliRunner(create_app(Settings(log_level="error"), database))
    return lambda *arguments: runner.invoke(args=[str(argument) for argument in arguments])


def add(database: Database, *codes: str) -> None:
    for code in codes:
        with writing(database) as session:
            run(session, ADD, code)


def codes(output: str) -> list[str]:
    return [json.loads(line)["document"]["code"] for line in output.splitlines()]


def test_each_change_is_a_line(flask: Run, database: Database) -> None:
    add(database, *(f"a{n}" for n in range(120)))
    answer = flask("changes", "follow", "--once", "--resource", "units")
    assert answer.exit_code == 0
    assert codes(answer.output) == [f"a{n}" for n in range(120)]
    assert flask("changes", "follow", "--once", "--resource", "metrics").output == ""
    assert flask("changes", "follow", "--once", "--from", "now").output == ""
    assert (
        len(flask("changes", "follow", "--once", "--from", "beginning").output.splitlines()) >= 120
    )


def test_the_cursor_file_resumes(flask: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "cursor"
    arguments = ("changes", "follow", "--once", "--cursor-file", file)
    assert flask(*arguments, "--from", "now").output == ""
    add(database, "b1", "b2")
    assert codes(flask(*arguments).output) == ["b1", "b2"]
    assert flask(*arguments).output == ""
    cursor = file.read_text().strip()
    add(database, "b3")
    assert codes(flask("changes", "follow", "--once", "--from", cursor).output) == ["b3"]
    assert codes(flask(*arguments).output) == ["b3"]
    assert list(tmp_path.iterdir()) == [file]


def test_the_api_accepts_the_same_cursors(flask: Run, database: Database, tmp_path: Path) -> None:
    file = tmp_path / "cursor"
    flask("changes", "follow", "--once", "--from", "now", "--cursor-file", file)
    add(database, "c1")
    client = create_app(Settings(log_level="error"), database).test_client()
    cursor = file.read_text().strip()
    page: Any = client.get("/v1/changes", query_string={"cursor": cursor}).json
    assert [entry["document"]["code"] for entry in page["data"]] == ["c1"]
    follow = ("changes", "follow", "--once", "--from", page["meta"]["next_cursor"])
    assert flask(*follow).output == ""


def test_an_invalid_argument_is_one_sentence(flask: Run, tmp_path: Path) -> None:
    file = tmp_path / "cursor"
    file.write_text("nonsense\n")
    for arguments, words in (
        (("--from", "then"), "cursor"),
        (("--cursor-file", file), "cursor"),
        (("--cursor-file", file, "--from", "now"), "--from"),
    ):
        answer = flask("changes", "follow", "--once", *arguments)
        assert answer.exit_code == 1
        assert answer.output.startswith("Error: ")
        assert words in answer.output
        assert len(answer.output.splitlines()) == 1
    assert flask("changes", "follow", "--resource", "words").exit_code == 2


def test_an_unreachable_database_is_one_sentence() -> None:
    away = Database(lambda: "postgresql://hksz@127.0.0.1:1/hksz")
    runner = FlaskCliRunner(create_app(Settings(log_level="error"), away))
    for arguments in (["changes", "follow"], ["due"]):
        answer = runner.invoke(args=arguments)
        assert answer.exit_code == 1
        assert answer.output.startswith("Error: The database does not answer. (")


@contextmanager
def following(url: str, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A process that follows."""
    process = subprocess.Popen(
        [sys.executable, "-m", "flask", "changes", "follow", "--resource", "units", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def next_code(stream: IO[str] | None) -> str:
    assert stream
    (code,) = codes(stream.readline())
    return code


def test_it_follows_until_ctrl_c(database: Database, database_url: str, tmp_path: Path) -> None:
    add(database, "d1")
    file = tmp_path / "cursor"
    with following(database_url, "--cursor-file", str(file)) as process:
        while next_code(process.stdout) != "d1":
            pass
        add(database, "d2")
        assert next_code(process.stdout) == "d2"
        _terminate_other_connections(database_url)
        add(database, "d3")
        assert next_code(process.stdout) == "d3"
        add(database, "d4")
        assert next_code(process.stdout) == "d4"
        _wait_until(lambda: "d4" not in _rest(database_url, file))
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=60)[0] == ""
        assert process.returncode == 0


def _terminate_other_connections(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid, 1000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND backend_type = 'client backend'"
        )


def _rest(url: str, file: Path) -> str:
    """The lines that follow the saved cursor."""
    database = Database(lambda: url)
    runner = FlaskCliRunner(create_app(Settings(log_level="error"), database))
    follow = ["changes", "follow", "--once", "--resource", "units", "--from"]
    answer = runner.invoke(args=[*follow, file.read_text().strip()])
    database.close()
    assert answer.exit_code == 0, answer.output
    return answer.output


def _wait_until(reached) -> None:
    for _ in range(600):
        if reached():
            return
        threading.Event().wait(0.05)
    raise AssertionError("the time is over")


def test_it_ends_when_its_reader_ends(database: Database, database_url: str) -> None:
    add(database, *(f"e{n}" for n in range(300)))
    with following(database_url, "--once") as process:
        assert process.stdout
        process.stdout.readline()
        process.stdout.close()
        process.stdout = None
        assert process.stderr
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_overdue_claims_are_recorded(flask: Run, database: Database) -> None:
    with writing(database) as session:
        run(
            session,
            "WITH person AS (INSERT INTO entities (kind, name, name_language)"
            " VALUES ('person', 'Somebody', 'en') RETURNING id),"
            " named AS (INSERT INTO entity_names (entity_id, name, language, kind)"
            " SELECT id, 'Somebody', 'en', 'preferred' FROM person)"
            " INSERT INTO claims (statement, language, claimant_id, modality, due_edtf, due)"
            " SELECT 'It will open.', 'en', id, 'planned', '2020', '[2020-01-01,2021-01-01)'"
            " FROM person",
        )
    assert flask("due").output == "1 fell due\n"
    assert flask("due").output == "0 fell due\n"
    lines = flask("changes", "follow", "--once", "--resource", "claims").output.splitlines()
    assert [json.loads(line)["op"] for line in lines] == ["create", "due"]
