"""What a search asks for: the terms of ``q``, in the syntax of searches on the web.

Words between quotes are a phrase, a leading hyphen excludes a term, and ``OR`` stands between
alternatives. In the index every Han character is a word, so Han characters in a row are a phrase
too, of which each character is searched in all of its forms.
"""

import re
import unicodedata
from collections.abc import Iterator

from hksz_db.domain.han import HAN, forms

EXCLUDED = "!"
"""The mark before a term that must not occur."""

# As search_text() in hksz_db/models/sql/before_create/search.sql does.
_SEPARATORS = str.maketrans(dict.fromkeys("/·‧・•", " "))
_TERM = re.compile(r'(?P<hyphens>-*)(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_PIECE = re.compile(rf"[{HAN}]|[^\s{HAN}]+")


def search_terms(q: str) -> list[str | None]:
    """The terms in the syntax of PostgreSQL's ``to_tsquery``; ``None`` is between alternatives."""
    terms: list[str | None] = []
    for found in _TERM.finditer(unicodedata.normalize("NFKC", q).translate(_SEPARATORS)):
        word, phrase = found["word"], found["phrase"]
        if word and word.upper() == "OR" and not found["hyphens"]:
            terms.append(None)
        elif operands := list(_operands(word or phrase or "")):
            mark = EXCLUDED if found["hyphens"] else ""
            terms.append(mark + " <-> ".join(operands))
    return terms


def _operands(text: str) -> Iterator[str]:
    for piece in _PIECE.findall(text):
        if re.match(f"[{HAN}]", piece):
            yield f"({' | '.join(map(_quoted, forms(piece)))})"
        elif any(character.isalnum() for character in piece):
            # PostgreSQL would count punctuation as a word that is left out.
            yield _quoted(piece)


def _quoted(word: str) -> str:
    doubled = word.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
