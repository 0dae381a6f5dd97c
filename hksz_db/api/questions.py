"""Questions: what a reader asks of a list, from the query string or from a JSON tree.

Whatever is not known is refused by name. An ignored filter would hand a service data that it
did not ask for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any

from flask import request
from marshmallow import ValidationError

from hksz_db.api import options
from hksz_db.api.parameters import Faults, arguments, listed, one_line, read
from hksz_db.api.resource import Listed, Resource
from hksz_db.exchange.format import Format
from hksz_db.exchange.formats import formats_for
from hksz_db.queries.filters import (
    AllOf,
    AnyOf,
    Criterion,
    Expression,
    Not,
    bound_values,
    criteria,
    shape,
)
from hksz_db.queries.pages import PageShape
from hksz_db.queries.readable import Readable
from hksz_db.queries.resources import Queryable

DEFAULT_PER_PAGE = 25
MAX_FILTERS = 100
_EXPORT_OPTIONS = ("q", "sort", "select", "include", "as_of")
_PAGE_OPTIONS = ("per_page", "cursor", "count")
_OPTIONS = (*_EXPORT_OPTIONS, *_PAGE_OPTIONS)


@dataclass(frozen=True)
class Question:
    """What is asked of a list; ``fields`` are the document's fields to answer with."""

    filters: Expression
    search: str | None
    sort: options.Sort
    fields: tuple[str, ...]
    per_page: int
    cursor: str | None
    count: str | None
    as_of: datetime | None

    def narrowed(self, criterion: Criterion) -> "Question":
        """The same question, of those rows only that meet the criterion."""
        return replace(self, filters=AllOf((criterion, self.filters)))

    def identity(self, resource: str) -> Any:
        """What makes two questions the same list, whatever page of it or fields are wanted."""
        values = [criterion.value for criterion in criteria(self.filters)]
        moment = None if self.as_of is None else self.as_of.isoformat()
        return [resource, shape(self.filters), values, self.search, self.sort, moment]

    def shape(self, resource: str, after: tuple[bool, ...] | None) -> PageShape:
        """What decides the text of the statement that answers it."""
        return PageShape(
            resource=resource,
            fields=self.fields,
            filters=shape(self.filters),
            searched=self.search is not None,
            sort=self.sort,
            after=after,
            counted=self.count == "exact",
        )

    def values(self) -> dict[str, Any]:
        """What is bound to the statement, but for the cursor's keys."""
        return {**bound_values(self.filters), "q": self.search, "rows": self.per_page + 1}


def from_query_string(resource: Listed) -> Question:
    """The question in the request's query string."""
    given, faults = arguments(), Faults()
    others = {name: given.pop(name) for name in _options(resource) if name in given}
    question = _question(resource, _every(resource, given, faults), others, faults)
    faults.check()
    return question


def grouped(resource: Resource) -> tuple[Question, tuple[str, ...]]:
    """The filters in the request's query string, and the fields to group by."""
    given, faults = arguments(), Faults()
    if not given.get("group_by"):
        known = listed(resource.readable.groups)
        faults.add("group_by", "required", f"Say what to group by: {known}.")
    reader = partial(options.known_names, resource.readable.groups)
    group_by = read("group_by", given, reader, faults, ())
    others = {name: value for name, value in given.items() if name in {"q", "as_of"}}
    filters = {n: value for n, value in given.items() if n not in {*others, "group_by"}}
    question = _question(resource, _every(resource, filters, faults), others, faults)
    faults.check()
    return question, tuple(dict.fromkeys(group_by))


def exported(resource: Resource) -> tuple[Question, Format]:
    """The filters in the request's query string, and the format of all that they select.

    The order is that of the ids unless another is asked for.
    """
    given, faults = arguments(), Faults()
    known = formats_for(resource.readable)
    form = read(
        "format", given, partial(options.export_format, known), faults, next(iter(known.values()))
    )
    others = {name: given.pop(name) for name in (*_EXPORT_OPTIONS, "format") if name in given}
    for name in given.keys() & _PAGE_OPTIONS:
        faults.add(name, "unknown", "An export has no pages: it is all that the filters select.")
        del given[name]
    fields = _exported_fields(resource.readable, form, others, faults)
    kept = ("q", "sort", "as_of")
    searching: dict[str, Any] = {name: others[name] for name in kept if name in others}
    question = _question(resource, _every(resource, given, faults), searching, faults)
    faults.check()
    return replace(question, fields=fields, sort=question.sort or (("id", False),)), form


