"""The ranges that stated figures mean, and which pairs of figures agree."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain.figure_ranges import Stated, number_step, ranges
from hksz_db.domain.quantities import Interval, InvalidFigure, RangeRule, Reading, measure
from hksz_db.domain.stated_figures import read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension

AMOUNTS = st.builds(
    lambda digits, places: Decimal(f"{digits}E-{places}"),
    st.integers(-(10**30), 10**30),
    st.integers(0, 20),
)


def interval(text: str) -> Interval:
    """``[1,2)`` as PostgreSQL writes it."""
    lower, upper = text[1:-1].split(",")
    return Interval(
        Decimal(lower) if lower else None,
        Decimal(upper) if upper else None,
        text[0] == "[",
        text[-1] == "]",
    )


def meet(left: Interval, right: Interval) -> bool:
    for one, other in ((left, right), (right, left)):
        if one.upper is not None and other.lower is not None:
            touching = one.upper_inclusive and other.lower_inclusive
            if one.upper < other.lower or (one.upper == other.lower and not touching):
                return False
    return True


def is_within(inner: Interval, outer: Interval) -> bool:
    return (
        outer.lower is None
        or (
            inner.lower is not None
            and (inner.lower, not inner.lower_inclusive) >= (outer.lower, not outer.lower_inclusive)
        )
    ) and (
        outer.upper is None
        or (
            inner.upper is not None
            and (inner.upper, inner.upper_inclusive) <= (outer.upper, outer.upper_inclusive)
        )
    )


def reading_of(text: str, dimension: Dimension, unit_code: str | None = None) -> Reading:
    figure = read_stated(text, dimension)
    factor = measure(figure.unit_code or unit_code or "1").factor
    return ranges(figure, dimension, factor=factor, nonnegative=True)


@pytest.mark.parametrize(
    ("number", "step"),
    [
        ("47681", "1"),
        ("47700", "100"),
        ("36000", "1000"),
        ("47000", "1000"),
        ("120", "10"),
        ("12.3", "0.1"),
        ("2.980", "0.001"),
        ("2.0", "0.1"),
        ("10.0", "0.1"),
        ("0.05", "0.01"),
        ("0.00", "0.01"),
        ("0", "1"),
        ("7", "1"),
        ("-47000", "1000"),
        ("4.70E4", "1000"),
        ("10000", "5000"),
        ("300", "50"),
        ("10", "5"),
        ("4E4", "5000"),
    ],
)
def test_the_last_significant_digit_gives_the_step(number, step) -> None:
    assert number_step(Decimal(number)) == Decimal(step)


@pytest.mark.parametrize(
    ("number", "scale", "step"),
    [
        ("7.5", 10**6, "100000"),
        ("7.50", 10**6, "10000"),
        ("12.3", 10**9, "100000000"),
        ("5", 10**6, "500000"),
        ("5.0", 10**6, "100000"),
        ("300", 10**6, "50000000"),
        ("0.5", 10**6, "50000"),
        ("2", 100, "50"),
    ],
)
def test_a_scale_word_multiplies_the_step(number, scale, step) -> None:
    assert number_step(Decimal(number), scale) == Decimal(step)


TABLE = [
    # comparator, amount, step, exact, plausible, value, rule
    ("eq", "47000", "1000", False, "[46500,47500)", "(46000,48000)", "half_step"),
    ("eq", "2.980", "0.001", False, "[2.9795,2.9805)", "(2.979,2.981)", "half_step"),
    ("eq", "10000", "5000", False, "[7500,12500)", "(5000,15000)", "half_step"),
    ("eq", "47000", "1000", True, "[47000,47000]", "[47000,47000]", "exact"),
    ("approx", "47000", "1000", False, "[46000,48000]", "[45000,49000]", "next_step"),
    ("gt", "47000", "1000", False, "(47000,48000)", "(47000,)", "next_step"),
    ("ge", "47000", "1000", False, "[47000,48000)", "[47000,)", "next_step"),
    ("lt", "47000", "1000", False, "(46000,47000)", "(,47000)", "next_step"),
    ("le", "47000", "1000", False, "(46000,47000]", "(,47000]", "next_step"),
]


@pytest.mark.parametrize(
    ("comparator", "amount", "step", "exact", "plausible", "value", "rule"), TABLE
)
def test_comparator_and_step_give_the_ranges(
    comparator, amount, step, exact, plausible, value, rule
) -> None:
    stated = Stated(
        comparator=Comparator(comparator), amount=Decimal(amount), step=Decimal(step), exact=exact
    )
    expected = Reading(interval(value), interval(plausible), RangeRule(rule))
    assert ranges(stated, Dimension.LENGTH) == expected


@pytest.mark.parametrize(
    ("comparator", "amount", "lower", "upper", "plausible", "value"),
    [
        ("between", None, "3", "5", "[3,5]", "[3,5]"),
        ("approx", "13", "12", "15", "[12,15]", "[12,15]"),
        ("approx", "13", "12", None, "[12,14]", "[12,15]"),
        ("approx", "13", None, "13.5", "[12,13.5]", "[11,13.5]"),
        ("gt", "0.5", None, "1", "(0.5,1]", "(0.5,1]"),
        ("le", "5", "3", None, "[3,5]", "[3,5]"),
    ],
)
def test_explicit_bounds_stay_as_given(comparator, amount, lower, upper, plausible, value) -> None:
    stated = Stated(
        comparator=Comparator(comparator),
        amount=None if amount is None else Decimal(amount),
        lower_bound=None if lower is None else Decimal(lower),
        upper_bound=None if upper is None else Decimal(upper),
        step=Decimal(1),
    )
    expected = Reading(interval(value), interval(plausible), RangeRule.EXPLICIT_BOUNDS)
    assert ranges(stated, Dimension.RATIO) == expected


def test_a_metric_that_is_not_negative_has_ranges_from_zero() -> None:
    assert ranges(read_stated("nearly HK$500"), Dimension.MONEY, nonnegative=True) == Reading(
        interval("[0,500)"), interval("(450,500)"), RangeRule.NEXT_STEP
    )
    assert ranges(read_stated("0.2 km"), Dimension.LENGTH, nonnegative=True).value == interval(
        "(0.1,0.3)"
    )
    assert ranges(read_stated("0.0 km"), Dimension.LENGTH, nonnegative=True).plausible == interval(
        "[0,0.05)"
    )


@pytest.mark.parametrize(
    ("text", "plausible", "value", "rule"),
    [
        ("7 bases", "[7,7]", "[7,7]", "exact"),
        ("47,681", "[47681,47681]", "[47681,47681]", "exact"),
        ("47,700", "[47650,47749]", "[47601,47799]", "half_step"),
        ("10 bases", "[8,12]", "[6,14]", "half_step"),
        ("exactly 10 bases", "[10,10]", "[10,10]", "exact"),
        ("about 13 bases", "[12,14]", "[11,15]", "next_step"),
        ("over 150", "[151,159]", "[151,)", "next_step"),
        ("more than 7", "[8,8]", "[8,)", "next_step"),
        ("at least 7", "[7,7]", "[7,)", "next_step"),
        ("fewer than 7", "[6,6]", "[0,6]", "next_step"),
        ("up to 7", "[7,7]", "[0,7]", "next_step"),
        ("between 3 and 5", "[3,5]", "[3,5]", "explicit_bounds"),
        ("2.5 people", "[2.45,2.55)", "(2.4,2.6)", "half_step"),
    ],
)
def test_ranges_of_counts_hold_whole_numbers(text, plausible, value, rule) -> None:
    expected = Reading(interval(value), interval(plausible), RangeRule(rule))
    assert reading_of(text, Dimension.COUNT) == expected


def test_counts_are_rounded_in_base_units() -> None:
    thousands = Stated(comparator=Comparator.EQ, amount=Decimal(47), step=Decimal(1))
    reading = ranges(thousands, Dimension.COUNT, factor=measure("10*3").factor)
    assert reading.plausible == interval("[46500,47499]")
    assert reading.rule is RangeRule.HALF_STEP


def test_amounts_and_bounds_that_do_not_fit_are_refused() -> None:
    step = Decimal(1)
    with pytest.raises(InvalidFigure) as refused:
        ranges(Stated(comparator=Comparator.EQ, step=step), Dimension.COUNT)
    assert refused.value.field == "amount"
    stated = Stated(comparator=Comparator.GT, amount=Decimal(5), step=step, exact=True)
    with pytest.raises(InvalidFigure) as refused:
        ranges(stated, Dimension.COUNT)
    assert refused.value.field == "exact"
    stated = Stated(comparator=Comparator.EQ, amount=Decimal(-5), step=step)
    with pytest.raises(InvalidFigure) as refused:
        ranges(stated, Dimension.COUNT, nonnegative=True)
    assert refused.value.field == "amount"


@pytest.mark.parametrize(
    ("left", "right", "dimension", "verdict"),
    [
        ("7.5 million", "7,503,100", "count", "agrees"),
        ("5 %", "5.2 %", "ratio", "agrees"),
        ("47,681", "47,700", "count", "agrees"),
        ("15 km2", "14.92 km2", "area", "agrees"),
        ("87 ha", "about 88 ha", "area", "agrees"),
        ("87 ha", "87.7 ha", "area", "tension"),
        ("5.2 %", "5.3 %", "ratio", "tension"),
        ("most", "74 %", "ratio", "agrees"),
        ("a majority", "51 %", "ratio", "agrees"),
        ("over 47,000", "47,681", "count", "agrees"),
        ("at least 35,000", "around 90,000", "count", "tension"),
        ("7 bases", "8 bases", "count", "contradicts"),
        ("45,120", "over 47,000", "count", "contradicts"),
        ("87 ha", "3.02 km2", "area", "contradicts"),
        ("302 ha", "167 ha", "area", "contradicts"),
        ("60,000", "70,000", "count", "contradicts"),
        # Shares and multiples in words
        ("a third", "33.3 %", "ratio", "agrees"),
        ("one in three", "35 %", "ratio", "agrees"),
        ("half", "48 %", "ratio", "agrees"),
        ("half", "41 %", "ratio", "tension"),
        ("half", "30 %", "ratio", "contradicts"),
        ("two-thirds", "70 %", "ratio", "agrees"),
        ("nearly half", "47 %", "ratio", "agrees"),
        ("nine in ten", "88 %", "ratio", "tension"),
        ("most", "40 %", "ratio", "contradicts"),
        ("nearly all", "97 %", "ratio", "agrees"),
        ("none", "5 %", "ratio", "contradicts"),
        ("doubled", "2.1 times", "ratio", "agrees"),
        ("doubled", "3 times", "ratio", "contradicts"),
        ("halved", "0.5 times", "ratio", "agrees"),
        # Units and exactness
        ("exactly 10", "11", "count", "contradicts"),
        ("10 companies", "11 companies", "count", "agrees"),
        ("36 km/h", "10 m/s", "speed", "agrees"),
        ("an hour and a half", "90 minutes", "duration", "agrees"),
        ("HK$12.3 billion", "HK$12,345 million", "money", "agrees"),
    ],
)
def test_figures_agree_as_a_reader_would_say(left, right, dimension, verdict) -> None:
    one, other = (reading_of(text, Dimension(dimension)) for text in (left, right))
    expected = {"agrees": (True, True), "tension": (False, True), "contradicts": (False, False)}
    found = meet(one.plausible, other.plausible), meet(one.value, other.value)
    assert found == expected[verdict]


def test_one_is_a_unit_of_ratios() -> None:
    share = Stated(comparator=Comparator.EQ, amount=Decimal("0.052"), step=Decimal("0.001"))
    per_cent = reading_of("5.2 %", Dimension.RATIO)
    assert ranges(share, Dimension.RATIO).plausible == per_cent.plausible


@given(
    st.sampled_from([comparator for comparator in Comparator if comparator != "between"]),
    AMOUNTS,
    st.booleans(),
    st.sampled_from([Dimension.COUNT, Dimension.SPEED]),
    st.sampled_from([Decimal(1), Decimal(1000), measure("km/h").factor]),
)
def test_what_is_plausible_is_possible(comparator, amount, nonnegative, dimension, factor) -> None:
    stated = Stated(comparator=comparator, amount=amount, step=number_step(amount))
    try:
        reading = ranges(stated, dimension, factor=factor, nonnegative=nonnegative)
    except InvalidFigure:
        assert nonnegative
        return
    assert not reading.plausible.is_empty()
    assert is_within(reading.plausible, reading.value)
    if nonnegative:
        assert reading.value.lower is not None
        assert reading.value.lower >= 0
