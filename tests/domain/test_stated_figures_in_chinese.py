"""Reading figures as Chinese texts state them, in both scripts."""
# ruff: noqa: RUF001 -- full-width digits and punctuation are read, too

import re
import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain import chinese_figures
from hksz_db.domain.figure_printing import printed
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.ranges import Statement, read, stated_step
from hksz_db.domain.stated_figures import StatedFigure, read_stated
from hksz_db.domain.vocabulary import Comparator, Dimension, MetricMeasure

# The phrase, then the comparator, the amount or the two bounds, and the unit.
PHRASES = """
Numbers
47,681宗 | eq | 47681 |
47 681宗申請 | eq | 47681 |
４７，６８１宗。 | eq | 47681 |
3.5万 | eq | 35000 |
3.5萬人 | eq | 35000 |
1.285亿 | eq | 128500000 |
3万5千人 | eq | 35000 |
1亿2000万 | eq | 120000000 |
3億5千萬 | eq | 350000000 |
三百萬 | eq | 3000000 |
五百個單元 | eq | 500 |
七個基地 | eq | 7 |
一家 | eq | 1 |
十五間學校 | eq | 15 |
三十间 | eq | 30 |
一百零五項 | eq | 105 |
二千三百零五宗 | eq | 2305 |
两千零五 | eq | 2005 |
三万五千 | eq | 35000 |
三萬五千名學生 | eq | 35000 |
一万零五十 | eq | 10050 |
三萬五百 | eq | 30500 |
三點五萬 | eq | 35000 |
一亿二千三百四十五万六千七百八十九 | eq | 123456789 |
一萬億 | eq | 1000000000000 |
3場比賽 | eq | 3 |
3宗起訴個案 | eq | 3 |
5起案件 | eq | 5 |
升幅為3% | eq | 3 | %
12,500宗COVID-19個案 | eq | 12500 |
共七座 | eq | 7 |
增至4.7萬宗 | eq | 47000 |

Comparators before the number
逾4.7萬 | gt | 47000 |
逾 4.7 萬 宗 | gt | 47000 |
超過150間公司 | gt | 150 |
超过150家 | gt | 150 |
多於三千人 | gt | 3000 |
高于1,200宗 | gt | 1200 |
逾四千億港元 | gt | 400000000000 | HKD
約3.1萬平方米 | approx | 31000 | m2
约3.1万平方米 | approx | 31000 | m2
大約87公顷土地 | approx | 87 | har
估計3.6萬人 | approx | 36000 |
約佔兩成 | approx | 20 | %
近9萬人次 | lt | 90000 |
接近九萬人次 | lt | 90000 |
將近三成 | lt | 30 | %
不足两成 | lt | 20 | %
未達5% | lt | 5 | %
不到100家 | lt | 100 |
少於50宗 | lt | 50 |
至少35,000名學生 | ge | 35000 |
不少於200項 | ge | 200 |
不低于25% | ge | 25 | %
最多30天 | le | 30 | d
不超过15分钟 | le | 15 | min
高達3,000萬港元 | le | 30000000 | HKD
多達1,200個職位 | le | 1200 |
剛好12宗 | eq | 12 |

Comparators after the number
四萬七千餘宗 | gt | 47000 |
100余家 | gt | 100 |
3萬多人 | gt | 30000 |
30人有餘 | gt | 30 |
三十年有餘 | gt | 30 | a
25%多 | gt | 25 | %
三千多万元人民币 | gt | 30000000 | CNY
十多萬人 | gt | 100000 |
約三萬多人 | gt | 30000 |
3個多月 | gt | 3 | mo
五年多 | gt | 5 | a
35,000人以上 | ge | 35000 |
五成以上 | ge | 50 | %
半數以上市民 | ge | 50 | %
18歲以下 | le | 18 | a
3億美元起 | ge | 300000000 | USD
5%左右 | approx | 5 | %

Shares
5.2% | eq | 5.2 | %
１２．５％ | eq | 12.5 | %
百分之五 | eq | 5 | %
百分之十五點二 | eq | 15.2 | %
百分之5.2 | eq | 5.2 | %
百分之一百二十 | eq | 120 | %
千分之五 | eq | 5 | [ppth]
三分之一 | eq | 33.3333 | %
三分之二的受訪者 | eq | 66.6667 | %
十分之三 | eq | 30 | %
一半 | eq | 50 | %
逾半數 | gt | 50 | %
近半受訪者 | lt | 50 | %
兩成 | eq | 20 | %
八成半 | eq | 85 | %
七点五成 | eq | 75 | %
大多數受訪者 | gt | 50 | %

Money
12.8億港元 | eq | 1280000000 | HKD
港幣十二億八千萬元 | eq | 1280000000 | HKD
HK$12.8億元 | eq | 1280000000 | HKD
1.28万亿元人民币 | eq | 1280000000000 | CNY
3.5億元人民幣 | eq | 350000000 | CNY
人民幣3.5億元 | eq | 350000000 | CNY
US$4.5億 | eq | 450000000 | USD
12亿美元 | eq | 1200000000 | USD
八百萬歐元 | eq | 8000000 | EUR
3.5億歐羅 | eq | 350000000 | EUR
1,500澳門元 | eq | 1500 | MOP
12.8億元 | eq | 1280000000 |

Units
14.92平方公里 | eq | 14.92 | km2
三点零二平方公里 | eq | 3.02 | km2
87公頃 | eq | 87 | har
500英畝 | eq | 500 | [acr_us]
3.1萬㎡ | eq | 31000 | m2
3千米 | eq | 3 | km
26公里 | eq | 26 | km
2.5万吨 | eq | 25000 | t
兩年半 | eq | 2.5 | a
1小時半 | eq | 1.5 | h
5個月 | eq | 5 | mo
約半年 | approx | 0.5 | a
負3.2% | eq | -3.2 | %

Ranges
3至5萬 | between | 30000 50000 |
3萬至5萬人 | between | 30000 50000 |
3～5萬人 | between | 30000 50000 |
三至五百万 | between | 3000000 5000000 |
三百至五百万 | between | 3000000 5000000 |
三至四萬五千 | between | 30000 45000 |
十五至二十萬 | between | 150000 200000 |
9千至1.5萬人 | between | 9000 15000 |
500至1萬 | between | 500 10000 |
三到五成 | between | 30 50 | %
百分之三至五 | between | 3 5 | %
百分之三至百分之五 | between | 3 5 | %
5.2％至6％ | between | 5.2 6 | %
介乎3萬至5萬之間 | between | 30000 50000 |
HK$3億至HK$5億 | between | 300000000 500000000 | HKD
兩家或三家 | between | 2 3 |

Changes
增長5.2% | eq | 5.2 | %
同比增长5.2% | eq | 5.2 | %
較去年同期上升逾5% | gt | 5 | %
增加1,200宗 | eq | 1200 |
升幅百分之三 | eq | 3 | %
5%的增長 | eq | 5 | %
下跌3成 | eq | -30 | %
减少1,200宗 | eq | -1200 |
減少了逾1,200宗 | lt | -1200 |
按年跌3.1% | eq | -3.1 | %
下降3%-5% | between | -5 -3 | %
跌至5.6% | eq | 5.6 | %
"""
ROWS = [[cell.strip() for cell in line.split("|")] for line in PHRASES.splitlines() if "|" in line]
TEXTS = [row[0] for row in ROWS]


