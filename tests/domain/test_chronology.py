"""EDTF expressions and the days that they may cover."""

import re
from datetime import date

import edtf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hksz_db.domain.chronology import InvalidDate, Period, parse


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
        ("1984%", date(1982, 1, 1), date(1986, 12, 31)),
        ("2004-06?", date(2003, 5, 1), date(2005, 7, 31)),
        ("2004-06~", date(2003, 5, 1), date(2005, 7, 31)),
        ("2004-06-11%", date(2002, 4, 9), date(2006, 8, 13)),
        # A qualifier after a part applies to all parts up to it, one before it only to that part.
        ("2004-06~-11", date(2003, 5, 11), date(2005, 7, 11)),
        ("2004?-06-~11", date(2003, 6, 10), date(2005, 6, 12)),
        ("2004-~06", date(2004, 5, 1), date(2004, 7, 31)),
        ("?2004-06", date(2003, 6, 1), date(2005, 6, 30)),
        ("2004-%06", date(2004, 4, 1), date(2004, 8, 31)),
        ("2024-02-~29", date(2024, 2, 28), date(2024, 3, 1)),
        ("~2024-02-29", date(2023, 2, 28), date(2025, 2, 28)),
        ("201X", date(2010, 1, 1), date(2019, 12, 31)),
        ("201X~", date(2000, 1, 1), date(2029, 12, 31)),
        ("20XX", date(2000, 1, 1), date(2099, 12, 31)),
        ("2004-XX", date(2004, 1, 1), date(2004, 12, 31)),
        ("2004-1X", date(2004, 10, 1), date(2004, 12, 31)),
        ("1985-04-XX", date(1985, 4, 1), date(1985, 4, 30)),
        ("2023-02-2X", date(2023, 2, 20), date(2023, 2, 28)),
        ("1985-XX-25", date(1985, 1, 25), date(1985, 12, 25)),
        ("1985-XX-31", date(1985, 1, 31), date(1985, 12, 31)),
        ("156X-12-25", date(1560, 12, 25), date(1569, 12, 25)),
        ("202X-02-29", date(2020, 2, 29), date(2028, 2, 29)),
        ("15XX-02-XX", date(1500, 2, 1), date(1599, 2, 28)),
        ("XXXX-12", date(1, 12, 1), date(9999, 12, 31)),
        ("1950S2", date(1900, 1, 1), date(1999, 12, 31)),
        ("2004-21", date(2004, 3, 1), date(2004, 5, 31)),
        ("2004-22", date(2004, 6, 1), date(2004, 8, 31)),
        ("2004-23", date(2004, 9, 1), date(2004, 11, 30)),
        ("2003-24", date(2003, 12, 1), date(2004, 2, 29)),
        ("2003-30", date(2003, 12, 1), date(2004, 2, 29)),
        ("2004-32", date(2004, 6, 1), date(2004, 8, 31)),
        ("2004-36", date(2004, 10, 1), date(2004, 12, 31)),
        ("2004-39", date(2004, 9, 1), date(2004, 12, 31)),
        ("2004-40", date(2004, 1, 1), date(2004, 6, 30)),
        ("[1667,1668,1670..1672]", date(1667, 1, 1), date(1672, 12, 31)),
        ("[1672,1667]", date(1667, 1, 1), date(1672, 12, 31)),
        ("[2010~,2011]", date(2009, 1, 1), date(2011, 12, 31)),
        ("[..1760-12-03]", None, date(1760, 12, 3)),
        ("[1760-01,1760-12..]", date(1760, 1, 1), None),
        ("{1960,1961-12}", date(1960, 1, 1), date(1961, 12, 31)),
        ("{2024-1X,2025-21}", date(2024, 10, 1), date(2025, 5, 31)),
        ("2004-06/2006-08", date(2004, 6, 1), date(2006, 8, 31)),
        ("1984~/2004%", date(1983, 1, 1), date(2006, 12, 31)),
        ("2004-06-XX/2004-07-03", date(2004, 6, 1), date(2004, 7, 3)),
        ("2023-21/2023-24", date(2023, 3, 1), date(2024, 2, 29)),
        ("2012-XX-XX/..", date(2012, 1, 1), None),
        ("../1984?", None, date(1985, 12, 31)),
        ("1985-04-12T23:20:30Z", date(1985, 4, 12), date(1985, 4, 12)),
        ("2023/2024", date(2023, 1, 1), date(2024, 12, 31)),
        ("2023-05/2023-06-10", date(2023, 5, 1), date(2023, 6, 10)),
        ("2023/..", date(2023, 1, 1), None),
        ("../2023", None, date(2023, 12, 31)),
        ("2023/", date(2023, 1, 1), None),
        ("/2023", None, date(2023, 12, 31)),
    ],
)
def test_parse_finds_the_first_and_last_day(
    text: str, earliest: date | None, latest: date | None
) -> None:
    assert parse(text) == Period(text, earliest, latest)


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("", 0),
        ("last year", 0),
        ("2023-5", 4),
        ("2023-13", 5),
        ("2023-00", 5),
        ("2004-42", 5),
        ("201X-21", 5),
        ("2023-02-30", 8),
        ("2023-02-3X", 8),
        ("2023-02-29?", 8),
        ("2100-02-29", 8),
        ("20230124", 4),
        ("24-01-2024", 2),
        ("2023-1x", 4),
        ("2023-1X~", 7),
        ("2023-11-3X?", 10),
        ("2004-21~", 7),
        ("2004-06-(01)~", 7),
        ("2023 -01", 4),
        ("٢٠٢٣", 0),
        ("0000", 0),
        ("000X-0X-0X~", 10),
        ("-0044", 0),
        ("Y10000", 0),
        ("Y-17E7", 0),
        ("0001~", 0),
        ("9999-12-31?", 0),
        ("9999-24", 0),
        ("2024/2023", 5),
        ("2024-24/2024-21", 8),
        ("2023/2023-02-30", 13),
        (" 2023 / 20x4", 10),
        ("2023/2024/2025", 9),
        ("2023T10:00:00/2024", 4),
        ("../..", 0),
        ("/", 0),
        ("[1667,1668", 10),
        ("[1667]", 1),
        ("{2023,soon}", 6),
        ("{2023,}", 6),
        ("[2011..2010]", 7),
        ("[2010~..2012]", 1),
        ("[2010,..2012]", 6),
        ("[2010..,2012]", 1),
        ("[..]", 1),
        ("{..2021,2025..}", 0),
        ("[2010..2011..2012]", 1),
        ("[2024-21..2024-23]", 1),
        ("[2023,2023-02-30]", 14),
        ("2023-01-24T00:00:00Z" + "0" * 100, 100),
    ],
)
def test_invalid_expressions_are_refused_with_a_position(text: str, position: int) -> None:
    with pytest.raises(InvalidDate, match=rf"\(position {position}\)") as refused:
        parse(text)
    assert refused.value.position == position


