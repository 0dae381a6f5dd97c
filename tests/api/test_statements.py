"""A read is one SQL statement, and a write is a few."""

from collections.abc import Callable

import pytest

from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Answer, Client
from tests.conftest import QueryCounter
from tests.samples import Sample

NOBODY = "0199c3a0-0000-7000-8000-000000000000"
# To create and to update a row, each with the check of the key and with reading the new document.
WRITES = (4, 3)
# Those with warnings or checks of the review, too.
MORE_WRITES = {"claims": (4, 6), "figures": (6, 9), "evidence": (6, 7)}


@pytest.fixture
def count(reader: Client, query_counter: QueryCounter) -> Callable[..., tuple[int, Answer]]:
    """``count(method, url)`` returns the number of statements and the response."""

    def send(method, url, **options):
        with query_counter() as counted:
            response = reader.send(method, url, **options)
        return len(counted.statements), response

    return send


@pytest.mark.parametrize("resource", RESOURCES.values(), ids=lambda resource: resource.name)
def test_every_read_is_one_statement(
    reader: Client, count: Callable[..., tuple[int, Answer]], resource: Readable
) -> None:
    path = f"/v1/{resource.name}"
    row = reader.get(path, per_page="1").json["data"][0]["id"]
    group = next(iter(resource.groups))
    for url, status in (
        (path, 200),
        (f"{path}?per_page=100", 200),
        (f"{path}?count=exact&sort=-updated_at", 200),
        (f"{path}?external_id__startswith=hksz&select=id", 200),
        (f"{path}/{row}", 200),
        (f"{path}/{row}?select=id", 200),
        (f"{path}/{row}/history", 200),
        (f"{path}/{row}/history?per_page=1", 200),
        (f"{path}/{NOBODY}", 404),
        (f"{path}/aggregate?group_by={group}", 200),
    ):
        for method in ("GET", "HEAD"):
            number, response = count(method, url)
            assert response.status_code == status
            assert number == 1, (method, url)


def test_a_304_is_one_statement(reader: Client, count: Callable[..., tuple[int, Answer]]) -> None:
    headers = {"If-None-Match": reader.get("/v1/claims").headers["ETag"]}
    number, response = count("GET", "/v1/claims", headers=headers)
    assert (number, response.status_code) == (1, 304)


@pytest.mark.parametrize(
    "query",
    [
        "q=hong kong",
        "q=hong kong&sort=-time&count=exact",
        "figures__metric=ttps-approved&figures__value__gte=40000&entities__name__contains=talent",
        "evidence__source__author=Tan Yifan&include=entities,figures,evidence,sources",
        "q=shenzhen&per_page=2",
    ],
)
def test_a_list_of_claims_with_all_embeds_is_one_statement(
    count: Callable[..., tuple[int, Answer]], query: str
) -> None:
    number, response = count("GET", f"/v1/claims?{query}")
    assert number == 1
    assert response.json["data"]
    following = response.json["meta"]["next_cursor"]
    if following:
        url = f"/v1/claims?{query}&cursor={following}"
        number, response = count("GET", url)
        assert (number, response.status_code) == (1, 200)


def test_a_posted_query_is_one_statement(count: Callable[..., tuple[int, Answer]]) -> None:
    tree = {"or": [{"modality": "opinion"}, {"not": {"figures__isnull": True}}]}
    number, response = count("POST", "/v1/claims/query", json={"filter": tree})
    assert (number, response.status_code) == (1, 200)


def test_the_evidence_of_a_claim_is_one_statement(
    reader: Client, count: Callable[..., tuple[int, Answer]]
) -> None:
    claim = reader.get("/v1/claims", per_page="1").json["data"][0]["id"]
    number, response = count("GET", f"/v1/claims/{claim}/evidence")
    assert number == 1
    assert len(response.json["data"]) == 1


def test_an_estimated_count_takes_a_second_statement(
    count: Callable[..., tuple[int, Answer]],
) -> None:
    number, _ = count("GET", "/v1/claims?count=estimated")
    assert number == 2


def test_a_rejected_query_takes_no_statement(count: Callable[..., tuple[int, Answer]]) -> None:
    for url in ("/v1/claims?unknown=1", "/v1/claims?cursor=x", "/v1/claims/1", "/healthz"):
        number, _ = count("GET", url)
        assert number == 0


def test_a_write_takes_a_few_statements(
    sample: Sample, editor: Client, query_counter: QueryCounter
) -> None:
    # The first use of a key is recorded.
    editor.post("/v1/sources/bulk", {"items": []})
    with query_counter() as creating:
        made = editor.post(sample.path, sample.body)
    assert made.status_code == 201, made.text
    with query_counter() as updating:
        changed = editor.patch(made.headers["Location"], sample.change)
    assert changed.status_code == 200, changed.text
    expected = MORE_WRITES.get(sample.resource, WRITES)
    assert (len(creating.statements), len(updating.statements)) == expected


@pytest.mark.parametrize(
    ("change", "number"),
    [
        ({"issued_edtf": "2020"}, 6),
        ({"issued_edtf": "2020", "relations": []}, 7),
        # The source is locked before it is updated.
        ({"issued_edtf": "2020", "retracted_at": "2021-01-01T00:00:00Z"}, 6),
    ],
)
def test_a_new_date_of_a_source_takes_a_few_statements(editor, query_counter, change, number):
    made = editor.post("/v1/sources", {"csl_type": "report", "title": "A report"})
    with query_counter() as counted:
        changed = editor.patch(made.headers["Location"], change)
    assert changed.status_code == 200, changed.text
    assert len(counted.statements) == number
