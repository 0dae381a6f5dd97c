"""Adding a passage, without JavaScript: the source, the claim, the consequences, and saving."""

import json
from collections.abc import Callable
from http import HTTPStatus
from io import BytesIO
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from flask import Flask
from lxml import html
from werkzeug.datastructures import MultiDict

from hksz_db.database import Database
from hksz_db.domain.errors import Contended
from hksz_db.domain.locators import digest, locate, normalise
from hksz_db.domain.loose_form import LooseForm
from hksz_db.domain.vocabulary import Scope
from hksz_db.services import api_keys
from hksz_db.services.writing import writing
from hksz_db.web import files
from hksz_db.web.submissions import key_of_metric, submit
from tests.web.conftest import Api, Browser, MakeKey, Page

ARTICLE = "hksz:shenzhen-daily-article"
APPROVED = "hksz:ttps-approved-2023"
PLANNED = "hksz:talent-target"
TEXT = "Two years on. In 2023 alone, exactly 45,120 applications were approved. Few were refused."
PASSAGE = "In 2023 alone, exactly 45,120 applications were approved."
Form = dict[str, Any]
Post = Callable[..., Page]


@pytest.fixture
def key(database: Database) -> str:
    """The key of somebody who may add sources and claims, but not review."""
    with writing(database) as session:
        return api_keys.create(session, "researcher", [Scope.SOURCES_WRITE, Scope.CLAIMS_WRITE])


@pytest.fixture
def post(browser: Browser, key: str) -> Post:
    """``post(path, form)`` sends a form of the page to which somebody has signed in."""
    return _sender(browser, key)


def _sender(browser: Browser, key: str) -> Post:
    browser.sign_in(key)
    (csrf,) = {*browser.get("/add").tree.xpath("//input[@name='csrf']/@value")}

    def send(path: str, form: Form) -> Page:
        form = {"csrf": csrf, "idempotency": "a-token-of-the-test", **form}
        answer = browser.client.post(path, data=form)
        text = answer.get_data(as_text=True)
        return Page(answer.status_code, answer.headers, text, html.fromstring(text or "<p></p>"))

    return send


def _source(api: Api) -> str:
    return str(api("/v1/sources", external_id=ARTICLE)["data"][0]["id"])


@pytest.fixture
def form(api: Api) -> Form:
    """A form that is filled in: a figure that contradicts one of the seed."""
    claim = api("/v1/claims", external_id=APPROVED)["data"][0]
    figure = api(f"/v1/claims/{claim['id']}")["figures"][0]
    source = api("/v1/sources", json={"title": "Two years on", "csl_type": "report"})
    text = normalise(TEXT)
    exact = locate(text, PASSAGE)
    loose = LooseForm(text).locator(exact)
    assert loose is not None
    return {
        "source": source["id"],
        "title": "An article",
        "stance": "asserts",
        **vars(exact),
        **{f"loose_{name}": value for name, value in vars(loose).items()},
        "text_sha256": digest(text),
        "char_length": len(text),
        "statement": "Exactly 45,120 applications under the scheme were approved in 2023.",
        "claimant": "a spokesperson",
        "time_edtf": "2023",
        "as_stated": "exactly 45,120",
        "metric": figure["metric"]["label"],
        "subject": figure["subject"]["id"],
        "period_edtf": "2023",
    }


def _values(page: Page) -> dict[str, str]:
    fields = page.tree.xpath("//form[@id='add']//*[@name]")
    return {each.get("name"): each.get("value") or each.text or "" for each in fields}


def test_a_field_may_have_the_name_of_a_method(post: Post, browser: Browser, api: Api) -> None:
    named = {"get": "1", "getlist": "1"}
    assert browser.get("/add?get=1&getlist=1").status == HTTPStatus.OK
    answered = post("/add", {**named, "source": _source(api)})
    assert answered.status == HTTPStatus.UNPROCESSABLE_ENTITY


def test_a_known_source_is_found_by_its_address_and_by_its_title(
    browser: Browser, api: Api, key: str
) -> None:
    browser.sign_in(key)
    source = api("/v1/sources", url__isnull="false", per_page=1)["data"][0]
    for typed in (source["url"], source["title"]):
        page = browser.get("/add", q=typed)
        assert any(f"source={source['id']}" in link for link in page.links)


def test_a_source_is_added_and_its_passages_come_next(post: Post, api: Api) -> None:
    form = {
        "title": "An invented report on ferry passengers",
        "csl_type": "report",
        "url": "https://example.org/ferries",
        "repeats": "",
        "reports": "",
    }
    first, second = post("/add/source", form), post("/add/source", form)
    assert first.status == HTTPStatus.SEE_OTHER
    assert first.headers["Location"] == second.headers["Location"]
    (source,) = api("/v1/sources", url="https://example.org/ferries")["data"]
    assert source["id"] in first.headers["Location"]


def test_all_faults_of_a_new_source_are_told_at_once(post: Post) -> None:
    form = {"title": "Ferries", "csl_type": "report", "url": "example", "issued_edtf": "May"}
    page = post("/add/source", {**form, "author": "Nobody Known", "repeats": "No such title"})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    told = page.tree.xpath("//*[@id='problems']//li/a/@href")
    assert sorted(told) == ["#author", "#issued_edtf", "#repeats", "#url"]


@pytest.mark.parametrize(
    ("typed", "edtf"),
    [
        ("2024年3月", "2024-03"),
        ("2024年3月14日", "2024-03-14"),
        ("14 March 2024", "2024-03-14"),
        ("March 14, 2024", "2024-03-14"),
        ("2010~", "2010~"),
        ("2023-24", "2023-24"),
        ("03/04/2024", None),
    ],
)
def test_the_date_of_a_new_source_is_read_as_it_is_printed(
    post: Post, api: Api, typed: str, edtf: str | None
) -> None:
    page = post("/add/source", {"title": "Ferries", "csl_type": "report", "issued_edtf": typed})
    if edtf is None:
        assert "is not a date that can be read" in page.only("//*[@id='issued_edtf-fault']")
        assert _of_source(page)["issued_edtf"] == typed
    else:
        id = page.headers["Location"].partition("source=")[2].partition("#")[0]
        assert api(f"/v1/sources/{id}")["issued"]["edtf"] == edtf


def test_the_times_of_a_claim_are_read_as_they_are_printed(
    post: Post, form: Form, api: Api
) -> None:
    printed = {"time_edtf": "2023年", "period_edtf": "2023年"}
    saved = post("/add", {**form, **printed, "go": "save"})
    claim = api(f"/v1{saved.headers['Location']}")
    assert (claim["time"]["edtf"], claim["figures"][0]["period"]["edtf"]) == ("2023", "2023")


@pytest.mark.parametrize(
    ("statement", "as_stated", "exact"),
    [
        ("Exactly 45,120 were approved.", "45,120", True),
        ("恰好有45,120宗申請獲批。", "45,120", True),
        ("恰有45,120宗申請獲批。", "45,120", True),
        ("So many were approved.", "precisely 45,120", True),
        ("About 45,120 were approved.", "45,120", False),
    ],
)
def test_a_figure_is_exact_if_the_words_before_it_say_so(
    post: Post, form: Form, api: Api, statement: str, as_stated: str, exact: bool
) -> None:
    typed = {**form, "statement": statement, "as_stated": as_stated, "go": "save"}
    claim = api(f"/v1{post('/add', typed).headers['Location']}")
    assert claim["figures"][0]["exact"] is exact


