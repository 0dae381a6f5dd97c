"""The ranges that stated numbers mean."""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hksz_db.domain.quantities import measure
from hksz_db.domain.ranges import (
    Interval,
    InvalidFigure,
    RangeRule,
    Reading,
    Statement,
    read,
    stated_step,
)
from hksz_db.domain.stated_figures import read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure

# As many digits as the API accepts.
AMOUNTS = st.builds(
    lambda digits, places: Decimal(f"{digits}E-{places}"),
    st.integers(-(10**30), 10**30),
    st.integers(0, 20),
)
SIMPLE = [comparator for comparator in Comparator if comparator is not Comparator.BETWEEN]
TAKE_LOWER = {Comparator.APPROX, Comparator.LT, Comparator.LE}
TAKE_UPPER = {Comparator.APPROX, Comparator.GT, Comparator.GE}
FACTORS = st.sampled_from([Decimal(1), Decimal("0.01"), Decimal(10000), Decimal("1609.344")])


def interval(text: str) -> Interval:
    """An interval in the notation of PostgreSQL: ``[1,2)``."""
    lower, upper = text[1:-1].split(",")
    return Interval(
        Decimal(lower) if lower else None,
        Decimal(upper) if upper else None,
        text[0] == "[",
        text[-1] == "]",
    )


def contains(outer: Interval, number: Decimal) -> bool:
    above = outer.lower is None or (
        number >= outer.lower if outer.lower_inclusive else number > outer.lower
    )
    below = outer.upper is None or (
        number <= outer.upper if outer.upper_inclusive else number < outer.upper
    )
    return above and below


def is_within(inner: Interval, outer: Interval) -> bool:
    lower = outer.lower is None or (
        inner.lower is not None
        and (inner.lower, not inner.lower_inclusive) >= (outer.lower, not outer.lower_inclusive)
    )
    upper = outer.upper is None or (
        inner.upper is not None
        and (inner.upper, inner.upper_inclusive) <= (outer.upper, outer.upper_inclusive)
    )
    return lower and upper


def is_empty(numbers: Interval) -> bool:
    if numbers.lower is None or numbers.upper is None:
        return False
    if numbers.lower == numbers.upper:
        return not (numbers.lower_inclusive and numbers.upper_inclusive)
    return numbers.lower > numbers.upper


def statement(
    comparator: str,
    amount: str | None = None,
    lower: str | None = None,
    upper: str | None = None,
    **others: object,
) -> Statement:
    numbers = [Decimal(text) if text else None for text in (amount, lower, upper)]
    return Statement(Comparator(comparator), *numbers, **others)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("amount", "words", "step"),
    [
        ("47700", "", "100"),
        ("7500000", "7.5 million", "100000"),
        ("7500000", "", "100000"),
        ("36000", "", "1000"),
        ("47681", "47,681", "1"),
        ("2.980", "", "0.001"),
        ("2.98", "2.980 km2", "0.001"),
        ("0.50", "", "0.01"),
        ("-47000", "", "1000"),
        ("0", "", "1"),
        ("0.00", "", "0.01"),
        ("4.70E4", "", "1000"),
        # One digit and zeros.
        ("10000", "10,000", "5000"),
        ("300", "", "50"),
        ("10", "", "5"),
        ("2000000", "2 million", "500000"),
        ("2", "2 million", "0.5"),
        ("13", "", "1"),
        # The digits of the words count, not those that a program gives for them.
        ("1200000000.0", "1.2 billion", "100000000"),
        ("12300000000", "HK$12.3 billion", "100000000"),
        ("12.3", "HK$12.3 billion", "0.1"),
        ("0.052", "5.2 per cent", "0.001"),
        ("5000", "5 km", "1000"),
        ("36000", "in 2023, 36,000", "1000"),
        # Words with another number say nothing about the digits.
        ("36000", "47,681", "1000"),
        ("24", "two dozen", "1"),
    ],
)
def test_the_step_follows_from_the_stated_digits(amount: str, words: str, step: str) -> None:
    assert stated_step(Decimal(amount), words) == Decimal(step)


