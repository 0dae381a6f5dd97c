"""PATCH is a merge patch (RFC 7396): absent fields stay, null clears, and lists are replaced."""

from typing import Any

import pytest

from tests.api.conftest import Answer, Client
from tests.samples import Sample


@pytest.fixture
def claim(editor: Client) -> Answer:
    """The answer that created a claim with values in all its lists and references."""
    made = editor.post(
        "/v1/claims",
        {
            "statement": "Forty firms moved.",
            "claimant_external_id": "hksz:hkpc",
            "reported_by_external_id": "hksz:tan-yifan",
            "time_as_stated": "last year",
            "time_edtf": "2023",
            "due_edtf": "2025-06",
            "topics": ["firms", "moves"],
            "entities": [{"entity_external_id": "hksz:hkpc", "role": "subject"}],
            "relations": [{"to_external_id": "hksz:author-post", "kind": "refines"}],
        },
    )
    assert made.status_code == 201
    return made


def _source(editor: Client, **fields: Any) -> Answer:
    made = editor.post("/v1/sources", {"csl_type": "report", "title": "A report", **fields})
    assert made.status_code == 201
    return made


def _entity(editor: Client, **fields: Any) -> Answer:
    names = [{"name": "A firm", "language": "en", "kind": "preferred"}]
    made = editor.post("/v1/entities", {"kind": "organisation", "names": names, **fields})
    assert made.status_code == 201
    return made


def test_null_clears_and_the_rest_stays(editor: Client, claim: Answer) -> None:
    patch = {"reported_by_id": None, "time_as_stated": None, "time_edtf": None, "due_edtf": None}
    changed = editor.patch(claim.headers["Location"], patch).json
    unknown = {"edtf": None, "earliest": None, "latest": None, "relative": None}
    assert changed["reported_by"] is None
    assert changed["time"] == {"as_stated": None, **unknown}
    assert changed["due"] == unknown
    for name in ("statement", "claimant", "topics", "entities", "relations"):
        assert changed[name] == claim.json[name]


def test_a_reference_can_be_cleared_by_either_of_its_names(editor: Client, claim: Answer) -> None:
    path = claim.headers["Location"]
    assert editor.patch(path, {"reported_by_external_id": None}).json["reported_by"] is None


def test_a_list_replaces_the_stored_list(editor: Client, claim: Answer) -> None:
    patch = {
        "topics": ["moves", "policy"],
        "entities": [{"entity_external_id": "hksz:shenzhen", "role": "location"}],
        "relations": [],
    }
    changed = editor.patch(claim.headers["Location"], patch).json
    assert changed["topics"] == ["moves", "policy"]
    assert [link["entity"]["external_id"] for link in changed["entities"]] == ["hksz:shenzhen"]
    assert changed["relations"] == []
    assert changed["statement"] == claim.json["statement"]


@pytest.mark.parametrize("patch", [{"topics": ["firms"]}, {"entities": []}, {"relations": []}])
def test_a_change_of_links_alone_is_a_new_version(
    editor: Client, claim: Answer, patch: dict[str, Any]
) -> None:
    changed = editor.patch(claim.headers["Location"], patch)
    assert changed.json["version"] == 2
    assert changed.headers["ETag"] != claim.headers["ETag"]


def test_the_same_list_in_another_order_of_topics_changes_nothing(
    editor: Client, claim: Answer
) -> None:
    again = editor.patch(claim.headers["Location"], {"topics": ["moves", "firms", "moves"]})
    assert again.headers["ETag"] == claim.headers["ETag"]


