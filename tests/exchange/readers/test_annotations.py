"""Annotations of the W3C model, and exports of Hypothesis."""

import json
import re
from typing import Any

import pytest

from hksz_db.domain.locators import LOCATOR, LOOSE_LOCATOR, locate, normalise
from hksz_db.exchange.readers import annotations
from hksz_db.exchange.readers.entries import ImportEntry

TEXT = (
    "The scheme was opened in December and takes three months on average.  By the end of\n"
    "2023 it had approved 47,000 applications, most of them from the mainland, says the board."
)
EXACT = "approved 47,000 applications"
START = TEXT.index(EXACT)
QUOTE = {
    "type": "TextQuoteSelector",
    "exact": EXACT,
    "prefix": TEXT[START - 32 : START],
    "suffix": TEXT[START + len(EXACT) :][:32],
}
POSITION = {"type": "TextPositionSelector", "start": START, "end": START + len(EXACT)}
PAGE = "https://news.example/scheme"
UUID = "01a21b04-4afb-774a-842b-71ec8ee1424d"

# A row of an answer of the API of Hypothesis.
ROW: dict[str, Any] = {
    "id": "kLm3-XyZ_w0",
    "created": "2024-03-01T10:00:00.000000+00:00",
    "user": "acct:someone@annotations.example",
    "uri": PAGE,
    "text": "The board's own number.",
    "tags": ["claim:hksz:ttps-approved-2023", "stance:supports"],
    "group": "__world__",
    "permissions": {"read": ["group:__world__"]},
    "target": [{"source": PAGE, "selector": [{"type": "RangeSelector"}, POSITION, QUOTE]}],
    "document": {"title": ["A scheme and its numbers"]},
    "user_info": {"display_name": "Someone"},
}
ANNOTATION: dict[str, Any] = {
    "@context": "http://www.w3.org/ns/anno.jsonld",
    "id": "https://annotations.example/1",
    "type": "Annotation",
    "creator": {"id": "https://people.example/1", "name": "Someone"},
    "body": [
        {"type": "TextualBody", "purpose": "tagging", "value": "claim:hksz:ttps-approved-2023"},
        {"type": "TextualBody", "purpose": "tagging", "value": "stance:supports"},
        {"type": "TextualBody", "purpose": "commenting", "value": "The board's own number."},
    ],
    "target": {
        "source": {"id": PAGE, "dcterms:title": "A scheme and its numbers"},
        "selector": {**POSITION, "refinedBy": QUOTE},
    },
}
BARE = {name: value for name, value in ANNOTATION.items() if name != "@context"}


def read(document: Any, **constants: str) -> list[ImportEntry]:
    return list(annotations.read(json.dumps(document), "web-annotation", constants))


def items(document: Any, resource: str = "evidence", **constants: str) -> list[Any]:
    found = read(document, **constants)
    return [entry.item or {} for entry in found if entry.resource == resource]


def faults(document: Any) -> list[str]:
    return [f"{f.pointer} {f.detail}" for entry in read(document) for f in entry.faults]


def warnings(document: Any) -> list[str]:
    return [warning for entry in read(document) for warning in entry.warnings]


@pytest.mark.parametrize("document", [ROW, ANNOTATION])
def test_an_annotation_becomes_evidence_with_a_locator(document: Any) -> None:
    (source,) = items(document, "sources")
    (evidence,) = items(document)
    located = vars(locate(normalise(TEXT), EXACT))
    assert source == {
        "external_id": source["external_id"],
        "csl_type": "webpage",
        "title": "A scheme and its numbers",
        "title_supplied": False,
        "url": PAGE,
    }
    # The page counts its white space, and the normal form does not.
    assert evidence == {
        "external_id": evidence["external_id"],
        "claim_external_id": "hksz:ttps-approved-2023",
        "source_external_id": source["external_id"],
        "stance": "supports",
        "note": "The board's own number.",
        **located,
        "start_char": located["start_char"] + 1,
        "end_char": located["end_char"] + 1,
        "prefix_sha256": evidence["prefix_sha256"],
    }
    assert warnings(document) == []


@pytest.mark.parametrize("document", [ROW, ANNOTATION])
def test_neither_the_quote_nor_the_annotator_is_kept(document: Any) -> None:
    kept = repr(read(document)).lower()
    for text in (EXACT, "december", "mainland", "someone", "people.example", "created"):
        assert text not in kept


@pytest.mark.parametrize(
    "document",
    [
        [ANNOTATION],
        {"@context": ["http://www.w3.org/ns/anno.jsonld"], "@graph": [BARE]},
        {**BARE, "@id": BARE["id"], "@type": "oa:Annotation"},
        {"type": "AnnotationPage", "items": [BARE], "partOf": "https://annotations.example/"},
        {"type": ["AnnotationCollection"], "total": 1, "first": {"items": [BARE]}},
        {**ANNOTATION, "target": [ANNOTATION["target"]]},
        {
            **ANNOTATION,
            "target": {**ANNOTATION["target"], "selector": [QUOTE, POSITION]},
        },
    ],
)
def test_every_shape_of_an_annotation_is_read_alike(document: Any) -> None:
    assert items(document) == items(ANNOTATION)
    assert items(document, "sources") == items(ANNOTATION, "sources")