def test_blanks_are_removed() -> None:
    assert parse(" 2023 / 2024 ").edtf == "2023/2024"
    assert parse("{1667, 1668,1670 .. 1672}").edtf == "{1667,1668,1670..1672}"


def test_the_message_gives_the_reason_and_the_position() -> None:
    with pytest.raises(InvalidDate, match=r"'2023-02-30' is not a date: day"):
        parse("2023-02-30")
    with pytest.raises(InvalidDate, match=r"'2023-1x' is not an EDTF date \(position \d+\)"):
        parse("2023-1x")


@given(st.dates())
def test_a_day_covers_itself(day: date) -> None:
    assert parse(day.isoformat()) == Period(day.isoformat(), day, day)


@given(st.dates())
def test_a_month_and_a_year_cover_their_days(day: date) -> None:
    for text in (day.isoformat()[:7], day.isoformat()[:4]):
        period = parse(text)
        assert period.earliest
        assert period.latest
        assert period.earliest <= day <= period.latest
        assert period.earliest.day == 1
        assert parse(period.latest.isoformat()).latest == period.latest


@settings(max_examples=30)  # the library needs some milliseconds for each
@given(st.lists(st.dates(), min_size=2, max_size=2, unique=True).map(sorted))
def test_an_interval_covers_its_first_to_its_last_day(days: list[date]) -> None:
    first, last = days
    period = parse(f"{first}/{last}")
    assert (period.earliest, period.latest) == (first, last)
    with pytest.raises(InvalidDate, match="ends before it begins"):
        parse(f"{last}/{first}")


