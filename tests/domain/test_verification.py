"""Looks up spans in another text: exact, moved or missing."""

import hashlib
import random
import unicodedata
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hksz_db.domain import verification
from hksz_db.domain.locators import CONTEXT, Locator, digest, locator, normalise
from hksz_db.domain.verification import Finding, Result, Searched, verify

pytestmark = pytest.mark.slow

# Letters of one to four bytes, combining marks, and letters of a right-to-left script.
LETTERS = "abcé深圳𠮷😀שלום\u0301\u0323\u200d"
WORDS = st.text(st.sampled_from(LETTERS), min_size=1, max_size=12)
TEXTS = st.lists(WORDS, min_size=1, max_size=60).map(lambda words: normalise(" ".join(words)))
# Only a few letters, so that words and context repeat.
REPETITIVE = st.text(st.sampled_from("ab 深"), min_size=1, max_size=110).map(normalise).filter(len)


@st.composite
def located(draw: st.DrawFn, texts: st.SearchStrategy[str] = TEXTS) -> tuple[str, list[Locator]]:
    """A text and locators of spans in it, in any order."""
    text = draw(texts)
    ends = st.tuples(st.integers(0, len(text)), st.integers(0, len(text))).map(sorted)
    spans = draw(st.lists(ends.filter(lambda span: span[0] < span[1]), min_size=1, max_size=12))
    return text, [locator(text, start, end) for start, end in spans]


def _exact(wanted: Locator) -> Finding:
    return Finding(Result.EXACT, wanted.start_char, wanted.end_char, None)


def _moved(start: int, end: int) -> Finding:
    return Finding(Result.MOVED, start, end, None)


def _by_brute_force(text: str, wanted: Locator) -> Finding:
    """The expected finding, from a comparison with every window."""
    length, reach = wanted.end_char - wanted.start_char, min(CONTEXT, wanted.start_char)

    def rank(place: int) -> tuple[int, int, int]:
        before = text[place - reach : place] if place >= reach else None
        after = text[place + length : place + length + CONTEXT]
        precedes = before is not None and digest(before) == wanted.prefix_sha256
        follows = digest(after) == wanted.suffix_sha256
        return -(precedes + follows), abs(place - wanted.start_char), place

    starts = range(len(text) - length + 1)
    places = [p for p in starts if digest(text[p : p + length]) == wanted.exact_sha256]
    if wanted.start_char in places:
        return _exact(wanted)
    if not places:
        return Finding(Result.MISSING, None, None, Searched.EVERYWHERE)
    place = min(places, key=rank)
    return _moved(place, place + length)


@given(located())
def test_all_spans_are_exact_in_the_same_text(case: tuple[str, list[Locator]]) -> None:
    text, wanted = case
    assert verify(text, wanted) == [_exact(one) for one in wanted]


@given(located(), st.sampled_from([" ", "  ", "\r\n", "\t\u3000"]))
def test_white_space_and_normalization_form_do_not_matter(
    case: tuple[str, list[Locator]], gap: str
) -> None:
    text, wanted = case
    written = f"\r\n{unicodedata.normalize('NFD', text).replace(' ', gap)} \n"
    assert verify(normalise(written), wanted) == [_exact(one) for one in wanted]


@given(located(), TEXTS, st.booleans())
def test_text_put_in_front_moves_all_spans(
    case: tuple[str, list[Locator]], other: str, measured: bool
) -> None:
    text, wanted = case
    # Followed by a long word, so that it contains no span of the text.
    other = normalise(f"{other} {'x' * len(text)}")
    assert normalise(f"{other} {text}") == f"{other} {text}"
    shift = len(other) + 1
    found = verify(f"{other} {text}", wanted, [len(text)] if measured else [])
    for one, finding in zip(wanted, found, strict=True):
        words = text[one.start_char : one.end_char]
        if f"{other} {text}".count(words) == 1:
            assert finding == _moved(one.start_char + shift, one.end_char + shift)
        else:
            assert finding == _by_brute_force(f"{other} {text}", one)


@given(located(), st.text(st.sampled_from("xyz 𠀀"), min_size=1, max_size=200).map(normalise))
def test_all_spans_are_missing_from_a_text_without_the_words(
    case: tuple[str, list[Locator]], other: str
) -> None:
    text, wanted = case
    wanted = [one for one in wanted if text[one.start_char : one.end_char] != " "]
    assume(other)
    missing = Finding(Result.MISSING, None, None, Searched.EVERYWHERE)
    assert verify(other, wanted) == [missing] * len(wanted)