@pytest.mark.parametrize(
    "document",
    [
        {"total": 1, "rows": [ROW]},
        {"export_date": "2024-03-02", "client_version": "1.0", "annotations": [ROW]},
        [ROW],
    ],
)
def test_every_export_of_hypothesis_is_read_alike(document: Any) -> None:
    assert items(document) == items(ROW)


@pytest.mark.parametrize(
    ("body", "claims"),
    [
        (f"urn:uuid:{UUID}", [{"claim_id": UUID}]),
        ({"id": f"https://claims.example/v1/claims/{UUID}"}, [{"claim_id": UUID}]),
        (
            {"type": "SpecificResource", "purpose": "linking", "source": f"urn:uuid:{UUID}"},
            [{"claim_id": UUID}],
        ),
        (
            [
                {"purpose": "tagging", "value": "claim:a:one"},
                {"purpose": "tagging", "value": "claim:a:two"},
                f"urn:uuid:{UUID}",
            ],
            [{"claim_external_id": "a:one"}, {"claim_external_id": "a:two"}],
        ),
    ],
)
def test_an_annotation_names_its_claims(body: Any, claims: list[dict[str, str]]) -> None:
    found = items({**ANNOTATION, "body": body})
    references = ("claim_id", "claim_external_id")
    assert [{k: v for k, v in each.items() if k in references} for each in found] == claims
    assert len({each["external_id"] for each in found}) == len(claims)
    assert {each["stance"] for each in found} == {"mentions"}


def test_claim_and_stance_can_be_set() -> None:
    row = {**ROW, "tags": ["numbers"]}
    (evidence,) = items(row, claim_external_id="a:one", stance="disputes")
    assert (evidence["claim_external_id"], evidence["stance"]) == ("a:one", "disputes")
    (own,) = items(ROW, claim_external_id="a:one", stance="disputes")
    assert (own["claim_external_id"], own["stance"]) == ("hksz:ttps-approved-2023", "supports")


def test_tags_are_read_in_any_case() -> None:
    row = {**ROW, "tags": ["Claim: hksz:ttps-approved-2023", " STANCE:Disputes"]}
    (evidence,) = items(row)
    assert evidence["claim_external_id"] == "hksz:ttps-approved-2023"
    assert evidence["stance"] == "disputes"


def test_several_stances_are_only_a_mention() -> None:
    row = {**ROW, "tags": [*ROW["tags"], "stance:disputes", "stance:supports"]}
    assert [evidence["stance"] for evidence in items(row)] == ["mentions"]
    assert warnings(row) == ["several stances, so only a mention: supports, disputes"]


def targeted(*selectors: Any, **others: Any) -> dict[str, Any]:
    return {**ROW, "target": [{"source": PAGE, "selector": list(selectors)}], **others}


def test_white_space_of_the_page_makes_no_difference_to_the_hashes() -> None:
    quote = {
        "type": "TextQuoteSelector",
        "exact": " approved\n 47,000\tapplications ",
        "prefix": "\n  three months on average.  By the end of\n2023 it had",
        "suffix": "most of them\n\n from the mainland, says the board.",
    }
    (evidence,) = items(targeted(quote, POSITION))
    text = (
        " three months on average. By the end of 2023 it had approved 47,000 applications"
        " most of them from the mainland, says the board."
    )
    located = vars(locate(text, EXACT))
    assert {name: evidence[name] for name in LOCATOR[2:]} == {
        name: located[name] for name in LOCATOR[2:]
    }
    assert evidence["end_char"] - evidence["start_char"] == len(EXACT)
    assert "position and quote differ in length" in warnings(targeted(quote, POSITION))[0]


def test_at_the_beginning_of_a_text_there_is_nothing_before() -> None:
    quote = {"type": "TextQuoteSelector", "exact": "The scheme", "prefix": "\n ", "suffix": " was"}
    position = {"type": "TextPositionSelector", "start": 2, "end": 12}
    (evidence,) = items(targeted(quote, position))
    assert evidence["prefix_sha256"] == locate(normalise(TEXT), "The scheme").prefix_sha256


