"""``/v1/sources/{id}/verify`` compares a text with the locators and does not keep it."""

# ruff: noqa: RUF001 - typography is a subject

import http.client
import json
import logging
import os
import socket
import subprocess
import sys
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator

from app import create_app
from hksz_db.database import Database, Session, run
from hksz_db.database.statements import PreparingConnection
from hksz_db.domain import verification
from hksz_db.domain.locators import Passage, digest, locate, normalise
from hksz_db.domain.loose_form import LooseForm
from hksz_db.logs import configure_logging
from hksz_db.settings import Settings
from tests.api.conftest import Answer, Client
from tests.conftest import QueryCounter

ROOT = Path(__file__).parents[2]
NOBODY = "0199c3a0-0000-7000-8000-000000000000"
# Code points beyond the basic plane, marks, several scripts, one span twice.
TEXT = normalise(
    "Forty firms moved; cafe\u0301s stayed. 深圳 has 𠮷 and 😀 beside it, and the river runs on."
    " שלום means peace. In the end forty firms moved again, or so it was said in the town."
)
WORDS = ["Forty firms moved", "cafés", "深圳 has 𠮷 and 😀", "שלום", "said in the town"]
MARKER = "zyzzyva-quixotry"


@pytest.fixture
def source(editor: Client) -> str:
    """The id of a source with a capture, and with evidence in the reverse order of its places."""
    capture = {"char_length": len(TEXT), "text_sha256": digest(TEXT)}
    body = {"csl_type": "article", "title": "An article", "captures": [capture]}
    made = editor.post("/v1/sources", body).json
    for words in reversed(WORDS):
        _add(editor, made["id"], Passage(locate(TEXT, words)).fields, words)
    _add(editor, made["id"], {}, "without a place")
    return made["id"]


def _add(editor: Client, source: str, locator: Mapping[str, Any], page: str) -> str:
    body = {
        "claim_external_id": "hksz:ttps-approved-2023",
        "source_id": source,
        "stance": "supports",
        "page": page,
        **locator,
    }
    made = editor.post("/v1/evidence", body)
    assert made.status_code == 201
    return made.json["id"]


def _verify(
    client: Client, source: str, text: str | bytes, content_type: str = "text/plain", **options: Any
) -> Answer:
    data = text.encode() if isinstance(text, str) else text
    path = f"/v1/sources/{source}/verify"
    return client.send("POST", path, data=data, content_type=content_type, **options)


def _places(answer: Answer, text: str) -> list[Any]:
    return [
        row["start_char"]
        if row["start_char"] is None
        else text[row["start_char"] : row["end_char"]]
        for row in answer.json["locators"]
    ]


def test_evidence_shows_the_capture_of_its_locator(
    reader: Client, editor: Client, source: str
) -> None:
    recorded = {"capture_text_sha256": digest(TEXT), **Passage(locate(TEXT, "Forty")).fields}
    path = f"/v1/evidence/{_add(editor, source, recorded, 'recorded')}"
    capture = {
        "normalization": "nfc-ws1",
        "char_length": len(TEXT),
        "text_sha256": digest(TEXT),
    }
    assert reader.get(path).json["capture"] == capture
    listed = reader.get("/v1/evidence", source_id=source).json["data"]
    shown = {row["page"]: row["capture"] for row in listed}
    assert shown == {**dict.fromkeys([*WORDS, "without a place"]), "recorded": capture}
    verified = _verify(reader, source, TEXT).json
    assert {name: verified[name] for name in capture} == capture


def test_all_spans_are_exact_in_a_copy_of_the_text(reader: Client, source: str) -> None:
    answer = _verify(reader, source, TEXT)
    assert answer.status_code == 200
    assert answer.content_type == "application/json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert "ETag" not in answer.headers
    document = answer.json
    located = document.pop("locators")
    assert document == {
        "source_id": source,
        "normalization": "nfc-ws1",
        "char_length": len(TEXT),
        "text_sha256": digest(TEXT),
        "capture": "same",
        "without_locator": 1,
    }
    evidence = {row["id"]: row for row in reader.get("/v1/evidence", source_id=source).json["data"]}
    assert len(located) == len(WORDS)
    for row, words in zip(located, WORDS, strict=True):
        stored = evidence[row["evidence_id"]]
        assert stored["page"] == words
        assert row == {
            "evidence_id": stored["id"],
            "claim_id": stored["claim"]["id"],
            "result": "exact",
            "start_char": stored["start_char"],
            "end_char": stored["end_char"],
            "surroundings": "both",
            "searched": None,
        }


