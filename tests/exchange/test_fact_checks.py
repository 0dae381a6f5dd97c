"""ClaimReview: checked against the vocabulary of schema.org by a library, and read again."""

import json
from datetime import date
from typing import Any

import pytest
from pydantic import ValidationError
from schema_org import registry

from hksz_db.exchange.readers import claimreview
from hksz_db.exchange.readers.claimreview import UNNAMED
from tests.exchange.conftest import Documents, Exported, Write
from tests.exchange.linked_data import assert_nothing_is_lost, expanded

Document = dict[str, Any]


@pytest.fixture(scope="module")
def claim(documents: Documents) -> Document:
    """An accepted claim of a person that one source asserts and another, a fact check, rates."""
    first, second = [
        each
        for each in documents("claims")
        if len(each["sources"]) == 1 and each["claimant"] and each["claimant"]["kind"] == "person"
    ][:2]
    asserting = {**first["evidence"][0], "stance": "asserts", "status": "accepted"}
    rating = {"rating_as_stated": "Mostly false (2; worst 1, best 5)", "stance": "mentions"}
    plain = {"retracted_at": None, "title": "A work", "title_supplied": False}
    sources = [{**each["sources"][0], **plain} for each in (first, second)]
    sources[1] |= {
        "id": "0199c3a0-0000-7000-8000-000000000000",
        "external_id": "test:check",
        "url": "https://facts.example/check",
        "csl_type": "review",
        "issued": {"edtf": "2024-03-05"},
        "language": "zh-Hant",
    }
    checking = {**second["evidence"][0], **rating, "status": "accepted", "source": sources[1]}
    passages = [asserting, checking]
    return {**first, "status": "accepted", "evidence": passages, "sources": sources}


def graph(data: bytes) -> list[Document]:
    document = json.loads(data)
    assert document["@context"] == "https://schema.org"
    found: list[Document] = document["@graph"]
    return found


def _model(value: Any, name: str = "") -> Any:
    """The value as models of the library, which refuse unknown terms and values out of range."""
    if isinstance(value, list):
        return [_model(each, name) for each in value]
    if isinstance(value, dict):
        members = {key: _model(each, key) for key, each in value.items()}
        return registry.get_model(value["@type"]).model_validate(members)
    return date.fromisoformat(value) if name == "datePublished" else value


def test_a_fact_check_is_a_claim_review(written: Write, claim: Document) -> None:
    data = written("claims", "claimreview", [claim])
    (review,) = graph(data)
    assert review == {
        "@id": f"urn:uuid:{claim['evidence'][1]['id']}",
        "@type": "ClaimReview",
        "identifier": "test:check",
        "name": "A work",
        "url": "https://facts.example/check",
        "inLanguage": "zh-Hant",
        "datePublished": "2024-03-05",
        **{role: review[role] for role in review.keys() & {"author", "publisher"}},
        "claimReviewed": claim["statement"],
        "reviewRating": {
            "@type": "Rating",
            "alternateName": "Mostly false",
            "ratingValue": "2",
            "worstRating": "1",
            "bestRating": "5",
        },
        "itemReviewed": review["itemReviewed"],
    }
    reviewed = review["itemReviewed"]
    assert reviewed["author"]["name"] == claim["claimant"]["name"]
    (appearance,) = reviewed["appearance"]
    assert appearance["@id"] == f"urn:uuid:{claim['sources'][0]['id']}"


@pytest.mark.slow
def test_every_term_and_type_is_of_schema_org(written: Write, claim: Document) -> None:
    unnamed = {**claim, "claimant": None, "claimant_as_stated": "an unnamed official"}
    programme = {**claim, "claimant": {**claim["claimant"], "kind": "programme"}}
    made = graph(written("claims", "claimreview", [claim, unnamed, programme]))
    for node in made:
        assert _model(node).to_jsonld()["claimReviewed"] == claim["statement"]
    assert len(made) == 3
    with pytest.raises(ValidationError, match="ratedAs"):
        _model({"@type": "ClaimReview", "ratedAs": "False"})
    with pytest.raises(ValidationError, match="author"):
        _model({"@type": "ClaimReview", "author": {"@type": "Place", "name": "x"}})


def test_the_context_of_schema_org_defines_every_term(written: Write, claim: Document) -> None:
    unnamed = {**claim, "claimant": None, "claimant_as_stated": "an unnamed official"}
    data = written("claims", "claimreview", [claim])
    assert_nothing_is_lost(data)
    with pytest.raises(AssertionError):
        assert_nothing_is_lost(data.replace(b'"reviewRating"', b'"rating"'))
    assert_nothing_is_lost(written("claims", "claimreview", [unnamed]))
    (node,) = expanded(data).values()
    assert node["@type"] == ["http://schema.org/ClaimReview"]


def test_a_claimant_who_is_no_entity_is_credited_in_words(written: Write, claim: Document) -> None:
    changed = {**claim, "claimant": None, "claimant_as_stated": "an unnamed official"}
    data = written("claims", "claimreview", [changed])
    assert graph(data)[0]["itemReviewed"]["creditText"] == "an unnamed official"
    unnamed = written("claims", "claimreview", [{**changed, "claimant_as_stated": UNNAMED}])
    assert not graph(unnamed)[0]["itemReviewed"].keys() & {"creditText", "author"}


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "submitted"},
        {"evidence": [{"status": "submitted"}, {"status": "submitted"}]},
        {"evidence": [{}, {"rating_as_stated": None}]},
        {"sources": [{}, {"retracted_at": "2024-01-24T23:00:00.000000Z"}]},
    ],
)
def test_only_accepted_ratings_of_standing_sources_are_written(
    written: Write, claim: Document, changed: Document
) -> None:
    document = {
        **claim,
        **{
            name: (
                [{**each, **other} for each, other in zip(claim[name], value, strict=True)]
                if isinstance(value, list)
                else value
            )
            for name, value in changed.items()
        },
    }
    assert graph(written("claims", "claimreview", [document])) == []


def test_claims_without_fact_checks_are_left_out(exported: Exported) -> None:
    assert graph(exported("claims", "claimreview")) == []


def test_what_is_written_reads_back(written: Write, claim: Document) -> None:
    data = written("claims", "claimreview", [claim])
    found = list(claimreview.read(data.decode(), "claimreview"))
    assert [entry.faults for entry in found] == [()] * 5
    check, origin, stated, rated, asserting = (entry.item or {} for entry in found)
    assert check["url"] == "https://facts.example/check"
    assert check["title"] == origin["title"] == "A work"
    assert (check["csl_type"], check["language"]) == ("review", "zh-Hant")
    assert check["issued_edtf"] == "2024-03-05"
    assert stated["statement"] == claim["statement"]
    assert stated["language"] == claim["language"]
    assert stated["claimant_as_stated"] == claim["claimant"]["name"]
    assert rated["rating_as_stated"] == "Mostly false (2; worst 1, best 5)"
    assert (rated["stance"], asserting["stance"]) == ("mentions", "asserts")
    # The rows are found again where they come from.
    names = [entry.known_as for entry in found]
    assert names[:3] == ["test:check", claim["sources"][0]["external_id"], claim["external_id"]]
    assert found[3].row_id == claim["evidence"][1]["id"]
