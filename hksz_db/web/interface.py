"""The language of the pages: ``?ui=``, then the cookie that it sets, then ``Accept-Language``.

The names of entities follow it, unless ``lang`` chooses another language for them.
"""

from contextvars import ContextVar
from typing import NamedTuple

from babel import Locale
from flask import Response, request

from hksz_db.domain.errors import Fault, Malformed
from hksz_db.domain.languages import Preference, choose
from hksz_db.http.languages import preference

PARAMETER = "ui"
"""The name of the parameter, and of the cookie that keeps its value."""

_A_YEAR_S = 365 * 24 * 3600


class Interface(NamedTuple):
    """A language in which pages are shown: its tag, its own name, and the locale of its dates."""

    tag: str
    label: str
    locale: str


INTERFACES = (
    Interface("en", "English", "en_GB"),
    Interface("zh-Hant", "繁體", "zh_Hant"),
    Interface("zh-Hans", "简体", "zh_Hans"),
)
_BY_TAG = {each.tag: each for each in INTERFACES}


# A page asks some two hundred times, and Flask takes longer to find what is kept for a request.
_of_request: ContextVar[Interface | None] = ContextVar("interface", default=None)


def interface() -> Interface:
    """The language of the page that is asked for."""
    return _of_request.get() or _explicit() or _accepted()


def keep_interface() -> None:
    """Find the language of the page once for the request, until ``forget_interface``."""
    _of_request.set(_explicit() or _accepted())


def forget_interface() -> None:
    """End what ``keep_interface`` began."""
    _of_request.set(None)


def is_foreign(tag: str) -> bool:
    """Whether a text in a language is in another one than the page."""
    return tag.partition("-")[0] != interface().tag.partition("-")[0]


def language_of(message: str) -> str:
    """The language of a message about a fault: the page's, or English, if a service wrote it."""
    return "en" if message[:1].isascii() else interface().tag


def locale() -> Locale:
    """The locale of numbers and dates on the page."""
    return Locale.parse(interface().locale)


def check_interface() -> None:
    """Raise ``Malformed`` if the parameter asks for a language that pages do not have."""
    given = request.args.get(PARAMETER)
    if given is not None and given not in _BY_TAG:
        detail = f"{PARAMETER} must be one of {', '.join(_BY_TAG)}."
        raise Malformed("The query is invalid.", [Fault("invalid", detail, parameter=PARAMETER)])


def names_preferred(lang: str | None) -> Preference | None:
    """The languages in which the page shows names, the best first."""
    if lang is None and (chosen := _explicit()):
        return Preference((chosen.tag,))
    return preference(lang)


def remember_interface(response: Response) -> None:
    """Set the cookie if the parameter was given."""
    if (chosen := _BY_TAG.get(request.args.get(PARAMETER, ""))) is not None:
        response.set_cookie(PARAMETER, chosen.tag, _A_YEAR_S, httponly=True, samesite="Lax")


def _explicit() -> Interface | None:
    given = request.args.get(PARAMETER) or request.cookies.get(PARAMETER, "")
    return _BY_TAG.get(given)


def _accepted() -> Interface:
    preferred = preference(None)
    tag = None if preferred is None else choose(preferred, tuple(_BY_TAG))
    return _BY_TAG.get(tag or "", INTERFACES[0])
