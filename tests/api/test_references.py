"""References of a body must lead to live rows; otherwise nothing is written."""

from typing import Any
from uuid import uuid4

import pytest

from hksz_db.queries.registry import RESOURCES
from tests.api.conftest import Answer, Client

FIGURE: dict[str, Any] = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "forty",
    "comparator": "eq",
    "amount": "40",
    "unit_code": "1",
}
EVIDENCE: dict[str, Any] = {
    "source_external_id": "hksz:shenzhen-daily-article",
    "stance": "mentions",
}
CLAIM: dict[str, Any] = {"statement": "Forty firms moved.", "claimant_external_id": "hksz:hkpc"}
SOURCE: dict[str, Any] = {"csl_type": "report", "title": "A report"}
ENTITY: dict[str, Any] = {
    "kind": "organisation",
    "names": [{"name": "A firm", "language": "en", "kind": "preferred"}],
}
OF_CLAIM: dict[str, Any] = {"claim_external_id": "hksz:author-post"}

# Each reference in a body: the resource, the rest of the body, the place of the reference.
PLACES = [
    ("claims", CLAIM, ("claimant",)),
    ("claims", CLAIM, ("reported_by",)),
    ("claims", {**CLAIM, "entities": [{"role": "subject"}]}, ("entities", 0, "entity")),
    ("claims", {**CLAIM, "relations": [{"kind": "refines"}]}, ("relations", 0, "to")),
    ("claims", {**CLAIM, "figures": [FIGURE, FIGURE]}, ("figures", 1, "metric")),
    ("claims", {**CLAIM, "figures": [FIGURE]}, ("figures", 0, "subject")),
    ("claims", {**CLAIM, "evidence": [EVIDENCE]}, ("evidence", 0, "source")),
    ("claims", {**CLAIM, "evidence": [EVIDENCE]}, ("evidence", 0, "derived_from")),
    ("sources", {**SOURCE, "contributors": [{"role": "author"}]}, ("contributors", 0, "entity")),
    ("sources", {**SOURCE, "relations": [{"kind": "quotes"}]}, ("relations", 0, "to")),
    ("entities", {**ENTITY, "relations": [{"kind": "part_of"}]}, ("relations", 0, "object")),
    (
        "entities",
        {**ENTITY, "relations": [{"kind": "part_of", "object_external_id": "hksz:hkpc"}]},
        ("relations", 0, "claim"),
    ),
    ("figures", FIGURE | OF_CLAIM, ("claim",)),
    ("figures", FIGURE | OF_CLAIM, ("metric",)),
    ("figures", FIGURE | OF_CLAIM, ("subject",)),
    ("evidence", EVIDENCE | OF_CLAIM, ("claim",)),
    ("evidence", EVIDENCE | OF_CLAIM, ("source",)),
    ("evidence", EVIDENCE | OF_CLAIM, ("derived_from",)),
]
TARGETS = {
    "claimant": "entities",
    "reported_by": "entities",
    "entity": "entities",
    "object": "entities",
    "subject": "entities",
    "claim": "claims",
    "source": "sources",
    "metric": "metrics",
    "derived_from": "evidence",
}
places = pytest.mark.parametrize(
    ("resource", "body", "place"),
    PLACES,
    ids=lambda part: ".".join(map(str, part)) if isinstance(part, tuple) else None,
)


def _with_reference(
    body: dict[str, Any], place: tuple[Any, ...], name: str, value: str
) -> tuple[Any, ...]:
    """The body with one reference set, and the JSON pointer to it."""
    *way, stem = place
    if not way:
        holder = body = {k: v for k, v in body.items() if not k.startswith(f"{stem}_")}
    else:
        items, index = way
        held = [dict(item) for item in body[items]]
        holder = held[index]
        for given in (f"{stem}_id", f"{stem}_external_id"):
            holder.pop(given, None)
        body = {**body, items: held}
    holder[f"{stem}_{name}"] = value
    return body, "#/" + "/".join(map(str, [*way, f"{stem}_{name}"]))


