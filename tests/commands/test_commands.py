"""The commands for seeds, keys, locators and history; errors are one sentence."""

import errno
import json
import os
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from app import create_app
from hksz_db.database import Database, run
from hksz_db.domain.locators import LOCATOR, Locator, digest, normalise
from hksz_db.domain.loose_form import LooseForm
from hksz_db.services import sessions
from hksz_db.services.writing import writing
from hksz_db.settings import Settings

TEXT = "A made-up  article.\nForty firms moved,\tforty firms stayed."

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def bare_app() -> Flask:
    return create_app(Settings(log_level="error"), Database(lambda: ""))


@pytest.fixture
def app(bare_app: Flask, database: Database) -> Flask:
    """The service in the transaction of the test."""
    bare_app.extensions["hksz_database"] = database
    return bare_app


@pytest.fixture
def flask(app: Flask) -> Run:
    """``flask(*arguments)`` runs a command."""
    runner = app.test_cli_runner()
    return lambda *arguments: runner.invoke(args=[str(argument) for argument in arguments])


def _rows(database: Database, sql: str) -> list[Any]:
    with database.transaction() as session:
        return run(session, sql)


@pytest.mark.slow
def test_the_seed_is_loaded_once(flask: Run, database: Database) -> None:
    first = flask("seed")
    assert first.exit_code == 0
    assert first.output.startswith("article: ")
    assert " 0 unchanged" in first.output
    assert _rows(database, "SELECT count(*) >= 28 FROM claims") == [(True,)]
    assert "article: 0 loaded" in flask("seed").output


def test_given_folder_is_loaded(flask: Run, database: Database, tmp_path: Path) -> None:
    units = [{"external_id": "test:dollar", "code": "HKD", "label": "dollar"}]
    (tmp_path / "units.json").write_text(json.dumps(units))
    answer = flask("seed", tmp_path)
    assert answer.output == f"{tmp_path.name}: 1 loaded, 0 unchanged\n"
    assert _rows(database, "SELECT external_id FROM units") == [("test:dollar",)]


def test_a_broken_seed_is_one_sentence(flask: Run, database: Database, tmp_path: Path) -> None:
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


def test_missing_folder_is_refused(flask: Run, tmp_path: Path) -> None:
    assert flask("seed", tmp_path / "nowhere").exit_code == 2


def test_key_is_created_and_shown_once(flask: Run) -> None:
    made = flask("keys", "create", "desk", "--scope", "claims:write", "--scope", "review")
    assert made.exit_code == 0
    assert made.output.startswith("hksz_")
    key = made.output.strip()
    listed = flask("keys", "list").output
    id = sha256(key.encode()).hexdigest()[:12]
    assert listed == f"desk\t{id}\tactive\tclaims:write,review\tno end\tused never\tusual quota\n"
    assert key not in listed


def test_a_key_can_have_a_quota_of_its_own(flask: Run) -> None:
    def quotas() -> list[str]:
        return [line.split("\t")[6] for line in flask("keys", "list").output.splitlines()]

    flask("keys", "create", "desk", "--scope", "admin", "--quota", 300)
    flask("keys", "rotate", "desk")
    assert quotas() == ["300 a minute", "300 a minute"]
    assert flask("keys", "quota", "desk", 500).exit_code == 0
    assert quotas()[0] == "500 a minute"
    assert flask("keys", "quota", "desk").exit_code == 0
    assert quotas()[0] == "usual quota"
    assert flask("keys", "quota", "desk", 0).exit_code == 2
    flask("keys", "revoke", "desk")
    assert flask("keys", "quota", "desk", 5).exit_code == 1


def test_an_expired_key_is_listed_as_such(flask: Run) -> None:
    flask("keys", "create", "desk", "--scope", "admin", "--expires", "2020-12-31")
    assert _states(flask) == ["expired"]


def _states(flask: Run) -> list[str]:
    return [line.split("\t")[2] for line in flask("keys", "list").output.splitlines()]