def _exported_fields(
    readable: Readable, form: Format, given: Mapping[str, Any], faults: Faults
) -> tuple[str, ...]:
    """The fields that go out: what ``select`` and ``include`` ask for, where the format allows."""
    asked = [name for name in ("select", "include") if name in given]
    if form.choices is None:
        for name in asked:
            faults.add(name, "unknown", f"{form.name} has fixed fields; none can be chosen.")
    if form.choices is None or not asked:
        return form.fields(readable)
    own = tuple(name for name in form.fields(readable) if name in readable.embeds)
    fields = _fields(readable, given, own, faults)
    known = form.choices(readable)
    for name in set(fields) - set(known):
        detail = f"{form.name} has no field {name!r}; known: {listed(known)}."
        faults.add(asked[-1], "invalid", detail)
    return fields


def _every(resource: Listed, given: Mapping[str, Any], faults: Faults) -> AllOf:
    found = (_criterion(resource, name, value, faults) for name, value in given.items())
    return AllOf(tuple(criterion for criterion in found if criterion is not None))


def from_tree(resource: Resource, document: Mapping[str, Any]) -> Question:
    """The question in the body of a query: ``{"filter": tree, "sort": …, "per_page": …}``.

    A tree is an object: ``{"and": […]}``, ``{"or": […]}``, ``{"not": {…}}``, or filters by name,
    all of which must hold.
    """
    faults = Faults("#/")
    others = {}
    for name, value in document.items():
        if name not in {*_OPTIONS, "filter"}:
            known = listed(_OPTIONS)
            faults.add(name, "unknown", f"Unknown member {name!r}; known: filter, {known}.")
        elif name != "filter" and value is not None:
            others[name] = ",".join(value) if _is_names(name, value) else value
    tree = document.get("filter", {})
    if _size(tree) > MAX_FILTERS:
        faults.add("filter", "too_many", f"A tree may have at most {MAX_FILTERS} parts.")
        faults.check()
    expression = _expression(resource, tree, Faults("#/filter/", faults))
    question = _question(resource, expression, others, faults)
    faults.check()
    return question


@dataclass(frozen=True)
class Reading:
    """What is asked of one row: the fields of its document, and as of which moment."""

    fields: tuple[str, ...]
    as_of: datetime | None = None


def reading(resource: Resource) -> Reading:
    """What the query string of a read by id asks for."""
    if not request.query_string:
        return Reading((*resource.readable.fields, *resource.readable.read_embeds))
    given, faults = arguments(), Faults()
    known = ("select", "include", "as_of") if resource.readable.embeds else ("select", "as_of")
    for name in given:
        if name not in known:
            faults.add(name, "unknown", _unknown(resource, name, known))
    fields = _fields(resource.readable, given, resource.readable.read_embeds, faults)
    as_of = read("as_of", given, options.as_of, faults, None)
    faults.check()
    return Reading(fields, as_of)


def reading_then(resource: Resource) -> tuple[str, ...]:
    """The fields that the query string of a read of a version asks for."""
    given, faults = arguments(), Faults()
    known = ("select", "include") if resource.readable.embeds else ("select",)
    for name in given:
        if name not in known:
            faults.add(name, "unknown", _unknown(resource, name, known))
    fields = _fields(resource.readable, given, resource.readable.read_embeds, faults)
    faults.check()
    return fields


def paging() -> Question:
    """The page that a query string asks for of a list that has one order and no filters."""
    given, faults = arguments(), Faults()
    for name in given.keys() - {"per_page", "cursor"}:
        detail = f"Unknown parameter {name!r}; known: per_page, cursor."
        faults.add(name, "unknown", detail)
    question = Question(
        filters=AllOf(()),
        search=None,
        sort=(),
        fields=(),
        per_page=read("per_page", given, options.per_page, faults, DEFAULT_PER_PAGE),
        cursor=read("cursor", given, options.cursor, faults, None),
        count=None,
        as_of=None,
    )
    faults.check()
    return question


def moment_alone() -> datetime | None:
    """The moment that a query string asks for which can ask for nothing else."""
    given, faults = arguments(), Faults()
    for name in given.keys() - {"as_of"}:
        faults.add(name, "unknown", f"Unknown parameter {name!r}; known: as_of.")
    as_of: datetime | None = read("as_of", given, options.as_of, faults, None)
    faults.check()
    return as_of


