"""The choice between texts in several languages, by the languages that a reader prefers.

Which languages are near each other comes from the Unicode CLDR: readers of zh-HK read zh-Hant, and
those of en-US read en-GB.
"""

from functools import lru_cache
from typing import NamedTuple

from langcodes import closest_supported_match, standardize_tag, tag_distance

_NEAR = 25
"""The largest distance at which a text is in the language that is asked for."""

_OTHER_SCRIPT = 64
"""The largest distance between texts in one language, but in different scripts."""


class Preference(NamedTuple):
    """BCP 47 tags: those of the ``wanted`` languages, the best first, and of the ``refused``."""

    wanted: tuple[str, ...]
    refused: tuple[str, ...] = ()


@lru_cache(maxsize=1024)
def is_language_tag(text: str) -> bool:
    """Whether the text is a well-formed BCP 47 tag."""
    try:
        standardize_tag(text)
    except ValueError:
        return False
    return True


@lru_cache(maxsize=1024)
def cased_tag(text: str) -> str:
    """The tag in the case that BCP 47 recommends (RFC 5646, section 2.1.1): ``zh-Hant-HK``."""
    language, *others = text.lower().split("-")
    cased, is_extension = [language], len(language) == 1
    for subtag in others:
        is_extension = is_extension or len(subtag) == 1
        cased.append(subtag if is_extension else _cased_subtag(subtag))
    return "-".join(cased)


def _cased_subtag(subtag: str) -> str:
    if len(subtag) == 2:
        return subtag.upper()
    return subtag.title() if len(subtag) == 4 and subtag.isalpha() else subtag


@lru_cache(maxsize=4096)
def choose(preference: Preference, available: tuple[str, ...]) -> str | None:
    """The available language that a reader prefers; ``None`` if they want none of them.

    If a wanted language is missing, the same language in the other script takes its place, unless
    that is itself wanted later.
    """
    left = tuple(each for each in available if _is_open(each, preference))
    for place, wanted in enumerate(preference.wanted):
        if found := closest_supported_match(wanted, list(left), _NEAR):
            return found
        later = preference.wanted[place + 1 :]
        not_wanted_later = [
            each for each in left if all(tag_distance(tag, each) > _NEAR for tag in later)
        ]
        if found := closest_supported_match(wanted, not_wanted_later, _OTHER_SCRIPT):
            return found
    return None


def _is_open(language: str, preference: Preference) -> bool:
    """Whether the language is not refused, as itself or with all of its varieties."""
    if not is_language_tag(language):
        return False
    parts = language.lower().split("-")
    refused = (tag.lower().split("-") for tag in preference.refused)
    is_refused = any(parts[: len(tag)] == tag for tag in refused)
    return not is_refused or language.lower() in {tag.lower() for tag in preference.wanted}
