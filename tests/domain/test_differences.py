"""Differences between documents: applied to the earlier document, they give the later one."""

import copy
import json
from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.database import Database, Session, run
from hksz_db.domain.differences import Difference, differences
from hksz_db.queries.pages import document_statement
from hksz_db.queries.registry import RESOURCES
from tests.conftest import MakeDatabase


def applied(document: Any, found: list[Difference]) -> Any:
    """The document after the differences have been applied in order."""
    whole = {"": copy.deepcopy(document)}
    for difference in found:
        steps = difference.pointer.split("/")
        place: Any = whole
        for step in steps[:-1]:
            place = place[_key(place, step)]
        key = _key(place, steps[-1])
        if isinstance(place, dict):
            assert place[key] == difference.before
            place[key] = difference.after
        elif difference.before is None:
            place.insert(key, difference.after)
        else:
            assert place.pop(key) == difference.before
            if difference.after is not None:
                place.insert(key, difference.after)
    return whole[""]


def _key(place: Any, step: str) -> Any:
    return int(step) if isinstance(place, list) else step.replace("~1", "/").replace("~0", "~")


def unordered(value: Any, name: str = "") -> Any:
    """The value with every array sorted whose order has no meaning."""
    if isinstance(value, dict):
        return {field: unordered(inner, field) for field, inner in value.items()}
    if not isinstance(value, list):
        return value
    items = [unordered(item) for item in value]
    return items if name in {"contributors", "steps"} else sorted(items, key=_canonical)


def _canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


WORDS = st.sampled_from(["a", "b", "~/", ""])
SCALARS = st.none() | st.booleans() | st.integers(0, 2) | WORDS
REFERENCES = st.none() | st.fixed_dictionaries({"id": WORDS, "name": WORDS})
ROWS = st.fixed_dictionaries({"id": st.integers(0, 5).map(str), "amount": SCALARS})
DOCUMENTS = st.fixed_dictionaries(
    {
        "statement": SCALARS,
        "time/~": st.fixed_dictionaries({"edtf": SCALARS, "relative": REFERENCES}),
        "topics": st.lists(WORDS, max_size=4),
        "names": st.lists(
            st.fixed_dictionaries({"name": WORDS, "language": WORDS, "kind": SCALARS}), max_size=4
        ),
        "contributors": st.lists(
            st.fixed_dictionaries({"entity": REFERENCES, "role": WORDS}), max_size=4
        ),
        "figures": st.lists(ROWS, max_size=6, unique_by=lambda row: row["id"]),
        "evidence": st.lists(
            st.fixed_dictionaries({"id": WORDS, "rows": st.lists(ROWS, max_size=3)}), max_size=4
        ),
    }
)


@given(DOCUMENTS, DOCUMENTS)
def test_applied_differences_give_the_later_document(before, after) -> None:
    assert unordered(applied(before, differences(before, after))) == unordered(after)
    assert differences(before, before) == []


@given(st.none() | DOCUMENTS, st.none() | DOCUMENTS)
def test_a_missing_document_is_one_difference(before, after) -> None:
    found = differences(before, after)
    assert unordered(applied(before, found)) == unordered(after)
    if (before is None) != (after is None):
        assert found == [Difference("", before, after)]


@given(st.lists(ROWS, min_size=1, max_size=6, unique_by=lambda row: row["id"]), st.data())
def test_an_inserted_item_is_one_difference(rows, data) -> None:
    place = data.draw(st.integers(0, len(rows)))
    new = {"id": "new", "amount": "1"}
    more = [*rows[:place], new, *rows[place:]]
    before, after = {"figures": rows}, {"figures": more}
    assert differences(before, after) == [Difference(f"/figures/{place}", None, new)]
    assert differences(after, before) == [Difference(f"/figures/{place}", new, None)]


def test_items_without_an_id_are_identified_by_their_key_fields() -> None:
    old = [
        {"entity": {"id": "1", "name": "A"}, "role": "author"},
        {"entity": {"id": "2", "name": "B"}, "role": "publisher"},
    ]
    new = [{**old[1], "credited_as": "C"}, {"entity": {"id": "1", "name": "Z"}, "role": "editor"}]
    assert differences({"contributors": old}, {"contributors": new}) == [
        Difference("/contributors/1/credited_as", None, "C"),
        Difference("/contributors/0", old[0], None),
        Difference("/contributors/1", None, new[1]),
    ]


def test_reordering_is_a_difference_only_if_the_order_has_a_meaning() -> None:
    pairs = [{"entity": {"id": id}, "role": "author"} for id in "123"]
    reordered = [*pairs[1:], pairs[0]]
    assert differences({"contributors": pairs}, {"contributors": reordered}) == [
        Difference("/contributors/0", pairs[0], None),
        Difference("/contributors/2", None, pairs[0]),
    ]
    assert differences({"entities": pairs}, {"entities": reordered}) == []
    changed = [*pairs[1:], {**pairs[0], "note": "x"}]
    assert differences({"entities": pairs}, {"entities": changed}) == [
        Difference("/entities/0/note", None, "x")
    ]


def test_version_and_updated_at_are_ignored_at_every_level() -> None:
    before = {"version": 1, "updated_at": "x", "figures": [{"id": "1", "version": 1}]}
    after = {"version": 2, "updated_at": "y", "figures": [{"id": "1", "version": 3}]}
    assert differences(before, after) == []


def test_values_of_different_types_differ() -> None:
    assert differences({"a": 1}, {"a": True}) == [Difference("/a", 1, True)]
    assert differences({"a": "0.5"}, {"a": "0.50"}) == [Difference("/a", "0.5", "0.50")]


def without_ignored(value: Any) -> Any:
    """The value without the fields that differences ignore."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in {"version", "updated_at"}}
        return {name: without_ignored(inner) for name, inner in kept.items()}
    return [without_ignored(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def database_url(make_database: MakeDatabase, all_seeds: str) -> Iterator[str]:
    """A database with all seeds for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.mark.parametrize("resource", RESOURCES)
def test_differences_of_real_documents(database: Database, session: Session, resource: str) -> None:
    readable = RESOURCES[resource]
    statement = document_statement(resource, (*readable.fields, *readable.read_embeds))
    ids = [id for (id,) in run(session, f"SELECT id FROM {resource} ORDER BY id LIMIT 12")]
    documents = [json.loads(database.read(statement, {"id": id})[0][-1]) for id in ids]
    assert len(documents) > 2
    for before, after in permutations(documents, 2):
        found = applied(before, differences(before, after))
        assert unordered(without_ignored(found)) == unordered(without_ignored(after))
