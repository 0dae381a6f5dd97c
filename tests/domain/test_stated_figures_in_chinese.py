"""Reading figures as Chinese texts state them, in both scripts."""
# ruff: noqa: RUF001 -- full-width digits and punctuation are read, too

import re
import time
import unicodedata
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain import chinese_figures, chinese_numbers
from hksz_db.domain.figure_printing import printed
from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.ranges import Interval, Statement, read, stated_step
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
23億6,500萬 | eq | 2365000000 |
1億2,345萬6,789 | eq | 123456789 |
1萬5000 | eq | 15000 |
4萬7681宗 | eq | 47681 |
1萬500 | eq | 10500 |
1萬零50 | eq | 10050 |
5千3百 | eq | 5300 |
12億3千萬 | eq | 1230000000 |
一万二 | eq | 12000 |
三千五 | eq | 3500 |
二十二萬五 | eq | 225000 |
一億二 | eq | 120000000 |
四点七万 | eq | 47000 |
廿五 | eq | 25 |
卅 | eq | 30 |
一百廿五間 | eq | 125 |
壹佰万元 | eq | 1000000 |
人民币叁仟伍佰元整 | eq | 3500 | CNY
貳拾萬圓 | eq | 200000 |
参拾万 | eq | 300000 |
新增1,200宗 | eq | 1200 |
15萬伙 | eq | 150000 |
增至4.7萬宗 | eq | 47000 |
總額3億港元 | eq | 300000000 | HKD
300頁 | eq | 300 |
17個目標 | eq | 17 |
15個減排項目 | eq | 15 |
30間虧損企業 | eq | 30 |
30名跌倒長者 | eq | 30 |
減至3個半小時 | eq | 3.5 | h
5個部分 | eq | 5 |
壹佰萬元正 | eq | 1000000 |
5億円 | eq | 500000000 | JPY
5億度電 | eq | 500000000 | kW.h
3百萬瓦 | eq | 3000000 | W
5吉瓦 | eq | 5 | GW
500立方呎 | eq | 500 | [ft_i]3
3平方英里 | eq | 3 | [mi_i]2
3加侖 | eq | 3 |
5,000輛次 | eq | 5000 |
500TEU | eq | 500 |
12,34,567人 | eq | 1234567 |
面積300公頃 | eq | 300 | har
總投資超過300億元人民幣 | gt | 30000000000 | CNY
撥款100億港元 | eq | 10000000000 | HKD
預算約為港幣68億4,000萬元 | approx | 6840000000 | HKD
收到逾12萬宗申請 | gt | 120000 |
提供約50萬個住宅單位 | approx | 500000 |
人口增至約250萬 | approx | 2500000 |
佔地約300公頃 | approx | 300 | har
全長3公里 | eq | 3 | km
3公里長 | eq | 3 | km
30間高中 | eq | 30 |

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
逾百億 | gt | 10000000000 |
逾千 | gt | 1000 |
過萬 | gt | 10000 |
過億元 | gt | 100000000 |
近百 | lt | 100 |
近千學生 | lt | 1000 |
上千 | ge | 1000 |
料300人 | approx | 300 |
近半成 | lt | 5 | %
逾半成 | gt | 5 | %
約三份一 | approx | 33.3333 | %
三份之二 | eq | 66.6667 | %
百分三十 | eq | 30 | %
百分百 | eq | 100 | %
上百万元 | ge | 1000000 |
過3000 | gt | 3000 |
過60歲 | gt | 60 | a
破萬宗 | gt | 10000 |
不止30 | gt | 30 |
頂多30 | le | 30 |
不下100间 | ge | 100 |
幾乎100 | lt | 100 |
高達3,000萬港元 | le | 30000000 | HKD
多達1,200個職位 | le | 1200 |
剛好12宗 | eq | 12 |
恰有12宗 | eq | 12 |

