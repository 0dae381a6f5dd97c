"""Deletion: rows in use are kept; a claim is deleted and restored with its parts."""

from typing import Any

import pytest

from tests.api.conftest import Answer, Client
from tests.samples import Sample


def _id(client: Client, resource: str, external_id: str) -> str:
    (row,) = client.get(f"/v1/{resource}", external_id=external_id).json["data"]
    return row["id"]


def _make(client: Client, resource: str, **body: Any) -> Answer:
    made = client.post(f"/v1/{resource}", {"external_id": f"test:{resource}", **body})
    assert made.status_code == 201, made.json
    return made


@pytest.fixture
def full_claim(editor: Client) -> dict[str, str]:
    """The paths of a new claim and of a row of each kind that it refers to, by resource."""
    names = [{"name": "A firm", "language": "en", "kind": "preferred"}]
    metric = {"key": "firms", "label": "Firms", "dimension": "money", "accumulation": "stock"}
    made = {
        "entities": _make(editor, "entities", kind="organisation", names=names),
        "metrics": _make(editor, "metrics", **metric),
        "units": _make(editor, "units", code="HKD", label="Hong Kong dollar"),
        "sources": _make(editor, "sources", csl_type="report", title="A report"),
    }
    made["claims"] = _make(
        editor,
        "claims",
        statement="The firm has a million.",
        claimant_external_id="hksz:hkpc",
        figures=[
            {
                "external_id": "test:figure",
                "metric_external_id": "test:metrics",
                "subject_external_id": "test:entities",
                "as_stated": "a million",
                "comparator": "eq",
                "amount": "1000000",
                "unit_code": "HKD",
            }
        ],
        evidence=[
            {
                "external_id": "test:passage",
                "source_external_id": "test:sources",
                "stance": "asserts",
            }
        ],
    )
    return {resource: row.headers["Location"] for resource, row in made.items()}


def test_rows_that_a_claim_and_its_parts_need_are_not_deleted(
    editor: Client, full_claim: dict[str, str]
) -> None:
    keepers = {
        "entities": "test:figure",
        "metrics": "test:figure",
        "units": "test:figure",
        "sources": "test:passage",
    }
    for resource, keeper in keepers.items():
        before = editor.get(full_claim[resource])
        refused = editor.delete(full_claim[resource])
        assert refused.status_code == 409
        (error,) = refused.json["errors"]
        assert error["code"] == "in_use"
        assert keeper in error["detail"]
        assert editor.get(full_claim[resource]).data == before.data
    assert editor.delete(full_claim["claims"]).status_code == 204
    for resource in keepers:
        assert editor.delete(full_claim[resource]).status_code == 204


@pytest.mark.parametrize(
    ("resource", "field", "body"),
    [
        ("claims", "claimant_external_id", {"statement": "x"}),
        (
            "claims",
            "reported_by_external_id",
            {"statement": "x", "claimant_external_id": "hksz:hkpc"},
        ),
    ],
)
def test_a_claimant_is_not_deleted(
    editor: Client, resource: str, field: str, body: dict[str, str]
) -> None:
    names = [{"name": "A", "language": "en", "kind": "preferred"}]
    entity = _make(editor, "entities", kind="person", names=names).headers["Location"]
    claim = _make(editor, resource, **body, **{field: "test:entities"}).headers["Location"]
    refused = editor.delete(entity)
    assert refused.status_code == 409
    assert [e["detail"].count("claim test:claims") for e in refused.json["errors"]] == [1]
    editor.delete(claim)
    assert editor.delete(entity).status_code == 204


@pytest.mark.parametrize(
    ("resource", "target", "field", "item"),
    [
        (
            "claims",
            "entities",
            "entities",
            {"entity_external_id": "test:target", "role": "subject"},
        ),
        ("claims", "claims", "relations", {"to_external_id": "test:target", "kind": "refines"}),
        (
            "sources",
            "entities",
            "contributors",
            {"entity_external_id": "test:target", "role": "author"},
        ),
        ("sources", "sources", "relations", {"to_external_id": "test:target", "kind": "cites"}),
        (
            "entities",
            "entities",
            "relations",
            {"object_external_id": "test:target", "kind": "part_of"},
        ),
        (
            "entities",
            "claims",
            "relations",
            {
                "object_external_id": "hksz:hkpc",
                "kind": "part_of",
                "claim_external_id": "test:target",
            },
        ),
    ],
)
def test_a_linked_row_is_not_deleted_until_the_link_is_removed(
    editor: Client, resource: str, target: str, field: str, item: dict[str, str]
) -> None:
    bodies: dict[str, dict[str, Any]] = {
        "claims": {"statement": "x", "claimant_external_id": "hksz:hkpc"},
        "sources": {"csl_type": "report", "title": "x"},
        "entities": {
            "kind": "person",
            "names": [{"name": "A", "language": "en", "kind": "preferred"}],
        },
    }
    kept = _make(editor, target, **bodies[target] | {"external_id": "test:target"})
    owner = _make(editor, resource, **bodies[resource], **{field: [item]})
    refused = editor.delete(kept.headers["Location"])
    assert refused.status_code == 409
    (error,) = refused.json["errors"]
    assert f"test:{resource}" in error["detail"]
    assert owner.json["id"] in error["detail"]
    assert editor.patch(owner.headers["Location"], {field: []}).status_code == 200
    assert editor.delete(kept.headers["Location"]).status_code == 204