BIBTEX = """@article{{ferries, title = {{Ferries across the bay}},
  author = {{Doe, Jane and Roe, Ann}}, journal = {{Harbour Studies}}, year = 2024, month = mar,
  publisher = {{An invented press}},
  url = {{https://example.org/ferries-across}}, doi = {{{doi}}}, pages = {{1--9}} }}"""
RIS = """TY  - RPRT
TI  - 灣區渡輪報告
AU  - 陳大文
PY  - 2023/05/02
LA  - zh-Hant
ER  -

TY  - NEWS
TI  - A further report on ferries
T2  - An invented daily
UR  - {url}
ER  -
"""


WORK = '{"type": "report", "title": "A review of the talent schemes"}'


def _file(name: str, content: str) -> Form:
    return {"file": (BytesIO(content.encode()), name)}


def _of_source(page: Page) -> dict[str, str]:
    (form,) = page.tree.xpath("//form[@action='/add/source']")
    return dict(form.form_values())


def test_a_record_of_a_file_fills_in_the_form_of_a_new_source(editor_post: Post, api: Api) -> None:
    page = editor_post("/add/file", _file("My library.BIB", BIBTEX.format(doi="10.5555/ferries")))
    assert page.status == HTTPStatus.OK
    filled = _of_source(page)
    assert (
        filled.items()
        >= {
            "title": "Ferries across the bay",
            "csl_type": "article-journal",
            "container_title": "Harbour Studies",
            "url": "https://example.org/ferries-across",
            "doi": "10.5555/ferries",
            "issued_edtf": "2024-03",
            "author": "Jane Doe",
            "author_kind": "person",
            "new_author": "1",
            "publisher": "An invented press",
        }.items()
    )
    assert page.texts("//form[@action='/add/source']//div[@class='notice']//li") == [
        "not kept: pages",
        "The form has no field for: Ann Roe (author)",
    ]
    assert "No source like this is listed yet" in page.texts("//h2")
    saved = editor_post("/add/source", filled)
    assert saved.status == HTTPStatus.SEE_OTHER, saved.text
    (source,) = api("/v1/sources", doi="10.5555/ferries")["data"]
    assert [each["entity"]["name"] for each in source["contributors"]] == [
        "Jane Doe",
        "An invented press",
    ]


@pytest.mark.parametrize("known", ["doi", "url"])
def test_a_source_that_is_here_is_offered_for_a_file(post: Post, api: Api, known: str) -> None:
    here = {"url": "https://example.org/ferries-across/", "doi": "10.5555/known"}
    body = {"title": "Ferries", "csl_type": "report", known: here[known]}
    source = api("/v1/sources", json=body)
    page = post("/add/file", _file("library.bib", BIBTEX.format(doi="10.5555/known")))
    assert "1 source like this is listed already" in page.texts("//h2")
    assert any(source["id"] in link for link in page.links)


def test_one_of_the_records_of_a_file_is_chosen(post: Post, api: Api) -> None:
    known = api("/v1/sources", url__isnull="false", per_page=1)["data"][0]
    page = post("/add/file", _file("library.ris", RIS.format(url=known["url"])))
    assert page.texts("//li[input[@name='record']]//span") == [
        "灣區渡輪報告",
        "A further report on ferries",
    ]
    first, second = page.tree.xpath("//input[@name='record']/@value")
    filled = _of_source(post("/add/file", {"record": first}))
    assert (filled["issued_edtf"], filled["language"]) == ("2023-05-02", "zh-Hant")
    assert "new_author" not in filled
    page = post("/add/file", {"record": second})
    assert any(known["id"] in link for link in page.links)
    assert _of_source(page)["csl_type"] == "article-newspaper"


def test_not_all_records_of_a_file_are_listed(post: Post) -> None:
    works = [{"type": "book", "title": f"Volume {number}"} for number in range(51)]
    page = post("/add/file", _file("library.json", json.dumps([*works[:2], 7, *works[2:]])))
    assert len(page.tree.xpath("//input[@name='record']")) == files.MOST_RECORDS - 1
    assert "Entry 3: This is not a reference." in page.texts(
        "//ul[@class='like']//*[@class='fault']"
    )
    assert "Only the first 50 are listed." in page.text