Comparators after the number
四萬七千餘宗 | gt | 47000 |
100余家 | gt | 100 |
3萬多人 | gt | 30000 |
30人有餘 | gt | 30 |
百余 | gt | 100 |
千多元 | gt | 1000 |
十萬餘人 | gt | 100000 |
三百餘萬元 | gt | 3000000 |
百分之三十多 | gt | 30 | %
兩成多市民 | gt | 20 | %
30人不到 | lt | 30 |
三成不到 | lt | 30 | %
三十上下 | approx | 30 |
一万二以上 | ge | 12000 |
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
三成五 | eq | 35 | %
六成六 | eq | 66 | %
九成九市民 | eq | 99 | %
約3成5受訪者 | approx | 35 | %
八成半市民 | eq | 85 | %
半成 | eq | 5 | %
三分一 | eq | 33.3333 | %
逾三分二受訪者 | gt | 66.6667 | %
四分三 | eq | 75 | %
約半 | approx | 50 | %
不足半 | lt | 50 | %
近半人口 | lt | 50 | %
万分之三 | eq | 0.03 | %
萬分之1.5 | eq | 0.015 | %
十万分之五 | eq | 5 | 10*-5
百萬分之三 | eq | 3 | [ppm]
百分之廿五 | eq | 25 | %

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
10億元（人民幣） | eq | 1000000000 | CNY
10億元 （港幣，下同） | eq | 1000000000 | HKD
10亿（美元） | eq | 1000000000 | USD
耗資約3億港元 | approx | 300000000 | HKD

Units
14.92平方公里 | eq | 14.92 | km2
三点零二平方公里 | eq | 3.02 | km2
87公頃 | eq | 87 | har
500英畝 | eq | 500 | [acr_us]
3.1萬㎡ | eq | 31000 | m2
3千米 | eq | 3 | km
26公里 | eq | 26 | km
120平米 | eq | 120 | m2
500方呎 | eq | 500 | [sft_i]
兩個世紀 | eq | 200 | a
3次 | eq | 3 |
2.5万吨 | eq | 25000 | t
兩年半 | eq | 2.5 | a
1小時半 | eq | 1.5 | h
5個月 | eq | 5 | mo
約半年 | approx | 0.5 | a
負3.2% | eq | -3.2 | %
兩個半小時 | eq | 2.5 | h
一個半月 | eq | 1.5 | mo
3周歲 | eq | 3 | a

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
二十或三十人 | between | 20 30 |
三四百 | between | 300 400 |
兩三家 | between | 2 3 |
二三十萬 | between | 200000 300000 |
三百四五十人 | between | 340 350 |
十五六歲 | between | 15 16 | a
七八成 | between | 70 80 | %
七、八成 | between | 70 80 | %
三、四百人 | between | 300 400 |
5、6百人 | between | 500 600 |
20、30人 | between | 20 30 |
HK$5億至6億元 | between | 500000000 600000000 | HKD
港幣5億至6億元 | between | 500000000 600000000 | HKD
5元至6港元 | between | 5 6 | HKD
三千五至四千 | between | 3500 4000 |
三成五至四成 | between | 35 40 | %
三至三成五 | between | 30 35 | %
3千至5千萬港元 | between | 30000000 50000000 | HKD
3千 - 5千萬 | between | 30000000 50000000 |
兩千至五千萬 | between | 20000000 50000000 |
3百至5百萬 | between | 3000000 5000000 |
5百至1千萬 | between | 5000000 10000000 |
3至5千萬 | between | 30000000 50000000 |

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
實際增長5.0% | eq | 5.0 | %
按年實質增長3.2% | eq | 3.2 | %
年均增长5% | eq | 5 | %
增速5.2% | eq | 5.2 | %
增速为5.2% | eq | 5.2 | %
增速回落至4.5% | eq | 4.5 | %
提高5% | eq | 5 | %
提升至85% | eq | 85 | %
下調至5% | eq | 5 | %
負增長3% | eq | -3 | %
5%的負增長 | eq | -5 | %
同比负增长2.3% | eq | -2.3 | %
增長3%至5% | between | 3 5 | %
升幅3至5% | between | 3 5 | %
净增1,200人 | eq | 1200 |
增加三四百宗 | between | 300 400 |
減逾半 | lt | -50 | %
5%的萎縮 | eq | -5 | %
5%的下滑 | eq | -5 | %
5%的收縮 | eq | -5 | %
5%的衰退 | eq | -5 | %
5%衰退 | eq | -5 | %
5%回落 | eq | -5 | %
5%的倒退 | eq | -5 | %
5%的降低 | eq | -5 | %
5%的縮減 | eq | -5 | %
5%的跌勢 | eq | -5 | %
5%的跌幅。 | eq | -5 | %
5%左右的跌幅 | approx | -5 | %
年均複合增長5% | eq | 5 | %
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
        ("三成五", "1"),
        ("一万二", "1000"),
        ("1萬5000", "1000"),
        ("万分之三", "0.01"),
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
        ("二十幾間", "21 29", "21 29"),
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
        ("增加近一倍", "lt", "2", "100"),
        ("上升了逾一倍", "gt", "2", "100"),
        ("增長約一倍", "approx", "2", "100"),
        ("增加一倍以上", "ge", "2", "100"),
        ("兩倍", "eq", "2", "100"),
        ("2.5倍", "eq", "2.5", "150"),
        ("增至三倍", "eq", "3", "200"),
        ("兩倍半", "eq", "2.5", "150"),
        ("超過兩倍", "gt", "2", "100"),
        ("兩倍多", "gt", "2", "100"),
        ("10多倍", "gt", "10", "900"),
        ("3倍以上", "ge", "3", "200"),
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
    with pytest.raises(
        UnreadableFigure, match=r"ratio_to_base or growth_rate|'倍' after the number"
    ):
        read_stated(text)