def _status(app: Flask, key: str, **unit: str) -> int:
    headers = {"Authorization": f"Bearer {key}"}
    return app.test_client().post("/v1/units", json=unit, headers=headers).status_code


@pytest.mark.parametrize(("hours", "status"), [(1, 422), (0, 401)])
def test_a_key_that_was_replaced_is_valid_until_the_overlap_ends(
    flask: Run, app: Flask, hours: int, status: int
) -> None:
    old = flask("keys", "create", "desk", "--scope", "admin").output.strip()
    new = flask("keys", "rotate", "desk", "--overlap-hours", hours).output.strip()
    assert new != old
    assert (_status(app, old), _status(app, new)) == (status, 422)
    assert _states(flask) == ["active", "expired" if status == 401 else "replaced"]


def test_the_use_of_a_replaced_key_is_listed(flask: Run, app: Flask) -> None:
    old = flask("keys", "create", "desk", "--scope", "admin").output.strip()
    flask("keys", "rotate", "desk")
    assert _status(app, old, code="HKD", label="dollar") == 201
    active, replaced = flask("keys", "list").output.splitlines()
    assert "used never" in active
    assert "used never" not in replaced


def test_an_expired_key_is_not_replaced(flask: Run) -> None:
    flask("keys", "create", "desk", "--scope", "admin", "--expires", "2020-12-31")
    assert flask("keys", "rotate", "desk").exit_code == 1


def test_a_rotation_without_overlap_ends_all_earlier_keys_and_sessions(
    flask: Run, app: Flask, database: Database
) -> None:
    first = flask("keys", "create", "desk", "--scope", "admin").output.strip()
    second = flask("keys", "rotate", "desk").output.strip()
    with writing(database) as session:
        sessions.sign_in(session, second, timedelta(hours=1))
    flask("keys", "rotate", "desk", "--overlap-hours", 0)
    assert [_status(app, key) for key in (first, second)] == [401, 401]
    assert _rows(database, "SELECT 1 FROM sessions") == []


def test_a_revoked_key_takes_those_that_it_replaced_along(flask: Run, app: Flask) -> None:
    old = flask("keys", "create", "desk", "--scope", "admin").output.strip()
    flask("keys", "rotate", "desk")
    flask("keys", "revoke", "desk")
    assert _status(app, old) == 401
    assert _states(flask) == ["revoked", "revoked"]
    refused = flask("keys", "rotate", "desk")
    assert refused.exit_code == 1
    assert refused.output == "Error: There is no active key labelled 'desk'.\n"


def test_new_key_can_be_used(flask: Run, app: Flask) -> None:
    key = flask("keys", "create", "desk", "--scope", "admin").output.strip()
    made = app.test_client().post(
        "/v1/units",
        json={"code": "HKD", "label": "dollar"},
        headers={"Authorization": f"Bearer {key}"},
    )
    assert made.status_code == 201
    assert "used never" not in flask("keys", "list").output


def test_key_expires_at_the_end_of_its_last_day(flask: Run, database: Database) -> None:
    flask("keys", "create", "desk", "--scope", "admin", "--expires", "2999-12-31")
    assert "until 2999-12-31" in flask("keys", "list").output
    (until,) = _rows(database, "SELECT expires_at::text FROM api_keys")
    assert until == ("2999-12-31 23:59:59+00",)


def test_label_is_unique(flask: Run) -> None:
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
def test_key_needs_a_label_and_known_scopes(
    flask: Run, database: Database, arguments: list[str]
) -> None:
    assert flask("keys", "create", *arguments).exit_code == 2
    assert _rows(database, "SELECT 1 FROM api_keys") == []


def test_blank_label_is_refused_in_one_sentence(flask: Run, database: Database) -> None:
    refused = flask("keys", "create", " ", "--scope", "admin")
    assert refused.exit_code == 1
    assert len(refused.output.splitlines()) == 1
    assert _rows(database, "SELECT 1 FROM api_keys") == []


