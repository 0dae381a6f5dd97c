"""JSON (RFC 8259, I-JSON): parsed strictly, so that all parsers agree, and written compactly."""

import json
from decimal import Decimal
from typing import NoReturn, TypeAlias

from hksz_db.domain.errors import Malformed

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | Decimal | bool | None"
"""A JSON value as ``parse`` returns it."""

MAX_DEPTH = 32
_MAX_DIGITS = 1000


def parse(text: str, what: str) -> Json:
    """Parse JSON without NaN or duplicate keys, nested at most 32 deep; fractions are ``Decimal``.

    Raises ``Malformed``; the message calls the text ``what``.
    """
    try:
        document: Json = json.loads(
            text,
            object_pairs_hook=_object,
            parse_float=_fraction,
            parse_int=_integer,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise Malformed(f"{what} is not JSON: {error.msg} ({where}).") from None
    except RecursionError:
        raise Malformed(f"{what} is nested more than {MAX_DEPTH} deep.") from None
    _check_depth(document, what)
    return document


def compact(document: object) -> bytes:
    """Write JSON in UTF-8 without white space."""
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    # A lone surrogate cannot be encoded; its escape is valid JSON.
    return text.encode(errors="backslashreplace")


def _object(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    for name, value in pairs:
        if name in found:
            raise Malformed(f"An object has the key {name!r} twice.")
        found[name] = value
    return found


def _integer(digits: str) -> int:
    if len(digits) > _MAX_DIGITS:
        raise Malformed("A number has too many digits.")
    return int(digits)


def _fraction(text: str) -> Decimal:
    try:
        return Decimal(text)
    except ArithmeticError:
        raise Malformed("Exponent out of range.") from None


def _constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON.")


def _check_depth(document: Json, what: str) -> None:
    level = [document]
    for _ in range(MAX_DEPTH):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return
    raise Malformed(f"{what} is nested more than {MAX_DEPTH} deep.")


def _children(parent: Json) -> list[Json]:
    if isinstance(parent, dict):
        return list(parent.values())
    return parent if isinstance(parent, list) else []