def test_both_media_types_are_accepted(editor: Client, claim: Answer) -> None:
    for number, media_type in enumerate(("application/merge-patch+json", "application/json")):
        changed = editor.send(
            "PATCH",
            claim.headers["Location"],
            data=b'{"statement": "Version %d."}' % number,
            content_type=media_type,
            headers={"If-Match": "*"},
        )
        assert changed.json["statement"] == f"Version {number}."


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/v1/claims", "statement"),
        ("/v1/claims", "topics"),
        ("/v1/claims", "modality"),
        ("/v1/sources", "title"),
        ("/v1/sources", "title_supplied"),
        ("/v1/sources", "contributors"),
        ("/v1/entities", "names"),
        ("/v1/entities", "kind"),
        ("/v1/figures", "as_stated"),
        ("/v1/figures", "unit_code"),
        ("/v1/evidence", "stance"),
        ("/v1/metrics", "nonnegative"),
        ("/v1/units", "label"),
    ],
)
def test_required_fields_cannot_be_cleared(editor: Client, path: str, field: str) -> None:
    row = f"{path}/{editor.get(path, per_page='1').json['data'][0]['id']}"
    refused = editor.patch(row, {field: None})
    assert refused.status_code == 422
    assert [(e["pointer"], e["code"]) for e in refused.json["errors"]] == [(f"#/{field}", "null")]


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        ("/v1/units", "code", "km"),
        ("/v1/figures", "claim_external_id", "hksz:author-post"),
        ("/v1/evidence", "claim_external_id", "hksz:author-post"),
        ("/v1/evidence", "source_external_id", "hksz:shenzhen-daily-article"),
        ("/v1/claims", "figures", []),
        ("/v1/claims", "evidence", []),
        ("/v1/claims", "version", 7),
        ("/v1/claims", "id", "0199c3a0-0000-7000-8000-000000000000"),
    ],
)
def test_fixed_fields_cannot_be_changed(editor: Client, path: str, field: str, value: Any) -> None:
    row = f"{path}/{editor.get(path, per_page='1').json['data'][0]['id']}"
    refused = editor.patch(row, {field: value})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["code"] == "unknown_field"
    assert refused.json["errors"][0]["pointer"] == f"#/{field}"


def test_contributors_are_replaced_in_their_order(editor: Client) -> None:
    author = {"entity_external_id": "hksz:tan-yifan", "role": "author", "credited_as": "writer"}
    publisher = {"entity_external_id": "hksz:hkpc", "role": "publisher"}
    path = _source(editor, contributors=[author, publisher]).headers["Location"]
    changed = editor.patch(path, {"contributors": [publisher, author]}).json
    assert [c["role"] for c in changed["contributors"]] == ["publisher", "author"]
    changed = editor.patch(path, {"contributors": [{**author, "credited_as": None}]}).json
    (left,) = changed["contributors"]
    assert (left["role"], left["credited_as"]) == ("author", None)


def test_a_capture_keeps_its_id_as_long_as_its_hash(editor: Client) -> None:
    capture = {"char_length": 10, "text_sha256": "a" * 64}
    made = _source(editor, captures=[capture])
    longer = {**capture, "char_length": 11}
    other = {"char_length": 5, "text_sha256": "b" * 64}
    changed = editor.patch(made.headers["Location"], {"captures": [other, longer]}).json
    by_hash = {c["text_sha256"]: c for c in changed["captures"]}
    assert by_hash["a" * 64]["id"] == made.json["captures"][0]["id"]
    assert by_hash["a" * 64]["char_length"] == 11
    assert len(by_hash) == 2


def test_a_capture_with_located_evidence_cannot_be_removed(editor: Client) -> None:
    article = editor.get("/v1/sources", external_id="hksz:shenzhen-daily-article").json["data"][0]
    refused = editor.patch(f"/v1/sources/{article['id']}", {"captures": []})
    assert refused.status_code == 409
    assert editor.get(f"/v1/sources/{article['id']}").json == article


def test_an_entity_is_shown_under_its_preferred_name(editor: Client) -> None:
    path = _entity(editor).headers["Location"]
    german = {"name": "Eine Firma", "language": "de", "kind": "preferred"}
    english = {"name": "The Firm", "language": "en", "kind": "preferred"}
    assert editor.patch(path, {"names": [german]}).json["name"] == "Eine Firma"
    assert editor.patch(path, {"names": [german, english]}).json["name"] == "The Firm"
    for wrong in ([], [{**english, "kind": "alias"}], [english, {**english, "name": "Firm"}]):
        refused = editor.patch(path, {"names": wrong})
        assert refused.status_code == 422
        assert refused.json["errors"][0]["pointer"] == "#/names"


def test_an_identifier_can_move_to_another_entity(editor: Client) -> None:
    identifier = [{"scheme": "orcid", "value": "0000-0002-1825-0097"}]
    first = _entity(editor, identifiers=identifier).headers["Location"]
    second = _entity(editor).headers["Location"]
    assert editor.patch(second, {"identifiers": identifier}).status_code == 409
    assert editor.patch(first, {"identifiers": []}).json["identifiers"] == []
    assert editor.patch(second, {"identifiers": identifier}).json["identifiers"] == identifier