@pytest.mark.parametrize(
    ("name", "content", "detail"),
    [
        ("library.json", b'{"items": 7}', "The file is not a list of references."),
        ("library.json", b"[]", "The file has no records."),
        ("library.json", b"[7]", "Entry 1: This is not a reference."),
        ("library.bib", b"Not BibTeX", "The file has no entries of BibTeX."),
        ("library.ris", b"\xff\xfeT\x00", "The file is not in UTF-8 (line 1)."),
        ("library.docx", b"A letter", "name ends with one of these: .json, .bib"),
        ("", b"", "Choose a file."),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_at_its_field(
    post: Post, name: str, content: bytes, detail: str
) -> None:
    page = post("/add/file", {"file": (BytesIO(content), name)})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert detail in page.only("//*[@id='file-fault']")
    assert page.tree.xpath("//*[@id='problems']//li/a/@href") == ["#file"]
    assert not page.tree.xpath("//form[@action='/add/source']")


def test_a_file_that_is_too_long_is_refused_at_its_field(browser: Browser, key: str) -> None:
    browser.sign_in(key)
    kind = "multipart/form-data; boundary=here"
    body = b"\n" * (files.MOST_BYTES + 1)
    answer = browser.client.post("/add/file", data=body, content_type=kind)
    assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY
    (told,) = html.fromstring(answer.text).xpath("//*[@id='file-fault']/text()")
    assert told.startswith("The file may be at most 500 kB")


def test_a_file_of_another_site_is_not_read(post: Post) -> None:
    page = post("/add/file", {**_file("library.ris", RIS), "csrf": "of another session"})
    assert page.status == HTTPStatus.FORBIDDEN
    assert not page.tree.xpath("//input[@name='record']")


def test_a_source_that_resembles_another_is_added_only_if_it_is_none_of_them(
    post: Post, api: Api
) -> None:
    known = api(f"/v1/sources/{_source(api)}")
    issued = known["issued"]["edtf"]
    form = {"title": known["title"], "csl_type": "article", "issued_edtf": issued}
    refused = post("/add/source", form)
    assert refused.status == HTTPStatus.CONFLICT
    assert any(known["id"] in link for link in refused.links)
    (known_ones,) = refused.tree.xpath("//input[@name='is_none_of']/@value")
    answered = {**form, "is_none_of": known_ones}
    faulty = post("/add/source", {**answered, "publisher": "Nobody at all"})
    assert faulty.tree.xpath("//input[@name='is_none_of']/@value") == [known_ones]
    assert post("/add/source", answered).status == HTTPStatus.SEE_OTHER
    # The answer is for the sources that were listed, and the one that was added is not among them.
    again = {**answered, "idempotency": "another-token-of-the-test"}
    assert post("/add/source", again).status == HTTPStatus.CONFLICT


def test_a_copy_refers_to_its_original(post: Post, api: Api) -> None:
    known = api(f"/v1/sources/{_source(api)}")
    form = {
        "title": "A reprint of another article",
        "csl_type": "article",
        "repeats": known["url"] or known["title"],
        "repeats_kind": "syndicated_from",
    }
    location = post("/add/source", form).headers["Location"]
    made = api(f"/v1/sources/{location.partition('source=')[2].partition('&')[0]}")
    assert [(each["kind"], each["to"]["id"]) for each in made["relations"]] == [
        ("syndicated_from", known["id"])
    ]


def test_the_consequences_are_shown_and_nothing_is_saved(post: Post, form: Form, api: Api) -> None:
    before = api("/v1/claims", count="exact", per_page=1)["meta"]["count"]
    page = post("/add", {**form, "go": "check"})
    assert page.status == HTTPStatus.OK
    (bad, *_) = page.texts("//*[contains(@class, 'outcome bad')]")
    assert "47,000" in bad
    assert "the verdict on that claim stays confirmed by a party." in bad
    assert "disputed" not in bad
    claim = page.only("//section[@class='will']/div[b='The claim']")
    assert "single origin" in claim
    assert "For it: 1 origin (1 independent)" in claim
    assert "Against it" not in claim
    assert "45,120" in page.text
    assert api("/v1/claims", count="exact", per_page=1)["meta"]["count"] == before
    assert page.only("//*[@autofocus]/h2") == "What saving will change"
    assert page.only("//ol/li[@aria-current]").startswith("4.")
    # Only what is recorded changes the verdict.
    (against, *_) = page.tree.xpath("//input[@name='against']/@value")
    recorded = post("/add", {**form, "go": "check", "against": [against]})
    (bad, *_) = recorded.texts("//*[contains(@class, 'outcome bad')]")
    assert "confirmed by a party to disputed" in bad
    assert "Origins that count:For it: still 2 origins (0 independent)" in bad
    assert bad.endswith("Against it: from 0 origins to 1 origin (1 independent)")


def test_acceptance_is_named_if_the_verdict_waits_for_it(post: Post, form: Form) -> None:
    outcome = "//section[@class='will']/div[b='The claim']/p[1]"
    page = post("/add", {**form, "go": "check"})
    assert page.only(outcome) == "If the passage is accepted, the verdict is single origin."
    # A mention counts neither now nor later.
    page = post("/add", {**form, "go": "check", "stance": "mentions"})
    assert page.only(outcome) == "The verdict is unsupported."


def test_a_part_above_its_whole_is_a_warning_and_no_contradiction(
    post: Post, form: Form, app: Flask, make_key: MakeKey
) -> None:
    above = {
        **form,
        "statement": "Exactly 90,000 were approved in March.",
        "as_stated": "exactly 90,000",
        "period_edtf": "2023-03",
    }
    page = post("/add", {**above, "go": "check"})
    told = "This is a warning, not a contradiction: no verdict changes."
    (warned, *_) = page.texts("//div[@class='outcome warn']")
    assert warned.startswith("part exceeds whole")
    assert told in warned
    assert not page.tree.xpath("//input[@name='against']")
    saved = post("/add", {**above, "go": "save"}).headers["Location"]
    reviewer = Browser(app)
    reviewer.sign_in(make_key("reviewer", Scope.REVIEW))
    page = reviewer.get("/review", item=saved.removeprefix("/claims/").removesuffix("#saved"))
    (warning,) = page.texts("//section[@aria-labelledby='checks']//tr[th='Warnings']/td")
    assert warning.startswith(f"part exceeds whole: {told}")
    assert "warning" not in page.only("//section[@aria-labelledby='pair']")
    effect = page.only("//section[@aria-labelledby='effect']//li")
    assert effect.startswith("It contradicts no accepted figure")


def test_a_passage_is_saved_once_with_its_claim_and_what_it_speaks_against(
    browser: Browser, post: Post, form: Form, api: Api, claim_id: Callable[[str], str]
) -> None:
    sent = {**form, "go": "save", "against": [claim_id(APPROVED)]}
    first, second = post("/add", sent), post("/add", sent)
    assert first.status == HTTPStatus.SEE_OTHER, first.text
    assert first.headers["Location"] == second.headers["Location"]
    page = browser.get(first.headers["Location"].removesuffix("#saved"))
    assert page.tree.xpath("//p[@id='saved']/a/@href") == [f"/add?source={form['source']}"]
    claim = api(f"/v1{first.headers['Location']}")
    assert (claim["status"], claim["claimant_as_stated"]) == ("submitted", "a spokesperson")
    assert [each["comparator"] for each in claim["figures"]] == ["eq"]
    (evidence,) = claim["evidence"]
    assert {name: evidence[name] for name in ("start_char", "exact_sha256", "loose_end_char")} == {
        name: form[name] for name in ("start_char", "exact_sha256", "loose_end_char")
    }
    assert evidence["capture_id"] is not None
    assert [(each["role"], each["entity"]["id"]) for each in claim["entities"]] == [
        ("subject", form["subject"])
    ]
    against = api("/v1/evidence", claim_id=claim_id(APPROVED), stance="disputes")["data"]
    assert evidence["source"]["id"] in {each["source"]["id"] for each in against}


def test_a_passage_is_attached_to_a_claim_that_exists(
    post: Post, form: Form, api: Api, claim_id: Callable[[str], str]
) -> None:
    existing = claim_id(APPROVED)
    refused = post("/add", {**form, "go": "next", "claim": existing})
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert "As stated: A passage that is attached" in refused.only("//*[@id='problems']//li")
    (told,) = refused.tree.xpath("//input[@name='without_figure']/@value")
    attached = {**form, "go": "next", "claim": existing, "without_figure": told}
    page = post("/add", {**attached, "note": "In the second paragraph."})
    assert page.status == HTTPStatus.SEE_OTHER, page.text
    assert page.headers["Location"].startswith(f"/add?source={form['source']}")
    found = api("/v1/evidence", claim_id=existing, source_id=form["source"])["data"]
    (passage,) = (each for each in found if each["start_char"] == form["start_char"])
    assert passage["note"] == "In the second paragraph."


def test_a_claim_that_is_likely_the_same_is_chosen_at_first(
    post: Post, form: Form, api: Api, claim_id: Callable[[str], str]
) -> None:
    known = api(f"/v1/claims/{claim_id(APPROVED)}")
    said = {**form, "statement": known["statement"], "time_edtf": known["time"]["edtf"]}
    said |= {"as_stated": "", "go": "check"}
    page = post("/add", said)
    chosen = page.tree.xpath("//input[@name='claim'][@checked]/@value")
    assert chosen == [known["id"]]
    listed = page.tree.xpath("//input[@name='listed']/@value")[0]
    again = post("/add", {**said, "claim": "new", "listed": listed})
    assert again.tree.xpath("//input[@name='claim'][@checked]/@value") == ["new"]


@pytest.mark.parametrize(
    ("changed", "is_listed"),
    [
        ({}, True),
        ({"period_edtf": "2021", "time_edtf": "2021"}, False),
        ({"as_stated": "恰好9宗"}, False),
        ({"metric": ""}, False),
    ],
)
def test_a_claim_with_an_equal_figure_is_listed_whatever_its_words(
    post: Post, form: Form, claim_id: Callable[[str], str], changed: Form, is_listed: bool
) -> None:
    said = {**form, "statement": "獲批的個案超過四萬七千宗。", "as_stated": "超過47,000宗"}
    page = post("/add/hints", {**said, **changed})
    listed = page.tree.xpath("//input[starts-with(@id, 'claim-')]/@value")
    assert (claim_id(APPROVED) in listed) is is_listed
    if is_listed:
        label = page.tree.xpath("//li[input/@value=$id]/label", id=claim_id(APPROVED))[0]
        assert "words different" in label.text_content()
        assert "figures same" in label.text_content()
        assert f"/claims/{claim_id(APPROVED)}" in label.xpath("small/a/@href")


@pytest.mark.parametrize("changed", [{"as_stated": "many"}, {"modality": "planned"}])
def test_a_figure_that_cannot_be_read_hides_no_claim_with_the_same_words(
    post: Post, form: Form, api: Api, claim_id: Callable[[str], str], changed: Form
) -> None:
    known = api(f"/v1/claims/{claim_id(APPROVED)}")
    page = post("/add/hints", {**form, "statement": known["statement"], **changed})
    assert known["id"] in page.tree.xpath("//input[starts-with(@id, 'claim-')]/@value")
    # A plan is not the same claim as what came of it.
    assert ("likely the same" in page.text) is (changed != {"modality": "planned"})


def _chosen(page: Page) -> list[str]:
    return [*page.tree.xpath("//input[@name='claim'][@checked or @type='hidden']/@value")]


def _passages(api: Api, form: Form, claim: str) -> list[Any]:
    found: list[Any] = api("/v1/evidence", claim_id=claim, source_id=form["source"])["data"]
    return found


@pytest.mark.parametrize(
    "named",
    ["{id}", "https://example.org/claims/{id}?ui=zh-Hant#saved", "/v1/claims/{id}", APPROVED],
)
def test_a_passage_is_attached_to_the_claim_that_is_named(
    post: Post, form: Form, api: Api, claim_id: Callable[[str], str], named: str
) -> None:
    known = claim_id(APPROVED)
    # Nothing in the form resembles the claim, and its words are not said again.
    sent = {**form, "statement": "", "claimant": "", "as_stated": ""}
    sent["existing"] = named.format(id=known)
    checked = post("/add", {**sent, "go": "check"})
    assert _chosen(checked) == [known]
    assert "Only the passage is saved" in checked.text
    assert checked.only("//*[@autofocus]/h2") == "What saving will change"
    (fields,) = checked.tree.xpath("//form[@id='add']")
    shown = dict(fields.form_values())
    assert shown["existing"] == " ".join(api(f"/v1/claims/{known}")["statement"].split())
    alone = {name: value for name, value in shown.items() if name != "looked_up"}
    assert post("/add", {**alone, "go": "save"}).status == HTTPStatus.SEE_OTHER
    assert len(_passages(api, form, known)) == 1


def test_the_list_of_named_claims_comes_before_their_field(
    post: Post, form: Form, claim_id: Callable[[str], str]
) -> None:
    sent = {**form, "existing": claim_id(PLANNED), "go": "check"}
    (kept,) = post("/add", sent).tree.xpath("//form[@id='add']")
    assert dict(kept.form_values())["claim"] == claim_id(PLANNED)
    new = {**dict(kept.form_values()), "claim": "new", "go": "save"}
    saved = post("/add", new)
    assert saved.status == HTTPStatus.SEE_OTHER
    assert claim_id(PLANNED) not in saved.headers["Location"]


def test_a_claim_that_is_named_by_its_words_is_chosen_from_a_list(
    post: Post, form: Form, api: Api
) -> None:
    sent = {**form, "as_stated": "", "existing": "talent applications approved", "go": "save"}
    refused = post("/add", sent)
    assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == ["#existing"]
    assert _chosen(refused) == []
    (kept,) = refused.tree.xpath("//form[@id='add']")
    offered = refused.tree.xpath("//input[starts-with(@id, 'offered-')]/@value")
    again = {**dict(kept.form_values()), "go": "save"}
    assert post("/add", again).status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert post("/add", {**again, "claim": offered[0]}).status == HTTPStatus.SEE_OTHER
    assert len(_passages(api, form, offered[0])) == 1
    other = {"existing": "no such words anywhere", "idempotency": "a-token-of-another-tab"}
    unknown = post("/add", {**sent, **other})
    assert "No claim has this address" in unknown.only("//*[@id='existing-fault']")


def test_a_claim_that_was_chosen_on_its_page_survives_all_steps(
    post: Post, browser: Browser, api: Api, claim_id: Callable[[str], str], key: str
) -> None:
    known = claim_id(PLANNED)
    (begin,) = [each for each in browser.get(f"/claims/{known}").links if "claim=" in each]
    page = browser.get(begin)
    statement = api(f"/v1/claims/{known}")["statement"]
    assert statement in page.only("//*[@id='chosen']")
    searched = browser.get("/add", q="Opinion piece", claim=known)
    links = [link for link in searched.links if link.startswith("/add?source=")]
    assert links
    assert all(f"claim={known}" in link for link in links)
    filed = post("/add/file", {**_file("library.json", WORK), "claim": known})
    page = browser.get(post("/add/source", _of_source(filed)).headers["Location"])
    assert _chosen(page) == [known]
    (fields,) = page.tree.xpath("//form[@id='add']")
    assert dict(fields.form_values())["existing"] == " ".join(statement.split())
    assert page.links.count(f"/claims/{known}") == 1
    sent = {**dict(fields.form_values()), "page": "4", "note": "x" * 2001, "go": "save"}
    failed = post("/add", sent)
    assert failed.status == HTTPStatus.UNPROCESSABLE_ENTITY
    place = failed.tree.xpath("//form[@id='add']/@data-page")
    assert place == page.tree.xpath("//form[@id='add']/@data-page")
    assert f"claim={known}" in place[0]
    assert _chosen(failed) == [known]
    browser.client.delete_cookie("hksz_session")
    ended = post("/add", {**sent, "note": ""})
    assert ended.status == HTTPStatus.UNAUTHORIZED
    assert _chosen(ended) == [known]
    assert statement in ended.text
    # The link on the page of the claim leads others to sign in first, and back.
    (offered,) = [each for each in browser.get(f"/claims/{known}").links if "claim=" in each]
    assert f"next={quote(offered, safe='')}" in browser.get(offered).headers["Location"]
    (fields,) = ended.tree.xpath("//form[@id='add']")
    saved = post("/add", {**dict(fields.form_values()), "key": key, "go": "save"})
    assert saved.headers["Location"].startswith(f"/claims/{known}")


@pytest.mark.parametrize(
    ("page", "statement", "source", "language"),
    [
        ("zh-Hant", "前海合作區在2023年批准了45,120宗申請。", None, "zh-Hant"),
        ("zh-Hant", "前海合作区批准了45,120宗申请。", "en", "zh-Hans"),
        ("zh-Hans", "前海有QDII。", None, "zh-Hans"),
        ("zh-Hans", "前海有QDII。", "zh-Hant", "zh-Hant"),
        ("en", "前海有QDII。", "en", "zh-Hant"),
        ("zh-Hant", "In the zone (前海合作區), 45,120 were approved.", "zh-Hant", "en"),
        ("en", "Les demandes.", "fr", "fr"),
    ],
)
def test_a_new_claim_is_in_the_language_of_its_words(
    post: Post, form: Form, api: Api, page: str, statement: str, source: str | None, language: str
) -> None:
    api(f"/v1/sources/{form['source']}", {"language": source}, "PATCH")
    sent = {**form, "as_stated": "", "statement": statement}
    checked = post(f"/add?ui={page}", {**sent, "go": "check"})
    assert _values(checked)["language"] == ""
    told = checked.texts("//section[@class='will']//p[@class='soft']")
    assert [each[-len(language) :] for each in told] == [language]
    saved = post(f"/add?ui={page}", {**sent, "language": "", "go": "save"})
    assert api(f"/v1{saved.headers['Location']}")["language"] == language


MARKED = "//div[@class='notice'][contains(., 'already marked this passage')]"


def _number_of(api: Api, form: Form) -> int:
    return len(api("/v1/evidence", source_id=form["source"], select="id")["data"])


@pytest.mark.parametrize(
    "again",
    [
        {"idempotency": "a-token-of-another-tab"},
        {"statement": "exactly 45,120 applications under the scheme were approved in 2023"},
        {"start_char": 16, "exact_sha256": digest(PASSAGE[1:]), "loose_start_char": 16},
    ],
)
def test_a_passage_is_not_saved_twice_with_the_same_words(
    post: Post, form: Form, api: Api, again: Form
) -> None:
    first = post("/add", {**form, "go": "save"})
    saved = first.headers["Location"].removesuffix("#saved")
    again = {**form, "idempotency": "a-token-of-another-tab", **again}
    # Before it is saved, the page names the claim; and the claims that are like it stay.
    for path in ("/add/hints", "/add"):
        told = post(path, {**again, "go": "check"})
        assert told.status == HTTPStatus.OK
        assert told.only(f"{MARKED}/p[1]") == "You have already marked this passage."
        assert told.tree.xpath(f"{MARKED}//a/@href") == [saved]
        assert told.tree.xpath("//input[@name='claim'][@checked]/@value") == ["new"]
        alike = told.texts("//label[starts-with(@for, 'claim-')]")
        assert "already has this passage" in next(each for each in alike if "already" in each)
    refused = post("/add", {**again, "go": "save"})
    assert refused.status == HTTPStatus.CONFLICT
    assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == ["#is_another"]
    assert refused.tree.xpath(f"{MARKED}//input/@id") == ["is_another"]
    assert saved in refused.links
    assert refused.texts("//label[starts-with(@for, 'claim-')]") == alike
    assert _number_of(api, form) == 1
    # It can be said that it is another claim; and one passage can say two things.
    another = {"claimant": "a minister", "is_another": "1"}
    assert post("/add", {**again, **another, "go": "save"}).status == HTTPStatus.SEE_OTHER
    other = {"statement": "Few were refused.", "idempotency": "a-token-of-a-third"}
    assert post("/add", {**again, **other, "go": "save"}).status == HTTPStatus.SEE_OTHER
    assert _number_of(api, form) == 3


def test_a_claim_takes_a_passage_once(
    post: Post, editor_post: Post, form: Form, api: Api, claim_id: Callable[[str], str]
) -> None:
    against = {"against": [claim_id(APPROVED)]}
    saved = post("/add", {**form, **against, "go": "save"}).headers["Location"]
    claim = saved.removeprefix("/claims/").removesuffix("#saved")
    attached = {**form, "idempotency": "a-token-of-somebody-else", "without_figure": "1"}
    attached |= {"claim": claim, "listed": claim}
    told = editor_post("/add", {**attached, "go": "check"})
    assert "has already marked this passage" in told.only(f"{MARKED}/p[1]")
    assert "researcher" in told.only(f"{MARKED}/p[1]")
    assert "already has this passage" in told.only("//section[@class='will']//li")
    assert editor_post("/add", {**attached, "go": "save"}).status == HTTPStatus.CONFLICT
    # What the passage speaks against is recorded once, too.
    other = {**form, **against, "statement": "Few more were approved.", "go": "save"}
    other["idempotency"] = "a-token-of-somebody-else"
    assert editor_post("/add", other).status == HTTPStatus.SEE_OTHER
    assert _number_of(api, form) == 3
    # What was rejected is not recorded again, and nobody is told that it was.
    disputes = api("/v1/evidence", claim_id=claim_id(APPROVED), stance="disputes")["data"]
    (dispute,) = [each for each in disputes if each["source"]["id"] == form["source"]]
    api(f"/v1/evidence/{dispute['id']}", {"status": "rejected", "review_note": "No."}, "PATCH")
    other |= {"statement": "Fewer were approved.", "idempotency": "a-token-of-a-third"}
    refused = editor_post("/add", other)
    assert refused.status == HTTPStatus.CONFLICT
    assert "has rejected this passage" in refused.only("//*[@id='problems']//li")
    # What the page cannot show now is not forgotten.
    assert refused.tree.xpath("//input[@name='against'][@type='hidden']/@value") == [
        claim_id(APPROVED)
    ]


def test_without_a_position_the_same_words_of_a_page_are_the_same(post: Post, form: Form) -> None:
    few = {name: form[name] for name in ("source", "statement", "claimant")} | {"page": "4"}
    assert post("/add", {**few, "go": "save"}).status == HTTPStatus.SEE_OTHER
    again = {**few, "idempotency": "a-token-of-another-tab", "go": "save"}
    assert post("/add", again).status == HTTPStatus.CONFLICT
    assert post("/add", {**again, "page": "5"}).status == HTTPStatus.SEE_OTHER


@pytest.mark.parametrize(("page", "told"), [("4", "“4, second paragraph”"), ("", "its page")])
def test_a_second_passage_of_a_page_is_told_from_the_first_and_not_lost(
    post: Post, form: Form, api: Api, claim_id: Callable[[str], str], page: str, told: str
) -> None:
    few = {"source": form["source"], "statement": form["statement"], "page": page}
    few |= {"claim": claim_id(APPROVED), "go": "save"}
    assert post("/add", {**few, "note": "The first."}).status == HTTPStatus.SEE_OTHER
    second = {**few, "note": "The second.", "idempotency": "a-token-of-another-tab"}
    refused = post("/add", second)
    assert refused.status == HTTPStatus.CONFLICT
    assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == ["#page"]
    assert told in refused.only("//*[@id='page-fault']")
    assert _values(refused)["note"] == "The second."
    distinct = {**second, "page": "4, second paragraph", "idempotency": "a-token-of-a-third"}
    assert post("/add", distinct).status == HTTPStatus.SEE_OTHER
    assert _number_of(api, form) == 2


def test_no_field_cuts_what_is_pasted(post: Post, form: Form) -> None:
    long = {"page": 51, "note": 2001, "as_stated": 101, "topics": 101, "claimant": 301}
    page = post("/add", {**form, **{name: "x" * length for name, length in long.items()}})
    assert not page.tree.xpath("//main//@maxlength")
    assert {f"#{name}" for name in long} <= {*page.links}
    assert {name: len(_values(page)[name]) for name in long} == long


def test_a_figure_that_is_too_long_has_one_limit(post: Post, form: Form) -> None:
    page = post("/add", {**form, "as_stated": "x" * 201, "go": "check"})
    assert "As stated: May have at most 100 characters." in page.only(
        "//section[@class='will']//li"
    )
    assert "200" not in page.only("//*[@id='hints']")


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"time_edtf": "last year"}, "time_edtf"),
        ({"metric": "no such measure"}, "metric"),
        ({"as_stated": "many"}, "as_stated"),
        ({"csrf": "of another session"}, ""),
    ],
)
def test_an_error_names_the_field_and_loses_nothing(
    post: Post, form: Form, fault: Form, field: str
) -> None:
    sent = {**form, **fault, "go": "save"}
    page = post("/add", sent)
    assert page.status in {HTTPStatus.UNPROCESSABLE_ENTITY, HTTPStatus.FORBIDDEN}
    assert 'role="alert"' in page.text
    if field:
        assert f"#{field}" in page.links
        assert page.tree.xpath("//*[@id=$id]", id=field)
    kept = _values(page)
    for name in ("statement", "as_stated", "start_char", "exact_sha256", "metric"):
        assert kept[name] == str(sent[name])
    assert kept["idempotency"] == "a-token-of-the-test"
    assert "hksz_" not in page.text


