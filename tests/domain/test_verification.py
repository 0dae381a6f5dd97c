"""Looks up spans in another text by their hashes."""

# ruff: noqa: RUF001 - typography is a subject

import hashlib
import random
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from hksz_db.domain import verification
from hksz_db.domain.figure_edges import continues_after, continues_before
from hksz_db.domain.locators import (
    CONTEXT,
    Locator,
    Passage,
    digest,
    locate,
    locator,
    normalise,
)
from hksz_db.domain.loose_form import LooseForm, loose
from hksz_db.domain.verification import Finding, Result, Searched, Surroundings
from hksz_db.domain.verification import verify as verify_passages

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


def verify(text: str, wanted: Sequence[Locator], lengths: Iterable[int] = ()) -> list[Finding]:
    """Verify passages without loose locators."""
    return verify_passages(text, [Passage(one) for one in wanted], lengths)


BOTH, BEFORE, AFTER, NONE = Surroundings


def _exact(wanted: Locator, surroundings: Surroundings = BOTH) -> Finding:
    return Finding(Result.EXACT, wanted.start_char, wanted.end_char, surroundings, None)


def _moved(start: int, end: int, surroundings: Surroundings = BOTH) -> Finding:
    return Finding(Result.MOVED, start, end, surroundings, None)


def _elsewhere(start: int, end: int, surroundings: Surroundings = NONE) -> Finding:
    return Finding(Result.ELSEWHERE, start, end, surroundings, None)


def _missing(searched: Searched = Searched.EVERYWHERE) -> Finding:
    return Finding(Result.MISSING, None, None, None, searched)


def _is_part_of_number(text: str, start: int, end: int, same: Surroundings) -> bool:
    before = same not in {BOTH, BEFORE} and continues_before(text, start, end)
    return before or (same not in {BOTH, AFTER} and continues_after(text, start, end))


def _by_brute_force(text: str, wanted: Locator, *, has_numbers: bool = True) -> Finding:
    """The expected finding, from a comparison with every window."""
    length, reach = wanted.end_char - wanted.start_char, min(CONTEXT, wanted.start_char)

    def sides(place: int) -> tuple[bool, bool]:
        before = text[place - reach : place] if place >= reach and (reach or not place) else None
        after = text[place + length : place + length + CONTEXT]
        precedes = before is not None and digest(before) == wanted.prefix_sha256
        return precedes, digest(after) == wanted.suffix_sha256

    def rank(place: int) -> tuple[int, int, int]:
        return -sum(sides(place)), abs(place - wanted.start_char), place

    def is_single(context: str) -> bool:
        windows = [text[n : n + len(context)] for n in range(len(text))]
        return len(context) >= 16 and windows.count(context) == 1

    starts = range(len(text) - length + 1)
    places = [p for p in starts if digest(text[p : p + length]) == wanted.exact_sha256]
    if not places:
        return _missing()
    place = min(places, key=rank)
    if wanted.start_char in places and any(sides(wanted.start_char)):
        place = wanted.start_char
    surroundings = {
        (True, True): BOTH,
        (True, False): BEFORE,
        (False, True): AFTER,
        (False, False): NONE,
    }[sides(place)]
    end = place + length
    if has_numbers and _is_part_of_number(text, place, end, surroundings):
        return _elsewhere(place, end, surroundings)
    if place == wanted.start_char and surroundings is not NONE:
        return _exact(wanted, surroundings)
    if (
        surroundings is BOTH
        or (surroundings is BEFORE and is_single(text[place - reach : place]))
        or (surroundings is AFTER and is_single(text[end : end + CONTEXT]))
    ):
        return _moved(place, end, surroundings)
    return _elsewhere(place, end, surroundings)


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
        assert finding == _by_brute_force(f"{other} {text}", one)
        if f"{other} {text}".count(text[one.start_char : one.end_char]) == 1:
            assert finding.start_char == one.start_char + shift
            if 0 < one.start_char <= one.end_char < len(text):
                assert finding.result is Result.MOVED


@given(located(), st.text(st.sampled_from("xyz 𠀀"), min_size=1, max_size=200).map(normalise))
def test_all_spans_are_missing_from_a_text_without_the_words(
    case: tuple[str, list[Locator]], other: str
) -> None:
    text, wanted = case
    wanted = [one for one in wanted if text[one.start_char : one.end_char] != " "]
    assume(other)
    assert verify(other, wanted) == [_missing()] * len(wanted)


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