@pytest.mark.parametrize(("text", "comparator", "numbers", "unit"), ROWS, ids=TEXTS)
def test_phrases_are_read(text: str, comparator: str, numbers: str, unit: str) -> None:
    figure = read_stated(text)
    read = (
        [figure.amount] if figure.amount is not None else [figure.lower_bound, figure.upper_bound]
    )
    assert read == [Decimal(number) for number in numbers.split()]
    assert figure.comparator == Comparator(comparator)
    assert figure.unit_code == (unit or None)


def test_there_are_phrases_of_every_comparator() -> None:
    assert {row[1] for row in ROWS} == set(Comparator)
    assert len(ROWS) >= 120


@pytest.mark.parametrize(
    ("text", "step"),
    [
        ("3.5万", "1000"),
        ("3.50萬", "100"),
        ("三万五千", "1000"),
        ("四萬餘宗", "10000"),
        ("四萬七千餘宗", "1000"),
        ("3萬", "5000"),
        ("三千五百萬", "1000000"),
        ("三百万", "500000"),
        ("1.28万亿元", "10000000000"),
        ("47,681宗", "1"),
        ("四万七千六百八十一宗", "1"),
        ("百分之五", "1"),
        ("兩成", "10"),
    ],
)
def test_the_step_is_that_of_the_words(text: str, step: str) -> None:
    amount = read_stated(text).amount
    assert amount is not None
    assert stated_step(amount, text) == Decimal(step)


