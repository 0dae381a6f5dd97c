"""EDTF expressions and the days they may cover."""

from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hksz_db.chronology import InvalidDate, Period, parse


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2024-01-24", date(2024, 1, 24), date(2024, 1, 24)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2023-12", date(2023, 12, 1), date(2023, 12, 31)),
        ("2023", date(2023, 1, 1), date(2023, 12, 31)),
        ("0001", date(1, 1, 1), date(1, 12, 31)),
        ("9999", date(9999, 1, 1), date(9999, 12, 31)),
        ("2024?", date(2023, 1, 1), date(2025, 12, 31)),
        ("2010~", date(2009, 1, 1), date(2011, 12, 31)),
        ("201X", date(2010, 1, 1), date(2019, 12, 31)),
        ("2023/2024", date(2023, 1, 1), date(2024, 12, 31)),
        ("2023-05/2023-06-10", date(2023, 5, 1), date(2023, 6, 10)),
        ("2023/..", date(2023, 1, 1), None),
        ("../2023", None, date(2023, 12, 31)),
        ("2023/", date(2023, 1, 1), None),
        ("/2023", None, date(2023, 12, 31)),
    ],
)
def test_an_expression_covers_its_days(
    text: str, earliest: date | None, latest: date | None
) -> None:
    assert parse(text) == Period(text, earliest, latest)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "last year",
        "2023-13",
        "2023-00",
        "2023-02-30",
        "20230124",
        "24-01-2024",
        "٢٠٢٣",
        "0000",
        "-0044",
        "Y10000",
        "2024/2023",
        "../..",
        "/",
        "2023-01-24T00:00:00Z" + "0" * 100,
    ],
)
def test_what_names_no_days_is_refused(text: str) -> None:
    with pytest.raises(InvalidDate):
        parse(text)


def test_an_expression_is_kept_in_its_normal_form() -> None:
    assert parse(" 2023 / 2024 ").edtf == "2023/2024"


def test_the_message_says_what_and_where() -> None:
    with pytest.raises(InvalidDate, match=r"'2023-02-30' is not a date: day"):
        parse("2023-02-30")
    with pytest.raises(InvalidDate, match=r"'2023-1x' is not an EDTF date \(position \d+\)"):
        parse("2023-1x")


@given(st.dates())
def test_a_day_covers_itself(day: date) -> None:
    assert parse(day.isoformat()) == Period(day.isoformat(), day, day)


@given(st.dates())
def test_a_month_and_a_year_hold_their_days(day: date) -> None:
    for text in (day.isoformat()[:7], day.isoformat()[:4]):
        period = parse(text)
        assert period.earliest
        assert period.latest
        assert period.earliest <= day <= period.latest
        assert period.earliest.day == 1
        assert parse(period.latest.isoformat()).latest == period.latest


@settings(max_examples=30)  # each takes the library some milliseconds
@given(st.lists(st.dates(), min_size=2, max_size=2, unique=True).map(sorted))
def test_an_interval_runs_from_its_first_day_to_its_last(days: list[date]) -> None:
    first, last = days
    period = parse(f"{first}/{last}")
    assert (period.earliest, period.latest) == (first, last)
    with pytest.raises(InvalidDate, match="ends before it begins"):
        parse(f"{last}/{first}")


# The characters of EDTF, close enough together to be one by chance.
PARTS = ["2023", "19", "0", "12", "-", "/", "..", "X", "?", "~", "%", "Y", "E", "{", "}", ",", " "]
EXPRESSIONS = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)


@given(EXPRESSIONS)
def test_whatever_is_read_is_a_stretch_of_days(text: str) -> None:
    try:
        period = parse(text)
    except InvalidDate:
        return
    assert period.earliest or period.latest
    assert not period.earliest or not period.latest or period.earliest <= period.latest
    assert parse(period.edtf) == period
