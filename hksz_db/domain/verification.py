"""Spans looked up in a text that somebody holds, by their hashes.

A span of which nothing but hashes is known can be found anywhere only by hashing every window of
its length, and SHA-256 does not roll. So the lengths that all surroundings have in common come
first: one pass over the windows of 32 code points finds the surroundings of every span.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import compress, groupby, islice

from hksz_db.domain.locators import CONTEXT, Locator

WEIGHED = 64
"""Of the places of a span's words, and of its surroundings, so many are weighed on either side."""

WORK = 2**28
"""How much may be hashed besides the surroundings, in bytes; a hash counts for ``CALL`` more."""

CALL = 512
_NEAR = 2**16  # how far apart the stated place and a neighbourly one may be to be compared
_GUESSES = 4
# How far around the place where its neighbour leads a span is looked for, the nearest first; in
# a text that is another one altogether that is given up soon.
_AROUND = sorted(range(-64, 65), key=abs)
_PATIENCE = 8
_LEADING = bytes(not 0x80 <= byte < 0xC0 for byte in range(256))


class Result(StrEnum):
    """Whether the words of a span are in a text: where they were, elsewhere, or not at all."""

    EXACT = "exact"
    MOVED = "moved"
    MISSING = "missing"


class Searched(StrEnum):
    """Where a span that is missing was looked for.

    ``SURROUNDINGS``: where it was stated, where its neighbours went, and where what stood beside
    it stands now, as far as ``WORK`` reached.
    """

    EVERYWHERE = "everywhere"
    SURROUNDINGS = "surroundings"


@dataclass(frozen=True)
class Finding:
    """What became of a span: its place, in code points, or how far it was searched for."""

    result: Result
    start_char: int | None
    end_char: int | None
    searched: Searched | None


def verify(text: str, locators: Sequence[Locator], lengths: Iterable[int] = ()) -> list[Finding]:
    """What became of each locator's span in a normalised text, in the order of the locators.

    A span is exact when its words stand where the locator says. Otherwise it has moved to the
    place of its words that has the most of its surroundings (what follows them, and as much of
    what precedes them as the locator covers); of several such to the nearest to the stated one;
    of two as near to the earlier. ``lengths`` are those of the texts that the locators may count
    in: if one edit lies between, it moved what follows it by the difference.
    """
    spans = [_span(locator) for locator in locators]
    search = _Search(text, sorted(spans, key=lambda span: (span.start, span.length)))
    search.at_stated_places()
    guesses = sorted({len(text) - length for length in lengths}, key=lambda n: (abs(n), n))
    search.beside_neighbours(guesses[:_GUESSES])
    if search.unplaced():
        search.in_surroundings()
    if search.unplaced():
        search.everywhere()
    return [search.finding(span) for span in spans]


@dataclass(frozen=True, eq=False)
class _Span:
    start: int
    length: int
    exact: bytes
    prefix: bytes
    suffix: bytes

    @property
    def reach(self) -> int:
        """How many code points the hash of what precedes the span covers."""
        return min(CONTEXT, self.start)


def _span(locator: Locator) -> _Span:
    hashes = (locator.exact_sha256, locator.prefix_sha256, locator.suffix_sha256)
    length = locator.end_char - locator.start_char
    return _Span(locator.start_char, length, *map(bytes.fromhex, hashes))