def test_the_form_of_the_text_does_not_matter(reader: Client, source: str) -> None:
    same = _verify(reader, source, TEXT).data
    written = unicodedata.normalize("NFD", TEXT).replace(" ", " \r\n")
    assert _verify(reader, source, f"\ufeff{written}\r\n").data == same
    assert _verify(reader, source, TEXT, "text/plain; charset=UTF-8").data == same


def test_moved_words_have_their_offsets_in_the_text_of_the_caller(
    reader: Client, source: str
) -> None:
    copy = TEXT.replace("has 𠮷", "has had 𠮷").replace("again", "once more")
    answer = _verify(reader, source, f"A  preface.\r\n{copy}")
    text = normalise(f"A preface. {copy}")
    assert answer.json["capture"] == "different"
    assert answer.json["text_sha256"] == digest(text)
    assert [row["result"] for row in answer.json["locators"]] == [
        *("elsewhere", "moved", "missing", "moved", "elsewhere")
    ]
    assert _places(answer, text) == [*WORDS[:2], None, *WORDS[3:]]
    (missing,) = (row for row in answer.json["locators"] if row["result"] == "missing")
    assert (missing["end_char"], missing["searched"]) == (None, "everywhere")


def test_the_capture_of_a_source_without_captures_is_unknown(
    reader: Client, editor: Client
) -> None:
    body = {"csl_type": "report", "title": "Never held"}
    source = editor.post("/v1/sources", body).json["id"]
    answer = _verify(reader, source, "Anything.").json
    assert (answer["capture"], answer["locators"], answer["without_locator"]) == ("unknown", [], 0)


def test_one_matching_capture_is_enough(reader: Client, editor: Client, source: str) -> None:
    capture = {"char_length": 3, "text_sha256": digest("Two")}
    captures = [
        {"char_length": len(TEXT), "text_sha256": digest(TEXT)},
        capture,
    ]
    assert editor.patch(f"/v1/sources/{source}", {"captures": captures}).status_code == 200
    for text, held in ((TEXT, "same"), ("Two", "same"), ("Three", "different")):
        assert _verify(reader, source, text).json["capture"] == held


def test_deleted_evidence_is_omitted(reader: Client, editor: Client, source: str) -> None:
    for name in ("locators", "without_locator"):
        before = _verify(reader, source, TEXT).json
        pages = {"locators": WORDS[0], "without_locator": "without a place"}
        (row,) = (
            row
            for row in reader.get("/v1/evidence", source_id=source).json["data"]
            if row["page"] == pages[name]
        )
        assert editor.delete(f"/v1/evidence/{row['id']}").status_code == 204
        after = _verify(reader, source, TEXT).json
        if name == "locators":
            assert after[name] == before[name][1:]
        else:
            assert (before[name], after[name]) == (1, 0)


def test_spans_at_the_same_place_are_ordered_by_id(
    reader: Client, editor: Client, source: str
) -> None:
    words = locate(TEXT, "the river")
    ids = [_add(editor, source, vars(words), f"again {n}") for n in range(5)]
    answer = _verify(reader, source, TEXT).json["locators"]
    assert [row["evidence_id"] for row in answer if row["start_char"] == words.start_char] == ids
    starts = [row["start_char"] for row in answer]
    assert starts == sorted(starts)


def test_the_seed_is_missing_from_another_text(reader: Client) -> None:
    (source,) = reader.get("/v1/sources").json["data"]
    answer = _verify(reader, source["id"], "Nothing of the kind. " * 400).json
    assert answer["capture"] == "different"
    assert len(answer["locators"]) >= 28
    assert {row["result"] for row in answer["locators"]} == {"missing"}


