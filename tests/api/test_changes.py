"""The feed over HTTP."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from flask import Flask
from jsonschema import Draft202012Validator

from hksz_db.database import Database, run
from hksz_db.domain.strict_json import compact
from hksz_db.feed.pages import Feed, Position
from hksz_db.queries.keysets import encode_cursor
from hksz_db.queries.registry import RESOURCES
from hksz_db.services.writing import writing
from tests.api.conftest import Client
from tests.samples import Sample

PATH = "/v1/changes"
MOMENT = "1970-01-01T00:00:00.000000Z"
TODAY = datetime.now(UTC).date()

Follow = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def now(reader: Client) -> str:
    """The cursor for the moment at which the test begins."""
    answer = reader.get(PATH, cursor="now")
    assert answer.json["data"] == []
    assert answer.json["meta"]["caught_up"]
    return answer.json["meta"]["next_cursor"]


@pytest.fixture
def follow(reader: Client, now: str) -> Follow:
    """``follow()`` returns the entries since the test began."""

    def follow(**query):
        answer = reader.get(PATH, cursor=now, per_page="100", **query)
        assert answer.status_code == 200, answer.json
        assert answer.json["meta"]["caught_up"]
        return answer.json["data"]

    return follow


def brief(entries: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(entry["resource"], entry["op"], entry["id"]) for entry in entries]


def read_all(reader: Client, per_page: str = "100", **query: str) -> list[dict[str, Any]]:
    """Every entry from the beginning, page by page."""
    entries: list[dict[str, Any]] = []
    cursor: dict[str, str] = {}
    while True:
        answer = reader.get(PATH, per_page=per_page, **cursor, **query)
        assert answer.status_code == 200, answer.json
        assert len(answer.json["data"]) <= int(per_page)
        entries += answer.json["data"]
        cursor = {"cursor": answer.json["meta"]["next_cursor"]}
        if answer.json["meta"]["caught_up"]:
            return entries


def check_changes(client: Client, entries: list[dict[str, Any]]) -> None:
    """Check that each entry is the change of its resource in the OpenAPI document."""
    described = client.get("/openapi.json").json
    items = described["components"]["schemas"]["ChangePage"]["properties"]["data"]["items"]
    mapping = items["discriminator"]["mapping"]
    assert list(mapping.values()) == [one["$ref"] for one in items["oneOf"]]
    for entry in entries:
        change = {"$ref": mapping[entry["resource"]], "components": described["components"]}
        Draft202012Validator(change).validate(entry)


def test_from_the_beginning_it_has_every_document(reader: Client) -> None:
    entries = read_all(reader)
    assert {entry["op"] for entry in entries} == {"create"}
    held = {(entry["resource"], entry["id"]): entry["document"] for entry in entries}
    assert len(held) == len(entries)
    for (resource, id), document in held.items():
        assert reader.get(f"/v1/{resource}/{id}").json == document
    for resource in RESOURCES.values():
        (count,) = (
            reader.get(f"/v1/{resource.name}", count="exact", per_page="1").json["meta"]["count"],
        )
        assert sum(name == resource.name for name, _ in held) == count["value"]
    page = reader.get(PATH).json
    check_changes(reader, entries)
    assert page["data"] == entries[:25]


def test_pages_of_any_size_have_the_same_entries(reader: Client) -> None:
    whole = read_all(reader, document="false")
    assert read_all(reader, "7", document="false") == whole
    assert all("document" not in entry for entry in whole)
    moments = [(entry["at"], int(entry["transaction"])) for entry in whole]
    assert moments == sorted(moments)


def test_the_next_page_is_linked(reader: Client) -> None:
    answer = reader.get(PATH, per_page="3", resource="claims")
    cursor = answer.json["meta"]["next_cursor"]
    link = answer.headers["Link"].split(">")[0].removeprefix("<")
    linked, asked = (
        reader.get(link),
        reader.get(PATH, per_page="3", resource="claims", cursor=cursor),
    )
    assert linked.json == asked.json
    assert answer.headers["Cache-Control"] == "no-store"


def test_operations_on_a_row(editor: Client, follow: Follow, sample: Sample) -> None:
    made = editor.post(sample.path, sample.body)
    path, id = made.headers["Location"], made.json["id"]
    editor.patch(path, sample.change)
    editor.delete(path)
    editor.restore(path)
    entries = [entry for entry in follow() if entry["id"] == id]
    assert [entry["op"] for entry in entries] == ["create", "update", "delete", "create"]
    document = editor.get(path).json
    # Every entry has the current document.
    assert all(entry["document"] == document for entry in entries)
    assert {entry["version"] for entry in entries} == {document["version"]}
    assert {entry["actor"] for entry in entries} == {"editor"}
    assert len({entry["transaction"] for entry in entries}) == 4
    check_changes(editor, entries)
    assert {entry["merged_into"] for entry in entries} == {None}


def test_a_deletion_leaves_a_tombstone(editor: Client, follow: Follow, sample: Sample) -> None:
    made = editor.post(sample.path, sample.body)
    editor.delete(made.headers["Location"])
    entries = [entry for entry in follow() if entry["id"] == made.json["id"]]
    assert [(entry["op"], entry["document"]) for entry in entries] == [
        ("create", None),
        ("delete", None),
    ]
    assert [entry["version"] for entry in entries] == [2, 2]


def test_a_row_that_was_never_live_has_no_entry(database: Database, follow: Follow) -> None:
    with writing(database) as session:
        sql = "INSERT INTO sources (csl_type, title, deleted_at) VALUES ('report', 'X', now())"
        run(session, sql)
    with writing(database) as session:
        run(session, "UPDATE sources SET version = 2 WHERE title = 'X'")
    assert follow() == []
    with writing(database) as session:
        run(session, "UPDATE sources SET deleted_at = NULL WHERE title = 'X'")
    assert [op for _, op, _ in brief(follow())] == ["create"]


def test_a_removed_row_has_no_version(database: Database, follow: Follow) -> None:
    with writing(database) as session:
        sql = "INSERT INTO sources (csl_type, title) VALUES ('report', 'X') RETURNING id"
        ((id,),) = run(session, sql)
    with writing(database) as session:
        run(session, "DELETE FROM sources WHERE id = $1", id)
    entries = follow()
    assert [(entry["op"], entry["version"]) for entry in entries] == [
        ("create", None),
        ("delete", None),
    ]


def test_a_merge_is_a_deletion_with_a_target(
    editor: Client, follow: Follow, samples: dict[str, Sample]
) -> None:
    sample = samples["entities"]
    one = editor.post(sample.path, sample.body).json["id"]
    names = [{"name": "Firm", "language": "en", "kind": "preferred"}]
    other = editor.post(sample.path, {"kind": "organisation", "names": names}).json["id"]
    body = {"claimant_id": one, "statement": "It moved."}
    claim = editor.post("/v1/claims", body).json["id"]
    editor.send(
        "POST", f"/v1/entities/{one}/merge", json={"into_id": other}, headers={"If-Match": "*"}
    )
    entries = follow()
    last = {(entry["resource"], entry["id"]): entry for entry in entries}
    assert last["entities", one]["op"] == "delete"
    assert last["entities", one]["merged_into"] == other
    assert last["entities", one]["document"] is None
    assert last["entities", other]["op"] == "update"
    assert last["claims", claim]["document"]["claimant"]["id"] == other
    editor.send("POST", f"/v1/entities/{one}/unmerge", headers={"If-Match": "*"})
    last = {(entry["resource"], entry["id"]): entry for entry in follow()}
    assert last["entities", one]["op"] == "create"
    assert last["entities", one]["merged_into"] is None
    assert last["entities", one]["document"]


def test_documents_that_show_a_row_have_entries(editor: Client, follow: Follow) -> None:
    """An entity is renamed: claims, figures and sources show its name."""
    answer = editor.get("/v1/entities", external_id="hksz:ttps")
    (entity,) = answer.json["data"]
    names = [{"name": "Another scheme", "language": "en", "kind": "preferred"}]
    assert editor.patch(f"/v1/entities/{entity['id']}", {"names": names}).status_code == 200
    entries = follow(expand="true")
    assert brief(entries)[0] == ("entities", "update", entity["id"])
    others = entries[1:]
    assert {entry["resource"] for entry in others} >= {"claims", "figures"}
    for entry in others:
        assert entry["op"] == "update"
        assert "Another scheme" in json.dumps(entry["document"])
    assert len({entry["transaction"] for entry in entries}) == 1
    shown = {(entry["resource"], entry["id"]) for entry in others}
    for resource in ("claims", "figures", "sources", "evidence", "entities"):
        for row in read_rows(editor, resource):
            document = editor.get(f"/v1/{resource}/{row}")
            if row != entity["id"]:
                assert ("Another scheme" in document.text) == ((resource, row) in shown)


def read_rows(reader: Client, resource: str) -> list[str]:
    answer = reader.get(f"/v1/{resource}", per_page="100", select="id")
    assert answer.json["meta"]["next_cursor"] is None
    return [row["id"] for row in answer.json["data"]]


def test_a_document_that_was_written_later_has_one_entry(
    editor: Client, follow: Follow, samples: dict[str, Sample]
) -> None:
    """A claim that was created after its claimant was renamed has no entry for that."""
    sample = samples["entities"]
    firm = editor.post(sample.path, sample.body).json["id"]
    names = [{"name": "Renamed", "language": "en", "kind": "preferred"}]
    editor.patch(f"/v1/entities/{firm}", {"names": names})
    editor.post("/v1/claims", {"claimant_id": firm, "statement": "It moved."})
    ops = [(resource, op) for resource, op, _ in brief(follow(expand="true"))]
    assert ops == [("entities", "create"), ("entities", "update"), ("claims", "create")]


def test_what_shows_a_row_is_referred_to(editor: Client, follow: Follow) -> None:
    (entity,) = editor.get("/v1/entities", external_id="hksz:ttps").json["data"]
    names = [{"name": "Another scheme", "language": "en", "kind": "preferred"}]
    editor.patch(f"/v1/entities/{entity['id']}", {"names": names})
    (entry,) = follow()
    assert set(entry["shown_in"]) >= {"claims", "figures", "sources"}
    check_changes(editor, [entry])

    page = editor.get(PATH, transaction=entry["transaction"], expand="true", per_page="100").json

    assert page["meta"]["caught_up"]
    assert page["data"] == follow(expand="true")
    assert len(page["data"]) > 3


def test_what_nothing_shows_is_not_referred_to(editor: Client, follow: Follow) -> None:
    (entity,) = editor.get("/v1/entities", external_id="hksz:ttps").json["data"]
    editor.patch(f"/v1/entities/{entity['id']}", {"description": "A scheme."})
    (entry,) = follow()
    assert entry["shown_in"] == []


def test_a_part_is_a_change_of_the_whole(editor: Client, follow: Follow) -> None:
    """A claim has an entry for its new evidence, without ``expand``."""
    body = {"statement": "It moved.", "claimant_external_id": "hksz:ttps"}
    claim = editor.post("/v1/claims", body).json["id"]
    (source,) = editor.get("/v1/sources", per_page="1").json["data"]
    body = {"claim_id": claim, "source_id": source["id"], "stance": "supports"}
    passage = editor.post("/v1/evidence", body).json["id"]
    assert brief(follow())[1:] == [("claims", "update", claim), ("evidence", "create", passage)]


def test_a_transaction_is_read_in_pages(
    editor: Client, reader: Client, samples: dict[str, Sample]
) -> None:
    body = {"items": [{"csl_type": "report", "title": f"Report {n}"} for n in range(3)]}
    cursor = reader.get(PATH, cursor="now").json["meta"]["next_cursor"]
    assert editor.post("/v1/sources/bulk?atomic=true", body).status_code < 300
    editor.post(samples["metrics"].path, samples["metrics"].body)
    entries = reader.get(PATH, cursor=cursor).json["data"]
    number = entries[0]["transaction"]

    assert read_all(reader, "2", transaction=number) == entries[:3]
    first = reader.get(PATH, transaction=number, per_page="2").json["meta"]["next_cursor"]
    assert reader.get(PATH, cursor=first).status_code == 400


def test_an_unknown_transaction_is_refused(reader: Client) -> None:
    answer = reader.get(PATH, transaction="17")
    assert answer.status_code == 400
    assert answer.json["errors"][0]["detail"] == "There is no transaction 17."


def test_resource_limits_the_entries(
    reader: Client, editor: Client, samples: dict[str, Sample]
) -> None:
    asked = {"resource": "units,metrics"}
    cursor = reader.get(PATH, cursor="now", **asked).json["meta"]["next_cursor"]
    for name in ("sources", "units", "metrics"):
        editor.post(samples[name].path, samples[name].body)
    page = reader.get(PATH, cursor=cursor, **asked).json
    assert [entry["resource"] for entry in page["data"]] == ["units", "metrics"]
    assert page["meta"]["caught_up"]


def test_a_cursor_belongs_to_its_resources(reader: Client, now: str) -> None:
    assert reader.get(PATH, cursor=now, resource="claims").status_code == 400
    cursor = reader.get(PATH, resource="units,claims").json["meta"]["next_cursor"]
    assert reader.get(PATH, resource="claims,units", cursor=cursor).status_code == 200


def test_resources_can_be_given_one_at_a_time(reader: Client) -> None:
    once = reader.get(PATH, resource="claims,units")
    each = reader.send("GET", f"{PATH}?resource=claims&resource=units")
    assert each.json == once.json
    assert each.headers["Link"] == once.headers["Link"]


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ({"cursor": "then"}, "cursor"),
        ({"cursor": ""}, "cursor"),
        ({"resource": "claims,words"}, "resource"),
        ({"resource": ""}, "resource"),
        ({"wait": "31"}, "wait"),
        ({"wait": "-1"}, "wait"),
        ({"wait": "1.5"}, "wait"),
        ({"wait": ""}, "wait"),
        ({"per_page": "0"}, "per_page"),
        ({"per_page": "101"}, "per_page"),
        ({"document": "yes"}, "document"),
        ({"as_of": "2024-01-01T00:00:00Z"}, "as_of"),
        ({"statement": "x"}, "statement"),
    ],
)
def test_an_invalid_parameter_is_named(
    reader: Client, query: dict[str, str], parameter: str
) -> None:
    answer = reader.get(PATH, **query)
    assert answer.status_code == 400
    assert [error["parameter"] for error in answer.json["errors"]] == [parameter]


def test_an_invalid_position_is_refused(reader: Client, app: Flask) -> None:
    feed = Feed(app.extensions["hksz_database"])
    for place in (
        Position("yesterday", "1"),
        Position("2024-13-13T00:00:00.000000Z", "1"),
        Position(MOMENT, "x"),
        Position(MOMENT, "9" * 19),
        Position(MOMENT, "1", "one"),
        Position(MOMENT, "1", "1", "cl\0ims"),
        Position(MOMENT, "1", "1", "claims", "x"),
    ):
        assert_refused(reader, encode_cursor(compact(place.keys), feed._question))
    for mark in (["\0", None, None], ["7", "never", "0"]):
        keys = [*Position("2024-01-01T00:00:00.000000Z").keys, *mark]
        assert_refused(reader, encode_cursor(compact(keys), feed._question))


def assert_refused(reader: Client, cursor: str) -> None:
    answer = reader.get(PATH, cursor=cursor)
    assert answer.status_code == 400
    assert answer.json["errors"][0]["parameter"] == "cursor"


def planned(editor: Client, name: str, due: str) -> str:
    body = {
        "external_id": f"test:{name}",
        "statement": f"The {name} will open.",
        "claimant_external_id": "hksz:hkpc",
        "modality": "planned",
        "due_edtf": due,
    }
    made = editor.post("/v1/claims", body)
    assert made.status_code == 201, made.json
    return made.json["id"]


def noted(database: Database, day: str) -> int:
    with writing(database) as session:
        ((count,),) = run(session, "SELECT note_due($1)", day)
    return count


def due_entries(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries if entry["op"] == "due"]


def test_a_planned_claim_falls_due_once_when_its_last_day_has_passed(
    database: Database, editor: Client, follow: Follow
) -> None:
    branch = planned(editor, "branch", "2020-05")
    zone = planned(editor, "zone", "2020")
    later = planned(editor, "later", f"{TODAY.year + 1}")
    editor.patch(f"/v1/claims/{later}", {"modality": "planned"})
    for day, count in (("2020-05-31", 0), ("2020-06-01", 1), ("2020-06-01", 0), ("2021-01-01", 1)):
        assert noted(database, day) == count, day
    # A future day is ignored.
    assert noted(database, "9999-01-01") == 0
    assert due_entries(follow()) == [branch, zone]
    (entry, _) = (entry for entry in follow() if entry["op"] == "due")
    assert entry["document"] == editor.get(f"/v1/claims/{branch}").json


def test_a_claim_whose_date_is_corrected_falls_due_again(
    database: Database, editor: Client, follow: Follow
) -> None:
    branch = planned(editor, "branch", "2020-05")
    assert noted(database, str(TODAY)) == 1
    editor.patch(f"/v1/claims/{branch}", {"due_edtf": "2021-05"})
    assert noted(database, "2021-05-31") == 0
    assert noted(database, str(TODAY)) == 1
    editor.patch(f"/v1/claims/{branch}", {"statement": "The branch will open soon."})
    assert noted(database, str(TODAY)) == 0
    assert due_entries(follow()) == [branch, branch]


def test_other_and_deleted_claims_do_not_fall_due(
    database: Database, editor: Client, follow: Follow
) -> None:
    opened = planned(editor, "branch", "2020-05")
    editor.patch(f"/v1/claims/{opened}", {"modality": "actual"})
    editor.delete(f"/v1/claims/{planned(editor, 'zone', '2020-05')}")
    assert noted(database, str(TODAY)) == 0
    assert due_entries(follow()) == []


def test_reading_records_nothing(database: Database, editor: Client, follow: Follow) -> None:
    branch = planned(editor, "branch", "2020-05")
    assert due_entries(follow()) == []
    assert noted(database, str(TODAY)) == 1
    assert due_entries(follow()) == [branch]


def test_overdue_claims_can_be_listed(editor: Client, reader: Client) -> None:
    """Planned claims whose time has certainly passed, sorted by its beginning."""
    spring, year = planned(editor, "spring", "2024-03"), planned(editor, "year", "2024")
    for name, due in (("later", "2024/2030"), ("about", "2024-11~")):
        planned(editor, name, due)
    done = planned(editor, "done", "2024")
    assert editor.patch(f"/v1/claims/{done}", {"modality": "actual"}).status_code == 200
    for until, expected in (("2024-12-31", [year, spring]), ("2024-12-30", [spring])):
        answer = reader.get("/v1/claims", modality="planned", due__lte=until, sort="due")
        assert [claim["id"] for claim in answer.json["data"]] == expected
    answer = reader.get("/v1/claims", modality="planned", due__lte="2024-12-31", sort="-due")
    assert [claim["id"] for claim in answer.json["data"]] == [spring, year]


def test_moments_are_commit_times(editor: Client, follow: Follow, database: Database) -> None:
    before = datetime.now(UTC)
    id = editor.post("/v1/units", {"code": "HKD", "label": "dollar"}).json["id"]
    (entry,) = follow()
    assert before - timedelta(seconds=1) < datetime.fromisoformat(entry["at"])
    with writing(database) as session:
        rows = run(session, "SELECT committed_at, id FROM transactions ORDER BY 1 DESC LIMIT 1")
    assert (datetime.fromisoformat(entry["at"]), int(entry["transaction"])) == rows[0]
    assert UUID(entry["id"]) == UUID(id)
