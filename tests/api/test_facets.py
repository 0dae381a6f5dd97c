"""``GET /v1/claims/facets``: each count is that of the list which its value leads to."""

from typing import Any

import jsonschema
import psycopg
import pytest

from hksz_db.domain.vocabulary import ClaimStatus
from hksz_db.queries import facets as queries
from hksz_db.queries.facets import FACETS
from tests.api.conftest import Client
from tests.conftest import MakeDatabase, QueryCounter

PATH = "/v1/claims/facets"


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str):
    with make_database(all_seeds) as url:
        yield url


def facets(client: Client, **query: str) -> dict[str, Any]:
    answer = client.get(PATH, **query)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def total(client: Client, query: dict[str, str]) -> int:
    answer = client.get("/v1/claims", **query, count="exact", per_page="1", select="id")
    assert answer.status_code == 200, answer.text
    return answer.json["meta"]["count"]["value"]


def check(client: Client, facet: dict[str, Any], query: dict[str, str]) -> int:
    """Follow every value of a facet, and say how many there were."""
    rest = {name: value for name, value in query.items() if name not in facet["without"]}
    for value in facet["values"]:
        also = {each["parameter"]: each["value"] for each in facet["also"]}
        filters = {**rest, facet["parameter"]: value["value"], **also}
        assert total(client, filters) == value["count"] > 0, filters
        if "certain" in value:
            filters = {**rest, "time__certainly_within": value["value"]}
            assert total(client, filters) == value["certain"], filters
    if facet["missing"]:
        filters = {**rest, facet["missing"]["parameter"]: "true"}
        assert total(client, filters) == facet["missing"]["count"], filters
    return len(facet["values"])


QUERIES: list[dict[str, str]] = [
    {},
    {"q": 'hetao OR "science park" OR 河套'},
    {"time__within": "2023", "figures__metric": "area"},
    {"entities__external_id": "hksz:shenzhen"},
    {"entities__kind": "place", "entities__role": "location"},
    {"entities__name__contains": "hong", "claimant__name__contains": "e"},
    {"place__under_external_id": "hksz:shenzhen", "status": "accepted"},
    {"figures__period__within": "2023", "figures__isnull": "false", "modality": "actual"},
    {"corroboration__verdict": "corroborated", "corroboration__sources__gte": "2"},
    {"status__ne": "rejected", "language": "en", "time__isnull": "false"},
    {"claimant_id__isnull": "false", "time__gte": "2020", "time__lte": "2024"},
    {"evidence__stance__in": "asserts,supports", "topics": "zones"},
]


@pytest.mark.slow
@pytest.mark.parametrize("query", QUERIES, ids=lambda query: "&".join(query) or "everything")
def test_every_count_is_that_of_the_list(
    reader: Client, editor: Client, query: dict[str, str]
) -> None:
    _write_more_claims(editor)
    found = facets(reader, **query, values="100")
    assert list(found) == list(FACETS)
    values = {name: check(reader, facet, query) for name, facet in found.items()}
    assert sum(values.values()) > 8, values
    for name, facet in found.items():
        # A time without an end lies in all years up to the last that any time states.
        assert (facet["more"] == 0) == (name != "time" or len(facet["values"]) < 200)
        assert facet["all"]
        counts = [value["count"] for value in facet["values"]]
        years = [value["value"] for value in facet["values"]]
        assert years == sorted(years) if name == "time" else counts == sorted(counts)[::-1]
    answer = reader.get(PATH, **query).json
    assert answer["meta"]["counted"] == {"claims": total(reader, query), "all": True}