@given(located(REPETITIVE), REPETITIVE, st.lists(st.integers(1, 150), max_size=3))
def test_any_text_gives_the_same_as_brute_force(
    case: tuple[str, list[Locator]], other: str, lengths: list[int]
) -> None:
    _, wanted = case
    assert verify(other, wanted, lengths) == [_by_brute_force(other, one) for one in wanted]


@given(st.data(), located(REPETITIVE | TEXTS))
def test_an_edited_text_gives_the_same_as_brute_force(
    data: st.DataObject, case: tuple[str, list[Locator]]
) -> None:
    text, wanted = case
    edited = text
    for _ in range(data.draw(st.integers(1, 4))):
        start = data.draw(st.integers(0, len(edited)))
        end = data.draw(st.integers(start, min(len(edited), start + 20)))
        inserted = data.draw(st.sampled_from(["", "a", "b 深", "😀" * 9]))
        edited = f"{edited[:start]}{inserted}{edited[end:]}"
    edited = normalise(edited)
    assume(edited)
    expected = [_by_brute_force(edited, one) for one in wanted]
    assert verify(edited, wanted) == expected
    assert verify(edited, wanted, [len(text)]) == expected


@given(located(REPETITIVE), REPETITIVE)
def test_findings_are_independent_of_the_other_locators(
    case: tuple[str, list[Locator]], other: str
) -> None:
    _, wanted = case
    found = verify(other, wanted)
    assert verify(other, wanted[::-1]) == found[::-1]
    assert [verify(other, [one])[0] for one in wanted] == found


def test_a_repeated_character_moves_to_the_nearest_place() -> None:
    wanted = locator("x" * 40 + "e" + "y" * 40, 40, 41)
    assert verify("e" + "-" * 36 + "e" + "-" * 4 + "e" + "-" * 40, [wanted]) == [_moved(42, 43)]
    # Equally near on both sides: the earlier place.
    assert verify("-" * 38 + "e-_-e" + "-" * 40, [wanted]) == [_moved(38, 39)]


def test_the_context_decides_between_places_of_the_same_words() -> None:
    before, after = "before " * 6, " behind" * 6
    text = f"{before}the words{after}"
    start = len(before)
    wanted = locator(text, start, start + 9)
    near = f"{'-' * (start - 3)}the words{'-' * 50}"
    whole = f"{near}{text}"
    assert verify(whole, [wanted])[0].start_char == len(near) + start
    half = f"{near}{before}the words{'-' * 50}"
    assert verify(half, [wanted])[0].start_char == len(near) + start
    assert verify(half + text, [wanted])[0].start_char == len(half) + start
    assert verify(near, [wanted])[0].start_char == start - 3


@pytest.mark.parametrize(
    ("stated", "before", "after"),
    [
        (8000, 200, 300),
        (8000, 300, 200),
        (8000, 200, 200),
        (60, 18, 200),
        (80_000, 70_000, 70_001),
        (80_000, 70_001, 70_000),
    ],
)
def test_the_nearer_of_two_equal_passages_is_taken(stated: int, before: int, after: int) -> None:
    """At any distance, and even if the lengths of the texts point to the other one."""
    passage = f"{'before ' * 6}the words{' behind' * 6}"
    wanted = locator(f"{'-' * (stated - 42)}{passage}{'-' * 40}", stated, stated + 9)
    places = stated - before, stated + after
    between = "-" * (before + after - len(passage))
    text = f"{'-' * (places[0] - 42)}{passage}{between}{passage}{'-' * 40}"
    nearest = places[0] if before <= after else places[1]
    for place in places:
        length_of_original = len(text) - place + stated
        found = verify(text, [wanted], [length_of_original])
        assert found == [_moved(nearest, nearest + 9)]


def _long_text(size: int, seed: int = 1) -> str:
    chosen = random.Random(seed)
    letters = "".join(map(chr, range(0x4E00, 0x9000)))
    words = ("".join(chosen.choices(letters, k=chosen.randint(1, 9))) for _ in range(size))
    return " ".join(words)


def test_all_spans_are_found_after_many_edits_between_them() -> None:
    text = _long_text(4000)
    starts = range(100, len(text) - 200, 97)
    wanted = [locator(text, start, start + 20 + n % 40) for n, start in enumerate(starts)]
    pieces = [text[a:b] for a, b in pairwise([0, *(start - 10 for start in starts), len(text)])]
    edited = "".join(f"{piece}{'新' * (n % 5 + 1)}" for n, piece in enumerate(pieces))
    places = [edited.index(text[one.start_char : one.end_char]) for one in wanted]
    found = verify(edited, wanted)
    assert [finding.start_char for finding in found] == places
    assert {finding.result for finding in found} == {Result.MOVED}