def test_relations_of_an_entity_name_their_claim(editor: Client) -> None:
    relation = {
        "kind": "part_of",
        "object_external_id": "hksz:hkpc",
        "qualifier": "a branch",
        "during_edtf": "2017/2020",
        "claim_external_id": "hksz:author-post",
    }
    path = _entity(editor).headers["Location"]
    (made,) = editor.patch(path, {"relations": [relation]}).json["relations"]
    assert made["object"]["external_id"] == "hksz:hkpc"
    assert made["during"] == {"edtf": "2017/2020", "earliest": "2017-01-01", "latest": "2020-12-31"}
    assert made["claim"]["external_id"] == "hksz:author-post"
    (bare,) = editor.patch(
        path, {"relations": [{"kind": "part_of", "object_external_id": "hksz:hkpc"}]}
    ).json["relations"]
    assert (bare["qualifier"], bare["claim"], bare["during"]["edtf"]) == (None, None, None)


def test_the_ranges_of_a_changed_figure_are_recomputed(editor: Client) -> None:
    figure = editor.get("/v1/figures", external_id="hksz:ttps-approved-2023-figure").json["data"][0]
    path = f"/v1/figures/{figure['id']}"
    rounded = editor.patch(path, {"comparator": "eq"}).json
    assert (rounded["range_rule"], rounded["plausible_range"]["lower"]) == ("half_step", "46500")
    exact = editor.patch(path, {"exact": True}).json
    assert exact["range_rule"] == "exact"
    assert (
        exact["value_range"]
        == exact["plausible_range"]
        == {
            "lower": "47000",
            "upper": "47000",
            "lower_inclusive": True,
            "upper_inclusive": True,
        }
    )
    between = {"comparator": "between", "amount": None, "lower_bound": "1", "upper_bound": "2.50"}
    changed = editor.patch(path, between).json
    assert changed["amount"] is None
    assert (changed["value_range"]["lower"], changed["value_range"]["upper"]) == ("1", "2")
    refused = editor.patch(path, {"comparator": "eq"})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/amount"


def test_a_figure_converts_to_base_units(editor: Client) -> None:
    for unit in ({"code": "km2", "label": "square kilometre"}, {"code": "har", "label": "hectare"}):
        assert editor.post("/v1/units", unit).status_code == 201
    metric = {"key": "area", "label": "Area", "dimension": "area", "accumulation": "stock"}
    assert editor.post("/v1/metrics", {**metric, "external_id": "test:area"}).status_code == 201
    figure = {
        "claim_external_id": "hksz:futian-in-shenzhen",
        "metric_external_id": "test:area",
        "subject_external_id": "hksz:futian",
        "as_stated": "0.87 km²",
        "comparator": "eq",
        "amount": "0.87",
        "unit_code": "km2",
    }
    made = editor.post("/v1/figures", figure)
    assert made.json["value_range"]["lower"] == "860000.00"
    changed = editor.patch(made.headers["Location"], {"amount": "87", "unit_code": "har"}).json
    assert changed["value_range"]["lower"] == "860000"
    refused = editor.patch(made.headers["Location"], {"unit_code": "1"})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/unit_code"


def test_decimals_are_kept_digit_by_digit(editor: Client, samples: dict[str, Sample]) -> None:
    sample = samples["figures"]
    made = editor.post(sample.path, sample.body | {"amount": "0.10"})
    assert made.json["amount"] == "0.10"
    shorter = editor.patch(made.headers["Location"], {"amount": "0.1"})
    assert (shorter.json["amount"], shorter.json["version"]) == ("0.1", 2)
    thirty = "123456789012345678901234567890.12345678901234567890"
    assert editor.patch(made.headers["Location"], {"amount": thirty}).json["amount"] == thirty


def test_a_locator_is_complete_or_absent(editor: Client, samples: dict[str, Sample]) -> None:
    sample = samples["evidence"]
    path = editor.post(sample.path, sample.body).headers["Location"]
    whole = {
        "start_char": 3,
        "end_char": 9,
        **{f"{part}_sha256": "0" * 64 for part in ("exact", "prefix", "suffix")},
    }
    half = editor.patch(path, {"start_char": 3})
    assert half.status_code == 422
    assert half.json["errors"][0]["pointer"] == "#/start_char"
    backwards = editor.patch(path, {**whole, "end_char": 3})
    assert backwards.status_code == 422
    assert backwards.json["errors"][0]["pointer"] == "#/end_char"
    assert editor.patch(path, whole).json["end_char"] == 9
    assert editor.patch(path, dict.fromkeys(whole)).json["end_char"] is None


