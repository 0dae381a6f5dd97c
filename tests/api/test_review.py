"""Reviews: the steps of a status, notes, four eyes, and the queue."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import count
from typing import Any
from uuid import UUID

import pytest

from app import create_app
from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome, Scope
from hksz_db.exchange.importing import import_entries
from hksz_db.exchange.readers.entries import ImportEntry
from hksz_db.preparing import seed_folders
from hksz_db.queries import review
from hksz_db.services import seeding
from hksz_db.services.batches import update
from hksz_db.services.duplicates import search_duplicates
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.api.conftest import Client

NUMBERS = count(1)
ARTICLE = "hksz:shenzhen-daily-article"
METRIC = "hksz:metric-ttps-approved"


def figure(amount: int, **fields):
    """A figure that can be compared with that of the seed, which is over 47,000."""
    return {
        "metric_external_id": METRIC,
        "subject_external_id": "hksz:ttps",
        "as_stated": f"exactly {amount:,}",
        "comparator": "eq",
        "amount": str(amount),
        "unit_code": "1",
        "period_edtf": "2023",
        **fields,
    }


def add(client, resource="claims", **fields):
    """A new row; its path."""
    least: dict[str, dict[str, Any]] = {
        "claims": {
            "statement": f"Firm {next(NUMBERS)} moved.",
            "claimant_external_id": "hksz:hkpc",
        },
        "evidence": {
            "source_external_id": ARTICLE,
            "stance": "supports",
            "page": str(next(NUMBERS)),
        },
    }
    if resource == "evidence" and "claim_id" not in fields:
        fields["claim_id"] = add(client).rpartition("/")[2]
    made = client.post(f"/v1/{resource}", {**least[resource], **fields})
    assert made.status_code == 201, made.json
    return made.headers["Location"]


def move(client, path, status, **fields):
    """A change of the status; the answer."""
    return client.patch(path, {"status": status, **fields})


def moved(client, path, status, **fields):
    """A change of the status that succeeds; the document."""
    answer = move(client, path, status, **fields)
    assert answer.status_code == 200, answer.json
    return answer.json


def code(refused):
    """The status of an error, and the codes of its faults."""
    return refused.status_code, *(error["code"] for error in refused.json.get("errors", []))


@pytest.fixture
def author(make_client):
    return make_client(Scope.CLAIMS_WRITE, label="author")


@pytest.fixture
def reviewer(make_client):
    return make_client(Scope.CLAIMS_WRITE, Scope.REVIEW, label="reviewer")


@pytest.fixture(scope="session")
def strict_app():
    return create_app(Settings(four_eyes=True, log_level="error"), Database(lambda: ""))


@pytest.fixture
def four_eyes(app, strict_app, monkeypatch):
    """The service demands four eyes."""
    monkeypatch.setitem(app.config, "FOUR_EYES", strict_app.config["FOUR_EYES"])


RESOURCES = pytest.mark.parametrize("resource", ["claims", "evidence"])


@RESOURCES
def test_an_author_submits_and_takes_back(author, resource):
    path = add(author, resource, status="draft")
    for status in ("submitted", "draft", "submitted"):
        document = moved(author, path, status)
        assert (document["status"], document["reviewed_by"]) == (status, None)


def test_a_claim_can_be_withdrawn_and_submitted_again(author):
    path = add(author)
    for status in ("retracted", "submitted", "retracted", "draft"):
        assert moved(author, path, status)["status"] == status


@RESOURCES
@pytest.mark.parametrize("verdict", ["accepted", "rejected"])
def test_a_verdict_names_who_gave_it_and_when(author, reviewer, resource, verdict):
    path = add(author, resource)
    document = moved(reviewer, path, verdict, review_note="Page 3 says so.")
    assert document["review_note"] == "Page 3 says so."
    assert document["reviewed_by"] == "reviewer"
    assert document["reviewed_at"] == document["updated_at"]
    entry = author.get(f"{path}/history").json["data"][0]
    assert entry["actor"] == "reviewer"
    assert set(entry["changed"]) == {"status", "review_note", "reviewed_by", "reviewed_at"}
    listed = author.get(f"/v1/{resource}", reviewed_by="reviewer").json["data"]
    assert [row["id"] for row in listed] == [document["id"]]


@RESOURCES
def test_a_row_that_is_sent_back_is_a_draft_with_a_note(author, reviewer, resource):
    path = add(author, resource)
    for note in ("Which page?", "Which page?"):
        document = moved(reviewer, path, "draft", review_note=note)
        assert [document[n] for n in ("status", "review_note", "reviewed_by")] == [
            "draft",
            note,
            "reviewer",
        ]
        # The note stays, so that the next reviewer sees what was asked for.
        assert moved(author, path, "submitted")["review_note"] == note
    accepted = moved(reviewer, path, "accepted")
    assert (accepted["review_note"], accepted["reviewed_by"]) == (None, "reviewer")
    notes = [
        author.get(f"{path}/history/{version}").json["document"]["review_note"]
        for version in (1, 2, 3)
    ]
    assert notes == [None, "Which page?", "Which page?"]


def test_the_same_note_of_another_reviewer_is_another_review(author, reviewer, editor):
    path = add(author)
    moved(reviewer, path, "draft", review_note="Which page?")
    moved(author, path, "submitted")
    assert moved(editor, path, "draft", review_note="Which page?")["reviewed_by"] == "editor"


@pytest.mark.parametrize("status", ["draft", "accepted", "rejected"])
def test_a_note_needs_the_scope_to_review(author, status):
    assert code(move(author, add(author), status, review_note="Fine.")) == (403,)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        ("submitted", {}),
        ("draft", {"status": "submitted"}),
        ("submitted", {"status": "submitted"}),
        ("draft", {"status": "draft"}),
    ],
)
def test_a_note_without_a_review_is_refused(reviewer, before, change):
    path = add(reviewer, status=before)
    refused = reviewer.patch(path, {"review_note": "Hm.", **change})
    assert code(refused) == (422, "misplaced")
    assert reviewer.get(path).json["review_note"] is None


def test_a_row_can_be_created_with_a_note_on_its_verdict(reviewer):
    path = add(reviewer, status="accepted", review_note="Seen in print.")
    document = reviewer.get(path).json
    assert (document["review_note"], document["reviewed_by"]) == ("Seen in print.", "reviewer")
    body = {"statement": "It rained.", "claimant_external_id": "hksz:hkpc", "review_note": "?"}
    assert code(reviewer.post("/v1/claims", body)) == (422, "misplaced")


@pytest.mark.parametrize(
    ("resource", "before", "after", "legal"),
    [
        ("claims", "draft", "accepted", "submitted or retracted"),
        ("claims", "draft", "rejected", "submitted or retracted"),
        ("claims", "rejected", "accepted", "draft or submitted"),
        ("claims", "retracted", "accepted", "draft or submitted"),
        ("evidence", "draft", "accepted", "submitted"),
        ("evidence", "rejected", "accepted", "draft or submitted"),
    ],
)
def test_an_illegal_step_names_the_legal_ones(reviewer, resource, before, after, legal):
    path = add(reviewer, resource, status=before)
    refused = move(reviewer, path, after)
    assert code(refused) == (409, "transition")
    (error,) = refused.json["errors"]
    assert error["pointer"] == "#/status"
    assert f"can become {legal}, not {after}" in error["detail"]
    assert reviewer.get(path).json["status"] == before


@RESOURCES
def test_a_rejected_row_is_submitted_again_once_it_is_changed(author, reviewer, resource):
    change = {"claims": {"statement": "Two firms moved."}, "evidence": {"note": "Page 4."}}
    path = add(author, resource)
    moved(reviewer, path, "rejected", review_note="No.")
    assert code(author.patch(path, change[resource])) == (403,)
    assert "draft or submitted" in author.patch(path, change[resource]).json["detail"]
    assert code(move(author, path, "submitted")) == (409, "unchanged")
    moved(author, path, "draft")
    assert code(move(author, path, "submitted")) == (409, "unchanged")
    document = moved(author, path, "submitted", **change[resource])
    assert (document["status"], document["review_note"]) == ("submitted", "No.")


def test_new_evidence_is_a_change_of_a_rejected_claim(author, reviewer):
    path = add(author)
    moved(reviewer, path, "rejected")
    moved(author, path, "draft")
    add(author, "evidence", claim_id=path.rpartition("/")[2])
    assert moved(author, path, "submitted")["status"] == "submitted"


def test_figures_of_a_rejected_claim_are_changed_when_it_is_a_draft(author, reviewer):
    path = add(author, figures=[figure(45_120)])
    part = f"/v1/figures/{author.get(path).json['figures'][0]['id']}"
    moved(reviewer, path, "rejected")
    change = {"amount": "45121", "as_stated": "exactly 45,121"}
    assert code(author.patch(part, change)) == (403,)
    assert code(author.delete(part)) == (403,)
    moved(author, path, "draft")
    assert author.patch(part, change).status_code == 200
    assert moved(author, path, "submitted")["status"] == "submitted"


def test_reviewers_take_verdicts_back(author, reviewer):
    path = add(author)
    for status in ("accepted", "submitted", "rejected", "submitted", "accepted", "rejected"):
        assert moved(reviewer, path, status)["status"] == status
    moved(reviewer, path, "draft")
    moved(reviewer, path, "submitted")
    moved(reviewer, path, "accepted")
    assert code(move(author, path, "draft")) == (403,)
    assert moved(reviewer, path, "retracted")["status"] == "retracted"


def test_a_bulk_call_follows_the_steps(author, reviewer):
    path = add(author, external_id="t:bulk", status="draft")
    items = {"items": [{"external_id": "t:bulk", "status": "accepted"}]}
    (result,) = reviewer.post("/v1/claims/bulk?mode=upsert", items).json["data"]
    assert (result["status"], result["errors"][0]["code"]) == (409, "transition")
    items = {"items": [{"external_id": "t:bulk", "status": "submitted", "review_note": "?"}]}
    (result,) = reviewer.post("/v1/claims/bulk?mode=upsert", items).json["data"]
    assert (result["status"], result["errors"][0]["code"]) == (422, "misplaced")
    moved(author, path, "submitted")
    items = {"items": [{"external_id": "t:bulk", "status": "rejected", "review_note": "No."}]}
    (result,) = author.post("/v1/claims/bulk?mode=upsert", items).json["data"]
    assert result["status"] == 403
    (result,) = reviewer.post("/v1/claims/bulk?mode=upsert", items).json["data"]
    assert result["outcome"] == "updated"
    assert author.get(path).json["review_note"] == "No."


def test_a_draft_of_evidence_counts_for_nothing(author):
    path = add(author)
    passage = add(author, "evidence", claim_id=path.rpartition("/")[2], status="draft")
    assert author.get(path).json["corroboration"]["for"]["sources"] == 0
    assert author.get(passage).json["status"] == "draft"


# Four eyes


@pytest.mark.usefixtures("four_eyes")
@RESOURCES
def test_a_key_cannot_accept_what_it_wrote(reviewer, editor, resource):
    path = add(reviewer, resource)
    refused = move(reviewer, path, "accepted")
    assert code(refused) == (403, "four_eyes")
    assert "another key" in refused.json["detail"]
    assert reviewer.get(path).json["status"] == "submitted"
    assert moved(editor, path, "accepted")["reviewed_by"] == "editor"


@pytest.mark.usefixtures("four_eyes")
def test_to_reject_needs_no_other_eyes(reviewer):
    assert moved(reviewer, add(reviewer), "rejected")["status"] == "rejected"


@pytest.mark.usefixtures("four_eyes")
@pytest.mark.parametrize(
    "change",
    [
        {"statement": "Another statement."},
        {"topics": ["firms"]},
        {"entities": [{"entity_external_id": "hksz:ttps", "role": "subject"}]},
    ],
)
def test_a_change_of_a_submitted_claim_makes_its_key_an_author(author, reviewer, editor, change):
    path = add(author, topics=["trade"])
    assert reviewer.patch(path, change).status_code == 200
    assert code(move(reviewer, path, "accepted")) == (403, "four_eyes")
    # Taking it back and submitting it again is no way around it.
    moved(reviewer, path, "draft")
    moved(reviewer, path, "submitted")
    assert code(move(reviewer, path, "accepted")) == (403, "four_eyes")
    moved(editor, path, "accepted")


@pytest.mark.usefixtures("four_eyes")
def test_a_key_that_changes_and_accepts_at_once_is_an_author(author, reviewer):
    path = add(author)
    refused = move(reviewer, path, "accepted", statement="Another statement.")
    assert code(refused) == (403, "four_eyes")
    assert reviewer.get(path).json["statement"] != "Another statement."


@pytest.mark.usefixtures("four_eyes")
@pytest.mark.parametrize("part", ["add", "change", "delete", "evidence"])
def test_a_change_of_a_part_makes_its_key_an_author_of_the_claim(author, reviewer, editor, part):
    path = add(author, figures=[figure(48_000)])
    claim = author.get(path).json
    figures = f"/v1/figures/{claim['figures'][0]['id']}"
    match part:
        case "add":
            body = {**figure(49_000), "claim_id": claim["id"]}
            assert reviewer.post("/v1/figures", body).status_code == 201
        case "change":
            change = {"amount": "48001", "as_stated": "exactly 48,001"}
            assert reviewer.patch(figures, change).status_code == 200
        case "delete":
            assert reviewer.delete(figures).status_code == 204
        case "evidence":
            add(reviewer, "evidence", claim_id=claim["id"])
    assert code(move(reviewer, path, "accepted")) == (403, "four_eyes")
    moved(editor, path, "accepted")


@pytest.mark.usefixtures("four_eyes")
def test_a_review_of_evidence_does_not_write_the_claim(author, reviewer):
    path = add(author)
    passage = add(author, "evidence", claim_id=path.rpartition("/")[2])
    moved(reviewer, passage, "accepted")
    moved(reviewer, path, "draft", review_note="Which year?")
    moved(author, path, "submitted", statement="It moved in 2020.")
    assert moved(reviewer, path, "accepted")["status"] == "accepted"


@pytest.mark.usefixtures("four_eyes")
def test_what_was_accepted_since_is_no_longer_unseen(reviewer, editor):
    path = add(reviewer)
    moved(editor, path, "accepted")
    moved(editor, path, "submitted", statement="Another statement.")
    assert moved(reviewer, path, "accepted")["reviewed_by"] == "reviewer"


@pytest.mark.usefixtures("four_eyes")
def test_what_is_accepted_is_not_changed_by_one_alone(author, reviewer, editor):
    path = add(author, figures=[figure(48_000)])
    moved(reviewer, path, "accepted")
    claim = author.get(path).json
    part = f"/v1/figures/{claim['figures'][0]['id']}"
    for refused in (
        editor.patch(path, {"statement": "Another statement."}),
        editor.patch(part, {"amount": "1", "as_stated": "exactly 1"}),
        editor.delete(part),
        editor.post("/v1/figures", {**figure(49_000), "claim_id": claim["id"]}),
    ):
        assert code(refused) == (403, "four_eyes")
        assert "submitted" in refused.json["detail"]
    # Nothing differs, so nothing is refused.
    assert editor.patch(path, {"statement": claim["statement"]}).status_code == 200
    moved(editor, path, "submitted", statement="Another statement.")
    assert code(move(editor, path, "accepted")) == (403, "four_eyes")
    assert moved(reviewer, path, "accepted")["statement"] == "Another statement."


@pytest.mark.usefixtures("four_eyes")
def test_no_row_is_created_as_accepted(reviewer, samples):
    body = {**samples["claims"].body, "status": "accepted"}
    refused = reviewer.post("/v1/claims", body)
    assert code(refused) == (403, "four_eyes")
    assert "create the row as submitted" in refused.json["detail"]
    body = {**samples["claims"].body, "evidence": [{**samples["evidence"].body}]}
    del body["evidence"][0]["claim_external_id"]
    body["evidence"][0]["status"] = "accepted"
    refused = reviewer.post("/v1/claims", body)
    assert code(refused) == (403, "four_eyes")
    assert refused.json["errors"][0]["pointer"] == "#/evidence/0/status"
    (result,) = reviewer.post("/v1/claims/bulk", {"items": [body]}).json["data"]
    assert (result["status"], result["errors"][0]["code"]) == (403, "four_eyes")


@pytest.mark.usefixtures("four_eyes")
def test_bulk_calls_need_other_eyes_for_each_item(author, reviewer):
    for name, client in (("t:own", reviewer), ("t:foreign", author)):
        add(client, external_id=name)
    items = [{"external_id": name, "status": "accepted"} for name in ("t:own", "t:foreign")]
    answer = reviewer.post("/v1/claims/bulk?mode=upsert", {"items": items}).json["data"]
    assert [result["outcome"] for result in answer] == ["failed", "updated"]
    assert answer[0]["errors"][0]["code"] == "four_eyes"


@pytest.mark.usefixtures("four_eyes")
def test_a_restored_version_is_not_accepted_by_who_wrote_it(author, reviewer, editor):
    path = add(author)
    moved(reviewer, path, "accepted")
    moved(editor, path, "submitted", statement="Another statement.")
    restore = f"{path}/history/2/restore"
    # The restored statement is not that which stands.
    refused = editor.send("POST", restore, headers={"If-Match": "*"})
    assert code(refused) == (403, "four_eyes")


@pytest.mark.parametrize("dry_run", [False, True])
def test_imports_need_other_eyes(database, dry_run):
    body = {
        "external_id": "t:imported",
        "statement": "It rained.",
        "claimant_external_id": "hksz:hkpc",
        "status": "accepted",
    }
    entry = ImportEntry(1, "claims", body)
    outcomes = []
    for four_eyes in (True, False):
        (report,) = import_entries(
            database,
            iter([entry]),
            BulkMode.UPSERT,
            "import:x",
            four_eyes=four_eyes,
            dry_run=dry_run,
        )
        outcomes.append((report.outcome, [fault.code for fault in report.faults]))
    assert outcomes == [(BulkOutcome.FAILED, ["four_eyes"]), (BulkOutcome.CREATED, [])]


@pytest.mark.usefixtures("four_eyes")
def test_the_seed_is_accepted_by_its_own_key(reader, database):
    (article, *_) = seed_folders()
    claim = reader.get("/v1/claims", external_id="hksz:ttps-approved-2023").json["data"][0]
    assert (claim["status"], claim["reviewed_by"]) == ("accepted", f"seed:{article.name}")
    with writing(database) as session:
        assert seeding.load(session, article).changed == 0
        run(session, "UPDATE seed_items SET content_sha256 = repeat('0', 64)")
    with writing(database) as session:
        assert seeding.load(session, article).changed > 0


# The queue


def queue(client, **query):
    """All pages of the queue: of each entry what it is about, and why it is there."""
    entries = []
    while True:
        answer = client.get("/v1/review", **query)
        assert answer.status_code == 200, answer.json
        entries += answer.json["data"]
        cursor = answer.json["meta"]["next_cursor"]
        if cursor is None:
            return entries
        query["cursor"] = cursor


def order(entries):
    return [
        ((entry["evidence"] or entry["claim"])["external_id"], entry["reason"]) for entry in entries
    ]


@pytest.fixture
def waiting(author, session):
    """Submissions of each kind, in an order that is not that of the queue."""
    plain = add(author, external_id="t:plain")
    add(author, "evidence", external_id="t:passage", claim_id=plain.rpartition("/")[2])
    words = "Sixty shops in the harbour district closed their doors for good in the spring."
    add(author, external_id="t:one", statement=words)
    add(author, external_id="t:two", statement=words)
    add(author, external_id="t:against", figures=[figure(45_120)])
    add(author, external_id="t:with", figures=[figure(47_681)])
    add(author, external_id="t:draft", status="draft", figures=[figure(45_120)])
    # Time stands still in a test.
    names = ("plain", "passage", "one", "two", "against", "with")
    for age, name in enumerate(names):
        sql = (
            "UPDATE submissions SET submitted_at = now() + $2 * interval '1 s' WHERE id ="
            " (SELECT id FROM claims WHERE external_id = $1"
            " UNION SELECT id FROM evidence WHERE external_id = $1)"
        )
        run(session, sql, f"t:{name}", age)


EXPECTED = [
    ("t:against", "contradicts"),
    ("t:one", "likely_duplicate"),
    ("t:two", "likely_duplicate"),
    ("t:plain", "age"),
    ("t:passage", "age"),
    ("t:with", "age"),
]


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("searched", [False, True])
@pytest.mark.parametrize("per_page", [1, 2, 3, 25])
def test_contradictions_come_first_then_duplicates_then_age(reader, database, per_page, searched):
    with writing(database) as session:
        found = search_duplicates(session) if searched else None
        assert found in {None, 5}
        assert not searched or search_duplicates(session) == 0
    assert order(queue(reader, per_page=str(per_page))) == EXPECTED


@pytest.mark.usefixtures("waiting")
def test_an_entry_says_what_accepting_it_would_change(reader):
    entries = {order([entry])[0][0]: entry for entry in queue(reader)}
    against = entries["t:against"]
    assert (against["kind"], against["evidence"]) == ("claim", None)
    (comparison,) = against["effect"]["contradictions"]["data"]
    assert comparison["verdict"] == "contradicts"
    assert comparison["other"]["claim"]["external_id"] == "hksz:ttps-approved-2023"
    (duplicate,) = entries["t:one"]["effect"]["duplicates"]
    assert duplicate["claim"]["external_id"] == "t:two"
    assert entries["t:plain"]["effect"] == {
        "verdict": None,
        "contradictions": {"data": [], "all": True},
        "duplicates": [],
    }
    passage = entries["t:passage"]
    assert (passage["kind"], passage["claim"]["external_id"]) == ("evidence", "t:plain")
    assert passage["evidence"]["source"]["external_id"] == ARTICLE
    assert passage["evidence"]["added_by"] == "author"


@pytest.mark.usefixtures("waiting")
@pytest.mark.parametrize("stance", ["supports", "disputes"])
def test_the_verdict_after_is_that_of_the_accepted_evidence(reader, author, reviewer, stance):
    (claim,) = reader.get("/v1/claims", external_id="t:with").json["data"]
    path = add(author, "evidence", claim_id=claim["id"], stance=stance, external_id="t:new")
    verdict = {order([entry])[0][0]: entry for entry in queue(reader)}["t:new"]["effect"]["verdict"]
    corroboration = reader.get(f"/v1/claims/{claim['id']}/corroboration").json
    assert verdict["now"] == corroboration["verdict"]
    moved(reviewer, path, "accepted")
    corroboration = reader.get(f"/v1/claims/{claim['id']}/corroboration").json
    assert verdict["after"] == corroboration["verdict"]


@pytest.mark.usefixtures("waiting")
def test_reviewed_and_deleted_rows_leave_the_queue(reader, author, reviewer):
    def path(name, resource="claims"):
        (row,) = reader.get(f"/v1/{resource}", external_id=name).json["data"]
        return f"/v1/{resource}/{row['id']}"

    gone = path("t:two")
    moved(reviewer, path("t:against"), "rejected")
    moved(reviewer, path("t:passage", "evidence"), "rejected")
    moved(author, path("t:plain"), "draft")
    assert author.delete(gone).status_code == 204
    assert order(queue(reader)) == [("t:one", "age"), ("t:with", "age")]
    assert author.restore(gone).status_code == 200
    moved(author, path("t:plain"), "submitted")
    left = order(queue(reader))
    assert set(left[:2]) == set(EXPECTED[1:3])
    assert {name for name, _ in left[2:]} == {"t:plain", "t:with"}


@pytest.mark.usefixtures("waiting")
def test_a_claim_that_is_accepted_makes_others_contradict(reader, reviewer):
    (row,) = reader.get("/v1/claims", external_id="t:with").json["data"]
    other = add(reviewer, external_id="t:late", figures=[figure(47_000 + 1)])
    moved(reviewer, f"/v1/claims/{row['id']}", "accepted")
    found = {("t:against", "contradicts"), ("t:late", "contradicts")}
    assert set(order(queue(reader))[:2]) == found
    change = {"amount": "47681", "as_stated": "exactly 47,681"}
    part = f"/v1/figures/{reader.get(other).json['figures'][0]['id']}"
    assert reviewer.patch(part, change).status_code == 200
    assert ("t:late", "contradicts") not in order(queue(reader))


@pytest.mark.usefixtures("waiting")
def test_a_page_searches_a_limited_number_of_rows(reader, monkeypatch):
    monkeypatch.setattr(review, "_SCANNED", dict.fromkeys(review._SCANNED, 2))
    review._statement.cache_clear()
    first = reader.get("/v1/review").json
    assert first["data"] == []
    assert first["meta"]["next_cursor"]
    assert order(queue(reader)) == EXPECTED
    review._statement.cache_clear()


def test_the_queue_takes_no_other_parameters(reader):
    assert reader.get("/v1/review", status="draft").status_code == 400
    assert reader.get("/v1/review", cursor="forged").status_code == 400
    cursor = reader.get("/v1/review", per_page="1")
    assert cursor.headers["ETag"]


# Races


@pytest.mark.slow
class TestRaces:
    """Reviews while others write; everything is committed."""

    @pytest.fixture
    def database(self, database_url: str) -> Iterator[Database]:
        database = Database(lambda: database_url)
        yield database
        with writing(database) as session:
            run(session, "DELETE FROM api_keys")
        database.close()

    @pytest.fixture
    def pool(self) -> Iterator[ThreadPoolExecutor]:
        with ThreadPoolExecutor(8) as pool:
            yield pool

    @pytest.mark.usefixtures("four_eyes")
    def test_what_the_key_changes_meanwhile_is_not_accepted_by_it(
        self, author, reviewer, database, pool, wait_for_a_lock
    ):
        path = add(author)
        with writing(database) as session:
            run(session, "SELECT set_config('hksz.actor', 'reviewer', true)")
            update(session, "claims", UUID(path.rpartition("/")[2]), [1], {"statement": "New."})
            late = pool.submit(move, reviewer, path, "accepted")
            wait_for_a_lock(database)
        assert code(late.result()) == (403, "four_eyes")
        assert author.get(path).json["status"] == "submitted"

    def test_a_row_that_is_taken_back_meanwhile_is_not_accepted(
        self, author, reviewer, database, pool, wait_for_a_lock
    ):
        path = add(author)
        with writing(database) as session:
            update(session, "claims", UUID(path.rpartition("/")[2]), [1], {"status": "draft"})
            late = pool.submit(move, reviewer, path, "accepted")
            wait_for_a_lock(database)
        assert code(late.result()) == (409, "transition")
        assert author.get(path).json["status"] == "draft"

    def test_one_of_two_verdicts_counts(self, author, reviewer, make_client, pool):
        other = make_client(Scope.CLAIMS_WRITE, Scope.REVIEW, label="other")
        path = add(author)
        etag = author.get(path).headers["ETag"]
        together = threading.Barrier(2)

        def judge(client: Client, status: str) -> int:
            together.wait()
            return client.patch(path, {"status": status}, etag).status_code

        statuses = pool.map(judge, (reviewer, other), ("accepted", "rejected"))
        assert sorted(statuses) == [200, 412]
        document = author.get(path).json
        by = {"accepted": "reviewer", "rejected": "other"}
        assert document["reviewed_by"] == by[document["status"]]

    def test_a_search_for_duplicates_waits_for_no_reviewer(self, author, database, pool):
        def search() -> int:
            with writing(database) as session:
                return search_duplicates(session)

        words = "Sixty shops in the harbour district closed their doors for good in the spring."
        first = add(author, external_id="t:first", statement=words)
        while search():
            pass
        add(author, external_id="t:second", statement=words)
        with writing(database) as session:
            lock = "SELECT FROM submissions WHERE id = $1 FOR UPDATE"
            run(session, lock, UUID(first.rpartition("/")[2]))
            assert pool.submit(search).result(10) == 1
