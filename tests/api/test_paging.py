"""Paging: all pages together are the list, in every order."""

import itertools
import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import true

from hksz_db.queries import pages
from hksz_db.queries.keysets import encode_cursor
from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Client
from tests.samples import Sample


@pytest.fixture
def more_rows(editor: Client, samples: dict[str, Sample]) -> None:
    """The seed and more rows of every resource, with and without values of the sort keys."""
    for sample in samples.values():
        assert editor.post(sample.path, sample.body).status_code == 201
    for title, issued in (("B", None), ("A", "2020"), ("A", "2020"), ("A", None), ("C", "2019")):
        body = {"csl_type": "report", "title": title, "issued_edtf": issued}
        assert editor.post("/v1/sources", body).status_code == 201
    for name in ("Same", "Same", "Same", "Other"):
        names = [{"name": name, "language": "en", "kind": "preferred"}]
        assert editor.post("/v1/entities", {"kind": "place", "names": names}).status_code == 201
    for due in ("2030", "2030", "2029", "2031"):
        body = {"statement": "x", "claimant_external_id": "hksz:hkpc", "due_edtf": due}
        assert editor.post("/v1/claims", body).status_code == 201
    for number, label in enumerate(("Firms", "Firms", "Banks", "Firms")):
        body = {"key": f"m{number}", "label": label, "dimension": "count", "accumulation": "flow"}
        assert editor.post("/v1/metrics", body).status_code == 201
    for code in ("USD", "EUR", "CNY", "JPY"):
        assert editor.post("/v1/units", {"code": code, "label": code}).status_code == 201
    figure = {name: v for name, v in samples["figures"].body.items() if name != "external_id"}
    for amount, period in (("60", "2020"), ("60.0", None), ("7", "2020"), ("8", "2019")):
        body = {**figure, "amount": amount, "period_edtf": period}
        assert editor.post("/v1/figures", body).status_code == 201


def _pages(client, path, size, **query):
    """The rows of every page, following the links."""
    answer = client.get(path, per_page=str(size), **query)
    while True:
        assert answer.status_code == 200, answer.text
        rows, cursor = answer.json["data"], answer.json["meta"]["next_cursor"]
        assert (len(rows) == size) or cursor is None
        assert (cursor is None) == ("Link" not in answer.headers)
        yield rows
        if cursor is None:
            return
        url, _, relation = answer.headers["Link"].partition(";")
        assert relation.strip() == 'rel="next"'
        answer = client.get(url.strip("<>"))


def _paged(client: Client, path: str, size: int, **query: str) -> list[str]:
    """The ids of the rows of every page."""
    return [row["id"] for rows in _pages(client, path, size, select="id", **query) for row in rows]


