"""The dimensions of units, and their factors to base units."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest

from hksz_db.domain import ucum
from hksz_db.domain.quantities import BASE_UNITS, InvalidUnit, Measure, measure
from hksz_db.domain.vocabulary import Dimension


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


@pytest.mark.parametrize(
    ("name", "code"),
    [("RMB", "CNY"), ("HK$", "HKD"), ("rmb", "CNY"), ("yuan", "CNY"), ("US$", "USD")],
)
def test_the_code_of_a_currency_is_named(name: str, code: str) -> None:
    with pytest.raises(InvalidUnit, match=f"The code of the currency .* is {code}"):
        measure(name)


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ha", "har"),
        ("km²", "km2"),
        ("sqkm", "km2"),
        ("Acres", r"\[acr_us\]"),
        ("‰", r"\[ppth\]"),
        ("kwh", "kW.h"),
        ("pct", "%"),
    ],
)
def test_the_code_of_a_unit_is_named(name: str, code: str) -> None:
    with pytest.raises(InvalidUnit, match=f"The code of the unit .* is {code}"):
        measure(name)


@pytest.mark.parametrize("name", ["tons", "centuries", "people"])
def test_words_without_one_code_have_no_advice(name: str) -> None:
    with pytest.raises(InvalidUnit, match="neither a UCUM code"):
        measure(name)


def test_threads_that_need_the_definitions_first_share_one_registry(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = []

    def build(**options: type) -> object:
        built.append(options)
        return registry(**options)

    registry = ucum.PintUcumRegistry  # type: ignore[attr-defined]
    monkeypatch.setattr(ucum, "PintUcumRegistry", build)
    ucum._registry.cache_clear()
    with ThreadPoolExecutor(4) as threads:
        found = [*threads.map(ucum.in_base_units, ["km", "m", "cm", "mm"])]
    assert len(built) == 1
    assert {each.dimensionality for each in found if each} == {"[length]"}
