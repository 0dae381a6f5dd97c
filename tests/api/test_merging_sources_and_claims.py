"""Merging sources and claims: evidence, figures and relations move, and come back when undone."""

from collections.abc import Callable
from typing import Any

import pytest

from hksz_db.database import Session, run
from hksz_db.domain.vocabulary import Scope
from tests.api.conftest import Answer, Client, MakeClient
from tests.api.test_merging import dump

SHA = {letter: letter * 64 for letter in "abc"}
LOCATOR = {
    "start_char": 2,
    "end_char": 9,
    "exact_sha256": "1" * 64,
    "prefix_sha256": "2" * 64,
    "suffix_sha256": "3" * 64,
}
FIGURE = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:hkpc",
    "as_stated": "over 47,000",
    "period_edtf": "2023",
}

Make = Callable[..., Answer]


@pytest.fixture
def source(editor: Client) -> Make:
    def make(title: str, **fields: Any) -> Answer:
        made = editor.post("/v1/sources", {"csl_type": "report", "title": title, **fields})
        assert made.status_code == 201, made.text
        return made

    return make


@pytest.fixture
def claim(editor: Client) -> Make:
    def make(statement: str, *evidence: dict[str, Any], **fields: Any) -> Answer:
        passages = [{"stance": "asserts", "status": "accepted", **each} for each in evidence]
        body = {"statement": statement, "status": "accepted", "evidence": passages}
        made = editor.post("/v1/claims", {**body, "claimant_external_id": "hksz:hkpc", **fields})
        assert made.status_code == 201, made.text
        return made

    return make


def _merge(editor: Client, one: Answer, other: Answer) -> Answer:
    path = f"{one.headers['Location']}/merge"
    return editor.post(path, {"into_id": other.json["id"]}, **{"If-Match": "*"})


def _unmerge(editor: Client, one: Answer) -> Answer:
    return editor.post(f"{one.headers['Location']}/unmerge", **{"If-Match": "*"})


def _capture(letter: str) -> dict[str, Any]:
    return {"normalization": "nfc-ws1", "char_length": 90, "text_sha256": SHA[letter]}


def test_evidence_moves_with_its_captures(
    editor: Client, reader: Client, session: Session, source: Make, claim: Make
) -> None:
    one = source("A report", captures=[_capture("a"), _capture("b")])
    other = source("The report", captures=[_capture("b"), _capture("c")])
    passages = [
        {"source_id": one.json["id"], "capture_text_sha256": SHA[letter], "page": letter, **LOCATOR}
        for letter in "ab"
    ]
    said = claim("It is so.", *passages)
    before = dump(session)
    merged = _merge(editor, one, other)
    assert merged.status_code == 200, merged.text
    captures = {each["text_sha256"]: each["id"] for each in merged.json["captures"]}
    assert captures.keys() == set(SHA.values())
    evidence = reader.get(said.headers["Location"]).json["evidence"]
    assert [each["source"]["id"] for each in evidence] == [other.json["id"]] * 2
    assert [each["capture_id"] for each in evidence] == [captures[SHA["a"]], captures[SHA["b"]]]
    moved = reader.get(one.headers["Location"])
    assert (moved.status_code, moved.headers["Location"]) == (308, other.headers["Location"])
    assert _unmerge(editor, one).json["id"] == one.json["id"]
    assert dump(session) == before


