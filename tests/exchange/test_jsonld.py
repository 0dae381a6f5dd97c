"""JSON-LD, read by a processor, and checked against the vocabulary of schema.org by a library."""

import json
from typing import Any

import pytest

from hksz_db.domain.vocabulary import EntityKind
from tests.exchange.conftest import Documents, Exported, Write
from tests.exchange.linked_data import SCHEMA, assert_nothing_is_lost, breaches, expanded, quads

PROV = "http://www.w3.org/ns/prov#"
CITO = "http://purl.org/spar/cito/"
DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"

Nodes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module", params=["sources", "claims", "entities"])
def resource(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def claims(exported: Exported) -> Nodes:
    return expanded(exported("claims", "jsonld"))


@pytest.fixture(scope="module")
def sources(exported: Exported) -> Nodes:
    return expanded(exported("sources", "jsonld"))


def _named(nodes: dict[str, Any], external_id: str) -> dict[str, Any]:
    (found,) = (n for n in nodes.values() if _values(n, "identifier") == [external_id])
    return found


def _values(node: dict[str, Any], term: str) -> list[str]:
    return [value["@value"] for value in node.get(SCHEMA + term, [])]


def _ids(node: dict[str, Any], iri: str) -> list[str]:
    return [to["@id"] for to in node.get(iri, [])]


def test_every_row_is_a_node_with_a_type(
    resource: str, exported: Exported, documents: Documents
) -> None:
    nodes = expanded(exported(resource, "jsonld"))
    assert set(nodes) == {f"urn:uuid:{row['id']}" for row in documents(resource)}
    for node in nodes.values():
        (kind,) = node["@type"]
        assert kind.startswith(SCHEMA)


def test_context_defines_every_term(resource: str, exported: Exported) -> None:
    data = exported(resource, "jsonld")
    assert_nothing_is_lost(data)
    assert len(quads(data)) > 4 * len(json.loads(data)["@graph"])


def test_every_term_and_type_is_of_schema_org(resource: str, exported: Exported) -> None:
    assert not breaches(json.loads(exported(resource, "jsonld"))["@graph"])


def test_a_term_out_of_place_is_found() -> None:
    place = {"@type": "Place", "name": "x", "ratedAs": "False", "dateModified": "2024"}
    review = {"@type": "ClaimReview", "author": [place], "url": "https://facts.example"}
    assert breaches([review]) == {
        ("Place", "ratedAs"),
        ("Place", "dateModified"),
        ("author", str([place])),
    }


def test_claim_has_its_claimant_as_author(claims: Nodes, documents: Documents) -> None:
    node = _named(claims, "hksz:ttps-approved-2023")
    (claim,) = (c for c in documents("claims") if c["external_id"] == "hksz:ttps-approved-2023")
    claimant = f"urn:uuid:{claim['claimant']['id']}"
    assert node["@type"] == [f"{SCHEMA}Claim"]
    assert _values(node, "text") == [claim["statement"]]
    assert _ids(node, f"{SCHEMA}author") == _ids(node, f"{PROV}wasAttributedTo") == [claimant]
    assert node[f"{SCHEMA}author"][0]["@type"] == [f"{SCHEMA}Person"]
    assert node[f"{PROV}generatedAtTime"] == [{"@type": DATE_TIME, "@value": claim["created_at"]}]


def test_sources_of_a_claim_by_stance(claims: Nodes, documents: Documents) -> None:
    cited = 0
    for claim in documents("claims"):
        node = claims[f"urn:uuid:{claim['id']}"]
        of = {
            stance: {
                f"urn:uuid:{passage['source']['id']}"
                for passage in claim["evidence"]
                if passage["stance"] == stance and passage["status"] != "rejected"
            }
            for stance in ("asserts", "supports", "disputes", "mentions")
        }
        assert set(_ids(node, f"{SCHEMA}appearance")) == of["asserts"]
        assert set(_ids(node, f"{PROV}wasDerivedFrom")) == of["asserts"]
        assert set(_ids(node, f"{CITO}isSupportedBy")) == of["supports"]
        assert set(_ids(node, f"{CITO}isDisputedBy")) == of["disputes"]
        assert set(_ids(node, f"{CITO}isDiscussedBy")) == of["mentions"]
        cited += len(_ids(node, f"{SCHEMA}citation"))
    assert cited > 0


def test_verdict_is_a_rating_without_a_number(claims: Nodes, documents: Documents) -> None:
    for claim in documents("claims"):
        (review,) = claims[f"urn:uuid:{claim['id']}"][f"{SCHEMA}review"]
        (rating,) = review[f"{SCHEMA}reviewRating"]
        assert _values(rating, "alternateName") == [claim["corroboration"]["verdict"]]
        assert not rating.keys() & {f"{SCHEMA}{end}Rating" for end in ("best", "worst")}
        assert f"{SCHEMA}ratingValue" not in rating


def test_rejected_evidence_is_left_out(written: Write, documents: Documents) -> None:
    claim = next(claim for claim in documents("claims") if len(claim["evidence"]) == 1)
    (passage,) = claim["evidence"]
    rejected = {**claim, "evidence": [{**passage, "status": "rejected"}]}
    (node,) = expanded(written("claims", "jsonld", [rejected])).values()
    assert f"{SCHEMA}appearance" not in node


def test_source_has_type_date_and_authors(sources: Nodes) -> None:
    node = _named(sources, "hksz:shenzhen-daily-article")
    assert node["@type"] == [f"{SCHEMA}NewsArticle"]
    assert [_values(made, "name") for made in node[f"{SCHEMA}author"]] == [["Tan Yifan"]]
    assert _values(node, "datePublished") == ["2024-01-29"]
    (issued,) = node["http://purl.org/dc/terms/issued"]
    assert issued == {"@type": "http://id.loc.gov/datatypes/edtf/EDTF", "@value": "2024-01-29"}


def test_translations_of_a_claim_are_works_of_their_own(
    written: Write, documents: Documents
) -> None:
    translation = {"language": "zh-Hant", "text": "已遷。", "translated_by": "human"}
    translated = {**documents("claims")[0], "statements": [translation]}
    (node,) = expanded(written("claims", "jsonld", [translated])).values()
    (work,) = node[f"{SCHEMA}workTranslation"]
    assert (_values(work, "text"), _values(work, "inLanguage")) == (["已遷。"], ["zh-Hant"])


def test_a_source_with_an_uncertain_date_is_not_dated(written: Write, documents: Documents) -> None:
    (source, *_) = documents("sources")
    dated = {**source, "issued": {**source["issued"], "edtf": "2024?"}}
    (node,) = expanded(written("sources", "jsonld", [dated])).values()
    assert f"{SCHEMA}datePublished" not in node
    (issued,) = node["http://purl.org/dc/terms/issued"]
    assert issued["@value"] == "2024?"


def test_source_is_derived_from_the_sources_it_copies(sources: Nodes, documents: Documents) -> None:
    relations = 0
    for source in documents("sources"):
        node = sources[f"urn:uuid:{source['id']}"]
        kept = {"copy_of", "syndicated_from", "translation_of", "rewrite_of", "version_of"}
        kept |= {"based_on"}
        origins = {f"urn:uuid:{r['to']['id']}" for r in source["relations"] if r["kind"] in kept}
        assert set(_ids(node, f"{PROV}wasDerivedFrom")) == origins
        relations += len(origins)
    assert relations > 0


@pytest.mark.parametrize(
    ("kind", "iri"),
    [
        ("version_of", f"{PROV}wasDerivedFrom"),
        ("based_on", f"{PROV}wasDerivedFrom"),
        ("cites", f"{SCHEMA}citation"),
        ("corrects", f"{CITO}corrects"),
        ("retracts", f"{CITO}retracts"),
        ("replies_to", f"{CITO}repliesTo"),
        ("part_of", f"{SCHEMA}isPartOf"),
    ],
)
def test_relations_of_a_source(written: Write, documents: Documents, kind: str, iri: str) -> None:
    source, other = documents("sources")[:2]
    changed = {**source, "container_title": None, "relations": [{"kind": kind, "to": other}]}
    (node,) = expanded(written("sources", "jsonld", [changed])).values()
    assert _ids(node, iri) == [f"urn:uuid:{other['id']}"]


@pytest.mark.parametrize("kind", EntityKind)
def test_every_kind_of_entity_has_a_type_with_its_properties(
    written: Write, documents: Documents, kind: EntityKind
) -> None:
    entity = documents("entities")[0]
    kinds = {"member_of": "organisation", "located_in": "place"}
    relations = [
        {"kind": relation, "object": {**entity, "kind": of}, "during": {"edtf": None}}
        for relation, of in kinds.items()
    ]
    data = written("entities", "jsonld", [{**entity, "kind": kind, "relations": relations}])
    assert not breaches(json.loads(data)["@graph"])
    (node,) = expanded(data).values()
    values = [each for name, each in node.items() if name[0] != "@"]
    related = {to["@type"][0] for each in values for to in each if "@id" in to}
    assert related == {f"{SCHEMA}Organization", f"{SCHEMA}Place"}


@pytest.mark.parametrize("kind", EntityKind)
def test_every_kind_of_claimant_is_named(
    written: Write, documents: Documents, kind: EntityKind
) -> None:
    claim = next(claim for claim in documents("claims") if claim["claimant"])
    claimant = {**claim["claimant"], "kind": kind}
    data = written("claims", "jsonld", [{**claim, "claimant": claimant}])
    (node,) = json.loads(data)["@graph"]
    assert not breaches(node)
    assert claimant["name"] in (node.get("creditText"), node.get("author", {}).get("name"))


def test_entity_has_links_to_registers(written: Write, documents: Documents) -> None:
    entity = next(entity for entity in documents("entities") if entity["kind"] == "organisation")
    known = [
        {"scheme": "wikidata", "value": "Q15174"},
        {"scheme": "ror", "value": "05k8qd562"},
        {"scheme": "lei", "value": "5493001KJTIIGC8Y1R12"},
    ]
    (node,) = expanded(written("entities", "jsonld", [{**entity, "identifiers": known}])).values()
    assert node["@type"] == [f"{SCHEMA}Organization"]
    assert _ids(node, f"{SCHEMA}sameAs") == [
        "http://www.wikidata.org/entity/Q15174",
        "https://ror.org/05k8qd562",
    ]
    assert _values(node, "leiCode") == ["5493001KJTIIGC8Y1R12"]