def test_a_name_of_several_is_one_problem(post: Post, form: Form, api: Api) -> None:
    named = {"name": "Twofold Bureau", "kind": "preferred", "language": "en"}
    for _ in range(2):
        api("/v1/entities", json={"kind": "organisation", "names": [named]})
    sent = {**form, "claimant": "", "reports": named["name"], "go": "save"}
    page = post("/add", sent)
    assert "Several entries are called Twofold Bureau" in page.only("//*[@id='problems']//li")
    assert page.tree.xpath("//*[@id='problems']//li/a/@href") == ["#reports"]


def test_the_form_comes_back_when_the_database_is_away(post: Post, form: Form, app: Any) -> None:
    def away() -> str:
        return "postgresql://nobody@127.0.0.1:1/nothing"

    app.extensions["hksz_database"] = Database(away)
    page = post("/add", {**form, "go": "save"})
    assert page.status == HTTPStatus.SERVICE_UNAVAILABLE
    assert _values(page)["statement"] == form["statement"]
    assert page.only("//h2[@id='copy']") == form["title"]


def test_hints_need_little(post: Post, form: Form) -> None:
    few = {name: form[name] for name in ("source",)}
    few["statement"] = "Over 47,000 applications under the Top Talent Pass Scheme were approved."
    page = post("/add/hints", few)
    assert page.status == HTTPStatus.OK
    assert "#claimant" in page.links
    assert page.texts("//label[starts-with(@for, 'claim-')]")


