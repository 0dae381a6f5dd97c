"""The terms of the vocabularies in the words of the page's language."""

from collections.abc import Mapping
from enum import StrEnum

from hksz_db.domain.vocabulary import (
    AmountsFound,
    ClaimEntityRole,
    ClaimRelationKind,
    ClaimStatus,
    ComparisonVerdict,
    CorroborationVerdict,
    Directness,
    EvidenceStatus,
    HistoryOp,
    Interest,
    Modality,
    NotCompared,
    PeriodFound,
    SourceRelationKind,
    Stance,
    Standing,
    Uncounted,
    WordsFound,
)
from hksz_db.web.translating import gettext
from hksz_db.web.translating import marked as _

WORDS: Mapping[type[StrEnum], Mapping[str, str]] = {
    Modality: {
        "actual": _("fact"),
        "planned": _("plan"),
        "forecast": _("forecast"),
        "opinion": _("opinion"),
    },
    ClaimStatus: {
        "draft": _("draft"),
        "submitted": _("submitted, not reviewed"),
        "accepted": _("accepted"),
        "rejected": _("rejected"),
        "retracted": _("retracted"),
    },
    EvidenceStatus: {
        "draft": _("draft"),
        "submitted": _("submitted, not reviewed"),
        "accepted": _("accepted"),
        "rejected": _("rejected"),
    },
    ClaimEntityRole: {
        "subject": _("subject"),
        "object": _("object"),
        "location": _("place"),
        "speaker": _("speaker"),
        "partner": _("partner"),
        "beneficiary": _("beneficiary"),
        "audience": _("audience"),
        "occasion": _("occasion"),
    },
    ClaimRelationKind: {
        "contradicts": _("contradicts"),
        "supersedes": _("replaces"),
        "duplicate_of": _("is a duplicate of"),
        "refines": _("says more exactly"),
        "part_of": _("is part of"),
        "denies": _("denies"),
        "about": _("is about the claim"),
        "corrects": _("corrects"),
    },
    Stance: {
        "asserts": _("asserts"),
        "supports": _("supports"),
        "disputes": _("disputes"),
        "mentions": _("mentions"),
    },
    Directness: {"primary": _("first-hand"), "secondary": _("second-hand")},
    Interest: {"self": _("on its own behalf"), "third_party": _("about others")},
    Standing: {
        "own": _("the claimant’s own voice"),
        "party": _("a party’s voice"),
        "independent": _("an independent voice"),
    },
    Uncounted: {
        "rejected": _("rejected in review: counted nowhere"),
        "mentions": _("a mention: counted nowhere"),
        "pending": _("waits for review: not counted yet"),
        "retracted": _("its source was retracted: not counted"),
        "before_event": _("said before the time of the claim: not counted"),
        "both_sides": _("its origins are on both sides: not counted"),
        "cites_counted": _("rests on a source that counts: adds no origin"),
        "same_voice": _("the same voice counts already: adds no origin"),
        "secondary": _("another second-hand report counts already: adds no origin"),
    },
    SourceRelationKind: {
        "copy_of": _("copy of"),
        "syndicated_from": _("syndicated from"),
        "translation_of": _("translation of"),
        "rewrite_of": _("rewrite of"),
        "quotes": _("quotes"),
        "cites": _("cites"),
        "based_on": _("based on"),
        "version_of": _("version of"),
        "corrects": _("corrects"),
        "retracts": _("retracts"),
        "replies_to": _("replies to"),
        "part_of": _("part of"),
    },
    CorroborationVerdict: {
        "unsupported": _("unsupported"),
        "single_origin": _("single origin"),
        "confirmed_by_party": _("confirmed by a party"),
        "corroborated": _("corroborated"),
        "shared": _("shared"),
        "disputed": _("disputed"),
        "refuted": _("refuted"),
    },
    ComparisonVerdict: {
        "contradicts": _("contradicts"),
        "part_exceeds_whole": _("part exceeds whole"),
        "tension": _("in tension"),
        "missed": _("plan missed"),
        "did_not_come_true": _("did not come true"),
        "compatible": _("compatible"),
        "met": _("plan met"),
        "came_true": _("came true"),
        "agrees": _("agrees"),
    },
    NotCompared: {
        "superseded": _("one of the two claims replaces the other"),
        "not_reviewed": _("a claim is still a draft"),
        "no_evidence": _("all sources of a claim were retracted"),
        "other_currency": _("they are in other currencies, which are not converted"),
        "other_breakdown": _("they are about other parts of the whole"),
        "no_period": _("only one of the two states a time"),
        "other_time": _("their times are too far apart"),
    },
    WordsFound: {
        "same": _("same"),
        "reordered": _("in another order"),
        "contained": _("contained"),
        "different": _("different"),
    },
    AmountsFound: {"same": _("same"), "different": _("different"), "none": _("none")},
    PeriodFound: {
        "same": _("same"),
        "overlaps": _("overlaps"),
        "different": _("different"),
        "unknown": _("unknown"),
    },
    HistoryOp: {
        "begin": _("history began"),
        "create": _("made"),
        "update": _("changed"),
        "delete": _("deleted"),
        "restore": _("restored"),
        "merge": _("merged into another"),
        "unmerge": _("merge undone"),
        "remove": _("removed from the database"),
    },
}
_BY_NAME = {vocabulary.__name__: words for vocabulary, words in WORDS.items()}


def term(vocabulary: str, value: str) -> str:
    """A term of the named vocabulary in words; a value that is none of its terms stays."""
    words = _BY_NAME[vocabulary].get(value)
    return value.replace("_", " ") if words is None else gettext(words)
