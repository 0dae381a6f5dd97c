"""Annotations of the W3C model: read by a JSON-LD processor, and read again.

The context of the W3C comes in no package. The terms that are used are defined here as the Web
Annotation Vocabulary defines them (https://www.w3.org/TR/annotation-vocab/), and no other is known.
"""

import json
from typing import Any

import pytest
from pyld import jsonld

from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.exchange.annotations import CONTEXT
from hksz_db.exchange.readers import annotations
from tests.exchange.conftest import Documents, Exported, Write

Document = dict[str, Any]
OA = "http://www.w3.org/ns/oa#"
RDF_VALUE = "http://www.w3.org/1999/02/22-rdf-syntax-ns#value"
DCTERMS = "http://purl.org/dc/terms/"
_DATE_TIME = "http://www.w3.org/2001/XMLSchema#dateTime"
_INTEGER = "http://www.w3.org/2001/XMLSchema#nonNegativeInteger"
_TYPES = ("Annotation", "SpecificResource", "TextualBody", "TextPositionSelector")
_MOTIVATIONS = ("linking", "tagging", "commenting")
W3C = {
    "@context": {
        "id": "@id",
        "type": "@type",
        "dcterms": DCTERMS,
        **{name: f"{OA}{name}" for name in (*_TYPES, *_MOTIVATIONS)},
        "motivation": {"@id": f"{OA}motivatedBy", "@type": "@vocab"},
        "purpose": {"@id": f"{OA}hasPurpose", "@type": "@vocab"},
        "body": {"@id": f"{OA}hasBody", "@type": "@id"},
        "target": {"@id": f"{OA}hasTarget", "@type": "@id"},
        "source": {"@id": f"{OA}hasSource", "@type": "@id"},
        "selector": {"@id": f"{OA}hasSelector", "@type": "@id"},
        "start": {"@id": f"{OA}start", "@type": _INTEGER},
        "end": {"@id": f"{OA}end", "@type": _INTEGER},
        "value": RDF_VALUE,
        "created": {"@id": f"{DCTERMS}created", "@type": _DATE_TIME},
        "modified": {"@id": f"{DCTERMS}modified", "@type": _DATE_TIME},
    }
}


def _load(url, _):
    assert url == "http://www.w3.org/ns/anno.jsonld"
    return {"document": W3C, "documentUrl": url, "contextUrl": None}


def _passages(documents: Documents) -> dict[str, tuple[Document, Document]]:
    """The located passages with their claims, by the IRI of the annotation."""
    return {
        f"urn:uuid:{passage['id']}": (claim, passage)
        for claim in documents("claims")
        for passage in claim["evidence"]
        if passage["start_char"] is not None
    }


@pytest.fixture(scope="module")
def nodes(exported: Exported) -> dict[str, Document]:
    data = json.loads(exported("claims", "web-annotation"))
    expanded = jsonld.expand(data, {"documentLoader": _load})
    return {node["@id"]: node for node in expanded}


def test_every_located_passage_is_an_annotation_of_its_page(
    nodes: dict[str, Document], documents: Documents
) -> None:
    passages = _passages(documents)
    assert nodes.keys() == passages.keys()
    for id, (claim, passage) in passages.items():
        node = nodes[id]
        (target,) = node[f"{OA}hasTarget"]
        (source,) = target[f"{OA}hasSource"]
        (selector,) = target[f"{OA}hasSelector"]
        (found,) = [s for s in claim["sources"] if s["id"] == passage["source"]["id"]]
        assert node["@type"] == [f"{OA}Annotation"]
        assert source["@id"] == (found["url"] or f"urn:uuid:{found['id']}")
        assert selector["@type"] == [f"{OA}TextPositionSelector"]
        assert selector[f"{OA}start"] == [{"@type": _INTEGER, "@value": passage["start_char"]}]
        namespace = CONTEXT[1]["hksz"]
        for name in LOCATOR[2:]:
            assert selector[f"{namespace}{name}"] == [{"@value": passage[name]}]
        (linked, *_) = node[f"{OA}hasBody"]
        assert linked[f"{OA}hasSource"] == [{"@id": f"urn:uuid:{claim['id']}"}]


def test_a_processor_finds_every_term(exported: Exported) -> None:
    def count(value: Any) -> int:
        """The members of all objects, but for ids, types and values."""
        if isinstance(value, list):
            return sum(map(count, value))
        if not isinstance(value, dict):
            return 0
        own = [name for name in value if name not in {"id", "type"} and name[0] != "@"]
        return len(own) + sum(count(each) for each in value.values())

    data = json.loads(exported("claims", "web-annotation"))
    # An id that a property refers to is a member in the one form, and an object in the other.
    assert count(data["@graph"]) == count(jsonld.expand(data, {"documentLoader": _load})) > 0
    quads = jsonld.to_rdf(data, {"documentLoader": _load, "format": "application/n-quads"})
    assert f"<{OA}motivatedBy> <{OA}linking>" in quads


def test_no_text_of_a_passage_is_written(exported: Exported) -> None:
    assert b"TextQuoteSelector" not in exported("claims", "web-annotation")


@pytest.mark.parametrize(("status", "number"), [("draft", 0), ("rejected", 0), ("submitted", 1)])
def test_drafts_and_rejected_passages_are_left_out(
    written: Write, documents: Documents, status: str, number: int
) -> None:
    claim, passage = next(iter(_passages(documents).values()))
    changed = {**claim, "evidence": [{**passage, "status": status}]}
    data = json.loads(written("claims", "web-annotation", [changed]))
    assert len(data["@graph"]) == number


def test_what_is_written_reads_back(exported: Exported, documents: Documents) -> None:
    data = exported("claims", "web-annotation").decode()
    found = list(annotations.read(data, "web-annotation", {}))
    passages = _passages(documents)
    assert not any(entry.faults or entry.warnings for entry in found if "evid" in entry.resource)
    read = {f"urn:uuid:{entry.row_id}": entry.item for entry in found if entry.row_id}
    assert read.keys() == passages.keys()
    for id, (claim, passage) in passages.items():
        item = read[id] or {}
        assert item["claim_external_id"] == claim["external_id"]
        for name in (*LOCATOR, *LOOSE_LOCATOR, "stance", "note", "page"):
            assert item.get(name) == passage[name]
    sources = {entry.known_as for entry in found if entry.resource == "sources"}
    assert sources == {passage["source"]["external_id"] for _, passage in passages.values()}
