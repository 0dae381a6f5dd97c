"""Texts in a form in which script, case, width and typography make no difference.

The form has as many characters as the text, so that places in it are places in the text.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache

from hksz_db.models.base import INSTALLED

_TYPOGRAPHY = str.maketrans(
    {
        **dict.fromkeys("\u2018\u2019\u02bc\uff07", "'"),
        **dict.fromkeys("\u201c\u201d\uff02", '"'),
        **dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212\uff0d", "-"),
        **dict.fromkeys("\t\n\v\f\r\u00a0\u2007\u2009\u202f\u3000", " "),
    }
)


def folded(text: str) -> str:
    """The text with each Han character in one of its forms, as ``folded_han`` in the database."""
    return text if text.isascii() else text.translate(_scripts())


def comparable(text: str) -> str:
    """The text as names are looked up in it."""
    text = text.translate(_TYPOGRAPHY)
    if text.isascii():
        return text.lower()
    return folded("".join(map(_plain, text)))


def _plain(character: str) -> str:
    if character.isascii():
        return character.lower()
    normal = unicodedata.normalize("NFKC", character).casefold()
    return normal if len(normal) == 1 else character


@cache
def _scripts() -> Mapping[int, str]:
    lists = re.findall(
        r"string_to_array\(\s*((?:'[^']*'\s*)+), NULL\)", INSTALLED["before_create/han.sql"]
    )
    written, kept = ("".join(re.findall("'([^']*)'", each)) for each in lists)
    return {ord(character): form for character, form in zip(written, kept, strict=True)}
