"""Merging entities: all references move, nothing is lost, and every merge can be undone."""

from typing import Any
from uuid import uuid4

import pytest

from hksz_db.database import Session, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.models import Base
from hksz_db.services.merging import MERGEABLE
from tests.api.conftest import Answer, Client, MakeClient
from tests.conftest import QueryCounter

FIGURE = {
    "metric_external_id": "hksz:metric-ttps-approved",
    "subject_external_id": "test:twin",
    "as_stated": "forty",
    "comparator": "eq",
    "amount": "40",
    "unit_code": "1",
}
MOVED = MERGEABLE["entities"].moved
OWN = {
    "api_keys",
    "seed_items",
    "transactions",
    "changes",
    "stale_searches",
    *(table for kind in MERGEABLE.values() for table in (kind.merges, kind.moves)),
}


def _post(editor: Client, path: str, **body: Any) -> Answer:
    made = editor.post(f"/v1/{path}", body)
    assert made.status_code == 201, made.text
    return made


def _entity(
    editor: Client, name: str, *names: Any, kind: str = "organisation", **body: Any
) -> Answer:
    named = [{"name": name, "language": "en", "kind": "preferred"}, *names]
    external_id = f"test:{name.lower().replace(' ', '-')}"
    return _post(editor, "entities", external_id=external_id, kind=kind, names=named, **body)


def _merge(editor: Client, twin: Answer, into: str = "test:original", etag: str = "*") -> Answer:
    body = {"into_external_id": into} if ":" in into else {"into_id": into}
    return editor.post(f"{twin.headers['Location']}/merge", body, **{"If-Match": etag})


def _unmerge(editor: Client, twin: Answer, etag: str = "*") -> Answer:
    return editor.post(f"{twin.headers['Location']}/unmerge", **{"If-Match": etag})


def dump(session: Session) -> dict[str, Any]:
    """Every row of every table, without versions and timestamps."""
    found = {}
    for name in sorted(Base.metadata.tables.keys() - OWN):
        changing = "'{version, updated_at, written_in, recount_id}'::text[]"
        sql = f"SELECT to_jsonb(t) - {changing} FROM {name} AS t ORDER BY 1"
        found[name] = [row for (row,) in run(session, sql)]
    return found


@pytest.fixture
def original(editor: Client) -> Answer:
    return _entity(
        editor, "Original", identifiers=[{"scheme": "lei", "value": "5493001KJTIIGC8Y1R12"}]
    )


@pytest.fixture
def twin(editor: Client, original: Answer) -> Answer:
    """An entity that is ``original`` under another name."""
    made = _entity(editor, "Twin", identifiers=[{"scheme": "lei", "value": "7H6GLXDRUGQFU57RNE97"}])
    assert made.json["id"] != original.json["id"]
    return made


@pytest.fixture
def references(editor: Client, twin: Answer) -> dict[str, str]:
    """The path of a row of each resource that refers to the twin."""
    link = {"entity_external_id": "test:twin", "role": "subject"}
    source = _post(
        editor,
        "sources",
        csl_type="report",
        title="A report",
        contributors=[{"entity_external_id": "test:twin", "role": "author"}],
    )
    claim = _post(
        editor,
        "claims",
        statement="The twin has forty firms.",
        status="accepted",
        claimant_external_id="test:twin",
        reported_by_external_id="test:twin",
        entities=[link],
        figures=[FIGURE],
        evidence=[
            {
                "source_id": source.json["id"],
                "stance": "asserts",
                "attributed_to_external_id": "test:twin",
            }
        ],
    )
    part = _entity(
        editor, "Part", relations=[{"kind": "part_of", "object_external_id": "test:twin"}]
    )
    relations = [{"kind": "part_of", "object_external_id": "hksz:hkpc"}]
    assert editor.patch(twin.headers["Location"], {"relations": relations}).status_code == 200
    figure = f"/v1/figures/{claim.json['figures'][0]['id']}"
    locations = {"sources": source, "claims": claim, "entities": part}
    return {**{name: row.headers["Location"] for name, row in locations.items()}, "figures": figure}


