"""The formats of each resource, and how truncated files are detected."""

import csv
import io
import json
from typing import Any

import pyarrow as pa
import pytest
from bibtexparser.entrypoint import parse_string
from pyarrow import parquet

from hksz_db.exchange import exporting, tables
from hksz_db.exchange.exporting import FORMATS, formats_for, read_export, written
from hksz_db.queries.registry import RESOURCES
from tests.exchange.conftest import Documents, Exported, rows_of

EVERYWHERE = {"ndjson", "csv", "parquet"}
MORE = {
    "sources": {"jsonld", "csl-json", "bibtex"},
    "claims": {"jsonld", "claimreview", "web-annotation", "csl-json", "bibtex"},
    "entities": {"jsonld"},
}
OF_SOURCES = {"csl-json", "bibtex"}


@pytest.mark.parametrize("resource", RESOURCES)
def test_formats_of_each_resource(resource: str) -> None:
    known = formats_for(RESOURCES[resource])
    assert set(known) == EVERYWHERE | MORE.get(resource, set())
    assert next(iter(known)) == "ndjson"


def test_media_types_and_suffixes_are_unique() -> None:
    forms = FORMATS.values()
    assert len({form.media_type for form in forms}) == len(forms)
    assert len({form.suffix for form in forms}) == len(forms)


def _read(form: str, data: bytes) -> list[Any]:
    """Read the data strictly; truncated data is an error."""
    match form:
        case "ndjson":
            assert not data or data.endswith(b"\n")
            return [json.loads(line) for line in data.splitlines()]
        case "csv":
            return list(csv.reader(io.StringIO(data.decode(), newline=""), strict=True))[1:]
        case "parquet":
            return parquet.read_table(pa.BufferReader(data)).to_pylist()
        case "jsonld" | "claimreview" | "web-annotation":
            return json.loads(data)["@graph"]
        case "csl-json":
            return json.loads(data)
        case "bibtex":
            library = parse_string(data.decode())
            assert not library.failed_blocks
            return library.entries
    raise AssertionError(form)


def _items(form: str, row: dict[str, Any]) -> int:
    """How many items of the format the row becomes."""
    match form:
        case "claimreview":
            return sum(passage["rating_as_stated"] is not None for passage in row["evidence"])
        case "web-annotation":
            return sum(passage["start_char"] is not None for passage in row["evidence"])
    return 1


def test_every_row_is_exported(
    resource_and_form: tuple[str, str], exported: Exported, documents: Documents
) -> None:
    resource, form = resource_and_form
    rows = documents(resource)
    if resource == "claims" and form in OF_SOURCES:
        rows = [*{source["id"]: source for row in rows for source in row["sources"]}.values()]
    assert len(_read(form, exported(resource, form))) == sum(_items(form, row) for row in rows)
    assert rows


def test_empty_export_is_valid(resource_and_form: tuple[str, str], exported: Exported) -> None:
    resource, form = resource_and_form
    nothing = exported(resource, form, ("external_id", "test:nothing"))
    assert _read(form, nothing) == []


def _with_one_fact_check(row):
    """A claim with one passage, which has a locator and a rating; another row as it is."""
    if "figures" not in row:
        return row
    located = dict.fromkeys(("start_char", "end_char"), 1)
    reviewed = {"status": "accepted", "rating_as_stated": "False"}
    passages = [{**passage, **located, **reviewed} for passage in row["evidence"][:1]]
    return {**row, "status": "accepted", "evidence": passages}


def _many(lines):
    """Documents with distinct external ids, each of them one item of every format."""
    rows = [_with_one_fact_check(json.loads(line)) for line in lines]
    for n in range(50):
        yield {**rows[n % len(rows)], "external_id": f"test:{n}"}


def _broken(rows):
    yield from rows
    raise RuntimeError("the database is gone")


@pytest.fixture
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exporting, "_CHUNK_BYTES", 1000)
    monkeypatch.setattr(tables, "ROWS_IN_GROUP", 20)
    monkeypatch.setattr(tables, "ROWS_IN_BATCH", 10)


@pytest.mark.usefixtures("_small_chunks")
def test_truncated_file_is_invalid(resource_and_form: tuple[str, str], exported: Exported) -> None:
    resource, form = resource_and_form
    asked = read_export(resource, [("format", form)]).shape
    lines = exported("sources" if form in OF_SOURCES else resource, "ndjson").splitlines()
    rows = list(rows_of(form, resource, _many(lines)))
    assert len(_read(form, b"".join(written(FORMATS[form], asked, iter(rows))))) == 50
    arrived: list[bytes] = []
    with pytest.raises(RuntimeError, match="gone"):
        arrived.extend(written(FORMATS[form], asked, _broken(rows)))
    assert len(arrived) > 1
    with pytest.raises((ValueError, csv.Error, AssertionError, pa.ArrowInvalid)):
        _read(form, b"".join(arrived))


def test_error_before_the_first_chunk_is_raised(resource_and_form: tuple[str, str]) -> None:
    resource, form = resource_and_form
    asked = read_export(resource, [("format", form)]).shape
    with pytest.raises(RuntimeError, match="gone"):
        next(written(FORMATS[form], asked, _broken([])))


def test_long_export_is_sent_in_chunks() -> None:
    wanted = read_export("metrics", [])
    made = 0

    def rows():
        nonlocal made
        for _ in range(1000):
            made += 1
            yield (b'{"key":"%b"}' % (b"x" * 1000),)

    pieces = written(FORMATS["ndjson"], wanted.shape, rows())
    assert 2**16 <= len(next(pieces)) < 2**17
    assert made < 100
    assert max(map(len, pieces)) < 2**17
    assert made == 1000
