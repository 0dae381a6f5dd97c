"""What services say about a request, in the words and the language of the page.

Services speak English, and name the fields and terms of the API.
"""

import re
from collections.abc import Callable, Mapping
from functools import cache

from hksz_db.domain.chronology import InvalidDate, parse
from hksz_db.web.service_messages import KEPT, REWORDED
from hksz_db.web.stated import restated
from hksz_db.web.terms import term
from hksz_db.web.translating import gettext
from hksz_db.web.units import unit_in_words
from hksz_db.web.wording import time_in_words

_MESSAGES: Mapping[str, str] = REWORDED | {each: each for each in KEPT}
# Forms carry messages, so that one can come from anybody. Those of services are shorter than this,
# and their reasons have few reasons within them.
_LONGEST, _REASONS = 2_000, 4


def _term_of(vocabulary: str) -> Callable[[str], str]:
    return lambda value: term(vocabulary, value)


def _time(edtf: str) -> str:
    try:
        parse(edtf)
    except InvalidDate:
        return edtf
    return time_in_words(edtf)


_QUOTED, _PLACEHOLDER = re.compile("“(.+?)”"), re.compile(r"%\\\((\w+)\\\)s")


def in_words(message: str) -> str:
    """The message as the page says it; one that is not known stays as it is."""
    return _in_words(message, _REASONS)


def _in_words(message: str, reasons: int) -> str:
    if not reasons or len(message) > _LONGEST:
        return message
    for pattern, text in _patterns():
        if (found := pattern.fullmatch(message)) is not None:
            said = {name: _SAID.get(name, str)(part) for name, part in found.groupdict().items()}
            if "reason" in said:
                said["reason"] = _in_words(found["reason"], reasons - 1)
            return gettext(text, **said)
    return message


# How the texts within messages are said, by the names of their placeholders.
_SAID: Mapping[str, Callable[[str], str]] = {
    "stated": restated,
    "figure": restated,
    "unit": lambda code: unit_in_words(code) or code,
    "dimension": _term_of("Dimension"),
    "other_dimension": _term_of("Dimension"),
    "measure": _term_of("MetricMeasure"),
    "comparator": _term_of("Comparator"),
    "before": _term_of("ClaimStatus"),
    "after": _term_of("ClaimStatus"),
    "time": _time,
    "issued": _time,
}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    return [(_pattern(message), text) for message, text in _MESSAGES.items()]


def _pattern(message: str) -> re.Pattern[str]:
    # Services quote texts as Python does.
    quoted = _QUOTED.sub(r"""['"]\1['"]""", re.escape(message))
    first, *parts = _PLACEHOLDER.split(quoted)
    names, following = parts[::2], parts[1::2]
    # Each part but the last is looked for once: if the message fits at all, it fits with the first
    # place where each part is. Otherwise the time would grow with a power of the length.
    found = [f"(?>(?P<{name}>.+?){part})" for name, part in zip(names, following, strict=True)]
    if found:
        found[-1] = f"(?P<{names[-1]}>.+?){following[-1]}"
    return re.compile(first + "".join(found), re.DOTALL)
