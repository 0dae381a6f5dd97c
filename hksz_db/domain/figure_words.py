"""The English words and signs that state a figure: numbers, comparators, units and currencies.

Names of several words and signs are written with spaces. ``stated_figures`` compares them without
regard to case, hyphens and the points of abbreviations.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from hksz_db.domain import chinese_numbers
from hksz_db.domain.vocabulary import Comparator, Dimension


@dataclass(frozen=True)
class Unit:
    """The code of a unit (UCUM or ISO 4217), and how many of it the word stands for.

    Without a code, ``note`` says why: the word is ambiguous, or ``refused`` because no unit could
    make an amount of its number. ``may_be`` are all codes that an ambiguous word can stand for, if
    they are few.
    """

    code: str | None
    times: int = 1
    note: str = ""
    refused: bool = False
    may_be: tuple[str, ...] = ()


@dataclass(frozen=True)
class BoundsInWords:
    """A share that is stated without a number, such as "most", in per cent."""

    comparator: Comparator
    amount: Decimal
    lower_bound: Decimal | None = None
    upper_bound: Decimal | None = None


_ONES = (
    "zero, one, two, three, four, five, six, seven, eight, nine, ten, eleven, twelve, thirteen, "
    "fourteen, fifteen, sixteen, seventeen, eighteen, nineteen"
)
_TENS = "twenty, thirty, forty, fifty, sixty, seventy, eighty, ninety"
SMALL_NUMBERS = {word: number for number, word in enumerate(_ONES.split(", "))} | {
    word: 10 * number for number, word in enumerate(_TENS.split(", "), start=2)
}

SCALES = {
    "thousand": 10**3,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
    "hundred": 100,
    "dozen": 12,
    "lakh": 10**5,
    "crore": 10**7,
    "k": 10**3,
    "m": 10**6,
    "mn": 10**6,
    "mln": 10**6,
    "b": 10**9,
    "bn": 10**9,
    "bln": 10**9,
    "tn": 10**12,
    "trn": 10**12,
    "t": 10**12,
    "mio": 10**6,
    "mm": 10**6,
    "milliard": 10**9,
} | {
    f"{word}s": 10**power
    for word, power in (("million", 6), ("milliard", 9), ("billion", 9), ("trillion", 12))
}
SCALES |= chinese_numbers.SCALES

MULTIPLIED_SCALES = ("hundred", "thousand", "lakh")
"""Scales that another one may follow: "hundred million"."""

FRACTION_WORDS = {
    "half": 2,
    "third": 3,
    "quarter": 4,
    "fourth": 4,
    "fifth": 5,
    "sixth": 6,
    "seventh": 7,
    "eighth": 8,
    "ninth": 9,
    "tenth": 10,
    "twentieth": 20,
    "hundredth": 100,
    "thousandth": 1000,
}
FRACTION_PLURALS = {"halves": 2} | {
    f"{word}s": parts for word, parts in FRACTION_WORDS.items() if word != "half"
}

# ``EQ`` stands for "exactly", ``None`` for words that change nothing.
_LEADING: dict[Comparator | None, str] = {
    Comparator.EQ: "exactly, precisely, =, equal to",
    Comparator.APPROX: (
        "about, some, around, roughly, approximately, approx, circa, ca, c, an estimated, "
        "estimated, estimated at, est, close to, in the region of, in the order of, "
        "of the order of, on the order of, broadly, ~, ≈, ≃, ≅"
    ),
    Comparator.GT: (
        "over, more than, above, exceeding, in excess of, greater than, higher than, "
        "larger than, just over, just above, slightly over, slightly above, "
        "slightly more than, a little over, a little more than, well over, well above, "
        "well in excess of, far more than, >"
    ),
    Comparator.GE: (
        "at least, no fewer than, no less than, not fewer than, not less than, a minimum of, "
        "minimum of, minimum, min, upwards of, as few as, as little as, ≥, ≧, > ="
    ),
    Comparator.LT: (
        "under, less than, fewer than, below, nearly, almost, just under, just below, "
        "slightly under, slightly below, slightly less than, a little under, "
        "a little less than, well under, well below, approaching, lower than, smaller than, "
        "short of, just short of, not quite, <"
    ),
    Comparator.LE: (
        "up to, at most, at the most, no more than, not more than, not exceeding, "
        "a maximum of, maximum of, maximum, max, as many as, as much as, as high as, ≤, ≦, < ="
    ),
    None: (
        "the, its, their, these, those, another, a further, further, additional, "
        "an additional, only, just, a mere, a record, record, a total of, total of, totals of, "
        "a total, total, in total, altogether, in all, worth, valued at, was, were, is, are, "
        "has, have, had, been, reached, reaching, reaches, totalled, totaled, totalling, "
        "totaling, totals, amounted to, amounting to, amounts to, stood at, standing at, "
        "stands at, came to, rose to, grew to, increased to, fell to, dropped to, "
        "decreased to, numbered, numbering, comprised, comprises, an area of, a total area of, "
        "a population of, a budget of, a cost of, at a cost of, a value of, a sum of, "
        "a length of, covers, covering, occupies, occupying, spans, spanning, costs, costing, "
        "received, approved, attracted, attracting, creates, created, creating, provides, "
        "provided, providing, employs, employed, employing, accommodates, accommodating, +"
    ),
}
_TRAILING: dict[Comparator | None, str] = {
    Comparator.EQ: "exactly, precisely",
    Comparator.APPROX: "or so, odd, or thereabouts, approximately, more or less",
    Comparator.GE: (
        "or more, or above, or over, or higher, or greater, or longer, and above, and over, "
        "and more, and higher, at least, at the least, at minimum, minimum, +"
    ),
    Comparator.LT: chinese_numbers.UNDER,
    Comparator.LE: (
        "or less, or fewer, or below, or under, or lower, or shorter, and below, and under, "
        "and less, at most, at the most, at maximum, maximum, max"
    ),
    None: (
        "in total, in all, altogether, all told, overall, only, alone, year on year, "
        "month on month, quarter on quarter, year over year, yoy, y o y, y / y, qoq, q o q, q / q, "
        "mom, m o m, m / m, TEU, TEUs"
    ),
}
LEADING = {
    phrase: comparator for comparator, phrases in _LEADING.items() for phrase in phrases.split(", ")
}
TRAILING = {
    phrase: comparator
    for comparator, phrases in _TRAILING.items()
    for phrase in phrases.split(", ")
}

_SHARES = {
    "most, a majority, the majority, majority": BoundsInWords(
        Comparator.GT, Decimal(50), upper_bound=Decimal(100)
    ),
    "a large majority, the large majority, a vast majority, the vast majority, a great majority, "
    "the great majority, an overwhelming majority, the overwhelming majority": BoundsInWords(
        Comparator.GT, Decimal(70), upper_bound=Decimal(100)
    ),
    "nearly all, almost all, virtually all, practically all": BoundsInWords(
        Comparator.LT, Decimal(100), lower_bound=Decimal(90)
    ),
    "a minority, the minority, minority": BoundsInWords(
        Comparator.LT, Decimal(50), lower_bound=Decimal(0)
    ),
    "all": BoundsInWords(Comparator.EQ, Decimal(100)),
    "none": BoundsInWords(Comparator.EQ, Decimal(0)),
}
SHARES = {name: share for names, share in _SHARES.items() for name in names.split(", ")}

MULTIPLES = {
    word: Fraction(multiple)
    for multiple, listed in (
        ("1/2", "halved, halving"),
        ("2", "doubled, doubling, twofold"),
        ("3", "tripled, tripling, trebled, trebling, threefold"),
        ("4", "quadrupled, quadrupling, fourfold"),
        ("5", "quintupled, quintupling, fivefold"),
        ("6", "sixfold"),
        ("7", "sevenfold"),
        ("8", "eightfold"),
        ("9", "ninefold"),
        ("10", "tenfold"),
        ("20", "twentyfold"),
        ("100", "hundredfold"),
    )
    for word in listed.split(", ")
}
"""Words that state how many times as much something has become."""

COMPARED_MULTIPLES = {
    "double": Fraction(2),
    "twice": Fraction(2),
    "triple": Fraction(3),
    "treble": Fraction(3),
    "thrice": Fraction(3),
    "quadruple": Fraction(4),
}
"""Words that are multiples only before what they compare with: not in "double-digit"."""

# Singulars in -s, and the American spellings of metre and litre, are derived.
_UNITS = {
    "%": "per cent, percent, pct, %",
    "[ppth]": "per mille, per thousand, per 1,000, per 1000, ‰",
    "[ppm]": "parts per million, per million, ppm",
    "[ppb]": "parts per billion, ppb",
    "10*-5": "per 100,000, per 100000",
    "har": "hectares, ha",
    "km2": "square kilometres, square km, sq kilometres, sq km, sqkm, km2",
    "m2": "square metres, sq metres, sqm, sq m, m2",
    "cm2": "square centimetres, sq cm, cm2",
    "[sft_i]": "square feet, sq feet, sq ft, sqft, ft2",
    "[mi_i]2": "square miles, sq miles, sq mi",
    "[syd_i]": "square yards, sq yards, sq yd",
    "[acr_us]": "acres",
    "km": "kilometres, kms, km",
    "m": "metres",
    "cm": "centimetres, cm",
    "mm": "millimetres, mm",
    "[mi_i]": "miles, mi",
    "[nmi_i]": "nautical miles",
    "[ft_i]": "feet, ft",
    "[in_i]": "inches",
    "[yd_i]": "yards, yd",
    "m3": "cubic metres, cu metres, cu m, m3",
    "km3": "cubic kilometres, km3",
    "[ft_i]3": "cubic feet, cu ft",
    "L": "litres, l",
    "mL": "millilitres, ml",
    "[bbl_us]": "barrels, bbl",
    "t": "tonnes, metric tons, t",
    "kt": "kilotonnes, kt",
    "Mt": "megatonnes",
    "kg": "kilograms, kilogrammes, kilos, kgs, kg",
    "g": "grams, grammes",
    "mg": "milligrams, mg",
    "[lb_av]": "lbs, lb",
    "W": "watts",
    "kW": "kilowatts, kw",
    "MW": "megawatts, mw",
    "GW": "gigawatts, gw",
    "TW": "terawatts, tw",
    "J": "joules",
    "MJ": "megajoules, mj",
    "GJ": "gigajoules, gj",
    "TJ": "terajoules, tj",
    "kW.h": "kilowatt hours, kwh",
    "MW.h": "megawatt hours, mwh",
    "GW.h": "gigawatt hours, gwh",
    "TW.h": "terawatt hours, twh",
    "s": "seconds, secs",
    "ms": "milliseconds",
    "min": "minutes, mins",
    "h": "hours, hrs, hr, h",
    "d": "days",
    "wk": "weeks, wks, wk",
    "mo": "months, mths",
    "a": "years, yrs, yr",
    "km/h": "kilometres per hour, kilometres an hour, km per hour, km an hour, km / h, kph, kmh",
    "m/s": "metres per second, metres a second, m per second, m / s",
    "[mi_i]/h": "miles per hour, miles an hour, mph",
    "[kn_i]": "knots",
}

_CURRENCIES = {
    "HKD": "HK$, HK $, HKD, Hong Kong dollars, HK dollars",
    "CNY": "RMB, CNY, CNH, CN¥, yuan, renminbi, yuan renminbi, Chinese yuan",
    "MOP": "MOP, MOP$, Macau patacas, Macao patacas, patacas",
    "USD": "US$, US $, USD, US dollars, American dollars, United States dollars",
    "EUR": "€, EUR, euros",
    "GBP": "£, GBP, UK£, pounds sterling, British pounds, sterling",
    "JPY": "JPY, JP¥, Japanese yen, yen",
    "KRW": "₩, KRW, Korean won",
    "SGD": "S$, SGD, Singapore dollars",
    "TWD": "NT$, TWD, Taiwan dollars, New Taiwan dollars",
    "AUD": "A$, AU$, AUD, Australian dollars",
    "NZD": "NZ$, NZD, New Zealand dollars",
    "CAD": "C$, CA$, CAD, Canadian dollars",
    "CHF": "CHF, Swiss francs",
    "INR": "₹, INR, Indian rupees",
    "THB": "฿, THB, baht, Thai baht",
    "MYR": "MYR, Malaysian ringgit, ringgit",
    "IDR": "IDR, rupiah, Indonesian rupiah",
    "PHP": "₱, PHP, Philippine pesos",
    "VND": "₫, VND, Vietnamese dong",
    "RUB": "₽, RUB, roubles, rubles, Russian roubles",
    "BRL": "R$, BRL, Brazilian reais",
    "ZAR": "ZAR, rand, South African rand",
    "AED": "AED, dirhams",
    "SAR": "SAR, Saudi riyals",
    "SEK": "SEK, Swedish kronor",
    "NOK": "NOK, Norwegian kroner",
    "DKK": "DKK, Danish kroner",
    "MXN": "MX$, MXN, Mexican pesos",
}

_OTHER_UNITS = {
    "decades": Unit("a", times=10),
    "centuries": Unit("a", times=100),
    "fortnights": Unit("wk", times=2),
    "成": Unit("%", times=10),
}

_AMBIGUOUS_MONEY = {
    "$, dollars": "The currency is not known: several countries call theirs the dollar.",
    "rupees, pesos, francs, kroner, kronor, riyals": (
        "The currency is not known: several countries use the name."
    ),
    "pounds": "The unit is not known: pounds are a currency or a mass.",
}
_ANY_YUAN = "The currency is not known: 元 is the yuan, the Hong Kong dollar or another one."
_YUAN_OR_YEN = "The currency is not known: ¥ is the yuan or the yen."
_AMBIGUOUS_UNITS = {
    "tons": "The unit is not known: a ton is metric, long or short.",
    "mt": "The unit is not known: Mt is a megatonne, and mt a metric ton.",
    "gallons, gal": "The unit is not known: a gallon is imperial or American.",
    "ounces, oz": "The unit is not known: there are several kinds of ounce.",
}
_REFUSED = {
    "percentage points, percent points, per cent points, % points, pp, ppt, ppts, "
    "basis points, bps": ("The text states the difference of two shares."),
    "cents, pence": "The text states a part of a currency.",
    "pc": "The text states per cent, or pieces.",
    "mil, thou, yi": "The text states a number in a unit that is not clear.",
    "degrees Celsius, degrees Fahrenheit": "The text states a temperature, which no metric has.",
    "Chinese measures": "The text states a measure that differs between places.",
    "figures, digits": "The text states how many digits a number has.",
    "times, fold, x": "The text states a multiple, or how often something happens.",
}

BY_DIMENSION = {
    "m": {Dimension.LENGTH: Unit("m")},
    "g": {Dimension.MASS: Unit("g")},
    "s": {Dimension.DURATION: Unit("s")},
    "pound": {Dimension.MONEY: Unit("GBP"), Dimension.MASS: Unit("[lb_av]")},
    "pounds": {Dimension.MONEY: Unit("GBP"), Dimension.MASS: Unit("[lb_av]")},
}
"""Words that are units of one dimension, and something else or nothing in other figures."""


_IRREGULAR = {"feet": "foot", "inches": "inch", "centuries": "century"}


def singular(name: str) -> str:
    """The name of one unit: "square foot", "mile per hour"."""
    for plural, one in _IRREGULAR.items():
        if name.endswith(plural):
            return name.removesuffix(plural) + one
    return re.sub(r"(?<=\w{3})s(?= (?:per|an?) |$)", "", name)


def _spellings(name: str) -> Iterator[str]:
    for spelling in {name, name.replace("metre", "meter").replace("litre", "liter")}:
        yield spelling
        yield singular(spelling)


def _by_name(names: Mapping[str, str]) -> dict[str, Unit]:
    return {
        spelling: Unit(code)
        for code, listed in names.items()
        for name in listed.split(", ")
        for spelling in _spellings(name)
    }


def _by_note(notes: Mapping[str, str], *, refused: bool = False) -> dict[str, Unit]:
    return {
        spelling: Unit(None, note=note, refused=refused)
        for names, note in notes.items()
        for name in names.split(", ")
        for spelling in _spellings(name)
    }


UNITS = (
    _by_name(_UNITS)
    | _by_note(_AMBIGUOUS_UNITS)
    | {
        spelling: unit
        for names, unit in _OTHER_UNITS.items()
        for name in names.split(", ")
        for spelling in _spellings(name)
    }
    | _by_note(_REFUSED, refused=True)
)
CURRENCIES = _by_name(_CURRENCIES)
UNIT_NAMES = {code: names.split(", ")[0] for code, names in _UNITS.items()}
CURRENCY_SIGNS = {code: names.split(", ")[0] for code, names in _CURRENCIES.items()}
"""How a figure is written in a unit and in a currency, by code."""
MONEY_NAMES = (
    CURRENCIES
    | _by_note(_AMBIGUOUS_MONEY)
    | {"¥": Unit(None, note=_YUAN_OR_YEN, may_be=("CNY", "JPY"))}
    | {"元": Unit(None, note=_ANY_YUAN, may_be=("CNY", "HKD", "MOP", "TWD"))}
)
CURRENCY_PREFIXES = {
    name: unit for name, unit in CURRENCIES.items() if not re.search("[a-z]", name)
} | {sign: MONEY_NAMES[sign] for sign in "$¥"}
"""The signs and codes that stand before a number."""

MONEY = frozenset(MONEY_NAMES.values())
NO_UNIT = Unit(None)
SHARE = Unit("%", times=100)


def _set(listed: str) -> frozenset[str]:
    return frozenset(listed.split())


_VERBS = {
    1: (
        "rose, rises, rising, risen, grew, grows, growing, grown, increased, increases, "
        "increasing, climbed, climbs, jumped, surged, soared, expanded, up"
    ),
    -1: (
        "fell, falls, falling, fallen, dropped, drops, dropping, decreased, decreases, "
        "decreasing, declined, declines, declining, shrank, shrunk, contracted, slipped, slid, "
        "plunged, down"
    ),
}
_NOUNS = {
    1: "increase, rise, growth, gain, jump, surge",
    -1: "decrease, fall, drop, decline, reduction, contraction",
}
CHANGE_NOUNS = {noun: sign for sign, nouns in _NOUNS.items() for noun in nouns.split(", ")}
"""Whether "a 5 % increase" is a rise or a fall: 1 or -1."""
BARE_CHANGES = {verb: sign for sign, verbs in _VERBS.items() for verb in verbs.split(", ")}
"""Words that state a change ("rose 5 %") unless they say which level was reached."""
CHANGES = (
    BARE_CHANGES
    | {f"{verb} by": sign for verb, sign in BARE_CHANGES.items()}
    | {"reduced by": -1, "cut by": -1, "raised by": 1}
    | {
        f"{article}{noun} of": sign
        for noun, sign in CHANGE_NOUNS.items()
        for article in ("", "a ", "an ")
    }
)
"""What stands before the number that says by how much something rose (1) or fell (-1)."""
LEVELS = _set("above below under beneath beyond short high low from")
"""Words after "rose" and "fell" that state the level reached: "fell below 5 %"."""
AFTER_CHANGE = _set("in on from over since compared year")
"""What may follow the noun of "a 1,200 increase", which is no attribute of what is counted."""

DETERMINERS = _set("the its their these those all")
PER = _set("per a an each every apiece annually monthly daily")
"""Words that begin what an amount is counted for: "a month", "per person"."""

ORDINAL_SUFFIXES = _set("st nd rd th")
AFTER_FRACTION = _set("of to and or in as by at from for a an")
"""Words after which "a third" is not an ordinal."""

JOINING = _set("or and between times")
AFTER_MULTIPLE = _set("as the that those its their what")
GROWTH = _set("multiplied by")
"""Words that may stand before "threefold", like those that state a rise."""

# They make a difference or a rate of the number before them, or deny it.
CERTAIN_DIFFERENCES = _set(
    "more less fewer than not minus except per apiece annually monthly daily "
    f"每 人均 比 较 較 倍 第 除 扣 不 未 没 沒 {chinese_numbers.REST} {chinese_numbers.WIDE_REST}"
)
DIFFERENCES = _set("up down above below short plus no but")
COMPARATIVES = _set(
    "higher lower greater larger smaller bigger faster slower longer shorter older younger"
)