@pytest.mark.parametrize(
    "text", ["增長兩倍", "增加了2倍", "一倍", "三倍增長", "兩至三倍", "高出兩倍", "翻了三倍"]
)
def test_multiples_that_may_be_differences_are_refused(text: str) -> None:
    for measure in (MetricMeasure.RATIO_TO_BASE, MetricMeasure.GROWTH_RATE):
        with pytest.raises(UnreadableFigure):
            read_stated(text, Dimension.RATIO, measure)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("第16位", 16),
        ("第十六名", 16),
        ("全球第一", 1),
        ("排名第 20", 20),
        ("位居世界第二", 2),
        ("全港首位", 1),
        ("全國第一", 1),
        ("亞洲第二", 2),
    ],
)
def test_places_of_rankings_are_exact(text: str, place: int) -> None:
    figure = read_stated(text, None, MetricMeasure.RANK)
    assert (figure.comparator, figure.amount) == (Comparator.EQ, Decimal(place))
    statement = Statement(
        figure.comparator, figure.amount, as_stated=text, measure=MetricMeasure.RANK
    )
    reading = read(statement, Dimension.COUNT)
    assert (
        reading.value == reading.plausible == Interval(Decimal(place), Decimal(place), True, True)
    )


@pytest.mark.parametrize(
    "text", ["第3間", "第三季", "第3至5位", "第三四位", "約第3", "第3位，共20位"]
)
def test_other_ordinals_are_no_places(text: str) -> None:
    with pytest.raises(UnreadableFigure):
        read_stated(text, None, MetricMeasure.RANK)


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
        ("第三", "only for a metric with the measure rank"),
        ("第3間", "expected at '第'"),
        ("一般公司", "expected at '一般公司'"),
        ("兩成年人", "expected at '兩成年人'"),
        ("每月1,000元", "expected at '每月'"),
        ("人均3萬元", "expected at '人均'"),
        ("比去年多5%", "expected at '比去年多'"),
        ("年均3萬人", "expected at '年均'"),
        ("三万五元", "'三万五' is no number"),
        ("三至三千五", "'三千五' is no number"),
        ("三萬五至六千", "not below the second"),
        ("一億五千", "'一億五千' is no number"),
        ("1億5千", "'1億5千' is no number"),
        ("1億2000", "'1億2000' is no number"),
        ("1萬50", "'1萬50' is no number"),
        ("1.2萬5000", "more than one number"),
        ("三四", "'三四' is no number"),
        ("三五個", "'三五' is no number"),
        ("一兩", "'一兩' is no number"),
        ("約三四百人", "does not go with a range"),
        ("七八年", "'七八年' is no number"),
        ("97年", "'97年' is no number"),
        ("三四線城市", "'線' after the number"),
        ("數百人", "expected at '數百人'"),
        ("上3000", "expected at '上'"),
        ("上海500間", "expected at '上海'"),
        ("百貨公司", "expected at '百貨公司'"),
        ("逾百貨公司", "expected at '百貨公司'"),
        ("大陸公司", "expected at '大陸公司'"),
        ("叁拾肆元伍角", "more than one number"),
        ("伍萬", "expected at '伍萬'"),
        ("廿四節氣", "expected at '廿四節氣'"),
        ("三成九龍居民", "read in two ways"),
        ("三成五長者", "read in two ways"),
        ("兩成一人家庭", "read in two ways"),
        ("半成品", "expected at '半成品'"),
        ("半個", "expected at '半個'"),
        ("三分一秒", "'分' after the number"),
        ("三分四", "'分' after the number"),
        ("十分一般", "'分' after the number"),
        ("近半年", "'近半年' is not understood"),
        ("過半個月", "'過半個月' is not understood"),
        ("近三年", "states no certain amount"),
        ("過10年", "states no certain amount"),
        ("3年後完工", "states no certain amount"),
        ("五年間", "states no certain amount"),
        ("80年代", "states no certain amount"),
        ("3周年", "states no certain amount"),
        ("2023至2024學年", "states no certain amount"),
        ("投資者3萬人", "expected at '者'"),
        ("拒絕批出3萬宗", "expected at '拒絕'"),
        ("21世紀", "states no certain amount"),
        ("300平方", "states no certain amount"),
        ("5星級酒店", "'星' after the number"),
        ("500強企業", "'強' after the number"),
        ("十大品牌", "'大' after the number"),
        ("10大品牌", "'大' after the number"),
        ("90後員工", "'後' after the number"),
        ("30人不到場", "'不' after the number"),
        ("一百人不足", "'不' after the number"),
        ("三十或五十人", "'or' after the number"),
        ("10或15人", "'or' after the number"),
        ("50萬或100萬", "'or' after the number"),
        ("上升0.2%至3%", "more than one number"),
        ("下跌3%至5%", "more than one number"),
        ("增長3%至500億", "more than one number"),
        ("提高3個百分點", "difference of two shares"),
        ("增速下降5%", "two changes"),
        ("10億元（約合）", "'(' after the number"),
        ("10億港元（美元）", "'(' after the number"),
        ("第16位", "only for a metric with the measure rank"),
        ("三五成群", "'三五' is no number"),
        ("三萬億萬", "is no number"),
        ("二〇二三年", "'二〇二三' is no number"),
        ("2023年", "'2023年' is no number"),
        ("2016至2023年", "'2023年' is no number"),
        ("1萬零五十", "'零五十' is no number"),
        ("3一百", "'一百' is no number"),
        ("三至五千五百万", "'五千五百万' is no number"),
        ("三至五十", "'五十' is no number"),
        ("5月", "'月' after the number"),
        ("10月1日", "'月' after the number"),
        ("5號", "'號' after the number"),
        ("5點半", "after the number"),
        ("5兆", "'兆' after the number"),
        ("5角", "'角' after the number"),
        ("300畝", "'畝' after the number"),
        ("兩倍", "'倍' after the number"),
        ("增長兩倍", "'倍' after the number"),
        ("三成弱", "'弱' after the number"),
        ("30來人", "'來' after the number"),
        ("一千幾百人", "'幾' after the number"),
        ("三百幾十人", "does not count"),
        ("十幾二十人", "'二十' is no number"),
        ("三、五成", "'、' after the number"),
        ("5、6、7人", "'、' after the number"),
        ("1、2月", "'月' after the number"),
        ("三份二手車", "'分' after the number"),
        ("US$5至6元", "different units"),
        ("3市斤", "differs between places"),
        ("5攝氏度", "a temperature"),
        ("5度電價", "'價' after the number"),
        ("12元每人", "'每' after the number"),
        ("12元補貼每人", "'每' after the number"),
        ("3萬港元/月", "'/' after the number"),
        ("3人到5間", "'間' does not count"),
        ("3公里至5家", "'家' does not count"),
        ("減少為3萬", "expected at '減少為'"),
        ("增長为5%", "expected at '增長为'"),
        ("3個半島", "'半' within '個半島'"),
        ("5年多時間", "'多' within '年多時間'"),
        ("25%多長者", "'多' within '%多長者'"),
        ("25多人", "'多' after a number that is complete"),
        ("30多至40人", "does not go with a range"),
        ("3間綽綽有餘", "'余' after the number"),
        ("5個百分點", "difference of two shares"),
        ("3万5", "'3万5' is no number"),
        ("15間中有10間", "more than one number"),
        ("2023年有47,681宗", "'2023年' is no number"),
        ("約30至40萬", "does not go with a range"),
        ("最多逾5萬", "compare in two ways"),
        ("下降三到五成", "more than one number"),
        ("增加200至12,000", "more than one number"),
        ("5萬至3萬", "not below the second"),
        ("HK$5萬人民幣", "two currencies"),
        ("11噸或12公里", "different units"),
        ("半噸", "expected at '半噸'"),
        ("下跌負三成", "by how much"),
        ("１，２３宗", "do not group thousands"),
        ("千" * 201, "longer than 200"),
    ],
)
def test_what_leaves_doubt_is_refused(text: str, reason: str) -> None:
    with pytest.raises(UnreadableFigure, match=re.escape(reason)):
        read_stated(text)


