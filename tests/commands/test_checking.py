"""``flask check``: the findings, and the exit status that says whether something contradicts."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from hksz_db.database import Database
from hksz_db.settings import Settings
from tests.conftest import MakeDatabase

RIGHT = "Hong Kong approved over 47,000 TTPS applications last year."
WRONG = "HKU hired 191 academics in 2023."

Check = Callable[..., Result]


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with every seed, for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture(scope="module")
def app(database_url: str) -> Iterator[Flask]:
    database = Database(lambda: database_url)
    yield create_app(Settings(log_level="error"), database)
    database.close()


@pytest.fixture
def check(app: Flask, tmp_path: Path) -> Check:
    """``check(text, *options)`` checks a file with the text."""

    def run(text: str | bytes, *options: str) -> Result:
        file = tmp_path / "article.txt"
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return app.test_cli_runner().invoke(args=["check", str(file), *options])

    return run


def test_the_status_says_whether_something_contradicts(check: Check) -> None:
    right = check(RIGHT, "--published", "2024-01-29")
    assert (right.exit_code, right.output.split("\t")[:3]) == (0, ["1", "0-59", "agrees"])
    both = check(f"{RIGHT}\n\n{WRONG}", "--published", "2024-01-29")
    assert both.exit_code == 1
    assert both.output.splitlines()[1].startswith('3\t61-93\tcontradicts\t"191"')
    assert both.output.endswith("2 of 2 sentences have a finding.\n")


def test_the_last_line_says_if_not_all_is_checked(check: Check) -> None:
    long = check("HKU hired 1 or 2, 3 or 4 and 5. " * 101)
    assert long.output.endswith("0 of the first 100 sentences have a finding.\n")


def test_as_json(check: Check) -> None:
    answer = check(WRONG, "--format", "json")
    assert answer.exit_code == 1
    assert json.loads(answer.output)["meta"]["findings"]["contradicts"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"\xff", "is not UTF-8 (byte 0)."),
        (b"x" * 65_537, "has more than 65536 bytes."),
        (b" ", "The text is empty."),
    ],
)
def test_what_cannot_be_checked_has_another_status(check: Check, text: bytes, message: str) -> None:
    answer = check(text)
    assert answer.exit_code == 2
    assert message in answer.output
    assert check(WRONG, "--published", "soon").exit_code == 2
