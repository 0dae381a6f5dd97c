"""Times, numbers and terms in the words of the page's language."""

import re
from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import lru_cache

from babel.dates import format_skeleton

from hksz_db.web.interface import interface, locale
from hksz_db.web.translating import gettext, ngettext

_DATE = re.compile(r"(\d{4})(?:-(0[1-9]|1[0-2])(?:-(\d{2}))?)?")
_DECADE = re.compile(r"(\d{3})X")
_SKELETONS = ("y", "yMMMM", "yMMMMd")


def time_in_words(edtf: str | None) -> str:
    """An EDTF expression in words; one that is seldom used stays as it is."""
    return _time_in_words(edtf, interface().tag) if edtf else ""


@lru_cache(maxsize=4096)
def _time_in_words(edtf: str, _: str) -> str:
    # The tag of the interface is only a key: formatting dates is slow.
    if edtf[0] in "[{":
        return _one_of(edtf[1:-1], gettext("or") if edtf[0] == "[" else gettext("and"))
    if "/" in edtf:
        first, _, last = edtf.partition("/")
        return _interval(time_in_words(first.strip(".")), time_in_words(last.strip(".")))
    return _single(edtf)


def _one_of(members: str, word: str) -> str:
    if ".." in members and "," not in members:
        first, _, last = members.partition("..")
        if first and last:
            names = {"first": time_in_words(first), "last": time_in_words(last)}
            return gettext("between %(first)s and %(last)s", **names)
        return _interval(time_in_words(first), time_in_words(last))
    return f" {word} ".join(time_in_words(each.strip()) for each in members.split(","))


def _interval(first: str, last: str) -> str:
    if first and last:
        return gettext("%(first)s to %(last)s", first=first, last=last)
    if first:
        return gettext("from %(first)s", first=first)
    return gettext("until %(last)s", last=last)


def _single(edtf: str) -> str:
    plain = edtf.rstrip("?~%")
    words = _plain(plain.partition("T")[0])
    qualifier = edtf[len(plain) :]
    if qualifier in {"~", "%"}:
        words = gettext("about %(time)s", time=words)
    if qualifier in {"?", "%"}:
        words = gettext("%(time)s, uncertain", time=words)
    return words


def _plain(text: str) -> str:
    if decade := _DECADE.fullmatch(text):
        return gettext("the %(year)ss", year=decade[1] + "0")
    if (parts := _DATE.fullmatch(text)) is None:
        return text
    numbers = [int(part) for part in parts.groups() if part is not None]
    skeleton = _SKELETONS[len(numbers) - 1]
    return format_skeleton(skeleton, date(*[*numbers, 1, 1][:3]), locale=locale())


def gap() -> str:
    """What stands between two sentences of the page's language: Chinese has no space there."""
    return "" if interface().tag.startswith("zh") else " "


def joined(sentences: Iterable[str]) -> str:
    """Sentences of the page's language, one after the other."""
    return gap().join(sentences)


def moment_in_words(timestamp: str) -> str:
    """A timestamp of the API in words, to the minute in UTC."""
    return f"{time_in_words(timestamp[:10])}{gettext(', ')}{timestamp[11:16]} UTC"


def number_in_words(number: Decimal | str | int) -> str:
    """A number with separators of thousands, without zeros at its end."""
    text = f"{Decimal(number):,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def duration_in_words(duration: str | None) -> str:
    """A duration in one unit, such as P20Y, in words."""
    if duration is None:
        return ""
    number = int(duration[1:-1])
    match duration[-1]:
        case "Y":
            return ngettext("%(num)s year", "%(num)s years", number)
        case "M":
            return ngettext("%(num)s month", "%(num)s months", number)
        case "W":
            return ngettext("%(num)s week", "%(num)s weeks", number)
    return ngettext("%(num)s day", "%(num)s days", number)
