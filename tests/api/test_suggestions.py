"""``GET /v1/suggest``: names while somebody types them."""

import re
from collections.abc import Callable
from contextlib import closing
from typing import Any

import jsonschema
import pytest
from psycopg import RawCursor

from hksz_db.database import Database, Session, run
from hksz_db.database.connections import GENERIC_PLANS
from hksz_db.queries import suggestions as queries
from tests.api.conftest import Client
from tests.conftest import QueryCounter

PATH = "/v1/suggest"
Make = Callable[..., str]


def suggest(client: Client, q: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(PATH, q=q, **query)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def names(client: Client, q: str, **query: str) -> list[str]:
    return [each["matched"]["name"] for each in suggest(client, q, **query)]


@pytest.fixture
def make(editor: Client) -> Make:
    """``make("Xylo", zh_Hant="示例")``: the id of a new organisation with the names."""

    def make(name: str, kind: str = "organisation", **others: str) -> str:
        given = {"en": name, **others}
        body = {
            "kind": kind,
            "names": [
                {"name": name, "language": language.replace("_", "-"), "kind": "preferred"}
                for language, name in given.items()
            ],
        }
        made = editor.post("/v1/entities", body)
        assert made.status_code == 201, made.text
        return made.json["id"]

    return make


def test_a_suggestion_says_what_it_is(reader: Client, make: Make) -> None:
    id = make("Xylo Council", zh_Hant="示例促進局")
    assert suggest(reader, "xylo") == [
        {
            "resource": "entities",
            "id": id,
            "value": id,
            "name": "Xylo Council",
            "matched": {"name": "Xylo Council", "language": "en"},
            "hint": "organisation",
            "description": None,
        }
    ]
    (found,) = suggest(reader, "示例", lang="zh-Hant")
    assert (found["name"], found["name_language"]) == ("示例促進局", "zh-Hant")
    assert found["matched"] == {"name": "示例促進局", "language": "zh-Hant"}


@pytest.mark.parametrize(
    "q",
    [
        "x",
        "XYLO",
        "xylo sci",
        "park xylo",
        "science p",
        "  science   park ",
        "xylo-s",
        "促進",
        "促进局",
        "示",
        "局",
        "示例促",
    ],
)
def test_any_word_of_any_name_is_found_by_its_beginning(reader: Client, make: Make, q: str) -> None:
    id = make("Xylo Science Park", zh_Hant="示例促進局")
    assert id in [each["id"] for each in suggest(reader, q, limit="50")]


@pytest.mark.parametrize("q", ["ylo", "xylo parks", "例示", "-", '"', "xylo OR", "!", "&"])
def test_other_texts_find_nothing(reader: Client, make: Make, q: str) -> None:
    make("Xylo Science Park", zh_Hant="示例促進局")
    assert suggest(reader, q) == []


def test_exact_names_come_first_then_beginnings_then_words(
    reader: Client, editor: Client, make: Make
) -> None:
    for name in ("The xylo", "Xylophone", "Another xylophone", "Xylo", "Xylography"):
        id = make(name)
        if name in {"Xylography", "Another xylophone"}:
            body = {"statement": f"{name} is here.", "claimant_id": id}
            assert editor.post("/v1/claims", body).status_code == 201
    assert names(reader, "xylo") == [
        "Xylo",
        "Xylography",
        "Xylophone",
        "Another xylophone",
        "The xylo",
    ]
    assert names(reader, "xylo", limit="2") == ["Xylo", "Xylography"]


def test_an_entity_is_suggested_once_with_its_best_name(reader: Client, make: Make) -> None:
    make("Bureau of Xylo", de="Xylo", fr="Xylophones")
    (found,) = suggest(reader, "xylo")
    assert found["name"] == "Bureau of Xylo"
    assert found["matched"] == {"name": "Xylo", "language": "de"}


def test_metrics_units_and_topics_have_the_values_of_filters(reader: Client) -> None:
    metric, *_ = suggest(reader, "ttps", kinds="metrics")
    assert (metric["resource"], metric["value"]) == ("metrics", "ttps-approved")
    assert metric["matched"] == {"name": "ttps-approved", "language": None}
    assert metric["hint"] == "count"
    assert metric["id"] == reader.get("/v1/metrics", key="ttps-approved").json["data"][0]["id"]
    assert reader.get("/v1/claims", figures__metric=metric["value"]).json["data"]
    unit = reader.get("/v1/units", per_page="1").json["data"][0]
    found = suggest(reader, unit["label"], kinds="units")[0]
    assert (found["value"], found["id"], found["hint"]) == (
        unit["code"],
        unit["id"],
        unit["dimension"],
    )
    assert suggest(reader, unit["code"], kinds="units")[0]["value"] == unit["code"]
    (topic,) = suggest(reader, "zon", kinds="topics")
    assert topic == {
        "resource": "topics",
        "id": None,
        "value": "zones",
        "name": "zones",
        "matched": {"name": "zones", "language": None},
        "hint": None,
        "description": None,
    }
    assert reader.get("/v1/claims", topics=topic["value"]).json["data"]


def test_kinds_restricts_what_is_suggested(reader: Client) -> None:
    # Every letter and digit begins a word of something.
    for kind in ("entities", "metrics", "units", "topics"):
        found = [
            each
            for letter in "abcdefghijklmnopqrstuvwxyz1"
            for each in suggest(reader, letter, kinds=kind, limit="50")
        ]
        assert {each["resource"] for each in found} == {kind}
    both = {e["resource"] for e in suggest(reader, "t", kinds="metrics,entities", limit="50")}
    assert both == {"metrics", "entities"}


def test_the_topics_of_deleted_claims_are_not_suggested(reader: Client, editor: Client) -> None:
    body = {"statement": "It rains.", "claimant_as_stated": "somebody", "topics": ["xylo-rain"]}
    made = editor.post("/v1/claims", body)
    assert names(reader, "rain") == ["xylo-rain"]
    editor.delete(made.headers["Location"])
    assert names(reader, "rain") == []


def test_deleted_and_merged_entities_are_not_suggested(
    reader: Client, editor: Client, make: Make
) -> None:
    deleted, merged, kept = make("Xylo one"), make("Xylo two"), make("Xylo three")
    assert editor.delete(f"/v1/entities/{deleted}").status_code == 204
    answer = editor.send(
        "POST",
        f"/v1/entities/{merged}/merge",
        json={"into_id": kept},
        headers={"If-Match": "*"},
    )
    assert answer.status_code == 200, answer.text
    for q in ("xylo", "one", "two", "three"):
        assert {each["id"] for each in suggest(reader, q)} <= {kept}
    assert [each["id"] for each in suggest(reader, "xylo")] == [kept]


def test_deleted_metrics_and_units_are_not_suggested(reader: Client, editor: Client) -> None:
    for resource, body in (
        (
            "metrics",
            {"key": "xylo", "label": "Xylo", "dimension": "count", "accumulation": "stock"},
        ),
        ("units", {"code": "km", "label": "Xylo kilometres"}),
    ):
        made = editor.post(f"/v1/{resource}", body)
        assert made.status_code == 201, made.text
        assert len(suggest(reader, "xylo", kinds=resource)) == 1
        editor.delete(made.headers["Location"])
        assert suggest(reader, "xylo", kinds=resource) == []


@pytest.mark.parametrize(
    ("query", "name", "code"),
    [
        ({}, "q", "required"),
        ({"q": " "}, "q", "invalid"),
        ({"q": "x" * 501}, "q", "invalid"),
        ({"q": "x", "kinds": "claims"}, "kinds", "invalid"),
        ({"q": "x", "kinds": ""}, "kinds", "invalid"),
        ({"q": "x", "limit": "0"}, "limit", "invalid"),
        ({"q": "x", "limit": "51"}, "limit", "invalid"),
        ({"q": "x", "lang": "*"}, "lang", "invalid"),
        ({"q": "x", "as_of": "2026-01-01T00:00:00Z"}, "as_of", "unknown"),
    ],
)
def test_bad_parameters_are_refused(
    reader: Client, query: dict[str, str], name: str, code: str
) -> None:
    answer = reader.get(PATH, **query)
    assert answer.status_code == 400
    assert [(e["parameter"], e["code"]) for e in answer.json["errors"]] == [(name, code)]


def test_it_is_one_statement_and_matches_its_schema(
    reader: Client, query_counter: QueryCounter
) -> None:
    with query_counter() as counted:
        plain = reader.get(PATH, q="s")
    assert len(counted.statements) == 1
    assert len(plain.json["data"]) == 10
    localized = reader.send(
        "GET", PATH, query_string={"q": "s"}, headers={"Accept-Language": "zh-Hant"}
    )
    assert localized.headers["Vary"] == plain.headers["Vary"] == "Accept-Language"
    document = reader.get("/openapi.json").json
    schema = {"$ref": "#/components/schemas/Suggestions", "components": document["components"]}
    for answer in (plain, localized):
        jsonschema.validate(answer.json, schema, cls=jsonschema.Draft202012Validator)
    headers = {"If-None-Match": plain.headers["ETag"]}
    assert reader.send("GET", PATH, query_string={"q": "s"}, headers=headers).status_code == 304


def test_names_are_looked_up_in_indexes(database: Database) -> None:
    """The statement is planned on empty tables, because the plan is kept while they grow."""
    explain = f"EXPLAIN (GENERIC_PLAN) {queries._statement().sql}"
    with closing(database.connector.connect(GENERIC_PLANS)) as connection:
        explained = RawCursor(connection).execute(explain.encode())
        plan = "\n".join(line.decode() for (line,) in explained)
    assert "Seq Scan" not in plan
    for index in (
        "entity_names_beginning_idx",
        "entity_names_search_idx",
        "metrics_words_idx",
        "units_words_idx",
    ):
        assert re.search(f"Index (Only )?Scan (using|on) {index}", plan), (index, plan)


def test_only_the_first_names_are_looked_at(reader: Client, session: Session, make: Make) -> None:
    run(
        session,
        "WITH made AS (INSERT INTO entities (kind, name, name_language)"
        " SELECT 'organisation', 'Xylo ' || n, 'en' FROM generate_series(1, 700) AS n"
        " RETURNING id, name) INSERT INTO entity_names (entity_id, name, language, kind)"
        " SELECT id, name, 'en', 'preferred' FROM made",
    )
    exact = make("Xylo")
    found = suggest(reader, "xylo", limit="50")
    assert len(found) == 50
    assert found[0]["id"] == exact
