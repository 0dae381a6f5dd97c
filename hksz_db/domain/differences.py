"""How two documents of one row differ, field by field.

This is not JSON Patch (RFC 6902): a reader wants to see the earlier value, and array items compared
by identity and not by position. An item is identified by its id, or by the fields that distinguish
it. So inserting one item is one difference, and reordering is none, unless the order has a meaning
as that of contributors does.
"""

import json
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from hksz_db.domain.errors import escaped

ALWAYS_SET = frozenset({"version", "updated_at"})
"""The fields that change with every write, and are never listed as changes."""

# The paths of the fields that identify an item of an array without an id.
_KEYS: Mapping[str, str] = {
    "names": "name language",
    "identifiers": "scheme value",
    "contributors": "entity.id role",
    "entities": "entity.id role",
    "relations": "kind to.id object.id qualifier during.edtf claim.id",
    "origins": "source_id stance",
    "via": "evidence_id",
    "steps": "source_id kind",
}
# The arrays whose order has a meaning; the others are in order of creation.
_ORDERED = frozenset({"contributors", "steps"})


@dataclass(frozen=True)
class Difference:
    """The values at a JSON pointer (RFC 6901) in the earlier and the later document.

    ``before`` is ``None`` for an item that was added to an array, ``after`` for one that was
    removed. The pointer of an added item is into the later document, any other into the earlier.
    """

    pointer: str
    before: object
    after: object


def differences(before: object, after: object) -> list[Difference]:
    """The changes that turn the earlier document into the later one when applied in order.

    For each array: first changes within items, then removals from the last to the first, then
    additions from the first to the last. ``version`` and ``updated_at`` are ignored at every level.
    """
    return list(_compare(before, after, "", ""))


def _compare(before: object, after: object, pointer: str, name: str) -> Iterator[Difference]:
    match before, after:
        case {}, {}:
            for field in [key for key in {**before, **after} if key not in ALWAYS_SET]:
                pair = before.get(field), after.get(field)
                yield from _compare(*pair, f"{pointer}/{escaped(field)}", field)
        case [*_], [*_]:
            yield from _compare_items(before, after, pointer, name)
        case _:
            # In Python, True == 1.
            if type(before) is not type(after) or before != after:
                yield Difference(pointer, before, after)


def _compare_items(
    before: Sequence[object], after: Sequence[object], pointer: str, name: str
) -> Iterator[Difference]:
    old, new = ([_identity(item, name) for item in items] for items in (before, after))
    pairs = dict(_ordered_pairs(old, new) if name in _ORDERED else _pairs(old, new))
    for old_index, new_index in pairs.items():
        yield from _compare(before[old_index], after[new_index], f"{pointer}/{old_index}", name)
    for old_index in reversed(range(len(before))):
        if old_index not in pairs:
            yield Difference(f"{pointer}/{old_index}", before[old_index], None)
    paired = set(pairs.values())
    for new_index in range(len(after)):
        if new_index not in paired:
            yield Difference(f"{pointer}/{new_index}", None, after[new_index])


def _ordered_pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The indexes of equal items that are in the same order in both lists."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    for old_index, new_index, length in matcher.get_matching_blocks():
        yield from ((old_index + n, new_index + n) for n in range(length))


def _pairs(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """The indexes of equal items, in any order."""
    indexes: defaultdict[str, deque[int]] = defaultdict(deque)
    for new_index, identity in enumerate(new):
        indexes[identity].append(new_index)
    for old_index, identity in enumerate(old):
        if indexes[identity]:
            yield old_index, indexes[identity].popleft()


def _identity(item: object, name: str) -> str:
    if isinstance(item, dict):
        if item.get("id") is not None:
            return str(item["id"])
        if name in _KEYS:
            item = [_value(item, path) for path in _KEYS[name].split()]
    return json.dumps(item, sort_keys=True)


def _value(item: object, path: str) -> object:
    for step in path.split("."):
        item = item.get(step) if isinstance(item, dict) else None
    return item
