"""Checks a text: which known claims its sentences repeat, and where their figures agree or not."""

import json
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import accumulate, takewhile
from typing import Any, NamedTuple
from uuid import UUID

from hksz_db.checking.figures import FoundFigure, numbers_in
from hksz_db.checking.findings import finding_of, most_serious
from hksz_db.checking.identifying import (
    Identification,
    Identified,
    Identifying,
    Measured,
    Pair,
)
from hksz_db.checking.known import Known
from hksz_db.checking.likeness import Bands, Wording
from hksz_db.checking.passages import KnownPassage, Normalised, Quoted, quoted_in
from hksz_db.checking.reading import ReadSentence
from hksz_db.checking.sentences import Span, sentences_of
from hksz_db.checking.times import StatedTime, days_between
from hksz_db.database import Database
from hksz_db.domain.chronology import InvalidDate, Period, parse
from hksz_db.domain.locators import read_decoded
from hksz_db.domain.ranges import Interval
from hksz_db.domain.strict_json import compact
from hksz_db.domain.vocabulary import Accumulation, Finding, Modality, NothingFound
from hksz_db.queries import checks

MOST_SENTENCES = 2_000
"""How many sentences of a text are checked."""
MOST_NUMBERS = 500
"""How many numbers the sentences of a text may have that are checked: reading one takes 3 ms."""
_LEAST_LIKENESS = 0.45
_LIKELY = 0.60
_LASTING = (Accumulation.STOCK, Accumulation.RATIO)
_MOST_COMPARISONS = 10
_MOST_PERIODS = 10
# A statement with more figures could reach the time limit of statements.
_COMPARED_AT_ONCE = 100


class Comparison(NamedTuple):
    """How a figure of the text compares with a known one, or why it does not."""

    verdict: str | None
    explanation: str | None
    reason: str | None
    other: Mapping[str, Any]


@dataclass(frozen=True)
class CheckedFigure:
    """A figure of the text with what it is about and how it compares.

    ``comparisons`` are those that the finding follows from; ``verdicts`` has the verdicts on all
    known figures, by id.
    """

    found: FoundFigure
    identification: Identification
    period: Period | None = None
    comparisons: Sequence[Comparison] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    not_compared: Mapping[str, int] = field(default_factory=dict)
    finding: Finding = Finding.NOT_KNOWN

    @property
    def reason(self) -> NothingFound | None:
        """Why nothing is found about it."""
        if self.finding is not Finding.NOT_KNOWN:
            return None
        return self.identification.reason or NothingFound.NOT_COMPARED


class AlikeClaim(NamedTuple):
    """A claim that looks like a sentence, and the evidence for and against their being the same.

    ``is_quoted``: the sentence has the words of a passage by which the claim rests on a source.
    """

    claim: Mapping[str, Any]
    similarity: float
    words: str
    numbers: str
    figures: str
    period: str
    likely_same: bool
    is_quoted: bool


@dataclass(frozen=True)
class CheckedSentence:
    """A sentence with everything that was found about it."""

    read: ReadSentence
    figures: Sequence[CheckedFigure]
    claims: Sequence[AlikeClaim]

    @property
    def finding(self) -> Finding:
        """What is known about the sentence."""
        repeats = [Finding.REPEATS] * any(
            each.likely_same or each.is_quoted for each in self.claims
        )
        return most_serious([*(figure.finding for figure in self.figures), *repeats])


@dataclass(frozen=True)
class Checked:
    """A text, checked; ``entities`` has those that are named or meant, by id."""

    char_length: int
    published: Period | None
    known: Known
    sentences: Sequence[CheckedSentence]
    all_sentences: bool
    entities: Mapping[UUID, Mapping[str, Any]]


def check_text(
    database: Database,
    known: Known,
    text: str,
    *,
    language: str | None = None,
    published: Period | None = None,
) -> Checked:
    """Check a text that was published then. Nothing of it is stored, or sent in words.

    Raises ``NotText`` if it is empty or has characters that are not allowed.
    """
    read_decoded(text)
    every = [*sentences_of(text, language)]
    spans = every[: _within_limits(text, every)]
    mentions = known.names.find(text, spans)
    read = [
        ReadSentence.of(text, span, named, published)
        for span, named in zip(spans, mentions, strict=True)
    ]
    return _Check(database, known, text, read, published).result(is_all=spans == every)