def test_references_move_to_the_remaining_entity(
    editor: Client, twin: Answer, original: Answer, references: dict[str, str]
) -> None:
    merged = _merge(editor, twin)
    assert merged.status_code == 200
    assert merged.json["id"] == original.json["id"]
    assert [relation["kind"] for relation in merged.json["relations"]] == ["part_of"]
    identifiers = [row["value"] for row in merged.json["identifiers"]]
    assert identifiers == ["5493001KJTIIGC8Y1R12", "7H6GLXDRUGQFU57RNE97"]
    claim = editor.get(references["claims"]).json
    summary = {name: original.json[name] for name in ("id", "external_id", "name", "kind")}
    assert claim["claimant"] == claim["reported_by"] == summary
    assert [link["entity"] for link in claim["entities"]] == [summary]
    assert [figure["subject"] for figure in claim["figures"]] == [summary]
    source = editor.get(references["sources"]).json
    assert [row["entity"] for row in source["contributors"]] == [summary]
    part = editor.get(references["entities"]).json
    assert [relation["object"] for relation in part["relations"]] == [summary]


def test_each_changed_row_gets_one_new_version(
    editor: Client, twin: Answer, original: Answer, references: dict[str, str]
) -> None:
    unchanged = editor.get("/v1/entities", external_id="hksz:hkpc").json["data"][0]
    _merge(editor, twin)
    paths = [*references.values(), original.headers["Location"]]
    assert [editor.get(path).json["version"] for path in paths] == [2] * len(paths)
    again = editor.get("/v1/entities", external_id="hksz:hkpc").json["data"][0]
    assert again == unchanged


def test_the_answer_is_the_document_of_the_remaining_entity(
    editor: Client, reader: Client, twin: Answer, original: Answer
) -> None:
    merged = _merge(editor, twin)
    read = reader.get(original.headers["Location"], include="similar")
    assert (merged.data, merged.headers["ETag"]) == (read.data, read.headers["ETag"])
    assert merged.json["similar"] == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
@pytest.mark.parametrize("part", ["", "/similar"])
@pytest.mark.parametrize("query", ["", "?select=id&include=similar"])
def test_the_old_id_redirects_to_the_new_one(
    editor: Client,
    reader: Client,
    query_counter: QueryCounter,
    twin: Answer,
    original: Answer,
    method: str,
    part: str,
    query: str,
) -> None:
    _merge(editor, twin)
    if part and query:
        return
    with query_counter() as counted:
        moved = reader.send(method, f"{twin.headers['Location']}{part}{query}")
    assert len(counted.statements) == 1
    assert moved.status_code == 308
    assert moved.data == b""
    assert moved.headers["Location"] == f"{original.headers['Location']}{part}{query}"
    assert moved.headers["ETag"] == '"2"'
    # Not to be cached: a merge can be undone.
    assert moved.headers["Cache-Control"] == "no-store"
    assert reader.send(method, moved.headers["Location"]).status_code == 200


def test_a_redirect_keeps_the_query_string(
    editor: Client, reader: Client, twin: Answer, original: Answer
) -> None:
    _merge(editor, twin)
    moved = reader.get(f"{twin.headers['Location']}?select=%69d")
    assert moved.headers["Location"] == f"{original.headers['Location']}?select=%69d"
    wrong = reader.get(f"{twin.headers['Location']}?%0d%0aSet-Cookie:%20a=b")
    assert wrong.status_code == 400


def test_a_merged_entity_is_not_listed(
    editor: Client, reader: Client, twin: Answer, original: Answer
) -> None:
    _merge(editor, twin)
    assert reader.get("/v1/entities", external_id="test:twin").json["data"] == []
    assert reader.get("/v1/entities", q="twin").json["data"][0]["id"] == original.json["id"]


@pytest.mark.parametrize("call", ["PATCH", "DELETE", "restore", "merge"])
def test_a_write_to_the_old_id_is_409_with_the_new_id(
    editor: Client, twin: Answer, original: Answer, call: str
) -> None:
    _merge(editor, twin)
    path, etag = twin.headers["Location"], {"If-Match": "*"}
    refused = {
        "PATCH": lambda: editor.patch(path, {"description": "x"}),
        "DELETE": lambda: editor.delete(path),
        "restore": lambda: editor.restore(path),
        "merge": lambda: editor.post(f"{path}/merge", {"into_external_id": "hksz:hkpc"}, **etag),
    }[call]()
    assert refused.status_code == 409
    assert refused.content_type == "application/problem+json"
    assert original.json["id"] in refused.json["detail"]
    assert refused.headers["ETag"] == '"2"'


