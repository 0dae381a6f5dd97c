"""Reading figures as English texts state them."""
# ruff: noqa: RUF001 -- dashes, minus signs and full-width digits are read, too

import json
import re
import time
import unicodedata
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from hksz_db.domain import figure_words as words
from hksz_db.domain.quantities import measure
from hksz_db.domain.stated_figures import (
    StatedFigure,
    UnreadableFigure,
    phrase,
    read_stated,
    step_of,
)
from hksz_db.domain.vocabulary import Comparator, Dimension

# The phrase, then the comparator, the amount or the two bounds, the step and the unit.
PHRASES = """
Digits and separators
47,000 | eq | 47000 | 1000 |
47 000 | eq | 47000 | 1000 |
47\u00a0681 applications | eq | 47681 | 1 |
47\u202f681 applications | eq | 47681 | 1 |
47\u2009681 | eq | 47681 | 1 |
47681 | eq | 47681 | 1 |
1,234.5 | eq | 1234.5 | 0.1 |
1 234 567.89 | eq | 1234567.89 | 0.01 |
47.000 | eq | 47 | 0.001 |
2.980 | eq | 2.98 | 0.001 |
0.05 | eq | 0.05 | 0.01 |
.5 | eq | 0.5 | 0.1 |
36,000 | eq | 36000 | 1000 |
7,503,100 | eq | 7503100 | 100 |
123,456,789,012,345,678,901,234,567,891 | eq | 123456789012345678901234567891 | 1 |
10,000 | eq | 10000 | 5000 |
300 | eq | 300 | 50 |
0 | eq | 0 | 1 |
１２，３４５ | eq | 12345 | 1 |
４７．５％ | eq | 47.5 | 0.1 | %

Scale words
7.5 million | eq | 7500000 | 100000 |
7.50 million people | eq | 7500000 | 10000 |
5 million | eq | 5000000 | 500000 |
3 hundred million | eq | 300000000 | 50000000 |
47 thousand | eq | 47000 | 1000 |
1.2 trillion | eq | 1200000000000 | 100000000000 |
2.4 crore | eq | 24000000 | 1000000 |
65k followers | eq | 65000 | 1000 |
12m people | eq | 12000000 | 1000000 |
HK$12m | eq | 12000000 | 1000000 | HKD
US$4.5bn | eq | 4500000000 | 100000000 | USD
EUR 1.8 mn | eq | 1800000 | 100000 | EUR
HK$5t | eq | 5000000000000 | 500000000000 | HKD
HK$2tn | eq | 2000000000000 | 500000000000 | HKD
3 lakh tonnes | eq | 300000 | 50000 | t

Number words
seven | eq | 7 | 1 |
Seven bases | eq | 7 | 1 |
twenty-five | eq | 25 | 1 |
a hundred | eq | 100 | 50 |
one hundred and twenty | eq | 120 | 10 |
two hundred and fifty thousand | eq | 250000 | 10000 |
three hundred million | eq | 300000000 | 50000000 |
two thousand and five | eq | 2005 | 1 |
one million two hundred thousand people | eq | 1200000 | 100000 |
seven point five million | eq | 7500000 | 100000 |
twenty-one point five per cent | eq | 21.5 | 0.1 | %
two dozen | eq | 24 | 2 |
a dozen schools | eq | 12 | 2 |
half a dozen | eq | 6 | 2 |
half a million | eq | 500000 | 100000 |
a quarter of a million | eq | 250000 | 50000 |
one and a half million | eq | 1500000 | 100000 |
a million and a half | eq | 1500000 | 100000 |
2½ million | eq | 2500000 | 100000 |
six and three-quarters | eq | 6.75 | 0.05 |
zero | eq | 0 | 1 |

Ranges
between 3 and 5 million | between | 3000000 5000000 | 500000 |
between 3 million and 5 million | between | 3000000 5000000 | 500000 |
between one hundred and two hundred | between | 100 200 | 50 |
3–5 | between | 3 5 | 1 |
3-5 million | between | 3000000 5000000 | 500000 |
from 3 to 5 | between | 3 5 | 1 |
2 to 2.5 per cent | between | 2 2.5 | 0.1 | %
5% to 6% | between | 5 6 | 1 | %
two or three | between | 2 3 | 1 |
a year or two | between | 1 2 | 1 | a
HK$3 billion to HK$5 billion | between | 3000000000 5000000000 | 500000000 | HKD
HK$3-5 billion | between | 3000000000 5000000000 | 500000000 | HKD
500,000 to 1 million | between | 500000 1000000 | 50000 |
about 30 to 40 flats | between | 30 40 | 5 |
between −5 and 3 per cent | between | -5 3 | 1 | %
50〜60 | between | 50 60 | 5 |
three to five times | between | 3 5 | 0.6 | 1

Comparators before the number
over 47,000 | gt | 47000 | 1000 |
more than 150 companies | gt | 150 | 10 |
just over HK$500 million | gt | 500000000 | 50000000 | HKD
well over 1 million visitors | gt | 1000000 | 500000 |
in excess of 2,500 | gt | 2500 | 100 |
exceeding 35 degrees of freedom | gt | 35 | 1 |
> 5 % | gt | 5 | 1 | %
at least 35,000 | ge | 35000 | 1000 |
no fewer than 200 | ge | 200 | 50 |
not less than 25 per cent | ge | 25 | 1 | %
a minimum of 12 months | ge | 12 | 1 | mo
≥5 | ge | 5 | 1 |
>=5 | ge | 5 | 1 |
nearly 90,000 | lt | 90000 | 5000 |
almost 47 000 people | lt | 47000 | 1000 |
under 18 years | lt | 18 | 1 | a
fewer than 50 | lt | 50 | 5 |
less than one hectare | lt | 1 | 1 | har
just short of 8 million | lt | 8000000 | 500000 |
<0.1% | lt | 0.1 | 0.1 | %
up to HK$500,000 | le | 500000 | 50000 | HKD
as many as 1,200 jobs | le | 1200 | 100 |
no more than 15 minutes | le | 15 | 1 | min
not exceeding 37.5 metres | le | 37.5 | 0.1 | m
≤ 5 | le | 5 | 1 |
about 13 years | approx | 13 | 1 | a
some 36,000 | approx | 36000 | 1000 |
around 65,000 | approx | 65000 | 1000 |
roughly a thousand | approx | 1000 | 500 |
approx. 4.2 km | approx | 4.2 | 0.1 | km
c. 1,400 | approx | 1400 | 100 |
an estimated 2.3 million | approx | 2300000 | 100000 |
estimated at HK$2.8 billion | approx | 2800000000 | 100000000 | HKD
in the region of 40 hectares | approx | 40 | 5 | har
~50 | approx | 50 | 5 |
≈ 3.7 | approx | 3.7 | 0.1 |
a total of seven | eq | 7 | 1 |
total of seven | eq | 7 | 1 |
an estimated 40 or more | ge | 40 | 5 |
exactly 47,681 | eq | 47681 | 1 |
precisely 12 | eq | 12 | 1 |
only three | eq | 3 | 1 |
rose to 5.6 per cent | eq | 5.6 | 0.1 | %

Comparators after the number
a million or so | approx | 1000000 | 500000 |
30-odd companies | approx | 30 | 5 |
16 companies or more | ge | 16 | 1 |
65 years and above | ge | 65 | 1 | a
five or more | ge | 5 | 1 |
47,000+ | ge | 47000 | 1000 |
100-plus firms | ge | 100 | 50 |
12 hours at most | le | 12 | 1 | h
three or fewer | le | 3 | 1 |
1,200 flats in total | eq | 1200 | 100 |

Currencies
HK$12.3 billion | eq | 12300000000 | 100000000 | HKD
HK $5 | eq | 5 | 1 | HKD
HKD 1,000 | eq | 1000 | 500 | HKD
20 million Hong Kong dollars | eq | 20000000 | 5000000 | HKD
US$ 40 million | eq | 40000000 | 5000000 | USD
5 U.S. dollars | eq | 5 | 1 | USD
RMB3.5bn | eq | 3500000000 | 100000000 | CNY
RMB 3.5 billion yuan | eq | 3500000000 | 100000000 | CNY
800 million yuan | eq | 800000000 | 50000000 | CNY
1.1 billion renminbi | eq | 1100000000 | 100000000 | CNY
€1.25 | eq | 1.25 | 0.01 | EUR
£2.50 | eq | 2.5 | 0.01 | GBP
MOP 3 million | eq | 3000000 | 500000 | MOP
1,500 patacas | eq | 1500 | 100 | MOP
S$1.2 million | eq | 1200000 | 100000 | SGD
NT$750 | eq | 750 | 10 | TWD
a A$5.5 million grant | eq | 5500000 | 100000 | AUD
CHF 640 | eq | 640 | 10 | CHF
JPY 15 trillion | eq | 15000000000000 | 1000000000000 | JPY
$5 million | eq | 5000000 | 500000 |
a $5 million fund | eq | 5000000 | 500000 |
-HK$5.5 million | eq | -5500000 | 100000 | HKD

Units
87 hectares | eq | 87 | 1 | har
an 87-hectare site | eq | 87 | 1 | har
120.56 square kilometres | eq | 120.56 | 0.01 | km2
15 km² | eq | 15 | 1 | km2
15 ㎢ | eq | 15 | 1 | km2
15 km2 | eq | 15 | 1 | km2
15 sq km | eq | 15 | 1 | km2
31,000 square metres | eq | 31000 | 1000 | m2
850 sq. ft. | eq | 850 | 10 | [sft_i]
2m sq ft of offices | eq | 2000000 | 500000 | [sft_i]
26 miles | eq | 26 | 1 | [mi_i]
3000km | eq | 3000 | 500 | km
2.3 million tonnes a year | eq | 2300000 | 100000 | t
45 kg | eq | 45 | 1 | kg
1,500 MW | eq | 1500 | 100 | MW
3.2 GWh | eq | 3.2 | 0.1 | GW.h
640 million kilowatt-hours | eq | 640000000 | 10000000 | kW.h
350 km/h | eq | 350 | 10 | km/h
350 kilometers per hour | eq | 350 | 10 | km/h
5.4 million cubic meters | eq | 5400000 | 100000 | m3
two and a half hours | eq | 2.5 | 0.1 | h
an hour and a half | eq | 1.5 | 0.1 | h
half an hour | eq | 0.5 | 0.1 | h
two decades | eq | 20 | 5 | a
14 minutes | eq | 14 | 1 | min
5.2 per cent | eq | 5.2 | 0.1 | %
5.2% | eq | 5.2 | 0.1 | %
2.3 percent year-on-year | eq | 2.3 | 0.1 | %
minus 3.2 per cent | eq | -3.2 | 0.1 | %
−3.2% | eq | -3.2 | 0.1 | %
+3.2% | eq | 3.2 | 0.1 | %
0.3 percentage points | eq | 0.3 | 0.1 | %
half a percentage point | eq | 0.5 | 0.1 | %
25 basis points | eq | 25 | 1 | 10*-4
6.1 per 1,000 population | eq | 6.1 | 0.1 | [ppth]

Counted nouns
16 companies | eq | 16 | 1 |
over 47,000 applications under the scheme | gt | 47000 | 1000 |
12,500 COVID-19 cases | eq | 12500 | 100 |
47.3 tonnes of CO2 | eq | 47.3 | 0.1 | t
150 start-up companies | eq | 150 | 10 |
8 higher education institutions | eq | 8 | 1 |
an additional 1,600 hospital beds | eq | 1600 | 100 |

Totals
at least 10 of the 15 | ge | 10 | 5 |
two of the five bases | eq | 2 | 1 |
3 out of the 18 districts | eq | 3 | 1 |
all 15 | eq | 15 | 1 |
none of the 15 | eq | 0 | 1 |
25 per cent of the 400 flats | eq | 25 | 1 | %

Multiples
doubled | eq | 2 | 0.4 | 1
more than doubled | gt | 2 | 0.4 | 1
nearly tripled | lt | 3 | 0.6 | 1
twice | eq | 2 | 0.4 | 1
three times | eq | 3 | 0.6 | 1
three times as many | eq | 3 | 0.6 | 1
threefold | eq | 3 | 0.6 | 1
a ten-fold increase | eq | 10 | 2 | 1
1.5x | eq | 1.5 | 0.1 | 1
25 times | eq | 25 | 1 | 1
halved | eq | 0.5 | 0.1 | 1
half as many | eq | 0.5 | 0.1 | 1

Shares
half | eq | 0.5 | 0.1 | 1
nearly half | lt | 0.5 | 0.1 | 1
over half of the respondents | gt | 0.5 | 0.1 | 1
three quarters | eq | 0.75 | 0.05 | 1
three-fifths | eq | 0.6 | 0.08 | 1
one in four | eq | 0.25 | 0.05 | 1
roughly one in every five | approx | 0.2 | 0.04 | 1
9 out of 10 | eq | 0.9 | 0.02 | 1
500 in 1,000 | eq | 0.5 | 0.001 | 1
one in a million | eq | 0.000001 | 0.0000002 | 1
3/4 | eq | 0.75 | 0.05 | 1
½ | eq | 0.5 | 0.1 | 1
between a quarter and a half | between | 0.25 0.5 | 0.05 | 1
all | eq | 1 | 1 | 1
none | eq | 0 | 1 | 1
"""


