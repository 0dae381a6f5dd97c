"""Figures as they were read, in the language of the page."""

import pytest
from flask import Flask

from hksz_db.domain.figure_words import SHARES
from hksz_db.domain.stated_figures import read_stated
from hksz_db.domain.vocabulary import Dimension, MetricMeasure
from hksz_db.web.messages import in_words
from hksz_db.web.stated import figure_in_words


@pytest.mark.parametrize(
    ("words", "english", "traditional", "simplified"),
    [
        ("some 36 000", "about 36,000", "約 36,000", "约 36,000"),
        ("over HK$12.3bn", "over 12,300,000,000 Hong Kong dollars", "超過 12,300,000,000 港幣", ""),
        ("3至5萬宗", "between 30,000 and 50,000", "30,000 至 50,000 之間", ""),
        ("87ha", "87 hectares", "87 公頃", "87 公顷"),
        ("up to 5 per cent", "up to 5 %", "最多 5 %", ""),
        ("down more than 12 %", "fell by over 12 %", "下跌超過 12 %", "下跌超过 12 %"),
        ("an increase of some 1,200", "rose by about 1,200", "上升約 1,200", ""),
        ("minus 2 per cent", "-2 %", "-2 %", ""),
    ],
)
def test_a_figure_is_said_in_the_language_of_the_page(
    app: Flask, words: str, english: str, traditional: str, simplified: str
) -> None:
    said = {"en": english, "zh-Hant": traditional, "zh-Hans": simplified}
    for tag, expected in said.items():
        with app.test_request_context(query_string={"ui": tag}):
            assert figure_in_words(read_stated(words)) == expected or not expected


def test_a_multiple_is_said_as_one(app: Flask) -> None:
    doubled = read_stated("doubled", Dimension.RATIO, MetricMeasure.RATIO_TO_BASE)
    for tag, expected in (("en", "2 times"), ("zh-Hant", "2 倍")):
        with app.test_request_context(query_string={"ui": tag}):
            assert figure_in_words(doubled) == expected


@pytest.mark.parametrize("share", [*SHARES])
def test_a_share_without_a_number_has_a_name(app: Flask, share: str) -> None:
    said = []
    for tag in ("en", "zh-Hant"):
        with app.test_request_context(query_string={"ui": tag}):
            said.append(figure_in_words(read_stated(share)))
    assert all(said)
    assert share in {"all", "none"} or said[0] != said[1]


@pytest.mark.parametrize(
    ("message", "said"),
    [
        (
            "The words state 'about 36,000', but the figure has the unit har.",
            "文字表示「約 36,000」，但所填單位為公頃。",  # noqa: RUF001
        ),
        (
            "The words state '87 hectares', but the figure has 88 hectares.",
            "文字表示「87 公頃」，但所填數字為 88 公頃。",  # noqa: RUF001
        ),
    ],
)
def test_a_warning_says_figures_in_the_language_of_the_page(
    app: Flask, message: str, said: str
) -> None:
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert in_words(message) == said
