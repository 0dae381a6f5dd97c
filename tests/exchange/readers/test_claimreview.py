"""Fact checks, in the shapes in which sites and the Fact Check Tools API publish them."""

import json
from typing import Any

import pytest

from hksz_db.exchange.readers import claimreview
from hksz_db.exchange.readers.entries import ImportEntry, Unreadable

NUMBERS = {"ratingValue": 1, "bestRating": 5, "worstRating": 1}
CHECK: dict[str, Any] = {
    "@context": "https://schema.org",
    "@type": "ClaimReview",
    "url": "https://facts.example/ferries",
    "name": "Fact check: ferries",
    "claimReviewed": "All ferries stopped in March.",
    "author": {"@type": "Organization", "name": "Example Facts"},
    "datePublished": "2024-03-05T08:00:00+08:00",
    "inLanguage": "en-HK",
    "reviewRating": {"@type": "Rating", "alternateName": "False", **NUMBERS},
    "itemReviewed": {
        "@type": "Claim",
        "author": {"@type": "Person", "name": "A. Poster"},
        "datePublished": "2024-03-02",
        "appearance": {"@type": "SocialMediaPosting", "url": "https://posts.example/1"},
    },
}


def read(document: Any) -> list[ImportEntry]:
    return list(claimreview.read(json.dumps(document), "claimreview"))


def items(document: Any, resource: str) -> list[Any]:
    return [entry.item or {} for entry in read(document) if entry.resource == resource]


def faults(document: Any) -> list[str]:
    return [f"{f.pointer} {f.detail}" for entry in read(document) for f in entry.faults]


def warnings(document: Any) -> list[str]:
    return [warning for entry in read(document) for warning in entry.warnings]


def test_a_fact_check_becomes_claim_sources_and_evidence() -> None:
    review, post = items(CHECK, "sources")
    (claim,) = items(CHECK, "claims")
    checked, asserted = items(CHECK, "evidence")
    assert review == {
        "external_id": review["external_id"],
        "csl_type": "review",
        "title": "Fact check: ferries",
        "title_supplied": False,
        "url": "https://facts.example/ferries",
        "language": "en-HK",
        "issued_edtf": "2024-03-05",
        "contributors": review["contributors"],
    }
    (credit,) = review["contributors"]
    assert (credit["role"], credit["credited_name"]) == ("author", "Example Facts")
    assert (post["csl_type"], post["url"]) == ("post", "https://posts.example/1")
    assert claim == {
        "external_id": claim["external_id"],
        "statement": "All ferries stopped in March.",
        "language": "en-HK",
        "claimant_as_stated": "A. Poster",
    }
    assert checked == {
        "external_id": checked["external_id"],
        "claim_external_id": claim["external_id"],
        "source_external_id": review["external_id"],
        "stance": "disputes",
        "rating_as_stated": "False (1; worst 1, best 5)",
    }
    assert asserted == {
        "external_id": asserted["external_id"],
        "claim_external_id": claim["external_id"],
        "source_external_id": post["external_id"],
        "stance": "asserts",
        "said_edtf": "2024-03-02",
    }
    assert warnings(CHECK) == ["no title: one was made up"]


ELSEWHERE = {**CHECK, "url": "https://facts.example/trams", "claimReviewed": "Trams are free."}
BARE = {name: value for name, value in CHECK.items() if name != "@context"}


@pytest.mark.parametrize(
    "document",
    [
        [CHECK],
        {"@context": ["https://schema.org", {"og": "https://og.example/"}], "@graph": [BARE]},
        {**CHECK, "@context": {"@vocab": "http://schema.org/"}, "@type": ["ClaimReview", "Review"]},
        {**CHECK, "@type": "http://schema.org/ClaimReview"},
        # A context in which every term has a prefix.
        {
            "@context": {"schema": "http://schema.org/"},
            **{f"schema:{key}" if key[0] != "@" else key: v for key, v in BARE.items()},
            "@type": "schema:ClaimReview",
        },
        {**{f"https://schema.org/{k}": v for k, v in BARE.items() if k[0] != "@"}, **CHECK},
        # Every value as a list, texts as value objects.
        {
            key: [{"@value": value}] if isinstance(value, str) and key[0] != "@" else value
            for key, value in CHECK.items()
        },
        # Nodes of one graph that refer to each other.
        {
            "@context": "https://schema.org",
            "@graph": [
                {"@type": "WebPage", "@id": "#page", "name": "A page"},
                {**BARE, "itemReviewed": {"@id": "#claim"}, "author": {"@id": "#us"}},
                {"@id": "#claim", **CHECK["itemReviewed"]},
                {"@id": "#us", **CHECK["author"]},
            ],
        },
        # In the page that publishes it.
        {"@type": "NewsArticle", "headline": "Ferries", "review": [BARE]},
        # In the claim that it reviews.
        {
            "@type": "Claim",
            **CHECK["itemReviewed"],
            "review": {k: v for k, v in BARE.items() if k != "itemReviewed"},
        },
        # As Data Commons publishes feeds.
        {
            "@type": "DataFeed",
            "dataFeedElement": [{"@type": "DataFeedItem", "url": ["https://x"], "item": [BARE]}],
        },
    ],
)
def test_every_shape_of_a_fact_check_is_read_alike(document: Any) -> None:
    for resource in ("sources", "claims", "evidence"):
        assert items(document, resource) == items(CHECK, resource)