def _write_more_claims(editor: Client) -> None:
    """Claims with what the seeds lack: open times, several figures, cycles and deletions."""
    figure = {
        "metric_external_id": "hksz:metric-area",
        "subject_external_id": "hksz:shenzhen",
        "as_stated": "40 hectares",
        "comparator": "eq",
        "amount": "40",
        "unit_code": "har",
        "period_edtf": "2023",
    }
    for n, time in enumerate(("2010/..", "../2011", "0999/1001", "1998/1999", "2023-05")):
        body = {
            "statement": f"The {n}th plan of the city covers 40 hectares.",
            "claimant_external_id": "hksz:shenzhen-government",
            "time_edtf": time,
            "language": "zh-Hant" if n == 2 else "en",
            "modality": "planned",
            "entities": [
                {"entity_external_id": "hksz:futian", "role": role}
                for role in ("subject", "location")
            ],
            "figures": [figure, {**figure, "amount": "41", "as_stated": "41 hectares"}],
        }
        made = editor.post("/v1/claims", body)
        assert made.status_code == 201, made.text
    assert editor.delete(made.headers["Location"]).status_code == 204
    (bay,) = editor.get("/v1/entities", external_id="hksz:greater-bay-area").json["data"]
    circle = [{"kind": "located_in", "object_external_id": "hksz:futian"}]
    assert editor.patch(f"/v1/entities/{bay['id']}", {"relations": circle}).status_code == 200


def test_a_facet_counts_alternatives_to_what_it_is_filtered_by(reader: Client) -> None:
    plain = facets(reader)
    chosen = facets(reader, modality="planned")
    assert chosen["modality"]["without"] == ["modality"]
    assert [value["count"] for value in chosen["modality"]["values"]] == [
        value["count"] for value in plain["modality"]["values"]
    ]
    assert [v["value"] for v in chosen["modality"]["values"] if v["selected"]] == ["planned"]
    assert not any(value["selected"] for value in plain["modality"]["values"])
    (planned,) = (v["count"] for v in plain["modality"]["values"] if v["value"] == "planned")
    assert sum(value["count"] for value in chosen["status"]["values"]) == planned


def test_the_same_row_meets_the_filters_and_has_the_value(reader: Client) -> None:
    found = facets(reader, entities__kind="organisation", values="100")
    assert {value["entity"]["kind"] for value in found["about"]["values"]} == {"organisation"}
    assert "place" in {value["entity"]["kind"] for value in found["place"]["values"]}


def test_a_selected_value_is_listed_however_rare(reader: Client) -> None:
    rarest = facets(reader, values="100")["claimant"]["values"][-1]
    found = facets(reader, claimant_id__in=rarest["value"], values="1")["claimant"]
    assert [value["selected"] for value in found["values"]] == [False, True]
    assert found["values"][1] == {**rarest, "selected": True}
    assert found["more"] == len(facets(reader, values="100")["claimant"]["values"]) - 2


def test_values_limits_every_facet_but_the_years(reader: Client) -> None:
    every, few = facets(reader, values="100"), facets(reader, values="1")
    assert few["time"] == every["time"]
    for name in FACETS.keys() - {"time"}:
        assert few[name]["values"] == every[name]["values"][:1]
        assert few[name]["more"] == len(every[name]["values"]) - 1
    assert len(facets(reader)["about"]["values"]) == 10


