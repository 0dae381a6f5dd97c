"""Parameters: what clients send in a query string, in the body of a query or on the command line.

Each call has one ``Parameters``, composed of the pieces below. The same fields read the values and
describe them in the OpenAPI document.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from dataclasses import field as attribute
from datetime import datetime
from functools import cached_property
from itertools import islice
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, missing

from hksz_db.domain.errors import Fault, Malformed, escaped
from hksz_db.domain.languages import is_language_tag
from schemas.fields import Choice, LanguageTag, Moment, check_text
from schemas.filters import Field, QueryBoolean, QueryInteger, ValueList

DEFAULT_PER_PAGE = 25
MAX_PER_PAGE = 100
DEFAULT_VALUES = 10
MAX_VALUES = 100

MAX_SEARCH_LENGTH = 500
_MAX_SENTENCES = 3
_RFC_3339 = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?([Zz]|[-+]\d{2}:\d{2})", re.ASCII
)

COUNTS = ("exact", "estimated")
COUNT_KINDS = (*COUNTS, "at_least")

Sort = tuple[tuple[str, bool], ...]
"""Pairs of a sort key and whether it descends, the id last."""


class Faults:
    """Collects all faults of a query, so that one answer lists them.

    ``place`` is the pointer to the object that holds the names; it is empty for a query string.
    """

    def __init__(self, place: str = "", collector: "Faults | None" = None) -> None:
        self.place = place
        self.found: list[Fault] = [] if collector is None else collector.found

    def within(self, name: str) -> "Faults":
        """The same collection for an object inside this one."""
        return Faults(f"{self.place}{escaped(name)}/", self)

    def add(self, name: str, code: str, detail: str) -> None:
        """Add the fault of a parameter, or of a member of the body."""
        if self.place:
            pointer = f"{self.place}{escaped(name)}".rstrip("/")
            self.found.append(Fault(code, detail, pointer=pointer))
        else:
            self.found.append(Fault(code, detail, parameter=name))

    def check(self) -> None:
        """Raise ``Malformed`` if faults were found."""
        if self.found:
            raise Malformed("The query is invalid.", self.found)


class Refusal(NamedTuple):
    """Why a call lacks a parameter that other calls have."""

    code: str
    detail: str


@dataclass(frozen=True)
class Parameters:
    """The parameters of a call, with the field that reads each.

    ``subject`` is the resource that they belong to, ``refused`` the parameters that clients may
    expect and the call lacks.
    """

    fields: Mapping[str, Field]
    subject: str = ""
    refused: Mapping[str, Refusal] = attribute(default_factory=dict)

    def read(self, given: Iterable[tuple[str, Any]]) -> dict[str, Any]:
        """The values of pairs of name and value. Raises ``Malformed`` with all faults."""
        faults = Faults()
        values = self.load(given, faults)
        faults.check()
        return values

    def load(self, given: Iterable[tuple[str, Any]], faults: Faults) -> dict[str, Any]:
        """The values of pairs of name and value, and the defaults; faults are collected."""
        # Not by Schema.load, which looks at each of 150 fields for one or two that are given.
        values = dict(self._defaults)
        found = self._combined(given, faults)
        for name, value in found.items():
            if name not in self.fields:
                faults.add(name, *self._refusal(name))
                continue
            try:
                values[name] = self.fields[name].deserialize(value)
            except ValidationError as error:
                faults.add(name, "invalid", one_line(error.messages))
        for name in sorted(self._required - found.keys()):
            faults.add(name, "required", str(self.fields[name].error_messages["required"]))
        return values

    def schema(self, name: str = "ParametersSchema") -> type[Schema]:
        """The parameters as a schema, for the OpenAPI document."""
        return Schema.from_dict(dict(self.fields), name=name)

    @cached_property
    def _defaults(self) -> Mapping[str, Any]:
        return {
            name: field.load_default
            for name, field in self.fields.items()
            if field.load_default is not missing
        }

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(name for name, field in self.fields.items() if field.required)

    def _combined(self, given: Iterable[tuple[str, Any]], faults: Faults) -> dict[str, Any]:
        """The values by name; a list may be given one value at a time, as some clients do."""
        found: dict[str, Any] = {}
        for name, value in given:
            if name not in found:
                found[name] = value
            elif isinstance(self.fields.get(name), ValueList):
                found[name] += f",{value}"
            elif name in self.fields:
                several = f"{name}__in"
                hint = f"; {several} takes several values, separated by commas"
                detail = f"Given more than once{hint if several in self.fields else ''}."
                faults.add(name, "repeated", detail)
        return found

    def _refusal(self, name: str) -> Refusal:
        if name in self.refused:
            return self.refused[name]
        stem, *_ = name.split("__")
        near = [known for known in self.fields if known.split("__")[0] == stem]
        subject = f" for {self.subject}" if self.subject else ""
        known = f"; known: {', '.join(near or self.fields)}" if self.fields else ""
        return Refusal("unknown", f"Unknown parameter {name!r}{subject}{known}.")


def one_line(messages: Any) -> str:
    """The first of a field's messages, joined to one line."""
    return " ".join(islice(_sentences(messages), _MAX_SENTENCES))


def _sentences(messages: Any) -> Iterator[str]:
    if isinstance(messages, Mapping):
        for value in messages.values():
            yield from _sentences(value)
    elif isinstance(messages, list):
        yield from map(str, messages)
    else:
        yield str(messages)