@pytest.mark.parametrize("given", ["id", "external_id"])
def test_new_references_to_a_merged_entity_are_redirected(
    editor: Client, twin: Answer, original: Answer, given: str
) -> None:
    last = _entity(editor, "Last")
    _merge(editor, twin)
    _merge(editor, original, "test:last")
    reference = twin.json[given]
    claim = _post(
        editor,
        "claims",
        statement="x",
        **{f"claimant_{given}": reference},
        entities=[{f"entity_{given}": reference, "role": "subject"}],
        figures=[
            {
                **{k: v for k, v in FIGURE.items() if k != "subject_external_id"},
                f"subject_{given}": reference,
            }
        ],
    )
    found = [claim.json["claimant"], claim.json["entities"][0]["entity"]]
    found.append(claim.json["figures"][0]["subject"])
    assert [row["id"] for row in found] == [last.json["id"]] * 3
    editor.delete(claim.headers["Location"])
    assert editor.delete(last.headers["Location"]).status_code == 204
    body = {"statement": "x", f"claimant_{given}": reference}
    refused = editor.post("/v1/claims", body)
    assert refused.status_code == 422
    assert [error["code"] for error in refused.json["errors"]] == ["deleted"]


def test_redirects_follow_a_chain_of_merges(
    editor: Client, reader: Client, twin: Answer, original: Answer
) -> None:
    last = _entity(editor, "Last")
    _merge(editor, twin)
    _merge(editor, original, "test:last")
    way = [twin.headers["Location"]]
    while (answer := reader.get(way[-1])).status_code == 308:
        way.append(answer.headers["Location"])
    assert way == [row.headers["Location"] for row in (twin, original, last)]
    assert {name["name"] for name in answer.json["names"]} == {"Last", "Original", "Twin"}


def test_merging_into_a_merged_entity_follows_its_merge(
    editor: Client, twin: Answer, original: Answer
) -> None:
    last = _entity(editor, "Last")
    _merge(editor, original, "test:last")
    assert _merge(editor, twin, "test:original").json["id"] == last.json["id"]
    # In the other direction it would be merged into itself.
    refused = _merge(editor, last, "test:original")
    assert refused.status_code == 422
    assert refused.json["errors"][0]["pointer"] == "#/into_external_id"


def test_the_remaining_entity_can_be_deleted(
    editor: Client, reader: Client, twin: Answer, original: Answer
) -> None:
    _merge(editor, twin)
    assert editor.delete(original.headers["Location"]).status_code == 204
    moved = reader.get(twin.headers["Location"])
    assert moved.status_code == 308
    assert reader.get(moved.headers["Location"]).status_code == 410


@pytest.mark.usefixtures("original")
def test_added_names_are_not_preferred(editor: Client) -> None:
    twin = _entity(
        editor,
        "Twin",
        {"name": "TWN", "language": "en", "kind": "abbreviation"},
        {"name": "雙生", "language": "zh-Hant", "kind": "preferred"},
        {"name": "Original", "language": "en", "kind": "alias"},
    )
    merged = _merge(editor, twin)
    assert merged.json["name"] == "Original"
    assert [(n["name"], n["language"], n["kind"]) for n in merged.json["names"]] == [
        ("Original", "en", "preferred"),
        ("Twin", "en", "alias"),
        ("TWN", "en", "abbreviation"),
        ("雙生", "zh-Hant", "alias"),
    ]


def test_duplicate_links_and_links_to_itself_are_dropped(
    editor: Client, session: Session, twin: Answer, original: Answer
) -> None:
    both = ("test:twin", "test:original")
    links = [{"entity_external_id": name, "role": "subject"} for name in both]
    claim = _post(
        editor,
        "claims",
        statement="x",
        claimant_external_id="hksz:hkpc",
        entities=[*links, {"entity_external_id": "test:twin", "role": "object"}],
    )
    contributors = [{"entity_external_id": name, "role": "author"} for name in both]
    source = _post(editor, "sources", csl_type="report", title="x", contributors=contributors)
    relations = [
        {"kind": "part_of", "object_external_id": name, "during_edtf": "2010~"} for name in both
    ]
    part = _entity(editor, "Part", relations=relations)
    outwards = [
        {"kind": "part_of", "object_external_id": "hksz:hkpc"},
        {"kind": "partner_of", "object_external_id": "test:original"},
    ]
    editor.patch(twin.headers["Location"], {"relations": outwards})
    inwards = [
        {"kind": "part_of", "object_external_id": "hksz:hkpc"},
        {"kind": "founded", "object_external_id": "test:twin"},
    ]
    editor.patch(original.headers["Location"], {"relations": inwards})
    before = dump(session)
    merged = _merge(editor, twin)
    assert [relation["kind"] for relation in merged.json["relations"]] == ["part_of"]
    after = editor.get(claim.headers["Location"]).json
    assert [link["role"] for link in after["entities"]] == ["subject", "object"]
    assert len(editor.get(source.headers["Location"]).json["contributors"]) == 1
    assert len(editor.get(part.headers["Location"]).json["relations"]) == 1
    assert _unmerge(editor, twin).status_code == 200
    assert dump(session) == before