REFUSED = """
5%按年跌幅 5%的按年跌幅 5%的年跌幅 5%的累計跌幅 一成的輕微跌幅 5%的急挫和下挫 1萬人減少了
5萬名下跌股民 1萬人少了 5%跌 5%的升幅收窄
9至1萬 九至一萬 兩至一萬 500至1千萬 3千至5百萬
跌破5% 升破5% 跌破2萬 跌破三成 跌穿三成
減至一半 減少到三分之一 減少至一半 跌至三成 跌至約3成
3萬人的一半 9萬人中的一半 3萬人中的一半 3萬人一半 3萬人過半 3萬人的大半 3萬人的多數
3萬人的大多數 3萬人的部分 增長5%的一半
30好幾 三百好幾 4萬出頭 20出頭 30開外 二百開外 30人開外 4萬人有多 50有多 3萬人往上 30人打後
5萬人上限 3萬上限 3萬人封頂 3萬人為限 3萬人限額 2萬人最多 2萬至少 3萬人次為目標 5萬人估計
3億港元赤字 3億港元虧損 1萬人流失 1萬人淨流出 1萬人離開 3億港元淨流出
5%的微跌 5%的蒸發 3億港元虧損總額 1萬人口減少
"""


@pytest.mark.parametrize("text", REFUSED.split())
def test_words_that_change_the_number_or_leave_it_open_are_refused(text: str) -> None:
    for measure in (None, *MetricMeasure):
        for dimension in (None, *Dimension):
            assert read_or_none(text, dimension, measure) is None


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