def test_a_claim_about_the_outcome_of_a_plan_begins_with_what_both_have_in_common(
    post: Post, browser: Browser, api: Api, form: Form, claim_id: Callable[[str], str]
) -> None:
    plan = api(f"/v1/claims/{claim_id(PLANNED)}")
    (figure,) = plan["figures"]
    page = browser.get("/add", answers=plan["id"])
    shown = page.only("//section[@aria-labelledby='plan']")
    assert shown.startswith("Follow-up to this claim")
    assert plan["statement"] in shown
    assert figure["as_stated"] in shown
    # All ways to the source lead on to the claim that is answered.
    searched = browser.get("/add", q="Opinion piece", answers=plan["id"])
    links = [link for link in searched.links if link.startswith("/add?source=")]
    assert links
    assert all(f"answers={plan['id']}" in link for link in links)
    filed = post("/add/file", {**_file("library.json", WORK), "answers": plan["id"]})
    made = post("/add/source", _of_source(filed)).headers["Location"]
    page = browser.get(made)
    (fields,) = page.tree.xpath("//form[@id='add']")
    begun = dict(fields.form_values())
    assert (
        begun.items()
        >= {
            "answers": plan["id"],
            "subject": figure["subject"]["name"],
            "metric": figure["metric"]["label"],
            "unit_code": figure["unit_code"],
            "topics": "policy, talent",
            "modality": "actual",
        }.items()
    )
    sent = {**begun, **{name: form[name] for name in ("statement", "claimant")}, "page": "1"}
    refused = post("/add", {**sent, "topics": "talent, Not a topic", "go": "save"})
    assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == ["#topics"]
    assert refused.texts("//section[@aria-labelledby='plan']/h2") == ["Follow-up to this claim"]
    saved = post("/add", {**sent, "as_stated": "over 40,000", "go": "save"})
    assert saved.status == HTTPStatus.SEE_OTHER, saved.text
    claim = api(f"/v1{saved.headers['Location']}")
    assert (claim["topics"], claim["modality"]) == (plan["topics"], "actual")
    assert {each["metric"]["id"] for each in claim["figures"]} == {figure["metric"]["id"]}
    assert {each["subject"]["id"] for each in claim["figures"]} == {figure["subject"]["id"]}


