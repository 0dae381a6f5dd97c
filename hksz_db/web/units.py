"""Units by their names in the language of the page."""

from collections.abc import Mapping
from functools import lru_cache

from babel.numbers import get_currency_name
from babel.units import get_unit_name

from hksz_db.domain.figure_words import CURRENCY_SIGNS, UNIT_NAMES
from hksz_db.web.interface import interface, locale

_IN_SIGNS = {"1": "", "%": "%"}
_IN_CLDR: Mapping[str, str] = {
    "[ppth]": "concentr-permille",
    "[ppm]": "concentr-part-per-1e6",
    "[ppb]": "concentr-part-per-1e9",
    "har": "area-hectare",
    "km2": "area-square-kilometer",
    "m2": "area-square-meter",
    "cm2": "area-square-centimeter",
    "[sft_i]": "area-square-foot",
    "[mi_i]2": "area-square-mile",
    "[syd_i]": "area-square-yard",
    "[acr_us]": "area-acre",
    "km": "length-kilometer",
    "m": "length-meter",
    "cm": "length-centimeter",
    "mm": "length-millimeter",
    "[mi_i]": "length-mile",
    "[nmi_i]": "length-nautical-mile",
    "[ft_i]": "length-foot",
    "[in_i]": "length-inch",
    "[yd_i]": "length-yard",
    "m3": "volume-cubic-meter",
    "km3": "volume-cubic-kilometer",
    "[ft_i]3": "volume-cubic-foot",
    "L": "volume-liter",
    "mL": "volume-milliliter",
    "t": "mass-tonne",
    "kg": "mass-kilogram",
    "g": "mass-gram",
    "mg": "mass-milligram",
    "[lb_av]": "mass-pound",
    "W": "power-watt",
    "kW": "power-kilowatt",
    "MW": "power-megawatt",
    "GW": "power-gigawatt",
    "J": "energy-joule",
    "kW.h": "energy-kilowatt-hour",
    "km/h": "speed-kilometer-per-hour",
    "m/s": "speed-meter-per-second",
    "[mi_i]/h": "speed-mile-per-hour",
    "s": "duration-second",
    "min": "duration-minute",
    "h": "duration-hour",
    "d": "duration-day",
    "wk": "duration-week",
    "mo": "duration-month",
    "a": "duration-year",
}
"""The names of units in the Unicode Common Locale Data Repository, by UCUM code."""


def unit_in_words(code: str) -> str:
    """The name of a unit, for several of it; empty for pure numbers."""
    return _IN_SIGNS[code] if code in _IN_SIGNS else _unit_in_words(code, interface().tag)


@lru_cache(maxsize=1024)
def _unit_in_words(code: str, _: str) -> str:
    # The tag of the interface is only a key.
    if code in CURRENCY_SIGNS:
        return get_currency_name(code, 2, locale())
    if (name := _IN_CLDR.get(code)) is not None:
        return get_unit_name(name, "long", locale()) or code
    return UNIT_NAMES.get(code, code) if interface().tag == "en" else code