def test_key_is_revoked_permanently(flask: Run) -> None:
    flask("keys", "create", "desk", "--scope", "admin")
    assert flask("keys", "revoke", "desk").exit_code == 0
    assert _states(flask) == ["revoked"]
    again = flask("keys", "revoke", "desk")
    assert again.exit_code == 1
    assert "desk" in again.output
    assert flask("keys", "revoke", "nobody").exit_code == 1


def test_no_keys_are_an_empty_list(flask: Run) -> None:
    listed = flask("keys", "list")
    assert (listed.exit_code, listed.output) == (0, "")


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """A text, its spans, and a data file of claims."""
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


def test_locators_are_written_into_a_data_file(flask: Run, files: dict[str, Path]) -> None:
    answer = flask("locate", *files.values())
    assert answer.exit_code == 0
    text = "A made-up article. Forty firms moved, forty firms stayed."
    assert f"1 locators written for a text of {len(text)} characters" in answer.output
    assert digest(text) in answer.output
    located, other, bare = json.loads(files["claims"].read_text(encoding="utf-8"))
    (passage,) = located["evidence"]
    assert text[passage["start_char"] : passage["end_char"]] == "forty firms"
    assert passage["exact_sha256"] == digest("forty firms")
    assert passage["prefix_sha256"] == digest(text[6:38])
    assert passage["suffix_sha256"] == digest(" stayed.")
    assert passage["note"] == "kept"
    form = LooseForm(text)
    loose = {name: passage[f"loose_{name}"] for name in LOCATOR}
    assert Locator(**loose) == form.locator(Locator(**{name: passage[name] for name in LOCATOR}))
    assert other["evidence"] == [{"external_id": "test:b1"}]
    assert bare == {"external_id": "test:c"}


def test_missing_words_leave_the_file_unchanged(flask: Run, files: dict[str, Path]) -> None:
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


def _assert_refused(flask: Run, files: dict[str, Any], *words: str) -> None:
    """The error is one sentence with the words, and no file changes."""
    before = files["claims"].read_bytes()
    answer = flask("locate", *files.values())
    assert (answer.exit_code, files["claims"].read_bytes()) == (1, before)
    assert answer.output.startswith("Error: ")
    assert len(answer.output.splitlines()) == 1
    for word in words:
        assert word in answer.output
    assert sorted(files["claims"].parent.iterdir()) == sorted(files.values())


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"forty \xff", ["UTF-8", "byte 6"]),
        (b"a\0b", ["U+0000", "position 1"]),
        (b" \r\n", ["empty"]),
    ],
)
def test_invalid_text_is_one_sentence(
    flask: Run, files: dict[str, Path], content: bytes, words: list[str]
) -> None:
    files["text"].write_bytes(content)
    _assert_refused(flask, files, str(files["text"]), *words)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"\xff", ["utf-8", "byte 0"]),
        (b'{"test:a1"', ["not JSON", "line 1"]),
        (b'{"test:a1": "\\ud800"}', ["surrogate"]),
        (b"[" * 100_000, ["nested"]),
        (b"9" * 5000, ["digits"]),
        (b"[]", ["object"]),
        (b'{"test:a1": "forty firms"}', ["test:a1", "words"]),
        (b'{"test:a1": {}}', ["test:a1", "words"]),
        (b'{"test:a1": {"words": 1}}', ["test:a1", "words"]),
        (b'{"test:a1": {"words": "forty", "ocurrence": 2}}', ["test:a1", "occurrence"]),
        (b'{"test:a1": {"words": "forty", "occurrence": 0}}', ["test:a1", "occurrence"]),
        (b'{"test:a1": {"words": "forty", "occurrence": true}}', ["test:a1", "occurrence"]),
        (b'{"test:a1": {"words": "forty", "occurrence": "1"}}', ["test:a1", "occurrence"]),
    ],
)
def test_invalid_spans_are_one_sentence(
    flask: Run, files: dict[str, Path], content: bytes, words: list[str]
) -> None:
    files["spans"].write_bytes(content)
    _assert_refused(flask, files, *words)