def _within_limits(text: str, spans: Sequence[Span]) -> int:
    """How many of the sentences are checked."""
    numbers = accumulate(numbers_in(text[slice(*span)]) for span in spans[:MOST_SENTENCES])
    return sum(1 for _ in takewhile(lambda number: number <= MOST_NUMBERS, numbers))


class _Check:
    def __init__(
        self,
        database: Database,
        known: Known,
        text: str,
        sentences: Sequence[ReadSentence],
        published: Period | None,
    ) -> None:
        self._database = database
        self._known = known
        self._text = text
        self._sentences = sentences
        self._published = published
        self._wordings: dict[str, Wording] = {}

    def result(self, *, is_all: bool) -> Checked:
        """Everything that was found."""
        named = {id for sentence in self._sentences for id in sentence.entity_ids}
        entities = self._entities(named)
        names = {id: str(entity["name"]) for id, entity in entities.items()}
        alike = self._alike()
        quoted = self._quoted(alike, named)
        claims = self._claims(alike, quoted)
        identifying = [Identifying(self._known, each, names) for each in self._sentences]
        measured = self._measured(identifying)
        figures = [
            [
                (
                    figure,
                    each.identify(figure, measured, self._figures_alike(sentence, claims, found)),
                )
                for figure in sentence.figures
            ]
            for sentence, each, found in zip(self._sentences, identifying, alike, strict=True)
        ]
        compared = self._compared(figures, measured)
        checked = [
            CheckedSentence(
                sentence, own, [*self._alike_claims(sentence, own, claims, found, passages)]
            )
            for sentence, own, found, passages in zip(
                self._sentences, compared, alike, quoted, strict=True
            )
        ]
        meant = {
            subject
            for sentence in checked
            for figure in sentence.figures
            for subject in _subjects(figure.identification)
        }
        entities = {**entities, **self._entities(meant - entities.keys())}
        return Checked(len(self._text), self._published, self._known, checked, is_all, entities)

    def _entities(self, ids: Iterable[UUID]) -> dict[UUID, Mapping[str, Any]]:
        wanted = sorted(map(str, ids))
        if not wanted:
            return {}
        ((found,),) = self._database.read(checks.entities_statement(), {"ids": wanted})
        return {UUID(each["id"]): each for each in json.loads(found)}

    # Claims that look alike

    def _alike(self) -> list[list[UUID]]:
        bands = Bands()
        places, asked = [], []
        for place, sentence in enumerate(self._sentences):
            found = bands.of(sentence.wording)
            places += [place] * len(found)
            asked += found
        rows = self._database.read(checks.alike_statement(), {"places": places, "bands": asked})
        found_claims: list[list[UUID]] = [[] for _ in self._sentences]
        for place, claim_id in rows:
            found_claims[place].append(claim_id)
        return found_claims

    def _quoted(self, alike: Sequence[Sequence[UUID]], named: Iterable[UUID]) -> list[list[Quoted]]:
        text = Normalised(self._text)
        every: list[list[Quoted]] = [[] for _ in self._sentences]
        if not text.is_usable:
            return every
        asked = {
            "claims": [*{str(id) for ids in alike for id in ids}],
            "entities": [*map(str, named)],
            "sources": [],
            "text_sha256": text.sha256,
        }
        found = [*quoted_in(text, self._passages(asked))]
        sources = {str(quoted.source_id) for quoted in found}
        if sources:
            # What quotes a source once may quote it again.
            asked = {**asked, "claims": [], "entities": [], "sources": [*sources]}
            found = [*{*found, *quoted_in(text, self._passages(asked))}]
        ends = [sentence.span.end for sentence in self._sentences]
        for quoted in found:
            for place in range(bisect_right(ends, quoted.span.start), len(ends)):
                span = self._sentences[place].span
                if span.start >= quoted.span.end:
                    break
                if _has_most(span, quoted.span):
                    every[place].append(quoted)
        return every

    def _passages(self, asked: Mapping[str, object]) -> Iterator[KnownPassage]:
        rows = self._database.read(checks.passages_statement(), asked)
        for claim_id, source_id, start, end, exact in rows:
            yield KnownPassage(claim_id, source_id, end - start, exact.decode())

    def _claims(
        self, alike: Sequence[Sequence[UUID]], quoted: Sequence[Sequence[Quoted]]
    ) -> dict[UUID, Mapping[str, Any]]:
        wanted = {id for ids in alike for id in ids}
        wanted |= {each.claim_id for passages in quoted for each in passages}
        rows = self._database.read(checks.claims_statement(), {"ids": [*map(str, wanted)]})
        found = (json.loads(row) for (row,) in rows)
        return {UUID(claim["id"]): claim for claim in found}

    def _figures_alike(
        self,
        sentence: ReadSentence,
        claims: Mapping[UUID, Mapping[str, Any]],
        alike: Sequence[UUID],
    ) -> list[Mapping[str, Any]]:
        """The figures of claims that differ from the sentence in numbers only."""
        found: list[Mapping[str, Any]] = []
        for id in alike:
            claim = claims.get(id)
            if claim is None or not claim["figures"]:
                continue
            wording = self._nearest(sentence, claim)
            if sentence.wording.similarity(wording) < _LIKELY:
                continue
            # More words of either may narrow what is counted.
            if sentence.wording.words_compared(wording) == "same":
                found += claim["figures"]
        return found

    def _nearest(self, sentence: ReadSentence, claim: Mapping[str, Any]) -> Wording:
        """The wording of a claim, of all its languages, that is most like the sentence."""
        every = [claim["statement"], *claim["translations"]]
        return max(map(self._wording, every), key=sentence.wording.similarity)

    def _wording(self, statement: str) -> Wording:
        if statement not in self._wordings:
            self._wordings[statement] = Wording(statement)
        return self._wordings[statement]

    def _alike_claims(
        self,
        sentence: ReadSentence,
        figures: Sequence[CheckedFigure],
        claims: Mapping[UUID, Mapping[str, Any]],
        alike: Sequence[UUID],
        quoted: Sequence[Quoted],
    ) -> Iterator[AlikeClaim]:
        passages = {each.claim_id for each in quoted}
        found = [
            self._compared_claim(sentence, figures, claims[id], is_quoted=id in passages)
            for id in dict.fromkeys([*alike, *passages])
            if id in claims
        ]
        kept = [each for each in found if each.is_quoted or each.similarity >= _LEAST_LIKENESS]
        yield from sorted(
            kept, key=lambda each: (each.is_quoted, each.likely_same, each.similarity), reverse=True
        )

    def _compared_claim(
        self,
        sentence: ReadSentence,
        figures: Sequence[CheckedFigure],
        claim: Mapping[str, Any],
        *,
        is_quoted: bool,
    ) -> AlikeClaim:
        mine, theirs = sentence.wording, self._nearest(sentence, claim)
        similarity = mine.similarity(theirs)
        words = mine.words_compared(theirs)
        numbers = "none" if not mine.numbers and not theirs.numbers else "different"
        if mine.numbers == theirs.numbers and mine.numbers:
            numbers = "same"
        agreeing = _figures_compared(figures, claim)
        period = _times_compared(sentence.times, claim["time_edtf"])
        likely_same = (
            similarity >= _LIKELY
            and (words == "same" or claim["modality"] in {sentence.modality, Modality.OPINION})
            and (numbers != "different" or agreeing == "same")
            and agreeing != "different"
            and period != "different"
            and not mine.inverts(theirs)
            and (words in {"same", "contained"} or (words == "reordered" and agreeing == "same"))
        )
        return AlikeClaim(
            claim, similarity, words, numbers, agreeing, period, likely_same, is_quoted
        )

    # Figures

    def _measured(self, identifying: Iterable[Identifying]) -> dict[Pair, Measured]:
        pairs = sorted({pair for each in identifying for pair in each.pairs()})
        values = {
            "metrics": [str(metric) for metric, _ in pairs],
            "subjects": [str(subject) for _, subject in pairs],
        }
        rows = self._database.read(checks.measured_pairs_statement(), values)
        return {
            (metric, subject): Measured(json.loads(times or "[]"), json.loads(parts or "[]"))
            for metric, subject, times, parts in rows
        }

    def _compared(
        self,
        figures: Sequence[Sequence[tuple[FoundFigure, Identification]]],
        measured: Mapping[Pair, Measured],
    ) -> list[list[CheckedFigure]]:
        given: list[dict[str, Any]] = []
        places: dict[tuple[int, int], list[tuple[int, Period | None]]] = defaultdict(list)
        for row, sentence in enumerate(self._sentences):
            for column, (figure, identification) in enumerate(figures[row]):
                if identification.found is None:
                    continue
                for period in self._periods(sentence, figure, identification.found, measured):
                    places[row, column].append((len(given), period))
                    given.append(_given(len(given), sentence, figure, identification.found, period))
        compared = self._comparisons(given)
        return [
            _without_parts(
                [
                    _checked(figure, identification, places[row, column], compared)
                    for column, (figure, identification) in enumerate(own)
                ]
            )
            for row, own in enumerate(figures)
        ]

    def _periods(
        self,
        sentence: ReadSentence,
        figure: FoundFigure,
        found: Identified,
        measured: Mapping[Pair, Measured],
    ) -> list[Period | None]:
        """The times that a figure may be about: one, unless only its end is stated."""
        time = sentence.time_of(figure)
        if time is None:
            is_stock = found.metric.accumulation is Accumulation.STOCK
            own = (self._published or _today()) if is_stock else None
            # The same words may be meant for the time of the claim.
            return [own, *_read([found.period_edtf] if found.period_edtf else [])]
        if time.is_bound:
            return []
        if not time.until or found.metric.accumulation is Accumulation.STOCK:
            return [time.period]
        known = measured.get((found.metric.id, found.subject_id), Measured())
        ending = [period for period in _read(known.times) if _ends_with(period, time)]
        return [*ending[:_MOST_PERIODS]] or [time.cumulative]

    def _comparisons(self, given: Sequence[Mapping[str, Any]]) -> dict[int, list[Comparison]]:
        found: dict[int, list[Comparison]] = defaultdict(list)
        for first in range(0, len(given), _COMPARED_AT_ONCE):
            some = compact(given[first : first + _COMPARED_AT_ONCE]).decode()
            rows = self._database.read(checks.comparisons_statement(), {"given": some})
            for place, *texts, other in rows:
                verdict, explanation, reason = (each and each.decode() for each in texts)
                found[place].append(Comparison(verdict, explanation, reason, json.loads(other)))
        return found


