"""The formats in which rows come in: the registry, and what a file is by its name."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from hksz_db.exchange.readers import bibtex, csl, lines, ris, tables
from hksz_db.exchange.readers.cells import TABLED
from hksz_db.exchange.readers.columns import Columns
from hksz_db.exchange.readers.entries import Entries, Unreadable

_NAMESPACE = re.compile(r"[a-z][a-z0-9.-]{0,39}")


@dataclass(frozen=True)
class Wanted:
    """How a file is to be read.

    ``namespace`` is that of the external ids that are made; the usual one of the format where
    it is empty. ``columns`` are for tables; of documents, its ``skipped`` fields are left out.
    """

    path: Path
    format: str
    resource: str | None = None
    namespace: str = ""
    encoding: str = "utf-8"
    columns: Columns = field(default_factory=Columns)


@dataclass(frozen=True)
class Reader:
    """A format: how its files end, the usual namespace, and what reads it.

    ``resources`` are those that it can hold, the only one unless a caller has to say which.
    """

    name: str
    suffixes: tuple[str, ...]
    namespace: str
    read: Callable[[Wanted], Entries]
    resources: tuple[str, ...] = ("sources",)
    takes_columns: bool = False
    takes_skipped: bool = False


def _csl(wanted: Wanted) -> Entries:
    return csl.read(wanted.path, wanted.namespace, wanted.encoding)


def _bibtex(wanted: Wanted) -> Entries:
    return bibtex.read(wanted.path, wanted.namespace, wanted.encoding)


def _ris(wanted: Wanted) -> Entries:
    return ris.read(wanted.path, wanted.namespace, wanted.encoding)


def _csv(wanted: Wanted) -> Entries:
    assert wanted.resource is not None
    return tables.read(
        wanted.path, wanted.resource, wanted.columns, wanted.namespace, wanted.encoding
    )


def _ndjson(wanted: Wanted) -> Entries:
    skipped = wanted.columns.skipped
    return lines.read(wanted.path, wanted.resource, wanted.namespace, wanted.encoding, skipped)


READERS = {
    reader.name: reader
    for reader in (
        Reader("csl-json", (".json",), "zotero", _csl),
        Reader("bibtex", (".bib", ".bibtex", ".biblatex"), "bibtex", _bibtex),
        Reader("ris", (".ris",), "ris", _ris),
        Reader("csv", (".csv", ".tsv"), "csv", _csv, TABLED, True, True),
        Reader("ndjson", (".ndjson", ".jsonl"), "ndjson", _ndjson, (), takes_skipped=True),
    )
}


def format_of(path: Path) -> str:
    """The format of a file by the end of its name. Raises ``Unreadable``."""
    suffix = path.suffix.lower()
    for reader in READERS.values():
        if suffix in reader.suffixes:
            return reader.name
    known = ", ".join(s for reader in READERS.values() for s in reader.suffixes)
    raise Unreadable(f"The name does not end as one of {known}: say what it is, with --format.")


def entries(wanted: Wanted) -> Entries:
    """The entries of a file, as they are read. Raises ``Unreadable``, also while they are."""
    reader = READERS[wanted.format]
    _check(reader, wanted)
    settled = Wanted(
        wanted.path,
        wanted.format,
        wanted.resource,
        wanted.namespace or reader.namespace,
        wanted.encoding,
        wanted.columns,
    )
    return reader.read(settled)


def _check(reader: Reader, wanted: Wanted) -> None:
    columns = wanted.columns
    if wanted.namespace and not _NAMESPACE.fullmatch(wanted.namespace):
        raise Unreadable(
            "A namespace is a lower-case letter, and at most 39 more letters, digits, dots and"
            f" hyphens: {wanted.namespace!r} is none."
        )
    if reader.resources and wanted.resource not in {None, *reader.resources}:
        raise Unreadable(f"A file of {reader.name} holds {' or '.join(reader.resources)}.")
    if len(reader.resources) > 1 and wanted.resource is None:
        raise Unreadable(
            f"Say of what the rows are, with --resource: {', '.join(reader.resources)}."
        )
    if (columns.mapped or columns.constants or columns.delimiter) and not reader.takes_columns:
        raise Unreadable(f"A file of {reader.name} has no columns to map.")
    if columns.skipped and not reader.takes_skipped:
        raise Unreadable(f"Nothing of a file of {reader.name} can be skipped.")
