"""Two sources cannot be links to one page."""

from typing import Any

import pytest

from hksz_db.database import Database, Session, run
from hksz_db.services.canonical_urls import fill_canonical_urls
from tests.api.conftest import Client

RELEASE = "https://www.info.gov.hk/gia/general/202311/29/P2023112900123.htm"
CANONICAL = "info.gov.hk/gia/general/202311/29/P2023112900123.htm"
AGAIN = [
    RELEASE.replace(".htm", "p.htm"),
    f"{RELEASE}?utm_source=newsletter&utm_medium=email",
    f"{RELEASE}#contents",
    RELEASE.replace("https://www.", "http://"),
    RELEASE.replace("/general/", "/general/./x/../"),
]
SEARCH = "https://example.org/find?q=gba+firms&page=2"


def _source(**fields: Any) -> dict[str, Any]:
    return {"csl_type": "webpage", "title": "A press release", **fields}


def _only_error(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 409, answer.json
    (error,) = answer.json["errors"]
    return error


@pytest.fixture
def release(editor: Client) -> Any:
    """The first source with the page."""
    made = editor.post("/v1/sources", _source(url=RELEASE, external_id="test:release"))
    assert made.status_code == 201
    return made.json


def test_the_canonical_url_is_shown_and_found(reader: Client, release: Any) -> None:
    assert (release["url"], release["canonical_url"]) == (RELEASE, CANONICAL)
    for query in ({"canonical_url": CANONICAL}, {"canonical_url__startswith": "info.gov.hk/"}):
        found = reader.get("/v1/sources", **query).json["data"]
        assert [source["id"] for source in found] == [release["id"]]


@pytest.mark.parametrize("url", AGAIN)
def test_the_same_page_is_refused_and_the_first_source_named(
    editor: Client, release: Any, url: str
) -> None:
    error = _only_error(editor.post("/v1/sources", _source(url=url)))
    assert (error["pointer"], error["code"]) == ("#/url", "unique")
    assert (error["id"], error["state"]) == (release["id"], "live")
    assert error["href"] == f"/v1/sources/{release['id']}"
    other = editor.post("/v1/sources", _source(url="https://example.org/"))
    assert _only_error(editor.patch(other.headers["Location"], {"url": url})) == error


@pytest.mark.parametrize(
    ("url", "status"),
    [
        ("http://example.org/find?page=2&q=gba%20firms", 409),
        ("http://example.org/find?page=2&q=gba%2Bfirms", 201),
        ("http://m.example.org/find?page=2&q=gba%20firms", 201),
    ],
)
def test_the_order_of_parameters_does_not_matter(editor: Client, url: str, status: int) -> None:
    first = editor.post("/v1/sources", _source(url=SEARCH)).json
    assert first["canonical_url"] == "example.org/find?page=2&q=gba%20firms"
    assert editor.post("/v1/sources", _source(url=url)).status_code == status


def test_a_port_that_cannot_be_is_refused(editor: Client) -> None:
    refused = editor.post("/v1/sources", _source(url="https://example.org:99999/"))
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["pointer"] == "#/url"
    assert "port" in error["detail"]


def test_items_with_the_same_page_are_refused(editor: Client, release: Any) -> None:
    items = [
        _source(url=url) for url in (AGAIN[0], "https://example.org/a", "http://example.org/a/")
    ]
    results = editor.post("/v1/sources/bulk", {"items": items}).json["data"]
    assert [result["status"] for result in results] == [409, 201, 409]
    assert results[0]["errors"][0]["pointer"] == "#/items/0/url"
    named = [results[number]["errors"][0]["id"] for number in (0, 2)]
    assert named == [release["id"], results[1]["id"]]


@pytest.mark.usefixtures("release")
def test_other_pages_are_accepted(editor: Client) -> None:
    for url in (f"{RELEASE}?lang=zh", RELEASE.replace("123.htm", "124.htm")):
        assert editor.post("/v1/sources", _source(url=url)).status_code == 201


def test_the_canonical_url_follows_the_url(editor: Client, release: Any) -> None:
    path = f"/v1/sources/{release['id']}"
    moved = editor.patch(path, {"url": "https://example.org/new/"}).json
    assert moved["canonical_url"] == "example.org/new"
    assert editor.post("/v1/sources", _source(url=RELEASE)).status_code == 201
    assert editor.patch(path, {"url": None}).json["canonical_url"] is None
    refused = editor.patch(path, {"canonical_url": "example.org"})
    assert refused.status_code == 422


def test_a_deleted_source_gives_its_page_free(editor: Client, release: Any) -> None:
    path = f"/v1/sources/{release['id']}"
    assert editor.delete(path).status_code == 204
    second = editor.post("/v1/sources", _source(url=AGAIN[0])).json
    error = _only_error(editor.restore(path))
    assert (error["id"], error["state"]) == (second["id"], "live")


@pytest.fixture
def old_sources(editor: Client, session: Session) -> list[str]:
    """Four sources that are older than canonical URLs: two of one page, and one deleted."""
    urls = [RELEASE, AGAIN[0], "https://example.org/x", f"{RELEASE}#deleted"]
    ids = [editor.post("/v1/sources", _source()).json["id"] for _ in urls]
    for id, url in zip(ids, urls, strict=True):
        run(session, "UPDATE sources SET url = $2 WHERE id = $1::uuid", id, url)
    editor.delete(f"/v1/sources/{ids[3]}")
    run(session, "INSERT INTO unfilled_urls SELECT unnest($1::uuid[])", ids)
    return ids


def _fill(database: Database) -> list[int]:
    numbers: list[int] = []
    while not numbers or numbers[-1]:
        with database.transaction() as session:
            numbers.append(fill_canonical_urls(session))
    return numbers


def test_old_sources_are_filled_in(
    editor: Client, database: Database, session: Session, old_sources: list[str]
) -> None:
    assert _fill(database) == [4, 0]
    sql = "SELECT id::text, canonical_url FROM sources WHERE id = ANY ($1::uuid[])"
    found = dict(run(session, sql, old_sources))
    expected = [CANONICAL, None, "example.org/x", CANONICAL]
    assert [found[id] for id in old_sources] == expected
    sql = "SELECT source_id::text, taken_by::text FROM unfilled_urls"
    assert run(session, sql) == [(old_sources[1], old_sources[0])]
    # The later one can be written again as it is.
    path = f"/v1/sources/{old_sources[1]}"
    again = editor.patch(path, {"url": AGAIN[0], "title": "Another title"})
    assert (again.status_code, again.json["canonical_url"]) == (200, None)
    assert editor.get(f"/v1/sources/{old_sources[0]}").json["version"] == 2


def test_canonical_urls_by_earlier_rules_are_replaced(
    editor: Client, database: Database, session: Session
) -> None:
    earlier = "example.org/find?q=gba+firms&page=2"
    other = "https://example.org/find?page=2&q=gba+firms"
    ids = [editor.post("/v1/sources", _source()).json["id"] for _ in range(2)]
    for id, url, canonical in zip(ids, (SEARCH, other), (earlier, other[8:]), strict=True):
        sql = "UPDATE sources SET url = $2, canonical_url = $3 WHERE id = $1::uuid"
        run(session, sql, id, url, canonical)
    run(session, "INSERT INTO unfilled_urls SELECT unnest($1::uuid[])", ids)
    assert _fill(database) == [2, 0]
    found = [editor.get(f"/v1/sources/{id}").json["canonical_url"] for id in ids]
    assert found == ["example.org/find?page=2&q=gba%20firms", None]
    sql = "SELECT source_id::text, taken_by::text FROM unfilled_urls"
    assert run(session, sql) == [(ids[1], ids[0])]
    similar = editor.get(f"/v1/sources/{ids[1]}/similar").json["data"]
    assert [(each["source"]["id"], "url" in each["reasons"]) for each in similar] == [
        (ids[0], True)
    ]


def test_a_page_that_a_new_source_has_is_not_taken_from_it(
    editor: Client, database: Database, old_sources: list[str]
) -> None:
    new = editor.post("/v1/sources", _source(url=RELEASE)).json
    _fill(database)
    found = [editor.get(f"/v1/sources/{id}").json["canonical_url"] for id in old_sources[:2]]
    assert found == [None, None]
    assert editor.get(f"/v1/sources/{new['id']}").json["canonical_url"] == CANONICAL
