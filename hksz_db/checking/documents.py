"""The document of a checked text."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any
from uuid import UUID

from hksz_db.checking.check import AlikeClaim, Checked, CheckedFigure, CheckedSentence
from hksz_db.checking.sentences import Span
from hksz_db.domain.vocabulary import Finding, NothingFound

_REASONS = {
    NothingFound.DENIED: "The sentence denies or asks something, which is not compared.",
    NothingFound.NO_SUBJECT: "The sentence names no known entity.",
    NothingFound.NO_METRIC: (
        "The sentence does not have the words of a metric that is known of what it names."
    ),
    NothingFound.AMBIGUOUS: "The words of several metrics fit equally well.",
    NothingFound.A_PART: "The figure is about some of those that the sentence names.",
    NothingFound.OTHER_WORDS: "Other words of the sentence may narrow what is counted.",
    NothingFound.NOTHING_KNOWN: "No figure of such a metric is known of what the sentence names.",
    NothingFound.NOT_COMPARED: (
        "No known figure of this metric and subject is about the same time and part."
    ),
}
_NOTHING = "The sentence states no figure, and no known claim says the same in its words."
_CLAIM = ("id", "external_id", "statement", "status")


def document_of(checked: Checked) -> dict[str, Any]:
    """The document of a checked text, as ``CheckSchema`` describes it."""
    counts = Counter(sentence.finding for sentence in checked.sentences)
    return {
        "data": [_Document(checked).sentence(each) for each in checked.sentences],
        "meta": {
            "char_length": checked.char_length,
            "published_edtf": None if checked.published is None else checked.published.edtf,
            "sentences": {"count": len(checked.sentences), "all": checked.all_sentences},
            "names": {"count": len(checked.known.names), "all": checked.known.all_names},
            "findings": {finding: counts[finding] for finding in Finding},
        },
    }


def why(sentence: CheckedSentence) -> str:
    """One sentence that says why a finding was made."""
    finding = sentence.finding
    if finding is Finding.REPEATS:
        return _why_repeated(
            next(each for each in sentence.claims if each.is_quoted or each.likely_same)
        )
    for figure in sentence.figures:
        if figure.finding is finding and finding is not Finding.NOT_KNOWN:
            return why_of_figure(figure)
    if sentence.figures:
        return why_of_figure(sentence.figures[0])
    return _NOTHING


def why_of_figure(figure: CheckedFigure) -> str:
    """One sentence that says why something was found about a figure, or why not."""
    if figure.reason is not None:
        return _REASONS[figure.reason]
    return str(figure.comparisons[0].explanation)


def _why_repeated(claim: AlikeClaim) -> str:
    if claim.is_quoted:
        return "The sentence has the words of a passage by which a known claim rests on a source."
    numbers = {"same": "the same numbers", "none": "no numbers"}.get(
        claim.numbers, "figures that agree"
    )
    return (
        f"A known claim says so with {numbers}, and one of the two has all words of the other:"
        f" the similarity is {claim.similarity:.2f}."
    )


class _Document:
    def __init__(self, checked: Checked) -> None:
        self._checked = checked

    def sentence(self, sentence: CheckedSentence) -> dict[str, Any]:
        read = sentence.read
        return {
            **_place(read.span),
            "finding": sentence.finding,
            "why": why(sentence),
            "entities": [
                {**_place(each.span), "entities": [*self._entities(each.entity_ids)]}
                for each in read.mentions
            ],
            "times": [
                {**_place(each.span), "edtf": each.period.edtf, "until": each.until}
                for each in read.times
            ],
            "figures": [self._figure(sentence, each) for each in sentence.figures],
            "claims": [_claim(each) for each in sentence.claims],
        }

    def _figure(self, sentence: CheckedSentence, figure: CheckedFigure) -> dict[str, Any]:
        stated, found = figure.found.stated, figure.identification.found
        period = figure.period
        return {
            **_place(figure.found.span),
            "as_read": figure.found.printed,
            "comparator": stated.comparator,
            "amount": _decimal(stated.amount),
            "lower_bound": _decimal(stated.lower_bound),
            "upper_bound": _decimal(stated.upper_bound),
            "unit_code": found.ranged.unit_code if found else stated.unit_code,
            "finding": figure.finding,
            "reason": figure.reason,
            "why": why_of_figure(figure),
            "metric": self._metric(found.metric.id) if found else None,
            "subject": self._checked.entities.get(found.subject_id) if found else None,
            "identified_by": ("claim" if found.by_claim else "words") if found else None,
            "breakdown": found.part if found else None,
            "modality": sentence.read.modality,
            "period": None
            if period is None
            else {
                "edtf": period.edtf,
                "earliest": _day(period.earliest),
                "latest": _day(period.latest),
            },
            "comparisons": [
                {"verdict": each.verdict, "explanation": each.explanation, "other": each.other}
                for each in figure.comparisons
            ],
            "not_compared": [
                {"reason": reason, "count": count} for reason, count in figure.not_compared.items()
            ],
            "candidates": [
                {"metric": self._metric(metric), "subject": self._checked.entities.get(subject)}
                for metric, subject in figure.identification.candidates
                if found is None and subject in self._checked.entities
            ],
        }

    def _metric(self, id: UUID) -> dict[str, Any] | None:
        metric = self._checked.known.metrics.get(id)
        if metric is None:
            return None
        return {
            "id": str(id),
            "external_id": metric.external_id,
            "key": metric.key,
            "label": metric.label,
        }

    def _entities(self, ids: Sequence[UUID]) -> Iterator[Mapping[str, Any]]:
        # One may have been deleted meanwhile.
        return (self._checked.entities[id] for id in ids if id in self._checked.entities)


def _place(span: Span) -> dict[str, Any]:
    return {"start": span.start, "end": span.end}


def _decimal(number: Decimal | None) -> str | None:
    return None if number is None else format(number, "f")


def _day(day: object) -> str | None:
    return None if day is None else str(day)


def _claim(each: AlikeClaim) -> dict[str, Any]:
    return {
        "claim": {name: each.claim[name] for name in _CLAIM},
        "verdict": each.claim["verdict"],
        "similarity": f"{each.similarity:.2f}",
        "words": each.words,
        "numbers": each.numbers,
        "figures": each.figures,
        "period": each.period,
        "likely_same": each.likely_same,
        "quoted": each.is_quoted,
    }
