"""The check of a text: findings by rules, and nothing of the text anywhere."""

import json
import logging
import time
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from flask import Flask

from app import create_app
from hksz_db.checking.likeness import Bands, Wording
from hksz_db.checking.names import KnownName, Mention, Names
from hksz_db.checking.sentences import Span
from hksz_db.checking.times import times_of
from hksz_db.database import Database, Session, run
from hksz_db.embedded import Server
from hksz_db.logs import configure_logging
from hksz_db.settings import Settings
from tests.api.conftest import Answer, Client
from tests.conftest import MakeDatabase
from tests.samples import tables_with

PUBLISHED = "2024-01-29"
RIGHT = "Hong Kong approved over 47,000 TTPS applications in 2023."
WRONG = "HKU hired 191 academics in 2023."
UNKNOWN = "The Lok Ma Chau Loop will have 52,000 jobs."
MARKER = "zqxjkv"


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with every seed, for the module."""
    with make_database(all_seeds) as url:
        yield url


def _check(client: Client, text: str, published: str | None = PUBLISHED, **fields: Any) -> Answer:
    body = {"text": text, "published_edtf": published, **fields}
    return client.post("/v1/check", body)


def _sentence(client: Client, text: str, published: str | None = PUBLISHED) -> dict[str, Any]:
    (sentence,) = _check(client, text, published).json["data"]
    return sentence


def test_each_sentence_has_a_finding_by_its_place(reader: Client) -> None:
    text = f"\ufeff𠮷 {RIGHT}\n {WRONG}  {UNKNOWN}"
    checked = _check(reader, text)
    assert checked.status_code == 200
    assert checked.headers["Cache-Control"] == "no-store"
    places = [text[each["start"] : each["end"]] for each in checked.json["data"]]
    assert places == [f"\ufeff𠮷 {RIGHT}", WRONG, UNKNOWN]
    findings = [each["finding"] for each in checked.json["data"]]
    assert findings == ["agrees", "contradicts", "not_known"]
    counts = checked.json["meta"]["findings"]
    assert [counts[finding] for finding in findings] == [1, 1, 1]
    (figure,) = checked.json["data"][1]["figures"]
    assert text[figure["start"] : figure["end"]] == "191"
    assert figure["metric"]["key"] == "academics-recruited"
    assert figure["subject"]["external_id"] == "hksz:university-of-hong-kong"
    (comparison,) = figure["comparisons"]
    assert comparison["other"]["claim"]["external_id"] == "hksz:hku-recruited-2023"


def test_plain_text_is_taken_too(reader: Client) -> None:
    sent = reader.send("POST", "/v1/check", data=RIGHT.encode(), content_type="text/plain")
    assert [each["finding"] for each in sent.json["data"]] == ["agrees"]


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("The Lok Ma Chau Loop covers 87 hectares.", "repeats"),
        ("The Lok Ma Chau Loop covers 97 hectares.", "in_tension"),
        ("The Lok Ma Chau Loop covers 0.87 square kilometres.", "agrees"),
        ("高才通計劃在2023年只批出3.9萬宗申請。", "contradicts"),
        ("高才通计划在2023年批出超过4.7万宗申请。", "agrees"),
        ("去年約有3.6萬名高才通獲批人士抵港。", "agrees"),
        ("It is wrong that HKU recruited 91 academics in 2023.", "not_known"),
        ("Reports that HKU recruited 91 academics in 2023 are incorrect.", "not_known"),
        ("If HKU had recruited 191 academics in 2023, it would have grown.", "not_known"),
        ("香港大学2023年招聘了91名学者的说法是错误的。", "not_known"),
        ("Did HKU recruit 191 academics in 2023?", "not_known"),
        ("香港大学2023年招聘了191名学者吗\uff1f", "not_known"),
        # Denied, of another year, of a part, without a subject, of another subject.
        ("Hong Kong did not approve 47,000 TTPS applications in 2023.", "not_known"),
        ("Hong Kong approved over 47,000 TTPS applications in 2021.", "not_known"),
        ("Of the TTPS applicants approved in 2023, 1,200 were women from Canada.", "not_known"),
        ("Over 47,000 applications were approved in 2023.", "not_known"),
        ("In 2023 the Chinese University of Hong Kong recruited 140 academics.", "not_known"),
    ],
)
def test_findings(reader: Client, text: str, finding: str) -> None:
    assert _sentence(reader, text)["finding"] == finding


NARROWER = """
    In 2023, HKU recruited 91 academics, 22 of them full professors.
    HKU recruited 12 academics from Germany in 2023.
    The TTPS approved 200 applications a day in 2023.
    On average, 130 TTPS applications were approved each day in 2023.
    The Qianhai zone covered 120.56 square kilometres in 2021, up from 14.92 square kilometres.
    In 2022, Hong Kong universities spent HK$15 billion on research and development.
    A park in the Lok Ma Chau Loop covers 12 hectares.
    Wetlands of 12.8 hectares lie in the Lok Ma Chau Loop.
    In 2023 the Hong Kong government approved 20,000 applications under other talent schemes.
    By the end of November 2023, 3,400 TTPS applications were approved for applicants under 30.
    TTPS celebrated 47,000 approved applications in 2023 with 300 guests.
    Since 2023 the TTPS has approved 90 applications.

    高才通2023年平均每月批出4,000宗申請。
    2023年香港大学招聘了30名来自德国的学者。
    前海合作區內一個公園面積約12公頃。
    香港科學園深圳分園其中一座大樓的樓面面積為15,000平方米。