def test_the_nearest_of_several_places_is_found_if_no_context_is_the_same() -> None:
    wanted = locator("x" * 40 + "e" + "y" * 40, 40, 41)
    assert verify("e" + "-" * 36 + "e" + "-" * 4 + "e" + "-" * 40, [wanted]) == [_elsewhere(42, 43)]
    # Equally near on both sides: the earlier place.
    assert verify("-" * 38 + "e-_-e" + "-" * 40, [wanted]) == [_elsewhere(38, 39)]


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
    wanted = [locator(text, start, start + 20 + n % 30) for n, start in enumerate(starts)]
    pieces = [text[a:b] for a, b in pairwise([0, *(start - 10 for start in starts), len(text)])]
    edited = "".join(f"{piece}{'新' * (n % 5 + 1)}" for n, piece in enumerate(pieces))
    places = [edited.index(text[one.start_char : one.end_char]) for one in wanted]
    found = verify(edited, wanted)
    assert [finding.start_char for finding in found] == places
    assert {finding.result for finding in found} == {Result.MOVED}


def test_a_short_prefix_near_the_start_counts_as_context() -> None:
    behind = " were what the people of the town had said"
    original = f"In short, the words{behind}"
    wanted = locator(original, 10, 19)
    preceded, followed = f"In short, the words{'-' * 40}", f"{'-' * 40}the words{behind}"
    # It proves nothing alone, because it is shorter.
    for text, expected in (
        (f"{'-' * 20}{preceded}{followed}", _elsewhere(30, 39, BEFORE)),
        (f"{followed}{preceded}", _moved(40, 49, AFTER)),
        (f"{preceded[2:]}{followed}", _moved(97, 106, AFTER)),
        (f"{preceded}{'-' * 40}{original}"[3:], _moved(len(preceded) + 47, len(preceded) + 56)),
    ):
        assert verify(text, [wanted]) == [_by_brute_force(text, wanted)] == [expected]


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
    side = BEFORE if kept == "before" else AFTER
    found = _moved if kept == "before" or left >= CONTEXT else _elsewhere
    assert verify(edited, [wanted]) == [found(start + 500, end + 500, side)]
    assert verify(f"{edited[: start + 600]}{edited[start + 601 :]}", [wanted]) == [
        _missing(Searched.SURROUNDINGS)
    ]


