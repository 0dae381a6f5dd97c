"""The page that checks a text."""

import csv
import io

import pytest

from hksz_db.domain.vocabulary import Scope
from tests.web.conftest import Api, Browser, MakeKey

RIGHT = "Hong Kong approved over 47,000 TTPS applications in 2023."
WRONG = "HKU hired 191 academics in 2023."
UNKNOWN = "The Lok Ma Chau Loop will have 52,000 jobs."
TEXT = f"{RIGHT} {WRONG}\r\n\r\n{UNKNOWN}"
FIELDS = {"text": TEXT, "published": "2024-01-29"}


def test_contradictions_come_first_beside_the_marked_text(browser: Browser) -> None:
    empty = browser.get("/check")
    assert empty.status == 200
    page = browser.send(empty, "/check", **FIELDS)
    assert page.status == 200
    found = page.texts("//section[@aria-labelledby='findings']//li[@id]/blockquote")
    assert found == [WRONG, RIGHT]
    assert page.texts("//section[@aria-labelledby='unknown']//blockquote") == [UNKNOWN]
    assert page.texts("//li[@id='finding-2']//mark") == ["191"]
    assert "“91”" in page.only("//li[@id='finding-2']/p")
    assert page.only("//li[@id='finding-2']//li").endswith("recruited 91 academics.")
    marked = page.texts("//section[@aria-labelledby='marked']//li")
    assert [each[-20:] for each in marked] == [each[-20:] for each in (RIGHT, WRONG, UNKNOWN)]
    assert page.only("//textarea").startswith(RIGHT)


@pytest.mark.parametrize("language", ["zh-Hant", "zh-Hans"])
def test_the_report_is_in_the_language_of_the_page(browser: Browser, language: str) -> None:
    browser.client.set_cookie("ui", language)
    page = browser.post("/check", FIELDS)
    assert page.tree.get("lang") == language
    assert "contradicts" not in page.only("//main")
    assert page.texts("//li[@id='finding-2']/blockquote//*[@lang='en']")


def test_a_fault_keeps_what_was_typed(browser: Browser) -> None:
    page = browser.post("/check", {"text": TEXT, "published": "soon"})
    assert page.status == 422
    assert page.only("//textarea").startswith(RIGHT)
    assert "This is not a date" in page.only("//div[@role='alert']")
    assert browser.post("/check", {"text": " "}).status == 422
    assert browser.post("/check", {"text": "x" * 65_537}).status == 422


def test_a_repeat_in_fewer_words_is_explained_as_such(browser: Browser) -> None:
    page = browser.post("/check", {"text": "The Lok Ma Chau Loop covers 87 hectares."})
    assert "one of the two has all the words of the other" in page.texts("//li[@id]/p")[0]


def test_the_report_says_if_not_all_is_checked(browser: Browser) -> None:
    page = browser.post("/check", {"text": "HKU hired 1 or 2, 3 or 4 and 5. " * 101})
    assert "only its first 100 sentences" in page.only("//p[@class='notice']")
    assert not browser.post("/check", FIELDS).tree.xpath("//p[@class='notice']")


def test_the_report_as_a_table(browser: Browser) -> None:
    sent = browser.post("/check", {"text": f"=1+1. {WRONG}", "go": "csv"})
    assert sent.headers["Content-Type"].startswith("text/csv")
    assert sent.headers["Cache-Control"] == "no-store"
    rows = [*csv.DictReader(io.StringIO(sent.text.removeprefix("\ufeff")))]
    assert [row["finding"] for row in rows] == ["not_known", "contradicts"]
    assert [row["sentence"] for row in rows] == ["'=1+1.", WRONG]
    assert "hksz:hku-recruited-2023" in rows[1]["claims"]


def test_a_sentence_goes_over_to_adding(browser: Browser, make_key: MakeKey, api: Api) -> None:
    anonymous = browser.post("/check", FIELDS)
    assert not anonymous.tree.xpath("//form[@class='adding']")
    browser.sign_in(make_key("author", Scope.CLAIMS_WRITE))
    (source,) = api("/v1/sources", external_id="hksz:shenzhen-daily-article")["data"]
    page = browser.post("/check", {**FIELDS, "source": source["title"]})
    (form,) = page.tree.xpath("//form[@class='adding']")
    assert UNKNOWN not in str(form.form_values())
    add = browser.post("/add", {**dict(form.form_values()), "go": "show"})
    assert add.status == 200
    assert add.tree.xpath("//input[@name='as_stated']/@value") == ["have 52,000"]
    (start,) = add.tree.xpath("//input[@name='start_char']/@value")
    assert int(start) == len(f"{RIGHT} {WRONG} ")
