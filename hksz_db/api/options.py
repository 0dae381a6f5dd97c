"""Options: how each parameter of a list besides its filters is read.

Every function makes its value of what a client gave, as text or as JSON, and raises
``ValidationError`` with what is wrong.
"""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from marshmallow import ValidationError

from hksz_db.api.parameters import listed
from hksz_db.exchange.format import Format
from hksz_db.queries.resources import Queryable
from schemas.fields import Moment, check_text

MAX_PER_PAGE = 100
MAX_SEARCH_LENGTH = 500
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[-+]\d{2}:\d{2})", re.ASCII
)
COUNTS = ("exact", "estimated")

Sort = tuple[tuple[str, bool], ...]


def search(readable: Queryable, value: Any) -> str:
    """``q``: words to search for."""
    if readable.search is None:
        raise ValidationError(f"{readable.name} cannot be searched; use their filters.")
    if not isinstance(value, str) or not value.strip():
        raise ValidationError("Must be words to search for.")
    if len(value) > MAX_SEARCH_LENGTH:
        raise ValidationError(f"May have at most {MAX_SEARCH_LENGTH} characters.")
    return check_text(value)


def sort(readable: Queryable, value: Any) -> Sort:
    """``sort``: pairs of a key and whether it descends, the id last to settle ties."""
    given = names(value)
    keys: dict[str, bool] = {}
    for key in given:
        name = key.removeprefix("-")
        if name not in readable.sorts:
            raise ValidationError(f"Cannot sort by {name!r}; known: {listed(readable.sorts)}.")
        if name in keys:
            raise ValidationError(f"{name!r} is given twice.")
        if "id" in keys:
            raise ValidationError("Nothing can follow the id, of which no two are equal.")
        keys[name] = key.startswith("-")
    # In the direction of the last key, for which there is an index.
    keys.setdefault("id", given[-1].startswith("-"))
    return tuple(keys.items())


def export_format(known: Mapping[str, Format], value: Any) -> Format:
    """``format``: in which format to export, one of those that the resource has."""
    if value not in known:
        raise ValidationError(f"Unknown format {value!r}; known: {listed(known)}.")
    return known[value]


def names(value: Any) -> list[str]:
    """Names, separated by commas."""
    if not isinstance(value, str) or not value:
        raise ValidationError("Must be names, separated by commas.")
    return value.split(",")


def known_names(known: Mapping[str, Any], value: Any) -> tuple[str, ...]:
    """Names, each of which must be known."""
    given = names(value)
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ValidationError(f"Unknown name {unknown[0]!r}; known: {listed(known)}.")
    return tuple(given)


def per_page(value: Any) -> int:
    """``per_page``: how many rows a page holds at most."""
    if isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < 10:
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= MAX_PER_PAGE:
        raise ValidationError(f"Must be a whole number from 1 to {MAX_PER_PAGE}.")
    return value


def cursor(value: Any) -> str:
    """``cursor``: where a page ended."""
    if not isinstance(value, str) or not value:
        raise ValidationError("Must be a cursor that a page gave.")
    return value


def as_of(value: Any) -> datetime:
    """``as_of``: the moment of which to answer."""
    if not isinstance(value, str) or not _RFC_3339.fullmatch(value):
        raise ValidationError("Not a valid datetime: 2026-11-22T21:00:00Z, with its offset.")
    moment: datetime = Moment().deserialize(value.upper())
    return moment


def count(value: Any) -> str:
    """``count``: whether and how to count the rows."""
    if value not in COUNTS:
        raise ValidationError(f"Must be one of: {listed(COUNTS)}.")
    return str(value)
