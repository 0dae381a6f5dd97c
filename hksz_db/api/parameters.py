"""Parameters: the query string as it was sent, and what is wrong with it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import parse_qsl

from flask import request
from marshmallow import ValidationError

from hksz_db.domain.errors import Fault, Malformed, escaped

MAX_PARAMETERS = 100
_LISTS = {"sort", "select", "include", "group_by"}
_MAX_SENTENCES = 3


class Faults:
    """Collects what is wrong with a question, so that one answer names it all.

    ``place`` is what names stand in: nothing for a query string, ``#/…/`` for a body.
    """

    def __init__(self, place: str = "", collector: "Faults | None" = None) -> None:
        self.place = place
        self.found: list[Fault] = [] if collector is None else collector.found

    def within(self, name: str) -> "Faults":
        """The same collection, for what stands a level deeper in the body."""
        return Faults(f"{self.place}{escaped(name)}/", self)

    def add(self, name: str, code: str, detail: str) -> None:
        """Add what is wrong with a parameter, or with a field of the body."""
        if self.place:
            pointer = f"{self.place}{escaped(name)}".rstrip("/")
            self.found.append(Fault(code, detail, pointer=pointer))
        else:
            self.found.append(Fault(code, detail, parameter=name))

    def check(self) -> None:
        """Raise ``Malformed`` when anything is wrong."""
        if self.found:
            raise Malformed("The query is invalid.", self.found)


def arguments() -> dict[str, str]:
    """The query string's parameters: UTF-8 as it was sent, each given once.

    A list may also be given a value at a time, as some clients do: it is joined by commas.
    """
    if not request.query_string:
        return {}
    try:
        pairs = parse_qsl(
            request.query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=MAX_PARAMETERS,
        )
    except UnicodeError:
        raise Malformed("The query string is not percent-encoded UTF-8.") from None
    except ValueError:
        raise Malformed(f"The query string has more than {MAX_PARAMETERS} parameters.") from None
    found: dict[str, str] = {}
    for name, value in pairs:
        if name not in found:
            found[name] = value
        elif name in _LISTS or name.endswith("__in"):
            found[name] += f",{value}"
        else:
            detail = "Given more than once; __in takes several values, separated by commas."
            raise Malformed("A parameter is repeated.", [Fault("repeated", detail, parameter=name)])
    return found


def no_parameters() -> None:
    """Refuse a query string where none is understood."""
    for name in arguments():
        detail = f"Unknown parameter {name!r}."
        raise Malformed("A parameter is not known.", [Fault("unknown", detail, parameter=name)])


def read(
    name: str,
    options: Mapping[str, Any],
    reader: Callable[[Any], Any],
    faults: Faults,
    default: Any,
) -> Any:
    """What ``reader`` makes of an option, or the default; what it refuses becomes a fault."""
    if options.get(name) is None:
        return default
    try:
        return reader(options[name])
    except ValidationError as error:
        faults.add(name, "invalid", one_line(error.messages))
        return default


def one_line(messages: Any) -> str:
    """The first of a schema's messages as one sentence after the other."""
    return " ".join(islice(_sentences(messages), _MAX_SENTENCES))


def _sentences(messages: Any) -> Iterator[str]:
    if isinstance(messages, Mapping):
        for value in messages.values():
            yield from _sentences(value)
    elif isinstance(messages, list):
        yield from map(str, messages)
    else:
        yield str(messages)


def listed(names: Iterable[str]) -> str:
    """The names as they are shown to people."""
    return ", ".join(names)
