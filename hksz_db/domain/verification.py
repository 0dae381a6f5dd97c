"""Finds spans in a text by their hashes.

SHA-256 is not a rolling hash: to find a span of which only hashes are known, every window of its
length has to be hashed. The context of all spans has the same length, so one pass over the windows
of 32 code points finds the context of every span. That comes first.

A span with a locator in the loose form that is not at its stated place, nor at the same distance as
a neighbour, is looked for in the loose form of the text only. Wherever its exact words are, the
loose ones are, too.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256
from itertools import compress, groupby, islice

from hksz_db.domain.figure_edges import continues_after, continues_before
from hksz_db.domain.locators import CONTEXT, Locator, Passage, digest
from hksz_db.domain.loose_form import LooseForm

MAX_CANDIDATES = 64
"""The number of places of a span, or of its context, that are compared on each side."""

MAX_WORK = 2**28
"""The number of bytes that may be hashed, apart from the context."""

CALL_COST = 512
"""The overhead of a hash, in bytes."""

_MAX_SHIFT = 2**16  # for a place that is found by the shift of a neighbour
_MAX_GUESSES = 4
_MIN_CONTEXT = 16  # for a place where the context is the same on one side only
# A span is looked for around the place where its neighbour moved, the nearest place first. After
# some misses it is looked for only at that place, because the text may be an unrelated one.
_NEARBY = sorted(range(-64, 65), key=abs)
_MAX_MISSES = 8
_LEADING_BYTES = bytes(not 0x80 <= byte < 0xC0 for byte in range(256))


# Whether a text has the words of a span. ``EXACT``: at the stated place. ``MOVED``: elsewhere, with
# the same surroundings. ``SAME_BUT_TYPOGRAPHY``: in another typography, with the same surroundings.
# ``ELSEWHERE``: with other surroundings, so that it may be another passage.
Result = StrEnum("Result", "EXACT SAME_BUT_TYPOGRAPHY MOVED ELSEWHERE MISSING")

# On which sides of a place the text is the same as beside the span.
Surroundings = StrEnum("Surroundings", "BOTH BEFORE AFTER NONE")

# Where a missing span was looked for. ``SURROUNDINGS``: at its stated place, where its neighbours
# moved, and beside its context, as far as ``MAX_WORK`` allowed.
Searched = StrEnum("Searched", "EVERYWHERE SURROUNDINGS")


@dataclass(frozen=True)
class Finding:
    """The result for a span, and its place in code points, or where it was looked for.

    ``surroundings`` says on which sides of the place the text is the same.
    """

    result: Result
    start_char: int | None
    end_char: int | None
    surroundings: Surroundings | None
    searched: Searched | None


def verify(text: str, passages: Sequence[Passage], lengths: Iterable[int] = ()) -> list[Finding]:
    """Find the span of each passage, in their order, in a text in the form ``nfc-ws1``.

    A span is exact if its words are at the stated place and the text on one side is the same.
    Otherwise the place of its words with the most context is taken (the text after it, and as much
    of the text before it as the locator covers); among these the place nearest to the stated one,
    and of two equally near ones the earlier. The span has moved there if the context is the same on
    both sides, or if it is on one side, has at least 16 code points there, and stands nowhere else:
    where it does, other words may have replaced those of the span. A span is neither exact nor
    moved if the text continues a number at its edge, on a side where the text is not the same: the
    5,000 of 15,000 is another figure.

    ``lengths`` are the lengths of the texts to which the locators may refer: a single edit moves
    everything after it by the difference in length.
    """
    spans = [_Span(passage.exact) for passage in passages]
    search = _Search(_HashedText(text, MAX_WORK), spans)
    search.match_stated_places()
    guesses = sorted({len(text) - length for length in lengths}, key=lambda n: (abs(n), n))
    search.match_shifted_places(guesses[:_MAX_GUESSES])
    loose = {
        span: _Span(passage.loose)
        for span, passage in zip(spans, passages, strict=True)
        if passage.loose and span not in search.placed
    }
    search.match_windows([span for span in search.spans if span not in loose])
    found = {span: search.finding(span) for span in spans}
    if loose:
        form = LooseForm(text)
        loosely = _Search(_HashedText(form.text, search.hashed.work_left), loose.values())
        loosely.match_stated_places()
        loosely.match_shifted_places(())
        loosely.match_windows(loosely.spans)
        for span, other in loose.items():
            finding = _in_text(text, form, span, loosely, other)
            # The exact words may be at the stated place with nothing of the context.
            if finding.result is not Result.MISSING or found[span].result is Result.MISSING:
                found[span] = finding
    return [found[span] for span in spans]


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

    def __init__(self, text: str, work: int) -> None:
        self.text = text
        self.length = len(text)
        self.work_left = work
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
        return windows * (CALL_COST + length * len(self._bytes) // max(1, self.length))


class _Search:
    """The search for spans, which are in the order of their stated places.

    ``placed`` are final places, and ``possible`` ones may still be replaced by better ones.
    ``exhausted`` spans have been looked for everywhere. ``windows`` are the places of the context,
    once they have been looked for.
    """

    def __init__(self, hashed: _HashedText, spans: Iterable[_Span]) -> None:
        self.hashed = hashed
        self.spans = sorted(spans, key=lambda span: (span.start, span.length))
        self.placed: dict[_Span, int] = {}
        self.possible: dict[_Span, int] = {}
        self.exhausted: set[_Span] = set()
        self.windows: Mapping[bytes, Sequence[int]] = {}

    def finding(self, span: _Span) -> Finding:
        place = self.place(span)
        if place is None:
            everywhere = span in self.exhausted
            searched = Searched.EVERYWHERE if everywhere else Searched.SURROUNDINGS
            return Finding(Result.MISSING, None, None, None, searched)
        end, surroundings = place + span.length, self.surroundings(span, place)
        result = Result.EXACT if place == span.start else Result.MOVED
        is_same = self.is_same_passage(span, place, is_stated=place == span.start)
        if not is_same or _is_part_of_number(self.hashed.text, place, end, surroundings):
            result = Result.ELSEWHERE
        return Finding(result, place, end, surroundings, None)

    def place(self, span: _Span) -> int | None:
        return self.placed.get(span, self.possible.get(span))

    def is_same_passage(self, span: _Span, place: int, *, is_stated: bool) -> bool:
        """Whether enough of the context is the same."""
        before, after = self._same_sides(span, place)
        if is_stated or (before and after):
            return before or after
        if before:
            return self._is_single(place - span.prefix_length, place, span.prefix)
        end = place + span.length
        return after and self._is_single(end, end + CONTEXT, span.suffix)

    def _is_single(self, start: int, end: int, context: bytes) -> bool:
        """Whether a context is long enough, and nowhere else in the text."""
        text = self.hashed.text
        window = text[start:end]
        if len(window) < _MIN_CONTEXT:
            return False
        if len(window) == CONTEXT:
            return len(self.windows[context]) == 1
        self.hashed.work_left -= len(text)
        return self.hashed.work_left > 0 and text.find(window) == text.rfind(window)

    def surroundings(self, span: _Span, place: int) -> Surroundings:
        match self._same_sides(span, place):
            case True, True:
                return Surroundings.BOTH
            case True, False:
                return Surroundings.BEFORE
            case False, True:
                return Surroundings.AFTER
        return Surroundings.NONE

    def match_stated_places(self) -> None:
        for span in self.spans:
            if self._fits(span, span.start) and self._has_words(span, span.start):
                is_same = any(self._same_sides(span, span.start))
                (self.placed if is_same else self.possible)[span] = span.start

    def match_windows(self, spans: Sequence[_Span]) -> None:
        """Look for the spans that are not placed, first beside their context, then everywhere."""
        for match in (self._match_context, self._match_everywhere):
            if unplaced := [span for span in spans if span not in self.placed]:
                match(unplaced)

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
                and all(self._same_sides(span, place))
                and self._has_words(span, place)
                and self._is_nearest(span, place)
            ):
                self.placed[span] = place
                return

    def _fits(self, span: _Span, place: int) -> bool:
        return 0 <= place <= self.hashed.length - span.length

    def _has_words(self, span: _Span, place: int) -> bool:
        return self.hashed.digest(place, place + span.length) == span.exact

    def _same_sides(self, span: _Span, place: int) -> tuple[bool, bool]:
        """Whether the context of the span is before the place, and after it.

        At an edge of the text there is no context; then the place must be at that edge, too.
        """
        before, end = place - span.prefix_length, place + span.length
        beyond = min(end + CONTEXT, self.hashed.length)
        precedes = (
            before >= 0
            and (span.prefix_length > 0 or place == 0)
            and self.hashed.digest(before, place) == span.prefix
        )
        return precedes, self.hashed.digest(end, beyond) == span.suffix

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

    def _match_context(self, spans: Sequence[_Span]) -> None:
        wanted = {span.suffix for span in spans} | {span.prefix for span in spans}
        places = self.hashed.places(CONTEXT, wanted)
        # At the end of the text, the suffix is shorter.
        for start in range(max(0, self.hashed.length - CONTEXT + 1), self.hashed.length + 1):
            found = self.hashed.digest(start, self.hashed.length)
            if found in wanted:
                places[found].append(start)
        self.windows = places
        for span in spans:
            if self.hashed.work_left > 0:
                self._keep_best(span, self._places_by_context(span, places))
            place = self.possible.get(span)
            # Shorter prefixes were not looked for, so another place may have this one.
            if place is not None and (
                span.prefix_length in {0, CONTEXT} or all(self._same_sides(span, place))
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

    def _match_everywhere(self, spans: Sequence[_Span]) -> None:
        """Compare the spans, the shortest first, with every window of their length."""
        left = sorted(spans, key=lambda span: span.length)
        for length, group in groupby(left, key=lambda span: span.length):
            cost = self.hashed.cost(length)
            if cost > self.hashed.work_left:
                continue
            self.hashed.work_left -= cost
            alike = list(group)
            places = self.hashed.places(length, {span.exact for span in alike})
            for span in alike:
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
        return -sum(self._same_sides(span, place)), abs(place - span.start), place


def _in_text(text: str, form: LooseForm, span: _Span, loosely: _Search, loose: _Span) -> Finding:
    """The finding for a span, from that for its loose form in the loose form of the text."""
    place = loosely.place(loose)
    if place is None:
        return loosely.finding(loose)
    start, end = form.span_in_text(place, place + loose.length)
    is_exact = digest(text[start:end]) == span.exact.hex()
    is_stated = place == loose.start or (is_exact and start == span.start)
    surroundings = loosely.surroundings(loose, place)
    is_same = loosely.is_same_passage(loose, place, is_stated=is_stated)
    if not is_same or _is_part_of_number(text, start, end, surroundings):
        result = Result.ELSEWHERE
    elif not is_exact:
        result = Result.SAME_BUT_TYPOGRAPHY
    else:
        result = Result.EXACT if start == span.start else Result.MOVED
    return Finding(result, start, end, surroundings, None)


def _is_part_of_number(text: str, start: int, end: int, surroundings: Surroundings) -> bool:
    """Whether a number at an edge continues beyond it, where the surroundings are not the same.

    Where they are the same, the number continued in the original, too.
    """
    changed_before = surroundings in {Surroundings.AFTER, Surroundings.NONE}
    changed_after = surroundings in {Surroundings.BEFORE, Surroundings.NONE}
    return (changed_before and continues_before(text, start, end)) or (
        changed_after and continues_after(text, start, end)
    )


def _nearest(places: Sequence[int], origin: int) -> Sequence[int]:
    middle = bisect_left(places, origin)
    return places[max(0, middle - MAX_CANDIDATES) : middle + MAX_CANDIDATES]
