"""What a search asks for: the terms of ``q``, in the syntax of searches on the web.

Words between quotes are a phrase, a leading hyphen or ``NOT`` excludes a term, and ``OR`` or ``|``
stands between alternatives; ``AND`` may stand between other terms. In the index every Han character
is a word, so Han characters in a row are a phrase too, of which each character is searched in all
of its forms. Chinese has no spaces, so punctuation beside a Han character separates terms;
elsewhere it joins words to a phrase (``AT&T``). A number is found with and without separators of
thousands, and a possessive without its ending.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from hksz_db.domain.han import HAN, forms

EXCLUDED = "!"
"""The mark before a term that must not occur."""

_SEPARATORS = "/·‧・•"
_INVISIBLE = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_IN_TEXTS = str.maketrans(dict.fromkeys(f"{_SEPARATORS}-+~", " ") | _INVISIBLE)
# Before NFKC, which makes full-width punctuation that of figures and abbreviations.
_IN_QUERIES = str.maketrans(
    dict.fromkeys("“”„‟「」『』", '"')
    | dict.fromkeys(f"{_SEPARATORS}／･、。，；：！？（）《》〈〉【】…", " ")  # noqa: RUF001
    | _INVISIBLE
)
_MARK = r'(?:[^\w\s"|]|_)'
_MARKS_BY_HAN = re.compile(rf"(?<=[{HAN}]){_MARK}+|(?<=\w){_MARK}+(?=[{HAN}])")
_TERM = re.compile(
    r'(?P<or>\|)|(?P<no>(?:-|NOT\s+(?!OR\b|\|))*)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"|]+))'
)
_WIDE_THOUSANDS = re.compile(r"(?<=\d)，(?=\d{3})")  # noqa: RUF001
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?:,|\b))")
_LONG_NUMBER = re.compile(r"(?<![\w.,])[1-9][0-9]{3,}\b")
_POSSESSIVE = re.compile(r"(?<=\w)['’]s$")  # noqa: RUF001
_WORD = re.compile(rf"[{HAN}]|[^\s{HAN}]+")
_JOINING = {"AND", "NOT"}


class Term(NamedTuple):
    """A word or a phrase that is searched, without its quotes and marks."""

    text: str
    is_phrase: bool
    is_excluded: bool

    @property
    def typed(self) -> str:
        """The term as a search."""
        return ("-" if self.is_excluded else "") + (
            f'"{self.text}"' if self.is_phrase else self.text
        )


def typed_terms(q: str) -> Iterator[Term | None]:
    """The terms with letters or digits; ``None`` is between alternatives."""
    for found in _TERM.finditer(_normal(q)):
        is_word = found["word"] and not found["no"]
        if found["or"] or (is_word and found["word"].upper() == "OR"):
            yield None
        elif is_word and found["word"] == "AND":
            continue
        elif any(map(str.isalnum, text := found["word"] or found["phrase"] or "")):
            yield Term(text, found["word"] is None, bool(found["no"]))


def any_of_terms(q: str) -> str | None:
    """The search for any of the terms; ``None`` if not all of several terms are required.

    ``and`` and ``not`` in small letters join terms, and are not searched by themselves.
    """
    terms = [*typed_terms(q)]
    required = [term for term in terms if term is not None]
    excluded = [term.typed for term in required if term.is_excluded]
    wanted = [
        term.typed
        for term in required
        if not term.is_excluded and (term.is_phrase or term.text.upper() not in _JOINING)
    ]
    if None in terms or len(wanted) < 2:
        return None
    # OR divides the whole search.
    return " OR ".join(" ".join([each, *excluded]) for each in wanted)


def search_terms(q: str) -> list[str | None]:
    """The terms in the syntax of PostgreSQL's ``to_tsquery``; ``None`` is between alternatives."""
    return [
        None
        if term is None
        else (EXCLUDED if term.is_excluded else "") + " <-> ".join(_operands(term.text))
        for term in typed_terms(q)
    ]


def terms_of_beginning(text: str) -> list[str]:
    """The terms of names of which somebody has typed the text, for ``to_tsquery``.

    The last word is the beginning of a word. Quotes, hyphens and ``OR`` have no meaning.
    """
    given = _normal(text).replace('"', " ").split()
    parts = [part for part in given if any(map(str.isalnum, part))]
    return [
        " <-> ".join(_operands(part, is_beginning=place == len(parts)))
        for place, part in enumerate(parts, start=1)
    ]


def _normal(q: str) -> str:
    separated = _WIDE_THOUSANDS.sub(",", q).translate(_IN_QUERIES)
    return _MARKS_BY_HAN.sub(" ", unicodedata.normalize("NFKC", separated))


def searched_words(text: str) -> list[str]:
    """The words of a text, separated as ``search_text`` separates them in the database."""
    return _WORD.findall(unicodedata.normalize("NFKC", text).translate(_IN_TEXTS))


def _operands(text: str, *, is_beginning: bool = False) -> Iterator[str]:
    # PostgreSQL would count punctuation as a word that is left out.
    words = [word for word in searched_words(text) if any(map(str.isalnum, word))]
    for place, word in enumerate(words, start=1):
        mark = ":*" if is_beginning and place == len(words) else ""
        alternatives = dict.fromkeys(_alternatives(word))
        yield f"({' | '.join(f'{_quoted(each)}{mark}' for each in alternatives)})"


def _alternatives(word: str) -> Iterable[str]:
    if len(word) == 1:
        return forms(word)
    plain = _POSSESSIVE.sub("", _THOUSANDS.sub("", word))
    return word, plain, _LONG_NUMBER.sub(lambda number: f"{int(number[0]):,}", plain)


def _quoted(word: str) -> str:
    doubled = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
