"""Bulk writes equal single writes, in a number of statements that does not depend on the items."""

import gc
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from hksz_db.database import Database, Session, run
from hksz_db.database.connecting import Connector
from hksz_db.database.connections import PooledConnections
from hksz_db.domain.errors import Conflict, DomainError, FaultsError, Forbidden, Invalid
from hksz_db.domain.vocabulary import BulkMode, BulkOutcome
from hksz_db.services import bulk, lifecycle, merging
from hksz_db.services.batches import create, update
from hksz_db.services.bulk import Result, uncollected, write
from hksz_db.services.loading import load
from hksz_db.services.registry import WRITERS
from hksz_db.services.review import ReviewRules
from hksz_db.services.writers import Writer
from hksz_db.services.writing import translate, writing
from tests.conftest import QueryCounter, WaitForLock

CREATE, UPSERT, IGNORE = BulkMode.CREATE, BulkMode.UPSERT, BulkMode.IGNORE
CREATED, UPDATED, UNCHANGED, IGNORED, FAILED = BulkOutcome
SHA256 = "0" * 64
UNITS = {"t:a": "kg", "t:b": "s", "t:c": "L", "t:d": "g"}
PREFERRED = {"language": "en", "kind": "preferred"}
LOCATOR = dict.fromkeys(("exact_sha256", "prefix_sha256", "suffix_sha256"), SHA256)
WORLD: dict[str, list[dict[str, Any]]] = {
    "units": [{"code": "1", "label": "one"}, {"code": "m", "label": "metre"}],
    "metrics": [
        {
            "external_id": "w:count",
            "key": "count",
            "label": "A count",
            "dimension": "count",
            "accumulation": "flow",
        },
        {
            "external_id": "w:length",
            "key": "length",
            "label": "A length",
            "dimension": "length",
            "accumulation": "stock",
        },
    ],
    "entities": [
        {"external_id": f"w:{name}", "kind": "place", "names": [{"name": name, **PREFERRED}]}
        for name in ("north", "south")
    ],
    "sources": [
        {
            "external_id": "w:dated",
            "csl_type": "report",
            "title": "Dated",
            "issued_edtf": "2024-01-24",
            "captures": [{"char_length": 10, "text_sha256": SHA256}],
        },
        {"external_id": "w:first", "csl_type": "report", "title": "First"},
        {"external_id": "w:undated", "csl_type": "report", "title": "Undated"},
    ],
    "claims": [
        {"external_id": f"w:{name}", "statement": f"The {name}.", "claimant_external_id": "w:north"}
        for name in ("first", "second")
    ],
}


