"""What the columns of a table mean, as whoever imports it says."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hksz_db.exchange.readers.entries import Unreadable


@dataclass(frozen=True)
class Columns:
    """What the columns of a table mean.

    ``mapped`` gives the field of a column, ``skipped`` columns mean nothing, ``constants`` are
    values of fields for every row. A column that is in neither is the field of its name.
    """

    mapped: Mapping[str, str] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None


def columns(
    mapping: Path | None,
    maps: Sequence[str],
    constants: Sequence[str],
    skipped: Sequence[str],
    delimiter: str | None,
) -> Columns:
    """The columns of a mapping file and of options as they are given on the command line.

    The options come on top of the file. Raises ``Unreadable``.
    """
    given = _mapping(mapping)
    return Columns(
        {**given["map"], **_pairs("--map", maps, last=True)},
        frozenset({*given["skip"], *skipped}),
        {**given["set"], **_pairs("--set", constants, last=False)},
        _delimiter(delimiter),
    )


def _mapping(path: Path | None) -> dict[str, Any]:
    empty: dict[str, Any] = {"map": {}, "set": {}, "skip": []}
    if path is None:
        return empty
    try:
        given = json.loads(path.read_text(encoding="utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise Unreadable(f"{path} is not JSON: {error}.") from None
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}.") from None
    found = {**empty, **given} if isinstance(given, dict) else {}
    right = found.keys() == empty.keys() and all(
        isinstance(part, type(empty[name]))
        and all(isinstance(text, str) for text in (part.values() if name != "skip" else part))
        for name, part in found.items()
    )
    if not right:
        raise Unreadable(f"{path} must be an object with map, set (of texts) and skip (a list).")
    return found


def _pairs(option: str, given: Sequence[str], *, last: bool) -> dict[str, str]:
    pairs = [text.rpartition("=") if last else text.partition("=") for text in given]
    wrong = [text for text, pair in zip(given, pairs, strict=True) if not pair[0] or not pair[1]]
    if wrong:
        raise Unreadable(f"{option} takes a name, an equals sign and a name: {wrong[0]!r} is none.")
    return {name: value for name, _, value in pairs}


def _delimiter(text: str | None) -> str | None:
    found = "\t" if text in {"tab", "\\t"} else text
    if found is not None and (len(found) != 1 or found in '\r\n"'):
        raise Unreadable("--delimiter takes one character, or tab.")
    return found