@pytest.mark.parametrize(
    ("text", "likely", "possible"),
    [
        ("20多個", "21 29", "21 29"),
        ("二十餘間", "21 29", "21 29"),
        ("300多", "301 399", "301 399"),
        ("300餘", "301 399", "301 399"),
        ("3千多人", "3001 3999", "3001 3999"),
        ("四萬餘宗", "40001 49999", "40001 49999"),
        ("四萬七千餘宗", "47001 47999", "47001 47999"),
        ("十多萬人", "100001 199999", "100001 199999"),
        ("三百多萬人", "3000001 3999999", "3000001 3999999"),
        ("二十萬餘人", "200001 209999", "200001 299999"),
        ("3百萬多", "3000001 3009999", "3000001 3999999"),
        ("1億2000萬餘人", "120000001 120009999", "120000001 129999999"),
        ("30人有餘", "31 39", "31 39"),
        ("減少30多宗", "-39 -31", "-39 -31"),
    ],
)
def test_a_rest_is_less_than_the_step_or_the_scale_before_it(
    text: str, likely: str, possible: str
) -> None:
    figure = read_stated(text)
    statement = Statement(
        figure.comparator, figure.amount, as_stated=text, measure=MetricMeasure.CHANGE
    )
    reading = read(statement, Dimension.COUNT)
    for interval, ends in ((reading.plausible, likely), (reading.value, possible)):
        assert [interval.lower, interval.upper] == [Decimal(end) for end in ends.split()]


@pytest.mark.parametrize(
    ("text", "likely", "possible"),
    [("十多年", 20, 20), ("十年多", 11, 20), ("三十年有餘", 40, 40), ("兩成多", 30, 30)],
)
def test_a_rest_after_a_unit_is_less_than_one_of_it(text: str, likely: int, possible: int) -> None:
    amount = read_stated(text).amount
    reading = read(Statement(Comparator.GT, amount, as_stated=text))
    assert reading.plausible.upper == Decimal(likely)
    assert reading.value.upper == Decimal(possible)
    assert reading.plausible.lower == reading.value.lower == amount
    assert not reading.value.upper_inclusive


@pytest.mark.parametrize(
    ("text", "amount", "highest"),
    [("逾20個", 20, None), ("20多個", 25, None), ("20多個", 20, 30), ("30餘", 300, 400)],
)
def test_a_rest_is_that_of_the_amount_in_the_words(
    text: str, amount: int, highest: int | None
) -> None:
    statement = Statement(Comparator.GT, Decimal(amount), as_stated=text)
    assert read(statement).value.upper == highest


def test_a_fraction_is_given_a_tenth() -> None:
    for text, amount in (("三分之一", "33.3333"), ("八成半", "85"), ("兩年半", "2.5")):
        number = Decimal(amount)
        plausible = read(Statement(Comparator.EQ, number, as_stated=text)).plausible
        assert (plausible.lower, plausible.upper) == (number * 9 / 10, number * 11 / 10)


@pytest.mark.parametrize(
    ("text", "comparator", "ratio", "growth"),
    [
        ("翻一番", "eq", "2", "100"),
        ("翻兩番", "eq", "4", "300"),
        ("逾翻倍", "gt", "2", "100"),
        ("減半", "eq", "0.5", "-50"),
        ("增長了一倍", "eq", "2", "100"),
    ],
)
def test_multiples_are_read_by_the_measure_of_the_metric(
    text: str, comparator: str, ratio: str, growth: str
) -> None:
    for measure, amount in (
        (MetricMeasure.RATIO_TO_BASE, ratio),
        (MetricMeasure.GROWTH_RATE, growth),
    ):
        figure = read_stated(text, Dimension.RATIO, measure)
        assert (figure.comparator, figure.amount) == (comparator, Decimal(amount))
    with pytest.raises(UnreadableFigure, match="measure ratio_to_base or growth_rate"):
        read_stated(text)