def test_evidence_with_derived_evidence_is_not_deleted(
    editor: Client, full_claim: dict[str, str]
) -> None:
    body = {
        "claim_external_id": "hksz:author-post",
        "source_external_id": "hksz:shenzhen-daily-article",
        "stance": "supports",
    }
    derived = _make(editor, "evidence", **body, derived_from_external_id="test:passage")
    passage = f"/v1/evidence/{_id(editor, 'evidence', 'test:passage')}"
    for path in (passage, full_claim["claims"]):
        refused = editor.delete(path)
        assert refused.status_code == 409
        assert "test:evidence" in refused.json["errors"][0]["detail"]
    assert editor.get(passage).status_code == 200
    editor.delete(derived.headers["Location"])
    assert editor.delete(full_claim["claims"]).status_code == 204


def test_a_refusal_names_some_of_many(editor: Client) -> None:
    author = _id(editor, "entities", "hksz:tan-yifan")
    refused = editor.delete(f"/v1/entities/{author}")
    assert refused.status_code == 409
    assert len(refused.json["errors"]) == 10


def test_a_claim_is_deleted_and_restored_with_its_parts(
    editor: Client, full_claim: dict[str, str]
) -> None:
    parts = [
        f"/v1/figures/{_id(editor, 'figures', 'test:figure')}",
        f"/v1/evidence/{_id(editor, 'evidence', 'test:passage')}",
    ]
    before = editor.get(full_claim["claims"]).json
    etag = editor.delete(full_claim["claims"]).headers["ETag"]
    assert [editor.get(part).status_code for part in parts] == [410, 410]
    after = editor.restore(full_claim["claims"], etag).json
    assert [editor.get(part).json["version"] for part in parts] == [3, 3]
    for name in ("figures", "evidence"):
        assert [part["id"] for part in after[name]] == [part["id"] for part in before[name]]


def test_a_part_that_was_deleted_before_stays_deleted(
    editor: Client, full_claim: dict[str, str]
) -> None:
    figure = f"/v1/figures/{_id(editor, 'figures', 'test:figure')}"
    editor.delete(figure)
    editor.delete(full_claim["claims"])
    restored = editor.restore(full_claim["claims"]).json
    assert restored["figures"] == []
    assert len(restored["evidence"]) == 1
    assert editor.get(figure).status_code == 410


def test_a_part_is_not_restored_without_its_claim(
    editor: Client, full_claim: dict[str, str]
) -> None:
    figure = f"/v1/figures/{_id(editor, 'figures', 'test:figure')}"
    editor.delete(full_claim["claims"])
    refused = editor.restore(figure)
    assert refused.status_code == 409
    (error,) = refused.json["errors"]
    assert error["code"] == "deleted"
    assert "test:claims" in error["detail"]


@pytest.mark.parametrize("foundation", ["entities", "metrics", "units", "sources"])
def test_a_claim_is_not_restored_without_its_references(
    editor: Client, full_claim: dict[str, str], foundation: str
) -> None:
    editor.delete(full_claim["claims"])
    editor.delete(full_claim[foundation])
    refused = editor.restore(full_claim["claims"])
    assert refused.status_code == 409
    (error,) = refused.json["errors"]
    assert f"test:{foundation}" in error["detail"]
    assert editor.get(full_claim["claims"]).status_code == 410
    assert editor.restore(full_claim[foundation]).status_code == 200
    assert editor.restore(full_claim["claims"]).status_code == 200


def test_a_change_of_a_deleted_row_is_410(editor: Client, full_claim: dict[str, str]) -> None:
    figure = f"/v1/figures/{_id(editor, 'figures', 'test:figure')}"
    editor.delete(full_claim["claims"])
    editor.delete(full_claim["metrics"])
    assert editor.patch(figure, {"as_stated": "one million"}).status_code == 410


def test_evidence_is_not_restored_beside_a_duplicate(
    editor: Client, samples: dict[str, Sample]
) -> None:
    sample = samples["evidence"]
    first = editor.post(sample.path, sample.body).headers["Location"]
    editor.delete(first)
    again = {**sample.body, "external_id": None}
    assert editor.post(sample.path, again).status_code == 201
    assert editor.restore(first).status_code == 409


def test_evidence_of_a_deleted_claim_is_neither_listed_nor_added(
    editor: Client, full_claim: dict[str, str]
) -> None:
    path = f"{full_claim['claims']}/evidence"
    assert len(editor.get(path).json["data"]) == 1
    editor.delete(full_claim["claims"])
    assert editor.get(path).status_code == 410
    body = {"source_external_id": "test:sources", "stance": "supports"}
    assert editor.post(path, body).status_code == 410
