"""Han characters and their forms in simplified and traditional script.

The conversions are those of OpenCC. Hong Kong and Taiwan write some characters differently, so
that a character can have several traditional forms.
"""

import re
from collections.abc import Mapping
from functools import cache
from itertools import product
from math import prod

from opencc import OpenCC

HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The ranges of Han characters, for a character class; the number zero is one of them."""

_MOST_SPELLINGS = 32
# The first leads from any form to the simplified one, the others from any to the regional ones.
_CONVERSIONS = ("t2s", "t2hk", "t2tw")
_CONVERTED = range(0x3400, 0xA000)
_PHRASES = ("t2s", "s2hk", "s2t", "s2tw")
_IS_HAN = re.compile(f"[{HAN}]")


def _has_han(text: str) -> bool:
    """Whether the text has a Han character."""
    return _IS_HAN.search(text) is not None


def forms(character: str) -> str:
    """The forms of a character in all scripts, itself first."""
    return _forms().get(character, character)


def spellings(text: str) -> list[str]:
    """The text in each combination of the forms of its characters, itself first.

    If these are more than 32, those that OpenCC chooses by the context.
    """
    if not _has_han(text):
        return [text]
    choices = [forms(character) for character in text]
    if prod(map(len, choices)) <= _MOST_SPELLINGS:
        return list(map("".join, product(*choices)))
    simplified = _converter("t2s").convert(text)
    converted = (_converter(name).convert(simplified) for name in _PHRASES)
    return list(dict.fromkeys((text, *converted)))


def script(text: str) -> str:
    """The script of a Chinese text, by the code of ISO 15924; ``Hant`` if it does not tell."""
    return certain_script(text) or "Hant"


def certain_script(text: str) -> str | None:
    """The script of a Chinese text; ``None`` if all of its characters are of both."""
    if _converter("t2s").convert(text) != text:
        return "Hant"
    return "Hans" if _converter("s2hk").convert(text) != text else None


@cache
def _forms() -> Mapping[str, str]:
    """The forms of each character that has more than one."""
    every = list(map(chr, _CONVERTED))
    kin = {character: {character} for character in every}
    for name in _CONVERSIONS:
        for character, converted in zip(
            every, _converter(name).convert("\n".join(every)).split("\n"), strict=True
        ):
            one, other = kin[character], kin.setdefault(converted, {converted})
            if one is not other:
                one |= other
                kin.update(dict.fromkeys(other, one))
    return {
        character: character + "".join(sorted(same - {character}))
        for character, same in kin.items()
        if len(same) > 1
    }


def load() -> None:
    """Load the dictionaries, which takes a tenth of a second without a break, before it matters."""
    for name in ("t2s", "s2hk", *_PHRASES):
        _converter(name)


@cache
def _converter(name: str) -> OpenCC:
    return OpenCC(name)