def test_the_zeros_of_a_hundred_per_cent_are_significant() -> None:
    assert stated_step(Decimal(100), "100 %", Dimension.RATIO) == 1
    assert stated_step(Decimal(1), "100 %", Dimension.RATIO) == Decimal("0.01")
    assert stated_step(Decimal(100), "100 km", Dimension.LENGTH) == 50


@pytest.mark.parametrize(
    ("comparator", "amount", "lower", "upper", "value", "plausible", "rule"),
    [
        ("eq", "13", None, None, "(12,14)", "[12.5,13.5)", "half_step"),
        ("approx", "13", None, None, "[11,15]", "[12,14]", "whole_step"),
        ("approx", "47000", None, None, "[45000,49000]", "[46000,48000]", "whole_step"),
        ("approx", "13", "12", "15", "[12,15]", "[12,15]", "explicit_bounds"),
        ("approx", "13", "12", None, "[12,15]", "[12,14]", "explicit_bounds"),
        ("gt", "47000", None, None, "(47000,)", "(47000,48000)", "next_step"),
        ("ge", "47000", None, None, "[47000,)", "[47000,48000)", "next_step"),
        ("gt", "47000", None, "50000", "(47000,50000]", "(47000,50000]", "explicit_bounds"),
        ("lt", "55", None, None, "(,55)", "(54,55)", "next_step"),
        ("le", "55", None, None, "(,55]", "(54,55]", "next_step"),
        ("le", "50", "45", None, "[45,50]", "[45,50]", "explicit_bounds"),
        ("between", None, "3", "5", "[3,5]", "[3,5]", "explicit_bounds"),
    ],
)
def test_comparators_give_ranges(comparator, amount, lower, upper, value, plausible, rule) -> None:
    expected = Reading(interval(value), interval(plausible), RangeRule(rule))
    assert read(statement(comparator, amount, lower, upper)) == expected


def test_an_exact_figure_has_one_value() -> None:
    expected = Reading(interval("[47000,47000]"), interval("[47000,47000]"), RangeRule.EXACT)
    assert read(statement("eq", "47000", exact=True)) == expected
    assert read(statement("approx", "47000", exact=True)) == read(statement("approx", "47000"))


@pytest.mark.parametrize(
    ("comparator", "amount", "words", "value", "plausible"),
    [
        ("eq", "7", "7", "[7,7]", "[7,7]"),
        ("eq", "47700", "47,700", "[47601,47799]", "[47650,47749]"),
        ("eq", "1", "one", "[1,1]", "[1,1]"),
        ("eq", "0", "none", "[0,0]", "[0,0]"),
        ("gt", "47000", "over 47,000", "[47001,)", "[47001,47999]"),
        # No whole number lies between 12 and 13.
        ("gt", "12", "more than 12", "[13,)", "[13,13]"),
        ("gt", "47681", "over 47,681", "[47682,)", "[47682,47682]"),
        ("lt", "12", "fewer than 12", "[0,11]", "[11,11]"),
        ("lt", "9", "nearly 9", "[0,8]", "[8,8]"),
        ("lt", "1", "fewer than 1", "[0,0]", "[0,0]"),
        ("ge", "12", "at least 12", "[12,)", "[12,12]"),
        ("gt", "12500000", "more than 12.5 million", "[12500001,)", "[12500001,12599999]"),
        ("le", "150", "up to 150", "[0,150]", "[141,150]"),
        # Averages are not whole.
        ("eq", "7.5", "7.5", "(7.4,7.6)", "[7.45,7.55)"),
        ("gt", "7.5", "more than 7.5", "(7.5,)", "(7.5,7.6)"),
    ],
)
def test_counts_are_whole_numbers(comparator, amount, words, value, plausible) -> None:
    figure = statement(comparator, amount, as_stated=words)
    reading = read(figure, Dimension.COUNT, nonnegative=True)
    assert (reading.value, reading.plausible) == (interval(value), interval(plausible))