def test_spans_of_unknown_evidence_are_named(flask: Run, files: dict[str, Path]) -> None:
    spans = {"test:z9": {"words": "forty"}, "test:a1": {"words": "forty"}, "test:a9": {"words": ""}}
    files["spans"].write_text(json.dumps(spans))
    _assert_refused(flask, files, "test:a9, test:z9.")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"[", ["not JSON"]),
        (b"{}", ["list of claims"]),
        (b"[1]", ["Entry 1"]),
        (b'[{}, {"evidence": {}}]', ["Entry 2", "external_id"]),
        (b'[{"evidence": ["x"]}]', ["Entry 1", "external_id"]),
        (b'[{}, {}, {"evidence": [{"note": "x"}]}]', ["Entry 3", "external_id"]),
        (b'[{"evidence": [{"external_id": null}]}]', ["Entry 1", "external_id"]),
        (b'[{"statement": "\\udc00"}]', ["surrogate"]),
    ],
)
def test_invalid_data_file_is_one_sentence(
    flask: Run, files: dict[str, Path], content: bytes, words: list[str]
) -> None:
    files["claims"].write_bytes(content)
    _assert_refused(flask, files, str(files["claims"]), *words)


def test_data_file_is_replaced_atomically(
    flask: Run, files: dict[str, Path], tmp_path: Path
) -> None:
    files["claims"].chmod(0o640)
    held = files["claims"].open(encoding="utf-8")
    before = files["claims"].read_text(encoding="utf-8")
    link = tmp_path / "link"
    link.symlink_to(files["claims"])
    assert flask("locate", files["text"], files["spans"], link).exit_code == 0
    # An open file still has the old content.
    with held:
        assert held.read() == before
    assert "start_char" in files["claims"].read_text(encoding="utf-8")
    assert files["claims"].stat().st_mode & 0o777 == 0o640
    assert link.is_symlink()
    assert sorted(tmp_path.iterdir()) == sorted([*files.values(), link])


