"""Finds spans in a text by their hashes.

SHA-256 is not a rolling hash: to find a span of which only hashes are known, every window of its
length has to be hashed. The context of all spans has the same length, so one pass over the windows
of 32 code points finds the context of every span. That comes first.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import compress, groupby, islice

from hksz_db.domain.locators import CONTEXT, Locator

MAX_CANDIDATES = 64
"""The number of places of a span, or of its context, that are compared on each side."""

MAX_WORK = 2**28
"""The number of bytes that may be hashed, apart from the context."""

CALL_COST = 512
"""The overhead of a hash, in bytes."""

_MAX_SHIFT = 2**16  # for a place that is found by the shift of a neighbour
_MAX_GUESSES = 4
# A span is looked for around the place where its neighbour moved, the nearest place first. After
# some misses it is looked for only at that place, because the text may be an unrelated one.
_NEARBY = sorted(range(-64, 65), key=abs)
_MAX_MISSES = 8
_LEADING_BYTES = bytes(not 0x80 <= byte < 0xC0 for byte in range(256))


# Whether a text has the words of a span in the same place, elsewhere, or nowhere.
Result = StrEnum("Result", "EXACT MOVED MISSING")

# Where a missing span was looked for. ``SURROUNDINGS``: at its stated place, where its neighbours
# moved, and beside its context, as far as ``MAX_WORK`` allowed.
Searched = StrEnum("Searched", "EVERYWHERE SURROUNDINGS")


@dataclass(frozen=True)
class Finding:
    """The result for a span: its place in code points, or where it was looked for."""

    result: Result
    start_char: int | None
    end_char: int | None
    searched: Searched | None


def verify(text: str, locators: Sequence[Locator], lengths: Iterable[int] = ()) -> list[Finding]:
    """Find the span of each locator in a normalised text, in the order of the locators.

    A span is exact if its words are at the stated place. Otherwise it has moved to the place of its
    words with the most context (the text after it, and as much of the text before it as the locator
    covers); among these to the place nearest to the stated one, and of two equally near ones to the
    earlier. ``lengths`` are the lengths of the texts to which the locators may refer: a single edit
    moves everything after it by the difference in length.
    """
    spans = [_Span(locator) for locator in locators]
    search = _Search(text, sorted(spans, key=lambda span: (span.start, span.length)))
    search.match_stated_places()
    guesses = sorted({len(text) - length for length in lengths}, key=lambda n: (abs(n), n))
    search.match_shifted_places(guesses[:_MAX_GUESSES])
    if search.unplaced():
        search.match_context()
    if search.unplaced():
        search.match_everywhere()
    return [search.finding(span) for span in spans]


class _Span:
    def __init__(self, locator: Locator) -> None:
        self.start = locator.start_char
        self.length = locator.end_char - locator.start_char
        self.exact = bytes.fromhex(locator.exact_sha256)
        self.prefix = bytes.fromhex(locator.prefix_sha256)
        self.suffix = bytes.fromhex(locator.suffix_sha256)
        # The number of code points that the hash of the prefix covers.
        self.prefix_length = min(CONTEXT, self.start)


class _HashedText:
    """A text whose windows can be hashed; offsets count code points."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.length = len(text)
        self.work_left = MAX_WORK
        self._bytes = text.encode()
        size = len(self._bytes)
        # The offset in bytes of each code point, and of the end.
        self._starts: Sequence[int] = range(size + 1)
        if not text.isascii():
            self._starts = [*compress(range(size), self._bytes.translate(_LEADING_BYTES)), size]

    def digest(self, start: int, end: int) -> bytes:
        """The SHA-256 of a window; counts as work."""
        window = self._bytes[self._starts[start] : self._starts[end]]
        self.work_left -= CALL_COST + len(window)
        return sha256(window).digest()

    def places(self, length: int, wanted: Collection[bytes]) -> dict[bytes, list[int]]:
        """The places of the windows with one of the hashes, by hash, in ascending order."""
        data, starts, hashed = self._bytes, self._starts, sha256
        windows = zip(starts, islice(starts, length, None), strict=False)
        # Verification spends most of its time in this line.
        hits = [hashed(data[start:end]).digest() in wanted for start, end in windows]
        places = defaultdict(list)
        for place in compress(range(self.length), hits):
            window = data[starts[place] : starts[place + length]]
            places[hashed(window).digest()].append(place)
        return places

    def cost(self, length: int) -> int:
        windows = max(0, self.length - length + 1)
        return windows * (CALL_COST + length * len(self._bytes) // self.length)


class _Search:
    """The search for spans, which are in the order of their stated places.

    ``placed`` are final places, and ``possible`` ones may still be replaced by better ones.
    ``exhausted`` spans have been looked for everywhere.
    """

    def __init__(self, text: str, spans: Sequence[_Span]) -> None:
        self.hashed = _HashedText(text)
        self.spans = spans
        self.placed: dict[_Span, int] = {}
        self.possible: dict[_Span, int] = {}
        self.exhausted: set[_Span] = set()

    def unplaced(self) -> list[_Span]:
        return [span for span in self.spans if span not in self.placed]

    def finding(self, span: _Span) -> Finding:
        place = self.placed.get(span, self.possible.get(span))
        if place is None:
            everywhere = span in self.exhausted
            searched = Searched.EVERYWHERE if everywhere else Searched.SURROUNDINGS
            return Finding(Result.MISSING, None, None, searched)
        result = Result.EXACT if place == span.start else Result.MOVED
        return Finding(result, place, place + span.length, None)

    def match_stated_places(self) -> None:
        for span in self.spans:
            if self._fits(span, span.start) and self._has_words(span, span.start):
                self.placed[span] = span.start

    def match_shifted_places(self, guesses: Sequence[int]) -> None:
        """Place the spans that moved about as far as a neighbour, or by one of the guesses."""
        for spans in (self.spans, self.spans[::-1]):
            shift, misses = 0, 0
            for span in spans:
                if span not in self.placed:
                    nearby = _NEARBY if misses < _MAX_MISSES else (0,)
                    self._try_shifts(span, (*guesses, *(shift + more for more in nearby)))
                if span in self.placed:
                    shift, misses = self.placed[span] - span.start, 0
                else:
                    misses += 1

    def _try_shifts(self, span: _Span, shifts: Iterable[int]) -> None:
        for place in (span.start + shift for shift in shifts):
            # The context is short and rules out nearly all places, so it is checked first.
            if (
                self._fits(span, place)
                and self._matching_sides(span, place) == 2
                and self._has_words(span, place)
                and self._is_nearest(span, place)
            ):
                self.placed[span] = place
                return

    def _fits(self, span: _Span, place: int) -> bool:
        return 0 <= place <= self.hashed.length - span.length

    def _has_words(self, span: _Span, place: int) -> bool:
        return self.hashed.digest(place, place + span.length) == span.exact

    def _matching_sides(self, span: _Span, place: int) -> int:
        """The number of sides on which the place has the context of the span."""
        before, end = place - span.prefix_length, place + span.length
        beyond = min(end + CONTEXT, self.hashed.length)
        precedes = before >= 0 and self.hashed.digest(before, place) == span.prefix
        return precedes + (self.hashed.digest(end, beyond) == span.suffix)

    def _is_nearest(self, span: _Span, place: int) -> bool:
        """Whether no place nearer to the stated one has the same words and context.

        Always false beyond ``_MAX_SHIFT``, because too much text would have to be compared.
        """
        mirrored = 2 * span.start - place
        if abs(place - span.start) > _MAX_SHIFT:
            return False
        first, last = (mirrored, place - 1) if place > span.start else (place + 1, mirrored - 1)
        passage = self.hashed.text[place - span.prefix_length : place + span.length + CONTEXT]
        start, end = first - span.prefix_length, last - span.prefix_length + len(passage)
        return self.hashed.text.find(passage, max(0, start), end) < 0

    def match_context(self) -> None:
        spans = self.unplaced()
        wanted = {span.suffix for span in spans} | {span.prefix for span in spans}
        places = self.hashed.places(CONTEXT, wanted)
        # At the end of the text, the suffix is shorter.
        for start in range(max(0, self.hashed.length - CONTEXT + 1), self.hashed.length + 1):
            found = self.hashed.digest(start, self.hashed.length)
            if found in wanted:
                places[found].append(start)
        for span in spans:
            if self.hashed.work_left > 0:
                self._keep_best(span, self._places_by_context(span, places))
            place = self.possible.get(span)
            # Shorter prefixes were not looked for, so another place may have this one.
            if place is not None and (
                span.prefix_length == CONTEXT or self._matching_sides(span, place) == 2
            ):
                self.placed[span] = place
        self._consider_shifts()

    def _places_by_context(self, span: _Span, places: Mapping[bytes, Sequence[int]]) -> set[int]:
        after = _nearest(places.get(span.suffix, ()), span.start + span.length)
        before = _nearest(places.get(span.prefix, ()), span.start - CONTEXT)
        found = {start - span.length for start in after}
        return found | {start + CONTEXT for start in before if span.prefix_length == CONTEXT}

    def _consider_shifts(self) -> None:
        for spans in (self.spans, self.spans[::-1]):
            shift = 0
            for span in spans:
                if span in self.placed:
                    shift = self.placed[span] - span.start
                elif span not in self.possible:
                    self._keep_best(span, {span.start + shift})

    def match_everywhere(self) -> None:
        """Compare the remaining spans, the shortest first, with every window of their length."""
        left = sorted(self.unplaced(), key=lambda span: span.length)
        for length, group in groupby(left, key=lambda span: span.length):
            cost = self.hashed.cost(length)
            if cost > self.hashed.work_left:
                continue
            self.hashed.work_left -= cost
            spans = list(group)
            places = self.hashed.places(length, {span.exact for span in spans})
            for span in spans:
                self._keep_best(span, _nearest(places.get(span.exact, ()), span.start))
                self.exhausted.add(span)

    def _keep_best(self, span: _Span, places: Iterable[int]) -> None:
        """Remember the best place that has the words, unless a better one is known."""
        fitting = (place for place in places if self._fits(span, place))
        for rank, place in sorted((self._rank(span, place), place) for place in fitting):
            if self._has_words(span, place):
                known = self.possible.get(span)
                if known is None or rank < self._rank(span, known):
                    self.possible[span] = place
                return

    def _rank(self, span: _Span, place: int) -> tuple[int, int, int]:
        return -self._matching_sides(span, place), abs(place - span.start), place


def _nearest(places: Sequence[int], origin: int) -> Sequence[int]:
    middle = bisect_left(places, origin)
    return places[max(0, middle - MAX_CANDIDATES) : middle + MAX_CANDIDATES]
