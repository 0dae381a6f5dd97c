"""Tables as spreadsheets write them."""

from collections.abc import Callable
from pathlib import Path

import pytest

from hksz_db.exchange.readers.entries import Columns, ImportEntry, ImportRequest
from hksz_db.exchange.reading import entries, format_of

Read = Callable[..., list[ImportEntry]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """``read(content, **columns)`` are the entries of a table."""

    def read(content: str, name: str = "a.csv", resource: str = "units", **columns) -> list:
        path = tmp_path / name
        path.write_bytes(content.encode())
        request = ImportRequest(path, format_of(path), resource, columns=Columns(**columns))
        return list(entries(request))

    return read


def labels(found: list[ImportEntry]) -> list[object]:
    return [entry.item["label"] if entry.item else None for entry in found]


def faults(entry: ImportEntry) -> str:
    return "; ".join(fault.detail for fault in entry.faults)


def test_blank_columns_and_cells_are_ignored(read: Read) -> None:
    found = read("code,label,,\nHKD,dollar,,\nJPY,yen\nGBP,pound,,,,\n,,,\n")
    assert labels(found) == ["dollar", "yen", "pound"]
    assert [entry.warnings for entry in found] == [()] * 3


def test_cells_of_columns_without_a_name_are_reported(read: Read) -> None:
    (found,) = read(",code,label\n0,HKD,dollar\n")
    assert labels([found]) == ["dollar"]
    assert found.warnings == ("not kept: the cell in column 1, which has no name",)


@pytest.mark.parametrize(
    "broken", ["about\nfive", "about\r\nfive", "about\tfive", " about \n\n five\t"]
)
def test_line_breaks_and_tabs_in_cells_are_white_space(read: Read, broken: str) -> None:
    found = read(f'code,label\nHKD,"{broken}"\nJPY,yen\n')
    assert labels(found) == ["about five", "yen"]
    assert found[1].number == 3 + broken.count("\n")


@pytest.mark.parametrize("cell", ["NA", "N/A", "#N/A", "#DIV/0!", "NULL"])
def test_a_cell_that_may_stand_for_a_missing_value_has_a_warning(read: Read, cell: str) -> None:
    (found,) = read(f"code,label\nHKD,{cell}\n")
    assert labels([found]) == [cell]
    warning = f"kept as text, may stand for a missing value: {cell} in label"
    assert found.warnings == (warning,)


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;"])
def test_the_delimiter_may_be_declared(read: Read, first: str) -> None:
    found = read(f"{first}\r\ncode;label\r\nHKD;dollar, dollars, dollars\r\n")
    assert labels(found) == ["dollar, dollars, dollars"]
    assert found[0].number == 3


def test_a_tab_may_be_declared(read: Read) -> None:
    assert labels(read("sep=\t\ncode\tlabel\nHKD\tdollar\n")) == ["dollar"]
    assert labels(read("sep=\\t\ncode\tlabel\nHKD\tdollar\n")) == ["dollar"]


def test_a_stray_quote_fails_its_row_only(read: Read) -> None:
    found = read(
        'external_id\tcode\tlabel\nd:a\tA\tThe first\nd:b\tB\t"We built 40,000 homes\n'
        'd:c\tC\tThe budget "doubled" in a year\nd:d\tD\tThe last\n',
        "a.tsv",
    )
    assert [entry.number for entry in found] == [2, 3, 4, 5]
    assert labels(found) == ["The first", None, 'The budget "doubled" in a year', "The last"]


def test_a_quote_that_is_never_closed_fails_its_row_only(read: Read) -> None:
    rows = "".join(f"C{number},label {number}\n" for number in range(10_000))
    found = read(f'code,label\nHKD,"dollar\n{rows}')
    assert len(found) == 10_001
    assert [bool(entry.faults) for entry in found[:3]] == [True, False, False]


@pytest.mark.parametrize("header", ["external_id,code,label", "code,label,external_id"])
def test_a_quote_that_a_later_quote_closes_swallows_no_row(read: Read, header: str) -> None:
    values = [
        {"external_id": "d:a", "code": "A", "label": '"homes'},
        {"external_id": "d:b", "code": "B", "label": "flats"},
        {"external_id": "d:c", "code": "C", "label": 'homes"'},
    ]
    names = header.split(",")
    rows = "".join(",".join(row[name] for name in names) + "\n" for row in values)
    found = read(f"{header}\n{rows}")
    assert [entry.number for entry in found] == [2, 3, 4]
    assert found[0].faults
    assert labels(found[1:]) == ["flats", 'homes"']


def test_cells_of_several_lines_with_delimiters_are_read(read: Read) -> None:
    found = read('external_id,code,label\nd:a,A,"one, two\nthree, four, five"\nd:b,B,"\n"\n')
    assert found[0].item
    assert found[0].item["label"] == "one, two three, four, five"
    assert [entry.faults for entry in found] == [(), ()]


def test_lines_of_a_row_with_too_many_cells_are_reported(read: Read) -> None:
    (found,) = read('code,label\nHKD,"a\nb",c\n')
    assert faults(found) == "The row of 2 lines has 3 cells, but the header only 2."


def test_quotes_can_be_text(read: Read) -> None:
    found = read('code\tlabel\nHKD\t"dollar\nJPY\t"yen"\n', "a.tsv", has_quotes=False)
    assert labels(found) == ['"dollar', '"yen"']


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("12,5", "12.5"),
        ("1.234,5", "1234.5"),
        ("1.234.567", "1234567"),
        ("-1 234,5", "-1234.5"),
        ("1'234,5", "1234.5"),
        ("47000", "47000"),
        # These are no numbers, so they are refused later.
        ("1.5", "1,5"),
        ("1,234.5", "1.234,5"),
    ],
)
def test_numbers_can_have_a_decimal_comma(read: Read, written: str, amount: str) -> None:
    table = f"as_stated;amount\n12,5 units;{written}\n"
    (found,) = read(table, resource="figures", decimal=",")
    assert found.item
    assert (found.item["amount"], found.item["as_stated"]) == (amount, "12,5 units")


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1,234.5", "1234.5"),
        ("1,234,567", "1234567"),
        ("-1 234.5", "-1234.5"),
        ("1.5", "1.5"),
        ("47000", "47000"),
        # These are no numbers, so they are refused later.
        ("1,5", "1,5"),
        ("1.234,5", "1.234,5"),
    ],
)
def test_numbers_can_have_separators_of_thousands(read: Read, written: str, amount: str) -> None:
    table = f"as_stated;amount\n1,200 units;{written}\n"
    (found,) = read(table, resource="figures", decimal=".")
    (as_it_stands,) = read(table, resource="figures")
    assert found.item
    assert as_it_stands.item
    assert (found.item["amount"], found.item["as_stated"]) == (amount, "1,200 units")
    assert as_it_stands.item["amount"] == written