def test_an_undone_merge_leaves_no_trace(
    editor: Client, session: Session, twin: Answer, original: Answer, references: dict[str, str]
) -> None:
    before = dump(session)
    etag = editor.get(twin.headers["Location"]).headers["ETag"]
    assert _merge(editor, twin, etag=etag).status_code == 200
    during = dump(session)
    moved = {name for name, rows in during.items() if rows != before[name]}
    assert moved == {link.table for link in MOVED} | {"entities", "entity_names"}
    version = editor.get(twin.headers["Location"]).headers["ETag"]
    restored = _unmerge(editor, twin, version)
    assert restored.status_code == 200
    assert restored.json["id"] == twin.json["id"]
    assert dump(session) == before
    paths = [*references.values(), original.headers["Location"]]
    assert [editor.get(path).json["version"] for path in paths] == [3] * len(paths)
    read = editor.get(twin.headers["Location"], include="similar")
    assert (read.data, read.headers["ETag"]) == (restored.data, restored.headers["ETag"])


def test_references_of_deleted_rows_are_moved(
    editor: Client, session: Session, twin: Answer, original: Answer, references: dict[str, str]
) -> None:
    editor.delete(references["claims"])
    before = dump(session)
    _merge(editor, twin)
    assert editor.restore(references["claims"]).json["claimant"]["id"] == original.json["id"]
    editor.delete(references["claims"])
    assert _unmerge(editor, twin).status_code == 200
    after = dump(session)
    for rows in (*before.values(), *after.values()):
        for row in rows:
            row.pop("deleted_at", None)
    assert after == before


def test_changes_after_a_merge_survive_its_undoing(
    editor: Client, twin: Answer, original: Answer, references: dict[str, str]
) -> None:
    _merge(editor, twin)
    body = {"statement": "Later.", "claimant_external_id": "test:twin"}
    later = _post(editor, "claims", **body)
    other = {"claimant_external_id": "hksz:hkpc", "reported_by_id": None}
    editor.patch(references["claims"], other)
    names = editor.get(original.headers["Location"]).json["names"]
    added = [*names, {"name": "Added", "language": "en", "kind": "alias"}]
    editor.patch(original.headers["Location"], {"names": added})
    _unmerge(editor, twin)
    claimant = editor.get(later.headers["Location"]).json["claimant"]["id"]
    assert claimant == original.json["id"]
    claim = editor.get(references["claims"]).json
    assert (claim["claimant"]["external_id"], claim["reported_by"]) == ("hksz:hkpc", None)
    assert claim["entities"][0]["entity"]["id"] == twin.json["id"]
    names = [row["name"] for row in editor.get(original.headers["Location"]).json["names"]]
    assert names == ["Original", "Added"]


def test_a_name_that_was_adopted_later_stays(
    editor: Client, twin: Answer, original: Answer
) -> None:
    _merge(editor, twin)
    names = [
        {"name": "Twin", "language": "en", "kind": "preferred"},
        {"name": "Original", "language": "en", "kind": "alias"},
    ]
    changed = editor.patch(original.headers["Location"], {"names": names})
    assert changed.json["name"] == "Twin"
    assert _unmerge(editor, twin).json["name"] == "Twin"
    assert editor.get(original.headers["Location"]).json["name"] == "Twin"


def test_later_merges_are_undone_first(editor: Client, twin: Answer, original: Answer) -> None:
    last = _entity(editor, "Last")
    _merge(editor, twin)
    _merge(editor, original, "test:last")
    refused = _unmerge(editor, twin)
    assert refused.status_code == 409
    (error,) = refused.json["errors"]
    assert original.json["id"] in error["detail"]
    assert "merged" in error["detail"]
    assert _unmerge(editor, original).status_code == 200
    editor.delete(original.headers["Location"])
    refused = _unmerge(editor, twin)
    assert refused.status_code == 409
    assert "deleted" in refused.json["errors"][0]["detail"]
    editor.restore(original.headers["Location"])
    assert _unmerge(editor, twin).status_code == 200
    assert [editor.get(row.headers["Location"]).status_code for row in (twin, original, last)] == [
        200
    ] * 3


