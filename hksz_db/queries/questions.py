"""Questions: what clients ask of a list or a document, read from what they sent.

HTTP query strings, query trees and the command line are all read here. Unknown parameters are
refused: a client whose filter was ignored would get rows that it did not ask for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

from marshmallow.fields import Nested

from hksz_db.domain.search_terms import search_terms
from hksz_db.queries.comparisons import COMPARISONS
from hksz_db.queries.filters import (
    AllOf,
    AnyOf,
    Criterion,
    Expression,
    Not,
    bound_values,
    check_filters,
    criteria,
    shape,
)
from hksz_db.queries.pages import PageShape
from hksz_db.queries.readable import Queryable, Readable
from hksz_db.queries.registry import RESOURCES
from schemas.filters import tree_schema
from schemas.parameters import (
    COMMON,
    DEFAULT_PER_PAGE,
    DEFAULT_VALUES,
    Faults,
    Parameters,
    Refusal,
    Sort,
    choices,
)

MAX_FILTERS = 100
"""The limit on the names and branches of a query tree."""

PART = Parameters({name: COMMON[name] for name in ("as_of", "lang")})
PAGING = Parameters({name: COMMON[name] for name in ("per_page", "cursor")})
QUEUE = Parameters({name: COMMON[name] for name in ("per_page", "cursor", "lang")})

# The options of each call, which are parameters like the filters.
LIST = ("select", "per_page", "cursor", "as_of", "lang", "count", "sort", "include", "q")
AGGREGATE = ("group_by", "as_of", "q")
FACETS = ("values", "as_of", "lang", "q")
DOCUMENT = ("select", "as_of", "lang", "include")
VERSION = ("select", "include")

Given = Iterable[tuple[str, Any]]
Values = Mapping[str, Any]

_EVERYTHING = AllOf(())
_LISTS: Mapping[str, Queryable] = {**RESOURCES, COMPARISONS.name: COMPARISONS}
for _list in _LISTS.values():
    check_filters(_list.filters, _list.targets)


@dataclass(frozen=True)
class Question:
    """What a client asks of a list; ``fields`` are the fields of each document.

    ``lang`` is the language of names.
    """

    filters: Expression = _EVERYTHING
    search: str | None = None
    sort: Sort = ()
    fields: tuple[str, ...] = ()
    per_page: int = DEFAULT_PER_PAGE
    cursor: str | None = None
    count: str | None = None
    as_of: datetime | None = None
    lang: str | None = None

    def narrowed(self, criterion: Criterion) -> "Question":
        """The same question about the rows that meet the criterion."""
        # Side by side: if the others were nested, another row of a relation might meet them.
        others = self.filters.parts if isinstance(self.filters, AllOf) else (self.filters,)
        return replace(self, filters=AllOf((criterion, *others)))

    def identity(self, resource: str) -> list[object]:
        """What cursors are tied to: equal for all pages of a list, whatever their fields."""
        values = [criterion.value for criterion in criteria(self.filters)]
        moment = None if self.as_of is None else self.as_of.isoformat()
        return [resource, shape(self.filters), values, self.search, self.sort, moment]

    def shape(self, resource: str, after: tuple[bool, ...] | None) -> PageShape:
        """What decides the text of the statement that answers the question."""
        return PageShape(
            resource=resource,
            fields=self.fields,
            filters=shape(self.filters),
            searched=self.search is not None,
            sort=self.sort,
            after=after,
            counted=self.count == "exact",
            past=self.as_of is not None,
        )

    def values(self) -> dict[str, object]:
        """What is bound to the statement, except the cursor's keys."""
        terms = None if self.search is None else search_terms(self.search)
        return {**bound_values(self.filters), "q": terms, "rows": self.per_page + 1}


@dataclass(frozen=True)
class Reading:
    """What a client asks of one row: the fields of its document, as of which moment.

    ``lang`` is the language of names.
    """

    fields: tuple[str, ...]
    as_of: datetime | None = None
    lang: str | None = None


@cache
def parameters(resource: str, options: tuple[str, ...], *, filtered: bool = True) -> Parameters:
    """The parameters of a call: those of the options that the resource has, and its filters."""
    readable, refused = _LISTS[resource], {}
    if "q" in options and readable.search is None:
        detail = f"{resource} cannot be searched; use their filters."
        refused["q"] = Refusal("invalid", detail)
    if "include" in options and not readable.embeds:
        refused["include"] = Refusal("unknown", f"Nothing can be embedded in {resource}.")
    named = choices(
        model_of(readable),
        select=readable.document,
        include=readable.embeds,
        sort=readable.sorts,
        group_by=readable.groups if isinstance(readable, Readable) else (),
    )
    known = {name: field for name, field in {**COMMON, **named}.items() if name not in refused}
    fields = {name: known[name] for name in options if name in known}
    if filtered:
        fields |= {name: each.field for name, each in readable.filters.items()}
    return Parameters(fields, resource, refused)


@cache
def query_parameters(resource: str) -> Parameters:
    """The members of the body of a query."""
    known, readable = parameters(resource, LIST, filtered=False), _LISTS[resource]
    tree = Nested(tree_schema(model_of(readable), readable.filters))
    return replace(known, fields={"filter": tree, **known.fields})


def model_of(readable: Queryable) -> str:
    """The name of a resource's documents in the OpenAPI document."""
    return readable.schema.__name__.removesuffix("Schema")


