"""Loading JSON through a schema, with a pointer to each fault."""

from collections.abc import Iterator, Mapping
from typing import Any

from marshmallow import Schema, ValidationError

from hksz_db.domain.errors import Fault, Invalid, escaped
from schemas.fields import NULL, REQUIRED, UNKNOWN


def load(schema: Schema, document: Any) -> dict[str, Any]:
    """The document as the schema loads it; raises ``Invalid`` with a pointer to each fault."""
    try:
        loaded: dict[str, Any] = schema.load(document)
    except ValidationError as error:
        faults = list(_faults(error.messages_dict, "#"))
        raise Invalid("The body has values that cannot be accepted.", faults) from None
    return loaded


def _faults(messages: Mapping[Any, Any], pointer: str) -> Iterator[Fault]:
    for key, value in messages.items():
        # Marshmallow puts messages about a whole object under this name.
        where = pointer if key == "_schema" else f"{pointer}/{escaped(str(key))}"
        if isinstance(value, Mapping):
            yield from _faults(value, where)
        else:
            yield from (Fault(_code(message), message, where) for message in value)


def _code(message: str) -> str:
    return {UNKNOWN: "unknown_field", REQUIRED: "required", NULL: "null"}.get(message, "invalid")