@given(st.integers(1, 9999), st.integers(1000, 9999), st.integers(1000, 9999), st.booleans())
def test_digits_between_scales_are_read_back(
    first: int, second: int, third: int, is_grouped: bool
) -> None:
    form = "{:,}億{:,}萬{:,}" if is_grouped else "{}亿{}万{}"
    assert read_stated(form.format(first, second, third)).amount == int(f"{first}{second}{third}")


FORMAL = str.maketrans("一二三四五六七八九十百千", "壹贰叁肆伍陆柒捌玖拾佰仟")


@given(st.integers(20, 10**12 - 1))
def test_formal_numerals_are_read_back_or_refused(number: int) -> None:
    figure = read_or_none(f"{in_characters(number).translate(FORMAL)}元整")
    assert figure is None or figure.amount == number


@given(st.integers(1, 9999), st.sampled_from("十百千"), st.sampled_from(["", "万", "亿"]))
def test_the_number_before_a_rest_is_read_back(number: int, place: str, scale: str) -> None:
    known = number * {"十": 10, "百": 100, "千": 1000}[place]
    scaled = known * chinese_numbers.SCALES.get(scale, 1)
    in_words = [f"{in_characters(known)}餘{scale}人"] if known < 10**4 else []
    for text in (f"{known}多{scale}人", *in_words):
        figure = read_stated(text)
        assert (figure.comparator, figure.amount) == (Comparator.GT, Decimal(scaled))
        plausible = read(Statement(Comparator.GT, figure.amount, as_stated=text)).plausible
        step = stated_step(Decimal(scaled), text)
        assert plausible.upper == scaled + step


@given(st.integers(1, 10**4 - 1), st.integers(1, 10**4 - 1), st.sampled_from(["万", "亿"]))
def test_ranges_share_their_scale(first: int, second: int, scale: str) -> None:
    text = f"{first}至{second}{scale}"
    figure = read_or_none(text)
    if first < second:
        assert figure is not None
        bounds = [chinese_numbers.SCALES[scale] * number for number in (first, second)]
        assert [figure.lower_bound, figure.upper_bound] == bounds
    elif figure is not None:
        assert figure.lower_bound == first


def read_or_none(
    text: str, dimension: Dimension | None = None, measure: MetricMeasure | None = None
) -> StatedFigure | None:
    try:
        return read_stated(text, dimension, measure)
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
    *"零一二三四五六七八九十百千万亿萬億两兩点點至到或半多余餘廿卅壹佰拾上第分之成年.,%-/~$",
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
