"""Locators in texts of any script."""

import hashlib
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hksz_db.domain.locators import (
    CHARSETS,
    CONTEXT,
    NotText,
    SpanNotFound,
    digest,
    locate,
    locator,
    normalise,
    read,
    read_decoded,
)

# Letters of one to four bytes and combining marks.
WORDS = st.text(st.sampled_from("aé深圳𠮷😀\u0301\u0323\u200d"), min_size=1, max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
SPACES = st.text(st.sampled_from(" \t\n\r\u00a0\u2003\u3000"), min_size=1, max_size=3)


@given(st.text())
def test_normalising_twice_is_normalising_once(text: str) -> None:
    once = normalise(text)
    assert normalise(once) == once
    assert unicodedata.is_normalized("NFC", once)
    assert once == once.strip()
    assert "  " not in once


# Marks of several combining classes; some decompose into two.
MARKS = "\u0301\u0323\u0334\u05b0\u0344\u0f71\u0f72\u0f73\u0f81\u302a\U0001d165\u0345"


@given(st.text(st.sampled_from(f"aé\u1e69 \n{MARKS}")))
def test_marks_in_any_order_are_normalised_as_unicode_says(text: str) -> None:
    # In short runs, as scripts use them, and in long ones.
    for drawn in (text, text.replace("a", MARKS * 3)):
        assert normalise(drawn) == " ".join(unicodedata.normalize("NFC", drawn).split())


@pytest.mark.parametrize("marks", ["\u0301\u0323", "\u0323\u0301", "\u0f73\u0f73", "\u0344\u0323"])
def test_long_runs_of_marks_are_normalised_quickly(marks: str) -> None:
    """Python alone would need half an hour."""
    first, second = marks[0], marks[1]
    text = f"a{first * 2**17}{second * 2**17}"
    assert unicodedata.is_normalized("NFC", normalise(text))
    assert normalise(text) == normalise(f"a{marks * 2**17}")


@given(TEXT, st.sampled_from(["", "\ufeff"]))
def test_read_normalises(text: str, signature: str) -> None:
    assert read(f"{signature} {text}x\r\n".encode()) == normalise(f"{text}x")


def test_only_one_byte_order_mark_is_dropped() -> None:
    assert read(b"\xef\xbb\xbf\xef\xbb\xbfx") == "\ufeffx"


@pytest.mark.parametrize(
    ("data", "position"),
    [
        (b"\xff\xfeT\x00", 0),
        ("深圳".encode() + b"\xe6\xb7", 6),
        (b"a \xed\xa0\x80", 2),
        (b"a\xc0\x80", 1),
        (b"\xf4\x90\x80\x80", 0),
        (b"\xef\xbb\xbfok \xff", 6),
    ],
)
def test_the_first_byte_that_is_not_utf_8_is_named(data: bytes, position: int) -> None:
    with pytest.raises(NotText, match=rf"\(byte {position}\)"):
        read(data)


@pytest.mark.parametrize(
    ("charset", "codec"),
    [
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("utf-16be", "utf-16-be"),
        ("gb18030", "gb18030"),
        ("gbk", "gbk"),
        ("gb2312", "gb2312"),
        ("big5", "big5"),
        ("big5-hkscs", "big5hkscs"),
    ],
)
def test_a_text_is_read_in_its_character_set(charset: str, codec: str) -> None:
    text = "科技城 in two years" if codec.startswith("gb2") else "深圳河套、二十年。10%"
    assert charset in CHARSETS
    assert read(text.encode(codec), charset) == normalise(text)


def test_big5_has_the_characters_of_hong_kong() -> None:
    assert read("啲嘢喺邨嗰度𠮩".encode("big5hkscs"), "big5") == "啲嘢喺邨嗰度𠮩"


@pytest.mark.parametrize(
    ("data", "charset", "message"),
    [
        (b"ab\x00", "utf-16le", r"UTF-16LE \(byte 2\)"),
        (b"\xff\xfea\x00\x00\xd8", "utf-16", r"UTF-16 \(byte 4\)"),
        (b"a\x00", "utf-16", "utf-16le or utf-16be"),
        (b"ab\x80\x20", "gb18030", r"GB18030 \(byte 2\)"),
        (b"a\xa4", "big5", r"BIG5 \(byte 1\)"),
    ],
)
def test_bytes_that_are_not_in_the_character_set_are_refused(
    data: bytes, charset: str, message: str
) -> None:
    with pytest.raises(NotText, match=message):
        read(data, charset)


def test_half_of_a_surrogate_pair_is_refused() -> None:
    with pytest.raises(NotText, match=r"U\+D83D at position 1 "):
        read_decoded("a\ud83d")


def test_nul_is_refused() -> None:
    with pytest.raises(NotText, match=r"U\+0000 at position 2 "):
        read("深圳\0\0".encode())


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf", b" \r\n", "\u3000".encode()])
def test_white_space_alone_is_refused(data: bytes) -> None:
    with pytest.raises(NotText, match="empty"):
        read(data)


@given(st.lists(WORDS, min_size=1), SPACES, SPACES)
def test_any_white_space_becomes_one_space(words: list[str], gap: str, edge: str) -> None:
    assert normalise(edge + gap.join(words) + edge) == normalise(" ".join(words))


@given(st.data())
def test_a_locator_points_to_the_passage(data: st.DataObject) -> None:
    words = normalise(" ".join(data.draw(st.lists(WORDS, min_size=1)))).split()
    first = data.draw(st.integers(0, len(words) - 1))
    last = data.draw(st.integers(first, len(words) - 1))
    text, passage = " ".join(words), " ".join(words[first : last + 1])
    found = locate(text, passage)
    assert text[found.start_char : found.end_char] == passage
    assert text.index(passage) == found.start_char
    assert found == locator(text, found.start_char, found.end_char)
    assert found.exact_sha256 == digest(passage)


def test_the_hashes_cover_the_span_and_its_context() -> None:
    before, words, after = "b" * 40, "深圳 𠮷", "a" * 40
    found = locate(before + words + after, words)
    assert (found.start_char, found.end_char) == (40, 44)
    assert found.exact_sha256 == hashlib.sha256(words.encode()).hexdigest()
    assert found.prefix_sha256 == digest("b" * CONTEXT)
    assert found.suffix_sha256 == digest("a" * CONTEXT)


def test_the_context_is_shorter_at_the_edges() -> None:
    near = locate("of " + "深圳" * 50 + " it", "深圳" * 50)
    assert (near.prefix_sha256, near.suffix_sha256) == (digest("of "), digest(" it"))
    whole = locate("深圳", "深圳")
    assert (whole.start_char, whole.end_char) == (0, 2)
    assert whole.prefix_sha256 == whole.suffix_sha256 == digest("")


def test_the_words_are_normalised_like_the_text() -> None:
    text = normalise("un  cafe\u0301 noir")
    assert locate(text, "cafe\u0301\n noir") == locate(text, "café noir")
    assert (locate(text, "café").start_char, locate(text, "café").end_char) == (3, 7)


def test_occurrences_are_counted_from_one() -> None:
    text = "one two one two one"
    starts = [locate(text, "one", occurrence).start_char for occurrence in (1, 2, 3)]
    assert starts == [0, 8, 16]


@pytest.mark.parametrize(("words", "occurrence"), [("three", 1), ("one", 4), ("", 1), (" ", 1)])
def test_words_that_do_not_occur_that_many_times_are_not_found(words: str, occurrence: int) -> None:
    with pytest.raises(SpanNotFound):
        locate("one two one two one", words, occurrence)
