"""Bodies made of documents create equal rows elsewhere, and restore earlier versions."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import pytest

from hksz_db.database import Database, Session, fetch_in, run
from hksz_db.domain.errors import Invalid
from hksz_db.exchange.bodies import create_body, objects, patch_body
from hksz_db.queries.pages import document_statement
from hksz_db.queries.readable import Readable
from hksz_db.queries.registry import RESOURCES
from hksz_db.services import batches
from hksz_db.services.registry import WRITERS
from hksz_db.services.writing import writing
from tests.conftest import MakeDatabase

PARTS = ("figures", "evidence")
# Fields that differ in another database.
OWN = {
    *("id", "version", "created_at", "updated_at", "added_by"),
    *("reviewed_by", "reviewed_at"),
    *("capture_id", "derived_from_id", "source_id", "evidence_id", "origin_ids"),
}


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with all seeds."""
    with make_database(all_seeds) as url:
        yield url


@pytest.fixture
def fresh(make_database: MakeDatabase) -> Iterator[Database]:
    """An empty database."""
    with make_database() as url:
        database = Database(lambda: url)
        yield database
        database.close()


def documents(session: Session, name: str) -> Iterator[dict]:
    for (id,) in run(session, f"SELECT id FROM {name} WHERE deleted_at IS NULL ORDER BY id"):
        yield read(session, name, id)


def read(session: Session, name: str, id: UUID | str) -> dict:
    fields = (*RESOURCES[name].fields, *RESOURCES[name].read_embeds)
    ((*_, document),) = fetch_in(session, document_statement(name, fields), {"id": id})
    return json.loads(document)


def create(session: Session, resource: Readable, body: dict) -> UUID:
    fields = WRITERS[resource.name].create_schema().load(body)
    return batches.create(session, resource.name, fields)


def patch(session: Session, resource: Readable, id: UUID | str, body: dict) -> None:
    fields = WRITERS[resource.name].patch_schema().load(body)
    batches.update(session, resource.name, UUID(str(id)), None, fields)


def without(value: Any, names: set[str]) -> Any:
    if isinstance(value, dict):
        return {k: without(v, names) for k, v in value.items() if k not in names}
    return [without(item, names) for item in value] if isinstance(value, list) else value


def comparable(document: dict) -> str:
    """The document without the values of the fields in ``OWN``, except whether they have one."""
    empty = sorted(name for name in OWN & document.keys() if document[name] is None)
    return canonical([in_sets(without(document, OWN)), empty])


def names_of(evidence: list[dict], sources: list[dict]) -> dict[str, str]:
    captures = [capture for source in sources for capture in source["captures"]]
    return {passage["id"]: passage["external_id"] for passage in evidence} | {
        capture["id"]: capture["text_sha256"] for capture in captures
    }


@contextmanager
def copying(database: Database, fresh) -> Iterator[tuple[Any, Any]]:
    with database.transaction() as here, writing(fresh) as there:
        yield here, there


@pytest.mark.slow
@pytest.mark.parametrize("whole", [True, False], ids=["with its parts", "part by part"])
def test_create_bodies_copy_all_seeds_to_another_database(
    database: Database, fresh: Database, whole: bool
) -> None:
    with copying(database, fresh) as (here, there):
        seeds = {name: list(documents(here, name)) for name in WRITERS}
        names = names_of(seeds["evidence"], seeds["sources"])
        linked = []
        for name in (name for name in WRITERS if not (whole and name in PARTS)):
            for document in seeds[name]:
                body = create_body(name, document, names=({} if whole else names).get)
                dropped = {"relations"} if whole else {"relations", *PARTS}
                stub = {k: v for k, v in body.items() if k not in dropped}
                linked.append((name, create(there, RESOURCES[name], stub), body))
        for name, id, body in linked:
            if body.get("relations"):
                patch(there, RESOURCES[name], id, {"relations": body["relations"]})
        for name in WRITERS:
            assert seeds[name]
            copies = sorted(map(comparable, documents(there, name)))
            assert copies == sorted(map(comparable, seeds[name]))


# Fields that are unique, and fields that depend on fixed ones.
UNIQUE = {
    "metrics": {"key", "dimension", "nonnegative"},
    "entities": {"identifiers", "relations"},
    "sources": {"doi", "url", "captures", "relations"},
    "claims": {"relations"},
    "figures": {"metric_id", "unit_code"},
    "evidence": {"capture_id", "derived_from_id"},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WRITERS)
def test_patch_body_restores_a_row(session: Session, name: str) -> None:
    """Each row is changed to the values of the next one, and restored."""
    rows = list(documents(session, name))
    assert len(rows) > 1
    for document, other in zip(rows, rows[1:] + rows[:1], strict=True):
        change = without(patch_body(name, other), {"external_id", *UNIQUE.get(name, ())})
        if name == "evidence":
            change = {"stance": "mentions", "page": "7", "note": "Changed.", "interest": None}
        patch(session, RESOURCES[name], document["id"], change | {"external_id": None})
        changed = read(session, name, document["id"])
        assert without(changed, {"version"}) != without(document, {"version"})
        patch(session, RESOURCES[name], document["id"], patch_body(name, document))
        restored = read(session, name, document["id"])
        counted = {"version", "updated_at"}
        assert in_sets(without(restored, counted)) == in_sets(without(document, counted))


def in_sets(document: dict) -> dict:
    """The document with sorted lists, for lists in the order of creation."""
    order = {"names", "relations", "entities"} & document.keys()
    return document | {name: sorted(map(canonical, document[name])) for name in order}


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