def _has_most(sentence: Span, passage: Span) -> bool:
    """Whether a passage is in a sentence, or a sentence in a passage, for the most part."""
    shared = min(sentence.end, passage.end) - max(sentence.start, passage.start)
    shorter = min(sentence.end - sentence.start, passage.end - passage.start)
    return 2 * shared > shorter


def _subjects(identification: Identification) -> Iterator[UUID]:
    yield from (subject for _, subject in identification.candidates)
    if identification.found is not None:
        yield identification.found.subject_id


def _figures_compared(figures: Sequence[CheckedFigure], claim: Mapping[str, Any]) -> str:
    """Whether the figures of a claim agree with those of a sentence (``AmountsFound``)."""
    own = {each["id"] for each in claim["figures"]}
    if not own or not figures:
        return "none"
    compared = [figure.verdicts[id] for figure in figures for id in own & figure.verdicts.keys()]
    if not compared:
        return "none"
    return "same" if set(compared) == {"agrees"} else "different"


def _times_compared(times: Sequence[StatedTime], edtf: str | None) -> str:
    """How the times of a sentence and of a claim compare (``PeriodFound``)."""
    if edtf is None or not times:
        return "unknown"
    theirs = parse(edtf)
    if any(time.period.edtf == theirs.edtf for time in times):
        return "same"
    meet = any(days_between(time.period, theirs) == 0 for time in times)
    return "overlaps" if meet else "different"