def rows() -> list[list[str]]:
    lines = [line for line in PHRASES.splitlines() if "|" in line]
    return [[*(cell.strip() for cell in line.split("|"))] for line in lines]


@pytest.mark.parametrize(
    ("text", "comparator", "numbers", "step", "unit"), rows(), ids=[row[0] for row in rows()]
)
def test_phrases_are_read(text, comparator, numbers, step, unit) -> None:
    figure = read_stated(text)
    read = (
        [figure.amount] if figure.amount is not None else [figure.lower_bound, figure.upper_bound]
    )
    assert read == [Decimal(number) for number in numbers.split()]
    assert figure.comparator == Comparator(comparator)
    assert figure.step == Decimal(step)
    assert figure.unit_code == (unit or None)


def test_there_are_phrases_of_every_comparator() -> None:
    assert {row[1] for row in rows()} == set(Comparator)
    assert len(rows()) >= 150


SEEDS = Path(__file__).parents[2] / "seed_data"
SEED_FIGURES = [
    figure
    for file in sorted(SEEDS.glob("*/claims.json"))
    for claim in json.loads(file.read_text())
    for figure in claim["figures"]
]


@pytest.mark.parametrize("figure", SEED_FIGURES, ids=lambda figure: figure["as_stated"])
def test_the_words_of_the_seeds_are_read_as_their_figures(figure: dict) -> None:
    read = read_stated(figure["as_stated"])
    assert read.amount == Decimal(figure["amount"])
    assert (read.unit_code or "1") == figure["unit_code"]
    # The sentence around "36,000" has the "some".
    expected = "eq" if figure["as_stated"] == "36,000" else figure["comparator"]
    assert read.comparator == expected


