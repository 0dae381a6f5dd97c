"""Full-text search: ``q`` in the syntax of web searches."""

import pytest

from tests.api.conftest import Answer, Client


def _found(response: Answer) -> set[str]:
    return {row["external_id"] for row in response.json["data"]}


def test_a_claim_is_listed_with_its_evidence_and_figures(reader: Client) -> None:
    (claim,) = reader.get("/v1/claims", q='"talent pass" 47,000').json["data"]
    assert claim["external_id"] == "hksz:ttps-approved-2023"
    assert "47,000" in claim["statement"]
    assert claim["claimant"]["name"] == "Tan Yifan"
    (figure,) = claim["figures"]
    assert figure["value_range"] == {
        "lower": "47001",
        "upper": None,
        "lower_inclusive": True,
        "upper_inclusive": False,
    }
    period = figure["period"]
    assert (period["earliest"], period["latest"]) == ("2023-01-01", "2023-12-31")
    (passage,) = claim["evidence"]
    assert 0 <= passage["start_char"] < passage["end_char"]
    author = passage["source"]["contributors"][0]
    assert author["role"] == "author"
    assert author["entity"]["name"] == author["credited_name"] == "Tan Yifan"
    assert author["credited_as"] == "Brand Marketing head, Shenzhen Daily"


def test_all_words_must_occur_in_any_form(reader: Client) -> None:
    found = _found(reader.get("/v1/claims", q="approved applications"))
    assert found == {"hksz:ttps-approved-2023"}
    assert found == _found(reader.get("/v1/claims", q="APPROVES application"))
    assert not _found(reader.get("/v1/claims", q="approved zebras"))


def test_a_phrase_is_found_in_its_order_only(reader: Client) -> None:
    assert _found(reader.get("/v1/claims", q='"fundamental change"'))
    assert not _found(reader.get("/v1/claims", q='"change fundamental"'))
    assert _found(reader.get("/v1/claims", q="change fundamental"))


def test_a_word_can_be_excluded(reader: Client) -> None:
    every = _found(reader.get("/v1/claims", q="futian"))
    without = _found(reader.get("/v1/claims", q="futian -park"))
    assert "hksz:science-park-in-futian" in every - without
    assert "hksz:futian-in-shenzhen" in without
    assert without < every


@pytest.mark.parametrize(
    "q", ["-park", "-park -futian", '-"science park"', "-the", "-the -park", "-park OR hetao"]
)
@pytest.mark.parametrize("further", [{}, {"modality": "planned"}])
def test_all_that_words_are_not_in_is_counted(
    reader: Client, q: str, further: dict[str, str]
) -> None:
    query = {"q": q, "select": "external_id", "sort": "id", "count": "exact", **further}
    page = reader.get("/v1/claims", per_page="100", **query).json
    listed = len(page["data"])
    while page["meta"]["next_cursor"]:
        cursor = page["meta"]["next_cursor"]
        page = reader.get("/v1/claims", per_page="100", cursor=cursor, **query).json
        listed += len(page["data"])
    assert page["meta"]["count"] == {"value": listed, "kind": "exact"}


def test_or_finds_either_of_two_words(reader: Client) -> None:
    either = _found(reader.get("/v1/claims", q="hetao OR pandemic"))
    assert either == _found(reader.get("/v1/claims", q="hetao")) | _found(
        reader.get("/v1/claims", q="pandemic")
    )
    assert len(either) > 2


def test_the_better_match_comes_first(reader: Client, editor: Client) -> None:
    body = {"language": "en", "claimant_external_id": "hksz:hkpc"}
    once = "A zeppelin passed over the harbour, the hills, the islands and the city."
    often = "Zeppelin after zeppelin: the zeppelin show."
    for statement in (often, once):
        assert editor.post("/v1/claims", {**body, "statement": statement}).status_code == 201
    answer = reader.get("/v1/claims", q="zeppelin").json
    assert [row["statement"] for row in answer["data"]] == [often, once]
    assert answer["meta"]["ranked"] == {"matches": 2, "all": True}


def test_search_combines_with_filters_and_sort(reader: Client) -> None:
    found = reader.get("/v1/claims", q="hong kong", modality="opinion", sort="-time").json["data"]
    assert found
    assert {row["modality"] for row in found} == {"opinion"}
    years = [row["time"]["earliest"] for row in found if row["time"]["earliest"]]
    assert years == sorted(years, reverse=True)
    assert "ranked" not in reader.get("/v1/claims", q="hong kong", sort="id").json["meta"]


def test_entities_are_found_by_any_of_their_names(reader: Client) -> None:
    by_short = _found(reader.get("/v1/entities", q="HKU"))
    assert by_short == {"hksz:university-of-hong-kong"}
    assert _found(reader.get("/v1/entities", q="ttps")) == {"hksz:ttps"}


def test_sources_are_found_by_title_and_container(reader: Client) -> None:
    assert _found(reader.get("/v1/sources", q="opinion production"))
    assert _found(reader.get("/v1/sources", q='"Shenzhen Daily"'))
    assert not _found(reader.get("/v1/sources", q="zebra"))


def test_punctuation_finds_nothing(reader: Client) -> None:
    for q in ("'", '"', "-", "&|!():*", "a:b", "\\", "%", '"unclosed', "- -", "OR OR"):
        response = reader.get("/v1/claims", q=q)
        assert response.status_code == 200, q


def test_an_invalid_search_is_refused(reader: Client) -> None:
    for path, q in (
        ("/v1/units", "one"),
        ("/v1/claims", ""),
        ("/v1/claims", " "),
        ("/v1/claims", "x" * 501),
    ):
        response = reader.get(path, q=q)
        assert response.status_code == 400
        assert response.json["errors"][0]["parameter"] == "q"
