"""The script that compares a reader's copy: it finds what ``hksz_db.domain.verification`` finds."""

# ruff: noqa: RUF001 - characters that look alike are the subject

import json
import random
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from hksz_db.domain.locators import Passage, locate, locator, read_decoded
from hksz_db.domain.loose_form import LooseForm
from hksz_db.domain.verification import verify
from hksz_db.web.sources import NUMBER_EDGES
from tests.web.conftest import served_scripts

_NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(_NODE is None, reason="Node.js is not installed")

TEXT = read_decoded(
    "The tunnel carries about 5,000 cars a day, the office says; the “first” one fell by −3.5% to"
    " 12.25 million in 2019–2020. 隧道長兩公里,佔地 87.5 公頃，共十五萬人。 The toll is 1 250"
    " dollars, which is twenty-five per cent more than before, and the long\u00ad term plan is ﬁrm."
    " A second tunnel of 10² metres costs HK$4 billion; nobody knows when it will be dug."
)
FIGURES = ("5,000", "−3.5%", "12.25 million", "87.5 公頃", "十五萬", "1 250", "10²", "HK$4 billion")
ALTERED = {
    "5,000": ("5,001", "5.000", "50,000", "5,0000", "15,000", "5000", "−5,000"),
    "−3.5%": ("3.5%", "−3,5%", "−35%", "+3.5%", "−3·5%", "−3.5‰"),
    "12.25 million": ("1225 million", "12,25 million", "12.25 billion", "2.25 million"),
    "87.5 公頃": ("87,5 公頃", "875 公頃", "8.75 公頃", "87.6 公頃"),
    "十五萬": ("十六萬", "五萬", "十五億", "二十五萬"),
    "1 250": ("1250", "1,250", "12 50", "1 260"),
    "10²": ("102", "10", "10³"),
    "HK$4 billion": ("HK$4.1 billion", "HK$14 billion", "US$4 billion", "HK$4 million"),
}
IN_OTHER_TYPE = {
    "−3.5%": "-3.5%",
    "87.5 公頃": "87.5公頃",
    "十五萬": "十五\u200b萬",
    "HK$4 billion": "HK＄4 billion",
}
_PIECES = ("5", "0", ",", ".", "−", "-", " ", "’", "萬", "million ", "“", "ﬁ", "\u00ad", "a", "。")


def passages_of(text: str, spans: Sequence[tuple[int, int]], *, has_loose: bool) -> list[Passage]:
    form = LooseForm(text)
    located = [locator(text, *span) for span in spans]
    return [Passage(each, form.locator(each) if has_loose else None) for each in located]


def found_by_the_script(cases: Sequence[tuple[str, Sequence[Passage]]]) -> Any:
    assert _NODE is not None
    script = served_scripts("locators.js", "copies.js")
    sent = [(text, [each.fields for each in passages]) for text, passages in cases]
    done = subprocess.run(
        [_NODE, Path(__file__).with_name("copies.mjs")],
        input=json.dumps({"script": script, "edges": NUMBER_EDGES, "cases": sent}),
        capture_output=True,
        check=True,
        text=True,
    )
    return json.loads(done.stdout)


def found_by_the_domain(text: str, passages: Sequence[Passage]) -> list[dict[str, Any]]:
    return [
        {"result": each.result.value, "start": each.start_char, "end": each.end_char}
        for each in verify(text, passages)
    ]


@pytest.mark.parametrize("has_loose", [True, False])
def test_an_altered_figure_is_never_excused_with_typography(has_loose: bool) -> None:
    cases = []
    for figure, others in ALTERED.items():
        exact = locate(TEXT, figure)
        (passage,) = passages_of(TEXT, [(exact.start_char, exact.end_char)], has_loose=has_loose)
        cases += [(TEXT.replace(figure, each, 1), [passage]) for each in others]
    found = found_by_the_script(cases)
    assert found == [found_by_the_domain(*case) for case in cases]
    assert {each["result"] for (each,) in found} == {"missing", "elsewhere"}


def test_other_typography_of_a_figure_is_the_same_figure() -> None:
    cases = []
    for figure, other in IN_OTHER_TYPE.items():
        exact = locate(TEXT, figure)
        copy = TEXT.replace(figure, other, 1)
        span = [(exact.start_char, exact.end_char)]
        cases += [(copy, passages_of(TEXT, span, has_loose=each)) for each in (True, False)]
    found = found_by_the_script(cases)
    assert found == [found_by_the_domain(*case) for case in cases]
    results = [each["result"] for (each,) in found]
    # Without a second hash nobody can tell.
    assert results == ["same_but_typography", "missing"] * len(IN_OTHER_TYPE)


def test_the_script_finds_what_the_service_finds_in_altered_copies() -> None:
    chosen, cases = random.Random(27), list[tuple[str, list[Passage]]]()
    for number in range(150):
        spans = []
        for _ in range(chosen.randint(1, 6)):
            start = chosen.randrange(len(TEXT))
            spans.append((start, min(len(TEXT), start + chosen.choice((1, 3, 8, 40)))))
        copy = TEXT
        for _ in range(chosen.randint(0, 6)):
            place = chosen.randrange(len(copy))
            put = "".join(chosen.choices(_PIECES, k=chosen.choice((0, 1, 1, 2, 30))))
            copy = copy[:place] + put + copy[place + chosen.choice((0, 1, 2)) :]
        if number % 5 == 0:
            copy = copy[chosen.randrange(60) :] + " " + copy[: chosen.randrange(90)]
        passages = passages_of(TEXT, spans, has_loose=number % 2 == 0)
        cases.append((read_decoded(copy), passages))
    results = list[str]()
    for case, found in zip(cases, found_by_the_script(cases), strict=True):
        assert found == found_by_the_domain(*case), case
        results += [each["result"] for each in found]
    assert {*results} == {"exact", "moved", "same_but_typography", "elsewhere", "missing"}
