"""Tells which metric a figure of a sentence is one of, by the words of the metric's label.

The words of a label and of a sentence are compared as concepts: words that say the same, in English
and Chinese, are one. No concept is about a certain metric.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

from hksz_db.checking.folding import comparable
from hksz_db.checking.likeness import stems
from hksz_db.checking.sentences import Span
from hksz_db.domain.vocabulary import Accumulation, Dimension, MetricMeasure

_CONCEPTS = Path(__file__).with_name("concepts.txt")
"""A concept on each line: its words in English, a bar, and its words in Chinese."""
_PLACEHOLDER = re.compile(r"\b(?:an?|one or more) (?:[\w-]+ )?[\w-]+(?=$|[ ,])")
_RESEARCH_AND_DEVELOPMENT = re.compile(r"\br ?& ?d\b")
_GROSS = re.compile(r"\bgross domestic product\b")
_COME_IN = re.compile(r"\bcame in\b|\bcome in\b")
_MARK = re.compile(r"[,;:.!?，；：。！？]")
_CLAUSE = re.compile(r"[,;:，；：]| and | while | but |而|并")


class Metric(NamedTuple):
    """A metric, as far as checks need it."""

    id: UUID
    external_id: str | None
    key: str
    label: str
    dimension: Dimension
    accumulation: Accumulation
    measure: MetricMeasure
    nonnegative: bool

    @property
    def is_implied(self) -> bool:
        """Whether the label says no more than the unit of its figures does."""
        return self.label.lower() == self.dimension


@dataclass(frozen=True)
class Candidate:
    """A metric whose words are in a sentence: how many are, and the concepts that are missing."""

    metric: Metric
    matched: int
    missing: tuple[str, ...]

    @property
    def is_identified(self) -> bool:
        """Whether the words of the metric are all there, or all but one of many."""
        return not self.missing or (len(self.missing) == 1 and self.matched >= 3)

    @property
    def rank(self) -> tuple[int, int]:
        """What makes a candidate better than another."""
        return self.matched, -len(self.missing)


class Words:
    """The concepts of a sentence with their places, without those that are hidden."""

    def __init__(
        self, form: str, hidden: Iterable[Span], names: Mapping[Span, Iterable[str]]
    ) -> None:
        """``names`` are what the entities are called that are named at a place."""
        self.names = [*names]
        characters = list(form)
        for start, end in (*hidden, *names):
            characters[max(start, 0) : max(end, 0)] = " " * (min(end, len(form)) - max(start, 0))
        self.form = "".join(characters)
        self._placed = [*_placed_concepts(self.form)]
        self._of_names = frozenset(
            concept for called in names.values() for name in called for concept in concepts_of(name)
        )

    def between(self, start: int, end: int) -> frozenset[str]:
        """The concepts of a part of the sentence, and those of the names in it."""
        return self._of_names | self.own(start, end)

    def own(self, start: int, end: int) -> frozenset[str]:
        """The concepts of a part of the sentence, without those of names."""
        return frozenset(concept for at, concept in self._placed if start <= at < end)

    @property
    def every(self) -> frozenset[str]:
        """The concepts of the sentence."""
        return self.between(0, len(self.form))

    def clause_of(self, span: Span) -> Span:
        """The part of the sentence between the marks and conjunctions around a figure."""
        ends = [each.end() for each in _CLAUSE.finditer(self.form, 0, span.start)]
        after = _CLAUSE.search(self.form, span.end)
        return Span(ends[-1] if ends else 0, after.start() if after else len(self.form))

    def placed(self, start: int, end: int) -> Iterator[tuple[int, str]]:
        """The concepts of a part of the sentence with their places."""
        return ((at, concept) for at, concept in self._placed if start <= at < end)

    def end_of_clause(self, start: int) -> int:
        """Where the next mark of punctuation stands."""
        mark = _MARK.search(self.form, start)
        return mark.start() if mark else len(self.form)

    def unknown(self, label: frozenset[str]) -> frozenset[str]:
        """The words that neither the label of a metric nor most reports use."""
        return self.own(0, len(self.form)) - label - GENERAL - _WEAK


class Measures:
    """The metrics, and which words each of them needs."""

    def __init__(self, metrics: Iterable[Metric], names_in: Mapping[str, Iterable[str]]) -> None:
        """``names_in`` has the names of entities in a label, which a sentence may say otherwise."""
        self._needed: list[tuple[Metric, frozenset[str], frozenset[str]]] = []
        for metric in metrics:
            own = _PLACEHOLDER.sub(" ", metric.label.lower())
            needed = frozenset(concepts_of(own)) - _WEAK
            if metric.is_implied:
                needed = frozenset()
            named = frozenset(
                c for each in names_in.get(metric.label, ()) for c in concepts_of(each)
            )
            self._needed.append((metric, needed, named))

    def candidates(self, words: frozenset[str]) -> Iterator[Candidate]:
        """The metrics of whose own words at least half are there."""
        for metric, needed, named in self._needed:
            own = needed - named
            missing = needed - words
            # Names of others in a label are no words of its own, but are to be there.
            matched = len(own & words)
            if 2 * matched >= len(own):
                yield Candidate(metric, matched, tuple(sorted(missing)))


def concepts_of(text: str) -> Iterator[str]:
    """The concepts of a text."""
    return (concept for _, concept in _placed_concepts(comparable(text)))


def _placed_concepts(form: str) -> Iterator[tuple[int, str]]:
    for match in _RESEARCH_AND_DEVELOPMENT.finditer(form):
        yield match.start(), "research"
        yield match.start(), "development"
    form = _RESEARCH_AND_DEVELOPMENT.sub(lambda found: " " * len(found[0]), form)
    form = _GROSS.sub(lambda found: "gdp".ljust(len(found[0])), form)
    form = _COME_IN.sub(lambda found: "received".ljust(len(found[0]))[: len(found[0])], form)
    for match in re.finditer(r"[a-z]+(?:-[a-z]+)*", form):
        word = match[0]
        concepts = _ENGLISH.get(word)
        if concepts is None:
            concepts = [c for part in word.split("-") for c in _ENGLISH.get(part) or stems(part)]
        for concept in concepts:
            yield match.start(), concept
    if not form.isascii():
        for match in _CHINESE.finditer(form):
            for concept in _CHINESE_WORDS[match[1]]:
                yield match.start(), concept


def _read_concepts() -> tuple[Mapping[str, list[str]], Mapping[str, list[str]]]:
    english: dict[str, list[str]] = defaultdict(list)
    chinese: dict[str, list[str]] = defaultdict(list)
    for line in _CONCEPTS.read_text(encoding="utf-8").splitlines():
        concept, rest = line.split(": ", 1)
        words, _, others = rest.partition(" | ")
        for word in words.split():
            english[word].append(concept)
        for word in others.split():
            chinese[comparable(word)].append(concept)
    return english, chinese


_ENGLISH, _CHINESE_WORDS = _read_concepts()
_CHINESE = re.compile(f"(?=({'|'.join(sorted(_CHINESE_WORDS, key=len, reverse=True))}))")
# They say nothing that tells one metric of a subject from another.
_WEAK = frozenset(
    concepts_of(
        "number numbers total share proportion people person staff newly new all every world "
        "publicly fund funded employ register registered each international annual yearly "
        "average level amount value rate thing year years"
    )
)
GENERAL = frozenset(
    concepts_of(
        "will would plan plans planned aim aims expected target "
        "said says say according report reported reports announced show shows showed figure "
        "figures official officials government data latest already altogether total totalled "
        "number numbered least time still now since start started open opened opens set come "
        "came get got make made one ones per cent percent also however meanwhile city far "
        "win won won take took put people scheme programme wrong right hardly large small "
        "work worked under within around across available alone record recorded stood reach "
        "reached provide provided offer offers yet"
    )
)
"""The concepts that reports of any kind have."""
