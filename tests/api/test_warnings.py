"""Warnings in the answers to writes, and only there."""

from typing import Any

import pytest

from tests.api.conftest import Answer, Client

CLAIM = {
    "external_id": "test:claim",
    "statement": "So many were approved.",
    "claimant_external_id": "hksz:hkpc",
}
FIGURE = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "over 47,000",
    "comparator": "gt",
    "amount": "74000",
    "unit_code": "1",
}
LETTER = {"external_id": "test:letter", "csl_type": "post", "title": "A letter"}
PASSAGE = {"source_external_id": "test:letter", "stance": "asserts"}


def warned(answer: Answer) -> list[tuple[str, str]]:
    assert answer.status_code in {200, 201}, answer.text
    return [(warning["code"], warning["pointer"]) for warning in answer.json["warnings"]]


@pytest.fixture(autouse=True)
def _letter(editor: Client) -> None:
    answer = editor.post("/v1/sources", {**LETTER, "issued_edtf": "2020"})
    assert (answer.status_code, answer.json["warnings"]) == (201, [])


def test_the_parts_of_a_new_claim_are_warned_about(editor: Client) -> None:
    body = {
        **CLAIM,
        "statement": "In 2019, so many were approved.",
        "time_edtf": "2023",
        "figures": [
            {**FIGURE, "amount": "47000"},
            {**FIGURE, "comparator": "approx", "exact": True},
        ],
        "evidence": [PASSAGE, {**PASSAGE, "stance": "mentions"}],
    }
    assert warned(editor.post("/v1/claims", body)) == [
        ("differs_from_words", "#/figures/1/comparator"),
        ("differs_from_words", "#/figures/1/amount"),
        ("exact_without_effect", "#/figures/1/exact"),
        ("year_outside_time", "#/statement"),
        ("source_before_event", "#/evidence/0/source_id"),
    ]


def test_reads_and_other_documents_have_no_warnings(editor: Client) -> None:
    made = editor.post("/v1/claims", {**CLAIM, "figures": [FIGURE]})
    assert made.json["warnings"] != []
    path = made.headers["Location"]
    every = "entities,figures,evidence,statements,sources,corroboration,comparisons,similar"
    read = editor.get(path, include=every)
    assert "warnings" not in read.json
    assert "warnings" not in editor.get(path).json["figures"][0]
    assert "warnings" not in editor.get("/v1/claims", external_id="test:claim").json["data"][0]
    document = {name: value for name, value in made.json.items() if name != "warnings"}
    assert read.json == document
    assert read.headers["ETag"] == made.headers["ETag"]


def test_a_row_is_warned_about_as_a_change_leaves_it(editor: Client) -> None:
    claim = editor.post("/v1/claims", {**CLAIM, "figures": [FIGURE], "evidence": [PASSAGE]}).json
    path, figure = f"/v1/claims/{claim['id']}", f"/v1/figures/{claim['figures'][0]['id']}"
    assert warned(editor.patch(figure, {"estimate": "final"})) == [
        ("differs_from_words", "#/amount")
    ]
    assert warned(editor.patch(figure, {"amount": "47000"})) == []
    assert warned(editor.patch(path, {"topics": ["talent"]})) == []
    changed = editor.patch(path, {"time_edtf": "2023", "statement": "In 2021, they were many."})
    assert warned(changed) == [
        ("year_outside_time", "#/statement"),
        ("source_before_event", "#/time_edtf"),
    ]
    assert claim["evidence"][0]["id"] in changed.json["warnings"][1]["detail"]
    assert warned(editor.patch(path, {"time_edtf": "2999", "statement": "It will be."}))[0] == (
        "actual_in_future",
        "#/time_edtf",
    )
    due = {"modality": "planned", "time_edtf": None, "due_edtf": "2019"}
    assert warned(editor.patch(path, due)) == [("due_before_source", "#/due_edtf")]


def test_new_evidence_is_warned_about(editor: Client) -> None:
    claim = editor.post("/v1/claims", {**CLAIM, "time_edtf": "2023"}).json["id"]
    expected = [("source_before_event", "#/source_id")]
    alone = editor.post("/v1/evidence", {**PASSAGE, "claim_id": claim})
    assert warned(alone) == expected
    nested = editor.post(f"/v1/claims/{claim}/evidence", {**PASSAGE, "stance": "supports"})
    assert warned(nested) == expected
    path = f"/v1/evidence/{alone.json['id']}"
    assert warned(editor.patch(path, {"note": "Read again."})) == expected
    assert warned(editor.patch(path, {"stance": "mentions"})) == []


