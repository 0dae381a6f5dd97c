"""Dates as programs and people write them."""

import pytest

from hksz_db.exchange.readers.edtf_dates import from_parts, from_text, valid


@pytest.mark.parametrize(
    ("written", "edtf"),
    [
        ("2023", "2023"),
        ("2024-01-24", "2024-01-24"),
        ("2024/1/24", "2024-01-24"),
        ("2024.01", "2024-01"),
        ("24 January 2024", "2024-01-24"),
        ("January 24, 2024", "2024-01-24"),
        ("3rd March 2021", "2021-03-03"),
        ("30-Mar-2020", "2020-03-30"),
        ("Sept. 2020", "2020-09"),
        ("2020 Mar 3", "2020-03-03"),
        ("Spring 2019", "2019-21"),
        ("Fall, 2019", "2019-23"),
        ("2024年1月24日", "2024-01-24"),
        ("2024 年 1 月", "2024-01"),
        ("c. 1999", "1999~"),
        ("circa May 1999", "1999-05~"),
        ("[1999]", "1999"),
        ("1990s", "199X"),
        # Some programs write 0 for unknown parts.
        ("2020-00-00", "2020"),
        ("2024-01-24T10:00:00Z", "2024-01-24"),
        ("2010-2012", "2010/2012"),
        ("2010--2012", "2010/2012"),
        ("2010\u20132012", "2010/2012"),
        ("May 2020 to June 2020", "2020-05/2020-06"),
        ("2014-12-31/2015-01-01", "2014-12-31/2015-01-01"),
        ("2014-12-31/", "2014-12-31/"),
        ("../2020", "../2020"),
        ("2017-21", "2017-21"),
        ("2009?", "2009?"),
        ("199X", "199X"),
        ("[2001,2003]", "[2001,2003]"),
    ],
)
def test_date_is_converted(written: str, edtf: str) -> None:
    assert from_text(written) == edtf
    assert valid(edtf) == edtf


@pytest.mark.parametrize(
    "written",
    [
        "",
        "n.d.",
        "in press",
        "forthcoming 2025?",
        # Ambiguous.
        "01/02/2024",
        "2010/11",
        "2010-13",
        "2020-02-30",
        "30 February 2020",
        "-0333",
        "0000",
        "99999",
        "2015/2014",
        "2015/2016/2017",
        "Smarch 2020",
        "c. long ago",
        "x" * 5000,
        "9" * 5000,
    ],
)
def test_ambiguous_or_invalid_date_is_none(written: str) -> None:
    assert from_text(written) is None


@pytest.mark.parametrize(
    ("parts", "circa", "edtf"),
    [
        ([2020], False, "2020"),
        ([2020, 5], True, "2020-05~"),
        ([2020, 5, 12], False, "2020-05-12"),
        ([2017, 13], False, "2017-21"),
        ([2017, 24], False, "2017-24"),
        ([2017, 0, 0], False, "2017"),
        ([2017, 17], False, None),
        ([2017, 13, 2], False, None),
        ([2017, 2, 30], False, None),
        ([0], False, None),
        ([-44, 3, 15], False, None),
        ([10000], False, None),
    ],
)
def test_date_from_parts(parts: list[int], circa: bool, edtf: str | None) -> None:
    assert from_parts(parts, circa) == edtf