def test_duplicate_evidence_is_deleted_and_what_derives_from_it_follows(
    editor: Client, reader: Client, session: Session, source: Make, claim: Make
) -> None:
    one, other, third = (source(title) for title in ("Page", "The page", "A blog"))
    said = claim("It is so.", *({"source_id": each.json["id"]} for each in (one, other)))
    gone, kept = said.json["evidence"]
    derived = claim("So.", {"source_id": third.json["id"], "derived_from_id": gone["id"]})
    # The evidence that is kept derives from the evidence that is deleted.
    path = f"/v1/evidence/{kept['id']}"
    assert editor.patch(path, {"derived_from_id": gone["id"]}).status_code == 200
    before = dump(session)
    assert _merge(editor, one, other).status_code == 200
    assert reader.get(f"/v1/evidence/{gone['id']}").status_code == 410
    found = reader.get(said.headers["Location"]).json["evidence"]
    assert [each["id"] for each in found] == [kept["id"]]
    assert found[0]["derived_from_id"] is None
    (follows,) = reader.get(derived.headers["Location"]).json["evidence"]
    assert follows["derived_from_id"] == kept["id"]
    assert editor.restore(f"/v1/evidence/{gone['id']}").status_code == 409
    assert _unmerge(editor, one).status_code == 200
    assert dump(session) == before


@pytest.mark.parametrize(
    ("merged", "remaining", "kept"),
    [
        ("submitted", "rejected", "submitted"),
        ("accepted", "submitted", "accepted"),
        ("submitted", "draft", "submitted"),
        ("submitted", "accepted", "accepted"),
        ("rejected", "draft", "draft"),
    ],
)
def test_of_two_passages_that_are_the_same_the_one_that_counts_or_waits_is_kept(
    editor: Client,
    reader: Client,
    session: Session,
    source: Make,
    claim: Make,
    merged: str,
    remaining: str,
    kept: str,
) -> None:
    where = {"source_id": source("A report").json["id"], **LOCATOR}
    one, other = (claim("It is so.", {**where, "status": each}) for each in (merged, remaining))
    before = dump(session)
    assert _merge(editor, one, other).status_code == 200
    (evidence,) = reader.get(other.headers["Location"]).json["evidence"]
    assert evidence["status"] == kept
    waiting = [each["evidence"]["id"] for each in editor.get("/v1/review").json["data"]]
    assert waiting == ([evidence["id"]] if kept == "submitted" else [])
    assert _unmerge(editor, one).status_code == 200
    assert dump(session) == before


def test_the_remaining_source_keeps_its_description(
    editor: Client, session: Session, source: Make
) -> None:
    credit = {"entity_external_id": "hksz:hkpc", "role": "publisher"}
    original = source("The original")
    one = source(
        "A page",
        url="https://example.org/a.htm",
        contributors=[credit],
        relations=[{"kind": "copy_of", "to_id": original.json["id"]}],
    )
    other = source(
        "The page",
        url="https://example.org/b",
        relations=[{"kind": "copy_of", "to_id": one.json["id"]}],
    )
    before = dump(session)
    merged = _merge(editor, one, other).json
    assert (merged["title"], merged["url"]) == ("The page", "https://example.org/b")
    assert merged["contributors"] == []
    relations = [(each["kind"], each["to"]["id"]) for each in merged["relations"]]
    assert relations == [("copy_of", original.json["id"])]
    # The URL of the merged source leads to it, so that it is not entered again.
    body = {"csl_type": "report", "title": "x", "url": "http://www.example.org/a.htm"}
    (fault,) = editor.post("/v1/sources", body).json["errors"]
    assert (fault["id"], fault["state"]) == (one.json["id"], "merged")
    assert other.json["id"] in fault["detail"]
    assert _unmerge(editor, one).status_code == 200
    assert dump(session) == before


def test_relations_that_would_form_a_cycle_prevent_a_merge(
    editor: Client, session: Session, source: Make
) -> None:
    one = source("A page")
    between = source("Between", relations=[{"kind": "cites", "to_id": one.json["id"]}])
    other = source("The page", relations=[{"kind": "cites", "to_id": between.json["id"]}])
    before = dump(session)
    refused = _merge(editor, one, other)
    assert refused.status_code == 409
    assert refused.json["detail"] == "The sources cannot be merged."
    (error,) = refused.json["errors"]
    ends = between.json["id"], other.json["id"]
    named = f"{' cites '.join(ends)}, {' cites '.join(reversed(ends))}"
    assert error["detail"] == f"The relations of sources may not form a cycle: {named}."
    assert dump(session) == before


