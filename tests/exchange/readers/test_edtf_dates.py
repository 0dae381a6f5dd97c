"""Dates as programs and people write them."""

import pytest

from hksz_db.exchange.readers.edtf_dates import certain_year, from_parts, from_text, valid


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
        ("二零二三年十月二十一日", "2023-10-21"),
        ("二\u3007二三年", "2023"),
        ("2023年10月21日(星期六)", "2023-10-21"),
        ("2023年10月至12月", "2023-10/2023-12"),
        ("2023年12月至2024年2月", "2023-12/2024-02"),
        ("2023年1月1日至3月31日", "2023-01-01/2023-03-31"),
        ("2022至2023年", "2022/2023"),
        ("2022-23年度", "2022/2023"),
        ("2023年春季", "2023-21"),
        ("約2023年", "2023~"),
        ("Saturday, 21 October 2023", "2023-10-21"),
        ("c. 1999", "1999~"),
        ("circa May 1999", "1999-05~"),
        ("[1999]", "1999"),
        ("1990s", "199X"),
        ("20200506", "2020-05-06"),
        ("202005", "2020-05"),
        # Years of two halves, and ranges of years.
        ("2023-24", "2023/2024"),
        ("2023/24", "2023/2024"),
        ("2023\u201324", "2023/2024"),
        ("2020-21", "2020/2021"),
        ("1999-00", "1999/2000"),
        ("2017-21", "2017/2021"),
        ("2010-13", "2010/2013"),
        # A month or a year: the range has both.
        ("2010/11", "2010/2011"),
        ("2010-11", "2010-11"),
        ("2010/05", "2010-05"),
        # A winter is named by the year in which it begins.
        ("Winter 2019", "2019-24"),
        ("Winter 2019/2020", "2019-24"),
        ("winter of 2019-20", "2019-24"),
        ("2019/20 Winter", "2019-24"),
        ("FEB-MAR 2019", "2019-02/2019-03"),
        ("Sep.\u2013Oct. 2013", "2013-09/2013-10"),
        ("September / October 2011", "2011-09/2011-10"),
        ("2020 Jan-Feb", "2020-01/2020-02"),
        ("Spring/Summer 2020", "2020-21/2020-22"),
        ("Dec 2019-Jan 2020", "2019-12/2020-01"),
        ("1-3 May 2019", "2019-05-01/2019-05-03"),
        ("May 1-3, 2019", "2019-05-01/2019-05-03"),
        ("30 May - 2 June 2019", "2019-05-30/2019-06-02"),
        ("2019 May 1-3", "2019-05-01/2019-05-03"),
        ("2017-21/2017-22", "2017-21/2017-22"),
        ("2017-23/2018-21", "2017-23/2018-21"),
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
        "2020-",
        "in press",
        "forthcoming 2025?",
        # Ambiguous.
        "01/02/2024",
        "2020/2019",
        "2020-21/2021-22",
        "Dec-Jan 2019",
        # A day, or the second of two months.
        "2020-02/03",
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
        "二" * 50_000 + "月",
    ],
)
def test_ambiguous_or_invalid_date_is_none(written: str) -> None:
    assert from_text(written) is None


@pytest.mark.parametrize(
    ("written", "year"),
    [
        ("2020a", "2020"),
        ("01/02/2024", "2024"),
        ("30 February 2020", "2020"),
        ("Dec-Jan 2019", "2019"),
        ("Hilary term 2019", "2019"),
        ("2020-02/03", "2020"),
        ("2023年度", "2023"),
        ("二零二三年第一季度", "2023"),
        ("2023年前", None),
        ("1997年至今", None),
        ("forthcoming 2025", None),
        ("about 2025?", None),
        ("2020-", "2020"),
        ("before 1999", None),
        ("2019 or 2020", None),
        ("2023-24 annual", None),
        ("accessed 2020", None),
        ("12345", None),
        ("in press", None),
    ],
)
def test_only_a_certain_year_is_taken(written: str, year: str | None) -> None:
    assert from_text(written) is None
    assert certain_year(written) == year


def test_long_texts_are_read_at_once() -> None:
    assert certain_year(" " * 50_000 + "2023年前") is None
    assert certain_year("一" * 50_000 + "月2023年") == "2023"


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