def test_full_disk_is_one_sentence(
    flask: Run, files: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    _assert_refused(flask, files, "Error: No space left on device.")


@pytest.fixture
def source(flask: Run, database: Database, tmp_path: Path) -> tuple[str, str]:
    """The id of a source with located evidence, and that of evidence without external id."""
    folder = tmp_path / "seed"
    folder.mkdir()
    text = normalise(TEXT)
    name = {"name": "A desk", "language": "en", "kind": "preferred"}
    capture = {"char_length": len(text), "text_sha256": digest(text)}
    common = {"source_external_id": "test:s", "stance": "supports"}
    evidence = [{**common, "external_id": f"test:{n}", "page": n} for n in ("2", "1", "0")]
    files = {
        "entities": {"external_id": "test:desk", "kind": "organisation", "names": [name]},
        "sources": {
            "external_id": "test:s",
            "csl_type": "report",
            "title": "A report",
            "captures": [capture],
        },
        "claims": {
            "external_id": "test:claim",
            "statement": "Forty firms moved.",
            "claimant_external_id": "test:desk",
            "evidence": evidence,
        },
    }
    for file, entry in files.items():
        (folder / f"{file}.json").write_text(json.dumps([entry]))
    spans = {"test:1": {"words": "Forty firms"}, "test:2": {"words": "forty firms stayed"}}
    (tmp_path / "spans").write_text(json.dumps(spans))
    (tmp_path / "text").write_text(TEXT)
    located = flask("locate", tmp_path / "text", tmp_path / "spans", folder / "claims.json")
    assert located.exit_code == 0
    assert flask("seed", folder).exit_code == 0
    # Not all evidence has an external id.
    sql = "UPDATE evidence SET external_id = NULL WHERE external_id = 'test:1'"
    with writing(database) as session:
        ((id, passage),) = run(session, f"{sql} RETURNING source_id, id")
    return id, passage


def test_copy_is_compared_with_the_locators(
    flask: Run, source: tuple[str, str], tmp_path: Path
) -> None:
    id, unnamed = source
    (tmp_path / "copy").write_bytes(f"\ufeff{TEXT}\r\n".encode())
    for name in (id, "test:s"):
        answer = flask("verify", name, tmp_path / "copy")
        assert answer.exit_code == 0
        assert answer.output == (
            f"{unnamed}\texact\t19-30\n"
            "test:2\texact\t38-56\n"
            "2 exact, 0 same_but_typography, 0 moved, 0 elsewhere, 0 missing;"
            " 1 without a locator\n"
            "capture same, 57 characters\n"
            f"text_sha256 {digest(normalise(TEXT))}\n"
        )


def test_exit_status_is_1_for_differences(
    flask: Run, source: tuple[str, str], tmp_path: Path
) -> None:
    _, unnamed = source
    (tmp_path / "copy").write_text(f"New. {TEXT}")
    answer = flask("verify", "test:s", tmp_path / "copy")
    assert answer.exit_code == 1
    assert answer.output.splitlines()[:4] == [
        f"{unnamed}\tmoved\t24-35",
        "test:2\tmoved\t43-61",
        "0 exact, 0 same_but_typography, 2 moved, 0 elsewhere, 0 missing; 1 without a locator",
        "capture different, 62 characters",
    ]
    (tmp_path / "copy").write_text(TEXT.replace("stayed", "left"))
    answer = flask("verify", "test:s", tmp_path / "copy")
    assert answer.exit_code == 1
    assert answer.output.splitlines()[:3] == [
        f"{unnamed}\texact\t19-30",
        "test:2\tmissing\tsearched everywhere",
        "1 exact, 0 same_but_typography, 0 moved, 0 elsewhere, 1 missing; 1 without a locator",
    ]
    (tmp_path / "copy").write_text("A tale. Forty firms moved. An article. Forty firms stayed.")
    answer = flask("verify", "test:s", tmp_path / "copy")
    assert answer.output.startswith(f"{unnamed}\telsewhere\t8-19, surroundings none\n")
    soft = TEXT.replace("stayed", "stay\u00aded")
    (tmp_path / "copy").write_text(f"New. {soft}")
    answer = flask("verify", "test:s", tmp_path / "copy")
    assert answer.exit_code == 1
    assert answer.output.splitlines()[:2] == [
        f"{unnamed}\tmoved\t24-35",
        "test:2\tsame_but_typography\t43-62",
    ]


def _failed(flask: Run, *arguments: Any) -> str:
    answer = flask("verify", *arguments)
    assert answer.exit_code == 2
    return answer.output


@pytest.mark.usefixtures("source")
def test_exit_status_is_2_for_errors(flask: Run, database: Database, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    copy.write_text(TEXT)
    nobody = "0199c3a0-0000-7000-8000-000000000000"
    for name in (nobody, "test:nobody"):
        assert _failed(flask, name, copy) == f"Error: There is no source {name}.\n"
    assert "neither an id" in _failed(flask, "S", copy)
    assert "nothing" in _failed(flask, "test:s", tmp_path / "nothing")
    copy.write_bytes(b"\xff")
    assert "UTF-8 (byte 0)" in _failed(flask, "test:s", copy)
    copy.write_text(TEXT)
    with writing(database) as session:
        run(session, "UPDATE evidence SET deleted_at = now()")
    assert "No evidence of test:s has a locator" in _failed(flask, "test:s", copy)
    with writing(database) as session:
        run(session, "UPDATE sources SET deleted_at = now()")
    assert "was deleted" in _failed(flask, "test:s", copy)


def test_missing_file_is_named(flask: Run, files: dict[str, Path], tmp_path: Path) -> None:
    refused = flask("locate", tmp_path / "nothing", files["spans"], files["claims"])
    assert refused.exit_code == 2
    assert "nothing" in refused.output


@pytest.fixture
def unit(flask: Run, database: Database, tmp_path: Path) -> str:
    """The id of a unit with three versions, the last of which is a deletion."""
    for label in ("dollar", "Hong Kong dollar"):
        units = [{"external_id": "test:dollar", "code": "HKD", "label": label}]
        (tmp_path / "units.json").write_text(json.dumps(units))
        assert flask("seed", tmp_path).exit_code == 0
    with writing(database) as session:
        run(session, "UPDATE units SET deleted_at = now(), version = 3")
    ((id,),) = _rows(database, "SELECT id FROM units")
    return str(id)


def test_history_of_a_row_is_listed(flask: Run, unit: str, tmp_path: Path) -> None:
    answer = flask("history", "units", "test:dollar")
    assert answer.exit_code == 0
    assert flask("history", "units", unit).output == answer.output
    lines = [line.split("\t") for line in answer.output.splitlines()]
    seed = f"seed:{tmp_path.name}"
    assert [[line[0], *line[2:]] for line in lines] == [
        ["3", "delete", "hksz", "-", "-"],
        ["2", "update", seed, "-", "label"],
        ["1", "create", seed, "-", "-"],
    ]
    assert sorted((line[1] for line in lines), reverse=True) == [line[1] for line in lines]


def test_long_history_is_listed_completely(flask: Run, database: Database, unit: str) -> None:
    for version in range(4, 204):
        with writing(database) as session:
            run(session, "UPDATE units SET version = $1", version)
    lines = flask("history", "units", unit).output.splitlines()
    assert [int(line.split("\t")[0]) for line in lines] == list(range(203, 0, -1))


def test_two_versions_are_compared(flask: Run, unit: str) -> None:
    answer = flask("history", "units", unit, "--diff", "1", "2")
    assert answer.output == '/label\t"dollar"\t"Hong Kong dollar"\n'
    gone = flask("history", "units", unit, "--diff", "2", "3").output
    pointer, before, after = gone.rstrip("\n").split("\t")
    assert (pointer, after) == ("", "-")
    assert json.loads(before)["label"] == "Hong Kong dollar"
    for version in (4, 10**30):
        unknown = flask("history", "units", unit, "--diff", "1", str(version))
        assert unknown.exit_code == 1
        assert f"no version {version}; next to it: 3." in unknown.output


def test_unknown_row_is_one_sentence(flask: Run) -> None:
    for name in ("test:nothing", "0199c3a0-0000-7000-8000-000000000000"):
        answer = flask("history", "units", name)
        assert answer.exit_code == 1
        assert answer.output == f"Error: There is no unit {name}.\n"
    assert "neither an id" in flask("history", "units", "N").output
    assert flask("history", "nothing", "test:x").exit_code == 2


def test_unreachable_database_is_one_sentence(bare_app: Flask, files: dict[str, Path]) -> None:
    verifying = ["verify", "test:s", str(files["text"])]
    bare_app.extensions["hksz_database"] = Database(lambda: "postgresql://hksz@127.0.0.1:1/hksz")
    runner = bare_app.test_cli_runner()
    history = ["history", "units", "test:x"]
    for arguments in (["seed"], ["keys", "list"], ["keys", "revoke", "desk"], history, verifying):
        answer = runner.invoke(args=arguments)
        assert answer.exit_code == (2 if arguments is verifying else 1)
        assert answer.output.startswith("Error: ")
        assert len(answer.output.splitlines()) == 1


def test_every_command_has_help(bare_app: Flask) -> None:
    runner = bare_app.test_cli_runner()
    for arguments in (
        ["seed"],
        ["locate"],
        ["verify"],
        ["history"],
        ["keys"],
        ["keys", "create"],
        ["keys", "revoke"],
    ):
        answer = runner.invoke(args=[*arguments, "--help"])
        assert answer.exit_code == 0
        assert len(answer.output.splitlines()) > 3
