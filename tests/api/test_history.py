"""History over HTTP: the changes of a row, its versions, and how to restore one."""

from typing import Any

import pytest

from hksz_db.database import Database, Session, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.services.writing import writing
from tests.api.conftest import Answer, Client, MakeClient
from tests.samples import Sample

NOBODY = "0199c3a0-0000-7000-8000-000000000000"
ARTICLE = "hksz:shenzhen-daily-article"
APPROVED = "hksz:ttps-approved-2023"
WRITING = {Scope.SOURCES_WRITE, Scope.CLAIMS_WRITE, Scope.ENTITIES_WRITE}


def made(client: Client, path: str, **body: Any) -> str:
    answer = client.post(f"/v1/{path}", body)
    assert answer.status_code == 201, answer.text
    return answer.headers["Location"]


def added(client: Client, samples: dict[str, Sample], resource: str, **body: Any) -> str:
    return made(client, resource, **{**samples[resource].body, **body})


def entries(client: Client, path: str, **query: str) -> list[dict[str, Any]]:
    answer = client.get(f"{path}/history", **query)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]


def summaries(client: Client, path: str) -> list[Any]:
    """Number, operation and changed fields of each version, the newest first."""
    return [(e["version"], e["op"], e["changed"]) for e in entries(client, path)]


def patched(client: Client, path: str, **body: Any) -> Answer:
    answer = client.patch(path, body)
    assert answer.status_code == 200, answer.text
    return answer


def restore_version(client: Client, path: str, version: int, etag: str = "*") -> Answer:
    return client.send("POST", f"{path}/history/{version}/restore", headers={"If-Match": etag})


def run_sql(database: Database, *statements: Any) -> None:
    """Execute each statement in a transaction of its own."""
    for sql, *arguments in statements:
        with writing(database) as session:
            run(session, sql, *arguments)


def without_counts(document: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in document.items() if k not in {"version", "updated_at", "similar"}}


@pytest.fixture
def edited(editor: Client, sample: Sample) -> tuple[str, list[dict[str, Any]]]:
    """The path of a row that was created, changed, deleted and restored, and a read after each."""
    path = made(editor, sample.resource, **sample.body)
    reads = [editor.get(path).json]
    patched(editor, path, **sample.change)
    reads.append(editor.get(path).json)
    assert editor.delete(path).status_code == 204
    reads.append(None)
    assert editor.restore(path).status_code == 200
    reads.append(editor.get(path).json)
    return path, reads


def test_the_history_names_the_actor_of_each_change(
    editor: Client, make_client: MakeClient, sample: Sample
) -> None:
    other = make_client(sample.scope, Scope.REVIEW, label="other")
    answer = editor.send(
        "POST", sample.path, json=sample.body, headers={"X-Request-ID": "first-request"}
    )
    path = answer.headers["Location"]
    changing = other.patch(path, sample.change)
    second, first = entries(editor, path)
    assert (second["version"], second["actor"], second["op"]) == (2, "other", "update")
    assert second["request_id"] == changing.headers["X-Request-ID"]
    assert set(second["changed"]) >= sample.change.keys() - {"names"}
    assert (first["version"], first["actor"], first["op"]) == (1, "editor", "create")
    assert first["request_id"] == "first-request"
    assert first["changed"] == []
    assert first["at"] < second["at"]