def test_the_answer_matches_the_openapi_document(reader: Client, source: str) -> None:
    document = reader.get("/openapi.json").json
    operation = document["paths"]["/v1/sources/{id}/verify"]["post"]
    assert list(operation["requestBody"]["content"]) == ["application/json", "text/plain"]
    described = operation["responses"]["200"]["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**document, **described})
    for text in (TEXT, f"A preface. {TEXT}", "Something else."):
        validator.validate(_verify(reader, source, text).json)
    assert not validator.is_valid({**_verify(reader, source, TEXT).json, "capture": "other"})


@pytest.mark.parametrize(
    ("body", "charset", "detail"),
    [
        (b"\xff\xfea", "utf-8", "not UTF-8 (byte 0)"),
        ("深圳".encode() + b"\xed\xa0\x80", "utf-8", "byte 6"),
        (b"xyz\xe6\xb7", "utf-8", "byte 3"),
        (b"xyz\xa4", "Big5", "not BIG5 (byte 3)"),
        (b"xyz\x81\x20", "gb18030", "not GB18030 (byte 3)"),
        ("xyz".encode("utf-16-le"), "utf-16", "byte order mark"),
        ("xyz".encode("utf-16-le")[:-1], "utf-16le", "not UTF-16LE (byte 4)"),
        (b"ab\0c", "utf-8", "U+0000 at position 2"),
        (b"", "utf-8", "empty"),
        (b"\xef\xbb\xbf \r\n\t", "utf-8", "empty"),
        ("\u3000".encode("big5"), "big5", "empty"),
    ],
)
def test_invalid_text_is_refused_with_its_position(
    reader: Client, source: str, body: bytes, charset: str, detail: str
) -> None:
    refused = _verify(reader, source, body, f"text/plain; charset={charset}")
    assert refused.status_code == 422
    assert refused.content_type == "application/problem+json"
    assert detail in refused.json["detail"]
    assert b"xyz" not in refused.data


@pytest.mark.parametrize(
    "media_type",
    [
        "application/json; charset=utf-16",
        "application/merge-patch+json",
        "text/html",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "text/plain; charset=iso-8859-1",
        "text/plain; charset=utf-7",
        "",
    ],
)
def test_other_media_types_and_character_sets_are_refused(
    reader: Client, source: str, media_type: str
) -> None:
    refused = _verify(reader, source, TEXT, media_type)
    assert refused.status_code == 415
    assert "text/plain" in refused.json["detail"]


@pytest.mark.parametrize("charset", ["utf-16", "UTF-16LE", "utf-16be", "gb18030", "GB18030"])
def test_a_text_is_read_in_the_character_set_of_its_content_type(
    reader: Client, source: str, charset: str
) -> None:
    answer = _verify(reader, source, TEXT.encode(charset), f'text/plain; charset="{charset}"')
    assert answer.data == _verify(reader, source, TEXT).data


def test_a_text_in_big5_is_found(reader: Client, editor: Client) -> None:
    source = _source_with(editor, "啲人話呢個計劃要兩年先完成。", ["計劃要兩年"])
    copy = "啲人話呢個計劃要兩年先完成。".encode("big5hkscs")
    for charset in ("Big5", "big5-hkscs"):
        assert _results(_verify(reader, source, copy, f"text/plain; charset={charset}")) == [
            ("exact", "both")
        ]


def test_a_text_in_json_is_the_same(reader: Client, source: str) -> None:
    for text in (TEXT, f"\ufeffA  preface.\r\n{TEXT}", "Else."):
        body = json.dumps({"text": text})
        answer = _verify(reader, source, body, "application/json")
        assert answer.status_code == 200
        assert answer.data == _verify(reader, source, text).data


@pytest.mark.parametrize(
    ("body", "status", "detail"),
    [
        ("{}", 422, "/text"),
        ('{"text": null}', 422, "/text"),
        ('{"text": ["xyz"]}', 422, "/text"),
        ('{"text": "xyz", "charset": "utf-8"}', 422, "/charset"),
        ('{"text": ""}', 422, "empty"),
        ('{"text": " \\n"}', 422, "empty"),
        ('{"text": "xyz\\u0000"}', 422, "U+0000 at position 3"),
        ('{"text": "xyz\\ud83d"}', 422, "U+D83D at position 3"),
        ('{"text": "xyz', 400, "not JSON"),
        ('["xyz"]', 400, "object"),
    ],
)
def test_invalid_json_is_refused_without_repeating_it(
    reader: Client, source: str, body: str, status: int, detail: str
) -> None:
    refused = _verify(reader, source, body, "application/json")
    assert refused.status_code == status
    assert detail in refused.get_data(as_text=True)
    assert b"xyz" not in refused.data


def test_compressed_text_is_refused(reader: Client, source: str) -> None:
    for media_type in ("text/plain", "application/json"):
        refused = _verify(
            reader, source, '{"text": "a"}', media_type, headers={"Content-Encoding": "gzip"}
        )
        assert refused.status_code == 415


def _source_with(editor: Client, text: str, spans: Sequence[str], *, has_loose: bool = True) -> str:
    """The id of a new source whose evidence has locators of the spans."""
    made = editor.post("/v1/sources", {"csl_type": "article", "title": f"{text[:20]} …"}).json
    form = LooseForm(normalise(text))
    for words in spans:
        exact = locate(form.original, words)
        passage = Passage(exact, form.locator(exact) if has_loose else None)
        _add(editor, made["id"], passage.fields, words)
    return made["id"]


def _results(answer: Answer) -> list[tuple[str, str | None]]:
    assert answer.status_code == 200
    return [(row["result"], row["surroundings"]) for row in answer.json["locators"]]


ZONE = (
    "The pilot zone opened its first office in March. The technology committee will report again."
)
PLAN = "Officials called it a “joint plan” – nobody’s budget was cut."
STAGE = (
    "前海合作區的首個辦事處於三月啟用。官員表示，該計劃的第二階段需時兩年，並會於二零二六年檢討。"
)
FAIR = (
    "The fair drew 5,000 visitors on its first day, the organiser said. Tickets were cheap. A"
    " bakery, meanwhile, baked 5,000 buns for a charity run in another district the month before."
)


@pytest.mark.parametrize(
    ("text", "words", "copy", "found"),
    [
        (
            ZONE,
            "technology committee will report",
            ZONE.replace("technology", "tech\u00adno\u00adlogy"),
            "tech\u00adno\u00adlogy committee will report",
        ),
        (
            STAGE,
            "該計劃的第二階段需時兩年",
            "\n".join([STAGE[:14], STAGE[14:28], STAGE[28:42], STAGE[42:]]),
            "該計劃的第二 階段需時兩年",
        ),
        (
            PLAN,
            "“joint plan” – nobody’s budget",
            'Officials called it a "joint plan" - nobody\'s budget was cut.',
            '"joint plan" - nobody\'s budget',
        ),
        (ZONE, "its first office", ZONE.replace("first", "ﬁrst"), "its ﬁrst office"),
        (ZONE, "pilot zone", ZONE.replace("pilot", "pi\u200blot"), "pi\u200blot zone"),
        (ZONE, "technology", ZONE.replace("techno", "techno-\n"), "techno- logy"),
        (
            FAIR,
            "drew 5,000 visitors",
            FAIR.replace("5,000", "５，０００"),
            "drew ５，０００ visitors",
        ),
    ],
)
def test_words_in_another_typography_are_found(
    reader: Client, editor: Client, text: str, words: str, copy: str, found: str
) -> None:
    source = _source_with(editor, text, [words])
    answer = _verify(reader, source, copy)
    assert _results(answer) == [("same_but_typography", "both")]
    assert _places(answer, normalise(copy)) == [found]
    assert _results(_verify(reader, source, text)) == [("exact", "both")]


def test_words_in_another_typography_are_missing_without_a_loose_locator(
    reader: Client, editor: Client
) -> None:
    source = _source_with(editor, ZONE, ["technology"], has_loose=False)
    copy = ZONE.replace("technology", "tech\u00adno\u00adlogy")
    assert _results(_verify(reader, source, copy)) == [("missing", None)]


@pytest.mark.parametrize("has_loose", [True, False])
def test_a_corrected_figure_is_elsewhere(reader: Client, editor: Client, has_loose: bool) -> None:
    source = _source_with(editor, FAIR, ["5,000"], has_loose=has_loose)
    answer = _verify(reader, source, FAIR.replace("5,000 visitors", "6,200 visitors"))
    assert _results(answer) == [("elsewhere", "none")]
    assert answer.json["locators"][0]["start_char"] == FAIR.rindex("5,000")
    moved = _verify(reader, source, f"News of the week: the{FAIR[3:]}")
    assert _results(moved) == [("moved", "after")]


def test_another_locator_clears_the_loose_one(reader: Client, editor: Client) -> None:
    source = _source_with(editor, ZONE, ["technology"])
    (row,) = reader.get("/v1/evidence", source_id=source).json["data"]
    path = f"/v1/evidence/{row['id']}"
    loose = {name: value for name, value in row.items() if name.startswith("loose_")}
    assert None not in loose.values()
    same = {name: row[name] for name in vars(locate(ZONE, "technology"))}
    assert editor.patch(path, {**same, "note": "Read again."}).json.items() >= loose.items()
    other = locate(ZONE, "pilot zone")
    cleared = editor.patch(path, vars(other)).json
    assert cleared.items() >= dict.fromkeys(loose).items()
    both = Passage(other, LooseForm(ZONE).locator(other)).fields
    assert editor.patch(path, both).json.items() >= both.items()
    half = editor.patch(path, {"loose_start_char": None})
    assert (half.status_code, half.json["errors"][0]["pointer"]) == (422, "#/loose_start_char")
    alone = editor.patch(path, dict.fromkeys(same))
    assert alone.json.items() >= dict.fromkeys(both).items()
    refused = editor.patch(path, loose)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/loose_start_char"


def test_a_text_has_a_maximum_size(reader: Client, source: str) -> None:
    limit = 2**20
    assert _verify(reader, source, b"x" * limit).status_code == 200
    assert _verify(reader, source, b"x" * (limit + 1)).status_code == 413


def test_a_missing_source_is_404_or_410(reader: Client, editor: Client) -> None:
    assert _verify(reader, NOBODY, TEXT).status_code == 404
    assert _verify(reader, "1", TEXT).status_code == 404
    bare = editor.post("/v1/sources", {"csl_type": "report", "title": "Gone"}).json["id"]
    editor.delete(f"/v1/sources/{bare}")
    gone = _verify(reader, bare, TEXT)
    assert (gone.status_code, gone.headers["ETag"]) == (410, '"2"')


def test_parameters_are_refused(reader: Client, source: str) -> None:
    for query in ("text=a", "select=result", "per_page=1"):
        refused = _verify(reader, source, TEXT, query_string=query)
        assert refused.status_code == 400
        assert refused.json["errors"][0]["code"] == "unknown"


def test_only_post_is_allowed(reader: Client, source: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        refused = reader.send(method, f"/v1/sources/{source}/verify")
        assert refused.status_code == 405
        assert set(refused.headers["Allow"].split(", ")) == {"OPTIONS", "POST"}


def test_verification_needs_no_key_unless_reads_are_closed(
    database: Database, editor: Client, source: str
) -> None:
    closed = create_app(Settings(log_level="error", open_reads=False), database).test_client()
    path = f"/v1/sources/{source}/verify"
    assert closed.post(path, data=TEXT, content_type="text/plain").status_code == 401
    known = editor._headers
    assert closed.post(path, data=TEXT, content_type="text/plain", headers=known).status_code == 200


def test_the_text_is_not_sent_to_the_database(
    reader: Client, source: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def recording(run):
        def recorded(asker, query, params=None, *rest, **options):
            asked.append((query, params))
            return run(asker, query, params, *rest, **options)

        return recorded

    with monkeypatch.context() as patch:
        for kind, name in (
            (psycopg.Cursor, "execute"),
            (PreparingConnection, "fetch"),
            (PreparingConnection, "fetch_as_bytes"),
        ):
            patch.setattr(kind, name, recording(getattr(kind, name)))
        assert _verify(reader, source, f"{MARKER} {TEXT}").status_code == 200
    assert [params for _, params in asked if params is not None] == [[UUID(source)]]
    assert MARKER not in str(asked)


def test_verification_is_one_statement(
    reader: Client, source: str, query_counter: QueryCounter
) -> None:
    for body, number in ((TEXT, 1), (f"A preface. {TEXT}", 1), (b"\xff", 0), (b"", 0)):
        with query_counter() as counted:
            _verify(reader, source, body)
        assert len(counted.statements) == number


def test_verification_stores_nothing(reader: Client, source: str, session: Session) -> None:
    def state():
        names = run(session, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        digests = "SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {} t"
        return {name: run(session, digests.format(name)) for (name,) in names}

    before = state()
    assert before["evidence"] != [(None,)]
    assert _verify(reader, source, f"{MARKER} {TEXT}").status_code == 200
    assert state() == before


@pytest.fixture
def verbose_client(
    database: Database, capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> Iterator[FlaskClient]:
    """A client of the service at its lowest log level; ``_logged`` returns the log."""
    caplog.set_level(logging.DEBUG)
    capsys.readouterr()
    yield create_app(Settings(log_level="debug", log_format="console"), database).test_client()
    configure_logging(Settings(log_level="error"))


def _logged(capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture) -> str:
    written = capsys.readouterr()
    return f"{written.out}{written.err}{caplog.text}"


def test_the_text_is_not_logged(
    verbose_client: FlaskClient,
    source: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    path = f"/v1/sources/{source}/verify"
    whole = f"{MARKER} {TEXT}".encode()
    bodies = {
        whole: (200, "text/plain"),
        whole + b"\xff": (422, "text/plain"),
        whole + b"\0": (422, "text/plain"),
        whole * 20_000: (413, "text/plain"),
        whole + b" ": (415, "text/html"),
        b'{"text": "' + whole + b'"}': (200, "application/json"),
        b'{"text": "' + whole: (400, "application/json"),
    }
    for body, (status, media_type) in bodies.items():
        answer = verbose_client.post(path, data=body, content_type=media_type)
        assert answer.status_code == status
        assert MARKER not in answer.text
    assert MARKER not in _logged(capsys, caplog)


@pytest.mark.parametrize("place", ["_HashedText", "_Span", "Finding"])
def test_an_error_logs_nothing_of_the_text(
    verbose_client: FlaskClient,
    source: str,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    place: str,
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr(verification, place, fail)
    path = f"/v1/sources/{source}/verify"
    answer = verbose_client.post(path, data=f"{MARKER} {TEXT}", content_type="text/plain")
    assert answer.status_code == 500
    said = _logged(capsys, caplog)
    assert "RuntimeError: broken" in said
    assert MARKER not in said
    assert MARKER not in answer.text


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The host and the log of a running service at its lowest log level."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    own = {"DATABASE_URL": database_url, "HKSZ_PORT": str(port), "HKSZ_WORKERS": "1"}
    loud = {"HKSZ_ACCESS_LOG": "true", "HKSZ_LOG_LEVEL": "debug"}
    log = tmp_path / "log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, "app.py", "serve"],
            cwd=ROOT,
            env={**os.environ, **own, **loud},
            stdout=output,
            stderr=output,
        )
        try:
            _wait_for(port, server)
            yield f"127.0.0.1:{port}", log
        finally:
            server.terminate()
            server.wait(30)


def _wait_for(port: int, server: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        assert server.poll() is None, "the server has ended"
        threading.Event().wait(0.05)
    raise AssertionError("the server does not listen")


@pytest.mark.slow
def test_server_logs_contain_nothing_of_the_text(served: tuple[str, Path]) -> None:
    host, log = served

    def ask(method, path, body=None, **headers):
        connection = http.client.HTTPConnection(host, timeout=30)
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        read = response.read()
        connection.close()
        return response.status, read

    source = json.loads(ask("GET", "/v1/sources")[1])["data"][0]["id"]
    path = f"/v1/sources/{source}/verify"
    text = f"{MARKER} {TEXT}".encode()
    plain = {"Content-Type": "text/plain"}
    assert ask("POST", path, text, **plain)[0] == 200
    assert ask("POST", path, text + b"\xff", **plain)[0] == 422
    assert ask("POST", path, text, **{"Content-Type": f"text/plain; charset={MARKER}"})[0] == 415
    assert ask("POST", path, text, **{**plain, "Content-Length": "9999999"})[0] == 413
    _hang_up(host, path, text)
    assert ask("GET", "/healthz")[0] == 200
    written = log.read_text()
    assert f"path={path}" in written
    assert MARKER not in written


def _hang_up(host: str, path: str, text: bytes) -> None:
    """Send less than the declared length, and disconnect."""
    name, _, port = host.partition(":")
    with socket.create_connection((name, int(port)), timeout=30) as connection:
        head = f"POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: text/plain\r\n"
        connection.sendall(f"{head}Content-Length: {len(text) + 1}\r\n\r\n".encode() + text)
