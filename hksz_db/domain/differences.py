"""How two documents of one row differ, field by field.

What stands in an array is compared with what it is and not with what stands at its place: by its
id, or by what makes it this one among the others. So one more in the middle is one difference,
and another order is none, unless the order says something as that of contributors does.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from hksz_db.domain.errors import escaped

# They differ whenever anything does.
_KEPT = frozenset({"version", "updated_at"})
# What makes an item of an array this one, where it has no id: fields, and fields of fields.
_KEYS: Mapping[str, tuple[tuple[str, ...], ...]] = {
    "names": (("name",), ("language",)),
    "identifiers": (("scheme",), ("value",)),
    "contributors": (("entity", "id"), ("role",)),
    "entities": (("entity", "id"), ("role",)),
    "relations": (
        ("kind",),
        ("to", "id"),
        ("object", "id"),
        ("qualifier",),
        ("during", "edtf"),
        ("claim", "id"),
    ),
    "origins": (("source_id",), ("stance",)),
    "via": (("evidence_id",),),
    "steps": (("source_id",), ("kind",)),
}

# The arrays whose order says something; the others stand in that of their creation.
_ORDERED = frozenset({"contributors", "steps"})


@dataclass(frozen=True)
class Difference:
    """What stands at a JSON pointer (RFC 6901) in one document and in the other.

    ``before`` is ``None`` where something was added to an array, ``after`` where it was taken
    away. The pointer is into the later document where something was added, else into the earlier.
    """

    pointer: str
    before: Any
    after: Any


def differences(before: Any, after: Any) -> list[Difference]:
    """What to change, in this order, to make the later document of the earlier one.

    Of each array first what differs in its items, then what is taken away, the last first, then
    what is added, the first first. ``version`` and ``updated_at`` are left out at every level.
    """
    return list(_compare(before, after, "", ""))


def _compare(before: Any, after: Any, pointer: str, name: str) -> Iterator[Difference]:
    match before, after:
        case {}, {}:
            for field in [key for key in {**before, **after} if key not in _KEPT]:
                pair = before.get(field), after.get(field)
                yield from _compare(*pair, f"{pointer}/{escaped(field)}", field)
        case [*_], [*_]:
            yield from _compare_items(before, after, pointer, name)
        case _:
            # true is no 1, though Python says so.
            if type(before) is not type(after) or before != after:
                yield Difference(pointer, before, after)


def _compare_items(
    before: Sequence[Any], after: Sequence[Any], pointer: str, name: str
) -> Iterator[Difference]:
    ours, theirs = ([_identity(item, name) for item in items] for items in (before, after))
    pairs = dict(_in_order(ours, theirs) if name in _ORDERED else _anywhere(ours, theirs))
    for index, other in pairs.items():
        yield from _compare(before[index], after[other], f"{pointer}/{index}", name)
    for index in reversed(range(len(before))):
        if index not in pairs:
            yield Difference(f"{pointer}/{index}", before[index], None)
    known = set(pairs.values())
    for other in range(len(after)):
        if other not in known:
            yield Difference(f"{pointer}/{other}", None, after[other])


def _in_order(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of what both have in the same order."""
    matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
    for index, other, length in matcher.get_matching_blocks():
        yield from ((index + n, other + n) for n in range(length))


def _anywhere(ours: Sequence[str], theirs: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The places of what both have."""
    places: defaultdict[str, deque[int]] = defaultdict(deque)
    for other, identity in enumerate(theirs):
        places[identity].append(other)
    for index, identity in enumerate(ours):
        if places[identity]:
            yield index, places[identity].popleft()


def _identity(item: Any, name: str) -> str:
    if isinstance(item, dict):
        if item.get("id") is not None:
            return str(item["id"])
        if name in _KEYS:
            item = [_value(item, path) for path in _KEYS[name]]
    return json.dumps(item, sort_keys=True)


def _value(item: Any, path: tuple[str, ...]) -> Any:
    for step in path:
        item = item.get(step) if isinstance(item, dict) else None
    return item
