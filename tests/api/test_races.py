"""Concurrent writers, each with its own connection, leave consistent data."""

import json
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from app import create_app
from hksz_db.database import Database, Prepared, run
from hksz_db.domain.chronology import parse
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys, lifecycle, merging, seeding
from hksz_db.services.batches import create, update
from hksz_db.services.work import work_off
from hksz_db.services.writing import writing
from hksz_db.settings import Settings
from tests.api.conftest import Answer, Client, MakeClient
from tests.conftest import WaitForLock

pytestmark = pytest.mark.slow

Send = Callable[..., Future]

Twins = tuple[list[str], Callable[[int, int], int]]


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """The database of the module, in which writes are committed."""
    # Many requests wait for a lock together, on machines that also do other work.
    database = Database(lambda: database_url, statement_timeout_ms=60_000)
    yield database
    database.close()


@pytest.fixture
def client(database: Database, make_client: MakeClient) -> Client:
    """A client whose key is committed."""
    with writing(database) as session:
        session.execute(text("DELETE FROM api_keys"))
    return make_client(Scope.ADMIN)


@pytest.fixture
def claim(client: Client) -> dict[str, Any]:
    """A new claim on a new entity, by resource."""
    names = [{"name": "A firm", "language": "en", "kind": "preferred"}]
    entity = client.post("/v1/entities", {"kind": "organisation", "names": names})
    body = {"statement": "The firm moved.", "claimant_id": entity.json["id"]}
    return {"entities": entity, "claims": client.post("/v1/claims", body), "body": body}


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(8) as pool:
        yield pool


def test_one_of_concurrent_patches_of_a_version_succeeds(
    client: Client, claim: dict[str, Any], pool: ThreadPoolExecutor
) -> None:
    path, etag = claim["claims"].headers["Location"], claim["claims"].headers["ETag"]
    together = threading.Barrier(8)

    def patch(number: int) -> int:
        together.wait()
        return client.patch(path, {"statement": f"Writer {number}."}, etag).status_code

    statuses = sorted(pool.map(patch, range(8)))
    assert statuses == [200] + [412] * 7
    assert client.get(path).json["version"] == 2


def test_every_writer_gets_a_connection(client: Client, database: Database) -> None:
    """All of them are in a transaction at once, more than the pool keeps connections open for."""
    bodies = [{"csl_type": "report", "title": f"Report {n}"} for n in range(24)]
    waiting = Prepared(
        "SELECT count(*) FROM pg_locks WHERE relation = 'sources'::regclass AND NOT granted", (), {}
    )
    with ThreadPoolExecutor(len(bodies)) as many:
        with database.transaction() as session:
            run(session, "LOCK TABLE sources IN ACCESS EXCLUSIVE MODE")
            answers = [many.submit(client.post, "/v1/sources", body) for body in bodies]
            while database.read(waiting, {})[0][0] < len(bodies):
                assert not any(answer.done() for answer in answers)
        assert [answer.result().status_code for answer in answers] == [201] * len(bodies)