@pytest.mark.parametrize(
    ("answers", "status"), [("no id", 422), ("00000000-0000-0000-0000-000000000000", 404)]
)
def test_only_a_claim_can_be_answered(
    browser: Browser, key: str, answers: str, status: int
) -> None:
    browser.sign_in(key)
    assert browser.get("/add", answers=answers).status == status


def _in_chinese(page: Page) -> tuple[str, Form]:
    """Where the button of another language leads, and what it sends."""
    (button,) = page.tree.xpath("//nav[@class='langs']//button[@lang='zh-Hant']")
    (form,) = page.tree.xpath("//form[@id=$id]", id=button.get("form"))
    entered, *_ = page.tree.xpath("//button[@form=$id]", id=button.get("form"))
    assert entered.get("value") != "show", "The Enter key changes no language."
    values = MultiDict(form.form_values()).to_dict(flat=False)
    return button.get("formaction"), {**values, button.get("name"): button.get("value")}


def test_a_form_that_was_checked_is_shown_in_another_language(
    post: Post, form: Form, api: Api, claim_id: Callable[[str], str]
) -> None:
    before = api("/v1/claims", count="exact", per_page=1)["meta"]["count"]
    answers = claim_id(PLANNED)
    checked = post("/add", {**form, "answers": answers, "go": "check"})
    path, sent = _in_chinese(checked)
    page = post(path, sent)
    assert page.status == HTTPStatus.OK
    assert page.tree.get("lang") == "zh-Hant"
    assert page.only("//*[@autofocus]/h2") == "儲存後的變化"
    sent = {name: value for name, value in _values(checked).items() if name != "go"}
    assert {name: _values(page)[name] for name in sent} == sent
    assert page.tree.xpath("//form[@id='add']/@data-page") == [
        f"/add?source={form['source']}&answers={answers}"
    ]
    assert api("/v1/claims", count="exact", per_page=1)["meta"]["count"] == before
    faulty = post("/add", {**form, "time_edtf": "last year", "go": "save"})
    page = post(*_in_chinese(faulty))
    assert (page.tree.get("lang"), _values(page)["time_edtf"]) == ("zh-Hant", "last year")


def test_a_new_source_is_shown_in_another_language(post: Post, api: Api) -> None:
    filled = post("/add/file", _file("library.bib", BIBTEX.format(doi="10.5555/ferries")))
    path, sent = _in_chinese(filled)
    page = post(path, sent)
    assert (page.status, page.tree.get("lang")) == (HTTPStatus.OK, "zh-Hant")
    assert _of_source(page).items() >= _of_source(filled).items()
    told = page.texts("//div[@class='notice']//li")
    assert [each[:4] for each in told] == ["不予保留", "表單沒有"]
    assert not api("/v1/sources", doi="10.5555/ferries")["data"]
    # Without anything to keep, the languages are links.
    page = post("/add/file", {})
    links = page.tree.xpath("//nav[@class='langs']//a/@href")
    assert links[-1] == "/add?ui=zh-Hans"


NEW_SUBJECT = {
    "subject": "An invented permit",
    "new_subject": "1",
    "subject_kind": "programme",
    "subject_language": "English",
}
KIND = ("subject_kind", "subject_language")


@pytest.fixture
def editor_post(app: Flask, make_key: MakeKey) -> Post:
    """``post`` of somebody who may add entities, too."""
    scopes = [Scope.SOURCES_WRITE, Scope.CLAIMS_WRITE, Scope.ENTITIES_WRITE]
    return _sender(Browser(app), make_key("editor", *scopes))


def _named(api: Api, name: str) -> list[Any]:
    found: list[Any] = api("/v1/entities", name=name)["data"]
    return found


def test_a_new_subject_is_made_when_its_claim_is_saved(
    editor_post: Post, form: Form, api: Api
) -> None:
    sent = {**form, **NEW_SUBJECT, "claimant": "An invented permit"}
    checked = editor_post("/add", {**sent, "go": "check"})
    assert checked.only("//*[@autofocus]/h2") == "What saving will change"
    wrong = editor_post("/add", {**sent, "go": "save", "time_edtf": "last year"})
    assert "Time: " in wrong.only("//*[@id='problems']//li")
    assert wrong.tree.xpath("//input[@name='new_subject']/@checked")
    assert _named(api, "An invented permit") == []
    page = editor_post("/add", {**sent, "go": "save"})
    claim = api(f"/v1{page.headers['Location']}")
    (made,) = _named(api, "An invented permit")
    assert made["kind"] == "programme"
    assert [(each["name"], each["language"]) for each in made["names"]] == [
        ("An invented permit", "en")
    ]
    ids = {claim["entities"][0]["entity"]["id"], claim["figures"][0]["subject"]["id"]}
    assert ids == {claim["claimant"]["id"]} == {made["id"]}


