"""Corroboration over HTTP: the origins of the evidence for and against a claim."""

from collections.abc import Callable

import pytest
from marshmallow import RAISE, Schema, fields

from schemas.corroboration import CorroborationSchema
from tests.api.conftest import Client

ARTICLE = "hksz:shenzhen-daily-article"
TALENT = "hksz:ttps-approved-2023"

Add = Callable[..., str]
Counts = Callable[[], tuple[str, tuple[int, int], tuple[int, int]]]


@pytest.fixture
def add_source(editor: Client) -> Add:
    """``add_source(title, kind="ids")`` adds a source with relations and returns its id.

    Each has a publisher of its own.
    """

    def add(title, **rests_on):
        names = [{"name": f"The publisher of {title}", "language": "en", "kind": "preferred"}]
        publisher = editor.post("/v1/entities", {"kind": "organisation", "names": names}).json
        relations = [
            {"kind": kind, "to_id": id} for kind, ids in rests_on.items() for id in ids.split()
        ]
        credit = {"entity_id": publisher["id"], "role": "publisher"}
        body = {
            "csl_type": "report",
            "title": title,
            "relations": relations,
            "contributors": [credit],
        }
        response = editor.post("/v1/sources", body)
        assert response.status_code == 201
        return response.json["id"]

    return add


@pytest.fixture
def claim(editor: Client) -> str:
    """The path of a claim without evidence."""
    body = {"statement": "It rained.", "claimant_external_id": "hksz:hkpc"}
    return editor.post("/v1/claims", body).headers["Location"]


@pytest.fixture
def add_evidence(editor: Client, claim: str) -> Add:
    """``add_evidence(source)`` adds evidence to the claim and returns its path."""

    def add(source, stance="supports", **fields):
        body = {"source_id": source, "stance": stance, "status": "accepted", **fields}
        response = editor.post(f"{claim}/evidence", body)
        assert response.status_code == 201
        return response.headers["Location"]

    return add


@pytest.fixture
def counts(reader: Client, claim: str) -> Counts:
    """``counts()`` returns the verdict on the claim, and its sources and origins on both sides."""

    def ask():
        answer = reader.get(f"{claim}/corroboration").json
        counts = [(answer[side]["sources"], answer[side]["origins"]) for side in ("for", "against")]
        for side, (_, origins) in zip(("for", "against"), counts, strict=True):
            entries = [origin for origin in answer["origins"] if origin["stance"] == side]
            assert sum(origin["counted"] for origin in entries) == origins
            weighed = [each for each in answer["evidence"] if each["stance"] == side]
            assert sum(each["counted"] for each in weighed) == origins
        return answer["verdict"], *counts

    return ask


def strict(schema: Schema) -> Schema:
    """The schema without additional properties."""
    schema.unknown = RAISE
    for field in schema.fields.values():
        inner = field.inner if isinstance(field, fields.List) else field
        if isinstance(inner, fields.Nested):
            strict(inner.schema)
    return schema


def test_a_claim_without_evidence_is_unsupported(counts: Counts) -> None:
    assert counts() == ("unsupported", (0, 0), (0, 0))


@pytest.mark.parametrize(
    ("kind", "origins"),
    [
        *((kind, 1) for kind in ("copy_of", "version_of", "part_of")),
        # A new origin, which adds nothing beside the source that it rests on.
        *((kind, 1) for kind in ("cites", "quotes", "based_on")),
        *((kind, 2) for kind in ("corrects", "retracts", "replies_to")),
    ],
)
def test_relations_that_add_an_origin(
    add_source: Add, add_evidence: Add, counts: Counts, kind: str, origins: int
) -> None:
    first = add_source("A report")
    add_evidence(first)
    add_evidence(add_source("Another", **{kind: first}))
    assert counts()[1] == (2, origins)


def test_reprints_of_a_release_are_one_origin(
    add_source: Add, add_evidence: Add, counts: Counts
) -> None:
    release = add_source("A release")
    add_evidence(release, "asserts")
    assert counts() == ("single_origin", (1, 1), (0, 0))
    reprint = add_source("A reprint", syndicated_from=release)
    add_evidence(reprint)
    add_evidence(add_source("A translation of the reprint", translation_of=reprint))
    assert counts() == ("single_origin", (3, 1), (0, 0))


def test_a_round_up_is_not_counted_beside_its_releases(
    add_source: Add, add_evidence: Add, counts: Counts
) -> None:
    one, two = add_source("One release"), add_source("Another")
    add_evidence(add_source("A round-up", rewrite_of=f"{one} {two}"))
    assert counts() == ("single_origin", (1, 1), (0, 0))
    add_evidence(one)
    assert counts() == ("single_origin", (2, 1), (0, 0))
    add_evidence(two)
    assert counts() == ("corroborated", (3, 2), (0, 0))


def test_what_only_quotes_a_release_adds_nothing_beside_it(
    add_source: Add, add_evidence: Add, counts: Counts, editor: Client
) -> None:
    release = add_source("A release")
    passage = add_evidence(release)
    add_evidence(add_source("A comment", quotes=release))
    assert counts() == ("single_origin", (2, 1), (0, 0))
    assert editor.delete(passage).status_code == 204
    assert counts() == ("single_origin", (1, 1), (0, 0))


