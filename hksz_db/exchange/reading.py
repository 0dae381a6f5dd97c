"""The registry of import formats, and the options that say how to read a file."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from marshmallow import Schema, ValidationError, fields

from hksz_db.exchange.readers import annotations, claimreview, csl, lines, ris, tables, text
from hksz_db.exchange.readers.entries import (
    Columns,
    Entries,
    ImportRequest,
    Unreadable,
    refuse_duplicates,
)

_NAMESPACE = re.compile(r"[a-z][a-z0-9.-]{0,39}")


@dataclass(frozen=True)
class Reader:
    """An import format: its file suffixes, its default namespace and its reader.

    ``resources`` are those that a file can hold; the request must choose if there are several,
    unless they are ``mixed`` in a file. If there are none, each entry names its resource.
    ``constants`` are the fields that can be set where a file has no columns.
    """

    name: str
    suffixes: tuple[str, ...]
    namespace: str
    read: Callable[[ImportRequest], Entries]
    resources: tuple[str, ...] = ("sources",)
    mixed: bool = False
    constants: tuple[str, ...] = ()
    takes_columns: bool = False
    takes_skipped: bool = False


def _library(read: Callable[[str, str], Entries]) -> Callable[[ImportRequest], Entries]:
    """A reader for files of citation managers, which are read as a whole."""
    return lambda request: read(text.whole(request.path, request.encoding), request.namespace)


def _annotations(request: ImportRequest) -> Entries:
    content = text.whole(request.path, request.encoding)
    return annotations.read(content, request.namespace, request.columns.constants)


def _bibtex(content: str, namespace: str) -> Entries:
    # Its parsers take longer to import than the other readers.
    from hksz_db.exchange.readers import bibtex  # noqa: PLC0415

    return bibtex.read(content, namespace)


_LIBRARIES = {"csl-json": csl.read, "bibtex": _bibtex, "ris": ris.read}

READERS = {
    reader.name: reader
    for reader in (
        Reader("csl-json", (".json",), "zotero", _library(_LIBRARIES["csl-json"])),
        Reader(
            "bibtex", (".bib", ".bibtex", ".biblatex"), "bibtex", _library(_LIBRARIES["bibtex"])
        ),
        Reader("ris", (".ris",), "ris", _library(_LIBRARIES["ris"])),
        Reader(
            "claimreview",
            (".claimreview.jsonld",),
            "claimreview",
            _library(claimreview.read),
            ("sources", "claims", "evidence"),
            mixed=True,
        ),
        Reader(
            "web-annotation",
            (".annotations.jsonld",),
            "web-annotation",
            _annotations,
            ("sources", "evidence"),
            mixed=True,
            constants=annotations.CONSTANTS,
        ),
        Reader(
            "csv",
            (".csv", ".tsv"),
            "csv",
            tables.read,
            tables.TABLED,
            takes_columns=True,
            takes_skipped=True,
        ),
        Reader("ndjson", (".ndjson", ".jsonl"), "ndjson", lines.read, (), takes_skipped=True),
    )
}


LIBRARY_SUFFIXES = tuple(suffix for name in _LIBRARIES for suffix in READERS[name].suffixes)
"""The suffixes of the files of citation managers."""


def format_of(path: Path) -> str:
    """The format that the suffix of a file stands for. Raises ``Unreadable``."""
    suffixes = {suffix: reader.name for reader in READERS.values() for suffix in reader.suffixes}
    name = path.name.lower()
    for suffix, form in suffixes.items():
        if name.endswith(suffix):
            return form
    raise Unreadable(
        f"Unknown suffix; known: {', '.join(suffixes)}. Give the format with --format."
    )


def entries(request: ImportRequest) -> Entries:
    """Read the entries of a file. Raises ``Unreadable``, also during the iteration."""
    reader = READERS[request.format]
    _check(reader, request)
    namespace = request.namespace or reader.namespace
    return refuse_duplicates(reader.read(replace(request, namespace=namespace)))


def library_entries(name: str, data: bytes) -> Entries:
    """The works in a file of a citation manager, in UTF-8, by its name and its content.

    Duplicates are kept. Raises ``Unreadable``, also during the iteration.
    """
    if not name.lower().endswith(LIBRARY_SUFFIXES):
        raise Unreadable(f"Unknown suffix; known: {', '.join(LIBRARY_SUFFIXES)}.")
    form = format_of(Path(name))
    return _LIBRARIES[form](text.decoded(data, "utf-8"), READERS[form].namespace)


def _check(reader: Reader, request: ImportRequest) -> None:
    columns = request.columns
    known = ", ".join(reader.resources)
    if request.namespace and not _NAMESPACE.fullmatch(request.namespace):
        raise Unreadable(
            "A namespace must be a lower-case letter and at most 39 more letters, digits, dots and"
            f" hyphens, not {request.namespace!r}."
        )
    if reader.resources and request.resource not in {None, *reader.resources}:
        raise Unreadable(f"A {reader.name} file can hold {known}; not {request.resource}.")
    if reader.mixed and request.resource:
        raise Unreadable(f"A {reader.name} file holds {known}; --resource does not apply.")
    if len(reader.resources) > 1 and not reader.mixed and request.resource is None:
        raise Unreadable(f"Give the resource of the rows with --resource: {known}.")
    others = {k: v for k, v in columns.constants.items() if k not in reader.constants}
    described = replace(columns, skipped=frozenset(), constants=others)
    if described != Columns() and not reader.takes_columns:
        raise Unreadable(f"A {reader.name} file has no columns to map.")
    if columns.skipped and not reader.takes_skipped:
        raise Unreadable(f"--skip does not apply to {reader.name} files.")


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
    try:
        given = _MappingSchema().load(text.json_file(mapping) if mapping else {})
    except ValidationError:
        raise Unreadable(
            f"{mapping} must be an object with map and set (objects of strings) and skip (a list of"
            " strings)."
        ) from None
    return Columns(
        {**given["map"], **_pairs("--map", maps, last=True)},
        frozenset({*given["skip"], *skipped}),
        {**given["set"], **_pairs("--set", constants, last=False)},
        _delimiter(delimiter),
    )


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