@pytest.fixture(scope="module")
def engine(database_url: str) -> Iterator[Engine]:
    """The engine of a database with the rows of ``WORLD``."""
    connections = PooledConnections(Connector(lambda: database_url, statement_timeout_ms=5000))
    with writing(Database(lambda: database_url, connections=connections)) as session:
        for name, items in WORLD.items():
            results = write(session, WRITERS[name], items, CREATE, atomic=True)
            assert {result.outcome for result in results} == {CREATED}, results
    yield connections.engine
    connections.close()


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A transaction that is rolled back."""
    with engine.connect() as session, session.begin() as transaction:
        yield session
        transaction.rollback()


def one_by_one(
    session: Session, writer: Writer, items: list[Any], mode: BulkMode
) -> list[BulkOutcome]:
    """The outcomes of single writes, which those of a bulk write must equal."""
    names: set[str] = set()
    results = []
    for item in items:
        name = item.get("external_id")
        try:
            if name in names:
                raise Conflict("Twice.")
            names |= {name} - {None}
            with session.begin_nested():
                results.append(_write_one(session, writer, item, mode))
        except (DomainError, psycopg.Error) as error:
            known = translate(error) or error
            assert isinstance(known, FaultsError), known
            results.append(FAILED)
    return results


def _write_one(
    session: Session, writer: Writer, item: dict[str, Any], mode: BulkMode
) -> BulkOutcome:
    found = _find(session, writer, item)
    if found is None:
        create(session, writer.table, load(writer.create_schema(), item))
        return CREATED
    id, live = found
    if mode is CREATE or not live:
        raise Conflict("Taken.")
    if mode is IGNORE:
        return IGNORED
    load(writer.upsert, item)
    changed = _update(session, writer, id, item)
    for name, part in writer.parts.items():
        for nested in item.get(name, []):
            changed |= _write_part(session, part, id, nested)
    return UPDATED if changed else UNCHANGED


def _write_part(session: Session, writer: Writer, claim_id: UUID, nested: dict[str, Any]) -> bool:
    if "external_id" not in nested:
        raise Invalid("It has no name.")
    found = _find(session, writer, nested)
    if found is None:
        whole = {**nested, "claim_id": str(claim_id)}
        create(session, writer.table, load(writer.create_schema(), whole))
        return True
    if run(session, f"SELECT claim_id FROM {writer.table} WHERE id = $1", found[0]) != [
        (claim_id,)
    ]:
        raise Conflict("Another claim's.")
    return _update(session, writer, found[0], nested)


def _update(session: Session, writer: Writer, id: UUID, item: dict[str, Any]) -> bool:
    if "code" in writer.fixed and run(session, "SELECT code FROM units WHERE id = $1", id) != [
        (item["code"],)
    ]:
        raise Invalid("A unit keeps its code.")
    patch = {name: value for name, value in item.items() if name not in writer.fixed}
    return update(session, writer.table, id, None, load(writer.patch_schema(), patch))


def _find(session: Session, writer: Writer, item: dict[str, Any]) -> tuple[UUID, bool] | None:
    sql = f"SELECT id, deleted_at IS NULL FROM {writer.table} WHERE external_id = $1"
    found = run(session, sql, item.get("external_id"))
    return (found[0][0], found[0][1]) if found else None


TABLES = (
    *WRITERS,
    "claim_entities",
    "claim_topics",
    "claim_translations",
    "claim_relations",
    "source_contributors",
    "source_captures",
    "source_relations",
    "entity_names",
    "entity_identifiers",
    "entity_relations",
    "corroborations",
)
_OWN = {
    "id",
    "version",
    "created_at",
    "updated_at",
    "reviewed_at",
    "search",
    "written_in",
    "recount_id",
    "weighed",
}


def stored(session: Session) -> dict[str, list[str]]:
    """All rows, with external ids in place of ids."""
    names: dict[str, str] = {}
    for table, label in (
        *((table, "external_id") for table in WRITERS),
        ("claims", "statement"),
        ("sources", "title"),
        ("entities", "name"),
    ):
        for id, name in run(session, f"SELECT id, {label} FROM {table} WHERE {label} <> ''"):
            names.setdefault(str(id), f"{table} {name}")

    def told(value: Any) -> Any:
        return names.get(value, value) if isinstance(value, str) else value

    found = {}
    for table in TABLES:
        rows = [row for (row,) in run(session, f"SELECT to_jsonb({table}) FROM {table}")]
        found[table] = sorted(
            repr(sorted((name, told(value)) for name, value in row.items() if name not in _OWN))
            for row in rows
        )
    return found


def optional(**fields: st.SearchStrategy[Any]) -> dict[str, st.SearchStrategy[Any]]:
    return fields


def usually(usual: list[Any], rare: list[Any]) -> st.SearchStrategy[Any]:
    """One of the usual values, or a rare one in about one of twenty items."""
    return st.integers(0, 19).flatmap(lambda n: st.sampled_from(usual if n else rare))


name = st.sampled_from(["t:a", "t:b", "t:c", "t:d"])
# A part that exists for certain, or one that may exist.
other = st.one_of(st.sampled_from(["w:first", "w:first"]), name)
entity = usually(["w:north", "w:south"], ["w:nobody"])
source = usually(["w:dated"], ["w:undated"])
relative = st.fixed_dictionaries(
    {"anchor_external_id": source, "duration": st.sampled_from(["-P1Y", "-P2M"])}
)
figure = st.fixed_dictionaries(
    {
        "metric_external_id": usually(["w:count"], ["w:length"]),
        "subject_external_id": entity,
        "as_stated": st.just("some"),
        "comparator": st.sampled_from(["eq", "gt", "approx"]),
        "amount": usually(["40", "40.0", "500"], ["-3"]),
        "unit_code": st.just("1"),
    },
    optional=optional(
        period_edtf=st.sampled_from(["2023", "2024~"]),
        modality=st.sampled_from(["planned", "opinion"]),
    ),
)
passage = st.fixed_dictionaries(
    {"stance": st.sampled_from(["supports", "disputes", "mentions"])},
    optional=optional(
        page=st.sampled_from([str(n) for n in range(9)]),
        status=st.sampled_from(["accepted", "rejected"]),
        note=st.sampled_from(["Seen.", None]),
        span=usually([5, 7], [20]),
        derived_from_external_id=usually(["t:e1"], ["t:e2", "t:e3"]),
    ),
)


def named(prefix: str, part: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[list[Any]]:
    """Up to two parts; most have a name, of which the claim is known."""
    numbers = st.sampled_from([*(f"t:{prefix}{n}" for n in range(1, 4)), None])
    pairs = st.lists(st.tuples(numbers, part), max_size=2, unique_by=lambda pair: pair[0])
    return pairs.map(
        lambda found: [
            {**fields, **({"external_id": given} if given else {})} for given, fields in found
        ]
    )


def with_locator(fields: dict[str, Any]) -> dict[str, Any]:
    """The evidence with a locator in the capture, which may lie beyond its end."""
    fields = {"source_external_id": "w:dated", **fields}
    span = fields.pop("span", None)
    if span:
        fields |= {"start_char": 0, "end_char": span, "capture_text_sha256": SHA256, **LOCATOR}
    return fields


def of_claim(fields: dict[str, Any]) -> dict[str, Any]:
    """The claim, which the comparison identifies by its statement."""
    if "evidence" in fields:
        fields = {**fields, "evidence": [with_locator(part) for part in fields["evidence"]]}
    return fields


ITEMS = {
    "units": st.fixed_dictionaries(
        {"code": usually(["kg", "s", "L"], ["m", "bogus"]), "label": st.sampled_from(["x", "y"])},
        optional=optional(external_id=name),
    ).map(lambda f: {**f, "code": UNITS.get(f.get("external_id", ""), f["code"])}),
    "metrics": st.fixed_dictionaries(
        {
            "key": usually(["one", "two", "three", "four", "five"], ["count"]),
            "label": usually(["One", "Two"], [""]),
            "dimension": st.sampled_from(["count", "length"]),
            "accumulation": st.just("flow"),
        },
        optional=optional(external_id=name, nonnegative=st.booleans()),
    ),
    "entities": st.fixed_dictionaries(
        {
            "kind": st.sampled_from(["place", "zone"]),
            "names": st.lists(
                st.sampled_from(["Alpha", "Beta"]), min_size=1, max_size=2, unique=True
            ).map(
                lambda names: [
                    {"name": text, "language": f"e{'nm'[n]}", "kind": "preferred"}
                    for n, text in enumerate(names)
                ]
            ),
        },
        optional=optional(
            external_id=name,
            identifiers=st.lists(
                st.sampled_from([{"scheme": "wikidata", "value": f"Q{n}"} for n in range(1, 9)]),
                max_size=2,
                unique_by=str,
            ),
            relations=st.lists(
                st.fixed_dictionaries(
                    {
                        "kind": st.just("part_of"),
                        "object_external_id": st.one_of(entity, entity, entity, name),
                    },
                    optional=optional(claim_external_id=st.just("w:first")),
                ),
                max_size=2,
            ),
        ),
    ),
    "sources": st.fixed_dictionaries(
        {"csl_type": st.just("report"), "title": st.sampled_from(["A title", "Another"])},
        optional=optional(
            external_id=st.one_of(name, st.just("w:dated")),
            doi=st.sampled_from([f"10.1000/{n}" for n in range(8)]),
            issued_edtf=st.sampled_from(["2020", "2021-05", None]),
            contributors=st.lists(
                st.fixed_dictionaries(
                    {"entity_external_id": entity, "role": st.sampled_from(["author", "editor"])}
                ),
                max_size=2,
                unique_by=str,
            ),
            captures=st.lists(
                st.fixed_dictionaries(
                    {"char_length": st.just(7), "text_sha256": st.sampled_from(["1" * 64, SHA256])}
                ),
                max_size=2,
                unique_by=str,
            ),
            relations=st.lists(
                st.fixed_dictionaries(
                    {"to_external_id": other, "kind": st.sampled_from(["copy_of", "cites"])}
                ),
                max_size=1,
            ),
        ),
    ),
    "claims": st.fixed_dictionaries(
        {
            "statement": st.sampled_from(["It rains.", "It rains 40 times.", "It snows."]),
            "claimant_external_id": entity,
        },
        optional=optional(
            external_id=st.one_of(name, name, st.just("w:second")),
            modality=st.sampled_from(["planned", "forecast"]),
            status=st.sampled_from(["accepted", "draft"]),
            time_edtf=st.sampled_from(["2020", None]),
            due_relative=relative,
            topics=st.lists(st.sampled_from(["rain", "snow"]), max_size=3),
            entities=st.lists(
                st.fixed_dictionaries(
                    {
                        "entity_external_id": entity,
                        "role": st.sampled_from(["subject", "object"]),
                    }
                ),
                max_size=2,
                unique_by=str,
            ),
            relations=st.lists(
                st.fixed_dictionaries({"to_external_id": other, "kind": st.just("refines")}),
                max_size=2,
                unique_by=str,
            ),
            figures=named("f", figure),
            evidence=named("e", passage),
        ),
    ).map(of_claim),
    "figures": st.tuples(figure, st.one_of(name, name, st.none())).map(
        lambda found: {
            **found[0],
            "claim_external_id": "w:first",
            **({"external_id": found[1]} if found[1] else {}),
        }
    ),
    "evidence": st.tuples(passage, st.sampled_from(["t:e1", "t:e2", "t:e3", "t:e4", None])).map(
        lambda found: {
            **with_locator(found[0]),
            "claim_external_id": "w:second",
            **({"external_id": found[1]} if found[1] else {}),
        }
    ),
}


@pytest.mark.slow
@pytest.mark.parametrize("resource", ITEMS)
@settings(max_examples=12, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_a_bulk_write_equals_single_writes(engine: Engine, resource, data) -> None:
    writer = WRITERS[resource]
    batches = data.draw(
        st.lists(
            st.tuples(
                st.lists(ITEMS[resource], min_size=1, max_size=6),
                st.sampled_from([UPSERT, UPSERT, CREATE, IGNORE]),
            ),
            min_size=2,
            max_size=3,
        )
    )
    left = []
    for at_once in (False, True):
        with engine.connect() as session, session.begin() as transaction:
            outcomes = []
            for items, mode in batches:
                if at_once:
                    results = write(session, writer, items, mode, atomic=False)
                    outcomes.append([result.outcome for result in results])
                    assert all(
                        bool(result.faults) == (result.outcome is FAILED) for result in results
                    )
                else:
                    outcomes.append(one_by_one(session, writer, items, mode))
            left.append((outcomes, stored(session)))
            transaction.rollback()
    assert left[1] == left[0]


def claim(number: int, **fields: Any) -> dict[str, Any]:
    """A claim with a figure, evidence and entities, all of them with external ids."""
    return {
        "external_id": f"t:claim-{number:03}",
        "statement": f"It rained {number} times.",
        "claimant_external_id": "w:north",
        "entities": [
            {"entity_external_id": f"w:{name}", "role": "subject"} for name in ("north", "south")
        ],
        "figures": [{**MEASURED, "external_id": f"t:figure-{number:03}", "amount": str(number)}],
        "evidence": [
            {
                "external_id": f"t:passage-{number:03}",
                "source_external_id": "w:dated",
                "stance": "supports",
                "page": str(number),
            }
        ],
        **fields,
    }


MEASURED = {
    "metric_external_id": "w:count",
    "subject_external_id": "w:north",
    "as_stated": "some",
    "comparator": "eq",
    "amount": "40",
    "unit_code": "1",
}
CLAIMS, FIGURES, EVIDENCE = WRITERS["claims"], WRITERS["figures"], WRITERS["evidence"]
ENTITIES, SOURCES = WRITERS["entities"], WRITERS["sources"]


def outcomes(results: list[Result]) -> list[BulkOutcome]:
    return [result.outcome for result in results]


def faults(result: Result) -> list[tuple[str | None, str]]:
    return [(fault.pointer, fault.code) for fault in result.faults]


def place(number: int, **fields: Any) -> dict[str, Any]:
    names = [{"name": f"Place {number}", **PREFERRED}]
    return {"external_id": f"t:place-{number:03}", "kind": "place", "names": names, **fields}


@pytest.mark.parametrize("mode", BulkMode)
def test_the_number_of_statements_does_not_depend_on_that_of_the_items(
    session: Session, query_counter: QueryCounter, mode: BulkMode
) -> None:
    made: dict[str, Callable[[int], Any]] = {
        "claims": claim,
        "entities": place,
        "figures": lambda n: {
            **MEASURED,
            "external_id": f"t:figure-{n:03}",
            "claim_external_id": f"w:{'first' if n % 2 else 'second'}",
        },
        "evidence": lambda n: {
            "external_id": f"t:passage-{n:03}",
            "claim_external_id": f"w:{'first' if n % 2 else 'second'}",
            "source_external_id": "w:dated",
            "capture_text_sha256": SHA256,
            "stance": "supports",
            "page": str(n),
        },
        "sources": lambda n: {
            "external_id": f"t:source-{n:03}",
            "csl_type": "report",
            "title": f"Number {n}",
            "relations": [{"to_external_id": "w:dated", "kind": "quotes"}],
        },
    }
    for resource, make in made.items():
        numbers = []
        for items in ([make(n) for n in range(3)], [make(n) for n in range(3, 203)]):
            for _ in range(2):
                with query_counter() as counted:
                    write(session, WRITERS[resource], items, mode, atomic=False)
                numbers.append(len(counted.statements))
        assert numbers[0] == numbers[2], resource
        assert numbers[1] == numbers[3], resource
        assert max(numbers) <= 19, (resource, numbers)


def test_results_are_in_the_order_of_the_items(session: Session) -> None:
    items: list[Any] = [
        claim(2),
        {"statement": 1},
        claim(0),
        7,
        claim(1),
        {**claim(3), "external_id": None},
    ]
    results = write(session, CLAIMS, items, CREATE, atomic=False)
    assert outcomes(results) == [CREATED, FAILED, CREATED, FAILED, CREATED, CREATED]
    assert [r.external_id for r in results[:5:2]] == [items[n]["external_id"] for n in (0, 2, 4)]
    assert [result.version for result in results] == [1, None, 1, None, 1, 1]
    sql = "SELECT external_id FROM claims WHERE id = ANY ($1) ORDER BY id"
    ids = [result.id for result in results if result.id]
    assert [name for (name,) in run(session, sql, ids)] == [
        "t:claim-002",
        "t:claim-000",
        "t:claim-001",
        None,
    ]
    assert faults(results[1]) == [
        ("#/statement", "invalid"),
        ("#/claimant_id", "invalid"),
    ]
    assert faults(results[3]) == [("#", "invalid")]


def test_a_duplicate_external_id_names_the_first_item(session: Session) -> None:
    items = [claim(0), claim(1), {**claim(2), "external_id": "t:claim-000"}]
    results = write(session, CLAIMS, items, UPSERT, atomic=False)
    assert outcomes(results) == [CREATED, CREATED, FAILED]
    assert faults(results[2]) == [("#/external_id", "unique")]
    assert "Item 0" in results[2].faults[0].detail


def test_a_part_is_updated_by_one_item_only(session: Session) -> None:
    write(session, CLAIMS, [claim(0)], CREATE, atomic=True)
    twice = {"external_id": "t:claim-000", "figures": [claim(0)["figures"][0]] * 2}
    (result,) = write(session, CLAIMS, [twice], UPSERT, atomic=False)
    assert faults(result) == [("#/figures/1/external_id", "unique")]
    anothers = {**claim(1), "external_id": "w:first", "figures": claim(0)["figures"]}
    (result,) = write(session, CLAIMS, [anothers], UPSERT, atomic=False)
    assert faults(result) == [("#/figures/0/external_id", "unique")]


def test_a_stored_item_is_refused_ignored_or_updated(session: Session) -> None:
    write(session, CLAIMS, [claim(n) for n in range(3)], CREATE, atomic=True)
    items = [claim(0), claim(1, statement="It snowed."), claim(3)]
    before = stored(session)
    results = write(session, CLAIMS, items[:2], CREATE, atomic=False)
    assert [faults(result) for result in results] == [[("#/external_id", "unique")]] * 2
    results = write(session, CLAIMS, items[:2], IGNORE, atomic=False)
    assert outcomes(results) == [IGNORED, IGNORED]
    assert stored(session) == before
    results = write(session, CLAIMS, items, UPSERT, atomic=False)
    assert outcomes(results) == [UNCHANGED, UPDATED, CREATED]
    assert [result.version for result in results] == [1, 2, 1]
    assert outcomes(write(session, CLAIMS, items, UPSERT, atomic=False)) == [UNCHANGED] * 3


def test_fields_that_are_not_given_stay(session: Session) -> None:
    write(session, CLAIMS, [claim(0, modality="planned", topics=["rain"])], CREATE, atomic=True)
    before = stored(session)
    bare = {"external_id": "t:claim-000", "language": "en", "figures": []}
    assert outcomes(write(session, CLAIMS, [bare], UPSERT, atomic=True)) == [UNCHANGED]
    assert stored(session) == before


def test_parts_of_a_stored_claim_are_created_and_updated(session: Session) -> None:
    write(session, CLAIMS, [claim(0)], CREATE, atomic=True)
    ((figure,), (passage,)) = (claim(0)["figures"], claim(0)["evidence"])
    item: dict[str, Any] = {
        "external_id": "t:claim-000",
        "modality": "forecast",
        "figures": [{**figure, "amount": "7"}, {**figure, "external_id": "t:new"}],
        "evidence": [{**passage, "note": "Seen."}],
    }
    (result,) = write(session, CLAIMS, [item], UPSERT, atomic=True)
    assert (result.outcome, result.version) == (UPDATED, 2)
    sql = (
        "SELECT external_id, amount, modality, version FROM figures WHERE claim_id = $1 ORDER BY 1"
    )
    assert run(session, sql, result.id) == [
        ("t:figure-000", 7, "actual", 2),
        ("t:new", 0, "forecast", 1),
    ]
    item["figures"] = [{**figure, "external_id": None}]
    (result,) = write(session, CLAIMS, [item], UPSERT, atomic=False)
    assert faults(result) == [("#/figures/0/external_id", "required")]


def test_a_change_of_a_part_counts_as_a_change_of_its_claim(session: Session) -> None:
    (made,) = write(session, CLAIMS, [claim(0)], CREATE, atomic=True)
    version = "SELECT version FROM claims WHERE id = $1"
    item = {"external_id": "t:claim-000", "figures": [{**claim(0)["figures"][0], "amount": "9"}]}
    (result,) = write(session, CLAIMS, [item], UPSERT, atomic=True)
    assert (result.outcome, result.version) == (UPDATED, 2)
    more = [{**MEASURED, "claim_id": str(made.id)}, {**MEASURED, "claim_id": str(made.id)}]
    assert outcomes(write(session, FIGURES, more, CREATE, atomic=True)) == [CREATED] * 2
    assert run(session, version, made.id) == [(3,)]
    note = {"external_id": "t:passage-000", "note": "Seen."}
    assert outcomes(write(session, EVIDENCE, [note], UPSERT, atomic=True)) == [UPDATED]
    assert run(session, version, made.id) == [(4,)]
    assert outcomes(write(session, EVIDENCE, [note], UPSERT, atomic=True)) == [UNCHANGED]
    assert run(session, version, made.id) == [(4,)]


def test_fixed_fields_may_be_repeated_and_not_changed(session: Session) -> None:
    item = {**MEASURED, "external_id": "t:figure", "claim_external_id": "w:first"}
    write(session, FIGURES, [item], CREATE, atomic=True)
    item["amount"] = "41"
    assert outcomes(write(session, FIGURES, [item], UPSERT, atomic=True)) == [UPDATED]
    item["claim_external_id"] = "w:second"
    (result,) = write(session, FIGURES, [item], UPSERT, atomic=False)
    assert faults(result) == [("#/claim_external_id", "fixed")]
    units = WRITERS["units"]
    write(session, units, [{"external_id": "t:u", "code": "kg", "label": "x"}], CREATE, atomic=True)
    (result,) = write(session, units, [{"external_id": "t:u", "code": "g"}], UPSERT, atomic=False)
    assert faults(result) == [("#/code", "fixed")]


@pytest.mark.parametrize("mode", [UPSERT, IGNORE])
def test_items_of_merged_rows_are_refused(session: Session, mode: BulkMode) -> None:
    made = write(session, ENTITIES, [place(n) for n in range(3)], CREATE, atomic=True)
    ids = [result.id for result in made if result.id]
    lifecycle.delete(session, "entities", ids[0], None)
    merging.merge(session, "entities", ids[1], None, {"into_id": ids[2]})
    results = write(session, ENTITIES, [place(n) for n in range(3)], mode, atomic=False)
    assert [faults(result) for result in results] == [[], [("#/external_id", "merged")], []]
    # A deleted row gives its name free.
    assert results[0].outcome is CREATED
    assert results[0].id != ids[0]
    assert str(ids[2]) in results[1].faults[0].detail
    item = claim(0, claimant_external_id="t:place-001")
    (result,) = write(session, CLAIMS, [item], mode, atomic=True)
    sql = "SELECT claimant_id FROM claims WHERE id = $1"
    assert run(session, sql, result.id) == [(ids[2],)]


def test_an_item_may_refer_to_earlier_items(session: Session) -> None:
    def related(number: int, to: int) -> dict[str, Any]:
        relation = {"kind": "part_of", "object_external_id": f"t:place-{to:03}"}
        return place(number, relations=[relation])

    items = [place(0), related(1, 0), related(2, 5), related(3, 2), related(4, 1), place(5)]
    results = write(session, ENTITIES, items, CREATE, atomic=False)
    assert outcomes(results) == [CREATED, CREATED, FAILED, FAILED, CREATED, CREATED]
    wanted = ("#/relations/0/object_external_id", "not_found")
    assert [faults(results[n]) for n in (2, 3)] == [[wanted]] * 2

    derived = {"derived_from_external_id": "t:passage-000", "page": "9"}
    passage = {**claim(1)["evidence"][0], **derived}
    results = write(session, CLAIMS, [claim(0), claim(1, evidence=[passage])], CREATE, atomic=True)
    assert outcomes(results) == [CREATED, CREATED]


def test_items_that_the_database_refuses_do_not_affect_the_others(session: Session) -> None:
    bad = {7, 8, 40}
    numbered = [
        {"scheme": "wikidata", "value": f"Q{0 + 1 if n in bad else n + 2}"} for n in range(64)
    ]
    items = [place(n, identifiers=[numbered[n]]) for n in range(64)]
    items[50]["relations"] = [{"kind": "part_of", "object_external_id": "t:place-008"}]
    results = write(session, ENTITIES, items, CREATE, atomic=False)
    failed = [n for n, result in enumerate(results) if result.outcome is FAILED]
    assert failed == [8, 40, 50]
    assert faults(results[8]) == [("#/identifiers", "unique")]
    assert faults(results[50]) == [("#/relations/0/object_external_id", "not_found")]


def test_all_or_nothing(session: Session) -> None:
    before = stored(session)
    results = write(
        session, CLAIMS, [claim(0), {**claim(1), "modality": "no"}, claim(2)], CREATE, atomic=True
    )
    assert outcomes(results) == [FAILED] * 3
    assert [faults(result) for result in results] == [
        [("#", "not_written")],
        [("#/modality", "invalid")],
        [("#", "not_written")],
    ]
    assert stored(session) == before
    assert outcomes(write(session, CLAIMS, [claim(0)], CREATE, atomic=True)) == [CREATED]


no_review = ReviewRules("tester", may_review=False, four_eyes=False)


def test_reviewed_rows_are_changed_only_with_the_scope_review(session: Session) -> None:
    accepted = claim(0, status="accepted")
    part = claim(1)
    part["evidence"][0]["status"] = "rejected"
    results = write(session, CLAIMS, [accepted, part], CREATE, atomic=False, rules=no_review)
    assert [type(result.error) for result in results] == [Forbidden, Forbidden]
    write(session, CLAIMS, [accepted, part], CREATE, atomic=True)
    same = [{**claim(0), "figures": [{**claim(0)["figures"][0]}]}, claim(1)]
    results = write(session, CLAIMS, same, UPSERT, atomic=False, rules=no_review)
    assert outcomes(results) == [UNCHANGED, UNCHANGED]
    passage = {**claim(1)["evidence"][0], "note": "Seen."}
    changed = [
        claim(0, statement="It did not rain."),
        claim(1, evidence=[passage]),
        claim(2),
        claim(0, figures=[{**MEASURED, "external_id": "t:new"}]),
    ]
    for items, expected in (
        (changed[:3], [FAILED, FAILED, CREATED]),
        (changed[3:], [FAILED]),
    ):
        results = write(session, CLAIMS, items, UPSERT, atomic=False, rules=no_review)
        assert outcomes(results) == expected
    new = {"claim_external_id": "t:claim-000", **MEASURED}
    (result,) = write(session, FIGURES, [new], CREATE, atomic=False, rules=no_review)
    assert isinstance(result.error, Forbidden)
    passage = {**passage, "external_id": None, "claim_external_id": "t:claim-000", "page": "x"}
    (result,) = write(session, EVIDENCE, [passage], CREATE, atomic=False, rules=no_review)
    assert result.outcome is CREATED


def test_a_date_that_cannot_be_recomputed_refuses_its_item_only(session: Session) -> None:
    due = {"anchor_external_id": "w:dated", "duration": "P1Y"}
    write(session, CLAIMS, [claim(0, due_relative=due)], CREATE, atomic=True)
    titled = {"external_id": "w:first", "title": "Of another title"}
    undated = {"external_id": "w:dated", "issued_edtf": None}
    results = write(session, SOURCES, [titled, undated], UPSERT, atomic=False)
    assert outcomes(results) == [UPDATED, FAILED]
    assert isinstance(results[1].error, Conflict)
    later = {"external_id": "w:dated", "issued_edtf": "2030-05-01"}
    assert outcomes(write(session, SOURCES, [later], UPSERT, atomic=True)) == [UPDATED]
    sql = "SELECT due_edtf FROM claims WHERE external_id = 't:claim-000'"
    assert run(session, sql) == [("2031",)]


def test_long_calls_are_written_in_chunks(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk, "_ROWS_AT_ONCE", 10)
    items = [claim(n, relations=_refining(n - 1)) for n in range(7)]
    assert outcomes(write(session, CLAIMS, items, CREATE, atomic=False)) == [CREATED] * 7


def _refining(number: int) -> list[dict[str, str]]:
    name = f"t:claim-{number:03}"
    return [{"to_external_id": name, "kind": "refines"}] if number >= 0 else []


def test_concurrent_calls_of_the_same_items_do_not_deadlock(engine: Engine) -> None:
    together = threading.Barrier(4)
    items = [claim(n) for n in range(40)]

    def call(number: int) -> list[BulkOutcome]:
        ordered = items[:: -1 if number % 2 else 1]
        with engine.begin() as session:
            together.wait()
            results = write(session, CLAIMS, ordered, UPSERT, atomic=False)
        return outcomes(results)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(call, range(4)))
    assert sorted(set(written).pop() for written in found) == [CREATED, *[UNCHANGED] * 3]
    assert {len(set(written)) for written in found} == {1}
    with engine.begin() as session:
        sql = "SELECT count(*) FROM claims WHERE external_id LIKE 't:%'"
        assert run(session, sql) == [(40,)]


def test_all_calls_insert_items_in_one_order(
    database_url: str, wait_for_a_lock: WaitForLock
) -> None:
    database = Database(lambda: database_url)

    def call() -> list[BulkOutcome]:
        with writing(database) as session:
            return outcomes(write(session, ENTITIES, [place(1), place(0)], UPSERT, atomic=False))

    with ThreadPoolExecutor(1) as pool:
        with writing(database) as session:
            write(session, ENTITIES, [place(0)], CREATE, atomic=True)
            late = pool.submit(call)
            wait_for_a_lock(database)
            # The other waits for the first of them, and has not added the second.
            assert outcomes(write(session, ENTITIES, [place(1)], CREATE, atomic=True)) == [CREATED]
        assert late.result() == [UNCHANGED, UNCHANGED]
    database.close()


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize("field", ["derived_from", "attributed_to"])
def test_locks_of_triggers_are_taken_before_rows_are_written(
    database_url: str, wait_for_a_lock: WaitForLock, field: str
) -> None:
    """Two calls that have written evidence share a lock, and each would wait for the other's."""
    database = Database(lambda: database_url)
    target = {"derived_from": f"t:original-{field}", "attributed_to": "w:north"}[field]

    def passage(name: str, **fields: str) -> dict[str, str]:
        references = {"claim_external_id": "w:first", "source_external_id": "w:first"}
        external_id = f"t:{name}-{field}"
        named = {"external_id": external_id, "page": external_id}
        return {**named, "stance": "supports", **references, **fields}

    def call() -> list[BulkOutcome]:
        items = [passage("new"), passage("stored", **{f"{field}_external_id": target})]
        with writing(database) as session:
            return outcomes(write(session, EVIDENCE, items, UPSERT, atomic=False))

    with ThreadPoolExecutor(1) as pool:
        with writing(database) as session:
            write(session, EVIDENCE, [passage("stored"), passage("original")], CREATE, atomic=True)
        with writing(database) as session:
            run(session, "SELECT pg_advisory_xact_lock_shared(hashtext('source_relations'))")
            late = pool.submit(call)
            wait_for_a_lock(database)
            locks = "SELECT mode FROM pg_locks WHERE relation = 'evidence'::regclass"
            assert ("RowExclusiveLock",) not in run(session, locks)
        assert late.result() == [CREATED, UPDATED]
    database.close()


def test_garbage_is_collected_again_after_the_last_of_several_calls() -> None:
    one, other = ExitStack(), ExitStack()
    one.enter_context(uncollected())
    other.enter_context(uncollected())
    one.close()
    assert not gc.isenabled()
    other.close()
    assert gc.isenabled()