def _counts(client: Client) -> dict[str, Any]:
    return {
        name: client.get(f"/v1/{name}", count="exact", per_page="1").json["meta"]["count"]["value"]
        for name in RESOURCES
    }


@places
@pytest.mark.parametrize("name", ["id", "external_id"])
def test_an_unknown_reference_is_refused_with_its_pointer(
    editor: Client, resource: str, body: dict[str, Any], place: tuple[Any, ...], name: str
) -> None:
    missing = str(uuid4()) if name == "id" else "test:nobody"
    wrong, pointer = _with_reference(body, place, name, missing)
    before = _counts(editor)
    refused = editor.post(f"/v1/{resource}", wrong)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "not_found")
    assert missing in error["detail"]
    assert _counts(editor) == before


def _target(editor: Client, stem: str, resource: str) -> Answer:
    """A new row that the reference could lead to."""
    table = TARGETS.get(stem, resource)
    body = {
        "entities": ENTITY,
        "claims": CLAIM,
        "sources": SOURCE,
        "metrics": {
            "key": "firms",
            "label": "Firms",
            "dimension": "count",
            "accumulation": "stock",
        },
        "evidence": EVIDENCE | OF_CLAIM,
    }[table]
    made = editor.post(f"/v1/{table}", {**body, "external_id": "test:target"})
    assert made.status_code == 201
    return made


@places
@pytest.mark.parametrize("name", ["id", "external_id"])
def test_a_reference_to_a_deleted_row_is_refused(
    editor: Client, resource: str, body: dict[str, Any], place: tuple[Any, ...], name: str
) -> None:
    target = _target(editor, place[-1], resource)
    right, pointer = _with_reference(body, place, name, target.json[name])
    if place == ("derived_from",):
        right["page"] = "2"
    made = editor.post(f"/v1/{resource}", right)
    assert made.status_code == 201
    assert target.json["id"] in made.text
    assert editor.delete(made.headers["Location"]).status_code == 204
    assert editor.delete(target.headers["Location"]).status_code == 204
    refused = editor.post(f"/v1/{resource}", right)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "deleted")


@pytest.mark.parametrize(
    ("path", "body", "pointer"),
    [
        ("claims", {**CLAIM, "figures": [{**FIGURE, "unit_code": "km"}]}, "#/figures/0/unit_code"),
        ("figures", {**FIGURE, **OF_CLAIM, "unit_code": "km"}, "#/unit_code"),
        (
            "claims",
            {**CLAIM, "evidence": [{**EVIDENCE, "capture_text_sha256": "f" * 64}]},
            "#/evidence/0/capture_text_sha256",
        ),
        (
            "evidence",
            {**EVIDENCE, **OF_CLAIM, "capture_id": "0199c3a0-0000-7000-8000-000000000000"},
            "#/capture_id",
        ),
    ],
)
def test_unknown_units_and_captures_are_refused(
    editor: Client, path: str, body: dict[str, Any], pointer: str
) -> None:
    refused = editor.post(f"/v1/{path}", body)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["pointer"], error["code"]) == (pointer, "not_found")


def test_a_capture_of_another_source_is_refused(editor: Client) -> None:
    other = editor.post("/v1/sources", SOURCE).json["id"]
    capture = editor.get("/v1/sources").json["data"][0]["captures"][0]
    body = {"source_id": other, "stance": "mentions", **OF_CLAIM}
    for given in ({"capture_id": capture["id"]}, {"capture_text_sha256": capture["text_sha256"]}):
        refused = editor.post("/v1/evidence", body | given)
        assert refused.status_code == 422
        assert refused.json["errors"][0]["pointer"] == f"#/{next(iter(given))}"