@pytest.mark.parametrize("text", ["12.8億元", "逾四千億元", "3億至5億圓", "3萬元以上"])
def test_a_note_says_that_the_currency_is_not_known(text: str) -> None:
    figure = read_stated(text)
    assert "the yuan, the Hong Kong dollar or another one" in figure.note
    assert figure.may_be == ("CNY", "HKD", "MOP", "TWD")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("萬", "expected at '萬'"),
        ("數萬人", "expected at '數萬人'"),
        ("全港47,681宗", "expected at '全港'"),
        ("並非5%", "expected at '並非'"),
        ("第三", "expected at '第'"),
        ("第3間", "expected at '第'"),
        ("一般公司", "expected at '一般公司'"),
        ("兩成年人", "expected at '兩成年人'"),
        ("每月1,000元", "expected at '每月'"),
        ("人均3萬元", "expected at '人均'"),
        ("比去年多5%", "expected at '比去年多'"),
        ("年均增長5%", "expected at '年均'"),
        ("三万五", "'三万五' is no number"),
        ("一百五", "'一百五' is no number"),
        ("三四萬", "'三四萬' is no number"),
        ("三五成群", "'三五' is no number"),
        ("三萬億萬", "is no number"),
        ("二〇二三年", "'二〇二三' is no number"),
        ("2023年", "'2023年' is no number"),
        ("2016至2023年", "'2023年' is no number"),
        ("1萬零五十", "'零五十' is no number"),
        ("3一百", "'一百' is no number"),
        ("三至五千五百万", "'五千五百万' is no number"),
        ("三至五十", "'五十' is no number"),
        ("萬分之五", "expected at '萬分之'"),
        ("5月", "'月' after the number"),
        ("10月1日", "'月' after the number"),
        ("5號", "'號' after the number"),
        ("5點半", "after the number"),
        ("5兆", "'兆' after the number"),
        ("5角", "'角' after the number"),
        ("300畝", "'畝' after the number"),
        ("兩倍", "'倍' after the number"),
        ("增長兩倍", "'倍' after the number"),
        ("三成不到", "'不' after the number"),
        ("三成弱", "'弱' after the number"),
        ("30來人", "'來' after the number"),
        ("三十幾間", "'幾' after the number"),
        ("12元每人", "'每' after the number"),
        ("12元補貼每人", "'每' after the number"),
        ("3萬港元/月", "'/' after the number"),
        ("3人到5間", "'間' does not count"),
        ("3公里至5家", "'家' does not count"),
        ("減少為3萬", "expected at '減少為'"),
        ("增長为5%", "expected at '增長为'"),
        ("3個半島", "'半' within '個半島'"),
        ("5年多時間", "'多' within '年多時間'"),
        ("25%多市民", "'多' within '%多市民'"),
        ("25多人", "'多' after a number that is complete"),
        ("30多至40人", "does not go with a range"),
        ("3間綽綽有餘", "'余' after the number"),
        ("5個百分點", "difference of two shares"),
        ("3万5", "more than one number"),
        ("15間中有10間", "more than one number"),
        ("2023年有47,681宗", "'2023年' is no number"),
        ("約30至40萬", "does not go with a range"),
        ("最多逾5萬", "compare in two ways"),
        ("下降三到五成", "more than one number"),
        ("增加200至12,000", "more than one number"),
        ("5萬至3萬", "not below the second"),
        ("HK$5萬人民幣", "two currencies"),
        ("10噸或12公里", "different units"),
        ("半噸", "expected at '半噸'"),
        ("下跌負三成", "by how much"),
        ("１，２３宗", "do not group thousands"),
        ("千" * 201, "longer than 200"),
    ],
)
def test_what_leaves_doubt_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFigure, match=re.escape(reason)):
        read_stated(text)


def in_characters(number: int) -> str:
    """A whole number as Chinese writes it in full."""
    if number == 0:
        return "零"
    groups = []
    while number:
        number, group = divmod(number, 10**4)
        groups.append(group)
    written, is_open = "", False
    for place in reversed(range(len(groups))):
        group = groups[place]
        if not group:
            is_open = bool(written)
            continue
        if written and (is_open or group < 1000):
            written += "零"
        written += four_digits(group) + ("", "万", "亿", "万亿")[place]
        is_open = False
    return written


