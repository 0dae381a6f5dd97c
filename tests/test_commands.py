"""The command line: the seed, keys, locators; one sentence where something is wrong."""

import json
from pathlib import Path

import pytest

from app import create_app
from hksz_db.database import Database, run
from hksz_db.locators import digest
from hksz_db.settings import Settings

TEXT = "A made-up  article.\nForty firms moved,\tforty firms stayed."


@pytest.fixture(scope="module")
def bare_app():
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@pytest.fixture
def app(bare_app, database):
    """The service over the test's transaction."""
    bare_app.extensions["hksz_database"] = database
    return bare_app


@pytest.fixture
def flask(app):
    """Runs a command."""
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=[str(argument) for argument in arguments])


def _rows(database, sql):
    with database.transaction() as session:
        return run(session, sql)


def test_the_seed_is_loaded_once(flask, database):
    first = flask("seed")
    assert first.exit_code == 0
    assert first.output.startswith("article: ")
    assert " 0 unchanged" in first.output
    assert _rows(database, "SELECT count(*) >= 28 FROM claims") == [(True,)]
    assert "article: 0 loaded" in flask("seed").output


def test_a_folder_of_ones_own_is_loaded(flask, database, tmp_path):
    units = [{"external_id": "test:dollar", "code": "HKD", "label": "dollar"}]
    (tmp_path / "units.json").write_text(json.dumps(units))
    answer = flask("seed", tmp_path)
    assert answer.output == f"{tmp_path.name}: 1 loaded, 0 unchanged\n"
    assert _rows(database, "SELECT external_id FROM units") == [("test:dollar",)]


def test_a_broken_seed_is_one_sentence(flask, database, tmp_path):
    units = [
        {"external_id": "test:dollar", "code": "HKD", "label": "dollar"},
        {"external_id": "test:bad", "code": "HKD", "label": ""},
    ]
    (tmp_path / "units.json").write_text(json.dumps(units))
    answer = flask("seed", tmp_path)
    assert answer.exit_code == 1
    assert answer.output.startswith("Error: test:bad")
    assert len(answer.output.splitlines()) == 1
    assert _rows(database, "SELECT 1 FROM units") == []


def test_a_folder_that_is_not_there_is_refused(flask, tmp_path):
    assert flask("seed", tmp_path / "nowhere").exit_code == 2


def test_a_key_is_made_and_shown_once(flask):
    made = flask("keys", "create", "desk", "--scope", "claims:write", "--scope", "review")
    assert made.exit_code == 0
    assert made.output.startswith("hksz_")
    key = made.output.strip()
    listed = flask("keys", "list").output
    assert listed == "desk\tactive\tclaims:write,review\tno end\tused never\n"
    assert key not in listed


