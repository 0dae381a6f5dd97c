"""Annotations of the W3C model: read by a JSON-LD processor with its context, and read again."""

import json
from typing import Any

import pytest

from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR
from hksz_db.exchange.annotations import CONTEXT
from hksz_db.exchange.readers import annotations
from tests.exchange.conftest import Documents, Exported, Write
from tests.exchange.linked_data import assert_nothing_is_lost, expanded, quads

Document = dict[str, Any]
OA = "http://www.w3.org/ns/oa#"
_INTEGER = "http://www.w3.org/2001/XMLSchema#nonNegativeInteger"


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
    return expanded(exported("claims", "web-annotation"))


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


def test_the_context_of_the_w3c_defines_every_term(exported: Exported) -> None:
    data = exported("claims", "web-annotation")
    assert_nothing_is_lost(data)
    with pytest.raises(AssertionError):
        assert_nothing_is_lost(data.replace(b'"motivation"', b'"motive"'))
    assert any(f"<{OA}motivatedBy> <{OA}linking>" in quad for quad in quads(data))


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
