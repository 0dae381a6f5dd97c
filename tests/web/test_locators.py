"""The script that makes locators in the browser: it agrees with ``hksz_db.domain``."""

# ruff: noqa: RUF001 - characters that look alike are the subject

import json
import random
import shutil
import subprocess
from pathlib import Path

import pytest

from hksz_db.domain.locators import NotText, digest, locator, read_decoded
from hksz_db.domain.loose_form import LooseForm
from tests.web.conftest import served_scripts

_NODE = shutil.which("node")
_needs_node = pytest.mark.skipif(_NODE is None, reason="Node.js is not installed")

_LETTERS = (
    "  \n\r\t\x1c\x85\u00a0\u3000-–—.…'’“\"„、，。中文《aBcé1ﬁ½²①5５\u00ad\u200d\ufeff\u0301\u0323¨"
    "´ｶﾞか\uff9e각가\uffc2─「`\u2033,(％𠮷𝟘😀🏳\ufe0fÅΩΣς"
)
_TEXTS = [
    "In 2023 alone, exactly 45,120 applications were approved under the scheme.",
    "  The Loop covers\r\n87 hectares.\r\n\r\nIt is “the first” of its kind — so far.  ",
    "河套香港園區佔地約八十七公頃，\n  首批三座大樓已於 2024 年落成。",
    "𠮷野家 has 3½ shops 😀 in the zone; one‑third of them, ﬁrst…",
    "tech-\nnology, long\u00ad\nterm, COVID-\n19, 2019 – 2020, a -- b",
    "e\u0301t\u00e9 and A\u030angstr\u00f6m",
    "a",
    "\ufefftext after a byte order mark",
    "\ufeff\ufefftwo of them",
    "one\x1ctwo\x85three\u2028four\u200bfive",
]


def _spans() -> list[tuple[str, int, int]]:
    chosen = random.Random(26)
    made = ["".join(chosen.choices(_LETTERS, k=chosen.randint(1, 90))) for _ in range(4000)]
    spans = []
    for text in [*_TEXTS * 20, *made]:
        try:
            length = len(read_decoded(text))
        except NotText:
            continue
        start = chosen.randrange(length)
        spans.append((text, start, chosen.randint(start + 1, length)))
    return spans


def _in_node(spans: list[tuple[str, int, int]]) -> list[object]:
    assert _NODE is not None
    runner = Path(__file__).with_name("locators.mjs")
    done = subprocess.run(
        [_NODE, runner],
        input=json.dumps({"script": served_scripts("locators.js"), "spans": spans}),
        capture_output=True,
        check=True,
        text=True,
    )
    answers: list[object] = json.loads(done.stdout)
    return answers


@pytest.mark.slow
@_needs_node
def test_the_script_makes_the_locators_of_the_domain() -> None:
    spans = _spans()
    expected = []
    for given, start, end in spans:
        text = read_decoded(given)
        form, exact = LooseForm(text), locator(text, start, end)
        loose = form.locator(exact)
        expected.append(
            {
                "text": text,
                "folded": form.text,
                "whole": digest(text),
                "exact": vars(exact),
                "loose": loose and vars(loose),
            }
        )
    assert any(each["loose"] is None for each in expected)
    for span, answer, known in zip(spans, _in_node(spans), expected, strict=True):
        assert answer == known, span


@_needs_node
@pytest.mark.parametrize("text", ["", " \u3000\n", "a\0b", "half \ud83d of a pair"])
def test_the_script_refuses_what_the_domain_refuses(text: str) -> None:
    with pytest.raises(NotText):
        read_decoded(text)
    assert _in_node([(text, 0, 1)]) == [None]


@_needs_node
@pytest.mark.parametrize("length", [0, 1, 55, 56, 63, 64, 65, 119, 120, 4000])
def test_the_script_hashes_texts_of_every_length(length: int) -> None:
    text = "x" * length + "y"
    (answer,) = _in_node([(text, 0, length + 1)])
    assert isinstance(answer, dict)
    assert answer["exact"]["exact_sha256"] == digest(text)


@_needs_node
def test_the_script_takes_long_texts() -> None:
    text = "約 87 hectares – “first”, tech-\nnology ﬁ " * 20_000
    known = read_decoded(text)
    (answer,) = _in_node([(text, 400_000, 400_040)])
    assert isinstance(answer, dict)
    assert answer["exact"] == vars(locator(known, 400_000, 400_040))
