"""``place__under``: rows about a place are also about the places in which it lies."""

import re
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import text

from hksz_db.database import Session, run
from hksz_db.queries.filters import AllOf, Criterion, bound_values, shape
from hksz_db.queries.pages import PageShape, matches_statement, page_statement
from tests.api.conftest import Client
from tests.conftest import QueryCounter


def _names(client: Client, resource: str, **query: str) -> set[str]:
    answer = client.get(f"/v1/{resource}", per_page="100", **query)
    assert answer.status_code == 200, answer.text
    return {row["external_id"] for row in answer.json["data"]}


def _asked(client: Client, tree: dict[str, Any], resource: str = "claims") -> set[str]:
    answer = client.post(f"/v1/{resource}/query", {"filter": tree, "per_page": 100})
    assert answer.status_code == 200, answer.text
    return {row["external_id"] for row in answer.json["data"]}


def _id(client: Client, name: str) -> str:
    (row,) = client.get("/v1/entities", external_id=name).json["data"]
    return row["id"]


def _place(editor: Client, name: str, *relations: Any, kind: str = "place") -> str:
    made = editor.post(
        "/v1/entities",
        {
            "external_id": f"test:{name}",
            "kind": kind,
            "names": [{"name": name, "language": "en", "kind": "preferred"}],
            "relations": [{"kind": k, "object_external_id": f"test:{o}"} for k, o in relations],
        },
    )
    assert made.status_code == 201, made.text
    return made.headers["Location"]


def _claim(editor: Client, name: str, *places: str) -> str:
    links = [{"entity_external_id": f"test:{place}", "role": "location"} for place in places]
    body = {"external_id": f"test:{name}", "statement": name, "entities": links}
    made = editor.post("/v1/claims", {**body, "claimant_external_id": "hksz:hkpc"})
    assert made.status_code == 201, made.text
    return made.headers["Location"]


def test_a_claim_about_futian_is_found_under_shenzhen(reader: Client) -> None:
    shenzhen = _names(reader, "claims", place__under=_id(reader, "hksz:shenzhen"))
    futian = _names(reader, "claims", place__under_external_id="hksz:futian")
    assert {"hksz:futian-in-shenzhen", "hksz:science-park-in-futian"} <= futian < shenzhen
    # Two steps away: the centre of HKPC lies in Futian.
    assert "hksz:hkpc-shenzhen-centre-2017" in shenzhen


def test_claims_about_shenzhen_are_found_under_the_greater_bay_area(reader: Client) -> None:
    bay = _names(reader, "claims", place__under_external_id="hksz:greater-bay-area")
    assert _names(reader, "claims", entities__external_id="hksz:shenzhen") < bay
    assert "hksz:hku-explores-gba" in bay
    assert "hksz:hong-kong-financial-hub" not in bay


def test_the_entities_under_a_place_lie_in_it(reader: Client) -> None:
    under = _names(reader, "entities", place__under=_id(reader, "hksz:shenzhen"))
    assert under == {
        "hksz:futian",
        "hksz:gba-service-centre",
        "hksz:hkpc-shenzhen-centre",
        "hksz:science-park-futian",
    }
    facilities = _names(
        reader, "entities", place__under_external_id="hksz:shenzhen", kind="facility"
    )
    assert facilities == under - {"hksz:futian"}


def test_only_located_in_and_part_of_are_followed(editor: Client) -> None:
    _place(editor, "outer")
    _place(editor, "inner", ("located_in", "outer"))
    _place(editor, "room", ("part_of", "inner"))
    _place(editor, "friend", ("partner_of", "outer"), ("founded", "inner"))
    assert _names(editor, "entities", place__under_external_id="test:outer") == {
        "test:inner",
        "test:room",
    }
    _claim(editor, "about-friend", "friend")
    _claim(editor, "about-room", "room")
    assert _names(editor, "claims", place__under_external_id="test:outer") == {"test:about-room"}


def test_a_cycle_of_places_is_searched_once(editor: Client) -> None:
    first = _place(editor, "first")
    _place(editor, "second", ("located_in", "first"))
    _place(editor, "third", ("part_of", "second"))
    closing = [{"kind": "located_in", "object_external_id": "test:third"}]
    assert editor.patch(first, {"relations": closing}).status_code == 200
    every = {"test:first", "test:second", "test:third"}
    for name in every:
        assert _names(editor, "entities", place__under_external_id=name) == every - {name}
    _claim(editor, "about-first", "first")
    assert _names(editor, "claims", place__under_external_id="test:third") == {"test:about-first"}


def test_deleted_places_are_not_followed(editor: Client) -> None:
    _place(editor, "outer")
    inner = _place(editor, "inner", ("located_in", "outer"))
    assert _names(editor, "entities", place__under_external_id="test:outer") == {"test:inner"}
    editor.delete(inner)
    assert _names(editor, "entities", place__under_external_id="test:outer") == set()
    editor.restore(inner)
    assert _names(editor, "entities", place__under_external_id="test:outer") == {"test:inner"}


def test_a_deleted_claim_is_not_found_by_place(editor: Client) -> None:
    _place(editor, "outer")
    claim = _claim(editor, "about-outer", "outer")
    assert _names(editor, "claims", place__under_external_id="test:outer") == {"test:about-outer"}
    editor.delete(claim)
    assert _names(editor, "claims", place__under_external_id="test:outer") == set()


