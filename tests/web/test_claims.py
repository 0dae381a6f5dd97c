"""The page of a claim, with the seeds and with claims that are written to be difficult."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from hksz_db.queries.document_types import ChangedCounts, Origin, Step, Via
from hksz_db.web.origins import MOST_SOURCES, described, origin_map
from hksz_db.web.plots import Row, Span, plot
from hksz_db.web.verdicts import changed_origins
from hksz_db.web.wording import time_in_words
from tests.web.conftest import Api, Browser

ClaimId = Callable[[str], str]
CLAIM = "hksz:ttps-approved-2023"
DISPUTED = "hksz:hetao-planning-began"
COPIED = "hksz:qianhai-plan-2021"
SCRIPT = "<script>alert(1)</script>\"'"


def write_claim(api: Api, **fields: Any) -> str:
    """The id of a new claim, which is accepted."""
    body = {"statement": "Tests pass.", "claimant_as_stated": "a tester", "status": "accepted"}
    return str(api("/v1/claims", json={**body, **fields})["id"])


class TestTheHead:
    def test_it_says_who_said_what_when_and_in_which_words(
        self, browser: Browser, claim_id: ClaimId
    ) -> None:
        page = browser.get(f"/claims/{claim_id(CLAIM)}")
        assert page.only("//h1").startswith("More than 47,000 applications")
        assert page.only("//p[@class='byline']") == (
            "Said by Tan Yifan (Brand Marketing head, Shenzhen Daily), concerning 2023"
            " — in the words “In 2023”."
        )

    def test_the_verdict_is_explained(self, browser: Browser, claim_id: ClaimId) -> None:
        page = browser.get(f"/claims/{claim_id(DISPUTED)}")
        (verdict,) = page.texts("//div[contains(@class, 'v-disputed')]")
        assert verdict.startswith("Disputed: 2 origins for it, 1 origin against it")
        assert "There are origins on both sides." in verdict

    def test_markup_of_users_is_shown_as_text(self, browser: Browser, api: Api) -> None:
        names = [{"name": SCRIPT, "language": "en", "kind": "preferred"}]
        entity = api("/v1/entities", json={"names": names, "kind": "person"})["id"]
        source = api("/v1/sources", json={"title": SCRIPT, "csl_type": "article"})["id"]
        evidence = {"source_id": source, "stance": "asserts", "note": SCRIPT, "page": SCRIPT[:50]}
        id = write_claim(
            api,
            statement=SCRIPT,
            claimant_id=entity,
            claimant_as_stated=SCRIPT,
            time_as_stated=SCRIPT,
            entities=[{"entity_id": entity, "role": "subject"}],
            evidence=[{**evidence, "status": "accepted", "rating_as_stated": SCRIPT}],
        )
        queries = ({"sort": "-id"}, {"q": SCRIPT}, {"q": SCRIPT, "ui": "en"})
        lists = (browser.get("/claims", **query) for query in queries)
        for page in (browser.get(f"/claims/{id}"), *lists):
            assert page.tree.xpath("//script") == []
            assert "<script" not in page.text
            assert SCRIPT in page.tree.text_content()

    def test_translations_say_who_made_them(self, browser: Browser, api: Api) -> None:
        statements = [{"language": "zh-Hant", "text": "測試通過。", "translated_by": "machine"}]
        page = browser.get(f"/claims/{write_claim(api, statements=statements)}")
        assert page.only("//p[@class='translation'][@lang='zh-Hant']") == (
            "測試通過。 (translated by a machine)"
        )


class TestTheOrigins:
    def test_the_list_says_what_the_map_shows(self, browser: Browser, claim_id: ClaimId) -> None:
        page = browser.get(f"/claims/{claim_id(COPIED)}")
        assert page.tree.xpath("//svg[@class='map']/title | //svg[@class='map']/desc")
        items = page.texts("//ol[@class='evidence']/li")
        assert "counts as an origin" in items[0]
        assert [item for item in items if "copy of “" in item or "translation of “" in item]

    def test_an_origin_that_is_known_by_a_copy_only(
        self, browser: Browser, claim_id: ClaimId
    ) -> None:
        items = browser.get(f"/claims/{claim_id(DISPUTED)}").texts("//ol[@class='evidence']/li")
        assert any(
            "copy of “SCIO" in item and "which counts as an origin" in item for item in items
        )

    def test_many_copies_are_folded_into_their_number(self, app: Any) -> None:
        step: Step = {"kind": "copy_of", "source_id": "0", "title": "It"}
        via: list[Via] = [
            {"evidence_id": f"{n}", "source_id": f"{n}", "title": f"Copy {n}", "steps": [step][:n]}
            for n in range(MOST_SOURCES + 1)
        ]
        origin: Origin = {
            "source_id": "0",
            "title": "It",
            "stance": "for",
            "counted": True,
            "via": via,
        }
        stances = {each["evidence_id"]: "supports" for each in via}
        with app.test_request_context():
            few = origin_map([{**origin, "via": via[:MOST_SOURCES]}], stances, {})
            many = origin_map([origin], stances, {})
            assert few is not None
            assert len(few.origins[0].copies) == MOST_SOURCES - 1
            assert many is not None
            assert (many.origins[0].copies, many.origins[0].folded) == ([], MOST_SOURCES)
            assert described(many).endswith(f"Its {MOST_SOURCES} copies add no origin.")

    def test_a_claim_without_evidence(self, browser: Browser, api: Api) -> None:
        page = browser.get(f"/claims/{write_claim(api)}")
        assert "No passage of a source is recorded." in page.text
        assert page.tree.xpath("//svg[@class='map']") == []
        assert page.only("//div[contains(@class, 'v-unsupported')]/b") == (
            "Unsupported: no origin counts"
        )

    def test_a_rejected_passage_is_apart_with_its_note(self, browser: Browser, api: Api) -> None:
        source = api("/v1/sources", per_page=1)["data"][0]["id"]
        note = {"status": "rejected", "review_note": "Says another thing."}
        passages = [{"source_id": source, "stance": stance} for stance in ("asserts", "disputes")]
        id = write_claim(api, evidence=[passages[0], {**passages[1], **note}])
        page = browser.get(f"/claims/{id}")
        assert len(page.tree.xpath("//section/ol[@class='evidence']/li")) == 1
        rejected = page.only("//details[@class='rejected']")
        assert rejected.startswith("1 rejected passage, which is not counted")
        assert "rejected in review: not counted" in rejected
        assert "Review note: Says another thing." in rejected

    def test_a_passage_is_shown_as_its_position(self, browser: Browser, claim_id: ClaimId) -> None:
        page = browser.get(f"/claims/{claim_id(CLAIM)}")
        (locator,) = [text for text in page.texts("//p[@class='locator']") if "Char" in text]
        assert re.findall(r"[0-9a-f,]{5,}", locator) == ["3,048", "3,170", "3,717", "8123df74273d"]


class TestTheFigures:
    def test_what_is_compared_and_what_is_not(self, browser: Browser, claim_id: ClaimId) -> None:
        page = browser.get(f"/claims/{claim_id(CLAIM)}")
        (compared, aside) = page.tree.xpath("//ul[@class='plot']")
        assert [
            each.text_content() for each in compared.xpath(".//p[contains(@class,'note')]")
        ] == [
            "this claim",
            *["compatible"] * 4,
        ]
        assert "not comparable" in " ".join(page.texts("//figure[@class='aside']/h3"))
        assert len(aside.xpath("./li[not(@aria-hidden)]")) == 5
        # The table says what the bars show.
        assert len(page.texts("//details//tbody/tr")) == 10
        assert page.texts("//details//tbody/tr[1]/td[position() > 3]") == [
            "47,001 or more",
            "47,001 to 47,999",
        ]

    def test_why_pairs_are_not_compared(self, browser: Browser, api: Api) -> None:
        metric = api("/v1/metrics", per_page=1)["data"][0]["id"]
        subject = api("/v1/entities", per_page=1)["data"][0]["id"]
        figure = {"as_stated": "7", "metric_id": metric, "subject_id": subject, "unit_code": "1"}
        figure = {**figure, "comparator": "eq", "amount": "7"}
        dimension = api(f"/v1/metrics/{metric}")["dimension"]
        if dimension not in {"count", "ratio"}:
            figure["unit_code"] = {"area": "m2", "length": "m"}[dimension]
        ids = [
            write_claim(api, statement=str(year), figures=[{**figure, "period_edtf": str(year)}])
            for year in (1901, 1955)
        ]
        page = browser.get(f"/claims/{ids[0]}")
        assert "No other figure can be compared with it." in page.text
        assert "their times are too far apart" in page.text

    @pytest.mark.parametrize(
        ("status", "heading", "reason"),
        [
            ("draft", "not compared", "This claim is a draft:"),
            ("rejected", "not compared", "This claim was rejected:"),
            ("submitted", "not comparable", "These figures count something else,"),
        ],
    )
    def test_why_figures_stand_apart(
        self,
        browser: Browser,
        api: Api,
        claim_id: ClaimId,
        status: str,
        heading: str,
        reason: str,
    ) -> None:
        (known, *_) = api(f"/v1/claims/{claim_id(CLAIM)}")["figures"]
        figure = {
            "metric_id": known["metric"]["id"],
            "subject_id": known["subject"]["id"],
            "as_stated": "47,500",
            "period_edtf": "1990",
        }
        page = browser.get(f"/claims/{write_claim(api, status=status, figures=[figure])}")
        (title,) = page.texts("//figure[@class='aside']/h3")
        assert title.endswith(heading)
        (caption,) = page.texts("//figure[@class='aside']/figcaption")
        assert caption.startswith(reason)

    @pytest.mark.parametrize(
        ("spans", "begins_at_zero"),
        [
            ([Span(Decimal(47001), None)], False),
            ([Span(Decimal(0), Decimal(0))], True),
            ([Span(Decimal(-5), Decimal(-5)), Span(None, Decimal("0.25"))], False),
            ([Span(None, None)], True),
            ([Span(Decimal(1), Decimal(1)), Span(Decimal(10) ** 12, Decimal(10) ** 12)], True),
            ([Span(Decimal("0.0001"), Decimal("0.0001"))], False),
        ],
    )
    def test_every_range_has_its_place(self, spans: list[Span], begins_at_zero: bool) -> None:
        drawn = plot([Row("x", "", span, span, "own", "") for span in spans], "1")
        assert drawn.begins_at_zero == begins_at_zero
        for bar in drawn.bars:
            assert 0 <= bar.allowed[0] <= bar.allowed[1] <= 100
        assert 1 <= len(drawn.ticks) <= 6
        assert all(0 <= tick.place <= 100 for tick in drawn.ticks)


class TestTheHistory:
    def test_each_version_leads_to_what_changed(self, browser: Browser, claim_id: ClaimId) -> None:
        page = browser.get(f"/claims/{claim_id(CLAIM)}")
        (newest, *_) = [link for link in page.links if "/history/" in link]
        difference = browser.get(newest)
        assert difference.status == 200
        assert "passages" in " ".join(difference.texts("//tbody/tr/td[1]"))
        assert difference.tree.xpath("//ins")

    def test_what_changed_is_worded_as_on_other_pages(
        self, browser: Browser, claim_id: ClaimId
    ) -> None:
        path = f"/claims/{claim_id('hksz:ttps-approved-2023')}/history/3/6"
        page = browser.get(path)
        cells = " ".join(page.texts("//tbody//td"))
        for told in (
            "whose voice: a party",
            "reason: the same voice counts already: adds no origin",
            "stance: for it",
        ):
            assert told in cells
        assert not re.search(r"_|T\d\d:|[0-9a-f]{8}-[0-9a-f]{4}-", cells)
        footers = [each.only("//footer//span[2]") for each in (page, browser.get("/claims"))]
        assert footers[0] == footers[1]

    def test_the_page_as_of_a_moment(self, browser: Browser, claim_id: ClaimId, api: Api) -> None:
        id = claim_id(CLAIM)
        first = api(f"/v1/claims/{id}/history")["data"][-1]["at"]
        page = browser.get(f"/claims/{id}", as_of=first)
        assert "version 1" in page.only("//p[@class='crumb']")
        assert "A single origin" in page.text
        assert first in page.only("//p[@class='notice']")

    def test_a_day_means_its_end_and_today_means_now(
        self, browser: Browser, claim_id: ClaimId
    ) -> None:
        id, today = claim_id(CLAIM), datetime.now(UTC).date()
        assert browser.get(f"/claims/{id}", as_of=str(today)).status == 200
        assert browser.get(f"/claims/{id}", as_of="").status == 200
        for day in (today - timedelta(days=400), today + timedelta(days=2), "yesterday"):
            assert browser.get(f"/claims/{id}", as_of=str(day)).status == 400, day

    def test_the_permanent_link_shows_the_same_version(
        self, browser: Browser, claim_id: ClaimId
    ) -> None:
        page = browser.get(f"/claims/{claim_id(CLAIM)}")
        (link,) = page.tree.xpath("//a[text()='Permanent link']/@href")
        assert browser.get(link).only("//p[@class='crumb']") == page.only("//p[@class='crumb']")


def test_the_other_formats_answer(browser: Browser, claim_id: ClaimId) -> None:
    page = browser.get(f"/claims/{claim_id(CLAIM)}")
    links = page.tree.xpath("//p[@class='formats']/a[@type]")
    assert [each.text for each in links] == [
        *("JSON", "JSON-LD", "CSV", "CSV of the figures", "BibTeX of the sources"),
    ]
    for each in links:
        answer = browser.client.get(each.get("href"))
        assert answer.status_code == 200
        assert answer.mimetype == each.get("type")


@pytest.mark.slow
def test_every_page_of_the_seeds_is_complete_and_short(browser: Browser, api: Api) -> None:
    ids: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        listed = api("/v1/claims", select="id", per_page=100, **cursor)
        ids += [each["id"] for each in listed["data"]]
        if listed["meta"]["next_cursor"] is None:
            break
        cursor = {"cursor": listed["meta"]["next_cursor"]}
    assert ids
    for id in ids:
        page = browser.get(f"/claims/{id}")
        assert page.status == 200, id
        assert len(page.text.encode()) <= 30_000, id
        for drawing in page.tree.xpath("//svg[@role='img']"):
            assert drawing.xpath("./title[text()]"), id
            assert drawing.xpath("./desc[text()]"), id
        assert len(set(page.tree.xpath("//@id"))) == len(page.tree.xpath("//@id")), id


@pytest.mark.parametrize(
    ("edtf", "words", "traditional"),
    [
        ("2023", "2023", "2023年"),
        ("2023-09", "September 2023", "2023年9月"),
        ("2023-09-07", "7 September 2023", "2023年9月7日"),
        ("2010~", "about 2010", None),
        ("2010?", "2010, uncertain", None),
        ("2022-12-28/2023-11-30", "28 December 2022 to 30 November 2023", None),
        ("2017/..", "from 2017", None),
        ("../2017", "until 2017", None),
        ("[2022..2024]", "between 2022 and 2024", None),
        ("[2022,2024]", "2022 or 2024", None),
        ("{2022,2024}", "2022 and 2024", None),
        ("202X", "the 2020s", None),
        ("2023-21", "2023-21", None),
        ("", "", None),
    ],
)
def test_times_in_words(app: Any, edtf: str, words: str, traditional: str | None) -> None:
    with app.test_request_context():
        assert time_in_words(edtf) == words
    if traditional is not None:
        with app.test_request_context(query_string={"ui": "zh-Hant"}):
            assert time_in_words(edtf) == traditional


def test_origins_are_unchanged_if_their_numbers_are(app: Any) -> None:
    own = {"origins": 1, "own": 1, "independent": 0, "parties": 0}
    party = {**own, "own": 0, "parties": 1}
    none = {**own, "own": 0, "origins": 0}
    before, after = {"for": own, "against": none}, {"for": party, "against": own}
    counts: ChangedCounts = {"before": before, "after": before, "if_accepted": after}
    with app.test_request_context():
        assert changed_origins(counts) == [
            "For it: still 1 origin (0 independent)",
            "Against it: from 0 origins to 1 origin (0 independent)",
        ]
    with app.test_request_context(query_string={"ui": "zh-Hant"}):
        assert changed_origins(counts) == [
            "支持方\uff1a維持 1 個源頭\uff080 個獨立\uff09",
            "反對方\uff1a由 0 個源頭變為 1 個源頭\uff080 個獨立\uff09",
        ]
