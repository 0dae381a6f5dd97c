"""Warnings: which doubts about claims, figures and evidence are named, and which are not."""

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain.chronology import Period, parse
from hksz_db.domain.quantities import measure
from hksz_db.domain.ranges import Statement
from hksz_db.domain.stated_figures import read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure, Modality, Stance
from hksz_db.domain.warnings import (
    WrittenClaim,
    WrittenFigure,
    is_plainly_stated,
    of_claim,
    of_evidence,
    of_figure,
)

TODAY = date(2024, 6, 30)


def _parsed(edtf: str | None) -> Period | None:
    return None if edtf is None else parse(edtf)


def _figure(
    words: str,
    comparator: str,
    amount: str,
    unit: str = "1",
    *,
    dimension: str = "count",
    measured: str = "level",
    modality: str = "actual",
    period: str | None = None,
    **others: object,
) -> WrittenFigure:
    statement = Statement(
        Comparator(comparator),
        Decimal(amount),
        as_stated=words,
        measure=MetricMeasure(measured),
        **others,  # type: ignore[arg-type]
    )
    factor = measure(unit).factor
    return WrittenFigure(
        statement, Dimension(dimension), unit, factor, Modality(modality), _parsed(period)
    )


def _claim(
    statement: str = "So it was.",
    modality: str = "actual",
    time: str | None = None,
    due: str | None = None,
) -> WrittenClaim:
    return WrittenClaim(statement, Modality(modality), _parsed(time), _parsed(due))


@pytest.mark.parametrize(
    ("figure", "fields"),
    [
        (_figure("over 47,000", "gt", "74000"), ["amount"]),
        (_figure("over 47,000", "lt", "47000"), ["comparator"]),
        (_figure("over 47,000", "ge", "47000"), ["comparator"]),
        (_figure("HK$12.3 billion", "eq", "12.3", "HKD", dimension="money"), ["amount"]),
        (_figure("HK$12.3 billion", "eq", "12300000000", "CNY", dimension="money"), ["unit_code"]),
        (_figure("87 hectares", "eq", "87", "m2", dimension="area"), ["amount"]),
        (_figure("5 km", "eq", "5", "har", dimension="area"), ["unit_code"]),
        (_figure("30 to 40", "eq", "35"), ["comparator", "amount"]),
        (_figure("one in three", "eq", "30", "%", dimension="ratio"), ["amount"]),
        (_figure("about 13", "approx", "13", lower_bound=Decimal(12)), ["lower_bound"]),
        (
            _figure("doubled", "eq", "200", "%", dimension="ratio", measured="growth_rate"),
            ["amount"],
        ),
        # Nothing differs.
        (_figure("over 47,000", "gt", "47000"), []),
        (_figure("over 47,000", "gt", "47", "10*3"), []),
        (_figure("HK$12.3 billion", "eq", "12300000000", "HKD", dimension="money"), []),
        (_figure("87 hectares", "eq", "0.87", "km2", dimension="area"), []),
        (_figure("5.2 per cent", "eq", "0.052", "1", dimension="ratio"), []),
        (_figure("one in three", "eq", "33.3", "%", dimension="ratio"), []),
        (_figure("a third", "eq", "0.333", "1", dimension="ratio"), []),
        (_figure("most", "gt", "50", "%", dimension="ratio", upper_bound=Decimal(100)), []),
        (_figure("doubled", "eq", "100", "%", dimension="ratio", measured="growth_rate"), []),
        (_figure("doubled", "eq", "2", "1", dimension="ratio", measured="ratio_to_base"), []),
        # The words name no known unit, or cannot be read.
        (_figure("$5 million", "eq", "5000000", "USD", dimension="money"), []),
        (_figure("87", "eq", "87", "har", dimension="area"), []),
        (_figure("quite a few", "approx", "30"), []),
    ],
    ids=lambda value: value.statement.as_stated if isinstance(value, WrittenFigure) else None,
)
def test_fields_that_differ_from_the_words_are_named(
    figure: WrittenFigure, fields: list[str]
) -> None:
    found = of_figure(figure, TODAY)
    assert [fault.pointer for fault in found] == [f"#/{name}" for name in fields]
    assert {fault.code for fault in found} <= {"differs_from_words"}


@pytest.mark.parametrize(
    ("words", "measured", "amount", "code"),
    [
        ("rose by 5 per cent", "level", "5", "measure_differs"),
        ("fell by 5 per cent", "share", "72", "measure_differs"),
        ("rose by 5 per cent", "growth_rate", "5", None),
        ("fell by 5 per cent", "growth_rate", "-5", None),
        ("fell by 5 per cent", "change", "-5", None),
        ("fell by 5 per cent", "growth_rate", "5", "differs_from_words"),
        ("rose by 5 per cent", "ratio_to_base", "105", None),
        ("rose to 5 per cent", "level", "5", None),
    ],
)
def test_words_that_state_a_change_are_for_metrics_of_changes(
    words: str, measured: str, amount: str, code: str | None
) -> None:
    figure = _figure(words, "eq", amount, "%", dimension="ratio", measured=measured)
    assert [fault.code for fault in of_figure(figure, TODAY)] == ([code] if code else [])


