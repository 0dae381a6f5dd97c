"""Read CSV: one row for each figure, piece of evidence or claim."""

import csv
from collections.abc import Iterator, Sequence

from hksz_db.exchange.csv_out import FORMULA_STARTS
from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.cells import body, fields_of, read_only_columns
from hksz_db.exchange.readers.entries import (
    Entries,
    ImportEntry,
    Unreadable,
    unreadable,
    with_external_id,
)
from hksz_db.exchange.readers.requests import Columns, ImportRequest

_DELIMITERS = ",;\t|"


def read(request: ImportRequest) -> Entries:
    """Read the rows of a table whose first line names its columns, one in memory at a time.

    Empty cells are ignored. Raises ``Unreadable``.
    """
    resource = request.resource
    assert resource is not None
    lines = _Lines(request)
    rows = csv.reader(lines, delimiter=_delimiter(request), strict=True)
    header = _header(rows, lines)
    targets = _targets(header, resource, request.columns)
    while True:
        number = lines.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except (csv.Error, _BadLine) as error:
            detail = str(error).rstrip(".")
            yield unreadable(number, resource, f"{detail[:1].upper()}{detail[1:]}.")
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            detail = f"The row has {len(cells)} cells, but the header only {len(header)}."
            yield unreadable(number, resource, detail)
        else:
            filled = {
                target: _unescaped(cell.strip())
                for cell, target in zip(cells, targets, strict=False)
                if target is not None and cell.strip()
            }
            given = {**request.columns.constants, **filled}
            row_id = given.get("id")
            item = with_external_id(body(resource, given), row_id, request.namespace)
            yield ImportEntry(number, resource, item, row_id=row_id)


class _BadLine(ValueError):
    """A line cannot be read."""


class _Lines(Iterator[str]):
    """The lines of a file for the csv module; counts them."""

    def __init__(self, request: ImportRequest) -> None:
        self.number = 0
        self._lines = text.lines(request.path, request.encoding, newline="")

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        if line.fault:
            raise _BadLine(line.fault)
        return line.text


def _delimiter(request: ImportRequest) -> str:
    if request.columns.delimiter is not None:
        return request.columns.delimiter
    first = next(text.lines(request.path, request.encoding, newline=""), None)
    header = first.text if first else ""
    # The most frequent delimiter outside of quotes.
    return max(_DELIMITERS, key="".join(header.split('"')[::2]).count)


def _header(rows: Iterator[list[str]], lines: _Lines) -> list[str]:
    try:
        header = [cell.strip() for cell in next(rows, [])]
    except (csv.Error, _BadLine) as error:
        raise Unreadable(f"Line {lines.number}: {error}") from None
    if not any(header):
        raise Unreadable("The file has no header that names its columns.")
    if duplicates := _duplicates(header):
        raise Unreadable(f"The header has columns twice: {duplicates}.")
    return header


def _targets(header: Sequence[str], resource: str, columns: Columns) -> list[str | None]:
    """The field of each column, or None for skipped columns."""
    if absent := {*columns.mapped, *columns.skipped} - set(header):
        raise Unreadable(f"The header has no such columns: {_listed(sorted(absent))}.")
    targets = [
        None if name in columns.skipped else columns.mapped.get(name, name) for name in header
    ]
    known = fields_of(resource)
    unknown = [
        f"{name} (mapped to {target})" if target != name else name
        for name, target in zip(header, targets, strict=True)
        if target not in {None, *known, *read_only_columns(resource)}
    ]
    if unknown:
        raise Unreadable(
            f"These columns are not fields of {resource}: {_listed(unknown)}. Use --map"
            f" COLUMN=FIELD or --skip COLUMN; the fields are {', '.join(known)}."
        )
    if wrong := columns.constants.keys() - known.keys():
        raise Unreadable(f"Not fields of {resource}: {_listed(sorted(wrong))}.")
    given = [target for target in targets if target is not None]
    if duplicates := _duplicates([*given, *columns.constants]):
        raise Unreadable(f"Given by more than one column: {duplicates}.")
    return targets


def _duplicates(names: Sequence[str]) -> str:
    return _listed(sorted({name for name in names if names.count(name) > 1}))


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:60] or "(a column without a name)" for name in names)


def _unescaped(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from evaluating it."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(FORMULA_STARTS) else cell