@pytest.mark.parametrize(
    ("text", "total"),
    [
        ("at least 10 of the 15", 15),
        ("two of the five bases", 5),
        ("3 out of the 18 districts", 18),
        ("10 of its 15 members", 15),
        ("between 3 and 5 of the 15", 15),
        ("over 30,000 of the 47,000", 47000),
        ("all 15", 15),
        ("all of the 15 companies", 15),
        ("none of the 15", 15),
        ("most of the 15", 15),
        ("a third of the 15 companies", 15),
        ("25 per cent of the 400 flats", 400),
        ("16 companies", None),
        ("half of the companies", None),
    ],
)
def test_totals_are_read(text: str, total: int | None) -> None:
    assert read_stated(text).total == total


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("one in three", "ratio"),
        ("two-thirds", "ratio"),
        ("most", "ratio"),
        ("none", "ratio"),
        ("between a quarter and a half", "ratio"),
        ("a third of the 15", "ratio"),
        ("doubled", "multiple"),
        ("10-fold", "multiple"),
        ("three to five times", "multiple"),
        ("0.3 percentage points", "points"),
        ("25 basis points", "points"),
        ("5.2 per cent", None),
        ("10 of the 15", None),
        ("half an hour", None),
        ("half a million", None),
        ("16 companies", None),
    ],
)
def test_shares_multiples_and_points_are_told_from_counts(text: str, hint: str | None) -> None:
    assert read_stated(text).measure_hint == hint