@pytest.mark.parametrize(
    ("amount", "factor", "words", "value", "plausible"),
    [
        ("33.3333", "0.01", "one in three", (0.2667, 0.4), (0.3, 0.3667)),
        ("50", "0.01", "half", (0.4, 0.6), (0.45, 0.55)),
        ("0.5", "1", "half", (0.4, 0.6), (0.45, 0.55)),
        ("75", "0.01", "three quarters", (0.6, 0.9), (0.675, 0.825)),
    ],
)
def test_a_fraction_in_words_has_a_range(amount, factor, words, value, plausible) -> None:
    figure = statement("eq", amount, as_stated=words)
    reading = read(figure, Dimension.RATIO, Decimal(factor), nonnegative=True)
    assert reading.rule is RangeRule.FRACTION
    for found, (lower, upper) in ((reading.value, value), (reading.plausible, plausible)):
        assert float(found.lower or 0) == pytest.approx(lower, abs=1e-4)
        assert float(found.upper or 0) == pytest.approx(upper, abs=1e-4)


@pytest.mark.parametrize(
    ("comparator", "amount", "factor", "words", "plausible"),
    [
        ("gt", "33.3333", "0.01", "more than a third", (0.3333, 0.3667)),
        ("lt", "50", "0.01", "nearly half", (0.45, 0.5)),
        ("gt", "0.5", "1", "more than half", (0.5, 0.55)),
    ],
)
def test_a_bound_in_words_is_followed_by_a_tenth(
    comparator, amount, factor, words, plausible
) -> None:
    figure = statement(comparator, amount, as_stated=words)
    found = read(figure, Dimension.RATIO, Decimal(factor), nonnegative=True).plausible
    assert (float(found.lower or 0), float(found.upper or 0)) == pytest.approx(plausible, abs=1e-4)


@pytest.mark.parametrize(
    ("comparator", "words", "ratio", "growth"),
    [
        ("eq", "doubled", (1.8, 2.2), (80, 120)),
        ("approx", "roughly tripled", (2.7, 3.3), (170, 230)),
        ("eq", "halved", (0.45, 0.55), (-55, -45)),
        ("gt", "more than doubled", (2, 3), (100, 200)),
        ("lt", "nearly tripled", (2, 3), (100, 200)),
        ("gt", "almost halved", (0.5, 0.6), (-50, -40)),
        ("eq", "2.5 times as many", (2.45, 2.55), (125, 175)),
    ],
)
def test_a_multiple_is_the_same_as_a_ratio_and_as_a_rate(comparator, words, ratio, growth) -> None:
    for measured, expected in (
        (MetricMeasure.RATIO_TO_BASE, ratio),
        (MetricMeasure.GROWTH_RATE, growth),
    ):
        stated = read_stated(words, Dimension.RATIO, measured)
        figure = Statement(stated.comparator, stated.amount, as_stated=words, measure=measured)
        found = read(figure, Dimension.RATIO).plausible
        assert stated.comparator == comparator
        assert (float(found.lower or 0), float(found.upper or 0)) == pytest.approx(expected)


def test_fractions_in_other_words_do_not_decide() -> None:
    figure = statement("eq", "41", as_stated="one in three")
    assert read(figure, Dimension.RATIO).rule is RangeRule.HALF_STEP


@pytest.mark.parametrize(
    ("comparator", "amount", "lower", "upper", "field"),
    [
        ("eq", None, None, None, "amount"),
        ("eq", "5", "4", None, "lower_bound"),
        ("eq", "5", None, "6", "upper_bound"),
        ("approx", "5", "6", None, "lower_bound"),
        ("approx", "5", None, "4", "upper_bound"),
        ("gt", "5", "4", None, "lower_bound"),
        ("gt", "5", None, "5", "upper_bound"),
        ("ge", "5", None, "4", "upper_bound"),
        ("lt", "5", None, "6", "upper_bound"),
        ("lt", "5", "5", None, "lower_bound"),
        ("le", "5", "6", None, "lower_bound"),
        ("between", "5", "4", "6", "amount"),
        ("between", None, "4", None, "upper_bound"),
        ("between", None, None, "4", "lower_bound"),
        ("between", None, "6", "4", "upper_bound"),
    ],
)
def test_the_field_that_does_not_fit_is_named(comparator, amount, lower, upper, field) -> None:
    with pytest.raises(InvalidFigure) as refused:
        read(statement(comparator, amount, lower, upper))
    assert refused.value.field == field