def test_a_patch_that_waited_sees_the_change(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    path, etag = claim["claims"].headers["Location"], claim["claims"].headers["ETag"]
    with writing(database) as session:
        update(session, "claims", UUID(claim["claims"].json["id"]), [1], {"statement": "First."})
        late = pool.submit(client.patch, path, {"statement": "Second."}, etag)
        wait_for_a_lock(database)
    assert late.result().status_code == 412
    assert client.get(path).json["statement"] == "First."


def test_a_row_that_is_accepted_meanwhile_is_not_changed(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
    make_client: MakeClient,
) -> None:
    writer = make_client(Scope.CLAIMS_WRITE, label="writer")
    path, id = claim["claims"].headers["Location"], UUID(claim["claims"].json["id"])
    with writing(database) as session:
        update(session, "claims", id, [1], {"status": "accepted"})
        late = pool.submit(writer.patch, path, {"statement": "Second."}, "*")
        wait_for_a_lock(database)
    assert late.result().status_code == 403
    assert client.get(path).json["statement"] == "The firm moved."


def test_a_figure_that_is_being_added_gets_the_ranges_of_the_new_measure(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    metric = {"key": "multiple", "label": "Firms", "dimension": "ratio", "accumulation": "ratio"}
    made = client.post("/v1/metrics", {**metric, "measure": "ratio_to_base"})
    client.post("/v1/units", {"code": "1", "label": "one"})
    figure = {
        "claim_id": UUID(claim["claims"].json["id"]),
        "metric_id": UUID(made.json["id"]),
        "subject_id": UUID(claim["entities"].json["id"]),
        "as_stated": "doubled",
    }
    with writing(database) as session:
        id = create(session, "figures", figure)
        change = pool.submit(client.patch, made.headers["Location"], {"measure": "share"})
        wait_for_a_lock(database)
    assert change.result().status_code == 200
    work_off(database)
    assert client.get(f"/v1/figures/{id}").json["range_rule"] == "half_step"


def test_a_row_that_is_being_deleted_gets_no_references(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    client.delete(claim["claims"].headers["Location"])
    with writing(database) as session:
        lifecycle.delete(session, "entities", claim["entities"].json["id"], None)
        late = pool.submit(client.post, "/v1/claims", claim["body"])
        wait_for_a_lock(database)
    assert late.result().status_code == 422
    assert late.result().json["errors"][0]["pointer"] == "#/claimant_id"


def test_a_row_is_not_deleted_while_a_reference_to_it_is_created(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    client.delete(claim["claims"].headers["Location"])
    path = claim["entities"].headers["Location"]
    with writing(database) as session:
        body = {"claimant_id": UUID(claim["entities"].json["id"]), "modality": "actual"}
        create(session, "claims", {"statement": "New.", "language": "en", **body})
        late = pool.submit(client.delete, path)
        wait_for_a_lock(database)
    assert late.result().status_code == 409
    assert client.get(path).status_code == 200


def test_a_row_is_not_deleted_while_a_reference_to_it_is_restored(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    client.delete(claim["claims"].headers["Location"])
    path = claim["entities"].headers["Location"]
    with writing(database) as session:
        lifecycle.restore(session, "claims", claim["claims"].json["id"], None)
        late = pool.submit(client.delete, path)
        wait_for_a_lock(database)
    assert late.result().status_code == 409
    assert client.get(path).status_code == 200
    assert client.get(claim["claims"].headers["Location"]).status_code == 200


def test_a_row_is_not_restored_while_its_reference_is_deleted(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    client.delete(claim["claims"].headers["Location"])
    path = claim["claims"].headers["Location"]
    with writing(database) as session:
        lifecycle.delete(session, "entities", claim["entities"].json["id"], None)
        late = pool.submit(client.restore, path)
        wait_for_a_lock(database)
    assert late.result().status_code == 409
    assert client.get(path).status_code == 410


def test_no_part_is_added_to_a_claim_that_is_being_deleted(
    client: Client,
    claim: dict[str, Any],
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    path = claim["claims"].headers["Location"]
    body = {"source_external_id": "hksz:shenzhen-daily-article", "stance": "mentions"}
    with writing(database) as session:
        lifecycle.delete(session, "claims", claim["claims"].json["id"], None)
        late = pool.submit(client.post, f"{path}/evidence", body)
        wait_for_a_lock(database)
    assert late.result().status_code in {410, 422}
    assert client.get("/v1/evidence", claim_id=claim["claims"].json["id"]).json["data"] == []


def test_concurrent_creations_of_an_external_id_succeed_once(
    client: Client, claim: dict[str, Any], pool: ThreadPoolExecutor
) -> None:
    body = {**claim["body"], "external_id": "test:raced"}
    together = threading.Barrier(4)

    def create(_: int) -> int:
        together.wait()
        return client.post("/v1/claims", body).status_code

    assert sorted(pool.map(create, range(4))) == [201, 409, 409, 409]


def test_of_concurrent_sources_with_one_page_the_first_is_named(
    client: Client, pool: ThreadPoolExecutor
) -> None:
    urls = ["https://www.example.org/raced", "http://example.org/raced/?utm_source=x"] * 2
    together = threading.Barrier(4)

    def create(url: str) -> Answer:
        together.wait()
        return client.post("/v1/sources", {"csl_type": "webpage", "title": "x", "url": url})

    made, *refused = sorted(pool.map(create, urls), key=lambda answer: answer.status_code)
    assert [made.status_code, *(answer.status_code for answer in refused)] == [201, 409, 409, 409]
    named = {answer.json["errors"][0]["id"] for answer in refused}
    assert named == {made.json["id"]}


@pytest.fixture
def paper(client: Client) -> Answer:
    """A new source with a date."""
    body = {"csl_type": "report", "title": "A paper", "issued_edtf": "2024"}
    return client.post("/v1/sources", body)


def _last_year(paper):
    return {"anchor_id": paper.json["id"], "duration": "-P1Y"}


def test_a_relative_date_is_recomputed_when_its_anchor_changes_later(
    client: Client,
    claim: dict[str, Any],
    paper: Answer,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    id = UUID(claim["claims"].json["id"])
    relative = {"anchor_id": UUID(paper.json["id"]), "duration": "-P1Y"}
    with writing(database) as session:
        update(session, "claims", id, None, {"time_relative": relative})
        late = pool.submit(client.patch, paper.headers["Location"], {"issued_edtf": "2020"})
        wait_for_a_lock(database)
    assert late.result().status_code == 200
    document = client.get(claim["claims"].headers["Location"]).json
    assert (document["time"]["edtf"], document["version"]) == ("2019", 3)


def test_a_relative_date_is_computed_from_the_new_date_of_its_anchor(
    client: Client,
    claim: dict[str, Any],
    paper: Answer,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    body = {**claim["body"], "time_relative": _last_year(paper)}
    with writing(database) as session:
        update(session, "sources", UUID(paper.json["id"]), None, {"issued_edtf": parse("2020")})
        late = pool.submit(client.post, "/v1/claims", body)
        wait_for_a_lock(database)
    assert late.result().json["time"]["edtf"] == "2019"


@pytest.mark.parametrize("query", ["", "?dry_run=true"])
def test_a_write_that_deadlocks_is_tried_again(
    query: str,
    client: Client,
    claim: dict[str, Any],
    twins: Twins,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    first, second = map(UUID, sorted(twins[0])[:2])
    path = claim["claims"].headers["Location"]
    links = [{"entity_id": str(id), "role": "subject"} for id in (first, second)]
    with database.transaction() as session:
        # The wrong order; the request waits longer, so that it is the one that is rolled back.
        run(session, "SELECT FROM entities WHERE id = $1 FOR UPDATE", second)
        late = pool.submit(client.patch, f"{path}{query}", {"entities": links})
        wait_for_a_lock(database)
        run(session, "SELECT FROM entities WHERE id = $1 FOR UPDATE", first)
    assert late.result().status_code == 200
    assert len(late.result().json["entities"]) == 2
    assert len(client.get(path).json["entities"]) == (0 if query else 2)


def test_concurrent_changes_of_a_figure_and_its_anchor_do_not_deadlock(
    client: Client,
    claim: dict[str, Any],
    paper: Answer,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    body = {
        "claim_id": claim["claims"].json["id"],
        "metric_external_id": "hksz:metric-ttps-approved",
        "subject_external_id": "hksz:ttps",
        "as_stated": "forty",
        "comparator": "eq",
        "amount": "40",
        "unit_code": "1",
        "period_relative": _last_year(paper),
    }
    figure = client.post("/v1/figures", body)
    id, anchor = UUID(figure.json["id"]), UUID(paper.json["id"])
    later = {"anchor_id": anchor, "duration": "P1Y"}
    with writing(database) as session:
        # A change of the source locks the claim after it, and so does a change of the figure.
        run(session, "SELECT FROM sources WHERE id = $1 FOR NO KEY UPDATE", anchor)
        late = pool.submit(_update_figure, database, id, {"period_relative": later})
        wait_for_a_lock(database)
        update(session, "sources", anchor, None, {"issued_edtf": parse("2020")})
    late.result()
    assert client.get(figure.headers["Location"]).json["period"]["edtf"] == "2021"


def _update_figure(database: Database, id, fields):
    with writing(database) as session:
        update(session, "figures", id, None, fields)


@pytest.mark.parametrize("in_bulk", [False, True], ids=["alone", "in_bulk"])
@pytest.mark.parametrize("changed", ["retracted_at", "relations"])
def test_new_evidence_and_a_change_of_an_anchor_do_not_deadlock(
    client, claim, database, pool, wait_for_a_lock, changed, in_bulk
):
    name = f"test:{changed}-{in_bulk}"
    item = {"external_id": name, "csl_type": "report", "title": "A paper", "issued_edtf": "2024"}
    paper, other = (client.post("/v1/sources", {**item, "external_id": n}) for n in (name, None))
    dated = client.post("/v1/claims", {**claim["body"], "time_relative": _last_year(paper)})
    changes = {
        "retracted_at": "2021-01-01T00:00:00Z",
        "relations": [{"kind": "copy_of", "to_id": other.json["id"]}],
    }
    change = {"issued_edtf": "2020", changed: changes[changed]}

    def write():
        if in_bulk:
            return client.post("/v1/sources/bulk?mode=upsert", {"items": [{**item, **change}]})
        return client.patch(paper.headers["Location"], change)

    with writing(database) as session:
        # New evidence locks its claim, and then waits for writers that change what it rests on.
        id, source = UUID(dated.json["id"]), UUID(other.json["id"])
        run(session, "SELECT FROM claims WHERE id = $1 FOR NO KEY UPDATE", id)
        late = pool.submit(write)
        wait_for_a_lock(database)
        create(session, "evidence", {"claim_id": id, "source_id": source, "stance": "supports"})
    assert late.result().status_code == (207 if in_bulk else 200)
    assert client.get(dated.headers["Location"]).json["time"]["edtf"] == "2019"


@pytest.mark.parametrize("file", ["claims.json", "evidence.json"])
def test_new_evidence_and_a_seed_that_changes_its_claim_do_not_deadlock(
    client: Client,
    claim: dict[str, Any],
    paper: Answer,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
    tmp_path: Path,
    file: str,
) -> None:
    id, source, name = UUID(claim["claims"].json["id"]), paper.json["id"], f"test:{file}"
    client.patch(claim["claims"].headers["Location"], {"external_id": name})
    passage = {"claim_external_id": name, "source_id": source, "stance": "mentions"}
    items = {
        "claims.json": {"external_id": name, "statement": "The firm moved twice."},
        "evidence.json": {"external_id": f"{name}/passage", **passage},
    }
    (tmp_path / file).write_text(json.dumps([items[file]]))

    def load() -> seeding.Loaded:
        with writing(database) as session:
            return seeding.load(session, tmp_path)

    with writing(database) as session:
        run(session, "SELECT FROM claims WHERE id = $1 FOR NO KEY UPDATE", id)
        late = pool.submit(load)
        wait_for_a_lock(database)
        new = {"claim_id": id, "source_id": UUID(source), "stance": "supports"}
        create(session, "evidence", new)
    assert late.result() == (1, 0)
    found = client.get(claim["claims"].headers["Location"]).json
    assert len(found["evidence"]) == (2 if file == "evidence.json" else 1)


def test_concurrent_changes_of_an_anchor_and_new_claims_agree(
    client: Client, claim: dict[str, Any], paper: Answer, pool: ThreadPoolExecutor
) -> None:
    together = threading.Barrier(8)

    def write(number: int) -> int:
        together.wait()
        if number % 2:
            issued = {"issued_edtf": str(2000 + number)}
            return client.patch(paper.headers["Location"], issued).status_code
        body = {**claim["body"], "time_relative": _last_year(paper)}
        return client.post("/v1/claims", body).status_code

    assert sorted(pool.map(write, range(8))) == [200] * 4 + [201] * 4
    year = int(client.get(paper.headers["Location"]).json["issued"]["edtf"])
    made = client.get("/v1/claims", claimant_id=claim["entities"].json["id"]).json["data"]
    assert [row["time"]["edtf"] for row in made[1:]] == [str(year - 1)] * 4


def test_concurrent_relations_of_sources_do_not_form_a_cycle(
    client: Client, claim: dict[str, Any], pool: ThreadPoolExecutor
) -> None:
    statuses = []
    for _ in range(5):
        paths = []
        for title in ("One", "Another"):
            made = client.post("/v1/sources", {"csl_type": "report", "title": title})
            paths.append(made.headers["Location"])
            passage = {"source_id": made.json["id"], "stance": "supports"}
            evidence = f"{claim['claims'].headers['Location']}/evidence"
            assert client.post(evidence, passage).status_code == 201
        together = threading.Barrier(2)

        def relate(path: str, other: str, together=together) -> int:
            relation = {"kind": "copy_of", "to_id": other.rpartition("/")[2]}
            together.wait()
            return client.patch(path, {"relations": [relation]}).status_code

        statuses.append(sorted(pool.map(relate, paths, reversed(paths))))
    assert statuses == [[200, 422]] * 5


def test_concurrent_claims_do_not_supersede_each_other(
    client: Client, claim: dict[str, Any], pool: ThreadPoolExecutor
) -> None:
    statuses = []
    for number in range(5):
        made = [
            client.post("/v1/claims", {**claim["body"], "statement": f"Firm {number} of {n}."})
            for n in range(3)
        ]
        paths = [each.headers["Location"] for each in made]
        together = threading.Barrier(3)

        def supersede(path: str, other: str, together=together) -> int:
            relation = {"kind": "supersedes", "to_id": other.rpartition("/")[2]}
            change = {"relations": [relation], "claimant_as_stated": "an official"}
            together.wait()
            return client.patch(path, change).status_code

        statuses.append(sorted(pool.map(supersede, paths, [*paths[1:], paths[0]])))
    assert statuses == [[200, 200, 422]] * 5


def test_readers_never_wait_for_writers(
    client: Client, claim: dict[str, Any], database: Database
) -> None:
    path = claim["claims"].headers["Location"]
    with writing(database) as session:
        update(session, "claims", UUID(claim["claims"].json["id"]), None, {"statement": "Unseen."})
        assert client.get(path).json["statement"] == "The firm moved."
    assert client.get(path).json["statement"] == "Unseen."


def test_a_reader_that_waits_too_long_gets_503(database_url: str, claim: dict[str, Any]) -> None:
    hasty = Database(lambda: database_url, statement_timeout_ms=50)
    patient = Database(lambda: database_url)
    app = create_app(Settings(log_level="error"), hasty)
    with patient.transaction() as session:
        session.execute(text("LOCK TABLE claims"))
        for path in ("/v1/claims", claim["claims"].headers["Location"]):
            response = app.test_client().get(path)
            assert response.status_code == 503
            assert int(response.headers["Retry-After"]) > 0
    hasty.close()
    patient.close()


def test_a_writer_that_waits_too_long_gets_503(
    database_url: str, database: Database, claim: dict[str, Any]
) -> None:
    hasty = Database(lambda: database_url, statement_timeout_ms=50)
    with writing(database) as session:
        key = api_keys.create(session, "hasty", [Scope.ADMIN])
    app = create_app(Settings(log_level="error"), hasty)
    with writing(database) as session:
        update(session, "claims", UUID(claim["claims"].json["id"]), None, {"statement": "First."})
        response = app.test_client().patch(
            claim["claims"].headers["Location"],
            json={"statement": "Second."},
            headers={"Authorization": f"Bearer {key}", "If-Match": "*"},
        )
        assert response.status_code == 503
        assert int(response.headers["Retry-After"]) > 0
    hasty.close()


@pytest.fixture
def twins(client: Client) -> Twins:
    """The ids of three new entities, and ``merge(one, into)``, which returns the status."""
    names = [{"name": "A firm", "language": "en", "kind": "preferred"}]
    body = {"kind": "organisation", "names": names}
    ids = [client.post("/v1/entities", body).json["id"] for _ in range(3)]

    def merge(one: int, into: int) -> int:
        path = f"/v1/entities/{ids[one]}/merge"
        return client.post(path, {"into_id": ids[into]}, **{"If-Match": "*"}).status_code

    return ids, merge


def _left(client, ids) -> list[int]:
    return [client.get(f"/v1/entities/{id}").status_code for id in ids]


def test_two_entities_are_not_merged_into_each_other(
    client: Client, twins: Twins, pool: ThreadPoolExecutor
) -> None:
    ids, merge = twins
    statuses = sorted(pool.map(merge, (0, 1), (1, 0)))
    # The second merge is refused because they are one entity already.
    assert statuses == [200, 422]
    assert sorted(_left(client, ids[:2])) == [200, 308]


def test_an_entity_is_merged_once(client: Client, twins: Twins, pool: ThreadPoolExecutor) -> None:
    ids, merge = twins
    statuses = sorted(pool.map(merge, (0, 0), (1, 2)))
    assert statuses == [200, 409]
    assert _left(client, ids) == [308, 200, 200]


def test_concurrent_merges_in_a_cycle_leave_one_entity(
    client: Client, twins: Twins, pool: ThreadPoolExecutor
) -> None:
    ids, merge = twins
    statuses = sorted(pool.map(merge, (0, 1, 2), (1, 2, 0)))
    assert statuses == [200, 200, 422]
    assert sorted(_left(client, ids)) == [200, 308, 308]


def test_a_new_reference_to_an_entity_that_is_being_merged_is_moved(
    client: Client,
    twins: Twins,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    ids, _ = twins
    body = {"statement": "The firm moved.", "claimant_id": ids[0]}
    with writing(database) as session:
        merging.merge(session, "entities", UUID(ids[0]), None, {"into_id": UUID(ids[1])})
        late = pool.submit(client.post, "/v1/claims", body)
        wait_for_a_lock(database)
    assert late.result().status_code == 201
    assert late.result().json["claimant"]["id"] == ids[1]


def test_a_merge_moves_references_that_are_being_created(
    client: Client,
    twins: Twins,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    ids, merge = twins
    with writing(database) as session:
        body = {"claimant_id": UUID(ids[0]), "modality": "actual", "language": "en"}
        claim = create(session, "claims", {"statement": "New.", **body})
        late = pool.submit(merge, 0, 1)
        wait_for_a_lock(database)
    assert late.result() == 200
    assert client.get(f"/v1/claims/{claim}").json["claimant"]["id"] == ids[1]


def test_no_entity_is_merged_into_one_that_is_being_deleted(
    client: Client,
    twins: Twins,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    ids, merge = twins
    with writing(database) as session:
        lifecycle.delete(session, "entities", UUID(ids[1]), None)
        late = pool.submit(merge, 0, 1)
        wait_for_a_lock(database)
    assert late.result() == 422
    assert _left(client, ids) == [200, 410, 200]


def test_an_entity_is_not_deleted_while_references_are_moved_to_it(
    client: Client,
    claim: dict[str, Any],
    twins: Twins,
    database: Database,
    pool: ThreadPoolExecutor,
    wait_for_a_lock: WaitForLock,
) -> None:
    ids, _ = twins
    moved = claim["entities"].json["id"]
    with writing(database) as session:
        merging.merge(session, "entities", UUID(moved), None, {"into_id": UUID(ids[1])})
        late = pool.submit(client.delete, f"/v1/entities/{ids[1]}")
        wait_for_a_lock(database)
    assert late.result().status_code == 409
    assert _left(client, ids) == [200, 200, 200]


def test_concurrent_writes_and_merges_do_not_deadlock(
    client: Client, claim: dict[str, Any], twins: Twins, pool: ThreadPoolExecutor
) -> None:
    ids, merge = twins
    figure = client.post(
        "/v1/figures",
        {
            "claim_id": claim["claims"].json["id"],
            "metric_external_id": "hksz:metric-ttps-approved",
            "subject_id": ids[0],
            "as_stated": "forty",
            "comparator": "eq",
            "amount": "40",
            "unit_code": "1",
        },
    ).headers["Location"]
    path = claim["claims"].headers["Location"]

    def write(number: int) -> int:
        links = [{"entity_id": id, "role": "subject"} for id in (ids[number % 2], ids[2])]
        return (
            lambda: client.patch(figure, {"as_stated": f"{number}", "subject_id": ids[0]}),
            lambda: client.patch(path, {"statement": f"{number}.", "entities": links}),
            lambda: client.patch(path, {"claimant_id": ids[0]}),
        )[number % 3]().status_code

    def turn(number: int) -> int:
        if number % 2:
            undone = client.post(f"/v1/entities/{ids[0]}/unmerge", **{"If-Match": "*"})
            return undone.status_code
        return merge(0, 1)

    turns = pool.map(turn, range(12))
    assert set(pool.map(write, range(36))) == {200}
    assert set(turns) <= {200, 409}
    assert sorted(_left(client, ids[:2])) in ([200, 200], [200, 308])