def _options(resource: Listed) -> tuple[str, ...]:
    return tuple(name for name in _OPTIONS if name != "sort" or resource.readable.sorts)


def _criterion(resource: Listed, name: str, value: Any, faults: Faults) -> Criterion | None:
    known = resource.filters.get(name)
    if known is None:
        faults.add(
            name, "unknown", _unknown(resource, name, (*_options(resource), *resource.filters))
        )
        return None
    try:
        return Criterion(known.name, known.operator, known.field.deserialize(value))
    except ValidationError as error:
        faults.add(name, "invalid", one_line(error.messages))
        return None


def _unknown(resource: Listed, name: str, known: Iterable[str]) -> str:
    stem, *_ = name.split("__")
    near = [candidate for candidate in known if candidate.split("__")[0] == stem]
    return f"Unknown parameter {name!r} for {resource.name}; known: {listed(near or known)}."


def _expression(resource: Resource, tree: Any, faults: Faults) -> Expression:
    if not isinstance(tree, dict):
        faults.add("", "invalid", "A filter must be a JSON object.")
        return AllOf(())
    parts: list[Expression | None] = []
    for name, value in tree.items():
        if name == "not":
            parts.append(Not(_expression(resource, value, faults.within(name))))
        elif name in {"and", "or"}:
            branches = _branches(resource, value, faults.within(name))
            parts.append(AllOf(branches) if name == "and" else AnyOf(branches))
        else:
            parts.append(_criterion(resource, name, value, faults))
    return AllOf(tuple(part for part in parts if part is not None))


def _size(tree: Any) -> int:
    """How many names and branches a tree has; those beyond a few too many are not counted."""
    level, size = [tree], 0
    while level and size <= MAX_FILTERS:
        names = [pair for part in level if isinstance(part, dict) for pair in part.items()]
        inner = [value for name, value in names if name in {"and", "or", "not"}]
        level = [
            part for value in inner for part in (value if isinstance(value, list) else [value])
        ]
        size += len(names) + len(level)
    return size


def _branches(resource: Resource, trees: Any, faults: Faults) -> tuple[Expression, ...]:
    if not isinstance(trees, list) or not trees:
        faults.add("", "invalid", "Must be a list of filters.")
        return ()
    return tuple(
        _expression(resource, tree, faults.within(str(number))) for number, tree in enumerate(trees)
    )


def _is_names(option: str, value: Any) -> bool:
    return (
        option in {"sort", "select", "include"}
        and isinstance(value, list)
        and all(isinstance(name, str) for name in value)
    )


def _question(
    resource: Listed, filters: Expression, given: dict[str, Any], faults: Faults
) -> Question:
    readable = resource.readable
    search = read("q", given, partial(options.search, readable), faults, None)
    # Without a search in the order of creation, with one in the order of relevance.
    default_sort = () if search is not None or not readable.sorts else (("id", False),)
    return Question(
        filters=filters,
        search=search,
        sort=read("sort", given, partial(options.sort, readable), faults, default_sort),
        fields=_fields(readable, given, readable.default_embeds, faults),
        per_page=read("per_page", given, options.per_page, faults, DEFAULT_PER_PAGE),
        cursor=read("cursor", given, options.cursor, faults, None),
        count=read("count", given, options.count, faults, None),
        as_of=read("as_of", given, options.as_of, faults, None),
    )


def _fields(
    readable: Queryable, given: Mapping[str, Any], default: tuple[str, ...], faults: Faults
) -> tuple[str, ...]:
    """The document's fields that ``select`` and ``include`` ask for, in the document's order."""
    if "include" in given and not readable.embeds:
        faults.add("include", "unknown", f"Nothing can be embedded in {readable.name}.")
    # An empty list is an answer too: embed nothing.
    silent = () if given.get("include") == "" else default
    asked = {name: value for name, value in given.items() if value != ""}
    embeds = read("include", asked, partial(options.known_names, readable.embeds), faults, silent)
    everything = (*readable.fields, *embeds)
    chosen = everything
    if "select" in given:
        selectable = dict.fromkeys(everything) if "include" in given else readable.document
        chosen = read("select", given, partial(options.known_names, selectable), faults, ())
        chosen = (*chosen, *embeds) if "include" in given else chosen
    return tuple(name for name in readable.document if name in chosen)