def test_a_short_prefix_near_the_start_counts_as_context() -> None:
    original = f"In short, the words{' behind' * 6}"
    wanted = locator(original, 10, 19)
    preceded, followed = f"In short, the words{'-' * 40}", f"{'-' * 40}the words{' behind' * 6}"
    for text, place in (
        (f"{'-' * 20}{preceded}{followed}", 30),
        (f"{followed}{preceded}", 40),
        (f"{preceded[2:]}{followed}", 97),
        (f"{preceded}{'-' * 40}{original}"[3:], len(preceded) + 47),
    ):
        assert (
            verify(text, [wanted]) == [_by_brute_force(text, wanted)] == [_moved(place, place + 9)]
        )


@pytest.mark.parametrize("kept", ["before", "behind"])
@pytest.mark.parametrize("left", [10, 1000])
def test_context_on_one_side_is_enough(kept: str, left: int) -> None:
    """In a text too long to be searched everywhere, without neighbours."""
    text = _long_text(60_000)
    start, end = len(text) - left - 400, len(text) - left
    wanted = locator(text, start, end)
    before, behind = text[: start - 5], text[end + 5 :]
    before = f"{before}{text[start - 5 : start] if kept == 'before' else '𠮷' * 5}"
    behind = f"{text[end : end + 5] if kept == 'behind' else '𠮷' * 5}{behind}"
    edited = f"{'𠮷' * 500}{before}{text[start:end]}{behind}"
    assert verify(edited, [wanted]) == [_moved(start + 500, end + 500)]
    assert verify(f"{edited[: start + 600]}{edited[start + 601 :]}", [wanted]) == [
        Finding(Result.MISSING, None, None, Searched.SURROUNDINGS)
    ]


def test_a_span_that_lost_its_context_moves_with_its_neighbours() -> None:
    """In a text too long to be searched everywhere."""
    text = _long_text(60_000)
    middle = len(text) // 2
    wanted = [locator(text, middle + 900 * n, middle + 900 * n + 400) for n in range(3)]
    for lost in wanted:
        start, end = lost.start_char, lost.end_char
        edited = f"{text[: start - 5]}{'𠮷' * 5}{text[start:end]}{'𠮷' * 5}{text[end + 5 :]}"
        assert verify(f"{'𠮷' * 30}{edited}", wanted) == [
            _moved(one.start_char + 30, one.end_char + 30) for one in wanted
        ]


def test_findings_say_where_a_long_text_was_searched() -> None:
    text = _long_text(60_000)
    gone = [locator("𠮷" * 5000, n, n + n) for n in range(1, 400)]
    kept = locator(text, 5000, 5060)
    *lost, exact = verify(text, [*gone, kept])
    assert exact == _exact(kept)
    assert {finding.result for finding in lost} == {Result.MISSING}
    searched = [finding.searched for finding in lost]
    cut = searched.index(Searched.SURROUNDINGS)
    assert cut > 0
    # The shortest spans are looked for first.
    assert set(searched[:cut]) == {Searched.EVERYWHERE}
    assert set(searched[cut:]) == {Searched.SURROUNDINGS}


def test_a_span_longer_than_the_text_is_missing() -> None:
    original = "a" * 5000
    found = verify("a" * 4999, [locator(original, 0, 5000), locator(original, 1, 5000)])
    assert [finding.result for finding in found] == [Result.MISSING, Result.MOVED]
    assert found[0].searched is Searched.EVERYWHERE


def test_stated_offsets_may_lie_beyond_the_text() -> None:
    empty = hashlib.sha256(b"").hexdigest()
    far = Locator(2**31 - 9, 2**31 - 1, digest("the deed"), empty, empty)
    (found,) = verify("in the deed.", [far])
    assert found == _moved(3, 11)


@pytest.mark.parametrize("letter", ["a", "深"])
def test_a_text_of_one_letter_is_searched_quickly(letter: str) -> None:
    """All places are equal; to compare all of them would take hours."""
    text = letter * 2**17
    wanted = [
        Locator(start, start + length, digest(letter * length), *[digest(letter * CONTEXT)] * 2)
        for start in (2**17 - 5, 2**18)
        for length in range(10, 500)
    ]
    for one, finding in zip(wanted, verify(text, wanted), strict=True):
        length = one.end_char - one.start_char
        assert finding.end_char is not None
        assert 2**17 - CONTEXT - length - verification.MAX_CANDIDATES <= finding.end_char - length


def test_searches_do_not_affect_each_other() -> None:
    text = _long_text(50)
    wanted = [locator(text, 10, 60)]
    first = verify(text, wanted)
    assert verify("else", wanted)[0].result is Result.MISSING
    assert verify(text, wanted) == first
