"""The ranges that stated numbers mean, and the dimensions of units."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hksz_db.domain.quantities import (
    BASE_UNITS,
    Interval,
    InvalidFigure,
    InvalidUnit,
    Measure,
    RangeRule,
    Reading,
    measure,
    read,
    stated_step,
)
from hksz_db.domain.vocabulary import Comparator, Dimension

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


@pytest.mark.parametrize(
    ("amount", "step"),
    [
        ("47000", "1000"),
        ("13", "1"),
        ("10", "10"),
        ("0.50", "0.01"),
        ("1.0", "0.1"),
        ("-47000", "1000"),
        ("0", "1"),
        ("0.00", "0.01"),
        ("4.70E4", "1000"),
    ],
)
def test_the_step_follows_from_the_stated_digits(amount: str, step: str) -> None:
    assert stated_step(Decimal(amount)) == Decimal(step)


@pytest.mark.parametrize(
    ("comparator", "amount", "lower", "upper", "value", "plausible", "rule"),
    [
        ("eq", "13", None, None, "[13,13]", "[13,13]", "exact"),
        ("approx", "13", None, None, "[12.5,13.5)", "[12.5,13.5)", "half_step"),
        ("approx", "47000", None, None, "[46500,47500)", "[46500,47500)", "half_step"),
        ("approx", "13", "12", "15", "[12,15]", "[12,15]", "explicit_bounds"),
        ("approx", "13", "12", None, "[12,13.5)", "[12,13.5)", "explicit_bounds"),
        ("gt", "47000", None, None, "(47000,)", "(47000,48000)", "next_step"),
        ("ge", "47000", None, None, "[47000,)", "[47000,48000)", "next_step"),
        ("gt", "47000", None, "50000", "(47000,50000]", "(47000,50000]", "explicit_bounds"),
        ("lt", "50", None, None, "(,50)", "(40,50)", "next_step"),
        ("le", "50", None, None, "(,50]", "(40,50]", "next_step"),
        ("le", "50", "45", None, "[45,50]", "[45,50]", "explicit_bounds"),
        ("between", None, "3", "5", "[3,5]", "[3,5]", "explicit_bounds"),
    ],
)
def test_comparators_give_ranges(
    comparator: str,
    amount: str | None,
    lower: str | None,
    upper: str | None,
    value: str,
    plausible: str,
    rule: str,
) -> None:
    numbers = (Decimal(text) if text else None for text in (amount, lower, upper))
    expected = Reading(interval(value), interval(plausible), RangeRule(rule))
    assert read(Comparator(comparator), *numbers) == expected


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
def test_the_field_that_does_not_fit_is_named(
    comparator: str, amount: str | None, lower: str | None, upper: str | None, field: str
) -> None:
    numbers = (Decimal(text) if text else None for text in (amount, lower, upper))
    with pytest.raises(InvalidFigure) as refused:
        read(Comparator(comparator), *numbers)
    assert refused.value.field == field


@given(st.sampled_from(Comparator), st.booleans(), st.data())
def test_the_plausible_range_is_within_the_value_range(
    comparator: Comparator, nonnegative: bool, data: st.DataObject
) -> None:
    amounts = AMOUNTS.map(abs) if nonnegative else AMOUNTS
    lower, amount, upper = sorted(data.draw(st.tuples(amounts, amounts, amounts)))
    # The table above has the bounds that a comparator refuses.
    if comparator is Comparator.BETWEEN:
        numbers = [None, lower, upper]
    else:
        numbers = [
            amount,
            data.draw(st.sampled_from([None, lower])) if comparator in TAKE_LOWER else None,
            data.draw(st.sampled_from([None, upper])) if comparator in TAKE_UPPER else None,
        ]
    try:
        reading = read(comparator, *numbers, nonnegative=nonnegative)
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
    assert step.as_tuple().digits == (1,)
    assert (Fraction(amount) / Fraction(step)).denominator == 1


@given(st.sampled_from(SIMPLE), AMOUNTS, FACTORS, st.integers(-2, 2))
def test_a_scaled_range_contains_the_scaled_numbers(
    comparator: Comparator, amount: Decimal, factor: Decimal, distance: int
) -> None:
    stated = read(comparator, amount).plausible
    scaled = stated.scaled(factor)
    with localcontext(prec=200):
        number = amount + distance * stated_step(amount) / 2
        assert contains(scaled, number * factor) is contains(stated, number)


# Amounts of at most six digits, exact in both units.
METRES_PER_SECOND = st.builds(
    lambda tens, places: Decimal(tens).scaleb(1 - places),
    st.integers(-27_777, 27_777),
    st.integers(0, 6),
)


@given(st.sampled_from(SIMPLE), METRES_PER_SECOND)
def test_equal_speeds_in_different_units_agree(comparator: Comparator, amount: Decimal) -> None:
    there, here = measure("km/h"), measure("m/s")
    with localcontext(prec=200):
        kilometres = amount * Decimal("3.6")
    left = read(Comparator.EQ, kilometres).scaled(there.factor)
    right = read(Comparator.EQ, amount).scaled(here.factor)
    assert left == right
    # Only the value ranges agree, because the stated digits have different steps.
    bounds = read(comparator, kilometres).scaled(there.factor)
    assert contains(bounds.value, amount) is contains(read(comparator, amount).value, amount)


@given(st.sampled_from(SIMPLE), AMOUNTS, st.booleans())
def test_rounding_keeps_the_plausible_range_within_the_value_range(
    comparator: Comparator, amount: Decimal, nonnegative: bool
) -> None:
    try:
        reading = read(comparator, amount, nonnegative=nonnegative)
    except InvalidFigure:
        assume(False)
    scaled = reading.scaled(measure("km/h").factor)
    assert not is_empty(scaled.plausible)
    assert is_within(scaled.plausible, scaled.value)
    if comparator is Comparator.EQ:
        assert scaled.value.lower == scaled.value.upper


def test_a_range_too_narrow_for_twelve_digits_is_not_rounded() -> None:
    factor = measure("km/h").factor
    reading = read(Comparator.GT, Decimal("36.12345678901234")).scaled(factor)
    assert reading.value.lower == Fraction("36.12345678901234") * Fraction(factor)
    assert not is_empty(reading.plausible)


@given(st.sampled_from(SIMPLE), AMOUNTS, FACTORS)
def test_an_exact_factor_scales_exactly(
    comparator: Comparator, amount: Decimal, factor: Decimal
) -> None:
    stated = read(comparator, amount)
    scaled = stated.scaled(factor)
    assert scaled.value == stated.value.scaled(factor)
    assert scaled.plausible == stated.plausible.scaled(factor)


def test_equal_areas_in_different_units_agree() -> None:
    hectares, square_kilometres = measure("har"), measure("km2")
    assert hectares.dimension is square_kilometres.dimension is Dimension.AREA
    left = read(Comparator.EQ, Decimal(87)).value.scaled(hectares.factor)
    right = read(Comparator.EQ, Decimal("0.87")).value.scaled(square_kilometres.factor)
    assert left == right


@pytest.mark.parametrize(
    ("code", "dimension", "factor"),
    [
        ("1", Dimension.COUNT, "1"),
        ("%", Dimension.RATIO, "0.01"),
        ("{case}", Dimension.COUNT, "1"),
        ("10*3", Dimension.COUNT, "1000"),
        ("10^6{people}", Dimension.COUNT, "1000000"),
        ("[ppth]", Dimension.RATIO, "0.001"),
        ("[ppm]", Dimension.RATIO, "0.000001"),
        ("[ppb]", Dimension.RATIO, "1E-9"),
        ("[pptr]", Dimension.RATIO, "1E-12"),
        ("%{x}", Dimension.RATIO, "0.01"),
        ("10*-3", Dimension.RATIO, "0.001"),
        ("g/kg", Dimension.RATIO, "0.001"),
        ("mg/g", Dimension.RATIO, "0.001"),
        ("m/m", Dimension.RATIO, "1"),
        ("mol/mol", Dimension.RATIO, "1"),
        ("{case}/{person}", Dimension.RATIO, "1"),
        ("{case}/10*5", Dimension.RATIO, "0.00001"),
        ("km", Dimension.LENGTH, "1000"),
        ("m2", Dimension.AREA, "1"),
        ("L", Dimension.VOLUME, "0.001"),
        ("t", Dimension.MASS, "1000"),
        ("h", Dimension.DURATION, "3600"),
        ("km/h", Dimension.SPEED, "0.277777777777778"),
        ("kW.h", Dimension.ENERGY, "3600000"),
        ("MW", Dimension.POWER, "1000000"),
        ("HKD", Dimension.MONEY, "1"),
        ("CNY", Dimension.MONEY, "1"),
    ],
)
def test_units_have_a_dimension_and_a_factor(code: str, dimension: Dimension, factor: str) -> None:
    measured = measure(code)
    assert (measured.dimension, measured.factor) == (dimension, Decimal(factor))


@pytest.mark.parametrize(
    "code", ["", "nonsense", "hkd", "Cel", "m s", "K", "m" * 41, "深", "1E99", "m-2000", "/0"]
)
def test_other_codes_are_refused(code: str) -> None:
    with pytest.raises(InvalidUnit):
        measure(code)


@pytest.mark.parametrize(
    "code",
    [
        "deg",
        "rad",
        "sr",
        "[pi]",
        "bit",
        "By",
        "kBy",
        "%[slope]",
        "[car_Au]",
        "%2",
        "%.%",
        "2",
        "{a}.{b}",
        "10*3.10*2",
        "mol",
    ],
)
def test_a_dimensionless_unit_that_is_neither_a_count_nor_a_ratio_is_refused(code: str) -> None:
    with pytest.raises(InvalidUnit, match="has a dimension that no metric measures"):
        measure(code)


@pytest.mark.parametrize(
    "code",
    [
        "'",
        "''",
        "B",
        "kB",
        "MB",
        "GB",
        "dB",
        "B{x}",
        "B/s",
        "m/s.kB",
        "(B)",
        "/B",
        "1/''",
        "B2",
        "'-1",
        "{a}'",
        "{a}B",
        "m/{a}MB",
    ],
)
def test_angles_and_levels_are_not_read_as_times_and_bytes(code: str) -> None:
    with pytest.raises(InvalidUnit, match="an angle or a level"):
        measure(code)


@pytest.mark.parametrize(
    ("code", "same"),
    [("min{'}", "min"), ("m{B}", "m"), ("10*7{u123}", "10*7"), ("{B}", "1"), ("m{2023}", "m")],
)
def test_an_annotation_changes_nothing(code: str, same: str) -> None:
    assert measure(code) == measure(same)


@pytest.mark.parametrize("code", ["XXX", "XTS", "XBA", "XBB", "XBC", "XBD"])
def test_iso_4217_codes_that_are_not_currencies_are_refused(code: str) -> None:
    with pytest.raises(InvalidUnit):
        measure(code)


@pytest.mark.parametrize("code", ["HKD", "XAU", "XDR", "CHE"])
def test_funds_and_metals_are_money(code: str) -> None:
    assert measure(code) == Measure(Dimension.MONEY, Decimal(1))


@pytest.mark.parametrize(
    "code", ["10*99999999", "10*999", "Ym999", "9999999999", "m1000", "{a}100"]
)
def test_a_unit_too_large_to_compute_with_is_refused(code: str) -> None:
    with pytest.raises(InvalidUnit, match="too large"):
        measure(code)


def test_an_annotation_alone_is_a_count() -> None:
    assert measure("{people}") == Measure(Dimension.COUNT, Decimal(1))


def test_base_units_have_the_factor_one() -> None:
    assert set(BASE_UNITS) == set(Dimension) - {Dimension.MONEY}
    for dimension, code in BASE_UNITS.items():
        measured = measure(code)
        assert measured.factor == 1
        assert measured.dimension == dimension or dimension is Dimension.RATIO