@pytest.mark.parametrize(
    ("selectors", "warning"),
    [
        ([QUOTE], "no locator: the annotation has no position of the passage"),
        ([POSITION], "no locator: the annotation has no quote of the passage"),
        ([{**QUOTE, "prefix": "had ", "suffix": ","}, POSITION], "too little around them"),
        ([{**QUOTE, "exact": " "}, POSITION], "the quote has no words"),
        ([{**QUOTE, "exact": 7}, {**POSITION, "start": "x"}], "no position of the passage"),
        ([QUOTE, {**POSITION, "start": 2**40}], "no position of the passage"),
    ],
)
def test_evidence_without_a_whole_locator_has_none(selectors: list[Any], warning: str) -> None:
    (evidence,) = items(targeted(*selectors))
    assert not evidence.keys() & {*LOCATOR, *LOOSE_LOCATOR}
    assert any(warning in each for each in warnings(targeted(*selectors)))


@pytest.mark.parametrize(
    ("selector", "page"),
    [
        ({"type": "PageSelector", "index": 2, "label": "iii"}, "iii"),
        ({"type": "FragmentSelector", "value": "page=12&zoom=50"}, "12"),
        ({"type": "FragmentSelector", "value": "xywh=1,2,3,4"}, None),
    ],
)
def test_the_page_is_kept(selector: dict[str, Any], page: str | None) -> None:
    (evidence,) = items(targeted(selector))
    assert evidence.get("page") == page


def test_words_in_the_address_are_not_kept() -> None:
    address = f"{PAGE}#:~:text=approved,applications"
    (source,) = items({**ROW, "target": [{"source": address}]}, "sources")
    assert source["url"] == PAGE


def test_a_note_on_a_whole_page_has_no_passage() -> None:
    (evidence,) = items({**ROW, "target": [{"source": PAGE}]})
    assert "exact_sha256" not in evidence
    assert warnings({**ROW, "target": [{"source": PAGE}]}) == []


@pytest.mark.parametrize(
    "address",
    [
        "file:///Users/jane.doe/Desktop/leak.pdf",
        "FILE:///C:/Users/jane.doe/leak.pdf",
        "/home/jane.doe/leak.pdf",
        "urn:x-pdf:0123456789abcdef",
    ],
)
def test_the_address_of_a_file_that_is_not_on_the_web_is_not_kept(address: str) -> None:
    row = {**ROW, "uri": address, "target": [{"source": address}]}
    (source,) = items(row, "sources")
    (evidence,) = items(row)
    assert re.fullmatch("web-annotation:page-[0-9a-f]{24}", source["external_id"])
    assert evidence["source_external_id"] == source["external_id"]
    assert (source["title"], "url" in source) == ("A scheme and its numbers", False)
    assert not re.search("jane|leak|x-pdf", repr(read(row)))
    (other,) = items({**row, "target": [{"source": f"{address}2"}]}, "sources")
    assert other["external_id"] != source["external_id"]


@pytest.mark.parametrize("document", [{}, {"title": ["file:///home/jane.doe/leak.pdf"]}])
def test_the_path_of_a_file_is_no_title(document: dict[str, Any]) -> None:
    address = "file:///home/jane.doe/leak.pdf"
    row = {**ROW, "uri": address, "target": [{"source": address}], "document": document}
    (source,) = items(row, "sources")
    assert (source["title"], source["title_supplied"]) == ("[Untitled webpage]", True)


def test_other_tags_and_long_comments_are_named() -> None:
    row = {**ROW, "tags": [*ROW["tags"], "numbers"], "text": "x" * 3000}
    (evidence,) = items(row)
    assert len(evidence["note"]) == 2000
    assert warnings(row) == [
        "only the first 2000 characters of the comment are kept",
        "not kept: numbers",
    ]


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"rows": [{**ROW, "tags": []}]}, "#/rows/0 It names no claim: give it the tag claim:"),
        ({"rows": [3]}, "#/rows/0 Must be an annotation with a target."),
        ({"rows": [ROW, None]}, "#/rows/1 Must be an annotation with a target."),
        ({"annotations": [False, ROW]}, "#/annotations/0 Must be an annotation with a target."),
        ({"@graph": [BARE, ""]}, "#/@graph/1 Must be an annotation with a target."),
        ([ANNOTATION, {}], "#/1 Must be an annotation with a target."),
        ([None, ANNOTATION], "#/0 Must be an annotation with a target."),
        ([{"id": "https://annotations.example/2"}], "#/0 Must be an annotation with a target."),
        ({"type": "AnnotationCollection", "first": "https://x"}, "#/first Must be an annotation"),
        ({**ROW, "references": ["abc"]}, "#/references A reply to another annotation"),
        ({"tags": ROW["tags"], "target": [{}]}, "#/target/0 A target needs a source."),
    ],
)
def test_what_is_no_evidence_is_refused(document: Any, fault: str) -> None:
    (found,) = faults(document)
    assert found.startswith(fault)


@pytest.mark.parametrize("document", [[], {}, {"rows": []}, {"@graph": []}])
def test_an_empty_file_has_no_annotations(document: Any) -> None:
    assert read(document) == []
