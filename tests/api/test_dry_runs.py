"""A dry run answers as the write would, with its consequences, and leaves nothing behind."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import jsonschema
import pytest

from hksz_db.database import Database, Session, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.queries.consequences import CONSEQUENTIAL, MAX_PAIRS
from hksz_db.services import batches
from hksz_db.services.writing import writing
from tests.api.conftest import Answer, Client, MakeClient
from tests.conftest import QueryCounter, WaitForLock
from tests.samples import SAMPLES, Sample

CLAIM = "hksz:ttps-approved-2023"
FIGURE = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "hksz:ttps",
    "as_stated": "50",
    "comparator": "eq",
    "amount": "50",
    "unit_code": "1",
}
SIDES = ("for", "against")
NOTHING = {side: {"origins": 0, "own": 0, "independent": 0, "parties": 0} for side in SIDES}
TRIED = [sample for sample in SAMPLES if sample.resource in CONSEQUENTIAL]
# These differ from one write to the next.
CHANGING = {"id", "created_at", "updated_at", "evidence_id", "reviewed_at", "origin_ids"}

tried = pytest.mark.parametrize("sample", TRIED, ids=lambda sample: sample.resource)


def dry(path: str) -> str:
    return f"{path}?dry_run=true"


def steady(part: Any) -> Any:
    """The part of a document without what differs from one write to the next."""
    match part:
        case dict():
            return {k: steady(v) for k, v in part.items() if k not in CHANGING}
        case list():
            return [steady(each) for each in part]
    return part


def claim_of(client: Client) -> dict[str, Any]:
    found = client.get("/v1/claims", external_id=CLAIM, include="corroboration").json
    document: dict[str, Any] = found["data"][0]
    return document


def source_of(client: Client, publisher: str) -> str:
    """The id of a new source with a new publisher."""
    name = {"name": publisher, "language": "en", "kind": "preferred"}
    entity = client.post("/v1/entities", {"kind": "organisation", "names": [name]}).json["id"]
    contributors = [{"entity_id": entity, "role": "publisher"}]
    body = {"csl_type": "report", "title": publisher, "contributors": contributors}
    id: str = client.post("/v1/sources", body).json["id"]
    return id


@pytest.fixture
def contents(session: Session, editor: Client) -> Callable[[], dict[str, Any]]:
    """``contents()`` returns a digest of the rows of every table."""
    # The first use of a key is recorded.
    editor.post("/v1/sources/bulk", {"items": []})
    tables = run(
        session,
        "SELECT oid::regclass::text FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace IN ('public'::regnamespace, 'past'::regnamespace)",
    )

    def digest() -> dict[str, Any]:
        sql = "SELECT count(*), md5(string_agg(rows::text, '' ORDER BY rows::text)) FROM {} AS rows"
        return {table: run(session, sql.format(table)) for (table,) in tables}

    assert {"claims", "past.claims", "changes", "submissions", "idempotency_keys"} <= {
        table for (table,) in tables
    }
    return digest


@tried
def test_a_dry_run_answers_as_the_write_and_leaves_nothing(
    editor: Client, contents: Callable[[], dict[str, Any]], sample: Sample
) -> None:
    before = contents()
    first = editor.post(dry(sample.path), sample.body)
    assert contents() == before
    assert first.status_code == 201, first.text
    made = editor.post(sample.path, sample.body)
    assert (first.status_code, made.status_code) == (201, 201)
    _is_like(first, made)
    assert editor.get(f"{sample.path}/{first.json['id']}").status_code == 404

    path, before = made.headers["Location"], contents()
    first = editor.patch(dry(path), sample.change, made.headers["ETag"])
    assert contents() == before
    changed = editor.patch(path, sample.change, made.headers["ETag"])
    assert (first.status_code, changed.status_code) == (200, 200)
    _is_like(first, changed)


def _is_like(first: Answer, written: Answer) -> None:
    assert not {"ETag", "Location"} & set(first.headers.keys())
    document = dict(first.json)
    found = document.pop("consequences")
    assert steady(document) == steady(written.json)
    assert set(found) == {"claim_id", "verdict", "counts", "not_compared"}
    assert list(document) == list(written.json)


@tried
def test_the_answer_matches_its_description(editor: Client, sample: Sample) -> None:
    described = editor.get("/openapi.json").json
    operation = described["paths"][sample.path]["post"]
    schema = operation["responses"]["201"]["content"]["application/json"]["schema"]
    whole = {**schema, "components": described["components"]}
    answer = editor.post(dry(sample.path), sample.body)
    jsonschema.validate(answer.json, whole, cls=jsonschema.Draft202012Validator)


def test_evidence_shows_the_verdict_before_and_after(editor: Client, writer: Client) -> None:
    claim = claim_of(editor)
    assert claim["corroboration"]["verdict"] == "single_origin"
    body = {
        "claim_external_id": CLAIM,
        "source_id": source_of(editor, "Another paper"),
        "stance": "disputes",
        "page": "7",
    }
    submitted = writer.post(dry("/v1/evidence"), body).json["consequences"]
    assert submitted["claim_id"] == claim["id"]
    assert submitted["verdict"] == {
        "before": "single_origin",
        "after": "single_origin",
        "if_accepted": "disputed",
    }
    none = NOTHING["against"]
    before = {side: {n: claim["corroboration"][side][n] for n in none} for side in SIDES}
    assert before["for"]["origins"] == 1
    assert before["against"] == none
    disputed = {**before, "against": {**none, "origins": 1, "independent": 1}}
    assert submitted["counts"] == {"before": before, "after": before, "if_accepted": disputed}
    accepted = {**body, "status": "accepted"}
    verdict = {"before": "single_origin", "after": "disputed", "if_accepted": None}
    for path, fields in (
        ("/v1/evidence", accepted),
        (f"/v1/claims/{claim['id']}/evidence", {**accepted, "claim_external_id": None}),
    ):
        given = {name: value for name, value in fields.items() if value is not None}
        assert editor.post(dry(path), given).json["consequences"]["verdict"] == verdict
    made = editor.post("/v1/evidence", body).headers["Location"]
    reviewed = editor.patch(dry(made), {"status": "accepted"}).json["consequences"]
    assert reviewed["verdict"] == verdict
    assert reviewed["counts"] == {"before": before, "after": disputed, "if_accepted": None}
    assert claim_of(editor)["corroboration"]["verdict"] == "single_origin"
    editor.patch(made, {"status": "accepted"})
    assert claim_of(editor)["corroboration"]["verdict"] == "disputed"
    unchanged = editor.patch(dry(made), {"page": "7"}).json["consequences"]
    assert unchanged["verdict"] == {"before": "disputed", "after": "disputed", "if_accepted": None}


def test_a_new_claim_has_no_verdict_before(editor: Client, samples: dict[str, Sample]) -> None:
    body = samples["claims"].body
    passage = {"source_external_id": "hksz:shenzhen-daily-article", "stance": "asserts"}
    made = editor.post(dry("/v1/claims"), {**body, "evidence": [passage]}).json
    assert made["consequences"]["claim_id"] == made["id"]
    assert made["consequences"]["verdict"] == {
        "before": None,
        "after": "unsupported",
        "if_accepted": "single_origin",
    }
    counts = made["consequences"]["counts"]
    assert (counts["before"], counts["after"]) == (None, NOTHING)
    assert counts["if_accepted"]["for"]["origins"] == 1
    two = [passage, {**passage, "page": "2"}]
    made = editor.post(dry("/v1/claims"), {**body, "evidence": two}).json
    assert made["consequences"]["verdict"]["if_accepted"] is None
    accepted = {**passage, "status": "accepted"}
    made = editor.post(dry("/v1/claims"), {**body, "evidence": [accepted]}).json
    assert made["consequences"]["verdict"] == {
        "before": None,
        "after": "single_origin",
        "if_accepted": None,
    }


def test_a_change_of_a_claim_shows_the_verdict_before(editor: Client) -> None:
    sources = [source_of(editor, name) for name in ("A paper", "Another paper")]
    passages = [
        {"source_id": source, "stance": "asserts", "status": "accepted"} for source in sources
    ]
    body = {
        "statement": "Forty firms moved.",
        "claimant_as_stated": "an unnamed official",
        "evidence": passages,
    }
    made = editor.post("/v1/claims", body)
    assert made.json["corroboration"]["verdict"] == "corroborated"
    changed = editor.patch(dry(made.headers["Location"]), {"modality": "opinion"}).json
    assert changed["consequences"]["verdict"] == {
        "before": "corroborated",
        "after": "shared",
        "if_accepted": None,
    }


def test_figures_show_what_contradicts_and_what_is_not_compared(editor: Client) -> None:
    body = {**FIGURE, "period_edtf": "2023"}
    known = editor.get("/v1/claims", external_id=CLAIM).json["data"][0]
    editor.post("/v1/figures", {**body, "claim_id": known["id"], "period_edtf": "2019"})
    claim = {"statement": "Fifty came.", "claimant_as_stated": "an official", "figures": [body]}
    first = editor.post(dry("/v1/claims"), claim).json
    made = editor.post("/v1/claims", claim)
    assert first["comparisons"]["data"][0]["verdict"] == "contradicts"
    listed = editor.get("/v1/comparisons", claim_id=made.json["id"]).json
    assert {"reason": "other_time", "count": 1} in listed["meta"]["not_compared"]
    assert first["consequences"]["not_compared"] == listed["meta"]["not_compared"]

    another = {**body, "claim_id": made.json["id"], "period_edtf": "2019", "modality": "actual"}
    first = editor.post(dry("/v1/figures"), another).json
    figure = editor.post("/v1/figures", another)
    listed = editor.get(f"{figure.headers['Location']}/comparisons").json
    assert [each["verdict"] for each in first["comparisons"]["data"]] == ["agrees"]
    assert first["consequences"] == {
        "claim_id": made.json["id"],
        "verdict": {"before": "unsupported", "after": "unsupported", "if_accepted": None},
        "counts": {"before": NOTHING, "after": NOTHING, "if_accepted": None},
        "not_compared": listed["meta"]["not_compared"],
    }
    assert first["consequences"]["not_compared"] != []


def test_an_idempotency_key_is_ignored(
    editor: Client, database: Database, samples: dict[str, Sample]
) -> None:
    sample, key = samples["evidence"], {"Idempotency-Key": "one"}
    for _ in range(2):
        first = editor.post(dry(sample.path), sample.body, **key)
        assert first.status_code == 201
        assert "Idempotency-Replayed" not in first.headers
    made = editor.post(sample.path, sample.body, **key)
    assert made.status_code == 201
    again = editor.post(sample.path, sample.body, **key)
    assert again.headers["Idempotency-Replayed"] == "true"
    with writing(database) as session:
        assert run(session, "SELECT count(*) FROM idempotency_keys") == [(1,)]


@tried
def test_errors_are_those_of_the_write(
    editor: Client, reader: Client, make_client: MakeClient, sample: Sample
) -> None:
    made = editor.post(sample.path, sample.body)
    path, etag = made.headers["Location"], made.headers["ETag"]
    stranger = make_client(Scope.SOURCES_WRITE)
    for client, status in ((reader, 401), (stranger, 403), (editor, 409)):
        _is_refused_alike(client, "POST", sample.path, sample.body, status)
    broken = {**sample.body, "external_id": "no spaces"}
    _is_refused_alike(editor, "POST", sample.path, broken, 422)
    _is_refused_alike(editor, "PATCH", path, sample.change, 428)
    _is_refused_alike(editor, "PATCH", path, {"external_id": 1}, 422, etag)
    editor.patch(path, sample.change)
    _is_refused_alike(editor, "PATCH", path, sample.change, 412, etag)
    editor.delete(path)
    _is_refused_alike(editor, "PATCH", path, sample.change, 410, "*")


def _is_refused_alike(
    client: Client, method: str, path: str, body: Any, status: int, etag: str | None = None
) -> None:
    headers = {} if etag is None else {"If-Match": etag}
    answers = [client.send(method, each, json=body, headers=headers) for each in (dry(path), path)]
    assert [answer.status_code for answer in answers] == [status, status]
    first, second = (
        {k: v for k, v in answer.json.items() if k not in {"request_id", "instance"}}
        for answer in answers
    )
    assert first == second


def test_only_what_has_consequences_can_be_tried(
    editor: Client, samples: dict[str, Sample]
) -> None:
    source = samples["sources"]
    assert editor.post(dry(source.path), source.body).status_code == 400
    evidence = samples["evidence"]
    assert editor.post(f"{evidence.path}?dry_run=yes", evidence.body).status_code == 400
    made = editor.post(f"{evidence.path}?dry_run=false", evidence.body)
    assert editor.get(made.headers["Location"]).status_code == 200
    assert "consequences" not in made.json


def test_many_pairs_are_not_counted(editor: Client) -> None:
    figures = [{**FIGURE, "period_edtf": str(1700 + number)} for number in range(MAX_PAIRS)]
    claim = {"statement": "Fifty came.", "claimant_as_stated": "an official", "figures": figures}
    path = editor.post("/v1/claims", claim).headers["Location"]
    body = {**FIGURE, "claim_id": path.rpartition("/")[2], "modality": "opinion"}
    assert editor.post(dry("/v1/figures"), body).json["consequences"]["not_compared"] == []
    body["modality"] = "actual"
    assert editor.post(dry("/v1/figures"), body).json["consequences"]["not_compared"] is None


@tried
def test_a_dry_run_takes_few_statements_more(
    editor: Client, query_counter: QueryCounter, sample: Sample
) -> None:
    editor.post("/v1/sources/bulk", {"items": []})
    with query_counter() as trying:
        editor.post(dry(sample.path), sample.body)
    with query_counter() as writing_it:
        editor.post(sample.path, sample.body)
    more = len(trying.statements) - len(writing_it.statements)
    assert more == (1 if sample.resource == "evidence" else 2)


class TestCommitted:
    """Dry runs beside transactions that commit."""

    @pytest.fixture
    def database(self, database_url: str) -> Iterator[Database]:
        """The database of the module, in which writes are committed."""
        database = Database(lambda: database_url)
        yield database
        with writing(database) as session:
            run(session, "DELETE FROM api_keys")
        database.close()

    def test_prepared_statements_are_kept(
        self, editor: Client, samples: dict[str, Sample], database: Database
    ) -> None:
        sample = samples["evidence"]
        prepared = "SELECT count(*) FROM pg_prepared_statements"
        for _ in range(2):
            assert editor.post(dry(sample.path), sample.body).status_code == 201
            with writing(database) as session:
                ((count,),) = run(session, prepared)
            assert count > 5

    def test_the_verdict_before_includes_what_a_dry_run_waited_for(
        self, editor: Client, database: Database, wait_for_a_lock: WaitForLock
    ) -> None:
        claim = claim_of(editor)
        first, second = (source_of(editor, name) for name in ("A paper", "Another paper"))
        passage = {"claim_id": claim["id"], "stance": "asserts", "status": "accepted", "page": "8"}
        with ThreadPoolExecutor(1) as pool, writing(database) as session:
            fields = {"claim_id": UUID(claim["id"]), "source_id": UUID(first), "stance": "disputes"}
            batches.create(session, "evidence", {**fields, "status": "accepted"})
            late = pool.submit(editor.post, dry("/v1/evidence"), {**passage, "source_id": second})
            wait_for_a_lock(database)
            session.commit()
            verdict = late.result().json["consequences"]["verdict"]
        assert verdict == {"before": "disputed", "after": "disputed", "if_accepted": None}
        with writing(database) as session:
            assert run(session, "SELECT count(*) FROM evidence WHERE page = '8'") == [(0,)]
            held = "SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'tuple')"
            assert run(session, held) == [(0,)]