def four_digits(number: int) -> str:
    written = ""
    for digit, place in zip(f"{number:04d}", ("千", "百", "十", ""), strict=True):
        if digit != "0":
            written += "零一二三四五六七八九"[int(digit)] + place
        elif written and not written.endswith("零"):
            written += "零"
    return written.rstrip("零")


TRADITIONAL = str.maketrans("万亿两余", "萬億兩餘")
NUMBERS = st.one_of(st.integers(0, 10**12 - 1), st.integers(0, 10**5))


@given(NUMBERS, st.sampled_from(["", "逾", "至少", "約"]), st.booleans())
def test_numbers_in_characters_are_read_back(
    number: int, comparator: str, is_traditional: bool
) -> None:
    text = f"{comparator}{in_characters(number)}宗"
    figure = read_stated(text.translate(TRADITIONAL) if is_traditional else text)
    assert figure.amount == number
    in_digits = read_stated(f"{comparator}{number}宗")
    assert figure.comparator == in_digits.comparator
    # Characters are as precise as digits, which have the step of the last one that is not zero.
    assert stated_step(Decimal(number), text) == stated_step(Decimal(number), f"{number:,}")


@given(st.integers(1, 10**4 - 1), st.integers(1, 10**4 - 1), st.sampled_from(["万", "亿"]))
def test_ranges_share_their_scale(first: int, second: int, scale: str) -> None:
    text = f"{first}至{second}{scale}"
    figure = read_or_none(text)
    if first < second:
        assert figure is not None
        bounds = [chinese_figures.SCALES[scale] * number for number in (first, second)]
        assert [figure.lower_bound, figure.upper_bound] == bounds
    elif figure is not None:
        assert figure.lower_bound == first


def read_or_none(text: str, dimension: Dimension | None = None) -> StatedFigure | None:
    try:
        return read_stated(text, dimension)
    except UnreadableFigure:
        return None


@pytest.mark.parametrize("text", TEXTS)
def test_what_is_printed_is_read_back(text: str) -> None:
    figure = read_stated(text)
    again = read_stated(printed(figure))
    numbers = figure.amount, figure.lower_bound, figure.upper_bound
    assert (again.amount, again.lower_bound, again.upper_bound) == numbers
    assert (again.comparator, again.unit_code) == (figure.comparator, figure.unit_code)


@pytest.mark.parametrize("text", TEXTS)
def test_width_and_space_around_the_text_do_not_matter(text: str) -> None:
    wide = text.translate({code: code + 0xFEE0 for code in range(0x21, 0x7F)})
    assert read_stated(f"\u3000{wide}。\n") == read_stated(text)


VOCABULARY = [
    *chinese_figures.NAMES,
    *"零一二三四五六七八九十百千万亿萬億两兩点點至到或半多余餘.,%-/~$",
]


@given(
    st.one_of(
        st.lists(st.sampled_from([*VOCABULARY, "3", "47,000", "2.50", "HK$", " "]), max_size=12),
        st.lists(st.sampled_from(TEXTS), max_size=3),
        st.lists(st.characters(min_codepoint=0x3000, max_codepoint=0x9FFF), max_size=40),
    ).map("".join),
    st.sampled_from([None, *Dimension]),
)
def test_any_text_is_read_or_refused(text: str, dimension: Dimension | None) -> None:
    figure = read_or_none(text, dimension)
    if figure is not None:
        assert (figure.amount is None) == (figure.comparator is Comparator.BETWEEN)
        assert read_or_none(unicodedata.normalize("NFKC", text), dimension) == figure


@pytest.mark.parametrize(
    "piece",
    ["一", "十", "百", "万", "亿", "一万", "1万", "1億", "三分之", "百分之", "點", "零", "至", "逾",
     "多", "餘", "个", "半", "一至", "元", "1至", "中"],
)  # fmt: skip
def test_long_texts_are_read_or_refused_at_once(piece: str) -> None:
    text = (piece * 200)[:200]
    started = time.process_time()
    for hostile in (text, f"1{text[1:]}", f"一{text[1:]}"):
        read_or_none(hostile)
    assert time.process_time() - started < 1