@pytest.mark.parametrize(
    ("fault", "field"),
    [
        ({"subject_language": "not a language"}, "subject_language"),
        ({"subject": "Top Talent Pass Scheme"}, "subject"),
        ({"new_subject": ""}, "subject"),
    ],
)
def test_a_new_entity_that_cannot_be_made_is_said_beside_its_field(
    editor_post: Post, form: Form, fault: Form, field: str
) -> None:
    page = editor_post("/add", {**form, **NEW_SUBJECT, **fault, "go": "save"})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert page.tree.xpath("//*[@id='problems']//li/a/@href") == [f"#{field}"]
    assert page.tree.xpath("//*[@id=$id]/@aria-invalid", id=field) == ["true"]


@pytest.mark.parametrize(
    ("claimant", "told"),
    [
        ({}, "is kept as text. Create a new entry for it?"),
        ({"claimant": "Top Talent Pass Scheme"}, ""),
        ({"new_claimant": "1"}, ""),
    ],
)
def test_the_page_says_what_becomes_of_a_name_that_is_not_known(
    editor_post: Post, form: Form, claimant: Form, told: str
) -> None:
    claimant = {**claimant, "claimant_kind": "person", "claimant_language": "en"}
    page = editor_post("/add/hints", {**form, **claimant})
    (shown,) = page.texts("//*[@id='unknown']") or [""]
    assert shown.endswith(told)
    assert ("#new_claimant" in page.links) is bool(told)


def test_a_name_in_two_fields_is_one_entity_of_one_kind(
    editor_post: Post, form: Form, api: Api
) -> None:
    claimant = {f"claimant{each.removeprefix('subject')}": NEW_SUBJECT[each] for each in KIND}
    both = {**form, **NEW_SUBJECT, **claimant, "claimant": "an Invented permit"}
    both["new_claimant"] = "1"
    page = editor_post("/add/hints", both)
    assert "it becomes one entity" in " ".join(page.texts("//p[@class='notice']"))
    refused = editor_post("/add", {**both, "claimant_kind": "person", "go": "save"})
    assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == ["#subject_kind"]
    assert "choose the same in both" in refused.only("//*[@id='subject_kind-fault']")
    page = editor_post("/add", {**both, "go": "save"})
    claim = api(f"/v1{page.headers['Location']}")
    assert claim["claimant"]["id"] == claim["entities"][0]["entity"]["id"]


NEW_METRIC = {
    "metric": "Invented permits: granted",
    "new_metric": "1",
    "metric_dimension": "count",
    "metric_accumulation": "stock",
    "metric_measure": "level",
    "metric_holds_for": "P5Y",
    "metric_description": "Each is counted once.",
    "metric_signed": "1",
}


def test_a_new_measure_is_made_when_its_claim_is_saved(post: Post, form: Form, api: Api) -> None:
    def named() -> Any:
        return api("/v1/metrics", label=NEW_METRIC["metric"])["data"]

    sent = {**form, **NEW_METRIC}
    checked = post("/add", {**sent, "go": "check"})
    assert checked.only("//*[@autofocus]/h2") == "What saving will change"
    refused = post("/add", {**sent, "as_stated": "", "go": "save"})
    assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == ["#as_stated"]
    (kept,) = refused.tree.xpath("//form[@id='add']")
    assert dict(kept.form_values()).items() >= NEW_METRIC.items()
    assert named() == []
    page = post("/add", {**sent, "go": "save"})
    assert page.status == HTTPStatus.SEE_OTHER, page.text
    (metric,) = named()
    for part in ("dimension", "accumulation", "measure", "holds_for", "description"):
        assert metric[part] == NEW_METRIC[f"metric_{part}"]
    assert (metric["key"], metric["nonnegative"]) == ("invented-permits-granted", False)
    (figure,) = api(f"/v1{page.headers['Location']}")["figures"]
    assert figure["metric"]["id"] == metric["id"]


@pytest.mark.parametrize(
    ("fault", "field", "told"),
    [
        (
            {"metric": "Applications approved under the Top Talent Pass Scheme"},
            "metric",
            "is already listed",
        ),
        ({"metric": "TTPS: approved"}, "metric_key", "belongs to the measure “Applications app"),
        ({"metric_key": "ttps-approved"}, "metric_key", "such as ttps-approved-2."),
        ({"metric_key": "Not a key"}, "metric_key", "Use lower-case letters"),
        ({"metric_dimension": "a number"}, "metric_dimension", ""),
        ({"metric_holds_for": "long"}, "metric_holds_for", ""),
        ({"metric_dimension": "area"}, "as_stated", ""),
    ],
)
def test_a_new_measure_that_cannot_be_made_is_said_beside_its_field(
    post: Post, form: Form, fault: Form, field: str, told: str
) -> None:
    page = post("/add", {**form, **NEW_METRIC, **fault, "go": "save"})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    assert page.tree.xpath("//*[@id='problems']//li/a/@href") == [f"#{field}"]
    assert told in page.only("//*[@id='problems']//li")
    assert page.tree.xpath(f"//*[@id='{field}']/@aria-invalid") == ["true"]
    assert page.tree.xpath("//details[@class='new']//input[@name='new_metric']/@checked")
    (kept,) = page.tree.xpath("//form[@id='add']")
    typed = {**NEW_METRIC, "metric_key": "", **fault}
    names = ("metric", "metric_key", "metric_description")
    assert dict(kept.form_values()).items() >= {name: typed[name] for name in names}.items()


def test_a_new_measure_takes_the_key_that_is_suggested(post: Post, form: Form, api: Api) -> None:
    named = {**form, **NEW_METRIC, "metric": "TTPS: approved", "metric_key": "ttps-approved-2"}
    page = post("/add", {**named, "go": "save"})
    assert page.status == HTTPStatus.SEE_OTHER, page.text
    (metric,) = api("/v1/metrics", key="ttps-approved-2")["data"]
    assert metric["label"] == "TTPS: approved"


@pytest.mark.parametrize(
    ("label", "key"),
    [
        ("Permits: granted (2023)", "permits-granted-2023"),
        ("Cafés opened", "cafes-opened"),
        ("% of GDP", f"of-gdp-{digest('% of GDP')[:8]}"),
        ("獲批申請", digest("獲批申請")[:8]),
        ("QDII額度", f"qdii-{digest('QDII額度')[:8]}"),
        ("a" * 81, f"{'a' * 80}-{digest('a' * 81)[:8]}"),
    ],
)
def test_the_key_of_a_new_measure_follows_from_its_name(label: str, key: str) -> None:
    assert key_of_metric(label) == key


def test_a_new_author_and_a_new_publisher_are_made_with_their_source(
    post: Post, editor_post: Post, api: Api
) -> None:
    form = {
        "title": "An invented report on bridges",
        "csl_type": "report",
        **{
            f"{role}{part}": value
            for role, kind in (("author", "person"), ("publisher", "organisation"))
            for part, value in (("", f"新的 {role}"), ("_kind", kind), ("_language", "zh-Hant"))
        },
    }
    refused = editor_post("/add/source", form)
    assert refused.links.count("#author") == refused.links.count("#publisher") == 1
    assert refused.only("//*[@id='author-fault']").endswith("or tick that a new one is created.")
    refused = post("/add/source", form)
    assert refused.only("//*[@id='author-fault']").endswith("Choose one of the suggestions.")
    unknown = editor_post("/add/source", {**form, "author": str(UUID(int=7)), "publisher": ""})
    assert unknown.tree.xpath("//*[@id='problems']//li[not(a)]")
    assert "#subject" not in unknown.links
    both = {**form, "new_author": "1", "new_publisher": "1"}
    location = editor_post("/add/source", both).headers["Location"]
    source = api(f"/v1/sources/{location.partition('source=')[2].partition('#')[0]}")
    assert {(each["role"], each["entity"]["name"]) for each in source["contributors"]} == {
        ("author", "新的 author"),
        ("publisher", "新的 publisher"),
    }