@pytest.mark.slow
@given(
    st.sampled_from(["", "over ", "about ", "at least ", "nearly ", "exactly ", "some ", "the "]),
    st.sampled_from(["47,000", "5.20", "1", "12.345", "87"]),
    st.sampled_from(["", " ha", " per cent", " %", " people", " or more", " million", " decades"]),
    st.sampled_from(["", " km2", " m"]),
)
def test_plainly_stated_figures_are_read_as_they_are_given(
    before: str, number: str, unit: str, after: str
) -> None:
    text = f"{before}{number}{unit}{after}"
    for comparator in ("eq", "gt", "ge", "lt", "approx"):
        for code, dimension in (("1", "count"), ("har", "area"), ("%", "ratio"), ("a", "duration")):
            figure = _figure(text, comparator, number.replace(",", ""), code, dimension=dimension)
            if is_plainly_stated(figure) and number != "12.345":
                stated = read_stated(text)
                assert (stated.comparator, stated.amount) == (comparator, figure.statement.amount)
                assert (stated.unit_code or "1") == code


@pytest.mark.parametrize(
    ("words", "comparator", "amount", "unit"),
    [
        ("over 47,000", "gt", "47000", "1"),
        ("47,681", "eq", "47681", "1"),
        ("87 ha", "eq", "87", "har"),
        ("nearly 5.2 per cent", "lt", "5.2", "%"),
    ],
)
def test_most_figures_are_plainly_stated(
    words: str, comparator: str, amount: str, unit: str
) -> None:
    assert is_plainly_stated(_figure(words, comparator, amount, unit))
    assert not is_plainly_stated(_figure(f"{words} times", comparator, amount, unit))


def test_the_warning_says_what_the_words_state() -> None:
    (found,) = of_figure(_figure("over 47,000", "gt", "74000"), TODAY)
    assert found.detail == "The words state 'over 47,000', but the figure has 74,000."
    (found,) = of_figure(_figure("at most 5", "eq", "5"), TODAY)
    assert found.detail == "The words state 'up to 5', but the figure has the comparator eq."


@pytest.mark.parametrize(
    ("comparator", "exact", "warned"),
    [("approx", True, True), ("gt", True, True), ("eq", True, False), ("approx", False, False)],
)
def test_exact_has_an_effect_only_on_eq(comparator: str, exact: bool, warned: bool) -> None:
    found = of_figure(_figure("some", comparator, "5", exact=exact), TODAY)
    assert [fault.code for fault in found] == ["exact_without_effect"] * warned


@pytest.mark.parametrize(
    ("modality", "period", "warned"),
    [
        ("actual", "2025", True),
        ("actual", "2024", False),
        ("actual", "../2030", False),
        ("actual", None, False),
        ("planned", "2025", False),
    ],
)
def test_what_is_actual_has_begun(modality: str, period: str | None, warned: bool) -> None:
    claims = of_claim(_claim(modality=modality, time=period), (), TODAY)
    assert [fault.code for fault in claims] == ["actual_in_future"] * warned
    figures = of_figure(_figure("5", "eq", "5", modality=modality, period=period), TODAY)
    assert [fault.code for fault in figures] == ["actual_in_future"] * warned


@pytest.mark.parametrize(
    ("statement", "time", "due", "warned"),
    [
        ("In 2022 the scheme began.", "2023", None, True),
        ("2022 was a good year.", "2023-03/..", None, True),
        ("Between 2019 and 2021 it grew.", "2023", None, True),
        ("By 2030 there will be 2,000 flats.", None, "2031", True),
        ("In 2023 the scheme began.", "2023", None, False),
        # Another year may be what the claim compares with.
        ("In 2023 it was more than in 2019.", "2023", None, False),
        ("By 2030 it will be built.", "2023", "2030", False),
        ("In 2022 the scheme began.", None, None, False),
        ("In 2022 the scheme began.", "../2023", None, False),
        # These are no years.
        ("They built 2022 flats.", "2023", None, False),
        ("It cost HK$2022.", "2023", None, False),
        ("There were 2,022 and 12022 of them.", "2023", None, False),
        ("It was 2022.5 or 2022 %.", "2023", None, False),
        ("Model X2022 was sold.", "2023", None, False),
    ],
)
def test_a_year_in_the_statement_is_that_of_the_claim(
    statement: str, time: str | None, due: str | None, warned: bool
) -> None:
    found = of_claim(_claim(statement, "opinion", time, due), ["2022 flats", "7"], TODAY)
    assert [fault.code for fault in found] == ["year_outside_time"] * warned


@pytest.mark.parametrize(
    ("claim", "stance", "issued", "code"),
    [
        (_claim(time="2023"), "asserts", "2022-12-31", "source_before_event"),
        (_claim(time="2023"), "disputes", "1999", "source_before_event"),
        (_claim(time="2023"), "asserts", "2022/2023", None),
        (_claim(time="2023"), "asserts", "2023-01", None),
        (_claim(time="2023"), "mentions", "1999", None),
        (_claim(time="2023"), "asserts", None, None),
        (_claim(time="../2023"), "asserts", "1999", None),
        (_claim(), "asserts", "1999", None),
        (_claim(modality="planned", time="2023", due="2023"), "asserts", "1999", None),
        (_claim(modality="planned", due="2023"), "asserts", "2024", "due_before_source"),
        (_claim(modality="planned", due="2023"), "asserts", "2023-12", None),
        (_claim(modality="planned", due="2023/.."), "asserts", "2024", None),
        (_claim(modality="forecast", due="2023"), "asserts", "2024", None),
    ],
)
def test_a_source_is_published_when_it_can_know(
    claim: WrittenClaim, stance: str, issued: str | None, code: str | None
) -> None:
    found = of_evidence(claim, Stance(stance), _parsed(issued))
    assert [fault.code for fault in found] == ([] if code is None else [code])
