"""What services say, in the words of the pages."""

import ast
import re
from functools import cache
from itertools import repeat
from pathlib import Path
from time import process_time

import pytest
from flask import Flask

from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.stated_figures import read_stated
from hksz_db.web.messages import _MESSAGES, _patterns, in_words
from tests.web.conftest import Api, Browser

_ROOT = Path(__file__).parents[2]
# The modules whose messages pages show.
_SPEAKING = (
    "hksz_db/domain/chinese_figures.py",
    "hksz_db/domain/chronology.py",
    "hksz_db/domain/errors.py",
    "hksz_db/domain/figure_*.py",
    "hksz_db/domain/stated_figures.py",
    "hksz_db/domain/warnings.py",
    "hksz_db/exchange/readers/[bl]*tex.py",
    "hksz_db/exchange/readers/csl.py",
    "hksz_db/exchange/readers/names.py",
    "hksz_db/exchange/readers/ris.py",
    "hksz_db/exchange/readers/works.py",
    "hksz_db/http/requests.py",
    "hksz_db/services/batches.py",
    "hksz_db/services/dependants.py",
    "hksz_db/services/evidence.py",
    "hksz_db/services/figures.py",
    "hksz_db/services/idempotency.py",
    "hksz_db/services/loading.py",
    "hksz_db/services/merging.py",
    "hksz_db/services/references.py",
    "hksz_db/services/review.py",
    "hksz_db/services/sessions.py",
    "hksz_db/services/warnings.py",
    "hksz_db/services/writing.py",
    "schemas/claims.py",
    "schemas/entities.py",
    "schemas/evidence.py",
    "schemas/fields.py",
    "schemas/filters.py",
    "schemas/parameters.py",
    "schemas/sources.py",
)
# What they say about what no page asks for.
_NOT_SHOWN = (
    "A tree of filters",
    "Dimensions and categories must be",
    "Either ",
    "Figures use this metric",
    "Give either ",
    "Has a dimension twice",
    "Keys to sort by",
    "Must be a list.",
    "Must be a namespace",
    "Must be a text.",
    "Must be an object of categories",
    "Must be between X Y and",
    "Must be names, separated by commas",
    "Must have 1 to X Y dimensions",
    "Must match ",
    "One name must be preferred",
    "Only one ",
    "Say what to group by",
    "The capture with this id",
    "The fields ",
    "The id must be last",
    "The language of the name",
    "The part of a whole",
    "Unknown field",
)
# Parts of messages, and messages that consist of parts or are said by the pages themselves.
_PARTS = (
    "Give comparator, amount or bounds",
    "It was read from as_stated",
    "X Y claimant_as_stated",
    "X Y review the former first",
    "X Y, kept as a note: X Y",
    "X Y, the unit X Y X Y",
    "X Y: X Y",
)
_COMPOSED = (
    "The metric measures count, the unit HKD money.",
    "'x' may stand for anything. Give comparator, amount or bounds, and unit_code.",
    "There is no unit bolts. It was read from as_stated: add the unit (POST /v1/units).",
    "There is no unit bolts.",
    "There is no unit bolts. Known are others.",
    "The words state '5 %', but the figure has the unit 1.",
    "The words state '5 %', but the figure has the comparator gt.",
    "x is not an id.",
    "entry 3: Must be an object.",
    "line 3 (smith2020): A set of entries is not a work.",
    "01a2 is submitted, and 01a3 was accepted: review the former first.",
    "read as 2023 only, kept as a note: autumn 2023",
    "not a date, kept as a note: soon",
    "several names? kept as one: A, B and C",
    "a family name? kept as an organisation: Chan",
    "more authors than listed",
    "The form has no field for: Ann Roe (author)",
    "The form is not complete: its hidden fields are missing.",
    "Another site has sent this form. Send it from these pages.",
)


class _Texts(ast.NodeVisitor):
    """The messages in a module, with X Y in place of what is put in.

    They are sentences, and whatever is added to a list of warnings. Docstrings and descriptions of
    fields are none.
    """

    def __init__(self) -> None:
        self.found: set[str] = set()
        self._warns = False

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in {"description", "metadata"}:
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        self._visit_list(node, node.func.value if isinstance(node.func, ast.Attribute) else node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._visit_list(node, node.target)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str):
            self._add(re.sub(r"\{.*?\}", "X Y", node.value))

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        self._add("".join(_part(each) for each in node.values))

    def _visit_list(self, node: ast.AST, target: ast.AST) -> None:
        before, self._warns = self._warns, getattr(target, "attr", "") == "warnings"
        self.generic_visit(node)
        self._warns = before

    def _add(self, text: str) -> None:
        if self._warns or re.fullmatch(r"['A-Z].* .*\.", text):
            self.found.add(text)


