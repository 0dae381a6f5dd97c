"""CSV: a row for each figure, each piece of evidence, each claim."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from hksz_db.domain.errors import Fault
from hksz_db.exchange.readers import text
from hksz_db.exchange.readers.cells import body, fields_of, shown_of
from hksz_db.exchange.readers.columns import Columns
from hksz_db.exchange.readers.entries import Entries, Entry, Unreadable
from hksz_db.exchange.readers.naming import named_by_content

_DELIMITERS = ",;\t|"
_FORMULA = tuple("=+-@\t\r\n＝＋－＠")  # noqa: RUF001 - full-width on purpose


def read(
    path: Path,
    resource: str,
    columns: Columns,
    namespace: str,
    encoding: str = "utf-8",
) -> Entries:
    """The rows of a table whose first line names its columns, one in memory at a time.

    An empty cell says nothing. A row without an ``external_id`` gets one that follows from what
    it says. Raises ``Unreadable``.
    """
    source = _Lines(path, encoding)
    rows = csv.reader(source, **_dialect(path, columns, encoding))
    header = _header(rows, source)
    targets = _targets(header, resource, columns)
    while True:
        first = source.number + 1
        try:
            cells = next(rows)
        except StopIteration:
            return
        except (csv.Error, _BadLine) as error:
            yield _failing(
                first, resource, f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}."
            )
            continue
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) > len(header):
            detail = f"The row has {len(cells)} cells and the header {len(header)}."
            yield _failing(first, resource, detail)
            continue
        yield _entry(first, cells, targets, resource, columns, namespace)


class _BadLine(ValueError):
    """A line that cannot be read."""


class _Lines(Iterator[str]):
    """The lines of a file for the csv module, and how many there were."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.number = 0
        self._lines = text.lines(path, encoding, newline="")

    def __next__(self) -> str:
        line = next(self._lines)
        self.number = line.number
        if line.fault:
            raise _BadLine(line.fault)
        return line.text


def _dialect(path: Path, columns: Columns, encoding: str) -> dict[str, Any]:
    if columns.delimiter is not None:
        return {"delimiter": columns.delimiter, "strict": True}
    first = next(text.lines(path, encoding, newline=""), None)
    header = first.text if first else ""
    # The one that stands in the header most often, outside of quotes.
    bare = "".join(header.split('"')[::2])
    return {"delimiter": max(_DELIMITERS, key=bare.count), "strict": True}


def _header(rows: Iterator[list[str]], source: _Lines) -> list[str]:
    try:
        header = [cell.strip() for cell in next(rows, [])]
    except (csv.Error, _BadLine) as error:
        raise Unreadable(f"Line {source.number}: {error}") from None
    if not any(header):
        raise Unreadable("The file has no header that names its columns.")
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        raise Unreadable(f"The header has columns twice: {_listed(twice)}.")
    return header


def _targets(header: Sequence[str], resource: str, columns: Columns) -> list[str | None]:
    """The field of each column, ``None`` for those that mean nothing."""
    absent = sorted({*columns.mapped, *columns.skipped} - set(header))
    if absent:
        raise Unreadable(f"The header has no such columns: {_listed(absent)}.")
    targets = [
        None if name in columns.skipped else columns.mapped.get(name, name) for name in header
    ]
    known, shown = fields_of(resource), shown_of(resource)
    unknown = [
        f"{name} (mapped to {target})" if target != name else name
        for name, target in zip(header, targets, strict=True)
        if target is not None and target not in known and target not in shown
    ]
    if unknown:
        raise Unreadable(
            f"These columns are no fields of {resource}: {_listed(unknown)}. Give --map"
            f" COLUMN=FIELD or --skip COLUMN; the fields are {', '.join(known)}."
        )
    if wrong := sorted(columns.constants.keys() - known.keys()):
        raise Unreadable(f"No fields of {resource}: {_listed(wrong)}.")
    given = [target for target in targets if target is not None] + list(columns.constants)
    if twice := sorted({target for target in given if given.count(target) > 1}):
        raise Unreadable(f"Given by more than one column: {_listed(twice)}.")
    return targets


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:60] or "(a column without a name)" for name in names)


def _entry(
    number: int,
    cells: Sequence[str],
    targets: Sequence[str | None],
    resource: str,
    columns: Columns,
    namespace: str,
) -> Entry:
    given = {**columns.constants}
    given |= {
        target: _unescaped(cell.strip())
        for cell, target in zip(cells, targets, strict=False)
        if target is not None and cell.strip()
    }
    item = body(resource, given)
    row_id = given.get("id")
    if row_id is not None and "external_id" not in item:
        item["external_id"] = f"{namespace}:{row_id}"
    item = named_by_content(item, namespace)
    return Entry(number, resource, item, row_id=row_id, unit="line")


def _unescaped(cell: str) -> str:
    """The cell without the apostrophe that keeps a spreadsheet from taking it for a formula."""
    return cell[1:] if cell.startswith("'") and cell[1:].startswith(_FORMULA) else cell


def _failing(number: int, resource: str, detail: str) -> Entry:
    return Entry(number, resource, faults=(Fault("invalid", detail, "#"),), unit="line")
