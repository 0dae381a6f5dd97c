"""Tables: every field has columns, and CSV and Parquet agree."""

import csv
import io
from datetime import UTC, date, datetime
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet

from hksz_db.database import Database
from hksz_db.exchange.exporting import read_export
from hksz_db.exchange.tables import FORMULA_STARTS, ColumnType, columns, columns_of, statement
from hksz_db.queries.registry import RESOURCES
from tests.exchange.conftest import Documents, Exported, Write, rows_of


def _rows(data: bytes) -> list[dict[str, str]]:
    text = data.decode()
    assert "\r\n" in text
    return list(csv.DictReader(io.StringIO(text, newline=""), strict=True))


def _table(data: bytes) -> pa.Table:
    return parquet.read_table(pa.BufferReader(data))


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_field_of_a_document_has_a_column(resource: str) -> None:
    readable = RESOURCES[resource]
    read = {column.path[0] for column in columns(resource)}
    assert set(readable.fields) <= read <= set(readable.document)
    names = [column.name for column in columns(resource)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("resource", RESOURCES)
def test_every_cell_has_the_value_in_the_document(
    resource: str, seeded: Database, documents: Documents
) -> None:
    wanted = read_export(resource, [("format", "csv")])
    found = columns_of(wanted.shape)
    assert found == columns(resource)
    rows = list(seeded.stream(statement(wanted.shape), wanted.values))
    assert rows == list(rows_of("csv", resource, documents(resource)))
    for column, values in zip(found, zip(*rows, strict=True), strict=True):
        are_lists = {isinstance(value, list) for value in values}
        assert are_lists == {column.type is ColumnType.LIST}, column.name


def test_only_requested_fields_have_columns() -> None:
    given = [("format", "csv"), ("select", "id,claimant")]
    found = columns_of(read_export("claims", given).shape)
    names = [column.name for column in found]
    assert names == ["id", "claimant_id", "claimant_external_id", "claimant", "claimant_kind"]


def test_a_figure_is_a_row(exported: Exported) -> None:
    (row,) = (
        row
        for row in _rows(exported("figures", "csv"))
        if row["external_id"] == "hksz:ttps-approved-2023-figure"
    )
    known = {
        "claim_external_id": "hksz:ttps-approved-2023",
        "metric_key": "ttps-approved",
        "subject": "Top Talent Pass Scheme",
        "as_stated": "over 47,000",
        "comparator": "gt",
        "amount": "47000",
        "upper_bound": "",
        "value_range_lower": "47001",
        "value_range_lower_inclusive": "true",
        "value_range_upper": "",
        "plausible_range_upper": "47999",
        "period_edtf": "2023",
        "period_earliest": "2023-01-01",
        "period_latest": "2023-12-31",
        "version": "1",
    }
    assert {name: row[name] for name in known} == known


def test_a_claim_has_columns_for_its_parts(exported: Exported) -> None:
    (row,) = _rows(exported("claims", "csv", ("external_id", "hksz:ttps-approved-2023")))
    assert row["claimant"] == "Tan Yifan"
    assert row["figures_as_stated"] == "over 47,000"
    assert row["evidence_stance"].split("; ").count("asserts") == 1
    assert row["corroboration_verdict"] == "confirmed_by_party"
    assert row["corroboration_for_origins"] == "2"


@pytest.mark.parametrize("start", list(FORMULA_STARTS))
def test_formulas_are_escaped(start: str, written: Write) -> None:
    (row,) = _rows(written("metrics", "csv", [_metric(label=f"{start}HYPERLINK(1)")]))
    assert row["label"] == f"'{start}HYPERLINK(1)"


@pytest.mark.parametrize("text", ["plain", "5 - 3", "a=b", " =1", "'quoted", "-"])
def test_other_text_is_not_escaped(text: str, written: Write) -> None:
    (row,) = _rows(written("metrics", "csv", [_metric(label=text)]))
    assert row["label"] == ("'-" if text == "-" else text)


@pytest.mark.parametrize(
    ("number", "cell"), [("-5", "-5"), ("-0.50", "-0.50"), ("7", "7"), ("-5+1", "'-5+1")]
)
def test_numbers_are_not_escaped(number: str, cell: str, written: Write) -> None:
    (row,) = _rows(written("units", "csv", [_unit(factor=number)]))
    assert row["factor"] == cell


def test_text_that_looks_like_a_number_is_escaped(written: Write) -> None:
    (row,) = _rows(written("units", "csv", [_unit(label="-5")]))
    assert row["label"] == "'-5"


@pytest.mark.parametrize("text", ['a "b" c', "a,b", "a\nb", "a\r\nb", "a;b", "深圳 é"])
def test_cells_survive_a_round_trip(text: str, written: Write) -> None:
    (row,) = _rows(written("metrics", "csv", [_metric(label=text)]))
    assert row["label"] == text


def test_csv_has_crlf_and_no_byte_order_mark(exported: Exported) -> None:
    data = exported("units", "csv")
    assert data.startswith(b"id,external_id,code")
    assert data.count(b"\r\n") == data.count(b"\n") == len(_rows(data)) + 1


def test_parquet_has_types(exported: Exported) -> None:
    schema = _table(exported("figures", "parquet")).schema
    assert schema.field("amount").type == pa.string()
    assert schema.field("period_earliest").type == pa.date32()
    assert schema.field("created_at").type == pa.timestamp("us", tz="UTC")
    assert schema.field("value_range_lower_inclusive").type == pa.bool_()
    assert schema.field("version").type == pa.int64()
    claims = _table(exported("claims", "parquet")).schema
    assert claims.field("topics").type == pa.list_(pa.string())


@pytest.mark.parametrize("resource", RESOURCES)
def test_parquet_equals_csv(resource: str, exported: Exported) -> None:
    rows = _rows(exported(resource, "csv"))
    table = _table(exported(resource, "parquet"))
    assert table.column_names == list(rows[0])
    for row, typed in zip(rows, table.to_pylist(), strict=True):
        assert {name: _as_text(value) for name, value in typed.items()} == {
            name: cell.removeprefix("'") for name, cell in row.items()
        }


def _as_text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(value).lower()
        case list():
            return "; ".join(value)
        case datetime():
            return f"{value.astimezone(UTC):%Y-%m-%dT%H:%M:%S.%f}Z"
        case date():
            return value.isoformat()
    return str(value)


def test_parquet_is_written_in_row_groups(written: Write) -> None:
    made = [_metric(key=str(number)) for number in range(12_001)]
    file = parquet.ParquetFile(pa.BufferReader(written("metrics", "parquet", made)))
    groups = [file.metadata.row_group(n).num_rows for n in range(file.num_row_groups)]
    assert groups == [5000, 5000, 2001]
    assert file.read(["key"]).column("key").to_pylist() == [row["key"] for row in made]


METRIC = {
    "id": "1",
    "external_id": None,
    "key": "k",
    "label": "l",
    "dimension": "count",
    "accumulation": "flow",
    "nonnegative": True,
    "description": None,
    "measure": "level",
    "holds_for": None,
    "version": 1,
    "created_at": "2024-01-24T08:00:00.000000Z",
    "updated_at": "2024-01-24T08:00:00.000001Z",
}


def _metric(**changed: str) -> dict[str, Any]:
    return {**METRIC, **changed}


def _unit(**changed: str) -> dict[str, Any]:
    return {**METRIC, "code": "c", "factor": "1", **changed}