def test_evidence_can_be_derived_from_other_evidence_later(editor: Client) -> None:
    first, second = editor.get("/v1/evidence", per_page="2").json["data"]
    path = f"/v1/evidence/{first['id']}"
    changed = editor.patch(path, {"derived_from_external_id": second["external_id"]}).json
    assert changed["derived_from_id"] == second["id"]
    itself = editor.patch(path, {"derived_from_id": first["id"]})
    assert itself.status_code == 422
    assert itself.json["errors"][0]["pointer"] == "#/derived_from_id"


def test_a_metric_in_use_keeps_its_dimension(editor: Client) -> None:
    metric = editor.get("/v1/metrics", key="ttps-approved").json["data"][0]
    path = f"/v1/metrics/{metric['id']}"
    assert editor.patch(path, {"dimension": "ratio"}).status_code == 409
    assert editor.patch(path, {"label": "Approved"}).status_code == 200


@pytest.mark.parametrize(
    ("resource", "field", "kind"),
    [
        ("sources", "to_id", "quotes"),
        ("claims", "to_id", "refines"),
        ("entities", "object_id", "part_of"),
    ],
)
def test_a_relation_to_itself_is_refused(
    editor: Client, samples: dict[str, Sample], resource: str, field: str, kind: str
) -> None:
    made = editor.post(samples[resource].path, samples[resource].body)
    relation = {field: made.json["id"], "kind": kind}
    refused = editor.patch(made.headers["Location"], {"relations": [relation]})
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/relations"


def test_a_cycle_of_sources_is_refused(editor: Client) -> None:
    first = _source(editor, external_id="test:a")
    second = _source(editor, relations=[{"to_external_id": "test:a", "kind": "copy_of"}])
    third = _source(editor, relations=[{"to_id": second.json["id"], "kind": "quotes"}])
    # It also rests on this one, which is on no cycle.
    _source(editor, relations=[{"to_id": third.json["id"], "kind": "cites"}])
    back = [{"to_id": third.json["id"], "kind": "rewrite_of"}]
    refused = editor.patch(first.headers["Location"], {"relations": back})
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert error["pointer"] == "#/relations"
    one, two, three = (made.json["id"] for made in (first, second, third))
    named = [f"{one} rewrite_of {three}", f"{two} copy_of {one}", f"{three} quotes {two}"]
    assert error["detail"].endswith(f"may not form a cycle: {', '.join(named)}.")


@pytest.mark.parametrize(
    "kinds",
    [
        ("supersedes", "supersedes"),
        ("supersedes", "corrects"),
        ("corrects", "supersedes", "supersedes", "corrects", "supersedes"),
    ],
)
def test_a_cycle_of_claims_that_replace_each_other_is_refused(
    editor: Client, kinds: tuple[str, ...]
) -> None:
    first, *others = kinds
    claims = [_claim(editor)]
    for kind in others:
        to = [{"to_id": claims[-1].json["id"], "kind": kind}]
        claims.append(_claim(editor, relations=to))
    back = {"relations": [{"to_id": claims[-1].json["id"], "kind": first}]}
    refused = editor.patch(claims[0].headers["Location"], back)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["pointer"], error["code"]) == ("#/relations", "rule")
    named = [f"{claims[0].json['id']} {first} {claims[-1].json['id']}"]
    for kind, claim, other in zip(others, claims[1:], claims, strict=False):
        named.append(f"{claim.json['id']} {kind} {other.json['id']}")
    assert error["detail"].endswith(f"may not form a cycle: {', '.join(named)}.")
    assert editor.get(claims[0].headers["Location"]).json["relations"] == []
    item = {"external_id": "test:first", **back}
    assert editor.patch(claims[0].headers["Location"], {"external_id": "test:first"}).json
    (result,) = editor.post("/v1/claims/bulk?mode=upsert", {"items": [item]}).json["data"]
    assert result["status"] == 422
    assert result["errors"][0]["detail"] == error["detail"]


def test_other_relations_of_claims_may_form_a_cycle(editor: Client) -> None:
    first = _claim(editor)
    second = _claim(editor, relations=[{"to_id": first.json["id"], "kind": "contradicts"}])
    for kind in ("contradicts", "supersedes"):
        back = {"relations": [{"to_id": second.json["id"], "kind": kind}]}
        assert editor.patch(first.headers["Location"], back).status_code == 200


def _claim(editor: Client, **fields: Any) -> Answer:
    made = editor.post(
        "/v1/claims", {"statement": "x", "claimant_external_id": "hksz:hkpc", **fields}
    )
    assert made.status_code == 201, made.text
    return made
