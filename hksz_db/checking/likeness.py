"""How alike two statements are, and the bands by which the database finds those that are.

It is what ``claim_bands.sql`` and ``similar_claims.sql`` do for the statements of claims, so that a
sentence is compared as a claim would be, without telling the database its words.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from Stemmer import Stemmer

from hksz_db.checking.folding import folded
from hksz_db.checking.hashes import hash_number, hash_text

_SEEDS = range(10)
_UNSPACED = (
    "\u2e80-\u2fff\u3005-\u3007\u3021-\u3029\u3040-\u30fa\u30fc-\u31ff\u3400-\ua4cf\uac00-\ud7ff"
    "\uf900-\ufaff\uff66-\uff9f\U00020000-\U0003ffff"
)
_RUN = re.compile(f"[{_UNSPACED}]+")
_NUMBER = re.compile(
    "[0-9]{1,3}(?:[ ,'\u00a0\u2009\u202f\u2019][0-9]{3})+(?![0-9])(?:\\.[0-9]+)?"
    "|[0-9]+(?:\\.[0-9]+)?"
)
_HAN_NUMBER = re.compile(
    r"(?:(?:[0-9]{1,3}(?:,[0-9]{3})+(?![0-9])(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?)[十百千万亿]"
    "|[一二两三四五六七八九十][〇零一二两三四五六七八九十百千万亿])[〇零一二两三四五六七八九十百千万亿]*"
    "|(?<=百分之)[一二三四五六七八九十]"
)
_HAN_PARTS = re.compile("[0-9,.]+|.")
_SCALES = {"十": 10, "百": 100, "千": 1000}
_DIGITS = dict(zip("一二两三四五六七八九", "1223456789", strict=True))
_YEAR_DIGITS = str.maketrans("〇零一二两三四五六七八九", "001223456789")
_WIDE_DIGITS = str.maketrans("０１２３４５６７８９", "0123456789")
_PER_CENT = re.compile(r"百分之([0-9]+(?:\.[0-9]+)?)")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_STOP_WORDS = frozenset(
    [
        "i",
        "me",
        "my",
        "myself",
        "we",
        "our",
        "ours",
        "ourselves",
        "you",
        "your",
        "yours",
        "yourself",
        "yourselves",
        "he",
        "him",
        "his",
        "himself",
        "she",
        "her",
        "hers",
        "herself",
        "it",
        "its",
        "itself",
        "they",
        "them",
        "their",
        "theirs",
        "themselves",
        "what",
        "which",
        "who",
        "whom",
        "this",
        "that",
        "these",
        "those",
        "am",
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "being",
        "have",
        "has",
        "had",
        "having",
        "do",
        "does",
        "did",
        "doing",
        "a",
        "an",
        "the",
        "and",
        "but",
        "if",
        "or",
        "because",
        "as",
        "until",
        "while",
        "of",
        "at",
        "by",
        "for",
        "with",
        "about",
        "against",
        "between",
        "into",
        "through",
        "during",
        "before",
        "after",
        "above",
        "below",
        "to",
        "from",
        "up",
        "down",
        "in",
        "out",
        "on",
        "off",
        "over",
        "under",
        "again",
        "further",
        "then",
        "once",
        "here",
        "there",
        "when",
        "where",
        "why",
        "how",
        "all",
        "any",
        "both",
        "each",
        "few",
        "more",
        "most",
        "other",
        "some",
        "such",
        "no",
        "nor",
        "not",
        "only",
        "own",
        "same",
        "so",
        "than",
        "too",
        "very",
        "s",
        "t",
        "can",
        "will",
        "just",
        "don",
        "should",
        "now",
    ]
)
_TURNING = {
    "not": r"\b(no|nor|not|none|never|neither|cannot|without|false|barely|hardly|fail(s|ed|ing)?)\b"
    "|n['\u2019]t\\b|不(?![少断同仅但论管过足到超多])|没(?!收)|未(?![来满])|无(?![论线])"
    "|非(?![洲常])|否|失败",
    "before": r"\bbefore\b|[之以]前|#年前",
    "after": r"\bafter\b|[之以其]后|#年后",
    "outside": r"\boutside\b|[之以]外",
    "below": r"\b(below|up to|at most|(fewer|less) than|under (?=#))"
    "|[少低小]于|不[足到超]|不多于|未满|[至最]多|以下",
    "all": r"\b(all|every|each)\b|全部|全体|所有|每",
    "few": r"\b(some|few|several)\b|部分|若干|一些|几(?!乎)|少数",
    "per cent": "([%\uff05]|\\bper ?cent\\b)(?![ -]?points?\\b)",
}
_TURNS = {name: re.compile(pattern) for name, pattern in _TURNING.items()}
_INVERTING = ("not", "before", "after", "outside", "below", "all", "few", "per cent")
# It keeps no words.
_english = Stemmer("english", 0)


def stems(text: str) -> Iterator[str]:
    """The stems of the words of an English text in lower case, without stop words."""
    for found in _WORD.finditer(text):
        words = found[0].split("-")
        for word in (found[0], *words) if len(words) > 1 else words:
            if word not in _STOP_WORDS:
                yield _english.stemWord(word)


@dataclass(frozen=True)
class Wording:
    """A statement, as it is compared with others."""

    statement: str

    @cached_property
    def plain(self) -> str:
        """In lower case; in Chinese with the same characters in either script, and with digits."""
        if self.statement.isascii():
            return self.statement.lower()
        text = self.statement.translate(_WIDE_DIGITS).lower()
        if not re.search("[\u3400-\u9fff]", text):
            return text
        text = _HAN_NUMBER.sub(lambda number: _han_number(number[0]), folded(text))
        return _PER_CENT.sub(r"\1%", text)

    @cached_property
    def masked(self) -> str:
        """Plain, with ``#`` for each number."""
        return _NUMBER.sub("#", self.plain)

    @cached_property
    def numbers(self) -> list[Decimal]:
        """The numbers, in order of their size."""
        found = (re.sub("[^0-9.]", "", number) for number in _NUMBER.findall(self.plain))
        return sorted(Decimal(number) for number in found)

    @cached_property
    def turning(self) -> frozenset[str]:
        """The words that reverse or limit what is said."""
        return frozenset(name for name, turn in _TURNS.items() if turn.search(self.masked))

    @cached_property
    def runs(self) -> list[str]:
        """The runs of characters between which there are no spaces."""
        return [] if self.masked.isascii() else _RUN.findall(self.masked)

    @cached_property
    def terms(self) -> frozenset[str]:
        """The stems of words between spaces, and the turning words."""
        return frozenset(stems(_RUN.sub(" ", self.masked))) | self.turning

    @cached_property
    def pairs(self) -> frozenset[str]:
        """Each two characters that follow each other without a space."""
        return frozenset(
            run[at : at + 2] for run in self.runs for at in range(max(len(run) - 1, 1))
        )

    @cached_property
    def words(self) -> frozenset[str]:
        """The terms, and each character that is written without spaces."""
        return self.terms.union(*self.runs)

    @cached_property
    def order(self) -> str:
        """The words in their order, without stop words and numbers."""
        return " ".join([*stems(_RUN.sub(" ", self.masked)), *self.runs])

    @cached_property
    def trigrams(self) -> frozenset[str]:
        """The trigrams of the words, as those of ``pg_trgm``."""
        text = " ".join([_RUN.sub(" ", self.masked), *self.pairs])
        padded = (f"  {word} " for word in re.findall(r"[^\W_]+", text))
        return frozenset(word[at : at + 3] for word in padded for at in range(len(word) - 2))

    def similarity(self, other: "Wording") -> float:
        """The share of the trigrams of either statement that both have: 0 to 1."""
        if self.masked == other.masked:
            return 1.0
        shared = len(self.trigrams & other.trigrams)
        every = len(self.trigrams) + len(other.trigrams) - shared
        return round(shared / every, 2) if every else 0.0

    def inverts(self, other: "Wording") -> bool:
        """Whether one of the two has a word that gives it another meaning."""
        return any((turn in self.turning) != (turn in other.turning) for turn in _INVERTING)

    def words_compared(self, other: "Wording") -> str:
        """The ``WordsFound`` of the two."""
        if self.masked == other.masked:
            return "same"
        mine, theirs = self.words, other.words
        if self.inverts(other) or not (mine <= theirs or theirs <= mine):
            return "different"
        if mine != theirs:
            return "contained"
        return "same" if self.order == other.order else "reordered"


