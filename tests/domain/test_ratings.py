"""Ratings of fact checks, and the stance that follows from them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain.ratings import Rating, is_number, read_rating

NUMBERS = st.one_of(st.just(""), st.integers(-9, 99).map(str), st.just("2.5"))
NAMES = st.text(st.sampled_from("aF錯 ();,1-"), max_size=12).map(str.strip)


@pytest.mark.parametrize(
    ("rating", "text"),
    [
        (Rating("Mostly false", "2", "1", "5"), "Mostly false (2; worst 1, best 5)"),
        (Rating("Mostly false"), "Mostly false"),
        (Rating("", "2", "1", "5"), "(2; worst 1, best 5)"),
        (Rating("錯誤", "-1"), "錯誤 (-1)"),
        (Rating("False", "1", best="5"), "False (1; best 5)"),
        (Rating("False", "1", worst="0.5"), "False (1; worst 0.5)"),
        (Rating(), ""),
    ],
)
def test_a_rating_is_a_text(rating: Rating, text: str) -> None:
    assert rating.as_stated == text
    assert read_rating(text) == rating


@given(st.builds(Rating, NAMES, NUMBERS, NUMBERS, NUMBERS))
def test_a_rating_reads_back_as_the_same_text(rating: Rating) -> None:
    assert read_rating(rating.as_stated).as_stated == rating.as_stated


@pytest.mark.parametrize(
    ("stance", "rating"),
    [
        ("disputes", Rating("False")),
        ("disputes", Rating("FALSE.")),
        ("disputes", Rating("Pants on Fire!")),
        ("disputes", Rating("錯誤")),
        ("disputes", Rating("不实")),
        ("disputes", Rating("False", "1", "1", "5")),
        ("disputes", Rating("", "1", "1", "5")),
        ("disputes", Rating("Four Pinocchios", "0", "0", "4")),
        ("supports", Rating("True")),
        ("supports", Rating("屬實", "5", "1", "5")),
        ("supports", Rating("", "5.0", "1", "5")),
        # Neither end of the scale.
        ("mentions", Rating("Mostly false", "2", "1", "5")),
        ("mentions", Rating("", "2", "1", "5")),
        # The name says less than the number.
        ("mentions", Rating("Missing context", "1", "1", "5")),
        ("mentions", Rating("部分錯誤", "1", "1", "5")),
        # Name and number differ.
        ("mentions", Rating("False", "5", "1", "5")),
        ("mentions", Rating("True", "4", "1", "5")),
        # No scale, or an impossible one.
        ("mentions", Rating("", "1")),
        ("mentions", Rating("", "1", best="5")),
        ("mentions", Rating("", "1", "5", "1")),
        ("mentions", Rating("", "1", "1", "1")),
        ("mentions", Rating("Not false")),
        ("mentions", Rating()),
    ],
)
def test_only_clear_ratings_take_a_side(stance: str, rating: Rating) -> None:
    assert rating.stance == stance


@pytest.mark.parametrize("text", ["", "five", "1e9", "9" * 21, "1/5", "½", "٣", "NaN"])
def test_other_texts_are_no_numbers(text: str) -> None:
    assert not is_number(text)