def test_only_the_newest_are_counted_of_too_many(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    (newest, *_) = reader.get("/v1/claims", sort="-id", per_page="1").json["data"]
    queries.facets_statement.cache_clear()
    monkeypatch.setattr(queries, "MOST_COUNTED", 1)
    monkeypatch.setattr("hksz_db.http.documents.MOST_COUNTED", 1)
    answer = reader.get(PATH)
    assert answer.json["meta"]["counted"] == {"claims": 1, "all": False}
    assert [value["value"] for value in answer.json["data"]["modality"]["values"]] == [
        newest["modality"]
    ]
    assert not answer.json["data"]["modality"]["all"]
    queries.facets_statement.cache_clear()


@pytest.mark.parametrize("query", [{"entities__role": "subject"}, {"place__under": None}])
def test_the_newest_are_the_same_wherever_they_are_looked_for_first(
    reader: Client, monkeypatch: pytest.MonkeyPatch, query: dict[str, str | None]
) -> None:
    (bay,) = reader.get("/v1/entities", external_id="hksz:greater-bay-area").json["data"]
    asked = {name: value or bay["id"] for name, value in query.items()}
    monkeypatch.setattr(queries, "MOST_COUNTED", 9)
    answers = []
    for looked_through in (100_000, 2, 40):
        monkeypatch.setattr(queries, "_LOOKED_THROUGH", looked_through)
        queries.facets_statement.cache_clear()
        answers.append(facets(reader, **asked))
    queries.facets_statement.cache_clear()
    assert answers[0] == answers[1] == answers[2]


def test_names_are_in_the_language(reader: Client) -> None:
    plain = reader.get(PATH)
    answer = reader.get(PATH, lang="zh-Hant")
    assert answer.headers["Vary"] == plain.headers["Vary"] == "Accept-Language"
    assert "zh-Hant" in answer.headers["Content-Language"]
    for facet in ("about", "place", "claimant"):
        for value in answer.json["data"][facet]["values"]:
            entity = reader.get(f"/v1/entities/{value['value']}", lang="zh-Hant").json
            assert value["entity"] == {name: entity[name] for name in value["entity"]}
    assert "name_language" not in plain.text
    accepted = reader.send("GET", PATH, headers={"Accept-Language": "zh-Hant"})
    assert accepted.data == answer.data


def test_as_of_counts_what_there_was(reader: Client) -> None:
    before = reader.get(PATH, as_of="2020-01-01T00:00:00Z")
    assert before.status_code == reader.get("/v1/claims", as_of="2020-01-01T00:00:00Z").status_code
    (claim,) = reader.get("/v1/claims", sort="-created_at", per_page="1").json["data"]
    now = facets(reader, as_of=claim["created_at"])
    assert now["status"]["values"][0]["value"] == ClaimStatus.ACCEPTED


@pytest.mark.parametrize(
    "query",
    [
        {"unknown": "1"},
        {"time__within": "yesterday"},
        {"claimant_id": "1", "modality": "wild"},
        {"lang": "*"},
        {"q": " "},
        {"as_of": "now"},
        {"place__under": "x"},
    ],
)
def test_filters_are_refused_as_by_the_list(reader: Client, query: dict[str, str]) -> None:
    listed, counted = reader.get("/v1/claims", **query), reader.get(PATH, **query)
    assert counted.status_code == listed.status_code == 400
    if "unknown" not in query:
        assert counted.json["errors"] == listed.json["errors"]


@pytest.mark.parametrize("name", ["values", "per_page", "cursor", "sort", "count", "select"])
def test_other_parameters_are_refused(reader: Client, name: str) -> None:
    answer = reader.get(PATH, **{name: "0"})
    assert answer.status_code == 400
    (error,) = answer.json["errors"]
    assert error["parameter"] == name
    assert error["code"] == ("invalid" if name == "values" else "unknown")


def test_an_answer_is_one_statement_and_matches_its_schema(
    reader: Client, query_counter: QueryCounter
) -> None:
    with query_counter() as counted:
        answer = reader.get(PATH, q="hong kong", time__within="2023", modality="actual")
    assert len(counted.statements) == 1
    document = reader.get("/openapi.json").json
    schema = {
        "$ref": "#/components/schemas/FacetsAnswer",
        "components": document["components"],
    }
    jsonschema.validate(answer.json, schema, cls=jsonschema.Draft202012Validator)
    headers = {"If-None-Match": answer.headers["ETag"]}
    query = {"q": "hong kong", "time__within": "2023", "modality": "actual"}
    assert reader.send("GET", PATH, headers=headers, query_string=query).status_code == 304


def test_what_takes_too_long_is_answered_with_503(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(*_: Any, **__: Any) -> None:
        raise psycopg.errors.QueryCanceled

    monkeypatch.setattr("hksz_db.database.Database.read", cancel)
    answer = reader.get(PATH)
    assert answer.status_code == 503
    assert answer.json["detail"] == "The database did not finish in time."
