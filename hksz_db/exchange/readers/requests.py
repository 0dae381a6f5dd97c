"""What to import, and how to read it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from marshmallow import Schema, ValidationError, fields

from hksz_db.domain import strict_json
from hksz_db.domain.errors import Malformed
from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.entries import Unreadable


@dataclass(frozen=True)
class Columns:
    """What the columns of a table mean.

    ``mapped`` gives the field of a column; other columns have the name of their field. ``skipped``
    columns are not read. ``constants`` are values of fields for every row.
    """

    mapped: Mapping[str, str] = field(default_factory=dict)
    skipped: frozenset[str] = frozenset()
    constants: Mapping[str, str] = field(default_factory=dict)
    delimiter: str | None = None


@dataclass(frozen=True)
class ImportRequest:
    """A file to import.

    ``namespace`` is the namespace of new external ids; if it is empty, the default of the format is
    used. ``columns`` describe tables; ``columns.skipped`` also applies to the fields of documents.
    """

    path: Path
    format: str
    resource: str | None = None
    namespace: str = ""
    encoding: str = "utf-8"
    columns: Columns = field(default_factory=Columns)


class _MappingSchema(Schema):
    map = fields.Dict(fields.String(), fields.String(), load_default=dict)
    set = fields.Dict(fields.String(), fields.String(), load_default=dict)
    skip = fields.List(fields.String(), load_default=list)


def columns(
    mapping: Path | None,
    maps: Sequence[str],
    constants: Sequence[str],
    skipped: Sequence[str],
    delimiter: str | None,
) -> Columns:
    """Combine a mapping file and options of the command line, which override it.

    Raises ``Unreadable``.
    """
    given = _mapping(mapping)
    return Columns(
        {**given["map"], **_pairs("--map", maps, last=True)},
        frozenset({*given["skip"], *skipped}),
        {**given["set"], **_pairs("--set", constants, last=False)},
        _delimiter(delimiter),
    )


def _mapping(path: Path | None) -> dict[str, Any]:
    try:
        document = strict_json.parse(text.whole(path, "utf-8"), "It") if path else {}
        mapping: dict[str, Any] = _MappingSchema().load(document)
    except (Unreadable, Malformed) as error:
        raise Unreadable(f"{path}: {error}") from None
    except ValidationError:
        raise Unreadable(
            f"{path} must be an object with map and set (objects of strings) and skip (a list of"
            " strings)."
        ) from None
    return mapping


def _pairs(option: str, given: Sequence[str], *, last: bool) -> dict[str, str]:
    pairs = {}
    for pair in given:
        name, equals, value = pair.rpartition("=") if last else pair.partition("=")
        if not name or not equals:
            raise Unreadable(f"{option} must be NAME=VALUE, not {pair!r}.")
        pairs[name] = value
    return pairs


def _delimiter(given: str | None) -> str | None:
    delimiter = "\t" if given in {"tab", "\\t"} else given
    if delimiter is not None and (len(delimiter) != 1 or delimiter in '\r\n"'):
        raise Unreadable("--delimiter must be one character, or tab.")
    return delimiter