def test_entities_are_offered_to_those_who_may_add_them(
    post: Post, editor_post: Post, form: Form, api: Api
) -> None:
    offered = "//input[@name='new_subject']"
    assert not post("/add", {**form, "go": "check"}).tree.xpath(offered)
    assert editor_post("/add", {**form, "go": "check"}).tree.xpath(offered)
    refused = post("/add", {**form, **NEW_SUBJECT, "go": "save"})
    assert refused.status == HTTPStatus.FORBIDDEN
    assert _named(api, "An invented permit") == []


def test_an_attached_passage_makes_none_of_the_entities_of_a_new_claim(
    editor_post: Post, form: Form, api: Api, claim_id: Callable[[str], str]
) -> None:
    attached = {**form, **NEW_SUBJECT, "claim": claim_id(APPROVED), "without_figure": "1"}
    assert editor_post("/add", {**attached, "go": "save"}).status == HTTPStatus.SEE_OTHER
    assert _named(api, "An invented permit") == []


def test_a_capture_is_added_to_those_that_came_meanwhile(
    post: Post, form: Form, app: Flask, database: Database, api: Api, make_key: MakeKey
) -> None:
    path = f"/v1/sources/{form['source']}"
    read = api(path)
    capture = {"retrieved_at": "2026-01-01T00:00:00Z", "char_length": 5, "text_sha256": "a" * 64}
    api(path, {"captures": [capture]}, "PATCH")
    with app.test_request_context(), writing(database) as session:
        actor = api_keys.authenticate(session, make_key("other", Scope.ADMIN))
        sent = MultiDict({name: str(value) for name, value in form.items()})
        with pytest.raises(Contended):
            submit(session, actor, sent, read)
    assert post("/add", {**form, "go": "save"}).status == HTTPStatus.SEE_OTHER
    kept = {each["text_sha256"] for each in api(path)["captures"]}
    assert kept == {"a" * 64, form["text_sha256"]}


@pytest.mark.parametrize("four_eyes", [False, True])
def test_another_person_is_named_only_if_one_is_needed(
    post: Post, form: Form, app: Flask, monkeypatch: pytest.MonkeyPatch, four_eyes: bool
) -> None:
    monkeypatch.setitem(app.config, "FOUR_EYES", four_eyes)
    page = post("/add", {**form, "go": "check"})
    told = page.only("//form[@id='add']/div[@class='save']/p")
    assert ("another person" in told) is four_eyes


def test_names_are_suggested(browser: Browser, key: str) -> None:
    browser.sign_in(key)
    page = browser.get("/add/suggest", q="Heta", kinds="entities")
    assert any("Hetao" in each for each in page.texts("//option"))


def test_adding_needs_a_key(browser: Browser) -> None:
    for path in ("/add", "/add/suggest"):
        answer = browser.get(path)
        assert answer.status == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"].startswith("/sign-in?next=%2Fadd")


def test_the_form_asks_for_the_key_when_the_session_has_ended(
    post: Post, form: Form, browser: Browser, key: str
) -> None:
    browser.client.delete_cookie("hksz_session")
    page = post("/add", {**form, "go": "save"})
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert _values(page)["statement"] == form["statement"]
    assert page.tree.xpath("//*[@id='problems']//*[@form='add']/@name") == ["key", "go"]
    # The Enter key in the field sends the form as it was to be sent.
    assert page.tree.xpath("//*[@form='add'][@name='go']/@value")[0] == "save"
    assert "paste it again" in page.only("//*[@id='paste']/p[@class='notice']")
    assert post("/add", {**form, "go": "save", "key": key}).status == HTTPStatus.SEE_OTHER


def test_the_listed_claims_stay_when_the_session_has_ended(
    post: Post, form: Form, browser: Browser, api: Api, claim_id: Callable[[str], str]
) -> None:
    statement = api(f"/v1/claims/{claim_id(APPROVED)}")["statement"]
    said = {**form, "statement": statement, "as_stated": "", "go": "check"}
    (checked,) = post("/add", said).tree.xpath("//form[@id='add']")
    listed = checked.fields["listed"].split()
    assert claim_id(APPROVED) in listed
    browser.client.delete_cookie("hksz_session")
    page = post("/add", {**dict(checked.form_values()), "claim": claim_id(APPROVED), "go": "save"})
    assert page.status == HTTPStatus.UNAUTHORIZED
    assert {*page.tree.xpath("//input[@name='claim']/@value")} == {"new", *listed}
    assert _chosen(page) == [claim_id(APPROVED)]


def _sent_again(page: Page) -> dict[str, list[str]]:
    """What the form sends to which the key belongs."""
    (id,) = page.tree.xpath("//*[@id='problems']//*[@name='key']/@form")
    (form,) = page.tree.xpath("//form[@id=$id]", id=id)
    return MultiDict(form.form_values()).to_dict(flat=False)


def test_nothing_typed_is_lost_when_the_session_ends_at_any_step(
    form: Form, browser: Browser, key: str, claim_id: Callable[[str], str]
) -> None:
    post = _sender(browser, key)
    links = {"answers": claim_id(PLANNED), "claim": claim_id(APPROVED)}
    source = {
        "q": "A report",
        "title": "A report",
        "csl_type": "report",
        "issued_edtf": "2024",
        "publisher": "An office",
        "new_publisher": "1",
        "publisher_kind": "organisation",
        "repeats": "The first report",
        "repeats_kind": "translation_of",
        "is_none_of": str(UUID(int=7)),
        "reports": "A person",
        "new_reports": "1",
        "reports_kind": "person",
        **links,
    }
    passage = {
        **form,
        "answers": claim_id(PLANNED),
        "begun_with": claim_id(APPROVED),
        "reports": "A person",
        "new_reports": "1",
        "reports_kind": "person",
        "page": "7",
        "note": "a note",
        "exact": "1",
        "comparator": "gt",
        "is_another": "1",
        "against": claim_id(APPROVED),
        "new_metric": "1",
        "metric": "Permits",
    }
    two = json.dumps([json.loads(WORK), {"type": "report", "title": "Another review"}])
    listed = post("/add/file", {**_file("library.json", two), **links})
    record = {"record": listed.tree.xpath("//input[@name='record']/@value")[1], **links}
    browser.client.delete_cookie("hksz_session")
    for path, typed in (("/add/source", source), ("/add/file", record), ("/add", passage)):
        page = post(path, typed)
        assert page.status == HTTPStatus.UNAUTHORIZED
        sent = _sent_again(page)
        assert {name: sent.get(name) for name in typed} == {
            name: [str(value)] for name, value in typed.items()
        }


def test_a_figure_that_cannot_be_read_leads_to_the_fields_that_correct_it(
    post: Post, form: Form
) -> None:
    page = post("/add", {**form, "as_stated": "5 5", "go": "save"})
    assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
    told = page.only("//*[@id='hints']/p[@class='hint']")
    assert told.startswith("The figure cannot be read: ")
    assert page.tree.xpath("//details[@open]/summary/text()") == ["Correct the reading"]