def test_both_sides_are_counted_by_themselves(
    add_source: Add, add_evidence: Add, counts: Counts, editor: Client
) -> None:
    passage = add_evidence(add_source("A release"), "disputes")
    assert counts() == ("refuted", (0, 0), (1, 1))
    add_evidence(add_source("A report"))
    assert counts() == ("disputed", (1, 1), (1, 1))
    add_evidence(add_source("A chronicle"), "mentions")
    assert counts() == ("disputed", (1, 1), (1, 1))
    assert editor.patch(passage, {"stance": "supports"}).status_code == 200
    assert counts() == ("corroborated", (2, 2), (0, 0))


def test_a_derived_passage_is_not_an_origin(
    add_source: Add, add_evidence: Add, counts: Counts, reader: Client, claim: str
) -> None:
    first = add_evidence(add_source("A report"))
    add_evidence(add_source("A blog"), derived_from_id=first.rpartition("/")[2])
    assert counts() == ("single_origin", (2, 1), (0, 0))
    (origin,) = reader.get(f"{claim}/corroboration").json["origins"]
    assert [step["kind"] for via in origin["via"] for step in via["steps"]] == ["derived_from"]


def test_rejected_and_deleted_evidence_does_not_count(
    add_source: Add, add_evidence: Add, counts: Counts, editor: Client
) -> None:
    passage, other = add_evidence(add_source("A rumour")), add_evidence(add_source("A report"))
    assert counts()[0] == "corroborated"
    assert editor.patch(passage, {"status": "rejected"}).status_code == 200
    assert counts() == ("single_origin", (1, 1), (0, 0))
    assert editor.delete(other).status_code == 204
    assert counts() == ("unsupported", (0, 0), (0, 0))
    assert editor.restore(other).status_code == 200
    assert counts() == ("single_origin", (1, 1), (0, 0))


def test_a_retracted_source_is_shown_and_not_counted(
    add_source: Add, add_evidence: Add, counts: Counts, editor: Client, reader: Client, claim: str
) -> None:
    release, chronicle = add_source("A release"), add_source("A chronicle")
    for source in (release, add_source("A reprint", copy_of=release), chronicle):
        add_evidence(source)
    assert counts() == ("corroborated", (3, 2), (0, 0))
    retraction = {"retracted_at": "2024-05-01T00:00:00Z"}
    assert editor.patch(f"/v1/sources/{release}", retraction).status_code == 200
    assert counts() == ("single_origin", (1, 1), (0, 0))
    origins = {o["source_id"]: o for o in reader.get(f"{claim}/corroboration").json["origins"]}
    assert (origins[release]["retracted"], origins[release]["counted"]) == (True, False)
    assert len(origins[release]["via"]) == 2
    assert (origins[chronicle]["retracted"], origins[chronicle]["counted"]) == (False, True)
    assert editor.patch(f"/v1/sources/{release}", {"retracted_at": None}).status_code == 200
    assert counts() == ("corroborated", (3, 2), (0, 0))


def test_counts_follow_changes_of_relations(
    add_source: Add, add_evidence: Add, counts: Counts, editor: Client
) -> None:
    one, two = add_source("One"), add_source("Two")
    add_evidence(one)
    add_evidence(two)
    for relations, expected in (([{"kind": "copy_of", "to_id": one}], 1), ([], 2)):
        changed = editor.patch(f"/v1/sources/{two}", {"relations": relations})
        assert changed.status_code == 200
        assert counts()[1] == (2, expected)


def test_the_answer_shows_the_path_to_each_origin(
    add_source: Add, add_evidence: Add, reader: Client, claim: str
) -> None:
    release = add_source("A release")
    reprint = add_source("A reprint", syndicated_from=release)
    last = add_source("A translation", translation_of=reprint)
    add_evidence(last)
    answer = reader.get(f"{claim}/corroboration").json
    assert strict(CorroborationSchema()).load(answer)
    (origin,) = answer["origins"]
    assert (origin["source_id"], origin["title"]) == (release, "A release")
    (via,) = origin["via"]
    assert via["source_id"] == last
    steps = [(step["kind"], step["source_id"]) for step in via["steps"]]
    assert steps == [("translation_of", reprint), ("syndicated_from", release)]


def test_a_merge_of_who_made_the_sources_makes_them_one_voice(
    add_source: Add, add_evidence: Add, editor: Client, counts: Counts
) -> None:
    ids = []
    for number in range(2):
        names = [{"name": f"Office {number}", "language": "en", "kind": "preferred"}]
        body = {"kind": "organisation", "names": names}
        ids.append(editor.post("/v1/entities", body).json["id"])
        source = add_source(f"A report of office {number}")
        made = {"contributors": [{"entity_id": ids[-1], "role": "publisher"}]}
        assert editor.patch(f"/v1/sources/{source}", made).status_code == 200
        add_evidence(source)
    assert counts() == ("corroborated", (2, 2), (0, 0))
    merged = editor.post(f"/v1/entities/{ids[0]}/merge", {"into_id": ids[1]}, **{"If-Match": "*"})
    assert merged.status_code == 200
    assert counts() == ("single_origin", (2, 1), (0, 0))
    undone = editor.post(f"/v1/entities/{ids[0]}/unmerge", **{"If-Match": "*"})
    assert undone.status_code == 200
    assert counts() == ("corroborated", (2, 2), (0, 0))


