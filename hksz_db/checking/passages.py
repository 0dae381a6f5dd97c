"""Finds passages of known sources in a text, by the hashes of their words."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from hksz_db.checking.sentences import Span
from hksz_db.domain.unicode_form import nfc

_MOST_HASHES = 150_000
# Passages begin with a word; in Chinese, after a mark.
_STARTS = re.compile(r"(?<![^\s(\"'“‘—–\-。！？，；：、「『《（])\S")
_LEAST = 24
_LEAST_HAN = 10
_HAN = re.compile("[\u3400-\u9fff]")


class KnownPassage(NamedTuple):
    """The words of a source by which a claim rests on it: their length and their hash."""

    claim_id: UUID
    source_id: UUID
    length: int
    exact_sha256: str


class Quoted(NamedTuple):
    """A passage of a source in the text."""

    span: Span
    claim_id: UUID
    source_id: UUID


class Normalised:
    """A text in the form ``nfc-ws1``, with the place of each of its characters in the text."""

    def __init__(self, text: str) -> None:
        # Otherwise the places would not be those of the text.
        self.is_usable = nfc(text) == text
        pieces: list[str] = []
        self.places: list[int] = []
        if self.is_usable:
            for word in re.finditer(r"\S+", text):
                if pieces:
                    pieces.append(" ")
                    self.places.append(word.start() - 1)
                pieces.append(word[0])
                self.places.extend(range(*word.span()))
        self.text = "".join(pieces)

    @property
    def sha256(self) -> str:
        """The hash of the whole text."""
        return sha256(self.text.encode()).hexdigest()


def quoted_in(text: Normalised, passages: Iterable[KnownPassage]) -> Iterator[Quoted]:
    """The places of passages in the text; of a long text, only those of the first lengths."""
    by_length: dict[int, dict[str, list[KnownPassage]]] = defaultdict(lambda: defaultdict(list))
    for passage in passages:
        by_length[passage.length][passage.exact_sha256].append(passage)
    starts = [match.start() for match in _STARTS.finditer(text.text)]
    left = _MOST_HASHES
    for length, known in sorted(by_length.items(), reverse=True):
        for start in starts:
            end = start + length
            if end > len(text.text) or _is_within_word(text.text, end):
                continue
            words = text.text[start:end]
            if length < (_LEAST_HAN if _HAN.search(words) else _LEAST):
                continue
            left -= 1
            if left < 0:
                return
            for passage in known.get(sha256(words.encode()).hexdigest(), ()):
                span = Span(text.places[start], text.places[end - 1] + 1)
                yield Quoted(span, passage.claim_id, passage.source_id)


def _is_within_word(text: str, end: int) -> bool:
    if end == len(text):
        return False
    one, other = text[end - 1], text[end]
    return one.isalnum() and other.isalnum() and one < "\u2e80"