@pytest.mark.parametrize("text", ["one in three", "a third", "1/3", "⅓", "ONE-THIRD", "1 in 3"])
def test_a_third_is_read_however_it_is_written(text: str) -> None:
    figure = read_stated(text)
    assert figure.amount == Decimal("0.33333333333333333333")
    assert figure.step == Decimal("0.06666666666666666667")


@pytest.mark.parametrize(
    ("text", "comparator", "amount", "lower", "upper"),
    [
        ("most", "gt", "0.5", None, "1"),
        ("a majority of residents", "gt", "0.5", None, "1"),
        ("the vast majority", "gt", "0.7", None, "1"),
        ("nearly all", "lt", "1", "0.9", None),
        ("a minority", "lt", "0.5", "0", None),
    ],
)
def test_shares_without_a_number_have_bounds(text, comparator, amount, lower, upper) -> None:
    assert read_stated(text) == StatedFigure(
        comparator=Comparator(comparator),
        amount=Decimal(amount),
        lower_bound=None if lower is None else Decimal(lower),
        upper_bound=None if upper is None else Decimal(upper),
        step=read_stated(text).step,
        unit_code="1",
        measure_hint=words.MeasureHint.RATIO,
    )


@pytest.mark.parametrize(
    ("text", "exact"),
    [("exactly 12", True), ("12 exactly", True), ("all", True), ("none", True), ("12", False)],
)
def test_exact_figures_are_marked(text: str, exact: bool) -> None:
    assert read_stated(text).exact is exact