def test_a_capture_that_is_given_by_id_and_by_another_hash_is_refused(editor: Client) -> None:
    captures = [{"char_length": 10, "text_sha256": letter * 64} for letter in "ab"]
    source = editor.post("/v1/sources", {**SOURCE, "captures": captures}).json
    first, second = source["captures"]
    body = {"source_id": source["id"], "stance": "mentions", **OF_CLAIM}
    body["capture_text_sha256"] = second["text_sha256"]
    refused = editor.post("/v1/evidence", {**body, "capture_id": first["id"]})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["pointer"], error["code"]) == ("#/capture_id", "invalid")
    accepted = editor.post("/v1/evidence", {**body, "capture_id": second["id"]})
    assert accepted.json["capture_id"] == second["id"]


@places
def test_a_reference_by_id_and_external_id_is_refused(
    editor: Client, resource: str, body: dict[str, Any], place: tuple[Any, ...]
) -> None:
    once, _ = _with_reference(body, place, "id", str(uuid4()))
    twice, _ = _with_reference(body, place, "id", str(uuid4()))
    holder = twice if len(place) == 1 else twice[place[0]][place[1]]
    holder[f"{place[-1]}_external_id"] = "hksz:hkpc"
    refused = editor.post(f"/v1/{resource}", twice)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["pointer"].endswith(f"{place[-1]}_external_id")
    assert "not both" in error["detail"]
    assert once != twice


@pytest.mark.parametrize(
    ("path", "body", "pointers"),
    [
        ("claims", {"statement": "x"}, ["#/claimant_id"]),
        ("figures", {}, ["#/claim_id", "#/metric_id", "#/subject_id"]),
        ("evidence", {"stance": "mentions"}, ["#/claim_id", "#/source_id"]),
        (
            "sources",
            {**SOURCE, "contributors": [{"role": "author"}], "relations": [{"kind": "quotes"}]},
            ["#/contributors/0/entity_id", "#/relations/0/to_id"],
        ),
    ],
)
def test_a_missing_reference_is_refused(
    editor: Client, path: str, body: dict[str, Any], pointers: list[str]
) -> None:
    refused = editor.post(f"/v1/{path}", body)
    assert refused.status_code == 422
    assert set(pointers) <= {error["pointer"] for error in refused.json["errors"]}


def test_all_wrong_references_are_reported_together(editor: Client) -> None:
    wrong = {
        **CLAIM,
        "claimant_external_id": "test:a",
        "entities": [{"entity_external_id": "test:b", "role": "subject"}],
        "figures": [{**FIGURE, "metric_external_id": "test:c", "unit_code": "km"}],
    }
    refused = editor.post("/v1/claims", wrong)
    assert {error["pointer"] for error in refused.json["errors"]} == {
        "#/claimant_external_id",
        "#/entities/0/entity_external_id",
        "#/figures/0/metric_external_id",
        "#/figures/0/unit_code",
    }


def test_the_references_of_a_patch_are_checked(editor: Client) -> None:
    claim = editor.post("/v1/claims", CLAIM)
    path = claim.headers["Location"]
    before = editor.get(path).json
    patch = {
        "statement": "Changed all the same?",
        "entities": [{"entity_external_id": "test:nobody", "role": "subject"}],
    }
    refused = editor.patch(path, patch)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/entities/0/entity_external_id"
    assert editor.get(path).json == before


def test_a_claim_with_an_invalid_figure_is_not_created(editor: Client) -> None:
    before = _counts(editor)
    wrong = {**CLAIM, "figures": [FIGURE, {**FIGURE, "comparator": "between"}]}
    refused = editor.post("/v1/claims", wrong)
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/figures/1/amount"
    assert _counts(editor) == before


def test_a_body_that_the_database_refuses_writes_nothing(editor: Client) -> None:
    before = _counts(editor)
    twice = {**CLAIM, "figures": [FIGURE], "evidence": [EVIDENCE, EVIDENCE]}
    assert editor.post("/v1/claims", twice).status_code == 409
    assert _counts(editor) == before
