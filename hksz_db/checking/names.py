"""Finds the names of entities in texts: all names and aliases, in both scripts."""

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple
from uuid import UUID

from ahocorasick_rs import AhoCorasick, Implementation, MatchKind

from hksz_db.checking.folding import comparable
from hksz_db.checking.sentences import Span

_SHORTEST = 2
# Shorter names are also words ("app", "it"), and are found only as they are written.
_AS_WRITTEN = 4
_OWNED = re.compile(r"(?P<owner>.{3,}?)(?:'s|s') (?P<rest>.{4,})")
# "Other talent schemes" are not Hong Kong's.
_OWNING = re.compile(r"\b(?:its|their|all|the|of|under|these) $")


class KnownName(NamedTuple):
    """A name of an entity."""

    entity_id: UUID
    name: str
    is_abbreviation: bool


class Mention(NamedTuple):
    """A name in a text, and the entities that have it."""

    span: Span
    entity_ids: tuple[UUID, ...]


class Names:
    """The names that are looked for.

    A name such as "Hong Kong's talent schemes" is also found as "talent schemes" if its owner is
    named in the same sentence ("Hong Kong and its talent schemes").
    """

    def __init__(self, names: Iterable[KnownName]) -> None:
        entities: dict[str, dict[UUID, None]] = defaultdict(dict)
        self._as_written: dict[str, set[str]] = defaultdict(set)
        self._owners: dict[str, str] = {}
        for each in names:
            form = comparable(each.name)
            if len(form) < _SHORTEST:
                continue
            entities[form][each.entity_id] = None
            if each.is_abbreviation or (form.isascii() and len(form) <= _AS_WRITTEN):
                self._as_written[form].add(each.name)
            owned = _OWNED.fullmatch(form)
            if owned and owned["rest"] not in entities:
                self._owners[owned["rest"]] = owned["owner"]
                entities[owned["rest"]][each.entity_id] = None
        self._forms = list(entities)
        self._entities = [tuple(ids) for ids in entities.values()]
        self._owners = {
            rest: owner for rest, owner in self._owners.items() if len(entities[rest]) == 1
        }
        self._matcher = AhoCorasick(
            self._forms,
            matchkind=MatchKind.Standard,
            implementation=Implementation.ContiguousNFA,
            store_patterns=False,
        )

    def __len__(self) -> int:
        return len(self._forms)

    def find(self, text: str, sentences: Sequence[Span]) -> list[list[Mention]]:
        """The names in each of the sentences of a text; of overlapping ones the longest."""
        form = comparable(text)
        found = sorted(
            (
                (start, end, pattern)
                for pattern, start, end in self._matcher.find_matches_as_indexes(
                    form, overlapping=True
                )
                if self._is_name(text, form, Span(start, end), pattern)
            ),
            key=lambda each: (each[0] - each[1], each[0]),
        )
        taken = bytearray(len(form))
        kept = []
        for start, end, pattern in found:
            if not any(taken[start:end]):
                taken[start:end] = b"\1" * (end - start)
                kept.append((Span(start, end), pattern))
        kept.sort()

        def before(at: int) -> int:
            return bisect_left(kept, at, key=lambda each: each[0].start)

        return [
            [*self._within(sentence, form, kept[before(sentence.start) : before(sentence.end)])]
            for sentence in sentences
        ]

    def _is_name(self, text: str, form: str, span: Span, pattern: int) -> bool:
        start, end = span
        if _continues(form, start - 1, start) or _continues(form, end - 1, end):
            return False
        written = self._as_written.get(self._forms[pattern])
        return written is None or text[start:end] in written

    def _within(
        self, sentence: Span, form: str, mentions: Iterable[tuple[Span, int]]
    ) -> Iterator[Mention]:
        for span, pattern in mentions:
            if span.end <= sentence.end:
                owner = self._owners.get(self._forms[pattern])
                if owner is None or (
                    owner in form[sentence.start : sentence.end]
                    and _OWNING.search(form[max(0, span.start - 12) : span.start])
                ):
                    yield Mention(span, self._entities[pattern])


def _continues(form: str, last: int, first: int) -> bool:
    """Whether a word goes on between two characters; Chinese words have no edges."""
    if last < 0 or first >= len(form):
        return False
    one, other = form[last], form[first]
    return one.isalnum() and other.isalnum() and one < "\u2e80" and other < "\u2e80"
