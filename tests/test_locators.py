"""Locators over texts in any script."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.locators import CONTEXT, SpanNotFound, digest, locate, locator, normalise

# Letters of one to four bytes, marks that combine with them, white space of many kinds.
WORDS = st.text(st.sampled_from("aé深圳𠮷😀\u0301\u0323\u200d"), min_size=1, max_size=8)
SPACES = st.text(st.sampled_from(" \t\n\r\u00a0\u2003\u3000"), min_size=1, max_size=3)


@given(st.text())
def test_normalising_twice_changes_nothing_more(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()
    assert "  " not in once


@given(st.lists(WORDS, min_size=1), SPACES, SPACES)
def test_white_space_does_not_matter(words: list[str], gap: str, edge: str) -> None:
    assert normalise(edge + gap.join(words) + edge) == normalise(" ".join(words))


@given(st.data())
def test_what_was_located_stands_where_the_locator_says(data: st.DataObject) -> None:
    words = normalise(" ".join(data.draw(st.lists(WORDS, min_size=1)))).split()
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    text, passage = " ".join(words), " ".join(words[first : last + 1])
    found = locate(text, passage)
    assert text[found.start_char : found.end_char] == passage
    assert text.index(passage) == found.start_char
    assert found == locator(text, found.start_char, found.end_char)
    assert found.exact_sha256 == digest(passage)


def test_hashes_are_of_the_span_and_of_what_stands_beside_it() -> None:
    before, words, after = "b" * 40, "深圳 𠮷", "a" * 40
    found = locate(before + words + after, words)
    assert (found.start_char, found.end_char) == (40, 44)
    assert found.exact_sha256 == hashlib.sha256(words.encode()).hexdigest()
    assert found.prefix_sha256 == digest("b" * CONTEXT)
    assert found.suffix_sha256 == digest("a" * CONTEXT)


def test_at_the_edges_the_context_is_shorter() -> None:
    near = locate("of " + "深圳" * 50 + " it", "深圳" * 50)
    assert (near.prefix_sha256, near.suffix_sha256) == (digest("of "), digest(" it"))
    whole = locate("深圳", "深圳")
    assert (whole.start_char, whole.end_char) == (0, 2)
    assert whole.prefix_sha256 == whole.suffix_sha256 == digest("")


def test_words_are_normalised_as_the_text_is() -> None:
    text = normalise("un  cafe\u0301 noir")
    assert locate(text, "cafe\u0301\n noir") == locate(text, "café noir")
    assert (locate(text, "café").start_char, locate(text, "café").end_char) == (3, 7)


def test_occurrences_are_counted_from_one() -> None:
    text = "one two one two one"
    starts = [locate(text, "one", occurrence).start_char for occurrence in (1, 2, 3)]
    assert starts == [0, 8, 16]


@pytest.mark.parametrize(("words", "occurrence"), [("three", 1), ("one", 4), ("", 1), (" ", 1)])
def test_words_that_do_not_occur_so_often_are_not_found(words: str, occurrence: int) -> None:
    with pytest.raises(SpanNotFound):
        locate("one two one two one", words, occurrence)