def test_a_later_merge_that_shares_rows_is_undone_first(
    editor: Client, session: Session, twin: Answer
) -> None:
    third = _entity(editor, "Third", {"name": "Twin", "language": "en", "kind": "alias"})
    links = [
        {"entity_external_id": name, "role": "subject"} for name in ("test:twin", "test:third")
    ]
    body = {"statement": "x", "claimant_external_id": "hksz:hkpc", "entities": links}
    claim = _post(editor, "claims", **body)
    before = dump(session)
    _merge(editor, twin)
    _merge(editor, third)
    assert len(editor.get(claim.headers["Location"]).json["entities"]) == 1
    refused = _unmerge(editor, twin)
    assert refused.status_code == 409
    assert third.json["id"] in refused.json["errors"][0]["detail"]
    assert _unmerge(editor, third).status_code == 200
    assert _unmerge(editor, twin).status_code == 200
    assert dump(session) == before


def test_a_name_from_two_merges_goes_with_the_last_of_them(
    editor: Client, session: Session, twin: Answer, original: Answer
) -> None:
    third = _entity(editor, "Third", {"name": "Twin", "language": "en", "kind": "alias"})
    before = dump(session)
    _merge(editor, twin)
    _merge(editor, third)
    _unmerge(editor, twin)
    names = {row["name"] for row in editor.get(original.headers["Location"]).json["names"]}
    assert names == {"Original", "Third", "Twin"}
    _unmerge(editor, third)
    assert dump(session) == before


def test_dropped_links_return_only_to_rows_that_are_still_separate(
    editor: Client, twin: Answer
) -> None:
    relations = [
        {"kind": "part_of", "object_external_id": name} for name in ("test:twin", "test:original")
    ]
    part = _entity(editor, "Part", relations=relations)
    whole = _entity(editor, "Whole")
    _merge(editor, twin)
    _merge(editor, part, "test:whole")
    refused = _unmerge(editor, twin)
    assert refused.status_code == 409
    assert part.json["id"] in refused.json["errors"][0]["detail"]
    _unmerge(editor, part)
    assert _unmerge(editor, twin).status_code == 200
    assert len(editor.get(part.headers["Location"]).json["relations"]) == 2
    assert editor.get(whole.headers["Location"]).json["relations"] == []


def test_an_undoing_restores_no_link_to_a_deleted_row(
    editor: Client, twin: Answer, original: Answer
) -> None:
    place = _entity(editor, "Place")
    relations = [{"kind": "located_in", "object_external_id": "test:place"}]
    for row in (twin, original):
        editor.patch(row.headers["Location"], {"relations": relations})
    _merge(editor, twin)
    editor.patch(original.headers["Location"], {"relations": []})
    assert editor.delete(place.headers["Location"]).status_code == 204
    refused = _unmerge(editor, twin)
    assert refused.status_code == 409
    assert "test:place" in refused.json["errors"][0]["detail"]
    assert editor.get(twin.headers["Location"]).status_code == 308
    editor.restore(place.headers["Location"])
    assert _unmerge(editor, twin).json["relations"][0]["object"]["id"] == place.json["id"]


@pytest.mark.usefixtures("references")
def test_a_merge_can_be_repeated_and_undone_again(
    editor: Client, session: Session, twin: Answer
) -> None:
    before = dump(session)
    for _ in range(3):
        assert _merge(editor, twin).status_code == 200
        assert _unmerge(editor, twin).status_code == 200
        assert dump(session) == before
    refused = _unmerge(editor, twin)
    assert refused.status_code == 409
    assert "not merged" in refused.json["detail"]