def test_a_cycle_of_cited_sources_is_refused(
    add_source: Add, add_evidence: Add, editor: Client, counts: Counts
) -> None:
    first = last = add_source("The first")
    for number in range(20):
        last = add_source(f"Copy {number}", copy_of=last)
    add_evidence(last)
    refused = editor.patch(
        f"/v1/sources/{first}", {"relations": [{"kind": "copy_of", "to_id": last}]}
    )
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/relations"
    assert counts() == ("single_origin", (1, 1), (0, 0))


def test_a_retracted_source_on_the_path_is_shown(
    add_source: Add, add_evidence: Add, editor: Client, reader: Client, claim: str
) -> None:
    release = add_source("A release")
    reprint = add_source("A reprint", copy_of=release)
    add_evidence(add_source("A copy of the reprint", copy_of=reprint))
    retraction = {"retracted_at": "2024-05-01T00:00:00Z"}
    assert editor.patch(f"/v1/sources/{reprint}", retraction).status_code == 200
    (origin,) = reader.get(f"{claim}/corroboration").json["origins"]
    assert (origin["counted"], origin["retracted"]) == (True, False)
    (via,) = origin["via"]
    assert [step["retracted"] for step in via["steps"]] == [True, False]


def test_corroboration_is_embedded_in_a_claim_and_on_request_in_a_list(
    reader: Client, claim: str
) -> None:
    alone = reader.get(f"{claim}/corroboration").json
    assert reader.get(claim).json["corroboration"] == alone
    assert "corroboration" not in reader.get("/v1/claims", per_page="1").json["data"][0]
    listed = reader.get("/v1/claims", sort="-id", include="corroboration", per_page="1")
    assert listed.json["data"][0]["corroboration"] == alone


def test_corroboration_of_a_missing_claim_is_404_or_410(
    reader: Client, editor: Client, claim: str
) -> None:
    assert (
        reader.get("/v1/claims/00000000-0000-7000-8000-000000000000/corroboration").status_code
        == 404
    )
    assert reader.get(f"{claim}/corroboration", verdict="x").status_code == 400
    assert editor.delete(claim).status_code == 204
    assert reader.get(f"{claim}/corroboration").status_code == 410


def test_lists_can_be_filtered_and_sorted_by_corroboration(
    add_source: Add, add_evidence: Add, reader: Client, claim: str
) -> None:
    for n in range(3):
        add_evidence(add_source(f"Witness {n}"))
    id = claim.rpartition("/")[2]
    first = reader.get("/v1/claims", sort="-corroboration__origins", per_page="1")
    assert first.json["data"][0]["id"] == id
    for name, value, found in (
        ("corroboration__origins__gte", "2", True),
        ("corroboration__origins", "3", True),
        ("corroboration__origins__lt", "3", False),
        ("corroboration__origins_against", "0", True),
        ("corroboration__verdict", "corroborated", True),
        ("corroboration__verdict__in", "refuted,disputed", False),
        ("corroboration__verdict__ne", "corroborated", False),
    ):
        rows = reader.get("/v1/claims", **{name: value, "id": id}).json["data"]
        assert bool(rows) is found, name
    assert reader.get("/v1/claims", corroboration__verdict="proven").status_code == 400


def test_the_etag_of_a_claim_changes_with_its_corroboration(
    add_source: Add, add_evidence: Add, reader: Client, editor: Client, claim: str
) -> None:
    one, two = add_source("One"), add_source("Two")
    add_evidence(one)
    add_evidence(two)
    before = reader.get(claim).headers["ETag"]
    changed = editor.patch(f"/v1/sources/{two}", {"relations": [{"kind": "copy_of", "to_id": one}]})
    assert changed.status_code == 200
    known = reader.send("GET", claim, headers={"If-None-Match": before})
    assert known.status_code == 200
    # The claim itself has not changed: a client that has read it may still write it.
    assert editor.patch(claim, {"statement": "It poured."}, before).status_code == 200


def test_live_claims_are_counted_by_verdict(
    add_source: Add, add_evidence: Add, editor: Client, reader: Client
) -> None:
    add_evidence(add_source("A witness"), "disputes")
    removed = reader.get("/v1/claims", per_page="1").json["data"][0]["id"]
    assert editor.delete(f"/v1/claims/{removed}").status_code == 204
    for query in ({}, {"statement__contains": "a"}, {"statement__ne": "nothing"}):
        answer = reader.get("/v1/claims/aggregate", group_by="corroboration__verdict", **query)
        counts = {row["corroboration__verdict"]: row["count"] for row in answer.json["data"]}
        assert counts == {"single_origin": 75, "refuted": 1}, query