def read_list(resource: str, given: Given) -> Question:
    """The question in a query string. Raises ``Malformed`` with all faults."""
    readable, faults = _LISTS[resource], Faults()
    values = parameters(resource, LIST).load(given, faults)
    chosen = chosen_fields(readable, values, readable.default_embeds, faults)
    faults.check()
    return question_of(readable, values, chosen)


def read_aggregate(resource: str, given: Given) -> tuple[Question, tuple[str, ...]]:
    """The question in a query string, and the fields to group by. Raises ``Malformed``."""
    values = parameters(resource, AGGREGATE).read(given)
    question = question_of(RESOURCES[resource], values, fields=())
    return question, tuple(dict.fromkeys(values["group_by"]))


def read_facets(resource: str, given: Given) -> tuple[Question, int]:
    """The question in a query string, and how many values to list. Raises ``Malformed``."""
    values = parameters(resource, FACETS).read(given)
    question = question_of(RESOURCES[resource], values, fields=())
    return question, values.get("values", DEFAULT_VALUES)


def read_document(resource: str, given: Given, options: tuple[str, ...] = DOCUMENT) -> Reading:
    """What a query string asks of one row. Raises ``Malformed`` with all faults."""
    readable, faults = RESOURCES[resource], Faults()
    values = parameters(resource, options, filtered=False).load(given, faults)
    chosen = chosen_fields(readable, values, readable.read_embeds, faults)
    faults.check()
    return Reading(chosen, values.get("as_of"), values.get("lang"))


def read_tree(resource: str, body: Mapping[str, object]) -> Question:
    """The question in the body of a query: ``{"filter": tree, "sort": …, "per_page": …}``.

    A tree is an object: ``{"and": […]}``, ``{"or": […]}``, ``{"not": {…}}``, or filters by name,
    all of which must hold. Raises ``Malformed`` with all faults.
    """
    members, readable, faults = query_parameters(resource), _LISTS[resource], Faults("#/")
    known = {*members.fields, *members.refused}
    # Null means that the member is not given.
    given = (
        (name, value)
        for name, value in body.items()
        if name != "filter" and (value is not None or name not in known)
    )
    values = members.load(given, faults)
    tree = body.get("filter", {})
    if _size(tree) > MAX_FILTERS:
        faults.add("filter", "too_many", f"A tree may have at most {MAX_FILTERS} parts.")
        faults.check()
    filters = _expression(resource, tree, Faults("#/filter/", faults))
    chosen = chosen_fields(readable, values, readable.default_embeds, faults)
    faults.check()
    return replace(question_of(readable, values, chosen), filters=filters)


def _expression(resource: str, tree: object, faults: Faults) -> Expression:
    if not isinstance(tree, dict):
        faults.add("", "invalid", "A filter must be a JSON object.")
        return AllOf(())
    parts: list[Expression] = []
    for name, value in tree.items():
        if name == "not":
            parts.append(Not(_expression(resource, value, faults.within(name))))
        elif name in {"and", "or"}:
            branches = _branches(resource, value, faults.within(name))
            parts.append(AllOf(branches) if name == "and" else AnyOf(branches))
        else:
            loaded = parameters(resource, ()).load([(name, value)], faults)
            parts += _criteria(_LISTS[resource], loaded)
    return AllOf(tuple(parts))


def _branches(resource: str, trees: object, faults: Faults) -> tuple[Expression, ...]:
    if not isinstance(trees, list) or not trees:
        faults.add("", "invalid", "Must be a list of filters.")
        return ()
    return tuple(
        _expression(resource, tree, faults.within(str(number))) for number, tree in enumerate(trees)
    )


def _size(tree: object) -> int:
    """How many names and branches a tree has."""
    if not isinstance(tree, dict):
        return 0
    inner = [tree[name] for name in ("and", "or", "not") if name in tree]
    branches = [part for value in inner for part in (value if isinstance(value, list) else [value])]
    return len(tree) + len(branches) + sum(map(_size, branches))


def question_of(readable: Queryable, values: Values, fields: tuple[str, ...]) -> Question:
    """The question in the values of a call's parameters, answered with the named fields."""
    search = values.get("q")
    # Without a search in the order of creation, with one in the order of relevance.
    default_sort = () if search is not None or not readable.sorts else (("id", False),)
    return Question(
        filters=AllOf(_criteria(readable, values)),
        search=search,
        sort=values.get("sort", default_sort),
        fields=fields,
        per_page=values.get("per_page", DEFAULT_PER_PAGE),
        cursor=values.get("cursor"),
        count=values.get("count"),
        as_of=values.get("as_of"),
        lang=values.get("lang"),
    )


def _criteria(readable: Queryable, values: Values) -> tuple[Criterion, ...]:
    return tuple(
        Criterion(known.name, known.operator, value)
        for name, value in values.items()
        if (known := readable.filters.get(name))
    )


def chosen_fields(
    readable: Queryable, values: Values, default_embeds: tuple[str, ...], faults: Faults
) -> tuple[str, ...]:
    """The fields that ``select`` and ``include`` choose, in the order of the document."""
    if not values.keys() & {"select", "include"}:
        return (*readable.fields, *default_embeds)
    embeds = values.get("include", default_embeds)
    chosen = everything = (*readable.fields, *embeds)
    if "select" in values:
        chosen = values["select"]
    if "select" in values and "include" in values:
        for name in [name for name in chosen if name not in everything]:
            detail = f"Unknown name {name!r}; known: {', '.join(everything)}."
            faults.add("select", "invalid", detail)
        chosen = (*chosen, *embeds)
    return tuple(name for name in readable.document if name in chosen)