@pytest.mark.parametrize("kind", ["supersedes", "corrects"])
def test_claims_that_would_replace_each_other_are_not_merged(
    editor: Client, session: Session, claim: Make, kind: str
) -> None:
    one = claim("It was so.")
    between = claim("It was not so.", relations=[{"kind": kind, "to_id": one.json["id"]}])
    other = claim("It was.", relations=[{"kind": "supersedes", "to_id": between.json["id"]}])
    before = dump(session)
    refused = _merge(editor, one, other)
    assert refused.status_code == 409
    assert refused.json["detail"] == "The claims cannot be merged."
    (error,) = refused.json["errors"]
    first, second = between.json["id"], other.json["id"]
    named = f"{first} {kind} {second}, {second} supersedes {first}"
    assert error["detail"].endswith(f"may not form a cycle: {named}.")
    assert "pointer" not in error
    assert dump(session) == before


def test_dates_relative_to_a_merged_source_follow_the_remaining_one(
    editor: Client, reader: Client, session: Session, source: Make, claim: Make
) -> None:
    one, other = source("A page", issued_edtf="2024-01-29"), source("x", issued_edtf="2023-06-01")
    ago = {"anchor_id": one.json["id"], "duration": "-P1Y"}
    said = claim(
        "It was so.",
        {"source_id": one.json["id"], "said_relative": ago},
        time_relative=ago,
        figures=[{**FIGURE, "period_edtf": None, "period_relative": ago}],
    )
    before = dump(session)

    def dates() -> list[str]:
        read = reader.get(said.headers["Location"]).json
        parts = (read["figures"][0]["period"], read["evidence"][0]["said"])
        return [each["edtf"] for each in (read["time"], *parts)]

    assert dates() == ["2023"] * 3
    assert _merge(editor, one, other).status_code == 200
    assert dates() == ["2022"] * 3
    assert _unmerge(editor, one).status_code == 200
    assert dump(session) == before
    undated = source("Undated")
    refused = _merge(editor, one, undated)
    assert refused.status_code == 409
    assert said.json["id"] in refused.json["errors"][0]["detail"]
    assert dump(session)["claims"] == before["claims"]


def test_a_merge_of_claims_counts_the_evidence_on_both(
    editor: Client, reader: Client, session: Session, source: Make, claim: Make
) -> None:
    publishers = ("hksz:hkpc", "hksz:shenzhen-daily")
    one_source, other_source = (
        source(f"By {name}", contributors=[{"entity_external_id": name, "role": "publisher"}]).json[
            "id"
        ]
        for name in publishers
    )
    link = {"entity_external_id": "hksz:shenzhen", "role": "object"}
    one = claim(
        "Over 47,000 came.",
        {"source_id": other_source},
        {"source_id": one_source},
        figures=[FIGURE, {**FIGURE, "period_edtf": "2022"}],
        topics=["talent"],
        entities=[link],
    )
    other = claim("47,000 came.", {"source_id": one_source}, figures=[FIGURE], entities=[link])
    relations = [{"kind": "duplicate_of", "to_id": other.json["id"]}]
    assert editor.patch(one.headers["Location"], {"relations": relations}).status_code == 200
    before = dump(session)
    merged = _merge(editor, one, other)
    assert merged.status_code == 200, merged.text
    periods = [each["period"]["edtf"] for each in merged.json["figures"]]
    assert sorted(periods) == ["2022", "2023"]
    sources = [each["source"]["id"] for each in merged.json["evidence"]]
    assert sorted(sources) == sorted([one_source, other_source])
    assert (merged.json["topics"], len(merged.json["entities"])) == (["talent"], 1)
    assert merged.json["relations"] == []
    assert merged.json["corroboration"]["for"]["origins"] == 2
    history = reader.get(f"{one.headers['Location']}/history").json["data"]
    assert history[0]["op"] == "merge"
    assert _unmerge(editor, one).status_code == 200
    assert dump(session) == before