class _Copy:
    """A text of which windows are hashed, counted in code points."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)
        self.work = WORK
        self._bytes = text.encode()
        size = len(self._bytes)
        # Where each code point begins in the bytes, and where the last one ends.
        self._starts: Sequence[int] = range(size + 1)
        if not text.isascii():
            self._starts = [*compress(range(size), self._bytes.translate(_LEADING)), size]

    def digest(self, start: int, end: int) -> bytes:
        """The SHA-256 of a window, which is counted as work."""
        window = self._bytes[self._starts[start] : self._starts[end]]
        self.work -= CALL + len(window)
        return sha256(window).digest()

    def places(self, length: int, wanted: Collection[bytes]) -> dict[bytes, list[int]]:
        """Where the windows of a length begin that have a wanted SHA-256, in ascending order."""
        data, starts, hashed = self._bytes, self._starts, sha256
        windows = zip(starts, islice(starts, length, None), strict=False)
        # Most of the time of a verification goes by in this line.
        hits = [hashed(data[start:end]).digest() in wanted for start, end in windows]
        places = defaultdict(list)
        for place in compress(range(self.length), hits):
            window = data[starts[place] : starts[place + length]]
            places[hashed(window).digest()].append(place)
        return places

    def cost(self, length: int) -> int:
        """How much work it is to look at all windows of a length."""
        windows = max(0, self.length - length + 1)
        return windows * (CALL + length * len(self._bytes) // self.length)


class _Search:
    """The search for spans, which are in the order of their stated places."""

    def __init__(self, text: str, spans: Sequence[_Span]) -> None:
        self.copy = _Copy(text)
        self.spans = spans
        self.placed: dict[_Span, int] = {}
        self.possible: dict[_Span, int] = {}
        self.exhausted: set[_Span] = set()

    def unplaced(self) -> list[_Span]:
        """The spans whose place is not settled."""
        return [span for span in self.spans if span not in self.placed]

    def finding(self, span: _Span) -> Finding:
        """What became of the span."""
        place = self.placed.get(span, self.possible.get(span))
        if place is None:
            everywhere = span in self.exhausted
            searched = Searched.EVERYWHERE if everywhere else Searched.SURROUNDINGS
            return Finding(Result.MISSING, None, None, searched)
        result = Result.EXACT if place == span.start else Result.MOVED
        return Finding(result, place, place + span.length, None)

    def at_stated_places(self) -> None:
        """Settle the spans whose words stand where they stood."""
        for span in self.spans:
            if self._fits(span, span.start) and self._is_at(span, span.start):
                self.placed[span] = span.start

    def beside_neighbours(self, guesses: Sequence[int]) -> None:
        """Settle the spans that moved about as far as the one before or after, or as a guess."""
        for spans in (self.spans, self.spans[::-1]):
            shift, misses = 0, 0
            for span in spans:
                if span not in self.placed:
                    around = _AROUND if misses < _PATIENCE else (0,)
                    self._try(span, (*guesses, *(shift + more for more in around)))
                if span in self.placed:
                    shift, misses = self.placed[span] - span.start, 0
                else:
                    misses += 1

    def _try(self, span: _Span, shifts: Iterable[int]) -> None:
        for place in (span.start + shift for shift in shifts):
            if self._is_whole_at(span, place) and self._is_nearest(span, place):
                self.placed[span] = place
                return

    def _is_whole_at(self, span: _Span, place: int) -> bool:
        # The surroundings first: they are short, and tell nearly all places apart.
        return (
            self._fits(span, place)
            and self._surroundings(span, place) == 2
            and self._is_at(span, place)
        )

    def _fits(self, span: _Span, place: int) -> bool:
        return 0 <= place <= self.copy.length - span.length

    def _is_at(self, span: _Span, place: int) -> bool:
        return self.copy.digest(place, place + span.length) == span.exact

    def _surroundings(self, span: _Span, place: int) -> int:
        """On how many sides of the place that stands which stood beside the span."""
        before, end = place - span.reach, place + span.length
        beyond = min(end + CONTEXT, self.copy.length)
        precedes = before >= 0 and self.copy.digest(before, place) == span.prefix
        return precedes + (self.copy.digest(end, beyond) == span.suffix)

    def _is_nearest(self, span: _Span, place: int) -> bool:
        """Whether no nearer place has the same words and surroundings, as far as is looked."""
        mirrored = 2 * span.start - place
        if abs(place - span.start) > _NEAR:
            return False
        first, last = (mirrored, place - 1) if place > span.start else (place + 1, mirrored - 1)
        passage = self.copy.text[place - span.reach : place + span.length + CONTEXT]
        start, end = first - span.reach, last - span.reach + len(passage)
        return self.copy.text.find(passage, max(0, start), end) < 0

    def in_surroundings(self) -> None:
        """Settle the spans of which a place is known by what stands beside it."""
        spans = self.unplaced()
        wanted = {span.suffix for span in spans} | {span.prefix for span in spans}
        places = self.copy.places(CONTEXT, wanted)
        # What follows is shorter at the end of the text.
        for start in range(max(0, self.copy.length - CONTEXT + 1), self.copy.length + 1):
            found = self.copy.digest(start, self.copy.length)
            if found in wanted:
                places[found].append(start)
        for span in spans:
            if self.copy.work > 0:
                self._weigh(span, self._beside(span, places))
            if span in self.possible and self._is_settled(span, self.possible[span]):
                self.placed[span] = self.possible[span]
        self._weigh_neighbours()

    def _is_settled(self, span: _Span, place: int) -> bool:
        # A shorter hash of what precedes it was not looked for: another place may have it.
        return span.reach == CONTEXT or self._surroundings(span, place) == 2

    def _beside(self, span: _Span, places: Mapping[bytes, Sequence[int]]) -> set[int]:
        after = _nearest(places.get(span.suffix, ()), span.start + span.length)
        before = _nearest(places.get(span.prefix, ()), span.start - CONTEXT)
        found = {start - span.length for start in after}
        return found | {start + CONTEXT for start in before if span.reach == CONTEXT}

    def _weigh_neighbours(self) -> None:
        for spans in (self.spans, self.spans[::-1]):
            shift = 0
            for span in spans:
                if span in self.placed:
                    shift = self.placed[span] - span.start
                elif span not in self.possible:
                    self._weigh(span, {span.start + shift})

    def everywhere(self) -> None:
        """Look at every window of the lengths of the spans left, the shortest first."""
        left = sorted(self.unplaced(), key=lambda span: span.length)
        for length, group in groupby(left, key=lambda span: span.length):
            cost = self.copy.cost(length)
            if cost > self.copy.work:
                continue
            self.copy.work -= cost
            spans = list(group)
            places = self.copy.places(length, {span.exact for span in spans})
            for span in spans:
                self._weigh(span, _nearest(places.get(span.exact, ()), span.start))
                self.exhausted.add(span)

    def _weigh(self, span: _Span, places: Iterable[int]) -> None:
        """Let the best of the places that has the words be the span's, unless it has a better."""
        fitting = (place for place in places if self._fits(span, place))
        for rank, place in sorted((self._rank(span, place), place) for place in fitting):
            if self._is_at(span, place):
                known = self.possible.get(span)
                if known is None or rank < self._rank(span, known):
                    self.possible[span] = place
                return

    def _rank(self, span: _Span, place: int) -> tuple[int, int, int]:
        return -self._surroundings(span, place), abs(place - span.start), place


def _nearest(places: Sequence[int], origin: int) -> Sequence[int]:
    middle = bisect_left(places, origin)
    return places[max(0, middle - WEIGHED) : middle + WEIGHED]
