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

from hksz_db.domain.han import HAN, forms

EXCLUDED = "!"
"""The mark before a term that must not occur."""

_SEPARATORS = "/·‧・•"
_INVISIBLE = dict.fromkeys("\u00ad\u200b\u200c\u200d\u2060\ufeff")
_IN_TEXTS = str.maketrans(dict.fromkeys(f"{_SEPARATORS}-+~", " ") | _INVISIBLE)
# Before NFKC, which makes full-width punctuation that of figures and abbreviations.
_IN_QUERIES = str.maketrans(
    dict.fromkeys("“”„‟", '"')
    | dict.fromkeys(f"{_SEPARATORS}／･、。，；：！？（）「」『』《》〈〉【】…", " ")  # noqa: RUF001
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


def search_terms(q: str) -> list[str | None]:
    """The terms in the syntax of PostgreSQL's ``to_tsquery``; ``None`` is between alternatives."""
    terms: list[str | None] = []
    for found in _TERM.finditer(_normal(q)):
        is_word = found["word"] and not found["no"]
        if found["or"] or (is_word and found["word"].upper() == "OR"):
            terms.append(None)
        elif is_word and found["word"] == "AND":
            continue
        elif operands := list(_operands(found["word"] or found["phrase"] or "")):
            mark = EXCLUDED if found["no"] else ""
            terms.append(mark + " <-> ".join(operands))
    return terms


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
