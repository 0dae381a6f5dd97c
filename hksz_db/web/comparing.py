"""Figures in words: which part they are about, and how two of them compare."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from markupsafe import Markup, escape

from hksz_db.domain.chronology import UNCERTAIN
from hksz_db.domain.vocabulary import ComparisonVerdict, Modality
from hksz_db.queries.document_types import Comparison, Contest, Figure, Range
from hksz_db.web.foreign import noted
from hksz_db.web.plots import Span, span
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import time_in_words

_HYPHEN_IN_WORD = re.compile(r"(?<=[^\W\d_])-(?=[^\W\d_])")
_AHEAD = {Modality.PLANNED, Modality.FORECAST}

# Their reasons say nothing about which of the two comes first.
_ALIKE = {
    ComparisonVerdict.CONTRADICTS,
    ComparisonVerdict.COMPATIBLE,
    ComparisonVerdict.AGREES,
}


class Sentence(NamedTuple):
    """A verdict, and why it follows."""

    verdict: str
    text: Markup


def part_in_words(figure: Figure) -> Markup:
    """What tells a figure from others of its measure and time: part, definition, state."""
    breakdown = figure["breakdown"] or {}
    named = ", ".join(f"{key}: {value}" for key, value in breakdown.items())
    named = _HYPHEN_IN_WORD.sub(" ", named)
    known_at = time_in_words(figure["known_at"]["edtf"]) if "known_at" in figure else ""
    definition, estimate = figure["definition"], figure.get("estimate")
    return escape(gettext(", ")).join(
        text
        for is_said, text in (
            (named, escape(gettext("of these, %(part)s")) % {"part": noted(named)}),
            (definition, escape(gettext("defined as “%(words)s”")) % {"words": noted(definition)}),
            (known_at, gettext("as known in %(time)s", time=known_at)),
            (estimate, term("Estimate", estimate or "")),
        )
        if is_said
    )


def explained(comparison: Comparison) -> Markup:
    """A comparison in one sentence, in the units in which its figures are stated.

    It says why the verdict follows, as ``explanation`` of the API does in English and base units.
    A plan, a forecast or a part of a whole comes first.
    """
    first, second = _in_order(comparison)
    return escape(gettext("%(first)s and %(second)s: %(reason)s")) % {
        "first": _stated(first),
        "second": _stated(second),
        "reason": _reason(comparison["verdict"], first, second),
    }


def explained_together(comparisons: Sequence[Comparison]) -> list[Sentence]:
    """The comparisons of one figure in sentences; those with the same reason share one."""
    groups: dict[tuple[str, str], list[Comparison]] = {}
    for each in comparisons:
        key = each["other"]["id"]
        if each["verdict"] in _ALIKE:
            key = _reason(each["verdict"], *_in_order(each))
        groups.setdefault((each["verdict"], key), []).append(each)
    return [
        Sentence(verdict, explained(group[0]) if len(group) == 1 else _together(group, reason))
        for (verdict, reason), group in groups.items()
    ]


def _together(group: Sequence[Comparison], reason: str) -> Markup:
    others = escape(gettext(", ")).join(
        escape(gettext("“%(words)s”")) % {"words": noted(each["other"]["as_stated"])}
        for each in group
    )
    return escape(gettext("%(figures)s: %(reason)s")) % {"figures": others, "reason": reason}


def contradicted(contest: Contest) -> Markup:
    """Why an accepted claim contests another, of which only the words of the figures are known."""
    return escape(gettext("“%(second)s” there, and “%(first)s” here: %(reason)s")) % {
        "first": noted(contest["figure"]["as_stated"]),
        "second": noted(contest["other"]["as_stated"]),
        "reason": gettext("the ranges have no number in common for the same time."),
    }


def _in_order(comparison: Comparison) -> tuple[Figure, Figure]:
    first, second = comparison["figure"], comparison["other"]
    if _comes_first(comparison["verdict"], second, first):
        return second, first
    return first, second


def _comes_first(verdict: str, one: Figure, other: Figure) -> bool:
    if verdict == ComparisonVerdict.PART_EXCEEDS_WHOLE:
        return _is_below(_allowed(other), _allowed(one))
    return one["modality"] in _AHEAD and other["modality"] == Modality.ACTUAL


def _reason(verdict: str, first: Figure, second: Figure) -> str:
    match verdict:
        case ComparisonVerdict.MET | ComparisonVerdict.CAME_TRUE:
            return gettext("the second lies within the range of the first.")
        case ComparisonVerdict.MISSED | ComparisonVerdict.DID_NOT_COME_TRUE:
            return gettext("the second lies outside the range of the first.")
        case ComparisonVerdict.PART_EXCEEDS_WHOLE:
            return _exceeds(first, second)
        case ComparisonVerdict.CONTRADICTS:
            return gettext("the ranges have no number in common for the same time.")
        case ComparisonVerdict.AGREES:
            return _agrees(first, second)
        case ComparisonVerdict.TENSION:
            return _tension(first, second)
    if _comes_first(verdict, first, second):
        return gettext("both can be true, but it cannot be told from them whether it came about.")
    return gettext("the periods differ, so that both can be true.")


def _exceeds(part: Figure, whole: Figure) -> str:
    if part["breakdown"] != whole["breakdown"]:
        return gettext(
            "the first must be a part of the second, because its breakdown is part of the other’s,"
            " and its range lies wholly above the other’s."
        )
    return gettext(
        "the first must be a part of the second, because its period lies within the other’s, and"
        " its range lies wholly above the other’s."
    )


def _agrees(first: Figure, second: Figure) -> str:
    if _is_undated(first, second):
        return gettext("the ranges overlap, and neither states a time.")
    if _is_simultaneous(first, second):
        return gettext("the ranges overlap for the same time.")
    return gettext("the ranges overlap, and the times are close enough.")


def _tension(first: Figure, second: Figure) -> str:
    is_undated, is_simultaneous = _is_undated(first, second), _is_simultaneous(first, second)
    if not (is_undated or is_simultaneous) or _overlap(_allowed(first), _allowed(second)):
        understood = {
            "first": _in_words(first, first["plausible_range"]),
            "second": _in_words(second, second["plausible_range"]),
        }
        if is_undated:
            return gettext(
                "both can be true, but readers would understand the first as %(first)s and the"
                " second as %(second)s, which have no number in common, and neither states a time.",
                **understood,
            )
        if is_simultaneous:
            return gettext(
                "both can be true, but readers would understand the first as %(first)s and the"
                " second as %(second)s, which have no number in common for the same time.",
                **understood,
            )
        return gettext(
            "readers would understand the first as %(first)s and the second as %(second)s, which"
            " have no number in common, but the value may have changed in between.",
            **understood,
        )
    if is_undated:
        return gettext("the ranges have no number in common, but neither states a time.")
    if any(re.search(UNCERTAIN, each["period"]["edtf"] or "") for each in (first, second)):
        return gettext("the ranges have no number in common, but the times may not be the same.")
    if (first["definition"] or "").lower() != (second["definition"] or "").lower():
        return gettext("the ranges have no number in common, but the definitions differ.")
    return gettext("the ranges have no number in common, but one of them may be a revision.")


def _is_undated(first: Figure, second: Figure) -> bool:
    return first["period"]["edtf"] is None and second["period"]["edtf"] is None


def _is_simultaneous(first: Figure, second: Figure) -> bool:
    days = [(each["period"]["earliest"], each["period"]["latest"]) for each in (first, second)]
    return not _is_undated(first, second) and days[0] == days[1]


def _stated(figure: Figure) -> Markup:
    time = time_in_words(figure["period"]["edtf"]) or gettext("no time stated")
    details = [_in_words(figure, figure["value_range"]), time, part_in_words(figure)]
    return escape(gettext("“%(words)s” (%(details)s)")) % {
        "words": noted(figure["as_stated"]),
        "details": escape(gettext("; ")).join(each for each in details if each),
    }


def _in_words(figure: Figure, range_: Range) -> str:
    unit = unit_in_words(figure["unit_code"])
    words = span(range_, figure["unit_code"]).in_words()
    return f"{words} {unit}" if unit else words


def _allowed(figure: Figure) -> Span:
    return span(figure["value_range"], "1")


def _overlap(one: Span, other: Span) -> bool:
    return not (_is_below(one, other) or _is_below(other, one))


def _is_below(one: Span, other: Span) -> bool:
    if one.upper is None or other.lower is None:
        return False
    if one.upper == other.lower:
        return not (one.has_upper and other.has_lower)
    return one.upper < other.lower