def test_a_deleted_row_has_its_history(
    reader: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, _ = edited
    assert [(v, op) for v, op, _ in summaries(reader, path)] == [
        (4, "restore"),
        (3, "delete"),
        (2, "update"),
        (1, "create"),
    ]


def test_each_version_of_a_row_can_be_read(
    reader: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, reads = edited
    listed = entries(reader, path)[::-1]
    ends = [*(entry["at"] for entry in listed[1:]), None]
    for number, (read, entry, until) in enumerate(zip(reads, listed, ends, strict=True), start=1):
        answer = reader.get(f"{path}/history/{number}")
        assert answer.status_code == 200
        assert answer.json == {**entry, "until": until, "document": read}
    # A row that is live now may have been deleted then, and the other way round.
    assert reader.get(f"{path}/history/3").json["document"] is None


def test_history_is_paged(reader: Client, edited: tuple[str, list[dict[str, Any]]]) -> None:
    path, _ = edited
    whole = entries(reader, path)
    url, seen = f"{path}/history?per_page=3", []
    for size in (3, 1):
        page = reader.get(url)
        assert page.json["meta"]["per_page"] == 3
        assert len(page.json["data"]) == size
        seen += page.json["data"]
        url = page.headers.get("Link", "<>; ")[1:].split(">")[0]
    assert url == ""
    assert page.json["meta"]["next_cursor"] is None
    assert seen == whole
    exactly = reader.get(f"{path}/history", per_page="4")
    assert exactly.json["meta"]["next_cursor"] is None
    assert "Link" not in exactly.headers


def test_a_cursor_belongs_to_one_row(
    reader: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    paths = [added(editor, samples, name) for name in ("units", "metrics")]
    for path in paths:
        assert editor.delete(path).status_code == 204
    cursor = reader.get(f"{paths[0]}/history", per_page="1").json["meta"]["next_cursor"]
    assert len(entries(reader, paths[0], cursor=cursor)) == 1
    for path, given in ((paths[1], cursor), (paths[0], cursor[:-4]), (paths[0], "x")):
        refused = reader.get(f"{path}/history", cursor=given)
        assert refused.status_code == 400
        assert refused.json["errors"][0]["parameter"] == "cursor"


@pytest.mark.parametrize("suffix", ["", "/1", "/1/diff/2"])
def test_an_unchanged_history_is_304(
    reader: Client, editor: Client, edited: tuple[str, list[dict[str, Any]]], suffix: str
) -> None:
    path, _ = edited
    url = f"{path}/history{suffix}"
    tag = reader.get(url).headers["ETag"]
    held = {"If-None-Match": tag}
    assert reader.send("GET", url, headers=held).status_code == 304
    patched(editor, path, external_id="test:renamed")
    # The list has grown; an earlier version has not changed.
    assert reader.send("GET", url, headers=held).status_code == (304 if suffix else 200)


def test_the_last_version_has_no_end_until_the_next(
    reader: Client, editor: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, _ = edited
    answer = reader.get(f"{path}/history/4")
    assert answer.json["until"] is None
    patched(editor, path, external_id="test:renamed")
    held = {"If-None-Match": answer.headers["ETag"]}
    again = reader.send("GET", f"{path}/history/4", headers=held)
    assert again.status_code == 200
    assert again.json["until"] == entries(reader, path)[0]["at"]
    assert again.json["document"] == answer.json["document"]


@pytest.mark.parametrize(
    ("suffix", "parameter"),
    [
        ("", "as_of=2024-01-01T00:00:00Z"),
        ("", "select=version"),
        ("", "per_page=0"),
        ("/1", "as_of=2024-01-01T00:00:00Z"),
        ("/1", "select=nothing"),
        ("/1/diff/1", "select=id"),
    ],
)
def test_unknown_parameters_of_a_history_are_refused(
    reader: Client, edited: tuple[str, list[dict[str, Any]]], suffix: str, parameter: str
) -> None:
    path, _ = edited
    refused = reader.get(f"{path}/history{suffix}?{parameter}")
    assert refused.status_code == 400
    assert refused.json["errors"][0]["parameter"] == parameter.partition("=")[0]


def test_select_chooses_fields_of_a_version(
    reader: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    path = added(editor, samples, "claims")
    patched(editor, path, **samples["claims"].change)
    answer = reader.get(f"{path}/history/1", select="id,statement", include="figures")
    document = answer.json["document"]
    assert document.keys() == {"id", "statement", "figures"}
    assert document["statement"] == samples["claims"].body["statement"]
    bare = reader.get(f"{path}/history/1", include="").json["document"]
    assert "figures" not in bare
    assert "similar" in reader.get(f"{path}/history/1", include="similar").json["document"]


def test_an_unknown_version_is_404(
    reader: Client,
    editor: Client,
    edited: tuple[str, list[dict[str, Any]]],
    database: Database,
    sample: Sample,
) -> None:
    path, _ = edited
    sql = f"UPDATE {sample.resource} SET version = 9 WHERE id = $1"
    run_sql(database, (sql, path.rpartition("/")[2]))
    for version, near in ((0, "1"), (5, "4 and 9"), (99, "9"), (10**30, "9")):
        for url in (f"/{version}", f"/1/diff/{version}", f"/{version}/diff/1"):
            refused = reader.get(f"{path}/history{url}")
            assert refused.status_code == 404
            assert refused.json["detail"].endswith(f"has no version {version}; next to it: {near}.")
        assert restore_version(editor, path, version).status_code == 404


def test_the_history_of_an_unknown_row_is_404(
    reader: Client, editor: Client, sample: Sample
) -> None:
    path = f"{sample.path}/{NOBODY}"
    for suffix in ("", "/1", "/1/diff/2"):
        refused = reader.get(f"{path}/history{suffix}")
        assert refused.status_code == 404
        assert NOBODY in refused.json["detail"]
    assert restore_version(editor, path, 1).status_code == 404


def test_changes_of_its_parts_are_versions_of_a_claim(
    editor: Client, samples: dict[str, Sample]
) -> None:
    path = added(editor, samples, "claims")
    figure, passage = (
        f"/v1/{part}/{editor.get(path).json[part][0]['id']}" for part in ("figures", "evidence")
    )
    patched(editor, path, topics=["firms", "moves"], due_edtf="2030")
    patched(editor, path, entities=[{"entity_external_id": "hksz:ttps", "role": "subject"}])
    patched(editor, path, relations=[{"kind": "refines", "to_external_id": APPROVED}])
    patched(editor, figure, as_stated="about forty")
    patched(editor, passage, note="On page one.")
    answer = editor.post(
        f"{path}/evidence", {"source_external_id": ARTICLE, "stance": "supports", "page": "2"}
    )
    assert answer.status_code == 201
    assert editor.delete(figure).status_code == 204
    assert [changed for _, _, changed in summaries(editor, path)] == [
        ["figures"],
        ["evidence", "corroboration"],
        ["evidence"],
        ["figures"],
        ["relations"],
        ["entities"],
        ["due", "topics"],
        [],
    ]
    # The parts of a claim have their own histories.
    assert [entry[1:] for entry in summaries(editor, figure)] == [
        ("delete", []),
        ("update", ["as_stated"]),
        ("create", []),
    ]
    assert summaries(editor, answer.headers["Location"]) == [(1, "create", [])]


def test_a_version_has_its_corroboration(editor: Client, samples: dict[str, Sample]) -> None:
    path = added(editor, samples, "claims")
    source = added(editor, samples, "sources")
    answer = editor.post(
        f"{path}/evidence",
        {"source_external_id": "test:report", "stance": "asserts", "status": "accepted"},
    )
    assert answer.status_code == 201
    patched(editor, source, retracted_at="2024-01-01T00:00:00Z")
    counts = [
        editor.get(f"{path}/history/{number}").json["document"]["corroboration"]["for"]["origins"]
        for number in (1, 2)
    ]
    # The retraction of a source is a change of the source.
    assert counts == [0, 1]
    assert editor.get(path).json["corroboration"]["for"]["origins"] == 0
    assert summaries(editor, path)[0] == (2, "update", ["evidence", "corroboration"])
    assert summaries(editor, source)[0] == (2, "update", ["retracted_at"])


def test_changed_lists_of_a_row_are_named(editor: Client, samples: dict[str, Sample]) -> None:
    entity = added(editor, samples, "entities")
    source = added(editor, samples, "sources")
    names = [*samples["entities"].body["names"], {"name": "X", "language": "en", "kind": "alias"}]
    patched(editor, entity, names=names, identifiers=[])
    patched(editor, entity, relations=[{"kind": "part_of", "object_external_id": "hksz:hkpc"}])
    patched(editor, source, contributors=[], issued_edtf="2024")
    patched(editor, source, relations=[{"kind": "cites", "to_external_id": ARTICLE}])
    capture = {"normalization": "nfc-ws1", "char_length": 9, "text_sha256": "0" * 64}
    patched(editor, source, captures=[capture])
    assert [c for *_, c in summaries(editor, entity)] == [
        ["relations"],
        ["names", "identifiers"],
        [],
    ]
    fields = [c for *_, c in summaries(editor, source)]
    assert fields == [["captures"], ["relations"], ["issued", "contributors"], []]


def test_changes_by_sql_are_in_the_history(
    editor: Client, samples: dict[str, Sample], database: Database
) -> None:
    path = added(editor, samples, "claims")
    id = path.rpartition("/")[2]
    run_sql(
        database,
        ("UPDATE claims SET statement = 'Sixty.', version = 5 WHERE id = $1", id),
        ("UPDATE claims SET language = 'fr' WHERE id = $1", id),
        ("UPDATE claims SET updated_at = clock_timestamp(), version = 5 WHERE id = $1", id),
        ("DELETE FROM claim_topics WHERE claim_id = $1", id),
        ("UPDATE units SET label = 'one' WHERE code = '1'",),
    )
    assert summaries(editor, path) == [
        (5, "update", ["topics"]),
        (5, "update", []),
        (5, "update", ["language"]),
        (5, "update", ["statement"]),
        (1, "create", []),
    ]
    newest, *others = entries(editor, path)
    assert (newest["actor"], newest["request_id"]) == ("hksz", None)
    last = editor.get(f"{path}/history/5").json
    assert (last["at"], last["until"]) == (newest["at"], None)
    assert last["document"] == editor.get(path).json
    # Of several rows with one version number the last is read; as_of reads the others.
    then = editor.get(path, as_of=others[-2]["at"]).json
    assert (then["statement"], then["language"], then["topics"]) == ("Sixty.", "en", ["firms"])


def test_a_row_removed_by_sql_has_its_history(
    reader: Client, editor: Client, samples: dict[str, Sample], database: Database
) -> None:
    path = added(editor, samples, "units")
    document = reader.get(path).json
    id = path.rpartition("/")[2]
    run_sql(database, ("DELETE FROM units WHERE id = $1", id))
    assert reader.get(path).status_code == 404
    assert summaries(reader, path) == [(None, "remove", []), (1, "create", [])]
    was = reader.get(f"{path}/history/1").json
    assert was["document"] == document
    assert was["until"] == entries(reader, path)[0]["at"]
    assert restore_version(editor, path, 1).status_code == 404
    again = "INSERT INTO units (id, code, label, dimension, factor) VALUES ($1, $2, $3, $4, 1)"
    run_sql(database, (again, id, "HKD", "dollar", "money"))
    assert summaries(reader, path)[0] == (1, "create", [])
    assert reader.get(f"{path}/history/1").json["document"]["label"] == "dollar"


def test_a_row_that_is_older_than_the_history(
    reader: Client, session: Session, database: Database
) -> None:
    old = (
        "INSERT INTO units (code, label, dimension, factor, written_in, version)"
        " VALUES ('HKD', 'dollar', 'money', 1, 0, 3)"
    )
    run_sql(
        database,
        ("ALTER TABLE units DISABLE TRIGGER USER",),
        (old,),
        ("ALTER TABLE units ENABLE TRIGGER USER",),
    )
    ((id, began),) = run(
        session,
        "SELECT units.id, committed_at FROM units, transactions"
        " WHERE code = 'HKD' AND transactions.id = 0",
    )
    path = f"/v1/units/{id}"
    (entry,) = entries(reader, path)
    assert (entry["version"], entry["op"], entry["actor"]) == (3, "begin", "hksz")
    assert entry["at"] == f"{began:%Y-%m-%dT%H:%M:%S.%fZ}"
    assert reader.get(f"{path}/history/3").json["document"] == reader.get(path).json
    run_sql(database, ("UPDATE units SET label = 'x', version = 4 WHERE id = $1", id))
    assert summaries(reader, path) == [(4, "update", ["label"]), (3, "begin", [])]


def test_rows_written_while_the_history_began_belong_to_its_beginning(
    reader: Client, database: Database
) -> None:
    code = "INSERT INTO {} (id, code, label, dimension, factor, version, written_in{}) VALUES "
    early = (
        "INSERT INTO transactions (id, actor, committed_at)"
        " SELECT 5, 'x', committed_at - interval '1 hour' FROM transactions WHERE id = 0"
    )
    id = NOBODY
    tables = ("units", "transactions", "past.units")
    run_sql(
        database,
        *((f"ALTER TABLE {table} DISABLE TRIGGER USER",) for table in tables),
        (early,),
        (code.format("past.units", ", ended_in") + f"('{id}', 'HKD', 'x', 'money', 1, 1, 0, 5)",),
        (code.format("units", "") + f"('{id}', 'HKD', 'dollar', 'money', 1, 2, 5)",),
        *((f"ALTER TABLE {table} ENABLE TRIGGER USER",) for table in tables),
    )
    path = f"/v1/units/{id}"
    assert summaries(reader, path) == [(2, "begin", [])]
    assert reader.get(f"{path}/history/2").json["document"] == reader.get(path).json
    assert reader.get(f"{path}/history/1").status_code == 404


def test_the_actor_of_seeded_rows_is_the_seed(reader: Client) -> None:
    row = reader.get("/v1/claims", external_id=APPROVED).json["data"][0]
    (entry,) = entries(reader, f"/v1/claims/{row['id']}")
    assert (entry["version"], entry["op"], entry["actor"]) == (1, "create", "seed:article")


@pytest.fixture
def twins(editor: Client, samples: dict[str, Sample]) -> tuple[str, str, str]:
    """Two entities, and a claim about the first of them."""
    body = samples["entities"].body
    names = [{"name": "A double", "language": "en", "kind": "preferred"}]
    twin = made(editor, "entities", **{**body, "external_id": "test:twin", "names": names})
    original = made(editor, "entities", **{**body, "identifiers": []})
    about = [{"entity_external_id": "test:twin", "role": "subject"}]
    claim = added(editor, samples, "claims", entities=about)
    return twin, original, claim


def merge(editor: Client, twin: str) -> None:
    body = {"into_external_id": "test:firm"}
    assert editor.post(f"{twin}/merge", body, **{"If-Match": "*"}).status_code == 200


def test_a_merged_entity_has_its_history(
    reader: Client, editor: Client, twins: tuple[str, str, str]
) -> None:
    twin, original, claim = twins
    before = reader.get(twin).json
    merge(editor, twin)
    assert reader.get(twin).status_code == 308
    assert summaries(reader, twin)[0] == (2, "merge", ["identifiers"])
    assert reader.get(f"{twin}/history/2").json["document"] is None
    assert reader.get(f"{twin}/history/1").json["document"] == before
    assert summaries(reader, original)[0] == (2, "update", ["names", "identifiers"])
    assert summaries(reader, claim)[0] == (2, "update", ["entities"])
    refused = restore_version(editor, twin, 1)
    assert refused.status_code == 409
    assert "merged" in refused.json["detail"]
    assert editor.post(f"{twin}/unmerge", **{"If-Match": "*"}).status_code == 200
    assert summaries(reader, twin)[0] == (3, "unmerge", ["identifiers"])
    assert reader.get(f"{twin}/history/3").json["document"] == reader.get(twin).json


def test_restored_references_to_a_merged_entity_lead_to_the_other(
    editor: Client, twins: tuple[str, str, str]
) -> None:
    twin, original, claim = twins
    patched(editor, claim, claimant_external_id="test:twin", entities=[])
    patched(editor, claim, claimant_external_id="hksz:hkpc")
    merge(editor, twin)
    assert restore_version(editor, claim, 2).status_code == 200
    assert original.endswith(editor.get(claim).json["claimant"]["id"])
    assert restore_version(editor, claim, 1).status_code == 200
    (link,) = editor.get(claim).json["entities"]
    assert original.endswith(link["entity"]["id"])


def differences(client: Client, path: str, version: int, other: int) -> list[Any]:
    answer = client.get(f"{path}/history/{version}/diff/{other}")
    assert answer.status_code == 200
    assert (answer.json["from"], answer.json["to"]) == (version, other)
    return answer.json["differences"]


def test_two_versions_are_compared(
    reader: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    path = added(editor, samples, "claims")
    answer = editor.post(f"{path}/evidence", {"source_external_id": ARTICLE, "stance": "disputes"})
    assert answer.status_code == 201
    patched(editor, path, time_edtf="2023~", topics=["extra", "firms"])
    compared = differences(reader, path, 1, 3)
    found = {d["pointer"]: (d["before"], d["after"]) for d in compared}
    assert len(found) == len(compared)
    assert found["/time/edtf"] == (None, "2023~")
    assert found["/topics/0"] == (None, "extra")
    before, after = found["/evidence/1"]
    assert before is None
    assert answer.headers["Location"].endswith(after["id"])
    assert not {"/version", "/updated_at", "/statement"} & found.keys()
    back = {d["pointer"]: (d["before"], d["after"]) for d in differences(reader, path, 3, 1)}
    assert back["/time/edtf"] == ("2023~", None)
    assert back["/topics/0"] == ("extra", None)
    assert back["/evidence/1"] == (after, None)
    assert differences(reader, path, 3, 3) == []


def test_a_version_is_compared_with_a_deletion(
    reader: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, reads = edited
    (difference,) = differences(reader, path, 2, 3)
    assert difference == {"pointer": "", "before": reads[1], "after": None}
    changed = {d["pointer"].split("/")[1] for d in differences(reader, path, 1, 2)}
    assert changed == set(entries(reader, path)[2]["changed"])


def test_a_row_is_restored_to_a_version(
    editor: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, reads = edited
    tag = editor.get(path).headers["ETag"]
    answer = restore_version(editor, path, 1, tag)
    assert answer.status_code == 200
    now = editor.get(path)
    assert answer.headers["ETag"].startswith('"5-')
    assert now.json["version"] == 5
    expected, found = without_counts(reads[0]), without_counts(now.json)
    for part in ("figures", "evidence"):
        for rows in (expected.get(part, []), found.get(part, [])):
            rows[:] = map(without_counts, rows)
    assert found == expected
    changed = entries(editor, path)[0]
    assert (changed["version"], changed["op"], changed["actor"]) == (5, "update", "editor")
    assert differences(editor, path, 1, 5) == []
    # Restoring the same version again changes nothing.
    assert restore_version(editor, path, 1).status_code == 200
    assert entries(editor, path)[0] == changed


def test_restoring_a_version_needs_the_current_etag(
    editor: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, _ = edited
    url = f"{path}/history/1/restore"
    assert editor.post(url).status_code == 428
    assert restore_version(editor, path, 1, '"3"').status_code == 412
    assert editor.send("POST", f"{url}?x=1", headers={"If-Match": "*"}).status_code == 400
    assert len(entries(editor, path)) == 4


def test_restoring_a_version_can_be_repeated(
    editor: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, _ = edited
    headers = {"If-Match": '"4"', "Idempotency-Key": "back"}
    first, again = (
        editor.send("POST", f"{path}/history/1/restore", headers=headers) for _ in range(2)
    )
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.data == first.data
    assert entries(editor, path)[0]["version"] == 5


def test_a_deletion_is_not_restored_as_a_version(
    editor: Client, edited: tuple[str, list[dict[str, Any]]]
) -> None:
    path, _ = edited
    refused = restore_version(editor, path, 3)
    assert refused.status_code == 409
    assert refused.json["detail"].endswith("was deleted in version 3.")
    assert editor.delete(path).status_code == 204
    gone = restore_version(editor, path, 1)
    assert gone.status_code == 410
    assert "can be restored" in gone.json["detail"]
    assert gone.headers["ETag"] == '"5"'


def test_restoring_a_version_needs_the_scope_to_write(
    make_client: MakeClient, edited: tuple[str, list[dict[str, Any]]], sample: Sample
) -> None:
    path, _ = edited
    for scope in WRITING - {sample.scope}:
        other = make_client(scope, Scope.REVIEW, label=scope)
        assert restore_version(other, path, 1).status_code == 403
    assert (
        restore_version(make_client(sample.scope, Scope.REVIEW, label="own"), path, 1).status_code
        == 200
    )


def test_restoring_a_review_status_needs_the_scope_review(
    writer: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    path = added(writer, samples, "claims")
    patched(editor, path, status="accepted")
    # Only reviewers change an accepted claim,
    assert restore_version(writer, path, 1).status_code == 403
    patched(editor, path, status="submitted")
    # and only they accept one.
    assert restore_version(writer, path, 2).status_code == 403
    assert restore_version(editor, path, 2).status_code == 200
    assert editor.get(path).json["status"] == "accepted"


def test_a_reference_deleted_since_is_named(editor: Client, samples: dict[str, Sample]) -> None:
    entity = added(editor, samples, "entities")
    claim = added(editor, samples, "claims", claimant_external_id="test:firm")
    patched(editor, claim, claimant_external_id="hksz:hkpc")
    assert editor.delete(entity).status_code == 204
    refused = restore_version(editor, claim, 1)
    assert refused.status_code == 422
    (error,) = refused.json["errors"]
    assert (error["code"], error["pointer"]) == ("deleted", "#/claimant_id")
    assert entity.rpartition("/")[2] in error["detail"]
    assert editor.get(claim).json["version"] == 2


def test_figures_and_evidence_are_restored_separately(
    editor: Client, samples: dict[str, Sample]
) -> None:
    path = added(editor, samples, "claims")
    figure = f"/v1/figures/{editor.get(path).json['figures'][0]['id']}"
    patched(editor, figure, amount="50", as_stated="fifty")
    patched(editor, path, statement="Fifty.")
    assert restore_version(editor, path, 1).status_code == 200
    now = editor.get(path).json
    assert now["statement"] == samples["claims"].body["statement"]
    assert now["figures"][0]["as_stated"] == "fifty"
    pointers = {d["pointer"] for d in differences(editor, path, 1, now["version"])}
    assert {"/figures/0/as_stated", "/figures/0/amount"} <= pointers
    assert "/statement" not in pointers
    assert restore_version(editor, figure, 1).status_code == 200
    assert differences(editor, path, 1, editor.get(path).json["version"]) == []


def test_a_restored_relative_time_uses_the_current_date_of_its_anchor(
    editor: Client, samples: dict[str, Sample]
) -> None:
    source = added(editor, samples, "sources", issued_edtf="2024-05")
    relative = {"anchor_external_id": "test:report", "duration": "-P1Y"}
    path = added(editor, samples, "claims", time_relative=relative)
    patched(editor, path, time_edtf="1999", statement="Long ago.")
    patched(editor, source, issued_edtf="2020-05")
    assert restore_version(editor, path, 1).status_code == 200
    time = editor.get(path).json["time"]
    assert time["relative"]["duration"] == "-P1Y"
    assert time["edtf"].startswith("2019")