def test_each_merge_is_recorded_with_its_actor(
    editor: Client, session: Session, twin: Answer, original: Answer
) -> None:
    _merge(editor, twin)
    sql = "SELECT entity_id::text, into_id::text, merged_by, undone_at IS NULL FROM entity_merges"
    noted = (twin.json["id"], original.json["id"], "editor")
    assert run(session, sql) == [(*noted, True)]
    _unmerge(editor, twin)
    assert run(session, sql) == [(*noted, False)]


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"into_external_id": "test:twin"}, "#/into_external_id", "itself"),
        ({"into_external_id": "hksz:shenzhen"}, "#/into_external_id", "kind"),
        ({"into_external_id": "test:nobody"}, "#/into_external_id", "not_found"),
        ({"into_external_id": "test:gone"}, "#/into_external_id", "deleted"),
        ({"into_id": str(uuid4())}, "#/into_id", "not_found"),
        ({"into_id": "twin"}, "#/into_id", "invalid"),
        ({}, "#/into_id", "invalid"),
        ({"into_id": None}, "#/into_id", "null"),
        ({"into_external_id": "test:original", "force": True}, "#/force", "unknown_field"),
    ],
)
def test_an_invalid_merge_is_refused(
    editor: Client, session: Session, twin: Answer, body: dict[str, Any], pointer: str, code: str
) -> None:
    gone = _entity(editor, "Gone")
    editor.delete(gone.headers["Location"])
    before = dump(session)
    refused = editor.post(f"{twin.headers['Location']}/merge", body, **{"If-Match": "*"})
    assert refused.status_code == 422
    assert [(error["pointer"], error["code"]) for error in refused.json["errors"]] == [
        (pointer, code)
    ]
    assert dump(session) == before
    assert run(session, "SELECT count(*) FROM entity_merges") == [(0,)]


@pytest.mark.parametrize("call", ["merge", "unmerge"])
def test_merging_and_undoing_need_if_match(editor: Client, twin: Answer, call: str) -> None:
    if call == "unmerge":
        _merge(editor, twin)
    path = f"{twin.headers['Location']}/{call}"
    body = {"into_external_id": "test:original"} if call == "merge" else None
    for headers, status in (({}, 428), ({"If-Match": '"7"'}, 412), ({"If-Match": "7"}, 400)):
        assert editor.post(path, body, **headers).status_code == status
    version = "1" if call == "merge" else "2"
    assert editor.post(path, body, **{"If-Match": f'"{version}"'}).status_code == 200


@pytest.mark.parametrize("call", ["merge", "unmerge"])
@pytest.mark.usefixtures("original")
def test_an_unknown_entity_is_not_merged(editor: Client, call: str) -> None:
    body = {"into_external_id": "test:original"} if call == "merge" else None
    answer = editor.post(f"/v1/entities/{uuid4()}/{call}", body, **{"If-Match": "*"})
    assert answer.status_code == 404


def test_a_merge_that_was_recorded_elsewhere_is_a_conflict(
    editor: Client, twin: Answer, original: Answer, session: Session
) -> None:
    ids = (twin.json["id"], original.json["id"])
    run(session, "INSERT INTO entity_merges (entity_id, into_id) VALUES ($1, $2)", *ids)
    refused = _merge(editor, twin)
    assert refused.status_code == 409
    assert refused.json["errors"] == [
        {"code": "unique", "detail": "A row with the same entity_id already exists."}
    ]


def test_a_deleted_entity_is_not_merged(editor: Client, twin: Answer) -> None:
    editor.delete(twin.headers["Location"])
    assert _merge(editor, twin).status_code == 410
    assert _unmerge(editor, twin).status_code == 409


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        ((Scope.ENTITIES_WRITE,), False),
        ((Scope.REVIEW,), False),
        ((Scope.CLAIMS_WRITE, Scope.REVIEW), False),
        ((Scope.ENTITIES_WRITE, Scope.REVIEW), True),
        ((Scope.ADMIN,), True),
    ],
)
def test_merging_needs_both_scopes(
    make_client: MakeClient, reader: Client, twin: Answer, scopes: tuple[Scope, ...], allowed: bool
) -> None:
    client = make_client(*scopes)
    assert _merge(reader, twin).status_code == 401
    assert _merge(client, twin).status_code == (200 if allowed else 403)
    assert _unmerge(client, twin).status_code == (200 if allowed else 403)


@pytest.mark.parametrize("resource", MERGEABLE)
def test_every_reference_is_moved(resource: str) -> None:
    kind = MERGEABLE[resource]
    referring = {
        (table.name, key.parent.name)
        for table in Base.metadata.tables.values()
        for constraint in table.foreign_key_constraints
        for key in constraint.elements[:1]
        if key.column.table.name == resource
    }
    left = {
        (resource, "redirect_to"),  # merges are followed
        ("entity_names", "entity_id"),  # copied: an entity is shown under a name of its own
        ("source_contributors", "source_id"),  # a source keeps its own credits
        ("corroborations", "claim_id"),  # counted anew
        ("claim_bands", "claim_id"),  # those of its own statement
        (kind.merges, kind.merged),
        (kind.merges, "into_id"),
    }
    moved = [(link.table, link.column) for link in kind.moved]
    assert sorted(moved) == sorted(referring - left)
