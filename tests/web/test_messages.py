"""What services say, in the words of the pages."""

import re
from pathlib import Path

import pytest
from flask import Flask

from hksz_db.domain.figure_tokens import UnreadableFigure
from hksz_db.domain.stated_figures import read_stated
from hksz_db.web.messages import _MESSAGES, in_words
from tests.web.conftest import Api, Browser

_ROOT = Path(__file__).parents[2]
_LEAST = 9


def _said_by_services() -> str:
    """The code of the services, with texts that are split over lines in one piece."""
    folders = [_ROOT / name for name in ("hksz_db", "schemas")]
    files = [path for root in folders for path in root.rglob("*.py") if path.name != "messages.py"]
    code = "\n".join(path.read_text("utf-8") for path in sorted(files))
    return re.sub(r"\"\s*\n\s*f?\"", "", code)


def test_every_message_is_one_of_the_services() -> None:
    code = _said_by_services()
    for message in _MESSAGES:
        pieces = re.split(r"“?%\(\w+\)s”?|'|unit|“\w+”", message)
        known = [each.strip(" .:") for each in pieces if len(each) >= _LEAST]
        assert any(each in code for each in known), message


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