class Bands:
    """Makes the bands of statements; each word is hashed once."""

    def __init__(self) -> None:
        self._ranks: dict[str, tuple[int, ...]] = {}

    def of(self, wording: Wording) -> list[int]:
        """The bands of a statement, as ``statement_bands`` in the database gives them."""
        words = wording.terms | wording.pairs
        if not words:
            return []
        ranks = [*map(self._ranks_of, words)]
        bands = [hash_number(min(column), max(column)) for column in zip(*ranks, strict=True)]
        if wording.numbers:
            numbers = ",".join(format(number.normalize(), "f") for number in wording.numbers)
            text = f"{{{numbers}}}"
            bands += [hash_text(text, bands[0]), hash_text(text, bands[1])]
        return bands

    def _ranks_of(self, word: str) -> tuple[int, ...]:
        ranks = self._ranks.get(word)
        if ranks is None:
            ranks = self._ranks[word] = tuple(hash_text(word, seed) for seed in _SEEDS)
        return ranks


def _han_number(written: str) -> str:
    """The number in digits, or as it is written if it may be another."""
    number = _value(written)
    return written if number is None else format(number.normalize(), "f")


def _value(written: str) -> Decimal | None:
    if len(written) > 40:
        return None
    if re.fullmatch("[〇零一二两三四五六七八九]*", written):
        return Decimal(written.translate(_YEAR_DIGITS)) if len(written) in {1, 4} else None
    if re.search("[一二两三四五六七八九]{2}", written):
        return None
    total = section = digit = Decimal(0)
    unit = 1
    for part in _HAN_PARTS.findall(written):
        if part[0] in "0123456789":
            digit = Decimal(part.replace(",", ""))
        elif part == "亿":
            total, unit = (total + section + digit) * 10**8, 10**8
            section = digit = Decimal(0)
        elif part == "万":
            total, unit = total + (section + digit) * 10**4, 10**4
            section = digit = Decimal(0)
        elif part in _SCALES:
            unit = _SCALES[part]
            section, digit = section + (digit or 1) * unit, Decimal(0)
        elif part in "零〇":
            unit = 1
        else:
            digit = Decimal(_DIGITS[part])
    return total + section + digit * max(unit // 10, 1)