def test_translations_into_further_languages_move_with_a_merged_claim(
    editor: Client, session: Session, claim: Make
) -> None:
    one, other = (
        claim(
            statement,
            language=original,
            statements=[
                {"language": language, "text": f"{statement} {language}", "translated_by": "human"}
                for language in languages
            ],
        )
        for statement, original, languages in (
            ("有。", "zh-Hant", ("de", "en", "fr")),
            ("It is.", "en", ("de",)),
        )
    )
    before = dump(session)
    merged = _merge(editor, one, other)
    texts = [each["text"] for each in merged.json["statements"]]
    assert sorted(texts) == ["It is. de", "有。 fr"]
    assert (merged.json["statement"], merged.json["version"]) == ("It is.", 2)
    assert _unmerge(editor, one).status_code == 200
    assert dump(session) == before


def test_a_relation_to_a_merged_claim_leads_to_the_remaining_one(
    editor: Client, claim: Make
) -> None:
    one, other, last = (claim(statement) for statement in ("It is.", "It was.", "It will be."))
    _merge(editor, one, other)
    _merge(editor, other, last)
    answering = claim("No.", relations=[{"kind": "denies", "to_id": one.json["id"]}])
    assert answering.json["relations"][0]["to"]["id"] == last.json["id"]
    # A figure inherits the modality of the remaining claim.
    figure = editor.post("/v1/figures", {**FIGURE, "claim_id": one.json["id"]})
    assert (figure.json["claim"]["id"], figure.json["modality"]) == (last.json["id"], "actual")


@pytest.mark.parametrize("way", ["evidence", "figures", "evidence of the claim"])
def test_what_is_added_to_a_merged_claim_goes_to_the_remaining_one(
    editor: Client, claim: Make, source: Make, way: str
) -> None:
    one, other, last = claim("It was so."), claim("It was."), claim("It happened.")
    for merged, into in ((one, other), (other, last)):
        assert _merge(editor, merged, into).status_code == 200
    passage = {"source_id": source("A page").json["id"], "stance": "supports"}
    of_claim = {"claim_id": one.json["id"]}
    path, body = {
        "evidence": ("/v1/evidence", passage | of_claim),
        "figures": ("/v1/figures", FIGURE | of_claim),
        "evidence of the claim": (f"{one.headers['Location']}/evidence", passage),
    }[way]
    made = editor.post(path, body)
    assert made.status_code == 201, made.text
    assert made.json["claim"]["id"] == last.json["id"]
    assert editor.delete(made.headers["Location"]).status_code == 204
    assert editor.delete(last.headers["Location"]).status_code == 204
    assert editor.post(path, body).status_code == (410 if way == "evidence of the claim" else 422)


def test_claims_of_different_modalities_are_not_merged(editor: Client, claim: Make) -> None:
    one, other = claim("It is."), claim("It will be.", modality="planned", due_edtf="2030")
    (fault,) = _merge(editor, one, other).json["errors"]
    assert (fault["code"], fault["pointer"]) == ("modality", "#/into_id")
    assert "actual and planned" in fault["detail"]


@pytest.mark.parametrize("status", ["draft", "submitted", "rejected"])
def test_only_an_accepted_claim_is_merged_into_an_accepted_one(
    editor: Client, reader: Client, session: Session, claim: Make, status: str
) -> None:
    one, other = claim("It is.", figures=[FIGURE], status=status), claim("It is so.")
    before = dump(session)
    (fault,) = _merge(editor, one, other).json["errors"]
    assert (fault["code"], fault["pointer"]) == ("status", "#/into_id")
    assert dump(session) == before
    assert reader.get(other.headers["Location"]).json["figures"] == []
    # In the other direction the accepted figures are to be reviewed again.
    assert _merge(editor, other, one).status_code == 200