def test_another_date_of_a_source_is_warned_about(editor: Client) -> None:
    claim = {**CLAIM, "time_edtf": "2019", "evidence": [PASSAGE]}
    made = editor.post("/v1/claims", claim)
    assert warned(made) == []
    (source,) = editor.get("/v1/sources", external_id="test:letter").json["data"]
    path = f"/v1/sources/{source['id']}"
    changed = editor.patch(path, {"issued_edtf": "2018"})
    assert warned(changed) == [("source_before_event", "#/issued_edtf")]
    assert made.json["id"] in changed.json["warnings"][0]["detail"]
    assert warned(editor.patch(path, {"title": "Another letter"})) == []
    assert warned(editor.patch(path, {"issued_edtf": "2021"})) == []


def test_restored_rows_are_warned_about(editor: Client) -> None:
    made = editor.post("/v1/claims", {**CLAIM, "time_edtf": "2999"})
    path = made.headers["Location"]
    assert editor.delete(path).status_code == 204
    assert warned(editor.restore(path)) == [("actual_in_future", "#/time_edtf")]
    assert warned(editor.patch(path, {"time_edtf": None})) == []


def test_a_repeated_request_is_answered_with_the_same_warnings(editor: Client) -> None:
    body = {**FIGURE, "claim_external_id": "hksz:ttps-approved-2023"}
    headers = {"Idempotency-Key": "a"}
    first, second = (
        editor.send("POST", "/v1/figures", json=body, headers=headers) for _ in range(2)
    )
    assert second.headers["Idempotency-Replayed"] == "true"
    assert warned(second) == warned(first) == [("differs_from_words", "#/amount")]
    assert second.data == first.data


def bulk(editor: Client, resource: str, items: list[Any], mode: str = "upsert") -> list[Any]:
    answer = editor.post(f"/v1/{resource}/bulk?mode={mode}", {"items": items})
    assert answer.status_code == 207, answer.json
    return [
        [(warning["code"], warning["pointer"]) for warning in result["warnings"]]
        for result in answer.json["data"]
    ]


def test_items_have_warnings_of_their_own(editor: Client) -> None:
    named = {**FIGURE, "external_id": "test:figure"}
    item = {**CLAIM, "time_edtf": "2023", "figures": [named]}
    items = [item, {**CLAIM, "external_id": "test:other"}, {"statement": "Nobody's."}]
    new = [[("differs_from_words", "#/items/0/figures/0/amount")], [], []]
    assert bulk(editor, "claims", items) == new
    assert bulk(editor, "claims", items) == new
    added = {**PASSAGE, "external_id": "test:passage"}
    changed = {**item, "figures": [{**named, "amount": "47000"}], "evidence": [added]}
    assert bulk(editor, "claims", [changed]) == [
        [
            ("source_before_event", "#/items/0/time_edtf"),
            ("source_before_event", "#/items/0/evidence/0/source_id"),
        ]
    ]
    assert bulk(editor, "claims", [item], "ignore") == [[]]
    figures = [{**named, "claim_external_id": "test:claim"}]
    assert bulk(editor, "figures", figures) == [[("differs_from_words", "#/items/0/amount")]]


def test_a_locator_beyond_the_text_is_refused(editor: Client) -> None:
    sha256 = "c" * 64
    capture = {"char_length": 5, "text_sha256": sha256}
    (source,) = editor.get("/v1/sources", external_id="test:letter").json["data"]
    assert editor.patch(f"/v1/sources/{source['id']}", {"captures": [capture]}).status_code == 200
    hashes = {f"{name}_sha256": sha256 for name in ("exact", "prefix", "suffix")}
    place = {"start_char": 0, "end_char": 6, **hashes, "capture_text_sha256": sha256}
    answer = editor.post("/v1/claims", {**CLAIM, "evidence": [{**PASSAGE, **place}]})
    assert answer.status_code == 422, answer.json
