"""The recount that the database is checked against follows the rules."""

from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

import pytest

from tests.services.recount import Claim, Counts, Passage, Source, World


def an_id(n: int) -> UUID:
    return UUID(int=n)


BUREAU, PRESS, GROUP, BLOG, LAB, FIRM = map(an_id, range(1, 7))
RELEASE, ARTICLE, PAGE, POST, PAPER, SECOND_PAPER, DATA, OWN_RELEASE = map(an_id, range(11, 19))
CLAIM = Claim(an_id(100), BUREAU, begins=date(2023, 1, 1), subjects=frozenset({FIRM}))
MAKERS = {
    RELEASE: BUREAU,
    ARTICLE: PRESS,
    PAGE: PRESS,
    POST: BLOG,
    PAPER: LAB,
    SECOND_PAPER: GROUP,
    OWN_RELEASE: FIRM,
}


def world(*passages: tuple[UUID, dict[str, Any]], **changes: Any) -> World:
    """A world with these passages; each is a source and what differs from an assertion of it."""
    known = {
        an_id(1000 + n): Passage(
            **{
                "id": an_id(1000 + n),
                "claim": CLAIM.id,
                "source": source,
                "stance": "asserts",
                **fields,
            }
        )
        for n, (source, fields) in enumerate(passages)
    }
    made = frozenset((source, "publisher", maker) for source, maker in MAKERS.items())
    plain = World({id: Source(id) for id in (*MAKERS, DATA)}, {CLAIM.id: CLAIM}, known)
    return replace(plain, **{"contributors": made, **changes})


def relations(*triples: tuple[UUID, str, UUID]) -> frozenset[tuple[UUID, str, UUID]]:
    return frozenset(triples)


CASES = {
    "nothing": (world(), "unsupported"),
    "an article that reports the claimant": (
        world((RELEASE, {}), (ARTICLE, {"attributed_to": BUREAU})),
        "single_origin",
    ),
    "two pages of one publisher": (world((ARTICLE, {}), (PAGE, {})), "single_origin"),
    "a post that cites the article": (
        world((ARTICLE, {}), (POST, {}), source_relations=relations((POST, "cites", ARTICLE))),
        "single_origin",
    ),
    "two papers on one data set": (
        world(
            (PAPER, {}),
            (SECOND_PAPER, {}),
            source_relations=relations((PAPER, "cites", DATA), (SECOND_PAPER, "based_on", DATA)),
        ),
        "single_origin",
    ),
    "the release of the subject": (world((RELEASE, {}), (OWN_RELEASE, {})), "confirmed_by_party"),
    "a release of a party": (
        world((RELEASE, {}), (POST, {"interest": "self"})),
        "confirmed_by_party",
    ),
    "an own report": (world((RELEASE, {}), (PAPER, {})), "corroborated"),
    "two independent reports": (world((ARTICLE, {}), (PAPER, {})), "corroborated"),
    "publishers with one owner": (
        world(
            (ARTICLE, {}),
            (POST, {}),
            entity_relations=relations((PRESS, "owned_by", GROUP), (BLOG, "part_of", GROUP)),
        ),
        "single_origin",
    ),
    "a report from before the event": (
        world(
            (ARTICLE, {}),
            (PAPER, {}),
            sources={
                **{id: Source(id) for id in MAKERS},
                PAPER: Source(PAPER, issued_before=date(2000, 1, 1)),
            },
        ),
        "single_origin",
    ),
    "submitted support": (world((ARTICLE, {}), (PAPER, {"status": "submitted"})), "single_origin"),
    "submitted dispute": (
        world((ARTICLE, {}), (PAPER, {"stance": "disputes", "status": "submitted"})),
        "single_origin",
    ),
    "second-hand passages": (
        world((ARTICLE, {"directness": "secondary"}), (PAPER, {"directness": "secondary"})),
        "single_origin",
    ),
    "an origin on both sides": (
        world((ARTICLE, {}), (ARTICLE, {"stance": "disputes"}), (PAPER, {})),
        "single_origin",
    ),
    "a dispute": (world((ARTICLE, {}), (PAPER, {"stance": "disputes"})), "disputed"),
    "only a dispute": (world((PAPER, {"stance": "disputes"})), "refuted"),
}


@pytest.mark.parametrize(("known", "verdict"), CASES.values(), ids=CASES)
def test_the_verdict_follows_the_rules(known: World, verdict: str) -> None:
    assert known.verdict(CLAIM) == verdict


def test_a_shared_opinion_is_not_corroborated() -> None:
    known = world((ARTICLE, {}), (PAPER, {}))
    assert known.verdict(replace(CLAIM, modality="opinion")) == "shared"


def test_the_report_of_the_reporter_is_the_voice_of_the_claimant() -> None:
    known = world((ARTICLE, {}), (PAPER, {}))
    reported = replace(CLAIM, reporter=PRESS)
    assert known.counts(reported)[0] == Counts(sources=2, own=1, independent=1)


def test_the_smallest_voices_count_first() -> None:
    """The joint report would leave no room for the two that it joins."""
    known = world((SECOND_PAPER, {}), (ARTICLE, {}), (PAPER, {}))
    joint = known.contributors | {(SECOND_PAPER, "author", PRESS), (SECOND_PAPER, "author", LAB)}
    counts = replace(known, contributors=joint).counts(CLAIM)[0]
    assert counts == Counts(sources=3, independent=2)