@pytest.mark.parametrize(
    ("text", "dimension", "amount", "unit"),
    [
        ("12m", "length", "12", "m"),
        ("12m", "money", "12000000", None),
        ("12m", "count", "12000000", None),
        ("12 m2", "count", "12", "m2"),
        ("5t", "mass", "5", "t"),
        ("5t", "money", "5000000000000", None),
        ("5 g", "mass", "5", "g"),
        ("10 s", "duration", "10", "s"),
        ("20 pounds", "money", "20", "GBP"),
        ("20 pounds", "mass", "20", "[lb_av]"),
        ("9 out of 10", "count", "9", None),
        ("9 in 10", "count", "9", None),
        ("9 out of 10", "ratio", "0.9", "1"),
        ("3 of the 4", "ratio", "0.75", "1"),
        ("none", "count", "0", None),
    ],
)
def test_the_dimension_decides_what_is_ambiguous(text, dimension, amount, unit) -> None:
    figure = read_stated(text, Dimension(dimension))
    assert (figure.amount, figure.unit_code) == (Decimal(amount), unit)
    assert read_stated(phrase(figure)) == figure


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("$5 million", "several countries call theirs the dollar"),
        ("5 dollars", "several countries call theirs the dollar"),
        ("¥300", "the yuan or the yen"),
        ("20 pounds", "a currency or a mass"),
        ("10 tons", "metric, long or short"),
        ("47.000", "decimal point"),
        ("about 30 to 40", "approximate"),
        ("HK$1,000 a month", "'a month' was not read"),
        ("US$12 per person", "'per person' was not read"),
    ],
)
def test_notes_say_what_is_ambiguous_or_left_out(text: str, note: str) -> None:
    assert [found for found in read_stated(text).notes if note in found]
    assert len(read_stated(text).notes) == 1