def test_answers_of_the_fact_check_tools_api() -> None:
    answer = {
        "claims": [
            {
                "text": "前海的稅率是零。",
                "claimant": "Chain letter",
                "claimDate": "2024-01-30T00:00:00Z",
                "claimReview": [
                    {
                        "publisher": {"name": "示例查核", "site": "check.example"},
                        "url": "https://check.example/tax",
                        "title": "稅率查核",
                        "reviewDate": "2024-02-01T00:00:00Z",
                        "textualRating": "錯誤",
                        "languageCode": "zh-Hant",
                    },
                    {
                        "publisher": {"site": "facts.example"},
                        "url": "https://facts.example/tax",
                        "textualRating": "Mostly false",
                        "languageCode": "en",
                    },
                ],
            }
        ],
        "nextPageToken": "CAo",
    }
    (claim,) = items(answer, "claims")
    assert claim["statement"] == "前海的稅率是零。"
    assert (claim["language"], claim["claimant_as_stated"]) == ("zh-Hant", "Chain letter")
    first, second = items(answer, "sources")
    assert (first["title"], first["issued_edtf"]) == ("稅率查核", "2024-02-01")
    assert first["contributors"][0]["role"] == "publisher"
    assert second["contributors"][0]["credited_name"] == "facts.example"
    note = "The fact check dates the claim 2024-01-30."
    assert [
        (evidence["stance"], evidence["rating_as_stated"], evidence["note"])
        for evidence in items(answer, "evidence")
    ] == [("disputes", "錯誤", note), ("mentions", "Mostly false", note)]
    assert "rating without a clear stance, only a mention: Mostly false" in warnings(answer)
    assert f"kept as a note of the evidence: {note}" in warnings(answer)


def without(*names: str) -> dict[str, Any]:
    return {name: value for name, value in CHECK.items() if name not in names}


@pytest.mark.parametrize(
    ("rating", "stated", "stance"),
    [
        ({"alternateName": "Mostly false", **NUMBERS, "ratingValue": 2}, None, "mentions"),
        ({"alternateName": ["Wrong"]}, "Wrong", "disputes"),
        ({"ratingValue": "5", "bestRating": "5", "worstRating": "1"}, None, "supports"),
        ({"ratingValue": "Half true"}, "Half true", "mentions"),
        ({"ratingValue": 1.5}, "(1.5)", "mentions"),
        ("False", "False", "disputes"),
        ({"alternateName": "&quot;True&quot;"}, '"True"', "supports"),
        ({"alternateName": "False", "ratingValue": "n/a"}, "False", "disputes"),
    ],
)
def test_the_rating_is_kept_as_stated(rating: Any, stated: str | None, stance: str) -> None:
    (evidence, _) = items({**CHECK, "reviewRating": rating}, "evidence")
    assert evidence["stance"] == stance
    assert evidence["rating_as_stated"] == stated or stated is None


def test_a_fact_check_without_a_rating_only_mentions_the_claim() -> None:
    (evidence, _) = items(without("reviewRating"), "evidence")
    assert evidence["stance"] == "mentions"
    assert "rating_as_stated" not in evidence
    assert "no rating: the source only mentions the claim" in warnings(without("reviewRating"))