def test_a_span_that_lost_its_context_is_found_beside_its_neighbours() -> None:
    """In a text too long to be searched everywhere."""
    text = _long_text(60_000)
    middle = len(text) // 2
    wanted = [locator(text, middle + 900 * n, middle + 900 * n + 400) for n in range(3)]
    for lost in wanted:
        start, end = lost.start_char, lost.end_char
        edited = f"{text[: start - 5]}{'𠮷' * 5}{text[start:end]}{'𠮷' * 5}{text[end + 5 :]}"
        assert verify(f"{'𠮷' * 30}{edited}", wanted) == [
            (_elsewhere if one is lost else _moved)(one.start_char + 30, one.end_char + 30)
            for one in wanted
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
    assert [finding.result for finding in found] == [Result.MISSING, Result.ELSEWHERE]
    assert found[0].searched is Searched.EVERYWHERE


def test_stated_offsets_may_lie_beyond_the_text() -> None:
    empty = hashlib.sha256(b"").hexdigest()
    far = Locator(2**31 - 9, 2**31 - 1, digest("the deed"), empty, empty)
    (found,) = verify("in the deed.", [far])
    assert found == _elsewhere(3, 11)


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


def _passages(text: str, *words: str) -> list[Passage]:
    """Passages with both locators."""
    text = normalise(text)
    form = LooseForm(text)
    exact = [locate(text, each) for each in words]
    return [Passage(each, form.locator(each)) for each in exact]


def _found(text: str, words: str, copy: str) -> tuple[Result, Surroundings | None, str | None]:
    """The result for the words of the text in the copy, and the words of the copy."""
    copy = normalise(copy)
    (found,) = verify_passages(copy, _passages(text, words))
    if found.start_char is None:
        return found.result, found.surroundings, None
    return found.result, found.surroundings, copy[found.start_char : found.end_char]


ZONE = (
    "The pilot zone opened its first office in March. The technology committee will report again."
)
PLAN = "Officials called it a “joint plan” – nobody’s budget was cut."
STAGE = (
    "前海合作區的首個辦事處於三月啟用。官員表示，該計劃的第二階段需時兩年，並會於二零二六年檢討。"
)
COMMITTEE = "technology committee will report"
JOINT = "“joint plan” – nobody’s budget"
COST = "該計劃的費用，據官員三月表示，將於2026年升至5,000元。"
YEARS = "該計劃的第二階段需時兩年"


@pytest.mark.parametrize(
    ("text", "words", "before", "after"),
    [
        (ZONE, COMMITTEE, "technology", "tech\u00adno\u00adlogy"),
        (ZONE, COMMITTEE, "technology", "tech-\nnology"),
        (ZONE, COMMITTEE, "technology", "tech\u00ad\nnology"),
        (ZONE, COMMITTEE, "committee", "com\u200bmit\u200dtee"),
        (ZONE, "opened its first office", "first office", "ﬁrst oﬃce"),
        (ZONE, "The technology", "The technology", "\ufeffThe \u200etechnology"),
        (PLAN, JOINT, "“joint plan” – nobody’s", "\"joint plan\" - nobody's"),
        (PLAN, JOINT, "” – ", "”—"),
        (PLAN, JOINT, "“joint plan”", "„joint plan“"),
        (STAGE, YEARS, "第二階段", "第二\n階段"),
        (STAGE, YEARS, "該計劃的第二階段", "該計\n劃的 第二\u200b階段"),
        (COST, "2026年升至5,000元", "2026年升至5,000", "２０２６ 年升至５，０００ "),
    ],
)  # fmt: skip
def test_words_in_another_typography_are_found(
    text: str, words: str, before: str, after: str
) -> None:
    assert before in words
    copy = text.replace(before, after)
    written = normalise(words.replace(before, after))
    expected = (Result.SAME_BUT_TYPOGRAPHY, BOTH, written.removeprefix("\ufeff"))
    assert _found(text, words, copy) == expected
    # Elsewhere in the text, too.
    assert _found(text, words, f"A preface of some length. {copy}") == expected


def test_a_copy_in_lines_is_found_everywhere() -> None:
    lines = "\n".join([STAGE[:14], STAGE[14:28], STAGE[28:42], STAGE[42:]])
    expected = (Result.SAME_BUT_TYPOGRAPHY, BOTH, "該計劃的第二 階段需時兩年")
    assert _found(STAGE, YEARS, lines) == expected
    # The words are the same, and only the surroundings differ in typography.
    assert _found(STAGE, "官員表示", lines) == (Result.MOVED, BOTH, "官員表示")
    assert _found(STAGE, "辦事處", lines) == (Result.EXACT, BEFORE, "辦事處")


FAIR = (
    "The fair drew 5,000 visitors on its first day, the organiser said. Tickets were cheap. A"
    " bakery, meanwhile, baked 5,000 buns for a charity run in another district the month before."
)
TABLE = (
    "Number of visitors on the first day of the fair: 5,000 in the east. "
    "Number of visitors on the first day of the fair: 5,000 in the west."
)


@pytest.mark.parametrize(
    ("text", "copy"),
    [
        (FAIR, FAIR.replace("5,000 visitors", "6,200 visitors")),
        (FAIR, FAIR.replace("5,000 visitors", "about 6,200 visitors")),
        (FAIR[14:], FAIR[14:].replace("5,000 visitors", "6,200 visitors")),
        (FAIR, f"{FAIR.replace('5,000 visitors', '6,200 visitors')[:-1]}, all 5,000."),
        (TABLE, TABLE.replace("5,000 in the east", "6,200 in the east")),
        (TABLE, f"The fair. {TABLE.replace('5,000 in the east', '6,200 in the east')}"),
        (TABLE, TABLE.replace("5,000 in the east", "6,200 in the north")),
        # The first figure is removed, and the other is now at its place.
        (f"{'-' * 40}5,000{'+' * 40}5,000!", f"{'-' * 20}{'/' * 20}5,000{'*' * 40}"),
        ("In all they sold 5,000.", "In all they sold 6,200. They had made 5,000."),
        ("5,000 came.", "6,200 came. In the year before it was 5,000 came."),
    ],
)
@pytest.mark.parametrize("has_loose", [True, False])
def test_a_corrected_figure_is_never_moved_or_exact(text: str, copy: str, has_loose: bool) -> None:
    passages = _passages(text, "5,000")
    if not has_loose:
        passages = [Passage(each.exact) for each in passages]
    (found,) = verify_passages(normalise(copy), passages)
    assert found.result is Result.ELSEWHERE
    assert found.surroundings is not BOTH
    assert copy[found.start_char : found.end_char] == "5,000"


CHINESE_FAIR = (
    "該展覽首日共吸引47,000名訪客入場，主辦單位表示門票價格低廉，"
    "而附近的麵包店在前一個月為慈善活動烘焙了大量麵包，合共四萬個，分送各區的長者及兒童。"
)
HALLS = "It has five halls for trade and seven for meetings, and it has many visitors."
PARTS_OF_ANOTHER_FIGURE = [
    (text, words, figure)
    for text, words, figures in (
        (FAIR, "5,000", "15,000|5,000,000|5,000.5|5,000'000|−5,000|-5,000|1,5,000|5,000²|5,000%"),
        (
            FAIR,
            "5,000",
            "5,000½|5,000k|5,000–6,000|5,0001|５，０００，０００|5,000 million|5,000 000",
        ),
        (FAIR, "5,000", "5,000\u2009000|5,000\u200b.5|5,000 %|5,000 per cent|5,000-odd"),
        (FAIR, "5,000 visitors on its first day", "15,000 visitors on its first day"),
        (FAIR, "The fair drew 5,000", "The fair drew 5,000,000"),
        (CHINESE_FAIR, "47,000", "147,000|−47,000|47,0000|47,000.5|47,000萬|47,000万|47,000億"),
        (CHINESE_FAIR, "47,000", "47,000²|47,000％|47,000‰|三47,000|負47,000|47,000多"),
        (CHINESE_FAIR, "四萬", "十四萬|四萬五千|四萬億|四萬5千|2四萬|四萬三"),
        (HALLS, "five", "twenty-five|five hundred|fifty five|five and a half"),
        (HALLS, "seven", "seventy|seventeen|seven million"),
    )
    for figure in figures.split("|")
]


@pytest.mark.parametrize(("text", "words", "figure"), PARTS_OF_ANOTHER_FIGURE)
@pytest.mark.parametrize("has_loose", [True, False])
@pytest.mark.parametrize("preface", ["", "A preface. "])
def test_a_part_of_another_figure_is_never_moved_or_exact(
    text: str, words: str, figure: str, has_loose: bool, preface: str
) -> None:
    (passage,) = _passages(text, words)
    passage = passage if has_loose else Passage(passage.exact)
    copy = normalise(preface + text.replace(words, figure, 1))
    (found,) = verify_passages(copy, [passage])
    assert found.result in {Result.ELSEWHERE, Result.MISSING}


@given(
    st.sampled_from([(FAIR, "5,000"), (CHINESE_FAIR, "47,000"), (CHINESE_FAIR, "四萬")]),
    st.from_regex(r"([-−]|[0-9]+[,.'/]?)\Z", fullmatch=True) | st.just(""),
    st.from_regex(r"([,.'/]?[0-9]+|[萬億千百%‰²])\Z", fullmatch=True) | st.just(""),
    st.booleans(),
)
def test_a_figure_with_more_digits_is_never_moved_or_exact(
    case: tuple[str, str], before: str, after: str, has_loose: bool
) -> None:
    assume(before or after)
    text, words = case
    (passage,) = _passages(text, words)
    copy = normalise(text.replace(words, before + words + after, 1))
    (found,) = verify_passages(copy, [passage if has_loose else Passage(passage.exact)])
    assert found.result in {Result.ELSEWHERE, Result.MISSING}


@pytest.mark.parametrize("has_loose", [True, False])
def test_a_figure_that_was_part_of_a_longer_one_remains_exact(has_loose: bool) -> None:
    text = FAIR.replace("5,000 visitors", "−15,000.5 visitors")
    (passage,) = _passages(text, "5,000")
    passage = passage if has_loose else Passage(passage.exact)
    assert verify_passages(text, [passage]) == [_exact(passage.exact)]
    (found,) = verify_passages(text.replace("The fair", "Its fair"), [passage])
    # The minus before it may be new.
    assert (found.result, found.surroundings) == (Result.ELSEWHERE, AFTER)


@pytest.mark.parametrize(
    ("before", "after"),
    [("saw 5,000", "people"), ("drew — 5,000", "visitors"), ("in 2019, 5,000", "or")],
)
def test_other_words_beside_a_figure_do_not_continue_it(before: str, after: str) -> None:
    copy = f"The fair {before} {after} there."
    start = copy.index("5,000")
    assert not continues_before(copy, start, start + 5)
    assert not continues_after(copy, start, start + 5)


def test_a_figure_in_another_typography_beside_other_words_is_elsewhere() -> None:
    copy = FAIR.replace("5,000 visitors", "6,200 visitors").replace("5,000 buns", "５，０００ buns")
    assert _found(FAIR, "5,000", copy) == (Result.ELSEWHERE, NONE, "５，０００")


def test_a_figure_that_moved_with_its_sentence_has_moved() -> None:
    assert _found(FAIR, "5,000", f"News. {FAIR}") == (Result.MOVED, BOTH, "5,000")
    assert _found(FAIR, "5,000", f"News of today: a {FAIR[4:]}") == (Result.MOVED, AFTER, "5,000")


def test_the_exact_words_at_the_stated_place_are_found_without_any_context() -> None:
    text = f"{'-' * 40}the words{'+' * 40}"
    copy = f"{'*' * 40}the words{'/' * 40}"
    for passage in (*_passages(text, "the words"), Passage(locate(text, "the words"))):
        assert verify_passages(copy, [passage]) == [_elsewhere(40, 49)]


# Characters that the loose form changes.
TYPOGRAPHIC = st.text(st.sampled_from('ab 1中ﬁ-–“"\u00ad\u200b，,'), max_size=80).map(normalise)


@st.composite
def with_both(draw: st.DrawFn) -> tuple[str, list[Passage]]:
    """A text and passages with both locators."""
    text, exact = draw(located(TYPOGRAPHIC.filter(len)))
    form = LooseForm(text)
    return text, [Passage(one, form.locator(one)) for one in exact]


@given(with_both())
def test_every_text_equals_itself_exactly(case: tuple[str, list[Passage]]) -> None:
    text, passages = case
    assert verify_passages(text, passages) == [_exact(each.exact) for each in passages]


@given(with_both(), TYPOGRAPHIC | st.just(""), st.booleans())
def test_loose_passages_give_the_same_as_brute_force(
    case: tuple[str, list[Passage]], other: str, is_edited: bool
) -> None:
    text, passages = case
    copy = normalise(f"{text[:20]}{other}{text[25:]}") if is_edited else other
    assume(copy)
    form = LooseForm(copy)
    for passage, finding in zip(passages, verify_passages(copy, passages), strict=True):
        if passage.loose is None:
            assert finding == _by_brute_force(copy, passage.exact)
            continue
        loosely = _by_brute_force(form.text, passage.loose, has_numbers=False)
        if finding.start_char is None:
            assert finding == loosely == _missing()
            continue
        assert finding.end_char is not None
        assert finding.surroundings is not None
        words = copy[finding.start_char : finding.end_char]
        is_exact = digest(words) == passage.exact.exact_sha256
        span = finding.start_char, finding.end_char
        if _is_part_of_number(copy, *span, finding.surroundings):
            assert finding.result is Result.ELSEWHERE
            continue
        if is_exact and finding.start_char == passage.exact.start_char:
            assert finding.result is (
                Result.ELSEWHERE if finding.surroundings is NONE else Result.EXACT
            )
            continue
        if finding.result is Result.MOVED and finding.surroundings is BOTH:
            assert is_exact
            continue
        assert loosely.start_char is not None
        assert loosely.end_char is not None
        place = form.span_in_text(loosely.start_char, loosely.end_char)
        assert (finding.start_char, finding.end_char) == place
        assert loose(words) == form.text[loosely.start_char : loosely.end_char]
        assert finding.surroundings is loosely.surroundings
        if loosely.result is Result.ELSEWHERE:
            assert finding.result is Result.ELSEWHERE
        else:
            assert finding.result is (Result.MOVED if is_exact else Result.SAME_BUT_TYPOGRAPHY)


def test_loose_and_exact_searches_share_the_work() -> None:
    text = _long_text(60_000)
    gone = [locator("𠮷" * 5000, n, n + n) for n in range(1, 400)]
    found = verify_passages(text, [Passage(one, one) for one in gone])
    assert {finding.result for finding in found} == {Result.MISSING}
    assert {finding.searched for finding in found} == {*Searched}
