"""The form of a text in which typography makes no difference."""

# ruff: noqa: RUF001 - characters that look alike are the subject

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain.locators import Locator, digest, locate, locator, normalise
from hksz_db.domain.loose_form import LooseForm, loose

# Characters that the steps change, and others beside which they may.
LETTERS = (
    " \n-–—.…'’“\"、，。中文《abcﬁ½²①5５\u00ad\u200d\u0301\u0323¨´ｶﾞか\uff9e각가\uffc2─「`\u2033,(％"
)
TEXTS = st.text(st.sampled_from(LETTERS), max_size=30) | st.text(max_size=15)

SAME = {
    "soft hyphens": ["technology", "tech\u00adno\u00adlogy", "tech\u00ad\nnology"],
    "zero-width characters": ["pilot zone", "pi\u200blot\u200d zone", "\ufeffpilot zo\u2060ne"],
    "direction marks": ["שלום 40", "\u2067שלום\u2069 40", "שלום\u200f 40"],
    "ligatures": ["the first office", "the ﬁrst oﬃce"],
    "full-width characters": ["5,000% of A4", "５，０００％ of Ａ４"],
    "half-width kana": ["ガラス", "ｶﾞﾗｽ"],
    "radicals": ["龍馬", "\u2fd3\u2fba"],
    "double quotes": ['a "joint" plan', "a “joint” plan", "a „joint“ plan", "a «joint» plan"],
    "primes and accents": ["nobody's 5'", "nobody’s 5′", "nobody´s 5`", "nobodyʼs 5‘"],
    "quotes of TeX": ['a "joint" plan', "a ``joint\'\' plan"],
    "corner brackets": ['他說"好"。', "他說「好」。", "他說“好”。"],
    "dashes": ["2019-2020", "2019–2020", "2019—2020", "2019 – 2020", "2019−2020"],
    "dashes of typewriters": ["cut - or not", "cut — or not", "cut—or not", "cut -- or not"],
    "Chinese dashes": ["計劃——第二階段", "計劃—第二階段", "計劃──第二階段"],
    "ellipses": ["and so on...", "and so on…", "and so on. . .", "and so on……"],
    "Chinese ellipses": ["等等……", "等等⋯⋯", "等等..."],
    "lines of Chinese": ["該計劃的第二階段，需時兩年。", "該計劃\n的第二\n階段，\n需時兩\n年。"],
    "Chinese and digits": ["於2026年3月", "於 2026 年 3 月", "於２０２６年\n3月"],
    "hyphens at line ends": ["technology", "tech-\nnology", "tech‐\r\n  nology"],
    "hyphenated words at line ends": ["long-term plan", "long-\nterm plan", "long‑term plan"],
    "hyphens by digits at line ends": ["COVID-19, a 5-year plan", "COVID-\n19, a 5-\nyear plan"],
    "fractions": ["2 1⁄2 years", "2½ years"],
    "squares": ["5 km2", "5 km²"],
    "white space": ["a b", "a\u200b \u00ad b", "\u3000a\u2003b"],
}  # fmt: skip
DIFFERENT = [
    ("5,000", "6,200"),
    ("47,681", "47 681"),
    ("47,681", "47.681"),
    ("10²", "102"),
    ("2½", "21/2"),
    ("2½", "21⁄2"),
    ("5①", "51"),
    ("①5", "15"),
    ("1,000²", "1,0002"),
    ("fell -5", "fell 5"),
    ("3 -5", "3-5"),
    ("12 34", "1234"),
    ("12\n34", "1234"),
    ("2023 24", "202324"),
    ("Shenzhen", "shenzhen"),
    ("cafe", "café"),
    ("man eating", "man-eating"),
    ("a b", "ab"),
    ("深圳 A", "深圳A"),
    ("five (5)", "five 5"),
    ("5%", "5"),
    ("1.5", "15"),
]


@pytest.mark.parametrize("texts", SAME.values(), ids=SAME)
def test_typography_makes_no_difference(texts: list[str]) -> None:
    assert len({loose(normalise(text)) for text in texts}) == 1
    for text in texts:
        around = f"before {text} after"
        assert loose(normalise(around)) == loose(normalise(f"before {texts[0]} after"))


@pytest.mark.parametrize(("one", "other"), DIFFERENT)
def test_words_and_figures_make_a_difference(one: str, other: str) -> None:
    assert loose(normalise(one)) != loose(normalise(other))


@pytest.mark.slow
@given(TEXTS)
def test_the_form_of_the_form_is_the_form(text: str) -> None:
    once = loose(normalise(text))
    assert loose(once) == once
    assert unicodedata.is_normalized("NFKC", once)
    assert not [each for each in once if unicodedata.category(each) == "Cf"]
    assert once == once.strip(" ")
    assert "  " not in once


@given(TEXTS)
def test_a_text_is_folded_like_its_normal_form(text: str) -> None:
    written = unicodedata.normalize("NFD", text).replace(" ", "\r\n ")
    assert loose(normalise(written)) == loose(normalise(text))


@given(TEXTS, st.data())
def test_a_loose_locator_leads_back_to_the_words(text: str, data: st.DataObject) -> None:
    text = normalise(text)
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, len(text)))
    form = LooseForm(text)
    found = form.locator(locator(text, start, end))
    words = loose(text[start:end])
    if found is None:
        return
    assert form.text[found.start_char : found.end_char] == words
    assert found == locator(form.text, found.start_char, found.end_char)
    first, last = form.span_in_text(found.start_char, found.end_char)
    assert loose(text[first:last]) == words


def _whole(text: str, words: str) -> tuple[LooseForm, Locator | None]:
    form = LooseForm(normalise(text))
    return form, form.locator(locate(normalise(text), words))


def test_offsets_are_those_of_each_form() -> None:
    form, found = _whole("An ﬁne “tech\u00adnology”… at 5½ per cent", "“tech\u00adnology”")
    assert form.text == 'An fine "technology"... at 5 1⁄2 per cent'
    assert found == locator(form.text, 8, 20)
    assert form.span_in_text(8, 20) == (7, 20)
    # In the middle of a ligature.
    assert form.span_in_text(4, 5) == (3, 4)
    assert form.span_in_text(3, 4) == (3, 4)


def test_what_is_left_out_at_the_edges_of_a_span_is_not_in_it() -> None:
    form = LooseForm("a\u200b b\u200b c")
    assert form.text == "a b c"
    assert [form.span_in_text(n, n + 1) for n in range(5)] == [
        (0, 1),
        (2, 3),
        (3, 4),
        (5, 6),
        (6, 7),
    ]


@pytest.mark.parametrize(
    ("text", "words"),
    [("tech- nology", "tech-"), ("a – b", "– b"), ("a\u200bb", "\u200b"), ("it'' was", "it'")],
)
def test_words_whose_form_depends_on_their_neighbours_have_no_locator(
    text: str, words: str
) -> None:
    assert _whole(text, words)[1] is None


def test_nothing_visible_has_an_empty_form() -> None:
    assert loose("\u200b \u00ad") == ""
    assert digest(loose("\u2066")) == digest("")


@pytest.mark.parametrize(
    "unit", ["ﬁ\u00ad - ´", "\uff9e\u0301", "\u0301\u0323ﬁ", "\u200b. ", "中 ", "-  "]
)
def test_long_runs_are_folded_quickly(unit: str) -> None:
    """Steps that compare each character of a run with all others would take hours."""
    text = normalise(f"a{unit * 2**16}ﬁ")
    assert loose(text) == loose(loose(text))
