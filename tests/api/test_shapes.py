"""``select``, ``include`` and ``group_by``."""

import json
from collections import Counter
from typing import Any

import pytest

from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Answer, Client

EMBEDS = ["entities", "figures", "evidence", "sources"]


def _one(client: Client, resource: str = "claims", **query: str) -> dict[str, Any]:
    (row,) = client.get(f"/v1/{resource}", per_page="1", **query).json["data"]
    return row


def _read(client: Client, **query: str) -> Answer:
    claim = _one(client, q='"talent pass"')
    return client.get(f"/v1/claims/{claim['id']}", **query)


def test_defaults_of_include(reader: Client) -> None:
    listed, read = _one(reader, q='"talent pass"'), _read(reader).json
    assert [name for name in EMBEDS if name in listed] == EMBEDS[:3]
    assert [name for name in EMBEDS if name in read] == EMBEDS
    assert read["sources"][0]["title"] == read["evidence"][0]["source"]["title"]


@pytest.mark.parametrize(
    ("include", "embedded"),
    [
        ("", []),
        ("sources", ["sources"]),
        ("figures,evidence", ["figures", "evidence"]),
        ("evidence,figures,evidence", ["figures", "evidence"]),
        ("entities,figures,evidence,sources", EMBEDS),
    ],
)
def test_include_chooses_the_embeds(reader: Client, include: str, embedded: list[str]) -> None:
    for document in (_one(reader, include=include), _read(reader, include=include).json):
        assert [name for name in EMBEDS if name in document] == embedded
        assert "statement" in document


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"select": "statement"}, ["statement"]),
        ({"select": "version,id"}, ["id", "version"]),
        ({"select": "id,figures"}, ["id", "figures"]),
        ({"select": "id", "include": "evidence"}, ["id", "evidence"]),
        ({"select": "id,sources"}, ["id", "sources"]),
    ],
)
def test_select_chooses_the_fields(reader: Client, query: dict[str, str], names: list[str]) -> None:
    assert list(_one(reader, **query)) == names
    assert list(_read(reader, **query).json) == names


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"select": ""}, "select"),
        ({"select": "unknown"}, "select"),
        ({"select": "id,,version"}, "select"),
        ({"select": "deleted_at"}, "select"),
        ({"select": "search"}, "select"),
        ({"include": "unknown"}, "include"),
        ({"include": "statement"}, "include"),
        ({"include": "evidence,"}, "include"),
        ({"select": "id,figures", "include": "evidence"}, "select"),
    ],
)
def test_unknown_fields_are_refused(reader: Client, query: dict[str, str], parameter: str) -> None:
    for refused in (reader.get("/v1/claims", **query), _read(reader, **query)):
        assert refused.status_code == 400
        assert {error["parameter"] for error in refused.json["errors"]} == {parameter}


def test_include_without_embeds_is_refused(reader: Client) -> None:
    refused = reader.get("/v1/metrics", include="figures")
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == "include"


@pytest.mark.parametrize("parameter", ["unknown", "q", "sort", "per_page", "status", "count"])
def test_read_by_id_refuses_parameters_of_lists(reader: Client, parameter: str) -> None:
    refused = _read(reader, **{parameter: "1"})
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == parameter


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_groups_count_the_rows_of_the_list(reader: Client, resource: Readable) -> None:
    query = {"include": "corroboration"} if resource.name == "claims" else {}
    rows = reader.get(f"/v1/{resource.name}", per_page="100", **query).json["data"]
    assert rows
    for row in rows:
        row["corroboration__verdict"] = row.get("corroboration", {}).get("verdict")
    paths = {"source_id": "source", "claim_id": "claim", "metric_id": "metric"}
    paths |= {"subject_id": "subject", "claimant_id": "claimant", "reported_by_id": "reported_by"}
    for field in resource.groups:
        groups = reader.get(f"/v1/{resource.name}/aggregate", group_by=field)
        assert groups.status_code == 200
        expected = Counter(
            (row[paths[field]] or {"id": None})["id"] if field in paths else row[field]
            for row in rows
        )
        found = [(group[field], group["count"]) for group in groups.json["data"]]
        assert dict(found) == expected
        assert [count for _, count in found] == sorted(expected.values(), reverse=True)
        assert groups.json["meta"] == {"group_by": [field]}


def test_groups_by_several_fields_of_filtered_rows(reader: Client) -> None:
    query = {"modality": "opinion", "q": "hong kong"}
    groups = reader.get("/v1/claims/aggregate", group_by="status,language", **query).json["data"]
    rows = reader.get("/v1/claims", per_page="100", **query).json["data"]
    assert [(g["status"], g["language"], g["count"]) for g in groups] == [
        ("accepted", "en", len(rows))
    ]


def test_no_rows_have_no_groups(reader: Client) -> None:
    answer = reader.get("/v1/claims/aggregate", group_by="status", q="zebra")
    assert answer.status_code == 200
    assert answer.json["data"] == []


@pytest.mark.parametrize(
    "query",
    [{}, {"group_by": ""}, {"group_by": "statement"}, {"group_by": "status,unknown"}],
)
def test_groups_require_group_by(reader: Client, query: dict[str, Any]) -> None:
    refused = reader.get("/v1/claims/aggregate", **query)
    assert refused.status_code == 400
    assert {error["parameter"] for error in refused.json["errors"]} == {"group_by"}


@pytest.mark.parametrize("parameter", ["sort", "per_page", "cursor", "select", "include", "count"])
def test_groups_refuse_parameters_of_pages(reader: Client, parameter: str) -> None:
    refused = reader.get("/v1/claims/aggregate", **{"group_by": "status", parameter: "id"})
    assert refused.status_code == 400
    assert [error["parameter"] for error in refused.json["errors"]] == [parameter]


def test_fields_are_in_the_order_of_the_document(reader: Client) -> None:
    document = json.loads(_read(reader).data)
    assert list(document)[:3] == ["id", "external_id", "statement"]
    assert list(_one(reader, select="statement,id")) == ["id", "statement"]