@pytest.mark.parametrize(
    ("written", "edtf", "warning"),
    [
        ("2023-05-07", "2023-05-07", None),
        ("2010~", "2010~", None),
        ("2023/05/07", "2023-05-07", "read as 2023-05-07: 2023/05/07 in period_edtf"),
        ("2023-1-1", "2023-01-01", "read as 2023-01-01: 2023-1-1 in period_edtf"),
        ("20230507", "2023-05-07", "read as 2023-05-07: 20230507 in period_edtf"),
        (
            "2023-05-07 00:00:00",
            "2023-05-07",
            "read as 2023-05-07: 2023-05-07 00:00:00 in period_edtf",
        ),
        ("2023年5月", "2023-05", "read as 2023-05: 2023年5月 in period_edtf"),
        ("2023/24", "2023/2024", "read as 2023/2024: 2023/24 in period_edtf"),
        (
            "2023-24",
            "2023-24",
            "read as a season, may be a range of years: 2023-24 in period_edtf",
        ),
        ("2023-21", "2023-21", None),
        # These are refused later.
        ("07/05/2023", "07/05/2023", None),
        ("45053", "45053", None),
        ("May-23", "May-23", None),
    ],
)
def test_dates_of_spreadsheets_are_read(
    read: Read, written: str, edtf: str, warning: str | None
) -> None:
    (found,) = read(f"as_stated,period_edtf\nx,{written}\n", resource="figures")
    assert found.item
    assert found.item["period_edtf"] == edtf
    assert found.warnings == ((warning,) if warning else ())


def test_an_id_that_is_given_twice_is_refused(read: Read) -> None:
    found = read("external_id,code,label\nd:a,A,one\nd:b,B,two\nd:a,C,three\n")
    assert labels(found) == ["one", "two", None]
    assert faults(found[2]) == "The file has d:a twice, first at line 2."


def test_the_markup_of_titles_is_removed(read: Read) -> None:
    (found,) = read("csl_type,title\nbook,H<sub>2</sub>O &amp; more\n", resource="sources")
    assert found.item
    assert found.item["title"] == "H2O & more"