def test_a_key_that_is_made_can_be_used(flask, app):
    key = flask("keys", "create", "desk", "--scope", "admin").output.strip()
    made = app.test_client().post(
        "/v1/units",
        json={"code": "HKD", "label": "dollar"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert made.status_code == 201
    assert "used never" not in flask("keys", "list").output


def test_a_key_lives_until_the_end_of_its_last_day(flask, database):
    flask("keys", "create", "desk", "--scope", "admin", "--expires", "2999-12-31")
    assert "until 2999-12-31" in flask("keys", "list").output
    (until,) = _rows(database, "SELECT expires_at::text FROM api_keys")
    assert until == ("2999-12-31 23:59:59+00",)


def test_a_label_belongs_to_one_key(flask):
    flask("keys", "create", "desk", "--scope", "admin")
    again = flask("keys", "create", "desk", "--scope", "admin")
    assert again.exit_code == 1
    assert "desk" in again.output
    assert len(again.output.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["desk"],
        ["desk", "--scope", "everything"],
        ["desk", "--scope", "admin", "--expires", "soon"],
        ["--scope", "admin"],
    ],
)
def test_a_key_needs_a_label_and_scopes_that_exist(flask, database, arguments):
    assert flask("keys", "create", *arguments).exit_code == 2
    assert _rows(database, "SELECT 1 FROM api_keys") == []


def test_a_blank_label_is_refused_in_one_sentence(flask, database):
    refused = flask("keys", "create", " ", "--scope", "admin")
    assert refused.exit_code == 1
    assert len(refused.output.splitlines()) == 1
    assert _rows(database, "SELECT 1 FROM api_keys") == []


def test_a_key_is_revoked_for_good(flask):
    flask("keys", "create", "desk", "--scope", "admin")
    assert flask("keys", "revoke", "desk").exit_code == 0
    assert flask("keys", "list").output.startswith("desk\trevoked\t")
    again = flask("keys", "revoke", "desk")
    assert again.exit_code == 1
    assert "desk" in again.output
    assert flask("keys", "revoke", "nobody").exit_code == 1


def test_no_keys_are_an_empty_list(flask):
    listed = flask("keys", "list")
    assert (listed.exit_code, listed.output) == (0, "")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A text, the spans in it, and a data file of two claims."""
    claims = [
        {"external_id": "test:a", "evidence": [{"external_id": "test:a1", "note": "kept"}]},
        {"external_id": "test:b", "evidence": [{"external_id": "test:b1"}]},
        {"external_id": "test:c"},
    ]
    spans = {"test:a1": {"words": "forty  firms", "occurrence": 1}}
    written = {"text": TEXT, "spans": json.dumps(spans), "claims": json.dumps(claims)}
    for name, text in written.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return {name: tmp_path / name for name in written}


def test_locators_are_written_into_a_data_file(flask, files):
    answer = flask("locate", *files.values())
    assert answer.exit_code == 0
    text = "A made-up article. Forty firms moved, forty firms stayed."
    assert f"1 locators written, over {len(text)} characters" in answer.output
    assert digest(text) in answer.output
    located, other, bare = json.loads(files["claims"].read_text(encoding="utf-8"))
    (passage,) = located["evidence"]
    assert text[passage["start_char"] : passage["end_char"]] == "forty firms"
    assert passage["exact_sha256"] == digest("forty firms")
    assert passage["prefix_sha256"] == digest(text[6:38])
    assert passage["suffix_sha256"] == digest(" stayed.")
    assert passage["note"] == "kept"
    assert other["evidence"] == [{"external_id": "test:b1"}]
    assert bare == {"external_id": "test:c"}


def test_words_that_do_not_occur_leave_the_file_as_it_was(flask, files):
    before = files["claims"].read_text(encoding="utf-8")
    for span in (
        {"words": "fifty firms"},
        {"words": "forty firms", "occurrence": 2},
        {"words": " "},
    ):
        files["spans"].write_text(json.dumps({"test:a1": span}), encoding="utf-8")
        refused = flask("locate", *files.values())
        assert refused.exit_code == 1
        assert refused.output.startswith("Error: test:a1: ")
        assert files["claims"].read_text(encoding="utf-8") == before


def test_a_file_that_is_not_there_is_named(flask, files, tmp_path):
    refused = flask("locate", tmp_path / "nothing", files["spans"], files["claims"])
    assert refused.exit_code == 2
    assert "nothing" in refused.output


def test_a_database_that_is_away_is_one_sentence(bare_app):
    bare_app.extensions["hksz_database"] = Database(lambda: "postgresql://hksz@127.0.0.1:1/hksz")
    runner = bare_app.test_cli_runner()
    for arguments in (["seed"], ["keys", "list"], ["keys", "revoke", "desk"]):
        answer = runner.invoke(args=arguments)
        assert answer.exit_code == 1
        assert answer.output.startswith("Error: ")
        assert len(answer.output.splitlines()) == 1


def test_every_command_says_what_it_does(bare_app):
    runner = bare_app.test_cli_runner()
    for arguments in (["seed"], ["locate"], ["keys"], ["keys", "create"], ["keys", "revoke"]):
        answer = runner.invoke(args=[*arguments, "--help"])
        assert answer.exit_code == 0
        assert len(answer.output.splitlines()) > 3
