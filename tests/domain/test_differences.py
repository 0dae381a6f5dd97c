"""How two documents differ: what is applied to the one gives the other."""

import copy
import json
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.database import Database, run
from hksz_db.domain.differences import Difference, differences
from hksz_db.queries.pages import RESOURCES, document_statement


def applied(document: Any, found: list[Difference]) -> Any:
    """The document with the differences, taken in their order."""
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


def in_sets(value: Any, name: str = "") -> Any:
    """The same, with those arrays sorted whose order says nothing."""
    if isinstance(value, dict):
        return {field: in_sets(inner, field) for field, inner in value.items()}
    if not isinstance(value, list):
        return value
    items = [in_sets(item) for item in value]
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
def test_the_differences_make_the_one_of_the_other(before, after):
    assert in_sets(applied(before, differences(before, after))) == in_sets(after)
    assert differences(before, before) == []


@given(st.none() | DOCUMENTS, st.none() | DOCUMENTS)
def test_what_is_there_and_what_is_not(before, after):
    found = differences(before, after)
    assert in_sets(applied(before, found)) == in_sets(after)
    if (before is None) != (after is None):
        assert found == [Difference("", before, after)]


@given(st.lists(ROWS, min_size=1, max_size=6, unique_by=lambda row: row["id"]), st.data())
def test_one_more_in_the_middle_is_one_difference(rows, data):
    place = data.draw(st.integers(0, len(rows)))
    new = {"id": "new", "amount": "1"}
    more = [*rows[:place], new, *rows[place:]]
    before, after = {"figures": rows}, {"figures": more}
    assert differences(before, after) == [Difference(f"/figures/{place}", None, new)]
    assert differences(after, before) == [Difference(f"/figures/{place}", new, None)]


def test_items_are_known_by_what_they_are():
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


def test_another_order_is_a_difference_where_it_says_something():
    pairs = [{"entity": {"id": id}, "role": "author"} for id in "123"]
    turned = [*pairs[1:], pairs[0]]
    assert differences({"contributors": pairs}, {"contributors": turned}) == [
        Difference("/contributors/0", pairs[0], None),
        Difference("/contributors/2", None, pairs[0]),
    ]
    assert differences({"entities": pairs}, {"entities": turned}) == []
    changed = [*pairs[1:], {**pairs[0], "note": "x"}]
    assert differences({"entities": pairs}, {"entities": changed}) == [
        Difference("/entities/0/note", None, "x")
    ]


def test_what_counts_changes_is_none_at_any_level():
    before = {"version": 1, "updated_at": "x", "figures": [{"id": "1", "version": 1}]}
    after = {"version": 2, "updated_at": "y", "figures": [{"id": "1", "version": 3}]}
    assert differences(before, after) == []


def test_one_is_not_true():
    assert differences({"a": 1}, {"a": True}) == [Difference("/a", 1, True)]
    assert differences({"a": "0.5"}, {"a": "0.50"}) == [Difference("/a", "0.5", "0.50")]


def without_counts(value: Any) -> Any:
    """The same, without what is left out of differences."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if k not in {"version", "updated_at"}}
        return {name: without_counts(inner) for name, inner in kept.items()}
    return [without_counts(item) for item in value] if isinstance(value, list) else value


@pytest.fixture(scope="module")
def database_url(make_database, all_seeds):
    """A database with all seeds, for the module."""
    with make_database(all_seeds) as url:
        yield url


@pytest.mark.parametrize("resource", RESOURCES)
def test_what_differs_between_any_two_rows(database: Database, session, resource):
    readable = RESOURCES[resource]
    statement = document_statement(resource, (*readable.fields, *readable.read_embeds))
    ids = [id for (id,) in run(session, f"SELECT id FROM {resource} ORDER BY id LIMIT 12")]
    documents = [json.loads(database.read(statement, {"id": id})[0][-1]) for id in ids]
    assert len(documents) > 2
    for before, after in permutations(documents, 2):
        found = applied(before, differences(before, after))
        assert in_sets(without_counts(found)) == in_sets(without_counts(after))
