"""The schemas of query strings and of query bodies, for the OpenAPI document."""

from collections.abc import Iterable
from typing import Any

from marshmallow import Schema, fields

from hksz_db.api.options import MAX_PER_PAGE
from hksz_db.api.resource import Listed, Resource
from hksz_db.exchange.formats import formats_for
from schemas.fields import Choice
from schemas.pages import grouping, options, tree_schema

LIST_OPTIONS = ("select", "per_page", "cursor", "as_of", "count", "sort", "include", "q")


def parameters(resource: Listed, *names: str, filtered: bool = False) -> type[Schema]:
    """Those of the named options that the resource has, and its filters if it is ``filtered``."""
    filters = {name: known.field for name, known in resource.filters.items()} if filtered else {}
    return Schema.from_dict({**_chosen(resource, names), **filters}, name=resource.name)


def query_body(resource: Resource) -> type[Schema]:
    """The body of a query: a tree of filters, and options."""
    tree = fields.Nested(tree_schema(resource.model, resource.filters))
    return Schema.from_dict(
        {"filter": tree, **_chosen(resource, LIST_OPTIONS)}, name=f"{resource.model}QuerySchema"
    )


def _chosen(resource: Listed, names: Iterable[str]) -> dict[str, fields.Field[Any]]:
    known = _options(resource)
    return {name: known[name] for name in names if name in known}


def _options(resource: Listed) -> dict[str, fields.Field[Any]]:
    readable = resource.readable
    known = options(
        resource.model,
        readable.sorts,
        readable.document,
        readable.embeds,
        searchable=readable.search is not None,
        max_per_page=MAX_PER_PAGE,
    )
    if isinstance(resource, Resource):
        known["group_by"] = grouping(resource.model, resource.readable.groups)
        known["format"] = Choice(
            f"{resource.model}Format",
            formats_for(resource.readable),
            metadata={"description": "In which format; the first unless asked otherwise."},
        )
    return known
