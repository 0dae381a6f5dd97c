"""Repeated writes are executed once, and get the first answer again."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text

from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import idempotency, lifecycle
from hksz_db.services.writing import writing
from tests.api.conftest import Answer, Client, MakeClient
from tests.conftest import WaitForLock
from tests.samples import Sample

BODY = {"csl_type": "report", "title": "A report"}
CLAIM = "hksz:ttps-approved-2023"


def post(
    client: Client,
    path: str = "/v1/sources",
    body: dict[str, Any] | None = BODY,
    key: str = "one",
    **headers: str,
) -> Answer:
    return client.post(path, body, **{"Idempotency-Key": key, **headers})


def stored_answers(database: Database) -> list[tuple[str, int]]:
    with writing(database) as session:
        return run(session, "SELECT key, status FROM idempotency_keys ORDER BY key")


def number_of(client: Client, path: str = "/v1/sources") -> int:
    return client.get(path, count="exact").json["meta"]["count"]["value"]


def is_replay(first: Answer, again: Answer) -> bool:
    """Whether an answer repeats the first one, and has the header that says so."""
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    for name in ("ETag", "Location", "Content-Type", "X-Content-Type-Options"):
        assert again.headers.get(name) == first.headers.get(name), name
    assert (again.status_code, again.data) == (first.status_code, first.data)
    return True


def test_a_repeated_request_gets_the_first_answer(editor: Client, database: Database) -> None:
    before = number_of(editor)
    first = post(editor)
    assert first.status_code == 201
    editor.patch(first.headers["Location"], {"title": "Changed since"})
    assert is_replay(first, post(editor))
    assert number_of(editor) == before + 1
    assert stored_answers(database) == [("one", 201)]


def test_a_request_without_a_key_is_not_stored(editor: Client, database: Database) -> None:
    before = number_of(editor)
    editor.post("/v1/sources", BODY)
    editor.post("/v1/sources", BODY)
    assert number_of(editor) == before + 2
    assert stored_answers(database) == []


def test_a_key_cannot_be_reused_for_another_request(editor: Client) -> None:
    before = number_of(editor)
    first = post(editor)
    for path, body in (
        ("/v1/sources", {**BODY, "title": "Another"}),
        ("/v1/metrics", BODY),
        ("/v1/sources/bulk", BODY),
        ("/v1/sources/bulk?mode=upsert", BODY),
    ):
        refused = post(editor, path, body)
        assert refused.status_code == 422
        assert "Idempotency-Key" in refused.json["detail"]
    assert post(editor, key="two").status_code == 201
    assert number_of(editor) == before + 2
    assert is_replay(first, post(editor))


def test_each_client_has_its_own_keys(editor: Client, admin: Client) -> None:
    first, other = post(editor), post(admin)
    assert (first.status_code, other.status_code) == (201, 201)
    assert first.json["id"] != other.json["id"]
    assert is_replay(first, post(editor))
    assert is_replay(other, post(admin))


@pytest.mark.parametrize("key", ["", "a b", "a" * 256, "a\tb", "schlüssel"])
def test_an_invalid_key_is_refused(editor: Client, key: str) -> None:
    refused = post(editor, key=key)
    assert refused.status_code == 400
    assert "Idempotency-Key" in refused.json["detail"]


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"'])
def test_a_key_may_have_any_visible_character(editor: Client, key: str) -> None:
    assert is_replay(post(editor, key=key), post(editor, key=key))


def test_an_error_is_not_stored(editor: Client, database: Database) -> None:
    body = {**BODY, "external_id": "t:source"}
    name = {"to_external_id": "t:later", "kind": "quotes"}
    assert post(editor, body={**body, "relations": [name]}).status_code == 422
    assert stored_answers(database) == []
    editor.post("/v1/sources", {**BODY, "external_id": "t:later"})
    again = post(editor, body={**body, "relations": [name]})
    assert again.status_code == 201
    assert "Idempotency-Replayed" not in again.headers


def test_authorization_is_checked_first(
    editor: Client, reader: Client, make_client: MakeClient
) -> None:
    first = post(editor)
    assert post(reader).status_code == 401
    assert post(make_client(Scope.CLAIMS_WRITE)).status_code == 403
    assert is_replay(first, post(editor))


def test_every_call_that_writes_can_be_repeated(
    editor: Client, samples: dict[str, Sample], database: Database
) -> None:
    claim = editor.get("/v1/claims", external_id=CLAIM).json["data"][0]["id"]
    passage = {k: v for k, v in samples["evidence"].body.items() if k != "claim_external_id"}
    first = post(editor, f"/v1/claims/{claim}/evidence", passage, "evidence")
    assert first.status_code == 201
    assert is_replay(first, post(editor, f"/v1/claims/{claim}/evidence", passage, "evidence"))

    items = {"items": [{**BODY, "external_id": "t:one"}, {}]}
    first = post(editor, "/v1/sources/bulk", items, "bulk")
    assert first.json["meta"]["created"] == 1
    assert is_replay(first, post(editor, "/v1/sources/bulk", items, "bulk"))

    path = f"/v1/sources/{first.json['data'][0]['id']}"
    etag = {"If-Match": editor.delete(path).headers["ETag"]}
    first = post(editor, f"{path}/restore", None, "restore", **etag)
    assert first.status_code == 200
    assert is_replay(first, post(editor, f"{path}/restore", None, "restore", **etag))

    twins = [editor.post("/v1/entities", twin()).json["id"] for _ in range(2)]
    anywhere = {"If-Match": "*"}
    path, into = f"/v1/entities/{twins[0]}", {"into_id": twins[1]}
    first = post(editor, f"{path}/merge", into, "merge", **anywhere)
    assert first.status_code == 200
    assert is_replay(first, post(editor, f"{path}/merge", into, "merge", **anywhere))
    first = post(editor, f"{path}/unmerge", None, "unmerge", **anywhere)
    assert first.status_code == 200
    assert is_replay(first, post(editor, f"{path}/unmerge", None, "unmerge", **anywhere))
    assert len(stored_answers(database)) == 5


def twin() -> dict[str, Any]:
    return {
        "kind": "organisation",
        "names": [{"name": "A twin", "language": "en", "kind": "preferred"}],
    }


def test_another_condition_is_another_request(editor: Client) -> None:
    path = editor.post("/v1/sources", BODY).headers["Location"]
    etag = editor.delete(path).headers["ETag"]
    assert post(editor, f"{path}/restore", None, **{"If-Match": etag}).status_code == 200
    assert post(editor, f"{path}/restore", None, **{"If-Match": "*"}).status_code == 422


def test_a_key_expires_after_a_day(editor: Client, database: Database) -> None:
    first = post(editor)
    for number in range(30):
        post(editor, key=f"old-{number:02}")
    with writing(database) as session:
        session.execute(
            text("UPDATE idempotency_keys SET created_at = now() - interval '24 hours'")
        )
    again = post(editor)
    assert again.status_code == 201
    assert again.json["id"] != first.json["id"]
    assert is_replay(again, post(editor))
    # Each write removes a few expired answers.
    left = [key for key, _ in stored_answers(database)]
    assert len(left) == 1 + 30 - idempotency._CLEARED_AT_ONCE
    post(editor, key="two")
    assert [key for key, _ in stored_answers(database)] == ["one", "two"]


class TestCommitted:
    """Requests whose transactions are committed."""

    @pytest.fixture
    def database(self, database_url: str) -> Iterator[Database]:
        """The database of the module, in which writes are committed."""
        database = Database(lambda: database_url)
        yield database
        with writing(database) as session:
            session.execute(text("DELETE FROM api_keys"))
        database.close()

    def test_one_of_concurrent_requests_is_executed(
        self, editor: Client, database: Database
    ) -> None:
        together = threading.Barrier(8)
        before = number_of(editor)

        def send(_):
            together.wait()
            return post(editor)

        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(send, range(8)))
        assert {answer.status_code for answer in answers} <= {201, 409}
        made = [answer for answer in answers if answer.status_code == 201]
        assert len({answer.json["id"] for answer in made}) == 1
        assert sum("Idempotency-Replayed" not in answer.headers for answer in made) == 1
        for answer in answers:
            assert ("Retry-After" in answer.headers) == (answer.status_code == 409)
        assert number_of(editor) == before + 1
        assert len(stored_answers(database)) == 1

    def test_a_concurrent_request_does_not_wait_for_the_first(
        self, editor: Client, database: Database, wait_for_a_lock: WaitForLock
    ) -> None:
        first = editor.post("/v1/sources", BODY).headers["Location"].rpartition("/")[2]
        body = {**BODY, "relations": [{"to_id": first, "kind": "quotes"}]}
        with ThreadPoolExecutor(1) as pool:
            with writing(database) as session:
                # The first has to wait for the transaction that deletes the row it refers to.
                lifecycle.delete(session, "sources", UUID(first), None)
                late = pool.submit(post, editor, "/v1/sources", body)
                wait_for_a_lock(database)
                answer = post(editor, "/v1/sources", body)
            assert answer.status_code == 409
            assert answer.headers["Retry-After"]
            assert late.result().status_code == 422
        # The first has failed, so the request is executed again.
        editor.restore(f"/v1/sources/{first}")
        assert post(editor, "/v1/sources", body).status_code == 201

    def test_a_request_that_was_rolled_back_is_executed_again(
        self, editor: Client, database: Database
    ) -> None:
        before = number_of(editor)
        self._administer(
            database,
            "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = 'deadlock_detected'; END $$",
            "CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON sources"
            " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        )
        assert post(editor).status_code == 503
        self._administer(database, "DROP FUNCTION refuse CASCADE")
        assert stored_answers(database) == []
        again = post(editor)
        assert again.status_code == 201
        assert number_of(editor) == before + 1
        assert is_replay(again, post(editor))

    def test_a_broken_connection_leaves_no_row(self, editor: Client, database: Database) -> None:
        before = number_of(editor)
        self._administer(
            database,
            "CREATE FUNCTION break() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
            "CREATE TRIGGER break AFTER INSERT ON idempotency_keys"
            " FOR EACH STATEMENT EXECUTE FUNCTION break()",
        )
        assert post(editor).status_code == 503
        self._administer(database, "DROP FUNCTION break CASCADE")
        assert stored_answers(database) == []
        again = post(editor)
        assert again.status_code == 201
        assert number_of(editor) == before + 1

    def _administer(self, database: Database, *statements):
        with writing(database) as session:
            for statement in statements:
                run(session, statement)