@given(st.sampled_from(Comparator), st.booleans(), st.sampled_from(Dimension), st.data())
def test_the_plausible_range_is_within_the_value_range(
    comparator: Comparator, nonnegative: bool, dimension: Dimension, data: st.DataObject
) -> None:
    amounts = AMOUNTS.map(abs) if nonnegative else AMOUNTS
    lower, amount, upper = sorted(data.draw(st.tuples(amounts, amounts, amounts)))
    # The table above has the bounds that a comparator refuses.
    if comparator is Comparator.BETWEEN:
        figure = Statement(comparator, None, lower, upper)
    else:
        figure = Statement(
            comparator,
            amount,
            data.draw(st.sampled_from([None, lower])) if comparator in TAKE_LOWER else None,
            data.draw(st.sampled_from([None, upper])) if comparator in TAKE_UPPER else None,
        )
    factor = data.draw(FACTORS)
    try:
        reading = read(figure, dimension, factor, nonnegative=nonnegative)
    except InvalidFigure:
        assume(False)
    assert is_within(reading.plausible, reading.value)
    assert not is_empty(reading.value)
    assert not is_empty(reading.plausible)
    assert reading.value.lower is not None or reading.value.upper is not None
    if nonnegative:
        assert reading.value.lower is not None
        assert reading.value.lower >= 0


@given(AMOUNTS)
def test_an_amount_is_a_whole_number_of_steps(amount: Decimal) -> None:
    step = stated_step(amount)
    assert step.normalize().as_tuple().digits in {(1,), (5,)}
    assert (Fraction(amount) / Fraction(step)).denominator == 1


@given(AMOUNTS.filter(bool), st.sampled_from([Decimal("0.01"), Decimal(10000), Decimal(1000)]))
def test_the_ranges_do_not_depend_on_the_unit(amount: Decimal, factor: Decimal) -> None:
    words = f"{amount:,f}"
    assume(len(words) < 100 and "," not in words.partition(".")[2])
    figure = Statement(Comparator.EQ, amount, as_stated=words)
    scaled = Statement(Comparator.EQ, (amount * factor).normalize(), as_stated=words)
    assume(scaled.amount is not None and scaled.amount / factor == amount)
    assert read(figure, None, factor) == read(scaled)


@given(st.sampled_from(SIMPLE), AMOUNTS, st.booleans())
def test_rounding_keeps_the_plausible_range_within_the_value_range(
    comparator: Comparator, amount: Decimal, nonnegative: bool
) -> None:
    figure = Statement(comparator, amount)
    try:
        scaled = read(figure, None, measure("km/h").factor, nonnegative=nonnegative)
    except InvalidFigure:
        assume(False)
    assert not is_empty(scaled.plausible)
    assert is_within(scaled.plausible, scaled.value)


def test_equal_speeds_in_different_units_agree() -> None:
    there = read(statement("eq", "36.0"), None, measure("km/h").factor)
    here = read(statement("eq", "10"), None, measure("m/s").factor)
    assert there.plausible.lower is not None
    assert here.plausible.lower is not None
    assert here.plausible.lower < there.plausible.lower < Decimal(10)
    assert read(statement("eq", "36", exact=True), None, measure("km/h").factor) == read(
        statement("eq", "10", exact=True)
    )


def test_a_range_too_narrow_for_twelve_digits_is_not_rounded() -> None:
    factor = measure("km/h").factor
    reading = read(statement("gt", "36.12345678901234"), None, factor)
    assert reading.value.lower == Fraction("36.12345678901234") * Fraction(factor)
    assert not is_empty(reading.plausible)


def test_equal_areas_in_different_units_agree() -> None:
    hectares, square_kilometres = measure("har"), measure("km2")
    assert hectares.dimension is square_kilometres.dimension is Dimension.AREA
    left = read(statement("eq", "87"), None, hectares.factor)
    assert left == read(statement("eq", "0.87"), None, square_kilometres.factor)