def _whole(client: Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(path, per_page="100", **query)
    assert answer.json["meta"]["next_cursor"] is None
    return answer.json["data"]


def _key(document: dict[str, Any], name: str) -> Any:
    field, _, _ = name.partition("__")
    value = document[field] if name != "value" else document["value_range"]
    if name in {"time", "due", "issued", "period"}:
        return value["earliest"]
    if name.startswith("corroboration"):
        count = name.removeprefix("corroboration__").removesuffix("_against")
        return value["against" if name.endswith("against") else "for"][count]
    if name == "value":
        return float(value["lower"] or value["upper"])
    return value


@pytest.mark.slow
@pytest.mark.parametrize("resource", RESOURCES)
@pytest.mark.usefixtures("more_rows")
def test_all_pages_together_are_the_sorted_list(reader: Client, resource: str) -> None:
    path, size = f"/v1/{resource}", 7 if resource == "claims" else 1
    names = RESOURCES[resource].sorts
    assert names
    for name, sign in itertools.product(names, ("", "-")):
        sort = f"{sign}{name}"
        query = {"include": "corroboration"} if name.startswith("corroboration") else {}
        whole = _whole(reader, path, sort=sort, **query)
        assert len(whole) > 5
        ids = [row["id"] for row in whole]
        assert _paged(reader, path, size, sort=sort) == ids, sort
        pairs = [(_key(row, name), row["id"]) for row in whole]
        given = [pair for pair in pairs if pair[0] is not None]
        assert given == sorted(given, reverse=sign == "-"), sort
        missing = [pair for pair in pairs if pair[0] is None]
        # Rows without a value come last in both directions.
        assert pairs == given + sorted(missing, reverse=sign == "-"), sort


FILTERS = (
    {"time__within": "2018/2020"},
    {"time__within": "2019/.."},
    {"time__lt": "2021"},
    {"time__lte": "2020"},
    {"due__lte": "2030"},
    {"created_at__gte": "2020-01-01T00:00:00Z", "time__within": "2015/2020"},
    {"statement__contains": "x"},
    {"entities__isnull": "true"},
    {"figures__metric__startswith": "t", "time__within": "2015/2023"},
    {"place__under_external_id": "hksz:hong-kong"},
    {"q": "hong kong OR shenzhen"},
)


@pytest.fixture(params=[2, 20])
def walked(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    """How many rows are walked, so that pages are found by the walk, without it, or by both."""
    for name in ("WALKED", "WALKED_IN_SEARCH"):
        monkeypatch.setattr(pages, name, request.param)
    # Searches do not walk for rare words: now none is rare.
    monkeypatch.setattr(pages, "_is_frequent", lambda *_: true())
    pages.page_statement.cache_clear()
    yield request.param
    pages.page_statement.cache_clear()


@pytest.mark.slow
@pytest.mark.usefixtures("more_rows", "walked")
def test_a_filtered_list_is_the_sorted_list_of_the_matching_rows(
    reader: Client, editor: Client
) -> None:
    for time in ("2018/2021", "../2019", "2020/..", "../..", "2020-06", "2020"):
        body = {"statement": "x", "claimant_external_id": "hksz:hkpc", "time_edtf": time}
        assert editor.post("/v1/claims", body).status_code in {201, 422}, time
    # Counted without the walk.
    counts = [
        reader.get("/v1/claims", count="exact", per_page="1", **filters).json["meta"]["count"]
        for filters in FILTERS
    ]
    assert all(count["value"] > 0 for count in counts)
    for sort in ("-id", "time", "-time", "-corroboration__origins"):
        whole = [row["id"] for row in _whole(reader, "/v1/claims", sort=sort, select="id")]
        for filters, count in zip(FILTERS, counts, strict=True):
            paged = _paged(reader, "/v1/claims", 6, sort=sort, **filters)
            assert len(paged) == count["value"], (sort, filters)
            assert paged == [id for id in whole if id in set(paged)], (sort, filters)


@pytest.mark.usefixtures("more_rows")
def test_several_sort_keys_in_several_directions(reader: Client) -> None:
    for resource, sort in (
        ("claims", "time,-due"),
        ("claims", "-time,due"),
        ("claims", "-due,updated_at,-id"),
        ("claims", "due,-time,id"),
        ("sources", "title,-issued"),
        ("sources", "-issued,title,-id"),
        ("figures", "-value,period"),
        ("figures", "period,-value"),
        ("entities", "-name,created_at"),
    ):
        path = f"/v1/{resource}"
        whole = [row["id"] for row in _whole(reader, path, sort=sort, select="id")]
        size = 5 if resource == "claims" else 1
        assert _paged(reader, path, size, sort=sort) == whole, (resource, sort)
        assert len({*whole}) == len(whole)


def test_a_search_is_paged_by_relevance(reader: Client) -> None:
    whole = _whole(reader, "/v1/claims", q="hong kong OR shenzhen")
    assert len(whole) > 20
    for size in (1, 4):
        pages = _pages(reader, "/v1/claims", size, q="hong kong OR shenzhen")
        assert list(itertools.chain(*pages)) == whole


@pytest.mark.parametrize(("searched", "frequent"), [(3, True), (1000, True), (1000, None)])
def test_the_newest_matches_are_ranked(
    reader: Client, monkeypatch: pytest.MonkeyPatch, searched: int, frequent: bool | None
) -> None:
    query = {"q": "hong kong OR shenzhen", "select": "id"}
    newest = reader.get("/v1/claims", sort="-id", per_page="5", **query).json["data"]
    monkeypatch.setattr(pages, "RANKED", 5)
    monkeypatch.setattr(pages, "LARGE", -1)
    if frequent:
        monkeypatch.setattr(pages, "_is_frequent", lambda *_: true())
    monkeypatch.setattr(pages, "SEARCHED", searched)
    pages.page_statement.cache_clear()
    try:
        ranked = reader.get("/v1/claims", **query).json
    finally:
        pages.page_statement.cache_clear()
    assert {row["id"] for row in ranked["data"]} == {row["id"] for row in newest}
    assert ranked["meta"]["ranked"]["matches"] == 5


def test_sorted_search_is_paged(reader: Client) -> None:
    query = {"q": "hong kong OR shenzhen", "sort": "-time,id", "modality__ne": "planned"}
    whole = _whole(reader, "/v1/claims", **query)
    assert list(itertools.chain(*_pages(reader, "/v1/claims", 4, **query))) == whole


def test_entities_are_paged_by_relevance(reader: Client) -> None:
    whole = _whole(reader, "/v1/entities", q="hong OR shenzhen OR hkpc")
    assert (
        list(itertools.chain(*_pages(reader, "/v1/entities", 2, q="hong OR shenzhen OR hkpc")))
        == whole
    )
    assert len(whole) > 6


def test_the_evidence_of_a_claim_is_paged(
    reader: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    sample = samples["evidence"]
    claim = editor.get("/v1/claims", q='"talent pass"').json["data"][0]["id"]
    for page in "abcd":
        body = {**sample.body, "external_id": None, "page": page}
        assert editor.post(sample.path, body).status_code == 201
    path = f"/v1/claims/{claim}/evidence"
    whole = _whole(reader, path)
    assert len(whole) == 5
    assert list(itertools.chain(*_pages(reader, path, 2))) == whole


def test_query_is_paged_by_its_cursor(reader: Client) -> None:
    question = {"filter": {"modality": "opinion"}, "sort": ["-time", "id"], "per_page": 6}
    found = []
    cursor = None
    while True:
        answer = reader.post("/v1/claims/query", {**question, "cursor": cursor})
        assert "Link" not in answer.headers
        found += answer.json["data"]
        cursor = answer.json["meta"]["next_cursor"]
        if cursor is None:
            break
    query = {"modality": "opinion", "sort": "-time,id"}
    assert found == _whole(reader, "/v1/claims", **query)


def test_changed_rows_do_not_shift_pages(reader: Client, editor: Client) -> None:
    first, *_ = _pages(reader, "/v1/claims", 10, sort="id")
    cursor = reader.get("/v1/claims", per_page="10", sort="id").json["meta"]["next_cursor"]
    before = reader.get("/v1/claims", per_page="10", sort="id", cursor=cursor).json["data"]
    changed = editor.patch(f"/v1/claims/{first[-1]['id']}", {"statement": "Changed."})
    assert changed.status_code == 200
    after = reader.get("/v1/claims", per_page="10", sort="id", cursor=cursor).json["data"]
    assert after == before


def test_rows_are_counted_on_request(reader: Client) -> None:
    assert "count" not in reader.get("/v1/claims").json["meta"]
    query = {"modality": "opinion", "per_page": "2"}
    whole = len(_whole(reader, "/v1/claims", modality="opinion"))
    exact = reader.get("/v1/claims", **query, count="exact").json["meta"]["count"]
    assert exact == {"value": whole, "kind": "exact"}
    next_page = reader.get(
        "/v1/claims",
        **query,
        count="exact",
        cursor=reader.get("/v1/claims", **query).json["meta"]["next_cursor"],
    )
    assert next_page.json["meta"]["count"] == exact
    estimate = reader.get("/v1/claims", **query, count="estimated").json["meta"]["count"]
    assert estimate["kind"] == "estimated"
    assert estimate["value"] >= 0
    none = reader.get("/v1/claims", q="zebra", count="exact").json["meta"]["count"]
    assert none == {"value": 0, "kind": "exact"}


@pytest.mark.parametrize(
    "value", ["0", "101", "-1", "abc", "", "1.5", "1e1", "٣", " 5", "+5", "9" * 50]
)
def test_a_page_has_one_to_a_hundred_rows(reader: Client, value: str) -> None:
    refused = reader.get("/v1/claims", per_page=value)
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == "per_page"


def test_a_page_has_as_many_rows_as_asked_for(reader: Client) -> None:
    for size in (1, 2, 25, 100):
        answer = reader.get("/v1/claims", per_page=str(size)).json
        assert len(answer["data"]) == min(size, 76)
        assert answer["meta"]["per_page"] == size
    assert len(reader.get("/v1/claims").json["data"]) == 25


def _cursor(client: Client, **query: str) -> str:
    return client.get("/v1/claims", **{"per_page": "3", **query}).json["meta"]["next_cursor"]


def _refused(client: Client, path: str = "/v1/claims", **query: str) -> bool:
    answer = client.get(path, **query)
    errors = answer.json.get("errors", [{}])
    return (answer.status_code, errors[0].get("parameter")) == (400, "cursor")


def test_cursor_of_another_question_is_refused(reader: Client) -> None:
    cursor = _cursor(reader, modality="opinion", sort="-time")
    for query in (
        {},
        {"modality": "opinion"},
        {"modality": "actual", "sort": "-time"},
        {"modality__ne": "opinion", "sort": "-time"},
        {"modality": "opinion", "sort": "time"},
        {"modality": "opinion", "sort": "-time", "q": "shenzhen"},
        {"modality": "opinion", "sort": "-time", "language": "en"},
    ):
        assert _refused(reader, **query, cursor=cursor), query
    assert _refused(reader, "/v1/sources", cursor=_cursor(reader))
    assert _refused(reader, "/v1/claims", q="shenzhen", cursor=_cursor(reader, q="hong kong"))


def test_a_cursor_serves_pages_of_any_size_and_shape(reader: Client) -> None:
    query = {"modality": "opinion", "sort": "-time"}
    cursor = _cursor(reader, **query)
    whole = [row["id"] for row in _whole(reader, "/v1/claims", **query)]
    for extra in ({"per_page": "5"}, {"select": "id"}, {"include": ""}, {"count": "exact"}):
        answer = reader.get("/v1/claims", **query, **extra, cursor=cursor)
        found = [row["id"] for row in answer.json["data"]]
        assert found == whole[3 : 3 + len(found)]


def test_a_damaged_cursor_is_refused(reader: Client) -> None:
    cursor = _cursor(reader)
    for wrong in (
        "",
        "x",
        cursor[:-1],
        cursor + "A",
        cursor + "=",
        " " + cursor,
        cursor[::-1],
        cursor.swapcase(),
        "A" + cursor[1:] if cursor[0] != "A" else "B" + cursor[1:],
        cursor[:20] + ("A" if cursor[20] != "A" else "B") + cursor[21:],
        "é",
        "A" * 5000,
    ):
        assert _refused(reader, cursor=wrong), wrong


@pytest.mark.parametrize(
    "keys",
    [
        b'["x"]',
        b"[1]",
        b"[{}]",
        b'["\\u0000"]',
        b'["\\ud800"]',
        b'["x","y"]',
        b"[]",
        b"{}",
        b"x",
        b"\xff",
        pytest.param(b"[" * 2000, id="nested"),
    ],
)
def test_a_forged_cursor_is_refused(reader: Client, keys: bytes) -> None:
    question: list[Any] = ["claims", ("all",), [], None, (("id", False),), None]
    page = reader.get("/v1/claims", per_page="3").json
    good = json.dumps([page["data"][-1]["id"]]).encode()
    assert encode_cursor(good, question) == page["meta"]["next_cursor"]
    assert _refused(reader, cursor=encode_cursor(keys, question))


@pytest.mark.parametrize(
    "sort",
    [
        "",
        "statement",
        "id,time",
        "time,time",
        "time,-time",
        "--time",
        "time,",
        "TIME",
        " time",
        "q",
    ],
)
def test_invalid_sort_is_refused(reader: Client, sort: str) -> None:
    refused = reader.get("/v1/claims", sort=sort)
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == "sort"