class KnownName(Choice):
    """One name of a closed list."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if value not in self.terms:
            raise ValidationError(f"Unknown name {value!r}; known: {', '.join(self.terms)}.")
        return str(value)


class Names(ValueList):
    """Some of a closed list of names, separated by commas or as a JSON array."""

    def __init__(
        self,
        model: str,
        names: Iterable[str],
        description: str,
        *,
        may_be_empty: bool = False,
        **kwargs: Any,
    ) -> None:
        inner = KnownName(model, names)
        super().__init__(inner, metadata={"description": description}, **kwargs)
        self.may_be_empty = may_be_empty

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Any:
        given = value.split(",") if isinstance(value, str) and value else value or []
        if not given and self.may_be_empty and isinstance(value, str | list):
            return ()
        if not given or not isinstance(given, list) or not all(isinstance(n, str) for n in given):
            raise ValidationError("Must be names, separated by commas.")
        return self._chosen(given)

    def _chosen(self, given: list[str]) -> Any:
        return tuple(map(self.inner.deserialize, given))


class SortKeys(Names):
    """Keys to sort by; loads as a ``Sort``."""

    def __init__(self, model: str, keys: Iterable[str]) -> None:
        self.keys = tuple(keys)
        orders = (order for key in self.keys for order in (key, f"-{key}"))
        super().__init__(f"{model}Sort", orders, "Keys to sort by; a hyphen before a key descends.")

    def _chosen(self, given: list[str]) -> Sort:
        keys: dict[str, bool] = {}
        for order in given:
            name = order.removeprefix("-")
            if name not in self.keys:
                raise ValidationError(f"Cannot sort by {name!r}; known: {', '.join(self.keys)}.")
            if name in keys:
                raise ValidationError(f"{name!r} is given twice.")
            if "id" in keys:
                raise ValidationError("The id must be last, because no two rows share one.")
            keys[name] = order.startswith("-")
        # In the direction of the last key, for which there is an index.
        keys.setdefault("id", given[-1].startswith("-"))
        return tuple(keys.items())


class SearchWords(fields.String):
    """Words to search for."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValidationError("Must be words to search for.")
        if len(value) > MAX_SEARCH_LENGTH:
            raise ValidationError(f"May have at most {MAX_SEARCH_LENGTH} characters.")
        return check_text(value)


class Cursor(fields.String):
    """The cursor that came with a page."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not value:
            raise ValidationError("Must be a cursor that came with a page.")
        return value


class Timestamp(Moment):
    """A moment in RFC 3339."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if isinstance(value, str):
            value = value.upper()
        moment = super()._deserialize(value, attr, data, **kwargs)
        if not _RFC_3339.fullmatch(value):
            raise self.make_error("invalid")
        return moment


class PreferredLanguage(LanguageTag):
    """The language of names."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        tag = super()._deserialize(value, attr, data, **kwargs)
        if not is_language_tag(tag):
            raise ValidationError(self.hint)
        return tag


COMMON: Mapping[str, Field] = {
    "per_page": QueryInteger(1, MAX_PER_PAGE, description="Rows on a page."),
    "values": QueryInteger(
        1, MAX_VALUES, description=f"Values of each facet, {DEFAULT_VALUES} by default."
    ),
    "cursor": Cursor(metadata={"description": "The cursor that came with the previous page."}),
    "as_of": Timestamp(
        metadata={"description": "Answer as at this moment, from what was committed by then."}
    ),
    "lang": PreferredLanguage(
        metadata={
            "description": "Show the names of entities in this language where they have such a"
            " name, with `name_language` beside each. `Accept-Language` does the same.",
            "examples": ["zh-Hant"],
        }
    ),
    "count": Choice(
        "CountKind", COUNTS, metadata={"description": "Count the rows that the filters select."}
    ),
    "q": SearchWords(
        metadata={
            "description": "Words to search for, in Chinese too; quotes, OR and a leading hyphen"
            " work as on the web. Without sort the newest matches come in the order of their rank.",
            "maxLength": MAX_SEARCH_LENGTH,
        }
    ),
}
"""The parameters that are the same for all resources."""

DRY_RUN = Parameters(
    {
        "dry_run": QueryBoolean(
            load_default=False,
            metadata={
                "description": "Answer as the write would, with its `consequences`, and write"
                " nothing. An `Idempotency-Key` is ignored."
            },
        )
    }
)


def choices(
    model: str,
    *,
    select: Iterable[str],
    include: Iterable[str],
    sort: Iterable[str],
    group_by: Iterable[str],
) -> dict[str, Field]:
    """The parameters that name parts of a resource; without names there is no parameter."""
    found: dict[str, Field] = {
        "select": Names(f"{model}Select", select, "The fields to answer with.")
    }
    if include:
        about = "The fields to embed; empty for none."
        found["include"] = Names(f"{model}Include", include, about, may_be_empty=True)
    if sort:
        found["sort"] = SortKeys(model, sort)
    if group_by:
        required = {"required": f"Say what to group by: {', '.join(group_by)}."}
        found["group_by"] = Names(
            f"{model}GroupBy",
            group_by,
            "The fields to group by.",
            required=True,
            error_messages=required,
        )
    return found