"""


def test_what_is_narrower_contradicts_nothing(reader: Client) -> None:
    checked = _check(reader, NARROWER).json["data"]
    assert len(checked) == 16
    wrong = {"contradicts", "in_tension"}
    found = [NARROWER[each["start"] : each["end"]] for each in checked if each["finding"] in wrong]
    assert not found


def test_the_end_of_a_period_is_that_of_known_figures(reader: Client) -> None:
    (figure,) = _sentence(
        reader, "By the end of November 2023, 52,300 TTPS applications were approved."
    )["figures"]
    assert figure["finding"] == "contradicts"
    assert figure["period"]["edtf"] == "2022-12-28/2023-11-30"


def test_relative_times_need_the_date_of_the_text(reader: Client) -> None:
    text = "Last year over 47,000 TTPS applications were approved."
    assert _sentence(reader, text)["finding"] == "agrees"
    assert _sentence(reader, text, published=None)["finding"] == "not_known"
    assert _sentence(reader, text, published="2026-03")["finding"] == "not_known"


def test_names_are_those_of_now(reader: Client, editor: Client) -> None:
    text = "The Golden Visa Plan approved over 47,000 applications in 2023."
    assert _sentence(reader, text)["finding"] == "not_known"
    (scheme,) = reader.get("/v1/entities", external_id="hksz:ttps").json["data"]
    names = [
        {name: each[name] for name in ("name", "language", "kind")} for each in scheme["names"]
    ]
    alias = {"name": "Golden Visa Plan", "language": "en", "kind": "alias"}
    changed = editor.patch(f"/v1/entities/{scheme['id']}", {"names": [*names, alias]})
    assert changed.status_code == 200
    assert _sentence(reader, text)["finding"] == "agrees"


def test_a_replaced_claim_does_not_contradict(reader: Client, editor: Client) -> None:
    (old,) = reader.get("/v1/claims", external_id="hksz:hku-recruited-2023").json["data"]
    figure = {
        "metric_external_id": "hksz:metric-academics-recruited",
        "subject_external_id": "hksz:university-of-hong-kong",
        "as_stated": "191",
        "period_edtf": "2023",
    }
    made = editor.post(
        "/v1/claims",
        {
            "statement": "HKU corrects how many academics it recruited in 2023: 191.",
            "language": "en",
            "claimant_external_id": "hksz:university-of-hong-kong",
            "modality": "actual",
            "status": "accepted",
            "time_edtf": "2023",
            "figures": [figure],
            "relations": [{"kind": "corrects", "to_id": old["id"]}],
        },
    )
    assert made.status_code == 201, made.json
    assert _sentence(reader, WRONG)["finding"] == "agrees"


def test_too_long_and_malformed_texts(reader: Client) -> None:
    assert _check(reader, "x" * 65_537).status_code == 413
    assert _check(reader, "香" * 21_846).status_code == 413
    assert _check(reader, "x " * 32_768).status_code == 200
    assert _check(reader, RIGHT, "soon").status_code == 422
    assert reader.post("/v1/check", {"text": 5}).status_code == 422
    for text in ("", " \n", "a\0b", "\ud83d"):
        assert _check(reader, text).status_code == 422, text
    assert reader.get("/v1/check").status_code == 405


@pytest.mark.parametrize(
    "text",
    [
        "1 " * 20_000,
        "一" * 20_000,
        "2023 to " * 8_000,
        "." * 60_000,
        "Hong Kong " * 6_000,
        "\n" * 60_000 + "1",
        "a\u0300" * 20_000,
        "HK$" * 20_000,
        "between " * 8_000,
        "二两个" * 7_000,
    ],
)
def test_hostile_texts_are_checked_in_time(reader: Client, text: str) -> None:
    begun = time.process_time()
    assert _check(reader, text).status_code == 200
    assert time.process_time() - begun < 5


def test_many_months_without_a_year_are_read_in_time() -> None:
    begun = time.process_time()
    assert times_of("5月" * 40_000, 0, None) == []
    found = times_of("在2022年、4月、5月、2023年6月", 0, None)
    assert [each.period.edtf for each in found] == ["2022", "2022-04", "2023-05", "2023-06"]
    assert time.process_time() - begun < 3


def test_many_names_in_many_sentences_are_found_in_time() -> None:
    id = UUID(int=0)
    names = Names([KnownName(id, "HKU", True)])
    sentences = [Span(at, at + 4) for at in range(0, 50_000, 5)]
    begun = time.process_time()
    found = names.find("HKU. " * 10_000, sentences)
    assert time.process_time() - begun < 2
    assert found == [[Mention(Span(each.start, each.start + 3), (id,))] for each in sentences]


def test_a_text_with_many_numbers_is_checked_in_part(reader: Client) -> None:
    numbers = "HKU hired 1 or 2, 3 or 4 and 5. "
    for count, is_all in ((100, True), (101, False)):
        checked = _check(reader, numbers * count).json
        assert checked["meta"]["sentences"] == {"count": 100, "all": is_all}
        assert len(checked["data"]) == 100


@pytest.mark.parametrize("month", ["2023年13月底", "2023年十三月末", "99月底"])
def test_a_month_that_does_not_exist_is_no_time(reader: Client, month: str) -> None:
    (sentence,) = _check(reader, f"香港大学{month}招聘了91名学者。").json["data"]
    assert not any("-13" in each["edtf"] for each in sentence["times"])


def test_bands_are_those_of_the_database(session: Session) -> None:
    rows = run(session, "SELECT statement, statement_bands(statement) FROM claims")
    bands = Bands()
    assert len(rows) > 100
    assert {text: bands.of(Wording(text)) for text, _ in rows} == dict(rows)


@pytest.mark.parametrize(
    "statement",
    [
        "前海深港合作區在2021年的面積為120.56平方公里、四萬七千宗、百分之五。",
        "R&D grew by 8.5% — it didn't fall; 1 234 567 people, twenty-five of them.",
        "no words \uff11\uff12\uff13 but THESE",
    ],
)
def test_bands_of_other_statements(session: Session, statement: str) -> None:
    ((expected,),) = run(session, "SELECT statement_bands($1)", statement)
    assert Bands().of(Wording(statement)) == expected


@pytest.fixture
def logging_database(database_url: str, server: Server) -> Iterator[Database]:
    """The database, whose server logs every statement with its parameters."""
    name = database_url.rpartition("/")[2].partition("?")[0]
    settings = ("log_min_duration_statement = 0", "log_parameter_max_length_on_error = -1")
    with psycopg.connect(server.url("postgres", superuser=True), autocommit=True) as connection:
        for setting in settings:
            connection.execute(f"ALTER DATABASE {name} SET {setting}".encode())
        database = Database(lambda: database_url)
        yield database
        database.close()
        connection.execute(f"ALTER DATABASE {name} RESET ALL".encode())


def test_the_text_is_nowhere(
    logging_database: Database,
    database_url: str,
    server: Server,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caplog.set_level(logging.DEBUG)
    client = create_app(
        Settings(log_level="debug", log_format="console"), logging_database
    ).test_client()
    text = (
        f"{MARKER} Hong Kong {MARKER} approved over 47,000 {MARKER} TTPS applications. {MARKER}香港"
    )
    bodies = {
        text.encode(): (200, "text/plain"),
        text.encode() + b"\xff": (400, "text/plain"),
        text.encode() * 2000: (413, "text/plain"),
        text.encode() + b" ": (415, "text/html"),
        json.dumps({"text": text}).encode(): (200, "application/json"),
        json.dumps({"text": text}).encode()[:-1]: (400, "application/json"),
        json.dumps({"text": [text]}).encode(): (422, "application/json"),
    }
    answers = []
    for body, (status, media_type) in bodies.items():
        answer = client.post("/v1/check", data=body, content_type=media_type)
        assert answer.status_code == status
        answers.append(answer.text)

    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("hksz_db.checking.check.quoted_in", fail)
    answers.append(client.post("/v1/check", json={"text": text}).text)
    answers.append(client.get("/metrics").text)
    configure_logging(Settings(log_level="error"))
    written = capsys.readouterr()
    said = f"{written.out}{written.err}{caplog.text}"
    assert "RuntimeError: broken" in said
    logged = (server.home / "postgres.log").read_text()
    assert "claim_bands" in logged
    for place in (*answers, said, logged):
        assert MARKER not in place.lower()
    assert tables_with(database_url, MARKER) == set()
    assert tables_with(database_url, "hong kong")


def test_it_works_on_a_server_that_only_reads(app: Flask, database_url: str) -> None:
    only = Database(lambda: f"{database_url}&options=-c%20default_transaction_read_only%3Don")
    app.extensions["hksz_database"] = only
    try:
        assert _sentence(Client(app), RIGHT)["finding"] == "agrees"
    finally:
        only.close()