@pytest.mark.parametrize("text", ["$5 HKD", "US$5", "5 hectares", "47,000", "1.25"])
def test_clear_figures_have_no_notes(text: str) -> None:
    assert read_stated(text).notes == ()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "states no number"),
        ("over", "states no number"),
        ("companies", "expected at 'companies'"),
        ("several hundred", "expected at 'several'"),
        ("dozens of schools", "expected at 'dozens'"),
        ("hundreds of thousands", "expected at 'hundreds'"),
        ("million", "expected at 'million'"),
        ("fell by 3 per cent", "expected at 'fell'"),
        ("not 5", "expected at 'not'"),
        ("the 3rd", "'3rd' is an ordinal"),
        ("21st century", "'21st' is an ordinal"),
        ("the third quarter", "expected at 'third'"),
        ("a third company", "may be an ordinal"),
        ("twenty fifth", "'fifth' after the number"),
        ("16 companies and 5 schools", "more than one number"),
        ("47,000 in 2023", "more than one number"),
        ("1,500 in 2023", "more than one number"),
        ("5 feet 6 inches", "more than one number"),
        ("nineteen ninety-seven", "more than one number"),
        ("US$5 million (HK$39 million)", "'(' after the number"),
        ("1 million and 2 million", "'and' after the number"),
        ("1,23", "do not group thousands"),
        ("1,2345", "do not group thousands"),
        ("1.000.000", "more than one number"),
        ("1e6", "'e' after the number"),
        ("1990s", "'s' after the number"),
        ("5G", "'g' after the number"),
        ("3:1", "':' after the number"),
        ("24/7", "'/' after the number"),
        ("2016/17", "'/' after the number"),
        ("10⁶", "raised or lowered"),
        ("H₂O 5₂", "raised or lowered"),
        ("#5", "expected at '#'"),
        ("12m", "million or for metres"),
        ("5 m to 7 m", "million or for metres"),
        ("5 per cent more", "'more' after the number"),
        ("10 people fewer", "'fewer' after the number"),
        ("5 per cent higher", "'higher' after the number"),
        ("3 points up", "'up' after the number"),
        ("three times more", "'more' after the number"),
        ("over 3 to 5", "does not go with a range"),
        ("about all", "does not go with"),
        ("over at most 5", "compare in two ways"),
        ("exactly about 5", "compare in two ways"),
        ("5 to 3", "not below the second"),
        ("2012–13", "not below the second"),
        ("50-50", "not below the second"),
        ("5 km to 7 miles", "different units"),
        ("20, or 10 per cent", "not below the second"),
        ("20, or 80 per cent", "'or' after the number"),
        ("between 5", "needs two numbers"),
        ("from HK$500", "needs two numbers"),
        ("HK$5 hectares", "two units"),
        ("HK$5 yuan", "two currencies"),
        ("5 Jamaican dollars", "before a currency"),
        ("half a ton", "metric, long or short"),
        ("twice a year", "how often"),
        ("three times a day", "how often"),
        ("double-digit", "part of its name"),
        ("0 times", "above zero"),
        ("16 of the 15", "part is above the total"),
        ("three thirds", "less than one"),
        ("two million three billion", "unusual order"),
        ("2.5 and a half", "not whole"),
        ("9" * 31, "more than 30 digits"),
        (f"{'9' * 30} thousand", "more than 30 digits"),
        ("0." + "1" * 21, "20 after it"),
        ("zero point " + "one " * 21, "20 digits after the point"),
        ("5" + " " * 200, "longer than 200 characters"),
    ],
)
def test_what_is_not_understood_is_said(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFigure, match=re.escape(reason)) as refused:
        read_stated(text)
    assert re.fullmatch(r"[A-Z'].*\.", str(refused.value))