def _today() -> Period:
    return parse(datetime.now(UTC).date().isoformat())


def _read(edtf: Iterable[str]) -> Iterator[Period]:
    for each in edtf:
        try:
            yield parse(each)
        except InvalidDate:
            continue


def _ends_with(period: Period, time: StatedTime) -> bool:
    """Whether a period of several years or months ends when a time does."""
    return "/" in period.edtf and period.latest == time.period.latest


def _given(
    place: int,
    sentence: ReadSentence,
    figure: FoundFigure,
    found: Identified,
    period: Period | None,
) -> dict[str, Any]:
    """A figure as the statement of comparisons takes it; its words are those of the service."""
    ranged = found.ranged
    return {
        "place": place,
        "metric_id": str(found.metric.id),
        "subject_id": str(found.subject_id),
        "modality": sentence.modality,
        "dimension": found.metric.dimension,
        "comparator": ranged.stated.comparator,
        "amount": None if ranged.stated.amount is None else str(ranged.stated.amount),
        "unit_code": ranged.unit_code,
        "unit_factor": str(ranged.unit.factor),
        "as_stated": figure.printed,
        "value_range": _literal(ranged.reading.value),
        "plausible_range": _literal(ranged.reading.plausible),
        "breakdown": found.part,
        "period_edtf": None if period is None else period.edtf,
        "period": None if period is None else f"[{period.earliest or ''},{period.latest or ''}]",
    }