def digits_of(day: date, length: int) -> str:
    return day.isoformat()[:length]


@given(st.dates(), st.sampled_from([4, 7, 10]), st.sets(st.integers(0, 9)))
def test_unspecified_digits_cover_all_matching_days(
    day: date, length: int, open_digits: set[int]
) -> None:
    """Compares with every day of the year, or of the decade if the last digit of it is open."""
    open_digits = {place for place in open_digits if place > 2}
    text = "".join(
        "X" if place in open_digits and character != "-" else character
        for place, character in enumerate(digits_of(day, length))
    )
    decade = day.year // 10 * 10
    first = date(decade or 1, 1, 1) if text[3] == "X" else date(day.year, 1, 1)
    last = date(decade + 9, 12, 31) if text[3] == "X" else date(day.year, 12, 31)
    pattern = re.compile(text.replace("X", "."))
    fitting = [
        day
        for day in map(date.fromordinal, range(first.toordinal(), last.toordinal() + 1))
        if pattern.fullmatch(digits_of(day, length))
    ]
    assert parse(text) == Period(text, fitting[0], fitting[-1])


# Years and days only, because the library drops the last days of a month.
LIBRARY_DATES = st.builds(
    lambda day, length, mark: digits_of(day, length) + mark,
    st.dates(date(10, 1, 1), date(9989, 12, 31)),
    st.sampled_from([4, 10]),
    st.sampled_from(["?", "~", "%"]),
)


@settings(max_examples=40)
@given(LIBRARY_DATES)
def test_a_qualified_date_is_padded_as_the_library_does(text: str) -> None:
    padded = edtf.parse_edtf(text)
    earliest, latest = (date(*end[:3]) for end in (padded.lower_fuzzy(), padded.upper_fuzzy()))
    assert parse(text) == Period(text, earliest, latest)


# Parts of EDTF that form a valid expression now and then.
PARTS = ["2023", "19", "0", "12", "-", "/", "..", "X", "?", "~", "%", "Y", "E", "{", "}", ",", " "]
CHARACTERS = st.lists(st.sampled_from(PARTS), max_size=8).map("".join)
# Dates composed by the rules of EDTF, nearly all of them valid.
MARKS = st.sampled_from(["", "", "?", "~", "%"])
DATES = st.one_of(
    st.builds("{}{}".format, st.sampled_from(["2023", "201X", "20XX", "1X23", "1950S2"]), MARKS),
    st.builds(
        "{}{}-{}{}".format,
        st.sampled_from(["2023", "202X"]),
        MARKS,
        st.sampled_from(["01", "12", "XX", "1X", "21", "24", "41"]),
        MARKS,
    ),
    st.builds(
        "{}2023-{}02-{}{}{}".format,
        MARKS,
        MARKS,
        MARKS,
        st.sampled_from(["01", "28", "29", "XX", "2X"]),
        MARKS,
    ),
)
INTERVALS = st.tuples(DATES | st.sampled_from(["", ".."]), DATES | st.sampled_from(["", ".."]))
SETS = st.tuples(
    st.sampled_from(["[]", "{}"]),
    st.lists(DATES | st.sampled_from(["..2021", "2022..2024", "2025.."]), max_size=4),
)
EXPRESSIONS = st.one_of(
    CHARACTERS,
    DATES,
    INTERVALS.map("/".join),
    SETS.map(lambda made: f"{made[0][0]}{','.join(made[1])}{made[0][1]}"),
)


@pytest.mark.slow
@settings(max_examples=300)
@given(EXPRESSIONS)
def test_any_expression_is_a_valid_period_or_refused(text: str) -> None:
    try:
        period = parse(text)
    except InvalidDate as refused:
        position = refused.position
    else:
        position = 0
        assert_sound(period)
    assert 0 <= position <= len(text)


def assert_sound(period: Period) -> None:
    assert (period.earliest, period.latest) != (None, None)
    assert not period.earliest or not period.latest or period.earliest <= period.latest
    assert parse(period.edtf) == period
