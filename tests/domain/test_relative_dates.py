"""Relative dates: from an anchor, a duration and a modifier to days."""

from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hksz_db.domain.chronology import parse
from hksz_db.domain.relative_dates import WEEKDAYS, Relative, Unresolvable, resolve


def resolved(anchor: str, duration: str, modifier: str | None = None) -> str:
    return resolve(Relative(duration, modifier), parse(anchor)).edtf


@pytest.mark.parametrize(
    ("duration", "modifier", "expected"),
    [
        ("-P1Y", None, "2023"),
        ("P0Y", None, "2024"),
        ("-P0Y", None, "2024"),
        ("-P13Y", None, "2011"),
        ("-P1M", None, "2023-12"),
        ("P3M", None, "2024-04"),
        ("P12M", None, "2025-01"),
        ("-P1W", None, "2024-01-15/2024-01-21"),
        ("P0W", None, "2024-01-22/2024-01-28"),
        ("-P1D", None, "2024-01-23"),
        ("P366D", None, "2025-01-24"),
        ("-P13Y", "about", "2011~"),
        ("-P1M", "about", "2023-~12"),
        ("-P1W", "about", "2024-01-~15/2024-01-~21"),
        ("-P1D", "about", "2024-01-~23"),
        ("P3Y", "within", "2024-01-24/2027-01-24"),
        ("-P3M", "within", "2023-10-24/2024-01-24"),
        ("P2W", "within", "2024-01-24/2024-02-07"),
        ("-P10D", "within", "2024-01-14/2024-01-24"),
        ("P0D", "within", "2024-01-24"),
        # 24 January 2024 is a Wednesday.
        ("P0W", "wednesday", "2024-01-24"),
        ("P0W", "thursday", "2024-01-18"),
        ("-P0W", "tuesday", "2024-01-23"),
        ("-P1W", "thursday", "2024-01-11"),
        ("P1W", "thursday", "2024-01-25"),
        ("P1W", "wednesday", "2024-01-31"),
    ],
)
def test_an_anchor_of_one_day(duration: str, modifier: str | None, expected: str) -> None:
    assert resolved("2024-01-24", duration, modifier) == expected


@pytest.mark.parametrize(
    ("anchor", "duration", "modifier", "expected"),
    [
        ("2024", "-P1Y", None, "2023"),
        ("2024", "-P13Y", "about", "2011~"),
        ("2024?", "P0Y", None, "[2023..2025]"),
        ("2024?", "-P13Y", None, "[2010..2012]"),
        ("2024?", "-P13Y", "about", "[2009..2013]"),
        ("2024-01", "-P1M", None, "2023-12"),
        ("2024", "-P1M", None, "[2023-12..2024-11]"),
        ("2024", "-P1M", "about", "[2023-11..2024-12]"),
        ("2024-01", "-P1D", None, "[2023-12-31..2024-01-30]"),
        ("2024-01", "-P1D", "about", "[2023-12-30..2024-01-31]"),
        ("2024-01-23/2024-01-25", "-P1W", None, "2024-01-15/2024-01-21"),
        ("2024-01", "-P1W", None, "[2023-12-25..2024-01-28]"),
        ("2024-01", "-P1W", "about", "[2023-12-18..2024-02-04]"),
        ("2024-01", "P3Y", "within", "[2024-01-01..2027-01-31]"),
        ("2024-01", "-P1M", "within", "[2023-12-01..2024-01-31]"),
        ("2024-01-24/2024-01-25", "P0W", "monday", "2024-01-22"),
        ("2024-01", "P0W", "thursday", "[2023-12-28..2024-01-25]"),
        ("[2022,2024]", "-P1Y", None, "[2021..2023]"),
    ],
)
def test_an_anchor_of_several_days_gives_all_possible_dates(
    anchor: str, duration: str, modifier: str | None, expected: str
) -> None:
    assert resolved(anchor, duration, modifier) == expected


