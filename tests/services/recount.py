"""Corroboration, recounted from all rows by the rules of docs/explanation/origins.md.

It shares no code with the functions of the database, and its sets may be as slow as they are plain.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

KEEPING = {
    "copy_of",
    "syndicated_from",
    "translation_of",
    "rewrite_of",
    "version_of",
    "part_of",
}
CITING = {"cites", "quotes", "based_on"}
BINDING = {"owned_by", "part_of", "works_for", "member_of"}
SPEAKING = {"author", "publisher"}

Ids = frozenset[UUID]
NONE: Ids = frozenset()


@dataclass(frozen=True)
class Source:
    """A source; ``issued_before`` is the day after the last on which it may have been published."""

    id: UUID
    retracted: bool = False
    issued_before: date | None = None


@dataclass(frozen=True)
class Claim:
    """A claim; ``begins`` is the first day that its time may cover."""

    id: UUID
    claimant: UUID | None
    reporter: UUID | None = None
    modality: str = "actual"
    begins: date | None = None
    subjects: Ids = NONE


@dataclass(frozen=True)
class Passage:
    """A row of evidence that is not deleted."""

    id: UUID
    claim: UUID
    source: UUID
    stance: str
    status: str = "accepted"
    directness: str | None = None
    interest: str | None = None
    attributed_to: UUID | None = None
    said_before: date | None = None
    derived_from: UUID | None = None
    deleted: bool = False


@dataclass(frozen=True)
class Counts:
    """The counts of a side."""

    sources: int = 0
    own: int = 0
    independent: int = 0
    parties: int = 0
    pending: int = 0

    @property
    def origins(self) -> int:
        """How many origins count."""
        return self.own + self.independent + self.parties


@dataclass(frozen=True)
class Weighed:
    """A passage with its origins and voice, and why it does not count."""

    passage: Passage
    origins: Ids
    voice: Ids
    cited: Ids
    standing: str
    reason: str | None = None

    @property
    def grounds(self) -> Ids:
        """What no two passages that count may share."""
        return self.voice | self.origins | {self.passage.source}


@dataclass(frozen=True)
class World:
    """All that the counts follow from; relations are triples of a row, a kind and a row."""

    sources: Mapping[UUID, Source]
    claims: Mapping[UUID, Claim]
    passages: Mapping[UUID, Passage]
    source_relations: frozenset[tuple[UUID, str, UUID]] = frozenset()
    entity_relations: frozenset[tuple[UUID, str, UUID]] = frozenset()
    contributors: frozenset[tuple[UUID, str, UUID]] = frozenset()
    _above: dict[UUID, Ids] = field(default_factory=dict, compare=False)

    def above(self, entities: Iterable[UUID]) -> Ids:
        """The entities, and those that own or employ them."""
        return union(self._those_above(entity) for entity in entities)

    def _those_above(self, entity: UUID) -> Ids:
        if entity not in self._above:
            steps = {(a, b) for a, kind, b in self.entity_relations if kind in BINDING}
            found, beyond = {entity}, {entity}
            while beyond:
                beyond = {b for a, b in steps if a in beyond} - found
                found |= beyond
            self._above[entity] = frozenset(found)
        return self._above[entity]

    def related(self, source: UUID, kinds: Iterable[str]) -> Ids:
        """The sources that a source has such a relation to."""
        return frozenset(b for a, kind, b in self.source_relations if a == source and kind in kinds)

    def makers(self, source: UUID) -> Ids:
        """The entities that publish and write a source."""
        return frozenset(e for s, role, e in self.contributors if s == source and role in SPEAKING)

    def chain(self, passage: Passage) -> Iterator[tuple[Passage, UUID | None]]:
        """The passages that a passage derives from, each with whom it or one before reports."""
        speaker = passage.attributed_to
        yield passage, speaker
        while passage.derived_from:
            passage = self.passages[passage.derived_from]
            speaker = speaker or passage.attributed_to
            yield passage, speaker

    def origins(self, passage: Passage) -> dict[UUID, set[UUID | None]]:
        """Where the ways from a passage end, and who speaks there, if the passage only reports."""
        found: dict[UUID, set[UUID | None]] = {}
        for link, speaker in self.chain(passage):
            further = self.related(link.source, KEEPING)
            if link.derived_from and not further:
                continue
            for end in self._ends(link.source):
                found.setdefault(end, set()).add(speaker)
        return found

    def _ends(self, source: UUID) -> Ids:
        further = self.related(source, KEEPING)
        return union(map(self._ends, further)) if further else frozenset({source})

    def cited(self, passage: Passage) -> Ids:
        """The sources that a passage leads to through at least one citation."""
        passed: set[tuple[UUID, bool]] = set()
        beyond = {(link.source, False) for link, _ in self.chain(passage)}
        while beyond:
            passed |= beyond
            beyond = {
                (to, cited or kinds is CITING)
                for source, cited in beyond
                for kinds in (KEEPING, CITING)
                for to in self.related(source, kinds)
            } - passed
        return frozenset(source for source, cited in passed if cited)

    def weigh(self, claim: Claim) -> list[Weighed]:
        """The evidence on a claim."""
        own = [
            passage
            for passage in self.passages.values()
            if passage.claim == claim.id and not passage.deleted
        ]
        weighed = [self._judge(passage) for passage in own]
        sides = [(True, [w for w in weighed if w.passage.stance in {"asserts", "supports"}])]
        sides += [(False, [w for w in weighed if w.passage.stance == "disputes"])]
        shared = frozenset.intersection(
            *(union(w.origins for w in side if w.reason is None) for _, side in sides)
        )
        result = [w for w in weighed if w.passage.stance == "mentions"]
        for in_favour, side in sides:
            late = [self._after_the_event(claim, w) if in_favour else w for w in side]
            result += self._count(claim, [_off_both_sides(w, shared) for w in late])
        return result

    def _judge(self, passage: Passage) -> Weighed:
        ends = self.origins(passage)
        standing = frozenset(end for end in ends if not self.sources[end].retracted)
        reason = None
        if passage.status == "rejected":
            reason = "rejected"
        elif passage.stance == "mentions":
            reason = "mentions"
        elif passage.status != "accepted":
            reason = "pending"
        elif self.sources[passage.source].retracted or not standing:
            reason = "retracted"
        return Weighed(passage, standing or frozenset(ends), NONE, NONE, "", reason)

    def _after_the_event(self, claim: Claim, weighed: Weighed) -> Weighed:
        begins = claim.begins if claim.modality == "actual" else None
        if weighed.reason or begins is None:
            return weighed
        late = frozenset(o for o in weighed.origins if not self._before(o, begins))
        said = weighed.passage.said_before
        if self._before(weighed.passage.source, begins) or (said and said <= begins) or not late:
            return _with(weighed, reason="before_event")
        return _with(weighed, origins=late)

    def _before(self, source: UUID, day: date) -> bool:
        issued = self.sources[source].issued_before
        return issued is not None and issued <= day

    def _voice(self, claim: Claim, weighed: Weighed) -> Ids:
        speakers: set[UUID] = set()
        ends = self.origins(weighed.passage)
        for origin in weighed.origins:
            for speaker in ends[origin]:
                if speaker:
                    speakers.add(speaker)
                else:
                    speakers |= self._makers_for(claim, origin)
        return self.above(speakers)

    def _makers_for(self, claim: Claim, origin: UUID) -> Ids:
        makers = self.makers(origin)
        if claim.reporter and claim.claimant:
            line = self.above({claim.reporter})
            if makers & line or claim.reporter in self.above(makers):
                return frozenset({claim.claimant})
        return makers

    def _standing(self, claim: Claim, passage: Passage, voice: Ids) -> str:
        if claim.claimant and voice & self.above({claim.claimant}):
            return "own"
        if passage.interest == "self" or voice & self.above(claim.subjects):
            return "party"
        return "independent"

    def _count(self, claim: Claim, side: list[Weighed]) -> list[Weighed]:
        known = []
        for weighed in side:
            voice = self._voice(claim, weighed)
            cited = self.cited(weighed.passage)
            standing = self._standing(claim, weighed.passage, voice)
            known.append(_with(weighed, voice=voice, cited=cited, standing=standing))
        eligible = [w for w in known if w.reason is None]
        present = union(w.origins for w in eligible)
        result = [w for w in known if w.reason]
        counted: list[Weighed] = []
        for weighed in sorted(eligible, key=_order):
            reason = _why_not(weighed, present, counted)
            result.append(_with(weighed, reason=reason))
            if reason is None:
                counted.append(weighed)
        return result

    def counts(self, claim: Claim) -> tuple[Counts, Counts]:
        """The counts for a claim and against it."""
        weighed = self.weigh(claim)
        pro, con = (
            _sum(w for w in weighed if w.passage.stance in stances)
            for stances in ({"asserts", "supports"}, {"disputes"})
        )
        return pro, con

    def verdict(self, claim: Claim) -> str:
        """The verdict on a claim."""
        pro, con = self.counts(claim)
        if con.origins:
            return "disputed" if pro.origins else "refuted"
        if pro.origins < 2:
            return "single_origin" if pro.origins else "unsupported"
        if claim.modality in {"opinion", "forecast"}:
            return "shared"
        if pro.independent >= 2 or (pro.independent and pro.own):
            return "corroborated"
        return "confirmed_by_party"


def _why_not(weighed: Weighed, present: Ids, counted: list[Weighed]) -> str | None:
    if weighed.cited & (present - weighed.origins):
        return "cites_counted"
    if weighed.grounds & union(w.grounds for w in counted):
        return "same_voice"
    if weighed.standing == "own" and any(w.standing == "own" for w in counted):
        return "same_voice"
    if not weighed.voice and any(not w.voice for w in counted):
        return "same_voice"
    if weighed.cited & union(w.cited for w in counted):
        return "cites_counted"
    if _is_secondary(weighed) and any(map(_is_secondary, counted)):
        return "secondary"
    return None


def _is_secondary(weighed: Weighed) -> bool:
    return weighed.passage.directness == "secondary" and not weighed.passage.attributed_to


def _order(weighed: Weighed) -> tuple[int, int, UUID, UUID]:
    passage = weighed.passage
    return len(weighed.voice), len(weighed.origins), passage.source, passage.id


def _off_both_sides(weighed: Weighed, shared: Ids) -> Weighed:
    if weighed.reason or not weighed.origins & shared:
        return weighed
    left = weighed.origins - shared
    return _with(weighed, origins=left) if left else _with(weighed, reason="both_sides")


def _sum(side: Iterable[Weighed]) -> Counts:
    weighed = list(side)
    left_out = {"rejected", "pending", "retracted", "before_event", "both_sides"}
    counted = [w.standing for w in weighed if w.reason is None]
    return Counts(
        sources=len({w.passage.source for w in weighed if w.reason not in left_out}),
        own=counted.count("own"),
        independent=counted.count("independent"),
        parties=counted.count("party"),
        pending=sum(w.reason == "pending" for w in weighed),
    )


def _with(weighed: Weighed, **changes: object) -> Weighed:
    return Weighed(**{**vars(weighed), **changes})


def union(sets: Iterable[Ids]) -> Ids:
    """The union of sets."""
    return frozenset().union(*sets)