def test_all_is_not_a_count() -> None:
    with pytest.raises(UnreadableFigure, match="how many"):
        read_stated("all", Dimension.COUNT)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("Some 47 000 applications", "about 47,000"),
        ("HK$12.3bn", "HK$12.3 billion"),
        ("RMB800m", "RMB 800 million"),
        ("nearly half", "under 1 in 2"),
        ("no fewer than ten of the 15", "at least 10 of the 15"),
        ("3-5 million", "between 3 million and 5 million"),
        ("one square foot", "1 square foot"),
        ("twelve sq. ft.", "12 square feet"),
        ("more than doubled", "over 2 times"),
        ("2.50 million", "2.50 million"),
        ("a third of a million", "1/3 million"),
        ("a majority", "most"),
        ("exactly 5 %", "exactly 5 per cent"),
    ],
)
def test_figures_are_stated_in_canonical_phrases(text: str, canonical: str) -> None:
    assert phrase(read_stated(text)) == canonical


def test_a_figure_that_no_phrase_states_is_refused() -> None:
    figure = StatedFigure(comparator=Comparator.EQ, amount=Decimal(7), step=Decimal(3))
    with pytest.raises(ValueError, match="No phrase"):
        phrase(figure)


@pytest.mark.parametrize(
    ("as_stated", "amount", "step"),
    [
        ("47,681", "47681", "1"),
        ("47 700 applications", "47700", "100"),
        ("some 36,000", "36000", "1000"),
        ("7.5 million", "7500000", "100000"),
        ("7.50 million", "7500000", "10000"),
        ("2.980", "2.98", "0.001"),
        ("10,000", "10000", "5000"),
        ("10,000.0", "10000", "0.1"),
        ("300", "300", "50"),
        ("7.50 million people, of whom 3 million", "7500000", "10000"),
        ("an increase from 2.0 to 2.50", "2.5", "0.01"),
        ("a third", "0.333", "0.06666666666666666667"),
        ("doubled", "2", "0.4"),
        ("the amount is elsewhere", "47700", "100"),
        ("5 per cent", "0.05", "0.01"),
        ("", "2.980", "0.001"),
        ("x" * 201, "300", "50"),
    ],
)
def test_the_text_tells_the_step_where_it_has_the_number(as_stated, amount, step) -> None:
    assert step_of(as_stated, Decimal(amount)) == Decimal(step)


@pytest.mark.parametrize(
    "unit", sorted({*words.UNITS.values(), *words.MONEY_NAMES.values()} - {None}, key=str), ids=str
)
def test_every_code_is_one_that_figures_may_have(unit: words.Unit) -> None:
    if unit.code is None:
        assert unit.note
    elif unit not in words.MONEY:
        assert measure(unit.code).dimension is not Dimension.MONEY
    else:
        assert measure(unit.code).dimension is Dimension.MONEY


@pytest.mark.parametrize("table", [words.UNITS, words.MONEY_NAMES], ids=["units", "currencies"])
def test_every_name_is_read_as_its_unit(table: dict[str, words.Unit]) -> None:
    for name, unit in table.items():
        figure = read_stated(f"7 {name}")
        assert (figure.unit_code, figure.measure_hint) == (unit.code, unit.hint), name
        assert figure.amount == 7 * unit.times, name


# Phrases by a grammar of their own.
DIGITS = st.one_of(
    st.integers(0, 10**9).map(lambda number: f"{number:,}"),
    st.integers(0, 10**6).map(lambda number: f"{number:,}".replace(",", " ")),
    st.decimals(0, 10**6, places=2).map(lambda number: f"{number:f}"),
    st.sampled_from(["1/3", "2 1/2", "½", "7.50", "3.0", "100", "10,000"]),
)
NUMBER_WORDS = st.sampled_from(
    [
        "seven",
        "twenty-five",
        "a hundred",
        "one hundred and twenty",
        "two thousand and five",
        "a third",
        "two-thirds",
        "half",
        "three quarters",
        "one and a half",
        "seven point five",
    ]
)
SCALES = st.sampled_from(["", "", "thousand", "million", "hundred million", "bn", "dozen", "k"])
UNIT_NAMES = st.sampled_from(["", "", *words.UNITS, *words.CURRENCIES])
PREFIXES = st.sampled_from(["", "", "", *words.CURRENCY_PREFIXES])
BEFORE = st.sampled_from(["", "", *words.LEADING])
AFTER = st.sampled_from(["", "", "people", "of the 987,654,321", "companies", *words.TRAILING])
QUANTITIES = st.builds("{}{} {} {}".format, PREFIXES, DIGITS | NUMBER_WORDS, SCALES, UNIT_NAMES)
GENERATED = st.one_of(
    st.builds("{} {} {}".format, BEFORE, QUANTITIES, AFTER),
    st.builds("{} {}".format, BEFORE, st.sampled_from([*words.SHARES, *words.MULTIPLES])),
    st.builds("{}{} to {} {}".format, PREFIXES, DIGITS, DIGITS, UNIT_NAMES),
    st.builds("between {} and {}".format, QUANTITIES, QUANTITIES),
    st.builds("{} {} in {}".format, BEFORE, DIGITS, DIGITS),
)
FULL_WIDTH = {code: code + 0xFEE0 for code in range(0x21, 0x7F)}


