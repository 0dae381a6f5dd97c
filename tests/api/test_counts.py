"""An exact count is the number of rows in the whole list, whichever way it is counted."""

import random
from datetime import UTC, datetime
from typing import Any

import pytest

from hksz_db.queries.pages import page_statement
from tests.api.conftest import Client

ASKED = [
    ("claims", {"figures__isnull": "true"}),
    ("claims", {"figures__isnull": "false"}),
    ("claims", {"evidence__isnull": "true"}),
    ("claims", {"evidence__isnull": "false"}),
    ("claims", {"entities__isnull": "true"}),
    ("claims", {"entities__isnull": "false"}),
    ("claims", {"statements__isnull": "true"}),
    ("claims", {"topics": "counted"}),
    ("claims", {"topics__in": "counted,other"}),
    ("claims", {"figures__metric": "ttps-approved"}),
    ("claims", {"figures__metric__in": "ttps-approved,unknown"}),
    ("claims", {"figures__metric": "ttps-approved", "figures__value__gte": "500"}),
    ("claims", {"figures__metric": "ttps-approved", "evidence__stance": "asserts"}),
    ("claims", {"figures__isnull": "false", "evidence__isnull": "true"}),
    ("claims", {"evidence__status": "accepted"}),
    ("claims", {"evidence__status": "submitted", "evidence__stance": "asserts"}),
    ("claims", {"entities__external_id": "hksz:hkpc"}),
    ("claims", {"entities__external_id": "hksz:hkpc", "entities__role": "subject"}),
    ("claims", {"corroboration__verdict": "unsupported"}),
    ("claims", {"corroboration__origins__gte": "1"}),
    ("claims", {"corroboration__verdict": "unsupported", "status": "submitted"}),
    ("sources", {"contributors__role": "publisher"}),
]


@pytest.fixture
def moment(editor: Client) -> str:
    """Writes claims with any parts and deletes some; a moment before the last deletions."""
    chance = random.Random(14)
    source = editor.post("/v1/sources", {"csl_type": "book", "title": "A book"}).json
    figure = {
        "metric_external_id": "hksz:metric-ttps-approved",
        "subject_external_id": "hksz:ttps",
        "as_stated": "some",
        "comparator": "eq",
        "unit_code": "1",
    }
    claims: list[dict[str, Any]] = []
    for number in range(24):
        body: dict[str, Any] = {
            "statement": f"Something was counted, number {number}.",
            "claimant_external_id": "hksz:hkpc",
            "topics": chance.sample(["counted", "other", "further"], chance.randrange(3)),
            "entities": [
                {"entity_external_id": "hksz:hkpc", "role": role}
                for role in chance.sample(["subject", "object"], chance.randrange(3))
            ],
            "figures": [
                {**figure, "amount": str(chance.randrange(1000))}
                for _ in range(chance.randrange(3))
            ],
            "evidence": [
                {"source_id": source["id"], "stance": stance}
                for stance in chance.sample(["asserts", "disputes"], chance.randrange(3))
            ],
        }
        answer = editor.post("/v1/claims", body)
        assert answer.status_code == 201, answer.text
        claims.append(answer.json)
    for part in ("figures", "evidence"):
        for row in [row for claim in claims for row in claim[part]][::4]:
            assert editor.delete(f"/v1/{part}/{row['id']}").status_code == 204
    for claim in claims[::5]:
        assert editor.delete(f"/v1/claims/{claim['id']}").status_code == 204
    assert editor.restore(f"/v1/claims/{claims[5]['id']}").status_code == 200
    now = datetime.now(UTC).isoformat()
    for claim in claims[1::5]:
        assert editor.delete(f"/v1/claims/{claim['id']}").status_code == 204
    return now


@pytest.mark.slow
def test_an_exact_count_is_that_of_the_list(reader: Client, moment: str) -> None:
    for resource, asked in ASKED:
        for past in ({}, {"as_of": moment}):
            query = {**asked, **past, "select": "id", "per_page": "100", "count": "exact"}
            answer = reader.get(f"/v1/{resource}", **query)
            assert answer.status_code == 200, (asked, answer.text)
            count, rows = answer.json["meta"]["count"], len(answer.json["data"])
            while answer.json["meta"]["next_cursor"]:
                cursor = answer.json["meta"]["next_cursor"]
                answer = reader.get(f"/v1/{resource}", **query, cursor=cursor)
                rows += len(answer.json["data"])
            assert count == {"value": rows, "kind": "exact"}, (resource, asked, past)


@pytest.mark.usefixtures("moment")
def test_claims_without_parts_are_the_same_however_they_are_looked_for(
    reader: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(part: str, **query: str) -> list[str]:
        page_statement.cache_clear()
        answer = reader.get("/v1/claims", **{f"{part}__isnull": "true"}, **query, per_page="100")
        page_statement.cache_clear()
        return [claim["id"] for claim in answer.json["data"]]

    for part in ("entities", "evidence", "figures"):
        expected = listed(part)
        assert expected
        for looked_up in (2, 1_000):
            monkeypatch.setattr("hksz_db.queries.pages.WALKED", 1)
            monkeypatch.setattr("hksz_db.queries.pages.LOOKED_UP", looked_up)
            assert listed(part, sort="id") == sorted(expected)
            assert listed(part, sort="-id") == sorted(expected, reverse=True)
            assert set(listed(part, sort="-time")) == set(expected)
        monkeypatch.undo()


TREES = [
    {"and": [{"evidence__stance": "asserts"}, {"and": [{"evidence__stance": "disputes"}]}]},
    {"and": [{"entities__role": "subject"}, {"and": [{"entities__role": "object"}]}]},
    {"and": [{"topics": "counted"}, {"and": [{"topics": "other"}, {"topics": "counted"}]}]},
    {"and": [{"evidence__stance": "asserts", "entities__role": "subject"}]},
    {"not": {"figures__isnull": True}},
]


@pytest.mark.usefixtures("moment")
@pytest.mark.parametrize("tree", TREES, ids=str)
def test_an_exact_count_of_a_tree_is_that_of_its_list(reader: Client, tree: dict[str, Any]) -> None:
    body = {"filter": tree, "select": ["id"], "per_page": 100, "count": "exact"}
    answer = reader.post("/v1/claims/query", body).json
    assert answer["meta"]["count"] == {"value": len(answer["data"]), "kind": "exact"}
    assert answer["data"]
