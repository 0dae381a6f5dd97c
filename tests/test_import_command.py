"""``flask import``: material of other programs, again and again."""

import json
from pathlib import Path

import pytest

from app import create_app
from hksz_db.database import Database, run
from hksz_db.settings import Settings

FILES = Path(__file__).parent / "exchange" / "files"
EXPORTS = ("zotero.json", "zotero.bib", "better_bibtex.bib", "zotero.ris")
ALL = "SELECT (SELECT count(*) FROM sources), (SELECT count(*) FROM entities)"


@pytest.fixture(scope="module")
def database_url(make_database, all_seeds):
    """A database with all seeds, for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture(scope="module")
def bare_app():
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@pytest.fixture
def flask(bare_app, database):
    """Runs the command over the test's transaction."""
    bare_app.extensions["hksz_database"] = database
    runner = bare_app.test_cli_runner()

    def invoke(*arguments):
        return runner.invoke(args=["import", *map(str, arguments)])

    return invoke


def rows(database, sql, *values):
    with database.transaction() as session:
        return run(session, sql, *values)


@pytest.mark.parametrize("name", EXPORTS)
def test_an_export_imports_twice_without_a_second_copy(flask, database, name):
    before = rows(database, ALL)[0]
    first = flask(FILES / name)
    print(first.output)
    if first.exception: 
        import traceback; traceback.print_exception(*first.exc_info)
    assert first.exit_code == 0
    assert "10 entries: 10 created, 0 updated, 0 unchanged, 0 ignored, 0 failed" in first.output
    after = rows(database, ALL)[0]
    assert after[0] == before[0] + 10
    second = flask(FILES / name)
    assert second.exit_code == 0
    assert "10 entries: 0 created, 0 updated, 10 unchanged, 0 ignored" in second.output
    assert rows(database, ALL)[0] == after