def read_or_none(text: str) -> StatedFigure | None:
    try:
        return read_stated(text)
    except UnreadableFigure:
        return None


@given(GENERATED)
@example("half a century")
@example("over 1/3 of a million")
def test_the_canonical_phrase_states_the_same_figure(text: str) -> None:
    figure = read_or_none(text)
    if figure is not None:
        assert read_stated(phrase(figure)) == figure


@pytest.mark.parametrize("text", [row[0] for row in rows()])
def test_the_canonical_phrase_of_each_example_states_the_same_figure(text: str) -> None:
    figure = read_stated(text)
    assert read_stated(phrase(figure)) == figure


@given(st.one_of(GENERATED, st.sampled_from([row[0] for row in rows()])))
def test_case_space_and_compatibility_variants_do_not_matter(text: str) -> None:
    figure = read_or_none(text)
    assert read_or_none(text.upper()) == figure
    assert read_or_none(f"\t {text.replace(' ', chr(0x3000))}\u00a0\n") == figure
    assert read_or_none(text.replace(" ", "  ")) == figure
    if "½" not in text:
        # NFKC takes the space from "2½".
        assert read_or_none(unicodedata.normalize("NFKC", text)) == figure
        assert read_or_none(text.translate(FULL_WIDTH)) == figure


_SIGNS = "of in out and or to from between point per - – / ~ + ± . , ( 1 15 47,000 2.50 ½ 1/3 x"
VOCABULARY = [
    *words.LEADING,
    *words.TRAILING,
    *words.UNITS,
    *words.MONEY_NAMES,
    *words.SCALES,
    *words.SMALL_NUMBERS,
    *words.FRACTION_WORDS,
    *words.FRACTION_PLURALS,
    *words.SHARES,
    *words.MULTIPLES,
    *words.DETERMINERS,
    *_SIGNS.split(),
]


@given(
    st.one_of(
        st.text(max_size=210),
        st.lists(st.sampled_from(VOCABULARY), max_size=12).map(" ".join),
        st.lists(st.sampled_from(VOCABULARY), max_size=12).map("".join),
    ),
    st.sampled_from([None, *Dimension]),
)
def test_any_text_is_read_or_refused(text: str, dimension: Dimension | None) -> None:
    try:
        figure = read_stated(text, dimension)
    except UnreadableFigure:
        return
    assert figure.step > 0
    assert (figure.amount is None) == (figure.comparator is Comparator.BETWEEN)
    assert step_of(text, Decimal(5)) > 0


@pytest.mark.parametrize(
    "piece",
    ["1", "1 ", "1,", "1,000,", "1/", "a ", "and ", "a third of a ", "one hundred and ", "-", "½",
     "million ", "over ", "or more ", "HK$", "between 1 and ", "１", "\u0301", "\ufdfa", "x"],
)  # fmt: skip
def test_long_texts_are_read_or_refused_at_once(piece: str) -> None:
    text = (piece * 200)[:200]
    started = time.process_time()
    read_or_none(text)
    step_of(text, Decimal(5))
    assert time.process_time() - started < 1
    with pytest.raises(UnreadableFigure, match="longer than 200"):
        read_stated(piece * 10**6)