def test_a_claim_without_a_claimant_says_so() -> None:
    (claim,) = items(without("itemReviewed", "inLanguage"), "claims")
    assert claim["claimant_as_stated"] == "[not named by the fact check]"
    assert claim["language"] == "und"
    assert items(without("itemReviewed"), "sources")[1:] == []


@pytest.mark.parametrize("name", ["jane@a.example", "Jane Doe <jane.doe+x@mail.a.example>"])
def test_an_address_for_mail_is_kept_nowhere(name: str) -> None:
    reviewed = {"@type": "Claim", "author": name, "creditText": name, "appearance": [name]}
    document = {
        **CHECK,
        "author": {"@type": "Person", "name": name},
        "publisher": name,
        "itemReviewed": reviewed,
    }
    found = read(document)
    assert "a.example" not in repr(found)
    (claim,) = items(document, "claims")
    assert claim["claimant_as_stated"] == claimreview.UNNAMED
    assert "not a name: author" in warnings(document)
    assert any("An appearance needs an address or a name." in fault for fault in faults(document))


def test_an_account_is_a_name() -> None:
    reviewed = {"@type": "Claim", "author": "@poster@posts.example"}
    (claim,) = items({**CHECK, "itemReviewed": reviewed}, "claims")
    assert claim["claimant_as_stated"] == "@poster@posts.example"


def test_the_words_of_the_claim_may_be_in_what_is_reviewed() -> None:
    reviewed = {"@type": "Claim", "text": "All ferries stopped.", "author": "The harbour"}
    (claim,) = items({**without("claimReviewed"), "itemReviewed": reviewed}, "claims")
    assert claim["statement"] == "All ferries stopped."
    assert claim["claimant_as_stated"] == "The harbour"


def test_appearances_become_sources_that_assert_the_claim() -> None:
    appearance = [
        "https://posts.example/2",
        {"@type": "NewsArticle", "headline": "No ferries", "publisher": {"name": "The Daily"}},
        {"@id": "https://posts.example/3"},
        "https://posts.example/2",
    ]
    reviewed = {
        **CHECK["itemReviewed"],
        "firstAppearance": "https://posts.example/0",
        "appearance": appearance,
    }
    document = {**CHECK, "itemReviewed": reviewed}
    _, first, *others = items(document, "sources")
    assert first["url"] == "https://posts.example/0"
    assert [(each["csl_type"], each.get("url"), each["title"]) for each in others] == [
        ("webpage", "https://posts.example/2", "[Untitled webpage, posts.example]"),
        ("article-newspaper", None, "No ferries"),
        ("webpage", "https://posts.example/3", "[Untitled webpage, posts.example]"),
    ]
    _, *asserting = items(document, "evidence")
    assert [each.get("said_edtf") for each in asserting] == ["2024-03-02", None, None, None]
    assert {each["stance"] for each in asserting} == {"asserts"}


def test_a_claim_that_several_records_review_comes_once() -> None:
    other = {**CHECK, "url": "https://other.example/ferries", "name": "Ferries checked"}
    assert len(items([CHECK, other], "claims")) == 1
    assert len(items([CHECK, other], "sources")) == 3
    assert len(items([CHECK, other], "evidence")) == 4
    again = {**ELSEWHERE, "url": CHECK["url"], "name": "Another title"}
    assert any(
        warning.startswith("record 2 (source at #/1) describes it in another way")
        for warning in warnings([CHECK, again])
    )


def test_rows_come_in_the_order_of_their_references() -> None:
    resources = [entry.resource for entry in read([CHECK, ELSEWHERE])]
    assert resources == sorted(resources, key=["sources", "claims", "evidence"].index)
    assert [entry.place for entry in read([CHECK, ELSEWHERE])][-1] == "record 2 (evidence at #/1)"


def test_ids_do_not_depend_on_the_place_in_the_file() -> None:
    names = {entry.external_id for entry in read([CHECK, ELSEWHERE])}
    assert {entry.external_id for entry in read({"@graph": [ELSEWHERE, CHECK]})} == names
    visited = {**CHECK, "url": "http://www.facts.example/ferries/?utm_source=x#top"}
    assert {entry.external_id for entry in read(visited)} <= names


def test_what_is_not_kept_is_named() -> None:
    document = {
        **CHECK,
        "reviewBody": "No.",
        "image": "https://facts.example/1.png",
        "itemReviewed": [{**CHECK["itemReviewed"], "about": "ferries"}, {"text": "Another claim."}],
        "reviewRating": {"alternateName": "False", "bestRating": "n/a", "ratingExplanation": "No."},
    }
    assert warnings(document) == [
        "not kept: reviewBody",
        "no title: one was made up",
        "not kept: about, itemReviewed, but for the first",
        "not kept of the rating: ratingExplanation, not a number: n/a",
    ]


