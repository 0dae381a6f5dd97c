"""Identifies the metric and the subject of figures, by rules, or says why it cannot."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from hksz_db.checking.doubts import doubt
from hksz_db.checking.figures import FoundFigure, Ranged, as_one_of
from hksz_db.checking.folding import comparable
from hksz_db.checking.known import Known
from hksz_db.checking.measures import Candidate, Metric, Words
from hksz_db.checking.reading import ReadSentence
from hksz_db.checking.sentences import Span
from hksz_db.domain.vocabulary import NothingFound

_CATEGORY = r"\b(?:from|were|are|under|by|aged) (?:the )?{}\b"
Pair = tuple[UUID, UUID]
Part = Mapping[str, str]


@dataclass(frozen=True)
class Measured:
    """What is known of a metric and a subject: the times and the parts of its figures."""

    times: Sequence[str] = ()
    parts: Sequence[Part] = ()


@dataclass(frozen=True)
class Identified:
    """The metric and the subject of a figure, and the part of the whole that it is about.

    ``by_claim``: they are those of a claim that says the same in the same words but for numbers,
    for the time ``period_edtf``.
    """

    metric: Metric
    subject_id: UUID
    ranged: Ranged
    part: Part | None = None
    by_claim: bool = False
    period_edtf: str | None = None


@dataclass(frozen=True)
class Identification:
    """What a figure is about, or the reason why that is not known, with what it may be about."""

    found: Identified | None = None
    reason: NothingFound | None = None
    candidates: Sequence[Pair] = field(default=())


class Identifying:
    """Identifies the figures of a sentence."""

    def __init__(self, known: Known, sentence: ReadSentence, names: Mapping[UUID, str]) -> None:
        self._known = known
        self._sentence = sentence
        self._ranged: dict[tuple[object, ...], Ranged | None] = {}
        # The words of figures may be those of a metric: "received 75,000".
        self._words = Words(
            comparable(sentence.text),
            [sentence.within(time.span) for time in sentence.times],
            {
                sentence.within(mention.span): [
                    names[id] for id in mention.entity_ids if id in names
                ]
                for mention in sentence.mentions
            },
        )

    def pairs(self) -> Iterable[Pair]:
        """The pairs of metric and subject that may be meant."""
        metrics = {
            candidate.metric.id
            for figure in self._sentence.figures
            for candidate, _ in self._candidates(figure, self._words.every)
        }
        return ((metric, subject) for metric in metrics for subject in self._sentence.entity_ids)

    def identify(
        self,
        figure: FoundFigure,
        measured: Mapping[Pair, Measured],
        alike: Sequence[Mapping[str, Any]],
    ) -> Identification:
        """What the figure is about; ``alike`` are the figures of claims in the same words."""
        if self._sentence.is_denied:
            return Identification(reason=NothingFound.DENIED)
        by_claim = self._by_claim(figure, alike)
        if by_claim is not None:
            return Identification(by_claim)
        if not self._sentence.mentions:
            return Identification(reason=NothingFound.NO_SUBJECT)
        span = self._sentence.within(figure.span)
        clause = self._words.clause_of(span)
        for words in (self._words.between(*clause), self._words.every):
            found = self._best(figure, words, measured)
            if found.found is not None or found.reason is NothingFound.AMBIGUOUS:
                break
        return self._doubted(figure, found) if found.found else found

    def _candidates(
        self, figure: FoundFigure, words: frozenset[str]
    ) -> Iterable[tuple[Candidate, Ranged]]:
        if figure.stated.is_change:
            words |= {"growth"}
        for candidate in self._known.measures.candidates(words):
            ranged = self._as_one_of(figure, candidate.metric)
            if ranged is not None:
                yield candidate, ranged

    def _as_one_of(self, figure: FoundFigure, metric: Metric) -> Ranged | None:
        """The figure as one of a metric; several metrics read it in the same way."""
        kind = (figure.span, metric.dimension, metric.measure, metric.nonnegative)
        if kind not in self._ranged:
            self._ranged[kind] = as_one_of(
                figure, metric.dimension, metric.measure, nonnegative=metric.nonnegative
            )
        return self._ranged[kind]

    def _best(
        self, figure: FoundFigure, words: frozenset[str], measured: Mapping[Pair, Measured]
    ) -> Identification:
        possible = [
            (candidate, ranged, subject)
            for candidate, ranged in self._candidates(figure, words)
            for subject in self._sentence.entity_ids
            if (candidate.metric.id, subject) in measured
        ]
        listed = sorted(possible, key=lambda each: each[0].rank, reverse=True)
        candidates = [(candidate.metric.id, subject) for candidate, _, subject in listed[:5]]
        certain = [each for each in listed if each[0].is_identified]
        if not certain:
            is_measured = not candidates and self._is_of_some_metric(figure, words)
            reason = NothingFound.NOTHING_KNOWN if is_measured else NothingFound.NO_METRIC
            return Identification(None, reason, candidates)
        best = [each for each in certain if each[0].rank == certain[0][0].rank]
        if len({candidate.metric.id for candidate, _, _ in best}) > 1:
            return Identification(None, NothingFound.AMBIGUOUS, candidates)
        candidate, ranged, subject = min(
            best, key=lambda each: self._sentence.distance_of(each[2], figure)
        )
        part = self._part(measured[candidate.metric.id, subject].parts)
        return Identification(Identified(candidate.metric, subject, ranged, part), None, candidates)

    def _is_of_some_metric(self, figure: FoundFigure, words: frozenset[str]) -> bool:
        return any(candidate.is_identified for candidate, _ in self._candidates(figure, words))

    def _part(self, parts: Sequence[Part]) -> Part | None:
        """The part of the whole that the sentence names in the words of its categories."""
        form = comparable(self._sentence.text)
        found = [
            part
            for part in parts
            if all(
                re.search(_CATEGORY.format(re.escape(category.replace("-", " "))), form)
                for category in part.values()
            )
        ]
        # "Hong Kong or Macao" has the words of "Hong Kong".
        return max(found, key=lambda part: sum(map(len, part.values())), default=None)

    def _doubted(self, figure: FoundFigure, identification: Identification) -> Identification:
        found = identification.found
        assert found is not None
        reason = doubt(
            self._words,
            self._sentence.within(figure.span),
            self._name_of(found.subject_id, figure),
            found.metric,
            is_known_part=found.part is not None,
        )
        if reason is None:
            return identification
        return Identification(None, reason, identification.candidates)

    def _name_of(self, subject_id: UUID, figure: FoundFigure) -> Span | None:
        """Where the subject is named, before the figure if it is."""
        named = [each.span for each in self._sentence.mentions if subject_id in each.entity_ids]
        before = [span for span in named if span.start < figure.span.start]
        nearest = before[-1:] or named[:1]
        return self._sentence.within(nearest[0]) if nearest else None

    def _by_claim(
        self, figure: FoundFigure, alike: Sequence[Mapping[str, Any]]
    ) -> Identified | None:
        """The figure as that of a claim, if sentence and claim have one such figure each."""
        found: dict[Pair, Identified] = {}
        for each in alike:
            metric = self._known.metrics.get(UUID(each["metric_id"]))
            if metric is None:
                continue
            fitting = [
                (other, ranged)
                for other in self._sentence.figures
                for ranged in [self._as_one_of(other, metric)]
                if ranged is not None
            ]
            if len(fitting) == 1 and fitting[0][0] is figure:
                subject = UUID(each["subject_id"])
                identified = Identified(
                    metric,
                    subject,
                    fitting[0][1],
                    each["breakdown"],
                    by_claim=True,
                    period_edtf=each["period_edtf"],
                )
                found.setdefault((metric.id, subject), identified)
        plain = [each for each in found.values() if each.part is None] or [*found.values()]
        return plain[0] if len(plain) == 1 else None