def test_a_merge_is_not_undone_while_changed_figures_await_review(
    editor: Client, claim: Make
) -> None:
    one, other = claim("It is.", figures=[FIGURE]), claim("It is so.", status="submitted")
    assert _merge(editor, one, other).status_code == 200
    figure = f"/v1/figures/{one.json['figures'][0]['id']}"
    changed = {"as_stated": "over 99,000", "comparator": "gt", "amount": "99000"}
    assert editor.patch(figure, changed).status_code == 200
    refused = _unmerge(editor, one)
    assert refused.status_code == 409
    assert [fault["code"] for fault in refused.json["errors"]] == ["status"]
    accepted = editor.patch(other.headers["Location"], {"status": "accepted"})
    assert accepted.status_code == 200
    assert _unmerge(editor, one).status_code == 200


def test_a_later_merge_of_another_resource_is_undone_first(
    editor: Client, session: Session, source: Make, claim: Make
) -> None:
    one_source, other_source = source("A page"), source("The page")
    one = claim("It is.", {"source_id": one_source.json["id"]})
    other = claim("It is so.", {"source_id": other_source.json["id"]})
    before = dump(session)
    assert _merge(editor, one_source, other_source).status_code == 200
    # Now both pieces of evidence have the same source.
    assert _merge(editor, one, other).status_code == 200
    refused = _unmerge(editor, one_source)
    assert refused.status_code == 409
    (fault,) = refused.json["errors"]
    assert fault["code"] == "later"
    assert f"The claim {one.json['id']}" in fault["detail"]
    assert _unmerge(editor, one).status_code == 200
    assert _unmerge(editor, one_source).status_code == 200
    assert dump(session) == before


def test_a_capture_that_is_used_since_prevents_the_undoing(
    editor: Client, source: Make, claim: Make
) -> None:
    one, other = source("A page", captures=[_capture("a")]), source("The page")
    _merge(editor, one, other)
    claim("It is.", {"source_id": other.json["id"], "capture_text_sha256": SHA["a"], **LOCATOR})
    refused = _unmerge(editor, one)
    assert refused.status_code == 409
    assert refused.json["detail"] == "The merge cannot be undone."
    assert "capture" in refused.json["errors"][0]["detail"]


def test_the_feed_tells_where_a_claim_went(editor: Client, reader: Client, claim: Make) -> None:
    one, other = claim("It is."), claim("It is so.")
    _merge(editor, one, other)
    entries = reader.get("/v1/changes", resource="claims", per_page=100).json["data"]
    *_, entry = (each for each in entries if each["id"] == one.json["id"])
    assert (entry["merged_into"], entry["document"]) == (other.json["id"], None)


@pytest.mark.parametrize("resource", ["sources", "claims"])
def test_each_merge_is_recorded(
    editor: Client, session: Session, source: Make, claim: Make, resource: str
) -> None:
    make = {"sources": source, "claims": claim}[resource]
    one, other = make("One"), make("Other")
    _merge(editor, one, other)
    _unmerge(editor, one)
    singular = resource.removesuffix("s")
    sql = f"SELECT {singular}_id, into_id, undone_at IS NOT NULL FROM {singular}_merges"
    ids = [row.json["id"] for row in (one, other)]
    assert [[str(row[0]), str(row[1]), row[2]] for row in run(session, sql)] == [[*ids, True]]


@pytest.mark.parametrize(
    ("resource", "scope"), [("sources", Scope.SOURCES_WRITE), ("claims", Scope.CLAIMS_WRITE)]
)
def test_merging_needs_both_scopes(
    make_client: MakeClient, source: Make, claim: Make, resource: str, scope: Scope
) -> None:
    make = {"sources": source, "claims": claim}[resource]
    one, other = make("One"), make("Other")
    for scopes, status in (((scope,), 403), ((Scope.REVIEW,), 403), ((scope, Scope.REVIEW), 200)):
        client = make_client(*scopes, label=f"with {len(scopes)} {scopes[0]}")
        assert _merge(client, one, other).status_code == status