def test_a_day_that_a_month_lacks_becomes_its_last_day() -> None:
    assert resolved("2024-02-29", "P1Y", "within") == "2024-02-29/2025-02-28"
    assert resolved("2024-03-31", "-P1M", "within") == "2024-02-29/2024-03-31"


@pytest.mark.parametrize(
    ("anchor", "duration", "modifier"),
    [
        ("0001", "-P1Y", None),
        ("0001-06", "-P1Y", "about"),
        ("0002", "-P1Y", "about"),
        ("9999-12-31", "P1M", None),
        ("9999-12-31", "P1D", None),
        ("9999-12-31", "P1W", "friday"),
        ("9999-12-31", "P9999W", "within"),
        ("9999-12-31", "P1Y", "within"),
        ("0001-01-01", "-P1W", None),
        ("2024", "-P9999Y", None),
    ],
)
def test_dates_beyond_the_calendar_are_refused(
    anchor: str, duration: str, modifier: str | None
) -> None:
    with pytest.raises(Unresolvable, match="leads beyond the years 1 to 9999"):
        resolved(anchor, duration, modifier)


@pytest.mark.parametrize("anchor", ["2024/..", "../2024", "2024/", "[2023,2024..]"])
def test_an_open_anchor_is_refused(anchor: str) -> None:
    with pytest.raises(Unresolvable, match="is open at one end"):
        resolved(anchor, "-P1Y")


def test_an_anchor_without_a_date_is_refused() -> None:
    with pytest.raises(Unresolvable, match="it has none"):
        resolve(Relative("-P1Y"), None)


@pytest.mark.parametrize(
    "duration",
    ["", "P", "13Y", "P13", "+P1Y", "P1Y2M", "P1.5Y", "P10000Y", "PT1H", "-P1Y\n", "p1y"],
)
def test_a_duration_has_one_unit(duration: str) -> None:
    with pytest.raises(Unresolvable, match="not a duration in one unit"):
        resolved("2024", duration)


@pytest.mark.parametrize("unit", "YMD")
def test_a_weekday_needs_weeks(unit: str) -> None:
    with pytest.raises(Unresolvable, match="in weeks"):
        resolved("2024-01-24", f"P0{unit}", "monday")


ANCHORS = st.dates(date(1000, 1, 1), date(3000, 1, 1))
NUMBERS = st.integers(-900, 900)


@given(ANCHORS, NUMBERS, st.sampled_from(WEEKDAYS))
def test_a_weekday_falls_on_that_day_of_the_week(anchor: date, weeks: int, weekday: str) -> None:
    duration = f"{'-' * (weeks < 0)}P{abs(weeks)}W"
    period = resolve(Relative(duration, weekday), parse(anchor.isoformat()))
    assert period.earliest == period.latest
    assert period.earliest
    assert WEEKDAYS[period.earliest.weekday()] == weekday
    assert timedelta(0) <= anchor + timedelta(weeks=weeks) - period.earliest < timedelta(weeks=1)


@settings(max_examples=60)
@given(
    ANCHORS,
    st.integers(0, 800),
    st.integers(0, 800),
    st.integers(-400, 400),
    st.sampled_from("YMWD"),
    st.sampled_from([None, "about", "within"]),
)
def test_the_result_covers_the_result_for_each_day_of_the_anchor(
    first: date, length: int, place: int, number: int, unit: str, modifier: str | None
) -> None:
    last = first + timedelta(days=length)
    day = first + timedelta(days=min(place, length))
    relative = Relative(f"{'-' * (number < 0)}P{abs(number)}{unit}", modifier)
    period = resolve(relative, parse(f"{first}/{last}"))
    exact = resolve(relative, parse(day.isoformat()))
    assert period.earliest
    assert period.latest
    assert exact.earliest
    assert exact.latest
    assert period.earliest <= exact.earliest <= exact.latest <= period.latest
    assert parse(period.edtf) == period
