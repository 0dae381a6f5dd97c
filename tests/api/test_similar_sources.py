"""Similar sources: the answer to a new source lists those that may be the same."""

from collections.abc import Callable
from typing import Any

import pytest

from hksz_db.database import Session, run
from tests.api.conftest import Client

TITLE = "Top Talent Pass Scheme: results"
PUBLISHER = [{"entity_external_id": "hksz:hkpc", "role": "publisher"}]
OTHER_PUBLISHER = [{"entity_external_id": "hksz:shenzhen", "role": "publisher"}]
CAPTURE = {"char_length": 10, "text_sha256": "a" * 64}

Post = Callable[..., dict[str, Any]]


@pytest.fixture
def post(editor: Client) -> Post:
    """``post(title)`` adds a source and returns its document."""

    def add(title: str = TITLE, **fields: Any) -> dict[str, Any]:
        made = editor.post("/v1/sources", {"csl_type": "report", "title": title, **fields})
        assert made.status_code == 201, made.json
        return made.json

    return add


def _reasons(source: dict[str, Any]) -> dict[str, list[str]]:
    return {found["source"]["id"]: found["reasons"] for found in source["similar"]}


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ({"contributors": PUBLISHER}, {"contributors": PUBLISHER}, True),
        ({"issued_edtf": "2024-01-24"}, {"issued_edtf": "2024-01"}, True),
        ({"contributors": PUBLISHER, "issued_edtf": "2024"}, {"contributors": PUBLISHER}, True),
        ({}, {}, False),
        ({"contributors": PUBLISHER}, {}, False),
        ({"contributors": PUBLISHER}, {"contributors": OTHER_PUBLISHER}, False),
        (
            {"contributors": PUBLISHER, "issued_edtf": "2023"},
            {"contributors": PUBLISHER, "issued_edtf": "2024"},
            False,
        ),
        (
            {"contributors": PUBLISHER, "issued_edtf": "2024"},
            {"contributors": OTHER_PUBLISHER, "issued_edtf": "2024"},
            False,
        ),
    ],
)
def test_the_same_title(
    post: Post, first: dict[str, Any], second: dict[str, Any], alike: bool
) -> None:
    one = post(**first)
    assert one["similar"] == []
    again = post("top talent pass scheme \u2013 Results.", **second)
    assert _reasons(again) == ({one["id"]: ["title"]} if alike else {})


def test_titles_in_chinese(post: Post) -> None:
    one = post("高才通計劃、結果", issued_edtf="2024")
    assert _reasons(post("「高才通計劃」 結果", issued_edtf="2024")) == {one["id"]: ["title"]}
    assert _reasons(post("高才通計劃、數字", issued_edtf="2024")) == {}


@pytest.mark.parametrize("is_url_first", [True, False])
def test_a_doi_and_its_url(post: Post, is_url_first: bool) -> None:
    bodies = [{"url": "https://doi.org/10.1000/ABC"}, {"doi": "10.1000/abc"}]
    first, second = bodies if is_url_first else bodies[::-1]
    one = post("A", **first)
    found = post("B", **second)
    assert _reasons(found) == {one["id"]: ["doi"]}


def test_the_same_text(post: Post) -> None:
    one = post("A", captures=[CAPTURE])
    assert _reasons(post("B", captures=[CAPTURE])) == {one["id"]: ["text"]}


def test_the_same_page(editor: Client, session: Session, post: Post) -> None:
    one, other = post("A")["id"], post("B")["id"]
    run(session, "INSERT INTO unfilled_urls VALUES ($1::uuid, $2::uuid)", other, one)
    for id, like in ((one, other), (other, one)):
        found = editor.get(f"/v1/sources/{id}/similar").json["data"]
        assert [(each["source"]["id"], each["reasons"]) for each in found] == [(like, ["url"])]


def test_reasons_are_listed_together_and_the_best_first(post: Post) -> None:
    one = post(issued_edtf="2024")["id"]
    both = post(issued_edtf="2024", captures=[CAPTURE])["id"]
    found = post(issued_edtf="2024", captures=[CAPTURE])
    assert list(_reasons(found).items()) == [(both, ["text", "title"]), (one, ["title"])]


def test_deleted_sources_are_left_out(editor: Client, post: Post) -> None:
    one = post(issued_edtf="2024")
    editor.delete(f"/v1/sources/{one['id']}")
    assert post(issued_edtf="2024")["similar"] == []


def test_they_are_included_on_request(reader: Client, post: Post) -> None:
    post(issued_edtf="2024")
    made = post(issued_edtf="2024")
    path = f"/v1/sources/{made['id']}"
    assert "similar" not in reader.get(path).json
    assert reader.get(path, include="similar").json["similar"] == made["similar"]
    assert len(made["similar"]) == 1