def test_patch_body_restores_null(session: Session) -> None:
    (claim, *_) = documents(session, "claims")
    bare = {"statement": "It is so.", "claimant_id": claim["claimant"]["id"]}
    before = read(session, "claims", create(session, RESOURCES["claims"], bare))
    patch(
        session,
        RESOURCES["claims"],
        before["id"],
        {
            "external_id": "test:claim",
            "topics": ["firms"],
            "time_edtf": "2010~",
            "time_as_stated": "some time ago",
            "due_edtf": "2030",
            "reported_by_id": claim["claimant"]["id"],
            "entities": [{"entity_id": claim["claimant"]["id"], "role": "subject"}],
            "relations": [{"kind": "refines", "to_id": claim["id"]}],
        },
    )
    patch(session, RESOURCES["claims"], before["id"], patch_body("claims", before))
    counted = {"version", "updated_at"}
    assert without(read(session, "claims", before["id"]), counted) == without(before, counted)


def test_patch_body_restores_relative_and_absolute_times(session: Session) -> None:
    anchor = "hksz:shenzhen-daily-article"
    relative = {"anchor_external_id": anchor, "duration": "-P13Y", "modifier": "about"}
    rows = list(documents(session, "claims"))
    before = next(
        claim for claim in rows if claim["time"]["edtf"] and not claim["time"]["relative"]
    )
    patch(session, RESOURCES["claims"], before["id"], {"time_relative": relative})
    after = read(session, "claims", before["id"])
    assert create_body("claims", after)["time_relative"] == relative
    patch(session, RESOURCES["claims"], before["id"], patch_body("claims", before))
    assert read(session, "claims", before["id"])["time"] == before["time"]
    patch(session, RESOURCES["claims"], before["id"], patch_body("claims", after))
    assert read(session, "claims", before["id"])["time"] == after["time"]


def test_displayed_name_of_an_entity_stays_the_same(session: Session) -> None:
    names = [
        {"name": "Hengqin", "language": "pt", "kind": "preferred"},
        {"name": "\u6a6b\u7434", "language": "zh", "kind": "preferred"},
    ]
    entities = RESOURCES["entities"]
    id = create(session, entities, {"kind": "place", "names": names})
    # Names are read in the order of creation; the first in the last update is displayed.
    patch(session, entities, id, {"names": names[::-1]})
    before = read(session, "entities", id)
    assert (before["name"], before["names"]) == (names[1]["name"], names)
    patch(session, entities, id, {"names": names})
    assert read(session, "entities", id)["name"] == "Hengqin"
    patch(session, entities, id, patch_body("entities", before))
    assert read(session, "entities", id)["name"] == before["name"]
    copy = create(session, entities, create_body("entities", before))
    assert read(session, "entities", copy)["name"] == before["name"]


def test_references_use_the_external_id_if_there_is_one() -> None:
    summary = {"id": "1", "external_id": "test:a", "name": "A", "kind": "person"}
    nameless = summary | {"external_id": None}
    document = {"claimant": summary, "reported_by": nameless, "statement": "It is so."}
    assert create_body("claims", document) == {
        "claimant_external_id": "test:a",
        "reported_by_id": "1",
        "statement": "It is so.",
    }
    assert create_body("claims", document, by="id") == {
        "claimant_id": "1",
        "reported_by_id": "1",
        "statement": "It is so.",
    }


def test_references_with_only_an_id_use_known_names() -> None:
    passage = {"capture_id": "1", "derived_from_id": "2", "stance": "asserts"}
    names = {"1": "0" * 64, "2": "test:first"}
    assert create_body("evidence", passage) == passage
    assert create_body("evidence", passage, by="id", names=names.get) == passage
    named = {"capture_text_sha256": "0" * 64, "derived_from_external_id": "test:first"}
    assert create_body("evidence", passage, names=names.get) == named | {"stance": "asserts"}
    source = {"captures": [{"id": "1", "text_sha256": "0" * 64}]}
    claim = {"evidence": [passage], "sources": [source]}
    (body,) = objects(create_body("claims", claim)["evidence"])
    assert body == {
        "capture_text_sha256": "0" * 64,
        "derived_from_id": "2",
        "stance": "asserts",
    }


def test_a_body_stays_as_it_is() -> None:
    body = {"statement": "It is so.", "claimant_external_id": "test:a", "time_edtf": "2010~"}
    assert create_body("claims", body) == body


@pytest.mark.parametrize(
    ("name", "document", "pointer"),
    [
        ("claims", [], "#"),
        ("claims", {"claimant": "A"}, "#/claimant"),
        ("claims", {"claimant": {"name": "A"}}, "#/claimant"),
        ("claims", {"time": "2010"}, "#/time"),
        ("claims", {"time": {"relative": "P1Y"}}, "#/time/relative"),
        ("claims", {"figures": [{}, 7]}, "#/figures/1"),
        ("sources", {"contributors": [{"entity": 1}]}, "#/contributors/0/entity"),
        ("entities", {"relations": [{"during": []}]}, "#/relations/0/during"),
    ],
)
def test_invalid_document_is_refused_with_a_pointer(name: str, document: Any, pointer: str) -> None:
    with pytest.raises(Invalid) as refused:
        create_body(name, document)
    assert [fault.pointer for fault in refused.value.faults] == [pointer]


@pytest.mark.parametrize("value", [None, 7, "a", [7], {"a": 7}])
def test_other_invalid_values_are_left_to_the_schema(value: Any) -> None:
    odd = {"names": value, "sources": value, "topics": value, "statement": value}
    assert create_body("claims", odd)["statement"] == value
    assert create_body("entities", odd)["names"] == value