@pytest.mark.slow
@pytest.mark.parametrize("sort", ["id", "-id", "-time", "-updated_at"])
def test_claims_under_a_place_are_the_same_however_they_are_looked_for(
    reader: Client, sort: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A place with many claims is tested for in the next claims first, then in the order asked."""
    bay = "hksz:greater-bay-area"
    queries = [
        {"place__under_external_id": bay, **further}
        for further in ({}, {"modality": "planned"}, {"status": "accepted"})
    ]

    def pages() -> list[Any]:
        page_statement.cache_clear()
        answers = []
        for query in queries:
            asked = {**query, "sort": sort, "per_page": "3", "count": "exact"}
            answers.append(reader.get("/v1/claims", **asked).json)
            while cursor := answers[-1]["meta"]["next_cursor"]:
                answers.append(reader.get("/v1/claims", **asked, cursor=cursor).json)
        page_statement.cache_clear()
        return [[row["id"] for row in each["data"]] for each in answers] + [
            each["meta"]["count"] for each in answers
        ]

    expected = pages()
    for limits in ({"WALKED": 1}, {"LOOKED_UP": 2}, {"LOOKED_UP": 9, "SORTED": 2}, {"WALKED": 5}):
        for name, limit in limits.items():
            monkeypatch.setattr(f"hksz_db.queries.pages.{name}", limit)
        assert pages() == expected


@pytest.mark.parametrize("resource", ["claims", "entities"])
def test_an_unknown_place_matches_no_row(reader: Client, resource: str) -> None:
    everything = _names(reader, resource)
    for name, nobody in (("under", str(uuid4())), ("under_external_id", "test:nowhere")):
        parameter = {f"place__{name}": nobody}
        assert _names(reader, resource, **parameter) == set()
        assert _asked(reader, {"not": parameter}, resource) == everything


@pytest.mark.parametrize("resource", ["claims", "entities"])
@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("place__under", "Shenzhen"),
        ("place__under", "hksz:shenzhen"),
        ("place__under", ""),
        ("place__under_external_id", "Shenzhen"),
        ("place__under_external_id", ""),
        ("place", "hksz:shenzhen"),
        ("place__external_id", "hksz:shenzhen"),
        ("place__under__in", "hksz:shenzhen"),
    ],
)
def test_an_invalid_place_filter_is_named(
    reader: Client, resource: str, parameter: str, value: str
) -> None:
    refused = reader.get(f"/v1/{resource}", **{parameter: value})
    assert refused.status_code == 400
    assert [error["parameter"] for error in refused.json["errors"]] == [parameter]


def test_query_trees_accept_places(reader: Client) -> None:
    everything = _names(reader, "claims")
    futian = {"place__under_external_id": "hksz:futian"}
    shenzhen = {"place__under": _id(reader, "hksz:shenzhen")}
    hong_kong = {"place__under_external_id": "hksz:hong-kong"}
    found = {
        name: _names(reader, "claims", **tree)
        for name, tree in (("futian", futian), ("shenzhen", shenzhen), ("hong_kong", hong_kong))
    }
    assert _asked(reader, {"not": shenzhen}) == everything - found["shenzhen"]
    assert _asked(reader, {"or": [futian, hong_kong]}) == found["futian"] | found["hong_kong"]
    assert _asked(reader, {"and": [shenzhen, {"not": futian}]}) == (
        found["shenzhen"] - found["futian"]
    )
    # Negated separately: a claim may be about two places, neither of which lies in the other.
    assert _asked(reader, {**shenzhen, **hong_kong}) == found["shenzhen"] & found["hong_kong"]
    assert found["shenzhen"] & found["hong_kong"]


def test_a_place_combines_with_paging_counting_and_grouping(
    reader: Client, query_counter: QueryCounter
) -> None:
    place = {"place__under_external_id": "hksz:shenzhen"}
    with query_counter() as counted:
        # ``get`` would read the page twice, to compare the answers.
        query = {"count": "exact", "per_page": "2", "sort": "-time", **place}
        page = reader.send("GET", "/v1/claims", query_string=query)
    assert len(counted.statements) == 1
    assert page.json["meta"]["count"]["value"] == len(_names(reader, "claims", **place))
    cursor = page.json["meta"]["next_cursor"]
    following = reader.get("/v1/claims", per_page="2", sort="-time", cursor=cursor, **place)
    first, second = ({row["id"] for row in found.json["data"]} for found in (page, following))
    assert len(first | second) == 4
    groups = reader.get("/v1/claims/aggregate", group_by="status", **place).json["data"]
    assert sum(group["count"] for group in groups) == page.json["meta"]["count"]["value"]


@pytest.mark.slow
@pytest.mark.parametrize("operator", ["under", "under_external_id"])
def test_the_search_starts_at_the_place(session: Session, operator: str) -> None:
    run(
        session,
        "WITH firms AS (INSERT INTO entities (kind, name, name_language)"
        " SELECT 'organisation', 'x', 'en' FROM generate_series(1, 2000) RETURNING id),"
        " made AS (INSERT INTO claims (statement, language, claimant_id, modality)"
        " SELECT 'x', 'en', id, 'actual' FROM firms, generate_series(1, 5)"
        " RETURNING id, claimant_id) INSERT INTO claim_entities (claim_id, entity_id, role)"
        " SELECT id, claimant_id, 'subject' FROM made",
    )
    session.execute(text("ANALYZE entities, claims, claim_entities"))
    ((place,),) = run(session, "SELECT id FROM entities WHERE external_id = 'hksz:futian'")
    value = place if operator == "under" else "hksz:futian"
    asked = AllOf((Criterion("place", operator, value),))
    page = PageShape("claims", ("id",), shape(asked), False, (("id", False),), None, False)
    statement = matches_statement(page)
    values = statement.arguments(bound_values(asked))
    plan = "\n".join(row for (row,) in run(session, f"EXPLAIN {statement.sql}", *values))
    # The links of these places are looked up in an index.
    assert re.search(r"claim_entities_entity_id_claim_id_idx.*\n.*entity_id = ANY", plan), plan