def _part(node: ast.expr) -> str:
    if isinstance(node, ast.Constant):
        return str(node.value)
    is_quoted = isinstance(node, ast.FormattedValue) and node.conversion == ord("r")
    return "'X Y'" if is_quoted else "X Y"


@cache
def _said(*patterns: str) -> frozenset[str]:
    """The messages in the modules."""
    texts = _Texts()
    for pattern in patterns:
        for path in _ROOT.glob(pattern):
            texts.visit(ast.parse(path.read_text("utf-8")))
    return frozenset(texts.found)


def test_every_message_that_a_page_can_show_is_known() -> None:
    said = {each for each in _said(*_SPEAKING) if not each.startswith((*_NOT_SHOWN, *_PARTS))}
    known = [pattern for pattern, _text in _patterns()]
    assert {
        each for each in said if not any(map(re.Pattern.fullmatch, known, repeat(each)))
    } == set()
    assert len(said) > 150


def test_every_known_message_is_said_somewhere() -> None:
    said = {*_said("hksz_db/[!w]*/**/*.py", "schemas/*.py"), *_COMPOSED}
    unsaid = {text for pattern, text in _patterns() if not any(map(pattern.fullmatch, said))}
    assert unsaid == set()


def test_every_known_message_is_said_in_its_own_words() -> None:
    """No pattern that comes before fits it, too."""
    for (own, _text), message in zip(_patterns(), _MESSAGES, strict=True):
        said = re.sub(r"%\(.+?\)s", "7", message.replace("“", "'").replace("”", "'"))
        assert next(pattern for pattern, _text in _patterns() if pattern.fullmatch(said)) == own


@pytest.mark.parametrize(
    "message",
    [
        "entry 1: " * 200,
        "entry 1: " * 20_000,
        f"read as {'[' * 500} only, kept as a note: x",
        "read as 2023-02-31 only, kept as a note: x",
        f"The {' (' * 60}{') has the ' * 60}x",
        "' in '" * 300,
    ],
)
def test_a_message_that_no_service_says_takes_no_time(app: Flask, message: str) -> None:
    """The warnings about a record come back in the form, with whatever was written into it."""
    with app.test_request_context():
        begun = process_time()
        assert in_words(message)
        assert process_time() - begun < 1


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("May have at most 300 characters.", "最多 300 個字元。"),
        ("'2023-13' is not an EDTF date (position 5).", "無法讀取日期 2023-13。"),
        ("The comparator gt needs an amount.", "「多於」須填寫數額。"),
        (
            "The text states no number. Give comparator, amount or bounds, and unit_code.",
            "文字沒有數字。請在下方更正讀取結果",
        ),
        ("The claim 01a2 is at version 2, not the one given.", "你開啟之後有人更改了內容。"),
        ("The key 'desk' lacks the scope review.", "金鑰「desk」沒有 review 權限。"),
        ("entry 3: Must be an object.", "第 3 項"),
        ("The relations of sources may not form a cycle: a.", "各來源會循環轉載。"),
        (
            "01a2 is submitted, and 01a3 was accepted: review the former first.",
            "條目 01a2 為「已提交",
        ),
        ("Something new.", "Something new."),
    ],
)
def test_a_message_is_said_in_the_language_of_the_page(app: Flask, message: str, said: str) -> None:
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert in_words(message).startswith(said)


@pytest.mark.parametrize(
    "words", ["many", "5 and 6 firms", "a 1.234", "between 5", "約多於", "5 5"]
)
def test_a_figure_that_cannot_be_read_is_explained(app: Flask, words: str) -> None:
    with pytest.raises(UnreadableFigure) as caught:
        read_stated(words)
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert in_words(str(caught.value)) != str(caught.value)


def test_history_names_fields_as_people_do(browser: Browser, api: Api) -> None:
    body = {"statement": "Tests pass.", "claimant_as_stated": "a tester", "time_edtf": "2023"}
    id = api("/v1/claims", json=body)["id"]
    api(f"/v1/claims/{id}", {"time_edtf": "2024-03", "modality": "planned"}, "PATCH")
    history = browser.get(f"/claims/{id}").texts("//section[@aria-labelledby='history']//td")
    assert "kind of statement, time" in history
    page = browser.get(f"/claims/{id}/history/1/2?ui=zh-Hant")
    rows = [row.text_content() for row in page.tree.xpath("//tbody/tr")]
    assert "陳述性質事實陳述計劃" in rows
    assert "時間 日期2023年2024年3月" in rows
