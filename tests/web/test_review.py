"""The pages of reviewers and of authors, and what all forms have in common."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask

from hksz_db.database import Database, run
from hksz_db.domain.vocabulary import Scope
from hksz_db.services.writing import writing
from tests.web.conftest import Api, Browser, MakeKey, Page

UNKNOWN = "0199c3a0-0000-7000-8000-000000000000"
STATEMENT = "Exactly 45,120 applications under the Top Talent Pass Scheme were approved in 2023."
MERGED = "hksz:ttps-approved-2023"
_OWN_SOURCES = "//section[@aria-labelledby='sources']//tbody/tr/td"
Document = dict[str, Any]


@pytest.fixture
def author(app: Flask, make_key: MakeKey) -> Browser:
    """A browser in which somebody has signed in who may write claims."""
    browser = Browser(app)
    browser.sign_in(make_key("author", Scope.CLAIMS_WRITE))
    return browser


@pytest.fixture
def reviewer_key(make_key: MakeKey) -> str:
    """A key that may review claims."""
    return make_key("reviewer", Scope.CLAIMS_WRITE, Scope.REVIEW)


@pytest.fixture
def reviewer(app: Flask, reviewer_key: str) -> Browser:
    """A browser in which a reviewer has signed in."""
    browser = Browser(app)
    browser.sign_in(reviewer_key)
    return browser


@pytest.fixture
def four_eyes(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """No key can accept what it has written."""
    monkeypatch.setitem(app.config, "FOUR_EYES", True)


Write = Callable[..., Document]


@pytest.fixture
def write(app: Flask, make_key: MakeKey) -> Write:
    """``write("label", path, fields)`` writes with a key of its own."""
    keys: dict[str, str] = {}

    def call(label: str, path: str, fields: Document, method: str = "POST") -> Document:
        if label not in keys:
            scopes = (Scope.CLAIMS_WRITE, Scope.SOURCES_WRITE, Scope.REVIEW)
            keys[label] = make_key(label, *scopes)
        headers = {"Authorization": f"Bearer {keys[label]}", "If-Match": "*"}
        answer = app.test_client().open(path, method=method, json=fields, headers=headers)
        assert answer.status_code < 300, answer.text
        document: Document = answer.get_json()
        return document

    return call


@pytest.fixture
def submitted(write: Write, api: Api, claim_id: Callable[[str], str]) -> Document:
    """A submitted claim whose figure contradicts accepted ones, with a passage."""
    like = api(f"/v1/claims/{claim_id(MERGED)}")
    (figure, *_) = like["figures"]
    source = like["evidence"][0]["source"]["id"]
    return write(
        "writer",
        "/v1/claims",
        {
            "statement": STATEMENT,
            "language": "en",
            "modality": "actual",
            "status": "submitted",
            "claimant_as_stated": "an institute",
            "time_edtf": "2023",
            "figures": [
                {
                    "metric_id": figure["metric"]["id"],
                    "subject_id": figure["subject"]["id"],
                    "as_stated": "exactly 45,120 applications",
                    "period_edtf": "2023",
                }
            ],
            "evidence": [{"source_id": source, "stance": "asserts", "status": "submitted"}],
        },
    )


@pytest.fixture
def pair(write: Write, submitted: Document) -> Document:
    """A second submitted claim, with the words of the first."""
    copied = ("statement", "language", "modality", "status", "claimant_as_stated")
    fields = {name: submitted[name] for name in copied} | {"time_edtf": "2023"}
    return write("writer", "/v1/claims", fields)


def _decide(browser: Browser, claim: Document, **typed: str) -> Page:
    page = browser.get("/review", item=claim["id"])
    return browser.send(page, f"/review/claims/{claim['id']}", **typed)


def _way_back(page: Page) -> str:
    """Where the link to sign in leads in the end."""
    (link,) = page.tree.xpath("//a[@class='sign-in']/@href")
    return parse_qs(urlsplit(link).query)["next"][0]


def _read(api: Api, claim: Document) -> Document:
    document: Document = api(f"/v1/claims/{claim['id']}")
    return document


class TestAccess:
    def test_readers_are_asked_to_sign_in(self, browser: Browser) -> None:
        for path in ("/review", "/my-work"):
            answer = browser.get(path)
            assert answer.status == HTTPStatus.SEE_OTHER
            assert answer.headers["Location"].startswith("/sign-in?next=")

    def test_others_cannot_review(self, author: Browser) -> None:
        assert author.get("/review").status == HTTPStatus.FORBIDDEN

    @pytest.mark.parametrize("tab", ["claims", "duplicates"])
    def test_a_key_that_may_only_review_learns_it_before_typing(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, pair: Document, tab: str
    ) -> None:
        reading = Browser(app)
        reading.sign_in(make_key("reading", Scope.REVIEW))
        page = reading.get("/review", tab=tab, item=pair["id"])
        told = "The key “reading” does not have the right claims:write."
        assert page.only("//article//p[@class='notice']").startswith(told)
        fields = "//article//form//*[@name]"
        assert page.tree.xpath(fields)
        assert not page.tree.xpath(f"{fields}[not(ancestor::fieldset[@disabled])]")
        page = reviewer.get("/review", tab=tab, item=pair["id"])
        assert not page.tree.xpath("//article//p[@class='notice'] | //fieldset[@disabled]")

    def test_links_lead_to_what_a_key_may_use(
        self, browser: Browser, author: Browser, reviewer: Browser
    ) -> None:
        offered = [
            {"/review", "/my-work"} & {*each.get("/claims").links}
            for each in (browser, author, reviewer)
        ]
        assert offered == [set(), {"/my-work"}, {"/review", "/my-work"}]


class TestQueue:
    def test_both_sides_stand_on_one_axis(self, reviewer: Browser, submitted: Document) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        assert page.status == HTTPStatus.OK
        assert page.only("//article//h2[@class='statement']") == STATEMENT
        labels = page.texts("//section[@aria-labelledby='pair']//p[@class='what']/*[1]")
        assert labels[0] == "“exactly 45,120 applications”"
        assert len(labels) > 1
        effects = page.texts("//section[@aria-labelledby='effect']//li")
        assert effects
        assert all(each.startswith("contradicts") for each in effects)
        assert "by the key writer" in page.only("//article/p[@class='crumb']")

    def test_without_similar_claims_it_is_said_what_that_means(
        self, reviewer: Browser, write: Write
    ) -> None:
        fields = {"statement": "Zebras doze.", "claimant_as_stated": "a zoo", "status": "submitted"}
        claim = write("writer", "/v1/claims", fields)
        page = reviewer.get("/review", item=claim["id"])
        similar = page.only("//section[@aria-labelledby='checks']//tr[th='Similar claims']/td")
        assert similar == "No other claim has similar words or an equal figure."

    def test_the_first_entry_is_shown_first(self, reviewer: Browser, submitted: Document) -> None:
        page = reviewer.get("/review")
        assert page.only("//ol[@class='items']//a[@aria-current]/span") == STATEMENT
        assert page.links.count(f"/review?tab=claims&item={submitted['id']}") == 1

    def test_an_entry_that_was_reviewed_meanwhile_gives_way_to_the_first(
        self, reviewer: Browser, submitted: Document, claim_id: Callable[[str], str]
    ) -> None:
        for other in (claim_id(MERGED), "unknown"):
            page = reviewer.get("/review", item=other)
            assert page.only("//article//h2[@class='statement']") == submitted["statement"]

    def test_an_empty_queue(self, reviewer: Browser) -> None:
        page = reviewer.get("/review", tab="duplicates")
        assert page.only("//main/p[@class='soft']") == "Nothing is waiting for review here."

    def test_a_page_is_short_and_has_no_inline_styles(
        self, reviewer: Browser, submitted: Document
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        assert len(page.text.encode()) <= 30_000
        assert page.tree.xpath("//@style | //style | //script[not(@src)]") == []
        ids = page.tree.xpath("//@id")
        assert len(ids) == len({*ids})

    def test_a_passage_says_what_accepting_it_would_change(
        self, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        (passage,) = submitted["evidence"]
        page = reviewer.get("/review", tab="passages", item=passage["id"])
        assert "The verdict on the claim" in page.only("//section[@aria-labelledby='effect']//li")
        action = f"/review/evidence/{passage['id']}"
        answer = reviewer.send(page, action, decision="accept")
        assert answer.status == HTTPStatus.SEE_OTHER
        assert _read(api, submitted)["evidence"][0]["status"] == "accepted"

    @pytest.mark.parametrize("tab", ["claims", "passages"])
    def test_what_was_sent_back_comes_with_the_note_and_what_has_changed(
        self, reviewer: Browser, submitted: Document, write: Write, tab: str
    ) -> None:
        (passage,) = submitted["evidence"]
        resource, row, field = "claims", submitted, "statement"
        if tab == "passages":
            resource, row, field = "evidence", passage, "note"
        path, section = f"/v1/{resource}/{row['id']}", "//section[@aria-labelledby='before']"
        assert not reviewer.get("/review", tab=tab, item=row["id"]).tree.xpath(section)
        write("second", path, {"status": "draft", "review_note": "Which one?"}, "PATCH")
        write("writer", path, {field: "Exactly 45,120 were approved."}, "PATCH")
        write("writer", path, {"status": "submitted"}, "PATCH")
        page = reviewer.get("/review", tab=tab, item=row["id"])
        assert page.only(f"{section}/p[@class='note']").startswith("Which one? by second")
        (changed,) = page.texts(f"{section}//tbody/tr")
        assert changed.startswith(field)
        assert changed.endswith("Exactly 45,120 were approved.")
        if tab == "claims":
            link = page.tree.xpath(f"{section}//p/a/@href")
            assert reviewer.get(*link).status == HTTPStatus.OK

    def test_plans_that_are_due_ask_what_became_of_them(self, reviewer: Browser, api: Api) -> None:
        plan = {
            "statement": "Sixty firms are to move in by 2019.",
            "language": "en",
            "modality": "planned",
            "status": "accepted",
            "claimant_as_stated": "an institute",
        }
        due = api("/v1/claims", {**plan, "due_edtf": "2019"})
        api("/v1/claims", {**plan, "due_edtf": "2999"})
        page = reviewer.get("/review", tab="due")
        assert page.texts("//tbody/tr/td[3]") == ["2019"]
        assert page.only("//a[@aria-current='page'][contains(@href, 'tab=due')]") == "Due 1"
        assert f"/add?answers={due['id']}" in page.links


class TestDecisions:
    def test_accept(self, reviewer: Browser, submitted: Document, api: Api) -> None:
        answer = _decide(reviewer, submitted, decision="accept")
        assert answer.status == HTTPStatus.SEE_OTHER
        assert answer.headers["Location"].startswith("/review?tab=claims")
        assert reviewer.get(answer.headers["Location"]).only("//p[@role='status']") == "Accepted."
        document = _read(api, submitted)
        assert (document["status"], document["reviewed_by"]) == ("accepted", "reviewer")

    @pytest.mark.parametrize(
        ("decision", "status"), [("send_back", "draft"), ("reject", "rejected")]
    )
    def test_a_note_goes_with_the_rest(
        self, reviewer: Browser, submitted: Document, api: Api, decision: str, status: str
    ) -> None:
        page = _decide(reviewer, submitted, decision=decision, review_note=" ")
        assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert page.tree.xpath("//*[@role='alert']//a/@href") == ["#review_note"]
        assert page.tree.xpath("//main/*[1]/@role") == ["alert"]
        assert page.tree.xpath("//textarea[@id='review_note']/@aria-invalid") == ["true"]
        assert page.tree.xpath("//input[@value=$value]/@checked", value=decision)
        answer = reviewer.send(
            page, f"/review/claims/{submitted['id']}", review_note="Which institute?"
        )
        assert answer.status == HTTPStatus.SEE_OTHER
        document = _read(api, submitted)
        assert (document["status"], document["review_note"]) == (status, "Which institute?")

    def test_the_hint_names_a_decision_as_its_button_does(
        self, reviewer: Browser, submitted: Document
    ) -> None:
        for tag in ("zh-Hant", "zh-Hans"):
            page = reviewer.get("/review", item=submitted["id"], ui=tag)
            hint = page.only("//label[@for='review_note']/span")
            for decision in ("send_back", "reject"):
                assert page.only(f"//label[input/@value='{decision}']") in hint

    def test_accept_with_a_change(self, reviewer: Browser, submitted: Document, api: Api) -> None:
        typed = {
            "statement": "In 2023, 45,120 applications were approved.",
            "review_note": "Short.",
        }
        _decide(reviewer, submitted, decision="change", **typed)
        document = _read(api, submitted)
        assert document["status"] == "accepted"
        assert {name: document[name] for name in typed} == typed

    def test_what_the_services_refuse_is_said_beside_the_field(
        self, reviewer: Browser, submitted: Document
    ) -> None:
        page = _decide(
            reviewer, submitted, decision="change", statement=" ", review_note="Too long."
        )
        assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert page.tree.xpath("//*[@role='alert']//a/@href") == ["#statement"]
        assert page.tree.xpath("//textarea[@id='statement']/@aria-describedby") == [
            "statement-fault"
        ]
        assert page.only("//textarea[@id='review_note']") == "Too long."

    def test_not_sure_changes_nothing(
        self, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        answer = _decide(reviewer, submitted, decision="unsure")
        assert "done=unsure" in answer.headers["Location"]
        assert _read(api, submitted)["version"] == submitted["version"]

    def test_nothing_is_decided_without_a_choice(
        self, reviewer: Browser, submitted: Document
    ) -> None:
        page = _decide(reviewer, submitted)
        assert page.tree.xpath("//*[@role='alert']//a/@href") == ["#decision"]

    def test_authors_cannot_decide(
        self, author: Browser, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        (form,) = page.tree.xpath("//form[contains(@action, '/review/')]")
        token = author.get("/claims").tree.xpath("//form[@class='session']/input/@value")[0]
        fields = {**dict(form.form_values()), "decision": "accept", "csrf": token}
        answer = author.post(f"/review/claims/{submitted['id']}", fields)
        assert answer.status == HTTPStatus.FORBIDDEN
        assert _read(api, submitted)["status"] == "submitted"


class TestPassagesOfAClaim:
    """What becomes of the passages of a claim that is decided on."""

    def _statuses(self, claim: Document) -> list[str]:
        return [claim["status"], *(each["status"] for each in claim["evidence"])]

    @pytest.mark.parametrize("decision", ["accept", "send_back", "reject", "change"])
    def test_they_are_decided_on_alike(
        self, reviewer: Browser, submitted: Document, api: Api, decision: str
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        assert page.tree.xpath("//input[@name='alike']/@checked") == ["checked"]
        _decide(reviewer, submitted, decision=decision, review_note="A note.")
        claim = _read(api, submitted)
        assert len({*self._statuses(claim)}) == 1
        (passage,) = claim["evidence"]
        assert (passage["reviewed_by"], passage["review_note"]) == ("reviewer", "A note.")
        assert passage["version"] == submitted["evidence"][0]["version"] + 1
        assert not reviewer.get(f"/claims/{claim['id']}").tree.xpath("//h1/../p[@class='notice']")

    def test_the_pages_say_if_they_still_wait(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        action = f"/review/claims/{submitted['id']}"
        page = reviewer.get("/review", item=submitted["id"])
        (form,) = page.tree.xpath("//form[@action=$action]", action=action)
        fields = {**dict(form.form_values()), "decision": "accept"}
        del fields["alike"]
        assert reviewer.post(action, fields).status == HTTPStatus.SEE_OTHER
        assert self._statuses(_read(api, submitted)) == ["accepted", "submitted"]
        told = "The claim is accepted. 1 passage is waiting for review."
        (passage,) = submitted["evidence"]
        for page in (
            reviewer.get(f"/claims/{submitted['id']}"),
            reviewer.get("/review", tab="passages", item=passage["id"]),
        ):
            assert told in page.texts("//article/p[@class='notice']")
        shown = _author(app, make_key).get("/my-work")
        assert shown.texts("//td//p[@class='small soft']") == [told, told]

    def test_they_are_submitted_again_with_their_claim(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        _decide(reviewer, submitted, decision="send_back", review_note="Which institute?")
        assert self._statuses(_read(api, submitted)) == ["draft", "draft"]
        author = _author(app, make_key)
        action = f"/my-work/claims/{submitted['id']}"
        answer = author.send(author.get("/my-work"), action, text="It is the third institute.")
        assert answer.status == HTTPStatus.SEE_OTHER
        assert self._statuses(_read(api, submitted)) == ["submitted", "submitted"]

    @pytest.mark.usefixtures("four_eyes")
    @pytest.mark.parametrize("decision", ["accept", "reject"])
    def test_those_of_the_reviewer_are_left_to_somebody_else(
        self, reviewer: Browser, submitted: Document, write: Write, api: Api, decision: str
    ) -> None:
        # The reviewer adds a passage, and another one accepts the claim, which is changed later.
        path, source = f"/v1/claims/{submitted['id']}", submitted["evidence"][0]["source"]["id"]
        passage = {"claim_id": submitted["id"], "source_id": source, "stance": "supports"}
        with writing(reviewer.client.application.extensions["hksz_database"]) as session:
            run(session, "UPDATE api_keys SET label = 'former' WHERE label = 'reviewer'")
        own = write("reviewer", "/v1/evidence", {**passage, "page": "4"})
        write("second", path, {"status": "accepted"}, "PATCH")
        write("third", path, {"status": "submitted", "time_edtf": "2023-12"}, "PATCH")
        with writing(reviewer.client.application.extensions["hksz_database"]) as session:
            run(session, "UPDATE api_keys SET label = 'used' WHERE label = 'reviewer'")
            run(session, "UPDATE api_keys SET label = 'reviewer' WHERE label = 'former'")
        page = reviewer.get("/review", item=submitted["id"])
        assert "1 passage that is waiting for review is your own" in page.only(
            "//form[@id='sent']/p[@class='hint']"
        )
        _decide(reviewer, submitted, decision=decision, review_note="A note.")
        claim = _read(api, submitted)
        statuses = {each["id"]: each["status"] for each in claim["evidence"]}
        assert statuses.pop(own["id"]) == "submitted"
        assert {*statuses.values()} == {claim["status"]} != {"submitted"}


@pytest.mark.usefixtures("four_eyes")
class TestFourEyes:
    @pytest.fixture
    def own(self, submitted: Document, reviewer_key: str, app: Flask) -> Document:
        """The claim, changed by the reviewer."""
        headers = {"Authorization": f"Bearer {reviewer_key}", "If-Match": "*"}
        path = f"/v1/claims/{submitted['id']}"
        answer = app.test_client().patch(path, json={"time_edtf": "2023-12"}, headers=headers)
        assert answer.status_code == HTTPStatus.OK
        return submitted

    def test_nobody_decides_about_their_own_work(
        self, reviewer: Browser, own: Document, api: Api
    ) -> None:
        page = reviewer.get("/review", item=own["id"])
        assert "nobody can accept their own work" in page.only("//article//p[@class='notice']")
        enabled = page.tree.xpath("//input[@name='decision'][not(@disabled)]/@value")
        assert enabled == ["unsure"]
        refused = reviewer.send(page, f"/review/claims/{own['id']}", decision="accept")
        assert refused.status == HTTPStatus.FORBIDDEN
        assert "Nobody can accept what they wrote" in refused.only("//*[@role='alert']/p")
        assert _read(api, own)["status"] == "submitted"

    def test_a_change_is_left_to_another_reviewer(
        self, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        _decide(reviewer, submitted, decision="change", statement="45,120 were approved in 2023.")
        document = _read(api, submitted)
        assert document["status"] == "submitted"
        assert document["statement"] == "45,120 were approved in 2023."


class TestDuplicates:
    @pytest.mark.parametrize("accepted", [False, True])
    def test_a_duplicate_is_merged_once_that_is_confirmed(
        self, submitted: Document, pair: Document, reviewer: Browser, api: Api, accepted: bool
    ) -> None:
        if accepted:
            api(f"/v1/claims/{submitted['id']}", {"status": "accepted"}, "PATCH")
        page = reviewer.get("/review", tab="duplicates", item=pair["id"])
        action = f"/review/merge/{pair['id']}"
        page = reviewer.send(page, action)
        assert page.status == HTTPStatus.UNPROCESSABLE_ENTITY
        answer = reviewer.send(page, action, confirmed="yes")
        assert answer.status == HTTPStatus.SEE_OTHER, answer.text
        merged = reviewer.get(f"/claims/{pair['id']}")
        assert merged.headers["Location"] == f"/claims/{submitted['id']}"

    @pytest.mark.parametrize(("left_out", "status"), [((), "accepted"), (("alike",), "submitted")])
    def test_the_passages_of_a_duplicate_are_accepted_with_it_or_wait_where_it_went(
        self,
        submitted: Document,
        pair: Document,
        write: Write,
        reviewer: Browser,
        api: Api,
        left_out: tuple[str, ...],
        status: str,
    ) -> None:
        path = f"/v1/claims/{submitted['id']}"
        source = submitted["evidence"][0]["source"]["id"]
        passage = {"claim_id": pair["id"], "source_id": source, "stance": "asserts", "page": "9"}
        waiting = write("writer", "/v1/evidence", passage)
        api(path, {"status": "accepted"}, "PATCH")
        page = reviewer.get("/review", tab="duplicates", item=pair["id"])
        action = f"/review/merge/{pair['id']}"
        (form,) = page.tree.xpath("//form[@action=$action]", action=action)
        fields = {**dict(form.form_values()), "confirmed": "yes"}
        for name in left_out:
            del fields[name]
        assert reviewer.post(action, fields).status == HTTPStatus.SEE_OTHER
        moved = {each["id"]: each["status"] for each in api(path)["evidence"]}
        assert moved[waiting["id"]] == status
        listed = reviewer.get("/review", tab="passages").texts("//ol[@class='items']/li")
        assert len(listed) == [*moved.values()].count("submitted")

    def test_a_merge_is_undone_where_it_is_told(
        self,
        app: Flask,
        make_key: MakeKey,
        submitted: Document,
        pair: Document,
        write: Write,
        reviewer: Browser,
        api: Api,
    ) -> None:
        source = submitted["evidence"][0]["source"]["id"]
        passage = {"claim_id": pair["id"], "source_id": source, "stance": "asserts", "page": "9"}
        write("writer", "/v1/evidence", passage)
        page = reviewer.get("/review", tab="duplicates", item=pair["id"])
        merged = reviewer.send(page, f"/review/merge/{pair['id']}", confirmed="yes")
        action, remaining = f"/review/merge/{pair['id']}/undo", f"/claims/{submitted['id']}"
        page = reviewer.get(merged.headers["Location"])
        told = f"“{STATEMENT}” was merged into “{STATEMENT}” by reviewer"
        assert told in page.only("//div[@class='notice'][p[@role='status']='Merged.']")
        author = _author(app, make_key)
        for reader, path in ((author, "/my-work"), (author, remaining), (reviewer, remaining)):
            section = reader.get(path).only("//section[@aria-labelledby='merged']")
            assert told in section
        assert not author.get(remaining).tree.xpath("//form[@action=$action]", action=action)
        stale = reviewer.send(page, action, version="1")
        assert stale.status == HTTPStatus.PRECONDITION_FAILED
        csrf = author.get("/claims").tree.xpath("//form[@class='session']/input/@value")[0]
        refused = author.send(stale, action, csrf=csrf)
        assert refused.status == HTTPStatus.FORBIDDEN
        assert "does not have the right review" in refused.only("//*[@role='alert']/p")
        undone = reviewer.send(stale, action)
        path = undone.headers["Location"]
        assert path == f"/claims/{pair['id']}"
        changed = reviewer.get(path).texts("//section[@aria-labelledby='history']//tr/td[4]")
        assert [each.split(", ")[0] for each in changed[:2]] == [
            "merge undone",
            "merged into another",
        ]
        assert _read(api, pair)["evidence"]
        assert not reviewer.get(remaining).tree.xpath("//section[@aria-labelledby='merged']")


class TestForms:
    def test_a_form_that_is_sent_twice_writes_once(
        self, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        action = f"/review/claims/{submitted['id']}"
        answers = [
            reviewer.send(page, action, decision="reject", review_note="No.") for _ in range(2)
        ]
        assert [each.status for each in answers] == [HTTPStatus.SEE_OTHER] * 2
        assert answers[0].headers["Location"] == answers[1].headers["Location"]
        # Each change of a passage makes a version of its claim, too.
        assert _read(api, submitted)["version"] == submitted["version"] + 2

    @pytest.mark.parametrize("token", ["", "0" * 64, "密"])
    def test_a_form_of_another_session_is_shown_again(
        self, reviewer: Browser, submitted: Document, api: Api, token: str
    ) -> None:
        page = _decide(
            reviewer, submitted, decision="reject", review_note="Typed words.", csrf=token
        )
        assert page.status == HTTPStatus.FORBIDDEN
        assert page.only("//textarea[@id='review_note']") == "Typed words."
        assert _read(api, submitted)["status"] == "submitted"
        again = reviewer.send(page, f"/review/claims/{submitted['id']}")
        assert again.status == HTTPStatus.SEE_OTHER

    def test_nothing_typed_is_lost_when_the_session_has_ended(
        self,
        reviewer: Browser,
        reviewer_key: str,
        submitted: Document,
        api: Api,
        database: Database,
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        with writing(database) as session:
            run(session, "DELETE FROM sessions")
        action = f"/review/claims/{submitted['id']}"
        page = reviewer.send(page, action, decision="reject", review_note="Typed words.")
        assert page.status == HTTPStatus.UNAUTHORIZED
        assert "Nothing that you typed is lost" in page.only("//*[@role='alert']/p")
        wrong = reviewer.send(page, action, key="hksz_wrong")
        assert wrong.only("//*[@role='alert']/p") == "The key is not known."
        for each in (page, wrong):
            assert each.tree.xpath("//*[@id='problems']//*[@form='sent']/@name") == ["key"]
            assert each.tree.xpath("//form[@id='sent']/@action") == [action]
            assert _way_back(each) == f"/review?tab=claims&item={submitted['id']}"
        answer = reviewer.send(wrong, action, key=reviewer_key)
        assert answer.status == HTTPStatus.SEE_OTHER
        assert _read(api, submitted)["review_note"] == "Typed words."
        assert "/review" in reviewer.get("/claims").links

    def test_both_versions_are_shown_when_another_write_came_between(
        self, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        path, other = f"/v1/claims/{submitted['id']}", "Exactly 45,121 were approved in 2023."
        api(path, {"statement": other}, "PATCH")
        action = f"/review/claims/{submitted['id']}"
        page = reviewer.send(page, action, decision="reject", review_note="Typed words.")
        assert page.status == HTTPStatus.PRECONDITION_FAILED
        cells = page.texts("//section[@aria-labelledby='both']//tbody/tr/td")
        assert {STATEMENT, other} <= {*cells}
        assert page.only("//textarea[@id='review_note']") == "Typed words."
        assert reviewer.send(page, action).status == HTTPStatus.SEE_OTHER
        assert _read(api, submitted)["status"] == "rejected"

    @pytest.mark.parametrize("left_out", ["idempotency", "version"])
    @pytest.mark.parametrize("action", ["/review/claims/", "/review/merge/"])
    def test_a_form_without_its_hidden_fields_is_refused(
        self, reviewer: Browser, submitted: Document, api: Api, action: str, left_out: str
    ) -> None:
        page = reviewer.get("/review", item=submitted["id"])
        (form,) = page.tree.xpath("//form[contains(@action, '/review/')]")
        fields = {**dict(form.form_values()), "decision": "accept", "confirmed": "yes"}
        del fields[left_out]
        answer = reviewer.post(action + submitted["id"], fields)
        assert answer.status == HTTPStatus.BAD_REQUEST
        assert _read(api, submitted)["status"] == "submitted"


def _author(app: Flask, make_key: MakeKey) -> Browser:
    """A browser of the author. Their key cannot be shown again, so that another gets its label."""
    author = Browser(app)
    author.sign_in(make_key("someone", Scope.CLAIMS_WRITE))
    assert STATEMENT not in author.get("/my-work").text
    with writing(app.extensions["hksz_database"]) as session:
        run(session, "UPDATE api_keys SET label = 'former' WHERE label = 'writer'")
        run(session, "UPDATE api_keys SET label = 'writer' WHERE label = 'someone'")
    return author


class TestMyWork:
    def test_authors_see_the_state_and_the_note(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document
    ) -> None:
        _decide(reviewer, submitted, decision="send_back", review_note="Which institute?")
        claim = f"/claims/{submitted['id']}"
        page = reviewer.get(claim)
        assert "sent back" in page.texts("//p[@class='crumb']/span")
        told = "A reviewer sent this claim back: Which institute?"
        assert page.only("//article/div[@class='notice']") == (
            f"{told}Its author can correct it and submit it again."
        )
        assert "This claim was sent back: its figures are compared" in page.text
        author = _author(app, make_key)
        page = author.get(claim)
        assert page.only("//article/div[@class='notice']/p[1]") == told
        assert page.tree.xpath("//article/div[@class='notice']//a/@href") == ["/my-work"]
        page = author.get("/my-work")
        rows = page.texts("//section[@aria-labelledby='drafts']//tbody/tr")
        assert len(rows) == 2
        for row in rows:
            assert STATEMENT in row
            assert "sent back" in row
            assert "Which institute?" in row

    def test_what_was_sent_back_is_not_called_a_draft(
        self, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        passage = {"claim_id": submitted["id"], "stance": "supports", "page": "4"}
        source = submitted["evidence"][0]["source"]["id"]
        api("/v1/evidence", {**passage, "source_id": source, "status": "accepted"})
        _decide(reviewer, submitted, decision="send_back", review_note="Which institute?")
        english = "The claim was sent back. 1 passage is accepted."
        chinese = "此說法已退回。1 個段落已接納。"
        for tag, told in (("en", english), ("zh-Hant", chinese)):
            page = reviewer.get(f"/claims/{submitted['id']}", ui=tag)
            assert page.only("//article/p[@class='notice']") == told
        path = f"/v1/evidence/{submitted['evidence'][0]['id']}"
        api(f"/v1/claims/{submitted['id']}", {"status": "submitted"}, "PATCH")
        api(f"/v1/claims/{submitted['id']}", {"status": "accepted"}, "PATCH")
        assert api(path)["status"] == "draft"
        page = reviewer.get(f"/claims/{submitted['id']}", ui="en")
        assert page.only("//article/p[@class='notice']") == (
            "The claim is accepted. 1 passage was sent back."
        )

    def test_pasted_text_is_refused_and_not_cut(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document
    ) -> None:
        action = f"/review/claims/{submitted['id']}"
        page = reviewer.get("/review", item=submitted["id"])
        assert not page.tree.xpath("//main//@maxlength")
        refused = reviewer.send(page, action, decision="send_back", review_note="x" * 2001)
        assert "at most 2000 characters" in refused.only("//*[@id='review_note-fault']")
        reviewer.send(page, action, decision="send_back", review_note="Which institute?")
        author = _author(app, make_key)
        page = author.get("/my-work")
        assert not page.tree.xpath("//main//@maxlength")
        refused = author.send(page, f"/my-work/claims/{submitted['id']}", text="x" * 4001)
        assert "at most 4000 characters" in refused.only("//*[@id='problems']//li")
        assert refused.only("//textarea[@id='text']") == "x" * 4001

    def test_the_sources_of_a_key_are_listed_with_the_states_of_their_passages(
        self, app: Flask, make_key: MakeKey, write: Write, submitted: Document
    ) -> None:
        def added(title: str, label: str = "writer") -> Document:
            return write(label, "/v1/sources", {"csl_type": "report", "title": title})

        added("Somebody else's report", "other")
        report, copy, kept = added("A report"), added("Its copy"), added("Another report")
        # What others do to it afterwards makes it no less a source of the key.
        write("other", f"/v1/sources/{report['id']}", {"rights": "CC0"}, "PATCH")
        passage = {"source_id": report["id"], "claim_id": submitted["id"], "stance": "asserts"}
        for place, status in (("1", "draft"), ("2", "submitted"), ("3", "submitted")):
            write("writer", "/v1/evidence", {**passage, "page": place, "status": status})
        write("other", f"/v1/sources/{copy['id']}/merge", {"into_id": report["id"]})
        write(
            "writer", f"/v1/sources/{kept['id']}", {"retracted_at": "2026-01-01T00:00:00Z"}, "PATCH"
        )
        page = _author(app, make_key).get("/my-work")
        states = dict(
            zip(page.texts(f"{_OWN_SOURCES}[1]"), page.texts(f"{_OWN_SOURCES}[3]"), strict=True)
        )
        assert states == {
            "Another report": "It was retracted. No passages yet. Add a passage",
            "Its copy": "It was merged into A report",
            "A report": (
                "1 passage is a draft. 2 passages are waiting for review."
                " Add another passage from this source"
            ),
        }
        assert f"/add?source={report['id']}" in page.links

    def test_what_was_sent_back_is_corrected_and_submitted_again(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        _decide(reviewer, submitted, decision="send_back", review_note="Which institute?")
        author = _author(app, make_key)
        action = f"/my-work/claims/{submitted['id']}"
        empty = author.send(author.get("/my-work"), action, text=" ")
        assert empty.status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert "Enter the claim." in empty.text
        typed, other = "It is the third institute.", "The institute is another one."
        api(f"/v1/claims/{submitted['id']}", {"statement": other}, "PATCH")
        stale = author.send(empty, action, text=typed)
        assert stale.status == HTTPStatus.PRECONDITION_FAILED
        cells = stale.texts("//section[@aria-labelledby='both']//tbody/tr/td")
        assert {STATEMENT, other} <= {*cells}
        assert stale.only("//details[@open]//textarea[@id='text']") == typed
        with writing(app.extensions["hksz_database"]) as session:
            run(session, "DELETE FROM sessions")
        ended = author.send(stale, action)
        assert ended.status == HTTPStatus.UNAUTHORIZED
        assert ended.tree.xpath("//*[@id='problems']//*[@form='sent']/@name") == ["key"]
        assert ended.tree.xpath("//form[@id='sent']/@action") == [action]
        assert _way_back(ended) == "/my-work"
        assert ended.tree.xpath("//form[@id='sent']//input[@name='alike']/@value") == ["yes"]
        again = author.send(ended, action, key=make_key("another", Scope.CLAIMS_WRITE))
        done = author.get(again.headers["Location"])
        assert done.only("//p[@role='status']") == "Submitted again: it waits for review."
        read = _read(api, submitted)
        assert (read["status"], read["statement"]) == ("submitted", typed)

    def test_the_figure_and_the_time_are_corrected(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        _decide(reviewer, submitted, decision="send_back", review_note="It says more than 47,000.")
        author = _author(app, make_key)
        action = f"/my-work/claims/{submitted['id']}"
        figure = f"figure-{submitted['figures'][0]['id']}"
        page = author.get("/my-work")
        assert page.tree.xpath(f"//form//input[@name='{figure}']/@value") == [
            "exactly 45,120 applications"
        ]
        author.send(page, action, **{figure: "over 47,000", "time_edtf": "January 2023"})
        read = _read(api, submitted)
        (corrected,) = read["figures"]
        said = (corrected["as_stated"], corrected["comparator"], corrected["amount"])
        assert said == ("over 47,000", "gt", "47000")
        assert (corrected["exact"], corrected["unit_code"]) == (
            False,
            submitted["figures"][0]["unit_code"],
        )
        assert (read["time"]["edtf"], read["status"]) == ("2023-01", "submitted")

    def test_a_figure_that_cannot_be_read_changes_nothing(
        self, app: Flask, make_key: MakeKey, reviewer: Browser, submitted: Document, api: Api
    ) -> None:
        _decide(reviewer, submitted, decision="send_back", review_note="Which institute?")
        before = _read(api, submitted)
        author = _author(app, make_key)
        action = f"/my-work/claims/{submitted['id']}"
        figure = f"figure-{submitted['figures'][0]['id']}"
        refused = author.send(
            author.get("/my-work"), action, text="It is another.", **{figure: "quite a lot"}
        )
        assert refused.status == HTTPStatus.UNPROCESSABLE_ENTITY
        assert refused.only(f"//*[@id='{figure}-fault']")
        assert refused.tree.xpath("//*[@id='problems']//li/a/@href") == [f"#{figure}"]
        assert refused.tree.xpath(f"//input[@id='{figure}']/@value") == ["quite a lot"]
        assert _read(api, submitted) == before

    def test_a_passage_that_was_sent_back_is_submitted_again(
        self, app: Flask, make_key: MakeKey, submitted: Document, api: Api
    ) -> None:
        (passage, *_) = api(f"/v1/claims/{submitted['id']}/evidence")["data"]
        path = f"/v1/evidence/{passage['id']}"
        api(path, {"status": "draft", "review_note": "Which page?"}, "PATCH")
        author = _author(app, make_key)
        page = author.get("/my-work")
        assert "Which page?" in page.only("//section[@aria-labelledby='drafts']//tbody/tr")
        answer = author.send(page, f"/my-work/evidence/{passage['id']}", text="It is on page 4.")
        assert answer.status == HTTPStatus.SEE_OTHER
        read = api(path)
        assert (read["status"], read["note"]) == ("submitted", "It is on page 4.")

    @pytest.mark.parametrize(
        ("where", "tab"),
        [("claims", "claims"), ("evidence", "passages"), ("merge", "duplicates")],
    )
    def test_the_address_of_a_decision_leads_to_its_entry(
        self, browser: Browser, where: str, tab: str
    ) -> None:
        led = browser.get(f"/review/{where}/{UNKNOWN}")
        assert led.headers["Location"] == f"/review?tab={tab}&item={UNKNOWN}"