def _literal(interval: Interval) -> str:
    ends = (interval.lower, interval.upper)
    lower, upper = ("" if end is None else format(end, "f") for end in ends)
    opening = "[" if interval.lower_inclusive else "("
    return f"{opening}{lower},{upper}{']' if interval.upper_inclusive else ')'}"


class _Compared(NamedTuple):
    """A figure at one of the times that it may be about, compared."""

    finding: Finding
    period: Period | None
    decisive: Sequence[Comparison]
    every: Sequence[Comparison]


def _checked(
    figure: FoundFigure,
    identification: Identification,
    places: Sequence[tuple[int, Period | None]],
    compared: Mapping[int, Sequence[Comparison]],
) -> CheckedFigure:
    """A figure with its comparisons; of several times, those of one at which it agrees."""
    found = identification.found
    if found is None or not places:
        return CheckedFigure(figure, identification)
    lasting = found.metric.accumulation in _LASTING
    readings = []
    for place, period in places:
        every = compared.get(place, ())
        with_verdict = [each for each in every if each.verdict is not None]
        decisive = _nearest_in_time(with_verdict, period) if lasting else with_verdict
        finding = finding_of([each.verdict for each in decisive if each.verdict])
        readings.append(_Compared(finding, period, decisive, every))
    agreeing = [reading for reading in readings if reading.finding is Finding.AGREES]
    disagreeing = [reading for reading in readings if reading.finding in _DISAGREEING]
    least = max(disagreeing, key=lambda each: _DISAGREEING.index(each.finding), default=readings[0])
    chosen = agreeing[0] if agreeing else least
    shown = sorted(
        (each for each in chosen.decisive if finding_of([each.verdict or ""]) is chosen.finding),
        key=lambda each: _VERDICTS.index(each.verdict or ""),
    )
    return CheckedFigure(
        figure,
        identification,
        chosen.period,
        shown[:_MOST_COMPARISONS],
        {each.other["id"]: each.verdict for each in chosen.every if each.verdict},
        Counter(each.reason for each in chosen.every if each.reason),
        chosen.finding,
    )


def _without_parts(figures: Sequence[CheckedFigure]) -> list[CheckedFigure]:
    """The figures, of which those are parts that stand beside one that agrees.

    "HKU recruited 91 academics, 22 of whom are professors" does not state two numbers of academics.
    """
    agreeing = {_kind_of(each) for each in figures if each.finding is Finding.AGREES}
    return [
        CheckedFigure(each.found, Identification(None, NothingFound.A_PART))
        if each.finding in _DISAGREEING and _kind_of(each) in agreeing
        else each
        for each in figures
    ]


def _kind_of(figure: CheckedFigure) -> object:
    found = figure.identification.found
    return found and (found.metric.id, found.subject_id)


_DISAGREEING = (Finding.CONTRADICTS, Finding.IN_TENSION)
_VERDICTS = (
    "contradicts", "part_exceeds_whole", "tension", "agrees", "missed", "did_not_come_true", "met",
    "came_true", "compatible",
)  # fmt: skip


def _nearest_in_time(compared: Sequence[Comparison], period: Period | None) -> list[Comparison]:
    """The comparisons with figures of the same time, or of the nearest one."""
    if period is None:
        return [*compared]

    def distance(each: Comparison) -> tuple[bool, int]:
        edtf = each.other["period"]["edtf"]
        if edtf is None:
            return True, 0
        other = parse(edtf)
        same = (other.earliest, other.latest) == (period.earliest, period.latest)
        return not same, days_between(other, period)

    nearest = min(map(distance, compared), default=None)
    return [each for each in compared if distance(each) == nearest]