@pytest.mark.parametrize(
    ("given", "note"),
    [
        ({"appearance": []}, "The fact check dates the claim 2024-03-02."),
        ({"appearance": ["https://a.example/1", "https://a.example/2"]}, "… 2024-03-02."),
        ({"datePublished": "one day"}, "… 'one day'."),
    ],
)
def test_a_date_that_no_appearance_can_have_is_a_note(given: dict[str, Any], note: str) -> None:
    document = {**CHECK, "itemReviewed": {**CHECK["itemReviewed"], **given}}
    note = note.replace("…", "The fact check dates the claim")
    review, *asserting = items(document, "evidence")
    assert review["note"] == note
    assert not any("said_edtf" in each or "note" in each for each in asserting)
    assert f"kept as a note of the evidence: {note}" in warnings(document)


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ([3], "#/0 Must be a ClaimReview, or a claim with its claimReview."),
        ([CHECK, {}], "#/1 Must be a ClaimReview"),
        ([CHECK, {"name": "x"}], "#/1 Must be a ClaimReview"),
        ([CHECK, None], "#/1 Must be a ClaimReview"),
        ([[CHECK, []]], "#/0/1 Must be a ClaimReview"),
        ({"@graph": [None, BARE]}, "#/@graph/0 Must be a ClaimReview"),
        ({"@graph": [BARE, {}]}, "#/@graph/1 Must be a ClaimReview"),
        ({"@graph": [{"@type": "WebPage"}, BARE, True]}, "#/@graph/2 Must be a ClaimReview"),
        ({"claims": [None]}, "#/claims/0 Must be a ClaimReview"),
        ({"claims": [{"text": "A", "claimReview": [None]}]}, "#/claims/0/claimReview/0 Must be"),
        (
            {"@type": "DataFeed", "dataFeedElement": [BARE, None]},
            "#/dataFeedElement/1 Must be a ClaimReview",
        ),
        (
            {"dataFeedElement": [{"@type": "DataFeedItem", "item": [None, BARE]}]},
            "#/dataFeedElement/0/item/0 Must be a ClaimReview",
        ),
        (without("claimReviewed"), "#/claimReviewed A fact check needs the claim."),
        ({**CHECK, "claimReviewed": {"a": 1}}, "#/claimReviewed A fact check needs the claim."),
        ({"@graph": [without("url", "name")]}, "#/@graph/0/url A fact check needs a url or a"),
        ({"claims": [{"text": "A claim."}]}, "#/claims/0 Must be a ClaimReview"),
        ({"claims": [{"text": "A claim.", "claimReview": ["x"]}]}, "#/claims/0/claimReview/0 Must"),
        ({"claims": ["x"]}, "#/claims/0 Must be a ClaimReview"),
        ({"dataFeedElement": [{"item": []}]}, "#/dataFeedElement/0 Must be a ClaimReview"),
        (
            {**CHECK, "itemReviewed": {"appearance": [{"@type": "Thing"}]}},
            "#/itemReviewed/appearance/0 An appearance needs an address or a name.",
        ),
        (
            [
                {**CHECK, "itemReviewed": {"@id": "#c"}},
                {"@id": "#c", "@type": "Claim", "appearance": {"@type": "Thing"}},
            ],
            "#/1/appearance An appearance needs an address or a name.",
        ),
    ],
)
def test_a_record_that_is_no_fact_check_is_refused(document: Any, fault: str) -> None:
    (found,) = faults(document)
    assert found.startswith(fault)


def test_the_same_evidence_twice_is_not_lost() -> None:
    assert len(items([CHECK, CHECK], "evidence")) == 4


@pytest.mark.parametrize("document", [[], {}, {"claims": []}, {"@graph": []}])
def test_an_empty_file_has_no_records(document: Any) -> None:
    assert read(document) == []


@pytest.mark.parametrize(
    "document", [{"@type": "WebPage", "name": "x"}, {"@type": "Claim", "a": 1}]
)
def test_a_file_without_fact_checks_is_refused(document: Any) -> None:
    with pytest.raises(Unreadable, match="no fact checks"):
        read(document)
