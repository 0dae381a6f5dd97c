"""Identifiers in external registers: one canonical form for each scheme."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from stdnum import isni, lei

from hksz_db.domain.vocabulary import IdentifierScheme


class InvalidIdentifier(ValueError):
    """A value is not an identifier of its scheme; the message describes the valid form."""


@dataclass(frozen=True)
class _Form:
    description: str
    pattern: re.Pattern[str]
    simplify: Callable[[str], str]
    has_valid_check_digits: Callable[[str], bool] = lambda _: True


def canonical(scheme: IdentifierScheme, value: str) -> str:
    """The canonical form of an identifier.

    Raises ``InvalidIdentifier`` for a value of another form, or with wrong check digits.
    """
    form = _FORMS[scheme]
    identifier = form.simplify(value.strip())
    if not form.pattern.fullmatch(identifier):
        raise InvalidIdentifier(f"Must be {form.description}.")
    if not form.has_valid_check_digits(identifier):
        raise InvalidIdentifier(f"The check digits are wrong; must be {form.description}.")
    return identifier


def _without_host(host: str, value: str) -> str:
    return re.sub(rf"^https?://{re.escape(host)}/", "", value, flags=re.IGNORECASE)


_FORMS = {
    IdentifierScheme.WIKIDATA: _Form(
        "Q and a number, such as Q8646", re.compile("Q[1-9][0-9]*"), str.upper
    ),
    IdentifierScheme.ROR: _Form(
        "0, six letters or digits (no i, l, o or u) and two digits, such as 02zhqgq86",
        re.compile("0[0-9a-hjkmnp-tv-z]{6}[0-9]{2}"),
        lambda value: _without_host("ror.org", value).lower(),
    ),
    IdentifierScheme.ISNI: _Form(
        "16 digits, the last one perhaps X, such as 0000000121032683",
        re.compile("[0-9]{15}[0-9X]"),
        lambda value: value.replace(" ", "").upper(),
        isni.is_valid,
    ),
    IdentifierScheme.ORCID: _Form(
        "four groups of four digits, the last one perhaps X, such as 0000-0002-1825-0097",
        re.compile("(?:[0-9]{4}-){3}[0-9]{3}[0-9X]"),
        lambda value: _without_host("orcid.org", value).upper(),
        isni.is_valid,  # an ORCID iD is an ISNI
    ),
    IdentifierScheme.VIAF: _Form("a number, such as 97006051", re.compile("[1-9][0-9]*"), str),
    IdentifierScheme.GEONAMES: _Form("a number, such as 1819730", re.compile("[1-9][0-9]*"), str),
    IdentifierScheme.LEI: _Form(
        "18 letters or digits and two check digits, such as 5493001KJTIIGC8Y1R12",
        re.compile("[0-9A-Z]{18}[0-9]{2}"),
        str.upper,
        lei.is_valid,
    ),
}
